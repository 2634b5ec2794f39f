//! The cryptography that TLS may use: one of each, and no X.509.

use std::sync::{Arc, LazyLock};

use rustls::crypto::{CryptoProvider, GetRandomFailed, KeyProvider, SecureRandom};
use rustls::pki_types::{PrivateKeyDer, UnixTime};
use rustls::sign::SigningKey;
use rustls::time_provider::TimeProvider;

use super::hybrid::X25519MlKem768;
use crate::crypto::Crypto;
use crate::crypto::ring::RingCrypto;

/// The provider, made once.
pub(super) fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: LazyLock<Arc<CryptoProvider>> = LazyLock::new(|| {
        Arc::new(CryptoProvider {
            cipher_suites: vec![rustls::crypto::ring::cipher_suite::TLS13_CHACHA20_POLY1305_SHA256],
            kx_groups: vec![&X25519MlKem768],
            // Only certificates would be verified with these; raw keys are checked in `identity`.
            signature_verification_algorithms: rustls::crypto::WebPkiSupportedAlgorithms {
                all: &[],
                mapping: &[],
            },
            secure_random: &Random,
            key_provider: &NoKeyFiles,
        })
    });
    Arc::clone(&PROVIDER)
}

/// A clock that stands still. Raw keys have no validity period and nothing here expires by the wall clock;
/// the library's own clock panics on a device whose clock is before 1970.
#[derive(Debug)]
pub(super) struct NoClock;

impl TimeProvider for NoClock {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(core::time::Duration::ZERO))
    }
}

#[derive(Debug)]
struct Random;

impl SecureRandom for Random {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), GetRandomFailed> {
        RingCrypto.random(buffer).map_err(|_| GetRandomFailed)
    }
}

/// Keys come from relationships, never from files that TLS would parse.
#[derive(Debug)]
struct NoKeyFiles;

impl KeyProvider for NoKeyFiles {
    fn load_private_key(
        &self,
        _: PrivateKeyDer<'static>,
    ) -> Result<Arc<dyn SigningKey>, rustls::Error> {
        Err(rustls::Error::General(
            "keys are not read from files".into(),
        ))
    }
}
