//! How far a join is.

use super::Place;
use crate::app::model::laptop::{Nearby, Network};

/// How long a join may take in all, in milliseconds, whatever comes between: its steps and one interruption.
const JOIN_MS: u64 = 60_000;

/// How long a push may take in all: what a person has for the button, and the join.
const PUSH_MS: u64 = 150_000;

/// What was asked for and is not answered yet.
#[derive(Clone, Debug)]
pub(super) enum Wish {
    /// Be in this network.
    Join {
        ticket: u32,
        network: Network,
        until: u64,
    },
    /// Join this laptop at the push of a button.
    Push {
        ticket: u32,
        nearby: Nearby,
        until: u64,
    },
}

impl Wish {
    pub(super) const fn ticket(&self) -> u32 {
        match self {
            Self::Join { ticket, .. } | Self::Push { ticket, .. } => *ticket,
        }
    }

    pub(super) const fn join(ticket: u32, network: Network, now: u64) -> Self {
        let until = now + JOIN_MS;
        Self::Join {
            ticket,
            network,
            until,
        }
    }

    pub(super) const fn push(ticket: u32, nearby: Nearby, now: u64) -> Self {
        let until = now + PUSH_MS;
        Self::Push {
            ticket,
            nearby,
            until,
        }
    }

    /// When it is answered at the latest.
    pub(super) const fn until(&self) -> u64 {
        match self {
            Self::Join { until, .. } | Self::Push { until, .. } => *until,
        }
    }

    /// Gives it its whole time again.
    pub(super) const fn renew(&mut self, now: u64) {
        match self {
            Self::Join { until, .. } => *until = now + JOIN_MS,
            Self::Push { until, .. } => *until = now + PUSH_MS,
        }
    }
}

/// The network block that we added.
#[derive(Clone, Debug)]
pub(super) struct Own {
    /// Where.
    pub(super) port: String,
    /// Its number.
    pub(super) id: u32,
    /// What it joins.
    pub(super) network: Network,
    /// The frequency that it is confined to; 0 for none.
    pub(super) scanned: u16,
}

/// How far a join is.
#[derive(Clone, Debug, Default)]
pub(super) enum Stage {
    /// Nothing is wanted, or nothing can be done before something is asked for.
    #[default]
    Idle,
    /// Waits for a control socket.
    Opening { until: u64 },
    /// Requests that lay out the network are under way.
    Laying {
        port: String,
        full: bool,
        until: u64,
    },
    /// wpa_supplicant is looking for it.
    Seeking {
        port: String,
        full: bool,
        until: u64,
    },
    /// Wi-Fi Direct waits for the button. `again`: when to ask once more.
    Pushing {
        port: String,
        until: u64,
        again: Option<u64>,
    },
    /// The group is there; where it is will be known in a moment.
    Grouped {
        port: String,
        group: String,
        network: Network,
        /// It was asked where it is.
        asked: bool,
        until: u64,
    },
    /// Joined. `group`: by Wi-Fi Direct, which ends it there.
    Up {
        port: String,
        place: Place,
        group: Option<String>,
        /// How often it was handed out since.
        handed: u32,
    },
    /// Laid out, but not joined; wpa_supplicant may come back to it by itself.
    Down { port: String },
}

impl Stage {
    /// When it is over at the latest.
    pub(super) fn until(&self) -> Option<u64> {
        match self {
            Self::Opening { until }
            | Self::Laying { until, .. }
            | Self::Seeking { until, .. }
            | Self::Grouped { until, .. } => Some(*until),
            Self::Pushing { until, again, .. } => Some(again.map_or(*until, |at| at.min(*until))),
            Self::Idle | Self::Up { .. } | Self::Down { .. } => None,
        }
    }

    /// Whether it rests on this control socket.
    pub(super) fn rests_on(&self, name: &str) -> bool {
        match self {
            Self::Idle | Self::Opening { .. } => false,
            Self::Laying { port, .. }
            | Self::Seeking { port, .. }
            | Self::Pushing { port, .. }
            | Self::Down { port } => port == name,
            // The group's own socket is not there from the beginning.
            Self::Grouped { port, .. } | Self::Up { port, .. } => port == name,
        }
    }

    /// The interface of a group that is ours.
    pub(super) fn group(&self) -> Option<&str> {
        match self {
            Self::Grouped { group, .. } => Some(group),
            Self::Up { group, .. } => group.as_deref(),
            _ => None,
        }
    }

    pub(super) const fn is_idle(&self) -> bool {
        matches!(self, Self::Idle)
    }

    /// Nothing is under way that looking for laptops would disturb.
    pub(super) const fn is_still(&self) -> bool {
        matches!(self, Self::Idle | Self::Up { .. } | Self::Down { .. })
    }
}
