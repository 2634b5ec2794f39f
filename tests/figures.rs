//! Measures what BENCHMARKS.md reports of the handheld alone, from outside the real program:
//!
//! - `idle`: processor time and wake-ups of the whole app in a minute on the chat screen, linked to a real laptop;
//! - `memory`: what it holds with a conversation of 200 messages and a picture open, mapping by mapping;
//! - `start`: from the start of the process to its first frame, with an empty card and with 200 messages on it.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use support::laptop::Laptop;
use support::pocket::Pocket;
use support::provider::{Answer, Provider};
use support::{Folder, program};

/// How long the app is left alone.
const QUIET: Duration = Duration::from_secs(60);
/// Before that, what was begun comes to its end: bars that hide, a link that settles.
const SETTLE: Duration = Duration::from_secs(20);
/// Questions and answers of the long conversation: two messages each.
const ROUNDS: usize = 100;
/// Starts of each kind.
const STARTS: usize = 15;

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let card = Folder::new("figures");
    let provider = Provider::start(|prompt| Answer {
        pieces: (0..60)
            .map(|n| format!("{} word {n} of an answer, ", prompt.trim()))
            .collect(),
        pause: Duration::ZERO,
        die_after: None,
    });
    let laptop = Laptop::with("figures", &provider.entry(), &[]);
    let home = card.path().join("card");
    let mut pocket = Pocket::start(&home, laptop.address());
    pocket.pair(&laptop);
    laptop
        .ctl()
        .permit("Pocket", &["chat", "generate", "fit"], "allow");
    // A hundred questions in a minute are more than a day's allowance.
    laptop.ctl().json(&[
        "limit",
        "Pocket",
        "--tokens",
        "1000000000",
        "--requests-per-minute",
        "6000",
    ]);
    pocket.wait("may.chat=allow");
    for figure in &wanted {
        pocket = match figure.as_str() {
            "idle" => idle(pocket),
            "memory" => memory(pocket, &laptop, &home),
            "start" => start(pocket, &laptop, &home),
            _ => {
                eprintln!("idle | memory | start");
                std::process::exit(2);
            }
        };
    }
    pocket.quit();
}

fn ask(pocket: &mut Pocket, text: &str) {
    let screen = pocket.fact("screen");
    pocket.press(if screen == "chat" { "A" } else { "Start" });
    pocket.wait("screen=writing");
    pocket.type_text(text);
    pocket.press("Start");
    pocket.wait("screen=chat");
    pocket.wait("answer.state=done");
}

// --- at rest

/// What the kernel has counted of one thread.
#[derive(Clone, Default)]
struct Counted {
    name: String,
    /// Times it gave the processor up to wait: each is a wake-up later.
    waits: u64,
    /// Clock ticks on the processor, in the program and in the kernel.
    ticks: u64,
}

fn counted(pid: u32) -> BTreeMap<u32, Counted> {
    let mut threads = BTreeMap::new();
    let mut pids = vec![pid];
    pids.extend(support::process::children(pid).into_iter().map(|c| c.0));
    for pid in pids {
        let tasks = fs::read_dir(format!("/proc/{pid}/task")).expect("its threads");
        for task in tasks.flatten() {
            let read = |name: &str| fs::read_to_string(task.path().join(name)).unwrap_or_default();
            let (status, stat) = (read("status"), read("stat"));
            let after = |name: &str| {
                let line = status.lines().find_map(|l| l.strip_prefix(name));
                line.map_or("", str::trim).to_owned()
            };
            let fields: Vec<&str> = stat
                .rsplit_once(')')
                .map_or(Vec::new(), |(_, rest)| rest.split_whitespace().collect());
            // Behind the name: state is field 3 of proc(5), utime 14 and stime 15.
            let ticks = |n: usize| fields.get(n - 3).and_then(|f| f.parse::<u64>().ok());
            let id = after("Pid:").parse().unwrap_or(0);
            let one = Counted {
                name: after("Name:"),
                waits: after("voluntary_ctxt_switches:").parse().unwrap_or(0),
                ticks: ticks(14).unwrap_or(0) + ticks(15).unwrap_or(0),
            };
            threads.insert(id, one);
        }
    }
    threads
}

fn idle(mut pocket: Pocket) -> Pocket {
    pocket.home();
    ask(&mut pocket, "What stands here while nobody does anything");
    std::thread::sleep(SETTLE);
    let before = counted(pocket.pid());
    std::thread::sleep(QUIET);
    let after = counted(pocket.pid());
    println!(
        "\n## At rest, {} s on the chat screen, linked\n",
        QUIET.as_secs()
    );
    println!("| thread | wake-ups | processor, ms |\n|---|---|---|");
    let ms_of_tick = 1000 / ticks_per_second();
    let (mut waits, mut ms) = (0, 0);
    for (id, now) in &after {
        let then = before.get(id).cloned().unwrap_or_default();
        let (woke, ran) = (
            now.waits - then.waits,
            (now.ticks - then.ticks) * ms_of_tick,
        );
        println!("| {} | {woke} | {ran} |", now.name);
        waits += woke;
        ms += ran;
    }
    let (rate, share) = (
        waits as f64 / QUIET.as_secs_f64(),
        ms as f64 / QUIET.as_millis() as f64 * 100.0,
    );
    println!("| all | {waits} | {ms} |");
    println!(
        "\n{rate:.2} wake-ups a second, {share:.2} % of one processor (in steps of {ms_of_tick} ms)"
    );
    println!(
        "Target: 2 wake-ups a second, 0.5 %: {}",
        met(rate <= 2.0 && share < 0.5)
    );
    assert_eq!(pocket.fact("link"), "linked", "linked all the time");
    pocket
}

/// What the kernel counts processor time in.
fn ticks_per_second() -> u64 {
    let told = Command::new("getconf").arg("CLK_TCK").output();
    let told = told
        .ok()
        .and_then(|o| String::from_utf8(o.stdout).ok()?.trim().parse().ok());
    told.unwrap_or(100)
}

const fn met(met: bool) -> &'static str {
    if met { "met" } else { "MISSED" }
}

// --- memory

/// Fills the conversation until it has its messages.
fn fill(pocket: &mut Pocket) {
    pocket.home();
    let have: usize = pocket.fact("chat.turns").parse().unwrap_or(0);
    for round in have / 2..ROUNDS {
        ask(pocket, &format!("Question number {round} about boats"));
    }
    println!(
        "\n{} messages in the conversation",
        pocket.fact("chat.turns")
    );
}

fn memory(mut pocket: Pocket, laptop: &Laptop, home: &Path) -> Pocket {
    fill(&mut pocket);
    // As on another day: started with all of it on the card.
    pocket.quit();
    let mut pocket = Pocket::start(home, laptop.address());
    pocket.wait("link=linked");
    held(&pocket, "home screen, 200 messages on the card");
    pocket.press("A");
    if pocket.fact("screen") == "chats" {
        pocket.press("A");
    }
    pocket.wait("screen=chat");
    for _ in 0..6 {
        pocket.press("L2 L2 L2 L2 R2");
    }
    held(&pocket, "the conversation open and read through");
    picture(&mut pocket);
    let all = held(&pocket, "and a picture open");
    println!("\nTarget: below 24 MB: {}", met(all < 24_000));
    pocket.press("B");
    pocket
}

/// Paints a picture and opens it.
fn picture(pocket: &mut Pocket) {
    pocket.home();
    pocket.write_prompt("A calm harbour at sunset");
    pocket.press("Start");
    pocket.wait("picture.0=ready");
    if pocket.fact("screen") == "progress" {
        pocket.press("A");
    }
    pocket.wait("screen=viewer");
    pocket.wait("viewer=shown");
}

/// Prints the proportional share of each kind of mapping in kB and returns the sum.
fn held(pocket: &Pocket, when: &str) -> u64 {
    let maps = fs::read_to_string(format!("/proc/{}/smaps", pocket.pid())).expect("its mappings");
    let mut kinds: BTreeMap<String, u64> = BTreeMap::new();
    let mut kind = String::new();
    for line in maps.lines() {
        let fields: Vec<&str> = line.split_whitespace().collect();
        if let Some(("Pss:", kb)) = fields.first().zip(fields.get(1)).map(|(a, b)| (*a, *b)) {
            *kinds.entry(kind.clone()).or_default() += kb.parse().unwrap_or(0);
        } else if fields
            .first()
            .is_some_and(|f| f.contains('-') && !f.ends_with(':'))
        {
            let rights = fields.get(1).copied().unwrap_or_default();
            kind = match fields.get(5) {
                None => "anonymous: heaps of threads, stacks".into(),
                Some(path) if path.starts_with('[') => (*path).into(),
                Some(path) => {
                    let file = path.rsplit('/').next().unwrap_or(path);
                    format!("{file} {rights}")
                }
            };
        }
    }
    let all = kinds.values().sum();
    println!("\n## Memory, {when}: {:.1} MB\n", all as f64 / 1000.0);
    println!("| mapping | kB |\n|---|---|");
    for (kind, kb) in kinds.iter().filter(|(_, kb)| **kb >= 50) {
        println!("| {kind} | {kb} |");
    }
    all
}

// --- start

fn start(mut pocket: Pocket, laptop: &Laptop, home: &Path) -> Pocket {
    fill(&mut pocket);
    pocket.quit();
    println!("\n## From the start of the process, {STARTS} times each, milliseconds\n");
    println!(
        "| card | first frame, median | slowest | its content shows, median |\n|---|---|---|---|"
    );
    let empty = Folder::new("figures-empty");
    let mut worst: f64 = 0.0;
    for (name, kept) in [("empty", None), ("200 messages", Some(home))] {
        let (mut first, mut loaded) = (Vec::new(), Vec::new());
        for n in 0..STARTS {
            let fresh = empty.path().join(n.to_string());
            let (a, b) = started(kept.unwrap_or(&fresh));
            first.push(a);
            loaded.push(b);
        }
        let median = |values: &mut Vec<f64>| {
            values.sort_by(f64::total_cmp);
            values[values.len() / 2]
        };
        let middle = median(&mut first);
        println!(
            "| {name} | {middle:.1} | {:.1} | {:.1} |",
            first[first.len() - 1],
            median(&mut loaded)
        );
        worst = worst.max(middle);
    }
    println!(
        "\nTarget: first frame within 150 ms: {}",
        met(worst < 150.0)
    );
    Pocket::start(home, laptop.address())
}

/// Starts the app on a card; milliseconds to the first frame, and to the first one with the card's content.
fn started(home: &Path) -> (f64, f64) {
    let begun = Instant::now();
    let mut child = Command::new(program("officeos-handheld"))
        .args(["--headless", "--no-radio", "--home"])
        .arg(home)
        .env("RUST_LOG", "handheld=info")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("officeos-handheld starts");
    let log = BufReader::new(child.stderr.take().expect("its log"));
    let (mut first, mut loaded) = (0.0, 0.0);
    for line in log.lines().map_while(Result::ok) {
        let now = begun.elapsed().as_secs_f64() * 1e3;
        if line.ends_with("the first frame shows") {
            first = now;
        } else if line.ends_with("what is on the card shows") {
            loaded = now;
            break;
        }
    }
    assert!(first > 0.0 && loaded > 0.0, "both are logged");
    // Without a script the app ends.
    drop(child.stdin.take());
    child.wait().expect("it ends");
    (first, loaded)
}
