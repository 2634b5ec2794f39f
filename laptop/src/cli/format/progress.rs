//! How far long work is, on standard error, where that is a terminal.

use super::size;
use crate::sanitize::visible_within;
use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

/// Width of the bar, in characters.
const WIDTH: u64 = 24;
/// Longest name in front of it, in characters.
const MAX_NAME_CHARS: usize = 32;
/// How often it is drawn.
const INTERVAL: Duration = Duration::from_millis(100);

/// One bar.
pub(crate) struct Bar {
    name: String,
    began: Instant,
    drawn: Option<Instant>,
    shown: bool,
}

impl Bar {
    /// One for the work called `name`; silent where nobody looks.
    pub(crate) fn new(name: &str, quiet: bool) -> Self {
        Self {
            name: visible_within(name, MAX_NAME_CHARS),
            began: Instant::now(),
            drawn: None,
            shown: !quiet && io::stderr().is_terminal(),
        }
    }

    /// Shows that `done` of `all` octets are there.
    pub(crate) fn at(&mut self, done: u64, all: u64) {
        let due = self.drawn.is_none_or(|drawn| drawn.elapsed() >= INTERVAL);
        if self.shown && due {
            self.drawn = Some(Instant::now());
            let line = line(&self.name, done, all, self.began.elapsed());
            let _ = write!(io::stderr(), "\r{line}\x1b[K");
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if self.drawn.is_some() {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

fn line(name: &str, done: u64, all: u64, took: Duration) -> String {
    let all = all.max(done).max(1);
    let full = (u128::from(done) * u128::from(WIDTH) / u128::from(all)) as usize;
    let percent = u128::from(done) * 100 / u128::from(all);
    let bar = format!("{}{}", "█".repeat(full), "░".repeat(WIDTH as usize - full));
    let rate = (done as f64 / took.as_secs_f64().max(0.001)) as u64;
    format!("{name}  {bar}  {percent:3} %  {}/s", size(rate))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_full_as_the_work_is_done() {
        let second = Duration::from_secs(1);
        assert_eq!(
            line("a.txt", 1 << 20, 2 << 20, second),
            format!("a.txt  {}{}   50 %  1 MB/s", "█".repeat(12), "░".repeat(12))
        );
        assert!(line("a", 5, 0, second).contains("100 %"));
        assert!(line("a", 0, 0, second).contains("  0 %"));
    }
}
