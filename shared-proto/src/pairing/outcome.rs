//! What a pairing yields, and why it may not.

use core::fmt;

use heapless::{String, Vec};
use serde::{Deserialize, Serialize};

use super::AbortReason;
use crate::crypto::{PublicKey, TokenSecret};
use crate::limits::MAX_NAME_LEN;
use crate::message::Screen;

/// A device's name, as its owner wrote it. Peer text: whoever shows it escapes it.
pub type Name = String<MAX_NAME_LEN>;

/// How the handheld finds the laptop's network again. Only ever sent after both people agreed.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkInfo {
    /// Network name, any bytes (IEEE 802.11); empty where the laptop has no radio network.
    pub ssid: Vec<u8, 32>,
    /// WPA2 passphrase, 8 to 63 characters, or a key of 64 hexadecimal digits.
    pub passphrase: String<64>,
    /// In MHz; 0 if not known.
    pub frequency: u16,
    /// TCP port on which the laptop listens.
    pub port: u16,
    /// Addresses on other carriers, as the two apps agree on them; opaque here.
    pub carriers: Vec<u8, 192>,
}

/// The passphrase stays out of every log.
impl fmt::Debug for LinkInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LinkInfo")
            .field("ssid", &format_args!("{}", self.ssid.escape_ascii()))
            .field("frequency", &self.frequency)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

/// What the laptop gives a handheld that it has stored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Seconds until the relationship expires.
    pub expires_in_s: u64,
    /// Where to find the laptop from now on.
    pub link: LinkInfo,
}

impl Grant {
    /// As it stands in the message, for the confirmation that covers it.
    pub(super) fn bytes(&self) -> alloc::vec::Vec<u8> {
        postcard::to_allocvec(self).expect("every field is bounded")
    }
}

/// A relationship as the laptop stores it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaptopOutcome {
    /// The handheld's key, to be pinned. The laptop's own is the one it made for this attempt.
    pub peer: PublicKey,
    /// For server-name tokens.
    pub token: TokenSecret,
    /// The handheld's name.
    pub name: Name,
    /// Its screen.
    pub screen: Screen,
}

/// A relationship as the handheld stores it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandheldOutcome {
    /// The laptop's key, to be pinned. The handheld's own is the one it made for this attempt.
    pub peer: PublicKey,
    /// For server-name tokens.
    pub token: TokenSecret,
    /// The laptop's name.
    pub name: Name,
    /// Expiry and link.
    pub grant: Grant,
}

/// Why a pairing ended without a relationship. Nothing is kept, unless the variant says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PairingError {
    /// A person here said no.
    Cancelled,
    /// The other side stopped.
    Aborted(AbortReason),
    /// The person typed other digits than this channel's. On the laptop this counts as a failed attempt.
    Mismatch,
    /// Time is up.
    TimedOut,
    /// A second device knocked meanwhile.
    Crowded,
    /// The carrier or the channel ended.
    Cut,
    /// Both keys, or both nonces, are the same: something plays our own words back to us.
    Reflected,
    /// The laptop's nonce is not the one it had committed to: somebody tries to choose the digits.
    BrokenCommitment,
    /// The other side's confirmation does not fit this channel and what was said on it.
    BadConfirmation,
    /// A message that does not decode, or is too long.
    Malformed,
    /// A message that may not come now.
    OutOfOrder,
    /// The laptop speaks another version of this exchange.
    Version(u8),
    /// This side could not store the relationship.
    NotStored,
}

impl fmt::Display for PairingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cancelled => f.write_str("pairing was called off here"),
            Self::Aborted(reason) => write!(f, "the other device stopped: {reason}"),
            Self::Mismatch => f.write_str(
                "these are not the digits of this connection; start again on both devices, and watch for a stranger's device nearby if it happens twice",
            ),
            Self::TimedOut => f.write_str("the pairing window closed; open it again on both devices"),
            Self::Crowded => f.write_str(
                "two devices tried to pair at once, so neither was let in; see that only yours is pairing and start again",
            ),
            Self::Cut => f.write_str("the connection broke; start again on both devices"),
            Self::Reflected => {
                f.write_str("our own messages came back to us: something between the devices interferes")
            }
            Self::BrokenCommitment => f.write_str(
                "the other device changed its contribution after seeing ours: something between the devices interferes",
            ),
            Self::BadConfirmation => f.write_str(
                "the other device's confirmation does not fit this connection: something between the devices interferes",
            ),
            Self::Malformed => f.write_str("the other device sent bytes that are no pairing message"),
            Self::OutOfOrder => {
                f.write_str("the other device sent a pairing message that may not come now")
            }
            Self::Version(version) => write!(
                f,
                "the laptop speaks version {version} of pairing; update the older of the two"
            ),
            Self::NotStored => f.write_str("this device could not store the pairing; see its storage"),
        }
    }
}

impl core::error::Error for PairingError {}

impl fmt::Display for AbortReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cancelled => "its person called it off",
            Self::Mismatch => "other digits were typed there",
            Self::TimedOut => "its pairing window closed",
            Self::Crowded => "a second device tried to pair at the same time",
            Self::Fault => "it could make no sense of what arrived",
            Self::Full => "it has as many paired devices as it takes; remove one there",
            Self::Version => "it speaks another version of pairing; update the older of the two",
            Self::NotStored => "it could not store the pairing; see its storage",
        })
    }
}

impl PairingError {
    /// What to tell the other side; nothing where it stopped itself or can't be reached.
    pub(super) fn reason(self) -> Option<AbortReason> {
        Some(match self {
            Self::Aborted(_) | Self::Cut => return None,
            Self::Cancelled => AbortReason::Cancelled,
            Self::Mismatch => AbortReason::Mismatch,
            Self::TimedOut => AbortReason::TimedOut,
            Self::Crowded => AbortReason::Crowded,
            Self::Version(_) => AbortReason::Version,
            Self::NotStored => AbortReason::NotStored,
            Self::Reflected
            | Self::BrokenCommitment
            | Self::BadConfirmation
            | Self::Malformed
            | Self::OutOfOrder => AbortReason::Fault,
        })
    }
}
