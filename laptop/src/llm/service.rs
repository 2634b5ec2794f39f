//! What llm-service does with a request.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::ipc::{
    CancelToken, EventSink, Failure, Handler, ServiceEvent, ServiceRequest, TextRequest, Usage,
};
use crate::service::Attempt;
use crate::service::config::{Kind, ProviderConfig, ServicesConfig};
use crate::service::registry::{Registry, Route};
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

fn provider(config: ProviderConfig) -> Arc<dyn TextProvider> {
    match config.kind {
        Kind::Ollama => Arc::new(Ollama::new(config)),
        _ => Arc::new(OpenAi::new(config)),
    }
}

impl LanguageService {
    /// A service with the providers that `config` names and finds, and the built-in `partner`.
    pub fn new(config: &ServicesConfig, partner: Partner) -> Self {
        Self {
            registry: Registry::of(config, false, provider, Arc::new(partner)),
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
        self.registry.ask(&request.model, cancel, |route| {
            self.ask(route, request, events, cancel)
        })
    }

    fn ask(
        &self,
        route: &Route<dyn TextProvider>,
        request: &TextRequest,
        events: &mut EventSink,
        cancel: &CancelToken,
    ) -> Result<(), Attempt> {
        let Route { entry, model, .. } = route;
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
            ServiceRequest::Text(request) => self.text(&request, events, cancel),
            other => {
                let refusal = "The language service only writes text.";
                self.registry.tell(&other, refusal, events, cancel)
            }
        }
    }
}
