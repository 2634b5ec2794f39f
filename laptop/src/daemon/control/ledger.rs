//! What the control socket tells of the ledger.

use super::{Method, read, value};
use crate::control::api::{LedgerPart, LedgerRange, LedgerReport};
use crate::control::{ErrorKind, RpcError};
use crate::hub::Hub;
use crate::ledger::{Event, Hex, MAX_LINE_LEN, Verifier};
use crate::store::{Store, StoreError, ledger_files, ledger_first_of};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// Entries that one answer holds at most.
const MAX_LINES: usize = 200;

/// Octets after which an answer holds no further line: far below what the control socket carries.
const MAX_PART_LEN: usize = 256 * 1024;

pub(super) const METHODS: &[Method] = &[
    Method::read("ledger.verify", |control, _| value(&verify(&control.hub)?)),
    Method::read("ledger.read", |control, params| {
        value(&part(&control.hub, &read(params)?)?)
    }),
];

/// Reads the whole ledger and says whether it holds.
fn verify(hub: &Hub) -> Result<LedgerReport, RpcError> {
    let store = &hub.store;
    store.publish_ledger()?;
    // Taken first: what is written while this reads comes on top.
    let expected = store.ledger_head()?;
    let mut verifier = Verifier::new(Some(store.ledger_key())).with_witnesses(store.ledger_seen()?);
    let mut flaw = None;
    'files: for path in ledger_files(store.ledger_folder())? {
        for line in lines(&path)? {
            if let Err(bad) = verifier.line(&line.map_err(|error| disk(&path, error))?) {
                let file = path.file_name().unwrap_or_default().to_string_lossy();
                flaw = Some(format!("entry {} in {file}: {}", bad.number, bad.flaw));
                break 'files;
            }
        }
    }
    let report = verifier.report();
    if flaw.is_none() && report.head.number < expected.number {
        flaw = Some(format!(
            "the ledger ends with entry {}, and the laptop has written {}: its end was cut off",
            report.head.number, expected.number
        ));
    } else if flaw.is_none() && report.head.number == expected.number && report.head != expected {
        flaw = Some(format!(
            "entry {} is not the one that the laptop has written",
            expected.number
        ));
    }
    if flaw.is_none()
        && let Some((name, number)) = verifier.missed()
    {
        flaw = Some(format!(
            "the ledger ends with entry {}, and {name} has seen entry {number}: an older state of the laptop was put back",
            report.head.number
        ));
    }
    Ok(LedgerReport {
        entries: report.entries,
        first: report.first,
        last: report.head.number,
        head: Hex(report.head.hash).to_string(),
        checkpoints: report.checkpoints,
        signed_to: report.signed_to,
        requests: report.requests,
        key: store.ledger_key().to_string(),
        folder: store.ledger_folder().display().to_string(),
        flaw,
    })
}

/// A part of the ledger, line by line as it is.
fn part(hub: &Hub, range: &LedgerRange) -> Result<LedgerPart, RpcError> {
    let store = &hub.store;
    store.publish_ledger()?;
    let head = store.ledger_head()?.number;
    let from = match range.last {
        Some(last) => (head + 1).saturating_sub(last).max(range.from),
        None => range.from,
    };
    let mut part = LedgerPart {
        lines: Vec::new(),
        times: Vec::new(),
        next: None,
    };
    let mut length = 0;
    for path in from_entry(store, from)? {
        let numbers = ledger_first_of(&path).unwrap_or(1)..;
        for (number, line) in numbers.zip(lines(&path)?) {
            let line = line.map_err(|error| disk(&path, error))?;
            if number >= from {
                length += line.len();
                if part.lines.len() == MAX_LINES || length > MAX_PART_LEN {
                    part.next = Some(number);
                    return Ok(part);
                }
                part.times.push(match crate::ledger::read(&line) {
                    Ok((_, entry)) => store.local_time(entry.at)?.replace('.', ":"),
                    Err(_) => String::new(),
                });
                let text = String::from_utf8_lossy(&line);
                part.lines.push(text.trim_end_matches('\n').to_owned());
            }
        }
    }
    Ok(part)
}

/// The last `last` entries, oldest first, with the time of each in seconds since 1970. Lines that are none are left out:
/// verifying is for finding those.
pub(super) fn entries(hub: &Hub, last: u64) -> Result<Vec<(i64, Event)>, RpcError> {
    let store = &hub.store;
    store.publish_ledger()?;
    let from = (store.ledger_head()?.number + 1).saturating_sub(last);
    let mut entries = Vec::new();
    for path in from_entry(store, from)? {
        let numbers = ledger_first_of(&path).unwrap_or(1)..;
        for (number, line) in numbers.zip(lines(&path)?) {
            let line = line.map_err(|error| disk(&path, error))?;
            if number < from {
                continue;
            }
            if let Ok((_, entry)) = crate::ledger::read(&line) {
                entries.push((entry.at, entry.event));
            }
        }
    }
    Ok(entries)
}

/// The files from the one that holds entry `from`.
fn from_entry(store: &Store, from: u64) -> Result<Vec<std::path::PathBuf>, StoreError> {
    let files = ledger_files(store.ledger_folder())?;
    let later =
        files.partition_point(|path| ledger_first_of(path).is_some_and(|first| first <= from));
    Ok(files[later.saturating_sub(1)..].to_vec())
}

/// The lines of a file, ends included. One that is longer than any entry comes cut, and is then found to be none.
fn lines(path: &Path) -> Result<impl Iterator<Item = std::io::Result<Vec<u8>>>, RpcError> {
    let mut reader = BufReader::new(File::open(path).map_err(|error| disk(path, error))?);
    Ok(std::iter::from_fn(move || {
        let mut line = Vec::new();
        let read = reader
            .by_ref()
            .take(MAX_LINE_LEN as u64 + 1)
            .read_until(b'\n', &mut line);
        match read {
            Ok(0) => None,
            Ok(_) => Some(Ok(line)),
            Err(error) => Some(Err(error)),
        }
    }))
}

fn disk(path: &Path, error: std::io::Error) -> RpcError {
    RpcError::new(ErrorKind::Internal, format!("{}: {error}", path.display()))
}
