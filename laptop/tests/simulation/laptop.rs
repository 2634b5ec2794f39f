//! The laptop of the simulation: its store as it is, a session, and works that providers feed.

use super::{Dice, Faults, SLOT, answer, length};
use laptop::ledger::{Event, Verifier};
use laptop::policy::{Profile, Usage};
use laptop::store::{
    Admission, Author, Claim, NewRelationship, NewRequest, Outcome, RelationshipId, RequestState,
    Spool, Store, StoreError, ledger_files,
};
use shared_proto::crypto::ring::RingSigner;
use shared_proto::crypto::{RelationshipKey, Signer, TokenSecret, sign_submit};
use shared_proto::error::ErrorCode;
use shared_proto::limits::MAX_CHUNK_LEN;
use shared_proto::message::{Data, Done, RequestId, Usage as Used};
use shared_proto::renewal::Credentials;
use shared_proto::session::{ServerEvent, ServerSession};
use shared_proto::time::Millis;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

const EXPORTER: [u8; 32] = [5; 32];

/// What a handheld is told of an error of the store.
fn code(error: &StoreError) -> ErrorCode {
    match error {
        full if full.is_full() => ErrorCode::StoreFull,
        StoreError::Unknown => ErrorCode::ResultGone,
        _ => ErrorCode::StoreFailed,
    }
}

fn failed(code: ErrorCode) -> RequestState {
    RequestState::Failed {
        op: None,
        code,
        detail: String::new(),
    }
}

pub struct Laptop {
    folder: PathBuf,
    store: Option<Store>,
    device: RelationshipId,
    /// The handheld's key.
    peer: RingSigner,
    works: BTreeMap<u64, Spool>,
    /// Ends that are told and that the disk did not take.
    owed: BTreeMap<u64, RequestState>,
    pub session: Option<ServerSession>,
    /// How far the session has sent what it follows.
    pub followed: BTreeMap<u64, u64>,
    /// Seconds since 1970, as its clock has them.
    pub wall: i64,
    /// How often each number was dispatched.
    pub runs: BTreeMap<u64, u32>,
}

impl Laptop {
    /// A laptop with one device, in a fresh folder.
    pub fn new(folder: &Path) -> Self {
        let _ = fs::remove_dir_all(folder);
        let store = Store::open(folder).unwrap();
        let peer = RingSigner::new(&RelationshipKey::from_bytes([1; 32]));
        let wall = 1_700_000_000;
        let new = NewRelationship {
            name: "Pocket".to_owned(),
            keys: Credentials {
                own: RelationshipKey::from_bytes([2; 32]),
                peer: peer.public_key(),
                token: TokenSecret::from_bytes([3; 32]),
            },
            screen: (640, 480),
            created_at: wall,
            expires_at: wall + 1_000_000_000,
            provisional_until: wall + 1_000_000_000,
        };
        let added = store.add_relationship(&new, &Profile::of_new_device());
        Self {
            folder: folder.to_owned(),
            store: Some(store),
            device: added.unwrap().id,
            peer,
            works: BTreeMap::new(),
            owed: BTreeMap::new(),
            session: None,
            followed: BTreeMap::new(),
            wall,
            runs: BTreeMap::new(),
        }
    }

    /// The process is killed.
    pub fn end(&mut self) {
        self.works.clear();
        self.owed.clear();
        self.store = None;
    }

    /// Another opens the same folder, unless one has it. False where the disk does not let it.
    pub fn begin(&mut self, faults: &mut Faults) -> bool {
        if self.store.is_none() {
            match Store::open(&self.folder) {
                Ok(store) => self.store = Some(store),
                Err(error @ (StoreError::Database(_) | StoreError::File(..))) => {
                    faults.down += 1;
                    assert!(!error.to_string().is_empty());
                }
                Err(error) => panic!("a disk that failed left a store that is refused: {error}"),
            }
        }
        self.store.is_some()
    }

    /// Writes down the ends that the disk did not take, as far as it takes them now.
    pub fn pay(&mut self) -> bool {
        while let Some((&id, state)) = self.owed.first_key_value() {
            let outcome = Outcome {
                state: state.clone(),
                used: Usage::default(),
                estimated: false,
                results: Vec::new(),
            };
            let Some(store) = &self.store else {
                return false;
            };
            if let Err(error) = store.end_request(self.device, id, &outcome, self.wall) {
                assert_ne!(code(&error), ErrorCode::ResultGone);
                return false;
            }
            self.owed.remove(&id);
        }
        true
    }

    pub fn store(&self) -> &Store {
        self.store.as_ref().unwrap()
    }

    pub fn receive(&mut self, octets: &[u8], at: Millis, faults: &mut Faults) {
        let Some(mut session) = self.session.take() else {
            return;
        };
        let mut heard = Vec::new();
        session
            .receive(octets, at, |event| match event {
                ServerEvent::Submit(submit) => heard.push((submit.id, Some(0), true)),
                ServerEvent::Resume(resume) => {
                    let offset = resume.offsets.iter().find(|at| at.slot == SLOT);
                    heard.push((resume.id, Some(offset.map_or(0, |at| at.offset)), false));
                }
                ServerEvent::Ack(id) => heard.push((id, None, false)),
                _ => {}
            })
            .unwrap();
        for (id, offset, new) in heard {
            let Some(offset) = offset else {
                // What a full disk does not forget is kept for longer.
                let _ = self.store().acknowledge(self.device, id.0);
                continue;
            };
            let known = match new {
                true => self.admit(id.0),
                false => match self.store().request(self.device, id.0).unwrap() {
                    Some(_) => Ok(()),
                    None => Err(ErrorCode::UnknownRequest),
                },
            };
            match known {
                Ok(()) => {
                    session.accepted(id).unwrap();
                    self.followed.insert(id.0, offset);
                }
                Err(code) => {
                    faults.refused += u32::from(code != ErrorCode::UnknownRequest);
                    session.failed(id, None, code, "").unwrap();
                }
            }
        }
        self.session = Some(session);
    }

    fn admit(&mut self, id: u64) -> Result<(), ErrorCode> {
        if !self.pay() {
            return Err(ErrorCode::StoreFull);
        }
        let digest = [id as u8; 32];
        let new = NewRequest {
            relationship: self.device,
            id,
            digest,
            author: Author::Device {
                key: self.peer.public_key(),
                signature: sign_submit(&self.peer, EXPORTER, id, digest),
                exporter: EXPORTER,
            },
            claim: Claim {
                wants: Vec::new(),
                asks: false,
            },
            reserved: Usage::default(),
            now: self.wall,
            day: self.wall / 86_400,
        };
        match self.store().admit(&new).map_err(|error| code(&error))? {
            Admission::New => {
                *self.runs.entry(id).or_default() += 1;
                match self.store().spool(self.device, id, SLOT) {
                    Ok(spool) => {
                        self.works.insert(id, spool);
                    }
                    Err(error) => self.finish(id, failed(code(&error)), Vec::new()),
                }
                Ok(())
            }
            Admission::Known(_) => Ok(()),
            refused => panic!("an honest handheld's {id} is {refused:?}"),
        }
    }

    /// One of the works gets a piece from its provider, ends or fails; the others stall meanwhile.
    pub fn work(&mut self, dice: &mut Dice, calm: bool, faults: &mut Faults) {
        let chosen = dice.below(self.works.len() as u64) as usize;
        let Some((&id, spool)) = self.works.iter_mut().nth(chosen) else {
            return;
        };
        let left = (length(id) - spool.len()) as usize;
        let piece = (dice.below(60_000) as usize).min(left);
        let said = spool.append(&answer(id, spool.len(), piece));
        let fails = !calm && dice.below(12) == 0;
        let state = match said {
            Err(error) => failed(code(&error)),
            Ok(()) if fails => failed(ErrorCode::Cancelled),
            Ok(()) if piece < left => return,
            Ok(()) => RequestState::Done,
        };
        faults.failed += u32::from(fails);
        let Some(spool) = self.works.remove(&id) else {
            return;
        };
        let bodies: Vec<_> = spool.unforced().into_iter().collect();
        let forced = self.store().force(&bodies);
        match forced {
            Ok(()) => self.finish(id, state, vec![spool]),
            Err(error) => self.owe(id, &error, &[spool]),
        }
        faults.owed += u32::from(self.owed.contains_key(&id));
    }

    fn finish(&mut self, id: u64, state: RequestState, results: Vec<Spool>) {
        let outcome = Outcome {
            state,
            used: Usage::default(),
            estimated: false,
            results,
        };
        let ended = self
            .store()
            .end_request(self.device, id, &outcome, self.wall);
        if let Err(error) = ended {
            self.owe(id, &error, &outcome.results);
        }
    }

    /// The disk did not take the end of a request: it ends otherwise.
    fn owe(&mut self, id: u64, error: &StoreError, results: &[Spool]) {
        if error.is_full() {
            results.iter().for_each(Spool::unlink);
        }
        self.owed.insert(id, failed(code(error)));
    }

    /// Whether the ledger's files tell of every request that ran, once it is taken in and once it ends.
    pub fn check_ledger(&self) {
        self.store().publish_ledger().unwrap();
        let mut verifier = Verifier::new(Some(self.store().ledger_key()));
        let (mut taken, mut ended) = (BTreeMap::new(), BTreeMap::new());
        for file in ledger_files(self.store().ledger_folder()).unwrap() {
            for line in fs::read(&file).unwrap().split_inclusive(|b| *b == b'\n') {
                let entry = verifier.line(line).unwrap_or_else(|bad| panic!("{bad:?}"));
                match entry.event {
                    Event::Taken { request, .. } => *taken.entry(request).or_insert(0) += 1,
                    Event::Ended { request, .. } => *ended.entry(request).or_insert(0) += 1,
                    _ => {}
                }
            }
        }
        assert_eq!(taken, ended);
        assert!(taken.values().all(|times| *times == 1), "{taken:?}");
        let untold: Vec<_> = self
            .runs
            .keys()
            .filter(|id| !taken.contains_key(id))
            .collect();
        assert!(untold.is_empty(), "{untold:?} ran untold");
        assert_eq!(
            verifier.report().head,
            self.store().ledger_head().unwrap(),
            "lines are missing"
        );
    }

    /// Sends what there is of what is followed, as far as its credit goes, and its end behind it.
    pub fn pump(&mut self) {
        let Some(mut session) = self.session.take() else {
            return;
        };
        for (id, sent) in std::mem::take(&mut self.followed) {
            if self.follow(&mut session, id, sent).is_none() {
                continue;
            }
        }
        self.session = Some(session);
    }

    /// `None` once its end was told.
    pub fn follow(&mut self, session: &mut ServerSession, id: u64, mut sent: u64) -> Option<()> {
        let request = RequestId(id);
        let ended = match (self.works.get(&id), self.owed.get(&id)) {
            (Some(_), _) => None,
            (None, Some(state)) => Some((state.clone(), 0)),
            (None, None) => {
                let record = self.store().request(self.device, id).unwrap()?;
                let found = record.results.iter().find(|(slot, _)| *slot == SLOT);
                Some((record.state.clone(), found.map_or(0, |(_, len)| *len)))
            }
        };
        let there = match (&ended, self.works.get(&id)) {
            (None, Some(spool)) => spool.len(),
            (Some((_, len)), _) => *len,
            (None, None) => 0,
        };
        loop {
            let room = session.window(request, SLOT).min(MAX_CHUNK_LEN as u64);
            let max = there.saturating_sub(sent).min(room) as usize;
            if max == 0 {
                break;
            }
            let bytes = match self.works.get(&id) {
                Some(spool) => spool.read(sent, max).unwrap(),
                None => self
                    .store()
                    .read_result(self.device, id, SLOT, sent, max)
                    .unwrap(),
            };
            let data = Data {
                id: request,
                slot: SLOT,
                offset: sent,
                raw_len: 0,
                fin: false,
                bytes: &bytes,
            };
            session.data(&data).unwrap();
            sent += bytes.len() as u64;
        }
        match ended {
            Some((state, _)) if sent >= there => {
                let done = Done {
                    id: request,
                    usage: Used::default(),
                };
                match state {
                    RequestState::Done => session.done(done),
                    RequestState::Failed { code, .. } => session.failed(request, None, code, ""),
                    RequestState::Taken => panic!("{id} neither runs nor has ended"),
                }
                .unwrap();
                None
            }
            _ => {
                self.followed.insert(id, sent);
                Some(())
            }
        }
    }
}
