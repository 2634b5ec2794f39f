//! Faults at random instants, in virtual time: both session machines and the laptop's store, as they are, with bodies that stream, and
//! around them a handheld that forgets what it had not written, a link that carries octets in pieces and breaks, a laptop that is
//! killed, providers that stall or fail, disks that are slow, full or fail, and clocks that jump. When the faults end, every
//! request has ended once and is put away, and the ledger tells all of it.
//!
//! The store's disk fails as `tests/support/disk.c` lets it, which the test starts itself anew with; its delays take virtual time.
//!
//! A failing run prints its seed. `OFFICEOS_SEED` does that one again, `OFFICEOS_RUNS` says how many are done.
#![allow(clippy::unwrap_used)]

#[path = "../../../tests/support/disk.rs"]
#[allow(dead_code)] // Other runs use the rest.
mod disk;
mod handheld;
mod laptop;

use disk::Disk;
use handheld::{Handheld, Item};
use laptop::Laptop;
use shared_proto::limits::PROTOCOL_VERSION;
use shared_proto::message::{Hello, LedgerHead, Link, Screen, Standing, Welcome};
use shared_proto::session::{ClientSession, ServerSession};
use shared_proto::time::Millis;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

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
    /// Whether the handheld's card is slow.
    slow_card: bool,
    laptop: Laptop,
    /// The laptop's.
    disk: Disk,
    /// How long that has delayed the laptop so far.
    waited: Duration,
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
    /// Clocks that jumped.
    jumps: u32,
    /// Times that the laptop waited for its disk for a second and more.
    slow: u32,
    /// Requests that a disk without room, or one that failed, did not take.
    refused: u32,
    /// Ends that it did not take.
    owed: u32,
    /// Starts of the laptop that it did not let happen.
    down: u32,
    /// Times that the handheld's card took nothing.
    full_card: u32,
}

impl Faults {
    fn each(&self) -> [u32; 11] {
        [
            self.cuts,
            self.kills,
            self.power,
            self.resumed,
            self.failed,
            self.jumps,
            self.slow,
            self.refused,
            self.owed,
            self.down,
            self.full_card,
        ]
    }

    fn add(&mut self, other: &Self) {
        self.cuts += other.cuts;
        self.kills += other.kills;
        self.power += other.power;
        self.resumed += other.resumed;
        self.failed += other.failed;
        self.jumps += other.jumps;
        self.slow += other.slow;
        self.refused += other.refused;
        self.owed += other.owed;
        self.down += other.down;
        self.full_card += other.full_card;
    }
}

impl World {
    fn new(seed: u64, folder: &Path, disk: Disk) -> Self {
        disk.mend();
        disk.in_virtual_time(seed);
        Self {
            dice: Dice(seed),
            now: 1_000,
            handheld: Handheld::default(),
            slow_card: false,
            laptop: Laptop::new(folder),
            waited: disk.waited(),
            disk,
            link: None,
            faults: Faults::default(),
        }
    }

    fn at(&self) -> Millis {
        Millis(self.now)
    }

    fn step(&mut self, calm: bool) {
        match self.dice.below(if calm { 13 } else { 17 }) {
            0 => self.connect(),
            1 | 2 => self.ask(calm),
            3 => self.handheld.send(self.now, &mut self.faults),
            4 => self.write_card(),
            5 | 6 => self.carry(true),
            7 | 8 => self.carry(false),
            9..=11 => self.work(calm),
            12 => self.time_passes(calm),
            13 => self.cut(),
            // The laptop's end of a link that is gone is not told so.
            14 => self.link = None,
            15 => self.spoil(),
            _ => match self.dice.below(6) {
                0 => self.kill(),
                1 | 2 => self.battery(),
                _ => {
                    self.laptop.wall += self.dice.below(2_000_000) as i64 - 1_000_000;
                    self.faults.jumps += 1;
                }
            },
        }
        self.handheld.settle(self.now);
        self.wait_for_disk();
        if self.link.is_none() {
            // The handheld notices at once here; the laptop by its silence, or by the next session.
            self.handheld.session = None;
        }
        self.laptop.pump();
        self.flush();
    }

    /// A disk becomes slow, full or unreliable, or works again.
    fn spoil(&mut self) {
        match self.dice.below(8) {
            0 | 1 => self.disk.full_after(self.dice.below(300_000)),
            2 => self
                .disk
                .slow(Duration::from_millis(self.dice.below(8_000))),
            3 => self.disk.fail(self.dice.below(300)),
            4 => {
                self.handheld.full = true;
                self.faults.full_card += 1;
            }
            5 => self.slow_card = !self.slow_card,
            _ => self.mend(),
        }
    }

    fn mend(&mut self) {
        self.disk.mend();
        self.handheld.full = false;
        self.slow_card = false;
    }

    fn write_card(&mut self) {
        let takes = match self.slow_card {
            true => self.dice.below(5_000),
            false => 0,
        };
        self.handheld.write_down(self.now, takes);
    }

    fn work(&mut self, calm: bool) {
        self.laptop.pay();
        self.laptop.work(&mut self.dice, calm, &mut self.faults);
    }

    /// What the laptop waited for, the handheld did as well.
    fn wait_for_disk(&mut self) {
        let waited = self.disk.waited();
        let delay = waited.saturating_sub(self.waited).as_millis() as u64;
        self.waited = waited;
        self.faults.slow += u32::from(delay >= 1_000);
        if delay > 0 {
            self.now += delay;
            self.tick();
        }
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
        if self.link.is_some() || !self.laptop.begin(&mut self.faults) {
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
            true => self.laptop.receive(&arrived, at, &mut self.faults),
            false => self.handheld.receive(&arrived, at),
        }
    }

    fn time_passes(&mut self, calm: bool) {
        self.now += self.dice.below(if calm { 500 } else { 6_000 });
        self.tick();
    }

    fn tick(&mut self) {
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
        self.laptop.end();
        self.laptop.begin(&mut self.faults);
    }

    fn battery(&mut self) {
        self.faults.power += 1;
        self.link = None;
        self.handheld.lose_power();
    }

    /// What holds at any instant.
    fn check(&self) {
        for (id, runs) in &self.laptop.runs {
            assert_eq!(*runs, 1, "request {id} ran again");
        }
        for (id, (end, len)) in &self.handheld.away {
            if *end == End::Done {
                assert_eq!(self.laptop.runs.get(id), Some(&1), "{id} ended unrun");
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

/// What the process leaves that has run them.
const RAN: &str = "ran";

const NAME: &str =
    "whatever_fails_every_request_runs_once_and_its_answer_arrives_whole_and_the_ledger_tells_it";

#[test]
fn whatever_fails_every_request_runs_once_and_its_answer_arrives_whole_and_the_ledger_tells_it() {
    let memory = Path::new("/dev/shm");
    let base = match memory.is_dir() {
        true => memory.to_owned(),
        false => std::env::temp_dir(),
    };
    if Disk::of_this_process().is_none() {
        let folder = base.join(format!("officeos-disk-{}", std::process::id()));
        let disk = Disk::new(&folder, 0);
        let status = Command::new(std::env::current_exe().unwrap())
            .args([NAME, "--exact", "--nocapture"])
            .envs(disk.environment())
            .status();
        let ran = folder.join(RAN).is_file();
        let _ = fs::remove_dir_all(&folder);
        assert!(status.unwrap().success(), "the seed is above");
        assert!(ran, "{NAME} is no longer what this is called");
        return;
    }
    let page = std::env::var_os("OFFICEOS_DISK").unwrap();
    fs::write(Path::new(&page).with_file_name(RAN), "").unwrap();
    let folder = base.join(format!("officeos-simulation-{}", std::process::id()));
    let one = number("OFFICEOS_SEED");
    let runs = one.map_or(number("OFFICEOS_RUNS").unwrap_or(1_000), |_| 1);
    let (mut met, mut ended) = (Faults::default(), 0);
    for run in 0..runs {
        let seed = one.unwrap_or(0x0ff1_ce00 + run);
        let told = Seed(seed);
        let mut world = World::new(seed, &folder, Disk::of_this_process().unwrap());
        for _ in 0..400 {
            world.step(false);
            world.check();
        }
        // The faults end: whatever is on the card comes to its end.
        world.mend();
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
        let stands = world.laptop.begin(&mut world.faults) && world.laptop.pay();
        assert!(stands, "a disk that works takes what is owed");
        world.laptop.check_ledger();
        met.add(&world.faults);
        ended += world.handheld.away.len();
        drop(told);
    }
    let _ = fs::remove_dir_all(&folder);
    println!("{runs} runs, {ended} requests ended; {met:?}");
    if one.is_none() {
        assert!(
            met.each().iter().all(|count| u64::from(*count) > runs / 10),
            "{met:?}"
        );
    }
}
