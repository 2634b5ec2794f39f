//! The laptop's first look at a connection: what it wants, in bounded memory, before any key exchange.

use std::sync::Arc;

use rustls::server::{Accepted, AcceptedAlert, CertificateType, NoServerSessionStorage};
use rustls::{NamedGroup, ServerConfig, version};

use super::error::ChannelError;
use super::identity::{Accept, as_server};
use super::provider::{NoClock, provider};
use super::tls::TlsChannel;
use super::{MAX_HELLO_LEN, MAX_UNSENT};
use crate::crypto::ring::RingSigner;
use crate::crypto::{PublicKey, RelationshipKey, Signer};

/// What a connection is for. It is agreed by ALPN, so that neither can be passed off as the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To become a relationship.
    Pairing,
    /// To use one.
    Data,
}

impl Purpose {
    /// The ALPN protocol name.
    #[must_use]
    pub const fn alpn(self) -> &'static [u8] {
        match self {
            Self::Pairing => b"officeos-pair/1",
            Self::Data => b"officeos/1",
        }
    }
}

/// A connection that was turned away: why, and the few bytes of alert to send before hanging up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The cause.
    pub error: ChannelError,
    /// Ciphertext or plain alert for the peer; may be empty.
    pub alert: Vec<u8>,
}

impl Refused {
    fn new(error: &rustls::Error, mut alert: AcceptedAlert) -> Self {
        let mut bytes = Vec::new();
        alert
            .write_all(&mut bytes)
            .expect("writing to memory does not fail");
        Self {
            error: ChannelError::from_tls(error),
            alert: bytes,
        }
    }

    /// A fatal alert in the clear: record type 21, version 3.3, two bytes.
    fn plain(error: ChannelError, description: u8) -> Self {
        Self {
            error,
            alert: vec![21, 3, 3, 0, 2, 2, description],
        }
    }
}

/// Reads one connection up to its ClientHello, holding at most [`MAX_HELLO_LEN`] bytes of it.
#[derive(Default)]
pub struct Acceptor {
    tls: rustls::server::Acceptor,
    taken: usize,
}

impl Acceptor {
    /// For a connection that has just been accepted.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes bytes from the carrier; yields the hello once it is whole.
    ///
    /// After the hello, give further bytes to the channel that [`Hello::accept`] makes. After an error, hang up.
    ///
    /// # Errors
    /// [`ChannelError::TooLarge`] past [`MAX_HELLO_LEN`] bytes; [`ChannelError::Malformed`] or
    /// [`ChannelError::Incompatible`] for anything but a hello of this protocol.
    pub fn receive(&mut self, bytes: &[u8]) -> Result<Option<Hello>, Refused> {
        self.taken = self.taken.saturating_add(bytes.len());
        if self.taken > MAX_HELLO_LEN {
            // record_overflow
            return Err(Refused::plain(ChannelError::TooLarge, 22));
        }
        let mut rest = bytes;
        while !rest.is_empty() {
            self.tls
                .read_tls(&mut rest)
                .map_err(|_| Refused::plain(ChannelError::Malformed, 50))?;
        }
        match self.tls.accept() {
            Ok(None) => Ok(None),
            Ok(Some(accepted)) => Hello::new(accepted).map(Some),
            Err((error, alert)) => Err(Refused::new(&error, alert)),
        }
    }
}

/// A ClientHello of this protocol. Dropping it costs nothing; [`accept`](Hello::accept) does the expensive work.
#[derive(Debug)]
pub struct Hello {
    accepted: Accepted,
    purpose: Purpose,
}

impl Hello {
    fn new(accepted: Accepted) -> Result<Self, Refused> {
        let purpose = {
            let hello = accepted.client_hello();
            // Certificates and other groups are turned away here, before anything is computed for them.
            let raw = [CertificateType::RawPublicKey];
            let suits = hello.server_cert_types().is_some_and(|types| types == raw)
                && hello.client_cert_types().is_some_and(|types| types == raw)
                && hello
                    .named_groups()
                    .is_some_and(|groups| groups.contains(&NamedGroup::X25519MLKEM768));
            let mut offered = hello.alpn().into_iter().flatten();
            match (offered.next(), offered.next()) {
                (Some(name), None) if suits => [Purpose::Data, Purpose::Pairing]
                    .into_iter()
                    .find(|purpose| purpose.alpn() == name),
                _ => None,
            }
        };
        match purpose {
            Some(purpose) => Ok(Self { accepted, purpose }),
            // handshake_failure
            None => Err(Refused::plain(ChannelError::Incompatible, 40)),
        }
    }

    /// What the handheld wants.
    #[must_use]
    pub fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// The server name it sent, in which [`crate::token::find`] looks for a token; empty if none.
    #[must_use]
    pub fn server_name(&self) -> String {
        self.accepted
            .client_hello()
            .server_name()
            .unwrap_or_default()
            .to_owned()
    }

    /// Turns the handheld away because its token fits no relationship. The alert lets it say so on its screen.
    #[must_use]
    pub fn refuse_unknown(self) -> Refused {
        // unrecognized_name
        Refused::plain(ChannelError::WrongPeerKey, 112)
    }

    /// Turns the handheld away because no pairing window is open, or too much is going on.
    #[must_use]
    pub fn refuse(self) -> Refused {
        // handshake_failure
        Refused::plain(ChannelError::Incompatible, 40)
    }

    /// Answers as one relationship: with its key, for its peer alone. This computes the key exchange.
    ///
    /// # Errors
    /// [`ChannelError::Incompatible`] for a pairing hello, or one that lacks our suite, group or raw keys;
    /// [`ChannelError::Malformed`] for a bad key share.
    pub fn accept(self, own: &RelationshipKey, peer: PublicKey) -> Result<TlsChannel, Refused> {
        self.answer(Purpose::Data, own, Accept::Pinned(peer))
    }

    /// Answers a pairing hello with a key made for this attempt. Only while a person has the window open.
    ///
    /// # Errors
    /// As [`Hello::accept`], with the purposes swapped.
    pub fn accept_pairing(self, own: &RelationshipKey) -> Result<TlsChannel, Refused> {
        let accept = Accept::AnyoneBut(RingSigner::new(own).public_key());
        self.answer(Purpose::Pairing, own, accept)
    }

    fn answer(
        self,
        purpose: Purpose,
        own: &RelationshipKey,
        accept: Accept,
    ) -> Result<TlsChannel, Refused> {
        if self.purpose != purpose {
            // no_application_protocol
            return Err(Refused::plain(ChannelError::Incompatible, 120));
        }
        let config = server_config(purpose, own, accept);
        match self.accepted.into_connection(config) {
            Ok(mut connection) => {
                connection.set_buffer_limit(Some(MAX_UNSENT));
                Ok(TlsChannel::new(connection.into(), purpose))
            }
            Err((error, alert)) => Err(Refused::new(&error, alert)),
        }
    }
}

fn server_config(purpose: Purpose, own: &RelationshipKey, accept: Accept) -> Arc<ServerConfig> {
    let mut config = ServerConfig::builder_with_details(provider(), Arc::new(NoClock))
        .with_protocol_versions(&[&version::TLS13])
        .expect("our provider has a TLS 1.3 suite")
        .with_client_cert_verifier(Arc::new(accept))
        .with_cert_resolver(as_server(own));
    config.alpn_protocols = vec![purpose.alpn().to_vec()];
    // A resumed session would skip the verifier, and with it every revocation.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.max_tls13_tickets = 0;
    config.max_early_data_size = 0;
    config.send_half_rtt_data = false;
    Arc::new(config)
}
