//! Looking for laptops, and the first join at the push of a button.

use super::*;

const FOUND: &str = "<3>P2P-DEVICE-FOUND 06:00:00:00:0a:00 p2p_dev_addr=02:00:00:00:0a:00 pri_dev_type=0-00000000-0 name='Ada's ThinkPad' config_methods=0x80 dev_capab=0x25 group_capab=0x3 new=1";
const PEER: &str = "02:00:00:00:0a:00\npri_dev_type=0-00000000-0\ndevice_name=Ada's ThinkPad\nmodel_name=OfficeOS\nconfig_methods=0x80\ngroup_capab=0x3\nlevel=-30\nlisten_freq=2412\ninterface_addr=06:00:00:00:0a:00\noper_ssid=DIRECT-k3-Ada's ThinkPad\n";
const RESULTS: &str = "bssid / frequency / signal level / flags / ssid\n06:00:00:00:0a:00\t2412\t-30\t[WPA2-PSK-CCMP][WPS][ESS][P2P]\tDIRECT-k3-Ada's ThinkPad\n02:00:00:00:00:07\t2437\t-60\t[WPA2-PSK-CCMP][ESS]\tHome\n";
const STARTED: &str = "<3>P2P-GROUP-STARTED p2p-wlan0-0 client ssid=\"DIRECT-k3-Ada's ThinkPad\" freq=2412 psk=426e9b61c870387a10df9704ef65cfc5e2cf96aae088cb3bd2d78bf6bc67f542 go_dev_addr=02:00:00:00:0a:00 [PERSISTENT]";

fn nearby(bench: &mut Bench) -> Option<Vec<Nearby>> {
    let mut news = bench.news().into_iter().rev();
    news.find_map(|news| match news {
        RadioNews::Nearby(list) => Some(list),
        _ => None,
    })
}

fn ada() -> Nearby {
    Nearby {
        name: "Ada's ThinkPad".into(),
        ssid: SSID.to_vec(),
        bssid: BSSID,
        device: Some([2, 0, 0, 0, 0x0a, 0]),
        frequency: 2412,
        signal_dbm: -30,
        push: true,
    }
}

fn push(bench: &mut Bench, ticket: u32) {
    bench.order(Order::Push {
        ticket,
        nearby: ada(),
    });
}

#[test]
fn looking_finds_a_laptop_by_wifi_direct_and_ends() {
    let mut bench = Bench::new();
    bench.answers = vec![
        ("P2P_PEER".into(), Some(PEER)),
        ("SCAN_RESULTS".into(), Some(RESULTS)),
    ];
    bench.forget();
    bench.order(Order::Look(true));
    let asked = bench.asked();
    assert_eq!(asked[0], "wlan0 P2P_FIND type=social", "{asked:?}");
    bench.event("wlan0", FOUND);
    assert_eq!(nearby(&mut bench), Some(vec![ada()]));
    bench.asked();
    bench.wait(30_000);
    let asked = bench.asked();
    let finds: Vec<&String> = asked
        .iter()
        .filter(|text| text.contains("P2P_FIND"))
        .collect();
    assert_eq!(finds, ["wlan0 P2P_FIND"], "once over all channels");
    assert!(asked.iter().all(|text| !text.contains("SELECT")));
    assert_eq!(nearby(&mut bench), None, "no news are no news");
    bench.event("wlan0", "<3>P2P-DEVICE-LOST p2p_dev_addr=02:00:00:00:0a:00");
    assert!(!nearby(&mut bench).unwrap()[0].push);
    bench.order(Order::Look(false));
    assert!(bench.asked().contains(&"wlan0 P2P_STOP_FIND".to_owned()));
    bench.wait(60_000);
    assert!(bench.asked().is_empty() && bench.open.is_empty());
    assert_eq!(bench.machine.deadline(), None);
}

#[test]
fn looking_without_wifi_direct_scans() {
    for failing in [false, true] {
        let mut bench = Bench::on(&["wlan0"], failing);
        bench.answers = vec![
            ("P2P_FIND".into(), Some("FAIL\n")),
            ("SCAN_RESULTS".into(), Some(RESULTS)),
        ];
        bench.forget();
        bench.order(Order::Look(true));
        bench.wait(2_500);
        let asked = bench.asked();
        assert!(asked.contains(&"wlan0 SCAN".to_owned()), "{asked:?}");
        let list = nearby(&mut bench).unwrap();
        let [near] = &list[..] else {
            panic!("{list:?}")
        };
        assert_eq!((near.push, near.device), (false, None));
        assert_eq!(near.name, "Ada's ThinkPad");
    }
}

#[test]
fn a_push_joins_the_group_and_learns_its_network() {
    let mut bench = Bench::new();
    bench.forget();
    push(&mut bench, 4);
    assert_eq!(
        bench.asked(),
        ["wlan0 P2P_CONNECT 02:00:00:00:0a:00 pbc join freq=2412"]
    );
    bench.event("wlan0", "<3>P2P-PROV-DISC-PBC-RESP 02:00:00:00:0a:00");
    bench.event("wlan0", "<3>P2P-GROUP-FORMATION-SUCCESS ");
    bench.event("wlan0", STARTED);
    assert_eq!(bench.outcome(), None, "its socket is not there yet");
    bench.scene.interfaces.push(interface("p2p-wlan0-0"));
    bench.scene.ports.push(port("p2p-wlan0-0", 9));
    bench.show();
    let (4, Ok(place)) = bench.outcome().unwrap() else {
        panic!()
    };
    assert_eq!(
        (place.interface.as_str(), place.bssid),
        ("p2p-wlan0-0", BSSID)
    );
    assert_eq!(place.network.ssid, SSID);
    assert_eq!(
        (place.network.passphrase.as_str(), place.network.frequency),
        (KEY, 2412)
    );
    // The session that follows the pairing runs over the group that is there.
    bench.forget();
    bench.join(5, 2412);
    let (5, Ok(place)) = bench.outcome().unwrap() else {
        panic!()
    };
    assert_eq!(place.interface, "p2p-wlan0-0");
    // Once it is lost, the join is a plain one.
    bench.event(
        "wlan0",
        "<3>P2P-GROUP-REMOVED p2p-wlan0-0 client reason=UNAVAILABLE",
    );
    let news = bench.news();
    assert!(
        news.iter().any(|news| matches!(news, RadioNews::Lost(_))),
        "{news:?}"
    );
    bench.scene.ports.pop();
    bench.scene.interfaces.pop();
    bench.show();
    bench.forget();
    bench.join(6, 2412);
    assert!(bench.asked().contains(&"wlan0 SELECT_NETWORK 0".to_owned()));
}

#[test]
fn a_push_waits_for_the_button_and_not_for_ever() {
    let mut bench = Bench::new();
    bench.forget();
    push(&mut bench, 4);
    let start = bench.now;
    bench.event("wlan0", "<3>P2P-GROUP-FORMATION-FAILURE ");
    bench.event(
        "wlan0",
        "<3>P2P-GROUP-REMOVED p2p-wlan0-1 client reason=FORMATION_FAILED",
    );
    bench.wait(2_000);
    let joins = |bench: &mut Bench| {
        let asked = bench.asked();
        asked
            .iter()
            .filter(|text| text.contains("P2P_CONNECT"))
            .count()
    };
    assert_eq!(joins(&mut bench), 2);
    bench.wait(200_000);
    let (4, Err(why)) = bench.outcome().unwrap() else {
        panic!()
    };
    assert!(why.contains("Nobody pressed"), "{why}");
    assert!(bench.now - start > 120_000);
    assert!(bench.asked().contains(&"wlan0 P2P_CANCEL".to_owned()));
    assert_eq!(bench.machine.deadline(), None);
}

#[test]
fn a_device_that_must_be_found_again_is_found_first() {
    let mut bench = Bench::new();
    bench.answers = vec![("P2P_CONNECT".into(), Some("FAIL\n"))];
    bench.forget();
    push(&mut bench, 4);
    assert_eq!(bench.asked().last().unwrap(), "wlan0 P2P_FIND type=social");
    bench.answers.clear();
    bench.event("wlan0", FOUND);
    bench.wait(10);
    assert!(bench.asked().last().unwrap().contains("P2P_CONNECT"));
}

#[test]
fn where_a_push_cannot_be_it_says_what_to_do_instead() {
    let mut without = Bench::on(&["wlan0"], false);
    push(&mut without, 1);
    let (1, Err(why)) = without.outcome().unwrap() else {
        panic!()
    };
    assert!(why.contains("passphrase"), "{why}");
    let mut unknown = Bench::new();
    unknown.answers = vec![("P2P_CONNECT".into(), Some("UNKNOWN COMMAND\n"))];
    push(&mut unknown, 1);
    let (1, Err(why)) = unknown.outcome().unwrap() else {
        panic!()
    };
    assert!(why.contains("passphrase"), "{why}");
    let mut overlap = Bench::new();
    push(&mut overlap, 1);
    overlap.event("wlan0", "<3>WPS-OVERLAP-DETECTED ");
    let (1, Err(why)) = overlap.outcome().unwrap() else {
        panic!()
    };
    assert!(why.contains("Two laptops"), "{why}");
}

#[test]
fn a_push_that_is_called_off_leaves_nothing() {
    let mut bench = Bench::new();
    push(&mut bench, 4);
    bench.forget();
    bench.order(Order::Rest);
    assert_eq!(bench.asked(), ["wlan0 P2P_CANCEL"]);
    assert_eq!(bench.open, ["wlan0"], "its group may have started already");
    bench.event("wlan0", STARTED);
    assert_eq!(bench.outcome(), None);
    assert_eq!(bench.asked(), ["wlan0 P2P_GROUP_REMOVE p2p-wlan0-0"]);
    assert!(bench.open.is_empty());
    push(&mut bench, 5);
    bench.order(Order::Rest);
    bench.wait(10_000);
    assert!(bench.open.is_empty(), "not for ever");
    assert_eq!(bench.machine.deadline(), None);
}

#[test]
fn calling_off_ends_what_is_under_way_and_leaves_what_is_joined() {
    let mut bench = Bench::new();
    push(&mut bench, 4);
    bench.forget();
    bench.order(Order::CallOff);
    assert_eq!(bench.asked(), ["wlan0 P2P_CANCEL"]);
    bench.wait(200_000);
    let asked = bench.asked();
    assert!(asked.is_empty(), "no more P2P_CONNECT: {asked:?}");
    bench.join(5, 2412);
    bench.order(Order::CallOff);
    assert_eq!(bench.asked().last().unwrap(), "wlan0 DISCONNECT");
    assert_eq!(bench.outcome(), None);
    bench.join(6, 2412);
    bench.connected(0);
    bench.forget();
    bench.order(Order::CallOff);
    assert!(bench.asked().is_empty());
    bench.join(7, 2412);
    assert!(matches!(bench.outcome(), Some((7, Ok(_)))), "still joined");
}

#[test]
fn a_group_that_somebody_else_made_is_left_alone() {
    let mut bench = Bench::new();
    bench.order(Order::Look(true));
    bench.forget();
    bench.event("wlan0", STARTED);
    let asked = bench.asked();
    assert!(
        !asked.iter().any(|text| text.contains("REMOVE")),
        "{asked:?}"
    );
}

#[test]
fn the_socket_of_wifi_direct_itself_is_used_where_there_is_one() {
    let mut bench = Bench::new();
    bench.scene.ports.push(port("p2p-dev-wlan0", 3));
    bench.show();
    bench.forget();
    bench.order(Order::Look(true));
    assert_eq!(bench.asked()[0], "p2p-dev-wlan0 P2P_FIND type=social");
    bench.event("p2p-dev-wlan0", FOUND);
    push(&mut bench, 4);
    bench.event("p2p-dev-wlan0", STARTED);
    bench.scene.ports.push(port("p2p-wlan0-0", 9));
    bench.show();
    assert!(matches!(bench.outcome(), Some((4, Ok(_)))));
}

#[test]
fn a_search_that_is_refused_in_passing_is_tried_again() {
    for (answer, times) in [("FAIL-BUSY\n", 10), ("FAIL\n", 2)] {
        let mut bench = Bench::new();
        bench.answers = vec![("P2P_FIND".into(), Some(answer))];
        bench.order(Order::Look(true));
        bench.wait(2_000 * (times - 1));
        bench.answers.clear();
        bench.forget();
        bench.wait(2_500);
        let asked = bench.asked();
        assert!(
            asked.iter().any(|text| text.contains("P2P_FIND")),
            "{answer}: {asked:?}"
        );
        assert!(
            !bench.news().iter().any(|news| matches!(
                news,
                RadioNews::Ability(ability) if !ability.p2p
            )),
            "{answer}"
        );
        push(&mut bench, 1);
        assert_eq!(bench.outcome(), None, "{answer}: a push can still be");
    }
}

#[test]
fn a_driver_that_refuses_every_search_has_no_wifi_direct() {
    for (answer, wait) in [("UNKNOWN COMMAND\n", 10), ("FAIL\n", 5_000)] {
        let mut bench = Bench::new();
        bench.answers = vec![("P2P_FIND".into(), Some(answer))];
        bench.forget();
        bench.order(Order::Look(true));
        bench.wait(wait);
        assert!(
            bench.news().iter().any(|news| matches!(
                news,
                RadioNews::Ability(ability) if !ability.p2p && ability.station
            )),
            "{answer}"
        );
    }
}

fn device(last: u8, capability: &str) -> String {
    format!(
        "<3>P2P-DEVICE-FOUND 06:00:00:00:0b:{last:02x} p2p_dev_addr=02:00:00:00:0b:{last:02x} pri_dev_type=0-00000000-0 name='X' config_methods=0x80 dev_capab=0x25 group_capab={capability} new=1"
    )
}

#[test]
fn a_crowd_of_devices_hides_no_laptop() {
    let mut bench = Bench::new();
    bench.order(Order::Look(true));
    for last in 0..100 {
        bench.event("wlan0", &device(last, "0x0"));
    }
    bench.answers = vec![
        ("P2P_PEER".into(), Some(PEER)),
        ("SCAN_RESULTS".into(), Some(RESULTS)),
    ];
    bench.event("wlan0", FOUND);
    assert_eq!(nearby(&mut bench), Some(vec![ada()]));
    for last in 0..100 {
        bench.event("wlan0", &device(last, "0x0"));
    }
    bench.wait(3_000);
    assert_eq!(nearby(&mut bench), None, "it stays");
}

#[test]
fn a_crowd_of_devices_is_asked_about_once_each_and_not_after_looking_ended() {
    let mut bench = Bench::new();
    bench.order(Order::Look(true));
    bench.held_back = Some("P2P_PEER");
    bench.forget();
    for _ in 0..10 {
        for last in 0..100 {
            bench.event("wlan0", &device(last, "0x1"));
        }
    }
    bench.order(Order::Look(false));
    bench.answer_held_back();
    let asked = bench.asked();
    let peers = asked.iter().filter(|text| text.contains("P2P_PEER"));
    assert_eq!(peers.count(), 1, "{asked:?}");
    assert!(bench.open.is_empty());
    bench.order(Order::Look(true));
    bench.held_back = Some("P2P_PEER");
    bench.forget();
    for _ in 0..10 {
        for last in 0..100 {
            bench.event("wlan0", &device(last, "0x1"));
        }
    }
    bench.answer_held_back();
    let asked = bench.asked();
    let peers = asked.iter().filter(|text| text.contains("P2P_PEER"));
    assert_eq!(peers.count(), 32);
}

#[test]
fn a_radio_that_goes_hears_nothing_any_more() {
    let mut bench = Bench::new();
    bench.answers = vec![
        ("P2P_PEER".into(), Some(PEER)),
        ("SCAN_RESULTS".into(), Some(RESULTS)),
    ];
    bench.order(Order::Look(true));
    bench.event("wlan0", FOUND);
    assert_eq!(nearby(&mut bench), Some(vec![ada()]));
    bench.scene = Scene::default();
    bench.show();
    assert_eq!(nearby(&mut bench), Some(Vec::new()));
    assert!(bench.asked.iter().all(|text| !text.contains("SELECT")));
}

#[test]
fn a_crash_in_the_group_of_a_push_leaves_its_name_to_the_next_run_which_ends_it() {
    let mut bench = Bench::new();
    push(&mut bench, 4);
    bench.said();
    bench.event("wlan0", STARTED);
    let mut said = bench.said().into_iter();
    let kept = said.find_map(|said| match said {
        Effect::Remember(held) => Some(held),
        _ => None,
    });
    let kept = kept.expect("it is written down");
    assert_eq!(kept[0].group.as_deref(), Some("p2p-wlan0-0"));
    let mut next = Bench::bare(kept, true);
    next.scene = Scene {
        interfaces: vec![interface("wlan0")],
        ports: vec![port("wlan0", 1)],
    };
    next.show();
    let asked = next.asked();
    let removed = "wlan0 P2P_GROUP_REMOVE p2p-wlan0-0".to_owned();
    assert!(asked.contains(&removed), "{asked:?}");
    assert!(next.said().contains(&Effect::Remember(Vec::new())));
    bench.event(
        "wlan0",
        "<3>P2P-GROUP-REMOVED p2p-wlan0-0 client reason=REQUESTED",
    );
    assert!(bench.said().contains(&Effect::Remember(Vec::new())));
}
