//! The verdict, and the only mint of a [`Permit`].

use super::prompt::size;
use super::{Counters, Demand, Effect, Profile, Prompt, Rule, Standing, Target, Usage};
use crate::sanitize::visible_within;
use shared_proto::opcode::{Operation, Service};
use std::fmt;

/// What policy says to a program.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may run.
    Allow(Permit),
    /// A person has to say so first.
    Ask(Prompt),
    /// It may not run.
    Deny(Reason),
}

/// Leave to run one program once. It cannot be copied or made elsewhere, and it never leaves this process.
#[derive(Debug, PartialEq, Eq)]
pub struct Permit {
    relationship: i64,
    request: u64,
    generation: u64,
    reserved: Usage,
    /// What is still unused, in the order of the program.
    effects: std::collections::VecDeque<Effect>,
}

impl Permit {
    /// Relationship it was given to.
    pub fn relationship(&self) -> i64 {
        self.relationship
    }

    /// Request it was given for.
    pub fn request(&self) -> u64 {
        self.request
    }

    /// Generation of the profile that it rests on. When the relationship has a later one, the rest of the program has
    /// to be judged again before its next op.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// What was set aside for the whole program.
    pub fn reserved(&self) -> Usage {
        self.reserved
    }

    /// Takes out the leave for the op at place `op`, which dispatch consumes. `None` if there is none or it was taken.
    pub fn take(&mut self, op: u8) -> Option<OpPermit> {
        let place = self.effects.iter().position(|effect| effect.op == op)?;
        let effect = self.effects.remove(place)?;
        Some(OpPermit {
            relationship: self.relationship,
            request: self.request,
            effect,
        })
    }
}

/// Leave to dispatch one op once.
#[derive(Debug, PartialEq, Eq)]
pub struct OpPermit {
    relationship: i64,
    request: u64,
    effect: Effect,
}

impl OpPermit {
    /// Relationship it was given to.
    pub fn relationship(&self) -> i64 {
        self.relationship
    }

    /// Request it was given for.
    pub fn request(&self) -> u64 {
        self.request
    }

    /// What exactly may be done.
    pub fn effect(&self) -> &Effect {
        &self.effect
    }
}

/// A person's yes to one program of one request.
#[derive(Debug, PartialEq, Eq)]
pub struct Consent {
    relationship: i64,
    request: u64,
    digest: [u8; 32],
}

impl Consent {
    pub(super) fn new(relationship: i64, request: u64, digest: [u8; 32]) -> Self {
        Self {
            relationship,
            request,
            digest,
        }
    }

    fn covers(&self, demand: &Demand) -> bool {
        (self.relationship, self.request, self.digest)
            == (demand.relationship, demand.request, demand.digest)
    }
}

/// Why a program may not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// The relationship was ended.
    Revoked,
    /// The relationship has run out.
    Expired,
    /// The rule for this operation is `deny`.
    Operation(Operation),
    /// The model is not on the list; its name as the device wrote it.
    Model(Operation, String),
    /// The address is not on the list.
    Url(String),
    /// Too many programs in the last minute.
    Rate {
        /// Allowed per minute.
        per_minute: u32,
        /// Milliseconds until the next one may come; `u64::MAX` for never.
        wait_ms: u64,
    },
    /// More tokens than are left today.
    Tokens {
        /// Budget of a day.
        limit: u64,
        /// Left today.
        left: u64,
    },
    /// More pictures than are left today.
    Pictures {
        /// Budget of a day.
        limit: u64,
        /// Left today.
        left: u64,
    },
    /// No time is left today.
    Seconds {
        /// Budget of a day.
        limit: u64,
        /// Left today.
        left: u64,
    },
    /// More bytes than are left today.
    Bytes {
        /// Budget of a day.
        limit: u64,
        /// Left today.
        left: u64,
    },
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Revoked => write!(
                f,
                "this device is no longer paired; pair it again on the laptop"
            ),
            Self::Expired => write!(f, "the pairing has run out; renew it on the laptop"),
            Self::Operation(operation) => {
                write!(
                    f,
                    "the laptop does not allow this device to use {}",
                    operation.name()
                )
            }
            Self::Model(operation, model) if model.is_empty() => {
                write!(
                    f,
                    "the laptop allows only listed models for {}; choose one",
                    operation.name()
                )
            }
            Self::Model(operation, model) => {
                write!(
                    f,
                    "the laptop does not allow {} for {}",
                    visible_within(model, 80),
                    operation.name()
                )
            }
            Self::Url(url) => write!(
                f,
                "{} is not on the laptop's list of addresses",
                visible_within(url, 80)
            ),
            Self::Rate {
                wait_ms: u64::MAX, ..
            } => write!(f, "the laptop allows this device no requests"),
            Self::Rate {
                per_minute,
                wait_ms,
            } => write!(
                f,
                "the laptop allows {per_minute} requests a minute; try again in {} s",
                wait_ms.div_ceil(1000)
            ),
            Self::Tokens { limit, left: 0 } => write!(f, "today's {limit} tokens are used up"),
            Self::Tokens { limit, left } => {
                write!(
                    f,
                    "this needs more than the {left} tokens left of today's {limit}"
                )
            }
            Self::Pictures { limit: 0, .. } => {
                write!(f, "the laptop allows this device no pictures")
            }
            Self::Pictures { limit, left: 0 } => write!(f, "today's {limit} pictures are used up"),
            Self::Pictures { limit, left } => {
                write!(
                    f,
                    "this needs more than the {left} pictures left of today's {limit}"
                )
            }
            Self::Seconds { limit: 0, .. } => {
                write!(f, "the laptop allows this device no texts or pictures")
            }
            Self::Seconds { limit, .. } => {
                write!(f, "today's {limit} seconds of work are used up")
            }
            Self::Bytes { limit, left } => {
                write!(
                    f,
                    "this may move more than the {} left of today's {}",
                    size(*left),
                    size(*limit)
                )
            }
        }
    }
}

/// Judges one program of one relationship.
///
/// `counters` is what the relationship has used and reserved, `now_ms` monotonic milliseconds. With `consent` to this
/// very program, ops whose rule is `ask` pass; nothing else about the verdict changes, and a rule that has become
/// `deny` since the question was put still denies. A program is asked about once and as a whole.
pub fn evaluate(
    demand: &Demand,
    profile: &Profile,
    counters: &Counters,
    consent: Option<Consent>,
    now_ms: u64,
) -> Verdict {
    match profile.standing {
        Standing::Active => {}
        Standing::Expired => return Verdict::Deny(Reason::Expired),
        Standing::Revoked => return Verdict::Deny(Reason::Revoked),
    }
    for effect in &demand.effects {
        if let Err(reason) = check_effect(effect, profile) {
            return Verdict::Deny(reason);
        }
    }
    let consented = consent.is_some_and(|consent| consent.covers(demand));
    // The rate was counted when the program came in; the answer of a person must not fail on it a minute later.
    if !consented && let Err(wait_ms) = counters.rate.check(profile.requests_per_minute, now_ms) {
        return Verdict::Deny(Reason::Rate {
            per_minute: profile.requests_per_minute,
            wait_ms,
        });
    }
    if let Err(reason) = check_budgets(demand.cost.usage, profile, counters) {
        return Verdict::Deny(reason);
    }
    let asks = demand
        .effects
        .iter()
        .any(|effect| profile.rule(effect.operation) == Rule::Ask);
    if asks && !consented {
        return Verdict::Ask(Prompt::of(demand));
    }
    Verdict::Allow(Permit {
        relationship: demand.relationship,
        request: demand.request,
        generation: profile.generation,
        reserved: demand.cost.usage,
        effects: demand.effects.iter().cloned().collect(),
    })
}

/// Says whether what was permitted earlier may still start, or go on, under `profile`: used when the permissions changed
/// while a program runs. Rules of `ask` pass, because a person or an earlier rule has already let this program run.
///
/// # Errors
/// The reason for which it must stop.
pub fn recheck(effect: &Effect, profile: &Profile) -> Result<(), Reason> {
    match profile.standing {
        Standing::Active => check_effect(effect, profile),
        Standing::Expired => Err(Reason::Expired),
        Standing::Revoked => Err(Reason::Revoked),
    }
}

fn check_effect(effect: &Effect, profile: &Profile) -> Result<(), Reason> {
    if profile.rule(effect.operation) == Rule::Deny {
        return Err(Reason::Operation(effect.operation));
    }
    // Matched on the operation, not on the target: an effect that lacks its target is refused, not waved through.
    let model = match &effect.target {
        Target::Model(model) => model.as_str(),
        _ => "",
    };
    match effect.operation.service() {
        // Fitting to the screen is done by the laptop itself and names no model.
        Service::Image if effect.operation == Operation::Fit => Ok(()),
        service @ (Service::Language | Service::Image) => {
            if profile.permits_model(service, model) {
                Ok(())
            } else {
                Err(Reason::Model(effect.operation, model.into()))
            }
        }
        Service::Files if effect.operation == Operation::Fetch => match &effect.target {
            Target::Url(url) if profile.permits_url(url) => Ok(()),
            Target::Url(url) => Err(Reason::Url(url.clone())),
            _ => Err(Reason::Url(String::new())),
        },
        Service::Files | Service::System => Ok(()),
    }
}

fn check_budgets(wanted: Usage, profile: &Profile, counters: &Counters) -> Result<(), Reason> {
    let gone = counters.used.plus(counters.reserved);
    let over = |wanted: u64, limit: u64, gone: u64| {
        let left = limit.saturating_sub(gone);
        (wanted > left).then_some((limit, left))
    };
    if let Some((limit, left)) = over(wanted.tokens, profile.tokens_per_day, gone.tokens) {
        return Err(Reason::Tokens { limit, left });
    }
    if let Some((limit, left)) = over(wanted.pictures, profile.pictures_per_day, gone.pictures) {
        return Err(Reason::Pictures { limit, left });
    }
    if let Some((limit, left)) = over(wanted.bytes, profile.bytes_per_day, gone.bytes) {
        return Err(Reason::Bytes { limit, left });
    }
    if let Some((limit, left)) = over(wanted.seconds, profile.seconds_per_day, gone.seconds) {
        return Err(Reason::Seconds { limit, left });
    }
    Ok(())
}

#[cfg(test)]
#[path = "evaluate_tests.rs"]
mod tests;
