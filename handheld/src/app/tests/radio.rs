//! Laptops nearby, the signal, sleep, and a pairing that has ended.

use super::*;
use crate::app::model::radio::Sleep;
use crate::app::model::screen::PairingStage;
use crate::app::model::{Call, Link, Nearby, Overlay, Signal};
use crate::app::msg::{PairingEvent, PairingFault, RadioAbility};
use crate::app::view;

/// A laptop that the radio hears; those with odd numbers take no push of a button.
pub(super) fn laptop(number: u8) -> Nearby {
    Nearby {
        name: format!("Laptop {number}"),
        ssid: format!("DIRECT-x{number}-Laptop {number}").into_bytes(),
        bssid: [2, 0, 0, 0, 0, number],
        device: (number.is_multiple_of(2)).then_some([6, 0, 0, 0, 0, number]),
        frequency: 2412,
        signal_dbm: -50 - 10 * i16::from(number),
        push: number.is_multiple_of(2),
    }
}

fn fresh() -> Player {
    let mut p = Player::new(Model::new(Panel::VGA, 3));
    p.send(Msg::Card(CardEvent::Loaded(Box::default())));
    p
}

fn hear(p: &mut Player, numbers: &[u8]) -> Effects {
    let heard = numbers.iter().copied().map(laptop).collect();
    p.send(Msg::Link(LinkEvent::Nearby(heard)))
}

fn ability(p: &mut Player, station: bool, p2p: bool, why: &str) {
    p.send(Msg::Link(LinkEvent::Radio(RadioAbility {
        station,
        p2p,
        why: why.into(),
    })));
}

fn titles(p: &Player) -> Vec<String> {
    let rows = view::list(&p.model).unwrap().rows;
    rows.into_iter().map(|r| r.title).collect()
}

fn focused(p: &Player) -> String {
    let list = view::list(&p.model).unwrap();
    list.rows[list.focus.unwrap()].title.clone()
}

fn is_look(e: &Effect) -> bool {
    matches!(e, Effect::Look(_))
}

/// Puts a link over the radio up.
fn linked_by_radio() -> Player {
    let mut p = away();
    let mut w = welcome(p.now);
    w.carrier = Some(Carrier::WifiDirect);
    w.signal = Some(Signal {
        dbm: -58,
        rate_mbps: 65,
        frequency: 2437,
    });
    p.send(Msg::Link(LinkEvent::Welcome(Box::new(w))));
    p
}

#[test]
fn laptops_are_looked_for_as_long_as_the_screen_shows_and_one_is_paired_by_a_push() {
    let mut p = fresh();
    let fx = play(&mut p, "Y A");
    assert!(matches!(p.model.screen(), Screen::Nearby(_)));
    assert!(fx.contains(&Effect::Look(true)));
    assert_eq!(titles(&p), ["Type an address"]);
    assert!(view::list(&p.model).unwrap().below.starts_with("Looking"));
    let fx = hear(&mut p, &[0, 2]);
    assert!(!fx.iter().any(is_look));
    assert_eq!(titles(&p), ["Laptop 0", "Laptop 2", "Type an address"]);
    let rows = view::list(&p.model).unwrap().rows;
    assert_eq!(rows[0].second, "Strong signal, over Wi-Fi Direct");
    assert_eq!(rows[1].second, "Good signal, over Wi-Fi Direct");
    assert_eq!(bar(&p), "A Pair  B Back  X Address  Y Passphrase");
    let fx = play(&mut p, "A");
    // One radio does one thing at a time: the search ends before the call begins.
    let order: Vec<_> = fx
        .iter()
        .filter(|e| is_look(e) || matches!(e, Effect::Pair(_)))
        .collect();
    assert_eq!(
        order,
        [&Effect::Look(false), &Effect::Pair(Call::Push(laptop(0)))]
    );
    // Called off, the search goes on, after the call has ended.
    let fx = play(&mut p, "B");
    let order: Vec<_> = fx
        .iter()
        .filter(|e| is_look(e) || **e == Effect::PairCancel)
        .collect();
    assert_eq!(order, [&Effect::PairCancel, &Effect::Look(true)]);
    let fx = play(&mut p, "Menu");
    assert!(fx.contains(&Effect::Look(false)));
    assert!(p.model.radio.looking.is_none());
}

#[test]
fn a_passphrase_is_typed_joins_and_can_be_typed_again_but_never_lies_on_the_card() {
    let mut p = fresh();
    play(&mut p, "Y A");
    hear(&mut p, &[1]);
    assert_eq!(bar(&p), "A Pair  B Back  X Address");
    let fx = play(&mut p, "A \"abc\"");
    assert!(matches!(p.model.screen(), Screen::Writing(_)));
    assert!(fx.contains(&Effect::Look(false)));
    let fx = play(&mut p, "Start");
    assert!(!fx.iter().any(|e| matches!(e, Effect::Pair(_))));
    assert!(matches!(&p.model.overlay, Some(Overlay::Dialog(d)) if d.error));
    play(&mut p, "B \"d 2345 efgh\"");
    let fx = play(&mut p, "Start");
    let call = Call::Passphrase(laptop(1), "abcd2345efgh".into());
    assert!(fx.contains(&Effect::Pair(call.clone())), "{fx:?}");
    assert!(
        !format!("{fx:?}").contains("2345"),
        "no passphrase in a log"
    );
    let why = "The laptop refused the passphrase.".to_owned();
    p.send(Msg::Link(LinkEvent::Pairing(PairingEvent::Failed(
        PairingFault::Unreachable(why),
    ))));
    let Screen::Pairing(screen) = p.model.screen() else {
        panic!()
    };
    let PairingStage::Failed { title, body } = &screen.stage else {
        panic!()
    };
    assert_eq!(title, "Joining Laptop 1 did not work");
    assert!(body.contains("refused the passphrase"), "{body}");
    assert_eq!(bar(&p), "A Type again  B Back");
    play(&mut p, "A");
    assert_eq!(p.model.keyboard.text(), "abcd2345efgh");
    play(&mut p, "Menu");
    p.send(Msg::Terminate);
    let drafts = |e: &&Effect| matches!(e, Effect::SaveDraft(..));
    assert_eq!(p.effects.iter().find(drafts), None);
    assert_eq!(p.model.drafts, []);
}

#[test]
fn the_focus_stays_on_its_laptop_while_others_come_and_go() {
    let mut p = fresh();
    play(&mut p, "Y A");
    // The first that is heard takes the focus from the row below.
    hear(&mut p, &[4]);
    assert_eq!(focused(&p), "Laptop 4");
    hear(&mut p, &[0, 4, 2]);
    assert_eq!(focused(&p), "Laptop 4");
    assert_eq!(
        titles(&p),
        ["Laptop 4", "Laptop 0", "Laptop 2", "Type an address"]
    );
    play(&mut p, "Down Down");
    assert_eq!(focused(&p), "Laptop 2");
    hear(&mut p, &[2, 4]);
    assert_eq!(focused(&p), "Laptop 2");
    play(&mut p, "Down");
    hear(&mut p, &[0, 2, 4]);
    assert_eq!(focused(&p), "Type an address");
    hear(&mut p, &[]);
    assert_eq!(focused(&p), "Type an address");
}

#[test]
fn a_laptop_that_falls_silent_leaves_its_focus_to_no_other() {
    let mut p = fresh();
    play(&mut p, "Y A");
    hear(&mut p, &[2, 4]);
    hear(&mut p, &[4]);
    assert_eq!(focused(&p), "Laptop 2");
    let second = |p: &Player| view::list(&p.model).unwrap().rows[0].second.clone();
    assert_eq!(second(&p), "Not heard any more");
    // Its network was made anew, at another address.
    let back = Nearby {
        bssid: [9; 6],
        ..laptop(2)
    };
    p.send(Msg::Link(LinkEvent::Nearby(vec![laptop(4), back])));
    assert_eq!(focused(&p), "Laptop 2");
    assert!(second(&p).contains("signal"));
    // Without the focus it goes.
    play(&mut p, "Down");
    hear(&mut p, &[4]);
    assert_eq!(titles(&p), ["Laptop 4", "Type an address"]);
    assert_eq!(focused(&p), "Laptop 4");
}

#[test]
fn names_that_look_the_same_are_the_same() {
    let mut p = fresh();
    play(&mut p, "Y A");
    let named = |name: String, number| Nearby {
        name,
        ..laptop(number)
    };
    let long = "Ada Lovelace's Analytical Engine of 1837 ".repeat(3);
    p.send(Msg::Link(LinkEvent::Nearby(vec![
        named(format!("{long}a"), 0),
        named(format!("{long}b"), 2),
    ])));
    let rows = view::list(&p.model).unwrap().rows;
    assert_eq!(rows[0].title, rows[1].title);
    assert!(rows[0].right.starts_with("DIRECT-x0") && rows[1].right.starts_with("DIRECT-x2"));
}

#[test]
fn a_search_that_was_left_open_under_the_lock_lets_the_radio_sleep() {
    let mut p = linked_by_radio();
    p.model.settings.sleep = Sleep::OneMinute;
    p.model.screens.push(Screen::Nearby(Default::default()));
    p.wait(120_000);
    assert!(p.model.link.is_open());
    p.model.lock = Some(Default::default());
    p.wait(120_000);
    assert!(matches!(p.model.link, Link::Asleep { .. }));
}

#[test]
fn laptops_of_one_name_are_told_apart_by_their_networks() {
    let mut p = fresh();
    play(&mut p, "Y A");
    let twin = Nearby {
        name: "Laptop 0".into(),
        ..laptop(3)
    };
    p.send(Msg::Link(LinkEvent::Nearby(vec![
        laptop(0),
        twin,
        laptop(2),
    ])));
    let rights: Vec<_> = view::list(&p.model)
        .unwrap()
        .rows
        .into_iter()
        .map(|r| r.right)
        .collect();
    assert!(rights[0].starts_with("DIRECT-x0") && rights[1].starts_with("DIRECT-x3"));
    assert_eq!(rights[2], "");
}

#[test]
fn a_search_says_what_it_does_and_what_keeps_it_from_working() {
    let mut p = fresh();
    play(&mut p, "Y A");
    let below = |p: &Player| view::list(&p.model).unwrap().below;
    p.wait(13_000);
    assert!(below(&p).starts_with("None heard yet"), "{}", below(&p));
    ability(&mut p, true, false, "");
    hear(&mut p, &[1]);
    let lead = view::list(&p.model).unwrap().lead;
    assert!(lead.contains("cannot do Wi-Fi Direct"), "{lead}");
    hear(&mut p, &[]);
    ability(&mut p, false, false, "The radio is switched off by rfkill.");
    assert!(below(&p).starts_with("The radio is switched off by rfkill."));
    // The way round it is one press away.
    play(&mut p, "A");
    assert!(matches!(p.model.screen(), Screen::Writing(_)));
}

#[test]
fn a_way_that_was_given_at_start_comes_first() {
    let mut p = fresh();
    p.model.ways = vec![Carrier::Tcp("127.0.0.1:8144".into())];
    play(&mut p, "Y A");
    let Some(Overlay::Menu(menu)) = &p.model.overlay else {
        panic!()
    };
    let labels: Vec<_> = menu.items.iter().map(|i| i.label.as_str()).collect();
    assert_eq!(
        labels,
        [
            "Over TCP to 127.0.0.1:8144",
            "Look for laptops nearby",
            "Type an address"
        ]
    );
    play(&mut p, "Down A");
    assert!(matches!(p.model.screen(), Screen::Nearby(_)));
}

#[test]
fn a_cable_is_a_way_to_pair_while_it_is_plugged_in() {
    let mut p = fresh();
    p.send(Msg::Link(LinkEvent::Cable(true)));
    p.send(Msg::Link(LinkEvent::Cable(true)));
    play(&mut p, "Y A");
    let Some(Overlay::Menu(menu)) = &p.model.overlay else {
        panic!()
    };
    let labels: Vec<_> = menu.items.iter().map(|i| i.label.as_str()).collect();
    assert_eq!(
        labels,
        ["Over USB", "Look for laptops nearby", "Type an address"]
    );
    let fx = play(&mut p, "A");
    let call = Effect::Pair(Call::Carrier(Carrier::Usb));
    assert!(fx.contains(&call), "{fx:?}");
    let mut p = fresh();
    p.send(Msg::Link(LinkEvent::Cable(true)));
    p.send(Msg::Link(LinkEvent::Cable(false)));
    play(&mut p, "Y A");
    assert!(matches!(p.model.screen(), Screen::Nearby(_)));
}

#[test]
fn the_signal_is_measured_while_somebody_looks_at_it() {
    let mut p = linked_by_radio();
    let fx = play(&mut p, "Y");
    assert!(fx.contains(&Effect::WatchSignal(true)));
    let first = |p: &Player| view::list(&p.model).unwrap().rows[0].clone();
    assert_eq!(first(&p).title, "Linked over Wi-Fi Direct, strong signal");
    assert_eq!(first(&p).second, "−58 dBm · 65 Mbit/s · channel 6");
    let weaker = Signal {
        dbm: -80,
        rate_mbps: 6,
        frequency: 2437,
    };
    p.send(Msg::Link(LinkEvent::Signal(Some(weaker))));
    assert_eq!(first(&p).title, "Linked over Wi-Fi Direct, weak signal");
    let fx = lose(&mut p);
    assert!(fx.contains(&Effect::WatchSignal(false)));
    // A link without a radio has no signal to measure.
    let fx = link(&mut p);
    assert!(!fx.iter().any(|e| matches!(e, Effect::WatchSignal(_))));
}

#[test]
fn away_names_every_carrier_that_failed_and_keeps_naming_them_during_the_next_try() {
    use crate::app::model::laptop::Attempt;
    let mut p = linked_by_radio();
    play(&mut p, "Y");
    let attempts = vec![
        Attempt {
            carrier: Carrier::WifiDirect,
            why: "The laptop's network was not heard.".into(),
        },
        Attempt {
            carrier: Carrier::Tcp("10.0.0.1:8144".into()),
            why: "Nothing answered there.".into(),
        },
    ];
    let next_try = Some(p.now.plus(8000));
    p.send(Msg::Link(LinkEvent::Lost { attempts, next_try }));
    let failed = |p: &Player| {
        let rows = view::list(&p.model).unwrap().rows;
        let at = |n: usize| (rows[n].title.clone(), rows[n].second.clone());
        [at(1), at(2)]
    };
    let told = failed(&p);
    assert_eq!(told[0].0, "Wi-Fi Direct");
    assert_eq!(told[0].1, "The laptop's network was not heard.");
    assert_eq!(told[1].1, "Nothing answered there.");
    p.send(Msg::Link(LinkEvent::Connecting(Carrier::WifiDirect)));
    assert_eq!(titles(&p)[0], "Connecting over Wi-Fi Direct");
    assert_eq!(failed(&p), told);
    // What it may do there is one press away, because the reasons need the room.
    assert!(titles(&p).contains(&"What it may do there".to_string()));
    // Once it is back, what failed last can still be read; a link that followed no failure tells of none.
    link(&mut p);
    assert_eq!(titles(&p)[1], "Before: Nothing answered there.");
    link(&mut p);
    assert!(!titles(&p)[1].starts_with("Before"), "{:?}", titles(&p));
}

#[test]
fn a_pairing_that_ended_says_so_everywhere_until_the_laptop_greets_again() {
    for (expired, title) in [
        (true, "Pairing ended on 30 May"),
        (false, "Ada's ThinkPad no longer knows this handheld"),
    ] {
        let mut p = linked();
        p.send(Msg::Link(LinkEvent::Ended { expired }));
        assert!(matches!(&p.model.overlay, Some(Overlay::Dialog(d)) if d.error));
        play(&mut p, "B");
        // Told once: the next try says the same.
        p.send(Msg::Link(LinkEvent::Ended { expired }));
        assert_eq!(p.model.overlay, None);
        assert_eq!(view::header(&p.model).link, "Pairing ended");
        play(&mut p, "Y");
        assert_eq!(titles(&p)[0], title);
        assert_eq!(focused(&p), "Pair again");
        link(&mut p);
        assert_eq!(view::header(&p.model).link, "Laptop linked");
    }
}

#[test]
fn link_and_radio_sleep_when_nothing_happens_and_wake_for_what_needs_them() {
    let mut p = linked_by_radio();
    p.model.settings.sleep = Sleep::OneMinute;
    play(&mut p, "Down");
    let fx = p.wait(59_000);
    assert!(!fx.contains(&Effect::Rest));
    let fx = p.wait(1_500);
    assert!(fx.contains(&Effect::Rest), "{fx:?}");
    assert_eq!(view::header(&p.model).link, "Radio asleep");
    p.send(Msg::Link(LinkEvent::Asleep));
    // The last words of the old session wake nothing.
    lose(&mut p);
    p.send(Msg::Link(LinkEvent::Connecting(Carrier::WifiDirect)));
    assert!(matches!(p.model.link, Link::Asleep { .. }));
    // Reading needs no link.
    let fx = play(&mut p, "Up A B");
    assert!(!fx.contains(&Effect::Reconnect));
    // Writing will: it is there when the message is.
    let fx = play(&mut p, "Start");
    assert_eq!(
        fx.iter().filter(|e| **e == Effect::Reconnect).count(),
        1,
        "{fx:?}"
    );
    let fx = play(&mut p, "\"hi\" Start");
    assert!(!fx.contains(&Effect::Reconnect));
    number(&mut p);
    // With something to deliver it stays awake, however long that takes.
    let fx = p.wait(600_000);
    assert!(!fx.contains(&Effect::Rest));
}

#[test]
fn a_request_that_comes_up_by_itself_wakes_the_radio() {
    let mut p = linked_by_radio();
    let id = ask(&mut p, "hi");
    p.send(data(id, 0, 0, "hello", true));
    p.send(Msg::Link(LinkEvent::Done(id)));
    p.model.settings.sleep = Sleep::OneMinute;
    play(&mut p, "B");
    p.wait(61_000);
    assert!(matches!(p.model.link, Link::Asleep { .. }));
    play(&mut p, "A");
    assert!(matches!(p.model.link, Link::Asleep { .. }), "reading");
    let chat = p.model.chats.list[0].id;
    let fx = {
        p.model.overlay = None;
        let mut fx = Effects::new();
        fx.extend(play(&mut p, "A \"again\" Start"));
        fx.extend(number(&mut p));
        fx
    };
    assert!(fx.contains(&Effect::Reconnect), "{chat:?} {fx:?}");
}

#[test]
fn woken_before_it_slept_the_link_is_not_taken_for_open() {
    let mut p = linked_by_radio();
    p.model.settings.sleep = Sleep::OneMinute;
    play(&mut p, "Down");
    p.wait(61_000);
    play(&mut p, "Y");
    assert!(matches!(p.model.link, Link::Away(_)));
    // The greeting was under way; the rest that followed it ended that session.
    link(&mut p);
    p.send(Msg::Link(LinkEvent::Asleep));
    assert!(!p.model.link.is_open());
    link(&mut p);
    assert!(p.model.link.is_open());
}

#[test]
fn the_setting_says_what_sleep_costs_and_is_kept() {
    let mut p = linked();
    play(&mut p, "Down*3 A");
    // Wherever it stands among the others.
    let place = view::settings::Item::ALL
        .iter()
        .position(|item| *item == view::settings::Item::Radio);
    play(&mut p, &format!("Down*{}", place.unwrap()));
    assert_eq!(focused(&p), "Radio");
    let list = view::list(&p.model).unwrap();
    let row = &list.rows[list.focus.unwrap()];
    assert_eq!(row.value.as_deref(), Some("Stays on"));
    assert!(row.second.contains("a second"));
    let fx = play(&mut p, "Right");
    assert!(
        matches!(fx.iter().find(|e| matches!(e, Effect::SaveSettings(_))), Some(Effect::SaveSettings(s)) if s.sleep == Sleep::OneMinute)
    );
    play(&mut p, "Right");
    assert_eq!(p.model.settings.sleep, Sleep::FiveMinutes);
    play(&mut p, "Right Left");
    assert_eq!(p.model.settings.sleep, Sleep::FiveMinutes);
}

#[test]
fn a_laptop_that_forgot_us_after_the_time_was_up_is_said_to_have_expired() {
    use crate::app::model::laptop::Ended;
    let mut p = linked();
    p.model.laptops[0].expires_at = NOON - 1;
    lose(&mut p);
    p.send(Msg::Link(LinkEvent::Ended { expired: false }));
    assert_eq!(p.model.laptops[0].ended, Some(Ended::Expired));
}

#[test]
fn a_join_that_failed_says_why_and_names_the_other_way() {
    use crate::app::words::pairing::fault;
    let said = |call: &Call, why: &str| fault(&PairingFault::Unreachable(why.into()), call).1;
    let push = Call::Push(laptop(0));
    let typed = Call::Passphrase(laptop(0), "abcd2345efgh".into());
    for (call, why, expected) in [
        (&push, "", "Open pairing there"),
        (
            &push,
            "Out of range.",
            "Out of range. Or go back and choose Y",
        ),
        (&push, "Type its passphrase.", "Type its passphrase."),
        (&typed, "", "Compare the passphrase"),
        (&typed, "Out of range.", "Out of range. officectl"),
    ] {
        let said = said(call, why);
        assert!(said.starts_with(expected), "{said}");
        assert!(!said.contains("abcd"), "{said}");
    }
}

#[test]
fn a_pairing_whose_time_ran_out_on_an_open_link_says_who_extends_it() {
    let mut p = away();
    let mut w = welcome(p.now);
    w.expires_in_s = 0;
    p.send(Msg::Link(LinkEvent::Welcome(Box::new(w))));
    play(&mut p, "Y");
    let rows = view::list(&p.model).unwrap().rows;
    assert_eq!(rows[1].title, "The pairing's time ran out");
    assert!(rows[1].second.contains("renew"));
}
