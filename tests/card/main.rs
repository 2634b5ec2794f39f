//! What runs inside the machine where the card's power is pulled; `tests/card/run` boots it.
//!
//! - `power record KIND FOLDER`: a history of use on a card of this kind, with everything that was written;
//! - `power rehearse FOLDER`: the same history in an ordinary folder, anywhere;
//! - `power pull KIND FOLDER [STATES]`: states that a card may show after a power cut in that history;
//! - `power faults KIND`: cards that are full, read-only, or taken out and put back;
//! - `power all FOLDER [STATES]`: all of it, for each kind.

mod cuts;
mod disk;
mod faults;
mod log;
mod look;
mod promises;
mod pull;
mod record;
#[path = "../support/mod.rs"]
mod support;

use disk::Kind;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

/// States looked at for each file system.
const STATES: usize = 200;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let states = |at: usize| words.get(at).and_then(|n| n.parse().ok()).unwrap_or(STATES);
    let known = |name: &str| Kind::named(name).unwrap_or_else(|| panic!("no file system {name}"));
    if words.first() != Some(&"rehearse") {
        pull::load();
    }
    let right = match words[..] {
        ["record", kind, folder] => {
            record(known(kind), Path::new(folder));
            true
        }
        ["rehearse", folder] => {
            let mut card = record::Logged::rehearsal(Path::new(folder));
            record::history(&mut card);
            card.finish();
            true
        }
        ["pull", kind, folder, ..] => pull(known(kind), Path::new(folder), states(3)),
        ["faults", kind] => faults::all(known(kind)),
        ["all", folder, ..] => {
            let mut right = true;
            for kind in Kind::ALL {
                let folder = Path::new(folder).join(kind.name());
                record(kind, &folder);
                right &= pull(kind, &folder, states(2));
                right &= faults::all(kind);
            }
            right
        }
        _ => {
            eprintln!(
                "power record KIND FOLDER | power pull KIND FOLDER [STATES] | power faults KIND | power all FOLDER [STATES]"
            );
            return ExitCode::from(2);
        }
    };
    if right {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn record(kind: Kind, folder: &Path) {
    let started = Instant::now();
    let mut card = record::Logged::new(kind, folder);
    record::history(&mut card);
    card.finish();
    println!(
        "{}: the history took {} s",
        kind.name(),
        started.elapsed().as_secs()
    );
}

fn pull(kind: Kind, folder: &Path, states: usize) -> bool {
    let started = Instant::now();
    let seed = std::env::var("OFFICEOS_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        now.map_or(1, |d| d.as_nanos() as u64 % 1_000_000_000)
    });
    let recorded = pull::Recorded::read(kind, folder);
    let right = pull::run_all(&recorded, states, seed);
    println!(
        "{}: the states took {} s",
        kind.name(),
        started.elapsed().as_secs()
    );
    right
}
