//! Buttons to acts: the table of hints decides, for the topmost of lock, overlay and screen.

use crate::app::effect::Effects;
use crate::app::hints::{self, Act};
use crate::app::model::{Model, Overlay, Screen};
use crate::input::button::{Button, ButtonSet, Edge, Press};

/// A button did something.
pub(super) fn press(model: &mut Model, press: Press, fx: &mut Effects) {
    if press.is_quit_chord() {
        return super::quit(model, fx);
    }
    if model.pads.setup.is_some() {
        return super::setup::button(model, press, fx);
    }
    if model.overlay == Some(Overlay::ButtonMap) {
        if press.button == Button::Select && press.edge == Edge::Release {
            model.overlay = None;
        }
        return;
    }
    if press.edge == Edge::Hold
        && press.button == Button::Select
        && model.lock.is_none()
        && model.overlay.is_none()
    {
        super::writing::let_go(model);
        model.overlay = Some(Overlay::ButtonMap);
        return;
    }
    let writing = model.lock.is_none()
        && model.overlay.is_none()
        && matches!(model.screen(), Screen::Writing(_));
    if writing {
        return super::writing::press(model, press, fx);
    }
    // Start and Select act when they are let go, so that pressing both to quit does nothing else.
    let late = matches!(press.button, Button::Start | Button::Select);
    let acts = match press.edge {
        Edge::Press => !late,
        Edge::Release => late && press.is_click(ButtonSet::of(&[Button::Start, Button::Select])),
        Edge::Repeat => true,
        Edge::Hold => false,
    };
    if !acts {
        return;
    }
    let Some(act) = hints::act(model, press.button) else {
        return;
    };
    if press.edge == Edge::Repeat && !repeats(act) {
        return;
    }
    perform(model, act, press.button, fx);
}

/// Holding the button does it again.
const fn repeats(act: Act) -> bool {
    matches!(
        act,
        Act::Up
            | Act::Down
            | Act::Left
            | Act::Right
            | Act::PageUp
            | Act::PageDown
            | Act::ZoomIn
            | Act::ZoomOut
    )
}

fn perform(model: &mut Model, act: Act, button: Button, fx: &mut Effects) {
    if model.lock.is_some() {
        return super::lock::act(model, act, button, fx);
    }
    match &model.overlay {
        Some(Overlay::Menu(_)) => return super::menus::menu(model, act, fx),
        Some(Overlay::Dialog(_)) => return super::menus::dialog(model, act, fx),
        Some(Overlay::ButtonMap) => return,
        None => {}
    }
    if act == Act::Home {
        return super::nav::home(model, fx);
    }
    match model.screen() {
        Screen::Home(_) => super::nav::home_act(model, act, fx),
        Screen::Chats(_) => super::chat::list_act(model, act, fx),
        Screen::Chat(_) => super::chat::act(model, act, fx),
        Screen::Writing(_) => {}
        Screen::Prompt(_) => super::picture::prompt_act(model, act, fx),
        Screen::Progress(_) => super::picture::progress_act(model, act, fx),
        Screen::Gallery(_) => super::picture::gallery_act(model, act, fx),
        Screen::Viewer(_) => super::viewer::act(model, act, fx),
        Screen::Files(_) => super::files::act(model, act, fx),
        Screen::Outbox(_) => super::outbox::act(model, act, fx),
        Screen::Laptop(_) => super::laptop::act(model, act, fx),
        Screen::Nearby(_) => super::radio::act(model, act, fx),
        Screen::Pairing(_) => super::pairing::act(model, act, fx),
        Screen::Services(_) => super::services::act(model, act, fx),
        Screen::Settings(_) => super::settings::act(model, act, fx),
        Screen::Help(_) => super::page::help_act(model, act, fx),
        Screen::Page(_) => super::page::act(model, act, fx),
        Screen::SetLock(_) => super::lock::set_act(model, act, button, fx),
    }
}
