//! What the card's thread is asked to do.

use smol::channel::Sender;

use crate::app::effect::Effect;
use crate::app::model::laptop::{Carrier, Laptop, LaptopId, Network};
use crate::app::model::outbox::Source;
use crate::card::Relationship;
use crate::link::Command;

/// Something for the card's thread to do.
#[derive(Debug)]
pub enum Errand {
    /// A card effect of the app.
    Effect(Effect),
    /// Pass this on to the link once everything before it is on the card.
    Pass(Command),
    /// Keep a link to this laptop, or to none.
    Link(Option<Reach>),
    /// Drop the keys and all that belongs to a laptop.
    Forget(LaptopId),
    /// Read a piece of an upload.
    Piece {
        /// From where.
        source: Source,
        /// Where in it.
        offset: u64,
        /// How much.
        len: usize,
        /// To whom: the octets and the length of the whole.
        reply: Sender<Option<(Vec<u8>, u64)>>,
    },
    /// Write a new pairing down.
    Pair {
        /// Keys, without a number yet.
        relationship: Box<Relationship>,
        /// What is known of the laptop, without a number yet.
        laptop: Box<Laptop>,
        /// To whom: the laptop with its number, or why not.
        reply: Sender<Result<Laptop, String>>,
    },
    /// Write changed keys of a laptop down.
    Rekey {
        /// The keys.
        relationship: Box<Relationship>,
        /// To whom: whether they are on the card.
        reply: Sender<bool>,
    },
    /// Nothing follows: answer when all before is done.
    Flush(Sender<()>),
}

/// How a laptop is reached.
#[derive(Clone, Debug)]
pub struct Reach {
    /// Which.
    pub laptop: LaptopId,
    /// Ways, best first.
    pub carriers: Vec<Carrier>,
    /// The network that it opens, if one is known.
    pub network: Option<Network>,
}
