//! Contacts: what of a device can close and open, whatever it means. A key is one; an axis is two, one on each side of its rest, with
//! room between closing and opening, so that a worn stick does not flutter.

use serde::{Deserialize, Serialize};

use super::code::{ABS_HAT0X, ABS_HAT0Y, Axis, Capabilities, Raw, is_the_firmwares};
use super::keymap::Keymap;

/// Something on one device that closes and opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Contact {
    /// A key, by `EV_KEY` code.
    Key(u16),
    /// The low side of an axis (left, up), by `EV_ABS` code.
    Low(u16),
    /// The high side of an axis (right, down, a trigger that is pulled), by `EV_ABS` code.
    High(u16),
}

/// Where an axis is when nobody touches it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rest {
    Middle,
    Min,
    Max,
}

#[derive(Debug, Clone, Copy)]
struct Side {
    axis: Axis,
    rest: Rest,
    held: Option<Contact>,
}

/// A closing or opening.
pub type Change = (Contact, bool);

/// Turns the raw events of one device into closings and openings.
#[derive(Debug, Clone)]
pub struct Contacts {
    axes: Vec<Side>,
    ignored: &'static [u16],
}

/// Sticks of the vendor's kernel report no range on some models.
const STICK: (i32, i32) = (-4096, 4096);

impl Contacts {
    /// For a device with these capabilities that speaks by this table.
    #[must_use]
    pub fn new(keymap: &'static Keymap, capabilities: &Capabilities) -> Self {
        let mut axes: Vec<Side> = capabilities
            .axes
            .iter()
            .map(|&axis| Side {
                axis,
                rest: rest(keymap, axis),
                held: None,
            })
            .collect();
        for code in assumed(keymap) {
            if !axes.iter().any(|side| side.axis.code == code.0) {
                let axis = Axis {
                    code: code.0,
                    min: code.1,
                    max: code.2,
                    now: 0,
                };
                axes.push(Side {
                    axis,
                    rest: rest(keymap, axis),
                    held: None,
                });
            }
        }
        for side in &mut axes {
            if let Some((min, max)) = usual(keymap, side.axis.code)
                && side.axis.min >= side.axis.max
            {
                (side.axis.min, side.axis.max) = (min, max);
            }
        }
        Self {
            axes,
            ignored: keymap.made_up,
        }
    }

    /// What `raw` opens and closes: at most one of each, the opening first.
    pub fn feed(&mut self, raw: Raw) -> impl Iterator<Item = Change> + use<> {
        let (opened, closed) = match raw {
            Raw::Key(code, _) if self.ignored.contains(&code) || is_the_firmwares(code) => {
                (None, None)
            }
            Raw::Key(code, true) => (None, Some(Contact::Key(code))),
            Raw::Key(code, false) => (Some(Contact::Key(code)), None),
            Raw::Axis(code, value) => self.axis(code, value),
            Raw::Lid(_) => (None, None),
        };
        opened
            .map(|contact| (contact, false))
            .into_iter()
            .chain(closed.map(|contact| (contact, true)))
    }

    fn axis(&mut self, code: u16, value: i32) -> (Option<Contact>, Option<Contact>) {
        let Some(side) = self.axes.iter_mut().find(|side| side.axis.code == code) else {
            return (None, None);
        };
        let before = side.held;
        let after = side.held_at(value);
        side.held = after;
        if before == after {
            (None, None)
        } else {
            (before, after)
        }
    }
}

impl Side {
    /// Which side is held at `value`: it closes at half its way and opens again at a third.
    fn held_at(&self, value: i32) -> Option<Contact> {
        let (min, max) = (i64::from(self.axis.min), i64::from(self.axis.max));
        let span = max - min;
        if span <= 0 {
            return None;
        }
        let value = i64::from(value);
        let (low, high) = (Contact::Low(self.axis.code), Contact::High(self.axis.code));
        let factor = |contact| if self.held == Some(contact) { 3 } else { 2 };
        let far = |way: i64, contact| (way * factor(contact) > span).then_some(contact);
        match self.rest {
            // Twice the distance from the middle, against the whole range.
            Rest::Middle => {
                let offset = 2 * value - min - max;
                far(-offset, low).or_else(|| far(offset, high))
            }
            Rest::Min => far(value - min, high),
            Rest::Max => far(max - value, low),
        }
    }
}

/// Where the axis rests: tables know; of others their value at the start says it.
fn rest(keymap: &Keymap, axis: Axis) -> Rest {
    if keymap.triggers.iter().any(|row| row.0 == axis.code) {
        return Rest::Min;
    }
    if usual(keymap, axis.code).is_some() {
        return Rest::Middle;
    }
    let (min, max, now) = (
        i64::from(axis.min),
        i64::from(axis.max),
        i64::from(axis.now),
    );
    let sixth = (max - min) / 6;
    if now <= min + sixth {
        Rest::Min
    } else if now >= max - sixth {
        Rest::Max
    } else {
        Rest::Middle
    }
}

/// The range of a hat or stick whose driver reports none.
fn usual(keymap: &Keymap, code: u16) -> Option<(i32, i32)> {
    match code {
        ABS_HAT0X | ABS_HAT0Y => Some((-1, 1)),
        _ => keymap
            .sticks
            .iter()
            .any(|stick| stick.0 == code || stick.1 == code)
            .then_some(STICK),
    }
}

/// Axes that a table names, with the range to assume where the device did not tell of them.
fn assumed(keymap: &'static Keymap) -> impl Iterator<Item = (u16, i32, i32)> {
    let hats = [ABS_HAT0X, ABS_HAT0Y].map(|code| (code, -1, 1));
    let sticks = keymap
        .sticks
        .iter()
        .flat_map(|stick| [stick.0, stick.1])
        .map(|code| (code, STICK.0, STICK.1));
    let triggers = keymap.triggers.iter().map(|row| (row.0, 0, 255));
    hats.into_iter().chain(sticks).chain(triggers)
}

#[cfg(test)]
mod tests {
    use super::super::keymap::{GENERIC_PAD, H700_VENDOR, UNKNOWN_PAD};
    use super::*;

    fn one(code: u16, min: i32, max: i32, now: i32) -> Capabilities {
        Capabilities {
            axes: vec![Axis {
                code,
                min,
                max,
                now,
            }],
            ..Capabilities::default()
        }
    }

    #[test]
    fn an_axis_that_no_table_knows_rests_where_it_was_found() {
        for (now, raws, contact) in [
            (0, [0, 200], Contact::High(9)),
            (255, [255, 40], Contact::Low(9)),
            (120, [120, 250], Contact::High(9)),
        ] {
            let mut contacts = Contacts::new(&UNKNOWN_PAD, &one(9, 0, 255, now));
            assert_eq!(contacts.feed(Raw::Axis(9, raws[0])).count(), 0);
            let closed: Vec<_> = contacts.feed(Raw::Axis(9, raws[1])).collect();
            assert_eq!(closed, [(contact, true)], "{now}");
        }
    }

    #[test]
    fn a_stick_that_was_held_when_it_was_found_still_rests_in_the_middle() {
        let mut contacts = Contacts::new(&GENERIC_PAD, &one(0, 0, 255, 0));
        let held: Vec<_> = contacts.feed(Raw::Axis(0, 0)).collect();
        assert_eq!(held, [(Contact::Low(0), true)]);
        assert_eq!(
            contacts.feed(Raw::Axis(0, 128)).collect::<Vec<_>>(),
            [(Contact::Low(0), false)]
        );
    }

    #[test]
    fn what_a_driver_makes_up_and_what_is_the_firmwares_closes_nothing() {
        let mut contacts = Contacts::new(&H700_VENDOR, &Capabilities::default());
        for code in [354, 114, 115, 116, 224] {
            assert_eq!(contacts.feed(Raw::Key(code, true)).count(), 0, "{code}");
        }
        assert_eq!(contacts.feed(Raw::Key(312, true)).count(), 1);
        // An axis without any way to go, as the vendor's driver has some.
        let mut dummy = Contacts::new(&GENERIC_PAD, &one(9, 0, 0, 0));
        assert_eq!(dummy.feed(Raw::Axis(9, 5)).count(), 0);
    }
}
