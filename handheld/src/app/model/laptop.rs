//! Paired laptops and the link to the chosen one.

use serde::{Deserialize, Serialize};

use crate::time::Millis;

/// Number of a relationship on this card.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct LaptopId(pub u32);

/// A paired laptop as last seen. Stored (the keys are `card`'s own).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Laptop {
    /// Number of the relationship.
    pub id: LaptopId,
    /// The laptop's name. Peer text.
    pub name: String,
    /// How it may be reached, the last that worked first.
    pub carriers: Vec<Carrier>,
    /// When the relationship ends, seconds since 1970 by the laptop's clock.
    pub expires_at: u64,
    /// It has ended already, as the laptop said.
    pub ended: Option<Ended>,
    /// What this handheld may do there.
    pub permissions: Vec<Permission>,
    /// Models there.
    pub models: Vec<ModelInfo>,
    /// When it was last linked, seconds since 1970; zero if never.
    pub seen_at: u64,
    /// The network that it opens, where it has told of one: what a quick join needs.
    pub network: Option<Network>,
}

/// Why a pairing is over at the laptop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ended {
    /// Its time ran out.
    Expired,
    /// The laptop no longer knows this handheld.
    Revoked,
}

/// A network that a laptop opens.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    /// Its name: up to 32 octets.
    pub ssid: Vec<u8>,
    /// WPA2 passphrase, or a key of 64 hexadecimal digits.
    pub passphrase: String,
    /// Where it was last, in MHz; 0 if not known.
    pub frequency: u16,
    /// TCP port on which the laptop listens.
    pub port: u16,
}

/// The passphrase stays out of every log.
impl std::fmt::Debug for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = self.ssid.escape_ascii();
        write!(f, "Network({name}, {} MHz)", self.frequency)
    }
}

/// A laptop that the radio hears, before anything is known of it but what it says aloud. Peer text throughout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nearby {
    /// Its name.
    pub name: String,
    /// Network name.
    pub ssid: Vec<u8>,
    /// Address of the network's radio.
    pub bssid: [u8; 6],
    /// P2P device address, where Wi-Fi Direct has found it.
    pub device: Option<[u8; 6]>,
    /// In MHz.
    pub frequency: u16,
    /// Strength of its signal in dBm.
    pub signal_dbm: i16,
    /// True: joins at the push of a button there. False: by the passphrase that it shows.
    pub push: bool,
}

/// Whom to pair with, and how to get there.
#[derive(Clone, PartialEq, Eq)]
pub enum Call {
    /// Over a carrier that is there already.
    Carrier(Carrier),
    /// Over Wi-Fi Direct, by the push of a button on the laptop.
    Push(Nearby),
    /// As an ordinary station, with the passphrase that the laptop shows.
    Passphrase(Nearby, String),
}

/// The passphrase stays out of every log.
impl std::fmt::Debug for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Carrier(carrier) => write!(f, "Carrier({carrier:?})"),
            Self::Push(nearby) => write!(f, "Push({nearby:?})"),
            Self::Passphrase(nearby, _) => write!(f, "Passphrase({nearby:?})"),
        }
    }
}

/// What the radio says of the link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Signal {
    /// In dBm.
    pub dbm: i16,
    /// In Mbit/s; 0 if not known.
    pub rate_mbps: u32,
    /// In MHz.
    pub frequency: u16,
}

/// A way to reach a laptop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Carrier {
    /// Wi-Fi Direct, or a plain join of the group that the laptop owns.
    WifiDirect,
    /// The network that the laptop opens.
    Station,
    /// USB Ethernet.
    Usb,
    /// TCP to an address typed by the person: `host:port`.
    Tcp(String),
}

/// A service on the laptop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ServiceKind {
    /// Language.
    Language,
    /// Pictures.
    Image,
    /// Files.
    Files,
    /// System.
    System,
    /// Jobs, which this version does not have.
    Jobs,
}

/// What the laptop's owner decided about one operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// Refused.
    Deny,
    /// The owner is asked each time.
    Ask,
    /// Allowed.
    Allow,
}

/// One permission, read-only here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Permission {
    /// Service.
    pub service: ServiceKind,
    /// Operation by its word, for example `chat`.
    pub operation: String,
    /// Decision.
    pub verdict: Verdict,
    /// What is left today, in the operation's own unit (pictures, tokens, octets), if limited.
    pub left_today: Option<u64>,
}

/// A model that a service offers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelInfo {
    /// Service.
    pub service: ServiceKind,
    /// `provider/model`. Peer text.
    pub id: String,
    /// What to show; built-in ones say so. Peer text.
    pub label: String,
}

/// The link to the chosen laptop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Link {
    /// No laptop is paired.
    Unpaired,
    /// Not reachable now.
    Away(Away),
    /// Left alone to spare the battery: it wakes for the outbox, and where somebody needs it.
    Asleep {
        /// Since when the laptop is away, seconds since 1970; zero if unknown.
        since: u64,
    },
    /// A carrier is up and the channel is being opened.
    Connecting {
        /// Which carrier.
        carrier: Carrier,
        /// What holds until that has worked.
        away: Away,
    },
    /// Open.
    Linked {
        /// Which carrier.
        carrier: Carrier,
        /// The signal, where the carrier has one.
        signal: Option<Signal>,
        /// What failed last before this link stood, if anything did.
        failed: Option<Attempt>,
    },
}

impl Link {
    /// Requests can go out.
    pub const fn is_open(&self) -> bool {
        matches!(self, Self::Linked { .. })
    }

    /// What is known of being away, while it is or another try is under way.
    pub const fn away(&self) -> Option<&Away> {
        match self {
            Self::Away(away) | Self::Connecting { away, .. } => Some(away),
            Self::Unpaired | Self::Asleep { .. } | Self::Linked { .. } => None,
        }
    }
}

/// Why the laptop is away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Away {
    /// Since when, seconds since 1970; zero if unknown or never linked.
    pub since: u64,
    /// What was tried and why it failed, per carrier.
    pub attempts: Vec<Attempt>,
    /// When the next try is due.
    pub next_try: Option<Millis>,
    /// The person left it away (chosen laptop changed, app just started).
    pub idle: bool,
}

/// One failed try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Carrier.
    pub carrier: Carrier,
    /// Why it failed, in a sentence.
    pub why: String,
}
