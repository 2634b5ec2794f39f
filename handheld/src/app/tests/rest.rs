use super::*;
use crate::app::effect::Effect;
use crate::app::model::Overlay;
use crate::app::model::proof::{Layer, Proof, Verdict};
use crate::app::model::screen::{Page, ServicesTab};
use crate::app::model::settings::{KeyboardKind, Theme};
use crate::app::view;
use crate::app::view::settings::Item;
use crate::input::button::Button;
use shared_proto::report;

#[test]
fn home_moves_in_two_dimensions_and_opens_every_tile() {
    let mut p = linked();
    for (script, title) in [
        ("A", "Chats"),
        ("Right A", "Pictures"),
        ("Down A", "Files"),
        ("Right A", "Services"),
        ("Down A", "Laptop"),
        ("Left A", "Outbox"),
        ("Down A", "Settings"),
        ("Right A", "Help"),
    ] {
        // The focus stays where it was from one to the next.
        let mut at = p.model.screen().clone();
        if let Screen::Home(home) = &mut at {
            home.focus = match title {
                "Chats" | "Pictures" => crate::app::model::screen::Tile::Chat,
                "Files" => crate::app::model::screen::Tile::Chat,
                "Services" => crate::app::model::screen::Tile::Files,
                "Laptop" => crate::app::model::screen::Tile::Services,
                "Outbox" => crate::app::model::screen::Tile::Laptop,
                "Settings" => crate::app::model::screen::Tile::Outbox,
                _ => crate::app::model::screen::Tile::Settings,
            };
        }
        *p.model.screen_mut() = at;
        play(&mut p, script);
        let shown = view::header(&p.model).title;
        assert!(
            shown == title || (title == "Laptop" && shown == "Ada's ThinkPad"),
            "{title}: {shown}"
        );
        play(&mut p, "B");
        assert!(matches!(p.model.screen(), Screen::Home(_)));
    }
}

#[test]
fn settings_change_at_once_and_are_written_down() {
    let mut p = linked();
    p.model
        .screens
        .push(Screen::Settings(crate::app::model::ListState::default()));
    let fx = play(&mut p, "Right");
    assert_eq!(p.model.settings.theme, Theme::Light);
    assert!(
        fx.iter()
            .any(|e| matches!(e, Effect::SaveSettings(s) if s.theme == Theme::Light))
    );
    play(&mut p, "Down*2 Right");
    assert_eq!(p.model.settings.keyboard, KeyboardKind::Arc);
    play(&mut p, "Down Right");
    assert!(p.model.settings.swap_ab);
    assert!(bar(&p).contains("A Back"), "{}", bar(&p));
    play(&mut p, "A");
    assert!(matches!(p.model.screen(), Screen::Home(_)));
    play(&mut p, "B");
    assert!(matches!(p.model.screen(), Screen::Chats(_)));
}

#[test]
fn the_arc_types_what_the_brief_says() {
    let mut p = linked();
    p.model.settings.keyboard = KeyboardKind::Arc;
    play(&mut p, "Start Up+A Right+X Right+X Start");
    assert_eq!(chat(&p).turns[0].text, "Add");
}

#[test]
fn holding_select_shows_the_map_of_the_screen_below() {
    let mut p = linked();
    play(&mut p, "press:Select 500ms");
    assert_eq!(p.model.overlay, Some(Overlay::ButtonMap));
    let map = crate::app::hints::map(&p.model);
    assert!(
        map.iter()
            .any(|h| h.button == Button::Start && h.label.contains("New chat"))
    );
    assert!(
        map.iter()
            .any(|h| h.button == Button::Select && h.label.contains("this map"))
    );
    play(&mut p, "A Down");
    assert!(matches!(p.model.screen(), Screen::Home(_)));
    play(&mut p, "release:Select");
    assert_eq!(p.model.overlay, None);
    play(&mut p, "Start press:Select 500ms");
    assert_eq!(p.model.overlay, Some(Overlay::ButtonMap));
    play(&mut p, "release:Select B");
    assert!(
        matches!(p.model.screen(), Screen::Home(_)),
        "the field was empty, so B left it: {:?}",
        p.model.screen()
    );
}

#[test]
fn start_and_select_quit_from_anywhere_and_do_nothing_else() {
    for script in [
        "Start+Select",
        "Select+Start",
        "A Start+Select",
        "Start \"x\" Select+Start",
    ] {
        let mut p = linked();
        let fx = play(&mut p, script);
        assert_eq!(
            fx.iter().filter(|e| **e == Effect::Quit).count(),
            1,
            "{script}"
        );
        assert!(p.model.quitting && p.model.outbox.unnumbered.is_empty());
    }
}

#[test]
fn services_tell_health_models_and_that_there_are_no_jobs() {
    let mut p = linked();
    play(&mut p, "Down Right A");
    number(&mut p);
    let id = last_submit(&p.effects);
    let status = report::Status {
        name: "ada",
        version: "0.1.0",
        uptime_s: 7200,
        running: 1,
        expires_in_s: 1,
    };
    let mut health = postcard::to_allocvec(&1u16).unwrap();
    let provider = report::ProviderHealth {
        service: shared_proto::opcode::Service::Language,
        name: "ollama",
        state: report::HealthState::Unhealthy,
        reason: "connection refused",
    };
    health.extend(postcard::to_allocvec(&provider).unwrap());
    for (slot, bytes) in [(0, postcard::to_allocvec(&status).unwrap()), (3, health)] {
        p.send(Msg::Link(LinkEvent::Data {
            id,
            slot,
            offset: 0,
            bytes,
            fin: true,
        }));
    }
    p.send(Msg::Link(LinkEvent::Done(id)));
    let list = view::list(&p.model).unwrap();
    assert_eq!(
        (list.rows[0].title.as_str(), list.rows[0].second.as_str()),
        ("ollama", "not working: connection refused")
    );
    assert!(
        list.rows
            .iter()
            .any(|r| r.second == "version 0.1.0, up for 2 h")
    );
    play(&mut p, "A B R1");
    assert_eq!(
        view::list(&p.model).unwrap().rows[0].title,
        "llama3.1:8b, Ollama"
    );
    play(&mut p, "R1");
    let list = view::list(&p.model).unwrap();
    assert!(matches!(p.model.screen(), Screen::Services(s) if s.tab == ServicesTab::Jobs));
    assert!(list.rows.is_empty() && list.empty.contains("jobs.run"));
}

#[test]
fn the_air_gap_is_tried_when_somebody_asks_and_shown_while_they_wait() {
    let mut p = linked();
    let at = Item::ALL.iter().position(|item| *item == Item::AirGap);
    let focus = crate::app::model::ListState {
        focus: at.unwrap(),
        ..Default::default()
    };
    p.model.screens.push(Screen::Settings(focus));
    let fx = play(&mut p, "A");
    assert!(fx.contains(&Effect::ProveAirGap));
    let text = |p: &Player| match p.model.screen() {
        Screen::Page(page) => page.text.clone(),
        _ => panic!(),
    };
    assert!(text(&p).starts_with("Trying"));
    let mut proof = Proof::default();
    proof.note(Layer::Calls, Verdict::Broken, "Not refused: mount.");
    p.send(Msg::Proof(Box::new(proof.clone())));
    assert!(text(&p).contains("One check failed") && text(&p).contains("mount"));
    // Whoever has gone on is not bothered.
    play(&mut p, "B");
    p.send(Msg::Proof(Box::new(proof)));
    assert!(matches!(p.model.screen(), Screen::Settings(_)));
}

#[test]
fn help_is_read_page_by_page() {
    let mut p = linked();
    p.model
        .screens
        .push(Screen::Help(crate::app::model::ListState::default()));
    play(&mut p, "Down*2 A");
    let Screen::Page(Page { title, text, .. }) = p.model.screen() else {
        panic!()
    };
    assert_eq!(title, "The arc in one minute");
    assert!(text.contains("h a t s"));
    p.send(Msg::Extent(crate::app::model::Extent {
        content: 30,
        page: 12,
    }));
    play(&mut p, "R2 Down");
    assert!(
        matches!(p.model.screen(), Screen::Page(page) if page.scroll == crate::app::model::Scroll::Top(12))
    );
}

#[test]
fn a_lock_is_set_by_pressing_it_twice_and_asked_for_at_start() {
    let mut p = linked();
    p.model.screens.push(Screen::SetLock(
        crate::app::model::screen::SetLockScreen::default(),
    ));
    play(&mut p, "Up Up Down A X Y Start Up Up Down A X Start");
    assert!(
        !p.effects.iter().any(|e| matches!(e, Effect::SetLock(_))),
        "too short the second time"
    );
    play(&mut p, "L1 Start");
    assert!(matches!(p.model.screen(), Screen::SetLock(s) if s.differed));
    let fx = play(&mut p, "Up Up Down A X Y Start Up Up Down A X Y Start");
    let wanted = vec![
        Button::Up,
        Button::Up,
        Button::Down,
        Button::A,
        Button::X,
        Button::Y,
    ];
    assert!(
        fx.contains(&Effect::SetLock(Some(wanted.clone()))),
        "{fx:?}"
    );
    p.send(Msg::Card(CardEvent::LockChanged(true)));
    assert!(p.model.settings.lock);

    let mut p = Player::new(Model::new(Panel::VGA, 1));
    p.send(Msg::Card(CardEvent::Locked(None)));
    let fx = play(&mut p, "Up Up Down A X Y Start");
    assert!(fx.contains(&Effect::Unlock(wanted)));
    assert!(matches!(p.model.screen(), Screen::Home(_)));
    p.send(Msg::Card(CardEvent::WrongSequence { wait_ms: 5000 }));
    let fx = play(&mut p, "Up*6 Start");
    assert!(
        !fx.iter().any(|e| matches!(e, Effect::Unlock(_))),
        "a wait is a wait"
    );
    p.wait(5000);
    let fx = play(&mut p, "Up*6 Start");
    assert!(fx.iter().any(|e| matches!(e, Effect::Unlock(_))));
    p.send(Msg::Card(CardEvent::Loaded(Box::default())));
    assert!(p.model.lock.is_none());
}

#[test]
fn a_full_card_is_an_error_that_says_what_to_do() {
    let mut p = linked();
    p.send(Msg::Card(CardEvent::Trouble {
        kind: Trouble::Full(Some(2_000_000)),
        detail: String::new(),
    }));
    let Some(Overlay::Dialog(d)) = &p.model.overlay else {
        panic!()
    };
    assert_eq!(
        (d.title.as_str(), d.body[0].as_str()),
        (
            "The card is full",
            "Nothing is lost; free 2.0 MB, then try again."
        )
    );
    assert!(p.model.toasts.is_empty());
    play(&mut p, "B");
    assert!(p.model.overlay.is_none());
}

#[test]
fn an_idle_screen_asks_for_one_wake_up_a_minute() {
    let mut p = linked();
    p.wait(10_000);
    p.effects.clear();
    p.wait(600_000);
    let wakes = p
        .effects
        .iter()
        .filter(|e| matches!(e, Effect::SetTimer(Some(_))))
        .count();
    assert!((9..=11).contains(&wakes), "{wakes}");
    assert!(
        p.effects.iter().all(|e| matches!(e, Effect::SetTimer(_))),
        "{:?}",
        p.effects
    );
}
