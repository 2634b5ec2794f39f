//! What a card may hold after its power was pulled, out of what was written to it. Pure.
//!
//! Up to the last flush everything is there. Of what came after it, whatever was not forced through (FUA) may be there or
//! not, write by write and, of a write over several sectors, sector by sector, in any order. A sector of 512 octets is old or new:
//! cards write no less at once.

use super::log::{Entry, SECTOR};

/// Numbers that look random; a failing state is its seed (SplitMix64).
#[derive(Clone, Debug)]
pub struct Dice(pub u64);

impl Dice {
    /// Any number.
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        (self.roll() % end.max(1) as u64) as usize
    }
}

/// How the writes since the last flush are treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// All of them are there, in order.
    Prefix,
    /// Some of them are there, in any order.
    Subset,
    /// Some of their sectors are there, in any order.
    Torn,
}

/// One state of the card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Entries before this one were complete when the power went; the next may have been under way.
    pub at: usize,
    /// Entries before this one are on the card for certain.
    pub durable: usize,
    /// What else is there: entry and sector in it, in the order in which they take effect.
    pub loose: Vec<(usize, usize)>,
    /// How they were chosen.
    pub kind: Kind,
}

/// Draws one state of a card whose power went when `at` entries were complete.
pub fn draw(entries: &[Entry], at: usize, kind: Kind, dice: &mut Dice) -> Cut {
    let at = at.min(entries.len());
    let flushed = entries[..at].iter().rposition(|e| e.flush).unwrap_or(0);
    let sectors = |n: usize| (0..entries[n].data.len() / SECTOR).map(move |s| (n, s));
    if kind == Kind::Prefix {
        return Cut {
            at,
            durable: at,
            loose: Vec::new(),
            kind,
        };
    }
    let mut loose = Vec::new();
    let under_way = entries.get(at).filter(|e| !e.data.is_empty());
    // A write that flushes first has begun only if that flush is done.
    let durable = match under_way {
        Some(entry) if entry.flush && dice.below(2) == 0 => at,
        _ => flushed,
    };
    // A card has no memory of its own for everything: mostly half is there, sometimes nearly nothing or nearly all.
    let share = [8, 64, 128, 192, 248][dice.below(5)];
    let window = durable..at + usize::from(under_way.is_some_and(|e| !e.flush || durable == at));
    for n in window {
        if entries[n].fua && n < at {
            loose.extend(sectors(n));
        } else if kind == Kind::Torn {
            loose.extend(sectors(n).filter(|_| dice.below(256) < share));
        } else if n < at && dice.below(256) < share {
            loose.extend(sectors(n));
        }
    }
    shuffle(&mut loose, kind, dice);
    // What was forced through is there whatever else came before it.
    let forced = |n: usize| entries[n].fua && n < at;
    loose.sort_by_key(|(n, _)| forced(*n));
    Cut {
        at,
        durable,
        loose,
        kind,
    }
}

/// Brings whole entries, or single sectors, into any order.
fn shuffle(loose: &mut [(usize, usize)], kind: Kind, dice: &mut Dice) {
    if kind == Kind::Torn {
        for n in (1..loose.len()).rev() {
            loose.swap(n, dice.below(n + 1));
        }
    } else {
        let order: Vec<u64> = (0..loose.iter().map(|(n, _)| n + 1).max().unwrap_or(0))
            .map(|_| dice.roll())
            .collect();
        loose.sort_by_key(|(n, s)| (order[*n], *s));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(sector: u64, sectors: usize, flush: bool, fua: bool) -> Entry {
        Entry {
            sector,
            data: vec![1; sectors * SECTOR],
            flush,
            fua,
            mark: None,
        }
    }

    #[test]
    fn what_was_flushed_or_forced_through_is_always_there() {
        let entries = [
            write(0, 4, false, false),
            write(0, 0, true, false),
            write(8, 4, false, false),
            write(20, 1, false, true),
            write(30, 2, false, false),
        ];
        let (mut without, mut with, mut torn) = (0, 0, 0);
        for seed in 0..400 {
            for kind in [Kind::Subset, Kind::Torn] {
                let cut = draw(&entries, 4, kind, &mut Dice(seed));
                assert_eq!(cut.durable, 1, "the flush made the first entry durable");
                assert!(cut.loose.contains(&(3, 0)), "forced through");
                assert!(cut.loose.iter().all(|(n, _)| *n >= 2 && *n <= 4));
                let of_second = cut.loose.iter().filter(|(n, _)| *n == 2).count();
                match of_second {
                    0 => without += 1,
                    4 => with += 1,
                    _ => {
                        assert_eq!(kind, Kind::Torn, "only a torn write is there in part");
                        torn += 1;
                    }
                }
            }
        }
        assert!(
            without > 50 && with > 50 && torn > 50,
            "{without} {with} {torn}"
        );
    }

    #[test]
    fn a_prefix_is_what_was_complete_and_no_more() {
        let entries = [write(0, 1, false, false), write(1, 1, false, false)];
        let cut = draw(&entries, 1, Kind::Prefix, &mut Dice(1));
        assert_eq!((cut.durable, cut.loose.len()), (1, 0));
        assert_eq!(draw(&entries, 9, Kind::Prefix, &mut Dice(1)).durable, 2);
    }

    #[test]
    fn a_write_that_flushes_first_is_there_only_if_all_before_it_is() {
        let entries = [write(0, 2, false, false), write(9, 2, true, true)];
        for seed in 0..200 {
            let cut = draw(&entries, 1, Kind::Torn, &mut Dice(seed));
            if cut.loose.iter().any(|(n, _)| *n == 1) {
                assert_eq!(cut.durable, 1, "seed {seed}");
            }
        }
    }
}
