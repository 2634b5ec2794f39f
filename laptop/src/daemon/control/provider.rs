//! Providers of the services and how they are.

use super::{Control, Method, value};
use crate::control::api::Provider;
use crate::ipc::{Health, ModelInfo, ProviderHealth, ServiceClient, ServiceEvent, ServiceRequest};
use std::time::Duration;

/// Longest silence of a service that asks its providers.
const TIMEOUT: Duration = Duration::from_secs(10);

pub(super) const METHODS: &[Method] = &[Method::read("providers.list", |control, _| {
    value(&control.providers())
})];

impl Control {
    /// Asked for now: nothing is polled, so that whoever looks is who wakes a provider.
    pub(super) fn providers(&self) -> Vec<Provider> {
        let services = [
            ("language", &self.services.language),
            ("image", &self.services.image),
        ];
        // Both at once: an address where nobody answers takes a while.
        std::thread::scope(|scope| {
            let asked: Vec<_> = services
                .map(|(name, client)| scope.spawn(move || of_service(name, client)))
                .into_iter()
                .collect();
            asked
                .into_iter()
                .flat_map(|one| one.join().unwrap_or_default())
                .collect()
        })
    }
}

fn of_service(service: &str, client: &ServiceClient) -> Vec<Provider> {
    let mut models: Vec<ModelInfo> = Vec::new();
    let mut health: Vec<ProviderHealth> = Vec::new();
    // The models first: asking for them is the contact that health tells of.
    for request in [ServiceRequest::Models, ServiceRequest::Health] {
        let Ok(events) = client.call(&request) else {
            return Vec::new();
        };
        if events.set_idle_timeout(Some(TIMEOUT)).is_err() {
            return Vec::new();
        }
        for event in events {
            match event {
                ServiceEvent::Models(list) => models = list,
                ServiceEvent::Health(list) => health = list,
                _ => {}
            }
        }
    }
    health
        .into_iter()
        .map(|one| {
            let (word, reason) = match one.health {
                Health::Healthy => ("healthy", String::new()),
                Health::Degraded(why) => ("degraded", why),
                Health::Unhealthy(why) => ("unhealthy", why),
            };
            let start = format!("{}/", one.provider);
            Provider {
                service: service.to_owned(),
                models: models
                    .iter()
                    .filter(|model| model.id.starts_with(&start))
                    .count(),
                name: one.provider,
                address: one.address,
                health: word.to_owned(),
                reason,
            }
        })
        .collect()
}
