//! A handheld without a screen: the protocol's machines over a blocking socket.

use super::laptop::PATIENCE;
use shared_proto::channel::{Channel, EXPORTER_SUBMIT, TlsChannel, connect, connect_pairing};
use shared_proto::crypto::ring::{RingCrypto, RingSigner};
use shared_proto::crypto::{Crypto, RelationshipKey, Signer, sign_submit};
use shared_proto::error::ErrorCode;
use shared_proto::limits::PROTOCOL_VERSION;
use shared_proto::message::{
    Data, Hello, LedgerHead, Message, Offset, Offsets, RequestId, Screen, Submit, Usage,
};
use shared_proto::pairing::{Binding, HandheldPairing, HandheldPhase, LinkInfo};
use shared_proto::renewal::{Credentials, Fresh, HandheldRenewal, RenewalBinding, Renewing};
use shared_proto::session::{ClientEvent, ClientSession};
use shared_proto::time::Millis;
use shared_proto::token::{TokenNonce, mint};
use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

/// Longest wait for one read before time is looked at.
const READ_TIMEOUT: Duration = Duration::from_millis(200);

/// What a handheld keeps on its card.
#[derive(Clone)]
pub struct Card {
    pub keys: Credentials,
    /// What it last saw of the laptop's ledger.
    pub ledger: LedgerHead,
}

/// What pairing says on the way.
pub struct Paired {
    pub card: Card,
    pub laptop: String,
    pub network: LinkInfo,
}

fn now(since: Instant) -> Millis {
    Millis(since.elapsed().as_millis() as u64)
}

struct Wire {
    stream: TcpStream,
    channel: TlsChannel,
    /// Everything that was sent, as a listener on the way records it.
    sent: Vec<u8>,
}

impl Wire {
    fn open(address: SocketAddr, channel: TlsChannel) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(READ_TIMEOUT))?;
        let mut wire = Self {
            stream,
            channel,
            sent: Vec::new(),
        };
        let deadline = Instant::now() + PATIENCE;
        wire.flush()?;
        while wire.channel.is_handshaking() {
            assert!(Instant::now() < deadline, "the handshake takes for ever");
            wire.read()?;
            wire.flush()?;
        }
        Ok(wire)
    }

    fn flush(&mut self) -> io::Result<()> {
        let mut out = Vec::new();
        self.channel.transmit(&mut out);
        self.sent.extend_from_slice(&out);
        self.stream.write_all(&out)
    }

    /// Reads what is there and returns its plaintext; empty when nothing came in time.
    fn read(&mut self) -> io::Result<Vec<u8>> {
        let mut bytes = [0; 16 * 1024];
        let len = match self.stream.read(&mut bytes) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(len) => len,
            // A machine that was stopped and goes on interrupts a read that has a time limit.
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
                ) =>
            {
                return Ok(Vec::new());
            }
            Err(error) => return Err(error),
        };
        let mut plain = Vec::new();
        let mut rest = &bytes[..len];
        while !rest.is_empty() {
            let taken = self.channel.receive(rest).map_err(io::Error::other)?;
            rest = &rest[taken..];
            let mut piece = [0; 16 * 1024];
            while let Ok(len @ 1..) = self.channel.read(&mut piece) {
                plain.extend_from_slice(&piece[..len]);
            }
        }
        Ok(plain)
    }

    fn send(&mut self, mut plain: &[u8]) -> io::Result<()> {
        while !plain.is_empty() {
            let taken = self.channel.write(plain).map_err(io::Error::other)?;
            plain = &plain[taken..];
            self.flush()?;
        }
        self.flush()
    }
}

impl Card {
    /// Pairs with the laptop at `address`; sends the digits, then confirms once they were typed.
    pub fn pair(
        address: SocketAddr,
        name: &str,
        digits: &Sender<String>,
    ) -> Result<Paired, String> {
        let start = Instant::now();
        let own = RelationshipKey::generate(&RingCrypto).expect("a key");
        let channel = connect_pairing(&own).expect("a channel");
        let mut wire = Wire::open(address, channel).map_err(|error| error.to_string())?;
        let binding = Binding::on_handheld(&wire.channel, RingSigner::new(&own).public_key())
            .expect("a binding");
        let screen = Screen {
            width: 640,
            height: 480,
        };
        let nonce = RingCrypto.nonce().expect("a nonce");
        let mut short = shared_proto::pairing::Name::new();
        short.push_str(name).expect("a short name");
        let mut machine =
            HandheldPairing::new(RingCrypto, binding, nonce, short, screen, now(start));
        let mut told = false;
        let mut outcome = None;
        loop {
            match machine.phase() {
                HandheldPhase::Showing { digits: shown, .. } if !told => {
                    let text: String = shown
                        .each()
                        .iter()
                        .map(|digit| char::from(b'0' + digit))
                        .collect();
                    digits.send(text).expect("somebody types");
                    told = true;
                }
                HandheldPhase::Showing { typed: true, .. } => {
                    assert!(machine.confirm(now(start)));
                }
                HandheldPhase::Store(stored) => {
                    outcome = Some(stored);
                    machine.stored();
                }
                HandheldPhase::Failed(error) => return Err(error.to_string()),
                _ => {}
            }
            let mut words = Vec::new();
            machine.transmit(&mut words);
            wire.send(&words).map_err(|error| error.to_string())?;
            if let (HandheldPhase::Paired, Some(outcome)) = (machine.phase(), outcome.take()) {
                wire.channel.close();
                wire.flush().map_err(|error| error.to_string())?;
                let keys = Credentials {
                    own,
                    peer: outcome.peer,
                    token: outcome.token,
                };
                return Ok(Paired {
                    card: Self {
                        keys,
                        ledger: LedgerHead::default(),
                    },
                    laptop: outcome.name.to_string(),
                    network: outcome.grant.link,
                });
            }
            match wire.read() {
                Ok(plain) => machine.receive(&plain, now(start)),
                Err(_) => machine.cut(),
            }
            machine.tick(now(start));
        }
    }

    /// Opens a session.
    pub fn link(&self, address: SocketAddr) -> Result<Line, String> {
        Line::open(self, address)
    }
}

/// How a request ended.
#[derive(Debug, Clone, PartialEq)]
pub enum End {
    Done(Usage),
    Failed(Option<u8>, ErrorCode, String),
}

/// What is known of one request.
#[derive(Debug, Default, Clone)]
pub struct Told {
    pub accepted: bool,
    pub awaiting: bool,
    pub started: Vec<String>,
    pub progress: Vec<u16>,
    pub bodies: BTreeMap<u8, Vec<u8>>,
    /// Frames with pieces of the bodies.
    pub pieces: usize,
    pub end: Option<End>,
}

impl Told {
    pub fn text(&self, slot: u8) -> String {
        String::from_utf8(self.bodies.get(&slot).cloned().unwrap_or_default()).expect("text")
    }
}

/// What the laptop said when it greeted.
#[derive(Debug, Default, Clone)]
pub struct Greeting {
    pub laptop: String,
    pub floor: u64,
    pub models: Vec<String>,
    pub expires_in_s: u64,
    pub notices: usize,
    pub carrier: String,
    pub ssid: Vec<u8>,
    pub passphrase: String,
    pub frequency: u16,
    pub port: u16,
    pub ledger: LedgerHead,
}

/// A session.
pub struct Line {
    wire: Wire,
    session: ClientSession,
    start: Instant,
    signer: RingSigner,
    pub greeting: Option<Greeting>,
    pub told: BTreeMap<u64, Told>,
    pub uploads: BTreeMap<(u64, u8), Vec<u8>>,
    /// How far each upload that the laptop asked for has come.
    pub positions: BTreeMap<(u64, u8), u64>,
    renewal: Option<HandheldRenewal<RingCrypto>>,
    /// Outcome of a renewal: the new pair, or none.
    pub renewed: Option<Option<Credentials>>,
}

impl Line {
    fn open(card: &Card, address: SocketAddr) -> Result<Self, String> {
        let nonce = TokenNonce::generate(&RingCrypto).expect("a nonce");
        let name = mint(&RingCrypto, &card.keys.token, nonce);
        let channel = connect(&card.keys.own, card.keys.peer, &name).expect("a channel");
        let wire = Wire::open(address, channel).map_err(|error| error.to_string())?;
        let hello = Hello {
            version: PROTOCOL_VERSION,
            name: "pocket",
            app: "test",
            screen: Screen {
                width: 640,
                height: 480,
            },
            formats: 0b1111,
            last_id: 0,
            ledger: card.ledger,
        };
        let start = Instant::now();
        let session = ClientSession::new(&hello, now(start)).expect("a session");
        let signer = RingSigner::new(&card.keys.own);
        let (told, uploads, positions) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let mut line = Self {
            wire,
            session,
            start,
            signer,
            greeting: None,
            told,
            uploads,
            positions,
            renewal: None,
            renewed: None,
        };
        line.until("a greeting", |line| line.greeting.is_some())?;
        Ok(line)
    }

    /// Sends a program.
    pub fn submit(&mut self, id: u64, program: &[u8]) {
        let exporter = self
            .wire
            .channel
            .exporter(EXPORTER_SUBMIT, b"")
            .expect("an exporter");
        let signature = sign_submit(&self.signer, exporter, id, RingCrypto.sha256(&[program]));
        let now = now(self.start);
        self.session
            .submit(RequestId(id), program, &signature.0, now)
            .expect("submitted");
    }

    /// Sends a program under a signature of one's own making.
    pub fn submit_signed(&mut self, id: u64, program: &[u8], signature: &[u8; 64]) {
        let now = now(self.start);
        self.session
            .submit(RequestId(id), program, signature, now)
            .expect("submitted");
    }

    /// A signed submit as a frame, past the machine that would count it.
    pub fn signed_submit(&self, id: u64, program: &[u8]) -> Vec<u8> {
        let exporter = self
            .wire
            .channel
            .exporter(EXPORTER_SUBMIT, b"")
            .expect("an exporter");
        let signature = sign_submit(&self.signer, exporter, id, RingCrypto.sha256(&[program]));
        let submit = Submit {
            id: RequestId(id),
            program,
            signature: &signature.0,
        };
        let mut frame = Vec::new();
        Message::Submit(submit).encode(&mut frame).expect("encoded");
        frame
    }

    /// Sends bytes that no machine has made, as plaintext of the session.
    pub fn raw(&mut self, plain: &[u8]) -> Result<(), String> {
        self.wire.send(plain).map_err(|error| error.to_string())
    }

    /// Everything that was sent, encrypted.
    pub fn recording(&self) -> Vec<u8> {
        self.wire.sent.clone()
    }

    /// Moves bytes until the laptop ends the session; false if it does not in time.
    pub fn ends(&mut self) -> bool {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if self.step().is_err() {
                return true;
            }
        }
        false
    }

    /// Goes on with a request from where its bodies stand. Its end is asked for anew, whatever was told before: else what the
    /// laptop says would meet a request that is taken for ended.
    pub fn resume(&mut self, id: u64, mut told: Told) {
        let offsets: Offsets = told
            .bodies
            .iter()
            .map(|(slot, body)| Offset {
                slot: *slot,
                offset: body.len() as u64,
            })
            .collect();
        told.end = None;
        self.told.insert(id, told);
        self.session
            .resume(RequestId(id), offsets, now(self.start))
            .expect("resumed");
    }

    /// Asks the laptop to renew.
    pub fn renew(&mut self) {
        let binding = RenewalBinding::on_handheld(&self.wire.channel, self.signer.public_key())
            .expect("a binding");
        let (machine, step) =
            HandheldRenewal::start(RingCrypto, binding, Fresh::generate().expect("a key"));
        self.renewal = Some(machine);
        self.session
            .renew(&step, now(self.start))
            .expect("proposed");
    }

    fn renewal_step(&mut self, step: &[u8]) {
        let machine = self.renewal.as_mut().expect("a renewal");
        match machine.receive(step, &self.signer) {
            Ok(Renewing::Send(step)) => self.session.renew(&step, now(self.start)).expect("sent"),
            Ok(Renewing::Store(next)) => self.renewed = Some(Some(next)),
            Err(_) => self.renewed = Some(None),
        }
    }

    pub fn cancel(&mut self, id: u64) {
        self.session
            .cancel(RequestId(id), now(self.start))
            .expect("cancelled");
    }

    pub fn ack(&mut self, id: u64) {
        self.session
            .ack(RequestId(id), now(self.start))
            .expect("acknowledged");
        self.step().expect("sent");
    }

    /// Runs a request to its end.
    pub fn finish(&mut self, id: u64) -> Told {
        self.until("an end", |line| {
            line.told.get(&id).is_some_and(|told| told.end.is_some())
        })
        .expect("the session lives");
        self.told.remove(&id).expect("told")
    }

    /// Submits and runs to the end.
    pub fn run(&mut self, id: u64, program: &[u8]) -> Told {
        self.submit(id, program);
        self.finish(id)
    }

    /// Moves bytes until `done`.
    ///
    /// # Errors
    /// How the session ended instead.
    pub fn until(&mut self, what: &str, done: impl Fn(&Self) -> bool) -> Result<(), String> {
        let deadline = Instant::now() + PATIENCE;
        while !done(self) {
            assert!(Instant::now() < deadline, "no {what} in time");
            self.step()?;
        }
        Ok(())
    }

    /// Sends what waits and reads what has come.
    pub fn step(&mut self) -> Result<(), String> {
        self.pump_uploads();
        let out = self.session.take_transmit();
        self.wire.send(&out).map_err(|error| error.to_string())?;
        let plain = self.wire.read().map_err(|error| error.to_string())?;
        let mut stored = Vec::new();
        let (greeting, told, positions) = (&mut self.greeting, &mut self.told, &mut self.positions);
        let time = now(self.start);
        let mut steps = Vec::new();
        self.session
            .receive(&plain, time, |event| match event {
                ClientEvent::UploadWanted(credit) => {
                    positions
                        .entry((credit.id.0, credit.slot))
                        .or_insert(credit.from);
                }
                ClientEvent::Renewed(step) => steps.push(step.to_vec()),
                other => take(other, greeting, told, &mut stored),
            })
            .map_err(|error| error.to_string())?;
        for (id, slot, offset) in stored {
            self.session
                .stored(id, slot, offset, time)
                .map_err(|error| error.to_string())?;
        }
        steps.iter().for_each(|step| self.renewal_step(step));
        self.session.tick(time).map_err(|error| error.to_string())?;
        let out = self.session.take_transmit();
        self.wire.send(&out).map_err(|error| error.to_string())
    }

    fn pump_uploads(&mut self) {
        let time = now(self.start);
        let slots: Vec<(u64, u8)> = self.uploads.keys().copied().collect();
        for (id, slot) in slots {
            let Some(mut at) = self.positions.get(&(id, slot)).copied() else {
                continue;
            };
            let body = self.uploads[&(id, slot)].clone();
            loop {
                let window = self
                    .session
                    .upload_window(RequestId(id), slot)
                    .min(16 * 1024) as usize;
                let rest = &body[at as usize..];
                let len = window.min(rest.len());
                if len == 0 {
                    break;
                }
                let fin = len == rest.len();
                let data = Data {
                    id: RequestId(id),
                    slot,
                    offset: at,
                    raw_len: 0,
                    fin,
                    bytes: &rest[..len],
                };
                self.session.upload(&data, time).expect("within the window");
                at += len as u64;
                self.positions.insert((id, slot), at);
            }
        }
    }
}

fn take(
    event: ClientEvent<'_>,
    greeting: &mut Option<Greeting>,
    told: &mut BTreeMap<u64, Told>,
    stored: &mut Vec<(RequestId, u8, u64)>,
) {
    match event {
        ClientEvent::Welcome(welcome) => {
            *greeting = Some(Greeting {
                laptop: welcome.name.to_owned(),
                floor: welcome.floor,
                models: shared_proto::message::models(welcome.standing.models)
                    .map(|model| model.id.to_owned())
                    .collect(),
                expires_in_s: welcome.standing.expires_in_s,
                notices: 0,
                carrier: welcome.link.carrier.to_owned(),
                ssid: welcome.link.ssid.to_vec(),
                passphrase: welcome.link.passphrase.to_owned(),
                frequency: welcome.link.frequency,
                port: welcome.link.port,
                ledger: welcome.ledger,
            });
        }
        ClientEvent::Notice(standing) => {
            if let Some(greeting) = greeting {
                greeting.notices += 1;
                greeting.models = shared_proto::message::models(standing.models)
                    .map(|model| model.id.to_owned())
                    .collect();
            }
        }
        ClientEvent::Accepted(id) => told.entry(id.0).or_default().accepted = true,
        ClientEvent::Awaiting(awaiting) => told.entry(awaiting.id.0).or_default().awaiting = true,
        ClientEvent::Queued(_) => {}
        ClientEvent::Started(started) => {
            told.entry(started.id.0)
                .or_default()
                .started
                .push(started.model.to_owned());
        }
        ClientEvent::Progress(progress) => told
            .entry(progress.id.0)
            .or_default()
            .progress
            .push(progress.permille),
        ClientEvent::Data(data) => {
            let told = told.entry(data.id.0).or_default();
            told.pieces += 1;
            let body = told.bodies.entry(data.slot).or_default();
            assert_eq!(body.len() as u64, data.offset, "a piece out of place");
            match data.raw_len {
                0 => body.extend_from_slice(data.bytes),
                len => body.extend(zstd::bulk::decompress(data.bytes, len as usize).expect("zstd")),
            }
            stored.push((data.id, data.slot, body.len() as u64));
        }
        ClientEvent::Done(done) => {
            told.entry(done.id.0).or_default().end = Some(End::Done(done.usage))
        }
        ClientEvent::Failed(failed) => {
            let op = (failed.op != u8::MAX).then_some(failed.op);
            let code = ErrorCode::from_number(failed.code).expect("a known code");
            told.entry(failed.id.0).or_default().end =
                Some(End::Failed(op, code, failed.detail.to_owned()));
        }
        ClientEvent::UploadWanted(_) | ClientEvent::Renewed(_) | ClientEvent::RoundTrip(_) => {}
    }
}
