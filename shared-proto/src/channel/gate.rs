//! How many strangers a laptop entertains at once, and whom it drops first.
//!
//! Before its token a connection costs at most [`MAX_HELLO_LEN`](super::MAX_HELLO_LEN) bytes and no computation;
//! after it, one key exchange. In each stage there is a fixed number of places, and the newest connection takes
//! the place of the oldest: an honest handshake takes milliseconds, so that whoever has waited longest is the
//! least likely to be one. A flood therefore costs memory that is known in advance, and delays nobody for longer
//! than it can fill every place between two packets of an honest device.

use std::collections::VecDeque;

use super::Purpose;
use crate::time::Millis;

/// Places before the token: 256 of 2 KiB each.
pub const KNOCKING: usize = 256;

/// Places for data handshakes after a right token: as many as there are paired devices by default.
pub const DATA_HANDSHAKES: usize = 8;

/// Places for pairing handshakes, which have no token: one person pairs one device.
pub const PAIRING_HANDSHAKES: usize = 2;

/// How long a connection may take to be through, from its first byte to the last of its handshake.
pub const HANDSHAKE_MS: u64 = 5_000;

/// One connection, for as long as the gate knows it. Never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(u64);

/// The connection had lost its place before: it is to be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone;

/// One stage's places, the oldest connection first, each with the instant at which its time is up.
#[derive(Clone, Debug)]
struct Places {
    capacity: usize,
    taken: VecDeque<(Ticket, Millis)>,
}

impl Places {
    fn new(capacity: usize) -> Self {
        Self {
            capacity,
            taken: VecDeque::with_capacity(capacity),
        }
    }

    /// Gives a place, and says who lost it.
    fn take(&mut self, ticket: Ticket, until: Millis) -> Option<Ticket> {
        let evicted = if self.taken.len() == self.capacity {
            self.taken.pop_front().map(|(oldest, _)| oldest)
        } else {
            None
        };
        self.taken.push_back((ticket, until));
        evicted
    }

    /// Frees a place; tells until when it was given.
    fn free(&mut self, ticket: Ticket) -> Option<Millis> {
        let at = self.taken.iter().position(|(each, _)| *each == ticket)?;
        self.taken.remove(at).map(|(_, until)| until)
    }
}

/// The places of all connections that are not sessions yet. The shell owns the connections and closes those that
/// it is told to.
#[derive(Clone, Debug)]
pub struct Gate {
    knocking: Places,
    data: Places,
    pairing: Places,
    next: u64,
}

impl Default for Gate {
    fn default() -> Self {
        Self::new()
    }
}

impl Gate {
    /// With all places free.
    #[must_use]
    pub fn new() -> Self {
        Self {
            knocking: Places::new(KNOCKING),
            data: Places::new(DATA_HANDSHAKES),
            pairing: Places::new(PAIRING_HANDSHAKES),
            next: 0,
        }
    }

    /// A connection was accepted: its ticket, and the connection to close in its favour, if any.
    pub fn knock(&mut self, now: Millis) -> (Ticket, Option<Ticket>) {
        let ticket = Ticket(self.next);
        self.next += 1;
        let evicted = self.knocking.take(ticket, now.after(HANDSHAKE_MS));
        (ticket, evicted)
    }

    /// Its hello is whole and its token right (or, for pairing, a window is open): now the handshake may be
    /// computed. Returns the connection to close in its favour, if any.
    ///
    /// # Errors
    /// [`Gone`] when it had been told to close before.
    pub fn handshake(&mut self, ticket: Ticket, purpose: Purpose) -> Result<Option<Ticket>, Gone> {
        // Its time began with its first byte: a slow hello leaves less for the rest.
        let until = self.knocking.free(ticket).ok_or(Gone)?;
        Ok(match purpose {
            Purpose::Data => self.data.take(ticket, until),
            Purpose::Pairing => self.pairing.take(ticket, until),
        })
    }

    /// Its handshake is complete, or it was closed. Without effect for one that has no place.
    pub fn leave(&mut self, ticket: Ticket) {
        for places in self.stages() {
            places.free(ticket);
        }
    }

    /// The connections whose time is up; they are to be closed.
    pub fn expire(&mut self, now: Millis) -> Vec<Ticket> {
        let mut expired = Vec::new();
        for places in self.stages() {
            places.taken.retain(|(ticket, until)| {
                let keep = now < *until;
                if !keep {
                    expired.push(*ticket);
                }
                keep
            });
        }
        expired
    }

    /// When [`expire`](Self::expire) must be called at the latest.
    #[must_use]
    pub fn deadline(&self) -> Option<Millis> {
        [&self.knocking, &self.data, &self.pairing]
            .into_iter()
            .flat_map(|places| places.taken.iter().map(|(_, until)| *until))
            .min()
    }

    fn stages(&mut self) -> [&mut Places; 3] {
        [&mut self.knocking, &mut self.data, &mut self.pairing]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = Millis(1000);

    #[test]
    fn the_oldest_stranger_makes_room_for_the_257th() {
        let mut gate = Gate::new();
        let first = gate.knock(NOW).0;
        for _ in 1..KNOCKING {
            assert_eq!(gate.knock(NOW).1, None);
        }
        assert_eq!(gate.knock(NOW).1, Some(first));
        assert_eq!(gate.handshake(first, Purpose::Data), Err(Gone));
    }

    #[test]
    fn a_paired_device_gets_through_while_strangers_fill_every_place() {
        let mut gate = Gate::new();
        let mut closed = Vec::new();
        for _ in 0..10_000 {
            closed.extend(gate.knock(NOW).1);
        }
        let (honest, _) = gate.knock(NOW);
        // As many strangers as there are places but one may knock before its hello arrives.
        for _ in 1..KNOCKING {
            closed.extend(gate.knock(NOW).1);
        }
        assert!(!closed.contains(&honest));
        assert_eq!(gate.handshake(honest, Purpose::Data), Ok(None));
        // From here on no stranger without a token can touch it.
        for _ in 0..10_000 {
            assert_ne!(gate.knock(NOW).1, Some(honest));
        }
        gate.leave(honest);
    }

    #[test]
    fn pairing_and_data_do_not_take_each_others_places() {
        let mut gate = Gate::new();
        let data: Vec<Ticket> = (0..DATA_HANDSHAKES)
            .map(|_| {
                let ticket = gate.knock(NOW).0;
                assert_eq!(gate.handshake(ticket, Purpose::Data), Ok(None));
                ticket
            })
            .collect();
        let pairing: Vec<Ticket> = (0..PAIRING_HANDSHAKES)
            .map(|_| {
                let ticket = gate.knock(NOW).0;
                assert_eq!(gate.handshake(ticket, Purpose::Pairing), Ok(None));
                ticket
            })
            .collect();
        let ticket = gate.knock(NOW).0;
        assert_eq!(
            gate.handshake(ticket, Purpose::Pairing),
            Ok(Some(pairing[0]))
        );
        let ticket = gate.knock(NOW).0;
        assert_eq!(gate.handshake(ticket, Purpose::Data), Ok(Some(data[0])));
    }

    #[test]
    fn five_seconds_are_for_the_whole_of_it() {
        let mut gate = Gate::new();
        assert_eq!(gate.deadline(), None);
        let slow = gate.knock(NOW).0;
        let later = gate.knock(NOW.after(1000)).0;
        assert_eq!(gate.deadline(), Some(NOW.after(HANDSHAKE_MS)));
        gate.handshake(slow, Purpose::Data).unwrap();
        assert_eq!(gate.deadline(), Some(NOW.after(HANDSHAKE_MS)));
        assert_eq!(gate.expire(NOW.after(HANDSHAKE_MS - 1)), []);
        assert_eq!(gate.expire(NOW.after(HANDSHAKE_MS)), [slow]);
        assert_eq!(gate.deadline(), Some(NOW.after(1000 + HANDSHAKE_MS)));
        gate.leave(later);
        assert_eq!(gate.deadline(), None);
        assert_eq!(gate.expire(NOW.after(100_000)), []);
    }
}
