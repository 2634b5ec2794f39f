//! A/B slots: small state that is replaced whole.
//!
//! Each state has two preallocated files. A write goes to the one that does not hold the current value, is synced,
//! and only then counts; the other still holds the value before. A checksum over name, number and content tells a
//! whole value from a torn one.
//!
//! ```text
//! 0   8  magic "OOSslot1"
//! 8   8  number, rises by one with each write (little endian)
//! 16  4  length of the content
//! 20 16  first half of SHA-256 over name, number, length and content
//! 36     content
//! ```

use ring::digest;

use super::error::CardError;
use super::medium::{Medium, SECTOR};

const MAGIC: &[u8; 8] = b"OOSslot1";
const HEAD_LEN: usize = 36;

/// One pair of slots: the base name (at most 8 characters) and the largest content it takes.
#[derive(Clone, Copy, Debug)]
pub struct SlotName {
    /// File name without its `.a` or `.b`.
    pub base: &'static str,
    /// Largest content in octets.
    pub cap: usize,
}

impl SlotName {
    fn file(&self, side: usize) -> String {
        format!("{}.{}", self.base, if side == 0 { 'a' } else { 'b' })
    }

    fn file_len(&self) -> u64 {
        (HEAD_LEN + self.cap).next_multiple_of(SECTOR) as u64
    }
}

/// The current value of one state, and where the next goes.
#[derive(Debug)]
pub struct Slot {
    name: SlotName,
    number: u64,
    /// Side that holds the current value.
    side: usize,
    content: Option<Vec<u8>>,
}

impl Slot {
    /// Reads both sides and takes the newer whole one. A missing or torn side is normal after a power cut.
    ///
    /// # Errors
    /// The card cannot be read.
    pub fn load(medium: &dyn Medium, name: SlotName) -> Result<Self, CardError> {
        let mut best = Slot {
            name,
            number: 0,
            side: 1,
            content: None,
        };
        for side in 0..2 {
            if let Some((number, content)) = read_side(medium, &name, side)?
                && (best.content.is_none() || number > best.number)
            {
                best = Slot {
                    name,
                    number,
                    side,
                    content: Some(content),
                };
            }
        }
        Ok(best)
    }

    /// The current value, `None` if it was never stored (or both sides are damaged).
    pub fn content(&self) -> Option<&[u8]> {
        self.content.as_deref()
    }

    /// True if a file of the pair exists although no side is readable: the value was damaged, not absent.
    ///
    /// # Errors
    /// The card cannot be read.
    pub fn is_damaged(&self, medium: &dyn Medium) -> Result<bool, CardError> {
        if self.content.is_some() {
            return Ok(false);
        }
        for side in 0..2 {
            let mut magic = [0; 8];
            let file = self.name.file(side);
            if medium.len(&file)?.is_some()
                && medium.read_at(&file, 0, &mut magic)? == 8
                && &magic == MAGIC
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Replaces the value; durable on return.
    ///
    /// # Errors
    /// The content is too large, or the card is full, read-only or fails; the old value then stays.
    pub fn store(&mut self, medium: &mut dyn Medium, content: &[u8]) -> Result<(), CardError> {
        if content.len() > self.name.cap {
            return Err(CardError::TooLarge {
                what: self.name.base,
                cap: self.name.cap,
            });
        }
        let side = 1 - self.side;
        let number = self.number + 1;
        let file = self.name.file(side);
        let len = self.name.file_len();
        if medium.len(&file)?.is_none_or(|have| have < len) {
            medium.preallocate(&file, len)?;
        }
        let mut bytes = Vec::with_capacity(HEAD_LEN + content.len());
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&number.to_le_bytes());
        bytes.extend_from_slice(&(content.len() as u32).to_le_bytes());
        bytes.extend_from_slice(&checksum(&self.name, number, content));
        bytes.extend_from_slice(content);
        medium.write_at(&file, 0, &bytes)?;
        medium.sync(&file)?;
        self.number = number;
        self.side = side;
        self.content = Some(content.to_vec());
        Ok(())
    }

    /// Replaces the value on both sides, so that the one before is gone and one damaged sector loses nothing.
    ///
    /// # Errors
    /// As [`Slot::store`].
    pub fn store_twice(
        &mut self,
        medium: &mut dyn Medium,
        content: &[u8],
    ) -> Result<(), CardError> {
        self.store(medium, content)?;
        self.store(medium, content)
    }
}

fn checksum(name: &SlotName, number: u64, content: &[u8]) -> [u8; 16] {
    let mut hash = digest::Context::new(&digest::SHA256);
    hash.update(&[name.base.len() as u8]);
    hash.update(name.base.as_bytes());
    hash.update(&number.to_le_bytes());
    hash.update(&(content.len() as u32).to_le_bytes());
    hash.update(content);
    let mut half = [0; 16];
    half.copy_from_slice(&hash.finish().as_ref()[..16]);
    half
}

fn read_side(
    medium: &dyn Medium,
    name: &SlotName,
    side: usize,
) -> Result<Option<(u64, Vec<u8>)>, CardError> {
    let file = name.file(side);
    let Some(have) = medium.len(&file)? else {
        return Ok(None);
    };
    let mut bytes = vec![0; have.min(name.file_len()) as usize];
    let got = medium.read_at(&file, 0, &mut bytes)?;
    let bytes = &bytes[..got];
    let Some((head, rest)) = bytes.split_at_checked(HEAD_LEN) else {
        return Ok(None);
    };
    if &head[..8] != MAGIC {
        return Ok(None);
    }
    let number = u64::from_le_bytes(head[8..16].try_into().expect("8 octets"));
    let len = u32::from_le_bytes(head[16..20].try_into().expect("4 octets")) as usize;
    let Some(content) = rest.get(..len).filter(|_| len <= name.cap) else {
        return Ok(None);
    };
    let whole = checksum(name, number, content) == head[20..36];
    Ok(whole.then(|| (number, content.to_vec())))
}

#[cfg(test)]
mod tests {
    use super::super::simulated::{Dice, SimulatedCard};
    use super::*;

    const NAME: SlotName = SlotName {
        base: "test",
        cap: 2000,
    };

    #[test]
    fn every_power_cut_leaves_the_value_before_or_the_new_one() {
        let value = |n: u64| vec![n as u8; 3 + (n as usize * 397) % 1900];
        for seed in 0..12 {
            for cut in 0..60 {
                let mut card = SimulatedCard {
                    steps_left: cut,
                    ..SimulatedCard::default()
                };
                let mut slot = Slot::load(&card, NAME).unwrap();
                let mut acked = 0;
                while slot.store(&mut card, &value(acked + 1)).is_ok() {
                    acked += 1;
                }
                let mut dice = Dice::new(seed * 1000 + cut);
                let mut card = card.after_power_cut(&mut dice);
                let mut slot = Slot::load(&card, NAME).unwrap();
                let got = slot.content().map(<[u8]>::to_vec);
                let before = (acked > 0).then(|| value(acked));
                assert!(
                    got == before || got == Some(value(acked + 1)),
                    "seed {seed} cut {cut}"
                );
                slot.store(&mut card, b"goes on").unwrap();
                assert_eq!(
                    Slot::load(&card, NAME).unwrap().content(),
                    Some(&b"goes on"[..])
                );
            }
        }
    }

    #[test]
    fn a_damaged_side_falls_back_and_two_damaged_sides_are_told_from_none() {
        let mut card = SimulatedCard::default();
        let mut slot = Slot::load(&card, NAME).unwrap();
        assert!(!slot.is_damaged(&card).unwrap());
        slot.store(&mut card, b"one").unwrap();
        slot.store(&mut card, b"two").unwrap();
        card.flip("test.b", HEAD_LEN);
        assert_eq!(
            Slot::load(&card, NAME).unwrap().content(),
            Some(&b"one"[..])
        );
        card.flip("test.a", 20);
        let lost = Slot::load(&card, NAME).unwrap();
        assert_eq!(lost.content(), None);
        assert!(lost.is_damaged(&card).unwrap());
    }

    #[test]
    fn a_full_or_read_only_card_keeps_the_old_value_and_says_so() {
        let mut card = SimulatedCard {
            capacity: 2048,
            ..SimulatedCard::default()
        };
        let mut slot = Slot::load(&card, NAME).unwrap();
        slot.store(&mut card, b"kept").unwrap();
        assert!(matches!(
            slot.store(&mut card, b"more"),
            Err(CardError::Full { .. })
        ));
        card.read_only = true;
        assert!(matches!(
            slot.store(&mut card, b"more"),
            Err(CardError::ReadOnly)
        ));
        assert!(matches!(
            slot.store(&mut card, &[0; 2001]),
            Err(CardError::TooLarge { cap: 2000, .. })
        ));
        assert_eq!(
            Slot::load(&card, NAME).unwrap().content(),
            Some(&b"kept"[..])
        );
    }
}
