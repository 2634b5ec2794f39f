//! The life of a request on this side: written down, numbered, submitted in order, stopped, asked again.

use shared_proto::error::ErrorCode;

use crate::app::effect::{Effect, Effects};
use crate::app::model::picture::Made;
use crate::app::model::{
    ChatId, Entry, EntryState, Failure, LaptopId, Model, Origin, PictureId, PictureState,
    RequestId, RequestKey, Role, Source, Turn, TurnState, Wish,
};

/// Most requests under way at once: half of what a session carries, so that one list or survey always fits in.
const MAX_UNDER_WAY: usize = 8;

/// Writes a request down for the chosen laptop. Without a laptop nothing is written; it is asked once one is paired.
pub(super) fn ask(model: &mut Model, origin: Origin, wish: Wish, fx: &mut Effects) -> bool {
    let Some(laptop) = model.chosen else {
        return false;
    };
    write_down(model, Entry::new(laptop, origin, wish, model.wall()), fx);
    true
}

/// Has the card give an entry its number.
fn write_down(model: &mut Model, entry: Entry, fx: &mut Effects) {
    let ticket = model.next_ticket;
    model.next_ticket = model.next_ticket.wrapping_add(1);
    fx.push(Effect::NewRequest {
        ticket,
        entry: Box::new(entry.clone()),
    });
    model.outbox.unnumbered.push((ticket, entry));
}

/// A request for this origin is on its way already: to any laptop for what is shown once, else to the chosen one, because what
/// another laptop owes says nothing of this one.
pub(super) fn is_asked(model: &Model, origin: &Origin) -> bool {
    let shown_once = matches!(origin, Origin::Chat(_) | Origin::Picture(_));
    let under_way = |e: &Entry| {
        e.origin == *origin
            && (shown_once || Some(e.laptop) == model.chosen)
            && !matches!(e.state, EntryState::Failed(_))
            && !e.stopping
    };
    model.outbox.entries.iter().any(under_way)
        || model.outbox.unnumbered.iter().any(|(_, e)| under_way(e))
}

/// The card has given a request its number.
pub(super) fn numbered(model: &mut Model, ticket: u32, id: RequestId, fx: &mut Effects) {
    let Some(index) = model
        .outbox
        .unnumbered
        .iter()
        .position(|(t, _)| *t == ticket)
    else {
        return;
    };
    let (_, mut entry) = model.outbox.unnumbered.remove(index);
    entry.id = id;
    if entry.stopping {
        fx.push(Effect::DropEntry(entry.laptop, id));
        return;
    }
    link_origin(model, &entry, fx);
    model.outbox.entries.push(entry);
}

/// The card had no room for a request: what waited for it says so where it stands, and can be asked again there.
pub(super) fn not_numbered(model: &mut Model, ticket: u32, failure: &Failure, fx: &mut Effects) {
    let waits = |(known, _): &(u32, Entry)| *known == ticket;
    let Some(index) = model.outbox.unnumbered.iter().position(waits) else {
        return;
    };
    let (_, entry) = model.outbox.unnumbered.remove(index);
    if entry.stopping {
        return;
    }
    match entry.origin {
        Origin::Chat(id) => {
            let open = |t: &&mut Turn| {
                t.role == Role::Answer && t.state == TurnState::Open && t.request.is_none()
            };
            if let Some(chat) = model.chats.find_mut(id)
                && let Some(turn) = chat.turns.iter_mut().find(open)
            {
                turn.state = TurnState::Broken(failure.clone());
                fx.push(Effect::SaveChat(Box::new(chat.clone())));
            }
        }
        Origin::Picture(id) => {
            if let Some(picture) = model.pictures.find_mut(id) {
                picture.state = PictureState::Broken(failure.clone());
                fx.push(Effect::SavePicture(Box::new(picture.clone())));
            }
        }
        Origin::Listing => model.files.trouble = Some(failure.clone()),
        Origin::Services => model.services.trouble = Some(failure.clone()),
        // The card's own words stand on the screen.
        Origin::Fetch(_) | Origin::Send(_) | Origin::Remove(_) | Origin::Download(_) => {}
    }
}

/// Notes the number at the turn or picture that waits for it.
pub(super) fn link_origin(model: &mut Model, entry: &Entry, fx: &mut Effects) {
    match entry.origin {
        Origin::Chat(chat) => {
            let Some(chat) = model.chats.find_mut(chat) else {
                return;
            };
            let open = |t: &Turn| {
                t.role == Role::Answer && t.state == TurnState::Open && t.request.is_none()
            };
            if let Some(index) = chat.turns.iter().position(open) {
                chat.turns[index].request = Some(entry.key());
                if let Some(question) = index.checked_sub(1).map(|i| &mut chat.turns[i])
                    && question.role == Role::Person
                {
                    question.request = Some(entry.key());
                }
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

/// Submits what may go out now, in order.
pub(super) fn pump(model: &mut Model, fx: &mut Effects) {
    if !model.link.is_open() || !model.loaded || model.lock.is_some() {
        return;
    }
    let mut under_way = model
        .outbox
        .entries
        .iter()
        .filter(|e| Some(e.laptop) == model.chosen && e.state.is_under_way())
        .count();
    // By number, not by place: a request that cannot be built leaves the list.
    let waiting: Vec<RequestId> = model
        .outbox
        .entries
        .iter()
        .filter(|e| Some(e.laptop) == model.chosen && e.state == EntryState::Waiting)
        .map(|e| e.id)
        .collect();
    for id in waiting {
        if under_way >= MAX_UNDER_WAY {
            return;
        }
        let place = |e: &Entry| Some(e.laptop) == model.chosen && e.id == id;
        let Some(index) = model.outbox.entries.iter().position(place) else {
            continue;
        };
        if is_behind(model, index) {
            continue;
        }
        let entry = &model.outbox.entries[index];
        if entry.program.is_none() {
            let seed = random(model) as u32;
            let entry = model.outbox.entries[index].clone();
            match super::program::build(model, &entry, seed) {
                Ok((program, uploads)) => {
                    let entry = &mut model.outbox.entries[index];
                    entry.program = Some(program);
                    entry.uploads = uploads;
                }
                Err(failure) => {
                    let (laptop, id) = (entry.laptop, entry.id);
                    fail(model, laptop, id, failure, fx);
                    continue;
                }
            }
        }
        let entry = &mut model.outbox.entries[index];
        entry.state = EntryState::Sent;
        fx.push(Effect::SaveEntry(Box::new(entry.clone())));
        submit(entry, fx);
        under_way += 1;
    }
}

/// Hands a program to the link.
pub(super) fn submit(entry: &Entry, fx: &mut Effects) {
    if let Some(program) = &entry.program {
        fx.push(Effect::Submit {
            id: entry.id,
            program: program.clone(),
            uploads: entry.uploads.clone(),
        });
    }
}

/// An earlier request of the same conversation is not over: its answer is context for this one.
fn is_behind(model: &Model, index: usize) -> bool {
    let entry = &model.outbox.entries[index];
    matches!(entry.origin, Origin::Chat(_))
        && model.outbox.entries[..index].iter().any(|e| {
            e.origin == entry.origin
                && e.laptop == entry.laptop
                && !matches!(e.state, EntryState::Failed(_))
                && !e.stopping
        })
}

/// A request ended badly.
pub(super) fn fail(
    model: &mut Model,
    laptop: LaptopId,
    id: RequestId,
    failure: Failure,
    fx: &mut Effects,
) {
    let Some(entry) = model.outbox.find_mut(laptop, id) else {
        return;
    };
    entry.state = EntryState::Failed(failure.clone());
    entry.buffer.clear();
    let entry = entry.clone();
    match &entry.origin {
        Origin::Chat(chat) => break_turn(model, *chat, entry.key(), &failure, fx),
        Origin::Picture(picture) => {
            if let Some(picture) = model.pictures.find_mut(*picture) {
                picture.state = PictureState::Broken(failure.clone());
                fx.push(Effect::SavePicture(Box::new(picture.clone())));
            }
        }
        Origin::Listing => model.files.trouble = Some(failure.clone()),
        Origin::Services => model.services.trouble = Some(failure.clone()),
        _ => {}
    }
    if entry.is_listed() && model.settings.rumble {
        fx.push(Effect::Rumble(40));
    }
    // An answer or picture that failed says so in its own place and is asked again there; what has no such place stays here, and
    // so does what the card had no room for, because it still lies on the laptop.
    let unfetched = [Failure::CARD_FULL, Failure::CARD_BROKEN].contains(&failure.code);
    let in_place = matches!(entry.origin, Origin::Chat(_))
        || (matches!(entry.origin, Origin::Picture(_)) && !unfetched);
    if entry.is_listed() && !in_place {
        fx.push(Effect::SaveEntry(Box::new(entry.clone())));
    } else {
        forget_entry(model, laptop, id, fx);
    }
    show_failure(model, &entry, &failure);
}

fn break_turn(
    model: &mut Model,
    chat: ChatId,
    key: RequestKey,
    failure: &Failure,
    fx: &mut Effects,
) {
    let looked_at = super::looks_at(model, chat);
    let Some(chat) = model.chats.find_mut(chat) else {
        return;
    };
    if let Some(turn) = chat
        .turns
        .iter_mut()
        .find(|t| t.role == Role::Answer && t.request == Some(key) && t.state == TurnState::Open)
    {
        turn.state = TurnState::Broken(failure.clone());
        chat.unread |= !looked_at;
    }
    fx.push(Effect::SaveChat(Box::new(chat.clone())));
}

/// Shows an error where the person looks. A refusal already stands in its place as a card.
fn show_failure(model: &mut Model, entry: &Entry, failure: &Failure) {
    use crate::app::model::Screen;
    use crate::app::model::overlay::Action;
    use crate::app::{view, words};
    if (20..=28).contains(&failure.code) || failure.code == ErrorCode::Cancelled as u16 {
        return;
    }
    let (said, retry) = match (&entry.origin, model.screen()) {
        (Origin::Chat(id), Screen::Chat(screen)) if screen.chat == *id => {
            let Some(chat) = model.chats.find(*id) else {
                return;
            };
            let kept = chat
                .turns
                .iter()
                .rev()
                .find(|t| t.request == Some(entry.key()) && t.role == Role::Answer)
                .map_or("", |t| t.text.as_str());
            (
                words::failure::failure(failure, view::chat::scene(model, chat, kept)),
                Action::RetryChat(*id),
            )
        }
        (
            Origin::Fetch(_) | Origin::Send(_) | Origin::Remove(_) | Origin::Download(_),
            Screen::Files(_),
        ) => (
            words::failure::failure(failure, view::files::scene(model)),
            Action::RetryEntry(entry.key()),
        ),
        _ => return,
    };
    super::menus::tell(model, said, Some(retry));
}

/// Drops an entry here and on the card.
pub(super) fn forget_entry(model: &mut Model, laptop: LaptopId, id: RequestId, fx: &mut Effects) {
    model
        .outbox
        .entries
        .retain(|e| !(e.laptop == laptop && e.id == id));
    fx.push(Effect::DropEntry(laptop, id));
}

/// The person stops or withdraws what belongs to `origin`.
pub(super) fn stop(model: &mut Model, origin: &Origin, fx: &mut Effects) {
    let open = model.link.is_open();
    let chosen = model.chosen;
    for (_, entry) in model
        .outbox
        .unnumbered
        .iter_mut()
        .filter(|(_, e)| e.origin == *origin)
    {
        entry.stopping = true;
    }
    let mut dropped = Vec::new();
    for entry in model
        .outbox
        .entries
        .iter_mut()
        .filter(|e| e.origin == *origin)
    {
        match entry.state {
            EntryState::Draft | EntryState::Waiting | EntryState::Failed(_) => {
                dropped.push((entry.laptop, entry.id))
            }
            _ if entry.stopping => {}
            _ => {
                entry.stopping = true;
                fx.push(Effect::SaveEntry(Box::new(entry.clone())));
                if open && Some(entry.laptop) == chosen {
                    fx.push(Effect::Cancel(entry.id));
                }
            }
        }
    }
    for (laptop, id) in dropped {
        forget_entry(model, laptop, id, fx);
    }
}

/// The person stops the first open answer of a conversation.
pub(super) fn stop_turn(model: &mut Model, chat: ChatId, fx: &mut Effects) {
    let Some(index) = model.chats.find(chat).and_then(|c| {
        c.turns
            .iter()
            .position(|t| t.role == Role::Answer && t.state == TurnState::Open)
    }) else {
        return;
    };
    let Some(found) = model.chats.find_mut(chat) else {
        return;
    };
    found.turns[index].state = TurnState::Stopped;
    let key = found.turns[index].request;
    fx.push(Effect::SaveChat(Box::new(found.clone())));
    let (open, chosen) = (model.link.is_open(), model.chosen);
    let Some(key) = key else {
        if let Some((_, entry)) = model
            .outbox
            .unnumbered
            .iter_mut()
            .find(|(_, e)| e.origin == Origin::Chat(chat) && !e.stopping)
        {
            entry.stopping = true;
        }
        return;
    };
    let Some(entry) = model
        .outbox
        .entries
        .iter_mut()
        .find(|e| e.key() == key && e.origin == Origin::Chat(chat))
    else {
        return;
    };
    if matches!(
        entry.state,
        EntryState::Draft | EntryState::Waiting | EntryState::Failed(_)
    ) {
        return forget_entry(model, key.laptop, key.id, fx);
    }
    entry.stopping = true;
    fx.push(Effect::SaveEntry(Box::new(entry.clone())));
    if open && Some(entry.laptop) == chosen {
        fx.push(Effect::Cancel(key.id));
    }
}

/// Asks for a picture by its record: straight away, or once the picture it is made from has been hashed.
pub(super) fn ask_picture(model: &mut Model, id: PictureId, fx: &mut Effects) {
    let Some(picture) = model.pictures.find(id) else {
        return;
    };
    match (picture.made, picture.from) {
        (Made::Painted, _) | (_, None) => {
            ask(model, Origin::Picture(id), Wish::Paint, fx);
        }
        (_, Some(from)) => hash(model, Source::Picture(from), Origin::Picture(id), fx),
    }
}

/// Has a file or picture hashed before it can be asked to be sent.
pub(super) fn hash(model: &mut Model, source: Source, origin: Origin, fx: &mut Effects) {
    if model.hashing.iter().any(|(_, known)| *known == origin) {
        return;
    }
    model.hashing.push((source.clone(), origin));
    fx.push(Effect::Hash(source));
}

/// Gives requests that never went out a new number where theirs has been spent: by a card that was restored from a backup, or
/// while they were held back.
pub(super) fn renumber(model: &mut Model, laptop: LaptopId, floor: RequestId, fx: &mut Effects) {
    let spent = |e: &&Entry| {
        let unsent = matches!(e.state, EntryState::Draft | EntryState::Waiting);
        e.laptop == laptop && e.id < floor && unsent && e.program.is_none()
    };
    let spent: Vec<Entry> = model.outbox.entries.iter().filter(spent).cloned().collect();
    for entry in spent {
        match entry.origin {
            Origin::Chat(chat) => {
                if let Some(chat) = model.chats.find_mut(chat) {
                    let turns = chat.turns.iter_mut();
                    turns
                        .filter(|t| t.request == Some(entry.key()))
                        .for_each(|t| t.request = None);
                }
            }
            Origin::Picture(picture) => {
                if let Some(picture) = model.pictures.find_mut(picture) {
                    picture.request = None;
                }
            }
            _ => {}
        }
        let spent = entry.id;
        // Written down anew before the old one goes: a pulled battery between the two loses nothing.
        let fresh = Entry {
            id: RequestId(0),
            ..entry
        };
        write_down(model, fresh, fx);
        forget_entry(model, laptop, spent, fx);
    }
}

/// Asks for everything that was wished for and never written down: there was no laptop then, or the battery was pulled.
pub(super) fn ask_orphans(model: &mut Model, fx: &mut Effects) {
    let mut wishes = Vec::new();
    for chat in &model.chats.list {
        // The first of them may be waiting for their numbers just now.
        let origin = Origin::Chat(chat.id);
        let mut asked = model
            .outbox
            .unnumbered
            .iter()
            .filter(|(_, e)| e.origin == origin && !e.stopping)
            .count();
        for (index, turn) in chat.turns.iter().enumerate() {
            if turn.role == Role::Answer && turn.state == TurnState::Open && turn.request.is_none()
            {
                if asked > 0 {
                    asked -= 1;
                    continue;
                }
                let text = chat.turns[..index]
                    .iter()
                    .rev()
                    .find(|t| t.role == Role::Person)
                    .map_or(String::new(), |t| t.text.clone());
                wishes.push((
                    chat.id,
                    Wish::Say {
                        kind: chat.kind,
                        text,
                        with_history: false,
                    },
                ));
            }
        }
    }
    for (chat, wish) in wishes {
        ask(model, Origin::Chat(chat), wish, fx);
    }
    let pictures: Vec<PictureId> = model
        .pictures
        .list
        .iter()
        .filter(|p| p.state == PictureState::Open && p.request.is_none())
        .map(|p| p.id)
        .collect();
    for id in pictures {
        if !is_asked(model, &Origin::Picture(id)) {
            ask_picture(model, id, fx);
        }
    }
}

/// The next number of the generator (splitmix64 by Sebastiano Vigna): conversation numbers and picture seeds need to differ, not
/// to be secret.
pub(super) fn random(model: &mut Model) -> u64 {
    model.seed = model.seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = model.seed;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
