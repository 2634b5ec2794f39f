//! Making a group: clean up, set names, add the network block, try frequencies.

use super::{Answers, Before, Effect, Group, Phase, Running, START_TIMEOUT, Why, is_group};
use crate::link::radio::probe::GROUP_OWNER;
use crate::link::radio::probe::quietest_first;
use crate::link::radio::trouble::Trouble;
use shared_proto::supplicant::{
    Command, Event, Outcome, Role, Secret, Setting, Status, networks, scan_results,
};
use std::collections::VecDeque;

/// What is set while the group is there, in this order.
pub(super) const SETTINGS: [&str; 4] = [
    "device_name",
    "model_name",
    "config_methods",
    "p2p_intra_bss",
];
/// Longest device name, in octets (Wi-Fi Simple Configuration 2.0.7, 12).
const MAX_DEVICE_NAME_LEN: usize = 32;

impl Group {
    pub(super) fn prepare(&mut self, place: Answers) {
        let (interface, p2p) = (place.interface.clone(), place.p2p.clone());
        // Another interface was changed before: nothing of ours stays there.
        if self.before.as_ref().is_some_and(|old| old.socket != p2p)
            || self.block.as_ref().is_some_and(|(old, _)| *old != p2p)
        {
            self.put_back();
        }
        let mut heard = vec![p2p.clone()];
        if self.world.socket(&interface).is_some() && interface != p2p {
            heard.push(interface.clone());
        }
        self.hear(heard);
        // A group that an earlier process of ours left behind, wherever it lives.
        let groups = self
            .world
            .sockets
            .iter()
            .map(|socket| &socket.name)
            .filter(|name| is_group(name));
        let groups: Vec<_> = groups
            .cloned()
            .chain(place.owner.then_some(interface))
            .collect();
        for group in groups {
            self.ask(&group, Command::Status, Why::Existing(group.clone()));
        }
        self.ask(&p2p, Command::ListNetworks, Why::Blocks);
        self.phase = Phase::Preparing { place, found: None };
    }

    pub(super) fn existing(&mut self, interface: String, reply: &str) {
        let status = Status::parse(reply);
        if status.mode == GROUP_OWNER && self.is_ours(&status.ssid) {
            // A group on another radio is not the one that is about to be prepared.
            if let Phase::Preparing { place, .. } = &self.phase
                && self
                    .parent(&interface)
                    .is_some_and(|parent| parent != place.interface)
            {
                return self.remove(interface);
            }
            let (socket, frequency) = (interface.clone(), status.frequency);
            self.ask_first(
                &socket,
                Command::P2pGetPassphrase,
                Why::Passphrase(Running {
                    interface,
                    frequency,
                }),
            );
        }
    }

    pub(super) fn passphrase(&mut self, running: Running, reply: &str) {
        let Phase::Preparing { place, found } = &mut self.phase else {
            return;
        };
        if reply.trim_end() == self.identity.passphrase && found.is_none() {
            *found = Some(running);
        } else {
            let p2p = place.p2p.clone();
            self.ask_first(
                &p2p,
                Command::P2pGroupRemove(running.interface),
                Why::Ignored,
            );
        }
    }

    /// Removes network blocks of ours that an earlier process left, but the one of a group that still runs.
    pub(super) fn blocks(&mut self, reply: &str) {
        let ours = self.ours(reply);
        let Phase::Preparing { place, found } = &self.phase else {
            return;
        };
        let (p2p, adopts) = (place.p2p.clone(), found.is_some());
        self.block = None;
        for id in ours {
            if adopts && self.block.is_none() {
                self.block = Some((p2p.clone(), id));
            } else {
                self.ask(&p2p, Command::RemoveNetwork(id), Why::Ignored);
            }
        }
        match &self.before {
            // All of them: this may have been begun before, and not come to its end.
            Some(before) if before.socket == p2p && before.values.len() == SETTINGS.len() => {
                self.settings();
            }
            _ => {
                self.before = Some(Before {
                    socket: p2p.clone(),
                    values: Vec::new(),
                });
                for name in SETTINGS {
                    self.ask(&p2p, Command::Get(name), Why::Before(name));
                }
            }
        }
    }

    pub(super) fn was(&mut self, name: &'static str, reply: &str) {
        if let Some(before) = &mut self.before {
            let value = match Outcome::parse(reply) {
                Outcome::Done => reply.trim_end_matches('\n').to_owned(),
                // Never set: the empty text is as near to that as wpa_supplicant lets one come.
                _ if name != "p2p_intra_bss" => String::new(),
                _ => "1".to_owned(),
            };
            before.values.push((name.to_owned(), value));
            if before.values.len() == SETTINGS.len() {
                self.settings();
            }
        }
    }

    fn settings(&mut self) {
        self.effects.push_back(Effect::Keep(self.before.clone()));
        let Phase::Preparing { place, found } = &self.phase else {
            return;
        };
        let (place, found) = (place.clone(), found.clone());
        let p2p = place.p2p.clone();
        let name = &self.wanted.name;
        let name = name[..name.floor_char_boundary(MAX_DEVICE_NAME_LEN)].to_owned();
        // Where the radio cannot be on two channels, wpa_supplicant would rather switch the person's network off than
        // end a group. This cannot be read, and so not put back; without groups it means nothing.
        self.ask(&p2p, Command::P2pSet("conc_pref", "sta"), Why::Ignored);
        // Guests have no business with each other: the last setting keeps the group from passing on between them.
        let values = [name.as_str(), "OfficeOS", "virtual_push_button", "0"];
        for (key, value) in SETTINGS.into_iter().zip(values) {
            self.ask(&p2p, Command::Set(key, value.to_owned()), Why::Ignored);
        }
        match found {
            Some(running) => self.up(place, running),
            None => self.ask(&p2p, Command::AddNetwork, Why::Added),
        }
    }

    pub(super) fn added(&mut self, reply: &str) {
        let Phase::Preparing { place, .. } = &self.phase else {
            return;
        };
        let place = place.clone();
        let (p2p, interface) = (&place.p2p, &place.interface);
        let Ok(id) = reply.trim_end().parse() else {
            return self.elsewhere(Trouble::Refused(interface.clone()));
        };
        self.block = Some((p2p.clone(), id));
        let mut fields = vec![
            Setting::Ssid(self.identity.ssid.as_bytes().to_vec()),
            Setting::Psk(Secret(self.identity.passphrase.clone())),
        ];
        fields.extend(Setting::wpa2());
        // wpa_supplicant knows its persistent groups by SSID and owner, and would add a second block beside ours.
        let owner = place
            .device
            .map(|device| Setting::Plain("bssid", device.to_string()));
        fields.extend(owner);
        fields.push(Setting::Plain("mode", "3".to_owned()));
        fields.push(Setting::Plain("disabled", "2".to_owned()));
        for field in fields {
            self.ask(p2p, Command::SetNetwork(id, field), Why::Field);
        }
        self.ask(interface, Command::ScanResults, Why::Air);
    }

    pub(super) fn field(&mut self, reply: &str) {
        if !Outcome::parse(reply).is_done()
            && let Phase::Preparing { place, .. } = &self.phase
        {
            let trouble = Trouble::Refused(place.interface.clone());
            self.elsewhere(trouble);
        }
    }

    /// Everything is set: tries the frequencies, likeliest first.
    pub(super) fn air(&mut self, reply: &str) {
        let Phase::Preparing { place, .. } = &self.phase else {
            return;
        };
        let place = place.clone();
        let mut left = VecDeque::new();
        // Beside a network the radio has to be on its channel; then where handhelds remember the group.
        let firsts = [
            place.station,
            self.wanted.frequency,
            self.identity.frequency,
        ];
        for mhz in firsts
            .into_iter()
            .flatten()
            .chain(quietest_first(&scan_results(reply)))
        {
            if !left.contains(&mhz) && (place.allowed.is_empty() || place.allowed.contains(&mhz)) {
                left.push_back(mhz);
            }
        }
        self.phase = Phase::Starting {
            place,
            left,
            agreed: false,
            until: self.now + START_TIMEOUT,
        };
        self.try_next();
    }

    fn try_next(&mut self) {
        let (now, block) = (self.now, self.block.clone());
        let Phase::Starting {
            place,
            left,
            agreed,
            until,
        } = &mut self.phase
        else {
            return;
        };
        (*agreed, *until) = (false, now + START_TIMEOUT);
        match (left.pop_front(), block) {
            (Some(frequency), Some((p2p, id))) => {
                self.ask(&p2p, Command::P2pGroupAdd(id, Some(frequency)), Why::Start);
            }
            _ => {
                let interface = place.interface.clone();
                let trouble = match place.station {
                    Some(station) => Trouble::Busy(interface, station),
                    None => Trouble::Refused(interface),
                };
                self.elsewhere(trouble);
            }
        }
    }

    pub(super) fn start_said(&mut self, reply: &str) {
        if Outcome::parse(reply).is_done() {
            if let Phase::Starting { agreed, .. } = &mut self.phase {
                *agreed = true;
            }
        } else {
            self.try_next();
        }
    }

    pub(super) fn event_starting(&mut self, event: &Event) {
        match event {
            Event::GroupStarted(started)
                if started.role == Role::Owner && self.is_ours(&started.ssid) =>
            {
                if let Phase::Starting { place, .. } = &self.phase {
                    let (place, frequency) = (place.clone(), started.frequency);
                    self.queue.clear();
                    self.up(
                        place,
                        Running {
                            interface: started.interface.clone(),
                            frequency,
                        },
                    );
                }
            }
            Event::GroupFormationFailed => self.try_next(),
            // One that was asked for is that of an older group.
            Event::GroupRemoved { reason, .. } if reason != "REQUESTED" => self.try_next(),
            _ => {}
        }
    }

    /// Puts this interface back and goes on with the next one, or gives up for a while.
    fn elsewhere(&mut self, trouble: Trouble) {
        self.drop_jobs();
        let other = self.others.pop_front();
        if other.is_none() {
            self.rest(Some(trouble));
        }
        self.put_back();
        if let Some(place) = other {
            self.prepare(place);
        }
    }

    /// The numbers of network blocks with our SSID.
    pub(super) fn ours(&self, reply: &str) -> Vec<u32> {
        let rows = networks(reply).into_iter();
        rows.filter(|row| row.ssid == self.identity.ssid.as_bytes())
            .map(|row| row.id)
            .collect()
    }

    pub(super) fn is_ours(&self, ssid: &[u8]) -> bool {
        ssid == self.identity.ssid.as_bytes()
    }
}
