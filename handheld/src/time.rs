//! The one unit in which time is handed to the pure parts.

use serde::{Deserialize, Serialize};

/// Milliseconds on a monotonic clock that keeps counting during suspend. Zero means nothing in particular.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Millis(pub u64);

impl Millis {
    /// This instant moved later by `span` milliseconds, stopping at the end of the range.
    pub const fn plus(self, span: u64) -> Self {
        Self(self.0.saturating_add(span))
    }

    /// Milliseconds from `earlier` to this instant, zero if `earlier` is not earlier.
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_stop_at_both_ends_of_the_range() {
        assert_eq!(Millis(5).since(Millis(9)), 0);
        assert_eq!(Millis(u64::MAX).plus(1), Millis(u64::MAX));
        assert_eq!(Millis(10).plus(5).since(Millis(10)), 5);
    }
}
