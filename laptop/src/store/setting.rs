//! Single values: the highest time ever seen, and how often pairing was mistyped.

use super::relationship::unsigned;
use super::reserve::Purpose;
use super::{Store, StoreError};
use crate::ledger::Event;
use rusqlite::{OptionalExtension, params};
use shared_proto::pairing::Attempts;
use std::collections::BTreeSet;

/// Names of single values. Never used again for another meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setting {
    /// Highest time ever seen, seconds since 1970, little-endian `i64`.
    ClockHighWater,
    /// [`Attempts`] of pairing.
    PairingFailures,
    /// Carrier settings that the link made for itself.
    Link,
    /// Named tokens of the control API, as JSON; digests only.
    Tokens,
    /// Models that the owner has switched off, as JSON.
    ModelsOff,
}

impl Setting {
    fn name(self) -> &'static str {
        match self {
            Self::ClockHighWater => "clock.high-water",
            Self::PairingFailures => "pairing.failures",
            Self::Link => "link",
            Self::Tokens => "tokens",
            Self::ModelsOff => "models.off",
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

    /// Sets a single value durably, and says in the ledger what that means.
    ///
    /// # Errors
    /// What the database said.
    pub fn set_noted(
        &self,
        setting: Setting,
        value: &[u8],
        event: Event,
        purpose: Purpose,
    ) -> Result<(), StoreError> {
        self.insist(purpose, || {
            let mut connection = self.lock();
            let transaction = connection.transaction()?;
            transaction.execute(
                "INSERT OR REPLACE INTO settings VALUES (?1, ?2)",
                params![setting.name(), value],
            )?;
            self.scribe.note(&transaction, event.clone())?;
            Ok(transaction.commit()?)
        })
    }

    /// Models that the owner has switched off. A damaged list ends in an error: nobody knows what was in it.
    ///
    /// # Errors
    /// What the database said, or that the list does not read.
    pub fn models_off(&self) -> Result<BTreeSet<String>, StoreError> {
        match self.setting(Setting::ModelsOff)? {
            None => Ok(BTreeSet::new()),
            Some(bytes) => serde_json::from_slice(&bytes)
                .map_err(|_| StoreError::Unreadable("the list of models that are off")),
        }
    }

    /// Models that are off from now on; `model` is the one that was switched.
    ///
    /// # Errors
    /// What the database said.
    pub fn set_models_off(
        &self,
        off: &BTreeSet<String>,
        model: &str,
        on: bool,
    ) -> Result<(), StoreError> {
        // A set of texts into a growing vector: this has no way to fail here.
        let list = serde_json::to_vec(off).unwrap_or_default();
        let event = Event::Model {
            model: model.to_owned(),
            on,
        };
        self.set_noted(Setting::ModelsOff, &list, event, Purpose::Decision)
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

    /// How often pairing was mistyped. A damaged value counts as a day's worth at `now`, so that damage never opens
    /// the door.
    ///
    /// # Errors
    /// What the database said.
    pub fn attempts(&self, now: i64) -> Result<Attempts, StoreError> {
        let Some(bytes) = self.setting(Setting::PairingFailures)? else {
            return Ok(Attempts::default());
        };
        Ok(postcard::from_bytes(&bytes).unwrap_or_else(|_| {
            let mut attempts = Attempts::default();
            (0..DAYS_WORTH).for_each(|_| attempts.failed(unsigned(now)));
            attempts
        }))
    }

    /// Writes the count down before its consequence is shown.
    ///
    /// # Errors
    /// What the database said.
    pub fn set_attempts(&self, attempts: &Attempts) -> Result<(), StoreError> {
        // A plain struct of numbers into a growing vector: postcard has no way to fail here.
        self.set_setting(
            Setting::PairingFailures,
            &postcard::to_allocvec(attempts).unwrap_or_default(),
        )
    }
}

/// As many wrong digits as end pairing for a day, whatever they are counted to be.
const DAYS_WORTH: u32 = 100;

#[cfg(test)]
mod tests {
    use super::super::testing::TempFolder;
    use super::*;

    #[test]
    fn wrong_digits_are_remembered_over_a_restart_and_damage_counts_as_many() {
        let folder = TempFolder::new("failures");
        let store = Store::open(&folder.0).expect("a store");
        let mut attempts = store.attempts(1_000).expect("none");
        assert_eq!(attempts.check(1_000), Ok(()));
        (0..3).for_each(|_| attempts.failed(1_000));
        store.set_attempts(&attempts).expect("set");
        drop(store);
        let store = Store::open(&folder.0).expect("reopened");
        assert_eq!(store.attempts(1_000).expect("read"), attempts);
        assert!(store.attempts(1_000).expect("read").check(1_000).is_err());
        store
            .set_setting(Setting::PairingFailures, b"")
            .expect("set");
        assert!(store.attempts(1_000).expect("read").check(1_000).is_err());
    }

    #[test]
    fn models_that_are_off_stay_so_over_a_restart() {
        let folder = TempFolder::new("models-off");
        let store = Store::open(&folder.0).expect("a store");
        assert_eq!(store.models_off().expect("none"), BTreeSet::new());
        let off = BTreeSet::from(["desk/parrot".to_owned()]);
        store
            .set_models_off(&off, "desk/parrot", false)
            .expect("set");
        drop(store);
        let store = Store::open(&folder.0).expect("reopened");
        assert_eq!(store.models_off().expect("read"), off);
        store.set_setting(Setting::ModelsOff, b"[").expect("set");
        assert!(store.models_off().is_err(), "damage opens nothing");
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
