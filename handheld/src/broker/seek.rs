//! Who listens on a link: a small datagram to all its nodes, until one that is a laptop answers or nobody wants to know any more.

use std::io;
use std::net::{Ipv6Addr, SocketAddr, SocketAddrV6, UdpSocket};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use shared_proto::beacon::{Answer, LEN, Query};
use shared_proto::crypto::Crypto;
use shared_proto::crypto::ring::RingCrypto;

use super::line::Line;
use super::net::{bind_to, index};
use super::wire::{Found, encode};

/// Between two questions who is there.
const ASK_EVERY: Duration = Duration::from_millis(700);

/// So long it is asked at most: longer than anybody waits for a connection.
const GIVE_UP: Duration = Duration::from_secs(10);

/// Asks until somebody answers, and says so on the line.
pub(super) fn serve(line: &Line, interface: &str, port: u16) -> io::Result<()> {
    let index = index(interface).ok_or(io::ErrorKind::NotFound)?;
    let socket = UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 0))?;
    bind_to(&socket, interface)?;
    socket.set_nonblocking(true)?;
    let nonce = RingCrypto
        .nonce()
        .map_err(|error| io::Error::other(error.to_string()))?;
    let nonce = *nonce.first_chunk().unwrap_or(&[0; 16]);
    let query = Query(nonce).encode();
    let everybody = SocketAddrV6::new(Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1), port, 0, index);
    let end = Instant::now() + GIVE_UP;
    let mut ask_at = Instant::now();
    while Instant::now() < end {
        if Instant::now() >= ask_at {
            // One that is lost is asked again.
            let _ = socket.send_to(&query, everybody);
            ask_at = Instant::now() + ASK_EVERY;
        }
        let left = ask_at.saturating_duration_since(Instant::now());
        let left =
            PollTimeout::try_from(left + Duration::from_millis(1)).unwrap_or(PollTimeout::ZERO);
        let mut waits = [
            PollFd::new(socket.as_fd(), PollFlags::POLLIN),
            PollFd::new(line.as_fd(), PollFlags::POLLIN),
        ];
        match poll(&mut waits, left) {
            Ok(_) | Err(nix::Error::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
        // The app says nothing on this line; it only lets go of it.
        if waits[1].any().unwrap_or(false) {
            return Ok(());
        }
        let mut buffer = [0; LEN + 1];
        while let Ok((len, from)) = socket.recv_from(&mut buffer) {
            let (Some(answer), SocketAddr::V6(from)) = (Answer::decode(&buffer[..len]), from)
            else {
                continue;
            };
            if answer.nonce == nonce && from.ip().is_unicast_link_local() {
                let (address, port) = (*from.ip(), answer.port);
                return line.send(&encode(&Found { address, port }), None);
            }
        }
    }
    Ok(())
}
