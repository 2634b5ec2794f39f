//! Putting back what joins changed: at the end, after a crash, and after a supplicant did not answer for a while.

use shared_proto::supplicant::{Command, NetworkRow};

use super::Effect;
use super::held::{Held, Known};
use super::line::Step;
use super::machine::{Gate, Machine};

impl Machine {
    pub(super) fn remember(&mut self) {
        let kept: Vec<Held> = self
            .leftover
            .iter()
            .chain(&self.returning)
            .chain(&self.held)
            .filter(|held| !held.is_empty())
            .cloned()
            .collect();
        self.effects.push(Effect::Remember(kept));
    }

    /// Puts back what a run before this one left, or what could not be put back while nobody answered.
    pub(super) fn repair(&mut self, port: &str, networks: &[NetworkRow]) {
        let Some(at) = self.leftover.iter().position(|held| held.interface == port) else {
            return;
        };
        let left = self.leftover.remove(at);
        let is = |known: &Known| {
            let same = |row: &NetworkRow| row.id == known.id && row.ssid == known.ssid;
            networks.iter().any(same)
        };
        let still = Held {
            interface: left.interface,
            own: left.own.filter(&is),
            others: left.others.into_iter().filter(&is).collect(),
            group: left.group,
        };
        self.retreat(&still);
        self.returning.push(still);
    }

    /// Notes a group of ours on this interface, so that also a crash does not leave it behind.
    pub(super) fn note_group(&mut self, interface: &str, group: &str) {
        let group = Some(group.to_owned());
        match self
            .held
            .iter_mut()
            .find(|held| held.interface == interface)
        {
            Some(held) => held.group = group,
            None => self.held.push(Held {
                interface: interface.to_owned(),
                group,
                ..Held::default()
            }),
        }
        self.remember();
    }

    /// A group is gone, or about to go as asked.
    pub(super) fn forget_group(&mut self, group: &str) {
        let ours = |held: &&mut Held| held.group.as_deref() == Some(group);
        if let Some(held) = self.held.iter_mut().find(ours) {
            held.group = None;
            self.held.retain(|held| !held.is_empty());
            self.remember();
        }
    }

    /// Whether what was left on this interface can be put back now.
    pub(super) fn is_mendable(&self, held: &Held) -> bool {
        let name = &held.interface;
        self.candidates().contains(name) && self.is_usable(name)
    }

    /// Writes down that what was put back is: every request was answered.
    pub(super) fn returned(&mut self) {
        if self.line.is_empty() && !self.returning.is_empty() {
            self.returning.clear();
            self.remember();
        }
    }

    /// Removes our network and enables what was enabled before, on this interface.
    pub(super) fn retreat(&mut self, held: &Held) {
        let port = &held.interface;
        if let Some(group) = &held.group {
            // One that is gone already is refused, which says the same.
            self.ask(port, Command::P2pGroupRemove(group.clone()), Step::Ignore);
        }
        if let Some(own) = &held.own {
            self.ask(port, Command::RemoveNetwork(own.id), Step::Ignore);
        }
        for other in &held.others {
            self.ask(port, Command::EnableNetwork(other.id), Step::Ignore);
        }
        if !held.others.is_empty() {
            self.ask(port, Command::Reconnect, Step::Ignore);
        }
    }

    /// Puts everything back, socket by socket, then says so.
    pub(super) fn settle_leaving(&mut self) {
        for held in std::mem::take(&mut self.held) {
            let port = held.interface.clone();
            match self.gates.get(&port) {
                Some(Gate::Open) => {
                    self.retreat(&held);
                    self.returning.push(held);
                }
                Some(Gate::Opening(_)) => self.held.push(held),
                None if self.has_port(&port) => {
                    self.open(port);
                    self.held.push(held);
                }
                // The next run may find somebody who answers.
                Some(Gate::Denied(_)) => self.leftover.push(held),
                // Nobody is there to be told.
                None => {}
            }
        }
        let mut opening = false;
        for held in self.leftover.clone() {
            let port = held.interface.clone();
            if self.is_mendable(&held) && self.has_port(&port) && !self.gates.contains_key(&port) {
                self.open(port.clone());
            }
            opening |= matches!(self.gates.get(&port), Some(Gate::Opening(_)));
        }
        self.effects.extend(self.line.start(self.now));
        if self.line.is_empty() && self.held.is_empty() && !opening {
            self.returning.clear();
            self.remember();
            self.effects.push(Effect::Left);
            self.leaving = false;
            self.resting = true;
        }
    }
}
