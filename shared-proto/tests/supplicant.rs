//! Everything that an unmodified wpa_supplicant said in simulated air (`tests/radio/transcripts`), read again; and the same
//! bent at random. `PROPTEST_CASES=1000000 cargo test --release -p shared-proto --test supplicant` is the long form.
#![allow(clippy::unwrap_used)]

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::Value;
use shared_proto::supplicant::command::Setting;
use shared_proto::supplicant::{
    Bss, Command, DriverFlags, Event, Mac, Outcome, Peer, Role, Secret, SignalPoll, State, Status,
    networks, parse, scan_results,
};

const SSID: &[u8] = b"DIRECT-k3-Ada's ThinkPad";
const PASSPHRASE: &str = "m4xq-7tkp-w9hd";
const LAPTOP: Mac = Mac([2, 0, 0, 0, 0x0a, 0]);
const GROUP: Mac = Mac([6, 0, 0, 0, 0x0a, 0]);

/// What was recorded and tells neither machine anything: progress in words, enterprise login, and what another event says too.
const LET_GO: &[&str] = &[
    "Associated",
    "CTRL-EVENT-DSCP-POLICY",
    "CTRL-EVENT-EAP-FAILURE",
    "CTRL-EVENT-EAP-PROPOSED-METHOD",
    "CTRL-EVENT-EAP-STARTED",
    "CTRL-EVENT-NETWORK-ADDED",
    "CTRL-EVENT-NETWORK-REMOVED",
    "CTRL-EVENT-SUBNET-STATUS-UPDATE",
    "EAPOL-4WAY-HS-COMPLETED",
    "RX-PROBE-REQUEST",
    "SME:",
    "Trying",
    "WPA:",
    "WPS-AP-AVAILABLE",
];

/// The recorded events, and the requests with their replies.
struct Recorded {
    events: Vec<String>,
    talks: Vec<(String, String)>,
}

static RECORDED: LazyLock<Recorded> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/radio/transcripts");
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "jsonl")
        })
        .collect();
    files.sort();
    let mut recorded = Recorded {
        events: Vec::new(),
        talks: Vec::new(),
    };
    for file in files {
        let mut asked: HashMap<(String, String), String> = HashMap::new();
        for line in fs::read_to_string(&file).unwrap().lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            let text = |name: &str| line[name].as_str().map(str::to_owned);
            let place = (
                text("who").unwrap_or_default(),
                text("socket").unwrap_or_default(),
            );
            if let Some(request) = text("request") {
                asked.insert(place, request);
            } else if let Some(reply) = text("reply") {
                let request = asked.remove(&place).unwrap();
                recorded.talks.push((request, reply));
            } else if let Some(event) = text("event") {
                recorded.events.push(event);
            }
        }
    }
    assert!(!recorded.events.is_empty() && !recorded.talks.is_empty());
    recorded
});

fn replies(request: &str) -> impl Iterator<Item = &str> {
    RECORDED
        .talks
        .iter()
        .filter(move |(asked, _)| asked.split(' ').next() == Some(request))
        .map(|(_, reply)| reply.as_str())
}

#[test]
fn every_recorded_event_has_a_case_or_is_let_go_by_name() {
    for line in &RECORDED.events {
        let parsed = parse(line.as_bytes());
        assert_eq!((parsed.level, parsed.interface), (3, None), "{line}");
        if let Event::Other(word) = parsed.event {
            assert!(LET_GO.contains(&word.as_str()), "{line}");
        }
    }
}

#[test]
fn recorded_events_mean_what_happened() {
    let (mut owned, mut joined, mut wrong_key, mut silent, mut asked) = (0, 0, 0, 0, 0);
    for line in &RECORDED.events {
        match parse(line.as_bytes()).event {
            Event::GroupStarted(group) => {
                assert_eq!(
                    (group.ssid.as_slice(), group.owner),
                    (SSID, LAPTOP),
                    "{line}"
                );
                assert!(group.persistent || group.role == Role::Client, "{line}");
                match group.role {
                    Role::Owner => {
                        assert_eq!(group.passphrase, Some(Secret(PASSPHRASE.into())), "{line}");
                        owned += 1;
                    }
                    Role::Client => {
                        assert_eq!(group.psk.unwrap().0.len(), 64, "{line}");
                        joined += 1;
                    }
                }
            }
            Event::DeviceFound(device) if device.name == "Pocket" => {
                assert!(
                    !device.owns_group() && device.device == device.interface,
                    "{line}"
                );
            }
            Event::DeviceFound(device) => {
                assert_eq!((device.device, device.interface), (LAPTOP, GROUP), "{line}");
                assert_eq!(device.name, "Ada's ThinkPad");
                assert!(
                    device.owns_group() && device.config_methods == 0x80,
                    "{line}"
                );
            }
            Event::ProvDiscPbcRequest(device) => {
                assert_eq!(device.name, "Pocket");
                assert!(device.group.unwrap().starts_with("p2p-"), "{line}");
                asked += 1;
            }
            Event::Connected { bssid, network } => {
                assert!(bssid == GROUP && network.is_some(), "{line}");
            }
            Event::Disconnected { bssid, reason, .. } => {
                assert!(bssid.is_some() && reason != 0, "{line}");
                silent += u32::from(reason == 4);
            }
            Event::TempDisabled { ssid, reason, .. } => {
                assert_eq!(ssid, SSID);
                wrong_key += u32::from(reason == "WRONG_KEY");
            }
            _ => {}
        }
    }
    assert!(
        [owned, joined, wrong_key, silent, asked]
            .iter()
            .all(|count| *count > 0)
    );
}

#[test]
fn recorded_replies_say_what_was_so() {
    for reply in replies("STATUS").filter(|reply| !reply.is_empty()) {
        let status = Status::parse(reply);
        assert!(
            status.state != State::Unknown && status.address.is_some(),
            "{reply}"
        );
        if status.state == State::Completed {
            assert_eq!(
                (status.bssid, status.frequency),
                (Some(GROUP), 2412),
                "{reply}"
            );
            assert_eq!(status.ssid, SSID);
        }
    }
    for reply in replies("P2P_PEER").filter(|reply| *reply != "FAIL\n") {
        let peer = Peer::parse(reply).unwrap();
        assert_eq!((peer.device, peer.interface), (LAPTOP, Some(GROUP)));
        assert_eq!(
            (peer.model.as_str(), peer.ssid.as_slice()),
            ("OfficeOS", SSID)
        );
    }
    for reply in replies("BSS") {
        let bss = Bss::parse(reply).unwrap();
        assert_eq!(
            (bss.bssid, bss.ssid.as_slice(), bss.frequency),
            (GROUP, SSID, 2412)
        );
        assert_eq!(
            (bss.model.as_str(), bss.device_name.as_str()),
            ("OfficeOS", "Ada's ThinkPad")
        );
        // Where the handheld's build has P2P.
        assert!(bss.device.is_none_or(|device| device == LAPTOP));
    }
    assert!(replies("BSS").any(|reply| Bss::parse(reply).unwrap().device == Some(LAPTOP)));
    for reply in replies("SCAN_RESULTS") {
        assert_eq!(
            scan_results(reply).len(),
            reply.lines().count() - 1,
            "{reply}"
        );
    }
    for reply in replies("LIST_NETWORKS") {
        let rows = networks(reply);
        assert_eq!(rows.len(), reply.lines().count() - 1, "{reply}");
        assert!(
            rows.iter().all(|row| row.ssid == SSID || !row.current),
            "{reply}"
        );
    }
    for reply in replies("SIGNAL_POLL") {
        let signal = SignalPoll::parse(reply).unwrap();
        assert_eq!((signal.dbm, signal.frequency), (-30, 2412));
    }
    for reply in replies("DRIVER_FLAGS") {
        let flags = DriverFlags::parse(reply);
        assert!(flags.ap, "{reply}");
        assert_eq!(flags.p2p, reply.contains("P2P_CAPABLE"));
    }
    for reply in replies("FROBNICATE") {
        assert_eq!(Outcome::parse(reply), Outcome::Unknown);
    }
}

/// What we write is what was answered with `OK`.
#[test]
fn our_requests_are_those_that_were_understood() {
    let setting = |setting| Command::SetNetwork(0, setting);
    let [proto, key_mgmt, pairwise] = Setting::wpa2().map(setting);
    for command in [
        Command::Set("device_name", "Ada's ThinkPad".into()),
        Command::Set("p2p_intra_bss", "0".into()),
        setting(Setting::Ssid(SSID.to_vec())),
        setting(Setting::Psk(Secret(PASSPHRASE.into()))),
        proto,
        key_mgmt,
        pairwise,
        setting(Setting::Plain("mode", "3".into())),
        setting(Setting::Plain("disabled", "2".into())),
        Command::P2pGroupAdd(0, Some(2412)),
        Command::SelectNetwork(0),
        Command::RemoveNetwork(0),
        Command::P2pJoin(LAPTOP, Some(2412)),
        Command::P2pStopFind,
        Command::P2pCancel,
        Command::P2pFlush,
        Command::WpsCancel,
        Command::Reassociate,
        Command::Disconnect,
    ] {
        let text = command.text();
        let understood = RECORDED
            .talks
            .iter()
            .any(|(request, reply)| *request == text && reply == "OK\n");
        assert!(understood, "{command:?}");
    }
}

/// Nothing recorded is shown with its key.
#[test]
fn no_key_is_shown() {
    let keys: Vec<String> = RECORDED
        .events
        .iter()
        .filter_map(|line| match parse(line.as_bytes()).event {
            Event::GroupStarted(group) => group.psk.map(|psk| psk.0),
            _ => None,
        })
        .chain([PASSPHRASE.into()])
        .collect();
    for line in &RECORDED.events {
        let shown = format!("{:?}", parse(line.as_bytes()));
        assert!(!keys.iter().any(|key| shown.contains(key)), "{shown}");
    }
}

/// A change to a line.
#[derive(Clone, Debug)]
enum Bend {
    Cut(Index),
    Drop(Index),
    Put(Index, Vec<u8>),
    Swap(Index, Index),
    /// The tail of another line behind the head of this one.
    Graft(Index, Index, Index),
}

fn bends() -> impl Strategy<Value = Vec<Bend>> {
    let index = any::<Index>;
    // What the readers look for, beside any octets at all.
    let put = prop_oneof![
        prop::sample::select(vec![
            &b"="[..],
            b"'",
            b"\"",
            b"\\",
            b" ",
            b"[",
            b"]",
            b"\t",
            b"\n",
            b"\0",
            b"\xff",
            b":",
            b"<3>",
            b"IFNAME=",
            b"0x",
            b"-",
            b"99999999999999999999",
            b"' config_methods=",
            b"\" go_dev_addr=",
            b" ssid=\"",
            b" psk=",
            b"====",
        ])
        .prop_map(<[u8]>::to_vec),
        prop::collection::vec(any::<u8>(), 0..8),
    ];
    let bend = prop_oneof![
        index().prop_map(Bend::Cut),
        index().prop_map(Bend::Drop),
        (index(), put).prop_map(|(at, octets)| Bend::Put(at, octets)),
        (index(), index()).prop_map(|(one, other)| Bend::Swap(one, other)),
        (index(), index(), index()).prop_map(|(line, from, at)| Bend::Graft(line, from, at)),
    ];
    prop::collection::vec(bend, 0..6)
}

fn bent(line: &str, bends: &[Bend], others: &[&str]) -> Vec<u8> {
    let mut octets = line.as_bytes().to_vec();
    for bend in bends {
        let len = octets.len();
        match bend {
            Bend::Put(at, put) => {
                let at = at.index(len + 1);
                octets.splice(at..at, put.iter().copied());
            }
            Bend::Graft(line, from, at) => {
                let other = others[line.index(others.len())].as_bytes();
                octets.truncate(at.index(len + 1));
                octets.extend(&other[from.index(other.len() + 1)..]);
            }
            _ if len == 0 => {}
            Bend::Cut(at) => octets.truncate(at.index(len)),
            Bend::Drop(at) => {
                octets.remove(at.index(len));
            }
            Bend::Swap(one, other) => octets.swap(one.index(len), other.index(len)),
        }
    }
    octets
}

proptest! {
    #[test]
    fn no_bent_event_makes_the_reader_fail_or_say_more_than_a_name(which in any::<Index>(), bends in bends()) {
        let lines: Vec<&str> = RECORDED.events.iter().map(String::as_str).collect();
        let line = bent(lines[which.index(lines.len())], &bends, &lines);
        if let Event::Other(word) = parse(&line).event {
            prop_assert!(word.len() <= 48 && word.bytes().all(|b| b.is_ascii_graphic()), "{word:?}");
        }
    }

    #[test]
    fn no_bent_reply_makes_a_reader_fail(which in any::<Index>(), bends in bends()) {
        let lines: Vec<&str> = RECORDED.talks.iter().map(|(_, reply)| reply.as_str()).collect();
        let reply = bent(lines[which.index(lines.len())], &bends, &lines);
        let reply = String::from_utf8_lossy(&reply);
        let _ = (Outcome::parse(&reply), Status::parse(&reply), Peer::parse(&reply), Bss::parse(&reply));
        let _ = (scan_results(&reply), networks(&reply), SignalPoll::parse(&reply), DriverFlags::parse(&reply));
    }

    /// However a network or a device is called, a request keeps its words.
    #[test]
    fn no_name_or_key_adds_to_a_request(name in any::<String>(), ssid in prop::collection::vec(any::<u8>(), 0..40)) {
        let set = Command::Set("device_name", name.clone()).text();
        prop_assert!(set.starts_with("SET device_name ") && !set.chars().any(char::is_control));
        let text = Command::SetNetwork(7, Setting::Ssid(ssid)).text();
        let digits = text.strip_prefix("SET_NETWORK 7 ssid ").unwrap();
        prop_assert!(digits.bytes().all(|b| b.is_ascii_hexdigit()));
        let psk = Command::SetNetwork(7, Setting::Psk(Secret(name.clone())));
        prop_assert!(!psk.text().chars().any(char::is_control));
        prop_assert_eq!(format!("{:?}", psk), "SET_NETWORK 7 psk (secret)");
    }
}
