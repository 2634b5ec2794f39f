//! What a join changed about the firmware's own networks, in a form that outlives a crash.
//!
//! Joining a laptop switches the other networks of that interface off, because wpa_supplicant would go back to them otherwise. They
//! are named by number and name, so that a supplicant that has been restarted since is not told about networks that it numbers
//! differently now.

use std::fmt::Write;

/// A network of a supplicant: its number, and its name as told by LIST_NETWORKS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Number.
    pub id: u32,
    /// Name.
    pub ssid: Vec<u8>,
}

/// What is to be put back on one interface.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Interface.
    pub interface: String,
    /// The network that we added.
    pub own: Option<Known>,
    /// Networks that were enabled before.
    pub others: Vec<Known>,
    /// The interface of the group that a push of the button made.
    pub group: Option<String>,
}

impl Held {
    /// Whether there is anything to put back.
    pub fn is_empty(&self) -> bool {
        self.own.is_none() && self.others.is_empty() && self.group.is_none()
    }
}

/// As lines of text: `own wlan0 2 4449`, `was wlan0 0 486f6d65`, `group wlan0 0 7032702d776c616e302d30`.
pub fn write(held: &[Held]) -> String {
    let mut text = String::new();
    for one in held {
        let own = one.own.iter().map(|known| ("own", known));
        let group = one.group.iter().map(|name| Known {
            id: 0,
            ssid: name.clone().into_bytes(),
        });
        let group: Vec<Known> = group.collect();
        let group = group.iter().map(|known| ("group", known));
        let others = one.others.iter().map(|known| ("was", known));
        for (word, known) in own.chain(others).chain(group) {
            let _ = write!(text, "{word} {} {} ", one.interface, known.id);
            for octet in &known.ssid {
                let _ = write!(text, "{octet:02x}");
            }
            text.push('\n');
        }
    }
    text
}

/// Reads such lines; what makes no sense is left out, because half of a file is better than none.
pub fn read(text: &str) -> Vec<Held> {
    let mut held: Vec<Held> = Vec::new();
    for line in text.lines() {
        let mut words = line.split(' ');
        let (Some(word), Some(interface), Some(id), Some(ssid), None) = (
            words.next(),
            words.next(),
            words.next(),
            words.next(),
            words.next(),
        ) else {
            continue;
        };
        let (Ok(id), Some(ssid)) = (id.parse(), unhex(ssid)) else {
            continue;
        };
        let known = Known { id, ssid };
        let at = match held.iter().position(|one| one.interface == interface) {
            Some(at) => at,
            None => {
                held.push(Held {
                    interface: interface.to_owned(),
                    ..Held::default()
                });
                held.len() - 1
            }
        };
        match word {
            "own" => held[at].own = Some(known),
            "was" => held[at].others.push(known),
            "group" => {
                // It becomes part of a request.
                let plain = |octet: &u8| octet.is_ascii_alphanumeric() || b"-_.".contains(octet);
                let sound = (1..=15).contains(&known.ssid.len()) && known.ssid.iter().all(plain);
                if let (true, Ok(name)) = (sound, String::from_utf8(known.ssid)) {
                    held[at].group = Some(name);
                }
            }
            _ => {}
        }
    }
    held.retain(|one| !one.is_empty());
    held
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || !text.len().is_multiple_of(2) || text.len() > 64 {
        return None;
    }
    let octet = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    text.as_bytes().chunks(2).map(octet).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_written_is_read_again() {
        let known = |id, ssid: &[u8]| Known {
            id,
            ssid: ssid.to_vec(),
        };
        let held = vec![
            Held {
                interface: "wlan1".into(),
                own: Some(known(2, b"DIRECT-ab-Ada")),
                others: vec![known(0, b"Home"), known(1, b"caf\xe9 \n")],
                group: None,
            },
            Held {
                interface: "p2p0".into(),
                own: None,
                others: vec![known(7, b"")],
                group: Some("p2p-p2p0-3".into()),
            },
        ];
        let text = write(&held);
        assert!(
            text.starts_with("own wlan1 2 4449524543542d61622d416461\nwas wlan1 0 486f6d65\n"),
            "{text}"
        );
        assert_eq!(read(&text), held);
        assert_eq!(read(""), []);
        // A name that is none of an interface, and one with a request in it.
        assert_eq!(read("group wlan0 0 \ngroup wlan0 0 610a62\n"), []);
    }

    proptest! {
        #[test]
        fn a_damaged_file_is_read_without_a_fault(text in "((own|was|group|x) [a-z0-9]{0,4} [0-9a-z]{0,3} [0-9a-fé]{0,5}\n?|.{0,20}){0,6}") {
            let held = read(&text);
            prop_assert!(held.iter().all(|one| !one.is_empty()));
            prop_assert_eq!(read(&write(&held)), held);
        }
    }
}
