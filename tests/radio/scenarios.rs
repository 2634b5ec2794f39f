//! The scenarios: each runs in a process and in places of its own, so that one that fails leaves nothing to the next.

mod airgap;
mod cable;
mod first;
mod group;
mod losses;
mod rejoin;
mod router;
mod sleep;
mod strangers;
mod suspend;
mod work;

use super::place;
use super::table::Table;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Instant;

/// Where everything goes that outlives the machine.
const OUT: &str = "/host/out";

/// What a scenario is given.
pub struct Wish {
    /// The long form: more of everything.
    pub long: bool,
}

type Scenario = fn(&Wish);

const ALL: [(&str, Scenario, &str); 15] = [
    (
        "group",
        group::outlives_everything,
        "the laptop's group: its name and passphrase outlive everything, and it leaves nothing behind",
    ),
    ("push", first::push, "first meeting by push"),
    (
        "push-turned",
        first::push_one_interface,
        "the same where the laptop's driver has one interface for everything",
    ),
    (
        "passphrase",
        first::passphrase,
        "first meeting as a station: P2P switched off in the supplicant",
    ),
    (
        "station",
        first::passphrase_driver,
        "first meeting as a station: no P2P in the driver",
    ),
    (
        "usb",
        cable::meeting_and_after,
        "first meeting over a USB cable, and the radio when it is pulled",
    ),
    (
        "router",
        router::one_channel,
        "a laptop that is on its home's network with the same radio",
    ),
    (
        "neighbour",
        strangers::second_laptop,
        "a second laptop of the same name: the handheld goes to its own",
    ),
    (
        "stranger",
        strangers::stranger_handheld,
        "a stranger's handheld, and one that was sent away: refused, in words",
    ),
    (
        "impostor",
        strangers::stranger_laptop,
        "a stranger's laptop with the same name and passphrase: refused, in words",
    ),
    (
        "work",
        work::with_losses,
        "chat, picture and outbox with packets lost; nothing goes to anybody but the laptop",
    ),
    (
        "airgap",
        airgap::closed_and_put_back,
        "what the linked app may not, and what is put back when it is killed",
    ),
    (
        "rejoin",
        rejoin::times,
        "how long a rejoin takes, cold and warm",
    ),
    (
        "sleep",
        sleep::between_uses,
        "what a link costs that nobody uses; the radio sleeps and wakes for what is written",
    ),
    (
        "losses",
        losses::every_way,
        "every way to lose the link, over and over; nothing grows",
    ),
];

/// Only where it is named: the machine has to be prepared for it (`tests/radio/suspend`).
const NAMED: [(&str, Scenario, &str); 1] = [(
    "suspend",
    suspend::to_memory,
    "the kernel suspends to memory, laptop and handheld together",
)];

/// Prints what there is.
pub fn list() {
    for (name, _, what) in &ALL {
        println!("{name:12} {what}");
    }
    for (name, _, what) in &NAMED {
        println!("{name:12} {what}   (only by tests/radio/{name})");
    }
}

/// Runs one in this process.
pub fn one(name: &str, long: bool) -> ExitCode {
    match find(name) {
        Some((_, scenario, _)) => {
            scenario(&Wish { long });
            ExitCode::SUCCESS
        }
        None => {
            eprintln!("There is no scenario {name}.");
            ExitCode::from(2)
        }
    }
}

fn find(name: &str) -> Option<&'static (&'static str, Scenario, &'static str)> {
    ALL.iter()
        .chain(&NAMED)
        .find(|(known, _, _)| *known == name)
}

/// Runs those that are named, or all, and prints the table.
pub fn run(names: &[&str], long: bool) -> ExitCode {
    let own = std::env::current_exe().expect("this program has a path");
    let _ = fs::remove_file(Table::FILE);
    let mut failed = Vec::new();
    for name in names {
        if find(name).is_none() {
            eprintln!("There is no scenario {name}; `list` shows them.");
            return ExitCode::from(2);
        }
    }
    let wanted = |(name, _, _): &&(&str, Scenario, &str)| names.contains(name);
    let all = ALL.iter().filter(|one| names.is_empty() || wanted(one));
    for (name, _, what) in all.chain(NAMED.iter().filter(wanted)) {
        println!("-- {name}: {what}");
        let started = Instant::now();
        let mut command = Command::new(&own);
        command.args(["scenario", name]);
        if long {
            command.arg("--long");
        }
        let status = command.status().expect("a process for the scenario");
        let seconds = started.elapsed().as_secs_f32();
        if status.success() {
            println!("   passed in {seconds:.1} s");
        } else {
            println!("   FAILED after {seconds:.1} s; what it left is in the folder {name}");
            failed.push(*name);
        }
        keep(name, !status.success());
        place::sweep();
    }
    print!("{}", Table::read());
    if failed.is_empty() {
        return ExitCode::SUCCESS;
    }
    println!("Failed: {}", failed.join(", "));
    ExitCode::FAILURE
}

/// Copies logs, captures and transcripts to where they outlive the machine.
fn keep(name: &str, everything: bool) {
    let folder = Path::new(OUT).join(name);
    let _ = fs::remove_dir_all(&folder);
    if !everything {
        return;
    }
    let script = format!(
        "cd /run/air && find . -type f -size -20000k | grep -E '(log|jsonl|pcap|conf)$' | while read -r file; do \
         mkdir -p \"{0}/${{file%/*}}\"; cp \"$file\" \"{0}/$file\"; done",
        folder.display()
    );
    let _ = fs::create_dir_all(&folder);
    let _ = Command::new("sh").args(["-c", &script]).status();
}
