//! What happens, in the words of the control socket.

use crate::control::api::{Event, Pending};
use crate::hub::{self, Activity};
use std::time::Instant;

/// A question that waits.
pub(super) fn pending(one: &hub::Pending) -> Pending {
    Pending {
        id: one.number,
        device: one.relationship,
        name: one.device.clone(),
        wants: one.lines.clone(),
        cost: one.cost.clone(),
        operations: one
            .operations
            .iter()
            .map(|operation| operation.name().to_owned())
            .collect(),
        expires_in_s: one
            .expires_at
            .saturating_duration_since(Instant::now())
            .as_secs(),
    }
}

/// Something that happened.
pub(super) fn event(activity: Activity) -> Event {
    match activity {
        Activity::Asked(asked) => Event::Asks(pending(&asked)),
        Activity::Answered { number, answer } => Event::Answered {
            id: number,
            answer: answer.to_owned(),
        },
        Activity::Taken {
            device,
            request,
            lines,
        } => Event::Started {
            name: device,
            request,
            wants: lines,
        },
        Activity::Refused {
            device,
            request,
            reason,
        } => Event::Denied {
            name: device,
            request,
            reason,
        },
        Activity::Ended {
            device,
            request,
            outcome,
        } => Event::Ended {
            name: device,
            request,
            outcome,
        },
        Activity::Link {
            device,
            linked: true,
        } => Event::Linked { name: device },
        Activity::Link {
            device,
            linked: false,
        } => Event::Unlinked { name: device },
    }
}
