//! The outbox.

use crate::app::effect::{Effect, Effects};
use crate::app::hints::Act;
use crate::app::model::overlay::Action;
use crate::app::model::screen::{FilesScreen, Purpose, ServicesScreen};
use crate::app::model::{
    Entry, EntryState, LaptopId, Model, Origin, PictureState, RequestId, RequestKey, Role, Screen,
    Side, Wish,
};
use crate::app::view;

use super::menus::item_if;

/// The entry under the focus.
fn focused(model: &Model) -> Option<&Entry> {
    let Screen::Outbox(state) = model.screen() else {
        return None;
    };
    view::outbox::listed(model).nth(state.focus)
}

/// Finds an entry by number: of the chosen laptop first.
pub(super) fn by_id(model: &Model, id: RequestId) -> Option<&Entry> {
    let mut all = model.outbox.entries.iter().filter(|e| e.id == id);
    let chosen = all.clone().find(|e| Some(e.laptop) == model.chosen);
    chosen.or_else(|| all.next())
}

/// Something was done in the outbox.
pub(super) fn act(model: &mut Model, act: Act, fx: &mut Effects) {
    let entry = focused(model).map(|e| (e.laptop, e.id));
    match (act, entry) {
        (Act::Back, _) => super::nav::back(model, fx),
        (Act::Confirm, Some((laptop, id))) => open(model, laptop, id, fx),
        (Act::Delete, Some((_, id))) => {
            super::menus::ask(
                model,
                "Take this request back",
                "What runs is stopped. What had arrived stays.",
                "Take back",
                Action::DeleteEntry(id),
            );
        }
        (Act::Edit, Some((_, id))) => super::writing::open(model, Purpose::Requeue(id), fx),
        (Act::More, Some((laptop, id))) => more(model, laptop, id),
        _ => {
            super::lists::moved(model, act);
        }
    }
}

/// Opens where an entry belongs.
pub(super) fn open(model: &mut Model, laptop: LaptopId, id: RequestId, fx: &mut Effects) {
    let Some(entry) = model.outbox.find(laptop, id) else {
        return;
    };
    match entry.origin.clone() {
        Origin::Chat(chat) => super::chat::open(model, chat, fx),
        Origin::Picture(picture)
            if model
                .pictures
                .find(picture)
                .is_some_and(|p| p.state == PictureState::Ready) =>
        {
            super::viewer::open(model, picture, fx)
        }
        Origin::Picture(picture) => super::nav::push(model, Screen::Progress(picture), fx),
        Origin::Send(_) => super::nav::push(
            model,
            Screen::Files(FilesScreen {
                side: Side::Card,
                ..FilesScreen::default()
            }),
            fx,
        ),
        Origin::Fetch(_) | Origin::Remove(_) | Origin::Download(_) | Origin::Listing => {
            super::nav::push(model, Screen::Files(FilesScreen::default()), fx)
        }
        Origin::Services => {
            super::nav::push(model, Screen::Services(ServicesScreen::default()), fx)
        }
    }
}

fn more(model: &mut Model, laptop: LaptopId, id: RequestId) {
    let Some(entry) = model.outbox.find(laptop, id) else {
        return;
    };
    let failed = matches!(entry.state, EntryState::Failed(_));
    let held = entry.state == EntryState::Draft;
    let unsent = is_unsent(entry);
    let items = vec![
        item_if(
            unsent && neighbour(model, laptop, id, false).is_some(),
            "Send earlier",
            "nothing before it",
            Action::EntryEarlier(id),
        ),
        item_if(
            unsent && neighbour(model, laptop, id, true).is_some(),
            "Send later",
            "nothing after it",
            Action::EntryLater(id),
        ),
        item_if(
            unsent,
            if held { "Let it go" } else { "Hold back" },
            "sent already",
            Action::HoldEntry(id),
        ),
        item_if(failed, "Retry", "has not failed", Action::RetryEntry(id)),
        item_if(true, "Open", "", Action::OpenEntry(id)),
        item_if(true, "Delete", "", Action::AskDeleteEntry(id)),
    ];
    super::menus::show(model, "Request", items);
}

fn is_unsent(entry: &Entry) -> bool {
    matches!(entry.state, EntryState::Draft | EntryState::Waiting) && entry.program.is_none()
}

/// The unsent entry for the same laptop before or after this one.
fn neighbour(model: &Model, laptop: LaptopId, id: RequestId, later: bool) -> Option<usize> {
    let at = model
        .outbox
        .entries
        .iter()
        .position(|e| e.laptop == laptop && e.id == id)?;
    let fits = |i: &usize| {
        is_unsent(&model.outbox.entries[*i]) && model.outbox.entries[*i].laptop == laptop
    };
    if later {
        (at + 1..model.outbox.entries.len()).find(fits)
    } else {
        (0..at).rev().find(fits)
    }
}

/// Swaps an entry with its neighbour. Numbers stay in order, so it is the contents that change places.
pub(super) fn swap(model: &mut Model, id: RequestId, later: bool, fx: &mut Effects) {
    let Some(laptop) = by_id(model, id).map(|e| e.laptop) else {
        return;
    };
    let Some(other) = neighbour(model, laptop, id, later) else {
        return;
    };
    let Some(at) = model
        .outbox
        .entries
        .iter()
        .position(|e| e.laptop == laptop && e.id == id)
    else {
        return;
    };
    // Two questions of one conversation cannot change places: the later one leans on the earlier.
    if matches!(model.outbox.entries[at].origin, Origin::Chat(_))
        && model.outbox.entries[at].origin == model.outbox.entries[other].origin
    {
        return super::toast(model, "Both belong to one chat and keep their order");
    }
    let (a, b) = (model.outbox.entries[at].id, model.outbox.entries[other].id);
    model.outbox.entries.swap(at, other);
    model.outbox.entries[at].id = a;
    model.outbox.entries[other].id = b;
    for index in [at, other] {
        let entry = model.outbox.entries[index].clone();
        let old = RequestKey {
            id: if entry.id == a { b } else { a },
            ..entry.key()
        };
        relink(model, &entry, old, fx);
        fx.push(Effect::SaveEntry(Box::new(entry)));
    }
    if let Screen::Outbox(state) = model.screen_mut() {
        state.focus = if later {
            state.focus + 1
        } else {
            state.focus.saturating_sub(1)
        };
    }
}

/// A turn or picture follows its request to another number.
fn relink(model: &mut Model, entry: &Entry, old: RequestKey, fx: &mut Effects) {
    match entry.origin {
        Origin::Chat(chat) => {
            if let Some(chat) = model.chats.find_mut(chat) {
                chat.turns
                    .iter_mut()
                    .filter(|t| t.request == Some(old))
                    .for_each(|t| t.request = Some(entry.key()));
                fx.push(Effect::SaveChat(Box::new(chat.clone())));
            }
        }
        Origin::Picture(picture) => {
            if let Some(picture) = model.pictures.find_mut(picture) {
                picture.request = Some(entry.id);
                fx.push(Effect::SavePicture(Box::new(picture.clone())));
            }
        }
        _ => {}
    }
}

/// Holds an entry back, or lets it go.
pub(super) fn hold(model: &mut Model, id: RequestId, fx: &mut Effects) {
    let Some(laptop) = by_id(model, id).map(|e| e.laptop) else {
        return;
    };
    let Some(entry) = model.outbox.find_mut(laptop, id).filter(|e| is_unsent(e)) else {
        return;
    };
    entry.state = if entry.state == EntryState::Draft {
        EntryState::Waiting
    } else {
        EntryState::Draft
    };
    fx.push(Effect::SaveEntry(Box::new(entry.clone())));
}

/// Takes an entry back, stopping it if it runs.
pub(super) fn delete(model: &mut Model, id: RequestId, fx: &mut Effects) {
    let Some(entry) = by_id(model, id).cloned() else {
        return;
    };
    let failed = matches!(entry.state, EntryState::Failed(_));
    match entry.origin {
        _ if failed => super::request::forget_entry(model, entry.laptop, id, fx),
        Origin::Chat(chat) => {
            let turn = |t: &crate::app::model::Turn| {
                t.role == Role::Answer && t.request == Some(entry.key())
            };
            stop_entry(model, &entry, fx);
            if let Some(chat) = model.chats.find_mut(chat)
                && let Some(turn) = chat.turns.iter_mut().rfind(|t| turn(t))
            {
                turn.state = crate::app::model::TurnState::Stopped;
                fx.push(Effect::SaveChat(Box::new(chat.clone())));
            }
        }
        Origin::Picture(picture) => {
            stop_entry(model, &entry, fx);
            if let Some(picture) = model.pictures.find_mut(picture) {
                picture.state = PictureState::Stopped;
                fx.push(Effect::SavePicture(Box::new(picture.clone())));
            }
        }
        _ => stop_entry(model, &entry, fx),
    }
}

fn stop_entry(model: &mut Model, entry: &Entry, fx: &mut Effects) {
    if matches!(entry.state, EntryState::Draft | EntryState::Waiting) {
        return super::request::forget_entry(model, entry.laptop, entry.id, fx);
    }
    let open = model.link.is_open() && model.chosen == Some(entry.laptop);
    let Some(found) = model
        .outbox
        .find_mut(entry.laptop, entry.id)
        .filter(|e| !e.stopping)
    else {
        return;
    };
    found.stopping = true;
    fx.push(Effect::SaveEntry(Box::new(found.clone())));
    if open {
        fx.push(Effect::Cancel(entry.id));
    }
}

/// A queued request has been written anew.
pub(super) fn rewrite(model: &mut Model, id: RequestId, text: String, fx: &mut Effects) {
    let Some(laptop) = by_id(model, id).map(|e| e.laptop) else {
        return;
    };
    let Some(entry) = model.outbox.find_mut(laptop, id).filter(|e| is_unsent(e)) else {
        return super::menus::tell_plain(
            model,
            "It has gone out already",
            "The laptop has the earlier words. Write another message.",
        );
    };
    match &mut entry.wish {
        Wish::Say { text: known, .. } => known.clone_from(&text),
        Wish::Download { url, .. } => url.clone_from(&text),
        _ => return,
    }
    if let Origin::Download(url) = &mut entry.origin {
        url.clone_from(&text);
    }
    let entry = entry.clone();
    fx.push(Effect::SaveEntry(Box::new(entry.clone())));
    if let Origin::Chat(chat) = entry.origin
        && let Some(chat) = model.chats.find_mut(chat)
        && let Some(turn) = chat
            .turns
            .iter_mut()
            .rfind(|t| t.role == Role::Person && t.request == Some(entry.key()))
    {
        turn.text = text;
        fx.push(Effect::SaveChat(Box::new(chat.clone())));
    }
}
