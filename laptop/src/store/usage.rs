//! What each relationship has used, by local day.

use super::relationship::{signed, unsigned};
use super::{RelationshipId, Store, StoreError};
use crate::policy::Usage;
use rusqlite::{OptionalExtension, Transaction, params};

impl Store {
    /// The local day of `now` (seconds since 1970) as a number that rises by one at midnight.
    ///
    /// SQLite knows the time zone rules, so that no other code has to.
    ///
    /// # Errors
    /// What the database said.
    pub fn local_day(&self, now: i64) -> Result<i64, StoreError> {
        let seconds: i64 = self.lock().query_row(
            "SELECT CAST(strftime('%s', ?1, 'unixepoch', 'localtime') AS INTEGER)",
            [now],
            |row| row.get(0),
        )?;
        Ok(seconds.div_euclid(24 * 3600))
    }

    /// `now` (seconds since 1970) as local time, `YYYY-MM-DD HH.MM.SS`, fit for a file name.
    ///
    /// # Errors
    /// What the database said.
    pub fn local_time(&self, now: i64) -> Result<String, StoreError> {
        Ok(self.lock().query_row(
            "SELECT strftime('%Y-%m-%d %H.%M.%S', ?1, 'unixepoch', 'localtime')",
            [now],
            |row| row.get(0),
        )?)
    }

    /// Minutes that local time is ahead of UTC at `now` (seconds since 1970).
    ///
    /// # Errors
    /// What the database said.
    pub fn utc_offset_min(&self, now: i64) -> Result<i16, StoreError> {
        let local: i64 = self.lock().query_row(
            "SELECT CAST(strftime('%s', ?1, 'unixepoch', 'localtime') AS INTEGER)",
            [now],
            |row| row.get(0),
        )?;
        Ok(i16::try_from((local - now) / 60).unwrap_or(0))
    }

    /// What a relationship used on `day`.
    ///
    /// # Errors
    /// What the database said.
    pub fn usage(&self, relationship: RelationshipId, day: i64) -> Result<Usage, StoreError> {
        let usage = self
            .lock()
            .prepare_cached(
                "SELECT tokens, pictures, bytes, seconds FROM usage WHERE relationship = ?1 AND day = ?2",
            )?
            .query_row(params![relationship, day], |row| {
                Ok(Usage {
                    tokens: unsigned(row.get(0)?),
                    pictures: unsigned(row.get(1)?),
                    bytes: unsigned(row.get(2)?),
                    seconds: unsigned(row.get(3)?),
                })
            })
            .optional()?;
        Ok(usage.unwrap_or_default())
    }

    /// What each relationship used on `first` and every day after it: relationship, day, requests, amounts.
    ///
    /// # Errors
    /// What the database said.
    pub fn usage_since(
        &self,
        first: i64,
    ) -> Result<Vec<(RelationshipId, i64, u64, Usage)>, StoreError> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(
            "SELECT relationship, day, requests, tokens, pictures, bytes, seconds FROM usage WHERE day >= ?1
                ORDER BY relationship, day",
        )?;
        let rows = statement.query_map([first], |row| {
            let used = Usage {
                tokens: unsigned(row.get(3)?),
                pictures: unsigned(row.get(4)?),
                bytes: unsigned(row.get(5)?),
                seconds: unsigned(row.get(6)?),
            };
            Ok((row.get(0)?, row.get(1)?, unsigned(row.get(2)?), used))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

/// Adds to the day's amounts, stopping at the largest number.
pub(super) fn add_usage(
    transaction: &Transaction<'_>,
    relationship: RelationshipId,
    day: i64,
    used: Usage,
) -> Result<(), StoreError> {
    let before: Option<(i64, i64, i64, i64)> = transaction
        .query_row(
            "SELECT tokens, pictures, bytes, seconds FROM usage WHERE relationship = ?1 AND day = ?2",
            params![relationship, day],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
        )
        .optional()?;
    let (tokens, pictures, bytes, seconds) = before.unwrap_or_default();
    let before = Usage {
        tokens: unsigned(tokens),
        pictures: unsigned(pictures),
        bytes: unsigned(bytes),
        seconds: unsigned(seconds),
    };
    let after = before.plus(used);
    transaction.execute(
        "INSERT INTO usage (relationship, day, requests, tokens, pictures, bytes, seconds)
            VALUES (?1, ?2, 1, ?3, ?4, ?5, ?6)
            ON CONFLICT (relationship, day) DO UPDATE SET requests = requests + 1, tokens = ?3, pictures = ?4, bytes = ?5,
                seconds = ?6",
        params![
            relationship,
            day,
            signed(after.tokens),
            signed(after.pictures),
            signed(after.bytes),
            signed(after.seconds)
        ],
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{TempFolder, new_relationship};
    use super::*;

    #[test]
    fn amounts_add_up_within_a_day_and_start_anew_on_the_next() {
        let folder = TempFolder::new("usage");
        let store = Store::open(&folder.0).expect("a store");
        let device = store
            .add_relationship(
                &new_relationship("a"),
                &crate::policy::Profile::of_new_device(),
            )
            .expect("added")
            .id;
        let amount = Usage {
            tokens: 1,
            pictures: 2,
            bytes: u64::MAX,
            seconds: 3,
        };
        {
            let mut connection = store.lock();
            let transaction = connection.transaction().expect("a transaction");
            for _ in 0..2 {
                add_usage(&transaction, device, 5, amount).expect("added");
            }
            transaction.commit().expect("committed");
        }
        let used = store.usage(device, 5).expect("read");
        assert_eq!(
            (used.tokens, used.pictures, used.bytes, used.seconds),
            (2, 4, i64::MAX as u64, 6)
        );
        assert_eq!(store.usage(device, 6).expect("read"), Usage::default());
    }

    #[test]
    fn days_rise_by_one_a_day() {
        let folder = TempFolder::new("days");
        let store = Store::open(&folder.0).expect("a store");
        let noon = 1_800_000_000;
        let day = store.local_day(noon).expect("a day");
        assert_eq!(store.local_day(noon + 24 * 3600).expect("a day"), day + 1);
        assert!((20_832..=20_834).contains(&day), "{day}");
    }
}
