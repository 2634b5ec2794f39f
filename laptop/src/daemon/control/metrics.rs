//! Counts for Prometheus.

use super::{Control, Method, value};
use crate::control::RpcError;
use crate::hub::Moment;

pub(super) const METHODS: &[Method] = &[Method::read("metrics", |control, _| {
    value(&control.metrics()?)
})];

impl Control {
    /// Whoever asks is who wakes the providers: nothing is polled for this.
    fn metrics(&self) -> Result<String, RpcError> {
        let hub = &self.hub;
        let devices = hub.store.relationships()?;
        let moment = Moment {
            uptime_s: self.started.elapsed().as_secs(),
            linked: devices.iter().filter(|one| hub.is_linked(one.id)).count(),
            pending: hub.desk.pending().len(),
            ledger: hub.store.ledger_head()?.number,
            queues: hub.queues(),
            providers: self
                .providers()
                .into_iter()
                .map(|one| (one.service, one.name, one.health))
                .collect(),
        };
        Ok(hub.metrics.text(&moment))
    }
}
