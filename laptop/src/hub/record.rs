//! What is known of a request while it runs, and after.

use super::live::Tell;
use crate::store::{RequestRecord, RequestState, Spool, Store, StoreError};
use shared_proto::error::ErrorCode;
use shared_proto::message::Usage;
use shared_proto::time::Millis;
use std::collections::BTreeMap;

/// What a request waits for or does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// A person is being asked until then.
    Asking(Millis),
    /// Uploads are on their way.
    Uploading,
    /// It waits for its turn at a service.
    Queued {
        /// Requests that go first.
        ahead: u16,
        /// Load of the processors in percent, where it waits for that to fall; else zero.
        busy: u8,
    },
    /// Operations run.
    Running,
    /// It has ended.
    Ended,
}

/// How a request ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Well.
    Done(Usage),
    /// Otherwise.
    Failed {
        /// The operation at fault.
        op: Option<u8>,
        /// The cause.
        code: ErrorCode,
        /// Who is at fault, by name.
        detail: String,
    },
}

/// Where the octets of a result are.
pub(super) enum Body {
    /// In a file that may still grow.
    Spool(Spool),
    /// In the store.
    Stored,
}

/// One result.
pub(super) struct Stream {
    pub(super) body: Body,
    pub(super) len: u64,
    pub(super) ended: bool,
}

/// The state behind a [`super::Work`].
pub(super) struct Record {
    pub(super) phase: Phase,
    pub(super) started: Vec<(u8, String)>,
    pub(super) progress: Option<(u8, u16, Option<u32>)>,
    pub(super) streams: BTreeMap<u8, Stream>,
    pub(super) ended: Option<Ended>,
    pub(super) tell: Option<Tell>,
    /// What it used, as it is told; all of it once it has ended.
    pub(super) spent: Usage,
    /// Whether a model stopped because it had as many tokens as it may.
    pub(super) cut_short: bool,
}

impl Record {
    pub(super) fn new(phase: Phase) -> Self {
        Self {
            phase,
            started: Vec::new(),
            progress: None,
            streams: BTreeMap::new(),
            ended: None,
            tell: None,
            spent: Usage::default(),
            cut_short: false,
        }
    }

    /// A request that ended earlier, as the store remembers it.
    pub(super) fn remembered(record: &RequestRecord) -> Self {
        let streams = record.results.iter().map(|(slot, len)| {
            (
                *slot,
                Stream {
                    body: Body::Stored,
                    len: *len,
                    ended: matches!(record.state, RequestState::Done),
                },
            )
        });
        let ended = match &record.state {
            RequestState::Done => Ended::Done(Usage {
                tokens_out: record.used.tokens,
                pictures: u32::try_from(record.used.pictures).unwrap_or(u32::MAX),
                bytes: record.used.bytes,
                millis: record.used.seconds.saturating_mul(1000),
                ..Usage::default()
            }),
            RequestState::Failed { op, code, detail } => Ended::Failed {
                op: *op,
                code: *code,
                detail: detail.clone(),
            },
            RequestState::Taken => Ended::Failed {
                op: None,
                code: ErrorCode::Interrupted,
                detail: String::new(),
            },
        };
        Self {
            streams: streams.collect(),
            ended: Some(ended),
            ..Self::new(Phase::Ended)
        }
    }

    /// Takes the names of its files away; they go with whoever reads them last.
    pub(super) fn unlink(&self) {
        for stream in self.streams.values() {
            if let Body::Spool(spool) = &stream.body {
                spool.unlink();
            }
        }
    }

    /// Reads a piece of a result.
    pub(super) fn read(
        &self,
        store: &Store,
        key: (i64, u64),
        slot: u8,
        offset: u64,
        max: usize,
    ) -> Result<Vec<u8>, StoreError> {
        match self.streams.get(&slot).map(|stream| &stream.body) {
            Some(Body::Spool(spool)) => spool.read(offset, max),
            Some(Body::Stored) => store.read_result(key.0, key.1, slot, offset, max),
            None => Err(StoreError::Unknown),
        }
    }
}

/// What a connection has told the handheld of a request so far.
#[derive(Clone, Debug, Default)]
pub struct Followed {
    /// Whether `Accepted` was said.
    pub accepted: bool,
    /// Whether `Awaiting` was said.
    pub awaiting: bool,
    /// The place in line that was said last.
    pub queued: Option<(u16, u8)>,
    /// How many of the `Started` were said.
    pub started: usize,
    /// The last progress that was said.
    pub progress: Option<(u8, u16, Option<u32>)>,
    /// Offsets sent, by result.
    pub sent: BTreeMap<u8, u64>,
    /// Results whose end was sent.
    pub finished: Vec<u8>,
    /// Uploads asked for, with the limit given.
    pub asked: BTreeMap<u8, u64>,
}
