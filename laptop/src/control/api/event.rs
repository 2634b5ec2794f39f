//! What happens, as it happens.

use super::{PairStatus, Pending};
use serde::{Deserialize, Serialize};

/// Something that happened. Names are escaped already, but for those in [`PairStatus`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// A device was linked.
    Linked {
        /// Its name.
        name: String,
    },
    /// A device went away.
    Unlinked {
        /// Its name.
        name: String,
    },
    /// A request waits for a person.
    Asks(Pending),
    /// A request no longer waits.
    Answered {
        /// Its number in the list.
        id: u64,
        /// `yes`, `no`, `expired` or `withdrawn`.
        answer: String,
    },
    /// A request was let in.
    Started {
        /// The name of the device.
        name: String,
        /// The request.
        request: u64,
        /// What it does.
        wants: Vec<String>,
    },
    /// A request ended.
    Ended {
        /// The name of the device.
        name: String,
        /// The request.
        request: u64,
        /// `done`, or what went wrong.
        outcome: String,
    },
    /// A request was refused before anything ran.
    Denied {
        /// The name of the device.
        name: String,
        /// The request.
        request: u64,
        /// Why.
        reason: String,
    },
    /// Pairing moved on.
    Pairing(PairStatus),
}
