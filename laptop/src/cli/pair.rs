//! `officectl pair`.

use super::exit::{CliError, Exit};
use super::{Talk, format};
use crate::control::api::{Digits, Network, PairReport, PairStatus};
use crate::sanitize::{visible, visible_within};
use serde_json::Value;
use std::io::{self, Write};
use std::time::Duration;

/// How often the daemon is asked where pairing stands.
const ASK_INTERVAL: Duration = Duration::from_millis(100);

/// Longest words of a trouble that are shown, in characters.
const MAX_WORDS_CHARS: usize = 400;

/// Arguments of `officectl pair`.
#[derive(Debug, Default, clap::Args)]
pub(super) struct Arguments {
    /// Type these digits instead of asking for them; opens the window if it is closed
    #[arg(long, value_name = "DIGITS", conflicts_with_all = ["open", "status", "cancel"])]
    digits: Option<String>,
    /// Only open the window, and end
    #[arg(long, conflicts_with_all = ["status", "cancel"])]
    open: bool,
    /// Only say where pairing stands
    #[arg(long, conflicts_with = "cancel")]
    status: bool,
    /// Close the window
    #[arg(long)]
    cancel: bool,
}

pub(super) fn run(talk: &mut Talk, arguments: &Arguments) -> Result<(), CliError> {
    if arguments.status {
        let report: PairReport = talk.call("pair.status", Value::Null)?;
        return talk.print(&report, whole);
    }
    if arguments.cancel {
        let status: PairStatus = talk.call("pair.cancel", Value::Null)?;
        return talk.print(&status, words);
    }
    let mut report: PairReport = talk.call("pair.status", Value::Null)?;
    if !is_running(&report.status) {
        report = talk.call("pair.open", Value::Null)?;
    }
    if arguments.open {
        return talk.print(&report, whole);
    }
    if !talk.json {
        format::line(&whole(&report))?;
    }
    let name = loop {
        match &report.status {
            PairStatus::Digits { name, .. } => break name.clone(),
            other if is_running(other) => {}
            other => return end(talk, other),
        }
        let before = report;
        report = wait(talk)?;
        // A group that comes up late, or goes: what was said of it holds no longer.
        if !talk.json
            && matches!(report.status, PairStatus::Waiting { .. })
            && ways(&report) != ways(&before)
        {
            format::line(&whole(&report))?;
        }
    };
    let digits = match &arguments.digits {
        Some(digits) => digits.clone(),
        None => ask(&name)?,
    };
    // Wrong digits end the window, so that only something that is no number at all is asked for again.
    let mut answer = talk.call::<PairStatus>("pair.type", Digits { digits });
    while let (Err(error), None) = (&answer, &arguments.digits)
        && error.exit == Exit::Usage
    {
        format::line(&error.message)?;
        answer = talk.call(
            "pair.type",
            Digits {
                digits: ask(&name)?,
            },
        );
    }
    let mut status = answer?;
    let mut told = talk.json;
    while is_running(&status) {
        if !told && matches!(status, PairStatus::Confirming { .. }) {
            format::line(&words(&status))?;
            told = true;
        }
        status = wait(talk)?.status;
    }
    end(talk, &status)
}

fn is_running(status: &PairStatus) -> bool {
    matches!(
        status,
        PairStatus::Waiting { .. } | PairStatus::Digits { .. } | PairStatus::Confirming { .. }
    )
}

fn wait(talk: &mut Talk) -> Result<PairReport, CliError> {
    std::thread::sleep(ASK_INTERVAL);
    talk.call("pair.status", Value::Null)
}

fn ask(name: &str) -> Result<String, CliError> {
    print!("Digits that {} shows: ", visible(name));
    let mut line = String::new();
    let read = io::stdout()
        .flush()
        .and_then(|()| io::stdin().read_line(&mut line));
    match read {
        Ok(0) => Err(CliError::new(Exit::NotPaired, "no digits were typed")),
        Ok(_) => Ok(line.trim().to_owned()),
        Err(error) => Err(CliError::new(
            Exit::Failed,
            format!("the digits cannot be read: {error}"),
        )),
    }
}

fn end(talk: &Talk, status: &PairStatus) -> Result<(), CliError> {
    match status {
        PairStatus::Paired { .. } => talk.print(status, words),
        other => Err(CliError::new(Exit::NotPaired, words(other))),
    }
}

/// Everything that the person needs while a handheld is waited for.
fn whole(report: &PairReport) -> String {
    words(&report.status) + &ways(report)
}

/// How a handheld gets here, and what hinders it.
fn ways(report: &PairReport) -> String {
    let mut text = report.network.as_ref().map(by_hand).unwrap_or_default();
    if let Some(trouble) = &report.trouble {
        text.push_str(match report.network {
            Some(_) => "\nWi-Fi Direct is up, but: ",
            None => "\nWi-Fi Direct is not up: ",
        });
        text.push_str(&visible_within(trouble, MAX_WORDS_CHARS));
    }
    text
}

/// How a handheld without Wi-Fi Direct gets here.
fn by_hand(network: &Network) -> String {
    format!(
        "\nA handheld without Wi-Fi Direct asks for a passphrase:\n  network     {}\n  passphrase  {}   (typed without the spaces)",
        visible(&network.name),
        grouped(&visible(&network.passphrase))
    )
}

/// In groups of four, which eyes do not lose.
fn grouped(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let groups: Vec<String> = characters.chunks(4).map(String::from_iter).collect();
    groups.join(" ")
}

fn words(status: &PairStatus) -> String {
    match status {
        PairStatus::Closed => "The pairing window is closed.".to_owned(),
        PairStatus::Waiting { closes_in_s } => {
            format!(
                "The pairing window is open for {closes_in_s} s. Choose \"Pair a laptop\" on the handheld."
            )
        }
        PairStatus::Digits { closes_in_s, name } => {
            format!(
                "{} shows six digits; type them here within {closes_in_s} s.",
                visible(name)
            )
        }
        PairStatus::Confirming { name, .. } if name.is_empty() => {
            "The digits fit. Press A on the handheld.".to_owned()
        }
        PairStatus::Confirming { name, .. } => {
            format!("The digits fit. Press A on {}.", visible(name))
        }
        PairStatus::Paired { device, name } => {
            format!(
                "{} is paired as device {device}. It asks for everything; see officectl permit.",
                visible(name)
            )
        }
        PairStatus::Failed { reason } => format!("Not paired: {reason}."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_strange_device_is_escaped() {
        let text = words(&PairStatus::Digits {
            closes_in_s: 90,
            name: "\x1b[31mred".into(),
        });
        assert_eq!(
            text,
            "\\u{1b}[31mred shows six digits; type them here within 90 s."
        );
    }

    #[test]
    fn the_network_is_shown_for_those_who_have_to_type_its_passphrase() {
        let report = PairReport {
            status: PairStatus::Waiting { closes_in_s: 120 },
            network: Some(Network {
                name: "DIRECT-ab-Ada\x07".into(),
                passphrase: "kmnp4qrs7tuv".into(),
            }),
            trouble: None,
        };
        let text = whole(&report);
        assert!(text.contains("network     DIRECT-ab-Ada\\u{7}"), "{text}");
        assert!(text.contains("passphrase  kmnp 4qrs 7tuv "), "{text}");
        assert!(!format!("{report:?}").contains("kmnp4qrs7tuv"));
        let without = PairReport {
            network: None,
            trouble: Some("the radio is off".into()),
            ..report.clone()
        };
        assert!(whole(&without).ends_with("\nWi-Fi Direct is not up: the radio is off"));
        let hindered = PairReport {
            trouble: Some("ufw keeps handhelds out".into()),
            ..report
        };
        assert!(whole(&hindered).ends_with("\nWi-Fi Direct is up, but: ufw keeps handhelds out"));
    }

    #[test]
    fn only_three_states_go_on() {
        assert!(is_running(&PairStatus::Waiting { closes_in_s: 1 }));
        assert!(!is_running(&PairStatus::Closed));
        assert!(!is_running(&PairStatus::Failed {
            reason: String::new()
        }));
        assert!(!is_running(&PairStatus::Paired {
            device: 1,
            name: String::new()
        }));
    }
}
