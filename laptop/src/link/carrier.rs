//! Carriers: ways for a handheld's bytes to reach this laptop.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};

/// Kinds of carrier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// TCP that only this machine reaches.
    Loopback,
    /// TCP over whatever network the laptop is on.
    Tcp,
    /// TCP over the laptop's own Wi-Fi Direct group.
    WifiDirect,
    /// TCP over a USB cable.
    Usb,
}

impl Kind {
    /// The name that `Welcome` and the connection screen say.
    pub fn name(self) -> &'static str {
        match self {
            Self::Loopback => "loopback",
            Self::Tcp => "tcp",
            Self::WifiDirect => "wifi-direct",
            Self::Usb => "usb",
        }
    }
}

/// A carrier that is ready.
#[derive(Debug)]
pub struct Carrier {
    /// Its kind.
    pub kind: Kind,
    /// Where it listens.
    pub address: SocketAddr,
    /// The interface that it is bound to; `None` where only the address decides.
    pub interface: Option<String>,
    /// The listening socket.
    pub listener: TcpListener,
}

/// Why a carrier is not ready.
#[derive(Debug)]
pub enum CarrierError {
    /// There is no such carrier, or not for this address.
    Unknown(String),
    /// The system refused the address.
    Bind(SocketAddr, io::Error),
}

impl fmt::Display for CarrierError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(name) => write!(
                f,
                "there is no carrier {} for an address; there are loopback, for an address of this machine alone, and \
                 tcp. Wi-Fi Direct and USB come beside either, with --wifi-direct and --usb",
                crate::sanitize::visible(name)
            ),
            Self::Bind(address, error) if error.kind() == io::ErrorKind::AddrInUse => write!(
                f,
                "{address} is in use by another program; change networking.bind_port in daemon.toml, or end that program"
            ),
            Self::Bind(address, error) if error.kind() == io::ErrorKind::AddrNotAvailable => {
                write!(
                    f,
                    "this machine has no address {}; change networking.bind_address in daemon.toml",
                    address.ip()
                )
            }
            Self::Bind(address, error) => write!(f, "cannot listen on {address}: {error}"),
        }
    }
}

impl std::error::Error for CarrierError {}

impl Carrier {
    /// Opens the carrier `name`, or the one that fits `address` where no name is given.
    ///
    /// # Errors
    /// [`CarrierError`].
    pub fn open(name: Option<&str>, address: IpAddr, port: u16) -> Result<Self, CarrierError> {
        let kind = match name {
            None if address.is_loopback() => Kind::Loopback,
            Some("loopback") if address.is_loopback() => Kind::Loopback,
            None | Some("tcp") => Kind::Tcp,
            Some(other) => return Err(CarrierError::Unknown(other.to_owned())),
        };
        let wanted = SocketAddr::new(address, port);
        let failed = |error| CarrierError::Bind(wanted, error);
        let listener = TcpListener::bind(wanted).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self {
            kind,
            address,
            interface: None,
            listener,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_decides_the_kind() {
        let loopback = Carrier::open(None, IpAddr::from([127, 0, 0, 1]), 0).expect("a carrier");
        assert_eq!(loopback.kind, Kind::Loopback);
        assert_ne!(loopback.address.port(), 0);
        let tcp = Carrier::open(None, IpAddr::from([0, 0, 0, 0]), 0).expect("a carrier");
        assert_eq!(tcp.kind.name(), "tcp");
    }

    #[test]
    fn what_is_no_carrier_of_an_address_is_refused_by_name() {
        let anywhere = IpAddr::from([0, 0, 0, 0]);
        for (name, address) in [
            ("wifi-direct", anywhere),
            ("usb", anywhere),
            ("loopback", anywhere),
            ("pigeon\n", IpAddr::from([127, 0, 0, 1])),
        ] {
            let error = Carrier::open(Some(name), address, 0).expect_err("refused");
            let start = format!("there is no carrier {} for", name.replace('\n', "\\u{a}"));
            assert!(error.to_string().starts_with(&start), "{error}");
        }
    }

    #[test]
    fn a_taken_port_says_what_to_do() {
        let first = Carrier::open(None, IpAddr::from([127, 0, 0, 1]), 0).expect("a carrier");
        let error =
            Carrier::open(None, first.address.ip(), first.address.port()).expect_err("taken");
        assert!(
            error.to_string().contains("change networking.bind_port"),
            "{error}"
        );
    }
}
