//! One line after the other.

use super::event::{Event, Hex};
use serde::{Deserialize, Serialize};
use shared_proto::crypto::ring::RingCrypto;
use shared_proto::crypto::{Crypto, Signature, Signer};

/// Longest line in octets, its end included. The longest entry is a request of 32 operations.
pub const MAX_LINE_LEN: usize = 64 * 1024;

/// What a hash begins with, so that no other hash of the project can pass for one.
const LABEL: &[u8; 19] = b"OfficeOS ledger v1\0";

/// What a signed checkpoint begins with.
const CHECKPOINT_LABEL: &[u8; 23] = b"OfficeOS checkpoint v1\0";

/// Hexadecimal digits of a hash.
const HASH_DIGITS: usize = 64;

/// How far a chain goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Number of the last entry; zero before the first.
    pub number: u64,
    /// Its hash; zeros before the first.
    pub hash: [u8; 32],
}

impl Head {
    /// Of a chain without entries.
    pub const START: Self = Self {
        number: 0,
        hash: [0; 32],
    };
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Its number; the first is 1.
    pub number: u64,
    /// When, in seconds since 1970 by the laptop's clock, which never goes back.
    pub at: i64,
    /// Hash of the entry before.
    pub previous: Hex<32>,
    /// What happened.
    pub event: Event,
}

/// What is wrong with an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flaw {
    /// The line is longer than any entry, or has no end.
    Endless,
    /// The line is not an entry, a space and a hash.
    Shape,
    /// The hash is not that of the entry: one of the two was changed.
    Hash,
    /// The number does not follow.
    Number {
        /// The number that should stand here.
        expected: u64,
        /// The number that does.
        found: u64,
    },
    /// It follows another entry than the one before it.
    Previous,
    /// It is older than the one before it.
    Time,
    /// The signature of a checkpoint is not by the ledger's key.
    Checkpoint,
    /// The handheld's signature does not fit the request.
    Request,
    /// The key that signed a request never was the device's.
    Stranger,
    /// A device of this name saw another entry of this number.
    Witness(String),
}

impl std::fmt::Display for Flaw {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Endless => f.write_str("the line does not end"),
            Self::Shape => f.write_str("this is no entry"),
            Self::Hash => f.write_str("its hash does not fit: it was changed"),
            Self::Number { expected, found } => {
                write!(f, "entry {expected} should stand here, not {found}")
            }
            Self::Previous => f.write_str("it follows another entry than the one before it"),
            Self::Time => f.write_str("it is older than the entry before it"),
            Self::Checkpoint => {
                f.write_str("the checkpoint's signature is not by the ledger's key")
            }
            Self::Request => f.write_str("the handheld's signature does not fit the request"),
            Self::Stranger => {
                f.write_str("the key that signed or showed it never was this device's or caller's")
            }
            Self::Witness(name) => write!(
                f,
                "{name} saw another entry of this number: an older state was put back and written on from"
            ),
        }
    }
}

/// Puts an event behind `head`. Gives the new head and the line, its end included.
///
/// # Errors
/// The entry has no place in a line: a fault of this program.
pub fn append(head: Head, at: i64, event: Event) -> Result<(Head, String), Flaw> {
    let entry = Entry {
        number: head.number + 1,
        at,
        previous: Hex(head.hash),
        event,
    };
    let json = serde_json::to_string(&entry).map_err(|_| Flaw::Shape)?;
    let hash = hash(json.as_bytes());
    let line = format!("{json} {}\n", Hex(hash));
    if line.len() > MAX_LINE_LEN {
        return Err(Flaw::Endless);
    }
    let number = entry.number;
    Ok((Head { number, hash }, line))
}

/// A checkpoint that signs the chain up to `head`.
pub fn checkpoint(head: Head, signer: &dyn Signer) -> Event {
    Event::Checkpoint {
        signature: Hex(signer.sign(&checkpoint_input(head)).0),
    }
}

/// Whether `signature` is that of [`checkpoint`].
pub(super) fn is_checkpoint(
    head: Head,
    key: &shared_proto::crypto::PublicKey,
    signature: Hex<64>,
) -> bool {
    RingCrypto
        .verify(key, &checkpoint_input(head), &Signature(signature.0))
        .is_ok()
}

fn checkpoint_input(head: Head) -> Vec<u8> {
    [
        &CHECKPOINT_LABEL[..],
        &head.number.to_be_bytes(),
        &head.hash,
    ]
    .concat()
}

/// Reads a line, its end included, and checks it by itself: what it follows is the caller's.
///
/// # Errors
/// What is wrong with it.
pub fn read(line: &[u8]) -> Result<(Head, Entry), Flaw> {
    if line.len() > MAX_LINE_LEN {
        return Err(Flaw::Endless);
    }
    let body = line.strip_suffix(b"\n").ok_or(Flaw::Endless)?;
    let split = body.len().checked_sub(HASH_DIGITS + 1).ok_or(Flaw::Shape)?;
    let (json, digits) = body.split_at(split);
    let digits = digits.strip_prefix(b" ").ok_or(Flaw::Shape)?;
    let told = std::str::from_utf8(digits)
        .ok()
        .and_then(Hex::<32>::parse)
        .ok_or(Flaw::Shape)?;
    let hash = hash(json);
    if told.0 != hash {
        return Err(Flaw::Hash);
    }
    let entry: Entry = serde_json::from_slice(json).map_err(|_| Flaw::Shape)?;
    let number = entry.number;
    Ok((Head { number, hash }, entry))
}

fn hash(json: &[u8]) -> [u8; 32] {
    RingCrypto.sha256(&[LABEL, json])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_one_line_with_its_hash_and_comes_back() {
        let (head, line) = append(Head::START, 7, Event::Confirmed { device: 3 }).unwrap();
        let zeros = "0".repeat(64);
        let json = format!(
            r#"{{"number":1,"at":7,"previous":"{zeros}","event":{{"what":"confirmed","device":3}}}}"#
        );
        // SHA-256 over "OfficeOS ledger v1", a zero octet and the JSON.
        assert_eq!(line, format!("{json} {}\n", Hex(hash(json.as_bytes()))));
        let (read_head, entry) = read(line.as_bytes()).unwrap();
        assert_eq!((read_head, entry.number, entry.at), (head, 1, 7));
        assert_eq!(entry.previous, Hex([0; 32]));
    }

    #[test]
    fn every_bit_of_a_line_counts() {
        let event = Event::Paired {
            device: 1,
            name: "Ada \u{1b}[2J \"quoted\" ✓".into(),
            key: Hex([9; 32]),
        };
        let (_, line) = append(Head::START, 7, event).unwrap();
        for bit in 0..line.len() * 8 {
            let mut bent = line.clone().into_bytes();
            bent[bit / 8] ^= 1 << (bit % 8);
            assert!(read(&bent).is_err(), "bit {bit}");
        }
        for len in 0..line.len() {
            assert!(read(&line.as_bytes()[..len]).is_err(), "cut at {len}");
        }
    }

    #[test]
    fn a_line_of_any_length_is_no_entry() {
        assert_eq!(read(&[b'x'; MAX_LINE_LEN + 1]), Err(Flaw::Endless));
        assert_eq!(read(b"\n"), Err(Flaw::Shape));
        assert_eq!(read(b""), Err(Flaw::Endless));
    }
}
