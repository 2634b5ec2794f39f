//! The optional lock: a button sequence wraps the random key that seals identity and chats on the removable card.
//!
//! The key itself is always random and always there; without a lock it lies open beside what it seals, so that
//! setting or changing the lock never rewrites a chat. The sequence is stretched by PBKDF2-HMAC-SHA256; what it gives
//! opens a ChaCha20-Poly1305 box. A wrong sequence and a damaged box look the same. No file or clock here.

use std::num::NonZeroU32;

use ring::pbkdf2;
use serde::{Deserialize, Serialize};

use crate::card::CardError;
use crate::card::cipher::Cipher;
use crate::card::medium::Entropy;

/// Shortest sequence: six presses of 15 buttons are ten million possibilities, each costing [`MIN_ITERATIONS`].
pub const MIN_PRESSES: usize = 6;

/// Longest sequence.
pub const MAX_PRESSES: usize = 32;

/// Fewest rounds of PBKDF2: the OWASP figure for HMAC-SHA256 (Password Storage Cheat Sheet, 2023).
pub const MIN_ITERATIONS: u32 = 600_000;

/// Most rounds that a record may ask for, so that a forged one cannot hang the app for minutes.
pub const MAX_ITERATIONS: u32 = 20_000_000;

/// What opening shall take on the device that sets the lock.
const TARGET_MS: u64 = 700;

/// Largest content of a backup.
pub const MAX_BACKUP: usize = 48 << 20;

const BACKUP_MAGIC: &[u8; 8] = b"OOSback1";
const WRAP_LABEL: &[u8] = b"officeos card key v1";
const BACKUP_LABEL: &[u8] = b"officeos backup v1";

/// A random key or a content key.
pub type Key = [u8; 32];

/// How the card's key is kept.
#[derive(Clone, Serialize, Deserialize)]
pub enum KeyRecord {
    /// No lock: the key as it is.
    Open(Key),
    /// Wrapped by a sequence.
    Wrapped(Box<SealedBox>),
}

impl std::fmt::Debug for KeyRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            KeyRecord::Open(_) => "KeyRecord::Open(..)",
            KeyRecord::Wrapped(_) => "KeyRecord::Wrapped(..)",
        })
    }
}

/// Something sealed under a stretched sequence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedBox {
    salt: [u8; 16],
    iterations: u32,
    nonce: [u8; 12],
    sealed: Vec<u8>,
}

/// Rounds that take about 0.7 s on this device, from the time that 100 000 took. Never below the floor.
pub fn iterations_for(hundred_thousand_took_ms: u64) -> u32 {
    let wanted = 100_000u64.saturating_mul(TARGET_MS) / hundred_thousand_took_ms.max(1);
    (wanted.min(u64::from(MAX_ITERATIONS) / 2) as u32).max(MIN_ITERATIONS)
}

/// Milliseconds to wait after so many wrong tries: two slips are free, then 1 s doubling to five minutes.
pub fn delay_ms(wrong: u32) -> u64 {
    match wrong {
        0..=2 => 0,
        n => (1000u64 << (n - 3).min(9)).min(300_000),
    }
}

/// Whether the sequence is long enough, and not one button again and again.
pub fn is_strong_enough(sequence: &[u8]) -> bool {
    (MIN_PRESSES..=MAX_PRESSES).contains(&sequence.len())
        && sequence.iter().any(|b| *b != sequence[0])
}

/// Wraps the card's key under a sequence (one octet per button).
///
/// # Errors
/// The system gives no random bytes.
pub fn wrap(
    key: &Key,
    sequence: &[u8],
    iterations: u32,
    entropy: &dyn Entropy,
) -> Result<KeyRecord, CardError> {
    Ok(KeyRecord::Wrapped(Box::new(seal(
        WRAP_LABEL, key, sequence, iterations, entropy,
    )?)))
}

/// Takes the card's key out of its record. `None`: the sequence is wrong (or the record damaged).
pub fn unwrap(record: &KeyRecord, sequence: &[u8]) -> Option<Key> {
    match record {
        KeyRecord::Open(key) => Some(*key),
        KeyRecord::Wrapped(sealed) => open(WRAP_LABEL, sealed, sequence)?.try_into().ok(),
    }
}

/// Seals a backup into the octets of a file.
///
/// # Errors
/// The content is larger than a backup may be, or the system gives no random bytes.
pub fn seal_backup(
    content: &[u8],
    sequence: &[u8],
    iterations: u32,
    entropy: &dyn Entropy,
) -> Result<Vec<u8>, CardError> {
    let too_large = || CardError::TooLarge {
        what: "backup",
        cap: MAX_BACKUP,
    };
    if content.len() > MAX_BACKUP {
        return Err(too_large());
    }
    let sealed = seal(BACKUP_LABEL, content, sequence, iterations, entropy)?;
    let mut file = BACKUP_MAGIC.to_vec();
    file.extend(postcard::to_allocvec(&sealed).map_err(|_| too_large())?);
    Ok(file)
}

/// Opens a backup file.
///
/// # Errors
/// It is no backup, or the sequence is wrong (which a damaged one looks like).
pub fn open_backup(file: &[u8], sequence: &[u8]) -> Result<Vec<u8>, CardError> {
    let damaged = || CardError::Damaged {
        what: "backup".into(),
    };
    let body = file
        .strip_prefix(BACKUP_MAGIC)
        .filter(|b| b.len() <= MAX_BACKUP + 1024)
        .ok_or_else(damaged)?;
    let sealed: SealedBox = postcard::from_bytes(body).map_err(|_| damaged())?;
    open(BACKUP_LABEL, &sealed, sequence).ok_or(CardError::WrongSequence { wait_ms: 0 })
}

fn seal(
    label: &[u8],
    content: &[u8],
    sequence: &[u8],
    iterations: u32,
    entropy: &dyn Entropy,
) -> Result<SealedBox, CardError> {
    let (mut salt, mut nonce) = ([0; 16], [0; 12]);
    entropy.fill(&mut salt)?;
    entropy.fill(&mut nonce)?;
    let iterations = iterations.clamp(1, MAX_ITERATIONS);
    let mut sealed = content.to_vec();
    Cipher::new(&stretch(sequence, &salt, iterations))
        .seal(nonce, &bound(label, iterations), &mut sealed)
        .map_err(|_| CardError::TooLarge {
            what: "sealed content",
            cap: MAX_BACKUP,
        })?;
    Ok(SealedBox {
        salt,
        iterations,
        nonce,
        sealed,
    })
}

fn open(label: &[u8], sealed: &SealedBox, sequence: &[u8]) -> Option<Vec<u8>> {
    if !(1..=MAX_ITERATIONS).contains(&sealed.iterations) {
        return None;
    }
    Cipher::new(&stretch(sequence, &sealed.salt, sealed.iterations)).open(
        sealed.nonce,
        &bound(label, sealed.iterations),
        sealed.sealed.clone(),
    )
}

fn bound(label: &[u8], iterations: u32) -> Vec<u8> {
    [label, &iterations.to_le_bytes()].concat()
}

/// Stretches a sequence into a key. Also what is timed to choose the rounds.
pub fn stretch(sequence: &[u8], salt: &[u8; 16], iterations: u32) -> Key {
    let mut key = [0; 32];
    let rounds = NonZeroU32::new(iterations).unwrap_or(NonZeroU32::MIN);
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, rounds, salt, sequence, &mut key);
    key
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::card::medium::SystemEntropy;

    const SEQUENCE: &[u8] = &[0, 1, 2, 3, 4, 4];

    #[test]
    fn only_the_right_sequence_opens_the_key() {
        let entropy = SystemEntropy::default();
        let record = wrap(&[9; 32], SEQUENCE, 1000, &entropy).unwrap();
        assert_eq!(unwrap(&record, SEQUENCE), Some([9; 32]));
        assert_eq!(unwrap(&record, &[0, 1, 2, 3, 4, 5]), None);
        assert_eq!(unwrap(&record, &[]), None);
        assert!(!format!("{record:?}").contains('9'), "no key in a log");
    }

    #[test]
    fn two_records_of_one_key_have_nothing_in_common() {
        let entropy = SystemEntropy::default();
        let stored = |r: KeyRecord| postcard::to_allocvec(&r).unwrap();
        let first = stored(wrap(&[9; 32], SEQUENCE, 1000, &entropy).unwrap());
        let second = stored(wrap(&[9; 32], SEQUENCE, 1000, &entropy).unwrap());
        assert_ne!(first[1..17], second[1..17]);
        assert_ne!(first[30..], second[30..]);
    }

    #[test]
    fn every_changed_octet_of_a_backup_is_noticed() {
        let entropy = SystemEntropy::default();
        let file = seal_backup(b"chats and keys", SEQUENCE, 10, &entropy).unwrap();
        assert_eq!(open_backup(&file, SEQUENCE).unwrap(), b"chats and keys");
        assert!(open_backup(&file, &[1; 6]).is_err());
        for at in 0..file.len() {
            let mut bad = file.clone();
            bad[at] ^= 1;
            assert!(open_backup(&bad, SEQUENCE).is_err(), "octet {at}");
            assert!(open_backup(&file[..at], SEQUENCE).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn a_record_that_asks_for_hours_of_work_is_refused_at_once() {
        let sealed = SealedBox {
            salt: [0; 16],
            iterations: u32::MAX,
            nonce: [0; 12],
            sealed: vec![0; 48],
        };
        assert_eq!(
            unwrap(&KeyRecord::Wrapped(Box::new(sealed)), SEQUENCE),
            None
        );
    }

    #[test]
    fn waiting_grows_and_stays_below_five_minutes() {
        let waits: Vec<u64> = (0..8).map(delay_ms).collect();
        assert_eq!(waits, [0, 0, 0, 1000, 2000, 4000, 8000, 16_000]);
        assert_eq!(delay_ms(u32::MAX), 300_000);
    }

    #[test]
    fn rounds_follow_the_device_but_never_fall_below_the_floor() {
        assert_eq!(iterations_for(1000), MIN_ITERATIONS);
        assert_eq!(iterations_for(35), 2_000_000);
        assert_eq!(iterations_for(0), MAX_ITERATIONS / 2);
        assert!(
            is_strong_enough(SEQUENCE)
                && !is_strong_enough(&[1; 8])
                && !is_strong_enough(&[1, 2, 3])
        );
    }
}
