//! The gateway: the merged models for the laptop's own programs, as an OpenAI-compatible API on loopback.
//!
//! It holds no keys and decides nothing. The key that a program shows goes to the daemon with each request; the daemon
//! finds the caller and treats it as it treats a device. [`wire`] is pure; here is what talks.

mod held;
pub mod wire;

use super::http::{Gone, Handler, Reply, Request, Response, Server, Settings, Stream, Turned};
use crate::control::api::GatewayEvent;
use crate::control::{Client, ClientError};
use held::{Held, MAX_HELD};
use serde_json::Value;
use std::io;
use std::net::{Shutdown, TcpListener};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use wire::{Answer, ApiError, Asked, Stamp, Told};

/// Requests that run at a time: fewer than the daemon's control socket takes, so that its owner always gets through.
const MAX_RUNNING: usize = 32;

/// Serves the gateway on `listener` for ever; the daemon's control socket is at `control`. `beat` as in [`Settings`].
///
/// # Errors
/// When the listening socket itself fails.
pub fn serve(
    listener: &TcpListener,
    control: PathBuf,
    beat: Option<(Duration, Turned)>,
) -> io::Result<()> {
    let port = listener.local_addr()?.port();
    let settings = Settings {
        // Whoever waits for a slow answer reads it when it comes.
        write_timeout: Duration::from_secs(30),
        beat,
        ..Settings::default()
    };
    Server::new(Gateway::new(control, port), settings).run(listener)
}

/// See the module.
pub struct Gateway {
    control: PathBuf,
    port: u16,
    /// Makes ids of answers differ, those of earlier runs included.
    started: u64,
    answers: AtomicU64,
    running: AtomicUsize,
    held: Held,
}

impl Gateway {
    /// A gateway that listens on `port` and asks the daemon at `control`.
    pub fn new(control: PathBuf, port: u16) -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        Self {
            control,
            port,
            started: since.map_or(0, |since| since.as_micros() as u64),
            answers: AtomicU64::new(0),
            running: AtomicUsize::new(0),
            held: Held::new(MAX_HELD),
        }
    }

    fn stamp(&self) -> Stamp {
        let number = self.answers.fetch_add(1, Ordering::Relaxed);
        Stamp {
            id: format!("{:x}{number:06x}", self.started),
            created: SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |since| since.as_secs()),
        }
    }

    fn read(&self, request: &Request) -> Result<Asked, ApiError> {
        self.check_origin(request)?;
        let Some(path) = request.path().strip_prefix("/v1") else {
            return Err(ApiError::foreign("everything here lies below /v1"));
        };
        let key = request
            .bearer()
            .filter(|key| !key.is_empty())
            .ok_or_else(ApiError::no_key)?;
        wire::read(&request.method, path, &request.body, key, self.stamp())
    }

    /// Only programs of this laptop, and no page of a browser: one that has a name resolve to loopback says so in `Host`,
    /// one of another site in `Origin`.
    fn check_origin(&self, request: &Request) -> Result<(), ApiError> {
        let host = request.host();
        let port = format!(":{}", self.port);
        let name = host.strip_suffix(port.as_str()).unwrap_or(host);
        if !["127.0.0.1", "localhost", "[::1]"].contains(&name) {
            return Err(ApiError::foreign("this gateway answers to localhost only"));
        }
        if request.headers.all("origin").next().is_some() {
            return Err(ApiError::foreign("this gateway does not answer web pages"));
        }
        Ok(())
    }

    fn run(&self, mut reply: Reply<'_>, asked: Asked) -> Result<(), Gone> {
        let gone = reply.gone();
        let connected = Client::connect(&self.control).and_then(|client| {
            let handle = client.handle().map_err(ClientError::from)?;
            Ok((client, handle))
        });
        let (client, handle) = match connected {
            Ok(connected) => connected,
            Err(error) => return refuse(reply, &ApiError::no_daemon(error.to_string())),
        };
        // Closing the connection is how a cancel reaches the daemon.
        let _guard = gone.on_cancel(move || {
            let _ = handle.shutdown(Shutdown::Both);
        });
        let Asked {
            method,
            params,
            mut answer,
        } = asked;
        let mut telling = Telling::Waiting(reply);
        let mut outcome = Ok(());
        let mut share = self.held.share();
        let followed = client.follow(method, params, |event| {
            let told = match serde_json::from_value::<GatewayEvent>(event.clone()) {
                Ok(event) => match answer.take(event) {
                    Told::Nothing if !share.set(answer.held()) => no_room(&mut answer),
                    told => told,
                },
                Err(error) => Told::Failed(ApiError::no_daemon(format!(
                    "the daemon is of another version: {error}"
                ))),
            };
            let before = std::mem::replace(&mut telling, Telling::Over);
            match before.tell(told) {
                Ok(next) => telling = next,
                Err(Gone) => outcome = Err(Gone),
            }
            !matches!(telling, Telling::Over)
        });
        outcome?;
        if gone.is_cancelled() {
            return Err(Gone);
        }
        // The daemon has ended in the middle, or has refused the call itself.
        let words = match followed {
            Ok(()) => "laptop-daemon has stopped".to_owned(),
            Err(error) => error.to_string(),
        };
        telling
            .tell(Told::Failed(ApiError::no_daemon(words)))
            .map(drop)
    }
}

impl Handler for Gateway {
    fn answer(&self, request: &Request, reply: Reply<'_>) -> Result<(), Gone> {
        let asked = match self.read(request) {
            Ok(asked) => asked,
            Err(error) => return refuse(reply, &error),
        };
        let _slot = Slot(&self.running);
        match self.running.fetch_add(1, Ordering::SeqCst) < MAX_RUNNING {
            true => self.run(reply, asked),
            false => refuse(reply, &ApiError::busy()),
        }
    }
}

/// Drops the answer, whose room the others need, before its client is told: that may take a while to read.
fn no_room(answer: &mut Box<dyn Answer>) -> Told {
    *answer = Box::new(Dropped);
    Told::Failed(ApiError::no_room())
}

/// An answer that was given up.
struct Dropped;

impl Answer for Dropped {
    fn take(&mut self, _event: GatewayEvent) -> Told {
        Told::Nothing
    }
}

/// One of the requests that run. Made just before it is counted.
struct Slot<'a>(&'a AtomicUsize);

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// How far the answer is.
enum Telling<'a> {
    /// Nothing was sent: the status is still free.
    Waiting(Reply<'a>),
    /// A stream has begun.
    Streaming(Stream<'a>),
    /// Everything was sent.
    Over,
}

impl<'a> Telling<'a> {
    fn tell(self, told: Told) -> Result<Self, Gone> {
        match (self, told) {
            (Self::Over, _) => Ok(Self::Over),
            (before, Told::Nothing) => Ok(before),
            (before, Told::Chunks(chunks)) => {
                let mut stream = before.stream()?;
                send(&mut stream, &chunks)?;
                Ok(Self::Streaming(stream))
            }
            (before, Told::End(chunks)) => {
                let mut stream = before.stream()?;
                send(&mut stream, &chunks)?;
                stream.event("[DONE]")?;
                stream.end()?;
                Ok(Self::Over)
            }
            (Self::Waiting(reply), Told::Whole(whole)) => {
                reply.send(Response::json(200, &whole))?;
                Ok(Self::Over)
            }
            (Self::Waiting(reply), Told::Written(text)) => {
                let response = Response::new(200).header("Content-Type", "application/json");
                reply.send(response.body(text))?;
                Ok(Self::Over)
            }
            (Self::Waiting(reply), Told::Failed(error)) => {
                refuse(reply, &error)?;
                Ok(Self::Over)
            }
            // The official clients raise what stands in a stream as an error; it ends without [DONE].
            (Self::Streaming(mut stream), Told::Failed(error)) => {
                stream.event(&error.body().to_string())?;
                stream.end()?;
                Ok(Self::Over)
            }
            (Self::Streaming(stream), Told::Whole(_) | Told::Written(_)) => {
                Ok(Self::Streaming(stream))
            }
        }
    }

    fn stream(self) -> Result<Stream<'a>, Gone> {
        match self {
            Self::Waiting(reply) => reply.stream(Response::events()),
            Self::Streaming(stream) => Ok(stream),
            Self::Over => Err(Gone),
        }
    }
}

fn send(stream: &mut Stream<'_>, chunks: &[Value]) -> Result<(), Gone> {
    chunks
        .iter()
        .try_for_each(|chunk| stream.event(&chunk.to_string()))
}

fn refuse(reply: Reply<'_>, error: &ApiError) -> Result<(), Gone> {
    let mut response = Response::json(error.status, &error.body());
    if let Some(seconds) = error.retry_after_s {
        response = response.header("Retry-After", seconds.to_string());
    }
    if let Some(should) = error.should_retry {
        response = response.header("X-Should-Retry", should.to_string());
    }
    if error.status == 401 {
        response = response.header("WWW-Authenticate", "Bearer");
    }
    reply.send(response)
}
