//! The handheld side of OfficeOS.

pub mod input;
pub mod time;
