//! Data that a device uploads beside a program, named by its hash: resumable at the byte where it stopped.

use super::FileFault;
use ring::digest::{Context, SHA256};
use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Longest time that an upload nobody goes on with is kept.
const MAX_IDLE: Duration = Duration::from_secs(7 * 24 * 3600);

/// Ending of an upload that is not whole.
const PART: &str = ".part";

/// The uploads of one relationship. One relationship never learns what another one has uploaded.
#[derive(Debug, Clone)]
pub struct BlobStore {
    folder: PathBuf,
    cap: u64,
}

/// One upload as far as it has come.
#[derive(Debug)]
pub struct Upload {
    file: File,
    part: PathBuf,
    whole: PathBuf,
    sha256: [u8; 32],
    len: u64,
    have: u64,
}

impl BlobStore {
    /// The uploads of `relationship` below `base`, `cap` octets at the most.
    ///
    /// # Errors
    /// What the disk said.
    pub fn open(base: &Path, relationship: i64, cap: u64) -> Result<Self, FileFault> {
        let folder = base.join(relationship.to_string());
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)?;
        Ok(Self { folder, cap })
    }

    /// Opens the finished upload with this hash; `None` if it is not whole.
    ///
    /// # Errors
    /// What the disk said.
    pub fn whole(&self, sha256: &[u8; 32], len: u64) -> Result<Option<File>, FileFault> {
        match File::open(self.path(sha256, "")) {
            Ok(file) => Ok((file.metadata()?.len() == len).then_some(file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Begins an upload or goes on with it.
    ///
    /// # Errors
    /// [`FileFault::Full`] where it would pass the cap, or what the disk said.
    pub fn upload(&self, sha256: [u8; 32], len: u64) -> Result<Upload, FileFault> {
        let part = self.part(&sha256, len);
        let used = self.used(&part)?;
        if used.saturating_add(len) > self.cap {
            return Err(FileFault::Full {
                used,
                quota: self.cap,
            });
        }
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&part)?;
        // Octets behind the end can only be damage: the hash would not fit.
        let have = file.metadata()?.len().min(len);
        Ok(Upload {
            file,
            whole: self.path(&sha256, ""),
            part,
            sha256,
            len,
            have,
        })
    }

    /// Forgets an upload, whole or as far as it came.
    pub fn remove(&self, sha256: &[u8; 32], len: u64) {
        let _ = fs::remove_file(self.path(sha256, ""));
        let _ = fs::remove_file(self.part(sha256, len));
    }

    /// Forgets everything of this relationship.
    pub fn clear(&self) {
        let _ = fs::remove_dir_all(&self.folder);
    }

    /// Removes what nobody has gone on with for a week.
    ///
    /// # Errors
    /// What the disk said.
    pub fn retain(&self, now: SystemTime) -> Result<(), FileFault> {
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let idle = entry
                .metadata()?
                .modified()
                .ok()
                .and_then(|at| now.duration_since(at).ok());
            if idle.is_some_and(|idle| idle > MAX_IDLE) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    fn used(&self, except: &Path) -> Result<u64, FileFault> {
        let mut total: u64 = 0;
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            if entry.path() != except {
                let len = match announced(&entry.file_name()) {
                    Some(len) => len,
                    None => entry.metadata()?.len(),
                };
                total = total.saturating_add(len);
            }
        }
        Ok(total)
    }

    /// A part carries the length it will have in its name: what was announced counts before it is there, so that many
    /// uploads begun at once cannot pass the cap together.
    fn part(&self, sha256: &[u8; 32], len: u64) -> PathBuf {
        self.path(sha256, &format!("-{len}{PART}"))
    }

    fn path(&self, sha256: &[u8; 32], suffix: &str) -> PathBuf {
        let hex: String = sha256.iter().map(|byte| format!("{byte:02x}")).collect();
        self.folder.join(format!("{hex}{suffix}"))
    }
}

impl Upload {
    /// Octets that are here: the device goes on from this place.
    pub fn have(&self) -> u64 {
        self.have
    }

    /// Octets in all.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether nothing is to come at all.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether all octets are here.
    pub fn is_complete(&self) -> bool {
        self.have == self.len
    }

    /// Takes the next octets.
    ///
    /// # Errors
    /// [`FileFault::Exists`] for more than was announced, or what the disk said.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), FileFault> {
        if bytes.len() as u64 > self.len - self.have {
            return Err(FileFault::Exists);
        }
        self.file.write_all_at(bytes, self.have)?;
        self.have += bytes.len() as u64;
        Ok(())
    }

    /// Checks the whole against its hash and keeps it. `None` where it does not fit: then it is gone, and the upload
    /// starts anew.
    ///
    /// # Errors
    /// What the disk said.
    pub fn finish(self) -> Result<Option<File>, FileFault> {
        self.file.set_len(self.len)?;
        let mut context = Context::new(&SHA256);
        let mut chunk = vec![0; 64 * 1024];
        let mut at = 0;
        loop {
            let read = self.file.read_at(&mut chunk, at)?;
            if read == 0 {
                break;
            }
            context.update(&chunk[..read]);
            at += read as u64;
        }
        if context.finish().as_ref() != self.sha256 {
            forget(&self.part)?;
            return Ok(None);
        }
        self.file.sync_all()?;
        match fs::rename(&self.part, &self.whole) {
            // Another request that needs the same was quicker: both wrote the same octets to the same file.
            Err(error) if error.kind() == io::ErrorKind::NotFound && self.whole.exists() => {}
            other => other?,
        }
        Ok(Some(File::open(&self.whole)?))
    }
}

/// The length that the name of a part announces.
fn announced(name: &OsStr) -> Option<u64> {
    let (_, len) = name.to_str()?.strip_suffix(PART)?.split_once('-')?;
    len.parse().ok()
}

/// Removes a file that may be gone already.
fn forget(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::TempFolder;
    use std::io::Read;

    fn sha256(bytes: &[u8]) -> [u8; 32] {
        let mut out = [0; 32];
        out.copy_from_slice(ring::digest::digest(&SHA256, bytes).as_ref());
        out
    }

    #[test]
    fn an_upload_goes_on_where_it_stopped() {
        let temp = TempFolder::new("blobs");
        let store = BlobStore::open(&temp.0, 1, 1_000).expect("a store");
        let body = b"hello world";
        let hash = sha256(body);
        let mut upload = store.upload(hash, 11).expect("begun");
        upload.append(&body[..4]).expect("taken");
        drop(upload);
        assert!(store.whole(&hash, 11).expect("looked").is_none());
        let mut upload = store.upload(hash, 11).expect("gone on");
        assert_eq!(upload.have(), 4);
        upload.append(&body[4..]).expect("taken");
        assert!(upload.is_complete());
        upload.finish().expect("checked").expect("fits");
        let mut read = Vec::new();
        store
            .whole(&hash, 11)
            .expect("looked")
            .expect("whole")
            .read_to_end(&mut read)
            .expect("read");
        assert_eq!(read, body);
        store.remove(&hash, 11);
        assert!(store.whole(&hash, 11).expect("looked").is_none());
    }

    #[test]
    fn two_requests_may_upload_the_same_at_once() {
        let temp = TempFolder::new("twice");
        let store = BlobStore::open(&temp.0, 1, 1_000).expect("a store");
        let hash = sha256(b"abc");
        let mut first = store.upload(hash, 3).expect("begun");
        let mut second = store.upload(hash, 3).expect("begun");
        first.append(b"abc").expect("taken");
        second.append(b"abc").expect("taken");
        assert!(first.finish().expect("checked").is_some());
        assert!(second.finish().expect("checked").is_some());
        assert!(store.whole(&hash, 3).expect("looked").is_some());
    }

    #[test]
    fn bytes_that_do_not_fit_their_hash_are_thrown_away() {
        let temp = TempFolder::new("mismatch");
        let store = BlobStore::open(&temp.0, 1, 1_000).expect("a store");
        let mut upload = store.upload([7; 32], 3).expect("begun");
        upload.append(b"abc").expect("taken");
        assert!(upload.finish().expect("checked").is_none());
        assert_eq!(store.upload([7; 32], 3).expect("anew").have(), 0);
    }

    #[test]
    fn more_than_announced_and_more_than_the_cap_are_refused() {
        let temp = TempFolder::new("cap");
        let store = BlobStore::open(&temp.0, 1, 10).expect("a store");
        let mut upload = store.upload([1; 32], 6).expect("begun");
        assert!(upload.append(b"1234567").is_err());
        upload.append(b"123456").expect("taken");
        assert!(matches!(
            store.upload([2; 32], 5),
            Err(FileFault::Full { used: 6, quota: 10 })
        ));
        store.upload([2; 32], 4).expect("fits");
        assert!(
            matches!(
                store.upload([3; 32], 1),
                Err(FileFault::Full {
                    used: 10,
                    quota: 10
                })
            ),
            "what was announced counts before it is there"
        );
        store.remove(&[2; 32], 4);
        store.upload([3; 32], 1).expect("fits again");
        let other = BlobStore::open(&temp.0, 2, 10).expect("another device");
        assert!(other.whole(&[1; 32], 6).expect("looked").is_none());
    }
}
