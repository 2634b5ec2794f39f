//! Who we are and whom we accept: raw Ed25519 keys in place of certificates.

use std::sync::Arc;

use rustls::client::AlwaysResolvesClientRawPublicKeys;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime};
use rustls::server::AlwaysResolvesServerRawPublicKeys;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::sign::{CertifiedKey, SigningKey};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureAlgorithm,
    SignatureScheme,
};

use crate::crypto::ring::{RingCrypto, RingSigner};
use crate::crypto::{Crypto, PublicKey, RelationshipKey, Signature, Signer};

/// Our own key, as TLS wants it: a signing key whose only "certificate" is its SubjectPublicKeyInfo.
fn certified(own: &RelationshipKey) -> Arc<CertifiedKey> {
    let key = OwnKey(Arc::new(RingSigner::new(own)));
    let spki = key.0.public_key().spki().to_vec();
    Arc::new(CertifiedKey::new(
        vec![CertificateDer::from(spki)],
        Arc::new(key),
    ))
}

/// Shows our key as a client.
pub(super) fn as_client(own: &RelationshipKey) -> Arc<AlwaysResolvesClientRawPublicKeys> {
    Arc::new(AlwaysResolvesClientRawPublicKeys::new(certified(own)))
}

/// Shows our key as a server.
pub(super) fn as_server(own: &RelationshipKey) -> Arc<AlwaysResolvesServerRawPublicKeys> {
    Arc::new(AlwaysResolvesServerRawPublicKeys::new(certified(own)))
}

#[derive(Clone, Debug)]
struct OwnKey(Arc<RingSigner>);

impl SigningKey for OwnKey {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn rustls::sign::Signer>> {
        offered
            .contains(&SignatureScheme::ED25519)
            .then(|| Box::new(self.clone()) as Box<dyn rustls::sign::Signer>)
    }

    fn public_key(&self) -> Option<SubjectPublicKeyInfoDer<'_>> {
        Some(SubjectPublicKeyInfoDer::from(
            self.0.public_key().spki().to_vec(),
        ))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::ED25519
    }
}

impl rustls::sign::Signer for OwnKey {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        Ok(self.0.sign(message).0.to_vec())
    }

    fn scheme(&self) -> SignatureScheme {
        SignatureScheme::ED25519
    }
}

/// Whom to let in.
#[derive(Clone, Copy, Debug)]
pub(super) enum Accept {
    /// The one peer of this relationship.
    Pinned(PublicKey),
    /// Anybody but ourselves: only for pairing, where the person decides afterwards.
    AnyoneBut(PublicKey),
}

impl Accept {
    /// Whether `end_entity`, alone, is a key we accept.
    fn check(
        self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
    ) -> Result<(), Error> {
        let key = PublicKey::from_spki(end_entity)
            .map_err(|_| Error::InvalidCertificate(CertificateError::BadEncoding))?;
        let accepted = match self {
            Self::Pinned(pin) => key == pin,
            // Our own key coming back is a reflection of our own handshake.
            Self::AnyoneBut(own) => key != own,
        };
        if accepted && intermediates.is_empty() {
            Ok(())
        } else {
            Err(Error::InvalidCertificate(
                CertificateError::ApplicationVerificationFailure,
            ))
        }
    }

    /// Whether the peer signed this handshake with the key it showed.
    fn check_signature(
        message: &[u8],
        end_entity: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let bad = Error::InvalidCertificate(CertificateError::BadSignature);
        let key = PublicKey::from_spki(end_entity).map_err(|_| bad.clone())?;
        let signature = signed.signature().try_into().map_err(|_| bad.clone())?;
        if signed.scheme != SignatureScheme::ED25519
            || RingCrypto
                .verify(&key, message, &Signature(signature))
                .is_err()
        {
            return Err(bad);
        }
        Ok(HandshakeSignatureValid::assertion())
    }
}

/// TLS 1.2 is not offered; this is what its signature check answers all the same.
const NO_TLS12: Error = Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure);

impl ServerCertVerifier for Accept {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.check(end_entity, intermediates)
            .map(|()| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(NO_TLS12)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        end_entity: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Self::check_signature(message, end_entity, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}

impl ClientCertVerifier for Accept {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.check(end_entity, intermediates)
            .map(|()| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(NO_TLS12)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        end_entity: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Self::check_signature(message, end_entity, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}
