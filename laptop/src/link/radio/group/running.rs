//! A group that is up, and leaving it.

use super::preparing::SETTINGS;
use super::{
    Answers, Effect, Group, LEAVE_TIMEOUT, LOOK_INTERVAL, PUSH_AGE, PUSH_ECHO, Phase,
    REMOVED_PAUSE, Running, SETTLE, WALK_TIME, Why, YIELD, is_group,
};
use crate::link::radio::probe::GROUP_OWNER;
use shared_proto::supplicant::{Command, Event, Mac, Role, State, Status};

impl Group {
    pub(super) fn up(&mut self, place: Answers, running: Running) {
        let mut heard = vec![place.p2p.clone()];
        for socket in [&place.interface, &running.interface] {
            let there = self.world.socket(socket).is_some() || *socket == running.interface;
            if there && !heard.contains(socket) {
                heard.push(socket.clone());
            }
        }
        self.hear(heard);
        self.stood = Some(running.interface.clone());
        self.pending = None;
        self.phase = Phase::Up {
            place,
            running,
            since: self.now,
            look_at: self.now + LOOK_INTERVAL,
            open_at: None,
        };
        self.open();
        self.push_again();
    }

    /// Asks for the socket, and remembers where the group is.
    pub(super) fn open(&mut self) {
        let Phase::Up {
            running, open_at, ..
        } = &mut self.phase
        else {
            return;
        };
        *open_at = None;
        let running = running.clone();
        self.fallen = false;
        self.tell(None);
        self.effects
            .push_back(Effect::Open(running.interface, running.frequency));
        self.remember(running.frequency);
    }

    fn remember(&mut self, frequency: u16) {
        if self.identity.frequency != Some(frequency) {
            self.identity.frequency = Some(frequency);
            self.effects.push_back(Effect::Store(self.identity.clone()));
        }
    }

    /// The group is on this frequency.
    fn moved(&mut self, frequency: u16) {
        if let Phase::Up { running, .. } = &mut self.phase
            && ![0, running.frequency].contains(&frequency)
        {
            running.frequency = frequency;
            self.effects.push_back(Effect::Moved(frequency));
            self.remember(frequency);
        }
    }

    pub(super) fn look(&mut self) {
        let again = self.now + LOOK_INTERVAL;
        if let Phase::Up {
            running, look_at, ..
        } = &mut self.phase
        {
            *look_at = again;
            let socket = running.interface.clone();
            self.ask(&socket, Command::Status, Why::Look);
        }
    }

    pub(super) fn looked(&mut self, reply: &str) {
        if !matches!(self.phase, Phase::Up { .. }) {
            return;
        }
        let status = Status::parse(reply);
        if status.mode == GROUP_OWNER
            && status.state == State::Completed
            && self.is_ours(&status.ssid)
        {
            self.failures = 0;
            self.moved(status.frequency);
        } else {
            self.rest(None);
        }
    }

    pub(super) fn event_up(&mut self, socket: &str, event: &Event) {
        let Phase::Up { running, .. } = &self.phase else {
            return;
        };
        let on_group = socket == running.interface;
        match event {
            Event::GroupRemoved {
                interface, reason, ..
            } if *interface == running.interface => match reason.as_str() {
                "FREQ_CONFLICT" => self.make_way(YIELD),
                "REQUESTED" => self.make_way(REMOVED_PAUSE),
                _ => self.rest(None),
            },
            Event::GroupStarted(started) if started.interface == running.interface => {
                self.moved(started.frequency)
            }
            Event::ChannelSwitch { frequency } | Event::ChannelSwitchFinished { frequency }
                if on_group =>
            {
                self.moved(*frequency)
            }
            // Whether it stands is soon known, but what these say of it differs from driver to driver.
            Event::ApDisabled | Event::InterfaceDisabled if on_group => self.look(),
            Event::ProvDiscPbcRequest(request) => self.pushed_by(request.device),
            _ => {}
        }
    }

    /// A change on the station's side may be what was waited for.
    pub(super) fn event_resting(&mut self, event: &Event) {
        if let Event::GroupStarted(started) = event
            && started.role == Role::Owner
            && self.is_ours(&started.ssid)
        {
            // It came too late, and is taken over as soon as its socket is there.
            (self.stood, self.pending) = (Some(started.interface.clone()), None);
            self.phase = Phase::Resting {
                until: self.now + SETTLE,
            };
            return;
        }
        let looks = match event {
            Event::Connected { .. } => true,
            Event::Disconnected { .. } => self.trouble.is_some(),
            _ => false,
        };
        if looks {
            self.begin();
        }
    }

    /// A handheld asks to join by push button.
    fn pushed_by(&mut self, device: Mac) {
        if self.window.is_some() {
            self.push(device);
        } else {
            // The person may be about to open the window on this side. Another device does not take the first one's place.
            match self.pushed {
                Some((first, at)) if first != device && at + PUSH_AGE > self.now => {
                    self.effects.push_back(Effect::Crowded(device));
                }
                _ => self.pushed = Some((device, self.now)),
            }
        }
    }

    /// Takes up a push that came before the group or the window was there, if it is young enough.
    pub(super) fn push_again(&mut self) {
        if let Some((device, at)) = self.pushed
            && self.window.is_some()
            && at + PUSH_AGE > self.now
        {
            self.push(device);
        }
    }

    /// Lets this handheld, and no other, have the passphrase.
    pub(super) fn push(&mut self, device: Mac) {
        if let Phase::Up { running, .. } = &self.phase {
            let socket = running.interface.clone();
            self.pushed = None;
            match self.pushing {
                Some((known, at)) if known == device && at + PUSH_ECHO > self.now => return,
                // One at a time, as with two buttons pushed at once: the first is the person's more likely than a later
                // one, which would otherwise put it out.
                Some((known, at)) if known != device && at + WALK_TIME > self.now => {
                    self.effects.push_back(Effect::Crowded(device));
                    return;
                }
                _ => {}
            }
            self.pushing = Some((device, self.now));
            self.ask(&socket, Command::WpsPbc(Some(device)), Why::Ignored);
        }
    }

    pub(super) fn close_window(&mut self) {
        self.window = None;
        if let Phase::Up { running, .. } = &self.phase
            && self.pushing.is_some()
        {
            let socket = running.interface.clone();
            self.ask(&socket, Command::WpsCancel, Why::Ignored);
        }
        self.pushing = None;
    }

    /// Removes the group and puts everything back.
    pub(super) fn leave(&mut self) {
        if matches!(self.phase, Phase::Leaving { .. } | Phase::Done) {
            return;
        }
        self.close_window();
        self.pushed = None;
        self.others.clear();
        self.drop_jobs();
        let pending = self.pending.take();
        let pending = pending
            .filter(|(p2p, until)| *until > self.now && self.world.socket(p2p).is_some())
            .map(|(p2p, _)| p2p);
        let expecting =
            pending.is_some() || matches!(self.phase, Phase::Starting { agreed: true, .. });
        if let Some(p2p) = pending {
            self.hear(vec![p2p]);
        }
        // Groups that nobody looks after: of a rest, or of a process that was killed.
        let mut left: Vec<_> = self.stood.take().into_iter().collect();
        let groups = self.world.sockets.iter().map(|socket| &socket.name);
        left.extend(groups.filter(|name| is_group(name)).cloned());
        match &self.phase {
            Phase::Up { place, running, .. } => {
                let (p2p, interface) = (place.p2p.clone(), running.interface.clone());
                left.retain(|name| *name != interface);
                self.effects.push_back(Effect::Close);
                self.ask(&p2p, Command::P2pGroupRemove(interface), Why::Ignored);
            }
            Phase::Preparing { place, .. } if place.owner => left.push(place.interface.clone()),
            _ => {}
        }
        left.sort();
        left.dedup();
        for name in left {
            // A supplicant that ends is not asked. A socket that is not known here may be newer than the last look around.
            let known = self.world.socket(&name);
            if known.is_none_or(|socket| !self.ending.contains(&socket.id)) {
                self.ask(&name, Command::Status, Why::Leftover(name.clone()));
            }
        }
        self.put_back();
        self.phase = Phase::Leaving {
            until: self.now + LEAVE_TIMEOUT,
            expecting,
        };
    }

    pub(super) fn event_leaving(&mut self, socket: &str, event: &Event) {
        if let Event::GroupStarted(started) = event
            && started.role == Role::Owner
            && self.is_ours(&started.ssid)
        {
            self.ask(
                socket,
                Command::P2pGroupRemove(started.interface.clone()),
                Why::Ignored,
            );
            if let Phase::Leaving { expecting, .. } = &mut self.phase {
                *expecting = false;
            }
        }
    }

    /// Asks for everything that was changed to be as it was. What an earlier process changed counts as ours.
    pub(super) fn put_back(&mut self) {
        let before = self.before.take();
        let block = self.block.take().map(|(p2p, _)| p2p);
        let changed = before.as_ref().map(|before| before.socket.clone());
        for p2p in block
            .iter()
            .chain(changed.iter().filter(|p2p| block.as_ref() != Some(*p2p)))
        {
            if self.world.socket(p2p).is_some() {
                // By SSID: wpa_supplicant may have made a copy of our block.
                self.ask(p2p, Command::ListNetworks, Why::Sweep(p2p.clone()));
            }
        }
        let Some(before) = before.filter(|before| self.world.socket(&before.socket).is_some())
        else {
            return;
        };
        for (name, value) in before.values {
            // A file from another version may name what this one does not know.
            if let Some(name) = SETTINGS.into_iter().find(|known| *known == name) {
                self.ask(&before.socket, Command::Set(name, value), Why::PutBack);
            }
        }
        if let Some(last) = self.queue.back_mut()
            && last.why == Why::PutBack
        {
            last.why = Why::Restored;
        }
    }

    /// Removes a group of ours that is not looked after.
    pub(super) fn leftover(&mut self, interface: String, reply: &str) {
        let status = Status::parse(reply);
        if status.mode == GROUP_OWNER && self.is_ours(&status.ssid) {
            self.remove(interface);
            if let Phase::Leaving { expecting, .. } = &mut self.phase {
                *expecting = false;
            }
        }
    }

    /// Has a group removed through the P2P socket of its radio.
    pub(super) fn remove(&mut self, group: String) {
        let p2p = self
            .parent(&group)
            .and_then(|parent| self.world.p2p_socket(parent))
            .map_or_else(|| group.clone(), |socket| socket.name.clone());
        self.ask_first(&p2p, Command::P2pGroupRemove(group), Why::PutBack);
    }

    /// The interface that a group's is named after: `p2p-IF-N`. Where that is too long for a name, it is `p2p-N`.
    pub(super) fn parent(&self, group: &str) -> Option<&str> {
        let (parent, _) = group.strip_prefix("p2p-")?.rsplit_once('-')?;
        let interfaces = self.world.interfaces.iter();
        interfaces.map(String::as_str).find(|name| *name == parent)
    }

    pub(super) fn sweep(&mut self, p2p: &str, reply: &str) {
        for id in self.ours(reply) {
            self.ask_first(p2p, Command::RemoveNetwork(id), Why::PutBack);
        }
    }

    pub(super) fn finish(&mut self) {
        if !matches!(self.phase, Phase::Done) {
            self.queue.clear();
            self.phase = Phase::Done;
            self.hear(Vec::new());
            self.effects.extend([Effect::Keep(None), Effect::Done]);
        }
    }

    pub(super) fn is_p2p(&self, socket: &str) -> bool {
        match &self.phase {
            Phase::Preparing { place, .. }
            | Phase::Starting { place, .. }
            | Phase::Up { place, .. } => place.p2p == socket,
            _ => false,
        }
    }
}
