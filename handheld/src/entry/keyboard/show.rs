//! What the keyboard shows now.

use super::super::view::{
    ACCENT_COLUMNS, Board, EDIT_KEYS, EDIT_KEYS_SWAPPED, Hint, MENU_COLUMNS, Mode, Slot, View,
    emoji_board,
};
use super::super::{arc, grid};
use super::{Keyboard, Stage};
use crate::input::Button;

const fn hint(buttons: &'static [Button], label: &'static str) -> Hint {
    Hint { buttons, label }
}

const GRID: &[Hint] = &[
    hint(&[Button::A], "Type"),
    hint(&[Button::R1], "space"),
    hint(&[Button::B], "del"),
    hint(&[Button::Start], "Send"),
    hint(&[Button::Select], "Edit"),
];
const GRID_SWAPPED: &[Hint] = &[
    hint(&[Button::B], "Type"),
    hint(&[Button::R1], "space"),
    hint(&[Button::A], "del"),
    hint(&[Button::Start], "Send"),
    hint(&[Button::Select], "Edit"),
];
const ARC: &[Hint] = &[
    hint(&[Button::R1], "space"),
    hint(&[Button::Start], "Send"),
    hint(&[Button::Select], "Edit"),
];
const EDIT: &[Hint] = &[
    hint(&[Button::X], "Mark"),
    hint(&[Button::Y], "Menu"),
    hint(&[Button::B], "Leave"),
    hint(&[Button::Start], "Send"),
    hint(&[Button::Select], "Letters"),
];
const EDIT_SWAPPED: &[Hint] = &[
    hint(&[Button::X], "Mark"),
    hint(&[Button::Y], "Menu"),
    hint(&[Button::A], "Leave"),
    hint(&[Button::Start], "Send"),
    hint(&[Button::Select], "Letters"),
];
const MENU: &[Hint] = &[hint(&[Button::A], "Choose"), hint(&[Button::B], "Close")];
const MENU_SWAPPED: &[Hint] = &[hint(&[Button::B], "Choose"), hint(&[Button::A], "Close")];
const EMOJI: &[Hint] = &[
    hint(&[Button::A], "Type"),
    hint(&[Button::B], "Close"),
    hint(&[Button::Start], "Send"),
];
const EMOJI_SWAPPED: &[Hint] = &[
    hint(&[Button::B], "Type"),
    hint(&[Button::A], "Close"),
    hint(&[Button::Start], "Send"),
];
const ACCENTS_X: &[Hint] = &accents(&[Button::X]);
const ACCENTS_A: &[Hint] = &accents(&[Button::A]);
const ACCENTS_B: &[Hint] = &accents(&[Button::B]);
const ACCENTS_Y: &[Hint] = &accents(&[Button::Y]);

const fn accents(holder: &'static [Button]) -> [Hint; 2] {
    [
        hint(
            &[Button::Up, Button::Down, Button::Left, Button::Right],
            "Pick",
        ),
        hint(holder, "Let go to type"),
    ]
}

impl Keyboard {
    /// Everything a screen needs to draw field and keys.
    #[must_use]
    pub fn view(&self) -> View<'_> {
        let caps = self.caps();
        let symbols = self.layer.symbols;
        let board = match &self.stage {
            Stage::Letters if self.settings.mode == Mode::Arc => {
                Board::Arc(arc::petals(self.held_pad(), caps, symbols))
            }
            Stage::Letters => Board::Grid(grid::rows(self.focus, caps, symbols)),
            Stage::Edit => Board::Edit {
                marking: self.editor.is_marking(),
            },
            Stage::Menu { focus, .. } => Board::Menu {
                items: self.menu_items(),
                columns: MENU_COLUMNS,
                focus: *focus,
            },
            Stage::Emoji { focus, .. } => emoji_board(*focus),
            Stage::Accents { options, focus, .. } => Board::Accents {
                options: options.clone(),
                columns: ACCENT_COLUMNS,
                focus: *focus,
            },
        };
        View {
            text: self.editor.text(),
            cursor: self.editor.cursor(),
            selection: self.editor.selection(),
            mode: self.settings.mode,
            caps,
            symbols,
            strip: self.strip(),
            board,
            edit_keys: if self.settings.swap_ab {
                EDIT_KEYS_SWAPPED
            } else {
                EDIT_KEYS
            },
            hints: self.hints(),
        }
    }

    fn strip(&self) -> Vec<Slot<'_>> {
        let buttons = self.strip_buttons();
        let first = if self.more.is_some() {
            buttons.len()
        } else {
            0
        };
        let letters = self.stage == Stage::Letters;
        let in_grid = letters && self.settings.mode == Mode::Grid;
        let focused = self
            .focus
            .slot(self.slots())
            .filter(|_| in_grid)
            .map(usize::from);
        buttons
            .iter()
            .enumerate()
            .map(|(index, &button)| Slot {
                button,
                word: self
                    .suggestions
                    .get(first + index)
                    .filter(|_| letters)
                    .map_or("", String::as_str),
                focused: focused == Some(index) || self.more == Some(button),
            })
            .collect()
    }

    /// The hint bar of the state, at most five.
    #[must_use]
    pub const fn hints(&self) -> &'static [Hint] {
        let swap = self.settings.swap_ab;
        match self.stage {
            Stage::Letters if matches!(self.settings.mode, Mode::Arc) => ARC,
            Stage::Letters => {
                if swap {
                    GRID_SWAPPED
                } else {
                    GRID
                }
            }
            Stage::Edit => {
                if swap {
                    EDIT_SWAPPED
                } else {
                    EDIT
                }
            }
            Stage::Menu { .. } => {
                if swap {
                    MENU_SWAPPED
                } else {
                    MENU
                }
            }
            Stage::Emoji { .. } => {
                if swap {
                    EMOJI_SWAPPED
                } else {
                    EMOJI
                }
            }
            Stage::Accents { holder, .. } => match holder {
                Button::X => ACCENTS_X,
                Button::B => ACCENTS_B,
                Button::Y => ACCENTS_Y,
                _ => ACCENTS_A,
            },
        }
    }
}
