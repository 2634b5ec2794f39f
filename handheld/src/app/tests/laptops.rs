use super::*;
use crate::app::model::screen::{PairingStage, Tile};
use crate::app::model::{Link, Origin, Overlay};
use crate::app::msg::{PairingEvent, PairingFault};
use crate::app::view;

/// Opens the laptop screen and calls an address.
fn call(p: &mut Player) -> Effects {
    play(p, "Y A X \"10.0.0.1:8144\"");
    play(p, "Start")
}

fn fresh() -> Player {
    let mut p = Player::new(Model::new(Panel::VGA, 3));
    p.send(Msg::Card(CardEvent::Loaded(Box::default())));
    p
}

fn stage(p: &Player) -> PairingStage {
    let Screen::Pairing(screen) = p.model.screen() else {
        panic!("{:?}", p.model.screen())
    };
    screen.stage.clone()
}

fn pairing(event: PairingEvent) -> Msg {
    Msg::Link(LinkEvent::Pairing(event))
}

#[test]
fn pairing_shows_digits_asks_and_needs_a_yes() {
    let mut p = fresh();
    let fx = call(&mut p);
    assert!(
        fx.contains(&Effect::Pair(crate::app::model::Call::Carrier(
            Carrier::Tcp("10.0.0.1:8144".into())
        ))),
        "{fx:?}"
    );
    assert_eq!(stage(&p), PairingStage::Calling);
    p.send(pairing(PairingEvent::Digits {
        digits: [4, 8, 2, 9, 1, 3],
        left_ms: 102_000,
    }));
    assert_eq!(stage(&p), PairingStage::Digits([4, 8, 2, 9, 1, 3]));
    // A does nothing before the laptop has accepted the digits.
    let fx = play(&mut p, "A Start X");
    assert!(!fx.contains(&Effect::PairConfirm));
    p.send(pairing(PairingEvent::Matched {
        laptop: "Ada's ThinkPad".into(),
    }));
    assert_eq!(bar(&p), "A Yes, pair  B No");
    let fx = play(&mut p, "A");
    assert!(fx.contains(&Effect::PairConfirm));
    let fx = p.send(pairing(PairingEvent::Kept(Laptop {
        id: ADA,
        name: "Ada's ThinkPad".into(),
        ..Laptop::default()
    })));
    assert!(fx.contains(&Effect::Link(Some(ADA))) && !fx.contains(&Effect::PairCancel));
    assert_eq!(p.model.chosen, Some(ADA));
    assert!(matches!(p.model.screen(), Screen::Home(_)));
}

#[test]
fn no_and_back_call_pairing_off_and_keep_nothing() {
    for script in ["B", "Menu"] {
        let mut p = fresh();
        call(&mut p);
        p.send(pairing(PairingEvent::Digits {
            digits: [1; 6],
            left_ms: 1000,
        }));
        p.send(pairing(PairingEvent::Matched { laptop: "x".into() }));
        let fx = play(&mut p, script);
        assert!(
            fx.contains(&Effect::PairCancel) && !fx.contains(&Effect::PairConfirm),
            "{script}"
        );
        assert!(p.model.laptops.is_empty());
        let fx = p.send(pairing(PairingEvent::Matched { laptop: "x".into() }));
        assert!(fx.contains(&Effect::PairCancel));
    }
}

#[test]
fn pairing_counts_down_and_closes_by_itself() {
    let mut p = fresh();
    call(&mut p);
    p.send(pairing(PairingEvent::Digits {
        digits: [1; 6],
        left_ms: 2500,
    }));
    let fx = p.wait(2600);
    assert!(fx.contains(&Effect::PairCancel));
    assert!(
        matches!(stage(&p), PairingStage::Failed { title, .. } if title == "Two minutes have passed")
    );
    let fx = play(&mut p, "A");
    assert!(fx.iter().any(|e| matches!(e, Effect::Pair(_))));
    p.send(pairing(PairingEvent::Failed(PairingFault::WrongDigits)));
    assert!(
        matches!(stage(&p), PairingStage::Failed { title, .. } if title == "The laptop got a wrong number")
    );
}

#[test]
fn what_was_asked_before_any_laptop_was_paired_is_asked_after() {
    let mut p = fresh();
    play(&mut p, "Start \"hi\" Start");
    assert!(p.model.outbox.unnumbered.is_empty());
    assert!(
        view::chat::turns(&p.model)[1].card.clone().unwrap().lines[0]
            .contains("No laptop is paired")
    );
    p.send(pairing(PairingEvent::Kept(Laptop {
        id: ADA,
        name: "Ada".into(),
        ..Laptop::default()
    })));
    assert_eq!(p.model.outbox.unnumbered.len(), 1);
    number(&mut p);
    let fx = link(&mut p);
    assert_eq!(submitted(&fx).len(), 1);
}

#[test]
fn the_laptop_screen_tells_link_days_and_permissions() {
    let mut p = linked();
    play(&mut p, "Y");
    let list = view::list(&p.model).unwrap();
    assert_eq!(list.title, "Ada's ThinkPad");
    let text: String = list
        .rows
        .iter()
        .map(|r| format!("{} {}\n", r.title, r.right))
        .collect();
    for fact in [
        "Linked over TCP",
        "27 days left",
        "Chat allowed",
        "Pictures asks",
        "Jobs not in this version",
        "Pair another laptop",
        "Forget this laptop",
    ] {
        assert!(text.contains(fact), "{fact} in {text}");
    }
    assert!(list.focus.is_some_and(|f| !list.rows[f].fixed));
    let fx = play(&mut p, "X Y");
    assert!(fx.contains(&Effect::Renew) && fx.contains(&Effect::Reconnect));
    p.send(Msg::Link(LinkEvent::Renewed {
        expires_in_s: 30 * 86_400,
    }));
    assert_eq!(view::laptop::days_left(&p.model), Some(30));
}

#[test]
fn several_laptops_are_switched_and_one_is_forgotten() {
    let mut p = linked();
    let id = ask(&mut p, "hi");
    play(&mut p, "B");
    let other = Laptop {
        id: LaptopId(2),
        name: "Bob's".into(),
        ..Laptop::default()
    };
    p.model.laptops.push(other);
    play(&mut p, "Y");
    let fx = play(&mut p, "A");
    assert!(fx.contains(&Effect::Link(Some(LaptopId(2)))), "{fx:?}");
    assert_eq!(p.model.settings.laptop, Some(LaptopId(2)));
    // What was sent to the first is not submitted to the second.
    let fx = link(&mut p);
    assert!(submitted(&fx).is_empty());
    play(&mut p, "Up A");
    assert!(
        matches!(&p.model.overlay, Some(Overlay::Dialog(d)) if d.title.starts_with("Forget")),
        "{:?}",
        p.model.overlay
    );
    let fx = play(&mut p, "A");
    assert!(fx.contains(&Effect::Forget(LaptopId(2))) && fx.contains(&Effect::Link(Some(ADA))));
    let fx = link(&mut p);
    assert_eq!(submitted(&fx), [id]);
}

#[test]
fn forgetting_the_last_laptop_keeps_the_chats_and_marks_what_waited() {
    let mut p = away();
    let id = ask(&mut p, "hi");
    play(&mut p, "B Y Up A A");
    assert_eq!((p.model.chosen, &p.model.link), (None, &Link::Unpaired));
    assert!(p.effects.contains(&Effect::DropEntry(ADA, id)));
    let last = &p.model.chats.list[0].turns[1].state;
    assert!(
        matches!(last, crate::app::model::TurnState::Broken(f) if f.code == Failure::FORGOTTEN)
    );
    assert_eq!(p.model.chats.list.len(), 1);
}

#[test]
fn a_list_that_one_laptop_still_owes_does_not_keep_another_from_being_asked() {
    let mut p = linked();
    play(&mut p, "Down A");
    number(&mut p);
    p.model.laptops.push(Laptop {
        id: LaptopId(2),
        ..Laptop::default()
    });
    play(&mut p, "B Y A");
    assert_eq!(p.model.chosen, Some(LaptopId(2)));
    link(&mut p);
    let fx = play(&mut p, "B A");
    assert!(matches!(p.model.screen(), Screen::Files(_)));
    let asked = |e: &Effect| matches!(e, Effect::NewRequest { entry, .. } if entry.origin == Origin::Listing && entry.laptop == LaptopId(2));
    assert!(fx.iter().any(asked), "{fx:?}");
    // Asked once is enough.
    let fx = play(&mut p, "B A");
    assert!(!fx.iter().any(asked), "{fx:?}");
}

#[test]
fn a_greeting_that_was_under_way_when_another_laptop_was_chosen_changes_nothing() {
    let mut p = linked();
    p.model.laptops.push(Laptop {
        id: LaptopId(2),
        name: "Bob's".into(),
        ..Laptop::default()
    });
    play(&mut p, "Y A");
    assert_eq!(p.model.chosen, Some(LaptopId(2)));
    let of = |laptop, now| {
        let welcome = crate::app::msg::Welcome {
            laptop: Some(laptop),
            ..welcome(now)
        };
        Msg::Link(LinkEvent::Welcome(Box::new(welcome)))
    };
    let notice = LinkEvent::Notice {
        permissions: welcome(p.now).permissions,
        models: Vec::new(),
    };
    p.send(of(ADA, p.now));
    p.send(Msg::Link(notice));
    let bob = p.model.laptop().unwrap();
    assert_eq!((bob.name.as_str(), bob.permissions.len()), ("Bob's", 0));
    assert!(!p.model.link.is_open());
    p.send(of(LaptopId(2), p.now));
    assert!(p.model.link.is_open());
}

#[test]
fn an_expired_pairing_is_told_with_what_to_do() {
    let mut p = linked();
    p.send(Msg::Link(LinkEvent::Ended { expired: true }));
    let Some(Overlay::Dialog(d)) = &p.model.overlay else {
        panic!()
    };
    assert_eq!(d.title, "Pairing with Ada's ThinkPad has ended");
    assert!(d.body[0].ends_with("Pair again; your chats and pictures stay."));
    assert_eq!(
        view::home::tile(&p.model, Tile::Laptop).1,
        "Ada's ThinkPad, ended"
    );
}

#[test]
fn away_says_why_and_when_it_is_tried_next() {
    let mut p = linked();
    play(&mut p, "Y");
    let attempts = vec![crate::app::model::laptop::Attempt {
        carrier: Carrier::Tcp("127.0.0.1:8144".into()),
        why: "connection refused".into(),
    }];
    let next_try = Some(p.now.plus(8000));
    p.send(Msg::Link(LinkEvent::Lost { attempts, next_try }));
    let rows = view::list(&p.model).unwrap().rows;
    assert_eq!(
        (rows[0].title.as_str(), rows[0].right.as_str()),
        ("Away since 14:02", "next try in 8 s")
    );
    p.wait(3000);
    assert_eq!(
        view::list(&p.model).unwrap().rows[0].right,
        "next try in 5 s"
    );
    play(&mut p, "Down A");
    assert!(
        matches!(p.model.screen(), Screen::Page(page) if page.text.contains("connection refused")),
        "{:?}",
        p.model.screen()
    );
}

#[test]
fn clocks_set_years_apart_change_nothing_but_what_is_shown() {
    let mut p = away();
    let mut w = welcome(p.now);
    w.clock = Some(Clock {
        unix: 4_000_000_000,
        at: p.now,
        offset_minutes: 0,
    });
    p.send(Msg::Link(LinkEvent::Welcome(Box::new(w))));
    assert_eq!(view::laptop::days_left(&p.model), Some(27));
    // Back in time: days left are still what the laptop says.
    link(&mut p);
    assert_eq!(view::laptop::days_left(&p.model), Some(27));
    assert!(p.model.wall() >= 4_000_000_000, "time never goes backwards");
}

fn network() -> crate::app::model::Network {
    crate::app::model::Network {
        ssid: b"DIRECT-k7-Ada".to_vec(),
        passphrase: "abcd2345efgh".into(),
        frequency: 2437,
        port: 8144,
    }
}

#[test]
fn the_network_that_a_greeting_names_is_kept_and_becomes_the_first_way() {
    let mut p = away();
    let mut w = welcome(p.now);
    w.network = Some(network());
    let fx = p.send(Msg::Link(LinkEvent::Welcome(Box::new(w))));
    let saved = |fx: &Effects| {
        fx.iter().rev().find_map(|e| match e {
            Effect::SaveLaptop(laptop) => Some(laptop.clone()),
            _ => None,
        })
    };
    let laptop = saved(&fx).unwrap();
    let tcp = Carrier::Tcp("127.0.0.1:8144".into());
    assert_eq!(laptop.network, Some(network()));
    assert_eq!(laptop.carriers, [Carrier::WifiDirect, tcp.clone()]);
    assert!(matches!(&p.model.link, Link::Linked { carrier, .. } if *carrier == tcp));
    // Its radio is off now: what is known of it stays, behind the way that works.
    let fx = link(&mut p);
    let laptop = saved(&fx).unwrap();
    assert_eq!(laptop.network, Some(network()));
    assert_eq!(laptop.carriers, [tcp, Carrier::WifiDirect]);
}
