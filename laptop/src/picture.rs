//! The image service: routes a request to a painter, checks what comes back and fits it to the screen that asked.

pub mod a1111;
pub mod check;
pub mod fit;
pub mod multipart;
pub mod openai;
pub mod painter;
pub mod service;
pub mod stability;

#[cfg(test)]
mod tests;

use crate::ipc::{CancelToken, Gone, PictureRequest};
use crate::service::{Attempt, Provider};

/// How far a painter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advance {
    /// Thousandths done.
    pub permille: u16,
    /// Seconds left, if known.
    pub eta_s: Option<u32>,
}

/// Where a painter reports how far it is; `Gone` means that nobody waits any more.
pub type AdvanceSink<'a> = dyn FnMut(Advance) -> Result<(), Gone> + Send + 'a;

/// What a painter made.
pub struct Painted {
    /// The picture as it came, still to be checked.
    pub bytes: Vec<u8>,
    /// The seed that makes it again, if told.
    pub seed: Option<u64>,
}

/// A provider of pictures.
pub trait PictureProvider: Provider {
    /// Does what `request` says with `model` (its own name for it). The source, if any, is a checked PNG.
    ///
    /// # Errors
    /// An [`Attempt`] that names the provider.
    fn paint(
        &self,
        request: &PictureRequest,
        model: &str,
        advance: &mut AdvanceSink<'_>,
        cancel: &CancelToken,
    ) -> Result<Painted, Attempt>;
}

/// Most bytes of an answer with a picture: base64 of the largest original and something around it.
pub const ANSWER_CAP: usize = 40 << 20;
