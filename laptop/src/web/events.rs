//! Events, and calls, over WebSocket.
//!
//! Two threads share a connection: one reads what the client calls and answers it, the other passes the daemon's events
//! on. Both write whole frames under one lock.

use super::daemon::Daemon;
use super::http::{Gone, Reply, Request, Response};
use super::rpc;
use crate::control::rpc::Answer;
use serde_json::{Value, json};
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use tungstenite::handshake::derive_accept_key;
use tungstenite::protocol::{Role, WebSocketConfig};
use tungstenite::{Message, WebSocket};

/// Longest message of a client, in octets.
const MAX_MESSAGE_LEN: usize = 256 * 1024;

/// One end for both threads. A write is whole or fails.
#[derive(Clone)]
struct Wire {
    from: Arc<TcpStream>,
    to: Arc<Mutex<TcpStream>>,
}

impl Read for Wire {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        (&*self.from).read(bytes)
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut to = self.to.lock().unwrap_or_else(PoisonError::into_inner);
        to.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Answers a request for the protocol, and serves it until either side goes away. `still` says whether the caller may
/// go on, and `call` carries out one method.
///
/// # Errors
/// [`Gone`].
pub(super) fn serve(
    request: &Request,
    reply: Reply<'_>,
    daemon: &Daemon,
    still: impl Fn() -> bool + Send + Sync,
    call: impl Fn(&str, Value) -> Result<Value, crate::control::RpcError>,
) -> Result<(), Gone> {
    let upgrades = request.headers.has_token("connection", "upgrade")
        && request.headers.has_token("upgrade", "websocket")
        && request.method == "GET";
    let key = request.headers.only("sec-websocket-key");
    let (true, Some("13"), Some(key)) = (
        upgrades,
        request.headers.only("sec-websocket-version"),
        key.filter(|key| key.len() == 24),
    ) else {
        let words = "events come over WebSocket, version 13";
        let answer = Response::text(426, words)
            .header("Upgrade", "websocket")
            .header("Sec-WebSocket-Version", "13");
        return reply.send(answer);
    };
    let mut watched = match daemon.connect() {
        Ok(client) => client,
        Err(error) => return reply.send(Response::text(503, error.message)),
    };
    // Before the upgrade is told: whoever sees it misses nothing from then on.
    if let Err(error) = watched.call("watch", serde_json::Value::Null) {
        return reply.send(Response::text(503, error.to_string()));
    }
    let Ok(end_watch) = watched.handle() else {
        return reply.send(Response::text(503, "laptop-daemon has just ended"));
    };
    let head = Response::new(101)
        .header("Upgrade", "websocket")
        .header("Connection", "Upgrade")
        .header("Sec-WebSocket-Accept", derive_accept_key(key.as_bytes()));
    let (stream, rest) = reply.upgrade(&head)?;
    let wire = Wire {
        to: Arc::new(Mutex::new(stream.try_clone().map_err(|_| Gone)?)),
        from: Arc::new(stream),
    };
    let config = WebSocketConfig::default()
        .max_message_size(Some(MAX_MESSAGE_LEN))
        .max_frame_size(Some(MAX_MESSAGE_LEN));
    let mut reading =
        WebSocket::from_partially_read(wire.clone(), rest, Role::Server, Some(config));
    let mut writing = WebSocket::from_raw_socket(wire.clone(), Role::Server, Some(config));
    std::thread::scope(|scope| {
        let spawned = std::thread::Builder::new()
            .name("events".into())
            .stack_size(128 * 1024)
            .spawn_scoped(scope, || {
                let ended = watched.events(|event| {
                    let text =
                        json!({ "jsonrpc": "2.0", "method": "event", "params": event }).to_string();
                    still() && writing.send(Message::text(text)).is_ok()
                });
                if let Err(error) = ended {
                    log::debug!("events: {error}");
                }
                let _ = writing.close(None);
                let _ = writing.flush();
                let _ = wire.from.shutdown(Shutdown::Both);
            });
        if let Err(error) = spawned {
            log::error!("no thread for events: {error}");
            return;
        }
        while let Ok(message) = reading.read() {
            let text = match &message {
                Message::Text(text) => text.as_bytes(),
                Message::Close(_) => break,
                Message::Binary(_) => break,
                Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => continue,
            };
            if !still() {
                break;
            }
            if let Answer::Value(value) = rpc::answer(text, &call)
                && reading.send(Message::text(value.to_string())).is_err()
            {
                break;
            }
        }
        let _ = reading.close(None);
        let _ = reading.flush();
        let _ = end_watch.shutdown(Shutdown::Both);
        let _ = wire.from.shutdown(Shutdown::Both);
    });
    Ok(())
}
