//! How a command ended.

use crate::control::{ClientError, ErrorKind};
use std::fmt::Display;
use std::process::{ExitCode, Termination};

/// Exit codes of officectl. Numbers are never used again for another meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// The daemon failed, or answered nonsense.
    Failed = 1,
    /// The arguments are wrong.
    Usage = 2,
    /// No daemon answers.
    Unreachable = 3,
    /// There is no such device or request.
    NotFound = 4,
    /// It cannot be done as things stand.
    Conflict = 5,
    /// The pairing came to nothing.
    NotPaired = 6,
    /// The settings have mistakes.
    Settings = 7,
    /// The ledger does not hold.
    Damaged = 8,
    /// Something needs mending.
    Faults = 9,
}

impl Exit {
    /// What `--help` says about them.
    pub const HELP: &str = "Exit codes: 0 done, 1 the daemon failed, 2 wrong arguments, 3 no daemon answers, \
        4 no such device or request, 5 not possible as things stand, 6 not paired, 7 mistakes in the settings, 8 the ledger does not hold, \
        9 something needs mending";
}

impl Termination for Exit {
    fn report(self) -> ExitCode {
        ExitCode::from(self as u8)
    }
}

/// Why a command failed.
#[derive(Debug)]
pub(super) struct CliError {
    pub(super) exit: Exit,
    pub(super) message: String,
}

impl CliError {
    pub(super) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: message.into(),
        }
    }

    pub(super) fn internal(error: impl Display) -> Self {
        Self::new(
            Exit::Failed,
            format!("the answer of laptop-daemon cannot be read: {error}"),
        )
    }
}

impl From<ClientError> for CliError {
    fn from(error: ClientError) -> Self {
        let exit = match &error {
            ClientError::Unreachable(..) | ClientError::Ended | ClientError::Silent => {
                Exit::Unreachable
            }
            ClientError::Refused(refused) => match refused.kind() {
                ErrorKind::NotFound => Exit::NotFound,
                ErrorKind::Conflict => Exit::Conflict,
                ErrorKind::Params => Exit::Usage,
                ErrorKind::Unavailable => Exit::Unreachable,
                ErrorKind::Forbidden => Exit::Failed,
                ErrorKind::Parse | ErrorKind::Request | ErrorKind::Method | ErrorKind::Internal => {
                    Exit::Failed
                }
            },
            ClientError::Malformed(_) | ClientError::Io(_) => Exit::Failed,
        };
        Self::new(exit, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::RpcError;

    #[test]
    fn numbers_are_pinned() {
        let numbers = [
            Exit::Done,
            Exit::Failed,
            Exit::Usage,
            Exit::Unreachable,
            Exit::NotFound,
            Exit::Conflict,
            Exit::NotPaired,
            Exit::Settings,
            Exit::Damaged,
            Exit::Faults,
        ];
        for (number, exit) in numbers.into_iter().enumerate() {
            assert_eq!(exit as usize, number);
            assert!(
                Exit::HELP.contains(&format!(" {number} ")),
                "{number} is not in the help"
            );
        }
    }

    #[test]
    fn each_kind_of_refusal_has_its_code() {
        for (kind, exit) in [
            (ErrorKind::NotFound, Exit::NotFound),
            (ErrorKind::Conflict, Exit::Conflict),
            (ErrorKind::Params, Exit::Usage),
            (ErrorKind::Internal, Exit::Failed),
        ] {
            let refused = ClientError::Refused(RpcError::new(kind, "no"));
            assert_eq!(CliError::from(refused).exit, exit);
        }
    }
}
