//! The control socket: how `officectl` and other programs of the laptop's owner talk to the daemon.
//!
//! JSON-RPC 2.0, one request or batch a line, over a Unix socket that only the owner may open; the caller's user id is checked
//! before its first byte is read. The client holds no authority of its own.

pub mod api;
mod client;
mod message;
pub mod peer;
pub mod rpc;
mod server;

pub use client::{Client, ClientError};
pub use message::{ErrorKind, RpcError};
pub use server::{Handler, Line, Reply, Talk, serve};
