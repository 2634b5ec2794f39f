//! Button scripts: what fingers do, in a line of text. Scenario tests and the end-to-end driver share them.
//!
//! | token | meaning |
//! |---|---|
//! | `A`, `Down`, `l1` | presses the button and lets it go |
//! | `Down*3` | three times |
//! | `Right+A` | presses in this order, lets go in the opposite order |
//! | `hold:Select` | holds for a long press, then lets go |
//! | `press:Right`, `release:Right` | only one half of it |
//! | `250ms` | waits |
//! | `"Good morning"` | types the text on the keyboard that shows (`\"` and `\\` inside) |

use std::fmt;

use super::model::Model;
use super::msg::Msg;
use super::{Effects, update};
use crate::entry::typing::{Step, keys_for};
use crate::input::button::Button;
use crate::input::repeat::{HOLD, Tracker};
use crate::time::Millis;

/// One token of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token {
    /// What fingers do.
    Steps(Vec<Step>),
    /// A text to type on the keyboard that shows when its turn comes.
    Text(String),
}

/// A token that means nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptError {
    /// The token.
    pub token: String,
    /// What is wrong with it.
    pub why: &'static str,
}

impl fmt::Display for ScriptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` in the script: {}", self.token, self.why)
    }
}

impl std::error::Error for ScriptError {}

/// Reads a script.
///
/// # Errors
/// [`ScriptError`] at the first token that means nothing.
pub fn parse(script: &str) -> Result<Vec<Token>, ScriptError> {
    let mut tokens = Vec::new();
    let mut rest = script.trim_start();
    while !rest.is_empty() {
        if let Some(quoted) = rest.strip_prefix('"') {
            let (text, behind) = quoted_text(quoted)?;
            tokens.push(Token::Text(text));
            rest = behind.trim_start();
            continue;
        }
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        tokens.push(Token::Steps(steps(&rest[..end])?));
        rest = rest[end..].trim_start();
    }
    Ok(tokens)
}

fn quoted_text(quoted: &str) -> Result<(String, &str), ScriptError> {
    let mut text = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Ok((text, &quoted[at + 1..])),
            '\\' => match chars.next() {
                Some((_, c)) => text.push(c),
                None => break,
            },
            c => text.push(c),
        }
    }
    Err(ScriptError {
        token: format!("\"{quoted}"),
        why: "the text does not end",
    })
}

fn steps(token: &str) -> Result<Vec<Step>, ScriptError> {
    let error = |why| ScriptError {
        token: token.into(),
        why,
    };
    let button =
        |label: &str| Button::from_label(label).ok_or_else(|| error("there is no such button"));
    if let Some(ms) = token.strip_suffix("ms") {
        return ms
            .parse()
            .map(|ms| vec![Step::Wait(ms)])
            .map_err(|_| error("a wait is a number and `ms`"));
    }
    if let Some(label) = token.strip_prefix("hold:") {
        let button = button(label)?;
        return Ok(vec![
            Step::Press(button),
            Step::Wait(HOLD + 1),
            Step::Release(button),
        ]);
    }
    if let Some(label) = token.strip_prefix("press:") {
        return Ok(vec![Step::Press(button(label)?)]);
    }
    if let Some(label) = token.strip_prefix("release:") {
        return Ok(vec![Step::Release(button(label)?)]);
    }
    let (chord, times) = match token.split_once('*') {
        Some((chord, times)) => (
            chord,
            times
                .parse()
                .map_err(|_| error("after `*` comes a number"))?,
        ),
        None => (token, 1usize),
    };
    if times > 1000 {
        return Err(error("more than a thousand times"));
    }
    let buttons = chord
        .split('+')
        .map(button)
        .collect::<Result<Vec<_>, _>>()?;
    let presses = buttons.iter().map(|b| Step::Press(*b));
    let releases = buttons.iter().rev().map(|b| Step::Release(*b));
    let once: Vec<Step> = presses.chain(releases).collect();
    Ok(std::iter::repeat_n(once, times).flatten().collect())
}

/// Milliseconds between two steps of a script.
pub const STEP_MS: u64 = 30;

/// Plays scripts on a model, with the clock of the script.
#[derive(Debug)]
pub struct Player {
    /// The model.
    pub model: Model,
    /// The clock.
    pub now: Millis,
    /// All effects so far, in order.
    pub effects: Effects,
    tracker: Tracker,
}

impl Player {
    /// A player that begins at one second, so that no instant is zero.
    pub fn new(model: Model) -> Self {
        Self {
            model,
            now: Millis(1000),
            effects: Effects::new(),
            tracker: Tracker::new(),
        }
    }

    /// Hands a message in; returns its effects, which are also kept.
    pub fn send(&mut self, msg: Msg) -> Effects {
        let effects = update(&mut self.model, msg, self.now);
        self.effects.extend(effects.iter().cloned());
        effects
    }

    /// Plays a script; returns the effects of all of it.
    ///
    /// # Errors
    /// [`ScriptError`] for a token that means nothing, or a text that the keyboard cannot type.
    pub fn play(&mut self, script: &str) -> Result<Effects, ScriptError> {
        let mut effects = Effects::new();
        for token in parse(script)? {
            let steps = match token {
                Token::Steps(steps) => steps,
                Token::Text(text) => {
                    let why = "the keyboard that shows cannot type this";
                    keys_for(&self.model.keyboard, &text).ok_or(ScriptError { token: text, why })?
                }
            };
            for step in steps {
                effects.extend(self.step(step));
            }
        }
        Ok(effects)
    }

    /// Does one step.
    pub fn step(&mut self, step: Step) -> Effects {
        let mut effects = Effects::new();
        let (set, wait) = match step {
            Step::Press(button) => (Some((button, true)), STEP_MS),
            Step::Release(button) => (Some((button, false)), STEP_MS),
            Step::Wait(ms) => (None, ms),
        };
        if let Some((button, pressed)) = set
            && let Some(press) = self.tracker.set(button, pressed, self.now)
        {
            effects.extend(self.send(Msg::Button(press)));
        }
        effects.extend(self.wait(wait));
        effects
    }

    /// Lets time pass: long presses, repeats and the wake-ups that the model asked for happen when they are due.
    pub fn wait(&mut self, ms: u64) -> Effects {
        let mut effects = Effects::new();
        let end = self.now.plus(ms);
        loop {
            let due = [self.tracker.next_wake(), self.model.timer]
                .into_iter()
                .flatten()
                .min();
            let Some(due) = due.filter(|due| *due <= end) else {
                break;
            };
            self.now = self.now.max(due);
            while let Some(press) = self.tracker.due(self.now) {
                effects.extend(self.send(Msg::Button(press)));
            }
            if self.model.timer.is_some_and(|timer| timer <= self.now) {
                // The wake-up is spent; the model asks for the next one.
                self.model.timer = None;
                effects.extend(self.send(Msg::Tick));
            }
        }
        self.now = end;
        effects
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_taps_chords_holds_waits_and_texts() {
        let tokens = parse("A Down*2 Right+A hold:select 250ms \"a \\\"b\\\"\" press:l1").unwrap();
        assert_eq!(tokens.len(), 7);
        assert_eq!(
            tokens[0],
            Token::Steps(vec![Step::Press(Button::A), Step::Release(Button::A)])
        );
        assert_eq!(
            tokens[1],
            Token::Steps(vec![
                Step::Press(Button::Down),
                Step::Release(Button::Down),
                Step::Press(Button::Down),
                Step::Release(Button::Down)
            ])
        );
        assert_eq!(
            tokens[2],
            Token::Steps(vec![
                Step::Press(Button::Right),
                Step::Press(Button::A),
                Step::Release(Button::A),
                Step::Release(Button::Right)
            ])
        );
        assert_eq!(tokens[4], Token::Steps(vec![Step::Wait(250)]));
        assert_eq!(tokens[5], Token::Text("a \"b\"".into()));
    }

    #[test]
    fn a_token_that_means_nothing_is_named() {
        assert_eq!(parse("A Foo").unwrap_err().token, "Foo");
        assert!(
            parse("\"open").is_err()
                && parse("A*x").is_err()
                && parse("xms").is_err()
                && parse("A*1001").is_err()
        );
    }
}
