//! Settings.

use serde::{Deserialize, Serialize};

/// What came of reading the settings again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReloadReport {
    /// Whether they are in force; false where there is a mistake, and then those of before are.
    pub applied: bool,
    /// Keys whose new value is in force.
    pub changed: Vec<String>,
    /// Keys whose new value waits for the next start.
    pub at_next_start: Vec<String>,
    /// What there is to say about the files, with file and line.
    pub findings: Vec<String>,
}

/// The settings files and what they say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigReport {
    /// Path of `daemon.toml`; the other two lie beside it.
    pub file: String,
    /// Every key, in the order of the files.
    pub settings: Vec<Setting>,
    /// Keys whose value in the files is not in force yet.
    pub pending: Vec<String>,
}

/// One key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setting {
    /// Its file.
    pub file: String,
    /// Its section; empty before the first.
    pub section: String,
    /// Its name.
    pub key: String,
    /// Its value, as TOML.
    pub value: String,
    /// Whether the file does not name it, so that this is the default.
    pub default: bool,
}
