//! Raw codes to buttons: one table per convention. Which device speaks which stands in [`super::pads`].
//!
//! The same number means different buttons on different firmware (304 is printed A on the H700 vendor kernel and printed B on
//! mainline). Buttons are named by what is printed.

use super::button::Button;
use super::code::*;

/// What one device's codes mean.
#[derive(Debug, PartialEq, Eq)]
pub struct Keymap {
    /// Name of the convention, for the log.
    pub name: &'static str,
    /// `EV_KEY` code to button. A code that is not listed is ignored.
    pub keys: &'static [(u16, Button)],
    /// Horizontal and vertical axes of sticks that double the D-pad.
    pub sticks: &'static [(u16, u16)],
    /// Axes of analogue triggers with the button each stands for.
    pub triggers: &'static [(u16, Button)],
    /// Codes that the driver makes up beside real ones. Not even the set-up hears them.
    pub made_up: &'static [u16],
    /// The keys of a desktop keyboard are its buttons.
    pub keyboard: bool,
}

/// A table with nothing in it, to build others from.
const BARE: Keymap = Keymap {
    name: "",
    keys: &[],
    sticks: &[],
    triggers: &[],
    made_up: &[],
    keyboard: false,
};

/// The D-pad as four buttons: part of every table, since no convention uses these codes for anything else.
/// Where it is a hat instead, the translator reads ABS_HAT0X and ABS_HAT0Y, which likewise mean one thing only.
pub const DPAD: [(u16, Button); 8] = [
    (DPAD_UP, Button::Up),
    (DPAD_UP + 1, Button::Down),
    (DPAD_UP + 2, Button::Left),
    (DPAD_UP + 3, Button::Right),
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
    sticks: &[(ABS_Z, ABS_RX)],
    made_up: &[MENU_PULSE],
    ..BARE
};

/// Some stock models and the H700 vendor kernel's second device (`dierct-keys-polled`, spelled so): volume, and a D-pad as arrow keys
/// on those that have no hat. Its letters are remnants of the driver. Source: `/proc/bus/input/devices` of RG35XX SP and RG34XX SP.
pub static H700_DIRECT: Keymap = Keymap {
    name: "H700, vendor kernel, direct keys",
    keys: &ARROW_KEYS,
    made_up: &[20, 25, 29, 30, 31, 33, 38, 46, 47, 104, 109],
    ..BARE
};

const ARROW_KEYS: [(u16, Button); 4] = [
    (ARROWS[0], Button::Up),
    (ARROWS[1], Button::Down),
    (ARROWS[2], Button::Left),
    (ARROWS[3], Button::Right),
];

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

const LABELLED: &[(u16, Button)] = &[
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
];

/// H700 with a mainline kernel and ROCKNIX: positional, so printed A is BTN_EAST.
/// Source: torvalds/linux sun50i-h700-anbernic-*.dts; ROCKNIX/rocknix-joypad.
pub static H700_MAINLINE: Keymap = Keymap {
    name: "H700, mainline or ROCKNIX",
    keys: POSITIONAL,
    sticks: &[(ABS_X, ABS_Y)],
    ..BARE
};

/// RK3566 with a mainline kernel: positional. Source: torvalds/linux rk3566-anbernic-*.dts.
pub static RK3566_MAINLINE: Keymap = Keymap {
    name: "RK3566, mainline",
    keys: POSITIONAL,
    sticks: &[(ABS_X, ABS_Y)],
    ..BARE
};

/// RK3566 with the vendor's kernel (dArkOS): A and B by label, X and Y by position.
/// Source: christianhaitian/kernel_5_10_226, rk3566-353v.dts.
pub static RK3566_VENDOR: Keymap = Keymap {
    name: "RK3566, vendor kernel",
    keys: LABELLED,
    sticks: &[(ABS_X, ABS_Y)],
    ..BARE
};

/// RG ARC with a mainline kernel: six face buttons, each with the code of its own letter. C and Z, which no other model has, do what
/// the shoulders do. Source: torvalds/linux rk3566-anbernic-rg-arc.dtsi.
pub static RG_ARC: Keymap = Keymap {
    name: "RG ARC, mainline",
    keys: &[
        (SOUTH, Button::A),
        (EAST, Button::B),
        (C, Button::R1),
        (NORTH, Button::X),
        (WEST, Button::Y),
        (Z, Button::L1),
        (TL, Button::L1),
        (TR, Button::R1),
        (TL2, Button::L2),
        (TR2, Button::R2),
        (SELECT, Button::Select),
        (START, Button::Start),
        (MODE, Button::Menu),
    ],
    ..BARE
};

/// The DualSense that ROCKNIX emulates on the RK3566 through InputPlumber, and a real one: by position, with analogue triggers.
pub static DUALSENSE: Keymap = Keymap {
    name: "DualSense",
    keys: POSITIONAL,
    sticks: &[(ABS_X, ABS_Y)],
    triggers: &[(ABS_Z, Button::L2), (ABS_RZ, Button::R2)],
    ..BARE
};

/// Any other pad: Linux's own label aliases (BTN_A = BTN_SOUTH and so on), analogue triggers on Z and RZ.
pub static GENERIC_PAD: Keymap = Keymap {
    name: "gamepad",
    keys: LABELLED,
    sticks: &[(ABS_X, ABS_Y)],
    triggers: &[(ABS_Z, Button::L2), (ABS_RZ, Button::R2)],
    ..BARE
};

/// A pad that nothing explains: what can only mean one thing is taken for it until the set-up has asked.
pub static UNKNOWN_PAD: Keymap = Keymap {
    name: "unknown pad",
    keys: &ARROW_KEYS,
    sticks: &[(ABS_X, ABS_Y)],
    ..BARE
};

/// A plugged-in keyboard: [`super::keyboard::KEYBOARD`] by Linux key code.
pub static KEYS: Keymap = Keymap {
    name: "keyboard",
    keyboard: true,
    ..BARE
};

/// A power key, a lid: nothing of it is a button.
pub static SWITCHES: Keymap = Keymap {
    name: "power key or lid",
    ..BARE
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pad_table_reaches_every_button_and_gives_no_code_two() {
        for keymap in [
            &H700_VENDOR,
            &H700_MAINLINE,
            &RK3566_VENDOR,
            &RK3566_MAINLINE,
            &RG_ARC,
            &DUALSENSE,
            &GENERIC_PAD,
        ] {
            for button in Button::ALL {
                assert!(
                    keymap.keys.iter().chain(&DPAD).any(|row| row.1 == button),
                    "{} {button:?}",
                    keymap.name
                );
            }
            for (index, row) in keymap.keys.iter().enumerate() {
                assert!(
                    keymap.keys[..index].iter().all(|other| other.0 != row.0),
                    "{} {row:?}",
                    keymap.name
                );
                assert!(!is_the_firmwares(row.0) && !keymap.made_up.contains(&row.0));
            }
        }
    }
}
