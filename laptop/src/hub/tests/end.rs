//! How requests and sessions end, and what stays.

use super::*;
use crate::policy::Usage as Counted;
use crate::store::RequestState;

#[test]
fn a_result_waits_until_it_is_acknowledged() {
    let office = Office::new("ack");
    end(&office.submit(1, "hello").unwrap());
    // Its end is told when the hub has let go of it, so that the store alone says from now on what is kept.
    assert_eq!(office.hub.running(office.relationship), 0);
    let found = office
        .hub
        .attach(office.relationship, RequestId(1))
        .unwrap();
    assert_eq!(text(&found), "1 turns, echo hello");
    office
        .hub
        .acknowledge(office.relationship, RequestId(1))
        .unwrap();
    let refusal = office
        .hub
        .attach(office.relationship, RequestId(1))
        .err()
        .unwrap();
    assert_eq!(refusal.fault.code, ErrorCode::ResultGone);
    let refusal = office
        .hub
        .attach(office.relationship, RequestId(2))
        .err()
        .unwrap();
    assert_eq!(refusal.fault.code, ErrorCode::UnknownRequest);
}

#[test]
fn what_has_ended_is_stopped_all_the_same_for_whoever_is_still_told_of_it() {
    let office = Office::new("tail");
    let ended = |id| {
        let work = office.submit(id, "hello").unwrap();
        assert!(matches!(end(&work), Ended::Done(_)));
        assert!(!work.is_stopped());
        work
    };
    let (first, second) = (ended(1), ended(2));
    office.permit(Rule::Deny);
    for work in [first, second] {
        assert_eq!(work.stopped(), Some(ErrorCode::Denied));
    }
    office.permit(Rule::Allow);
    let third = ended(3);
    office.hub.revoke(office.relationship).unwrap();
    assert_eq!(third.stopped(), Some(ErrorCode::Revoked));
}

#[test]
fn a_cancel_keeps_what_had_arrived() {
    let office = Office::new("cancel");
    let work = office.submit(1, "wait").unwrap();
    until(&work, |view| {
        view.streams
            .first()
            .filter(|stream| stream.1 > 0)
            .map(|_| ())
    });
    office.hub.cancel(office.relationship, RequestId(1));
    assert_eq!(code(&end(&work)), Some(ErrorCode::Cancelled));
    assert_eq!(text(&work), "begun");
    let found = office
        .hub
        .attach(office.relationship, RequestId(1))
        .unwrap();
    assert_eq!(text(&found), "begun");
}

#[test]
fn an_end_that_finds_the_disk_full_is_told_counted_and_written_down_later() {
    let office = Office::new("full");
    let work = office.submit(1, "wait").unwrap();
    until(&work, |view| view.streams.first().map(|_| ()));
    office.hub.store.fill();
    office.hub.cancel(office.relationship, RequestId(1));
    assert_eq!(code(&end(&work)), Some(ErrorCode::Cancelled));
    assert_eq!(
        text(&work),
        "begun",
        "whoever follows reads it all the same"
    );
    let asked = office.asked();
    let refusal = office.submit(2, "hello").err().unwrap();
    assert_eq!(refusal.fault.code, ErrorCode::StoreFull);
    assert_eq!(office.asked(), asked, "what is refused does not run");
    let found = office.hub.attach(office.relationship, RequestId(1));
    assert_eq!(code(&end(&found.unwrap())), Some(ErrorCode::Cancelled));
    office.until(|live| live.running() == 0);
    let state = |id| {
        let record = office.hub.store.request(office.relationship, id);
        record.unwrap().map(|record| record.state)
    };
    assert_eq!(state(1), Some(RequestState::Taken));
    assert_eq!(state(2), None);

    office.hub.store.make_room();
    assert!(matches!(
        end(&office.submit(3, "hello").unwrap()),
        Ended::Done(_)
    ));
    let Some(RequestState::Failed { code, .. }) = state(1) else {
        panic!("{:?}", state(1));
    };
    assert_eq!(code, ErrorCode::Cancelled);
    office.until(|live| live.reserved == Counted::default());
}

#[test]
fn revocation_ends_sessions_and_running_requests() {
    let office = Office::new("revoke");
    let (sender, told) = channel();
    let _guest = office.hub.enter(
        office.relationship,
        Arc::new(move |signal| sender.send(signal).unwrap()),
    );
    let work = office
        .hub
        .submit(
            office.relationship,
            &office.submission(1, say("wait", EMPTY)),
        )
        .unwrap();
    until(&work, |view| view.streams.first().map(|_| ()));
    office.hub.revoke(office.relationship).unwrap();
    assert_eq!(code(&end(&work)), Some(ErrorCode::Revoked));
    let record = office.hub.store.request(office.relationship, 1);
    assert_eq!(record.unwrap().unwrap().results, [], "nothing of it stays");
    assert!(office.hub.contexts.get(office.relationship, 5).is_none());
    assert_eq!(
        told.recv_timeout(Duration::from_secs(60)),
        Ok(Signal::Close)
    );
    let refusal = office.submit(2, "hello").err().unwrap();
    assert_eq!(refusal.fault.code, ErrorCode::Revoked);
}

#[test]
fn an_expired_relationship_gets_nothing() {
    let office = Office::new("expired");
    let work = office.submit(1, "wait").unwrap();
    until(&work, |view| view.streams.first().map(|_| ()));
    office
        .hub
        .store
        .set_expiry(office.relationship, office.hub.wall() - 1)
        .unwrap();
    office.hub.expire();
    assert_eq!(code(&end(&work)), Some(ErrorCode::Expired));
    let refusal = office.submit(2, "hello").err().unwrap();
    assert_eq!(refusal.fault.code, ErrorCode::Expired);
}

#[test]
fn a_newer_session_takes_the_place_of_an_older_one() {
    let office = Office::new("guest");
    let (sender, told) = channel();
    let older = office.hub.enter(
        office.relationship,
        Arc::new(move |signal| sender.send(signal).unwrap()),
    );
    let newer = office.hub.enter(office.relationship, Arc::new(|_| {}));
    assert_eq!(told.try_recv(), Ok(Signal::Close));
    drop(older);
    assert!(office.hub.is_linked(office.relationship));
    drop(newer);
    assert!(!office.hub.is_linked(office.relationship));
}

#[test]
fn results_outlive_the_hub() {
    let mut office = Office::new("restart");
    end(&office.submit(1, "hello").unwrap());
    office.restart();
    let found = office
        .hub
        .attach(office.relationship, RequestId(1))
        .unwrap();
    assert_eq!(text(&found), "1 turns, echo hello");
    let again = office.submit(1, "hello").unwrap();
    assert!(matches!(end(&again), Ended::Done(_)));
    assert_eq!(office.asked(), 1);
    assert!(office.socket.exists());
}
