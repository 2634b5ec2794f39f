//! The changes of one field, so that they can be taken back: bounded in number and in octets.

use std::collections::VecDeque;

/// Changes kept at most.
const MAX_CHANGES: usize = 2_000;
/// Octets of changed text kept at most.
const MAX_OCTETS: usize = 256 * 1024;

/// One replacement.
#[derive(Debug, Clone)]
pub(super) struct Change {
    number: u64,
    group: u64,
    /// Octet where it happened.
    pub(super) at: usize,
    /// What stood there.
    pub(super) removed: String,
    /// What stands there since.
    pub(super) inserted: String,
    /// The cursor before it.
    pub(super) cursor: usize,
}

impl Change {
    fn octets(&self) -> usize {
        self.removed.len() + self.inserted.len()
    }
}

/// Undo and redo. Changes of one group go together.
#[derive(Debug, Clone, Default)]
pub(super) struct History {
    done: VecDeque<Change>,
    undone: Vec<Change>,
    next: u64,
    group: u64,
    octets: usize,
    interrupted: bool,
}

impl History {
    pub(super) fn new_group(&mut self) {
        self.group += 1;
    }

    /// The cursor was moved: what is typed next is a step of its own.
    pub(super) fn interrupt(&mut self) {
        self.interrupted = true;
    }

    pub(super) fn continues_typing(&self, cursor: usize) -> bool {
        !self.interrupted
            && self.done.back().is_some_and(|last| {
                !last.inserted.is_empty()
                    && last.removed.is_empty()
                    && last.at + last.inserted.len() == cursor
            })
    }

    pub(super) fn continues_deleting(&self, cursor: usize) -> bool {
        !self.interrupted
            && self
                .done
                .back()
                .is_some_and(|last| last.inserted.is_empty() && last.at == cursor)
    }

    pub(super) const fn next_number(&self) -> u64 {
        self.next
    }

    pub(super) fn push(&mut self, at: usize, removed: String, inserted: String, cursor: usize) {
        self.interrupted = false;
        self.undone.clear();
        let change = Change {
            number: self.next,
            group: self.group,
            at,
            removed,
            inserted,
            cursor,
        };
        self.next += 1;
        self.octets += change.octets();
        self.done.push_back(change);
        while self.done.len() > MAX_CHANGES || self.octets > MAX_OCTETS {
            let Some(oldest) = self.done.front().map(|change| change.group) else {
                break;
            };
            // Half a step would undo to a text that never was: drop the group whole.
            while self
                .done
                .front()
                .is_some_and(|change| change.group == oldest)
            {
                self.octets -= self.done.pop_front().map_or(0, |change| change.octets());
            }
        }
    }

    pub(super) fn can_undo(&self) -> bool {
        !self.done.is_empty()
    }

    pub(super) fn can_redo(&self) -> bool {
        !self.undone.is_empty()
    }

    /// The next change to reverse; with `same_group`, only if it belongs to the one undone last.
    pub(super) fn undo(&mut self, same_group: bool) -> Option<Change> {
        let last = self.done.back()?;
        if same_group
            && self
                .undone
                .last()
                .is_none_or(|undone| undone.group != last.group)
        {
            return None;
        }
        let change = self.done.pop_back()?;
        self.octets -= change.octets();
        Some(change)
    }

    pub(super) fn undone(&mut self, change: Change) {
        self.interrupted = true;
        self.undone.push(change);
    }

    /// The next change to make again; with `same_group`, only if it belongs to the one made last.
    pub(super) fn redo(&mut self, same_group: bool) -> Option<Change> {
        let next = self.undone.last()?;
        if same_group && self.done.back().is_none_or(|done| done.group != next.group) {
            return None;
        }
        self.undone.pop()
    }

    pub(super) fn redone(&mut self, change: Change) {
        self.interrupted = true;
        self.octets += change.octets();
        self.done.push_back(change);
    }

    pub(super) fn pop_since(&mut self, number: u64) -> Option<Change> {
        if self.done.back()?.number < number {
            return None;
        }
        let change = self.done.pop_back()?;
        self.octets -= change.octets();
        Some(change)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_step_goes_whole_when_there_are_too_many() {
        let mut history = History::default();
        for index in 0..=MAX_CHANGES {
            if index % 10 == 0 {
                history.new_group();
            }
            history.push(index, String::new(), "x".into(), index);
        }
        assert_eq!(history.done.len(), MAX_CHANGES + 1 - 10);
        assert_eq!(history.octets, history.done.len());
    }

    #[test]
    fn octets_are_bounded_whatever_is_pasted() {
        let mut history = History::default();
        for _ in 0..100 {
            history.new_group();
            history.push(0, String::new(), "x".repeat(16 * 1024), 0);
            assert!(history.octets <= MAX_OCTETS);
        }
        assert_eq!(history.done.len(), 16);
    }

    #[test]
    fn a_moved_cursor_ends_a_run_of_typing() {
        let mut history = History::default();
        history.push(0, String::new(), "a".into(), 0);
        assert!(history.continues_typing(1) && !history.continues_typing(0));
        history.interrupt();
        assert!(!history.continues_typing(1));
    }
}
