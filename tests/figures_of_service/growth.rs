//! What both sides cost as their history grows: ledger, requests and results of 100 requests on the laptop, one conversation on the handheld's
//! card, and 10, 100 and 1000 times as many.

use super::{at, pair, pss};
use crate::plot::Lines;
use crate::pocket::{Card, End};
use crate::support::laptop::Laptop;
use crate::support::provider::{Answer, Provider};
use crate::support::{Folder, program};
use ::laptop::paths::Paths;
use ::laptop::policy::Usage;
use ::laptop::store::{Author, Claim, NewRequest, Outcome, RequestState, Store};
use shared_proto::crypto::ring::{RingCrypto, RingSigner};
use shared_proto::crypto::{Crypto, Signer, sign_submit};
use std::fs;
use std::hint::black_box;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Requests of the shortest history, and how many times as long the others are.
const REQUESTS: u64 = 100;
const TIMES: [u64; 4] = [1, 10, 100, 1000];
/// Times that each is measured.
const ROUNDS: usize = 9;
/// Octets of a result: an answer of some two hundred words.
const RESULT_LEN: usize = 1200;

/// Milliseconds or more of one length of history.
struct Row {
    times: u64,
    values: Vec<(&'static str, f64)>,
}

pub fn growth() {
    laptops();
    cards();
}

fn laptops() {
    let provider = Provider::start(|_| Answer {
        pieces: vec!["word ".into()],
        pause: Duration::ZERO,
        die_after: None,
    });
    let mut laptop = Laptop::with("growth", &provider.entry(), &[]);
    let card = pair(&laptop, 1).remove(0);
    let mut made = 0;
    let mut rows = Vec::new();
    for times in TIMES {
        laptop.end();
        let state = Paths::below(laptop.home()).state;
        let lookups = grow(&state, &card, &mut made, REQUESTS * times);
        rows.push(measure(&mut laptop, &card, times, lookups));
    }
    println!(
        "\n## As the laptop's history grows: {REQUESTS} requests with results of {RESULT_LEN} octets, and 10, 100, 1000 times as many; median of {ROUNDS}\n"
    );
    let mut plot = Lines::new(
        "As the laptop's history grows: milliseconds",
        "requests in the ledger",
        "",
    );
    tell(&rows, REQUESTS, &mut plot);
    plot.write(&super::plots().join("growth-laptop.svg"));
}

/// Prints rows and draws those that are times.
fn tell(rows: &[Row], unit: u64, plot: &mut Lines) {
    let head: Vec<String> = rows.iter().map(|row| format!("× {}", row.times)).collect();
    println!("| | {} |", head.join(" | "));
    println!("|---|{}", "---|".repeat(rows.len()));
    for place in 0..rows[0].values.len() {
        let name = rows[0].values[place].0;
        let cells: Vec<String> = rows
            .iter()
            .map(|row| match row.values[place].1 {
                value if value < 1.0 => format!("{value:.4}"),
                value => format!("{value:.1}"),
            })
            .collect();
        println!("| {name} | {} |", cells.join(" | "));
        if name.ends_with("ms") {
            let points = rows
                .iter()
                .map(|row| ((row.times * unit) as f64, row.values[place].1));
            plot.add(name.trim_end_matches(", ms"), points.collect());
        }
    }
}

/// The handheld's app on cards with ever more conversations.
fn cards() {
    let mut rows = Vec::new();
    for times in TIMES {
        let folder = Folder::new("growth-card");
        let home = folder.path().join("card");
        fs::create_dir_all(&home).expect("a card");
        let filled = Command::new(program("history"))
            .arg(&home)
            .arg(times.to_string())
            .status();
        assert!(filled.expect("history runs").success(), "history");
        let (mut first, mut shown, mut memory) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let (a, b, kb) = shown_once(&home);
            first.push(a);
            shown.push(b);
            memory.push(kb as f64 / 1000.0);
        }
        let values = vec![
            ("start to the first frame, ms", at(&mut first, 0.5)),
            ("start to the card's content, ms", at(&mut shown, 0.5)),
            ("memory of the app, MB", at(&mut memory, 0.5)),
        ];
        rows.push(Row { times, values });
    }
    println!(
        "\n## As the handheld's card fills: one conversation of 20 messages, and 10, 100, 1000 times as many; median of {ROUNDS}\n"
    );
    let mut plot = Lines::new(
        "As the handheld's card fills: milliseconds",
        "conversations of 20 messages",
        "",
    );
    tell(&rows, 1, &mut plot);
    plot.write(&super::plots().join("growth-handheld.svg"));
}

/// Starts the app on a card: milliseconds to its first frame and to the card's content, and the memory of its process then.
fn shown_once(home: &Path) -> (f64, f64, u64) {
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
    let (mut first, mut shown) = (None, None);
    for line in log.lines().map_while(Result::ok) {
        let now = begun.elapsed().as_secs_f64() * 1e3;
        if line.ends_with("the first frame shows") {
            first = Some(now);
        } else if line.ends_with("what is on the card shows") {
            shown = Some(now);
            break;
        }
    }
    let memory = pss(child.id());
    // Without a script the app ends.
    drop(child.stdin.take());
    child.wait().expect("it ends");
    let logged = "it is logged";
    (first.expect(logged), shown.expect(logged), memory)
}

/// Adds requests by the store itself until there are so many, and times lookups, admissions and ends at that length.
fn grow(state: &Path, card: &Card, made: &mut u64, wanted: u64) -> Vec<(&'static str, f64)> {
    let store = Store::open(state).expect("the laptop's store");
    let device = store.relationships().expect("relationships")[0].id;
    let signer = RingSigner::new(&card.keys.own);
    let floor = store.relationship(device).expect("the device").highest + 1;
    let (mut admitting, mut ending) = (Vec::new(), Vec::new());
    let mut last = floor;
    for id in floor..floor + (wanted - *made) {
        let (digest, exporter) = (RingCrypto.sha256(&[&id.to_be_bytes()]), [3; 32]);
        let request = NewRequest {
            relationship: device,
            id,
            digest,
            author: Author::Device {
                key: signer.public_key(),
                signature: sign_submit(&signer, exporter, id, digest),
                exporter,
            },
            claim: Claim {
                wants: Vec::new(),
                asks: false,
            },
            reserved: Usage::default(),
            now: 1_795_000_000 + id as i64,
            day: 20_775,
        };
        let begun = Instant::now();
        store.admit(&request).expect("taken in");
        admitting.push(begun.elapsed().as_secs_f64() * 1e3);
        let mut body = store.spool(device, id, 0).expect("a body");
        body.append(&vec![b'a'; RESULT_LEN]).expect("written");
        let outcome = Outcome {
            state: RequestState::Done,
            used: Usage::default(),
            estimated: false,
            results: vec![body],
        };
        let begun = Instant::now();
        store
            .end_request(device, id, &outcome, request.now)
            .expect("ended");
        ending.push(begun.elapsed().as_secs_f64() * 1e3);
        if id % 500 == 0 {
            store.publish_ledger().expect("moved");
        }
        last = id;
    }
    *made = wanted;
    store.end_ledger().expect("signed");
    // The last ones alone were made at the full length.
    let recent = |values: &mut Vec<f64>| {
        let from = values.len().saturating_sub(REQUESTS as usize / 2);
        at(&mut values.split_off(from), 0.5)
    };
    let begun = Instant::now();
    for round in 0..1000 {
        let found = store.request(device, last - round % 50);
        black_box(found.expect("a lookup").expect("it is remembered"));
    }
    let lookup = begun.elapsed().as_secs_f64();
    vec![
        ("a request looked up in the store, ms", lookup),
        ("a request taken in, ms", recent(&mut admitting)),
        ("a request ended with its result, ms", recent(&mut ending)),
    ]
}

fn measure(laptop: &mut Laptop, card: &Card, times: u64, lookups: Vec<(&'static str, f64)>) -> Row {
    let (mut ready, mut linked, mut asked, mut verified) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut entries = 0.0;
    for _ in 0..ROUNDS {
        ready.push(super::start_once(laptop.home()).0);
    }
    laptop.restart();
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        let mut line = card.link(laptop.address()).expect("linked");
        linked.push(begun.elapsed().as_secs_f64() * 1e3);
        let id = line.greeting.as_ref().map_or(1, |greeting| greeting.floor);
        let begun = Instant::now();
        let told = line.run(id, &super::chat("hello"));
        asked.push(begun.elapsed().as_secs_f64() * 1e3);
        assert!(matches!(told.end, Some(End::Done(_))), "{told:?}");
        line.ack(id);
        drop(line);
        let begun = Instant::now();
        let report = laptop.ctl().json(&["ledger", "verify"]);
        verified.push(begun.elapsed().as_secs_f64() * 1e3);
        entries = report["entries"].as_f64().expect("a number");
    }
    let memory = pss(laptop.pid()) as f64 / 1000.0;
    laptop.end();
    let folder = Paths::below(laptop.home()).state;
    let mut hashed = Vec::new();
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        let command = format!("sha256sum {}/ledger/*.jsonl", folder.display());
        let done = Command::new("sh").args(["-c", &command]).output();
        assert!(done.expect("a shell").status.success(), "sha256sum");
        hashed.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    let size = |path: &Path| fs::metadata(path).map_or(0, |data| data.len()) as f64 / 1e6;
    let files = fs::read_dir(folder.join("ledger")).expect("the ledger");
    let ledger: f64 = files.flatten().map(|file| size(&file.path())).sum();
    let verify = at(&mut verified, 0.5);
    let mut values = vec![
        ("entries of the ledger", entries),
        ("the ledger's files, MB", ledger),
        ("the database, MB", size(&folder.join("officeos.db"))),
        ("start to ready, ms", at(&mut ready, 0.5)),
        ("a session opened, ms", at(&mut linked, 0.5)),
        ("a chat of one word, whole, ms", at(&mut asked, 0.5)),
    ];
    values.extend(lookups);
    values.extend([
        ("ledger verified by officectl, ms", verify),
        ("microseconds of that for an entry", verify * 1e3 / entries),
        ("sha256sum of its files, ms", at(&mut hashed, 0.5)),
        ("memory of laptop-daemon, MB", memory),
    ]);
    Row { times, values }
}
