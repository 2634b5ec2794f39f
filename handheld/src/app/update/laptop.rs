//! The laptop screen.

use crate::app::effect::{Effect, Effects};
use crate::app::hints::Act;
use crate::app::model::laptop::{Away, LaptopId};
use crate::app::model::overlay::Action;
use crate::app::model::screen::Purpose;
use crate::app::model::{Carrier, EntryState, Failure, Link, Model, Screen, Services};
use crate::app::view::laptop::{Item, items};
use crate::app::words;

use super::menus::{item, item_if};

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
            Some(Item::Pair) => pair(model),
            Some(Item::Why) => why(model, fx),
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

/// Tries the link now.
pub(super) fn reconnect(model: &mut Model, fx: &mut Effects) {
    fx.push(Effect::Reconnect);
    super::toast(model, "Trying the link");
}

/// The ways to pair.
fn pair(model: &mut Model) {
    let mut items: Vec<_> = model
        .ways
        .iter()
        .map(|c| {
            let mut entry = item(
                format!("Over {}", words::carrier(c)),
                Action::PairBy(c.clone()),
            );
            entry.note = "found".into();
            entry
        })
        .collect();
    items.push(item("Type an address", Action::Write(Purpose::Address)));
    items.push(item_if(
        false,
        "Over Wi-Fi Direct",
        "not in this version",
        Action::PairBy(Carrier::WifiDirect),
    ));
    items.push(item_if(
        false,
        "Over USB",
        "not in this version",
        Action::PairBy(Carrier::Usb),
    ));
    super::menus::show(model, "Pair a laptop", items);
}

/// What was tried, and why it failed.
fn why(model: &mut Model, fx: &mut Effects) {
    let mut text = String::new();
    if let Link::Away(away) = &model.link {
        for attempt in &away.attempts {
            text.push_str(&format!(
                "- **{}**: {}\n",
                words::carrier(&attempt.carrier),
                words::peer(&attempt.why, words::PEER_DETAIL_LEN)
            ));
        }
        text.push_str("\nIt is tried again by itself; **Y** on the laptop screen tries now. What you send waits in the outbox.\n");
        return super::page::open(model, "Why is it away?", text, fx);
    }
    text.push_str("This version of OfficeOS reaches the laptop over TCP only: on loopback, over a cable or over a network that both are on. ");
    text.push_str("Wi-Fi Direct is not built into it. The channel is encrypted in the same way over every carrier.\n");
    super::page::open(model, "Why not Wi-Fi Direct?", text, fx);
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
