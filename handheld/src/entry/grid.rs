//! The grid: rows of keys under a strip of suggestions, and how the focus moves among them. All edges wrap.

use super::layer::{Caps, Symbols, capital};
use super::view::{Face, Key};
use crate::input::Button;

/// Columns of the grid; every key covers whole columns.
pub const COLUMNS: u8 = 10;
/// Row of the suggestion strip; key rows follow from 1.
pub const STRIP: u8 = 0;
/// Last row: the function keys.
pub const FUNCTIONS: u8 = 5;

const LETTERS: [&str; 4] = ["1234567890", "qwertyuiop", "asdfghjkl'", "zxcvbnm,.?"];
const SYMBOLS: [&str; 4] = ["1234567890", "!@#$%^&*()", "-_=+[]{}\\|", "~`:;\"<>/,."];

/// The function row with first column and span; the space key covers two columns.
const FUNCTION_ROW: [(Face, u8, u8); 9] = [
    (Face::Caps, 0, 1),
    (Face::Symbols, 1, 1),
    (Face::Space, 2, 2),
    (Face::CursorLeft, 4, 1),
    (Face::CursorRight, 5, 1),
    (Face::Newline, 6, 1),
    (Face::EditMenu, 7, 1),
    (Face::Delete, 8, 1),
    (Face::Send, 9, 1),
];

/// Where the focus stands. The column survives a trip over wider keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Focus {
    /// 0 is the strip, 1 to 4 are characters, 5 the functions.
    pub row: u8,
    /// 0 to 9.
    pub column: u8,
}

impl Default for Focus {
    /// The middle of the letters, from where the rest is nearest.
    fn default() -> Self {
        Self { row: 3, column: 4 }
    }
}

/// First column and span of each key in `row`; `slots` is how many suggestions the strip shows.
fn cells(row: u8, slots: u8) -> Vec<(u8, u8)> {
    match row {
        STRIP => (0..slots).map(|slot| strip_cell(slot, slots)).collect(),
        FUNCTIONS => FUNCTION_ROW.iter().map(|key| (key.1, key.2)).collect(),
        _ => (0..COLUMNS).map(|column| (column, 1)).collect(),
    }
}

fn strip_cell(slot: u8, slots: u8) -> (u8, u8) {
    let start = slot * COLUMNS / slots;
    (start, (slot + 1) * COLUMNS / slots - start)
}

impl Focus {
    /// The focus after a D-pad press; an empty strip is passed over.
    #[must_use]
    pub fn step(self, towards: Button, slots: u8) -> Self {
        let rows = FUNCTIONS + 1;
        let Self {
            mut row,
            mut column,
        } = self;
        match towards {
            Button::Up | Button::Down => {
                let by = if towards == Button::Up { rows - 1 } else { 1 };
                row = (row + by) % rows;
                if row == STRIP && slots == 0 {
                    row = (row + by) % rows;
                }
            }
            Button::Left | Button::Right => {
                let cells = cells(row, slots);
                let here = cells
                    .iter()
                    .position(|&(start, span)| (start..start + span).contains(&column))
                    .unwrap_or(0);
                let count = cells.len().max(1);
                let next = if towards == Button::Left {
                    here + count - 1
                } else {
                    here + 1
                } % count;
                column = cells
                    .get(next)
                    .map_or(column, |&(start, span)| start + (span - 1) / 2);
            }
            _ => {}
        }
        Self { row, column }
    }

    /// Which suggestion is focused, of `slots`.
    #[must_use]
    pub fn slot(self, slots: u8) -> Option<u8> {
        if self.row != STRIP {
            return None;
        }
        (0..slots).find(|&slot| {
            let (start, span) = strip_cell(slot, slots);
            (start..start + span).contains(&self.column)
        })
    }

    /// The key under the focus; `None` on the strip.
    #[must_use]
    pub fn face(self, caps: Caps, symbols: Symbols) -> Option<Face> {
        match self.row {
            STRIP => None,
            FUNCTIONS => {
                let key = FUNCTION_ROW
                    .iter()
                    .find(|key| (key.1..key.1 + key.2).contains(&self.column))?;
                Some(shown(key.0, symbols))
            }
            row => {
                let table = if symbols.shown() { &SYMBOLS } else { &LETTERS };
                let c = table
                    .get(usize::from(row) - 1)?
                    .chars()
                    .nth(self.column.into())?;
                Some(Face::Char(if symbols.shown() {
                    c
                } else {
                    capital(c, caps, false)
                }))
            }
        }
    }
}

fn shown(face: Face, symbols: Symbols) -> Face {
    if face == Face::Symbols && symbols.shown() {
        Face::Letters
    } else {
        face
    }
}

/// The five rows of keys as they stand now.
#[must_use]
pub fn rows(focus: Focus, caps: Caps, symbols: Symbols) -> Vec<Vec<Key>> {
    (1..=FUNCTIONS)
        .map(|row| {
            cells(row, 0)
                .into_iter()
                .filter_map(|(column, span)| {
                    let face = Focus { row, column }.face(caps, symbols)?;
                    let lit = match face {
                        Face::Caps => caps != Caps::Off,
                        Face::Letters => true,
                        _ => false,
                    };
                    let focused =
                        focus.row == row && (column..column + span).contains(&focus.column);
                    Some(Key {
                        face,
                        column,
                        span,
                        focused,
                        lit,
                    })
                })
                .collect()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn at(row: u8, column: u8) -> Focus {
        Focus { row, column }
    }

    #[test]
    fn every_printable_ascii_character_but_space_has_a_key() {
        let mut reachable = BTreeSet::new();
        for (caps, symbols) in [
            (Caps::Off, Symbols::Off),
            (Caps::One, Symbols::Off),
            (Caps::Off, Symbols::Lock),
        ] {
            for key in rows(Focus::default(), caps, symbols).into_iter().flatten() {
                if let Face::Char(c) = key.face {
                    reachable.insert(c);
                }
            }
        }
        let missing: Vec<_> = ('!'..='~').filter(|c| !reachable.contains(c)).collect();
        assert_eq!(missing, []);
    }

    #[test]
    fn all_edges_wrap_and_an_empty_strip_is_passed_over() {
        assert_eq!(at(1, 3).step(Button::Up, 0), at(5, 3));
        assert_eq!(at(5, 3).step(Button::Down, 0), at(1, 3));
        assert_eq!(at(1, 3).step(Button::Up, 3), at(0, 3));
        assert_eq!(at(5, 9).step(Button::Down, 3), at(0, 9));
        assert_eq!(at(2, 0).step(Button::Left, 0), at(2, 9));
        assert_eq!(at(2, 9).step(Button::Right, 0), at(2, 0));
        assert_eq!(at(5, 0).step(Button::Left, 0), at(5, 9));
    }

    #[test]
    fn wide_keys_are_crossed_in_one_step_and_keep_the_column_on_the_way_down() {
        assert_eq!(at(5, 1).step(Button::Right, 0), at(5, 2));
        assert_eq!(at(5, 3).step(Button::Right, 0), at(5, 4));
        assert_eq!(at(5, 4).step(Button::Left, 0), at(5, 2));
        assert_eq!(at(4, 3).step(Button::Down, 0).step(Button::Up, 0), at(4, 3));
        assert_eq!(at(5, 3).face(Caps::Off, Symbols::Off), Some(Face::Space));
    }

    #[test]
    fn the_strip_is_split_among_its_suggestions() {
        assert_eq!(at(0, 0).slot(3), Some(0));
        assert_eq!(at(0, 9).slot(3), Some(2));
        assert_eq!(at(0, 4).step(Button::Right, 3).slot(3), Some(2));
        assert_eq!(at(0, 9).step(Button::Right, 3).slot(3), Some(0));
        assert_eq!(at(0, 5).slot(1), Some(0));
        assert_eq!(at(1, 0).slot(3), None);
    }

    #[test]
    fn exactly_one_key_is_focused_wherever_the_focus_goes() {
        for row in 1..=FUNCTIONS {
            for column in 0..COLUMNS {
                let rows = rows(at(row, column), Caps::Off, Symbols::Off);
                assert_eq!(
                    rows.iter().flatten().filter(|key| key.focused).count(),
                    1,
                    "{row} {column}"
                );
                for keys in &rows {
                    assert_eq!(keys.iter().map(|key| key.span).sum::<u8>(), COLUMNS);
                }
            }
        }
    }

    #[test]
    fn layers_show_on_the_keys() {
        assert_eq!(
            at(2, 0).face(Caps::Auto, Symbols::Off),
            Some(Face::Char('Q'))
        );
        assert_eq!(
            at(4, 8).face(Caps::Lock, Symbols::Off),
            Some(Face::Char('.'))
        );
        assert_eq!(
            at(2, 0).face(Caps::Off, Symbols::One),
            Some(Face::Char('!'))
        );
        assert_eq!(at(5, 1).face(Caps::Off, Symbols::One), Some(Face::Letters));
    }
}
