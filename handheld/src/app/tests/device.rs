//! Pads and their set-up, sleep, battery.

use super::*;
use crate::app::model::overlay::Overlay;
use crate::app::model::{Battery, Link, Pad};
use crate::input::button::Button;
use crate::input::setup::{Stage, WAIT_MS};
use crate::input::{Contact, Setup, Touch};

fn pad(name: &str, explained: bool) -> Pad {
    Pad {
        name: name.into(),
        explained,
    }
}

fn touch(player: &mut Player, name: &str, code: u16, pressed: bool) -> Effects {
    let touch = Touch {
        contact: Contact::Key(code),
        button: None,
        pressed,
    };
    player.send(Msg::Touch {
        device: name.into(),
        touch,
        at: player.now,
    })
}

/// Presses and lets go; returns what came of both.
fn click(player: &mut Player, name: &str, code: u16) -> Effects {
    player.now = player.now.plus(300);
    let mut effects = touch(player, name, code, true);
    player.now = player.now.plus(60);
    effects.extend(touch(player, name, code, false));
    effects
}

fn asked(player: &Player) -> Option<Button> {
    match player.model.pads.setup.as_ref().map(Setup::stage) {
        Some(Stage::Asking(button)) => Some(*button),
        _ => None,
    }
}

fn with_stranger() -> Player {
    let mut player = linked();
    player.send(Msg::Pads(vec![pad("some board", false)]));
    player
}

#[test]
fn a_pad_that_nothing_explains_is_asked_at_once_and_kept_with_a() {
    let mut p = with_stranger();
    assert_eq!(asked(&p), Some(Button::Up));
    assert!(p.effects.contains(&Effect::Listen(true)));
    for code in 0..15 {
        click(&mut p, "some board", 100 + code);
    }
    assert_eq!(
        p.model.pads.setup.as_ref().map(Setup::stage),
        Some(&Stage::Trying)
    );
    let effects = click(&mut p, "some board", 104);
    assert_eq!(p.model.pads.setup, None);
    let taught = p.model.settings.taught.clone();
    assert_eq!(taught.of("some board").len(), 15);
    assert!(effects.contains(&Effect::Listen(false)) && effects.contains(&Effect::Teach(taught)));
    assert!(
        effects
            .iter()
            .any(|e| matches!(e, Effect::SaveSettings(s) if s.taught.knows("some board")))
    );
    // It goes and comes back, and is known.
    p.send(Msg::Pads(Vec::new()));
    p.send(Msg::Pads(vec![pad("some board", false)]));
    assert_eq!(p.model.pads.setup, None);
}

#[test]
fn whoever_walks_away_finds_things_as_before_and_any_press_asks_again() {
    let mut p = with_stranger();
    p.now = p.now.plus(WAIT_MS);
    p.send(Msg::Tick);
    assert_eq!(p.model.pads.setup, None);
    assert!(p.model.settings.taught.is_empty());
    assert!(
        matches!(&p.model.overlay, Some(Overlay::Dialog(d)) if d.title == "Not enough buttons")
    );
    touch(&mut p, "some board", 5, true);
    assert_eq!((asked(&p), &p.model.overlay), (Some(Button::Up), &None));
    touch(&mut p, "some board", 5, false);
    assert_eq!(
        asked(&p),
        Some(Button::Up),
        "the press that opened it answers nothing"
    );
    // A desktop keyboard leaves with B.
    play(&mut p, "B");
    assert_eq!(p.model.pads.setup, None);
}

#[test]
fn beside_a_known_pad_a_strange_one_is_only_mentioned() {
    let mut p = linked();
    p.send(Msg::Pads(vec![
        pad("ANBERNIC-keys", true),
        pad("some board", false),
    ]));
    assert_eq!(p.model.pads.setup, None);
    assert!(p.model.toasts.iter().any(|t| t.text.contains("some board")));
}

#[test]
fn nothing_is_asked_before_the_card_has_told_what_was_taught_and_a_sealed_one_can_be_opened_with_it()
 {
    let mut p = Player::new(Model::new(Panel::VGA, 7));
    p.send(Msg::Pads(vec![pad("some board", false)]));
    assert_eq!(p.model.pads.setup, None);
    p.send(Msg::Card(CardEvent::Locked(None)));
    assert_eq!(asked(&p), Some(Button::Up), "the sequence needs buttons");
    for code in 0..15 {
        click(&mut p, "some board", 100 + code);
    }
    let effects = click(&mut p, "some board", 104);
    assert!(
        !effects.iter().any(|e| matches!(e, Effect::SaveSettings(_))),
        "a sealed card takes nothing"
    );
    let loaded = p.send(Msg::Card(CardEvent::Loaded(Box::default())));
    assert!(p.model.settings.taught.knows("some board"));
    assert!(
        loaded
            .iter()
            .any(|e| matches!(e, Effect::SaveSettings(s) if s.taught.knows("some board")))
    );
}

#[test]
fn settings_set_up_again_and_undo() {
    let mut p = linked();
    p.send(Msg::Pads(vec![pad("ANBERNIC-keys", true)]));
    use crate::app::view::settings::Item;
    let buttons = Item::ALL
        .iter()
        .position(|item| *item == Item::Buttons)
        .unwrap();
    let open_menu = |p: &mut Player| {
        crate::app::update::update(&mut p.model, Msg::Tick, p.now);
        p.model
            .screens
            .push(Screen::Settings(crate::app::model::ListState {
                focus: buttons,
                top: 0,
            }));
        play(p, "A");
    };
    open_menu(&mut p);
    play(&mut p, "A");
    assert_eq!(asked(&p), Some(Button::Up));
    // Every button held and so skipped, but for A, which is another key now.
    for button in Button::ALL {
        if button == Button::A {
            click(&mut p, "ANBERNIC-keys", 306);
            continue;
        }
        p.now = p.now.plus(100);
        touch(&mut p, "ANBERNIC-keys", 999, true);
        p.now = p.now.plus(1100);
        p.send(Msg::Tick);
        touch(&mut p, "ANBERNIC-keys", 999, false);
    }
    assert_eq!(
        p.model.pads.setup.as_ref().map(Setup::stage),
        Some(&Stage::Trying)
    );
    click(&mut p, "ANBERNIC-keys", 306);
    assert_eq!(
        p.model.settings.taught.of("ANBERNIC-keys"),
        [(Contact::Key(306), Button::A)]
    );
    open_menu(&mut p);
    let effects = play(&mut p, "Down A");
    assert!(p.model.settings.taught.is_empty());
    assert!(effects.contains(&Effect::Teach(Default::default())));
}

#[test]
fn falling_asleep_saves_rests_and_shows_nothing_and_waking_brings_everything_back() {
    let mut p = linked();
    play(&mut p, "Start \"half a thou\"");
    let effects = p.send(Msg::Asleep);
    assert!(p.model.dark);
    let draft = effects
        .iter()
        .position(|e| matches!(e, Effect::SaveDraft(_, text) if text.contains("alf a thou")));
    let panel = effects.iter().position(|e| *e == Effect::Panel(false));
    assert!(draft.unwrap() < panel.unwrap(), "{effects:?}");
    assert!(effects.contains(&Effect::Rest));
    assert_eq!(p.model.timer, None, "nothing wakes a sleeping device");
    p.now = p.now.plus(3_600_000);
    let effects = p.send(Msg::Awake);
    assert!(!p.model.dark);
    assert!(effects.contains(&Effect::Panel(true)) && effects.contains(&Effect::Reconnect));
    assert!(
        p.model.keyboard.text().contains("alf a thou"),
        "still on the same screen"
    );
    // Nobody announced this one.
    let effects = p.send(Msg::Awake);
    assert!(effects.contains(&Effect::Reconnect) && !effects.contains(&Effect::Panel(true)));
}

#[test]
fn a_request_that_runs_does_not_keep_a_sleeping_device_awake() {
    let mut p = linked();
    ask(&mut p, "hello");
    let effects = p.send(Msg::Asleep);
    assert!(matches!(p.model.link, Link::Asleep { .. }));
    assert!(!effects.contains(&Effect::Reconnect));
    let effects = p.send(Msg::Tick);
    assert!(!effects.contains(&Effect::Reconnect));
    let effects = p.send(Msg::Awake);
    assert!(effects.contains(&Effect::Reconnect));
}

#[test]
fn the_button_that_wakes_does_nothing_else() {
    let mut p = linked();
    p.send(Msg::Asleep);
    play(&mut p, "A");
    assert!(!p.model.dark);
    assert!(
        matches!(p.model.screen(), Screen::Home(_)),
        "A opened nothing"
    );
    p.send(Msg::Asleep);
    play(&mut p, "Start");
    assert!(
        matches!(p.model.screen(), Screen::Home(_)),
        "nor did Start when it was let go"
    );
    play(&mut p, "A");
    assert!(!matches!(p.model.screen(), Screen::Home(_)));
}

fn charge(p: &mut Player, percent: u8, charging: bool) {
    p.send(Msg::Battery(Some(Battery { percent, charging })));
}

#[test]
fn a_low_battery_is_told_of_once_and_a_nearly_empty_one_once() {
    let mut p = linked();
    let warnings = |p: &Player| p.model.toasts.iter().filter(|t| t.warns).count();
    charge(&mut p, 16, false);
    assert_eq!(warnings(&p), 0);
    charge(&mut p, 15, false);
    assert_eq!(warnings(&p), 1);
    p.now = p.now.plus(10_000);
    p.send(Msg::Tick);
    for wavering in [14, 16, 15, 19, 15] {
        charge(&mut p, wavering, false);
    }
    assert_eq!(warnings(&p), 0, "once is enough");
    charge(&mut p, 5, false);
    assert!(
        matches!(&p.model.overlay, Some(Overlay::Dialog(d)) if d.title == "The battery is nearly empty")
    );
    play(&mut p, "B");
    charge(&mut p, 4, false);
    charge(&mut p, 6, false);
    charge(&mut p, 5, false);
    assert_eq!(p.model.overlay, None);
    // The charger, and empty again: that is another time.
    charge(&mut p, 6, true);
    charge(&mut p, 5, false);
    assert!(p.model.overlay.is_some());
}

#[test]
fn the_warning_waits_for_what_lies_above_the_screen_and_none_comes_on_the_charger() {
    let mut p = linked();
    charge(&mut p, 3, true);
    assert_eq!(p.model.overlay, None);
    p.model.overlay = Some(Overlay::ButtonMap);
    charge(&mut p, 3, false);
    assert_eq!(p.model.overlay, Some(Overlay::ButtonMap));
    p.model.overlay = None;
    p.send(Msg::Tick);
    assert!(matches!(&p.model.overlay, Some(Overlay::Dialog(_))));
}
