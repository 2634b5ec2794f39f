//! How the daemon is.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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
