//! When to try the link again: fast first, then ever more patiently, never all at the same instant.

/// Spans between tries in milliseconds. A laptop that only blinked is back within the first; one in a bag
/// costs a try every half minute.
const SPANS: [u64; 8] = [100, 300, 1000, 2000, 4000, 8000, 15_000, 30_000];

/// A session that lasted so long was a good one: the next loss starts fast again.
pub const GOOD_AFTER_MS: u64 = 1_000;

/// A laptop that greets and then breaks off at once is tried again after a second at the longest: it is there and it is ours.
const GREETED_FAILURES: usize = 2;

/// Counts failures and gives spans.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Backoff {
    failures: usize,
}

impl Backoff {
    /// Milliseconds to wait before the next try; `chance` is any number, it spreads the span by a quarter either way.
    pub fn next_wait(&mut self, chance: u32) -> u64 {
        let span = SPANS[self.failures.min(SPANS.len() - 1)];
        self.failures = self.failures.saturating_add(1);
        span * 3 / 4 + span * u64::from(chance % 1024) / 2048
    }

    /// Notes that a session ended after `lasted_ms`.
    pub fn session_ended(&mut self, lasted_ms: u64) {
        self.failures = match lasted_ms {
            GOOD_AFTER_MS.. => 0,
            _ => self.failures.min(GREETED_FAILURES),
        };
    }

    /// Starts over, because the person asked or something changed.
    pub fn reset(&mut self) {
        self.failures = 0;
    }

    /// Waits as long as ever: the laptop refused us, so hurry helps nobody.
    pub fn be_patient(&mut self) {
        self.failures = SPANS.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_from_a_blink_to_half_a_minute_and_stay_there() {
        let mut backoff = Backoff::default();
        let waits: Vec<u64> = (0..10).map(|_| backoff.next_wait(512)).collect();
        assert_eq!(
            waits,
            [
                100, 300, 1000, 2000, 4000, 8000, 15_000, 30_000, 30_000, 30_000
            ]
        );
    }

    #[test]
    fn chance_spreads_a_wait_by_a_quarter_and_no_more() {
        for chance in [0, 1, 700, 1023, 1024, u32::MAX] {
            let wait = Backoff { failures: 4 }.next_wait(chance);
            assert!((3000..5000).contains(&wait), "{chance}: {wait}");
        }
    }

    #[test]
    fn a_session_that_lasted_makes_the_next_try_fast_and_a_short_one_keeps_it_within_a_second() {
        let mut backoff = Backoff { failures: 6 };
        backoff.session_ended(GOOD_AFTER_MS - 1);
        assert_eq!(backoff.next_wait(512), 1000);
        backoff.session_ended(GOOD_AFTER_MS);
        assert_eq!(backoff.next_wait(512), 100);
        backoff.be_patient();
        assert_eq!(backoff.next_wait(512), 30_000);
    }
}
