//! What app and broker say to each other: postcard, one value a message, nothing behind it.
//!
//! Both ends run the same program, so there is no version. Lengths are bounded by the line
//! ([`MAX_LEN`](super::line::MAX_LEN)) before a value is looked at, and nothing here is longer in memory than on the line.

use std::net::{Ipv6Addr, SocketAddr};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// What the app asks for, on the one line that it has from the start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Request {
    /// Whether anybody is there; answered by `Done`.
    Ping,
    /// A connection; answered by `Here` while it is being made.
    Dial(Far),
    /// A socket on which the kernel tells of changes (rtnetlink(7), groups); answered by `Here`.
    Changes(u32),
    /// A line to the control socket of this name; answered by `Here`, then by a [`DoorSays`] on that line.
    Door(String),
    /// A line on which comes one [`Found`], once a laptop that listens on this port has answered.
    Seek {
        /// On which interface.
        interface: String,
        /// Port.
        port: u16,
    },
    /// Switch this USB gadget on; answered by `Done`.
    Raise(String),
    /// A line for [`Tune`].
    Tuner,
    /// What is to be put back, as it was last remembered; answered by `Text`.
    Recall,
    /// What is to be put back; answered by `Done`.
    Remember(String),
}

/// To whom a connection is wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Far {
    /// A link-local address on this interface.
    Link {
        /// Interface.
        interface: String,
        /// Address.
        address: Ipv6Addr,
        /// Port.
        port: u16,
    },
    /// An address as a person typed it.
    Typed(#[serde(with = "scoped")] SocketAddr),
}

/// What the broker answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// It is done.
    Done,
    /// The descriptor that came along.
    Here,
    /// A text.
    Text(String),
    /// It may not be: a sentence for the connection screen.
    Refused(String),
    /// It may be, and the system did not: an errno.
    Failed(i32),
}

/// What the broker says on a line to a control socket. What the app says there is the request's text as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DoorSays {
    /// It is open; the socket of its events came along.
    Open,
    /// The system does not let this user in.
    Forbidden,
    /// Nobody listens there.
    Dead,
    /// What wpa_supplicant answered; nothing if no answer came.
    Answer(Option<String>),
    /// This request is none that may be made: why.
    Refused(String),
}

/// Where a laptop turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// Address.
    pub address: Ipv6Addr,
    /// Port.
    pub port: u16,
}

/// What is to become of interfaces; each is answered by an empty `Answer::Done` once it is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tune {
    /// Let it have its link-local address without delay, and listen to nobody's router.
    Prepare {
        /// Interface.
        interface: String,
        /// Switch it on as well.
        raise: bool,
    },
    /// Put all back as it was found.
    Restore,
}

/// An address with the number of the interface that a link-local one belongs to, which serde's own form leaves out.
mod scoped {
    use std::net::SocketAddr;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(
        address: &SocketAddr,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let scope = match address {
            SocketAddr::V4(_) => 0,
            SocketAddr::V6(address) => address.scope_id(),
        };
        (address, scope).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<SocketAddr, D::Error> {
        let (mut address, scope) = <(SocketAddr, u32)>::deserialize(deserializer)?;
        if let SocketAddr::V6(address) = &mut address {
            address.set_scope_id(scope);
        }
        Ok(address)
    }
}

/// The octets of a value.
#[must_use]
pub fn encode(value: &impl Serialize) -> Vec<u8> {
    // Never fails: these types hold nothing that postcard does not know. An empty message would be no value.
    postcard::to_allocvec(value).unwrap_or_default()
}

/// The value of a message; `None` if it is none, or if anything stands behind it.
#[must_use]
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    match postcard::take_from_bytes(bytes) {
        Ok((value, [])) => Some(value),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::net::SocketAddrV6;

    fn requests() -> impl Strategy<Value = Request> {
        prop_oneof![
            Just(Request::Ping),
            (any::<[u8; 16]>(), any::<u16>(), ".{0,20}").prop_map(|(a, port, interface)| {
                let address = Ipv6Addr::from(a);
                Request::Dial(Far::Link {
                    interface,
                    address,
                    port,
                })
            }),
            any::<([u8; 4], u16)>()
                .prop_map(|(a, port)| Request::Dial(Far::Typed(SocketAddr::from((a, port))))),
            any::<([u8; 16], u16, u32)>().prop_map(|(a, port, scope)| {
                let address = SocketAddrV6::new(Ipv6Addr::from(a), port, 0, scope);
                Request::Dial(Far::Typed(SocketAddr::V6(address)))
            }),
            any::<u32>().prop_map(Request::Changes),
            ".{0,40}".prop_map(Request::Door),
            (".{0,20}", any::<u16>())
                .prop_map(|(interface, port)| Request::Seek { interface, port }),
            ".{0,99}".prop_map(Request::Remember),
        ]
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again_and_no_part_of_it_is(request in requests(), cut in any::<prop::sample::Index>()) {
            let bytes = encode(&request);
            prop_assert_eq!(decode::<Request>(&bytes), Some(request));
            let part = &bytes[..cut.index(bytes.len())];
            prop_assert_eq!(decode::<Request>(part), None);
            let longer = [&bytes[..], &[0]].concat();
            prop_assert_eq!(decode::<Request>(&longer), None);
        }

        #[test]
        fn no_octets_do_harm(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            // What is read says the same when it is written and read again.
            if let Some(request) = decode::<Request>(&bytes) {
                prop_assert_eq!(decode(&encode(&request)), Some(request));
            }
            if let Some(tune) = decode::<Tune>(&bytes) {
                prop_assert_eq!(decode(&encode(&tune)), Some(tune));
            }
            let _ = (decode::<Answer>(&bytes), decode::<DoorSays>(&bytes), decode::<Found>(&bytes));
        }
    }

    #[test]
    fn a_length_that_promises_more_than_came_takes_no_memory() {
        // Door with a name of 2^62 octets.
        let bytes = [3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x3f];
        assert_eq!(decode::<Request>(&bytes), None);
    }
}
