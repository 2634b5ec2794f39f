//! A small HTTP/1.1 server for loopback: strict about what it reads, bounded in what it holds.
//!
//! [`reader::Reader`] is pure: bytes go in, whole requests or a [`Reject`] come out. [`server::Server`] is the shell around
//! it: one thread a connection, deadlines for head, body and silence, a cap on connections. A [`Handler`] is given a whole
//! [`Request`] and answers through a [`Reply`]: with one [`Response`], with a [`Stream`] that goes on until it is dropped,
//! or by taking the connection over (WebSocket).
//!
//! ```no_run
//! use laptop::web::http::{Gone, Handler, Reply, Request, Response, Router, Server, Settings};
//!
//! struct Greeter;
//!
//! impl Handler for Greeter {
//!     fn answer(&self, request: &Request, reply: Reply<'_>) -> Result<(), Gone> {
//!         match request.path() {
//!             "/" => reply.send(Response::text(200, "hello")),
//!             "/count" => {
//!                 // The token fires when the client leaves, whatever this thread is waiting for.
//!                 let mut stream = reply.stream(Response::events())?;
//!                 let gone = stream.gone();
//!                 for number in 0..3 {
//!                     if gone.is_cancelled() {
//!                         break;
//!                     }
//!                     stream.event(&number.to_string())?;
//!                 }
//!                 stream.end()
//!             }
//!             _ => reply.send(Response::text(404, "there is no such page")),
//!         }
//!     }
//! }
//!
//! let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
//! Server::new(Greeter, Settings::default()).run(&listener).unwrap();
//! ```
//!
//! What is refused, and with which status: see [`Reject`].

mod body;
pub mod form;
mod head;
pub mod reader;
mod reject;
mod reply;
mod request;
mod response;
mod router;
pub mod server;

pub use head::{MAX_HEAD_LEN, MAX_HEADERS};
pub use reject::Reject;
pub use reply::{Gone, Reply, Stream};
pub use request::{Headers, Request};
pub use response::Response;
pub use router::{Found, Router};
pub use server::{Handler, Server, Settings, Turned};
