//! Callers: programs of the laptop itself that ask through the gateway.
//!
//! A caller is a relationship without the keys of a device. Permissions, limits, requests, usage and the ledger know it by
//! its number like any other; it is never among the devices and never counts as one.

use super::profile::write_profile;
use super::relationship::{MAX_NAME_CHARS, read_kind, read_one};
use super::{Relationship, RelationshipId, Store, StoreError};
use crate::ledger::{Event, Hex};
use crate::policy::Profile;
use rusqlite::{OptionalExtension, params};

/// When a caller without an end runs out.
pub const NEVER: i64 = i64::MAX;

/// What kind of subject a relationship is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A paired device.
    Device,
    /// A program of this laptop, known by the key that it shows.
    Caller,
}

impl Kind {
    /// The word in the database.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Device => "device",
            Self::Caller => "caller",
        }
    }
}

/// A caller to be.
#[derive(Debug, Clone)]
pub struct NewCaller {
    /// What a person calls it.
    pub name: String,
    /// SHA-256 of its key. The key itself is kept nowhere.
    pub key: [u8; 32],
    /// Now, in seconds since 1970.
    pub created_at: i64,
    /// When it runs out, in seconds since 1970, or [`NEVER`].
    pub expires_at: i64,
}

impl Store {
    /// Adds a caller that starts with `profile`.
    ///
    /// # Errors
    /// What the database said.
    pub fn add_caller(
        &self,
        new: &NewCaller,
        profile: &Profile,
    ) -> Result<Relationship, StoreError> {
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        let name: String = new.name.chars().take(MAX_NAME_CHARS).collect();
        // It has no drop folder. A name that no folder can have keeps the column unique.
        transaction.execute(
            "INSERT INTO relationships (name, folder, kind, caller_key, screen_width, screen_height, created_at,
                keys_since, expires_at) VALUES (?1, '/', 'caller', ?2, 0, 0, ?3, ?3, ?4)",
            params![name, new.key, new.created_at, new.expires_at],
        )?;
        let id = transaction.last_insert_rowid();
        transaction.execute(
            "UPDATE relationships SET folder = '/' || id WHERE id = ?1",
            [id],
        )?;
        write_profile(&transaction, id, profile)?;
        let caller = read_one(&transaction, id)?;
        let added = Event::CallerAdded {
            device: id,
            name,
            key: Hex(new.key),
        };
        self.scribe.note(&transaction, added)?;
        transaction.commit()?;
        Ok(caller)
    }

    /// All callers, revoked ones included, oldest first.
    ///
    /// # Errors
    /// What the database said.
    pub fn callers(&self) -> Result<Vec<Relationship>, StoreError> {
        read_kind(&self.lock(), Kind::Caller)
    }

    /// The caller whose key has this SHA-256; `None` where nobody's has, or it was revoked.
    ///
    /// # Errors
    /// What the database said.
    pub fn caller_of(&self, key: &[u8; 32]) -> Result<Option<Relationship>, StoreError> {
        let connection = self.lock();
        let id: Option<RelationshipId> = connection
            .prepare_cached("SELECT id FROM relationships WHERE caller_key = ?1")?
            .query_row([key], |row| row.get(0))
            .optional()?;
        id.map(|id| read_one(&connection, id)).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{TempFolder, new_relationship};
    use super::*;
    use crate::policy::Standing;

    fn new_caller(name: &str, key: u8) -> NewCaller {
        NewCaller {
            name: name.into(),
            key: [key; 32],
            created_at: 1_000,
            expires_at: NEVER,
        }
    }

    #[test]
    fn a_caller_is_found_by_its_key_and_is_no_device() {
        let folder = TempFolder::new("callers");
        let store = Store::open(&folder.0).expect("a store");
        let profile = Profile::of_new_device();
        let device = store
            .add_relationship(&new_relationship("a"), &profile)
            .expect("a device");
        let caller = store
            .add_caller(&new_caller("editor", 7), &profile)
            .expect("a caller");
        drop(store);
        let store = Store::open(&folder.0).expect("reopened");
        assert_eq!(
            store.callers().expect("listed"),
            std::slice::from_ref(&caller)
        );
        assert_eq!(store.relationships().expect("listed"), [device]);
        assert_eq!(
            store.caller_of(&[7; 32]).expect("read"),
            Some(caller.clone())
        );
        assert_eq!(store.caller_of(&[8; 32]).expect("read"), None);
        assert_eq!(caller.kind, Kind::Caller);
        assert_eq!(caller.standing(i64::MAX - 1), Standing::Active);
    }

    #[test]
    fn a_key_belongs_to_one_caller_and_to_none_once_revoked() {
        let folder = TempFolder::new("caller-keys");
        let store = Store::open(&folder.0).expect("a store");
        let profile = Profile::of_new_device();
        let caller = store
            .add_caller(&new_caller("editor", 7), &profile)
            .expect("added");
        assert!(store.add_caller(&new_caller("other", 7), &profile).is_err());
        store.revoke(caller.id, 1_500).expect("revoked");
        assert_eq!(store.caller_of(&[7; 32]).expect("read"), None);
        let gone = store.relationship(caller.id).expect("remembered");
        assert_eq!(gone.standing(1_500), Standing::Revoked);
        assert_eq!(gone.caller_key, None);
    }

    #[test]
    fn a_caller_may_run_out_and_be_extended() {
        let folder = TempFolder::new("caller-expiry");
        let store = Store::open(&folder.0).expect("a store");
        let new = NewCaller {
            expires_at: 2_000,
            ..new_caller("editor", 7)
        };
        let caller = store
            .add_caller(&new, &Profile::of_new_device())
            .expect("added");
        assert_eq!(caller.standing(1_999), Standing::Active);
        assert_eq!(caller.standing(2_000), Standing::Expired);
    }
}
