//! Who is let in, and what of.

use super::*;

#[test]
fn an_allowed_request_runs_once_however_often_it_is_submitted() {
    let office = Office::new("once");
    let work = office.submit(1, "hello").unwrap();
    assert!(matches!(end(&work), Ended::Done(_)));
    assert_eq!(text(&work), "1 turns, echo hello");
    let again = office.submit(1, "hello").unwrap();
    assert_eq!(text(&again), "1 turns, echo hello");
    assert_eq!(office.asked(), 1);
    let refusal = office.submit(1, "another").err().unwrap();
    assert_eq!(refusal.fault.code, ErrorCode::IdReused);
    assert_eq!(office.asked(), 1);
}

#[test]
fn a_signature_of_another_key_channel_or_program_runs_nothing() {
    let office = Office::new("signature");
    let good = office.submission(1, ask("hello"));
    let (stranger, _) = RingSigner::generate().unwrap();
    let digest = RingCrypto.sha256(&[&good.program]);
    let foreign = sign_submit(&RingSigner::new(&stranger), EXPORTER, 1, digest)
        .0
        .to_vec();
    let proof = |signature: Option<Vec<u8>>, exporter| match good.proof.clone() {
        Proof::Signed { signature: own, .. } => Proof::Signed {
            signature: signature.unwrap_or(own),
            exporter,
        },
        key @ Proof::Key(_) => key,
    };
    let bad = [
        Submission {
            proof: proof(Some(foreign), EXPORTER),
            ..good.clone()
        },
        Submission {
            proof: proof(None, [8; 32]),
            ..good.clone()
        },
        Submission {
            program: ask("other"),
            ..good.clone()
        },
        Submission {
            id: RequestId(2),
            ..good.clone()
        },
        Submission {
            proof: proof(Some(vec![0; 3]), EXPORTER),
            ..good.clone()
        },
    ];
    for submission in bad {
        let refusal = office
            .hub
            .submit(office.relationship, &submission)
            .err()
            .unwrap();
        assert_eq!(refusal.fault.code, ErrorCode::BadSignature);
    }
    assert_eq!(office.asked(), 0);
    assert!(office.hub.submit(office.relationship, &good).is_ok());
}

#[test]
fn a_denied_request_runs_nothing_and_its_number_stays_free() {
    let office = Office::new("deny");
    office.permit(Rule::Deny);
    let refusal = office.submit(1, "hello").err().unwrap();
    assert_eq!(refusal.fault.code, ErrorCode::Denied);
    assert_eq!(office.asked(), 0);
    office.permit(Rule::Allow);
    assert!(matches!(
        end(&office.submit(1, "hello").unwrap()),
        Ended::Done(_)
    ));
}

#[test]
fn refused_requests_count_against_the_rate_and_known_ones_do_not() {
    let office = Office::new("rate");
    let limit = |profile: &mut Profile| profile.requests_per_minute = 3;
    office
        .hub
        .store
        .change_profile(office.relationship, limit)
        .unwrap();
    office.hub.changed(office.relationship);
    let submit = |id, program| {
        let submission = office.submission(id, program);
        office.hub.submit(office.relationship, &submission)
    };
    let refused = |result: Result<Arc<Work>, Refusal>| result.err().map(|r| r.fault.code);
    end(&submit(1, ask("hello")).unwrap());
    // No program at all, and one for a conversation that nobody knows.
    let malformed = refused(submit(2, b"\xff\xff".to_vec()));
    assert!(malformed.is_some_and(|code| code != ErrorCode::RateLimited));
    assert_eq!(
        refused(submit(2, say("more", [9; 8]))),
        Some(ErrorCode::ContextMissing)
    );
    for _ in 0..3 {
        assert_eq!(
            refused(submit(2, ask("hello"))),
            Some(ErrorCode::RateLimited)
        );
        assert_eq!(
            refused(submit(2, b"\xff\xff".to_vec())),
            Some(ErrorCode::RateLimited)
        );
        assert!(submit(1, ask("hello")).is_ok(), "known already");
    }
    assert_eq!(office.asked(), 1);
}

#[test]
fn the_last_request_of_a_minute_is_taken_in() {
    let office = Office::new("rate-last");
    let limit = |profile: &mut Profile| profile.requests_per_minute = 2;
    office
        .hub
        .store
        .change_profile(office.relationship, limit)
        .unwrap();
    office.hub.changed(office.relationship);
    for id in 1..=2 {
        assert!(office.submit(id, "hello").is_ok());
    }
    let refusal = office.submit(3, "hello").err().unwrap();
    assert_eq!(refusal.fault.code, ErrorCode::RateLimited);
}

#[test]
fn a_missing_conversation_takes_no_number_and_asks_nobody() {
    let office = Office::new("context");
    office.permit(Rule::Ask);
    let program = |parent| say("hello", parent);
    let refusal = office
        .hub
        .submit(office.relationship, &office.submission(1, program([9; 8])))
        .err()
        .unwrap();
    assert_eq!(refusal.fault.code, ErrorCode::ContextMissing);
    assert!(office.hub.desk.pending().is_empty());
    office.permit(Rule::Allow);
    let work = office
        .hub
        .submit(office.relationship, &office.submission(1, program(EMPTY)))
        .unwrap();
    assert!(matches!(end(&work), Ended::Done(_)));
}

#[test]
fn what_is_switched_off_is_refused_by_name() {
    let office = Office::new("off");
    let mut b = Builder::new();
    let model = b.name("");
    let prompt = b.text("a harbour");
    let picture = b.op(&Op::Generate(shared_proto::program::Generate {
        model,
        prompt,
        negative: None,
        style: model,
        width: 64,
        height: 64,
        steps: 1,
        seed: None,
    }));
    b.emit(picture);
    let refusal = office
        .hub
        .submit(
            office.relationship,
            &office.submission(1, b.finish().unwrap()),
        )
        .err()
        .unwrap();
    assert_eq!(refusal.fault.code, ErrorCode::Unsupported);
    assert!(
        refusal.fault.detail.contains("generate"),
        "{}",
        refusal.fault.detail
    );
}

#[test]
fn an_upload_is_asked_for_checked_and_used() {
    let office = Office::new("upload");
    let data = b"notes from the train".repeat(10);
    let put = |sha256: [u8; 32]| {
        let mut b = Builder::new();
        let path = b.name("notes.txt");
        let data = b.blob(Blob {
            sha256,
            len: data.len() as u64,
            ty: ValueType::Bytes,
        });
        let put = b.op(&Op::Put(Put {
            path,
            data,
            write: Write::Replace,
        }));
        b.emit(put);
        b.finish().unwrap()
    };
    let submission = office.submission(1, put(RingCrypto.sha256(&[&data])));
    let work = office.hub.submit(office.relationship, &submission).unwrap();
    let credit = work.wanted(&Followed::default())[0];
    assert_eq!(
        (credit.slot, credit.from, credit.limit),
        (UPLOAD_SLOT + 1, 0, data.len() as u64)
    );
    work.upload(UPLOAD_SLOT + 1, 0, &data[..50]).unwrap();
    assert_eq!(work.wanted(&Followed::default())[0].from, 50);
    assert!(
        work.upload(UPLOAD_SLOT + 1, 60, &data[60..]).is_err(),
        "a gap is refused"
    );
    work.upload(UPLOAD_SLOT + 1, 0, &data[..20]).unwrap();
    work.upload(UPLOAD_SLOT + 1, 30, &data[30..]).unwrap();
    assert!(matches!(end(&work), Ended::Done(_)));
    let folder = office
        .hub
        .store
        .relationship(office.relationship)
        .unwrap()
        .folder;
    let path = office.folder.0.join("files").join(folder).join("notes.txt");
    assert_eq!(std::fs::read(path).unwrap(), data);

    let submission = office.submission(2, put([1; 32]));
    let work = office.hub.submit(office.relationship, &submission).unwrap();
    work.upload(UPLOAD_SLOT + 1, 0, &data).unwrap();
    assert_eq!(code(&end(&work)), Some(ErrorCode::BlobMismatch));
}

#[test]
fn a_model_that_is_off_is_asked_by_nobody_and_the_ledger_says_so() {
    let office = Office::new("model-off");
    let named = |model: &str| {
        let mut b = Builder::new();
        let (model, input) = (b.name(model), b.text("hello"));
        let answer = b.op(&Op::Complete(Complete {
            model,
            input,
            max_tokens: 9,
            temperature: None,
        }));
        b.emit(answer);
        b.finish().unwrap()
    };
    let submit = |id, model| {
        let submission = office.submission(id, named(model));
        office.hub.submit(office.relationship, &submission)
    };
    office.hub.set_model("desk/parrot", false).unwrap();
    let before = office.asked();
    let refusal = submit(1, "desk/parrot").err().unwrap();
    assert_eq!(refusal.fault.code, ErrorCode::ModelDenied);
    assert!(
        refusal.fault.detail.contains("desk/parrot"),
        "{}",
        refusal.fault.detail
    );
    assert_eq!(office.asked(), before);
    // Another one is asked, and where the choice is the service's it is told which it may not take.
    assert!(matches!(
        end(&submit(1, "desk/other").unwrap()),
        Ended::Done(_)
    ));
    let open = submit(2, "").unwrap();
    assert!(matches!(end(&open), Ended::Done(_)));
    assert!(
        text(&open).contains("without desk/parrot"),
        "{}",
        text(&open)
    );
    office.hub.set_model("desk/parrot", true).unwrap();
    assert!(matches!(
        end(&submit(3, "desk/parrot").unwrap()),
        Ended::Done(_)
    ));
}

#[test]
fn a_model_that_is_switched_off_is_not_asked_by_one_that_waits_for_a_person() {
    let office = Office::new("model-off-later");
    office.permit(Rule::Ask);
    let mut b = Builder::new();
    let (model, input) = (b.name("desk/parrot"), b.text("hello"));
    let answer = b.op(&Op::Complete(Complete {
        model,
        input,
        max_tokens: 9,
        temperature: None,
    }));
    b.emit(answer);
    let submission = office.submission(1, b.finish().unwrap());
    let work = office.hub.submit(office.relationship, &submission).unwrap();
    let number = number_of_question(&office);
    office.hub.set_model("desk/parrot", false).unwrap();
    let before = office.asked();
    office.hub.desk.answer(number, true).unwrap();
    assert_eq!(code(&end(&work)), Some(ErrorCode::ModelDenied));
    assert_eq!(office.asked(), before);
}

/// The number of the one question that is put; it is on the desk a moment after the request was taken in.
fn number_of_question(office: &Office) -> u64 {
    loop {
        if let Some(pending) = office.hub.desk.pending().first() {
            return pending.number;
        }
        std::thread::yield_now();
    }
}
