//! One device's drop folder.

use super::{FilePath, PathFault};
use nix::dir::Dir;
use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, RenameFlags, openat, renameat2};
use nix::sys::stat::{FileStat, Mode as Bits, SFlag, fstat, fstatat, mkdirat};
use nix::unistd::{UnlinkatFlags, unlinkat};
use std::fmt;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Most files that a drop folder is counted over; beyond it the folder counts as full.
const MAX_FILES: usize = 20_000;
/// Most tries for a free name.
const MAX_RENAMES: u32 = 999;
/// Names of files that are being written start with this; devices can neither name nor see them.
const TEMPORARY: &str = ".officeos-part-";

/// One entry of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name; any text, so escape it where it is shown.
    pub name: String,
    /// Length in octets; zero for a folder.
    pub len: u64,
    /// Time of the last change, in seconds since 1970.
    pub modified: u64,
    /// Whether it is a folder.
    pub folder: bool,
}

/// Length and time of one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Info {
    /// Length in octets.
    pub len: u64,
    /// Time of the last change, in seconds since 1970.
    pub modified: u64,
}

/// What to do where a name is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Refuse.
    New,
    /// Replace the file.
    Replace,
    /// Choose a free name near it.
    Rename,
}

/// Why it could not be done.
#[derive(Debug)]
pub enum FileFault {
    /// The path is not one for devices, or leads over a link.
    Path(PathFault),
    /// A part of the path is a link, or not what it should be.
    NotPlain,
    /// There is no such file.
    NotFound,
    /// The name is taken.
    Exists,
    /// It would not fit.
    Full {
        /// Octets used.
        used: u64,
        /// Octets that may be used.
        quota: u64,
    },
    /// The disk failed.
    Disk(io::Error),
}

impl fmt::Display for FileFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(fault) => write!(f, "{fault}"),
            Self::NotPlain => f.write_str("the path leads over a link, or not to a plain file"),
            Self::NotFound => f.write_str("there is no such file"),
            Self::Exists => f.write_str("a file of that name is there already"),
            Self::Full { used, quota } => {
                write!(
                    f,
                    "the drop folder is full: {used} of {quota} bytes are used; delete something first"
                )
            }
            Self::Disk(error) => write!(f, "the disk: {error}"),
        }
    }
}

impl std::error::Error for FileFault {}

impl From<PathFault> for FileFault {
    fn from(fault: PathFault) -> Self {
        Self::Path(fault)
    }
}

impl From<Errno> for FileFault {
    fn from(errno: Errno) -> Self {
        match errno {
            Errno::ENOENT => Self::NotFound,
            // O_NOFOLLOW on a link, or a file where a folder should be.
            Errno::ELOOP | Errno::ENOTDIR | Errno::EISDIR | Errno::ENXIO => Self::NotPlain,
            Errno::EEXIST => Self::Exists,
            other => Self::Disk(other.into()),
        }
    }
}

impl From<io::Error> for FileFault {
    fn from(error: io::Error) -> Self {
        Self::Disk(error)
    }
}

/// One device's drop folder. All work starts from its open descriptor, never from a path.
#[derive(Debug)]
pub struct DropFolder {
    root: OwnedFd,
    quota: u64,
}

// Who may come here at all is decided by the folder around all drop folders: its owner alone, or in the system's
// installation the daemon's group, whose members read what handhelds send and put there what these may fetch.
const NEW_FOLDER: Bits = Bits::S_IRWXU.union(Bits::S_IRWXG);
const NEW_FILE: Bits = Bits::S_IRUSR.union(Bits::S_IWUSR).union(Bits::S_IRGRP);

const FOLDER: OFlag = OFlag::O_RDONLY
    .union(OFlag::O_DIRECTORY)
    .union(OFlag::O_NOFOLLOW)
    .union(OFlag::O_CLOEXEC);

impl DropFolder {
    /// Opens the folder `name` under `base`, making both where they are missing.
    ///
    /// # Errors
    /// [`FileFault::NotPlain`] where a link stands in its place, or what the disk said.
    pub fn open(base: &Path, name: &str, quota: u64) -> Result<Self, FileFault> {
        let parsed = FilePath::parse(name)?;
        let (folders, name) = parsed.split_file()?;
        if !folders.is_empty() {
            return Err(FileFault::NotPlain);
        }
        std::fs::create_dir_all(base)?;
        let base = nix::fcntl::open(
            base,
            OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC,
            Bits::empty(),
        )?;
        match mkdirat(&base, name, NEW_FOLDER) {
            Ok(()) | Err(Errno::EEXIST) => {}
            Err(errno) => return Err(errno.into()),
        }
        let root = openat(&base, name, FOLDER, Bits::empty())?;
        let folder = Self { root, quota };
        folder.sweep(&folder.root, 0)?;
        Ok(folder)
    }

    /// Octets that the folder may hold.
    pub fn quota(&self) -> u64 {
        self.quota
    }

    /// Octets of all files in it.
    ///
    /// # Errors
    /// What the disk said.
    pub fn used(&self) -> Result<u64, FileFault> {
        let mut files = 0;
        add_up(&self.root, 0, &mut files)
    }

    /// Entries of a folder, sorted by name; links, hidden names and names that are not UTF-8 are left out.
    ///
    /// # Errors
    /// A [`FileFault`].
    pub fn list(&self, path: &FilePath) -> Result<Vec<Entry>, FileFault> {
        let folder = self.walk(path.parts(), false)?;
        let mut entries = Vec::new();
        for name in names(&folder)? {
            if name.starts_with('.') || FilePath::parse(&name).is_err() {
                continue;
            }
            let Ok(stat) = fstatat(&folder, name.as_str(), AtFlags::AT_SYMLINK_NOFOLLOW) else {
                continue;
            };
            let (len, is_folder) = match kind(&stat) {
                SFlag::S_IFREG => (stat.st_size as u64, false),
                SFlag::S_IFDIR => (0, true),
                _ => continue,
            };
            entries.push(Entry {
                name,
                len,
                modified: stat.st_mtime.max(0) as u64,
                folder: is_folder,
            });
            if entries.len() >= MAX_FILES {
                break;
            }
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    /// Opens a file for reading.
    ///
    /// # Errors
    /// A [`FileFault`].
    pub fn open_file(&self, path: &FilePath) -> Result<(File, Info), FileFault> {
        let (folders, name) = path.split_file()?;
        let folder = self.walk(folders, false)?;
        // O_NONBLOCK: a pipe that someone put there must not hang us before we see what it is.
        let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
        let file = openat(&folder, name, flags, Bits::empty())?;
        let stat = fstat(&file)?;
        if kind(&stat) != SFlag::S_IFREG {
            return Err(FileFault::NotPlain);
        }
        Ok((
            File::from(file),
            Info {
                len: stat.st_size as u64,
                modified: stat.st_mtime.max(0) as u64,
            },
        ))
    }

    /// Writes a file of `len` octets from `source`: whole or not at all. Missing folders are made. Returns the path it
    /// has in the end.
    ///
    /// # Errors
    /// A [`FileFault`]; nothing is left behind then.
    pub fn put(
        &self,
        path: &FilePath,
        len: u64,
        source: &mut dyn Read,
        mode: Mode,
    ) -> Result<FilePath, FileFault> {
        let (folders, name) = path.split_file()?;
        let used = self.used()?;
        if used.saturating_add(len) > self.quota {
            return Err(FileFault::Full {
                used,
                quota: self.quota,
            });
        }
        let folder = self.walk(folders, true)?;
        let taken = |name: &str| match fstatat(&folder, name, AtFlags::AT_SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(kind(&stat))),
            Err(Errno::ENOENT) => Ok(None),
            Err(errno) => Err(FileFault::from(errno)),
        };
        match (mode, taken(name)?) {
            (Mode::New, Some(_)) => return Err(FileFault::Exists),
            (Mode::Replace, Some(found)) if found != SFlag::S_IFREG => {
                return Err(FileFault::NotPlain);
            }
            _ => {}
        }
        let temporary = temporary_name();
        let outcome = self.write_and_name(&folder, &temporary, name, len, source, mode);
        if outcome.is_err() {
            let _ = unlinkat(&folder, temporary.as_str(), UnlinkatFlags::NoRemoveDir);
        }
        let name = outcome?;
        let mut parts = folders.to_vec();
        parts.push(name);
        Ok(FilePath::parse(&parts.join("/"))?)
    }

    fn write_and_name(
        &self,
        folder: &OwnedFd,
        temporary: &str,
        name: &str,
        len: u64,
        source: &mut dyn Read,
        mode: Mode,
    ) -> Result<String, FileFault> {
        let flags =
            OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let mut file = File::from(openat(folder, temporary, flags, NEW_FILE)?);
        let copied = io::copy(&mut source.take(len), &mut file)?;
        if copied != len {
            return Err(FileFault::Disk(io::Error::from(
                io::ErrorKind::UnexpectedEof,
            )));
        }
        file.flush()?;
        file.sync_all()?;
        let mut chosen = name.to_owned();
        let mut number = 1;
        loop {
            let flags = if mode == Mode::Replace {
                RenameFlags::empty()
            } else {
                RenameFlags::RENAME_NOREPLACE
            };
            match renameat2(folder, temporary, folder, chosen.as_str(), flags) {
                Ok(()) => break,
                Err(Errno::EEXIST) if mode == Mode::Rename && number < MAX_RENAMES => {
                    number += 1;
                    chosen = numbered(name, number);
                }
                Err(errno) => return Err(errno.into()),
            }
        }
        nix::unistd::fsync(folder)?;
        Ok(chosen)
    }

    /// Removes a file, or a folder that is empty.
    ///
    /// # Errors
    /// A [`FileFault`].
    pub fn delete(&self, path: &FilePath) -> Result<(), FileFault> {
        let (folders, name) = path.split_file()?;
        let folder = self.walk(folders, false)?;
        let stat = fstatat(&folder, name, AtFlags::AT_SYMLINK_NOFOLLOW)?;
        let flag = match kind(&stat) {
            SFlag::S_IFREG => UnlinkatFlags::NoRemoveDir,
            SFlag::S_IFDIR => UnlinkatFlags::RemoveDir,
            _ => return Err(FileFault::NotPlain),
        };
        match unlinkat(&folder, name, flag) {
            Err(Errno::ENOTEMPTY) => return Err(FileFault::Exists),
            other => other?,
        }
        nix::unistd::fsync(&folder)?;
        Ok(())
    }

    fn walk(&self, folders: &[String], make: bool) -> Result<OwnedFd, FileFault> {
        let mut at = openat(&self.root, ".", FOLDER, Bits::empty())?;
        for name in folders {
            if make {
                match mkdirat(&at, name.as_str(), NEW_FOLDER) {
                    Ok(()) | Err(Errno::EEXIST) => {}
                    Err(errno) => return Err(errno.into()),
                }
            }
            at = openat(&at, name.as_str(), FOLDER, Bits::empty())?;
        }
        Ok(at)
    }

    /// Removes what a killed process left half written.
    fn sweep(&self, folder: &OwnedFd, depth: usize) -> Result<(), FileFault> {
        if depth > 8 {
            return Ok(());
        }
        for name in names(folder)? {
            let Ok(stat) = fstatat(folder, name.as_str(), AtFlags::AT_SYMLINK_NOFOLLOW) else {
                continue;
            };
            if kind(&stat) == SFlag::S_IFDIR {
                if let Ok(inner) = openat(folder, name.as_str(), FOLDER, Bits::empty()) {
                    self.sweep(&inner, depth + 1)?;
                }
            } else if name.starts_with(TEMPORARY) {
                unlinkat(folder, name.as_str(), UnlinkatFlags::NoRemoveDir)?;
            }
        }
        Ok(())
    }
}

fn kind(stat: &FileStat) -> SFlag {
    SFlag::from_bits_truncate(stat.st_mode & SFlag::S_IFMT.bits())
}

fn names(folder: &impl AsFd) -> Result<Vec<String>, FileFault> {
    let again = openat(folder, ".", FOLDER, Bits::empty())?;
    let mut found = Vec::new();
    for entry in Dir::from_fd(again)?.iter() {
        if let Ok(name) = entry?.file_name().to_str()
            && name != "."
            && name != ".."
        {
            found.push(name.to_owned());
        }
    }
    Ok(found)
}

fn add_up(folder: &OwnedFd, depth: usize, files: &mut usize) -> Result<u64, FileFault> {
    let mut total: u64 = 0;
    for name in names(folder)? {
        *files += 1;
        if *files > MAX_FILES || depth > 8 {
            return Ok(u64::MAX);
        }
        let Ok(stat) = fstatat(folder, name.as_str(), AtFlags::AT_SYMLINK_NOFOLLOW) else {
            continue;
        };
        match kind(&stat) {
            SFlag::S_IFREG => total = total.saturating_add(stat.st_size as u64),
            SFlag::S_IFDIR => {
                let inner = openat(folder, name.as_str(), FOLDER, Bits::empty())?;
                total = total.saturating_add(add_up(&inner, depth + 1, files)?);
            }
            _ => {}
        }
    }
    Ok(total)
}

fn temporary_name() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!(
        "{TEMPORARY}{}-{}",
        std::process::id(),
        NEXT.fetch_add(1, Ordering::Relaxed)
    )
}

/// `notes.txt` → `notes 2.txt`.
fn numbered(name: &str, number: u32) -> String {
    let path = PathBuf::from(name);
    match (
        path.file_stem().and_then(|stem| stem.to_str()),
        path.extension().and_then(|ext| ext.to_str()),
    ) {
        (Some(stem), Some(extension)) => format!("{stem} {number}.{extension}"),
        _ => format!("{name} {number}"),
    }
}

#[cfg(test)]
#[path = "folder_tests.rs"]
mod tests;
