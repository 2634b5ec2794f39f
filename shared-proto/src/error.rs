//! Errors, sorted by whose fault they are: bad bytes, a peer out of turn, our own caller; and the numbered
//! codes that travel on the wire.

use core::fmt;

/// Bytes that are not what they claim to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// The bytes end before the value does.
    Truncated,
    /// A number has more octets than it needs or than its type holds.
    BadVarint,
    /// A length lies above its cap.
    TooLong,
    /// A frame of a kind that this version does not know.
    UnknownKind(u8),
    /// The payload of a frame or the operands of an operation do not decode.
    BadPayload,
    /// Octets are left over behind the value.
    Trailing,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated => f.write_str("the bytes end too early"),
            Self::BadVarint => f.write_str("a number is not in its shortest form"),
            Self::TooLong => f.write_str("a length lies above its cap"),
            Self::UnknownKind(kind) => write!(f, "frame kind {kind:#04x} is unknown"),
            Self::BadPayload => f.write_str("a payload does not decode"),
            Self::Trailing => f.write_str("octets are left over behind a value"),
        }
    }
}

impl core::error::Error for DecodeError {}

/// A frame that decodes and may not come now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeerError {
    /// The bytes do not decode.
    Bytes(DecodeError),
    /// A message before the greeting, a second greeting, or a message of the other role.
    OutOfTurn,
    /// A request number that is not alive on this session.
    UnknownRequest,
    /// Data that does not continue where its stream stands.
    OffsetGap,
    /// Data beyond the credit given.
    OverCredit,
    /// The peer speaks another version.
    Version(u16),
    /// Nothing came for too long.
    Silent,
}

impl fmt::Display for PeerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(error) => write!(f, "the peer sent bytes that do not decode: {error}"),
            Self::OutOfTurn => f.write_str("the peer sent a message out of turn"),
            Self::UnknownRequest => f.write_str("the peer named a request that is not alive"),
            Self::OffsetGap => f.write_str("the peer left a gap in a stream"),
            Self::OverCredit => f.write_str("the peer sent more than it may"),
            Self::Version(version) => {
                write!(
                    f,
                    "the peer speaks version {version}, this side version {}",
                    crate::limits::PROTOCOL_VERSION
                )
            }
            Self::Silent => f.write_str("the peer fell silent"),
        }
    }
}

impl core::error::Error for PeerError {}

impl From<DecodeError> for PeerError {
    fn from(error: DecodeError) -> Self {
        Self::Bytes(error)
    }
}

/// A call that our own side should not have made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misuse {
    /// The session is not open.
    NotOpen,
    /// The request is not alive on this session.
    UnknownRequest,
    /// The request is alive already.
    AlreadyLive,
    /// As many requests as may be are alive.
    TooMany,
    /// More data than the credit or the queue holds.
    NoCredit,
    /// A value lies above its cap.
    TooLong,
}

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotOpen => "the session is not open",
            Self::UnknownRequest => "the request is not alive",
            Self::AlreadyLive => "the request is alive already",
            Self::TooMany => "too many requests are alive",
            Self::NoCredit => "the stream has no credit",
            Self::TooLong => "the value is too long",
        })
    }
}

impl core::error::Error for Misuse {}

macro_rules! error_codes {
    ($($(#[$doc:meta])* $name:ident = $number:literal,)+) => {
        /// Why a request failed, as both sides number it. SPEC.md lists them; numbers are never used again.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u16)]
        pub enum ErrorCode { $($(#[$doc])* $name = $number,)+ }

        impl ErrorCode {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The code with this number.
            #[must_use]
            pub fn from_number(number: u16) -> Option<Self> {
                Self::ALL.iter().copied().find(|code| *code as u16 == number)
            }

            /// Its name, as logs and `--json` write it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)+ }
            }
        }
    };
}

error_codes! {
    /// The program does not decode.
    Malformed = 1,
    /// The program names an operation that no version knows.
    UnknownOpcode = 2,
    /// The operation is known and this laptop does not offer it.
    Unsupported = 3,
    /// A value has the wrong type.
    TypeMismatch = 4,
    /// A value is used before it is made, or does not exist.
    BadReference = 5,
    /// A length, count or size lies above its cap.
    LimitExceeded = 6,
    /// The program emits nothing, or emits a value twice.
    BadEmit = 7,
    /// The signature does not fit the program, the number or the channel.
    BadSignature = 8,
    /// The number was used before, for another program.
    IdReused = 9,
    /// The number lies below what the laptop still remembers.
    IdBelowFloor = 10,
    /// The laptop does not know this request.
    UnknownRequest = 11,
    /// The policy says no.
    Denied = 20,
    /// A person was asked and said no.
    AskRefused = 21,
    /// A person was asked and nobody answered.
    AskExpired = 22,
    /// Too many requests in a minute.
    RateLimited = 23,
    /// A daily allowance is used up.
    QuotaExceeded = 24,
    /// The model is not on the list that this device may use.
    ModelDenied = 25,
    /// The address is not on the list that this device may fetch.
    UrlRefused = 26,
    /// The relationship has expired.
    Expired = 27,
    /// The relationship was revoked.
    Revoked = 28,
    /// The laptop has no such model.
    ModelUnknown = 40,
    /// The provider cannot be reached; nothing ran.
    ProviderUnreachable = 41,
    /// The provider answered with an error.
    ProviderFailed = 42,
    /// The provider broke off in the middle of an answer; what arrived is kept.
    ProviderBroke = 43,
    /// The service process on the laptop does not answer.
    ServiceDown = 44,
    /// The picture that a provider sent is damaged or of a kind that cannot be shown.
    BadImage = 45,
    /// The laptop no longer holds the conversation; send it whole.
    ContextMissing = 46,
    /// No provider is set up for this service.
    NoProvider = 47,
    /// The conversation is longer than the model holds.
    ContextTooLong = 48,
    /// The file does not exist.
    NotFound = 60,
    /// The path leaves the drop folder or is not a name.
    PathRefused = 61,
    /// The file exists and was not to be replaced.
    FileExists = 62,
    /// The value is larger than allowed here.
    TooLarge = 63,
    /// The uploaded bytes are not what their hash says.
    BlobMismatch = 64,
    /// The drop folder or the store is full.
    StoreFull = 65,
    /// The laptop could not read or write its disk.
    StoreFailed = 66,
    /// The work was ended by a restart.
    Interrupted = 80,
    /// The work was cancelled.
    Cancelled = 81,
    /// Too many requests are running.
    Busy = 82,
    /// The work took longer than it may.
    TimedOut = 83,
    /// The result was thrown away before it was fetched.
    ResultGone = 84,
    /// The laptop spares its battery or is too hot.
    Spared = 85,
    /// The laptop has a defect; its log says more.
    Internal = 99,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_numbers_are_unique_and_round_trip() {
        for (index, code) in ErrorCode::ALL.iter().enumerate() {
            assert_eq!(ErrorCode::from_number(*code as u16), Some(*code));
            assert!(
                ErrorCode::ALL[..index]
                    .iter()
                    .all(|other| *other as u16 != *code as u16)
            );
        }
        assert_eq!(ErrorCode::from_number(0), None);
        assert_eq!(ErrorCode::ContextMissing as u16, 46);
        assert_eq!(ErrorCode::Interrupted as u16, 80);
    }
}
