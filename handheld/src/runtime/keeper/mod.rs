//! The card's own thread: errands in order, answers as messages.
//!
//! Whatever leaves for the laptop passes here too, behind the writes that it depends on: a submit goes out only after its
//! number and program are on the card, an acknowledgement only after its result is.

mod effects;
mod errand;
mod failure;
mod files;
mod laptops;
mod requests;
mod seal;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use smol::channel::{Receiver, Sender};

use super::drawer::Drawer;
use super::parts::Parts;
use super::{raster, shelf};
use crate::app::model::laptop::LaptopId;
use crate::app::model::outbox::{Failure, RequestId, RequestKey};
use crate::app::model::{Chat, ChatId, Picture, PictureId};
use crate::app::msg::{CardEvent, Msg, Trouble};
use crate::card::folder::Folder;
use crate::card::{Card, CardError, Change, LockedCard, Opened, Skipped};
use crate::link::Command;

pub use errand::{Errand, Reach};

/// Octets of changes in one batch at most; a restored conversation is longer than the journal takes at once.
const BATCH_LEN: usize = 1 << 20;

enum State {
    Open(Box<Card<Folder>>),
    Locked(Box<LockedCard<Folder>>),
    /// The card cannot be used: why, in words.
    Useless(String),
}

/// What could not be written down, and is tried again before the next write.
struct Unsaved<T> {
    record: Box<T>,
    /// Why, for a request that would go out while its place is not on the card.
    failure: Failure,
}

/// The thread's content.
pub struct Keeper {
    state: State,
    drawer: Drawer,
    parts: Parts,
    /// Requests whose last write failed, and why: nothing of them may leave.
    unwritten: BTreeMap<RequestKey, Failure>,
    /// Conversations whose last write failed.
    unsaved: BTreeMap<ChatId, Unsaved<Chat>>,
    /// Pictures whose last write failed.
    unsaved_pictures: BTreeMap<PictureId, Unsaved<Picture>>,
    /// Requests that are over and still on the card, and whether the laptop is to be told once they are not.
    held: BTreeMap<RequestKey, bool>,
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
            unwritten: BTreeMap::new(),
            unsaved: BTreeMap::new(),
            unsaved_pictures: BTreeMap::new(),
            held: BTreeMap::new(),
            torn: BTreeSet::new(),
            linked: None,
            tell,
            link,
            clock,
        };
        match opened {
            Ok(Opened::Ready(card, skipped)) => keeper.ready(card, skipped),
            Ok(Opened::Locked(locked)) => {
                let settings = locked.settings().and_then(shelf::decode_settings);
                keeper.state = State::Locked(locked);
                keeper.say(CardEvent::Locked(settings.map(Box::new)));
            }
            Err(error) => {
                keeper.useless(&error);
            }
        }
        Ok(keeper)
    }

    /// Goes on without a card: the app opens empty and says why.
    fn useless(&mut self, error: &CardError) {
        self.state = State::Useless(error.to_string());
        self.say(CardEvent::Loaded(Box::default()));
        self.trouble(error);
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
        let kind = match error {
            CardError::Full { need } => Trouble::Full(Some(*need)),
            CardError::StoreFull { .. } => Trouble::Full(None),
            CardError::Newer { .. } => Trouble::Newer,
            _ => Trouble::Broken,
        };
        self.say(CardEvent::Trouble {
            kind,
            detail: error.to_string(),
        });
    }

    fn ready(&mut self, mut card: Box<Card<Folder>>, mut skipped: Vec<Skipped>) {
        if shelf::is_newer(card.items(), card.settings()) {
            // Reading what is understood and writing over the rest would lose it for the newer version too.
            return self.useless(&CardError::Newer { what: "data" });
        }
        self.drop_unfinished(&mut card);
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
                kind: Trouble::Broken,
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
                self.catch_up();
                let _ = reply.send_blocking(());
                Ok(())
            }
        };
        if let Err(error) = result {
            self.trouble(&error);
        }
    }
}

#[cfg(test)]
mod tests;
