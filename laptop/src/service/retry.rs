//! Repeating an attempt that cannot have run, with growing, jittered pauses inside a deadline.

use std::time::{Duration, Instant};

use crate::ipc::{CancelToken, Failure, Gone};

use super::{Again, Attempt};

/// How patient to be.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Pause after the first failure, before jitter; doubles each time.
    pub first: Duration,
    /// Longest pause that we choose; a provider may ask for more.
    pub longest: Duration,
    /// Time that there is, a quarter of it for the last attempt's answer.
    pub deadline: Duration,
    /// Likewise, where another provider may be asked instead.
    pub open_deadline: Duration,
    /// Most attempts after the first.
    pub retries: u32,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            first: Duration::from_millis(300),
            longest: Duration::from_secs(5),
            // What a language operation has before its first token: who waits longer is told that it timed out.
            deadline: Duration::from_secs(120),
            open_deadline: Duration::from_secs(30),
            retries: 3,
        }
    }
}

impl Patience {
    /// The same for a route, which is `open` where another provider may take the request.
    #[must_use]
    pub fn of_route(self, open: bool) -> Self {
        match open {
            true => Self {
                deadline: self.deadline.min(self.open_deadline),
                ..self
            },
            false => self,
        }
    }

    /// Time after which no further attempt begins: who slept through nearly all of the deadline would ask in vain.
    fn last_attempt(&self) -> Duration {
        self.deadline * 3 / 4
    }

    /// The pause before attempt `n + 1` (`n` from 0): what the provider asked for, else exponential with full jitter in
    /// its upper half. `noise` is any number that differs between callers.
    pub fn pause(&self, n: u32, asked: Option<Duration>, noise: u64) -> Duration {
        if let Some(asked) = asked {
            return asked;
        }
        let full = self.first.saturating_mul(1 << n.min(16)).min(self.longest);
        let half = full / 2;
        let fraction = u32::try_from(noise % 1000).unwrap_or_default();
        half + half * fraction / 1000
    }
}

/// Runs `attempt` until it succeeds, must not be repeated, or a pause would leave too little of the deadline for an answer.
///
/// # Errors
/// The last [`Attempt`], or a cancelled one.
pub fn run<T>(
    patience: Patience,
    cancel: &CancelToken,
    mut attempt: impl FnMut() -> Result<T, Attempt>,
) -> Result<T, Attempt> {
    let start = Instant::now();
    let mut n = 0;
    loop {
        let failed = match attempt() {
            Ok(value) => return Ok(value),
            Err(failed) => failed,
        };
        let Again::Later(asked) = failed.again else {
            return Err(failed);
        };
        if n >= patience.retries {
            return Err(failed);
        }
        let pause = patience.pause(n, asked, noise());
        if start.elapsed() + pause > patience.last_attempt() {
            return Err(failed);
        }
        log::info!(
            "will ask again in {} ms: {}",
            pause.as_millis(),
            failed.failure
        );
        if !cancel.sleep(pause) {
            return Err(Failure::from(Gone).into());
        }
        n += 1;
    }
}

/// A number that differs from call to call; spreading callers is all it is for.
fn noise() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(0u8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ipc::FailureCode;

    fn failed(again: Again) -> Attempt {
        Attempt {
            failure: Failure::new(FailureCode::RateLimited, "p", "later"),
            again,
        }
    }

    const QUICK: Patience = Patience {
        first: Duration::from_millis(1),
        longest: Duration::from_millis(4),
        deadline: Duration::from_secs(20),
        open_deadline: Duration::from_secs(20),
        retries: 3,
    };

    #[test]
    fn only_what_cannot_have_run_is_repeated() {
        for again in [Again::Never, Again::Elsewhere] {
            let mut runs = 0;
            let result: Result<(), _> = run(QUICK, &CancelToken::new(), || {
                runs += 1;
                Err(failed(again))
            });
            assert!(result.is_err());
            assert_eq!(runs, 1);
        }
        let mut runs = 0;
        let result = run(QUICK, &CancelToken::new(), || {
            runs += 1;
            if runs < 4 {
                Err(failed(Again::Later(None)))
            } else {
                Ok(runs)
            }
        });
        assert_eq!(result, Ok(4));
    }

    #[test]
    fn a_provider_that_stays_busy_is_asked_four_times_in_all() {
        let mut runs = 0;
        let result: Result<(), _> = run(QUICK, &CancelToken::new(), || {
            runs += 1;
            Err(failed(Again::Later(None)))
        });
        assert_eq!(result.unwrap_err().again, Again::Later(None));
        assert_eq!(runs, 4);
    }

    #[test]
    fn a_pause_that_a_provider_asks_for_is_slept() {
        let (mut runs, asked) = (0, Duration::from_millis(30));
        let start = Instant::now();
        let result = run(QUICK, &CancelToken::new(), || {
            runs += 1;
            match runs {
                1 => Err(failed(Again::Later(Some(asked)))),
                _ => Ok(start.elapsed()),
            }
        });
        assert!(result.unwrap() >= asked);
    }

    #[test]
    fn a_pause_that_leaves_too_little_for_an_answer_is_not_slept() {
        for seconds in [3600, 19, 16] {
            let mut runs = 0;
            let result: Result<(), _> = run(QUICK, &CancelToken::new(), || {
                runs += 1;
                Err(failed(Again::Later(Some(Duration::from_secs(seconds)))))
            });
            assert_eq!(result.unwrap_err().failure.code, FailureCode::RateLimited);
            assert_eq!(runs, 1);
        }
    }

    #[test]
    fn pauses_grow_stay_in_their_band_and_obey_the_provider() {
        let patience = Patience::default();
        for (n, full) in [(0, 300), (1, 600), (4, 4_800), (9, 5_000), (40, 5_000)] {
            for noise in [0, 1, 999, u64::MAX] {
                let pause = patience.pause(n, None, noise).as_millis();
                assert!((full / 2..=full).contains(&pause), "{n} {noise} {pause}");
            }
        }
        assert_eq!(
            patience.pause(0, Some(Duration::from_secs(9)), 5),
            Duration::from_secs(9)
        );
    }

    #[test]
    fn a_request_that_another_one_may_take_waits_less() {
        let patience = Patience::default();
        assert_eq!(patience.of_route(true).deadline, Duration::from_secs(30));
        assert_eq!(patience.of_route(false).deadline, Duration::from_secs(120));
        assert_eq!(QUICK.of_route(true).deadline, QUICK.deadline);
    }

    #[test]
    fn a_cancel_ends_the_waiting() {
        let cancel = CancelToken::new();
        cancel.cancel();
        let result: Result<(), _> = run(Patience::default(), &cancel, || {
            Err(failed(Again::Later(None)))
        });
        assert_eq!(result.unwrap_err().failure.code, FailureCode::Cancelled);
    }
}
