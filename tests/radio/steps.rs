//! What a person does with a handheld and a laptop, by buttons and by `officectl`.

use super::cast::{Desk, Hand};
use super::support::eventually;
use super::support::pocket::Pocket;
use super::table::Table;
use std::time::Instant;

/// Everything that a newcomer is let do at once.
const OPERATIONS: [&str; 14] = [
    "chat",
    "complete",
    "code",
    "summarize",
    "generate",
    "edit",
    "upscale",
    "variation",
    "fit",
    "list",
    "metadata",
    "get",
    "put",
    "status",
];

/// Opens the list of laptops that the radio hears.
pub fn look(app: &mut Pocket) {
    app.home();
    app.press("Y");
    app.wait("screen=laptop");
    app.press("A");
    eventually("the laptops nearby", || match app.fact("screen").as_str() {
        "nearby" => Some(()),
        // Something is paired already: "Pair a laptop" is among the rows below.
        "laptop" if app.fact("overlay").is_empty() => {
            app.press("Down");
            app.press("A");
            None
        }
        "laptop"
            if app
                .fact("overlay.items")
                .contains("Look for laptops nearby") =>
        {
            choose_item(app, "Look for laptops nearby");
            None
        }
        _ => {
            app.press("B");
            None
        }
    });
}

/// Chooses an item of the menu that shows.
pub fn choose_item(app: &mut Pocket, label: &str) {
    for _ in 0..12 {
        if app.fact("overlay.focus") == label {
            return app.press("A");
        }
        app.press("Down");
    }
    panic!("no {label} in the menu: {:#?}", app.facts());
}

/// Waits until the radio hears a network whose name is `ssid`, and puts the focus on it.
pub fn focus(app: &mut Pocket, ssid: &str) {
    let index = eventually(&format!("{ssid} among the laptops nearby"), || {
        let facts = app.facts();
        let count: usize = facts.get("nearby")?.parse().ok()?;
        (0..count).find(|n| {
            facts
                .get(&format!("nearby.{n}.ssid"))
                .is_some_and(|seen| seen == ssid)
        })
    });
    for _ in 0..20 {
        if app.fact("focus.row") == index.to_string() {
            return;
        }
        app.press("Down");
    }
    panic!("{ssid} does not get the focus: {:#?}", app.facts());
}

/// First meeting over Wi-Fi Direct: looks, pushes, compares the digits. Both measure times.
pub fn pair_by_push(hand: &mut Hand, desk: &Desk) {
    let (ssid, _) = desk.await_group();
    desk.laptop().ctl().json(&["pair", "--open"]);
    let app = hand.app();
    let started = Instant::now();
    look(app);
    focus(app, &ssid);
    let found = Instant::now();
    Table::note("first meeting, by push: discovery", found - started);
    app.press("A");
    app.wait("screen=pairing");
    app.wait("pairing.digits!");
    let digits = Instant::now();
    Table::note(
        "first meeting, by push: join, until digits show",
        digits - found,
    );
    app.finish_pairing(desk.laptop());
    Table::note(
        "first meeting, by push: until linked, the person's time included",
        started.elapsed(),
    );
    permit(desk);
}

/// First meeting as an ordinary station: the passphrase is read from the laptop's screen and typed.
pub fn pair_by_passphrase(hand: &mut Hand, desk: &Desk) {
    let (ssid, _) = desk.await_group();
    let open = desk.laptop().ctl().json(&["pair", "--open"]);
    let key = open["network"]["passphrase"]
        .as_str()
        .expect("a passphrase")
        .to_owned();
    let app = hand.app();
    let started = Instant::now();
    look(app);
    focus(app, &ssid);
    let found = Instant::now();
    Table::note("first meeting, by passphrase: discovery", found - started);
    app.press("A");
    app.wait("screen=writing");
    app.type_text(&key);
    let typed = Instant::now();
    app.press("Start");
    app.wait("screen=pairing");
    app.wait("pairing.digits!");
    Table::note(
        "first meeting, by passphrase: join, until digits show",
        typed.elapsed(),
    );
    app.finish_pairing(desk.laptop());
    permit(desk);
}

/// Lets the newcomer do everything.
pub fn permit(desk: &Desk) {
    let ctl = desk.laptop().ctl();
    ctl.permit("Pocket", &OPERATIONS, "allow");
    ctl.json(&["limit", "Pocket", "--requests-per-minute", "6000"]);
}

/// Writes to the newest chat, or a new one.
pub fn write(app: &mut Pocket, text: &str) {
    app.home();
    app.press("Start");
    app.wait("screen=writing");
    app.type_text(text);
    app.press("Start");
    app.wait("screen=chat");
}

/// Asks and waits for the whole answer.
pub fn chat(app: &mut Pocket, text: &str) -> String {
    write(app, text);
    app.wait("answer.state=done");
    app.fact("answer")
}

/// Lets a picture be painted and waits until it shows.
pub fn paint(app: &mut Pocket, prompt: &str) {
    app.home();
    app.press("Up Up Up Left Right A");
    eventually("the pictures", || {
        let screen = app.fact("screen");
        (screen == "gallery" || screen == "prompt").then_some(())
    });
    if app.fact("screen") == "gallery" {
        app.press("Start");
    }
    app.wait("screen=prompt");
    app.press("A");
    app.wait("screen=writing");
    app.type_text(prompt);
    app.press("Start");
    app.wait("screen=prompt");
    app.press("Start");
    app.wait("picture.0=ready");
}
