//! The loop that keeps the link: dial, greet, talk, lose, wait, dial again.

use std::sync::Arc;
use std::time::Duration;

use shared_proto::channel::{self, ChannelError, EXPORTER_SUBMIT, PeerReason};
use shared_proto::crypto::ring::{RingCrypto, RingSigner};
use shared_proto::crypto::{Crypto, PublicKey, RelationshipKey, Signer, TokenSecret};
use shared_proto::renewal::RenewalBinding;
use shared_proto::time::Millis;
use shared_proto::token::{self, TokenNonce};
use smol::Timer;
use smol::channel::{Receiver, Sender};
use smol::future::or;

use super::backoff::Backoff;
use super::carrier::Dialer;
use super::pipe::{Pipe, PipeError, Turn};
use super::talk::{Fetch, Over, Talk};
use super::{Command, Introduction, Library, LinkEvent, Target};
use crate::app::model::laptop::{Attempt, LaptopId};
use crate::app::model::{Call, Carrier};
use crate::card::Relationship;

/// Handshake and greeting together: two round trips, on a laptop that is busy starting a model.
const GREETING_TIMEOUT: Duration = Duration::from_secs(8);

/// How long a farewell may take to leave.
const FAREWELL_TIMEOUT: Duration = Duration::from_millis(500);

/// The driver's surroundings.
pub struct Driver {
    /// What the app wants.
    pub commands: Receiver<Command>,
    /// What the app hears. Bounded: an app that is busy slows the laptop down, by way of TCP.
    pub events: Sender<LinkEvent>,
    /// How to open carriers.
    pub dialer: Arc<dyn Dialer>,
    /// Where uploads are read.
    pub library: Arc<dyn Library>,
    /// What we say of ourselves.
    pub introduction: Introduction,
    /// A clock that keeps counting during suspend, in milliseconds.
    pub clock: fn() -> u64,
}

/// Why a link, or a try at one, ended.
pub(super) enum End {
    /// By fault or distance: try again.
    Lost {
        why: String,
        carrier: Option<Carrier>,
        patient: bool,
    },
    /// Commands changed what is wanted.
    Retarget(Option<Box<Target>>),
    /// Try at once.
    Again,
    /// Somebody wants to pair.
    Pair(Call),
    /// The app is gone.
    Quit,
}

impl Driver {
    /// Runs until the app drops its ends.
    pub async fn run(self) {
        let mut target: Option<Box<Target>> = None;
        let mut backoff = Backoff::default();
        let mut attempts: Vec<Attempt> = Vec::new();
        loop {
            let end = match &mut target {
                None => self.idle().await,
                Some(wanted) => {
                    let started = (self.clock)();
                    let (end, was_open) = self.link(wanted).await;
                    if was_open {
                        attempts.clear();
                        backoff.session_ended((self.clock)().saturating_sub(started));
                    }
                    end
                }
            };
            let end = match end {
                End::Lost {
                    why,
                    carrier,
                    patient,
                } => {
                    if let Some(carrier) = carrier {
                        attempts.retain(|a| a.carrier != carrier);
                        attempts.push(Attempt { carrier, why });
                    }
                    if patient {
                        backoff.be_patient();
                    }
                    let wait = backoff.next_wait(chance());
                    let next_try = Some(crate::time::Millis((self.clock)() + wait));
                    self.tell(LinkEvent::Lost {
                        attempts: attempts.clone(),
                        next_try,
                    })
                    .await;
                    or(self.idle(), async {
                        Timer::after(Duration::from_millis(wait)).await;
                        End::Again
                    })
                    .await
                }
                other => other,
            };
            let end = match end {
                End::Pair(call) => {
                    backoff.reset();
                    super::meet::pair(&self, call).await
                }
                other => other,
            };
            match end {
                End::Again => {}
                // Both were handled above; a fault while pairing has been told.
                End::Lost { .. } | End::Pair(_) => {}
                End::Retarget(next) => {
                    target = next;
                    attempts.clear();
                    backoff.reset();
                }
                End::Quit => return,
            }
        }
    }

    /// Tells the app; waits while it is busy.
    pub(super) async fn tell(&self, event: LinkEvent) {
        // A closed channel ends the loop through the commands' side.
        let _ = self.events.send(event).await;
    }

    /// Reads commands while there is no link.
    async fn idle(&self) -> End {
        loop {
            match self.commands.recv().await {
                Err(_) => return End::Quit,
                Ok(Command::Target(target)) => return End::Retarget(target),
                Ok(Command::Farewell) => return End::Retarget(None),
                Ok(Command::Reconnect) => return End::Again,
                Ok(Command::Pair(call)) => return End::Pair(call),
                // Without a link there is nobody to tell; the app takes all up again at the next welcome.
                Ok(_) => {}
            }
        }
    }

    /// One try over all carriers, and the session if one opens. Tells whether one did.
    async fn link(&self, target: &mut Target) -> (End, bool) {
        let mut last = End::Lost {
            why: "No way to this laptop is known.".into(),
            carrier: None,
            patient: true,
        };
        let carriers = target.carriers.clone();
        let ways = carriers
            .iter()
            .flat_map(|carrier| [(carrier, true), (carrier, false)]);
        for (carrier, renewed) in ways {
            // Keys that a renewal agreed on are tried first; the laptop may not have them yet, or have them alone.
            let Some(keys) = keys_of(target, renewed) else {
                continue;
            };
            let dial = async {
                self.tell(LinkEvent::Connecting(carrier.clone())).await;
                Ok(self.dialer.dial(carrier).await)
            };
            let dialled = or(async { Err(self.idle().await) }, dial).await;
            let lost = |why: String, patient: bool| End::Lost {
                why,
                carrier: Some(carrier.clone()),
                patient,
            };
            match dialled {
                Err(End::Again) => return (End::Again, false),
                Err(end) => return (end, false),
                Ok(Err(why)) => last = lost(why, false),
                Ok(Ok(stream)) => match open_channel(&keys) {
                    Err(error) => {
                        last = lost(format!("The channel could not be started: {error}."), true)
                    }
                    Ok(channel) => {
                        let (end, was_open) = self
                            .converse(target, &keys, renewed, carrier, Pipe::new(stream, channel))
                            .await;
                        if was_open || !matches!(end, End::Lost { .. }) {
                            return (end, was_open);
                        }
                        last = end;
                    }
                },
            }
        }
        (last, false)
    }

    /// Handshake, greeting, session.
    async fn converse(
        &self,
        target: &mut Target,
        keys: &Keys,
        renewed: bool,
        carrier: &Carrier,
        mut pipe: Pipe,
    ) -> (End, bool) {
        let lost = |(why, patient): (String, bool)| End::Lost {
            why,
            carrier: Some(carrier.clone()),
            patient,
        };
        let limit = (self.clock)() + GREETING_TIMEOUT.as_millis() as u64;
        let handshake = async {
            while pipe.channel().is_handshaking() {
                pipe.turn().await?;
            }
            Ok(())
        };
        let timeout = async {
            Timer::after(GREETING_TIMEOUT).await;
            Err(PipeError::Carrier(std::io::ErrorKind::TimedOut.into()))
        };
        let shaken = or(async { Err(self.idle().await) }, async {
            Ok(or(handshake, timeout).await)
        })
        .await;
        match shaken {
            Err(end) => return (end, false),
            Ok(Err(error)) => return (lost(sentence(&error)), false),
            Ok(Ok(())) => {}
        }
        let talk = self.greet(target, keys, carrier, &pipe);
        let mut talk = match talk {
            Ok(talk) => talk,
            Err(why) => {
                return (
                    lost((format!("The session could not be started: {why}."), true)),
                    false,
                );
            }
        };
        let end = self
            .pump(target, renewed, &mut pipe, &mut talk, limit)
            .await;
        let end = match end {
            Ok(end) => end,
            Err(reason) => lost(reason),
        };
        (end, talk.is_open())
    }

    fn greet(
        &self,
        target: &Target,
        keys: &Keys,
        carrier: &Carrier,
        pipe: &Pipe,
    ) -> Result<Talk, String> {
        let said = |error: channel::ChannelError| error.to_string();
        let exporter = pipe
            .channel()
            .exporter(EXPORTER_SUBMIT, &[])
            .map_err(said)?;
        let signer = RingSigner::new(&RelationshipKey::from_bytes(keys[0]));
        let binding =
            RenewalBinding::on_handheld(pipe.channel(), signer.public_key()).map_err(said)?;
        let now = Millis((self.clock)());
        let bound = (exporter, binding);
        Talk::new(
            &self.introduction,
            target.last_id,
            signer,
            bound,
            carrier.clone(),
            now,
        )
        .map_err(|misuse| format!("{misuse:?}"))
    }

    /// Writes down what changed about the keys: a session proved new ones, or a renewal agreed on some.
    async fn settle_keys(&self, target: &mut Target, renewed: &mut bool, talk: &mut Talk) {
        if *renewed && talk.is_open() {
            *renewed = false;
            let mut proven = target.relationship.clone();
            if let Some([seed, peer, token_secret]) = proven.next.take() {
                (proven.seed, proven.peer, proven.token_secret) = (seed, peer, token_secret);
            }
            // Where this cannot be written, both pairs stay and the next session tries again.
            if self.library.rekey(proven.clone()).await {
                target.relationship = proven;
            }
        }
        if let Some(agreed) = talk.take_agreed() {
            let next = [*agreed.own.expose(), agreed.peer.0, *agreed.token.expose()];
            let both = Relationship {
                next: Some(next),
                ..target.relationship.clone()
            };
            let kept = self.library.rekey(both.clone()).await;
            if kept {
                target.relationship = both;
            }
            talk.adopted(kept);
        }
    }

    /// Moves octets, commands and events until something ends it.
    async fn pump(
        &self,
        target: &mut Target,
        mut renewed: bool,
        pipe: &mut Pipe,
        talk: &mut Talk,
        greeting_limit: u64,
    ) -> Result<End, (String, bool)> {
        let laptop = LaptopId(target.relationship.id);
        let mut reading: Option<Fetch> = None;
        let mut pending: Option<super::Piece<'_>> = None;
        loop {
            self.settle_keys(target, &mut renewed, talk).await;
            self.tell_all(talk, laptop).await;
            pipe.send(&talk.take_transmit());
            if pending.is_none() && pipe.is_drained() {
                reading = talk.next_fetch();
                if let Some(fetch) = &reading {
                    pending = Some(self.piece(fetch));
                }
            }
            enum Wake {
                Command(Option<Command>),
                Turn(Result<Turn, PipeError>),
                Piece(Option<(Vec<u8>, u64)>),
                Clock,
            }
            let deadline = match talk.is_open() {
                true => talk.deadline().0,
                false => talk.deadline().0.min(greeting_limit),
            };
            let left = deadline.saturating_sub((self.clock)());
            let wake = {
                let piece = async {
                    match &mut pending {
                        Some(piece) => Wake::Piece(piece.await),
                        None => smol::future::pending().await,
                    }
                };
                let command = async { Wake::Command(self.commands.recv().await.ok()) };
                let turn = async { Wake::Turn(pipe.turn().await) };
                let clock = async {
                    Timer::after(Duration::from_millis(left.max(1))).await;
                    Wake::Clock
                };
                or(or(command, piece), or(turn, clock)).await
            };
            let now = Millis((self.clock)());
            match wake {
                Wake::Command(None) => {
                    talk.command(Command::Farewell, now);
                    self.part(pipe, talk).await;
                    return Ok(End::Quit);
                }
                Wake::Command(Some(command)) => match command {
                    Command::Target(next) => {
                        self.part(pipe, talk).await;
                        return Ok(End::Retarget(next));
                    }
                    Command::Farewell => {
                        talk.command(Command::Farewell, now);
                        self.part(pipe, talk).await;
                        return Ok(End::Retarget(None));
                    }
                    Command::Pair(call) => {
                        self.part(pipe, talk).await;
                        return Ok(End::Pair(call));
                    }
                    Command::Reconnect => talk.probe(now),
                    other => talk.command(other, now),
                },
                Wake::Piece(piece) => {
                    pending = None;
                    if let Some(fetch) = reading.take() {
                        match piece {
                            Some((bytes, whole)) => talk.fetched(&fetch, &bytes, whole, now),
                            None => talk.not_fetched(&fetch, now),
                        }
                    }
                }
                Wake::Turn(Ok(Turn::Sent)) => {}
                Wake::Turn(Ok(Turn::Read)) => {
                    let plain = pipe.take_plain();
                    let result = talk.receive(&plain, now);
                    self.tell_all(talk, laptop).await;
                    if let Err(over) = result {
                        pipe.close();
                        return Err(fault(over));
                    }
                }
                Wake::Turn(Err(error)) => return Err(sentence(&error)),
                Wake::Clock => {
                    if !talk.is_open() && now.0 >= greeting_limit {
                        return Err(("The laptop did not greet in time.".into(), false));
                    }
                    talk.tick(now).map_err(fault)?;
                }
            }
            self.tell_all(talk, laptop).await;
        }
    }

    fn piece(&self, fetch: &Fetch) -> super::Piece<'_> {
        let (library, source) = (Arc::clone(&self.library), fetch.source.clone());
        let (offset, len) = (fetch.offset, fetch.len);
        Box::pin(async move { library.piece(&source, offset, len).await })
    }

    async fn tell_all(&self, talk: &mut Talk, laptop: LaptopId) {
        for mut event in talk.take_events() {
            if let LinkEvent::Welcome(welcome) = &mut event {
                welcome.laptop = Some(laptop);
            }
            self.tell(event).await;
        }
    }

    /// Sends what waits and closes in order, without waiting long.
    async fn part(&self, pipe: &mut Pipe, talk: &mut Talk) {
        pipe.send(&talk.take_transmit());
        let send = async {
            while !pipe.is_drained() && pipe.turn().await.is_ok() {}
            pipe.close();
            let _ = pipe.flush().await;
        };
        or(send, async {
            Timer::after(FAREWELL_TIMEOUT).await;
        })
        .await;
    }
}

/// Our seed, the laptop's key and the token secret.
type Keys = [[u8; 32]; 3];

fn keys_of(target: &Target, renewed: bool) -> Option<Keys> {
    let known = &target.relationship;
    match renewed {
        true => known.next,
        false => Some([known.seed, known.peer, known.token_secret]),
    }
}

fn open_channel(keys: &Keys) -> Result<Box<dyn channel::Channel>, String> {
    let [seed, peer, secret] = *keys;
    let nonce = TokenNonce::generate(&RingCrypto).map_err(|e| e.to_string())?;
    let name = token::mint(&RingCrypto, &TokenSecret::from_bytes(secret), nonce);
    let key = RelationshipKey::from_bytes(seed);
    let channel = channel::connect(&key, PublicKey(peer), &name).map_err(|e| e.to_string())?;
    Ok(Box::new(channel))
}

fn chance() -> u32 {
    let mut bytes = [0; 4];
    // Without randomness everybody retries at the same instant, which is no danger.
    let _ = RingCrypto.random(&mut bytes);
    u32::from_le_bytes(bytes)
}

/// A sentence for the connection screen, and whether hurry would help nobody.
fn sentence(error: &PipeError) -> (String, bool) {
    match error {
        PipeError::Closed => ("The laptop ended the session.".into(), false),
        PipeError::Carrier(error) if error.kind() == std::io::ErrorKind::TimedOut => {
            ("The laptop did not answer in time.".into(), false)
        }
        PipeError::Carrier(error) => (format!("The connection broke: {error}."), false),
        PipeError::Channel(ChannelError::Truncated) => ("The connection broke.".into(), false),
        PipeError::Channel(ChannelError::RefusedByPeer(PeerReason::UnknownRelationship)) => {
            ("The laptop does not know this handheld any more, or the pairing has expired. Pair again there.".into(), true)
        }
        PipeError::Channel(ChannelError::WrongPeerKey) => {
            ("Another laptop answers there than the one paired with.".into(), true)
        }
        PipeError::Channel(ChannelError::Incompatible) => {
            ("What answers there is not OfficeOS, or another version of it.".into(), true)
        }
        PipeError::Channel(error) => (format!("The channel ended: {error}."), false),
    }
}

fn fault(over: Over) -> (String, bool) {
    match over {
        Over::Peer(shared_proto::error::PeerError::Silent) => {
            ("The laptop fell silent.".into(), false)
        }
        Over::Peer(error @ shared_proto::error::PeerError::Version(_)) => {
            (format!("The laptop runs another version: {error}."), true)
        }
        Over::Peer(error) => (
            format!("The laptop broke a rule of the session: {error}."),
            false,
        ),
        Over::Damaged(why) => (format!("The laptop sent damaged data: {why}."), false),
    }
}

#[cfg(test)]
#[path = "driver_tests.rs"]
mod tests;
