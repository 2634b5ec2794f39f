//! Sockets to wpa_supplicant: requests through `wpactrl`, events through a socket of our own beside it.
//!
//! Each client lives in a folder of its own. `wpactrl` names its socket after the process alone, so that two clients in
//! one folder would unlink each other's, and one left over by a killed process would be in the way for ever.

use super::world::Socket;
use std::collections::HashMap;
use std::fs;
use std::io;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long wpa_supplicant has to say that it will send events.
const ATTACH_TIMEOUT: Duration = Duration::from_secs(2);
/// Longest event, in octets; longer ones are cut by the system and then not understood.
const MAX_EVENT_LEN: usize = 8192;

/// What the folder of a process is called before its number.
const PREFIX: &str = "radio-";

/// All sockets of this process to wpa_supplicant.
pub(super) struct Supplicant {
    folder: PathBuf,
    made: u64,
    clients: HashMap<String, Client>,
    ears: Vec<Ear>,
}

struct Client {
    id: (u64, i64),
    // Dropped in this order: wpactrl unlinks its socket, then the folder goes.
    inner: wpactrl::Client,
    _folder: Folder,
}

/// A folder that goes with its client.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A socket that only hears.
pub(super) struct Ear {
    name: String,
    id: (u64, i64),
    /// The socket, to be waited for.
    pub(super) inner: UnixDatagram,
    _folder: Folder,
}

impl Supplicant {
    /// Makes an empty folder for the sockets below `run`.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub(super) fn new(run: &Path) -> io::Result<Self> {
        fs::create_dir_all(run)?;
        sweep(run);
        let folder = run.join(format!("{PREFIX}{}", std::process::id()));
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        fs::create_dir(&folder)?;
        Ok(Self {
            folder,
            made: 0,
            clients: HashMap::new(),
            ears: Vec::new(),
        })
    }

    /// Asks and waits for the answer, up to ten seconds. After an error the client is gone: a late answer would
    /// otherwise be taken for that to the next request.
    ///
    /// # Errors
    /// The socket is gone, is not for this user, or does not answer.
    pub(super) fn ask(&mut self, socket: &Socket, request: &str) -> io::Result<String> {
        let mut client = match self.clients.remove(&socket.name) {
            Some(client) if client.id == socket.id => client,
            _ => self.open(socket)?,
        };
        let reply = client.inner.request(request).map_err(plain)?;
        self.clients.insert(socket.name.clone(), client);
        Ok(reply)
    }

    /// Hears the events of exactly these sockets from now on. Returns the names of those that could not be attached to.
    pub(super) fn hear(&mut self, wanted: &[Socket]) -> Vec<String> {
        self.ears.retain(|ear| {
            wanted
                .iter()
                .any(|socket| socket.name == ear.name && socket.id == ear.id)
        });
        self.clients
            .retain(|name, client| client.id == wanted_id(wanted, name).unwrap_or(client.id));
        let mut deaf = Vec::new();
        for socket in wanted {
            if self.ears.iter().any(|ear| ear.name == socket.name) {
                continue;
            }
            match self.attach(socket) {
                Ok(ear) => self.ears.push(ear),
                Err(error) => {
                    log::debug!(
                        "link-service: no events from {}: {error}",
                        socket.path.display()
                    );
                    deaf.push(socket.name.clone());
                }
            }
        }
        deaf
    }

    /// The sockets that hear.
    pub(super) fn ears(&self) -> &[Ear] {
        &self.ears
    }

    fn folder(&mut self) -> io::Result<Folder> {
        self.made += 1;
        let folder = self.folder.join(self.made.to_string());
        fs::create_dir(&folder)?;
        Ok(Folder(folder))
    }

    fn open(&mut self, socket: &Socket) -> io::Result<Client> {
        let folder = self.folder()?;
        let builder = wpactrl::Client::builder()
            .cli_path(folder.0.as_path())
            .ctrl_path(socket.path.as_path());
        let inner = builder.open().map_err(plain)?;
        Ok(Client {
            id: socket.id,
            inner,
            _folder: folder,
        })
    }

    fn attach(&mut self, socket: &Socket) -> io::Result<Ear> {
        let folder = self.folder()?;
        let ear = Ear {
            name: socket.name.clone(),
            id: socket.id,
            inner: UnixDatagram::bind(folder.0.join("ear"))?,
            _folder: folder,
        };
        ear.inner.connect(&socket.path)?;
        ear.inner.set_read_timeout(Some(ATTACH_TIMEOUT))?;
        ear.inner.set_write_timeout(Some(ATTACH_TIMEOUT))?;
        ear.inner.send(b"ATTACH")?;
        let mut reply = [0; 64];
        let len = ear.inner.recv(&mut reply)?;
        if reply[..len] != *b"OK\n" {
            return Err(io::Error::other("wpa_supplicant refused to send events"));
        }
        ear.inner.set_nonblocking(true)?;
        Ok(ear)
    }
}

/// Removes the folders of processes that are no more.
fn sweep(run: &Path) {
    for entry in fs::read_dir(run).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let process = name
            .to_str()
            .and_then(|name| name.strip_prefix(PREFIX)?.parse::<u32>().ok());
        if process.is_some_and(|process| !Path::new("/proc").join(process.to_string()).exists()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn plain(error: wpactrl::Error) -> io::Error {
    match error {
        wpactrl::Error::Io(error) => error,
        other => io::Error::other(other.to_string()),
    }
}

fn wanted_id(wanted: &[Socket], name: &str) -> Option<(u64, i64)> {
    wanted
        .iter()
        .find(|socket| socket.name == name)
        .map(|socket| socket.id)
}

impl Drop for Supplicant {
    fn drop(&mut self) {
        self.clients.clear();
        self.ears.clear();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Ear {
    /// The name of the control socket that it hears.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The next event, if one is there.
    ///
    /// # Errors
    /// wpa_supplicant is gone.
    pub(super) fn next(&self) -> io::Result<Option<Vec<u8>>> {
        let mut event = vec![0; MAX_EVENT_LEN];
        match self.inner.recv(&mut event) {
            Ok(len) => {
                event.truncate(len);
                Ok(Some(event))
            }
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
                ) =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        let _ = self.inner.send(b"DETACH");
    }
}
