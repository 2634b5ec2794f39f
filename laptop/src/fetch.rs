//! The fetch service: downloads what an allow-list permits.
//!
//! It is a process of its own so that nothing that holds a key ever reads what strangers' servers send.

pub mod allow;
pub mod resolve;
pub mod service;
