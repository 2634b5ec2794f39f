//! Talks with an unmodified supplicant, written down for the unit tests of the machines that drive it.
//!
//! Nothing of OfficeOS takes part: what is recorded is what the supplicant says to the commands that we mean to send.

use super::control::{Control, Recorder};
use super::hwsim::{Hwsim, Radio, WITHOUT_P2P};
use super::place::Place;
use super::supplicant::{Manner, Supplicant};
use super::support::eventually;
use std::path::Path;
use std::time::Duration;

const SSID: &str = "DIRECT-k3-Ada's ThinkPad";
const KEY: &str = "m4xq-7tkp-w9hd";
const LONG: Duration = Duration::from_secs(30);

/// A firmware's usual configuration.
const FIRMWARE: Manner =
    Manner::Configured("update_config=1\ndevice_name=Pocket\nconfig_methods=virtual_push_button\n");
/// The same with a supplicant that leaves P2P alone, as one built without it answers.
const WITHOUT: Manner = Manner::Configured("update_config=1\np2p_disabled=1\n");

/// One transcript: its name and what records it.
type Script = fn(&Hwsim, &Recorder);

const ALL: [(&str, Script); 11] = [
    ("group-start", |hwsim, to| group_start(hwsim, to, true)),
    ("group-start-one-interface", |hwsim, to| {
        group_start(hwsim, to, false);
    }),
    ("push-button-join", push_button_join),
    ("station-join", station_join),
    ("range-loss", range_loss),
    ("supplicant-restart", supplicant_restart),
    ("driver-reload", driver_reload),
    ("airplane-mode", airplane_mode),
    ("without-p2p", without_p2p),
    ("quick-join", quick_join),
    ("two-guests", two_guests),
];

/// Records those that are named, or all, below `folder`.
pub fn record(folder: &Path, names: &[String]) {
    std::fs::create_dir_all(folder).expect("a folder for transcripts");
    for (name, script) in ALL {
        if !names.is_empty() && !names.iter().any(|wanted| wanted == name) {
            continue;
        }
        println!("recording {name}");
        let hwsim = Hwsim::open().expect("mac80211_hwsim is loaded");
        script(
            &hwsim,
            &Recorder::new(&folder.join(format!("{name}.jsonl"))),
        );
        super::place::sweep();
    }
}

fn laptop(hwsim: &Hwsim, p2p_device: bool) -> Place {
    let radio = Radio {
        p2p_device,
        mac: Some([0x02, 0, 0, 0, 0x0a, 0]),
        ..Radio::new("laptop")
    };
    Place::new(hwsim, "wlan0", &radio)
}

fn handheld(hwsim: &Hwsim) -> Place {
    let radio = Radio {
        p2p_device: false,
        mac: Some([0x02, 0, 0, 0, 0x0b, 0]),
        ..Radio::new("pocket")
    };
    Place::new(hwsim, "wlan0", &radio)
}

/// A network block of its own and an autonomous group on it; returns the group's control socket.
fn group(place: &Place, manager: &Control, to: &Recorder) -> Control {
    manager.ok("SET device_name Ada's ThinkPad");
    manager.ok("SET model_name OfficeOS");
    manager.ok("SET config_methods virtual_push_button");
    manager.ok("SET p2p_intra_bss 0");
    let id = manager.ask("ADD_NETWORK");
    let ssid: String = SSID.bytes().map(|byte| format!("{byte:02x}")).collect();
    for setting in [
        &format!("ssid {ssid}"),
        &format!("psk \"{KEY}\""),
        "proto RSN",
        "key_mgmt WPA-PSK",
        "pairwise CCMP",
        "group CCMP",
        "mode 3",
        "disabled 2",
    ] {
        manager.ok(&format!("SET_NETWORK {id} {setting}"));
    }
    manager.ok(&format!("P2P_GROUP_ADD persistent={id} freq=2412"));
    let started = manager.must("P2P-GROUP-STARTED");
    let name = started
        .split_whitespace()
        .nth(1)
        .expect("the interface of the group");
    Control::open(place, name, to)
}

fn describe(control: &Control) {
    for request in [
        "STATUS",
        "DRIVER_FLAGS",
        "GET_CAPABILITY modes",
        "GET_CAPABILITY channels",
        "GET_CAPABILITY freq",
        "GET device_name",
        "GET model_name",
        "GET config_methods",
        "GET p2p_intra_bss",
        "GET country",
        "GET p2p_disabled",
        "GET p2p_no_group_iface",
        "P2P_SET disallow_freq ",
        "LIST_NETWORKS",
        "INTERFACES",
        "FROBNICATE",
    ] {
        control.ask(request);
    }
}

fn group_start(hwsim: &Hwsim, to: &Recorder, p2p_device: bool) {
    let place = laptop(hwsim, p2p_device);
    let _supplicant = Supplicant::start(&place, &Manner::Managed);
    let station = Control::open(&place, "wlan0", to);
    describe(&station);
    let manager = if p2p_device {
        let manager = Control::open(&place, "p2p-dev-wlan0", to);
        describe(&manager);
        manager
    } else {
        Control::open(&place, "wlan0", to)
    };
    for round in 1..=2 {
        manager.note(&format!("round {round}"));
        let group = group(&place, &manager, to);
        for request in [
            "STATUS",
            "P2P_GET_PASSPHRASE",
            "LIST_NETWORKS",
            "GET_NETWORK 0 ssid",
            "GET device_name",
            "GET p2p_intra_bss",
            "GET ap_isolate",
            "STA-FIRST",
            "LIST_STA",
            "WPS_PBC",
            "WPS_CANCEL",
            "WPS_PBC p2p_dev_addr=02:00:00:00:0b:00",
        ] {
            group.ask(request);
        }
        group.event("WPS-PBC-ACTIVE", LONG);
        group.ask("WPS_CANCEL");
        manager.ask("LIST_NETWORKS");
        manager.ask("STATUS");
        manager.ask("P2P_GROUP_ADD persistent=0 freq=2412");
        let name = interface(&place);
        group.note(&place.must("iw", &["dev"]));
        manager.ask(&format!("P2P_GROUP_REMOVE {name}"));
        manager.must("P2P-GROUP-REMOVED");
        for id in 0..3 {
            manager.ask(&format!("REMOVE_NETWORK {id}"));
        }
        manager.ask("LIST_NETWORKS");
        manager.ask("SET device_name ");
        manager.ask("GET device_name");
    }
    manager.note("a frequency that no group may use");
    manager.ask("P2P_GROUP_ADD persistent=0 freq=2412");
    manager.ask("P2P_GROUP_ADD freq=2484");
}

/// Interface that the group lives on.
fn interface(place: &Place) -> String {
    let sockets = std::fs::read_dir(place.folder().join("wpa")).expect("control sockets");
    let mut names: Vec<_> = sockets
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort();
    names
        .iter()
        .find(|name| name.starts_with("p2p-wlan0-"))
        .cloned()
        .unwrap_or_else(|| "wlan0".to_owned())
}

fn station(pocket: &Control, freq: bool, key: &str) -> String {
    let id = pocket.ask("ADD_NETWORK");
    let ssid: String = SSID.bytes().map(|byte| format!("{byte:02x}")).collect();
    for setting in [
        &format!("ssid {ssid}"),
        &format!("psk \"{key}\""),
        "proto RSN",
        "key_mgmt WPA-PSK",
        "pairwise CCMP",
        "scan_ssid 0",
    ] {
        pocket.ok(&format!("SET_NETWORK {id} {setting}"));
    }
    if freq {
        pocket.ok(&format!("SET_NETWORK {id} scan_freq 2412"));
        pocket.ok(&format!("SET_NETWORK {id} freq_list 2412"));
    }
    pocket.ok(&format!("SELECT_NETWORK {id}"));
    id
}

fn push_button_join(hwsim: &Hwsim, to: &Recorder) {
    let (place, pocket) = (laptop(hwsim, true), handheld(hwsim));
    let _hub = Supplicant::start(&place, &Manner::Managed);
    let _firmware = Supplicant::start(&pocket, &FIRMWARE);
    let manager = Control::open(&place, "p2p-dev-wlan0", to);
    let group = group(&place, &manager, to);
    let hand = Control::open(&pocket, "wlan0", to);
    describe(&hand);
    hand.ok("P2P_FIND");
    let found = hand.must("P2P-DEVICE-FOUND");
    let peer = found
        .split_whitespace()
        .nth(1)
        .expect("an address")
        .to_owned();
    let device = found
        .split("p2p_dev_addr=")
        .nth(1)
        .and_then(|rest| rest.split_whitespace().next())
        .expect("a device address")
        .to_owned();
    for request in [
        &format!("P2P_PEER {peer}"),
        &format!("P2P_PEER {device}"),
        "P2P_PEER FIRST",
        "SCAN_RESULTS",
        "BSS FIRST",
    ] {
        hand.ask(request);
    }
    hand.note("asks while nobody has pressed the laptop's button");
    hand.ask(&format!("P2P_PROV_DISC {device} pbc join"));
    manager.event("P2P-PROV-DISC", Duration::from_secs(8));
    hand.event("P2P-PROV-DISC", Duration::from_secs(8));
    hand.ask(&format!("P2P_CONNECT {device} pbc join"));
    let asked = manager.must("P2P-PROV-DISC-PBC-REQ");
    group.note(&asked);
    group.ok("WPS_PBC");
    let started = hand.must("P2P-GROUP-STARTED");
    group.must("AP-STA-CONNECTED");
    let name = started.split_whitespace().nth(1).expect("an interface");
    let joined = Control::open(&pocket, name, to);
    for request in [
        "STATUS",
        "SIGNAL_POLL",
        "LIST_NETWORKS",
        "GET_NETWORK 0 psk",
    ] {
        joined.ask(request);
    }
    group.ask("LIST_STA");
    group.ask("STA-FIRST");
    hand.ask(&format!("P2P_GROUP_REMOVE {name}"));
    group.must("AP-STA-DISCONNECTED");
    hand.must("P2P-GROUP-REMOVED");
    hand.note("nobody presses: the join runs out");
    hand.ok("P2P_FIND");
    hand.event("P2P-DEVICE-FOUND", LONG);
    hand.ask(&format!("P2P_CONNECT {device} pbc join"));
    hand.event("WPS-AP-AVAILABLE", LONG);
    hand.note("and the person gives up");
    hand.ask("P2P_CANCEL");
    hand.ask(&format!("P2P_GROUP_REMOVE {name}"));
    hand.event("P2P-GROUP-REMOVED", Duration::from_secs(3));
    hand.ask("P2P_STOP_FIND");
    hand.ask("P2P_FLUSH");
}

fn station_join(hwsim: &Hwsim, to: &Recorder) {
    let (place, pocket) = (laptop(hwsim, true), handheld(hwsim));
    let _hub = Supplicant::start(&place, &Manner::Managed);
    let _firmware = Supplicant::start(&pocket, &FIRMWARE);
    let manager = Control::open(&place, "p2p-dev-wlan0", to);
    let group = group(&place, &manager, to);
    let hand = Control::open(&pocket, "wlan0", to);
    hand.note("with the frequency");
    let id = station(&hand, true, KEY);
    hand.must("CTRL-EVENT-CONNECTED");
    for request in ["STATUS", "SIGNAL_POLL", "LIST_NETWORKS", "SCAN_RESULTS"] {
        hand.ask(request);
    }
    let status = hand.ask("STATUS");
    if let Some(bssid) = status.lines().find_map(|line| line.strip_prefix("bssid=")) {
        hand.ask(&format!("BSS {bssid}"));
    }
    hand.note(&pocket.must("ip", &["-6", "addr", "show", "dev", "wlan0"]));
    group.note(&place.must("ip", &["-6", "addr", "show"]));
    hand.ok("DISCONNECT");
    hand.must("CTRL-EVENT-DISCONNECTED");
    hand.ok(&format!("REMOVE_NETWORK {id}"));
    hand.note("without the frequency");
    let id = station(&hand, false, KEY);
    hand.must("CTRL-EVENT-CONNECTED");
    hand.ok(&format!("REMOVE_NETWORK {id}"));
    hand.must("CTRL-EVENT-DISCONNECTED");
    hand.note("with a wrong passphrase");
    let id = station(&hand, true, "m4xq-7tkp-w9hh");
    hand.event("CTRL-EVENT-SSID-TEMP-DISABLED", LONG);
    hand.ask("LIST_NETWORKS");
    hand.ok(&format!("REMOVE_NETWORK {id}"));
    hand.note("a laptop that is not there");
    let name = interface(&place);
    manager.ok(&format!("P2P_GROUP_REMOVE {name}"));
    hand.ask("BSS_FLUSH 0");
    let id = station(&hand, true, KEY);
    hand.event("CTRL-EVENT-NETWORK-NOT-FOUND", LONG);
    hand.event("CTRL-EVENT-NETWORK-NOT-FOUND", LONG);
    hand.ok(&format!("REMOVE_NETWORK {id}"));
}

fn linked(
    hwsim: &Hwsim,
    to: &Recorder,
) -> (
    Place,
    Supplicant,
    Control,
    Control,
    Place,
    Supplicant,
    Control,
) {
    let (place, pocket) = (laptop(hwsim, true), handheld(hwsim));
    let hub = Supplicant::start(&place, &Manner::Managed);
    let firmware = Supplicant::start(&pocket, &FIRMWARE);
    let manager = Control::open(&place, "p2p-dev-wlan0", to);
    let group = group(&place, &manager, to);
    let hand = Control::open(&pocket, "wlan0", to);
    station(&hand, true, KEY);
    hand.must("CTRL-EVENT-CONNECTED");
    group.must("AP-STA-CONNECTED");
    (place, hub, manager, group, pocket, firmware, hand)
}

fn range_loss(hwsim: &Hwsim, to: &Recorder) {
    let (_place, _hub, _manager, group, pocket, _firmware, hand) = linked(hwsim, to);
    hand.note("out of range");
    pocket.range(2);
    hand.event("CTRL-EVENT-DISCONNECTED", LONG);
    hand.event("CTRL-EVENT-SCAN-RESULTS", LONG);
    hand.ask("STATUS");
    group.ask("LIST_STA");
    hand.note("back in range");
    pocket.range(1);
    hand.event("CTRL-EVENT-CONNECTED", LONG);
    hand.note("out of range, and the network is selected anew when it is back");
    pocket.range(2);
    hand.event("CTRL-EVENT-DISCONNECTED", LONG);
    hand.ask("DISCONNECT");
    pocket.range(1);
    hand.ask("SELECT_NETWORK 0");
    hand.event("CTRL-EVENT-CONNECTED", LONG);
    hand.note("the laptop sends it away");
    group.ask("DEAUTHENTICATE 02:00:00:00:0b:00 reason=3");
    hand.event("CTRL-EVENT-DISCONNECTED", LONG);
    hand.event("CTRL-EVENT-CONNECTED", LONG);
    hand.note("out of range for half a minute");
    group.event("AP-STA-CONNECTED", LONG);
    pocket.range(2);
    group.event("AP-STA-DISCONNECTED", LONG);
}

fn supplicant_restart(hwsim: &Hwsim, to: &Recorder) {
    let (place, hub, manager, group, pocket, firmware, hand) = linked(hwsim, to);
    hand.note("the laptop's supplicant is restarted in order");
    hub.terminate();
    manager.event("CTRL-EVENT-TERMINATING", LONG);
    hand.event("CTRL-EVENT-DISCONNECTED", LONG);
    manager.ask("PING");
    drop(group);
    let hub = Supplicant::start(&place, &Manner::Managed);
    let manager = Control::open(&place, "p2p-dev-wlan0", to);
    manager.ask("LIST_NETWORKS");
    let group_again = self::group(&place, &manager, to);
    hand.event("CTRL-EVENT-CONNECTED", LONG);
    hand.note("the laptop's supplicant is killed");
    hub.kill();
    hand.event("CTRL-EVENT-DISCONNECTED", LONG);
    manager.ask("PING");
    manager.note(&place.must("iw", &["dev"]));
    drop(group_again);
    let _hub = Supplicant::start(&place, &Manner::Managed);
    let manager = Control::open(&place, "p2p-dev-wlan0", to);
    manager.ask("INTERFACES");
    let group = self::group(&place, &manager, to);
    hand.event("CTRL-EVENT-CONNECTED", LONG);
    hand.note("the handheld's supplicant is restarted in order");
    firmware.terminate();
    hand.event("CTRL-EVENT-TERMINATING", LONG);
    group.event("AP-STA-DISCONNECTED", LONG);
    let firmware = Supplicant::start(&pocket, &FIRMWARE);
    let hand = Control::open(&pocket, "wlan0", to);
    hand.ask("STATUS");
    station(&hand, true, KEY);
    hand.must("CTRL-EVENT-CONNECTED");
    hand.note("the handheld's supplicant is killed");
    firmware.kill();
    hand.ask("PING");
    let _firmware = Supplicant::start(&pocket, &FIRMWARE);
    let hand = Control::open(&pocket, "wlan0", to);
    hand.ask("STATUS");
    station(&hand, true, KEY);
    hand.must("CTRL-EVENT-CONNECTED");
}

fn driver_reload(hwsim: &Hwsim, to: &Recorder) {
    let (mut place, hub, manager, _group, mut pocket, _firmware, hand) = linked(hwsim, to);
    hand.note("the handheld's driver is reloaded");
    pocket.unplug();
    hand.event("CTRL-EVENT", LONG);
    hand.ask("STATUS");
    hand.ask("PING");
    pocket.plug(hwsim);
    hand.event("CTRL-EVENT-CONNECTED", LONG);
    hand.ask("STATUS");
    hand.note("the laptop's driver is reloaded");
    place.unplug();
    manager.event("P2P-GROUP-REMOVED", Duration::from_secs(5));
    hand.event("CTRL-EVENT-DISCONNECTED", LONG);
    manager.ask("PING");
    manager.ask("STATUS");
    place.plug(hwsim);
    let again = Control::open(&place, "wlan0", to);
    again.ask("STATUS");
    again.ask("INTERFACES");
    again.event("P2P-GROUP-STARTED", Duration::from_secs(5));
    drop(hub);
}

fn airplane_mode(hwsim: &Hwsim, to: &Recorder) {
    let (place, _hub, manager, group, pocket, _firmware, hand) = linked(hwsim, to);
    hand.note("the handheld's radio is switched off");
    pocket.airplane(true);
    hand.event("CTRL-EVENT-DISCONNECTED", LONG);
    hand.ask("STATUS");
    hand.ask("SCAN");
    pocket.airplane(false);
    hand.event("CTRL-EVENT-CONNECTED", LONG);
    hand.note("the laptop's radio is switched off");
    place.airplane(true);
    manager.event("P2P-GROUP-REMOVED", Duration::from_secs(10));
    group.ask("STATUS");
    manager.ask("STATUS");
    manager.ask("LIST_NETWORKS");
    manager.ask("P2P_GROUP_ADD persistent=0 freq=2412");
    place.airplane(false);
    manager.event("P2P-GROUP-STARTED", Duration::from_secs(5));
    manager.ask("STATUS");
    group.ask("STATUS");
    manager.ask("P2P_GROUP_ADD persistent=0 freq=2412");
    manager.event("P2P-GROUP-STARTED", Duration::from_secs(5));
    hand.event("CTRL-EVENT-CONNECTED", LONG);
}

fn without_p2p(hwsim: &Hwsim, to: &Recorder) {
    let place = laptop(hwsim, true);
    let radio = Radio {
        p2p_device: false,
        types: Some(WITHOUT_P2P),
        mac: Some([0x02, 0, 0, 0, 0x0b, 0]),
        ..Radio::new("pocket")
    };
    let pocket = Place::new(hwsim, "wlan0", &radio);
    let _hub = Supplicant::start(&place, &Manner::Managed);
    let manager = Control::open(&place, "p2p-dev-wlan0", to);
    let _group = group(&place, &manager, to);
    {
        let _firmware = Supplicant::start(&pocket, &FIRMWARE);
        let hand = Control::open(&pocket, "wlan0", to);
        hand.note("a driver without P2P");
        describe(&hand);
        hand.ask("P2P_FIND");
        hand.ask("P2P_GROUP_ADD");
    }
    let _firmware = Supplicant::start(&pocket, &WITHOUT);
    let hand = Control::open(&pocket, "wlan0", to);
    hand.note("P2P switched off in the supplicant");
    describe(&hand);
    hand.ask("P2P_FIND");
    hand.ask("P2P_PEER FIRST");
    hand.ok("SCAN");
    hand.must("CTRL-EVENT-SCAN-RESULTS");
    hand.ask("SCAN_RESULTS");
    hand.ask("BSS FIRST");
    hand.ask("BSS RANGE=ALL MASK=0x3fffffff");
    station(&hand, true, KEY);
    hand.must("CTRL-EVENT-CONNECTED");
    hand.ask("STATUS");
}

/// Discovery on the three social channels only, and a join that is told the frequency.
fn quick_join(hwsim: &Hwsim, to: &Recorder) {
    let (place, pocket) = (laptop(hwsim, true), handheld(hwsim));
    let _hub = Supplicant::start(&place, &Manner::Managed);
    let _firmware = Supplicant::start(&pocket, &FIRMWARE);
    let manager = Control::open(&place, "p2p-dev-wlan0", to);
    let group = group(&place, &manager, to);
    let hand = Control::open(&pocket, "wlan0", to);
    hand.ok("P2P_FIND type=social");
    hand.must("P2P-DEVICE-FOUND");
    hand.ok("P2P_CONNECT 02:00:00:00:0a:00 pbc join freq=2412");
    manager.must("P2P-PROV-DISC-PBC-REQ");
    group.ok("WPS_PBC p2p_dev_addr=02:00:00:00:0b:00");
    let started = hand.must("P2P-GROUP-STARTED");
    let name = started.split_whitespace().nth(1).expect("an interface");
    let joined = Control::open(&pocket, name, to);
    joined.ask("STATUS");
    joined.note("the group goes, and the station join takes its place");
    hand.ok(&format!("P2P_GROUP_REMOVE {name}"));
    hand.must("P2P-GROUP-REMOVED");
    station(&hand, true, KEY);
    hand.must("CTRL-EVENT-CONNECTED");
    hand.ask("LIST_NETWORKS");
    hand.note("a search while joined");
    hand.ok("P2P_FIND type=social");
    hand.event("P2P-DEVICE-FOUND", Duration::from_secs(5));
    hand.ok("P2P_STOP_FIND");
    hand.must("P2P-FIND-STOPPED");
    hand.ask("P2P_SERV_DISC_REQ 00:00:00:00:00:00 02000001");
}

/// What guests of a group can say to each other.
fn two_guests(hwsim: &Hwsim, to: &Recorder) {
    let (place, _hub, manager, group, pocket, _firmware, hand) = linked(hwsim, to);
    let radio = Radio {
        p2p_device: false,
        mac: Some([0x02, 0, 0, 0, 0x0c, 0]),
        ..Radio::new("guest")
    };
    let guest = Place::new(hwsim, "wlan0", &radio);
    let _other = Supplicant::start(&guest, &FIRMWARE);
    let other = Control::open(&guest, "wlan0", to);
    station(&other, true, KEY);
    other.must("CTRL-EVENT-CONNECTED");
    let laptop = "fe80::400:ff:fe00:a00";
    let neighbour = "fe80::ff:fe00:c00";
    let ping = |address: &str| {
        let arguments = ["-6", "-c", "3", "-W", "1", "-I", "wlan0", address];
        let heard = pocket.run("ping", &arguments).status.success();
        let word = if heard { "answers" } else { "does not answer" };
        hand.note(&format!("{address} {word}"));
        heard
    };
    // An address is usable a second after it appeared; the laptop's answer says that ours is.
    eventually("an answer of the laptop", || ping(laptop).then_some(()));
    assert!(!ping(neighbour), "guests see each other");
    group.note("the same where guests may");
    manager.ok(&format!("P2P_GROUP_REMOVE {}", interface(&place)));
    manager.ok("SET p2p_intra_bss 1");
    manager.ok("P2P_GROUP_ADD persistent=0 freq=2412");
    manager.must("P2P-GROUP-STARTED");
    for guest in [&hand, &other] {
        guest.ok("REASSOCIATE");
        guest.must("CTRL-EVENT-CONNECTED");
    }
    eventually("an answer of the neighbour", || {
        ping(neighbour).then_some(())
    });
}
