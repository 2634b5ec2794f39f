//! What a process that went away has left: requests that were running, and files that belong to nothing.

use super::relationship::{signed, unsigned};
use super::request::{RequestState, TAKEN, ended, write_end, write_result};
use super::spool::{self, MAX_INLINE_LEN};
use super::usage::add_usage;
use super::{Store, StoreError};
use crate::policy::Usage;
use rusqlite::{OptionalExtension, params};
use shared_proto::error::ErrorCode;
use std::fs;
use std::path::PathBuf;

impl Store {
    /// Ends what was running when the last process went away, keeps what had arrived, and removes spool files that
    /// belong to nothing.
    pub(super) fn recover(&self) -> Result<(), StoreError> {
        let files = self.spool_files()?;
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        let running: Vec<(i64, i64, i64, i64, Usage, bool)> = {
            let mut statement = transaction.prepare(
                "SELECT requests.relationship, requests.id, day, taken_at, reserved_tokens, reserved_pictures,
                    reserved_bytes, reserved_seconds, relationships.revoked_at IS NOT NULL
                    FROM requests JOIN relationships ON relationships.id = requests.relationship
                    WHERE requests.state = ?1",
            )?;
            let rows = statement.query_map([TAKEN], |row| {
                let reserved = Usage {
                    tokens: unsigned(row.get(4)?),
                    pictures: unsigned(row.get(5)?),
                    bytes: unsigned(row.get(6)?),
                    seconds: unsigned(row.get(7)?),
                };
                Ok((
                    row.get(0)?,
                    row.get(1)?,
                    row.get(2)?,
                    row.get(3)?,
                    reserved,
                    row.get(8)?,
                ))
            })?;
            rows.collect::<Result<_, _>>()?
        };
        let interrupted = RequestState::Failed {
            op: None,
            code: ErrorCode::Interrupted,
            detail: "the laptop restarted while this was running; nothing is run again by itself"
                .into(),
        };
        let mut removable: Vec<PathBuf> = Vec::new();
        for (relationship, id, day, taken_at, reserved, is_revoked) in &running {
            write_end(
                &transaction,
                *relationship,
                *id,
                &interrupted,
                *reserved,
                *taken_at,
            )?;
            add_usage(&transaction, *relationship, *day, *reserved)?;
            self.scribe.note(
                &transaction,
                ended(*relationship, *id, &interrupted, *reserved, true),
            )?;
            // Of a revoked device nothing is kept.
            for (path, _, _, slot) in files.iter().filter(|(_, owner, request, _)| {
                !is_revoked && (*owner, signed(*request)) == (*relationship, *id)
            }) {
                let failed = |error| StoreError::File(path.clone(), error);
                let length = fs::metadata(path).map_err(failed)?.len();
                let body = if length <= MAX_INLINE_LEN {
                    Some(fs::read(path).map_err(failed)?)
                } else {
                    None
                };
                write_result(
                    &transaction,
                    *relationship,
                    *id,
                    *slot,
                    length,
                    body.as_deref(),
                )?;
            }
        }
        for (path, relationship, request, slot) in files {
            let named = transaction
                .query_row(
                    "SELECT 1 FROM results WHERE relationship = ?1 AND request = ?2 AND slot = ?3 AND body IS NULL",
                    params![relationship, signed(request), slot],
                    |_| Ok(()),
                )
                .optional()?;
            if named.is_none() {
                removable.push(path);
            }
        }
        transaction.commit()?;
        removable.iter().for_each(|path| spool::remove(path));
        if !running.is_empty() {
            log::warn!("{} requests were interrupted by the restart", running.len());
        }
        Ok(())
    }
}
