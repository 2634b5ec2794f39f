//! The laptop's Wi-Fi Direct group: kept up through the system's wpa_supplicant, given back when it is stopped.
//!
//! [`start`] runs one thread that talks to the supplicant's control sockets and tells what it has through a channel;
//! the thread decides nothing itself.

mod check;
mod driver;
mod firewall;
mod group;
mod identity;
mod interface;
mod manager;
mod probe;
mod supplicant;
mod trouble;
mod world;

#[cfg(feature = "fuzzing")]
pub use group::driven::drive;

use driver::{Driver, Order};
use std::fmt;
use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// What the radio needs to know.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The interface to use; without it, the first one that can host a group.
    pub interface: Option<String>,
    /// Folders in which wpa_supplicant has its control sockets, in the order in which they are tried.
    pub control: Vec<PathBuf>,
    /// Folder for this process' own sockets. wpa_supplicant answers to it, so both must see the same folder: no `PrivateTmp`.
    pub run: PathBuf,
    /// Folder in which `group.toml` is kept.
    pub state: PathBuf,
    /// Name that handhelds show for this laptop before they join.
    pub name: String,
    /// Port to listen on.
    pub port: u16,
    /// Frequency in MHz to use where the laptop is on no other network, instead of a quiet one.
    pub frequency: Option<u16>,
}

/// How a handheld joins the group.
#[derive(Clone, PartialEq, Eq)]
pub struct Facts {
    /// SSID, 1 to 32 octets.
    pub ssid: Vec<u8>,
    /// WPA2 passphrase.
    pub passphrase: String,
    /// Frequency in MHz.
    pub frequency: u16,
    /// Port on which the laptop listens there.
    pub port: u16,
}

impl fmt::Debug for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Facts")
            .field("ssid", &String::from_utf8_lossy(&self.ssid))
            .field("frequency", &self.frequency)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

/// What changed.
#[derive(Debug)]
pub enum Update {
    /// The group is up, and this socket listens in it and nowhere else.
    Up {
        /// The group's network interface.
        interface: String,
        /// Where the socket listens, as it says itself.
        address: SocketAddr,
        /// The listening socket, bound to the interface.
        listener: TcpListener,
        /// How a handheld joins.
        facts: Facts,
    },
    /// The group is still up, but a handheld now joins like this.
    Facts(Facts),
    /// The group and its socket are gone.
    Down,
    /// What keeps the group from being up, in words with what to do about it; `None`: nothing any more.
    Trouble(Option<String>),
}

/// How good a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// As it should be.
    Fine,
    /// Works, but not as well as it could.
    Warn,
    /// The radio cannot work like this.
    Fault,
}

/// One line of `--test-p2p`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at.
    pub what: &'static str,
    /// How good it is.
    pub verdict: Verdict,
    /// What was found.
    pub words: String,
    /// The command that mends it.
    pub remedy: Option<String>,
}

/// A running radio. Dropping it stops it without waiting; [`Radio::stop`] waits until everything is put back.
#[derive(Debug)]
pub struct Radio {
    orders: mpsc::Sender<Order>,
    bell: UnixStream,
    thread: Option<JoinHandle<()>>,
}

/// Starts the radio. What it has and lacks comes through `updates`; no supplicant or no Wi-Fi is trouble, not an error.
///
/// # Errors
/// The group's name cannot be read from or written to the state folder, the run folder cannot be used, or no thread
/// can be started.
pub fn start(settings: Settings, updates: mpsc::Sender<Update>) -> io::Result<Radio> {
    let (orders, received) = mpsc::channel();
    let (bell, rung) = UnixStream::pair()?;
    bell.set_nonblocking(true)?;
    let driver = Driver::new(settings, updates, received, rung)?;
    let thread = thread::Builder::new()
        .name("radio".to_owned())
        .spawn(move || driver.run())?;
    Ok(Radio {
        orders,
        bell,
        thread: Some(thread),
    })
}

impl Radio {
    /// Lets handhelds join by push button for this long; `None` ends it. Closed at start.
    pub fn window(&self, open_for: Option<Duration>) {
        self.order(Order::Window(open_for));
    }

    /// Removes the group, puts back what was changed, and returns when that is done, within seconds.
    pub fn stop(mut self) {
        self.order(Order::Stop);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            log::error!("link-service: the radio's thread has panicked");
        }
    }

    fn order(&self, order: Order) {
        // A thread that has ended obeys nobody, and a full bell rings already.
        let _ = self.orders.send(order);
        let _ = (&self.bell).write(&[0]);
    }
}

impl Drop for Radio {
    fn drop(&mut self) {
        self.order(Order::Stop);
    }
}

/// Opens a listening socket that only `interface` reaches, below `root`, which is `/` but in tests.
///
/// # Errors
/// What is in the way, and what mends it.
pub(super) fn listen(root: &Path, interface: &str, port: u16) -> Result<TcpListener, String> {
    interface::open(root, interface, port).map_err(|trouble| trouble.advice())
}

/// Looks at everything that the radio needs, and changes nothing.
pub fn check(settings: &Settings) -> Vec<Finding> {
    check::look(settings)
}

/// What the rest of the link tests with.
#[cfg(test)]
pub(super) mod testing {
    pub(in crate::link) use super::world::tests::Laptop;
}
