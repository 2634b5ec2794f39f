//! One control socket of wpa_supplicant: requests through wpactrl, events on a socket of our own beside it.
//!
//! wpactrl blocks for as long as ten seconds, so each door has a thread, which ends with the app's end of the line. Each client has a
//! private folder: two of them in one folder would unlink each other's sockets. An attached client could take an event for an
//! answer, so events have a socket that asks for nothing else; it is handed to the app once it can't be written to any more.

use std::fs;
use std::io;
use std::net::Shutdown;
use std::os::fd::AsFd;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use shared_proto::supplicant::{Command, all_networks};

use super::line::Line;
use super::rules::supplicant::{Book, Enabled, Verdict};
use super::wire::{DoorSays, encode};

/// How long wpa_supplicant may take to let us listen.
const ATTACH_TIMEOUT: Duration = Duration::from_secs(1);

/// Longest message; wpa_supplicant's own buffer holds 4096 octets.
const MESSAGE_LEN: usize = 8192;

/// A folder of our own, removed with what is in it.
struct Folder(PathBuf);

impl Folder {
    fn make(path: PathBuf) -> io::Result<Self> {
        // Sockets that a process of the same number left would be in the way.
        let _ = fs::remove_dir_all(&path);
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Requests on a control socket.
pub(super) struct Client {
    client: wpactrl::Client,
    /// Dropped last: the sockets are in it.
    folder: Folder,
}

impl Client {
    /// Opens the control socket at `path`, with its own sockets in the new folder `own`.
    pub(super) fn open(path: &Path, own: PathBuf) -> io::Result<Self> {
        let folder = Folder::make(own)?;
        let builder = wpactrl::Client::builder()
            .cli_path(folder.0.clone())
            .ctrl_path(path.to_path_buf());
        let client = builder.open().map_err(|error| match error {
            wpactrl::Error::Io(error) => error,
            other => io::Error::other(other),
        })?;
        Ok(Self { client, folder })
    }

    /// Makes a request; its answer, or `None` if none came. One that is no text comes as an empty one: P2P_PEER gives the name of a
    /// stranger's device as its octets are, and those say nothing of whether wpa_supplicant lives. A list of networks comes whole.
    pub(super) fn request(&mut self, text: &str) -> Option<String> {
        let answer = self.one(text)?;
        if text != Command::ListNetworks.text() {
            return Some(answer);
        }
        all_networks(answer, |text| self.one(text).ok_or(())).ok()
    }

    fn one(&mut self, text: &str) -> Option<String> {
        match self.client.request(text) {
            Ok(answer) => Some(answer),
            Err(wpactrl::Error::Utf8ToStr(_)) => Some(String::new()),
            Err(_) => None,
        }
    }

    /// A socket on which events come in, and nothing goes out.
    fn attach(&self, path: &Path) -> io::Result<UnixDatagram> {
        let events = UnixDatagram::bind(self.folder.0.join("events"))?;
        events.connect(path)?;
        events.set_read_timeout(Some(ATTACH_TIMEOUT))?;
        events.send(Command::Attach.text().as_bytes())?;
        let mut buffer = [0; MESSAGE_LEN];
        loop {
            let len = events.recv(&mut buffer)?;
            match &buffer[..len] {
                b"OK\n" => break,
                // An event that was faster; more of them than that is no answer.
                [b'<', ..] => {}
                _ => return Err(io::ErrorKind::InvalidData.into()),
            }
        }
        // What goes out would be a request that nobody has judged.
        events.shutdown(Shutdown::Write)?;
        events.set_read_timeout(None)?;
        Ok(events)
    }
}

/// Opens the control socket at `path` and serves the line until its other end is gone.
pub(super) fn serve(line: &Line, port: &str, path: &Path, own: PathBuf, enabled: &Mutex<Enabled>) {
    let opened = Client::open(path, own).and_then(|client| Ok((client.attach(path)?, client)));
    let (events, mut client) = match opened {
        Ok(opened) => opened,
        Err(error) => {
            let denied = match error.kind() {
                io::ErrorKind::PermissionDenied => DoorSays::Forbidden,
                _ => DoorSays::Dead,
            };
            // An app that has gone on needs no answer, here and below: the line ends with it.
            let _ = line.send(&encode(&denied), None);
            return;
        }
    };
    let mut heard = line
        .send(&encode(&DoorSays::Open), Some(events.as_fd()))
        .is_ok();
    drop(events);
    let mut book = Book::default();
    while heard {
        let Ok(Some((bytes, None))) = line.receive() else {
            return;
        };
        let says = match String::from_utf8(bytes) {
            Ok(text) => asked(&mut client, &mut book, port, &text, enabled),
            Err(_) => DoorSays::Refused("no text".into()),
        };
        let answer = match encode(&says) {
            // No answer of wpa_supplicant is so long.
            long if long.len() > super::line::MAX_LEN => encode(&DoorSays::Answer(None)),
            answer => answer,
        };
        heard = line.send(&answer, None).is_ok();
    }
}

fn asked(
    client: &mut Client,
    book: &mut Book,
    port: &str,
    text: &str,
    enabled: &Mutex<Enabled>,
) -> DoorSays {
    let judge = |book: &Book| {
        let enabled = enabled.lock().unwrap_or_else(PoisonError::into_inner);
        book.judge(port, text, &enabled)
    };
    let mut verdict = judge(book);
    if verdict == Verdict::List {
        let list = Command::ListNetworks.text();
        let Some(answer) = client.request(&list) else {
            return DoorSays::Answer(None);
        };
        learn(book, port, &list, &answer, enabled);
        verdict = judge(book);
    }
    match verdict {
        Verdict::Pass => {
            let answer = client.request(text);
            if let Some(answer) = &answer {
                learn(book, port, text, answer, enabled);
            }
            DoorSays::Answer(answer)
        }
        Verdict::List => DoorSays::Refused("the networks can't be listed".into()),
        Verdict::Refuse(why) => {
            log::warn!("{port}: a request is refused: {why}");
            DoorSays::Refused(why.into())
        }
    }
}

fn learn(book: &mut Book, port: &str, text: &str, answer: &str, enabled: &Mutex<Enabled>) {
    let mut enabled = enabled.lock().unwrap_or_else(PoisonError::into_inner);
    book.answered(port, text, answer, &mut enabled);
}
