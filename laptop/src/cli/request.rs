//! Commands about requests: those that wait for an answer, and what happens.

use super::exit::CliError;
use super::format::{line, span, table, yaml};
use super::{Format, Out, Talk};
use crate::control::api::{Event, PairStatus, Pending, PendingId};
use crate::sanitize::{visible, visible_within};
use serde_json::Value;

/// Longest reason or outcome on a line of `watch`, in characters.
const MAX_WORDS_CHARS: usize = 300;

pub(super) fn pending(talk: &mut Talk) -> Result<(), CliError> {
    let waiting: Vec<Pending> = talk.call("pending.list", Value::Null)?;
    talk.print(&waiting, |waiting| {
        if waiting.is_empty() {
            return "Nothing waits for an answer.".to_owned();
        }
        let rows: Vec<Vec<String>> = waiting
            .iter()
            .map(|one| {
                let wants = [one.wants.join("; "), one.cost.clone()];
                let wants = wants
                    .into_iter()
                    .filter(|part| !part.is_empty())
                    .collect::<Vec<_>>()
                    .join(" – ");
                vec![
                    one.id.to_string(),
                    one.name.clone(),
                    span(one.expires_in_s as i64),
                    wants,
                ]
            })
            .collect();
        table(&["ID", "DEVICE", "WITHIN", "WANTS TO"], &rows)
    })
}

pub(super) fn answer(talk: &mut Talk, id: u64, yes: bool, always: bool) -> Result<(), CliError> {
    let method = if yes { "approve" } else { "deny" };
    let asked: Pending = talk.call(method, PendingId { id, always })?;
    talk.print(&asked, |asked| {
        let what = asked
            .wants
            .iter()
            .map(|want| visible(want))
            .collect::<Vec<_>>()
            .join("; ");
        let verb = if yes { "Approved" } else { "Denied" };
        let so = match (yes, always) {
            (true, true) => ", from now on without asking",
            _ => "",
        };
        format!(
            "{verb}: {} may{} {what}{so}.",
            visible(&asked.name),
            if yes { "" } else { " not" }
        )
    })
}

pub(super) fn watch(talk: Talk) -> Result<(), CliError> {
    let (json, out) = (talk.json, talk.out);
    if !json {
        line(
            "Watching. Answer requests in another terminal with: officectl approve ID, or officectl deny ID",
        )?;
    }
    let mut failed = None;
    talk.client.watch(|event| {
        let printed = if json {
            programs(out, event)
        } else {
            match serde_json::from_value::<Event>(event.clone()) {
                Ok(event) => words(&event).iter().try_for_each(|words| line(words)),
                Err(error) => Err(CliError::internal(error)),
            }
        };
        failed = printed.err();
        failed.is_none()
    })?;
    failed.map_or(Ok(()), Err)
}

/// An event as one line of JSON, or as a document of YAML.
fn programs(out: Out, event: &Value) -> Result<(), CliError> {
    match out.format {
        Format::Yaml => line(&format!("---\n{}", yaml(event).trim_end())),
        Format::Json => line(&event.to_string()),
        Format::Table => Ok(()),
    }
}

/// An event as lines of plain words.
fn words(event: &Event) -> Vec<String> {
    let one = |text: String| vec![text];
    match event {
        Event::Linked { name } => one(format!("{} is linked.", visible(name))),
        Event::Unlinked { name } => one(format!("{} has left.", visible(name))),
        Event::Asks(asks) => {
            let mut lines = vec![format!(
                "[{}] {} asks, for {}:",
                asks.id,
                visible(&asks.name),
                span(asks.expires_in_s as i64)
            )];
            lines.extend(
                asks.wants
                    .iter()
                    .map(|want| format!("      {}", visible(want))),
            );
            if !asks.cost.is_empty() {
                lines.push(format!("      {}", visible(&asks.cost)));
            }
            lines.push(format!(
                "      officectl approve {0}   or   officectl deny {0}",
                asks.id
            ));
            lines
        }
        Event::Answered { id, answer } => one(match answer.as_str() {
            "yes" => format!("[{id}] approved."),
            "no" => format!("[{id}] denied."),
            "expired" => format!("[{id}] nobody answered; it was refused."),
            _ => format!("[{id}] the device took it back."),
        }),
        Event::Started {
            name,
            request,
            wants,
        } => {
            let wants = wants
                .iter()
                .map(|want| visible(want))
                .collect::<Vec<_>>()
                .join("; ");
            one(format!("{} #{request}: {wants}", visible(name)))
        }
        Event::Ended {
            name,
            request,
            outcome,
        } => one(format!(
            "{} #{request}: {}",
            visible(name),
            visible_within(outcome, MAX_WORDS_CHARS)
        )),
        Event::Denied {
            name,
            request,
            reason,
        } => one(format!(
            "{} #{request} refused: {}",
            visible(name),
            visible_within(reason, MAX_WORDS_CHARS)
        )),
        Event::Pairing(status) => one(match status {
            PairStatus::Closed => "Pairing: the window is closed.".to_owned(),
            PairStatus::Waiting { .. } => "Pairing: the window is open.".to_owned(),
            PairStatus::Digits { name, .. } => format!("Pairing: {} shows digits.", visible(name)),
            PairStatus::Confirming { .. } => {
                "Pairing: the digits fit; the handheld has to confirm.".to_owned()
            }
            PairStatus::Paired { name, .. } => format!("Pairing: {} is paired.", visible(name)),
            PairStatus::Failed { reason } => {
                format!("Pairing: {}", visible_within(reason, MAX_WORDS_CHARS))
            }
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_says_who_asks_what_it_costs_and_how_to_answer() {
        let asks = Pending {
            id: 4,
            device: 1,
            name: "Ada\x07".into(),
            wants: vec![
                "chat with ollama/llama3.1:8b".into(),
                "write notes.txt into its drop folder".into(),
            ],
            cost: "at most 500 tokens".into(),
            expires_in_s: 60,
            operations: vec!["chat".into(), "put".into()],
        };
        assert_eq!(
            words(&Event::Asks(asks)),
            [
                "[4] Ada\\u{7} asks, for 60 s:",
                "      chat with ollama/llama3.1:8b",
                "      write notes.txt into its drop folder",
                "      at most 500 tokens",
                "      officectl approve 4   or   officectl deny 4",
            ]
        );
    }

    #[test]
    fn no_event_lets_a_terminal_sequence_through() {
        let name = "\x1b[2J".to_owned();
        for event in [
            Event::Linked { name: name.clone() },
            Event::Unlinked { name: name.clone() },
            Event::Started {
                name: name.clone(),
                request: 1,
                wants: vec![name.clone()],
            },
            Event::Ended {
                name: name.clone(),
                request: 1,
                outcome: name.clone(),
            },
            Event::Denied {
                name: name.clone(),
                request: 1,
                reason: name.clone(),
            },
            Event::Pairing(PairStatus::Digits {
                closes_in_s: 1,
                name: name.clone(),
            }),
            Event::Pairing(PairStatus::Failed {
                reason: name.clone(),
            }),
        ] {
            assert!(
                words(&event).iter().all(|line| !line.contains('\x1b')),
                "{event:?}"
            );
        }
    }
}
