//! The machine that keeps the group up. Pure: what the laptop has, what wpa_supplicant says and answers, and the time
//! go in; what to ask, hear, open and tell, and a deadline come out.
//!
//! ```text
//! resting ─world, deadline▶ asking ─fit▶ preparing ▶ starting ─P2P-GROUP-STARTED▶ up
//!    ▲            │ none can        │ fails              │ refused, too late      │ removed, lost
//!    └────────────┴─────────────────┴────────────────────┴────────────────────────┘
//! each ─stop▶ leaving ▶ done
//! ```
//!
//! A question is answered before the next is asked: whoever drives it calls [`Group::poll`] until there is nothing
//! left, and after [`Effect::Ask`] calls [`Group::reply`] before anything else.
//!
//! wpa_supplicant's side is in its `README-P2P`, `ctrl_iface` documentation and `src/common/wpa_ctrl.h`. The network
//! block is ours (`disabled=2`, `mode=3`), because a group that it makes itself has a new SSID and passphrase each time.

mod asking;
#[cfg(any(test, feature = "fuzzing"))]
pub mod driven;
mod phase;
mod preparing;
mod running;
#[cfg(test)]
pub(super) mod tests;

use super::check;
use super::identity::Identity;
use super::probe::Answers;
use super::trouble::Trouble;
use super::world::World;
use phase::{Job, Phase, Running, Why};
use serde::{Deserialize, Serialize};
use shared_proto::supplicant::{Command, Event, Line, Mac};
use std::collections::VecDeque;

/// Pause after the first failure, in milliseconds; it doubles each time.
const FIRST_PAUSE: u64 = 400;
/// Pause after a group was removed as asked, though not by this process, in milliseconds. A wpa_supplicant that ends
/// removes its groups first, then says that it ends, and answers nothing any more.
const REMOVED_PAUSE: u64 = 1_000;
/// How long the laptop has to stay as it is before it is looked into, in milliseconds: a supplicant's sockets come and
/// go one after another.
const SETTLE: u64 = 250;
/// How long a station has to join before a group that was in its way is made again elsewhere, in milliseconds.
const YIELD: u64 = 10_000;
/// How long a group has to have stood so that its end is no failed attempt, in milliseconds.
const STOOD: u64 = 2_000;
/// Longest pause after a group has fallen, and while the radio is switched off, in milliseconds: not every user may watch
/// the switch.
const SHORT_PAUSE: u64 = 5_000;
/// Longest pause between attempts that end in trouble, in milliseconds.
const LONGEST_PAUSE: u64 = 30_000;
/// How long wpa_supplicant has to start a group that it agreed to, in milliseconds: on 5 GHz it may scan first.
const START_TIMEOUT: u64 = 15_000;
/// How often a running group is looked at, in milliseconds. A killed wpa_supplicant says nothing.
const LOOK_INTERVAL: u64 = 10_000;
/// How long a handheld's push counts that comes before the window opens, in milliseconds: it gives up after that.
const PUSH_AGE: u64 = 20_000;
/// How long the same request may come again without being another, in milliseconds: handhelds send it twice.
const PUSH_ECHO: u64 = 1_000;
/// How long a push button counts, in milliseconds (Wi-Fi Simple Configuration 2.0.7, 11.3: walk time).
const WALK_TIME: u64 = 120_000;
/// How long leaving may take in all, in milliseconds.
const LEAVE_TIMEOUT: u64 = 4_000;
/// Pause before the socket is opened again that could not be, in milliseconds.
const OPEN_PAUSE: u64 = 5_000;

/// What is wanted.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    /// The interface, if one is named.
    pub interface: Option<String>,
    /// Name that handhelds show.
    pub name: String,
    /// Frequency in MHz, where the laptop is on no network.
    pub frequency: Option<u16>,
}

/// Settings of wpa_supplicant as they were before this process changed them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Before {
    /// The control socket that they were read from.
    pub socket: String,
    /// Names and values.
    pub values: Vec<(String, String)>,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Effect {
    /// Ask the control socket of this name, and give the answer to [`Group::reply`].
    Ask(String, Command),
    /// Hear the events of exactly these control sockets.
    Hear(Vec<String>),
    /// The group is up: open a socket on this interface, and tell it with this frequency in MHz.
    Open(String, u16),
    /// The group is on another frequency, in MHz.
    Moved(u16),
    /// The group is gone: close its socket, and tell that.
    Close,
    /// This device pushes its button while another is let in: it is not.
    Crowded(Mac),
    /// Tell what is wrong, or that nothing is any more.
    Tell(Option<Trouble>),
    /// Keep the identity, which has changed.
    Store(Identity),
    /// Keep what has to be put back even after this process was killed; `None`: nothing any more.
    Keep(Option<Before>),
    /// Everything is put back.
    Done,
}

/// The machine.
#[derive(Debug)]
pub(super) struct Group {
    wanted: Wanted,
    identity: Identity,
    world: World,
    phase: Phase,
    /// Candidates that are left after the one in use.
    others: VecDeque<Answers>,
    queue: VecDeque<Job>,
    /// What was asked last, and where.
    asked: Option<(String, Why)>,
    effects: VecDeque<Effect>,
    before: Option<Before>,
    /// Our network block: control socket and number.
    block: Option<(String, u32)>,
    trouble: Option<Trouble>,
    /// Control sockets of a wpa_supplicant that is about to end: asking it would take ten seconds.
    ending: Vec<(u64, i64)>,
    failures: u32,
    /// The interface on which a group of ours was last.
    stood: Option<String>,
    /// The P2P socket of a group that was to start and never said to have, and until when it may still come up.
    pending: Option<(String, u64)>,
    /// A group has stood, and nothing has been tried since.
    fallen: bool,
    window: Option<u64>,
    pushed: Option<(Mac, u64)>,
    /// Who was let in last, and when.
    pushing: Option<(Mac, u64)>,
    now: u64,
}

impl Group {
    /// A machine that has done nothing yet. `before`: what an earlier process that was killed had to put back.
    pub(super) fn new(wanted: Wanted, identity: Identity, before: Option<Before>) -> Self {
        Self {
            wanted,
            identity,
            world: World::default(),
            phase: Phase::Resting { until: 0 },
            others: VecDeque::new(),
            queue: VecDeque::new(),
            asked: None,
            effects: VecDeque::new(),
            before,
            block: None,
            trouble: None,
            ending: Vec::new(),
            failures: 0,
            stood: None,
            pending: None,
            fallen: false,
            window: None,
            pushed: None,
            pushing: None,
            now: 0,
        }
    }

    /// How a handheld joins.
    pub(super) fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The next thing to be done.
    pub(super) fn poll(&mut self) -> Option<Effect> {
        if let Some(effect) = self.effects.pop_front() {
            return Some(effect);
        }
        if self.asked.is_some() {
            return None;
        }
        let job = self.queue.pop_front()?;
        self.asked = Some((job.socket.clone(), job.why));
        Some(Effect::Ask(job.socket, job.command))
    }

    /// When [`Group::tick`] has to be called at the latest, in milliseconds.
    pub(super) fn deadline(&self) -> Option<u64> {
        let phase = match &self.phase {
            Phase::Resting { until }
            | Phase::Starting { until, .. }
            | Phase::Leaving { until, .. } => Some(*until),
            Phase::Up {
                look_at, open_at, ..
            } => Some(open_at.map_or(*look_at, |open_at| open_at.min(*look_at))),
            Phase::Asking { .. } | Phase::Preparing { .. } | Phase::Done => None,
        };
        phase.into_iter().chain(self.window).min()
    }

    /// Time has passed.
    pub(super) fn tick(&mut self, now: u64) {
        self.now = self.now.max(now);
        let now = self.now;
        if self.window.is_some_and(|until| until <= now) {
            self.close_window();
        }
        if self.pushed.is_some_and(|(_, at)| at + PUSH_AGE <= now) {
            self.pushed = None;
        }
        match &mut self.phase {
            Phase::Resting { until } if *until <= now => self.begin(),
            Phase::Starting { place, until, .. } if *until <= now => {
                let trouble = Trouble::Refused(place.interface.clone());
                self.rest(Some(trouble));
            }
            Phase::Up {
                open_at: Some(open_at),
                ..
            } if *open_at <= now => self.open(),
            Phase::Up { look_at, .. } if *look_at <= now => self.look(),
            Phase::Leaving { until, .. } if *until <= now => self.finish(),
            _ => {}
        }
    }

    /// What the laptop has now.
    pub(super) fn world(&mut self, world: World, now: u64) {
        self.now = self.now.max(now);
        let before = std::mem::replace(&mut self.world, world);
        self.ending
            .retain(|id| self.world.sockets.iter().any(|socket| socket.id == *id));
        let same = |name: &str| {
            self.world.socket(name).map(|socket| socket.id)
                == before.socket(name).map(|socket| socket.id)
        };
        let renewed =
            |place: &Answers| !same(&place.p2p) && self.world.socket(&place.p2p).is_some();
        match &self.phase {
            // Not the first one: what is there then was there before.
            Phase::Resting { until: 1.. }
                if telling(&before, self.wanted.interface.as_deref())
                    != telling(&self.world, self.wanted.interface.as_deref()) =>
            {
                self.phase = Phase::Resting {
                    until: self.now + SETTLE,
                };
            }
            Phase::Preparing { place, .. }
            | Phase::Starting { place, .. }
            | Phase::Up { place, .. }
                if renewed(place) =>
            {
                self.lost();
                self.pending = None;
                // There is a new supplicant to be asked already.
                self.phase = Phase::Resting {
                    until: self.now + SETTLE,
                };
            }
            Phase::Preparing { place, .. } | Phase::Starting { place, .. } if !same(&place.p2p) => {
                self.lost()
            }
            Phase::Up { place, running, .. }
                if !same(&place.p2p) || self.world.socket(&running.interface).is_none() =>
            {
                self.lost()
            }
            _ => {}
        }
        self.tick(now);
    }

    /// The answer to what was asked last; `None`: the socket is gone or silent.
    pub(super) fn reply(&mut self, reply: Option<&str>, now: u64) {
        self.now = self.now.max(now);
        let Some((socket, why)) = self.asked.take() else {
            return;
        };
        match reply {
            Some(reply) => self.answered(why, reply),
            None => self.unanswered(&socket, why),
        }
        self.settle();
        self.tick(now);
    }

    /// A line that the control socket `socket` sent by itself.
    pub(super) fn line(&mut self, socket: &str, line: &Line, now: u64) {
        self.now = self.now.max(now);
        self.event(socket, &line.event);
        self.settle();
        self.tick(now);
    }

    /// Lets handhelds join by push button until `until`; `None` ends it.
    pub(super) fn window(&mut self, until: Option<u64>, now: u64) {
        self.now = self.now.max(now);
        match until {
            Some(until) if until > self.now => {
                self.window = Some(until);
                self.push_again();
            }
            _ => self.close_window(),
        }
        self.tick(now);
    }

    /// Removes the group and puts everything back; [`Effect::Done`] says when that is done.
    pub(super) fn stop(&mut self, now: u64) {
        self.now = self.now.max(now);
        self.leave();
        self.settle();
    }

    /// The socket that [`Effect::Open`] asked for could not be opened.
    pub(super) fn unopened(&mut self, trouble: Trouble) {
        let again = self.now + OPEN_PAUSE;
        if let Phase::Up { open_at, .. } = &mut self.phase {
            *open_at = Some(again);
            self.tell(Some(trouble));
        }
    }

    /// The events of this control socket cannot be heard.
    pub(super) fn deaf(&mut self, socket: &str, now: u64) {
        self.now = self.now.max(now);
        // Without those of the group's own socket it does: it is looked at now and then.
        if self.is_p2p(socket) {
            self.lost();
        }
    }

    fn ask(&mut self, socket: &str, command: Command, why: Why) {
        self.queue.push_back(Job {
            socket: socket.to_owned(),
            command,
            why,
        });
    }

    /// The same, before everything else that is to be asked.
    fn ask_first(&mut self, socket: &str, command: Command, why: Why) {
        self.queue.push_front(Job {
            socket: socket.to_owned(),
            command,
            why,
        });
    }

    fn hear(&mut self, sockets: Vec<String>) {
        // The names say nothing of whether the sockets are still the same ones.
        self.effects.push_back(Effect::Hear(sockets));
    }

    fn tell(&mut self, trouble: Option<Trouble>) {
        if self.trouble != trouble {
            self.trouble.clone_from(&trouble);
            self.effects.push_back(Effect::Tell(trouble));
        }
    }

    /// Gives up for a while, with the reason where one is known.
    fn rest(&mut self, trouble: Option<Trouble>) {
        self.down();
        self.drop_jobs();
        self.others.clear();
        if let Phase::Starting {
            place,
            agreed: true,
            ..
        } = &self.phase
        {
            self.pending = Some((place.p2p.clone(), self.now + START_TIMEOUT));
        }
        let longest = match trouble {
            None | Some(Trouble::Blocked(_)) => SHORT_PAUSE,
            Some(_) => LONGEST_PAUSE,
        };
        let pause = (FIRST_PAUSE << self.failures.min(10)).min(longest);
        self.failures = self.failures.saturating_add(1);
        self.phase = Phase::Resting {
            until: self.now + pause,
        };
        // A group that has just fallen is not always in trouble: supplicants and drivers are restarted.
        if trouble.is_some() && !std::mem::take(&mut self.fallen) {
            self.tell(trouble);
        }
    }

    /// The supplicant or the interface has gone. What was set there has gone with it.
    fn lost(&mut self) {
        self.block = None;
        self.hear(Vec::new());
        self.rest(None);
    }

    /// wpa_supplicant ends, or gives this interface up: its own socket and that of its P2P device.
    fn terminating(&mut self, socket: &str) {
        for interface in &self.world.interfaces {
            let pair = [
                self.world.socket(interface),
                self.world.p2p_socket(interface),
            ];
            if pair.iter().flatten().any(|known| known.name == socket) {
                self.ending
                    .extend(pair.into_iter().flatten().map(|known| known.id));
            }
        }
        if self.is_p2p(socket) {
            self.lost();
            self.pending = None;
        }
    }

    /// Forgets what was to be asked, but what puts back what was changed.
    fn drop_jobs(&mut self) {
        let Self {
            queue,
            world,
            ending,
            ..
        } = self;
        queue.retain(|job| {
            matches!(job.why, Why::PutBack | Why::Sweep(_) | Why::Restored)
                && world
                    .socket(&job.socket)
                    .is_some_and(|socket| !ending.contains(&socket.id))
        });
    }

    /// Rests, for so long that whatever removed the group can come to its end.
    fn make_way(&mut self, span: u64) {
        self.rest(None);
        if let Phase::Resting { until } = &mut self.phase {
            *until = (*until).max(self.now + span);
        }
    }

    /// Tells that the group is gone, if there was one.
    fn down(&mut self) {
        self.pushing = None;
        if let Phase::Up { since, .. } = self.phase {
            if since + STOOD <= self.now {
                self.failures = 0;
            }
            self.effects.push_back(Effect::Close);
            self.fallen = true;
        }
    }

    fn unanswered(&mut self, socket: &str, why: Why) {
        // It may have been taken all the same.
        if let (Phase::Starting { agreed, .. }, Why::Start) = (&mut self.phase, &why) {
            *agreed = true;
        }
        match (&self.phase, why) {
            // It would be silent to the rest as well, for seconds each.
            (Phase::Asking { .. }, Why::Question(..)) => self
                .queue
                .retain(|job| job.socket != socket || !matches!(job.why, Why::Question(..))),
            (Phase::Leaving { .. }, _) => {}
            // A group's own socket may go before its event has come.
            (_, Why::Existing(_) | Why::Passphrase(_) | Why::Leftover(_)) => {}
            // What has gone needs no putting back.
            (_, Why::Sweep(_) | Why::PutBack | Why::Restored) => {}
            (Phase::Up { .. }, Why::Ignored) => {}
            // No word of the air is no reason against any channel.
            (Phase::Preparing { .. }, Why::Air) => self.air(""),
            _ => self.lost(),
        }
    }

    fn answered(&mut self, why: Why, reply: &str) {
        match why {
            Why::Question(index, question) => self.learned(index, question, reply),
            Why::Existing(interface) => self.existing(interface, reply),
            Why::Passphrase(running) => self.passphrase(running, reply),
            Why::Blocks => self.blocks(reply),
            Why::Before(name) => self.was(name, reply),
            Why::Added => self.added(reply),
            Why::Field => self.field(reply),
            Why::Air => self.air(reply),
            Why::Start => self.start_said(reply),
            Why::Look => self.looked(reply),
            Why::Sweep(p2p) => self.sweep(&p2p, reply),
            Why::Leftover(interface) => self.leftover(interface, reply),
            // Nothing is left that a killed process would have to put back, unless more was changed since.
            Why::Restored
                if self.before.is_none() && !matches!(self.phase, Phase::Leaving { .. }) =>
            {
                self.effects.push_back(Effect::Keep(None));
            }
            Why::Restored | Why::PutBack | Why::Ignored => {}
        }
    }

    /// Goes on to the next phase where a phase's questions are all answered.
    fn settle(&mut self) {
        if !self.queue.is_empty() || self.asked.is_some() {
            return;
        }
        match &self.phase {
            Phase::Asking { .. } => self.choose(),
            Phase::Leaving {
                expecting: false, ..
            } => self.finish(),
            // No step of it ends without the next; should one, the whole is begun again.
            Phase::Preparing { .. } => self.rest(None),
            _ => {}
        }
    }

    fn event(&mut self, socket: &str, event: &Event) {
        if *event == Event::Terminating {
            return self.terminating(socket);
        }
        match &self.phase {
            Phase::Starting { .. } => self.event_starting(event),
            Phase::Up { .. } => self.event_up(socket, event),
            Phase::Leaving { .. } => self.event_leaving(socket, event),
            Phase::Resting { .. } => self.event_resting(event),
            Phase::Asking { .. } | Phase::Preparing { .. } | Phase::Done => {}
        }
    }
}

/// What of the world can end a rest: not the sockets of groups, which come and go with each attempt.
fn telling(world: &World, named: Option<&str>) -> impl PartialEq {
    let sockets: Vec<_> = world
        .sockets
        .iter()
        .filter(|socket| !is_group(&socket.name))
        .cloned()
        .collect();
    let interfaces: Vec<_> = check::candidates(world, named)
        .into_iter()
        .map(str::to_owned)
        .collect();
    (
        sockets,
        interfaces,
        world.blocked,
        world.denied.clone(),
        world.iwd,
    )
}

/// Whether a control socket is that of a group's interface.
fn is_group(name: &str) -> bool {
    name.starts_with("p2p-") && !name.starts_with(super::world::P2P_DEVICE)
}
