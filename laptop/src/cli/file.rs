//! Commands about files in a device's drop folder.

use super::Talk;
use super::exit::{CliError, Exit};
use super::format::{Bar, size, span, table};
use crate::control::api::{FileEntry, FileName, FilePiece, FileRead, FileWrite, MAX_PIECE_LEN};
use crate::sanitize::visible;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// List a folder
    List {
        /// Number or name of the device
        device: String,
        /// A folder in its drop folder
        #[arg(default_value = "")]
        path: String,
    },
    /// Copy a file out of the drop folder
    Get {
        /// Number or name of the device
        device: String,
        /// The file in its drop folder
        path: String,
        /// The new file or a folder for it; - for standard output
        #[arg(default_value = ".")]
        to: PathBuf,
    },
    /// Copy a file into the drop folder
    Put {
        /// Number or name of the device
        device: String,
        /// The file here
        file: PathBuf,
        /// Its path in the drop folder; by default its name
        path: Option<String>,
        /// Replace a file that is there
        #[arg(long)]
        replace: bool,
    },
    /// Remove a file from the drop folder
    Remove {
        /// Number or name of the device
        device: String,
        /// The file in its drop folder
        path: String,
    },
}

pub(super) fn run(talk: &mut Talk, command: &Command) -> Result<(), CliError> {
    match command {
        Command::List { device, path } => list(talk, device, path),
        Command::Get { device, path, to } => get(talk, device, path, to),
        Command::Put {
            device,
            file,
            path,
            replace,
        } => put(talk, device, file, path.as_deref(), *replace),
        Command::Remove { device, path } => remove(talk, device, path),
    }
}

fn name(device: &str, path: &str) -> FileName {
    FileName {
        device: device.to_owned(),
        path: path.to_owned(),
    }
}

fn list(talk: &mut Talk, device: &str, path: &str) -> Result<(), CliError> {
    let entries: Vec<FileEntry> = talk.call("files.list", name(device, path))?;
    talk.print(&entries, |entries| {
        if entries.is_empty() {
            return "There is nothing in this folder.".to_owned();
        }
        let rows: Vec<Vec<String>> = entries
            .iter()
            .map(|entry| {
                let (name, len) = match entry.folder {
                    true => (format!("{}/", entry.name), String::new()),
                    false => (entry.name.clone(), size(entry.len)),
                };
                vec![name, len, format!("{} ago", span(entry.changed_ago_s))]
            })
            .collect();
        table(&["NAME", "SIZE", "CHANGED"], &rows)
    })
}

fn here(path: &Path) -> impl Fn(std::io::Error) -> CliError {
    let shown = visible(&path.display().to_string());
    move |error| CliError::new(Exit::Failed, format!("{shown}: {error}"))
}

fn get(talk: &mut Talk, device: &str, path: &str, to: &Path) -> Result<(), CliError> {
    // The last part of a path that a device chose names a file here only where it is nothing but a name.
    let last = path.rsplit('/').next().unwrap_or_default();
    let to = match to.is_dir() {
        true => to.join(last),
        false => to.to_owned(),
    };
    let is_out = to.as_os_str() == "-";
    let mut out: Box<dyn Write> = match is_out {
        true => Box::new(std::io::stdout().lock()),
        // Nothing of this laptop is overwritten because a device has a file of the same name.
        false => Box::new(
            OpenOptions::new()
                .write(true)
                .create_new(true)
                .open(&to)
                .map_err(here(&to))?,
        ),
    };
    let copied = copy_out(talk, device, path, &mut out, &to);
    if copied.is_err() && !is_out {
        let _ = std::fs::remove_file(&to);
    }
    let len = copied?;
    if is_out {
        return Ok(());
    }
    let shown = to.display().to_string();
    talk.print(&json!({ "path": shown, "len": len }), |_| {
        format!("{}: {}", visible(&shown), size(len))
    })
}

fn copy_out(
    talk: &mut Talk,
    device: &str,
    path: &str,
    out: &mut impl Write,
    to: &Path,
) -> Result<u64, CliError> {
    let mut bar = Bar::new(path, talk.out.quiet);
    let mut offset = 0;
    loop {
        let wanted = FileRead {
            device: device.to_owned(),
            path: path.to_owned(),
            offset,
        };
        let piece: FilePiece = talk.call("files.read", wanted)?;
        let data = STANDARD.decode(&piece.data).map_err(CliError::internal)?;
        if data.is_empty() {
            out.flush().map_err(here(to))?;
            return Ok(offset);
        }
        out.write_all(&data).map_err(here(to))?;
        offset += data.len() as u64;
        bar.at(offset, piece.len);
    }
}

fn put(
    talk: &mut Talk,
    device: &str,
    from: &Path,
    path: Option<&str>,
    replace: bool,
) -> Result<(), CliError> {
    let mut file = File::open(from).map_err(here(from))?;
    let len = file.metadata().map_err(here(from))?.len();
    let own = from.file_name().and_then(|name| name.to_str());
    let Some(path) = path.or(own) else {
        return Err(CliError::new(
            Exit::Usage,
            "this file has no name that a device can show; give a path for the drop folder",
        ));
    };
    let mut bar = Bar::new(path, talk.out.quiet);
    let mut offset = 0;
    let kept: String = loop {
        let mut piece = Vec::new();
        (&mut file)
            .take(MAX_PIECE_LEN as u64)
            .read_to_end(&mut piece)
            .map_err(here(from))?;
        let last = piece.len() < MAX_PIECE_LEN;
        let wanted = FileWrite {
            device: device.to_owned(),
            path: path.to_owned(),
            offset,
            data: STANDARD.encode(&piece),
            last,
            replace,
        };
        let kept = talk.call("files.write", wanted)?;
        offset += piece.len() as u64;
        bar.at(offset, len);
        if last {
            break kept;
        }
    };
    drop(bar);
    talk.print(&json!({ "path": kept, "len": offset }), |_| {
        format!("{}: {}", visible(&kept), size(offset))
    })
}

fn remove(talk: &mut Talk, device: &str, path: &str) -> Result<(), CliError> {
    let removed: String = talk.call("files.remove", name(device, path))?;
    talk.print(&json!({ "path": removed }), |_| {
        format!("{} is removed.", visible(&removed))
    })
}
