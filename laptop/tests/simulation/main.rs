//! Faults at random instants, in virtual time: both session machines and the laptop's store, as they are, with bodies that stream, and
//! around them a handheld that forgets what it had not written, a link that carries octets in pieces and breaks, a laptop that is
//! killed, providers that stall or fail, and clocks that jump. When the faults end, every request has ended once and is put away.
//!
//! A failing run prints its seed. `OFFICEOS_SEED` does that one again, `OFFICEOS_RUNS` says how many are done.
#![allow(clippy::unwrap_used)]

mod handheld;
mod laptop;

use handheld::{Handheld, Item};
use laptop::Laptop;
use shared_proto::limits::PROTOCOL_VERSION;
use shared_proto::message::{Hello, LedgerHead, Link, Screen, Standing, Welcome};
use shared_proto::session::{ClientSession, ServerSession};
use shared_proto::time::Millis;
use std::fs;
use std::path::Path;

/// The only stream of a request here.
const SLOT: u8 = 0;
/// Requests that a handheld keeps at a time.
const MAX_ITEMS: usize = 5;

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound.max(1)
    }
}

/// How long the answer of a request is, which its number says.
fn length(id: u64) -> u64 {
    [0, 1, 900, 70_000, 200_000][id as usize % 5] + id * 37 % 800
}

/// Octets of an answer from `offset`.
fn answer(id: u64, offset: u64, len: usize) -> Vec<u8> {
    (offset..offset + len as u64)
        .map(|at| (at * 31 + id * 7 + (at >> 8)) as u8)
        .collect()
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Done,
    Failed(u16),
}

/// Everything, and the octets that are under way.
struct World {
    dice: Dice,
    now: u64,
    handheld: Handheld,
    laptop: Laptop,
    /// Up and down; `None` while nothing connects the two.
    link: Option<(Vec<u8>, Vec<u8>)>,
    faults: Faults,
}

/// What happened, so that a run that met nothing is seen.
#[derive(Debug, Default, Clone, Copy)]
struct Faults {
    cuts: u32,
    kills: u32,
    power: u32,
    resumed: u32,
    failed: u32,
}

impl World {
    fn new(seed: u64, folder: &Path) -> Self {
        Self {
            dice: Dice(seed),
            now: 1_000,
            handheld: Handheld::default(),
            laptop: Laptop::new(folder),
            link: None,
            faults: Faults::default(),
        }
    }

    fn at(&self) -> Millis {
        Millis(self.now)
    }

    fn step(&mut self, calm: bool) {
        match self.dice.below(if calm { 13 } else { 16 }) {
            0 => self.connect(),
            1 | 2 => self.ask(calm),
            3 => self.handheld.send(self.now, &mut self.faults),
            4 => self.handheld.write_down(self.now),
            5 | 6 => self.carry(true),
            7 | 8 => self.carry(false),
            9..=11 => self.laptop.work(&mut self.dice, calm, &mut self.faults),
            12 => self.time_passes(calm),
            13 => self.cut(),
            // The laptop's end of a link that is gone is not told so.
            14 => self.link = None,
            _ => match self.dice.below(6) {
                0 => self.kill(),
                1 | 2 => self.battery(),
                _ => self.laptop.wall += self.dice.below(2_000_000) as i64 - 1_000_000,
            },
        }
        if self.link.is_none() {
            // The handheld notices at once here; the laptop by its silence, or by the next session.
            self.handheld.session = None;
        }
        self.laptop.pump();
        self.flush();
    }

    fn flush(&mut self) {
        let Some((up, down)) = &mut self.link else {
            return;
        };
        if let Some(session) = &mut self.handheld.session {
            up.extend(session.take_transmit());
        }
        if let Some(session) = &mut self.laptop.session {
            down.extend(session.take_transmit());
        }
    }

    fn connect(&mut self) {
        if self.link.is_some() {
            return;
        }
        let hello = Hello {
            version: PROTOCOL_VERSION,
            name: "Pocket",
            app: "0.1.0",
            screen: Screen {
                width: 640,
                height: 480,
            },
            formats: 7,
            last_id: self.handheld.kept.last_id,
            ledger: LedgerHead::default(),
        };
        let welcome = Welcome {
            version: PROTOCOL_VERSION,
            name: "Ada's ThinkPad",
            time_ms: 1,
            utc_offset_min: 60,
            floor: 1,
            standing: Standing::default(),
            link: Link::default(),
            ledger: LedgerHead::default(),
        };
        let at = self.at();
        let mut client = ClientSession::new(&hello, at).unwrap();
        let mut server = ServerSession::new(at);
        server.receive(&client.take_transmit(), at, |_| {}).unwrap();
        server.welcome(&welcome).unwrap();
        client.receive(&server.take_transmit(), at, |_| {}).unwrap();
        self.handheld.session = Some(client);
        self.laptop.session = Some(server);
        self.laptop.followed.clear();
        self.link = Some((Vec::new(), Vec::new()));
    }

    /// A person writes something.
    fn ask(&mut self, calm: bool) {
        let card = &mut self.handheld.open;
        if calm || card.items.len() >= MAX_ITEMS {
            return;
        }
        card.last_id += 1;
        card.items.insert(card.last_id, Item::default());
    }

    /// Some of what is under way arrives, up to any octet.
    fn carry(&mut self, up: bool) {
        let Some((rising, falling)) = &mut self.link else {
            return;
        };
        let under_way = if up { rising } else { falling };
        let most = [7, 300, 20_000, 1 << 20][self.dice.below(4) as usize];
        let len = (self.dice.below(most) as usize + 1).min(under_way.len());
        let arrived: Vec<u8> = under_way.drain(..len).collect();
        let at = self.at();
        match up {
            true => self.laptop.receive(&arrived, at),
            false => self.handheld.receive(&arrived, at),
        }
    }

    fn time_passes(&mut self, calm: bool) {
        self.now += self.dice.below(if calm { 500 } else { 6_000 });
        let at = self.at();
        if let Some(session) = &self.laptop.session
            && session.tick(at).is_err()
        {
            self.laptop.session = None;
            self.laptop.followed.clear();
            self.link = None;
        }
        if let Some(session) = &mut self.handheld.session
            && session.tick(at).is_err()
        {
            self.link = None;
        }
    }

    fn cut(&mut self) {
        self.faults.cuts += u32::from(self.link.is_some());
        self.link = None;
        self.laptop.session = None;
        self.laptop.followed.clear();
    }

    fn kill(&mut self) {
        self.faults.kills += 1;
        self.cut();
        self.laptop.begin_again();
    }

    fn battery(&mut self) {
        self.faults.power += 1;
        self.link = None;
        self.handheld.session = None;
        self.handheld.open = self.handheld.kept.clone();
    }

    /// What holds at any instant.
    fn check(&self) {
        for (id, runs) in &self.laptop.runs {
            assert_eq!(*runs, 1, "request {id} ran again");
        }
        for (id, (end, len)) in &self.handheld.away {
            assert_eq!(self.laptop.runs.get(id), Some(&1), "{id} ended unrun");
            if *end == End::Done {
                assert_eq!(
                    *len as u64,
                    length(*id),
                    "{id} was done before it was whole"
                );
            }
        }
    }
}

/// Says which run it was when it fails.
struct Seed(u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("OFFICEOS_SEED={}", self.0);
        }
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn whatever_fails_every_request_runs_once_and_its_answer_arrives_whole() {
    let memory = Path::new("/dev/shm");
    let base = match memory.is_dir() {
        true => memory.to_owned(),
        false => std::env::temp_dir(),
    };
    let folder = base.join(format!("officeos-simulation-{}", std::process::id()));
    let one = number("OFFICEOS_SEED");
    let runs = one.map_or(number("OFFICEOS_RUNS").unwrap_or(1_000), |_| 1);
    let (mut met, mut ended) = (Faults::default(), 0);
    for run in 0..runs {
        let seed = one.unwrap_or(0x0ff1_ce00 + run);
        let told = Seed(seed);
        let mut world = World::new(seed, &folder);
        for _ in 0..400 {
            world.step(false);
            world.check();
        }
        // The faults end: whatever is on the card comes to its end.
        let mut steps = 0;
        while !world.handheld.open.items.is_empty() {
            world.step(true);
            world.check();
            steps += 1;
            assert!(
                steps < 20_000,
                "{:?} never end",
                world.handheld.open.items.keys()
            );
        }
        met.cuts += world.faults.cuts;
        met.kills += world.faults.kills;
        met.power += world.faults.power;
        met.resumed += world.faults.resumed;
        met.failed += world.faults.failed;
        ended += world.handheld.away.len();
        drop(told);
    }
    let _ = fs::remove_dir_all(&folder);
    println!("{runs} runs, {ended} requests ended; {met:?}");
    if one.is_none() {
        let each = [met.cuts, met.kills, met.power, met.resumed, met.failed];
        assert!(
            each.iter().all(|count| u64::from(*count) > runs / 10),
            "{met:?}"
        );
    }
}
