//! Power key, lid and the clock, as falling asleep and waking. The firmware (or, on our own image, systemd-logind) suspends the device;
//! the app only sees it coming, and sees afterwards that it happened.
//!
//! | | Stock, muOS, Knulli, ArkOS | ROCKNIX, Batocera | our own image | the app |
//! |---|---|---|---|---|
//! | Power tapped | suspends | suspends | logind suspends (`HandlePowerKey`) | saves, lets link and radio rest, stops drawing |
//! | Lid closed | suspends (reads `hallkey`) | suspends (`SW_LID`) | logind suspends (`HandleLidSwitch`) | the same |
//! | Power held | shuts down, with SIGTERM | the same | the same | saves, then ends on SIGTERM |
//! | Awake again | turns the panel on | the same | the same | redraws, looks for its laptop |
//! | Nothing pressed for long | may suspend | may suspend | nothing | nothing |
//!
//! Whether it slept is known by its clocks: CLOCK_BOOTTIME counts suspended time and CLOCK_MONOTONIC does not, so their distance
//! grows by just that time (clock_gettime(2)). The power key that wakes a device is often reported after it woke; it must not put the
//! app to sleep again.

use crate::time::Millis;

/// A power key that is held longer than this, in milliseconds, shuts the device down and is no tap.
pub const TAP_MS: u64 = 1000;
/// A tap so soon after waking, in milliseconds, is the one that woke the device.
pub const WOKEN_MS: u64 = 2000;
/// The clocks' distance may grow so much, in milliseconds, without a suspend: reading one after the other takes time.
pub const GAP_MS: u64 = 500;

/// What power key, lid and clock say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// The power key closed or opened.
    Power(bool),
    /// The lid is closed or open.
    Lid(bool),
    /// The lid moved, and nothing says where to.
    LidMoved,
    /// Milliseconds of suspended time since boot, by the clocks.
    Slept(u64),
}

/// What that means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// The device is about to sleep.
    Asleep,
    /// It is in use again.
    Awake,
}

/// The state.
#[derive(Debug, Clone, Default)]
pub struct Doze {
    asleep: bool,
    /// Since when the power key is down, if its release may still be a tap.
    power: Option<Millis>,
    /// When it last woke, by whichever sign.
    woke: Option<Millis>,
    slept: Option<u64>,
}

impl Doze {
    /// Takes a sign in.
    pub fn take(&mut self, sign: Sign, now: Millis) -> Option<Turn> {
        match sign {
            Sign::Power(true) if self.asleep => self.wake(now),
            Sign::Power(true) => {
                self.power = self
                    .woke
                    .is_none_or(|at| now.since(at) >= WOKEN_MS)
                    .then_some(now);
                None
            }
            Sign::Power(false) => {
                let since = self.power.take()?;
                (now.since(since) < TAP_MS).then(|| self.sleep()).flatten()
            }
            Sign::Lid(true) => self.sleep(),
            Sign::Lid(false) => self.wake(now),
            Sign::LidMoved if self.asleep => self.wake(now),
            Sign::LidMoved => self.sleep(),
            Sign::Slept(ms) => {
                let before = self.slept.replace(ms)?;
                if ms.saturating_sub(before) < GAP_MS {
                    return None;
                }
                // The key or lid that woke it has been heard already.
                if !self.asleep && self.woke.is_some_and(|at| now.since(at) < WOKEN_MS) {
                    return None;
                }
                // It slept and nobody had said so: all the same, whoever reads this is awake.
                self.asleep = true;
                self.wake(now)
            }
        }
    }

    /// A button woke the app.
    pub fn woken(&mut self, now: Millis) {
        self.wake(now);
    }

    fn sleep(&mut self) -> Option<Turn> {
        self.power = None;
        (!std::mem::replace(&mut self.asleep, true)).then_some(Turn::Asleep)
    }

    fn wake(&mut self, now: Millis) -> Option<Turn> {
        self.power = None;
        self.woke = Some(now);
        std::mem::take(&mut self.asleep).then_some(Turn::Awake)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn play(signs: &[(u64, Sign)]) -> Vec<(u64, Turn)> {
        let mut doze = Doze::default();
        let turns = signs
            .iter()
            .map(|(at, sign)| (*at, doze.take(*sign, Millis(*at))));
        turns.filter_map(|(at, turn)| Some((at, turn?))).collect()
    }

    #[test]
    fn a_tap_sleeps_on_release_and_a_hold_is_left_to_the_firmware() {
        use Sign::Power;
        assert_eq!(
            play(&[(10_000, Power(true)), (10_200, Power(false))]),
            [(10_200, Turn::Asleep)]
        );
        assert_eq!(play(&[(10_000, Power(true)), (14_000, Power(false))]), []);
        assert_eq!(
            play(&[(10_000, Power(false))]),
            [],
            "the release of a press before our time"
        );
    }

    #[test]
    fn the_press_that_wakes_does_not_put_to_sleep_again_whichever_comes_first() {
        use Sign::{Power, Slept};
        let asleep = [(0, Slept(0)), (10_000, Power(true)), (10_200, Power(false))];
        let key_first = [
            (90_000, Power(true)),
            (90_001, Slept(79_000)),
            (90_100, Power(false)),
        ];
        let clock_first = [
            (90_000, Slept(79_000)),
            (90_001, Power(true)),
            (90_100, Power(false)),
        ];
        for waking in [key_first, clock_first] {
            let signs: Vec<_> = asleep.into_iter().chain(waking).collect();
            assert_eq!(
                play(&signs),
                [(10_200, Turn::Asleep), (90_000, Turn::Awake)]
            );
        }
        // The next tap sleeps again.
        let again = [
            (0, Slept(0)),
            (9000, Slept(8000)),
            (12_000, Power(true)),
            (12_100, Power(false)),
        ];
        assert_eq!(play(&again), [(9000, Turn::Awake), (12_100, Turn::Asleep)]);
    }

    #[test]
    fn a_lid_sleeps_and_wakes_by_each_of_its_signs() {
        use Sign::{Lid, LidMoved};
        assert_eq!(
            play(&[(1, Lid(true)), (2, Lid(true)), (3, Lid(false))]),
            [(1, Turn::Asleep), (3, Turn::Awake)]
        );
        assert_eq!(
            play(&[(1, LidMoved), (2, LidMoved)]),
            [(1, Turn::Asleep), (2, Turn::Awake)]
        );
    }

    #[test]
    fn a_suspend_that_nobody_announced_is_a_waking() {
        assert_eq!(
            play(&[
                (5, Sign::Slept(0)),
                (9, Sign::Slept(499)),
                (10, Sign::Slept(60_000))
            ]),
            [(10, Turn::Awake)]
        );
    }

    proptest! {
        /// Falling asleep and waking alternate, but for a waking from a suspend that nobody had announced.
        #[test]
        fn turns_alternate(steps in prop::collection::vec((0usize..6, 0u64..3000), 0..100)) {
            let mut doze = Doze::default();
            let mut now = 5000;
            let mut slept = 0;
            let mut asleep = false;
            for (kind, wait) in steps {
                now += wait;
                let sign = [Sign::Power(true), Sign::Power(false), Sign::Lid(true), Sign::Lid(false), Sign::LidMoved][kind.min(4)];
                let sign = if kind == 5 { slept += wait; Sign::Slept(slept) } else { sign };
                match doze.take(sign, Millis(now)) {
                    Some(Turn::Asleep) => { prop_assert!(!asleep); asleep = true; }
                    Some(Turn::Awake) => { prop_assert!(asleep || kind == 5); asleep = false; }
                    None => {}
                }
            }
        }
    }
}
