//! Which device is what: a table of names, and of firmware where a name alone says too little, with a fallback by capability.
//!
//! | Who sees a press besides us | Grabbed |
//! |---|---|
//! | Stock, muOS, Knulli: their hot keys and idle timers read the pad itself (Menu with volume is brightness; a pad that seems untouched sends the device to sleep) | no: they must see it |
//! | ROCKNIX, Batocera, ArkOS: the hot keys hang on Menu or Start with volume, which is brightness | no: they must see it |
//! | Our own image: the text console takes keys for typing and for its own hot keys (changing consoles, Ctrl+Alt+Del) | yes: nothing there needs it |
//! | Volume, brightness, mute, power, sleep, lid, on whichever device | never |

use super::code::{
    ABS_HAT0X, ABS_X, ABS_Y, ARROWS, Capabilities, DPAD_UP, EAST, ENTER, POWER, SOUTH, START, TL,
    TOUCH, is_the_firmwares,
};
use super::firmware::Firmware;
use super::keymap::{
    DUALSENSE, GENERIC_PAD, H700_DIRECT, H700_MAINLINE, H700_VENDOR, KEYS, Keymap, RG_ARC,
    RK3566_MAINLINE, RK3566_VENDOR, SWITCHES, UNKNOWN_PAD,
};

/// What a device is for us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Role {
    /// What its codes mean.
    pub keymap: &'static Keymap,
    /// A table or its capabilities say what its buttons are; without, the set-up asks.
    pub explained: bool,
    /// It is kept from others while the app shows.
    pub grab: bool,
    /// Its `KEY_INSERT` and `KEY_DELETE` say that the lid has moved.
    pub lid_keys: bool,
}

impl Role {
    /// It has the buttons of a pad, known or not: more than a power key or a lid, and no keyboard, which other programs make up too.
    #[must_use]
    pub fn is_pad(&self) -> bool {
        !core::ptr::eq(self.keymap, &SWITCHES) && !self.keymap.keyboard
    }
}

/// How a device name is compared.
#[derive(Clone, Copy)]
enum Name {
    Is(&'static str),
    Starts(&'static str),
    Contains(&'static str),
}

impl Name {
    fn fits(self, name: &str) -> bool {
        match self {
            Self::Is(text) => name == text,
            Self::Starts(text) => name.starts_with(text),
            Self::Contains(text) => name.contains(text),
        }
    }
}

/// A row: the name as `EVIOCGNAME` reports it, the firmware it holds for (any, if none is named), what it is; `None` leaves it alone.
type Row = (Name, &'static [Firmware], Option<&'static Keymap>);

/// More special rows come first.
const ROWS: &[Row] = &[
    // H700, vendor kernel 4.9: stock, muOS (which renames or emulates it), Knulli (which renames it by model).
    (Name::Is("ANBERNIC-keys"), &[], Some(&H700_VENDOR)),
    (Name::Is("muOS-Keys"), &[], Some(&H700_VENDOR)),
    (Name::Is("Deeplay-keys"), &[], Some(&H700_VENDOR)),
    (Name::Is("muOS-Input-Source"), &[], Some(&H700_VENDOR)),
    (
        Name::Starts("Anbernic "),
        &[Firmware::Rocknix, Firmware::Batocera],
        Some(&H700_MAINLINE),
    ),
    (Name::Starts("Anbernic "), &[], Some(&H700_VENDOR)),
    (Name::Is("dierct-keys-polled"), &[], Some(&H700_DIRECT)),
    // H700, mainline kernel: Debian, Batocera; ROCKNIX joins buttons and sticks under one name.
    (Name::Is("H700 Gamepad"), &[], Some(&H700_MAINLINE)),
    (Name::Is("gpio-keys-gamepad"), &[], Some(&H700_MAINLINE)),
    // RK3566. The vendor's kernel and ROCKNIX's own driver use one name for two conventions.
    (Name::Is("gpio-keys-control"), &[], Some(&RK3566_MAINLINE)),
    (Name::Is("adc-keys"), &[], Some(&RK3566_MAINLINE)),
    (Name::Is("adc-joystick"), &[], Some(&RK3566_MAINLINE)),
    (
        Name::Is("retrogame_joypad"),
        &[Firmware::Rocknix],
        Some(&RK3566_MAINLINE),
    ),
    (Name::Is("retrogame_joypad"), &[], Some(&RK3566_VENDOR)),
    (Name::Contains("DualSense"), &[], Some(&DUALSENSE)),
    // The motion sensors and the touch pad of a DualSense are devices of their own and no pad; InputPlumber names them so.
    // Volume, by whatever name: the firmware's alone.
    (Name::Is("gpio-keys-volume"), &[], None),
];

/// Parts of a device that carry its name and a word more, and are no pads.
const NO_PADS: [&str; 3] = ["Motion Sensors", "Touchpad", "Headset Jack"];

/// Power keys: `axp2202-pek` on the vendor's kernel, `axp20x-pek` and `rk8xx_pwrkey` on mainline. The first tells of the SP's lid too.
const VENDOR_POWER: &str = "axp2202-pek";

/// What a device of this name and these capabilities is on this firmware, or `None` for one that has nothing for us (volume keys, a
/// mouse, a touch panel).
#[must_use]
pub fn role(name: &str, capabilities: &Capabilities, firmware: Firmware) -> Option<Role> {
    if NO_PADS.iter().any(|part| name.ends_with(part)) {
        return None;
    }
    let vendor_power = name == VENDOR_POWER;
    let power = vendor_power || capabilities.lid || capabilities.has_key(POWER);
    let switches = power.then_some((&SWITCHES, true));
    let row = ROWS
        .iter()
        .find(|(pattern, on, _)| pattern.fits(name) && (on.is_empty() || on.contains(&firmware)));
    let found = match row {
        Some((_, _, None)) => switches,
        // An RG ARC calls its pad as the other mainline RK3566 models do, and alone of them has a C and a Z.
        Some((_, _, Some(keymap)))
            if core::ptr::eq(*keymap, &RK3566_MAINLINE) && is_arc(capabilities) =>
        {
            Some((&RG_ARC, true))
        }
        Some((_, _, Some(keymap))) => Some((*keymap, true)),
        None if vendor_power => switches,
        None => by_capabilities(capabilities).or(switches),
    };
    let (keymap, explained) = found?;
    let shared = capabilities.lid || capabilities.keys.iter().any(|&code| is_the_firmwares(code));
    Some(Role {
        keymap,
        explained,
        grab: firmware == Firmware::Own && !shared && !core::ptr::eq(keymap, &SWITCHES),
        lid_keys: vendor_power,
    })
}

/// Six face buttons: C and Z beside the usual four.
fn is_arc(capabilities: &Capabilities) -> bool {
    [306, 309]
        .into_iter()
        .all(|code| capabilities.has_key(code))
}

fn by_capabilities(capabilities: &Capabilities) -> Option<(&'static Keymap, bool)> {
    let has = |code| capabilities.has_key(code);
    if has(TOUCH) || capabilities.pointer {
        return None;
    }
    let hat = capabilities.has_axis(ABS_HAT0X);
    let stick = capabilities.has_axis(ABS_X) && capabilities.has_axis(ABS_Y);
    let directions = has(DPAD_UP) || has(704) || hat || stick;
    if has(SOUTH) && has(EAST) && directions && (has(START) || has(TL)) {
        return Some((&GENERIC_PAD, true));
    }
    let arrows = ARROWS.into_iter().all(has);
    // A whole keyboard, not a power or volume key: all four arrows, Enter and letters.
    if arrows && has(ENTER) && has(44) && has(45) {
        return Some((&KEYS, true));
    }
    // Joystick and gamepad codes, a D-pad in any shape: buttons, but whose?
    let buttons = capabilities
        .keys
        .iter()
        .any(|code| matches!(code, 288..=318 | 544..=547 | 704..=743));
    (buttons || arrows || hat).then_some((&UNKNOWN_PAD, false))
}
