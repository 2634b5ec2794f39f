//! How the daemon is.

use super::{Control, Method, value};
use crate::control::RpcError;
use crate::control::api::Status;
use crate::ipc::{ServiceClient, ServiceEvent, ServiceRequest};
use crate::store::Relationship;
use std::time::Duration;

/// Longest wait for a service that is asked whether it is there.
const SERVICE_TIMEOUT: Duration = Duration::from_secs(3);

pub(super) const METHODS: &[Method] = &[Method::read("status", |control, _| {
    value(&control.status()?)
})];

impl Control {
    fn status(&self) -> Result<Status, RpcError> {
        let config = self.settled.now();
        let devices = self.hub.store.relationships()?;
        let held: Vec<&Relationship> = devices
            .iter()
            .filter(|device| device.keys.is_some())
            .collect();
        let callers = self.hub.store.callers()?;
        let services = [
            (
                "language",
                config.daemon.llm_enabled,
                &self.services.language,
            ),
            (
                "image",
                config.daemon.image_generation_enabled,
                &self.services.image,
            ),
            (
                "fetch",
                config.daemon.fetch_enabled,
                &self.services.downloads,
            ),
        ];
        Ok(Status {
            name: config.daemon.device_name.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            uptime_s: self.started.elapsed().as_secs(),
            carriers: self.carriers.list(),
            trouble: self.carriers.trouble(),
            devices: held.len(),
            max_devices: config.daemon.max_paired_devices,
            linked: held
                .iter()
                .filter(|device| self.hub.is_linked(device.id))
                .count(),
            running: (held.iter().map(|device| device.id))
                .chain(callers.iter().map(|caller| caller.id))
                .map(|id| self.hub.running(id))
                .sum(),
            pending: self.hub.desk.pending().len(),
            services: services
                .into_iter()
                .filter(|(_, offered, _)| *offered)
                .map(|(name, _, client)| (name.to_owned(), answers(client)))
                .collect(),
        })
    }
}

pub(super) fn answers(client: &ServiceClient) -> bool {
    let Ok(events) = client.call(&ServiceRequest::Health) else {
        return false;
    };
    if events.set_idle_timeout(Some(SERVICE_TIMEOUT)).is_err() {
        return false;
    }
    // Any answer of its own will do: also one that says it cannot tell.
    !matches!(
        events.into_iter().last(),
        None | Some(ServiceEvent::Failed(crate::ipc::Failure {
            code: crate::ipc::FailureCode::ServiceGone,
            ..
        }))
    )
}
