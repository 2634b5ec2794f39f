//! The link-service: owns the carriers, hands the daemon a listening socket, and reads no byte of a session.
//!
//! Carriers of this version are loopback and plain TCP. The radio is refused by name. The daemon, which parses what
//! strangers send, never opens a network socket itself: it gets one over `link.sock` with `SCM_RIGHTS`, together with
//! one line that says what it is.

mod carrier;
mod handover;
pub mod radio;
mod service;

pub use carrier::{Carrier, CarrierError, Kind};
pub use handover::{HandoverError, Link, receive, send};
pub use service::{Arguments, run};
