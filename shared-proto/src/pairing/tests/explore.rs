//! Every order in which people, devices, storage, time and the carrier can act, up to one fault of the carrier.

use std::collections::{HashSet, VecDeque};

use super::*;

/// Both machines, the messages between them, and both stores.
#[derive(Clone, Debug)]
struct World {
    laptop: Laptop,
    handheld: Handheld,
    to_laptop: VecDeque<Vec<u8>>,
    to_handheld: VecDeque<Vec<u8>>,
    now: Millis,
    /// The carrier may still lose, repeat or reorder one message.
    may_fault: bool,
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
    Wait,
}

const ACTS: [Act; 18] = [
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
    fn new() -> Self {
        let (laptop, handheld) = machines();
        let mut world = Self {
            laptop,
            handheld,
            to_laptop: VecDeque::new(),
            to_handheld: VecDeque::new(),
            now: START,
            may_fault: true,
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
        if matches!(self.laptop.phase(), LaptopPhase::Failed(_)) {
            self.laptop_has &= self.laptop.kept() != Kept::Nothing;
        }
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
        if !self.may_fault || self.queue(laptop).is_empty() {
            return false;
        }
        self.may_fault = false;
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
                if self.laptop.typed(&digits.to_string(), self.now) != Typing::Right {
                    return false;
                }
                self.typed_right = true;
            }
            Act::TypeWrong => {
                let HandheldPhase::Showing { digits, .. } = self.handheld.phase() else {
                    return false;
                };
                if self.laptop.typed(&wrong(&digits.to_string()), self.now) != Typing::Wrong {
                    return false;
                }
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
        if self.laptop.phase() == LaptopPhase::Paired {
            assert!(
                self.handheld_has && self.laptop.kept() == Kept::Relationship,
                "final too early after {path:?}"
            );
        }
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

#[test]
fn no_order_of_events_leaves_the_handheld_alone_or_stores_without_both_people() {
    let mut seen = HashSet::new();
    let mut paired = 0;
    let mut half = 0;
    let mut to_visit = vec![(World::new(), Vec::new())];
    while let Some((world, path)) = to_visit.pop() {
        world.check(&path);
        if !seen.insert(format!("{world:?}")) {
            continue;
        }
        match (world.laptop.phase(), world.handheld_has) {
            (LaptopPhase::Paired, true) => paired += 1,
            (LaptopPhase::Failed(_), true) => {
                // The last message was lost: the laptop keeps it provisionally, and the first session proves it.
                assert_eq!(world.laptop.kept(), Kept::Provisional, "after {path:?}");
                half += 1;
            }
            _ => {}
        }
        for act in ACTS {
            let mut next = world.clone();
            if next.apply(act) {
                to_visit.push((next, [&path[..], &[act]].concat()));
            }
        }
    }
    // The exploration reached what it is about.
    assert!(paired > 0 && half > 0, "{paired} {half}");
    assert!(seen.len() > 500, "{}", seen.len());
}
