//! The card's errors as failures of a request.

use crate::app::model::outbox::Failure;
use crate::card::CardError;

/// A failure that is the card's own and not the laptop's.
pub(super) fn own_failure(error: &CardError) -> Failure {
    let said = failure(error);
    match said.code {
        Failure::DAMAGED => Failure::own(Failure::CARD_BROKEN, error.to_string()),
        _ => said,
    }
}

pub(super) fn failure(error: &CardError) -> Failure {
    let code = match error {
        CardError::Full { .. } | CardError::StoreFull { .. } => Failure::CARD_FULL,
        CardError::Damaged { .. } => Failure::DAMAGED,
        _ => Failure::CARD_BROKEN,
    };
    Failure::own(code, error.to_string())
}
