//! Everything that may fail, at random instants, between a real handheld and a real laptop: processes killed and stopped, slow,
//! full and unreliable disks, clocks that jump, a link that breaks, providers that stall and die. Whatever happens, a question is
//! asked once at most, its answer arrives whole or says by name why not, and the next one is answered.
//!
//! A failing run prints its seed and what it did. `OFFICEOS_SEED` does that one again, `OFFICEOS_ROUNDS` says how many rounds.

mod support;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use support::cutter::Cutter;
use support::disk::Disk;
use support::laptop::Laptop;
use support::pocket::Pocket;
use support::provider::{Answer, Provider};
use support::{Folder, PATIENCE, Random, process};

/// Pairs of laptop and handheld, each with a seed of its own.
const WORLDS: u64 = 4;

/// Rounds of each.
const ROUNDS: u64 = 40;

/// What can happen in a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fault {
    /// The daemon is killed and started again.
    Daemon,
    /// The services that answer and paint are killed.
    Service,
    /// The daemon stands still.
    Stop,
    /// The laptop's disk takes its time.
    SlowDisk,
    /// It has little room left, and then none.
    FullDisk,
    /// What is forced to it fails at times.
    FailingDisk,
    /// The laptop's clock jumps.
    Clock,
    /// The link breaks.
    Link,
    /// The laptop is out of reach.
    Away,
    /// The provider says nothing more for a while.
    Stall,
    /// It breaks off.
    Die,
    /// The handheld loses its battery.
    Battery,
    /// The handheld stands still, as while it sleeps.
    Sleep,
    /// Its card takes its time.
    SlowCard,
    /// Its card has little room left, and then none.
    FullCard,
    /// What is forced to its card fails at times.
    FailingCard,
    /// Its card has become read-only.
    ReadOnlyCard,
    /// Its clock jumps.
    PocketClock,
}

use Fault::*;

const ALL: [Fault; 18] = [
    Daemon,
    Service,
    Stop,
    SlowDisk,
    FullDisk,
    FailingDisk,
    Clock,
    Link,
    Away,
    Stall,
    Die,
    Battery,
    Sleep,
    SlowCard,
    FullCard,
    FailingCard,
    ReadOnlyCard,
    PocketClock,
];

impl Fault {
    /// How a request may end because of it, by the handheld's name for that.
    const fn excuses(self) -> &'static [&'static str] {
        match self {
            // The handheld is back before services are, perhaps.
            Daemon => &["Interrupted", "ServiceDown"],
            Service => &["Interrupted", "ServiceDown"],
            FullDisk => &["StoreFull", "StoreFailed"],
            FailingDisk => &["StoreFailed"],
            // Before its first word, it has refused.
            Die => &["ProviderBroke", "ProviderFailed"],
            FullCard => &["CardFull"],
            FailingCard | ReadOnlyCard => &["CardBroken"],
            _ => &[],
        }
    }
}

fn story(prompt: &str) -> Answer {
    let number: usize = prompt
        .rsplit(' ')
        .next()
        .and_then(|word| word.parse().ok())
        .expect("a number at its end");
    // Some longer than what fits into the laptop's database.
    let count = if number.is_multiple_of(4) { 3_000 } else { 120 };
    let pieces: Vec<_> = (0..count)
        .map(|at| format!("{prompt} says word {at}. "))
        .collect();
    let die_after = prompt.starts_with("Die").then_some(number % 100);
    Answer {
        pieces,
        pause: Duration::from_micros(if count > 120 { 50 } else { 1_500 }),
        die_after,
    }
}

/// What a person asks for.
#[derive(Debug)]
enum Wish {
    Answer(String),
    Picture(String),
}

struct World {
    random: Random,
    laptop: Laptop,
    link: Cutter,
    provider: Provider,
    stalled: Arc<AtomicBool>,
    disk: Disk,
    card: Disk,
    home: PathBuf,
    pocket: Option<Pocket>,
    /// Which were met, and how often a question failed for each name.
    met: BTreeMap<Fault, u32>,
    failures: BTreeMap<String, u32>,
    _folder: Folder,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut random = Random::of(seed);
        let folder = Folder::new("faults");
        let disk = Disk::new(&folder.path().join("disk"), random.below(u64::MAX));
        let card = Disk::new(&folder.path().join("carddisk"), random.below(u64::MAX));
        let stalled = Arc::new(AtomicBool::new(false));
        let gate = Arc::clone(&stalled);
        let provider = Provider::stamped(story, move |_| {
            while gate.load(Ordering::SeqCst) {
                std::thread::park_timeout(Duration::from_millis(5));
            }
        });
        let environment = disk.environment();
        let environment: Vec<_> = environment
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let services = format!("{}{}", provider.entry(), provider.painter_entry());
        let laptop = Laptop::with("faults", &services, &environment);
        let link = Cutter::new(laptop.address());
        let home = folder.path().join("card");
        let mut pocket = Pocket::with(&home, link.address(), "640x480", &card.environment());
        pocket.pair(&laptop);
        laptop
            .ctl()
            .permit("Pocket", &["chat", "generate", "fit"], "allow");
        laptop.ctl().json(&[
            "limit",
            "Pocket",
            "--requests-per-minute",
            "1000",
            "--tokens",
            "100000000",
            "--seconds",
            "1000000",
            "--pictures",
            "1000",
        ]);
        pocket.wait("may.fit=allow");
        Self {
            random,
            laptop,
            link,
            provider,
            stalled,
            disk,
            card,
            home,
            pocket: Some(pocket),
            met: BTreeMap::new(),
            failures: BTreeMap::new(),
            _folder: folder,
        }
    }

    fn pocket(&mut self) -> &mut Pocket {
        self.pocket.as_mut().expect("the handheld runs")
    }

    fn start_pocket(&mut self) {
        let environment = self.card.environment();
        self.pocket = Some(Pocket::with(
            &self.home,
            self.link.address(),
            "640x480",
            &environment,
        ));
    }

    fn begin(&mut self, fault: Fault) {
        *self.met.entry(fault).or_default() += 1;
        match fault {
            Daemon => self.laptop.kill(),
            Service => {
                for name in ["llm-service", "image-service"] {
                    for pid in self.laptop.children(name) {
                        process::crash(pid);
                    }
                }
            }
            Stop => process::freeze(self.laptop.pid(), true),
            SlowDisk => self
                .disk
                .slow(Duration::from_millis(self.random.below(700))),
            FullDisk => {
                let most = [1, 4_000, 60_000][self.random.below(3) as usize];
                self.disk.full_after(self.random.below(most));
            }
            FailingDisk => self.disk.fail(200 + self.random.below(800)),
            // Never so far that the relationship is over.
            Clock => self
                .disk
                .jump(self.random.below(1_600_000) as i64 - 800_000),
            Link => self.link.cut(),
            Away => self.link.set_away(true),
            Stall => self.stalled.store(true, Ordering::SeqCst),
            Die => {}
            Battery => self.pocket.take().expect("the handheld runs").kill(),
            Sleep => process::freeze(self.pocket().pid(), true),
            SlowCard => self
                .card
                .slow(Duration::from_millis(self.random.below(700))),
            FullCard => {
                let most = [1, 100_000][self.random.below(2) as usize];
                self.card.full_after(self.random.below(most));
            }
            FailingCard => self.card.fail(200 + self.random.below(800)),
            ReadOnlyCard => self.card.read_only(true),
            PocketClock => self
                .card
                .jump(self.random.below(600_000_000) as i64 - 300_000_000),
        }
    }

    fn mend(&mut self, fault: Fault) {
        match fault {
            Daemon => self.laptop.restart(),
            Stop => process::freeze(self.laptop.pid(), false),
            SlowDisk | FullDisk | FailingDisk => self.disk.mend(),
            Away => self.link.set_away(false),
            Stall => self.stalled.store(false, Ordering::SeqCst),
            Battery => self.start_pocket(),
            Sleep => {
                if let Some(pocket) = &self.pocket {
                    process::freeze(pocket.pid(), false);
                }
            }
            SlowCard | FullCard | FailingCard | ReadOnlyCard => self.card.mend(),
            Service | Clock | Link | Die | PocketClock => {}
        }
    }

    /// A wish with two faults on its way; see the module.
    fn round(&mut self, round: u64) {
        let first = ALL[self.random.below(ALL.len() as u64) as usize];
        let second = ALL[self.random.below(ALL.len() as u64) as usize];
        let mut faults = vec![first];
        if second != first {
            faults.push(second);
        }
        let wish = match (round % 3, faults.contains(&Die)) {
            (2, _) => Wish::Picture(format!("Noise {round}")),
            (_, true) => Wish::Answer(format!("Die {round}")),
            (_, false) => Wish::Answer(format!("Fault {round}")),
        };
        println!("{wish:?}: {faults:?}");
        let wish = self.ask(wish);
        for fault in &faults {
            let longest = [30, 400][self.random.below(2) as usize];
            std::thread::park_timeout(Duration::from_millis(self.random.below(longest)));
            // What does not run can neither be stopped nor killed.
            let runs = match fault {
                Sleep | Battery => self.pocket.is_some(),
                Stop | Daemon => self.laptop.pid() != 0,
                _ => true,
            };
            if runs {
                self.begin(*fault);
            }
        }
        std::thread::park_timeout(Duration::from_millis(self.random.below(500)));
        // A laptop does not start on a disk that takes nothing.
        faults.sort_by_key(|fault| !matches!(fault, FullDisk | FailingDisk));
        for fault in &faults {
            self.mend(*fault);
        }
        self.settle();
        self.judge(&wish, &faults);
    }

    /// Types it and sends it; gives back what was sent.
    fn ask(&mut self, wish: Wish) -> Wish {
        let pocket = self.pocket();
        pocket.home();
        match &wish {
            Wish::Answer(prompt) => {
                pocket.press("Start");
                pocket.wait("screen=writing");
                pocket.type_text(prompt);
                pocket.press("Start");
                wish
            }
            Wish::Picture(prompt) => {
                let sent = pocket.write_prompt(prompt);
                pocket.press("Start");
                Wish::Picture(sent)
            }
        }
    }

    /// Waits until nothing is under way and everything runs.
    fn settle(&mut self) {
        self.laptop.wait();
        let until = Instant::now() + PATIENCE;
        loop {
            let facts = self.pocket().facts();
            let busy = facts
                .iter()
                .filter(|(name, _)| name.starts_with("outbox.") && name.matches('.').count() == 1)
                .any(|(_, state)| !matches!(state.as_str(), "failed" | "draft"));
            if !busy && facts["link"] == "linked" {
                return;
            }
            assert!(Instant::now() < until, "{facts:#?}");
            std::thread::park_timeout(Duration::from_millis(10));
        }
    }

    fn judge(&mut self, wish: &Wish, faults: &[Fault]) {
        let (Wish::Answer(prompt) | Wish::Picture(prompt)) = wish;
        if !self.find(wish) {
            let excused =
                |fault: &Fault| matches!(fault, Battery | FullCard | FailingCard | ReadOnlyCard);
            assert!(
                faults.iter().any(excused),
                "{prompt} is lost without a reason"
            );
            assert_eq!(self.asked(prompt), 0, "{prompt} ran and is not on the card");
            *self.failures.entry("lost".to_owned()).or_default() += 1;
            return;
        }
        let why = match wish {
            Wish::Answer(prompt) => self.answer(prompt),
            Wish::Picture(_) => self.picture(),
        };
        let asked = self.asked(prompt);
        assert!(asked <= 1, "{prompt} ran {asked} times");
        let Some((why, detail)) = why else {
            assert_eq!(asked, 1, "{prompt}: what nobody gave");
            return;
        };
        assert!(
            faults
                .iter()
                .any(|fault| fault.excuses().contains(&why.as_str())),
            "{prompt} failed with {why} ({detail}) for {faults:?}"
        );
        *self.failures.entry(why).or_default() += 1;
    }

    /// How often the provider was asked for it.
    fn asked(&self, prompt: &str) -> usize {
        let all = self.provider.prompts();
        all.iter().filter(|one| *one == prompt).count()
    }

    /// Whether the newest chat or picture is this one; opens the chat.
    fn find(&mut self, wish: &Wish) -> bool {
        let pocket = self.pocket();
        pocket.home();
        match wish {
            Wish::Answer(prompt) => {
                pocket.press("Up Up Up Left Left A");
                pocket.wait("screen=chats");
                if pocket.fact("chats") == "0" {
                    return false;
                }
                pocket.press("A");
                pocket.wait("screen=chat");
                pocket.fact("chat.0") == format!("person: {prompt}")
            }
            Wish::Picture(prompt) => pocket.fact("picture.0.prompt") == *prompt,
        }
    }

    /// Whether the chat that shows has its whole answer; else why not.
    fn answer(&mut self, prompt: &str) -> Option<(String, String)> {
        let pocket = self.pocket();
        pocket.wait("answer.state!open");
        let mut facts = pocket.facts();
        let expected = story(prompt).pieces.concat();
        let answer = facts["answer"].trim_end();
        if facts["answer.state"] == "done" {
            assert_eq!(
                answer,
                expected.trim_end(),
                "{prompt}: the whole answer, once"
            );
            return None;
        }
        assert_eq!(facts["answer.state"], "broken", "{facts:#?}");
        assert!(expected.starts_with(answer), "{prompt}: {answer}");
        let mut take = |name: &str| facts.remove(name).unwrap_or_default();
        Some((take("answer.failure"), take("answer.detail")))
    }

    /// Whether the newest picture is there; else why not.
    fn picture(&mut self) -> Option<(String, String)> {
        let pocket = self.pocket();
        pocket.wait("picture.0!open");
        let mut facts = pocket.facts();
        if facts["picture.0"] == "ready" {
            assert_eq!(facts["picture.0.size"], "640x480");
            return None;
        }
        assert_eq!(facts["picture.0"], "broken", "{facts:#?}");
        let why = facts.remove("picture.0.failure").unwrap_or_default();
        Some((why, String::new()))
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

/// What a run met, so that faults that do nothing are seen.
#[derive(Default)]
struct Met {
    faults: BTreeMap<Fault, u32>,
    /// Calls that the laptop's disk and the card refused or failed to force.
    disks: [u64; 4],
}

#[test]
fn whatever_fails_a_question_is_asked_once_and_answered_whole_or_refused_by_name() {
    let seeds = match number("OFFICEOS_SEED") {
        Some(seed) => vec![seed],
        None => (1..=WORLDS).collect(),
    };
    let every = seeds.len() > 1;
    let rounds = number("OFFICEOS_ROUNDS").unwrap_or(ROUNDS);
    // Most of the time is waiting: for a start, a new attempt, the end of a fault.
    let met: Vec<Met> = std::thread::scope(|scope| {
        let running: Vec<_> = seeds
            .into_iter()
            .map(|seed| scope.spawn(move || run(seed, rounds)))
            .collect();
        let ended = running.into_iter().map(|run| run.join());
        ended.map(|met| met.expect("see above")).collect()
    });
    if every && rounds >= ROUNDS {
        for fault in ALL {
            assert!(
                met.iter().any(|met| met.faults.contains_key(&fault)),
                "{fault:?} was not met"
            );
        }
        for place in 0..4 {
            let count: u64 = met.iter().map(|met| met.disks[place]).sum();
            assert!(count > 0, "number {place} of the disks' faults did nothing");
        }
    }
}

fn run(seed: u64, rounds: u64) -> Met {
    let _told = Seed(seed);
    let mut world = World::new(seed);
    for round in 0..rounds {
        world.round(round);
    }
    let disks = [
        world.disk.refused(),
        world.disk.failed(),
        world.card.refused(),
        world.card.failed(),
    ];
    println!(
        "seed {seed}, {rounds} rounds: {:?}; what failed: {:?}; refused and unforced by disk and card: {disks:?}",
        world.met, world.failures
    );
    // Nor was anything of an earlier round asked for later.
    let mut prompts = world.provider.prompts();
    let all = prompts.len();
    prompts.sort();
    prompts.dedup();
    assert_eq!(prompts.len(), all, "something ran twice");
    let verified = world.laptop.ctl().run(&["ledger", "verify"]);
    assert!(
        verified.status.success(),
        "{}",
        String::from_utf8_lossy(&verified.stderr)
    );
    Met {
        faults: std::mem::take(&mut world.met),
        disks,
    }
}
