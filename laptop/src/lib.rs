//! The laptop side of OfficeOS.

pub mod executor;
pub mod files;
pub mod ipc;
pub mod policy;
pub mod sanitize;
pub mod store;
