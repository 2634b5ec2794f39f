//! Callers: programs of the laptop itself that ask through the gateway.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// A caller to be.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NewCaller {
    /// What to call it.
    pub name: String,
    /// Days until its key runs out; missing for a key that holds until it is revoked.
    #[serde(default)]
    pub days: Option<u32>,
}

/// A new caller with its key, which nobody is told again.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddedCaller {
    /// The caller.
    #[serde(flatten)]
    pub caller: Caller,
    /// The key that it shows.
    pub key: String,
}

/// The key stays out of every log.
impl fmt::Debug for AddedCaller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AddedCaller")
            .field("caller", &self.caller)
            .finish_non_exhaustive()
    }
}

/// A caller in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// Its number; devices and callers are numbered together.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// `active`, `expired` or `revoked`.
    pub standing: String,
    /// Seconds since it was added.
    pub added_ago_s: i64,
    /// Seconds until its key runs out, negative since when it has; missing where it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in_s: Option<i64>,
    /// Seconds since it last asked for something that was taken in; missing if never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen_ago_s: Option<i64>,
    /// Requests running now.
    pub running: usize,
}

/// One caller with its permissions and use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallerDetail {
    /// The caller.
    #[serde(flatten)]
    pub caller: Caller,
    /// What it may do and has used.
    #[serde(flatten)]
    pub allowance: Allowance,
}

/// What a device or caller may do, and has used today.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allowance {
    /// Rule of each operation.
    pub rules: BTreeMap<String, String>,
    /// Patterns of language models.
    pub language_models: Vec<String>,
    /// Patterns of picture models.
    pub image_models: Vec<String>,
    /// Addresses that may be fetched.
    pub urls: Vec<String>,
    /// Requests a minute.
    pub requests_per_minute: u32,
    /// Used today and limit of a day: tokens.
    pub tokens: (u64, u64),
    /// Used today and limit of a day: pictures.
    pub pictures: (u64, u64),
    /// Used today and limit of a day: bytes.
    pub bytes: (u64, u64),
    /// Used today and limit of a day: seconds of work on texts and pictures.
    pub seconds: (u64, u64),
}
