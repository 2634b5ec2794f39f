//! The ledger follows what the store does.

use super::testing::{TempFolder, new_relationship, new_request};
use super::*;
use crate::ledger::{Event, Flaw, Report, Verifier};
use crate::policy::{Profile, Rule, Usage};
use shared_proto::crypto::ring::{RingCrypto, RingSigner};
use shared_proto::crypto::{Crypto, Signer, sign_submit};
use shared_proto::error::ErrorCode;
use shared_proto::opcode::Operation;

fn events(store: &Store) -> (Vec<Event>, Report) {
    store.publish_ledger().expect("published");
    let mut verifier = Verifier::new(Some(store.ledger_key()));
    let mut events = Vec::new();
    for path in ledger_files(store.ledger_folder()).expect("listed") {
        let text = fs::read(path).expect("read");
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            events.push(verifier.line(line).expect("holds").event);
        }
    }
    (events, verifier.report().clone())
}

fn names(events: &[Event]) -> Vec<String> {
    events
        .iter()
        .map(|event| {
            let json = serde_json::to_value(event).expect("json");
            json["what"].as_str().expect("a name").to_owned()
        })
        .collect()
}

/// A device whose signatures are real.
fn device(store: &Store) -> (RelationshipId, RingSigner) {
    let (_, signer) = RingSigner::generate().expect("a key");
    let mut new = new_relationship("Pocket");
    new.keys.peer = signer.public_key();
    let id = store
        .add_relationship(&new, &Profile::of_new_device())
        .expect("added")
        .id;
    (id, signer)
}

fn request(signer: &RingSigner, device: RelationshipId, id: u64) -> NewRequest {
    let mut new = new_request(device, id);
    new.digest = RingCrypto.sha256(&[&id.to_be_bytes()]);
    let exporter = [5; 32];
    new.author = Author::Device {
        key: signer.public_key(),
        signature: sign_submit(signer, exporter, id, new.digest),
        exporter,
    };
    new
}

#[test]
fn everything_that_a_person_or_a_device_did_is_there_in_its_order() {
    let folder = TempFolder::new("ledger-order");
    let store = Store::open(&folder.0).expect("a store");
    let (id, signer) = device(&store);
    store.confirm(id).expect("confirmed");
    store.rename(id, "Ada's").expect("renamed");
    store.set_expiry(id, 9_000).expect("extended");
    store
        .change_profile(id, |profile| profile.set_rule(Operation::Chat, Rule::Allow))
        .expect("permitted");
    store.change_profile(id, |_| {}).expect("nothing changed");
    store.admit(&request(&signer, id, 1)).expect("taken");
    store.admit(&request(&signer, id, 1)).expect("known");
    store.note_answered(id, 1, "yes").expect("answered");
    let failed = Outcome {
        state: RequestState::Failed {
            op: Some(0),
            code: ErrorCode::Cancelled,
            detail: "words of a provider".into(),
        },
        used: Usage {
            tokens: 3,
            ..Usage::default()
        },
        estimated: false,
        results: Vec::new(),
    };
    store.end_request(id, 1, &failed, 5).expect("ended");
    store.end_request(id, 1, &failed, 5).expect("once");
    store
        .note_refused(id, 2, [1; 32], Vec::new(), "denied")
        .expect("refused");
    store.revoke(id, 6).expect("revoked");
    let (events, report) = events(&store);
    assert_eq!(
        names(&events),
        [
            "started",
            "paired",
            "confirmed",
            "renamed",
            "extended",
            "permitted",
            "taken",
            "answered",
            "ended",
            "refused",
            "revoked"
        ]
    );
    assert_eq!(report.head, store.ledger_head().expect("a head"));
    assert_eq!(report.requests, 1);
    let text = fs::read_to_string(&ledger_files(store.ledger_folder()).expect("listed")[0]);
    assert!(!text.expect("read").contains("words of a provider"));
}

#[test]
fn what_a_crash_interrupted_is_there_and_nothing_is_lost_or_doubled() {
    let folder = TempFolder::new("ledger-crash");
    let store = Store::open(&folder.0).expect("a store");
    let (id, signer) = device(&store);
    store.admit(&request(&signer, id, 1)).expect("taken");
    // Gone before a line reached the file.
    drop(store);
    let store = Store::open(&folder.0).expect("reopened");
    store.publish_ledger().expect("published");
    // Gone between the file and the database: the same lines wait once more.
    let path = ledger_files(store.ledger_folder())
        .expect("listed")
        .remove(0);
    let written = fs::read_to_string(&path).expect("read");
    {
        let connection = store.lock();
        for (number, line) in written.split_inclusive('\n').enumerate() {
            connection
                .execute(
                    "INSERT INTO ledger_pending VALUES (?1, ?2)",
                    rusqlite::params![number as i64 + 1, line],
                )
                .expect("waits");
        }
    }
    drop(store);
    let store = Store::open(&folder.0).expect("reopened");
    let (events, _) = events(&store);
    assert_eq!(
        names(&events),
        ["started", "paired", "taken", "started", "ended", "started"]
    );
    match &events[4] {
        Event::Ended { outcome, .. } => assert_eq!(outcome, ErrorCode::Interrupted.name()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_chain_is_signed_every_so_often_and_at_an_orderly_end() {
    let folder = TempFolder::new("ledger-signed");
    let store = Store::open(&folder.0).expect("a store");
    let (id, _) = device(&store);
    for number in 0..130 {
        store.note_answered(id, number, "no").expect("answered");
    }
    let (_, report) = events(&store);
    assert_eq!((report.checkpoints, report.signed_to), (2, 127));
    store.end_ledger().expect("ended");
    let (events, report) = events(&store);
    assert!(matches!(events.last(), Some(Event::Checkpoint { .. })));
    assert_eq!(report.signed_to, report.entries - 1);
    let key = store.ledger_key();
    drop(store);
    let store = Store::open(&folder.0).expect("reopened");
    assert_eq!(store.ledger_key(), key);
}

#[test]
fn an_end_that_was_cut_off_shows_against_the_database() {
    let folder = TempFolder::new("ledger-cut");
    let store = Store::open(&folder.0).expect("a store");
    let (id, _) = device(&store);
    store.note_answered(id, 1, "no").expect("answered");
    store.publish_ledger().expect("published");
    let path = ledger_files(store.ledger_folder())
        .expect("listed")
        .remove(0);
    let text = fs::read_to_string(&path).expect("read");
    let end = text.trim_end().rfind('\n').expect("lines") + 1;
    drop(store);
    fs::write(&path, &text[..end]).expect("cut");
    let store = Store::open(&folder.0).expect("reopened");
    store.publish_ledger().expect("published");
    let mut verifier = Verifier::new(None);
    let text = fs::read(&path).expect("read");
    let bad = text
        .split_inclusive(|byte| *byte == b'\n')
        .find_map(|line| verifier.line(line).err())
        .expect("found");
    assert_eq!(
        (bad.number, bad.flaw),
        (
            3,
            Flaw::Number {
                expected: 3,
                found: 4
            }
        )
    );
}

#[test]
fn devices_from_before_the_ledger_are_known_to_it() {
    let folder = TempFolder::new("ledger-known");
    let store = Store::open(&folder.0).expect("a store");
    let (id, signer) = device(&store);
    store
        .lock()
        .execute_batch(
            "DELETE FROM ledger_pending; DELETE FROM settings WHERE name LIKE 'ledger.%'",
        )
        .expect("forgotten");
    drop(store);
    let store = Store::open(&folder.0).expect("reopened");
    store.admit(&request(&signer, id, 1)).expect("taken");
    let (events, report) = events(&store);
    assert_eq!(names(&events), ["started", "known", "taken"]);
    assert_eq!(report.requests, 1);
}

#[test]
fn the_furthest_that_a_device_saw_is_kept() {
    let folder = TempFolder::new("ledger-seen");
    let store = Store::open(&folder.0).expect("a store");
    let (id, _) = device(&store);
    for (number, first) in [(0, 0), (9, 1), (4, 2), (9, 3), (12, 4), (11, 5)] {
        store
            .note_ledger_seen(id, (number, [first; 32]), 100)
            .expect("noted");
    }
    drop(store);
    let store = Store::open(&folder.0).expect("a store");
    let seen = store.ledger_seen().expect("read");
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].0, "Pocket");
    assert_eq!((seen[0].1.number, seen[0].1.hash), (12, [4; 32]));
    store.revoke(id, 200).expect("revoked");
    assert!(store.ledger_seen().expect("read").is_empty());
}
