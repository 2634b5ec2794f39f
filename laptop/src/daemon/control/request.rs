//! Requests that wait for a person.

use super::{Control, Method, read, value};
use crate::control::api::{Pending, PendingId};
use crate::control::{ErrorKind, RpcError};
use crate::daemon::news::pending;
use crate::hub;
use crate::policy::{Profile, Rule};

pub(super) const METHODS: &[Method] = &[
    Method::read("pending.list", |control, _| value(&control.pending())),
    Method::full("approve", |control, params| {
        value(&control.answer(&read(params)?, true)?)
    }),
    Method::full("deny", |control, params| {
        value(&control.answer(&read(params)?, false)?)
    }),
];

impl Control {
    fn pending(&self) -> Vec<Pending> {
        self.hub.desk.pending().iter().map(pending).collect()
    }

    fn answer(&self, wanted: &PendingId, yes: bool) -> Result<Pending, RpcError> {
        let id = wanted.id;
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
        if wanted.always && yes {
            self.permit_for_good(&asked)?;
        }
        self.hub.desk.answer(id, yes).map_err(|_| nobody())?;
        Ok(pending(&asked))
    }

    /// Lets the device that asks do exactly these operations without asking; what it asks about them otherwise, such as
    /// another model than its list has, stays refused.
    fn permit_for_good(&self, asked: &hub::Pending) -> Result<(), RpcError> {
        if asked.operations.is_empty() {
            let words =
                "this question is about no operation, so there is nothing to permit for good";
            return Err(RpcError::new(ErrorKind::Conflict, words));
        }
        let change = |profile: &mut Profile| {
            for operation in &asked.operations {
                profile.set_rule(*operation, Rule::Allow);
            }
        };
        self.hub.store.change_profile(asked.relationship, change)?;
        self.hub.changed(asked.relationship);
        Ok(())
    }
}
