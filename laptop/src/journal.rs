//! The log: on standard error, with priorities where that is the journal (sd-daemon(3)), with times elsewhere.

use env_logger::{Builder, Env, Target, WriteStyle};
use log::Level;
use nix::sys::stat::{FileStat, fstat};
use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The variable that tells children of `laptop-daemon --standalone` of its log file.
pub(crate) const FILE_VARIABLE: &str = "OFFICEOS_LOG_FILE";
/// A log file that has grown beyond this is put aside as `.log.1`, so that both together have twice as many octets.
const MAX_FILE_LEN: u64 = 4 << 20;

static FILE: OnceLock<PathBuf> = OnceLock::new();

/// The file that this process logs into beside standard error.
pub(crate) fn file() -> Option<&'static Path> {
    FILE.get().map(PathBuf::as_path)
}

/// Starts the log of this process. `RUST_LOG` says how much is logged; the usual level is `info`.
pub fn start() {
    begin(std::env::var_os(FILE_VARIABLE).map(PathBuf::from));
}

/// Same, and keeps what is logged in `file` too.
pub fn start_with(file: PathBuf) {
    begin(Some(file));
}

fn begin(file: Option<PathBuf>) {
    let mut builder = Builder::from_env(Env::default().default_filter_or("info"));
    builder.target(Target::Stderr);
    if let Some(file) = file {
        let both = Both(FILE.get_or_init(|| file));
        builder.target(Target::Pipe(Box::new(both)));
        builder.write_style(WriteStyle::Never);
    }
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

/// Standard error and a file, which is opened for each record: several processes write it, and any of them may put it
/// aside. A disk that fails costs the file's copy only.
struct Both(&'static Path);

impl Write for Both {
    fn write(&mut self, record: &[u8]) -> io::Result<usize> {
        io::stderr().write_all(record)?;
        let _ = keep(self.0, record, MAX_FILE_LEN);
        Ok(record.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

fn keep(file: &Path, record: &[u8], most: u64) -> io::Result<()> {
    let opened = || {
        let mut options = OpenOptions::new();
        options.append(true).create(true).mode(0o600).open(file)
    };
    let mut log = opened()?;
    if log.metadata()?.len() > most {
        fs::rename(file, file.with_extension("log.1"))?;
        log = opened()?;
    }
    // One call, so that records of several processes stand behind each other.
    log.write_all(record)
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
    fn a_file_that_has_grown_is_put_aside() {
        let folder = crate::store::testing::TempFolder::new("log");
        let file = folder.0.join("officeos.log");
        for number in 0..5 {
            keep(&file, format!("record {number}\n").as_bytes(), 20).expect("kept");
        }
        let read = |name: &str| fs::read_to_string(folder.0.join(name)).expect("read");
        assert_eq!(read("officeos.log.1"), "record 0\nrecord 1\nrecord 2\n");
        assert_eq!(read("officeos.log"), "record 3\nrecord 4\n");
    }

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
