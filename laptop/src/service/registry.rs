//! The providers of a service: configured, found, implied and built in; which one a model id means; how they are.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use crate::ipc::{CancelToken, Failure, FailureCode, Health, ModelInfo, ProviderHealth, Source};

use super::breaker::{Breaker, Gate};
use super::route::{Candidate, Routing, is_here, is_local};
use super::wording::one_line;
use super::{Again, Attempt, BUILT_IN, Provider};

/// How long discovery's result and a model list are used before they are asked for again.
pub const LIFETIME: Duration = Duration::from_secs(30);
/// A model id that names an unknown provider looks again, but not more often than this.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

type Listing = Option<(Instant, Result<Vec<ModelInfo>, Failure>)>;

/// A provider with what is known about it.
pub struct Entry<P: ?Sized> {
    /// The provider itself.
    pub provider: Arc<P>,
    /// Model for requests that name none, from the settings.
    pub default_model: Option<String>,
    /// Whether its address is this machine or its own network.
    pub local: bool,
    /// Whether its address is this machine.
    pub here: bool,
    busy: AtomicUsize,
    breaker: Mutex<Breaker>,
    listing: Mutex<Listing>,
}

/// One request that a provider works on. Dropping it ends it.
pub struct Busy<'a>(&'a AtomicUsize);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<P: Provider + ?Sized> Entry<P> {
    /// An entry that nothing is known about.
    pub fn new(provider: Arc<P>, default_model: Option<String>) -> Arc<Self> {
        let (local, here) = (is_local(provider.address()), is_here(provider.address()));
        Arc::new(Self {
            provider,
            default_model,
            local,
            here,
            busy: AtomicUsize::new(0),
            breaker: Mutex::default(),
            listing: Mutex::default(),
        })
    }

    /// Whether it is the one inside this program.
    pub fn is_built_in(&self) -> bool {
        self.provider.name() == BUILT_IN
    }

    /// Counts one more request that it works on.
    pub fn begin(&self) -> Busy<'_> {
        self.busy.fetch_add(1, Ordering::Relaxed);
        Busy(&self.busy)
    }

    /// Runs `work` unless the breaker is open, and tells the breaker how it went.
    ///
    /// # Errors
    /// What `work` said, or that the provider is being left alone.
    pub fn attempt<T>(
        &self,
        cancel: &CancelToken,
        work: impl FnOnce() -> Result<T, Attempt>,
    ) -> Result<T, Attempt> {
        let gate = lock(&self.breaker).ask(Instant::now());
        if let Gate::Closed(rest) = gate {
            let name = self.provider.name();
            let why = lock(&self.breaker)
                .trouble()
                .map(|(why, _)| why.to_owned())
                .unwrap_or_default();
            let detail = format!(
                "{name} failed several times and will be asked again in {} s. Last: {why}",
                rest.as_secs() + 1
            );
            let failure = Failure::new(FailureCode::ProviderUnreachable, name, detail);
            return Err(Attempt {
                failure,
                again: Again::Elsewhere,
            });
        }
        let result = work();
        let mut breaker = lock(&self.breaker);
        match &result {
            _ if cancel.is_cancelled() => breaker.abandoned(),
            Ok(_) => breaker.succeeded(),
            Err(attempt) if matches!(attempt.again, Again::Later(_)) => breaker.abandoned(),
            Err(attempt) if attempt.blames_provider() => {
                breaker.failed(Instant::now(), &attempt.failure.detail)
            }
            Err(_) => breaker.succeeded(),
        }
        result
    }

    /// Its models, from memory if fresh.
    ///
    /// # Errors
    /// A failure that names it; remembered as long as a list.
    pub fn models(&self, cancel: &CancelToken) -> Result<Vec<ModelInfo>, Failure> {
        if let Some((when, result)) = &*lock(&self.listing)
            && when.elapsed() < LIFETIME
            && result.is_ok()
        {
            return result.clone();
        }
        let result = self
            .attempt(cancel, || self.provider.models(cancel))
            .map_err(|attempt| attempt.failure);
        if !cancel.is_cancelled() {
            *lock(&self.listing) = Some((Instant::now(), result.clone()));
        }
        result
    }

    /// The model a request means that names none; none of `off`.
    ///
    /// # Errors
    /// Why there is none.
    pub fn pick_model(&self, off: &[String], cancel: &CancelToken) -> Result<String, Failure> {
        // By the same rule as a model that is named: the settings may hold a short form of its name.
        if let Some(model) = &self.default_model
            && self.check_on(model, off, cancel).is_ok()
        {
            return Ok(model.clone());
        }
        let mut models = self.models(cancel)?;
        models.retain(|one| !self.is_off(&one.id, off));
        let usable = |m: &&ModelInfo| {
            let named = || m.id.to_ascii_lowercase().contains("embed");
            !m.embeds.unwrap_or_else(named)
        };
        let best = models
            .iter()
            .filter(usable)
            .find(|m| m.default)
            .or_else(|| {
                models
                    .iter()
                    .filter(usable)
                    .find(|m| m.loaded == Some(true))
                    .or_else(|| models.iter().find(usable))
            });
        best.map(|m| m.id.clone()).ok_or_else(|| {
            let name = self.provider.name();
            match self.has_off(off) {
                true => self.all_off(),
                false => Failure::new(
                    FailureCode::ModelUnknown,
                    name,
                    format!("{name} runs but has no model that could answer."),
                ),
            }
        })
    }

    /// Whether `model` makes embeddings, as far as the provider's list tells.
    pub fn embeds(&self, model: &str, cancel: &CancelToken) -> Option<bool> {
        let models = self.models(cancel).ok()?;
        models.iter().find(|one| one.id == model)?.embeds
    }

    fn health(&self) -> ProviderHealth {
        let health = match (lock(&self.breaker).trouble(), &*lock(&self.listing)) {
            (Some((why, true)), _) => Health::Unhealthy(why.to_owned()),
            (_, Some((_, Err(failure)))) => Health::Unhealthy(failure.detail.clone()),
            (Some((why, false)), _) => Health::Degraded(why.to_owned()),
            (None, _) => Health::Healthy,
        };
        ProviderHealth {
            provider: self.provider.name().to_owned(),
            address: self.provider.address().to_owned(),
            health,
        }
    }
}

/// A route: whom to ask for which model.
pub struct Route<P: ?Sized> {
    /// The provider.
    pub entry: Arc<Entry<P>>,
    /// Its name for the model.
    pub model: String,
    /// Whether the request left the choice of a provider open, so that another one may take it.
    pub open: bool,
}

struct Found<P: ?Sized> {
    when: Option<Instant>,
    entries: Vec<Arc<Entry<P>>>,
}

type Looker<P> = Box<dyn Fn(&CancelToken) -> Vec<Arc<Entry<P>>> + Send + Sync>;

/// All providers of one service.
pub struct Registry<P: ?Sized> {
    routing: Routing,
    turn: AtomicUsize,
    configured: Vec<Arc<Entry<P>>>,
    implied: Vec<Arc<Entry<P>>>,
    built_in: Arc<Entry<P>>,
    found: Mutex<Found<P>>,
    /// Held by whoever looks, so that one does at a time; `found` stays free for everybody meanwhile.
    looking: Mutex<()>,
    look: Looker<P>,
}

impl<P: Provider + ?Sized> Registry<P> {
    /// A registry. `look` finds what runs on this machine and is called on demand.
    pub fn new(
        routing: Routing,
        configured: Vec<Arc<Entry<P>>>,
        implied: Vec<Arc<Entry<P>>>,
        built_in: Arc<Entry<P>>,
        look: impl Fn(&CancelToken) -> Vec<Arc<Entry<P>>> + Send + Sync + 'static,
    ) -> Self {
        let found = Mutex::new(Found {
            when: None,
            entries: Vec::new(),
        });
        Self {
            routing,
            turn: AtomicUsize::new(0),
            configured,
            implied,
            built_in,
            found,
            looking: Mutex::new(()),
            look: Box::new(look),
        }
    }

    /// Looks for what runs on this machine, unless somebody has done so within `max_age`.
    ///
    /// While somebody else looks, a caller for whom the usual age would do takes what was known before; one that needs
    /// fresher news, or the first ever, waits for that look.
    fn refresh(&self, max_age: Duration, cancel: &CancelToken) {
        let when = || lock(&self.found).when;
        let due = || when().is_none_or(|when| when.elapsed() >= max_age);
        if !due() {
            return;
        }
        let _turn = match self.looking.try_lock() {
            Ok(turn) => turn,
            Err(TryLockError::Poisoned(turn)) => turn.into_inner(),
            Err(TryLockError::WouldBlock) if max_age >= LIFETIME && when().is_some() => return,
            Err(TryLockError::WouldBlock) => lock(&self.looking),
        };
        if !due() {
            return;
        }
        let seen = (self.look)(cancel);
        let mut found = lock(&self.found);
        for entry in seen {
            let same = |e: &Arc<Entry<P>>| e.provider.address() == entry.provider.address();
            let taken = |e: &Arc<Entry<P>>| e.provider.name() == entry.provider.name();
            // One that was seen stays known: a server that has gone is then an error that names it, not a silent
            // change to another.
            if !self.configured.iter().any(|e| same(e) || taken(e))
                && !found.entries.iter().any(|e| same(e) || taken(e))
            {
                log::info!(
                    "found {} at {}",
                    entry.provider.name(),
                    entry.provider.address()
                );
                found.entries.push(entry);
            }
        }
        // A look that was cut short has seen nothing of what it did not reach.
        if !cancel.is_cancelled() {
            found.when = Some(Instant::now());
        }
    }

    /// Real providers that may be asked, in the order in which they are known.
    fn real(&self, max_age: Duration, cancel: &CancelToken) -> Vec<Arc<Entry<P>>> {
        let mut known = self.known(max_age, cancel);
        known.retain(|entry| self.routing.offers(entry.local));
        known
    }

    /// Real providers in the order in which one that nobody named is looked for.
    fn ordered(&self, turn: usize, cancel: &CancelToken) -> Vec<Arc<Entry<P>>> {
        let real = self.real(LIFETIME, cancel);
        let candidates: Vec<Candidate<'_>> = real
            .iter()
            .map(|entry| Candidate {
                name: entry.provider.name(),
                local: entry.local,
                busy: entry.busy.load(Ordering::Relaxed),
            })
            .collect();
        let places = self.routing.order(&candidates, turn);
        places
            .into_iter()
            .map(|place| Arc::clone(&real[place]))
            .collect()
    }

    fn known(&self, max_age: Duration, cancel: &CancelToken) -> Vec<Arc<Entry<P>>> {
        self.refresh(max_age, cancel);
        let found = lock(&self.found);
        let shadowed = |e: &&Arc<Entry<P>>| {
            !found
                .entries
                .iter()
                .any(|f| f.provider.name() == e.provider.name())
        };
        self.configured
            .iter()
            .chain(&found.entries)
            .chain(self.implied.iter().filter(shadowed))
            .cloned()
            .collect()
    }

    /// All providers, with where each is known from; looks for others now.
    pub(super) fn by_source(&self, cancel: &CancelToken) -> Vec<(Source, Arc<Entry<P>>)> {
        let real = self.real(LOOK_AGAIN, cancel).into_iter();
        let among = |list: &[Arc<Entry<P>>], entry: &Arc<Entry<P>>| {
            list.iter().any(|one| Arc::ptr_eq(one, entry))
        };
        let source = |entry: &Arc<Entry<P>>| match () {
            () if among(&self.configured, entry) => Source::File,
            () if among(&self.implied, entry) => Source::Key,
            () => Source::Found,
        };
        real.map(|entry| (source(&entry), entry))
            .chain([(Source::BuiltIn, Arc::clone(&self.built_in))])
            .collect()
    }

    fn by_name(&self, name: &str, cancel: &CancelToken) -> Option<Arc<Entry<P>>> {
        if name == BUILT_IN {
            return Some(Arc::clone(&self.built_in));
        }
        let pick = |list: Vec<Arc<Entry<P>>>| list.into_iter().find(|e| e.provider.name() == name);
        pick(self.real(LIFETIME, cancel)).or_else(|| pick(self.real(LOOK_AGAIN, cancel)))
    }

    /// Whom `model` means: `<provider>/<model>`, `<provider>/` for its default, `<model>` alone for the first provider
    /// that lists it, or empty for the first healthy real provider. The built-in one is the default only where no real
    /// one is known. No model of `off` is ever meant.
    ///
    /// # Errors
    /// `ModelUnknown` that lists the providers, `ModelOff`, or the failure of the provider that should have been asked.
    pub fn route(
        &self,
        model: &str,
        off: &[String],
        cancel: &CancelToken,
    ) -> Result<Route<P>, Failure> {
        if model.is_empty() {
            let turn = self.turn.fetch_add(1, Ordering::Relaxed);
            return self.default_route(turn, off, cancel);
        }
        let (name, rest) = model.split_once('/').unwrap_or((model, ""));
        let Some(entry) = self.by_name(name, cancel) else {
            let turn = self.turn.fetch_add(1, Ordering::Relaxed);
            if model.contains('/') {
                return Err(self.nobody(name, cancel));
            }
            let listed = |off: &[String]| self.lists(model, off, &[], turn, cancel);
            return listed(off).ok_or_else(|| match listed(&[]) {
                Some(route) => route.entry.switched_off(model),
                None => self.nobody(name, cancel),
            });
        };
        let model = if rest.is_empty() {
            entry.pick_model(off, cancel)?
        } else {
            entry.check_on(rest, off, cancel)?;
            rest.to_owned()
        };
        Ok(Route {
            entry,
            model,
            open: false,
        })
    }

    /// That no provider is called `name`, or none that may be asked.
    fn nobody(&self, name: &str, cancel: &CancelToken) -> Failure {
        let known = self.known(LIFETIME, cancel);
        let remote = known
            .iter()
            .find(|e| e.provider.name() == name && !self.routing.offers(e.local));
        let detail = if let Some(entry) = remote {
            format!(
                "{name} is at {}, which is not local, and services.toml says routing = \"local-only\".",
                entry.provider.address()
            )
        } else {
            let names = self.real(LIFETIME, cancel);
            let known = names
                .iter()
                .map(|e| e.provider.name())
                .chain([BUILT_IN])
                .collect::<Vec<_>>()
                .join(", ");
            format!(
                "No provider is called “{}”. There is: {known}.",
                one_line(name)
            )
        };
        Failure::new(FailureCode::ModelUnknown, "", detail)
    }

    /// The first provider that lists `model`, after those `tried`.
    fn lists(
        &self,
        model: &str,
        off: &[String],
        tried: &[String],
        turn: usize,
        cancel: &CancelToken,
    ) -> Option<Route<P>> {
        let fresh = |e: &Arc<Entry<P>>| !tried.iter().any(|name| name == e.provider.name());
        let has = |e: &Arc<Entry<P>>| {
            !e.is_off(model, off)
                && e.models(cancel)
                    .is_ok_and(|list| list.iter().any(|listed| listed.id == model))
        };
        let ordered = self.ordered(turn, cancel);
        let entry = ordered.into_iter().filter(fresh).find(has)?;
        Some(Route {
            entry,
            model: model.to_owned(),
            open: true,
        })
    }

    fn default_route(
        &self,
        turn: usize,
        off: &[String],
        cancel: &CancelToken,
    ) -> Result<Route<P>, Failure> {
        let mut first_failure = None;
        for entry in self.ordered(turn, cancel) {
            // Listing is what shows that it lives; a configured default model alone would not.
            let model = entry
                .models(cancel)
                .and_then(|_| entry.pick_model(off, cancel));
            match model {
                Ok(model) => {
                    return Ok(Route {
                        entry,
                        model,
                        open: true,
                    });
                }
                Err(failure) => first_failure = first_failure.or(Some(failure)),
            }
        }
        match first_failure {
            Some(failure) => Err(failure),
            None => {
                let model = self.built_in.pick_model(off, cancel)?;
                Ok(Route {
                    entry: Arc::clone(&self.built_in),
                    model,
                    open: true,
                })
            }
        }
    }

    /// The next real provider for a request that left the choice open, after those `tried`; never the built-in one.
    pub fn next_real(
        &self,
        model: &str,
        off: &[String],
        tried: &[String],
        cancel: &CancelToken,
    ) -> Option<Route<P>> {
        let turn = self.turn.load(Ordering::Relaxed);
        if !model.is_empty() {
            return self.lists(model, off, tried, turn, cancel);
        }
        let fresh = |e: &Arc<Entry<P>>| !tried.iter().any(|name| name == e.provider.name());
        self.ordered(turn, cancel)
            .into_iter()
            .filter(fresh)
            .find_map(|entry| {
                let model = entry
                    .models(cancel)
                    .and_then(|_| entry.pick_model(off, cancel))
                    .ok()?;
                Some(Route {
                    entry,
                    model,
                    open: true,
                })
            })
    }

    /// All models of all providers that answer, as `<provider>/<model>`, the default where those of `off` are not taken
    /// marked, the built-in one last.
    pub fn models(&self, off: &[String], cancel: &CancelToken) -> Vec<ModelInfo> {
        let mut entries = self.real(LIFETIME, cancel);
        // Not a turn of its own: to list is not to ask.
        let turn = self.turn.load(Ordering::Relaxed);
        let default = self.default_route(turn, off, cancel).ok();
        entries.push(Arc::clone(&self.built_in));
        let mut list = Vec::new();
        for entry in entries {
            for model in entry.models(cancel).unwrap_or_default() {
                let chosen = default
                    .as_ref()
                    .is_some_and(|r| Arc::ptr_eq(&r.entry, &entry) && r.model == model.id);
                list.push(ModelInfo {
                    id: format!("{}/{}", entry.provider.name(), model.id),
                    default: chosen,
                    here: entry.here,
                    ..model
                });
            }
        }
        list
    }

    /// The condition of every provider; those not heard of lately are asked for their models now.
    pub fn health(&self, cancel: &CancelToken) -> Vec<ProviderHealth> {
        let mut entries = self.real(LIFETIME, cancel);
        entries.push(Arc::clone(&self.built_in));
        for entry in &entries {
            // The answer itself is not needed: it is kept with the entry, and health reads it there.
            let _ = entry.models(cancel);
        }
        entries.iter().map(|entry| entry.health()).collect()
    }
}

#[cfg(test)]
#[path = "registry_tests.rs"]
mod tests;
