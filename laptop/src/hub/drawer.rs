//! The drop folder as programs see it.

use super::uploads::fault;
use crate::executor::{Content, Fault, FileEntry, Files, Listing};
use crate::files::{DropFolder, FilePath, Mode, save_original};
use shared_proto::error::ErrorCode;
use shared_proto::program::Write;
use std::io::{Read, Seek};

/// A [`DropFolder`] with the time for names.
pub(super) struct Drawer {
    pub(super) folder: DropFolder,
    pub(super) time: String,
}

impl Files for Drawer {
    fn list(&self, path: &str, skip: u32, limit: u16) -> Result<Listing, Fault> {
        let all = self.folder.list(&parse(path)?).map_err(fault)?;
        let entries = all
            .iter()
            .skip(skip as usize)
            .take(usize::from(limit))
            .map(|entry| FileEntry {
                name: entry.name.clone(),
                len: entry.len,
                modified: entry.modified,
                folder: entry.folder,
            });
        Ok(Listing {
            total: u32::try_from(all.len()).unwrap_or(u32::MAX),
            used: self.folder.used().map_err(fault)?,
            quota: self.folder.quota(),
            entries: entries.collect(),
        })
    }

    fn metadata(&self, path: &str) -> Result<(u64, u64, [u8; 32]), Fault> {
        let (file, info) = self.folder.open_file(&parse(path)?).map_err(fault)?;
        let mut hash = ring::digest::Context::new(&ring::digest::SHA256);
        Content::File(file).for_each(|piece| {
            hash.update(piece);
            Ok(())
        })?;
        let mut sha256 = [0; 32];
        sha256.copy_from_slice(hash.finish().as_ref());
        Ok((info.len, info.modified, sha256))
    }

    fn open(&self, path: &str) -> Result<std::fs::File, Fault> {
        self.folder
            .open_file(&parse(path)?)
            .map(|(file, _)| file)
            .map_err(fault)
    }

    fn put(&self, path: &str, content: &Content, write: Write) -> Result<String, Fault> {
        let len = content.len()?;
        let mode = match write {
            Write::New => Mode::New,
            Write::Replace => Mode::Replace,
            Write::Rename => Mode::Rename,
        };
        let path = parse(path)?;
        let written = match content {
            Content::Memory(bytes) => self.folder.put(&path, len, &mut bytes.as_slice(), mode),
            Content::File(file) => {
                let mut file = file;
                file.rewind().map_err(|error| Fault::disk(&error))?;
                self.folder.put(&path, len, &mut file.take(len), mode)
            }
        };
        written.map(|path| path.to_string()).map_err(fault)
    }

    fn keep_picture(&self, prompt: &str, ending: &str, picture: &[u8]) -> Result<(), Fault> {
        save_original(&self.folder, prompt, &self.time, ending, picture)
            .map(|_| ())
            .map_err(fault)
    }

    fn delete(&self, path: &str) -> Result<(), Fault> {
        self.folder.delete(&parse(path)?).map_err(fault)
    }
}

/// What a caller of the gateway has instead: its pictures travel to it whole, and no other operation of its concerns files.
pub(super) struct NoFolder;

impl NoFolder {
    fn refused<T>() -> Result<T, Fault> {
        Err(Fault::new(
            ErrorCode::PathRefused,
            "a caller of the gateway has no drop folder",
        ))
    }
}

impl Files for NoFolder {
    fn list(&self, _path: &str, _skip: u32, _limit: u16) -> Result<Listing, Fault> {
        Self::refused()
    }

    fn metadata(&self, _path: &str) -> Result<(u64, u64, [u8; 32]), Fault> {
        Self::refused()
    }

    fn open(&self, _path: &str) -> Result<std::fs::File, Fault> {
        Self::refused()
    }

    fn put(&self, _path: &str, _content: &Content, _write: Write) -> Result<String, Fault> {
        Self::refused()
    }

    fn keep_picture(&self, _prompt: &str, _ending: &str, _picture: &[u8]) -> Result<(), Fault> {
        Ok(())
    }

    fn delete(&self, _path: &str) -> Result<(), Fault> {
        Self::refused()
    }
}

fn parse(path: &str) -> Result<FilePath, Fault> {
    FilePath::parse(path).map_err(|error| fault(error.into()))
}
