//! The radio: which interface can join a laptop's network, which laptops are near, how one is joined, lost and joined again.
//!
//! All pure. What the system shows (interfaces, control sockets), what wpa_supplicant says (events, replies) and what is wanted
//! (orders) go into [`machine::Machine`]; commands, news and a deadline come out. `link::air` is the shell around it.
//!
//! Every later join is a station join with the stored key on the stored frequency, on whatever driver there is; Wi-Fi Direct
//! finds laptops and makes a first join at the push of a button. Interfaces that are not used stay as the firmware has them, and
//! what was changed for a join is put back by [`Order::Leave`].

mod back;
pub mod held;
mod join;
pub mod line;
mod look;
pub mod machine;
pub mod probe;
mod push;
pub mod search;
mod stage;
mod station;

#[cfg(test)]
mod tests;

use shared_proto::supplicant::Event;

use crate::app::model::laptop::{Nearby, Network, Signal};
use crate::app::msg::RadioAbility;

pub use held::Held;
pub use machine::Machine;

/// A network interface as the system shows it. Only wireless ones matter here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// Its hardware address.
    pub address: [u8; 6],
    /// It is switched on (IFF_UP).
    pub up: bool,
    /// rfkill holds its radio off.
    pub blocked: bool,
}

/// A control socket of wpa_supplicant. Its name is that of the interface that it steers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Port {
    /// Name of the socket.
    pub name: String,
    /// Changes when the socket is made anew, as a restarted supplicant does.
    pub mark: u64,
}

/// What the system shows now; replaces what it showed before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scene {
    /// Wireless interfaces.
    pub interfaces: Vec<Interface>,
    /// Control sockets.
    pub ports: Vec<Port>,
}

/// Why a control socket cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denial {
    /// The system does not let this user in.
    Permission,
    /// Nobody listens there.
    Dead,
}

/// What can happen.
#[derive(Clone, Debug)]
pub enum Input {
    /// Interfaces or sockets are different now.
    Scene(Scene),
    /// A control socket is open, and its events come in from now on.
    Opened(String),
    /// A control socket could not be opened, or nobody listens there any more.
    Closed(String, Denial),
    /// The answer to a request, as it came; `None` if none came.
    Answer {
        /// Which request.
        ticket: u32,
        /// Its text.
        text: Option<String>,
    },
    /// wpa_supplicant said something.
    Event {
        /// The socket that it came from.
        port: String,
        /// What.
        event: Event,
    },
    /// The driver wants something.
    Order(Order),
    /// The device slept, and is awake again.
    Woke,
}

/// What the link's driver wants of the radio. A new join replaces one that is under way.
#[derive(Clone, Debug)]
pub enum Order {
    /// Be in this network.
    Join {
        /// Comes back in the answer.
        ticket: u32,
        /// The network.
        network: Network,
    },
    /// Join this laptop at the push of a button there.
    Push {
        /// Comes back in the answer.
        ticket: u32,
        /// The laptop.
        nearby: Nearby,
    },
    /// Look for laptops, or stop.
    Look(bool),
    /// Measure the signal now and then, or stop.
    WatchSignal(bool),
    /// Nobody waits for the join any more that is under way; what is joined stays.
    CallOff,
    /// Let the firmware's own networks have the radio: the laptop is tried over them next.
    GiveWay,
    /// Leave the network and let the radio sleep.
    Rest,
    /// Leave everything as it was found.
    Leave,
}

/// A laptop's network that has been joined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The interface that carries it.
    pub interface: String,
    /// Address of the laptop's radio.
    pub bssid: [u8; 6],
    /// The network; where a push of the button gave the key, with that key.
    pub network: Network,
}

/// What the shell shall do. Requests are made one at a time.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Open a control socket and listen there; answered by `Opened` or `Closed`.
    Open(String),
    /// Close a control socket. A request that is under way there is not answered any more.
    Close(String),
    /// Make a request; answered by `Answer`.
    Ask {
        /// Where.
        port: String,
        /// Comes back in the answer.
        ticket: u32,
        /// What.
        command: shared_proto::supplicant::Command,
    },
    /// Let the interface have a link-local address without delay, and listen to nobody's router.
    Prepare(String),
    /// An order was carried out.
    Joined {
        /// Which.
        ticket: u32,
        /// Where we are now.
        place: Place,
    },
    /// An order was not carried out.
    NotJoined {
        /// Which.
        ticket: u32,
        /// Why, in a sentence.
        why: String,
    },
    /// Say something to the driver.
    News(RadioNews),
    /// Write down what is to be put back, in case we can't do so ourselves.
    Remember(Vec<Held>),
    /// Everything is as it was found; answers `Leave`.
    Left,
}

/// What the radio says by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RadioNews {
    /// What it can do; first of all, and whenever that changes.
    Ability(RadioAbility),
    /// The laptops that it hears now, best first.
    Nearby(Vec<Nearby>),
    /// The signal of the link that it carries.
    Signal(Option<Signal>),
    /// The link that it carried is lost: why, in a sentence.
    Lost(String),
    /// A USB cable to a laptop was plugged in, or pulled. It comes from the shell beside the machine.
    Cable(bool),
    /// Something came back (the device woke, the driver or the supplicant is there again): a try may succeed now.
    Back,
}
