//! The devices of `handhelds` as their kernels report them, and what is printed on their buttons.

use crate::device::Made;
use crate::pocket::Fake;

/// What a finger does to a device.
#[derive(Clone, Copy, Debug)]
pub enum Finger {
    /// Closes this key.
    Key(u16),
    /// Moves this axis there; its rest is the second number.
    Axis(u16, i32, i32),
}

/// A device, the firmware it is found on, and each of its buttons.
pub struct Row {
    pub fake: Fake,
    pub made: Made<'static>,
    pub buttons: &'static [(&'static str, Finger)],
}

use Finger::{Axis, Key};

const HAT: [(&str, Finger); 4] = [
    ("Up", Axis(17, -1, 0)),
    ("Down", Axis(17, 1, 0)),
    ("Left", Axis(16, -1, 0)),
    ("Right", Axis(16, 1, 0)),
];
const DPAD: [(&str, Finger); 4] = [
    ("Up", Key(544)),
    ("Down", Key(545)),
    ("Left", Key(546)),
    ("Right", Key(547)),
];

macro_rules! buttons {
    ($pad:ident, $($rest:expr),*) => { &[$pad[0], $pad[1], $pad[2], $pad[3], $($rest),*] };
}

/// Numbered in a row: the H700's vendor kernel. The vendor adds 354 to each press of Menu, pressed by the scenario beside 312.
const VENDOR: &[(&str, Finger)] = buttons!(
    HAT,
    ("A", Key(304)),
    ("B", Key(305)),
    ("Y", Key(306)),
    ("X", Key(307)),
    ("L1", Key(308)),
    ("R1", Key(309)),
    ("Select", Key(310)),
    ("Start", Key(311)),
    ("Menu", Key(312)),
    ("L2", Key(314)),
    ("R2", Key(315)),
    ("Left", Axis(2, -4000, 0)),
    ("Down", Axis(3, 4000, 0))
);
const VENDOR_KEYS: &[u16] = &[
    1, 114, 115, 304, 305, 306, 307, 308, 309, 310, 311, 312, 313, 314, 315, 316, 354,
];
const VENDOR_AXES: &[(u16, i32, i32)] = &[
    (2, -4096, 4096),
    (3, -4096, 4096),
    (4, -4096, 4096),
    (5, -4096, 4096),
    (16, -1, 1),
    (17, -1, 1),
];

/// By position: mainline.
const MAINLINE: &[(&str, Finger)] = buttons!(
    DPAD,
    ("A", Key(305)),
    ("B", Key(304)),
    ("X", Key(307)),
    ("Y", Key(308)),
    ("L1", Key(310)),
    ("R1", Key(311)),
    ("L2", Key(312)),
    ("R2", Key(313)),
    ("Select", Key(314)),
    ("Start", Key(315)),
    ("Menu", Key(316))
);
const MAINLINE_KEYS: &[u16] = &[
    304, 305, 307, 308, 310, 311, 312, 313, 314, 315, 316, 317, 318, 544, 545, 546, 547,
];

/// A and B by label: dArkOS, and Linux' own names.
const LABELLED: &[(&str, Finger)] = buttons!(
    DPAD,
    ("A", Key(304)),
    ("B", Key(305)),
    ("X", Key(307)),
    ("Y", Key(308)),
    ("L1", Key(310)),
    ("R1", Key(311)),
    ("L2", Key(312)),
    ("R2", Key(313)),
    ("Select", Key(314)),
    ("Start", Key(315)),
    ("Menu", Key(316))
);

/// Six face buttons.
const ARC: &[(&str, Finger)] = buttons!(
    DPAD,
    ("A", Key(304)),
    ("B", Key(305)),
    ("R1", Key(306)),
    ("X", Key(307)),
    ("Y", Key(308)),
    ("L1", Key(309)),
    ("L1", Key(310)),
    ("R1", Key(311)),
    ("L2", Key(312)),
    ("R2", Key(313)),
    ("Select", Key(314)),
    ("Start", Key(315)),
    ("Menu", Key(316))
);
const ARC_KEYS: &[u16] = &[
    304, 305, 306, 307, 308, 309, 310, 311, 312, 313, 314, 315, 316, 544, 545, 546, 547,
];

const STICK: &[(u16, i32, i32)] = &[
    (0, -1800, 1800),
    (1, -1800, 1800),
    (3, -1800, 1800),
    (4, -1800, 1800),
];
const STICKS: &[(&str, Finger)] = &[
    ("Left", Axis(0, -1700, 0)),
    ("Right", Axis(0, 1700, 0)),
    ("Up", Axis(1, -1700, 0)),
    ("Down", Axis(1, 1700, 0)),
];

const fn made(
    name: &'static str,
    keys: &'static [u16],
    axes: &'static [(u16, i32, i32)],
) -> Made<'static> {
    Made {
        name,
        keys,
        axes,
        lid: false,
    }
}

const fn row(fake: Fake, made: Made<'static>, buttons: &'static [(&'static str, Finger)]) -> Row {
    Row {
        fake,
        made,
        buttons,
    }
}

const ROCKNIX: Fake = Fake::Release("ROCKNIX");
const KNULLI: Fake = Fake::Release("Knulli");
const DEBIAN: Fake = Fake::Release("Debian");
const OWN: Fake = Fake::Release("OfficeOS");
const ARKOS: Fake = Fake::Release("dArkOS");

/// All rows, those of one firmware together.
pub const ROWS: &[Row] = &[
    row(
        Fake::Stock,
        made("ANBERNIC-keys", VENDOR_KEYS, VENDOR_AXES),
        VENDOR,
    ),
    row(
        Fake::Stock,
        made(
            "dierct-keys-polled",
            &[20, 25, 30, 103, 104, 105, 106, 108, 109, 114, 115],
            &[],
        ),
        &[
            ("Up", Key(103)),
            ("Down", Key(108)),
            ("Left", Key(105)),
            ("Right", Key(106)),
        ],
    ),
    row(
        Fake::MuOs,
        made("muOS-Keys", VENDOR_KEYS, VENDOR_AXES),
        VENDOR,
    ),
    row(
        Fake::MuOs,
        made("Deeplay-keys", VENDOR_KEYS, VENDOR_AXES),
        VENDOR,
    ),
    row(
        KNULLI,
        made("Anbernic RG35XX-SP Controller", VENDOR_KEYS, VENDOR_AXES),
        VENDOR,
    ),
    row(OWN, made("gpio-keys-gamepad", MAINLINE_KEYS, &[]), MAINLINE),
    row(OWN, made("gpio-keys-control", MAINLINE_KEYS, &[]), MAINLINE),
    row(OWN, made("adc-joystick", &[], STICK), STICKS),
    row(DEBIAN, made("gpio-keys-control", ARC_KEYS, &[]), ARC),
    row(
        DEBIAN,
        made(
            "Generic   USB  Joystick  pad",
            MAINLINE_KEYS,
            &[(0, 0, 255), (1, 0, 255), (2, 0, 255), (5, 0, 255)],
        ),
        LABELLED,
    ),
    row(
        DEBIAN,
        made(
            "USB Keyboard",
            &[
                1, 14, 15, 16, 17, 18, 19, 28, 30, 31, 44, 45, 54, 57, 102, 103, 105, 106, 108,
            ],
            &[],
        ),
        &[
            ("Up", Key(103)),
            ("A", Key(45)),
            ("B", Key(44)),
            ("X", Key(31)),
            ("Y", Key(30)),
            ("Start", Key(28)),
            ("Select", Key(15)),
        ],
    ),
    row(
        ROCKNIX,
        made("H700 Gamepad", MAINLINE_KEYS, STICK),
        MAINLINE,
    ),
    row(
        ROCKNIX,
        made("retrogame_joypad", MAINLINE_KEYS, STICK),
        MAINLINE,
    ),
    row(
        ROCKNIX,
        made(
            "Sony Interactive Entertainment DualSense Wireless Controller",
            &[
                304, 305, 307, 308, 310, 311, 312, 313, 314, 315, 316, 317, 318,
            ],
            &[
                (0, 0, 255),
                (1, 0, 255),
                (2, 0, 255),
                (3, 0, 255),
                (4, 0, 255),
                (5, 0, 255),
                (16, -1, 1),
                (17, -1, 1),
            ],
        ),
        buttons!(
            HAT,
            ("A", Key(305)),
            ("B", Key(304)),
            ("X", Key(307)),
            ("Y", Key(308)),
            ("L1", Key(310)),
            ("R1", Key(311)),
            ("L2", Axis(2, 250, 0)),
            ("R2", Axis(5, 250, 0)),
            ("L2", Key(312)),
            ("Select", Key(314)),
            ("Start", Key(315)),
            ("Menu", Key(316))
        ),
    ),
    row(
        ARKOS,
        made("retrogame_joypad", MAINLINE_KEYS, STICK),
        LABELLED,
    ),
    row(
        ARKOS,
        made("retrogame_joypad", MAINLINE_KEYS, STICK),
        STICKS,
    ),
];
