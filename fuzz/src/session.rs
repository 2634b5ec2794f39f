//! Both roles of a session beside a reference: two machines that are called in any order, with any values, over a channel that
//! delivers in pieces, do what a list of messages and two numbers for each stream say, and never accuse each other. At the end one of
//! them may be told anything.

// By its path, since the tests that play the corpus include this file by its own.
#[path = "session/stream.rs"]
mod stream;

use self::stream::{Change, Flow, Live, extend, server_change};
use crate::octets::Octets;
use shared_proto::error::ErrorCode;
use shared_proto::limits::{
    MAX_CHUNK_LEN, MAX_LIVE_REQUESTS, MAX_TRANSMIT_LEN, PROTOCOL_VERSION, WINDOW,
};
use shared_proto::message::{
    Awaiting, Credit, Data, Done, Hello, LedgerHead, Link, Offset, Offsets, Progress, Queued,
    RequestId, Resume, Screen, Standing, Started, Submit, UPLOAD_SLOT, Usage, Welcome,
};
use shared_proto::session::{ClientEvent, ClientSession, ServerEvent, ServerSession};
use shared_proto::time::Millis;
use std::collections::{BTreeMap, VecDeque};

/// A message on its way: how it will read, and whether the other end lets it go where the request is over.
struct Told {
    text: String,
    dropped_without: Option<u64>,
}

struct World {
    client: ClientSession,
    server: ServerSession,
    /// Octets on their way.
    up: VecDeque<u8>,
    down: VecDeque<u8>,
    /// The same as messages.
    to_server: VecDeque<Told>,
    to_client: VecDeque<Told>,
    client_open: bool,
    server_open: bool,
    greeted: bool,
    client_live: BTreeMap<u64, Live>,
    server_live: BTreeMap<u64, Live>,
    now: Millis,
}

fn hello() -> Hello<'static> {
    Hello {
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
    }
}

fn welcome() -> Welcome<'static> {
    Welcome {
        version: PROTOCOL_VERSION,
        name: "Ada's ThinkPad",
        time_ms: 1,
        utc_offset_min: 60,
        floor: 1,
        standing: Standing::default(),
        link: Link::default(),
        ledger: LedgerHead::default(),
    }
}

/// Everything that the octets say, in order.
pub fn drive(bytes: &[u8]) {
    let mut octets = Octets(bytes);
    let now = Millis(1_000);
    let mut world = World {
        client: ClientSession::new(&hello(), now).expect("names of ours fit"),
        server: ServerSession::new(now),
        up: VecDeque::new(),
        down: VecDeque::new(),
        to_server: VecDeque::new(),
        to_client: VecDeque::new(),
        client_open: false,
        server_open: false,
        greeted: false,
        client_live: BTreeMap::new(),
        server_live: BTreeMap::new(),
        now,
    };
    world.say_to_server(ServerEvent::Hello(hello()), None);
    world.collect();
    while let Some(what) = octets.next() {
        let goes_on = match what % 20 {
            0..=6 => {
                world.act_client(what % 20, &mut octets);
                true
            }
            7..=14 => {
                world.act_server(what % 20, &mut octets);
                true
            }
            15 => {
                let len = octets.below(world.up.len() + 1);
                world.deliver_up(len);
                true
            }
            16 => {
                let len = octets.below(world.down.len() + 1);
                world.deliver_down(len);
                true
            }
            17 => {
                world.deliver_up(usize::MAX);
                world.deliver_down(usize::MAX);
                true
            }
            18 => world.wait(u64::from(octets.byte()) * 50),
            _ => {
                world.lie(&mut octets);
                false
            }
        };
        if !goes_on {
            return;
        }
        world.collect();
    }
    // Whatever is still on its way arrives, and nothing is missing.
    world.deliver_up(usize::MAX);
    world.collect();
    world.deliver_down(usize::MAX);
    world.deliver_up(usize::MAX);
    let lost = |told: &Told| told.dropped_without.is_none();
    assert!(!world.to_server.iter().any(lost), "said and never heard");
    assert!(world.to_client.is_empty(), "said and never heard");
}

impl World {
    fn say_to_server(&mut self, event: ServerEvent<'_>, dropped_without: Option<u64>) {
        self.to_server.push_back(Told {
            text: format!("{event:?}"),
            dropped_without,
        });
    }

    fn say_to_client(&mut self, event: ClientEvent<'_>) {
        self.to_client.push_back(Told {
            text: format!("{event:?}"),
            dropped_without: None,
        });
    }

    fn collect(&mut self) {
        self.up.extend(self.client.take_transmit());
        self.down.extend(self.server.take_transmit());
    }

    fn act_client(&mut self, what: u8, octets: &mut Octets<'_>) {
        let id = u64::from(octets.byte() % 20);
        let request = RequestId(id);
        let may_begin = !self.client_live.contains_key(&id)
            && self.client_live.len() < MAX_LIVE_REQUESTS
            && self.client_open;
        match what {
            0 => {
                let program = octets.piece();
                let signature = [octets.byte(); 64];
                let said = self.client.submit(request, program, &signature, self.now);
                assert_eq!(said.is_ok(), may_begin, "{said:?}");
                if may_begin {
                    self.client_live.insert(id, Live::default());
                    let submit = Submit {
                        id: request,
                        program,
                        signature: &signature,
                    };
                    self.say_to_server(ServerEvent::Submit(submit), None);
                }
            }
            1 => {
                let mut live = Live::default();
                let mut offsets = Offsets::new();
                for _ in 0..octets.byte() % 4 {
                    let (slot, offset) = (octets.byte() % UPLOAD_SLOT, octets.number());
                    if live
                        .results
                        .insert(slot, Flow::starting_at(offset))
                        .is_none()
                    {
                        offsets
                            .push(Offset { slot, offset })
                            .expect("three are few");
                    } else {
                        // Named twice: the last counts.
                        for named in offsets.iter_mut().filter(|named| named.slot == slot) {
                            named.offset = offset;
                        }
                    }
                }
                let said = self.client.resume(request, offsets.clone(), self.now);
                assert_eq!(said.is_ok(), may_begin, "{said:?}");
                if may_begin {
                    self.client_live.insert(id, live);
                    let resume = Resume {
                        id: request,
                        offsets,
                    };
                    self.say_to_server(ServerEvent::Resume(resume), None);
                }
            }
            2 => {
                let said = self.client.cancel(request, self.now);
                assert_eq!(said.is_ok(), self.client_open);
                if said.is_ok() {
                    self.say_to_server(ServerEvent::Cancel(request), None);
                }
            }
            3 => {
                let said = self.client.ack(request, self.now);
                assert_eq!(said.is_ok(), self.client_open);
                if said.is_ok() {
                    self.say_to_server(ServerEvent::Ack(request), None);
                }
            }
            4 => self.client_stores(id, octets),
            5 => {
                let slot = UPLOAD_SLOT + octets.byte() % 3;
                self.client_uploads(id, slot, octets);
            }
            _ => {
                let step = octets.piece();
                let said = self.client.renew(step, self.now);
                assert_eq!(said.is_ok(), self.client_open);
                if said.is_ok() {
                    self.say_to_server(ServerEvent::Renew(step), None);
                }
            }
        }
    }

    fn client_stores(&mut self, id: u64, octets: &mut Octets<'_>) {
        let (slot, offset) = (octets.byte() % UPLOAD_SLOT, octets.number());
        let said = self.client.stored(RequestId(id), slot, offset, self.now);
        let live = self.client_live.get_mut(&id);
        let Some(flow) = live.and_then(|live| live.results.get_mut(&slot)) else {
            assert_eq!(said, Ok(()));
            return;
        };
        assert!(self.client_open && said.is_ok());
        let limit = offset.min(flow.at).saturating_add(WINDOW);
        if flow.ended || limit < flow.limit.saturating_add(WINDOW / 2) {
            return;
        }
        flow.limit = limit;
        let credit = Credit {
            id: RequestId(id),
            slot,
            from: offset,
            limit,
        };
        self.say_to_server(ServerEvent::Credit(credit), Some(id));
    }

    fn client_uploads(&mut self, id: u64, slot: u8, octets: &mut Octets<'_>) {
        let flow = self
            .client_live
            .get(&id)
            .and_then(|live| live.uploads.get(&slot))
            .copied();
        let bytes = octets.piece();
        let data = data(id, slot, flow.map_or(0, |flow| flow.at), bytes, octets);
        let may = flow.is_some_and(|flow| flow.takes(&data));
        let said = self.client.upload(&data, self.now);
        assert_eq!(said.is_ok(), may, "{said:?}");
        if may {
            let live = self.client_live.get_mut(&id).expect("it is alive");
            live.uploads.get_mut(&slot).expect("wanted").take(&data);
            self.say_to_server(ServerEvent::Upload(data), Some(id));
        }
    }

    fn act_server(&mut self, what: u8, octets: &mut Octets<'_>) {
        let id = u64::from(octets.byte() % 20);
        let request = RequestId(id);
        let alive = self.server_live.contains_key(&id);
        match what {
            7 => {
                let may = self.greeted && !self.server_open;
                assert_eq!(self.server.welcome(&welcome()).is_ok(), may);
                if may {
                    self.server_open = true;
                    self.say_to_client(ClientEvent::Welcome(welcome()));
                }
            }
            8 => {
                assert_eq!(self.server.accepted(request).is_ok(), alive);
                if alive {
                    self.say_to_client(ClientEvent::Accepted(request));
                }
            }
            9 => self.server_tells(request, alive, octets),
            10 => {
                let slot = octets.byte() % UPLOAD_SLOT;
                self.server_sends(id, slot, octets);
            }
            11 => {
                let credit = Credit {
                    id: request,
                    slot: UPLOAD_SLOT + octets.byte() % 3,
                    from: octets.number(),
                    limit: octets.number(),
                };
                assert_eq!(self.server.want_upload(credit).is_ok(), alive);
                if let Some(live) = self.server_live.get_mut(&id) {
                    extend(&mut live.uploads, credit);
                    self.say_to_client(ClientEvent::UploadWanted(credit));
                }
            }
            12 => {
                let done = Done {
                    id: request,
                    usage: Usage::default(),
                };
                assert_eq!(self.server.done(done).is_ok(), alive);
                if self.server_live.remove(&id).is_some() {
                    self.say_to_client(ClientEvent::Done(done));
                }
            }
            13 => {
                let detail = String::from_utf8_lossy(octets.piece()).into_owned();
                let said = self
                    .server
                    .failed(request, Some(3), ErrorCode::Internal, &detail);
                assert_eq!(said.is_ok(), alive);
                if self.server_live.remove(&id).is_some() {
                    let failed = shared_proto::message::Failed {
                        id: request,
                        op: 3,
                        code: ErrorCode::Internal as u16,
                        detail: shared_proto::message::clip(
                            &detail,
                            shared_proto::limits::MAX_DETAIL_LEN,
                        ),
                    };
                    self.say_to_client(ClientEvent::Failed(failed));
                }
            }
            _ => {
                let step = octets.piece();
                assert_eq!(self.server.renewed(step).is_ok(), self.server_open);
                if self.server_open {
                    self.say_to_client(ClientEvent::Renewed(step));
                }
            }
        }
    }

    fn server_tells(&mut self, id: RequestId, alive: bool, octets: &mut Octets<'_>) {
        let (kind, number) = (octets.byte(), octets.number());
        let (said, event) = match kind % 4 {
            0 => {
                let awaiting = Awaiting {
                    id,
                    expires_in_ms: number as u32,
                };
                (
                    self.server.awaiting(awaiting),
                    ClientEvent::Awaiting(awaiting),
                )
            }
            1 => {
                let queued = Queued {
                    id,
                    ahead: number as u16,
                    busy: kind,
                };
                (self.server.waits(queued), ClientEvent::Queued(queued))
            }
            2 => {
                let started = Started {
                    id,
                    op: kind,
                    model: "ollama/qwen3:8b",
                };
                (self.server.started(started), ClientEvent::Started(started))
            }
            _ => {
                let progress = Progress {
                    id,
                    op: kind,
                    permille: number as u16,
                    step: 1,
                    steps: 2,
                    eta_ms: Some(number as u32),
                };
                (
                    self.server.progress(progress),
                    ClientEvent::Progress(progress),
                )
            }
        };
        assert_eq!(said.is_ok(), alive);
        if alive {
            self.say_to_client(event);
        }
    }

    fn server_sends(&mut self, id: u64, slot: u8, octets: &mut Octets<'_>) {
        let room = self.server.queued() < MAX_TRANSMIT_LEN;
        let bytes = octets.piece();
        let known = self
            .server_live
            .get(&id)
            .map(|live| live.results.get(&slot).copied());
        let flow = known.map(|flow| flow.unwrap_or(Flow::starting_at(0)));
        let data = data(id, slot, flow.map_or(0, |flow| flow.at), bytes, octets);
        let may = room && flow.is_some_and(|flow| flow.takes(&data));
        let said = self.server.data(&data);
        assert_eq!(said.is_ok(), may, "{said:?}");
        if may {
            let live = self.server_live.get_mut(&id).expect("it is alive");
            live.results
                .entry(slot)
                .or_insert(Flow::starting_at(0))
                .take(&data);
            self.say_to_client(ClientEvent::Data(data));
        }
    }

    fn deliver_up(&mut self, len: usize) {
        let piece: Vec<u8> = self.up.drain(..len.min(self.up.len())).collect();
        let mut heard = Vec::new();
        let verdict = self.server.receive(&piece, self.now, |event| {
            heard.push((format!("{event:?}"), server_change(&event)));
        });
        assert_eq!(verdict, Ok(()), "the laptop accuses an honest handheld");
        for (text, change) in heard {
            loop {
                let told = self
                    .to_server
                    .pop_front()
                    .unwrap_or_else(|| panic!("heard and never said: {text}"));
                if told.text == text {
                    break;
                }
                let over = told
                    .dropped_without
                    .is_some_and(|id| !self.server_live.contains_key(&id));
                assert!(over, "{} was lost before {text}", told.text);
            }
            match change {
                Change::Greeted => self.greeted = true,
                Change::Begins(id, live) => {
                    let before = self.server_live.insert(id, live);
                    assert!(before.is_none(), "{id} lives twice");
                }
                Change::Credited(credit) => {
                    if let Some(live) = self.server_live.get_mut(&credit.id.0) {
                        let flow = live
                            .results
                            .entry(credit.slot)
                            .or_insert(Flow::starting_at(0));
                        flow.limit = flow.limit.max(credit.limit);
                    }
                }
                Change::None => {}
            }
        }
    }

    fn deliver_down(&mut self, len: usize) {
        let piece: Vec<u8> = self.down.drain(..len.min(self.down.len())).collect();
        let (to_client, live) = (&mut self.to_client, &mut self.client_live);
        let open = &mut self.client_open;
        let verdict = self.client.receive(&piece, self.now, |event| {
            match &event {
                // The answer to a ping, which nobody asked the machine for.
                ClientEvent::RoundTrip(_) => return,
                ClientEvent::Welcome(_) => *open = true,
                ClientEvent::Data(data) => {
                    let flow = live
                        .get_mut(&data.id.0)
                        .expect("it is alive")
                        .results
                        .entry(data.slot)
                        .or_insert(Flow::starting_at(0));
                    assert!(flow.takes(data), "beyond what was allowed");
                    flow.take(data);
                }
                ClientEvent::UploadWanted(credit) => extend(
                    &mut live.get_mut(&credit.id.0).expect("it is alive").uploads,
                    *credit,
                ),
                ClientEvent::Done(done) => drop(live.remove(&done.id.0)),
                ClientEvent::Failed(failed) => drop(live.remove(&failed.id.0)),
                _ => {}
            }
            let told = to_client.pop_front().map(|told| told.text);
            assert_eq!(told, Some(format!("{event:?}")));
        });
        assert_eq!(verdict, Ok(()), "the handheld accuses an honest laptop");
        assert_eq!(self.client.live_requests(), self.client_live.len());
    }

    /// Lets time pass; false where a side gave the other up, which it may at its deadline only.
    fn wait(&mut self, span: u64) -> bool {
        self.now = self.now.after(span);
        let (client_due, server_due) = (self.client.deadline(), self.server.deadline());
        let verdicts = (self.client.tick(self.now), self.server.tick(self.now));
        assert!(verdicts.0.is_ok() || self.now >= client_due);
        assert!(verdicts.1.is_ok() || self.now >= server_due);
        verdicts == (Ok(()), Ok(()))
    }

    /// One side is told anything. It may end the session and must stay whole.
    fn lie(&mut self, octets: &mut Octets<'_>) {
        let to_server = octets.byte().is_multiple_of(2);
        let step = usize::from(octets.byte()) + 1;
        for piece in octets.0.chunks(step) {
            let over = if to_server {
                self.server.receive(piece, self.now, |_| {}).is_err()
            } else {
                self.client.receive(piece, self.now, |_| {}).is_err()
            };
            if over {
                return;
            }
            assert!(self.server.live_requests().count() <= MAX_LIVE_REQUESTS);
            assert!(self.client.live_requests() <= MAX_LIVE_REQUESTS);
        }
    }
}

/// A piece that most often fits, and sometimes does not.
fn data<'a>(id: u64, slot: u8, at: u64, bytes: &'a [u8], octets: &mut Octets<'_>) -> Data<'a> {
    let (shift, how) = (octets.byte(), octets.byte());
    Data {
        id: RequestId(id),
        slot,
        offset: if shift > 250 {
            at.wrapping_add(u64::from(shift - 250))
        } else {
            at
        },
        raw_len: match how % 8 {
            0 => octets.number() as u32,
            1 => MAX_CHUNK_LEN as u32,
            _ => 0,
        },
        fin: how >= 240,
        bytes,
    }
}
