//! The process that reads what strangers send: it has no network of its own and no keys of any service.
//!
//! ```text
//! link-service ─listening sockets─▶ lobby ─token─▶ handshake ─keys─▶ session ─▶ hub
//!                                     └─window─▶ pairing
//! ```

mod carriers;
mod children;
mod control;
mod doors;
mod gateway;
mod handshake;
mod link;
mod lobby;
mod mailbox;
mod news;
pub mod packing;
mod pairing;
mod pipe;
mod providers;
mod pulse;
mod reload;
mod renewing;
mod said;
mod session;
mod settled;
mod standing;
mod start;

pub use session::{CarrierFacts, SessionEnd, serve};
pub use start::{Arguments, run};

pub(crate) use link::radio_findings;
pub(crate) use providers::table as provider_table;
