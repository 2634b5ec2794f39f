//! Times that scenarios measure, and the table of them.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::time::Duration;

/// What was measured, by name.
pub struct Table(BTreeMap<String, Vec<u64>>);

impl Table {
    /// Where scenarios write down what they measure.
    pub const FILE: &'static str = "/run/air-times";

    /// Writes one measurement down.
    pub fn note(name: &str, span: Duration) {
        let file = File::options().create(true).append(true).open(Self::FILE);
        let written = file.and_then(|mut file| writeln!(file, "{} {name}", span.as_millis()));
        if let Err(error) = written {
            eprintln!("{}: {error}", Self::FILE);
        }
    }

    /// Everything that was measured.
    pub fn read() -> Self {
        let text = std::fs::read_to_string(Self::FILE).unwrap_or_default();
        let mut rows: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        for line in text.lines() {
            if let Some((ms, name)) = line.split_once(' ')
                && let Ok(ms) = ms.parse()
            {
                rows.entry(name.to_owned()).or_default().push(ms);
            }
        }
        for spans in rows.values_mut() {
            spans.sort_unstable();
        }
        Self(rows)
    }

    /// The middle one of what was measured under this name.
    pub fn median(&self, name: &str) -> Option<Duration> {
        let spans = self.0.get(name)?;
        spans
            .get(spans.len() / 2)
            .copied()
            .map(Duration::from_millis)
    }
}

impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.is_empty() {
            return Ok(());
        }
        writeln!(
            f,
            "\n{:58} {:>5} {:>8} {:>8} {:>8}",
            "milliseconds", "times", "fastest", "median", "slowest"
        )?;
        for (name, spans) in &self.0 {
            let (Some(first), Some(last)) = (spans.first(), spans.last()) else {
                continue;
            };
            let median = spans.get(spans.len() / 2).unwrap_or(first);
            writeln!(
                f,
                "{name:58} {:5} {first:8} {median:8} {last:8}",
                spans.len()
            )?;
        }
        Ok(())
    }
}
