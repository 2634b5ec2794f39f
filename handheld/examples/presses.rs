//! Counts the presses that text entry costs at best: `scripts/bench text` runs it and says on which text.
//!
//! `presses OFFSET FILE...` reads fortune files and keeps each fourth quotation from OFFSET (0 to 3).
//! `presses cost off|fresh|full ROUNDS` types a sentence on the arc again and again, for callgrind to count, without
//! suggestions, with them, or with a full memory beside; it prints the sentence's characters.

#[path = "../tests/presses/mod.rs"]
mod presses;

use std::process::ExitCode;

use handheld::entry::learned::{Learned, MAX_LEARNED};
use handheld::entry::typing::{self, keys_for};
use handheld::entry::{Keyboard, Mode, Purpose, Settings};
use handheld::time::Millis;
use presses::layout::{Counting, Grid, Layout, Petals, Plain, WHEEL};
use presses::plan::{Planner, Played, Words, execute};

/// Octets of a quotation at least.
const SHORTEST: usize = 20;

/// How much the keyboard knows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Memory {
    /// What it is shipped with.
    Fresh,
    /// Also what was sent before.
    Grows,
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).peekable();
    if arguments.next_if(|word| word == "cost").is_some() {
        let kind = arguments.next().unwrap_or_default();
        let rounds = arguments.next().and_then(|n| n.parse().ok()).unwrap_or(1);
        return cost(&kind, rounds);
    }
    let offset: usize = arguments.next().and_then(|n| n.parse().ok()).unwrap_or(1);
    let mut all = Vec::new();
    for file in arguments {
        match std::fs::read_to_string(&file) {
            Ok(text) => all.extend(quotations(&text)),
            Err(error) => {
                eprintln!("{file}: {error}");
                return ExitCode::FAILURE;
            }
        }
    }
    let kept: Vec<String> = all.into_iter().skip(offset).step_by(4).collect();
    let foreign = kept.iter().filter(|text| !typeable(text)).count();
    let texts: Vec<String> = kept.into_iter().filter(|text| typeable(text)).collect();
    let count: usize = texts.iter().map(String::len).sum();
    println!(
        "{} quotations, {count} characters; {foreign} more hold characters outside ASCII and are left out\n",
        texts.len()
    );
    println!(
        "| | direction 1 | released | contacts | released | accepted, held (contacts) |\n|---|---|---|---|---|---|"
    );
    let mut failed = false;
    let peer = |name: &str, tables| {
        let value = |counting, released| {
            let layout = Petals {
                counting,
                released,
                peer: Some(tables),
            };
            format!("{:.3}", per(planned(&layout, &texts), count))
        };
        row(name, &four(value), "");
    };
    let plain = format!("{:.3}", per(planned(&Plain, &texts), count));
    row(
        "QWERTY grid with a space key, no edge wraps",
        &[plain, "same".into(), "same".into(), "same".into()],
        "",
    );
    peer("wheel of 8 by 4, a to z", WHEEL);
    for (name, words, memory) in [
        ("", Words::Off, Memory::Fresh),
        (" + completion", Words::Begun, Memory::Fresh),
        (" + completion and next word", Words::Three, Memory::Fresh),
        (
            " + both, and what was written before",
            Words::Three,
            Memory::Grows,
        ),
        (
            " + all, and three more behind a hold",
            Words::Six,
            Memory::Grows,
        ),
    ] {
        let mut notes = String::new();
        let grid = Grid::new();
        let played = play(&grid, Mode::Grid, words, memory, &texts, &mut failed);
        let note = |played: Played| format!("{}, {}", played.accepted, played.held);
        let value = format!("{:.3}", per(played.contacts, count));
        row(
            &format!("grid{name}"),
            &[value, "same".into(), "same".into(), "same".into()],
            &note(played),
        );
        let values = four(|counting, released| {
            let layout = Petals {
                counting,
                released,
                peer: None,
            };
            let played = play(&layout, Mode::Arc, words, memory, &texts, &mut failed);
            let presses = match counting {
                Counting::Directions => played.directions,
                Counting::Contacts => played.contacts,
            };
            notes = note(played);
            format!("{:.3}", per(presses, count))
        });
        row(&format!("arc{name}"), &values, &notes);
    }
    if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

/// Letters that are behind every word of the sentence, and a memory as full as it gets.
fn cost(kind: &str, rounds: u32) -> ExitCode {
    const SENTENCE: &str =
        "Could you make it warmer, and add the time of day? They start so late on Saturday.";
    let mut keyboard = Keyboard::new(Settings {
        mode: Mode::Arc,
        suggestions: kind != "off",
        ..Settings::default()
    });
    let Some(steps) = keys_for(&keyboard, SENTENCE) else {
        return ExitCode::FAILURE;
    };
    let presses = typing::play(&steps, Millis(0), 50);
    if rounds > 0 && kind == "full" {
        let letters = |n: usize| -> String {
            format!("{n:04}")
                .bytes()
                .map(|b| (b'a' + (b - b'0') * 2) as char)
                .collect()
        };
        let memory: String = (0..MAX_LEARNED)
            .map(|n| format!("{} {}\n1 the {}\n", n % 7 + 1, letters(n), letters(n)))
            .collect();
        keyboard.learned_mut().import(&memory);
    }
    if rounds == 0 && kind != "off" {
        keyboard.open("", Purpose::Prose);
    }
    for _ in 0..rounds {
        keyboard.open("", Purpose::Prose);
        for &press in &presses {
            keyboard.handle(press, press.at);
        }
        if keyboard.text() != SENTENCE {
            return ExitCode::FAILURE;
        }
    }
    println!("{}", SENTENCE.len());
    ExitCode::SUCCESS
}

fn row(name: &str, values: &[String], note: &str) {
    println!("| {name} | {} | {note} |", values.join(" | "));
}

fn four(mut value: impl FnMut(Counting, bool) -> String) -> Vec<String> {
    let mut values = Vec::new();
    for counting in [Counting::Directions, Counting::Contacts] {
        for released in [false, true] {
            values.push(value(counting, released));
        }
    }
    values
}

fn per(presses: u32, count: usize) -> f64 {
    f64::from(presses) / count as f64
}

/// The sum of what plans cost on a layout that no machine plays.
fn planned<L: Layout>(layout: &L, texts: &[String]) -> u32 {
    let learned = Learned::new();
    texts
        .iter()
        .filter_map(|text| Planner::new(layout, Words::Off, &learned, text).plan())
        .map(|(cost, _)| cost)
        .sum()
}

/// Plans each text and plays it on one keyboard, as one person would: send, and the next.
fn play<L: Layout>(
    layout: &L,
    mode: Mode,
    words: Words,
    memory: Memory,
    texts: &[String],
    failed: &mut bool,
) -> Played {
    let mut keyboard = Keyboard::new(Settings {
        mode,
        suggestions: words != Words::Off,
        ..Settings::default()
    });
    keyboard.set_offer_arc(false);
    let mut sum = Played::default();
    for text in texts {
        keyboard.open("", Purpose::Prose);
        let Some((cost, acts)) = Planner::new(layout, words, keyboard.learned(), text).plan()
        else {
            eprintln!("no plan: {text}");
            *failed = true;
            continue;
        };
        match execute(layout, &mut keyboard, &acts, text) {
            Ok(played) => {
                if cost != played.contacts && cost != played.directions {
                    eprintln!("planned {cost}, played {played:?}: {text}");
                    *failed = true;
                }
                sum.contacts += played.contacts;
                sum.directions += played.directions;
                sum.accepted += played.accepted;
                sum.held += played.held;
            }
            Err(got) => {
                eprintln!("wanted: {text}\ngot:    {got}");
                *failed = true;
            }
        }
        if memory == Memory::Grows {
            keyboard.learned_mut().learn(text);
        }
    }
    sum
}

fn typeable(text: &str) -> bool {
    text.bytes().all(|b| (b' '..=b'~').contains(&b))
}

/// The quotations of a fortune file without attributions and double-tab lines, white space joined, short ones dropped.
fn quotations(file: &str) -> Vec<String> {
    file.split("\n%\n")
        .map(|quotation| {
            quotation
                .lines()
                .filter(|line| !line.starts_with("\t\t") && !line.trim_start().starts_with("--"))
                .flat_map(str::split_whitespace)
                .collect::<Vec<_>>()
                .join(" ")
        })
        .filter(|quotation| quotation.chars().count() >= SHORTEST)
        .collect()
}
