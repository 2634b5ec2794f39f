//! Where the owner of a connection waits: for bytes from its reader, for signals from anywhere, for the time.

use crate::hub::Signal;
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Pieces that a reader may be ahead of its owner; with 16 KiB each, what one connection can hold back.
const MAX_PIECES: usize = 4;

#[derive(Default)]
struct Inner {
    pieces: VecDeque<Vec<u8>>,
    ended: bool,
    closed: bool,
    work: bool,
    standing: bool,
    close: bool,
}

/// What was in the box.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Mail {
    /// Bytes that arrived, in order.
    pub(super) pieces: Vec<Vec<u8>>,
    /// The carrier ended.
    pub(super) ended: bool,
    /// Some request changed.
    pub(super) work: bool,
    /// Permissions or models changed.
    pub(super) standing: bool,
    /// The session has to end.
    pub(super) close: bool,
}

/// See the module.
#[derive(Default)]
pub(super) struct Mailbox {
    inner: Mutex<Inner>,
    changed: Condvar,
}

impl Mailbox {
    /// Hands over bytes; waits while the owner is behind. False once the owner has left.
    pub(super) fn deliver(&self, piece: Vec<u8>) -> bool {
        let mut inner = self.lock();
        while inner.pieces.len() >= MAX_PIECES && !inner.closed {
            inner = self
                .changed
                .wait(inner)
                .unwrap_or_else(PoisonError::into_inner);
        }
        inner.pieces.push_back(piece);
        let open = !inner.closed;
        drop(inner);
        self.changed.notify_all();
        open
    }

    /// The carrier ended.
    pub(super) fn end(&self) {
        self.lock().ended = true;
        self.changed.notify_all();
    }

    /// Tells the owner something. Never blocks for long; what is told twice is seen once.
    pub(super) fn signal(&self, signal: Signal) {
        {
            let mut inner = self.lock();
            match signal {
                Signal::Work => inner.work = true,
                Signal::Standing => inner.standing = true,
                Signal::Close => inner.close = true,
            }
        }
        self.changed.notify_all();
    }

    /// The owner leaves.
    pub(super) fn leave(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// Takes everything out, waiting for it up to `patience`.
    pub(super) fn take(&self, patience: Duration) -> Mail {
        let inner = self.lock();
        let nothing = |inner: &mut Inner| {
            inner.pieces.is_empty() && !(inner.ended || inner.work || inner.standing || inner.close)
        };
        let (mut inner, _) = self
            .changed
            .wait_timeout_while(inner, patience, nothing)
            .unwrap_or_else(PoisonError::into_inner);
        let mail = Mail {
            pieces: inner.pieces.drain(..).collect(),
            ended: inner.ended,
            work: std::mem::take(&mut inner.work),
            standing: std::mem::take(&mut inner.standing),
            close: std::mem::take(&mut inner.close),
        };
        drop(inner);
        self.changed.notify_all();
        mail
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn a_reader_waits_for_an_owner_that_is_behind() {
        let mailbox = Arc::new(Mailbox::default());
        let reader = std::thread::spawn({
            let mailbox = Arc::clone(&mailbox);
            move || (0..20u8).all(|number| mailbox.deliver(vec![number]))
        });
        let mut seen = Vec::new();
        while seen.len() < 20 {
            let mail = mailbox.take(Duration::from_secs(60));
            assert!(mail.pieces.len() <= MAX_PIECES);
            seen.extend(mail.pieces.into_iter().flatten());
        }
        assert!(reader.join().unwrap());
        assert_eq!(seen, (0..20).collect::<Vec<u8>>());
        mailbox.leave();
        assert!(!mailbox.deliver(vec![1]));
    }

    #[test]
    fn signals_are_seen_once_and_time_ends_the_wait() {
        let mailbox = Mailbox::default();
        mailbox.signal(Signal::Work);
        mailbox.signal(Signal::Work);
        assert_eq!(
            mailbox.take(Duration::ZERO),
            Mail {
                work: true,
                ..Mail::default()
            }
        );
        assert_eq!(mailbox.take(Duration::ZERO), Mail::default());
    }
}
