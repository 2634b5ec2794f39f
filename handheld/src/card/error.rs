//! What can go wrong with the card, said so that the person holding the handheld knows what to do.

use std::fmt;
use std::io;

/// A failed card operation. Whatever was acknowledged before it is still safe.
#[derive(Debug)]
pub enum CardError {
    /// No space is left. `need` is how many bytes the refused write wanted.
    Full {
        /// Octets that did not fit.
        need: u64,
    },
    /// The card is write-protected or was mounted read-only (firmware does that after a file-system error).
    ReadOnly,
    /// A file operation failed for another reason.
    Io {
        /// What was attempted: `read`, `write`, `sync`, `create`, `list` or `delete`.
        action: &'static str,
        /// The file, relative to the app's folder.
        name: String,
        /// What the system answered.
        source: io::Error,
    },
    /// One value is larger than the card format allows. Nothing was written.
    TooLarge {
        /// What was too large.
        what: &'static str,
        /// The cap in octets.
        cap: usize,
    },
    /// The live chats and lists have reached the store's bound. Deleting conversations makes room.
    StoreFull {
        /// The cap in octets.
        cap: usize,
    },
    /// Something stored did not carry the seal it should: named, and left alone.
    Damaged {
        /// What could not be read.
        what: String,
    },
    /// The card was written by a newer version of the app.
    Newer {
        /// What carries the newer version.
        what: &'static str,
    },
    /// The button sequence was wrong, or the sealed data damaged; the two are not told apart.
    WrongSequence {
        /// Milliseconds until the next try is taken.
        wait_ms: u64,
    },
    /// A wrong sequence was entered before: the next try is taken after this many milliseconds.
    TooSoon {
        /// Milliseconds until the next try is accepted.
        wait_ms: u64,
    },
    /// The system gave no random bytes, so nothing can be sealed.
    NoEntropy,
}

impl CardError {
    /// Sorts a system error by whose fault it is.
    pub fn from_io(action: &'static str, name: &str, need: u64, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => CardError::Full { need },
            io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied
                if action != "read" =>
            {
                CardError::ReadOnly
            }
            _ => CardError::Io {
                action,
                name: name.to_owned(),
                source,
            },
        }
    }
}

impl fmt::Display for CardError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CardError::Full { need } => write!(
                f,
                "The card is full. Nothing is lost; free {} MB, then try again.",
                (need / 1_000_000).max(1)
            ),
            CardError::ReadOnly => f.write_str(
                "The card is read-only. Nothing is lost; check its lock switch or repair it, then start again.",
            ),
            CardError::Io { action, name, source } => {
                write!(f, "The card failed to {action} {name}: {source}. What was stored is kept.")
            }
            CardError::TooLarge { what, cap } => {
                write!(f, "The {what} is larger than the card stores ({cap} bytes).")
            }
            CardError::StoreFull { cap } => write!(
                f,
                "The chats fill their {} MB on the card. Delete a conversation, then try again.",
                cap / (1 << 20)
            ),
            CardError::Damaged { what } => write!(f, "The card holds a damaged {what}. It was left as it is."),
            CardError::Newer { what } => {
                write!(f, "The {what} on the card is from a newer version. Install that version.")
            }
            CardError::WrongSequence { .. } => f.write_str("That is not the sequence."),
            CardError::TooSoon { wait_ms } => {
                write!(f, "Wait {} s before the next try.", wait_ms.div_ceil(1000))
            }
            CardError::NoEntropy => f.write_str("This system gives no random numbers, so nothing can be sealed."),
        }
    }
}

impl std::error::Error for CardError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            CardError::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_card_and_a_read_only_card_are_named_as_such() {
        let full = CardError::from_io("write", "a", 2_000_000, io::ErrorKind::StorageFull.into());
        assert_eq!(
            full.to_string(),
            "The card is full. Nothing is lost; free 2 MB, then try again."
        );
        let ro = CardError::from_io("write", "a", 1, io::ErrorKind::ReadOnlyFilesystem.into());
        assert!(matches!(ro, CardError::ReadOnly));
        let unreadable = CardError::from_io("read", "a", 0, io::ErrorKind::PermissionDenied.into());
        assert!(matches!(unreadable, CardError::Io { action: "read", .. }));
    }
}
