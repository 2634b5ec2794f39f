//! Where characters are on a keyboard, and what it costs to get there: ours, read from the tables that draw them, and
//! two peers that exist here only to be counted.

use handheld::entry::arc::{self, Direction, FACES};
use handheld::entry::grid::{self, Focus};
use handheld::entry::layer::capital;
use handheld::entry::typing::Step;
use handheld::entry::{Caps, Face, Symbols};
use handheld::input::{Button, ButtonSet};

/// Where the fingers are: a direction held, or a key focused.
pub type Place = u8;

/// How a D-pad is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counting {
    /// Each change to a new direction counts one, diagonal or not.
    Directions,
    /// Each contact that closes counts one.
    Contacts,
}

/// A keyboard to be planned for.
pub trait Layout {
    /// Where fingers start.
    fn start(&self) -> Place;
    /// Where `c` is typed, and by which button.
    fn places(&self, c: char, caps: Caps, symbols: Symbols) -> Vec<(Place, Button)>;
    /// What the way costs with `slots` suggestions on the strip.
    fn cost(&self, from: Place, to: Place, slots: u8) -> u32;
    /// Where fingers rest after a character there.
    fn after(&self, place: Place) -> Place;
    /// Where a layer button, or delete, is pressed, and what the way costs.
    fn function(&self, from: Place, button: Button, slots: u8) -> (Place, u32);
    /// Where the space is pressed, and what the way costs.
    fn space(&self, from: Place) -> (Place, u32) {
        (self.after(from), 0)
    }
    /// Whether the capital button is there.
    fn has_capitals(&self, symbols: Symbols) -> bool;
    /// Adds the steps of the way and gives how many changes of direction they are.
    fn go(&self, from: Place, to: Place, slots: u8, steps: &mut Vec<Step>) -> u32;
}

/// A direction and a face button, from any table of nine petals.
pub struct Petals {
    /// How the pad is counted.
    pub counting: Counting,
    /// Whether the pad is let go of after every chord.
    pub released: bool,
    /// `None` for the arc itself; else letters and symbols of a peer, whose centre has only functions.
    pub peer: Option<[[&'static str; 9]; 2]>,
}

/// Eight petals by four, a to z clockwise from the top and inside each petal; what is left over carries marks.
/// Rows from the top left, as the directions are numbered.
pub const WHEEL: [[&str; 9]; 2] = [
    [
        "?!'-", "abcd", "efgh", "yz.,", "", "ijkl", "uvwx", "qrst", "mnop",
    ],
    [
        "[]_^", "1234", "5678", "=<>~", "", "90\"(", "$%&*", ":;/@", ")#+`",
    ],
];

/// The letters of the wheel on our buttons: e stays where the alphabet puts it.
const CENTRE: usize = 4;

fn direction(place: Place) -> Direction {
    Direction::all()
        .nth(place.into())
        .unwrap_or(Direction::CENTRE)
}

impl Layout for Petals {
    fn start(&self) -> Place {
        CENTRE as Place
    }

    fn places(&self, c: char, caps: Caps, symbols: Symbols) -> Vec<(Place, Button)> {
        let mut found = Vec::new();
        for (place, direction) in Direction::all().enumerate() {
            for (at, button) in FACES.into_iter().enumerate() {
                let face = match &self.peer {
                    None => arc::face(direction, button, caps, symbols),
                    Some(tables) => tables[usize::from(symbols.shown())][place]
                        .chars()
                        .nth(at)
                        .map(|c| {
                            Face::Char(if symbols.shown() {
                                c
                            } else {
                                capital(c, caps, true)
                            })
                        }),
                };
                if face == Some(Face::Char(c)) {
                    found.push((place as Place, button));
                }
            }
        }
        found
    }

    fn cost(&self, from: Place, to: Place, _slots: u8) -> u32 {
        match self.counting {
            Counting::Directions => u32::from(from != to && usize::from(to) != CENTRE),
            Counting::Contacts => {
                let held = direction(from).contacts();
                direction(to)
                    .contacts()
                    .iter()
                    .filter(|contact| !held.contains(*contact))
                    .count() as u32
            }
        }
    }

    fn after(&self, place: Place) -> Place {
        if self.released {
            CENTRE as Place
        } else {
            place
        }
    }

    fn function(&self, _from: Place, _button: Button, _slots: u8) -> (Place, u32) {
        (CENTRE as Place, 0)
    }

    fn has_capitals(&self, symbols: Symbols) -> bool {
        !symbols.shown()
    }

    fn go(&self, from: Place, to: Place, _slots: u8, steps: &mut Vec<Step>) -> u32 {
        let (held, wanted) = (direction(from).contacts(), direction(to).contacts());
        let only = |of: ButtonSet, not: ButtonSet| {
            of.iter().filter(move |contact| !not.contains(*contact))
        };
        steps.extend(only(held, wanted).map(Step::Release));
        steps.extend(only(wanted, held).map(Step::Press));
        u32::from(from != to && usize::from(to) != CENTRE)
    }
}

const KEYS: usize = grid::COLUMNS as usize * (grid::FUNCTIONS as usize + 1);
const PAD: [Button; 4] = [Button::Up, Button::Down, Button::Left, Button::Right];

/// Our grid: the ways are those that the focus really takes.
pub struct Grid {
    /// For each number of suggestions, from and to: how far, and the first button of the way.
    ways: Vec<[[(u8, Button); KEYS]; KEYS]>,
}

const fn focus(place: Place) -> Focus {
    Focus {
        row: place / grid::COLUMNS,
        column: place % grid::COLUMNS,
    }
}

const fn place(focus: Focus) -> Place {
    focus.row * grid::COLUMNS + focus.column
}

impl Grid {
    /// Measures all ways.
    pub fn new() -> Self {
        let mut ways = Vec::new();
        for slots in 0..=3 {
            let mut table = [[(u8::MAX, Button::A); KEYS]; KEYS];
            for (from, row) in table.iter_mut().enumerate() {
                row[from] = (0, Button::A);
                let mut queue = std::collections::VecDeque::from([from]);
                while let Some(here) = queue.pop_front() {
                    for button in PAD {
                        let to = usize::from(place(focus(here as Place).step(button, slots)));
                        if row[to].0 == u8::MAX {
                            let first = if here == from { button } else { row[here].1 };
                            row[to] = (row[here].0 + 1, first);
                            queue.push_back(to);
                        }
                    }
                }
            }
            ways.push(table);
        }
        Self { ways }
    }
}

impl Layout for Grid {
    fn start(&self) -> Place {
        place(Focus::default())
    }

    fn places(&self, c: char, caps: Caps, symbols: Symbols) -> Vec<(Place, Button)> {
        (0..KEYS as Place)
            .filter(|&key| focus(key).face(caps, symbols) == Some(Face::Char(c)))
            .map(|key| (key, Button::A))
            .collect()
    }

    fn cost(&self, from: Place, to: Place, slots: u8) -> u32 {
        self.ways[usize::from(slots)][usize::from(from)][usize::from(to)]
            .0
            .into()
    }

    fn after(&self, place: Place) -> Place {
        place
    }

    fn function(&self, from: Place, _button: Button, _slots: u8) -> (Place, u32) {
        (from, 0)
    }

    fn has_capitals(&self, _symbols: Symbols) -> bool {
        true
    }

    fn go(&self, from: Place, to: Place, slots: u8, steps: &mut Vec<Step>) -> u32 {
        let (mut here, mut taken) = (from, 0);
        while here != to {
            let button = self.ways[usize::from(slots)][usize::from(here)][usize::from(to)].1;
            steps.extend([Step::Press(button), Step::Release(button)]);
            here = place(focus(here).step(button, slots));
            taken += 1;
        }
        taken
    }
}

/// A plain grid as consoles have it: our keys, no edge wraps, and capital, symbols, a wide space and delete are keys of
/// the last row. It is counted, never played.
pub struct Plain;

/// First and last column of the plain grid's space.
const WIDE_SPACE: (u8, u8) = (2, 7);

impl Layout for Plain {
    fn start(&self) -> Place {
        place(Focus::default())
    }

    fn places(&self, c: char, caps: Caps, symbols: Symbols) -> Vec<(Place, Button)> {
        (10..50)
            .filter(|&key| focus(key).face(caps, symbols) == Some(Face::Char(c)))
            .map(|key| (key, Button::A))
            .collect()
    }

    fn cost(&self, from: Place, to: Place, _slots: u8) -> u32 {
        let (from, to) = (focus(from), focus(to));
        // Along the last row the space is one key, whatever its width.
        let along = if from.row == grid::FUNCTIONS && to.row == grid::FUNCTIONS {
            let squeezed = |column: u8| match column {
                0..2 => column,
                8.. => column - 5,
                _ => 2,
            };
            squeezed(from.column).abs_diff(squeezed(to.column))
        } else {
            from.column.abs_diff(to.column)
        };
        u32::from(from.row.abs_diff(to.row)) + u32::from(along)
    }

    fn after(&self, place: Place) -> Place {
        place
    }

    fn function(&self, from: Place, button: Button, slots: u8) -> (Place, u32) {
        let column = match button {
            Button::X => 0,
            Button::Y => 1,
            _ => 8,
        };
        let key = place(Focus {
            row: grid::FUNCTIONS,
            column,
        });
        (key, self.cost(from, key, slots))
    }

    fn space(&self, from: Place) -> (Place, u32) {
        let column = focus(from).column.clamp(WIDE_SPACE.0, WIDE_SPACE.1);
        let key = place(Focus {
            row: grid::FUNCTIONS,
            column,
        });
        (key, self.cost(from, key, 0))
    }

    fn has_capitals(&self, _symbols: Symbols) -> bool {
        true
    }

    fn go(&self, _from: Place, _to: Place, _slots: u8, _steps: &mut Vec<Step>) -> u32 {
        0
    }
}
