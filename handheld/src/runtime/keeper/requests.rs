//! Requests: their numbers, what must be on the card before a word about them leaves, and the parts of their results.

use super::failure::own_failure;
use super::{Keeper, State, Unsaved, shelf};
use crate::app::effect::Target as Wanted;
use crate::app::model::laptop::LaptopId;
use crate::app::model::outbox::{Entry, Failure, Origin, RequestId, RequestKey};
use crate::app::model::{Chat, Picture, Role, TurnState};
use crate::app::msg::{CardEvent, LinkEvent, Msg};
use crate::card::{CardError, Change, Table};
use crate::link::Command;

impl Keeper {
    pub(super) fn save_chat(&mut self, record: Box<Chat>) -> Result<(), CardError> {
        let changes = shelf::save_chat(self.card()?.items(), &record);
        let result = self.change(changes);
        match &result {
            Ok(()) => self.unsaved.remove(&record.id),
            Err(error) => {
                let failure = own_failure(error);
                self.unsaved.insert(record.id, Unsaved { record, failure })
            }
        };
        result
    }

    pub(super) fn save_picture(&mut self, record: Box<Picture>) -> Result<(), CardError> {
        let result = self.change(vec![shelf::save_picture(&record)]);
        match &result {
            Ok(()) => self.unsaved_pictures.remove(&record.id),
            Err(error) => {
                let failure = own_failure(error);
                self.unsaved_pictures
                    .insert(record.id, Unsaved { record, failure })
            }
        };
        result
    }

    /// Writes down what the card did not take before, and drops what waited for that.
    pub(super) fn catch_up(&mut self) {
        self.try_again();
        self.release();
    }

    /// Writes down what the card did not take before. What it still does not take was told then.
    pub(super) fn try_again(&mut self) {
        if !matches!(self.state, State::Open(_)) {
            return;
        }
        for (_, unsaved) in std::mem::take(&mut self.unsaved) {
            let _ = self.save_chat(unsaved.record);
        }
        for (_, unsaved) in std::mem::take(&mut self.unsaved_pictures) {
            let _ = self.save_picture(unsaved.record);
        }
    }

    /// A request is over. It stays while its answer is in no conversation on the card: the next start takes it up again where the
    /// card's words end, and the laptop still has the rest.
    pub(super) fn drop_entry(&mut self, key: RequestKey) -> Result<(), CardError> {
        if self.is_unsaved(key) {
            self.held.entry(key).or_default();
            return Ok(());
        }
        let RequestKey { laptop, id } = key;
        self.unwritten.remove(&key);
        self.torn.remove(&(laptop, id));
        let (mut changes, blobs) = self.parts.drop_request(laptop, id);
        changes.push(Change::Delete(Table::Outbox, shelf::entry_key(laptop, id)));
        if let Err(error) = self.change(changes) {
            self.held.entry(key).or_default();
            return Err(error);
        }
        self.parts.forget_request(laptop, id);
        if self.held.remove(&key) == Some(true) && self.linked == Some(laptop) {
            // A link that is gone takes nothing; the laptop drops it in time.
            let _ = self.link.send_blocking(Command::Ack(id));
        }
        blobs
            .iter()
            .try_for_each(|blob| self.card()?.delete_blob(blob))
    }

    /// Drops what was held and need not be any longer.
    pub(super) fn release(&mut self) {
        let held: Vec<_> = self.held.keys().copied().collect();
        for key in held {
            let _ = self.drop_entry(key);
        }
    }

    /// The answer to this request has ended and is in no conversation on the card yet: the request stays, here and at the
    /// laptop.
    pub(super) fn is_unsaved(&self, key: RequestKey) -> bool {
        self.unsaved
            .values()
            .any(|unsaved| has_ended(&unsaved.record, key))
    }

    /// Why the place of what a request asks for is not on the card, where it is not: the request would run, and a pulled
    /// battery would leave its answer or picture no place.
    pub(super) fn without_place(&self, entry: &Entry) -> Option<Failure> {
        match &entry.origin {
            Origin::Chat(chat) => self.unsaved.get(chat).map(|unsaved| &unsaved.failure),
            Origin::Picture(picture) => self
                .unsaved_pictures
                .get(picture)
                .map(|unsaved| &unsaved.failure),
            _ => None,
        }
        .cloned()
    }

    /// Lets a command out, unless what it depends on could not be written.
    pub(super) fn pass(&mut self, command: Command) {
        // Commands name requests of the laptop that a link is kept to.
        let linked = |id: RequestId| self.linked.map(|laptop| RequestKey { laptop, id });
        if let Command::Ack(id) = &command
            && let Some(acknowledged) = linked(*id).and_then(|key| self.held.get_mut(&key))
        {
            *acknowledged = true;
            return;
        }
        if let Command::Submit { id, .. } | Command::Ack(id) = &command
            && let Some(failure) = linked(*id).and_then(|key| self.unwritten.get(&key))
        {
            if matches!(command, Command::Submit { .. }) {
                let failure = failure.clone();
                let _ = self
                    .tell
                    .send_blocking(Msg::Link(LinkEvent::Failed { id: *id, failure }));
            }
            return;
        }
        // A link that is gone takes nothing.
        let _ = self.link.send_blocking(command);
    }

    pub(super) fn new_request(&mut self, ticket: u32, mut entry: Entry) -> Result<(), CardError> {
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

    pub(super) fn save_part(
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
    pub(super) fn stored(&self, id: RequestId, slot: u8, offset: u64) {
        let _ = self
            .link
            .send_blocking(Command::Stored { id, slot, offset });
    }

    pub(super) fn keep(
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
}

fn has_ended(chat: &Chat, key: RequestKey) -> bool {
    let over = |state: &TurnState| matches!(state, TurnState::Done | TurnState::Broken(_));
    chat.turns
        .iter()
        .any(|t| t.role == Role::Answer && t.request == Some(key) && over(&t.state))
}
