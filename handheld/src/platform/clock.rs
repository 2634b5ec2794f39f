//! The clock: milliseconds since boot, suspend included, so that a handheld that slept knows that it did.

use nix::time::{ClockId, clock_gettime};

use crate::time::Millis;

/// Now. Zero on a kernel without the clock, which none that runs this app is.
#[must_use]
pub fn now() -> Millis {
    clock_gettime(ClockId::CLOCK_BOOTTIME).map_or(Millis(0), |time| {
        // Both parts are positive on this clock.
        Millis(time.tv_sec().unsigned_abs() * 1000 + time.tv_nsec().unsigned_abs() / 1_000_000)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_runs_and_counts_suspended_time() {
        let first = now();
        assert!(first > Millis(0));
        assert!(now() >= first);
        let awake = clock_gettime(ClockId::CLOCK_MONOTONIC).unwrap();
        assert!(now().0 + 1 >= awake.tv_sec().unsigned_abs() * 1000);
    }
}
