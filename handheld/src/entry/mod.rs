//! Writing with buttons: two keyboards over one text field, word completion, accents, emoji and an edit layer.
//!
//! Presses and time go in, an outcome and a [`view::View`] come out. Nothing here draws, reads a clock or opens a file.

pub mod accent;
pub mod arc;
pub mod common;
pub mod completion;
pub mod editor;
pub mod emoji;
pub mod grid;
mod history;
pub mod keyboard;
pub mod layer;
pub mod learned;
pub mod typing;
pub mod view;
pub mod words;

pub use editor::Editor;
pub use keyboard::{Action, Keyboard, Outcome, Purpose, Settings};
pub use layer::{Caps, Symbols};
pub use view::{Board, Face, Mode, View};
