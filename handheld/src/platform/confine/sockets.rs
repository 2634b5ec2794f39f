//! Sockets that a process has without having asked for them: from whoever started it, and from libraries.
//!
//! What cannot be opened any more may still have been open. Sockets that were inherited are closed at the start. Libraries that open
//! the display also greet the message bus, by which a system's first process starts programs for anybody with the right user: those
//! connections are ended once the display is open.

use std::fs;
use std::os::fd::RawFd;

use nix::sys::socket::{
    AddressFamily, Shutdown, SockaddrLike, SockaddrStorage, UnixAddr, getpeername, getsockname,
    shutdown,
};

/// Parts of names of sockets where others do something for whoever asks.
const BUSES: [&str; 4] = ["bus", "pulse", "pipewire", "systemd"];

/// Names the descriptor of a Wayland compositor's socket, for programs that the compositor starts itself.
const WAYLAND: &str = "WAYLAND_SOCKET";

/// Descriptors of sockets that are open now, beside the three of every process, each with the number that the kernel lists it under.
fn open() -> Vec<(RawFd, u64)> {
    let folder = fs::read_dir("/proc/self/fd")
        .into_iter()
        .flatten()
        .flatten();
    let sockets = folder.filter_map(|entry| {
        let target = fs::read_link(entry.path()).ok()?;
        let listed = target
            .to_str()?
            .strip_prefix("socket:[")?
            .strip_suffix(']')?;
        let number: RawFd = entry.file_name().to_str()?.parse().ok()?;
        Some((number, listed.parse().ok()?))
    });
    sockets.filter(|(number, _)| *number > 2).collect()
}

/// Closes the sockets that whoever started this program left open. To be called before anything else is opened.
pub fn close_inherited() {
    let wayland = std::env::var(WAYLAND)
        .ok()
        .and_then(|text| text.parse().ok());
    for (number, _) in open() {
        if Some(number) != wayland {
            log::info!("a socket that was inherited is closed: descriptor {number}");
            let _ = nix::unistd::close(number);
        }
    }
}

/// Ends connections to message buses and sound servers; how many.
pub fn hang_up() -> usize {
    let numbers = open().into_iter().map(|(number, _)| number);
    let buses = numbers.filter(|number| {
        peer(*number).is_some_and(|name| BUSES.iter().any(|bus| name.contains(bus)))
    });
    buses
        .filter(|number| shutdown(*number, Shutdown::Both).is_ok())
        .count()
}

/// The name of the Unix socket that this one is connected with.
fn peer(number: RawFd) -> Option<String> {
    let name = getpeername::<UnixAddr>(number).ok()?;
    let path = name.path().map(|path| path.to_string_lossy().into_owned());
    let named = || Some(String::from_utf8_lossy(name.as_abstract()?).into_owned());
    path.or_else(named)
}

/// What this process could speak with now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Whom internet sockets are connected with.
    pub connected: Vec<String>,
    /// Internet sockets that are connected with nobody, and packet sockets: those could reach anybody.
    pub loose: usize,
    /// Names of the Unix sockets that others listen on.
    pub local: Vec<String>,
}

/// Looks through the open descriptors.
#[must_use]
pub fn held() -> Held {
    let table = |file: &str| fs::read_to_string(format!("/proc/net/{file}")).unwrap_or_default();
    let mut loose: Vec<u64> = Vec::new();
    for file in ["udp", "udp6", "raw", "raw6", "icmp", "icmp6"] {
        loose.extend(listed(&table(file), |_| true));
    }
    for file in ["tcp", "tcp6"] {
        loose.extend(listed(&table(file), |state| state == LISTENS));
    }
    let mut held = Held::default();
    for (number, inode) in open() {
        if loose.contains(&inode) {
            held.loose += 1;
            continue;
        }
        match getsockname::<SockaddrStorage>(number).map(|own| own.family()) {
            Ok(Some(AddressFamily::Inet | AddressFamily::Inet6)) => {
                // One on its way to somebody, or that failed, has no peer: whom it goes to the broker has chosen.
                let peer = getpeername::<SockaddrStorage>(number);
                held.connected.extend(peer.map(|peer| peer.to_string()));
            }
            Ok(Some(AddressFamily::Packet)) => held.loose += 1,
            Ok(Some(AddressFamily::Unix)) => held.local.extend(peer(number)),
            _ => {}
        }
    }
    held
}

/// A TCP socket that waits to be called (TCP_LISTEN).
const LISTENS: &str = "0A";

/// The numbers of sockets in a table of `/proc/net`, whose fourth column is the state and whose tenth the number.
fn listed(table: &str, wanted: impl Fn(&str) -> bool) -> Vec<u64> {
    let row = |line: &str| {
        let columns: Vec<&str> = line.split_ascii_whitespace().collect();
        let (state, number) = (*columns.get(3)?, *columns.get(9)?);
        number.parse().ok().filter(|_| wanted(state))
    };
    table.lines().skip(1).filter_map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream, UdpSocket};

    #[test]
    fn what_could_reach_anybody_is_told_from_what_is_connected() {
        let before = held();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let stream = TcpStream::connect(address).unwrap();
        let now = held();
        // Other tests of this process have sockets of their own.
        assert!(now.connected.contains(&address.to_string()));
        assert!(now.loose >= 2 && now.loose + 64 > before.loose);
        drop((stream, udp));
        let table = "head\n 0: 0100007F:1F90 00000000:0000 0A 0:0 0:0 0 0 0 4711 1\n 1: x y 01 0:0 0:0 0 0 0 4712 1\nshort\n";
        assert_eq!(listed(table, |state| state == LISTENS), [4711]);
        assert_eq!(listed(table, |_| true), [4711, 4712]);
    }
}
