//! Requests that wait for a person.

use serde::{Deserialize, Serialize};

/// Names a request that waits for a person.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PendingId {
    /// Its number in the list.
    pub id: u64,
    /// With `approve`: let this device do these operations without asking from now on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub always: bool,
}

/// A request that waits for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// Its number, for `approve` and `deny`.
    pub id: u64,
    /// The device.
    pub device: i64,
    /// Its name.
    pub name: String,
    /// What it would do, one sentence each; escaped already.
    pub wants: Vec<String>,
    /// What it may cost.
    pub cost: String,
    /// Seconds until it is refused.
    pub expires_in_s: u64,
    /// The operations, which `always` is about; none where there is nothing to permit for good.
    #[serde(default)]
    pub operations: Vec<String>,
}
