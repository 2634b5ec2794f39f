//! The lock: opening the card by a sequence, and setting one.

use super::{Keeper, State};
use crate::app::msg::CardEvent;
use crate::card::CardError;
use crate::input::button::Button;
use crate::lock;

impl Keeper {
    pub(super) fn unlock(&mut self, sequence: &[u8]) {
        let State::Locked(locked) = &mut self.state else {
            return;
        };
        match locked.try_sequence(sequence, (self.clock)()) {
            Ok(key) => {
                let State::Locked(locked) =
                    std::mem::replace(&mut self.state, State::Useless(String::new()))
                else {
                    return;
                };
                match locked.open(key) {
                    Ok((card, skipped)) => self.ready(Box::new(card), skipped),
                    Err(error) => {
                        // As without a lock: it says why, instead of checking for ever.
                        self.useless(&error);
                    }
                }
            }
            Err(CardError::WrongSequence { wait_ms } | CardError::TooSoon { wait_ms }) => {
                self.say(CardEvent::WrongSequence { wait_ms });
            }
            Err(error) => self.trouble(&error),
        }
    }

    pub(super) fn set_lock(&mut self, sequence: Option<Vec<Button>>) -> Result<(), CardError> {
        let clock = self.clock;
        let card = self.card()?;
        match sequence {
            None => card.set_lock(None, lock::MIN_ITERATIONS)?,
            Some(sequence) => {
                let sequence = octets(&sequence);
                let started = clock();
                lock::stretch(&sequence, &[0; 16], 100_000);
                let iterations = lock::iterations_for(clock().saturating_sub(started));
                card.set_lock(Some(&sequence), iterations)?;
            }
        }
        let locked = card.is_locked();
        self.say(CardEvent::LockChanged(locked));
        Ok(())
    }
}

pub(super) fn octets(sequence: &[Button]) -> Vec<u8> {
    sequence.iter().map(|b| b.index() as u8).collect()
}
