//! Flow control of one stream, seen from its receiver and from its sender.

use crate::error::{Misuse, PeerError};
use crate::limits::{INITIAL_WINDOW, MAX_CHUNK_LEN, MAX_VALUE_LEN, WINDOW};
use crate::message::Data;

/// What a receiver knows of a stream.
#[derive(Clone, Copy, Debug)]
pub(super) struct Inflow {
    received: u64,
    limit: u64,
    ended: bool,
}

impl Inflow {
    /// A stream that goes on at `from` and may run as far as the first window.
    pub(super) const fn starting_at(from: u64) -> Self {
        Self {
            received: from,
            limit: from.saturating_add(INITIAL_WINDOW),
            ended: false,
        }
    }

    /// A stream that goes on at `from` and may run to `limit`.
    pub(super) const fn between(from: u64, limit: u64) -> Self {
        Self {
            received: from,
            limit,
            ended: false,
        }
    }

    /// Takes in a piece.
    pub(super) fn accept(&mut self, data: &Data<'_>) -> Result<(), PeerError> {
        let end = data
            .offset
            .checked_add(data.len())
            .ok_or(PeerError::OverCredit)?;
        if self.ended || data.offset != self.received {
            return Err(PeerError::OffsetGap);
        }
        if data.len() > MAX_CHUNK_LEN as u64 || end > self.limit || end > MAX_VALUE_LEN {
            return Err(PeerError::OverCredit);
        }
        self.received = end;
        self.ended = data.fin;
        Ok(())
    }

    /// Notes that everything before `stored` is put away. Returns the new limit where it is worth a message.
    pub(super) fn stored(&mut self, stored: u64) -> Option<u64> {
        let limit = stored.min(self.received).saturating_add(WINDOW);
        if self.ended || limit < self.limit.saturating_add(WINDOW / 2) {
            return None;
        }
        self.limit = limit;
        Some(limit)
    }

    /// Raises the limit.
    pub(super) fn extend(&mut self, limit: u64) {
        self.limit = self.limit.max(limit);
    }
}

/// What a sender knows of a stream.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outflow {
    sent: u64,
    limit: u64,
    ended: bool,
}

impl Outflow {
    /// A stream that goes on at `from` and may run as far as the first window.
    pub(super) const fn starting_at(from: u64) -> Self {
        Self {
            sent: from,
            limit: from.saturating_add(INITIAL_WINDOW),
            ended: false,
        }
    }

    /// A stream that goes on at `from` and may run to `limit`.
    pub(super) const fn between(from: u64, limit: u64) -> Self {
        Self {
            sent: from,
            limit,
            ended: false,
        }
    }

    /// Octets that may be sent now: as far as the credit goes, and no further than any value may.
    pub(super) fn window(&self) -> u64 {
        if self.ended {
            0
        } else {
            self.limit.min(MAX_VALUE_LEN).saturating_sub(self.sent)
        }
    }

    /// Raises the limit.
    pub(super) fn extend(&mut self, limit: u64) {
        self.limit = self.limit.max(limit);
    }

    /// Notes a piece that is about to be sent.
    pub(super) fn advance(&mut self, data: &Data<'_>) -> Result<(), Misuse> {
        if data.len() > MAX_CHUNK_LEN as u64 {
            return Err(Misuse::TooLong);
        }
        // An empty piece needs no credit, but may not lie beyond it either: the other end would not take it.
        let end = self.sent.saturating_add(data.len());
        if self.ended || data.offset != self.sent || end > self.limit.min(MAX_VALUE_LEN) {
            return Err(Misuse::NoCredit);
        }
        self.sent = end;
        self.ended = data.fin;
        Ok(())
    }
}
