//! What the gateway asks for its callers, and the events that answer it.
//!
//! Every method carries the key that the caller showed. The daemon finds out whose it is; the gateway itself keeps none.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A caller's key. It stays out of every log.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// Asks for the models that a caller may name.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct GatewayKey {
    /// The caller's key.
    pub key: Secret,
}

/// Who said a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Speaker {
    /// Standing instructions; before all others.
    System,
    /// The person.
    User,
    /// The model, earlier.
    Assistant,
}

/// One message of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GatewayMessage {
    /// Who said it.
    pub role: Speaker,
    /// What was said.
    pub text: String,
}

/// How a text is to be written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sampling {
    /// Most tokens of the answer, 1 to 16384; the daemon's usual number where it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u32>,
    /// Temperature in hundredths, 0 to 200; the provider's where it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<u8>,
    /// Texts before which the answer ends; four at the most.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stop: Vec<String>,
}

/// Asks for the next turn of a conversation.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct GatewayChat {
    /// The caller's key.
    pub key: Secret,
    /// `provider/model`.
    pub model: String,
    /// The conversation, oldest first; the last message is the person's.
    pub messages: Vec<GatewayMessage>,
    /// How to write.
    #[serde(flatten)]
    pub sampling: Sampling,
}

/// Asks for the continuation of a text.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct GatewayText {
    /// The caller's key.
    pub key: Secret,
    /// `provider/model`.
    pub model: String,
    /// The text to go on from.
    pub prompt: String,
    /// How to write.
    #[serde(flatten)]
    pub sampling: Sampling,
}

/// Asks for vectors of texts.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct GatewayEmbed {
    /// The caller's key.
    pub key: Secret,
    /// `provider/model`.
    pub model: String,
    /// The texts, 1 to 512; none is empty.
    pub input: Vec<String>,
    /// How many numbers a vector is to have, 1 to 8192; the model's own where it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dimensions: Option<u16>,
}

/// Asks for pictures.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct GatewayImage {
    /// The caller's key.
    pub key: Secret,
    /// `provider/model`.
    pub model: String,
    /// What to paint.
    pub prompt: String,
    /// Pixels across, 16 to 2048.
    pub width: u16,
    /// Pixels down, 16 to 2048.
    pub height: u16,
    /// How many, 1 to 4.
    pub count: u8,
}

/// Why a request ended, coarsely: what a client has to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GatewayFault {
    /// Nobody has this key, or it has run out or was revoked.
    Key,
    /// The rules deny it, or a person did.
    Denied,
    /// There is no such model for this caller.
    Model,
    /// Too many requests a minute, or at once.
    Rate,
    /// What is allowed of a day is used up.
    Quota,
    /// The request cannot be done as asked.
    Request,
    /// The conversation is longer than the laptop takes.
    TooLong,
    /// The service or provider is not there.
    Unavailable,
    /// The provider was there and failed.
    Provider,
    /// The laptop failed.
    Internal,
}

/// One step of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum GatewayEvent {
    /// The models that this caller may name. The answer ends with it.
    Models {
        /// Their ids, `provider/model`.
        models: Vec<String>,
    },
    /// A person is being asked.
    Asking {
        /// Seconds until nobody is waited for any longer.
        expires_in_s: u64,
    },
    /// A provider has taken it up.
    Started {
        /// `provider/model`.
        model: String,
    },
    /// More text.
    Delta {
        /// The text.
        text: String,
    },
    /// A piece of a picture, in order.
    Picture {
        /// Which picture, from 0.
        index: u8,
        /// Base64 of the piece; pieces can be joined as they are.
        data: String,
        /// Whether it is the last piece of this picture.
        last: bool,
    },
    /// The vector of one text, in their order.
    Vector {
        /// Which text, from 0.
        index: u16,
        /// Base64 of its numbers, each a little-endian 32-bit float.
        data: String,
    },
    /// The end: all is well.
    Done {
        /// Tokens of the prompt.
        prompt_tokens: u64,
        /// Tokens of the answer.
        output_tokens: u64,
        /// Whether the answer was cut short by its number of tokens.
        cut_short: bool,
    },
    /// The end: it went wrong.
    Failed {
        /// What to do about it.
        fault: GatewayFault,
        /// A sentence for a person. Foreign text in it is escaped.
        message: String,
        /// Seconds after which it may work, where that is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after_s: Option<u64>,
    },
}
