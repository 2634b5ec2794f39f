//! Probing, joining as a station, resting, and putting back.

use super::*;

fn home(bench: &mut Bench) {
    let blocks = bench.blocks.entry("wlan0".into()).or_default();
    blocks.rows.insert(0, (b"Home".to_vec(), true));
    blocks.rows.insert(1, (b"Old".to_vec(), false));
}

#[test]
fn the_probe_says_what_the_radio_can_do_and_then_lets_it_be() {
    for p2p in [true, false] {
        let mut bench = Bench::on(&["wlan0"], p2p);
        let news = bench.news();
        let [RadioNews::Back, RadioNews::Ability(ability)] = &news[..] else {
            panic!("{news:?}")
        };
        assert!(ability.station && ability.p2p == p2p && ability.why.is_empty());
        assert!(bench.open.is_empty(), "no event of the firmware's wakes us");
        assert_eq!(bench.machine.deadline(), None);
        let networks = ["ADD", "SET", "SELECT", "DISCONNECT", "SCAN", "P2P"];
        let asked = bench.asked();
        assert!(
            asked
                .iter()
                .all(|text| !networks.iter().any(|n| text.contains(n))),
            "{asked:?}"
        );
    }
}

#[test]
fn without_a_radio_it_says_so_once_and_sleeps() {
    let mut bench = Bench::bare(Vec::new(), false);
    bench.show();
    let news = bench.news();
    let [RadioNews::Ability(ability)] = &news[..] else {
        panic!("{news:?}")
    };
    assert!(!ability.station && !ability.p2p && ability.why.contains("no Wi-Fi"));
    bench.show();
    assert!(bench.said().is_empty());
    assert_eq!(bench.machine.deadline(), None);
    bench.join(1, 2412);
    let (1, Err(why)) = bench.outcome().unwrap() else {
        panic!()
    };
    assert!(why.contains("no Wi-Fi"), "{why}");
}

#[test]
fn a_join_lays_out_a_network_of_its_own_and_says_where_it_is() {
    let mut bench = Bench::new();
    home(&mut bench);
    bench.forget();
    bench.join(7, 2412);
    let ssid: String = SSID.iter().map(|octet| format!("{octet:02x}")).collect();
    assert_eq!(
        bench.asked(),
        [
            "wlan0 LIST_NETWORKS".to_owned(),
            "wlan0 ADD_NETWORK".into(),
            format!("wlan0 SET_NETWORK 2 ssid {ssid}"),
            format!("wlan0 SET_NETWORK 2 psk {KEY}"),
            "wlan0 SET_NETWORK 2 proto RSN".into(),
            "wlan0 SET_NETWORK 2 key_mgmt WPA-PSK".into(),
            "wlan0 SET_NETWORK 2 pairwise CCMP".into(),
            "wlan0 SET_NETWORK 2 scan_freq 2412".into(),
            "wlan0 SELECT_NETWORK 2".into(),
        ]
    );
    let said = bench.said();
    let prepared = said
        .iter()
        .position(|e| *e == Effect::Prepare("wlan0".into()));
    let remembered = said.iter().find_map(|e| match e {
        Effect::Remember(held) => Some(held.clone()),
        _ => None,
    });
    assert!(prepared.is_some());
    let held = &remembered.unwrap()[0];
    assert_eq!(held.own.as_ref().map(|known| known.id), Some(2));
    assert_eq!(held.others.len(), 1, "what was off before stays off");
    assert_eq!(held.others[0].ssid, b"Home");
    bench.connected(2);
    let (7, Ok(place)) = bench.outcome().unwrap() else {
        panic!()
    };
    assert_eq!((place.interface.as_str(), place.bssid), ("wlan0", BSSID));
    assert_eq!(bench.asked(), ["wlan0 SIGNAL_POLL"]);
    assert_eq!(
        bench.machine.deadline(),
        None,
        "a joined radio wakes nobody"
    );
}

#[test]
fn connected_may_come_before_the_answer_that_it_follows() {
    let mut bench = Bench::new();
    bench.answers = vec![("SELECT_NETWORK".into(), Some("OK\n"))];
    bench.frozen = false;
    bench.join(1, 2412);
    // The machine believes to be seeking; the event of another network does not count.
    bench.connected(5);
    assert_eq!(bench.outcome(), None);
    bench.connected(0);
    assert!(matches!(bench.outcome(), Some((1, Ok(_)))));
}

#[test]
fn what_is_not_found_is_looked_for_everywhere_but_not_each_time() {
    let mut bench = Bench::new();
    let mut everywhere = Vec::new();
    for ticket in 1..=10 {
        bench.forget();
        bench.join(ticket, 2412);
        bench.event("wlan0", "<3>CTRL-EVENT-NETWORK-NOT-FOUND ");
        let all = bench.asked.iter().any(|text| text.ends_with("scan_freq 0"));
        if all {
            everywhere.push(ticket);
            assert_eq!(bench.outcome(), None, "it goes on");
            bench.event("wlan0", "<3>CTRL-EVENT-NETWORK-NOT-FOUND ");
            assert!(
                bench.asked.last().unwrap().ends_with("scan_freq 2412"),
                "wpa_supplicant's own scans keep to one channel: {:?}",
                bench.asked
            );
        }
        let (_, Err(why)) = bench.outcome().unwrap() else {
            panic!()
        };
        assert!(why.contains("not in range"), "{why}");
        assert_eq!(bench.machine.deadline(), None);
    }
    assert_eq!(everywhere, [4, 7, 10]);
}

#[test]
fn a_network_of_unknown_frequency_is_not_scanned_for_for_ever() {
    let mut bench = Bench::new();
    bench.join(1, 0);
    assert!(!bench.asked().iter().any(|text| text.contains("scan_freq")));
    bench.event("wlan0", "<3>CTRL-EVENT-NETWORK-NOT-FOUND ");
    assert!(matches!(bench.outcome(), Some((1, Err(_)))));
    assert_eq!(bench.asked(), ["wlan0 DISCONNECT"]);
}

#[test]
fn a_wrong_key_is_told_as_such() {
    let mut bench = Bench::new();
    bench.join(1, 2412);
    bench.event("wlan0", "<3>CTRL-EVENT-SSID-TEMP-DISABLED id=0 ssid=\"DIRECT-k3-Ada's ThinkPad\" auth_failures=1 duration=10 reason=WRONG_KEY");
    let (1, Err(why)) = bench.outcome().unwrap() else {
        panic!()
    };
    assert!(why.contains("passphrase"), "{why}");
}

#[test]
fn a_refusal_and_silence_are_failures_with_words() {
    let table: [(&str, Option<&'static str>, &str); 4] = [
        ("ADD_NETWORK", Some("FAIL\n"), "takes no network"),
        ("SELECT_NETWORK", Some("FAIL\n"), "takes no network"),
        ("SET_NETWORK 0 psk", Some("FAIL\n"), "key"),
        ("LIST_NETWORKS", None, "No wpa_supplicant"),
    ];
    for (start, answer, words) in table {
        let mut bench = Bench::new();
        bench.answers = vec![(start.into(), answer)];
        bench.join(1, 2412);
        let (1, Err(why)) = bench.outcome().unwrap() else {
            panic!()
        };
        assert!(why.contains(words), "{start}: {why}");
        bench.answers.clear();
        bench.join(2, 2412);
        bench.connected(bench.blocks["wlan0"].current.unwrap());
        assert!(matches!(bench.outcome(), Some((2, Ok(_)))), "{start}");
    }
    let mut bench = Bench::new();
    bench.join(1, 2412);
    bench.wait(60_000);
    let (1, Err(why)) = bench.outcome().unwrap() else {
        panic!()
    };
    assert!(why.contains("in time"), "{why}");
}

#[test]
fn another_interface_has_its_turn_after_a_failure_and_what_was_changed_on_the_first_is_put_back() {
    let mut bench = Bench::on(&["wlan0", "wlan1"], false);
    home(&mut bench);
    bench
        .blocks
        .insert("wlan1".into(), bench.blocks["wlan0"].clone());
    bench.forget();
    bench.join(1, 2412);
    assert!(bench.asked().iter().all(|text| text.starts_with("wlan1 ")));
    bench.event("wlan1", "<3>CTRL-EVENT-NETWORK-NOT-FOUND ");
    assert!(matches!(bench.outcome(), Some((1, Err(_)))));
    bench.forget();
    bench.join(2, 2412);
    let asked = bench.asked();
    assert_eq!(
        asked[..3],
        [
            "wlan1 REMOVE_NETWORK 2",
            "wlan1 ENABLE_NETWORK 0",
            "wlan1 RECONNECT"
        ]
    );
    bench.connected(2);
    assert!(matches!(bench.outcome(), Some((2, Ok(_)))));
    bench.join(3, 2412);
    assert!(
        matches!(bench.outcome(), Some((3, Ok(_)))),
        "it stays where it works"
    );
}

#[test]
fn resting_leaves_the_network_closes_the_sockets_and_is_quick_to_return() {
    let mut bench = Bench::new();
    home(&mut bench);
    bench.join(1, 2412);
    bench.connected(2);
    bench.forget();
    bench.order(Order::Rest);
    assert_eq!(bench.asked(), ["wlan0 DISCONNECT"]);
    assert!(bench.open.is_empty());
    assert_eq!(bench.machine.deadline(), None);
    assert!(
        !bench.blocks["wlan0"].rows[&0].1,
        "the firmware's network stays off: the radio sleeps"
    );
    bench.scene.ports.push(port("wlan9", 4));
    bench.show();
    bench.feed(Input::Woke);
    assert!(bench.news().is_empty(), "asleep it calls nobody");
    bench.join(2, 2412);
    assert_eq!(
        bench.asked(),
        ["wlan0 LIST_NETWORKS", "wlan0 SELECT_NETWORK 2"]
    );
    bench.connected(2);
    assert!(matches!(bench.outcome(), Some((2, Ok(_)))));
}

#[test]
fn leaving_puts_everything_back() {
    let mut bench = Bench::new();
    bench.order(Order::Leave);
    assert!(bench.said().contains(&Effect::Left), "nothing to put back");
    let mut bench = Bench::new();
    home(&mut bench);
    let before = bench.blocks["wlan0"].rows.clone();
    bench.join(1, 2412);
    bench.connected(2);
    bench.forget();
    bench.order(Order::Leave);
    assert_eq!(
        bench.asked(),
        [
            "wlan0 DISCONNECT",
            "wlan0 REMOVE_NETWORK 2",
            "wlan0 ENABLE_NETWORK 0",
            "wlan0 RECONNECT"
        ]
    );
    assert_eq!(bench.blocks["wlan0"].rows, before);
    let said = bench.said();
    assert!(said.contains(&Effect::Left) && said.contains(&Effect::Remember(Vec::new())));
}

#[test]
fn leaving_out_of_rest_puts_everything_back_too() {
    let mut bench = Bench::new();
    home(&mut bench);
    let before = bench.blocks["wlan0"].rows.clone();
    bench.join(1, 2412);
    bench.connected(2);
    bench.order(Order::Rest);
    assert!(bench.open.is_empty());
    bench.forget();
    bench.order(Order::Leave);
    assert_eq!(bench.blocks["wlan0"].rows, before, "{:?}", bench.asked);
    assert!(bench.said().contains(&Effect::Left));
}

#[test]
fn what_a_crash_left_is_put_back_unless_it_is_something_else_by_now() {
    use crate::radio::held::Known;
    let known = |id, ssid: &[u8]| Known {
        id,
        ssid: ssid.to_vec(),
    };
    let left = |own: &[u8]| {
        vec![Held {
            interface: "wlan0".into(),
            own: Some(known(2, own)),
            others: vec![known(0, b"Home"), known(1, b"Gone")],
            group: None,
        }]
    };
    for (own, removed) in [(SSID, true), (&b"Other"[..], false)] {
        let mut bench = Bench::bare(left(own), true);
        home(&mut bench);
        let rows = &mut bench.blocks.get_mut("wlan0").unwrap().rows;
        rows.insert(0, (b"Home".to_vec(), false));
        rows.insert(2, (SSID.to_vec(), true));
        bench.scene = Scene {
            interfaces: vec![interface("wlan0")],
            ports: vec![port("wlan0", 1)],
        };
        bench.show();
        let rows = &bench.blocks["wlan0"].rows;
        assert!(rows[&0].1, "Home is enabled again");
        assert!(!rows[&1].1, "number 1 is another network now");
        assert_eq!(rows.contains_key(&2), !removed);
        assert!(
            bench.asked.contains(&"wlan0 RECONNECT".to_owned()),
            "the firmware goes back online"
        );
        assert!(bench.said().contains(&Effect::Remember(Vec::new())));
        assert!(bench.open.is_empty());
    }
}

#[test]
fn the_signal_is_measured_while_somebody_looks_and_not_else() {
    let mut bench = Bench::new();
    bench.join(1, 2412);
    bench.connected(0);
    bench.forget();
    bench.order(Order::WatchSignal(true));
    bench.wait(10_000);
    let polls = bench.news().len();
    assert!((5..=6).contains(&polls), "{polls}");
    bench.order(Order::WatchSignal(false));
    bench.forget();
    bench.wait(60_000);
    assert!(bench.asked().is_empty());
    assert_eq!(bench.machine.deadline(), None);
}

#[test]
fn what_a_join_switches_off_is_noted_whatever_came_between() {
    // A second wish comes while a request of the first is under way.
    for held_back in ["LIST_NETWORKS", "ADD_NETWORK", "SET_NETWORK", "SELECT"] {
        let mut bench = Bench::new();
        home(&mut bench);
        bench.held_back = Some(held_back);
        bench.join(1, 2412);
        bench.join(2, 2437);
        bench.answer_held_back();
        let id = bench.blocks["wlan0"].current.unwrap();
        bench.connected(id);
        assert!(matches!(bench.outcome(), Some((2, Ok(_)))), "{held_back}");
        bench.order(Order::Leave);
        let rows = &bench.blocks["wlan0"].rows;
        assert!(rows[&0].1 && rows.len() == 2, "{held_back}: {rows:?}");
    }
}

#[test]
fn what_the_firmware_enables_between_two_joins_is_noted_too() {
    let mut bench = Bench::new();
    home(&mut bench);
    bench.join(1, 2412);
    bench.connected(2);
    let blocks = bench.blocks.get_mut("wlan0").unwrap();
    blocks.rows.get_mut(&1).unwrap().1 = true;
    bench.event(
        "wlan0",
        "<3>CTRL-EVENT-DISCONNECTED bssid=06:00:00:00:0a:00 reason=3",
    );
    bench.forget();
    bench.join(2, 2412);
    let said = bench.said();
    let held = said.iter().find_map(|said| match said {
        Effect::Remember(held) => Some(held),
        _ => None,
    });
    assert_eq!(held.unwrap()[0].others.len(), 2);
    bench.connected(2);
    bench.order(Order::Leave);
    let rows = &bench.blocks["wlan0"].rows;
    assert!(rows[&0].1 && rows[&1].1, "{rows:?}");
}

#[test]
fn the_firmwares_networks_get_the_radio_back_when_another_way_is_tried() {
    let mut bench = Bench::new();
    bench.asked();
    let blocks = bench.blocks.entry("wlan0".into()).or_default();
    blocks.rows.insert(0, (b"Home".to_vec(), true));
    bench.order(Order::GiveWay);
    assert_eq!(bench.asked(), [""; 0], "nothing was taken");
    for _ in 0..2 {
        bench.order(Order::Join {
            ticket: 7,
            network: network(2412),
        });
        let asked = bench.asked();
        assert_eq!(asked.last().unwrap(), "wlan0 SELECT_NETWORK 1");
        bench.order(Order::GiveWay);
        let asked = bench.asked();
        let named = |line: &str| asked.iter().position(|asked| asked == line);
        assert!(named("wlan0 DISABLE_NETWORK 1").is_some(), "{asked:?}");
        assert!(named("wlan0 ENABLE_NETWORK 0").is_some(), "{asked:?}");
        assert_eq!(asked.last().unwrap(), "wlan0 RECONNECT");
    }
}
