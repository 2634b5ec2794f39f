//! What the daemon may ask of a service, and what a service answers.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use std::cell::Cell;

/// One request to a service process. Each service answers its own kinds and refuses the others by name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ServiceRequest {
    /// Text from a language model (llm-service). Answer: `Started`, `Text`…, `Usage`, `Done`.
    Text(TextRequest),
    /// One picture (image-service). Answer: `Started`, `Progress`…, `Picture`, `Usage`, `Done`.
    Picture(PictureRequest),
    /// The content of a URL (fetch-service). Answer: `Started`, `Head`, `Bytes`…, `Usage`, `Done`.
    Fetch(FetchRequest),
    /// Which models there are. Answer: `Models`, `Done`. Asks the providers unless a fresh answer is at hand.
    Models,
    /// How the providers are. Answer: `Health`, `Done`.
    Health,
    /// Read the settings again; what is being answered goes on by those of before. Answer: `Done`.
    Reload,
    /// Ask every provider now, and say what works. Answer: `Checks`, `Done`.
    Check,
    /// Vectors of texts (llm-service). Answer: `Started`, one `Vector` for each text, `Usage`, `Done`.
    Embed(EmbedRequest),
    /// Another request, for which no model of this list is taken, whoever would choose it. Answer: as of the other one.
    Without(
        Vec<String>,
        #[serde(deserialize_with = "once")] Box<ServiceRequest>,
    ),
}

/// Reads the request within another one. One within that would be refused anyway, and a million of them would fill the stack.
fn once<'de, D: Deserializer<'de>>(reader: D) -> Result<Box<ServiceRequest>, D::Error> {
    thread_local!(static WITHIN: Cell<bool> = const { Cell::new(false) });
    if WITHIN.replace(true) {
        return Err(D::Error::custom(
            "a request within a request within a request",
        ));
    }
    let request = Box::deserialize(reader);
    WITHIN.set(false);
    request
}

impl ServiceRequest {
    /// The request itself, and the models that are not taken for it.
    pub fn parted(self) -> (Vec<String>, Self) {
        match self {
            Self::Without(off, request) => (off, *request),
            request => (Vec::new(), request),
        }
    }

    /// The same, without the models of `off`.
    #[must_use]
    pub fn without(self, off: Vec<String>) -> Self {
        match off.is_empty() {
            true => self,
            false => Self::Without(off, Box::new(self)),
        }
    }
}

/// What kind of text is wanted; decides the instruction that is put before the messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TextKind {
    /// The next turn of a conversation.
    Chat,
    /// The continuation of the last message's text.
    Complete,
    /// Program code for the last message's task.
    Code,
    /// A short version of the last message's text.
    Summarize,
}

/// Who said a [`ChatMessage`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Role {
    /// Standing instruction.
    System,
    /// The person.
    User,
    /// The model, earlier.
    Assistant,
}

/// One turn of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatMessage {
    /// Who said it.
    pub role: Role,
    /// What was said.
    pub text: String,
}

/// A request for text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TextRequest {
    /// What kind of text.
    pub kind: TextKind,
    /// `<provider>/<model>`, or empty for the laptop's default.
    pub model: String,
    /// The conversation, oldest first; the last one is what is being asked. At least one.
    pub messages: Vec<ChatMessage>,
    /// Most tokens the answer may have; at least 1.
    pub max_tokens: u32,
    /// Sampling temperature in thousandths (700 = 0.7); `None` leaves it to the provider.
    pub temperature_permille: Option<u16>,
}

/// A request for vectors.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmbedRequest {
    /// `<provider>/<model>`.
    pub model: String,
    /// What to make vectors of; none is empty, 1 to 512.
    pub texts: Vec<String>,
    /// How many numbers a vector is to have; `None` leaves it to the model.
    pub dimensions: Option<u16>,
}

/// What to do about a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PictureKind {
    /// Paint `prompt`.
    Generate,
    /// Change `source` as `prompt` says.
    Edit,
    /// Make `source` larger by `scale`.
    Upscale,
    /// Another picture like `source`.
    Variation,
    /// Fit `source` to the screen, nothing else; no provider is asked.
    Fit,
}

/// How a picture is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PictureFormat {
    /// Baseline JPEG, 4:2:0.
    Jpeg,
    /// PNG, 8 bits a channel.
    Png,
    /// Rows of little-endian RGB565 without padding, compressed with zstd.
    Rgb565Zstd,
    /// WebP (only ever read, never produced).
    WebP,
}

/// The screen a picture will be shown on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Screen {
    /// Width in pixels.
    pub width: u16,
    /// Height in pixels.
    pub height: u16,
    /// Formats the device can decode; the smallest encoding among them is sent. Empty means JPEG and PNG.
    pub accepts: Vec<PictureFormat>,
}

/// A request for a picture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PictureRequest {
    /// What to do.
    pub kind: PictureKind,
    /// `<provider>/<model>`, or empty for the laptop's default.
    pub model: String,
    /// What to paint or change.
    pub prompt: String,
    /// What should not be in it; may be empty.
    pub negative: String,
    /// A style word such as "oil" or "pixel"; may be empty.
    pub style: String,
    /// Wanted width in pixels.
    pub width: u16,
    /// Wanted height in pixels.
    pub height: u16,
    /// Sampling steps; 0 leaves it to the provider.
    pub steps: u16,
    /// Seed; `None` lets the provider choose.
    pub seed: Option<u64>,
    /// How far an edit or variation may leave the source, in thousandths (0 = provider's default).
    pub strength_permille: u16,
    /// Enlargement of an upscale: 2 to 4.
    pub scale: u8,
    /// The encoded source picture of edit, upscale, variation and fit; empty otherwise.
    #[serde(with = "blob")]
    pub source: Vec<u8>,
    /// Where it will be shown.
    pub screen: Screen,
}

/// One entry of the allow-list that a fetch and each of its redirects must match.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AllowedUrl {
    /// `scheme://host[:port]/path-prefix`; the host may begin with `*.` for its subdomains; `*` alone allows every public URL.
    pub pattern: String,
    /// Whether this entry may lead to loopback, private or link-local addresses.
    pub private: bool,
}

/// A request to download a URL.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FetchRequest {
    /// What to download; `http` or `https`.
    pub url: String,
    /// Most bytes of body; more ends as [`FailureCode::TooLarge`].
    pub max_bytes: u64,
    /// Redirects to follow, 0 to 3.
    pub max_redirects: u8,
    /// What `url` and every redirect must match.
    pub allow: Vec<AllowedUrl>,
}

/// One step of a service's answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ServiceEvent {
    /// The request was routed; from here on the provider may have been asked.
    Started {
        /// Name of the provider, `built-in` for the one in this program.
        provider: String,
        /// Model as the provider names it.
        model: String,
    },
    /// More text, in order.
    Text(String),
    /// How far a picture or download is.
    Progress {
        /// Thousandths done.
        permille: u16,
        /// Seconds left, where known.
        eta_s: Option<u32>,
    },
    /// The finished picture.
    Picture(Picture),
    /// What a download is, before its bytes.
    Head {
        /// The URL after redirects.
        url: String,
        /// Content type as the server said it; empty if it did not.
        content_type: String,
        /// Length as the server said it.
        length: Option<u64>,
    },
    /// More bytes of a download, in order.
    Bytes(#[serde(with = "blob")] Vec<u8>),
    /// What it cost. At most once, just before the end; also before `Failed` when something had arrived.
    Usage(Usage),
    /// Answer to [`ServiceRequest::Models`].
    Models(Vec<ModelInfo>),
    /// Answer to [`ServiceRequest::Health`].
    Health(Vec<ProviderHealth>),
    /// The end: all is well.
    Done(FinishReason),
    /// The end: it went wrong; what had arrived stays valid.
    Failed(Failure),
    /// Answer to [`ServiceRequest::Check`].
    Checks(Vec<ProviderCheck>),
    /// The vector of the next text.
    Vector(Vec<f32>),
}

/// Why an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FinishReason {
    /// It was complete.
    Complete,
    /// `max_tokens` was reached.
    Length,
}

/// A finished picture: one for the screen, one to keep.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Picture {
    /// Encoded for the screen that asked.
    #[serde(with = "blob")]
    pub fitted: Vec<u8>,
    /// Encoding of `fitted`.
    pub format: PictureFormat,
    /// Width of `fitted` in pixels.
    pub width: u16,
    /// Height of `fitted` in pixels.
    pub height: u16,
    /// The whole picture as it was made, encoded for a file.
    #[serde(with = "blob")]
    pub original: Vec<u8>,
    /// Encoding of `original`.
    pub original_format: PictureFormat,
    /// Width of `original` in pixels.
    pub original_width: u16,
    /// Height of `original` in pixels.
    pub original_height: u16,
    /// Seed that makes it again, where the provider told it.
    pub seed: Option<u64>,
}

/// What a request cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens of the prompt.
    pub prompt_tokens: u32,
    /// Tokens of the answer.
    pub output_tokens: u32,
    /// Pictures made.
    pub pictures: u32,
    /// Bytes downloaded.
    pub bytes: u64,
    /// Whether token counts are this service's estimate because the provider told none.
    pub estimated: bool,
}

/// A model that can be asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelInfo {
    /// `<provider>/<model>`: what a request's `model` names.
    pub id: String,
    /// Whether it is in memory already, where the provider tells.
    pub loaded: Option<bool>,
    /// Whether an empty `model` means this one.
    pub default: bool,
    /// Short remark for a list, such as "8.0B Q4_0"; may be empty.
    pub note: String,
    /// Whether it makes embeddings and no text, where the provider tells.
    pub embeds: Option<bool>,
    /// Whether this machine works on what it is asked; false where another one does.
    pub here: bool,
}

/// Condition of a provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Health {
    /// The last contact went well.
    Healthy,
    /// It answers, but something failed lately.
    Degraded(String),
    /// It cannot be asked now.
    Unhealthy(String),
}

/// Condition of one provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderHealth {
    /// Its name in model ids.
    pub provider: String,
    /// Where it is asked; empty for the built-in one. Never holds a key.
    pub address: String,
    /// How it is.
    pub health: Health,
}

/// Where a provider is known from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Source {
    /// It is in `services.toml`.
    File,
    /// It answers on one of this machine's usual ports.
    Found,
    /// A key in the environment.
    Key,
    /// It is inside this program.
    BuiltIn,
}

/// What came of asking one provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderCheck {
    /// Its name in model ids.
    pub provider: String,
    /// Where it was asked; empty for the built-in one.
    pub address: String,
    /// Where it is known from.
    pub source: Source,
    /// Models that it lists.
    pub models: u32,
    /// Milliseconds until it had answered.
    pub answered_ms: u32,
    /// Why it cannot be used; `None` where it can.
    pub trouble: Option<Failure>,
}

/// Whose fault a failure was, coarsely.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum FailureCode {
    /// The request itself cannot be done as asked.
    BadRequest,
    /// No provider has such a model.
    ModelUnknown,
    /// The provider could not be reached; nothing ran.
    ProviderUnreachable,
    /// The provider refused, or answered something that is no answer.
    ProviderFailed,
    /// The provider stopped in the middle of its answer.
    ProviderBroke,
    /// The provider said "too many requests" until the deadline.
    RateLimited,
    /// The provider's key is missing or was refused.
    KeyRefused,
    /// The picture cannot be read or breaks a limit.
    BadImage,
    /// Larger than the request or this service allows.
    TooLarge,
    /// The URL, or a redirect from it, is not allowed.
    UrlRefused,
    /// The server has nothing there.
    NotFound,
    /// This service or provider cannot do that at all.
    Unsupported,
    /// Too many requests at once in this service.
    Busy,
    /// The request was cancelled.
    Cancelled,
    /// The service process is not there (made by the client, never sent).
    ServiceUnreachable,
    /// The service process went away in the middle (made by the client, never sent).
    ServiceGone,
    /// The owner of the laptop has switched the model off.
    ModelOff,
}

/// A failure, fit to be shown: whose fault and what was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Coarse cause.
    pub code: FailureCode,
    /// The provider it concerns; empty when none was involved.
    pub provider: String,
    /// One or two plain sentences. Holds no key; foreign text in it is escaped and bounded.
    pub detail: String,
}

impl Failure {
    /// A failure of `code` at `provider` with the sentence `detail`.
    pub fn new(code: FailureCode, provider: &str, detail: impl Into<String>) -> Self {
        Self {
            code,
            provider: provider.to_owned(),
            detail: detail.into(),
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.provider.is_empty() {
            f.write_str(&self.detail)
        } else {
            write!(f, "{}: {}", self.provider, self.detail)
        }
    }
}

impl std::error::Error for Failure {}

/// Byte strings as one run instead of element by element (same encoding, a hundred times quicker).
mod blob {
    use serde::de::{Deserializer, Visitor};
    use serde::ser::Serializer;

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_bytes(bytes)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        struct Blob;
        impl<'de> Visitor<'de> for Blob {
            type Value = Vec<u8>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("bytes")
            }
            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
                Ok(bytes.to_vec())
            }
        }
        from.deserialize_bytes(Blob)
    }
}
