//! What llm-service does with a request.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::ipc::{
    CancelToken, EventSink, Failure, FailureCode, FinishReason, Handler, ServiceEvent,
    ServiceRequest, TextRequest, Usage,
};
use crate::service::Again;
use crate::service::config::{Kind, ProviderConfig, ServicesConfig};
use crate::service::registry::{Entry, Registry, Route};
use crate::service::retry::{self, Patience};

use super::builtin::Partner;
use super::ollama::Ollama;
use super::openai::OpenAi;
use super::prompt::{check, estimate_tokens};
use super::{Piece, TextProvider};

/// The language service.
pub struct LanguageService {
    registry: Registry<dyn TextProvider>,
    patience: Patience,
}

fn provider(config: ProviderConfig) -> Arc<Entry<dyn TextProvider>> {
    let default = config
        .default_model
        .clone()
        .or_else(|| config.models.first().cloned());
    let provider: Arc<dyn TextProvider> = match config.kind {
        Kind::Ollama => Arc::new(Ollama::new(config)),
        _ => Arc::new(OpenAi::new(config)),
    };
    Entry::new(provider, default)
}

impl LanguageService {
    /// A service with the providers that `config` names and finds, and the built-in `partner`.
    pub fn new(config: &ServicesConfig, partner: Partner) -> Self {
        let (configured, implied) = config.of_service(false);
        let discovery = config.discovery.clone();
        let registry = Registry::new(
            configured.into_iter().map(provider).collect(),
            implied.into_iter().map(provider).collect(),
            Entry::new(Arc::new(partner), None),
            move |cancel| {
                discovery
                    .look(false, cancel)
                    .into_iter()
                    .map(provider)
                    .collect()
            },
        );
        Self {
            registry,
            patience: Patience::default(),
        }
    }

    /// The same service with another patience.
    #[must_use]
    pub fn with_patience(self, patience: Patience) -> Self {
        Self { patience, ..self }
    }

    fn text(
        &self,
        request: &TextRequest,
        events: &mut EventSink,
        cancel: &CancelToken,
    ) -> Result<(), Failure> {
        check(request)?;
        let mut route = self.registry.route(&request.model, cancel)?;
        let mut tried: Vec<String> = Vec::new();
        loop {
            let failed = match self.ask(&route, request, events, cancel) {
                Ok(()) => return Ok(()),
                Err(failed) => failed,
            };
            // Only a request that named no model may go to another provider, and only if nothing can have run.
            if !request.model.is_empty()
                || failed.again != Again::Elsewhere
                || cancel.is_cancelled()
            {
                return Err(failed.failure);
            }
            tried.push(route.entry.provider.name().to_owned());
            let next = self.registry.next_real(&tried, cancel);
            route = next.ok_or(failed.failure)?;
        }
    }

    fn ask(
        &self,
        route: &Route<dyn TextProvider>,
        request: &TextRequest,
        events: &mut EventSink,
        cancel: &CancelToken,
    ) -> Result<(), crate::service::Attempt> {
        let Route { entry, model } = route;
        events.send(&ServiceEvent::Started {
            provider: entry.provider.name().to_owned(),
            model: model.clone(),
        })?;
        let (bytes, chunks, taken) = (
            AtomicUsize::new(0),
            AtomicUsize::new(0),
            AtomicBool::new(false),
        );
        let result = retry::run(self.patience, cancel, || {
            entry.attempt(cancel, || {
                entry.provider.generate(
                    request,
                    model,
                    &mut |piece| match piece {
                        Piece::Taken => {
                            taken.store(true, Ordering::Relaxed);
                            Ok(())
                        }
                        Piece::Text(text) => {
                            bytes.fetch_add(text.len(), Ordering::Relaxed);
                            chunks.fetch_add(1, Ordering::Relaxed);
                            events.send(&ServiceEvent::Text(text))
                        }
                    },
                    cancel,
                )
            })
        });
        let prompt: usize = request.messages.iter().map(|m| m.text.len()).sum();
        // A chunk is a token with most servers, and never less than one; four bytes a token bounds it from the other side.
        let chunks = u32::try_from(chunks.into_inner()).unwrap_or(u32::MAX);
        let guess = chunks.max(estimate_tokens(bytes.load(Ordering::Relaxed)));
        let (told_prompt, told_output) = match &result {
            Ok(outcome) => (outcome.prompt_tokens, outcome.output_tokens),
            Err(_) => (None, None),
        };
        if result.is_ok() || taken.into_inner() {
            events.send(&ServiceEvent::Usage(Usage {
                prompt_tokens: told_prompt.unwrap_or_else(|| estimate_tokens(prompt)),
                output_tokens: told_output.unwrap_or(guess),
                estimated: told_output.is_none() || told_prompt.is_none(),
                ..Usage::default()
            }))?;
        }
        let outcome = result?;
        events.send(&ServiceEvent::Done(outcome.finish))?;
        Ok(())
    }
}

impl Handler for LanguageService {
    fn handle(
        &self,
        request: ServiceRequest,
        events: &mut EventSink,
        cancel: &CancelToken,
    ) -> Result<(), Failure> {
        match request {
            ServiceRequest::Text(request) => return self.text(&request, events, cancel),
            ServiceRequest::Models => {
                events.send(&ServiceEvent::Models(self.registry.models(cancel)))?
            }
            ServiceRequest::Health => {
                events.send(&ServiceEvent::Health(self.registry.health(cancel)))?
            }
            ServiceRequest::Picture(_) | ServiceRequest::Fetch(_) => {
                return Err(Failure::new(
                    FailureCode::Unsupported,
                    "",
                    "The language service only writes text.",
                ));
            }
        }
        events.send(&ServiceEvent::Done(FinishReason::Complete))?;
        Ok(())
    }
}
