//! Requests and the sessions that come and go around them.
//!
//! A request belongs to its relationship, not to a connection: work goes on while the link is away, and what it
//! made waits until the handheld has put it away. The hub admits requests (signature, verifier, policy, one
//! durable write), runs each on a thread of its own, and hands connections a [`Work`] to follow.

mod admission;
mod caller;
mod desk;
mod drawer;
mod facts;
mod gauge;
mod live;
mod metrics;
mod models;
mod queue;
mod record;
#[cfg(test)]
mod tests;
mod turns;
mod uploads;
mod work;
mod worker;

pub use admission::{Proof, Refusal, Submission};
pub use caller::Call;
pub use desk::{Activity, AnswerError, Desk, Pending, Question};
pub use live::{Guest, Signal, Tell};
pub use metrics::{Metrics, Moment};
pub use models::Catalogue;
pub use record::{Ended, Followed, Phase};
pub use turns::Sharing;
pub use work::Work;

use crate::executor::Contexts;
use crate::files::BlobStore;
use crate::ipc::ServiceClient;
use crate::policy::{Profile, Standing};
use crate::store::{Relationship, RelationshipId, Retention, Store, StoreError};
use live::Live;
use shared_proto::time::Millis;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use turns::Turns;

/// What the hub is told when it starts.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Name of the laptop.
    pub name: String,
    /// Folder that holds the drop folders.
    pub files: PathBuf,
    /// Folder that holds uploads and scratch files.
    pub scratch: PathBuf,
    /// Octets that one drop folder may hold.
    pub quota: u64,
    /// How long a person is waited for.
    pub ask_timeout: Duration,
    /// How much of what is not put away is kept.
    pub retention: Retention,
    /// Whether language operations are offered.
    pub language: bool,
    /// Whether image operations are offered.
    pub image: bool,
    /// Seconds that a renewal gives a relationship.
    pub renewal_s: i64,
    /// How services are shared out between devices.
    pub sharing: Sharing,
}

/// Where the services are.
#[derive(Clone, Debug)]
pub struct Services {
    /// llm-service.
    pub language: ServiceClient,
    /// image-service.
    pub image: ServiceClient,
    /// fetch-service.
    pub downloads: ServiceClient,
}

/// Shared by all connections and the control socket.
pub struct Hub {
    /// What the laptop remembers.
    pub store: Arc<Store>,
    /// Questions to a person, and what happens.
    pub desk: Desk,
    /// Counts since the start.
    pub metrics: Metrics,
    /// Models on offer.
    pub catalogue: Catalogue,
    settings: RwLock<Arc<Settings>>,
    services: Services,
    contexts: Contexts,
    live: Mutex<BTreeMap<RelationshipId, Live>>,
    /// Held while a caller's request gets its number and is taken in.
    calling: Mutex<()>,
    texts: Turns,
    pictures: Turns,
    started: Instant,
    clock: AtomicI64,
}

impl Hub {
    /// Starts with what the store remembers.
    ///
    /// # Errors
    /// What the store said.
    pub fn new(
        store: Arc<Store>,
        settings: Settings,
        services: Services,
    ) -> Result<Arc<Self>, StoreError> {
        let clock = AtomicI64::new(store.clock_high_water()?);
        let sharing = &settings.sharing;
        let texts = Turns::new(sharing.language_at_once, sharing);
        let pictures = Turns::new(sharing.pictures_at_once, sharing);
        let catalogue = Catalogue::new(store.models_off()?);
        let hub = Arc::new(Self {
            store,
            desk: Desk::new(),
            metrics: Metrics::default(),
            catalogue,
            settings: RwLock::new(Arc::new(settings)),
            services,
            contexts: Contexts::new(),
            live: Mutex::new(BTreeMap::new()),
            calling: Mutex::new(()),
            texts,
            pictures,
            started: Instant::now(),
            clock,
        });
        if let Err(error) = hub.tidy() {
            log::error!("tidying up failed: {error}");
        }
        Ok(hub)
    }

    /// What it goes by now.
    pub fn settings(&self) -> Arc<Settings> {
        let settings = self.settings.read();
        Arc::clone(&settings.unwrap_or_else(PoisonError::into_inner))
    }

    /// Goes by other settings from now on, and tells every session what they mean for it. What runs goes on by those that
    /// it began with.
    pub fn set_settings(&self, settings: Settings) {
        let sharing = &settings.sharing;
        self.texts.adjust(sharing.language_at_once, sharing);
        self.pictures.adjust(sharing.pictures_at_once, sharing);
        *self
            .settings
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Arc::new(settings);
        self.models_changed();
    }

    /// Monotonic time since the hub started.
    pub fn now(&self) -> Millis {
        Millis(u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    /// Seconds since 1970. Never lower than any earlier answer, restarts included, so that a clock that is set
    /// back revives nothing.
    pub fn wall(&self) -> i64 {
        let clock = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs() as i64);
        let before = self.clock.fetch_max(clock, Ordering::SeqCst);
        let now = before.max(clock);
        // Once a minute is enough: what lies between can only be lost together with the minute itself.
        if now / 60 > before / 60
            && let Err(error) = self.store.raise_clock(now)
        {
            log::error!("the time was not stored: {error}");
        }
        now
    }

    /// Drops results that are too old or too many, and writes down what the store did not take before.
    ///
    /// # Errors
    /// What the store said.
    pub fn tidy(&self) -> Result<(), StoreError> {
        // Both make room, which an end may be waiting for.
        let forgotten = self.store.forget_revoked();
        let retained = self.store.retain(self.settings().retention, self.wall());
        let paid = self.pay_all();
        let kept = self.store.keep_room();
        paid.and(forgotten).and(retained).and(kept)
    }

    /// A relationship as it stands now.
    ///
    /// # Errors
    /// What the store said.
    pub fn relationship(&self, id: RelationshipId) -> Result<(Relationship, Profile), StoreError> {
        let relationship = self.store.relationship(id)?;
        let mut profile = self.store.profile(id)?;
        profile.standing = relationship.standing(self.wall());
        Ok((relationship, profile))
    }

    /// Ends a relationship: its sessions and its running requests end at once.
    ///
    /// # Errors
    /// What the store said; the relationship still holds then.
    pub fn revoke(&self, id: RelationshipId) -> Result<(), StoreError> {
        self.store.revoke(id, self.wall())?;
        self.end_all(id, Standing::Revoked);
        self.contexts.forget(id);
        if let Err(error) = self.store.forget_revoked() {
            log::warn!("results of revoked relationship {id} go with the next tidying: {error}");
        }
        match BlobStore::open(&self.settings().scratch, id, self.settings().quota) {
            Ok(uploads) => uploads.clear(),
            Err(error) => log::error!("uploads of relationship {id} stay: {error}"),
        }
        Ok(())
    }

    /// Tells sessions that permissions changed, stops what is no longer permitted, and ends the sessions of a relationship
    /// that no longer holds.
    pub fn changed(&self, id: RelationshipId) {
        match self.relationship(id) {
            Ok((_, profile)) if profile.standing == Standing::Active => {
                let works: Vec<Arc<Work>> = {
                    let lives = self.lock();
                    let Some(live) = lives.get(&id) else { return };
                    live.signal(Signal::Standing);
                    live.followed().collect()
                };
                works.iter().for_each(|work| work.recheck(&profile));
            }
            Ok((_, profile)) => self.end_all(id, profile.standing),
            Err(_) => self.end_all(id, Standing::Revoked),
        }
    }

    /// The services' lines: name, at work, waiting.
    pub fn queues(&self) -> Vec<(&'static str, usize, usize)> {
        let of = |name, turns: &Turns| {
            let (working, waiting) = turns.counts();
            (name, working, waiting)
        };
        vec![of("language", &self.texts), of("image", &self.pictures)]
    }

    /// Tells every session that the models changed.
    pub fn models_changed(&self) {
        self.lock()
            .values()
            .for_each(|live| live.signal(Signal::Standing));
    }

    /// Ends what runs under relationships that have expired. Call it once in a while.
    pub fn expire(&self) {
        let ids: Vec<RelationshipId> = self.lock().keys().copied().collect();
        for id in ids {
            match self.relationship(id) {
                Ok((_, profile)) if profile.standing == Standing::Active => {}
                Ok((_, profile)) => self.end_all(id, profile.standing),
                Err(error) => log::error!("relationship {id} cannot be read: {error}"),
            }
        }
    }

    fn end_all(&self, id: RelationshipId, standing: Standing) {
        let works: Vec<Arc<Work>> = {
            let mut lives = self.lock();
            let Some(live) = lives.get_mut(&id) else {
                return;
            };
            live.signal(Signal::Close);
            live.followed().collect()
        };
        for work in works {
            work.stop(match standing {
                Standing::Expired => shared_proto::error::ErrorCode::Expired,
                Standing::Active | Standing::Revoked => shared_proto::error::ErrorCode::Revoked,
            });
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<RelationshipId, Live>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
