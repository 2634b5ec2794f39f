//! News on requests: accepted, asked, running, pieces of results, the end.

use shared_proto::error::ErrorCode;
use shared_proto::limits::MAX_TEXT_LEN;
use shared_proto::report;

use crate::app::effect::{Effect, Effects, Target};
use crate::app::model::files::RemoteFile;
use crate::app::model::laptop::ServiceKind;
use crate::app::model::services::{Health, Provider};
use crate::app::model::{
    ChatId, EntryState, Failure, LaptopId, Model, Origin, RequestId, RequestKey, Role, Screen,
    Scroll, TurnState, Wish,
};
use crate::app::words::{self, quantity};

/// Most octets of a record that is kept in memory.
const MAX_RECORD: usize = 256 * 1024;

/// Largest picture in octets that is read: above any of the widest side.
const MAX_PICTURE: u64 = 16 << 20;

/// How far a request is.
pub(super) fn state(model: &mut Model, id: RequestId, state: EntryState, fx: &mut Effects) {
    let Some(entry) = model.chosen.and_then(|l| model.outbox.find_mut(l, id)) else {
        return;
    };
    if !entry.state.is_under_way() || entry.state == state {
        return;
    }
    // `Accepted` also answers a submission that was repeated; what is known already is not taken back.
    if state == EntryState::Accepted && entry.state != EntryState::Sent {
        return;
    }
    entry.state = state;
    fx.push(Effect::SaveEntry(Box::new(entry.clone())));
}

/// A provider took it up.
pub(super) fn started(model: &mut Model, id: RequestId, name: String, fx: &mut Effects) {
    state(model, id, EntryState::Running, fx);
    let Some(entry) = model.chosen.and_then(|l| model.outbox.find_mut(l, id)) else {
        return;
    };
    let key = entry.key();
    entry.answerer = name.clone();
    if let Origin::Chat(chat) = entry.origin
        && let Some(turn) = model.chats.find_mut(chat).and_then(|c| {
            c.turns
                .iter_mut()
                .rfind(|t| t.role == Role::Answer && t.request == Some(key))
        })
    {
        turn.model = name;
    }
}

/// How far an operation is.
pub(super) fn progress(
    model: &mut Model,
    id: RequestId,
    permille: u16,
    eta_s: Option<u32>,
    fx: &mut Effects,
) {
    state(model, id, EntryState::Running, fx);
    if let Some(entry) = model.chosen.and_then(|l| model.outbox.find_mut(l, id)) {
        entry.permille = permille.min(1000);
        entry.eta_s = eta_s;
    }
}

/// Part of a result.
pub(super) fn data(
    model: &mut Model,
    id: RequestId,
    slot: u8,
    offset: u64,
    mut bytes: Vec<u8>,
    fin: bool,
    fx: &mut Effects,
) {
    let Some(laptop) = model.chosen else { return };
    state(model, id, EntryState::Running, fx);
    let Some(entry) = model.outbox.find_mut(laptop, id) else {
        return;
    };
    if entry.stopping || matches!(entry.state, EntryState::Failed(_)) {
        return;
    }
    let mut have = entry.received(slot);
    if matches!(entry.origin, Origin::Chat(_)) {
        // Octets of a character that is not complete have arrived too.
        have += entry.buffer(slot).len() as u64;
    }
    if offset > have {
        // The session allows no gaps, so this is a defect on one of the sides; better an error than a text with a hole.
        return end_badly(model, laptop, id, Failure::own(Failure::DAMAGED, ""), fx);
    }
    let most = match entry.origin {
        Origin::Chat(_) => MAX_TEXT_LEN,
        Origin::Picture(_) => MAX_PICTURE,
        _ => u64::MAX,
    };
    if offset.saturating_add(bytes.len() as u64) > most {
        // More than it was asked for, and more than is kept: there is no end to wait for.
        fx.push(Effect::Cancel(id));
        return end_badly(model, laptop, id, Failure::own(Failure::DAMAGED, ""), fx);
    }
    let known = (have - offset) as usize;
    bytes.drain(..known.min(bytes.len()));
    if fin && !entry.whole.contains(&slot) {
        entry.whole.push(slot);
    }
    let offset = have;
    match entry.origin.clone() {
        Origin::Chat(chat) => text(model, laptop, chat, id, slot, &bytes, fin),
        Origin::Picture(_) => {
            entry.set_received(slot, offset + bytes.len() as u64);
            save_part(laptop, id, slot, offset, bytes, fx);
        }
        Origin::Fetch(name) => {
            let received = offset + bytes.len() as u64;
            entry.set_received(slot, received);
            if let Some(file) = model
                .files
                .remote
                .iter()
                .find(|f| f.name == name)
                .filter(|f| f.len > 0)
            {
                let permille = (received.saturating_mul(1000) / file.len).min(1000) as u16;
                if let Some(entry) = model.outbox.find_mut(laptop, id) {
                    entry.permille = permille;
                }
            }
            save_part(laptop, id, slot, offset, bytes, fx);
        }
        Origin::Listing | Origin::Services => {
            entry.set_received(slot, offset + bytes.len() as u64);
            let buffer = entry.buffer(slot);
            if buffer.len() + bytes.len() > MAX_RECORD {
                return end_badly(model, laptop, id, Failure::own(Failure::DAMAGED, ""), fx);
            }
            buffer.extend_from_slice(&bytes);
        }
        // Their result is the number of octets, which the file list tells anyway.
        Origin::Send(_) | Origin::Remove(_) | Origin::Download(_) => {
            entry.set_received(slot, offset + bytes.len() as u64)
        }
    }
}

fn save_part(
    laptop: LaptopId,
    id: RequestId,
    slot: u8,
    offset: u64,
    bytes: Vec<u8>,
    fx: &mut Effects,
) {
    if !bytes.is_empty() {
        fx.push(Effect::SavePart {
            laptop,
            id,
            slot,
            offset,
            bytes,
        });
    }
}

/// Text of an answer: whole characters go into the turn, the beginning of one waits for the rest.
#[allow(clippy::too_many_arguments)] // The parts of one message; a struct would only rename them.
fn text(
    model: &mut Model,
    laptop: LaptopId,
    chat: ChatId,
    id: RequestId,
    slot: u8,
    bytes: &[u8],
    fin: bool,
) {
    let Some(entry) = model.outbox.find_mut(laptop, id) else {
        return;
    };
    let key = entry.key();
    let mut octets = std::mem::take(entry.buffer(slot));
    octets.extend_from_slice(bytes);
    let mut whole = String::new();
    let mut used = 0;
    for chunk in octets.utf8_chunks() {
        whole.push_str(chunk.valid());
        used += chunk.valid().len();
        let rest = chunk.invalid();
        // At most three octets at the very end can be the beginning of a character.
        let incomplete = used + rest.len() == octets.len()
            && std::str::from_utf8(rest).is_err_and(|e| e.error_len().is_none());
        if rest.is_empty() || (incomplete && !fin) {
            break;
        }
        whole.push('\u{FFFD}');
        used += rest.len();
    }
    *entry.buffer(slot) = octets.split_off(used);
    let received = entry.received(slot) + used as u64;
    entry.set_received(slot, received);
    if whole.is_empty() {
        return;
    }
    let Some(chat) = model.chats.find_mut(chat) else {
        return;
    };
    let Some(turn) = chat
        .turns
        .iter_mut()
        .find(|t| t.role == Role::Answer && t.request == Some(key) && t.state == TurnState::Open)
    else {
        return;
    };
    turn.text.push_str(&whole);
    let chat = chat.id;
    if let Screen::Chat(screen) = model.screen_mut()
        && screen.chat == chat
        && screen.scroll != Scroll::End
    {
        screen.below = true;
    }
    if !model.unsaved.contains(&chat) {
        model.unsaved.push(chat);
    }
    if model.save_at.is_none() {
        model.save_at = Some(model.now.plus(super::timers::SAVE_AFTER_MS));
    }
}

/// All has been sent.
pub(super) fn done(model: &mut Model, id: RequestId, fx: &mut Effects) {
    let Some(laptop) = model.chosen else { return };
    let Some(entry) = model.outbox.find_mut(laptop, id) else {
        // Put away before, but the laptop has not heard of it.
        fx.push(Effect::Ack(id));
        return;
    };
    if entry.stopping {
        return over(model, laptop, id, fx);
    }
    if matches!(entry.state, EntryState::Failed(_)) {
        // It has failed here, for want of room on the card: the laptop keeps it until it is fetched again.
        return;
    }
    let slot = super::program::result_slot(&entry.wish);
    match entry.origin.clone() {
        Origin::Chat(chat) => {
            let (key, answerer) = (entry.key(), entry.answerer.clone());
            finish_turn(model, chat, key, answerer, fx);
            over(model, laptop, id, fx);
        }
        Origin::Picture(picture) => keep(model, laptop, id, slot, Target::Picture(picture), fx),
        Origin::Fetch(name) => keep(model, laptop, id, slot, Target::File(name), fx),
        Origin::Send(name) => {
            over(model, laptop, id, fx);
            super::toast(
                model,
                format!("{} is on the laptop", words::peer(&name, 24)),
            );
            super::files::list(model, fx);
        }
        Origin::Remove(name) => {
            over(model, laptop, id, fx);
            model.files.remote.retain(|f| f.name != name);
            super::files::save_remote(model, fx);
        }
        Origin::Download(_) => {
            over(model, laptop, id, fx);
            super::toast(model, "The laptop downloaded it");
            super::files::list(model, fx);
        }
        Origin::Listing => {
            let bytes = std::mem::take(entry.buffer(slot));
            over(model, laptop, id, fx);
            listing(model, &bytes, fx);
        }
        Origin::Services => {
            let buffers = std::mem::take(&mut entry.buffer);
            over(model, laptop, id, fx);
            survey(model, &buffers);
        }
    }
}

fn keep(
    model: &mut Model,
    laptop: LaptopId,
    id: RequestId,
    slot: u8,
    target: Target,
    fx: &mut Effects,
) {
    if let Some(entry) = model.outbox.find_mut(laptop, id) {
        entry.state = EntryState::Keeping;
        entry.permille = 1000;
    }
    fx.push(Effect::Keep {
        laptop,
        id,
        slot,
        target,
    });
}

fn finish_turn(
    model: &mut Model,
    chat: ChatId,
    key: RequestKey,
    answerer: String,
    fx: &mut Effects,
) {
    let at = model.wall();
    let looked_at = super::looks_at(model, chat);
    let Some(found) = model.chats.find_mut(chat) else {
        return;
    };
    if let Some(turn) = found
        .turns
        .iter_mut()
        .rfind(|t| t.role == Role::Answer && t.request == Some(key))
    {
        turn.state = TurnState::Done;
        turn.at = at;
        if !answerer.is_empty() {
            turn.model = answerer;
        }
    }
    found.changed = at.max(found.changed);
    found.unread |= !looked_at;
    fx.push(Effect::SaveChat(Box::new(found.clone())));
    model.unsaved.retain(|c| *c != chat);
    if !looked_at {
        let title = crate::app::view::chat::title(model, chat);
        super::toast(model, format!("{} is answered", words::short(&title, 24)));
    }
}

/// The result is safe here: the laptop may drop it, and the entry goes.
pub(super) fn over(model: &mut Model, laptop: LaptopId, id: RequestId, fx: &mut Effects) {
    super::request::forget_entry(model, laptop, id, fx);
    if model.chosen == Some(laptop) {
        fx.push(Effect::Ack(id));
    }
}

/// It ended badly, as the laptop says.
pub(super) fn failed(model: &mut Model, id: RequestId, failure: Failure, fx: &mut Effects) {
    let Some(laptop) = model.chosen else { return };
    let Some(entry) = model.outbox.find(laptop, id) else {
        fx.push(Effect::Ack(id));
        return;
    };
    let key = entry.key();
    let stopped = entry.stopping || failure.code == ErrorCode::Cancelled as u16;
    let with_history = matches!(
        &entry.wish,
        Wish::Say {
            with_history: true,
            ..
        }
    );
    let missing = failure.code == ErrorCode::ContextMissing as u16 && !with_history;
    match (entry.origin.clone(), entry.wish.clone()) {
        (origin, _) if stopped => {
            mark_stopped(model, &origin, key, fx);
            over(model, laptop, id, fx);
        }
        (Origin::Chat(chat), Wish::Say { kind, text, .. }) if missing => {
            // Nothing ran; the same question goes out once more, under a new number and with all that was said before.
            if let Some(chat) = model.chats.find_mut(chat) {
                chat.turns
                    .iter_mut()
                    .filter(|t| t.request == Some(key))
                    .for_each(|t| t.request = None);
            }
            over(model, laptop, id, fx);
            super::request::ask(
                model,
                Origin::Chat(chat),
                Wish::Say {
                    kind,
                    text,
                    with_history: true,
                },
                fx,
            );
        }
        _ => end_badly(model, laptop, id, failure, fx),
    }
}

/// Ends a request here and at the laptop; what had arrived is kept.
fn end_badly(
    model: &mut Model,
    laptop: LaptopId,
    id: RequestId,
    failure: Failure,
    fx: &mut Effects,
) {
    super::timers::save_chats(model, fx);
    super::request::fail(model, laptop, id, failure, fx);
    fx.push(Effect::Ack(id));
}

fn mark_stopped(model: &mut Model, origin: &Origin, key: RequestKey, fx: &mut Effects) {
    match origin {
        Origin::Chat(chat) => {
            let Some(chat) = model.chats.find_mut(*chat) else {
                return;
            };
            if let Some(turn) = chat.turns.iter_mut().find(|t| {
                t.role == Role::Answer && t.request == Some(key) && t.state == TurnState::Open
            }) {
                turn.state = TurnState::Stopped;
                fx.push(Effect::SaveChat(Box::new(chat.clone())));
            }
        }
        Origin::Picture(picture) => {
            if let Some(picture) = model.pictures.find_mut(*picture)
                && picture.state == crate::app::model::PictureState::Open
            {
                picture.state = crate::app::model::PictureState::Stopped;
                fx.push(Effect::SavePicture(Box::new(picture.clone())));
            }
        }
        _ => {}
    }
}

/// The list of the drop folder.
fn listing(model: &mut Model, bytes: &[u8], fx: &mut Effects) {
    let Ok((head, rest)) = report::split_head::<report::ListingHead>(bytes) else {
        model.files.trouble = Some(Failure::own(Failure::DAMAGED, ""));
        return;
    };
    let first = model.files.listed_at.is_none();
    let old = std::mem::take(&mut model.files.remote);
    for entry in report::items::<report::Entry<'_>>(rest)
        .take(usize::from(head.count))
        .filter(|e| !e.folder)
    {
        let before = old.iter().find(|f| f.name == entry.name);
        let new = match before {
            Some(file) => file.new || file.modified != entry.modified,
            None => !first,
        };
        model.files.remote.push(RemoteFile {
            name: entry.name.into(),
            len: entry.len,
            modified: entry.modified,
            new,
        });
    }
    model.files.remote.sort_by(|a, b| {
        b.modified
            .cmp(&a.modified)
            .then_with(|| a.name.cmp(&b.name))
    });
    model.files.quota = Some((head.used, head.quota));
    model.files.listed_at = Some(model.wall());
    model.files.trouble = None;
    super::files::save_remote(model, fx);
}

/// Status, resources, capabilities and health.
fn survey(model: &mut Model, buffers: &[(u8, Vec<u8>)]) {
    use super::program::{CAPABILITIES_SLOT, HEALTH_SLOT, RESOURCES_SLOT, STATUS_SLOT};
    let of = |slot: u8| {
        buffers
            .iter()
            .find(|(s, _)| *s == slot)
            .map_or(&[][..], |(_, bytes)| bytes.as_slice())
    };
    let mut facts = Vec::new();
    if let Ok((status, _)) = report::split_head::<report::Status<'_>>(of(STATUS_SLOT)) {
        facts.push((
            "OfficeOS on the laptop".into(),
            format!(
                "version {}, up for {}",
                status.version,
                quantity::span(status.uptime_s)
            ),
        ));
        facts.push((
            "Running for this handheld".into(),
            quantity::count(u64::from(status.running), "request", "requests"),
        ));
    }
    if let Ok((r, _)) = report::split_head::<report::Resources>(of(RESOURCES_SLOT)) {
        facts.push((
            "Processor".into(),
            format!(
                "{} cores, load {}.{:02}",
                r.cpus,
                r.load_hundredths / 100,
                r.load_hundredths % 100
            ),
        ));
        facts.push((
            "Memory".into(),
            format!(
                "{} of {} free",
                quantity::octets(r.memory_free),
                quantity::octets(r.memory)
            ),
        ));
        facts.push((
            "Disk".into(),
            format!("{} free", quantity::octets(r.disk_free)),
        ));
    }
    if let Ok((count, rest)) = report::split_head::<u16>(of(CAPABILITIES_SLOT)) {
        let missing: Vec<&str> = report::items::<report::Capability>(rest)
            .take(usize::from(count))
            .filter(|c| !c.available)
            .map(|c| c.operation.name())
            .collect();
        let value = if missing.is_empty() {
            "everything this version knows".into()
        } else {
            format!("all but {}", missing.join(", "))
        };
        facts.push(("Can do".into(), value));
    }
    let mut providers = Vec::new();
    let health = report::split_head::<u16>(of(HEALTH_SLOT));
    if let Ok((count, rest)) = health {
        for p in report::items::<report::ProviderHealth<'_>>(rest).take(usize::from(count)) {
            let health = match p.state {
                report::HealthState::Healthy => Health::Healthy,
                report::HealthState::Degraded => Health::Degraded,
                report::HealthState::Unhealthy => Health::Unhealthy,
            };
            providers.push(Provider {
                service: service(p.service),
                name: p.name.into(),
                health,
                note: p.reason.into(),
            });
        }
    }
    if facts.is_empty() && health.is_err() {
        model.services.trouble = Some(Failure::own(Failure::DAMAGED, ""));
        return;
    }
    model.services.facts = facts;
    model.services.providers = providers;
    model.services.told_at = Some(model.wall());
    model.services.trouble = None;
}

/// A service of the wire as a service of the app.
pub(super) const fn service(service: shared_proto::opcode::Service) -> ServiceKind {
    match service {
        shared_proto::opcode::Service::Language => ServiceKind::Language,
        shared_proto::opcode::Service::Image => ServiceKind::Image,
        shared_proto::opcode::Service::Files => ServiceKind::Files,
        shared_proto::opcode::Service::System => ServiceKind::System,
    }
}
