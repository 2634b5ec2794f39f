//! Requests from the moment they are wished for until their result is kept.

use serde::{Deserialize, Serialize};

use super::chat::{ChatId, ChatKind};
use super::laptop::LaptopId;
use super::picture::PictureId;
use crate::time::Millis;

pub use shared_proto::message::RequestId;

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

/// A request among those of all laptops: each counts its own, so a number alone names several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RequestKey {
    /// The laptop.
    pub laptop: LaptopId,
    /// The number there.
    pub id: RequestId,
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
    /// What is uploaded beside the program.
    pub uploads: Vec<Upload>,
    /// Seconds since 1970 when it was written; zero if unknown.
    pub at: u64,
    /// Octets of the result that have arrived, by slot.
    pub received: Vec<(u8, u64)>,
    /// Slots that have arrived whole.
    pub whole: Vec<u8>,
    /// Results that are kept in memory until they are read (records), or the beginning of a character that is not complete
    /// yet (text), by slot.
    #[serde(skip)]
    pub buffer: Vec<(u8, Vec<u8>)>,
    /// Provider and model that took it up, as `provider/model`. Peer text.
    pub answerer: String,
    /// The person has stopped it; the laptop has to hear of it.
    pub stopping: bool,
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
    /// An answer to a turn of a conversation.
    Say {
        /// Which operation.
        kind: ChatKind,
        /// What the person wrote.
        text: String,
        /// Send the earlier turns along, because the laptop no longer has them.
        with_history: bool,
    },
    /// A picture from words.
    Paint,
    /// A picture changed by words.
    Repaint {
        /// The picture to start from.
        from: PictureId,
        /// Its octets on the card.
        len: u64,
        /// SHA-256 of them.
        sha256: [u8; 32],
    },
    /// A picture in a larger size.
    Enlarge {
        /// The picture to start from.
        from: PictureId,
        /// Its octets on the card.
        len: u64,
        /// SHA-256 of them.
        sha256: [u8; 32],
    },
    /// Another picture like this one.
    Vary {
        /// The picture to start from.
        from: PictureId,
        /// Its octets on the card.
        len: u64,
        /// SHA-256 of them.
        sha256: [u8; 32],
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

impl Entry {
    /// A request that has just been wished for.
    pub fn new(laptop: LaptopId, origin: Origin, wish: Wish, at: u64) -> Self {
        Self {
            laptop,
            id: RequestId(0),
            origin,
            wish,
            state: EntryState::Waiting,
            program: None,
            uploads: Vec::new(),
            at,
            received: Vec::new(),
            whole: Vec::new(),
            buffer: Vec::new(),
            answerer: String::new(),
            stopping: false,
            permille: 0,
            eta_s: None,
        }
    }

    /// Which one it is, once it has a number.
    pub const fn key(&self) -> RequestKey {
        RequestKey {
            laptop: self.laptop,
            id: self.id,
        }
    }

    /// Octets of this slot that have arrived.
    pub fn received(&self, slot: u8) -> u64 {
        self.received
            .iter()
            .find(|(s, _)| *s == slot)
            .map_or(0, |(_, len)| *len)
    }

    /// Notes how many octets of this slot have arrived.
    pub fn set_received(&mut self, slot: u8, len: u64) {
        match self.received.iter_mut().find(|(s, _)| *s == slot) {
            Some(known) => known.1 = len,
            None => self.received.push((slot, len)),
        }
    }

    /// What is kept in memory of this slot.
    pub fn buffer(&mut self, slot: u8) -> &mut Vec<u8> {
        let index = match self.buffer.iter().position(|(s, _)| *s == slot) {
            Some(index) => index,
            None => {
                self.buffer.push((slot, Vec::new()));
                self.buffer.len() - 1
            }
        };
        &mut self.buffer[index].1
    }

    /// A person sees it in the outbox; questions that the app asks by itself are not listed.
    pub const fn is_listed(&self) -> bool {
        !matches!(self.origin, Origin::Listing | Origin::Services)
    }
}

/// A constant of a program that is uploaded beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upload {
    /// Index of the constant.
    pub constant: u8,
    /// Source.
    pub source: Source,
}

/// A source of octets on the card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Source {
    /// A file by name.
    File(String),
    /// A picture.
    Picture(PictureId),
    /// These octets.
    Bytes(Vec<u8>),
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
    Keeping,
    /// It ended without a whole result.
    Failed(Failure),
    /// It waits for its turn at the laptop. Last, because the numbers of states are on cards.
    Queued {
        /// Requests that go first.
        ahead: u16,
        /// Load of the laptop in percent, where it waits for that to fall; else zero.
        busy: u8,
    },
}

impl EntryState {
    /// The laptop has or may have this request.
    pub const fn is_under_way(&self) -> bool {
        matches!(
            self,
            Self::Sent | Self::Accepted | Self::Asked { .. } | Self::Queued { .. } | Self::Running
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
