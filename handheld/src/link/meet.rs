//! Pairing: calls a laptop whose window is open and moves octets between its channel and the pairing machine.

use std::time::Duration;

use shared_proto::channel;
use shared_proto::crypto::ring::{RingCrypto, RingSigner};
use shared_proto::crypto::{Crypto, RelationshipKey, Signer};
use shared_proto::limits::MAX_NAME_LEN;
use shared_proto::message::{Screen, clip};
use shared_proto::pairing::{
    AbortReason, Binding, HandheldOutcome, HandheldPairing, HandheldPhase, Name, PairingError,
};
use shared_proto::time::Millis;
use smol::Timer;
use smol::future::or;

use super::carrier::{Called, RadioNews};
use super::driver::{Driver, End};
use super::pipe::{Pipe, PipeError, Turn};
use super::{Command, LinkEvent};
use crate::app::model::{Call, Carrier, Laptop, Network};
use crate::app::msg::{PairingEvent, PairingFault};
use crate::card::Relationship;

/// How long the handshake may take: the laptop has nothing to look up.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(8);

/// How long the last words may take to leave.
const LAST_WORDS: Duration = Duration::from_millis(800);

/// Runs one attempt to its end and tells the app how it went. What the commands want next is handed back, and whether the laptop was
/// kept.
pub(super) async fn pair(driver: &Driver, call: Call) -> (End, bool) {
    let mut wish = End::Again;
    match attempt(driver, &call, &mut wish).await {
        Ok(()) => (wish, true),
        Err(fault) => {
            driver
                .tell(LinkEvent::Pairing(PairingEvent::Failed(fault)))
                .await;
            (wish, false)
        }
    }
}

async fn attempt(driver: &Driver, call: &Call, wish: &mut End) -> Result<(), PairingFault> {
    let dial = async { Ok(driver.dialer.call(call).await) };
    let called = or(async { Err(withdrawn(driver, wish).await) }, dial).await?;
    let Called {
        stream,
        carrier,
        network,
    } = called.map_err(PairingFault::Unreachable)?;
    let broken = |why: &dyn std::fmt::Display| PairingFault::Broken(why.to_string());
    let (key, _) = RingSigner::generate().map_err(|e| broken(&e))?;
    let channel = channel::connect_pairing(&key).map_err(|e| broken(&e))?;
    let mut pipe = Pipe::new(stream, Box::new(channel));
    let shaken = {
        let handshake = async {
            while pipe.channel().is_handshaking() {
                pipe.turn().await?;
            }
            Ok(())
        };
        let timeout = async {
            Timer::after(HANDSHAKE_TIMEOUT).await;
            Err(PipeError::Carrier(std::io::ErrorKind::TimedOut.into()))
        };
        let handshake = async { Ok(or(handshake, timeout).await) };
        or(async { Err(withdrawn(driver, wish).await) }, handshake).await?
    };
    shaken.map_err(|error| match error {
        // A closed window turns callers away before the exchange.
        PipeError::Channel(_) | PipeError::Closed => PairingFault::NotOpen,
        PipeError::Carrier(error) => {
            PairingFault::Unreachable(format!("The connection broke: {error}."))
        }
    })?;
    let binding =
        Binding::on_handheld(pipe.channel(), RingSigner::new(&key).public_key()).map_err(fault)?;
    let nonce = RingCrypto.nonce().map_err(|e| broken(&e))?;
    let name = Name::try_from(clip(&driver.introduction.name, MAX_NAME_LEN)).unwrap_or_default();
    let (width, height) = driver.introduction.screen;
    let now = Millis((driver.clock)());
    let mut machine = HandheldPairing::new(
        RingCrypto,
        binding,
        nonce,
        name,
        Screen { width, height },
        now,
    );
    exchange(
        driver,
        (&carrier, network),
        &key,
        &mut pipe,
        &mut machine,
        wish,
    )
    .await
}

async fn exchange(
    driver: &Driver,
    way: (&Carrier, Option<Network>),
    key: &RelationshipKey,
    pipe: &mut Pipe,
    machine: &mut HandheldPairing<RingCrypto>,
    wish: &mut End,
) -> Result<(), PairingFault> {
    let (mut shown, mut matched) = (false, false);
    // The laptop's first words may have come with the end of the handshake.
    machine.receive(&pipe.take_plain(), Millis((driver.clock)()));
    loop {
        let mut out = Vec::new();
        machine.transmit(&mut out);
        pipe.send(&out);
        match machine.phase() {
            HandheldPhase::Connecting | HandheldPhase::Confirmed => {}
            HandheldPhase::Showing {
                digits,
                name,
                typed,
            } => {
                if !shown {
                    shown = true;
                    let left_ms = machine.closes().0.saturating_sub((driver.clock)());
                    driver
                        .tell(LinkEvent::Pairing(PairingEvent::Digits {
                            digits: digits.each(),
                            left_ms,
                        }))
                        .await;
                }
                if typed && !matched {
                    matched = true;
                    let laptop = name.as_str().to_owned();
                    driver
                        .tell(LinkEvent::Pairing(PairingEvent::Matched { laptop }))
                        .await;
                }
            }
            HandheldPhase::Store(outcome) => {
                match keep(driver, &way, key, &outcome).await {
                    Ok(laptop) => {
                        driver.dialer.proved();
                        machine.stored();
                        driver
                            .tell(LinkEvent::Pairing(PairingEvent::Kept(laptop)))
                            .await;
                    }
                    Err(why) => {
                        log::warn!("the pairing was not kept: {why}");
                        machine.stop(PairingError::NotStored);
                    }
                }
                continue;
            }
            HandheldPhase::Paired => {
                last_words(pipe).await;
                return Ok(());
            }
            HandheldPhase::Failed(error) => {
                last_words(pipe).await;
                return Err(fault(error));
            }
        }
        enum Wake {
            Command(Option<Command>),
            Turn(Result<Turn, PipeError>),
            Radio(RadioNews),
            Clock,
        }
        let deadline = machine
            .deadline()
            .map(|at| at.0.saturating_sub((driver.clock)()));
        let wake = {
            let command = async { Wake::Command(driver.commands.recv().await.ok()) };
            let radio = async { Wake::Radio(driver.hear().await) };
            let turn = async { Wake::Turn(pipe.turn().await) };
            let clock = async {
                match deadline {
                    Some(left) => Timer::after(Duration::from_millis(left.max(1))).await,
                    None => smol::future::pending().await,
                };
                Wake::Clock
            };
            or(command, or(or(radio, turn), clock)).await
        };
        let now = Millis((driver.clock)());
        match wake {
            Wake::Command(Some(Command::PairConfirm)) => {
                machine.confirm(now);
            }
            Wake::Command(Some(Command::PairCancel)) => machine.stop(PairingError::Cancelled),
            Wake::Command(Some(Command::Target(target))) => *wish = End::Retarget(target),
            Wake::Command(None) => {
                *wish = End::Quit;
                machine.stop(PairingError::Cancelled);
            }
            // There is no session that other commands could mean.
            Wake::Command(Some(other)) => driver.aside(&other),
            Wake::Turn(Ok(Turn::Read)) => machine.receive(&pipe.take_plain(), now),
            Wake::Turn(Ok(Turn::Sent)) => {}
            Wake::Turn(Err(_)) => {
                machine.receive(&pipe.take_plain(), now);
                machine.cut();
            }
            Wake::Radio(RadioNews::Lost(_)) if way.1.is_some() => machine.cut(),
            Wake::Radio(RadioNews::Cable(false)) if *way.0 == Carrier::Usb => machine.cut(),
            Wake::Radio(_) => {}
            Wake::Clock => machine.tick(now),
        }
    }
}

/// Waits until the person calls it off.
async fn withdrawn(driver: &Driver, wish: &mut End) -> PairingFault {
    let listen = async {
        loop {
            driver.hear().await;
        }
    };
    or(called_off(driver, wish), listen).await
}

async fn called_off(driver: &Driver, wish: &mut End) -> PairingFault {
    loop {
        match driver.commands.recv().await {
            Ok(Command::PairCancel) => return PairingFault::Declined,
            Ok(Command::Target(target)) => *wish = End::Retarget(target),
            Ok(other) => driver.aside(&other),
            Err(_) => {
                *wish = End::Quit;
                return PairingFault::Declined;
            }
        }
    }
}

async fn keep(
    driver: &Driver,
    (carrier, joined): &(&Carrier, Option<Network>),
    key: &RelationshipKey,
    outcome: &HandheldOutcome,
) -> Result<Laptop, String> {
    let relationship = Relationship {
        id: 0,
        seed: *key.expose(),
        peer: outcome.peer.0,
        token_secret: *outcome.token.expose(),
        next: None,
    };
    // What the laptop says in the pairing counts above what its radio said before it.
    let network = super::news::granted(&outcome.grant.link).or_else(|| joined.clone());
    let mut carriers = vec![(*carrier).clone()];
    if network.is_some() {
        let radio = driver.dialer.radio();
        carriers.retain(|carrier| Some(carrier) != radio.as_ref());
        carriers.splice(0..0, radio);
    }
    let laptop = Laptop {
        name: outcome.name.as_str().to_owned(),
        carriers,
        network,
        ..Laptop::default()
    };
    driver.library.pair(relationship, laptop).await
}

/// Sends what waits and closes, without waiting long.
async fn last_words(pipe: &mut Pipe) {
    let send = async {
        while !pipe.is_drained() && pipe.turn().await.is_ok() {}
        pipe.close();
        let _ = pipe.flush().await;
    };
    or(send, async {
        Timer::after(LAST_WORDS).await;
    })
    .await;
}

fn fault(error: PairingError) -> PairingFault {
    match error {
        PairingError::Mismatch | PairingError::Aborted(AbortReason::Mismatch) => {
            PairingFault::WrongDigits
        }
        PairingError::Cancelled | PairingError::Aborted(AbortReason::Cancelled) => {
            PairingFault::Declined
        }
        PairingError::TimedOut | PairingError::Aborted(AbortReason::TimedOut) => {
            PairingFault::TimedOut
        }
        PairingError::Aborted(AbortReason::Full) => PairingFault::Full,
        other => PairingFault::Broken(other.to_string()),
    }
}
