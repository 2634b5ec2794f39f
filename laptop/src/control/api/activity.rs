//! What was asked for lately, and what it used.

use serde::{Deserialize, Serialize};

/// How much of the past is wanted.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ActivityRange {
    /// Most requests, 1 to 200; 50 where it is missing.
    #[serde(default)]
    pub last: Option<usize>,
}

/// What was asked for lately.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activity {
    /// Requests of the last minute.
    pub last_minute: usize,
    /// Requests of the last hour, as far as they are among those looked at.
    pub last_hour: usize,
    /// Half of the requests that ended well since the daemon started took at most so many milliseconds, waiting for a
    /// person not counted; missing before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub median_ms: Option<u64>,
    /// The same for nineteen of twenty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p95_ms: Option<u64>,
    /// The requests, newest first.
    pub requests: Vec<PastRequest>,
}

/// A request that was taken in or refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastRequest {
    /// Number of the device.
    pub device: i64,
    /// Its name.
    pub name: String,
    /// Number of the request.
    pub request: u64,
    /// When it came, in local time.
    pub time: String,
    /// Seconds since then.
    pub ago_s: i64,
    /// What it wanted.
    pub wants: Vec<PastWant>,
    /// `allow`, `ask` or `deny`.
    pub verdict: String,
    /// What a person said: `yes`, `no`, `expired` or `withdrawn`; missing where nobody was asked, or nobody has said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// `done`, or the name of what went wrong; missing while it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// Milliseconds that it took, waiting for a person not counted; missing where it runs, was refused, or ended before
    /// the daemon started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub took_ms: Option<u64>,
    /// Language tokens used.
    pub tokens: u64,
    /// Pictures used.
    pub pictures: u64,
    /// Bytes used.
    pub bytes: u64,
}

/// One operation of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastWant {
    /// Its name.
    pub operation: String,
    /// Model, path or address; empty where it has none.
    pub target: String,
}

/// How many days of use are wanted.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct UsageRange {
    /// Days, today included, 1 to 366; 14 where it is missing.
    #[serde(default)]
    pub days: Option<u32>,
}

/// What all devices used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageReport {
    /// The local days in their order, `YYYY-MM-DD`; the last is today.
    pub days: Vec<String>,
    /// Every device that used anything, or is paired.
    pub devices: Vec<DeviceUsage>,
}

/// What one device used, day by day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceUsage {
    /// Number of the device.
    pub device: i64,
    /// Its name.
    pub name: String,
    /// Requests of each day.
    pub requests: Vec<u64>,
    /// Language tokens of each day.
    pub tokens: Vec<u64>,
    /// Pictures of each day.
    pub pictures: Vec<u64>,
    /// Bytes of each day.
    pub bytes: Vec<u64>,
}
