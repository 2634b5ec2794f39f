//! The group's network interface: what the kernel is told about it, and the socket that listens on it.

use super::check;
use super::trouble::Trouble;
use nix::sys::socket::{
    AddressFamily, Backlog, SockFlag, SockType, SockaddrIn6, bind, listen, setsockopt, socket,
    sockopt,
};
use std::ffi::OsString;
use std::fs;
use std::io;
use std::net::{Ipv6Addr, SocketAddrV6, TcpListener};
use std::path::Path;

/// Sets what belongs to a link without a router, as far as this user may. An address from the hardware address at once,
/// without the second that looking for a duplicate takes; and no routes from whoever joins. Returns what stays as it is.
pub(super) fn settle(root: &Path, interface: &str) -> Vec<&'static str> {
    let folder = root.join("proc/sys/net/ipv6/conf").join(interface);
    let mut refused = Vec::new();
    // Off and on again at the end, so that the address is made under the new settings.
    for (name, value) in [
        ("accept_ra", "0"),
        ("autoconf", "0"),
        ("addr_gen_mode", "0"),
        ("dad_transmits", "0"),
        ("disable_ipv6", "1"),
        ("disable_ipv6", "0"),
    ] {
        if let Err(error) = fs::write(folder.join(name), value) {
            log::debug!("link-service: {name} of {interface} stays as it is: {error}");
            refused.push(name);
        }
    }
    refused
}

/// Opens a listening socket that only `interface` reaches.
///
/// # Errors
/// What is in the way.
pub(super) fn open(root: &Path, interface: &str, port: u16) -> Result<TcpListener, Trouble> {
    if check::ipv6_off(root) {
        return Err(Trouble::NoIpv6);
    }
    bound(interface, port)
        .map_err(|error| Trouble::NoPort(port, io::Error::from(error).to_string()))
}

fn bound(interface: &str, port: u16) -> nix::Result<TcpListener> {
    let descriptor = socket(
        AddressFamily::Inet6,
        SockType::Stream,
        SockFlag::SOCK_CLOEXEC,
        None,
    )?;
    setsockopt(&descriptor, sockopt::Ipv6V6Only, &true)?;
    setsockopt(&descriptor, sockopt::ReuseAddr, &true)?;
    // Before the port is taken: a socket that is bound to no interface is for anybody to bind to one (Linux 5.7).
    setsockopt(
        &descriptor,
        sockopt::BindToDevice,
        &OsString::from(interface),
    )?;
    let address = SockaddrIn6::from(SocketAddrV6::new(Ipv6Addr::UNSPECIFIED, port, 0, 0));
    bind(std::os::fd::AsRawFd::as_raw_fd(&descriptor), &address)?;
    listen(&descriptor, Backlog::new(128)?)?;
    Ok(TcpListener::from(descriptor))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::radio::world::tests::Laptop;
    use std::net::TcpStream;
    use std::time::Duration;

    #[test]
    fn only_the_named_interface_reaches_the_socket() {
        let Ok(listener) = open(Path::new("/"), "lo", 0) else {
            // A machine without IPv6 or without the right to bind to an interface.
            return;
        };
        let port = listener.local_addr().expect("an address").port();
        let address = (Ipv6Addr::LOCALHOST, port).into();
        TcpStream::connect_timeout(&address, Duration::from_secs(5)).expect("over lo");
        let name = nix::sys::socket::getsockopt(&listener, sockopt::BindToDevice).expect("a name");
        assert!(name.to_string_lossy().starts_with("lo"));
    }

    #[test]
    fn an_interface_that_is_not_there_is_trouble() {
        let trouble = open(Path::new("/"), "no-such-if", 0).expect_err("nothing to bind to");
        assert!(
            matches!(trouble, Trouble::NoPort(0, _) | Trouble::NoIpv6),
            "{trouble}"
        );
    }

    #[test]
    fn a_kernel_without_ipv6_is_named() {
        let laptop = Laptop::new("ipv6");
        laptop.file("proc/sys/net/ipv6/conf/all/disable_ipv6", "1\n");
        laptop.file("proc/sys/net/ipv6/conf/default/disable_ipv6", "0\n");
        assert_eq!(open(&laptop.0, "lo", 0).expect_err("off"), Trouble::NoIpv6);
    }

    #[test]
    fn the_interface_is_set_and_switched_on_again() {
        let laptop = Laptop::new("settle");
        for name in [
            "accept_ra",
            "autoconf",
            "addr_gen_mode",
            "dad_transmits",
            "disable_ipv6",
        ] {
            laptop.file(&format!("proc/sys/net/ipv6/conf/p2p-wlan0-0/{name}"), "9");
        }
        assert!(settle(&laptop.0, "p2p-wlan0-0").is_empty());
        for name in ["accept_ra", "dad_transmits", "disable_ipv6"] {
            let file = laptop
                .0
                .join(format!("proc/sys/net/ipv6/conf/p2p-wlan0-0/{name}"));
            assert_eq!(fs::read_to_string(file).expect("a value"), "0");
        }
    }

    #[test]
    fn one_setting_that_is_refused_keeps_no_other_from_being_made() {
        let laptop = Laptop::new("refused");
        let folder = "proc/sys/net/ipv6/conf/p2p-wlan0-0";
        // Nobody can write to a folder, root included.
        laptop.file(&format!("{folder}/dad_transmits/x"), "");
        laptop.file(&format!("{folder}/accept_ra"), "1");
        laptop.file(&format!("{folder}/addr_gen_mode/x"), "");
        assert_eq!(
            settle(&laptop.0, "p2p-wlan0-0"),
            ["addr_gen_mode", "dad_transmits"]
        );
        let read = |name: &str| fs::read_to_string(laptop.0.join(folder).join(name)).expect("one");
        assert_eq!(
            (read("accept_ra"), read("autoconf")),
            ("0".into(), "0".into())
        );
    }
}
