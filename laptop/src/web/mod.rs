//! `web-service`: what the laptop's own programs and its owner's browser see, on loopback only.
//!
//! Holds no keys of any relationship or provider and no authority of its own beyond the control socket, whose client it
//! is. [`http`] knows nothing of the rest.

pub mod gateway;
pub mod http;
