//! Measures what BENCHMARKS.md reports of the laptop as a service, from outside the real processes:
//!
//! - `service`: from the start to readiness, memory with eight devices linked, wake-ups in a minute of rest, how fast a
//!   permission that is switched off stops an answer, and the shares of eight devices that stream at once;
//! - `sessions`: memory, processor time and delay with 1, 8 and 64 sessions that stream at once;
//! - `growth`: start, lookup, verify as the ledger, the requests and the results grow;
//! - `flood`: how a paired device fares while strangers send 10,000 hellos a second, and while silent connections pour in.

mod support;

// The protocol's client, as the end-to-end tests have it.
#[allow(dead_code)]
#[path = "bare/pocket.rs"]
mod pocket;

#[path = "figures_of_service/flood.rs"]
mod flood;

#[path = "figures_of_service/growth.rs"]
mod growth;

#[path = "figures_of_service/sessions.rs"]
mod sessions;

// Plots as the peers' program draws them.
#[path = "../benches/src/plot.rs"]
mod plot;

/// What the client's file expects of its neighbours.
mod laptop {
    pub const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);
}

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use ::laptop::control::Client;
use ::laptop::paths::Paths;
use pocket::Card;
use serde_json::json;
use shared_proto::program::{Builder, Chat, Op};
use support::laptop::Laptop;
use support::process::children;
use support::provider::{Answer, Provider};
use support::{Folder, program};

/// Devices that are linked: as many as may be paired by default.
const DEVICES: usize = 8;
/// Before a measurement, what was begun comes to its end.
const SETTLE: Duration = Duration::from_secs(20);
/// How long the processes are left alone.
const QUIET: Duration = Duration::from_secs(60);
/// Starts.
const STARTS: usize = 15;
/// Permissions switched off.
const SWITCHES: u64 = 40;

fn main() {
    let what = std::env::args().nth(1).unwrap_or_default();
    match what.as_str() {
        "service" => service(),
        "flood" => flood::flood(),
        "sessions" => sessions::sessions(),
        "growth" => growth::growth(),
        _ => {
            eprintln!("service | flood | sessions | growth");
            std::process::exit(2);
        }
    }
}

/// Where plots go.
fn plots() -> std::path::PathBuf {
    let folder = std::env::var_os("OFFICEOS_PLOTS").map_or_else(std::env::temp_dir, Into::into);
    fs::create_dir_all(&folder).expect("a folder for plots");
    folder
}

fn met(good: bool) -> &'static str {
    if good { "met" } else { "MISSED" }
}

fn at(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    values[((values.len() - 1) as f64 * share).round() as usize]
}

/// The daemon, its children, and their names.
fn processes(laptop: &Laptop) -> Vec<(u32, String)> {
    let mut all = vec![(laptop.pid(), "laptop-daemon".to_owned())];
    all.extend(children(laptop.pid()));
    all
}

/// Pairs `count` devices and lets them chat without being asked.
fn pair(laptop: &Laptop, count: usize) -> Vec<Card> {
    let address = laptop.address();
    (0..count)
        .map(|number| {
            laptop.ctl().json(&["pair", "--open"]);
            let (sender, digits) = channel();
            let name = format!("Pocket {number}");
            let device = name.clone();
            let met = std::thread::spawn(move || Card::pair(address, &device, &sender));
            let digits = digits.recv().expect("the pocket shows digits");
            laptop.ctl().json(&["pair", "--digits", &digits]);
            let card = met.join().expect("no panic").expect("paired").card;
            laptop.ctl().permit(&name, &["chat"], "allow");
            laptop.ctl().json(&[
                "limit",
                &name,
                "--requests-per-minute",
                "6000",
                "--tokens",
                "1000000000",
                "--seconds",
                "80000",
            ]);
            card
        })
        .collect()
}

fn chat(text: &str) -> Vec<u8> {
    let mut builder = Builder::new();
    let (model, input) = (builder.name("desk/parrot"), builder.text(text));
    let answer = builder.op(&Op::Chat(Chat {
        model,
        conversation: 1,
        parent: [0; 8],
        history: None,
        system: None,
        input,
        max_tokens: 16_000,
        temperature: None,
    }));
    builder.emit(answer);
    builder.finish().expect("a program")
}

/// A session that is kept alive by a thread of its own until the flag falls.
fn keep(card: &Card, address: SocketAddr, here: &Arc<AtomicBool>) -> std::thread::JoinHandle<()> {
    let (card, here) = (card.clone(), Arc::clone(here));
    let mut line = card.link(address).expect("linked");
    std::thread::spawn(move || {
        while here.load(Ordering::Relaxed) {
            line.step().expect("the session lives");
        }
    })
}

// --- service

fn service() {
    // Words come as fast as a good local model writes them; "slow N" asks for another pause in milliseconds.
    let provider = Provider::start(|prompt| {
        let mut words = prompt.split(' ');
        let pause = match words.next() {
            Some("pause") => words.next().and_then(|ms| ms.parse().ok()).unwrap_or(5),
            _ => 5,
        };
        let count = words.next().and_then(|n| n.parse().ok()).unwrap_or(4000);
        Answer {
            pieces: (0..count).map(|n| format!("word {n} ")).collect(),
            pause: Duration::from_millis(pause),
            die_after: None,
        }
    });
    starts();
    let mut laptop = Laptop::with("service", &provider.entry(), &[]);
    let cards = pair(&laptop, DEVICES);
    rest(&laptop, &cards);
    switch_off(&laptop, &cards[0]);
    shares(&laptop, &cards);
    turns(&mut laptop, &cards);
}

fn starts() {
    let folder = Folder::new("service-starts");
    let home = folder.path().join("home");
    fs::create_dir_all(home.join("config")).expect("a folder");
    fs::write(
        home.join("config/daemon.toml"),
        "[networking]\nbind_port = 0\nwifi_direct_enabled = false\n",
    )
    .expect("settings");
    let (mut ready, mut listening): (Vec<f64>, Vec<f64>) =
        (0..STARTS).map(|_| start_once(&home)).unzip();
    println!("\n## From the start of laptop-daemon, {STARTS} times, milliseconds\n");
    println!("| | median | slowest |\n|---|---|---|");
    let (middle, slowest) = (at(&mut ready, 0.5), at(&mut ready, 1.0));
    println!("| it is ready: control socket and store | {middle:.1} | {slowest:.1} |");
    let (heard, last) = (at(&mut listening, 0.5), at(&mut listening, 1.0));
    println!(
        "| a device can connect: link-service has started and handed its socket over | {heard:.1} | {last:.1} |"
    );
    println!("\nGoal: ready below 50 ms: {}", met(middle < 50.0));
}

/// Starts laptop-daemon in a folder and ends it again: milliseconds until it is ready, and until a device can connect.
fn start_once(home: &Path) -> (f64, f64) {
    let begun = Instant::now();
    let mut child = Command::new(program("laptop-daemon"))
        .args(["--standalone", "--home"])
        .arg(home)
        .env("RUST_LOG", "info")
        .env("OFFICEOS_DISCOVERY", "off")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("laptop-daemon starts");
    let log = BufReader::new(child.stderr.take().expect("its log"));
    let (mut is_ready, mut listens) = (None, None);
    for line in log.lines().map_while(Result::ok) {
        let now = begun.elapsed().as_secs_f64() * 1e3;
        if line.contains("laptop-daemon is ready") {
            is_ready = Some(now);
        } else if line.contains("carrier ") && line.contains(" on ") {
            listens = Some(now);
        }
        if is_ready.is_some() && listens.is_some() {
            break;
        }
    }
    support::process::terminate(child.id());
    child.wait().expect("it ends");
    (is_ready.expect("it is ready"), listens.expect("it listens"))
}

/// Proportional share of memory of a process, in kB.
fn pss(pid: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with("Pss:"));
    line.and_then(|line| line.split_whitespace().nth(1))
        .and_then(|kb| kb.parse().ok())
        .unwrap_or(0)
}

/// Times that each thread of a process was switched to, by thread name.
fn switches(pid: u32) -> BTreeMap<String, u64> {
    let mut all = BTreeMap::new();
    for task in fs::read_dir(format!("/proc/{pid}/task"))
        .into_iter()
        .flatten()
        .flatten()
    {
        let read = |name: &str| fs::read_to_string(task.path().join(name)).unwrap_or_default();
        let count: u64 = read("status")
            .lines()
            .filter(|line| line.contains("ctxt_switches"))
            .filter_map(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok())
            .sum();
        let name = format!(
            "{} {}",
            read("comm").trim(),
            task.file_name().to_string_lossy()
        );
        all.insert(name, count);
    }
    all
}

fn quiet(laptop: &Laptop, when: &str) -> u64 {
    std::thread::sleep(SETTLE);
    let before: Vec<_> = processes(laptop)
        .into_iter()
        .map(|(pid, name)| (pid, name, switches(pid)))
        .collect();
    std::thread::sleep(QUIET);
    println!("\n## Wake-ups in {} s of rest, {when}\n", QUIET.as_secs());
    println!("| process | wake-ups | by thread |\n|---|---|---|");
    let mut sum = 0;
    for (pid, name, before) in before {
        let after = switches(pid);
        let mut threads: BTreeMap<String, u64> = BTreeMap::new();
        for (thread, count) in after {
            let woken = count - before.get(&thread).copied().unwrap_or(0);
            let name = thread.rsplit_once(' ').map_or("", |(name, _)| name);
            *threads.entry(name.to_owned()).or_default() += woken;
        }
        let all: u64 = threads.values().sum();
        let shown: Vec<String> = threads
            .iter()
            .filter(|(_, count)| **count > 0)
            .map(|(thread, count)| format!("{thread} {count}"))
            .collect();
        println!("| {name} | {all} | {} |", shown.join(", "));
        sum += all;
    }
    sum
}

fn rest(laptop: &Laptop, cards: &[Card]) {
    quiet(laptop, "no device linked");
    let here = Arc::new(AtomicBool::new(true));
    let address = laptop.address();
    let kept: Vec<_> = cards
        .iter()
        .map(|card| keep(card, address, &here))
        .collect();
    quiet(laptop, "eight devices linked");
    println!("\n## Memory with eight devices linked, proportional share in kB\n");
    println!("| process | kB |\n|---|---|");
    let mut sum = 0;
    for (pid, name) in processes(laptop) {
        let kb = pss(pid);
        println!("| {name} | {kb} |");
        sum += kb;
    }
    println!("| together | {sum} |");
    println!("\nGoal: below 25 MB: {}", met(sum < 25_000));
    here.store(false, Ordering::Relaxed);
    kept.into_iter()
        .for_each(|one| one.join().expect("no panic"));
}

fn switch_off(laptop: &Laptop, card: &Card) {
    let control = Paths::below(laptop.home()).control();
    let mut client = Client::connect(&control).expect("the control socket");
    let mut permit = |rule: &str| {
        let params = json!({ "device": "Pocket 0", "operation": "chat", "rule": rule });
        client.call("devices.permit", params).expect("permitted");
    };
    let mut line = card.link(laptop.address()).expect("linked");
    let floor = line.greeting.as_ref().map_or(1, |greeting| greeting.floor);
    let mut delays = Vec::new();
    for id in floor..floor + SWITCHES {
        line.submit(id, &chat("pause 2 20000"));
        line.until("words", |line| {
            line.told
                .get(&id)
                .and_then(|told| told.bodies.get(&0))
                .is_some_and(|body| body.len() > 500)
        })
        .expect("the session lives");
        // Read by a thread of its own, so that what is on its way when the answer of `permit` comes is seen in time.
        let pressed = Instant::now();
        let mut len = line.told[&id].bodies[&0].len();
        let mut last = Duration::ZERO;
        let ended = std::thread::scope(|scope| {
            scope.spawn(|| permit("deny"));
            while line.told[&id].end.is_none() {
                line.step().expect("the session lives");
                let now = line.told[&id].bodies[&0].len();
                if now > len {
                    (len, last) = (now, pressed.elapsed());
                }
            }
            pressed.elapsed()
        });
        delays.push((last.as_secs_f64() * 1e3, ended.as_secs_f64() * 1e3));
        line.ack(id);
        permit("allow");
    }
    let (mut last, mut ended): (Vec<f64>, Vec<f64>) = delays.into_iter().unzip();
    println!(
        "\n## A permission is switched off while a word comes every 2 ms, {SWITCHES} times, milliseconds\n"
    );
    println!(
        "| from the call on the control socket | median | 95 % | slowest |\n|---|---|---|---|"
    );
    let row = |name: &str, values: &mut Vec<f64>| {
        let (a, b, c) = (at(values, 0.5), at(values, 0.95), at(values, 1.0));
        println!("| {name} | {a:.1} | {b:.1} | {c:.1} |");
        c
    };
    let worst = row("the last piece of the answer arrives", &mut last);
    row("the refusal arrives", &mut ended);
    println!(
        "\nGoal: the last piece within 100 ms: {}",
        met(worst <= 100.0)
    );
}

/// Eight devices stream one long answer each, all at once.
fn shares(laptop: &Laptop, cards: &[Card]) {
    let span = Duration::from_secs(20);
    let (address, start) = (laptop.address(), Arc::new(Barrier::new(cards.len())));
    let threads: Vec<_> = cards
        .iter()
        .map(|card| {
            let (card, start) = (card.clone(), Arc::clone(&start));
            std::thread::spawn(move || {
                let mut line = card.link(address).expect("linked");
                let id = line.greeting.as_ref().map_or(1, |greeting| greeting.floor);
                start.wait();
                line.submit(id, &chat("pause 1 100000"));
                let begun = Instant::now();
                while begun.elapsed() < span {
                    line.step().expect("the session lives");
                }
                let len = line
                    .told
                    .get(&id)
                    .and_then(|told| told.bodies.get(&0))
                    .map_or(0, Vec::len);
                line.cancel(id);
                line.finish(id);
                line.ack(id);
                len as u64
            })
        })
        .collect();
    let had: Vec<u64> = threads
        .into_iter()
        .map(|one| one.join().expect("no panic"))
        .collect();
    println!(
        "\n## Eight devices stream one answer each for {} s, a word each millisecond\n",
        span.as_secs()
    );
    spread(&had, "octets");
}

fn spread(had: &[u64], unit: &str) {
    let (least, most) = (
        had.iter().copied().min().unwrap_or(0),
        had.iter().copied().max().unwrap_or(0),
    );
    println!("| device | {unit} |\n|---|---|");
    for (device, count) in had.iter().enumerate() {
        println!("| {device} | {count} |");
    }
    let apart = (most - least) as f64 * 100.0 / most.max(1) as f64;
    println!(
        "\nApart by {apart:.1} %. Goal: equal shares within 5 %: {}",
        met(apart <= 5.0)
    );
}

/// Eight devices share three places, and each always has one more that waits; every second one asks for much longer answers, and sends
/// four requests at a time.
fn turns(laptop: &mut Laptop, cards: &[Card]) {
    let span = Duration::from_secs(120);
    let file = laptop.home().join("config/daemon.toml");
    let text = fs::read_to_string(&file).expect("settings");
    fs::write(
        &file,
        text.replace("[manners]\n", "[manners]\ntexts_at_once = 3\n"),
    )
    .expect("settings");
    laptop.kill();
    laptop.restart();
    let address = laptop.address();
    let start = Arc::new(Barrier::new(cards.len()));
    let threads: Vec<_> = cards
        .iter()
        .enumerate()
        .map(|(device, card)| {
            let (card, start) = (card.clone(), Arc::clone(&start));
            std::thread::spawn(move || {
                let mut line = card.link(address).expect("linked");
                let mut next = line.greeting.as_ref().map_or(1, |greeting| greeting.floor);
                let (text, many) = match device % 2 {
                    // The second is there when the first ends: who has nothing waiting needs less than his share.
                    0 => ("pause 10 20", 2),
                    _ => ("pause 10 80", 4),
                };
                start.wait();
                let begun = Instant::now();
                let (mut live, mut octets) = (Vec::new(), 0);
                while begun.elapsed() < span {
                    while live.len() < many {
                        line.submit(next, &chat(text));
                        live.push(next);
                        next += 1;
                    }
                    line.step().expect("the session lives");
                    live.retain(|id| {
                        let ended = line.told.get(id).is_some_and(|told| told.end.is_some());
                        if ended && let Some(told) = line.told.remove(id) {
                            octets += told.bodies.get(&0).map_or(0, Vec::len) as u64;
                            line.ack(*id);
                        }
                        !ended
                    });
                }
                octets
            })
        })
        .collect();
    let had: Vec<u64> = threads
        .into_iter()
        .map(|one| one.join().expect("no panic"))
        .collect();
    println!(
        "\n## Eight devices share three places for {} s; the even ones ask two at a time, the odd ones four, for four times as much\n",
        span.as_secs()
    );
    spread(&had, "octets");
}
