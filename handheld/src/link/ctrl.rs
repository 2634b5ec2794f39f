//! One control socket of wpa_supplicant: requests through wpactrl, events on a socket of our own beside it.
//!
//! wpactrl blocks for as long as ten seconds, so requests run on the pool of blocking threads; a request that takes too long is left
//! behind with its client. Each client has a private folder: two of them in one folder would unlink each other's sockets. An
//! attached client could take an event for an answer, so events have a socket that asks for nothing else.

use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use shared_proto::supplicant::{Command, Event, parse};
use smol::future::or;
use smol::{Async, Timer};

use crate::radio::Denial;

/// How long wpa_supplicant may take to let us listen.
const ATTACH_TIMEOUT: Duration = Duration::from_secs(1);

/// Longest message; wpa_supplicant's own buffer holds 4096 octets.
const MESSAGE_LEN: usize = 8192;

/// A client that may be busy.
type Shared = Arc<Mutex<wpactrl::Client>>;

/// A control socket that is open.
pub struct Ctrl {
    client: Shared,
    events: Arc<Async<UnixDatagram>>,
    /// Dropped last: the sockets are in it.
    _folder: Folder,
}

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

impl Ctrl {
    /// Opens the control socket at `path`, with its own sockets in the new folder `own`.
    ///
    /// # Errors
    /// Nobody listens there, or this user may not.
    pub async fn open(path: PathBuf, own: PathBuf) -> Result<Self, Denial> {
        let (folder, client, events) = smol::unblock(move || connect(&path, own))
            .await
            .map_err(denial)?;
        let events = Async::new(events).map_err(denial)?;
        events
            .send(Command::Attach.text().as_bytes())
            .await
            .map_err(denial)?;
        let answer = async {
            let mut buffer = [0; MESSAGE_LEN];
            loop {
                let len = events.recv(&mut buffer).await.map_err(denial)?;
                match &buffer[..len] {
                    b"OK\n" => return Ok(()),
                    // An event that was faster.
                    [b'<', ..] => {}
                    _ => return Err(Denial::Dead),
                }
            }
        };
        let timeout = async {
            Timer::after(ATTACH_TIMEOUT).await;
            Err(Denial::Dead)
        };
        or(answer, timeout).await?;
        Ok(Self {
            client: Arc::new(Mutex::new(client)),
            events: Arc::new(events),
            _folder: folder,
        })
    }

    /// Makes a request; its answer, or `None` if none came. One that is no text comes as an empty one: P2P_PEER gives the name of a
    /// stranger's device as its octets are, and those say nothing of whether wpa_supplicant lives.
    pub fn request(&self, command: &Command) -> impl Future<Output = Option<String>> + use<> {
        let (client, text) = (self.client.clone(), command.text());
        let ask = move || {
            let mut client = client.lock().unwrap_or_else(PoisonError::into_inner);
            match client.request(&text) {
                Ok(answer) => Some(answer),
                Err(wpactrl::Error::Utf8ToStr(_)) => Some(String::new()),
                Err(_) => None,
            }
        };
        // It begins when it is awaited.
        async { smol::unblock(ask).await }
    }

    /// The stream of its events.
    pub fn events(&self) -> Events {
        Events(self.events.clone())
    }
}

/// What wpa_supplicant says by itself.
pub struct Events(Arc<Async<UnixDatagram>>);

impl Events {
    /// The next event.
    ///
    /// # Errors
    /// The socket does not serve any more. A supplicant that was killed is not noticed here.
    pub async fn next(&self) -> io::Result<Event> {
        let mut buffer = [0; MESSAGE_LEN];
        let len = self.0.recv(&mut buffer).await?;
        Ok(parse(&buffer[..len]).event)
    }
}

fn connect(path: &Path, own: PathBuf) -> io::Result<(Folder, wpactrl::Client, UnixDatagram)> {
    let folder = Folder::make(own)?;
    let builder = wpactrl::Client::builder()
        .cli_path(folder.0.clone())
        .ctrl_path(path.to_path_buf());
    let client = builder.open().map_err(|error| match error {
        wpactrl::Error::Io(error) => error,
        other => io::Error::other(other),
    })?;
    let events = UnixDatagram::bind(folder.0.join("events"))?;
    events.connect(path)?;
    Ok((folder, client, events))
}

fn denial(error: io::Error) -> Denial {
    match error.kind() {
        io::ErrorKind::PermissionDenied => Denial::Permission,
        _ => Denial::Dead,
    }
}

/// A folder in memory for sockets and for what is to be put back: never on the card, which may be FAT and knows no sockets.
pub fn run_folder() -> PathBuf {
    let own = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let places = [own, Some("/run".into()), Some("/tmp".into())];
    let usable = places.into_iter().flatten().find_map(|place| {
        let folder = place.join("officeos");
        fs::create_dir_all(&folder).ok()?;
        // Whether one may write there only writing tells.
        let probe = folder.join(format!("probe-{}", std::process::id()));
        fs::create_dir(&probe).ok()?;
        fs::remove_dir(&probe).ok()?;
        Some(folder)
    });
    usable.unwrap_or_else(|| PathBuf::from("/tmp"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared_proto::supplicant::Mac;

    /// A supplicant that answers every request by itself, and says one event to whoever attaches.
    fn supplicant(path: &Path, answers: bool) -> std::thread::JoinHandle<()> {
        let socket = UnixDatagram::bind(path).unwrap();
        socket
            .set_read_timeout(Some(Duration::from_secs(5)))
            .unwrap();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok((len, from)) = socket.recv_from(&mut buffer) {
                let Some(from) = from.as_pathname() else {
                    continue;
                };
                let text = std::str::from_utf8(&buffer[..len]).unwrap();
                let say = |text: &str| drop(socket.send_to(text.as_bytes(), from));
                match text {
                    _ if !answers => {}
                    "ATTACH" => {
                        say("<3>CTRL-EVENT-SCAN-STARTED ");
                        say("OK\n");
                        say("<3>CTRL-EVENT-SCAN-RESULTS ");
                    }
                    "PING" => say("PONG\n"),
                    "P2P_PEER 02:00:00:00:00:01" => {
                        let answer = b"02:00:00:00:00:01\ndevice_name=caf\xe9\n";
                        drop(socket.send_to(answer, from));
                    }
                    "DISCONNECT" => return say("OK\n"),
                    _ => say("UNKNOWN COMMAND\n"),
                }
            }
        })
    }

    fn home(name: &str) -> PathBuf {
        let home =
            std::env::temp_dir().join(format!("officeos-ctrl-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&home);
        fs::create_dir_all(&home).unwrap();
        home
    }

    #[test]
    fn requests_are_answered_events_come_beside_them_and_nothing_stays_behind() {
        let home = home("open");
        let path = home.join("wlan0");
        let far = supplicant(&path, true);
        smol::block_on(async {
            let ctrl = Ctrl::open(path.clone(), home.join("own")).await.unwrap();
            let second = Ctrl::open(path.clone(), home.join("second")).await.unwrap();
            for ctrl in [&ctrl, &second, &ctrl] {
                let answer = ctrl.request(&Command::Ping).await;
                assert_eq!(answer.as_deref(), Some("PONG\n"));
            }
            assert_eq!(ctrl.events().next().await.unwrap(), Event::ScanResults);
            let stranger = Command::P2pPeer(Mac([2, 0, 0, 0, 0, 1]));
            let answer = ctrl.request(&stranger).await;
            assert_eq!(answer.as_deref(), Some(""), "a name that is no text");
            let answer = ctrl.request(&Command::Ping).await;
            assert_eq!(answer.as_deref(), Some("PONG\n"), "the socket still serves");
            ctrl.request(&Command::Disconnect).await;
            far.join().unwrap();
            assert_eq!(ctrl.request(&Command::Ping).await, None, "nobody is there");
        });
        assert!(!home.join("own").exists() && !home.join("second").exists());
        fs::remove_dir_all(home).unwrap();
    }

    #[test]
    fn a_socket_without_a_server_and_a_silent_one_are_dead() {
        let home = home("dead");
        let stale = home.join("stale");
        drop(UnixDatagram::bind(&stale).unwrap());
        let silent = home.join("silent");
        drop(supplicant(&silent, false));
        for path in [home.join("nothing"), stale, silent] {
            let opened = smol::block_on(Ctrl::open(path, home.join("own")));
            assert_eq!(opened.err(), Some(Denial::Dead));
            assert!(!home.join("own").exists());
        }
        fs::remove_dir_all(home).unwrap();
    }
}
