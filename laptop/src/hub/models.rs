//! Models on offer, as the services last said, and how to ask again.

use super::Hub;
use crate::ipc::{ModelInfo, ServiceClient, ServiceEvent, ServiceRequest};
use shared_proto::limits::{MAX_MODEL_LEN, MAX_MODELS};
use shared_proto::message::{Model, push_model};
use shared_proto::opcode::Service;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Longest wait for a service that is asked for its models.
const PATIENCE: Duration = Duration::from_secs(10);

/// Octets of the list that fit a greeting beside everything else.
const MAX_LIST_LEN: usize = 16 * 1024;

/// See the module.
#[derive(Default)]
pub struct Catalogue {
    models: Mutex<Vec<(Service, ModelInfo)>>,
    asking: AtomicBool,
}

impl Catalogue {
    /// Nothing known yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// What is known.
    pub fn models(&self) -> Vec<(Service, ModelInfo)> {
        self.models
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The list for a greeting; the default of each service comes first.
    pub fn encoded(&self) -> Vec<u8> {
        let mut models = self.models();
        // A handheld asks for no vectors.
        models.retain(|(_, model)| model.embeds != Some(true));
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
        if self.catalogue.asking.swap(true, Ordering::SeqCst) {
            return;
        }
        let hub = Arc::clone(self);
        let asked = std::thread::Builder::new()
            .name("models".to_owned())
            .spawn(move || {
                hub.ask_for_models();
                hub.catalogue.asking.store(false, Ordering::SeqCst);
            });
        if asked.is_err() {
            self.catalogue.asking.store(false, Ordering::SeqCst);
        }
    }

    /// Asks the services for their models now, and waits.
    pub fn ask_for_models(&self) {
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
            match ask(client) {
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

fn ask(client: &ServiceClient) -> Result<Vec<ModelInfo>, String> {
    let events = client
        .call(&ServiceRequest::Models)
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
