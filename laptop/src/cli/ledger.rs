//! Commands about the ledger.

use super::Talk;
use super::exit::{CliError, Exit};
use super::format::{line, table};
use crate::control::api::{LedgerPart, LedgerRange, LedgerReport};
use crate::ledger::{Entry, Event, Hex, MAX_LINE_LEN, Verifier, read};
use crate::sanitize::{visible, visible_within};
use serde_json::Value;
use shared_proto::crypto::PublicKey;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;

/// Longest description of an entry, in characters.
const MAX_WORDS_CHARS: usize = 160;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Show the last entries
    Show {
        /// How many
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=10_000))]
        last: u64,
        /// Only those about this device, by its number
        #[arg(long)]
        device: Option<i64>,
    },
    /// Check every entry, signature and link of the chain, and that its end is there
    Verify(VerifyArguments),
    /// Write all entries to a file, one JSON line each, as `verify` reads them
    Export {
        /// The new file; - for standard output
        file: PathBuf,
    },
}

#[derive(Debug, clap::Args)]
pub(super) struct VerifyArguments {
    /// Exported files to check instead of the laptop's own ledger, in their order; needs no daemon
    pub(super) files: Vec<PathBuf>,
    /// Key of the ledger, as `verify` shows it on the laptop; without it a copy vouches for itself
    #[arg(long, value_name = "HEX", requires = "files", value_parser = key)]
    key: Option<PublicKey>,
}

fn key(text: &str) -> Result<PublicKey, String> {
    Hex::<32>::parse(text)
        .map(|key| PublicKey(key.0))
        .ok_or_else(|| "a key has 64 hexadecimal digits".to_owned())
}

pub(super) fn run(talk: &mut Talk, command: &Command) -> Result<(), CliError> {
    match command {
        Command::Show { last, device } => show(talk, *last, *device),
        Command::Verify(_) => verify(talk),
        Command::Export { file } => export(talk, file),
    }
}

fn show(talk: &mut Talk, last: u64, device: Option<i64>) -> Result<(), CliError> {
    // Of one device there may be few among many: all are looked through.
    let mut range = LedgerRange {
        from: 0,
        last: device.is_none().then_some(last),
    };
    let mut shown: Vec<(String, Entry)> = Vec::new();
    loop {
        let part: LedgerPart = talk.call("ledger.read", &range)?;
        for (text, time) in part.lines.iter().zip(part.times) {
            let Ok((_, entry)) = read(format!("{text}\n").as_bytes()) else {
                let message = "an entry does not hold; see officectl ledger verify";
                return Err(CliError::new(Exit::Damaged, message));
            };
            if device.is_none() || entry.event.device() == device {
                shown.push((time, entry));
            }
        }
        let Some(next) = part.next else { break };
        range = LedgerRange {
            from: next,
            last: None,
        };
    }
    let surplus = shown.len().saturating_sub(last as usize);
    shown.drain(..surplus);
    let entries: Vec<&Entry> = shown.iter().map(|(_, entry)| entry).collect();
    talk.print(&entries, |_| {
        let rows: Vec<Vec<String>> = shown
            .iter()
            .map(|(time, entry)| {
                let device = entry.event.device();
                vec![
                    entry.number.to_string(),
                    time.clone(),
                    device.map_or_else(String::new, |device| device.to_string()),
                    words(&entry.event),
                ]
            })
            .collect();
        table(&["ENTRY", "WHEN", "DEVICE", "WHAT"], &rows)
    })
}

/// An entry in plain words. Text of devices in it is escaped by the table.
fn words(event: &Event) -> String {
    let list = |wants: &[crate::ledger::Want]| {
        let wants: Vec<String> = wants
            .iter()
            .map(|want| match want.target.as_str() {
                "" => want.operation.clone(),
                target => format!("{} {target}", want.operation),
            })
            .collect();
        wants.join(", ")
    };
    let text = match event {
        Event::Started { version, .. } => format!("laptop-daemon {version} started"),
        Event::Known { name, .. } => format!("{name} was paired before this ledger began"),
        Event::Paired { name, .. } => format!("paired: {name}"),
        Event::Model { model, on } => {
            let how = if *on { "on" } else { "off" };
            format!("model {model} switched {how}")
        }
        Event::Token {
            name,
            change,
            access,
            ..
        } => format!("token {name} {change}: may {access}"),
        Event::CallerAdded { name, .. } => format!("caller added: {name}"),
        Event::Confirmed { .. } => "the device stored the pairing".to_owned(),
        Event::Forgotten { .. } => "the pairing came to nothing".to_owned(),
        Event::Renamed { name, .. } => format!("renamed: {name}"),
        Event::Rekeyed { .. } => "its renewed keys are in use".to_owned(),
        Event::Extended { .. } => "the pairing was extended".to_owned(),
        Event::Revoked { .. } => "revoked".to_owned(),
        Event::Permitted { changes, .. } => {
            let changes: Vec<String> = changes
                .iter()
                .map(|change| format!("{} {} → {}", change.of, change.before, change.after))
                .collect();
            changes.join(", ")
        }
        Event::Taken {
            request,
            wants,
            verdict,
            ..
        }
        | Event::Called {
            request,
            wants,
            verdict,
            ..
        } => {
            let verdict = match verdict.as_str() {
                "ask" => "a person is asked",
                _ => "allowed",
            };
            format!("#{request} {}: {verdict}", list(wants))
        }
        Event::Refused {
            request,
            wants,
            reason,
            ..
        } => format!("#{request} {}: refused, {reason}", list(wants)),
        Event::Answered {
            request, answer, ..
        } => format!("#{request} the answer: {answer}"),
        Event::Ended {
            request,
            outcome,
            used,
            ..
        } => {
            let used: Vec<String> = [
                (used.tokens, "tokens"),
                (used.pictures, "pictures"),
                (used.bytes, "bytes"),
                (used.seconds, "seconds"),
            ]
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, unit)| match (unit, used.estimated) {
                ("tokens", true) => format!("about {count} tokens"),
                _ => format!("{count} {unit}"),
            })
            .collect();
            match used.is_empty() {
                true => format!("#{request} ended: {outcome}"),
                false => format!("#{request} ended: {outcome}, {}", used.join(", ")),
            }
        }
        Event::Checkpoint { .. } => "signed up to here".to_owned(),
    };
    match text.char_indices().nth(MAX_WORDS_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

fn verify(talk: &mut Talk) -> Result<(), CliError> {
    let report: LedgerReport = talk.call("ledger.verify", Value::Null)?;
    talk.print(&report, lines)?;
    verdict(&report)
}

fn verdict(report: &LedgerReport) -> Result<(), CliError> {
    match &report.flaw {
        None => Ok(()),
        Some(flaw) => Err(CliError::new(
            Exit::Damaged,
            format!(
                "the ledger does not hold: {}",
                visible_within(flaw, MAX_WORDS_CHARS * 2)
            ),
        )),
    }
}

fn lines(report: &LedgerReport) -> String {
    let state = match &report.flaw {
        None => "whole".to_owned(),
        Some(_) => format!("holds up to entry {}", report.last),
    };
    [
        ("Ledger", state),
        (
            "Entries",
            match report.entries {
                0 => "none".to_owned(),
                entries => format!("{entries}, number {} to {}", report.first, report.last),
            },
        ),
        (
            "Signed",
            format!(
                "up to entry {}, {} checkpoints",
                report.signed_to, report.checkpoints
            ),
        ),
        (
            "Requests",
            format!("{} with the handheld's signature", report.requests),
        ),
        ("Head", report.head.clone()),
        ("Key", report.key.clone()),
        ("Files", report.folder.clone()),
    ]
    .into_iter()
    .map(|(name, value)| {
        format!(
            "{name:<10}{}\n",
            visible_within(&value, MAX_WORDS_CHARS * 2)
        )
    })
    .collect()
}

/// Checks copies.
pub(super) fn verify_files(arguments: &VerifyArguments, json: bool) -> Result<(), CliError> {
    let mut verifier = Verifier::new(arguments.key);
    let mut flaw = None;
    'files: for path in &arguments.files {
        let failed = |error| {
            let path = visible(&path.display().to_string());
            CliError::new(Exit::NotFound, format!("{path} cannot be read: {error}"))
        };
        let mut reader = BufReader::new(File::open(path).map_err(failed)?);
        loop {
            let mut line = Vec::new();
            let read = reader
                .by_ref()
                .take(MAX_LINE_LEN as u64 + 1)
                .read_until(b'\n', &mut line)
                .map_err(failed)?;
            if read == 0 {
                break;
            }
            if let Err(bad) = verifier.line(&line) {
                let path = path.display();
                flaw = Some(format!("entry {} in {path}: {}", bad.number, bad.flaw));
                break 'files;
            }
        }
    }
    let found = verifier.report();
    let report = LedgerReport {
        entries: found.entries,
        first: found.first,
        last: found.head.number,
        head: Hex(found.head.hash).to_string(),
        checkpoints: found.checkpoints,
        signed_to: found.signed_to,
        requests: found.requests,
        key: match (found.key, verifier.is_pinned()) {
            (Some(key), true) => key.to_string(),
            (Some(key), false) => format!("{key} (as the copy itself says)"),
            (None, _) => "none named".to_owned(),
        },
        folder: arguments
            .files
            .iter()
            .map(|path| path.display().to_string())
            .collect::<Vec<_>>()
            .join(" "),
        flaw,
    };
    let text = match json {
        true => serde_json::to_string_pretty(&report).map_err(CliError::internal)?,
        false => lines(&report).trim_end().to_owned(),
    };
    line(&text)?;
    verdict(&report)
}

fn export(talk: &mut Talk, file: &std::path::Path) -> Result<(), CliError> {
    let failed = |error: std::io::Error| {
        let path = visible(&file.display().to_string());
        CliError::new(Exit::Failed, format!("{path} cannot be written: {error}"))
    };
    let mut out: Box<dyn Write> = match file.as_os_str() == "-" {
        true => Box::new(std::io::stdout().lock()),
        // An older copy may be what somebody compares with.
        false => Box::new(File::create_new(file).map_err(failed)?),
    };
    let mut range = LedgerRange::default();
    loop {
        let part: LedgerPart = talk.call("ledger.read", &range)?;
        for line in &part.lines {
            writeln!(out, "{line}").map_err(failed)?;
        }
        match part.next {
            Some(next) => range.from = next,
            None => return out.flush().map_err(failed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_reads_as_a_sentence_and_hostile_names_are_spelled_out() {
        let taken = Event::Taken {
            device: 1,
            request: 7,
            digest: Hex([0; 32]),
            exporter: Hex([0; 32]),
            key: Hex([0; 32]),
            signature: Hex([0; 64]),
            wants: vec![crate::ledger::Want {
                operation: "chat".into(),
                target: "ollama/llama3.1".into(),
            }],
            bound: Default::default(),
            verdict: "ask".into(),
        };
        assert_eq!(words(&taken), "#7 chat ollama/llama3.1: a person is asked");
        let paired = Event::Paired {
            device: 1,
            name: "a\x1b[2J".into(),
            key: Hex([0; 32]),
        };
        let rows = [vec!["1".to_owned(), words(&paired)]];
        let text = table(&["ENTRY", "WHAT"], &rows);
        assert!(
            !text.contains('\x1b') && text.contains("paired: a\\u{1b}"),
            "{text}"
        );
    }
}
