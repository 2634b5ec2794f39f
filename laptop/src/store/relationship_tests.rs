//! Relationships over a restart, their names, standing and keys.

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
    assert_eq!(made.keys.expect("keys").current.peer, PublicKey([2; 32]));
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
    store.confirm(made.id).expect("confirmed");
    let made = store.relationship(made.id).expect("there");
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
        store.set_keys(made.id, &KeyRing::new(new.keys)),
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
    keys.adopt(Credentials {
        own: RelationshipKey::from_bytes([7; 32]),
        peer: PublicKey([8; 32]),
        token: TokenSecret::from_bytes([9; 32]),
    });
    store.set_keys(made.id, &keys).expect("set");
    assert_eq!(store.relationship(made.id).expect("there").keys, Some(keys));
    assert!(matches!(store.rename(99, "b"), Err(StoreError::Unknown)));
}

#[test]
fn a_pairing_that_the_device_never_stored_is_forgotten_in_time() {
    let folder = TempFolder::new("provisional");
    let store = Store::open(&folder.0).expect("a store");
    let profile = Profile::of_new_device();
    let first = store
        .add_relationship(&new_relationship("a"), &profile)
        .expect("added");
    let second = store
        .add_relationship(&new_relationship("b"), &profile)
        .expect("added");
    assert_eq!(first.provisional_until, Some(1_500));
    assert_eq!(
        (first.standing(1_499), first.standing(1_500)),
        (Standing::Active, Standing::Revoked)
    );
    store.confirm(first.id).expect("confirmed");
    store.forget_provisional(first.id).expect("left alone");
    store.forget_overdue(1_499).expect("too early");
    assert_eq!(store.relationships().expect("listed").len(), 2);
    store.forget_overdue(1_500).expect("forgotten");
    assert!(matches!(
        store.relationship(second.id),
        Err(StoreError::Unknown)
    ));
    assert_eq!(
        store.relationship(first.id).expect("kept").standing(1_999),
        Standing::Active
    );
}
