//! What the set-up was taught: for each device, by its name, which contact is which button. Stored with the settings, because a sealed
//! card is unsealed with buttons.

use serde::{Deserialize, Serialize};

use super::button::Button;
use super::contact::Contact;

/// Devices remembered at most; the one taught first goes.
pub const MAX_DEVICES: usize = 8;
/// Contacts remembered of one device at most: more than twice the buttons there are.
pub const MAX_CONTACTS: usize = 32;
/// Octets of a device's name that are kept; `EVIOCGNAME` gives no more than 255.
pub const MAX_NAME: usize = 80;

/// One device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// Its name, as far as it is kept.
    pub name: String,
    /// Its contacts that have a button.
    pub contacts: Vec<(Contact, Button)>,
}

/// All devices that were taught.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taught(Vec<Device>);

impl Taught {
    /// Nothing was taught.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The devices, first taught first.
    #[must_use]
    pub fn devices(&self) -> &[Device] {
        &self.0
    }

    /// What the device of this name was taught.
    #[must_use]
    pub fn of(&self, name: &str) -> Vec<(Contact, Button)> {
        let kept = kept(name);
        let device = self.0.iter().find(|device| device.name == kept);
        device.map_or_else(Vec::new, |device| device.contacts.clone())
    }

    /// Whether the device of this name was taught anything.
    #[must_use]
    pub fn knows(&self, name: &str) -> bool {
        let kept = kept(name);
        self.0.iter().any(|device| device.name == kept)
    }

    /// Takes over what a set-up found out, device by device, in place of what these devices were taught before.
    #[must_use]
    pub fn with(&self, found: &[(String, Contact, Button)]) -> Self {
        let mut all = self.clone();
        all.0
            .retain(|device| !found.iter().any(|row| kept(&row.0) == device.name));
        for (name, contact, button) in found {
            let name = kept(name);
            let device = match all.0.iter_mut().find(|device| device.name == name) {
                Some(device) => device,
                None => {
                    if all.0.len() == MAX_DEVICES {
                        all.0.remove(0);
                    }
                    all.0.push(Device {
                        name: name.to_owned(),
                        contacts: Vec::new(),
                    });
                    let last = all.0.len() - 1;
                    &mut all.0[last]
                }
            };
            if device.contacts.len() < MAX_CONTACTS {
                device.contacts.push((*contact, *button));
            }
        }
        all
    }
}

/// The part of a name that is kept.
fn kept(name: &str) -> &str {
    let end = (0..=name.len().min(MAX_NAME))
        .rev()
        .find(|&at| name.is_char_boundary(at));
    &name[..end.unwrap_or(0)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_taught_anew_as_a_whole_and_others_stay() {
        let row = |name: &str, code, button| (name.to_owned(), Contact::Key(code), button);
        let first = Taught::default().with(&[
            row("a", 1, Button::A),
            row("a", 2, Button::B),
            row("b", 3, Button::X),
        ]);
        let second = first.with(&[row("a", 9, Button::A)]);
        assert_eq!(second.of("a"), [(Contact::Key(9), Button::A)]);
        assert_eq!(second.of("b"), [(Contact::Key(3), Button::X)]);
        assert!(second.knows("b") && !second.knows("c") && second.of("c").is_empty());
    }

    #[test]
    fn names_devices_and_contacts_are_bounded() {
        let long = "ä".repeat(300);
        let mut taught = Taught::default().with(&[(long.clone(), Contact::Key(1), Button::A)]);
        assert!(taught.knows(&long) && taught.devices()[0].name.len() <= MAX_NAME);
        for n in 0..40_u16 {
            taught = taught.with(&[(format!("pad {n}"), Contact::Key(1), Button::A)]);
        }
        assert_eq!(taught.devices().len(), MAX_DEVICES);
        let many: Vec<_> = (0..99)
            .map(|n| ("p".to_owned(), Contact::Key(n), Button::A))
            .collect();
        assert_eq!(taught.with(&many).of("p").len(), MAX_CONTACTS);
    }
}
