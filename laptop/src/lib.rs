//! The laptop side of OfficeOS.

pub mod ipc;
