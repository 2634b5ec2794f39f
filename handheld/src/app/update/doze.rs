//! The device is about to sleep, and wakes. It is the firmware that puts it to sleep; see [`crate::input::doze`].

use crate::app::effect::{Effect, Effects};
use crate::app::model::{Link, Model};
use crate::input::button::{Edge, Press};

/// The power key was tapped or the lid closed: everything unfinished is written down, link and radio rest, nothing is drawn.
pub(super) fn asleep(model: &mut Model, fx: &mut Effects) {
    if model.dark {
        return;
    }
    super::writing::let_go(model);
    super::writing::keep_draft(model, fx);
    super::timers::save_chats(model, fx);
    model.dark = true;
    let since = match &model.link {
        Link::Linked { .. } => Some(model.wall()),
        Link::Away(away) | Link::Connecting { away, .. } => Some(away.since),
        Link::Asleep { .. } | Link::Unpaired => None,
    };
    if let Some(since) = since {
        model.link = Link::Asleep { since };
        fx.push(Effect::Rest);
    }
    // The writes are on their way before the panel goes dark.
    fx.push(Effect::Panel(false));
}

/// It is in use again, or slept without a word: the link that was there is gone, and looked for anew.
pub(super) fn awake(model: &mut Model, fx: &mut Effects) {
    if std::mem::take(&mut model.dark) {
        fx.push(Effect::Panel(true));
    }
    model.radio.quiet_since = model.now;
    match model.link {
        Link::Asleep { .. } => super::radio::wake(model, fx),
        Link::Linked { .. } | Link::Away(_) | Link::Connecting { .. } => fx.push(Effect::Reconnect),
        Link::Unpaired => {}
    }
}

/// A button while the app sleeps wakes it and does nothing else, until it is let go. True if it is used up so.
pub(super) fn swallows(model: &mut Model, press: Press, fx: &mut Effects) -> bool {
    if model.dark && press.edge == Edge::Press {
        awake(model, fx);
        model.pads.woke = model.pads.woke.with(press.button);
        return true;
    }
    let woke = model.pads.woke.contains(press.button);
    if press.edge == Edge::Release {
        model.pads.woke = model.pads.woke.without(press.button);
    }
    woke || model.dark
}
