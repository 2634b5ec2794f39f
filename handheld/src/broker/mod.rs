//! The broker: a small process of its own that opens whatever leaves this device, so that the app need not be able to.
//!
//! The app forks it before anything else ([`split`]) and then gives up the right to open a socket (`platform::confine`). What it wants it
//! asks for over a socket pair, in the few typed words of [`wire`]; the broker decides by [`rules`], which know no socket, and
//! hands over connected descriptors or answers. An app that was taken over by what it parses can still ask only for what
//! the rules allow: a laptop on a link of this machine, a network whose name begins as Wi-Fi Direct's do.
//!
//! When the app ends, however that happens, the broker puts the radio back as it was found, and ends.

mod client;
mod door;
mod line;
mod mend;
mod net;
mod remains;
pub mod rules;
mod seek;
mod serve;
mod split;
mod tuning;
pub mod wire;

use std::net::SocketAddr;
use std::path::PathBuf;

pub use client::{Broker, Refusal, Tuner};
pub use line::Line;
pub use net::{index, is_gadget, routers};
pub use split::{fork, in_thread, split};

/// Where control sockets are: those of officeos-radio's supplicant, then the usual places.
pub const FOLDERS: [&str; 4] = [
    "/run/officeos-radio/control",
    "/run/wpa_supplicant",
    "/var/run/wpa_supplicant",
    "/tmp/wpa_supplicant",
];

/// The port where laptops listen, as long as one has not told another.
pub const PORT: u16 = 8144;

/// What the broker knows from the command line alone; nothing that the app says later changes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Folders of control sockets; none if the radio is left alone.
    pub folders: Vec<PathBuf>,
    /// Whether programs on this machine itself may be reached: for development on a desktop.
    pub loopback: bool,
    /// The address that was given on the command line.
    pub told: Option<SocketAddr>,
    /// The interface that stands for the USB cable, where one was named.
    pub usb: Option<String>,
}
