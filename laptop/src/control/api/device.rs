//! Paired devices, their permissions and limits.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Names a device, or a caller, by number or name.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DeviceName {
    /// Number or name.
    #[serde(alias = "caller")]
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
    /// Number or name of the device, or of the caller.
    #[serde(alias = "caller")]
    pub device: String,
    /// Name of the operation.
    pub operation: String,
    /// `deny`, `ask` or `allow`.
    pub rule: String,
}

/// Sets limits; those that are missing stay.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Limit {
    /// Number or name of the device, or of the caller.
    #[serde(alias = "caller")]
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
    /// Seconds of work on texts and pictures a day.
    #[serde(default)]
    pub seconds_per_day: Option<u64>,
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
    /// Number or name of the device, or of the caller.
    #[serde(alias = "caller")]
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
    /// Used today and limit of a day: seconds of work on texts and pictures.
    pub seconds: (u64, u64),
}
