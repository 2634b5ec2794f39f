//! The language of wpa_supplicant's control interface, of which both sides speak the same half: events and replies are read without
//! ever failing, requests are written so that no peer's name can become a request of its own.
//!
//! Sources: `src/common/wpa_ctrl.h` and `wpa_supplicant/ctrl_iface.c` of wpa_supplicant 2.10, and its `README-P2P`.

pub mod command;
pub mod event;
mod fields;
mod line;
pub mod reply;
pub mod text;
pub mod words;

#[cfg(test)]
mod documented;
#[cfg(test)]
mod tests;

pub use command::{Command, Setting};
pub use event::{Device, Event, Group, Line, Role};
pub use line::parse;
pub use reply::{
    Bss, DriverFlags, MAX_NETWORK_LIST, NetworkRow, Outcome, Peer, ScanResult, SignalPoll, State,
    Status, all_networks, further_networks, networks, scan_results,
};
pub use text::{Mac, Secret};
pub use words::{reason, status};
