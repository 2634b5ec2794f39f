//! Work across the radio, with frames lost, and what the handheld says to others meanwhile.

use super::Wish;
use crate::cast::{Desk, FIRMWARE, Hand, PORT};
use crate::eavesdropper::{self, Eavesdropper, Friends, Verdict};
use crate::hwsim::{Hwsim, Radio};
use crate::pcap;
use crate::place::must;
use crate::steps;
use crate::table::Table;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

/// A chat, a picture and a delivery of the outbox, while every twentieth packet is lost; everything that the handheld
/// sends meanwhile is for its laptop.
pub fn with_losses(_wish: &Wish) {
    let hwsim = Hwsim::open().expect("mac80211_hwsim is loaded");
    let desk = Desk::new(&hwsim, "laptop", "Ada's ThinkPad", Radio::new("laptop"));
    let mut hand = Hand::without_app(
        &hwsim,
        Radio {
            p2p_device: false,
            ..Radio::new("pocket")
        },
        FIRMWARE,
    );
    must("ip", &["link", "set", "hwsim0", "up"]);
    let air = Eavesdropper::start(
        Command::new("tcpdump"),
        "hwsim0",
        Path::new("/run/air/air.pcap"),
    );
    let inside = Eavesdropper::start(
        hand.place.command("tcpdump"),
        "any",
        Path::new("/run/air/inside.pcap"),
    );
    hand.start();
    steps::pair_by_push(&mut hand, &desk);
    let mut friends = Friends {
        laptop: desk.macs(),
        names: vec![desk.await_group().0.into_bytes()],
    };
    let mut addresses = desk.addresses();

    for place in [&desk.place, &hand.place] {
        for interface in place.interfaces() {
            if interface.starts_with("wlan") || interface.starts_with("p2p") {
                place.must(
                    "tc",
                    &[
                        "qdisc", "replace", "dev", &interface, "root", "netem", "loss", "5%",
                    ],
                );
            }
        }
    }
    let asked = Instant::now();
    let answer = steps::chat(hand.app(), "Count to 5");
    Table::note("first answer, every twentieth packet lost", asked.elapsed());
    assert!(answer.split_whitespace().count() > 2, "{answer}");
    steps::paint(hand.app(), "A calm harbour at sunset");
    // A question while nobody is near waits, and is delivered once.
    hand.place.range(2);
    hand.app().wait("link!linked");
    steps::write(hand.app(), "Count to 3");
    hand.app().wait("outbox.0=waiting");
    hand.place.range(1);
    hand.app().wait("answer.state=done");

    friends.laptop.extend(desk.macs());
    addresses.extend(desk.addresses());
    hand.quit();
    let (kind, frames) = air.stop();
    assert_eq!(kind, pcap::AIR);
    report("in the air", &eavesdropper::judge_air(&frames, &friends));
    let (kind, packets) = inside.stop();
    assert_eq!(kind, pcap::COOKED);
    report(
        "from its interfaces",
        &eavesdropper::judge_packets(&packets, &addresses, &[PORT]),
    );
}

fn report(place: &str, verdict: &Verdict) {
    println!("   what the handheld sent, {place}:");
    for (kind, count) in &verdict.seen {
        println!("   {count:7} {kind}");
    }
    assert!(!verdict.seen.is_empty(), "nothing was captured");
    assert!(verdict.wrong.is_empty(), "{place}: {:#?}", verdict.wrong);
}
