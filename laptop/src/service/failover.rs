//! Asks one provider after the other until one has answered or one may have begun.

use std::sync::Arc;

use crate::ipc::{
    CancelToken, EventSink, Failure, FailureCode, FinishReason, ServiceEvent, ServiceRequest,
};

use super::config::{ProviderConfig, ServicesConfig};
use super::registry::{Entry, Registry, Route};
use super::{Again, Attempt, Provider};

impl<P: Provider + ?Sized + 'static> Registry<P> {
    /// The providers that `config` names, implies and finds, each made by `make`, and the one inside this program.
    pub fn of(
        config: &ServicesConfig,
        pictures: bool,
        make: fn(ProviderConfig) -> Arc<P>,
        built_in: Arc<P>,
    ) -> Self {
        let entry = move |config: ProviderConfig| {
            let default = config
                .default_model
                .clone()
                .or_else(|| config.models.first().cloned());
            Entry::new(make(config), default)
        };
        let (configured, implied) = config.of_service(pictures);
        let discovery = config.discovery.clone();
        Self::new(
            config.routing.clone(),
            configured.into_iter().map(entry).collect(),
            implied.into_iter().map(entry).collect(),
            Entry::new(built_in, None),
            move |cancel| {
                discovery
                    .look(pictures, cancel)
                    .into_iter()
                    .map(entry)
                    .collect()
            },
        )
    }

    /// Has `ask` ask whom `model` means; never with a model of `off`.
    ///
    /// Only a request that left the choice of a provider open goes on to another one, and only if nothing can have run.
    ///
    /// # Errors
    /// That nobody is meant, or what the last one that was asked said.
    pub fn ask(
        &self,
        model: &str,
        off: &[String],
        cancel: &CancelToken,
        mut ask: impl FnMut(&Route<P>) -> Result<(), Attempt>,
    ) -> Result<(), Failure> {
        let mut route = self.route(model, off, cancel)?;
        let mut tried: Vec<String> = Vec::new();
        loop {
            let failed = {
                let _busy = route.entry.begin();
                match ask(&route) {
                    Ok(()) => return Ok(()),
                    Err(failed) => failed,
                }
            };
            if !route.open || failed.again == Again::Never || cancel.is_cancelled() {
                return Err(failed.failure);
            }
            tried.push(route.entry.provider.name().to_owned());
            route = self
                .next_real(model, off, &tried, cancel)
                .ok_or(failed.failure)?;
        }
    }

    /// Answers what every service is asked, with no model of `off` for the default; `refusal` to anything else.
    ///
    /// # Errors
    /// `Unsupported` with `refusal`, or that nobody listens any more.
    pub fn tell(
        &self,
        request: &ServiceRequest,
        off: &[String],
        refusal: &str,
        events: &mut EventSink,
        cancel: &CancelToken,
    ) -> Result<(), Failure> {
        let told = match request {
            ServiceRequest::Models => ServiceEvent::Models(self.models(off, cancel)),
            ServiceRequest::Health => ServiceEvent::Health(self.health(cancel)),
            ServiceRequest::Check => ServiceEvent::Checks(self.check(cancel)),
            _ => return Err(Failure::new(FailureCode::Unsupported, "", refusal)),
        };
        events.send(&told)?;
        events.send(&ServiceEvent::Done(FinishReason::Complete))?;
        Ok(())
    }
}
