//! What the methods of the control socket take and return.
//!
//! | method | parameters | result |
//! |---|---|---|
//! | `status` | – | [`Status`] |
//! | `pair.open` | – | [`PairReport`] |
//! | `pair.type` | [`Digits`] | [`PairStatus`] |
//! | `pair.cancel` | – | [`PairStatus`] |
//! | `pair.status` | – | [`PairReport`] |
//! | `devices.list` | – | list of [`Device`] |
//! | `devices.show` | [`DeviceName`] | [`DeviceDetail`] |
//! | `devices.rename` | [`Rename`] | [`Device`] |
//! | `devices.permit` | [`Permit`] | [`DeviceDetail`] |
//! | `devices.limit` | [`Limit`] | [`DeviceDetail`] |
//! | `devices.revoke` | [`DeviceName`] | [`Device`] |
//! | `devices.renew` | [`Renew`] | [`Device`] |
//! | `pending.list` | – | list of [`Pending`] |
//! | `approve`, `deny` | [`PendingId`] | [`Pending`] |
//! | `watch` | – | then events: [`Event`] |
//! | `models` | – | list of [`Model`] |
//! | `config.check` | – | list of texts |
//!
//! Names that came from devices or providers are as they are: whoever shows them escapes them.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// How the daemon is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Name of the laptop.
    pub name: String,
    /// Version of the daemon.
    pub version: String,
    /// Seconds since it started.
    pub uptime_s: u64,
    /// Carriers it listens on; empty while link-service is not there.
    pub carriers: Vec<Carrier>,
    /// What keeps Wi-Fi Direct down, and what mends it; missing where nothing does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
    /// Devices paired and not revoked.
    pub devices: usize,
    /// Most devices paired at a time.
    pub max_devices: usize,
    /// Devices linked now.
    pub linked: usize,
    /// Requests running now.
    pub running: usize,
    /// Requests that wait for a person.
    pub pending: usize,
    /// Service processes and whether each answers.
    pub services: BTreeMap<String, bool>,
}

/// A carrier that the daemon listens on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Carrier {
    /// `loopback`, `tcp` or `wifi-direct`.
    pub carrier: String,
    /// Address and port.
    pub address: String,
    /// The only interface it listens on, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interface: Option<String>,
    /// Name of the laptop's own network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    /// The network's frequency in MHz.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frequency: Option<u16>,
}

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

/// Names a device by number or name.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DeviceName {
    /// Number or name.
    pub device: String,
}

/// Gives a device another name.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Rename {
    /// Number or name.
    pub device: String,
    /// The new name.
    pub name: String,
}

/// Sets one rule.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Permit {
    /// Number or name of the device.
    pub device: String,
    /// Name of the operation.
    pub operation: String,
    /// `deny`, `ask` or `allow`.
    pub rule: String,
}

/// Sets limits; those that are missing stay.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Limit {
    /// Number or name of the device.
    pub device: String,
    /// Requests a minute.
    #[serde(default)]
    pub requests_per_minute: Option<u32>,
    /// Tokens a day.
    #[serde(default)]
    pub tokens_per_day: Option<u64>,
    /// Pictures a day.
    #[serde(default)]
    pub pictures_per_day: Option<u64>,
    /// Bytes a day.
    #[serde(default)]
    pub bytes_per_day: Option<u64>,
    /// Patterns of language models.
    #[serde(default)]
    pub language_models: Option<Vec<String>>,
    /// Patterns of picture models.
    #[serde(default)]
    pub image_models: Option<Vec<String>>,
    /// Addresses that may be fetched.
    #[serde(default)]
    pub urls: Option<Vec<String>>,
}

/// Extends a relationship.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Renew {
    /// Number or name of the device.
    pub device: String,
    /// Days from now; the configured number where it is missing.
    #[serde(default)]
    pub days: Option<u32>,
}

/// A device in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// Its number.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// `active`, `expired` or `revoked`.
    pub standing: String,
    /// Seconds until it expires; negative since when it has.
    pub expires_in_s: i64,
    /// Seconds since it was last here; missing if never.
    pub seen_ago_s: Option<i64>,
    /// Whether it is linked now.
    pub linked: bool,
    /// Width and height of its screen.
    pub screen: (u16, u16),
    /// Its drop folder.
    pub folder: String,
}

/// One device with its permissions and use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceDetail {
    /// The device.
    #[serde(flatten)]
    pub device: Device,
    /// Fingerprint of its key.
    pub key: String,
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
}

/// Names a request that waits for a person.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PendingId {
    /// Its number in the list.
    pub id: u64,
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
}

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

/// A model that devices may be offered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Model {
    /// `language` or `image`.
    pub service: String,
    /// `provider/model`.
    pub id: String,
    /// Whether it is loaded; missing where the provider does not say.
    pub loaded: Option<bool>,
    /// Whether a request that names none gets this one.
    pub default: bool,
    /// A remark, such as its size.
    pub note: String,
}

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
