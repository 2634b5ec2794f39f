//! Buttons: what a handheld has, how raw device codes become buttons, and how buttons become presses.
//!
//! ```text
//! raw codes ─▶ contacts ─▶ translator ─▶ holders ─▶ repeat ─▶ presses
//!               (axes)   (taught, table)  (two pads)  (time)
//! ```
//!
//! Everything here is pure. A platform shell reads codes from a device; [`pads`] says what the device is, a [`Translator`] turns codes
//! into [`Button`]s by its [`keymap`], a [`repeat::Tracker`] turns buttons and time into [`Press`]es. The [`setup`] finds out what
//! no table knows. No file, clock or device is touched.

pub mod button;
pub mod code;
pub mod contact;
pub mod doze;
pub mod firmware;
pub mod holders;
pub mod keyboard;
pub mod keymap;
pub mod pads;
#[cfg(test)]
mod pads_tests;
pub mod repeat;
pub mod setup;
pub mod taught;
pub mod translator;

pub use button::{Button, ButtonSet, Edge, Press};
pub use contact::Contact;
pub use firmware::Firmware;
pub use keymap::Keymap;
pub use repeat::Tracker;
pub use setup::Setup;
pub use taught::Taught;
pub use translator::{Touch, Translator};
