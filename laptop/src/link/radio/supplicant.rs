//! Sockets to wpa_supplicant: requests through `wpactrl`, events through a socket of our own beside it.
//!
//! Each client lives in a folder of its own. `wpactrl` names its socket after the process alone, so that two clients in
//! one folder would unlink each other's, and one left over by a killed process would be in the way for ever.

use super::world::Socket;
use shared_proto::supplicant::{Command, all_networks};
use std::collections::HashMap;
use std::fs;
use std::io;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// How long wpa_supplicant has for an answer. It takes milliseconds, and while it makes an interface half a second.
const REPLY_TIMEOUT: Duration = Duration::from_secs(3);
/// How long an answer is waited for before the socket is looked at.
const REPLY_PATIENCE: Duration = Duration::from_millis(100);
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

    /// Asks and waits for the answer, up to [`REPLY_TIMEOUT`]. After an error the client is gone: a late answer would
    /// otherwise be taken for that to the next request. A list of networks comes whole.
    ///
    /// # Errors
    /// The socket is gone, is not for this user, or does not answer.
    pub(super) fn ask(&mut self, socket: &Socket, request: &str) -> io::Result<String> {
        let answer = self.ask_once(socket, request)?;
        if request != Command::ListNetworks.text() {
            return Ok(answer);
        }
        all_networks(answer, |request| self.ask_once(socket, request))
    }

    fn ask_once(&mut self, socket: &Socket, request: &str) -> io::Result<String> {
        let mut client = match self.clients.remove(&socket.name) {
            Some(client) if client.id == socket.id => client,
            _ => self.open(socket)?,
        };
        // wpactrl itself waits ten seconds, for which a supplicant that ends between request and answer would hold
        // everything up. The thread that waits in vain ends by itself and takes the client with it.
        let (sender, answers) = mpsc::channel();
        let request = request.to_owned();
        thread::Builder::new()
            .name("request".to_owned())
            .spawn(move || {
                let reply = client.inner.request(&request).map_err(plain);
                let _ = sender.send((client, reply));
            })?;
        let until = Instant::now() + REPLY_TIMEOUT;
        let (client, reply) = loop {
            match answers.recv_timeout(REPLY_PATIENCE) {
                Ok(answer) => break answer,
                // A socket that is closed takes the requests in it along without a word.
                Err(_) if !socket.is_there() => return Err(io::ErrorKind::ConnectionReset.into()),
                Err(_) if Instant::now() >= until => return Err(io::ErrorKind::TimedOut.into()),
                Err(_) => {}
            }
        };
        let reply = reply?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::radio::world::World;
    use crate::link::radio::world::tests::Laptop;

    /// A control socket that answers what it is told to.
    fn serve(
        socket: UnixDatagram,
        replies: &'static [&'static str],
    ) -> thread::JoinHandle<Vec<String>> {
        socket
            .set_read_timeout(Some(Duration::from_secs(10)))
            .expect("a timeout");
        thread::spawn(move || {
            let mut heard = Vec::new();
            for reply in replies {
                let mut request = [0; 256];
                let Ok((len, from)) = socket.recv_from(&mut request) else {
                    break;
                };
                heard.push(String::from_utf8_lossy(&request[..len]).into_owned());
                let path = from.as_pathname().expect("a named client");
                socket.send_to(reply.as_bytes(), path).expect("sent");
            }
            heard
        })
    }

    fn only(laptop: &Laptop) -> Socket {
        World::read(&laptop.0, &[laptop.control()])
            .sockets
            .remove(0)
    }

    #[test]
    fn several_clients_of_one_process_do_not_unlink_each_other() {
        let laptop = Laptop::new("clients");
        let served = ["a", "b"].map(|name| serve(laptop.socket(name), &["one\n", "two\n"]));
        let sockets = World::read(&laptop.0, &[laptop.control()]).sockets;
        let mut supplicant = Supplicant::new(&laptop.0.join("run")).expect("a folder");
        for expected in ["one\n", "two\n"] {
            for socket in &sockets {
                assert_eq!(supplicant.ask(socket, "PING").expect("an answer"), expected);
            }
        }
        for thread in served {
            assert_eq!(thread.join().expect("served"), ["PING", "PING"]);
        }
    }

    #[test]
    fn events_come_over_a_socket_of_their_own() {
        let laptop = Laptop::new("events");
        let thread = serve(laptop.socket("wlan0"), &["OK\n", "<3>AP-ENABLED "]);
        let socket = only(&laptop);
        let mut supplicant = Supplicant::new(&laptop.0.join("run")).expect("a folder");
        assert_eq!(
            supplicant.hear(std::slice::from_ref(&socket)),
            Vec::<String>::new()
        );
        let ear = &supplicant.ears()[0];
        assert_eq!((ear.name(), ear.next().expect("no error")), ("wlan0", None));
        ear.inner.send(b"again").expect("sent");
        ear.inner.set_nonblocking(false).expect("set");
        assert_eq!(
            ear.next().expect("no error").as_deref(),
            Some(&b"<3>AP-ENABLED "[..])
        );
        assert_eq!(thread.join().expect("served"), ["ATTACH", "again"]);
        supplicant.hear(&[]);
        assert!(supplicant.ears().is_empty());
    }

    #[test]
    fn a_supplicant_that_refuses_or_is_gone_is_named() {
        let laptop = Laptop::new("refuses");
        let thread = serve(laptop.socket("wlan0"), &["FAIL\n"]);
        let socket = only(&laptop);
        let mut supplicant = Supplicant::new(&laptop.0.join("run")).expect("a folder");
        assert_eq!(supplicant.hear(std::slice::from_ref(&socket)), ["wlan0"]);
        thread.join().expect("served");
        // The file stays, as after a kill.
        let error = supplicant
            .ask(&socket, "PING")
            .expect_err("nobody is there");
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    }

    #[test]
    fn a_silent_supplicant_holds_nothing_up_for_long() {
        let laptop = Laptop::new("silent");
        let _silent = laptop.socket("wlan0");
        let mut supplicant = Supplicant::new(&laptop.0.join("run")).expect("a folder");
        let error = supplicant.ask(&only(&laptop), "PING").expect_err("silence");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn a_socket_that_goes_while_it_is_asked_is_given_up_at_once() {
        let laptop = Laptop::new("goes");
        let _silent = laptop.socket("wlan0");
        let socket = only(&laptop);
        fs::remove_file(&socket.path).expect("removed");
        let _other = laptop.socket("wlan0");
        let mut supplicant = Supplicant::new(&laptop.0.join("run")).expect("a folder");
        let error = supplicant.ask(&socket, "PING").expect_err("another socket");
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    }

    #[test]
    fn what_a_killed_process_left_is_swept() {
        let laptop = Laptop::new("swept");
        let run = laptop.0.join("run");
        // Process numbers end far below this one.
        fs::create_dir_all(run.join("radio-4294967295/1")).expect("a folder");
        let supplicant = Supplicant::new(&run).expect("a folder");
        assert!(!run.join("radio-4294967295").exists());
        drop(supplicant);
        assert_eq!(fs::read_dir(&run).expect("a folder").count(), 0);
    }
}
