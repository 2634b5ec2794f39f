//! Services and their providers.

use serde::{Deserialize, Serialize};

/// A service of the laptop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceReport {
    /// `language`, `image` or `fetch`.
    pub name: String,
    /// Whether it is switched on in `daemon.toml`.
    pub enabled: bool,
    /// Whether its process answers.
    pub answers: bool,
    /// How its providers are, as far as anybody knows.
    pub providers: Vec<ProviderState>,
}

/// A provider and how it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderState {
    /// Its name in model ids.
    pub provider: String,
    /// Where it is; empty for the built-in one.
    pub address: String,
    /// `healthy`, `degraded` or `unhealthy`.
    pub health: String,
    /// Why, where it is not healthy.
    pub reason: String,
}

/// What came of asking one provider now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderReport {
    /// `language` or `image`.
    pub service: String,
    /// Its name in model ids.
    pub provider: String,
    /// Where it was asked; empty for the built-in one.
    pub address: String,
    /// `file`, `found`, `key` or `built-in`: where it is known from.
    pub source: String,
    /// Whether it can be used.
    pub works: bool,
    /// Models that it lists.
    pub models: u32,
    /// Milliseconds until it had answered.
    pub answered_ms: u32,
    /// Why it cannot be used; empty where it can.
    pub reason: String,
    /// What to do about that.
    pub advice: String,
}
