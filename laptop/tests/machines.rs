//! Every order in which a handheld, a link, a laptop's work, its power and its owner can act on two requests: both session machines and
//! the laptop's store, as they are, explored breadth first. A request runs at most once, its end never changes, and nothing runs or is
//! linked after a revocation.
//!
//! The handheld here keeps to no rule: it submits and resumes any number at any time, with one program or the other, as one whose card
//! came back from a backup would.
#![allow(clippy::unwrap_used)]

use laptop::policy::{Profile, Usage};
use laptop::store::{
    Admission, Author, Claim, NewRelationship, NewRequest, Outcome, RelationshipId, RequestState,
    Store,
};
use shared_proto::crypto::ring::RingSigner;
use shared_proto::crypto::{PublicKey, RelationshipKey, Signature, Signer, TokenSecret};
use shared_proto::error::ErrorCode;
use shared_proto::limits::PROTOCOL_VERSION;
use shared_proto::message::{
    Done, Hello, LedgerHead, Link, Offsets, RequestId, Screen, Standing, Usage as Used, Welcome,
};
use shared_proto::renewal::Credentials;
use shared_proto::session::{ClientEvent, ClientSession, ServerEvent, ServerSession};
use shared_proto::time::Millis;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::fs;
use std::path::PathBuf;

const NOW: i64 = 1_700_000_000;
const AT: Millis = Millis(1_000);

/// How an end is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum End {
    Done,
    Failed(u16),
}

/// What a store is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Question {
    Admit(u64, u8),
    Look(u64),
    End(u64, End),
    Acknowledge(u64),
    Revoke,
    /// The process ends and another opens the same folder.
    Restart,
}

/// What it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    /// Dispatch it, now and once.
    New,
    /// It is known, and how it stands.
    Known(Option<End>),
    /// It is another program's number, or below what is remembered, or nobody's.
    Not,
    Well,
}

/// The laptop's store as a machine. Its states are what it says of itself; each pair of a state and a question is put to a real store
/// once, by doing again what led to that state.
struct Shop {
    folder: PathBuf,
    ways: HashMap<String, Vec<Question>>,
    known: HashMap<(String, Question), (Answer, String)>,
}

impl Shop {
    fn new() -> (Self, String) {
        let memory = PathBuf::from("/dev/shm");
        let base = if memory.is_dir() {
            memory
        } else {
            std::env::temp_dir()
        };
        let mut shop = Self {
            folder: base.join(format!("officeos-machines-{}", std::process::id())),
            ways: HashMap::new(),
            known: HashMap::new(),
        };
        let (store, device) = shop.fresh();
        let start = remembered(&store, device);
        shop.ways.insert(start.clone(), Vec::new());
        (shop, start)
    }

    fn fresh(&self) -> (Store, RelationshipId) {
        let _ = fs::remove_dir_all(&self.folder);
        let store = Store::open(&self.folder).unwrap();
        let peer = RingSigner::new(&RelationshipKey::from_bytes([1; 32]));
        let new = NewRelationship {
            name: "Pocket".to_owned(),
            keys: Credentials {
                own: RelationshipKey::from_bytes([2; 32]),
                peer: peer.public_key(),
                token: TokenSecret::from_bytes([3; 32]),
            },
            screen: (640, 480),
            created_at: NOW,
            expires_at: NOW + 1_000_000,
            provisional_until: NOW + 100_000,
        };
        let added = store.add_relationship(&new, &Profile::of_new_device());
        (store, added.unwrap().id)
    }

    fn ask(&mut self, state: &str, question: Question) -> (Answer, String) {
        let key = (state.to_owned(), question);
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let way = self.ways[state].clone();
        let (mut store, device) = self.fresh();
        for each in &way {
            store = self.put(store, device, *each).0;
        }
        assert_eq!(remembered(&store, device), state, "{way:?}");
        let (store, answer) = self.put(store, device, question);
        let next = remembered(&store, device);
        self.ways
            .entry(next.clone())
            .or_insert_with(|| [&way[..], &[question]].concat());
        self.known.insert(key, (answer, next.clone()));
        (answer, next)
    }

    fn put(&self, store: Store, device: RelationshipId, question: Question) -> (Store, Answer) {
        let answer = match question {
            Question::Admit(id, program) => match store.admit(&request(device, id, program)) {
                Ok(Admission::New) => Answer::New,
                Ok(Admission::Known(record)) => Answer::Known(end_of(&record.state)),
                Ok(Admission::Reused | Admission::BelowFloor | Admission::OutOfRange) | Err(_) => {
                    Answer::Not
                }
            },
            Question::Look(id) => match store.request(device, id).unwrap() {
                Some(record) => Answer::Known(end_of(&record.state)),
                None => Answer::Not,
            },
            Question::End(id, end) => {
                let state = match end {
                    End::Done => RequestState::Done,
                    End::Failed(_) => RequestState::Failed {
                        op: None,
                        code: ErrorCode::Cancelled,
                        detail: String::new(),
                    },
                };
                let outcome = Outcome {
                    state,
                    used: Usage::default(),
                    estimated: false,
                    results: Vec::new(),
                };
                store.end_request(device, id, &outcome, NOW).unwrap();
                Answer::Well
            }
            Question::Acknowledge(id) => {
                store.acknowledge(device, id).unwrap();
                Answer::Well
            }
            Question::Revoke => {
                store.revoke(device, NOW).unwrap();
                Answer::Well
            }
            Question::Restart => {
                drop(store);
                return (Store::open(&self.folder).unwrap(), Answer::Well);
            }
        };
        (store, answer)
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn request(relationship: RelationshipId, id: u64, program: u8) -> NewRequest {
    NewRequest {
        relationship,
        id,
        digest: [program; 32],
        author: Author::Device {
            key: PublicKey([2; 32]),
            signature: Signature([4; 64]),
            exporter: [5; 32],
        },
        claim: Claim {
            wants: Vec::new(),
            asks: false,
        },
        reserved: Usage::default(),
        now: NOW,
        day: 20_000,
    }
}

fn end_of(state: &RequestState) -> Option<End> {
    match state {
        RequestState::Taken => None,
        RequestState::Done => Some(End::Done),
        RequestState::Failed { code, .. } => Some(End::Failed(*code as u16)),
    }
}

/// Everything that a later question can depend on.
fn remembered(store: &Store, device: RelationshipId) -> String {
    let of = |id| store.request(device, id).unwrap();
    let held = store.relationship(device).unwrap();
    format!(
        "{:?} {:?} held={} {} {}",
        of(1),
        of(2),
        held.is_held(),
        held.floor,
        held.highest
    )
}

/// One session, and what is on its way.
#[derive(Clone)]
struct Session {
    client: ClientSession,
    server: ServerSession,
    up: Vec<u8>,
    down: Vec<u8>,
}

#[derive(Clone)]
struct World {
    store: String,
    session: Option<Session>,
    /// Works that this process of the laptop began.
    running: BTreeSet<u64>,
    /// How often each number was ever dispatched.
    runs: BTreeMap<u64, u32>,
    /// Ends that the handheld has heard of numbers that were dispatched.
    heard: BTreeMap<u64, End>,
    revoked: bool,
    submits_left: u8,
    breaks_left: u8,
}

#[derive(Clone, Copy, Debug)]
enum Act {
    Connect,
    /// A number, with one of two programs.
    Submit(u64, u8),
    Resume(u64),
    Acknowledge(u64),
    ReachLaptop,
    ReachHandheld,
    /// The link breaks, or the handheld's battery is pulled: what is on its way is gone.
    Lose,
    /// The laptop's process dies and starts again.
    Crash,
    WorkEnds(u64, End),
    Revoke,
}

const CANCELLED: End = End::Failed(ErrorCode::Cancelled as u16);

const ACTS: [Act; 16] = [
    Act::Connect,
    Act::Submit(1, 1),
    Act::Submit(1, 2),
    Act::Submit(2, 1),
    Act::Resume(1),
    Act::Resume(2),
    Act::Acknowledge(1),
    Act::Acknowledge(2),
    Act::ReachLaptop,
    Act::ReachHandheld,
    Act::Lose,
    Act::Crash,
    Act::WorkEnds(1, End::Done),
    Act::WorkEnds(1, CANCELLED),
    Act::WorkEnds(2, End::Done),
    Act::Revoke,
];

impl World {
    /// Applies an act; `None` where it is impossible or changes nothing.
    fn apply(&self, act: Act, shop: &mut Shop) -> Option<Self> {
        let mut next = self.clone();
        match act {
            Act::Connect => next.connect()?,
            Act::Submit(id, program) => {
                next.submits_left = next.submits_left.checked_sub(1)?;
                let session = next.session.as_mut()?;
                let program = [program];
                let said = session.client.submit(RequestId(id), &program, &[0; 64], AT);
                said.ok()?;
            }
            Act::Resume(id) => {
                next.submits_left = next.submits_left.checked_sub(1)?;
                let session = next.session.as_mut()?;
                let said = session.client.resume(RequestId(id), Offsets::new(), AT);
                said.ok()?;
            }
            Act::Acknowledge(id) => {
                // Only what was heard to have ended is put away.
                next.heard.get(&id)?;
                next.submits_left = next.submits_left.checked_sub(1)?;
                let session = next.session.as_mut()?;
                session.client.ack(RequestId(id), AT).ok()?;
            }
            Act::ReachLaptop => next.reach_laptop(shop)?,
            Act::ReachHandheld => next.reach_handheld()?,
            Act::Lose => {
                next.breaks_left = next.breaks_left.checked_sub(1)?;
                next.session.take()?;
            }
            Act::Crash => {
                next.breaks_left = next.breaks_left.checked_sub(1)?;
                next.session = None;
                next.running.clear();
                next.store = shop.ask(&next.store, Question::Restart).1;
            }
            Act::WorkEnds(id, end) => next.work_ends(id, end, shop)?,
            Act::Revoke => {
                if next.revoked {
                    return None;
                }
                next.revoked = true;
                next.store = shop.ask(&next.store, Question::Revoke).1;
                next.session = None;
                // What runs is judged again, and ends.
                for id in next.running.clone() {
                    next.work_ends(id, CANCELLED, shop)?;
                }
            }
        }
        if let Some(session) = &mut next.session {
            session.up.extend(session.client.take_transmit());
            session.down.extend(session.server.take_transmit());
        }
        Some(next)
    }

    /// Channel and greeting, which the laptop answers to a key that it holds.
    fn connect(&mut self) -> Option<()> {
        let held = self.store.contains("held=true");
        assert_eq!(held, !self.revoked, "keys outlive their revocation");
        if self.session.is_some() || !held {
            return None;
        }
        let hello = Hello {
            version: PROTOCOL_VERSION,
            name: "Pocket",
            app: "0.1.0",
            screen: Screen {
                width: 640,
                height: 480,
            },
            formats: 7,
            last_id: 0,
            ledger: LedgerHead::default(),
        };
        let welcome = Welcome {
            version: PROTOCOL_VERSION,
            name: "Ada's ThinkPad",
            time_ms: 1,
            utc_offset_min: 60,
            floor: 1,
            standing: Standing::default(),
            link: Link::default(),
            ledger: LedgerHead::default(),
        };
        let mut client = ClientSession::new(&hello, AT).unwrap();
        let mut server = ServerSession::new(AT);
        server.receive(&client.take_transmit(), AT, |_| {}).unwrap();
        server.welcome(&welcome).unwrap();
        client.receive(&server.take_transmit(), AT, |_| {}).unwrap();
        self.session = Some(Session {
            client,
            server,
            up: Vec::new(),
            down: Vec::new(),
        });
        Some(())
    }

    /// All that is on its way reaches the laptop, which does as its hub does: the store says what is new.
    fn reach_laptop(&mut self, shop: &mut Shop) -> Option<()> {
        let session = self.session.as_mut()?;
        if session.up.is_empty() {
            return None;
        }
        let mut heard = Vec::new();
        session
            .server
            .receive(&std::mem::take(&mut session.up), AT, |event| match event {
                ServerEvent::Submit(submit) => {
                    heard.push((submit.id.0, Question::Admit(submit.id.0, submit.program[0])));
                }
                ServerEvent::Resume(resume) => {
                    heard.push((resume.id.0, Question::Look(resume.id.0)));
                }
                ServerEvent::Ack(id) => heard.push((id.0, Question::Acknowledge(id.0))),
                other => panic!("nobody said {other:?}"),
            })
            .unwrap();
        for (id, question) in heard {
            let (answer, after) = shop.ask(&self.store, question);
            self.store = after;
            let server = &mut session.server;
            let request = RequestId(id);
            match answer {
                Answer::New => {
                    assert!(!self.revoked, "a request ran after the revocation");
                    *self.runs.entry(id).or_default() += 1;
                    self.running.insert(id);
                    server.accepted(request).unwrap();
                }
                Answer::Known(None) => server.accepted(request).unwrap(),
                Answer::Known(Some(end)) => tell(server, id, end),
                Answer::Not => server
                    .failed(request, None, ErrorCode::UnknownRequest, "")
                    .unwrap(),
                Answer::Well => {}
            }
        }
        Some(())
    }

    fn reach_handheld(&mut self) -> Option<()> {
        let session = self.session.as_mut()?;
        if session.down.is_empty() {
            return None;
        }
        let mut ends = Vec::new();
        session
            .client
            .receive(
                &std::mem::take(&mut session.down),
                AT,
                |event| match event {
                    ClientEvent::Done(done) => ends.push((done.id.0, End::Done)),
                    ClientEvent::Failed(failed) => {
                        ends.push((failed.id.0, End::Failed(failed.code)))
                    }
                    _ => {}
                },
            )
            .unwrap();
        for (id, end) in ends {
            // A number that is nobody's, or another program's, is refused and not ended.
            if end == End::Failed(ErrorCode::UnknownRequest as u16) {
                continue;
            }
            let before = *self.heard.entry(id).or_insert(end);
            assert_eq!(before, end, "request {id} ended in two ways");
            assert_eq!(self.runs.get(&id), Some(&1), "request {id} ended unrun");
        }
        Some(())
    }

    fn work_ends(&mut self, id: u64, end: End, shop: &mut Shop) -> Option<()> {
        if !self.running.remove(&id) {
            return None;
        }
        self.store = shop.ask(&self.store, Question::End(id, end)).1;
        if let Some(session) = &mut self.session
            && session.server.is_live(RequestId(id))
        {
            tell(&mut session.server, id, end);
        }
        Some(())
    }

    fn check(&self, shop: &mut Shop, path: &[Act]) {
        for (id, runs) in &self.runs {
            assert_eq!(*runs, 1, "request {id} ran again after {path:?}");
            // What was dispatched is running or has ended; nobody waits for ever.
            let (answer, same) = shop.ask(&self.store, Question::Look(*id));
            assert_eq!(same, self.store, "looking changes nothing");
            let runs_now = self.running.contains(id);
            assert_eq!(
                answer == Answer::Known(None),
                runs_now,
                "{answer:?} after {path:?}"
            );
        }
        assert!(
            !self.revoked || (self.session.is_none() && self.running.is_empty()),
            "something outlived the revocation after {path:?}"
        );
    }

    fn print(&self) -> String {
        let session = self.session.as_ref().map(|session| {
            let live: Vec<_> = session.server.live_requests().collect();
            (
                live,
                session.client.live_requests(),
                session.up.clone(),
                session.down.clone(),
            )
        });
        format!(
            "{} {session:?} {:?} {:?} {:?} {} {}",
            self.store, self.running, self.runs, self.heard, self.submits_left, self.breaks_left
        )
    }
}

fn tell(server: &mut ServerSession, id: u64, end: End) {
    match end {
        End::Done => server.done(Done {
            id: RequestId(id),
            usage: Used::default(),
        }),
        End::Failed(code) => {
            let known = [ErrorCode::Cancelled, ErrorCode::Interrupted];
            let code = known.into_iter().find(|known| *known as u16 == code);
            server.failed(RequestId(id), None, code.expect("one of the two"), "")
        }
    }
    .unwrap();
}

#[test]
fn no_order_of_events_runs_a_request_twice_or_lets_one_outlive_a_revocation() {
    let (mut shop, store) = Shop::new();
    let start = World {
        store,
        session: None,
        running: BTreeSet::new(),
        runs: BTreeMap::new(),
        heard: BTreeMap::new(),
        revoked: false,
        submits_left: 4,
        breaks_left: 2,
    };
    let mut seen = HashSet::new();
    let mut to_visit = VecDeque::from([(start, Vec::new())]);
    let (mut interrupted, mut twice_heard) = (0, 0);
    while let Some((world, path)) = to_visit.pop_front() {
        if !seen.insert(world.print()) {
            continue;
        }
        world.check(&mut shop, &path);
        let end = End::Failed(ErrorCode::Interrupted as u16);
        interrupted += usize::from(world.heard.values().any(|heard| *heard == end));
        twice_heard += usize::from(world.heard.len() == 2);
        for act in ACTS {
            if let Some(next) = world.apply(act, &mut shop) {
                to_visit.push_back((next, [&path[..], &[act]].concat()));
            }
        }
    }
    println!(
        "{} states; {} of the store, asked {} questions",
        seen.len(),
        shop.ways.len(),
        shop.known.len()
    );
    // The exploration reached what it is about.
    assert!(
        interrupted > 0 && twice_heard > 0,
        "{interrupted} {twice_heard}"
    );
    assert!(seen.len() > 1000, "{}", seen.len());
}
