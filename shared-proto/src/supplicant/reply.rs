//! What wpa_supplicant answers (`wpa_supplicant/ctrl_iface.c`, version 2.10).

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::text::{Mac, decode};

/// Whether a command was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// `OK`, or a value.
    Done,
    /// `FAIL`: not now, or not with these arguments.
    Failed,
    /// `FAIL-BUSY`: a scan or another operation is under way.
    Busy,
    /// `UNKNOWN COMMAND`: this build has none of it.
    Unknown,
}

impl Outcome {
    /// Reads a reply.
    #[must_use]
    pub fn parse(reply: &str) -> Self {
        match reply.trim_end() {
            "FAIL-BUSY" => Self::Busy,
            "UNKNOWN COMMAND" => Self::Unknown,
            text if text.starts_with("FAIL") => Self::Failed,
            _ => Self::Done,
        }
    }

    /// It was done.
    #[must_use]
    pub fn is_done(&self) -> bool {
        *self == Self::Done
    }
}

/// Lines of `name=value`, as most replies are.
fn values(reply: &str) -> impl Iterator<Item = (&str, &str)> {
    reply.lines().filter_map(|line| line.split_once('='))
}

fn value<'a>(reply: &'a str, name: &str) -> Option<&'a str> {
    values(reply).find(|(n, _)| *n == name).map(|(_, v)| v)
}

fn text(reply: &str, name: &str) -> String {
    value(reply, name).unwrap_or_default().to_owned()
}

/// An address; all zeros are how wpa_supplicant writes that there is none.
fn mac(reply: &str, name: &str) -> Option<Mac> {
    Mac::parse(value(reply, name)?).filter(|mac| *mac != Mac::default())
}

fn number<T: core::str::FromStr>(reply: &str, name: &str) -> Option<T> {
    value(reply, name)?.trim().parse().ok()
}

/// State of a station interface (`wpa_state`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// Not there or not yet told.
    #[default]
    Unknown,
    /// No connection is wanted or none can be had.
    Disconnected,
    /// The interface is off, for example by rfkill.
    Disabled,
    /// Nothing is enabled.
    Inactive,
    /// Looking for a network.
    Scanning,
    /// Authenticating, associating or exchanging keys.
    Joining,
    /// Joined; as a group owner: the group runs.
    Completed,
}

/// `STATUS`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// State.
    pub state: State,
    /// Network name.
    pub ssid: Vec<u8>,
    /// Address of the access point.
    pub bssid: Option<Mac>,
    /// In MHz.
    pub frequency: u16,
    /// Number of the network block.
    pub network: Option<u32>,
    /// `station`, `AP`, `P2P GO` …
    pub mode: String,
    /// Address of this interface.
    pub address: Option<Mac>,
    /// P2P device address; only where P2P works.
    pub device: Option<Mac>,
}

impl Status {
    /// Reads the reply to `STATUS`.
    #[must_use]
    pub fn parse(reply: &str) -> Self {
        let state = match value(reply, "wpa_state") {
            Some("DISCONNECTED") => State::Disconnected,
            Some("INTERFACE_DISABLED") => State::Disabled,
            Some("INACTIVE") => State::Inactive,
            Some("SCANNING") => State::Scanning,
            Some(
                "AUTHENTICATING" | "ASSOCIATING" | "ASSOCIATED" | "4WAY_HANDSHAKE"
                | "GROUP_HANDSHAKE",
            ) => State::Joining,
            Some("COMPLETED") => State::Completed,
            _ => State::Unknown,
        };
        Self {
            state,
            ssid: value(reply, "ssid")
                .map(|s| decode(s.as_bytes()))
                .unwrap_or_default(),
            bssid: mac(reply, "bssid"),
            frequency: number(reply, "freq").unwrap_or_default(),
            network: number(reply, "id"),
            mode: text(reply, "mode"),
            address: mac(reply, "address"),
            device: mac(reply, "p2p_device_address"),
        }
    }
}

/// `P2P_PEER`. Names are peer text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Peer {
    /// P2P device address.
    pub device: Mac,
    /// Device name.
    pub name: String,
    /// Manufacturer.
    pub manufacturer: String,
    /// Model name.
    pub model: String,
    /// Address of its group interface, where it owns a group.
    pub interface: Option<Mac>,
    /// Network name of the group that it owns.
    pub ssid: Vec<u8>,
    /// In MHz where it was last heard.
    pub frequency: u16,
    /// Strength in dBm.
    pub level: i16,
    /// Group capability bits.
    pub group_capability: u8,
}

impl Peer {
    /// Reads the reply to `P2P_PEER`: its address, then lines of values. `None` for `FAIL`.
    #[must_use]
    pub fn parse(reply: &str) -> Option<Self> {
        let device = Mac::parse(reply.lines().next()?.trim())?;
        let bits = value(reply, "group_capab").map(|v| v.trim_start_matches("0x"));
        Some(Self {
            device,
            name: text(reply, "device_name"),
            manufacturer: text(reply, "manufacturer"),
            model: text(reply, "model_name"),
            interface: mac(reply, "interface_addr").or_else(|| mac(reply, "intended_addr")),
            ssid: value(reply, "oper_ssid")
                .map(|s| decode(s.as_bytes()))
                .unwrap_or_default(),
            frequency: number(reply, "listen_freq").unwrap_or_default(),
            level: number(reply, "level").unwrap_or_default(),
            group_capability: bits
                .and_then(|v| u8::from_str_radix(v, 16).ok())
                .unwrap_or_default(),
        })
    }
}

/// `BSS`. Names are peer text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bss {
    /// Address.
    pub bssid: Mac,
    /// Network name.
    pub ssid: Vec<u8>,
    /// In MHz.
    pub frequency: u16,
    /// Strength in dBm.
    pub level: i16,
    /// Flags in brackets, for example `[WPA2-PSK-CCMP][ESS][P2P]`.
    pub flags: String,
    /// WPS device name.
    pub device_name: String,
    /// WPS model name, from the information elements: the supplicant does not spell it out.
    pub model: String,
    /// P2P device address.
    pub device: Option<Mac>,
}

impl Bss {
    /// Reads the reply to `BSS`. `None` where there is none.
    #[must_use]
    pub fn parse(reply: &str) -> Option<Self> {
        Some(Self {
            bssid: mac(reply, "bssid")?,
            ssid: value(reply, "ssid")
                .map(|s| decode(s.as_bytes()))
                .unwrap_or_default(),
            frequency: number(reply, "freq").unwrap_or_default(),
            level: number(reply, "level").unwrap_or_default(),
            flags: text(reply, "flags"),
            device_name: text(reply, "wps_device_name"),
            model: value(reply, "ie").and_then(wps_model).unwrap_or_default(),
            device: mac(reply, "p2p_device_addr"),
        })
    }
}

/// The model name (attribute 0x1023) of the WPS element (vendor specific, 00-50-F2, type 4), where `elements` in hexadecimal have
/// one (IEEE 802.11-2020, 9.4.2.1; Wi-Fi Simple Configuration, section 12). Cut short by the supplicant, they still give what is whole.
fn wps_model(elements: &str) -> Option<String> {
    let octets: Vec<u8> = elements
        .as_bytes()
        .chunks_exact(2)
        .map_while(|pair| {
            let digit = |b: u8| char::from(b).to_digit(16);
            Some((digit(pair[0])? << 4 | digit(pair[1])?) as u8)
        })
        .collect();
    let mut rest = octets.as_slice();
    while let [id, len, after @ ..] = rest {
        let (element, behind) = after.split_at_checked(usize::from(*len))?;
        rest = behind;
        if *id == 0xdd
            && let Some(mut attributes) = element.strip_prefix(&[0x00, 0x50, 0xf2, 0x04])
        {
            while let [a, b, c, d, after @ ..] = attributes {
                let len = usize::from(u16::from_be_bytes([*c, *d]));
                let (value, behind) = after.split_at_checked(len)?;
                if [*a, *b] == [0x10, 0x23] {
                    return Some(String::from_utf8_lossy(value).into_owned());
                }
                attributes = behind;
            }
        }
    }
    None
}

/// One row of `SCAN_RESULTS`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScanResult {
    /// Address.
    pub bssid: Mac,
    /// In MHz.
    pub frequency: u16,
    /// Strength in dBm.
    pub level: i16,
    /// Flags in brackets.
    pub flags: String,
    /// Network name.
    pub ssid: Vec<u8>,
}

/// Reads `SCAN_RESULTS`: a heading, then rows with tabs. Rows that are none are left out.
#[must_use]
pub fn scan_results(reply: &str) -> Vec<ScanResult> {
    let row = |line: &str| {
        let mut columns = line.splitn(5, '\t');
        Some(ScanResult {
            bssid: Mac::parse(columns.next()?)?,
            frequency: columns.next()?.parse().ok()?,
            level: columns.next()?.parse().ok()?,
            flags: columns.next()?.to_owned(),
            ssid: decode(columns.next()?.as_bytes()),
        })
    };
    reply.lines().filter_map(row).collect()
}

/// One row of `LIST_NETWORKS`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NetworkRow {
    /// Number.
    pub id: u32,
    /// Network name.
    pub ssid: Vec<u8>,
    /// `[CURRENT]`.
    pub current: bool,
    /// `[DISABLED]`.
    pub disabled: bool,
    /// `[P2P-PERSISTENT]`.
    pub persistent: bool,
}

/// Reads `LIST_NETWORKS`.
#[must_use]
pub fn networks(reply: &str) -> Vec<NetworkRow> {
    let row = |line: &str| {
        let mut columns = line.split('\t');
        let id = columns.next()?.parse().ok()?;
        let ssid = decode(columns.next()?.as_bytes());
        let flags = columns.nth(1).unwrap_or_default();
        Some(NetworkRow {
            id,
            ssid,
            current: flags.contains("[CURRENT]"),
            disabled: flags.contains("[DISABLED]"),
            persistent: flags.contains("[P2P-PERSISTENT]"),
        })
    };
    reply.lines().filter_map(row).collect()
}

/// Longest list that is gathered in octets: some six hundred networks.
pub const MAX_NETWORK_LIST: usize = 24 * 1024;

/// The request for what comes behind `page`, an answer to `LIST_NETWORKS`: `None` where nothing can.
///
/// wpa_supplicant ends its answer with the last row that fits into 4096 octets and goes on behind the number in `LAST_ID=`
/// (`wpa_supplicant_ctrl_iface_list_networks`). A row has less than 256: a number, 32 octets of name that may be written as four
/// characters each, an address and flags.
#[must_use]
pub fn further_networks(page: &str) -> Option<String> {
    const BUFFER: usize = 4096;
    const ROW: usize = 256;
    let last = networks(page).last()?.id;
    (page.len() > BUFFER - ROW).then(|| format!("LIST_NETWORKS LAST_ID={last}"))
}

/// Gathers all answers to `LIST_NETWORKS`, of which the first is `first`, up to [`MAX_NETWORK_LIST`]; `ask` makes a request.
///
/// # Errors
/// The first error of `ask`: half a list would be taken for a whole one.
pub fn all_networks<E>(
    first: String,
    mut ask: impl FnMut(&str) -> Result<String, E>,
) -> Result<String, E> {
    let mut all = first;
    let mut next = further_networks(&all);
    while let Some(request) = next {
        let page = ask(&request)?;
        let (Some(last), Some(first)) = (networks(&all).pop(), networks(&page).into_iter().next())
        else {
            break;
        };
        // One that does not know LAST_ID begins anew.
        if first.id <= last.id || all.len() + page.len() > MAX_NETWORK_LIST {
            break;
        }
        all.push_str(&page);
        next = further_networks(&page);
    }
    Ok(all)
}

/// `SIGNAL_POLL`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SignalPoll {
    /// In dBm.
    pub dbm: i16,
    /// In Mbit/s.
    pub rate_mbps: u32,
    /// In MHz.
    pub frequency: u16,
}

impl SignalPoll {
    /// Reads the reply to `SIGNAL_POLL`. `None` for `FAIL`.
    #[must_use]
    pub fn parse(reply: &str) -> Option<Self> {
        Some(Self {
            dbm: number(reply, "RSSI")?,
            rate_mbps: number(reply, "LINKSPEED").unwrap_or_default(),
            frequency: number(reply, "FREQUENCY").unwrap_or_default(),
        })
    }
}

/// `DRIVER_FLAGS`: what the driver said over nl80211.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DriverFlags {
    /// Access point.
    pub ap: bool,
    /// P2P.
    pub p2p: bool,
    /// P2P beside a station connection.
    pub p2p_concurrent: bool,
    /// A device interface of its own for P2P.
    pub dedicated_device: bool,
}

impl DriverFlags {
    /// Reads the reply: a number, then one flag a line.
    #[must_use]
    pub fn parse(reply: &str) -> Self {
        let has = |flag| reply.lines().any(|line| line.trim() == flag);
        Self {
            ap: has("AP"),
            p2p: has("P2P_CAPABLE"),
            p2p_concurrent: has("P2P_CONCURRENT"),
            dedicated_device: has("DEDICATED_P2P_DEVICE"),
        }
    }
}
