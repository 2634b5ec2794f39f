//! OpenAI-compatible servers: llama.cpp, LM Studio, vLLM, llama-cpp-python, OpenAI itself.

use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use crate::ipc::{CancelToken, FailureCode, FinishReason, ModelInfo, TextRequest};
use crate::service::config::ProviderConfig;
use crate::service::http::{DOCUMENT_CAP, Request, Response, Trouble, send};
use crate::service::wording::{error_message, looks_like_html, one_line};
use crate::service::{Again, Attempt, Provider};

use super::embedding::{self, Vectors};
use super::prompt::{flat, messages, role_name};
use super::sse::{Event, Sse};
use super::{LINE_CAP, Outcome, Piece, PieceSink, TextProvider, text_cap};

/// An OpenAI-compatible server.
pub struct OpenAi {
    config: ProviderConfig,
    /// It has no chat endpoint: only `/completions`.
    completes_only: AtomicBool,
    /// It refuses `stream_options`.
    plain_stream: AtomicBool,
}

impl OpenAi {
    /// The server that `config` describes.
    pub fn new(config: ProviderConfig) -> Self {
        Self {
            config,
            completes_only: AtomicBool::new(false),
            plain_stream: AtomicBool::new(false),
        }
    }

    fn key(&self) -> Option<&str> {
        self.config.key.as_deref()
    }

    fn fail(&self, code: FailureCode, detail: String) -> Attempt {
        Attempt::fatal(code, &self.config.name, detail)
    }

    fn body(&self, request: &TextRequest, model: &str) -> Value {
        let mut body = json!({ "model": model, "stream": true });
        if self.completes_only.load(Ordering::Relaxed) {
            body["prompt"] = flat(request).into();
            body["max_tokens"] = request.max_tokens.into();
        } else {
            let list: Vec<Value> = messages(request)
                .iter()
                .map(|m| json!({ "role": role_name(m.role), "content": m.text }))
                .collect();
            body["messages"] = list.into();
            // OpenAI's newer models refuse the old name; the other servers know no other.
            let field = if self.config.base_url.contains("api.openai.com") {
                "max_completion_tokens"
            } else {
                "max_tokens"
            };
            body[field] = request.max_tokens.into();
        }
        if let Some(permille) = request.temperature_permille {
            body["temperature"] = (f64::from(permille) / 1000.0).into();
        }
        if !self.plain_stream.load(Ordering::Relaxed) {
            body["stream_options"] = json!({ "include_usage": true });
        }
        body
    }

    /// Sends the request until the server's dialect is found: each refused form has run nothing.
    fn open(
        &self,
        request: &TextRequest,
        model: &str,
        cancel: &CancelToken,
    ) -> Result<Response, Attempt> {
        let (name, base) = (&self.config.name, &self.config.base_url);
        loop {
            let completes = self.completes_only.load(Ordering::Relaxed);
            let url = format!(
                "{base}/{}",
                if completes {
                    "completions"
                } else {
                    "chat/completions"
                }
            );
            let post = Request {
                idle: self.config.idle,
                ..Request::post(&url, &self.body(request, model))
            };
            let mut response =
                send(&post.bearer(self.key()), cancel).map_err(|t| t.attempt(name, base))?;
            if response.is_success() {
                return Ok(response);
            }
            let status = response.status;
            let mut attempt = response.refusal(name, self.key());
            let said = attempt.failure.detail.to_ascii_lowercase();
            if matches!(status, 404 | 405 | 501) && !completes && !said.contains("model") {
                self.completes_only.store(true, Ordering::Relaxed);
                continue;
            }
            if completes && matches!(status, 404 | 405 | 501) && !said.contains("model") {
                self.completes_only.store(false, Ordering::Relaxed);
                attempt.failure.code = FailureCode::ProviderFailed;
                attempt.failure.detail =
                    format!("{name} at {base} offers neither chat nor completions.");
                return Err(attempt);
            }
            if matches!(status, 400 | 422)
                && said.contains("stream_options")
                && !self.plain_stream.swap(true, Ordering::Relaxed)
            {
                continue;
            }
            if status == 400
                && said.contains("model")
                && (said.contains("not found") || said.contains("not exist"))
            {
                attempt.failure.code = FailureCode::ModelUnknown;
            }
            return Err(attempt);
        }
    }

    fn stream(
        &self,
        mut response: Response,
        cap: usize,
        pieces: &mut PieceSink<'_>,
    ) -> Result<Outcome, Attempt> {
        let mut answer = Answer::default();
        let (mut sse, mut events, mut chunk) = (Sse::new(LINE_CAP), Vec::new(), [0u8; 16 << 10]);
        loop {
            let n = match response.read(&mut chunk) {
                Ok(n) => n,
                Err(Trouble::Broke(why)) => {
                    return Err(self.broke(&answer, &format!("the connection ended early ({why})")));
                }
                Err(other) => return Err(other.attempt(&self.config.name, &self.config.base_url)),
            };
            let ended = n == 0;
            let fed = if ended {
                events = std::mem::replace(&mut sse, Sse::new(LINE_CAP)).finish();
                Ok(())
            } else {
                sse.feed(&chunk[..n], &mut events)
            };
            for event in events.drain(..) {
                self.take(event, &mut answer, pieces)?;
                if answer.bytes > cap {
                    // It ignores max_tokens. Dropping the response hangs up, which stops it.
                    return Ok(Outcome {
                        finish: FinishReason::Length,
                        ..answer.outcome()
                    });
                }
                if answer.done {
                    return Ok(answer.outcome());
                }
            }
            if fed.is_err() {
                return Err(self.broke(&answer, "it sent a line of more than 1 MiB"));
            }
            if ended {
                // Servers that forget "[DONE]" at least say why they finished.
                return if answer.finish.is_some() {
                    Ok(answer.outcome())
                } else {
                    Err(self.broke(&answer, "the stream ended without a finish"))
                };
            }
        }
    }

    /// The failure of a stream: in the middle of the answer, or before any of it.
    fn broke(&self, answer: &Answer, why: &str) -> Attempt {
        let name = &self.config.name;
        if answer.bytes > 0 {
            self.fail(
                FailureCode::ProviderBroke,
                format!("{name} stopped in the middle of its answer: {why}."),
            )
        } else {
            self.fail(
                FailureCode::ProviderFailed,
                format!("{name} took the request but gave no answer: {why}."),
            )
        }
    }

    fn take(
        &self,
        event: Event,
        answer: &mut Answer,
        pieces: &mut PieceSink<'_>,
    ) -> Result<(), Attempt> {
        if event.data.trim() == "[DONE]" {
            answer.done = true;
            return Ok(());
        }
        let Ok(value) = serde_json::from_str::<Value>(&event.data) else {
            let start: String = event.data.chars().take(80).collect();
            return Err(self.broke(
                answer,
                &format!("it sent something that is not JSON: {}", one_line(&start)),
            ));
        };
        if event.name == "error" || value.get("error").is_some_and(|e| !e.is_null()) {
            let said = error_message(&value).unwrap_or_else(|| "it did not say why".into());
            return Err(self.broke(answer, &format!("it reported an error: {said}")));
        }
        answer.usage(&value["usage"]);
        let choice = &value["choices"][0];
        if let Some(reason) = choice["finish_reason"].as_str() {
            answer.finish = Some(if reason == "length" {
                FinishReason::Length
            } else {
                FinishReason::Complete
            });
        }
        let text = choice["delta"]["content"]
            .as_str()
            .or_else(|| choice["text"].as_str())
            .or_else(|| choice["message"]["content"].as_str());
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            answer.bytes += text.len();
            answer.chunks += 1;
            pieces(Piece::Text(text.to_owned()))?;
        }
        Ok(())
    }

    /// Takes the answer to a request in, whichever form the server chose for it.
    ///
    /// # Errors
    /// As [`TextProvider::generate`].
    pub fn answered(
        &self,
        response: Response,
        max_tokens: u32,
        pieces: &mut PieceSink<'_>,
    ) -> Result<Outcome, Attempt> {
        pieces(Piece::Taken)?;
        let kind = response.header("content-type").unwrap_or_default();
        if kind.starts_with("application/json") || kind.starts_with("text/html") {
            return self.whole(response, pieces);
        }
        self.stream(response, text_cap(max_tokens), pieces)
    }

    fn model(&self, id: &str) -> ModelInfo {
        ModelInfo {
            id: id.to_owned(),
            loaded: None,
            default: self.config.default_model.as_deref() == Some(id),
            note: String::new(),
            embeds: None,
            here: true,
        }
    }

    /// The models that a list names.
    ///
    /// # Errors
    /// It is no list as such servers give it.
    pub fn listed(&self, body: &[u8]) -> Result<Vec<ModelInfo>, Attempt> {
        let (name, base) = (&self.config.name, &self.config.base_url);
        let list: Value = serde_json::from_slice(body).unwrap_or_default();
        let Some(data) = list["data"].as_array() else {
            let detail = format!(
                "{name} at {base} does not list models as an OpenAI-compatible server does."
            );
            return Err(self.fail(FailureCode::ProviderFailed, detail));
        };
        let usable = |id: &&str| !id.is_empty() && id.len() <= 200 && is_offered(id, base);
        Ok(data
            .iter()
            .filter_map(|entry| {
                let id = entry["id"].as_str().filter(usable)?;
                Some(ModelInfo {
                    embeds: embeds(id, base, entry["type"].as_str()),
                    ..self.model(id)
                })
            })
            .take(1000)
            .collect())
    }

    /// A server that ignores `stream` answers in one document.
    fn whole(
        &self,
        mut response: Response,
        pieces: &mut PieceSink<'_>,
    ) -> Result<Outcome, Attempt> {
        let (name, base) = (&self.config.name, &self.config.base_url);
        let body = response
            .read_all(DOCUMENT_CAP)
            .map_err(|t| t.attempt(name, base))?;
        let text = String::from_utf8_lossy(&body);
        if looks_like_html(&text) {
            let detail = format!(
                "{name} at {base} answered with a web page. Is that the address of its API?"
            );
            return Err(self.fail(FailureCode::ProviderFailed, detail));
        }
        let mut answer = Answer::default();
        self.take(
            Event {
                name: String::new(),
                data: text.into_owned(),
            },
            &mut answer,
            pieces,
        )?;
        if answer.finish.is_none() && answer.bytes == 0 {
            return Err(self.broke(&answer, "its JSON holds no message"));
        }
        Ok(answer.outcome())
    }
}

#[derive(Default)]
struct Answer {
    bytes: usize,
    chunks: u32,
    done: bool,
    finish: Option<FinishReason>,
    prompt_tokens: Option<u32>,
    output_tokens: Option<u32>,
}

impl Answer {
    fn usage(&mut self, usage: &Value) {
        let number = |name: &str| usage[name].as_u64().and_then(|n| u32::try_from(n).ok());
        self.prompt_tokens = number("prompt_tokens").or(self.prompt_tokens);
        self.output_tokens = number("completion_tokens").or(self.output_tokens);
    }

    fn outcome(&self) -> Outcome {
        Outcome {
            finish: self.finish.unwrap_or(FinishReason::Complete),
            prompt_tokens: self.prompt_tokens,
            output_tokens: self.output_tokens,
        }
    }
}

impl Provider for OpenAi {
    fn name(&self) -> &str {
        &self.config.name
    }

    fn address(&self) -> &str {
        &self.config.base_url
    }

    fn models(&self, cancel: &CancelToken) -> Result<Vec<ModelInfo>, Attempt> {
        let (name, base) = (&self.config.name, &self.config.base_url);
        let url = format!("{base}/models");
        let mut response = send(&Request::get(&url).bearer(self.key()), cancel)
            .map_err(|t| t.attempt(name, base))?;
        // Some gateways have chat but no list; the settings then say which models there are.
        let listless = matches!(response.status, 404 | 405) && !self.config.models.is_empty();
        if !response.is_success() && !listless {
            let mut attempt = response.refusal(name, self.key());
            if attempt.failure.code == FailureCode::ModelUnknown {
                attempt.failure.code = FailureCode::ProviderFailed;
            }
            attempt.again = Again::Elsewhere;
            return Err(attempt);
        }
        if !self.config.models.is_empty() {
            let named = self.config.models.iter().map(|id| ModelInfo {
                embeds: embeds(id, base, None),
                ..self.model(id)
            });
            return Ok(named.collect());
        }
        let body = response
            .read_all(DOCUMENT_CAP)
            .map_err(|t| t.attempt(name, base))?;
        self.listed(&body)
    }
}

/// What its models of this name begin with at OpenAI, which says nothing else about what they do.
const OPENAI_EMBEDS: &str = "text-embedding-";

/// Whether a model makes embeddings, as far as the list tells: LM Studio and others have a `type`.
fn embeds(id: &str, base: &str, kind: Option<&str>) -> Option<bool> {
    if base.contains("api.openai.com") {
        return Some(id.starts_with(OPENAI_EMBEDS));
    }
    match kind? {
        "embedding" | "embeddings" => Some(true),
        "llm" | "vlm" | "chat" | "language" => Some(false),
        _ => None,
    }
}

/// OpenAI lists everything it has; other servers list what they run.
fn is_offered(id: &str, base: &str) -> bool {
    const OTHERS: [&str; 9] = [
        "whisper",
        "tts",
        "dall-e",
        "image",
        "moderation",
        "audio",
        "realtime",
        "transcribe",
        "sora",
    ];
    !base.contains("api.openai.com") || !OTHERS.iter().any(|word| id.contains(word))
}

impl TextProvider for OpenAi {
    fn generate(
        &self,
        request: &TextRequest,
        model: &str,
        pieces: &mut PieceSink<'_>,
        cancel: &CancelToken,
    ) -> Result<Outcome, Attempt> {
        let response = self.open(request, model, cancel)?;
        self.answered(response, request.max_tokens, pieces)
    }

    fn embed(
        &self,
        texts: &[String],
        model: &str,
        dimensions: Option<u16>,
        cancel: &CancelToken,
    ) -> Result<Vectors, Attempt> {
        let base = &self.config.base_url;
        embedding::ask(&self.config, base, texts, model, dimensions, cancel)
    }
}
