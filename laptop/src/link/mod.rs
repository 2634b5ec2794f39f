//! The link-service: owns the carriers, hands the daemon their listening sockets, and reads no byte of a session.
//!
//! ```text
//! carriers ─▶ exchange ─listening sockets, network, trouble─▶ laptop-daemon
//!   radio ◀─────┘     ◀────────────────── pairing window ─┘
//! ```
//!
//! Carriers are loopback or plain TCP at a configured address and, beside it, the laptop's own Wi-Fi Direct group and
//! each USB cable with a handheld at its other end. The daemon, which parses what strangers send, never opens a network socket itself: it gets each over `link.sock` with
//! `SCM_RIGHTS`, together with one message that says what it is.

mod cable;
mod carrier;
mod exchange;
mod handover;
mod network;
mod packet;
pub mod radio;
mod report;
mod responder;
mod service;
mod wireless;

pub use carrier::{Carrier, CarrierError, Kind};
pub use handover::{HandoverError, News, Wish, hear, wish};
pub use network::Network;
pub use packet::PacketSocket;
pub use report::report;
pub use service::{Arguments, run};

/// Where Debian, Ubuntu and most others have the control sockets of wpa_supplicant.
pub const USUAL_CONTROL: [&str; 2] = ["/run/wpa_supplicant", "/var/run/wpa_supplicant"];

/// What the rest of the crate tests with.
#[cfg(test)]
pub(crate) mod testing {
    pub(crate) use super::handover::testing::*;
    pub(crate) use super::network::testing::*;
}
