//! The link to the chosen laptop: carriers, channel, session, reconnecting.
//!
//! The driver is a loop around pure machines (`shared_proto::session`, `shared_proto::pairing`, [`backoff`]). The app
//! decides what is sent and keeps the outbox; the driver never repeats a submit on its own, never waits without a
//! limit, and says every change as a [`LinkEvent`]. It reads no file: octets of uploads come from a [`Library`].

pub mod air;
pub mod backoff;
pub mod cable;
pub mod carrier;
pub mod ctrl;
pub mod driver;
mod keys;
mod loss;
pub mod meet;
pub mod news;
pub mod pipe;
mod pump;
pub mod reach;
pub mod sight;
pub mod talk;
pub mod unpack;

use std::pin::Pin;

use shared_proto::message::{LedgerHead, RequestId};

use crate::app::model::{Call, Carrier, Laptop, Network, Source, Upload};
use crate::card::Relationship;

pub use crate::app::msg::LinkEvent;

/// A laptop to be linked with.
#[derive(Clone, Debug)]
pub struct Target {
    /// Keys.
    pub relationship: Relationship,
    /// Ways to reach it, best first.
    pub carriers: Vec<Carrier>,
    /// The network that it opens, if one is known.
    pub network: Option<Network>,
    /// Highest request number that this card has used with it.
    pub last_id: u64,
    /// What this card last saw of its ledger.
    pub ledger: LedgerHead,
}

/// What the driver is told.
#[derive(Clone, Debug)]
pub enum Command {
    /// Keep a link to this laptop, or to none.
    Target(Option<Box<Target>>),
    /// Try now.
    Reconnect,
    /// Send a program whose number is on the card.
    Submit {
        /// Number.
        id: RequestId,
        /// Program.
        program: Vec<u8>,
        /// Constants that are uploaded.
        uploads: Vec<Upload>,
    },
    /// Take up a result where it stopped.
    Resume {
        /// Number.
        id: RequestId,
        /// What is put away, by slot.
        offsets: Vec<(u8, u64)>,
        /// Constants that may not have been uploaded whole.
        uploads: Vec<Upload>,
    },
    /// Stop a request.
    Cancel(RequestId),
    /// The result is on the card.
    Ack(RequestId),
    /// A stream is put away as far as this; gives the laptop room to go on.
    Stored {
        /// Number.
        id: RequestId,
        /// Slot.
        slot: u8,
        /// Octets from the start.
        offset: u64,
    },
    /// Ask for a renewal.
    Renew,
    /// Say farewell and keep no link.
    Farewell,
    /// Call a laptop to pair.
    Pair(Call),
    /// Look for laptops by radio, or stop.
    Look(bool),
    /// Measure the signal now and then, or stop.
    WatchSignal(bool),
    /// Let link and radio sleep until `Reconnect`.
    Rest,
    /// The person agreed.
    PairConfirm,
    /// The person called it off.
    PairCancel,
}

/// A piece of a source under way: its octets, and the length of the whole.
pub type Piece<'a> = Pin<Box<dyn Future<Output = Option<(Vec<u8>, u64)>> + Send + 'a>>;

/// A pairing being written down: the laptop with its number, or why not.
pub type Kept<'a> = Pin<Box<dyn Future<Output = Result<Laptop, String>> + Send + 'a>>;

/// Changed keys being written down: whether they are on the card.
pub type Rekeyed<'a> = Pin<Box<dyn Future<Output = bool> + Send + 'a>>;

/// Where uploads and keys are: the card, seen from here.
pub trait Library: Send + Sync {
    /// Writes a new pairing down, durably; its number is chosen there.
    fn pair(&self, relationship: Relationship, laptop: Laptop) -> Kept<'_>;

    /// Writes changed keys of a relationship down, durably.
    fn rekey(&self, relationship: Relationship) -> Rekeyed<'_>;

    /// Reads up to `len` octets at `offset`. `None`: it cannot be read.
    fn piece<'a>(&'a self, source: &'a Source, offset: u64, len: usize) -> Piece<'a>;
}

/// What the handheld says of itself.
#[derive(Clone, Debug)]
pub struct Introduction {
    /// Name that its owner sees on the laptop.
    pub name: String,
    /// Width and height of the screen in pixels.
    pub screen: (u16, u16),
}
