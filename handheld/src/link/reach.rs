//! From a joined network to a connection: addresses without DHCP, on that interface alone.
//!
//! The laptop's address is the link-local one that follows from its radio's (EUI-64, RFC 4291). Where its kernel makes another
//! (RFC 7217), a small datagram to all nodes of the link finds it. The broker binds every socket to the link's
//! interface, so that nothing that is said here can take another way.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv6Addr, SocketAddrV6};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use shared_proto::supplicant::Mac;
use smol::Timer;
use smol::future::or;
use smol::net::TcpStream;

use super::carrier::{connected, in_time};
use super::sight::{ADDRESSES, LINKS, Netlink};
use crate::broker::wire::{Found, decode};
use crate::broker::{Broker, Line, index};
use crate::radio::Place;

pub use crate::broker::PORT;

/// How long the kernel may take to give us an address: one second of duplicate address detection where we can't switch it off.
const ADDRESS_TIMEOUT: Duration = Duration::from_secs(4);

/// How long the address that follows from the radio's is tried alone.
const HEAD_START: Duration = Duration::from_millis(400);

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
pub async fn reach(broker: &Broker, place: &Place, learned: &Learned) -> Result<TcpStream, String> {
    let name = place.interface.as_str();
    let index = index(name).ok_or_else(|| format!("The interface {name} is gone."))?;
    addressed(broker, name).await?;
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
        let found = ask(broker, name, index, port).await?;
        if found == first {
            // It is there and does not answer the call; the call itself says why.
            return smol::future::pending().await;
        }
        log::debug!("{name}: the laptop is at {found}");
        let stream = call(broker, name, found).await?;
        learned.claim(place.bssid, found);
        Ok(stream)
    };
    let straight = async {
        match call(broker, name, first).await {
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
pub(super) async fn addressed(broker: &Broker, name: &str) -> Result<(), String> {
    let netlink = Netlink::open(broker, ADDRESSES | LINKS).map_err(|e| format!("{e}."))?;
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

pub(super) async fn call(
    broker: &Broker,
    name: &str,
    address: SocketAddrV6,
) -> io::Result<TcpStream> {
    connected(broker.dial_link(name, *address.ip(), address.port())?).await
}

/// Asks the link who listens on this port.
pub(super) async fn ask(
    broker: &Broker,
    name: &str,
    index: u32,
    port: u16,
) -> io::Result<SocketAddrV6> {
    let line = smol::Async::new(broker.seek(name, port)?)?;
    let found = line.read_with(Line::receive).await?;
    match found.and_then(|(bytes, _)| decode(&bytes)) {
        Some(Found { address, port }) => Ok(SocketAddrV6::new(address, port, 0, index)),
        // Nobody answered; the call itself says why.
        None => smol::future::pending().await,
    }
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
        let broker = crate::broker::in_thread(crate::broker::Settings::default());
        let place = Place {
            interface: "nowhere9".into(),
            bssid: [2; 6],
            network: Default::default(),
        };
        let why = smol::block_on(reach(&broker, &place, &Learned::default())).unwrap_err();
        assert_eq!(why, "The interface nowhere9 is gone.");
    }
}
