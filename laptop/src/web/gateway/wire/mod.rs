//! OpenAI's wire: requests to what the control socket takes, its events to objects and chunks. Pure.
//!
//! Source: OpenAI's API reference and the code of its official clients. A parameter that this gateway does not have and that
//! would change the answer is refused by its name, unless it asks for what happens anyway.

mod chat;
mod embedding;
mod error;
mod fields;
mod image;
mod model;
mod text;

pub use error::ApiError;

use crate::control::api::GatewayEvent;
use serde_json::Value;

/// What identifies an answer.
#[derive(Debug, Clone)]
pub struct Stamp {
    /// Different for each answer.
    pub id: String,
    /// Seconds since 1970.
    pub created: u64,
}

/// What is asked of the daemon, and how its events become an answer.
pub struct Asked {
    /// The method of the control socket.
    pub method: &'static str,
    /// Its parameters, the caller's key included.
    pub params: Value,
    /// Makes the answer.
    pub answer: Box<dyn Answer>,
}

/// Makes an answer of events.
pub trait Answer {
    /// Takes one event in.
    fn take(&mut self, event: GatewayEvent) -> Told;

    /// Octets that it keeps until its end, where that may be many: a text is bounded by its tokens.
    fn held(&self) -> usize {
        0
    }
}

/// What an event means for the client.
#[derive(Debug, Clone, PartialEq)]
pub enum Told {
    /// Nothing yet.
    Nothing,
    /// These chunks of a stream.
    Chunks(Vec<Value>),
    /// The end of a stream, after these chunks.
    End(Vec<Value>),
    /// The whole answer.
    Whole(Value),
    /// The whole answer, written down already.
    Written(String),
    /// An end that is none.
    Failed(ApiError),
}

/// Reads a request for `path` (behind `/v1`) with the caller's `key`.
///
/// # Errors
/// An [`ApiError`] for the client.
pub fn read(
    method: &str,
    path: &str,
    body: &[u8],
    key: &str,
    stamp: Stamp,
) -> Result<Asked, ApiError> {
    match (method, path) {
        ("GET", "/models") => model::list(key),
        ("GET", one) if one.starts_with("/models/") => model::one(key, &one["/models/".len()..]),
        ("POST", "/chat/completions") => chat::read(body, key, stamp),
        ("POST", "/completions") => text::read(body, key, stamp),
        ("POST", "/embeddings") => embedding::read(body, key),
        ("POST", "/images/generations") => image::read(body, key, stamp),
        (
            _,
            "/models"
            | "/chat/completions"
            | "/completions"
            | "/embeddings"
            | "/images/generations",
        ) => Err(ApiError::method(method)),
        _ => Err(ApiError::no_path(path)),
    }
}

/// `usage` of a text.
fn usage(prompt_tokens: u64, output_tokens: u64) -> Value {
    serde_json::json!({
        "prompt_tokens": prompt_tokens,
        "completion_tokens": output_tokens,
        "total_tokens": prompt_tokens.saturating_add(output_tokens),
    })
}

/// Why a text ended.
fn finish_reason(cut_short: bool) -> &'static str {
    match cut_short {
        true => "length",
        false => "stop",
    }
}
