//! What link-service and the daemon say to each other: listening sockets one way, the pairing window the other.
//!
//! One message is one packet of JSON. [`News::Listening`] brings exactly one descriptor, that of a TCP socket that
//! listens where the message says; no other message brings any.

use super::network::Network;
use super::packet::{Packet, PacketSocket};
use super::{Carrier, Kind};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd, OwnedFd};

/// Longest name of a network interface, in octets (`IFNAMSIZ` less its zero, if.h).
const MAX_INTERFACE_LEN: usize = 15;
/// Longest words of a trouble, in octets; longer ones are cut.
const MAX_WORDS_LEN: usize = 1024;
/// Longest pairing window, in seconds.
pub(super) const MAX_WINDOW_S: u32 = 600;

/// What link-service tells the daemon.
#[derive(Debug)]
pub enum News {
    /// A carrier is ready.
    Listening {
        /// Its number, which no other carrier of this link-service ever has.
        id: u32,
        /// The carrier, with its listening socket.
        carrier: Carrier,
    },
    /// A carrier has gone.
    Gone {
        /// Its number.
        id: u32,
    },
    /// The laptop's own radio network as it is from now on; `None` while there is none.
    Radio(Option<Network>),
    /// What keeps the radio down, in words for the owner; `None` when nothing does any more.
    Trouble(Option<String>),
}

/// What the daemon tells link-service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Wish {
    /// The pairing window stays open for so long; zero closes it.
    Window {
        /// At most [`MAX_WINDOW_S`].
        seconds: u32,
    },
}

/// [`News`] without its socket.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum Told {
    Listening {
        id: u32,
        kind: Kind,
        address: SocketAddr,
        interface: Option<String>,
    },
    Gone {
        id: u32,
    },
    Radio(Option<Network>),
    Trouble(Option<String>),
}

/// Why a message did not get through. The other side is named by whoever shows it.
#[derive(Debug)]
pub enum HandoverError {
    /// The conversation failed.
    Io(io::Error),
    /// The other side ended it.
    Ended,
    /// What came is no message of the other side.
    Malformed(&'static str),
}

impl fmt::Display for HandoverError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "{error}"),
            Self::Ended => f.write_str("it ended the conversation"),
            Self::Malformed(what) => {
                write!(
                    f,
                    "it sent {what}; install link-service and laptop-daemon of one version"
                )
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

/// Tells the daemon that a carrier is ready, and passes its listening socket.
///
/// # Errors
/// What the socket said.
pub(super) fn offer(
    daemon: &PacketSocket,
    id: u32,
    carrier: &Carrier,
) -> Result<(), HandoverError> {
    let told = Told::Listening {
        id,
        kind: carrier.kind,
        address: carrier.address,
        interface: carrier.interface.clone(),
    };
    Ok(daemon.send(&encode(&told)?, Some(carrier.listener.as_fd()))?)
}

/// Tells the daemon that a carrier has gone.
///
/// # Errors
/// What the socket said.
pub(super) fn withdraw(daemon: &PacketSocket, id: u32) -> Result<(), HandoverError> {
    Ok(daemon.send(&encode(&Told::Gone { id })?, None)?)
}

/// Tells the daemon about the radio network.
///
/// # Errors
/// What the socket said.
pub(super) fn radio(daemon: &PacketSocket, network: Option<Network>) -> Result<(), HandoverError> {
    Ok(daemon.send(&encode(&Told::Radio(network))?, None)?)
}

/// Tells the daemon what keeps the radio down.
///
/// # Errors
/// What the socket said.
pub(super) fn trouble(daemon: &PacketSocket, words: Option<&str>) -> Result<(), HandoverError> {
    // A control character is six octets in JSON, with which a message would be too long; nobody can read it anyway.
    let words = words.map(|words| {
        shared_proto::message::clip(words, MAX_WORDS_LEN)
            .replace(|character: char| character.is_control(), " ")
    });
    Ok(daemon.send(&encode(&Told::Trouble(words))?, None)?)
}

/// Tells link-service what the daemon wants.
///
/// # Errors
/// What the socket said.
pub fn wish(service: &PacketSocket, wish: Wish) -> Result<(), HandoverError> {
    Ok(service.send(&encode(&wish)?, None)?)
}

/// Waits for what link-service has to say.
///
/// # Errors
/// [`HandoverError::Malformed`] for anything but [`News`], and for a carrier without its listening TCP socket.
pub fn hear(service: &PacketSocket) -> Result<News, HandoverError> {
    let packet = service.receive()?;
    let told: Told = decode(&packet)?;
    let mut descriptors = packet.descriptors.into_iter();
    let (socket, rest) = (descriptors.next(), descriptors.next());
    match (told, socket, rest) {
        (
            Told::Listening {
                id,
                kind,
                address,
                interface,
            },
            Some(socket),
            None,
        ) => {
            if !interface.as_deref().is_none_or(is_interface) {
                return Err(HandoverError::Malformed("a carrier on no interface"));
            }
            let carrier = Carrier {
                kind,
                address,
                interface,
                listener: listening(socket, address)?,
            };
            Ok(News::Listening { id, carrier })
        }
        (Told::Listening { .. }, ..) => {
            Err(HandoverError::Malformed("a carrier without its one socket"))
        }
        (_, Some(_), _) => Err(HandoverError::Malformed("a socket that belongs to nothing")),
        (Told::Gone { id }, ..) => Ok(News::Gone { id }),
        (Told::Radio(network), ..) => match network {
            Some(network) if !network.is_sound() => {
                Err(HandoverError::Malformed("a network that cannot be"))
            }
            network => Ok(News::Radio(network)),
        },
        (Told::Trouble(words), ..) => Ok(News::Trouble(words)),
    }
}

/// Waits for what the daemon wants.
///
/// # Errors
/// [`HandoverError::Malformed`] for anything but a [`Wish`].
pub(super) fn heed(daemon: &PacketSocket) -> Result<Wish, HandoverError> {
    let packet = daemon.receive()?;
    let wish = decode(&packet)?;
    if !packet.descriptors.is_empty() {
        return Err(HandoverError::Malformed("a socket that belongs to nothing"));
    }
    match wish {
        Wish::Window { seconds } if seconds > MAX_WINDOW_S => {
            Err(HandoverError::Malformed("a pairing window without end"))
        }
        wish => Ok(wish),
    }
}

fn encode(message: &impl Serialize) -> Result<Vec<u8>, HandoverError> {
    Ok(serde_json::to_vec(message).map_err(io::Error::from)?)
}

fn decode<T: DeserializeOwned>(packet: &Packet) -> Result<T, HandoverError> {
    if !packet.whole {
        return Err(HandoverError::Malformed("a message that is too long"));
    }
    if packet.bytes.is_empty() {
        return Err(HandoverError::Ended);
    }
    serde_json::from_slice(&packet.bytes)
        .map_err(|_| HandoverError::Malformed("something that is no message"))
}

fn listening(socket: OwnedFd, address: SocketAddr) -> Result<TcpListener, HandoverError> {
    let listens = nix::sys::socket::getsockopt(&socket, nix::sys::socket::sockopt::AcceptConn);
    let listener = TcpListener::from(socket);
    match (listens, listener.local_addr()) {
        (Ok(true), Ok(own)) if own == address => Ok(listener),
        _ => Err(HandoverError::Malformed(
            "a socket that does not listen where it should",
        )),
    }
}

/// Whether the kernel could have an interface of this name (dev_valid_name in net/core/dev.c).
fn is_interface(name: &str) -> bool {
    (1..=MAX_INTERFACE_LEN).contains(&name.len())
        && name != "."
        && name != ".."
        && name
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'/' | b':'))
}

#[cfg(test)]
pub(crate) mod testing {
    use super::{Carrier, HandoverError, Network, PacketSocket, Wish};

    /// link-service's side of a conversation.
    pub(crate) struct Service(pub(crate) PacketSocket);

    impl Service {
        pub(crate) fn offer(&self, id: u32, carrier: &Carrier) {
            super::offer(&self.0, id, carrier).expect("sent");
        }

        pub(crate) fn withdraw(&self, id: u32) {
            super::withdraw(&self.0, id).expect("sent");
        }

        pub(crate) fn radio(&self, network: Option<Network>) {
            super::radio(&self.0, network).expect("sent");
        }

        pub(crate) fn trouble(&self, words: Option<&str>) {
            super::trouble(&self.0, words).expect("sent");
        }

        pub(crate) fn heed(&self) -> Result<Wish, HandoverError> {
            super::heed(&self.0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::network::testing::network;
    use super::*;
    use proptest::prelude::*;
    use std::net::{IpAddr, TcpStream};

    fn carrier() -> Carrier {
        Carrier::open(None, IpAddr::from([127, 0, 0, 1]), 0).expect("a carrier")
    }

    fn malformed(packet: &[u8], socket: Option<&TcpListener>) -> &'static str {
        let (service, daemon) = PacketSocket::pair();
        service.send(packet, socket.map(AsFd::as_fd)).expect("sent");
        match hear(&daemon) {
            Err(HandoverError::Malformed(what)) => what,
            other => panic!("taken: {other:?}"),
        }
    }

    #[test]
    fn the_passed_socket_accepts_what_connects_to_the_carrier() {
        let (service, daemon) = PacketSocket::pair();
        let mut carrier = carrier();
        carrier.interface = Some("p2p-wlan0-0".into());
        offer(&service, 7, &carrier).expect("sent");
        let News::Listening { id, carrier: heard } = hear(&daemon).expect("heard") else {
            panic!("something else");
        };
        assert_eq!(
            (id, heard.kind, heard.address),
            (7, Kind::Loopback, carrier.address)
        );
        assert_eq!(heard.interface.as_deref(), Some("p2p-wlan0-0"));
        let client = TcpStream::connect(carrier.address).expect("connected");
        let (_, peer) = heard.listener.accept().expect("accepted");
        assert_eq!(peer, client.local_addr().expect("an address"));
    }

    #[test]
    fn the_rest_of_the_news_and_the_wishes_arrive_as_they_were_said() {
        let (service, daemon) = PacketSocket::pair();
        withdraw(&service, 3).expect("sent");
        assert!(matches!(hear(&daemon), Ok(News::Gone { id: 3 })));
        for said in [Some(network()), None] {
            radio(&service, said.clone()).expect("sent");
            assert!(matches!(hear(&daemon), Ok(News::Radio(heard)) if heard == said));
        }
        trouble(&service, Some(&"é".repeat(MAX_WORDS_LEN))).expect("sent");
        assert!(
            matches!(hear(&daemon), Ok(News::Trouble(Some(words))) if words.len() == MAX_WORDS_LEN)
        );
        trouble(&service, Some(&"\u{1}".repeat(MAX_WORDS_LEN))).expect("sent");
        assert!(matches!(hear(&daemon), Ok(News::Trouble(Some(words))) if words.trim().is_empty()));
        trouble(&service, Some(&"\"".repeat(MAX_WORDS_LEN))).expect("sent");
        assert!(matches!(hear(&daemon), Ok(News::Trouble(Some(_)))));
        trouble(&service, None).expect("sent");
        assert!(matches!(hear(&daemon), Ok(News::Trouble(None))));
        let window = Wish::Window { seconds: 120 };
        wish(&daemon, window).expect("sent");
        assert_eq!(heed(&service).expect("heard"), window);
    }

    #[test]
    fn a_carrier_needs_exactly_its_own_listening_socket() {
        let carrier = carrier();
        let other = Carrier::open(None, carrier.address.ip(), 0).expect("another");
        let told = |interface: &str| {
            format!(
                r#"{{"listening":{{"id":1,"kind":"loopback","address":"{}","interface":{interface}}}}}"#,
                carrier.address
            )
            .into_bytes()
        };
        assert_eq!(
            malformed(&told("null"), None),
            "a carrier without its one socket"
        );
        assert_eq!(
            malformed(&told("null"), Some(&other.listener)),
            "a socket that does not listen where it should"
        );
        let connected = TcpStream::connect(carrier.address).expect("connected");
        let false_socket = TcpListener::from(OwnedFd::from(connected));
        assert_eq!(
            malformed(&told("null"), Some(&false_socket)),
            "a socket that does not listen where it should"
        );
        for name in ["", "..", "a b", "a/b", "0123456789abcdef", "a\\u001bb"] {
            assert_eq!(
                malformed(&told(&format!("\"{name}\"")), Some(&carrier.listener)),
                "a carrier on no interface",
                "{name}"
            );
        }
    }

    #[test]
    fn what_is_no_message_is_named() {
        let socket = carrier().listener;
        let long = vec![b' '; super::super::packet::MAX_MESSAGE_LEN + 1];
        assert_eq!(malformed(&long, None), "a message that is too long");
        assert_eq!(malformed(b"{", None), "something that is no message");
        assert_eq!(
            malformed(br#"{"gone":{"id":1,"more":2}}"#, None),
            "something that is no message"
        );
        assert_eq!(
            malformed(br#"{"gone":{"id":1}}"#, Some(&socket)),
            "a socket that belongs to nothing"
        );
        let short = br#"{"radio":{"ssid":[],"passphrase":"12345678","frequency":0,"port":1}}"#;
        assert_eq!(malformed(short, None), "a network that cannot be");
        let (service, daemon) = PacketSocket::pair();
        daemon
            .send(br#"{"window":{"seconds":4000000}}"#, None)
            .expect("sent");
        assert!(matches!(
            heed(&service),
            Err(HandoverError::Malformed("a pairing window without end"))
        ));
    }

    #[test]
    fn an_ended_conversation_is_an_error_of_its_own() {
        let (service, daemon) = PacketSocket::pair();
        drop(service);
        assert!(matches!(hear(&daemon), Err(HandoverError::Ended)));
        let (service, daemon) = PacketSocket::pair();
        drop(daemon);
        assert!(matches!(heed(&service), Err(HandoverError::Ended)));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn no_octets_do_harm(bytes in proptest::collection::vec(any::<u8>(), 1..600)) {
            let (service, daemon) = PacketSocket::pair();
            service.send(&bytes, None).expect("sent");
            prop_assert!(matches!(hear(&daemon), Err(HandoverError::Malformed(_))));
            daemon.send(&bytes, None).expect("sent");
            prop_assert!(matches!(heed(&service), Err(HandoverError::Malformed(_))));
        }
    }
}
