//! Asking a link for its laptop: one small datagram each way, for where the laptop's address does not follow from its radio's.
//!
//! The handheld sends a [`Query`] to all nodes of the link (`ff02::1`), to the port where laptops listen; link-service answers the sender alone with an
//! [`Answer`] of the same length, so that nobody can be flooded through it. Neither says who anybody is: the channel finds that out.

/// Octets of either datagram.
pub const LEN: usize = 24;

/// `OFOS`, a version, and what it is.
const MAGIC: [u8; 4] = *b"OFOS";
const VERSION: u8 = 1;
const QUERY: u8 = 0;
const ANSWER: u8 = 1;

/// Octets that tie an answer to its query.
pub type Nonce = [u8; 16];

/// Who is there?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Query(pub Nonce);

/// I am.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Of the query.
    pub nonce: Nonce,
    /// TCP port on which the laptop listens.
    pub port: u16,
}

impl Query {
    /// The datagram.
    #[must_use]
    pub fn encode(&self) -> [u8; LEN] {
        encode(QUERY, 0, &self.0)
    }

    /// Reads a datagram; `None` for any other.
    #[must_use]
    pub fn decode(datagram: &[u8]) -> Option<Self> {
        match decode(datagram, QUERY)? {
            (0, nonce) => Some(Self(nonce)),
            _ => None,
        }
    }
}

impl Answer {
    /// The datagram.
    #[must_use]
    pub fn encode(&self) -> [u8; LEN] {
        encode(ANSWER, self.port, &self.nonce)
    }

    /// Reads a datagram; `None` for any other, and for port 0.
    #[must_use]
    pub fn decode(datagram: &[u8]) -> Option<Self> {
        let (port, nonce) = decode(datagram, ANSWER)?;
        (port != 0).then_some(Self { nonce, port })
    }
}

fn encode(kind: u8, port: u16, nonce: &Nonce) -> [u8; LEN] {
    let mut out = [0; LEN];
    out[..4].copy_from_slice(&MAGIC);
    out[4] = VERSION;
    out[5] = kind;
    out[6..8].copy_from_slice(&port.to_be_bytes());
    out[8..].copy_from_slice(nonce);
    out
}

fn decode(datagram: &[u8], kind: u8) -> Option<(u16, Nonce)> {
    let datagram: &[u8; LEN] = datagram.try_into().ok()?;
    let [m @ .., _] = *datagram.first_chunk::<7>()?;
    if m != [MAGIC[0], MAGIC[1], MAGIC[2], MAGIC[3], VERSION, kind] {
        return None;
    }
    let port = u16::from_be_bytes([datagram[6], datagram[7]]);
    Some((port, *datagram.last_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONCE: Nonce = [7; 16];

    #[test]
    fn both_datagrams_are_these_octets() {
        let mut query = *b"OFOS\x01\x00\x00\x00................";
        query[8..].fill(7);
        assert_eq!(Query(NONCE).encode(), query);
        let answer = Answer {
            nonce: NONCE,
            port: 8144,
        };
        let mut octets = *b"OFOS\x01\x01\x1f\xd0................";
        octets[8..].fill(7);
        assert_eq!(answer.encode(), octets);
        assert_eq!(
            (Query::decode(&query), Answer::decode(&octets)),
            (Some(Query(NONCE)), Some(answer))
        );
    }

    #[test]
    fn anything_else_is_none() {
        let answer = Answer {
            nonce: NONCE,
            port: 8144,
        }
        .encode();
        assert_eq!(Query::decode(&answer), None);
        assert_eq!(Answer::decode(&Query(NONCE).encode()), None);
        for cut in 0..LEN {
            assert_eq!(Answer::decode(&answer[..cut]), None);
        }
        for index in 0..6 {
            let mut other = answer;
            other[index] ^= 0x40;
            assert_eq!(Answer::decode(&other), None, "octet {index}");
        }
        let mut no_port = answer;
        no_port[6..8].fill(0);
        assert_eq!(Answer::decode(&no_port), None);
        let mut long = answer.to_vec();
        long.push(0);
        assert_eq!(Answer::decode(&long), None);
    }
}
