//! No order of things wedges the machine, and no request is made that the state forbids (the bench refuses those).

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Act {
    Join(u16),
    Push,
    Look(bool),
    Watch(bool),
    Rest,
    CallOff,
    Wait(u64),
    Line(&'static str, usize),
    Interface(bool),
    Blocked(bool),
    Port(bool),
    Restart,
    Freeze(bool),
    Mute(bool),
    Woke,
}

const LINES: [&str; 16] = [
    "<3>CTRL-EVENT-CONNECTED - Connection to 06:00:00:00:0a:00 completed [id=0 id_str=]",
    "<3>CTRL-EVENT-CONNECTED - Connection to 06:00:00:00:0a:00 completed [id=1 id_str=]",
    "<3>CTRL-EVENT-DISCONNECTED bssid=06:00:00:00:0a:00 reason=4 locally_generated=1",
    "<3>CTRL-EVENT-DISCONNECTED bssid=06:00:00:00:0a:00 reason=3",
    "<3>CTRL-EVENT-NETWORK-NOT-FOUND ",
    "<3>CTRL-EVENT-SCAN-RESULTS ",
    "<3>CTRL-EVENT-SCAN-FAILED ret=-16 retry=1",
    "<3>CTRL-EVENT-SSID-TEMP-DISABLED id=0 ssid=\"x\" auth_failures=1 duration=10 reason=WRONG_KEY",
    "<3>CTRL-EVENT-TERMINATING ",
    "<3>P2P-DEVICE-FOUND 06:00:00:00:0a:00 p2p_dev_addr=02:00:00:00:0a:00 pri_dev_type=0-00000000-0 name='A' config_methods=0x80 dev_capab=0x25 group_capab=0x3 new=1",
    "<3>P2P-DEVICE-LOST p2p_dev_addr=02:00:00:00:0a:00",
    "<3>P2P-FIND-STOPPED ",
    "<3>P2P-GROUP-STARTED p2p-wlan0-0 client ssid=\"DIRECT-k3-Ada's ThinkPad\" freq=2412 psk=426e9b61c870387a10df9704ef65cfc5e2cf96aae088cb3bd2d78bf6bc67f542 go_dev_addr=02:00:00:00:0a:00 [PERSISTENT]",
    "<3>P2P-GROUP-REMOVED p2p-wlan0-0 client reason=UNAVAILABLE",
    "<3>P2P-GROUP-FORMATION-FAILURE ",
    "<3>WPS-OVERLAP-DETECTED ",
];

const PORTS: [&str; 4] = ["wlan0", "wlan1", "p2p-dev-wlan0", "p2p-wlan0-0"];

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        3 => prop_oneof![Just(0u16), Just(2412), Just(2437)].prop_map(Act::Join),
        1 => Just(Act::Push),
        1 => any::<bool>().prop_map(Act::Look),
        1 => any::<bool>().prop_map(Act::Watch),
        1 => Just(Act::Rest),
        1 => Just(Act::CallOff),
        3 => (0u64..20_000).prop_map(Act::Wait),
        9 => (0..LINES.len(), 0..PORTS.len()).prop_map(|(line, port)| Act::Line(LINES[line], port)),
        1 => any::<bool>().prop_map(Act::Interface),
        1 => any::<bool>().prop_map(Act::Blocked),
        1 => any::<bool>().prop_map(Act::Port),
        1 => Just(Act::Restart),
        1 => any::<bool>().prop_map(Act::Freeze),
        1 => any::<bool>().prop_map(Act::Mute),
        1 => Just(Act::Woke),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn it_never_wedges(acts in proptest::collection::vec(act(), 0..60), p2p: bool) {
        let mut bench = Bench::on(&["wlan0", "wlan1"], p2p);
        let mut ticket = 0;
        let mut waiting: Option<u32> = None;
        let mut mark = 1;
        for act in acts {
            match act {
                Act::Join(frequency) => {
                    ticket += 1;
                    waiting = Some(ticket);
                    bench.join(ticket, frequency);
                }
                Act::Push => {
                    ticket += 1;
                    waiting = Some(ticket);
                    let nearby = Nearby {
                        name: "A".into(),
                        ssid: SSID.to_vec(),
                        bssid: BSSID,
                        device: Some([2, 0, 0, 0, 0x0a, 0]),
                        frequency: 2412,
                        signal_dbm: -30,
                        push: true,
                    };
                    bench.order(Order::Push { ticket, nearby });
                }
                Act::Look(on) => bench.order(Order::Look(on)),
                Act::Watch(on) => bench.order(Order::WatchSignal(on)),
                Act::Rest => {
                    waiting = None;
                    bench.order(Order::Rest);
                }
                Act::CallOff => {
                    waiting = None;
                    bench.order(Order::GiveWay);
                    bench.order(Order::CallOff);
                }
                Act::Wait(ms) => bench.wait(ms),
                // Events come only from sockets that are open.
                Act::Line(line, at) if bench.open.iter().any(|open| open == PORTS[at]) => {
                    bench.event(PORTS[at], line);
                }
                Act::Line(..) => {}
                Act::Interface(there) => {
                    bench.scene.interfaces = match there {
                        true => vec![interface("wlan0"), interface("wlan1")],
                        false => Vec::new(),
                    };
                    bench.show();
                }
                Act::Blocked(blocked) => {
                    for interface in &mut bench.scene.interfaces {
                        interface.blocked = blocked;
                        interface.up = !blocked;
                    }
                    bench.show();
                }
                Act::Port(there) => {
                    bench.scene.ports.retain(|port| port.name == "wlan1");
                    if there {
                        for name in ["wlan0", "p2p-dev-wlan0", "p2p-wlan0-0"] {
                            bench.scene.ports.push(port(name, mark));
                        }
                    }
                    bench.show();
                }
                Act::Restart => {
                    mark += 1;
                    bench.blocks.clear();
                    for port in &mut bench.scene.ports {
                        port.mark = mark;
                    }
                    bench.open.clear();
                    bench.show();
                }
                Act::Freeze(frozen) => bench.frozen = frozen,
                Act::Mute(mute) => {
                    bench.answers.clear();
                    if mute {
                        bench.answers.push(("".into(), Some("FAIL\n")));
                    }
                }
                Act::Woke => bench.feed(Input::Woke),
            }
            if let Some((answered, _)) = bench.outcome() {
                prop_assert_eq!(Some(answered), waiting, "only the latest order is answered, and once");
                waiting = None;
            }
            prop_assert!(
                waiting.is_none() || bench.machine.deadline().is_some(),
                "an order waits without a limit: {:?}", bench.machine
            );
        }
        // Whatever happened: in the end every order is answered, and once nobody looks, nothing wakes the device.
        bench.order(Order::Look(false));
        bench.order(Order::WatchSignal(false));
        bench.wait(200_000);
        if let Some(waiting) = waiting {
            prop_assert_eq!(bench.outcome().map(|(ticket, _)| ticket), Some(waiting));
        }
        prop_assert_eq!(bench.machine.deadline(), None, "{:?}", bench.machine);
        // And a radio that works again is used again.
        bench.frozen = false;
        bench.answers.clear();
        bench.blocks.clear();
        bench.open.clear();
        bench.scene = Scene { interfaces: vec![interface("wlan0")], ports: vec![port("wlan0", 1000)] };
        bench.show();
        bench.join(ticket + 1, 2412);
        bench.connected(bench.blocks["wlan0"].current.unwrap());
        let (last, place) = bench.outcome().unwrap();
        prop_assert_eq!(last, ticket + 1);
        prop_assert!(place.is_ok());
        bench.order(Order::Leave);
        prop_assert!(bench.said().contains(&Effect::Left));
        prop_assert_eq!(bench.blocks["wlan0"].rows.len(), 0, "nothing of ours stays");
    }
}
