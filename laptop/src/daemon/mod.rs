//! The process that reads what strangers send: it has no network of its own and no keys of any service.

mod mailbox;
mod pipe;
mod session;
mod standing;

pub use session::{CarrierFacts, SessionEnd, serve};
