//! Results that wait until the device has put them away.

use super::relationship::{signed, unsigned};
use super::spool;
use super::{RelationshipId, Store, StoreError};
use rusqlite::params;
use std::fs::File;
use std::os::unix::fs::FileExt;

/// How much is kept for how long, all relationships together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Most octets of results; beyond it the oldest go.
    pub max_bytes: u64,
    /// Longest time after the end of a request, in seconds.
    pub max_age_s: i64,
}

impl Default for Retention {
    /// One gigabyte and fourteen days: two full drop folders, and a holiday.
    fn default() -> Self {
        Self {
            max_bytes: 1024 * 1024 * 1024,
            max_age_s: 14 * 24 * 3600,
        }
    }
}

impl Store {
    /// Reads up to `max` octets of result `slot` from `offset`; fewer at its end.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] if there is no such result (any more), or what the disk said.
    pub fn read_result(
        &self,
        relationship: RelationshipId,
        request: u64,
        slot: u8,
        offset: u64,
        max: usize,
    ) -> Result<Vec<u8>, StoreError> {
        // substr of an empty blob is null, so that the body itself has to be asked.
        let (length, inline, body): (i64, bool, Option<Vec<u8>>) = self
            .lock()
            .prepare_cached(
                "SELECT length, body IS NOT NULL, substr(body, ?4 + 1, ?5) FROM results
                    WHERE relationship = ?1 AND request = ?2 AND slot = ?3",
            )?
            .query_row(
                params![
                    relationship,
                    signed(request),
                    slot,
                    signed(offset).min(i64::MAX - 1),
                    signed(max as u64)
                ],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
            )?;
        if inline {
            return Ok(body.unwrap_or_default());
        }
        let path = self.spool_path(relationship, request, slot);
        let wanted = unsigned(length).saturating_sub(offset).min(max as u64) as usize;
        let mut bytes = vec![0; wanted];
        File::open(&path)
            .and_then(|file| file.read_exact_at(&mut bytes, offset))
            .map_err(|error| StoreError::File(path, error))?;
        Ok(bytes)
    }

    /// Drops results that are too old or too many, oldest first. Their requests stay known, so that nothing runs twice.
    ///
    /// # Errors
    /// What the database said.
    pub fn retain(&self, retention: Retention, now: i64) -> Result<(), StoreError> {
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        let kept: Vec<(i64, i64, i64, i64)> = {
            let mut statement = transaction.prepare_cached(
                "SELECT requests.relationship, requests.id, requests.ended_at, sum(results.length)
                    FROM requests JOIN results ON results.relationship = requests.relationship
                        AND results.request = requests.id
                    WHERE requests.ended_at IS NOT NULL
                    GROUP BY requests.relationship, requests.id
                    ORDER BY requests.ended_at DESC, requests.id DESC",
            )?;
            let rows = statement.query_map([], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
            })?;
            rows.collect::<Result<_, _>>()?
        };
        let mut total: u64 = 0;
        let mut files = Vec::new();
        for (relationship, id, ended_at, length) in kept {
            total = total.saturating_add(unsigned(length));
            if total <= retention.max_bytes && now.saturating_sub(ended_at) <= retention.max_age_s {
                continue;
            }
            for (request, slot) in super::request::spooled(
                &transaction,
                "relationship = ?1 AND request = ?2",
                relationship,
                id,
            )? {
                files.push(self.spool_path(relationship, request, slot));
            }
            transaction.execute(
                "DELETE FROM results WHERE relationship = ?1 AND request = ?2",
                params![relationship, id],
            )?;
            transaction.execute(
                "UPDATE requests SET acknowledged = 2 WHERE relationship = ?1 AND id = ?2",
                params![relationship, id],
            )?;
        }
        transaction.commit()?;
        drop(connection);
        files.iter().for_each(|path| spool::remove(path));
        Ok(())
    }
}
