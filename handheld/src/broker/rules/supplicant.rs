//! What wpa_supplicant may be asked: what the radio's machine asks, and to join only networks whose name a laptop's can be.
//!
//! The texts are those of [`shared_proto::supplicant::Command`]; they are read back here word by word, so that nothing passes that
//! happens to look like one. Networks of the firmware are left as they are: one may be switched off and, where it was on before, on again.

use std::collections::{BTreeMap, BTreeSet};

use shared_proto::supplicant::networks;

/// Every network name of a Wi-Fi Direct group starts so (Wi-Fi Direct specification, "P2P Group ID").
const PREFIX: &[u8] = b"DIRECT-";

/// Longest name of a network, in octets (IEEE 802.11).
const MAX_SSID: usize = 32;

/// Longest request, in octets.
const MAX_REQUEST: usize = 512;

/// Networks that the firmware had switched on: control socket, number and name.
pub type Enabled = BTreeSet<(String, u32, Vec<u8>)>;

/// What is known of the networks behind one control socket.
#[derive(Clone, Debug, Default)]
pub struct Book {
    /// Those added through this book, and whether they have a name that is ours.
    own: BTreeMap<u32, bool>,
    /// Those that were listed last.
    listed: Option<BTreeMap<u32, Vec<u8>>>,
}

/// A verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Ask.
    Pass,
    /// List the networks first; then judge again.
    List,
    /// Do not ask: why.
    Refuse(&'static str),
}

/// Said of what no machine of ours asks.
const UNKNOWN: Verdict = Verdict::Refuse("this app never asks that");

/// Said of networks.
const FOREIGN: Verdict = Verdict::Refuse("only networks of laptops may be joined");

impl Book {
    /// Judges a request on the control socket `port`.
    #[must_use]
    pub fn judge(&self, port: &str, text: &str, enabled: &Enabled) -> Verdict {
        if text.len() > MAX_REQUEST || text.chars().any(char::is_control) {
            return UNKNOWN;
        }
        if let Some(rest) = text.strip_prefix("SET_NETWORK ") {
            return self.setting(rest);
        }
        let words: Vec<&str> = text.split(' ').collect();
        match words[..] {
            [
                "PING" | "STATUS" | "DRIVER_FLAGS" | "LIST_NETWORKS" | "ADD_NETWORK" | "DISCONNECT"
                | "REASSOCIATE" | "RECONNECT" | "SCAN" | "ABORT_SCAN" | "SCAN_RESULTS"
                | "SIGNAL_POLL" | "P2P_FIND" | "P2P_STOP_FIND" | "P2P_FLUSH" | "P2P_CANCEL",
            ]
            | ["P2P_FIND", "type=social"] => Verdict::Pass,
            ["P2P_FIND" | "SCAN_INTERVAL" | "DISABLE_NETWORK", n] => number_of(n),
            ["GET_CAPABILITY", what] => {
                pass(what.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'))
            }
            ["BSS" | "P2P_PEER", mac] => pass(is_mac(mac)),
            ["SCAN", frequencies] => pass(
                frequencies
                    .strip_prefix("freq=")
                    .is_some_and(|list| list.split(',').all(is_frequency)),
            ),
            ["P2P_CONNECT", mac, "pbc", "join"] => pass(is_mac(mac)),
            ["P2P_CONNECT", mac, "pbc", "join", frequency] => {
                pass(is_mac(mac) && frequency.strip_prefix("freq=").is_some_and(is_frequency))
            }
            ["P2P_GROUP_REMOVE", interface] => pass(super::is_name(interface)),
            ["SELECT_NETWORK" | "REMOVE_NETWORK", id] => self.ours(id),
            ["ENABLE_NETWORK", id] => match (self.ours(id), parse(id), &self.listed) {
                (Verdict::Refuse(_), Some(id), Some(listed)) => {
                    let was_on = listed
                        .get(&id)
                        .is_some_and(|ssid| enabled.contains(&(port.to_owned(), id, ssid.clone())));
                    if was_on { Verdict::Pass } else { FOREIGN }
                }
                (other, ..) => other,
            },
            _ => UNKNOWN,
        }
    }

    /// Takes an answer in: what was added, what there is. Names that the firmware has switched on come into `enabled`.
    pub fn answered(&mut self, port: &str, text: &str, answer: &str, enabled: &mut Enabled) {
        let words: Vec<&str> = text.split(' ').collect();
        match words[..] {
            ["ADD_NETWORK"] => {
                if let Some(id) = parse(answer.trim_end()) {
                    self.own.insert(id, false);
                }
            }
            ["REMOVE_NETWORK", id] => {
                if let Some(id) = parse(id) {
                    self.own.remove(&id);
                    self.listed.as_mut().map(|listed| listed.remove(&id));
                }
            }
            ["SET_NETWORK", id, "ssid", _] if answer.trim_end() == "OK" => {
                if let Some(own) = parse(id).and_then(|id| self.own.get_mut(&id)) {
                    *own = true;
                }
            }
            ["LIST_NETWORKS"] => {
                let rows = networks(answer);
                for row in &rows {
                    if !row.disabled && !self.own.contains_key(&row.id) {
                        enabled.insert((port.to_owned(), row.id, row.ssid.clone()));
                    }
                }
                // A number that is not listed any more may be given to somebody else's network.
                self.own
                    .retain(|id, _| rows.iter().any(|row| row.id == *id));
                let all = rows.into_iter().map(|row| (row.id, row.ssid));
                self.listed = Some(all.collect());
            }
            _ => {}
        }
    }

    /// A network that we added and named, or that has the name of a laptop's.
    fn ours(&self, id: &str) -> Verdict {
        let Some(id) = parse(id) else { return UNKNOWN };
        if self.own.get(&id) == Some(&true) {
            return Verdict::Pass;
        }
        match &self.listed {
            None => Verdict::List,
            Some(listed) if listed.get(&id).is_some_and(|ssid| is_ours(ssid)) => Verdict::Pass,
            // One of our own that has no name yet may be removed again; it can't be joined either.
            Some(_) if self.own.contains_key(&id) => Verdict::Pass,
            Some(_) => FOREIGN,
        }
    }

    /// `ID NAME VALUE` of SET_NETWORK: only for networks that we added.
    fn setting(&self, rest: &str) -> Verdict {
        let mut parts = rest.splitn(3, ' ');
        let (Some(id), Some(name), Some(value)) = (parts.next(), parts.next(), parts.next()) else {
            return UNKNOWN;
        };
        let Some(id) = parse(id) else { return UNKNOWN };
        if !self.own.contains_key(&id) {
            return Verdict::Refuse("only the network of a laptop may be changed");
        }
        match (name, value) {
            ("ssid", hex) => match unhex(hex) {
                Some(ssid) if is_ours(&ssid) => Verdict::Pass,
                Some(_) => FOREIGN,
                None => UNKNOWN,
            },
            ("psk", key) => pass(is_key(key)),
            ("proto", "RSN") | ("key_mgmt", "WPA-PSK") | ("pairwise", "CCMP") => Verdict::Pass,
            ("scan_freq" | "freq_list", list) => pass(list.split(' ').all(is_frequency)),
            _ => UNKNOWN,
        }
    }
}

fn pass(fits: bool) -> Verdict {
    if fits { Verdict::Pass } else { UNKNOWN }
}

fn number_of(text: &str) -> Verdict {
    pass(parse(text).is_some())
}

/// A number without a sign.
fn parse(text: &str) -> Option<u32> {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

fn is_frequency(text: &str) -> bool {
    parse(text).is_some_and(|mhz| mhz <= 100_000)
}

fn is_mac(text: &str) -> bool {
    shared_proto::supplicant::Mac::parse(text).is_some()
}

/// A passphrase in quotes, or a key.
fn is_key(text: &str) -> bool {
    let key = text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
    let phrase = text
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    key || phrase.is_some_and(|phrase| (8..=63).contains(&phrase.len()))
}

fn is_ours(ssid: &[u8]) -> bool {
    ssid.starts_with(PREFIX) && ssid.len() <= MAX_SSID
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    let octet = |pair: &[u8]| match pair {
        [a, b] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit() => {
            u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()
        }
        _ => None,
    };
    pairs.map(octet).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use shared_proto::supplicant::{Command, Mac, Secret, Setting};

    const LIST: &str = "network id / ssid / bssid / flags\n\
        0\tHome\tany\t[CURRENT]\n\
        1\tOffice\tany\t[DISABLED]\n\
        2\tDIRECT-ab-Ada\tany\t[DISABLED]\n";

    fn book() -> (Book, Enabled) {
        let (mut book, mut enabled) = (Book::default(), Enabled::new());
        book.answered("wlan0", "LIST_NETWORKS", LIST, &mut enabled);
        (book, enabled)
    }

    #[test]
    fn all_that_the_machine_asks_passes() {
        let (mut book, mut enabled) = book();
        book.answered("wlan0", "ADD_NETWORK", "7\n", &mut enabled);
        let name = Setting::Ssid(b"DIRECT-ab-Ada".to_vec());
        let named = Command::SetNetwork(7, name).text();
        assert_eq!(book.judge("wlan0", &named, &enabled), Verdict::Pass);
        book.answered("wlan0", &named, "OK\n", &mut enabled);
        let mac = Mac([2, 0, 0, 0, 1, 0]);
        let mut commands = vec![
            Command::Ping,
            Command::Status,
            Command::DriverFlags,
            Command::Capability("freq"),
            Command::ListNetworks,
            Command::AddNetwork,
            Command::SetNetwork(7, Setting::Psk(Secret("a \"quoted\" phrase".into()))),
            Command::SetNetwork(7, Setting::Psk(Secret("0a".repeat(32)))),
            Command::SetNetwork(7, Setting::Plain("scan_freq", "2412 2437".into())),
            Command::SelectNetwork(7),
            Command::SelectNetwork(2),
            Command::EnableNetwork(0),
            Command::EnableNetwork(7),
            Command::DisableNetwork(0),
            Command::RemoveNetwork(7),
            Command::RemoveNetwork(2),
            Command::Disconnect,
            Command::Reassociate,
            Command::Reconnect,
            Command::Scan(vec![]),
            Command::Scan(vec![2412, 5180]),
            Command::AbortScan,
            Command::ScanResults,
            Command::Bss(mac),
            Command::SignalPoll,
            Command::P2pFind(None),
            Command::P2pFind(Some(10)),
            Command::P2pFindSocial,
            Command::P2pStopFind,
            Command::P2pFlush,
            Command::P2pPeer(mac),
            Command::P2pJoin(mac, None),
            Command::P2pJoin(mac, Some(2437)),
            Command::P2pCancel,
            Command::P2pGroupRemove("p2p-wlan0-0".into()),
        ];
        commands.extend(Setting::wpa2().map(|setting| Command::SetNetwork(7, setting)));
        for command in commands {
            let text = command.text();
            assert_eq!(
                book.judge("wlan0", &text, &enabled),
                Verdict::Pass,
                "{text}"
            );
        }
    }

    #[test]
    fn nothing_else_passes() {
        let (mut book, mut enabled) = book();
        book.answered("wlan0", "ADD_NETWORK", "7\n", &mut enabled);
        for text in [
            "",
            "TERMINATE",
            "ATTACH",
            "SAVE_CONFIG",
            "RECONFIGURE",
            "INTERFACE_ADD wlan1",
            "SET ctrl_interface /tmp/x",
            "SET opensc_engine_path /tmp/evil.so",
            "P2P_GROUP_ADD",
            "P2P_GROUP_ADD persistent=1",
            "WPS_PBC",
            "WPS_PBC any",
            "WPS_PIN any",
            "P2P_CONNECT 02:00:00:00:01:00 pbc",
            "P2P_CONNECT 02:00:00:00:01:00 12345670 join",
            "P2P_CONNECT 02:00:00:00:01:00 pbc join freq=x",
            "P2P_PEER FIRST",
            "SCAN TYPE=ONLY",
            "SCAN freq=",
            "ping",
            "PING ",
            "PING\nTERMINATE",
            "SELECT_NETWORK any",
            "SELECT_NETWORK 0",
            "SELECT_NETWORK 1",
            "SELECT_NETWORK 9",
            "ENABLE_NETWORK all",
            "ENABLE_NETWORK 1",
            "ENABLE_NETWORK 9",
            "REMOVE_NETWORK all",
            "REMOVE_NETWORK 0",
            "DISABLE_NETWORK all",
            "SET_NETWORK 0 psk \"12345678\"",
            "SET_NETWORK 0 ssid 4449524543542d6162",
            "SET_NETWORK 7 ssid 486f6d65",
            "SET_NETWORK 7 ssid \"Home\"",
            "SET_NETWORK 7 ssid 4449524543542d616",
            "SET_NETWORK 7 ssid ",
            "SET_NETWORK 7 key_mgmt NONE",
            "SET_NETWORK 7 psk ext:router",
            "SET_NETWORK 7 psk \"short\"",
            "SET_NETWORK 7 bssid 02:00:00:00:00:01",
            "SET_NETWORK 7 client_cert \"/etc/shadow\"",
            "SET_NETWORK 7",
            "P2P_GROUP_REMOVE *",
        ] {
            let verdict = book.judge("wlan0", text, &enabled);
            assert!(matches!(verdict, Verdict::Refuse(_)), "{text}: {verdict:?}");
        }
        let long = format!("SCAN freq={}", "2412,".repeat(200));
        assert_eq!(book.judge("wlan0", &long, &enabled), UNKNOWN);
    }

    #[test]
    fn what_the_firmware_had_off_is_never_switched_on() {
        let (book, enabled) = book();
        let judged = |port: &str, text: &str| book.judge(port, text, &enabled);
        assert_eq!(judged("wlan0", "ENABLE_NETWORK 0"), Verdict::Pass);
        assert_eq!(judged("wlan0", "ENABLE_NETWORK 1"), FOREIGN);
        assert_eq!(
            judged("wlan1", "ENABLE_NETWORK 0"),
            FOREIGN,
            "another radio"
        );
        // After a restart number 0 is another network, and was not on before we came.
        let (mut fresh, mut known) = (Book::default(), enabled.clone());
        assert_eq!(
            fresh.judge("wlan0", "ENABLE_NETWORK 0", &known),
            Verdict::List
        );
        let list = "network id / ssid / bssid / flags\n0\tCafe\tany\t[DISABLED]\n";
        fresh.answered("wlan0", "LIST_NETWORKS", list, &mut known);
        assert_eq!(fresh.judge("wlan0", "ENABLE_NETWORK 0", &known), FOREIGN);
    }

    proptest! {
        #[test]
        fn no_text_joins_a_network_with_another_name(id in 0u32..9, ssid in proptest::collection::vec(any::<u8>(), 0..40),
            junk in "[A-Z_]{3,14}( [a-z0-9=:*\"]{0,12}){0,4}")
        {
            let (mut book, mut enabled) = book();
            book.answered("wlan0", "ADD_NETWORK", "7", &mut enabled);
            let text = Command::SetNetwork(7, Setting::Ssid(ssid.clone())).text();
            let passes = book.judge("wlan0", &text, &enabled) == Verdict::Pass;
            prop_assert_eq!(passes, is_ours(&ssid));
            let selects = book.judge("wlan0", &format!("SELECT_NETWORK {id}"), &enabled) == Verdict::Pass;
            // 7 has no name yet: wpa_supplicant has nothing to join there.
            prop_assert_eq!(selects, id == 2 || id == 7);
            // Never a fault, whatever is asked.
            let _ = book.judge("wlan0", &junk, &enabled);
            book.answered("wlan0", &junk, &junk, &mut enabled);
        }
    }
}
