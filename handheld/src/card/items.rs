//! The live content of the journal: tables of small values, changed by records.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::error::CardError;

/// Which list a value belongs to. Numbers are on the card: never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Table {
    /// Title, model and state of each conversation: key (conversation, 0).
    Conversation,
    /// Role and state of each turn: key (conversation, turn).
    Turn,
    /// Text of each turn, appended while it streams: key (conversation, turn).
    TurnText,
    /// Requests that wait or run: key (request id, relationship).
    Outbox,
    /// Binary results that are still arriving: key (request id, relationship and stream slot).
    Part,
    /// Last request id used with each relationship: key (relationship, 0).
    LastRequest,
    /// What is known of each laptop: key (relationship, 0).
    Laptop,
    /// Pictures: key (picture, 0).
    Picture,
    /// Blob that holds each picture: key (picture, 0).
    PictureBlob,
    /// Single lists and texts: key (which, 0).
    Misc,
    /// How far each laptop's ledger went when it was last seen: key (relationship, 0).
    Ledger,
}

/// Names one value in a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key(pub u64, pub u32);

/// One change of one value: what the journal records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Change {
    /// Sets a value whole.
    Put(Table, Key, Vec<u8>),
    /// Adds bytes at the end of a value. `offset` is its length before, so that a gap is seen and never filled
    /// with something that was not there.
    Append(Table, Key, u32, Vec<u8>),
    /// Removes a value.
    Delete(Table, Key),
    /// Removes every value whose key starts with this number.
    DeleteAll(Table, u64),
}

/// Largest value set at once, in octets: a request that carries a whole conversation along
/// (`shared_proto::limits::MAX_TEXT_LEN`, 1 MiB) and its program.
pub const MAX_VALUE: usize = (1 << 20) + 128 * 1024;

/// Largest value after appends: the longest answer that one turn may hold.
pub const MAX_APPENDED: usize = 1 << 20;

/// Largest live content: what a handheld with 1 GB of memory and a three-second start can carry.
pub const MAX_LIVE: usize = 24 << 20;

/// All live values, and how many octets they take.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Items {
    map: BTreeMap<(Table, Key), Vec<u8>>,
    live: usize,
}

/// Octets counted for a value beside its bytes: key, map node and vector.
const VALUE_OVERHEAD: usize = 64;

impl Items {
    /// The value, if there is one.
    pub fn value(&self, table: Table, key: Key) -> Option<&[u8]> {
        self.map.get(&(table, key)).map(Vec::as_slice)
    }

    /// All values of a table in key order.
    pub fn table(&self, table: Table) -> impl Iterator<Item = (Key, &[u8])> {
        self.map
            .range((table, Key(0, 0))..=(table, Key(u64::MAX, u32::MAX)))
            .map(|((_, key), value)| (*key, value.as_slice()))
    }

    /// Octets of live content.
    pub fn live_len(&self) -> usize {
        self.live
    }

    /// Refuses changes that the bounds do not allow, before anything is written.
    ///
    /// # Errors
    /// A value or the store would become too large.
    pub fn check(&self, changes: &[Change]) -> Result<(), CardError> {
        let mut added = 0;
        for change in changes {
            match change {
                Change::Put(_, _, value) if value.len() > MAX_VALUE => {
                    return Err(CardError::TooLarge {
                        what: "value",
                        cap: MAX_VALUE,
                    });
                }
                Change::Append(_, _, offset, bytes)
                    if *offset as usize + bytes.len() > MAX_APPENDED =>
                {
                    return Err(CardError::TooLarge {
                        what: "text",
                        cap: MAX_APPENDED,
                    });
                }
                Change::Put(table, key, value) => {
                    added += (value.len() + VALUE_OVERHEAD).saturating_sub(
                        self.value(*table, *key)
                            .map_or(0, |v| v.len() + VALUE_OVERHEAD),
                    );
                }
                Change::Append(_, _, _, bytes) => added += bytes.len() + VALUE_OVERHEAD,
                Change::Delete(..) | Change::DeleteAll(..) => {}
            }
        }
        // Deleting is always possible, and small state changes go on in the last percent: a full store must not
        // stop a running request from being recorded as done.
        let cap = if added > 4096 {
            MAX_LIVE
        } else {
            MAX_LIVE + MAX_LIVE / 100
        };
        if added > 0 && self.live + added > cap {
            return Err(CardError::StoreFull { cap: MAX_LIVE });
        }
        Ok(())
    }

    /// Applies one recorded change. An append that does not continue its value is refused: false.
    pub fn apply(&mut self, change: Change) -> bool {
        match change {
            Change::Put(table, key, value) => {
                self.live += value.len() + VALUE_OVERHEAD;
                if let Some(old) = self.map.insert((table, key), value) {
                    self.live -= old.len() + VALUE_OVERHEAD;
                }
            }
            Change::Append(table, key, offset, bytes) => {
                let have = self.value(table, key).map_or(0, <[u8]>::len);
                if have != offset as usize || have + bytes.len() > MAX_APPENDED {
                    return false;
                }
                if !self.map.contains_key(&(table, key)) {
                    self.live += VALUE_OVERHEAD;
                }
                self.live += bytes.len();
                self.map
                    .entry((table, key))
                    .or_default()
                    .extend_from_slice(&bytes);
            }
            Change::Delete(table, key) => {
                if let Some(old) = self.map.remove(&(table, key)) {
                    self.live -= old.len() + VALUE_OVERHEAD;
                }
            }
            Change::DeleteAll(table, major) => {
                let doomed: Vec<_> = self
                    .map
                    .range((table, Key(major, 0))..=(table, Key(major, u32::MAX)))
                    .map(|((_, key), _)| *key)
                    .collect();
                for key in doomed {
                    self.apply(Change::Delete(table, key));
                }
            }
        }
        true
    }

    /// The changes that rebuild this content from nothing, none larger than `piece` octets of value, in key order.
    pub fn rebuild(&self, piece: usize) -> impl Iterator<Item = Change> {
        self.map.iter().flat_map(move |((table, key), value)| {
            let (table, key) = (*table, *key);
            let first = value.len().min(piece);
            let head = std::iter::once(Change::Put(table, key, value[..first].to_vec()));
            let tail = value[first..]
                .chunks(piece)
                .enumerate()
                .map(move |(n, part)| {
                    Change::Append(table, key, (first + n * piece) as u32, part.to_vec())
                });
            head.chain(tail)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_append_that_leaves_a_gap_is_refused() {
        let mut items = Items::default();
        assert!(items.apply(Change::Append(
            Table::TurnText,
            Key(1, 0),
            0,
            b"ab".to_vec()
        )));
        assert!(!items.apply(Change::Append(Table::TurnText, Key(1, 0), 3, b"x".to_vec())));
        assert!(items.apply(Change::Append(Table::TurnText, Key(1, 0), 2, b"c".to_vec())));
        assert_eq!(items.value(Table::TurnText, Key(1, 0)), Some(&b"abc"[..]));
    }

    #[test]
    fn deleting_a_conversation_leaves_its_neighbours_and_an_exact_size() {
        let mut items = Items::default();
        for major in 1..=3 {
            for minor in 0..4 {
                items.apply(Change::Put(Table::Turn, Key(major, minor), vec![7; 10]));
            }
        }
        let size = items.live_len();
        items.apply(Change::DeleteAll(Table::Turn, 2));
        assert_eq!(items.table(Table::Turn).count(), 8);
        assert_eq!(items.live_len() * 3, size * 2);
        items.apply(Change::DeleteAll(Table::Turn, 1));
        items.apply(Change::DeleteAll(Table::Turn, 3));
        assert_eq!(items.live_len(), 0);
    }

    #[test]
    fn rebuilding_in_small_pieces_gives_the_same_content() {
        let mut items = Items::default();
        items.apply(Change::Append(
            Table::TurnText,
            Key(9, 1),
            0,
            (0..=255).collect(),
        ));
        items.apply(Change::Put(Table::Outbox, Key(1, 0), vec![]));
        let mut again = Items::default();
        for change in items.rebuild(33) {
            assert!(again.apply(change));
        }
        assert_eq!(again, items);
    }

    #[test]
    fn bounds_refuse_before_writing_but_never_a_deletion() {
        let mut items = Items::default();
        let big = Change::Put(Table::Turn, Key(0, 0), vec![0; MAX_VALUE + 1]);
        assert!(matches!(
            items.check(&[big]),
            Err(CardError::TooLarge { .. })
        ));
        items.live = MAX_LIVE;
        let put = Change::Put(Table::Turn, Key(0, 0), vec![0; 5000]);
        assert!(matches!(
            items.check(&[put]),
            Err(CardError::StoreFull { .. })
        ));
        items
            .check(&[Change::Put(Table::Turn, Key(0, 0), vec![0; 20])])
            .unwrap();
        items
            .check(&[Change::Delete(Table::Turn, Key(0, 0))])
            .unwrap();
    }
}
