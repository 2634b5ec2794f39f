//! The session: many requests at once over one channel, as one pure machine per role.
//!
//! A machine holds no socket and no clock. Its driver hands in what arrived and what time it is, and after
//! every call sends what [`ClientSession::take_transmit`] or [`ServerSession::take_transmit`] yields and sleeps
//! no longer than `deadline` says. Events go to a sink while bytes are read, on borrowed data.
//!
//! Invariants: a stream never passes the credit its receiver gave; every octet of a stream arrives in order
//! and once; nothing is said of a request that the handheld did not name on this session.

mod client;
mod flow;
mod server;
#[cfg(test)]
mod tests;

pub use client::{ClientEvent, ClientSession};
pub use server::{ServerEvent, ServerSession};
