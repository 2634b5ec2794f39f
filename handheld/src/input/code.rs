//! Numbers of linux/input-event-codes.h that the tables use, and what a device says of itself.

/// `BTN_SOUTH`, also `BTN_A`.
pub const SOUTH: u16 = 304;
/// `BTN_EAST`, also `BTN_B`.
pub const EAST: u16 = 305;
/// `BTN_C`.
pub const C: u16 = 306;
/// `BTN_NORTH`, also `BTN_X`.
pub const NORTH: u16 = 307;
/// `BTN_WEST`, also `BTN_Y`.
pub const WEST: u16 = 308;
/// `BTN_Z`.
pub const Z: u16 = 309;
/// `BTN_TL`.
pub const TL: u16 = 310;
/// `BTN_TR`.
pub const TR: u16 = 311;
/// `BTN_TL2`.
pub const TL2: u16 = 312;
/// `BTN_TR2`.
pub const TR2: u16 = 313;
/// `BTN_SELECT`.
pub const SELECT: u16 = 314;
/// `BTN_START`.
pub const START: u16 = 315;
/// `BTN_MODE`.
pub const MODE: u16 = 316;
/// `BTN_DPAD_UP`; down, left and right follow.
pub const DPAD_UP: u16 = 544;
/// `BTN_TRIGGER_HAPPY1`: left; right, up and down follow, where a driver numbers a D-pad so.
pub const TRIGGER_HAPPY1: u16 = 704;
/// A pulse that the H700 vendor kernel adds to each press of Menu.
pub const MENU_PULSE: u16 = 354;
/// `BTN_TOUCH`: a touch panel or a pen.
pub const TOUCH: u16 = 330;
/// `KEY_INSERT`: the lid of the SP on the vendor kernel has moved.
pub const INSERT: u16 = 110;
/// `KEY_DELETE`: as [`INSERT`].
pub const DELETE: u16 = 111;
/// `KEY_POWER`.
pub const POWER: u16 = 116;
/// `KEY_ENTER`.
pub const ENTER: u16 = 28;
/// `KEY_UP`, `KEY_DOWN`, `KEY_LEFT`, `KEY_RIGHT`.
pub const ARROWS: [u16; 4] = [103, 108, 105, 106];
/// `ABS_X`.
pub const ABS_X: u16 = 0;
/// `ABS_Y`.
pub const ABS_Y: u16 = 1;
/// `ABS_Z`.
pub const ABS_Z: u16 = 2;
/// `ABS_RX`.
pub const ABS_RX: u16 = 3;
/// `ABS_RZ`.
pub const ABS_RZ: u16 = 5;
/// `ABS_HAT0X`.
pub const ABS_HAT0X: u16 = 16;
/// `ABS_HAT0Y`.
pub const ABS_HAT0Y: u16 = 17;
/// `SW_LID`: 1 is closed.
pub const SW_LID: u16 = 0;

/// Keys that belong to the firmware: mute, volume, power, sleep, wake-up, brightness. They are never one of our buttons, never taught
/// and a device that has one of them is never grabbed.
#[must_use]
pub const fn is_the_firmwares(code: u16) -> bool {
    matches!(code, 113..=116 | 142 | 143 | 224 | 225 | 0x1f4)
}

/// One absolute axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Axis {
    /// `ABS_*`.
    pub code: u16,
    /// Smallest value.
    pub min: i32,
    /// Largest value.
    pub max: i32,
    /// Value when the device was opened: where an axis that no table knows is at rest.
    pub now: i32,
}

/// What a device says it can do, read once when it is opened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// `EV_KEY` codes.
    pub keys: Vec<u16>,
    /// Absolute axes.
    pub axes: Vec<Axis>,
    /// It has `SW_LID`.
    pub lid: bool,
    /// It moves a pointer (`EV_REL`).
    pub pointer: bool,
}

impl Capabilities {
    /// Whether it has this key.
    #[must_use]
    pub fn has_key(&self, code: u16) -> bool {
        self.keys.contains(&code)
    }

    /// Whether it has this axis, and the axis moves at all: the vendor's driver reports some that cannot.
    #[must_use]
    pub fn has_axis(&self, code: u16) -> bool {
        self.axes
            .iter()
            .any(|axis| axis.code == code && axis.min < axis.max)
    }
}

/// One raw event of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Raw {
    /// `EV_KEY`: code and whether it is down. The kernel's own autorepeat (value 2) is not passed on.
    Key(u16, bool),
    /// `EV_ABS`: code and value.
    Axis(u16, i32),
    /// `SW_LID`: closed or open.
    Lid(bool),
}
