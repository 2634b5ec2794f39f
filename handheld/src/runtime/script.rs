//! Scripted runs: lines in, one answer for each. They press buttons and look; they reach past no screen.
//!
//! ```text
//! press A [B ...]          presses and lets go, one after the other
//! hold Right 300           holds for so many milliseconds
//! chord Right A            holds the first, presses the others, lets go
//! down A / up A            closes or opens a contact
//! type TEXT                presses what types the text on the keyboard that shows
//! shot FILE.png            writes the panel as a picture
//! model                    facts of the model as JSON, one object of strings
//! wait NAME=VALUE MS       until a fact has this value (NAME~PART: contains it, NAME!VALUE: differs)
//! quit                     ends the app
//! ```

use std::io::{BufRead, Write};

use smol::channel::{Receiver, Sender, bounded};

use super::facts::Facts;
use crate::entry::keyboard::Keyboard;
use crate::entry::typing::{Step, keys_for};
use crate::input::Button;
use crate::time::Millis;

/// Longest line of a script in octets.
const MAX_LINE: usize = 64 * 1024;

/// What a finger does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finger {
    /// Closes (true) or opens a contact.
    Set(Button, bool),
    /// Waits so many milliseconds.
    Wait(u64),
}

/// A line, understood, and where its answer goes.
#[derive(Debug)]
pub enum Order {
    /// Move fingers.
    Fingers(Vec<Finger>, Sender<String>),
    /// Type a text.
    Type(String, Sender<String>),
    /// Write the panel as a picture.
    Shot(String, Sender<String>),
    /// Tell the facts.
    Facts(Sender<String>),
    /// Wait for a condition, so many milliseconds at most.
    Ask(Condition, u64, Sender<String>),
    /// End.
    Quit(Sender<String>),
}

/// How a fact shall be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    name: String,
    sign: char,
    value: String,
}

impl Condition {
    /// Reads `name=value`, `name~part` or `name!value`.
    pub fn parse(text: &str) -> Option<Self> {
        let at = text.find(['=', '~', '!'])?;
        let (name, rest) = text.split_at(at);
        let sign = rest.chars().next()?;
        (!name.is_empty()).then(|| Self {
            name: name.into(),
            sign,
            value: rest[1..].into(),
        })
    }

    /// Whether the facts are so. A fact that does not exist is empty.
    pub fn holds(&self, facts: &Facts) -> bool {
        let value = facts.get(&self.name).map_or("", String::as_str);
        match self.sign {
            '=' => value == self.value,
            '~' => value.contains(&self.value),
            _ => value != self.value,
        }
    }
}

/// A question that waits.
#[derive(Debug)]
pub struct Ask {
    condition: Option<Condition>,
    /// When it is answered at the latest.
    pub until: Millis,
    done: Sender<String>,
}

impl Ask {
    /// Answered once no finger moves any more.
    pub fn fingers(until: Millis, done: Sender<String>) -> Self {
        Self {
            condition: None,
            until,
            done,
        }
    }

    /// Answered once the condition holds.
    pub fn condition(condition: Condition, until: Millis, done: Sender<String>) -> Self {
        Self {
            condition: Some(condition),
            until,
            done,
        }
    }

    /// Answers if it can be answered now; true if so.
    pub fn settle(&self, facts: &Facts, fingers_left: bool, now: Millis) -> bool {
        match &self.condition {
            None if fingers_left || now < self.until => false,
            None => {
                reply(&self.done, "ok");
                true
            }
            Some(condition) if condition.holds(facts) => {
                reply(&self.done, "ok");
                true
            }
            Some(condition) if now >= self.until => {
                let value = facts.get(&condition.name).map_or("", String::as_str);
                reply(
                    &self.done,
                    &format!("timeout: {} is {value:?}", condition.name),
                );
                true
            }
            Some(_) => false,
        }
    }
}

/// Answers a line; a script that has gone needs none.
pub fn reply(to: &Sender<String>, text: &str) {
    let _ = to.try_send(text.to_owned());
}

/// The fingers that type this text, as the keyboard stands.
pub fn typing(keyboard: &Keyboard, text: &str) -> Option<Vec<Finger>> {
    let steps = keys_for(keyboard, text)?;
    Some(
        steps
            .into_iter()
            .map(|step| match step {
                Step::Press(button) => Finger::Set(button, true),
                Step::Release(button) => Finger::Set(button, false),
                Step::Wait(ms) => Finger::Wait(ms),
            })
            .collect(),
    )
}

/// Understands a line; the error is the answer.
pub fn parse(line: &str) -> Result<(Order, Receiver<String>), String> {
    let (done, answer) = bounded(1);
    let line = line.trim_end_matches(['\r', '\n']);
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    let button = |label: &str| {
        Button::from_label(label).ok_or_else(|| format!("error: no button {label:?}"))
    };
    let buttons = || {
        rest.split_whitespace()
            .map(button)
            .collect::<Result<Vec<_>, _>>()
    };
    let order = match word {
        "press" => {
            let steps = buttons()?
                .into_iter()
                .flat_map(|b| [Finger::Set(b, true), Finger::Set(b, false)]);
            Order::Fingers(steps.collect(), done)
        }
        "hold" => {
            let (label, ms) = rest.split_once(' ').ok_or("error: hold BUTTON MS")?;
            let (button, ms) = (
                button(label)?,
                ms.parse().map_err(|_| "error: hold BUTTON MS")?,
            );
            Order::Fingers(
                vec![
                    Finger::Set(button, true),
                    Finger::Wait(ms),
                    Finger::Set(button, false),
                ],
                done,
            )
        }
        "chord" => {
            let buttons = buttons()?;
            let (&first, others) = buttons.split_first().ok_or("error: chord BUTTON BUTTON")?;
            let mut steps = vec![Finger::Set(first, true)];
            steps.extend(
                others
                    .iter()
                    .flat_map(|&b| [Finger::Set(b, true), Finger::Set(b, false)]),
            );
            steps.push(Finger::Set(first, false));
            Order::Fingers(steps, done)
        }
        "down" | "up" => Order::Fingers(vec![Finger::Set(button(rest)?, word == "down")], done),
        "type" => Order::Type(rest.to_owned(), done),
        "shot" => Order::Shot(rest.to_owned(), done),
        "model" => Order::Facts(done),
        "wait" => {
            let (condition, ms) = rest.rsplit_once(' ').ok_or("error: wait NAME=VALUE MS")?;
            let condition = Condition::parse(condition).ok_or("error: wait NAME=VALUE MS")?;
            Order::Ask(
                condition,
                ms.parse().map_err(|_| "error: wait NAME=VALUE MS")?,
                done,
            )
        }
        "quit" => Order::Quit(done),
        other => return Err(format!("error: no command {other:?}")),
    };
    Ok((order, answer))
}

/// Reads lines until they end, and answers each before the next is read.
pub fn serve(input: impl BufRead, mut output: impl Write, orders: &Sender<Order>) {
    for line in input.lines() {
        let Ok(line) = line else { return };
        if line.trim().is_empty() {
            continue;
        }
        let answer = if line.len() > MAX_LINE {
            "error: the line is too long".to_owned()
        } else {
            match parse(&line) {
                Ok((order, answer)) => {
                    if orders.send_blocking(order).is_err() {
                        return;
                    }
                    answer
                        .recv_blocking()
                        .unwrap_or_else(|_| "error: the app has ended".to_owned())
                }
                Err(error) => error,
            }
        };
        if writeln!(output, "{answer}")
            .and_then(|()| output.flush())
            .is_err()
        {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fingers(line: &str) -> Vec<Finger> {
        match parse(line).unwrap().0 {
            Order::Fingers(steps, _) => steps,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn lines_move_fingers() {
        use Button::{A, Right, Select, Start};
        use Finger::{Set, Wait};
        assert_eq!(
            fingers("press A start"),
            [
                Set(A, true),
                Set(A, false),
                Set(Start, true),
                Set(Start, false)
            ]
        );
        assert_eq!(
            fingers("hold Right 300"),
            [Set(Right, true), Wait(300), Set(Right, false)]
        );
        assert_eq!(
            fingers("chord Start Select"),
            [
                Set(Start, true),
                Set(Select, true),
                Set(Select, false),
                Set(Start, false)
            ]
        );
        assert_eq!(fingers("down A"), [Set(A, true)]);
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for (line, error) in [
            ("press C", "error: no button \"C\""),
            ("dance", "error: no command \"dance\""),
            ("hold A", "error: hold BUTTON MS"),
            ("wait link 5", "error: wait NAME=VALUE MS"),
        ] {
            assert_eq!(parse(line).unwrap_err(), error, "{line}");
        }
    }

    #[test]
    fn a_wait_ends_with_its_condition_or_with_what_was_there_instead() {
        let facts = Facts::from([("link".to_owned(), "away".to_owned())]);
        for (text, holds) in [
            ("link=away", true),
            ("link~wa", true),
            ("link!linked", true),
            ("link=", false),
            ("x=", true),
        ] {
            assert_eq!(
                Condition::parse(text).unwrap().holds(&facts),
                holds,
                "{text}"
            );
        }
        let (done, answer) = bounded(1);
        let ask = Ask::condition(Condition::parse("link=linked").unwrap(), Millis(10), done);
        assert!(!ask.settle(&facts, false, Millis(9)));
        assert!(ask.settle(&facts, false, Millis(10)));
        assert_eq!(answer.recv_blocking().unwrap(), "timeout: link is \"away\"");
    }

    #[test]
    fn every_line_is_answered_in_order() {
        let (orders, taken) = bounded(4);
        let app = std::thread::spawn(move || {
            while let Ok(order) = taken.recv_blocking() {
                if let Order::Facts(done) | Order::Quit(done) = order {
                    reply(&done, "yes");
                }
            }
        });
        let mut out = Vec::new();
        serve(&b"model\n\nnonsense\nquit\n"[..], &mut out, &orders);
        drop(orders);
        app.join().unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "yes\nerror: no command \"nonsense\"\nyes\n"
        );
    }
}
