//! What the service processes have in common: HTTP with cancel, retry, breaker, providers and their discovery, settings.
//!
//! A provider is asked only when somebody asks this service: nothing is polled. A request to a provider is sent again
//! only where the first one cannot have run.

pub mod breaker;
mod check;
pub mod config;
pub mod discover;
mod failover;
pub mod http;
mod off;
pub mod process;
pub mod registry;
pub mod reload;
pub mod retry;
pub mod route;
pub mod wording;

#[cfg(test)]
pub(crate) mod testing;

use std::time::Duration;

use crate::ipc::{CancelToken, Failure, FailureCode, ModelInfo};

/// Name of the provider inside each service, shown wherever one of its models is.
pub const BUILT_IN: &str = "built-in";

/// A failed attempt at a provider, and whether another attempt could run the request twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// What to tell.
    pub failure: Failure,
    /// When a second attempt is harmless.
    pub again: Again,
}

/// Whether an attempt may be repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// The request may have run, or would fail the same way.
    Never,
    /// Nothing ran and the same address may answer soon; the provider may have said after how long.
    Later(Option<Duration>),
    /// Nothing ran and nobody is there; asking another provider is harmless, asking this one again pointless.
    Elsewhere,
}

impl Attempt {
    /// A failure that ends the request.
    pub fn fatal(code: FailureCode, provider: &str, detail: impl Into<String>) -> Self {
        Self {
            failure: Failure::new(code, provider, detail),
            again: Again::Never,
        }
    }

    /// Whether it speaks against the provider's health, rather than against this one request.
    pub fn blames_provider(&self) -> bool {
        matches!(
            self.failure.code,
            FailureCode::ProviderUnreachable
                | FailureCode::ProviderFailed
                | FailureCode::ProviderBroke
        )
    }
}

impl From<Failure> for Attempt {
    fn from(failure: Failure) -> Self {
        Self {
            failure,
            again: Again::Never,
        }
    }
}

impl From<crate::ipc::Gone> for Attempt {
    fn from(gone: crate::ipc::Gone) -> Self {
        Failure::from(gone).into()
    }
}

/// What every provider can tell about itself.
pub trait Provider: Send + Sync {
    /// Its name in model ids: letters, digits, `-`, `_`, `.`.
    fn name(&self) -> &str;

    /// Where it is; empty for the built-in one.
    fn address(&self) -> &str;

    /// Its models, asked for now. The ids are the provider's own, without its name before them.
    ///
    /// # Errors
    /// [`Attempt`] that names the provider.
    fn models(&self, cancel: &CancelToken) -> Result<Vec<ModelInfo>, Attempt>;
}
