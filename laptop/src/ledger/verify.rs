//! Whether a ledger is whole: line after line.

use super::chain::{Entry, Flaw, Head, is_checkpoint, read};
use super::event::{Event, Hex};
use shared_proto::crypto::ring::RingCrypto;
use shared_proto::crypto::{PublicKey, Signature, verify_submit};
use std::collections::{BTreeMap, BTreeSet};

/// The first entry that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadEntry {
    /// Number that the entry has or should have.
    pub number: u64,
    /// What is wrong.
    pub flaw: Flaw,
}

/// What was found in lines that hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Entries.
    pub entries: u64,
    /// Number of the first; zero if there is none.
    pub first: u64,
    /// The end.
    pub head: Head,
    /// Checkpoints whose signature was checked.
    pub checkpoints: u64,
    /// Number of the last of them; what stands behind it is chained and not signed yet.
    pub signed_to: u64,
    /// Requests whose signature was checked.
    pub requests: u64,
    /// The key that signs, if the ledger named one.
    pub key: Option<PublicKey>,
}

/// Takes a ledger in line by line. It may begin anywhere: older parts may have been put away.
#[derive(Debug)]
pub struct Verifier {
    report: Report,
    pinned: bool,
    at: i64,
    devices: BTreeMap<i64, BTreeSet<[u8; 32]>>,
    callers: BTreeMap<i64, [u8; 32]>,
    /// What devices say they saw: name and head.
    witnesses: Vec<(String, Head)>,
}

impl Verifier {
    /// Starts. With `key`, checkpoints must be by that key and the ledger may name no other; without, by the key
    /// that the ledger itself names first.
    pub fn new(key: Option<PublicKey>) -> Self {
        Self {
            report: Report {
                entries: 0,
                first: 0,
                head: Head::START,
                checkpoints: 0,
                signed_to: 0,
                requests: 0,
                key,
            },
            pinned: key.is_some(),
            at: i64::MIN,
            devices: BTreeMap::new(),
            callers: BTreeMap::new(),
            witnesses: Vec::new(),
        }
    }

    /// Holds the ledger against what devices say they saw of it: name, and the end as it was then.
    #[must_use]
    pub fn with_witnesses(mut self, witnesses: Vec<(String, Head)>) -> Self {
        self.witnesses = witnesses;
        self
    }

    /// A device that saw the ledger go further than it does, and how far, once all lines are in.
    pub fn missed(&self) -> Option<(&str, u64)> {
        self.witnesses
            .iter()
            .filter(|(_, seen)| seen.number > self.report.head.number)
            .max_by_key(|(_, seen)| seen.number)
            .map(|(name, seen)| (name.as_str(), seen.number))
    }

    /// Takes the next line in, its end included.
    ///
    /// # Errors
    /// The entry does not hold; what comes behind it proves nothing any more.
    pub fn line(&mut self, line: &[u8]) -> Result<Entry, BadEntry> {
        let expected = self.report.head.number + 1;
        let bad = |number, flaw| BadEntry { number, flaw };
        let (head, entry) = read(line).map_err(|flaw| bad(expected, flaw))?;
        if self.report.entries == 0 {
            self.report.first = entry.number;
            // A chain that begins with the first entry begins with nothing before it.
            if entry.number == 0 || (entry.number == 1 && entry.previous.0 != Head::START.hash) {
                return Err(bad(entry.number, Flaw::Previous));
            }
        } else if entry.number != expected {
            let found = entry.number;
            return Err(bad(expected, Flaw::Number { expected, found }));
        } else if entry.previous.0 != self.report.head.hash {
            return Err(bad(expected, Flaw::Previous));
        }
        if entry.at < self.at {
            return Err(bad(entry.number, Flaw::Time));
        }
        if let Some((name, _)) = self
            .witnesses
            .iter()
            .find(|(_, seen)| seen.number == head.number && seen.hash != head.hash)
        {
            return Err(bad(entry.number, Flaw::Witness(name.clone())));
        }
        self.event(&entry).map_err(|flaw| bad(entry.number, flaw))?;
        self.at = entry.at;
        self.report.entries += 1;
        self.report.head = head;
        Ok(entry)
    }

    /// What was found so far.
    pub fn report(&self) -> &Report {
        &self.report
    }

    fn event(&mut self, entry: &Entry) -> Result<(), Flaw> {
        match &entry.event {
            Event::Started { key, .. } => {
                let key = PublicKey(key.0);
                match self.report.key {
                    Some(known) if known != key => return Err(Flaw::Checkpoint),
                    _ => self.report.key = Some(key),
                }
            }
            Event::Checkpoint { signature } => {
                let before = Head {
                    number: entry.number - 1,
                    hash: entry.previous.0,
                };
                match self.report.key {
                    Some(key) if is_checkpoint(before, &key, *signature) => {
                        self.report.checkpoints += 1;
                        self.report.signed_to = before.number;
                    }
                    Some(_) => return Err(Flaw::Checkpoint),
                    // A part that begins behind the entry that names the key: nothing to check it with.
                    None => {}
                }
            }
            Event::Known { device, key, .. }
            | Event::Paired { device, key, .. }
            | Event::Rekeyed { device, key } => {
                self.devices.entry(*device).or_default().insert(key.0);
            }
            Event::CallerAdded { device, key, .. } => {
                self.callers.insert(*device, key.0);
            }
            Event::Called { device, key, .. } => self.called(*device, key)?,
            Event::Taken {
                device,
                request,
                digest,
                exporter,
                key,
                signature,
                ..
            } => {
                self.signed(*device, *request, (digest, exporter), key, signature)?;
                self.report.requests += 1;
            }
            _ => {}
        }
        Ok(())
    }

    /// A request of a caller shows the key that the caller was given.
    fn called(&self, device: i64, key: &Hex<32>) -> Result<(), Flaw> {
        let known = self.callers.get(&device);
        let whole = self.report.first == 1;
        if (whole || known.is_some()) && known != Some(&key.0) {
            return Err(Flaw::Stranger);
        }
        Ok(())
    }

    fn signed(
        &self,
        device: i64,
        request: u64,
        (digest, exporter): (&Hex<32>, &Hex<32>),
        key: &Hex<32>,
        signature: &Hex<64>,
    ) -> Result<(), Flaw> {
        // Only a ledger from its beginning knows every device.
        let known = self.devices.get(&device);
        let whole = self.report.first == 1;
        if (whole || known.is_some()) && !known.is_some_and(|keys| keys.contains(&key.0)) {
            return Err(Flaw::Stranger);
        }
        verify_submit(
            &RingCrypto,
            &PublicKey(key.0),
            exporter.0,
            request,
            digest.0,
            &Signature(signature.0),
        )
        .map_err(|_| Flaw::Request)
    }

    /// Whether the key was given rather than taken from the ledger itself.
    pub fn is_pinned(&self) -> bool {
        self.pinned
    }
}
