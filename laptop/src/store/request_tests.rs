//! Tests of taking in, ending, acknowledging and recovering requests.

use super::testing::{TempFolder, new_relationship, new_request};
use super::*;
use crate::policy::Usage;
use shared_proto::error::ErrorCode;

fn done(results: Vec<Spool>) -> Outcome {
    Outcome {
        state: RequestState::Done,
        used: Usage {
            tokens: 5,
            pictures: 1,
            bytes: 7,
            seconds: 2,
        },
        estimated: false,
        results,
    }
}

fn store_with_device(name: &str) -> (TempFolder, Store, RelationshipId) {
    let folder = TempFolder::new(name);
    let store = Store::open(&folder.0).expect("a store");
    let id = store
        .add_relationship(
            &new_relationship("a"),
            &crate::policy::Profile::of_new_device(),
        )
        .expect("added")
        .id;
    (folder, store, id)
}

#[test]
fn a_number_is_dispatched_once_and_attached_to_ever_after() {
    let (folder, store, device) = store_with_device("once");
    let request = new_request(device, 1);
    assert_eq!(store.admit(&request).expect("taken in"), Admission::New);
    match store.admit(&request).expect("known") {
        Admission::Known(record) => assert_eq!(record.state, RequestState::Taken),
        other => panic!("expected a known request, got {other:?}"),
    }
    let mut spool = store.spool(device, 1, 0).expect("a spool");
    spool.append(b"answer").expect("written");
    store
        .end_request(device, 1, &done(vec![spool]), 50)
        .expect("ended");
    drop(store);
    let store = Store::open(&folder.0).expect("reopened");
    match store.admit(&request).expect("known") {
        Admission::Known(record) => {
            assert_eq!(record.state, RequestState::Done);
            assert_eq!(record.results, [(0, 6)]);
        }
        other => panic!("expected a known request, got {other:?}"),
    }
}

#[test]
fn a_used_number_refuses_another_program() {
    let (_folder, store, device) = store_with_device("reused");
    store.admit(&new_request(device, 1)).expect("taken in");
    let other = NewRequest {
        digest: [99; 32],
        ..new_request(device, 1)
    };
    assert_eq!(store.admit(&other).expect("judged"), Admission::Reused);
}

#[test]
fn numbers_of_two_devices_do_not_meet() {
    let (_folder, store, first) = store_with_device("two");
    let second = store
        .add_relationship(
            &new_relationship("b"),
            &crate::policy::Profile::of_new_device(),
        )
        .expect("added")
        .id;
    assert_eq!(
        store.admit(&new_request(first, 1)).expect("first"),
        Admission::New
    );
    assert_eq!(
        store.admit(&new_request(second, 1)).expect("second"),
        Admission::New
    );
}

#[test]
fn the_floor_follows_the_highest_number_and_refuses_what_is_forgotten() {
    let (_folder, store, device) = store_with_device("floor");
    assert_eq!(
        store.admit(&new_request(device, 1)).expect("taken in"),
        Admission::New
    );
    store
        .end_request(device, 1, &done(Vec::new()), 1)
        .expect("ended");
    assert_eq!(
        store.admit(&new_request(device, WINDOW)).expect("taken in"),
        Admission::New
    );
    assert_eq!(store.relationship(device).expect("there").floor, 1);
    assert_eq!(
        store
            .admit(&new_request(device, WINDOW + 1))
            .expect("taken in"),
        Admission::New
    );
    let stands = store.relationship(device).expect("there");
    assert_eq!((stands.floor, stands.highest), (2, WINDOW + 1));
    assert_eq!(
        store.admit(&new_request(device, 1)).expect("judged"),
        Admission::BelowFloor
    );
    assert_eq!(
        store.admit(&new_request(device, 2)).expect("judged"),
        Admission::New
    );
    assert_eq!(
        store.admit(&new_request(device, u64::MAX)).expect("judged"),
        Admission::OutOfRange
    );
    assert_eq!(
        store.admit(&new_request(device, 0)).expect("judged"),
        Admission::BelowFloor
    );
}

#[test]
fn a_revoked_device_gets_nothing_taken_in() {
    let (_folder, store, device) = store_with_device("revoked");
    store.revoke(device, 1).expect("revoked");
    assert!(matches!(
        store.admit(&new_request(device, 1)),
        Err(StoreError::Unknown)
    ));
}

#[test]
fn a_revoked_device_leaves_no_result_whether_it_came_before_or_after() {
    let (folder, store, device) = store_with_device("late");
    let bodies = [&b"inline"[..], &[7; 200_000]];
    let end = |id: u64, body: &[u8]| {
        let mut spool = store.spool(device, id, 0).expect("a spool");
        spool.append(body).expect("written");
        let outcome = done(vec![spool]);
        store.end_request(device, id, &outcome, 1).expect("ended");
    };
    let is_gone = |id| {
        let left = store.read_result(device, id, 0, 0, 1);
        matches!(left, Err(StoreError::Unknown))
    };
    for id in 1..=5 {
        store.admit(&new_request(device, id)).expect("taken in");
    }
    end(1, bodies[0]);
    end(2, bodies[1]);
    store.revoke(device, 1).expect("revoked");
    end(3, bodies[0]);
    end(4, bodies[1]);
    assert!(is_gone(3) && is_gone(4), "kept after the revocation");
    assert!(!is_gone(1) && !is_gone(2), "erasing may take long");
    store.forget_revoked().expect("forgotten");
    assert!(is_gone(1) && is_gone(2));
    let is_empty = || {
        let spool = std::fs::read_dir(folder.0.join("spool"));
        spool.expect("a folder").count() == 0
    };
    assert!(is_empty());
    // A kill between the revocation and the end of what ran.
    let mut spool = store.spool(device, 5, 0).expect("a spool");
    spool.append(bodies[0]).expect("written");
    assert!(!is_empty());
    drop((spool, store));
    let store = Store::open(&folder.0).expect("reopened");
    let left = store.request(device, 5).expect("read").expect("known");
    assert!(left.results.is_empty() && is_empty());
}

#[test]
fn small_and_large_results_are_read_at_any_place_until_they_are_acknowledged() {
    let (folder, store, device) = store_with_device("results");
    store.admit(&new_request(device, 1)).expect("taken in");
    let large: Vec<u8> = (0..200_000_u32).map(|n| n as u8).collect();
    let mut first = store.spool(device, 1, 0).expect("a spool");
    first.append(b"small").expect("written");
    let mut second = store.spool(device, 1, 3).expect("a spool");
    second.append(&large).expect("written");
    store
        .end_request(device, 1, &done(vec![first, second]), 1)
        .expect("ended");
    drop(store);

    let store = Store::open(&folder.0).expect("reopened");
    assert_eq!(store.read_result(device, 1, 0, 1, 3).expect("read"), b"mal");
    assert_eq!(
        store
            .read_result(device, 1, 3, 150_000, 100_000)
            .expect("read"),
        large[150_000..]
    );
    assert_eq!(
        store.read_result(device, 1, 3, 200_000, 10).expect("read"),
        b""
    );
    assert!(matches!(
        store.read_result(device, 1, 1, 0, 1),
        Err(StoreError::Unknown)
    ));

    store.acknowledge(device, 1).expect("acknowledged");
    store.acknowledge(device, 1).expect("twice is fine");
    store.acknowledge(device, 77).expect("unknown is fine");
    assert!(matches!(
        store.read_result(device, 1, 3, 0, 1),
        Err(StoreError::Unknown)
    ));
    assert_eq!(
        fs::read_dir(folder.0.join("spool"))
            .expect("listed")
            .count(),
        0
    );
    let record = store.request(device, 1).expect("read").expect("remembered");
    assert!(record.released && record.results.is_empty() && record.state == RequestState::Done);
}

#[test]
fn an_empty_result_is_a_result() {
    let (_folder, store, device) = store_with_device("empty");
    store.admit(&new_request(device, 1)).expect("taken in");
    let spool = store.spool(device, 1, 0).expect("a spool");
    store
        .end_request(device, 1, &done(vec![spool]), 1)
        .expect("ended");
    assert_eq!(store.read_result(device, 1, 0, 0, 100).expect("read"), b"");
}

#[test]
fn running_work_ends_as_interrupted_and_keeps_what_had_arrived() {
    let (folder, store, device) = store_with_device("interrupted");
    let reserved = Usage {
        tokens: 300,
        pictures: 2,
        bytes: 10,
        seconds: 9,
    };
    store
        .admit(&NewRequest {
            reserved,
            ..new_request(device, 1)
        })
        .expect("taken in");
    let mut spool = store.spool(device, 1, 2).expect("a spool");
    spool.append(b"half an ans").expect("written");
    fs::write(folder.0.join("spool/9-9-9"), b"of nobody").expect("written");
    drop((store, spool));

    let store = Store::open(&folder.0).expect("reopened");
    let record = store.request(device, 1).expect("read").expect("remembered");
    assert!(matches!(
        record.state,
        RequestState::Failed {
            code: ErrorCode::Interrupted,
            op: None,
            ..
        }
    ));
    assert_eq!(
        store.read_result(device, 1, 2, 0, 100).expect("kept"),
        b"half an ans"
    );
    assert!(matches!(
        store.admit(&new_request(device, 1)).expect("known"),
        Admission::Known(_)
    ));
    assert_eq!(
        fs::read_dir(folder.0.join("spool"))
            .expect("listed")
            .count(),
        0
    );
    assert_eq!(store.usage(device, 20_000).expect("charged"), reserved);
}

#[test]
fn a_request_ends_once() {
    let (_folder, store, device) = store_with_device("ends-once");
    store.admit(&new_request(device, 1)).expect("taken in");
    store
        .end_request(device, 1, &done(Vec::new()), 1)
        .expect("ended");
    let failed = RequestState::Failed {
        op: Some(2),
        code: ErrorCode::Cancelled,
        detail: String::new(),
    };
    let again = Outcome {
        state: failed,
        used: Usage {
            tokens: 999,
            ..Usage::default()
        },
        estimated: false,
        results: Vec::new(),
    };
    store.end_request(device, 1, &again, 2).expect("ignored");
    assert_eq!(
        store
            .request(device, 1)
            .expect("read")
            .expect("there")
            .state,
        RequestState::Done
    );
    assert_eq!(store.usage(device, 20_000).expect("usage").tokens, 5);
    assert!(matches!(
        store.end_request(device, 2, &done(Vec::new()), 1),
        Err(StoreError::Unknown)
    ));
}

#[test]
fn retention_drops_the_oldest_results_first_and_says_so() {
    let (_folder, store, device) = store_with_device("retention");
    for number in 1..=4 {
        store.admit(&new_request(device, number)).expect("taken in");
        let mut spool = store.spool(device, number, 0).expect("a spool");
        spool.append(&vec![1; 100_000]).expect("written");
        store
            .end_request(device, number, &done(vec![spool]), number as i64 * 100)
            .expect("ended");
    }
    let kept = |store: &Store| -> Vec<u64> {
        (1..=4)
            .filter(|n| {
                !store
                    .request(device, *n)
                    .expect("read")
                    .expect("there")
                    .released
            })
            .collect()
    };
    let roomy = Retention {
        max_bytes: 1_000_000,
        max_age_s: 1_000,
    };
    store.retain(roomy, 450).expect("retained");
    assert_eq!(kept(&store), [1, 2, 3, 4]);
    store
        .retain(
            Retention {
                max_bytes: 250_000,
                ..roomy
            },
            450,
        )
        .expect("retained");
    assert_eq!(kept(&store), [3, 4]);
    store
        .retain(
            Retention {
                max_age_s: 100,
                ..roomy
            },
            450,
        )
        .expect("retained");
    assert_eq!(kept(&store), [4]);
    assert!(matches!(
        store.read_result(device, 1, 0, 0, 1),
        Err(StoreError::Unknown)
    ));
    assert_eq!(store.read_result(device, 4, 0, 0, 1).expect("read"), [1]);
}
