//! The laptop's part in renewing the keys of a relationship, and the person's consent to more days.
//!
//! New keys alone extend nothing. A handheld that asks to renew makes a person here be asked, unless one has extended
//! the relationship lately (`officectl renew`); yes gives it the configured days from now, then the keys are renewed.

use crate::hub::{Hub, Question, Signal};
use crate::ipc::CancelToken;
use crate::sanitize::visible;
use crate::store::{RelationshipId, StoreError};
use shared_proto::channel::TlsChannel;
use shared_proto::crypto::Signer;
use shared_proto::crypto::ring::{RingCrypto, RingSigner};
use shared_proto::renewal::{
    Credentials, Fresh, LaptopRenewal, RenewalBinding, Renewing as Wanted, decline,
};
use std::sync::{Arc, Mutex, PoisonError};

/// Age of keys below which renewing them is declined, and how far an expiry may have come before a person is asked
/// again: a day, in seconds.
const DAY_S: i64 = 24 * 3600;

/// Answer of a person, once there is one.
type Answer = Arc<Mutex<Option<bool>>>;

/// See the module.
pub(super) struct Renewing {
    hub: Arc<Hub>,
    relationship: RelationshipId,
    keys: Credentials,
    tell: Arc<dyn Fn(Signal) + Send + Sync>,
    machine: Option<LaptopRenewal<RingCrypto>>,
    asking: Option<(Vec<u8>, Answer)>,
    withdrawn: CancelToken,
}

impl Renewing {
    /// For a session on `keys`; `tell` wakes its owner.
    pub(super) fn new(
        hub: Arc<Hub>,
        relationship: RelationshipId,
        keys: Credentials,
        tell: Arc<dyn Fn(Signal) + Send + Sync>,
    ) -> Self {
        Self {
            hub,
            relationship,
            keys,
            tell,
            machine: None,
            asking: None,
            withdrawn: CancelToken::new(),
        }
    }

    /// The keys that the session stands on.
    pub(super) fn keys(&self) -> &Credentials {
        &self.keys
    }

    /// Takes a step of the handheld's; returns what to answer now.
    pub(super) fn receive(&mut self, channel: &TlsChannel, step: &[u8]) -> Option<Vec<u8>> {
        if self.asking.is_some() {
            // One question at a time; the answer to it answers this step as well.
            return None;
        }
        if self.machine.is_some() {
            return Some(self.go_on(step));
        }
        match self.is_due() {
            Ok(Due::No) => Some(decline()),
            Ok(Due::Yes) => Some(self.begin(channel, step)),
            Ok(Due::Ask(name)) => self.ask(name, step),
            Err(error) => Some(self.give_up(&error)),
        }
    }

    /// What to answer now that a person may have spoken.
    pub(super) fn answered(&mut self, channel: &TlsChannel) -> Option<Vec<u8>> {
        let (_, answer) = self.asking.as_ref()?;
        let yes = (*answer.lock().unwrap_or_else(PoisonError::into_inner))?;
        let (step, _) = self.asking.take()?;
        if !yes {
            return Some(decline());
        }
        let until = self.hub.wall() + self.hub.settings().renewal_s;
        if let Err(error) = self.hub.store.set_expiry(self.relationship, until) {
            return Some(self.give_up(&error));
        }
        self.hub.changed(self.relationship);
        Some(self.begin(channel, &step))
    }

    fn is_due(&self) -> Result<Due, StoreError> {
        let relationship = self.hub.store.relationship(self.relationship)?;
        let now = self.hub.wall();
        let left = relationship.expires_at - now;
        Ok(if left < self.hub.settings().renewal_s - DAY_S {
            Due::Ask(relationship.name)
        } else if now - relationship.keys_since < DAY_S {
            Due::No
        } else {
            Due::Yes
        })
    }

    fn ask(&mut self, name: String, step: &[u8]) -> Option<Vec<u8>> {
        let answer = Answer::default();
        self.asking = Some((step.to_vec(), Arc::clone(&answer)));
        let days = self.hub.settings().renewal_s / DAY_S;
        let question = Question {
            relationship: self.relationship,
            device: visible(&name),
            request: 0,
            lines: vec![format!(
                "stay paired for {days} more days, with new keys on both sides"
            )],
            cost: String::new(),
            operations: Vec::new(),
        };
        let (hub, tell, withdrawn) = (
            Arc::clone(&self.hub),
            Arc::clone(&self.tell),
            self.withdrawn.clone(),
        );
        let asked = std::thread::Builder::new()
            .name("renewal".to_owned())
            .spawn(move || {
                let yes = hub
                    .desk
                    .put(question, hub.settings().ask_timeout, &withdrawn)
                    == Some(true);
                *answer.lock().unwrap_or_else(PoisonError::into_inner) = Some(yes);
                tell(Signal::Work);
            });
        match asked {
            Ok(_) => None,
            Err(error) => {
                self.asking = None;
                Some(self.give_up(&error))
            }
        }
    }

    fn begin(&mut self, channel: &TlsChannel, step: &[u8]) -> Vec<u8> {
        let own = RingSigner::new(&self.keys.own).public_key();
        let binding = match RenewalBinding::on_laptop(channel, own) {
            Ok(binding) => binding,
            Err(error) => return self.give_up(&error),
        };
        match Fresh::generate() {
            Ok(fresh) => self.machine = Some(LaptopRenewal::new(RingCrypto, binding, fresh)),
            Err(error) => return self.give_up(&error),
        }
        self.go_on(step)
    }

    fn go_on(&mut self, step: &[u8]) -> Vec<u8> {
        let Some(machine) = &mut self.machine else {
            return decline();
        };
        match machine.receive(step) {
            Ok(Wanted::Send(step)) => step,
            Ok(Wanted::Store(next)) => match self.adopt(next) {
                Ok(step) => step,
                Err(error) => self.give_up(&error),
            },
            Err(error) => self.give_up(&error),
        }
    }

    /// Stores the new pair beside the old, durably, before the handheld may use it.
    fn adopt(&mut self, next: Credentials) -> Result<Vec<u8>, StoreError> {
        let relationship = self.hub.store.relationship(self.relationship)?;
        let mut ring = relationship.keys.ok_or(StoreError::Unknown)?;
        // Keys that a newer session has erased in the meantime vouch for nothing.
        ring.which(&self.keys).ok_or(StoreError::Unknown)?;
        ring.adopt(next);
        self.hub.store.set_keys(self.relationship, &ring)?;
        log::info!(
            "{}: new keys agreed; its next session proves them",
            visible(&relationship.name)
        );
        let signer = RingSigner::new(&self.keys.own);
        Ok(self
            .machine
            .take()
            .and_then(|mut machine| machine.stored(&signer))
            .unwrap_or_else(decline))
    }

    fn give_up(&mut self, error: &dyn std::fmt::Display) -> Vec<u8> {
        log::warn!(
            "relationship {}: the keys were not renewed: {error}",
            self.relationship
        );
        self.machine = None;
        decline()
    }
}

/// Whether there is anything to renew.
enum Due {
    No,
    Yes,
    Ask(String),
}

impl Drop for Renewing {
    fn drop(&mut self) {
        self.withdrawn.cancel();
    }
}
