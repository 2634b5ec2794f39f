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

/// Says whether an op that was permitted earlier may still start under `profile`: used when the permissions changed
/// while a program runs. Rules of `ask` pass, because a person or an earlier rule has already let this program run.
///
/// # Errors
/// The reason for which it must stop.
pub fn recheck(permit: &OpPermit, profile: &Profile) -> Result<(), Reason> {
    match profile.standing {
        Standing::Active => check_effect(&permit.effect, profile),
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
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Cost, ModelPattern, UrlPattern};

    fn target(operation: Operation) -> Target {
        match (operation, operation.service()) {
            (Operation::Fetch, _) => Target::Url("https://example.org/a".into()),
            (Operation::Fit, _) | (_, Service::System) => Target::Laptop,
            (_, Service::Language | Service::Image) => Target::Model("ollama/llama3.1:8b".into()),
            (_, Service::Files) => Target::Path("notes.txt".into()),
        }
    }

    fn demand_of(operations: &[Operation]) -> Demand {
        let effects = operations.iter().enumerate().map(|(op, operation)| Effect {
            op: op as u8,
            operation: *operation,
            target: target(*operation),
            bound: Usage::default(),
        });
        Demand {
            relationship: 1,
            request: 7,
            digest: [9; 32],
            effects: effects.collect(),
            cost: Cost::default(),
        }
    }

    fn costing(usage: Usage) -> Demand {
        Demand {
            cost: Cost { usage, seconds: 0 },
            ..demand_of(&[Operation::Chat])
        }
    }

    /// Everything allowed, one operation at a time.
    fn open_profile() -> Profile {
        let mut profile = Profile::of_new_device();
        for operation in Operation::ALL {
            profile.set_rule(operation, Rule::Allow);
        }
        profile.urls = vec![UrlPattern::parse("https://example.org/").expect("valid")];
        profile
    }

    fn judge(demand: &Demand, profile: &Profile) -> Verdict {
        evaluate(demand, profile, &Counters::default(), None, 0)
    }

    fn denial(verdict: Verdict) -> Reason {
        match verdict {
            Verdict::Deny(reason) => reason,
            other => panic!("expected a denial, got {other:?}"),
        }
    }

    fn permit(verdict: Verdict) -> Permit {
        match verdict {
            Verdict::Allow(permit) => permit,
            other => panic!("expected a permit, got {other:?}"),
        }
    }

    fn question(verdict: Verdict) -> Prompt {
        match verdict {
            Verdict::Ask(prompt) => prompt,
            other => panic!("expected a question, got {other:?}"),
        }
    }

    #[test]
    fn each_rule_of_each_operation_has_its_verdict() {
        for operation in Operation::ALL {
            let demand = demand_of(&[operation]);
            let mut profile = open_profile();
            permit(judge(&demand, &profile));
            profile.set_rule(operation, Rule::Ask);
            question(judge(&demand, &profile));
            profile.set_rule(operation, Rule::Deny);
            assert_eq!(
                denial(judge(&demand, &profile)),
                Reason::Operation(operation)
            );
        }
    }

    #[test]
    fn denying_one_operation_leaves_the_others_alone() {
        for denied in Operation::ALL {
            let mut profile = open_profile();
            profile.set_rule(denied, Rule::Deny);
            for other in Operation::ALL.into_iter().filter(|other| *other != denied) {
                permit(judge(&demand_of(&[other]), &profile));
            }
        }
    }

    #[test]
    fn one_denied_op_denies_the_whole_program() {
        let mut profile = open_profile();
        profile.set_rule(Operation::Put, Rule::Deny);
        let demand = demand_of(&[Operation::Chat, Operation::Generate, Operation::Put]);
        assert_eq!(
            denial(judge(&demand, &profile)),
            Reason::Operation(Operation::Put)
        );
    }

    #[test]
    fn a_program_asks_once_and_shows_all_of_itself() {
        let mut profile = open_profile();
        profile.set_rule(Operation::Generate, Rule::Ask);
        profile.set_rule(Operation::Put, Rule::Ask);
        let demand = demand_of(&[Operation::Chat, Operation::Generate, Operation::Put]);
        let prompt = question(judge(&demand, &profile));
        assert_eq!(prompt.lines.len(), 3);
        let verdict = evaluate(
            &demand,
            &profile,
            &Counters::default(),
            Some(prompt.consent()),
            0,
        );
        assert_eq!(permit(verdict).effects.len(), 3);
    }

    #[test]
    fn consent_holds_for_its_own_program_only() {
        let profile = Profile::of_new_device();
        let asked = demand_of(&[Operation::Chat]);
        let others = [
            Demand {
                digest: [8; 32],
                ..asked.clone()
            },
            Demand {
                request: 8,
                ..asked.clone()
            },
            Demand {
                relationship: 2,
                ..asked.clone()
            },
        ];
        for other in others {
            let consent = question(judge(&asked, &profile)).consent();
            question(evaluate(
                &other,
                &profile,
                &Counters::default(),
                Some(consent),
                0,
            ));
        }
        let consent = question(judge(&asked, &profile)).consent();
        permit(evaluate(
            &asked,
            &profile,
            &Counters::default(),
            Some(consent),
            0,
        ));
    }

    #[test]
    fn consent_does_not_outvote_a_rule_that_has_become_deny() {
        let mut profile = Profile::of_new_device();
        let demand = demand_of(&[Operation::Chat]);
        let consent = question(judge(&demand, &profile)).consent();
        profile.set_rule(Operation::Chat, Rule::Deny);
        let verdict = evaluate(&demand, &profile, &Counters::default(), Some(consent), 0);
        assert_eq!(denial(verdict), Reason::Operation(Operation::Chat));
    }

    #[test]
    fn expired_and_revoked_devices_get_nothing() {
        for (standing, reason) in [
            (Standing::Expired, Reason::Expired),
            (Standing::Revoked, Reason::Revoked),
        ] {
            let profile = Profile {
                standing,
                ..open_profile()
            };
            for operation in Operation::ALL {
                assert_eq!(denial(judge(&demand_of(&[operation]), &profile)), reason);
            }
        }
    }

    #[test]
    fn models_off_the_list_are_denied_and_listed_ones_allowed() {
        let mut profile = open_profile();
        profile.language_models = vec![ModelPattern::parse("ollama/*").expect("valid")];
        permit(judge(&demand_of(&[Operation::Chat]), &profile));
        let mut demand = demand_of(&[Operation::Chat]);
        demand.effects[0].target = Target::Model("openai/gpt-4o".into());
        assert_eq!(
            denial(judge(&demand, &profile)),
            Reason::Model(Operation::Chat, "openai/gpt-4o".into())
        );
        demand.effects[0].target = Target::Laptop;
        assert_eq!(
            denial(judge(&demand, &profile)),
            Reason::Model(Operation::Chat, String::new())
        );
    }

    #[test]
    fn addresses_off_the_list_are_denied_and_listed_ones_allowed() {
        let profile = open_profile();
        permit(judge(&demand_of(&[Operation::Fetch]), &profile));
        let mut demand = demand_of(&[Operation::Fetch]);
        demand.effects[0].target = Target::Url("https://evil.net/".into());
        assert_eq!(
            denial(judge(&demand, &profile)),
            Reason::Url("https://evil.net/".into())
        );
        demand.effects[0].target = Target::Laptop;
        assert_eq!(denial(judge(&demand, &profile)), Reason::Url(String::new()));
    }

    #[test]
    fn the_rate_denies_the_one_too_many_and_names_the_wait() {
        let profile = Profile {
            requests_per_minute: 2,
            ..open_profile()
        };
        let mut counters = Counters::default();
        for at in [0, 1_000] {
            permit(evaluate(
                &costing(Usage::default()),
                &profile,
                &counters,
                None,
                at,
            ));
            counters.rate.admit(2, at).expect("within the rate");
        }
        let verdict = evaluate(&costing(Usage::default()), &profile, &counters, None, 2_000);
        assert_eq!(
            denial(verdict),
            Reason::Rate {
                per_minute: 2,
                wait_ms: 58_000
            }
        );
        permit(evaluate(
            &costing(Usage::default()),
            &profile,
            &counters,
            None,
            60_000,
        ));
    }

    #[test]
    fn each_budget_allows_its_last_unit_and_denies_the_next() {
        let profile = Profile {
            tokens_per_day: 10,
            pictures_per_day: 10,
            bytes_per_day: 10,
            ..open_profile()
        };
        let counters = Counters {
            used: Usage {
                tokens: 4,
                pictures: 4,
                bytes: 4,
            },
            reserved: Usage {
                tokens: 3,
                pictures: 3,
                bytes: 3,
            },
            ..Counters::default()
        };
        let judge = |usage| evaluate(&costing(usage), &profile, &counters, None, 0);
        permit(judge(Usage {
            tokens: 3,
            pictures: 3,
            bytes: 3,
        }));
        let one_more = Usage {
            tokens: 4,
            ..Usage::default()
        };
        assert_eq!(
            denial(judge(one_more)),
            Reason::Tokens { limit: 10, left: 3 }
        );
        let one_more = Usage {
            pictures: 4,
            ..Usage::default()
        };
        assert_eq!(
            denial(judge(one_more)),
            Reason::Pictures { limit: 10, left: 3 }
        );
        let one_more = Usage {
            bytes: 4,
            ..Usage::default()
        };
        assert_eq!(
            denial(judge(one_more)),
            Reason::Bytes { limit: 10, left: 3 }
        );
    }

    #[test]
    fn an_overdrawn_budget_denies_and_does_not_wrap() {
        let profile = Profile {
            pictures_per_day: 5,
            ..open_profile()
        };
        let used = Usage {
            pictures: u64::MAX,
            ..Usage::default()
        };
        let counters = Counters {
            used,
            reserved: used,
            ..Counters::default()
        };
        let verdict = evaluate(
            &costing(Usage {
                pictures: 1,
                ..used
            }),
            &profile,
            &counters,
            None,
            0,
        );
        assert_eq!(denial(verdict), Reason::Pictures { limit: 5, left: 0 });
    }

    #[test]
    fn a_permit_covers_each_of_its_ops_once() {
        let demand = demand_of(&[Operation::Chat, Operation::Put]);
        let mut permit = permit(judge(&demand, &open_profile()));
        assert_eq!(
            permit.take(1).map(|one| one.effect.operation),
            Some(Operation::Put)
        );
        assert_eq!(permit.take(1), None);
        assert_eq!(permit.take(2), None);
        assert_eq!(
            permit.take(0).map(|one| one.effect.operation),
            Some(Operation::Chat)
        );
    }

    #[test]
    fn a_changed_profile_stops_the_ops_that_it_now_denies() {
        let demand = demand_of(&[Operation::Chat, Operation::Put]);
        let mut profile = open_profile();
        let mut permit = permit(judge(&demand, &profile));
        profile.set_rule(Operation::Put, Rule::Deny);
        let (chat, put) = (permit.take(0).expect("chat"), permit.take(1).expect("put"));
        assert_eq!(recheck(&chat, &profile), Ok(()));
        assert_eq!(
            recheck(&put, &profile),
            Err(Reason::Operation(Operation::Put))
        );
        profile.standing = Standing::Revoked;
        assert_eq!(recheck(&chat, &profile), Err(Reason::Revoked));
    }

    #[test]
    fn reasons_name_what_was_wrong() {
        assert_eq!(
            Reason::Pictures { limit: 20, left: 0 }.to_string(),
            "today's 20 pictures are used up"
        );
        assert_eq!(
            Reason::Rate {
                per_minute: 60,
                wait_ms: 1_001
            }
            .to_string(),
            "the laptop allows 60 requests a minute; try again in 2 s"
        );
        assert_eq!(
            Reason::Model(Operation::Chat, "a\x1bb".into()).to_string(),
            "the laptop does not allow a\\u{1b}b for chat"
        );
    }
}
