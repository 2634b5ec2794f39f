//! One carrier with a channel on it: bytes in and out, encrypted, without ever blocking the driver.

use std::io;

use shared_proto::channel::{Channel, ChannelError};
use smol::io::{AsyncReadExt, AsyncWriteExt};
use smol::net::TcpStream;

/// Ciphertext read at once.
const READ_LEN: usize = 32 * 1024;

/// Why a pipe ended.
#[derive(Debug)]
pub enum PipeError {
    /// The channel refused, or was refused.
    Channel(ChannelError),
    /// The carrier failed.
    Carrier(io::Error),
    /// The laptop closed in order.
    Closed,
}

/// What a [`Pipe::turn`] brought.
#[derive(Debug, PartialEq, Eq)]
pub enum Turn {
    /// Plaintext may have come in: see [`Pipe::take_plain`].
    Read,
    /// Something was sent.
    Sent,
}

/// A stream, its channel, and what waits to be sent.
pub struct Pipe {
    stream: TcpStream,
    channel: Box<dyn Channel>,
    /// Plaintext that the channel has not taken yet.
    plain_out: Vec<u8>,
    /// Ciphertext that the stream has not taken yet.
    cipher_out: Vec<u8>,
    plain_in: Vec<u8>,
    buffer: Vec<u8>,
}

impl Pipe {
    /// Joins the two. The handshake runs with the first turns.
    pub fn new(stream: TcpStream, channel: Box<dyn Channel>) -> Self {
        let (plain_out, cipher_out, plain_in) = (Vec::new(), Vec::new(), Vec::new());
        Self {
            stream,
            channel,
            plain_out,
            cipher_out,
            plain_in,
            buffer: vec![0; READ_LEN],
        }
    }

    /// The channel, for keys and exporters.
    pub fn channel(&self) -> &dyn Channel {
        &*self.channel
    }

    /// Whether everything handed to [`Pipe::send`] has left.
    pub fn is_drained(&self) -> bool {
        self.plain_out.is_empty() && self.cipher_out.is_empty()
    }

    /// Queues plaintext. What waits is bounded by its callers: a session's transmit queue and one upload piece.
    pub fn send(&mut self, plain: &[u8]) {
        self.plain_out.extend_from_slice(plain);
    }

    /// What came in since the last call.
    pub fn take_plain(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.plain_in)
    }

    /// Says goodbye in the channel's own way; turn until drained to send it.
    pub fn close(&mut self) {
        self.channel.close();
    }

    /// Sends all that waits.
    ///
    /// # Errors
    /// The carrier or the channel ended.
    pub async fn flush(&mut self) -> Result<(), PipeError> {
        self.fill()?;
        let mut stream = self.stream.clone();
        stream
            .write_all(&self.cipher_out)
            .await
            .map_err(PipeError::Carrier)?;
        self.cipher_out.clear();
        Ok(())
    }

    /// Sends or receives something, whichever can be done first. Dropping the future loses nothing.
    ///
    /// # Errors
    /// The carrier or the channel ended.
    pub async fn turn(&mut self) -> Result<Turn, PipeError> {
        self.fill()?;
        enum Done {
            Read(usize),
            Wrote(usize),
        }
        let (mut reader, mut writer) = (self.stream.clone(), self.stream.clone());
        let (out, buffer) = (&self.cipher_out, &mut self.buffer);
        let read = async { reader.read(buffer).await.map(Done::Read) };
        let write = async {
            if out.is_empty() {
                smol::future::pending::<()>().await;
            }
            writer.write(out).await.map(Done::Wrote)
        };
        match smol::future::or(write, read)
            .await
            .map_err(PipeError::Carrier)?
        {
            Done::Wrote(0) => Err(PipeError::Carrier(io::ErrorKind::WriteZero.into())),
            Done::Wrote(n) => {
                self.cipher_out.drain(..n);
                Ok(Turn::Sent)
            }
            Done::Read(0) => match self.channel.receive_end() {
                Ok(()) => Err(PipeError::Closed),
                Err(error) => Err(PipeError::Channel(error)),
            },
            Done::Read(n) => {
                let result = self.take_in(n);
                if result.is_err() {
                    self.send_alert().await;
                }
                result.map_err(PipeError::Channel)?;
                if self.channel.is_finished() && self.plain_in.is_empty() {
                    return Err(PipeError::Closed);
                }
                Ok(Turn::Read)
            }
        }
    }

    fn fill(&mut self) -> Result<(), PipeError> {
        if !self.plain_out.is_empty() {
            let taken = self
                .channel
                .write(&self.plain_out)
                .map_err(PipeError::Channel)?;
            self.plain_out.drain(..taken);
        }
        if self.channel.wants_write() {
            self.channel.transmit(&mut self.cipher_out);
        }
        Ok(())
    }

    fn take_in(&mut self, len: usize) -> Result<(), ChannelError> {
        let mut at = 0;
        let mut piece = [0; 4096];
        while at < len {
            at += self.channel.receive(&self.buffer[at..len])?;
            loop {
                let got = self.channel.read(&mut piece)?;
                if got == 0 {
                    break;
                }
                self.plain_in.extend_from_slice(&piece[..got]);
            }
        }
        Ok(())
    }

    /// Tells the laptop why, if that takes no waiting.
    async fn send_alert(&mut self) {
        self.channel.transmit(&mut self.cipher_out);
        let mut stream = self.stream.clone();
        let out = std::mem::take(&mut self.cipher_out);
        let write = async { stream.write_all(&out).await.is_ok() };
        smol::future::or(write, async {
            smol::future::yield_now().await;
            false
        })
        .await;
    }
}
