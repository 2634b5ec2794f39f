//! From a joined network to a connection: addresses without DHCP, on that interface alone.
//!
//! The laptop's address is the link-local one that follows from its radio's (EUI-64, RFC 4291). Where its kernel makes another
//! (RFC 7217), a small datagram to all nodes of the link finds it. Every socket is bound to the link's interface, so that nothing that
//! is said here can take another way.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::net::{Ipv6Addr, SocketAddrV6, TcpStream as Stream, UdpSocket};
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, SockaddrIn6, connect, setsockopt, socket, sockopt,
};
use shared_proto::beacon::{Answer, LEN, Query};
use shared_proto::crypto::Crypto;
use shared_proto::crypto::ring::RingCrypto;
use shared_proto::supplicant::Mac;
use smol::future::or;
use smol::net::TcpStream;
use smol::{Async, Timer};

use super::carrier::in_time;
use super::sight::{ADDRESSES, LINKS, Netlink};
use crate::radio::Place;

/// The port where laptops listen, as long as one has not told another.
pub const PORT: u16 = 8144;

/// How long the kernel may take to give us an address: one second of duplicate address detection where we can't switch it off.
const ADDRESS_TIMEOUT: Duration = Duration::from_secs(4);

/// How long the address that follows from the radio's is tried alone.
const HEAD_START: Duration = Duration::from_millis(400);

/// Between two questions who is there.
const ASK_EVERY: Duration = Duration::from_millis(700);

/// An address that the kernel has not found free yet, and one that it has found taken (linux/if_addr.h).
const TENTATIVE: u32 = 0x40;
const DUPLICATE: u32 = 0x08;

/// Addresses that laptops turned out to have, by that of their radio. Anybody on the link may answer the question who is there: an
/// answer is a claim until the channel has shown whose it was.
#[derive(Default)]
pub struct Learned(Mutex<Claims>);

#[derive(Default)]
struct Claims {
    proven: BTreeMap<[u8; 6], SocketAddrV6>,
    last: Option<([u8; 6], SocketAddrV6)>,
}

impl Learned {
    fn get(&self, bssid: [u8; 6]) -> Option<SocketAddrV6> {
        self.lock().proven.get(&bssid).copied()
    }

    /// A new call begins: what was claimed before it was never proven.
    fn begin(&self) {
        self.lock().last = None;
    }

    fn claim(&self, bssid: [u8; 6], address: SocketAddrV6) {
        self.lock().last = Some((bssid, address));
    }

    /// Whoever was reached last is the laptop.
    pub fn prove(&self) {
        let mut claims = self.lock();
        if let Some((bssid, address)) = claims.last.take() {
            claims.proven.insert(bssid, address);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Claims> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Connects to the laptop whose network was joined.
///
/// # Errors
/// A sentence for the connection screen.
pub async fn reach(place: &Place, learned: &Learned) -> Result<TcpStream, String> {
    let name = place.interface.as_str();
    let index = nix::net::if_::if_nametoindex(name)
        .map_err(|_| format!("The interface {name} is gone."))?;
    addressed(name).await?;
    log::debug!("{name}: has an address");
    let port = match place.network.port {
        0 => PORT,
        port => port,
    };
    let at = |address: Ipv6Addr, port: u16| SocketAddrV6::new(address, port, 0, index);
    learned.begin();
    let known = learned.get(place.bssid);
    let first = match known {
        Some(known) => at(*known.ip(), known.port()),
        None => at(Mac(place.bssid).eui64(), port),
    };
    let asked = async {
        Timer::after(HEAD_START).await;
        let found = ask(name, index, port).await?;
        if found == first {
            // It is there and does not answer the call; the call itself says why.
            return smol::future::pending().await;
        }
        log::debug!("{name}: the laptop is at {found}");
        let stream = call(name, found).await?;
        learned.claim(place.bssid, found);
        Ok(stream)
    };
    let straight = async {
        match call(name, first).await {
            // Nobody has this address; somebody may have another.
            Err(error) if error.kind() == io::ErrorKind::HostUnreachable => {
                smol::future::pending().await
            }
            other => other,
        }
    };
    let stream = in_time(or(straight, asked)).await?;
    log::debug!("{name}: connected");
    Ok(stream)
}

/// Waits until this interface has an address that may be used.
pub(super) async fn addressed(name: &str) -> Result<(), String> {
    let netlink = Netlink::open(ADDRESSES | LINKS).map_err(|e| format!("{e}."))?;
    let wait = async {
        loop {
            // The list as it is now, then what changes it: in this order nothing is missed.
            let list = std::fs::read_to_string("/proc/net/if_inet6").unwrap_or_default();
            if is_addressed(&list, name) {
                return Ok(());
            }
            netlink.changed().await.map_err(|e| format!("{e}."))?;
        }
    };
    let timeout = async {
        Timer::after(ADDRESS_TIMEOUT).await;
        Err(format!(
            "{name} got no IPv6 address. Is IPv6 switched off in the firmware?"
        ))
    };
    or(wait, timeout).await
}

/// Whether a line of `/proc/net/if_inet6` gives this interface a link-local address that may be used.
fn is_addressed(list: &str, name: &str) -> bool {
    list.lines().any(|line| {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        let [address, _, _, _, flags, interface] = words[..] else {
            return false;
        };
        let flags = u32::from_str_radix(flags, 16).unwrap_or(TENTATIVE);
        interface == name && address.starts_with("fe80") && flags & (TENTATIVE | DUPLICATE) == 0
    })
}

/// Keeps a socket to one interface.
fn bind_to(fd: &impl std::os::fd::AsFd, name: &str) -> io::Result<()> {
    match setsockopt(fd, sockopt::BindToDevice, &OsString::from(name)) {
        // Kernels before 5.7 let only root do so; the scope of the address keeps it there as well.
        Ok(()) | Err(nix::Error::EPERM) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn call(name: &str, address: SocketAddrV6) -> io::Result<TcpStream> {
    let fd: OwnedFd = socket(
        AddressFamily::Inet6,
        SockType::Stream,
        SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK,
        None,
    )?;
    bind_to(&fd, name)?;
    match connect(fd.as_raw_fd(), &SockaddrIn6::from(address)) {
        Ok(()) | Err(nix::Error::EINPROGRESS) => {}
        Err(error) => return Err(error.into()),
    }
    let stream = Async::new(Stream::from(fd))?;
    stream.writable().await?;
    match stream.get_ref().take_error()? {
        None => Ok(TcpStream::from(stream)),
        Some(error) => Err(error),
    }
}

/// Asks the link who listens on this port.
pub(super) async fn ask(name: &str, index: u32, port: u16) -> io::Result<SocketAddrV6> {
    let socket = UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 0))?;
    bind_to(&socket, name)?;
    let socket = Async::new(socket)?;
    let nonce = RingCrypto
        .nonce()
        .map_err(|error| io::Error::other(error.to_string()))?;
    let nonce = *nonce.first_chunk().unwrap_or(&[0; 16]);
    let query = Query(nonce).encode();
    let everybody = SocketAddrV6::new(Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1), port, 0, index);
    let asking = async {
        loop {
            // One that is lost is asked again.
            let _ = socket.send_to(&query, everybody).await;
            Timer::after(ASK_EVERY).await;
        }
    };
    let answered = async {
        let mut buffer = [0; LEN + 1];
        loop {
            let (len, from) = socket.recv_from(&mut buffer).await?;
            let (Some(answer), std::net::SocketAddr::V6(from)) =
                (Answer::decode(&buffer[..len]), from)
            else {
                continue;
            };
            if answer.nonce == nonce && from.ip().is_unicast_link_local() {
                return Ok(SocketAddrV6::new(*from.ip(), answer.port, 0, index));
            }
        }
    };
    or(answered, asking).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_counts_when_it_may_be_used() {
        let good = "fe800000000000000000fffffe000b00 0b 40 20 80    wlan0\n";
        let tentative = good.replace(" 80 ", " c0 ");
        let duplicate = good.replace(" 80 ", " c8 ");
        let global = good.replacen("fe80", "2001", 1);
        for (list, name, expected) in [
            (good, "wlan0", true),
            (good, "wlan", false),
            (&*tentative, "wlan0", false),
            (&*duplicate, "wlan0", false),
            (&*global, "wlan0", false),
            ("", "wlan0", false),
            ("fe80 wlan0\n", "wlan0", false),
        ] {
            assert_eq!(is_addressed(list, name), expected, "{list}");
        }
    }

    #[test]
    fn an_answer_counts_once_the_channel_has_shown_whose_it_was() {
        let (learned, bssid) = (Learned::default(), [2; 6]);
        let at =
            |last| SocketAddrV6::new(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, last), PORT, 0, 3);
        learned.prove();
        learned.claim(bssid, at(1));
        assert_eq!(learned.get(bssid), None, "anybody may answer");
        learned.begin();
        learned.prove();
        assert_eq!(learned.get(bssid), None, "another call was proven");
        learned.claim(bssid, at(2));
        learned.prove();
        assert_eq!(learned.get(bssid), Some(at(2)));
        learned.claim(bssid, at(3));
        assert_eq!(learned.get(bssid), Some(at(2)));
    }

    #[test]
    fn an_interface_that_is_gone_is_named() {
        let place = Place {
            interface: "nowhere9".into(),
            bssid: [2; 6],
            network: Default::default(),
        };
        let why = smol::block_on(reach(&place, &Learned::default())).unwrap_err();
        assert_eq!(why, "The interface nowhere9 is gone.");
    }
}
