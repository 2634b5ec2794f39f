//! How far the group is, and what is being asked for it.

use crate::link::radio::probe::{Answers, Question};
use shared_proto::supplicant::Command;
use std::collections::VecDeque;

/// A group that is up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Running {
    /// Its interface, which is also the name of its control socket.
    pub(super) interface: String,
    pub(super) frequency: u16,
}

#[derive(Debug)]
pub(super) enum Phase {
    /// Until something changes, or this time.
    Resting { until: u64 },
    /// Asking what each interface can.
    Asking { answers: Vec<Answers> },
    /// Cleaning up, setting names, adding the network block. `found` is a group of ours that still runs.
    Preparing {
        place: Answers,
        found: Option<Running>,
    },
    /// Trying frequencies. `agreed`: the group may come up any moment.
    Starting {
        place: Answers,
        left: VecDeque<u16>,
        agreed: bool,
        until: u64,
    },
    /// A group is there.
    Up {
        place: Answers,
        running: Running,
        since: u64,
        look_at: u64,
        open_at: Option<u64>,
    },
    /// Putting things back. `expecting`: a group may still come up, which then has to be removed.
    Leaving { until: u64, expecting: bool },
    /// Nothing is left to do.
    Done,
}

/// What an answer is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Why {
    /// What the n-th interface can.
    Question(usize, Question),
    /// Whether this interface holds a group of ours.
    Existing(String),
    /// Whether the group on this interface still has our passphrase.
    Passphrase(Running),
    /// Which network blocks there are.
    Blocks,
    /// The value of a setting before it is changed.
    Before(&'static str),
    /// The number of our network block.
    Added,
    /// A field of it. It must be taken.
    Field,
    /// Who is on the air, so that a quiet channel can be picked.
    Air,
    /// Whether a group starts.
    Start,
    /// Whether the group still stands.
    Look,
    /// Which network blocks have to go from this control socket.
    Sweep(String),
    /// Whether this interface holds a group of ours that has to go.
    Leftover(String),
    /// Putting a setting or block back.
    PutBack,
    /// The last of what is put back.
    Restored,
    /// Nothing.
    Ignored,
}

#[derive(Debug)]
pub(super) struct Job {
    pub(super) socket: String,
    pub(super) command: Command,
    pub(super) why: Why,
}
