//! A session under way: octets, commands and events, until something ends it.

use std::sync::Arc;
use std::time::Duration;

use shared_proto::time::Millis;
use smol::Timer;
use smol::future::or;

use super::carrier::RadioNews;
use super::driver::{Driver, End, PULLED, is_radio};
use super::loss::{Manner, fault, sentence};
use super::pipe::{Pipe, PipeError, Turn};
use super::talk::{Fetch, Talk};
use super::{Command, LinkEvent, Target};
use crate::app::model::Carrier;
use crate::app::model::laptop::LaptopId;
use crate::card::Relationship;

/// How long a farewell may take to leave.
const FAREWELL_TIMEOUT: Duration = Duration::from_millis(500);

impl Driver {
    /// Writes down what changed about the keys: a session proved new ones, or a renewal agreed on some.
    pub(super) async fn settle_keys(
        &self,
        target: &mut Target,
        renewed: &mut bool,
        talk: &mut Talk,
    ) {
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
    pub(super) async fn pump(
        &self,
        target: &mut Target,
        mut renewed: bool,
        pipe: &mut Pipe,
        talk: &mut Talk,
        greeting_limit: u64,
    ) -> Result<End, (String, Manner)> {
        let laptop = LaptopId(target.relationship.id);
        let by_radio = is_radio(talk.carrier());
        let mut reading: Option<Fetch> = None;
        let mut pending: Option<super::Piece<'_>> = None;
        loop {
            self.settle_keys(target, &mut renewed, talk).await;
            if let Some(network) = talk.take_network() {
                target.network = Some(network);
            }
            if let Some(ledger) = talk.take_ledger() {
                target.ledger = ledger;
            }
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
                Radio(RadioNews),
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
                let radio = async { Wake::Radio(self.hear().await) };
                or(or(command, piece), or(turn, or(radio, clock))).await
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
                    Command::Rest => {
                        self.part(pipe, talk).await;
                        return Ok(End::Rest);
                    }
                    Command::Reconnect => talk.probe(now),
                    Command::Look(_) | Command::WatchSignal(_) => self.aside(&command),
                    other => talk.command(other, now),
                },
                // What the radio loses is lost for a session over it alone; where it came back, better ask.
                Wake::Radio(RadioNews::Lost(why)) if by_radio => {
                    return Err((why, Manner::Hurry));
                }
                Wake::Radio(RadioNews::Cable(false)) if *talk.carrier() == Carrier::Usb => {
                    return Err((PULLED.into(), Manner::Hurry));
                }
                Wake::Radio(RadioNews::Back) if by_radio => talk.probe(now),
                Wake::Radio(_) => {}
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
                        return Err(("The laptop did not greet in time.".into(), Manner::Hurry));
                    }
                    talk.tick(now).map_err(fault)?;
                }
            }
            self.tell_all(talk, laptop).await;
        }
    }

    pub(super) fn piece(&self, fetch: &Fetch) -> super::Piece<'_> {
        let (library, source) = (Arc::clone(&self.library), fetch.source.clone());
        let (offset, len) = (fetch.offset, fetch.len);
        Box::pin(async move { library.piece(&source, offset, len).await })
    }

    pub(super) async fn tell_all(&self, talk: &mut Talk, laptop: LaptopId) {
        for mut event in talk.take_events() {
            if let LinkEvent::Welcome(welcome) = &mut event {
                self.dialer.proved();
                welcome.laptop = Some(laptop);
            }
            self.tell(event).await;
        }
    }

    /// Sends what waits and closes in order, without waiting long.
    pub(super) async fn part(&self, pipe: &mut Pipe, talk: &mut Talk) {
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
