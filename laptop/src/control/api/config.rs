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

/// Names one of the settings files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigName {
    /// `daemon.toml`, `permissions.toml` or `services.toml`.
    pub name: String,
}

/// A settings file as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigText {
    /// Its name.
    pub name: String,
    /// Its path.
    pub path: String,
    /// What it says; of a missing one, the template.
    pub text: String,
    /// SHA-256 of that, in hexadecimal digits.
    pub digest: String,
    /// Whether the daemon may write it; where it may not, `officectl config edit` as root does.
    pub writable: bool,
}

/// What a settings file is to say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigDraft {
    /// Its name.
    pub name: String,
    /// What it is to say.
    pub text: String,
    /// The `digest` of what it said when the change was begun; for `config.write`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
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
