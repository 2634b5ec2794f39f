//! Requests: taken in once, ended once, remembered in a window.

use super::relationship::{signed, unsigned};
use super::spool::{self, MAX_INLINE_LEN, Spool};
use super::usage::add_usage;
use super::{RelationshipId, Store, StoreError};
use crate::ledger::{Amounts, Event, Hex, Want};
use crate::policy::Usage;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use shared_proto::crypto::{PublicKey, Signature};
use shared_proto::error::ErrorCode;

/// How many numbers behind the highest one a relationship keeps: far more than a handheld's outbox holds.
pub const WINDOW: u64 = 1024;

/// What is written down before a request is dispatched.
#[derive(Debug, Clone)]
pub struct NewRequest {
    /// Whose it is.
    pub relationship: RelationshipId,
    /// Its number.
    pub id: u64,
    /// SHA-256 of the program.
    pub digest: [u8; 32],
    /// Who it is from, and what shows that.
    pub author: Author,
    /// What it asks for, for the ledger.
    pub claim: Claim,
    /// What was set aside for it; charged in full if the work is interrupted, because nobody knows how far it got.
    pub reserved: Usage,
    /// Now, in seconds since 1970.
    pub now: i64,
    /// Local day, as [`Store::local_day`] counts.
    pub day: i64,
}

/// Who a request is from, and what shows that.
#[derive(Debug, Clone)]
pub enum Author {
    /// A device, which signed it.
    Device {
        /// The key that signed it.
        key: PublicKey,
        /// The signature over exporter, number and digest.
        signature: Signature,
        /// Exporter value of the channel on which it came.
        exporter: [u8; 32],
    },
    /// A caller of the gateway, which showed its key.
    Caller {
        /// SHA-256 of that key.
        key: [u8; 32],
    },
}

/// What a request asks for, and what the policy said to it.
#[derive(Debug, Clone)]
pub struct Claim {
    /// What it does.
    pub wants: Vec<Want>,
    /// Whether a person decides.
    pub asks: bool,
}

/// Whether a number may be dispatched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// Written down durably; dispatch it now, once.
    New,
    /// Taken in before, with the same program: attach to it, never run it again.
    Known(RequestRecord),
    /// Taken in before, with another program.
    Reused,
    /// Below what is remembered.
    BelowFloor,
    /// Above what the store can hold.
    OutOfRange,
}

/// How a request stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestState {
    /// Taken in and not ended.
    Taken,
    /// Ended well.
    Done,
    /// Ended otherwise.
    Failed {
        /// Op at which it ended; `None` where none was to blame.
        op: Option<u8>,
        /// Why.
        code: ErrorCode,
        /// More words, without content.
        detail: String,
    },
}

/// A request as it is remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestRecord {
    /// Its number.
    pub id: u64,
    /// SHA-256 of its program.
    pub digest: [u8; 32],
    /// How it stands.
    pub state: RequestState,
    /// What it used.
    pub used: Usage,
    /// Whether its results were given up: acknowledged, or dropped by retention.
    pub released: bool,
    /// Slot and length of each result that is kept.
    pub results: Vec<(u8, u64)>,
}

/// How a request ended.
#[derive(Debug)]
pub struct Outcome {
    /// [`RequestState::Done`] or [`RequestState::Failed`].
    pub state: RequestState,
    /// What it used.
    pub used: Usage,
    /// Whether its tokens are estimated.
    pub estimated: bool,
    /// The bodies it made, whole or as far as they came.
    pub results: Vec<Spool>,
}

pub(super) const TAKEN: i64 = 0;
const DONE: i64 = 1;
const FAILED: i64 = 2;

impl Store {
    /// Takes a request in: the one durable write before dispatch.
    ///
    /// # Errors
    /// What the database said; the request must not be dispatched then.
    pub fn admit(&self, new: &NewRequest) -> Result<Admission, StoreError> {
        let Ok(id) = i64::try_from(new.id) else {
            return Ok(Admission::OutOfRange);
        };
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        let (floor, highest): (i64, i64) = transaction.query_row(
            "SELECT floor, highest FROM relationships WHERE id = ?1 AND revoked_at IS NULL",
            [new.relationship],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        if id < floor {
            return Ok(Admission::BelowFloor);
        }
        if let Some(record) = read_record(&transaction, new.relationship, id)? {
            return Ok(if record.digest == new.digest {
                Admission::Known(record)
            } else {
                Admission::Reused
            });
        }
        // A caller signs nothing: what it showed stands in the ledger.
        let (signature, exporter) = match &new.author {
            Author::Device {
                signature,
                exporter,
                ..
            } => (signature.0, *exporter),
            Author::Caller { .. } => ([0; 64], [0; 32]),
        };
        transaction.execute(
            "INSERT INTO requests (relationship, id, digest, signature, exporter, reserved_tokens, reserved_pictures,
                reserved_bytes, taken_at, day, reserved_seconds) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            params![
                new.relationship,
                id,
                new.digest,
                signature,
                exporter,
                signed(new.reserved.tokens),
                signed(new.reserved.pictures),
                signed(new.reserved.bytes),
                new.now,
                new.day,
                signed(new.reserved.seconds)
            ],
        )?;
        let highest = highest.max(id);
        let floor = floor.max(highest.saturating_sub(WINDOW as i64 - 1));
        transaction.execute(
            "UPDATE relationships SET floor = ?2, highest = ?3 WHERE id = ?1",
            params![new.relationship, floor, highest],
        )?;
        if matches!(new.author, Author::Caller { .. }) {
            transaction.execute(
                "UPDATE relationships SET last_seen_at = ?2 WHERE id = ?1",
                params![new.relationship, new.now],
            )?;
        }
        self.scribe.note(&transaction, taken(new))?;
        // What still runs stays until it ends; the next admission forgets it.
        let forgotten = spooled(
            &transaction,
            "relationship = ?1 AND request < ?2",
            new.relationship,
            floor,
        )?;
        transaction.execute(
            "DELETE FROM requests WHERE relationship = ?1 AND id < ?2 AND state <> ?3",
            params![new.relationship, floor, TAKEN],
        )?;
        transaction.commit()?;
        drop(connection);
        for (request, slot) in forgotten {
            spool::remove(&self.spool_path(new.relationship, request, slot));
        }
        Ok(Admission::New)
    }

    /// Ends a request: state, usage and results in one transaction. A second end changes nothing. Of a relationship that was
    /// revoked no result is kept.
    ///
    /// # Errors
    /// [`StoreError::Unknown`], or what the disk said.
    pub fn end_request(
        &self,
        relationship: RelationshipId,
        request: u64,
        outcome: &Outcome,
        now: i64,
    ) -> Result<(), StoreError> {
        let id = signed(request);
        // Large bodies reach the disk before the row that calls them whole. Who holds a lock has seen to that before.
        let unforced: Vec<_> = outcome.results.iter().filter_map(Spool::unforced).collect();
        self.force(&unforced)?;
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        let (state, day, is_revoked): (i64, i64, bool) = transaction.query_row(
            "SELECT requests.state, requests.day, relationships.revoked_at IS NOT NULL
                FROM requests JOIN relationships ON relationships.id = requests.relationship
                WHERE requests.relationship = ?1 AND requests.id = ?2",
            params![relationship, id],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )?;
        if state != TAKEN {
            return Ok(());
        }
        write_end(
            &transaction,
            relationship,
            id,
            &outcome.state,
            outcome.used,
            now,
        )?;
        add_usage(&transaction, relationship, day, outcome.used)?;
        self.scribe.note(
            &transaction,
            ended(
                relationship,
                id,
                &outcome.state,
                outcome.used,
                outcome.estimated,
            ),
        )?;
        let mut moved = Vec::new();
        for spool in &outcome.results {
            if is_revoked {
                moved.push(spool.path.clone());
                continue;
            }
            let body = if spool.len() <= MAX_INLINE_LEN {
                moved.push(spool.path.clone());
                Some(spool.read(0, MAX_INLINE_LEN as usize)?)
            } else {
                None
            };
            write_result(
                &transaction,
                relationship,
                id,
                spool.slot,
                spool.len(),
                body.as_deref(),
            )?;
        }
        transaction.commit()?;
        drop(connection);
        moved.iter().for_each(|path| spool::remove(path));
        Ok(())
    }

    /// One request as it is remembered; `None` if it is not.
    ///
    /// # Errors
    /// What the database said.
    pub fn request(
        &self,
        relationship: RelationshipId,
        request: u64,
    ) -> Result<Option<RequestRecord>, StoreError> {
        let Ok(id) = i64::try_from(request) else {
            return Ok(None);
        };
        read_record(&self.lock(), relationship, id)
    }

    /// The device has put the results away: they are dropped here. Unknown and running requests are left alone.
    ///
    /// # Errors
    /// What the database said.
    pub fn acknowledge(
        &self,
        relationship: RelationshipId,
        request: u64,
    ) -> Result<(), StoreError> {
        let id = signed(request);
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        let changed = transaction.execute(
            "UPDATE requests SET acknowledged = 1 WHERE relationship = ?1 AND id = ?2 AND state <> ?3 AND acknowledged = 0",
            params![relationship, id, TAKEN],
        )?;
        if changed == 0 {
            return Ok(());
        }
        let files = spooled(
            &transaction,
            "relationship = ?1 AND request = ?2",
            relationship,
            id,
        )?;
        transaction.execute(
            "DELETE FROM results WHERE relationship = ?1 AND request = ?2",
            params![relationship, id],
        )?;
        transaction.commit()?;
        drop(connection);
        for (request, slot) in files {
            spool::remove(&self.spool_path(relationship, request, slot));
        }
        Ok(())
    }
}

fn taken(new: &NewRequest) -> Event {
    let wants = new.claim.wants.clone();
    let bound = new.reserved.into();
    let verdict = if new.claim.asks { "ask" } else { "allow" }.to_owned();
    match &new.author {
        Author::Device {
            key,
            signature,
            exporter,
        } => Event::Taken {
            device: new.relationship,
            request: new.id,
            digest: Hex(new.digest),
            exporter: Hex(*exporter),
            key: Hex(key.0),
            signature: Hex(signature.0),
            wants,
            bound,
            verdict,
        },
        Author::Caller { key } => Event::Called {
            device: new.relationship,
            request: new.id,
            digest: Hex(new.digest),
            key: Hex(*key),
            wants,
            bound,
            verdict,
        },
    }
}

pub(super) fn ended(
    device: RelationshipId,
    id: i64,
    state: &RequestState,
    used: Usage,
    estimated: bool,
) -> Event {
    Event::Ended {
        device,
        request: unsigned(id),
        outcome: match state {
            RequestState::Done => "done",
            RequestState::Failed { code, .. } => code.name(),
            RequestState::Taken => ErrorCode::Internal.name(),
        }
        .to_owned(),
        used: Amounts {
            estimated,
            ..used.into()
        },
    }
}

pub(super) fn write_end(
    transaction: &Transaction<'_>,
    relationship: RelationshipId,
    id: i64,
    state: &RequestState,
    used: Usage,
    now: i64,
) -> Result<(), StoreError> {
    let (number, op, code, detail) = match state {
        RequestState::Taken => unreachable_end(),
        RequestState::Done => (DONE, None, None, ""),
        RequestState::Failed { op, code, detail } => {
            (FAILED, *op, Some(*code as u16), detail.as_str())
        }
    };
    transaction.execute(
        "UPDATE requests SET state = ?3, op = ?4, code = ?5, detail = ?6, used_tokens = ?7, used_pictures = ?8,
            used_bytes = ?9, ended_at = ?10, used_seconds = ?11 WHERE relationship = ?1 AND id = ?2",
        params![
            relationship,
            id,
            number,
            op,
            code,
            detail,
            signed(used.tokens),
            signed(used.pictures),
            signed(used.bytes),
            now,
            signed(used.seconds)
        ],
    )?;
    Ok(())
}

/// A request that "ends" as taken: recorded as our own defect rather than left running for ever.
fn unreachable_end() -> (i64, Option<u8>, Option<u16>, &'static str) {
    debug_assert!(false, "a request ends as done or failed");
    (
        FAILED,
        None,
        Some(ErrorCode::Internal as u16),
        "ended without an outcome",
    )
}

pub(super) fn write_result(
    transaction: &Transaction<'_>,
    relationship: RelationshipId,
    id: i64,
    slot: u8,
    length: u64,
    body: Option<&[u8]>,
) -> Result<(), StoreError> {
    transaction.execute(
        "INSERT INTO results (relationship, request, slot, length, body) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![relationship, id, slot, signed(length), body],
    )?;
    Ok(())
}

/// Request and slot of the results in the spool folder that `condition` on `?1` and `?2` picks.
pub(super) fn spooled(
    connection: &Connection,
    condition: &str,
    relationship: RelationshipId,
    second: i64,
) -> Result<Vec<(u64, u8)>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT request, slot FROM results WHERE body IS NULL AND {condition}"
    ))?;
    let rows = statement.query_map(params![relationship, second], |row| {
        Ok((unsigned(row.get(0)?), row.get::<_, u8>(1)?))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn read_record(
    connection: &Connection,
    relationship: RelationshipId,
    id: i64,
) -> Result<Option<RequestRecord>, StoreError> {
    let record = connection
        .prepare_cached(
            "SELECT digest, state, op, code, detail, used_tokens, used_pictures, used_bytes, acknowledged,
                used_seconds FROM requests
                WHERE relationship = ?1 AND id = ?2",
        )?
        .query_row(params![relationship, id], |row| {
            let state = match row.get::<_, i64>(1)? {
                TAKEN => RequestState::Taken,
                DONE => RequestState::Done,
                _ => RequestState::Failed {
                    op: row.get(2)?,
                    code: row.get::<_, Option<u16>>(3)?.and_then(ErrorCode::from_number).unwrap_or(ErrorCode::Internal),
                    detail: row.get(4)?,
                },
            };
            Ok(RequestRecord {
                id: unsigned(id),
                digest: row.get(0)?,
                state,
                used: Usage {
                    tokens: unsigned(row.get(5)?),
                    pictures: unsigned(row.get(6)?),
                    bytes: unsigned(row.get(7)?),
                    seconds: unsigned(row.get(9)?),
                },
                released: row.get::<_, i64>(8)? != 0,
                results: Vec::new(),
            })
        })
        .optional()?;
    let Some(mut record) = record else {
        return Ok(None);
    };
    let mut statement = connection.prepare_cached(
        "SELECT slot, length FROM results WHERE relationship = ?1 AND request = ?2 ORDER BY slot",
    )?;
    let rows = statement.query_map(params![relationship, id], |row| {
        Ok((row.get::<_, u8>(0)?, unsigned(row.get(1)?)))
    })?;
    record.results = rows.collect::<Result<_, _>>()?;
    Ok(Some(record))
}
