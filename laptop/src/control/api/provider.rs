//! Providers of the services.

use serde::{Deserialize, Serialize};

/// A provider and how it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provider {
    /// `language` or `image`.
    pub service: String,
    /// Its name in model ids.
    pub name: String,
    /// Where it is asked; empty for the built-in one.
    pub address: String,
    /// `healthy`, `degraded` or `unhealthy`.
    pub health: String,
    /// Why it is not healthy; empty where it is.
    pub reason: String,
    /// Models that it offers now.
    pub models: usize,
}
