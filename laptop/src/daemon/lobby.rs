//! Where connections wait until they have shown a token: one thread, bounded memory, no cryptography but one MAC for
//! each relationship.
//!
//! At most [`MAX_WAITING`] connections wait, the oldest makes room, each for [`HELLO_TIMEOUT`] at most and with at most
//! two kilobytes read. Only what has shown a token, or knocks while a person has opened the pairing window, gets a
//! thread and a handshake, and of those [`MAX_HANDSHAKES`] and [`MAX_PAIRINGS`] at a time.

use super::doors::Doors;
use super::handshake;
use super::pairing::PairingDesk;
use super::session::CarrierFacts;
use crate::hub::Hub;
use crate::link::Link;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use shared_proto::channel::{Acceptor, Hello, MAX_HELLO_LEN, Purpose, Refused, TlsChannel};
use shared_proto::crypto::RelationshipKey;
use shared_proto::crypto::ring::RingCrypto;
use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Connections that wait for their token to be read: with two kilobytes each, half a megabyte.
const MAX_WAITING: usize = 256;
/// Time for a whole ClientHello.
const HELLO_TIMEOUT: Duration = Duration::from_secs(5);
/// Handshakes of paired devices at a time.
const MAX_HANDSHAKES: usize = 8;
/// Handshakes of strangers at a time, while the pairing window is open. Counted by themselves, so that strangers keep no
/// paired device out.
const MAX_PAIRINGS: usize = 2;
/// Pause after the system has refused an `accept`, so that a shortage does not become a busy loop.
const SHORTAGE_PAUSE: Duration = Duration::from_millis(100);

struct Waiting {
    stream: TcpStream,
    acceptor: Acceptor,
    deadline: Instant,
}

/// What the lobby leads to.
#[derive(Clone)]
pub(super) struct Rooms {
    pub(super) hub: Arc<Hub>,
    pub(super) doors: Arc<Doors>,
    pub(super) pairing: Arc<PairingDesk>,
    handshakes: Arc<AtomicUsize>,
    pairings: Arc<AtomicUsize>,
}

impl Rooms {
    pub(super) fn new(hub: Arc<Hub>, pairing: Arc<PairingDesk>) -> Self {
        let doors = Arc::new(Doors::new(Arc::clone(&hub)));
        Self {
            hub,
            doors,
            pairing,
            handshakes: Arc::default(),
            pairings: Arc::default(),
        }
    }
}

/// A place among the handshakes; leaves when dropped.
pub(super) struct Turn(Arc<AtomicUsize>);

impl Turn {
    fn take(count: &Arc<AtomicUsize>, most: usize) -> Option<Self> {
        let taken = count.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |now| {
            (now < most).then_some(now + 1)
        });
        taken.is_ok().then(|| Self(Arc::clone(count)))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Takes connections in until link-service, at the other end of `holder`, goes away.
///
/// # Errors
/// What the system said to the poll.
pub(super) fn run(link: &Link, holder: &UnixStream, rooms: &Rooms) -> io::Result<()> {
    link.listener.set_nonblocking(true)?;
    let facts = CarrierFacts {
        carrier: link.kind.name().to_owned(),
        port: link.address.port(),
        ..CarrierFacts::default()
    };
    let mut waiting: VecDeque<Waiting> = VecDeque::new();
    loop {
        let ready = wait(link, holder, &waiting)?;
        if ready.first() == Some(&true) {
            // link-service says nothing after the socket: readable means that it has gone.
            return Ok(());
        }
        let now = Instant::now();
        let mut still = VecDeque::with_capacity(waiting.len());
        for (one, readable) in waiting.drain(..).zip(ready.iter().skip(2)) {
            if *readable {
                if let Some(one) = listen(one, rooms, &facts) {
                    still.push_back(one);
                }
            } else if one.deadline > now {
                still.push_back(one);
            }
        }
        waiting = still;
        if ready.get(1) == Some(&true) {
            accept(link, &mut waiting);
        }
    }
}

fn wait(link: &Link, holder: &UnixStream, waiting: &VecDeque<Waiting>) -> io::Result<Vec<bool>> {
    let mut fds = Vec::with_capacity(waiting.len() + 2);
    fds.push(PollFd::new(holder.as_fd(), PollFlags::POLLIN));
    fds.push(PollFd::new(link.listener.as_fd(), PollFlags::POLLIN));
    fds.extend(
        waiting
            .iter()
            .map(|one| PollFd::new(one.stream.as_fd(), PollFlags::POLLIN)),
    );
    let patience = waiting
        .iter()
        .map(|one| one.deadline.saturating_duration_since(Instant::now()))
        .min();
    let patience = match patience {
        // Rounded up: waking before the deadline would only poll again.
        Some(left) => {
            PollTimeout::try_from(left + Duration::from_millis(1)).unwrap_or(PollTimeout::MAX)
        }
        None => PollTimeout::NONE,
    };
    match poll(&mut fds, patience) {
        Ok(_) | Err(Errno::EINTR) => {}
        Err(errno) => return Err(errno.into()),
    }
    Ok(fds
        .iter()
        .map(|fd| fd.revents().is_some_and(|events| !events.is_empty()))
        .collect())
}

fn accept(link: &Link, waiting: &mut VecDeque<Waiting>) {
    // A bounded turn, so that a flood of connections cannot keep those that wait from being read.
    for _ in 0..MAX_WAITING {
        let stream = match link.listener.accept() {
            Ok((stream, _)) => stream,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => continue,
            Err(error) => {
                log::warn!("a connection could not be accepted: {error}");
                std::thread::sleep(SHORTAGE_PAUSE);
                return;
            }
        };
        if stream.set_nonblocking(true).is_err() {
            continue;
        }
        if waiting.len() == MAX_WAITING {
            waiting.pop_front();
        }
        waiting.push_back(Waiting {
            stream,
            acceptor: Acceptor::new(),
            deadline: Instant::now() + HELLO_TIMEOUT,
        });
    }
}

/// Reads what has come; gives the connection back if its hello is not whole.
fn listen(mut one: Waiting, rooms: &Rooms, facts: &CarrierFacts) -> Option<Waiting> {
    let mut bytes = [0; MAX_HELLO_LEN + 1];
    let len = match one.stream.read(&mut bytes) {
        Ok(0) => return None,
        Ok(len) => len,
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
            ) =>
        {
            return Some(one);
        }
        Err(_) => return None,
    };
    match one.acceptor.receive(&bytes[..len]) {
        Ok(None) => Some(one),
        Ok(Some(hello)) => {
            enter(one.stream, hello, rooms, facts);
            None
        }
        Err(refused) => {
            turn_away(&one.stream, &refused);
            None
        }
    }
}

/// Says why, if that can be said without waiting.
fn turn_away(mut stream: &TcpStream, refused: &Refused) {
    log::debug!("a connection was turned away: {}", refused.error);
    // Whoever does not read its alert does not get it.
    let _ = stream.write(&refused.alert);
}

fn enter(stream: TcpStream, hello: Hello, rooms: &Rooms, facts: &CarrierFacts) {
    let door = match hello.purpose() {
        Purpose::Pairing if rooms.pairing.is_open() => None,
        Purpose::Pairing => return turn_away(&stream, &hello.refuse()),
        Purpose::Data => match rooms.doors.find(&hello.server_name()) {
            Ok(Some(door)) => Some(door),
            Ok(None) => return turn_away(&stream, &hello.refuse_unknown()),
            Err(error) => {
                log::error!("a token could not be looked up: {error}");
                return turn_away(&stream, &hello.refuse());
            }
        },
    };
    let turn = match &door {
        Some(_) => Turn::take(&rooms.handshakes, MAX_HANDSHAKES),
        None => Turn::take(&rooms.pairings, MAX_PAIRINGS),
    };
    let Some(turn) = turn else {
        return turn_away(&stream, &hello.refuse());
    };
    let (rooms, facts) = (rooms.clone(), facts.clone());
    let name = if door.is_some() { "session" } else { "pairing" };
    let spawned = std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || match door {
            Some(door) => {
                let accepted = hello.accept(&door.keys.own, door.keys.peer);
                if let Some(channel) = shake(&stream, accepted, turn) {
                    handshake::welcome(&rooms, stream, channel, &door, &facts);
                }
            }
            None => match RelationshipKey::generate(&RingCrypto) {
                Ok(own) => {
                    let accepted = hello.accept_pairing(&own);
                    if let Some(channel) = shake(&stream, accepted, turn) {
                        rooms.pairing.attempt(stream, channel, own, facts.port);
                    }
                }
                Err(error) => log::error!("no key for a pairing could be made: {error}"),
            },
        });
    if let Err(error) = spawned {
        log::error!("no thread for a connection: {error}");
    }
}

/// Completes a handshake; the place among handshakes is given back either way.
fn shake(
    stream: &TcpStream,
    accepted: Result<TlsChannel, Refused>,
    turn: Turn,
) -> Option<TlsChannel> {
    let outcome = match accepted {
        Ok(channel) => handshake::complete(stream, channel),
        Err(refused) => {
            turn_away(stream, &refused);
            return None;
        }
    };
    drop(turn);
    outcome
        .inspect_err(|error| log::debug!("a handshake failed: {error}"))
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_is_given_back_and_one_kind_takes_none_of_the_other() {
        let (handshakes, pairings) = (Arc::default(), Arc::default());
        let taken: Vec<Turn> = (0..MAX_PAIRINGS)
            .map_while(|_| Turn::take(&pairings, MAX_PAIRINGS))
            .collect();
        assert_eq!(taken.len(), MAX_PAIRINGS);
        assert!(Turn::take(&pairings, MAX_PAIRINGS).is_none());
        assert!(Turn::take(&handshakes, MAX_HANDSHAKES).is_some());
        drop(taken);
        assert!(Turn::take(&pairings, MAX_PAIRINGS).is_some());
    }
}
