//! The drop folder on the laptop and the files on the card.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::outbox::Failure;

/// Files on both sides.
#[derive(Clone, Debug, Default)]
pub struct Files {
    /// The drop folder as last listed. Stored.
    pub remote: Vec<RemoteFile>,
    /// When it was listed, seconds since 1970; `None` if never.
    pub listed_at: Option<u64>,
    /// Octets used and allowed in the drop folder, if the laptop told.
    pub quota: Option<(u64, u64)>,
    /// Files on the card.
    pub local: Vec<LocalFile>,
    /// Octets free on the card, if known.
    pub card_free: Option<u64>,
    /// Names that are ticked on the side that shows; empty means that nothing is being selected.
    pub selected: BTreeSet<String>,
    /// The person is ticking.
    pub selecting: bool,
    /// Why the last listing failed.
    pub trouble: Option<Failure>,
}

/// Which side of the files screen shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Side {
    /// The drop folder.
    #[default]
    Laptop,
    /// The card.
    Card,
}

/// A file in the drop folder. Stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoteFile {
    /// Name. Peer text.
    pub name: String,
    /// Octets.
    pub len: u64,
    /// Seconds since 1970; zero if unknown.
    pub modified: u64,
    /// It appeared since the list was last looked at.
    pub new: bool,
}

/// A file on the card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalFile {
    /// Name.
    pub name: String,
    /// Octets.
    pub len: u64,
    /// Seconds since 1970; zero if unknown.
    pub modified: u64,
}
