//! The card as a whole: slots, journal and blobs behind one lock.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::cipher::{Cipher, NONCE_LEN};
use super::error::CardError;
use super::items::{Change, Items};
use super::journal::{Journal, Skipped};
use super::medium::{Entropy, Medium, SystemEntropy, read_exact};
use super::slot::{Slot, SlotName};
use crate::lock::{self, Key, KeyRecord};

const LOCK: SlotName = SlotName {
    base: "lock",
    cap: 512,
};
const TRIES: SlotName = SlotName {
    base: "tries",
    cap: 16,
};
const SETTINGS: SlotName = SlotName {
    base: "settings",
    cap: 8 * 1024,
};
const SECRETS: SlotName = SlotName {
    base: "secrets",
    cap: 16 * 1024,
};
const WORDS: SlotName = SlotName {
    base: "words",
    cap: 64 * 1024,
};

/// Suffix of blobs: pictures and files, in parts or whole.
const BLOB_SUFFIX: &str = ".bin";

/// Relationships at most: twice what a laptop takes by default.
pub const MAX_RELATIONSHIPS: usize = 16;

/// The keys of one relationship. Everything else about the laptop is a journal record.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relationship {
    /// Its number on this card.
    pub id: u32,
    /// Our Ed25519 key for this pair alone, as a seed.
    pub seed: [u8; 32],
    /// The laptop's Ed25519 public key for this pair alone.
    pub peer: [u8; 32],
    /// Secret of the token that names this relationship to the laptop.
    pub token_secret: [u8; 32],
    /// What a renewal agreed on, until the first session on it: our new seed, the laptop's new key, the new token secret.
    pub next: Option<[[u8; 32]; 3]>,
}

impl std::fmt::Debug for Relationship {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Relationship")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// What [`Card::open`] finds.
pub enum Opened<M> {
    /// Everything is readable; what could not be used is named.
    Ready(Box<Card<M>>, Vec<Skipped>),
    /// A sequence is needed first.
    Locked(Box<LockedCard<M>>),
}

/// An open card.
pub struct Card<M> {
    medium: M,
    entropy: Box<dyn Entropy + Send>,
    key: Key,
    lock: Slot,
    tries: Slot,
    settings: Slot,
    secrets: Slot,
    words: Slot,
    relationships: Vec<Relationship>,
    journal: Journal,
    next_blob: u32,
}

/// A card whose key is wrapped by a sequence. Only the settings can be read.
pub struct LockedCard<M> {
    medium: M,
    entropy: Box<dyn Entropy + Send>,
    record: KeyRecord,
    lock: Slot,
    tries: Slot,
    settings: Slot,
    /// No try is taken before this instant (milliseconds on the caller's clock).
    not_before: u64,
}

impl<M: Medium> Card<M> {
    /// Opens the card at `now` (milliseconds), or makes a new one of an empty folder.
    ///
    /// # Errors
    /// The card cannot be read, is from a newer version, or cannot be written when nothing is there yet.
    pub fn open(medium: M, now: u64) -> Result<Opened<M>, CardError> {
        Self::open_with(medium, Box::new(SystemEntropy::default()), now)
    }

    /// As [`Card::open`], with the given source of random bytes.
    ///
    /// # Errors
    /// As [`Card::open`].
    pub fn open_with(
        mut medium: M,
        entropy: Box<dyn Entropy + Send>,
        now: u64,
    ) -> Result<Opened<M>, CardError> {
        let mut lock = Slot::load(&medium, LOCK)?;
        let tries = Slot::load(&medium, TRIES)?;
        let settings = Slot::load(&medium, SETTINGS)?;
        let mut skipped = Vec::new();
        let record = match lock.content().map(postcard::from_bytes::<KeyRecord>) {
            Some(Ok(record)) => record,
            Some(Err(_)) => return Err(CardError::Newer { what: "lock" }),
            None => {
                if lock.is_damaged(&medium)? && medium.len("root.a")?.is_some() {
                    skipped.push(Skipped {
                        what: "the card's key, both copies: chats and keys cannot be read".into(),
                    });
                }
                let mut key = [0; 32];
                entropy.fill(&mut key)?;
                let record = KeyRecord::Open(key);
                store_record(&mut lock, &mut medium, &record)?;
                record
            }
        };
        if let KeyRecord::Open(key) = record {
            let (card, more) = Self::with_key(medium, entropy, key, lock, tries, settings)?;
            skipped.extend(more);
            return Ok(Opened::Ready(Box::new(card), skipped));
        }
        let not_before = now + lock::delay_ms(wrong_tries(&tries));
        Ok(Opened::Locked(Box::new(LockedCard {
            medium,
            entropy,
            record,
            lock,
            tries,
            settings,
            not_before,
        })))
    }

    fn with_key(
        mut medium: M,
        entropy: Box<dyn Entropy + Send>,
        key: Key,
        lock: Slot,
        tries: Slot,
        settings: Slot,
    ) -> Result<(Self, Vec<Skipped>), CardError> {
        let (journal, mut skipped) = Journal::open(&mut medium, &*entropy, &key)?;
        let secrets = Slot::load(&medium, SECRETS)?;
        let words = Slot::load(&medium, WORDS)?;
        let relationships = match secrets.content() {
            None => Vec::new(),
            Some(sealed) => {
                match open_sealed(&key, SECRETS.base, sealed).map(|b| postcard::from_bytes(&b)) {
                    Some(Ok(list)) => list,
                    // Whole by its seal, and of another shape.
                    Some(Err(_)) => return Err(CardError::Newer { what: "keys" }),
                    None => {
                        skipped.push(Skipped {
                            what: "the keys of the paired laptops: pair again".into(),
                        });
                        Vec::new()
                    }
                }
            }
        };
        let next_blob = medium
            .list()?
            .iter()
            .filter_map(|(n, _)| blob_number(n))
            .max()
            .map_or(1, |n| n + 1);
        let card = Self {
            medium,
            entropy,
            key,
            lock,
            tries,
            settings,
            secrets,
            words,
            relationships,
            journal,
            next_blob,
        };
        Ok((card, skipped))
    }

    /// Live chats, lists and indices.
    pub fn items(&self) -> &Items {
        self.journal.items()
    }

    /// Writes changes down: all of them survive, or none. Durable on return.
    ///
    /// # Errors
    /// A bound is exceeded, or the card is full, read-only or fails. Nothing has changed then.
    pub fn change(&mut self, changes: Vec<Change>) -> Result<(), CardError> {
        self.journal
            .append(&mut self.medium, &*self.entropy, changes)
    }

    /// Drops dead records if there are many. For a quiet moment; a failure costs nothing.
    ///
    /// # Errors
    /// The card is full, read-only or fails.
    pub fn tidy(&mut self) -> Result<bool, CardError> {
        let wanted = self.journal.wants_compaction();
        if wanted {
            self.journal.compact(&mut self.medium, &*self.entropy)?;
        }
        Ok(wanted)
    }

    /// Settings as stored; they are not sealed, so that a locked app has its theme.
    pub fn settings(&self) -> Option<&[u8]> {
        self.settings.content()
    }

    /// Replaces the settings.
    ///
    /// # Errors
    /// Too large, or the card is full, read-only or fails.
    pub fn set_settings(&mut self, bytes: &[u8]) -> Result<(), CardError> {
        self.settings.store(&mut self.medium, bytes)
    }

    /// Words learned while writing, as stored.
    pub fn words(&self) -> Option<Vec<u8>> {
        open_sealed(&self.key, WORDS.base, self.words.content()?)
    }

    /// Replaces the learned words.
    ///
    /// # Errors
    /// Too large, or the card is full, read-only or fails.
    pub fn set_words(&mut self, bytes: &[u8]) -> Result<(), CardError> {
        let sealed = seal(&self.key, WORDS.base, bytes, &*self.entropy)?;
        self.words.store(&mut self.medium, &sealed)
    }

    /// Keys of the paired laptops.
    pub fn relationships(&self) -> &[Relationship] {
        &self.relationships
    }

    /// Replaces the keys of the paired laptops, on both sides of the slot, so that a forgotten key is gone.
    ///
    /// # Errors
    /// Too many, or the card is full, read-only or fails.
    pub fn set_relationships(&mut self, list: Vec<Relationship>) -> Result<(), CardError> {
        let too_large = || CardError::TooLarge {
            what: "list of laptops",
            cap: MAX_RELATIONSHIPS,
        };
        if list.len() > MAX_RELATIONSHIPS {
            return Err(too_large());
        }
        let plain = postcard::to_allocvec(&list).map_err(|_| too_large())?;
        let sealed = seal(&self.key, SECRETS.base, &plain, &*self.entropy)?;
        self.secrets.store_twice(&mut self.medium, &sealed)?;
        self.relationships = list;
        Ok(())
    }

    /// Whether a sequence guards the card.
    pub fn is_locked(&self) -> bool {
        matches!(
            self.lock.content().map(postcard::from_bytes::<KeyRecord>),
            Some(Ok(KeyRecord::Wrapped(_)))
        )
    }

    /// Sets, changes or takes off the lock. `iterations` comes from [`lock::iterations_for`].
    ///
    /// # Errors
    /// The card is full, read-only or fails; the lock is then as before.
    pub fn set_lock(&mut self, sequence: Option<&[u8]>, iterations: u32) -> Result<(), CardError> {
        let record = match sequence {
            None => KeyRecord::Open(self.key),
            Some(sequence) => lock::wrap(&self.key, sequence, iterations, &*self.entropy)?,
        };
        store_record(&mut self.lock, &mut self.medium, &record)?;
        self.tries.store(&mut self.medium, &0u32.to_le_bytes())
    }

    /// Identity, settings, words and chats as one sealed file. Pictures and files are not in it.
    ///
    /// # Errors
    /// There is more than a backup may hold.
    pub fn backup(&self, sequence: &[u8], iterations: u32) -> Result<Vec<u8>, CardError> {
        let content = Backup {
            settings: self.settings().map(<[u8]>::to_vec),
            words: self.words(),
            relationships: self.relationships.clone(),
            changes: self.items().rebuild(64 * 1024).collect(),
        };
        let bytes = postcard::to_allocvec(&content).map_err(|_| CardError::TooLarge {
            what: "backup",
            cap: lock::MAX_BACKUP,
        })?;
        lock::seal_backup(&bytes, sequence, iterations, &*self.entropy)
    }

    /// Adds what a backup holds: its values replace those of the same name, others stay.
    /// Request ids may have gone on since; the laptop's floor lifts them at the next link.
    ///
    /// # Errors
    /// No backup, wrong sequence, or the card is full, read-only or fails.
    pub fn restore(&mut self, file: &[u8], sequence: &[u8]) -> Result<(), CardError> {
        let bytes = lock::open_backup(file, sequence)?;
        let content: Backup = postcard::from_bytes(&bytes).map_err(|_| CardError::Damaged {
            what: "backup".into(),
        })?;
        for change in content.changes {
            self.change(vec![change])?;
        }
        let mut list = content.relationships;
        list.extend(
            self.relationships
                .iter()
                .filter(|r| !list.iter().any(|l| l.id == r.id))
                .cloned()
                .collect::<Vec<_>>(),
        );
        self.set_relationships(list)?;
        if let Some(words) = content.words {
            self.set_words(&words)?;
        }
        content.settings.map_or(Ok(()), |s| self.set_settings(&s))
    }

    /// A name for a new blob. Nothing is written yet.
    pub fn new_blob(&mut self) -> String {
        let name = format!("{:08}{BLOB_SUFFIX}", self.next_blob);
        self.next_blob += 1;
        name
    }

    /// Writes a piece of a blob. Durable after [`Card::sync_blob`].
    ///
    /// # Errors
    /// The card is full, read-only or fails.
    pub fn write_blob(&mut self, name: &str, offset: u64, bytes: &[u8]) -> Result<(), CardError> {
        self.medium.write_at(name, offset, bytes)
    }

    /// Makes a blob durable. Only then may a record name it.
    ///
    /// # Errors
    /// The card fails.
    pub fn sync_blob(&mut self, name: &str) -> Result<(), CardError> {
        self.medium.sync_new(name)
    }

    /// Reads a range of a blob whole.
    ///
    /// # Errors
    /// The blob is missing or shorter, or the card fails.
    pub fn read_blob(&self, name: &str, offset: u64, len: usize) -> Result<Vec<u8>, CardError> {
        read_exact(&self.medium, name, offset, len)?.ok_or_else(|| CardError::Damaged {
            what: format!("file {name}"),
        })
    }

    /// Length of a blob.
    ///
    /// # Errors
    /// The card fails.
    pub fn blob_len(&self, name: &str) -> Result<Option<u64>, CardError> {
        self.medium.len(name)
    }

    /// Removes a blob that no record names any more.
    ///
    /// # Errors
    /// The card is read-only or fails.
    pub fn delete_blob(&mut self, name: &str) -> Result<(), CardError> {
        self.medium.delete(name)
    }

    /// Removes every blob that no record names: what a power cut left behind. Gives how many.
    ///
    /// # Errors
    /// The card is read-only or fails.
    pub fn sweep(&mut self, named: &BTreeSet<String>) -> Result<usize, CardError> {
        let orphans: Vec<String> = self
            .medium
            .list()?
            .into_iter()
            .map(|(name, _)| name)
            .filter(|name| blob_number(name).is_some() && !named.contains(name))
            .collect();
        for name in &orphans {
            self.medium.delete(name)?;
        }
        Ok(orphans.len())
    }

    /// The medium, for what lies beside the format.
    pub fn medium(&self) -> &M {
        &self.medium
    }
}

impl<M: Medium> LockedCard<M> {
    /// Settings as stored.
    pub fn settings(&self) -> Option<&[u8]> {
        self.settings.content()
    }

    /// Tries a sequence at `now`. The count of wrong ones survives a restart, and is written before the answer.
    ///
    /// # Errors
    /// Too soon, or wrong.
    pub fn try_sequence(&mut self, sequence: &[u8], now: u64) -> Result<Key, CardError> {
        if now < self.not_before {
            return Err(CardError::TooSoon {
                wait_ms: self.not_before - now,
            });
        }
        let wrong = wrong_tries(&self.tries).saturating_add(1);
        // Counted before it is tried: pulling the battery at the right instant gains no free try.
        // A card that cannot be written still opens, so that what is on it can be read.
        let counted = self.tries.store(&mut self.medium, &wrong.to_le_bytes());
        let Some(key) = lock::unwrap(&self.record, sequence) else {
            let wait_ms = lock::delay_ms(wrong);
            self.not_before = now + wait_ms;
            return Err(CardError::WrongSequence { wait_ms });
        };
        if counted.is_ok() {
            // Nothing hangs on this write: at worst the next start asks for patience.
            let _ = self.tries.store(&mut self.medium, &0u32.to_le_bytes());
        }
        Ok(key)
    }

    /// Opens the card with the key that [`LockedCard::try_sequence`] gave.
    ///
    /// # Errors
    /// The card cannot be read.
    pub fn open(self, key: Key) -> Result<(Card<M>, Vec<Skipped>), CardError> {
        Card::with_key(
            self.medium,
            self.entropy,
            key,
            self.lock,
            self.tries,
            self.settings,
        )
    }
}

/// What a backup holds.
#[derive(Serialize, Deserialize)]
struct Backup {
    settings: Option<Vec<u8>>,
    words: Option<Vec<u8>>,
    relationships: Vec<Relationship>,
    changes: Vec<Change>,
}

fn store_record(
    slot: &mut Slot,
    medium: &mut dyn Medium,
    record: &KeyRecord,
) -> Result<(), CardError> {
    let bytes = postcard::to_allocvec(record).map_err(|_| CardError::TooLarge {
        what: "lock",
        cap: LOCK.cap,
    })?;
    // Twice: the record before (an open key, an older sequence) must not stay, and one damaged sector lose nothing.
    slot.store_twice(medium, &bytes)
}

fn wrong_tries(slot: &Slot) -> u32 {
    slot.content()
        .and_then(|b| b.try_into().ok())
        .map_or(0, u32::from_le_bytes)
}

fn blob_number(name: &str) -> Option<u32> {
    name.strip_suffix(BLOB_SUFFIX)
        .filter(|n| n.len() == 8)
        .and_then(|n| n.parse().ok())
}

fn seal(key: &Key, label: &str, plain: &[u8], entropy: &dyn Entropy) -> Result<Vec<u8>, CardError> {
    let mut nonce = [0; NONCE_LEN];
    entropy.fill(&mut nonce)?;
    let mut body = plain.to_vec();
    Cipher::new(key)
        .seal(nonce, label.as_bytes(), &mut body)
        .map_err(|_| CardError::TooLarge {
            what: "slot",
            cap: WORDS.cap,
        })?;
    Ok([&nonce[..], &body].concat())
}

fn open_sealed(key: &Key, label: &str, sealed: &[u8]) -> Option<Vec<u8>> {
    let (nonce, body) = sealed.split_first_chunk::<NONCE_LEN>()?;
    Cipher::new(key).open(*nonce, label.as_bytes(), body.to_vec())
}

#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;
