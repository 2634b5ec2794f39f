//! The laptop of the simulation: its store as it is, a session, and works that providers feed.

use super::{Dice, Faults, SLOT, answer, length};
use laptop::policy::{Profile, Usage};
use laptop::store::{
    Admission, Author, Claim, NewRelationship, NewRequest, Outcome, RelationshipId, RequestState,
    Spool, Store,
};
use shared_proto::crypto::ring::RingSigner;
use shared_proto::crypto::{PublicKey, RelationshipKey, Signature, Signer, TokenSecret};
use shared_proto::error::ErrorCode;
use shared_proto::limits::MAX_CHUNK_LEN;
use shared_proto::message::{Data, Done, RequestId, Usage as Used};
use shared_proto::renewal::Credentials;
use shared_proto::session::{ServerEvent, ServerSession};
use shared_proto::time::Millis;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

pub struct Laptop {
    folder: PathBuf,
    store: Option<Store>,
    device: RelationshipId,
    works: BTreeMap<u64, Spool>,
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
            works: BTreeMap::new(),
            session: None,
            followed: BTreeMap::new(),
            wall,
            runs: BTreeMap::new(),
        }
    }

    /// The process is killed, and another opens the same folder.
    pub fn begin_again(&mut self) {
        self.works.clear();
        self.store = None;
        self.store = Some(Store::open(&self.folder).unwrap());
    }

    pub fn store(&self) -> &Store {
        self.store.as_ref().unwrap()
    }

    pub fn receive(&mut self, octets: &[u8], at: Millis) {
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
                self.store().acknowledge(self.device, id.0).unwrap();
                continue;
            };
            let known = match new {
                true => self.admit(id.0),
                false => self.store().request(self.device, id.0).unwrap().is_some(),
            };
            match known {
                true => {
                    session.accepted(id).unwrap();
                    self.followed.insert(id.0, offset);
                }
                false => session
                    .failed(id, None, ErrorCode::UnknownRequest, "")
                    .unwrap(),
            }
        }
        self.session = Some(session);
    }

    pub fn admit(&mut self, id: u64) -> bool {
        let new = NewRequest {
            relationship: self.device,
            id,
            digest: [id as u8; 32],
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
            now: self.wall,
            day: self.wall / 86_400,
        };
        match self.store().admit(&new).unwrap() {
            Admission::New => {
                *self.runs.entry(id).or_default() += 1;
                let spool = self.store().spool(self.device, id, SLOT).unwrap();
                self.works.insert(id, spool);
                true
            }
            Admission::Known(_) => true,
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
        spool.append(&answer(id, spool.len(), piece)).unwrap();
        let fails = !calm && dice.below(12) == 0;
        if piece < left && !fails {
            return;
        }
        faults.failed += u32::from(fails);
        let Some(spool) = self.works.remove(&id) else {
            return;
        };
        let state = match fails {
            false => RequestState::Done,
            true => RequestState::Failed {
                op: None,
                code: ErrorCode::Cancelled,
                detail: String::new(),
            },
        };
        let bodies: Vec<_> = spool.unforced().into_iter().collect();
        self.store().force(&bodies).unwrap();
        let outcome = Outcome {
            state,
            used: Usage::default(),
            estimated: false,
            results: vec![spool],
        };
        self.store()
            .end_request(self.device, id, &outcome, self.wall)
            .unwrap();
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
        let ended = match self.works.get(&id) {
            Some(_) => None,
            None => Some(self.store().request(self.device, id).unwrap()?),
        };
        let there = match (&ended, self.works.get(&id)) {
            (None, Some(spool)) => spool.len(),
            (Some(record), _) => {
                let found = record.results.iter().find(|(slot, _)| *slot == SLOT);
                found.map_or(0, |(_, len)| *len)
            }
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
            Some(record) if sent >= there => {
                let done = Done {
                    id: request,
                    usage: Used::default(),
                };
                match record.state {
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
