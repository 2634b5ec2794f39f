//! Hashes, MACs, signatures and randomness, as the rest of the protocol sees them.
//!
//! The protocol above the channel is `no_std` and must not know which library computes a hash, because the one
//! we trust does not build for bare metal. It is handed a [`Crypto`] and, where it signs, a [`Signer`].
//! [`ring`] holds the implementation that both sides ship.
//!
//! Secrets live in types of their own ([`RelationshipKey`], [`TokenSecret`]): they print as a redaction, are
//! erased when dropped, and are read only through a method whose name says so.

use core::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

#[cfg(feature = "std")]
pub mod ring;

/// Bytes of a SHA-256 digest, of an HMAC-SHA-256 tag and of an exporter value.
pub const DIGEST_LEN: usize = 32;

/// Most bytes one [`Crypto::hkdf_sha256`] call can produce (RFC 5869: 255 blocks).
pub const HKDF_MAX_LEN: usize = 255 * DIGEST_LEN;

/// What a signed submit begins with, so that no other signature of the same key can pass for one.
const SUBMIT_LABEL: &[u8; 19] = b"OfficeOS submit v1\0";

/// Bytes that [`submit_signature_input`] yields: label, exporter, id, program digest.
pub const SUBMIT_INPUT_LEN: usize = SUBMIT_LABEL.len() + DIGEST_LEN + 8 + DIGEST_LEN;

/// DER of a SubjectPublicKeyInfo for Ed25519 up to the key itself (RFC 8410).
const SPKI_PREFIX: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];

/// The primitives that the protocol needs. Object-safe, so that machines can hold `&dyn Crypto`.
pub trait Crypto {
    /// SHA-256 over the concatenation of `parts`.
    ///
    /// Concatenation hides where a part ends: callers give parts of fixed length, or length-prefix them.
    fn sha256(&self, parts: &[&[u8]]) -> [u8; DIGEST_LEN];

    /// HMAC-SHA-256 under `key` over the concatenation of `parts`.
    fn hmac_sha256(&self, key: &[u8], parts: &[&[u8]]) -> [u8; DIGEST_LEN];

    /// Whether `signature` is `key`'s Ed25519 signature of `message` (RFC 8032, strict about encodings).
    ///
    /// # Errors
    /// [`CryptoError::BadSignature`], whatever the reason was: a forger learns nothing from it.
    fn verify(
        &self,
        key: &PublicKey,
        message: &[u8],
        signature: &Signature,
    ) -> Result<(), CryptoError>;

    /// Fills `out` from the system's cryptographic generator.
    ///
    /// # Errors
    /// [`CryptoError::NoRandomness`]; nothing may go on with a predictable value instead.
    fn random(&self, out: &mut [u8]) -> Result<(), CryptoError>;

    /// HKDF-SHA-256 (RFC 5869): extract with `salt` from `input`, expand with the concatenation of `info`.
    ///
    /// # Errors
    /// [`CryptoError::OutputTooLong`] when `out` exceeds [`HKDF_MAX_LEN`] bytes.
    fn hkdf_sha256(
        &self,
        salt: &[u8],
        input: &[u8],
        info: &[&[u8]],
        out: &mut [u8],
    ) -> Result<(), CryptoError> {
        /// More parts than any caller has; one place for the previous block and one for the counter.
        const MAX_PARTS: usize = 10;
        if out.len() > HKDF_MAX_LEN || info.len() > MAX_PARTS - 2 {
            return Err(CryptoError::OutputTooLong);
        }
        let extracted = Zeroizing::new(self.hmac_sha256(salt, &[input]));
        let mut previous = Zeroizing::new([0_u8; DIGEST_LEN]);
        for (index, block) in out.chunks_mut(DIGEST_LEN).enumerate() {
            let counter = [index as u8 + 1];
            let mut parts: [&[u8]; MAX_PARTS] = [&[]; MAX_PARTS];
            // The first block has no predecessor; an empty part stands for it.
            parts[0] = if index == 0 { &[] } else { &previous[..] };
            parts[1..=info.len()].copy_from_slice(info);
            parts[info.len() + 1] = &counter;
            let next = Zeroizing::new(self.hmac_sha256(&extracted[..], &parts[..info.len() + 2]));
            *previous = *next;
            block.copy_from_slice(&previous[..block.len()]);
        }
        Ok(())
    }

    /// Whether `a` and `b` are equal, in time that depends on their lengths alone.
    fn constant_time_eq(&self, a: &[u8], b: &[u8]) -> bool {
        a.ct_eq(b).into()
    }

    /// Fresh random bytes, such as a nonce.
    ///
    /// # Errors
    /// [`CryptoError::NoRandomness`].
    fn nonce(&self) -> Result<[u8; 32], CryptoError> {
        let mut nonce = [0; 32];
        self.random(&mut nonce)?;
        Ok(nonce)
    }
}

/// Whoever holds one private key. The key itself never comes out.
pub trait Signer {
    /// The public half.
    fn public_key(&self) -> PublicKey;

    /// The Ed25519 signature of `message`.
    fn sign(&self, message: &[u8]) -> Signature;
}

/// Why a primitive refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CryptoError {
    /// The signature is not by that key over that message.
    BadSignature,
    /// The bytes are not a key of the expected kind.
    BadKey,
    /// The system's random generator failed.
    NoRandomness,
    /// More key material was asked for than HKDF can give.
    OutputTooLong,
}

impl fmt::Display for CryptoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BadSignature => "the signature does not match the key and the message",
            Self::BadKey => "these bytes are not an Ed25519 key",
            Self::NoRandomness => "the system's random generator failed",
            Self::OutputTooLong => "more key material asked for than HKDF-SHA-256 can give",
        })
    }
}

impl core::error::Error for CryptoError {}

/// An Ed25519 public key, 32 bytes. Public: it may be printed, and prints as hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PublicKey(pub [u8; 32]);

impl PublicKey {
    /// Bytes of [`PublicKey::spki`].
    pub const SPKI_LEN: usize = SPKI_PREFIX.len() + 32;

    /// The key as a DER SubjectPublicKeyInfo (RFC 8410), which is what a TLS raw public key is (RFC 7250).
    #[must_use]
    pub fn spki(&self) -> [u8; Self::SPKI_LEN] {
        let mut der = [0; Self::SPKI_LEN];
        der[..SPKI_PREFIX.len()].copy_from_slice(&SPKI_PREFIX);
        der[SPKI_PREFIX.len()..].copy_from_slice(&self.0);
        der
    }

    /// Reads what [`PublicKey::spki`] wrote: exactly these 44 bytes, no other encoding of them.
    ///
    /// # Errors
    /// [`CryptoError::BadKey`].
    pub fn from_spki(der: &[u8]) -> Result<Self, CryptoError> {
        let key = der
            .strip_prefix(&SPKI_PREFIX)
            .ok_or(CryptoError::BadKey)?
            .try_into()
            .map_err(|_| CryptoError::BadKey)?;
        Ok(Self(key))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(&self.0, f)
    }
}

/// An Ed25519 signature, 64 bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature(pub [u8; 64]);

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(&self.0, f)
    }
}

/// On the wire: its 64 bytes, no length.
impl Serialize for Signature {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (a, b) = self.0.split_at(32);
        let half = |bytes: &[u8]| {
            let mut out = [0_u8; 32];
            out.copy_from_slice(bytes);
            out
        };
        (half(a), half(b)).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Signature {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (a, b) = <([u8; 32], [u8; 32])>::deserialize(deserializer)?;
        let mut bytes = [0; 64];
        bytes[..32].copy_from_slice(&a);
        bytes[32..].copy_from_slice(&b);
        Ok(Self(bytes))
    }
}

fn write_hex(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

/// Defines a 32-byte secret: redacted when printed, erased when dropped, compared in constant time.
macro_rules! secret {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name(Zeroizing<[u8; 32]>);

        impl $name {
            /// Takes the bytes over. Whoever stores or receives the secret uses this.
            #[must_use]
            pub fn from_bytes(bytes: [u8; 32]) -> Self {
                Self(Zeroizing::new(bytes))
            }

            /// A fresh one.
            ///
            /// # Errors
            /// [`CryptoError::NoRandomness`].
            pub fn generate(crypto: &dyn Crypto) -> Result<Self, CryptoError> {
                let mut bytes = Zeroizing::new([0; 32]);
                crypto.random(&mut bytes[..])?;
                Ok(Self(bytes))
            }

            /// The bytes themselves, for the store and for the primitive that needs them; never for a log.
            #[must_use]
            pub fn expose(&self) -> &[u8; 32] {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(redacted)"))
            }
        }

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.0.ct_eq(&*other.0).into()
            }
        }

        impl Eq for $name {}
    };
}

secret! {
    /// The private identity key of one side of one relationship: an Ed25519 seed (RFC 8032), 32 bytes.
    RelationshipKey
}

secret! {
    /// What the two sides of one relationship make server-name tokens with ([`crate::token`]), 32 bytes.
    TokenSecret
}

/// What the handheld signs for a submit: label, exporter of this channel, id (big-endian), program digest.
///
/// The exporter ties the signature to one channel, so that it can't be replayed in another without any clock.
#[must_use]
pub fn submit_signature_input(
    exporter: [u8; DIGEST_LEN],
    id: u64,
    program_sha256: [u8; DIGEST_LEN],
) -> [u8; SUBMIT_INPUT_LEN] {
    let mut input = [0; SUBMIT_INPUT_LEN];
    let mut rest = &mut input[..];
    for part in [
        &SUBMIT_LABEL[..],
        &exporter,
        &id.to_be_bytes(),
        &program_sha256,
    ] {
        let (head, tail) = rest.split_at_mut(part.len());
        head.copy_from_slice(part);
        rest = tail;
    }
    input
}

/// Signs a submit with the handheld's relationship key.
#[must_use]
pub fn sign_submit(
    signer: &dyn Signer,
    exporter: [u8; DIGEST_LEN],
    id: u64,
    program_sha256: [u8; DIGEST_LEN],
) -> Signature {
    signer.sign(&submit_signature_input(exporter, id, program_sha256))
}

/// Checks what [`sign_submit`] made, against the handheld's pinned key.
///
/// # Errors
/// [`CryptoError::BadSignature`].
pub fn verify_submit(
    crypto: &dyn Crypto,
    key: &PublicKey,
    exporter: [u8; DIGEST_LEN],
    id: u64,
    program_sha256: [u8; DIGEST_LEN],
    signature: &Signature,
) -> Result<(), CryptoError> {
    crypto.verify(
        key,
        &submit_signature_input(exporter, id, program_sha256),
        signature,
    )
}
