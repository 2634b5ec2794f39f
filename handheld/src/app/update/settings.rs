//! Settings.

use crate::app::effect::{Effect, Effects};
use crate::app::hints::Act;
use crate::app::model::overlay::Action;
use crate::app::model::radio::Sleep;
use crate::app::model::settings::{KeyboardKind, TextSize, Theme};
use crate::app::model::{Model, Screen};
use crate::app::view::settings::Item;
use crate::app::words;

/// Something was done on the settings screen.
pub(super) fn act(model: &mut Model, act: Act, fx: &mut Effects) {
    let Screen::Settings(state) = model.screen() else {
        return;
    };
    let item = Item::ALL.get(state.focus).copied().unwrap_or(Item::Theme);
    match act {
        Act::Back => super::nav::back(model, fx),
        Act::Left => change(model, item, false, fx),
        Act::Right => change(model, item, true, fx),
        Act::Confirm if item.has_value() => change(model, item, true, fx),
        Act::Confirm => open(model, item, fx),
        _ => {
            super::lists::moved(model, act);
        }
    }
}

fn change(model: &mut Model, item: Item, on: bool, fx: &mut Effects) {
    let s = &mut model.settings;
    match item {
        Item::Theme => {
            s.theme = if s.theme == Theme::Dark {
                Theme::Light
            } else {
                Theme::Dark
            }
        }
        Item::TextSize => {
            s.text_size = match (s.text_size, on) {
                (TextSize::Small, true) | (TextSize::Large, false) => TextSize::Normal,
                (TextSize::Normal, true) | (TextSize::Small, false) => TextSize::Large,
                (TextSize::Large, true) | (TextSize::Normal, false) => TextSize::Small,
            }
        }
        Item::Keyboard => {
            s.keyboard = if s.keyboard == KeyboardKind::Grid {
                KeyboardKind::Arc
            } else {
                KeyboardKind::Grid
            };
            s.arc_offered = true;
        }
        Item::Swap => s.swap_ab = !s.swap_ab,
        Item::Suggestions => s.suggestions = !s.suggestions,
        Item::Motion => s.motion = !s.motion,
        Item::Rumble => {
            s.rumble = !s.rumble;
            if s.rumble {
                fx.push(Effect::Rumble(40));
            }
        }
        Item::Radio => {
            s.sleep = match (s.sleep, on) {
                (Sleep::Never, true) | (Sleep::FiveMinutes, false) => Sleep::OneMinute,
                (Sleep::OneMinute, true) | (Sleep::Never, false) => Sleep::FiveMinutes,
                (Sleep::FiveMinutes, true) | (Sleep::OneMinute, false) => Sleep::Never,
            }
        }
        Item::LearnedWords | Item::Lock | Item::Buttons | Item::AirGap | Item::About => return,
    }
    fx.push(Effect::SaveSettings(Box::new(model.settings.clone())));
}

fn open(model: &mut Model, item: Item, fx: &mut Effects) {
    match item {
        Item::LearnedWords if model.keyboard.learned().is_empty() => {
            super::toast(model, "Nothing is learned yet");
        }
        Item::LearnedWords => super::menus::ask(
            model,
            "Forget the learned words",
            "What you wrote is suggested no more. The words that come with the app stay.",
            "Forget",
            Action::ForgetWords,
        ),
        Item::Lock if model.settings.lock => {
            super::menus::ask(
                model,
                "Take the lock off",
                "The card can then be read by anyone who has it.",
                "Take off",
                Action::SetLock(false),
            );
        }
        Item::Lock => super::action::perform(model, Action::SetLock(true), fx),
        Item::Buttons => super::setup::menu(model),
        Item::AirGap => {
            super::page::open(model, words::proof::TITLE, words::proof::CHECKING, fx);
            fx.push(Effect::ProveAirGap);
        }
        Item::About => super::page::open(model, "About, licences", words::help::about(), fx),
        _ => {}
    }
}
