//! Building blocks of the channel's tests: keys, flights and the wire between two channels.

use std::sync::Arc;

use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};

use super::super::provider::provider;
use super::super::*;
use crate::crypto::Signer;
use crate::crypto::ring::{RingCrypto, RingSigner};
use crate::crypto::{RelationshipKey, TokenSecret};
use crate::token::{self, TokenNonce};

/// Both ends of one relationship.
pub(super) struct Keys {
    pub(super) handheld: RelationshipKey,
    pub(super) laptop: RelationshipKey,
    pub(super) token: TokenSecret,
}

impl Keys {
    pub(super) fn new() -> Self {
        Self {
            handheld: RelationshipKey::from_bytes([1; 32]),
            laptop: RelationshipKey::from_bytes([2; 32]),
            token: TokenSecret::from_bytes([3; 32]),
        }
    }

    pub(super) fn handheld_public(&self) -> PublicKey {
        RingSigner::new(&self.handheld).public_key()
    }

    pub(super) fn laptop_public(&self) -> PublicKey {
        RingSigner::new(&self.laptop).public_key()
    }

    pub(super) fn connect(&self) -> TlsChannel {
        let name = token::mint(
            &RingCrypto,
            &self.token,
            TokenNonce::generate(&RingCrypto).unwrap(),
        );
        connect(&self.handheld, self.laptop_public(), &name).unwrap()
    }

    /// A client that has spoken, and its hello as the laptop sees it.
    pub(super) fn hello(&self) -> (TlsChannel, Hello) {
        let mut client = self.connect();
        let hello = accept(&flight(&mut client)).unwrap();
        (client, hello)
    }

    /// Client and server after a complete handshake.
    pub(super) fn connected(&self) -> (TlsChannel, TlsChannel) {
        let (mut client, hello) = self.hello();
        let mut server = hello.accept(&self.laptop, self.handheld_public()).unwrap();
        assert_eq!(carry(&mut server, &mut client), Ok(vec![]));
        assert_eq!(carry(&mut client, &mut server), Ok(vec![]));
        assert!(!client.is_handshaking() && !server.is_handshaking());
        (client, server)
    }
}

/// All that a channel wants to send.
pub(super) fn flight(channel: &mut TlsChannel) -> Vec<u8> {
    let mut bytes = Vec::new();
    channel.transmit(&mut bytes);
    assert!(!channel.wants_write());
    bytes
}

/// Gives a whole hello to a fresh acceptor.
pub(super) fn accept(bytes: &[u8]) -> Result<Hello, Refused> {
    Acceptor::new()
        .receive(bytes)
        .map(|hello| hello.expect("the hello is whole"))
}

/// Everything decrypted that waits.
pub(super) fn drain(channel: &mut TlsChannel) -> Result<Vec<u8>, ChannelError> {
    let mut got = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        match channel.read(&mut buffer)? {
            0 => return Ok(got),
            n => got.extend_from_slice(&buffer[..n]),
        }
    }
}

/// Gives `bytes` to a channel and returns what they decrypted to.
pub(super) fn deliver(channel: &mut TlsChannel, bytes: &[u8]) -> Result<Vec<u8>, ChannelError> {
    let mut got = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let taken = channel.receive(rest)?;
        rest = &rest[taken..];
        got.extend(drain(channel)?);
    }
    Ok(got)
}

/// Moves what `from` has to say to `to` and returns what it decrypted to.
pub(super) fn carry(from: &mut TlsChannel, to: &mut TlsChannel) -> Result<Vec<u8>, ChannelError> {
    let bytes = flight(from);
    deliver(to, &bytes)
}

/// Every call on a dead channel repeats the error that ended it.
pub(super) fn assert_dead(channel: &mut TlsChannel, error: ChannelError) {
    assert_eq!(channel.receive(b"x"), Err(error));
    assert_eq!(channel.receive_end(), Err(error));
    assert_eq!(channel.write(b"x"), Err(error));
    assert_eq!(channel.read(&mut [0; 16]), Err(error));
    assert_eq!(channel.exporter(b"x", b""), Err(error));
    assert!(!channel.is_finished());
}

/// The hello of a client that has our suite, group and ALPN but shows and expects X.509 certificates.
pub(super) fn x509_client_hello(with_certificate: bool) -> Vec<u8> {
    let mut full = (*provider()).clone();
    full.signature_verification_algorithms =
        rustls::crypto::ring::default_provider().signature_verification_algorithms;
    full.key_provider = rustls::crypto::ring::default_provider().key_provider;
    let builder = rustls::ClientConfig::builder_with_provider(Arc::new(full))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty());
    let mut config = if with_certificate {
        let key = ring::signature::Ed25519KeyPair::generate_pkcs8(&ring::rand::SystemRandom::new())
            .unwrap();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.as_ref().to_vec()));
        let key = rustls::crypto::ring::sign::any_eddsa_type(match &key {
            PrivateKeyDer::Pkcs8(key) => key,
            _ => unreachable!(),
        })
        .unwrap();
        let certified =
            rustls::sign::CertifiedKey::new(vec![CertificateDer::from(vec![0x30, 0])], key);
        builder.with_client_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(certified)))
    } else {
        builder.with_no_client_auth()
    };
    config.alpn_protocols = vec![Purpose::Data.alpn().to_vec()];
    let name = ServerName::try_from("anything.invalid").unwrap();
    let mut client = rustls::ClientConnection::new(Arc::new(config), name).unwrap();
    let mut bytes = Vec::new();
    client.write_tls(&mut bytes).unwrap();
    bytes
}

/// The extension numbers of a ClientHello in one record (RFC 8446 section 4.1.2).
pub(super) fn hello_extensions(record: &[u8]) -> Vec<u16> {
    let body = &record[5 + 4 + 2 + 32..];
    let u16_at = |at: usize| usize::from(body[at]) << 8 | usize::from(body[at + 1]);
    let mut at = 1 + usize::from(body[0]);
    at += 2 + u16_at(at);
    at += 1 + usize::from(body[at]);
    let end = at + 2 + u16_at(at);
    at += 2;
    let mut numbers = Vec::new();
    while at < end {
        numbers.push(u16_at(at) as u16);
        at += 4 + u16_at(at + 2);
    }
    numbers
}
