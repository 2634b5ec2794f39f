//! The laptop screen.

use crate::app::effect::{Effect, Effects};
use crate::app::hints::Act;
use crate::app::model::laptop::{Away, LaptopId};
use crate::app::model::overlay::Action;
use crate::app::model::screen::Purpose;
use crate::app::model::{Carrier, EntryState, Failure, Link, Model, Screen, Services};
use crate::app::view;
use crate::app::view::laptop::{Item, items};
use crate::app::words;

use super::menus::item;

/// Something was done on the laptop screen.
pub(super) fn act(model: &mut Model, act: Act, fx: &mut Effects) {
    let Screen::Laptop(state) = model.screen() else {
        return;
    };
    let focus = state.focus;
    match act {
        Act::Back => super::nav::back(model, fx),
        Act::Renew => {
            fx.push(Effect::Renew);
            super::toast(model, "Asked the laptop to renew");
        }
        Act::Reconnect => reconnect(model, fx),
        Act::Confirm => match items(model).get(focus).map(|(item, _)| *item) {
            Some(Item::Other(id)) => choose(model, id, fx),
            Some(Item::Pair) => pair(model, fx),
            Some(Item::Why) => why(model, fx),
            Some(Item::Permissions) => {
                if let Some(laptop) = model.laptop() {
                    let text = view::laptop::permissions(laptop);
                    super::page::open(model, "What it may do", text, fx);
                }
            }
            Some(Item::Forget) => {
                if let Some(id) = model.chosen {
                    super::action::perform(model, Action::AskForget(id), fx);
                }
            }
            Some(Item::Fact) | None => {}
        },
        _ => {
            super::lists::moved(model, act);
        }
    }
}

/// What has the focus on the laptop screen.
pub(super) fn focused(model: &Model) -> Option<Item> {
    let Screen::Laptop(state) = model.screen() else {
        return None;
    };
    items(model).get(state.focus).map(|(item, _)| *item)
}

/// Puts the focus back on what had it: news of the link bring rows and take them away above it.
pub(super) fn refocus(model: &mut Model, focused: Option<Item>) {
    let Some(focused) = focused.filter(|item| *item != Item::Fact) else {
        return;
    };
    let place = items(model).iter().position(|(item, _)| *item == focused);
    if let (Screen::Laptop(state), Some(place)) = (model.screen_mut(), place) {
        state.focus = place;
    }
}

/// Tries the link now.
pub(super) fn reconnect(model: &mut Model, fx: &mut Effects) {
    if matches!(model.link, Link::Asleep { .. }) {
        super::radio::wake(model, fx);
    } else {
        fx.push(Effect::Reconnect);
    }
    super::toast(model, "Trying the link");
}

/// Pairs: over a way that whoever started the app knows of, by radio, or by address.
fn pair(model: &mut Model, fx: &mut Effects) {
    if model.ways.is_empty() {
        return super::radio::open(model, fx);
    }
    let known = |carrier: &Carrier| {
        let way = format!("Over {}", words::carrier(carrier));
        let mut entry = item(way, Action::PairBy(carrier.clone()));
        entry.note = "found".into();
        entry
    };
    let mut items: Vec<_> = model.ways.iter().map(known).collect();
    items.push(item("Look for laptops nearby", Action::LookNearby));
    items.push(item("Type an address", Action::Write(Purpose::Address)));
    super::menus::show(model, "Pair a laptop", items);
}

/// What was tried and why it failed; or, on a link, why it is not Wi-Fi Direct.
fn why(model: &mut Model, fx: &mut Effects) {
    let (title, text) = words::radio::why(model);
    super::page::open(model, title, text, fx);
}

/// Talks to another laptop from now on.
pub(super) fn choose(model: &mut Model, id: LaptopId, fx: &mut Effects) {
    if model.chosen == Some(id) || !model.laptops.iter().any(|l| l.id == id) {
        return;
    }
    super::timers::save_chats(model, fx);
    model.chosen = Some(id);
    model.settings.laptop = Some(id);
    let since = model.laptop().map_or(0, |l| l.seen_at);
    model.link = Link::Away(Away {
        since,
        idle: true,
        ..Away::default()
    });
    if let Screen::Laptop(state) = model.screen_mut() {
        // Another laptop, other rows: the focus begins anew.
        state.focus = 0;
    }
    model.services = Services::default();
    model.files.remote.clear();
    model.files.listed_at = None;
    model.files.quota = None;
    model.files.trouble = None;
    fx.push(Effect::SaveSettings(Box::new(model.settings.clone())));
    fx.push(Effect::Link(Some(id)));
    // What was wished for while no laptop was paired.
    super::request::ask_orphans(model, fx);
}

/// Forgets a laptop: keys and permissions go, chats stay, what waits for it is marked.
pub(super) fn forget(model: &mut Model, id: LaptopId, fx: &mut Effects) {
    if !model.laptops.iter().any(|l| l.id == id) {
        return;
    }
    let waiting: Vec<_> = model
        .outbox
        .entries
        .iter()
        .filter(|e| e.laptop == id && !matches!(e.state, EntryState::Failed(_)))
        .map(|e| e.id)
        .collect();
    for request in waiting {
        super::request::fail(model, id, request, Failure::own(Failure::FORGOTTEN, ""), fx);
    }
    model
        .outbox
        .unnumbered
        .iter_mut()
        .filter(|(_, e)| e.laptop == id)
        .for_each(|(_, e)| e.stopping = true);
    model.laptops.retain(|l| l.id != id);
    fx.push(Effect::Forget(id));
    if model.chosen != Some(id) {
        return;
    }
    model.chosen = None;
    model.link = Link::Unpaired;
    model.settings.laptop = None;
    match model.laptops.first().map(|l| l.id) {
        Some(next) => choose(model, next, fx),
        None => {
            fx.push(Effect::SaveSettings(Box::new(model.settings.clone())));
            fx.push(Effect::Link(None));
        }
    }
}
