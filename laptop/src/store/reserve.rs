//! Room kept aside, so that what the owner decides is written down on a full disk, too.

use super::StoreError;
use crate::paths::room_at;
use nix::fcntl::posix_fallocate;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Octets that are given at a time. A decision and its line of the ledger change some ten pages of the database, of four
/// kilobytes, and as much of its log.
const STEP: u64 = 128 * 1024;
/// Octets kept aside: three steps for decisions, one that only a revocation gets.
const LEN: u64 = 4 * STEP;
/// A disk with less than this, in times of what is kept, has none to spare.
const TIMES_TO_SPARE: u64 = 4;

/// What room is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Any decision of the owner.
    Decision,
    /// The end of a relationship or of a token, which must not fail because other decisions came first.
    Revocation,
}

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
    /// What the disk said; there is less of it then, or none.
    pub(super) fn fill(&self) -> Result<(), StoreError> {
        // A copy of the folder may have made a hole of it.
        let is_whole = fs::metadata(&self.path)
            .is_ok_and(|meta| meta.len() == LEN && meta.blocks() * 512 >= LEN);
        let has_room = room_at(&self.path).is_none_or(|free| free >= LEN * TIMES_TO_SPARE);
        if is_whole || !has_room {
            return Ok(());
        }
        let filled = self
            .open()
            .and_then(|file| Ok(posix_fallocate(file.as_fd(), 0, LEN as i64)?));
        filled.map_err(|error| StoreError::File(self.path.clone(), error))
    }

    /// Gives a step of the room back to the disk; whether there was one for this purpose.
    pub(super) fn give(&self, purpose: Purpose) -> bool {
        let there = fs::metadata(&self.path).map_or(0, |meta| meta.len());
        let kept = match purpose {
            Purpose::Decision => STEP,
            Purpose::Revocation => 0,
        };
        let left = there.saturating_sub(STEP).max(kept);
        let cut = || {
            self.open()
                .and_then(|file| file.set_len(left))
                .inspect_err(|error| log::error!("{}: {error}", self.path.display()))
        };
        let gave = left < there && cut().is_ok();
        if gave {
            log::warn!("the disk is full: {left} octets of the room kept aside are left");
        }
        gave
    }

    fn open(&self) -> io::Result<File> {
        OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::TempFolder;

    fn reserve(name: &str) -> (TempFolder, Reserve) {
        let folder = TempFolder::new(name);
        let reserve = Reserve::of(&folder.0);
        (folder, reserve)
    }

    #[test]
    fn room_is_given_in_steps_of_which_the_last_is_for_revocations() {
        let (_folder, reserve) = reserve("reserve");
        assert!(!reserve.give(Purpose::Revocation), "nothing was taken yet");
        for _ in 0..2 {
            reserve.fill().expect("room");
            reserve.fill().expect("it is there");
            let meta = fs::metadata(&reserve.path).expect("a file");
            assert_eq!((meta.len(), meta.mode() & 0o777), (LEN, 0o600));
            let given = std::iter::repeat_with(|| reserve.give(Purpose::Decision));
            assert_eq!(given.take_while(|gave| *gave).count(), 3);
            assert!(reserve.give(Purpose::Revocation));
            assert!(!reserve.give(Purpose::Revocation));
            assert_eq!(fs::metadata(&reserve.path).expect("a file").len(), 0);
        }
    }

    #[test]
    fn what_was_cut_short_or_is_a_hole_is_taken_whole() {
        let (_folder, reserve) = reserve("reserve-short");
        for len in [9, LEN] {
            let file = File::create(&reserve.path).expect("a file");
            file.set_len(len).expect("a hole");
            reserve.fill().expect("room");
            let meta = fs::metadata(&reserve.path).expect("a file");
            assert!(meta.len() == LEN && meta.blocks() * 512 >= LEN, "{len}");
        }
    }
}
