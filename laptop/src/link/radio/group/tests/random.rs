//! Everything that can happen to the machine, in any order.

use super::fake::{Laptop, identity, wanted};
use crate::link::radio::group::{Effect, Group};
use crate::link::radio::trouble::Trouble;
use crate::link::radio::world::World;
use proptest::prelude::*;
use shared_proto::supplicant::parse;

#[derive(Debug, Clone)]
enum Happening {
    Line(usize),
    Bytes(usize, Vec<u8>),
    Reply(usize),
    Text(String),
    Tick(u64),
    World(usize),
    Window(Option<u64>),
    Deaf,
    Unopened,
    Stop,
}

const LINES: &[(&str, &str)] = &[
    (
        "p2p-dev-wlan0",
        "<3>P2P-GROUP-STARTED p2p-wlan0-0 GO ssid=\"DIRECT-k3-Ada's ThinkPad\" freq=2412 go_dev_addr=02:00:00:00:0a:00 [PERSISTENT]",
    ),
    (
        "p2p-dev-wlan0",
        "<3>P2P-GROUP-STARTED p2p-wlan0-1 client ssid=\"DIRECT-zz\" freq=2412 go_dev_addr=02:00:00:00:0a:00",
    ),
    (
        "p2p-dev-wlan0",
        "<3>P2P-GROUP-REMOVED p2p-wlan0-0 GO reason=UNAVAILABLE",
    ),
    (
        "p2p-dev-wlan0",
        "<3>P2P-GROUP-REMOVED p2p-wlan0-0 GO reason=REQUESTED",
    ),
    ("p2p-dev-wlan0", "<3>P2P-GROUP-FORMATION-FAILURE "),
    ("p2p-dev-wlan0", "<3>CTRL-EVENT-TERMINATING "),
    ("p2p-wlan0-0", "<3>CTRL-EVENT-TERMINATING "),
    ("p2p-wlan0-0", "<3>AP-DISABLED "),
    ("p2p-wlan0-0", "<3>CTRL-EVENT-CHANNEL-SWITCH freq=2437"),
    (
        "wlan0",
        "<3>CTRL-EVENT-DISCONNECTED bssid=02:00:00:00:0c:00 reason=3",
    ),
    (
        "p2p-dev-wlan0",
        "<3>P2P-PROV-DISC-PBC-REQ 02:00:00:00:0b:00 p2p_dev_addr=02:00:00:00:0b:00 name='p' group=p2p-wlan0-0",
    ),
];

const REPLIES: &[Option<&str>] = &[
    None,
    Some("OK\n"),
    Some("FAIL\n"),
    Some("UNKNOWN COMMAND\n"),
    Some("0\n"),
    Some(""),
    Some("network id / ssid / bssid / flags\n0\tDIRECT-k3-Ada's ThinkPad\tany\t[DISABLED]\n"),
    Some(
        "wpa_state=COMPLETED\nmode=P2P GO\nfreq=2412\nssid=DIRECT-k3-Ada's ThinkPad\np2p_device_address=02:00:00:00:0a:00\n",
    ),
    Some(
        "wpa_state=COMPLETED\nmode=station\nfreq=5180\nssid=home\np2p_device_address=02:00:00:00:0a:00\n",
    ),
    Some("m4xq-7tkp-w9hd"),
];

fn worlds() -> [World; 4] {
    let full = Laptop::new();
    let mut running = Laptop::new();
    running.running = Some(("p2p-wlan0-0".to_owned(), 2412));
    let mut again = Laptop::new();
    again.generation = 2;
    [
        World::default(),
        full.world(),
        running.world(),
        again.world(),
    ]
}

/// A line that may be none, or one with a stretch of it bent.
fn line() -> impl Strategy<Value = Vec<u8>> {
    let bent = (
        0..LINES.len(),
        any::<proptest::sample::Index>(),
        proptest::collection::vec(any::<u8>(), 0..8),
    );
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..80),
        bent.prop_map(|(index, at, bytes)| {
            let mut line = LINES[index].1.as_bytes().to_vec();
            let at = at.index(line.len());
            line.splice(at..line.len().min(at + 2), bytes);
            line
        }),
    ]
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        4 => (0..LINES.len()).prop_map(Happening::Line),
        2 => (0..LINES.len(), line()).prop_map(|(index, bytes)| Happening::Bytes(index, bytes)),
        12 => (0..REPLIES.len()).prop_map(Happening::Reply),
        3 => ".{0,60}|([a-z_]{1,12}=.{0,20}\n){0,6}".prop_map(Happening::Text),
        3 => (0..40_000u64).prop_map(Happening::Tick),
        3 => (0..4usize).prop_map(Happening::World),
        1 => proptest::option::of(0..100_000u64).prop_map(Happening::Window),
        1 => Just(Happening::Deaf),
        1 => Just(Happening::Unopened),
        1 => Just(Happening::Stop),
    ]
}

proptest! {
    /// Whatever comes in whatever order: there is always something to wait for, a group is opened and closed by turns,
    /// none is asked for while one stands, and nothing follows the end.
    #[test]
    fn nothing_wedges_it(happenings in proptest::collection::vec(happening(), 1..120)) {
        let mut group = Group::new(wanted(), identity(), None);
        let worlds = worlds();
        let (mut now, mut is_open, mut is_done) = (0, false, false);
        group.world(worlds[1].clone(), now);
        for happening in happenings {
            // Asked and not answered yet.
            let mut waits = false;
            while let Some(effect) = group.poll() {
                prop_assert!(!is_done, "{effect:?} after the end");
                match effect {
                    Effect::Ask(_, command) => {
                        waits = true;
                        let text = command.text();
                        prop_assert!(!(is_open && text.starts_with("P2P_GROUP_ADD")), "{text}");
                    }
                    Effect::Open(..) => is_open = true,
                    Effect::Close => {
                        prop_assert!(is_open, "closed twice");
                        is_open = false;
                    }
                    Effect::Moved(_) => prop_assert!(is_open),
                    Effect::Done => is_done = true,
                    _ => {}
                }
            }
            prop_assert!(waits || is_done || group.deadline().is_some(), "wedged: {group:?}");
            if waits {
                let reply = match &happening {
                    Happening::Reply(index) => REPLIES[*index],
                    Happening::Text(text) => Some(text.as_str()),
                    _ => None,
                };
                group.reply(reply, now);
            }
            match happening {
                Happening::Line(index) => {
                    let (socket, line) = LINES[index];
                    group.line(socket, &parse(line.as_bytes()), now);
                }
                Happening::Bytes(index, bytes) => group.line(LINES[index].0, &parse(&bytes), now),
                Happening::Reply(_) | Happening::Text(_) => {}
                Happening::Tick(by) => {
                    now += by;
                    group.tick(now);
                }
                Happening::World(index) => group.world(worlds[index].clone(), now),
                Happening::Window(until) => group.window(until, now),
                Happening::Deaf => group.deaf("p2p-dev-wlan0", now),
                Happening::Unopened => group.unopened(Trouble::NoIpv6),
                Happening::Stop => group.stop(now),
            }
        }
    }
}
