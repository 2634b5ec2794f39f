//! The card's loader: a card that was written by rules and then spoiled at will opens all the same, gives nothing that was never
//! written, and goes on.

use crate::octets::Octets;
use handheld::card::medium::{Entropy, Medium};
use handheld::card::store::{Card, Opened, Relationship};
use handheld::card::{CardError, Change, Key, Table};
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

/// Files in memory. What a file of zeros would take is not kept: most of a segment is.
#[derive(Clone, Default)]
struct Files(BTreeMap<String, (u64, Vec<u8>)>);

impl Medium for Files {
    fn list(&self) -> Result<Vec<(String, u64)>, CardError> {
        let all = self.0.iter();
        Ok(all.map(|(name, (len, _))| (name.clone(), *len)).collect())
    }

    fn len(&self, name: &str) -> Result<Option<u64>, CardError> {
        Ok(self.0.get(name).map(|(len, _)| *len))
    }

    fn read_at(&self, name: &str, offset: u64, buf: &mut [u8]) -> Result<usize, CardError> {
        let Some((len, bytes)) = self.0.get(name) else {
            return Err(CardError::Damaged { what: name.into() });
        };
        let got = buf.len().min(len.saturating_sub(offset) as usize);
        let start = (offset as usize).min(bytes.len());
        let known = (bytes.len() - start).min(got);
        buf[..known].copy_from_slice(&bytes[start..start + known]);
        buf[known..got].fill(0);
        Ok(got)
    }

    fn write_at(&mut self, name: &str, offset: u64, new: &[u8]) -> Result<(), CardError> {
        let (len, bytes) = self.0.entry(name.to_owned()).or_default();
        let end = offset as usize + new.len();
        if bytes.len() < end {
            bytes.resize(end, 0);
        }
        bytes[offset as usize..end].copy_from_slice(new);
        *len = (*len).max(end as u64);
        Ok(())
    }

    fn sync(&mut self, _: &str) -> Result<(), CardError> {
        Ok(())
    }

    fn sync_new(&mut self, _: &str) -> Result<(), CardError> {
        Ok(())
    }

    fn preallocate(&mut self, name: &str, len: u64) -> Result<(), CardError> {
        let entry = self.0.entry(name.to_owned()).or_default();
        entry.0 = entry.0.max(len);
        Ok(())
    }

    fn delete(&mut self, name: &str) -> Result<(), CardError> {
        self.0.remove(name);
        Ok(())
    }
}

/// Numbers that never repeat.
struct Counter(Cell<u64>);

impl Entropy for Counter {
    fn fill(&self, buf: &mut [u8]) -> Result<(), CardError> {
        for piece in buf.chunks_mut(8) {
            self.0.set(self.0.get() + 1);
            piece.copy_from_slice(&self.0.get().to_le_bytes()[..piece.len()]);
        }
        Ok(())
    }
}

const TABLES: [Table; 4] = [
    Table::Conversation,
    Table::TurnText,
    Table::Outbox,
    Table::Misc,
];

/// All that was ever put under a name.
type Written = BTreeMap<(Table, Key), Puts>;

#[derive(Default)]
struct Puts {
    whole: BTreeSet<Vec<u8>>,
    added: BTreeSet<Vec<u8>>,
}

/// Whether a value is one that was written. Where a record in the middle is lost, a piece may follow an older value of the length that
/// the lost one had: the offset in the record is all that the format knows of it.
fn is_known(puts: &Puts, value: &[u8]) -> bool {
    puts.whole.contains(value)
        || puts.added.iter().any(|added| {
            !added.is_empty()
                && value
                    .strip_suffix(&added[..])
                    .is_some_and(|before| is_known(puts, before))
        })
}

fn open(files: Files, seed: u64) -> Result<Option<Box<Card<Files>>>, CardError> {
    let entropy = Box::new(Counter(Cell::new(seed << 32)));
    Ok(match Card::open_with(files, entropy, 0)? {
        Opened::Ready(card, _) => Some(card),
        Opened::Locked(_) => None,
    })
}

/// Writes, then spoils, then reads.
pub fn drive(bytes: &[u8]) {
    let mut octets = Octets(bytes);
    let Ok(Some(mut card)) = open(Files::default(), 1) else {
        panic!("an empty card is taken into use");
    };
    let mut written = Written::new();
    let mut settings: BTreeSet<Vec<u8>> = BTreeSet::new();
    for _ in 0..octets.byte() % 24 {
        write(&mut card, &mut octets, &mut written, &mut settings);
    }
    let whole: Vec<_> = all(&card);
    let mut files = card.medium().clone();
    // As it is, it holds all that it held.
    let Ok(Some(card)) = open(files.clone(), 2) else {
        panic!("a card that is whole opens");
    };
    assert_eq!(all(&card), whole, "something was lost without a fault");

    while !octets.0.is_empty() {
        spoil(&mut files, &mut octets);
    }
    // A refusal in words is fine (another version, no such shape); a fault of ours is not.
    let Ok(Some(mut card)) = open(files, 3) else {
        return;
    };
    for (name, value) in all(&card) {
        let known = written.get(&name).is_some_and(|all| is_known(all, &value));
        assert!(known, "{name:?} was never written like that: {value:?}");
    }
    if let Some(found) = card.settings() {
        assert!(settings.contains(found), "settings that nobody stored");
    }
    assert!(card.relationships().iter().all(|each| each.seed == [7; 32]));
    let change = vec![Change::Put(Table::Misc, Key(99, 9), b"on".to_vec())];
    card.change(change).expect("it goes on");
    let Ok(Some(card)) = open(card.medium().clone(), 4) else {
        panic!("what was written after the fault opens");
    };
    assert_eq!(
        card.items().value(Table::Misc, Key(99, 9)),
        Some(&b"on"[..])
    );
}

fn all(card: &Card<Files>) -> Vec<((Table, Key), Vec<u8>)> {
    let tables = TABLES.iter().flat_map(|table| {
        let values = card.items().table(*table);
        values.map(|(key, value)| ((*table, key), value.to_vec()))
    });
    tables.collect()
}

fn write(
    card: &mut Card<Files>,
    octets: &mut Octets<'_>,
    written: &mut Written,
    settings: &mut BTreeSet<Vec<u8>>,
) {
    let what = octets.byte();
    let table = TABLES[usize::from(what >> 4) % TABLES.len()];
    let key = Key(u64::from(octets.byte() % 8), u32::from(what >> 6));
    match what % 8 {
        0..=2 => {
            let mut value = octets.piece().to_vec();
            // Some are longer than a sector.
            value.extend(vec![what; usize::from(octets.byte() % 8) * 300]);
            let change = Change::Put(table, key, value.clone());
            card.change(vec![change]).expect("it fits");
            let puts = written.entry((table, key)).or_default();
            puts.whole.insert(value);
        }
        3 => {
            let before = card.items().value(table, key).unwrap_or_default().to_vec();
            let more = octets.piece().to_vec();
            let change = Change::Append(table, key, before.len() as u32, more.clone());
            card.change(vec![change]).expect("it fits");
            let puts = written.entry((table, key)).or_default();
            puts.whole.insert([&before[..], &more].concat());
            puts.added.insert(more);
        }
        4 => card
            .change(vec![Change::Delete(table, key)])
            .expect("it fits"),
        5 => {
            let value = octets.piece().to_vec();
            card.set_settings(&value).expect("they fit");
            settings.insert(value);
        }
        6 => {
            let each = Relationship {
                id: u32::from(what),
                seed: [7; 32],
                peer: [8; 32],
                token_secret: [9; 32],
                next: None,
            };
            card.set_relationships(vec![each]).expect("they fit");
        }
        _ => {
            card.set_words(octets.piece()).expect("they fit");
        }
    }
}

/// Changes, cuts, zeroes, moves or loses a part of any file.
fn spoil(files: &mut Files, octets: &mut Octets<'_>) {
    let which = usize::from(octets.byte()) % files.0.len().max(1);
    let Some(name) = files.0.keys().nth(which).cloned() else {
        octets.0 = &[];
        return;
    };
    let what = octets.byte();
    let place = octets.below(1 << 16);
    let other = files.0.values().nth(usize::from(what >> 3)).cloned();
    let Some((len, bytes)) = files.0.get_mut(&name) else {
        return;
    };
    let place = place % bytes.len().max(1);
    match what % 8 {
        0 | 1 => {
            if let Some(octet) = bytes.get_mut(place) {
                *octet ^= octets.byte();
            }
        }
        2 => {
            for octet in octets.piece().iter().zip(&mut bytes[place..]) {
                *octet.1 = *octet.0;
            }
        }
        3 => {
            let sector = place / 512 * 512;
            let end = (sector + 512).min(bytes.len());
            bytes[sector.min(end)..end].fill(0);
        }
        4 => {
            *len = place as u64;
            bytes.truncate(place);
        }
        // Another file's content, as a lost cluster chain gives it.
        5 => (*len, *bytes) = other.unwrap_or_default(),
        6 => {
            // An older sector comes back somewhere else.
            let from = place / 512 * 512;
            let to = usize::from(octets.byte()) * 512;
            if from + 512 <= bytes.len() && to + 512 <= bytes.len() {
                bytes.copy_within(from..from + 512, to);
            }
        }
        _ => drop(files.0.remove(&name)),
    }
}
