//! The ledger: who asked for what, the verdict, the cost and the outcome; never the content.
//!
//! Pure: lines in and out, no file and no clock here. Each line is an [`Entry`] as JSON, a space, and the SHA-256 of that
//! JSON in hexadecimal; each entry holds the hash of the one before it, so that a changed, missing, added or moved entry
//! breaks the chain there. Every so often a checkpoint signs the chain with a key that never leaves the laptop. A request
//! keeps the handheld's own signature, so that neither side can make one up for the other.
//!
//! What it cannot show by itself is an end that was cut off. Whoever verifies compares [`Report::head`] with what
//! somebody else last saw of it: the laptop's database, or a copy that was exported.

mod chain;
mod event;
#[cfg(test)]
mod tests;
mod verify;

pub use chain::{Entry, Flaw, Head, MAX_LINE_LEN, append, checkpoint, read};
pub use event::{Amounts, Change, Event, Hex, Want};
pub use verify::{BadEntry, Report, Verifier};
