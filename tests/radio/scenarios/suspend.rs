//! A kernel that really suspends, to memory: the radios' driver takes every link away, laptop and handheld wake together, and the app
//! is back. `tests/radio/suspend` gives the machine's folders up before and takes them again after, since they do not wake.

use super::Wish;
use crate::cast::{Desk, FIRMWARE, Hand};
use crate::hwsim::{Hwsim, Radio};
use crate::steps;
use crate::table::Table;
use std::fs;
use std::time::Instant;

/// Where the machine's clock is told when to wake it.
const ALARM: &str = "/sys/class/rtc/rtc0/wakealarm";

/// Sleeps a short while and a longer one than the link's keepalive bears.
pub fn to_memory(_wish: &Wish) {
    let hwsim = Hwsim::open().expect("mac80211_hwsim is loaded");
    let desk = Desk::new(&hwsim, "laptop", "Ada's ThinkPad", Radio::new("laptop"));
    let mut hand = Hand::new(&hwsim, "pocket", FIRMWARE);
    steps::pair_by_push(&mut hand, &desk);
    steps::chat(hand.app(), "Hi");
    for seconds in [3, 45] {
        fs::write(ALARM, "0").expect("no other alarm");
        fs::write(ALARM, format!("+{seconds}")).expect("an alarm");
        fs::write("/sys/power/state", "mem").expect("the machine suspends");
        let woken = Instant::now();
        let answer = steps::chat(hand.app(), "Count to 3");
        assert!(!answer.is_empty());
        Table::note(
            "woken from suspend, both sides: until an answer that is asked for at once",
            woken.elapsed(),
        );
        println!(
            "   suspended for {seconds} s: an answer {} ms after waking",
            woken.elapsed().as_millis()
        );
    }
}
