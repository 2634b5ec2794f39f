//! The laptop side of OfficeOS.

pub mod files;
pub mod executor;
pub mod ipc;
pub mod policy;
pub mod sanitize;
pub mod store;
