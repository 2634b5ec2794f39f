//! First meetings.

use super::Wish;
use crate::cast::{Desk, FIRMWARE, Hand, WITHOUT_P2P};
use crate::hwsim::{self, Hwsim, Radio};
use crate::steps;
use crate::supplicant::Manner;

fn hwsim() -> Hwsim {
    Hwsim::open().expect("mac80211_hwsim is loaded")
}

/// By push, between a laptop with an interface apart for P2P management and a handheld without.
pub fn push(_wish: &Wish) {
    let hwsim = hwsim();
    let desk = Desk::new(&hwsim, "laptop", "Ada's ThinkPad", Radio::new("laptop"));
    let mut hand = Hand::new(&hwsim, "pocket", FIRMWARE);
    steps::pair_by_push(&mut hand, &desk);
    assert!(!steps::chat(hand.app(), "Hello").is_empty());
    // The passphrase is in no log.
    let open = desk.laptop().ctl().json(&["pair", "--open"]);
    let key = open["network"]["passphrase"]
        .as_str()
        .expect("a passphrase");
    for log in [desk.laptop().log(), hand.app().log()] {
        assert!(
            !log.contains(key) && !log.contains(&key.replace('-', "")),
            "a passphrase in a log"
        );
    }
}

/// By push, the other way round: the laptop's driver has one interface for everything, the handheld's has one apart.
pub fn push_one_interface(_wish: &Wish) {
    let hwsim = hwsim();
    let radio = Radio {
        p2p_device: false,
        ..Radio::new("laptop")
    };
    let desk = Desk::new(&hwsim, "laptop", "Ada's ThinkPad", radio);
    let mut hand = Hand::without_app(&hwsim, Radio::new("pocket"), FIRMWARE);
    hand.start();
    steps::pair_by_push(&mut hand, &desk);
    assert!(!steps::chat(hand.app(), "Hello").is_empty());
}

/// As an ordinary station, where the supplicant has no P2P and more networks than one answer of it can list.
pub fn passphrase(_wish: &Wish) {
    let hwsim = hwsim();
    let desk = Desk::new(&hwsim, "laptop", "Ada's ThinkPad", Radio::new("laptop"));
    let homes = (0..150).map(|number| {
        format!("network={{\nssid=\"A home of long ago, {number}\"\nkey_mgmt=NONE\n}}\n")
    });
    let Manner::Configured(lines) = WITHOUT_P2P else {
        unreachable!("a firmware's supplicant has a file");
    };
    let lines = homes.fold(lines.to_owned(), |lines, home| lines + &home);
    let mut hand = Hand::new(&hwsim, "pocket", Manner::Configured(lines.leak()));
    steps::pair_by_passphrase(&mut hand, &desk);
    assert!(!steps::chat(hand.app(), "Hello").is_empty());
}

/// As an ordinary station, where the driver has no P2P.
pub fn passphrase_driver(_wish: &Wish) {
    let hwsim = hwsim();
    let desk = Desk::new(&hwsim, "laptop", "Ada's ThinkPad", Radio::new("laptop"));
    let radio = Radio {
        p2p_device: false,
        types: Some(hwsim::WITHOUT_P2P),
        ..Radio::new("pocket")
    };
    let mut hand = Hand::without_app(&hwsim, radio, FIRMWARE);
    hand.start();
    steps::pair_by_passphrase(&mut hand, &desk);
    assert!(!steps::chat(hand.app(), "Hello").is_empty());
}
