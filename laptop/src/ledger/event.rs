//! What is written down.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Longest target of an operation that is kept, in characters.
const MAX_TARGET_CHARS: usize = 200;

/// Octets, as lower-case hexadecimal digits in JSON. Any other spelling is refused: there is one line for one entry.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hex<const N: usize>(pub [u8; N]);

impl<const N: usize> Hex<N> {
    /// Reads what [`std::fmt::Display`] writes; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.as_bytes();
        if digits.len() != 2 * N {
            return None;
        }
        let digit = |byte: u8| match byte {
            b'0'..=b'9' => Some(byte - b'0'),
            b'a'..=b'f' => Some(byte - b'a' + 10),
            _ => None,
        };
        let mut octets = [0; N];
        for (octet, pair) in octets.iter_mut().zip(digits.chunks_exact(2)) {
            *octet = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Some(Self(octets))
    }
}

impl<const N: usize> std::fmt::Display for Hex<N> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

impl<const N: usize> std::fmt::Debug for Hex<N> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

impl<const N: usize> Serialize for Hex<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, const N: usize> Deserialize<'de> for Hex<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        Self::parse(&text)
            .ok_or_else(|| D::Error::custom(format!("not {N} octets in hexadecimal digits")))
    }
}

/// What the budgets count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Amounts {
    /// Language tokens, in and out.
    pub tokens: u64,
    /// Pictures.
    pub pictures: u64,
    /// Octets of files and downloads.
    pub bytes: u64,
    /// Seconds that services worked; missing where there are none, as in entries from before they were counted.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub seconds: u64,
    /// Whether tokens are estimated, because a provider told none.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub estimated: bool,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // As serde calls it.
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl From<crate::policy::Usage> for Amounts {
    fn from(usage: crate::policy::Usage) -> Self {
        Self {
            tokens: usage.tokens,
            pictures: usage.pictures,
            bytes: usage.bytes,
            seconds: usage.seconds,
            estimated: false,
        }
    }
}

/// One operation that a program wants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Want {
    /// Name of the operation.
    pub operation: String,
    /// Model, path in the drop folder, or address without its query; empty where it has none.
    pub target: String,
}

impl From<&crate::policy::Effect> for Want {
    fn from(effect: &crate::policy::Effect) -> Self {
        use crate::policy::Target;
        let target = match &effect.target {
            Target::Laptop => "",
            Target::Model(name) | Target::Path(name) => name,
            // What stands behind the question mark is content.
            Target::Url(url) => url.split(['?', '#']).next().unwrap_or_default(),
        };
        Self {
            operation: effect.operation.name().to_owned(),
            target: target.chars().take(MAX_TARGET_CHARS).collect(),
        }
    }
}

/// One permission or limit that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// Name of the operation or of the limit.
    pub of: String,
    /// As it was.
    pub before: String,
    /// As it is.
    pub after: String,
}

/// What happened. Names are those that devices gave themselves: escape them where they are shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Event {
    /// The laptop opened its store; from here on `key` signs checkpoints.
    Started {
        /// Version of the program.
        version: String,
        /// Public key of the ledger.
        key: Hex<32>,
    },
    /// A device that was paired before there was a ledger.
    Known {
        /// Number of the relationship.
        device: i64,
        /// Name of the device.
        name: String,
        /// Its public key.
        key: Hex<32>,
    },
    /// A person gave a program of this laptop a key for the gateway.
    CallerAdded {
        /// Number of the relationship.
        device: i64,
        /// Name of the caller.
        name: String,
        /// SHA-256 of its key.
        key: Hex<32>,
    },
    /// A pairing was agreed on.
    Paired {
        /// Number of the relationship.
        device: i64,
        /// Name of the device.
        name: String,
        /// Its public key.
        key: Hex<32>,
    },
    /// The device has shown that it stored the pairing.
    Confirmed {
        /// Number of the relationship.
        device: i64,
    },
    /// A pairing came to nothing.
    Forgotten {
        /// Number of the relationship.
        device: i64,
    },
    /// A person gave a device another name.
    Renamed {
        /// Number of the relationship.
        device: i64,
        /// The new name.
        name: String,
    },
    /// Renewed keys were proven; the device signs with `key` from here on.
    Rekeyed {
        /// Number of the relationship.
        device: i64,
        /// Its new public key.
        key: Hex<32>,
    },
    /// A relationship runs until another time.
    Extended {
        /// Number of the relationship.
        device: i64,
        /// Seconds since 1970.
        until: i64,
    },
    /// A person ended a relationship.
    Revoked {
        /// Number of the relationship.
        device: i64,
    },
    /// Permissions or limits changed.
    Permitted {
        /// Number of the relationship.
        device: i64,
        /// Which.
        changes: Vec<Change>,
    },
    /// A request was taken in; it ran, or a person was asked.
    Taken {
        /// Number of the relationship.
        device: i64,
        /// Number of the request.
        request: u64,
        /// SHA-256 of the program.
        digest: Hex<32>,
        /// Exporter value of the channel on which it came.
        exporter: Hex<32>,
        /// Public key that signed it.
        key: Hex<32>,
        /// The handheld's signature over exporter, number and digest.
        signature: Hex<64>,
        /// What it does.
        wants: Vec<Want>,
        /// What it may use at most.
        bound: Amounts,
        /// `allow`, or `ask` where a person decides.
        verdict: String,
    },
    /// A request of a caller was taken in; it ran, or a person was asked.
    Called {
        /// Number of the relationship.
        device: i64,
        /// Number of the request.
        request: u64,
        /// SHA-256 of the program.
        digest: Hex<32>,
        /// SHA-256 of the key that it showed.
        key: Hex<32>,
        /// What it does.
        wants: Vec<Want>,
        /// What it may use at most.
        bound: Amounts,
        /// `allow`, or `ask` where a person decides.
        verdict: String,
    },
    /// A request was refused by the policy before anything ran.
    Refused {
        /// Number of the relationship.
        device: i64,
        /// Number of the request.
        request: u64,
        /// SHA-256 of the program.
        digest: Hex<32>,
        /// What it would have done.
        wants: Vec<Want>,
        /// Name of the reason.
        reason: String,
    },
    /// A person was asked.
    Answered {
        /// Number of the relationship.
        device: i64,
        /// Number of the request.
        request: u64,
        /// `yes`, `no`, `expired` or `withdrawn`.
        answer: String,
    },
    /// A request ended.
    Ended {
        /// Number of the relationship.
        device: i64,
        /// Number of the request.
        request: u64,
        /// `done`, or the name of what went wrong.
        outcome: String,
        /// What it used.
        used: Amounts,
    },
    /// The owner switched a model on or off for everybody.
    Model {
        /// `provider/model`.
        model: String,
        /// Whether it may be asked from here on.
        on: bool,
    },
    /// A token of the control API was made or revoked.
    Token {
        /// Its name.
        name: String,
        /// `made` or `revoked`.
        change: String,
        /// `read` or `full`: what it may do.
        access: String,
        /// SHA-256 of its secret.
        key: Hex<32>,
    },
    /// The chain up to here, signed.
    Checkpoint {
        /// Signature over number and previous hash of this entry.
        signature: Hex<64>,
    },
}

impl Event {
    /// The device that it is about.
    pub fn device(&self) -> Option<i64> {
        match self {
            Self::Started { .. }
            | Self::Model { .. }
            | Self::Token { .. }
            | Self::Checkpoint { .. } => None,
            Self::Known { device, .. }
            | Self::CallerAdded { device, .. }
            | Self::Called { device, .. }
            | Self::Paired { device, .. }
            | Self::Confirmed { device }
            | Self::Forgotten { device }
            | Self::Renamed { device, .. }
            | Self::Rekeyed { device, .. }
            | Self::Extended { device, .. }
            | Self::Revoked { device }
            | Self::Permitted { device, .. }
            | Self::Taken { device, .. }
            | Self::Refused { device, .. }
            | Self::Answered { device, .. }
            | Self::Ended { device, .. } => Some(*device),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octets_have_one_spelling() {
        let octets = Hex([0x0a, 0xff]);
        assert_eq!(octets.to_string(), "0aff");
        assert_eq!(Hex::parse("0aff"), Some(octets));
        for other in ["0aFF", "0af", "0aff0", "0x0a", " 0aff", "0ag0", ""] {
            assert_eq!(Hex::<2>::parse(other), None, "{other}");
        }
    }

    #[test]
    fn the_query_of_an_address_is_content_and_stays_out() {
        let effect = crate::policy::Effect {
            op: 0,
            operation: shared_proto::opcode::Operation::Fetch,
            target: crate::policy::Target::Url("https://example.org/a?secret=1#b".into()),
            bound: crate::policy::Usage::default(),
        };
        let want = Want::from(&effect);
        assert_eq!(want.target, "https://example.org/a");
    }
}
