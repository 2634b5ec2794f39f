//! The language service: routes a request to a provider and streams its answer.

pub mod builtin;
pub mod embedding;
pub mod lines;
pub mod ollama;
pub mod openai;
pub mod prompt;
pub mod service;
pub mod sse;

#[cfg(test)]
mod tests;

use crate::ipc::{CancelToken, FinishReason, Gone, TextRequest};
use crate::service::{Attempt, Provider};
use embedding::Vectors;

/// What a provider says while it answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// The request was taken; nothing is to be shown yet.
    Taken,
    /// More text.
    Text(String),
}

/// How an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Why it stopped.
    pub finish: FinishReason,
    /// Tokens of the prompt, if told.
    pub prompt_tokens: Option<u32>,
    /// Tokens of the answer, if told.
    pub output_tokens: Option<u32>,
}

/// Where a provider puts its pieces; `Gone` means that nobody listens any more.
pub type PieceSink<'a> = dyn FnMut(Piece) -> Result<(), Gone> + 'a;

/// A provider of text.
pub trait TextProvider: Provider {
    /// Answers `request` with `model` (its own name for it), piece by piece.
    ///
    /// # Errors
    /// An [`Attempt`] that names the provider. `Again::Never` once any text was given.
    fn generate(
        &self,
        request: &TextRequest,
        model: &str,
        pieces: &mut PieceSink<'_>,
        cancel: &CancelToken,
    ) -> Result<Outcome, Attempt>;

    /// Makes vectors of at most [`embedding::BATCH`] texts with `model` (its own name for it).
    ///
    /// # Errors
    /// An [`Attempt`] that names the provider; `Unsupported` where it makes none.
    fn embed(
        &self,
        texts: &[String],
        model: &str,
        dimensions: Option<u16>,
        cancel: &CancelToken,
    ) -> Result<Vectors, Attempt>;
}

/// Most bytes of one line of a provider's stream.
pub const LINE_CAP: usize = 1 << 20;

/// Most bytes of answer text for a request of `max_tokens`: far above any real token length, so that only a provider that
/// ignores the limit meets it.
pub fn text_cap(max_tokens: u32) -> usize {
    (max_tokens as usize)
        .saturating_mul(48)
        .saturating_add(4096)
        .min(4 << 20)
}
