//! What llm-service does with a request.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::ipc::{
    CancelToken, EmbedRequest, EventSink, Failure, FailureCode, FinishReason, Handler,
    ServiceEvent, ServiceRequest, TextRequest, Usage,
};
use crate::service::config::{Kind, ProviderConfig, ServicesConfig};
use crate::service::registry::{Registry, Route};
use crate::service::retry::{self, Patience};
use crate::service::wording::one_line;
use crate::service::{Again, Attempt};

use super::builtin::Partner;
use super::embedding::{self, BATCH};
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
        off: &[String],
        events: &mut EventSink,
        cancel: &CancelToken,
    ) -> Result<(), Failure> {
        check(request)?;
        self.registry.ask(&request.model, off, cancel, |route| {
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
        let result = retry::run(self.patience.of_route(route.open), cancel, || {
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

    fn vectors(
        &self,
        request: &EmbedRequest,
        off: &[String],
        events: &mut EventSink,
        cancel: &CancelToken,
    ) -> Result<(), Failure> {
        embedding::check(request)?;
        self.registry.ask(&request.model, off, cancel, |route| {
            self.embed(route, request, events, cancel)
        })
    }

    fn embed(
        &self,
        route: &Route<dyn TextProvider>,
        request: &EmbedRequest,
        events: &mut EventSink,
        cancel: &CancelToken,
    ) -> Result<(), Attempt> {
        let Route { entry, model, .. } = route;
        let name = entry.provider.name();
        // Known already, where the provider says what its models do.
        if entry.embeds(model, cancel) == Some(false) {
            let why = format!("{} writes text.", one_line(model));
            return Err(embedding::unsupported(name, &why));
        }
        events.send(&ServiceEvent::Started {
            provider: name.to_owned(),
            model: model.clone(),
        })?;
        let (mut read, mut estimated, mut len) = (0u32, false, None);
        let mut outcome = Ok(());
        for (number, texts) in request.texts.chunks(BATCH).enumerate() {
            let made = retry::run(self.patience.of_route(route.open), cancel, || {
                entry.attempt(cancel, || {
                    let provider = &entry.provider;
                    provider.embed(texts, model, request.dimensions, cancel)
                })
            });
            let made = match made {
                Ok(made) => made,
                Err(failed) => {
                    // What came before has been told; another provider's vectors would not fit to it.
                    let again = if number == 0 {
                        failed.again
                    } else {
                        Again::Never
                    };
                    outcome = Err(Attempt { again, ..failed });
                    break;
                }
            };
            let bytes = texts.iter().map(String::len).sum();
            read = read.saturating_add(made.tokens.unwrap_or_else(|| estimate_tokens(bytes)));
            estimated |= made.tokens.is_none();
            for vector in made.vectors {
                if *len.get_or_insert(vector.len()) != vector.len() {
                    let words = format!("{name} gave vectors of different lengths.");
                    return Err(Attempt::fatal(FailureCode::ProviderFailed, name, words));
                }
                events.send(&ServiceEvent::Vector(vector))?;
            }
        }
        if read > 0 {
            events.send(&ServiceEvent::Usage(Usage {
                prompt_tokens: read,
                estimated,
                ..Usage::default()
            }))?;
        }
        outcome?;
        events.send(&ServiceEvent::Done(FinishReason::Complete))?;
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
        let (off, request) = request.parted();
        match request {
            ServiceRequest::Text(request) => self.text(&request, &off, events, cancel),
            ServiceRequest::Embed(request) => self.vectors(&request, &off, events, cancel),
            other => {
                let refusal = "The language service only writes text and makes vectors of it.";
                self.registry.tell(&other, &off, refusal, events, cancel)
            }
        }
    }
}
