//! What can end a channel, sorted by whose doing it was.

use core::fmt;

use rustls::{AlertDescription, Error, PeerMisbehaved};

/// Why a channel cannot go on.
///
/// None of these is caused by the stored relationship being damaged: the connection ends, nothing else does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChannelError {
    /// The peer holds another key than the pinned one.
    WrongPeerKey,
    /// The peer could not prove that it holds the key it showed.
    UnprovenPeerKey,
    /// The peer refused us; see the reason.
    RefusedByPeer(PeerReason),
    /// What arrived does not decrypt: damaged, repeated, reordered or forged on the way.
    Corrupt,
    /// What arrived is no message that may stand here.
    Malformed,
    /// The peer speaks something else than this channel: another version, suite, group or kind of key.
    Incompatible,
    /// The peer sent more than a handshake may have.
    TooLarge,
    /// The carrier ended before the peer closed the channel.
    Truncated,
    /// Our side has closed the channel.
    Closed,
    /// The handshake has not finished.
    NotReady,
    /// Our own side failed: no randomness, or a name that TLS cannot send.
    Internal,
}

/// What the peer's alert said. It is not authenticated during a handshake: fit for a hint on a screen, no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PeerReason {
    /// It knows no relationship of that token: unpaired, expired, or its store was reset.
    UnknownRelationship,
    /// It has another key pinned than the one we showed.
    KeyRefused,
    /// It saw a damaged record or message of ours.
    Damaged,
    /// It offers nothing in common with us, or is not in the mode we asked for.
    NothingInCommon,
    /// Any other alert, by its number (RFC 8446 section 6).
    Alert(u8),
}

impl fmt::Display for ChannelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WrongPeerKey => f.write_str(
                "the peer holds another key than the one paired with; if it was set up anew, pair again",
            ),
            Self::UnprovenPeerKey => {
                f.write_str("the peer could not prove that it holds the key it showed")
            }
            Self::RefusedByPeer(reason) => write!(f, "the peer refused the connection: {reason}"),
            Self::Corrupt => {
                f.write_str("received data was damaged or forged on the way; connect again")
            }
            Self::Malformed => f.write_str("the peer sent bytes that are no message of this channel"),
            Self::Incompatible => {
                f.write_str("the peer does not speak this channel; it may be another program or version")
            }
            Self::TooLarge => f.write_str("the peer sent more than a handshake may have"),
            Self::Truncated => {
                f.write_str("the connection broke before the peer closed it; connect again")
            }
            Self::Closed => f.write_str("this side has closed the channel"),
            Self::NotReady => f.write_str("the handshake has not finished"),
            Self::Internal => f.write_str("this side's random generator or TLS library failed"),
        }
    }
}

impl fmt::Display for PeerReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownRelationship => f.write_str("it does not know this pairing; pair again"),
            Self::KeyRefused => f.write_str("it has another key on record; pair again"),
            Self::Damaged => f.write_str("data arrived there damaged; connect again"),
            Self::NothingInCommon => {
                f.write_str("it is not in that mode, or is another program or version")
            }
            Self::Alert(number) => write!(f, "alert {number}"),
        }
    }
}

impl core::error::Error for ChannelError {}

impl ChannelError {
    /// Sorts the TLS library's error. Anything unforeseen that came from the peer's bytes counts as malformed.
    pub(super) fn from_tls(error: &Error) -> Self {
        match error {
            Error::InvalidCertificate(rustls::CertificateError::ApplicationVerificationFailure) => {
                Self::WrongPeerKey
            }
            Error::InvalidCertificate(_) => Self::UnprovenPeerKey,
            Error::AlertReceived(alert) => Self::RefusedByPeer(PeerReason::from_alert(*alert)),
            // A repeated or reordered record fails to decrypt, as the sequence number is part of its nonce.
            Error::DecryptError => Self::Corrupt,
            Error::PeerMisbehaved(PeerMisbehaved::InvalidKeyShare) => Self::Malformed,
            Error::PeerIncompatible(_)
            | Error::NoApplicationProtocol
            | Error::NoCertificatesPresented
            | Error::UnsupportedNameType => Self::Incompatible,
            Error::FailedToGetRandomBytes
            | Error::FailedToGetCurrentTime
            | Error::EncryptError
            | Error::InconsistentKeys(_) => Self::Internal,
            Error::HandshakeNotComplete => Self::NotReady,
            _ => Self::Malformed,
        }
    }
}

impl PeerReason {
    fn from_alert(alert: AlertDescription) -> Self {
        match alert {
            AlertDescription::UnrecognisedName => Self::UnknownRelationship,
            AlertDescription::AccessDenied
            | AlertDescription::BadCertificate
            | AlertDescription::DecryptError => Self::KeyRefused,
            AlertDescription::BadRecordMac | AlertDescription::DecodeError => Self::Damaged,
            AlertDescription::HandshakeFailure
            | AlertDescription::NoApplicationProtocol
            | AlertDescription::ProtocolVersion
            | AlertDescription::UnsupportedCertificate => Self::NothingInCommon,
            other => Self::Alert(u8::from(other)),
        }
    }
}
