//! Models that devices may be offered.

use super::{Control, Method, value};
use crate::control::api::Model;
use shared_proto::opcode::Service;

pub(super) const METHODS: &[Method] = &[Method::read("models", |control, _| {
    value(&control.models())
})];

impl Control {
    fn models(&self) -> Vec<Model> {
        self.hub.ask_for_models();
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
                id: model.id,
                loaded: model.loaded,
                default: model.default,
                note: model.note,
                embeds: model.embeds,
            })
            .collect()
    }
}
