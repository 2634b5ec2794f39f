//! One device's raw events as buttons: what it was taught first, then its table, then the D-pad that every table has.

use super::button::Button;
use super::code::{ABS_HAT0X, ABS_HAT0Y, Capabilities, Raw};
use super::contact::{Contact, Contacts};
use super::keyboard;
use super::keymap::{DPAD, Keymap};

/// A contact that closed or opened, and the button that it stands for, if any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Touch {
    /// Which contact.
    pub contact: Contact,
    /// Its button.
    pub button: Option<Button>,
    /// Closed.
    pub pressed: bool,
}

/// Turns the raw events of one device into buttons. It remembers axes, since an axis closes and opens two buttons.
#[derive(Debug, Clone)]
pub struct Translator {
    keymap: &'static Keymap,
    taught: Vec<(Contact, Button)>,
    contacts: Contacts,
}

impl Translator {
    /// For a device with these capabilities. `taught` comes from the set-up and outranks the table.
    #[must_use]
    pub fn new(
        keymap: &'static Keymap,
        capabilities: &Capabilities,
        taught: Vec<(Contact, Button)>,
    ) -> Self {
        Self {
            keymap,
            taught,
            contacts: Contacts::new(keymap, capabilities),
        }
    }

    /// The table in use.
    #[must_use]
    pub const fn keymap(&self) -> &'static Keymap {
        self.keymap
    }

    /// What the set-up taught is replaced. Whoever holds buttons opens them first.
    pub fn teach(&mut self, taught: Vec<(Contact, Button)>) {
        self.taught = taught;
    }

    /// What `raw` opens and closes: at most one of each, the opening first.
    pub fn feed(&mut self, raw: Raw) -> impl Iterator<Item = Touch> {
        let changes = self.contacts.feed(raw);
        changes.map(|(contact, pressed)| Touch {
            contact,
            button: self.button(contact),
            pressed,
        })
    }

    /// The button of a contact.
    #[must_use]
    pub fn button(&self, contact: Contact) -> Option<Button> {
        let taught = self
            .taught
            .iter()
            .find(|row| row.0 == contact)
            .map(|row| row.1);
        taught.or_else(|| match contact {
            Contact::Key(code) => self.key(code),
            Contact::Low(axis) => self.direction(axis).map(|pair| pair.0),
            Contact::High(axis) => {
                let trigger = self.keymap.triggers.iter().find(|row| row.0 == axis);
                trigger
                    .map(|row| row.1)
                    .or_else(|| self.direction(axis).map(|pair| pair.1))
            }
        })
    }

    fn key(&self, code: u16) -> Option<Button> {
        let row = |table: &[(u16, Button)]| table.iter().find(|row| row.0 == code).map(|row| row.1);
        let keyboard = || {
            self.keymap
                .keyboard
                .then(|| keyboard::button_of_evdev(code))
                .flatten()
        };
        row(self.keymap.keys)
            .or_else(|| row(&DPAD))
            .or_else(keyboard)
    }

    /// The two directions of a hat or stick axis.
    fn direction(&self, axis: u16) -> Option<(Button, Button)> {
        let across = axis == ABS_HAT0X || self.keymap.sticks.iter().any(|stick| stick.0 == axis);
        let along = axis == ABS_HAT0Y || self.keymap.sticks.iter().any(|stick| stick.1 == axis);
        match (across, along) {
            (true, _) => Some((Button::Left, Button::Right)),
            (_, true) => Some((Button::Up, Button::Down)),
            _ => None,
        }
    }
}
