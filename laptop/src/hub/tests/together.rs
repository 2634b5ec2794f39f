//! Two sessions, two requests, and time that runs out between them.

use super::*;

#[test]
fn two_sessions_that_submit_the_same_request_at_once_follow_the_same_work() {
    let office = Office::new("at-once");
    for id in 1..=12 {
        let submission = office.submission(id, ask("hello"));
        let start = std::sync::Barrier::new(2);
        let found: Vec<Arc<Work>> = std::thread::scope(|scope| {
            let threads = [(); 2].map(|()| {
                scope.spawn(|| {
                    start.wait();
                    office.hub.submit(office.relationship, &submission)
                })
            });
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap().unwrap())
                .collect()
        });
        found
            .iter()
            .for_each(|work| assert!(matches!(end(work), Ended::Done(_))));
    }
    assert_eq!(office.asked(), 12);
}

#[test]
fn what_ended_before_the_expiry_waits_for_a_person_to_renew() {
    let office = Office::new("expired-result");
    end(&office.submit(1, "hello").unwrap());
    let expire = |at| {
        let until = office.hub.wall() + at;
        office.hub.store.set_expiry(office.relationship, until)
    };
    let attach = || office.hub.attach(office.relationship, RequestId(1));
    expire(-1).unwrap();
    assert_eq!(attach().err().unwrap().fault.code, ErrorCode::Expired);
    let again = office.submit(1, "hello").err().unwrap();
    assert_eq!(again.fault.code, ErrorCode::Expired);
    expire(60).unwrap();
    assert!(matches!(end(&attach().unwrap()), Ended::Done(_)));
}

#[test]
fn an_upload_stays_for_the_other_request_that_needs_it_and_goes_with_the_last() {
    let office = Office::new("shared-upload");
    let data = b"a picture".to_vec();
    let kept = office
        .hub
        .settings()
        .scratch
        .join(office.relationship.to_string());
    let put = |path: &str, own: &[u8; 1]| {
        let mut b = Builder::new();
        let path = b.name(path);
        let mut blob = |bytes: &[u8]| {
            b.blob(Blob {
                sha256: RingCrypto.sha256(&[bytes]),
                len: bytes.len() as u64,
                ty: ValueType::Bytes,
            })
        };
        let (content, own) = (blob(&data), blob(own));
        let put = b.op(&Op::Put(Put {
            path,
            data: content,
            write: Write::Replace,
        }));
        let own = b.op(&Op::Bytes(own));
        b.emit(put);
        b.emit(own);
        b.finish().unwrap()
    };
    let submit = |id, program| {
        let submission = office.submission(id, program);
        office.hub.submit(office.relationship, &submission).unwrap()
    };
    let until_kept = |count| {
        let late = Instant::now() + Duration::from_secs(60);
        while std::fs::read_dir(&kept).unwrap().count() > count {
            assert!(Instant::now() < late, "an upload stays behind");
            std::thread::yield_now();
        }
    };
    let first = submit(1, put("a.bin", b"1"));
    let second = submit(2, put("b.bin", b"2"));
    second.upload(UPLOAD_SLOT + 1, 0, &data).unwrap();
    first.upload(UPLOAD_SLOT + 1, 0, &data).unwrap();
    first.upload(UPLOAD_SLOT + 2, 0, b"1").unwrap();
    assert!(matches!(end(&first), Ended::Done(_)));
    // What it needed alone goes last; then only the shared one and the part of the other are there.
    until_kept(2);
    second.upload(UPLOAD_SLOT + 2, 0, b"2").unwrap();
    assert!(matches!(end(&second), Ended::Done(_)));
    until_kept(0);
}

#[test]
fn an_upload_without_room_is_not_blamed_on_the_drop_folder() {
    let office = Office::new("no-room");
    let mut b = Builder::new();
    let data = b.blob(Blob {
        sha256: [1; 32],
        len: office.hub.settings().quota + 1,
        ty: ValueType::Bytes,
    });
    let bytes = b.op(&Op::Bytes(data));
    b.emit(bytes);
    let submission = office.submission(1, b.finish().unwrap());
    let refusal = office.hub.submit(office.relationship, &submission);
    let fault = refusal.err().unwrap().fault;
    assert_eq!(fault.code, ErrorCode::StoreFull);
    assert!(fault.detail.contains("other uploads"), "{}", fault.detail);
}

#[test]
fn what_is_no_longer_permitted_stops_and_what_still_is_goes_on() {
    let office = Office::new("withdrawn-rule");
    let work = office.submit(1, "wait").unwrap();
    until(&work, |view| {
        view.streams
            .first()
            .filter(|stream| stream.1 > 0)
            .map(|_| ())
    });
    let deny = |operation| {
        office
            .hub
            .store
            .change_profile(office.relationship, |profile| {
                profile.set_rule(operation, Rule::Deny)
            })
            .unwrap();
        office.hub.changed(office.relationship);
    };
    deny(Operation::Generate);
    assert!(!work.has_ended() && !work.cancel.is_cancelled());
    for operation in [Operation::Chat, Operation::Complete] {
        deny(operation);
    }
    assert_eq!(code(&end(&work)), Some(ErrorCode::Denied));
    assert_eq!(text(&work), "begun", "what had arrived stays");
}
