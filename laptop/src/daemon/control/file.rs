//! Files in a device's drop folder.

use super::{Control, Method, read, value};
use crate::control::api::{FileEntry, FileName, FilePiece, FileRead, FileWrite, MAX_PIECE_LEN};
use crate::control::{ErrorKind, RpcError};
use crate::files::{DropFolder, FileFault, FilePath, Mode};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;

pub(super) const METHODS: &[Method] = &[
    Method::owner("files.list", |control, params| {
        value(&control.list_files(&read(params)?)?)
    }),
    Method::owner("files.read", |control, params| {
        value(&control.read_file(&read(params)?)?)
    }),
    Method::owner("files.write", |control, params| {
        value(&control.write_file(&read(params)?)?)
    }),
    Method::owner("files.remove", |control, params| {
        value(&control.remove_file(&read(params)?)?)
    }),
];

impl From<FileFault> for RpcError {
    fn from(fault: FileFault) -> Self {
        let kind = match &fault {
            FileFault::Path(_) => ErrorKind::Params,
            FileFault::NotFound => ErrorKind::NotFound,
            FileFault::NotPlain | FileFault::Exists | FileFault::Full { .. } => ErrorKind::Conflict,
            FileFault::Disk(_) => ErrorKind::Internal,
        };
        Self::new(kind, fault.to_string())
    }
}

fn disk(error: std::io::Error) -> RpcError {
    FileFault::Disk(error).into()
}

fn parsed(path: &str) -> Result<FilePath, RpcError> {
    FilePath::parse(path).map_err(|fault| FileFault::from(fault).into())
}

impl Control {
    fn drawer(&self, device: &str) -> Result<(i64, DropFolder), RpcError> {
        let one = self.find(device)?;
        let settings = self.hub.settings();
        let folder = DropFolder::open(&settings.files, &one.folder, settings.quota)?;
        Ok((one.id, folder))
    }

    fn list_files(&self, wanted: &FileName) -> Result<Vec<FileEntry>, RpcError> {
        let (_, folder) = self.drawer(&wanted.device)?;
        let now = self.hub.wall();
        let entries = folder.list(&parsed(&wanted.path)?)?.into_iter();
        let mut entries: Vec<FileEntry> = entries
            .map(|entry| FileEntry {
                changed_ago_s: (now - entry.modified as i64).max(0),
                name: entry.name,
                folder: entry.folder,
                len: entry.len,
            })
            .collect();
        entries.sort_by(|a, b| (!a.folder, &a.name).cmp(&(!b.folder, &b.name)));
        Ok(entries)
    }

    fn read_file(&self, wanted: &FileRead) -> Result<FilePiece, RpcError> {
        let (_, folder) = self.drawer(&wanted.device)?;
        let (mut file, info) = folder.open_file(&parsed(&wanted.path)?)?;
        file.seek(SeekFrom::Start(wanted.offset)).map_err(disk)?;
        let mut piece = Vec::new();
        file.take(MAX_PIECE_LEN as u64)
            .read_to_end(&mut piece)
            .map_err(disk)?;
        Ok(FilePiece {
            data: STANDARD.encode(piece),
            len: info.len,
        })
    }

    /// Pieces gather in the daemon's own folder, and the whole goes to the device's: its quota and its path are checked
    /// there as for its own files.
    fn write_file(&self, wanted: &FileWrite) -> Result<String, RpcError> {
        let (device, folder) = self.drawer(&wanted.device)?;
        let path = parsed(&wanted.path)?;
        let refuse = |words: &str| Err(RpcError::new(ErrorKind::Params, words));
        let Ok(piece) = STANDARD.decode(&wanted.data) else {
            return refuse("the data of a piece are base64");
        };
        if piece.len() > MAX_PIECE_LEN {
            return refuse("a piece has 524288 octets at the most");
        }
        let settings = self.hub.settings();
        if wanted.offset.saturating_add(piece.len() as u64) > settings.quota {
            let (used, quota) = (folder.used()?, settings.quota);
            return Err(FileFault::Full { used, quota }.into());
        }
        // One at a time for each device: a second sender finds that its pieces do not fit and says so.
        let gathered = settings.scratch.join(format!("owner-{device}.part"));
        let mut file: File = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(wanted.offset == 0)
            .mode(0o600)
            .open(&gathered)
            .map_err(disk)?;
        let have = file.seek(SeekFrom::End(0)).map_err(disk)?;
        if have != wanted.offset {
            return refuse("this piece does not follow the last one; begin anew");
        }
        file.write_all(&piece).map_err(disk)?;
        if !wanted.last {
            return Ok(path.to_string());
        }
        file.seek(SeekFrom::Start(0)).map_err(disk)?;
        let mode = match wanted.replace {
            true => Mode::Replace,
            false => Mode::New,
        };
        let len = have + piece.len() as u64;
        let put = folder.put(&path, len, &mut file, mode);
        let _ = std::fs::remove_file(&gathered);
        Ok(put?.to_string())
    }

    fn remove_file(&self, wanted: &FileName) -> Result<String, RpcError> {
        let (_, folder) = self.drawer(&wanted.device)?;
        folder.delete(&parsed(&wanted.path)?)?;
        Ok(wanted.path.clone())
    }
}
