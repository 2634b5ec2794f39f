//! Models on offer, as the services last said, and how to ask again.

use super::Hub;
use crate::ipc::{ModelInfo, ServiceClient, ServiceEvent, ServiceRequest};
use crate::policy::{Effect, Target};
use crate::store::StoreError;
use shared_proto::limits::{MAX_MODEL_LEN, MAX_MODELS};
use shared_proto::message::{Model, push_model};
use shared_proto::opcode::Service;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

/// Longest wait for a service that is asked for its models.
const PATIENCE: Duration = Duration::from_secs(10);

/// Octets of the list that fit a greeting beside everything else.
const MAX_LIST_LEN: usize = 16 * 1024;

/// What models that come with the laptop are called: nobody's machine but this one's, and asked only where there is no other.
const BUILT_IN: &str = "built-in/";

/// See the module.
#[derive(Default)]
pub struct Catalogue {
    models: Mutex<Vec<(Service, ModelInfo)>>,
    /// Whether a thread asks.
    asking: AtomicBool,
    /// Whether it has to ask once more.
    wanted: AtomicBool,
    /// How often the services were asked.
    begun: AtomicU64,
    /// Held from the first question until the answers are in place.
    turn: Mutex<()>,
    off: RwLock<Arc<BTreeSet<String>>>,
}

impl Catalogue {
    /// Nothing known yet, but which models are switched off.
    pub fn new(off: BTreeSet<String>) -> Self {
        Self {
            off: RwLock::new(Arc::new(off)),
            ..Self::default()
        }
    }

    /// Models that the owner has switched off, as `provider/model`.
    pub fn off(&self) -> Arc<BTreeSet<String>> {
        Arc::clone(&self.off.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What is known, those included that are switched off.
    pub fn models(&self) -> Vec<(Service, ModelInfo)> {
        self.models
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Whether only other machines could work on it. Where nobody knows, this one could.
    pub(super) fn is_elsewhere(&self, effect: &Effect) -> bool {
        let Target::Model(wanted) = &effect.target else {
            return false;
        };
        let service = effect.operation.service();
        let models = self.models.lock().unwrap_or_else(PoisonError::into_inner);
        elsewhere(&models, service, wanted)
    }

    /// The list for a greeting; the default of each service comes first.
    pub fn encoded(&self) -> Vec<u8> {
        let mut models = self.models();
        let off = self.off();
        // A handheld asks for no vectors.
        models.retain(|(_, model)| model.embeds != Some(true) && !off.contains(&model.id));
        models.sort_by_key(|(service, model)| (*service, !model.default));
        let mut list = Vec::new();
        for (service, model) in models.iter().take(MAX_MODELS) {
            if model.id.len() > MAX_MODEL_LEN {
                continue;
            }
            let mut one = Vec::new();
            push_model(
                &Model {
                    service: *service,
                    id: &model.id,
                    label: &label(model),
                    loaded: model.loaded,
                },
                &mut one,
            );
            if list.len() + one.len() > MAX_LIST_LEN {
                break;
            }
            list.extend_from_slice(&one);
        }
        list
    }
}

/// What to show: model and provider; the built-in ones say so.
fn label(model: &ModelInfo) -> String {
    match model.id.split_once('/') {
        Some((provider, name)) => format!("{name} · {provider}"),
        None => model.id.clone(),
    }
}

impl Hub {
    /// Asks the services for their models, in a thread of its own; tells sessions where the list changed.
    pub fn refresh_models(self: &Arc<Self>) {
        let catalogue = &self.catalogue;
        catalogue.wanted.store(true, Ordering::SeqCst);
        if catalogue.asking.swap(true, Ordering::SeqCst) {
            // It looks again before it ends: what it was told so far may be older than this.
            return;
        }
        let hub = Arc::clone(self);
        let asked = std::thread::Builder::new()
            .name("models".to_owned())
            .spawn(move || hub.ask_while_wanted());
        if asked.is_err() {
            catalogue.asking.store(false, Ordering::SeqCst);
        }
    }

    fn ask_while_wanted(&self) {
        let catalogue = &self.catalogue;
        loop {
            while catalogue.wanted.swap(false, Ordering::SeqCst) {
                self.ask_for_models();
            }
            catalogue.asking.store(false, Ordering::SeqCst);
            // Wanted between the two lines above: whoever it was has seen that somebody asks.
            if !catalogue.wanted.load(Ordering::SeqCst)
                || catalogue.asking.swap(true, Ordering::SeqCst)
            {
                return;
            }
        }
    }

    /// Switches a model on or off for everybody, and writes that down. What runs goes on to its end.
    ///
    /// # Errors
    /// What the store said; nothing has changed then.
    pub fn set_model(&self, model: &str, on: bool) -> Result<(), StoreError> {
        {
            let mut off = self
                .catalogue
                .off
                .write()
                .unwrap_or_else(PoisonError::into_inner);
            let mut new = BTreeSet::clone(&off);
            let changed = match on {
                true => new.remove(model),
                false => new.insert(model.to_owned()),
            };
            if !changed {
                return Ok(());
            }
            self.store.set_models_off(&new, model, on)?;
            *off = Arc::new(new);
        }
        log::info!(
            "model {} switched {}",
            crate::sanitize::visible(model),
            if on { "on" } else { "off" }
        );
        // Another one may be the default now.
        self.ask_for_models();
        self.models_changed();
        Ok(())
    }

    /// Asks the services for their models now, and waits.
    pub fn ask_for_models(&self) {
        // One at a time, so that no older answer replaces a newer one.
        let catalogue = &self.catalogue;
        let before = catalogue.begun.load(Ordering::SeqCst);
        let _turn = catalogue
            .turn
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        // Whoever had the turn meanwhile began after this was called: that answer is new enough, and nobody waits for more
        // than two.
        if catalogue.begun.load(Ordering::SeqCst) > before {
            return;
        }
        catalogue.begun.fetch_add(1, Ordering::SeqCst);
        let mut found = Vec::new();
        for (service, client, offered) in [
            (
                Service::Language,
                &self.services.language,
                self.settings().language,
            ),
            (Service::Image, &self.services.image, self.settings().image),
        ] {
            if !offered {
                continue;
            }
            let off = self.catalogue.off().iter().cloned().collect();
            match ask(client, off) {
                Ok(models) => found.extend(models.into_iter().map(|model| (service, model))),
                Err(error) => log::warn!("models of {service:?}: {error}"),
            }
        }
        let changed = {
            let mut models = self
                .catalogue
                .models
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            let changed = *models != found;
            *models = found;
            changed
        };
        if changed {
            self.models_changed();
        }
    }
}

fn ask(client: &ServiceClient, off: Vec<String>) -> Result<Vec<ModelInfo>, String> {
    let events = client
        .call(&ServiceRequest::Models.without(off))
        .map_err(|error| error.to_string())?;
    events
        .set_idle_timeout(Some(PATIENCE))
        .map_err(|error| error.to_string())?;
    let mut models = Vec::new();
    for event in events {
        match event {
            ServiceEvent::Models(found) => models = found,
            ServiceEvent::Done(_) => return Ok(models),
            ServiceEvent::Failed(failure) => return Err(failure.to_string()),
            other => return Err(format!("{other:?} out of turn")),
        }
    }
    Err("the service ended without an answer".to_owned())
}

/// Whether only other machines are known that could take `wanted` of `service`.
fn elsewhere(models: &[(Service, ModelInfo)], service: Service, wanted: &str) -> bool {
    let of_service = || models.iter().filter(|(own, _)| *own == service);
    let named = |name: &str| of_service().find(|(_, model)| model.id == name);
    if let Some((_, model)) = named(wanted) {
        return !model.here;
    }
    // The service chooses among all that could take it, and goes on to the next where one fails.
    let real = of_service().filter(|(_, model)| !model.id.starts_with(BUILT_IN));
    let mut takers = real
        .filter(|(_, model)| {
            let own = model.id.split_once('/').map(|(_, own)| own);
            wanted.is_empty() || own == Some(wanted)
        })
        .peekable();
    takers.peek().is_some() && takers.all(|(_, model)| !model.here)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_elsewhere_only_where_nothing_here_could_take_it() {
        let model = |id: &str, here| {
            let model = ModelInfo {
                id: id.into(),
                loaded: None,
                default: id == "box/big",
                note: String::new(),
                here,
                embeds: None,
            };
            (Service::Language, model)
        };
        let built_in = model("built-in/partner", true);
        let elsewhere =
            |models: &[(Service, ModelInfo)], wanted| elsewhere(models, Service::Language, wanted);
        let both = [
            model("box/big", false),
            model("box/far", false),
            model("own/big", true),
            built_in.clone(),
        ];
        for (wanted, is) in [
            ("box/big", true),
            ("own/big", false),
            ("far", true),
            // Whoever fails is followed by the next.
            ("big", false),
            ("", false),
            ("partner", false),
            ("nowhere", false),
        ] {
            assert_eq!(elsewhere(&both, wanted), is, "{wanted:?}");
        }
        assert!(elsewhere(&[model("box/big", false), built_in.clone()], ""));
        assert!(!elsewhere(&[built_in], ""));
        assert!(!super::elsewhere(&both, Service::Image, ""));
    }
}
