//! Buttons: what a handheld has, how raw device codes become buttons, and how buttons become presses.
//!
//! Everything here is pure. A platform shell reads codes from a device, a [`keymap`] turns them into
//! [`Button`]s, a [`repeat::Tracker`] turns buttons and time into [`Press`]es. No file, clock or device is touched.

pub mod button;
pub mod keyboard;
pub mod keymap;
pub mod repeat;

pub use button::{Button, ButtonSet, Edge, Press};
pub use keymap::{Keymap, Translator};
pub use repeat::Tracker;
