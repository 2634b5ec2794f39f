//! Where connections wait until they have shown a token: one thread, bounded memory, no cryptography but one MAC for
//! each relationship.
//!
//! One lobby for all carriers: link-service tells it which there are, at most [`MAX_LISTENING`] at a time.
//! At most [`MAX_WAITING`] connections wait, the oldest makes room, each for [`HELLO_TIMEOUT`] at most and with at most
//! two kilobytes read. Only what has shown a token, or knocks while a person has opened the pairing window, gets a
//! thread and a handshake, and of those [`MAX_HANDSHAKES`] and [`MAX_PAIRINGS`] at a time.

use super::carriers::{Carriers, Place};
use super::doors::Doors;
use super::handshake;
use super::pairing::PairingDesk;
use super::pulse::Pulse;
use crate::hub::Hub;
use crate::link::{Carrier, HandoverError, Kind, News, PacketSocket, hear};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use shared_proto::channel::{Acceptor, Hello, MAX_HELLO_LEN, Purpose, Refused, TlsChannel};
use shared_proto::crypto::RelationshipKey;
use shared_proto::crypto::ring::RingCrypto;
use std::collections::VecDeque;
use std::fmt;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Carriers at a time.
const MAX_LISTENING: usize = 8;
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

/// The carrier that a connection came over.
#[derive(Debug, Clone, Copy)]
struct Origin {
    kind: Kind,
    port: u16,
}

struct Waiting {
    stream: TcpStream,
    origin: Origin,
    acceptor: Acceptor,
    deadline: Instant,
}

/// What the lobby leads to.
#[derive(Clone)]
pub(super) struct Rooms {
    pub(super) hub: Arc<Hub>,
    pub(super) doors: Arc<Doors>,
    pub(super) pairing: Arc<PairingDesk>,
    pub(super) carriers: Arc<Carriers>,
    pub(super) pulse: Arc<Pulse>,
    handshakes: Arc<AtomicUsize>,
    pairings: Arc<AtomicUsize>,
}

impl Rooms {
    pub(super) fn new(
        hub: Arc<Hub>,
        pairing: Arc<PairingDesk>,
        carriers: Arc<Carriers>,
        pulse: Arc<Pulse>,
    ) -> Self {
        let doors = Arc::new(Doors::new(Arc::clone(&hub)));
        Self {
            hub,
            doors,
            pairing,
            carriers,
            pulse,
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

/// Why the lobby closed.
#[derive(Debug)]
pub(super) enum Closed {
    /// The system refused to wait.
    Poll(io::Error),
    /// link-service went, or said something that it may not say.
    Service(HandoverError),
    /// link-service opened more carriers than it may.
    Crowded,
}

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Poll(error) => write!(f, "connections cannot be waited for: {error}"),
            Self::Service(HandoverError::Ended | HandoverError::Io(_)) => {
                f.write_str("link-service has gone; its next start is waited for")
            }
            Self::Service(error) => write!(f, "link-service cannot be followed: {error}"),
            Self::Crowded => write!(f, "link-service opened more than {MAX_LISTENING} carriers"),
        }
    }
}

/// Takes connections in over the carriers that `service` tells of, until it goes away.
pub(super) fn run(service: &PacketSocket, rooms: &Rooms) -> Closed {
    let mut carriers: Vec<(u32, Carrier)> = Vec::new();
    let mut waiting: VecDeque<Waiting> = VecDeque::new();
    loop {
        let ready = match wait(service, &rooms.pulse, &carriers, &waiting) {
            Ok(ready) => ready,
            Err(error) => return Closed::Poll(error),
        };
        let now = Instant::now();
        if ready[1] {
            rooms.pulse.answer();
        }
        let (listening, streams) = ready[2..].split_at(carriers.len());
        let mut still = VecDeque::with_capacity(waiting.len());
        for (one, readable) in waiting.drain(..).zip(streams) {
            if *readable {
                if let Some(one) = listen(one, rooms) {
                    still.push_back(one);
                }
            } else if one.deadline > now {
                still.push_back(one);
            }
        }
        waiting = still;
        for ((_, carrier), _) in carriers.iter().zip(listening).filter(|(_, ready)| **ready) {
            accept(carrier, &mut waiting);
        }
        if ready[0]
            && let Err(closed) = follow(service, &mut carriers, &rooms.carriers)
        {
            return closed;
        }
    }
}

/// Does what link-service says.
fn follow(
    service: &PacketSocket,
    carriers: &mut Vec<(u32, Carrier)>,
    shown: &Carriers,
) -> Result<(), Closed> {
    match hear(service).map_err(Closed::Service)? {
        News::Listening { id, carrier } => {
            if carriers.len() == MAX_LISTENING {
                return Err(Closed::Crowded);
            }
            carrier
                .listener
                .set_nonblocking(true)
                .map_err(Closed::Poll)?;
            let place = Place {
                kind: carrier.kind,
                address: carrier.address,
                interface: carrier.interface.clone(),
            };
            let on = place.interface.as_deref().unwrap_or("every interface");
            log::info!("carrier {} on {}, {on}", place.kind.name(), place.address);
            shown.add(id, place);
            carriers.push((id, carrier));
        }
        News::Gone { id } => {
            for (_, gone) in carriers.extract_if(.., |(one, _)| *one == id) {
                log::info!("carrier {} on {} has gone", gone.kind.name(), gone.address);
            }
            shown.remove(id);
        }
        News::Radio(network) => shown.set_network(network),
        // link-service has logged it.
        News::Trouble(words) => shown.set_trouble(words),
    }
    Ok(())
}

/// Which of `service`, `pulse`, `carriers` and `waiting`, in this order, have something to read.
fn wait(
    service: &PacketSocket,
    pulse: &Pulse,
    carriers: &[(u32, Carrier)],
    waiting: &VecDeque<Waiting>,
) -> io::Result<Vec<bool>> {
    let mut fds = Vec::with_capacity(2 + carriers.len() + waiting.len());
    fds.push(PollFd::new(service.as_fd(), PollFlags::POLLIN));
    fds.push(PollFd::new(pulse.as_fd(), PollFlags::POLLIN));
    let listeners = carriers.iter().map(|(_, one)| one.listener.as_fd());
    let streams = waiting.iter().map(|one| one.stream.as_fd());
    fds.extend(
        listeners
            .chain(streams)
            .map(|fd| PollFd::new(fd, PollFlags::POLLIN)),
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

fn accept(carrier: &Carrier, waiting: &mut VecDeque<Waiting>) {
    let origin = Origin {
        kind: carrier.kind,
        port: carrier.address.port(),
    };
    // A bounded turn, so that a flood of connections cannot keep those that wait from being read.
    for _ in 0..MAX_WAITING {
        let stream = match carrier.listener.accept() {
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
            origin,
            acceptor: Acceptor::new(),
            deadline: Instant::now() + HELLO_TIMEOUT,
        });
    }
}

/// Reads what has come; gives the connection back if its hello is not whole.
fn listen(mut one: Waiting, rooms: &Rooms) -> Option<Waiting> {
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
            enter(one.stream, hello, rooms, one.origin);
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

fn enter(stream: TcpStream, hello: Hello, rooms: &Rooms, origin: Origin) {
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
    let rooms = rooms.clone();
    let name = if door.is_some() { "session" } else { "pairing" };
    let spawned = std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || match door {
            Some(door) => {
                let accepted = hello.accept(&door.keys.own, door.keys.peer);
                if let Some(channel) = shake(&stream, accepted, turn) {
                    // Asked for now, not when the connection came: the radio may have moved meanwhile.
                    let facts = rooms.carriers.facts(origin.kind, origin.port);
                    handshake::welcome(&rooms, stream, channel, &door, &facts);
                }
            }
            None => match RelationshipKey::generate(&RingCrypto) {
                Ok(own) => {
                    let accepted = hello.accept_pairing(&own);
                    if let Some(channel) = shake(&stream, accepted, turn) {
                        rooms.pairing.attempt(stream, channel, own, origin.port);
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
    use crate::link::testing::{Service, network};

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

    #[test]
    fn carriers_come_and_go_as_link_service_says() {
        let (theirs, ours) = PacketSocket::pair();
        let service = Service(theirs);
        let shown = Carriers::default();
        let mut carriers = Vec::new();
        let open = || Carrier::open(None, [127, 0, 0, 1].into(), 0).expect("a carrier");
        let (first, second) = (open(), open());
        service.offer(1, &first);
        service.offer(2, &second);
        service.radio(Some(network()));
        service.trouble(Some("words"));
        for _ in 0..4 {
            follow(&ours, &mut carriers, &shown).expect("followed");
        }
        let addresses: Vec<String> = shown.list().into_iter().map(|one| one.address).collect();
        assert_eq!(
            addresses,
            [first.address.to_string(), second.address.to_string()]
        );
        assert!(shown.network().is_some());
        assert_eq!(shown.trouble().as_deref(), Some("words"));
        service.withdraw(1);
        service.withdraw(9);
        for _ in 0..2 {
            follow(&ours, &mut carriers, &shown).expect("followed");
        }
        assert_eq!((carriers.len(), shown.list().len()), (1, 1));
        drop(service);
        let closed = follow(&ours, &mut carriers, &shown).expect_err("the end");
        assert!(closed.to_string().contains("its next start is waited for"));
    }

    #[test]
    fn link_service_cannot_fill_the_lobby_with_carriers() {
        let (theirs, ours) = PacketSocket::pair();
        let service = Service(theirs);
        let (shown, mut carriers) = (Carriers::default(), Vec::new());
        let carrier = Carrier::open(None, [127, 0, 0, 1].into(), 0).expect("a carrier");
        for id in 0..=MAX_LISTENING {
            service.offer(id as u32, &carrier);
        }
        for _ in 0..MAX_LISTENING {
            follow(&ours, &mut carriers, &shown).expect("followed");
        }
        assert!(matches!(
            follow(&ours, &mut carriers, &shown),
            Err(Closed::Crowded)
        ));
    }
}
