//! Answers the beacon: a handheld that is in the laptop's network and does not know its address asks everybody there.
//!
//! One datagram in, at most one out, never a longer one, and only to an address of the same link: nobody elsewhere can
//! be made to hear from this laptop.

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{setsockopt, sockopt};
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, socket_with};
use shared_proto::beacon::{Answer, LEN, Query};
use std::ffi::OsString;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6, UdpSocket};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

/// Answers that may go out at once, and again within [`REFILL_INTERVAL`] each.
const MAX_BURST: u32 = 16;
/// Time after which one more answer may go out.
const REFILL_INTERVAL: Duration = Duration::from_millis(100);

/// Answers until it is dropped.
#[derive(Debug)]
pub(super) struct Responder {
    /// Its other end is polled: dropping this one ends the thread.
    _end: UnixStream,
}

impl Responder {
    /// Listens on UDP `port` of `interface` and says that sessions are taken on the TCP port of the same number.
    ///
    /// # Errors
    /// What the system said.
    pub(super) fn start(interface: &str, port: u16) -> io::Result<Self> {
        Self::on(open(interface, port)?, port)
    }

    fn on(socket: UdpSocket, port: u16) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        let (end, ended) = UnixStream::pair()?;
        std::thread::Builder::new()
            .name("beacon".to_owned())
            .spawn(move || {
                if let Err(error) = run(&socket, &ended, port) {
                    log::warn!("link-service: the beacon is no longer answered: {error}");
                }
            })?;
        Ok(Self { _end: end })
    }
}

/// A socket for `port` that hears only `interface`. It is bound to that before it has a port, so that at no instant
/// another interface reaches it.
fn open(interface: &str, port: u16) -> io::Result<UdpSocket> {
    let socket = socket_with(
        AddressFamily::INET6,
        SocketType::DGRAM,
        SocketFlags::CLOEXEC,
        None,
    )?;
    setsockopt(&socket, sockopt::BindToDevice, &OsString::from(interface))?;
    setsockopt(&socket, sockopt::Ipv6V6Only, &true)?;
    bind(
        &socket,
        &SocketAddrV6::new(Ipv6Addr::UNSPECIFIED, port, 0, 0),
    )?;
    Ok(UdpSocket::from(socket))
}

fn run(socket: &UdpSocket, ended: &UnixStream, port: u16) -> io::Result<()> {
    let started = Instant::now();
    let mut allowance = Allowance::new();
    loop {
        let mut fds = [
            PollFd::new(ended.as_fd(), PollFlags::POLLIN),
            PollFd::new(socket.as_fd(), PollFlags::POLLIN),
        ];
        match poll(&mut fds, PollTimeout::NONE) {
            Ok(_) => {}
            Err(Errno::EINTR) => continue,
            Err(errno) => return Err(errno.into()),
        }
        if fds[0].any() == Some(true) {
            return Ok(());
        }
        // One octet more than a query has, so that a longer datagram is none.
        let mut datagram = [0; LEN + 1];
        let (len, from) = match socket.recv_from(&mut datagram) {
            Ok(received) => received,
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
                ) =>
            {
                continue;
            }
            Err(error) => return Err(error),
        };
        let Some(Query(nonce)) = Query::decode(&datagram[..len]).filter(|_| is_near(&from)) else {
            continue;
        };
        if allowance.take(started.elapsed()) {
            // Whoever did not get it asks again.
            let _ = socket.send_to(&Answer { nonce, port }.encode(), from);
        }
    }
}

/// Whether `from` is on this link: link-local (RFC 4291, 2.5.6), or this machine itself.
fn is_near(from: &SocketAddr) -> bool {
    match from.ip() {
        IpAddr::V6(address) => address.is_unicast_link_local() || address.is_loopback(),
        IpAddr::V4(_) => false,
    }
}

/// How many answers may go out: a bucket that refills with time.
#[derive(Debug)]
struct Allowance {
    left: u32,
    /// When the last one was put in, as time since the start.
    refilled: Duration,
}

impl Allowance {
    fn new() -> Self {
        Self {
            left: MAX_BURST,
            refilled: Duration::ZERO,
        }
    }

    /// Takes one at the time `now` since the start; false where none is left.
    fn take(&mut self, now: Duration) -> bool {
        let since = now.saturating_sub(self.refilled);
        let due = u32::try_from(since.as_nanos() / REFILL_INTERVAL.as_nanos()).unwrap_or(u32::MAX);
        self.left = self.left.saturating_add(due).min(MAX_BURST);
        self.refilled += REFILL_INTERVAL.saturating_mul(due);
        let taken = self.left > 0;
        self.left -= u32::from(taken);
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_answered_at_the_rate_of_the_refill() {
        let mut allowance = Allowance::new();
        let at = Duration::from_millis;
        assert_eq!((0..100).filter(|_| allowance.take(at(5))).count(), 16);
        assert!(!allowance.take(at(99)));
        assert!(allowance.take(at(100)) && !allowance.take(at(150)));
        // Nothing is lost to rounding, and a long silence fills the bucket no further than to its brim.
        assert!(allowance.take(at(200)));
        assert_eq!(
            (0..100).filter(|_| allowance.take(at(3_600_000))).count(),
            16
        );
    }

    #[test]
    fn only_the_link_is_answered() {
        for (from, near) in [
            ("[fe80::1%3]:9", true),
            ("[febf::1]:9", true),
            ("[::1]:9", true),
            ("[2001:db8::1]:9", false),
            ("[fd00::1]:9", false),
            ("[ff02::1]:9", false),
            ("[::ffff:10.0.0.1]:9", false),
            ("10.0.0.1:9", false),
        ] {
            assert_eq!(is_near(&from.parse().expect(from)), near, "{from}");
        }
    }

    /// A responder on this machine's loopback and one who asks it; `None` where the machine has no IPv6.
    fn responder() -> Option<(Responder, UdpSocket)> {
        let Ok(asker) = UdpSocket::bind("[::1]:0") else {
            eprintln!("skipped: no IPv6 on this machine");
            return None;
        };
        asker
            .set_read_timeout(Some(Duration::from_secs(10)))
            .expect("a timeout");
        let socket = open("lo", 0).expect("a socket on lo");
        let place = socket.local_addr().expect("an address");
        asker
            .connect((Ipv6Addr::LOCALHOST, place.port()))
            .expect("connected");
        Some((Responder::on(socket, 8144).expect("a thread"), asker))
    }

    #[test]
    fn a_query_is_answered_and_nothing_else_is() {
        let Some((_responder, asker)) = responder() else {
            return;
        };
        let query = Query([7; 16]).encode();
        let answer = Answer {
            nonce: [9; 16],
            port: 1,
        };
        let mut long = query.to_vec();
        long.push(0);
        for datagram in [&b"nothing"[..], b"", &query[1..], &long, &answer.encode()] {
            asker.send(datagram).expect("sent");
        }
        asker.send(&query).expect("sent");
        let mut heard = [0; 64];
        let len = asker.recv(&mut heard).expect("an answer");
        assert_eq!(
            Answer::decode(&heard[..len]),
            Some(Answer {
                nonce: [7; 16],
                port: 8144
            }),
            "the first answer is to the only query"
        );
    }

    #[test]
    fn a_dropped_responder_gives_its_port_back() {
        let Some((responder, asker)) = responder() else {
            return;
        };
        let port = asker.peer_addr().expect("a peer").port();
        drop(responder);
        let deadline = Instant::now() + Duration::from_secs(10);
        while open("lo", port).is_err() {
            assert!(Instant::now() < deadline, "the port is still taken");
            std::thread::yield_now();
        }
    }

    #[test]
    fn an_interface_that_is_not_there_is_an_error() {
        assert!(open("none-such", 0).is_err());
    }
}
