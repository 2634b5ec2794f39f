//! Values of type `Record`: what listings and system operations return, as postcard.

use serde::{Deserialize, Serialize};

/// Most entries in one listing.
pub const MAX_ENTRIES: u16 = 256;

/// One file of a drop folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry<'a> {
    /// Name inside the folder listed; may hold any UTF-8, so escape it where it is shown.
    pub name: &'a str,
    /// Length in octets; zero for a folder.
    pub len: u64,
    /// Time of the last change in seconds since 1970, by the laptop's clock.
    pub modified: u64,
    /// Whether it is a folder.
    pub folder: bool,
}

/// Result of `files.list`: followed by `count` values of [`Entry`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListingHead {
    /// Entries in the folder, those passed over included.
    pub total: u32,
    /// Octets used in the whole drop folder.
    pub used: u64,
    /// Octets that the drop folder may hold.
    pub quota: u64,
    /// Entries that follow.
    pub count: u16,
}

/// Result of `files.metadata`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileInfo {
    /// Length in octets.
    pub len: u64,
    /// As in [`Entry`].
    pub modified: u64,
    /// SHA-256 of the whole.
    pub sha256: [u8; 32],
}

/// Result of `system.status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status<'a> {
    /// Name of the laptop.
    pub name: &'a str,
    /// Version of the daemon.
    pub version: &'a str,
    /// Seconds since the daemon started.
    pub uptime_s: u64,
    /// Requests running for this device.
    pub running: u16,
    /// Seconds until the relationship expires.
    pub expires_in_s: u64,
}

/// Result of `system.resources`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resources {
    /// Processors.
    pub cpus: u16,
    /// Load over one minute in hundredths.
    pub load_hundredths: u32,
    /// Memory in octets.
    pub memory: u64,
    /// Memory that is free to use, in octets.
    pub memory_free: u64,
    /// Free octets where the drop folder lies.
    pub disk_free: u64,
}

/// State of a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum HealthState {
    /// Answers.
    Healthy,
    /// Answers, with recent failures.
    Degraded,
    /// Does not answer.
    Unhealthy,
}

/// One provider. The result of `system.health` is a `u16` count and that many of these; the result of
/// `system.capabilities` is a `u16` count and that many of [`Capability`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderHealth<'a> {
    /// Its service.
    pub service: crate::opcode::Service,
    /// Its name; the built-in ones say so.
    pub name: &'a str,
    /// Its state.
    pub state: HealthState,
    /// Why it is not healthy; empty otherwise.
    pub reason: &'a str,
}

/// One operation that the laptop offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capability {
    /// The operation.
    pub operation: crate::opcode::Operation,
    /// Whether anything is there that could carry it out.
    pub available: bool,
}

/// Reads a `u16` count or [`ListingHead`] and the values behind it.
///
/// # Errors
/// [`crate::error::DecodeError`] where the head does not decode.
pub fn split_head<'a, T: Deserialize<'a>>(
    bytes: &'a [u8],
) -> Result<(T, &'a [u8]), crate::error::DecodeError> {
    postcard::take_from_bytes(bytes).map_err(|_| crate::error::DecodeError::BadPayload)
}

/// Iterates over the values behind a head; ends at the first that does not decode.
pub fn items<'a, T: Deserialize<'a>>(mut rest: &'a [u8]) -> impl Iterator<Item = T> {
    core::iter::from_fn(move || {
        let (item, behind) = postcard::take_from_bytes(rest).ok()?;
        rest = behind;
        Some(item)
    })
}
