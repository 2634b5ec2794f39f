//! What happens because time passes.

use crate::app::effect::{Effect, Effects};
use crate::app::model::{EntryState, Link, Model, Screen};
use crate::time::Millis;

/// How long a toast shows.
pub(super) const TOAST_MS: u64 = 3000;

/// How long streamed text may wait for the card: a pulled battery costs no more, and the laptop still has it.
pub(super) const SAVE_AFTER_MS: u64 = 1500;

/// Ends what has run out.
pub(super) fn expire(model: &mut Model, fx: &mut Effects) {
    while model
        .toasts
        .front()
        .and_then(|t| t.until)
        .is_some_and(|until| until <= model.now)
    {
        model.toasts.pop_front();
    }
    let now = model.now;
    if let Some(toast) = model.toasts.front_mut()
        && toast.until.is_none()
    {
        toast.until = Some(now.plus(TOAST_MS));
    }
    if model.save_at.is_some_and(|at| at <= now) {
        save_chats(model, fx);
    }
    if let Screen::Viewer(viewer) = model.screen_mut()
        && viewer.bar_until.is_some_and(|until| until <= now)
    {
        viewer.bar_until = None;
    }
    if let Screen::Pairing(_) = model.screen() {
        super::pairing::expire(model, fx);
    }
    super::setup::expire(model, fx);
    super::radio::expire(model, fx);
    if let Some(lock) = &mut model.lock
        && lock.wait_until.is_some_and(|until| until <= now)
    {
        lock.wait_until = None;
    }
}

/// Writes conversations down whose text has changed.
pub(super) fn save_chats(model: &mut Model, fx: &mut Effects) {
    for id in std::mem::take(&mut model.unsaved) {
        if let Some(chat) = model.chats.find(id) {
            fx.push(Effect::SaveChat(Box::new(chat.clone())));
        }
    }
    model.save_at = None;
}

/// Asks for the next wake-up, if it is another than the last.
pub(super) fn arm(model: &mut Model, fx: &mut Effects) {
    expire_toast_start(model);
    let next = next(model);
    if next != model.timer {
        model.timer = next;
        fx.push(Effect::SetTimer(next));
    }
}

fn expire_toast_start(model: &mut Model) {
    let now = model.now;
    if let Some(toast) = model.toasts.front_mut()
        && toast.until.is_none()
    {
        toast.until = Some(now.plus(TOAST_MS));
    }
}

/// The next instant at which something on the screen or on the card changes by itself.
fn next(model: &Model) -> Option<Millis> {
    let mut due: Vec<Millis> = Vec::new();
    if model.dark {
        // Nobody looks, and what is unsaved was saved.
        return model.save_at;
    }
    if let Some(setup) = &model.pads.setup {
        due.extend(setup.next_wake());
        due.push(next_second(model.now, setup.until()));
    }
    due.extend(model.toasts.front().and_then(|t| t.until));
    due.extend(model.save_at);
    if let Some(lock) = &model.lock {
        due.extend(lock.wait_until.map(|until| next_second(model.now, until)));
        return due.into_iter().min();
    }
    due.extend(super::radio::next(model));
    match model.screen() {
        Screen::Viewer(viewer) => due.extend(viewer.bar_until),
        Screen::Pairing(pairing) => {
            due.extend(pairing.until.map(|until| next_second(model.now, until)))
        }
        Screen::Laptop(_) => {
            if let Link::Away(away) = &model.link {
                due.extend(
                    away.next_try
                        .filter(|at| *at > model.now)
                        .map(|at| next_second(model.now, at)),
                );
            }
        }
        Screen::Chat(_) | Screen::Progress(_) | Screen::Files(_) | Screen::Outbox(_)
            if model.link.is_open() =>
        {
            for entry in &model.outbox.entries {
                if let EntryState::Asked { until } = entry.state
                    && until > model.now
                {
                    due.push(next_second(model.now, until));
                }
            }
        }
        _ => {}
    }
    if let Some(clock) = model.clock {
        // The clock in the header shows minutes.
        let into = (clock.unix % 60) * 1000 + model.now.since(clock.at);
        due.push(model.now.plus(60_000 - into % 60_000));
    }
    due.into_iter().min()
}

/// The next instant at which a countdown to `until` shows another second.
fn next_second(now: Millis, until: Millis) -> Millis {
    match until.since(now) {
        0 => now.plus(1000),
        left => now.plus((left - 1) % 1000 + 1),
    }
}
