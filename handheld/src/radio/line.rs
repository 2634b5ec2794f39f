//! Requests to wpa_supplicant, one at a time.
//!
//! Each waits for the answer to the one before it, so that an answer can't be taken for another's. A request that is not
//! answered in time takes its socket with it: its late answer must not meet the next request.

use std::collections::VecDeque;

use shared_proto::supplicant::Command;

use super::Effect;

/// How long an answer may take, in milliseconds. wpa_supplicant answers within a few, unless it hangs.
pub const ANSWER_MS: u64 = 4_000;

/// What an answer is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// What the interface is: address, Wi-Fi Direct.
    Probe,
    /// What the driver can do.
    Flags,
    /// Networks that were there before a crash.
    Repair,
    /// Whether what we believe to be joined is.
    Check,
    /// Networks that are enabled now.
    Others,
    /// The number of our network.
    Add,
    /// A field of our network.
    Set,
    /// Going there.
    Select,
    /// Looking by Wi-Fi Direct.
    Find,
    /// What a device near says of itself.
    Peer([u8; 6]),
    /// What was heard.
    Results,
    /// Joining at the push of a button.
    Connect,
    /// Where the group is.
    GroupStatus,
    /// How strong the signal is.
    Signal,
    /// Nothing: whatever it says.
    Ignore,
}

/// A request that waits.
#[derive(Clone, Debug)]
struct Request {
    port: String,
    command: Command,
    step: Step,
}

/// The request under way.
#[derive(Clone, Debug)]
struct Busy {
    ticket: u32,
    port: String,
    step: Step,
    until: u64,
}

/// The queue.
#[derive(Clone, Debug, Default)]
pub struct Line {
    waiting: VecDeque<Request>,
    busy: Option<Busy>,
    tickets: u32,
}

impl Line {
    /// Puts a request at the end.
    pub fn push(&mut self, port: &str, command: Command, step: Step) {
        let port = port.to_owned();
        self.waiting.push_back(Request {
            port,
            command,
            step,
        });
    }

    /// Starts the next request, if none is under way.
    pub fn start(&mut self, now: u64) -> Option<Effect> {
        if self.busy.is_some() {
            return None;
        }
        let Request {
            port,
            command,
            step,
        } = self.waiting.pop_front()?;
        self.tickets = self.tickets.wrapping_add(1);
        let ticket = self.tickets;
        self.busy = Some(Busy {
            ticket,
            port: port.clone(),
            step,
            until: now + ANSWER_MS,
        });
        Some(Effect::Ask {
            port,
            ticket,
            command,
        })
    }

    /// Takes an answer in: where it was asked, and what for. `None` for one that nobody waits for any more.
    pub fn answered(&mut self, ticket: u32) -> Option<(String, Step)> {
        let busy = self.busy.take_if(|busy| busy.ticket == ticket)?;
        Some((busy.port, busy.step))
    }

    /// The socket whose answer is overdue; nothing waits there any more.
    pub fn overdue(&mut self, now: u64) -> Option<String> {
        let busy = self.busy.take_if(|busy| busy.until <= now)?;
        self.forget_port(&busy.port);
        Some(busy.port)
    }

    /// Forgets all that a closed socket was to answer.
    pub fn forget_port(&mut self, port: &str) {
        self.waiting.retain(|request| request.port != port);
        self.busy.take_if(|busy| busy.port == port);
    }

    /// Forgets requests whose purpose is gone; one that is under way is answered, and its answer ignored.
    pub fn forget(&mut self, stale: impl Fn(&Step) -> bool) {
        self.waiting.retain(|request| !stale(&request.step));
        if let Some(busy) = self.busy.as_mut().filter(|busy| stale(&busy.step)) {
            busy.step = Step::Ignore;
        }
    }

    /// Whether a request for this purpose waits or is under way.
    pub fn has(&self, wanted: &Step) -> bool {
        self.waiting.iter().any(|request| request.step == *wanted)
            || self.busy.as_ref().is_some_and(|busy| busy.step == *wanted)
    }

    /// Whether a request for this purpose waits or is under way there.
    pub fn has_on(&self, port: &str, wanted: &Step) -> bool {
        let mut waiting = self.waiting.iter();
        waiting.any(|request| request.step == *wanted && request.port == port)
            || self
                .busy
                .as_ref()
                .is_some_and(|busy| busy.step == *wanted && busy.port == port)
    }

    /// Whether nothing waits and nothing is under way.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.busy.is_none()
    }

    /// When the answer to the request under way is overdue.
    pub fn deadline(&self) -> Option<u64> {
        self.busy.as_ref().map(|busy| busy.until)
    }
}
