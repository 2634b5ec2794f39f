//! Ollama's own API: it tells which models are in memory, and how large they are.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};

use crate::ipc::{CancelToken, FailureCode, FinishReason, ModelInfo, TextRequest};
use crate::service::config::ProviderConfig;
use crate::service::http::{DOCUMENT_CAP, Request, Response, Trouble, send};
use crate::service::wording::{error_message, one_line};
use crate::service::{Again, Attempt, Provider};

use super::embedding::{self, Vectors};
use super::lines::Lines;
use super::prompt::{messages, role_name};
use super::{LINE_CAP, Outcome, Piece, PieceSink, TextProvider, text_cap};

/// An Ollama server.
pub struct Ollama {
    config: ProviderConfig,
    /// Whether a model makes embeddings, by its digest: what a digest can do never changes.
    embeds: Mutex<BTreeMap<String, Option<bool>>>,
}

/// Models whose talents are asked for in one listing; the next one goes on.
const MAX_ASKED: usize = 64;
/// Talents that are remembered; beyond, all are forgotten and asked for again.
const MAX_REMEMBERED: usize = 2000;
/// Longest silence of a server that is asked for a talent: it reads a file's head for that.
const SHOW_PATIENCE: Duration = Duration::from_secs(5);

impl Ollama {
    /// The server that `config` describes.
    pub fn new(config: ProviderConfig) -> Self {
        Self {
            config,
            embeds: Mutex::default(),
        }
    }

    fn key(&self) -> Option<&str> {
        self.config.key.as_deref()
    }

    fn get(&self, path: &str, cancel: &CancelToken) -> Result<Value, Attempt> {
        let (name, base) = (&self.config.name, &self.config.base_url);
        let url = format!("{base}{path}");
        let mut response = send(&Request::get(&url).bearer(self.key()), cancel)
            .map_err(|t| t.attempt(name, base))?;
        if !response.is_success() {
            let mut attempt = response.refusal(name, self.key());
            attempt.failure.code = FailureCode::ProviderFailed;
            attempt.again = Again::Elsewhere;
            return Err(attempt);
        }
        let body = response
            .read_all(DOCUMENT_CAP)
            .map_err(|t| t.attempt(name, base))?;
        serde_json::from_slice(&body).map_err(|_| {
            let detail = format!("{name} at {base} does not answer as an Ollama server does.");
            Attempt::fatal(FailureCode::ProviderFailed, name, detail)
        })
    }

    /// Whether the model `id` makes embeddings and writes no text. `left` counts how many may still be asked for.
    fn embeds(
        &self,
        id: &str,
        digest: &str,
        left: &mut usize,
        cancel: &CancelToken,
    ) -> Option<bool> {
        let known = || self.embeds.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known().get(digest) {
            return *known;
        }
        *left = left.checked_sub(1)?;
        let url = format!("{}/api/show", self.config.base_url);
        let post = Request::post(&url, &json!({ "model": id }));
        let post = Request {
            idle: SHOW_PATIENCE,
            ..post.bearer(self.key())
        };
        let Ok(mut response) = send(&post, cancel) else {
            // It would keep whoever asks waiting for each of the others, too.
            *left = 0;
            return None;
        };
        // An old server has no such path, or says nothing of capabilities: nobody knows then. Other refusals pass.
        let shown: Value = match response.status {
            404 | 405 => Value::Null,
            _ if !response.is_success() => return None,
            _ => {
                let Ok(body) = response.read_all(DOCUMENT_CAP) else {
                    *left = 0;
                    return None;
                };
                serde_json::from_slice(&body).ok()?
            }
        };
        let embeds = shown["capabilities"].as_array().map(|list| {
            let has = |word: &str| list.iter().any(|one| one.as_str() == Some(word));
            (has("embedding"), has("completion"))
        });
        // One that does both is neither for the one nor for the other alone.
        let embeds = match embeds {
            Some((embeds, writes)) if embeds != writes => Some(embeds),
            _ => None,
        };
        let mut known = known();
        if known.len() >= MAX_REMEMBERED {
            known.clear();
        }
        if !digest.is_empty() && digest.len() <= 200 {
            known.insert(digest.to_owned(), embeds);
        }
        embeds
    }

    /// Takes the answer to a request in.
    ///
    /// # Errors
    /// As [`TextProvider::generate`].
    pub fn answered(
        &self,
        mut response: Response,
        max_tokens: u32,
        pieces: &mut PieceSink<'_>,
    ) -> Result<Outcome, Attempt> {
        let (name, base) = (&self.config.name, &self.config.base_url);
        pieces(Piece::Taken)?;
        let cap = text_cap(max_tokens);
        let (mut lines, mut chunk, mut bytes) = (Lines::new(LINE_CAP), [0u8; 16 << 10], 0);
        loop {
            let n = match response.read(&mut chunk) {
                Ok(n) => n,
                Err(Trouble::Broke(why)) => {
                    return Err(self.broke(bytes, &format!("the connection ended early ({why})")));
                }
                Err(other) => return Err(other.attempt(name, base)),
            };
            let mut whole: Vec<Vec<u8>> = Vec::new();
            let fed = lines.feed(&chunk[..n], |line| whole.push(line.to_vec()));
            if n == 0 {
                whole.push(lines.rest());
            }
            for line in whole.iter().filter(|line| !line.trim_ascii().is_empty()) {
                let Ok(value) = serde_json::from_slice::<Value>(line) else {
                    let start = String::from_utf8_lossy(&line[..line.len().min(80)]).into_owned();
                    return Err(self.broke(
                        bytes,
                        &format!("it sent something that is not JSON: {}", one_line(&start)),
                    ));
                };
                if value.get("error").is_some() {
                    let said = error_message(&value).unwrap_or_default();
                    return Err(self.broke(bytes, &format!("it reported an error: {said}")));
                }
                if let Some(text) = value["message"]["content"]
                    .as_str()
                    .filter(|text| !text.is_empty())
                {
                    bytes += text.len();
                    pieces(Piece::Text(text.to_owned()))?;
                }
                let number = |name: &str| value[name].as_u64().and_then(|n| u32::try_from(n).ok());
                let done = value["done"].as_bool() == Some(true);
                if done || bytes > cap {
                    let long = !done || value["done_reason"].as_str() == Some("length");
                    return Ok(Outcome {
                        finish: if long {
                            FinishReason::Length
                        } else {
                            FinishReason::Complete
                        },
                        prompt_tokens: number("prompt_eval_count"),
                        output_tokens: number("eval_count"),
                    });
                }
            }
            if fed.is_err() {
                return Err(self.broke(bytes, "it sent a line of more than 1 MiB"));
            }
            if n == 0 {
                return Err(self.broke(bytes, "the stream ended without a finish"));
            }
        }
    }

    fn broke(&self, bytes: usize, why: &str) -> Attempt {
        let name = &self.config.name;
        let (code, what) = match bytes {
            0 => (
                FailureCode::ProviderFailed,
                "took the request but gave no answer",
            ),
            _ => (
                FailureCode::ProviderBroke,
                "stopped in the middle of its answer",
            ),
        };
        Attempt::fatal(code, name, format!("{name} {what}: {why}."))
    }
}

impl Provider for Ollama {
    fn name(&self) -> &str {
        &self.config.name
    }

    fn address(&self) -> &str {
        &self.config.base_url
    }

    fn models(&self, cancel: &CancelToken) -> Result<Vec<ModelInfo>, Attempt> {
        let tags = self.get("/api/tags", cancel)?;
        // The load state is a remark; an old server without it is still a good one.
        let running = self.get("/api/ps", cancel).unwrap_or_default();
        let loaded: Vec<&str> = running["models"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|m| m["name"].as_str())
            .collect();
        let Some(list) = tags["models"].as_array() else {
            let detail = format!(
                "{} at {} does not list models as Ollama does.",
                self.config.name, self.config.base_url
            );
            return Err(Attempt::fatal(
                FailureCode::ProviderFailed,
                &self.config.name,
                detail,
            ));
        };
        let (mut models, mut left) = (Vec::new(), MAX_ASKED);
        for model in list.iter().take(1000) {
            let Some(id) = model["name"]
                .as_str()
                .filter(|id| !id.is_empty() && id.len() <= 200)
            else {
                continue;
            };
            if !self.config.models.is_empty() && !self.config.models.iter().any(|m| m == id) {
                continue;
            }
            let digest = model["digest"].as_str().unwrap_or_default();
            let embeds = self.embeds(id, digest, &mut left, cancel);
            let detail = |name: &str| model["details"][name].as_str().unwrap_or_default();
            models.push(ModelInfo {
                id: id.to_owned(),
                loaded: Some(loaded.contains(&id)),
                default: self.config.default_model.as_deref() == Some(id),
                note: one_line(&format!(
                    "{} {}",
                    detail("parameter_size"),
                    detail("quantization_level")
                )),
                embeds,
                here: true,
            });
        }
        Ok(models)
    }
}

impl TextProvider for Ollama {
    fn generate(
        &self,
        request: &TextRequest,
        model: &str,
        pieces: &mut PieceSink<'_>,
        cancel: &CancelToken,
    ) -> Result<Outcome, Attempt> {
        let (name, base) = (&self.config.name, &self.config.base_url);
        let list: Vec<Value> = messages(request)
            .iter()
            .map(|m| json!({ "role": role_name(m.role), "content": m.text }))
            .collect();
        let mut body = json!({ "model": model, "messages": list, "stream": true, "options": { "num_predict": request.max_tokens } });
        if let Some(permille) = request.temperature_permille {
            body["options"]["temperature"] = (f64::from(permille) / 1000.0).into();
        }
        let url = format!("{base}/api/chat");
        let post = Request {
            idle: self.config.idle,
            ..Request::post(&url, &body)
        };
        let mut response =
            send(&post.bearer(self.key()), cancel).map_err(|t| t.attempt(name, base))?;
        if !response.is_success() {
            return Err(response.refusal(name, self.key()));
        }
        self.answered(response, request.max_tokens, pieces)
    }
    fn embed(
        &self,
        texts: &[String],
        model: &str,
        dimensions: Option<u16>,
        cancel: &CancelToken,
    ) -> Result<Vectors, Attempt> {
        let base = format!("{}/v1", self.config.base_url);
        embedding::ask(&self.config, &base, texts, model, dimensions, cancel)
    }
}
