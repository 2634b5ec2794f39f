//! News from the link.

use crate::app::effect::{Effect, Effects};
use crate::app::model::laptop::{Away, Ended};
use crate::app::model::{Carrier, Entry, EntryState, Link, Model, Verdict};
use crate::app::msg::{LinkEvent, Welcome};
use crate::app::words::quantity;

/// Something happened on the link.
pub(super) fn event(model: &mut Model, event: LinkEvent, fx: &mut Effects) {
    if concerns_session(&event) && !model.link.is_open() {
        // The last words of a link to the laptop that was chosen before: its numbers mean something else now, and what it permits
        // or renews is not this one's.
        return;
    }
    match event {
        LinkEvent::Connecting(carrier) => {
            if let Some(away) = model.link.away().cloned() {
                model.link = Link::Connecting { carrier, away };
            }
        }
        LinkEvent::Welcome(welcome) => linked(model, *welcome, fx),
        LinkEvent::Lost { attempts, next_try } => lost(model, attempts, next_try, fx),
        LinkEvent::Ended { expired } => ended(model, expired, fx),
        LinkEvent::Renewed { expires_in_s } => {
            let ends = model.wall().saturating_add(expires_in_s);
            change_laptop(model, fx, |laptop| {
                laptop.expires_at = ends;
                laptop.ended = None;
            });
            super::toast(
                model,
                format!(
                    "Renewed, {} left",
                    quantity::count(expires_in_s / 86_400, "day", "days")
                ),
            );
        }
        LinkEvent::NotRenewed => {
            let title = format!(
                "{} did not renew the pairing",
                crate::app::words::peer(model.laptop_name(), 40)
            );
            super::menus::tell_plain(
                model,
                title,
                "It stays as it is until it ends. Ask the laptop's owner, then try again.",
            );
        }
        LinkEvent::Notice {
            permissions,
            models,
        } => change_laptop(model, fx, |laptop| {
            laptop.permissions = permissions;
            laptop.models = models;
        }),
        LinkEvent::Accepted(id) => super::result::state(model, id, EntryState::Accepted, fx),
        LinkEvent::Awaiting { id, expires_in_s } => {
            let until = model.now.plus(u64::from(expires_in_s) * 1000);
            super::result::state(model, id, EntryState::Asked { until }, fx);
        }
        LinkEvent::Queued { id, ahead, busy } => {
            super::result::state(model, id, EntryState::Queued { ahead, busy }, fx);
        }
        LinkEvent::Started { id, model: name } => super::result::started(model, id, name, fx),
        LinkEvent::Progress {
            id,
            permille,
            eta_s,
            ..
        } => super::result::progress(model, id, permille, eta_s, fx),
        LinkEvent::Data {
            id,
            slot,
            offset,
            bytes,
            fin,
        } => super::result::data(model, id, slot, offset, bytes, fin, fx),
        LinkEvent::Uploaded { id, sent, len } => {
            let permille = (sent.saturating_mul(1000))
                .checked_div(len)
                .unwrap_or(1000)
                .min(1000) as u16;
            super::result::progress(model, id, permille, None, fx);
        }
        LinkEvent::Done(id) => super::result::done(model, id, fx),
        LinkEvent::Failed { id, failure } => super::result::failed(model, id, failure, fx),
        LinkEvent::Pairing(event) => super::pairing::event(model, event, fx),
        LinkEvent::Radio(ability) => model.radio.ability = Some(ability),
        LinkEvent::Nearby(nearby) => super::radio::heard(model, nearby),
        LinkEvent::Signal(measured) => {
            if let Link::Linked { signal, .. } = &mut model.link {
                *signal = measured;
            }
        }
        LinkEvent::Cable(plugged) => {
            // Offered in pairing while it is there; before an address, which has to be typed or was given.
            model.ways.retain(|way| *way != Carrier::Usb);
            if plugged {
                model.ways.insert(0, Carrier::Usb);
            }
        }
        LinkEvent::Asleep => super::radio::asleep(model),
    }
}

/// It names a request by its number at the laptop that is linked, or says what that laptop grants.
const fn concerns_session(event: &LinkEvent) -> bool {
    matches!(
        event,
        LinkEvent::Accepted(_)
            | LinkEvent::Awaiting { .. }
            | LinkEvent::Queued { .. }
            | LinkEvent::Started { .. }
            | LinkEvent::Progress { .. }
            | LinkEvent::Data { .. }
            | LinkEvent::Uploaded { .. }
            | LinkEvent::Done(_)
            | LinkEvent::Failed { .. }
            | LinkEvent::Notice { .. }
            | LinkEvent::Renewed { .. }
            | LinkEvent::NotRenewed
    )
}

/// The laptop's record is not the one that was seen before.
fn ledger_cut(model: &mut Model, before: u64, now: u64) {
    let name = crate::app::words::peer(model.laptop_name(), 40);
    let title = match now < before {
        true => format!("{name}'s record is shorter than it was"),
        false => format!("{name}'s record is not the one it was"),
    };
    super::menus::tell_plain(
        model,
        title,
        format!(
            "When you were linked last, its ledger had {before} entries; now it has {now}. It was cut, or an older state of \
             the laptop was put back. Ask its owner: officectl ledger verify says more."
        ),
    );
}

fn change_laptop(
    model: &mut Model,
    fx: &mut Effects,
    change: impl FnOnce(&mut crate::app::model::Laptop),
) {
    let chosen = model.chosen;
    if let Some(laptop) = model.laptops.iter_mut().find(|l| Some(l.id) == chosen) {
        change(laptop);
        fx.push(Effect::SaveLaptop(Box::new(laptop.clone())));
    }
}

fn linked(model: &mut Model, welcome: Welcome, fx: &mut Effects) {
    let Some(chosen) = model.chosen else { return };
    if matches!(model.link, Link::Asleep { .. }) {
        // It was under way when the link was sent to sleep; nobody needs it now.
        return;
    }
    if welcome.laptop.is_some_and(|laptop| laptop != chosen) {
        // It was under way when another laptop was chosen.
        return;
    }
    if let Some(clock) = welcome.clock {
        // Time never goes backwards from what was seen last.
        let floor = model.wall();
        model.clock = Some(crate::app::model::Clock {
            unix: clock.unix.max(floor),
            ..clock
        });
    }
    let carrier = welcome
        .carrier
        .or_else(|| model.laptop().and_then(|l| l.carriers.first().cloned()))
        .unwrap_or(Carrier::WifiDirect);
    let (wall, expires_in_s) = (model.wall(), welcome.expires_in_s);
    let first = carrier.clone();
    let by_radio = model.radio.carrier();
    change_laptop(model, fx, |laptop| {
        if !welcome.name.is_empty() {
            laptop.name = welcome.name;
        }
        laptop.permissions = welcome.permissions;
        laptop.models = welcome.models;
        laptop.expires_at = wall.saturating_add(expires_in_s);
        laptop.ended = None;
        laptop.seen_at = wall;
        put_first(&mut laptop.carriers, first);
        // Whatever the way was this time: the laptop's own network needs no router and no address. One whose radio is off now is
        // remembered, and tried after the way that worked.
        if let Some(network) = welcome.network {
            laptop.network = Some(network);
            laptop
                .carriers
                .retain(|c| !matches!(c, Carrier::WifiDirect | Carrier::Station));
            put_first(&mut laptop.carriers, by_radio);
        }
    });
    let failed = model.link.away().and_then(|a| a.attempts.last().cloned());
    model.link = Link::Linked {
        carrier,
        signal: welcome.signal,
        failed,
    };
    fx.push(Effect::RaiseFloor(chosen, welcome.floor));
    super::request::renumber(model, chosen, welcome.floor, fx);
    fx.push(Effect::SeeLedger(chosen, welcome.ledger));
    if let Some(before) = welcome.ledger_cut {
        ledger_cut(model, before.number, welcome.ledger.number);
    }
    if let Some(days) =
        crate::app::view::laptop::days_left(model).filter(|d| *d < 5 && expires_in_s > 0)
    {
        super::toast(
            model,
            format!(
                "Pairing ends in {}. Renew under Laptop",
                quantity::count(days, "day", "days")
            ),
        );
    }
    take_up(model, fx);
    // The list is asked for only where nobody has to be bothered for it.
    let free = model.laptop().is_some_and(|l| {
        l.permissions
            .iter()
            .any(|p| p.operation == "list" && p.verdict == Verdict::Allow)
    });
    if free {
        super::files::list(model, fx);
    }
}

fn put_first(carriers: &mut Vec<Carrier>, first: Carrier) {
    carriers.retain(|c| *c != first);
    carriers.insert(0, first);
}

/// Takes up what was under way when the link broke: nothing runs twice, and every result goes on where it stopped.
fn take_up(model: &mut Model, fx: &mut Effects) {
    let chosen = model.chosen;
    let mut stopped = Vec::new();
    for entry in model
        .outbox
        .entries
        .iter_mut()
        .filter(|e| Some(e.laptop) == chosen)
    {
        if entry.stopping {
            fx.push(Effect::Cancel(entry.id));
            stopped.push((entry.laptop, entry.id));
            continue;
        }
        match entry.state {
            EntryState::Sent => super::request::submit(entry, fx),
            EntryState::Accepted
            | EntryState::Asked { .. }
            | EntryState::Queued { .. }
            | EntryState::Running => {
                if matches!(
                    entry.state,
                    EntryState::Asked { .. } | EntryState::Queued { .. }
                ) {
                    entry.state = EntryState::Accepted;
                }
                fx.push(Effect::Resume {
                    id: entry.id,
                    offsets: offsets(entry),
                    uploads: entry.uploads.clone(),
                });
            }
            EntryState::Draft
            | EntryState::Waiting
            | EntryState::Keeping
            | EntryState::Failed(_) => {}
        }
    }
    for (laptop, id) in stopped {
        super::result::over(model, laptop, id, fx);
    }
}

/// Octets that have arrived, those of incomplete characters included.
fn offsets(entry: &Entry) -> Vec<(u8, u64)> {
    entry
        .received
        .iter()
        .map(|(slot, len)| {
            let tail = match entry.origin {
                crate::app::model::Origin::Chat(_) => entry
                    .buffer
                    .iter()
                    .find(|(s, _)| s == slot)
                    .map_or(0, |(_, b)| b.len() as u64),
                _ => 0,
            };
            (*slot, len + tail)
        })
        .collect()
}

fn lost(
    model: &mut Model,
    attempts: Vec<crate::app::model::laptop::Attempt>,
    next_try: Option<crate::time::Millis>,
    fx: &mut Effects,
) {
    super::timers::save_chats(model, fx);
    if model.chosen.is_none() {
        model.link = Link::Unpaired;
        return;
    }
    let since = match &model.link {
        Link::Away(away) | Link::Connecting { away, .. } => away.since,
        Link::Linked { .. } => model.wall(),
        Link::Unpaired => model.laptop().map_or(0, |l| l.seen_at),
        Link::Asleep { .. } => return,
    };
    if model.link.is_open() {
        let wall = model.wall();
        change_laptop(model, fx, |laptop| laptop.seen_at = wall);
    }
    model.link = Link::Away(Away {
        since,
        attempts,
        next_try,
        idle: false,
    });
}

fn ended(model: &mut Model, expired: bool, fx: &mut Effects) {
    lost(model, Vec::new(), None, fx);
    let Some(laptop) = model.laptop() else { return };
    // A laptop that forgets a handheld whose time is up can only say that it does not know it.
    let due = laptop.expires_at > 0 && model.wall() >= laptop.expires_at;
    let why = if expired || due {
        Ended::Expired
    } else {
        Ended::Revoked
    };
    if laptop.ended == Some(why) {
        // Told once; the laptop screen goes on telling.
        return;
    }
    let (title, body) = crate::app::words::pairing::ended(&laptop.name, why);
    change_laptop(model, fx, |laptop| laptop.ended = Some(why));
    super::menus::tell_plain(model, title, body);
}
