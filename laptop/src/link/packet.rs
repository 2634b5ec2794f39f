//! Unix sockets of whole messages (`SOCK_SEQPACKET`, unix(7)), each of which may bring descriptors.

use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags,
    SendAncillaryBuffer, SendAncillaryMessage, SendFlags, Shutdown, SocketAddrUnix, SocketFlags,
    SocketType, accept_with, bind, connect, listen, recvmsg, sendmsg, shutdown, socket_with,
};
use std::fs::Permissions;
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Longest message, in octets.
pub(super) const MAX_MESSAGE_LEN: usize = 4096;
/// Descriptors that a message is given room for: more than any needs, so that one too many is noticed and closed.
const MAX_DESCRIPTORS: usize = 4;
/// Callers that wait to be accepted.
const BACKLOG: i32 = 8;

fn socket() -> io::Result<OwnedFd> {
    Ok(socket_with(
        AddressFamily::UNIX,
        SocketType::SEQPACKET,
        SocketFlags::CLOEXEC,
        None,
    )?)
}

/// What one message brought.
#[derive(Debug)]
pub(super) struct Packet {
    /// Its octets; none where the other side has ended the conversation.
    pub(super) bytes: Vec<u8>,
    /// Its descriptors.
    pub(super) descriptors: Vec<OwnedFd>,
    /// False where it was longer than [`MAX_MESSAGE_LEN`], or brought more descriptors than there is room for.
    pub(super) whole: bool,
}

impl Packet {
    const END: Self = Self {
        bytes: Vec::new(),
        descriptors: Vec::new(),
        whole: true,
    };
}

/// One end of a conversation.
#[derive(Debug)]
pub struct PacketSocket(OwnedFd);

impl PacketSocket {
    /// Connects to whoever listens at `path`.
    ///
    /// # Errors
    /// What the system said.
    pub fn connect(path: &Path) -> io::Result<Self> {
        let socket = socket()?;
        connect(&socket, &SocketAddrUnix::new(path)?)?;
        Ok(Self(socket))
    }

    /// Sends one message. Never waits: a receiver that does not read is an error of the kind `WouldBlock`.
    ///
    /// # Errors
    /// What the system said.
    pub(super) fn send(&self, bytes: &[u8], descriptor: Option<BorrowedFd<'_>>) -> io::Result<()> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        let descriptors: Vec<BorrowedFd<'_>> = descriptor.into_iter().collect();
        if !descriptors.is_empty() && !ancillary.push(SendAncillaryMessage::ScmRights(&descriptors))
        {
            return Err(io::Error::from(io::ErrorKind::InvalidInput));
        }
        let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
        // A packet goes whole or not at all.
        sendmsg(&self.0, &[IoSlice::new(bytes)], &mut ancillary, flags)?;
        Ok(())
    }

    /// Waits for one message.
    ///
    /// # Errors
    /// What the system said.
    pub(super) fn receive(&self) -> io::Result<Packet> {
        let mut bytes = vec![0; MAX_MESSAGE_LEN];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_DESCRIPTORS))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let received = loop {
            let mut slices = [IoSliceMut::new(&mut bytes)];
            match recvmsg(
                &self.0,
                &mut slices,
                &mut ancillary,
                RecvFlags::CMSG_CLOEXEC,
            ) {
                Err(rustix::io::Errno::INTR) => {}
                // Ended as well, with something of ours unread.
                Err(rustix::io::Errno::CONNRESET) => return Ok(Packet::END),
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
        bytes.truncate(received.bytes);
        Ok(Packet {
            bytes,
            descriptors,
            whole: !received
                .flags
                .intersects(ReturnFlags::TRUNC | ReturnFlags::CTRUNC),
        })
    }

    /// Ends the conversation for both sides; whoever waits for a message wakes.
    pub(super) fn end(&self) {
        // A conversation that is over already is what is wanted.
        let _ = shutdown(&self.0, Shutdown::Both);
    }

    /// Two ends of a conversation.
    #[cfg(test)]
    pub(crate) fn pair() -> (Self, Self) {
        let (ours, theirs) = rustix::net::socketpair(
            AddressFamily::UNIX,
            SocketType::SEQPACKET,
            SocketFlags::CLOEXEC,
            None,
        )
        .expect("a pair needs two descriptors only");
        (Self(ours), Self(theirs))
    }
}

impl AsFd for PacketSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Where conversations begin.
#[derive(Debug)]
pub(super) struct PacketListener(OwnedFd);

impl PacketListener {
    /// Listens at `path`, in the place of a socket that nobody listens at any more, never of one that still answers and
    /// never of another file. Only this user may connect if `shared` is false; otherwise anyone may, and the user id
    /// check decides.
    ///
    /// # Errors
    /// When something lives at `path`, or from the file system.
    pub(super) fn bind(path: &Path, shared: bool) -> io::Result<Self> {
        crate::ipc::make_room(path, |path| PacketSocket::connect(path).is_ok())?;
        let socket = socket()?;
        bind(&socket, &SocketAddrUnix::new(path)?)?;
        let mode = if shared { 0o666 } else { 0o600 };
        std::fs::set_permissions(path, Permissions::from_mode(mode))?;
        listen(&socket, BACKLOG)?;
        Ok(Self(socket))
    }

    /// Waits for the next caller.
    ///
    /// # Errors
    /// What the system said.
    pub(super) fn accept(&self) -> io::Result<PacketSocket> {
        loop {
            match accept_with(&self.0, SocketFlags::CLOEXEC) {
                Ok(socket) => return Ok(PacketSocket(socket)),
                Err(rustix::io::Errno::INTR | rustix::io::Errno::CONNABORTED) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }
}

/// A socket that listens already.
impl From<OwnedFd> for PacketListener {
    fn from(listening: OwnedFd) -> Self {
        Self(listening)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::TempFolder;
    use std::os::unix::net::UnixListener;

    #[test]
    fn messages_keep_their_bounds_and_descriptors_their_message() {
        let (ours, theirs) = PacketSocket::pair();
        ours.send(b"one", None).expect("sent");
        ours.send(b"two", Some(ours.as_fd())).expect("sent");
        let one = theirs.receive().expect("received");
        assert_eq!(
            (one.bytes.as_slice(), one.descriptors.len()),
            (&b"one"[..], 0)
        );
        let two = theirs.receive().expect("received");
        assert_eq!(
            (two.bytes.as_slice(), two.descriptors.len()),
            (&b"two"[..], 1)
        );
        assert!(one.whole && two.whole);
        ours.end();
        assert!(theirs.receive().expect("the end").bytes.is_empty());
    }

    #[test]
    fn a_message_that_is_too_long_is_known_as_such() {
        let (ours, theirs) = PacketSocket::pair();
        ours.send(&[b'x'; MAX_MESSAGE_LEN + 1], None).expect("sent");
        assert!(!theirs.receive().expect("received").whole);
    }

    #[test]
    fn a_receiver_that_does_not_read_holds_nobody_up() {
        let (ours, _theirs) = PacketSocket::pair();
        let error = (0..100_000)
            .find_map(|_| ours.send(&[b'x'; 1024], None).err())
            .expect("the buffer is full some time");
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
    }

    #[test]
    fn a_dead_socket_is_replaced_and_a_living_one_is_not() {
        let folder = TempFolder::new("packet");
        let path = folder.0.join("link.sock");
        let first = PacketListener::bind(&path, false).expect("bound");
        let error = PacketListener::bind(&path, false).expect_err("taken");
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
        drop(first);
        let second = PacketListener::bind(&path, false).expect("bound again");
        let caller = PacketSocket::connect(&path).expect("connected");
        let called = second.accept().expect("accepted");
        caller.send(b"here", None).expect("sent");
        assert_eq!(called.receive().expect("received").bytes, b"here");
    }

    #[test]
    fn a_socket_of_streams_from_an_older_version_is_replaced_once_it_is_dead() {
        let folder = TempFolder::new("streams");
        let path = folder.0.join("link.sock");
        drop(UnixListener::bind(&path).expect("bound"));
        PacketListener::bind(&path, false).expect("replaced");
        let file = folder.0.join("file");
        std::fs::write(&file, "text").expect("written");
        assert!(PacketListener::bind(&file, false).is_err());
    }
}
