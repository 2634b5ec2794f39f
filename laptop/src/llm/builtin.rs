//! The built-in chat partner: rules, not a model, and it says so.
//!
//! It exists so that the first minutes need nothing else installed, and so that tests have a partner whose every word is
//! known. The same messages always give the same answer.

pub mod code;
pub mod digest;
pub mod sums;
pub mod tales;
pub mod talk;

use std::time::Duration;

use crate::ipc::Failure;
use crate::ipc::{
    CancelToken, FailureCode, FinishReason, Gone, ModelInfo, Role, TextKind, TextRequest,
};
use crate::service::{Attempt, BUILT_IN, Provider};

use super::embedding::{self, Vectors};
use super::prompt::estimate_tokens;
use super::{Outcome, Piece, PieceSink, TextProvider};

/// Its only model.
pub const MODEL: &str = "partner";

/// Environment variable with the pause between words in milliseconds.
pub const WORD_PAUSE: &str = "OFFICEOS_BUILTIN_WORD_MS";

/// The built-in partner.
#[derive(Clone, Copy, Debug)]
pub struct Partner {
    pause: Duration,
}

impl Partner {
    /// A partner that waits `pause` before each word.
    pub fn new(pause: Duration) -> Self {
        Self { pause }
    }

    /// A partner with the pause that the environment says, else 12 ms.
    ///
    /// # Errors
    /// When the variable is no number.
    pub fn from_env() -> Result<Self, String> {
        match std::env::var(WORD_PAUSE) {
            Err(_) => Ok(Self::new(Duration::from_millis(12))),
            Ok(text) => match text.trim().parse::<u16>() {
                Ok(ms) => Ok(Self::new(Duration::from_millis(u64::from(ms)))),
                Err(_) => Err(format!(
                    "{WORD_PAUSE} must be a number of milliseconds up to 65535"
                )),
            },
        }
    }
}

/// The whole answer to a request. Pure.
pub fn answer(request: &TextRequest) -> String {
    let last = request
        .messages
        .last()
        .map(|m| m.text.trim())
        .unwrap_or_default();
    match request.kind {
        TextKind::Chat => {
            let said: Vec<&str> = request
                .messages
                .iter()
                .filter(|m| m.role == Role::User)
                .map(|m| m.text.as_str())
                .collect();
            talk::reply(&said)
        }
        TextKind::Complete => tales::continuation(last),
        TextKind::Code => code::write(last),
        TextKind::Summarize => digest::summarize(last),
    }
}

/// Splits text into words with the white space before them, so that joining gives the text again.
pub fn words(text: &str) -> Vec<&str> {
    let (mut list, mut start, mut in_word) = (Vec::new(), 0, false);
    for (i, c) in text.char_indices() {
        if c.is_whitespace() {
            if in_word {
                list.push(&text[start..i]);
                start = i;
            }
            in_word = false;
        } else {
            in_word = true;
        }
    }
    if start < text.len() {
        list.push(&text[start..]);
    }
    list
}

impl Provider for Partner {
    fn name(&self) -> &str {
        BUILT_IN
    }

    fn address(&self) -> &str {
        ""
    }

    fn models(&self, _: &CancelToken) -> Result<Vec<ModelInfo>, Attempt> {
        let note = "built-in: simple rules, no language model".to_owned();
        Ok(vec![ModelInfo {
            id: MODEL.to_owned(),
            loaded: Some(true),
            default: true,
            note,
            embeds: Some(false),
            here: true,
        }])
    }
}

impl TextProvider for Partner {
    fn generate(
        &self,
        request: &TextRequest,
        model: &str,
        pieces: &mut PieceSink<'_>,
        cancel: &CancelToken,
    ) -> Result<Outcome, Attempt> {
        if model != MODEL {
            let detail = "The built-in provider of text has one model: built-in/partner.";
            return Err(Attempt::fatal(FailureCode::ModelUnknown, BUILT_IN, detail));
        }
        pieces(Piece::Taken)?;
        let text = answer(request);
        let mut tokens = 0;
        let mut finish = FinishReason::Complete;
        for word in words(&text) {
            if tokens == request.max_tokens {
                finish = FinishReason::Length;
                break;
            }
            if !cancel.sleep(self.pause) {
                return Err(Failure::from(Gone).into());
            }
            pieces(Piece::Text(word.to_owned()))?;
            tokens += 1;
        }
        let prompt: usize = request.messages.iter().map(|m| m.text.len()).sum();
        Ok(Outcome {
            finish,
            prompt_tokens: Some(estimate_tokens(prompt)),
            output_tokens: Some(tokens),
        })
    }

    fn embed(
        &self,
        _: &[String],
        _: &str,
        _: Option<u16>,
        _: &CancelToken,
    ) -> Result<Vectors, Attempt> {
        let why =
            "it is a set of rules and knows no meaning of texts. Ask a provider with such a model.";
        Err(embedding::unsupported(BUILT_IN, why))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ipc::ChatMessage;
    use proptest::prelude::*;

    fn request(kind: TextKind, text: &str, max_tokens: u32) -> TextRequest {
        let messages = vec![ChatMessage {
            role: Role::User,
            text: text.into(),
        }];
        TextRequest {
            kind,
            model: String::new(),
            messages,
            max_tokens,
            temperature_permille: None,
        }
    }

    fn run(request: &TextRequest) -> (Vec<String>, Outcome) {
        let mut list = Vec::new();
        let mut take = |piece| {
            if let Piece::Text(text) = piece {
                list.push(text);
            }
            Ok(())
        };
        let partner = Partner::new(Duration::ZERO);
        let outcome = partner
            .generate(request, MODEL, &mut take, &CancelToken::new())
            .unwrap();
        (list, outcome)
    }

    #[test]
    fn it_streams_word_by_word_and_the_words_join_to_the_answer() {
        let request = request(TextKind::Chat, "Hello there", 500);
        let (pieces, outcome) = run(&request);
        assert!(pieces.len() > 5);
        assert_eq!(pieces.concat(), answer(&request));
        assert_eq!(outcome.output_tokens, u32::try_from(pieces.len()).ok());
        assert_eq!(
            run(&request).0,
            pieces,
            "the same question has the same answer"
        );
    }

    #[test]
    fn max_tokens_is_kept_and_told() {
        let (pieces, outcome) = run(&request(TextKind::Chat, "tell me a long story", 7));
        assert_eq!((pieces.len(), outcome.finish), (7, FinishReason::Length));
    }

    #[test]
    fn a_cancel_ends_it_between_words() {
        let cancel = CancelToken::new();
        let mut count = 0;
        let mut take = |piece| {
            if matches!(piece, Piece::Text(_)) {
                count += 1;
                if count == 3 {
                    cancel.cancel();
                }
            }
            Ok(())
        };
        let request = request(TextKind::Chat, "count to 100", 500);
        let result =
            Partner::new(Duration::from_millis(1)).generate(&request, MODEL, &mut take, &cancel);
        assert_eq!(result.unwrap_err().failure.code, FailureCode::Cancelled);
        assert_eq!(count, 3);
    }

    #[test]
    fn another_model_name_is_refused() {
        let partner = Partner::new(Duration::ZERO);
        let result = partner.generate(
            &request(TextKind::Chat, "x", 1),
            "gpt-9",
            &mut |_| Ok(()),
            &CancelToken::new(),
        );
        assert_eq!(result.unwrap_err().failure.code, FailureCode::ModelUnknown);
    }

    proptest! {
        #[test]
        fn nothing_typed_makes_it_panic_or_fall_silent(text in "\\PC{1,80}", kind in 0u8..4) {
            let kind = [TextKind::Chat, TextKind::Complete, TextKind::Code, TextKind::Summarize][kind as usize];
            prop_assert!(!answer(&request(kind, &text, 1)).trim().is_empty());
        }

        #[test]
        fn words_join_to_the_text(text in "[ a-zé\n]{0,60}") {
            prop_assert_eq!(words(&text).concat(), text);
        }
    }
}
