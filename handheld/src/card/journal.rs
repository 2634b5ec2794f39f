//! The journal: batches of changes, written in place into preallocated segments.
//!
//! A batch starts at a sector boundary and is sealed (ChaCha20-Poly1305) over its place, so that its tag is also its
//! checksum: a torn batch, a stale one from an earlier use of the segment, and a forged one all fail to open. One
//! batch is written and synced before the next begins; an acknowledged sector is never written again.
//!
//! ```text
//! 0   4  magic "OOB1"
//! 4   8  number within the generation, rises by one (little endian)
//! 12  4  length of the sealed content
//! 16 12  nonce
//! 28     sealed changes (postcard), 16 octets of tag at the end; zeros up to the sector's end
//! ```
//!
//! Compaction writes the live content as a new generation into the *other* set of segments and then switches by one
//! slot write; the old set stays allocated for the next time.

use serde::{Deserialize, Serialize};

use super::cipher::{Cipher, NONCE_LEN, TAG_LEN};
use super::error::CardError;
use super::items::{Change, Items};
use super::medium::{Entropy, Medium, SECTOR};
use super::slot::{Slot, SlotName};

const MAGIC: &[u8; 4] = b"OOB1";
const HEAD_LEN: usize = 28;

/// Length of a segment: half a second's work for a slow card when it is first allocated; holds the largest batch.
pub const SEGMENT_LEN: usize = 2 << 20;

/// Segments in a set: 64 MiB, twice and a half the live content at most.
const MAX_SEGMENTS: u32 = 32;

/// Largest sealed batch.
const MAX_BATCH: usize = 1536 * 1024;

/// Value octets in one batch when compacting.
const COMPACT_PIECE: usize = 64 * 1024;

/// Below this many octets written, compaction is not worth its wear.
const COMPACT_FLOOR: u64 = 2 * SEGMENT_LEN as u64;

const ROOT: SlotName = SlotName {
    base: "root",
    cap: 256,
};
const ROOT_VERSION: u16 = 1;

/// Which generation of the journal counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Root {
    version: u16,
    generation: u64,
    /// 0 or 1: which set of segments holds it.
    set: u8,
    /// Part of every batch's authenticated place, so that nothing from an earlier generation opens.
    salt: [u8; 16],
}

/// Something on the card that could not be used. Startup goes on without it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// What it was and where, for the log and the settings screen.
    pub what: String,
}

/// An open journal and its live content.
pub struct Journal {
    root_slot: Slot,
    root: Root,
    /// A switch to another generation failed half way: the card may name either.
    unsettled: bool,
    key: Cipher,
    items: Items,
    /// Number of the next batch.
    next: u64,
    segment: u32,
    offset: usize,
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Journal")
            .field("root", &self.root)
            .field("next", &self.next)
            .finish_non_exhaustive()
    }
}

impl Journal {
    /// Opens the journal or starts an empty one. What cannot be read is named in the list and skipped.
    ///
    /// # Errors
    /// The card cannot be read, or not written when there is nothing yet.
    pub fn open(
        medium: &mut dyn Medium,
        entropy: &dyn Entropy,
        key: &[u8; 32],
    ) -> Result<(Self, Vec<Skipped>), CardError> {
        let mut skipped = Vec::new();
        let mut root_slot = Slot::load(medium, ROOT)?;
        let known = match root_slot.content().map(postcard::from_bytes::<Root>) {
            Some(Ok(root)) if root.version > ROOT_VERSION => {
                return Err(CardError::Newer { what: "journal" });
            }
            Some(Ok(root)) => Some(root),
            // Whole by its checksum, and of another shape.
            Some(Err(_)) => return Err(CardError::Newer { what: "journal" }),
            None => None,
        };
        let root = match known {
            Some(root) => root,
            None => {
                // A power cut during the very first store leaves a torn root too, but no segment yet.
                if root_slot.is_damaged(medium)? && medium.len(&segment_name(0, 0))?.is_some() {
                    skipped.push(Skipped {
                        what: "the journal's root, both copies: chats and outbox cannot be read"
                            .into(),
                    });
                }
                let root = Root {
                    version: ROOT_VERSION,
                    generation: 1,
                    set: 0,
                    salt: salt(entropy)?,
                };
                store_root(&mut root_slot, medium, &root)?;
                root
            }
        };
        let mut journal = Self {
            root_slot,
            root,
            unsettled: false,
            key: Cipher::new(key),
            items: Items::default(),
            next: 1,
            segment: 0,
            offset: 0,
        };
        journal.replay(medium, &mut skipped)?;
        Ok((journal, skipped))
    }

    /// The live content.
    pub fn items(&self) -> &Items {
        &self.items
    }

    /// Writes the changes as one batch: all of them survive, or none. Durable on return.
    ///
    /// # Errors
    /// A bound is exceeded, or the card is full, read-only or fails. The live content is then unchanged.
    pub fn append(
        &mut self,
        medium: &mut dyn Medium,
        entropy: &dyn Entropy,
        changes: Vec<Change>,
    ) -> Result<(), CardError> {
        if changes.is_empty() {
            return Ok(());
        }
        self.items.check(&changes)?;
        let plain = encode(&changes)?;
        self.settle(medium)?;
        if self.is_last_segment_near() {
            self.compact(medium, entropy)?;
        }
        self.write(medium, entropy, plain)?;
        for change in changes {
            self.items.apply(change);
        }
        Ok(())
    }

    /// Whether dead records outweigh live ones enough to be worth a [`Journal::compact`] in a quiet moment.
    pub fn wants_compaction(&self) -> bool {
        let written = u64::from(self.segment) * SEGMENT_LEN as u64 + self.offset as u64;
        written > COMPACT_FLOOR && written > 3 * self.items.live_len() as u64
    }

    /// Writes the live content as a new generation and switches to it. A power cut leaves the old or the new one.
    ///
    /// # Errors
    /// The card is full, read-only or fails; the old generation then goes on.
    pub fn compact(
        &mut self,
        medium: &mut dyn Medium,
        entropy: &dyn Entropy,
    ) -> Result<(), CardError> {
        self.settle(medium)?;
        let root = Root {
            version: ROOT_VERSION,
            generation: self.root.generation + 1,
            set: 1 - self.root.set,
            salt: salt(entropy)?,
        };
        let old = (self.root.clone(), self.next, self.segment, self.offset);
        let result = self.write_generation(medium, entropy, root);
        if result.is_err() {
            (self.root, self.next, self.segment, self.offset) = old;
        }
        result
    }

    fn write_generation(
        &mut self,
        medium: &mut dyn Medium,
        entropy: &dyn Entropy,
        root: Root,
    ) -> Result<(), CardError> {
        self.root = root;
        (self.next, self.segment, self.offset) = (1, 0, 0);
        let mut batch = Vec::new();
        let mut batch_len = 0;
        // The iterator borrows the items that `write` does not touch.
        let items = std::mem::take(&mut self.items);
        let mut result = Ok(());
        for change in items.rebuild(COMPACT_PIECE) {
            if batch_len >= COMPACT_PIECE {
                result = encode(&std::mem::take(&mut batch))
                    .and_then(|plain| self.write(medium, entropy, plain));
                batch_len = 0;
                if result.is_err() {
                    break;
                }
            }
            batch_len += change_len(&change);
            batch.push(change);
        }
        if result.is_ok() && !batch.is_empty() {
            result = encode(&batch).and_then(|plain| self.write(medium, entropy, plain));
        }
        self.items = items;
        result?;
        let switched = store_root(&mut self.root_slot, medium, &self.root);
        self.unsettled = switched.is_err();
        switched
    }

    /// Names the generation that goes on, where a failed switch has left that open. Nothing may be written before: it would be
    /// lost with a generation that the card does not name.
    fn settle(&mut self, medium: &mut dyn Medium) -> Result<(), CardError> {
        if self.unsettled {
            store_root(&mut self.root_slot, medium, &self.root)?;
            self.unsettled = false;
        }
        Ok(())
    }

    fn is_last_segment_near(&self) -> bool {
        self.segment + 2 >= MAX_SEGMENTS
            && self.items.live_len() < (MAX_SEGMENTS as usize / 2) * SEGMENT_LEN
    }

    fn write(
        &mut self,
        medium: &mut dyn Medium,
        entropy: &dyn Entropy,
        plain: Vec<u8>,
    ) -> Result<(), CardError> {
        let needed = (HEAD_LEN + plain.len() + TAG_LEN).next_multiple_of(SECTOR);
        let (mut segment, mut offset) = (self.segment, self.offset);
        if offset + needed > SEGMENT_LEN {
            (segment, offset) = (segment + 1, 0);
        }
        if segment >= MAX_SEGMENTS {
            return Err(CardError::StoreFull {
                cap: super::items::MAX_LIVE,
            });
        }
        let file = segment_name(self.root.set, segment);
        if medium
            .len(&file)?
            .is_none_or(|len| len < SEGMENT_LEN as u64)
        {
            medium.preallocate(&file, SEGMENT_LEN as u64)?;
        }
        let mut nonce = [0; NONCE_LEN];
        entropy.fill(&mut nonce)?;
        let mut bytes = Vec::with_capacity(needed);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&self.next.to_le_bytes());
        bytes.extend_from_slice(&((plain.len() + TAG_LEN) as u32).to_le_bytes());
        bytes.extend_from_slice(&nonce);
        let place = place(&self.root, segment, offset, self.next);
        let mut sealed = plain;
        self.key
            .seal(nonce, &place, &mut sealed)
            .map_err(|_| CardError::TooLarge {
                what: "batch",
                cap: MAX_BATCH,
            })?;
        bytes.extend_from_slice(&sealed);
        bytes.resize(needed, 0);
        medium.write_at(&file, offset as u64, &bytes)?;
        medium.sync(&file)?;
        self.next += 1;
        self.segment = segment;
        self.offset = offset + needed;
        Ok(())
    }

    /// Reads all segments of the current generation in order.
    fn replay(&mut self, medium: &dyn Medium, skipped: &mut Vec<Skipped>) -> Result<(), CardError> {
        for segment in 0..MAX_SEGMENTS {
            let file = segment_name(self.root.set, segment);
            let Some(len) = medium.len(&file)? else { break };
            let mut bytes = vec![0; (len as usize).min(SEGMENT_LEN)];
            let got = match medium.read_at(&file, 0, &mut bytes) {
                Ok(got) => got,
                Err(error) => {
                    skipped.push(Skipped {
                        what: format!("segment {file}: {error}"),
                    });
                    continue;
                }
            };
            self.replay_segment(segment, &bytes[..got], skipped);
        }
        Ok(())
    }

    fn replay_segment(&mut self, segment: u32, bytes: &[u8], skipped: &mut Vec<Skipped>) {
        let file = segment_name(self.root.set, segment);
        let mut offset = 0;
        while offset + HEAD_LEN <= bytes.len() {
            let Some((number, plain, end)) = self.open_batch(segment, offset, bytes) else {
                // The end, a batch that never was acknowledged, or damage: only a later whole batch tells which.
                offset += SECTOR;
                continue;
            };
            if number > self.next {
                skipped.push(Skipped {
                    what: format!(
                        "{} damaged records in {file} before {offset}",
                        number - self.next
                    ),
                });
            }
            self.next = number + 1;
            (self.segment, self.offset) = (segment, end);
            offset = end;
            match postcard::from_bytes::<Vec<Change>>(&plain) {
                Ok(changes) => {
                    for change in changes {
                        if let Change::Append(table, key, ..) = &change {
                            let name = format!(
                                "a piece of {table:?} {}.{} after a damaged one",
                                key.0, key.1
                            );
                            if !self.items.apply(change) {
                                skipped.push(Skipped { what: name });
                            }
                        } else {
                            self.items.apply(change);
                        }
                    }
                }
                Err(_) => skipped.push(Skipped {
                    what: format!("record {number} in {file}: unknown content"),
                }),
            }
        }
    }

    /// Opens the batch at this place: its number, content and end. `None` if there is no whole batch that belongs here.
    fn open_batch(
        &self,
        segment: u32,
        offset: usize,
        bytes: &[u8],
    ) -> Option<(u64, Vec<u8>, usize)> {
        let head = bytes.get(offset..offset + HEAD_LEN)?;
        if &head[..4] != MAGIC {
            return None;
        }
        let number = u64::from_le_bytes(head[4..12].try_into().ok()?);
        let len = u32::from_le_bytes(head[12..16].try_into().ok()?) as usize;
        if number < self.next || len > MAX_BATCH + TAG_LEN {
            return None;
        }
        let start = offset + HEAD_LEN;
        let sealed = bytes.get(start..start.checked_add(len)?)?.to_vec();
        let nonce = head[16..28].try_into().ok()?;
        let place = place(&self.root, segment, offset, number);
        let plain = self.key.open(nonce, &place, sealed)?;
        Some((number, plain, (start + len).next_multiple_of(SECTOR)))
    }
}

/// Name of a segment's file.
fn segment_name(set: u8, segment: u32) -> String {
    format!("{}{segment:03}.seg", if set == 0 { 'a' } else { 'b' })
}

fn salt(entropy: &dyn Entropy) -> Result<[u8; 16], CardError> {
    let mut salt = [0; 16];
    entropy.fill(&mut salt)?;
    Ok(salt)
}

fn place(root: &Root, segment: u32, offset: usize, number: u64) -> [u8; 40] {
    let mut place = [0; 40];
    place[..16].copy_from_slice(&root.salt);
    place[16..24].copy_from_slice(&root.generation.to_le_bytes());
    place[24..28].copy_from_slice(&segment.to_le_bytes());
    place[28..32].copy_from_slice(&(offset as u32).to_le_bytes());
    place[32..].copy_from_slice(&number.to_le_bytes());
    place
}

fn store_root(slot: &mut Slot, medium: &mut dyn Medium, root: &Root) -> Result<(), CardError> {
    let bytes = postcard::to_allocvec(root).map_err(|_| CardError::TooLarge {
        what: "root",
        cap: ROOT.cap,
    })?;
    // Twice: without the root nothing in the segments opens, so one damaged sector must not take it.
    slot.store_twice(medium, &bytes)
}

fn encode(changes: &[Change]) -> Result<Vec<u8>, CardError> {
    let too_large = CardError::TooLarge {
        what: "batch",
        cap: MAX_BATCH,
    };
    if changes.iter().map(change_len).sum::<usize>() > MAX_BATCH {
        return Err(too_large);
    }
    match postcard::to_allocvec(changes) {
        Ok(plain) if plain.len() <= MAX_BATCH => Ok(plain),
        _ => Err(too_large),
    }
}

fn change_len(change: &Change) -> usize {
    24 + match change {
        Change::Put(_, _, bytes) | Change::Append(_, _, _, bytes) => bytes.len(),
        Change::Delete(..) | Change::DeleteAll(..) => 0,
    }
}

#[cfg(test)]
#[path = "journal_tests.rs"]
mod tests;
