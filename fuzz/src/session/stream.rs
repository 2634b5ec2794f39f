//! What both ends know of streams, as the reference keeps it, and what an event changes of that.

use shared_proto::limits::{INITIAL_WINDOW, MAX_CHUNK_LEN, MAX_VALUE_LEN};
use shared_proto::message::{Credit, Data};
use shared_proto::session::ServerEvent;
use std::collections::BTreeMap;

/// What one end of a stream knows.
#[derive(Clone, Copy)]
pub(super) struct Flow {
    pub(super) at: u64,
    pub(super) limit: u64,
    pub(super) ended: bool,
}

impl Flow {
    pub(super) fn starting_at(at: u64) -> Self {
        Self {
            at,
            limit: at.saturating_add(INITIAL_WINDOW),
            ended: false,
        }
    }

    pub(super) fn takes(&self, data: &Data<'_>) -> bool {
        let end = data.offset.saturating_add(data.len());
        !self.ended
            && data.offset == self.at
            && data.len() <= MAX_CHUNK_LEN as u64
            && end <= self.limit.min(MAX_VALUE_LEN)
    }

    pub(super) fn take(&mut self, data: &Data<'_>) {
        self.at += data.len();
        self.ended = data.fin;
    }
}

/// Streams of one request, as one end knows them.
#[derive(Default)]
pub(super) struct Live {
    pub(super) results: BTreeMap<u8, Flow>,
    pub(super) uploads: BTreeMap<u8, Flow>,
}

pub(super) fn extend(uploads: &mut BTreeMap<u8, Flow>, credit: Credit) {
    let flow = uploads.entry(credit.slot).or_insert(Flow {
        at: credit.from,
        limit: credit.limit,
        ended: false,
    });
    flow.limit = flow.limit.max(credit.limit);
}

/// What an event changes for the laptop.
pub(super) enum Change {
    None,
    Greeted,
    Begins(u64, Live),
    Credited(Credit),
}

pub(super) fn server_change(event: &ServerEvent<'_>) -> Change {
    match event {
        ServerEvent::Hello(_) => Change::Greeted,
        ServerEvent::Submit(submit) => Change::Begins(submit.id.0, Live::default()),
        ServerEvent::Resume(resume) => {
            let flows = resume
                .offsets
                .iter()
                .map(|named| (named.slot, Flow::starting_at(named.offset)));
            Change::Begins(
                resume.id.0,
                Live {
                    results: flows.collect(),
                    uploads: BTreeMap::new(),
                },
            )
        }
        ServerEvent::Credit(credit) => Change::Credited(*credit),
        _ => Change::None,
    }
}
