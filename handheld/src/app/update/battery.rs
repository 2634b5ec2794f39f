//! The battery: shown in the header, and told of once when it is low and once when it is nearly empty.

use crate::app::model::{Battery, Model, Overlay};
use crate::app::words::battery as say;

/// At or below this charge, in per cent, it is told that the battery is low.
pub const LOW: u8 = 15;
/// At or below this one, that it is nearly empty.
pub const EMPTY: u8 = 5;
/// A warning is given again only after the charge was this much above its mark: a charge wavers with the load.
pub const SLACK: u8 = 5;

/// The battery has been read.
pub(super) fn read(model: &mut Model, battery: Option<Battery>) {
    model.battery = battery;
    let Some(battery) = battery else { return };
    let warned = &mut model.warned;
    if battery.charging || battery.percent > EMPTY + SLACK {
        warned.empty = false;
    }
    if battery.charging || battery.percent > LOW + SLACK {
        warned.low = false;
    }
    if battery.charging {
        warned.waiting = false;
        return;
    }
    if battery.percent <= EMPTY && !warned.empty {
        (warned.empty, warned.low, warned.waiting) = (true, true, true);
    } else if battery.percent <= LOW && !warned.low {
        warned.low = true;
        super::warn(model, say::low(battery.percent));
    }
}

/// Shows the dialog that waits, once nothing else lies above the screen and somebody looks.
pub(super) fn settle(model: &mut Model) {
    let free = model.overlay.is_none()
        && model.lock.is_none()
        && model.pads.setup.is_none()
        && !model.dark;
    let Some(battery) = model.battery.filter(|_| model.warned.waiting && free) else {
        return;
    };
    model.warned.waiting = false;
    super::menus::tell_plain(model, say::EMPTY, say::nearly_empty(battery.percent));
    debug_assert!(matches!(model.overlay, Some(Overlay::Dialog(_))));
}
