//! A person is asked.

use super::*;

#[test]
fn a_person_decides_and_is_asked_once() {
    let office = Office::new("ask");
    office.permit(Rule::Ask);
    let watching = office.hub.desk.watch();
    for (id, answer, expected) in [(1, true, None), (2, false, Some(ErrorCode::AskRefused))] {
        let work = office.submit(id, "hello").unwrap();
        assert!(matches!(
            work.view(&Followed::default()).phase,
            Some(Phase::Asking(_))
        ));
        let number = loop {
            match watching.recv_timeout(Duration::from_secs(60)).unwrap() {
                Activity::Asked(pending) => {
                    assert_eq!(pending.device, "Pocket");
                    assert!(
                        pending.lines[0].contains("continue a text"),
                        "{:?}",
                        pending.lines
                    );
                    break pending.number;
                }
                _ => continue,
            }
        };
        office.hub.desk.answer(number, answer).unwrap();
        assert_eq!(code(&end(&work)), expected);
        assert!(
            office.hub.desk.answer(number, true).is_err(),
            "an answer counts once"
        );
    }
    assert_eq!(office.asked(), 1);
    assert!(office.hub.desk.pending().is_empty());
}

#[test]
fn nobody_answering_is_a_no() {
    let mut office = Office::new("expire");
    // A hub whose patience is over at once.
    let hub = Hub::new(
        Arc::clone(&office.hub.store),
        Settings {
            ask_timeout: Duration::ZERO,
            ..(*office.hub.settings()).clone()
        },
        office.hub.services.clone(),
    );
    office.hub = hub.unwrap();
    office.permit(Rule::Ask);
    let work = office.submit(1, "hello").unwrap();
    assert_eq!(code(&end(&work)), Some(ErrorCode::AskExpired));
    assert_eq!(office.asked(), 0);
}

#[test]
fn a_question_is_withdrawn_by_a_cancel() {
    let office = Office::new("withdraw");
    office.permit(Rule::Ask);
    let work = office.submit(1, "hello").unwrap();
    office.hub.cancel(office.relationship, RequestId(1));
    assert_eq!(code(&end(&work)), Some(ErrorCode::Cancelled));
    assert!(office.hub.desk.pending().is_empty());
    assert_eq!(office.asked(), 0);
}
