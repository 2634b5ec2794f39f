//! Requested side effects, as data.
//!
//! They are carried out in order. What a card effect writes is durable before a later `Submit`, `Ack` or `Keep` leaves the device:
//! that is what makes a request run at most once and a result last past its acknowledgement.

use super::model::Settings;
use super::model::chat::{Chat, ChatId};
use super::model::files::RemoteFile;
use super::model::laptop::{Call, Laptop, LaptopId};
use super::model::outbox::{Entry, RequestId, Source, Upload};
use super::model::picture::{Picture, PictureId, Recipe};
use super::model::screen::Purpose;
use crate::input::Taught;
use crate::input::button::Button;
use crate::time::Millis;
use shared_proto::message::LedgerHead;

/// Effects of one message, in order.
pub type Effects = Vec<Effect>;

/// Something that the world shall do.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    // Link.
    /// Keep a link to this laptop: its carriers in order, again and again. `None`: to none.
    Link(Option<LaptopId>),
    /// Try the link now.
    Reconnect,
    /// Submit a program under a number that is on the card already.
    Submit {
        /// Number.
        id: RequestId,
        /// Program.
        program: Vec<u8>,
        /// Constants that are uploaded: slot and source.
        uploads: Vec<Upload>,
    },
    /// Take a result up again where it stopped.
    Resume {
        /// Number.
        id: RequestId,
        /// Octets that we have, by slot.
        offsets: Vec<(u8, u64)>,
        /// Constants that may not have been uploaded whole.
        uploads: Vec<Upload>,
    },
    /// Stop a request.
    Cancel(RequestId),
    /// The result is safe here; the laptop may drop it.
    Ack(RequestId),
    /// Ask the laptop to renew the relationship.
    Renew,
    /// Call a laptop to pair with it.
    Pair(Call),
    /// Look for laptops by radio, or stop looking.
    Look(bool),
    /// Measure the signal now and then, while somebody looks at it; or stop.
    WatchSignal(bool),
    /// Let link and radio sleep until `Reconnect`.
    Rest,
    /// The person said yes to the laptop that is being paired.
    PairConfirm,
    /// Call pairing off.
    PairCancel,
    /// Say farewell, drop the keys of this laptop.
    Forget(LaptopId),

    // Card.
    /// Assign a number to a request and write it down; answered by `CardEvent::Numbered`.
    NewRequest {
        /// Ticket for the answer.
        ticket: u32,
        /// The request.
        entry: Box<Entry>,
    },
    /// Numbers below this one are never assigned for this laptop.
    RaiseFloor(LaptopId, RequestId),
    /// What was seen of this laptop's ledger.
    SeeLedger(LaptopId, LedgerHead),
    /// Write an entry down.
    SaveEntry(Box<Entry>),
    /// Drop an entry and the parts of its result.
    DropEntry(LaptopId, RequestId),
    /// Write a part of a binary result down.
    SavePart {
        /// Laptop.
        laptop: LaptopId,
        /// Request.
        id: RequestId,
        /// Slot.
        slot: u8,
        /// Octets before it.
        offset: u64,
        /// The part.
        bytes: Vec<u8>,
    },
    /// Make a picture or file of the parts of a slot; answered by `Kept` or `NotKept`.
    Keep {
        /// Laptop.
        laptop: LaptopId,
        /// Request.
        id: RequestId,
        /// Slot.
        slot: u8,
        /// What becomes of it.
        target: Target,
    },
    /// Write settings down.
    SaveSettings(Box<Settings>),
    /// Write what is known of a laptop down.
    SaveLaptop(Box<Laptop>),
    /// Write a conversation down.
    SaveChat(Box<Chat>),
    /// Try what the air gap must refuse; answered by `Msg::Proof`.
    ProveAirGap,
    /// Delete a conversation.
    DropChat(ChatId),
    /// Write the record of a picture down.
    SavePicture(Box<Picture>),
    /// Delete a picture.
    DropPicture(PictureId),
    /// Write recipe and earlier prompts down.
    SaveRecipe(Box<Recipe>, Vec<String>),
    /// Write the list of the drop folder down.
    SaveRemote(u64, Vec<RemoteFile>),
    /// Write an unfinished text down; an empty one is dropped.
    SaveDraft(Purpose, String),
    /// Write the words down that the keyboard has learned.
    SaveWords(String),
    /// Read and decode a picture; answered by `Raster`.
    LoadPicture {
        /// Picture.
        picture: PictureId,
        /// At most this wide and high; `None` for all pixels.
        fit: Option<(u32, u32)>,
    },
    /// Read the list of files; answered by `Files`.
    ListFiles,
    /// Read size and hash of a file or picture; answered by `Hashed`.
    Hash(Source),
    /// Delete a file.
    DropFile(String),
    /// Write a text file; answered by `Saved`, perhaps under another free name.
    WriteFile {
        /// Wanted name.
        name: String,
        /// Content.
        bytes: Vec<u8>,
    },
    /// Copy a picture among the files; answered by `Saved`.
    ExportPicture {
        /// Picture.
        picture: PictureId,
        /// Wanted name, without ending.
        name: String,
    },
    /// Try this sequence on the sealed card; answered by `Loaded` or `WrongSequence`.
    Unlock(Vec<Button>),
    /// Seal the card with this sequence, or take the seal off; answered by `LockChanged`.
    SetLock(Option<Vec<Button>>),

    // Device.
    /// Send `Msg::Tick` at this instant, and forget the one asked for before.
    SetTimer(Option<Millis>),
    /// These contacts of pads are these buttons.
    Teach(Taught),
    /// Report contacts of pads instead of buttons, or buttons again.
    Listen(bool),
    /// Draw, and keep pads to ourselves where that is right; or neither, because the device sleeps.
    Panel(bool),
    /// Shake for so many milliseconds.
    Rumble(u16),
    /// End the app.
    Quit,
}

/// What becomes of a binary result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A picture.
    Picture(PictureId),
    /// A file of this name, or a free name like it.
    File(String),
}
