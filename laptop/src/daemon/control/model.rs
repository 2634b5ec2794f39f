//! Models that devices may be offered, and those that the owner has switched off.

use super::{Control, Method, read, value};
use crate::control::api::{Model, ModelId};
use crate::control::{ErrorKind, RpcError};
use crate::sanitize::visible;
use shared_proto::opcode::Service;

/// Most models that are off.
const MAX_OFF: usize = 1000;
/// Octets of a name, that of its provider included: services list none that is longer.
const MAX_ID_LEN: usize = 300;

pub(super) const METHODS: &[Method] = &[
    Method::read("models", |control, _| {
        control.hub.ask_for_models();
        value(&control.models())
    }),
    Method::full("models.enable", |control, params| {
        value(&control.switch(&read(params)?, true)?)
    }),
    Method::full("models.disable", |control, params| {
        value(&control.switch(&read(params)?, false)?)
    }),
];

impl Control {
    fn models(&self) -> Vec<Model> {
        let off = self.hub.catalogue.off();
        let models = self.hub.catalogue.models().into_iter();
        models
            .map(|(service, model)| Model {
                service: match service {
                    Service::Language => "language",
                    Service::Image => "image",
                    Service::Files => "files",
                    Service::System => "system",
                }
                .to_owned(),
                enabled: !off.contains(&model.id),
                id: model.id,
                loaded: model.loaded,
                default: model.default,
                note: model.note,
                embeds: model.embeds,
            })
            .collect()
    }

    fn switch(&self, wanted: &ModelId, on: bool) -> Result<Vec<Model>, RpcError> {
        let off = self.hub.catalogue.off();
        // One that is off may be of a provider that is away: it can be switched on all the same.
        let known = off.contains(&wanted.id) || {
            self.hub.ask_for_models();
            let models = self.hub.catalogue.models();
            models.iter().any(|(_, one)| one.id == wanted.id)
        };
        if wanted.id.len() > MAX_ID_LEN {
            let words = format!("a model's name has {MAX_ID_LEN} octets at most");
            return Err(RpcError::new(ErrorKind::Request, words));
        }
        if !known {
            let words = format!(
                "no service has a model {}; see officectl models",
                visible(&wanted.id)
            );
            return Err(RpcError::new(ErrorKind::NotFound, words));
        }
        if !on && off.len() >= MAX_OFF {
            let words = format!("{MAX_OFF} models are off; switch one on first");
            return Err(RpcError::new(ErrorKind::Conflict, words));
        }
        self.hub.set_model(&wanted.id, on)?;
        Ok(self.models())
    }
}
