//! What the two machines say to each other, and the framing around it.
//!
//! A frame is a length as two bytes, big-endian, then that many bytes of one message in postcard. The order of
//! the variants is their number on the wire.

use alloc::boxed::Box;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::outcome::Name;
use super::{Grant, PairingError};
use crate::message::Screen;

/// Longest message. A grant with a full link is the longest and has about 400 bytes.
pub const MAX_MESSAGE_LEN: usize = 512;

/// Bytes of a frame's length.
const LENGTH_LEN: usize = 2;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum PairingMessage {
    /// Laptop: first; binds it to a nonce it does not show yet.
    Commit {
        version: u8,
        commitment: [u8; 32],
        name: Name,
    },
    /// Handheld: its nonce, who it is, and the screen that pictures are to fit.
    Nonce {
        nonce: [u8; 32],
        name: Name,
        screen: Screen,
    },
    /// Laptop: the nonce it had committed to.
    Reveal { nonce: [u8; 32] },
    /// Laptop: the person has typed the right digits.
    Typed,
    /// Handheld: the person said yes.
    Confirm { mac: [u8; 32] },
    /// Laptop: it has stored the relationship; here is what the handheld needs. The MAC covers the encoded grant.
    Grant { grant: Box<Grant>, mac: [u8; 32] },
    /// Handheld: it has stored the relationship too.
    Stored,
    /// Either: it will not go on.
    Abort { reason: AbortReason },
}

/// Why the other side stopped, as it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AbortReason {
    /// A person said no, or left the screen.
    Cancelled,
    /// The digits that were typed are not the ones shown.
    Mismatch,
    /// The window closed.
    TimedOut,
    /// A second device knocked while this one was being paired: one of them may be a stranger's.
    Crowded,
    /// What arrived was not what the exchange demands.
    Fault,
    /// The laptop has as many paired devices as it takes.
    Full,
    /// The other version of this exchange is not known here.
    Version,
    /// It could not be stored there.
    NotStored,
}

impl PairingMessage {
    /// The message alone, without its length.
    pub(super) fn payload(&self) -> Vec<u8> {
        postcard::to_allocvec(self)
            .expect("every field is bounded and none is a sequence of unknown length")
    }

    pub(super) fn decode(payload: &[u8]) -> Result<Self, PairingError> {
        match postcard::take_from_bytes(payload) {
            Ok((message, [])) => Ok(message),
            _ => Err(PairingError::Malformed),
        }
    }
}

/// Appends a frame around `payload`.
pub(super) fn frame(payload: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&(payload.len() as u16).to_be_bytes());
    out.extend_from_slice(payload);
}

/// Collects frames from plaintext that comes in any pieces. Holds one message at most.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Inbox {
    held: Vec<u8>,
}

impl Inbox {
    /// Takes bytes off the front of `bytes` until a message is whole, and returns its payload.
    pub(super) fn next(&mut self, bytes: &mut &[u8]) -> Result<Option<Vec<u8>>, PairingError> {
        self.fill(LENGTH_LEN, bytes);
        let [high, low, ..] = self.held[..] else {
            return Ok(None);
        };
        let length = usize::from(u16::from_be_bytes([high, low]));
        if length > MAX_MESSAGE_LEN {
            return Err(PairingError::Malformed);
        }
        self.fill(LENGTH_LEN + length, bytes);
        if self.held.len() < LENGTH_LEN + length {
            return Ok(None);
        }
        let payload = self.held.split_off(LENGTH_LEN);
        self.held.clear();
        Ok(Some(payload))
    }

    fn fill(&mut self, up_to: usize, bytes: &mut &[u8]) {
        let wanted = up_to.saturating_sub(self.held.len()).min(bytes.len());
        let (taken, rest) = bytes.split_at(wanted);
        self.held.extend_from_slice(taken);
        *bytes = rest;
    }
}
