//! What a device is told about itself: policy, allowances, models, expiry.

use crate::hub::Hub;
use crate::policy::{Profile, Rule, Standing as Holds, Usage};
use crate::store::{Relationship, RelationshipId, StoreError};
use shared_proto::message::{Allowance, Standing, Verdict};
use shared_proto::opcode::{Operation, Service};

/// The owned part of a [`Standing`].
pub(super) struct Papers {
    pub(super) relationship: Relationship,
    permissions: Vec<Allowance>,
    models: Vec<u8>,
    expires_in_s: u64,
    ask_timeout_s: u32,
    quota: u64,
}

impl Papers {
    /// As things are now.
    pub(super) fn of(hub: &Hub, id: RelationshipId) -> Result<Self, StoreError> {
        let (relationship, profile) = hub.relationship(id)?;
        let now = hub.wall();
        let used = hub.store.usage(id, hub.store.local_day(now)?)?;
        let permissions = Operation::ALL
            .into_iter()
            .map(|operation| allowance(operation, &profile, used))
            .collect();
        let holds = profile.standing == Holds::Active;
        let expires_in_s = u64::try_from(relationship.expires_at - now).unwrap_or(0);
        Ok(Self {
            permissions,
            models: if holds {
                hub.catalogue.encoded()
            } else {
                Vec::new()
            },
            expires_in_s: if holds { expires_in_s } else { 0 },
            ask_timeout_s: u32::try_from(hub.settings().ask_timeout.as_secs()).unwrap_or(u32::MAX),
            quota: hub.settings().quota,
            relationship,
        })
    }

    /// For the wire.
    pub(super) fn standing(&self) -> Standing<'_> {
        Standing {
            expires_in_s: self.expires_in_s,
            permissions: self.permissions.iter().copied().collect(),
            models: &self.models,
            ask_timeout_s: self.ask_timeout_s,
            quota: self.quota,
        }
    }
}

fn allowance(operation: Operation, profile: &Profile, used: Usage) -> Allowance {
    let verdict = match (profile.standing, profile.rule(operation)) {
        (Holds::Expired | Holds::Revoked, _) | (_, Rule::Deny) => Verdict::Deny,
        (_, Rule::Ask) => Verdict::Ask,
        (_, Rule::Allow) => Verdict::Allow,
    };
    let left = match (operation.service(), operation) {
        (Service::Language, _) => Some(profile.tokens_per_day.saturating_sub(used.tokens)),
        (Service::Image, Operation::Fit) => None,
        (Service::Image, _) => Some(profile.pictures_per_day.saturating_sub(used.pictures)),
        (Service::Files, Operation::Get | Operation::Put | Operation::Fetch) => {
            Some(profile.bytes_per_day.saturating_sub(used.bytes))
        }
        (Service::Files | Service::System, _) => None,
    };
    Allowance {
        operation,
        verdict,
        left,
    }
}
