//! Conversations and their turns.

use serde::{Deserialize, Serialize};

use super::outbox::{Failure, RequestKey};

/// Number of a conversation on this card.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct ChatId(pub u32);

/// All conversations, last used first.
#[derive(Clone, Debug, Default)]
pub struct Chats {
    /// The conversations.
    pub list: Vec<Chat>,
    /// The number for the next one.
    pub next: u32,
}

impl Chats {
    /// The conversation with this number.
    pub fn find(&self, id: ChatId) -> Option<&Chat> {
        self.list.iter().find(|c| c.id == id)
    }

    /// The conversation with this number, to change.
    pub fn find_mut(&mut self, id: ChatId) -> Option<&mut Chat> {
        self.list.iter_mut().find(|c| c.id == id)
    }
}

/// What a conversation is for: which operation answers it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChatKind {
    /// A conversation.
    #[default]
    Chat,
    /// The model continues a text.
    Complete,
    /// The model writes code for a description.
    Code,
    /// The model shortens a text.
    Summarize,
}

/// One conversation. Stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Chat {
    /// Its number on this card.
    pub id: ChatId,
    /// Its number on the wire, drawn at random.
    pub wire_id: u64,
    /// What it is for.
    pub kind: ChatKind,
    /// Title: the person's, or the first words.
    pub title: String,
    /// The person gave the title.
    pub named: bool,
    /// Model id; empty means the laptop's default.
    pub model: String,
    /// System prompt; empty means none.
    pub system: String,
    /// What was said, oldest first.
    pub turns: Vec<Turn>,
    /// The first turn that belongs to what the laptop holds; earlier ones no longer fit.
    pub context_from: u32,
    /// Seconds since 1970 of the last change; zero if unknown.
    pub changed: u64,
    /// An answer came in that was not looked at.
    pub unread: bool,
}

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Role {
    /// The person.
    Person,
    /// The model.
    Answer,
}

/// One turn. Stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Turn {
    /// Who speaks.
    pub role: Role,
    /// What was said, as far as it has arrived: Markdown for an answer, plain for a person.
    pub text: String,
    /// The model that answered, as the laptop named it; empty for a person.
    pub model: String,
    /// Seconds since 1970; zero if unknown.
    pub at: u64,
    /// The request that this turn asks or answers. `None` while it has no number yet.
    pub request: Option<RequestKey>,
    /// Whether more is to come.
    pub state: TurnState,
}

/// Whether more of a turn is to come. What an open turn waits for stands in its outbox entry (`view::answer` joins the two).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum TurnState {
    /// The request is on its way or running.
    Open,
    /// Whole.
    Done,
    /// Stopped by the person; what had arrived is kept.
    Stopped,
    /// Ended by an error; what had arrived is kept.
    Broken(Failure),
}
