//! What an unmodified supplicant said in simulated air (tests/radio/transcripts), said to the machine.

use super::*;

/// What one line of a transcript holds.
enum Line {
    Event(String),
    Request(String),
}

/// The handheld's lines of a transcript, with the sockets that they came over.
fn pocket(name: &str) -> Vec<(String, Line)> {
    let path = format!(
        "{}/../tests/radio/transcripts/{name}.jsonl",
        env!("CARGO_MANIFEST_DIR")
    );
    let text = std::fs::read_to_string(&path).expect(&path);
    let lines = text
        .lines()
        .filter(|line| field(line, "who").as_deref() == Some("pocket"));
    let lines = lines.filter_map(|line| {
        let said = match (field(line, "event"), field(line, "request")) {
            (Some(event), _) => Line::Event(event),
            (_, Some(request)) => Line::Request(request),
            _ => return None,
        };
        Some((field(line, "socket")?, said))
    });
    lines.collect()
}

/// A string of a flat JSON object.
fn field(line: &str, name: &str) -> Option<String> {
    let (_, rest) = line.split_once(&format!("\"{name}\":\""))?;
    let mut text = String::new();
    let mut rest = rest.chars();
    loop {
        match rest.next()? {
            '"' => return Some(text),
            '\\' => match rest.next()? {
                'n' => text.push('\n'),
                't' => text.push('\t'),
                'u' => {
                    let code: String = rest.by_ref().take(4).collect();
                    text.push(char::from_u32(u32::from_str_radix(&code, 16).ok()?)?);
                }
                other => text.push(other),
            },
            other => text.push(other),
        }
    }
}

/// How a replay went.
#[derive(Debug, Default, PartialEq, Eq)]
struct Account {
    joined: usize,
    lost: usize,
    back: usize,
}

/// Says what was said, to a machine that wants to be joined all the time: it is asked again whenever a new supplicant was.
fn replay(name: &str) -> Account {
    let mut bench = Bench::new();
    bench.forget();
    let mut account = Account::default();
    let (mut ticket, mut mark) = (0, 1);
    for (socket, line) in pocket(name) {
        match line {
            Line::Request(request) if request == "ADD_NETWORK" => {
                if ticket > 0 {
                    // The recorder lays out a network again: to a new supplicant, or beside what it has removed.
                    mark += 1;
                    bench.blocks.clear();
                    bench.open.clear();
                    bench.scene.ports = vec![port("wlan0", mark)];
                    bench.show();
                }
                ticket += 1;
                bench.join(ticket, 2412);
            }
            Line::Event(event) if bench.open.contains(&socket) => {
                let event = parse(event.as_bytes()).event;
                bench.feed(Input::Event {
                    port: socket,
                    event,
                });
            }
            _ => {}
        }
        if let Some((of, outcome)) = bench.outcome() {
            assert_eq!(of, ticket);
            account.joined += usize::from(outcome.is_ok());
        }
        for news in bench.news() {
            match news {
                RadioNews::Lost(why) => {
                    assert!(why.ends_with('.'), "{why}");
                    account.lost += 1;
                }
                RadioNews::Back => account.back += 1,
                _ => {}
            }
        }
    }
    account
}

#[test]
fn range_that_is_lost_and_found_is_told_each_time() {
    let account = replay("range-loss");
    assert_eq!(account.joined, 1);
    assert!(account.lost >= 3, "{account:?}");
    assert!(
        account.back + 1 >= account.lost,
        "each return is told: {account:?}"
    );
}

#[test]
fn supplicants_that_are_restarted_on_either_side_are_come_back_from() {
    let account = replay("supplicant-restart");
    assert_eq!(
        account.joined, 3,
        "once, and after each of the handheld's: {account:?}"
    );
    assert!(account.lost >= 4 && account.back >= 2, "{account:?}");
}

#[test]
fn drivers_that_are_reloaded_and_flight_mode_are_noticed() {
    let reload = replay("driver-reload");
    assert_eq!(reload.joined, 1);
    assert!(reload.lost >= 2 && reload.back >= 1, "{reload:?}");
    let flight = replay("airplane-mode");
    assert_eq!(flight.joined, 1);
    assert!(flight.lost >= 1, "{flight:?}");
}

#[test]
fn station_joins_end_as_they_did() {
    for name in ["station-join", "without-p2p"] {
        let account = replay(name);
        assert!(account.joined >= 1, "{name}: {account:?}");
    }
}

#[test]
fn a_push_of_the_button_gives_the_network() {
    let mut bench = Bench::new();
    bench.forget();
    let mut place = None;
    for (socket, line) in pocket("push-button-join") {
        match line {
            Line::Request(request) if request.starts_with("P2P_FIND") => {
                bench.order(Order::Look(true));
            }
            Line::Request(request) if request.starts_with("P2P_CONNECT") && place.is_none() => {
                let nearby = Nearby {
                    name: "Ada's ThinkPad".into(),
                    ssid: SSID.to_vec(),
                    bssid: BSSID,
                    device: Some([2, 0, 0, 0, 0x0a, 0]),
                    frequency: 2412,
                    signal_dbm: -30,
                    push: true,
                };
                bench.order(Order::Push { ticket: 1, nearby });
            }
            Line::Event(event) if bench.open.contains(&socket) => {
                let event = parse(event.as_bytes()).event;
                if let Event::GroupStarted(group) = &event {
                    bench.scene.ports.push(port(&group.interface, 9));
                    bench.show();
                }
                bench.feed(Input::Event {
                    port: socket,
                    event,
                });
            }
            _ => {}
        }
        if let Some((1, Ok(joined))) = bench.outcome() {
            place = Some(joined);
        }
    }
    let place = place.expect("the recorded join is one here as well");
    assert_eq!(place.network.passphrase, KEY);
    assert_eq!((place.network.ssid.as_slice(), place.bssid), (SSID, BSSID));
}
