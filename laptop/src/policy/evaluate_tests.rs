//! Both sides of every rule, list, rate and budget.

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
            seconds: 4,
        },
        reserved: Usage {
            tokens: 3,
            pictures: 3,
            bytes: 3,
            seconds: 3,
        },
        ..Counters::default()
    };
    let judge = |usage| evaluate(&costing(usage), &profile, &counters, None, 0);
    permit(judge(Usage {
        tokens: 3,
        pictures: 3,
        bytes: 3,
        seconds: 3,
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
    assert_eq!(recheck(chat.effect(), &profile), Ok(()));
    assert_eq!(
        recheck(put.effect(), &profile),
        Err(Reason::Operation(Operation::Put))
    );
    profile.standing = Standing::Revoked;
    assert_eq!(recheck(chat.effect(), &profile), Err(Reason::Revoked));
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
