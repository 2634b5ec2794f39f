//! One request, shared between the thread that runs it and the session that follows it.

use super::live::{Signal, Tell};
use super::record::{Body, Ended, Followed, Phase, Record, Stream};
use super::uploads::Uploads;
use crate::executor::{Fault, Output, OutputClosed};
use crate::ipc::{CancelToken, FinishReason};
use crate::policy::{Effect, Profile, recheck};
use crate::store::{RelationshipId, RequestRecord, Store, Unforced};
use shared_proto::error::ErrorCode;
use shared_proto::limits::MAX_VALUE_LEN;
use shared_proto::message::{Credit, RequestId, Usage};
use std::collections::btree_map::Entry;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// See the module.
pub struct Work {
    pub(super) relationship: RelationshipId,
    pub(super) id: RequestId,
    pub(super) store: Arc<Store>,
    pub(super) cancel: CancelToken,
    pub(super) uploads: Uploads,
    record: Mutex<Record>,
    stopped: Mutex<Option<ErrorCode>>,
    sufficed: AtomicBool,
    /// What it does at the moment, or did last.
    current: Mutex<Option<Effect>>,
}

/// What a session finds when it looks.
#[derive(Debug, Default)]
pub struct View {
    /// What it waits for or does.
    pub phase: Option<Phase>,
    /// Who took up which operation, those not said yet.
    pub started: Vec<(u8, String)>,
    /// Operation, thousandths and seconds left, where that is new.
    pub progress: Option<(u8, u16, Option<u32>)>,
    /// Results: slot, length, whether it is whole.
    pub streams: Vec<(u8, u64, bool)>,
    /// How it ended.
    pub ended: Option<Ended>,
}

impl Work {
    pub(super) fn new(
        relationship: RelationshipId,
        id: RequestId,
        store: Arc<Store>,
        uploads: Uploads,
        phase: Phase,
    ) -> Self {
        Self {
            relationship,
            id,
            store,
            cancel: CancelToken::new(),
            uploads,
            record: Mutex::new(Record::new(phase)),
            stopped: Mutex::new(None),
            sufficed: AtomicBool::new(false),
            current: Mutex::new(None),
        }
    }

    /// A request that ended earlier.
    pub(super) fn remembered(
        relationship: RelationshipId,
        record: &RequestRecord,
        store: Arc<Store>,
    ) -> Self {
        let work = Self::new(
            relationship,
            RequestId(record.id),
            store,
            Uploads::none(),
            Phase::Ended,
        );
        *work.lock() = Record::remembered(record);
        work
    }

    /// Its number.
    pub fn id(&self) -> RequestId {
        self.id
    }

    /// Whether it has ended.
    pub fn has_ended(&self) -> bool {
        self.lock().ended.is_some()
    }

    /// Whether it was told to stop. What it has made and nobody was told yet is not told any more.
    pub fn is_stopped(&self) -> bool {
        self.stopped().is_some()
    }

    /// Whoever follows has what it came for: what runs is stopped, and it counts as done.
    pub fn suffice(&self) {
        self.sufficed.store(true, Ordering::SeqCst);
        self.cancel.cancel();
        self.uploads.wake();
    }

    pub(super) fn has_sufficed(&self) -> bool {
        self.sufficed.load(Ordering::SeqCst)
    }

    /// What it used, once it has ended; and whether a model stopped because it had as many tokens as it may.
    pub fn spent(&self) -> (Usage, bool) {
        let record = self.lock();
        (record.spent, record.cut_short)
    }

    /// Lets a session follow: `tell` is called with [`Signal::Work`] whenever there is something to look at.
    pub fn follow(&self, tell: Tell) {
        self.lock().tell = Some(tell);
    }

    /// Stops it with `code`; what arrived stays.
    pub fn stop(&self, code: ErrorCode) {
        self.stopped
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_or_insert(code);
        self.cancel.cancel();
        self.uploads.wake();
    }

    /// An operation is about to start.
    pub(super) fn enter(&self, effect: &Effect) {
        *self.current() = Some(effect.clone());
    }

    /// Stops it where what it does at the moment is no longer permitted.
    pub(super) fn recheck(&self, profile: &Profile) {
        let reason = match &*self.current() {
            Some(effect) => recheck(effect, profile).err(),
            None => None,
        };
        if let Some(reason) = reason {
            self.stop(Fault::from(reason).code);
        }
    }

    fn current(&self) -> MutexGuard<'_, Option<Effect>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why it was stopped, if it was.
    pub fn stopped(&self) -> Option<ErrorCode> {
        *self.stopped.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is new since `followed`.
    pub fn view(&self, followed: &Followed) -> View {
        let record = self.lock();
        View {
            phase: Some(record.phase),
            started: record
                .started
                .iter()
                .skip(followed.started)
                .cloned()
                .collect(),
            progress: record
                .progress
                .filter(|_| record.progress != followed.progress),
            streams: record
                .streams
                .iter()
                .map(|(slot, stream)| (*slot, stream.len, stream.ended))
                .collect(),
            ended: record.ended.clone(),
        }
    }

    /// Reads a piece of a result.
    ///
    /// # Errors
    /// `ResultGone` where it was thrown away, or a fault of the disk.
    pub fn read(&self, slot: u8, offset: u64, max: usize) -> Result<Vec<u8>, Fault> {
        self.lock()
            .read(
                &self.store,
                (self.relationship, self.id.0),
                slot,
                offset,
                max,
            )
            .map_err(store_fault)
    }

    /// Uploads that should go on: what is here and how far each may run.
    pub fn wanted(&self, followed: &Followed) -> Vec<Credit> {
        self.uploads.wanted(self.id, followed)
    }

    /// Takes in a piece of an upload.
    ///
    /// # Errors
    /// A [`Fault`] of the disk or of the peer.
    pub fn upload(&self, slot: u8, offset: u64, bytes: &[u8]) -> Result<(), Fault> {
        self.uploads.take(slot, offset, bytes)
    }

    pub(super) fn set_phase(&self, phase: Phase) {
        self.change(|record| record.phase = phase);
    }

    /// Has `force` bring large results to the disk. The record stays free meanwhile: sessions look and read.
    pub(super) fn settle<T>(&self, force: impl FnOnce(&[Unforced]) -> T) -> T {
        let unforced: Vec<_> = self
            .lock()
            .streams
            .values()
            .filter_map(|stream| match &stream.body {
                Body::Spool(spool) => spool.unforced(),
                Body::Stored => None,
            })
            .collect();
        force(&unforced)
    }

    /// As [`change`](Self::change), for what nobody who follows has to see.
    pub(super) fn change_untold<T>(&self, change: impl FnOnce(&mut Record) -> T) -> T {
        change(&mut self.lock())
    }

    pub(super) fn change<T>(&self, change: impl FnOnce(&mut Record) -> T) -> T {
        let (result, tell) = {
            let mut record = self.lock();
            let result = change(&mut record);
            (result, record.tell.clone())
        };
        if let Some(tell) = tell {
            tell(Signal::Work);
        }
        result
    }

    fn lock(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with_stream(
        &self,
        slot: u8,
        change: impl FnOnce(&mut Stream) -> Result<(), Fault>,
    ) -> Result<(), OutputClosed> {
        self.change(|record| {
            let stream = match record.streams.entry(slot) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(place) => {
                    let spool = self
                        .store
                        .spool(self.relationship, self.id.0, slot)
                        .map_err(store_fault)?;
                    place.insert(Stream {
                        body: Body::Spool(spool),
                        len: 0,
                        ended: false,
                    })
                }
            };
            change(stream)
        })
        .map_err(OutputClosed)
    }
}

impl Output for Work {
    fn started(&self, op: u8, model: &str) {
        self.change(|record| record.started.push((op, model.to_owned())));
    }

    fn progress(&self, op: u8, permille: u16, eta_s: Option<u32>) {
        self.change(|record| record.progress = Some((op, permille, eta_s)));
    }

    fn finished(&self, _op: u8, reason: FinishReason) {
        if reason == FinishReason::Length {
            self.change(|record| record.cut_short = true);
        }
    }

    fn append(&self, op: u8, bytes: &[u8]) -> Result<(), OutputClosed> {
        if self.is_stopped() || self.has_sufficed() {
            // What a service says on its way to the end is not sent on.
            return Err(OutputClosed(Fault::cancelled()));
        }
        self.with_stream(op, |stream| {
            if stream.len + bytes.len() as u64 > MAX_VALUE_LEN {
                return Err(Fault::new(
                    ErrorCode::TooLarge,
                    "the result is larger than a result may be",
                ));
            }
            if let Body::Spool(spool) = &mut stream.body {
                spool.append(bytes).map_err(store_fault)?;
            }
            stream.len += bytes.len() as u64;
            Ok(())
        })
    }

    fn end(&self, op: u8) -> Result<(), OutputClosed> {
        self.with_stream(op, |stream| {
            stream.ended = true;
            Ok(())
        })
    }
}

/// What the store said, for the wire.
pub(super) fn store_fault(error: crate::store::StoreError) -> Fault {
    match error {
        full if full.is_full() => {
            log::error!("store: {full}");
            Fault::full()
        }
        crate::store::StoreError::File(_, error) => Fault::disk(&error),
        crate::store::StoreError::Unknown => Fault::new(
            ErrorCode::ResultGone,
            "the laptop has thrown the result away",
        ),
        other => {
            log::error!("store: {other}");
            Fault::new(
                ErrorCode::StoreFailed,
                "the laptop could not read or write its store",
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::TempFolder;

    #[test]
    fn results_are_read_while_they_are_forced_to_the_disk() {
        let folder = TempFolder::new("work-settle");
        let store = Arc::new(Store::open(&folder.0).unwrap());
        let work = Arc::new(Work::new(
            1,
            RequestId(1),
            Arc::clone(&store),
            Uploads::none(),
            Phase::Running,
        ));
        work.append(0, &vec![7; 100_000]).unwrap();
        work.append(1, b"small").unwrap();
        let forced = work.settle(|unforced| {
            assert_eq!(unforced.len(), 1, "the small one goes into the database");
            // From another thread, as a session does; a lock that is held would show as a time-out.
            let (read, done) = std::sync::mpsc::channel();
            let session = Arc::clone(&work);
            std::thread::spawn(move || {
                let view = session.view(&Followed::default());
                let piece = session.read(0, 99_990, 100);
                read.send((view.streams.len(), piece)).unwrap();
            });
            let patience = std::time::Duration::from_secs(10);
            let (streams, piece) = done.recv_timeout(patience).unwrap();
            assert_eq!((streams, piece.unwrap()), (2, vec![7; 10]));
            store.force(unforced)
        });
        forced.unwrap();
        work.settle(|unforced| assert!(unforced.is_empty()));
    }
}
