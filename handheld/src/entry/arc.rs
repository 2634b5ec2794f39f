//! The arc: nine petals of four characters. A D-pad direction names the petal, a face button the character.

use super::layer::{Caps, Symbols, capital};
use super::view::{Face, Petal};
use crate::input::{Button, ButtonSet};

/// A D-pad contact closing this many milliseconds after a face button still belongs to the same chord.
pub const CHORD_WINDOW: u64 = 40;

/// Where the D-pad points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Direction {
    /// -1 left, 0, 1 right.
    pub x: i8,
    /// -1 up, 0, 1 down.
    pub y: i8,
}

impl Direction {
    /// The pad at rest.
    pub const CENTRE: Self = Self { x: 0, y: 0 };

    /// The direction that these contacts make; opposite ones cancel out.
    #[must_use]
    pub fn of(held: ButtonSet) -> Self {
        let axis = |less, more| i8::from(held.contains(more)) - i8::from(held.contains(less));
        Self {
            x: axis(Button::Left, Button::Right),
            y: axis(Button::Up, Button::Down),
        }
    }

    /// The contacts that make this direction.
    #[must_use]
    pub fn contacts(self) -> ButtonSet {
        let mut set = ButtonSet::EMPTY;
        for (is, button) in [
            (self.x < 0, Button::Left),
            (self.x > 0, Button::Right),
            (self.y < 0, Button::Up),
            (self.y > 0, Button::Down),
        ] {
            if is {
                set = set.with(button);
            }
        }
        set
    }

    /// All nine, row by row from the top left.
    pub fn all() -> impl Iterator<Item = Self> {
        (-1..=1).flat_map(|y| (-1..=1).map(move |x| Self { x, y }))
    }

    const fn index(self) -> usize {
        ((self.y + 1) * 3 + self.x + 1) as usize
    }
}

/// The face buttons in the order of the tables: clockwise from the top.
pub const FACES: [Button; 4] = [Button::X, Button::A, Button::B, Button::Y];

/// Letters, row by row from the top left, each petal clockwise from the top (X A B Y). `*` marks the function keys.
const LETTERS: [&str; 9] = [
    "bckw", "hats", "\"v'-", "four", "*e**", "ding", "jqxz", "plym", "!.,?",
];

/// Symbols likewise; digits stand on A, as on a phone.
const SYMBOLS: [&str; 9] = [
    "[1{(", "^2=+", "]3})", "<4-*", "05\0\0", ">6~|", "#7&$", ".8:,", "%9\\/",
];

/// What `button` does while the D-pad points to `direction`; `None` for a button that is no face button.
#[must_use]
pub fn face(direction: Direction, button: Button, caps: Caps, symbols: Symbols) -> Option<Face> {
    let place = FACES.iter().position(|&face| face == button)?;
    if direction == Direction::CENTRE {
        match (button, symbols.shown()) {
            (Button::X, false) => return Some(Face::Caps),
            (Button::B, _) => return Some(Face::Delete),
            (Button::Y, false) => return Some(Face::Symbols),
            (Button::Y, true) => return Some(Face::Letters),
            _ => {}
        }
    }
    let table = if symbols.shown() { &SYMBOLS } else { &LETTERS };
    let c = table[direction.index()].chars().nth(place)?;
    Some(Face::Char(if symbols.shown() {
        c
    } else {
        capital(c, caps, true)
    }))
}

/// The nine petals as they stand now.
#[must_use]
pub fn petals(held: ButtonSet, caps: Caps, symbols: Symbols) -> [Petal; 9] {
    let pointed = Direction::of(held);
    let mut petals = [Petal {
        column: 0,
        row: 0,
        faces: [Face::Delete; 4],
        held: false,
        muted: false,
    }; 9];
    for (petal, direction) in petals.iter_mut().zip(Direction::all()) {
        petal.column = (direction.x + 1) as u8;
        petal.row = (direction.y + 1) as u8;
        petal.held = pointed != Direction::CENTRE && direction == pointed;
        petal.muted = pointed != Direction::CENTRE && direction != pointed;
        for (slot, button) in petal.faces.iter_mut().zip(FACES) {
            if let Some(face) = face(direction, button, caps, symbols) {
                *slot = face;
            }
        }
    }
    petals
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn chars(caps: Caps, symbols: Symbols) -> Vec<char> {
        Direction::all()
            .flat_map(|direction| FACES.map(|button| face(direction, button, caps, symbols)))
            .filter_map(|face| match face {
                Some(Face::Char(c)) => Some(c),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn petals_read_clockwise_from_the_top() {
        let read = |x, y| {
            FACES.map(
                |button| match face(Direction { x, y }, button, Caps::Off, Symbols::Off) {
                    Some(Face::Char(c)) => c,
                    other => panic!("{other:?}"),
                },
            )
        };
        assert_eq!(read(0, -1), ['h', 'a', 't', 's']);
        assert_eq!(read(1, 0), ['d', 'i', 'n', 'g']);
        assert_eq!(read(-1, 0), ['f', 'o', 'u', 'r']);
        assert_eq!(read(0, 1), ['p', 'l', 'y', 'm']);
        assert_eq!(read(1, -1), ['"', 'v', '\'', '-']);
    }

    #[test]
    fn the_centre_holds_functions_and_its_own_characters() {
        let centre = |button, symbols| face(Direction::CENTRE, button, Caps::Off, symbols).unwrap();
        assert_eq!(
            FACES.map(|button| centre(button, Symbols::Off)),
            [Face::Caps, Face::Char('e'), Face::Delete, Face::Symbols]
        );
        assert_eq!(
            FACES.map(|button| centre(button, Symbols::One)),
            [
                Face::Char('0'),
                Face::Char('5'),
                Face::Delete,
                Face::Letters
            ]
        );
        assert_eq!(
            face(Direction::CENTRE, Button::L1, Caps::Off, Symbols::Off),
            None
        );
    }

    #[test]
    fn every_printable_ascii_character_but_space_has_a_place() {
        let mut reachable: BTreeSet<char> = chars(Caps::Off, Symbols::Off).into_iter().collect();
        reachable.extend(chars(Caps::One, Symbols::Off));
        reachable.extend(chars(Caps::Off, Symbols::One));
        let missing: Vec<_> = ('!'..='~').filter(|c| !reachable.contains(c)).collect();
        assert_eq!(missing, []);
    }

    #[test]
    fn no_character_stands_twice_on_a_layer() {
        for symbols in [Symbols::Off, Symbols::One] {
            let all = chars(Caps::Off, symbols);
            assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
        }
    }

    #[test]
    fn opposite_contacts_cancel_out() {
        let held = ButtonSet::of(&[Button::Left, Button::Right, Button::Up]);
        assert_eq!(Direction::of(held), Direction { x: 0, y: -1 });
        for direction in Direction::all() {
            assert_eq!(Direction::of(direction.contacts()), direction);
        }
    }

    #[test]
    fn a_held_direction_fills_its_petal_and_mutes_the_rest() {
        let at_rest = petals(ButtonSet::EMPTY, Caps::Off, Symbols::Off);
        assert!(at_rest.iter().all(|petal| !petal.held && !petal.muted));
        let up = petals(ButtonSet::of(&[Button::Up]), Caps::Off, Symbols::Off);
        assert!(up[1].held && !up[1].muted);
        assert_eq!(up.iter().filter(|petal| petal.muted).count(), 8);
    }
}
