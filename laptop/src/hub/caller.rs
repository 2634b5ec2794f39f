//! The way in for callers of the gateway: a key instead of a signature, and numbers that the laptop gives.
//!
//! From there on a caller's request is a request like any other.

use super::{Hub, Proof, Refusal, Submission, Work};
use crate::executor::Fault;
use crate::ipc::ModelInfo;
use crate::policy::{Profile, Reason, Rule, Standing};
use crate::store::{Relationship, RelationshipId};
use shared_proto::crypto::Crypto;
use shared_proto::crypto::ring::RingCrypto;
use shared_proto::error::ErrorCode;
use shared_proto::message::{RequestId, Screen};
use shared_proto::opcode::{Operation, Service};
use std::sync::{Arc, PoisonError};

/// What a caller asks for.
#[derive(Clone, Debug)]
pub struct Call {
    /// The program.
    pub program: Vec<u8>,
    /// What it names by hash.
    pub attached: Vec<Vec<u8>>,
    /// Largest picture that it takes.
    pub screen: Screen,
    /// Formats of pictures that it reads.
    pub formats: u8,
}

impl Hub {
    /// The caller that shows `key`, with what it may do.
    ///
    /// # Errors
    /// `Revoked` where nobody has this key, `Expired` where it has run out.
    pub fn caller_of(&self, key: &str) -> Result<(Relationship, Profile), Refusal> {
        let digest = RingCrypto.sha256(&[key.as_bytes()]);
        let known = self.store.caller_of(&digest).map_err(fault)?;
        let stranger = || Fault::new(ErrorCode::Revoked, "nobody here has this key");
        let (caller, profile) = match known {
            Some(known) => self.relationship(known.id).map_err(fault)?,
            None => return Err(stranger().into()),
        };
        match profile.standing {
            Standing::Active => Ok((caller, profile)),
            Standing::Expired => Err(Fault::from(Reason::Expired).into()),
            Standing::Revoked => Err(stranger().into()),
        }
    }

    /// Takes in what `caller`, known by [`Hub::caller_of`], asks for.
    ///
    /// # Errors
    /// A [`Refusal`]; nothing has run.
    pub fn call(self: &Arc<Self>, caller: &Relationship, call: Call) -> Result<Arc<Work>, Refusal> {
        let key = caller
            .caller_key
            .ok_or_else(|| Fault::from(Reason::Revoked))?;
        let _turn = self.calling.lock().unwrap_or_else(PoisonError::into_inner);
        // Read anew: others of the same caller may have come in since.
        let highest = self.store.relationship(caller.id).map_err(fault)?.highest;
        let submission = Submission {
            id: RequestId(highest + 1),
            program: call.program,
            proof: Proof::Key(key),
            screen: call.screen,
            formats: call.formats,
            attached: call.attached,
        };
        self.submit(caller.id, &submission)
    }

    /// Counts a look at the list of models against the caller's requests a minute.
    ///
    /// # Errors
    /// `RateLimited`.
    pub fn count_look(&self, caller: RelationshipId) -> Result<(), Refusal> {
        self.count(caller).map(drop)
    }

    /// Milliseconds until this caller or device may ask again; `None` where it may now, or never.
    pub fn rate_wait_ms(&self, relationship: RelationshipId, profile: &Profile) -> Option<u64> {
        let lives = self.lock();
        let rate = &lives.get(&relationship)?.rate;
        let wait = rate.check(profile.requests_per_minute, self.now().0).err();
        wait.filter(|wait| *wait != u64::MAX)
    }

    /// Forgets what was said in the conversations of a caller: its programs send the whole each time.
    pub fn forget_said(&self, caller: RelationshipId) {
        self.contexts.forget(caller);
    }

    /// Models that a subject with `profile` may name for one of `operations`.
    pub fn models_for(
        &self,
        profile: &Profile,
        operations: &[Operation],
    ) -> Vec<(Service, ModelInfo)> {
        let may = |service: Service, model: &ModelInfo| {
            operations.iter().any(|operation| {
                let does = match *operation {
                    Operation::Embed => model.embeds != Some(false),
                    _ => model.embeds != Some(true),
                };
                does && operation.service() == service && profile.rule(*operation) != Rule::Deny
            })
        };
        let off = self.catalogue.off();
        let mut models = self.catalogue.models();
        models.retain(|(service, model)| {
            may(*service, model)
                && !off.contains(&model.id)
                && profile.permits_model(*service, &model.id)
        });
        models
    }
}

fn fault(error: crate::store::StoreError) -> Fault {
    super::work::store_fault(error)
}
