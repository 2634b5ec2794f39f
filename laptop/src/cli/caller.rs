//! Commands about callers of the gateway.

use super::Talk;
use super::device::LimitArguments;
use super::exit::CliError;
use super::format::{span, table};
use crate::control::api::{
    AddedCaller, Allowance, Caller, CallerDetail, DeviceName, NewCaller, Permit,
};
use crate::sanitize::visible;
use serde_json::Value;
use std::fmt::Write;

/// `officectl callers …`.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Give a program of this laptop a key, and print it this once
    Add {
        /// What to call it
        name: String,
        /// Days until the key runs out; without, it holds until it is revoked
        #[arg(long, value_name = "N")]
        days: Option<u32>,
    },
    /// List callers
    List {
        /// Also list revoked ones
        #[arg(long)]
        all: bool,
    },
    /// Show one caller: permissions, limits and use
    Show {
        /// Number or name
        caller: String,
    },
    /// Set what a caller may do: one operation at a time
    Permit {
        /// Number or name
        caller: String,
        /// An operation: chat, complete or generate
        operation: String,
        /// deny, ask or allow
        #[arg(value_parser = ["deny", "ask", "allow"])]
        rule: String,
    },
    /// Set the limits of a caller; those not named stay
    Limit(LimitArguments),
    /// Make a key worthless, at once
    Revoke {
        /// Number or name
        caller: String,
    },
}

pub(super) fn run(talk: &mut Talk, command: &Command) -> Result<(), CliError> {
    match command {
        Command::Add { name, days } => add(talk, name, *days),
        Command::List { all } => list(talk, *all),
        Command::Show { caller } => {
            let detail: CallerDetail = talk.call("callers.show", named(caller))?;
            talk.print(&detail, words)
        }
        Command::Permit {
            caller,
            operation,
            rule,
        } => permit(talk, caller, operation, rule),
        Command::Limit(limit) => {
            let detail: CallerDetail = talk.call("callers.limit", limit.wanted())?;
            talk.print(&detail, words)
        }
        Command::Revoke { caller } => {
            let gone: Caller = talk.call("callers.revoke", named(caller))?;
            talk.print(&gone, |caller| {
                format!(
                    "The key of {} is worthless now, and what ran for it has ended.",
                    visible(&caller.name)
                )
            })
        }
    }
}

fn named(caller: &str) -> DeviceName {
    DeviceName {
        device: caller.to_owned(),
    }
}

fn add(talk: &mut Talk, name: &str, days: Option<u32>) -> Result<(), CliError> {
    let wanted = NewCaller {
        name: name.to_owned(),
        days,
    };
    let added: AddedCaller = talk.call("callers.add", wanted)?;
    talk.print(&added, |added| {
        format!(
            "{}\n\nThis is the key of {}. It is shown this once and kept nowhere: note it now.\n\
             It may do nothing yet without asking you; officectl callers permit changes that.",
            added.key,
            visible(&added.caller.name)
        )
    })
}

fn list(talk: &mut Talk, all: bool) -> Result<(), CliError> {
    let mut callers: Vec<Caller> = talk.call("callers.list", Value::Null)?;
    callers.retain(|caller| all || caller.standing != "revoked");
    talk.print(&callers, |callers| {
        if callers.is_empty() {
            return "No program has a key. Give one out with: officectl callers add NAME"
                .to_owned();
        }
        let rows: Vec<Vec<String>> = callers.iter().map(row).collect();
        table(
            &["ID", "NAME", "STANDING", "EXPIRES", "LAST ASKED", "RUNNING"],
            &rows,
        )
    })
}

fn row(caller: &Caller) -> Vec<String> {
    vec![
        caller.id.to_string(),
        caller.name.clone(),
        caller.standing.clone(),
        expiry(caller),
        caller
            .seen_ago_s
            .map_or("never".to_owned(), |ago| format!("{} ago", span(ago))),
        caller.running.to_string(),
    ]
}

fn expiry(caller: &Caller) -> String {
    match (caller.standing.as_str(), caller.expires_in_s) {
        ("revoked", _) => "-".to_owned(),
        (_, None) => "never".to_owned(),
        (_, Some(left)) if left > 0 => format!("in {}", span(left)),
        (_, Some(left)) => format!("{} ago", span(left)),
    }
}

fn words(detail: &CallerDetail) -> String {
    let (caller, allowance) = (&detail.caller, &detail.allowance);
    let mut text = format!(
        "{} (caller {}), {}\n",
        visible(&caller.name),
        caller.id,
        caller.standing
    );
    let facts = [
        ("Added", format!("{} ago", span(caller.added_ago_s))),
        ("Expires", expiry(caller)),
        (
            "Requests a minute",
            allowance.requests_per_minute.to_string(),
        ),
        ("Tokens today", used(allowance.tokens)),
        ("Pictures today", used(allowance.pictures)),
        ("Language models", join(&allowance.language_models)),
        ("Picture models", join(&allowance.image_models)),
    ];
    for (name, fact) in facts {
        // Writing into a string does not fail.
        let _ = writeln!(text, "  {name:<18} {fact}");
    }
    text.push_str(&rules(allowance));
    text
}

/// The operations that the gateway has, by rule; a caller can use no other.
fn rules(allowance: &Allowance) -> String {
    let mut text = String::new();
    for rule in ["allow", "ask", "deny"] {
        let operations: Vec<&str> = ["chat", "complete", "generate"]
            .into_iter()
            .filter(|name| allowance.rules.get(*name).is_some_and(|set| set == rule))
            .collect();
        if !operations.is_empty() {
            let _ = writeln!(text, "  {rule:<18} {}", operations.join(", "));
        }
    }
    text
}

fn used(pair: (u64, u64)) -> String {
    format!("{} of {}", pair.0, pair.1)
}

fn join(list: &[String]) -> String {
    if list.is_empty() {
        return "none".to_owned();
    }
    let shown: Vec<String> = list.iter().map(|one| visible(one)).collect();
    shown.join(", ")
}

fn permit(talk: &mut Talk, caller: &str, operation: &str, rule: &str) -> Result<(), CliError> {
    let wanted = Permit {
        device: caller.to_owned(),
        operation: operation.to_owned(),
        rule: rule.to_owned(),
    };
    let detail: CallerDetail = talk.call("callers.permit", wanted)?;
    talk.print(&detail, |detail| {
        let name = visible(&detail.caller.name);
        match rule {
            "allow" => format!("{name} may {operation} without asking, within its limits."),
            "ask" => format!("{name} may {operation} when somebody here says yes each time."),
            _ => format!("{name} may not {operation}."),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller() -> Caller {
        Caller {
            id: 4,
            name: "a\x1b]0;x".into(),
            standing: "active".into(),
            added_ago_s: 90,
            expires_in_s: None,
            seen_ago_s: None,
            running: 0,
        }
    }

    #[test]
    fn a_caller_is_shown_in_words_and_escaped() {
        assert_eq!(row(&caller())[2..], ["active", "never", "never", "0"]);
        let detail = CallerDetail {
            caller: caller(),
            allowance: Allowance {
                rules: [("chat", "allow"), ("generate", "ask"), ("put", "ask")]
                    .map(|(name, rule)| (name.to_owned(), rule.to_owned()))
                    .into(),
                language_models: vec!["ollama/*".into()],
                image_models: Vec::new(),
                urls: Vec::new(),
                requests_per_minute: 60,
                tokens: (5, 200),
                pictures: (0, 20),
                bytes: (0, 1 << 30),
                seconds: (0, 14_400),
            },
        };
        let text = words(&detail);
        assert!(
            text.starts_with("a\\u{1b}]0;x (caller 4), active\n"),
            "{text}"
        );
        assert!(text.contains("allow              chat\n"), "{text}");
        assert!(text.contains("ask                generate\n"), "{text}");
    }
}
