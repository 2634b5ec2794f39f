//! Looking for laptops and measuring the signal, while somebody looks at either.

use shared_proto::supplicant::{Command, Mac, Peer, ScanResult};

use super::RadioNews;
use super::line::Step;
use super::machine::{Gate, Machine};
use super::probe;
use super::search::{Device, Heard};
use super::stage::Stage;

/// How often laptops near are asked about, and the signal is measured, in milliseconds.
const LOOK_MS: u64 = 2_000;

/// The look that takes in all channels.
const FULL_LOOK: u32 = 3;

/// WPS configuration method: a button, of whatever kind (Wi-Fi Simple Configuration, "Config Methods").
const PUSH_BUTTON: u16 = 0x0080;

impl Machine {
    /// Sockets are open, and nothing is under way that looking would disturb.
    pub(super) fn can_look(&self) -> bool {
        let opening = self
            .gates
            .values()
            .any(|gate| matches!(gate, Gate::Opening(_)));
        !opening && self.stage.is_still() && self.candidates().iter().any(|name| self.is_open(name))
    }

    pub(super) fn look(&mut self) {
        if self.looking.is_some()
            && self
                .gates
                .values()
                .all(|gate| matches!(gate, Gate::Denied(_)))
        {
            // Nobody hears anything now: what was heard is not near any more, as far as is known.
            self.search.forget();
            self.tell_nearby();
        }
        if self.looking.is_none_or(|at| at > self.now) || !self.can_look() {
            return;
        }
        self.looking = Some(self.now + LOOK_MS);
        let open: Vec<String> = self
            .candidates()
            .into_iter()
            .filter(|name| self.is_open(name))
            .collect();
        let able = open.iter().find(|name| self.p2p.get(*name) == Some(&true));
        match able {
            // The channels where groups usually are take a third of a second; all of them, four.
            Some(name) if self.finding.is_none() || self.looks == FULL_LOOK => {
                let port = self.p2p_port(name);
                let find = match self.looks {
                    FULL_LOOK.. => Command::P2pFind(None),
                    _ => Command::P2pFindSocial,
                };
                self.ask(&port, find, Step::Find);
                self.finding = Some(port);
            }
            Some(_) => {}
            None => {
                for name in &open {
                    self.ask(name, Command::Scan(Vec::new()), Step::Ignore);
                }
            }
        }
        self.looks = self.looks.saturating_add(1);
        let unknown = self.search.unknown();
        if let Some(port) = self.finding.clone() {
            for device in unknown {
                if !self.line.has(&Step::Peer(device)) {
                    self.ask(&port, Command::P2pPeer(Mac(device)), Step::Peer(device));
                }
            }
        }
        self.results();
    }

    pub(super) fn found(&mut self, port: &str, found: &shared_proto::supplicant::Device) {
        let device = Device {
            device: found.device.0,
            bssid: found.interface.0,
            name: found.name.clone(),
            owner: found.owns_group(),
            push: matches!(found.config_methods & PUSH_BUTTON, PUSH_BUTTON)
                || found.config_methods == 0,
            ..Device::default()
        };
        let (address, owner) = (device.device, device.owner);
        let stored = self.search.found(device);
        // Strangers decide how often this happens: one question for each, and none for those that there is no room for.
        if owner && stored && !self.line.has(&Step::Peer(address)) {
            self.ask(port, Command::P2pPeer(Mac(address)), Step::Peer(address));
        }
        self.results();
    }

    pub(super) fn results(&mut self) {
        if self.line.has(&Step::Results) {
            return;
        }
        for name in self.candidates() {
            if self.is_open(&name) {
                self.ask(&name, Command::ScanResults, Step::Results);
            }
        }
    }

    /// The socket on which Wi-Fi Direct of an interface is steered.
    pub(super) fn p2p_port(&self, interface: &str) -> String {
        let own = probe::p2p_device(interface);
        match self.is_open(&own) {
            true => own,
            false => interface.to_owned(),
        }
    }

    pub(super) fn stop_finding(&mut self) {
        self.line.forget(|step| *step == Step::Find);
        if self.looking.is_none() {
            let asked = |step: &Step| matches!(step, Step::Peer(_) | Step::Results);
            self.line.forget(asked);
        }
        if let Some(port) = self.finding.take() {
            self.ask(&port, Command::P2pStopFind, Step::Ignore);
        }
    }

    pub(super) fn tell_nearby(&mut self) {
        if self.looking.is_some()
            && let Some(list) = self.search.news()
        {
            self.news(RadioNews::Nearby(list));
        }
    }

    pub(super) fn measure(&mut self) {
        if self.watching.is_some_and(|at| at <= self.now) && self.is_up() {
            self.watching = Some(self.now + LOOK_MS);
            self.poll_signal();
        }
    }

    pub(super) fn poll_signal(&mut self) {
        if let Stage::Up { port, .. } = &self.stage
            && !self.line.has(&Step::Signal)
        {
            let port = port.clone();
            self.ask(&port, Command::SignalPoll, Step::Signal);
        }
    }
}

/// The interface that a Wi-Fi Direct socket belongs to.
pub(super) fn parent(port: &str) -> String {
    port.strip_prefix("p2p-dev-").unwrap_or(port).to_owned()
}

pub(super) fn heard(row: ScanResult) -> Heard {
    Heard {
        bssid: row.bssid.0,
        frequency: row.frequency,
        signal_dbm: row.level,
        wpa2: row.flags.contains("[WPA2-PSK"),
        ssid: row.ssid,
    }
}

pub(super) fn describe(known: &mut Device, peer: &Peer) {
    known.model = Some(peer.model.clone());
    if peer.level != 0 {
        known.signal_dbm = peer.level;
    }
    if let Some(address) = peer.interface.filter(|address| address.0 != [0; 6]) {
        known.bssid = address.0;
    }
    if !peer.ssid.is_empty() {
        known.ssid.clone_from(&peer.ssid);
    }
}
