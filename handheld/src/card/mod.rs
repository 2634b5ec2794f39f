//! What the handheld keeps on its card, beside the app, on FAT or exFAT.
//!
//! Everything acknowledged survives a pulled battery at any instant; nothing torn is ever read; startup always
//! succeeds with what is whole. The format never renames and never truncates ([`medium`] says why):
//!
//! - [`slot`]: small state (settings, keys, relationships, learned words) in preallocated A/B slots;
//! - [`journal`]: chats, outbox and indices as sealed batches in preallocated segments;
//! - blobs (pictures, files) under new names, synced, and only then named by a journal record; the rest is swept.
//!
//! It does not know the app's model: values are octets in tables, which the runtime fills and reads.

pub mod cipher;
pub mod error;
pub mod folder;
pub mod items;
pub mod journal;
pub mod medium;
#[cfg(test)]
pub mod simulated;
pub mod slot;
pub mod store;

pub use error::CardError;
pub use items::{Change, Items, Key, Table};
pub use journal::Skipped;
pub use store::{Card, LockedCard, Opened, Relationship};
