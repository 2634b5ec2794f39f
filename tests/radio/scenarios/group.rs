//! The laptop's group alone, joined by hand: what link-service owes everybody.

use super::Wish;
use crate::cast::{Desk, FIRMWARE, Hand};
use crate::control::{Control, Recorder};
use crate::hwsim::{Hwsim, Radio};
use crate::support::eventually;
use crate::table::Table;
use std::time::{Duration, Instant};

/// The group's name and passphrase outlive the supplicant, the driver, airplane mode and our own programs.
pub fn outlives_everything(_wish: &Wish) {
    let hwsim = Hwsim::open().expect("mac80211_hwsim is loaded");
    let recorder = Recorder::new(std::path::Path::new("/run/air/group.jsonl"));
    let radio = Radio {
        mac: Some([0x02, 0, 0, 0, 0x0a, 0]),
        ..Radio::new("laptop")
    };
    let mut desk = Desk::without_laptop(&hwsim, "laptop", radio);
    let before = state(&desk, &recorder);
    desk.start("Ada's ThinkPad");
    let started = Instant::now();
    let (name, frequency) = desk.await_group();
    Table::note(
        "laptop: our programs start, until the group is up",
        started.elapsed(),
    );
    assert!(
        name.starts_with("DIRECT-") && name.ends_with("-Ada's ThinkPad"),
        "{name}"
    );
    assert!([2412, 2437, 2462].contains(&frequency), "{frequency}");

    // Only while a person pairs is the passphrase told.
    let open = desk.laptop().ctl().json(&["pair", "--open"]);
    let key = open["network"]["passphrase"]
        .as_str()
        .expect("a passphrase")
        .to_owned();
    desk.laptop().ctl().json(&["pair", "--cancel"]);

    let radio = Radio {
        p2p_device: false,
        ..Radio::new("guest")
    };
    let guest = Hand::without_app(&hwsim, radio, FIRMWARE);
    let hand = Control::open(&guest.place, "wlan0", &recorder);
    let id = hand.ask("ADD_NETWORK");
    let ssid: String = name.bytes().map(|byte| format!("{byte:02x}")).collect();
    for setting in [
        &format!("ssid {ssid}"),
        &format!("psk \"{key}\""),
        "key_mgmt WPA-PSK",
    ] {
        hand.ok(&format!("SET_NETWORK {id} {setting}"));
    }
    let join = |what: &str| {
        let started = Instant::now();
        eventually(what, || {
            hand.forget();
            hand.ok("DISCONNECT");
            hand.ok(&format!("SELECT_NETWORK {id}"));
            hand.event("CTRL-EVENT-CONNECTED", Duration::from_secs(6))
        });
        println!(
            "   {what}: joined after {} ms",
            started.elapsed().as_millis()
        );
    };
    join("the group of a started laptop");

    let again = |desk: &Desk, what: &str| {
        let started = Instant::now();
        eventually(what, || desk.group().filter(|(known, _)| *known == name));
        Table::note(
            &format!("laptop: {what}, until the group is up again"),
            started.elapsed(),
        );
        join(what);
    };
    let lost = || hand.must("CTRL-EVENT-DISCONNECTED");
    desk.restart_supplicant(false);
    lost();
    again(&desk, "supplicant restarted");
    desk.restart_supplicant(true);
    lost();
    again(&desk, "supplicant killed");
    desk.place.unplug();
    desk.place.plug(&hwsim);
    lost();
    again(&desk, "driver reloaded");
    desk.place.airplane(true);
    let words = eventually("words about airplane mode", || {
        let status = desk.laptop().ctl().try_json(&["status"])?;
        status["trouble"].as_str().map(str::to_owned)
    });
    assert!(words.contains("rfkill unblock"), "{words}");
    desk.place.airplane(false);
    again(&desk, "airplane mode");
    for pid in desk.laptop().children("link-service") {
        crate::support::process::crash(pid);
    }
    // The daemon notices at once; the group may go on meanwhile.
    again(&desk, "link-service killed");
    desk.laptop_mut().kill();
    desk.laptop_mut().restart();
    again(&desk, "laptop-daemon killed");

    desk.stop();
    let after = eventually("everything to be put back", || {
        let now = state(&desk, &recorder);
        (now == before
            || !desk
                .place
                .interfaces()
                .iter()
                .any(|name| name.starts_with("p2p-")))
        .then_some(now)
    });
    assert_eq!(after, before, "what the laptop leaves behind");
}

/// What a stopped laptop has to leave as it was.
fn state(desk: &Desk, recorder: &Recorder) -> Vec<String> {
    let mut all = desk.place.interfaces();
    for name in ["wlan0", "p2p-dev-wlan0"] {
        let control = Control::open(&desk.place, name, recorder);
        for request in [
            "LIST_NETWORKS",
            "GET device_name",
            "GET model_name",
            "GET p2p_intra_bss",
        ] {
            // An empty name is as good as none: the supplicant cannot forget one.
            let answer = control.ask(request);
            let answer = if answer == "FAIL" {
                String::new()
            } else {
                answer
            };
            all.push(format!("{name} {request}: {answer}"));
        }
    }
    all
}
