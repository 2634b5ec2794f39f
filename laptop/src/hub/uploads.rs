//! Uploads of one request: what is here, what is missing, and the wait for it.

use super::record::Followed;
use crate::executor::{Content, Fault};
use crate::files::{BlobStore, FileFault, Upload};
use shared_proto::crypto::Crypto;
use shared_proto::crypto::ring::RingCrypto;
use shared_proto::error::ErrorCode;
use shared_proto::limits::WINDOW;
use shared_proto::message::{Credit, RequestId, UPLOAD_SLOT};
use shared_proto::program::{Blob, Const, Verified};
use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Longest wait for the next octet: a walk out of range and back, not a night.
const MAX_IDLE: Duration = Duration::from_secs(15 * 60);

enum Part {
    Missing(Upload),
    Here,
    Broken(Fault),
}

/// See the module.
pub(super) struct Uploads {
    store: Option<BlobStore>,
    blobs: BTreeMap<u8, Blob>,
    /// Those that came along with the request.
    attached: BTreeMap<u8, Vec<u8>>,
    parts: Mutex<BTreeMap<u8, Part>>,
    changed: Condvar,
}

impl Uploads {
    /// A request that needs none.
    pub(super) fn none() -> Self {
        Self {
            store: None,
            blobs: BTreeMap::new(),
            attached: BTreeMap::new(),
            parts: Mutex::new(BTreeMap::new()),
            changed: Condvar::new(),
        }
    }

    /// What `program` needs, with what is here already or `attached` to it.
    pub(super) fn of(
        program: &Verified<'_>,
        store: BlobStore,
        attached: &[Vec<u8>],
    ) -> Result<Self, Fault> {
        let attached: BTreeMap<[u8; 32], &Vec<u8>> = attached
            .iter()
            .map(|octets| (RingCrypto.sha256(&[octets]), octets))
            .collect();
        let mut uploads = Self::none();
        let mut parts = BTreeMap::new();
        for (index, constant) in program.consts().iter().enumerate() {
            let Const::Blob(blob) = constant else {
                continue;
            };
            let index = index as u8;
            if let Some(octets) = attached.get(&blob.sha256)
                && octets.len() as u64 == blob.len
            {
                uploads.attached.insert(index, (*octets).clone());
                continue;
            }
            let part = match store.whole(&blob.sha256, blob.len).map_err(fault)? {
                Some(_) => Part::Here,
                None => finish(store.upload(blob.sha256, blob.len).map_err(no_room)?),
            };
            parts.insert(index, part);
            uploads.blobs.insert(index, *blob);
        }
        uploads.parts = Mutex::new(parts);
        uploads.store = Some(store);
        Ok(uploads)
    }

    /// Whether anything is missing.
    pub(super) fn is_incomplete(&self) -> bool {
        self.lock().values().any(|part| !matches!(part, Part::Here))
    }

    pub(super) fn wanted(&self, id: RequestId, followed: &Followed) -> Vec<Credit> {
        let parts = self.lock();
        let missing = parts.iter().filter_map(|(index, part)| match part {
            Part::Missing(upload) => Some((UPLOAD_SLOT + index, upload)),
            Part::Here | Part::Broken(_) => None,
        });
        missing
            .filter_map(|(slot, upload)| {
                let limit = upload.len().min(upload.have() + WINDOW);
                let due = match followed.asked.get(&slot) {
                    None => true,
                    Some(given) => {
                        limit >= given + WINDOW / 2 || (limit == upload.len() && limit > *given)
                    }
                };
                due.then_some(Credit {
                    id,
                    slot,
                    from: upload.have(),
                    limit,
                })
            })
            .collect()
    }

    pub(super) fn take(&self, slot: u8, offset: u64, bytes: &[u8]) -> Result<(), Fault> {
        let mut parts = self.lock();
        let Some(part) = parts.get_mut(&slot.wrapping_sub(UPLOAD_SLOT)) else {
            return Err(Fault::new(
                ErrorCode::BadReference,
                "an upload that was not asked for",
            ));
        };
        let Part::Missing(upload) = part else {
            return Ok(());
        };
        // Behind a broken link, the older session may have taken in what the newer one was asked to send again.
        let Some(known) = upload.have().checked_sub(offset) else {
            return Err(Fault::new(ErrorCode::BlobMismatch, "the upload has a gap"));
        };
        let fresh = bytes.get(known as usize..).unwrap_or_default();
        let taken = upload.append(fresh).map_err(fault);
        match taken {
            Err(fault) => *part = Part::Broken(fault),
            Ok(()) if upload.is_complete() => {
                if let Part::Missing(upload) = std::mem::replace(part, Part::Here) {
                    *part = finish(upload);
                }
            }
            Ok(()) => {}
        }
        drop(parts);
        self.changed.notify_all();
        Ok(())
    }

    /// Waits until everything is here.
    pub(super) fn wait(&self, stopped: impl Fn() -> bool) -> Result<(), Fault> {
        let mut parts = self.lock();
        let mut seen = progress(&parts);
        let mut idle_until = Instant::now() + MAX_IDLE;
        loop {
            if let Some(Part::Broken(fault)) =
                parts.values().find(|part| matches!(part, Part::Broken(_)))
            {
                return Err(fault.clone());
            }
            if parts.values().all(|part| matches!(part, Part::Here)) {
                return Ok(());
            }
            if stopped() {
                return Err(Fault::cancelled());
            }
            let now = progress(&parts);
            if now != seen {
                seen = now;
                idle_until = Instant::now() + MAX_IDLE;
            }
            let left = idle_until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Fault::new(
                    ErrorCode::TimedOut,
                    "the upload did not go on for 15 minutes",
                ));
            }
            parts = self
                .changed
                .wait_timeout(parts, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    /// Wakes whoever waits, to look whether the request was stopped.
    pub(super) fn wake(&self) {
        drop(self.lock());
        self.changed.notify_all();
    }

    /// An upload that is here.
    pub(super) fn content(&self, constant: u8) -> Result<Content, Fault> {
        if let Some(octets) = self.attached.get(&constant) {
            return Ok(Content::Memory(octets.clone()));
        }
        let missing = || Fault::new(ErrorCode::BlobMismatch, "an upload is missing");
        let (Some(store), Some(blob)) = (&self.store, self.blobs.get(&constant)) else {
            return Err(missing());
        };
        let file = store.whole(&blob.sha256, blob.len).map_err(fault)?;
        file.map(Content::File).ok_or_else(missing)
    }

    /// Whether the request needs this upload.
    pub(super) fn needs(&self, sha256: &[u8; 32]) -> bool {
        self.blobs.values().any(|blob| blob.sha256 == *sha256)
    }

    /// Forgets what was uploaded, once the request has ended, but for what is `needed` elsewhere.
    pub(super) fn forget(&self, needed: impl Fn(&[u8; 32]) -> bool) {
        if let Some(store) = &self.store {
            self.blobs
                .values()
                .filter(|blob| !needed(&blob.sha256))
                .for_each(|blob| store.remove(&blob.sha256, blob.len));
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u8, Part>> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn progress(parts: &BTreeMap<u8, Part>) -> u64 {
    parts
        .values()
        .map(|part| {
            if let Part::Missing(upload) = part {
                upload.have()
            } else {
                u64::MAX / 128
            }
        })
        .sum()
}

fn finish(upload: Upload) -> Part {
    if !upload.is_complete() {
        return Part::Missing(upload);
    }
    match upload.finish() {
        Ok(Some(_)) => Part::Here,
        Ok(None) => Part::Broken(Fault::new(
            ErrorCode::BlobMismatch,
            "the upload is not what its hash says",
        )),
        Err(error) => Part::Broken(fault(error)),
    }
}

/// What beginning an upload said: the room that is short is that of uploads, where no person can delete anything.
fn no_room(error: FileFault) -> Fault {
    match error {
        FileFault::Full { used, quota } => Fault::new(
            ErrorCode::StoreFull,
            format!(
                "other uploads of this device take {used} of {quota} bytes; let them end or cancel them first"
            ),
        ),
        other => fault(other),
    }
}

/// What the drop folder or the uploads said, for the wire.
pub(super) fn fault(error: FileFault) -> Fault {
    let detail = error.to_string();
    match error {
        FileFault::Path(_) | FileFault::NotPlain => Fault::new(ErrorCode::PathRefused, detail),
        FileFault::NotFound => Fault::new(ErrorCode::NotFound, detail),
        FileFault::Exists => Fault::new(ErrorCode::FileExists, detail),
        FileFault::Full { .. } => Fault::new(ErrorCode::StoreFull, detail),
        FileFault::Disk(error) => Fault::disk(&error),
    }
}
