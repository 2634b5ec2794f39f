//! A medium in memory that loses power the way a FAT card does. For tests.
//!
//! Until it is synced, a written sector may afterwards hold its old content, any content written to it since, or
//! garbage (a sector torn in programming); sectors land in any order. A new file may be missing, short, or full of
//! whatever its clusters held before; a deleted one may come back.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::error::CardError;
use super::medium::{Entropy, Medium, SECTOR};

/// Small deterministic generator (xorshift64*): a failing case is its seed.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// Starts from a seed.
    pub fn new(seed: u64) -> Self {
        Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// Any number.
    pub fn roll(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// A number below `n`.
    pub fn below(&mut self, n: u64) -> u64 {
        (self.roll() >> 11) % n.max(1)
    }
}

/// Deterministic salts and nonces, all different.
pub struct CountingEntropy(pub RefCell<Dice>);

impl CountingEntropy {
    /// Starts from a seed.
    pub fn new(seed: u64) -> Self {
        Self(RefCell::new(Dice::new(seed ^ 0xE17)))
    }
}

impl Entropy for CountingEntropy {
    fn fill(&self, buf: &mut [u8]) -> Result<(), CardError> {
        let mut dice = self.0.borrow_mut();
        buf.iter_mut().for_each(|b| *b = dice.roll() as u8);
        Ok(())
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Stored {
    /// What a power cut cannot take.
    durable: Vec<u8>,
    /// The name itself is durable.
    named: bool,
    /// What the running system sees.
    seen: Vec<u8>,
    /// Unsynced contents of each touched sector, oldest first.
    pending: BTreeMap<usize, Vec<Vec<u8>>>,
}

/// See the module's description.
#[derive(Clone, Debug)]
pub struct SimulatedCard {
    pub(super) files: BTreeMap<String, Stored>,
    pub(super) deleted: BTreeMap<String, Stored>,
    /// Steps (changes of the medium) until the power fails.
    pub steps_left: u64,
    /// Steps taken so far.
    pub steps: u64,
    /// Octets that fit; `u64::MAX` for an endless card.
    pub capacity: u64,
    /// Every change is refused.
    pub read_only: bool,
}

impl Default for SimulatedCard {
    fn default() -> Self {
        Self {
            files: BTreeMap::new(),
            deleted: BTreeMap::new(),
            steps_left: u64::MAX,
            steps: 0,
            capacity: u64::MAX,
            read_only: false,
        }
    }
}

impl SimulatedCard {
    fn step(&mut self, action: &'static str, name: &str) -> Result<(), CardError> {
        if self.read_only {
            return Err(CardError::ReadOnly);
        }
        if self.steps_left == 0 {
            return Err(CardError::Io {
                action,
                name: name.into(),
                source: std::io::Error::other("power is off"),
            });
        }
        self.steps_left -= 1;
        self.steps += 1;
        Ok(())
    }

    fn used(&self) -> u64 {
        self.files.values().map(|f| f.seen.len() as u64).sum()
    }

    fn put(&mut self, name: &str, offset: usize, bytes: &[u8]) -> Result<(), CardError> {
        let grown = (offset + bytes.len()) as u64;
        let have = self.files.get(name).map_or(0, |f| f.seen.len() as u64);
        if self.used() - have + grown.max(have) > self.capacity {
            return Err(CardError::Full {
                need: bytes.len() as u64,
            });
        }
        let file = self.files.entry(name.to_owned()).or_default();
        if file.seen.len() < offset + bytes.len() {
            file.seen.resize(offset + bytes.len(), 0);
        }
        file.seen[offset..offset + bytes.len()].copy_from_slice(bytes);
        for sector in offset / SECTOR..=(offset + bytes.len().max(1) - 1) / SECTOR {
            let end = ((sector + 1) * SECTOR).min(file.seen.len());
            let content = file.seen[sector * SECTOR..end].to_vec();
            file.pending.entry(sector).or_default().push(content);
        }
        Ok(())
    }

    /// What a restart finds after the power failed: one of the many possible outcomes.
    pub fn after_power_cut(&self, dice: &mut Dice) -> SimulatedCard {
        let mut next = SimulatedCard {
            capacity: self.capacity,
            ..SimulatedCard::default()
        };
        for (name, file) in &self.deleted {
            if dice.below(3) == 0 {
                next.files.insert(name.clone(), file.clone());
            }
        }
        for (name, file) in &self.files {
            if !file.named && dice.below(3) == 0 {
                continue;
            }
            let mut content = file.durable.clone();
            if !file.pending.is_empty() && file.seen.len() > content.len() {
                let extra = (file.seen.len() - content.len()) as u64;
                let len = content.len() + dice.below(extra + 1) as usize;
                // New clusters show what they held before.
                content.resize_with(len, || dice.roll() as u8);
            }
            for (sector, versions) in &file.pending {
                let start = sector * SECTOR;
                let pick = dice.below(versions.len() as u64 + 2) as usize;
                let new = match pick {
                    0 => continue,
                    1 => {
                        let mut torn = versions[versions.len() - 1].clone();
                        let from = dice.below(torn.len() as u64) as usize;
                        torn[from..].iter_mut().for_each(|b| *b = dice.roll() as u8);
                        torn
                    }
                    n => versions[n - 2].clone(),
                };
                if start < content.len() {
                    let end = (start + new.len()).min(content.len());
                    content[start..end].copy_from_slice(&new[..end - start]);
                }
            }
            let kept = Stored {
                durable: content.clone(),
                named: true,
                seen: content,
                pending: BTreeMap::new(),
            };
            next.files.insert(name.clone(), kept);
        }
        next
    }

    /// What a kill of the process leaves: all that was written, whole.
    pub fn after_kill(&self) -> SimulatedCard {
        SimulatedCard {
            steps_left: u64::MAX,
            ..self.clone()
        }
    }

    /// Damages one octet for good, as a failing card does.
    pub fn flip(&mut self, name: &str, at: usize) {
        let file = self
            .files
            .get_mut(name)
            .expect("the test names a file that exists");
        file.durable[at] ^= 0x40;
        file.seen[at] ^= 0x40;
    }
}

impl Medium for SimulatedCard {
    fn list(&self) -> Result<Vec<(String, u64)>, CardError> {
        Ok(self
            .files
            .iter()
            .map(|(n, f)| (n.clone(), f.seen.len() as u64))
            .collect())
    }

    fn len(&self, name: &str) -> Result<Option<u64>, CardError> {
        Ok(self.files.get(name).map(|f| f.seen.len() as u64))
    }

    fn read_at(&self, name: &str, offset: u64, buf: &mut [u8]) -> Result<usize, CardError> {
        let Some(file) = self.files.get(name) else {
            let source = std::io::ErrorKind::NotFound.into();
            return Err(CardError::Io {
                action: "read",
                name: name.into(),
                source,
            });
        };
        let rest = file.seen.get(offset as usize..).unwrap_or_default();
        let got = rest.len().min(buf.len());
        buf[..got].copy_from_slice(&rest[..got]);
        Ok(got)
    }

    fn write_at(&mut self, name: &str, offset: u64, bytes: &[u8]) -> Result<(), CardError> {
        // Two cut points: before the write, and with it in flight.
        self.step("write", name)?;
        self.put(name, offset as usize, bytes)?;
        self.step("write", name)
    }

    fn sync(&mut self, name: &str) -> Result<(), CardError> {
        self.step("sync", name)?;
        if let Some(file) = self.files.get_mut(name) {
            file.durable = file.seen.clone();
            file.pending.clear();
        }
        Ok(())
    }

    fn sync_new(&mut self, name: &str) -> Result<(), CardError> {
        self.sync(name)?;
        if let Some(file) = self.files.get_mut(name) {
            file.named = true;
            self.deleted.remove(name);
        }
        Ok(())
    }

    fn preallocate(&mut self, name: &str, len: u64) -> Result<(), CardError> {
        self.step("create", name)?;
        let have = self.files.get(name).map_or(0, |f| f.seen.len());
        if (have as u64) < len {
            self.put(name, have, &vec![0; len as usize - have])?;
        }
        self.step("create", name)?;
        self.sync_new(name)
    }

    fn delete(&mut self, name: &str) -> Result<(), CardError> {
        self.step("delete", name)?;
        if let Some(file) = self.files.remove(name) {
            self.deleted.insert(name.to_owned(), file);
        }
        self.step("delete", name)
    }
}
