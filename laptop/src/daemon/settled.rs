//! The settings that the daemon goes by, which may be others from one moment to the next.

use crate::config::Config;
use std::sync::{Arc, PoisonError, RwLock};

/// See the module.
pub(super) struct Settled(RwLock<Arc<Config>>);

impl Settled {
    pub(super) fn new(config: Config) -> Self {
        Self(RwLock::new(Arc::new(config)))
    }

    /// Those of now.
    pub(super) fn now(&self) -> Arc<Config> {
        let config = self.0.read();
        Arc::clone(&config.unwrap_or_else(PoisonError::into_inner))
    }

    /// Others from now on.
    pub(super) fn set(&self, config: Config) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(config);
    }
}
