//! Memory of large answers that are sent whole: vectors and pictures. One of them is bounded by what may be asked for; this bounds their sum.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Octets of unfinished answers at most: the largest one (512 vectors of 8,192 numbers in digits, as its text grows by doubling) and some
/// beside it. What is copied while a text grows or is sent comes on top; web-service's unit has 256 MB.
pub(super) const MAX_HELD: usize = 160 << 20;

/// What all answers hold together.
pub(super) struct Held {
    total: AtomicUsize,
    most: usize,
}

impl Held {
    /// Nothing is held; `most` may be.
    pub(super) fn new(most: usize) -> Self {
        Self {
            total: AtomicUsize::new(0),
            most,
        }
    }

    /// An answer that holds nothing yet.
    pub(super) fn share(&self) -> Share<'_> {
        Share { all: self, held: 0 }
    }
}

/// What one answer holds; nothing any more once it is dropped.
pub(super) struct Share<'a> {
    all: &'a Held,
    held: usize,
}

impl Share<'_> {
    /// The answer holds `octets` now. False where that is too much, together with the others: then it is to be dropped, and counts as
    /// it did.
    pub(super) fn set(&mut self, octets: usize) -> bool {
        let more = octets.saturating_sub(self.held);
        let less = self.held.saturating_sub(octets);
        let before = self.all.total.fetch_add(more, Ordering::SeqCst);
        if more > 0 && before.saturating_add(more) > self.all.most {
            self.all.total.fetch_sub(more, Ordering::SeqCst);
            return false;
        }
        self.all.total.fetch_sub(less, Ordering::SeqCst);
        self.held = octets;
        true
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        self.all.total.fetch_sub(self.held, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_share_the_room_and_give_it_back() {
        let held = Held::new(100);
        let (mut one, mut other) = (held.share(), held.share());
        assert!(one.set(60) && other.set(40));
        assert!(!other.set(41), "all of it is taken");
        assert!(one.set(60), "what was refused does not count");
        assert!(other.set(10), "less is always possible");
        assert!(one.set(90));
        drop(other);
        assert!(one.set(100) && !one.set(101));
        drop(one);
        assert!(held.share().set(100));
    }
}
