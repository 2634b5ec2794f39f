//! Whether the daemon lives, for systemd's watchdog: the lobby turns and the store answers, not merely some thread runs.

use crate::hub::Hub;
use crate::systemd;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Knocks at a loop and counts its answers.
pub(super) struct Pulse {
    knocker: UnixStream,
    ear: UnixStream,
    answers: Mutex<u64>,
    answered: Condvar,
}

impl Pulse {
    /// One that nobody has knocked at yet.
    ///
    /// # Errors
    /// The system has no descriptors left.
    pub(super) fn new() -> io::Result<Self> {
        let (knocker, ear) = UnixStream::pair()?;
        knocker.set_nonblocking(true)?;
        ear.set_nonblocking(true)?;
        Ok(Self {
            knocker,
            ear,
            answers: Mutex::new(0),
            answered: Condvar::new(),
        })
    }

    /// Answers for a loop that has just turned.
    pub(super) fn answer(&self) {
        // What is not read now wakes the loop once more, and does no harm.
        let _ = (&self.ear).read(&mut [0; 64]);
        *self.lock() += 1;
        self.answered.notify_all();
    }

    /// Knocks and waits up to `patience`; whether the loop has turned.
    pub(super) fn knock(&self, patience: Duration) -> bool {
        let before = *self.lock();
        // A full socket is one that was knocked at and did not answer.
        let _ = (&self.knocker).write(&[1]);
        let (answers, _) = self
            .answered
            .wait_timeout_while(self.lock(), patience, |answers| *answers == before)
            .unwrap_or_else(PoisonError::into_inner);
        *answers != before
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, u64> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// To be waited for beside whatever else the loop waits for; [`answer`](Pulse::answer) when it is readable.
impl AsFd for Pulse {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.ear.as_fd()
    }
}

/// Tells systemd every `interval` that the daemon lives, as long as it does.
pub(super) fn keep(interval: Duration, pulse: &Pulse, hub: &Hub) {
    loop {
        let turned = pulse.knock(interval);
        match (turned, hub.store.clock_high_water()) {
            (true, Ok(_)) => systemd::beat(),
            (false, _) => log::error!("the thread that takes connections in does not answer"),
            (true, Err(error)) => log::error!("the store does not answer: {error}"),
        }
        std::thread::sleep(interval);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn a_loop_that_turns_is_heard_and_one_that_stands_still_is_not() {
        let pulse = Arc::new(Pulse::new().expect("a pulse"));
        assert!(!pulse.knock(Duration::from_millis(20)));
        let answering = Arc::clone(&pulse);
        let turning = std::thread::spawn(move || answering.answer());
        // Either the answer comes while it is waited for, or it came before the knock and the next one is needed.
        let heard = pulse.knock(Duration::from_secs(10));
        turning.join().expect("answered");
        assert!(heard || *pulse.lock() == 1);
    }

    #[test]
    fn knocks_without_an_answer_hold_nobody_up() {
        let pulse = Pulse::new().expect("a pulse");
        for _ in 0..1000 {
            assert!(!pulse.knock(Duration::ZERO));
        }
    }
}
