//! Tables, spans of time and sizes, as people read them.

mod colour;
mod progress;
mod yaml;

pub(super) use colour::{Tint, tinted};
pub(super) use progress::Bar;
pub(super) use yaml::yaml;

use super::exit::{CliError, Exit};
use crate::sanitize::visible;
use std::io::{self, Write};

/// Prints a line. A reader that has gone, as with `head`, ends the command quietly.
pub(super) fn line(text: &str) -> Result<(), CliError> {
    let mut out = io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
            Err(CliError::new(Exit::Done, ""))
        }
        Err(error) => Err(CliError::new(
            Exit::Failed,
            format!("cannot write: {error}"),
        )),
    }
}

/// Lays rows out below their headings. Every cell is escaped here, whoever it came from.
pub(super) fn table(headings: &[&str], rows: &[Vec<String>]) -> String {
    let mut all: Vec<Vec<String>> = vec![
        headings
            .iter()
            .map(|heading| (*heading).to_owned())
            .collect(),
    ];
    all.extend(
        rows.iter()
            .map(|row| row.iter().map(|cell| visible(cell)).collect()),
    );
    let width = |column: usize| {
        all.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
    };
    let widths: Vec<usize> = (0..headings.len())
        .map(|column| width(column).unwrap_or(0))
        .collect();
    let mut text = String::new();
    for (number, row) in all.iter().enumerate() {
        let mut shown = String::new();
        let last = row.iter().rposition(|cell| !cell.is_empty()).unwrap_or(0);
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate().take(last + 1) {
            let tint = match number {
                0 => Some(Tint::Bold),
                _ => colour::of_word(cell),
            };
            // Blanks stay outside of the colour, so that nothing but words has one.
            match tint.filter(|_| !cell.is_empty()) {
                Some(tint) => shown.push_str(&tinted(cell, tint)),
                None => shown.push_str(cell),
            }
            if column < last {
                shown.push_str(&" ".repeat(width - cell.chars().count() + 2));
            }
        }
        text.push_str(&shown);
        text.push('\n');
    }
    text
}

/// A span of time in its largest unit.
pub(super) fn span(seconds: i64) -> String {
    let seconds = seconds.unsigned_abs();
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// A size in binary steps.
pub(super) fn size(bytes: u64) -> String {
    for (step, unit) in [(1 << 30, "GB"), (1 << 20, "MB"), (1 << 10, "KB")] {
        if bytes >= step {
            return format!("{} {unit}", bytes / step);
        }
    }
    format!("{bytes} bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_hostile_names_are_spelled_out() {
        let rows = [
            vec!["1".into(), "Ada".into()],
            vec!["20".into(), "a\x1b[2J".into()],
        ];
        assert_eq!(
            table(&["ID", "NAME"], &rows),
            "ID  NAME\n1   Ada\n20  a\\u{1b}[2J\n"
        );
        assert_eq!(table(&["ID", "NAME"], &[]), "ID  NAME\n");
    }

    #[test]
    fn spans_and_sizes_read_well() {
        for (seconds, words) in [
            (0, "0 s"),
            (119, "119 s"),
            (120, "2 min"),
            (7_200, "2 h"),
            (-172_800, "2 days"),
        ] {
            assert_eq!(span(seconds), words);
        }
        assert_eq!(
            (size(0), size(2048), size(3 << 30)),
            ("0 bytes".into(), "2 KB".into(), "3 GB".into())
        );
    }
}
