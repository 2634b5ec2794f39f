//! Properties over all screens: whatever is pressed and whatever arrives.

use proptest::prelude::*;

use super::*;
use crate::app::hints;
use crate::app::model::{Extent, Overlay};
use crate::app::view;
use crate::entry::typing::Step;
use crate::input::button::Button;

#[derive(Clone, Debug)]
enum Event {
    Tap(Button),
    Hold(Button),
    Chord(Button, Button),
    Link,
    Lose,
    Number,
    Advance(u8),
    Extent(u32, u32),
    Wait(u64),
    Expire,
    Hear(Vec<u8>),
    Signal(i16),
    Radio(bool, bool),
    Sleepy(u8),
    Asleep,
}

fn event() -> impl Strategy<Value = Event> {
    let button = || prop::sample::select(Button::ALL.to_vec());
    prop_oneof![
        20 => button().prop_map(Event::Tap),
        1 => button().prop_map(Event::Hold),
        1 => (button(), button()).prop_map(|(a, b)| Event::Chord(a, b)),
        1 => Just(Event::Link),
        1 => Just(Event::Lose),
        4 => Just(Event::Number),
        4 => any::<u8>().prop_map(Event::Advance),
        1 => (0u32..100, 0u32..20).prop_map(|(a, b)| Event::Extent(a, b)),
        1 => (0u64..5000).prop_map(Event::Wait),
        1 => Just(Event::Expire),
        2 => prop::collection::vec(0u8..6, 0..5).prop_map(Event::Hear),
        1 => any::<i16>().prop_map(Event::Signal),
        1 => (any::<bool>(), any::<bool>()).prop_map(|(a, b)| Event::Radio(a, b)),
        1 => (0u8..3).prop_map(Event::Sleepy),
        1 => Just(Event::Asleep),
    ]
}

/// Start and Select together quit, which would end the run.
fn quits(a: Button, b: Button) -> bool {
    matches!(
        (a, b),
        (Button::Start, Button::Select) | (Button::Select, Button::Start)
    )
}

fn apply(p: &mut Player, event: &Event) {
    match event {
        Event::Tap(button) => tap(p, *button),
        Event::Hold(button) => {
            p.step(Step::Press(*button));
            p.wait(700);
            p.step(Step::Release(*button));
        }
        Event::Chord(a, b) if !quits(*a, *b) => {
            for step in [
                Step::Press(*a),
                Step::Press(*b),
                Step::Release(*b),
                Step::Release(*a),
            ] {
                p.step(step);
            }
        }
        Event::Chord(..) => {}
        Event::Link => drop(link(p)),
        Event::Lose => drop(lose(p)),
        Event::Number => drop(number(p)),
        Event::Advance(how) => advance(p, *how),
        Event::Extent(content, page) => drop(p.send(Msg::Extent(Extent {
            content: *content,
            page: *page,
        }))),
        Event::Wait(ms) => drop(p.wait(*ms)),
        Event::Expire => drop(p.send(Msg::Link(LinkEvent::Ended { expired: true }))),
        Event::Hear(laptops) => {
            let mut numbers = laptops.clone();
            numbers.dedup();
            let heard = numbers.into_iter().map(super::radio::laptop).collect();
            drop(p.send(Msg::Link(LinkEvent::Nearby(heard))));
        }
        Event::Signal(dbm) => {
            let signal = crate::app::model::Signal {
                dbm: *dbm,
                ..Default::default()
            };
            drop(p.send(Msg::Link(LinkEvent::Signal(Some(signal)))));
        }
        Event::Radio(station, p2p) => {
            let ability = crate::app::msg::RadioAbility {
                station: *station,
                p2p: *p2p,
                why: String::new(),
            };
            drop(p.send(Msg::Link(LinkEvent::Radio(ability))));
        }
        Event::Sleepy(how) => {
            use crate::app::model::radio::Sleep;
            p.model.settings.sleep =
                [Sleep::Never, Sleep::OneMinute, Sleep::FiveMinutes][usize::from(*how)];
            drop(p.wait(61_000));
        }
        Event::Asleep => drop(p.send(Msg::Link(LinkEvent::Asleep))),
    }
}

fn tap(p: &mut Player, button: Button) {
    p.step(Step::Press(button));
    p.step(Step::Release(button));
}

/// Something happens to the first request that is on its way.
fn advance(p: &mut Player, how: u8) {
    let Some(entry) = p
        .model
        .outbox
        .entries
        .iter()
        .find(|e| e.state.is_under_way() || e.state == EntryState::Keeping)
        .cloned()
    else {
        return;
    };
    let id = entry.id;
    let slot = u8::from(matches!(
        entry.origin,
        crate::app::model::Origin::Picture(_)
    ));
    let offset = entry.received.first().map_or(0, |(_, len)| *len);
    let msg = match how % 9 {
        0 => Msg::Link(LinkEvent::Accepted(id)),
        1 => Msg::Link(LinkEvent::Awaiting {
            id,
            expires_in_s: 60,
        }),
        2 => Msg::Link(LinkEvent::Progress {
            id,
            op: 0,
            permille: 500,
            eta_s: Some(9),
        }),
        3 | 4 => data(id, slot, offset, "words ", how % 9 == 4),
        5 => Msg::Link(LinkEvent::Done(id)),
        6 => failed(
            id,
            ErrorCode::ALL[usize::from(how) % ErrorCode::ALL.len()],
            "ollama: gone",
        ),
        7 => Msg::Card(CardEvent::Kept {
            laptop: entry.laptop,
            id,
            len: 9,
            size: (how > 128).then_some((64, 48)),
        }),
        _ => Msg::Card(CardEvent::NotKept {
            laptop: entry.laptop,
            id,
            failure: Failure::own(Failure::CARD_FULL, ""),
        }),
    };
    p.send(msg);
}

/// Whatever shows, its focus is on something that is there, and everything drawn can be made.
fn check(p: &Player) {
    let m = &p.model;
    assert!(!m.screens.is_empty() && m.screens.len() <= 18);
    assert!(matches!(m.screens[0], Screen::Home(_)));
    if let Some(list) = view::list(m) {
        match list.focus {
            Some(focus) => assert!(focus < list.rows.len() && !list.rows[focus].fixed),
            None => assert!(list.rows.iter().all(|r| r.fixed)),
        }
        assert!(list.top <= list.rows.len());
        if let (
            Screen::Chats(s)
            | Screen::Outbox(s)
            | Screen::Laptop(s)
            | Screen::Nearby(s)
            | Screen::Settings(s)
            | Screen::Help(s),
            Some(focus),
        ) = (m.screen(), list.focus)
        {
            assert_eq!(s.focus, focus);
        }
    }
    if let Screen::Gallery(s) = m.screen() {
        assert!(s.focus < m.pictures.list.len().max(1));
        let _ = view::picture::gallery(m);
    }
    if let Some(Overlay::Menu(menu)) = &m.overlay {
        assert!(menu.list.focus < menu.items.len());
    }
    if let Screen::Progress(id) = m.screen() {
        let _ = view::picture::progress(m, *id);
    }
    let shows = matches!(m.screen(), Screen::Nearby(_));
    assert_eq!(m.radio.looking.is_some(), shows, "{:?}", m.screen());
    if matches!(m.link, crate::app::model::Link::Asleep { .. }) {
        let waits = |e: &crate::app::model::Entry| {
            Some(e.laptop) == m.chosen
                && !matches!(e.state, EntryState::Draft | EntryState::Failed(_))
        };
        let asked = m.outbox.entries.iter().find(|e| waits(e));
        assert!(
            asked.is_none()
                || view::header(m).link == "Pairing ended"
                || m.laptop().unwrap().ended.is_some(),
            "asleep with {asked:?}"
        );
    }
    let _ = (view::header(m), view::chat::turns(m), hints::map(m));
    let bar = hints::bar(m);
    assert!(
        bar.len() <= hints::MAX_CHIPS
            && bar
                .iter()
                .all(|c| !c.label.is_empty() && c.label.chars().count() <= 18),
        "{bar:?}"
    );
    let table = hints::table(m);
    for (index, hint) in table.iter().enumerate() {
        assert!(
            table[..index].iter().all(|h| h.button != hint.button),
            "{:?} twice on {:?}",
            hint.button,
            m.screen()
        );
    }
}

/// What a press may change: everything but the clock and the wake-up.
fn facts(p: &Player) -> String {
    let mut m = p.model.clone();
    m.now = Millis(0);
    m.timer = None;
    m.radio.quiet_since = Millis(0);
    m.radio.looking = m.radio.looking.map(|_| Millis(0));
    m.toasts.iter_mut().for_each(|t| t.until = None);
    if let Screen::Viewer(v) = m.screen_mut() {
        v.bar_until = None;
    }
    format!("{m:?}{:?}", m.keyboard.view())
}

/// An app in use: chats, pictures in every state, files on both sides, two laptops.
fn in_use(swapped: bool) -> Player {
    use crate::app::model::{LocalFile, PictureState, RemoteFile};
    let mut p = linked();
    p.model.laptops.push(Laptop {
        id: LaptopId(2),
        name: "Bob's".into(),
        ..Laptop::default()
    });
    for name in ["a.txt", "b\u{202E}.pdf"] {
        p.model.files.remote.push(RemoteFile {
            name: name.into(),
            len: 9,
            modified: NOON,
            new: true,
        });
        p.model.files.local.push(LocalFile {
            name: name.into(),
            len: 9,
            modified: 0,
        });
    }
    p.model.files.listed_at = Some(NOON);
    for _ in 0..2 {
        let id = ask(&mut p, "hi");
        p.send(data(id, 0, 0, "hello", true));
        p.send(Msg::Link(LinkEvent::Done(id)));
        play(&mut p, "Menu");
    }
    p.model.pictures.recipe.prompt = "a harbour".into();
    for n in 0..14 {
        play(&mut p, "Right A Start Start");
        number(&mut p);
        play(&mut p, "Menu Right");
        p.model.pictures.list[0].size = Some((640, 480));
        p.model.pictures.list[0].state = match n % 4 {
            0 => PictureState::Broken(Failure::own(Failure::DAMAGED, "")),
            1 => PictureState::Stopped,
            _ => PictureState::Ready,
        };
    }
    p.model.settings.swap_ab = swapped;
    p.model.outbox.entries.truncate(3);
    p
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn no_mashing_panics_or_loses_the_focus_and_b_leads_home(events in prop::collection::vec(event(), 1..120), used: bool, swapped: bool) {
        let mut p = if used { in_use(swapped) } else { linked() };
        for event in &events {
            apply(&mut p, event);
            check(&p);
        }
        // Deleting a text and closing what is open takes presses too, but a bounded number.
        let keyboard_back = if p.model.settings.swap_ab { Button::A } else { Button::B };
        for press in 0..400 {
            if matches!(p.model.screen(), Screen::Home(_)) && p.model.overlay.is_none() {
                break;
            }
            if press % 100 == 99 && matches!(p.model.screen(), Screen::Writing(_)) {
                // B deletes towards the front; with the caret there and text behind it, the edit layer's B leaves.
                tap(&mut p, Button::Select);
            }
            let back = hints::table(&p.model).into_iter().find(|h| h.act == hints::Act::Back).map_or(keyboard_back, |h| h.button);
            tap(&mut p, back);
        }
        prop_assert!(matches!(p.model.screen(), Screen::Home(_)), "{:?}", p.model.screen());
        prop_assert!(p.model.overlay.is_none());
    }

    #[test]
    fn every_button_in_the_table_does_something(events in prop::collection::vec(event(), 0..80), used: bool, swapped: bool) {
        let mut p = if used { in_use(swapped) } else { linked() };
        for event in &events {
            apply(&mut p, event);
        }
        p.wait(12_000);
        if matches!(p.model.screen(), Screen::Writing(_)) && p.model.overlay.is_none() {
            return Ok(());
        }
        for hint in hints::table(&p.model) {
            let mut q = Player::new(p.model.clone());
            q.now = p.now;
            let before = facts(&q);
            q.step(Step::Press(hint.button));
            let fx: Vec<Effect> = { q.step(Step::Release(hint.button)); q.effects.iter().filter(|e| !matches!(e, Effect::SetTimer(_))).cloned().collect() };
            prop_assert!(!fx.is_empty() || facts(&q) != before, "{hint:?} does nothing on {:?} {:?}", p.model.screen(), p.model.overlay);
        }
    }

    #[test]
    fn what_is_asked_of_the_radio_begins_and_ends_in_turn(events in prop::collection::vec(event(), 1..150), used: bool) {
        let mut p = if used { in_use(false) } else { linked() };
        for event in &events {
            apply(&mut p, event);
        }
        let (mut looks, mut watches, mut rests) = (false, false, false);
        for effect in &p.effects {
            match effect {
                Effect::Look(on) => {
                    prop_assert_ne!(*on, looks);
                    looks = *on;
                }
                Effect::WatchSignal(on) => {
                    prop_assert_ne!(*on, watches);
                    watches = *on;
                }
                Effect::Rest => {
                    prop_assert!(!rests, "told to rest twice");
                    rests = true;
                }
                Effect::Reconnect | Effect::Link(_) => rests = false,
                Effect::Pair(_) => prop_assert!(!looks, "called while it looks"),
                Effect::Submit { .. } => prop_assert!(!rests, "sent while it rests"),
                _ => {}
            }
        }
    }

    #[test]
    fn no_request_is_submitted_with_two_programs(events in prop::collection::vec(event(), 1..150)) {
        let mut p = linked();
        for event in &events {
            apply(&mut p, event);
        }
        let mut seen = std::collections::BTreeMap::new();
        for effect in &p.effects {
            if let Effect::Submit { id, program, .. } = effect {
                prop_assert_eq!(seen.entry(*id).or_insert_with(|| program.clone()), program);
            }
        }
    }
}
