//! A station join: our own network block beside those of the firmware, which are switched off meanwhile.

use shared_proto::supplicant::{Command, Secret, Setting, networks};

use super::Effect;
use super::held::{Held, Known};
use super::line::Step;
use super::machine::Machine;
use super::stage::{Own, Stage, Wish};
use crate::app::model::laptop::Network;

/// How long laying out a network may take, in milliseconds: a dozen requests.
const LAY_MS: u64 = 8_000;

/// Every so many failures all channels are searched. Not sooner: a laptop that restarts comes back where it was, and a search of all
/// channels takes a radio four seconds in which it would miss that.
const FULL_EVERY: u32 = 4;

impl Machine {
    /// Lays out our network on this interface and goes there.
    pub(super) fn lay(&mut self, port: &str, network: Network) {
        self.stop_finding();
        if let Stage::Up {
            group: Some(group), ..
        } = &self.stage
        {
            let group = group.clone();
            self.remove_group(&group);
        }
        self.effects.push(Effect::Prepare(port.to_owned()));
        let full = network.frequency == 0;
        let until = self.now + LAY_MS;
        self.stage = Stage::Laying {
            port: port.to_owned(),
            full,
            until,
        };
        let same = |own: &Own| {
            own.port == port
                && own.network.ssid == network.ssid
                && own.network.passphrase == network.passphrase
        };
        match self.own.take() {
            Some(mut own) if same(&own) => {
                own.network = network;
                self.own = Some(own);
                // The firmware may have enabled some since.
                self.list_others(port);
                self.select();
            }
            other => {
                if let Some(own) = other {
                    self.ask(
                        &own.port.clone(),
                        Command::RemoveNetwork(own.id),
                        Step::Ignore,
                    );
                    if own.port != port {
                        self.give_back(&own.port);
                    } else if let Some(held) = self.held_on(port) {
                        held.own = None;
                    }
                }
                self.list_others(port);
                // The number of one that was called off does as well.
                if !self.line.has_on(port, &Step::Add) {
                    self.ask(port, Command::AddNetwork, Step::Add);
                }
            }
        }
    }

    /// Notes what is enabled now: SELECT_NETWORK switches it off.
    pub(super) fn list_others(&mut self, port: &str) {
        if !self.line.has_on(port, &Step::Others) {
            self.ask(port, Command::ListNetworks, Step::Others);
        }
    }

    /// Leaves our network laid out but not enabled, and lets those of the firmware take its place. The next join switches them off
    /// again, so what is held stays held.
    pub(super) fn give_way(&mut self) {
        let Some(own) = &self.own else { return };
        let (port, id) = (own.port.clone(), own.id);
        let others = self.held_on(&port).map(|held| held.others.clone());
        let Some(others) = others.filter(|others| !others.is_empty()) else {
            return;
        };
        self.call_off();
        self.part();
        self.ask(&port, Command::DisableNetwork(id), Step::Ignore);
        for other in others {
            self.ask(&port, Command::EnableNetwork(other.id), Step::Ignore);
        }
        self.ask(&port, Command::Reconnect, Step::Ignore);
    }

    /// Enables the firmware's networks of an interface that we leave for another.
    pub(super) fn give_back(&mut self, port: &str) {
        let Some(at) = self.held.iter().position(|held| held.interface == port) else {
            return;
        };
        let held = self.held.remove(at);
        for other in &held.others {
            self.ask(port, Command::EnableNetwork(other.id), Step::Ignore);
        }
        if !held.others.is_empty() {
            self.ask(port, Command::Reconnect, Step::Ignore);
        }
        self.remember();
    }

    pub(super) fn held_on(&mut self, port: &str) -> Option<&mut Held> {
        self.held.iter_mut().find(|held| held.interface == port)
    }

    /// Confines our network to its frequency, or not, and goes there.
    pub(super) fn select(&mut self) {
        let Stage::Laying { full, .. } = self.stage else {
            return;
        };
        let Some(own) = &mut self.own else { return };
        let wanted = if full { 0 } else { own.network.frequency };
        let (port, id) = (own.port.clone(), own.id);
        if own.scanned != wanted {
            own.scanned = wanted;
            let setting = Setting::Plain("scan_freq", wanted.to_string());
            self.ask(&port, Command::SetNetwork(id, setting), Step::Set);
        }
        self.ask(&port, Command::SelectNetwork(id), Step::Select);
    }

    /// Which networks of the firmware a join switches off.
    pub(super) fn note_others(&mut self, port: &str, text: &str) {
        let own = self.own.as_ref().map(|own| own.id);
        let enabled = networks(text)
            .into_iter()
            .filter(|row| !row.disabled && !row.persistent && Some(row.id) != own)
            .map(|row| Known {
                id: row.id,
                ssid: row.ssid,
            });
        let enabled: Vec<Known> = enabled.collect();
        if self.held_on(port).is_none() {
            self.held.push(Held {
                interface: port.to_owned(),
                ..Held::default()
            });
        }
        let mut more = false;
        if let Some(held) = self.held_on(port) {
            // Those that an earlier join switched off are still to be put back.
            for known in enabled {
                if !held.others.contains(&known) {
                    held.others.push(known);
                    more = held.own.is_some();
                }
            }
        }
        if more {
            self.remember();
        }
    }

    /// Our network has a number: fill it in.
    pub(super) fn added(&mut self, port: &str, id: u32) {
        let laying = matches!(&self.stage, Stage::Laying { port: at, .. } if at == port);
        let network = match &self.wish {
            Some(Wish::Join { network, .. }) if laying => network.clone(),
            _ => {
                // The wish is gone, or goes elsewhere.
                self.ask(port, Command::RemoveNetwork(id), Step::Ignore);
                return;
            }
        };
        let known = Known {
            id,
            ssid: network.ssid.clone(),
        };
        match self.held_on(port) {
            Some(held) => held.own = Some(known),
            None => self.held.push(Held {
                interface: port.to_owned(),
                own: Some(known),
                ..Held::default()
            }),
        }
        self.remember();
        let key = Secret(network.passphrase.clone());
        let settings = [Setting::Ssid(network.ssid.clone()), Setting::Psk(key)];
        for setting in settings.into_iter().chain(Setting::wpa2()) {
            self.ask(port, Command::SetNetwork(id, setting), Step::Set);
        }
        self.own = Some(Own {
            port: port.to_owned(),
            id,
            network,
            scanned: 0,
        });
        self.select();
    }

    /// It was not found there, or not let in: look everywhere, or say so.
    pub(super) fn missed(&mut self, why: &str) {
        let Stage::Seeking { port, full, .. } = &self.stage else {
            return;
        };
        let (port, full) = (port.clone(), *full);
        self.misses = self.misses.saturating_add(1);
        if !full && self.misses.is_multiple_of(FULL_EVERY) {
            self.stage = Stage::Laying {
                port,
                full: true,
                until: self.now + LAY_MS,
            };
            self.select();
            return;
        }
        self.fail(why);
    }

    /// Keeps wpa_supplicant's own scans for our network to one channel.
    pub(super) fn confine(&mut self, port: &str, id: u32, frequency: u16) {
        if let Some(own) = &mut self.own {
            own.scanned = frequency;
        }
        let setting = Setting::Plain("scan_freq", frequency.to_string());
        self.ask(port, Command::SetNetwork(id, setting), Step::Ignore);
    }
}
