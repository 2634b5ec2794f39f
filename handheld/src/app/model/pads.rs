//! The pads that are plugged in, and the set-up of their buttons.

use std::sync::Arc;

use crate::input::button::ButtonSet;
use crate::input::setup::Setup;

/// An input device with buttons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pad {
    /// Its name, as the kernel has it.
    pub name: Arc<str>,
    /// A table or its capabilities say which button is which.
    pub explained: bool,
}

/// What the app knows of pads.
#[derive(Clone, Debug, Default)]
pub struct Pads {
    /// Those that are plugged in; empty on a desktop, whose keyboard stands in.
    pub list: Vec<Pad>,
    /// What was taught has been read, or there is nothing to read it from.
    pub ready: bool,
    /// The set-up, while it shows. It lies above everything, the lock too: a sequence is pressed with buttons.
    pub setup: Option<Setup>,
    /// What was taught under the lock is not on the card yet.
    pub unsaved: bool,
    /// Buttons that woke the app and are still down; they do nothing else.
    pub woke: ButtonSet,
}

impl Pads {
    /// There is a pad whose buttons are known without a set-up.
    pub fn any_explained(&self) -> bool {
        self.list.iter().any(|pad| pad.explained)
    }
}

/// What of the battery has been told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Warned {
    /// That it is low.
    pub low: bool,
    /// That it is nearly empty.
    pub empty: bool,
    /// The last of these waits for a dialog that shows.
    pub waiting: bool,
}
