//! Passing the listening socket from link-service to the daemon.

use super::{Carrier, Kind};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;

/// Longest description, in octets.
const MAX_DESCRIPTION_LEN: usize = 512;

/// What the daemon has got.
#[derive(Debug)]
pub struct Link {
    /// The listening socket.
    pub listener: TcpListener,
    /// Kind of carrier.
    pub kind: Kind,
    /// Where it listens.
    pub address: SocketAddr,
}

#[derive(Serialize, Deserialize)]
struct Description {
    kind: Kind,
    address: SocketAddr,
}

/// Why the socket was not passed.
#[derive(Debug)]
pub enum HandoverError {
    /// The connection failed or ended.
    Io(io::Error),
    /// What came is no description with exactly one descriptor.
    Malformed,
}

impl fmt::Display for HandoverError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "{error}"),
            Self::Malformed => {
                f.write_str("link-service sent something else than one listening socket")
            }
        }
    }
}

impl std::error::Error for HandoverError {}

impl From<io::Error> for HandoverError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Passes a carrier's listening socket over `stream`.
///
/// # Errors
/// What the socket said.
pub fn send(stream: &UnixStream, carrier: &Carrier) -> Result<(), HandoverError> {
    let description = Description {
        kind: carrier.kind,
        address: carrier.address,
    };
    let bytes = serde_json::to_vec(&description).map_err(io::Error::from)?;
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    let descriptors = [carrier.listener.as_fd()];
    if !ancillary.push(SendAncillaryMessage::ScmRights(&descriptors)) {
        return Err(HandoverError::Malformed);
    }
    let sent = sendmsg(
        stream,
        &[IoSlice::new(&bytes)],
        &mut ancillary,
        SendFlags::NOSIGNAL,
    )
    .map_err(io::Error::from)?;
    // The description is far smaller than any socket buffer.
    if sent == bytes.len() {
        Ok(())
    } else {
        Err(HandoverError::Malformed)
    }
}

/// Receives a listening socket over `stream`.
///
/// # Errors
/// [`HandoverError::Malformed`] unless exactly one descriptor of a listening TCP socket comes with a description.
pub fn receive(stream: &UnixStream) -> Result<Link, HandoverError> {
    let mut bytes = [0; MAX_DESCRIPTION_LEN];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(4))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let received = recvmsg(
        stream,
        &mut [IoSliceMut::new(&mut bytes)],
        &mut ancillary,
        RecvFlags::CMSG_CLOEXEC,
    )
    .map_err(io::Error::from)?;
    // Collected first, so that every descriptor is owned and closed, whatever is wrong with the rest.
    let mut descriptors = Vec::new();
    for message in ancillary.drain() {
        if let RecvAncillaryMessage::ScmRights(passed) = message {
            descriptors.extend(passed);
        }
    }
    if received.bytes == 0 {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
    }
    let description: Description =
        serde_json::from_slice(&bytes[..received.bytes]).map_err(|_| HandoverError::Malformed)?;
    let (Some(descriptor), true) = (descriptors.pop(), descriptors.is_empty()) else {
        return Err(HandoverError::Malformed);
    };
    let listening =
        nix::sys::socket::getsockopt(&descriptor, nix::sys::socket::sockopt::AcceptConn);
    let listener = TcpListener::from(descriptor);
    match (listening, listener.local_addr()) {
        (Ok(true), Ok(address)) if address == description.address => Ok(Link {
            listener,
            kind: description.kind,
            address,
        }),
        _ => Err(HandoverError::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::net::{IpAddr, TcpStream};

    fn carrier() -> Carrier {
        Carrier::open(None, IpAddr::from([127, 0, 0, 1]), 0).expect("a carrier")
    }

    #[test]
    fn the_passed_socket_accepts_what_connects_to_the_carrier() {
        let (ours, theirs) = UnixStream::pair().expect("a pair");
        let carrier = carrier();
        send(&ours, &carrier).expect("sent");
        let link = receive(&theirs).expect("received");
        assert_eq!((link.kind, link.address), (Kind::Loopback, carrier.address));
        let client = TcpStream::connect(carrier.address).expect("connected");
        let (_, peer) = link.listener.accept().expect("accepted");
        assert_eq!(peer, client.local_addr().expect("an address"));
    }

    #[test]
    fn words_without_a_socket_are_refused() {
        let (mut ours, theirs) = UnixStream::pair().expect("a pair");
        ours.write_all(br#"{"kind":"loopback","address":"127.0.0.1:1"}"#)
            .expect("written");
        assert!(matches!(receive(&theirs), Err(HandoverError::Malformed)));
    }

    #[test]
    fn another_kind_of_socket_is_refused() {
        let (ours, theirs) = UnixStream::pair().expect("a pair");
        let carrier = carrier();
        let connected = TcpStream::connect(carrier.address).expect("connected");
        let false_carrier = Carrier {
            listener: TcpListener::from(std::os::fd::OwnedFd::from(connected)),
            kind: carrier.kind,
            address: carrier.address,
        };
        send(&ours, &false_carrier).expect("sent");
        assert!(matches!(receive(&theirs), Err(HandoverError::Malformed)));
    }

    #[test]
    fn an_ended_connection_is_an_error() {
        let (ours, theirs) = UnixStream::pair().expect("a pair");
        drop(ours);
        assert!(matches!(receive(&theirs), Err(HandoverError::Io(_))));
    }
}
