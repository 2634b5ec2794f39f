//! Room kept aside, so that what the owner decides is written down on a full disk, too.

use super::StoreError;
use crate::paths::room_at;
use nix::fcntl::posix_fallocate;
use std::fs::{self, OpenOptions};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Octets kept aside. A decision and its line of the ledger change some ten pages of the database, of four kilobytes.
const LEN: u64 = 256 * 1024;
/// A disk with less than this, in times of what is kept, has none to spare.
const TIMES_TO_SPARE: u64 = 8;

/// A file that is nothing but room.
pub(super) struct Reserve {
    path: PathBuf,
}

impl Reserve {
    /// That of the state in `folder`, with as much in it as there was.
    pub(super) fn of(folder: &Path) -> Self {
        Self {
            path: folder.join("reserve"),
        }
    }

    /// Takes the room where the disk has some to spare and it is not taken already.
    ///
    /// # Errors
    /// What the disk said; it keeps no room then.
    pub(super) fn fill(&self) -> Result<(), StoreError> {
        let failed = |error| StoreError::File(self.path.clone(), error);
        let there = fs::metadata(&self.path).map_or(0, |meta| meta.len());
        let spare = room_at(&self.path).is_none_or(|free| free >= LEN * TIMES_TO_SPARE);
        if there == LEN || !spare {
            return Ok(());
        }
        let file = OpenOptions::new()
            .create(true)
            .truncate(true)
            .write(true)
            .mode(0o600)
            .open(&self.path)
            .map_err(failed)?;
        posix_fallocate(file.as_fd(), 0, LEN as i64).map_err(|errno| {
            // Whatever part of it was taken.
            let _ = fs::remove_file(&self.path);
            failed(errno.into())
        })
    }

    /// Gives the room back to the disk; whether there was any.
    pub(super) fn spend(&self) -> bool {
        let had = fs::metadata(&self.path).is_ok_and(|meta| meta.len() > 0);
        had && fs::remove_file(&self.path)
            .inspect_err(|error| log::error!("{}: {error}", self.path.display()))
            .is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::TempFolder;
    use std::os::unix::fs::MetadataExt;

    #[test]
    fn room_is_taken_given_back_once_and_taken_again() {
        let folder = TempFolder::new("reserve");
        let reserve = Reserve::of(&folder.0);
        assert!(!reserve.spend(), "nothing was taken yet");
        for _ in 0..2 {
            reserve.fill().expect("room");
            reserve.fill().expect("it is there");
            let meta = fs::metadata(&reserve.path).expect("a file");
            assert_eq!((meta.len(), meta.mode() & 0o777), (LEN, 0o600));
            assert!(meta.blocks() * 512 >= LEN, "a hole is no room");
            assert!(reserve.spend());
            assert!(!reserve.spend(), "it was given already");
        }
    }

    #[test]
    fn what_was_cut_short_is_taken_whole() {
        let folder = TempFolder::new("reserve-short");
        let reserve = Reserve::of(&folder.0);
        fs::write(&reserve.path, [0; 9]).expect("written");
        reserve.fill().expect("room");
        assert_eq!(fs::metadata(&reserve.path).expect("a file").len(), LEN);
    }
}
