//! From an accepted hello to a channel that stands, within one deadline.

use super::doors::Door;
use super::lobby::Rooms;
use super::session::{CarrierFacts, serve};
use crate::sanitize::visible;
use crate::store::StoreError;
use shared_proto::channel::{Channel, ChannelError, TlsChannel};
use std::fmt;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// Time for the whole handshake, however slowly its bytes drip.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);
/// Octets read at a time: no more than the channel holds back, so that whatever follows the handshake fits.
const PIECE_LEN: usize = 4 * 1024;

/// Why a handshake failed.
#[derive(Debug)]
pub(super) enum HandshakeError {
    /// The time was up.
    Late,
    /// The carrier failed or ended.
    Carrier(io::Error),
    /// The channel failed.
    Channel(ChannelError),
}

impl fmt::Display for HandshakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Late => f.write_str("it took more than five seconds"),
            Self::Carrier(error) => write!(f, "the link broke: {error}"),
            Self::Channel(error) => write!(f, "{error}"),
        }
    }
}

impl From<io::Error> for HandshakeError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            // What a socket with a time limit says when the time is up.
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Self::Late,
            _ => Self::Carrier(error),
        }
    }
}

/// Completes the handshake of `channel` over `stream`, blocking.
///
/// # Errors
/// A [`HandshakeError`]; an alert was sent where there was one.
pub(super) fn complete(
    stream: &TcpStream,
    mut channel: TlsChannel,
) -> Result<TlsChannel, HandshakeError> {
    let deadline = Instant::now() + HANDSHAKE_TIMEOUT;
    stream.set_nonblocking(false)?;
    stream.set_nodelay(true)?;
    loop {
        send(stream, &mut channel, deadline)?;
        if !channel.is_handshaking() {
            return Ok(channel);
        }
        let mut piece = [0; PIECE_LEN];
        stream.set_read_timeout(Some(left(deadline)?))?;
        let len = match (&*stream).read(&mut piece) {
            Ok(0) => {
                return Err(HandshakeError::Carrier(io::Error::from(
                    io::ErrorKind::UnexpectedEof,
                )));
            }
            Ok(len) => len,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error.into()),
        };
        let mut bytes = &piece[..len];
        while !bytes.is_empty() {
            match channel.receive(bytes) {
                Ok(taken) => bytes = &bytes[taken..],
                Err(error) => {
                    let _ = send(stream, &mut channel, deadline);
                    return Err(HandshakeError::Channel(error));
                }
            }
        }
    }
}

fn send(
    mut stream: &TcpStream,
    channel: &mut TlsChannel,
    deadline: Instant,
) -> Result<(), HandshakeError> {
    let mut out = Vec::new();
    channel.transmit(&mut out);
    if !out.is_empty() {
        stream.set_write_timeout(Some(left(deadline)?))?;
        stream.write_all(&out)?;
    }
    Ok(())
}

fn left(deadline: Instant) -> Result<Duration, HandshakeError> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        Err(HandshakeError::Late)
    } else {
        Ok(left)
    }
}

/// Serves a handheld that has proved its key.
pub(super) fn welcome(
    rooms: &Rooms,
    stream: TcpStream,
    channel: TlsChannel,
    door: &Door,
    facts: &CarrierFacts,
) {
    if let Err(error) = note_proven(rooms, door) {
        log::error!(
            "the keys of relationship {} could not be stored: {error}",
            door.relationship
        );
        return;
    }
    let end = serve(
        &rooms.hub,
        door.relationship,
        &door.keys,
        stream,
        channel,
        facts,
    );
    let name = rooms
        .hub
        .store
        .relationship(door.relationship)
        .map(|relationship| visible(&relationship.name));
    log::info!("{}: the session ended: {end}", name.unwrap_or_default());
}

/// Both sides have proved the keys of this session: an older pair is erased, a provisional pairing counts.
fn note_proven(rooms: &Rooms, door: &Door) -> Result<(), StoreError> {
    let store = &rooms.hub.store;
    let relationship = store.relationship(door.relationship)?;
    if relationship.provisional_until.is_some() {
        store.confirm(door.relationship)?;
    }
    // Looked up again: while this handshake lasted, another one may have proven or replaced a pair.
    if let Some(mut ring) = relationship.keys
        && let Some(which) = ring.which(&door.keys)
        && ring.proven(which)
    {
        store.set_proven_keys(door.relationship, &ring, rooms.hub.wall())?;
        log::info!(
            "relationship {}: the renewed keys are in use, the old ones erased",
            door.relationship
        );
    }
    Ok(())
}
