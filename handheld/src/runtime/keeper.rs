//! The card's own thread: errands in order, answers as messages.
//!
//! Whatever leaves for the laptop passes here too, behind the writes that it depends on: a submit goes out only after its
//! number and program are on the card, an acknowledgement only after its result is.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use smol::channel::{Receiver, Sender};

use super::drawer::Drawer;
use super::parts::Parts;
use super::{raster, shelf};
use crate::app::effect::{Effect, Target as Wanted};
use crate::app::model::laptop::{Carrier, Laptop, LaptopId, Network};
use crate::app::model::outbox::{Failure, RequestId, RequestKey, Source};
use crate::app::model::{Chat, ChatId, Entry, PictureId, Role, TurnState};
use crate::app::msg::{CardEvent, LinkEvent, Msg};
use crate::card::folder::Folder;
use crate::card::{Card, CardError, Change, Key, LockedCard, Opened, Relationship, Skipped, Table};
use crate::input::button::Button;
use crate::link::{Command, Target};
use crate::lock;

/// Octets of changes in one batch at most; a restored conversation is longer than the journal takes at once.
const BATCH_LEN: usize = 1 << 20;

/// Octets of learned words that are kept.
const MAX_WORDS: usize = 60 * 1024;

/// Something for the card's thread to do.
#[derive(Debug)]
pub enum Errand {
    /// A card effect of the app.
    Effect(Effect),
    /// Pass this on to the link once everything before it is on the card.
    Pass(Command),
    /// Keep a link to this laptop, or to none.
    Link(Option<Reach>),
    /// Drop the keys and all that belongs to a laptop.
    Forget(LaptopId),
    /// Read a piece of an upload.
    Piece {
        /// From where.
        source: Source,
        /// Where in it.
        offset: u64,
        /// How much.
        len: usize,
        /// To whom: the octets and the length of the whole.
        reply: Sender<Option<(Vec<u8>, u64)>>,
    },
    /// Write a new pairing down.
    Pair {
        /// Keys, without a number yet.
        relationship: Box<Relationship>,
        /// What is known of the laptop, without a number yet.
        laptop: Box<Laptop>,
        /// To whom: the laptop with its number, or why not.
        reply: Sender<Result<Laptop, String>>,
    },
    /// Write changed keys of a laptop down.
    Rekey {
        /// The keys.
        relationship: Box<Relationship>,
        /// To whom: whether they are on the card.
        reply: Sender<bool>,
    },
    /// Nothing follows: answer when all before is done.
    Flush(Sender<()>),
}

/// How a laptop is reached.
#[derive(Clone, Debug)]
pub struct Reach {
    /// Which.
    pub laptop: LaptopId,
    /// Ways, best first.
    pub carriers: Vec<Carrier>,
    /// The network that it opens, if one is known.
    pub network: Option<Network>,
}

enum State {
    Open(Box<Card<Folder>>),
    Locked(Box<LockedCard<Folder>>),
    /// The card cannot be used: why, in words.
    Useless(String),
}

/// The thread's content.
pub struct Keeper {
    state: State,
    drawer: Drawer,
    parts: Parts,
    /// Requests whose last write failed: nothing of them may leave.
    unwritten: BTreeSet<RequestKey>,
    /// Answers that have ended and could not be written down: their requests stay, here and at the laptop.
    unsaved: BTreeMap<ChatId, BTreeSet<RequestKey>>,
    /// Results with a hole: a part of them could not be written.
    torn: BTreeSet<(LaptopId, RequestId)>,
    /// The laptop that a link is kept to.
    linked: Option<LaptopId>,
    tell: Sender<Msg>,
    link: Sender<Command>,
    clock: fn() -> u64,
}

impl Keeper {
    /// Opens the card in `home` and tells what is on it.
    ///
    /// # Errors
    /// The folder of files cannot be made: there is no card at all.
    pub fn open(
        home: &Path,
        tell: Sender<Msg>,
        link: Sender<Command>,
        clock: fn() -> u64,
    ) -> Result<Self, CardError> {
        let drawer = Drawer::open(&home.join("files"))?;
        let place: PathBuf = home.join("card");
        let opened = Folder::open(&place).and_then(|folder| Card::open(folder, clock()));
        let mut keeper = Self {
            state: State::Useless(String::new()),
            drawer,
            parts: Parts::default(),
            unwritten: BTreeSet::new(),
            unsaved: BTreeMap::new(),
            torn: BTreeSet::new(),
            linked: None,
            tell,
            link,
            clock,
        };
        match opened {
            Ok(Opened::Ready(card, skipped)) => keeper.ready(card, skipped),
            Ok(Opened::Locked(locked)) => {
                keeper.state = State::Locked(locked);
                keeper.say(CardEvent::Locked);
            }
            Err(error) => {
                keeper.state = State::Useless(error.to_string());
                keeper.say(CardEvent::Loaded(Box::default()));
                keeper.trouble(&error);
            }
        }
        Ok(keeper)
    }

    /// Works until the errands end.
    pub fn run(mut self, errands: &Receiver<Errand>) {
        while let Ok(errand) = errands.recv_blocking() {
            self.carry_out(errand);
            if errands.is_empty()
                && let State::Open(card) = &mut self.state
                && let Err(error) = card.tidy()
            {
                log::warn!("the card was not tidied: {error}");
            }
        }
    }

    fn say(&self, event: CardEvent) {
        // An app that is gone needs no answer.
        let _ = self.tell.send_blocking(Msg::Card(event));
    }

    fn trouble(&self, error: &CardError) {
        log::warn!("{error}");
        let need = match error {
            CardError::Full { need } => Some(*need),
            _ => None,
        };
        let full = matches!(error, CardError::Full { .. } | CardError::StoreFull { .. });
        self.say(CardEvent::Trouble {
            full,
            need,
            detail: error.to_string(),
        });
    }

    fn ready(&mut self, mut card: Box<Card<Folder>>, mut skipped: Vec<Skipped>) {
        let mut stored = shelf::load(card.items(), card.settings(), &mut skipped);
        stored.settings.lock = card.is_locked();
        stored.words = card
            .words()
            .and_then(|words| String::from_utf8(words).ok())
            .unwrap_or_default();
        // A laptop without keys cannot be talked to; keys without a laptop's record still can.
        stored
            .laptops
            .retain(|l| card.relationships().iter().any(|r| r.id == l.id.0));
        self.parts = Parts::load(card.items());
        stored.parts = self.parts.lengths();
        stored.local = self.drawer.list().unwrap_or_default();
        if let Err(error) = card.sweep(&Parts::named(card.items())) {
            log::warn!("what a power cut left behind stays: {error}");
        }
        for lost in &skipped {
            log::warn!("skipped on the card: {}", lost.what);
        }
        self.state = State::Open(card);
        self.say(CardEvent::Loaded(Box::new(stored)));
        if !skipped.is_empty() {
            let detail = skipped
                .iter()
                .map(|s| s.what.as_str())
                .collect::<Vec<_>>()
                .join("; ");
            self.say(CardEvent::Trouble {
                full: false,
                need: None,
                detail: format!("Damaged on the card: {detail}."),
            });
        }
    }

    fn card(&mut self) -> Result<&mut Card<Folder>, CardError> {
        match &mut self.state {
            State::Open(card) => Ok(card),
            State::Locked(_) => Err(CardError::Damaged {
                what: "lock: the card is still sealed".into(),
            }),
            State::Useless(why) => Err(CardError::Damaged {
                what: format!("card ({why})"),
            }),
        }
    }

    fn change(&mut self, changes: Vec<Change>) -> Result<(), CardError> {
        let card = self.card()?;
        let mut batch = Vec::new();
        let mut len = 0;
        for change in changes {
            let more = match &change {
                Change::Put(_, _, bytes) | Change::Append(_, _, _, bytes) => bytes.len(),
                Change::Delete(..) | Change::DeleteAll(..) => 0,
            };
            if len + more > BATCH_LEN && !batch.is_empty() {
                card.change(std::mem::take(&mut batch))?;
                len = 0;
            }
            len += more;
            batch.push(change);
        }
        card.change(batch)
    }

    fn carry_out(&mut self, errand: Errand) {
        let result = match errand {
            Errand::Effect(effect) => self.effect(effect),
            Errand::Pass(command) => {
                self.pass(command);
                Ok(())
            }
            Errand::Link(wanted) => {
                self.link_to(wanted);
                Ok(())
            }
            Errand::Forget(laptop) => self.forget(laptop),
            Errand::Piece {
                source,
                offset,
                len,
                reply,
            } => {
                let piece = self.piece(&source, offset, len);
                if let Err(error) = &piece {
                    log::warn!("an upload cannot be read: {error}");
                }
                let _ = reply.send_blocking(piece.ok());
                Ok(())
            }
            Errand::Pair {
                relationship,
                laptop,
                reply,
            } => {
                let kept = self.pair(*relationship, *laptop);
                let _ = reply.send_blocking(kept.map_err(|e| e.to_string()));
                Ok(())
            }
            Errand::Rekey {
                relationship,
                reply,
            } => {
                let result = self.rekey(*relationship);
                let _ = reply.send_blocking(result.is_ok());
                result
            }
            Errand::Flush(reply) => {
                let _ = reply.send_blocking(());
                Ok(())
            }
        };
        if let Err(error) = result {
            self.trouble(&error);
        }
    }

    /// The answer to this request is in no conversation on the card yet.
    fn is_unsaved(&self, key: RequestKey) -> bool {
        self.unsaved.values().any(|answers| answers.contains(&key))
    }

    /// Lets a command out, unless what it depends on could not be written.
    fn pass(&mut self, command: Command) {
        // Commands name requests of the laptop that a link is kept to.
        let linked = |id: RequestId| self.linked.map(|laptop| RequestKey { laptop, id });
        if let Command::Submit { id, .. } | Command::Ack(id) = &command
            && linked(*id).is_some_and(|key| self.unwritten.contains(&key))
        {
            if matches!(command, Command::Submit { .. }) {
                let failure = Failure::own(Failure::CARD_FULL, "");
                let _ = self
                    .tell
                    .send_blocking(Msg::Link(LinkEvent::Failed { id: *id, failure }));
            }
            return;
        }
        if let Command::Ack(id) = &command
            && linked(*id).is_some_and(|key| self.is_unsaved(key))
        {
            return;
        }
        // A link that is gone takes nothing.
        let _ = self.link.send_blocking(command);
    }

    fn link_to(&mut self, wanted: Option<Reach>) {
        self.linked = wanted.as_ref().map(|reach| reach.laptop);
        let target = wanted.and_then(|reach| {
            let laptop = reach.laptop;
            let card = self.card().ok()?;
            let relationship = card
                .relationships()
                .iter()
                .find(|r| r.id == laptop.0)?
                .clone();
            let last_id = shelf::last_request(card.items(), laptop);
            Some(Box::new(Target {
                relationship,
                carriers: reach.carriers,
                network: reach.network,
                last_id,
            }))
        });
        let _ = self.link.send_blocking(Command::Target(target));
    }

    fn forget(&mut self, laptop: LaptopId) -> Result<(), CardError> {
        if self.linked == Some(laptop) {
            self.linked = None;
            let _ = self.link.send_blocking(Command::Farewell);
        }
        let card = self.card()?;
        let left = card
            .relationships()
            .iter()
            .filter(|r| r.id != laptop.0)
            .cloned()
            .collect();
        card.set_relationships(left)?;
        let mine: Vec<Key> = card
            .items()
            .table(Table::Outbox)
            .map(|(k, _)| k)
            .filter(|k| k.1 == laptop.0)
            .collect();
        // Its last request number stays: a laptop that is paired later gets another number and nothing of this one's.
        let mut changes = vec![Change::DeleteAll(Table::Laptop, u64::from(laptop.0))];
        changes.extend(
            mine.into_iter()
                .map(|key| Change::Delete(Table::Outbox, key)),
        );
        let (parts, blobs) = self.parts.drop_laptop(laptop);
        changes.extend(parts);
        self.change(changes)?;
        blobs
            .iter()
            .try_for_each(|blob| self.card()?.delete_blob(blob))
    }

    fn pair(
        &mut self,
        mut relationship: Relationship,
        mut laptop: Laptop,
    ) -> Result<Laptop, CardError> {
        let card = self.card()?;
        let mut list = card.relationships().to_vec();
        let used = card
            .items()
            .table(Table::LastRequest)
            .map(|(k, _)| k.0 as u32);
        // Numbers are not used twice while anything of the former holder is left.
        let next = list.iter().map(|r| r.id).chain(used).max().unwrap_or(0) + 1;
        relationship.id = next;
        laptop.id = LaptopId(next);
        self.change(vec![
            shelf::save_laptop(&laptop),
            shelf::set_last_request(laptop.id, 0),
        ])?;
        list.push(relationship);
        self.card()?.set_relationships(list)?;
        Ok(laptop)
    }

    fn rekey(&mut self, relationship: Relationship) -> Result<(), CardError> {
        let card = self.card()?;
        let mut list = card.relationships().to_vec();
        match list.iter_mut().find(|r| r.id == relationship.id) {
            Some(known) => *known = relationship,
            None => {
                return Err(CardError::Damaged {
                    what: "pairing: its keys are gone".into(),
                });
            }
        }
        card.set_relationships(list)
    }

    fn effect(&mut self, effect: Effect) -> Result<(), CardError> {
        match effect {
            Effect::NewRequest { ticket, entry } => {
                let result = self.new_request(ticket, *entry);
                if let Err(error) = &result {
                    let failure = own_failure(error);
                    self.say(CardEvent::NotNumbered { ticket, failure });
                }
                result
            }
            Effect::RaiseFloor(laptop, floor) => {
                let last = shelf::last_request(self.card()?.items(), laptop);
                if floor.0 > last + 1 {
                    return self.change(vec![shelf::set_last_request(laptop, floor.0 - 1)]);
                }
                Ok(())
            }
            Effect::SaveEntry(entry) => {
                let result = self.change(vec![shelf::save_entry(&entry)]);
                match &result {
                    Ok(()) => self.unwritten.remove(&entry.key()),
                    Err(_) => self.unwritten.insert(entry.key()),
                };
                result
            }
            // The next start takes it up again where the card's words end, and the laptop still has the rest.
            Effect::DropEntry(laptop, id) if self.is_unsaved(RequestKey { laptop, id }) => Ok(()),
            Effect::DropEntry(laptop, id) => {
                self.unwritten.remove(&RequestKey { laptop, id });
                self.torn.remove(&(laptop, id));
                let (mut changes, blobs) = self.parts.drop_request(laptop, id);
                changes.push(Change::Delete(Table::Outbox, shelf::entry_key(laptop, id)));
                self.change(changes)?;
                blobs
                    .iter()
                    .try_for_each(|blob| self.card()?.delete_blob(blob))
            }
            Effect::SavePart {
                laptop,
                id,
                slot,
                offset,
                bytes,
            } => self.save_part(laptop, id, slot, offset, &bytes),
            Effect::Keep {
                laptop,
                id,
                slot,
                target,
            } => {
                let event = match self.keep(laptop, id, slot, target) {
                    Ok((len, size)) => CardEvent::Kept {
                        laptop,
                        id,
                        len,
                        size,
                    },
                    Err(error) => {
                        log::warn!("the result of request {} was not kept: {error}", id.0);
                        CardEvent::NotKept {
                            laptop,
                            id,
                            failure: failure(&error),
                        }
                    }
                };
                self.say(event);
                Ok(())
            }
            Effect::SaveWords(words) => {
                // The last learned stand at the end and are worth most.
                let start = words.len().saturating_sub(MAX_WORDS);
                let start = (start..=words.len())
                    .find(|at| words.is_char_boundary(*at))
                    .unwrap_or(0);
                self.card()?.set_words(&words.as_bytes()[start..])
            }
            Effect::SaveSettings(settings) => self
                .card()?
                .set_settings(&shelf::encode_settings(&settings)),
            Effect::SaveLaptop(laptop) => self.change(vec![shelf::save_laptop(&laptop)]),
            Effect::SaveChat(chat) => {
                let changes = shelf::save_chat(self.card()?.items(), &chat);
                let result = self.change(changes);
                match &result {
                    Ok(()) => self.unsaved.remove(&chat.id),
                    Err(_) => self.unsaved.insert(chat.id, ended(&chat)),
                };
                result
            }
            Effect::DropChat(id) => {
                self.unsaved.remove(&id);
                self.change(shelf::drop_chat(id))
            }
            Effect::SavePicture(picture) => self.change(vec![shelf::save_picture(&picture)]),
            Effect::DropPicture(id) => {
                let blob = Parts::blob_of(self.card()?.items(), id);
                let major = u64::from(id.0);
                self.change(vec![
                    Change::DeleteAll(Table::Picture, major),
                    Change::DeleteAll(Table::PictureBlob, major),
                ])?;
                blob.map_or(Ok(()), |blob| self.card()?.delete_blob(&blob))
            }
            Effect::SaveRecipe(recipe, earlier) => {
                self.change(vec![shelf::save_recipe(&recipe, &earlier)])
            }
            Effect::SaveRemote(at, files) => self.change(vec![shelf::save_remote(at, &files)]),
            Effect::SaveDraft(purpose, text) => {
                let change = shelf::save_draft(self.card()?.items(), &purpose, &text);
                self.change(vec![change])
            }
            Effect::LoadPicture { picture, fit } => {
                let bytes = match self.picture(picture) {
                    // A card that cannot be read just now says nothing of the picture: it must not be painted over.
                    Err(error) if fit.is_none() && !matches!(error, CardError::Damaged { .. }) => {
                        return Err(error);
                    }
                    read => read.ok(),
                };
                let raster = bytes.and_then(|bytes| raster::decode(&bytes));
                let raster = raster.map(|whole| match fit {
                    Some((width, height)) => raster::fit(whole, width, height),
                    None => whole,
                });
                self.say(CardEvent::Raster {
                    picture,
                    thumb: fit.is_some(),
                    raster: raster.map(Arc::new),
                });
                Ok(())
            }
            Effect::ListFiles => self.list_files(),
            Effect::Hash(source) => {
                let facts = self.facts(&source).ok();
                self.say(CardEvent::Hashed { source, facts });
                Ok(())
            }
            Effect::DropFile(name) => self.drawer.delete(&name).and_then(|()| self.list_files()),
            Effect::WriteFile { name, bytes } => self.write_file(&name, bytes),
            Effect::ExportPicture { picture, name } => {
                let bytes = self.picture(picture)?;
                let (file, ending) = raster::as_file(&bytes).ok_or_else(|| CardError::Damaged {
                    what: "picture".into(),
                })?;
                self.write_file(&format!("{name}.{ending}"), file)
            }
            Effect::Unlock(sequence) => {
                self.unlock(&octets(&sequence));
                Ok(())
            }
            Effect::SetLock(sequence) => self.set_lock(sequence),
            other => {
                log::warn!("not the card's business: {other:?}");
                Ok(())
            }
        }
    }

    fn new_request(&mut self, ticket: u32, mut entry: Entry) -> Result<(), CardError> {
        let laptop = entry.laptop;
        entry.id = RequestId(shelf::last_request(self.card()?.items(), laptop) + 1);
        self.change(vec![
            shelf::set_last_request(laptop, entry.id.0),
            shelf::save_entry(&entry),
        ])?;
        self.say(CardEvent::Numbered {
            ticket,
            id: entry.id,
        });
        Ok(())
    }

    fn save_part(
        &mut self,
        laptop: LaptopId,
        id: RequestId,
        slot: u8,
        offset: u64,
        bytes: &[u8],
    ) -> Result<(), CardError> {
        let State::Open(card) = &mut self.state else {
            return self.card().map(drop);
        };
        let end = offset.saturating_add(bytes.len() as u64);
        match self.parts.write(card, (laptop, id, slot), offset, bytes) {
            Ok(()) => {
                self.torn.remove(&(laptop, id));
                self.stored(id, slot, end);
                Ok(())
            }
            Err(error) => {
                // The laptop keeps it until it is acknowledged. What else it sends is let go by, so that it comes to its end and
                // can be fetched again whole; that is told once.
                self.stored(id, slot, end);
                if !self.torn.insert((laptop, id)) {
                    return Ok(());
                }
                self.say(CardEvent::NotKept {
                    laptop,
                    id,
                    failure: own_failure(&error),
                });
                Err(error)
            }
        }
    }

    /// Tells the link that this much of a result needs no more room.
    fn stored(&self, id: RequestId, slot: u8, offset: u64) {
        let _ = self
            .link
            .send_blocking(Command::Stored { id, slot, offset });
    }

    fn keep(
        &mut self,
        laptop: LaptopId,
        id: RequestId,
        slot: u8,
        target: Wanted,
    ) -> Result<(u64, Option<(u32, u32)>), CardError> {
        let State::Open(card) = &mut self.state else {
            return Err(CardError::Damaged {
                what: "card".into(),
            });
        };
        if self.torn.contains(&(laptop, id)) {
            return Err(CardError::Full { need: 0 });
        }
        self.parts
            .keep(card, &self.drawer, (laptop, id, slot), target)
    }

    fn picture(&mut self, id: PictureId) -> Result<Vec<u8>, CardError> {
        let card = self.card()?;
        let missing = || CardError::Damaged {
            what: "picture".into(),
        };
        let blob = Parts::blob_of(card.items(), id).ok_or_else(missing)?;
        let len = card
            .blob_len(&blob)?
            .filter(|len| *len <= super::parts::MAX_PICTURE)
            .ok_or_else(missing)?;
        card.read_blob(&blob, 0, len as usize)
    }

    fn piece(
        &mut self,
        source: &Source,
        offset: u64,
        len: usize,
    ) -> Result<(Vec<u8>, u64), CardError> {
        match source {
            Source::File(name) => self.drawer.piece(name, offset, len),
            Source::Picture(id) => self.picture(*id).map(|bytes| cut(&bytes, offset, len)),
            Source::Bytes(bytes) => Ok(cut(bytes, offset, len)),
        }
    }

    fn facts(&mut self, source: &Source) -> Result<(u64, [u8; 32]), CardError> {
        let hashed = |bytes: &[u8]| {
            let mut sum = [0; 32];
            sum.copy_from_slice(ring::digest::digest(&ring::digest::SHA256, bytes).as_ref());
            (bytes.len() as u64, sum)
        };
        match source {
            Source::File(name) => self.drawer.facts(name),
            Source::Picture(id) => self.picture(*id).map(|bytes| hashed(&bytes)),
            Source::Bytes(bytes) => Ok(hashed(bytes)),
        }
    }

    fn list_files(&mut self) -> Result<(), CardError> {
        let files = self.drawer.list()?;
        self.say(CardEvent::Files {
            files,
            free: self.drawer.free(),
        });
        Ok(())
    }

    fn write_file(&mut self, wanted: &str, bytes: Vec<u8>) -> Result<(), CardError> {
        let name = self.drawer.free_name(wanted);
        self.drawer.write(&name, |at| {
            Ok(if at == 0 { bytes.clone() } else { Vec::new() })
        })?;
        self.say(CardEvent::Saved { name });
        self.list_files()
    }

    fn unlock(&mut self, sequence: &[u8]) {
        let State::Locked(locked) = &mut self.state else {
            return;
        };
        match locked.try_sequence(sequence, (self.clock)()) {
            Ok(key) => {
                let State::Locked(locked) =
                    std::mem::replace(&mut self.state, State::Useless(String::new()))
                else {
                    return;
                };
                match locked.open(key) {
                    Ok((card, skipped)) => self.ready(Box::new(card), skipped),
                    Err(error) => {
                        self.state = State::Useless(error.to_string());
                        // As without a lock: the app opens empty and says why, instead of checking for ever.
                        self.say(CardEvent::Loaded(Box::default()));
                        self.trouble(&error);
                    }
                }
            }
            Err(CardError::WrongSequence { wait_ms } | CardError::TooSoon { wait_ms }) => {
                self.say(CardEvent::WrongSequence { wait_ms });
            }
            Err(error) => self.trouble(&error),
        }
    }

    fn set_lock(&mut self, sequence: Option<Vec<Button>>) -> Result<(), CardError> {
        let clock = self.clock;
        let card = self.card()?;
        match sequence {
            None => card.set_lock(None, lock::MIN_ITERATIONS)?,
            Some(sequence) => {
                let sequence = octets(&sequence);
                let started = clock();
                lock::stretch(&sequence, &[0; 16], 100_000);
                let iterations = lock::iterations_for(clock().saturating_sub(started));
                card.set_lock(Some(&sequence), iterations)?;
            }
        }
        let locked = card.is_locked();
        self.say(CardEvent::LockChanged(locked));
        Ok(())
    }
}

fn octets(sequence: &[Button]) -> Vec<u8> {
    sequence.iter().map(|b| b.index() as u8).collect()
}

fn cut(bytes: &[u8], offset: u64, len: usize) -> (Vec<u8>, u64) {
    let start = (offset as usize).min(bytes.len());
    let end = start.saturating_add(len).min(bytes.len());
    (bytes[start..end].to_vec(), bytes.len() as u64)
}

/// Requests whose answers have ended in this conversation.
fn ended(chat: &Chat) -> BTreeSet<RequestKey> {
    let over = |state: &TurnState| matches!(state, TurnState::Done | TurnState::Broken(_));
    chat.turns
        .iter()
        .filter(|t| t.role == Role::Answer && over(&t.state))
        .filter_map(|t| t.request)
        .collect()
}

/// A failure that is the card's own and not the laptop's.
fn own_failure(error: &CardError) -> Failure {
    let said = failure(error);
    match said.code {
        Failure::DAMAGED => Failure::own(Failure::CARD_BROKEN, error.to_string()),
        _ => said,
    }
}

fn failure(error: &CardError) -> Failure {
    let code = match error {
        CardError::Full { .. } | CardError::StoreFull { .. } => Failure::CARD_FULL,
        CardError::Damaged { .. } => Failure::DAMAGED,
        _ => Failure::CARD_BROKEN,
    };
    Failure::own(code, error.to_string())
}

#[cfg(test)]
#[path = "keeper_tests.rs"]
mod tests;
