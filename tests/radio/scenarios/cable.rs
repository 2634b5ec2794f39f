//! The USB cable: a first meeting over it, and the radio when it is pulled.

use super::Wish;
use crate::cast::{Desk, FIRMWARE, Hand, PORT};
use crate::gadget::Cable;
use crate::hwsim::{Hwsim, Radio};
use crate::steps;
use crate::support::eventually;
use crate::table::Table;
use std::time::Instant;

/// Pairing over the cable tells the handheld the laptop's network, so that the quick join works when the cable is pulled.
pub fn meeting_and_after(_wish: &Wish) {
    let hwsim = Hwsim::open().expect("mac80211_hwsim is loaded");
    let mut desk = Desk::new(&hwsim, "laptop", "Ada's ThinkPad", Radio::new("laptop"));
    let mut hand = Hand::new(&hwsim, "pocket", FIRMWARE);
    assert_eq!(hand.app().fact("ways"), "", "no cable yet");
    let cable = Cable::new(&hand.place);
    cable.plugged(&desk.place);
    let address = eventually("the laptop's socket on the cable", || on_cable(&desk));
    assert_eq!(address, format!("[::]:{PORT}"));

    // First meeting: offered because it is plugged in, and nothing is typed.
    hand.app().wait("ways=usb");
    desk.laptop().ctl().json(&["pair", "--open"]);
    let started = Instant::now();
    hand.app().open_pairing();
    hand.app().wait("pairing.digits!");
    Table::note(
        "first meeting, over USB: until digits show",
        started.elapsed(),
    );
    hand.app().finish_pairing(desk.laptop());
    assert_eq!(hand.app().fact("link.carrier"), "usb");
    assert_eq!(
        hand.app().fact("network"),
        "true",
        "it was told the laptop's network"
    );
    steps::permit(&desk);
    assert!(!steps::chat(hand.app(), "Hello").is_empty());
    assert_eq!(joined(&hand), "", "the radio is left alone meanwhile");

    for _ in 0..3 {
        // Pulled: the laptop's own network, which the handheld has never been in.
        let pulled = Instant::now();
        cable.pull();
        hand.app().wait("link.carrier=wifi-direct");
        hand.app().wait("link=linked");
        Table::note("cable pulled: until linked by radio", pulled.elapsed());
        assert!(!steps::chat(hand.app(), "Still there?").is_empty());
        eventually("the end of the laptop's socket", || match on_cable(&desk) {
            None => Some(()),
            Some(_) => None,
        });
        // Plugged in again while the radio serves: nothing is torn. Once the radio is out of range, the cable is there.
        cable.plug(&desk.place);
        hand.app().wait("ways=usb");
        eventually("the laptop's socket on the cable", || on_cable(&desk));
        assert_eq!(hand.app().fact("link.carrier"), "wifi-direct");
        let lost = Instant::now();
        hand.place.range(2);
        hand.app().wait("link.carrier=usb");
        hand.app().wait("link=linked");
        Table::note("out of range: until linked over USB", lost.elapsed());
        hand.place.range(1);
    }

    // A laptop that does not listen there: said, and the radio goes on.
    desk.stop();
    hand.app().wait("link!linked");
    desk.start_with("Ada's ThinkPad", "usb_link = false\n");
    desk.await_group();
    hand.app().wait("link.carrier=wifi-direct");
    hand.app().wait("link=linked");
    assert_eq!(on_cable(&desk), None);
    hand.place.range(2);
    let why = eventually("what the cable says", || {
        let facts = hand.app().facts();
        let tried = (0..4).find(|n| {
            facts
                .get(&format!("link.tried.{n}"))
                .is_some_and(|way| way == "usb")
        })?;
        facts.get(&format!("link.tried.{tried}.why")).cloned()
    });
    println!("   the handheld says of the cable: {why}");
    assert!(why.contains("Nobody answers at the USB cable"), "{why}");
    cable.pull();
}

/// Where the laptop listens on the cable.
fn on_cable(desk: &Desk) -> Option<String> {
    let status = desk.laptop().ctl().try_json(&["status"])?;
    let carriers = status["carriers"].as_array()?;
    let usb = carriers
        .iter()
        .find(|carrier| carrier["carrier"] == "usb")?;
    assert_eq!(usb["interface"], "usb9");
    usb["address"].as_str().map(str::to_owned)
}

/// The network that the handheld's radio is in.
fn joined(hand: &Hand) -> String {
    let text = hand
        .place
        .must("iw", &["dev", hand.place.interface(), "link"]);
    text.lines()
        .find_map(|line| line.trim().strip_prefix("SSID: "))
        .unwrap_or_default()
        .to_owned()
}
