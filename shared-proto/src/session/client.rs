//! The handheld's end of a session.

use super::flow::{Inflow, Outflow};
use crate::error::{Misuse, PeerError};
use crate::frame::Deframer;
use crate::limits::{
    DEAD_AFTER_MS, GREETING_TIMEOUT_MS, MAX_LIVE_REQUESTS, MAX_TRANSMIT_LEN, PING_AFTER_MS,
    PROTOCOL_VERSION,
};
use crate::message::{
    Ack, Awaiting, Cancel, Credit, Data, Done, Echo, Failed, Hello, Message, Offsets, Progress,
    Queued, Renewal, RequestId, Resume, Standing, Started, Submit, UPLOAD_SLOT, Welcome,
};
use crate::time::Millis;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

/// What the laptop said.
#[derive(Clone, Debug, PartialEq)]
pub enum ClientEvent<'a> {
    /// The session is open.
    Welcome(Welcome<'a>),
    /// Policy or models changed.
    Notice(Standing<'a>),
    /// The request is stored on the laptop.
    Accepted(RequestId),
    /// A person is being asked.
    Awaiting(Awaiting),
    /// The request waits for its turn.
    Queued(Queued),
    /// Somebody took up an operation.
    Started(Started<'a>),
    /// How far an operation has come.
    Progress(Progress),
    /// A piece of a result, in order. Put it away, then call [`ClientSession::stored`].
    Data(Data<'a>),
    /// The laptop wants an upload from here, as far as this.
    UploadWanted(Credit),
    /// The request ended well.
    Done(Done),
    /// The request ended badly.
    Failed(Failed<'a>),
    /// A step of renewal.
    Renewed(&'a [u8]),
    /// The laptop answered a ping after this many milliseconds.
    RoundTrip(u64),
}

#[derive(Clone, Debug, Default)]
struct Live {
    inflows: BTreeMap<u8, Inflow>,
    uploads: BTreeMap<u8, Outflow>,
}

/// The machine. See [`crate::session`] for how to drive it.
#[derive(Clone, Debug)]
pub struct ClientSession {
    deframer: Deframer,
    transmit: Vec<u8>,
    live: BTreeMap<RequestId, Live>,
    open: bool,
    greeting_deadline: Millis,
    heard_at: Millis,
    sent_at: Millis,
    ping: Option<(u32, Millis)>,
    pings: u32,
}

impl ClientSession {
    /// Starts with the greeting.
    ///
    /// # Errors
    /// [`Misuse::TooLong`] where a name does not fit.
    pub fn new(hello: &Hello<'_>, now: Millis) -> Result<Self, Misuse> {
        let mut transmit = Vec::new();
        Message::Hello(*hello).encode(&mut transmit)?;
        Ok(Self {
            deframer: Deframer::new(),
            transmit,
            live: BTreeMap::new(),
            open: false,
            greeting_deadline: now.after(GREETING_TIMEOUT_MS),
            heard_at: now,
            sent_at: now,
            ping: None,
            pings: 0,
        })
    }

    /// Whether the laptop has welcomed us.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.open
    }

    /// Requests alive on this session.
    #[must_use]
    pub fn live_requests(&self) -> usize {
        self.live.len()
    }

    /// Reads what arrived and reports it to `sink`.
    ///
    /// # Errors
    /// A [`PeerError`]; the session is over.
    pub fn receive(
        &mut self,
        bytes: &[u8],
        now: Millis,
        mut sink: impl FnMut(ClientEvent<'_>),
    ) -> Result<(), PeerError> {
        self.heard_at = now;
        let mut deframer = core::mem::take(&mut self.deframer);
        deframer.push(bytes);
        while let Some((kind, payload)) = deframer.next_frame()? {
            self.message(Message::decode(kind, payload)?, now, &mut sink)?;
        }
        self.deframer = deframer;
        Ok(())
    }

    fn message(
        &mut self,
        message: Message<'_>,
        now: Millis,
        sink: &mut impl FnMut(ClientEvent<'_>),
    ) -> Result<(), PeerError> {
        if self.open == matches!(message, Message::Welcome(_)) {
            return Err(PeerError::OutOfTurn);
        }
        match message {
            Message::Welcome(welcome) => {
                if welcome.version != PROTOCOL_VERSION {
                    return Err(PeerError::Version(welcome.version));
                }
                self.open = true;
                sink(ClientEvent::Welcome(welcome));
            }
            Message::Notice(notice) => sink(ClientEvent::Notice(notice.standing)),
            Message::Accepted(accepted) => {
                self.require(accepted.id)?;
                sink(ClientEvent::Accepted(accepted.id));
            }
            Message::Awaiting(awaiting) => {
                self.require(awaiting.id)?;
                sink(ClientEvent::Awaiting(awaiting));
            }
            Message::Queued(queued) => {
                self.require(queued.id)?;
                sink(ClientEvent::Queued(queued));
            }
            Message::Started(started) => {
                self.require(started.id)?;
                sink(ClientEvent::Started(started));
            }
            Message::Progress(progress) => {
                self.require(progress.id)?;
                sink(ClientEvent::Progress(progress));
            }
            Message::Data(data) => {
                if data.slot >= UPLOAD_SLOT {
                    return Err(PeerError::OutOfTurn);
                }
                let live = self.require(data.id)?;
                live.inflows
                    .entry(data.slot)
                    .or_insert(Inflow::starting_at(0))
                    .accept(&data)?;
                sink(ClientEvent::Data(data));
            }
            Message::Credit(credit) => {
                if credit.slot < UPLOAD_SLOT {
                    return Err(PeerError::OutOfTurn);
                }
                let live = self.require(credit.id)?;
                live.uploads
                    .entry(credit.slot)
                    .or_insert(Outflow::between(credit.from, credit.limit))
                    .extend(credit.limit);
                sink(ClientEvent::UploadWanted(credit));
            }
            Message::Done(done) => {
                self.require(done.id)?;
                self.live.remove(&done.id);
                sink(ClientEvent::Done(done));
            }
            Message::Failed(failed) => {
                self.require(failed.id)?;
                self.live.remove(&failed.id);
                sink(ClientEvent::Failed(failed));
            }
            Message::Pong(echo) => {
                if let Some((nonce, at)) = self.ping.filter(|(nonce, _)| *nonce == echo.nonce) {
                    debug_assert_eq!(nonce, echo.nonce);
                    self.ping = None;
                    sink(ClientEvent::RoundTrip(now.since(at)));
                }
            }
            Message::Renewed(renewal) => sink(ClientEvent::Renewed(renewal.step)),
            Message::Hello(_)
            | Message::Submit(_)
            | Message::Cancel(_)
            | Message::Resume(_)
            | Message::Ack(_)
            | Message::Ping(_)
            | Message::Renew(_)
            | Message::Farewell(()) => return Err(PeerError::OutOfTurn),
        }
        Ok(())
    }

    fn require(&mut self, id: RequestId) -> Result<&mut Live, PeerError> {
        self.live.get_mut(&id).ok_or(PeerError::UnknownRequest)
    }

    /// Runs a program under a number that is stored already.
    ///
    /// # Errors
    /// [`Misuse`] where the session is not open, the number is alive, or too many are.
    pub fn submit(
        &mut self,
        id: RequestId,
        program: &[u8],
        signature: &[u8; 64],
        now: Millis,
    ) -> Result<(), Misuse> {
        self.admit(id)?;
        self.send(
            &Message::Submit(Submit {
                id,
                program,
                signature,
            }),
            now,
        )?;
        self.live.insert(id, Live::default());
        Ok(())
    }

    /// Goes on with a request that an earlier session left; `offsets` is what is put away of its streams.
    ///
    /// # Errors
    /// As [`ClientSession::submit`].
    pub fn resume(&mut self, id: RequestId, offsets: Offsets, now: Millis) -> Result<(), Misuse> {
        self.admit(id)?;
        let inflows = offsets
            .iter()
            .map(|at| (at.slot, Inflow::starting_at(at.offset)))
            .collect();
        self.send(&Message::Resume(Resume { id, offsets }), now)?;
        self.live.insert(
            id,
            Live {
                inflows,
                uploads: BTreeMap::new(),
            },
        );
        Ok(())
    }

    fn admit(&self, id: RequestId) -> Result<(), Misuse> {
        if self.live.contains_key(&id) {
            return Err(Misuse::AlreadyLive);
        }
        if self.live.len() >= MAX_LIVE_REQUESTS {
            Err(Misuse::TooMany)
        } else {
            Ok(())
        }
    }

    /// Stops a request. It ends with `Done` or `Failed` as any other.
    ///
    /// # Errors
    /// [`Misuse::NotOpen`].
    pub fn cancel(&mut self, id: RequestId, now: Millis) -> Result<(), Misuse> {
        self.send(&Message::Cancel(Cancel { id }), now)
    }

    /// Says that the result of an ended request is put away.
    ///
    /// # Errors
    /// [`Misuse::NotOpen`].
    pub fn ack(&mut self, id: RequestId, now: Millis) -> Result<(), Misuse> {
        self.send(&Message::Ack(Ack { id }), now)
    }

    /// Says that a result is put away as far as `offset`; gives more credit where that is due.
    ///
    /// # Errors
    /// [`Misuse::NotOpen`].
    pub fn stored(
        &mut self,
        id: RequestId,
        slot: u8,
        offset: u64,
        now: Millis,
    ) -> Result<(), Misuse> {
        let flow = self
            .live
            .get_mut(&id)
            .and_then(|live| live.inflows.get_mut(&slot));
        match flow.and_then(|flow| flow.stored(offset)) {
            Some(limit) => self.send(
                &Message::Credit(Credit {
                    id,
                    slot,
                    from: offset,
                    limit,
                }),
                now,
            ),
            None => Ok(()),
        }
    }

    /// Octets of an upload that may be sent now, zero where the queue is full.
    #[must_use]
    pub fn upload_window(&self, id: RequestId, slot: u8) -> u64 {
        if self.transmit.len() >= MAX_TRANSMIT_LEN {
            return 0;
        }
        self.live
            .get(&id)
            .and_then(|live| live.uploads.get(&slot))
            .map_or(0, Outflow::window)
    }

    /// Sends a piece of an upload.
    ///
    /// # Errors
    /// [`Misuse`] where it was not asked for or passes the credit.
    pub fn upload(&mut self, data: &Data<'_>, now: Millis) -> Result<(), Misuse> {
        let live = self.live.get_mut(&data.id).ok_or(Misuse::UnknownRequest)?;
        live.uploads
            .get_mut(&data.slot)
            .ok_or(Misuse::NoCredit)?
            .advance(data)?;
        self.send(&Message::Data(*data), now)
    }

    /// Sends a step of renewal.
    ///
    /// # Errors
    /// [`Misuse::NotOpen`].
    pub fn renew(&mut self, step: &[u8], now: Millis) -> Result<(), Misuse> {
        self.send(&Message::Renew(Renewal { step }), now)
    }

    /// Ends the session on purpose.
    ///
    /// # Errors
    /// [`Misuse::NotOpen`].
    pub fn farewell(&mut self, now: Millis) -> Result<(), Misuse> {
        self.send(&Message::Farewell(()), now)
    }

    fn send(&mut self, message: &Message<'_>, now: Millis) -> Result<(), Misuse> {
        if !self.open {
            return Err(Misuse::NotOpen);
        }
        message.encode(&mut self.transmit)?;
        self.sent_at = now;
        Ok(())
    }

    /// Sends a ping where one is due.
    ///
    /// # Errors
    /// [`PeerError::Silent`] where the laptop has not been heard for too long.
    pub fn tick(&mut self, now: Millis) -> Result<(), PeerError> {
        if now >= self.silent_at() {
            return Err(PeerError::Silent);
        }
        if self.open && now >= self.ping_at() {
            self.pings = self.pings.wrapping_add(1);
            self.ping = Some((self.pings, now));
            // A ping is a few octets and the session is open: this cannot fail.
            let _ = self.send(&Message::Ping(Echo { nonce: self.pings }), now);
        }
        Ok(())
    }

    /// Takes the link as possibly broken, as after waking up: asks at once.
    pub fn probe(&mut self, now: Millis) {
        self.heard_at = Millis(self.heard_at.0.min(now.0.saturating_sub(PING_AFTER_MS)));
    }

    fn silent_at(&self) -> Millis {
        if self.open {
            self.heard_at.after(DEAD_AFTER_MS)
        } else {
            self.greeting_deadline
        }
    }

    fn ping_at(&self) -> Millis {
        let due = self.heard_at.min(self.sent_at).after(PING_AFTER_MS);
        self.ping
            .map_or(due, |(_, at)| due.max(at.after(PING_AFTER_MS)))
    }

    /// When to call [`ClientSession::tick`] at the latest.
    #[must_use]
    pub fn deadline(&self) -> Millis {
        if self.open {
            self.silent_at().min(self.ping_at())
        } else {
            self.greeting_deadline
        }
    }

    /// What to send.
    pub fn take_transmit(&mut self) -> Vec<u8> {
        core::mem::take(&mut self.transmit)
    }
}
