//! A first join at the push of a button: Wi-Fi Direct does it, and what it learns is the network of every later join.

use shared_proto::supplicant::{Command, Group, Mac, Role, Status};

use super::line::Step;
use super::look::parent;
use super::machine::{Gate, Machine};
use super::stage::{Stage, Wish};
use super::{Effect, Place};
use crate::app::model::laptop::{Nearby, Network};

/// How long a person has for the button on the laptop, in milliseconds.
const PUSH_MS: u64 = 120_000;

/// How soon a push is tried again that failed, for example because the button was not pressed yet.
const AGAIN_MS: u64 = 1_500;

/// How long the interface of a group may take to be ready.
const GROUP_MS: u64 = 8_000;

impl Machine {
    pub(super) fn push(&mut self, interface: &str, device: Mac, nearby: &Nearby) {
        if self.is_up() {
            self.part();
        }
        self.finding = None;
        let port = self.p2p_port(interface);
        let frequency = (nearby.frequency != 0).then_some(nearby.frequency);
        self.ask(&port, Command::P2pJoin(device, frequency), Step::Connect);
        let until = match &self.stage {
            Stage::Pushing { until, .. } => *until,
            _ => self.now + PUSH_MS,
        };
        self.stage = Stage::Pushing {
            port,
            until,
            again: None,
        };
    }

    /// Asks once more in a moment: the button was not pressed yet, or the device has to be found again.
    pub(super) fn push_again(&mut self) {
        if let Stage::Pushing { port, again, .. } = &mut self.stage {
            *again = Some(self.now + AGAIN_MS);
            let port = port.clone();
            if !self.line.has(&Step::Find) {
                self.ask(&port, Command::P2pFindSocial, Step::Find);
            }
        }
    }

    /// Ends a push that waits for its button. It may be too late for that: the group is then ended as it starts.
    pub(super) fn cancel_push(&mut self) {
        if let Stage::Pushing { port, .. } = &self.stage {
            let port = port.clone();
            self.ask(&port, Command::P2pCancel, Step::Ignore);
            self.unwanted = Some((port, self.now + GROUP_MS));
            self.stage = Stage::Idle;
        }
    }

    pub(super) fn group_started(&mut self, port: &str, group: &Group) {
        if group.role != Role::Client || self.stage.group() == Some(group.interface.as_str()) {
            return;
        }
        // A group that somebody else on this device made is none of ours to end.
        let wanted = match &self.wish {
            Some(Wish::Push { nearby, .. }) => nearby.device == Some(group.owner.0),
            _ => false,
        };
        if !wanted || !matches!(self.stage, Stage::Pushing { .. }) {
            if self.unwanted.take_if(|(at, _)| at == port).is_some() {
                let command = Command::P2pGroupRemove(group.interface.clone());
                self.ask(port, command, Step::Ignore);
            }
            return;
        }
        let key = group.psk.as_ref().or(group.passphrase.as_ref());
        let network = Network {
            ssid: group.ssid.clone(),
            passphrase: key.map(|key| key.0.clone()).unwrap_or_default(),
            frequency: group.frequency,
            port: 0,
        };
        let name = group.interface.clone();
        self.note_group(&parent(port), &name);
        self.effects.push(Effect::Prepare(name.clone()));
        if !self.gates.contains_key(&name) {
            // It may be there before the system shows it.
            self.effects.push(Effect::Open(name.clone()));
            self.gates
                .insert(name.clone(), Gate::Opening(self.now + GROUP_MS));
        }
        self.stage = Stage::Grouped {
            port: port.to_owned(),
            group: name,
            network,
            asked: false,
            until: self.now + GROUP_MS,
        };
    }

    pub(super) fn grouped(&mut self, port: &str, text: &str) {
        let Stage::Grouped { group, network, .. } = &self.stage else {
            return;
        };
        let Some(bssid) = Status::parse(text).bssid.filter(|_| group == port) else {
            return;
        };
        let (group, network) = (group.clone(), network.clone());
        let place = Place {
            interface: group.clone(),
            bssid: bssid.0,
            network,
        };
        self.up(port, Some(group), place);
    }

    /// Ends a group that is not joined any more.
    pub(super) fn leave_group(&mut self) {
        if let Stage::Grouped { port, group, .. } = &self.stage {
            let (port, group) = (port.clone(), group.clone());
            self.ask(&port, Command::P2pGroupRemove(group.clone()), Step::Ignore);
            self.stage = Stage::Idle;
            self.forget_group(&group);
        }
    }

    pub(super) fn remove_group(&mut self, group: &str) {
        let ports: Vec<String> = self
            .candidates()
            .into_iter()
            .filter(|name| self.is_open(name))
            .collect();
        if let Some(name) = ports.first() {
            let command = Command::P2pGroupRemove(group.to_owned());
            self.ask(name, command, Step::Ignore);
            self.forget_group(group);
        }
    }
}
