//! `kill -9` of daemon and services at many instants: nothing acknowledged is lost, nothing runs twice.

mod bare;

use bare::person::{allow, paired};
use bare::pocket::Told;
use bare::{Card, End, Laptop, Line};
use shared_proto::error::ErrorCode;
use shared_proto::program::{Builder, Chat, Op, Put, Write};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Kills in one run; `OFFICEOS_KILLS` sets another number.
const KILLS: usize = 30;

/// Numbers that look random; the seed is printed, and `OFFICEOS_SEED` sets it.
struct Dice(u64);

impl Dice {
    fn roll() -> Self {
        let clock = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .expect("a time")
            .as_nanos() as u64;
        let seed = std::env::var("OFFICEOS_SEED")
            .ok()
            .and_then(|seed| seed.parse().ok())
            .unwrap_or(clock);
        println!("OFFICEOS_SEED={seed}");
        Self(seed)
    }

    fn below(&mut self, end: u64) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }
}

fn kills() -> usize {
    std::env::var("OFFICEOS_KILLS")
        .ok()
        .and_then(|number| number.parse().ok())
        .unwrap_or(KILLS)
}

/// Writes a file of its own under a name that is never replaced: a second run would leave a second file.
fn mark(id: u64) -> Vec<u8> {
    let mut builder = Builder::new();
    let (path, data) = (
        builder.name(&format!("run-{id}.txt")),
        builder.text(&body(id)),
    );
    let (model, input) = (
        builder.name("built-in/partner"),
        builder.text("Tell me a long story about the sea."),
    );
    let put = builder.op(&Op::Put(Put {
        path,
        data,
        write: Write::Rename,
    }));
    let answer = builder.op(&Op::Chat(Chat {
        model,
        conversation: id,
        parent: [0; 8],
        history: None,
        system: None,
        input,
        max_tokens: 60,
        temperature: None,
    }));
    builder.emit(put);
    builder.emit(answer);
    builder.finish().expect("a program")
}

fn body(id: u64) -> String {
    format!("request {id} ").repeat(400)
}

/// Links as soon as somebody listens.
fn link(card: &Card, laptop: &Laptop) -> (Line, SocketAddr) {
    let address = laptop.address();
    (card.link(address).expect("linked"), address)
}

/// What every request has come to, by asking for all of them again.
fn settle(line: &mut Line, id: u64, known: &Told) -> Told {
    line.resume(id, known.clone());
    line.finish(id)
}

#[test]
fn a_daemon_killed_at_any_instant_runs_nothing_twice_and_loses_nothing_it_told() {
    let mut dice = Dice::roll();
    let (mut laptop, _, card) = paired("kill-daemon");
    allow(&laptop, &["put", "chat"]);
    laptop.ask(&["limit", "pocket", "--requests-per-minute", "6000"]);
    let (mut id, mut interrupted, mut done) = (0, 0, 0);
    for _ in 0..kills() {
        id += 1;
        let (mut line, _) = link(&card, &laptop);
        let program = mark(id);
        line.submit(id, &program);
        // From before the request is read until well after its end.
        let instant = std::time::Instant::now() + Duration::from_micros(dice.below(260_000));
        while std::time::Instant::now() < instant && line.step().is_ok() {}
        laptop.kill();
        while line.step().is_ok() {}
        let before = line.told.get(&id).cloned().unwrap_or_default();
        drop(line);
        laptop.launch();

        let (mut line, _) = link(&card, &laptop);
        let after = settle(&mut line, id, &before);
        match &after.end {
            Some(End::Done(_)) => {
                done += 1;
                line.ack(id);
            }
            Some(End::Failed(_, ErrorCode::Interrupted, _)) => {
                interrupted += 1;
                assert!(
                    !matches!(before.end, Some(End::Done(_))),
                    "a request that was told done is interrupted"
                );
            }
            // Never taken in: then it was never said to be, and may be submitted for the first time.
            Some(End::Failed(_, ErrorCode::UnknownRequest, _)) => {
                assert!(
                    !before.accepted,
                    "request {id} was accepted and is forgotten"
                );
            }
            other => panic!("request {id} ended as {other:?}\n{}", laptop.log()),
        }
        for (slot, bytes) in &before.bodies {
            assert!(
                after.bodies[slot].starts_with(bytes),
                "what had arrived of request {id} changed"
            );
        }
        // Submitting again attaches, whatever became of it; it never runs a second time.
        if !matches!(
            after.end,
            Some(End::Failed(_, ErrorCode::UnknownRequest, _))
        ) {
            line.submit(id, &program);
            line.finish(id);
        }
        check_files(&laptop, id);
    }
    assert!(
        interrupted > 0,
        "no kill of {} fell into running work ({done} were done)",
        kills()
    );
}

/// Each request has left one file at most, and none that is torn.
fn check_files(laptop: &Laptop, last: u64) {
    let mut seen: BTreeMap<u64, usize> = BTreeMap::new();
    for entry in std::fs::read_dir(laptop.files())
        .into_iter()
        .flatten()
        .flatten()
    {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') {
            continue;
        }
        let number = name
            .trim_start_matches("run-")
            .split([' ', '.'])
            .next()
            .and_then(|word| word.parse().ok());
        let number: u64 = number.unwrap_or_else(|| panic!("a strange file {name}"));
        *seen.entry(number).or_default() += 1;
        assert_eq!(
            std::fs::read_to_string(entry.path()).expect("read"),
            body(number),
            "{name} is torn"
        );
    }
    assert!(seen.keys().all(|number| *number <= last));
    assert!(
        seen.values().all(|files| *files == 1),
        "a request ran twice: {seen:?}"
    );
}

#[test]
fn a_service_killed_in_the_middle_ends_its_request_and_is_back_for_the_next() {
    let mut dice = Dice::roll();
    let (laptop, address, card) = paired("kill-services");
    allow(&laptop, &["put", "chat"]);
    laptop.ask(&["limit", "pocket", "--requests-per-minute", "6000"]);
    let mut line = card.link(address).expect("linked");
    let mut interrupted = 0;
    for id in 1..=kills() as u64 {
        line.submit(id, &mark(id));
        if id % 2 == 0 {
            // From where the model answers: on a slow disk that is later than all of what follows.
            line.until("its start", |line| {
                let told = line.told.get(&id);
                told.is_some_and(|told| !told.started.is_empty() || told.end.is_some())
            })
            .expect("alive");
        }
        let instant = std::time::Instant::now() + Duration::from_micros(dice.below(200_000));
        while std::time::Instant::now() < instant
            && line.told.get(&id).is_none_or(|told| told.end.is_none())
        {
            line.step()
                .expect("the session lives through the death of a service");
        }
        if let Some(pid) = child(&laptop, "llm-service") {
            bare::process::crash(pid);
        }
        let told = line.finish(id);
        match &told.end {
            Some(End::Done(_)) => {}
            Some(End::Failed(Some(1), ErrorCode::Interrupted, _)) => interrupted += 1,
            // Killed before it was asked: then nothing has run there.
            Some(End::Failed(Some(1), ErrorCode::ServiceDown, _)) => {}
            other => panic!("request {id} ended as {other:?}\n{}", laptop.log()),
        }
        line.ack(id);
        check_files(&laptop, id);
        let deadline = std::time::Instant::now() + bare::laptop::PATIENCE;
        while laptop.ask(&["status"])["services"]["language"] != true {
            assert!(
                std::time::Instant::now() < deadline,
                "llm-service does not come back\n{}",
                laptop.log()
            );
            line.step().expect("alive");
        }
    }
    assert!(
        interrupted > 0,
        "no kill of {} fell into running work",
        kills()
    );
}

fn child(laptop: &Laptop, name: &str) -> Option<u32> {
    let mut all = bare::process::children(laptop.pid()).into_iter();
    all.find(|(_, program)| program == name).map(|(pid, _)| pid)
}
