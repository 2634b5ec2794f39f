//! `web-service`: what the laptop's own programs and its owner's browser see, on loopback only.
//!
//! Holds no keys of any relationship or provider and no authority of its own beyond the control socket, whose client it
//! is. [`http`] knows nothing of the rest.

mod access;
mod daemon;
mod events;
pub mod gateway;
pub mod http;
mod page;
mod rpc;
mod site;
mod start;

pub use start::{Arguments, run};
