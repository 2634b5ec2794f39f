//! The laptop's window and its memory of wrong digits.

use core::fmt;

use serde::{Deserialize, Serialize};

use super::WINDOW_MS;
use crate::time::Millis;

/// Wrong digits in a row that bring a pause.
const FAILURES_TO_PAUSE: u32 = 3;

/// The first pause; each further one is twice as long.
const FIRST_PAUSE_S: u64 = 600;

/// Wrong digits that end pairing for the day: at one chance in a million each, 10^-5 a day.
const FAILURES_PER_DAY: u32 = 10;

const DAY_S: u64 = 24 * 3600;

/// Wrong digits typed so far. Stored after every change, before the other side hears of it, so that ending
/// the process forgets nothing.
///
/// Only digits that a person typed wrongly count: no message of any peer, and so no stranger, can raise it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempts {
    /// Wrong since the last successful pairing.
    in_a_row: u32,
    /// Wrong since `day_began_s`.
    today: u32,
    /// When the running day of counting began, in seconds of the laptop's clock.
    day_began_s: u64,
    /// Until when pairing pauses, in seconds of the laptop's clock.
    paused_until_s: u64,
    /// The latest time seen: a clock set back revives nothing.
    seen_s: u64,
}

/// Pairing pauses after wrong digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paused {
    /// Seconds until a window can be opened again.
    pub for_s: u64,
}

impl fmt::Display for Paused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "pairing pauses for {} min after wrong digits",
            self.for_s.div_ceil(60)
        )
    }
}

impl core::error::Error for Paused {}

impl Attempts {
    /// Whether a window may be opened at `now_s`, in seconds of the laptop's clock.
    ///
    /// # Errors
    /// [`Paused`], with the seconds left.
    pub fn check(&mut self, now_s: u64) -> Result<(), Paused> {
        let now_s = self.now(now_s);
        match self.paused_until_s.saturating_sub(now_s) {
            0 => Ok(()),
            for_s => Err(Paused { for_s }),
        }
    }

    /// Counts wrong digits. The window is to be closed.
    pub fn failed(&mut self, now_s: u64) {
        let now_s = self.now(now_s);
        if self.today == 0 || now_s - self.day_began_s >= DAY_S {
            self.today = 0;
            self.day_began_s = now_s;
        }
        self.today += 1;
        self.in_a_row = self.in_a_row.saturating_add(1);
        if self.in_a_row.is_multiple_of(FAILURES_TO_PAUSE) {
            let doublings = (self.in_a_row / FAILURES_TO_PAUSE - 1).min(16);
            self.pause_until(now_s.saturating_add(FIRST_PAUSE_S << doublings));
        }
        if self.today >= FAILURES_PER_DAY {
            self.pause_until(self.day_began_s.saturating_add(DAY_S));
        }
    }

    /// A pairing succeeded: the row of failures ends, the day's count stays.
    pub fn succeeded(&mut self) {
        self.in_a_row = 0;
    }

    fn pause_until(&mut self, until_s: u64) {
        self.paused_until_s = self.paused_until_s.max(until_s);
    }

    fn now(&mut self, now_s: u64) -> u64 {
        self.seen_s = self.seen_s.max(now_s);
        self.seen_s
    }
}

/// What to do with a connection that wants to pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Go on with it.
    Admitted,
    /// No window is open: turn it away.
    Closed,
    /// Another is being paired: end both, close the window, warn the person.
    Crowded,
}

/// The two minutes that a person opened. One device at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    closes: Millis,
    open: bool,
    busy: bool,
}

impl Window {
    /// Opens it, unless wrong digits have paused pairing.
    ///
    /// # Errors
    /// [`Paused`].
    pub fn open(attempts: &mut Attempts, now_s: u64, now: Millis) -> Result<Self, Paused> {
        attempts.check(now_s)?;
        Ok(Self {
            closes: now.after(WINDOW_MS),
            open: true,
            busy: false,
        })
    }

    /// A device has completed the channel's handshake.
    ///
    /// Strangers who only open connections never get here, so that they can't crowd anybody out.
    pub fn arrive(&mut self, now: Millis) -> Admission {
        if !self.is_open(now) {
            return Admission::Closed;
        }
        if self.busy {
            self.open = false;
            return Admission::Crowded;
        }
        self.busy = true;
        Admission::Admitted
    }

    /// The device that was admitted is gone without wrong digits: another may come.
    pub fn left(&mut self) {
        self.busy = false;
    }

    /// A pairing succeeded, digits were wrong, or the person closed it.
    pub fn close(&mut self) {
        self.open = false;
    }

    /// Whether a device may still come.
    #[must_use]
    pub fn is_open(&self, now: Millis) -> bool {
        self.open && now < self.closes
    }

    /// When it closes by itself.
    #[must_use]
    pub fn closes(&self) -> Millis {
        self.closes
    }
}
