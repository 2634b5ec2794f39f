//! What a relationship has used: requests in the last minute, and amounts of the day.

use std::collections::VecDeque;

/// Span of the request rate, in milliseconds.
const RATE_SPAN_MS: u64 = 60_000;

/// Amounts used up, or reserved at most, by programs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Language tokens, in and out.
    pub tokens: u64,
    /// Pictures made.
    pub pictures: u64,
    /// Octets of files and downloads moved.
    pub bytes: u64,
    /// Seconds that services worked on texts and pictures.
    pub seconds: u64,
}

impl Usage {
    /// The sum of both, stopping at the largest number.
    pub fn plus(self, other: Self) -> Self {
        Self {
            tokens: self.tokens.saturating_add(other.tokens),
            pictures: self.pictures.saturating_add(other.pictures),
            bytes: self.bytes.saturating_add(other.bytes),
            seconds: self.seconds.saturating_add(other.seconds),
        }
    }

    /// What is left of `self` after `other`, never below zero.
    pub fn minus(self, other: Self) -> Self {
        Self {
            tokens: self.tokens.saturating_sub(other.tokens),
            pictures: self.pictures.saturating_sub(other.pictures),
            bytes: self.bytes.saturating_sub(other.bytes),
            seconds: self.seconds.saturating_sub(other.seconds),
        }
    }
}

/// Times of the programs of the last minute.
#[derive(Debug, Clone, Default)]
pub struct RateWindow {
    /// Monotonic milliseconds, oldest first; never longer than the largest `per_minute` asked for.
    admitted_at: VecDeque<u64>,
}

impl RateWindow {
    /// Takes one more program at `now_ms`, or says in how many milliseconds it may come again.
    ///
    /// # Errors
    /// The wait in milliseconds; `u64::MAX` if `per_minute` is zero. A refused program is not counted.
    pub fn admit(&mut self, per_minute: u32, now_ms: u64) -> Result<(), u64> {
        self.check(per_minute, now_ms)?;
        while self
            .admitted_at
            .front()
            .is_some_and(|at| now_ms.saturating_sub(*at) >= RATE_SPAN_MS)
        {
            self.admitted_at.pop_front();
        }
        self.admitted_at.push_back(now_ms);
        Ok(())
    }

    /// Says what [`Self::admit`] would say, without counting.
    ///
    /// # Errors
    /// As [`Self::admit`].
    pub fn check(&self, per_minute: u32, now_ms: u64) -> Result<(), u64> {
        if per_minute == 0 {
            return Err(u64::MAX);
        }
        let recent = self
            .admitted_at
            .iter()
            .filter(|at| now_ms.saturating_sub(**at) < RATE_SPAN_MS)
            .count();
        let Some(excess) = (recent + 1)
            .checked_sub(per_minute as usize)
            .filter(|excess| *excess > 0)
        else {
            return Ok(());
        };
        // The program may come once `excess` of the recent ones have left the span.
        let first_recent = self.admitted_at.len() - recent;
        let leaving = self.admitted_at[first_recent + excess - 1];
        Err(RATE_SPAN_MS - now_ms.saturating_sub(leaving))
    }
}

/// Everything about past use that a verdict depends on.
#[derive(Debug, Clone, Default)]
pub struct Counters {
    /// Programs of the last minute.
    pub rate: RateWindow,
    /// Used up today.
    pub used: Usage,
    /// Reserved at most by programs that are running now, so that two at once cannot overdraw.
    pub reserved: Usage,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_admits_its_number_and_then_names_the_wait() {
        let mut rate = RateWindow::default();
        for at in [0, 1_000, 2_000] {
            assert_eq!(rate.admit(3, at), Ok(()));
        }
        assert_eq!(rate.admit(3, 3_000), Err(57_000));
        assert_eq!(rate.admit(3, 59_999), Err(1));
        assert_eq!(rate.admit(3, 60_000), Ok(()));
        assert_eq!(rate.admit(3, 60_001), Err(999));
    }

    #[test]
    fn a_rate_of_zero_admits_nothing() {
        assert_eq!(RateWindow::default().admit(0, 5), Err(u64::MAX));
    }

    #[test]
    fn a_lowered_rate_holds_at_once() {
        let mut rate = RateWindow::default();
        for at in 0..10 {
            assert_eq!(rate.admit(60, at * 1_000), Ok(()));
        }
        // Two a minute: nine of the ten must have left before the next one.
        assert_eq!(rate.check(2, 10_000), Err(60_000 - 10_000 + 8_000));
    }

    #[test]
    fn the_window_does_not_grow_without_bound() {
        let mut rate = RateWindow::default();
        for minute in 0..100u64 {
            for second in 0..10 {
                assert_eq!(rate.admit(10, minute * 60_000 + second), Ok(()));
            }
        }
        assert!(rate.admitted_at.len() <= 20);
    }

    #[test]
    fn amounts_stop_at_the_ends_instead_of_wrapping() {
        let most = Usage {
            tokens: u64::MAX,
            pictures: 1,
            bytes: 1,
            seconds: 1,
        };
        assert_eq!(most.plus(most).tokens, u64::MAX);
        assert_eq!(Usage::default().minus(most), Usage::default());
    }
}
