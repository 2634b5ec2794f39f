//! `officectl logs`: the journal where systemd has the daemon, its file where it was started by hand.

use super::exit::{CliError, Exit};
use super::format::line;
use crate::paths::Paths;
use crate::sanitize::visible_within;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::time::Duration;

/// The units whose log it is.
const UNITS: [&str; 6] = [
    "officeos-daemon",
    "officeos-link",
    "officeos-llm",
    "officeos-image",
    "officeos-fetch",
    "officeos-web",
];
/// Longest line that is shown, in characters.
const MAX_LINE_CHARS: usize = 2000;
/// How often a file is looked at for more.
const INTERVAL: Duration = Duration::from_millis(250);

/// Arguments of `officectl logs`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Go on with what is logged from now on
    #[arg(short, long)]
    follow: bool,
    /// How many lines
    #[arg(short = 'n', long, value_name = "N", default_value_t = 100)]
    lines: usize,
}

pub(super) fn run(paths: &Paths, arguments: &Arguments) -> Result<(), CliError> {
    if paths.system {
        return Err(journal(arguments));
    }
    let file = paths.log();
    let failed = |error: io::Error| {
        let hint = match error.kind() {
            io::ErrorKind::NotFound => "; laptop-daemon --standalone writes it",
            _ => "",
        };
        CliError::new(Exit::Failed, format!("{}: {error}{hint}", file.display()))
    };
    let mut reader = BufReader::new(File::open(&file).map_err(failed)?);
    let mut all = lines(&mut reader).map_err(failed)?;
    if all.len() < arguments.lines
        && let Ok(older) = File::open(file.with_extension("log.1"))
        && let Ok(mut before) = lines(&mut BufReader::new(older))
    {
        before.append(&mut all);
        all = before;
    }
    let first = all.len().saturating_sub(arguments.lines);
    all[first..].iter().try_for_each(|text| line(text))?;
    if arguments.follow {
        follow(&file, reader).map_err(failed)??;
    }
    Ok(())
}

/// Becomes `journalctl`; returns only where that is not there.
fn journal(arguments: &Arguments) -> CliError {
    let mut command = std::process::Command::new("journalctl");
    command.arg("-n").arg(arguments.lines.to_string());
    command.args(arguments.follow.then_some("-f"));
    for unit in UNITS {
        command.arg("-u").arg(unit);
    }
    let error = command.exec();
    CliError::new(
        Exit::Failed,
        format!("journalctl cannot be started: {error}"),
    )
}

fn lines(reader: &mut impl BufRead) -> io::Result<Vec<String>> {
    let mut all = Vec::new();
    let mut octets = Vec::new();
    while reader.read_until(b'\n', &mut octets)? > 0 {
        let text = String::from_utf8_lossy(&octets);
        all.push(visible_within(text.trim_end_matches('\n'), MAX_LINE_CHARS));
        octets.clear();
    }
    Ok(all)
}

/// Prints what comes; begins anew where the file was put aside because it had grown.
fn follow(file: &Path, mut reader: BufReader<File>) -> io::Result<Result<(), CliError>> {
    loop {
        for text in lines(&mut reader)? {
            if let Err(error) = line(&text) {
                return Ok(Err(error));
            }
        }
        let own = reader.get_ref().metadata()?;
        match std::fs::metadata(file) {
            Ok(now) if now.ino() != own.ino() => reader = BufReader::new(File::open(file)?),
            Ok(now) if now.len() < reader.stream_position()? => {
                reader.seek(SeekFrom::Start(0))?;
            }
            _ => std::thread::sleep(INTERVAL),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_says_nothing_to_a_terminal() {
        let mut text: &[u8] = b"one\n\x1b[2Jtwo\n\xffthree";
        assert_eq!(
            lines(&mut text).expect("read"),
            ["one", "\\u{1b}[2Jtwo", "\u{fffd}three"]
        );
    }
}
