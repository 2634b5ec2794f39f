//! Operations with their operands. Field order is the order on the wire (postcard).

use crate::limits::MAX_PARTS;
use crate::opcode::Opcode;
use serde::{Deserialize, Serialize};

/// Names a constant (0x00..=0x3f) or the result of an operation (0x40..=0x5f).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Ref(pub u8);

/// Number of the first result.
const FIRST_RESULT: u8 = 0x40;

/// What a [`Ref`] names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The constant with this index.
    Const(u8),
    /// The result of the operation with this index.
    Result(u8),
}

impl Ref {
    /// Names constant `index`, below 64.
    #[must_use]
    pub const fn constant(index: u8) -> Self {
        Self(index)
    }

    /// Names the result of operation `index`, below 32.
    #[must_use]
    pub const fn result(index: u8) -> Self {
        Self(FIRST_RESULT + index)
    }

    /// What it names.
    #[must_use]
    pub const fn source(self) -> Source {
        if self.0 < FIRST_RESULT {
            Source::Const(self.0)
        } else {
            Source::Result(self.0 - FIRST_RESULT)
        }
    }
}

/// Names a constant text. Operands that permission is about have this type, so that they are known before
/// anything runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ConstRef(pub u8);

/// Operands of `language.chat`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chat {
    /// `provider/model`; the empty text leaves the choice to the laptop.
    pub model: ConstRef,
    /// Number of the conversation, chosen by the handheld.
    pub conversation: u64,
    /// Head of the context that the laptop should hold; zeros start anew. See [`crate::context`].
    pub parent: [u8; 8],
    /// All earlier turns, where the laptop said `ContextMissing`.
    pub history: Option<Ref>,
    /// What the model is told about its part.
    pub system: Option<Ref>,
    /// What the person wrote.
    pub input: Ref,
    /// Most tokens of the answer.
    pub max_tokens: u32,
    /// Temperature in hundredths; `None` leaves it to the provider.
    pub temperature: Option<u8>,
}

/// Operands of `language.complete`, `language.code` and `language.summarize`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Complete {
    /// As in [`Chat`].
    pub model: ConstRef,
    /// The text to go on from, the task to write code for, or the text to sum up.
    pub input: Ref,
    /// Most tokens of the answer.
    pub max_tokens: u32,
    /// As in [`Chat`].
    pub temperature: Option<u8>,
}

/// Operands of `language.embed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Embed {
    /// `provider/model`; never empty, because vectors of different models have nothing to do with each other.
    pub model: ConstRef,
    /// One text, or several as octets. See [`crate::embedding`].
    pub input: Ref,
    /// How many texts it is.
    pub count: u16,
    /// How long the vectors are to be, where the model can; `None` leaves it to the model.
    pub dimensions: Option<u16>,
}

/// Operands of `image.generate`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generate {
    /// As in [`Chat`].
    pub model: ConstRef,
    /// What to paint.
    pub prompt: Ref,
    /// What to leave out.
    pub negative: Option<Ref>,
    /// A style by name, such as `oil painting`; the empty text is none.
    pub style: ConstRef,
    /// Pixels across.
    pub width: u16,
    /// Pixels down.
    pub height: u16,
    /// Steps of the sampler.
    pub steps: u8,
    /// The same seed paints the same picture, where the provider can.
    pub seed: Option<u32>,
}

/// Operands of `image.edit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edit {
    /// As in [`Chat`].
    pub model: ConstRef,
    /// The picture to start from.
    pub image: Ref,
    /// What to make of it.
    pub prompt: Ref,
    /// How far to go, in percent.
    pub strength: u8,
    /// Steps of the sampler.
    pub steps: u8,
}

/// Operands of `image.upscale`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upscale {
    /// As in [`Chat`].
    pub model: ConstRef,
    /// The picture.
    pub image: Ref,
    /// 2 to 4.
    pub factor: u8,
}

/// Operands of `image.variation`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variation {
    /// As in [`Chat`].
    pub model: ConstRef,
    /// The picture.
    pub image: Ref,
    /// How far to go, in percent.
    pub strength: u8,
    /// Steps of the sampler.
    pub steps: u8,
    /// As in [`Generate`].
    pub seed: Option<u32>,
}

/// Operands of `image.fit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fit {
    /// The picture.
    pub image: Ref,
    /// Most pixels across.
    pub width: u16,
    /// Most pixels down.
    pub height: u16,
    /// Formats that the handheld reads, as bits of [`crate::picture::Format`].
    pub formats: u8,
}

/// Operands of `files.list`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct List {
    /// Folder inside the drop folder; the empty text is the drop folder itself.
    pub path: ConstRef,
    /// Entries to pass over.
    pub skip: u32,
    /// Most entries to return.
    pub limit: u16,
}

/// Operands of `files.metadata`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    /// The file.
    pub path: ConstRef,
}

/// Operands of `files.get`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Get {
    /// The file.
    pub path: ConstRef,
    /// Most octets; a longer file is refused.
    pub max_len: u64,
}

/// What `files.put` does where the name is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Write {
    /// Refuse.
    New,
    /// Replace.
    Replace,
    /// Choose a free name near it.
    Rename,
}

/// Operands of `files.put`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Put {
    /// The file.
    pub path: ConstRef,
    /// What to write.
    pub data: Ref,
    /// What to do where the name is taken.
    pub write: Write,
}

/// Operands of `files.delete`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delete {
    /// The file.
    pub path: ConstRef,
}

/// Operands of `files.fetch`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fetch {
    /// The address, `http` or `https`.
    pub url: ConstRef,
    /// Most octets; a longer download is broken off.
    pub max_len: u64,
}

/// Parts of a `core.concat`.
pub type Parts = heapless::Vec<Ref, MAX_PARTS>;

/// One operation with its operands.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // Each is the opcode of the same name.
pub enum Op {
    Text(Ref),
    Bytes(Ref),
    Integer(Ref),
    Concat(Parts),
    Emit(Ref),
    Chat(Chat),
    Complete(Complete),
    Code(Complete),
    Summarize(Complete),
    Embed(Embed),
    Generate(Generate),
    Edit(Edit),
    Upscale(Upscale),
    Variation(Variation),
    Fit(Fit),
    List(List),
    Metadata(Metadata),
    Get(Get),
    Put(Put),
    Delete(Delete),
    Fetch(Fetch),
    Status,
    Capabilities,
    Resources,
    Health,
}

impl Op {
    /// Its number.
    #[must_use]
    pub const fn opcode(&self) -> Opcode {
        match self {
            Self::Text(_) => Opcode::Text,
            Self::Bytes(_) => Opcode::Bytes,
            Self::Integer(_) => Opcode::Integer,
            Self::Concat(_) => Opcode::Concat,
            Self::Emit(_) => Opcode::Emit,
            Self::Chat(_) => Opcode::Chat,
            Self::Complete(_) => Opcode::Complete,
            Self::Code(_) => Opcode::Code,
            Self::Summarize(_) => Opcode::Summarize,
            Self::Embed(_) => Opcode::Embed,
            Self::Generate(_) => Opcode::Generate,
            Self::Edit(_) => Opcode::Edit,
            Self::Upscale(_) => Opcode::Upscale,
            Self::Variation(_) => Opcode::Variation,
            Self::Fit(_) => Opcode::Fit,
            Self::List(_) => Opcode::List,
            Self::Metadata(_) => Opcode::Metadata,
            Self::Get(_) => Opcode::Get,
            Self::Put(_) => Opcode::Put,
            Self::Delete(_) => Opcode::Delete,
            Self::Fetch(_) => Opcode::Fetch,
            Self::Status => Opcode::Status,
            Self::Capabilities => Opcode::Capabilities,
            Self::Resources => Opcode::Resources,
            Self::Health => Opcode::Health,
        }
    }

    /// Calls `visit` with every value that the operation reads.
    pub fn for_each_ref(&self, mut visit: impl FnMut(Ref)) {
        match self {
            Self::Text(r) | Self::Bytes(r) | Self::Integer(r) | Self::Emit(r) => visit(*r),
            Self::Concat(parts) => parts.iter().copied().for_each(visit),
            Self::Chat(chat) => {
                visit(chat.input);
                chat.history.into_iter().chain(chat.system).for_each(visit);
            }
            Self::Complete(op) | Self::Code(op) | Self::Summarize(op) => visit(op.input),
            Self::Embed(op) => visit(op.input),
            Self::Generate(op) => {
                visit(op.prompt);
                op.negative.into_iter().for_each(visit);
            }
            Self::Edit(op) => {
                visit(op.image);
                visit(op.prompt);
            }
            Self::Upscale(op) => visit(op.image),
            Self::Variation(op) => visit(op.image),
            Self::Fit(op) => visit(op.image),
            Self::Put(op) => visit(op.data),
            Self::List(_)
            | Self::Metadata(_)
            | Self::Get(_)
            | Self::Delete(_)
            | Self::Fetch(_)
            | Self::Status
            | Self::Capabilities
            | Self::Resources
            | Self::Health => {}
        }
    }
}
