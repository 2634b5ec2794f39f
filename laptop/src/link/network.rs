//! The laptop's own radio network, as those who join it need it.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Longest network name, in octets (IEEE 802.11, 9.4.2.2).
pub const MAX_SSID_LEN: usize = 32;
/// Longest passphrase or, in hexadecimal, key, in octets (IEEE 802.11, J.4).
pub const MAX_PASSPHRASE_LEN: usize = 64;

/// Name, passphrase and place of the group that the laptop owns.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// Its name, any octets.
    pub ssid: Vec<u8>,
    /// Its WPA2 passphrase.
    pub passphrase: String,
    /// Its frequency in MHz.
    pub frequency: u16,
    /// TCP port on which the laptop listens there.
    pub port: u16,
}

impl Network {
    /// Whether it is one that a Wi-Fi network can be.
    pub fn is_sound(&self) -> bool {
        (1..=MAX_SSID_LEN).contains(&self.ssid.len())
            && (8..=MAX_PASSPHRASE_LEN).contains(&self.passphrase.len())
    }

    /// Its name for people. Whoever shows it escapes it.
    pub fn name(&self) -> String {
        String::from_utf8_lossy(&self.ssid).into_owned()
    }
}

/// The passphrase stays out of every log.
impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network")
            .field("ssid", &format_args!("{}", self.ssid.escape_ascii()))
            .field("frequency", &self.frequency)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
pub(crate) mod testing {
    use super::Network;

    /// A network for tests.
    pub(crate) fn network() -> Network {
        Network {
            ssid: b"DIRECT-ab-Ada's ThinkPad".to_vec(),
            passphrase: "kmnp4qrs7tuv".into(),
            frequency: 2437,
            port: 8144,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_passphrase_is_not_shown() {
        let shown = format!("{:?}", testing::network());
        assert!(
            shown.contains("2437") && !shown.contains("kmnp4qrs7tuv"),
            "{shown}"
        );
    }

    #[test]
    fn only_what_a_network_can_be_is_sound() {
        let good = testing::network();
        assert!(good.is_sound());
        for (ssid, passphrase, sound) in [
            (0, 12, false),
            (1, 8, true),
            (32, 64, true),
            (33, 12, false),
            (8, 7, false),
            (8, 65, false),
        ] {
            let network = Network {
                ssid: vec![b'x'; ssid],
                passphrase: "k".repeat(passphrase),
                ..good.clone()
            };
            assert_eq!(network.is_sound(), sound, "{ssid} {passphrase}");
        }
    }
}
