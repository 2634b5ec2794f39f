//! A channel over a socket, blocking.

use super::mailbox::Mailbox;
use shared_proto::channel::{Channel, ChannelError, TlsChannel};
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Longest wait for a handheld that does not read.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

/// Octets read at a time.
const PIECE_LEN: usize = 16 * 1024;

/// Stack of a reader thread, which only copies.
const STACK_LEN: usize = 128 * 1024;

/// Why a connection ended.
#[derive(Debug)]
pub(super) enum PipeError {
    /// The carrier failed.
    Carrier(io::Error),
    /// The channel failed.
    Channel(ChannelError),
}

impl std::fmt::Display for PipeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Carrier(error) => write!(f, "the link broke: {error}"),
            Self::Channel(error) => write!(f, "the channel failed: {error}"),
        }
    }
}

impl From<io::Error> for PipeError {
    fn from(error: io::Error) -> Self {
        Self::Carrier(error)
    }
}

impl From<ChannelError> for PipeError {
    fn from(error: ChannelError) -> Self {
        Self::Channel(error)
    }
}

/// See the module.
pub(super) struct Pipe {
    stream: TcpStream,
    channel: TlsChannel,
    out: Vec<u8>,
}

impl Pipe {
    /// Joins a channel to its socket and starts a thread that reads into `mailbox`.
    pub(super) fn new(
        stream: TcpStream,
        channel: TlsChannel,
        mailbox: &Arc<Mailbox>,
    ) -> io::Result<Self> {
        stream.set_read_timeout(None)?;
        stream.set_write_timeout(Some(WRITE_TIMEOUT))?;
        stream.set_nodelay(true)?;
        let mut reading = stream.try_clone()?;
        let mailbox = Arc::clone(mailbox);
        std::thread::Builder::new()
            .name("reader".to_owned())
            .stack_size(STACK_LEN)
            .spawn(move || {
                let mut piece = vec![0; PIECE_LEN];
                loop {
                    match reading.read(&mut piece) {
                        Ok(0) => break,
                        Ok(len) if mailbox.deliver(piece[..len].to_vec()) => {}
                        Ok(_) => break,
                        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                        Err(_) => break,
                    }
                }
                mailbox.end();
            })?;
        Ok(Self {
            stream,
            channel,
            out: Vec::new(),
        })
    }

    /// The channel itself.
    pub(super) fn channel(&self) -> &TlsChannel {
        &self.channel
    }

    /// Decrypts what arrived and hands it to `visit` in pieces; with no bytes, what the handshake brought along.
    pub(super) fn receive<E: From<PipeError>>(
        &mut self,
        mut bytes: &[u8],
        mut visit: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut plain = [0; PIECE_LEN];
        loop {
            let taken = self.channel.receive(bytes).map_err(PipeError::from);
            loop {
                // What came before a fault is still good.
                match self.channel.read(&mut plain).map_err(PipeError::from) {
                    Ok(0) => break,
                    Ok(len) => visit(&plain[..len])?,
                    Err(error) => return Err(error.into()),
                }
            }
            bytes = &bytes[taken?..];
            if bytes.is_empty() {
                break;
            }
        }
        self.flush()?;
        Ok(())
    }

    /// Encrypts and sends.
    pub(super) fn send(&mut self, mut plain: &[u8]) -> Result<(), PipeError> {
        while !plain.is_empty() {
            let taken = self.channel.write(plain)?;
            plain = &plain[taken..];
            self.flush()?;
        }
        Ok(())
    }

    /// Sends what the channel has to say of its own.
    pub(super) fn flush(&mut self) -> Result<(), PipeError> {
        self.channel.transmit(&mut self.out);
        // The socket's own timeout is for one write: a handheld that takes an octet now and then must not hold a
        // session, its threads and its signals for ever.
        let until = Instant::now() + WRITE_TIMEOUT;
        let mut rest = self.out.as_slice();
        while !rest.is_empty() {
            match self.stream.write(rest) {
                Ok(0) => return Err(io::Error::from(io::ErrorKind::WriteZero).into()),
                Ok(len) => rest = &rest[len..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
            if !rest.is_empty() && Instant::now() >= until {
                return Err(io::Error::from(io::ErrorKind::TimedOut).into());
            }
        }
        self.out.clear();
        Ok(())
    }

    /// Ends the connection in order, as far as that is possible.
    pub(super) fn close(mut self) {
        self.channel.close();
        // A peer that is gone is just what is being told to go.
        let _ = self.flush();
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}
