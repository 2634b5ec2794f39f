//! What the model holds, as names and texts: for scripts that wait for an outcome and for tests that check it.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::app::model::chat::TurnState;
use crate::app::model::laptop::{Carrier, Ended, Link, Verdict};
use crate::app::model::outbox::{EntryState, Failure};
use crate::app::model::picture::PictureState;
use crate::app::model::screen::{PairingStage, Purpose};
use crate::app::model::{Model, Overlay, Screen};
use crate::app::view;
use crate::input::Setup;
use crate::input::setup::Stage;

/// Names and texts, in order.
pub type Facts = BTreeMap<String, String>;

/// Turns of the open conversation, pictures, requests and files that are told one by one.
const MAX_LISTED: usize = 50;

/// What a model holds now.
pub fn facts(model: &Model) -> Facts {
    let mut facts = Facts::new();
    let mut tell = |name: &str, value: String| {
        facts.insert(name.to_owned(), value);
    };
    tell("loaded", model.loaded.to_string());
    tell("locked", model.lock.is_some().to_string());
    tell("screen", screen_name(model.screen()).to_owned());
    tell("link", link_name(&model.link).to_owned());
    tell("laptops", model.laptops.len().to_string());
    if let Some(laptop) = model.laptop() {
        tell("laptop", laptop.name.clone());
        for permission in &laptop.permissions {
            let verdict = match permission.verdict {
                Verdict::Deny => "deny",
                Verdict::Ask => "ask",
                Verdict::Allow => "allow",
            };
            tell(&format!("may.{}", permission.operation), verdict.to_owned());
        }
    }
    radio(model, &mut tell);
    device(model, &mut tell);
    if let Some(list) = view::list(model)
        && let Some(row) = list.focus
    {
        tell("focus", list.rows[row].title.clone());
        tell("focus.row", row.to_string());
    }
    tell(
        "toast",
        model
            .toasts
            .front()
            .map(|t| t.text.clone())
            .unwrap_or_default(),
    );
    if let Screen::Page(page) = model.screen() {
        tell("page", page.text.clone());
    }
    match &model.overlay {
        None => tell("overlay", String::new()),
        Some(Overlay::ButtonMap) => tell("overlay", "buttons".to_owned()),
        Some(Overlay::Menu(menu)) => {
            tell("overlay", "menu".to_owned());
            tell("overlay.title", menu.title.clone());
            let focused = menu.items.get(menu.list.focus).map(|i| i.label.clone());
            tell("overlay.focus", focused.unwrap_or_default());
            let labels: Vec<_> = menu.items.iter().map(|i| i.label.as_str()).collect();
            tell("overlay.items", labels.join("|"));
        }
        Some(Overlay::Dialog(dialog)) => {
            tell(
                "overlay",
                if dialog.error { "error" } else { "question" }.to_owned(),
            );
            tell("overlay.title", dialog.title.clone());
            tell("overlay.body", dialog.body.join(" "));
        }
    }
    if let Screen::Pairing(screen) = model.screen() {
        let (stage, digits) = match &screen.stage {
            PairingStage::Calling => ("calling", None),
            PairingStage::Digits(digits) => ("digits", Some(digits)),
            PairingStage::Confirm { digits, .. } => ("confirm", Some(digits)),
            PairingStage::Keeping { .. } => ("keeping", None),
            PairingStage::Failed { title, body } => {
                tell("pairing.fault", title.clone());
                tell("pairing.advice", body.clone());
                ("failed", None)
            }
        };
        tell("pairing", stage.to_owned());
        if let Some(digits) = digits {
            tell(
                "pairing.digits",
                digits
                    .iter()
                    .map(|d| char::from(b'0' + d.min(&9)))
                    .collect(),
            );
        }
    }
    // A passphrase is not for a script's log.
    let secret = matches!(model.screen(), Screen::Writing(w) if w.purpose == Purpose::Passphrase);
    tell(
        "keyboard.text",
        match secret {
            true => "*".repeat(model.keyboard.text().chars().count()),
            false => model.keyboard.text().to_owned(),
        },
    );
    chats(model, &mut tell);
    lists(model, &mut tell);
    facts
}

/// Pads, their set-up, battery and sleep.
fn device(model: &Model, tell: &mut impl FnMut(&str, String)) {
    let pads: Vec<_> = model
        .pads
        .list
        .iter()
        .map(|pad| format!("{}{}", pad.name, if pad.explained { "" } else { "?" }))
        .collect();
    tell("pads", pads.join("|"));
    let taught: Vec<_> = model
        .settings
        .taught
        .devices()
        .iter()
        .map(|d| d.name.as_str())
        .collect();
    tell("taught", taught.join("|"));
    let setup = match model.pads.setup.as_ref().map(Setup::stage) {
        None => "",
        Some(Stage::Asking(button)) => button.label(),
        Some(_) => "trying",
    };
    tell("setup", setup.to_owned());
    tell("dark", model.dark.to_string());
    if let Some(battery) = model.battery {
        tell("battery", battery.percent.to_string());
        tell("charging", battery.charging.to_string());
    }
}

/// The link in its parts, and what the radio can, hears and measures.
fn radio(model: &Model, tell: &mut impl FnMut(&str, String)) {
    let ways: Vec<_> = model.ways.iter().map(carrier_name).collect();
    tell("ways", ways.join("|"));
    if let Some(laptop) = model.laptop() {
        let ways: Vec<_> = laptop.carriers.iter().map(carrier_name).collect();
        tell("carriers", ways.join("|"));
        tell("network", laptop.network.is_some().to_string());
        let ended = match laptop.ended {
            None => "",
            Some(Ended::Expired) => "expired",
            Some(Ended::Revoked) => "revoked",
        };
        tell("ended", ended.to_owned());
    }
    match &model.link {
        Link::Linked {
            carrier, signal, ..
        } => {
            tell("link.carrier", carrier_name(carrier));
            if let Some(signal) = signal {
                tell("signal", signal.dbm.to_string());
                tell("signal.mbps", signal.rate_mbps.to_string());
                tell("signal.mhz", signal.frequency.to_string());
            }
        }
        Link::Connecting { carrier, .. } => tell("link.carrier", carrier_name(carrier)),
        Link::Unpaired | Link::Away(_) | Link::Asleep { .. } => {}
    }
    if let Some(away) = model.link.away() {
        for (n, attempt) in away.attempts.iter().take(MAX_LISTED).enumerate() {
            tell(&format!("link.tried.{n}"), carrier_name(&attempt.carrier));
            tell(&format!("link.tried.{n}.why"), attempt.why.clone());
        }
        if let Some(attempt) = away.attempts.last() {
            tell("link.why", attempt.why.clone());
        }
    }
    if let Some(ability) = &model.radio.ability {
        tell("radio.station", ability.station.to_string());
        tell("radio.p2p", ability.p2p.to_string());
        tell("radio.why", ability.why.clone());
    }
    tell("looking", model.radio.looking.is_some().to_string());
    tell("nearby", model.radio.nearby.len().to_string());
    for (n, laptop) in model.radio.nearby.iter().take(MAX_LISTED).enumerate() {
        tell(&format!("nearby.{n}"), laptop.name.clone());
        tell(
            &format!("nearby.{n}.ssid"),
            String::from_utf8_lossy(&laptop.ssid).into_owned(),
        );
        tell(&format!("nearby.{n}.signal"), laptop.signal_dbm.to_string());
        tell(&format!("nearby.{n}.push"), laptop.push.to_string());
    }
}

fn carrier_name(carrier: &Carrier) -> String {
    match carrier {
        Carrier::WifiDirect => "wifi-direct".to_owned(),
        Carrier::Station => "station".to_owned(),
        Carrier::Usb => "usb".to_owned(),
        Carrier::Tcp(address) => format!("tcp {address}"),
    }
}

fn chats(model: &Model, tell: &mut impl FnMut(&str, String)) {
    tell("chats", model.chats.list.len().to_string());
    let shown = match model.screen() {
        Screen::Chat(screen) => model.chats.find(screen.chat),
        _ => model.chats.list.first(),
    };
    let Some(chat) = shown else { return };
    tell("chat.title", chat.title.clone());
    tell("chat.turns", chat.turns.len().to_string());
    let skipped = chat.turns.len().saturating_sub(MAX_LISTED);
    for (n, turn) in chat.turns.iter().enumerate().skip(skipped) {
        let role = format!("{:?}", turn.role).to_lowercase();
        tell(&format!("chat.{n}"), format!("{role}: {}", turn.text));
    }
    if let Some(turn) = chat.turns.last() {
        tell("answer", turn.text.clone());
        tell("answer.role", format!("{:?}", turn.role).to_lowercase());
        tell("answer.model", turn.model.clone());
        let (state, failure) = match &turn.state {
            TurnState::Open => ("open", None),
            TurnState::Done => ("done", None),
            TurnState::Stopped => ("stopped", None),
            TurnState::Broken(failure) => ("broken", Some(failure)),
        };
        tell("answer.state", state.to_owned());
        tell(
            "answer.failure",
            failure.map(failure_name).unwrap_or_default(),
        );
        tell(
            "answer.detail",
            failure.map(|f| f.detail.clone()).unwrap_or_default(),
        );
    }
}

fn lists(model: &Model, tell: &mut impl FnMut(&str, String)) {
    let listed: Vec<_> = model
        .outbox
        .entries
        .iter()
        .filter(|e| e.is_listed())
        .collect();
    tell("outbox", listed.len().to_string());
    for (n, entry) in listed.iter().take(MAX_LISTED).enumerate() {
        let (state, failure) = match &entry.state {
            EntryState::Draft => ("draft", None),
            EntryState::Waiting => ("waiting", None),
            EntryState::Sent => ("sent", None),
            EntryState::Accepted => ("accepted", None),
            EntryState::Asked { .. } => ("asked", None),
            EntryState::Queued { .. } => ("queued", None),
            EntryState::Running => ("running", None),
            EntryState::Keeping => ("keeping", None),
            EntryState::Failed(failure) => ("failed", Some(failure)),
        };
        tell(&format!("outbox.{n}"), state.to_owned());
        tell(&format!("outbox.{n}.permille"), entry.permille.to_string());
        if let Some(failure) = failure {
            tell(&format!("outbox.{n}.failure"), failure_name(failure));
        }
    }
    tell("pictures", model.pictures.list.len().to_string());
    if let Screen::Viewer(screen) = model.screen() {
        let shown = model
            .pictures
            .find(screen.picture)
            .is_some_and(|picture| picture.raster.is_some());
        tell("viewer", if shown { "shown" } else { "opening" }.to_owned());
    }
    for (n, picture) in model.pictures.list.iter().take(MAX_LISTED).enumerate() {
        let (state, failure) = match &picture.state {
            PictureState::Open => ("open", None),
            PictureState::Ready => ("ready", None),
            PictureState::Stopped => ("stopped", None),
            PictureState::Broken(failure) => ("broken", Some(failure)),
        };
        tell(&format!("picture.{n}"), state.to_owned());
        tell(
            &format!("picture.{n}.prompt"),
            picture.recipe.prompt.clone(),
        );
        if let Some((width, height)) = picture.size {
            tell(&format!("picture.{n}.size"), format!("{width}x{height}"));
        }
        if let Some(failure) = failure {
            tell(&format!("picture.{n}.failure"), failure_name(failure));
        }
    }
    for (side, names) in [
        (
            "files.laptop",
            model
                .files
                .remote
                .iter()
                .map(|f| f.name.as_str())
                .collect::<Vec<_>>(),
        ),
        (
            "files.card",
            model.files.local.iter().map(|f| f.name.as_str()).collect(),
        ),
    ] {
        tell(side, names.join("|"));
    }
}

/// The wire's word for an error number, or this handheld's own.
fn failure_name(failure: &Failure) -> String {
    match failure.code {
        Failure::CARD_FULL => "CardFull".to_owned(),
        Failure::CARD_BROKEN => "CardBroken".to_owned(),
        Failure::DAMAGED => "Damaged".to_owned(),
        Failure::TOO_LONG => "TooLong".to_owned(),
        Failure::FORGOTTEN => "Forgotten".to_owned(),
        code => match shared_proto::error::ErrorCode::from_number(code) {
            Some(known) => format!("{known:?}"),
            None => format!("error {code}"),
        },
    }
}

const fn screen_name(screen: &Screen) -> &'static str {
    match screen {
        Screen::Home(_) => "home",
        Screen::Chats(_) => "chats",
        Screen::Chat(_) => "chat",
        Screen::Writing(_) => "writing",
        Screen::Prompt(_) => "prompt",
        Screen::Progress(_) => "progress",
        Screen::Viewer(_) => "viewer",
        Screen::Gallery(_) => "gallery",
        Screen::Files(_) => "files",
        Screen::Outbox(_) => "outbox",
        Screen::Laptop(_) => "laptop",
        Screen::Nearby(_) => "nearby",
        Screen::Pairing(_) => "pairing",
        Screen::Services(_) => "services",
        Screen::Settings(_) => "settings",
        Screen::Help(_) => "help",
        Screen::Page(_) => "page",
        Screen::SetLock(_) => "set-lock",
    }
}

const fn link_name(link: &Link) -> &'static str {
    match link {
        Link::Unpaired => "unpaired",
        Link::Away(_) => "away",
        Link::Asleep { .. } => "asleep",
        Link::Connecting { .. } => "connecting",
        Link::Linked { .. } => "linked",
    }
}

/// One JSON object of strings, in one line.
pub fn json(facts: &Facts) -> String {
    let mut out = String::from("{");
    for (n, (name, value)) in facts.iter().enumerate() {
        if n > 0 {
            out.push(',');
        }
        quote(name, &mut out);
        out.push(':');
        quote(value, &mut out);
    }
    out.push('}');
    out
}

fn quote(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            '\n' => out.push_str("\\n"),
            // Separators end a line in some readers, and control characters end it in all.
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') => {
                // Writing to a string cannot fail; all of these lie in the basic plane.
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::model::Panel;

    #[test]
    fn a_fresh_app_tells_where_it_stands() {
        let facts = facts(&Model::new(Panel::VGA, 1));
        let told = |name: &str| facts.get(name).map(String::as_str);
        assert_eq!(
            (told("screen"), told("link"), told("chats")),
            (Some("home"), Some("unpaired"), Some("0"))
        );
    }

    #[test]
    fn the_radio_is_told_in_parts_and_a_passphrase_not_at_all() {
        use crate::app::model::screen::Writing;
        use crate::app::model::{Nearby, Radio};
        let mut model = Model::new(Panel::VGA, 1);
        model.radio = Radio {
            nearby: vec![Nearby {
                name: "Ada".into(),
                ssid: b"DIRECT-k7-Ada".to_vec(),
                bssid: [2; 6],
                device: None,
                frequency: 2437,
                signal_dbm: -58,
                push: true,
            }],
            ..Radio::default()
        };
        model
            .keyboard
            .open("abcd2345efgh", crate::entry::keyboard::Purpose::Exact);
        model.screens.push(Screen::Writing(Box::new(Writing {
            purpose: Purpose::Passphrase,
            context: String::new(),
        })));
        let facts = facts(&model);
        let told = |name: &str| facts.get(name).map(String::as_str);
        assert_eq!(told("nearby"), Some("1"));
        assert_eq!(
            (
                told("nearby.0"),
                told("nearby.0.signal"),
                told("nearby.0.push")
            ),
            (Some("Ada"), Some("-58"), Some("true"))
        );
        assert_eq!(told("radio.p2p"), None, "not known yet");
        assert_eq!(told("keyboard.text"), Some("************"));
        assert!(!json(&facts).contains("2345"));
    }

    #[test]
    fn text_of_a_peer_stays_in_its_string_and_in_its_line() {
        let facts = Facts::from([("a\"".to_owned(), "x\n\u{1b}[2J\\ \u{2028} é".to_owned())]);
        assert_eq!(json(&facts), r#"{"a\"":"x\n\u001b[2J\\ \u2028 é"}"#);
    }
}
