//! Others in range: a second laptop, a stranger's handheld, a stranger's laptop that calls itself the same.

use super::Wish;
use crate::cast::{Desk, FIRMWARE, Hand, WITHOUT_P2P};
use crate::hwsim::{Hwsim, Radio};
use crate::steps;
use crate::support::eventually;

/// The handheld goes to the laptop that it is paired with, whatever else is there.
pub fn second_laptop(_wish: &Wish) {
    let hwsim = Hwsim::open().expect("mac80211_hwsim is loaded");
    let desk = Desk::new(&hwsim, "laptop", "Ada's ThinkPad", Radio::new("laptop"));
    let mut hand = Hand::new(&hwsim, "pocket", FIRMWARE);
    steps::pair_by_push(&mut hand, &desk);
    // Another one, of the same name, on the same channel or not.
    let other = Desk::new(&hwsim, "other", "Ada's ThinkPad", Radio::new("other"));
    assert_ne!(desk.await_group().0, other.await_group().0);
    for _ in 0..3 {
        hand.place.range(2);
        hand.app().wait("link!linked");
        hand.place.range(1);
        hand.app().wait("link=linked");
        assert_eq!(linked(&desk), 1);
        assert_eq!(linked(&other), 0);
    }
    // Where only the other one is, it stays away, and says so.
    desk.place.range(4);
    hand.app().wait("link!linked");
    hand.app().wait("link.why!");
    hand.app().wait("link=away");
    assert_eq!(linked(&other), 0);
    desk.place.range(1);
    hand.app().wait("link=linked");
}

/// A handheld that was never paired with this laptop joins its network and gets nothing.
pub fn stranger_handheld(_wish: &Wish) {
    let hwsim = Hwsim::open().expect("mac80211_hwsim is loaded");
    let desk = Desk::new(&hwsim, "laptop", "Ada's ThinkPad", Radio::new("laptop"));
    let mut hand = Hand::new(&hwsim, "pocket", FIRMWARE);
    steps::pair_by_push(&mut hand, &desk);

    // The window is closed: a push is not answered, and nobody new is let into the network.
    let (ssid, _) = desk.await_group();
    let mut stranger = Hand::new(&hwsim, "stranger", FIRMWARE);
    steps::look(stranger.app());
    steps::focus(stranger.app(), &ssid);
    stranger.app().press("A");
    stranger.app().wait("pairing=calling");
    eventually("the stranger's push at the laptop", || {
        let log = desk.place.folder().join("supplicant.log");
        let log = std::fs::read_to_string(log).ok()?;
        log.contains("P2P-PROV-DISC-PBC-REQ").then_some(())
    });
    assert_eq!(stations(&desk), 1, "only the paired one is in the network");
    stranger.quit();

    // One that knows the passphrase comes into the network, and no further.
    let state = std::fs::read_to_string(desk.home().join("state/group.toml")).expect("group.toml");
    let key = state
        .lines()
        .find_map(|line| line.strip_prefix("passphrase = \"")?.strip_suffix('"'))
        .expect("a passphrase");
    let mut informed = Hand::new(&hwsim, "informed", WITHOUT_P2P);
    steps::look(informed.app());
    steps::focus(informed.app(), &ssid);
    informed.app().press("A");
    informed.app().wait("screen=writing");
    informed.app().type_text(key);
    informed.app().press("Start");
    informed.app().wait("pairing=failed");
    let told = informed.app().fact("pairing.fault");
    println!("   the stranger is told: {told}");
    assert!(!told.is_empty());
    assert_eq!(linked(&desk), 1, "the paired one is not disturbed");

    // Somebody whom the laptop has sent away keeps the network's key, and gets no further than the network.
    desk.laptop().ctl().json(&["revoke", "Pocket"]);
    hand.app().wait("link!linked");
    eventually("the end of the pairing on the screen", || {
        let link = hand.app().fact("link");
        (link != "linked" && link != "connecting").then_some(link)
    });
    assert_eq!(linked(&desk), 0);
}

/// A laptop with the name and passphrase of the paired one, and other keys.
pub fn stranger_laptop(_wish: &Wish) {
    let hwsim = Hwsim::open().expect("mac80211_hwsim is loaded");
    let mut desk = Desk::new(&hwsim, "laptop", "Ada's ThinkPad", Radio::new("laptop"));
    let mut hand = Hand::new(&hwsim, "pocket", FIRMWARE);
    steps::pair_by_push(&mut hand, &desk);
    let (ssid, _) = desk.await_group();

    // The impostor has everything that the air tells, and the passphrase besides.
    let mut impostor = Desk::without_laptop(&hwsim, "impostor", Radio::new("impostor"));
    let state = impostor.home().join("state");
    std::fs::create_dir_all(&state).expect("a state folder");
    std::fs::copy(
        desk.home().join("state/group.toml"),
        state.join("group.toml"),
    )
    .expect("group.toml is copied");
    desk.stop();
    hand.app().wait("link!linked");
    impostor.start("Ada's ThinkPad");
    assert_eq!(impostor.await_group().0, ssid);
    let mut said = String::new();
    let why = eventually("why the impostor is refused", || {
        let facts = hand.app().facts();
        let why = facts.get("link.why").cloned().unwrap_or_default();
        if why != said {
            println!("   the handheld says: {why}");
            said.clone_from(&why);
        }
        // It heard the network, joined it, and found somebody there who does not have the laptop's keys.
        why.contains("does not know this handheld").then_some(why)
    });
    assert!(!why.is_empty());
    println!("   the handheld says: {why}");
    assert_eq!(linked(&impostor), 0);
    impostor.stop();
    desk.start("Ada's ThinkPad");
    hand.app().wait("link=linked");
}

fn linked(desk: &Desk) -> u64 {
    desk.laptop().ctl().json(&["status"])["linked"]
        .as_u64()
        .unwrap_or(u64::MAX)
}

/// How many are in the laptop's network.
fn stations(desk: &Desk) -> usize {
    let interfaces = desk.place.interfaces();
    let group = interfaces.iter().find(|name| name.starts_with("p2p-wlan0"));
    let group = group.expect("the group's interface");
    let text = desk.place.must("iw", &["dev", group, "station", "dump"]);
    text.lines()
        .filter(|line| line.starts_with("Station "))
        .count()
}
