//! Coming back to the known laptop: how long it takes, and where the time goes.

use super::Wish;
use crate::cast::{Desk, FIRMWARE, Hand};
use crate::control::{Control, Recorder};
use crate::hwsim::{Hwsim, Radio};
use crate::steps;
use crate::table::Table;
use std::path::Path;
use std::time::{Duration, Instant};

/// Longest median on a host that is busy with other work.
const BUSY: Duration = Duration::from_secs(6);
/// A rejoin with the start of the program before it.
const START: &str = "start of the app, until linked";
const LONG: Duration = Duration::from_secs(60);

/// Measures each kind, several times.
pub fn times(wish: &Wish) {
    let hwsim = Hwsim::open().expect("mac80211_hwsim is loaded");
    let desk = Desk::new(&hwsim, "laptop", "Ada's ThinkPad", Radio::new("laptop"));
    let mut hand = Hand::new(&hwsim, "pocket", FIRMWARE);
    steps::pair_by_push(&mut hand, &desk);
    let recorder = Recorder::new(Path::new("/run/air/rejoin.jsonl"));
    let rounds = if wish.long { 20 } else { 5 };
    for _ in 0..rounds {
        // Warm: the app and its supplicant have been there all the time.
        let watch = Control::open(&hand.place, "wlan0", &recorder);
        hand.place.airplane(true);
        hand.app().wait("link!linked");
        watch.forget();
        let on = Instant::now();
        hand.place.airplane(false);
        split("rejoin, warm", &watch, &mut hand, on);
        first_answer(&mut hand, "first answer after a rejoin");
    }
    for _ in 0..rounds {
        // Cold: the driver appears anew, and the supplicant knows of no network in the air.
        let watch = Control::open(&hand.place, "wlan0", &recorder);
        hand.place.unplug();
        hand.app().wait("link!linked");
        watch.forget();
        let on = Instant::now();
        hand.place.plug(&hwsim);
        split("rejoin, cold, the driver appears", &watch, &mut hand, on);
    }
    for _ in 0..rounds {
        // Colder: the program itself is loaded first, and everything read from its card.
        hand.quit();
        hand.restart_supplicant(false);
        let watch = Control::open(&hand.place, "wlan0", &recorder);
        let on = Instant::now();
        hand.start();
        split(START, &watch, &mut hand, on);
    }
    let table = Table::read();
    for kind in ["rejoin, warm", "rejoin, cold, the driver appears", START] {
        let median = table.median(kind).expect("it was measured");
        println!("   {kind}: median {} ms", median.as_millis());
        // Below a second where the host has nothing else to do; a busy one emulates this machine several times slower. The goal is
        // for the radio: half of what a start takes is an unoptimised program that is emulated for the first time.
        if kind != START && median >= Duration::from_secs(1) {
            println!("   {kind}: MORE THAN A SECOND");
        }
        assert!(median < BUSY, "{kind} takes {median:?}");
    }
}

fn split(kind: &str, watch: &Control, hand: &mut Hand, on: Instant) {
    hand.app().wait("link=linked");
    let linked = Instant::now();
    Table::note(kind, linked - on);
    // The supplicant scans or, where it knows the laptop from a moment ago, goes on without.
    let asked = watch.timed("SME: Trying", LONG).map(|(at, _)| at);
    let joined = watch.timed("CTRL-EVENT-CONNECTED", LONG).map(|(at, _)| at);
    if let (Some(asked), Some(joined)) = (asked, joined) {
        Table::note(
            &format!("{kind}: . until it has found the laptop"),
            asked.saturating_duration_since(on),
        );
        Table::note(
            &format!("{kind}: .. then until WPA2 has joined"),
            joined.saturating_duration_since(asked),
        );
        Table::note(
            &format!("{kind}: ... then until the session works"),
            linked.saturating_duration_since(joined),
        );
    }
}

fn first_answer(hand: &mut Hand, what: &str) {
    let app = hand.app();
    app.home();
    app.press("Start");
    app.wait("screen=writing");
    app.type_text("Hi");
    let asked = Instant::now();
    app.press("Start");
    app.wait("answer.state=done");
    Table::note(what, asked.elapsed());
}
