//! The blocking driver of one paired handheld's session.

use super::mailbox::Mailbox;
use super::packing::{deflate, inflate, is_packed};
use super::pipe::{Pipe, PipeError};
use super::renewing::Renewing;
use super::said::Said;
use super::standing::Papers;
use crate::executor::Fault;
use crate::hub::{
    Activity, Ended, Followed, Hub, Phase, Proof, Refusal, Signal, Submission, Tell, Work,
};
use crate::sanitize::visible;
use crate::store::{RelationshipId, StoreError};
use shared_proto::channel::{Channel, EXPORTER_SUBMIT, TlsChannel};
use shared_proto::error::{ErrorCode, Misuse, PeerError};
use shared_proto::limits::{MAX_CHUNK_LEN, MAX_NAME_LEN, PROTOCOL_VERSION};
use shared_proto::message::{
    Awaiting, Data, Done, LedgerHead, Link, Progress, Queued, RequestId, Screen, Welcome, clip,
};
use shared_proto::renewal::Credentials;
use shared_proto::session::ServerSession;
use std::collections::BTreeMap;
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Where the laptop is found again, for the greeting. Not printable: the passphrase stays out of every log.
#[derive(Clone, Default)]
pub struct CarrierFacts {
    /// `loopback`, `tcp`, `wifi-direct` or `usb`.
    pub carrier: String,
    /// SSID of the laptop's group; empty where it has none.
    pub ssid: Vec<u8>,
    /// Its passphrase.
    pub passphrase: String,
    /// Its frequency in MHz.
    pub frequency: u16,
    /// Port on which the laptop listens.
    pub port: u16,
}

/// Why a session ended.
#[derive(Debug)]
pub enum SessionEnd {
    /// The handheld said farewell.
    Farewell,
    /// The carrier ended.
    Gone,
    /// The relationship no longer holds, or a newer session took its place.
    Closed,
    /// The carrier or the channel failed.
    Pipe(String),
    /// The handheld broke the protocol.
    Peer(PeerError),
    /// The laptop's own fault.
    Own(String),
}

impl std::fmt::Display for SessionEnd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Farewell => f.write_str("it said farewell"),
            Self::Gone => f.write_str("the link ended"),
            Self::Closed => f.write_str("it was closed here"),
            Self::Pipe(what) | Self::Own(what) => f.write_str(what),
            Self::Peer(error) => error.fmt(f),
        }
    }
}

impl From<PipeError> for SessionEnd {
    fn from(error: PipeError) -> Self {
        Self::Pipe(error.to_string())
    }
}

impl From<PeerError> for SessionEnd {
    fn from(error: PeerError) -> Self {
        Self::Peer(error)
    }
}

impl From<Misuse> for SessionEnd {
    fn from(error: Misuse) -> Self {
        Self::Own(format!("a message could not be made: {error}"))
    }
}

/// Serves a handheld that has proved its key, until it leaves; `keys` is the pair that the channel stands on. Blocks.
pub fn serve(
    hub: &Arc<Hub>,
    relationship: RelationshipId,
    keys: &Credentials,
    stream: TcpStream,
    channel: TlsChannel,
    carrier: &CarrierFacts,
) -> SessionEnd {
    let exporter = match channel.exporter(EXPORTER_SUBMIT, b"") {
        Ok(exporter) => exporter,
        Err(error) => return SessionEnd::Pipe(error.to_string()),
    };
    let mailbox = Arc::new(Mailbox::default());
    // The handheld's greeting may have come with the end of its handshake: look without waiting for more.
    mailbox.deliver(Vec::new());
    let pipe = match Pipe::new(stream, channel, &mailbox) {
        Ok(pipe) => pipe,
        Err(error) => return SessionEnd::Pipe(error.to_string()),
    };
    let tell: Tell = {
        let mailbox = Arc::clone(&mailbox);
        Arc::new(move |signal: Signal| mailbox.signal(signal))
    };
    let guest = hub.enter(relationship, Arc::clone(&tell));
    let renewing = Renewing::new(Arc::clone(hub), relationship, keys.clone(), tell);
    let mut driver = Driver {
        hub: Arc::clone(hub),
        relationship,
        exporter,
        carrier: carrier.clone(),
        mailbox: Arc::clone(&mailbox),
        session: ServerSession::new(hub.now()),
        pipe,
        renewing,
        works: BTreeMap::new(),
        screen: Screen::default(),
        formats: 0,
        device: String::new(),
        linked: false,
    };
    let end = driver.run().err().unwrap_or(SessionEnd::Farewell);
    mailbox.leave();
    if driver.linked {
        hub.desk.tell(&Activity::Link {
            device: driver.device.clone(),
            linked: false,
        });
    }
    driver.pipe.close();
    drop(guest);
    end
}

struct Followup {
    work: Arc<Work>,
    followed: Followed,
    compress: BTreeMap<u8, bool>,
}

struct Driver {
    hub: Arc<Hub>,
    relationship: RelationshipId,
    exporter: [u8; 32],
    carrier: CarrierFacts,
    mailbox: Arc<Mailbox>,
    session: ServerSession,
    pipe: Pipe,
    renewing: Renewing,
    works: BTreeMap<RequestId, Followup>,
    screen: Screen,
    formats: u8,
    device: String,
    linked: bool,
}

impl Driver {
    fn run(&mut self) -> Result<(), SessionEnd> {
        self.pipe.flush()?;
        if !self.holds()? {
            return Err(SessionEnd::Closed);
        }
        let mut more = false;
        loop {
            let now = self.hub.now();
            let patience = if more {
                Duration::ZERO
            } else {
                Duration::from_millis(self.session.deadline().since(now))
            };
            let mail = self.mailbox.take(patience);
            let mut said = Vec::new();
            for piece in &mail.pieces {
                let (session, now) = (&mut self.session, self.hub.now());
                self.pipe.receive::<SessionEnd>(piece, |plain| {
                    session
                        .receive(plain, now, |event| said.push(Said::of(event)))
                        .map_err(SessionEnd::from)
                })?;
            }
            let mut changed = mail.work || more;
            for said in said {
                changed |= self.act(said)?;
            }
            if mail.close {
                return Err(SessionEnd::Closed);
            }
            if mail.standing && self.session.is_open() {
                let papers = self.papers()?;
                self.session.notice(&papers.standing())?;
            }
            if let Some(step) = self.renewing.answered(self.pipe.channel()) {
                self.session.renewed(&step)?;
            }
            more = changed && self.pump()?;
            self.flush()?;
            if mail.ended {
                return Err(SessionEnd::Gone);
            }
            self.session.tick(self.hub.now())?;
        }
    }

    /// Carries out what the handheld said. True where requests may have something to send.
    fn act(&mut self, said: Said) -> Result<bool, SessionEnd> {
        match said {
            Said::Hello {
                screen,
                formats,
                app,
                ledger,
            } => {
                self.screen = screen;
                self.formats = formats;
                self.welcome(&app, ledger)?;
                return Ok(false);
            }
            Said::Submit {
                id,
                program,
                signature,
            } => {
                let submission = Submission {
                    id,
                    program,
                    proof: Proof::Signed {
                        signature,
                        exporter: self.exporter,
                    },
                    screen: self.screen,
                    formats: self.formats,
                    attached: Vec::new(),
                };
                let taken = self.hub.submit(self.relationship, &submission);
                self.follow(id, taken, Followed::default())?;
            }
            Said::Resume(resume) => {
                let sent = resume
                    .offsets
                    .iter()
                    .map(|at| (at.slot, at.offset))
                    .collect();
                let found = self.hub.attach(self.relationship, resume.id);
                self.follow(
                    resume.id,
                    found,
                    Followed {
                        sent,
                        ..Followed::default()
                    },
                )?;
            }
            Said::Cancel(id) => self.hub.cancel(self.relationship, id),
            Said::Ack(id) => {
                if let Err(error) = self.hub.acknowledge(self.relationship, id) {
                    // No reason to lose the link: it is kept until retention drops it.
                    log::error!(
                        "{}: the result of request {} stays: {error}",
                        self.device,
                        id.0
                    );
                }
            }
            Said::Upload {
                id,
                slot,
                offset,
                raw_len,
                bytes,
            } => self.take_upload(id, slot, offset, raw_len, bytes)?,
            Said::Credit => {}
            Said::Renew(step) => {
                if let Some(step) = self.renewing.receive(self.pipe.channel(), &step) {
                    self.session.renewed(&step)?;
                }
            }
            Said::Farewell => return Err(SessionEnd::Farewell),
        }
        Ok(true)
    }

    /// Whether the keys of this channel still hold. They may have been erased while the handshake lasted; from here on
    /// whoever erases them tells this session to close.
    fn holds(&self) -> Result<bool, SessionEnd> {
        match self.hub.store.relationship(self.relationship) {
            Ok(known) => Ok(known
                .keys
                .is_some_and(|ring| ring.which(self.renewing.keys()).is_some())),
            Err(StoreError::Unknown) => Ok(false),
            Err(error) => Err(SessionEnd::Own(error.to_string())),
        }
    }

    fn papers(&self) -> Result<Papers, SessionEnd> {
        Papers::of(&self.hub, self.relationship).map_err(|error| SessionEnd::Own(error.to_string()))
    }

    fn welcome(&mut self, app: &str, seen: LedgerHead) -> Result<(), SessionEnd> {
        let papers = self.papers()?;
        self.device = visible(&papers.relationship.name);
        let now = self.hub.wall();
        let own = |error: StoreError| SessionEnd::Own(error.to_string());
        // Where the disk is full, what is there already can be had all the same.
        let note = |what: &str, noted: Result<(), StoreError>| {
            if let Err(error) = noted {
                log::error!("{}: {what} was not written down: {error}", self.device);
            }
        };
        let screen = (self.screen.width, self.screen.height);
        note(
            "that it is here",
            self.hub.store.note_seen(self.relationship, screen, now),
        );
        let ledger = self.hub.store.ledger_head().map_err(own)?;
        let ledger = LedgerHead {
            number: ledger.number,
            hash: ledger.hash,
        };
        note(
            "the ledger that it saw",
            self.hub
                .store
                .note_ledger_seen(self.relationship, (seen.number, seen.hash), now),
        );
        if !ledger.follows(&seen) {
            log::error!(
                "{}: it saw entry {} of the ledger, which ends with {}: it was cut, or an older state was put back",
                self.device,
                seen.number,
                ledger.number
            );
        }
        let millis = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_millis() as u64);
        let settings = self.hub.settings();
        let welcome = Welcome {
            version: PROTOCOL_VERSION,
            name: clip(&settings.name, MAX_NAME_LEN),
            time_ms: millis.max(now as u64 * 1000),
            utc_offset_min: self.hub.store.utc_offset_min(now).map_err(own)?,
            floor: papers.relationship.highest.saturating_add(1),
            standing: papers.standing(),
            link: Link {
                carrier: &self.carrier.carrier,
                ssid: &self.carrier.ssid,
                passphrase: &self.carrier.passphrase,
                frequency: self.carrier.frequency,
                port: self.carrier.port,
            },
            ledger,
        };
        self.session.welcome(&welcome)?;
        log::info!(
            "{}: linked over {}, app {}",
            self.device,
            self.carrier.carrier,
            visible(app)
        );
        self.linked = true;
        self.hub.desk.tell(&Activity::Link {
            device: self.device.clone(),
            linked: true,
        });
        self.hub.refresh_models();
        Ok(())
    }

    fn follow(
        &mut self,
        id: RequestId,
        found: Result<Arc<Work>, Refusal>,
        followed: Followed,
    ) -> Result<(), SessionEnd> {
        match found {
            Ok(work) => {
                let mailbox = Arc::clone(&self.mailbox);
                work.follow(Arc::new(move |signal: Signal| mailbox.signal(signal)));
                self.works.insert(
                    id,
                    Followup {
                        work,
                        followed,
                        compress: BTreeMap::new(),
                    },
                );
            }
            Err(refusal) => {
                let Refusal { op, fault } = refusal;
                self.session.failed(id, op, fault.code, &fault.detail)?;
            }
        }
        Ok(())
    }

    fn take_upload(
        &mut self,
        id: RequestId,
        slot: u8,
        offset: u64,
        raw_len: u32,
        bytes: Vec<u8>,
    ) -> Result<(), SessionEnd> {
        let Some(followup) = self.works.get(&id) else {
            return Ok(());
        };
        let plain = if raw_len == 0 {
            bytes
        } else {
            inflate(&bytes, raw_len).ok_or(PeerError::Bytes(
                shared_proto::error::DecodeError::BadPayload,
            ))?
        };
        if let Err(fault) = followup.work.upload(slot, offset, &plain) {
            log::warn!("{}: an upload was not taken: {fault}", self.device);
            followup.work.stop(fault.code);
        }
        Ok(())
    }

    /// Says whatever is new of every request, as far as credit and queue allow. True where more could be said once
    /// the queue is empty: the mail comes first, so that no credit, however large, outlives a revocation.
    fn pump(&mut self) -> Result<bool, SessionEnd> {
        let ids: Vec<RequestId> = self.works.keys().copied().collect();
        let mut more = false;
        for id in ids {
            more |= self.say(id)?;
        }
        Ok(more)
    }

    /// Says what is new of one request. True where more could be said once the queue is empty.
    fn say(&mut self, id: RequestId) -> Result<bool, SessionEnd> {
        let now = self.hub.now();
        let Some(Followup {
            work,
            followed,
            compress,
        }) = self.works.get_mut(&id)
        else {
            return Ok(false);
        };
        let view = work.view(followed);
        let session = &mut self.session;
        if !followed.accepted {
            session.accepted(id)?;
            followed.accepted = true;
        }
        if let Some(Phase::Asking(until)) = view.phase
            && !followed.awaiting
        {
            let expires_in_ms = u32::try_from(until.since(now)).unwrap_or(u32::MAX);
            session.awaiting(Awaiting { id, expires_in_ms })?;
            followed.awaiting = true;
        }
        if let Some(Phase::Queued { ahead, busy }) = view.phase
            && followed.queued != Some((ahead, busy))
        {
            session.waits(Queued { id, ahead, busy })?;
            followed.queued = Some((ahead, busy));
        }
        if view.phase == Some(Phase::Uploading) {
            for credit in work.wanted(followed) {
                session.want_upload(credit)?;
                followed.asked.insert(credit.slot, credit.limit);
            }
        }
        for (op, model) in &view.started {
            session.started(shared_proto::message::Started {
                id,
                op: *op,
                model: clip(model, 2 * MAX_NAME_LEN),
            })?;
            followed.started += 1;
        }
        if let Some((op, permille, eta_s)) = view.progress {
            let eta_ms = eta_s.map(|seconds| seconds.saturating_mul(1000));
            session.progress(Progress {
                id,
                op,
                permille,
                step: 0,
                steps: 0,
                eta_ms,
            })?;
            followed.progress = view.progress;
        }
        let mut whole = true;
        for (slot, len, ended) in view.streams {
            let sent = followed.sent.entry(slot).or_insert(0);
            let mut window = session.window(id, slot);
            while *sent < len && window > 0 {
                let room = (len - *sent).min(window).min(MAX_CHUNK_LEN as u64) as usize;
                let bytes = match work.read(slot, *sent, room) {
                    Ok(bytes) if !bytes.is_empty() => bytes,
                    Ok(_) => {
                        return self.give_up(
                            id,
                            Fault::new(ErrorCode::StoreFailed, "a result is shorter than it was"),
                        );
                    }
                    Err(fault) => return self.give_up(id, fault),
                };
                let fin = ended && *sent + bytes.len() as u64 == len;
                let try_to = compress.entry(slot).or_insert_with(|| !is_packed(&bytes));
                let packed = try_to.then(|| deflate(&bytes)).flatten();
                if packed.is_none() && bytes.len() == MAX_CHUNK_LEN {
                    *try_to = false;
                }
                let raw_len = if packed.is_some() {
                    bytes.len() as u32
                } else {
                    0
                };
                let data = Data {
                    id,
                    slot,
                    offset: *sent,
                    raw_len,
                    fin,
                    bytes: packed.as_deref().unwrap_or(&bytes),
                };
                session.data(&data)?;
                *sent += bytes.len() as u64;
                if fin {
                    followed.finished.push(slot);
                }
                window = session.window(id, slot);
            }
            if *sent < len {
                whole = false;
            } else if ended && !followed.finished.contains(&slot) {
                session.data(&Data {
                    id,
                    slot,
                    offset: *sent,
                    raw_len: 0,
                    fin: true,
                    bytes: b"",
                })?;
                followed.finished.push(slot);
            }
        }
        if !whole {
            let full = session.queued() >= shared_proto::limits::MAX_TRANSMIT_LEN;
            return Ok(full);
        }
        match view.ended {
            None => {}
            Some(Ended::Done(usage)) => {
                session.done(Done { id, usage })?;
                self.works.remove(&id);
            }
            Some(Ended::Failed { op, code, detail }) => {
                session.failed(id, op, code, &detail)?;
                self.works.remove(&id);
            }
        }
        Ok(false)
    }

    fn give_up(&mut self, id: RequestId, fault: Fault) -> Result<bool, SessionEnd> {
        self.session.failed(id, None, fault.code, &fault.detail)?;
        self.works.remove(&id);
        Ok(false)
    }

    fn flush(&mut self) -> Result<(), SessionEnd> {
        let plain = self.session.take_transmit();
        self.pipe.send(&plain)?;
        self.pipe.flush()?;
        Ok(())
    }
}
