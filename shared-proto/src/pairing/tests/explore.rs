//! Every order in which people, devices, storage, time, power and the carrier can act, up to two faults of the carrier, and the same with
//! somebody between the two who passes everything on.

use std::collections::{HashSet, VecDeque};

use super::*;

/// Both machines, the messages between them, and both stores.
#[derive(Clone, Debug)]
struct World {
    laptop: Laptop,
    handheld: Handheld,
    /// Whether each process is still there. A store outlives its process.
    laptop_lives: bool,
    handheld_lives: bool,
    to_laptop: VecDeque<Vec<u8>>,
    to_handheld: VecDeque<Vec<u8>>,
    now: Millis,
    /// How often the carrier may still lose, repeat or reorder a message.
    faults_left: u8,
    /// Digits that the laptop has compared.
    entries: u8,
    laptop_final: bool,
    cut: bool,
    typed_right: bool,
    said_yes: bool,
    laptop_has: bool,
    handheld_has: bool,
}

#[derive(Clone, Copy, Debug)]
enum Act {
    ReachLaptop,
    ReachHandheld,
    LoseToLaptop,
    LoseToHandheld,
    RepeatToLaptop,
    RepeatToHandheld,
    SwapToLaptop,
    SwapToHandheld,
    TypeRight,
    TypeWrong,
    SayYes,
    SayNo,
    LaptopStores,
    LaptopCannotStore,
    HandheldStores,
    HandheldCannotStore,
    Cut,
    LaptopDies,
    HandheldDies,
    Wait,
}

const ACTS: [Act; 20] = [
    Act::ReachLaptop,
    Act::ReachHandheld,
    Act::LoseToLaptop,
    Act::LoseToHandheld,
    Act::RepeatToLaptop,
    Act::RepeatToHandheld,
    Act::SwapToLaptop,
    Act::SwapToHandheld,
    Act::TypeRight,
    Act::TypeWrong,
    Act::SayYes,
    Act::SayNo,
    Act::LaptopStores,
    Act::LaptopCannotStore,
    Act::HandheldStores,
    Act::HandheldCannotStore,
    Act::Cut,
    Act::LaptopDies,
    Act::HandheldDies,
    Act::Wait,
];

/// Splits what a machine said into its frames.
fn frames(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let length = 2 + usize::from(u16::from_be_bytes([rest[0], rest[1]]));
        all.push(rest[..length].to_vec());
        rest = &rest[length..];
    }
    all
}

impl World {
    fn new(faults: u8) -> Self {
        let (laptop, handheld) = machines();
        Self::of(laptop, handheld, faults)
    }

    /// The two sit on different channels: somebody between them passes every message on as it is.
    fn with_somebody_between(faults: u8) -> Self {
        let (laptop, _) = machines();
        let handheld = Handheld::new(
            RingCrypto,
            binding_of(1, public(1), public(2)),
            [0x11; 32],
            name("Ada's RG35XX"),
            SCREEN,
            START,
        );
        Self::of(laptop, handheld, faults)
    }

    fn of(laptop: Laptop, handheld: Handheld, faults_left: u8) -> Self {
        let mut world = Self {
            laptop,
            handheld,
            laptop_lives: true,
            handheld_lives: true,
            to_laptop: VecDeque::new(),
            to_handheld: VecDeque::new(),
            now: START,
            faults_left,
            entries: 0,
            laptop_final: false,
            cut: false,
            typed_right: false,
            said_yes: false,
            laptop_has: false,
            handheld_has: false,
        };
        world.collect();
        world
    }

    fn collect(&mut self) {
        let (to_handheld, to_laptop) = (
            said_by_laptop(&mut self.laptop),
            said_by_handheld(&mut self.handheld),
        );
        if !self.cut {
            self.to_handheld.extend(frames(&to_handheld));
            self.to_laptop.extend(frames(&to_laptop));
        }
        // The store follows what the machine says is to be kept of a failed attempt.
        if self.laptop_lives && matches!(self.laptop.phase(), LaptopPhase::Failed(_)) {
            self.laptop_has &= self.laptop.kept() != Kept::Nothing;
        }
        self.laptop_final |= self.laptop_lives && self.laptop.phase() == LaptopPhase::Paired;
    }

    fn queue(&mut self, laptop: bool) -> &mut VecDeque<Vec<u8>> {
        if laptop {
            &mut self.to_laptop
        } else {
            &mut self.to_handheld
        }
    }

    /// One message of one queue is lost, repeated or swapped with the next.
    fn fault(&mut self, laptop: bool, act: Act) -> bool {
        if self.faults_left == 0 || self.queue(laptop).is_empty() {
            return false;
        }
        self.faults_left -= 1;
        let queue = self.queue(laptop);
        match act {
            Act::RepeatToLaptop | Act::RepeatToHandheld => {
                let first = queue[0].clone();
                queue.push_front(first);
            }
            Act::SwapToLaptop | Act::SwapToHandheld => {
                if queue.len() < 2 {
                    return false;
                }
                queue.swap(0, 1);
            }
            _ => {
                queue.pop_front();
            }
        }
        true
    }

    /// Applies an act; false where it is impossible or changes nothing.
    fn apply(&mut self, act: Act) -> bool {
        let (needs_laptop, needs_handheld) = match act {
            Act::ReachLaptop | Act::LaptopStores | Act::LaptopCannotStore => (true, false),
            Act::TypeRight | Act::TypeWrong => (true, true),
            Act::ReachHandheld
            | Act::SayYes
            | Act::SayNo
            | Act::HandheldStores
            | Act::HandheldCannotStore => (false, true),
            _ => (false, false),
        };
        if (needs_laptop && !self.laptop_lives) || (needs_handheld && !self.handheld_lives) {
            return false;
        }
        match act {
            Act::ReachLaptop => {
                let Some(message) = self.to_laptop.pop_front() else {
                    return false;
                };
                self.laptop.receive(&message, self.now);
            }
            Act::ReachHandheld => {
                let Some(message) = self.to_handheld.pop_front() else {
                    return false;
                };
                self.handheld.receive(&message, self.now);
            }
            Act::LoseToLaptop | Act::RepeatToLaptop | Act::SwapToLaptop => {
                return self.fault(true, act);
            }
            Act::LoseToHandheld | Act::RepeatToHandheld | Act::SwapToHandheld => {
                return self.fault(false, act);
            }
            Act::TypeRight => {
                let HandheldPhase::Showing { digits, .. } = self.handheld.phase() else {
                    return false;
                };
                match self.laptop.typed(&digits.to_string(), self.now) {
                    Typing::Right => self.typed_right = true,
                    Typing::Wrong => {}
                    Typing::NotNow | Typing::NotSixDigits => return false,
                }
                self.entries += 1;
            }
            Act::TypeWrong => {
                let HandheldPhase::Showing { digits, .. } = self.handheld.phase() else {
                    return false;
                };
                if self.laptop.typed(&wrong(&digits.to_string()), self.now) != Typing::Wrong {
                    return false;
                }
                self.entries += 1;
            }
            Act::SayYes => {
                if !self.handheld.confirm(self.now) {
                    return false;
                }
                self.said_yes = true;
            }
            Act::SayNo => self.handheld.stop(PairingError::Cancelled),
            Act::LaptopStores => {
                let LaptopPhase::Store(_) = self.laptop.phase() else {
                    return false;
                };
                self.laptop_has = true;
                self.laptop.stored(grant(), self.now);
            }
            Act::LaptopCannotStore => {
                let LaptopPhase::Store(_) = self.laptop.phase() else {
                    return false;
                };
                self.laptop.stop(PairingError::NotStored);
            }
            Act::HandheldStores => {
                let HandheldPhase::Store(_) = self.handheld.phase() else {
                    return false;
                };
                self.handheld_has = true;
                self.handheld.stored();
            }
            Act::HandheldCannotStore => {
                let HandheldPhase::Store(_) = self.handheld.phase() else {
                    return false;
                };
                self.handheld.stop(PairingError::NotStored);
            }
            Act::Cut => {
                if self.cut {
                    return false;
                }
                self.cut = true;
                self.to_laptop.clear();
                self.to_handheld.clear();
                self.laptop.cut();
                self.handheld.cut();
            }
            // The process is gone with its machine; the other end sees its channel end.
            Act::LaptopDies => {
                if !self.laptop_lives {
                    return false;
                }
                self.laptop_lives = false;
                self.to_laptop.clear();
            }
            Act::HandheldDies => {
                if !self.handheld_lives {
                    return false;
                }
                self.handheld_lives = false;
                self.to_handheld.clear();
            }
            Act::Wait => {
                let next = [self.laptop.deadline(), self.handheld.deadline()];
                let Some(next) = next.into_iter().flatten().min() else {
                    return false;
                };
                self.now = self.now.max(next);
                self.laptop.tick(self.now);
                self.handheld.tick(self.now);
            }
        }
        self.collect();
        true
    }

    fn check(&self, path: &[Act]) {
        let agreed = self.typed_right && self.said_yes;
        assert!(
            !self.handheld_has || self.laptop_has,
            "the handheld alone has it after {path:?}"
        );
        assert!(
            !(self.handheld_has || self.laptop_has) || agreed,
            "stored without both people after {path:?}"
        );
        // What is not final on the laptop ends by itself where the handheld never uses it: in the end both have it, or neither.
        assert!(
            !self.laptop_final || self.handheld_has,
            "final too early after {path:?}"
        );
        assert!(self.entries <= 1, "two guesses after {path:?}");
        // Nobody waits for ever: a machine that is not over has a deadline, or waits for its own storage.
        let laptop_waits = !matches!(
            self.laptop.phase(),
            LaptopPhase::Paired | LaptopPhase::Failed(_)
        );
        assert!(
            !laptop_waits || self.laptop.deadline().is_some(),
            "the laptop hangs after {path:?}"
        );
        let handheld_waits = !matches!(
            self.handheld.phase(),
            HandheldPhase::Paired | HandheldPhase::Failed(_) | HandheldPhase::Store(_)
        );
        assert!(
            !handheld_waits || self.handheld.deadline().is_some(),
            "the handheld hangs after {path:?}"
        );
    }
}

/// Visits every world that can be reached; gives how many there are.
fn explore(start: World, mut visit: impl FnMut(&World, &[Act])) -> usize {
    // Worlds are told apart by a digest of all that they hold: a million of them would not fit otherwise.
    let mut seen = HashSet::new();
    let mut to_visit = vec![(start, Vec::new())];
    while let Some((world, path)) = to_visit.pop() {
        world.check(&path);
        if !seen.insert(RingCrypto.sha256(&[format!("{world:?}").as_bytes()])) {
            continue;
        }
        visit(&world, &path);
        for act in ACTS {
            let mut next = world.clone();
            if next.apply(act) {
                to_visit.push((next, [&path[..], &[act]].concat()));
            }
        }
    }
    seen.len()
}

#[test]
fn no_order_of_events_leaves_the_handheld_alone_or_stores_without_both_people() {
    let (mut paired, mut half, mut died) = (0, 0, 0);
    let states = explore(World::new(2), |world, path| {
        died += usize::from(!world.laptop_lives && world.handheld_has);
        match (world.laptop.phase(), world.handheld_has) {
            (LaptopPhase::Paired, true) => paired += 1,
            (LaptopPhase::Failed(_), true) if world.laptop_lives => {
                // The last message was lost: the laptop keeps it provisionally, and the first session proves it.
                assert_eq!(world.laptop.kept(), Kept::Provisional, "after {path:?}");
                half += 1;
            }
            _ => {}
        }
    });
    println!("{states} states");
    // The exploration reached what it is about.
    assert!(paired > 0 && half > 0 && died > 0, "{paired} {half} {died}");
    assert!(states > 500, "{states}");
}

#[test]
fn who_passes_everything_on_between_two_channels_sees_no_digits_and_nothing_is_stored() {
    let states = explore(World::with_somebody_between(1), |world, path| {
        assert!(
            !world.laptop_has && !world.handheld_has && world.entries == 0,
            "the commitment of one channel passed on another after {path:?}"
        );
    });
    println!("{states} states");
    assert!(states > 500, "{states}");
}
