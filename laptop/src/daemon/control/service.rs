//! Services and their providers.

use super::status::answers;
use super::{Control, Method, value};
use crate::control::api::{ProviderReport, ProviderState, ServiceReport};
use crate::daemon::providers;
use crate::ipc::{Health, ServiceClient, ServiceEvent, ServiceRequest};
use std::time::Duration;

/// Longest wait for a service that looks after its providers.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) const METHODS: &[Method] = &[
    Method::read("services.list", |control, _| {
        value(&control.list_services())
    }),
    Method::full("services.test", |control, _| {
        value(&control.test_services())
    }),
];

impl Control {
    fn list_services(&self) -> Vec<ServiceReport> {
        let config = self.settled.now();
        let of = |name: &str, enabled: bool, client: &ServiceClient| ServiceReport {
            name: name.to_owned(),
            enabled,
            answers: enabled && answers(client),
            providers: match enabled && name != "fetch" {
                true => health(client),
                false => Vec::new(),
            },
        };
        vec![
            of(
                "language",
                config.daemon.llm_enabled,
                &self.services.language,
            ),
            of(
                "image",
                config.daemon.image_generation_enabled,
                &self.services.image,
            ),
            of(
                "fetch",
                config.daemon.fetch_enabled,
                &self.services.downloads,
            ),
        ]
    }

    fn test_services(&self) -> Vec<ProviderReport> {
        let config = self.settled.now();
        let mut all = Vec::new();
        if config.daemon.llm_enabled {
            all.extend(providers::check("language", &self.services.language));
        }
        if config.daemon.image_generation_enabled {
            all.extend(providers::check("image", &self.services.image));
        }
        all
    }
}

fn health(client: &ServiceClient) -> Vec<ProviderState> {
    let Ok(events) = client.call(&ServiceRequest::Health) else {
        return Vec::new();
    };
    if events.set_idle_timeout(Some(PATIENCE)).is_err() {
        return Vec::new();
    }
    let found = events.into_iter().find_map(|event| match event {
        ServiceEvent::Health(found) => Some(found),
        _ => None,
    });
    found
        .into_iter()
        .flatten()
        .map(|one| {
            let (health, reason) = match one.health {
                Health::Healthy => ("healthy", String::new()),
                Health::Degraded(why) => ("degraded", why),
                Health::Unhealthy(why) => ("unhealthy", why),
            };
            ProviderState {
                provider: one.provider,
                address: one.address,
                health: health.to_owned(),
                reason,
            }
        })
        .collect()
}
