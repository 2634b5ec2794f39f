//! Single values: the highest time ever seen, and how often a pairing was mistyped.

use super::{Store, StoreError};
use rusqlite::{OptionalExtension, params};

/// Names of single values. Never used again for another meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setting {
    /// Highest time ever seen, seconds since 1970, little-endian `i64`.
    ClockHighWater,
    /// [`FailureCounter`] of pairing.
    PairingFailures,
    /// Carrier settings that the link made for itself.
    Link,
}

impl Setting {
    fn name(self) -> &'static str {
        match self {
            Self::ClockHighWater => "clock.high-water",
            Self::PairingFailures => "pairing.failures",
            Self::Link => "link",
        }
    }
}

/// Typed mismatches of pairing: three pause the window for ten minutes, doubling; ten end it for the day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FailureCounter {
    /// Mismatches since the last success.
    pub in_row: u32,
    /// Mismatches on `day`.
    pub today: u32,
    /// The local day that `today` counts.
    pub day: i64,
    /// No window before this time, in seconds since 1970.
    pub paused_until: i64,
}

impl FailureCounter {
    /// Mismatches in a row before the first pause.
    pub const FREE: u32 = 3;
    /// First pause in seconds.
    pub const PAUSE_S: i64 = 600;
    /// Mismatches a day after which only the next day helps.
    pub const MAX_A_DAY: u32 = 10;

    /// Counts one typed mismatch.
    #[must_use]
    pub fn after_mismatch(self, now: i64, day: i64) -> Self {
        let in_row = self.in_row.saturating_add(1);
        let today = if day == self.day {
            self.today.saturating_add(1)
        } else {
            1
        };
        let paused_until = match in_row.checked_sub(Self::FREE) {
            None => self.paused_until,
            // Doubling ends at about a week: the cap of a day bites long before.
            Some(beyond) => now.saturating_add(Self::PAUSE_S << beyond.min(10)),
        };
        Self {
            in_row,
            today,
            day,
            paused_until,
        }
    }

    /// Seconds until a window may be opened, or zero. `i64::MAX` means not today.
    pub fn wait_s(&self, now: i64, day: i64) -> i64 {
        if day == self.day && self.today >= Self::MAX_A_DAY {
            i64::MAX
        } else {
            (self.paused_until - now).max(0)
        }
    }

    /// Forgets the row, not the day.
    #[must_use]
    pub fn after_success(self) -> Self {
        Self {
            in_row: 0,
            paused_until: 0,
            ..self
        }
    }
}

impl Store {
    /// A single value; `None` if it was never set.
    ///
    /// # Errors
    /// What the database said.
    pub fn setting(&self, setting: Setting) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self
            .lock()
            .query_row(
                "SELECT value FROM settings WHERE name = ?1",
                [setting.name()],
                |row| row.get(0),
            )
            .optional()?)
    }

    /// Sets a single value durably.
    ///
    /// # Errors
    /// What the database said.
    pub fn set_setting(&self, setting: Setting, value: &[u8]) -> Result<(), StoreError> {
        self.lock().execute(
            "INSERT OR REPLACE INTO settings VALUES (?1, ?2)",
            params![setting.name(), value],
        )?;
        Ok(())
    }

    /// The highest time ever seen, in seconds since 1970; `i64::MIN` before the first.
    ///
    /// # Errors
    /// What the database said.
    pub fn clock_high_water(&self) -> Result<i64, StoreError> {
        let bytes = self.setting(Setting::ClockHighWater)?;
        Ok(bytes
            .and_then(|bytes| bytes.try_into().ok())
            .map_or(i64::MIN, i64::from_le_bytes))
    }

    /// Raises the highest time ever seen; a lower one changes nothing.
    ///
    /// # Errors
    /// What the database said.
    pub fn raise_clock(&self, now: i64) -> Result<(), StoreError> {
        if now > self.clock_high_water()? {
            self.set_setting(Setting::ClockHighWater, &now.to_le_bytes())
        } else {
            Ok(())
        }
    }

    /// How often pairing was mistyped. A damaged value counts as a day's worth, so that damage never opens the door.
    ///
    /// # Errors
    /// What the database said.
    pub fn pairing_failures(&self) -> Result<FailureCounter, StoreError> {
        let Some(bytes) = self.setting(Setting::PairingFailures)? else {
            return Ok(FailureCounter::default());
        };
        Ok(decode(&bytes).unwrap_or(FailureCounter {
            in_row: FailureCounter::FREE,
            paused_until: 0,
            ..FailureCounter::default()
        }))
    }

    /// Writes the count down before its consequence is shown.
    ///
    /// # Errors
    /// What the database said.
    pub fn set_pairing_failures(&self, counter: FailureCounter) -> Result<(), StoreError> {
        let mut bytes = Vec::with_capacity(24);
        bytes.extend(counter.in_row.to_le_bytes());
        bytes.extend(counter.today.to_le_bytes());
        bytes.extend(counter.day.to_le_bytes());
        bytes.extend(counter.paused_until.to_le_bytes());
        self.set_setting(Setting::PairingFailures, &bytes)
    }
}

fn decode(bytes: &[u8]) -> Option<FailureCounter> {
    let (in_row, rest) = bytes.split_first_chunk()?;
    let (today, rest) = rest.split_first_chunk()?;
    let (day, rest) = rest.split_first_chunk()?;
    let (paused_until, rest) = rest.split_first_chunk()?;
    rest.is_empty().then_some(FailureCounter {
        in_row: u32::from_le_bytes(*in_row),
        today: u32::from_le_bytes(*today),
        day: i64::from_le_bytes(*day),
        paused_until: i64::from_le_bytes(*paused_until),
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::TempFolder;
    use super::*;

    #[test]
    fn mismatches_pause_the_window_longer_and_longer_and_end_it_for_the_day() {
        let mut counter = FailureCounter::default();
        let mut waits = Vec::new();
        for _ in 0..10 {
            counter = counter.after_mismatch(1_000, 7);
            waits.push(counter.wait_s(1_000, 7));
        }
        assert_eq!(
            waits,
            [
                0,
                0,
                600,
                1_200,
                2_400,
                4_800,
                9_600,
                19_200,
                38_400,
                i64::MAX
            ]
        );
        assert_eq!(counter.wait_s(1_000_000, 8), 0);
    }

    #[test]
    fn a_success_forgets_the_row_but_not_the_day() {
        let mut counter = FailureCounter::default();
        for _ in 0..9 {
            counter = counter.after_mismatch(0, 7).after_success();
            assert_eq!(counter.wait_s(0, 7), 0);
        }
        assert_eq!(counter.after_mismatch(0, 7).wait_s(0, 7), i64::MAX);
    }

    #[test]
    fn the_count_survives_a_restart() {
        let folder = TempFolder::new("failures");
        let counter = FailureCounter {
            in_row: 2,
            today: 3,
            day: 20_000,
            paused_until: 12,
        };
        let store = Store::open(&folder.0).expect("a store");
        assert_eq!(
            store.pairing_failures().expect("none"),
            FailureCounter::default()
        );
        store.set_pairing_failures(counter).expect("set");
        drop(store);
        let store = Store::open(&folder.0).expect("reopened");
        assert_eq!(store.pairing_failures().expect("read"), counter);
        store
            .set_setting(Setting::PairingFailures, b"damage")
            .expect("set");
        assert_eq!(
            store.pairing_failures().expect("read").in_row,
            FailureCounter::FREE
        );
    }

    #[test]
    fn the_highest_time_never_falls() {
        let folder = TempFolder::new("clock");
        let store = Store::open(&folder.0).expect("a store");
        assert_eq!(store.clock_high_water().expect("none"), i64::MIN);
        for (raised, expected) in [(100, 100), (50, 100), (101, 101), (-5, 101)] {
            store.raise_clock(raised).expect("raised");
            assert_eq!(store.clock_high_water().expect("read"), expected);
        }
    }
}
