//! Relationships.

use super::caller::Kind;
use super::profile::write_profile;
use super::reserve::Purpose;
use super::{Store, StoreError};
use crate::ledger::{Event, Hex};
use crate::policy::{Profile, Standing};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use shared_proto::crypto::{PublicKey, RelationshipKey, TokenSecret};
use shared_proto::renewal::{Credentials, KeyRing};
use std::collections::BTreeSet;

/// Number of a relationship on this laptop. Never used again for another one.
pub type RelationshipId = i64;

/// Longest device name kept, in characters.
pub const MAX_NAME_CHARS: usize = 64;

/// What a pairing has agreed on.
#[derive(Debug, Clone)]
pub struct NewRelationship {
    /// Name of the device as it calls itself.
    pub name: String,
    /// The keys.
    pub keys: Credentials,
    /// Width and height of its screen in pixels.
    pub screen: (u16, u16),
    /// Now, in seconds since 1970.
    pub created_at: i64,
    /// When it runs out, in seconds since 1970.
    pub expires_at: i64,
    /// Until when the device has to show that it has stored its side, in seconds since 1970.
    pub provisional_until: i64,
}

/// One relationship as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relationship {
    /// Its number.
    pub id: RelationshipId,
    /// Whether it is a device or a caller.
    pub kind: Kind,
    /// Name of the device; any text, so escape it where it is shown.
    pub name: String,
    /// Name of its drop folder: plain ASCII, unique. A caller has none, and a name here that no folder can have.
    pub folder: String,
    /// The keys; `None` once revoked, and of a caller.
    pub keys: Option<KeyRing>,
    /// SHA-256 of a caller's key; `None` once revoked, and of a device.
    pub caller_key: Option<[u8; 32]>,
    /// Width and height of its screen in pixels.
    pub screen: (u16, u16),
    /// When it was made, in seconds since 1970.
    pub created_at: i64,
    /// When the keys in use were proven first, in seconds since 1970.
    pub keys_since: i64,
    /// When it runs out, in seconds since 1970.
    pub expires_at: i64,
    /// When the device was last here, in seconds since 1970.
    pub last_seen_at: Option<i64>,
    /// When a person ended it, in seconds since 1970.
    pub revoked_at: Option<i64>,
    /// Until when the device has to show that it has stored its side; `None` once it has.
    pub provisional_until: Option<i64>,
    /// Requests below this number are refused.
    pub floor: u64,
    /// Highest request number ever taken in.
    pub highest: u64,
}

impl Relationship {
    /// Whether nobody has ended it.
    pub fn is_held(&self) -> bool {
        match self.kind {
            Kind::Device => self.keys.is_some(),
            Kind::Caller => self.caller_key.is_some(),
        }
    }

    /// Whether it holds at `now` (seconds since 1970, never going backwards).
    pub fn standing(&self, now: i64) -> Standing {
        if !self.is_held() || self.provisional_until.is_some_and(|until| now >= until) {
            Standing::Revoked
        } else if now >= self.expires_at {
            Standing::Expired
        } else {
            Standing::Active
        }
    }
}

const COLUMNS: &str = "id, name, folder, our_key, peer_key, token_secret, next_our_key, next_peer_key, \
    next_token_secret, screen_width, screen_height, created_at, expires_at, last_seen_at, revoked_at, \
    provisional_until, floor, highest, keys_since, kind, caller_key";

impl Store {
    /// Adds a relationship that starts with `profile`.
    ///
    /// # Errors
    /// What the database said.
    pub fn add_relationship(
        &self,
        new: &NewRelationship,
        profile: &Profile,
    ) -> Result<Relationship, StoreError> {
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        let name: String = new.name.chars().take(MAX_NAME_CHARS).collect();
        // The number makes the folder unique; a placeholder that no name can be stands in until it is known.
        transaction.execute(
            "INSERT INTO relationships (name, folder, our_key, peer_key, token_secret, screen_width, screen_height,
                created_at, keys_since, expires_at, provisional_until)
                VALUES (?1, '/', ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?8, ?9)",
            params![
                name,
                new.keys.own.expose(),
                new.keys.peer.0,
                new.keys.token.expose(),
                new.screen.0,
                new.screen.1,
                new.created_at,
                new.expires_at,
                new.provisional_until
            ],
        )?;
        let id = transaction.last_insert_rowid();
        let folder = free_folder(&transaction, &name, id)?;
        transaction.execute(
            "UPDATE relationships SET folder = ?2 WHERE id = ?1",
            params![id, folder],
        )?;
        write_profile(&transaction, id, profile)?;
        let relationship = read_one(&transaction, id)?;
        let paired = Event::Paired {
            device: id,
            name,
            key: Hex(new.keys.peer.0),
        };
        self.scribe.note(&transaction, paired)?;
        transaction.commit()?;
        Ok(relationship)
    }

    /// All devices, revoked ones included, oldest first.
    ///
    /// # Errors
    /// What the database said.
    pub fn relationships(&self) -> Result<Vec<Relationship>, StoreError> {
        read_kind(&self.lock(), Kind::Device)
    }

    /// One relationship.
    ///
    /// # Errors
    /// [`StoreError::Unknown`], or what the database said.
    pub fn relationship(&self, id: RelationshipId) -> Result<Relationship, StoreError> {
        read_one(&self.lock(), id)
    }

    /// Gives a device another name. Its drop folder keeps its own.
    ///
    /// # Errors
    /// [`StoreError::Unknown`], or what the database said.
    pub fn rename(&self, id: RelationshipId, name: &str) -> Result<(), StoreError> {
        let name: String = name.chars().take(MAX_NAME_CHARS).collect();
        self.update_and_note(
            "UPDATE relationships SET name = ?2 WHERE id = ?1",
            params![id, name],
            Event::Renamed {
                device: id,
                name: name.clone(),
            },
        )
    }

    /// Replaces the keys, as each step of a renewal does.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] also for a revoked relationship: a renewal cannot revive it.
    pub fn set_keys(&self, id: RelationshipId, keys: &KeyRing) -> Result<(), StoreError> {
        write_keys(&self.lock(), id, keys)
    }

    /// The keys of a renewal have been proven: `keys` holds them alone, their age counts from `now`, and the ledger knows them
    /// before it has to know what they sign.
    ///
    /// # Errors
    /// As [`Store::set_keys`].
    pub fn set_proven_keys(
        &self,
        id: RelationshipId,
        keys: &KeyRing,
        now: i64,
    ) -> Result<(), StoreError> {
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        write_keys(&transaction, id, keys)?;
        transaction.execute(
            "UPDATE relationships SET keys_since = ?2 WHERE id = ?1",
            params![id, now],
        )?;
        let key = Hex(keys.current.peer.0);
        self.scribe
            .note(&transaction, Event::Rekeyed { device: id, key })?;
        transaction.commit()?;
        Ok(())
    }

    /// The device has shown that it has stored its side of the pairing.
    ///
    /// # Errors
    /// [`StoreError::Unknown`], or what the database said.
    pub fn confirm(&self, id: RelationshipId) -> Result<(), StoreError> {
        self.update_and_note(
            "UPDATE relationships SET provisional_until = NULL WHERE id = ?1",
            params![id],
            Event::Confirmed { device: id },
        )
    }

    /// Forgets a pairing that came to nothing. One that the device has stored is left alone.
    ///
    /// # Errors
    /// What the database said.
    pub fn forget_provisional(&self, id: RelationshipId) -> Result<(), StoreError> {
        self.forget("id = ?1 AND provisional_until IS NOT NULL", id)
    }

    /// Forgets every pairing whose device has not shown in time that it stored its side.
    ///
    /// # Errors
    /// What the database said.
    pub fn forget_overdue(&self, now: i64) -> Result<(), StoreError> {
        self.forget("provisional_until <= ?1", now)
    }

    fn forget(&self, which: &str, value: i64) -> Result<(), StoreError> {
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        let gone: Vec<RelationshipId> = {
            let mut statement = transaction.prepare(&format!(
                "DELETE FROM relationships WHERE {which} RETURNING id"
            ))?;
            let rows = statement.query_map([value], |row| row.get(0))?;
            rows.collect::<Result<_, _>>()?
        };
        if gone.is_empty() {
            return Ok(());
        }
        for device in gone {
            self.scribe
                .note(&transaction, Event::Forgotten { device })?;
        }
        transaction.commit()?;
        Ok(())
    }

    /// Sets when a relationship runs out, in seconds since 1970.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] also for a revoked relationship.
    pub fn set_expiry(&self, id: RelationshipId, expires_at: i64) -> Result<(), StoreError> {
        self.update_and_note(
            "UPDATE relationships SET expires_at = ?2 WHERE id = ?1 AND revoked_at IS NULL",
            params![id, expires_at],
            Event::Extended {
                device: id,
                until: expires_at,
            },
        )
    }

    /// Notes that the device was here, and how large its screen is.
    ///
    /// # Errors
    /// [`StoreError::Unknown`], or what the database said.
    pub fn note_seen(
        &self,
        id: RelationshipId,
        screen: (u16, u16),
        now: i64,
    ) -> Result<(), StoreError> {
        self.update_one(
            "UPDATE relationships SET last_seen_at = ?2, screen_width = ?3, screen_height = ?4 WHERE id = ?1",
            params![id, now, screen.0, screen.1],
        )
    }

    /// Ends a relationship for good: its keys are erased. What is kept for it goes with
    /// [`forget_revoked`](Self::forget_revoked), since erasing may take long, and room.
    ///
    /// # Errors
    /// [`StoreError::Unknown`], or what the database said.
    pub fn revoke(&self, id: RelationshipId, now: i64) -> Result<(), StoreError> {
        self.insist(Purpose::Revocation, || {
            let mut connection = self.lock();
            let transaction = connection.transaction()?;
            let held: bool = transaction.query_row(
                "SELECT revoked_at IS NULL FROM relationships WHERE id = ?1",
                [id],
                |row| row.get(0),
            )?;
            if !held {
                return Ok(());
            }
            transaction.execute(
                "UPDATE relationships SET our_key = NULL, peer_key = NULL, token_secret = NULL, next_our_key = NULL,
                    next_peer_key = NULL, next_token_secret = NULL, caller_key = NULL, provisional_until = NULL,
                    revoked_at = ?2 WHERE id = ?1",
                params![id, now],
            )?;
            self.scribe
                .note(&transaction, Event::Revoked { device: id })?;
            Ok(transaction.commit()?)
        })
    }

    /// Deletes what is still kept for relationships that have been revoked.
    ///
    /// # Errors
    /// What the database said: erasing takes room before it makes some. What stays goes with the next call.
    pub fn forget_revoked(&self) -> Result<(), StoreError> {
        let kept: Vec<(RelationshipId, i64)> = {
            let connection = self.lock();
            let mut statement = connection.prepare_cached(
                "SELECT DISTINCT relationship, request FROM results WHERE relationship IN
                    (SELECT id FROM relationships WHERE revoked_at IS NOT NULL)",
            )?;
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect::<Result<_, _>>()?
        };
        // Files first: those are the room.
        let of: BTreeSet<_> = kept.iter().map(|(relationship, _)| *relationship).collect();
        of.into_iter().for_each(|id| self.remove_spools_of(id));
        match self.delete_results(&kept) {
            // One at a time may fit.
            Err(error) if error.is_full() => kept
                .iter()
                .try_for_each(|one| self.delete_results(std::slice::from_ref(one))),
            outcome => outcome,
        }
    }

    fn delete_results(&self, requests: &[(RelationshipId, i64)]) -> Result<(), StoreError> {
        if requests.is_empty() {
            return Ok(());
        }
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        for (relationship, request) in requests {
            transaction.execute(
                "DELETE FROM results WHERE relationship = ?1 AND request = ?2",
                params![relationship, request],
            )?;
        }
        Ok(transaction.commit()?)
    }

    fn update_and_note(
        &self,
        sql: &str,
        values: &[&dyn rusqlite::ToSql],
        event: Event,
    ) -> Result<(), StoreError> {
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        if transaction.execute(sql, values)? == 0 {
            return Err(StoreError::Unknown);
        }
        self.scribe.note(&transaction, event)?;
        transaction.commit()?;
        Ok(())
    }

    fn update_one(&self, sql: &str, values: &[&dyn rusqlite::ToSql]) -> Result<(), StoreError> {
        match self.lock().execute(sql, values)? {
            0 => Err(StoreError::Unknown),
            _ => Ok(()),
        }
    }
}

fn write_keys(
    connection: &Connection,
    id: RelationshipId,
    keys: &KeyRing,
) -> Result<(), StoreError> {
    let next = keys.next.as_ref();
    let changed = connection.execute(
        "UPDATE relationships SET our_key = ?2, peer_key = ?3, token_secret = ?4, next_our_key = ?5,
            next_peer_key = ?6, next_token_secret = ?7 WHERE id = ?1 AND revoked_at IS NULL",
        params![
            id,
            keys.current.own.expose(),
            keys.current.peer.0,
            keys.current.token.expose(),
            next.map(|next| next.own.expose()),
            next.map(|next| next.peer.0),
            next.map(|next| next.token.expose())
        ],
    )?;
    match changed {
        0 => Err(StoreError::Unknown),
        _ => Ok(()),
    }
}

pub(super) fn read_kind(
    connection: &Connection,
    kind: Kind,
) -> Result<Vec<Relationship>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM relationships WHERE kind = ?1 ORDER BY id"
    ))?;
    let rows = statement.query_map([kind.name()], read_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn read_one(
    connection: &Connection,
    id: RelationshipId,
) -> Result<Relationship, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM relationships WHERE id = ?1"
    ))?;
    Ok(statement.query_row([id], read_row)?)
}

fn read_row(row: &Row<'_>) -> rusqlite::Result<Relationship> {
    let keys = read_keys(row, 3)?.map(|current| -> rusqlite::Result<KeyRing> {
        Ok(KeyRing {
            current,
            next: read_keys(row, 6)?,
        })
    });
    Ok(Relationship {
        id: row.get(0)?,
        name: row.get(1)?,
        folder: row.get(2)?,
        keys: keys.transpose()?,
        screen: (row.get(9)?, row.get(10)?),
        created_at: row.get(11)?,
        expires_at: row.get(12)?,
        last_seen_at: row.get(13)?,
        revoked_at: row.get(14)?,
        provisional_until: row.get(15)?,
        floor: unsigned(row.get(16)?),
        highest: unsigned(row.get(17)?),
        keys_since: row.get(18)?,
        kind: match row.get_ref(19)?.as_str()? {
            "caller" => Kind::Caller,
            _ => Kind::Device,
        },
        caller_key: row.get(20)?,
    })
}

/// The three columns from `first`; `None` unless all are there.
fn read_keys(row: &Row<'_>, first: usize) -> rusqlite::Result<Option<Credentials>> {
    let own: Option<[u8; 32]> = row.get(first)?;
    let peer: Option<[u8; 32]> = row.get(first + 1)?;
    let token: Option<[u8; 32]> = row.get(first + 2)?;
    Ok(match (own, peer, token) {
        (Some(own), Some(peer), Some(token)) => Some(Credentials {
            own: RelationshipKey::from_bytes(own),
            peer: PublicKey(peer),
            token: TokenSecret::from_bytes(token),
        }),
        _ => None,
    })
}

/// A folder name that people recognise: the letters and digits of the device's name, then its number.
fn free_folder(
    transaction: &Transaction<'_>,
    name: &str,
    id: RelationshipId,
) -> Result<String, StoreError> {
    let mut plain: String = name
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                '-'
            }
        })
        .take(32)
        .collect();
    plain = plain
        .split('-')
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("-");
    if plain.is_empty() {
        plain = "device".into();
    }
    let taken: Option<i64> = transaction
        .query_row(
            "SELECT id FROM relationships WHERE folder = ?1",
            [&plain],
            |row| row.get(0),
        )
        .optional()?;
    Ok(if taken.is_some() {
        format!("{plain}-{id}")
    } else {
        plain
    })
}

/// SQLite knows signed numbers only; the largest stands for "more than anyone can use".
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A number that was written by [`signed`]; never negative.
pub(super) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

#[cfg(test)]
#[path = "relationship_tests.rs"]
mod tests;
