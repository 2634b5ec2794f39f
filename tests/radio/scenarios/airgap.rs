//! The air gap with a real supplicant and a real link: what the linked app may not, and what is put back when it is killed.

use super::Wish;
use crate::cast::{Desk, FIRMWARE, Hand};
use crate::control::{Control, Recorder};
use crate::hwsim::{Hwsim, Radio};
use crate::steps;
use crate::support::eventually;
use std::fs;
use std::path::Path;

/// Its firmware knows a network of its own. Linked by radio the app still can do nothing but speak to its laptop; killed, its broker
/// lets the firmware's network be joined again.
pub fn closed_and_put_back(_wish: &Wish) {
    let hwsim = Hwsim::open().expect("mac80211_hwsim is loaded");
    let desk = Desk::new(&hwsim, "laptop", "Ada's ThinkPad", Radio::new("laptop"));
    let radio = Radio {
        p2p_device: false,
        ..Radio::new("pocket")
    };
    let mut hand = Hand::without_app(&hwsim, radio, FIRMWARE);
    let recorder = Recorder::new(Path::new("/run/air/airgap.jsonl"));
    let firmware = Control::open(&hand.place, "wlan0", &recorder);
    let home = firmware.ask("ADD_NETWORK");
    for request in [
        format!("SET_NETWORK {home} ssid 486f6d65"),
        format!("SET_NETWORK {home} psk \"somebody's own\""),
        format!("ENABLE_NETWORK {home}"),
    ] {
        firmware.ok(&request);
    }
    let is_off = |firmware: &Control| {
        let list = firmware.ask("LIST_NETWORKS");
        let row = list.lines().find(|line| line.contains("\tHome\t"));
        row.expect("the firmware's network").contains("[DISABLED]")
    };
    hand.start();
    steps::pair_by_passphrase(&mut hand, &desk);
    assert!(!steps::chat(hand.app(), "Hello").is_empty());
    assert!(is_off(&firmware), "it would be joined instead");

    let app = hand.app();
    app.home();
    app.press("Up Up Up Up Left Down Down Down A");
    app.wait("screen=settings");
    for _ in 0..20 {
        if app.fact("focus") == "Air gap" {
            break;
        }
        app.press("Down");
    }
    app.press("A");
    let proof = eventually("the proof", || {
        let page = app.fact("page");
        page.contains("tries were refused").then_some(page)
    });
    assert!(!proof.contains("Does not hold"), "{proof}");
    for said in [
        "Asked the supplicant an unknown request: refused.",
        "Asked the supplicant to join a network called Home: refused.",
        "Connected with [fe80::",
        "and can say nothing there.",
    ] {
        assert!(proof.contains(said), "{said} is missing in:\n{proof}");
    }
    for thread in fs::read_dir(format!("/proc/{}/task", app.pid())).expect("its threads") {
        let status = thread.expect("a thread").path().join("status");
        let text = fs::read_to_string(status).expect("its status");
        for line in ["Seccomp:\t2", "NoNewPrivs:\t1", "CapEff:\t0000000000000000"] {
            assert!(text.contains(line), "{line} is missing in:\n{text}");
        }
    }
    assert!(!steps::chat(hand.app(), "Still there?").is_empty());

    hand.kill();
    eventually("the firmware's network is on again", || {
        (!is_off(&firmware)).then_some(())
    });
    let list = firmware.ask("LIST_NETWORKS");
    assert!(!list.contains("\tDIRECT-"), "ours is still there: {list}");
}
