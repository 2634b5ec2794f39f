//! What a keyboard shows: plain data that a drawing layer reads. It holds no pixel and decides no colour.

use core::ops::Range;

use super::emoji::EMOJI;
use super::layer::{Caps, Symbols};
use crate::input::Button;

/// Which keyboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub enum Mode {
    /// Rows of keys and a focus.
    #[default]
    Grid,
    /// A D-pad direction and a face button pick a character.
    Arc,
}

/// What one key does, and so what stands on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Face {
    /// Types this character (already in the case that the layer gives it).
    Char(char),
    /// Capitals.
    Caps,
    /// To the symbols.
    Symbols,
    /// Back to the letters.
    Letters,
    /// A space.
    Space,
    /// Cursor one to the left.
    CursorLeft,
    /// Cursor one to the right.
    CursorRight,
    /// A new line.
    Newline,
    /// Opens the edit menu.
    EditMenu,
    /// Deletes backwards.
    Delete,
    /// Sends the text.
    Send,
}

impl Face {
    /// The words on a function key; empty for characters and for keys that carry an icon (cursor, new line, menu).
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Caps => "ABC",
            Self::Symbols => "123",
            Self::Letters => "abc",
            Self::Space => "space",
            Self::Delete => "del",
            Self::Send => "Send",
            Self::Char(_)
            | Self::CursorLeft
            | Self::CursorRight
            | Self::Newline
            | Self::EditMenu => "",
        }
    }
}

/// One key of the grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// What it does.
    pub face: Face,
    /// First column, of ten.
    pub column: u8,
    /// How many columns it covers.
    pub span: u8,
    /// Whether it is the focus.
    pub focused: bool,
    /// Whether its layer is on (ABC and 123 only).
    pub lit: bool,
}

/// One of the nine petals of the arc, by where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Petal {
    /// Column 0 to 2 from the left.
    pub column: u8,
    /// Row 0 to 2 from the top.
    pub row: u8,
    /// What the face buttons do here: X top, A right, B bottom, Y left.
    pub faces: [Face; 4],
    /// Whether the D-pad points here (the centre is never held: it is the rest).
    pub held: bool,
    /// Whether another petal is held, so that this one steps back.
    pub muted: bool,
}

/// One suggestion of the strip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot<'a> {
    /// The button that accepts it.
    pub button: Button,
    /// The word in the case that it would be written; empty when there is none.
    pub word: &'a str,
    /// Whether the grid's focus is on it, or its button is held for three more.
    pub focused: bool,
}

/// One entry of the edit menu.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MenuItem {
    /// What it does.
    pub choice: MenuChoice,
    /// Its words.
    pub label: &'static str,
    /// Whether it would do anything now.
    pub enabled: bool,
}

/// The entries of the edit menu, in reading order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MenuChoice {
    /// Takes the last change back.
    Undo,
    /// Makes it again.
    Redo,
    /// Opens the emoji.
    Emoji,
    /// Moves the selection to the clipboard.
    Cut,
    /// Copies the selection, or without one the whole text.
    Copy,
    /// Inserts the clipboard.
    Paste,
    /// Changes between grid and arc.
    OtherKeyboard,
    /// Empties the field (undo brings it back).
    Clear,
    /// Leaves and keeps the draft.
    Leave,
}

/// What stands where the keys are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Board {
    /// Five rows of keys from top to bottom.
    Grid(Vec<Vec<Key>>),
    /// Nine petals, row by row.
    Arc([Petal; 9]),
    /// Accents of a held letter; the first is the letter itself.
    Accents {
        /// The choices.
        options: Vec<char>,
        /// How many stand in a row.
        columns: usize,
        /// Which one a release commits.
        focus: usize,
    },
    /// The emoji.
    Emoji {
        /// All of them, in reading order.
        items: &'static [&'static str],
        /// How many stand in a row.
        columns: usize,
        /// Which one A types.
        focus: usize,
    },
    /// The edit layer: show [`View::edit_keys`].
    Edit {
        /// Whether moving the cursor selects.
        marking: bool,
    },
    /// The edit menu.
    Menu {
        /// Nine entries.
        items: [MenuItem; 9],
        /// How many stand in a row.
        columns: usize,
        /// Which one A chooses.
        focus: usize,
    },
}

/// Columns of the accents.
pub const ACCENT_COLUMNS: usize = 5;
/// Columns of the emoji.
pub const EMOJI_COLUMNS: usize = 10;
/// Columns of the edit menu.
pub const MENU_COLUMNS: usize = 3;

/// The emoji board with its focus.
#[must_use]
pub fn emoji_board(focus: usize) -> Board {
    Board::Emoji {
        items: EMOJI,
        columns: EMOJI_COLUMNS,
        focus,
    }
}

/// A hint: the buttons that do it and one or two words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hint {
    /// The buttons, as they are printed.
    pub buttons: &'static [Button],
    /// What they do.
    pub label: &'static str,
}

/// What the buttons do in the edit layer, for the board and for help.
pub const EDIT_KEYS: &[Hint] = &edit_keys(&[Button::A], &[Button::B]);

/// The same with A and B swapped.
pub const EDIT_KEYS_SWAPPED: &[Hint] = &edit_keys(&[Button::B], &[Button::A]);

const fn edit_keys(confirm: &'static [Button], back: &'static [Button]) -> [Hint; 8] {
    const fn hint(buttons: &'static [Button], label: &'static str) -> Hint {
        Hint { buttons, label }
    }
    [
        hint(
            &[Button::Up, Button::Down, Button::Left, Button::Right],
            "Cursor",
        ),
        hint(&[Button::L1, Button::R1], "Word"),
        hint(&[Button::L2, Button::R2], "Start, end"),
        hint(confirm, "New line"),
        hint(&[Button::X], "Mark"),
        hint(&[Button::Y], "Menu"),
        hint(back, "Leave, keep draft"),
        hint(&[Button::Select], "Letters"),
    ]
}

/// Everything a screen needs to draw the keyboard and its field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View<'a> {
    /// The whole text.
    pub text: &'a str,
    /// Cursor, as a byte offset on a grapheme border.
    pub cursor: usize,
    /// Selected bytes; never empty.
    pub selection: Option<Range<usize>>,
    /// Which keyboard.
    pub mode: Mode,
    /// Capitals as they count now.
    pub caps: Caps,
    /// Symbols as they stand.
    pub symbols: Symbols,
    /// The strip: one slot for each button that can accept, empty words where there is no suggestion.
    pub strip: Vec<Slot<'a>>,
    /// What stands where the keys are.
    pub board: Board,
    /// What the buttons of the edit layer do, for its board.
    pub edit_keys: &'static [Hint],
    /// The hint bar, at most five.
    pub hints: &'static [Hint],
}
