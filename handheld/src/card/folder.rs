//! The real medium: a folder beside the app, used with positioned reads and writes and fsync.
//!
//! FAT keeps in three places what belongs together: a file's name, start and length in its folder, the chain of its clusters in
//! the table, and its content. One fsync sends all three off before one flush, and a card that loses power takes any of
//! them first. A name that is there without its chain is worse than none: its clusters count as free, the next file is
//! given them too, and deleting either takes the other along. So the order is kept here, with a flush between:
//!
//! - chain before length: a grown file's folder is synced first, which takes the whole table along, then the file itself;
//! - name before chain when a file goes: it is held open until the removal of its name is durable, and frees its clusters then;
//! - folder before name: a new folder is made under a passing name and gets its own once its first sector is durable, before
//!   anything is promised that lies in it.
//!
//! `tests/card/NOTES.md` says how each was found.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::error::CardError;
use super::medium::Medium;

/// Zeros are written in pieces of this size when a file is preallocated: one FAT cluster of a large card.
const ZERO_PIECE: usize = 32 * 1024;

/// Files listed at most; more than the format ever makes means that the folder is not ours.
const MAX_FILES: usize = 20_000;

/// A folder on the card. Holds an exclusive lock on it, so that two apps never write one journal.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    _guard: nix::fcntl::Flock<File>,
}

impl Folder {
    /// Opens the folder, making it if needed.
    ///
    /// # Errors
    /// The folder cannot be made, or another instance of the app uses it.
    pub fn open(path: &Path) -> Result<Self, CardError> {
        let shown = path.display().to_string();
        make_folder(path)?;
        let dir = File::open(path).map_err(|e| CardError::from_io("read", &shown, 0, e))?;
        // The folder itself is locked: a lock file would be one more file that FAT can lose.
        let guard = nix::fcntl::Flock::lock(dir, nix::fcntl::FlockArg::LockExclusiveNonblock)
            .map_err(|(_, errno)| {
                let source = if errno == nix::errno::Errno::EWOULDBLOCK {
                    io::Error::new(
                        io::ErrorKind::ResourceBusy,
                        "another OfficeOS is using this folder",
                    )
                } else {
                    io::Error::from(errno)
                };
                CardError::Io {
                    action: "lock",
                    name: shown,
                    source,
                }
            })?;
        Ok(Self {
            path: path.to_owned(),
            _guard: guard,
        })
    }

    /// Full path of a file in the folder.
    pub fn path_of(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    fn sync_folder(&self) -> Result<(), CardError> {
        sync_folder(&self.path).map_err(|e| CardError::from_io("sync", ".", 0, e))
    }
}

/// Makes a folder and those above it; durable on return where it was not there.
///
/// # Errors
/// The card is full, read-only or fails.
pub fn make_folder(path: &Path) -> Result<(), CardError> {
    let shown = path.display().to_string();
    let failed = |e| CardError::from_io("create", &shown, 4096, e);
    let absolute = std::path::absolute(path).map_err(failed)?;
    let missing: Vec<&Path> = absolute.ancestors().take_while(|p| !p.exists()).collect();
    for folder in missing.into_iter().rev() {
        new_folder(folder).map_err(failed)?;
    }
    Ok(())
}

/// Makes a folder that shows under its name only once it is whole. A name that is durable before the folder's first sector is
/// an error for FAT at every look, and makes the card read-only; nobody looks at a passing name.
fn new_folder(folder: &Path) -> io::Result<()> {
    let above = folder
        .parent()
        .ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let nanos = since.map_or(0, |since| since.subsec_nanos());
    let passing = above.join(format!(
        "n{:07x}",
        (nanos ^ std::process::id()) & 0x0FFF_FFFF
    ));
    std::fs::create_dir(&passing)?;
    // The one above takes the table along, and with it the new folder's cluster, before any name. It may lie on another
    // file system, or be nobody's to open: then all is durable together below.
    if let Some(higher) = above.parent() {
        let _ = sync_folder(higher);
    }
    sync_folder(above)?;
    if let Err(error) = std::fs::rename(&passing, folder) {
        // Empty, and of no use to anybody.
        let _ = std::fs::remove_dir(&passing);
        return Err(error);
    }
    // Renaming writes the name for cluster 0, and Linux adds the real one when it writes the folder itself. Both lie in one sector:
    // the folder first, or its name is durable without its content after all.
    sync_folder(folder)?;
    sync_folder(above)
}

/// Makes the names in a folder durable, and on FAT the whole table of clusters.
pub fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Removes a file whose clusters become free only once its name is durably gone.
pub fn remove(path: &Path) -> io::Result<()> {
    let held = File::open(path)?;
    std::fs::remove_file(path)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    sync_folder(folder)?;
    drop(held);
    Ok(())
}

impl Medium for Folder {
    fn list(&self) -> Result<Vec<(String, u64)>, CardError> {
        let entries =
            std::fs::read_dir(&self.path).map_err(|e| CardError::from_io("list", ".", 0, e))?;
        let mut found = Vec::new();
        for entry in entries.take(MAX_FILES) {
            let entry = entry.map_err(|e| CardError::from_io("list", ".", 0, e))?;
            // A damaged FAT can list entries that cannot be looked up; such a file is none of ours.
            let Ok(meta) = entry.metadata() else { continue };
            if let (true, Ok(name)) = (meta.is_file(), entry.file_name().into_string()) {
                found.push((name, meta.len()));
            }
        }
        found.sort();
        Ok(found)
    }

    fn len(&self, name: &str) -> Result<Option<u64>, CardError> {
        match std::fs::metadata(self.path_of(name)) {
            Ok(meta) => Ok(Some(meta.len())),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(CardError::from_io("read", name, 0, e)),
        }
    }

    fn read_at(&self, name: &str, offset: u64, buf: &mut [u8]) -> Result<usize, CardError> {
        let file =
            File::open(self.path_of(name)).map_err(|e| CardError::from_io("read", name, 0, e))?;
        let mut got = 0;
        while got < buf.len() {
            match file.read_at(&mut buf[got..], offset + got as u64) {
                Ok(0) => break,
                Ok(n) => got += n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(CardError::from_io("read", name, 0, e)),
            }
        }
        Ok(got)
    }

    fn write_at(&mut self, name: &str, offset: u64, bytes: &[u8]) -> Result<(), CardError> {
        OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(self.path_of(name))
            .and_then(|file| file.write_all_at(bytes, offset))
            .map_err(|e| CardError::from_io("write", name, bytes.len() as u64, e))
    }

    fn sync(&mut self, name: &str) -> Result<(), CardError> {
        let failed = |e| CardError::from_io("sync", name, 0, e);
        let file = OpenOptions::new()
            .write(true)
            .open(self.path_of(name))
            .map_err(failed)?;
        file.sync_data().map_err(failed)
    }

    fn sync_new(&mut self, name: &str) -> Result<(), CardError> {
        let failed = |e| CardError::from_io("sync", name, 0, e);
        let file = OpenOptions::new()
            .write(true)
            .open(self.path_of(name))
            .map_err(failed)?;
        self.sync_folder()?;
        file.sync_all().map_err(failed)
    }

    fn preallocate(&mut self, name: &str, len: u64) -> Result<(), CardError> {
        let failed = |e| CardError::from_io("create", name, len, e);
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(self.path_of(name))
            .map_err(failed)?;
        // Written, not fallocated: FAT has no unwritten extents, and a cluster that was never written may be bad.
        let mut at = file.metadata().map_err(failed)?.len();
        let zeros = [0; ZERO_PIECE];
        while at < len {
            let piece = (len - at).min(ZERO_PIECE as u64) as usize;
            file.write_all_at(&zeros[..piece], at).map_err(failed)?;
            at += piece as u64;
        }
        self.sync_folder()?;
        file.sync_all().map_err(failed)
    }

    fn delete(&mut self, name: &str) -> Result<(), CardError> {
        match remove(&self.path_of(name)) {
            Ok(()) => Ok(()),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(e) => Err(CardError::from_io("delete", name, 0, e)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fresh(name: &str) -> PathBuf {
        let path =
            std::env::temp_dir().join(format!("officeos-folder-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        path
    }

    #[test]
    fn files_are_preallocated_written_in_place_and_listed() {
        let path = fresh("rw");
        let mut folder = Folder::open(&path).unwrap();
        folder.preallocate("a.seg", 70_000).unwrap();
        folder.write_at("a.seg", 512, b"hello").unwrap();
        folder.sync("a.seg").unwrap();
        assert_eq!(folder.list().unwrap(), [("a.seg".to_owned(), 70_000)]);
        let mut buf = [9; 7];
        assert_eq!(folder.read_at("a.seg", 511, &mut buf).unwrap(), 7);
        assert_eq!(&buf, b"\0hello\0");
        assert_eq!(folder.read_at("a.seg", 69_998, &mut buf).unwrap(), 2);
        folder.preallocate("a.seg", 10).unwrap();
        assert_eq!(
            folder.len("a.seg").unwrap(),
            Some(70_000),
            "preallocation never shortens"
        );
        folder.delete("a.seg").unwrap();
        folder.delete("a.seg").unwrap();
        assert_eq!(folder.len("a.seg").unwrap(), None);
        std::fs::remove_dir_all(&path).unwrap();
    }

    #[test]
    fn folders_are_made_with_those_above_and_a_file_goes_with_its_name() {
        let path = fresh("deep");
        make_folder(&path.join("ports/officeos")).unwrap();
        make_folder(&path.join("ports/officeos")).unwrap();
        let file = path.join("ports/officeos/a");
        std::fs::write(&file, b"a").unwrap();
        assert!(make_folder(&file.join("b")).is_err(), "a file is no folder");
        remove(&file).unwrap();
        let gone = remove(&file).unwrap_err();
        assert_eq!(gone.kind(), io::ErrorKind::NotFound);
        std::fs::remove_dir_all(&path).unwrap();
    }

    #[test]
    fn a_second_app_on_the_same_folder_is_refused() {
        let path = fresh("lock");
        let first = Folder::open(&path).unwrap();
        let refused = Folder::open(&path).unwrap_err();
        assert!(
            refused.to_string().contains("another OfficeOS"),
            "{refused}"
        );
        drop(first);
        Folder::open(&path).unwrap();
        std::fs::remove_dir_all(&path).unwrap();
    }
}
