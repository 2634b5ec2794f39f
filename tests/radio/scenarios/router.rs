//! A laptop that is on its home's network with the same radio.

use super::Wish;
use crate::cast::{Desk, FIRMWARE, Hand};
use crate::control::{Control, Recorder};
use crate::hwsim::{Hwsim, Radio};
use crate::place::Place;
use crate::steps;
use crate::supplicant::{Manner, Supplicant};
use crate::support::eventually;
use std::path::Path;

/// A home's router, as a supplicant can play it.
const ROUTER: Manner = Manner::Configured(
    "network={\nssid=\"Home\"\nmode=2\nfrequency=2437\nkey_mgmt=WPA-PSK\nproto=RSN\npairwise=CCMP\npsk=\"homesweethome\"\n}\n",
);

/// The radio serves one channel at a time: the group comes up on the router's, and the station stays where it is.
pub fn one_channel(_wish: &Wish) {
    let hwsim = Hwsim::open().expect("mac80211_hwsim is loaded");
    let recorder = Recorder::new(Path::new("/run/air/router.jsonl"));
    let home = Place::new(&hwsim, "wlan0", &Radio::new("router"));
    let _router = Supplicant::start(&home, &ROUTER);
    let mut desk = Desk::without_laptop(&hwsim, "laptop", Radio::new("laptop"));
    let station = Control::open(&desk.place, "wlan0", &recorder);
    let id = station.ask("ADD_NETWORK");
    for setting in ["ssid \"Home\"", "psk \"homesweethome\""] {
        station.ok(&format!("SET_NETWORK {id} {setting}"));
    }
    station.ok(&format!("SELECT_NETWORK {id}"));
    station.must("CTRL-EVENT-CONNECTED");

    desk.start("Ada's ThinkPad");
    let (_, frequency) = desk.await_group();
    assert_eq!(frequency, 2437, "the router's channel");
    let mut hand = Hand::new(&hwsim, "pocket", FIRMWARE);
    steps::pair_by_push(&mut hand, &desk);
    assert!(!steps::chat(hand.app(), "Hello").is_empty());

    // The router goes and comes back on another channel: whatever the radio can do, it does, and the handheld follows.
    assert!(
        station.ask("STATUS").contains("wpa_state=COMPLETED"),
        "the station stays with its router"
    );
    assert!(
        station
            .event("CTRL-EVENT-DISCONNECTED", std::time::Duration::ZERO)
            .is_none()
    );
    desk.stop();
    eventually("the group to go", || {
        let names = desk.place.interfaces();
        (!names.iter().any(|name| name.starts_with("p2p-"))).then_some(())
    });
    assert!(
        station.ask("STATUS").contains("ssid=Home"),
        "the station stays when the laptop's programs stop"
    );
}
