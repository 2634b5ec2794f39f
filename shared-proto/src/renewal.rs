//! Renewal: new keys for an old relationship, inside a session that the old keys opened.
//!
//! A handheld's key lies on a card that can be copied. Renewal bounds how long a copy is worth anything: both
//! sides make fresh keys, each signs both with its old one over a value of this channel, and the first session
//! on the new keys erases the old ones. It extends no expiry: that is the laptop's person's to say.
//!
//! ```text
//! handheld                              laptop
//!   Propose{new key}              ─▶                        only if it is due there; else Decline
//!                                 ◀─    Offer{new key}
//!   Sign{by the old key}          ─▶
//!                                 ·     stores the new pair beside the old
//!                                 ◀─    Sign{by the old key}
//!   stores the new pair beside the old
//! ```
//!
//! # A crash at any step
//! Nobody sends the signature that lets the other side use the new pair before having stored it, and nobody
//! erases the old pair before a session on the new one stands. So the laptop's [`KeyRing`] holds every pair that
//! the handheld's holds and might use first, or the one the handheld falls back on:
//!
//! | crash | laptop accepts | handheld tries | works |
//! |---|---|---|---|
//! | before the laptop stored | old | old | old |
//! | before the handheld stored | old, new | old | old |
//! | after both stored | old, new | new, then old | new |
//! | after the laptop erased | new | new, then old | new |
//! | after both erased | new | new | new |
//!
//! A card restored from a backup that is older than the last renewal is a stranger: pair it again.

use alloc::vec::Vec;
use core::fmt;

use serde::{Deserialize, Serialize};

use crate::crypto::{Crypto, PublicKey, RelationshipKey, Signature, Signer, TokenSecret};

/// Exporter label of the value that the signatures are bound to. Its context is empty.
pub const EXPORTER_RENEW: &[u8] = b"EXPORTER-OfficeOS-renew-v1";

/// Exporter label of the value that the new token secret is made from. Its context is empty.
pub const EXPORTER_RENEW_TOKEN: &[u8] = b"EXPORTER-OfficeOS-renew-token-v1";

const SIGN_LABEL: &[u8; 18] = b"OfficeOS renew v1\0";

const TOKEN_LABEL: &[u8] = b"OfficeOS renew token v1\0";

/// One pair of identities: all that opens a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// Our private key.
    pub own: RelationshipKey,
    /// The peer's key.
    pub peer: PublicKey,
    /// For server-name tokens. Each pair has its own, so that the token tells the laptop which keys to answer with.
    pub token: TokenSecret,
}

/// The pairs of identities that one side holds for one relationship: one, or two around a renewal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRing {
    /// Proven by a session, or made by pairing.
    pub current: Credentials,
    /// Agreed, but not proven by a session yet.
    pub next: Option<Credentials>,
}

/// Which pair of a [`KeyRing`] a session runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// [`KeyRing::current`].
    Current,
    /// [`KeyRing::next`].
    Next,
}

impl KeyRing {
    /// A ring fresh from pairing.
    #[must_use]
    pub fn new(current: Credentials) -> Self {
        Self {
            current,
            next: None,
        }
    }

    /// What the handheld tries and the laptop accepts, the newest first.
    ///
    /// The handheld falls back on the next one when the laptop refuses the first.
    pub fn pairs(&self) -> impl Iterator<Item = (Which, &Credentials)> {
        let next = self.next.iter().map(|pair| (Which::Next, pair));
        next.chain([(Which::Current, &self.current)])
    }

    /// Which of them `pair` is; `None` once it was erased or replaced.
    #[must_use]
    pub fn which(&self, pair: &Credentials) -> Option<Which> {
        self.pairs()
            .find_map(|(which, held)| (held == pair).then_some(which))
    }

    /// Takes what a renewal agreed on. Store the ring before going on; a pair that was never used makes room.
    pub fn adopt(&mut self, next: Credentials) {
        self.next = Some(next);
    }

    /// A session on `which` stands: both sides have proven those keys. True when the old pair is erased by it,
    /// and so the ring is to be stored.
    pub fn proven(&mut self, which: Which) -> bool {
        match (which, self.next.take()) {
            (Which::Next, Some(next)) => {
                self.current = next;
                true
            }
            (_, next) => {
                self.next = next;
                false
            }
        }
    }
}

/// A key made for one renewal.
#[derive(Clone, Debug)]
pub struct Fresh {
    /// The private key.
    pub key: RelationshipKey,
    /// Its public half.
    pub public: PublicKey,
}

impl Fresh {
    /// Makes one.
    ///
    /// # Errors
    /// [`NoRandomness`](crate::crypto::CryptoError::NoRandomness).
    #[cfg(feature = "std")]
    pub fn generate() -> Result<Self, crate::crypto::CryptoError> {
        let (key, signer) = crate::crypto::ring::RingSigner::generate()?;
        let public = signer.public_key();
        Ok(Self { key, public })
    }
}

/// The values of the running session that a renewal rests on.
#[derive(Clone, Debug)]
pub struct RenewalBinding {
    /// What is signed.
    exporter: [u8; 32],
    token: TokenSecret,
    /// The old keys.
    handheld: PublicKey,
    laptop: PublicKey,
}

impl RenewalBinding {
    /// From the two exporter values ([`EXPORTER_RENEW`], [`EXPORTER_RENEW_TOKEN`]) and the keys of the session.
    #[must_use]
    pub fn new(
        exporter: [u8; 32],
        token: [u8; 32],
        handheld: PublicKey,
        laptop: PublicKey,
    ) -> Self {
        Self {
            exporter,
            token: TokenSecret::from_bytes(token),
            handheld,
            laptop,
        }
    }

    /// From the channel of the session, on the handheld, whose key there is `own`.
    ///
    /// # Errors
    /// [`ChannelError`](crate::channel::ChannelError) when the channel does not stand.
    #[cfg(feature = "std")]
    pub fn on_handheld(
        channel: &dyn crate::channel::Channel,
        own: PublicKey,
    ) -> Result<Self, crate::channel::ChannelError> {
        let peer = Self::peer(channel)?;
        Self::on_channel(channel, own, peer)
    }

    /// From the channel of the session, on the laptop, whose key there is `own`.
    ///
    /// # Errors
    /// As [`RenewalBinding::on_handheld`].
    #[cfg(feature = "std")]
    pub fn on_laptop(
        channel: &dyn crate::channel::Channel,
        own: PublicKey,
    ) -> Result<Self, crate::channel::ChannelError> {
        let peer = Self::peer(channel)?;
        Self::on_channel(channel, peer, own)
    }

    #[cfg(feature = "std")]
    fn peer(
        channel: &dyn crate::channel::Channel,
    ) -> Result<PublicKey, crate::channel::ChannelError> {
        channel
            .peer_key()
            .ok_or(crate::channel::ChannelError::NotReady)
    }

    #[cfg(feature = "std")]
    fn on_channel(
        channel: &dyn crate::channel::Channel,
        handheld: PublicKey,
        laptop: PublicKey,
    ) -> Result<Self, crate::channel::ChannelError> {
        Ok(Self::new(
            channel.exporter(EXPORTER_RENEW, b"")?,
            channel.exporter(EXPORTER_RENEW_TOKEN, b"")?,
            handheld,
            laptop,
        ))
    }

    /// Refuses keys that are not new.
    fn check(&self, new_handheld: &PublicKey, new_laptop: &PublicKey) -> Result<(), RenewalError> {
        let old = [self.handheld, self.laptop];
        if new_handheld == new_laptop || old.contains(new_handheld) || old.contains(new_laptop) {
            return Err(RenewalError::NotFresh);
        }
        Ok(())
    }

    /// What one side signs: label, its letter, exporter, both new keys as SubjectPublicKeyInfo, handheld first.
    fn signed(
        &self,
        role: u8,
        new_handheld: &PublicKey,
        new_laptop: &PublicKey,
    ) -> [u8; SIGN_LABEL.len() + 1 + 32 + 2 * PublicKey::SPKI_LEN] {
        let mut input = [0; _];
        let mut rest = &mut input[..];
        for part in [
            &SIGN_LABEL[..],
            &[role],
            &self.exporter,
            &new_handheld.spki(),
            &new_laptop.spki(),
        ] {
            let (head, tail) = rest.split_at_mut(part.len());
            head.copy_from_slice(part);
            rest = tail;
        }
        input
    }

    fn new_token(
        &self,
        crypto: &dyn Crypto,
        new_handheld: &PublicKey,
        new_laptop: &PublicKey,
    ) -> TokenSecret {
        TokenSecret::from_bytes(crypto.hmac_sha256(
            self.token.expose(),
            &[TOKEN_LABEL, &new_handheld.spki(), &new_laptop.spki()],
        ))
    }
}

const HANDHELD: u8 = b'H';
const LAPTOP: u8 = b'L';

/// A step, as `Renew` and `Renewed` carry it. The order of the variants is their number on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Step {
    /// Handheld: a new key.
    Propose(PublicKey),
    /// Laptop: its new key.
    Offer(PublicKey),
    /// Either: the signature of the old key over both.
    Sign(Signature),
    /// Laptop: not now.
    Decline,
}

impl Step {
    fn bytes(&self) -> Vec<u8> {
        postcard::to_allocvec(self).expect("a step has at most 65 bytes")
    }

    fn decode(bytes: &[u8]) -> Result<Self, RenewalError> {
        crate::codec::from_postcard(bytes).map_err(|_| RenewalError::Malformed)
    }
}

/// Why a renewal ended. The old keys go on as if nothing had happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RenewalError {
    /// The laptop does not renew now.
    Declined,
    /// A step that does not decode.
    Malformed,
    /// A step that may not come now.
    OutOfOrder,
    /// A key that is one of the old ones, or the same on both sides.
    NotFresh,
    /// The old key has not signed what it should have.
    BadSignature,
}

impl fmt::Display for RenewalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Declined => "the laptop does not renew its keys now",
            Self::Malformed => "the peer sent bytes that are no step of a renewal",
            Self::OutOfOrder => "the peer sent a step of renewal that may not come now",
            Self::NotFresh => "the peer offered a key that is not new",
            Self::BadSignature => "the peer's old key has not signed the new ones",
        })
    }
}

impl core::error::Error for RenewalError {}

/// What a machine wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Renewing {
    /// Send this step.
    Send(Vec<u8>),
    /// [`KeyRing::adopt`] this pair and store the ring, durably. The laptop then calls
    /// [`LaptopRenewal::stored`]; the handheld is done, and opens its next session on it.
    Store(Credentials),
}

/// What the laptop answers instead of beginning a renewal.
#[must_use]
pub fn decline() -> Vec<u8> {
    Step::Decline.bytes()
}

/// The handheld's machine for one renewal. It lives as long as the session at most.
#[derive(Clone, Debug)]
pub struct HandheldRenewal<C> {
    crypto: C,
    binding: RenewalBinding,
    fresh: Fresh,
    /// The laptop's new key, once it is known.
    offered: Option<PublicKey>,
    over: bool,
}

impl<C: Crypto> HandheldRenewal<C> {
    /// Begins; the bytes are the first step to send.
    pub fn start(crypto: C, binding: RenewalBinding, fresh: Fresh) -> (Self, Vec<u8>) {
        let propose = Step::Propose(fresh.public).bytes();
        let machine = Self {
            crypto,
            binding,
            fresh,
            offered: None,
            over: false,
        };
        (machine, propose)
    }

    /// Takes a step of the laptop's. `old` signs with the key of this session.
    ///
    /// # Errors
    /// Any error ends the renewal; the session goes on.
    pub fn receive(&mut self, step: &[u8], old: &dyn Signer) -> Result<Renewing, RenewalError> {
        let result = self.handle(step, old);
        self.over |= !matches!(result, Ok(Renewing::Send(_)));
        result
    }

    fn handle(&mut self, step: &[u8], old: &dyn Signer) -> Result<Renewing, RenewalError> {
        if self.over {
            return Err(RenewalError::OutOfOrder);
        }
        let own = self.fresh.public;
        match (Step::decode(step)?, self.offered) {
            (Step::Decline, None) => Err(RenewalError::Declined),
            (Step::Offer(peer), None) => {
                self.binding.check(&own, &peer)?;
                self.offered = Some(peer);
                let signature = old.sign(&self.binding.signed(HANDHELD, &own, &peer));
                Ok(Renewing::Send(Step::Sign(signature).bytes()))
            }
            (Step::Sign(signature), Some(peer)) => {
                let signed = self.binding.signed(LAPTOP, &own, &peer);
                self.crypto
                    .verify(&self.binding.laptop, &signed, &signature)
                    .map_err(|_| RenewalError::BadSignature)?;
                Ok(Renewing::Store(Credentials {
                    own: self.fresh.key.clone(),
                    peer,
                    token: self.binding.new_token(&self.crypto, &own, &peer),
                }))
            }
            _ => Err(RenewalError::OutOfOrder),
        }
    }
}

/// The laptop's machine for one renewal. Made when a first step comes and renewing is due; else see [`decline`].
#[derive(Clone, Debug)]
pub struct LaptopRenewal<C> {
    crypto: C,
    binding: RenewalBinding,
    fresh: Fresh,
    state: LaptopState,
}

#[derive(Clone, Copy, Debug)]
enum LaptopState {
    Expecting,
    Offered(PublicKey),
    Storing(PublicKey),
    Over,
}

impl<C: Crypto> LaptopRenewal<C> {
    /// Waits for the handheld's first step.
    pub fn new(crypto: C, binding: RenewalBinding, fresh: Fresh) -> Self {
        Self {
            crypto,
            binding,
            fresh,
            state: LaptopState::Expecting,
        }
    }

    /// Takes a step of the handheld's.
    ///
    /// # Errors
    /// Any error ends the renewal; the session goes on.
    pub fn receive(&mut self, step: &[u8]) -> Result<Renewing, RenewalError> {
        let state = core::mem::replace(&mut self.state, LaptopState::Over);
        let own = self.fresh.public;
        match (Step::decode(step)?, state) {
            (Step::Propose(peer), LaptopState::Expecting) => {
                self.binding.check(&peer, &own)?;
                self.state = LaptopState::Offered(peer);
                Ok(Renewing::Send(Step::Offer(own).bytes()))
            }
            (Step::Sign(signature), LaptopState::Offered(peer)) => {
                let signed = self.binding.signed(HANDHELD, &peer, &own);
                self.crypto
                    .verify(&self.binding.handheld, &signed, &signature)
                    .map_err(|_| RenewalError::BadSignature)?;
                self.state = LaptopState::Storing(peer);
                Ok(Renewing::Store(Credentials {
                    own: self.fresh.key.clone(),
                    peer,
                    token: self.binding.new_token(&self.crypto, &peer, &own),
                }))
            }
            _ => Err(RenewalError::OutOfOrder),
        }
    }

    /// The pair is stored, durably: the last step to send. None unless a pair was to be stored.
    /// `old` signs with the key of this session.
    pub fn stored(&mut self, old: &dyn Signer) -> Option<Vec<u8>> {
        let LaptopState::Storing(peer) = self.state else {
            return None;
        };
        self.state = LaptopState::Over;
        let signed = self.binding.signed(LAPTOP, &peer, &self.fresh.public);
        Some(Step::Sign(old.sign(&signed)).bytes())
    }
}

#[cfg(all(test, feature = "std"))]
mod tests;
