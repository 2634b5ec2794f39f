//! The bounded memory of conversations, so that a chat sends only what is new.

use shared_proto::context::{EMPTY, Role, Turn, advance};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};

/// Most conversations kept for one relationship; the one used longest ago goes first.
const MAX_CONVERSATIONS: usize = 64;

/// Most octets of text kept of one conversation; the oldest turns go first. About 60,000 tokens.
const MAX_CONVERSATION_LEN: usize = 256 * 1024;

/// The turns of one conversation, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Turns {
    head: [u8; 8],
    turns: VecDeque<(Role, String)>,
    weight: usize,
}

impl Turns {
    /// Nothing said yet.
    pub fn new() -> Self {
        Self {
            head: EMPTY,
            turns: VecDeque::new(),
            weight: 0,
        }
    }

    /// The head; see [`shared_proto::context`].
    pub fn head(&self) -> [u8; 8] {
        self.head
    }

    /// What was said, as far as it is kept.
    pub fn iter(&self) -> impl Iterator<Item = (Role, &str)> {
        self.turns.iter().map(|(role, text)| (*role, text.as_str()))
    }

    /// Adds a turn and forgets the oldest beyond the bound.
    pub fn push(&mut self, role: Role, text: String) {
        self.head = advance(self.head, Turn { role, text: &text }, sha256);
        self.weight += weight(&text);
        self.turns.push_back((role, text));
        while self.weight > MAX_CONVERSATION_LEN && self.turns.len() > 1 {
            let oldest = self.turns.pop_front();
            self.weight -= oldest.map_or(0, |(_, text)| weight(&text));
        }
    }
}

/// What a turn counts: its text and what it takes beside that, so that empty turns are not free.
fn weight(text: &str) -> usize {
    text.len() + size_of::<(Role, String)>()
}

fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = ring::digest::Context::new(&ring::digest::SHA256);
    parts.iter().for_each(|part| hash.update(part));
    let mut out = [0; 32];
    out.copy_from_slice(hash.finish().as_ref());
    out
}

#[derive(Debug, Default)]
struct Shelf {
    conversations: BTreeMap<u64, (u64, Turns)>,
    clock: u64,
}

/// Conversations of all relationships. Kept in memory only: whoever is told that one is missing sends it whole.
#[derive(Debug, Default)]
pub struct Contexts(Mutex<BTreeMap<i64, Shelf>>);

impl Contexts {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether the conversation is here with this head.
    pub fn holds(&self, relationship: i64, conversation: u64, head: [u8; 8]) -> bool {
        self.get(relationship, conversation)
            .is_some_and(|turns| turns.head == head)
    }

    /// A copy of the conversation.
    pub fn get(&self, relationship: i64, conversation: u64) -> Option<Turns> {
        let shelves = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        shelves
            .get(&relationship)?
            .conversations
            .get(&conversation)
            .map(|(_, turns)| turns.clone())
    }

    /// Keeps the conversation as it is now.
    pub fn put(&self, relationship: i64, conversation: u64, turns: Turns) {
        let mut shelves = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let shelf = shelves.entry(relationship).or_default();
        shelf.clock += 1;
        shelf
            .conversations
            .insert(conversation, (shelf.clock, turns));
        if shelf.conversations.len() > MAX_CONVERSATIONS {
            let oldest = shelf
                .conversations
                .iter()
                .min_by_key(|(_, (used, _))| *used)
                .map(|(id, _)| *id);
            oldest.and_then(|id| shelf.conversations.remove(&id));
        }
    }

    /// Forgets everything of a relationship.
    pub fn forget(&self, relationship: i64) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&relationship);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turns(texts: &[&str]) -> Turns {
        let mut turns = Turns::new();
        for (index, text) in texts.iter().enumerate() {
            let role = if index % 2 == 0 {
                Role::User
            } else {
                Role::Assistant
            };
            turns.push(role, (*text).to_owned());
        }
        turns
    }

    #[test]
    fn a_head_depends_on_every_turn_and_role() {
        assert_ne!(turns(&["a"]).head(), turns(&["b"]).head());
        assert_ne!(turns(&["a", "b"]).head(), turns(&["ab"]).head());
        let mut other = Turns::new();
        other.push(Role::Assistant, "a".to_owned());
        assert_ne!(turns(&["a"]).head(), other.head());
        assert_eq!(
            turns(&["a"]).head(),
            [0xc9, 0x3c, 0xf6, 0xd6, 0xf4, 0x02, 0x15, 0x89]
        );
    }

    #[test]
    fn a_conversation_is_held_for_its_own_relationship_and_head_only() {
        let contexts = Contexts::new();
        let said = turns(&["hello", "hi"]);
        let head = said.head();
        contexts.put(1, 7, said);
        assert!(contexts.holds(1, 7, head));
        assert!(!contexts.holds(2, 7, head));
        assert!(!contexts.holds(1, 8, head));
        assert!(!contexts.holds(1, 7, [1; 8]));
        contexts.forget(1);
        assert!(!contexts.holds(1, 7, head));
    }

    #[test]
    fn memory_is_bounded_in_conversations_and_in_text() {
        let contexts = Contexts::new();
        for conversation in 0..(MAX_CONVERSATIONS as u64 + 3) {
            contexts.put(1, conversation, turns(&["x"]));
        }
        assert!(contexts.get(1, 0).is_none() && contexts.get(1, 2).is_none());
        assert!(contexts.get(1, 3).is_some());
        let long = "x".repeat(MAX_CONVERSATION_LEN / 2 - 100);
        let said = turns(&[&long, &long, &long]);
        assert_eq!(said.iter().count(), 2);
        let mut empty = Turns::new();
        (0..100_000).for_each(|_| empty.push(Role::User, String::new()));
        assert!(empty.iter().count() <= MAX_CONVERSATION_LEN / 16);
    }
}
