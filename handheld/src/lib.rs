//! The handheld side of OfficeOS.

pub mod apart;
pub mod app;
pub mod broker;
pub mod card;
pub mod entry;
pub mod input;
pub mod link;
pub mod lock;
mod packed;
pub mod platform;
pub mod radio;
pub mod runtime;
pub mod time;
pub mod ui;
