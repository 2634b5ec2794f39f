//! Raw evdev codes to buttons: one table per convention, chosen by device name, with a fallback by capability.
//!
//! The same number means different buttons on different firmware (304 is printed A on the H700 vendor kernel and
//! printed B on mainline), so a name decides before capabilities do. Buttons are named by what is printed.

use super::button::Button;
use super::keyboard;

/// `EV_KEY` codes used by the tables, from linux/input-event-codes.h.
mod code {
    pub(super) const SOUTH: u16 = 304;
    pub(super) const EAST: u16 = 305;
    pub(super) const C: u16 = 306;
    pub(super) const NORTH: u16 = 307;
    pub(super) const WEST: u16 = 308;
    pub(super) const Z: u16 = 309;
    pub(super) const TL: u16 = 310;
    pub(super) const TR: u16 = 311;
    pub(super) const TL2: u16 = 312;
    pub(super) const TR2: u16 = 313;
    pub(super) const SELECT: u16 = 314;
    pub(super) const START: u16 = 315;
    pub(super) const MODE: u16 = 316;
    pub(super) const DPAD_UP: u16 = 544;
    pub(super) const DPAD_DOWN: u16 = 545;
    pub(super) const DPAD_LEFT: u16 = 546;
    pub(super) const DPAD_RIGHT: u16 = 547;
    pub(super) const TRIGGER_HAPPY1: u16 = 704;
    pub(super) const ABS_X: u16 = 0;
    pub(super) const ABS_Y: u16 = 1;
    pub(super) const ABS_Z: u16 = 2;
    pub(super) const ABS_RX: u16 = 3;
    pub(super) const ABS_RZ: u16 = 5;
    pub(super) const ABS_HAT0X: u16 = 16;
    pub(super) const ABS_HAT0Y: u16 = 17;
}
use code::*;

/// What one device's codes mean.
#[derive(Debug, PartialEq, Eq)]
pub struct Keymap {
    /// Name of the convention, for the log and the settings screen.
    pub name: &'static str,
    /// `EV_KEY` code to button. A code that is not listed is ignored.
    pub keys: &'static [(u16, Button)],
    /// Horizontal and vertical axis of the left stick, which doubles the D-pad.
    pub stick: Option<(u16, u16)>,
    /// Axes of analogue triggers with the button each stands for.
    pub triggers: &'static [(u16, Button)],
}

/// The D-pad as four buttons: part of every table, since no convention uses these codes for anything else.
/// Where it is a hat instead, [`Translator`] reads ABS_HAT0X and ABS_HAT0Y, which likewise mean one thing only.
const DPAD: [(u16, Button); 8] = [
    (DPAD_UP, Button::Up),
    (DPAD_DOWN, Button::Down),
    (DPAD_LEFT, Button::Left),
    (DPAD_RIGHT, Button::Right),
    (TRIGGER_HAPPY1, Button::Left),
    (TRIGGER_HAPPY1 + 1, Button::Right),
    (TRIGGER_HAPPY1 + 2, Button::Up),
    (TRIGGER_HAPPY1 + 3, Button::Down),
];

/// H700, Anbernic's kernel 4.9 (`ANBERNIC-keys`), and muOS and Knulli on it: numbered in a row, not by meaning.
/// 354 is a synthetic pulse beside 312 and stays out. Source: MustardOS/internal, device/rg35xx-h/config.ini.
pub static H700_VENDOR: Keymap = Keymap {
    name: "H700, vendor kernel",
    keys: &[
        (SOUTH, Button::A),
        (EAST, Button::B),
        (C, Button::Y),
        (NORTH, Button::X),
        (WEST, Button::L1),
        (Z, Button::R1),
        (TL, Button::Select),
        (TR, Button::Start),
        (TL2, Button::Menu),
        (SELECT, Button::L2),
        (START, Button::R2),
    ],
    stick: Some((ABS_Z, ABS_RX)),
    triggers: &[],
};

/// muOS on the H700: the vendor's numbers under `muOS-Keys` (earlier `Deeplay-keys`).
pub static MUOS: Keymap = Keymap {
    name: "muOS",
    keys: H700_VENDOR.keys,
    stick: H700_VENDOR.stick,
    triggers: &[],
};

/// Knulli on the H700: the vendor's numbers under `Anbernic <model> Controller`.
pub static KNULLI: Keymap = Keymap {
    name: "Knulli",
    keys: H700_VENDOR.keys,
    stick: H700_VENDOR.stick,
    triggers: &[],
};

const POSITIONAL: &[(u16, Button)] = &[
    (EAST, Button::A),
    (SOUTH, Button::B),
    (NORTH, Button::X),
    (WEST, Button::Y),
    (TL, Button::L1),
    (TR, Button::R1),
    (TL2, Button::L2),
    (TR2, Button::R2),
    (SELECT, Button::Select),
    (START, Button::Start),
    (MODE, Button::Menu),
];

/// H700 with a mainline kernel and ROCKNIX: positional, so printed A is BTN_EAST.
/// Source: torvalds/linux sun50i-h700-anbernic-*.dts; ROCKNIX/rocknix-joypad.
pub static H700_MAINLINE: Keymap = Keymap {
    name: "H700, mainline or ROCKNIX",
    keys: POSITIONAL,
    stick: Some((ABS_X, ABS_Y)),
    triggers: &[],
};

/// RK3566 with a mainline kernel: positional. Source: torvalds/linux rk3566-anbernic-*.dts.
pub static RK3566_MAINLINE: Keymap = Keymap {
    name: "RK3566, mainline",
    keys: POSITIONAL,
    stick: Some((ABS_X, ABS_Y)),
    triggers: &[],
};

/// RK3566 with the vendor's kernel (dArkOS): A and B by label, X and Y by position.
/// Source: christianhaitian/kernel_5_10_226, rk3566-353v.dts.
pub static RK3566_VENDOR: Keymap = Keymap {
    name: "RK3566, vendor kernel",
    keys: &[
        (SOUTH, Button::A),
        (EAST, Button::B),
        (NORTH, Button::X),
        (WEST, Button::Y),
        (TL, Button::L1),
        (TR, Button::R1),
        (TL2, Button::L2),
        (TR2, Button::R2),
        (SELECT, Button::Select),
        (START, Button::Start),
        (MODE, Button::Menu),
    ],
    stick: Some((ABS_X, ABS_Y)),
    triggers: &[],
};

/// Any other pad: Linux's own label aliases (BTN_A = BTN_SOUTH and so on), analogue triggers on Z and RZ.
pub static GENERIC_PAD: Keymap = Keymap {
    name: "gamepad",
    keys: RK3566_VENDOR.keys,
    stick: Some((ABS_X, ABS_Y)),
    triggers: &[(ABS_Z, Button::L2), (ABS_RZ, Button::R2)],
};

/// A plugged-in keyboard: [`keyboard::KEYBOARD`] by Linux key code.
pub static KEYS: Keymap = Keymap {
    name: "keyboard",
    keys: &[],
    stick: None,
    triggers: &[],
};

/// How a device name is compared.
enum Name {
    Is(&'static str),
    Starts(&'static str),
    Contains(&'static str),
}

/// Device names as `EVIOCGNAME` reports them. More special rows come first.
const NAMES: &[(Name, &Keymap)] = &[
    (Name::Is("ANBERNIC-keys"), &H700_VENDOR),
    (Name::Is("muOS-Keys"), &MUOS),
    (Name::Is("Deeplay-keys"), &MUOS),
    (Name::Is("H700 Gamepad"), &H700_MAINLINE),
    (Name::Is("gpio-keys-gamepad"), &H700_MAINLINE),
    (Name::Is("gpio-keys-control"), &RK3566_MAINLINE),
    (Name::Is("adc-keys"), &RK3566_MAINLINE),
    (Name::Is("adc-joystick"), &RK3566_MAINLINE),
    (Name::Is("retrogame_joypad"), &RK3566_VENDOR),
    // ROCKNIX on the RK3566 emulates this pad through InputPlumber, by position.
    (Name::Contains("DualSense"), &RK3566_MAINLINE),
    (Name::Starts("Anbernic "), &KNULLI),
];

/// What a device says it can do, read once when it is opened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// `EV_KEY` codes.
    pub keys: Vec<u16>,
    /// `EV_ABS` codes with their minimum and maximum.
    pub axes: Vec<(u16, i32, i32)>,
}

impl Capabilities {
    fn has_key(&self, code: u16) -> bool {
        self.keys.contains(&code)
    }

    fn has_axis(&self, code: u16) -> bool {
        self.axes.iter().any(|axis| axis.0 == code)
    }
}

/// The table for a device, or `None` for one that has no buttons of ours (volume keys, a lid, a touch panel).
#[must_use]
pub fn keymap_for(name: &str, capabilities: &Capabilities) -> Option<&'static Keymap> {
    let named = NAMES.iter().find(|(pattern, _)| match pattern {
        Name::Is(text) => name == *text,
        Name::Starts(text) => name.starts_with(text),
        Name::Contains(text) => name.contains(text),
    });
    if let Some((_, keymap)) = named {
        return Some(keymap);
    }
    let has = |code| capabilities.has_key(code);
    if has(SOUTH) || has(DPAD_UP) || (has(TL) && has(START)) {
        return Some(&GENERIC_PAD);
    }
    if capabilities.has_axis(ABS_HAT0X) && !has(330) {
        return Some(&GENERIC_PAD);
    }
    // A whole keyboard, not a power or volume key: all four arrows and Enter.
    if [103, 108, 105, 106, 28].into_iter().all(has) {
        return Some(&KEYS);
    }
    None
}

/// One raw event of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Raw {
    /// `EV_KEY`: code and whether it is down. The kernel's own autorepeat (value 2) is not passed on.
    Key(u16, bool),
    /// `EV_ABS`: code and value.
    Axis(u16, i32),
}

/// Turns the raw events of one device into buttons. It remembers axes, since an axis closes and opens two buttons.
#[derive(Debug, Clone)]
pub struct Translator {
    keymap: &'static Keymap,
    learned: Vec<(u16, Button)>,
    ranges: Vec<(u16, i32, i32)>,
    /// For each axis seen: the button that it holds down now.
    axes: Vec<(u16, Option<Button>)>,
}

impl Translator {
    /// For a device with these capabilities. `learned` comes from "Buttons, set up again" and outranks the table.
    #[must_use]
    pub fn new(
        keymap: &'static Keymap,
        capabilities: &Capabilities,
        learned: Vec<(u16, Button)>,
    ) -> Self {
        Self {
            keymap,
            learned,
            ranges: capabilities.axes.clone(),
            axes: Vec::new(),
        }
    }

    /// The table in use.
    #[must_use]
    pub const fn keymap(&self) -> &'static Keymap {
        self.keymap
    }

    /// The buttons that `raw` opens and closes: at most one of each, the opening first.
    pub fn buttons(&mut self, raw: Raw) -> impl Iterator<Item = (Button, bool)> + use<> {
        let (opened, closed) = match raw {
            Raw::Key(code, true) => (None, self.key(code)),
            Raw::Key(code, false) => (self.key(code), None),
            Raw::Axis(code, value) => self.axis(code, value),
        };
        opened
            .map(|button| (button, false))
            .into_iter()
            .chain(closed.map(|button| (button, true)))
    }

    fn key(&self, code: u16) -> Option<Button> {
        let row = |table: &[(u16, Button)]| table.iter().find(|row| row.0 == code).map(|row| row.1);
        row(&self.learned)
            .or_else(|| row(self.keymap.keys))
            .or_else(|| row(&DPAD))
            .or_else(|| {
                if core::ptr::eq(self.keymap, &KEYS) {
                    keyboard::button_of_evdev(code)
                } else {
                    None
                }
            })
    }

    fn axis(&mut self, code: u16, value: i32) -> (Option<Button>, Option<Button>) {
        let index = self
            .axes
            .iter()
            .position(|axis| axis.0 == code)
            .unwrap_or_else(|| {
                self.axes.push((code, None));
                self.axes.len() - 1
            });
        let before = self.axes[index].1;
        let after = self.held_by_axis(code, value, before);
        self.axes[index].1 = after;
        if before == after {
            (None, None)
        } else {
            (before, after)
        }
    }

    /// Which button an axis at `value` holds. A stick closes at half its way and opens again at a third.
    fn held_by_axis(&self, code: u16, value: i32, before: Option<Button>) -> Option<Button> {
        let pair = match code {
            ABS_HAT0X => (Button::Left, Button::Right),
            ABS_HAT0Y => (Button::Up, Button::Down),
            _ if self.keymap.stick.is_some_and(|stick| stick.0 == code) => {
                (Button::Left, Button::Right)
            }
            _ if self.keymap.stick.is_some_and(|stick| stick.1 == code) => {
                (Button::Up, Button::Down)
            }
            _ => {
                let button = self.keymap.triggers.iter().find(|row| row.0 == code)?.1;
                let (min, max) = self.range(code, 0, 255);
                let threshold = if before.is_some() { 3 } else { 2 };
                let travel = (i64::from(value) - i64::from(min)) * threshold;
                return (travel > i64::from(max) - i64::from(min)).then_some(button);
            }
        };
        if code >= ABS_HAT0X {
            return match value {
                ..0 => Some(pair.0),
                0 => None,
                1.. => Some(pair.1),
            };
        }
        let (min, max) = self.range(code, -4096, 4096);
        // Twice the distance from the middle, against the whole range: 1/2 closes, 1/3 keeps closed.
        let span = i64::from(max) - i64::from(min);
        let offset = 2 * i64::from(value) - i64::from(min) - i64::from(max);
        let reach = |side: Option<Button>| {
            if before.is_some() && before == side {
                3
            } else {
                2
            }
        };
        if -offset * reach(Some(pair.0)) > span {
            Some(pair.0)
        } else if offset * reach(Some(pair.1)) > span {
            Some(pair.1)
        } else {
            None
        }
    }

    fn range(&self, code: u16, min: i32, max: i32) -> (i32, i32) {
        self.ranges
            .iter()
            .find(|range| range.0 == code && range.1 < range.2)
            .map_or((min, max), |range| (range.1, range.2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pad(keys: &[u16]) -> Capabilities {
        Capabilities {
            keys: keys.to_vec(),
            axes: Vec::new(),
        }
    }

    fn translate(keymap: &'static Keymap, raws: &[Raw]) -> Vec<(Button, bool)> {
        let mut translator = Translator::new(keymap, &Capabilities::default(), Vec::new());
        raws.iter()
            .flat_map(|&raw| translator.buttons(raw))
            .collect()
    }

    fn pressed(keymap: &'static Keymap, code: u16) -> Option<Button> {
        translate(keymap, &[Raw::Key(code, true)])
            .first()
            .map(|row| row.0)
    }

    #[test]
    fn a_name_decides_before_capabilities_do() {
        let mainline_like = pad(&[304, 305, 544]);
        for (name, keymap) in [
            ("ANBERNIC-keys", &H700_VENDOR),
            ("muOS-Keys", &MUOS),
            ("Deeplay-keys", &MUOS),
            ("Anbernic RG35XX-H Controller", &KNULLI),
            ("gpio-keys-gamepad", &H700_MAINLINE),
            ("H700 Gamepad", &H700_MAINLINE),
            ("gpio-keys-control", &RK3566_MAINLINE),
            ("retrogame_joypad", &RK3566_VENDOR),
            ("Xbox Wireless Controller", &GENERIC_PAD),
        ] {
            assert_eq!(
                keymap_for(name, &mainline_like).unwrap().name,
                keymap.name,
                "{name}"
            );
        }
    }

    #[test]
    fn devices_without_our_buttons_are_left_alone() {
        assert_eq!(keymap_for("gpio-keys-volume", &pad(&[114, 115])), None);
        assert_eq!(keymap_for("axp2202-pek", &pad(&[116])), None);
        let touch = Capabilities {
            keys: vec![330],
            axes: vec![(0, 0, 640), (1, 0, 480)],
        };
        assert_eq!(keymap_for("touchscreen", &touch), None);
        let keyboard = pad(&[103, 108, 105, 106, 28, 44]);
        assert_eq!(
            keymap_for("USB Keyboard", &keyboard).unwrap().name,
            "keyboard"
        );
    }

    #[test]
    fn printed_letters_come_out_under_each_convention() {
        // (code of A, B, X, Y) per table; handheld firmware disagrees exactly here.
        for (keymap, codes) in [
            (&H700_VENDOR, [304, 305, 307, 306]),
            (&MUOS, [304, 305, 307, 306]),
            (&KNULLI, [304, 305, 307, 306]),
            (&H700_MAINLINE, [305, 304, 307, 308]),
            (&RK3566_MAINLINE, [305, 304, 307, 308]),
            (&RK3566_VENDOR, [304, 305, 307, 308]),
            (&GENERIC_PAD, [304, 305, 307, 308]),
        ] {
            let printed = codes.map(|code| pressed(keymap, code).unwrap());
            assert_eq!(
                printed,
                [Button::A, Button::B, Button::X, Button::Y],
                "{}",
                keymap.name
            );
        }
    }

    #[test]
    fn shoulders_start_and_menu_differ_between_vendor_and_mainline() {
        let row = |keymap, codes: [u16; 7]| codes.map(|code| pressed(keymap, code).unwrap());
        let expected = [
            Button::L1,
            Button::R1,
            Button::L2,
            Button::R2,
            Button::Select,
            Button::Start,
            Button::Menu,
        ];
        assert_eq!(
            row(&H700_VENDOR, [308, 309, 314, 315, 310, 311, 312]),
            expected
        );
        assert_eq!(
            row(&H700_MAINLINE, [310, 311, 312, 313, 314, 315, 316]),
            expected
        );
    }

    #[test]
    fn every_pad_table_reaches_every_button_but_twice_none() {
        for keymap in [
            &H700_VENDOR,
            &H700_MAINLINE,
            &RK3566_VENDOR,
            &RK3566_MAINLINE,
            &GENERIC_PAD,
        ] {
            for button in Button::ALL {
                let codes = keymap
                    .keys
                    .iter()
                    .chain(&DPAD)
                    .filter(|row| row.1 == button)
                    .count();
                assert!(
                    codes == 1 || (button.is_dpad() && codes == 2),
                    "{} {button:?}",
                    keymap.name
                );
            }
        }
    }

    #[test]
    fn the_synthetic_pulse_of_the_vendor_kernel_is_ignored() {
        assert_eq!(
            translate(&H700_VENDOR, &[Raw::Key(354, true), Raw::Key(354, false)]),
            []
        );
        assert_eq!(translate(&H700_VENDOR, &[Raw::Key(114, true)]), []);
    }

    #[test]
    fn a_hat_closes_and_opens_the_pad() {
        let raws = [
            Raw::Axis(16, -1),
            Raw::Axis(16, 1),
            Raw::Axis(16, 0),
            Raw::Axis(17, -1),
            Raw::Axis(17, 0),
        ];
        assert_eq!(
            translate(&H700_VENDOR, &raws),
            [
                (Button::Left, true),
                (Button::Left, false),
                (Button::Right, true),
                (Button::Right, false),
                (Button::Up, true),
                (Button::Up, false)
            ]
        );
    }

    #[test]
    fn a_stick_doubles_the_pad_without_flutter() {
        let capabilities = Capabilities {
            keys: vec![],
            axes: vec![(2, -4096, 4096)],
        };
        let mut translator = Translator::new(&H700_VENDOR, &capabilities, Vec::new());
        let mut feed = |value| translator.buttons(Raw::Axis(2, value)).collect::<Vec<_>>();
        assert_eq!(feed(2000), []);
        assert_eq!(feed(2100), [(Button::Right, true)]);
        assert_eq!(feed(1500), []);
        assert_eq!(feed(1300), [(Button::Right, false)]);
        assert_eq!(feed(i32::MIN), [(Button::Left, true)]);
    }

    #[test]
    fn an_analogue_trigger_is_a_button() {
        let capabilities = Capabilities {
            keys: vec![],
            axes: vec![(2, 0, 255)],
        };
        let mut translator = Translator::new(&GENERIC_PAD, &capabilities, Vec::new());
        let mut feed = |value| translator.buttons(Raw::Axis(2, value)).collect::<Vec<_>>();
        assert_eq!(feed(100), []);
        assert_eq!(feed(200), [(Button::L2, true)]);
        assert_eq!(feed(100), []);
        assert_eq!(feed(0), [(Button::L2, false)]);
    }

    #[test]
    fn learned_codes_outrank_the_table() {
        let mut translator = Translator::new(
            &GENERIC_PAD,
            &Capabilities::default(),
            vec![(304, Button::B), (700, Button::A)],
        );
        assert_eq!(
            translator.buttons(Raw::Key(304, true)).next(),
            Some((Button::B, true))
        );
        assert_eq!(
            translator.buttons(Raw::Key(700, true)).next(),
            Some((Button::A, true))
        );
        assert_eq!(
            translator.buttons(Raw::Key(307, true)).next(),
            Some((Button::X, true))
        );
    }

    #[test]
    fn a_plugged_in_keyboard_speaks_the_desktop_table() {
        assert_eq!(pressed(&KEYS, 44), Some(Button::B));
        assert_eq!(pressed(&H700_VENDOR, 44), None);
    }
}
