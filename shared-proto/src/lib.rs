//! What both sides must agree on: frames, programs, verifier, session, pairing, channel.
//!
//! Holds no socket, clock, thread, file or logger: bytes, commands and `now` come in, bytes, events and
//! deadlines come out.
#![cfg_attr(not(feature = "std"), no_std)]

#[cfg(feature = "alloc")]
extern crate alloc;

pub mod beacon;
#[cfg(feature = "std")]
pub mod channel;
pub mod codec;
pub mod context;
pub mod crypto;
pub mod embedding;
pub mod error;
pub mod frame;
pub mod limits;
pub mod message;
pub mod opcode;
#[cfg(feature = "alloc")]
pub mod pairing;
pub mod picture;
pub mod program;
#[cfg(feature = "alloc")]
pub mod renewal;
pub mod report;
#[cfg(feature = "alloc")]
pub mod session;
#[cfg(feature = "alloc")]
pub mod supplicant;
pub mod time;
pub mod token;
