//! A kernel that really suspends, to memory: the radios' driver takes every link away, laptop and handheld wake together, and the app
//! is back. `tests/radio/suspend` gives the host's folders up before, since they do not wake.

use super::Wish;
use crate::cast::{Desk, FIRMWARE, Hand};
use crate::hwsim::{Hwsim, Radio};
use crate::steps;
use crate::table::Table;
use std::fs;
use std::time::Instant;

/// Where the machine's clock is told when to wake it.
const ALARM: &str = "/sys/class/rtc/rtc0/wakealarm";

/// Sleeps longer than the link's keepalive bears, and much longer.
pub fn to_memory(_wish: &Wish) {
    let folders = fs::read_to_string("/proc/mounts").expect("every kernel has it");
    assert!(
        !folders.contains(" 9p "),
        "the host's folders would not wake: tests/radio/run --shell-script tests/radio/suspend"
    );
    let hwsim = Hwsim::open().expect("mac80211_hwsim is loaded");
    let desk = Desk::new(&hwsim, "laptop", "Ada's ThinkPad", Radio::new("laptop"));
    let mut hand = Hand::new(&hwsim, "pocket", FIRMWARE);
    steps::pair_by_push(&mut hand, &desk);
    steps::chat(hand.app(), "Hi");
    for seconds in [20, 45] {
        let before = uptime();
        fs::write(ALARM, "0").expect("no other alarm");
        fs::write(ALARM, format!("+{seconds}")).expect("an alarm");
        fs::write("/sys/power/state", "mem").expect("the machine suspends");
        let woken = Instant::now();
        let slept = uptime() - before;
        // The alarm runs while the machine still goes to sleep.
        assert!(slept >= f64::from(seconds / 2), "it slept {slept} s only");
        let answer = steps::chat(hand.app(), "Count to 3");
        let took = woken.elapsed();
        assert!(!answer.is_empty());
        Table::note(
            "woken from suspend, both sides: until an answer that is asked for at once",
            took,
        );
        println!(
            "   suspended for {slept:.0} s: an answer {} ms after waking",
            took.as_millis()
        );
    }
}

/// Seconds since the machine started, those that it slept included (proc(5)).
fn uptime() -> f64 {
    let text = fs::read_to_string("/proc/uptime").expect("every kernel has it");
    let first = text.split_whitespace().next().and_then(|s| s.parse().ok());
    first.expect("seconds")
}
