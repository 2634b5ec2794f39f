//! ChaCha20-Poly1305 (RFC 8439), as all that the card keeps sealed is sealed.

use ring::aead;

/// Octets of a nonce. A key never meets one twice: each is 96 random bits, and a card writes less than 2^32 of them.
pub const NONCE_LEN: usize = aead::NONCE_LEN;

/// Octets that sealing adds.
pub const TAG_LEN: usize = 16;

/// A key, ready to seal and open with.
#[derive(Debug)]
pub struct Cipher(aead::LessSafeKey);

/// Sealing would pass the cipher's own bound of 256 GiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong;

impl Cipher {
    /// For one key.
    pub fn new(key: &[u8; 32]) -> Self {
        let key = aead::UnboundKey::new(&aead::CHACHA20_POLY1305, key)
            .expect("the key has the cipher's 32 octets");
        Self(aead::LessSafeKey::new(key))
    }

    /// Seals `content` in place, bound to `place`; the tag goes to its end.
    ///
    /// # Errors
    /// [`TooLong`].
    pub fn seal(
        &self,
        nonce: [u8; NONCE_LEN],
        place: &[u8],
        content: &mut Vec<u8>,
    ) -> Result<(), TooLong> {
        let nonce = aead::Nonce::assume_unique_for_key(nonce);
        self.0
            .seal_in_place_append_tag(nonce, aead::Aad::from(place), content)
            .map_err(|_| TooLong)
    }

    /// What [`Cipher::seal`] sealed with this key, nonce and place; `None` for anything else.
    pub fn open(
        &self,
        nonce: [u8; NONCE_LEN],
        place: &[u8],
        mut sealed: Vec<u8>,
    ) -> Option<Vec<u8>> {
        let nonce = aead::Nonce::assume_unique_for_key(nonce);
        let len = self
            .0
            .open_in_place(nonce, aead::Aad::from(place), &mut sealed)
            .ok()?
            .len();
        sealed.truncate(len);
        Some(sealed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn tests(text: &str) -> Vec<Value> {
        let file: Value = serde_json::from_str(text).unwrap();
        file["tests"].as_array().unwrap().clone()
    }

    fn field(test: &Value, name: &str) -> Vec<u8> {
        let text = test[name].as_str().unwrap();
        (0..text.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
            .collect()
    }

    /// The first of them is RFC 8439's own, section 2.8.2.
    #[test]
    fn what_wycheproof_sealed_opens_and_is_sealed_alike_and_what_it_bent_does_not_open() {
        let (mut opened, mut refused, mut unsayable) = (0, 0, 0);
        for test in tests(include_str!(
            "../../../shared-proto/tests/wycheproof/chacha20_poly1305.json"
        )) {
            let Ok(nonce) = <[u8; NONCE_LEN]>::try_from(field(&test, "iv")) else {
                // A nonce of another length cannot be handed over here.
                assert_eq!(test["valid"], false, "{test}");
                unsayable += 1;
                continue;
            };
            let cipher = Cipher::new(&field(&test, "key").try_into().unwrap());
            let (place, plain) = (field(&test, "aad"), field(&test, "msg"));
            let sealed = [field(&test, "ct"), field(&test, "tag")].concat();
            if test["valid"] == true {
                assert_eq!(
                    cipher.open(nonce, &place, sealed.clone()),
                    Some(plain.clone())
                );
                let mut ours = plain;
                cipher.seal(nonce, &place, &mut ours).unwrap();
                assert_eq!(ours, sealed, "{test}");
                opened += 1;
            } else {
                assert_eq!(cipher.open(nonce, &place, sealed), None, "{test}");
                refused += 1;
            }
        }
        assert_eq!((opened, refused, unsayable), (256, 60, 9));
    }

    #[test]
    fn the_lock_stretches_sequences_as_wycheproof_does() {
        let mut checked = 0;
        for test in tests(include_str!(
            "../../../shared-proto/tests/wycheproof/pbkdf2_hmacsha256.json"
        )) {
            let salt = field(&test, "salt").try_into().unwrap();
            let rounds = test["rounds"].as_u64().unwrap() as u32;
            let key = crate::lock::stretch(&field(&test, "password"), &salt, rounds);
            let expected = field(&test, "dk");
            let same = expected.len().min(key.len());
            assert_eq!(key[..same], expected[..same], "{test}");
            checked += 1;
        }
        assert_eq!(checked, 24);
    }
}
