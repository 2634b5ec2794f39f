//! The radio, as the link tells of it, and how long it stays awake.

use serde::{Deserialize, Serialize};

use super::laptop::{Call, Carrier, Nearby};
use crate::time::Millis;

/// What the app knows of the radio and has asked of it.
#[derive(Clone, Debug, Default)]
pub struct Radio {
    /// What it can do; `None` until the link has told.
    pub ability: Option<Ability>,
    /// Laptops that it hears. One that is shown keeps its place for as long as it is heard, so that nothing moves under a thumb.
    pub nearby: Vec<Nearby>,
    /// The one of them that fell silent while it had the focus, by the address of its radio: another must not take its place.
    pub silent: Option<[u8; 6]>,
    /// Since when laptops are looked for; `None` if they are not.
    pub looking: Option<Millis>,
    /// The signal is measured now and then.
    pub watching: bool,
    /// The laptop whose passphrase is being written, with what was written before.
    pub joining: Option<Call>,
    /// Since when nothing is under way and no button was pressed.
    pub quiet_since: Millis,
}

/// What the radio of this device can do for us.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ability {
    /// It can join a laptop's network.
    pub station: bool,
    /// It can do Wi-Fi Direct.
    pub p2p: bool,
    /// What is missing and what to do about it, in a sentence; empty if nothing.
    pub why: String,
}

impl Radio {
    /// The way to a laptop's own network: Wi-Fi Direct unless this radio is known to lack it.
    pub fn carrier(&self) -> Carrier {
        match &self.ability {
            Some(ability) if !ability.p2p => Carrier::Station,
            _ => Carrier::WifiDirect,
        }
    }

    /// It is known to be of no use: there is none, or the app may not use it.
    pub fn is_useless(&self) -> bool {
        self.ability
            .as_ref()
            .is_some_and(|ability| !ability.station && !ability.p2p)
    }
}

/// How long link and radio stay awake with nothing to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Sleep {
    /// For ever.
    #[default]
    Never,
    /// One minute.
    OneMinute,
    /// Five minutes.
    FiveMinutes,
}

impl Sleep {
    /// After how many milliseconds it sleeps.
    pub const fn after_ms(self) -> Option<u64> {
        match self {
            Self::Never => None,
            Self::OneMinute => Some(60_000),
            Self::FiveMinutes => Some(300_000),
        }
    }
}
