//! The ledger, as the store keeps it.
//!
//! An entry is made in the transaction that it tells of: both are durable or neither is, and the order of entries is that
//! of the transactions. Its line waits in the database until it stands in a file below `ledger`, forced to the disk;
//! only then is it removed here. So nothing that waits for a transaction waits for the file as well.

use super::relationship::{signed, unsigned};
use super::{RelationshipId, Store, StoreError};
use crate::ledger::{Event, Head, Hex, Want, append, checkpoint};
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use shared_proto::crypto::ring::{RingCrypto, RingSigner};
use shared_proto::crypto::{PublicKey, RelationshipKey, Signer};
use std::path::Path;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Every so many entries the chain is signed.
const CHECKPOINT_EVERY: u64 = 64;

/// Lines that are moved into the file at once.
const BATCH: u32 = 512;

/// How long lines wait for others to go into the file with: it is forced once for all of them.
const LINGER: Duration = Duration::from_secs(2);

/// How long lines wait for a disk that did not take them: a full one is not mended sooner.
const RETRY: Duration = Duration::from_secs(30);

const KEY: &str = "ledger.key";
const HEAD: &str = "ledger.head";
const SIGNED: &str = "ledger.signed";
const TIME: &str = "ledger.time";

/// What makes entries: the key that signs, and whom to tell that there are some.
pub(super) struct Scribe {
    signer: RingSigner,
    /// Whether lines wait, and whether nothing more will come.
    waiting: Mutex<(bool, bool)>,
    wake: Condvar,
}

impl Scribe {
    /// Reads the key, or makes one.
    pub(super) fn open(connection: &Connection) -> Result<Self, StoreError> {
        let stored = value(connection, KEY)?;
        let key = match stored.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok()) {
            Some(bytes) => RelationshipKey::from_bytes(bytes),
            None => {
                let key = RelationshipKey::generate(&RingCrypto)
                    .map_err(|error| StoreError::Ledger(error.to_string()))?;
                set(connection, KEY, key.expose())?;
                key
            }
        };
        Ok(Self {
            signer: RingSigner::new(&key),
            waiting: Mutex::new((true, false)),
            wake: Condvar::new(),
        })
    }

    /// Writes an entry down as a part of `transaction`.
    pub(super) fn note(
        &self,
        transaction: &Transaction<'_>,
        event: Event,
    ) -> Result<(), StoreError> {
        let mut head = head(transaction)?;
        let at = now(transaction)?;
        head = put(transaction, head, at, event)?;
        if (head.number + 1).is_multiple_of(CHECKPOINT_EVERY) {
            head = self.sign_at(transaction, head, at)?;
        }
        set_head(transaction, head)?;
        // Should the transaction fail after all, somebody looks in vain.
        self.waiting().0 = true;
        self.wake.notify_one();
        Ok(())
    }

    /// Signs the chain as it is, unless its last entry does that already.
    fn sign(&self, transaction: &Transaction<'_>) -> Result<(), StoreError> {
        let before = head(transaction)?;
        if value(transaction, SIGNED)? == Some(before.number.to_le_bytes().to_vec()) {
            return Ok(());
        }
        let at = now(transaction)?;
        let head = self.sign_at(transaction, before, at)?;
        set_head(transaction, head)
    }

    fn sign_at(
        &self,
        transaction: &Transaction<'_>,
        head: Head,
        at: i64,
    ) -> Result<Head, StoreError> {
        let next = put(transaction, head, at, checkpoint(head, &self.signer))?;
        set(transaction, SIGNED, &next.number.to_le_bytes())?;
        Ok(next)
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, (bool, bool)> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store {
    /// The key that signs checkpoints.
    pub fn ledger_key(&self) -> PublicKey {
        self.scribe.signer.public_key()
    }

    /// How far the ledger goes, lines included that are not in its files yet.
    ///
    /// # Errors
    /// What the database said.
    pub fn ledger_head(&self) -> Result<Head, StoreError> {
        head(&self.lock())
    }

    /// Says in the ledger that the laptop runs from here on, and who was paired before there was one.
    pub(super) fn open_ledger(&self) -> Result<(), StoreError> {
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        let is_new = head(&transaction)? == Head::START;
        self.scribe.note(
            &transaction,
            Event::Started {
                version: env!("CARGO_PKG_VERSION").to_owned(),
                key: Hex(self.ledger_key().0),
            },
        )?;
        if is_new {
            for one in super::relationship::read_kind(&transaction, super::Kind::Device)? {
                for (_, pair) in one.keys.iter().flat_map(|ring| ring.pairs()) {
                    let event = Event::Known {
                        device: one.id,
                        name: one.name.clone(),
                        key: Hex(pair.peer.0),
                    };
                    self.scribe.note(&transaction, event)?;
                }
            }
        }
        transaction.commit()?;
        Ok(())
    }

    /// The policy refused a request before anything ran.
    ///
    /// # Errors
    /// What the database said.
    pub fn note_refused(
        &self,
        device: RelationshipId,
        request: u64,
        digest: [u8; 32],
        wants: Vec<Want>,
        reason: &str,
    ) -> Result<(), StoreError> {
        self.note_alone(Event::Refused {
            device,
            request,
            digest: Hex(digest),
            wants,
            reason: reason.to_owned(),
        })
    }

    /// A person answered, or nobody did: `yes`, `no`, `expired` or `withdrawn`.
    ///
    /// # Errors
    /// What the database said; the request must not run then.
    pub fn note_answered(
        &self,
        device: RelationshipId,
        request: u64,
        answer: &str,
    ) -> Result<(), StoreError> {
        self.note_alone(Event::Answered {
            device,
            request,
            answer: answer.to_owned(),
        })
    }

    fn note_alone(&self, event: Event) -> Result<(), StoreError> {
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        self.scribe.note(&transaction, event)?;
        transaction.commit()?;
        Ok(())
    }

    /// Moves lines into the file whenever some wait, until [`Store::end_ledger`]. Sleeps while there is nothing to do.
    pub fn keep_ledger(&self) {
        let mut linger = LINGER;
        loop {
            let ends = {
                let mut waiting = self.scribe.waiting();
                while !waiting.0 && !waiting.1 {
                    waiting = self
                        .scribe
                        .wake
                        .wait(waiting)
                        .unwrap_or_else(PoisonError::into_inner);
                }
                // Others may come along; the end is not waited for.
                let (waiting, _) = self
                    .scribe
                    .wake
                    .wait_timeout_while(waiting, linger, |(_, ends)| !*ends)
                    .unwrap_or_else(PoisonError::into_inner);
                waiting.1
            };
            linger = LINGER;
            if let Err(error) = self.publish_ledger() {
                log::error!(
                    "the ledger could not be written: {error}; its lines wait in the database"
                );
                self.scribe.waiting().0 = true;
                linger = RETRY;
            }
            if ends {
                return;
            }
        }
    }

    /// Signs the chain, moves all lines into the file, and ends [`Store::keep_ledger`].
    ///
    /// # Errors
    /// What the database or the disk said; the lines wait in the database.
    pub fn end_ledger(&self) -> Result<(), StoreError> {
        {
            let mut connection = self.lock();
            let transaction = connection.transaction()?;
            self.scribe.sign(&transaction)?;
            transaction.commit()?;
        }
        self.scribe.waiting().1 = true;
        self.scribe.wake.notify_one();
        self.publish_ledger()
    }

    /// Moves all lines that wait into the file.
    ///
    /// # Errors
    /// What the database or the disk said; what is not in the file stays in the database.
    pub fn publish_ledger(&self) -> Result<(), StoreError> {
        let mut book = self.book.lock().unwrap_or_else(PoisonError::into_inner);
        self.scribe.waiting().0 = false;
        loop {
            let lines: Vec<(u64, String)> = {
                let connection = self.lock();
                let mut statement = connection.prepare_cached(
                    "SELECT number, line FROM ledger_pending ORDER BY number LIMIT ?1",
                )?;
                let rows =
                    statement.query_map([BATCH], |row| Ok((unsigned(row.get(0)?), row.get(1)?)))?;
                rows.collect::<Result<_, _>>()?
            };
            let Some((last, _)) = lines.last() else {
                return Ok(());
            };
            book.append(&lines)?;
            self.lock().execute(
                "DELETE FROM ledger_pending WHERE number <= ?1",
                [signed(*last)],
            )?;
        }
    }

    /// Notes how far a device says that it saw the ledger go; only the furthest is kept.
    ///
    /// # Errors
    /// What the database said.
    pub fn note_ledger_seen(
        &self,
        device: RelationshipId,
        (number, hash): (u64, [u8; 32]),
        now: i64,
    ) -> Result<(), StoreError> {
        if number == 0 {
            return Ok(());
        }
        self.lock().execute(
            "INSERT INTO ledger_seen VALUES (?1, ?2, ?3, ?4) ON CONFLICT (relationship) DO UPDATE
                SET number = ?2, hash = ?3, at = ?4 WHERE number < ?2",
            params![device, signed(number), hash, now],
        )?;
        Ok(())
    }

    /// How far each device that is still paired says that it saw the ledger go: its name, the entry and the hash of that.
    ///
    /// # Errors
    /// What the database said.
    pub fn ledger_seen(&self) -> Result<Vec<(String, Head)>, StoreError> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(
            "SELECT name, number, hash FROM ledger_seen JOIN relationships ON id = relationship
                WHERE revoked_at IS NULL ORDER BY number",
        )?;
        let rows = statement.query_map([], |row| {
            let head = Head {
                number: unsigned(row.get(1)?),
                hash: row.get(2)?,
            };
            Ok((row.get(0)?, head))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The folder that holds the ledger's files.
    pub fn ledger_folder(&self) -> &Path {
        &self.ledger_folder
    }
}

/// The first entry whose line is still to be written into a file.
pub(super) fn waiting(connection: &Connection) -> Result<Option<u64>, StoreError> {
    let first: Option<i64> =
        connection.query_row("SELECT min(number) FROM ledger_pending", [], |row| {
            row.get(0)
        })?;
    Ok(first.map(unsigned))
}

fn put(
    transaction: &Transaction<'_>,
    head: Head,
    at: i64,
    event: Event,
) -> Result<Head, StoreError> {
    let (next, line) =
        append(head, at, event).map_err(|flaw| StoreError::Ledger(flaw.to_string()))?;
    transaction.execute(
        "INSERT INTO ledger_pending VALUES (?1, ?2)",
        params![signed(next.number), line],
    )?;
    Ok(next)
}

pub(super) fn head(connection: &Connection) -> Result<Head, StoreError> {
    match value(connection, HEAD)? {
        None => Ok(Head::START),
        Some(bytes) => postcard::from_bytes(&bytes)
            .map_err(|_| StoreError::Ledger("the database has lost how far it goes".into())),
    }
}

fn set_head(transaction: &Transaction<'_>, head: Head) -> Result<(), StoreError> {
    // A plain struct of numbers into a growing vector: postcard has no way to fail here.
    let bytes = postcard::to_allocvec(&head).unwrap_or_default();
    set(transaction, HEAD, &bytes)
}

fn value(connection: &Connection, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
    Ok(connection
        .prepare_cached("SELECT value FROM settings WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()?)
}

fn set(connection: &Connection, name: &str, value: &[u8]) -> Result<(), StoreError> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO settings VALUES (?1, ?2)")?
        .execute(params![name, value])?;
    Ok(())
}

/// Seconds since 1970, never lower than any time that was written down before.
fn now(connection: &Connection) -> Result<i64, StoreError> {
    let clock = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs() as i64);
    let last = value(connection, TIME)?
        .and_then(|bytes| bytes.try_into().ok())
        .map(i64::from_le_bytes);
    let now = last.map_or(clock, |last| last.max(clock));
    if last != Some(now) {
        set(connection, TIME, &now.to_le_bytes())?;
    }
    Ok(now)
}
