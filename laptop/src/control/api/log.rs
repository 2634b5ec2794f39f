//! What the daemon and its services have logged.

use serde::{Deserialize, Serialize};

/// How much of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogRange {
    /// The last so many lines, 1 to 1000.
    #[serde(default = "usual")]
    pub last: usize,
}

const fn usual() -> usize {
    200
}

/// The end of the log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLines {
    /// Lines, oldest first, escaped.
    pub lines: Vec<String>,
    /// What to type where the log is not the daemon's to read; empty where it is.
    pub command: String,
}
