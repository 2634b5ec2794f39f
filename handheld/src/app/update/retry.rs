//! Asking again: what failed is asked anew, what still lies on the laptop is only fetched.

use super::request::{ask, ask_picture, forget_entry, hash};
use crate::app::effect::{Effect, Effects};
use crate::app::model::{
    ChatId, Entry, EntryState, Failure, LaptopId, Model, Origin, PictureId, PictureState,
    RequestId, RequestKey, Role, Source, Turn, TurnState, Wish,
};

/// Asks the last question of a conversation once more. Words that had arrived stay where they are.
pub(super) fn retry_chat(model: &mut Model, id: ChatId, fx: &mut Effects) {
    let at = model.wall();
    let Some(chat) = model.chats.find_mut(id) else {
        return;
    };
    let Some(question) = chat.turns.iter().rposition(|t| t.role == Role::Person) else {
        return;
    };
    if chat.turns.iter().any(|t| t.state == TurnState::Open) {
        return;
    }
    let text = chat.turns[question].text.clone();
    let failed: Vec<RequestKey> = chat.turns[question + 1..]
        .iter()
        .filter_map(|t| t.request)
        .collect();
    chat.turns.retain({
        let mut index = 0;
        move |t| {
            index += 1;
            index - 1 <= question || !t.text.is_empty()
        }
    });
    chat.turns.push(Turn {
        role: Role::Answer,
        text: String::new(),
        model: String::new(),
        at,
        request: None,
        state: TurnState::Open,
    });
    let kind = chat.kind;
    fx.push(Effect::SaveChat(Box::new(chat.clone())));
    let stale: Vec<(LaptopId, RequestId)> = model
        .outbox
        .entries
        .iter()
        .filter(|e| {
            e.origin == Origin::Chat(id)
                && failed.contains(&e.key())
                && matches!(e.state, EntryState::Failed(_))
        })
        .map(|e| (e.laptop, e.id))
        .collect();
    for (laptop, request) in stale {
        forget_entry(model, laptop, request, fx);
    }
    ask(
        model,
        Origin::Chat(id),
        Wish::Say {
            kind,
            text,
            with_history: false,
        },
        fx,
    );
}

/// Asks for a picture that was not made once more.
pub(super) fn retry_picture(model: &mut Model, id: PictureId, fx: &mut Effects) {
    let Some(picture) = model.pictures.find_mut(id) else {
        return;
    };
    if matches!(picture.state, PictureState::Open | PictureState::Ready) {
        return;
    }
    picture.state = PictureState::Open;
    picture.request = None;
    fx.push(Effect::SavePicture(Box::new(picture.clone())));
    let stale: Vec<(LaptopId, RequestId)> = failed_of(model, &Origin::Picture(id));
    // A result that the card had no room for still lies on the laptop; it is fetched, not painted again.
    if let Some((laptop, request)) = stale
        .iter()
        .copied()
        .find(|(laptop, request)| is_unfetched(model, *laptop, *request))
    {
        if let Some(picture) = model.pictures.find_mut(id) {
            picture.request = Some(request);
        }
        return fetch_again(model, laptop, request, fx);
    }
    for (laptop, request) in stale {
        forget_entry(model, laptop, request, fx);
    }
    ask_picture(model, id, fx);
}

fn failed_of(model: &Model, origin: &Origin) -> Vec<(LaptopId, RequestId)> {
    let failed = |e: &&Entry| e.origin == *origin && matches!(e.state, EntryState::Failed(_));
    model
        .outbox
        .entries
        .iter()
        .filter(failed)
        .map(|e| (e.laptop, e.id))
        .collect()
}

/// The result is whole on the laptop and could not be put away here.
fn is_unfetched(model: &Model, laptop: LaptopId, id: RequestId) -> bool {
    model.outbox.find(laptop, id).is_some_and(|e| {
        e.program.is_some() && matches!(&e.state, EntryState::Failed(f) if f.code == Failure::CARD_FULL || f.code == Failure::CARD_BROKEN)
    })
}

fn fetch_again(model: &mut Model, laptop: LaptopId, id: RequestId, fx: &mut Effects) {
    let (open, chosen) = (model.link.is_open(), model.chosen);
    let Some(entry) = model.outbox.find_mut(laptop, id) else {
        return;
    };
    entry.state = EntryState::Accepted;
    entry.received.clear();
    entry.whole.clear();
    fx.push(Effect::SaveEntry(Box::new(entry.clone())));
    if open && chosen == Some(laptop) {
        fx.push(Effect::Resume {
            id,
            offsets: Vec::new(),
            uploads: entry.uploads.clone(),
        });
    }
}

/// Tries a failed entry once more.
pub(super) fn retry_entry(model: &mut Model, laptop: LaptopId, id: RequestId, fx: &mut Effects) {
    let Some(entry) = model.outbox.find(laptop, id).cloned() else {
        return;
    };
    if !matches!(entry.state, EntryState::Failed(_)) {
        return;
    }
    match entry.origin {
        Origin::Chat(chat) => retry_chat(model, chat, fx),
        Origin::Picture(picture) => retry_picture(model, picture, fx),
        _ if is_unfetched(model, laptop, id) => fetch_again(model, laptop, id, fx),
        Origin::Send(name) => {
            forget_entry(model, laptop, id, fx);
            // The file may have changed since.
            hash(model, Source::File(name.clone()), Origin::Send(name), fx);
        }
        origin => {
            forget_entry(model, laptop, id, fx);
            ask(model, origin, entry.wish, fx);
        }
    }
}
