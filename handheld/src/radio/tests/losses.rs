//! What can be lost, and how it comes back.

use super::*;

/// Joined by station, and looked away.
fn joined() -> Bench {
    let mut bench = Bench::new();
    bench.join(1, 2412);
    bench.connected(0);
    assert!(matches!(bench.outcome(), Some((1, Ok(_)))));
    bench.forget();
    bench
}

fn lost(bench: &mut Bench) -> Option<String> {
    bench.news().into_iter().find_map(|news| match news {
        RadioNews::Lost(why) => Some(why),
        _ => None,
    })
}

#[test]
fn range_and_a_laptop_that_leaves_are_told_apart_and_a_return_is_told() {
    let table = [
        ("reason=4 locally_generated=1", "out of range"),
        ("reason=3", "closed its network"),
        ("reason=15", "keys do not match"),
        ("reason=3 locally_generated=1", "switched off"),
    ];
    for (reason, words) in table {
        let mut bench = joined();
        let line = format!("<3>CTRL-EVENT-DISCONNECTED bssid=06:00:00:00:0a:00 {reason}");
        bench.event("wlan0", &line);
        let why = lost(&mut bench).unwrap();
        assert!(why.contains(words), "{why}");
        assert_eq!(bench.machine.deadline(), None);
        bench.event("wlan0", &line);
        assert_eq!(lost(&mut bench), None, "once");
        // wpa_supplicant comes back to it by itself: a try would succeed now, and asks nothing but whether it is so.
        bench.connected(0);
        assert!(bench.news().contains(&RadioNews::Back));
        bench.forget();
        bench.join(2, 2412);
        assert_eq!(bench.asked(), ["wlan0 STATUS"]);
        assert!(matches!(bench.outcome(), Some((2, Ok(_)))));
    }
}

#[test]
fn a_try_after_a_loss_takes_up_the_network_that_is_there() {
    let mut bench = joined();
    bench.event(
        "wlan0",
        "<3>CTRL-EVENT-DISCONNECTED bssid=06:00:00:00:0a:00 reason=4 locally_generated=1",
    );
    bench.forget();
    bench.join(2, 2412);
    assert_eq!(
        bench.asked(),
        ["wlan0 LIST_NETWORKS", "wlan0 SELECT_NETWORK 0"]
    );
    bench.connected(0);
    assert!(matches!(bench.outcome(), Some((2, Ok(_)))));
    // The laptop has told another frequency since.
    bench.event(
        "wlan0",
        "<3>CTRL-EVENT-DISCONNECTED bssid=06:00:00:00:0a:00 reason=3",
    );
    bench.forget();
    bench.join(3, 2437);
    assert_eq!(
        bench.asked(),
        [
            "wlan0 LIST_NETWORKS",
            "wlan0 SET_NETWORK 0 scan_freq 2437",
            "wlan0 SELECT_NETWORK 0"
        ]
    );
}

#[test]
fn a_supplicant_that_is_restarted_in_order_or_killed_is_used_again() {
    for orderly in [true, false] {
        let mut bench = joined();
        if orderly {
            bench.event(
                "wlan0",
                "<3>CTRL-EVENT-DISCONNECTED bssid=06:00:00:00:0a:00 reason=3 locally_generated=1",
            );
            bench.event("wlan0", "<3>CTRL-EVENT-TERMINATING ");
            bench.scene.ports.clear();
            bench.show();
            assert!(lost(&mut bench).is_some());
            assert!(bench.open.is_empty());
            bench.join(2, 2412);
            let (2, Err(why)) = bench.outcome().unwrap() else {
                panic!()
            };
            assert!(why.contains("No wpa_supplicant"), "{why}");
        }
        bench.blocks.clear();
        bench.open.clear();
        bench.forget();
        bench.scene.ports = vec![port("wlan0", 2)];
        bench.show();
        let news = bench.news();
        assert!(news.contains(&RadioNews::Back), "{news:?}");
        assert_eq!(
            news.iter().any(|news| matches!(news, RadioNews::Lost(_))),
            !orderly
        );
        bench.join(3, 2412);
        assert!(bench.asked().contains(&"wlan0 ADD_NETWORK".to_owned()));
        bench.connected(0);
        assert!(matches!(bench.outcome(), Some((3, Ok(_)))));
    }
}

#[test]
fn a_supplicant_that_was_killed_without_a_word_is_found_out_by_the_next_try() {
    let mut bench = joined();
    bench.answers = vec![("STATUS".into(), None)];
    bench.join(2, 2412);
    let (2, Err(why)) = bench.outcome().unwrap() else {
        panic!()
    };
    assert!(why.contains("No wpa_supplicant"), "{why}");
    assert!(lost(&mut bench).is_some());
}

#[test]
fn what_wpa_supplicant_does_not_hold_any_more_is_joined_anew() {
    let mut bench = joined();
    bench.answers = vec![("STATUS".into(), Some("wpa_state=SCANNING\n"))];
    bench.join(2, 2412);
    assert_eq!(
        bench.asked(),
        [
            "wlan0 STATUS",
            "wlan0 LIST_NETWORKS",
            "wlan0 SELECT_NETWORK 0"
        ]
    );
    bench.connected(0);
    assert!(matches!(bench.outcome(), Some((2, Ok(_)))));
}

#[test]
fn a_network_that_leads_nowhere_again_and_again_is_joined_anew() {
    let mut bench = joined();
    let mut anew = Vec::new();
    for ticket in 2..10 {
        bench.forget();
        bench.join(ticket, 2412);
        if bench.asked().contains(&"wlan0 SELECT_NETWORK 0".to_owned()) {
            anew.push(ticket);
            bench.connected(0);
        }
        assert!(matches!(bench.outcome(), Some((_, Ok(_)))));
    }
    assert_eq!(anew, [4, 7]);
}

#[test]
fn a_driver_that_goes_and_comes_is_told_and_used_again() {
    let mut bench = joined();
    bench.event(
        "wlan0",
        "<3>CTRL-EVENT-DISCONNECTED bssid=06:00:00:00:0a:00 reason=3 locally_generated=1",
    );
    bench.forget();
    let there = std::mem::take(&mut bench.scene.interfaces);
    bench.show();
    bench.join(2, 2412);
    let (2, Err(why)) = bench.outcome().unwrap() else {
        panic!()
    };
    assert!(why.contains("no Wi-Fi"), "{why}");
    bench.forget();
    bench.scene.interfaces = there;
    bench.show();
    assert!(bench.news().contains(&RadioNews::Back));
    bench.join(3, 2412);
    bench.connected(0);
    assert!(matches!(bench.outcome(), Some((3, Ok(_)))));
}

#[test]
fn a_driver_that_goes_without_a_word_of_the_supplicants_is_noticed() {
    let mut bench = joined();
    bench.scene.interfaces.clear();
    bench.show();
    assert!(lost(&mut bench).unwrap().contains("gone"));
}

#[test]
fn flight_mode_is_named_and_its_end_is_told() {
    let mut bench = joined();
    bench.scene.interfaces[0].blocked = true;
    bench.scene.interfaces[0].up = false;
    bench.show();
    assert!(lost(&mut bench).unwrap().contains("switched off"));
    bench.join(2, 2412);
    let (2, Err(why)) = bench.outcome().unwrap() else {
        panic!()
    };
    assert!(why.contains("rfkill"), "{why}");
    bench.forget();
    bench.scene.interfaces[0].blocked = false;
    bench.scene.interfaces[0].up = true;
    bench.show();
    assert!(bench.news().contains(&RadioNews::Back));
    bench.join(3, 2412);
    bench.connected(0);
    assert!(matches!(bench.outcome(), Some((3, Ok(_)))));
}

#[test]
fn waking_from_sleep_is_told_and_a_try_under_way_begins_again() {
    let mut bench = joined();
    bench.feed(Input::Woke);
    assert_eq!(bench.news(), [RadioNews::Back]);
    bench.event(
        "wlan0",
        "<3>CTRL-EVENT-DISCONNECTED bssid=06:00:00:00:0a:00 reason=4 locally_generated=1",
    );
    bench.join(2, 2412);
    bench.forget();
    bench.now += 3_600_000;
    bench.feed(Input::Woke);
    assert_eq!(
        bench.asked(),
        ["wlan0 LIST_NETWORKS", "wlan0 SELECT_NETWORK 0"]
    );
    assert_eq!(
        bench.outcome(),
        None,
        "an hour of sleep is no time in which it failed"
    );
    bench.connected(0);
    assert!(matches!(bench.outcome(), Some((2, Ok(_)))));
}

#[test]
fn a_supplicant_that_hangs_is_given_up_in_time_and_asked_again_later() {
    let mut bench = joined();
    bench.event(
        "wlan0",
        "<3>CTRL-EVENT-DISCONNECTED bssid=06:00:00:00:0a:00 reason=4 locally_generated=1",
    );
    bench.frozen = true;
    bench.join(2, 2412);
    bench.wait(10_000);
    let (2, Err(why)) = bench.outcome().unwrap() else {
        panic!()
    };
    assert!(why.contains("wpa_supplicant"), "{why}");
    assert!(bench.said().contains(&Effect::Close("wlan0".into())));
    assert_eq!(bench.machine.deadline(), None);
    bench.frozen = false;
    bench.join(3, 2412);
    // Whether its networks are still there is not known; a new one is laid out.
    let current = bench.blocks["wlan0"].current.unwrap();
    bench.connected(current);
    assert!(matches!(bench.outcome(), Some((3, Ok(_)))));
}

#[test]
fn permission_is_named_and_tried_again_when_something_changed() {
    let mut bench = Bench::bare(Vec::new(), true);
    bench.scene = Scene {
        interfaces: vec![interface("wlan0")],
        ports: vec![port("wlan0", 1)],
    };
    bench.frozen = true;
    bench.show();
    bench.feed(Input::Closed("wlan0".into(), Denial::Permission));
    let abilities: Vec<RadioAbility> = bench
        .news()
        .into_iter()
        .filter_map(|news| match news {
            RadioNews::Ability(ability) => Some(ability),
            _ => None,
        })
        .collect();
    assert!(abilities.last().unwrap().why.contains("may not use"));
    bench.frozen = false;
    bench.show();
    assert!(matches!(&bench.news()[..], [RadioNews::Ability(ability)] if ability.station));
}

/// A join beside the firmware's network, whose supplicant then stalls without ending.
fn stalled() -> Bench {
    let mut bench = Bench::new();
    let blocks = bench.blocks.entry("wlan0".into()).or_default();
    blocks.rows.insert(0, (b"Home".to_vec(), true));
    bench.join(1, 2412);
    bench.connected(1);
    bench.said();
    bench.frozen = true;
    bench.join(2, 2412);
    bench.wait(30_000);
    assert!(matches!(bench.outcome(), Some((2, Err(_)))));
    bench
}

#[test]
fn a_supplicant_that_only_stalled_is_put_back_once_it_answers() {
    let mut bench = stalled();
    let kept = bench.said().into_iter().rev().find_map(|said| match said {
        Effect::Remember(held) => Some(held),
        _ => None,
    });
    let kept = kept.unwrap();
    assert_eq!(kept[0].own.as_ref().map(|known| known.id), Some(1));
    assert_eq!(kept[0].others.len(), 1, "a crash now is mended as well");
    bench.frozen = false;
    bench.forget();
    bench.join(3, 2412);
    let id = bench.blocks["wlan0"].current.unwrap();
    bench.connected(id);
    assert!(matches!(bench.outcome(), Some((3, Ok(_)))));
    assert_eq!(bench.blocks["wlan0"].rows.len(), 2, "no orphan of ours");
    bench.order(Order::Leave);
    let rows = &bench.blocks["wlan0"].rows;
    assert_eq!(rows.len(), 1);
    assert!(rows[&0].1, "the firmware's is enabled again");
    assert!(bench.said().contains(&Effect::Remember(Vec::new())));
}

#[test]
fn leaving_a_supplicant_that_stalled_mends_what_it_can_and_leaves_the_rest_to_the_next_run() {
    let mut bench = stalled();
    bench.forget();
    bench.frozen = false;
    bench.order(Order::Leave);
    assert!(bench.said().contains(&Effect::Left));
    let rows = &bench.blocks["wlan0"].rows;
    assert!(rows.len() == 1 && rows[&0].1, "{rows:?}");

    let mut bench = stalled();
    bench.forget();
    bench.order(Order::Leave);
    bench.wait(10_000);
    let said = bench.said();
    assert!(said.contains(&Effect::Left));
    let kept = said.iter().rev().find_map(|said| match said {
        Effect::Remember(held) => Some(held),
        _ => None,
    });
    assert_eq!(kept.unwrap().len(), 1, "the next run mends it");
}

#[test]
fn what_is_left_on_an_adapter_that_was_pulled_keeps_no_socket_open() {
    use crate::radio::held::Known;
    let left = Held {
        interface: "wlan7".into(),
        own: Some(Known {
            id: 2,
            ssid: SSID.to_vec(),
        }),
        ..Held::default()
    };
    let mut bench = Bench::bare(vec![left], true);
    bench.scene = Scene {
        interfaces: vec![interface("wlan0")],
        ports: vec![port("wlan0", 1)],
    };
    bench.show();
    assert!(bench.open.is_empty());
}

#[test]
fn a_wish_is_answered_in_time_however_often_the_supplicant_is_started_anew() {
    let mut bench = Bench::new();
    let start = bench.now;
    bench.join(1, 2412);
    for mark in 2..100 {
        bench.wait(3_000);
        if let Some((1, Err(why))) = bench.outcome() {
            assert!(why.contains("in time"), "{why}");
            assert!(bench.now - start <= 63_000);
            return;
        }
        bench.blocks.clear();
        bench.open.clear();
        bench.scene.ports = vec![port("wlan0", mark)];
        bench.show();
    }
    panic!("it is never answered");
}

#[test]
fn a_laptop_that_stays_away_is_not_scanned_for_between_the_tries() {
    let mut bench = joined();
    bench.event(
        "wlan0",
        "<3>CTRL-EVENT-DISCONNECTED bssid=06:00:00:00:0a:00 reason=4 locally_generated=1",
    );
    let mut quiet = Vec::new();
    for ticket in 2..10 {
        bench.forget();
        bench.join(ticket, 2412);
        while bench.outcome().is_none() {
            bench.event("wlan0", "<3>CTRL-EVENT-NETWORK-NOT-FOUND ");
        }
        quiet.push(bench.asked().contains(&"wlan0 DISCONNECT".to_owned()));
    }
    assert_eq!(quiet[..3], [false; 3], "it may come back in a moment");
    assert_eq!(quiet[4..], [true; 4]);
    bench.join(10, 2412);
    assert_eq!(bench.asked().last().unwrap(), "wlan0 SELECT_NETWORK 0");
    bench.connected(0);
    assert!(matches!(bench.outcome(), Some((10, Ok(_)))));
}

#[test]
fn a_network_found_on_all_channels_is_looked_for_on_its_own_once_lost() {
    let mut bench = Bench::new();
    for ticket in 1..=4 {
        bench.join(ticket, 2412);
        bench.event("wlan0", "<3>CTRL-EVENT-NETWORK-NOT-FOUND ");
    }
    bench.connected(0);
    bench.forget();
    bench.event(
        "wlan0",
        "<3>CTRL-EVENT-DISCONNECTED bssid=06:00:00:00:0a:00 reason=4 locally_generated=1",
    );
    assert_eq!(bench.asked(), ["wlan0 SET_NETWORK 0 scan_freq 2412"]);
}

#[test]
fn what_is_joined_is_handed_out_only_for_its_own_key() {
    let mut bench = joined();
    let mut typed = network(2412);
    typed.passphrase = "something else".into();
    bench.order(Order::Join {
        ticket: 2,
        network: typed,
    });
    let asked = bench.asked();
    assert!(asked.contains(&"wlan0 ADD_NETWORK".to_owned()), "{asked:?}");
    assert_eq!(bench.outcome(), None);

    let mut bench = joined();
    let mut newer = network(2412);
    newer.port = 9000;
    bench.order(Order::Join {
        ticket: 2,
        network: newer.clone(),
    });
    let (2, Ok(place)) = bench.outcome().unwrap() else {
        panic!()
    };
    assert_eq!(place.network, newer);
}
