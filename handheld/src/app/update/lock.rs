//! The lock: entering the sequence, and choosing a new one.

use crate::app::effect::{Effect, Effects};
use crate::app::hints::Act;
use crate::app::model::screen::{LockScreen, SetLockScreen};
use crate::app::model::{Model, Screen};
use crate::input::button::Button;

/// The card is sealed.
pub(super) fn locked(model: &mut Model) {
    model.overlay = None;
    model.lock = Some(LockScreen::default());
}

/// The sequence was wrong.
pub(super) fn wrong(model: &mut Model, wait_ms: u64) {
    let now = model.now;
    if let Some(lock) = &mut model.lock {
        lock.entered.clear();
        lock.checking = false;
        lock.wrong += 1;
        lock.wait_until = (wait_ms > 0).then(|| now.plus(wait_ms));
    }
}

/// Something was done while locked.
pub(super) fn act(model: &mut Model, act: Act, button: Button, fx: &mut Effects) {
    let Some(lock) = &mut model.lock else { return };
    match act {
        Act::Sequence => lock.entered.push(button),
        Act::Back => lock.entered.clear(),
        Act::Send => {
            lock.checking = true;
            fx.push(Effect::Unlock(std::mem::take(&mut lock.entered)));
        }
        _ => {}
    }
}

/// Something was done while choosing a sequence.
pub(super) fn set_act(model: &mut Model, act: Act, button: Button, fx: &mut Effects) {
    let Screen::SetLock(screen) = model.screen_mut() else {
        return;
    };
    match act {
        Act::Sequence => screen.entered.push(button),
        Act::Back if screen.entered.is_empty() => super::nav::back(model, fx),
        Act::Back => screen.entered.clear(),
        Act::Send => match screen.first.take() {
            None => screen.first = Some(std::mem::take(&mut screen.entered)),
            Some(first) if first == screen.entered => {
                super::nav::back(model, fx);
                fx.push(Effect::SetLock(Some(first)));
            }
            Some(_) => {
                *screen = SetLockScreen {
                    differed: true,
                    ..SetLockScreen::default()
                }
            }
        },
        _ => {}
    }
}

/// The lock has been set or taken off.
pub(super) fn changed(model: &mut Model, on: bool, fx: &mut Effects) {
    model.settings.lock = on;
    fx.push(Effect::SaveSettings(Box::new(model.settings.clone())));
    super::toast(
        model,
        if on {
            "Locked from the next start on"
        } else {
            "Lock taken off"
        },
    );
}
