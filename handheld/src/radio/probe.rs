//! What this device's radio can do: which interfaces could join a laptop, and what is missing where none can.

use super::{Denial, Interface};
use crate::app::msg::RadioAbility;

/// Interfaces that are tried first: a second one leaves the first to the firmware.
const PREFERRED: [&str; 3] = ["p2p0", "wlan1", "wlan0"];

/// The interfaces that may join a laptop, best first.
///
/// A second interface with the address of another is left out: it transmits and hears nothing (RTL8189FS and its kin). Interfaces
/// of Wi-Fi Direct groups come and go and are none.
pub fn candidates(interfaces: &[Interface], only: Option<&str>) -> Vec<String> {
    let rank = |name: &str| {
        let preferred = PREFERRED.iter().position(|p| *p == name);
        preferred.unwrap_or(PREFERRED.len())
    };
    let mut found: Vec<&Interface> = interfaces
        .iter()
        .filter(|one| !is_group(&one.name) && only.is_none_or(|only| only == one.name))
        .collect();
    found.sort_by(|a, b| (rank(&a.name), &a.name).cmp(&(rank(&b.name), &b.name)));
    if only.is_none() {
        let twins = found.clone();
        // Of two with one address, the first interface is the one that hears: the last in our order.
        found.retain(|one| {
            let heard = twins.iter().rfind(|twin| twin.address == one.address);
            heard.is_some_and(|heard| heard.name == one.name)
        });
    }
    found.iter().map(|one| one.name.clone()).collect()
}

/// The socket on which Wi-Fi Direct of an interface is steered, where it has one of its own.
pub fn p2p_device(interface: &str) -> String {
    format!("p2p-dev-{interface}")
}

/// Whether this is the interface of a group, or of Wi-Fi Direct itself.
pub fn is_group(name: &str) -> bool {
    name.starts_with("p2p-")
}

/// What is known of an interface that may join.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Means {
    /// There is a control socket.
    pub port: bool,
    /// It cannot be used: why.
    pub denied: Option<Denial>,
    /// Wi-Fi Direct works there; `None` as long as that is not known.
    pub p2p: Option<bool>,
    /// rfkill holds the radio off.
    pub blocked: bool,
}

/// What the device can do, and what is missing, in words.
pub fn ability(candidates: &[(String, Means)], only: Option<&str>) -> RadioAbility {
    let usable = |means: &Means| means.port && means.denied.is_none() && !means.blocked;
    let station = candidates.iter().any(|(_, means)| usable(means));
    let p2p = candidates
        .iter()
        .any(|(_, means)| usable(means) && means.p2p == Some(true));
    let why = match (candidates.first(), station) {
        (_, true) => String::new(),
        (None, _) => match only {
            Some(name) => {
                format!("This device has no Wi-Fi interface called {name}. See --interface.")
            }
            None => {
                "This device shows no Wi-Fi. Switch it on in the firmware, or plug in an adapter."
                    .into()
            }
        },
        (Some(_), _) => {
            let (name, means) = worst(candidates);
            if means.blocked {
                "Wi-Fi is switched off (rfkill). Switch it on in the firmware, or leave flight mode.".into()
            } else if means.denied == Some(Denial::Permission) {
                format!(
                    "This user may not use wpa_supplicant's socket for {name}. Run the app as root, or join the group netdev."
                )
            } else {
                format!(
                    "No wpa_supplicant takes orders for {name}. Switch Wi-Fi on in the firmware, then leave the app and start it from the menu again: that takes the radio where the firmware has no way in. officeos.log says what was in the way."
                )
            }
        }
    };
    RadioAbility { station, p2p, why }
}

/// The candidate that is nearest to working: its fault is the one to mend.
fn worst(candidates: &[(String, Means)]) -> (&str, Means) {
    let nearness = |means: &Means| (means.port, means.denied.is_some(), means.blocked);
    candidates
        .iter()
        .rev()
        .max_by_key(|(_, means)| nearness(means))
        .map_or(("", Means::default()), |(name, means)| (name, *means))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interface(name: &str, last: u8) -> Interface {
        Interface {
            name: name.into(),
            address: [2, 0, 0, 0, 0, last],
            up: true,
            blocked: false,
        }
    }

    #[test]
    fn a_second_interface_comes_first_unless_it_shares_its_address() {
        // Interfaces with the last octet of their addresses, and the order in which they are tried.
        type Case = (&'static [(&'static str, u8)], &'static [&'static str]);
        let table: [Case; 6] = [
            (&[("wlan0", 1)], &["wlan0"]),
            (&[("wlan0", 1), ("wlan1", 2)], &["wlan1", "wlan0"]),
            (&[("wlan0", 1), ("wlan1", 1)], &["wlan0"]),
            (
                &[("wlan0", 1), ("p2p0", 3), ("wlx00", 4)],
                &["p2p0", "wlan0", "wlx00"],
            ),
            (&[("wlan0", 1), ("p2p-wlan0-0", 2)], &["wlan0"]),
            (&[], &[]),
        ];
        for (shown, expected) in table {
            let shown: Vec<Interface> = shown.iter().map(|(n, a)| interface(n, *a)).collect();
            assert_eq!(candidates(&shown, None), expected, "{shown:?}");
        }
        let both = [interface("wlan0", 1), interface("wlan1", 1)];
        assert_eq!(
            candidates(&both, Some("wlan1")),
            ["wlan1"],
            "who names one gets it"
        );
        assert!(candidates(&both, Some("wlan7")).is_empty());
    }

    #[test]
    fn what_is_missing_is_said_with_what_mends_it() {
        let good = Means {
            port: true,
            p2p: Some(true),
            ..Means::default()
        };
        let blocked = Means {
            blocked: true,
            ..good
        };
        let denied = Means {
            denied: Some(Denial::Permission),
            ..good
        };
        let dead = Means {
            denied: Some(Denial::Dead),
            ..good
        };
        let table: [(&[Means], bool, bool, &str); 8] = [
            (&[good], true, true, ""),
            (&[Means { p2p: None, ..good }], true, false, ""),
            (&[Means::default(), good], true, true, ""),
            (&[], false, false, "no Wi-Fi"),
            (&[Means::default()], false, false, "No wpa_supplicant"),
            (&[dead], false, false, "No wpa_supplicant"),
            (&[blocked], false, false, "rfkill"),
            (&[Means::default(), denied], false, false, "may not use"),
        ];
        for (means, station, p2p, words) in table {
            let named: Vec<(String, Means)> = means
                .iter()
                .enumerate()
                .map(|(n, means)| (format!("wlan{n}"), *means))
                .collect();
            let said = ability(&named, None);
            assert_eq!((said.station, said.p2p), (station, p2p), "{means:?}");
            assert!(
                said.why.contains(words) && said.why.is_empty() == words.is_empty(),
                "{}",
                said.why
            );
        }
        assert!(ability(&[], Some("wlan9")).why.contains("wlan9"));
    }
}
