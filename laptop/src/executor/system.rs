//! Operations that ask about the laptop itself.

use super::file::{append, encode, out_of_turn};
use super::{Fault, Run, Value};
use crate::ipc::{Health, ProviderHealth, ServiceClient, ServiceEvent, ServiceRequest};
use shared_proto::opcode::{Operation, Service};
use shared_proto::report::{self, Capability, HealthState};

impl Run<'_, '_> {
    pub(super) fn status(&mut self, op: u8) -> Result<Value, Fault> {
        let _permit = self.enter(op)?;
        let view = self.world.system();
        let status = report::Status {
            name: &view.name,
            version: &view.version,
            uptime_s: view.uptime_s,
            running: view.running,
            expires_in_s: view.expires_in_s,
        };
        encode(&status).map(Value::Record)
    }

    pub(super) fn resources(&mut self, op: u8) -> Result<Value, Fault> {
        let _permit = self.enter(op)?;
        let view = self.world.system();
        let resources = report::Resources {
            cpus: view.cpus,
            load_hundredths: view.load_hundredths,
            memory: view.memory.0,
            memory_free: view.memory.1,
            disk_free: view.disk_free,
        };
        encode(&resources).map(Value::Record)
    }

    /// An operation is available where its service answers and has a provider that is not unhealthy.
    pub(super) fn capabilities(&mut self, op: u8) -> Result<Value, Fault> {
        let _permit = self.enter(op)?;
        let usable = |service| {
            self.providers(service, op).is_ok_and(|providers| {
                providers
                    .iter()
                    .any(|p| !matches!(p.health, Health::Unhealthy(_)))
            })
        };
        let language = usable(Service::Language);
        let image = usable(Service::Image);
        let mut record = encode(&(Operation::ALL.len() as u16))?;
        for operation in Operation::ALL {
            let available = match operation.service() {
                Service::Language => language,
                Service::Image => image,
                Service::Files | Service::System => true,
            };
            let capability = Capability {
                operation,
                available,
            };
            append(&capability, &mut record)?;
        }
        Ok(Value::Record(record))
    }

    /// A service that does not answer is itself told as an unhealthy provider.
    pub(super) fn health(&mut self, op: u8) -> Result<Value, Fault> {
        let _permit = self.enter(op)?;
        let mut rows = Vec::new();
        for service in [Service::Language, Service::Image] {
            match self.providers(service, op) {
                Ok(providers) => {
                    rows.extend(providers.into_iter().map(|provider| (service, provider)))
                }
                Err(fault) if fault.ends_everything() => return Err(fault),
                Err(fault) => {
                    let provider = match service {
                        Service::Language => "llm-service",
                        _ => "image-service",
                    };
                    rows.push((
                        service,
                        ProviderHealth {
                            provider: provider.to_owned(),
                            address: String::new(),
                            health: Health::Unhealthy(fault.to_string()),
                        },
                    ));
                }
            }
        }
        let mut record = encode(&(rows.len().min(usize::from(u16::MAX)) as u16))?;
        for (service, provider) in &rows {
            let (state, reason) = match &provider.health {
                Health::Healthy => (HealthState::Healthy, ""),
                Health::Degraded(reason) => (HealthState::Degraded, reason.as_str()),
                Health::Unhealthy(reason) => (HealthState::Unhealthy, reason.as_str()),
            };
            let row = report::ProviderHealth {
                service: *service,
                name: &provider.provider,
                state,
                reason,
            };
            append(&row, &mut record)?;
        }
        Ok(Value::Record(record))
    }

    fn providers(&self, service: Service, op: u8) -> Result<Vec<ProviderHealth>, Fault> {
        let (name, client): (_, &ServiceClient) = match service {
            Service::Image => ("image-service", self.world.image()),
            _ => ("llm-service", self.world.language()),
        };
        let mut calling = self.call(client, ServiceRequest::Health, op)?;
        let mut providers = Vec::new();
        loop {
            match calling.next_event()? {
                ServiceEvent::Health(found) => providers = found,
                ServiceEvent::Done(_) => return Ok(providers),
                ServiceEvent::Failed(failure) => return Err(failure.into()),
                other => return Err(out_of_turn(name, &other)),
            }
        }
    }
}
