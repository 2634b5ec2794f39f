//! What ties an attempt to one channel and two keys: commitment, digits, transcript and confirmations.

use core::fmt;

use super::{EXPORTER_CONFIRM, EXPORTER_PAIR, EXPORTER_TOKEN, PAIRING_VERSION, PairingError};
use crate::crypto::{Crypto, PublicKey, RelationshipKey, TokenSecret};

/// Bytes of an exporter context: the version and both SubjectPublicKeyInfos, handheld first.
const CONTEXT_LEN: usize = 1 + 2 * PublicKey::SPKI_LEN;

/// Which side says something; hashed in, so that no message can be played back to who sent it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Role {
    Handheld,
    Laptop,
}

impl Role {
    const fn name(self) -> &'static [u8] {
        match self {
            Self::Handheld => b"handheld",
            Self::Laptop => b"laptop",
        }
    }
}

/// The values of one channel that a pairing rests on.
#[derive(Clone, Debug)]
pub struct Binding {
    handheld: PublicKey,
    laptop: PublicKey,
    exporter: [u8; 32],
    /// Not a signing key, but as secret as one.
    confirm: RelationshipKey,
    token: TokenSecret,
}

impl Binding {
    /// Takes the values out of a channel: `exporter` is its [`exporter`](crate::channel::Channel::exporter).
    ///
    /// # Errors
    /// [`PairingError::Reflected`] when both keys are one; whatever `exporter` fails with.
    pub fn derive(
        handheld: PublicKey,
        laptop: PublicKey,
        mut exporter: impl FnMut(&[u8], &[u8]) -> Result<[u8; 32], PairingError>,
    ) -> Result<Self, PairingError> {
        if handheld == laptop {
            return Err(PairingError::Reflected);
        }
        let mut context = [PAIRING_VERSION; CONTEXT_LEN];
        context[1..=PublicKey::SPKI_LEN].copy_from_slice(&handheld.spki());
        context[1 + PublicKey::SPKI_LEN..].copy_from_slice(&laptop.spki());
        Ok(Self {
            handheld,
            laptop,
            exporter: exporter(EXPORTER_PAIR, &context)?,
            confirm: RelationshipKey::from_bytes(exporter(EXPORTER_CONFIRM, &context)?),
            token: TokenSecret::from_bytes(exporter(EXPORTER_TOKEN, &context)?),
        })
    }

    /// The binding of a pairing channel whose handshake is complete, as the laptop sees it.
    ///
    /// # Errors
    /// [`PairingError::Cut`] while handshaking or after a failure, [`PairingError::Reflected`] for equal keys.
    #[cfg(feature = "std")]
    pub fn on_laptop(
        channel: &dyn crate::channel::Channel,
        own: PublicKey,
    ) -> Result<Self, PairingError> {
        let peer = channel.peer_key().ok_or(PairingError::Cut)?;
        Self::on_channel(channel, peer, own)
    }

    /// The binding of a pairing channel whose handshake is complete, as the handheld sees it.
    ///
    /// # Errors
    /// As [`Binding::on_laptop`].
    #[cfg(feature = "std")]
    pub fn on_handheld(
        channel: &dyn crate::channel::Channel,
        own: PublicKey,
    ) -> Result<Self, PairingError> {
        let peer = channel.peer_key().ok_or(PairingError::Cut)?;
        Self::on_channel(channel, own, peer)
    }

    #[cfg(feature = "std")]
    fn on_channel(
        channel: &dyn crate::channel::Channel,
        handheld: PublicKey,
        laptop: PublicKey,
    ) -> Result<Self, PairingError> {
        Self::derive(handheld, laptop, |label, context| {
            channel
                .exporter(label, context)
                .map_err(|_| PairingError::Cut)
        })
    }

    pub(super) fn handheld(&self) -> PublicKey {
        self.handheld
    }

    pub(super) fn laptop(&self) -> PublicKey {
        self.laptop
    }

    pub(super) fn token(&self) -> TokenSecret {
        self.token.clone()
    }

    /// What the laptop says before it knows the handheld's nonce.
    pub(super) fn commitment(&self, crypto: &dyn Crypto, laptop_nonce: &[u8; 32]) -> [u8; 32] {
        hash(
            crypto,
            &[
                b"OfficeOS pair commit v1",
                Role::Laptop.name(),
                &self.exporter,
                laptop_nonce,
            ],
        )
    }

    /// The six digits of this channel and these nonces.
    pub(super) fn digits(
        &self,
        crypto: &dyn Crypto,
        handheld_nonce: &[u8; 32],
        laptop_nonce: &[u8; 32],
    ) -> Digits {
        let mut nonces = [0; 64];
        nonces[..32].copy_from_slice(handheld_nonce);
        nonces[32..].copy_from_slice(laptop_nonce);
        let mut wide = [0; 8];
        crypto
            .hkdf_sha256(
                &self.exporter,
                &nonces,
                &[
                    b"OfficeOS pair digits v1",
                    &self.handheld.spki(),
                    &self.laptop.spki(),
                ],
                &mut wide,
            )
            .expect("eight bytes are within one block");
        // 64 bits modulo a million: the bias is below 10^-13.
        Digits((u64::from_be_bytes(wide) % 1_000_000) as u32)
    }

    /// A side's confirmation of everything said so far, and of `body`.
    pub(super) fn confirmation(
        &self,
        crypto: &dyn Crypto,
        role: Role,
        transcript: &Transcript,
        body: &[u8],
    ) -> [u8; 32] {
        let said = hash(
            crypto,
            &[
                b"OfficeOS pair confirm v1",
                role.name(),
                &transcript.0,
                body,
            ],
        );
        crypto.hmac_sha256(self.confirm.expose(), &[&said])
    }

    /// The transcript before anything was said.
    pub(super) fn transcript(&self, crypto: &dyn Crypto) -> Transcript {
        Transcript(hash(
            crypto,
            &[b"OfficeOS pair transcript v1", &self.exporter],
        ))
    }
}

/// A hash over every message in the order in which they were said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Transcript([u8; 32]);

impl Transcript {
    /// Adds one message.
    pub(super) fn add(&mut self, crypto: &dyn Crypto, sender: Role, payload: &[u8]) {
        self.0 = hash(crypto, &[&self.0, sender.name(), payload]);
    }
}

/// SHA-256 over parts, each behind its length as two bytes, big-endian: no part can run into the next.
fn hash(crypto: &dyn Crypto, parts: &[&[u8]]) -> [u8; 32] {
    const MAX_PARTS: usize = 4;
    let mut lengths = [[0; 2]; MAX_PARTS];
    let mut all: [&[u8]; 2 * MAX_PARTS] = [&[]; 2 * MAX_PARTS];
    for (length, part) in lengths.iter_mut().zip(parts) {
        *length = (part.len() as u16).to_be_bytes();
    }
    for ((pair, length), part) in all.chunks_exact_mut(2).zip(&lengths).zip(parts) {
        pair[0] = length;
        pair[1] = part;
    }
    crypto.sha256(&all[..2 * parts.len()])
}

/// The six digits that a person compares. They are no secret.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Digits(u32);

impl Digits {
    /// The digits one by one, each 0 to 9, as they are shown.
    #[must_use]
    pub fn each(self) -> [u8; 6] {
        let mut rest = self.0;
        let mut digits = [0; 6];
        for digit in digits.iter_mut().rev() {
            *digit = (rest % 10) as u8;
            rest /= 10;
        }
        digits
    }

    /// Reads what a person typed: six ASCII digits; spaces and hyphens may stand anywhere.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut value = 0;
        let mut count = 0;
        for character in text.chars().filter(|c| !matches!(c, ' ' | '-')) {
            let digit = character.to_digit(10)?;
            count += 1;
            if count > 6 {
                return None;
            }
            value = value * 10 + digit;
        }
        (count == 6).then_some(Self(value))
    }
}

/// As on the screen: `482 913`.
impl fmt::Display for Digits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:03} {:03}", self.0 / 1000, self.0 % 1000)
    }
}

impl fmt::Debug for Digits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
