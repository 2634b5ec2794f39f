//! The rotating server name by which a laptop knows which relationship knocks, before any expensive work.
//!
//! TLS sends the server name in the clear. A fixed name would let anyone in radio range follow a handheld
//! about, so every connection carries a fresh one: a random nonce and a MAC of it under a secret that only the
//! two sides have. There is no counter, so a card restored from a backup does not lock itself out; what a
//! listener could gain by sending a name again (one handshake, which it can't finish) is bounded by
//! [`ReplayCache`].
//!
//! ```text
//! name  = label ".invalid"                    60 characters
//! label = base32(nonce[16] ‖ mac[16])         52 characters, RFC 4648 alphabet in lower case, no padding
//! mac   = HMAC-SHA-256(secret, "OfficeOS token v1" 00 ‖ nonce)[..16]
//! ```

use core::fmt;

use heapless::String;

use crate::crypto::{Crypto, CryptoError, TokenSecret};

/// Bytes of a nonce. 16 random bytes do not repeat in any relationship's life.
pub const NONCE_LEN: usize = 16;

/// Bytes kept of the MAC: a stranger's guess is right once in 2^128.
const MAC_LEN: usize = 16;

/// Characters of the label: 32 bytes at five bits each. A DNS label may have 63.
const LABEL_LEN: usize = ((NONCE_LEN + MAC_LEN) * 8).div_ceil(5);

/// The reserved top level (RFC 2606): no resolver will ever answer for it.
const SUFFIX: &str = ".invalid";

/// Characters of a whole name.
pub const NAME_LEN: usize = LABEL_LEN + SUFFIX.len();

/// Keeps this MAC apart from any other made with the same secret.
const MAC_LABEL: &[u8] = b"OfficeOS token v1\0";

const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// The random part of one name; what the replay cache remembers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct TokenNonce(pub [u8; NONCE_LEN]);

impl TokenNonce {
    /// A fresh one.
    ///
    /// # Errors
    /// [`CryptoError::NoRandomness`].
    pub fn generate(crypto: &dyn Crypto) -> Result<Self, CryptoError> {
        let mut nonce = [0; NONCE_LEN];
        crypto.random(&mut nonce)?;
        Ok(Self(nonce))
    }
}

/// A server name ready to be sent. Use it for one connection.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenName(String<NAME_LEN>);

impl TokenName {
    /// The name as TLS sends it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for TokenName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whose name it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// Position of the matching secret among those that were tried.
    pub index: usize,
    /// To be shown to that relationship's [`ReplayCache`].
    pub nonce: TokenNonce,
}

/// Makes the name for one connection. The same nonce gives the same name: take a fresh one each time.
#[must_use]
pub fn mint(crypto: &dyn Crypto, secret: &TokenSecret, nonce: TokenNonce) -> TokenName {
    let mac = mac(crypto, secret, nonce);
    let mut name = String::new();
    // 256 bits in groups of five: the last character carries one bit and four zeros.
    let (mut bits, mut held) = (0_u32, 0_u32);
    for byte in nonce.0.iter().chain(&mac) {
        bits = bits << 8 | u32::from(*byte);
        held += 8;
        while held >= 5 {
            held -= 5;
            push(&mut name, bits >> held);
        }
    }
    push(&mut name, bits << (5 - held));
    name.push_str(SUFFIX)
        .expect("a name's capacity is its length");
    TokenName(name)
}

fn push(name: &mut String<NAME_LEN>, bits: u32) {
    name.push(char::from(ALPHABET[bits as usize & 31]))
        .expect("a name's capacity is its length");
}

/// Finds the secret that `name` was minted with. Costs one HMAC per secret, and nothing for a malformed name.
///
/// All secrets are tried whatever the outcome, so that time tells nobody which relationship it was.
#[must_use]
pub fn find<'a>(
    crypto: &dyn Crypto,
    name: &str,
    secrets: impl IntoIterator<Item = &'a TokenSecret>,
) -> Option<Found> {
    let (nonce, claimed) = parse(name)?;
    let mut found = None;
    for (index, secret) in secrets.into_iter().enumerate() {
        if crypto.constant_time_eq(&mac(crypto, secret, nonce), &claimed) {
            found = found.or(Some(Found { index, nonce }));
        }
    }
    found
}

fn mac(crypto: &dyn Crypto, secret: &TokenSecret, nonce: TokenNonce) -> [u8; MAC_LEN] {
    let whole = crypto.hmac_sha256(secret.expose(), &[MAC_LABEL, &nonce.0]);
    let mut kept = [0; MAC_LEN];
    kept.copy_from_slice(&whole[..MAC_LEN]);
    kept
}

/// Nonce and MAC of a well-formed name. Exactly one spelling is read for any pair of them.
fn parse(name: &str) -> Option<(TokenNonce, [u8; MAC_LEN])> {
    let label = name.strip_suffix(SUFFIX)?.as_bytes();
    if label.len() != LABEL_LEN {
        return None;
    }
    let mut bytes = [0_u8; NONCE_LEN + MAC_LEN];
    let (mut bits, mut held, mut at) = (0_u32, 0_u32, 0);
    for character in label {
        let value = match character {
            b'a'..=b'z' => character - b'a',
            b'2'..=b'7' => character - b'2' + 26,
            _ => return None,
        };
        bits = (bits << 5 | u32::from(value)) & 0xfff;
        held += 5;
        if held >= 8 {
            held -= 8;
            bytes[at] = (bits >> held) as u8;
            at += 1;
        }
    }
    if bits & ((1 << held) - 1) != 0 {
        return None;
    }
    let (mut nonce, mut mac) = ([0; NONCE_LEN], [0; MAC_LEN]);
    nonce.copy_from_slice(&bytes[..NONCE_LEN]);
    mac.copy_from_slice(&bytes[NONCE_LEN..]);
    Some((TokenNonce(nonce), mac))
}

/// Nonces one relationship has used lately; the oldest make room. One per relationship.
///
/// Only names with a right MAC reach it, so that a stranger can't push entries out. An older name that a
/// listener recorded costs the laptop one handshake that never completes, and nothing else.
#[derive(Clone, Debug)]
pub struct ReplayCache {
    nonces: heapless::Deque<TokenNonce, { ReplayCache::CAPACITY }>,
}

impl ReplayCache {
    /// Names remembered: an hour of reconnecting once a minute, in 1 KiB.
    pub const CAPACITY: usize = 64;

    /// An empty one.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            nonces: heapless::Deque::new(),
        }
    }

    /// Whether the nonce is new; if so, remembers it.
    pub fn admit(&mut self, nonce: TokenNonce) -> bool {
        if self.nonces.iter().any(|known| *known == nonce) {
            return false;
        }
        if self.nonces.is_full() {
            self.nonces.pop_front();
        }
        self.nonces.push_back(nonce).is_ok()
    }
}

impl Default for ReplayCache {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::crypto::ring::RingCrypto;

    fn secret(byte: u8) -> TokenSecret {
        TokenSecret::from_bytes([byte; 32])
    }

    #[test]
    fn a_name_has_its_published_spelling() {
        let name = mint(
            &RingCrypto,
            &secret(0x11),
            TokenNonce(core::array::from_fn(|i| i as u8)),
        );
        assert_eq!(name.as_str().len(), NAME_LEN);
        assert_eq!(NAME_LEN, 60);
        // The first 25 characters spell the nonce, whatever the secret is.
        assert!(name.as_str().starts_with("aaaqeayeaudaocajbifqydiob"));
        assert_eq!(name.as_str(), PUBLISHED);
        assert!(include_str!("../SPEC.md").contains(PUBLISHED));
    }

    const PUBLISHED: &str = "aaaqeayeaudaocajbifqydiob4uaq664gtwwuyroengos6trvqdq.invalid";

    #[test]
    fn a_name_is_found_among_several_secrets_and_only_there() {
        let secrets = [secret(1), secret(2), secret(3)];
        let nonce = TokenNonce([7; NONCE_LEN]);
        for (index, own) in secrets.iter().enumerate() {
            let name = mint(&RingCrypto, own, nonce);
            assert_eq!(
                find(&RingCrypto, name.as_str(), &secrets),
                Some(Found { index, nonce })
            );
        }
        let stranger = mint(&RingCrypto, &secret(9), nonce);
        assert_eq!(find(&RingCrypto, stranger.as_str(), &secrets), None);
        assert_eq!(find(&RingCrypto, stranger.as_str(), []), None);
    }

    #[test]
    fn every_changed_character_is_refused() {
        let own = [secret(1)];
        let name = mint(&RingCrypto, &own[0], TokenNonce([7; NONCE_LEN]));
        for at in 0..NAME_LEN {
            for other in 0..=127_u8 {
                let mut wrong = name.as_str().as_bytes().to_vec();
                if wrong[at] == other {
                    continue;
                }
                wrong[at] = other;
                let wrong = core::str::from_utf8(&wrong).unwrap();
                assert_eq!(find(&RingCrypto, wrong, &own), None, "{wrong}");
            }
        }
    }

    #[test]
    fn a_name_cut_short_or_lengthened_is_refused() {
        let own = [secret(1)];
        let name = mint(&RingCrypto, &own[0], TokenNonce([7; NONCE_LEN]));
        for end in 0..NAME_LEN {
            assert_eq!(find(&RingCrypto, &name.as_str()[..end], &own), None);
        }
        for longer in ["a", "=", ".", ".invalid"] {
            let longer = format!("{}{longer}", name.as_str());
            assert_eq!(find(&RingCrypto, &longer, &own), None);
        }
    }

    #[test]
    fn a_replayed_nonce_is_refused_until_it_is_the_oldest_of_too_many() {
        let nonce = |n: u8| TokenNonce([n; NONCE_LEN]);
        let mut cache = ReplayCache::new();
        for n in 0..ReplayCache::CAPACITY as u8 {
            assert!(cache.admit(nonce(n)));
        }
        for n in 0..ReplayCache::CAPACITY as u8 {
            assert!(!cache.admit(nonce(n)));
        }
        assert!(cache.admit(nonce(200)));
        assert!(cache.admit(nonce(0)), "the oldest made room");
        assert!(!cache.admit(nonce(2)));
    }

    proptest! {
        #[test]
        fn minting_then_finding_returns_the_nonce(bytes: [u8; 16], key: [u8; 32]) {
            let own = [TokenSecret::from_bytes(key)];
            let nonce = TokenNonce(bytes);
            let name = mint(&RingCrypto, &own[0], nonce);
            prop_assert_eq!(find(&RingCrypto, name.as_str(), &own), Some(Found { index: 0, nonce }));
        }

        #[test]
        fn any_text_is_read_without_panic(text in ".{0,80}") {
            prop_assert_eq!(find(&RingCrypto, &text, &[secret(1)]), None);
        }
    }
}
