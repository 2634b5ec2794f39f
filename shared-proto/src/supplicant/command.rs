//! What wpa_supplicant is told.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::text::{Mac, Secret, hex};

/// A setting of a network block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Setting {
    /// Network name; sent in hexadecimal, so that no octet of it can end the argument.
    Ssid(Vec<u8>),
    /// WPA2 passphrase of 8 to 63 printable characters, or a key of 64 hexadecimal digits.
    Psk(Secret),
    /// Any other by its name, with a value that is ours: numbers and words of wpa_supplicant.
    Plain(&'static str, String),
}

impl Setting {
    /// The settings of a WPA2 network with CCMP alone.
    #[must_use]
    pub fn wpa2() -> [Self; 3] {
        let plain = |name, value: &str| Self::Plain(name, value.to_owned());
        [
            plain("proto", "RSN"),
            plain("key_mgmt", "WPA-PSK"),
            plain("pairwise", "CCMP"),
        ]
    }
}

/// A request on a control socket.
#[derive(Clone, PartialEq, Eq)]
pub enum Command {
    /// Answers `PONG`.
    Ping,
    /// State of the interface.
    Status,
    /// What the driver can do.
    DriverFlags,
    /// `GET_CAPABILITY` of this name.
    Capability(&'static str),
    /// A global value.
    Get(&'static str),
    /// Changes a global value. Control characters in it are left out: they would end the line.
    Set(&'static str, String),
    /// The network blocks.
    ListNetworks,
    /// Adds a network block; answers its number.
    AddNetwork,
    /// Changes a network block.
    SetNetwork(u32, Setting),
    /// Joins this network and disables the others.
    SelectNetwork(u32),
    /// Lets this network be joined.
    EnableNetwork(u32),
    /// Lets this network not be joined.
    DisableNetwork(u32),
    /// Removes a network block.
    RemoveNetwork(u32),
    /// Leaves the network and joins none.
    Disconnect,
    /// Joins again.
    Reassociate,
    /// Joins again if it is not joined.
    Reconnect,
    /// Looks for networks on these frequencies, or on all.
    Scan(Vec<u16>),
    /// Stops looking.
    AbortScan,
    /// The networks found.
    ScanResults,
    /// One of them.
    Bss(Mac),
    /// Seconds between scans while no network is found.
    ScanInterval(u32),
    /// Signal of the connection.
    SignalPoll,
    /// Looks for P2P devices for so many seconds, or until stopped.
    P2pFind(Option<u32>),
    /// Looks for P2P devices on channels 1, 6 and 11 alone: a tenth of the time.
    P2pFindSocial,
    /// Stops looking.
    P2pStopFind,
    /// Forgets what was found.
    P2pFlush,
    /// What is known of a device.
    P2pPeer(Mac),
    /// Joins the group of this device by the push of a button, on this frequency if it is known.
    P2pJoin(Mac, Option<u16>),
    /// Calls a join off.
    P2pCancel,
    /// Starts a group of this persistent block, on this frequency if one is wanted.
    P2pGroupAdd(u32, Option<u16>),
    /// The passphrase of the group on this socket.
    P2pGetPassphrase,
    /// Sets a P2P value of the whole supplicant.
    P2pSet(&'static str, &'static str),
    /// Ends the group of this interface.
    P2pGroupRemove(String),
    /// Lets this device in by the push of a button, or any.
    WpsPbc(Option<Mac>),
    /// Lets nobody in any more.
    WpsCancel,
    /// Asks for events.
    Attach,
}

impl Command {
    /// The text that goes over the socket.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Ping => "PING".into(),
            Self::Status => "STATUS".into(),
            Self::DriverFlags => "DRIVER_FLAGS".into(),
            Self::Capability(what) => format!("GET_CAPABILITY {what}"),
            Self::Get(name) => format!("GET {name}"),
            Self::Set(name, value) => {
                let value: String = value.chars().filter(|c| !c.is_control()).collect();
                format!("SET {name} {value}")
            }
            Self::ListNetworks => "LIST_NETWORKS".into(),
            Self::AddNetwork => "ADD_NETWORK".into(),
            Self::SetNetwork(id, setting) => match setting {
                Setting::Ssid(ssid) => format!("SET_NETWORK {id} ssid {}", hex(ssid)),
                Setting::Psk(Secret(key)) if is_key(key) => format!("SET_NETWORK {id} psk {key}"),
                // The last quote counts there, so one inside is no end; a line break would be.
                Setting::Psk(Secret(phrase)) => {
                    let phrase: String = phrase.chars().filter(|c| !c.is_control()).collect();
                    format!("SET_NETWORK {id} psk \"{phrase}\"")
                }
                Setting::Plain(name, value) => format!("SET_NETWORK {id} {name} {value}"),
            },
            Self::SelectNetwork(id) => format!("SELECT_NETWORK {id}"),
            Self::EnableNetwork(id) => format!("ENABLE_NETWORK {id}"),
            Self::DisableNetwork(id) => format!("DISABLE_NETWORK {id}"),
            Self::RemoveNetwork(id) => format!("REMOVE_NETWORK {id}"),
            Self::Disconnect => "DISCONNECT".into(),
            Self::Reassociate => "REASSOCIATE".into(),
            Self::Reconnect => "RECONNECT".into(),
            Self::Scan(frequencies) if frequencies.is_empty() => "SCAN".into(),
            Self::Scan(frequencies) => {
                let list: Vec<String> = frequencies.iter().map(|f| format!("{f}")).collect();
                format!("SCAN freq={}", list.join(","))
            }
            Self::AbortScan => "ABORT_SCAN".into(),
            Self::ScanResults => "SCAN_RESULTS".into(),
            Self::Bss(bssid) => format!("BSS {bssid}"),
            Self::ScanInterval(seconds) => format!("SCAN_INTERVAL {seconds}"),
            Self::SignalPoll => "SIGNAL_POLL".into(),
            Self::P2pFind(None) => "P2P_FIND".into(),
            Self::P2pFind(Some(seconds)) => format!("P2P_FIND {seconds}"),
            Self::P2pFindSocial => "P2P_FIND type=social".into(),
            Self::P2pStopFind => "P2P_STOP_FIND".into(),
            Self::P2pFlush => "P2P_FLUSH".into(),
            Self::P2pPeer(device) => format!("P2P_PEER {device}"),
            Self::P2pJoin(device, None) => format!("P2P_CONNECT {device} pbc join"),
            Self::P2pJoin(device, Some(f)) => format!("P2P_CONNECT {device} pbc join freq={f}"),
            Self::P2pCancel => "P2P_CANCEL".into(),
            Self::P2pGroupAdd(id, None) => format!("P2P_GROUP_ADD persistent={id}"),
            Self::P2pGroupAdd(id, Some(f)) => format!("P2P_GROUP_ADD persistent={id} freq={f}"),
            Self::P2pGetPassphrase => "P2P_GET_PASSPHRASE".into(),
            Self::P2pSet(name, value) => format!("P2P_SET {name} {value}"),
            Self::P2pGroupRemove(interface) => format!("P2P_GROUP_REMOVE {interface}"),
            Self::WpsPbc(None) => "WPS_PBC".into(),
            Self::WpsPbc(Some(device)) => format!("WPS_PBC p2p_dev_addr={device}"),
            Self::WpsCancel => "WPS_CANCEL".into(),
            Self::Attach => "ATTACH".into(),
        }
    }
}

/// The text, without the key.
impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SetNetwork(id, Setting::Psk(_)) => write!(f, "SET_NETWORK {id} psk (secret)"),
            Self::Set(name, value) => write!(f, "SET {name} {}", value.escape_debug()),
            other => f.write_str(&other.text()),
        }
    }
}

fn is_key(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn a_hostile_name_stays_one_argument() {
        let ssid = Setting::Ssid(b"x\" psk \"\n".to_vec());
        assert_eq!(
            Command::SetNetwork(3, ssid).text(),
            "SET_NETWORK 3 ssid 78222070736b20220a"
        );
        let name = Command::Set("device_name", "a\nREMOVE_NETWORK all".to_string());
        assert_eq!(name.text(), "SET device_name aREMOVE_NETWORK all");
        let phrase = Setting::Psk(Secret("a\"b\nc12345".to_string()));
        assert_eq!(
            Command::SetNetwork(0, phrase).text(),
            "SET_NETWORK 0 psk \"a\"bc12345\""
        );
    }

    #[test]
    fn a_key_goes_without_quotes_and_no_key_is_shown() {
        let key = "0a".repeat(32);
        let command = Command::SetNetwork(0, Setting::Psk(Secret(key.clone())));
        assert_eq!(command.text(), format!("SET_NETWORK 0 psk {key}"));
        assert!(!format!("{command:?}").contains("0a0a"));
    }

    #[test]
    fn frequencies_and_addresses_are_written_as_the_supplicant_reads_them() {
        let mac = Mac([2, 0, 0, 0, 1, 0]);
        assert_eq!(
            Command::Scan(alloc::vec![2412, 2437]).text(),
            "SCAN freq=2412,2437"
        );
        assert_eq!(Command::Scan(Vec::new()).text(), "SCAN");
        assert_eq!(
            Command::P2pJoin(mac, Some(2412)).text(),
            "P2P_CONNECT 02:00:00:00:01:00 pbc join freq=2412"
        );
        assert_eq!(
            Command::P2pGroupAdd(1, Some(2437)).text(),
            "P2P_GROUP_ADD persistent=1 freq=2437"
        );
        assert_eq!(
            Command::WpsPbc(Some(mac)).text(),
            "WPS_PBC p2p_dev_addr=02:00:00:00:01:00"
        );
    }
}
