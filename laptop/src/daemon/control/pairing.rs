//! Pairing.

use super::{Control, Method, read, value};
use crate::control::api::{Digits, PairReport, PairStatus};

pub(super) const METHODS: &[Method] = &[
    Method::full("pair.open", |control, _| {
        value(&control.report(control.pairing.open()?))
    }),
    Method::full("pair.type", |control, params| {
        value(&control.pairing.typed(&read::<Digits>(params)?.digits)?)
    }),
    Method::full("pair.cancel", |control, _| value(&control.pairing.cancel())),
    // Tells the passphrase of the laptop's network.
    Method::full("pair.status", |control, _| {
        value(&control.report(control.pairing.status()))
    }),
];

impl Control {
    /// Only while a handheld may come has anybody to know the network's passphrase.
    fn report(&self, status: PairStatus) -> PairReport {
        let waits = matches!(status, PairStatus::Waiting { .. });
        PairReport {
            network: self.carriers.network().filter(|_| waits),
            trouble: self.carriers.trouble().filter(|_| waits),
            status,
        }
    }
}
