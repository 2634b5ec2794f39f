//! Lines as wpa_supplicant 2.10 wrote them.

use alloc::string::{String, ToString};
use alloc::vec;
use proptest::prelude::*;

use super::*;

const A: Mac = Mac([2, 0, 0, 0, 0xa, 0]);
const B: Mac = Mac([0x42, 0, 0, 0, 0xb, 0]);

fn event(text: &str) -> Event {
    parse(text.as_bytes()).event
}

#[test]
fn the_prefixes_of_global_and_own_sockets_are_read() {
    let line = parse(b"IFNAME=p2p-dev-wlan0 <4>P2P-FIND-STOPPED ");
    assert_eq!(
        line,
        Line {
            interface: Some("p2p-dev-wlan0".into()),
            level: 4,
            event: Event::FindStopped
        }
    );
    assert_eq!(
        parse(b"<3>CTRL-EVENT-SCAN-RESULTS "),
        Line {
            interface: None,
            level: 3,
            event: Event::ScanResults
        }
    );
}

#[test]
fn a_group_owner_that_is_found_has_a_name_whatever_is_in_it() {
    let found = event(
        "<3>P2P-DEVICE-FOUND 42:00:00:00:0b:00 p2p_dev_addr=02:00:00:00:0a:00 pri_dev_type=1-0050F204-1 \
         name='Ada's \"Think Pad\"' config_methods=0x80 dev_capab=0x25 group_capab=0x2b vendor_elems=1 new=1",
    );
    let Event::DeviceFound(device) = found else {
        panic!("{found:?}")
    };
    assert_eq!(
        (device.device, device.interface, device.name.as_str()),
        (A, B, "Ada's \"Think Pad\"")
    );
    assert_eq!((device.config_methods, device.owns_group()), (0x80, true));
}

#[test]
fn a_name_cannot_pose_as_another_address() {
    let found = event(
        "P2P-DEVICE-FOUND 42:00:00:00:0b:00 p2p_dev_addr=42:00:00:00:0b:00 name='x' p2p_dev_addr=02:00:00:00:0a:00' \
         config_methods=0x80 dev_capab=0x25 group_capab=0x2b",
    );
    let Event::DeviceFound(device) = found else {
        panic!("{found:?}")
    };
    assert_eq!(device.device, B);
}

#[test]
fn groups_start_and_end_on_both_sides() {
    let started = event(
        "<3>P2P-GROUP-STARTED p2p-wlan0-0 GO ssid=\"DIRECT-k3-Ada\\\"s\" freq=2412 passphrase=\"m4xq7tkpw9hd\" \
         go_dev_addr=02:00:00:00:0a:00 [PERSISTENT]",
    );
    let expected = Group {
        interface: "p2p-wlan0-0".into(),
        role: Role::Owner,
        ssid: b"DIRECT-k3-Ada\"s".to_vec(),
        frequency: 2412,
        passphrase: Some(Secret("m4xq7tkpw9hd".into())),
        psk: None,
        owner: A,
        persistent: true,
    };
    assert!(!alloc::format!("{started:?}").contains("m4xq"));
    assert_eq!(started, Event::GroupStarted(expected));
    let started = event(
        "P2P-GROUP-STARTED wlan1 client ssid=\"DIRECT-k3\" freq=2412 psk=00ff go_dev_addr=02:00:00:00:0a:00",
    );
    let Event::GroupStarted(group) = started else {
        panic!("{started:?}")
    };
    assert_eq!(
        (group.role, group.psk, group.persistent),
        (Role::Client, Some(Secret("00ff".into())), false)
    );
    assert_eq!(
        event("P2P-GROUP-REMOVED p2p-wlan0-0 GO reason=REQUESTED"),
        Event::GroupRemoved {
            interface: "p2p-wlan0-0".into(),
            role: Role::Owner,
            reason: "REQUESTED".into()
        }
    );
}

#[test]
fn every_documented_line_of_a_link_is_typed() {
    let mac = |text: &str| text.replace("AA", "02:00:00:00:0a:00");
    let network = Some(0);
    let cases = vec![
        (
            "CTRL-EVENT-CONNECTED - Connection to AA completed [id=0 id_str=]",
            Event::Connected { bssid: A, network },
        ),
        (
            "CTRL-EVENT-DISCONNECTED bssid=AA reason=3 locally_generated=1",
            Event::Disconnected {
                bssid: Some(A),
                reason: 3,
                local: true,
            },
        ),
        (
            "CTRL-EVENT-DISCONNECTED bssid=00:00:00:00:00:00 reason=0",
            Event::Disconnected {
                bssid: None,
                reason: 0,
                local: false,
            },
        ),
        (
            "CTRL-EVENT-ASSOC-REJECT bssid=AA status_code=17",
            Event::AssocReject {
                bssid: Some(A),
                status: 17,
                timeout: false,
            },
        ),
        (
            "CTRL-EVENT-ASSOC-REJECT status_code=1 timeout",
            Event::AssocReject {
                bssid: None,
                status: 1,
                timeout: true,
            },
        ),
        (
            "CTRL-EVENT-AUTH-REJECT AA auth_type=0 auth_transaction=2 status_code=13",
            Event::AuthReject {
                bssid: Some(A),
                status: 13,
            },
        ),
        (
            "CTRL-EVENT-SSID-TEMP-DISABLED id=0 ssid=\"a b\" auth_failures=1 duration=10 reason=WRONG_KEY",
            Event::TempDisabled {
                network,
                ssid: b"a b".to_vec(),
                failures: 1,
                seconds: 10,
                reason: "WRONG_KEY".into(),
            },
        ),
        (
            "CTRL-EVENT-SSID-REENABLED id=0 ssid=\"a\"",
            Event::Reenabled { network },
        ),
        (
            "CTRL-EVENT-SIGNAL-CHANGE above=1 signal=-40 noise=9999 txrate=54000",
            Event::SignalChange {
                above: true,
                dbm: -40,
                rate_kbps: 54_000,
            },
        ),
        (
            "CTRL-EVENT-SCAN-FAILED ret=-16 retry=1",
            Event::ScanFailed {
                code: -16,
                retry: true,
            },
        ),
        (
            "CTRL-EVENT-CHANNEL-SWITCH freq=2437 ht_enabled=1",
            Event::ChannelSwitch { frequency: 2437 },
        ),
        (
            "CTRL-EVENT-REGDOM-CHANGE init=USER type=COUNTRY alpha2=DE",
            Event::RegdomChange {
                alpha2: "DE".into(),
            },
        ),
        (
            "AP-STA-CONNECTED AA p2p_dev_addr=42:00:00:00:0b:00",
            Event::StationConnected {
                station: A,
                device: Some(B),
            },
        ),
        (
            "AP-STA-DISCONNECTED AA",
            Event::StationDisconnected {
                station: A,
                device: None,
            },
        ),
        (
            "AP-CSA-FINISHED freq=2462 dfs=0",
            Event::ChannelSwitchFinished { frequency: 2462 },
        ),
        (
            "P2P-PROV-DISC-FAILURE p2p_dev_addr=AA status=8",
            Event::ProvDiscFailed {
                device: A,
                status: 8,
            },
        ),
        (
            "P2P-PROV-DISC-PBC-RESP AA",
            Event::ProvDiscPbcResponse { device: A },
        ),
        (
            "P2P-GO-NEG-REQUEST AA dev_passwd_id=4 go_intent=1",
            Event::GoNegRequest { device: A },
        ),
        (
            "P2P-DEVICE-LOST p2p_dev_addr=AA",
            Event::DeviceLost { device: A },
        ),
        (
            "P2P-PERSISTENT-PSK-FAIL id=0",
            Event::PersistentPskFailed { network },
        ),
        (
            "P2P-INVITATION-RESULT status=1 AA",
            Event::InvitationResult { status: 1 },
        ),
        (
            "WPS-FAIL msg=8 config_error=15",
            Event::WpsFailed {
                message: 8,
                error: 15,
            },
        ),
        (
            "WPS-REG-SUCCESS AA 723340b3-4764-5ef0-9a45-6d330e294a89",
            Event::WpsRegistered { station: A },
        ),
        ("WPS-CRED-RECEIVED 100e0001", Event::WpsCredential),
        ("CTRL-EVENT-TERMINATING ", Event::Terminating),
    ];
    for (text, expected) in cases {
        assert_eq!(event(&mac(text)), expected, "{text}");
    }
}

/// The remaining names of `wpa_ctrl.h` that a P2P device may say; those that change nothing for us are ignored by name.
#[test]
fn every_p2p_event_has_a_case() {
    let mac = "02:00:00:00:0a:00";
    for (word, rest) in [
        ("P2P-GO-NEG-SUCCESS", "role=client"),
        ("P2P-GO-NEG-FAILURE", "status=1"),
        ("P2P-GROUP-FORMATION-SUCCESS", ""),
        ("P2P-GROUP-FORMATION-FAILURE", ""),
        ("P2P-CROSS-CONNECT-ENABLE", "p2p-wlan0-0 wlan1"),
        ("P2P-CROSS-CONNECT-DISABLE", "p2p-wlan0-0 wlan1"),
        ("P2P-PROV-DISC-SHOW-PIN", mac),
        ("P2P-PROV-DISC-ENTER-PIN", mac),
        ("P2P-PROV-DISC-PBC-REQ", mac),
        ("P2P-SERV-DISC-REQ", ""),
        ("P2P-SERV-DISC-RESP", ""),
        ("P2P-SERV-ASP-RESP", ""),
        ("P2P-INVITATION-RECEIVED", "sa=02:00:00:00:0a:00"),
        ("P2P-INVITATION-ACCEPTED", ""),
        ("P2P-FIND-STOPPED", ""),
        ("P2P-PRESENCE-RESPONSE", "src=02:00:00:00:0a:00 status=0"),
        ("P2P-NFC-BOTH-GO", ""),
        ("P2P-NFC-PEER-CLIENT", ""),
        ("P2P-NFC-WHILE-CLIENT", ""),
        ("P2P-FALLBACK-TO-GO-NEG", ""),
        ("P2P-FALLBACK-TO-GO-NEG-ENABLED", ""),
        ("P2PS-PROV-START", ""),
        ("P2PS-PROV-DONE", ""),
        ("P2P-REMOVE-AND-REFORM-GROUP", ""),
        ("P2P-LISTEN-OFFLOAD-STOP", ""),
    ] {
        let said = event(&alloc::format!("<3>{word} {rest}"));
        assert!(!matches!(said, Event::Other(_)), "{word}");
    }
}

#[test]
fn a_name_cannot_add_a_field_or_end_itself() {
    let asked = event(
        "P2P-PROV-DISC-PBC-REQ 02:00:00:00:0a:00 p2p_dev_addr=02:00:00:00:0a:00 pri_dev_type=1-0050F204-1 \
         name='x' config_methods=0x1 group=evil' config_methods=0x188 dev_capab=0x25 group_capab=0x0 group=p2p-wlan0-0",
    );
    let Event::ProvDiscPbcRequest(device) = asked else {
        panic!("{asked:?}")
    };
    assert_eq!(device.name, "x' config_methods=0x1 group=evil");
    assert_eq!(
        (device.config_methods, device.group.as_deref()),
        (0x188, Some("p2p-wlan0-0"))
    );
    // Not escaped, so that nothing in it is undone.
    let found = event("P2P-DEVICE-FOUND 42:00:00:00:0b:00 name='a\\nb\\x00' config_methods=0x80");
    let Event::DeviceFound(device) = found else {
        panic!("{found:?}")
    };
    assert_eq!(device.name, "a\\nb\\x00");
}

#[test]
fn a_passphrase_with_quotes_and_backslashes_stays_whole() {
    let phrase = r#"a\n" go_dev_addr=b"#;
    let line = alloc::format!(
        "P2P-GROUP-STARTED p2p-wlan0-0 GO ssid=\"s\" freq=2412 passphrase=\"{phrase}\" go_dev_addr={A}"
    );
    let Event::GroupStarted(group) = event(&line) else {
        panic!("{line}")
    };
    assert_eq!(group.passphrase, Some(Secret(phrase.into())));
    assert_eq!(group.owner, A);
}

#[test]
fn an_access_point_that_does_not_answer_is_a_timeout_in_every_version() {
    for line in [
        "CTRL-EVENT-ASSOC-REJECT bssid=02:00:00:00:0a:00 status_code=1 timeout",
        "CTRL-EVENT-ASSOC-REJECT bssid=02:00:00:00:0a:00 status_code=1 timeout=auth",
    ] {
        assert!(
            matches!(
                event(line),
                Event::AssocReject {
                    timeout: true,
                    status: 1,
                    ..
                }
            ),
            "{line}"
        );
    }
}

#[test]
fn an_unknown_word_is_fit_for_a_log() {
    let long = "X".repeat(300);
    assert_eq!(event(&long), Event::Other("X".repeat(48)));
    assert_eq!(
        parse(b"<3>NEW-\x1b[31mEVENT psk=abc").event,
        Event::Other("NEW-".into())
    );
}

#[test]
fn what_lacks_its_fields_is_other() {
    for text in [
        "P2P-GROUP-STARTED",
        "P2P-GROUP-STARTED wlan0 GO",
        "AP-STA-CONNECTED",
        "P2P-DEVICE-FOUND x",
        "CTRL-EVENT-CONNECTED - Connection to",
    ] {
        assert!(matches!(event(text), Event::Other(_)), "{text}");
    }
    assert_eq!(
        event("CTRL-EVENT-EAP-STARTED EAP"),
        Event::Other("CTRL-EVENT-EAP-STARTED".into())
    );
    assert_eq!(event(""), Event::Other(String::new()));
}

/// wpa_supplicant's own way: whole rows, as many as fit into its buffer, behind a number if one is given.
fn paged(count: u32, request: &str) -> String {
    let from = request
        .strip_prefix("LIST_NETWORKS LAST_ID=")
        .map_or(0, |id| id.parse::<u32>().unwrap() + 1);
    let mut page = String::from("network id / ssid / bssid / flags\n");
    for id in from..count {
        let row = format!("{id}\thome {id}\tany\t[DISABLED]\n");
        if page.len() + row.len() > 4095 {
            break;
        }
        page += &row;
    }
    page
}

#[test]
fn a_list_of_networks_is_gathered_whole() {
    for count in [0, 1, 100, 170, 600] {
        let mut asked = 0;
        let all = all_networks(paged(count, "LIST_NETWORKS"), |request| {
            asked += 1;
            Ok::<_, ()>(paged(count, request))
        });
        let ids: Vec<u32> = networks(&all.unwrap()).iter().map(|row| row.id).collect();
        assert_eq!(ids, (0..count).collect::<Vec<_>>());
        assert_eq!(asked > 0, count > 150, "{count}: {asked}");
    }
    // One that begins anew each time, one that falls silent, and one that never ends.
    let first = paged(600, "LIST_NETWORKS");
    let again = all_networks(first.clone(), |_| Ok::<_, ()>(first.clone()));
    assert_eq!(again.as_deref(), Ok(first.as_str()));
    assert_eq!(all_networks(first.clone(), |_| Err(7)), Err(7));
    let endless = all_networks(first, |request| Ok::<_, ()>(paged(u32::MAX, request)));
    assert!(endless.unwrap().len() <= MAX_NETWORK_LIST);
}

#[test]
fn replies_are_read() {
    assert_eq!(Outcome::parse("OK\n"), Outcome::Done);
    assert_eq!(Outcome::parse("FAIL-BUSY\n"), Outcome::Busy);
    assert_eq!(Outcome::parse("FAIL\n"), Outcome::Failed);
    assert_eq!(Outcome::parse("UNKNOWN COMMAND\n"), Outcome::Unknown);
    let status = Status::parse(
        "bssid=02:00:00:00:0a:00\nfreq=2412\nssid=DIRECT-k3-Ada\\xc3\\xa4\nid=2\nmode=station\nwpa_state=COMPLETED\n\
         p2p_device_address=42:00:00:00:0b:00\naddress=42:00:00:00:0b:00\n",
    );
    assert_eq!(
        (status.state, status.bssid, status.frequency),
        (State::Completed, Some(A), 2412)
    );
    assert_eq!(
        (status.ssid, status.network, status.device),
        ("DIRECT-k3-Adaä".as_bytes().to_vec(), Some(2), Some(B))
    );
    assert_eq!(Status::parse("FAIL\n"), Status::default());
    let rows = scan_results(
        "bssid / frequency / signal level / flags / ssid\n02:00:00:00:0a:00\t2412\t-30\t[WPA2-PSK-CCMP][ESS][P2P]\tDIRECT-k3\n\
         broken\n",
    );
    assert_eq!(rows.len(), 1);
    assert_eq!(
        (rows[0].bssid, rows[0].level, rows[0].ssid.as_slice()),
        (A, -30, b"DIRECT-k3".as_slice())
    );
    let list = networks(
        "network id / ssid / bssid / flags\n0\thome\tany\t[CURRENT]\n1\tDIRECT-k3\tany\t[DISABLED][P2P-PERSISTENT]\n",
    );
    assert_eq!(list.len(), 2);
    assert!(list[0].current && list[1].disabled && list[1].persistent);
    let poll = SignalPoll::parse("RSSI=-52\nLINKSPEED=65\nNOISE=9999\nFREQUENCY=2412\n");
    assert_eq!(
        poll,
        Some(SignalPoll {
            dbm: -52,
            rate_mbps: 65,
            frequency: 2412
        })
    );
    assert_eq!(SignalPoll::parse("FAIL\n"), None);
    let flags = DriverFlags::parse("E4:\nSME\nAP\nP2P_CONCURRENT\nP2P_CAPABLE\n");
    assert_eq!(
        flags,
        DriverFlags {
            ap: true,
            p2p: true,
            p2p_concurrent: true,
            dedicated_device: false
        }
    );
    assert_eq!(Peer::parse("FAIL\n"), None);
    assert_eq!(Bss::parse("FAIL\n"), None);
    let peer = Peer::parse("02:00:00:00:0a:00\nlevel=-30\ndevice_name=Ada\nmodel_name=OfficeOS\nlisten_freq=2412\ngroup_capab=0x2b\noper_ssid=DIRECT-k3\n").unwrap();
    assert_eq!(
        (peer.device, peer.model.as_str(), peer.group_capability),
        (A, "OfficeOS", 0x2b)
    );
}

#[test]
fn an_address_of_zeros_is_none() {
    let peer = Peer::parse(
        "02:00:00:00:0a:00\ninterface_addr=42:00:00:00:0b:00\nintended_addr=00:00:00:00:00:00\n",
    );
    assert_eq!(peer.map(|peer| peer.interface), Some(Some(B)));
    let peer = Peer::parse(
        "02:00:00:00:0a:00\ninterface_addr=00:00:00:00:00:00\nintended_addr=00:00:00:00:00:00\n",
    );
    assert_eq!(peer.map(|peer| peer.interface), Some(None));
}

#[test]
fn a_network_tells_its_device_and_its_model() {
    // SSID "a"; a vendor element that is none of WPS; WPS with version, model name "OfficeOS" and device name "b".
    let elements = "000161dd04001122ffdd1a0050f204104a000110102300084f66666963654f531011000162";
    let reply = |elements: &str| {
        alloc::format!(
            "id=0\nbssid=42:00:00:00:0b:00\nfreq=2412\nie={elements}\nflags=[ESS][P2P]\nssid=a\n\
             wps_device_name=b\np2p_device_addr=02:00:00:00:0a:00\n"
        )
    };
    let bss = Bss::parse(&reply(elements)).unwrap();
    assert_eq!(
        (bss.model.as_str(), bss.device, bss.device_name.as_str()),
        ("OfficeOS", Some(A), "b")
    );
    for cut in 0..elements.len() {
        let bss = Bss::parse(&reply(&elements[..cut])).unwrap();
        assert!(bss.model.is_empty(), "{cut}");
    }
    assert_eq!(Bss::parse(&reply("zz")).unwrap().model, "");
}

proptest! {
    #[test]
    fn no_octets_make_the_reader_fail(octets in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = parse(&octets);
        let text = String::from_utf8_lossy(&octets).to_string();
        let _ = (Status::parse(&text), Peer::parse(&text), Bss::parse(&text), scan_results(&text), networks(&text));
    }

    #[test]
    fn nor_do_octets_behind_a_known_word(word in prop::sample::select(vec![
        "P2P-DEVICE-FOUND", "P2P-GROUP-STARTED", "P2P-PROV-DISC-PBC-REQ", "CTRL-EVENT-DISCONNECTED", "CTRL-EVENT-SSID-TEMP-DISABLED",
    ]), octets in proptest::collection::vec(prop::sample::select(b"ab01:='\"\\ x\xff[]".to_vec()), 0..120)) {
        let mut line = word.as_bytes().to_vec();
        line.push(b' ');
        line.extend(octets);
        let _ = parse(&line);
    }
}
