//! What the laptop last said of its services.

use super::laptop::ServiceKind;
use super::outbox::Failure;

/// Status, health and resources as last told.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Services {
    /// One per provider.
    pub providers: Vec<Provider>,
    /// Further facts on the laptop as label and value, in the laptop's order. Peer text.
    pub facts: Vec<(String, String)>,
    /// When it was told, seconds since 1970; `None` if never.
    pub told_at: Option<u64>,
    /// Why the last question failed.
    pub trouble: Option<Failure>,
}

/// One provider behind a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    /// Service.
    pub service: ServiceKind,
    /// Name, for example `ollama`. Peer text.
    pub name: String,
    /// Health.
    pub health: Health,
    /// What the laptop says about it. Peer text.
    pub note: String,
}

/// Health of a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// Works.
    Healthy,
    /// Works with trouble.
    Degraded,
    /// Does not work.
    Unhealthy,
    /// Not asked yet.
    Unknown,
}
