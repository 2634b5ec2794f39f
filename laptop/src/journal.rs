//! The log: on standard error, with priorities where that is the journal (sd-daemon(3)), with times elsewhere.

use env_logger::{Builder, Env, Target};
use log::Level;
use nix::sys::stat::{FileStat, fstat};
use std::fmt;
use std::io::{self, Write};

/// Starts the log of this process. `RUST_LOG` says how much is logged; the usual level is `info`.
pub fn start() {
    let mut builder = Builder::from_env(Env::default().default_filter_or("info"));
    builder.target(Target::Stderr);
    if is_journal() {
        builder.format(|out, record| {
            let text = Lines {
                level: record.level(),
                text: record.args().to_string(),
            };
            write!(out, "{text}")
        });
    }
    builder.init();
}

/// Whether standard error is a stream of the journal: systemd names its device and inode.
fn is_journal() -> bool {
    let Ok(named) = std::env::var("JOURNAL_STREAM") else {
        return false;
    };
    fstat(io::stderr()).is_ok_and(|own| is_named(&named, &own))
}

fn is_named(named: &str, own: &FileStat) -> bool {
    let mut numbers = named.split(':').map(str::parse::<u64>);
    matches!(
        (numbers.next(), numbers.next(), numbers.next()),
        (Some(Ok(device)), Some(Ok(inode)), None) if device == own.st_dev && inode == own.st_ino
    )
}

/// A text of which every line has its priority: the journal takes each for itself.
struct Lines {
    level: Level,
    text: String,
}

impl fmt::Display for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Numbers of syslog(3).
        let priority = match self.level {
            Level::Error => 3,
            Level::Warn => 4,
            Level::Info => 6,
            Level::Debug | Level::Trace => 7,
        };
        self.text
            .lines()
            .try_for_each(|line| writeln!(f, "<{priority}>{line}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_has_its_priority() {
        let shown = |level, text: &str| {
            let text = text.to_owned();
            Lines { level, text }.to_string()
        };
        assert_eq!(shown(Level::Error, "one\ntwo"), "<3>one\n<3>two\n");
        assert_eq!(shown(Level::Warn, "odd"), "<4>odd\n");
        assert_eq!(shown(Level::Info, "<0>forged"), "<6><0>forged\n");
        assert_eq!(shown(Level::Trace, "detail"), "<7>detail\n");
    }

    #[test]
    fn only_the_named_stream_is_the_journal() {
        let (read, write) = nix::unistd::pipe().expect("a pipe");
        let own = fstat(&read).expect("its numbers");
        assert!(is_named(&format!("{}:{}", own.st_dev, own.st_ino), &own));
        for wrong in [
            String::new(),
            "1".to_owned(),
            format!("{}:{}", own.st_dev, own.st_ino + 1),
            format!("{}:{}:0", own.st_dev, own.st_ino),
        ] {
            assert!(!is_named(&wrong, &own), "{wrong}");
        }
        drop(write);
    }
}
