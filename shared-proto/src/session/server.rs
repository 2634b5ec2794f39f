//! The laptop's end of a session.

use super::flow::{Inflow, Outflow};
use crate::error::{ErrorCode, Misuse, PeerError};
use crate::frame::Deframer;
use crate::limits::{
    DEAD_AFTER_MS, GREETING_TIMEOUT_MS, MAX_LIVE_REQUESTS, MAX_TRANSMIT_LEN, PING_AFTER_MS,
    PROTOCOL_VERSION,
};
use crate::message::{
    Accepted, Awaiting, Credit, Data, Done, Failed, Hello, Message, Notice, Progress, Queued,
    Renewal, RequestId, Resume, Standing, Started, Submit, UPLOAD_SLOT, Welcome,
};
use crate::time::Millis;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

/// What the handheld said.
#[derive(Clone, Debug, PartialEq)]
#[allow(clippy::large_enum_variant)] // Passed to a sink and never stored.
pub enum ServerEvent<'a> {
    /// Who it is. Answer with [`ServerSession::welcome`].
    Hello(Hello<'a>),
    /// Run this. Answer with `accepted` or `failed`.
    Submit(Submit<'a>),
    /// Go on with this. Answer with `accepted` or `failed`.
    Resume(Resume),
    /// Stop this; it may have ended already.
    Cancel(RequestId),
    /// The result is put away; it may be forgotten already.
    Ack(RequestId),
    /// A piece of an upload, in order.
    Upload(Data<'a>),
    /// A result may run further.
    Credit(Credit),
    /// A step of renewal.
    Renew(&'a [u8]),
    /// The session ends on purpose.
    Farewell,
}

#[derive(Clone, Debug, Default)]
struct Live {
    results: BTreeMap<u8, Outflow>,
    uploads: BTreeMap<u8, Inflow>,
}

/// The machine. See [`crate::session`] for how to drive it.
#[derive(Clone, Debug)]
pub struct ServerSession {
    deframer: Deframer,
    transmit: Vec<u8>,
    live: BTreeMap<RequestId, Live>,
    greeted: bool,
    open: bool,
    started_at: Millis,
    heard_at: Millis,
}

impl ServerSession {
    /// Waits for the greeting.
    #[must_use]
    pub fn new(now: Millis) -> Self {
        Self {
            deframer: Deframer::new(),
            transmit: Vec::new(),
            live: BTreeMap::new(),
            greeted: false,
            open: false,
            started_at: now,
            heard_at: now,
        }
    }

    /// Whether the handheld has been welcomed.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.open
    }

    /// Requests alive on this session.
    pub fn live_requests(&self) -> impl Iterator<Item = RequestId> {
        self.live.keys().copied()
    }

    /// Whether `id` is alive on this session.
    #[must_use]
    pub fn is_live(&self, id: RequestId) -> bool {
        self.live.contains_key(&id)
    }

    /// Reads what arrived and reports it to `sink`.
    ///
    /// # Errors
    /// A [`PeerError`]; the session is over.
    pub fn receive(
        &mut self,
        bytes: &[u8],
        now: Millis,
        mut sink: impl FnMut(ServerEvent<'_>),
    ) -> Result<(), PeerError> {
        self.heard_at = now;
        let mut deframer = core::mem::take(&mut self.deframer);
        deframer.push(bytes);
        while let Some((kind, payload)) = deframer.next_frame()? {
            self.message(Message::decode(kind, payload)?, &mut sink)?;
        }
        self.deframer = deframer;
        Ok(())
    }

    fn message(
        &mut self,
        message: Message<'_>,
        sink: &mut impl FnMut(ServerEvent<'_>),
    ) -> Result<(), PeerError> {
        if self.greeted == matches!(message, Message::Hello(_)) {
            return Err(PeerError::OutOfTurn);
        }
        match message {
            Message::Hello(hello) => {
                if hello.version != PROTOCOL_VERSION {
                    return Err(PeerError::Version(hello.version));
                }
                self.greeted = true;
                sink(ServerEvent::Hello(hello));
            }
            Message::Submit(submit) => {
                if self.admit(submit.id)? {
                    self.live.insert(submit.id, Live::default());
                    sink(ServerEvent::Submit(submit));
                }
            }
            Message::Resume(resume) => {
                if self.admit(resume.id)? {
                    let results = resume
                        .offsets
                        .iter()
                        .map(|at| (at.slot, Outflow::starting_at(at.offset)));
                    self.live.insert(
                        resume.id,
                        Live {
                            results: results.collect(),
                            uploads: BTreeMap::new(),
                        },
                    );
                    sink(ServerEvent::Resume(resume));
                }
            }
            Message::Cancel(cancel) => sink(ServerEvent::Cancel(cancel.id)),
            Message::Ack(ack) => sink(ServerEvent::Ack(ack.id)),
            Message::Data(data) => {
                if data.slot < UPLOAD_SLOT {
                    return Err(PeerError::OutOfTurn);
                }
                // A request that has just failed may still have pieces on their way: they are dropped.
                let Some(live) = self.live.get_mut(&data.id) else {
                    return Ok(());
                };
                live.uploads
                    .get_mut(&data.slot)
                    .ok_or(PeerError::OverCredit)?
                    .accept(&data)?;
                sink(ServerEvent::Upload(data));
            }
            Message::Credit(credit) => {
                if credit.slot >= UPLOAD_SLOT {
                    return Err(PeerError::OutOfTurn);
                }
                // Likewise credit for a request that has just ended.
                let Some(live) = self.live.get_mut(&credit.id) else {
                    return Ok(());
                };
                live.results
                    .entry(credit.slot)
                    .or_insert(Outflow::starting_at(0))
                    .extend(credit.limit);
                sink(ServerEvent::Credit(credit));
            }
            Message::Ping(echo) => Message::Pong(echo)
                .encode(&mut self.transmit)
                .map_err(|_| PeerError::OutOfTurn)?,
            Message::Renew(renewal) => sink(ServerEvent::Renew(renewal.step)),
            Message::Farewell(()) => sink(ServerEvent::Farewell),
            Message::Welcome(_)
            | Message::Accepted(_)
            | Message::Awaiting(_)
            | Message::Queued(_)
            | Message::Started(_)
            | Message::Progress(_)
            | Message::Done(_)
            | Message::Failed(_)
            | Message::Notice(_)
            | Message::Pong(_)
            | Message::Renewed(_) => return Err(PeerError::OutOfTurn),
        }
        Ok(())
    }

    /// Whether one more request may live; says `Busy` where it may not.
    fn admit(&mut self, id: RequestId) -> Result<bool, PeerError> {
        if self.live.contains_key(&id) || !self.open {
            return Err(PeerError::OutOfTurn);
        }
        if self.live.len() < MAX_LIVE_REQUESTS {
            return Ok(true);
        }
        let busy = Failed {
            id,
            op: u8::MAX,
            code: ErrorCode::Busy as u16,
            detail: "",
        };
        Message::Failed(busy)
            .encode(&mut self.transmit)
            .map_err(|_| PeerError::OutOfTurn)?;
        Ok(false)
    }

    /// Opens the session.
    ///
    /// # Errors
    /// [`Misuse`] before the greeting, twice, or where it does not fit a frame.
    pub fn welcome(&mut self, welcome: &Welcome<'_>) -> Result<(), Misuse> {
        if !self.greeted || self.open {
            return Err(Misuse::NotOpen);
        }
        Message::Welcome(welcome.clone()).encode(&mut self.transmit)?;
        self.open = true;
        Ok(())
    }

    /// Tells of changed policy or models.
    ///
    /// # Errors
    /// [`Misuse`] where the session is not open or it does not fit a frame.
    pub fn notice(&mut self, standing: &Standing<'_>) -> Result<(), Misuse> {
        self.say(&Message::Notice(Notice {
            standing: standing.clone(),
        }))
    }

    /// The request is stored.
    ///
    /// # Errors
    /// [`Misuse`] where it is not alive here.
    pub fn accepted(&mut self, id: RequestId) -> Result<(), Misuse> {
        self.tell(id, &Message::Accepted(Accepted { id }))
    }

    /// A person is being asked.
    ///
    /// # Errors
    /// [`Misuse`] where it is not alive here.
    pub fn awaiting(&mut self, awaiting: Awaiting) -> Result<(), Misuse> {
        self.tell(awaiting.id, &Message::Awaiting(awaiting))
    }

    /// The request waits for its turn.
    ///
    /// # Errors
    /// [`Misuse`] where it is not alive here.
    pub fn waits(&mut self, queued: Queued) -> Result<(), Misuse> {
        self.tell(queued.id, &Message::Queued(queued))
    }

    /// Somebody took up an operation.
    ///
    /// # Errors
    /// [`Misuse`] where it is not alive here.
    pub fn started(&mut self, started: Started<'_>) -> Result<(), Misuse> {
        self.tell(started.id, &Message::Started(started))
    }

    /// How far an operation has come.
    ///
    /// # Errors
    /// [`Misuse`] where it is not alive here.
    pub fn progress(&mut self, progress: Progress) -> Result<(), Misuse> {
        self.tell(progress.id, &Message::Progress(progress))
    }

    /// Octets of a result that may be sent now; zero where its credit or the queue is used up.
    #[must_use]
    pub fn window(&self, id: RequestId, slot: u8) -> u64 {
        if self.transmit.len() >= MAX_TRANSMIT_LEN {
            return 0;
        }
        let Some(live) = self.live.get(&id) else {
            return 0;
        };
        live.results
            .get(&slot)
            .map_or(crate::limits::INITIAL_WINDOW, Outflow::window)
    }

    /// Sends a piece of a result.
    ///
    /// # Errors
    /// [`Misuse`] where the request is not alive here or the piece passes its credit.
    pub fn data(&mut self, data: &Data<'_>) -> Result<(), Misuse> {
        if self.transmit.len() >= MAX_TRANSMIT_LEN {
            return Err(Misuse::NoCredit);
        }
        let live = self.live.get_mut(&data.id).ok_or(Misuse::UnknownRequest)?;
        live.results
            .entry(data.slot)
            .or_insert(Outflow::starting_at(0))
            .advance(data)?;
        self.say(&Message::Data(*data))
    }

    /// Asks for an upload, or lets it run further.
    ///
    /// # Errors
    /// [`Misuse`] where the request is not alive here.
    pub fn want_upload(&mut self, credit: Credit) -> Result<(), Misuse> {
        let live = self
            .live
            .get_mut(&credit.id)
            .ok_or(Misuse::UnknownRequest)?;
        live.uploads
            .entry(credit.slot)
            .or_insert(Inflow::between(credit.from, credit.limit))
            .extend(credit.limit);
        self.say(&Message::Credit(credit))
    }

    /// The request ended well.
    ///
    /// # Errors
    /// [`Misuse`] where it is not alive here.
    pub fn done(&mut self, done: Done) -> Result<(), Misuse> {
        self.tell(done.id, &Message::Done(done))?;
        self.live.remove(&done.id);
        Ok(())
    }

    /// The request ended badly.
    ///
    /// # Errors
    /// [`Misuse`] where it is not alive here.
    pub fn failed(
        &mut self,
        id: RequestId,
        op: Option<u8>,
        code: ErrorCode,
        detail: &str,
    ) -> Result<(), Misuse> {
        let detail = crate::message::clip(detail, crate::limits::MAX_DETAIL_LEN);
        let failed = Failed {
            id,
            op: op.unwrap_or(u8::MAX),
            code: code as u16,
            detail,
        };
        self.tell(id, &Message::Failed(failed))?;
        self.live.remove(&id);
        Ok(())
    }

    /// Sends a step of renewal.
    ///
    /// # Errors
    /// [`Misuse::NotOpen`].
    pub fn renewed(&mut self, step: &[u8]) -> Result<(), Misuse> {
        self.say(&Message::Renewed(Renewal { step }))
    }

    fn tell(&mut self, id: RequestId, message: &Message<'_>) -> Result<(), Misuse> {
        if !self.live.contains_key(&id) {
            return Err(Misuse::UnknownRequest);
        }
        self.say(message)
    }

    fn say(&mut self, message: &Message<'_>) -> Result<(), Misuse> {
        if self.open {
            message.encode(&mut self.transmit)
        } else {
            Err(Misuse::NotOpen)
        }
    }

    /// Looks at the time.
    ///
    /// # Errors
    /// [`PeerError::Silent`] where the handheld has not been heard for too long.
    pub fn tick(&self, now: Millis) -> Result<(), PeerError> {
        if now >= self.deadline() {
            Err(PeerError::Silent)
        } else {
            Ok(())
        }
    }

    /// When to call [`ServerSession::tick`] at the latest. The handheld pings, so the laptop waits one ping
    /// longer than it does.
    #[must_use]
    pub fn deadline(&self) -> Millis {
        if self.open {
            self.heard_at.after(DEAD_AFTER_MS + PING_AFTER_MS)
        } else {
            self.started_at.after(GREETING_TIMEOUT_MS)
        }
    }

    /// Octets waiting to be sent.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.transmit.len()
    }

    /// What to send.
    pub fn take_transmit(&mut self) -> Vec<u8> {
        core::mem::take(&mut self.transmit)
    }
}
