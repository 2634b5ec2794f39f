//! The sockets themselves, and what the machine says of its interfaces and routers.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;

use nix::ifaddrs::getifaddrs;
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, SockaddrStorage, bind,
    connect, recv, send, setsockopt, socket, sockopt,
};

use super::rules::dial::{Interface, Machine, Own, Way};

/// Where the kernel shows interfaces.
pub(super) const NET: &str = "/sys/class/net";

/// rtnetlink(7): changes of interfaces, and of IPv6 addresses. No other group is listened to.
pub(super) const GROUPS: u32 = 0x1 | 0x100;

/// IFF_UP of rtnetlink(7).
const UP: u32 = 1;

/// Names that gadgets get where the kernel does not say so itself: Linux, configfs with NCM, Android's kernels.
const GADGETS: [&str; 4] = ["usb0", "usb1", "ncm0", "rndis0"];

/// Whether the interface of this name, shown in this folder of sysfs, is the device's own end of a USB cable: the kernel's word
/// (u_ether.c names the type so), or else a usual name that is not the computer's end of a cable to something else.
#[must_use]
pub fn is_gadget(folder: &Path, name: &str) -> bool {
    let uevent = fs::read_to_string(folder.join("uevent")).unwrap_or_default();
    if uevent.lines().any(|line| line == "DEVTYPE=gadget") {
        return true;
    }
    let subsystem = fs::read_link(folder.join("device/subsystem")).unwrap_or_default();
    GADGETS.contains(&name) && !subsystem.ends_with("usb")
}

/// The number of an interface; another one once it was made anew. Read from sysfs, since the C library opens a socket for it.
#[must_use]
pub fn index(name: &str) -> Option<u32> {
    if !super::rules::is_name(name) {
        return None;
    }
    let text = fs::read_to_string(Path::new(NET).join(name).join("ifindex")).ok()?;
    text.trim().parse().ok()
}

/// Interfaces with their addresses, and the routers.
pub(super) fn machine() -> Machine {
    let mut interfaces: Vec<Interface> = Vec::new();
    for name in fs::read_dir(NET).into_iter().flatten().flatten() {
        let Ok(name) = name.file_name().into_string() else {
            continue;
        };
        if let Some(index) = index(&name) {
            let own = Vec::new();
            interfaces.push(Interface { name, index, own });
        }
    }
    // Without them nothing that is typed is on a link, and so is refused.
    for one in getifaddrs().into_iter().flatten() {
        let interface = interfaces.iter_mut().find(|i| i.name == one.interface_name);
        let (Some(interface), Some(address), Some(mask)) = (
            interface,
            one.address.and_then(|a| ip(&a)),
            one.netmask.and_then(|m| ip(&m)),
        ) else {
            continue;
        };
        let prefix = match mask {
            IpAddr::V4(mask) => mask.to_bits().leading_ones(),
            IpAddr::V6(mask) => mask.to_bits().leading_ones(),
        } as u8;
        interface.own.push(Own { address, prefix });
    }
    Machine {
        interfaces,
        routers: routers(),
    }
}

fn ip(address: &SockaddrStorage) -> Option<IpAddr> {
    let four = address.as_sockaddr_in().map(|four| IpAddr::V4(four.ip()));
    four.or_else(|| address.as_sockaddr_in6().map(|six| IpAddr::V6(six.ip())))
}

/// Routers of this machine (`/proc/net/route`, `/proc/net/ipv6_route`).
#[must_use]
pub fn routers() -> Vec<IpAddr> {
    let text = |file: &str| fs::read_to_string(file).unwrap_or_default();
    let mut found = routers_of_four(&text("/proc/net/route"));
    found.extend(routers_of_six(&text("/proc/net/ipv6_route")));
    found
}

/// Columns: interface, destination, gateway; words of hexadecimal digits as this machine keeps them.
fn routers_of_four(text: &str) -> Vec<IpAddr> {
    let row = |line: &str| {
        let gateway = line.split_ascii_whitespace().nth(2)?;
        let octets = u32::from_str_radix(gateway, 16).ok()?.to_ne_bytes();
        (octets != [0; 4]).then_some(IpAddr::V4(Ipv4Addr::from(octets)))
    };
    text.lines().skip(1).filter_map(row).collect()
}

/// Columns: destination, its prefix, source, its prefix, next hop.
fn routers_of_six(text: &str) -> Vec<IpAddr> {
    let row = |line: &str| {
        let hop = line.split_ascii_whitespace().nth(4)?;
        let bits = u128::from_str_radix(hop, 16).ok()?;
        (bits != 0).then_some(IpAddr::V6(Ipv6Addr::from_bits(bits)))
    };
    text.lines().filter_map(row).collect()
}

/// Begins a connection the way that was judged; it is made while the app waits for it.
pub(super) fn dial(way: &Way) -> io::Result<OwnedFd> {
    let family = match way.address {
        SocketAddr::V4(_) => AddressFamily::Inet,
        SocketAddr::V6(_) => AddressFamily::Inet6,
    };
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let fd: OwnedFd = socket(family, SockType::Stream, flags, None)?;
    if let Some(name) = &way.interface {
        bind_to(&fd, name)?;
    }
    // Whatever the routing table says, no router carries it.
    setsockopt(&fd, sockopt::DontRoute, &true)?;
    // A word must not wait for the next one; the app may set nothing.
    setsockopt(&fd, sockopt::TcpNoDelay, &true)?;
    match connect(fd.as_raw_fd(), &SockaddrStorage::from(way.address)) {
        Ok(()) | Err(nix::Error::EINPROGRESS) => Ok(fd),
        Err(error) => Err(error.into()),
    }
}

/// Keeps a socket to one interface.
pub(super) fn bind_to(fd: &impl std::os::fd::AsFd, name: &str) -> io::Result<()> {
    match setsockopt(fd, sockopt::BindToDevice, &OsString::from(name)) {
        // Kernels before 5.7 let only root do so; the scope of the address, or that no router is used, keeps it there as well.
        Ok(()) | Err(nix::Error::EPERM) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// A socket on which the kernel tells of changes.
pub(super) fn changes(groups: u32) -> io::Result<OwnedFd> {
    let fd = socket(
        AddressFamily::Netlink,
        SockType::Raw,
        SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK,
        SockProtocol::NetlinkRoute,
    )?;
    bind(fd.as_raw_fd(), &NetlinkAddr::new(0, groups & GROUPS))?;
    Ok(fd)
}

/// Switches an interface on or off, as `ip link set IF up` does; a supplicant goes on by itself then. Only root may.
///
/// # Errors
/// There is none of this name, or the kernel does not do so.
pub(super) fn switch(name: &str, on: bool) -> io::Result<()> {
    let index = index(name).ok_or(io::ErrorKind::NotFound)?;
    let fd = socket(
        AddressFamily::Netlink,
        SockType::Raw,
        SockFlag::SOCK_CLOEXEC,
        SockProtocol::NetlinkRoute,
    )?;
    send(fd.as_raw_fd(), &switching(index, on), MsgFlags::empty())?;
    let mut answer = [0; 256];
    let len = recv(fd.as_raw_fd(), &mut answer, MsgFlags::empty())?;
    acknowledged(&answer[..len])
}

/// What the kernel says of a request: NLMSG_ERROR with the negative of an errno, or zero (netlink(7)).
fn acknowledged(answer: &[u8]) -> io::Result<()> {
    const NLMSG_ERROR: u16 = 2;
    let (Some(kind), Some(code)) = (answer.get(4..6), answer.get(16..20)) else {
        return Err(io::ErrorKind::UnexpectedEof.into());
    };
    let code: [u8; 4] = code.try_into().unwrap_or_default();
    match (kind == NLMSG_ERROR.to_ne_bytes(), i32::from_ne_bytes(code)) {
        (true, 0) => Ok(()),
        (true, code) => Err(io::Error::from_raw_os_error(code.saturating_neg())),
        (false, _) => Err(io::ErrorKind::InvalidData.into()),
    }
}

/// RTM_NEWLINK with IFF_UP alone (rtnetlink(7), netlink(7)): a header of 16 octets and an ifinfomsg of 16.
fn switching(index: u32, on: bool) -> [u8; 32] {
    const RTM_NEWLINK: u16 = 16;
    const NLM_F_REQUEST: u16 = 1;
    const NLM_F_ACK: u16 = 4;
    let mut message = [0; 32];
    message[..4].copy_from_slice(&32u32.to_ne_bytes());
    message[4..6].copy_from_slice(&RTM_NEWLINK.to_ne_bytes());
    message[6..8].copy_from_slice(&(NLM_F_REQUEST | NLM_F_ACK).to_ne_bytes());
    message[20..24].copy_from_slice(&index.to_ne_bytes());
    message[24..28].copy_from_slice(&if on { UP } else { 0 }.to_ne_bytes());
    message[28..].copy_from_slice(&UP.to_ne_bytes());
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_says_whether_an_interface_was_switched() {
        assert!(switch("nowhere9", true).is_err());
        let mut answer = [0; 36];
        assert!(acknowledged(&answer[..10]).is_err() && acknowledged(&answer).is_err());
        answer[4..6].copy_from_slice(&2u16.to_ne_bytes());
        assert!(acknowledged(&answer).is_ok());
        answer[16..20].copy_from_slice(&(-1i32).to_ne_bytes());
        let denied = acknowledged(&answer).unwrap_err();
        assert_eq!(denied.kind(), io::ErrorKind::PermissionDenied);
    }

    #[test]
    fn routers_are_read_from_what_the_kernel_prints() {
        let gateway = u32::from_ne_bytes([192, 168, 1, 1]);
        let text = format!(
            "Iface\tDestination\tGateway\tFlags\nwlan0\t00000000\t{gateway:08X}\t0003\nwlan0\t0001A8C0\t00000000\t0001\nbroken\n"
        );
        assert_eq!(routers_of_four(&text), [IpAddr::from([192, 168, 1, 1])]);
        let zeros = "0".repeat(32);
        let text = format!(
            "{zeros} 00 {zeros} 00 fe800000000000000000000000000001 00000400 1 0 3 wlan0\n{zeros} 00 {zeros} 00 {zeros} ffffffff 1 0 200200 lo\n"
        );
        assert_eq!(
            routers_of_six(&text),
            ["fe80::1".parse::<IpAddr>().unwrap()]
        );
    }

    #[test]
    fn the_loopback_interface_is_seen_with_its_number_and_address() {
        let machine = machine();
        let lo = machine
            .interfaces
            .iter()
            .find(|one| one.name == "lo")
            .unwrap();
        assert_eq!(Some(lo.index), index("lo"));
        let address = IpAddr::from([127, 0, 0, 1]);
        assert!(lo.own.contains(&Own { address, prefix: 8 }));
        assert_eq!(index("../net/lo"), None);
    }
}
