//! The set-up of buttons: when it opens, what it hears, what becomes of what it found.

use std::sync::Arc;

use crate::app::effect::{Effect, Effects};
use crate::app::model::overlay::Action;
use crate::app::model::pads::Pad;
use crate::app::model::{Model, Overlay};
use crate::app::words::setup as say;
use crate::input::button::{Button, Edge, Press};
use crate::input::setup::{Setup, Stage};
use crate::input::{Taught, Touch};
use crate::time::Millis;

/// These pads are plugged in now.
pub(super) fn pads(model: &mut Model, list: Vec<Pad>, fx: &mut Effects) {
    let new = list
        .iter()
        .any(|pad| !pad.explained && !model.pads.list.contains(pad));
    model.pads.list = list;
    if new {
        met(model, fx);
    }
}

/// What was taught is known: pads may be judged from now on.
pub(super) fn ready(model: &mut Model, fx: &mut Effects) {
    model.pads.ready = true;
    fx.push(Effect::Teach(model.settings.taught.clone()));
    met(model, fx);
}

/// A pad that nothing explains may be there: the set-up opens by itself where no other pad can be used.
fn met(model: &mut Model, fx: &mut Effects) {
    let Some(pad) = stranger(model) else { return };
    if model.pads.any_explained() {
        let name = crate::app::words::peer(&pad, 24);
        super::toast(model, format!("{name}: set it up in Settings"));
    } else {
        open(model, fx);
    }
}

/// A pad that neither a table nor a person explained.
fn stranger(model: &Model) -> Option<Arc<str>> {
    let unknown = |pad: &&Pad| !pad.explained && !model.settings.taught.knows(&pad.name);
    let pad = model.pads.list.iter().find(unknown)?;
    model.pads.ready.then(|| pad.name.clone())
}

/// Asks for the buttons, one after the other.
pub(super) fn open(model: &mut Model, fx: &mut Effects) {
    if model.pads.setup.is_some() {
        return;
    }
    super::writing::let_go(model);
    if matches!(&model.overlay, Some(Overlay::Dialog(dialog)) if dialog.title == say::NEEDED) {
        model.overlay = None;
    }
    let explained = model.pads.any_explained() || stranger(model).is_none();
    model.pads.setup = Some(Setup::new(explained, model.now));
    fx.push(Effect::Listen(true));
}

/// A contact closed or opened.
pub(super) fn touch(model: &mut Model, device: &str, touch: Touch, at: Millis, fx: &mut Effects) {
    if let Some(setup) = &mut model.pads.setup {
        setup.tick(at);
        setup.touch(device, touch, at);
        settle(model, fx);
    } else if touch.pressed && stranger(model).is_some_and(|name| *name == *device) {
        // Somebody presses and nothing happens: there is no other way for them to ask.
        open(model, fx);
    }
}

/// A device went away.
pub(super) fn lost(model: &mut Model, device: &str) {
    if let Some(setup) = &mut model.pads.setup {
        setup.lost(device);
    }
}

/// A button of a desktop keyboard, whose keys are no contacts: B leaves.
pub(super) fn button(model: &mut Model, press: Press, fx: &mut Effects) {
    if press.button == Button::B && press.edge == Edge::Press {
        close(model, fx);
    }
}

/// Time has passed.
pub(super) fn expire(model: &mut Model, fx: &mut Effects) {
    let now = model.now;
    if let Some(setup) = &mut model.pads.setup {
        setup.tick(now);
        settle(model, fx);
    }
}

/// Ends the set-up when it is over, and says how.
fn settle(model: &mut Model, fx: &mut Effects) {
    let Some(stage) = model.pads.setup.as_ref().map(|setup| setup.stage().clone()) else {
        return;
    };
    match stage {
        Stage::Asking(_) | Stage::Trying => {}
        Stage::Kept(found) => {
            close(model, fx);
            teach(model, model.settings.taught.with(&found), fx);
            super::toast(model, say::KEPT);
        }
        Stage::Undone | Stage::Left => {
            close(model, fx);
            super::toast(model, say::UNCHANGED);
        }
        Stage::Missing(button) => {
            close(model, fx);
            super::menus::tell_plain(model, say::NEEDED, say::missing(button));
        }
    }
}

fn close(model: &mut Model, fx: &mut Effects) {
    model.pads.setup = None;
    fx.push(Effect::Listen(false));
}

/// From now on these contacts are these buttons.
fn teach(model: &mut Model, taught: Taught, fx: &mut Effects) {
    model.settings.taught = taught.clone();
    fx.push(Effect::Teach(taught));
    if model.lock.is_some() {
        // A sealed card takes nothing; see `loaded`.
        model.pads.unsaved = true;
    } else {
        fx.push(Effect::SaveSettings(Box::new(model.settings.clone())));
    }
}

/// What was taught is forgotten; tables hold again.
pub(super) fn undo(model: &mut Model, fx: &mut Effects) {
    teach(model, Taught::default(), fx);
    super::toast(model, say::FORGOTTEN);
    met(model, fx);
}

/// What can be done about buttons.
pub(super) fn menu(model: &mut Model) {
    let item = super::menus::item_if;
    let pads = !model.pads.list.is_empty();
    let taught = !model.settings.taught.is_empty();
    let items = vec![
        item(pads, say::AGAIN, "no pad", Action::SetUpButtons),
        item(taught, say::UNDO, "nothing learned", Action::UndoButtons),
        item(true, say::SHOW_KEYS, "", Action::ShowKeys),
    ];
    super::menus::show(model, "Buttons", items);
    debug_assert!(matches!(model.overlay, Some(Overlay::Menu(_))));
}
