//! Requests from admission to acknowledgement, over a real store and a scripted service.

use super::*;
use crate::ipc::scripted;
use crate::policy::Rule;
use crate::store::NewRelationship;
use crate::store::testing::TempFolder;
use shared_proto::context::EMPTY;
use shared_proto::crypto::ring::{RingCrypto, RingSigner};
use shared_proto::crypto::{Crypto, RelationshipKey, Signer, TokenSecret, sign_submit};
use shared_proto::error::ErrorCode;
use shared_proto::message::{RequestId, Screen, UPLOAD_SLOT};
use shared_proto::opcode::Operation;
use shared_proto::program::{Blob, Builder, Chat, Complete, Op, Put, ValueType, Write};
use shared_proto::renewal::Credentials;
use std::sync::atomic::AtomicUsize;
use std::sync::mpsc::{Receiver, channel};

mod together;
mod turns;

/// Sharing that does not look at this machine.
fn calm() -> Sharing {
    Sharing {
        root: PathBuf::from("/nonexistent"),
        ..Sharing::default()
    }
}

struct Office {
    hub: Arc<Hub>,
    relationship: RelationshipId,
    key: RelationshipKey,
    asked: &'static AtomicUsize,
    folder: TempFolder,
    socket: PathBuf,
}

const EXPORTER: [u8; 32] = [7; 32];

impl Office {
    fn new(name: &str) -> Self {
        let folder = TempFolder::new(&format!("hub-{name}"));
        let (socket, asked) = scripted::start(&format!("hub-{name}"));
        let (key, signer) = RingSigner::generate().unwrap();
        let (ours, _) = RingSigner::generate().unwrap();
        let hub = open(&folder, &socket, Duration::from_secs(60));
        let keys = Credentials {
            own: ours,
            peer: signer.public_key(),
            token: TokenSecret::generate(&RingCrypto).unwrap(),
        };
        let now = hub.wall();
        let new = NewRelationship {
            name: "Pocket".into(),
            keys,
            screen: (640, 480),
            created_at: now,
            expires_at: now + 3600,
            provisional_until: now + 3600,
        };
        let relationship = hub
            .store
            .add_relationship(&new, &Profile::of_new_device())
            .unwrap()
            .id;
        let office = Self {
            hub,
            relationship,
            key,
            asked,
            folder,
            socket,
        };
        office.permit(Rule::Allow);
        office
    }

    fn permit(&self, rule: Rule) {
        let change = |profile: &mut Profile| {
            Operation::ALL
                .into_iter()
                .for_each(|op| profile.set_rule(op, rule))
        };
        self.hub
            .store
            .change_profile(self.relationship, change)
            .unwrap();
        self.hub.changed(self.relationship);
    }

    fn submission(&self, id: u64, program: Vec<u8>) -> Submission {
        let digest = RingCrypto.sha256(&[&program]);
        let signature = sign_submit(&RingSigner::new(&self.key), EXPORTER, id, digest);
        Submission {
            id: RequestId(id),
            program,
            proof: Proof::Signed {
                signature: signature.0.to_vec(),
                exporter: EXPORTER,
            },
            attached: Vec::new(),
            screen: Screen {
                width: 640,
                height: 480,
            },
            formats: 7,
        }
    }

    fn submit(&self, id: u64, text: &str) -> Result<Arc<Work>, Refusal> {
        self.hub
            .submit(self.relationship, &self.submission(id, ask(text)))
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// The same store under a new daemon.
    fn restart(&mut self) {
        let idle = Hub::new(
            Arc::clone(&self.hub.store),
            (*self.hub.settings()).clone(),
            self.hub.services.clone(),
        );
        let old = std::mem::replace(&mut self.hub, idle.unwrap());
        drop(old);
    }
}

fn open(folder: &TempFolder, socket: &std::path::Path, ask_timeout: Duration) -> Arc<Hub> {
    let store = Arc::new(Store::open(&folder.0.join("state")).unwrap());
    let settings = Settings {
        name: "Ada's ThinkPad".into(),
        files: folder.0.join("files"),
        scratch: folder.0.join("scratch"),
        quota: 1 << 20,
        ask_timeout,
        retention: Retention::default(),
        language: true,
        image: false,
        renewal_s: 30 * 24 * 3600,
        sharing: calm(),
    };
    let client = ServiceClient::same_user(socket);
    let services = Services {
        language: client.clone(),
        image: client.clone(),
        downloads: client,
    };
    Hub::new(store, settings, services).unwrap()
}

fn ask(text: &str) -> Vec<u8> {
    let mut b = Builder::new();
    let model = b.name("");
    let input = b.text(text);
    let answer = b.op(&Op::Complete(Complete {
        model,
        input,
        max_tokens: 9,
        temperature: None,
    }));
    b.emit(answer);
    b.finish().unwrap()
}

/// A chat in conversation 5.
fn say(text: &str, parent: [u8; 8]) -> Vec<u8> {
    let mut b = Builder::new();
    let model = b.name("");
    let input = b.text(text);
    let chat = Chat {
        model,
        conversation: 5,
        parent,
        history: None,
        system: None,
        input,
        max_tokens: 9,
        temperature: None,
    };
    let answer = b.op(&Op::Chat(chat));
    b.emit(answer);
    b.finish().unwrap()
}

/// Signals of a work, as a session gets them.
fn follow(work: &Work) -> Receiver<()> {
    let (sender, signals) = channel();
    work.follow(Arc::new(move |_| {
        let _ = sender.send(());
    }));
    signals
}

fn until<T>(work: &Work, mut look: impl FnMut(&work::View) -> Option<T>) -> T {
    let signals = follow(work);
    loop {
        if let Some(found) = look(&work.view(&Followed::default())) {
            return found;
        }
        signals
            .recv_timeout(Duration::from_secs(60))
            .expect("nothing happened for a minute");
    }
}

fn end(work: &Work) -> Ended {
    until(work, |view| view.ended.clone())
}

fn text(work: &Work) -> String {
    let len = work.view(&Followed::default()).streams[0].1 as usize;
    String::from_utf8(work.read(0, 0, len).unwrap()).unwrap()
}

fn code(ended: &Ended) -> Option<ErrorCode> {
    match ended {
        Ended::Done(_) => None,
        Ended::Failed { code, .. } => Some(*code),
    }
}

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
fn a_result_waits_until_it_is_acknowledged() {
    let office = Office::new("ack");
    end(&office.submit(1, "hello").unwrap());
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
fn a_question_is_withdrawn_by_a_cancel() {
    let office = Office::new("withdraw");
    office.permit(Rule::Ask);
    let work = office.submit(1, "hello").unwrap();
    office.hub.cancel(office.relationship, RequestId(1));
    assert_eq!(code(&end(&work)), Some(ErrorCode::Cancelled));
    assert!(office.hub.desk.pending().is_empty());
    assert_eq!(office.asked(), 0);
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
