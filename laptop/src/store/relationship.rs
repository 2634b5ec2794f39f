//! Relationships and their permission profiles.

use super::{Store, StoreError};
use crate::policy::{ModelPattern, Profile, Rule, Standing, UrlPattern};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use shared_proto::crypto::{PublicKey, RelationshipKey, TokenSecret};
use shared_proto::opcode::Operation;

/// Number of a relationship on this laptop. Never used again for another one.
pub type RelationshipId = i64;

/// Longest device name kept, in characters.
pub const MAX_NAME_CHARS: usize = 64;

/// The keys of one relationship.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys {
    /// This laptop's private key for this device alone.
    pub ours: RelationshipKey,
    /// Its successor, while a renewal is on its way.
    pub ours_next: Option<RelationshipKey>,
    /// The device's public key.
    pub peer: PublicKey,
    /// Its successor, while a renewal is on its way.
    pub peer_next: Option<PublicKey>,
    /// What server-name tokens are made with.
    pub token: TokenSecret,
}

/// What a pairing has agreed on.
#[derive(Debug, Clone)]
pub struct NewRelationship {
    /// Name of the device as it calls itself.
    pub name: String,
    /// The keys.
    pub keys: Keys,
    /// Width and height of its screen in pixels.
    pub screen: (u16, u16),
    /// Now, in seconds since 1970.
    pub created_at: i64,
    /// When it runs out, in seconds since 1970.
    pub expires_at: i64,
}

/// One relationship as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relationship {
    /// Its number.
    pub id: RelationshipId,
    /// Name of the device; any text, so escape it where it is shown.
    pub name: String,
    /// Name of its drop folder: plain ASCII, unique.
    pub folder: String,
    /// The keys; `None` once revoked.
    pub keys: Option<Keys>,
    /// Width and height of its screen in pixels.
    pub screen: (u16, u16),
    /// When it was made, in seconds since 1970.
    pub created_at: i64,
    /// When it runs out, in seconds since 1970.
    pub expires_at: i64,
    /// When the device was last here, in seconds since 1970.
    pub last_seen_at: Option<i64>,
    /// When a person ended it, in seconds since 1970.
    pub revoked_at: Option<i64>,
    /// Requests below this number are refused.
    pub floor: u64,
    /// Highest request number ever taken in.
    pub highest: u64,
}

impl Relationship {
    /// Whether it holds at `now` (seconds since 1970, never going backwards).
    pub fn standing(&self, now: i64) -> Standing {
        if self.keys.is_none() {
            Standing::Revoked
        } else if now >= self.expires_at {
            Standing::Expired
        } else {
            Standing::Active
        }
    }
}

const COLUMNS: &str =
    "id, name, folder, our_key, our_next_key, peer_key, peer_next_key, token_secret, screen_width,
    screen_height, created_at, expires_at, last_seen_at, revoked_at, floor, highest";

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
                created_at, expires_at) VALUES (?1, '/', ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            params![
                name,
                new.keys.ours.expose(),
                new.keys.peer.0,
                new.keys.token.expose(),
                new.screen.0,
                new.screen.1,
                new.created_at,
                new.expires_at
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
        transaction.commit()?;
        Ok(relationship)
    }

    /// All relationships, revoked ones included, oldest first.
    ///
    /// # Errors
    /// What the database said.
    pub fn relationships(&self) -> Result<Vec<Relationship>, StoreError> {
        let connection = self.lock();
        let mut statement = connection
            .prepare_cached(&format!("SELECT {COLUMNS} FROM relationships ORDER BY id"))?;
        let rows = statement.query_map([], read_row)?;
        Ok(rows.collect::<Result<_, _>>()?)
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
        self.update_one(
            "UPDATE relationships SET name = ?2 WHERE id = ?1",
            params![id, name],
        )
    }

    /// Replaces the keys, as each step of a renewal does.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] also for a revoked relationship: a renewal cannot revive it.
    pub fn set_keys(&self, id: RelationshipId, keys: &Keys) -> Result<(), StoreError> {
        self.update_one(
            "UPDATE relationships SET our_key = ?2, our_next_key = ?3, peer_key = ?4, peer_next_key = ?5,
                token_secret = ?6 WHERE id = ?1 AND revoked_at IS NULL",
            params![
                id,
                keys.ours.expose(),
                keys.ours_next.as_ref().map(RelationshipKey::expose),
                keys.peer.0,
                keys.peer_next.map(|key| key.0),
                keys.token.expose()
            ],
        )
    }

    /// Sets when a relationship runs out, in seconds since 1970.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] also for a revoked relationship.
    pub fn set_expiry(&self, id: RelationshipId, expires_at: i64) -> Result<(), StoreError> {
        self.update_one(
            "UPDATE relationships SET expires_at = ?2 WHERE id = ?1 AND revoked_at IS NULL",
            params![id, expires_at],
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

    /// Ends a relationship for good: its keys are erased, its retained results with them.
    ///
    /// # Errors
    /// [`StoreError::Unknown`], or what the database said.
    pub fn revoke(&self, id: RelationshipId, now: i64) -> Result<(), StoreError> {
        {
            let mut connection = self.lock();
            let transaction = connection.transaction()?;
            let changed = transaction.execute(
                "UPDATE relationships SET our_key = NULL, our_next_key = NULL, peer_key = NULL, peer_next_key = NULL,
                    token_secret = NULL, revoked_at = coalesce(revoked_at, ?2) WHERE id = ?1",
                params![id, now],
            )?;
            if changed == 0 {
                return Err(StoreError::Unknown);
            }
            transaction.execute("DELETE FROM results WHERE relationship = ?1", [id])?;
            transaction.commit()?;
        }
        self.remove_spools_of(id);
        Ok(())
    }

    /// The permissions of a relationship. Its standing is that of the row: expiry is the caller's, who has the clock.
    ///
    /// # Errors
    /// [`StoreError::Unknown`], or what the database said.
    pub fn profile(&self, id: RelationshipId) -> Result<Profile, StoreError> {
        read_profile(&self.lock(), id)
    }

    /// Changes the permissions of a relationship in one transaction; the generation rises by one.
    ///
    /// # Errors
    /// [`StoreError::Unknown`], or what the database said.
    pub fn change_profile(
        &self,
        id: RelationshipId,
        change: impl FnOnce(&mut Profile),
    ) -> Result<Profile, StoreError> {
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        let mut profile = read_profile(&transaction, id)?;
        let generation = profile.generation;
        change(&mut profile);
        profile.generation = generation + 1;
        write_profile(&transaction, id, &profile)?;
        transaction.commit()?;
        Ok(profile)
    }

    fn update_one(&self, sql: &str, values: &[&dyn rusqlite::ToSql]) -> Result<(), StoreError> {
        match self.lock().execute(sql, values)? {
            0 => Err(StoreError::Unknown),
            _ => Ok(()),
        }
    }
}

fn read_one(connection: &Connection, id: RelationshipId) -> Result<Relationship, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM relationships WHERE id = ?1"
    ))?;
    Ok(statement.query_row([id], read_row)?)
}

fn read_row(row: &Row<'_>) -> rusqlite::Result<Relationship> {
    let ours: Option<[u8; 32]> = row.get(3)?;
    let ours_next: Option<[u8; 32]> = row.get(4)?;
    let peer: Option<[u8; 32]> = row.get(5)?;
    let peer_next: Option<[u8; 32]> = row.get(6)?;
    let token: Option<[u8; 32]> = row.get(7)?;
    let keys = match (ours, peer, token) {
        (Some(ours), Some(peer), Some(token)) => Some(Keys {
            ours: RelationshipKey::from_bytes(ours),
            ours_next: ours_next.map(RelationshipKey::from_bytes),
            peer: PublicKey(peer),
            peer_next: peer_next.map(PublicKey),
            token: TokenSecret::from_bytes(token),
        }),
        _ => None,
    };
    Ok(Relationship {
        id: row.get(0)?,
        name: row.get(1)?,
        folder: row.get(2)?,
        keys,
        screen: (row.get(8)?, row.get(9)?),
        created_at: row.get(10)?,
        expires_at: row.get(11)?,
        last_seen_at: row.get(12)?,
        revoked_at: row.get(13)?,
        floor: row.get::<_, i64>(14)? as u64,
        highest: row.get::<_, i64>(15)? as u64,
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

fn read_profile(connection: &Connection, id: RelationshipId) -> Result<Profile, StoreError> {
    let revoked: Option<i64> = connection.query_row(
        "SELECT revoked_at FROM relationships WHERE id = ?1",
        [id],
        |row| row.get(0),
    )?;
    let mut profile = connection.query_row(
        "SELECT language_models, image_models, urls, requests_per_minute, tokens_per_day, pictures_per_day,
            bytes_per_day, generation FROM profiles WHERE relationship = ?1",
        [id],
        |row| {
            let mut profile = Profile::of_new_device();
            // A pattern that no longer parses is dropped, never widened: a shorter list permits less.
            profile.language_models = lines(&row.get::<_, String>(0)?, |line| ModelPattern::parse(line).ok());
            profile.image_models = lines(&row.get::<_, String>(1)?, |line| ModelPattern::parse(line).ok());
            profile.urls = lines(&row.get::<_, String>(2)?, |line| UrlPattern::parse(line).ok());
            profile.requests_per_minute = row.get(3)?;
            profile.tokens_per_day = unsigned(row.get(4)?);
            profile.pictures_per_day = unsigned(row.get(5)?);
            profile.bytes_per_day = unsigned(row.get(6)?);
            profile.generation = unsigned(row.get(7)?);
            Ok(profile)
        },
    )?;
    profile.standing = if revoked.is_some() {
        Standing::Revoked
    } else {
        Standing::Active
    };
    let mut statement =
        connection.prepare_cached("SELECT operation, rule FROM rules WHERE relationship = ?1")?;
    let rows = statement.query_map([id], |row| {
        Ok((row.get::<_, u8>(0)?, row.get::<_, String>(1)?))
    })?;
    for row in rows {
        let (number, word) = row?;
        if let (Some(operation), Some(rule)) =
            (Operation::from_number(number), Rule::from_name(&word))
        {
            profile.set_rule(operation, rule);
        }
    }
    Ok(profile)
}

fn write_profile(
    transaction: &Transaction<'_>,
    id: RelationshipId,
    profile: &Profile,
) -> Result<(), StoreError> {
    let join_models = |list: &[ModelPattern]| {
        list.iter()
            .map(ModelPattern::as_str)
            .collect::<Vec<_>>()
            .join("\n")
    };
    transaction.execute(
        "INSERT OR REPLACE INTO profiles VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![
            id,
            join_models(&profile.language_models),
            join_models(&profile.image_models),
            profile
                .urls
                .iter()
                .map(UrlPattern::as_str)
                .collect::<Vec<_>>()
                .join("\n"),
            profile.requests_per_minute,
            signed(profile.tokens_per_day),
            signed(profile.pictures_per_day),
            signed(profile.bytes_per_day),
            signed(profile.generation)
        ],
    )?;
    for operation in Operation::ALL {
        transaction.execute(
            "INSERT OR REPLACE INTO rules VALUES (?1, ?2, ?3)",
            params![id, operation as u8, profile.rule(operation).name()],
        )?;
    }
    Ok(())
}

fn lines<T>(text: &str, read: impl Fn(&str) -> Option<T>) -> Vec<T> {
    text.lines().filter_map(read).collect()
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
mod tests {
    use super::super::testing::{TempFolder, new_relationship};
    use super::*;

    #[test]
    fn a_relationship_comes_back_as_it_was_after_a_restart() {
        let folder = TempFolder::new("relationship");
        let store = Store::open(&folder.0).expect("a store");
        let made = store
            .add_relationship(
                &new_relationship("Ada's RG35XX"),
                &crate::policy::Profile::of_new_device(),
            )
            .expect("added");
        assert_eq!(made.folder, "ada-s-rg35xx");
        assert_eq!(made.floor, 1);
        drop(store);
        let store = Store::open(&folder.0).expect("reopened");
        assert_eq!(
            store.relationships().expect("listed"),
            std::slice::from_ref(&made)
        );
        assert_eq!(made.keys.expect("keys").peer, PublicKey([2; 32]));
    }

    #[test]
    fn folders_are_plain_and_unique_whatever_the_devices_call_themselves() {
        let folder = TempFolder::new("folders");
        let store = Store::open(&folder.0).expect("a store");
        let names = [
            "../../etc",
            "",
            "掌机",
            "pocket",
            "Pocket",
            "/",
            &"x".repeat(500),
        ];
        let mut seen = std::collections::BTreeSet::new();
        for name in names {
            let made = store
                .add_relationship(
                    &new_relationship(name),
                    &crate::policy::Profile::of_new_device(),
                )
                .expect("added");
            assert!(
                made.folder
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-'),
                "{}",
                made.folder
            );
            assert!(!made.folder.is_empty() && made.folder.len() <= 64);
            assert!(seen.insert(made.folder));
        }
    }

    #[test]
    fn standing_follows_expiry_and_revocation() {
        let folder = TempFolder::new("standing");
        let store = Store::open(&folder.0).expect("a store");
        let made = store
            .add_relationship(
                &new_relationship("a"),
                &crate::policy::Profile::of_new_device(),
            )
            .expect("added");
        assert_eq!(made.standing(1_999), Standing::Active);
        assert_eq!(made.standing(2_000), Standing::Expired);
        store.set_expiry(made.id, 3_000).expect("renewed");
        assert_eq!(
            store.relationship(made.id).expect("there").standing(2_000),
            Standing::Active
        );
        store.revoke(made.id, 2_500).expect("revoked");
        let gone = store.relationship(made.id).expect("still listed");
        assert_eq!(
            (gone.standing(0), gone.keys, gone.revoked_at),
            (Standing::Revoked, None, Some(2_500))
        );
    }

    #[test]
    fn a_revoked_relationship_cannot_be_revived() {
        let folder = TempFolder::new("revived");
        let store = Store::open(&folder.0).expect("a store");
        let new = new_relationship("a");
        let made = store
            .add_relationship(&new, &crate::policy::Profile::of_new_device())
            .expect("added");
        store.revoke(made.id, 1).expect("revoked");
        assert!(matches!(
            store.set_keys(made.id, &new.keys),
            Err(StoreError::Unknown)
        ));
        assert!(matches!(
            store.set_expiry(made.id, i64::MAX),
            Err(StoreError::Unknown)
        ));
        assert_eq!(
            store.profile(made.id).expect("there").standing,
            Standing::Revoked
        );
        // Closing moves the write-ahead log into the database and removes it.
        drop(store);
        assert!(!folder.0.join("officeos.db-wal").exists());
        let all = std::fs::read(folder.0.join("officeos.db")).expect("the database");
        assert!(
            !all.windows(32).any(|window| window == [3; 32]),
            "the token secret is still on the disk"
        );
    }

    #[test]
    fn a_changed_profile_comes_back_and_its_generation_rises() {
        let folder = TempFolder::new("profile");
        let store = Store::open(&folder.0).expect("a store");
        let id = store
            .add_relationship(
                &new_relationship("a"),
                &crate::policy::Profile::of_new_device(),
            )
            .expect("added")
            .id;
        assert_eq!(store.profile(id).expect("new"), Profile::of_new_device());
        let changed = store
            .change_profile(id, |profile| {
                profile.set_rule(Operation::Chat, Rule::Allow);
                profile.set_rule(Operation::Delete, Rule::Deny);
                profile.language_models = vec![ModelPattern::parse("ollama/*").expect("valid")];
                profile.urls = vec![UrlPattern::parse("https://example.org/").expect("valid")];
                profile.tokens_per_day = u64::MAX >> 1;
                profile.generation = 0;
            })
            .expect("changed");
        assert_eq!(changed.generation, 1);
        drop(store);
        let store = Store::open(&folder.0).expect("reopened");
        assert_eq!(store.profile(id).expect("read"), changed);
        assert_eq!(
            store
                .change_profile(id, |_| {})
                .expect("changed")
                .generation,
            2
        );
    }

    #[test]
    fn renewed_keys_come_back() {
        let folder = TempFolder::new("keys");
        let store = Store::open(&folder.0).expect("a store");
        let made = store
            .add_relationship(
                &new_relationship("a"),
                &crate::policy::Profile::of_new_device(),
            )
            .expect("added");
        let mut keys = made.keys.expect("keys");
        keys.ours_next = Some(RelationshipKey::from_bytes([7; 32]));
        keys.peer_next = Some(PublicKey([8; 32]));
        store.set_keys(made.id, &keys).expect("set");
        assert_eq!(store.relationship(made.id).expect("there").keys, Some(keys));
        assert!(matches!(store.rename(99, "b"), Err(StoreError::Unknown)));
    }
}
