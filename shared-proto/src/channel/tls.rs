//! The channel over rustls, and its client side.

use std::io::{Read, Write};
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, Connection, version};

use super::acceptor::Purpose;
use super::error::ChannelError;
use super::identity::{Accept, as_client};
use super::provider::{NoClock, provider};
use super::{Channel, MAX_HANDSHAKE_LEN, MAX_UNREAD, MAX_UNSENT, PAIRING_NAME};
use crate::crypto::ring::RingSigner;
use crate::crypto::{PublicKey, RelationshipKey, Signer};
use crate::token::TokenName;

/// Starts a data channel to the peer of one relationship, under a server name made for this connection.
///
/// # Errors
/// [`ChannelError::Internal`] when there is no randomness.
pub fn connect(
    own: &RelationshipKey,
    peer: PublicKey,
    name: &TokenName,
) -> Result<TlsChannel, ChannelError> {
    start(Purpose::Data, own, Accept::Pinned(peer), name.as_str())
}

/// Starts a pairing channel with a key made for this attempt. Whom it reached, only the digits tell.
///
/// # Errors
/// [`ChannelError::Internal`] when there is no randomness.
pub fn connect_pairing(own: &RelationshipKey) -> Result<TlsChannel, ChannelError> {
    let accept = Accept::AnyoneBut(RingSigner::new(own).public_key());
    start(Purpose::Pairing, own, accept, PAIRING_NAME)
}

fn start(
    purpose: Purpose,
    own: &RelationshipKey,
    accept: Accept,
    name: &str,
) -> Result<TlsChannel, ChannelError> {
    let mut config = ClientConfig::builder_with_details(provider(), Arc::new(NoClock))
        .with_protocol_versions(&[&version::TLS13])
        .expect("our provider has a TLS 1.3 suite")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(accept))
        .with_client_cert_resolver(as_client(own));
    config.alpn_protocols = vec![purpose.alpn().to_vec()];
    config.resumption = Resumption::disabled();
    config.enable_early_data = false;
    let name = ServerName::try_from(name.to_owned()).map_err(|_| ChannelError::Internal)?;
    let mut connection = ClientConnection::new(Arc::new(config), name)
        .map_err(|error| ChannelError::from_tls(&error))?;
    connection.set_buffer_limit(Some(MAX_UNSENT));
    Ok(TlsChannel::new(connection.into(), purpose))
}

/// A [`Channel`] over TLS 1.3, either role.
pub struct TlsChannel {
    tls: Connection,
    purpose: Purpose,
    /// Ciphertext taken before the handshake was complete.
    handshake_taken: usize,
    /// Decrypted bytes that wait to be read.
    unread: usize,
    failure: Option<ChannelError>,
    peer_closed: bool,
    closed: bool,
}

impl TlsChannel {
    pub(super) fn new(tls: Connection, purpose: Purpose) -> Self {
        Self {
            tls,
            purpose,
            handshake_taken: 0,
            unread: 0,
            failure: None,
            peer_closed: false,
            closed: false,
        }
    }

    /// What the channel was opened for.
    #[must_use]
    pub fn purpose(&self) -> Purpose {
        self.purpose
    }

    fn alive(&self) -> Result<(), ChannelError> {
        self.failure.map_or(Ok(()), Err)
    }

    fn fail<T>(&mut self, error: ChannelError) -> Result<T, ChannelError> {
        self.failure = Some(error);
        Err(error)
    }

    /// Takes one read's worth of ciphertext and decrypts what is whole.
    fn step(&mut self, rest: &mut &[u8]) -> Result<(), ChannelError> {
        let handshaking = self.tls.is_handshaking();
        if handshaking && self.handshake_taken > MAX_HANDSHAKE_LEN {
            return Err(ChannelError::TooLarge);
        }
        let taken = self
            .tls
            .read_tls(rest)
            .map_err(|_| ChannelError::Malformed)?;
        if handshaking {
            self.handshake_taken += taken;
        }
        let state = self
            .tls
            .process_new_packets()
            .map_err(|error| ChannelError::from_tls(&error))?;
        self.unread = state.plaintext_bytes_to_read();
        self.peer_closed |= state.peer_has_closed();
        // A server that ignores the purpose we asked for is not one of ours.
        if handshaking
            && !self.tls.is_handshaking()
            && self.tls.alpn_protocol() != Some(self.purpose.alpn())
        {
            return Err(ChannelError::Incompatible);
        }
        Ok(())
    }
}

impl Channel for TlsChannel {
    fn receive(&mut self, ciphertext: &[u8]) -> Result<usize, ChannelError> {
        self.alive()?;
        if self.closed {
            // Reading on after our own close_notify would trip an assertion of the library on damaged records.
            return Ok(ciphertext.len());
        }
        let mut rest = ciphertext;
        while !rest.is_empty() && self.unread < MAX_UNREAD {
            if self.peer_closed {
                // Nothing after the peer's close is part of the conversation.
                return Ok(ciphertext.len());
            }
            if let Err(error) = self.step(&mut rest) {
                return self.fail(error);
            }
        }
        Ok(ciphertext.len() - rest.len())
    }

    fn receive_end(&mut self) -> Result<(), ChannelError> {
        self.alive()?;
        if self.peer_closed || self.closed {
            Ok(())
        } else {
            self.fail(ChannelError::Truncated)
        }
    }

    fn transmit(&mut self, out: &mut Vec<u8>) {
        while self.tls.wants_write() {
            self.tls
                .write_tls(out)
                .expect("writing to memory does not fail");
        }
    }

    fn wants_write(&self) -> bool {
        self.tls.wants_write()
    }

    fn write(&mut self, plaintext: &[u8]) -> Result<usize, ChannelError> {
        self.alive()?;
        if self.closed {
            return Err(ChannelError::Closed);
        }
        if self.tls.is_handshaking() {
            return Ok(0);
        }
        self.tls
            .writer()
            .write(plaintext)
            .map_err(|_| ChannelError::Internal)
    }

    fn read(&mut self, out: &mut [u8]) -> Result<usize, ChannelError> {
        self.alive()?;
        // The library reports "nothing yet" as an error and an orderly end as zero; both are zero here.
        let taken = self.tls.reader().read(out).unwrap_or(0);
        self.unread -= taken;
        Ok(taken)
    }

    fn is_handshaking(&self) -> bool {
        self.tls.is_handshaking()
    }

    fn is_finished(&self) -> bool {
        (self.peer_closed || self.closed) && self.failure.is_none() && self.unread == 0
    }

    fn exporter(&self, label: &[u8], context: &[u8]) -> Result<[u8; 32], ChannelError> {
        self.alive()?;
        if self.tls.is_handshaking() {
            return Err(ChannelError::NotReady);
        }
        self.tls
            .export_keying_material([0; 32], label, Some(context))
            .map_err(|error| ChannelError::from_tls(&error))
    }

    fn peer_key(&self) -> Option<PublicKey> {
        if self.tls.is_handshaking() {
            return None;
        }
        let [key] = self.tls.peer_certificates()? else {
            return None;
        };
        PublicKey::from_spki(key).ok()
    }

    fn close(&mut self) {
        // After a failure the alert has said it already, and nothing may follow an alert.
        if !self.closed && self.failure.is_none() {
            self.closed = true;
            self.tls.send_close_notify();
        }
    }
}
