//! News from the card.

use crate::app::effect::{Effect, Effects};
use crate::app::model::laptop::Away;
use crate::app::model::picture::Made;
use crate::app::model::{
    Chat, Clock, EntryState, Failure, LaptopId, Link, Model, Origin, PictureId, PictureState,
    RequestId, RequestKey, Role, Screen, Source, TurnState, Wish,
};
use crate::app::msg::{CardEvent, Stored, Trouble};
use crate::app::words;

/// Something happened on the card.
pub(super) fn event(model: &mut Model, event: CardEvent, fx: &mut Effects) {
    match event {
        CardEvent::Loaded(stored) => loaded(model, *stored, fx),
        CardEvent::Locked(settings) => {
            if let Some(settings) = settings {
                model.settings = *settings;
            }
            super::lock::locked(model);
            super::setup::ready(model, fx);
        }
        CardEvent::WrongSequence { wait_ms } => super::lock::wrong(model, wait_ms),
        CardEvent::LockChanged(on) => super::lock::changed(model, on, fx),
        CardEvent::Numbered { ticket, id } => super::request::numbered(model, ticket, id, fx),
        CardEvent::NotNumbered { ticket, failure } => {
            super::request::not_numbered(model, ticket, &failure, fx)
        }
        CardEvent::Raster {
            picture,
            thumb,
            raster,
        } => {
            if let Some(found) = model.pictures.find_mut(picture) {
                match (thumb, raster) {
                    (true, raster) => found.thumb = raster,
                    (false, Some(raster)) => found.raster = Some(raster),
                    (false, None) => damaged(model, picture, fx),
                }
            }
        }
        CardEvent::Kept {
            laptop, id, size, ..
        } => kept(model, laptop, id, size, fx),
        CardEvent::NotKept {
            laptop,
            id,
            failure,
        } => {
            let ack = failure.code == Failure::DAMAGED;
            super::request::fail(model, laptop, id, failure, fx);
            // What the card had no room for stays on the laptop until there is room.
            if ack && model.chosen == Some(laptop) {
                fx.push(Effect::Ack(id));
            }
        }
        CardEvent::Files { files, free } => {
            model.files.local = files;
            model.files.card_free = free;
        }
        CardEvent::Hashed { source, facts } => hashed(model, &source, facts, fx),
        CardEvent::Saved { name } => {
            super::toast(model, format!("Saved as {}", words::peer(&name, 32)));
            fx.push(Effect::ListFiles);
        }
        CardEvent::Trouble { kind, detail } => trouble(model, kind, &detail),
    }
}

fn damaged(model: &mut Model, id: PictureId, fx: &mut Effects) {
    let Some(picture) = model.pictures.find_mut(id) else {
        return;
    };
    picture.state = PictureState::Broken(Failure::own(Failure::DAMAGED, ""));
    fx.push(Effect::SavePicture(Box::new(picture.clone())));
    if matches!(model.screen(), Screen::Viewer(viewer) if viewer.picture == id) {
        super::nav::replace(model, Screen::Progress(id), fx);
    }
}

fn trouble(model: &mut Model, kind: Trouble, detail: &str) {
    let detail = words::peer(detail, words::PEER_DETAIL_LEN);
    let (title, body) = match kind {
        Trouble::Full(need) => {
            let room = need.map_or("some room".to_string(), words::quantity::octets);
            (
                "The card is full",
                format!("Nothing is lost; free {room}, then try again."),
            )
        }
        Trouble::Newer => (
            "The card is from a newer version",
            format!("{detail} Nothing on it was changed, and nothing is kept until then."),
        ),
        Trouble::Broken => (
            "The card could not be read or written",
            format!(
                "What was on it before is still there. Take it out and put it in again. ({detail})"
            ),
        ),
    };
    super::menus::tell_plain(model, title, body);
}

/// Everything stored has been read.
fn loaded(model: &mut Model, stored: Stored, fx: &mut Effects) {
    let Stored {
        settings,
        laptops,
        chats,
        pictures,
        entries,
        parts,
        remote,
        local,
        recipe,
        earlier,
        drafts,
        words,
        last_seen,
    } = stored;
    model.keyboard.learned_mut().import(&words);
    model.lock = None;
    model.loaded = true;
    // What was set up to press the sequence could not be written down before.
    let taught = std::mem::take(&mut model.pads.unsaved).then(|| model.settings.taught.clone());
    model.settings = settings;
    if let Some(taught) = taught {
        model.settings.taught = taught;
        fx.push(Effect::SaveSettings(Box::new(model.settings.clone())));
    }
    model.laptops = laptops;
    model.chats.list = chats;
    model
        .chats
        .list
        .sort_by_key(|c| std::cmp::Reverse((c.changed, c.id)));
    model.chats.next = model
        .chats
        .list
        .iter()
        .map(|c| c.id.0 + 1)
        .max()
        .unwrap_or(0);
    model.pictures.list = pictures;
    model.pictures.list.sort_by_key(|p| std::cmp::Reverse(p.id));
    model.pictures.next = model
        .pictures
        .list
        .iter()
        .map(|p| p.id.0 + 1)
        .max()
        .unwrap_or(0);
    model.pictures.recipe = recipe;
    model.pictures.recipe.steps = match model.pictures.recipe.steps {
        0 => super::picture::DEFAULT_STEPS,
        steps => steps.min(50),
    };
    model.pictures.earlier = earlier;
    if let Some((at, files)) = remote {
        model.files.remote = files;
        model.files.listed_at = Some(at);
    }
    model.files.local = local;
    model.drafts = drafts;
    model.outbox.entries = entries;
    if model.clock.is_none() && last_seen > 0 {
        model.clock = Some(Clock {
            unix: last_seen,
            at: model.now,
            offset_minutes: 0,
        });
    }
    for (laptop, id, slot, len) in parts {
        if let Some(entry) = model.outbox.find_mut(laptop, id) {
            entry.set_received(slot, len);
        }
    }
    reconcile(model, fx);
    model.chosen = model
        .settings
        .laptop
        .filter(|id| model.laptops.iter().any(|l| l.id == *id))
        .or_else(|| model.laptops.first().map(|l| l.id));
    model.link = match model.laptop() {
        Some(laptop) => Link::Away(Away {
            since: laptop.seen_at,
            idle: true,
            ..Away::default()
        }),
        None => Link::Unpaired,
    };
    super::request::ask_orphans(model, fx);
    fx.push(Effect::Link(model.chosen));
    super::setup::ready(model, fx);
}

/// Brings what was written at different instants together: an entry is the truth, a turn or picture follows it.
fn reconcile(model: &mut Model, fx: &mut Effects) {
    let entries = model.outbox.entries.clone();
    for entry in &entries {
        if let Origin::Chat(chat) = entry.origin
            && let Some(chat) = model.chats.find_mut(chat)
            && !chat.turns.iter().any(|t| t.request == Some(entry.key()))
        {
            let waits = |c: &Chat| {
                c.turns.iter().any(|t| {
                    t.role == Role::Answer && t.state == TurnState::Open && t.request.is_none()
                })
            };
            if !waits(chat)
                && let Wish::Say { text, .. } = &entry.wish
            {
                super::chat::push_question(chat, text.clone(), entry.at);
            }
            super::request::link_origin(model, entry, fx);
        } else if let Origin::Picture(picture) = entry.origin
            && model
                .pictures
                .find(picture)
                .is_some_and(|p| p.request.is_none())
        {
            super::request::link_origin(model, entry, fx);
        }
    }
    for entry in &mut model.outbox.entries {
        match entry.state {
            // Put away again from the parts, or fetched again; both end the same.
            EntryState::Keeping | EntryState::Asked { .. } | EntryState::Queued { .. } => {
                entry.state = EntryState::Accepted
            }
            _ => {}
        }
        entry.buffer.clear();
        if let Origin::Chat(chat) = entry.origin {
            let turn = model.chats.find_mut(chat).and_then(|c| {
                c.turns
                    .iter_mut()
                    .rfind(|t| t.role == Role::Answer && t.request == Some(entry.key()))
            });
            entry.received.clear();
            if let Some(turn) = turn {
                // It had failed, and the battery went before its entry did: it goes on, wherever that leads.
                let goes_on = !matches!(entry.state, EntryState::Failed(_)) && !entry.stopping;
                if matches!(turn.state, TurnState::Broken(_)) && goes_on {
                    turn.state = TurnState::Open;
                }
                // The text itself says how much of it is safe.
                if !turn.text.is_empty() {
                    let slot = super::program::result_slot(&entry.wish);
                    entry.set_received(slot, turn.text.len() as u64);
                }
            }
        }
        if matches!(entry.origin, Origin::Listing | Origin::Services) {
            entry.received.clear();
        }
    }
    for chat in &mut model.chats.list {
        let id = chat.id;
        let known = |request: Option<RequestKey>| {
            request.is_none_or(|r| {
                entries
                    .iter()
                    .any(|e| e.key() == r && e.origin == Origin::Chat(id))
            })
        };
        for turn in chat
            .turns
            .iter_mut()
            .filter(|t| t.state == TurnState::Open && t.role == Role::Answer)
        {
            if !known(turn.request) {
                turn.state = TurnState::Stopped;
            }
        }
    }
    for picture in model
        .pictures
        .list
        .iter_mut()
        .filter(|p| p.state == PictureState::Open)
    {
        let lost = |r: RequestId| {
            !entries
                .iter()
                .any(|e| e.id == r && e.origin == Origin::Picture(picture.id))
        };
        if picture.request.is_some_and(lost) {
            picture.state = PictureState::Stopped;
        }
    }
}

/// A result is safe on the card.
fn kept(
    model: &mut Model,
    laptop: LaptopId,
    id: RequestId,
    size: Option<(u32, u32)>,
    fx: &mut Effects,
) {
    let Some(entry) = model.outbox.find(laptop, id) else {
        return;
    };
    match entry.origin.clone() {
        Origin::Picture(picture) => {
            let Some(found) = model.pictures.find_mut(picture) else {
                return super::result::over(model, laptop, id, fx);
            };
            if size.is_none() {
                let failure = Failure::own(Failure::DAMAGED, "");
                super::request::fail(model, laptop, id, failure, fx);
                fx.push(Effect::Ack(id));
                return;
            }
            found.state = PictureState::Ready;
            found.size = size;
            fx.push(Effect::SavePicture(Box::new(found.clone())));
            super::result::over(model, laptop, id, fx);
            show_picture(model, picture, fx);
        }
        Origin::Fetch(name) => {
            super::result::over(model, laptop, id, fx);
            super::toast(model, format!("{} is on this card", words::peer(&name, 24)));
            fx.push(Effect::ListFiles);
        }
        _ => super::result::over(model, laptop, id, fx),
    }
}

fn show_picture(model: &mut Model, id: PictureId, fx: &mut Effects) {
    match model.screen() {
        Screen::Progress(shown) if *shown == id => {
            if model.overlay.is_none() {
                super::viewer::open_in_place(model, id, fx);
            }
        }
        Screen::Gallery(_) => super::picture::load_thumbs(model, fx),
        _ => super::toast(model, "The picture is ready"),
    }
}

/// Size and hash of something that shall be sent are known.
fn hashed(model: &mut Model, source: &Source, facts: Option<(u64, [u8; 32])>, fx: &mut Effects) {
    let Some(index) = model.hashing.iter().position(|(s, _)| s == source) else {
        return;
    };
    let (source, origin) = model.hashing.remove(index);
    let Some((len, sha256)) = facts else {
        if let Origin::Picture(id) = origin
            && let Some(picture) = model.pictures.find_mut(id)
        {
            picture.state = PictureState::Broken(Failure::own(Failure::CARD_BROKEN, ""));
            fx.push(Effect::SavePicture(Box::new(picture.clone())));
        }
        return super::menus::tell_plain(
            model,
            "The card could not be read",
            "Nothing was sent. List the files again, then retry.",
        );
    };
    let wish = match (source, &origin) {
        (Source::File(name), _) => Wish::Put { name, len, sha256 },
        (Source::Picture(from), Origin::Picture(id)) => {
            match model.pictures.find(*id).map(|p| p.made) {
                Some(Made::Upscaled) => Wish::Enlarge { from, len, sha256 },
                Some(Made::Varied) => Wish::Vary { from, len, sha256 },
                Some(Made::Edited | Made::Painted) => Wish::Repaint { from, len, sha256 },
                None => return,
            }
        }
        _ => return,
    };
    super::request::ask(model, origin, wish, fx);
}
