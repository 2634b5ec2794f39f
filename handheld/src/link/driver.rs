//! The loop that keeps the link: dial, greet, talk, lose, wait, dial again.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use shared_proto::channel::{self, EXPORTER_SUBMIT};
use shared_proto::crypto::ring::{RingCrypto, RingSigner};
use shared_proto::crypto::{Crypto, RelationshipKey, Signer};
use shared_proto::renewal::RenewalBinding;
use shared_proto::time::Millis;
use smol::Timer;
use smol::channel::{Receiver, Sender};
use smol::future::or;

use super::backoff::Backoff;
use super::carrier::{Dialer, RadioNews, Way};
use super::keys::{Keys, keys_of, open_channel};
use super::loss::{Lost, Manner, note, sentence};
use super::pipe::{Pipe, PipeError};
use super::talk::Talk;
use super::{Command, Introduction, Library, LinkEvent, Target};
use crate::app::model::laptop::Attempt;
use crate::app::model::{Call, Carrier};

/// Handshake and greeting together: two round trips, on a laptop that is busy starting a model.
const GREETING_TIMEOUT: Duration = Duration::from_secs(8);

/// Why a link over the cable ended.
pub(super) const PULLED: &str = "The USB cable was pulled.";

/// The driver's surroundings.
pub struct Driver {
    /// What the app wants.
    pub commands: Receiver<Command>,
    /// What the app hears. Bounded: an app that is busy slows the laptop down, by way of TCP.
    pub events: Sender<LinkEvent>,
    /// How to open carriers.
    pub dialer: Arc<dyn Dialer>,
    /// What the radio says; one that is closed has nothing more to say.
    pub radio: Receiver<RadioNews>,
    /// Where uploads are read.
    pub library: Arc<dyn Library>,
    /// What we say of ourselves.
    pub introduction: Introduction,
    /// A clock that keeps counting during suspend, in milliseconds.
    pub clock: fn() -> u64,
    /// What the radio has said that the app has not taken yet; empty at the start.
    pub heard: Mutex<Option<LinkEvent>>,
    /// The last round over all ways failed, and the radio went first; not so at the start.
    pub others_first: AtomicBool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Why a link, or a try at one, ended.
pub(super) enum End {
    /// By fault or distance: try again.
    Lost(Lost),
    /// Commands changed what is wanted.
    Retarget(Option<Box<Target>>),
    /// Try at once.
    Again,
    /// Somebody wants to pair.
    Pair(Call),
    /// Sleep until called.
    Rest,
    /// The app is gone.
    Quit,
}

impl Driver {
    /// Runs until the app drops its ends.
    pub async fn run(self) {
        let mut target: Option<Box<Target>> = None;
        let mut backoff = Backoff::default();
        let mut attempts: Vec<Attempt> = Vec::new();
        let (mut asleep, mut ended) = (false, false);
        loop {
            let end = match &mut target {
                None => self.idle().await,
                Some(_) if asleep => self.idle().await,
                Some(wanted) => {
                    let started = (self.clock)();
                    let (end, was_open) = self.link(wanted, &mut attempts).await;
                    if was_open {
                        ended = false;
                        self.others_first.store(false, Relaxed);
                        attempts.clear();
                        backoff.session_ended((self.clock)().saturating_sub(started));
                    }
                    end
                }
            };
            let end = match end {
                End::Lost(lost) => {
                    // Once is enough: it is asked again and again.
                    if lost.manner == Manner::Over && !std::mem::replace(&mut ended, true) {
                        self.tell(LinkEvent::Ended { expired: false }).await;
                    }
                    self.wait(lost, &mut attempts, &mut backoff).await
                }
                other => other,
            };
            asleep = matches!(end, End::Rest);
            let end = match end {
                End::Pair(call) => {
                    backoff.reset();
                    let by_radio = matches!(call, Call::Push(_) | Call::Passphrase(..));
                    let (end, kept) = super::meet::pair(&self, call).await;
                    // What was joined for a pairing that came to nothing is of no further use. After one that did not, the app
                    // wants to be linked at once.
                    if !kept && target.is_none() && matches!(end, End::Again) {
                        self.dialer.rest();
                    } else if !kept && by_radio {
                        self.dialer.call_off();
                    }
                    end
                }
                other => other,
            };
            match end {
                End::Again => {}
                // Both were handled above; a fault while pairing has been told.
                End::Lost(_) | End::Pair(_) => {}
                End::Rest => {
                    self.dialer.rest();
                    attempts.clear();
                    backoff.reset();
                    self.tell(LinkEvent::Asleep).await;
                }
                End::Retarget(next) => {
                    let by_radio = |target: &Option<Box<Target>>| {
                        let network = target.as_ref().map(|target| &target.network);
                        network.is_some_and(Option::is_some)
                    };
                    if by_radio(&target) && !by_radio(&next) {
                        self.dialer.rest();
                    }
                    target = next;
                    ended = false;
                    attempts.clear();
                    backoff.reset();
                }
                End::Quit => return,
            }
        }
    }

    /// Says what failed, and waits for the next try or for a command.
    async fn wait(&self, lost: Lost, attempts: &mut Vec<Attempt>, backoff: &mut Backoff) -> End {
        note(attempts, lost.carrier, lost.why);
        if lost.manner != Manner::Hurry {
            backoff.be_patient();
        }
        let wait = backoff.next_wait(chance());
        let next_try = Some(crate::time::Millis((self.clock)() + wait));
        self.tell(LinkEvent::Lost {
            attempts: attempts.clone(),
            next_try,
        })
        .await;
        let back = async {
            loop {
                if matches!(self.hear().await, RadioNews::Back | RadioNews::Cable(true)) {
                    backoff.reset();
                    return End::Again;
                }
            }
        };
        let due = async {
            Timer::after(Duration::from_millis(wait)).await;
            End::Again
        };
        or(self.asked(), or(back, due)).await
    }

    /// Tells the app; waits while it is busy.
    pub(super) async fn tell(&self, event: LinkEvent) {
        // A closed channel ends the loop through the commands' side.
        let _ = self.events.send(event).await;
    }

    /// Waits for the radio to say something that concerns the link; the rest is told to the app on the way. May be dropped at any
    /// time: what was heard is kept until the app, which may be busy, has taken it.
    pub(super) async fn hear(&self) -> RadioNews {
        loop {
            let heard = lock(&self.heard).clone();
            if let Some(event) = heard {
                // Between its place in the queue and the note that it has one nothing waits, so that it is told once.
                self.tell(event).await;
                lock(&self.heard).take();
            }
            let Ok(news) = self.radio.recv().await else {
                return smol::future::pending().await;
            };
            let event = match news {
                RadioNews::Ability(ability) => LinkEvent::Radio(ability),
                RadioNews::Nearby(nearby) => LinkEvent::Nearby(nearby),
                RadioNews::Signal(signal) => LinkEvent::Signal(signal),
                RadioNews::Lost(_) | RadioNews::Back => return news,
                RadioNews::Cable(plugged) => {
                    // Both: the app offers it, and a link may come or go with it. Told at the next call.
                    lock(&self.heard).replace(LinkEvent::Cable(plugged));
                    return news;
                }
            };
            lock(&self.heard).replace(event);
        }
    }

    /// Waits until radio or cable lose the link that this carrier needs.
    async fn radio_lost(&self, carrier: &Carrier) -> String {
        loop {
            match self.hear().await {
                RadioNews::Lost(why) if is_radio(carrier) => return why,
                RadioNews::Cable(false) if *carrier == Carrier::Usb => return PULLED.into(),
                _ => {}
            }
        }
    }

    /// Reads commands while there is no link, and passes on what the radio says.
    async fn idle(&self) -> End {
        let listen = async {
            loop {
                self.hear().await;
            }
        };
        or(self.asked(), listen).await
    }

    /// Reads commands while there is no link.
    async fn asked(&self) -> End {
        loop {
            match self.commands.recv().await {
                Err(_) => return End::Quit,
                Ok(Command::Target(target)) => return End::Retarget(target),
                Ok(Command::Farewell) => return End::Retarget(None),
                Ok(Command::Reconnect) => return End::Again,
                Ok(Command::Pair(call)) => return End::Pair(call),
                Ok(Command::Rest) => return End::Rest,
                Ok(other) => self.aside(&other),
            }
        }
    }

    /// Carries out what concerns the radio alone. Without a link nobody is told anything else: the app takes all up
    /// again at the next welcome.
    pub(super) fn aside(&self, command: &Command) {
        match command {
            Command::Look(on) => self.dialer.look(*on),
            Command::WatchSignal(on) => self.dialer.watch_signal(*on),
            _ => {}
        }
    }

    /// One try over all carriers, and the session if one opens. Tells whether one did.
    async fn link(&self, target: &mut Target, attempts: &mut Vec<Attempt>) -> (End, bool) {
        let mut last: Option<Lost> = None;
        let mut ways = self.ways(target);
        // A network that a try by radio switched off takes a while to come back: where all failed, the other ways are tried first
        // the next time, and then the radio again.
        if self.others_first.load(Relaxed) {
            ways.sort_by_key(is_radio);
        }
        let mut by_radio = false;
        for carrier in ways {
            if std::mem::replace(&mut by_radio, is_radio(&carrier)) && needs_firmware(&carrier) {
                self.dialer.give_way();
            }
            // Keys that a renewal agreed on are tried first; the laptop may not have them yet, or have them alone.
            for renewed in [true, false] {
                let Some(keys) = keys_of(target, renewed) else {
                    continue;
                };
                let (lost, reached) = match self.attempt(target, &keys, renewed, &carrier).await {
                    (End::Lost(lost), false, reached) => (lost, reached),
                    (end, was_open, _) => return (end, was_open),
                };
                if let Some(earlier) = last.replace(lost) {
                    note(attempts, earlier.carrier, earlier.why);
                }
                if !reached {
                    // Other keys do not make a way.
                    break;
                }
            }
        }
        if by_radio && self.ways(target).iter().any(needs_firmware) {
            self.dialer.give_way();
        }
        self.others_first.fetch_xor(true, Relaxed);
        let unknown = || Lost {
            why: "No way to this laptop is known.".into(),
            carrier: None,
            manner: Manner::Patience,
        };
        (End::Lost(last.unwrap_or_else(unknown)), false)
    }

    /// The ways to a laptop, best first: what the app knows, and its network where the app has not heard of it yet. A cable that is
    /// plugged in goes before all, and costs no battery; one that is not is a way only where there is no other, for its words.
    fn ways(&self, target: &Target) -> Vec<Carrier> {
        let mut ways = target.carriers.clone();
        if target.network.is_some() && !ways.iter().any(is_radio) {
            ways.extend(self.dialer.radio());
        }
        if self.dialer.cable() {
            ways.retain(|way| *way != Carrier::Usb);
            ways.insert(0, Carrier::Usb);
        } else if ways.iter().any(|way| *way != Carrier::Usb) {
            ways.retain(|way| *way != Carrier::Usb);
        }
        ways
    }

    /// One try over one carrier with one pair of keys. Tells whether a session opened, and whether somebody was reached.
    async fn attempt(
        &self,
        target: &mut Target,
        keys: &Keys,
        renewed: bool,
        carrier: &Carrier,
    ) -> (End, bool, bool) {
        let lost = |why: String, manner| {
            End::Lost(Lost {
                why,
                carrier: Some(carrier.clone()),
                manner,
            })
        };
        let network = target.network.clone();
        let dial = async {
            self.tell(LinkEvent::Connecting(carrier.clone())).await;
            let network = network.as_ref();
            Ok(self.dialer.dial(Way { carrier, network }).await)
        };
        match or(async { Err(self.idle().await) }, dial).await {
            Err(end) => (end, false, false),
            Ok(Err(why)) => (lost(why, Manner::Hurry), false, false),
            Ok(Ok(stream)) => match open_channel(keys) {
                Err(error) => {
                    let why = format!("The channel could not be started: {error}.");
                    (lost(why, Manner::Patience), false, false)
                }
                Ok(channel) => {
                    let pipe = Pipe::new(stream, channel);
                    let (end, was_open) = self.converse(target, keys, renewed, carrier, pipe).await;
                    (end, was_open, true)
                }
            },
        }
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
        let lost = |(why, manner): (String, Manner)| {
            End::Lost(Lost {
                why,
                carrier: Some(carrier.clone()),
                manner,
            })
        };
        let limit = (self.clock)() + GREETING_TIMEOUT.as_millis() as u64;
        let shaken = {
            let handshake = async {
                while pipe.channel().is_handshaking() {
                    if let Err(error) = pipe.turn().await {
                        return Some(lost(sentence(&error)));
                    }
                }
                None
            };
            let timeout = async {
                Timer::after(GREETING_TIMEOUT).await;
                let error = PipeError::Carrier(std::io::ErrorKind::TimedOut.into());
                Some(lost(sentence(&error)))
            };
            let asked = async { Some(self.asked().await) };
            let radio = async { Some(lost((self.radio_lost(carrier).await, Manner::Hurry))) };
            or(or(asked, radio), or(handshake, timeout)).await
        };
        if let Some(end) = shaken {
            return (end, false);
        }
        let talk = self.greet(target, keys, carrier, &pipe);
        let mut talk = match talk {
            Ok(talk) => talk,
            Err(why) => {
                return (
                    lost((
                        format!("The session could not be started: {why}."),
                        Manner::Patience,
                    )),
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
            (target.last_id, target.ledger),
            signer,
            bound,
            carrier.clone(),
            now,
        )
        .map_err(|misuse| format!("{misuse:?}"))
    }
}

fn chance() -> u32 {
    let mut bytes = [0; 4];
    // Without randomness everybody retries at the same instant, which is no danger.
    let _ = RingCrypto.random(&mut bytes);
    u32::from_le_bytes(bytes)
}

/// Whether a carrier is the network that the laptop opens, joined in one way or another.
pub(super) fn is_radio(carrier: &Carrier) -> bool {
    matches!(carrier, Carrier::WifiDirect | Carrier::Station)
}

/// Whether a carrier runs over a network that the firmware joins.
fn needs_firmware(carrier: &Carrier) -> bool {
    matches!(carrier, Carrier::Tcp(_))
}

#[cfg(test)]
#[path = "driver_tests.rs"]
mod tests;
