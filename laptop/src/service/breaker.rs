//! A circuit breaker: a provider that keeps failing is left alone for a while, then tried with one request.

use std::time::{Duration, Instant};

/// Failures in a row that open the breaker.
const THRESHOLD: u32 = 3;
/// First rest of an opened breaker; it doubles with every failed trial.
const FIRST_REST: Duration = Duration::from_secs(5);
/// Longest rest.
const LONGEST_REST: Duration = Duration::from_secs(60);

/// Whether a request may go to the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// Ask it.
    Open,
    /// Leave it alone for so long.
    Closed(Duration),
}

/// State of one provider. Pure: the caller says what time it is.
#[derive(Clone, Debug, Default)]
pub struct Breaker {
    failures: u32,
    /// End of the rest and its length.
    rest: Option<(Instant, Duration)>,
    /// Whether the trial request after a rest is under way.
    trial: bool,
    last: Option<String>,
}

impl Breaker {
    /// Asks to send a request at `now`. After a rest one caller gets through, the others wait for its outcome.
    pub fn ask(&mut self, now: Instant) -> Gate {
        match self.rest {
            None => Gate::Open,
            Some((end, _)) if now < end => Gate::Closed(end - now),
            Some(_) if self.trial => Gate::Closed(Duration::from_secs(1)),
            Some(_) => {
                self.trial = true;
                Gate::Open
            }
        }
    }

    /// The request went well, or failed through no fault of the provider.
    pub fn succeeded(&mut self) {
        *self = Self::default();
    }

    /// The provider failed, as `why` says.
    pub fn failed(&mut self, now: Instant, why: &str) {
        self.failures = self.failures.saturating_add(1);
        self.last = Some(why.to_owned());
        self.trial = false;
        if self.failures >= THRESHOLD {
            let length = match self.rest {
                Some((_, length)) => (length * 2).min(LONGEST_REST),
                None => FIRST_REST,
            };
            self.rest = Some((now + length, length));
        }
    }

    /// The request ended without telling anything about the provider (it was cancelled).
    pub fn abandoned(&mut self) {
        self.trial = false;
    }

    /// The last failure since the last success, and whether it was enough to open the breaker.
    pub fn trouble(&self) -> Option<(&str, bool)> {
        self.last.as_deref().map(|why| (why, self.rest.is_some()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_failures_in_a_row_open_it_and_a_success_closes_it() {
        let (mut breaker, start) = (Breaker::default(), Instant::now());
        for _ in 0..2 {
            breaker.failed(start, "refused");
            assert_eq!(breaker.ask(start), Gate::Open);
        }
        assert_eq!(breaker.trouble(), Some(("refused", false)));
        breaker.failed(start, "refused");
        assert_eq!(breaker.ask(start), Gate::Closed(FIRST_REST));
        assert_eq!(breaker.trouble(), Some(("refused", true)));
        breaker.succeeded();
        assert_eq!(breaker.ask(start), Gate::Open);
        assert_eq!(breaker.trouble(), None);
    }

    #[test]
    fn after_the_rest_one_trial_passes_and_its_failure_doubles_the_rest() {
        let (mut breaker, start) = (Breaker::default(), Instant::now());
        for _ in 0..3 {
            breaker.failed(start, "x");
        }
        let later = start + FIRST_REST;
        assert_eq!(breaker.ask(later), Gate::Open);
        assert!(
            matches!(breaker.ask(later), Gate::Closed(_)),
            "a second caller waits for the trial"
        );
        breaker.failed(later, "x");
        assert_eq!(breaker.ask(later), Gate::Closed(FIRST_REST * 2));
    }

    #[test]
    fn an_abandoned_trial_lets_the_next_one_through_and_rests_are_bounded() {
        let (mut breaker, mut now) = (Breaker::default(), Instant::now());
        for _ in 0..40 {
            breaker.failed(now, "x");
            now += LONGEST_REST;
        }
        assert_eq!(breaker.ask(now), Gate::Open);
        breaker.abandoned();
        assert_eq!(breaker.ask(now), Gate::Open);
        breaker.failed(now, "x");
        assert_eq!(breaker.ask(now), Gate::Closed(LONGEST_REST));
    }
}
