//! Result bodies on their way: one file each while a program runs.
//!
//! Written as the data arrives, so that a killed process leaves what had arrived; forced to the disk when the request
//! ends, so that a lost battery leaves what was called done.

use super::{RelationshipId, Store, StoreError};
use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bodies up to this many octets move into the database when the request ends: one page chain beats one file.
pub(super) const MAX_INLINE_LEN: u64 = 64 * 1024;

/// One result body being written; also read while it grows.
#[derive(Debug)]
pub struct Spool {
    pub(super) slot: u8,
    pub(super) path: PathBuf,
    file: Arc<File>,
    len: u64,
    /// Octets that are known to be on the disk.
    forced: Arc<AtomicU64>,
}

/// The body of a [`Spool`] that is too large for the database, as far as it was written when this was made: what
/// [`Store::force`] needs, so that the spool itself may be read meanwhile.
#[derive(Debug)]
pub struct Unforced {
    path: PathBuf,
    file: Arc<File>,
    len: u64,
    forced: Arc<AtomicU64>,
}

impl Spool {
    /// Appends `bytes`.
    ///
    /// # Errors
    /// What the disk said; nothing of `bytes` counts then.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.file
            .write_all_at(bytes, self.len)
            .map_err(|error| StoreError::File(self.path.clone(), error))?;
        self.len += bytes.len() as u64;
        Ok(())
    }

    /// Octets written so far.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether nothing was written yet.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Reads up to `max` octets from `offset`; fewer at the end of what was written.
    ///
    /// # Errors
    /// What the disk said.
    pub fn read(&self, offset: u64, max: usize) -> Result<Vec<u8>, StoreError> {
        let wanted = self.len.saturating_sub(offset).min(max as u64) as usize;
        let mut bytes = vec![0; wanted];
        self.file
            .read_exact_at(&mut bytes, offset)
            .map_err(|error| StoreError::File(self.path.clone(), error))?;
        Ok(bytes)
    }

    /// Takes its name away: it goes as soon as nobody reads it.
    pub fn unlink(&self) {
        remove(&self.path);
    }

    /// What is still to be forced to the disk before its request may end; `None` if nothing.
    pub fn unforced(&self) -> Option<Unforced> {
        let forced = self.forced.load(Ordering::Acquire);
        (self.len > MAX_INLINE_LEN && forced < self.len).then(|| Unforced {
            path: self.path.clone(),
            file: Arc::clone(&self.file),
            len: self.len,
            forced: Arc::clone(&self.forced),
        })
    }
}

impl Store {
    /// Starts the body of result `slot` of a request.
    ///
    /// # Errors
    /// What the disk said.
    pub fn spool(
        &self,
        relationship: RelationshipId,
        request: u64,
        slot: u8,
    ) -> Result<Spool, StoreError> {
        let path = self.spool_path(relationship, request, slot);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&path)
            .map_err(|error| StoreError::File(path.clone(), error))?;
        Ok(Spool {
            slot,
            path,
            file: Arc::new(file),
            len: 0,
            forced: Arc::default(),
        })
    }

    /// Forces bodies and their names to the disk. This may take seconds: hold no lock.
    ///
    /// # Errors
    /// What the disk said; what is on it is unknown then, and the request must not end well.
    pub fn force(&self, bodies: &[Unforced]) -> Result<(), StoreError> {
        for body in bodies {
            body.file
                .sync_all()
                .map_err(|error| StoreError::File(body.path.clone(), error))?;
        }
        if !bodies.is_empty() {
            self.sync_spool_folder()?;
        }
        for body in bodies {
            body.forced.store(body.len, Ordering::Release);
        }
        Ok(())
    }

    pub(super) fn spool_path(
        &self,
        relationship: RelationshipId,
        request: u64,
        slot: u8,
    ) -> PathBuf {
        self.spool.join(format!("{relationship}-{request}-{slot}"))
    }

    /// Spool files that are there, with the result that each belongs to.
    pub(super) fn spool_files(
        &self,
    ) -> Result<Vec<(PathBuf, RelationshipId, u64, u8)>, StoreError> {
        let entries = fs::read_dir(&self.spool)
            .map_err(|error| StoreError::File(self.spool.clone(), error))?;
        let mut found = Vec::new();
        for entry in entries {
            let path = entry
                .map_err(|error| StoreError::File(self.spool.clone(), error))?
                .path();
            if let Some((relationship, request, slot)) = parse_name(&path) {
                found.push((path, relationship, request, slot));
            }
        }
        Ok(found)
    }

    pub(super) fn remove_spools_of(&self, relationship: RelationshipId) {
        for (path, owner, _, _) in self.spool_files().unwrap_or_default() {
            if owner == relationship {
                remove(&path);
            }
        }
    }

    fn sync_spool_folder(&self) -> Result<(), StoreError> {
        File::open(&self.spool)
            .and_then(|folder| folder.sync_all())
            .map_err(|error| StoreError::File(self.spool.clone(), error))
    }
}

/// Removes a spool file that nothing names any more. One that stays is removed by the next start.
pub(super) fn remove(path: &Path) {
    if let Err(error) = fs::remove_file(path)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        log::warn!("{} stays until the next start: {error}", path.display());
    }
}

fn parse_name(path: &Path) -> Option<(RelationshipId, u64, u8)> {
    let mut parts = path.file_name()?.to_str()?.split('-');
    let parsed = (
        parts.next()?.parse().ok()?,
        parts.next()?.parse().ok()?,
        parts.next()?.parse().ok()?,
    );
    parts.next().is_none().then_some(parsed)
}

#[cfg(test)]
mod tests {
    use super::super::testing::TempFolder;
    use super::*;

    #[test]
    fn a_growing_body_is_read_at_any_place() {
        let folder = TempFolder::new("spool");
        let store = Store::open(&folder.0).expect("a store");
        let mut spool = store.spool(1, 2, 3).expect("a spool");
        spool.append(b"hello ").expect("written");
        spool.append(b"world").expect("written");
        assert_eq!(spool.read(6, 100).expect("read"), b"world");
        assert_eq!(spool.read(3, 4).expect("read"), b"lo w");
        assert_eq!(spool.read(11, 4).expect("read"), b"");
        assert_eq!(spool.read(u64::MAX, 4).expect("read"), b"");
    }

    #[test]
    fn a_large_body_is_forced_once_and_again_if_it_grows() {
        let folder = TempFolder::new("spool-force");
        let store = Store::open(&folder.0).expect("a store");
        let mut spool = store.spool(1, 2, 3).expect("a spool");
        let inline = vec![7; MAX_INLINE_LEN as usize];
        spool.append(&inline).expect("written");
        assert!(spool.unforced().is_none(), "goes into the database");
        spool.append(b"x").expect("written");
        let unforced = spool.unforced().expect("too large for the database");
        // What arrives meanwhile is not covered.
        spool.append(b"y").expect("written");
        store.force(&[unforced]).expect("forced");
        let rest = spool.unforced().expect("has grown");
        store.force(&[rest]).expect("forced");
        assert!(spool.unforced().is_none());
        store.force(&[]).expect("nothing to do");
    }

    #[test]
    fn only_spool_names_are_taken_for_spools() {
        for (name, parsed) in [
            ("1-2-3", Some((1, 2, 3))),
            ("1-2-300", None),
            ("1-2", None),
            ("1-2-3-4", None),
            ("a-2-3", None),
            (".1-2-3.swp", None),
        ] {
            assert_eq!(parse_name(Path::new(name)), parsed, "{name}");
        }
    }
}
