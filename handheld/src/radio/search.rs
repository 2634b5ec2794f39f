//! Laptops that the radio hears.
//!
//! Two sources: devices that Wi-Fi Direct has found (they join at the push of a button), and networks whose name starts as that
//! of a group (they join by the passphrase that the laptop shows). A group owner that says another model than ours is a
//! television or a printer and is left out; one that says none may be a laptop.

use crate::app::model::laptop::Nearby;

/// Every network name of a Wi-Fi Direct group starts so (Wi-Fi Direct specification, "P2P Group ID").
const PREFIX: &[u8] = b"DIRECT-";

/// The model name by which our laptops are told from televisions.
pub const MODEL: &str = "OfficeOS";

/// What is not heard again for so long is gone, in milliseconds.
const FORGET_MS: u64 = 20_000;

/// Rows shown at most: a hall full of devices must not grow without end.
const MAX: usize = 32;

/// A network as a scan shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// Address of its radio.
    pub bssid: [u8; 6],
    /// Name.
    pub ssid: Vec<u8>,
    /// In MHz.
    pub frequency: u16,
    /// In dBm.
    pub signal_dbm: i16,
    /// Closed by a passphrase, as ours are.
    pub wpa2: bool,
}

/// A device that Wi-Fi Direct has found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Device {
    /// Its device address.
    pub device: [u8; 6],
    /// Address of the radio of its group.
    pub bssid: [u8; 6],
    /// Its name.
    pub name: String,
    /// It owns a group.
    pub owner: bool,
    /// It takes a push of the button.
    pub push: bool,
    /// Its model, once it has said so.
    pub model: Option<String>,
    /// Name of its network, once it has said so.
    pub ssid: Vec<u8>,
    /// In MHz, once known.
    pub frequency: u16,
    /// In dBm, once known.
    pub signal_dbm: i16,
}

impl Device {
    /// Whether it owns a group and has not said that it is something else.
    fn may_be_laptop(&self) -> bool {
        let model = self.model.as_deref().map_or("", str::trim);
        self.owner && (model.is_empty() || model == MODEL)
    }
}

/// What was heard, and when.
#[derive(Clone, Debug, Default)]
pub struct Search {
    networks: Vec<(Heard, u64)>,
    devices: Vec<Device>,
    told: Option<Vec<Nearby>>,
}

impl Search {
    /// A device was found, or says more of itself. Tells whether there is room for it: one that may be a laptop takes the place of one
    /// that is none.
    pub fn found(&mut self, device: Device) -> bool {
        let known = self.devices.iter().any(|d| d.device == device.device);
        if !known && self.devices.len() >= MAX {
            let other = self.devices.iter().position(|d| !d.may_be_laptop());
            match other.filter(|_| device.may_be_laptop()) {
                Some(at) => drop(self.devices.swap_remove(at)),
                None => return false,
            }
        }
        match self.devices.iter_mut().find(|d| d.device == device.device) {
            Some(known) => {
                known.name = device.name;
                known.owner = device.owner;
                known.push = device.push;
                if device.bssid != [0; 6] {
                    known.bssid = device.bssid;
                }
            }
            None => self.devices.push(device),
        }
        true
    }

    /// A device has said what it is.
    pub fn described(&mut self, device: [u8; 6], describe: impl FnOnce(&mut Device)) {
        if let Some(known) = self.devices.iter_mut().find(|d| d.device == device) {
            describe(known);
        }
    }

    /// A device is gone.
    pub fn lost(&mut self, device: [u8; 6]) {
        self.devices.retain(|d| d.device != device);
    }

    /// Devices that own a group and have not said yet what they are.
    pub fn unknown(&self) -> Vec<[u8; 6]> {
        let unknown = self.devices.iter().filter(|d| d.owner && d.model.is_none());
        unknown.map(|d| d.device).collect()
    }

    /// Networks as the last scan shows them.
    pub fn heard(&mut self, networks: impl IntoIterator<Item = Heard>, now: u64) {
        for heard in networks {
            if !heard.ssid.starts_with(PREFIX) || !heard.wpa2 {
                continue;
            }
            self.networks
                .retain(|(known, _)| known.bssid != heard.bssid);
            self.networks.push((heard, now));
        }
        self.networks
            .retain(|(_, at)| now.saturating_sub(*at) < FORGET_MS);
        self.networks
            .sort_by_key(|(heard, _)| std::cmp::Reverse(heard.signal_dbm));
        self.networks.truncate(MAX);
    }

    /// The list, if it is another than last time.
    pub fn news(&mut self) -> Option<Vec<Nearby>> {
        let list = self.list();
        (self.told.as_ref() != Some(&list)).then(|| {
            self.told = Some(list.clone());
            list
        })
    }

    /// Forgets what was heard; that the list is empty then is news, where it was not before.
    pub fn forget(&mut self) {
        self.networks.clear();
        self.devices.clear();
    }

    /// Forgets everything, for a search that begins.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// The laptops, those that join by a push first, then the stronger.
    pub fn list(&self) -> Vec<Nearby> {
        let mut list: Vec<Nearby> = Vec::new();
        for device in self.devices.iter().filter(|d| d.owner) {
            let network = self.networks.iter().map(|(heard, _)| heard).find(|heard| {
                heard.bssid == device.bssid
                    || (!device.ssid.is_empty() && heard.ssid == device.ssid)
            });
            match &device.model {
                Some(model) if !model.trim().is_empty() && model != MODEL => continue,
                // Whoever says nothing of itself may be a laptop only if its network can be joined.
                None if network.is_none() => continue,
                _ => {}
            }
            let signal_dbm = match network {
                Some(heard) => heard.signal_dbm,
                None => device.signal_dbm,
            };
            list.push(Nearby {
                name: device.name.clone(),
                ssid: match network {
                    Some(heard) => heard.ssid.clone(),
                    None => device.ssid.clone(),
                },
                bssid: network.map_or(device.bssid, |heard| heard.bssid),
                device: Some(device.device),
                frequency: network.map_or(device.frequency, |heard| heard.frequency),
                signal_dbm,
                push: device.push,
            });
        }
        let strangers: Vec<[u8; 6]> = self
            .devices
            .iter()
            .filter(|d| !list.iter().any(|near| near.device == Some(d.device)))
            .filter(|d| d.model.is_some())
            .map(|d| d.bssid)
            .collect();
        for (heard, _) in &self.networks {
            let known = list.iter().any(|near| near.bssid == heard.bssid);
            if known || strangers.contains(&heard.bssid) {
                continue;
            }
            list.push(Nearby {
                name: name_of(&heard.ssid),
                ssid: heard.ssid.clone(),
                bssid: heard.bssid,
                device: None,
                frequency: heard.frequency,
                signal_dbm: heard.signal_dbm,
                push: false,
            });
        }
        list.sort_by_key(|near| (!near.push, std::cmp::Reverse(near.signal_dbm), near.bssid));
        list
    }
}

/// The laptop's name out of `DIRECT-xy-NAME`; the whole of it where there is no name in it.
pub fn name_of(ssid: &[u8]) -> String {
    let rest = ssid.strip_prefix(PREFIX).unwrap_or(ssid);
    let name = match rest.get(2..) {
        Some([b'-' | b' ', name @ ..]) if !name.is_empty() => name,
        _ => ssid,
    };
    String::from_utf8_lossy(name).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn heard(last: u8, ssid: &str, signal_dbm: i16) -> Heard {
        Heard {
            bssid: [6, 0, 0, 0, 0, last],
            ssid: ssid.into(),
            frequency: 2412,
            signal_dbm,
            wpa2: true,
        }
    }

    fn device(last: u8, name: &str, model: Option<&str>) -> Device {
        Device {
            device: [2, 0, 0, 0, 0, last],
            bssid: [6, 0, 0, 0, 0, last],
            name: name.into(),
            owner: true,
            push: true,
            model: model.map(Into::into),
            ..Device::default()
        }
    }

    #[test]
    fn only_networks_that_may_be_a_laptops_are_shown_the_strongest_first() {
        let mut search = Search::default();
        let open = Heard {
            wpa2: false,
            ..heard(9, "DIRECT-aa-Open", -10)
        };
        let networks = [
            heard(1, "DIRECT-ab-Ada", -70),
            heard(2, "Home", -20),
            heard(3, "DIRECT-cd-Bob", -40),
            open,
        ];
        search.heard(networks, 0);
        let list = search.list();
        let names: Vec<&str> = list.iter().map(|near| near.name.as_str()).collect();
        assert_eq!(names, ["Bob", "Ada"]);
        assert!(list.iter().all(|near| !near.push && near.device.is_none()));
    }

    #[test]
    fn a_found_device_and_its_network_are_one_row_and_a_television_is_none() {
        let mut search = Search::default();
        search.heard(
            [heard(1, "DIRECT-ab-Ada", -50), heard(2, "DIRECT-tv", -10)],
            0,
        );
        search.found(device(1, "Ada's ThinkPad", None));
        search.found(device(2, "Television", None));
        search.found(Device {
            owner: false,
            ..device(3, "Phone", None)
        });
        assert_eq!(search.unknown().len(), 2);
        assert_eq!(search.list().len(), 2, "until they say what they are");
        search.described([2, 0, 0, 0, 0, 1], |d| d.model = Some(MODEL.into()));
        search.described([2, 0, 0, 0, 0, 2], |d| d.model = Some("TV-9000".into()));
        let list = search.list();
        assert_eq!(list.len(), 1);
        let near = &list[0];
        assert_eq!(
            (near.name.as_str(), near.push, near.frequency),
            ("Ada's ThinkPad", true, 2412)
        );
        assert_eq!(
            (near.ssid.as_slice(), near.signal_dbm),
            (&b"DIRECT-ab-Ada"[..], -50)
        );
        search.lost([2, 0, 0, 0, 0, 1]);
        assert!(
            !search.list()[0].push,
            "its network is still heard: by passphrase then"
        );
    }

    #[test]
    fn what_falls_silent_is_forgotten_and_news_come_only_with_changes() {
        let mut search = Search::default();
        assert_eq!(
            search.news(),
            Some(vec![]),
            "that nobody is near is news the first time"
        );
        assert_eq!(search.news(), None);
        search.heard([heard(1, "DIRECT-ab-Ada", -50)], 0);
        assert_eq!(search.news().map(|list| list.len()), Some(1));
        search.heard([], FORGET_MS - 1);
        assert_eq!(search.news(), None);
        search.heard([], FORGET_MS);
        assert_eq!(search.news(), Some(vec![]));
    }

    #[test]
    fn names_come_out_of_network_names() {
        for (ssid, name) in [
            ("DIRECT-ab-Ada's ThinkPad", "Ada's ThinkPad"),
            ("DIRECT-ab", "DIRECT-ab"),
            ("DIRECT-ab-", "DIRECT-ab-"),
            ("DIRECT-", "DIRECT-"),
            ("DIRECT-é", "DIRECT-é"),
        ] {
            assert_eq!(name_of(ssid.as_bytes()), name);
        }
        assert_eq!(name_of(b"DIRECT-ab-\xff"), "\u{fffd}");
    }

    proptest! {
        #[test]
        fn no_crowd_grows_the_list_without_end(
            crowd in proptest::collection::vec((any::<[u8; 6]>(), proptest::collection::vec(any::<u8>(), 0..33), any::<i16>(), any::<bool>()), 0..80)
        ) {
            let mut search = Search::default();
            for (bssid, tail, signal_dbm, wpa2) in crowd {
                let ssid = [PREFIX, &tail].concat();
                search.heard([Heard { bssid, ssid, frequency: 1, signal_dbm, wpa2 }], 5);
                search.found(Device { device: bssid, owner: wpa2, ..Device::default() });
            }
            prop_assert!(search.list().len() <= 2 * MAX);
        }
    }
}
