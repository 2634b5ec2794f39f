//! What can keep the group from being up, in words, and the command that mends it.

use std::fmt;
use std::path::PathBuf;

/// Whose hand holds a radio switch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Switch {
    /// Software's.
    Soft,
    /// A switch or key on the laptop's case.
    Hard,
}

/// Why there is no group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// The laptop has no Wi-Fi device that the kernel knows.
    NoWifi,
    /// The interface that settings name does not exist or is no Wi-Fi interface.
    NoInterface(String),
    /// Radio is switched off.
    Blocked(Switch),
    /// There is no folder of control sockets.
    NoSupplicant,
    /// iwd runs Wi-Fi here; it has no Wi-Fi Direct group owner.
    Iwd,
    /// The control sockets are not for this user.
    Denied(PathBuf),
    /// wpa_supplicant runs, but not on this interface.
    Unmanaged(String),
    /// The control socket is there and nobody answers on it.
    Silent(String),
    /// This build of wpa_supplicant has no Wi-Fi Direct.
    NoP2pInSupplicant(String),
    /// The driver has no Wi-Fi Direct, or it is switched off in wpa_supplicant's settings.
    NoP2pInDriver(String),
    /// The interface is on a network, and the driver cannot do two things at once.
    Occupied(String),
    /// The interface is on a network on this frequency in MHz, where no group may start, and cannot be on two channels.
    Busy(String, u16),
    /// No channel may be used by a group under the rules of the country that is set.
    NoChannel(String),
    /// wpa_supplicant refused every frequency and says no reason.
    Refused(String),
    /// The kernel has IPv6 switched off.
    NoIpv6,
    /// The port cannot be listened on; what the system said.
    NoPort(u16, String),
}

impl Trouble {
    /// The command or the deed that mends it.
    pub fn remedy(&self) -> Option<String> {
        Some(match self {
            Self::NoInterface(_) => "set networking.interface in daemon.toml to one that `ip link` shows, or leave it out".to_owned(),
            Self::Blocked(Switch::Soft) => "rfkill unblock wifi".to_owned(),
            Self::NoSupplicant => "sudo apt install wpasupplicant && sudo systemctl restart wpa_supplicant NetworkManager".to_owned(),
            Self::Iwd => {
                "sudo apt install wpasupplicant, remove wifi.backend=iwd from /etc/NetworkManager, then sudo systemctl disable --now iwd && sudo systemctl restart NetworkManager".to_owned()
            }
            Self::Denied(_) => "sudo usermod -aG netdev $USER, then log in again".to_owned(),
            Self::Unmanaged(interface) => format!("nmcli device set {interface} managed yes"),
            Self::Silent(_) => "sudo systemctl restart wpa_supplicant".to_owned(),
            Self::NoP2pInSupplicant(_) => "sudo apt install --reinstall wpasupplicant".to_owned(),
            Self::Occupied(interface) => format!("nmcli device disconnect {interface}"),
            Self::NoChannel(_) => "sudo iw reg set XX, with the two letters of your country".to_owned(),
            Self::NoIpv6 => "sudo sysctl net.ipv6.conf.all.disable_ipv6=0 net.ipv6.conf.default.disable_ipv6=0".to_owned(),
            Self::NoPort(..) => "change networking.wifi_direct_port in daemon.toml, or end the program that listens there".to_owned(),
            Self::NoWifi
            | Self::Blocked(Switch::Hard)
            | Self::NoP2pInDriver(_)
            | Self::Busy(..)
            | Self::Refused(_) => return None,
        })
    }

    /// What is wrong and what to do about it, in one line.
    pub fn advice(&self) -> String {
        match self.remedy() {
            Some(remedy) => format!("{self}; to mend it: {remedy}"),
            None => self.to_string(),
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoWifi => f.write_str("this laptop has no Wi-Fi device that Linux knows; a USB Wi-Fi adapter would do, or its firmware package is missing"),
            Self::NoInterface(name) => write!(f, "there is no Wi-Fi interface {}", crate::sanitize::visible(name)),
            Self::Blocked(Switch::Soft) => f.write_str("Wi-Fi is switched off (flight mode)"),
            Self::Blocked(Switch::Hard) => f.write_str("Wi-Fi is switched off by the switch or key on the laptop's case"),
            Self::NoSupplicant => f.write_str("wpa_supplicant is not running, or has no control sockets"),
            Self::Iwd => f.write_str("Wi-Fi is run by iwd here, which cannot host a Wi-Fi Direct group"),
            Self::Denied(path) => write!(f, "this user may not talk to wpa_supplicant at {}", path.display()),
            Self::Unmanaged(interface) => write!(f, "wpa_supplicant does not drive {interface}"),
            Self::Silent(interface) => write!(f, "wpa_supplicant does not answer for {interface}"),
            Self::NoP2pInSupplicant(interface) => {
                write!(f, "the wpa_supplicant that drives {interface} is built without Wi-Fi Direct")
            }
            Self::NoP2pInDriver(interface) => write!(
                f,
                "the driver of {interface} has no Wi-Fi Direct; another adapter is needed, or the laptop's hotspot or USB instead"
            ),
            Self::Occupied(interface) => write!(
                f,
                "{interface} is on a network, and its driver cannot host a group beside it; a second adapter would do"
            ),
            Self::Busy(interface, frequency) => write!(
                f,
                "{interface} is on a network at {frequency} MHz, where no group may start, and it cannot be on two channels; put the router on a channel from 1 to 11, or leave that network"
            ),
            Self::NoChannel(interface) => {
                write!(f, "{interface} may not start a group on any channel of 2.4 GHz under the country that is set")
            }
            Self::Refused(interface) => write!(
                f,
                "wpa_supplicant started no group on {interface} on any frequency; `journalctl -u wpa_supplicant` says why"
            ),
            Self::NoIpv6 => f.write_str("IPv6 is switched off, which the link needs for its addresses"),
            Self::NoPort(port, why) => write!(f, "cannot listen on port {port} of the group: {why}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_trouble_says_what_it_is_and_what_mends_it() {
        let wlan0 = || "wlan0".to_owned();
        for trouble in [
            Trouble::NoWifi,
            Trouble::NoInterface("w\n0".to_owned()),
            Trouble::Blocked(Switch::Soft),
            Trouble::Blocked(Switch::Hard),
            Trouble::NoSupplicant,
            Trouble::Iwd,
            Trouble::Denied(PathBuf::from("/run/wpa_supplicant")),
            Trouble::Unmanaged(wlan0()),
            Trouble::Silent(wlan0()),
            Trouble::NoP2pInSupplicant(wlan0()),
            Trouble::NoP2pInDriver(wlan0()),
            Trouble::Occupied(wlan0()),
            Trouble::Busy(wlan0(), 5180),
            Trouble::NoChannel(wlan0()),
            Trouble::Refused(wlan0()),
            Trouble::NoIpv6,
            Trouble::NoPort(8144, "in use".to_owned()),
        ] {
            let (words, advice) = (trouble.to_string(), trouble.advice());
            assert!(words.len() > 20 && advice.starts_with(&words), "{advice}");
            assert!(!advice.contains('\n') && !words.ends_with('.'), "{advice}");
        }
        assert_eq!(
            Trouble::Blocked(Switch::Soft).advice(),
            "Wi-Fi is switched off (flight mode); to mend it: rfkill unblock wifi"
        );
    }
}
