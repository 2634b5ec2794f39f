//! [`Crypto`] and [`Signer`] on ring.

use ring::rand::SecureRandom;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use ring::{digest, hmac, rand};

use super::{Crypto, CryptoError, PublicKey, RelationshipKey, Signature, Signer};

/// The primitives of ring; holds nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct RingCrypto;

impl Crypto for RingCrypto {
    fn sha256(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut context = digest::Context::new(&digest::SHA256);
        parts.iter().for_each(|part| context.update(part));
        array(context.finish().as_ref())
    }

    fn hmac_sha256(&self, key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key));
        parts.iter().for_each(|part| context.update(part));
        array(context.sign().as_ref())
    }

    fn verify(
        &self,
        key: &PublicKey,
        message: &[u8],
        signature: &Signature,
    ) -> Result<(), CryptoError> {
        UnparsedPublicKey::new(&ED25519, key.0)
            .verify(message, &signature.0)
            .map_err(|_| CryptoError::BadSignature)
    }

    fn random(&self, out: &mut [u8]) -> Result<(), CryptoError> {
        rand::SystemRandom::new()
            .fill(out)
            .map_err(|_| CryptoError::NoRandomness)
    }
}

/// An Ed25519 private key, ready to sign.
///
/// ring does not erase its copy of the key when this is dropped; keep one per relationship, not one per use.
pub struct RingSigner(Ed25519KeyPair);

impl RingSigner {
    /// The signer of a stored relationship key. Any 32 bytes are a valid seed.
    #[must_use]
    pub fn new(key: &RelationshipKey) -> Self {
        Self(
            Ed25519KeyPair::from_seed_unchecked(key.expose())
                .expect("a 32-byte seed is refused for its length alone"),
        )
    }

    /// A signer from a PKCS#8 document (version 1 or 2).
    ///
    /// # Errors
    /// [`CryptoError::BadKey`] when it is no Ed25519 key, or its public half belongs to another.
    pub fn from_pkcs8(document: &[u8]) -> Result<Self, CryptoError> {
        Ed25519KeyPair::from_pkcs8_maybe_unchecked(document)
            .map(Self)
            .map_err(|_| CryptoError::BadKey)
    }

    /// A fresh key: what to store, and its signer.
    ///
    /// # Errors
    /// [`CryptoError::NoRandomness`].
    pub fn generate() -> Result<(RelationshipKey, Self), CryptoError> {
        let key = RelationshipKey::generate(&RingCrypto)?;
        let signer = Self::new(&key);
        Ok((key, signer))
    }
}

impl Signer for RingSigner {
    fn public_key(&self) -> PublicKey {
        PublicKey(array(self.0.public_key().as_ref()))
    }

    fn sign(&self, message: &[u8]) -> Signature {
        Signature(array(self.0.sign(message).as_ref()))
    }
}

impl core::fmt::Debug for RingSigner {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "RingSigner({})", self.public_key())
    }
}

/// Copies what ring returns as a slice. Its length is fixed by the algorithm chosen above.
fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes
        .try_into()
        .expect("the algorithm's output has this length")
}

#[cfg(test)]
mod tests {
    use super::super::{
        SUBMIT_INPUT_LEN, TokenSecret, sign_submit, submit_signature_input, verify_submit,
    };
    use super::*;

    fn hex<const N: usize>(text: &str) -> [u8; N] {
        let bytes: Vec<u8> = (0..text.len())
            .step_by(2)
            .map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap())
            .collect();
        bytes.try_into().unwrap()
    }

    #[test]
    fn sha256_of_parts_is_sha256_of_their_concatenation() {
        // FIPS 180-2, B.1.
        let expected: [u8; 32] =
            hex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(RingCrypto.sha256(&[b"abc"]), expected);
        assert_eq!(RingCrypto.sha256(&[b"a", b"", b"bc"]), expected);
    }

    #[test]
    fn hmac_matches_rfc_4231_case_2() {
        let expected: [u8; 32] =
            hex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        assert_eq!(
            RingCrypto.hmac_sha256(b"Jefe", &[b"what do ya want ", b"for nothing?"]),
            expected
        );
    }

    #[test]
    fn hkdf_matches_rfc_5869_case_1_and_spans_blocks() {
        let mut out = [0; 42];
        RingCrypto
            .hkdf_sha256(
                &hex::<13>("000102030405060708090a0b0c"),
                &[0x0b; 22],
                &[&hex::<4>("f0f1f2f3"), &hex::<6>("f4f5f6f7f8f9")],
                &mut out,
            )
            .unwrap();
        assert_eq!(
            out,
            hex::<42>(
                "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
            )
        );
    }

    #[test]
    fn hkdf_refuses_more_than_255_blocks() {
        let mut out = vec![0; super::super::HKDF_MAX_LEN + 1];
        assert_eq!(
            RingCrypto.hkdf_sha256(b"", b"", &[], &mut out),
            Err(CryptoError::OutputTooLong)
        );
        out.pop();
        assert_eq!(RingCrypto.hkdf_sha256(b"", b"", &[], &mut out), Ok(()));
    }

    #[test]
    fn a_seed_gives_the_public_key_and_signature_of_rfc_8032_test_1() {
        let signer = RingSigner::new(&RelationshipKey::from_bytes(hex(
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        )));
        assert_eq!(
            signer.public_key().0,
            hex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
        );
        assert_eq!(
            signer.sign(b"").0,
            hex(
                "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
            )
        );
    }

    #[test]
    fn a_pkcs8_document_of_another_kind_is_refused() {
        let document = Ed25519KeyPair::generate_pkcs8(&rand::SystemRandom::new()).unwrap();
        assert!(RingSigner::from_pkcs8(document.as_ref()).is_ok());
        assert!(RingSigner::from_pkcs8(&document.as_ref()[1..]).is_err());
        assert!(RingSigner::from_pkcs8(b"").is_err());
    }

    #[test]
    fn a_submit_signature_holds_for_its_channel_id_and_program_alone() {
        let (_, signer) = RingSigner::generate().unwrap();
        let key = signer.public_key();
        let signature = sign_submit(&signer, [1; 32], 7, [2; 32]);
        let check = |exporter, id, program| {
            verify_submit(&RingCrypto, &key, exporter, id, program, &signature)
        };
        assert_eq!(check([1; 32], 7, [2; 32]), Ok(()));
        assert_eq!(check([3; 32], 7, [2; 32]), Err(CryptoError::BadSignature));
        assert_eq!(check([1; 32], 8, [2; 32]), Err(CryptoError::BadSignature));
        assert_eq!(check([1; 32], 7, [3; 32]), Err(CryptoError::BadSignature));
        let (_, other) = RingSigner::generate().unwrap();
        assert_eq!(
            verify_submit(
                &RingCrypto,
                &other.public_key(),
                [1; 32],
                7,
                [2; 32],
                &signature
            ),
            Err(CryptoError::BadSignature)
        );
    }

    #[test]
    fn the_submit_input_is_label_exporter_big_endian_id_and_digest() {
        let input = submit_signature_input([0xaa; 32], 0x0102, [0xbb; 32]);
        assert_eq!(input.len(), SUBMIT_INPUT_LEN);
        assert_eq!(&input[..19], b"OfficeOS submit v1\0");
        assert_eq!(input[19..51], [0xaa; 32]);
        assert_eq!(input[51..59], [0, 0, 0, 0, 0, 0, 1, 2]);
        assert_eq!(input[59..], [0xbb; 32]);
    }

    #[test]
    fn secrets_print_as_a_redaction() {
        let key = RelationshipKey::from_bytes([0x41; 32]);
        assert_eq!(format!("{key:?}"), "RelationshipKey(redacted)");
        let secret = TokenSecret::from_bytes([0x41; 32]);
        assert_eq!(format!("{secret:?}"), "TokenSecret(redacted)");
        assert!(!format!("{:?}", RingSigner::new(&key)).contains("4141"));
    }

    #[test]
    fn a_public_key_survives_spki_and_no_other_encoding_is_read() {
        let (_, signer) = RingSigner::generate().unwrap();
        let key = signer.public_key();
        let der = key.spki();
        assert_eq!(PublicKey::from_spki(&der), Ok(key));
        for index in 0..12 {
            let mut wrong = der;
            wrong[index] ^= 1;
            assert_eq!(PublicKey::from_spki(&wrong), Err(CryptoError::BadKey));
        }
        assert!(PublicKey::from_spki(&der[..43]).is_err());
        assert!(PublicKey::from_spki(&[&der[..], &[0]].concat()).is_err());
    }

    #[test]
    fn constant_time_eq_agrees_with_equality() {
        assert!(RingCrypto.constant_time_eq(b"abc", b"abc"));
        assert!(!RingCrypto.constant_time_eq(b"abc", b"abd"));
        assert!(!RingCrypto.constant_time_eq(b"abc", b"ab"));
    }
}
