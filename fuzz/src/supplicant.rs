//! What is asked of the parser for any octets: it ends, and what it read makes sense. Shared by the fuzz target and by the test that
//! replays the corpus on a stable compiler.

use shared_proto::supplicant::{
    Command, DriverFlags, Event, Mac, Outcome, Peer, SignalPoll, Status, networks, parse,
    scan_results,
};

/// The first octet chooses what the rest is read as.
pub fn drive(bytes: &[u8]) {
    let Some((what, rest)) = bytes.split_first() else {
        return;
    };
    let text = String::from_utf8_lossy(rest);
    match what % 8 {
        0 => event(rest),
        1 => {
            let status = Status::parse(&text);
            assert!(status.ssid.len() <= rest.len() * 3);
        }
        2 => {
            let found = scan_results(&text);
            assert!(found.len() <= text.lines().count());
        }
        3 => {
            let rows = networks(&text);
            assert!(rows.len() <= text.lines().count());
        }
        4 => drop(Peer::parse(&text)),
        5 => drop(SignalPoll::parse(&text)),
        6 => {
            let outcome = Outcome::parse(&text);
            assert!(!(outcome.is_done() && text.starts_with("FAIL")));
            let _ = DriverFlags::parse(&text);
        }
        _ => requests(rest, &text),
    }
}

fn event(line: &[u8]) {
    let parsed = parse(line);
    match parsed.event {
        Event::GroupStarted(group) => {
            assert!(group.ssid.len() <= line.len());
        }
        Event::DeviceFound(device) => assert!(device.name.len() <= line.len() * 3),
        _ => {}
    }
}

/// Whatever is put into a request, it stays one line of printable octets.
fn requests(octets: &[u8], text: &str) {
    use shared_proto::supplicant::{Secret, Setting};
    let commands = [
        Command::SetNetwork(1, Setting::Ssid(octets.to_vec())),
        Command::SetNetwork(2, Setting::Psk(Secret(text.to_owned()))),
    ];
    for command in commands {
        let line = command.text();
        assert!(
            line.starts_with("SET_NETWORK ") && !line.contains('\n'),
            "{line:?}"
        );
    }
    if let Some(mac) = Mac::parse(text) {
        assert_eq!(Mac::parse(&mac.to_string()), Some(mac));
    }
}
