//! The outbox.

use crate::app::effect::{Effect, Effects};
use crate::app::hints::Act;
use crate::app::model::overlay::Action;
use crate::app::model::screen::{FilesScreen, Purpose, ServicesScreen};
use crate::app::model::{
    Entry, EntryState, Model, Origin, PictureState, RequestKey, Role, Screen, Side, Wish,
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

/// Something was done in the outbox.
pub(super) fn act(model: &mut Model, act: Act, fx: &mut Effects) {
    let entry = focused(model).map(Entry::key);
    match (act, entry) {
        (Act::Back, _) => super::nav::back(model, fx),
        (Act::Confirm, Some(key)) => open(model, key, fx),
        (Act::Delete, Some(key)) => {
            super::menus::ask(
                model,
                "Take this request back",
                "What runs is stopped. What had arrived stays.",
                "Take back",
                Action::DeleteEntry(key),
            );
        }
        (Act::Edit, Some(key)) => super::writing::open(model, Purpose::Requeue(key), fx),
        (Act::More, Some(key)) => more(model, key),
        _ => {
            super::lists::moved(model, act);
        }
    }
}

/// Opens where an entry belongs.
pub(super) fn open(model: &mut Model, key: RequestKey, fx: &mut Effects) {
    let Some(entry) = model.outbox.find(key.laptop, key.id) else {
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

fn more(model: &mut Model, key: RequestKey) {
    let Some(entry) = model.outbox.find(key.laptop, key.id) else {
        return;
    };
    let failed = matches!(entry.state, EntryState::Failed(_));
    let held = entry.state == EntryState::Draft;
    let unsent = is_unsent(entry);
    let items = vec![
        item_if(
            unsent && neighbour(model, key, false).is_some(),
            "Send earlier",
            "nothing before it",
            Action::EntryEarlier(key),
        ),
        item_if(
            unsent && neighbour(model, key, true).is_some(),
            "Send later",
            "nothing after it",
            Action::EntryLater(key),
        ),
        item_if(
            unsent,
            if held { "Let it go" } else { "Hold back" },
            "sent already",
            Action::HoldEntry(key),
        ),
        item_if(failed, "Retry", "has not failed", Action::RetryEntry(key)),
        item_if(true, "Open", "", Action::OpenEntry(key)),
        item_if(true, "Delete", "", Action::AskDeleteEntry(key)),
    ];
    super::menus::show(model, "Request", items);
}

fn is_unsent(entry: &Entry) -> bool {
    matches!(entry.state, EntryState::Draft | EntryState::Waiting) && entry.program.is_none()
}

/// The unsent entry for the same laptop before or after this one.
fn neighbour(model: &Model, key: RequestKey, later: bool) -> Option<usize> {
    let at = model.outbox.entries.iter().position(|e| e.key() == key)?;
    let fits = |i: &usize| {
        is_unsent(&model.outbox.entries[*i]) && model.outbox.entries[*i].laptop == key.laptop
    };
    if later {
        (at + 1..model.outbox.entries.len()).find(fits)
    } else {
        (0..at).rev().find(fits)
    }
}

/// Swaps an entry with its neighbour. Numbers stay in order, so it is the contents that change places.
pub(super) fn swap(model: &mut Model, key: RequestKey, later: bool, fx: &mut Effects) {
    let Some(other) = neighbour(model, key, later) else {
        return;
    };
    let Some(at) = model.outbox.entries.iter().position(|e| e.key() == key) else {
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
pub(super) fn hold(model: &mut Model, key: RequestKey, fx: &mut Effects) {
    let entry = model.outbox.find_mut(key.laptop, key.id);
    let Some(entry) = entry.filter(|e| is_unsent(e)) else {
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
pub(super) fn delete(model: &mut Model, key: RequestKey, fx: &mut Effects) {
    let Some(entry) = model.outbox.find(key.laptop, key.id).cloned() else {
        return;
    };
    let failed = matches!(entry.state, EntryState::Failed(_));
    match entry.origin {
        _ if failed => super::request::forget_entry(model, key.laptop, key.id, fx),
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
pub(super) fn rewrite(model: &mut Model, key: RequestKey, text: String, fx: &mut Effects) {
    let Some(entry) = model.outbox.find_mut(key.laptop, key.id) else {
        return;
    };
    if !is_unsent(entry) {
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
