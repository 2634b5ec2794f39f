//! Models that the owner has switched off: no name leads to one of them.

use crate::ipc::{CancelToken, Failure, FailureCode};

use super::Provider;
use super::registry::Entry;
use super::wording::one_line;

impl<P: Provider + ?Sized> Entry<P> {
    /// Names of this provider's models in `off`, as it names them itself.
    fn own<'o>(&self, off: &'o [String]) -> impl Iterator<Item = &'o str> {
        let name = self.provider.name();
        off.iter()
            .filter_map(move |one| one.strip_prefix(name)?.strip_prefix('/'))
    }

    /// Whether any of its models is off.
    pub(super) fn has_off(&self, off: &[String]) -> bool {
        self.own(off).next().is_some()
    }

    /// Whether `model`, by this provider's own name for it, is one of `off`.
    pub(super) fn is_off(&self, model: &str, off: &[String]) -> bool {
        self.own(off).any(|one| one == model)
    }

    /// Refuses a model of `off`, and where there is one also what the provider does not list: servers take short forms of
    /// a name, and some take any name for the one model they have.
    ///
    /// # Errors
    /// `ModelOff`, `ModelUnknown`, or why the provider lists nothing.
    pub(super) fn check_on(
        &self,
        model: &str,
        off: &[String],
        cancel: &CancelToken,
    ) -> Result<(), Failure> {
        if !self.has_off(off) {
            return Ok(());
        }
        if self.is_off(model, off) {
            return Err(self.switched_off(model));
        }
        if self.models(cancel)?.iter().any(|one| one.id == model) {
            return Ok(());
        }
        let name = self.provider.name();
        let detail = format!(
            "{name} lists no model {}; as one of its models is switched off, only those that it lists are asked.",
            one_line(model)
        );
        Err(Failure::new(FailureCode::ModelUnknown, name, detail))
    }

    /// That `model` is one of those which the owner has switched off.
    pub(super) fn switched_off(&self, model: &str) -> Failure {
        let name = self.provider.name();
        let detail = format!(
            "The owner of this laptop has switched {name}/{} off.",
            one_line(model)
        );
        Failure::new(FailureCode::ModelOff, name, detail)
    }

    /// That nothing is left of it.
    pub(super) fn all_off(&self) -> Failure {
        let name = self.provider.name();
        let detail = format!("{name} has no model that could answer and is not switched off.");
        Failure::new(FailureCode::ModelOff, name, detail)
    }
}
