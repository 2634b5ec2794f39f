//! The thread that carries one request out.

use super::Hub;
use super::admission::{Entry, Refusal, Submission};
use super::desk::{Activity, Answer};
use super::facts::Facts;
use super::live::Owed;
use super::record::{Body, Ended, Phase, Record, Stream};
use super::work::Work;
use crate::executor::{self, Fault};
use crate::policy::{Demand, Permit, RateWindow, Usage as Counted};
use crate::sanitize::visible;
use crate::store::{Outcome, RequestState, StoreError};
use shared_proto::error::ErrorCode;
use shared_proto::limits::MAX_DETAIL_LEN;
use shared_proto::message::Usage;
use shared_proto::program;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError};
use std::time::Instant;

/// Stack of a worker: a verified program lies on it, and a picture is on the heap.
const STACK_LEN: usize = 512 * 1024;

/// Starts it.
pub(super) fn start(
    hub: Arc<Hub>,
    work: Arc<Work>,
    submission: Submission,
    demand: Demand,
    entry: Entry,
) {
    let aim = Aim {
        reserved: demand.cost.usage,
        operations: demand
            .effects
            .iter()
            .map(|effect| effect.operation.name())
            .collect(),
        since: Instant::now(),
    };
    let own = aim.clone();
    let job = {
        let (hub, work) = (Arc::clone(&hub), Arc::clone(&work));
        move || {
            // A defect in one request ends that request: the record is behind a lock that forgives it.
            let run = || carry_out(&hub, &work, &submission, &demand, entry);
            let (result, spent) = catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| {
                let fault = Fault::new(ErrorCode::Internal, "the laptop has a defect; see its log");
                (Err((None, fault)), Spent::default())
            });
            finish(&hub, &work, result, spent, &own);
            // Between admissions: one that has just found an upload here still finds it when it starts.
            let admission = hub.admission(work.relationship);
            let _turn = admission.lock().unwrap_or_else(PoisonError::into_inner);
            forget_uploads(&hub, &work);
        }
    };
    let started = std::thread::Builder::new()
        .name(format!("request-{}", work.id().0))
        .stack_size(STACK_LEN)
        .spawn(job);
    if let Err(error) = started {
        log::error!("no thread for a request: {error}");
        let fault = Fault::new(
            ErrorCode::Busy,
            "the laptop has no thread left for this request",
        );
        finish(&hub, &work, Err((None, fault)), Spent::default(), &aim);
        forget_uploads(&hub, &work);
    }
}

/// What a request was let in for.
#[derive(Clone)]
struct Aim {
    reserved: Counted,
    operations: Vec<&'static str>,
    since: Instant,
}

/// What a request used.
#[derive(Default)]
struct Spent {
    usage: Usage,
    /// Whether tokens are estimated.
    estimated: bool,
}

type Result = std::result::Result<(), (Option<u8>, Fault)>;

fn carry_out(
    hub: &Arc<Hub>,
    work: &Arc<Work>,
    submission: &Submission,
    demand: &Demand,
    entry: Entry,
) -> (Result, Spent) {
    let prepared = ask(hub, work, demand, entry).and_then(|permit| {
        if work.uploads.is_incomplete() {
            work.set_phase(Phase::Uploading);
            work.uploads.wait(|| work.cancel.is_cancelled())?;
        }
        Ok(permit)
    });
    let permit = match prepared {
        Ok(permit) => permit,
        Err(fault) => return (Err((None, fault)), Spent::default()),
    };
    work.set_phase(Phase::Running);
    // It was verified when it came in.
    let verified = match program::decode(&submission.program).and_then(program::verify) {
        Ok(verified) => verified,
        Err(error) => {
            return (
                Err((error.op, Fault::new(error.code(), error.to_string()))),
                Spent::default(),
            );
        }
    };
    let world = match Facts::new(hub, work, submission) {
        Ok(world) => world,
        Err(fault) => return (Err((None, fault)), Spent::default()),
    };
    let outcome = executor::run(&verified, permit, &world, work.as_ref(), &work.cancel);
    (
        outcome
            .result
            .map_err(|failure| (failure.op, failure.fault)),
        Spent {
            usage: outcome.usage,
            estimated: outcome.estimated,
        },
    )
}

fn ask(
    hub: &Arc<Hub>,
    work: &Arc<Work>,
    demand: &Demand,
    entry: Entry,
) -> std::result::Result<Permit, Fault> {
    let prompt = match entry {
        Entry::Permit(permit) => return Ok(permit),
        Entry::Prompt(prompt) => prompt,
    };
    let device = hub.device(demand.relationship);
    let answer = hub
        .desk
        .ask(prompt, &device, hub.settings().ask_timeout, &work.cancel);
    let word = match &answer {
        Answer::Yes(_) => "yes",
        Answer::No => "no",
        Answer::Expired => "expired",
        Answer::Withdrawn => "withdrawn",
    };
    hub.store
        .note_answered(demand.relationship, demand.request, word)
        .map_err(super::work::store_fault)?;
    let consent = match answer {
        Answer::Yes(consent) => consent,
        Answer::No => return Err(Fault::new(ErrorCode::AskRefused, "")),
        Answer::Expired => {
            let seconds = hub.settings().ask_timeout.as_secs();
            return Err(Fault::new(
                ErrorCode::AskExpired,
                format!("nobody answered in {seconds} s"),
            ));
        }
        Answer::Withdrawn => return Err(Fault::cancelled()),
    };
    // It was counted when it came in.
    match hub.judge(demand, RateWindow::default(), Some(consent)) {
        Ok(Entry::Permit(permit)) => Ok(permit),
        Ok(Entry::Prompt(_)) => Err(Fault::new(ErrorCode::Internal, "the policy asks twice")),
        Err(Refusal { fault, .. }) => Err(fault),
    }
}

/// Writes the end down, then lets sessions see it: what is called done is durable.
fn finish(hub: &Arc<Hub>, work: &Arc<Work>, result: Result, spent: Spent, aim: &Aim) {
    let Spent { usage, estimated } = spent;
    let used = Counted {
        tokens: usage.tokens_in.saturating_add(usage.tokens_out),
        pictures: u64::from(usage.pictures),
        bytes: usage.bytes,
        seconds: usage.millis.div_ceil(1000),
    };
    let result = match result {
        // A stop for another reason that came first, or meanwhile, still ends it badly.
        Err((_, fault))
            if fault.code == ErrorCode::Cancelled && work.has_sufficed() && !work.is_stopped() =>
        {
            Ok(())
        }
        result => result,
    };
    let result = result.map_err(|(op, fault)| match work.stopped() {
        Some(code) if fault.code == ErrorCode::Cancelled => (op, Fault::new(code, fault.detail)),
        _ => (op, fault),
    });
    let ended = match result {
        Ok(()) => Ended::Done(usage),
        Err((op, fault)) => Ended::Failed {
            op,
            code: fault.code,
            detail: shared_proto::message::clip(&fault.detail, MAX_DETAIL_LEN).to_owned(),
        },
    };
    let device = hub.device(work.relationship);
    let forced = work.settle(|unforced| hub.store.force(unforced));
    let (ended, is_stored) = work.change_untold(|record| {
        let stored = forced.and_then(|()| write_down(hub, work, record, &ended, used, estimated));
        match stored {
            Ok(()) => (ended, true),
            Err(error) => (not_stored(record, ended, &error), false),
        }
    });
    // What an operation left behind after the revocation goes the way of what was there before.
    let known = hub.store.relationship(work.relationship);
    if known.map_or(true, |known| known.revoked_at.is_some()) {
        hub.contexts.forget(work.relationship);
    }
    let (name, outcome) = match &ended {
        Ended::Done(_) => ("done", "done".to_owned()),
        Ended::Failed { code, detail, .. } => (
            code.name(),
            visible(&Fault::new(*code, detail.as_str()).to_string()),
        ),
    };
    hub.metrics.ended(
        &aim.operations,
        name,
        aim.since.elapsed(),
        &usage,
        estimated,
    );
    if let Some(live) = hub.lock().get_mut(&work.relationship) {
        match is_stored {
            true => live.forget(work.id(), aim.reserved),
            // It counts as used, and who asks for it finds how it ended, until it is written down.
            false => live.owe(
                work.id(),
                Owed {
                    state: state_of(&ended),
                    used,
                    estimated,
                    reserved: aim.reserved,
                },
            ),
        }
    }
    // Whoever sees the end finds it counted and, where it was stored, nowhere but in the store: what is acknowledged now is
    // gone.
    work.change(|record| {
        record.spent = usage;
        record.phase = Phase::Ended;
        record.ended = Some(ended);
    });
    log::info!("{device}: request {} ended: {outcome}", work.id().0);
    if let Err(error) = hub.tidy() {
        log::error!("tidying up failed: {error}");
    }
    hub.desk.tell(&Activity::Ended {
        device,
        request: work.id().0,
        outcome,
    });
}

/// Writes the end and the results down; these stay readable.
fn write_down(
    hub: &Hub,
    work: &Work,
    record: &mut Record,
    ended: &Ended,
    used: Counted,
    estimated: bool,
) -> std::result::Result<(), StoreError> {
    let mut results = Vec::new();
    let mut others = Vec::new();
    for (slot, stream) in std::mem::take(&mut record.streams) {
        let Stream { body, len, ended } = stream;
        if let Body::Spool(spool) = body {
            results.push(spool);
            others.push((slot, len, ended));
        }
    }
    let outcome = Outcome {
        state: state_of(ended),
        used,
        estimated,
        results,
    };
    let stored = hub
        .store
        .end_request(work.relationship, work.id().0, &outcome, hub.wall());
    for ((slot, len, ended), spool) in others.into_iter().zip(outcome.results) {
        let body = Body::Spool(spool);
        record.streams.insert(slot, Stream { body, len, ended });
    }
    stored
}

fn state_of(ended: &Ended) -> RequestState {
    match ended.clone() {
        Ended::Done(_) => RequestState::Done,
        Ended::Failed { op, code, detail } => RequestState::Failed { op, code, detail },
    }
}

/// How a request ends after all whose end the store did not take.
fn not_stored(record: &Record, ended: Ended, error: &StoreError) -> Ended {
    log::error!("the end of a request was not stored: {error}");
    // Its files are read while somebody follows, and take no room that is short any longer than that. After another
    // error nobody knows whether the database names them, until another end is written down.
    if error.is_full() {
        record.unlink();
    }
    let (code, detail) = match error.is_full() {
        true => (
            ErrorCode::StoreFull,
            "the laptop's disk is full, and the result could not be kept",
        ),
        false => (
            ErrorCode::StoreFailed,
            "the laptop could not write the result down",
        ),
    };
    match ended {
        // Why it failed stays true.
        Ended::Failed { .. } => ended,
        Ended::Done(_) => Ended::Failed {
            op: None,
            code,
            detail: detail.to_owned(),
        },
    }
}

/// Forgets what was uploaded for the ended request alone.
fn forget_uploads(hub: &Arc<Hub>, work: &Arc<Work>) {
    let lives = hub.lock();
    let live = lives.get(&work.relationship);
    work.uploads.forget(|sha256| {
        live.is_some_and(|live| live.works().any(|other| other.uploads.needs(sha256)))
    });
}
