//! The radio between uses: a link that nobody uses costs little, then the radio sleeps, says nothing, and wakes for what is written.

use super::Wish;
use crate::cast::{Desk, FIRMWARE, Hand};
use crate::hwsim::{Hwsim, Radio};
use crate::steps;
use crate::support::eventually;
use crate::table::Table;
use std::time::{Duration, Instant};

/// The shortest rest that the settings offer, and some time to fall asleep.
const ASLEEP_MS: u64 = 60_000 + 15_000;

/// How long the packets of a link are counted that nobody uses; it is over well before the rest begins.
const WINDOW: Duration = Duration::from_secs(20);

/// The connection screen measures; nobody uses the link, which costs less than one packet a second each way; a minute later link and
/// radio sleep; the next message wakes them.
pub fn between_uses(_wish: &Wish) {
    let hwsim = Hwsim::open().expect("mac80211_hwsim is loaded");
    let desk = Desk::new(&hwsim, "laptop", "Ada's ThinkPad", Radio::new("laptop"));
    let mut hand = Hand::new(&hwsim, "pocket", FIRMWARE);
    steps::pair_by_push(&mut hand, &desk);
    measured(&mut hand);
    sleepy(&mut hand);
    unused(&hand);

    let app = hand.app();
    app.say(&format!("wait link=asleep {ASLEEP_MS}"));
    eventually("the laptop to see it gone", || {
        let status = desk.laptop().ctl().json(&["status"]);
        (status["linked"] == 0).then_some(())
    });
    // The keyboard that opens wakes it: the link is back before the message is written.
    let app = hand.app();
    app.home();
    let woken = Instant::now();
    app.press("Start");
    app.wait("link=linked");
    Table::note("woken by the keyboard, until linked", woken.elapsed());
    app.type_text("Count to 3");
    let asked = Instant::now();
    app.press("Start");
    app.wait("answer.state=done");
    Table::note("first answer after sleep", asked.elapsed());
    assert!(!app.fact("answer").is_empty());
}

/// Link and signal, as the connection screen has them.
fn measured(hand: &mut Hand) {
    let app = hand.app();
    app.home();
    app.press("Y");
    app.wait("screen=laptop");
    app.wait("signal!");
    let facts = app.facts();
    let number = |name: &str| facts.get(name).and_then(|n| n.parse::<i32>().ok());
    assert!(
        number("signal").is_some_and(|dbm| (-100..0).contains(&dbm)),
        "{facts:#?}"
    );
    assert!(
        number("signal.mhz").is_some_and(|mhz| mhz >= 2412),
        "{facts:#?}"
    );
    let carrier = facts.get("link.carrier").map(String::as_str);
    assert_eq!(carrier, Some("wifi-direct"), "{facts:#?}");
}

/// Counts what a link costs that nobody uses.
fn unused(hand: &Hand) {
    let packets = || -> u64 {
        // Whichever interface the link is on: after a push it is the group's.
        let counts = "cat /sys/class/net/[!l]*/statistics/[tr]x_packets";
        let text = hand.place.must("sh", &["-c", counts]);
        text.split_whitespace()
            .filter_map(|count| count.parse::<u64>().ok())
            .sum()
    };
    let before = packets();
    // The only way to know what a while costs is to let it pass.
    std::thread::sleep(WINDOW);
    let sent = packets() - before;
    println!("   {sent} packets both ways in {} s", WINDOW.as_secs());
    assert!(
        sent < 2 * WINDOW.as_secs(),
        "{sent} packets while nothing happens"
    );
    assert!(sent > 0, "keepalive is there");
}

/// Has the radio sleep after a minute.
fn sleepy(hand: &mut Hand) {
    let app = hand.app();
    app.home();
    // The tile of the settings is the last of its column.
    app.press("Up Up Up Up Left Down Down Down A");
    app.wait("screen=settings");
    for _ in 0..20 {
        if app.fact("focus") == "Radio" {
            break;
        }
        app.press("Down");
    }
    assert_eq!(app.fact("focus"), "Radio");
    app.press("Right");
    app.home();
}
