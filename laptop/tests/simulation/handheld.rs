//! The handheld of the simulation: a card, and a memory that a battery takes with it.

use super::{End, Faults, SLOT, answer};
use shared_proto::error::ErrorCode;
use shared_proto::message::{Offset, Offsets, RequestId};
use shared_proto::session::{ClientEvent, ClientSession};
use shared_proto::time::Millis;
use std::collections::BTreeMap;

/// A request on the handheld's card.
#[derive(Clone, Debug, Default)]
pub struct Item {
    /// The laptop said that it has it.
    accepted: bool,
    got: Vec<u8>,
    end: Option<End>,
}

#[derive(Clone, Debug, Default)]
pub struct Card {
    pub last_id: u64,
    pub items: BTreeMap<u64, Item>,
}

#[derive(Default)]
pub struct Handheld {
    /// What survives its battery.
    pub kept: Card,
    /// What is being written, and when that is done.
    writing: Option<(u64, Card)>,
    /// Whether its card takes anything.
    pub full: bool,
    /// What the app has in memory.
    pub open: Card,
    pub session: Option<ClientSession>,
    /// What has ended and was put away, with the octets that it has.
    pub away: BTreeMap<u64, (End, usize)>,
}

impl Handheld {
    /// Goes on with whatever is on the card and not alive.
    pub fn send(&mut self, now: u64, faults: &mut Faults) {
        let Some(session) = &mut self.session else {
            return;
        };
        if self.writing.is_some() {
            // It goes on from what is on the card, which is about to change.
            return;
        }
        for (id, item) in &self.kept.items {
            // Full, alive already, or on the way: nothing of it is news.
            let _ = match (item.end.is_some(), item.accepted) {
                (true, _) => Ok(()),
                (false, true) => {
                    let offset = item.got.len() as u64;
                    // What came since the card was written is asked for once more.
                    let offsets = Offsets::from_iter([Offset { slot: SLOT, offset }]);
                    let said = session.resume(RequestId(*id), offsets, Millis(now));
                    if said.is_ok() {
                        faults.resumed += 1;
                        self.open.items.insert(*id, item.clone());
                    }
                    said
                }
                (false, false) => {
                    let said =
                        session.submit(RequestId(*id), &id.to_le_bytes(), &[0; 64], Millis(now));
                    if said.is_ok() {
                        self.open.items.insert(*id, item.clone());
                    }
                    said
                }
            };
        }
    }

    /// The battery goes: so does what is not on the card.
    pub fn lose_power(&mut self) {
        self.writing = None;
        self.session = None;
        self.open = self.kept.clone();
    }

    /// The card begins to be written, which takes it so many milliseconds.
    pub fn write_down(&mut self, now: u64, takes: u64) {
        if self.writing.is_none() && !self.full {
            self.writing = Some((now + takes, self.open.clone()));
        }
    }

    /// Once the card is written, what depends on that goes out.
    pub fn settle(&mut self, now: u64) {
        match self.writing.take() {
            Some((done, card)) if done <= now => self.kept = card,
            unfinished => return self.writing = unfinished,
        }
        let ended: Vec<u64> = self
            .kept
            .items
            .iter()
            .filter_map(|(id, item)| item.end.map(|_| *id))
            .collect();
        if let Some(session) = &mut self.session {
            for (id, item) in &self.kept.items {
                session
                    .stored(RequestId(*id), SLOT, item.got.len() as u64, Millis(now))
                    .unwrap();
            }
            for id in &ended {
                session.ack(RequestId(*id), Millis(now)).unwrap();
            }
        }
        for id in ended {
            if let Some(item) = self.open.items.remove(&id)
                && let Some(end) = item.end
            {
                let before = self.away.insert(id, (end, item.got.len()));
                assert!(
                    before.is_none_or(|before| before == (end, item.got.len())),
                    "request {id} ended in two ways"
                );
            }
        }
    }

    pub fn receive(&mut self, octets: &[u8], at: Millis) {
        let Some(session) = &mut self.session else {
            return;
        };
        let items = &mut self.open.items;
        session
            .receive(octets, at, |event| match event {
                ClientEvent::Accepted(id) => {
                    if let Some(item) = items.get_mut(&id.0) {
                        item.accepted = true;
                    }
                }
                ClientEvent::Data(data) => {
                    let item = items.get_mut(&data.id.0).unwrap();
                    assert_eq!(
                        data.offset,
                        item.got.len() as u64,
                        "a hole in {:?}",
                        data.id
                    );
                    assert_eq!(data.bytes, answer(data.id.0, data.offset, data.bytes.len()));
                    item.got.extend(data.bytes);
                }
                ClientEvent::Done(done) => {
                    let item = items.get_mut(&done.id.0).unwrap();
                    item.end = Some(End::Done);
                }
                ClientEvent::Failed(failed) => {
                    let item = items.get_mut(&failed.id.0).unwrap();
                    match failed.code == ErrorCode::UnknownRequest as u16 {
                        // It never arrived there.
                        true => item.accepted = false,
                        false => item.end = Some(End::Failed(failed.code)),
                    }
                }
                _ => {}
            })
            .unwrap();
    }
}
