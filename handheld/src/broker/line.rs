//! A socket pair of whole messages (`SOCK_SEQPACKET`, unix(7)), each of which may bring one descriptor.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags,
    SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg,
    sendmsg, socketpair,
};

/// Longest message, in octets: the longest list of networks, and what is around it. Every other answer of wpa_supplicant fits into its
/// buffer of 4096.
pub const MAX_LEN: usize = shared_proto::supplicant::MAX_NETWORK_LIST + 1024;

/// Descriptors that a message is given room for: more than any brings, so that one too many is noticed and closed.
const ROOM: usize = 4;

/// One end of a conversation between app and broker.
#[derive(Debug)]
pub struct Line(OwnedFd);

impl Line {
    /// Two ends of a new conversation.
    ///
    /// # Errors
    /// The system has no descriptors left.
    pub fn pair() -> io::Result<(Self, Self)> {
        let kind = SocketType::SEQPACKET;
        let (a, b) = socketpair(AddressFamily::UNIX, kind, SocketFlags::CLOEXEC, None)?;
        Ok((Self(a), Self(b)))
    }

    /// An end that came over another conversation.
    #[must_use]
    pub fn from_descriptor(descriptor: OwnedFd) -> Self {
        Self(descriptor)
    }

    /// How long [`Line::receive`] waits at most.
    ///
    /// # Errors
    /// What the system said.
    pub fn set_patience(&self, patience: Duration) -> io::Result<()> {
        Ok(set_socket_timeout(&self.0, Timeout::Recv, Some(patience))?)
    }

    /// Sends one message.
    ///
    /// # Errors
    /// Nobody is at the other end, or it is longer than [`MAX_LEN`].
    pub fn send(&self, bytes: &[u8], descriptor: Option<BorrowedFd<'_>>) -> io::Result<()> {
        if bytes.len() > MAX_LEN {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        let descriptors: Vec<BorrowedFd<'_>> = descriptor.into_iter().collect();
        if !descriptors.is_empty() && !ancillary.push(SendAncillaryMessage::ScmRights(&descriptors))
        {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        loop {
            let parts = [IoSlice::new(bytes)];
            match sendmsg(&self.0, &parts, &mut ancillary, SendFlags::NOSIGNAL) {
                Err(rustix::io::Errno::INTR) => {}
                // A packet goes whole or not at all.
                other => return Ok(other.map(drop)?),
            }
        }
    }

    /// Like [`Line::receive`], and waits so long at most.
    ///
    /// # Errors
    /// As there.
    pub fn receive_within(
        &self,
        patience: Duration,
    ) -> io::Result<Option<(Vec<u8>, Option<OwnedFd>)>> {
        let patience = PollTimeout::try_from(patience).unwrap_or(PollTimeout::MAX);
        let mut waits = [PollFd::new(self.as_fd(), PollFlags::POLLIN)];
        match poll(&mut waits, patience)? {
            0 => Err(io::ErrorKind::TimedOut.into()),
            _ => self.receive(),
        }
    }

    /// Takes the next message and its descriptor; `None` once the other end is gone.
    ///
    /// # Errors
    /// It is longer than [`MAX_LEN`] or brought too much; or nothing came in time.
    pub fn receive(&self) -> io::Result<Option<(Vec<u8>, Option<OwnedFd>)>> {
        let mut bytes = vec![0; MAX_LEN];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(ROOM))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let received = loop {
            let mut parts = [IoSliceMut::new(&mut bytes)];
            let flags = RecvFlags::CMSG_CLOEXEC;
            match recvmsg(&self.0, &mut parts, &mut ancillary, flags) {
                Err(rustix::io::Errno::INTR) => {}
                // Ended as well, with something of ours unread.
                Err(rustix::io::Errno::CONNRESET) => return Ok(None),
                other => break other?,
            }
        };
        // Every descriptor is owned from here on, and so closed, whatever is wrong with the message.
        let mut descriptors = Vec::new();
        for message in ancillary.drain() {
            if let RecvAncillaryMessage::ScmRights(passed) = message {
                descriptors.extend(passed);
            }
        }
        let cut = ReturnFlags::TRUNC | ReturnFlags::CTRUNC;
        if received.flags.intersects(cut) || descriptors.len() > 1 {
            return Err(io::ErrorKind::InvalidData.into());
        }
        if received.bytes == 0 {
            return Ok(None);
        }
        bytes.truncate(received.bytes);
        Ok(Some((bytes, descriptors.pop())))
    }
}

impl From<Line> for OwnedFd {
    fn from(line: Line) -> Self {
        line.0
    }
}

impl AsFd for Line {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_stay_whole_bring_descriptors_and_end_with_the_other_end() {
        let (a, b) = Line::pair().unwrap();
        let (inner, far) = Line::pair().unwrap();
        a.send(b"one", None).unwrap();
        a.send(&[7; MAX_LEN], Some(inner.as_fd())).unwrap();
        assert!(a.send(&[7; MAX_LEN + 1], None).is_err(), "too long");
        drop(inner);
        assert_eq!(b.receive().unwrap().unwrap().0, b"one");
        let (bytes, passed) = b.receive().unwrap().unwrap();
        assert_eq!(bytes.len(), MAX_LEN);
        let passed = Line::from_descriptor(passed.unwrap());
        passed.send(b"through", None).unwrap();
        assert_eq!(far.receive().unwrap().unwrap().0, b"through");
        drop(a);
        assert!(b.receive().unwrap().is_none());
        assert!(b.send(b"x", None).is_err());
    }

    #[test]
    fn waiting_has_an_end() {
        let (a, _b) = Line::pair().unwrap();
        a.set_patience(Duration::from_millis(20)).unwrap();
        assert_eq!(
            a.receive().err().map(|error| error.kind()),
            Some(io::ErrorKind::WouldBlock)
        );
    }
}
