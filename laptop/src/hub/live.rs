//! What is alive of one relationship: its running requests, its rate, and the session that is here.

use super::{Hub, Work};
use crate::policy::{RateWindow, Usage};
use crate::store::{Outcome, RelationshipId, RequestState, StoreError};
use shared_proto::message::RequestId;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, Weak};

/// What a session is told from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Something of a request it follows changed.
    Work,
    /// Permissions or models changed.
    Standing,
    /// The session has to end.
    Close,
}

/// Tells a session something; called from any thread and must not block.
pub type Tell = Arc<dyn Fn(Signal) + Send + Sync>;

/// The end of a request that is told and not written down yet. Its results went with the store that did not take them.
pub(super) struct Owed {
    /// How it ended.
    pub(super) state: RequestState,
    /// What it used.
    pub(super) used: Usage,
    /// Whether its tokens are estimated.
    pub(super) estimated: bool,
    /// What was set aside for it.
    pub(super) reserved: Usage,
}

impl Owed {
    fn outcome(&self) -> Outcome {
        Outcome {
            state: self.state.clone(),
            used: self.used,
            estimated: self.estimated,
            results: Vec::new(),
        }
    }
}

#[derive(Default)]
pub(super) struct Live {
    pub(super) works: BTreeMap<RequestId, Arc<Work>>,
    /// Those that have ended and that somebody may still be told of.
    ended: Vec<Weak<Work>>,
    pub(super) rate: RateWindow,
    pub(super) reserved: Usage,
    /// Ends that the store did not take; their works stay, and what was reserved for them.
    owed: BTreeMap<RequestId, Owed>,
    /// Held from the first look at a number until its work can be found, so that two sessions of one device never
    /// see a request between its durable write and its start, nor a reservation before it counts.
    pub(super) admission: Arc<Mutex<()>>,
    guest: Option<(u64, Tell)>,
    guests: u64,
}

impl Live {
    pub(super) fn signal(&self, signal: Signal) {
        if let Some((_, tell)) = &self.guest {
            tell(signal);
        }
    }

    /// A request has ended and that is written down: sessions that follow hold on to it, later ones find it in the store.
    pub(super) fn forget(&mut self, id: RequestId, reserved: Usage) {
        self.reserved = self.reserved.minus(reserved);
        self.ended.retain(|one| one.strong_count() > 0);
        let ended = self.works.remove(&id);
        self.ended.extend(ended.as_ref().map(Arc::downgrade));
    }

    /// A request has ended, and that is still to be written down.
    pub(super) fn owe(&mut self, id: RequestId, owed: Owed) {
        self.owed.insert(id, owed);
    }

    pub(super) fn works(&self) -> impl Iterator<Item = Arc<Work>> {
        self.works.values().map(Arc::clone)
    }

    /// As [`works`](Self::works), and those that somebody is still told of: stopped, they tell a caller nothing more.
    pub(super) fn followed(&self) -> impl Iterator<Item = Arc<Work>> {
        self.works()
            .chain(self.ended.iter().filter_map(Weak::upgrade))
    }

    /// Requests that have not ended.
    pub(super) fn running(&self) -> usize {
        self.works.len() - self.owed.len()
    }
}

impl Hub {
    /// Writes down ends that the store did not take when they came, oldest number first.
    ///
    /// # Errors
    /// What the store said; the rest stays owed.
    pub(super) fn pay(&self, relationship: RelationshipId) -> Result<(), StoreError> {
        loop {
            let (id, outcome) = {
                let lives = self.lock();
                let owed = lives.get(&relationship).map(|live| &live.owed);
                match owed.and_then(BTreeMap::first_key_value) {
                    Some((id, owed)) => (*id, owed.outcome()),
                    None => return Ok(()),
                }
            };
            match self
                .store
                .end_request(relationship, id.0, &outcome, self.wall())
            {
                // What was erased meanwhile has no end to be kept.
                Ok(()) | Err(StoreError::Unknown) => {}
                Err(error) => return Err(error),
            }
            let work = {
                let mut lives = self.lock();
                let Some(live) = lives.get_mut(&relationship) else {
                    return Ok(());
                };
                let work = live.works.get(&id).map(Arc::clone);
                if let Some(owed) = live.owed.remove(&id) {
                    live.forget(id, owed.reserved);
                }
                work
            };
            // Nothing names its files any more, and whoever follows has them open.
            if let Some(work) = work {
                work.change(|record| record.unlink());
            }
        }
    }

    /// As [`Hub::pay`], for all.
    ///
    /// # Errors
    /// The first; the others are tried all the same.
    pub(super) fn pay_all(&self) -> Result<(), StoreError> {
        let all: Vec<_> = self.lock().keys().copied().collect();
        let paid: Vec<_> = all.into_iter().map(|one| self.pay(one)).collect();
        paid.into_iter().collect()
    }
}

/// The place of a session at the hub. Dropping it leaves.
pub struct Guest {
    hub: Arc<Hub>,
    relationship: RelationshipId,
    number: u64,
}

impl Hub {
    /// Takes in a session. One that is still there is told to close: the handheld has one link at a time, so the
    /// older one is dead.
    pub fn enter(self: &Arc<Self>, relationship: RelationshipId, tell: Tell) -> Guest {
        let mut lives = self.lock();
        let live = lives.entry(relationship).or_default();
        live.signal(Signal::Close);
        live.guests += 1;
        live.guest = Some((live.guests, tell));
        Guest {
            hub: Arc::clone(self),
            relationship,
            number: live.guests,
        }
    }

    /// Whether a session of this relationship is here.
    pub fn is_linked(&self, relationship: RelationshipId) -> bool {
        self.lock()
            .get(&relationship)
            .is_some_and(|live| live.guest.is_some())
    }

    /// Requests of this relationship that have not ended.
    pub fn running(&self, relationship: RelationshipId) -> usize {
        self.lock().get(&relationship).map_or(0, Live::running)
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let mut lives = self.hub.lock();
        if let Some(live) = lives.get_mut(&self.relationship)
            && live
                .guest
                .as_ref()
                .is_some_and(|(number, _)| *number == self.number)
        {
            live.guest = None;
        }
    }
}
