//! One control socket of wpa_supplicant, by way of the broker, which opens it and judges every request.
//!
//! Events come in on a socket that the broker has bound and shut for writing, so that no process but this one wakes for them.

use std::io;
use std::os::unix::net::UnixDatagram;
use std::sync::Arc;

use shared_proto::supplicant::{Command, Event, parse};
use smol::Async;

use crate::broker::wire::{DoorSays, decode};
use crate::broker::{Broker, Line, Refusal};
use crate::radio::Denial;

/// Longest message; wpa_supplicant's own buffer holds 4096 octets.
const MESSAGE_LEN: usize = 8192;

/// A control socket that is open.
pub struct Ctrl {
    line: Arc<smol::lock::Mutex<Async<Line>>>,
    events: Arc<Async<UnixDatagram>>,
}

impl Ctrl {
    /// Opens the control socket of this name.
    ///
    /// # Errors
    /// Nobody listens there, or this user may not.
    pub async fn open(broker: &Broker, name: &str) -> Result<Self, Denial> {
        let line = broker.door(name).map_err(|refusal| match refusal {
            Refusal::System(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                Denial::Permission
            }
            _ => Denial::Dead,
        })?;
        let dead = |_: io::Error| Denial::Dead;
        let line = Async::new(line).map_err(dead)?;
        match line.read_with(Line::receive).await.map_err(dead)? {
            Some((says, Some(events))) if decode(&says) == Some(DoorSays::Open) => {
                let events = Async::new(UnixDatagram::from(events)).map_err(dead)?;
                Ok(Self {
                    line: Arc::new(smol::lock::Mutex::new(line)),
                    events: Arc::new(events),
                })
            }
            Some((says, _)) if decode(&says) == Some(DoorSays::Forbidden) => {
                Err(Denial::Permission)
            }
            _ => Err(Denial::Dead),
        }
    }

    /// Makes a request; its answer, or `None` if none came. One that is no text comes as an empty one: P2P_PEER gives the name of a
    /// stranger's device as its octets are, and those say nothing of whether wpa_supplicant lives.
    pub fn request(&self, command: &Command) -> impl Future<Output = Option<String>> + use<> {
        let (line, text) = (self.line.clone(), command.text());
        async move {
            let line = line.lock().await;
            line.get_ref().send(text.as_bytes(), None).ok()?;
            let (says, _) = line.read_with(Line::receive).await.ok()??;
            match decode(&says)? {
                DoorSays::Answer(answer) => answer,
                DoorSays::Refused(why) => {
                    log::error!("a request was refused: {why}");
                    Some("FAIL\n".into())
                }
                DoorSays::Open | DoorSays::Forbidden | DoorSays::Dead => None,
            }
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::{Settings, in_thread};
    use shared_proto::supplicant::Mac;
    use std::fs;
    use std::os::fd::AsFd;
    use std::path::{Path, PathBuf};
    use std::time::Duration;

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

    fn broker(home: &Path) -> Broker {
        in_thread(Settings {
            folders: vec![home.to_owned()],
            ..Settings::default()
        })
    }

    #[test]
    fn requests_are_answered_events_come_beside_them_and_nothing_stays_behind() {
        let home = home("open");
        let path = home.join("wlan0");
        let far = supplicant(&path, true);
        let broker = broker(&home);
        smol::block_on(async {
            let ctrl = Ctrl::open(&broker, "wlan0").await.unwrap();
            let second = Ctrl::open(&broker, "wlan0").await.unwrap();
            for ctrl in [&ctrl, &second, &ctrl] {
                let answer = ctrl.request(&Command::Ping).await;
                assert_eq!(answer.as_deref(), Some("PONG\n"));
            }
            assert_eq!(ctrl.events().next().await.unwrap(), Event::ScanResults);
            let written = nix::unistd::write(ctrl.events.as_fd(), b"TERMINATE");
            assert_eq!(written, Err(nix::Error::EPIPE), "it is for listening alone");
            let forbidden = Command::Set("ctrl_interface", "x".into());
            let answer = ctrl.request(&forbidden).await;
            assert_eq!(answer.as_deref(), Some("FAIL\n"), "the broker refuses it");
            let stranger = Command::P2pPeer(Mac([2, 0, 0, 0, 0, 1]));
            let answer = ctrl.request(&stranger).await;
            assert_eq!(answer.as_deref(), Some(""), "a name that is no text");
            let answer = ctrl.request(&Command::Ping).await;
            assert_eq!(answer.as_deref(), Some("PONG\n"), "the socket still serves");
            ctrl.request(&Command::Disconnect).await;
            far.join().unwrap();
            assert_eq!(ctrl.request(&Command::Ping).await, None, "nobody is there");
        });
        fs::remove_dir_all(home).unwrap();
    }

    #[test]
    fn brokers_that_share_a_process_leave_each_others_sockets_alone() {
        let home = home("beside");
        let path = home.join("wlan0");
        let far = supplicant(&path, true);
        let brokers = [broker(&home), broker(&home)];
        smol::block_on(async {
            let mut open = Vec::new();
            for broker in &brokers {
                open.push(Ctrl::open(broker, "wlan0").await.unwrap());
            }
            for ctrl in &open {
                let answer = ctrl.request(&Command::Ping).await;
                assert_eq!(answer.as_deref(), Some("PONG\n"));
            }
            open[0].request(&Command::Disconnect).await;
        });
        far.join().unwrap();
        fs::remove_dir_all(home).unwrap();
    }

    #[test]
    fn a_socket_without_a_server_and_a_silent_one_are_dead() {
        let home = home("dead");
        let stale = home.join("stale");
        drop(UnixDatagram::bind(&stale).unwrap());
        let silent = home.join("silent");
        drop(supplicant(&silent, false));
        let broker = broker(&home);
        for name in ["nothing", "stale", "silent", "../stale"] {
            let opened = smol::block_on(Ctrl::open(&broker, name));
            assert_eq!(opened.err(), Some(Denial::Dead));
        }
        fs::remove_dir_all(home).unwrap();
    }
}
