//! How a handler answers: whole, as a stream, or by taking the connection over.

use super::reader::Reader;
use super::response::Response;
use crate::ipc::CancelToken;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::fmt;
use std::io::{self, Write};
use std::net::{Shutdown, TcpStream};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

/// Bodies up to this length leave in one write with their head.
const MAX_JOINED_LEN: usize = 64 * 1024;
/// Stack of the thread that waits for a client to leave.
const WATCH_STACK: usize = 64 * 1024;

/// The client has left, or does not read: there is nobody to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gone;

impl fmt::Display for Gone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the client has left")
    }
}

impl std::error::Error for Gone {}

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// No octet of an answer has left.
    Unanswered,
    /// Answered; the connection may be used again.
    Keep,
    /// Answered as far as it goes; the connection ends.
    Close,
}

/// The one answer to one request.
pub struct Reply<'a> {
    pub(super) stream: &'a TcpStream,
    pub(super) reader: &'a mut Reader,
    pub(super) outcome: &'a mut Outcome,
    pub(super) write_timeout: Duration,
    /// Whether the client wants the head only.
    pub(super) bare: bool,
    /// Whether the client goes on with this connection.
    pub(super) keep: bool,
    pub(super) watch: Option<Watch>,
}

impl<'a> Reply<'a> {
    /// Answers whole.
    ///
    /// # Errors
    /// [`Gone`].
    pub fn send(self, response: Response) -> Result<(), Gone> {
        let length = response.body.len().to_string();
        let mut more = vec![("Content-Length", length.as_str())];
        // These two have no body, and no length of one.
        if matches!(response.status, 204 | 304) {
            more.clear();
        }
        if !self.keep {
            more.push(("Connection", "close"));
        }
        let mut bytes = response.head(&more);
        *self.outcome = Outcome::Close;
        if self.bare || matches!(response.status, 204 | 304) {
            write(self.stream, &bytes, self.write_timeout)?;
        } else if response.body.len() <= MAX_JOINED_LEN {
            bytes.extend_from_slice(&response.body);
            write(self.stream, &bytes, self.write_timeout)?;
        } else {
            write(self.stream, &bytes, self.write_timeout)?;
            write(self.stream, &response.body, self.write_timeout)?;
        }
        if self.keep {
            *self.outcome = Outcome::Keep;
        }
        Ok(())
    }

    /// Begins an answer whose length nobody knows. The body of `head` is not sent.
    ///
    /// # Errors
    /// [`Gone`].
    pub fn stream(self, head: Response) -> Result<Stream<'a>, Gone> {
        let mut more = vec![("Transfer-Encoding", "chunked")];
        if !self.keep {
            more.push(("Connection", "close"));
        }
        *self.outcome = Outcome::Close;
        write(self.stream, &head.head(&more), self.write_timeout)?;
        Ok(Stream { reply: self })
    }

    /// A token that fires when the client leaves while its answer is being worked on: closing its end, even for writing
    /// only, counts as leaving.
    pub fn gone(&mut self) -> CancelToken {
        if self.watch.is_none() {
            self.watch = Watch::start(self.stream)
                .inspect_err(|error| log::warn!("a client that leaves is not noticed: {error}"))
                .ok();
        }
        match &self.watch {
            Some(watch) => watch.token.clone(),
            None => CancelToken::new(),
        }
    }

    /// Answers with `101 Switching Protocols` and hands the connection over, with what the client sent behind its
    /// request. The connection ends when the handler returns.
    ///
    /// # Errors
    /// [`Gone`].
    pub fn upgrade(self, head: &Response) -> Result<(TcpStream, Vec<u8>), Gone> {
        *self.outcome = Outcome::Close;
        write(self.stream, &head.head(&[]), self.write_timeout)?;
        let rest = std::mem::replace(self.reader, Reader::new(0)).into_rest();
        let stream = self.stream.try_clone().map_err(|_| Gone)?;
        stream
            .set_read_timeout(None)
            .and_then(|()| stream.set_write_timeout(Some(self.write_timeout)))
            .map_err(|_| Gone)?;
        Ok((stream, rest))
    }
}

/// An answer that goes on. One that is dropped without [`Stream::end`] ends the connection, so that the client can tell
/// that something is missing.
pub struct Stream<'a> {
    reply: Reply<'a>,
}

impl Stream<'_> {
    /// Sends octets, at once.
    ///
    /// # Errors
    /// [`Gone`].
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Gone> {
        // An empty chunk would be the end.
        if self.reply.bare || bytes.is_empty() {
            return Ok(());
        }
        let mut chunk = format!("{:x}\r\n", bytes.len()).into_bytes();
        chunk.extend_from_slice(bytes);
        chunk.extend_from_slice(b"\r\n");
        write(self.reply.stream, &chunk, self.reply.write_timeout)
    }

    /// Sends one server-sent event.
    ///
    /// # Errors
    /// [`Gone`].
    pub fn event(&mut self, data: &str) -> Result<(), Gone> {
        let mut text = String::with_capacity(data.len() + 8);
        // A carriage return ends a line as well, and would let data pass for a field.
        for line in data.split('\n').flat_map(|line| line.split('\r')) {
            text.push_str("data: ");
            text.push_str(line);
            text.push('\n');
        }
        text.push('\n');
        self.write(text.as_bytes())
    }

    /// A token that fires when the client leaves.
    pub fn gone(&mut self) -> CancelToken {
        self.reply.gone()
    }

    /// Says that nothing is missing.
    ///
    /// # Errors
    /// [`Gone`].
    pub fn end(self) -> Result<(), Gone> {
        if !self.reply.bare {
            write(self.reply.stream, b"0\r\n\r\n", self.reply.write_timeout)?;
        }
        if self.reply.keep {
            *self.reply.outcome = Outcome::Keep;
        }
        Ok(())
    }
}

/// Writes everything before `patience` ends, however slowly the client reads.
pub(super) fn write(
    mut stream: &TcpStream,
    mut bytes: &[u8],
    patience: Duration,
) -> Result<(), Gone> {
    let deadline = Instant::now() + patience;
    while !bytes.is_empty() {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() || stream.set_write_timeout(Some(left)).is_err() {
            return Err(Gone);
        }
        match stream.write(bytes) {
            Ok(0) => return Err(Gone),
            Ok(len) => bytes = &bytes[len..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return Err(Gone),
        }
    }
    Ok(())
}

/// A thread that waits for the client to leave. Dropping it ends the thread.
pub(super) struct Watch {
    token: CancelToken,
    end: UnixStream,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Watch {
    fn start(stream: &TcpStream) -> io::Result<Self> {
        let socket = stream.try_clone()?;
        let (end, woken) = UnixStream::pair()?;
        let token = CancelToken::new();
        let fired = token.clone();
        let thread = std::thread::Builder::new()
            .name("watch".into())
            .stack_size(WATCH_STACK)
            .spawn(move || {
                // The crate does not name this flag; `any` is `None` where only such a flag is set.
                let rdhup = PollFlags::from_bits_retain(nix::libc::POLLRDHUP);
                let mut both = [
                    PollFd::new(socket.as_fd(), rdhup),
                    PollFd::new(woken.as_fd(), PollFlags::POLLIN),
                ];
                loop {
                    match poll(&mut both, PollTimeout::NONE) {
                        Err(nix::errno::Errno::EINTR) => {}
                        Err(_) => return,
                        Ok(_) if both[0].any().unwrap_or(true) => return fired.cancel(),
                        Ok(_) => return,
                    }
                }
            })?;
        Ok(Self {
            token,
            end,
            thread: Some(thread),
        })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.end.shutdown(Shutdown::Both);
        if let Some(thread) = self.thread.take() {
            // It only polls: there is nothing in it that a panic could have left behind.
            let _ = thread.join();
        }
    }
}
