//! Streams: results on their way to the handheld, uploads on their way to the laptop.

use super::RequestId;
use crate::codec::octets;
use serde::{Deserialize, Serialize};

/// Slots from here on are uploads: constant `k` travels in slot `UPLOAD_SLOT + k`. Slots below 32 are the
/// results of operations.
pub const UPLOAD_SLOT: u8 = 0x40;

/// A piece of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Data<'a> {
    /// The request.
    pub id: RequestId,
    /// The stream.
    pub slot: u8,
    /// Where the piece starts, in octets of the uncompressed stream.
    pub offset: u64,
    /// Zero where `bytes` are as they are; otherwise `bytes` are one zstd frame of this many octets, at most
    /// [`crate::limits::MAX_CHUNK_LEN`].
    pub raw_len: u32,
    /// Whether the stream ends behind this piece.
    pub fin: bool,
    /// The octets.
    #[serde(serialize_with = "octets")]
    pub bytes: &'a [u8],
}

impl Data<'_> {
    /// Octets of the stream that the piece covers.
    #[must_use]
    pub const fn len(&self) -> u64 {
        if self.raw_len == 0 {
            self.bytes.len() as u64
        } else {
            self.raw_len as u64
        }
    }

    /// Whether it covers none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// How far a stream may go. Both numbers count from the start of the stream, so that a repeated or late
/// credit changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credit {
    /// The request.
    pub id: RequestId,
    /// The stream.
    pub slot: u8,
    /// Octets put away; an upload starts or goes on here.
    pub from: u64,
    /// Octets that may have been sent.
    pub limit: u64,
}
