//! From a server-name token to the relationship it belongs to, before anything expensive is done.

use crate::hub::Hub;
use crate::policy::Standing;
use crate::store::{RelationshipId, StoreError};
use shared_proto::crypto::TokenSecret;
use shared_proto::crypto::ring::RingCrypto;
use shared_proto::renewal::Credentials;
use shared_proto::token::{ReplayCache, find};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often strangers can make the list of secrets be read again: a flood of wrong tokens costs ten reads a second.
const REREAD_INTERVAL: Duration = Duration::from_millis(100);

/// What a right token opens.
#[derive(Debug)]
pub(super) struct Door {
    /// The relationship.
    pub(super) relationship: RelationshipId,
    /// Its pair of keys that the token belongs to.
    pub(super) keys: Credentials,
}

#[derive(Default)]
struct Inner {
    read_at: Option<Instant>,
    secrets: Vec<TokenSecret>,
    owners: Vec<RelationshipId>,
    replays: BTreeMap<RelationshipId, ReplayCache>,
}

/// See the module.
pub(super) struct Doors {
    hub: Arc<Hub>,
    inner: Mutex<Inner>,
}

impl Doors {
    pub(super) fn new(hub: Arc<Hub>) -> Self {
        Self {
            hub,
            inner: Mutex::new(Inner::default()),
        }
    }

    /// The door that the token in `name` opens; `None` for a wrong or used token, and for whoever was revoked.
    ///
    /// # Errors
    /// What the store said.
    pub(super) fn find(&self, name: &str) -> Result<Option<Door>, StoreError> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let mut found = find(&RingCrypto, name, &inner.secrets);
        if found.is_none()
            && inner
                .read_at
                .is_none_or(|at| at.elapsed() >= REREAD_INTERVAL)
        {
            self.reread(&mut inner)?;
            found = find(&RingCrypto, name, &inner.secrets);
        }
        let Some(found) = found else { return Ok(None) };
        let relationship = inner.owners[found.index];
        if !inner
            .replays
            .entry(relationship)
            .or_default()
            .admit(found.nonce)
        {
            log::warn!("a server name of relationship {relationship} came a second time");
            return Ok(None);
        }
        let secret = inner.secrets[found.index].clone();
        drop(inner);
        // The list may be a moment old; what counts is what the store says now.
        let (now, profile) = match self.hub.relationship(relationship) {
            Err(StoreError::Unknown) => return Ok(None),
            other => other?,
        };
        let ring = now.keys.filter(|_| profile.standing != Standing::Revoked);
        Ok(ring.and_then(|ring| {
            // A renewed pair may have become the current one since the list was read.
            let (_, keys) = ring.pairs().find(|(_, keys)| keys.token == secret)?;
            Some(Door {
                relationship,
                keys: keys.clone(),
            })
        }))
    }

    fn reread(&self, inner: &mut Inner) -> Result<(), StoreError> {
        inner.secrets.clear();
        inner.owners.clear();
        for relationship in self.hub.store.relationships()? {
            let Some(ring) = relationship.keys else {
                continue;
            };
            for (_, keys) in ring.pairs() {
                inner.secrets.push(keys.token.clone());
                inner.owners.push(relationship.id);
            }
        }
        inner.read_at = Some(Instant::now());
        Ok(())
    }
}
