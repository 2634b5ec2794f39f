//! Requests from the moment they are wished for until their result is kept.

use serde::{Deserialize, Serialize};

use super::chat::{ChatId, ChatKind};
use super::laptop::LaptopId;
use super::picture::PictureId;
use crate::time::Millis;

/// Number of a request within one relationship; `card` assigns it.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct RequestId(pub u64);

/// Requests that are not over: in the order in which they go out.
#[derive(Clone, Debug, Default)]
pub struct Outbox {
    /// Those with a number.
    pub entries: Vec<Entry>,
    /// Those that `card` is just writing down, by ticket.
    pub unnumbered: Vec<(u32, Entry)>,
}

impl Outbox {
    /// The entry of this request at this laptop.
    pub fn find(&self, laptop: LaptopId, id: RequestId) -> Option<&Entry> {
        self.entries
            .iter()
            .find(|e| e.laptop == laptop && e.id == id)
    }

    /// The entry of this request at this laptop, to change.
    pub fn find_mut(&mut self, laptop: LaptopId, id: RequestId) -> Option<&mut Entry> {
        self.entries
            .iter_mut()
            .find(|e| e.laptop == laptop && e.id == id)
    }
}

/// One request. Stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// The laptop it is for.
    pub laptop: LaptopId,
    /// Its number there; zero until `card` has assigned one.
    pub id: RequestId,
    /// Where the answer belongs.
    pub origin: Origin,
    /// What is wished.
    pub wish: Wish,
    /// How far it is.
    pub state: EntryState,
    /// The program as it was first submitted; the same number never carries another one.
    pub program: Option<Vec<u8>>,
    /// Seconds since 1970 when it was written; zero if unknown.
    pub at: u64,
    /// Octets of the result that are safely on the card, by slot.
    pub received: Vec<(u8, u64)>,
    /// 0 to 1000, as last told.
    pub permille: u16,
    /// Seconds left, as last told.
    pub eta_s: Option<u32>,
}

/// Where an answer belongs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Origin {
    /// The last open turn of a conversation.
    Chat(ChatId),
    /// A picture.
    Picture(PictureId),
    /// A file by name, coming to the card.
    Fetch(String),
    /// A file by name, going to the laptop.
    Send(String),
    /// A file by name on the laptop, to be deleted there.
    Remove(String),
    /// A URL that the laptop downloads into the drop folder.
    Download(String),
    /// The list of the drop folder.
    Listing,
    /// Status, health and models.
    Services,
}

/// What is wished: enough to build the program at sending time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Wish {
    /// An answer to the last turn of a conversation.
    Say {
        /// Which operation.
        kind: ChatKind,
        /// Send the earlier turns along, because the laptop no longer has them.
        with_history: bool,
    },
    /// A picture from words.
    Paint,
    /// A picture changed by words.
    Repaint {
        /// The picture to start from.
        from: PictureId,
    },
    /// A picture in a larger size.
    Enlarge {
        /// The picture to start from.
        from: PictureId,
    },
    /// Another picture like this one.
    Vary {
        /// The picture to start from.
        from: PictureId,
    },
    /// List the drop folder.
    List,
    /// Fetch a file from the drop folder.
    Get {
        /// Its name there.
        name: String,
    },
    /// Put a file into the drop folder.
    Put {
        /// Its name on the card.
        name: String,
        /// Its size in octets.
        len: u64,
        /// SHA-256 of its content.
        sha256: [u8; 32],
    },
    /// Delete a file from the drop folder.
    Delete {
        /// Its name there.
        name: String,
    },
    /// Let the laptop download something into the drop folder.
    Download {
        /// From where.
        url: String,
        /// Under which name.
        name: String,
    },
    /// Ask for status, health and models.
    Survey,
}

/// How far a request is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum EntryState {
    /// Written down, held back by the person.
    Draft,
    /// Waits for the link or for its turn.
    Waiting,
    /// Handed to the link, not yet acknowledged.
    Sent,
    /// The laptop has it.
    Accepted,
    /// The laptop asks its owner.
    Asked {
        /// When the question expires. Meaningless after a restart.
        until: Millis,
    },
    /// It runs.
    Running,
    /// All has arrived and is being written down.
    Done,
    /// It ended without a whole result.
    Failed(Failure),
}

impl EntryState {
    /// The laptop has or may have this request.
    pub const fn is_under_way(&self) -> bool {
        matches!(
            self,
            Self::Sent | Self::Accepted | Self::Asked { .. } | Self::Running
        )
    }
}

/// Why a request ended without a whole result. Stored; `words::failure` says it in sentences.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The wire's error number (`shared_proto::error::ErrorCode`), or one of [`Failure`]'s own from 0xFF00 on.
    pub code: u16,
    /// The operation in the program that failed.
    pub op: u8,
    /// What the laptop said about it: provider, path, limit. Peer text: escaped and bounded where it is shown.
    pub detail: String,
}

impl Failure {
    /// The card is full.
    pub const CARD_FULL: u16 = 0xFF00;
    /// The card refused to read or write.
    pub const CARD_BROKEN: u16 = 0xFF01;
    /// What arrived is not what was announced.
    pub const DAMAGED: u16 = 0xFF02;
    /// The request does not fit into a program.
    pub const TOO_LONG: u16 = 0xFF03;
    /// The laptop it was for has been forgotten.
    pub const FORGOTTEN: u16 = 0xFF04;

    /// One of this handheld's own failures.
    pub fn own(code: u16, detail: impl Into<String>) -> Self {
        Self {
            code,
            op: 0,
            detail: detail.into(),
        }
    }
}
