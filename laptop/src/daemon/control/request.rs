//! Requests that wait for a person.

use super::{Control, Method, read, value};
use crate::control::api::{Pending, PendingId};
use crate::control::{ErrorKind, RpcError};
use crate::daemon::news::pending;

pub(super) const METHODS: &[Method] = &[
    Method::read("pending.list", |control, _| value(&control.pending())),
    Method::full("approve", |control, params| {
        value(&control.answer(read::<PendingId>(params)?.id, true)?)
    }),
    Method::full("deny", |control, params| {
        value(&control.answer(read::<PendingId>(params)?.id, false)?)
    }),
];

impl Control {
    fn pending(&self) -> Vec<Pending> {
        self.hub.desk.pending().iter().map(pending).collect()
    }

    fn answer(&self, id: u64, yes: bool) -> Result<Pending, RpcError> {
        let nobody = || {
            RpcError::new(
                ErrorKind::NotFound,
                format!("no request {id} waits; see officectl pending"),
            )
        };
        let asked = self
            .hub
            .desk
            .pending()
            .into_iter()
            .find(|one| one.number == id)
            .ok_or_else(nobody)?;
        self.hub.desk.answer(id, yes).map_err(|_| nobody())?;
        Ok(pending(&asked))
    }
}
