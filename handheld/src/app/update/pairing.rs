//! Pairing.

use crate::app::effect::{Effect, Effects};
use crate::app::hints::Act;
use crate::app::model::screen::{PairingScreen, PairingStage};
use crate::app::model::{Call, Laptop, Model, Screen};
use crate::app::msg::{PairingEvent, PairingFault};
use crate::app::words;

/// How long the laptop is called before that counts as failed: somewhat longer than the two minutes that the radio waits for the
/// push of a button there, whose end says more.
const CALL_MS: u64 = 130_000;

/// Calls a laptop to pair with it.
pub(super) fn call(model: &mut Model, call: Call, fx: &mut Effects) {
    let until = Some(model.now.plus(CALL_MS));
    fx.push(Effect::Pair(call.clone()));
    super::nav::push(
        model,
        Screen::Pairing(PairingScreen {
            stage: PairingStage::Calling,
            call,
            until,
        }),
        fx,
    );
}

/// Something was done while pairing.
pub(super) fn act(model: &mut Model, act: Act, fx: &mut Effects) {
    let Screen::Pairing(screen) = model.screen_mut() else {
        return;
    };
    match (act, &screen.stage) {
        (Act::Confirm, PairingStage::Confirm { laptop, .. }) => {
            screen.stage = PairingStage::Keeping {
                laptop: laptop.clone(),
            };
            fx.push(Effect::PairConfirm);
        }
        (Act::Retry, PairingStage::Failed { .. }) => {
            let again = screen.call.clone();
            match again {
                // It may have been mistyped: it is shown again, ready to be changed.
                Call::Passphrase(..) => {
                    super::nav::back(model, fx);
                    super::radio::write_passphrase(model, again, fx);
                }
                _ => call(model, again, fx),
            }
        }
        // The person said yes; leaving the screen does not take that back.
        (Act::Back, PairingStage::Keeping { .. } | PairingStage::Failed { .. }) => {
            super::nav::back(model, fx)
        }
        (Act::Back, _) => {
            fx.push(Effect::PairCancel);
            super::nav::back(model, fx);
        }
        _ => {}
    }
}

/// The window has closed on this side.
pub(super) fn expire(model: &mut Model, fx: &mut Effects) {
    let now = model.now;
    let Screen::Pairing(screen) = model.screen_mut() else {
        return;
    };
    let waits = matches!(
        screen.stage,
        PairingStage::Calling | PairingStage::Digits(_) | PairingStage::Confirm { .. }
    );
    if waits && screen.until.is_some_and(|until| until <= now) {
        fx.push(Effect::PairCancel);
        fail(screen, &PairingFault::TimedOut);
    }
}

fn fail(screen: &mut PairingScreen, fault: &PairingFault) {
    let (title, body) = words::pairing::fault(fault, &screen.call);
    screen.stage = PairingStage::Failed { title, body };
    screen.until = None;
}

/// Something happened while pairing.
pub(super) fn event(model: &mut Model, event: PairingEvent, fx: &mut Effects) {
    if let PairingEvent::Kept(laptop) = event {
        return kept(model, laptop, fx);
    }
    let now = model.now;
    let Screen::Pairing(screen) = model.screen_mut() else {
        // The person has left; nobody is there to compare digits or to say yes.
        if !matches!(event, PairingEvent::Failed(_)) {
            fx.push(Effect::PairCancel);
        }
        return;
    };
    match (event, &screen.stage) {
        (PairingEvent::Digits { digits, left_ms }, PairingStage::Calling) => {
            screen.stage = PairingStage::Digits(digits.map(|d| d % 10));
            screen.until = Some(now.plus(left_ms));
        }
        (PairingEvent::Matched { laptop }, PairingStage::Digits(digits)) => {
            screen.stage = PairingStage::Confirm {
                digits: *digits,
                laptop,
            };
        }
        (PairingEvent::Failed(fault), _) => fail(screen, &fault),
        _ => {}
    }
}

fn kept(model: &mut Model, laptop: Laptop, fx: &mut Effects) {
    let id = laptop.id;
    let name = words::peer(&laptop.name, words::PEER_NAME_LEN);
    model.laptops.retain(|l| l.id != id);
    model.laptops.push(laptop);
    model.radio.joining = None;
    if matches!(model.screen(), Screen::Pairing(_)) {
        super::nav::home(model, fx);
        // Going home calls pairing off; this one is over and kept.
        fx.retain(|e| *e != Effect::PairCancel);
    }
    model.chosen = None;
    super::laptop::choose(model, id, fx);
    super::toast(model, format!("Paired with {name}"));
}
