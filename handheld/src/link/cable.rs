//! The USB cable: the device's own network gadget, and from there to the laptop at the other end.
//!
//! Firmware that offers such a gadget shows it as a network interface (ROCKNIX's `usb0`, as our own image's). Nothing is configured here: the
//! kernel gives both ends link-local addresses, and a small datagram finds the laptop. All sockets are bound to that interface.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use smol::Timer;
use smol::future::or;
use smol::net::TcpStream;

use super::carrier::in_time;
use super::reach::{PORT, addressed, ask, call};
use super::sight::{LINKS, Netlink};
use crate::broker::{Broker, index, is_gadget};

/// Where the kernel shows interfaces.
pub const NET: &str = "/sys/class/net";

/// How long the other end may take to notice that an interface was switched on.
const CARRIER_TIMEOUT: Duration = Duration::from_secs(2);

/// How long a laptop may take to answer who it is: two questions. A cable may well go to one that knows nothing of us.
const ANSWER_TIMEOUT: Duration = Duration::from_millis(1500);

/// Said where the firmware shows no gadget.
pub const NO_GADGET: &str =
    "This firmware offers no network over USB. Link by radio, or by an address.";

/// Said where there is a gadget and nothing at its other end.
pub const NO_CABLE: &str = "No laptop is at the USB cable, or the cable carries power alone.";

/// Said where the other end is silent.
const NO_ANSWER: &str = "Nobody answers at the USB cable. Is OfficeOS running on that laptop, with usb_link on and no firewall between?";

/// The device's network gadget.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gadget {
    /// Its interface.
    pub name: String,
    /// Switched on.
    pub up: bool,
    /// Something is at its other end.
    pub carrier: bool,
}

/// The gadget among the interfaces in `net`; of several the one that is plugged in. `only` names one, whatever it looks like.
pub fn gadget(net: &Path, only: Option<&str>) -> Option<Gadget> {
    let mut found: Vec<Gadget> = fs::read_dir(net)
        .ok()?
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| match only {
            Some(only) => name == only,
            None => is_gadget(&net.join(name), name),
        })
        .map(|name| {
            let text = |file: &str| fs::read_to_string(net.join(&name).join(file)).ok();
            let flags = text("flags").unwrap_or_default();
            let flags = u32::from_str_radix(flags.trim().trim_start_matches("0x"), 16).unwrap_or(0);
            Gadget {
                // IFF_UP. An interface that is switched off has no carrier to be read.
                up: flags & 1 != 0,
                carrier: text("carrier").is_some_and(|text| text.trim() == "1"),
                name,
            }
        })
        .collect();
    found.sort_by(|a, b| (!a.carrier, &a.name).cmp(&(!b.carrier, &b.name)));
    found.into_iter().next()
}

/// Whether a laptop, or something like it, is at the cable.
pub fn is_plugged(only: Option<&str>) -> bool {
    gadget(Path::new(NET), only).is_some_and(|gadget| gadget.carrier)
}

/// Connects to the laptop at the other end. `port`: where it listens; 0 for the usual.
///
/// # Errors
/// A sentence for the connection screen.
pub async fn reach(broker: &Broker, only: Option<&str>, port: u16) -> Result<TcpStream, String> {
    let gadget = gadget(Path::new(NET), only).ok_or(NO_GADGET)?;
    let name = gadget.name.as_str();
    if !gadget.up {
        broker.raise(name).map_err(|error| {
            format!("The USB network {name} is switched off, and this app may not switch it on: {error}.")
        })?;
        connected(broker, name, only).await?;
    } else if !gadget.carrier {
        return Err(NO_CABLE.into());
    }
    addressed(broker, name).await?;
    let index = index(name).ok_or_else(|| format!("The interface {name} is gone."))?;
    let port = if port == 0 { PORT } else { port };
    let found = async {
        ask(broker, name, index, port)
            .await
            .map_err(|e| format!("{e}."))
    };
    let silence = async {
        Timer::after(ANSWER_TIMEOUT).await;
        Err(NO_ANSWER.to_owned())
    };
    let laptop = or(found, silence).await?;
    log::debug!("{name}: the laptop is at {laptop}");
    in_time(call(broker, name, laptop)).await
}

/// Waits until something is at the other end of an interface that was just switched on.
async fn connected(broker: &Broker, name: &str, only: Option<&str>) -> Result<(), String> {
    let said = |error: io::Error| format!("{error}.");
    let netlink = Netlink::open(broker, LINKS).map_err(said)?;
    let wait = async {
        loop {
            // As it is now, then what changes it: in this order nothing is missed.
            let now = gadget(Path::new(NET), only);
            if now.is_some_and(|gadget| gadget.name == name && gadget.carrier) {
                return Ok(());
            }
            netlink.changed().await.map_err(said)?;
        }
    };
    let timeout = async {
        Timer::after(CARRIER_TIMEOUT).await;
        Err(NO_CABLE.to_owned())
    };
    or(wait, timeout).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;
    use std::path::PathBuf;

    struct Net(PathBuf);

    impl Net {
        fn new(name: &str) -> Self {
            let folder =
                std::env::temp_dir().join(format!("officeos-cable-{name}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&folder);
            fs::create_dir_all(&folder).unwrap();
            Self(folder)
        }

        fn file(&self, path: &str, text: &str) {
            let path = self.0.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }

        fn interface(&self, name: &str, uevent: &str, flags: &str, carrier: &str) {
            self.file(&format!("{name}/uevent"), uevent);
            self.file(&format!("{name}/flags"), flags);
            self.file(&format!("{name}/carrier"), carrier);
        }
    }

    impl Drop for Net {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn the_kernel_s_word_counts_then_a_usual_name_and_never_the_computer_s_end() {
        let net = Net::new("names");
        assert_eq!(gadget(&net.0, None), None);
        assert_eq!(gadget(Path::new("/nowhere/at/all"), None), None);
        net.interface("eth0", "INTERFACE=eth0\n", "0x1003\n", "1\n");
        net.interface("wlan0", "DEVTYPE=wlan\n", "0x1003\n", "1\n");
        // Somebody's phone at this device: the computer's end has this name too.
        net.interface("usb1", "INTERFACE=usb1\n", "0x1003\n", "1\n");
        fs::create_dir_all(net.0.join("usb1/device")).unwrap();
        symlink("../../../bus/usb", net.0.join("usb1/device/subsystem")).unwrap();
        assert_eq!(gadget(&net.0, None), None);
        net.interface("rndis0", "INTERFACE=rndis0\n", "0x1002\n", "");
        let named = Gadget {
            name: "rndis0".into(),
            up: false,
            carrier: false,
        };
        assert_eq!(gadget(&net.0, None), Some(named));
        net.interface(
            "enx7",
            "DEVTYPE=gadget\nINTERFACE=enx7\n",
            "0x1003\n",
            "1\n",
        );
        let told = Gadget {
            name: "enx7".into(),
            up: true,
            carrier: true,
        };
        assert_eq!(
            gadget(&net.0, None),
            Some(told),
            "the one that is plugged in"
        );
        let asked = gadget(&net.0, Some("eth0")).map(|gadget| gadget.name);
        assert_eq!(asked.as_deref(), Some("eth0"));
        assert_eq!(gadget(&net.0, Some("usb9")), None);
    }

    #[test]
    fn a_device_without_a_gadget_says_so() {
        let broker = crate::broker::in_thread(Default::default());
        let why = smol::block_on(reach(&broker, Some("nowhere9"), 0)).unwrap_err();
        assert_eq!(why, NO_GADGET);
        assert!(!is_plugged(Some("nowhere9")));
    }
}
