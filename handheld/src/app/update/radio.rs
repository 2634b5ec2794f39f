//! The radio: laptops nearby, the signal while somebody looks at it, and sleep between uses.

use crate::app::effect::{Effect, Effects};
use crate::app::hints::Act;
use crate::app::model::laptop::Away;
use crate::app::model::screen::{FilesScreen, Purpose};
use crate::app::model::{Call, Carrier, EntryState, Link, ListState, Model, Nearby, Screen, Side};
use crate::app::view::nearby::{Item, items};
use crate::app::words;
use crate::time::Millis;

/// Shows the laptops that the radio hears.
pub(super) fn open(model: &mut Model, fx: &mut Effects) {
    // What was heard the last time may be gone.
    model.radio.nearby.clear();
    model.radio.silent = None;
    super::nav::push(model, Screen::Nearby(ListState::default()), fx);
}

/// Something was done among the laptops nearby.
pub(super) fn act(model: &mut Model, act: Act, fx: &mut Effects) {
    let Screen::Nearby(state) = model.screen() else {
        return;
    };
    let focus = state.focus;
    let item = items(model).into_iter().nth(focus).map(|(item, _)| item);
    match (act, item) {
        (Act::Back, _) => super::nav::back(model, fx),
        (Act::Confirm, Some(Item::Laptop(nearby))) if nearby.push => {
            super::pairing::call(model, Call::Push(nearby), fx);
        }
        (Act::Confirm | Act::Choose, Some(Item::Laptop(nearby))) => {
            write_passphrase(model, Call::Passphrase(nearby, String::new()), fx);
        }
        (Act::Write, _) | (Act::Confirm, Some(Item::Address)) => {
            super::writing::open(model, Purpose::Address, fx);
        }
        _ => {
            super::lists::moved(model, act);
        }
    }
}

/// Opens the keyboard for the passphrase of a laptop's network, with what was written before.
pub(super) fn write_passphrase(model: &mut Model, call: Call, fx: &mut Effects) {
    model.radio.joining = Some(call);
    super::writing::open(model, Purpose::Passphrase, fx);
}

/// The passphrase is written: joins with it, or says what is wrong with it.
pub(super) fn join(model: &mut Model, written: &str, fx: &mut Effects) {
    let Some(Call::Passphrase(nearby, _)) = &model.radio.joining else {
        return super::nav::back(model, fx);
    };
    let Some(passphrase) = words::radio::passphrase(written) else {
        let (title, body) = words::radio::NO_PASSPHRASE;
        return super::menus::tell_plain(model, title, body);
    };
    let call = Call::Passphrase(nearby.clone(), passphrase);
    model.keyboard.take();
    model.radio.joining = Some(call.clone());
    super::nav::back(model, fx);
    super::pairing::call(model, call, fx);
}

/// The radio hears these laptops now. Those that show keep their places, and the focus stays on its laptop: a thumb on its way to A
/// must not meet another one.
pub(super) fn heard(model: &mut Model, mut now: Vec<Nearby>) {
    let known = std::mem::take(&mut model.radio.nearby);
    let focused = match model.screen() {
        Screen::Nearby(state) => Some(state.focus),
        _ => None,
    };
    let mut list = Vec::with_capacity(now.len());
    let mut place = None;
    model.radio.silent = None;
    for (row, old) in known.iter().enumerate() {
        let heard = now.iter().position(|n| n.bssid == old.bssid);
        match heard.or_else(|| now.iter().position(|n| is_same(n, old))) {
            Some(index) => list.push(now.remove(index)),
            // It stays as long as it has the focus.
            None if focused == Some(row) => {
                model.radio.silent = Some(old.bssid);
                list.push(old.clone());
            }
            None => continue,
        }
        if focused == Some(row) {
            place = Some(list.len() - 1);
        }
    }
    list.append(&mut now);
    let behind = known.len();
    let count = list.len();
    model.radio.nearby = list;
    let Screen::Nearby(state) = model.screen_mut() else {
        return;
    };
    state.focus = match place {
        Some(place) => place,
        // The rows below the laptops move with their number; the first laptop that is heard takes the focus.
        None if behind > 0 && state.focus >= behind => count + (state.focus - behind),
        None => state.focus.min(count.saturating_sub(1)),
    };
}

/// Whether these are one laptop, whose network may have been made anew since.
fn is_same(a: &Nearby, b: &Nearby) -> bool {
    match (a.device, b.device) {
        (Some(a), Some(b)) => a == b,
        _ => a.ssid == b.ssid,
    }
}

/// Begins and ends what lasts as long as a screen shows.
pub(super) fn settle(model: &mut Model, fx: &mut Effects) {
    let shown = model.lock.is_none() && !model.dark;
    match (
        shown && matches!(model.screen(), Screen::Nearby(_)),
        model.radio.looking,
    ) {
        (true, None) => {
            model.radio.looking = Some(model.now);
            fx.push(Effect::Look(true));
        }
        (false, Some(_)) => {
            model.radio.looking = None;
            // Before the call that may have ended it: one radio does one thing at a time.
            fx.insert(0, Effect::Look(false));
        }
        _ => {}
    }
    let by_radio = matches!(
        model.link,
        Link::Linked {
            carrier: Carrier::WifiDirect | Carrier::Station,
            ..
        }
    );
    let watch = shown && by_radio && matches!(model.screen(), Screen::Laptop(_));
    if watch != model.radio.watching {
        model.radio.watching = watch;
        fx.push(Effect::WatchSignal(watch));
    }
    if is_busy(model) && !model.dark {
        model.radio.quiet_since = model.now;
        wake(model, fx);
    }
}

/// Requests to the chosen laptop are on their way, or a laptop is being found or paired.
fn is_busy(model: &Model) -> bool {
    let waits = |state: &EntryState| !matches!(state, EntryState::Draft | EntryState::Failed(_));
    let mine = |laptop| Some(laptop) == model.chosen;
    let ended = words::ended(model).is_some();
    let requests = !model.hashing.is_empty()
        || model.outbox.unnumbered.iter().any(|(_, e)| mine(e.laptop))
        || model
            .outbox
            .entries
            .iter()
            .any(|e| mine(e.laptop) && waits(&e.state));
    // What waits for a pairing that is over goes nowhere, however long the radio stays awake.
    (requests && !ended)
        || model.screens.iter().any(|s| match s {
            // Under the lock nobody looks.
            Screen::Nearby(_) => model.lock.is_none(),
            screen => matches!(screen, Screen::Pairing(_)),
        })
}

/// A button was pressed, and what it does is done: the link is woken where it will be needed, so that it is there in time.
pub(super) fn pressed(model: &mut Model, fx: &mut Effects) {
    model.radio.quiet_since = model.now;
    let needs_link = match model.screen() {
        Screen::Writing(writing) => matches!(
            writing.purpose,
            Purpose::Message(_)
                | Purpose::FirstMessage(_)
                | Purpose::Change(_)
                | Purpose::Url
                | Purpose::Requeue(_)
        ),
        Screen::Files(FilesScreen { side, .. }) => *side == Side::Laptop,
        Screen::Prompt(_) | Screen::Services(_) | Screen::Laptop(_) => true,
        _ => false,
    };
    if needs_link && model.lock.is_none() {
        wake(model, fx);
    }
}

/// Wakes link and radio, if they sleep.
pub(super) fn wake(model: &mut Model, fx: &mut Effects) {
    if let Link::Asleep { since } = model.link {
        model.link = Link::Away(Away {
            since,
            idle: true,
            ..Away::default()
        });
        fx.push(Effect::Reconnect);
    }
}

/// When link and radio go to sleep if nothing happens.
fn sleep_at(model: &Model) -> Option<Millis> {
    let awake = match &model.link {
        Link::Linked { .. } | Link::Away(_) | Link::Connecting { .. } => true,
        Link::Asleep { .. } | Link::Unpaired => false,
    };
    let after = model.settings.sleep.after_ms()?;
    (awake && !is_busy(model)).then(|| model.radio.quiet_since.plus(after))
}

/// Sends link and radio to sleep when it is time.
pub(super) fn expire(model: &mut Model, fx: &mut Effects) {
    if model.dark || sleep_at(model).is_none_or(|at| at > model.now) {
        return;
    }
    let since = match &model.link {
        Link::Linked { .. } => model.wall(),
        link => link.away().map_or(0, |away| away.since),
    };
    model.link = Link::Asleep { since };
    fx.push(Effect::Rest);
}

/// The link says that it sleeps. If it was woken meanwhile, what was open before is gone all the same.
pub(super) fn asleep(model: &mut Model) {
    if model.link.is_open() {
        let since = model.wall();
        model.link = Link::Away(Away {
            since,
            idle: true,
            ..Away::default()
        });
    }
}

/// The next instant at which something of this changes by itself.
pub(super) fn next(model: &Model) -> Option<Millis> {
    let doubt = model
        .radio
        .looking
        .filter(|_| model.radio.nearby.is_empty())
        .map(|since| since.plus(words::radio::DOUBT_MS))
        .filter(|at| *at > model.now);
    [sleep_at(model), doubt].into_iter().flatten().min()
}
