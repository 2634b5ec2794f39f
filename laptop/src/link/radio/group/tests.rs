mod corpus;
pub(in crate::link::radio) mod fake;
mod random;
mod replay;
mod traces;
mod window;

use super::*;
use crate::link::radio::trouble::Switch;
use fake::{Laptop, PASSPHRASE, POCKET, SSID, identity, wanted};

fn open(name: &str, mhz: u16) -> Effect {
    Effect::Open(name.to_owned(), mhz)
}

/// One that is up on `p2p-wlan0-0`.
fn up() -> Laptop {
    let mut laptop = Laptop::new();
    laptop.run();
    assert!(
        laptop.done.contains(&open("p2p-wlan0-0", 2462)),
        "{:?}",
        laptop.done
    );
    laptop.take();
    laptop
}

#[test]
fn a_group_comes_up_with_our_name_and_passphrase_on_a_quiet_channel() {
    let mut laptop = Laptop::new();
    laptop.run();
    assert!(laptop.done.contains(&open("p2p-wlan0-0", 2462)));
    assert_eq!(laptop.blocks[&0], (SSID.to_owned(), PASSPHRASE.to_owned()));
    assert_eq!(laptop.settings["device_name"], "Ada's ThinkPad");
    assert_eq!(laptop.settings["model_name"], "OfficeOS");
    assert_eq!(laptop.settings["p2p_intra_bss"], "0");
    let position = |text: &str| {
        laptop
            .asked
            .iter()
            .position(|asked| asked.starts_with(text))
            .expect(text)
    };
    assert!(position("SET p2p_intra_bss 0") < position("P2P_GROUP_ADD"));
    assert!(
        laptop
            .asked
            .contains(&"SET_NETWORK 0 bssid 02:00:00:00:0a:00".to_owned())
    );
}

#[test]
fn beside_a_network_the_group_is_on_its_channel() {
    let mut laptop = Laptop::new();
    laptop.station = Some(2437);
    laptop.group.wanted.frequency = Some(2412);
    laptop.run();
    assert!(laptop.done.contains(&open("p2p-wlan0-0", 2437)));
    assert_eq!(laptop.group.identity().frequency, Some(2437));
}

#[test]
fn without_a_network_settings_come_first_and_then_where_it_was() {
    let mut laptop = Laptop::new();
    laptop.group.wanted.frequency = Some(2437);
    laptop.group.identity.frequency = Some(2412);
    laptop.run();
    assert!(laptop.done.contains(&open("p2p-wlan0-0", 2437)));
    let mut laptop = Laptop::new();
    laptop.group.identity.frequency = Some(2412);
    laptop.run();
    assert!(laptop.done.contains(&open("p2p-wlan0-0", 2412)));
}

#[test]
fn a_frequency_that_is_refused_is_followed_by_the_next() {
    let mut laptop = Laptop::new();
    laptop.group.identity.frequency = Some(5180);
    laptop.run();
    assert!(
        laptop.done.contains(&open("p2p-wlan0-0", 2462)),
        "not allowed, so not even asked for"
    );
    assert!(
        !laptop
            .asked
            .iter()
            .any(|asked| asked.ends_with("freq=5180"))
    );
}

#[test]
fn a_network_where_no_group_may_be_is_named() {
    let mut laptop = Laptop::new();
    laptop.station = Some(5180);
    laptop.run();
    assert_eq!(
        laptop.told(),
        Some(&Trouble::Busy("wlan0".to_owned(), 5180))
    );
    laptop.take();
    // Leaving that network is what was waited for.
    laptop.station = None;
    laptop.say(
        "wlan0",
        "<3>CTRL-EVENT-DISCONNECTED bssid=02:00:00:00:0c:00 reason=3 locally_generated=1",
    );
    laptop.run();
    assert!(laptop.done.contains(&Effect::Tell(None)));
    assert!(laptop.done.contains(&open("p2p-wlan0-0", 2462)));
}

#[test]
fn the_persons_network_goes_before_the_group() {
    let mut laptop = up();
    laptop.running = None;
    laptop.say(
        "p2p-dev-wlan0",
        "<3>P2P-GROUP-REMOVED p2p-wlan0-0 GO reason=FREQ_CONFLICT",
    );
    laptop.settle();
    assert_eq!(laptop.done, [Effect::Close]);
    // The station is given the time that it needs, and no group is started under its feet.
    assert_eq!(laptop.group.deadline(), Some(laptop.now + YIELD));
    laptop.station = Some(2412);
    laptop.say(
        "wlan0",
        "<3>CTRL-EVENT-CONNECTED - Connection to 02:00:00:00:0c:00 completed [id=0 id_str=]",
    );
    laptop.settle();
    assert!(laptop.done.contains(&open("p2p-wlan0-1", 2412)));
    assert!(laptop.asked.contains(&"P2P_SET conc_pref sta".to_owned()));
}

#[test]
fn an_interface_that_cannot_is_named() {
    let mut laptop = Laptop::new();
    laptop.p2p = false;
    laptop.run();
    assert_eq!(
        laptop.told(),
        Some(&Trouble::NoP2pInDriver("wlan0".to_owned()))
    );
    let mut laptop = Laptop::new();
    laptop.flags = "AP\nP2P_CAPABLE\n";
    laptop.station = Some(2412);
    laptop.run();
    assert_eq!(laptop.told(), Some(&Trouble::Occupied("wlan0".to_owned())));
    assert!(
        !laptop
            .asked
            .iter()
            .any(|asked| asked.starts_with("P2P_GROUP_ADD")),
        "the person's network stays"
    );
}

#[test]
fn a_channel_switch_is_told() {
    let mut laptop = up();
    laptop.say("p2p-wlan0-0", "<3>CTRL-EVENT-CHANNEL-SWITCH freq=2437 ht_enabled=1 ch_offset=0 ch_width=20 MHz cf1=2437 cf2=0");
    laptop.run();
    assert_eq!(laptop.done[0], Effect::Moved(2437));
    assert!(matches!(&laptop.done[1], Effect::Store(identity) if identity.frequency == Some(2437)));
}

#[test]
fn a_removed_group_is_made_again() {
    let mut laptop = up();
    laptop.running = None;
    laptop.say(
        "p2p-dev-wlan0",
        "<3>P2P-GROUP-REMOVED p2p-wlan0-0 GO reason=UNAVAILABLE",
    );
    laptop.settle();
    assert_eq!(laptop.done, [Effect::Close]);
    laptop.wait();
    assert!(laptop.done.contains(&open("p2p-wlan0-1", 2462)));
    assert_eq!(laptop.blocks.len(), 1);
}

#[test]
fn a_restarted_supplicant_gets_the_same_group_again() {
    let mut laptop = up();
    laptop.running = None;
    laptop.say(
        "p2p-dev-wlan0",
        "<3>P2P-GROUP-REMOVED p2p-wlan0-0 GO reason=REQUESTED",
    );
    laptop.say("p2p-dev-wlan0", "<3>CTRL-EVENT-TERMINATING ");
    laptop.settle();
    laptop.wait();
    assert!(
        laptop.asked.is_empty(),
        "a supplicant that ends is not asked: {:?}",
        laptop.asked
    );
    laptop.restart_supplicant();
    laptop.run();
    laptop.wait();
    assert!(laptop.done.contains(&open("p2p-wlan0-1", 2462)));
    assert_eq!(laptop.blocks[&0].1, PASSPHRASE);
}

#[test]
fn a_killed_supplicant_is_noticed_within_the_interval() {
    let mut laptop = up();
    laptop
        .sockets
        .retain(|name| name == "p2p-dev-wlan0" || name == "wlan0");
    let dead = laptop.world();
    laptop.running = None;
    laptop.now += LOOK_INTERVAL;
    // The files of its sockets stay behind.
    laptop.group.world(dead, laptop.now);
    laptop.settle();
    assert!(laptop.done.contains(&Effect::Close));
}

#[test]
fn a_supplicant_that_was_killed_and_started_is_asked_as_soon_as_it_is_there() {
    let mut laptop = up();
    laptop.group.failures = 8;
    laptop.restart_supplicant();
    laptop.run();
    assert!(laptop.done.contains(&Effect::Close));
    assert_eq!(laptop.group.deadline(), Some(laptop.now + SETTLE));
    laptop.wait();
    assert!(laptop.done.contains(&open("p2p-wlan0-1", 2462)));
}

#[test]
fn groups_that_fall_at_once_are_made_further_and_further_apart_and_others_are_not() {
    let mut laptop = up();
    let mut pauses = Vec::new();
    for stands in [0, 0, 0, STOOD, 0] {
        laptop.now += stands;
        let (name, _) = laptop.running.take().expect("a group");
        laptop.say(
            "p2p-dev-wlan0",
            &format!("<3>P2P-GROUP-REMOVED {name} GO reason=UNAVAILABLE"),
        );
        laptop.settle();
        pauses.push((laptop.group.deadline().expect("a deadline") - laptop.now) / FIRST_PAUSE);
        laptop.wait();
    }
    assert_eq!(pauses, [1, 2, 4, 1, 2]);
}

#[test]
fn a_driver_that_comes_back_gets_the_group_again() {
    let mut laptop = up();
    laptop.running = None;
    laptop.say(
        "p2p-dev-wlan0",
        "<3>P2P-GROUP-REMOVED p2p-wlan0-0 GO reason=UNAVAILABLE",
    );
    laptop.sockets = vec!["wlan0".to_owned()];
    laptop.run();
    let mut gone = laptop.world();
    gone.interfaces.clear();
    laptop.group.world(gone.clone(), laptop.now);
    assert_eq!(laptop.told(), None, "drivers are reloaded");
    for _ in 0..2 {
        laptop.now = laptop.group.deadline().expect("a deadline");
        laptop.group.world(gone.clone(), laptop.now);
        laptop.settle();
    }
    assert_eq!(laptop.told(), Some(&Trouble::NoWifi));
    laptop.restart_supplicant();
    laptop.sockets = vec!["p2p-dev-wlan0".to_owned(), "wlan0".to_owned()];
    laptop.run();
    laptop.wait();
    assert!(laptop.done.contains(&open("p2p-wlan0-1", 2462)));
    assert_eq!(laptop.told(), None);
}

#[test]
fn flight_mode_is_named_and_its_end_noticed() {
    let mut laptop = up();
    laptop.running = None;
    laptop.say(
        "p2p-dev-wlan0",
        "<3>P2P-GROUP-REMOVED p2p-wlan0-0 GO reason=UNAVAILABLE",
    );
    laptop.settle();
    let mut off = laptop.world();
    off.blocked = Some(Switch::Soft);
    laptop.group.world(off.clone(), laptop.now);
    for _ in 0..2 {
        laptop.now = laptop.group.deadline().expect("a deadline");
        laptop.group.world(off.clone(), laptop.now);
        laptop.settle();
    }
    assert_eq!(laptop.told(), Some(&Trouble::Blocked(Switch::Soft)));
    laptop.run();
    laptop.wait();
    assert_eq!(laptop.told(), None);
    assert!(laptop.done.contains(&open("p2p-wlan0-1", 2462)));
}

#[test]
fn attempts_are_made_further_and_further_apart() {
    let mut laptop = Laptop::new();
    laptop.p2p = false;
    laptop.run();
    let mut pauses = Vec::new();
    for _ in 0..10 {
        pauses.push(laptop.group.deadline().expect("a deadline") - laptop.now);
        laptop.wait();
    }
    assert!(
        pauses.is_sorted() && pauses[0] == FIRST_PAUSE && pauses[9] == LONGEST_PAUSE,
        "{pauses:?}"
    );
    let told = laptop
        .done
        .iter()
        .filter(|effect| matches!(effect, Effect::Tell(_)))
        .count();
    assert_eq!(told, 1, "said once");
}

#[test]
fn a_group_that_stands_forgets_failures() {
    let mut laptop = up();
    laptop.group.failures = 5;
    laptop.wait();
    assert_eq!(laptop.asked, ["STATUS"]);
    assert_eq!(laptop.group.failures, 0);
}

#[test]
fn a_start_that_is_never_reported_is_given_up() {
    let mut laptop = Laptop::new();
    laptop.stalls = true;
    laptop.run();
    laptop.wait();
    assert_eq!(laptop.told(), Some(&Trouble::Refused("wlan0".to_owned())));
    laptop.stalls = false;
    laptop.wait();
    assert!(laptop.done.contains(&open("p2p-wlan0-0", 2462)));
}

#[test]
fn a_socket_that_cannot_be_opened_is_tried_again() {
    let mut laptop = up();
    let trouble = Trouble::NoPort(8144, "in use".to_owned());
    laptop.group.unopened(trouble.clone());
    laptop.settle();
    assert_eq!(laptop.told(), Some(&trouble));
    laptop.take();
    laptop.wait();
    assert!(laptop.done.contains(&open("p2p-wlan0-0", 2462)));
}

#[test]
fn a_group_on_another_radio_is_removed_and_not_taken_over() {
    let mut laptop = Laptop::new();
    laptop.running = Some(("p2p-wlan1-0".to_owned(), 2412));
    let mut world = laptop.world();
    world.interfaces.push("wlan1".to_owned());
    laptop.group.world(world, laptop.now);
    laptop.settle();
    assert!(
        laptop
            .asked
            .contains(&"P2P_GROUP_REMOVE p2p-wlan1-0".to_owned())
    );
    assert!(
        laptop.done.contains(&open("p2p-wlan0-0", 2462)),
        "{:?}",
        laptop.done
    );
}

#[test]
fn of_two_interfaces_the_one_with_a_device_of_its_own_goes_first() {
    let mut laptop = Laptop::new();
    laptop.sockets.insert(0, "eth9".to_owned());
    let mut world = laptop.world();
    world.interfaces = vec!["eth9".to_owned(), "wlan0".to_owned()];
    laptop.group.world(world, laptop.now);
    laptop.settle();
    assert!(laptop.done.contains(&Effect::Hear(vec![
        "p2p-dev-wlan0".to_owned(),
        "wlan0".to_owned()
    ])));
}
