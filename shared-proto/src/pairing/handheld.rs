//! The handheld's side of pairing: it shows the digits, the person says yes, it stores last.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::binding::{Role, Transcript};
use super::message::{Inbox, PairingMessage, frame};
use super::{
    Binding, Digits, HandheldOutcome, Name, PAIRING_VERSION, PairingError, STEP_MS, WINDOW_MS,
};
use crate::crypto::Crypto;
use crate::message::Screen;
use crate::time::Millis;

/// What is to be shown or done now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HandheldPhase {
    /// The devices are talking.
    Connecting,
    /// Show these digits; the person types them on the laptop.
    Showing {
        /// The digits.
        digits: Digits,
        /// The laptop's name. Peer text.
        name: Name,
        /// The laptop says that the right digits were typed: now ask "Did your laptop accept it?", A yes, B no,
        /// neither preselected. Before, only B counts.
        typed: bool,
    },
    /// The person said yes; the laptop is storing it.
    Confirmed,
    /// Store this, durably, then call [`HandheldPairing::stored`].
    Store(Box<HandheldOutcome>),
    /// Both have it. Send what waits and close.
    Paired,
    /// It ended. Send what waits, close, forget the key that was made for it.
    Failed(PairingError),
}

/// The handheld's machine for one attempt.
#[derive(Clone, Debug)]
pub struct HandheldPairing<C> {
    crypto: C,
    binding: Binding,
    nonce: [u8; 32],
    name: Name,
    screen: Screen,
    transcript: Transcript,
    inbox: Inbox,
    unsent: Vec<u8>,
    state: State,
    /// When our own window closes.
    closes: Millis,
    deadline: Option<Millis>,
}

#[derive(Clone, Debug)]
enum State {
    Waiting,
    Answered {
        commitment: [u8; 32],
        laptop: Name,
    },
    Showing {
        digits: Digits,
        laptop: Name,
        typed: bool,
    },
    Confirmed {
        laptop: Name,
    },
    Storing {
        outcome: Box<HandheldOutcome>,
    },
    Paired,
    Failed(PairingError),
}

impl<C: Crypto> HandheldPairing<C> {
    /// Starts an attempt on a channel whose handshake is complete. `nonce` is 32 fresh random bytes.
    pub fn new(
        crypto: C,
        binding: Binding,
        nonce: [u8; 32],
        name: Name,
        screen: Screen,
        now: Millis,
    ) -> Self {
        Self {
            transcript: binding.transcript(&crypto),
            nonce,
            name,
            screen,
            inbox: Inbox::default(),
            unsent: Vec::new(),
            state: State::Waiting,
            closes: now.after(WINDOW_MS),
            deadline: Some(now.after(STEP_MS)),
            crypto,
            binding,
        }
    }

    /// Takes plaintext from the channel. Errors end the attempt and show in [`phase`](Self::phase).
    pub fn receive(&mut self, mut bytes: &[u8], now: Millis) {
        self.tick(now);
        // Once the grant is here the laptop has the relationship: nothing it could still say takes it back.
        while !self.is_over() && !matches!(self.state, State::Storing { .. }) {
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
        self.transcript.add(&self.crypto, Role::Laptop, payload);
        match (&mut self.state, message) {
            (
                State::Waiting,
                PairingMessage::Commit {
                    version,
                    commitment,
                    name,
                },
            ) => {
                if version != PAIRING_VERSION {
                    return Err(PairingError::Version(version));
                }
                self.state = State::Answered {
                    commitment,
                    laptop: name,
                };
                self.deadline = Some(now.after(STEP_MS));
                let answer = PairingMessage::Nonce {
                    nonce: self.nonce,
                    name: self.name.clone(),
                    screen: self.screen,
                };
                self.say(&answer);
                Ok(())
            }
            (State::Answered { commitment, laptop }, PairingMessage::Reveal { nonce }) => {
                if nonce == self.nonce {
                    return Err(PairingError::Reflected);
                }
                let expected = self.binding.commitment(&self.crypto, &nonce);
                if !self.crypto.constant_time_eq(&expected, commitment) {
                    return Err(PairingError::BrokenCommitment);
                }
                self.state = State::Showing {
                    digits: self.binding.digits(&self.crypto, &self.nonce, &nonce),
                    laptop: laptop.clone(),
                    typed: false,
                };
                self.deadline = Some(self.closes);
                Ok(())
            }
            (State::Showing { typed, .. }, PairingMessage::Typed) if !*typed => {
                *typed = true;
                Ok(())
            }
            (State::Confirmed { laptop }, PairingMessage::Grant { grant, mac }) => {
                let expected =
                    self.binding
                        .confirmation(&self.crypto, Role::Laptop, &before, &grant.bytes());
                if !self.crypto.constant_time_eq(&expected, &mac) {
                    return Err(PairingError::BadConfirmation);
                }
                let outcome = Box::new(HandheldOutcome {
                    peer: self.binding.laptop(),
                    token: self.binding.token(),
                    name: laptop.clone(),
                    grant: *grant,
                });
                // The laptop has it: from here on only our own storage can fail.
                self.deadline = None;
                self.state = State::Storing { outcome };
                Ok(())
            }
            _ => Err(PairingError::OutOfOrder),
        }
    }

    /// The person pressed A. Without effect, and false, before the laptop has said that the digits were typed.
    pub fn confirm(&mut self, now: Millis) -> bool {
        self.tick(now);
        let State::Showing {
            typed: true,
            laptop,
            ..
        } = &self.state
        else {
            return false;
        };
        self.state = State::Confirmed {
            laptop: laptop.clone(),
        };
        let mac = self
            .binding
            .confirmation(&self.crypto, Role::Handheld, &self.transcript, &[]);
        self.say(&PairingMessage::Confirm { mac });
        self.deadline = Some(now.after(STEP_MS));
        true
    }

    /// The outcome of [`HandheldPhase::Store`] is stored, durably.
    pub fn stored(&mut self) {
        if matches!(self.state, State::Storing { .. }) {
            self.say(&PairingMessage::Stored);
            self.state = State::Paired;
        }
    }

    /// The person pressed B or left, or storing failed ([`PairingError::NotStored`]).
    pub fn stop(&mut self, why: PairingError) {
        self.fail(why);
    }

    /// The channel has ended. A relationship that is being stored stays: the laptop has it already.
    pub fn cut(&mut self) {
        if !matches!(self.state, State::Storing { .. }) {
            self.fail(PairingError::Cut);
        }
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

    /// When the person's time is up, for a bar that runs out.
    #[must_use]
    pub fn closes(&self) -> Millis {
        self.closes
    }

    /// Appends the plaintext that waits to be sent.
    pub fn transmit(&mut self, out: &mut Vec<u8>) {
        out.append(&mut self.unsent);
    }

    /// What is to be shown or done.
    #[must_use]
    pub fn phase(&self) -> HandheldPhase {
        match &self.state {
            State::Waiting | State::Answered { .. } => HandheldPhase::Connecting,
            State::Showing {
                digits,
                laptop,
                typed,
            } => HandheldPhase::Showing {
                digits: *digits,
                name: laptop.clone(),
                typed: *typed,
            },
            State::Confirmed { .. } => HandheldPhase::Confirmed,
            State::Storing { outcome } => HandheldPhase::Store(outcome.clone()),
            State::Paired => HandheldPhase::Paired,
            State::Failed(error) => HandheldPhase::Failed(*error),
        }
    }

    fn is_over(&self) -> bool {
        matches!(self.state, State::Paired | State::Failed(_))
    }

    fn say(&mut self, message: &PairingMessage) {
        let payload = message.payload();
        self.transcript.add(&self.crypto, Role::Handheld, &payload);
        frame(&payload, &mut self.unsent);
    }

    fn fail(&mut self, error: PairingError) {
        if self.is_over() {
            return;
        }
        if let Some(reason) = error.reason() {
            self.say(&PairingMessage::Abort { reason });
        }
        self.deadline = None;
        self.state = State::Failed(error);
    }
}
