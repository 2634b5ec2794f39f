//! Greetings: who the handheld is, and what the laptop offers it.

use crate::codec::octets;
use crate::limits::MAX_MODELS;
use crate::opcode::{Operation, Service};
use core::fmt;
use serde::{Deserialize, Serialize};

/// Size of the handheld's screen in pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Screen {
    /// Across.
    pub width: u16,
    /// Down.
    pub height: u16,
}

/// How far the laptop's ledger went when one side saw it: whoever sees it end earlier, or end otherwise, knows that it
/// was cut or put back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerHead {
    /// Number of the last entry; zero where none was seen.
    pub number: u64,
    /// Its hash; zeros where none was seen.
    pub hash: [u8; 32],
}

impl LedgerHead {
    /// Whether a ledger that ends here can be the one that ended at `before`: it never gets shorter, and an end that is
    /// still the same entry is the same in every octet.
    #[must_use]
    pub fn follows(&self, before: &Self) -> bool {
        self.number > before.number || self == before
    }
}

/// First message of the handheld.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello<'a> {
    /// [`crate::limits::PROTOCOL_VERSION`].
    pub version: u16,
    /// Name that its owner gave it; at most 64 octets.
    pub name: &'a str,
    /// Version of the app.
    pub app: &'a str,
    /// Its screen.
    pub screen: Screen,
    /// Formats it reads, as bits of [`crate::picture::Format`].
    pub formats: u8,
    /// The highest number it has used.
    pub last_id: u64,
    /// What this card last saw of the laptop's ledger.
    pub ledger: LedgerHead,
}

/// What the policy says to an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// No.
    Deny,
    /// A person is asked each time.
    Ask,
    /// Yes.
    Allow,
}

/// The policy for one operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allowance {
    /// The operation.
    pub operation: Operation,
    /// The verdict.
    pub verdict: Verdict,
    /// What is left today, in tokens, pictures or octets as the operation counts; `None` where nothing limits.
    pub left: Option<u64>,
}

/// A model that the laptop offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Model<'a> {
    /// Its service.
    pub service: Service,
    /// `provider/model`, as programs name it.
    pub id: &'a str,
    /// What to show; built-in ones say so.
    pub label: &'a str,
    /// Whether it is loaded and answers at once; `None` where the provider does not say.
    pub loaded: Option<bool>,
}

/// Where the laptop is found again.
#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link<'a> {
    /// Name of the carrier of this session: `loopback`, `tcp`, `wifi-direct`, `usb`.
    pub carrier: &'a str,
    /// SSID of the laptop's group; empty where it has none.
    #[serde(serialize_with = "octets")]
    pub ssid: &'a [u8],
    /// Its passphrase.
    pub passphrase: &'a str,
    /// Its frequency in MHz; zero where it has none.
    pub frequency: u16,
    /// Port on which the laptop listens.
    pub port: u16,
}

/// The passphrase stays out of every log.
impl fmt::Debug for Link<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("carrier", &self.carrier)
            .field("ssid", &format_args!("{}", self.ssid.escape_ascii()))
            .field("frequency", &self.frequency)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

/// What may change while a session lasts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing<'a> {
    /// Seconds until the relationship expires.
    pub expires_in_s: u64,
    /// The policy, an entry for each operation.
    pub permissions: heapless::Vec<Allowance, 24>,
    /// Models, one behind the other as postcard; see [`models`].
    #[serde(borrow, serialize_with = "octets")]
    pub models: &'a [u8],
    /// Longest time a person is waited for, in seconds.
    pub ask_timeout_s: u32,
    /// Octets that the drop folder may hold.
    pub quota: u64,
}

/// First message of the laptop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome<'a> {
    /// [`crate::limits::PROTOCOL_VERSION`].
    pub version: u16,
    /// Name that its owner gave it; at most 64 octets.
    pub name: &'a str,
    /// Milliseconds since 1970 by the laptop's clock, which is the authority.
    pub time_ms: u64,
    /// Minutes east of UTC where the laptop is.
    pub utc_offset_min: i16,
    /// Numbers below this are spent. The handheld goes on above it.
    pub floor: u64,
    /// Policy and models.
    #[serde(borrow)]
    pub standing: Standing<'a>,
    /// Where the laptop is found again.
    #[serde(borrow)]
    pub link: Link<'a>,
    /// How far the ledger goes.
    pub ledger: LedgerHead,
}

/// Policy or models changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice<'a> {
    /// The whole of them, as they are now.
    #[serde(borrow)]
    pub standing: Standing<'a>,
}

/// Reads the list of models; ends at the first that does not decode or above the cap.
pub fn models(bytes: &[u8]) -> impl Iterator<Item = Model<'_>> {
    crate::report::items(bytes).take(MAX_MODELS)
}

/// Appends a model to a list.
#[cfg(feature = "alloc")]
pub fn push_model(model: &Model<'_>, out: &mut alloc::vec::Vec<u8>) {
    // A plain struct into a growing vector: postcard has no way to fail here.
    let pushed = crate::codec::push_postcard(model, out);
    debug_assert_eq!(pushed, Ok(()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ledger_only_grows() {
        let head = |number, first| LedgerHead {
            number,
            hash: [first; 32],
        };
        assert!(head(5, 1).follows(&head(4, 9)));
        assert!(head(5, 1).follows(&head(5, 1)));
        assert!(head(0, 0).follows(&LedgerHead::default()));
        assert!(!head(5, 2).follows(&head(5, 1)), "another entry");
        assert!(!head(4, 1).follows(&head(5, 1)), "cut");
    }

    #[test]
    fn a_link_never_shows_its_passphrase() {
        let link = Link {
            carrier: "wifi-direct",
            ssid: b"DIRECT-ab",
            passphrase: "correct horse",
            frequency: 2437,
            port: 8145,
        };
        let shown = format!("{link:?}");
        assert!(
            shown.contains("DIRECT-ab") && !shown.contains("horse"),
            "{shown}"
        );
    }
}
