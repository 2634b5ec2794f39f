//! The life of a request.

use super::RequestId;
use crate::codec::octets;
use crate::limits::MAX_OPS;
use serde::{Deserialize, Serialize};

/// Run this program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submit<'a> {
    /// Its number.
    pub id: RequestId,
    /// The program; see [`crate::program`].
    #[serde(serialize_with = "octets")]
    pub program: &'a [u8],
    /// 64 octets of Ed25519 over exporter, number and program; see [`crate::crypto`].
    #[serde(serialize_with = "octets")]
    pub signature: &'a [u8],
}

/// Stop it. What arrived is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancel {
    /// Its number.
    pub id: RequestId,
}

/// How much of a stream the handheld has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offset {
    /// The stream.
    pub slot: u8,
    /// Octets it has put away.
    pub offset: u64,
}

/// Offsets by stream; a stream that is missing starts at zero.
pub type Offsets = heapless::Vec<Offset, MAX_OPS>;

/// Go on with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resume {
    /// Its number.
    pub id: RequestId,
    /// Where its streams stand.
    pub offsets: Offsets,
}

/// The result is put away; the laptop may forget it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ack {
    /// Its number.
    pub id: RequestId,
}

/// The request is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// Its number.
    pub id: RequestId,
}

/// A person is being asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Awaiting {
    /// The request.
    pub id: RequestId,
    /// Milliseconds until the answer is taken as no.
    pub expires_in_ms: u32,
}

/// The request has its place in line and nothing of it runs yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queued {
    /// The request.
    pub id: RequestId,
    /// Requests that go before it.
    pub ahead: u16,
    /// Load of the laptop's processors in percent, where it waits for that to fall; else zero.
    pub busy: u8,
}

/// Somebody took up an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Started<'a> {
    /// The request.
    pub id: RequestId,
    /// Index of the operation.
    pub op: u8,
    /// `provider/model` that works on it.
    pub model: &'a str,
}

/// How far an operation has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// The request.
    pub id: RequestId,
    /// Index of the operation.
    pub op: u8,
    /// Thousandths done.
    pub permille: u16,
    /// Step it is at and how many there are; zeros where it has none.
    pub step: u16,
    /// How many steps there are.
    pub steps: u16,
    /// Milliseconds left, by estimate.
    pub eta_ms: Option<u32>,
}

/// What a request took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens read.
    pub tokens_in: u64,
    /// Tokens written.
    pub tokens_out: u64,
    /// Pictures painted.
    pub pictures: u32,
    /// Octets of files and downloads.
    pub bytes: u64,
    /// Milliseconds from acceptance to end.
    pub millis: u64,
}

/// All streams ended well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// The request.
    pub id: RequestId,
    /// What it took.
    pub usage: Usage,
}

/// The request ended badly. What was sent before stays valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failed<'a> {
    /// The request.
    pub id: RequestId,
    /// Index of the operation; 255 where none is at fault.
    pub op: u8,
    /// Number of an [`crate::error::ErrorCode`].
    pub code: u16,
    /// Who is at fault, by name: a provider, a model, a path. At most 512 octets; escape it where it is shown.
    pub detail: &'a str,
}
