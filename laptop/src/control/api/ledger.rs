//! The ledger.

use serde::{Deserialize, Serialize};

/// Which part of the ledger is wanted.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct LedgerRange {
    /// Number of the first entry.
    #[serde(default)]
    pub from: u64,
    /// Only so many from the end.
    #[serde(default)]
    pub last: Option<u64>,
}

/// A part of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerPart {
    /// Its lines as they are in the files, without their ends. Text of devices in them is JSON, not escaped for eyes.
    pub lines: Vec<String>,
    /// When each was written, in local time; empty where a line is no entry.
    pub times: Vec<String>,
    /// Number to go on with; missing at the end.
    pub next: Option<u64>,
}

/// Whether the ledger holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerReport {
    /// Entries that hold.
    pub entries: u64,
    /// Number of the first.
    pub first: u64,
    /// Number of the last that holds.
    pub last: u64,
    /// Its hash.
    pub head: String,
    /// Checkpoints that are signed by the ledger's key.
    pub checkpoints: u64,
    /// Number of the last signed entry.
    pub signed_to: u64,
    /// Requests whose signature is the handheld's.
    pub requests: u64,
    /// Public key of the ledger.
    pub key: String,
    /// Where its files are.
    pub folder: String,
    /// The first entry that does not hold, and why; missing where all hold.
    pub flaw: Option<String>,
}
