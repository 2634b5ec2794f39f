//! X25519MLKEM768: the key exchange that stays secret if either of its halves does.
//!
//! Shares and secret are the ML-KEM part followed by the X25519 part (draft-ietf-tls-ecdhe-mlkem):
//! client share 1184 + 32 bytes, server share 1088 + 32, secret 32 + 32. ring has no ML-KEM, so the
//! lattice half comes from a crate of its own, fed with ring's randomness.

use ml_kem::kem::{Ciphertext, Decapsulate, Key, KeyExport};
use ml_kem::{B32, DecapsulationKey, EncapsulationKey, MlKem768, Seed};
use rustls::crypto::{ActiveKeyExchange, CompletedKeyExchange, SharedSecret, SupportedKxGroup};
use rustls::ffdhe_groups::FfdheGroup;
use rustls::{Error, NamedGroup, PeerMisbehaved, ProtocolVersion};
use zeroize::{Zeroize, Zeroizing};

use crate::crypto::Crypto;
use crate::crypto::ring::RingCrypto;

/// Bytes of an ML-KEM-768 encapsulation key, which is the client's half share.
const ENCAPSULATION_KEY_LEN: usize = 1184;

/// Bytes of an ML-KEM-768 ciphertext, which is the server's half share.
const CIPHERTEXT_LEN: usize = 1088;

/// The X25519 half, from ring.
const CLASSICAL: &dyn SupportedKxGroup = rustls::crypto::ring::kx_group::X25519;

/// The only group we offer and accept.
#[derive(Debug)]
pub(super) struct X25519MlKem768;

impl SupportedKxGroup for X25519MlKem768 {
    /// The client's side: fresh keys of both kinds.
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
        let mut seed = Seed::default();
        RingCrypto
            .random(&mut seed)
            .map_err(|_| Error::FailedToGetRandomBytes)?;
        let started = Started::new(CLASSICAL.start()?, &seed);
        seed.zeroize();
        Ok(Box::new(started))
    }

    /// The server's side: answers the client's share.
    fn start_and_complete(&self, client_share: &[u8]) -> Result<CompletedKeyExchange, Error> {
        let mut coins = B32::default();
        RingCrypto
            .random(&mut coins)
            .map_err(|_| Error::FailedToGetRandomBytes)?;
        let completed = answer(client_share, &coins);
        coins.zeroize();
        completed
    }

    fn ffdhe_group(&self) -> Option<FfdheGroup<'static>> {
        None
    }

    fn name(&self) -> NamedGroup {
        NamedGroup::X25519MLKEM768
    }

    fn usable_for_version(&self, version: ProtocolVersion) -> bool {
        version == ProtocolVersion::TLSv1_3
    }
}

/// The client's keys, waiting for the server's share.
struct Started {
    classical: Box<dyn ActiveKeyExchange>,
    lattice: DecapsulationKey<MlKem768>,
    share: Vec<u8>,
}

impl Started {
    fn new(classical: Box<dyn ActiveKeyExchange>, seed: &Seed) -> Self {
        let lattice = DecapsulationKey::<MlKem768>::from_seed(*seed);
        let mut share = Vec::with_capacity(ENCAPSULATION_KEY_LEN + 32);
        share.extend_from_slice(&lattice.encapsulation_key().to_bytes());
        share.extend_from_slice(classical.pub_key());
        Self {
            classical,
            lattice,
            share,
        }
    }
}

/// The server's answer to a share; `coins` are 32 fresh random bytes.
fn answer(client_share: &[u8], coins: &B32) -> Result<CompletedKeyExchange, Error> {
    let (lattice, classical) = split(client_share, ENCAPSULATION_KEY_LEN)?;
    let key = Key::<EncapsulationKey<MlKem768>>::try_from(lattice).map_err(|_| BAD_SHARE)?;
    // Refuses coefficients that are not reduced (FIPS 203, section 7.2).
    let key = EncapsulationKey::<MlKem768>::new(&key).map_err(|_| BAD_SHARE)?;
    let classical = CLASSICAL.start_and_complete(classical)?;
    let (ciphertext, mut shared) = key.encapsulate_deterministic(coins);
    let secret = join(&shared, &classical.secret);
    shared.zeroize();
    Ok(CompletedKeyExchange {
        group: X25519MlKem768.name(),
        pub_key: [&ciphertext[..], &classical.pub_key].concat(),
        secret,
    })
}

impl ActiveKeyExchange for Started {
    fn complete(self: Box<Self>, server_share: &[u8]) -> Result<SharedSecret, Error> {
        let (ciphertext, classical) = split(server_share, CIPHERTEXT_LEN)?;
        let ciphertext = Ciphertext::<MlKem768>::try_from(ciphertext).map_err(|_| BAD_SHARE)?;
        let classical = self.classical.complete(classical)?;
        // A forged ciphertext yields another secret, not an error: the handshake's MAC then fails.
        let mut shared = self.lattice.decapsulate(&ciphertext);
        let secret = join(&shared, &classical);
        shared.zeroize();
        Ok(secret)
    }

    fn pub_key(&self) -> &[u8] {
        &self.share
    }

    fn ffdhe_group(&self) -> Option<FfdheGroup<'static>> {
        None
    }

    fn group(&self) -> NamedGroup {
        NamedGroup::X25519MLKEM768
    }
}

const BAD_SHARE: Error = Error::PeerMisbehaved(PeerMisbehaved::InvalidKeyShare);

/// The lattice half of `lattice_len` bytes and the X25519 half of 32.
fn split(share: &[u8], lattice_len: usize) -> Result<(&[u8], &[u8]), Error> {
    if share.len() != lattice_len + 32 {
        return Err(BAD_SHARE);
    }
    Ok(share.split_at(lattice_len))
}

fn join(lattice: &[u8], classical: &SharedSecret) -> SharedSecret {
    let both = Zeroizing::new([lattice, classical.secret_bytes()].concat());
    SharedSecret::from(&both[..])
}

#[cfg(test)]
mod vectors;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_agree_on_64_bytes_and_on_other_ones_each_time() {
        let mut seen = Vec::new();
        for _ in 0..3 {
            let client = X25519MlKem768.start().unwrap();
            assert_eq!(client.pub_key().len(), 1216);
            let server = X25519MlKem768.start_and_complete(client.pub_key()).unwrap();
            assert_eq!(server.pub_key.len(), 1120);
            let agreed = client.complete(&server.pub_key).unwrap();
            assert_eq!(agreed.secret_bytes(), server.secret.secret_bytes());
            assert_eq!(agreed.secret_bytes().len(), 64);
            seen.push(agreed.secret_bytes().to_vec());
        }
        assert!(seen[0] != seen[1] && seen[1] != seen[2]);
    }

    #[test]
    fn a_change_in_either_half_of_the_answer_changes_the_secret() {
        for at in [0, 500, 1087, 1088, 1110] {
            let client = X25519MlKem768.start().unwrap();
            let mut server = X25519MlKem768.start_and_complete(client.pub_key()).unwrap();
            server.pub_key[at] ^= 1;
            let agreed = client.complete(&server.pub_key).unwrap();
            assert_ne!(agreed.secret_bytes(), server.secret.secret_bytes());
        }
    }

    #[test]
    fn shares_of_wrong_length_or_content_are_refused() {
        let share = || X25519MlKem768.start().unwrap().pub_key().to_vec();
        let refused = |share: &[u8]| X25519MlKem768.start_and_complete(share).is_err();
        assert!(!refused(&share()));
        assert!(refused(&[]));
        assert!(refused(&share()[..1215]));
        assert!(refused(&[&share()[..], &[0]].concat()));
        // 0xfff is no reduced coefficient modulo 3329.
        let mut unreduced = share();
        unreduced[..3].fill(0xff);
        assert!(refused(&unreduced));
        // A point of low order makes the X25519 half predictable.
        let mut low_order = share();
        low_order[1184..].fill(0);
        assert!(refused(&low_order));
        for length in [0, 1119, 1121] {
            let client = X25519MlKem768.start().unwrap();
            assert!(client.complete(&vec![1; length]).is_err());
        }
    }
}
