//! Whom the app may be connected with: a laptop on a link of this machine, and nobody behind a router.

use std::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6};

use crate::broker::wire::Far;
use crate::broker::{PORT, Settings};

/// Ports below this one are the system's: name servers, web pages of routers, remote shells. No laptop of ours listens there.
const FIRST_PORT: u16 = 1024;

/// A network that is larger than this is no link.
const SHORTEST_PREFIX: u8 = 8;

/// An address of this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Own {
    /// Address.
    pub address: IpAddr,
    /// Bits that the other addresses of its link share with it.
    pub prefix: u8,
}

/// An interface.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interface {
    /// Name.
    pub name: String,
    /// Number.
    pub index: u32,
    /// Its addresses.
    pub own: Vec<Own>,
}

/// The machine as far as it matters here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Machine {
    /// Interfaces.
    pub interfaces: Vec<Interface>,
    /// Routers that it knows.
    pub routers: Vec<IpAddr>,
}

/// How the connection is to be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// The only interface that may carry it; none on this machine itself.
    pub interface: Option<String>,
    /// Address, with the interface's number where it needs one.
    pub address: SocketAddr,
}

/// The verdict on one wish.
///
/// # Errors
/// It may not be: a sentence for the connection screen.
pub fn judge(far: &Far, machine: &Machine, settings: &Settings) -> Result<Way, String> {
    match far {
        Far::Link {
            interface,
            address,
            port,
        } => {
            let known = machine.interfaces.iter().find(|one| one.name == *interface);
            let known = known.ok_or("That interface is gone.")?;
            is_listening_port(*port)?;
            linked(known, *address, *port)
        }
        Far::Typed(address) => typed(canonical(*address), machine, settings),
    }
}

fn typed(far: SocketAddr, machine: &Machine, settings: &Settings) -> Result<Way, String> {
    let told = settings.told.map(canonical) == Some(far);
    if far.ip().is_loopback() {
        return match settings.loopback || told {
            true => Ok(Way {
                interface: None,
                address: far,
            }),
            false => Err("That address is this device itself, not a laptop.".into()),
        };
    }
    if !told {
        is_listening_port(far.port())?;
    }
    if let SocketAddr::V6(far) = far
        && far.ip().is_unicast_link_local()
    {
        let known = machine
            .interfaces
            .iter()
            .find(|one| one.index == far.scope_id());
        let known = known.ok_or(
            "An address that begins with fe80 needs the interface's number behind it, as in [fe80::1%3]:8144.",
        )?;
        return linked(known, *far.ip(), far.port());
    }
    if !is_unicast(far.ip()) {
        return Err("That is no address of a single laptop.".into());
    }
    let reaches = |one: &&Interface| one.own.iter().any(|own| is_on_link(*own, far.ip()));
    let Some(interface) = machine.interfaces.iter().find(reaches) else {
        return Err(format!(
            "{} is not on a link of this device. Nothing here is sent through a router, so only a laptop that is directly connected can be reached.",
            far.ip()
        ));
    };
    // A laptop's own hotspot is the router of what joins it, so the laptop's port stays open there, and no other.
    if machine.routers.contains(&far.ip()) && far.port() != PORT && !told {
        return Err(format!(
            "{} is a router. Only port {PORT} may be reached there, for a laptop that opens the network itself.",
            far.ip()
        ));
    }
    Ok(Way {
        interface: Some(interface.name.clone()),
        address: far,
    })
}

fn linked(interface: &Interface, address: Ipv6Addr, port: u16) -> Result<Way, String> {
    if !address.is_unicast_link_local() || interface.index == 0 {
        return Err("A laptop on a link has an address that begins with fe80.".into());
    }
    Ok(Way {
        interface: Some(interface.name.clone()),
        address: SocketAddr::V6(SocketAddrV6::new(address, port, 0, interface.index)),
    })
}

fn is_listening_port(port: u16) -> Result<(), String> {
    match port >= FIRST_PORT {
        true => Ok(()),
        false => Err(format!(
            "Port {port} belongs to the system; OfficeOS listens on {PORT} or another above {FIRST_PORT}."
        )),
    }
}

/// An IPv4 address in IPv6's clothes is one of IPv4.
fn canonical(address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V6(six) if six.ip().to_ipv4_mapped().is_some() => {
            SocketAddr::new(address.ip().to_canonical(), address.port())
        }
        other => other,
    }
}

fn is_unicast(address: IpAddr) -> bool {
    let everybody =
        matches!(address, IpAddr::V4(four) if four.is_broadcast() || four.octets()[0] == 0);
    !(address.is_multicast() || address.is_unspecified() || everybody)
}

/// Whether a neighbour of this own address can have that one.
fn is_on_link(own: Own, far: IpAddr) -> bool {
    if own.prefix < SHORTEST_PREFIX {
        return false;
    }
    match (own.address, far) {
        (IpAddr::V4(own_at), IpAddr::V4(far)) if own.prefix <= 32 => {
            let mask = u32::MAX
                .checked_shl(32 - u32::from(own.prefix))
                .unwrap_or(0);
            let (own_at, far) = (own_at.to_bits(), far.to_bits());
            // The last address of a network is everybody in it.
            let all = own.prefix < 31 && far == own_at | !mask;
            own_at & mask == far & mask && !all
        }
        (IpAddr::V6(own_at), IpAddr::V6(far)) if own.prefix <= 128 => {
            let mask = u128::MAX
                .checked_shl(128 - u32::from(own.prefix))
                .unwrap_or(0);
            own_at.to_bits() & mask == far.to_bits() & mask
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn own(address: &str, prefix: u8) -> Own {
        let address = address.parse().unwrap();
        Own { address, prefix }
    }

    fn machine() -> Machine {
        let interface = |name: &str, index, own| Interface {
            name: name.into(),
            index,
            own,
        };
        Machine {
            interfaces: vec![
                interface("lo", 1, vec![own("127.0.0.1", 8), own("::1", 128)]),
                interface(
                    "wlan0",
                    3,
                    vec![own("192.168.1.20", 24), own("fe80::2", 64)],
                ),
                interface(
                    "usb0",
                    4,
                    vec![own("10.55.0.2", 30), own("2001:db8::2", 64)],
                ),
                interface("tun0", 5, vec![own("100.64.0.1", 0)]),
            ],
            routers: vec!["192.168.1.1".parse().unwrap()],
        }
    }

    fn typed(text: &str, settings: &Settings) -> Result<Way, String> {
        judge(&Far::Typed(text.parse().unwrap()), &machine(), settings)
    }

    #[test]
    fn only_what_is_on_a_link_is_reached_and_over_that_link_alone() {
        let none = Settings::default();
        for (text, interface) in [
            ("192.168.1.77:8144", "wlan0"),
            ("192.168.1.77:31000", "wlan0"),
            ("10.55.0.1:8144", "usb0"),
            ("[2001:db8::1]:8144", "usb0"),
            ("[::ffff:192.168.1.77]:8144", "wlan0"),
            ("[fe80::1%3]:8144", "wlan0"),
            // A laptop's hotspot is the router of those that join it.
            ("192.168.1.1:8144", "wlan0"),
        ] {
            let way = typed(text, &none).unwrap();
            assert_eq!(way.interface.as_deref(), Some(interface), "{text}");
        }
        for (text, word) in [
            ("93.184.216.34:8144", "router"),
            ("[2606:2800::1]:8144", "router"),
            ("[2001:db8:0:1::1]:8144", "router"),
            ("100.64.0.9:8144", "router"),
            ("192.168.1.1:8080", "is a router"),
            ("192.168.1.1:53", "belongs to the system"),
            ("192.168.1.77:443", "belongs to the system"),
            ("[::ffff:93.184.216.34]:8144", "router"),
            ("[fe80::1]:8144", "number"),
            ("[fe80::1%9]:8144", "number"),
            ("[ff02::1]:8144", "no address of a single"),
            ("224.0.0.1:8144", "no address of a single"),
            ("255.255.255.255:8144", "no address of a single"),
            ("0.0.0.0:8144", "no address of a single"),
            ("[::]:8144", "no address of a single"),
            ("192.168.1.255:8144", "router"),
            ("127.0.0.1:8144", "this device itself"),
            ("[::1]:8144", "this device itself"),
            ("[::ffff:127.0.0.1]:8144", "this device itself"),
        ] {
            let why = typed(text, &none).unwrap_err();
            assert!(why.contains(word), "{text}: {why}");
        }
    }

    #[test]
    fn the_command_line_opens_this_machine_and_one_address_on_a_link() {
        let desktop = Settings {
            loopback: true,
            ..Settings::default()
        };
        assert_eq!(typed("127.0.0.1:80", &desktop).unwrap().interface, None);
        let told = |text: &str| Settings {
            told: Some(text.parse().unwrap()),
            ..Settings::default()
        };
        assert!(typed("127.0.0.1:8144", &told("127.0.0.1:8144")).is_ok());
        assert!(typed("127.0.0.1:8145", &told("127.0.0.1:8144")).is_err());
        assert!(typed("192.168.1.1:9000", &told("192.168.1.1:9000")).is_ok());
        // The command line makes no way through a router.
        assert!(typed("93.184.216.34:8144", &told("93.184.216.34:8144")).is_err());
    }

    #[test]
    fn a_link_carries_link_local_addresses_alone() {
        let link = |interface: &str, address: &str, port| Far::Link {
            interface: interface.into(),
            address: address.parse().unwrap(),
            port,
        };
        let judged = |far: &Far| judge(far, &machine(), &Settings::default());
        let way = judged(&link("wlan0", "fe80::1", 8144)).unwrap();
        assert_eq!(way.address.to_string(), "[fe80::1%3]:8144");
        for bad in [
            link("wlan9", "fe80::1", 8144),
            link("wlan0", "2001:db8::1", 8144),
            link("wlan0", "::1", 8144),
            link("wlan0", "ff02::1", 8144),
            link("wlan0", "::ffff:1.2.3.4", 8144),
            link("wlan0", "fe80::1", 53),
        ] {
            assert!(judged(&bad).is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_asked_for_a_way_leads_to_a_neighbour(four in any::<[u8; 4]>(), six in any::<[u8; 16]>(), port in any::<u16>(),
            like in 0usize..5, scope in 0u32..7)
        {
            let near = [[192, 168, 1], [10, 55, 0], [127, 0, 0], [100, 64, 0]].get(like);
            let four = near.map_or(four, |near| [near[0], near[1], near[2], four[3]]);
            let six = SocketAddrV6::new(six.into(), port, 0, scope);
            for far in [SocketAddr::from((four, port)), SocketAddr::V6(six)] {
                let Ok(way) = judge(&Far::Typed(far), &machine(), &Settings::default()) else { continue };
                prop_assert!(port >= FIRST_PORT);
                prop_assert!(!way.address.ip().is_loopback() && !way.address.ip().is_multicast());
                let interface = way.interface.unwrap();
                let link_local = matches!(way.address.ip(), IpAddr::V6(six) if six.is_unicast_link_local());
                let own = machine().interfaces.into_iter().find(|one| one.name == interface).unwrap().own;
                prop_assert!(link_local || own.iter().any(|own| is_on_link(*own, way.address.ip())));
            }
        }
    }
}
