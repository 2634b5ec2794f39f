//! Reads what comes by itself on a control socket.

use alloc::string::String;

use super::event::{Device, Event, Group, Line, Role};
use super::fields::Fields;
use super::text::{Mac, Secret};

/// Most characters kept of an unknown event's word; no known one has more than 35.
const MAX_WORD_LEN: usize = 48;

/// Reads one message. Never fails: what is not known, or lacks what it should have, is [`Event::Other`].
#[must_use]
pub fn parse(message: &[u8]) -> Line {
    let mut rest = message;
    let mut interface = None;
    if let Some(after) = rest.strip_prefix(b"IFNAME=") {
        let end = after.iter().position(|b| *b == b' ').unwrap_or(after.len());
        interface = Some(String::from_utf8_lossy(&after[..end]).into_owned());
        rest = after.get(end + 1..).unwrap_or_default();
    }
    let mut level = 3;
    if let [b'<', digit @ b'0'..=b'9', b'>', after @ ..] = rest {
        level = digit - b'0';
        rest = after;
    }
    let end = rest.iter().position(|b| *b == b' ').unwrap_or(rest.len());
    let (word, rest) = rest.split_at(end);
    let word: String = word
        .iter()
        .take_while(|b| b.is_ascii_graphic())
        .take(MAX_WORD_LEN)
        .map(|b| char::from(*b))
        .collect();
    let fields = Fields::read(rest);
    let event = event(&word, &fields).unwrap_or(Event::Other(word));
    Line {
        interface,
        level,
        event,
    }
}

fn event(word: &str, f: &Fields) -> Option<Event> {
    use Event as E;
    let network = || f.number("id").and_then(|id| u32::try_from(id).ok());
    let freq = || f.u16("freq").unwrap_or_default();
    let status = |name| f.u16(name).unwrap_or_default();
    Some(match word {
        "CTRL-EVENT-TERMINATING" => E::Terminating,
        "INTERFACE-ENABLED" => E::InterfaceEnabled,
        "INTERFACE-DISABLED" => E::InterfaceDisabled,
        "CTRL-EVENT-STATE-CHANGE" => E::StateChange {
            state: f.number("state").and_then(|n| u8::try_from(n).ok())?,
            bssid: f.mac("BSSID"),
        },
        "CTRL-EVENT-REGDOM-CHANGE" => E::RegdomChange {
            alpha2: f.text("alpha2").unwrap_or_default(),
        },
        "CTRL-EVENT-SCAN-STARTED" => E::ScanStarted,
        "CTRL-EVENT-SCAN-RESULTS" => E::ScanResults,
        "CTRL-EVENT-SCAN-FAILED" => E::ScanFailed {
            code: f
                .number("ret")
                .and_then(|n| i32::try_from(n).ok())
                .unwrap_or_default(),
            retry: f.number("retry") == Some(1),
        },
        // "id address"
        "CTRL-EVENT-BSS-ADDED" => E::BssAdded {
            bssid: f.word_mac(1)?,
        },
        "CTRL-EVENT-BSS-REMOVED" => E::BssRemoved {
            bssid: f.word_mac(1)?,
        },
        "CTRL-EVENT-NETWORK-NOT-FOUND" => E::NetworkNotFound,
        // "- Connection to ADDRESS completed [id=0 id_str=]"
        "CTRL-EVENT-CONNECTED" => E::Connected {
            bssid: f.word_mac(3)?,
            network: network(),
        },
        "CTRL-EVENT-DISCONNECTED" => E::Disconnected {
            bssid: f.mac("bssid").filter(|mac| *mac != Mac::default()),
            reason: status("reason"),
            local: f.number("locally_generated") == Some(1),
        },
        "CTRL-EVENT-ASSOC-REJECT" => E::AssocReject {
            bssid: f.mac("bssid"),
            status: status("status_code"),
            // With its reason behind an equals sign from version 2.8 on.
            timeout: f.has_word("timeout") || f.has_value("timeout"),
        },
        "CTRL-EVENT-AUTH-REJECT" => E::AuthReject {
            bssid: f.word_mac(0),
            status: status("status_code"),
        },
        "CTRL-EVENT-SSID-TEMP-DISABLED" => E::TempDisabled {
            network: network(),
            ssid: f.octets("ssid").unwrap_or_default(),
            failures: f.u32("auth_failures").unwrap_or_default(),
            seconds: f.u32("duration").unwrap_or_default(),
            reason: f.text("reason").unwrap_or_default(),
        },
        "CTRL-EVENT-SSID-REENABLED" => E::Reenabled { network: network() },
        "CTRL-EVENT-SIGNAL-CHANGE" => E::SignalChange {
            above: f.number("above") == Some(1),
            dbm: f
                .number("signal")
                .and_then(|n| i16::try_from(n).ok())
                .unwrap_or_default(),
            rate_kbps: f.u32("txrate").unwrap_or_default(),
        },
        "CTRL-EVENT-BEACON-LOSS" => E::BeaconLoss,
        "CTRL-EVENT-CHANNEL-SWITCH" | "CTRL-EVENT-STARTED-CHANNEL-SWITCH" => {
            E::ChannelSwitch { frequency: freq() }
        }
        "AP-ENABLED" => E::ApEnabled,
        "AP-DISABLED" => E::ApDisabled,
        "AP-CSA-FINISHED" => E::ChannelSwitchFinished { frequency: freq() },
        "AP-STA-CONNECTED" => E::StationConnected {
            station: f.word_mac(0)?,
            device: f.mac("p2p_dev_addr"),
        },
        "AP-STA-DISCONNECTED" => E::StationDisconnected {
            station: f.word_mac(0)?,
            device: f.mac("p2p_dev_addr"),
        },
        "AP-STA-POSSIBLE-PSK-MISMATCH" => E::PskMismatch {
            station: f.word_mac(0)?,
        },
        "WPS-AP-AVAILABLE-PBC" => E::PbcAvailable,
        "WPS-PBC-ACTIVE" => E::PbcActive,
        "WPS-PBC-DISABLE" => E::PbcDisabled,
        "WPS-OVERLAP-DETECTED" => E::WpsOverlap,
        "WPS-TIMEOUT" => E::WpsTimeout,
        "WPS-SUCCESS" => E::WpsSuccess,
        "WPS-FAIL" => E::WpsFailed {
            message: f
                .number("msg")
                .and_then(|n| u8::try_from(n).ok())
                .unwrap_or_default(),
            error: status("config_error"),
        },
        // The credential itself is a secret and stays where it is.
        "WPS-CRED-RECEIVED" => E::WpsCredential,
        "WPS-REG-SUCCESS" => E::WpsRegistered {
            station: f.word_mac(0)?,
        },
        "WPS-ENROLLEE-SEEN" => E::WpsEnrolleeSeen {
            station: f.word_mac(0)?,
        },
        "P2P-DEVICE-FOUND" => E::DeviceFound(device(f)?),
        "P2P-DEVICE-LOST" => E::DeviceLost {
            device: f.mac("p2p_dev_addr")?,
        },
        "P2P-FIND-STOPPED" => E::FindStopped,
        "P2P-PROV-DISC-PBC-REQ" => E::ProvDiscPbcRequest(device(f)?),
        "P2P-PROV-DISC-PBC-RESP" => E::ProvDiscPbcResponse {
            device: f.word_mac(0)?,
        },
        "P2P-PROV-DISC-SHOW-PIN" => E::ProvDiscShowPin {
            device: f.word_mac(0)?,
        },
        "P2P-PROV-DISC-ENTER-PIN" => E::ProvDiscEnterPin {
            device: f.word_mac(0)?,
        },
        "P2P-PROV-DISC-FAILURE" => E::ProvDiscFailed {
            device: f.mac("p2p_dev_addr")?,
            status: status("status"),
        },
        "P2P-GO-NEG-REQUEST" => E::GoNegRequest {
            device: f.word_mac(0)?,
        },
        "P2P-GO-NEG-SUCCESS" => E::GoNegSuccess,
        "P2P-GO-NEG-FAILURE" => E::GoNegFailed {
            status: status("status"),
        },
        "P2P-GROUP-FORMATION-SUCCESS" => E::GroupFormed,
        "P2P-GROUP-FORMATION-FAILURE" => E::GroupFormationFailed,
        "P2P-GROUP-STARTED" => E::GroupStarted(group(f)?),
        "P2P-GROUP-REMOVED" => E::GroupRemoved {
            interface: f.word(0)?.into(),
            role: role(f.word(1)?)?,
            reason: f.text("reason").unwrap_or_default(),
        },
        "P2P-REMOVE-AND-REFORM-GROUP" => E::GroupReform,
        "P2P-INVITATION-RECEIVED" => E::InvitationReceived,
        "P2P-INVITATION-ACCEPTED" => E::InvitationAccepted,
        "P2P-INVITATION-RESULT" => E::InvitationResult {
            status: f
                .number("status")
                .and_then(|n| i32::try_from(n).ok())
                .unwrap_or(-1),
        },
        "P2P-PERSISTENT-PSK-FAIL" => E::PersistentPskFailed { network: network() },
        "P2P-FALLBACK-TO-GO-NEG" | "P2P-FALLBACK-TO-GO-NEG-ENABLED" => E::FallbackToGoNeg,
        "P2P-CROSS-CONNECT-ENABLE" | "P2P-CROSS-CONNECT-DISABLE" => E::CrossConnect,
        "P2P-SERV-DISC-REQ" | "P2P-SERV-DISC-RESP" | "P2P-SERV-ASP-RESP" => E::ServiceDiscovery,
        "P2P-PRESENCE-RESPONSE" => E::PresenceResponse,
        "P2PS-PROV-START" | "P2PS-PROV-DONE" => E::P2ps,
        "P2P-NFC-BOTH-GO" | "P2P-NFC-PEER-CLIENT" | "P2P-NFC-WHILE-CLIENT" => E::P2pNfc,
        "P2P-LISTEN-OFFLOAD-STOP" | "P2P-LISTEN-OFFLOAD-STOPPED" => E::ListenOffload,
        _ => return None,
    })
}

fn device(f: &Fields) -> Option<Device> {
    let interface = f.word_mac(0)?;
    let bits = |name| f.hex(name).unwrap_or_default();
    Some(Device {
        device: f.mac("p2p_dev_addr").unwrap_or(interface),
        interface,
        name: f.text("name").unwrap_or_default(),
        kind: f.text("pri_dev_type").unwrap_or_default(),
        config_methods: bits("config_methods") as u16,
        device_capability: bits("dev_capab") as u8,
        group_capability: bits("group_capab") as u8,
        group: f.text("group"),
    })
}

fn role(word: &str) -> Option<Role> {
    match word {
        "GO" => Some(Role::Owner),
        "client" => Some(Role::Client),
        _ => None,
    }
}

fn group(f: &Fields) -> Option<Group> {
    Some(Group {
        interface: f.word(0)?.into(),
        role: role(f.word(1)?)?,
        ssid: f.octets("ssid")?,
        frequency: f.u16("freq").unwrap_or_default(),
        passphrase: f.text("passphrase").map(Secret),
        psk: f.text("psk").map(Secret),
        owner: f.mac("go_dev_addr").unwrap_or_default(),
        persistent: f.has_word("[PERSISTENT]"),
    })
}
