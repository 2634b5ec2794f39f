//! The app's records as values on the card, and back. Pure: it makes changes, it writes nothing.
//!
//! Every value starts with the version of its shape. Of a conversation only what differs from the card is written, so that
//! a streaming answer costs its new text and no more.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::former::{FormerLaptop, FormerPurpose, FormerSettings, FormerTurn, SecondSettings};
use crate::app::model::chat::{ChatKind, Role};
use crate::app::model::laptop::LaptopId;
use crate::app::model::outbox::{Entry, Origin, RequestId, RequestKey};
use crate::app::model::picture::{Picture, PictureId, Recipe};
use crate::app::model::screen::Purpose;
use crate::app::model::{Chat, ChatId, Laptop, RemoteFile, Settings, Turn, TurnState};
use crate::app::msg::Stored;
use crate::card::items::MAX_APPENDED;
use crate::card::{Change, Items, Key, Skipped, Table};
use shared_proto::message::LedgerHead;

/// Version of the shapes below.
const VERSION: u8 = 1;

/// Version of laptops, turns and drafts, which have changed once; what they were is in [`former`].
const SECOND: u8 = 2;

/// Version of the settings, which have changed twice.
const THIRD: u8 = 3;

/// The newest version of any shape that this one knows.
const NEWEST: u8 = THIRD;

/// Unfinished texts kept at most; the oldest goes.
const MAX_DRAFTS: usize = 64;

/// Lists that are one value each.
#[derive(Clone, Copy)]
enum Misc {
    Recipe = 0,
    Remote = 1,
    Drafts = 2,
    /// Name of a file that is being written among the person's.
    Begun = 3,
}

impl Misc {
    const fn key(self) -> Key {
        Key(self as u64, 0)
    }
}

#[derive(PartialEq, Serialize, Deserialize)]
struct ChatHead {
    wire_id: u64,
    kind: ChatKind,
    title: String,
    named: bool,
    model: String,
    system: String,
    changed: u64,
    unread: bool,
    turns: u32,
    context_from: u32,
}

#[derive(PartialEq, Serialize, Deserialize)]
struct TurnHead {
    role: Role,
    model: String,
    at: u64,
    request: Option<RequestKey>,
    state: TurnState,
}

/// A binary result on its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Blob that it is written to.
    pub blob: String,
    /// Octets that are durable.
    pub len: u64,
    /// What it became, once decided: written down before it is carried out, so that a repetition does the same.
    pub target: Option<PartTarget>,
    /// The target is complete.
    pub kept: bool,
}

/// What a part becomes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PartTarget {
    /// A picture.
    Picture(PictureId),
    /// A file under this name.
    File(String),
}

/// Shape and version of a value.
pub fn encode<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    encode_as(VERSION, value)
}

/// Settings and the version of their shape.
pub fn encode_settings(settings: &Settings) -> Vec<u8> {
    encode_as(THIRD, settings)
}

/// Reads settings of this version or of one before.
pub fn decode_settings(bytes: &[u8]) -> Option<Settings> {
    match bytes.split_first() {
        Some((&THIRD, body)) => postcard::from_bytes(body).ok(),
        _ => decode_either(bytes, |former: FormerSettings| SecondSettings::from(former))
            .map(Settings::from),
    }
}

fn encode_as<T: Serialize + ?Sized>(version: u8, value: &T) -> Vec<u8> {
    // Plain structs into a growing vector: postcard has no way to fail here.
    let body = postcard::to_allocvec(value).unwrap_or_default();
    [&[version][..], &body].concat()
}

/// Reads a value of this version.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    match bytes.split_first() {
        Some((&VERSION, body)) => postcard::from_bytes(body).ok(),
        _ => None,
    }
}

/// Reads a value of the second version, or one of the first.
fn decode_either<T: DeserializeOwned, F: DeserializeOwned>(
    bytes: &[u8],
    from: impl FnOnce(F) -> T,
) -> Option<T> {
    match bytes.split_first() {
        Some((&SECOND, body)) => postcard::from_bytes(body).ok(),
        _ => decode::<F>(bytes).map(from),
    }
}

/// Key of a part.
pub fn part_key(laptop: LaptopId, id: RequestId, slot: u8) -> Key {
    Key(id.0, laptop.0 << 8 | u32::from(slot))
}

/// Key of an outbox entry.
pub fn entry_key(laptop: LaptopId, id: RequestId) -> Key {
    Key(id.0, laptop.0)
}

/// Last request id used with a laptop.
pub fn last_request(items: &Items, laptop: LaptopId) -> u64 {
    items
        .value(Table::LastRequest, Key(u64::from(laptop.0), 0))
        .and_then(&decode)
        .unwrap_or(0)
}

/// Notes the last request id used with a laptop.
pub fn set_last_request(laptop: LaptopId, id: u64) -> Change {
    Change::Put(Table::LastRequest, Key(u64::from(laptop.0), 0), encode(&id))
}

/// What was last seen of a laptop's ledger.
pub fn ledger_seen(items: &Items, laptop: LaptopId) -> LedgerHead {
    items
        .value(Table::Ledger, Key(u64::from(laptop.0), 0))
        .and_then(&decode)
        .unwrap_or_default()
}

/// Notes what was seen of a laptop's ledger.
pub fn set_ledger_seen(laptop: LaptopId, head: LedgerHead) -> Change {
    Change::Put(Table::Ledger, Key(u64::from(laptop.0), 0), encode(&head))
}

/// Writes an entry down.
pub fn save_entry(entry: &Entry) -> Change {
    Change::Put(
        Table::Outbox,
        entry_key(entry.laptop, entry.id),
        encode(entry),
    )
}

/// Writes what is known of a laptop down.
pub fn save_laptop(laptop: &Laptop) -> Change {
    Change::Put(
        Table::Laptop,
        Key(u64::from(laptop.id.0), 0),
        encode_as(SECOND, laptop),
    )
}

/// Writes the record of a picture down.
pub fn save_picture(picture: &Picture) -> Change {
    Change::Put(
        Table::Picture,
        Key(u64::from(picture.id.0), 0),
        encode(picture),
    )
}

/// Writes recipe and earlier prompts down.
pub fn save_recipe(recipe: &Recipe, earlier: &[String]) -> Change {
    Change::Put(Table::Misc, Misc::Recipe.key(), encode(&(recipe, earlier)))
}

/// Writes the list of the drop folder down.
pub fn save_remote(at: u64, files: &[RemoteFile]) -> Change {
    Change::Put(Table::Misc, Misc::Remote.key(), encode(&(at, files)))
}

/// Writes an unfinished text down, or drops it if it is empty.
pub fn save_draft(items: &Items, purpose: &Purpose, text: &str) -> Change {
    let mut drafts = drafts(items);
    drafts.retain(|(known, _)| known != purpose);
    if !text.is_empty() {
        drafts.push((purpose.clone(), text.to_owned()));
    }
    let surplus = drafts.len().saturating_sub(MAX_DRAFTS);
    drafts.drain(..surplus);
    Change::Put(Table::Misc, Misc::Drafts.key(), encode_as(SECOND, &drafts))
}

fn drafts(items: &Items) -> Vec<(Purpose, String)> {
    items
        .value(Table::Misc, Misc::Drafts.key())
        .and_then(|bytes| {
            decode_either(bytes, |former: Vec<(FormerPurpose, String)>| {
                let now = |(purpose, text): (FormerPurpose, String)| Some((purpose.now()?, text));
                former.into_iter().filter_map(now).collect()
            })
        })
        .unwrap_or_default()
}

/// What differs between a conversation and the card.
pub fn save_chat(items: &Items, chat: &Chat) -> Vec<Change> {
    let major = u64::from(chat.id.0);
    let mut changes = Vec::new();
    let put = |changes: &mut Vec<Change>, table, key, value: Vec<u8>| {
        if items.value(table, key) != Some(&value) {
            changes.push(Change::Put(table, key, value));
        }
    };
    for (n, turn) in (0u32..).zip(&chat.turns) {
        let key = Key(major, n);
        let head = TurnHead {
            role: turn.role,
            model: turn.model.clone(),
            at: turn.at,
            request: turn.request,
            state: turn.state.clone(),
        };
        let text = shared_proto::message::clip(&turn.text, MAX_APPENDED).as_bytes();
        let have = items.value(Table::TurnText, key).unwrap_or_default();
        match text.strip_prefix(have) {
            Some([]) => {}
            Some(more) => changes.push(Change::Append(
                Table::TurnText,
                key,
                have.len() as u32,
                more.to_vec(),
            )),
            None => {
                // A rewritten text may be longer than one value: replaced by its beginning, then continued.
                let (first, rest) = text.split_at(text.len().min(MAX_APPENDED / 2));
                changes.push(Change::Put(Table::TurnText, key, first.to_vec()));
                if !rest.is_empty() {
                    changes.push(Change::Append(
                        Table::TurnText,
                        key,
                        first.len() as u32,
                        rest.to_vec(),
                    ));
                }
            }
        }
        put(&mut changes, Table::Turn, key, encode_as(SECOND, &head));
    }
    for (key, _) in items
        .table(Table::Turn)
        .filter(|(key, _)| key.0 == major && key.1 as usize >= chat.turns.len())
    {
        changes.push(Change::Delete(Table::Turn, key));
        changes.push(Change::Delete(Table::TurnText, key));
    }
    let head = ChatHead {
        wire_id: chat.wire_id,
        kind: chat.kind,
        title: chat.title.clone(),
        named: chat.named,
        model: chat.model.clone(),
        system: chat.system.clone(),
        changed: chat.changed,
        unread: chat.unread,
        turns: chat.turns.len() as u32,
        context_from: chat.context_from,
    };
    put(
        &mut changes,
        Table::Conversation,
        Key(major, 0),
        encode(&head),
    );
    changes
}

/// Deletes a conversation.
pub fn drop_chat(id: ChatId) -> Vec<Change> {
    let major = u64::from(id.0);
    [Table::Conversation, Table::Turn, Table::TurnText]
        .map(|table| Change::DeleteAll(table, major))
        .to_vec()
}

/// Notes that a file of this name is being written: until [`end_file`] it is half a file.
pub fn begin_file(name: &str) -> Change {
    Change::Put(Table::Misc, Misc::Begun.key(), encode(name))
}

/// Notes that the file is whole, or gone.
pub fn end_file() -> Change {
    Change::Delete(Table::Misc, Misc::Begun.key())
}

/// The file that was being written.
pub fn begun_file(items: &Items) -> Option<String> {
    items
        .value(Table::Misc, Misc::Begun.key())
        .and_then(&decode)
}

/// Whether a newer version has written any of this: reading on would lose what it knows and this one does not.
pub fn is_newer(items: &Items, settings: Option<&[u8]>) -> bool {
    let tables = [
        Table::Conversation,
        Table::Turn,
        Table::Outbox,
        Table::Part,
        Table::LastRequest,
        Table::Laptop,
        Table::Picture,
        Table::PictureBlob,
        Table::Misc,
        Table::Ledger,
    ];
    tables
        .into_iter()
        .flat_map(|table| items.table(table).map(|(_, bytes)| bytes))
        .chain(settings)
        .any(|bytes| bytes.first().is_some_and(|version| *version > NEWEST))
}

/// Everything that is stored, but for settings and files, which lie elsewhere. What cannot be read is named.
pub fn load(items: &Items, settings: Option<&[u8]>, skipped: &mut Vec<Skipped>) -> Stored {
    let mut stored = Stored::default();
    if let Some(bytes) = settings {
        match decode_settings(bytes) {
            Some(settings) => stored.settings = settings,
            None => skipped.push(Skipped {
                what: "the settings: defaults are used".into(),
            }),
        }
    }
    let laptop = |bytes: &[u8]| decode_either(bytes, |former: FormerLaptop| former.into());
    stored.laptops = list(items, Table::Laptop, "laptop", skipped, laptop);
    stored.pictures = list(items, Table::Picture, "picture", skipped, decode);
    stored
        .pictures
        .sort_by_key(|p: &Picture| std::cmp::Reverse(p.id));
    stored.entries = list(items, Table::Outbox, "request", skipped, decode);
    for (key, bytes) in items.table(Table::Part) {
        if let Some(part) = decode::<Part>(bytes) {
            stored.parts.push((
                LaptopId(key.1 >> 8),
                RequestId(key.0),
                (key.1 & 0xFF) as u8,
                part.len,
            ));
        }
    }
    for (key, bytes) in items.table(Table::Conversation) {
        match decode::<ChatHead>(bytes) {
            Some(head) => {
                let chat = chat(items, key.0, head, &stored.entries, skipped);
                stored.chats.push(chat);
            }
            None => skipped.push(Skipped {
                what: format!("conversation {}", key.0),
            }),
        }
    }
    stored
        .chats
        .sort_by_key(|chat| std::cmp::Reverse((chat.changed, chat.id)));
    if let Some((recipe, earlier)) = items
        .value(Table::Misc, Misc::Recipe.key())
        .and_then(&decode)
    {
        (stored.recipe, stored.earlier) = (recipe, earlier);
    }
    stored.remote = items
        .value(Table::Misc, Misc::Remote.key())
        .and_then(&decode);
    stored.drafts = drafts(items);
    let seen = stored.laptops.iter().map(|l| l.seen_at);
    let written = stored
        .chats
        .iter()
        .map(|c| c.changed)
        .chain(stored.pictures.iter().map(|p| p.at));
    stored.last_seen = seen.chain(written).max().unwrap_or(0);
    stored
}

fn list<T>(
    items: &Items,
    table: Table,
    what: &str,
    skipped: &mut Vec<Skipped>,
    decode: impl Fn(&[u8]) -> Option<T>,
) -> Vec<T> {
    let mut found = Vec::new();
    for (key, bytes) in items.table(table) {
        match decode(bytes) {
            Some(value) => found.push(value),
            None => skipped.push(Skipped {
                what: format!("{what} {}", key.0),
            }),
        }
    }
    found
}

/// A turn of the first version: its request is the one that this conversation waits for under that number. If it waits for none,
/// the request is over, and no laptop has the number zero.
fn turn_of(former: FormerTurn, chat: ChatId, entries: &[Entry]) -> TurnHead {
    let laptop = |id: RequestId| {
        let waits = |e: &&Entry| e.id == id && e.origin == Origin::Chat(chat);
        entries.iter().find(waits).map_or(LaptopId(0), |e| e.laptop)
    };
    TurnHead {
        role: former.role,
        model: former.model,
        at: former.at,
        request: former.request.map(|id| RequestKey {
            laptop: laptop(id),
            id,
        }),
        state: former.state,
    }
}

fn chat(
    items: &Items,
    major: u64,
    head: ChatHead,
    entries: &[Entry],
    skipped: &mut Vec<Skipped>,
) -> Chat {
    let id = ChatId(major as u32);
    let decode = |bytes: &[u8]| decode_either(bytes, |former| turn_of(former, id, entries));
    let mut turns = Vec::new();
    for n in 0..head.turns {
        let key = Key(major, n);
        match items.value(Table::Turn, key).and_then(&decode) {
            Some(turn) => turns.push(Turn {
                role: turn.role,
                text: String::from_utf8_lossy(
                    items.value(Table::TurnText, key).unwrap_or_default(),
                )
                .into_owned(),
                model: turn.model,
                at: turn.at,
                request: turn.request,
                state: turn.state,
            }),
            None => skipped.push(Skipped {
                what: format!("turn {n} of conversation {major}"),
            }),
        }
    }
    Chat {
        id,
        wire_id: head.wire_id,
        kind: head.kind,
        title: head.title,
        named: head.named,
        model: head.model,
        system: head.system,
        turns,
        context_from: head.context_from,
        changed: head.changed,
        unread: head.unread,
    }
}

#[cfg(test)]
#[path = "shelf_tests.rs"]
mod tests;
