//! Every stimulus.

use std::sync::Arc;

use super::model::files::{LocalFile, RemoteFile};
use super::model::laptop::{
    Attempt, Carrier, Laptop, LaptopId, ModelInfo, Nearby, Network, Permission, Signal,
};
use super::model::outbox::{Entry, Failure, RequestId, Source};
use super::model::picture::{Picture, PictureId, Raster, Recipe};
use super::model::proof::Proof;
use super::model::screen::Purpose;
use super::model::{Battery, Chat, Clock, Extent, Pad, Panel, Settings};
use crate::input::Touch;
use crate::input::button::Press;
use crate::time::Millis;
use shared_proto::message::LedgerHead;

pub use super::model::radio::Ability as RadioAbility;

/// What can happen.
#[derive(Clone, Debug)]
pub enum Msg {
    /// A button.
    Button(Press),
    /// The wake-up that was asked for is due, or any other reason to look at the clock.
    Tick,
    /// The panel's size is known or has changed.
    Panel(Panel),
    /// `ui` measured the content of the top screen.
    Extent(Extent),
    /// The battery has been read.
    Battery(Option<Battery>),
    /// News from the link.
    Link(LinkEvent),
    /// News from the card.
    Card(CardEvent),
    /// What holds of the air gap.
    Proof(Box<Proof>),
    /// The pads that are plugged in now.
    Pads(Vec<Pad>),
    /// A contact of a pad closed or opened: while the set-up listens, or one that means nothing.
    Touch {
        /// Name of the device.
        device: Arc<str>,
        /// What happened.
        touch: Touch,
        /// When.
        at: Millis,
    },
    /// A pad went away.
    PadLost(Arc<str>),
    /// The device is about to sleep.
    Asleep,
    /// It is in use again, or slept without a word.
    Awake,
    /// The system asks the app to end.
    Terminate,
}

/// News from the link driver.
#[derive(Clone, Debug)]
pub enum LinkEvent {
    /// A carrier is up; the channel is being opened.
    Connecting(Carrier),
    /// The laptop greeted.
    Welcome(Box<Welcome>),
    /// The link is down. What runs goes on at the laptop.
    Lost {
        /// What was tried and why it failed, if this follows a failed try.
        attempts: Vec<Attempt>,
        /// When the driver tries again by itself.
        next_try: Option<Millis>,
    },
    /// A USB cable to a laptop was plugged in, or pulled.
    Cable(bool),
    /// The relationship has ended at the laptop: expired or revoked.
    Ended {
        /// True if it expired, false if the laptop no longer knows this handheld.
        expired: bool,
    },
    /// The relationship has been renewed.
    Renewed {
        /// Seconds until it ends.
        expires_in_s: u64,
    },
    /// The laptop wants no renewal.
    NotRenewed,
    /// Permissions, services or models changed.
    Notice {
        /// Permissions.
        permissions: Vec<Permission>,
        /// Models.
        models: Vec<ModelInfo>,
    },
    /// The laptop has the request and will run it.
    Accepted(RequestId),
    /// The laptop asks its owner.
    Awaiting {
        /// Request.
        id: RequestId,
        /// Seconds until the question expires.
        expires_in_s: u32,
    },
    /// It waits for its turn at the laptop.
    Queued {
        /// Request.
        id: RequestId,
        /// Requests that go first.
        ahead: u16,
        /// Load of the laptop in percent, where it waits for that to fall; else zero.
        busy: u8,
    },
    /// A provider took an operation up.
    Started {
        /// Request.
        id: RequestId,
        /// `provider/model`. Peer text.
        model: String,
    },
    /// It runs.
    Progress {
        /// Request.
        id: RequestId,
        /// Operation in the program.
        op: u8,
        /// 0 to 1000.
        permille: u16,
        /// Seconds left, if the laptop can tell.
        eta_s: Option<u32>,
    },
    /// Part of a result, in order and without gaps; already decompressed.
    Data {
        /// Request.
        id: RequestId,
        /// Which emitted result.
        slot: u8,
        /// Octets before this part.
        offset: u64,
        /// The part.
        bytes: Vec<u8>,
        /// Nothing follows in this slot.
        fin: bool,
    },
    /// Octets of an upload that the laptop has.
    Uploaded {
        /// Request.
        id: RequestId,
        /// Octets so far.
        sent: u64,
        /// All octets.
        len: u64,
    },
    /// The request is over and whole.
    Done(RequestId),
    /// The request is over and not whole.
    Failed {
        /// Request.
        id: RequestId,
        /// Why.
        failure: Failure,
    },
    /// Pairing.
    Pairing(PairingEvent),
    /// What the radio of this device can do; told once, and again when that changes.
    Radio(RadioAbility),
    /// The laptops that the radio hears now, best first; replaces what was heard before.
    Nearby(Vec<Nearby>),
    /// The signal as measured; `None` where the carrier has none.
    Signal(Option<Signal>),
    /// Link and radio sleep, as was asked.
    Asleep,
}

/// What the laptop says when the channel opens.
#[derive(Clone, Debug, Default)]
pub struct Welcome {
    /// Who greets. `None`: whoever is chosen.
    pub laptop: Option<LaptopId>,
    /// How it was reached.
    pub carrier: Option<Carrier>,
    /// The signal, if the carrier has one.
    pub signal: Option<Signal>,
    /// The network that the laptop opens, if it has one.
    pub network: Option<Network>,
    /// The laptop's name.
    pub name: String,
    /// The laptop's time.
    pub clock: Option<Clock>,
    /// Numbers below this have been used.
    pub floor: RequestId,
    /// Seconds until the relationship ends.
    pub expires_in_s: u64,
    /// Permissions.
    pub permissions: Vec<Permission>,
    /// Models.
    pub models: Vec<ModelInfo>,
    /// How far its ledger goes.
    pub ledger: LedgerHead,
    /// What was seen of the ledger before, where it no longer fits that.
    pub ledger_cut: Option<LedgerHead>,
}

/// Steps of pairing.
#[derive(Clone, Debug)]
pub enum PairingEvent {
    /// The laptop answered; show these digits.
    Digits {
        /// Six digits.
        digits: [u8; 6],
        /// Milliseconds until the window closes.
        left_ms: u64,
    },
    /// The digits were typed rightly on the laptop; now the person here confirms.
    Matched {
        /// The laptop's name.
        laptop: String,
    },
    /// Both sides agreed and the keys are on the card.
    Kept(Laptop),
    /// It did not work.
    Failed(PairingFault),
}

/// Why pairing did not work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PairingFault {
    /// The laptop cannot be reached: why.
    Unreachable(String),
    /// The laptop's window is not open.
    NotOpen,
    /// The digits typed there were wrong.
    WrongDigits,
    /// The person there said no, or pairing was called off.
    Declined,
    /// Two minutes passed.
    TimedOut,
    /// The other side did not follow the protocol: what.
    Broken(String),
    /// The laptop has no room for another device.
    Full,
}

/// News from the card.
#[derive(Clone, Debug)]
pub enum CardEvent {
    /// Everything that was stored; the first message after start or unlock.
    Loaded(Box<Stored>),
    /// The card is sealed: a button sequence is needed before anything else is read than these settings, if they could be.
    Locked(Option<Box<Settings>>),
    /// The sequence was wrong.
    WrongSequence {
        /// Milliseconds until another try is taken.
        wait_ms: u64,
    },
    /// The lock has been set (true) or taken off (false).
    LockChanged(bool),
    /// A request has been written down and has a number now.
    Numbered {
        /// The ticket it was handed in with.
        ticket: u32,
        /// Its number.
        id: RequestId,
    },
    /// Pixels of a picture.
    Raster {
        /// Picture.
        picture: PictureId,
        /// Made small for the gallery.
        thumb: bool,
        /// Pixels; `None` if the picture is damaged.
        raster: Option<Arc<Raster>>,
    },
    /// A result has been put together from its parts and is safe on the card.
    Kept {
        /// Laptop.
        laptop: LaptopId,
        /// Request.
        id: RequestId,
        /// Octets.
        len: u64,
        /// Width and height, if it is a picture that could be read.
        size: Option<(u32, u32)>,
    },
    /// A request could not be written down, so it has no number and never goes out.
    NotNumbered {
        /// Ticket.
        ticket: u32,
        /// Why.
        failure: Failure,
    },
    /// A result could not be put together.
    NotKept {
        /// Laptop.
        laptop: LaptopId,
        /// Request.
        id: RequestId,
        /// Why.
        failure: Failure,
    },
    /// Files on the card, and octets free there.
    Files {
        /// Files.
        files: Vec<LocalFile>,
        /// Octets free.
        free: Option<u64>,
    },
    /// Size and hash of a file or picture that shall be sent.
    Hashed {
        /// Which.
        source: Source,
        /// Octets and SHA-256; `None` if it cannot be read.
        facts: Option<(u64, [u8; 32])>,
    },
    /// A file was written because the person asked for it (saved chat, exported picture).
    Saved {
        /// Name.
        name: String,
    },
    /// Something could not be written or read.
    Trouble {
        /// Of what kind.
        kind: Trouble,
        /// What the system said.
        detail: String,
    },
}

/// What is wrong with the card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It is full; octets that would be needed, if known.
    Full(Option<u64>),
    /// A newer version of the app has written it. It is left alone.
    Newer,
    /// It cannot be read or written.
    Broken,
}

/// Everything that is stored.
#[derive(Clone, Debug, Default)]
pub struct Stored {
    /// Settings.
    pub settings: Settings,
    /// Laptops.
    pub laptops: Vec<Laptop>,
    /// Conversations.
    pub chats: Vec<Chat>,
    /// Pictures, without pixels.
    pub pictures: Vec<Picture>,
    /// Requests, in the order in which they go out.
    pub entries: Vec<Entry>,
    /// Octets of results that are on the card: laptop, request, slot, length.
    pub parts: Vec<(LaptopId, RequestId, u8, u64)>,
    /// The drop folder as last listed, and when.
    pub remote: Option<(u64, Vec<RemoteFile>)>,
    /// Files on the card.
    pub local: Vec<LocalFile>,
    /// Recipe of the prompt screen.
    pub recipe: Recipe,
    /// Earlier prompts.
    pub earlier: Vec<String>,
    /// Unfinished texts.
    pub drafts: Vec<(Purpose, String)>,
    /// Words that the keyboard has learned.
    pub words: String,
    /// The last wall clock that was seen, so that time never goes backwards. Seconds since 1970.
    pub last_seen: u64,
}
