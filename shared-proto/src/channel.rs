//! The encrypted channel: TLS 1.3, cut down to one way of doing everything.
//!
//! One suite (ChaCha20-Poly1305 with SHA-256), one key exchange (X25519MLKEM768), one signature (Ed25519), raw
//! public keys on both sides (RFC 7250) that are pinned. There is no certificate, no session ticket, no
//! resumption and no early data: a resumed session would never ask the verifier again, and a revoked device
//! would stay in.
//!
//! Nothing here touches a socket. A driver, blocking or asynchronous, does this and no more:
//!
//! ```text
//! bytes came          while not all are taken: receive, then read until it yields nothing
//! carrier ended       receive_end
//! something to say    write, then transmit, and send what it appended
//! after any call      if wants_write: transmit and send, even when the call failed (it may hold an alert)
//! ```
//!
//! A laptop starts with an [`Acceptor`], which reads the ClientHello in bounded memory and before any expensive
//! work, and asks a [`Gate`] how many of those it may entertain; a handheld starts with [`connect`] or [`connect_pairing`].

use crate::crypto::PublicKey;

mod acceptor;
mod error;
mod gate;
mod hybrid;
mod identity;
mod provider;
mod tls;

#[cfg(test)]
mod tests;

pub use acceptor::{Acceptor, Hello, Purpose, Refused};
pub use error::{ChannelError, PeerReason};
pub use gate::{DATA_HANDSHAKES, Gate, Gone, HANDSHAKE_MS, KNOCKING, PAIRING_HANDSHAKES, Ticket};
pub use tls::{TlsChannel, connect, connect_pairing};

/// Most bytes of a connection that are read before its ClientHello is known to be ours.
///
/// Ours has about 1,450; a hello that the hybrid key share and a token do not explain is refused.
pub const MAX_HELLO_LEN: usize = 2048;

/// Most bytes either side reads before the handshake is complete. The longest honest flight has about 1,500.
pub const MAX_HANDSHAKE_LEN: usize = 8192;

/// Decrypted bytes that may wait to be read before [`Channel::receive`] stops taking more.
///
/// One more record can be under way, so that memory stays under three times this.
pub const MAX_UNREAD: usize = 16 * 1024;

/// Encrypted bytes that may wait to be sent before [`Channel::write`] stops taking more.
pub const MAX_UNSENT: usize = 64 * 1024;

/// The server name a handheld sends when it knocks to be paired: there is no relationship to name yet.
pub const PAIRING_NAME: &str = "pair.officeos.invalid";

/// Exporter label of the value that signed submits are bound to. Its context is empty.
pub const EXPORTER_SUBMIT: &[u8] = b"EXPORTER-OfficeOS-submit-v1";

/// An encrypted connection to one peer, as the session above it sees it.
///
/// It holds no socket: ciphertext goes in through [`receive`](Channel::receive) and out through
/// [`transmit`](Channel::transmit). After an error it is dead: every later call but `transmit` repeats that error.
pub trait Channel: Send {
    /// Takes ciphertext from the carrier and returns how many bytes it took.
    ///
    /// It takes less than all of it only while decrypted bytes wait to be read: read them, then give the rest.
    ///
    /// # Errors
    /// Whatever makes the channel unusable; what was read before stays valid, nothing more can be read.
    fn receive(&mut self, ciphertext: &[u8]) -> Result<usize, ChannelError>;

    /// The carrier ended: the peer will send nothing more.
    ///
    /// # Errors
    /// [`ChannelError::Truncated`] unless either side had closed the channel: what came may be incomplete.
    fn receive_end(&mut self) -> Result<(), ChannelError>;

    /// Appends all ciphertext that waits to be sent to `out`; at most [`MAX_UNSENT`] and a few records' overhead.
    fn transmit(&mut self, out: &mut Vec<u8>);

    /// Whether [`transmit`](Channel::transmit) has anything to append.
    fn wants_write(&self) -> bool;

    /// Encrypts plaintext and returns how many bytes it took: none while handshaking, and less than all
    /// when [`MAX_UNSENT`] would be exceeded (send first).
    ///
    /// # Errors
    /// [`ChannelError::Closed`] after [`close`](Channel::close).
    fn write(&mut self, plaintext: &[u8]) -> Result<usize, ChannelError>;

    /// Moves decrypted bytes into `out` and returns how many; 0 when none wait.
    ///
    /// # Errors
    /// The error that ended the channel.
    fn read(&mut self, out: &mut [u8]) -> Result<usize, ChannelError>;

    /// Whether the keys and the peer's identity are still being settled. Nothing can be written or read until not.
    fn is_handshaking(&self) -> bool;

    /// Whether either side has closed the channel in order and everything that was taken before has been read.
    fn is_finished(&self) -> bool;

    /// 32 bytes that both ends of this channel, and nobody else, can compute (RFC 5705, RFC 8446 section 7.5).
    ///
    /// # Errors
    /// [`ChannelError::NotReady`] while handshaking.
    fn exporter(&self, label: &[u8], context: &[u8]) -> Result<[u8; 32], ChannelError>;

    /// The key that the peer has proved to hold; none while handshaking.
    fn peer_key(&self) -> Option<PublicKey>;

    /// Ends the conversation, so that the peer can tell an end from a cut.
    ///
    /// What was written is still sent; what arrives from now on is taken and dropped. Read to the end first
    /// where the peer's last words matter.
    fn close(&mut self);
}
