//! The laptop's side of pairing: it commits, the person types, it stores first.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::binding::{Role, Transcript};
use super::message::{Inbox, PairingMessage, frame};
use super::{
    AbortReason, Binding, Digits, Grant, LaptopOutcome, Name, PAIRING_VERSION, PairingError,
    STEP_MS,
};
use crate::crypto::Crypto;
use crate::time::Millis;

/// What is to be shown or done now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LaptopPhase {
    /// The devices are talking.
    Connecting,
    /// The person is to type the digits that the handheld shows.
    Typing {
        /// The handheld's name. Peer text.
        name: Name,
    },
    /// The digits were right; the person is to confirm on the handheld.
    Confirming,
    /// Store this as provisional, durably, then call [`LaptopPairing::stored`].
    Store(LaptopOutcome),
    /// Stored here; whether the handheld has it will show in its first session, if it does not say so now.
    Granted,
    /// The handheld has stored it too: it is no longer provisional. The connection may be closed.
    Paired,
    /// It ended. Send what waits and close. [`LaptopPairing::kept`] says what remains of it.
    Failed(PairingError),
}

/// What became of the digits that the person typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Typing {
    /// They are right.
    Right,
    /// They are wrong: count it with [`super::Attempts::failed`], store that, then send what waits.
    Wrong,
    /// That was not six digits. Nothing happened; ask again.
    NotSixDigits,
    /// Nobody is waiting for digits.
    NotNow,
}

/// What the laptop's store holds of an attempt, or must be made to hold once it has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// Nothing: drop what was stored.
    Nothing,
    /// A provisional relationship, until its first data session or [`super::PROVISIONAL_S`].
    Provisional,
    /// A relationship.
    Relationship,
}

/// The laptop's machine for one attempt.
#[derive(Clone, Debug)]
pub struct LaptopPairing<C> {
    crypto: C,
    binding: Binding,
    nonce: [u8; 32],
    transcript: Transcript,
    inbox: Inbox,
    unsent: Vec<u8>,
    state: State,
    /// When the window closes.
    closes: Millis,
    deadline: Option<Millis>,
}

#[derive(Clone, Debug)]
enum State {
    Committed,
    Typing { digits: Digits, peer: Peer },
    Confirming { peer: Peer },
    Storing { outcome: LaptopOutcome },
    Granted,
    Paired,
    Failed { why: PairingError, granted: bool },
}

/// What the handheld said of itself.
#[derive(Clone, Debug)]
struct Peer {
    name: Name,
    screen: crate::message::Screen,
}

impl<C: Crypto> LaptopPairing<C> {
    /// Starts an attempt on a channel whose handshake is complete, in a window that closes at `closes`.
    /// `nonce` is 32 fresh random bytes.
    pub fn new(
        crypto: C,
        binding: Binding,
        nonce: [u8; 32],
        name: Name,
        now: Millis,
        closes: Millis,
    ) -> Self {
        let mut machine = Self {
            transcript: binding.transcript(&crypto),
            nonce,
            inbox: Inbox::default(),
            unsent: Vec::new(),
            state: State::Committed,
            deadline: Some(now.after(STEP_MS).min(closes)),
            closes,
            crypto,
            binding,
        };
        let commitment = machine.binding.commitment(&machine.crypto, &nonce);
        machine.say(&PairingMessage::Commit {
            version: PAIRING_VERSION,
            commitment,
            name,
        });
        machine
    }

    /// The bytes that tell a device, instead of an attempt, why there will be none.
    #[must_use]
    pub fn refusal(reason: AbortReason) -> Vec<u8> {
        let mut out = Vec::new();
        frame(&PairingMessage::Abort { reason }.payload(), &mut out);
        out
    }

    /// Takes plaintext from the channel. Errors end the attempt and show in [`phase`](Self::phase).
    pub fn receive(&mut self, mut bytes: &[u8], now: Millis) {
        self.tick(now);
        while !self.is_over() {
            match self.inbox.next(&mut bytes) {
                Ok(Some(payload)) => {
                    if let Err(error) = self.handle(&payload, now) {
                        self.fail(error);
                    }
                }
                Ok(None) => return,
                Err(error) => self.fail(error),
            }
        }
    }

    fn handle(&mut self, payload: &[u8], now: Millis) -> Result<(), PairingError> {
        let message = PairingMessage::decode(payload)?;
        if let PairingMessage::Abort { reason } = message {
            return Err(PairingError::Aborted(reason));
        }
        let before = self.transcript;
        self.transcript.add(&self.crypto, Role::Handheld, payload);
        match (&self.state, message) {
            (
                State::Committed,
                PairingMessage::Nonce {
                    nonce,
                    name,
                    screen,
                },
            ) => {
                if nonce == self.nonce {
                    return Err(PairingError::Reflected);
                }
                let digits = self.binding.digits(&self.crypto, &nonce, &self.nonce);
                self.say(&PairingMessage::Reveal { nonce: self.nonce });
                self.deadline = Some(self.closes);
                let peer = Peer { name, screen };
                self.state = State::Typing { digits, peer };
                Ok(())
            }
            (State::Confirming { peer }, PairingMessage::Confirm { mac }) => {
                let expected =
                    self.binding
                        .confirmation(&self.crypto, Role::Handheld, &before, &[]);
                if !self.crypto.constant_time_eq(&expected, &mac) {
                    return Err(PairingError::BadConfirmation);
                }
                let outcome = LaptopOutcome {
                    peer: self.binding.handheld(),
                    token: self.binding.token(),
                    name: peer.name.clone(),
                    screen: peer.screen,
                };
                // Both people have agreed: the window's end no longer matters, only a device that hangs.
                self.deadline = Some(now.after(STEP_MS));
                self.state = State::Storing { outcome };
                Ok(())
            }
            (State::Granted, PairingMessage::Stored) => {
                self.deadline = None;
                self.state = State::Paired;
                Ok(())
            }
            _ => Err(PairingError::OutOfOrder),
        }
    }

    /// The person typed `text`.
    pub fn typed(&mut self, text: &str, now: Millis) -> Typing {
        self.tick(now);
        let State::Typing { digits, peer } = &self.state else {
            return Typing::NotNow;
        };
        let Some(typed) = Digits::parse(text) else {
            return Typing::NotSixDigits;
        };
        if typed != *digits {
            self.fail(PairingError::Mismatch);
            return Typing::Wrong;
        }
        self.state = State::Confirming { peer: peer.clone() };
        self.say(&PairingMessage::Typed);
        Typing::Right
    }

    /// The outcome of [`LaptopPhase::Store`] is stored, durably; `grant` goes to the handheld.
    pub fn stored(&mut self, grant: Grant, now: Millis) {
        if !matches!(self.state, State::Storing { .. }) {
            return;
        }
        let body = grant.bytes();
        let mac = self
            .binding
            .confirmation(&self.crypto, Role::Laptop, &self.transcript, &body);
        self.say(&PairingMessage::Grant {
            grant: Box::new(grant),
            mac,
        });
        self.deadline = Some(now.after(STEP_MS));
        self.state = State::Granted;
    }

    /// The person called it off, or a second device came ([`PairingError::Crowded`]), or storing failed
    /// ([`PairingError::NotStored`]).
    pub fn stop(&mut self, why: PairingError) {
        self.fail(why);
    }

    /// The channel has ended.
    pub fn cut(&mut self) {
        self.fail(PairingError::Cut);
    }

    /// Lets time act. To be called when [`deadline`](Self::deadline) has come.
    pub fn tick(&mut self, now: Millis) {
        if self.deadline.is_some_and(|deadline| now >= deadline) {
            self.fail(PairingError::TimedOut);
        }
    }

    /// When [`tick`](Self::tick) must be called at the latest.
    #[must_use]
    pub fn deadline(&self) -> Option<Millis> {
        self.deadline
    }

    /// Appends the plaintext that waits to be sent.
    pub fn transmit(&mut self, out: &mut Vec<u8>) {
        out.append(&mut self.unsent);
    }

    /// What is to be shown or done.
    #[must_use]
    pub fn phase(&self) -> LaptopPhase {
        match &self.state {
            State::Committed => LaptopPhase::Connecting,
            State::Typing { peer, .. } => LaptopPhase::Typing {
                name: peer.name.clone(),
            },
            State::Confirming { .. } => LaptopPhase::Confirming,
            State::Storing { outcome } => LaptopPhase::Store(outcome.clone()),
            State::Granted => LaptopPhase::Granted,
            State::Paired => LaptopPhase::Paired,
            State::Failed { why, .. } => LaptopPhase::Failed(*why),
        }
    }

    /// What the store is to hold now.
    #[must_use]
    pub fn kept(&self) -> Kept {
        match self.state {
            State::Committed | State::Typing { .. } | State::Confirming { .. } => Kept::Nothing,
            State::Storing { .. } | State::Granted => Kept::Provisional,
            State::Paired => Kept::Relationship,
            State::Failed { granted: true, .. } => Kept::Provisional,
            State::Failed { granted: false, .. } => Kept::Nothing,
        }
    }

    fn is_over(&self) -> bool {
        matches!(self.state, State::Paired | State::Failed { .. })
    }

    fn say(&mut self, message: &PairingMessage) {
        let payload = message.payload();
        self.transcript.add(&self.crypto, Role::Laptop, &payload);
        frame(&payload, &mut self.unsent);
    }

    fn fail(&mut self, error: PairingError) {
        if self.is_over() {
            return;
        }
        if let Some(reason) = error.reason() {
            self.say(&PairingMessage::Abort { reason });
        }
        // A handheld that stops after the grant says that it has not stored it, and never will.
        let granted =
            matches!(self.state, State::Granted) && !matches!(error, PairingError::Aborted(_));
        self.deadline = None;
        self.state = State::Failed {
            why: error,
            granted,
        };
    }
}
