//! What went wrong while a program ran, ready for the wire.

use crate::ipc::{CallError, Failure, FailureCode};
use shared_proto::error::ErrorCode;
use std::fmt;

/// A numbered cause and who is at fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The cause.
    pub code: ErrorCode,
    /// Provider, model or path at fault, and what it said.
    pub detail: String,
}

impl Fault {
    /// A fault of `code` with a `detail`.
    pub fn new(code: ErrorCode, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
        }
    }

    /// Somebody stopped it.
    pub fn cancelled() -> Self {
        Self::new(ErrorCode::Cancelled, "")
    }

    /// The disk failed.
    pub fn disk(error: &std::io::Error) -> Self {
        let full = matches!(
            error.kind(),
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded
        );
        match full {
            true => Self::full(),
            false => Self::new(ErrorCode::StoreFailed, error.to_string()),
        }
    }

    /// The laptop's disk has no room left.
    pub fn full() -> Self {
        Self::new(ErrorCode::StoreFull, "the laptop's disk is full")
    }

    /// Whether this side left before the service could say what it had used.
    pub(super) fn is_broken_off(&self) -> bool {
        matches!(
            self.code,
            ErrorCode::Cancelled | ErrorCode::TimedOut | ErrorCode::QuotaExceeded
        )
    }

    /// Whether no guard may catch it: a person or the policy ended the program.
    pub(super) fn ends_everything(&self) -> bool {
        matches!(
            self.code,
            ErrorCode::Cancelled | ErrorCode::Revoked | ErrorCode::Expired | ErrorCode::Internal
        )
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.detail.is_empty() {
            f.write_str(self.code.name())
        } else {
            write!(f, "{}: {}", self.code.name(), self.detail)
        }
    }
}

impl From<Failure> for Fault {
    fn from(failure: Failure) -> Self {
        let code = match failure.code {
            FailureCode::BadRequest | FailureCode::ProviderFailed | FailureCode::KeyRefused => {
                ErrorCode::ProviderFailed
            }
            FailureCode::ModelUnknown => ErrorCode::ModelUnknown,
            FailureCode::ModelOff => ErrorCode::ModelDenied,
            FailureCode::ProviderUnreachable => ErrorCode::ProviderUnreachable,
            FailureCode::ProviderBroke => ErrorCode::ProviderBroke,
            FailureCode::RateLimited => ErrorCode::ProviderFailed,
            FailureCode::BadImage => ErrorCode::BadImage,
            FailureCode::TooLarge => ErrorCode::TooLarge,
            FailureCode::UrlRefused => ErrorCode::UrlRefused,
            FailureCode::NotFound => ErrorCode::NotFound,
            FailureCode::Unsupported => ErrorCode::Unsupported,
            FailureCode::Busy => ErrorCode::Busy,
            FailureCode::Cancelled => ErrorCode::Cancelled,
            FailureCode::ServiceUnreachable => ErrorCode::ServiceDown,
            FailureCode::ServiceGone => ErrorCode::Interrupted,
        };
        Self::new(code, failure.to_string())
    }
}

impl From<CallError> for Fault {
    fn from(error: CallError) -> Self {
        Failure::from(error).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Error, ErrorKind};

    #[test]
    fn a_full_disk_is_said_in_words_and_other_faults_in_the_systems() {
        let full = Fault::disk(&Error::from_raw_os_error(nix::libc::ENOSPC));
        assert_eq!(full.code, ErrorCode::StoreFull);
        assert_eq!(full.detail, "the laptop's disk is full");
        assert_eq!(Fault::disk(&ErrorKind::QuotaExceeded.into()), full);
        let failed = Fault::disk(&Error::from_raw_os_error(nix::libc::EIO));
        assert_eq!(failed.code, ErrorCode::StoreFailed);
        assert!(failed.detail.contains("error 5"), "{failed}");
    }
}
