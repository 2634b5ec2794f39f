//! The pairing window and the one attempt that may run in it.

use super::carriers::Carriers;
use super::settled::Settled;
use crate::control::api::{Event, PairStatus};
use crate::control::{ErrorKind, RpcError};
use crate::hub::Hub;
use crate::store::NewRelationship;
use shared_proto::channel::{Channel, TlsChannel};
use shared_proto::crypto::ring::RingCrypto;
use shared_proto::crypto::{Crypto, RelationshipKey, Signer};
use shared_proto::limits::MAX_NAME_LEN;
use shared_proto::message::clip;
use shared_proto::pairing::{
    AbortReason, Admission, Binding, Grant, Kept, LaptopOutcome, LaptopPairing, LaptopPhase, Name,
    PROVISIONAL_S, PairingError, Typing, Window,
};
use shared_proto::renewal::Credentials;
use shared_proto::time::Millis;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::mpsc::{
    Receiver, RecvTimeoutError, Sender, SyncSender, TrySendError, channel, sync_channel,
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Octets read at a time.
const PIECE_LEN: usize = 2 * 1024;
/// Pieces that may wait: a stranger's device is read no faster than it is dealt with.
const MAX_PIECES: usize = 4;
/// Longest wait for a handheld that does not read.
const WRITE_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest wait for the attempt to say what it makes of typed digits.
const TYPING_TIMEOUT: Duration = Duration::from_secs(10);
/// Events that a watcher may leave unread.
const MAX_UNREAD: usize = 64;
/// Seconds in a day.
const DAY_S: i64 = 24 * 3600;

/// What an attempt is told.
enum Input {
    Bytes(Vec<u8>),
    End,
    Typed(String, Sender<Typing>),
    Stop(PairingError),
}

struct Inner {
    window: Option<Window>,
    status: PairStatus,
    attempt: Option<SyncSender<Input>>,
    watchers: Vec<SyncSender<Event>>,
    /// Rises with every window and every attempt, so that an attempt that ends late touches nothing that came after.
    turn: u64,
}

/// See the module.
pub(super) struct PairingDesk {
    hub: Arc<Hub>,
    settled: Arc<Settled>,
    carriers: Arc<Carriers>,
    inner: Mutex<Inner>,
}

impl PairingDesk {
    pub(super) fn new(hub: Arc<Hub>, settled: Arc<Settled>, carriers: Arc<Carriers>) -> Self {
        let inner = Inner {
            window: None,
            status: PairStatus::Closed,
            attempt: None,
            turn: 0,
            watchers: Vec::new(),
        };
        Self {
            hub,
            settled,
            carriers,
            inner: Mutex::new(inner),
        }
    }

    /// Whether a device may knock.
    pub(super) fn is_open(&self) -> bool {
        let now = self.hub.now();
        self.lock().window.is_some_and(|window| window.is_open(now))
    }

    /// Opens the window, for a person who asked for it.
    ///
    /// # Errors
    /// A `Conflict` where wrong digits have paused pairing, where there are as many devices as may be, or where the
    /// window is open already.
    pub(super) fn open(&self) -> Result<PairStatus, RpcError> {
        let internal =
            |error: crate::store::StoreError| RpcError::new(ErrorKind::Internal, error.to_string());
        let wall = self.hub.wall();
        self.hub.store.forget_overdue(wall).map_err(internal)?;
        let devices = self.hub.store.relationships().map_err(internal)?;
        let paired = devices
            .iter()
            .filter(|device| device.keys.is_some())
            .count();
        let most = self.settled.now().daemon.max_paired_devices;
        if paired >= most {
            let words = format!(
                "{paired} of {most} devices are paired; revoke one first, or raise max_paired_devices"
            );
            return Err(RpcError::new(ErrorKind::Conflict, words));
        }
        let mut attempts = self.hub.store.attempts(wall).map_err(internal)?;
        let now = self.hub.now();
        let mut inner = self.lock();
        if inner.window.is_some_and(|window| window.is_open(now)) {
            return Err(RpcError::new(
                ErrorKind::Conflict,
                "the pairing window is open already",
            ));
        }
        let window = Window::open(&mut attempts, wall.unsigned_abs(), now)
            .map_err(|paused| RpcError::new(ErrorKind::Conflict, paused.to_string()))?;
        inner.window = Some(window);
        inner.attempt = None;
        inner.turn += 1;
        // Under the lock: what closes the window comes before or after, on both sides alike.
        let open_for = Duration::from_millis(window.closes().since(now));
        self.carriers.set_window(Some(open_for));
        inner.show_waiting(now);
        drop(inner);
        log::info!("the pairing window is open for two minutes");
        Ok(self.status())
    }

    /// Closes the window and stops what runs in it.
    pub(super) fn cancel(&self) -> PairStatus {
        self.stop(PairingError::Cancelled);
        self.finish(PairStatus::Closed);
        self.status()
    }

    /// Hands typed digits to the attempt.
    ///
    /// # Errors
    /// `Conflict` where nobody waits for digits, `Params` where those are no digits.
    pub(super) fn typed(&self, digits: &str) -> Result<PairStatus, RpcError> {
        let nobody = || {
            RpcError::new(
                ErrorKind::Conflict,
                "no handheld waits for digits; open pairing on it first",
            )
        };
        let attempt = self.lock().attempt.clone().ok_or_else(nobody)?;
        let (sender, answer) = channel();
        attempt
            .send(Input::Typed(digits.to_owned(), sender))
            .map_err(|_| nobody())?;
        match answer.recv_timeout(TYPING_TIMEOUT) {
            Ok(Typing::Right | Typing::Wrong) => Ok(self.status()),
            Ok(Typing::NotSixDigits) => Err(RpcError::new(
                ErrorKind::Params,
                "type the six digits that the handheld shows",
            )),
            Ok(Typing::NotNow) | Err(_) => Err(nobody()),
        }
    }

    /// Where pairing stands.
    pub(super) fn status(&self) -> PairStatus {
        let now = self.hub.now();
        let mut inner = self.lock();
        let left = inner
            .window
            .map_or(0, |window| window.closes().since(now) / 1000);
        match &mut inner.status {
            PairStatus::Waiting { closes_in_s }
            | PairStatus::Digits { closes_in_s, .. }
            | PairStatus::Confirming { closes_in_s, .. } => *closes_in_s = left,
            PairStatus::Closed | PairStatus::Paired { .. } | PairStatus::Failed { .. } => {}
        }
        let over =
            inner.window.is_some_and(|window| !window.is_open(now)) && inner.attempt.is_none();
        if over && matches!(inner.status, PairStatus::Waiting { .. }) {
            inner.status = PairStatus::Failed {
                reason: PairingError::TimedOut.to_string(),
            };
            inner.window = None;
        }
        inner.status.clone()
    }

    /// Follows what happens from now on.
    pub(super) fn watch(&self) -> Receiver<Event> {
        let (sender, receiver) = sync_channel(MAX_UNREAD);
        self.lock().watchers.push(sender);
        receiver
    }

    /// Runs one attempt on a channel that stands. Blocks until it is over.
    pub(super) fn attempt(
        &self,
        stream: TcpStream,
        mut channel: TlsChannel,
        own: RelationshipKey,
        port: u16,
    ) {
        let (inputs, receiver) = sync_channel(MAX_PIECES);
        let (admission, turn) = {
            let mut inner = self.lock();
            let now = self.hub.now();
            let admission = inner
                .window
                .as_mut()
                .map_or(Admission::Closed, |window| window.arrive(now));
            if admission == Admission::Admitted {
                inner.attempt = Some(inputs.clone());
                inner.turn += 1;
            }
            (admission, inner.turn)
        };
        let refusal = match admission {
            Admission::Admitted => None,
            Admission::Closed => Some(AbortReason::TimedOut),
            Admission::Crowded => {
                log::warn!("two devices tried to pair at once; neither was let in");
                self.stop(PairingError::Crowded);
                Some(AbortReason::Crowded)
            }
        };
        if let Some(reason) = refusal {
            let words = LaptopPairing::<RingCrypto>::refusal(reason);
            if let Err(error) = say(&stream, &mut channel, &words) {
                log::debug!("a refused pairing was not told: {error}");
            }
            return hang_up(&stream, &mut channel);
        }
        let ended = self.run(&stream, &mut channel, &own, port, &inputs, &receiver);
        // Whoever sees the end of the connection finds it said.
        self.conclude(turn, ended);
        hang_up(&stream, &mut channel);
    }

    fn conclude(&self, turn: u64, ended: Result<PairStatus, PairingError>) {
        {
            let mut inner = self.lock();
            if inner.turn != turn {
                // The window that this attempt came in by was closed, and another one opened.
                return;
            }
            inner.attempt = None;
        }
        match ended {
            Ok(status @ PairStatus::Paired { .. }) => self.finish(status),
            Ok(status) => self.set(|_| status),
            Err(error) => self.failed(error),
        }
    }

    fn run(
        &self,
        stream: &TcpStream,
        channel: &mut TlsChannel,
        own: &RelationshipKey,
        port: u16,
        inputs: &SyncSender<Input>,
        receiver: &Receiver<Input>,
    ) -> Result<PairStatus, PairingError> {
        let public = shared_proto::crypto::ring::RingSigner::new(own).public_key();
        let binding = Binding::on_laptop(channel, public)?;
        let nonce = RingCrypto.nonce().map_err(|_| PairingError::NotStored)?;
        let closes = self.lock().window.ok_or(PairingError::Cancelled)?.closes();
        let name = fitting(&self.settled.now().daemon.device_name);
        let mut machine =
            LaptopPairing::new(RingCrypto, binding, nonce, name, self.hub.now(), closes);
        start_reader(stream, inputs.clone()).map_err(|_| PairingError::Cut)?;
        let mut shown = LaptopPhase::Connecting;
        let mut made: Option<(i64, String)> = None;
        // What the handshake brought along comes first.
        pass_on(channel, &mut machine, &[], self);
        loop {
            let phase = machine.phase();
            match &phase {
                LaptopPhase::Store(outcome) => match self.store(own, outcome, port) {
                    Ok((id, name, grant)) => {
                        made = Some((id, name));
                        machine.stored(grant, self.hub.now());
                    }
                    Err(error) => {
                        log::error!("a pairing could not be stored: {error}");
                        machine.stop(PairingError::NotStored);
                    }
                },
                LaptopPhase::Typing { name } if phase != shown => {
                    let name = name.to_string();
                    self.set(|closes_in_s| PairStatus::Digits { closes_in_s, name });
                }
                LaptopPhase::Confirming if phase != shown => {
                    let name = match &shown {
                        LaptopPhase::Typing { name } => name.to_string(),
                        _ => String::new(),
                    };
                    self.set(|closes_in_s| PairStatus::Confirming { closes_in_s, name });
                }
                _ => {}
            }
            shown = machine.phase();
            let mut words = Vec::new();
            machine.transmit(&mut words);
            if say(stream, channel, &words).is_err() {
                machine.cut();
            }
            match machine.phase() {
                LaptopPhase::Store(_) => continue,
                LaptopPhase::Paired => break,
                LaptopPhase::Failed(error) => {
                    return self.settle(machine.kept(), made, Some(error));
                }
                _ => {}
            }
            let patience = machine
                .deadline()
                .map_or(Duration::from_secs(1), |deadline| {
                    Duration::from_millis(deadline.since(self.hub.now()).max(1))
                });
            match receiver.recv_timeout(patience) {
                Ok(Input::Bytes(bytes)) => pass_on(channel, &mut machine, &bytes, self),
                Ok(Input::End) | Err(RecvTimeoutError::Disconnected) => machine.cut(),
                Ok(Input::Typed(digits, answer)) => {
                    let typing = machine.typed(&digits, self.hub.now());
                    if typing == Typing::Wrong {
                        self.count_wrong_digits();
                    }
                    // The caller has gone: the digits count all the same.
                    let _ = answer.send(typing);
                }
                Ok(Input::Stop(why)) => machine.stop(why),
                Err(RecvTimeoutError::Timeout) => machine.tick(self.hub.now()),
            }
        }
        self.settle(machine.kept(), made, None)
    }

    /// Makes the store hold what the machine says it should.
    fn settle(
        &self,
        kept: Kept,
        made: Option<(i64, String)>,
        error: Option<PairingError>,
    ) -> Result<PairStatus, PairingError> {
        let stored = match (kept, &made) {
            (Kept::Nothing, Some((id, _))) => self.hub.store.forget_provisional(*id),
            (Kept::Relationship, Some((id, _))) => self.hub.store.confirm(*id),
            _ => Ok(()),
        };
        if let Err(error) = stored {
            log::error!("the outcome of a pairing could not be stored: {error}");
        }
        match (kept, made) {
            (Kept::Relationship | Kept::Provisional, Some((device, name))) => {
                let wall = self.hub.wall();
                let cleared = self.hub.store.attempts(wall).and_then(|mut attempts| {
                    attempts.succeeded();
                    self.hub.store.set_attempts(&attempts)
                });
                if let Err(error) = cleared {
                    log::error!("the count of wrong digits could not be stored: {error}");
                }
                Ok(PairStatus::Paired { device, name })
            }
            _ => Err(error.unwrap_or(PairingError::Cut)),
        }
    }

    /// Durable before the other side hears of it.
    fn count_wrong_digits(&self) {
        let wall = self.hub.wall();
        let counted = self.hub.store.attempts(wall).and_then(|mut attempts| {
            attempts.failed(wall.unsigned_abs());
            self.hub.store.set_attempts(&attempts)
        });
        if let Err(error) = counted {
            log::error!("wrong digits could not be counted: {error}");
        }
        let mut inner = self.lock();
        if let Some(window) = &mut inner.window {
            window.close();
        }
        self.carriers.set_window(None);
    }

    fn store(
        &self,
        own: &RelationshipKey,
        outcome: &LaptopOutcome,
        port: u16,
    ) -> Result<(i64, String, Grant), crate::store::StoreError> {
        let now = self.hub.wall();
        let config = self.settled.now();
        let days = i64::from(config.daemon.relationship_days);
        let new = NewRelationship {
            name: outcome.name.to_string(),
            keys: Credentials {
                own: own.clone(),
                peer: outcome.peer,
                token: outcome.token.clone(),
            },
            screen: (outcome.screen.width, outcome.screen.height),
            created_at: now,
            expires_at: now + days * DAY_S,
            provisional_until: now + PROVISIONAL_S as i64,
        };
        let mut profile = config.permissions.new_device.clone();
        profile.requests_per_minute = config.daemon.requests_per_minute;
        let made = self.hub.store.add_relationship(&new, &profile)?;
        let grant = Grant {
            expires_in_s: (days * DAY_S).unsigned_abs(),
            link: self.carriers.link_info(port),
        };
        Ok((made.id, made.name, grant))
    }

    fn failed(&self, error: PairingError) {
        log::warn!("pairing failed: {error}");
        let reason = error.to_string();
        // A device that merely went away leaves the window to the next; everything else closes it.
        let stays = matches!(
            error,
            PairingError::Cut | PairingError::Aborted(AbortReason::Cancelled)
        ) && self.is_open();
        if stays {
            let now = self.hub.now();
            let mut inner = self.lock();
            if let Some(window) = &mut inner.window {
                window.left();
            }
            // Under the same lock: the next to knock may show its digits at once.
            inner.show_waiting(now);
        } else if error == PairingError::Cancelled {
            self.finish(PairStatus::Closed);
        } else {
            self.finish(PairStatus::Failed { reason });
        }
    }

    fn stop(&self, why: PairingError) {
        let attempt = self.lock().attempt.clone();
        if let Some(attempt) = attempt {
            // An attempt that is gone needs no stopping.
            let _ = attempt.send(Input::Stop(why));
        }
    }

    fn finish(&self, status: PairStatus) {
        let mut inner = self.lock();
        inner.window = None;
        self.carriers.set_window(None);
        inner.show(status);
    }

    /// Shows a new status; `make` gets the seconds until the window closes.
    fn set(&self, make: impl FnOnce(u64) -> PairStatus) {
        let now = self.hub.now();
        let mut inner = self.lock();
        let left = inner.closes_in_s(now);
        inner.show(make(left));
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn closes_in_s(&self, now: Millis) -> u64 {
        self.window
            .map_or(0, |window| window.closes().since(now) / 1000)
    }

    fn show_waiting(&mut self, now: Millis) {
        let closes_in_s = self.closes_in_s(now);
        self.show(PairStatus::Waiting { closes_in_s });
    }

    fn show(&mut self, status: PairStatus) {
        self.status = status;
        let event = Event::Pairing(self.status.clone());
        self.watchers.retain(|watcher| {
            !matches!(
                watcher.try_send(event.clone()),
                Err(TrySendError::Disconnected(_) | TrySendError::Full(_))
            )
        });
    }
}

/// The start of `text` that a name holds.
fn fitting(text: &str) -> Name {
    let mut name = Name::new();
    // Cut to what it holds, so that it fits.
    let _ = name.push_str(clip(text, MAX_NAME_LEN));
    name
}

fn start_reader(stream: &TcpStream, inputs: SyncSender<Input>) -> io::Result<()> {
    stream.set_read_timeout(None)?;
    let mut reading = stream.try_clone()?;
    std::thread::Builder::new()
        .name("pairing-reader".to_owned())
        .spawn(move || {
            let mut piece = [0; PIECE_LEN];
            loop {
                let input = match reading.read(&mut piece) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Ok(0) | Err(_) => Input::End,
                    Ok(len) => Input::Bytes(piece[..len].to_vec()),
                };
                let ended = matches!(input, Input::End);
                if inputs.send(input).is_err() || ended {
                    return;
                }
            }
        })?;
    Ok(())
}

fn pass_on(
    channel: &mut TlsChannel,
    machine: &mut LaptopPairing<RingCrypto>,
    mut bytes: &[u8],
    desk: &PairingDesk,
) {
    let mut plain = [0; PIECE_LEN];
    loop {
        let taken = channel.receive(bytes);
        // What came before a fault is still good.
        while let Ok(len @ 1..) = channel.read(&mut plain) {
            machine.receive(&plain[..len], desk.hub.now());
        }
        match taken {
            Ok(taken) => bytes = &bytes[taken..],
            Err(_) => return machine.cut(),
        }
        if bytes.is_empty() {
            return;
        }
    }
}

fn say(mut stream: &TcpStream, channel: &mut TlsChannel, mut words: &[u8]) -> Result<(), String> {
    stream
        .set_write_timeout(Some(WRITE_TIMEOUT))
        .map_err(|error| error.to_string())?;
    loop {
        let taken = channel.write(words).map_err(|error| error.to_string())?;
        words = &words[taken..];
        let mut out = Vec::new();
        channel.transmit(&mut out);
        stream.write_all(&out).map_err(|error| error.to_string())?;
        if words.is_empty() {
            return Ok(());
        }
    }
}

fn hang_up(stream: &TcpStream, channel: &mut TlsChannel) {
    channel.close();
    // Whoever is gone is just who is told to go.
    let _ = say_last(stream, channel);
    let _ = stream.shutdown(Shutdown::Both);
}

fn say_last(mut stream: &TcpStream, channel: &mut TlsChannel) -> io::Result<()> {
    let mut out = Vec::new();
    channel.transmit(&mut out);
    stream.write_all(&out)
}
