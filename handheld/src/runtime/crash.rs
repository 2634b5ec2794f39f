//! When the app falls over: a record beside the app on the card, everything saved that can be, and an exit code that brings the firmware's
//! menu back.
//!
//! The record says where and when, and never what was worked on: of a message that was put together at that moment only the part before
//! its first quotation mark is kept, since what stands in quotes may be somebody's words.

use std::any::Any;
use std::backtrace::Backtrace;
use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use smol::channel::Sender;

use crate::platform::{PlatformEvent, clock};

/// Name of the log, beside the folder of the card's content.
pub const LOG: &str = "officeos.log";

/// Set by a launcher that keeps what the program says on its standard error in that log itself; two writers would spoil it.
pub const KEPT: &str = "OFFICEOS_LOG";

/// Largest log in octets; the older half goes when it is full.
pub const MAX_LOG: u64 = 64 * 1024;

/// Octets of one record at most.
const MAX_RECORD: usize = 6 * 1024;

/// The rest of the app has so long to save and end after one of its threads fell over.
const GRACE: Duration = Duration::from_secs(2);

/// Exit code of a process that did not end by itself in time: EX_SOFTWARE of sysexits.h.
const STUCK: i32 = 70;

static FELL: AtomicBool = AtomicBool::new(false);
static EVENTS: OnceLock<Sender<PlatformEvent>> = OnceLock::new();

/// Whether a thread of this process has fallen over.
#[must_use]
pub fn fell() -> bool {
    FELL.load(Ordering::SeqCst)
}

/// From now on a fault of any thread is written down, and ends the app.
pub fn watch(home: &Path) {
    let files = Files::of(home);
    std::panic::set_hook(Box::new(move |info| {
        let place = info
            .location()
            .map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
        let thread = std::thread::current();
        let what = format!(
            "{} fell over at {place}: {}",
            thread.name().unwrap_or("a thread"),
            said(info.payload())
        );
        let record = record(&what, &Backtrace::force_capture().to_string());
        if std::env::var_os(KEPT).is_some() {
            eprint!("{record}");
        } else {
            files.append(record.as_bytes());
            eprintln!(
                "officeos-handheld: {}",
                record.lines().next().unwrap_or_default()
            );
        }
        if FELL.swap(true, Ordering::SeqCst) {
            // One falling thread ends the app; another has nothing to add.
            std::thread::sleep(GRACE);
        }
        if let Some(events) = EVENTS.get() {
            // Full or closed, the time below ends it all the same.
            let _ = events.try_send(PlatformEvent::Close);
        }
        // This thread stays where it is, whatever the build makes of a panic, while the others save and end.
        std::thread::sleep(GRACE);
        std::process::exit(STUCK);
    }));
}

/// Where the runtime is told to end.
pub fn tell(events: Sender<PlatformEvent>) {
    // There is one runtime in a process.
    let _ = EVENTS.set(events);
}

/// Writes down why the app could not start or go on: on a handheld nobody sees its standard error.
pub fn failed(home: &Path, error: &str) {
    if std::env::var_os(KEPT).is_none() {
        Files::of(home).append(record(error, "").as_bytes());
    }
}

/// Where records go.
struct Files {
    /// The log as it was found at the start: a confined app may open it no more, and still write to what is open.
    open: Option<File>,
    /// Beside the folder of the card's content, else in it.
    places: [PathBuf; 2],
}

impl Files {
    fn of(home: &Path) -> Self {
        let beside = home.with_file_name(LOG);
        Self {
            open: OpenOptions::new().read(true).write(true).open(&beside).ok(),
            places: [beside, home.join(LOG)],
        }
    }

    fn append(&self, record: &[u8]) {
        let opened = self
            .open
            .as_ref()
            .is_some_and(|log| append(log, record).is_ok());
        // Where none of them can be written there is nothing left to write to.
        let _ = opened
            || self
                .places
                .iter()
                .any(|place| create(place).and_then(|log| append(&log, record)).is_ok());
    }
}

fn create(place: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(place)
}

/// What of a message may be written down.
fn said(payload: &dyn Any) -> String {
    if let Some(text) = payload.downcast_ref::<&'static str>() {
        return (*text).to_owned();
    }
    let text = payload.downcast_ref::<String>().map_or("", String::as_str);
    let end = text.find(['\'', '"', '`', '“', '«']).unwrap_or(text.len());
    text[..end].to_owned()
}

/// One record: a line that says what happened, then where it came from. Control characters are escaped.
fn record(what: &str, trace: &str) -> String {
    let unix = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write!(
        text,
        "{} s since 1970, up {} ms, version {}: ",
        unix.as_secs(),
        clock::now().0,
        env!("CARGO_PKG_VERSION")
    );
    escape(what, &mut text);
    text.push('\n');
    for line in trace.lines() {
        if text.len() + line.len() > MAX_RECORD {
            break;
        }
        escape(line, &mut text);
        text.push('\n');
    }
    let end = (0..=text.len().min(MAX_RECORD))
        .rev()
        .find(|&at| text.is_char_boundary(at));
    text.truncate(end.unwrap_or(0));
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

fn escape(from: &str, to: &mut String) {
    for c in from.chars() {
        if c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
        {
            to.extend(c.escape_unicode());
        } else {
            to.push(c);
        }
    }
}

/// Appends, after dropping the older half of a full log. In place: on FAT a rename does not survive a pulled battery.
fn append(mut log: &File, record: &[u8]) -> io::Result<()> {
    let len = log.metadata()?.len();
    if len + record.len() as u64 > MAX_LOG {
        halve(log, len)?;
    }
    log.seek(SeekFrom::End(0))?;
    log.write_all(record)?;
    log.sync_data()
}

fn halve(mut log: &File, len: u64) -> io::Result<()> {
    let mut kept = Vec::new();
    log.seek(SeekFrom::Start(len.saturating_sub(MAX_LOG / 2)))?;
    log.take(MAX_LOG / 2).read_to_end(&mut kept)?;
    let start = kept
        .iter()
        .position(|&byte| byte == b'\n')
        .map_or(0, |at| at + 1);
    log.seek(SeekFrom::Start(0))?;
    log.write_all(&kept[start..])?;
    log.set_len((kept.len() - start) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder =
            std::env::temp_dir().join(format!("officeos-crash-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(folder.join("officeos")).unwrap();
        folder
    }

    #[test]
    fn a_record_lies_beside_the_app_and_is_one_line_and_a_trace() {
        let folder = folder("beside");
        failed(&folder.join("officeos"), "no window:\n\u{1b}[2J \u{202e}x");
        let text = std::fs::read_to_string(folder.join(LOG)).unwrap();
        assert!(
            text.ends_with("no window:\\u{a}\\u{1b}[2J \\u{202e}x\n"),
            "{text}"
        );
        assert_eq!(text.lines().count(), 1);
        // Where that folder takes nothing, it lies with the content.
        let sealed = folder.join("officeos");
        std::fs::remove_file(folder.join(LOG)).unwrap();
        std::fs::create_dir(folder.join(LOG)).unwrap();
        failed(&sealed, "again");
        assert!(
            std::fs::read_to_string(sealed.join(LOG))
                .unwrap()
                .contains("again")
        );
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_full_log_keeps_its_newer_half_in_the_same_file() {
        let folder = folder("full");
        let file = folder.join(LOG);
        let log = create(&file).unwrap();
        let line = [b'x'; 999];
        for n in 0..200_u32 {
            append(&log, &[format!("{n:04}").as_bytes(), &line, b"\n"].concat()).unwrap();
            assert!(std::fs::metadata(&file).unwrap().len() <= MAX_LOG);
        }
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.lines().all(|line| line.len() == 1003));
        assert!(text.lines().last().unwrap().starts_with("0199"));
        assert!(text.len() as u64 > MAX_LOG / 3);
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn somebodys_words_stay_out_of_it() {
        let sliced =
            "byte index 3 is not a char boundary; it is inside 'é' (bytes 2..4) of `dear Ada`"
                .to_owned();
        assert_eq!(
            said(&sliced),
            "byte index 3 is not a char boundary; it is inside "
        );
        let bounds = "index out of bounds: the len is 3 but the index is 5".to_owned();
        assert_eq!(said(&bounds), bounds);
        assert_eq!(
            said(&"the home screen is never popped"),
            "the home screen is never popped"
        );
        assert_eq!(said(&5_u8), "");
    }

    #[test]
    fn a_record_is_bounded() {
        let long = "frame\n".repeat(10_000);
        assert!(record("x", &long).len() <= MAX_RECORD + 1);
        assert!(record(&"ä".repeat(MAX_RECORD), "").len() <= MAX_RECORD + 1);
    }
}
