//! The way in: signature, verifier, policy, one durable write; then the work starts.

use super::desk::Activity;
use super::record::Phase;
use super::uploads::{Uploads, fault};
use super::work::{Work, store_fault};
use super::{Hub, worker};
use crate::executor::{Fault, preflight};
use crate::files::BlobStore;
use crate::ledger::Want;
use crate::policy::{
    Consent, Counters, Demand, Effect, Permit, Prompt, RateWindow, Reason, Standing, Target,
    Verdict, evaluate,
};
use crate::sanitize::visible;
use crate::store::{Admission, Author, Claim, NewRequest, RelationshipId};
use shared_proto::crypto::ring::RingCrypto;
use shared_proto::crypto::{Crypto, Signature, verify_submit};
use shared_proto::error::ErrorCode;
use shared_proto::limits::MAX_LIVE_REQUESTS;
use shared_proto::message::{RequestId, Screen};
use shared_proto::opcode::Service;
use shared_proto::program::{self, Verified};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

/// A request as it came in.
#[derive(Clone, Debug)]
pub struct Submission {
    /// Its number.
    pub id: RequestId,
    /// The program.
    pub program: Vec<u8>,
    /// What shows whom it is from.
    pub proof: Proof,
    /// Screen of the handheld.
    pub screen: Screen,
    /// Formats of pictures that it reads.
    pub formats: u8,
    /// What the program names by its hash and came along with it, so that nobody is asked to upload it.
    pub attached: Vec<Vec<u8>>,
}

/// What shows whom a request is from.
#[derive(Clone, Debug)]
pub enum Proof {
    /// A device signed it.
    Signed {
        /// The signature.
        signature: Vec<u8>,
        /// Exporter value of the channel.
        exporter: [u8; 32],
    },
    /// A caller of the gateway showed the key with this SHA-256.
    Key([u8; 32]),
}

/// Why a request was not taken in. Nothing has run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The operation at fault.
    pub op: Option<u8>,
    /// The cause.
    pub fault: Fault,
}

impl Refusal {
    fn new(code: ErrorCode, detail: impl Into<String>) -> Self {
        Self {
            op: None,
            fault: Fault::new(code, detail),
        }
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self { op: None, fault }
    }
}

impl From<Reason> for Fault {
    fn from(reason: Reason) -> Self {
        let code = match &reason {
            Reason::Revoked => ErrorCode::Revoked,
            Reason::Expired => ErrorCode::Expired,
            Reason::Operation(_) => ErrorCode::Denied,
            Reason::Model(..) => ErrorCode::ModelDenied,
            Reason::Url(_) => ErrorCode::UrlRefused,
            Reason::Rate { .. } => ErrorCode::RateLimited,
            Reason::Tokens { .. }
            | Reason::Pictures { .. }
            | Reason::Bytes { .. }
            | Reason::Seconds { .. } => ErrorCode::QuotaExceeded,
        };
        Fault::new(code, reason.to_string())
    }
}

/// What the policy said to a program that may come in.
pub(super) enum Entry {
    Permit(Permit),
    Prompt(Prompt),
}

impl Hub {
    /// Takes a request in, once. A number that is known already is attached to, never run again.
    ///
    /// # Errors
    /// A [`Refusal`]; nothing has run.
    pub fn submit(
        self: &Arc<Self>,
        relationship: RelationshipId,
        submission: &Submission,
    ) -> Result<Arc<Work>, Refusal> {
        let result = self.admit(relationship, submission);
        if let Err(refusal) = &result {
            self.metrics.refused(refusal.fault.code.name());
            let device = self.device(relationship);
            log::info!(
                "{device}: request {} refused: {}",
                submission.id.0,
                refusal.fault.code.name()
            );
            let reason = visible(&refusal.fault.to_string());
            self.desk.tell(&Activity::Refused {
                device,
                request: submission.id.0,
                reason,
            });
        }
        result
    }

    fn admit(
        self: &Arc<Self>,
        relationship: RelationshipId,
        submission: &Submission,
    ) -> Result<Arc<Work>, Refusal> {
        let digest = RingCrypto.sha256(&[&submission.program]);
        let author = self.author(relationship, submission, digest)?;
        let admission = self.admission(relationship);
        let _turn = admission.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(work) = self.known(relationship, submission.id, digest)? {
            return Ok(work);
        }
        let before = self.count(relationship)?;
        // What it used is known from then on; a store that does not take that takes nothing new either.
        self.pay(relationship).map_err(store_fault)?;
        let verified = program::decode(&submission.program)
            .and_then(program::verify)
            .map_err(|error| Refusal {
                op: error.op,
                fault: Fault::new(error.code(), error.to_string()),
            })?;
        self.check_offered(&verified)?;
        preflight(&verified, relationship, &self.contexts).map_err(|failure| Refusal {
            op: failure.op,
            fault: failure.fault,
        })?;
        let mut demand = Demand::of(relationship, submission.id.0, digest, &verified);
        demand.within_seconds(self.seconds_left(relationship)?);
        let entry = demand
            .effects
            .iter()
            .try_for_each(|effect| self.check_on(effect))
            .map_err(Refusal::from)
            .and_then(|()| self.judge(&demand, before, None))
            .inspect_err(|refusal| self.note_refused(&demand, &refusal.fault))?;
        if self.running(relationship) >= MAX_LIVE_REQUESTS {
            return Err(Refusal::new(
                ErrorCode::Busy,
                "too many requests of this device are running",
            ));
        }
        let blobs = BlobStore::open(
            &self.settings().scratch,
            relationship,
            self.settings().quota,
        )
        .map_err(fault)?;
        // What nobody went on with must not fill the space for ever.
        blobs.retain(SystemTime::now()).map_err(fault)?;
        let uploads = Uploads::of(&verified, blobs, &submission.attached)?;
        let asks = matches!(entry, Entry::Prompt(_));
        let wants = demand.effects.iter().map(Want::from).collect();
        self.write_down(submission, &demand, author, Claim { wants, asks })?;
        let phase = match &entry {
            Entry::Prompt(_) => Phase::Asking(
                self.now()
                    .after(self.settings().ask_timeout.as_millis() as u64),
            ),
            Entry::Permit(_) if uploads.is_incomplete() => Phase::Uploading,
            Entry::Permit(_) => Phase::Running,
        };
        let work = Arc::new(Work::new(
            relationship,
            submission.id,
            Arc::clone(&self.store),
            uploads,
            phase,
        ));
        {
            let mut lives = self.lock();
            let live = lives.entry(relationship).or_default();
            live.works.insert(submission.id, Arc::clone(&work));
            live.reserved = live.reserved.plus(demand.cost.usage);
        }
        let lines = Prompt::describe(&demand);
        self.desk.tell(&Activity::Taken {
            device: self.device(relationship),
            request: submission.id.0,
            lines,
        });
        worker::start(
            Arc::clone(self),
            Arc::clone(&work),
            submission.clone(),
            demand,
            entry,
        );
        Ok(work)
    }

    /// Seconds of work that are neither used today nor set aside for what runs.
    fn seconds_left(&self, relationship: RelationshipId) -> Result<u64, Refusal> {
        let (_, profile) = self.relationship(relationship).map_err(store_fault)?;
        let day = self.store.local_day(self.wall()).map_err(store_fault)?;
        let used = self.store.usage(relationship, day).map_err(store_fault)?;
        let lives = self.lock();
        let reserved = lives.get(&relationship).map(|live| live.reserved);
        let gone = used.plus(reserved.unwrap_or_default());
        Ok(profile.seconds_per_day.saturating_sub(gone.seconds))
    }

    /// Whom the request is from, as its proof shows.
    fn author(
        &self,
        relationship: RelationshipId,
        submission: &Submission,
        digest: [u8; 32],
    ) -> Result<Author, Refusal> {
        match &submission.proof {
            Proof::Signed {
                signature,
                exporter,
            } => self.signer(relationship, submission.id, digest, signature, *exporter),
            Proof::Key(shown) => {
                let (known, _) = self.relationship(relationship).map_err(store_fault)?;
                match known.caller_key {
                    Some(key) if key == *shown => Ok(Author::Caller { key }),
                    _ => Err(Refusal::new(ErrorCode::Revoked, "this key holds no longer")),
                }
            }
        }
    }

    fn signer(
        &self,
        relationship: RelationshipId,
        id: RequestId,
        digest: [u8; 32],
        signature: &[u8],
        exporter: [u8; 32],
    ) -> Result<Author, Refusal> {
        let refused = || {
            Refusal::new(
                ErrorCode::BadSignature,
                "the signature does not fit this request",
            )
        };
        let signature = Signature(signature.try_into().map_err(|_| refused())?);
        let (known, _) = self.relationship(relationship).map_err(store_fault)?;
        let keys = known
            .keys
            .ok_or_else(|| Refusal::new(ErrorCode::Revoked, "this device is no longer paired"))?;
        // While keys are being renewed, either may sign.
        let fits = keys.pairs().find(|(_, pair)| {
            verify_submit(&RingCrypto, &pair.peer, exporter, id.0, digest, &signature).is_ok()
        });
        let (_, pair) = fits.ok_or_else(refused)?;
        Ok(Author::Device {
            key: pair.peer,
            signature,
            exporter,
        })
    }

    /// Puts a refusal of the policy into the ledger. Of a device that may do nothing at all the ledger says that once, and
    /// one that asks too often must not fill it.
    fn note_refused(&self, demand: &Demand, fault: &Fault) {
        if matches!(
            fault.code,
            ErrorCode::RateLimited | ErrorCode::Revoked | ErrorCode::Expired
        ) {
            return;
        }
        let wants = demand.effects.iter().map(Want::from).collect();
        if let Err(error) = self.store.note_refused(
            demand.relationship,
            demand.request,
            demand.digest,
            wants,
            fault.code.name(),
        ) {
            log::error!("a refusal is missing from the ledger: {error}");
        }
    }

    /// A request that was taken in before.
    fn known(
        &self,
        relationship: RelationshipId,
        id: RequestId,
        digest: [u8; 32],
    ) -> Result<Option<Arc<Work>>, Refusal> {
        let Some(record) = self
            .store
            .request(relationship, id.0)
            .map_err(store_fault)?
        else {
            return Ok(None);
        };
        if record.digest != digest {
            return Err(Refusal::new(
                ErrorCode::IdReused,
                "this number was used for another request",
            ));
        }
        self.find(relationship, id).map(Some)
    }

    pub(super) fn admission(&self, relationship: RelationshipId) -> Arc<Mutex<()>> {
        Arc::clone(&self.lock().entry(relationship).or_default().admission)
    }

    /// Finds a request to go on with.
    ///
    /// # Errors
    /// `UnknownRequest`, `ResultGone` where its result was thrown away, or `Expired` and `Revoked` for a device that
    /// gets nothing.
    pub fn attach(
        &self,
        relationship: RelationshipId,
        id: RequestId,
    ) -> Result<Arc<Work>, Refusal> {
        let admission = self.admission(relationship);
        let _turn = admission.lock().unwrap_or_else(PoisonError::into_inner);
        self.find(relationship, id)
    }

    fn find(&self, relationship: RelationshipId, id: RequestId) -> Result<Arc<Work>, Refusal> {
        let (_, profile) = self.relationship(relationship).map_err(store_fault)?;
        match profile.standing {
            Standing::Active => {}
            Standing::Expired => return Err(Fault::from(Reason::Expired).into()),
            Standing::Revoked => return Err(Fault::from(Reason::Revoked).into()),
        }
        if let Some(work) = self
            .lock()
            .get(&relationship)
            .and_then(|live| live.works.get(&id))
        {
            return Ok(Arc::clone(work));
        }
        let record = self
            .store
            .request(relationship, id.0)
            .map_err(store_fault)?
            .ok_or_else(|| {
                Refusal::new(
                    ErrorCode::UnknownRequest,
                    "the laptop does not know this request",
                )
            })?;
        if record.released {
            return Err(Refusal::new(
                ErrorCode::ResultGone,
                "the laptop no longer keeps this result",
            ));
        }
        Ok(Arc::new(Work::remembered(
            relationship,
            &record,
            Arc::clone(&self.store),
        )))
    }

    /// Counts a program that nobody has seen before, whatever becomes of it: refusing costs work too, and a device must
    /// not get that for nothing. Gives the count as it was, for the verdict.
    pub(super) fn count(&self, relationship: RelationshipId) -> Result<RateWindow, Refusal> {
        let (_, profile) = self.relationship(relationship).map_err(store_fault)?;
        let now = self.now().0;
        let mut lives = self.lock();
        let rate = &mut lives.entry(relationship).or_default().rate;
        let before = rate.clone();
        // Of a device that may do nothing at all the verdict says so, in its own words.
        if profile.standing == Standing::Active
            && let Err(wait_ms) = rate.admit(profile.requests_per_minute, now)
        {
            let per_minute = profile.requests_per_minute;
            return Err(Fault::from(Reason::Rate {
                per_minute,
                wait_ms,
            })
            .into());
        }
        Ok(before)
    }

    fn check_offered(&self, program: &Verified<'_>) -> Result<(), Refusal> {
        for effect in program.effects() {
            let offered = match effect.operation.service() {
                Service::Language => self.settings().language,
                Service::Image => self.settings().image,
                Service::Files | Service::System => true,
            };
            if !offered {
                let detail = format!("{} is switched off on this laptop", effect.operation.name());
                return Err(Refusal {
                    op: Some(effect.op),
                    fault: Fault::new(ErrorCode::Unsupported, detail),
                });
            }
        }
        Ok(())
    }

    /// Refuses a model that the owner has switched off, for whoever names it.
    pub(super) fn check_on(&self, effect: &Effect) -> Result<(), Fault> {
        match &effect.target {
            Target::Model(model) if self.catalogue.off().contains(model) => {
                let words = format!(
                    "the owner of this laptop has switched {} off",
                    visible(model)
                );
                Err(Fault::new(ErrorCode::ModelDenied, words))
            }
            _ => Ok(()),
        }
    }

    /// Asks the policy, with the `rate` of the programs before this one.
    pub(super) fn judge(
        &self,
        demand: &Demand,
        rate: RateWindow,
        consent: Option<Consent>,
    ) -> Result<Entry, Refusal> {
        let (_, profile) = self
            .relationship(demand.relationship)
            .map_err(store_fault)?;
        let day = self.store.local_day(self.wall()).map_err(store_fault)?;
        let used = self
            .store
            .usage(demand.relationship, day)
            .map_err(store_fault)?;
        let consented = consent.is_some();
        let mut counters = {
            let lives = self.lock();
            let live = lives.get(&demand.relationship);
            Counters {
                rate,
                used,
                reserved: live.map(|live| live.reserved).unwrap_or_default(),
            }
        };
        if consented {
            // What this request itself has set aside must not stand in its own way.
            counters.reserved = counters.reserved.minus(demand.cost.usage);
        }
        match evaluate(demand, &profile, &counters, consent, self.now().0) {
            Verdict::Allow(permit) => Ok(Entry::Permit(permit)),
            Verdict::Ask(prompt) => Ok(Entry::Prompt(prompt)),
            Verdict::Deny(reason) => Err(Fault::from(reason).into()),
        }
    }

    fn write_down(
        &self,
        submission: &Submission,
        demand: &Demand,
        author: Author,
        claim: Claim,
    ) -> Result<(), Refusal> {
        let now = self.wall();
        let new = NewRequest {
            relationship: demand.relationship,
            id: submission.id.0,
            digest: demand.digest,
            author,
            claim,
            reserved: demand.cost.usage,
            now,
            day: self.store.local_day(now).map_err(store_fault)?,
        };
        match self.store.admit(&new).map_err(store_fault)? {
            Admission::New => Ok(()),
            // Admission is one at a time; should that ever fail, refusing is better than running twice.
            Admission::Known(_) => Err(Refusal::new(
                ErrorCode::Busy,
                "the request is being taken in already",
            )),
            Admission::Reused => Err(Refusal::new(
                ErrorCode::IdReused,
                "this number was used for another request",
            )),
            Admission::BelowFloor => Err(Refusal::new(
                ErrorCode::IdBelowFloor,
                "this number lies below what the laptop remembers",
            )),
            Admission::OutOfRange => Err(Refusal::new(
                ErrorCode::LimitExceeded,
                "this number is too high",
            )),
        }
    }

    /// Stops a request; unknown and ended ones are left alone.
    pub fn cancel(&self, relationship: RelationshipId, id: RequestId) {
        let work = self
            .lock()
            .get(&relationship)
            .and_then(|live| live.works.get(&id).map(Arc::clone));
        if let Some(work) = work {
            work.stop(ErrorCode::Cancelled);
        }
    }

    /// The handheld has put a result away.
    ///
    /// # Errors
    /// What the store said.
    pub fn acknowledge(
        &self,
        relationship: RelationshipId,
        id: RequestId,
    ) -> Result<(), crate::store::StoreError> {
        self.store.acknowledge(relationship, id.0)
    }

    /// Name of a device, safe to show.
    pub(super) fn device(&self, relationship: RelationshipId) -> String {
        self.store.relationship(relationship).map_or_else(
            |_| format!("device {relationship}"),
            |known| visible(&known.name),
        )
    }
}
