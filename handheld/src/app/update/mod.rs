//! From one model to the next: a stimulus in, effects out. One file per screen, and one per kind of news.

mod action;
mod battery;
mod buttons;
mod card;
mod chat;
mod doze;
mod files;
mod laptop;
mod link;
mod lists;
mod lock;
mod menus;
mod nav;
mod outbox;
mod page;
mod pairing;
mod picture;
mod program;
mod radio;
mod request;
mod result;
mod retry;
mod services;
mod settings;
mod setup;
mod timers;
mod viewer;
mod writing;

use super::effect::{Effect, Effects};
use super::model::{Model, Screen, Toast};
use super::msg::Msg;
use crate::time::Millis;

/// Takes a stimulus in at `now` and returns what the world shall do, in order.
pub fn update(model: &mut Model, msg: Msg, now: Millis) -> Effects {
    let mut fx = Effects::new();
    model.now = model.now.max(now);
    if model.quitting {
        return fx;
    }
    let focused = laptop::focused(model);
    timers::expire(model, &mut fx);
    laptop::refocus(model, focused);
    match msg {
        Msg::Button(press) => {
            if !doze::swallows(model, press, &mut fx) {
                buttons::press(model, press, &mut fx);
                radio::pressed(model, &mut fx);
            }
        }
        Msg::Tick => {}
        Msg::Panel(panel) => model.panel = panel,
        Msg::Extent(extent) => model.extent = extent,
        Msg::Battery(battery) => battery::read(model, battery),
        Msg::Proof(proof) => page::proven(model, &proof),
        Msg::Link(event) => {
            link::event(model, event, &mut fx);
            laptop::refocus(model, focused);
        }
        Msg::Card(event) => card::event(model, event, &mut fx),
        Msg::Pads(list) => setup::pads(model, list, &mut fx),
        Msg::Touch { device, touch, at } => {
            // Whatever is pressed wakes.
            if model.dark && touch.pressed {
                doze::awake(model, &mut fx);
            } else {
                setup::touch(model, &device, touch, at, &mut fx);
            }
        }
        Msg::PadLost(device) => setup::lost(model, &device),
        Msg::Asleep => doze::asleep(model, &mut fx),
        Msg::Awake => doze::awake(model, &mut fx),
        Msg::Terminate => quit(model, &mut fx),
    }
    if !model.quitting {
        request::pump(model, &mut fx);
        lists::settle(model, &mut fx);
        battery::settle(model);
        radio::settle(model, &mut fx);
        timers::arm(model, &mut fx);
    }
    fx
}

/// Keeps what is unfinished and ends.
fn quit(model: &mut Model, fx: &mut Effects) {
    writing::keep_draft(model, fx);
    timers::save_chats(model, fx);
    model.quitting = true;
    fx.push(Effect::Quit);
}

/// Tells of something that went well. Errors are never told this way.
fn toast(model: &mut Model, text: impl Into<String>) {
    notice(model, text.into(), false);
}

/// Tells in passing of something that will need somebody.
fn warn(model: &mut Model, text: String) {
    notice(model, text, true);
}

fn notice(model: &mut Model, text: String, warns: bool) {
    if model.toasts.iter().any(|t| t.text == text) {
        return;
    }
    // A burst of news must not keep the screen busy for a minute.
    while model.toasts.len() >= 3 {
        model.toasts.pop_back();
    }
    model.toasts.push_back(Toast {
        text,
        warns,
        until: None,
    });
}

/// The top screen is this conversation, with nothing above it.
fn looks_at(model: &Model, chat: super::model::ChatId) -> bool {
    matches!(model.screen(), Screen::Chat(screen) if screen.chat == chat)
}
