//! The end of the log, where the daemon itself keeps it.

use super::{Control, Method, read, value};
use crate::control::api::{LogLines, LogRange};
use crate::control::{ErrorKind, RpcError};
use crate::sanitize::visible_within;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

/// Most lines.
const MAX_LINES: usize = 1000;
/// Octets of a file that are looked at, from its end.
const MAX_LEN: u64 = 512 * 1024;
/// Longest line that is told, in characters.
const MAX_LINE_CHARS: usize = 2000;
/// What shows the log of the system's services: their journal is not the daemon's to read.
const JOURNAL: &str = "officectl logs";

pub(super) const METHODS: &[Method] = &[
    // Full: a log may name files and addresses of the owner.
    Method::full("logs", |control, params| {
        value(&control.logs(&read(params)?)?)
    }),
];

impl Control {
    fn logs(&self, range: &LogRange) -> Result<LogLines, RpcError> {
        if !(1..=MAX_LINES).contains(&range.last) {
            let words = format!("last is 1 to {MAX_LINES}");
            return Err(RpcError::new(ErrorKind::Params, words));
        }
        if self.paths.system {
            return Ok(LogLines {
                lines: Vec::new(),
                command: JOURNAL.to_owned(),
            });
        }
        let file = self.paths.log();
        let failed = |error: io::Error| {
            let words = format!("{}: {error}", file.display());
            RpcError::new(ErrorKind::Unavailable, words)
        };
        let mut lines = end(&file).map_err(failed)?;
        if lines.len() < range.last
            && let Ok(mut before) = end(&file.with_extension("log.1"))
        {
            before.append(&mut lines);
            lines = before;
        }
        lines.drain(..lines.len().saturating_sub(range.last));
        Ok(LogLines {
            lines,
            command: String::new(),
        })
    }
}

/// The whole lines in the last octets of a file.
fn end(file: &Path) -> io::Result<Vec<String>> {
    let mut file = File::open(file)?;
    let len = file.metadata()?.len();
    let start = len.saturating_sub(MAX_LEN);
    file.seek(SeekFrom::Start(start))?;
    let mut octets = Vec::new();
    file.take(MAX_LEN).read_to_end(&mut octets)?;
    let text = String::from_utf8_lossy(&octets);
    // The first may be the rest of one.
    let lines = text.lines().skip(usize::from(start > 0));
    Ok(lines
        .map(|line| visible_within(line, MAX_LINE_CHARS))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::TempFolder;

    #[test]
    fn the_end_of_a_long_log_is_whole_lines_and_escaped() {
        let temp = TempFolder::new("log-end");
        let file = temp.0.join("officeos.log");
        std::fs::write(&file, "one\n\x1b[2Jtwo\n").expect("written");
        assert_eq!(end(&file).expect("read"), ["one", "\\u{1b}[2Jtwo"]);
        let long: String = (0..100_000)
            .map(|number| format!("line {number}\n"))
            .collect();
        std::fs::write(&file, &long).expect("written");
        let lines = end(&file).expect("read");
        assert_eq!(lines.last().map(String::as_str), Some("line 99999"));
        assert!(lines.len() < 100_000 && lines.iter().all(|line| line.starts_with("line ")));
        assert!(end(&temp.0.join("none")).is_err());
    }
}
