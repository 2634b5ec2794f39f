//! Who is next at a service: devices get equal shares of its time, whatever each of them asks for.
//!
//! Pure. A service has a number of places. A free place goes to the device that has had the least of the service's time;
//! its own requests keep their order. A device that comes back from a pause starts where the one with the least stands,
//! so that nobody saves up. No device holds more than half of the places, so that another one finds one soon.

use crate::store::RelationshipId;
use shared_proto::time::Millis;
use std::collections::BTreeMap;

/// Devices whose past is remembered while others work; beyond it the past of those that rest is dropped.
const MAX_REMEMBERED: usize = 64;

/// A device that asks again within so many milliseconds has not paused: it read an answer, or it took its time to send.
const PAUSE_MS: u64 = 2_000;

/// A place in line, or at work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ticket(u64);

/// See the module.
#[derive(Debug)]
pub(super) struct Queue {
    places: usize,
    tickets: u64,
    /// In the order in which they came.
    waiting: BTreeMap<Ticket, RelationshipId>,
    running: BTreeMap<Ticket, (RelationshipId, Millis)>,
    /// Milliseconds of the service that each device has had, ended work only.
    had: BTreeMap<RelationshipId, u64>,
    /// When each device that is not here left.
    left: BTreeMap<RelationshipId, Millis>,
}

impl Queue {
    /// A service that does so many things at a time, at least one.
    pub(super) fn new(places: usize) -> Self {
        Self {
            places: places.max(1),
            tickets: 0,
            waiting: BTreeMap::new(),
            running: BTreeMap::new(),
            had: BTreeMap::new(),
            left: BTreeMap::new(),
        }
    }

    /// Does so many things at a time from now on, at least one; what is at work beyond that comes to its end.
    pub(super) fn set_places(&mut self, places: usize) {
        self.places = places.max(1);
    }

    /// Stands in line.
    pub(super) fn join(&mut self, device: RelationshipId, now: Millis) -> Ticket {
        let away = |left: &Millis| now.since(*left) > PAUSE_MS;
        if self.here().next().is_none() && self.left.values().all(away) {
            self.had.clear();
            self.left.clear();
        }
        let left = self.left.remove(&device);
        let paused = left.is_none_or(|left| away(&left));
        if !self.is_here(device) && paused {
            let least = self.here().map(|other| self.share(other, now)).min();
            if self.had.len() >= MAX_REMEMBERED {
                let here: Vec<RelationshipId> = self.here().collect();
                self.had.retain(|other, _| here.contains(other));
                self.left.clear();
            }
            let had = self.had.entry(device).or_insert(0);
            *had = (*had).max(least.unwrap_or(0));
        }
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        self.waiting.insert(ticket, device);
        ticket
    }

    /// Leaves the line, or ends its work.
    pub(super) fn leave(&mut self, ticket: Ticket, now: Millis) {
        let waited = self.waiting.remove(&ticket);
        let worked = self.running.get(&ticket).map(|(device, _)| *device);
        if let Some((device, since)) = self.running.remove(&ticket) {
            let had = self.had.entry(device).or_insert(0);
            *had = had.saturating_add(now.since(since));
        }
        if let Some(device) = waited.or(worked)
            && !self.is_here(device)
        {
            self.left.insert(device, now);
        }
    }

    /// Gives free places to those whose turn it is. True where anybody got one.
    pub(super) fn advance(&mut self, now: Millis) -> bool {
        let mut any = false;
        while self.running.len() < self.places {
            let Some(ticket) = self.next(now) else { break };
            if let Some(device) = self.waiting.remove(&ticket) {
                self.running.insert(ticket, (device, now));
                any = true;
            }
        }
        any
    }

    fn next(&self, now: Millis) -> Option<Ticket> {
        let most = self.places.div_ceil(2);
        self.waiting
            .iter()
            .filter(|(_, device)| self.works_of(**device) < most)
            .min_by_key(|(ticket, device)| (self.share(**device, now), **ticket))
            .map(|(ticket, _)| *ticket)
    }

    /// Whether it is at work.
    pub(super) fn runs(&self, ticket: Ticket) -> bool {
        self.running.contains_key(&ticket)
    }

    /// How many are at work.
    pub(super) fn at_work(&self) -> usize {
        self.running.len()
    }

    /// How many wait.
    pub(super) fn in_line(&self) -> usize {
        self.waiting.len()
    }

    /// How many of those that wait would go before it if the places were given now, one after the other.
    pub(super) fn ahead(&self, ticket: Ticket, now: Millis) -> usize {
        let Some(device) = self.waiting.get(&ticket) else {
            return 0;
        };
        let own = (self.share(*device, now), ticket);
        // One of each other device, and all earlier ones of its own: places go round.
        let mine = self
            .waiting
            .iter()
            .filter(|(other, of)| *of == device && **other < ticket)
            .count();
        let mut others: BTreeMap<RelationshipId, usize> = BTreeMap::new();
        for (other, of) in &self.waiting {
            if of != device && (mine > 0 || (self.share(*of, now), *other) < own) {
                *others.entry(*of).or_insert(0) += 1;
            }
        }
        mine + others
            .values()
            .map(|count| (*count).min(mine + 1))
            .sum::<usize>()
    }

    fn share(&self, device: RelationshipId, now: Millis) -> u64 {
        let ended = self.had.get(&device).copied().unwrap_or(0);
        let running = self
            .running
            .values()
            .filter(|(of, _)| *of == device)
            .map(|(_, since)| now.since(*since));
        running.fold(ended, u64::saturating_add)
    }

    fn works_of(&self, device: RelationshipId) -> usize {
        self.running
            .values()
            .filter(|(of, _)| *of == device)
            .count()
    }

    fn is_here(&self, device: RelationshipId) -> bool {
        self.here().any(|other| other == device)
    }

    fn here(&self) -> impl Iterator<Item = RelationshipId> + '_ {
        let running = self.running.values().map(|(device, _)| *device);
        self.waiting.values().copied().chain(running)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Devices that always have another request, each of its own length; what each has had after `span`.
    fn shares(places: usize, lengths: &[u64], span: u64) -> Vec<u64> {
        let mut queue = Queue::new(places);
        let mut had = vec![0; lengths.len()];
        let mut open: Vec<(Ticket, usize, Option<u64>)> = Vec::new();
        for device in 0..lengths.len() {
            open.push((queue.join(device as i64, Millis(0)), device, None));
        }
        let mut now = 0;
        while now < span {
            queue.advance(Millis(now));
            for (ticket, _, since) in &mut open {
                if since.is_none() && queue.runs(*ticket) {
                    *since = Some(now);
                }
            }
            let ends = |&(_, device, since): &(Ticket, usize, Option<u64>)| {
                since.map(|since: u64| since + lengths[device])
            };
            now = open.iter().filter_map(ends).min().expect("somebody works");
            for one in &mut open {
                if ends(one) == Some(now) {
                    let device = one.1;
                    had[device] += lengths[device];
                    queue.leave(one.0, Millis(now));
                    *one = (queue.join(device as i64, Millis(now)), device, None);
                }
            }
        }
        had
    }

    #[test]
    fn eight_devices_that_always_ask_get_equal_shares() {
        for places in [1, 2, 3, 4, 8] {
            for lengths in [
                [1000; 8],
                [200, 400, 600, 800, 1000, 1200, 1400, 1600],
                [50, 5000, 50, 5000, 50, 5000, 50, 5000],
            ] {
                let had = shares(places, &lengths, 3_600_000);
                let (least, most) = (had.iter().min().unwrap(), had.iter().max().unwrap());
                assert!(
                    (most - least) * 20 <= *most,
                    "{places} places, {lengths:?}: {had:?}"
                );
            }
        }
    }

    #[test]
    fn one_that_asks_for_much_does_not_stand_in_the_way_of_one_that_asks_for_little() {
        let mut queue = Queue::new(2);
        let many: Vec<Ticket> = (0..16).map(|_| queue.join(1, Millis(0))).collect();
        queue.advance(Millis(0));
        assert_eq!(queue.at_work(), 1, "half of the places at most");
        let late = queue.join(2, Millis(500));
        queue.advance(Millis(500));
        assert!(queue.runs(late), "the other half is free");
        let later = queue.join(3, Millis(600));
        queue.leave(many[0], Millis(1000));
        queue.advance(Millis(1000));
        assert!(queue.runs(later) && !queue.runs(many[1]));
    }

    #[test]
    fn a_pause_saves_nothing_up() {
        let mut queue = Queue::new(1);
        let first = queue.join(1, Millis(0));
        queue.advance(Millis(0));
        let second = queue.join(1, Millis(0));
        queue.leave(first, Millis(100_000));
        queue.advance(Millis(100_000));
        // Device 2 was away all the time. It is next, once; then they take turns.
        let a = queue.join(2, Millis(100_000));
        let b = queue.join(2, Millis(100_000));
        queue.leave(second, Millis(101_000));
        queue.advance(Millis(101_000));
        assert!(queue.runs(a));
        let third = queue.join(1, Millis(101_000));
        queue.leave(a, Millis(104_000));
        queue.advance(Millis(104_000));
        assert!(queue.runs(third) && !queue.runs(b));
    }

    #[test]
    fn one_that_leaves_the_line_is_passed_over_and_places_are_counted() {
        let mut queue = Queue::new(1);
        let (a, b, c) = (
            queue.join(1, Millis(0)),
            queue.join(2, Millis(0)),
            queue.join(3, Millis(0)),
        );
        assert!(queue.advance(Millis(0)));
        assert_eq!(
            (queue.ahead(b, Millis(0)), queue.ahead(c, Millis(0))),
            (0, 1)
        );
        assert_eq!((queue.at_work(), queue.in_line()), (1, 2));
        queue.leave(b, Millis(1));
        assert!(!queue.advance(Millis(1)));
        queue.leave(a, Millis(2));
        queue.advance(Millis(2));
        assert!(queue.runs(c));
        queue.leave(c, Millis(3));
        assert_eq!((queue.at_work(), queue.in_line()), (0, 0));
    }

    #[test]
    fn the_memory_of_devices_is_bounded() {
        let mut queue = Queue::new(1);
        queue.join(0, Millis(0));
        for device in 1..10_000 {
            let ticket = queue.join(device, Millis(0));
            queue.leave(ticket, Millis(0));
        }
        assert!(queue.had.len() <= MAX_REMEMBERED + 1);
        assert!(queue.left.len() <= MAX_REMEMBERED + 1);
    }
}
