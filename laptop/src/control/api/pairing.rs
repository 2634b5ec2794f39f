//! Pairing.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Where a pairing stands, and what the person needs to bring a handheld here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PairReport {
    /// Where it stands.
    #[serde(flatten)]
    pub status: PairStatus,
    /// The laptop's own network; only while a handheld is waited for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<Network>,
    /// What keeps Wi-Fi Direct down; only while a handheld is waited for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

/// The laptop's own network, for a handheld that has to be told the passphrase by hand.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    /// Its name.
    pub name: String,
    /// Its passphrase.
    pub passphrase: String,
}

/// The passphrase stays out of every log.
impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// Where a pairing stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum PairStatus {
    /// No window is open.
    Closed,
    /// A window is open; no handheld has come yet.
    Waiting {
        /// Seconds until it closes.
        closes_in_s: u64,
    },
    /// A handheld shows six digits that have to be typed here.
    Digits {
        /// Seconds until it closes.
        closes_in_s: u64,
        /// Name of the device, as it says.
        name: String,
    },
    /// Typed right; the handheld has to confirm.
    Confirming {
        /// Seconds until it closes.
        closes_in_s: u64,
        /// Name of the device, as it says.
        name: String,
    },
    /// Paired.
    Paired {
        /// The new device.
        device: i64,
        /// Its name.
        name: String,
    },
    /// It came to nothing.
    Failed {
        /// Why.
        reason: String,
    },
}

/// Six digits.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Digits {
    /// As typed; spaces do not count.
    pub digits: String,
}
