//! Radios of the kernel's `mac80211_hwsim`, made and removed one by one over generic netlink.
//!
//! Numbers: include/uapi/linux/genetlink.h and drivers/net/wireless/mac80211_hwsim.h of Linux 6.1.

use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketType, netlink};
use std::io;
use std::os::fd::OwnedFd;

const CONTROL: u16 = 0x10;
const GET_FAMILY: u8 = 3;
const FAMILY_ID: u16 = 1;
const FAMILY_NAME: u16 = 2;
const NEW_RADIO: u8 = 4;
const DEL_RADIO: u8 = 5;
const CHANNELS: u16 = 9;
const RADIO_ID: u16 = 10;
const SUPPORT_P2P_DEVICE: u16 = 14;
const RADIO_NAME: u16 = 17;
const PERM_ADDR: u16 = 22;
const IFTYPE_SUPPORT: u16 = 23;

/// Station and access point, but nothing of P2P: bits of nl80211's interface types.
pub const WITHOUT_P2P: u32 = 1 << 2 | 1 << 3;

/// What a radio can do.
pub struct Radio<'a> {
    /// Name of its phy, as in `/sys/class/ieee80211`.
    pub name: &'a str,
    /// Whether it has the interface apart for P2P management that `p2p-dev-*` is; Realtek's drivers have not.
    pub p2p_device: bool,
    /// How many channels it can serve at once.
    pub channels: u32,
    /// The interface types it has, as bits; all where absent.
    pub types: Option<u32>,
    /// Its address, where it matters.
    pub mac: Option<[u8; 6]>,
}

impl<'a> Radio<'a> {
    /// One that can do everything, on one channel at a time.
    pub fn new(name: &'a str) -> Self {
        Self {
            name,
            p2p_device: true,
            channels: 1,
            types: None,
            mac: None,
        }
    }
}

/// The talk with the simulated driver.
pub struct Hwsim {
    socket: OwnedFd,
    family: u16,
}

impl Hwsim {
    /// Asks the kernel for the driver, which has to be loaded.
    pub fn open() -> io::Result<Self> {
        let socket = rustix::net::socket(
            AddressFamily::NETLINK,
            SocketType::RAW,
            Some(netlink::GENERIC),
        )?;
        let mut hwsim = Self {
            socket,
            family: CONTROL,
        };
        let answer = hwsim.ask(
            GET_FAMILY,
            &attribute(FAMILY_NAME, b"MAC80211_HWSIM\0"),
            false,
        )?;
        let mut rest = answer.get(20..).unwrap_or_default();
        while let [l0, l1, k0, k1, ..] = *rest {
            let len = usize::from(u16::from_ne_bytes([l0, l1])).max(4);
            if u16::from_ne_bytes([k0, k1]) == FAMILY_ID && rest.len() >= 6 {
                hwsim.family = u16::from_ne_bytes([rest[4], rest[5]]);
                return Ok(hwsim);
            }
            rest = rest.get(len.next_multiple_of(4)..).unwrap_or_default();
        }
        Err(io::Error::other(
            "the kernel names no family of mac80211_hwsim",
        ))
    }

    /// Makes a radio; its number is what `remove` takes.
    pub fn add(&self, radio: &Radio<'_>) -> io::Result<u32> {
        let mut attributes = attribute(CHANNELS, &radio.channels.to_ne_bytes());
        attributes.extend(attribute(
            RADIO_NAME,
            format!("{}\0", radio.name).as_bytes(),
        ));
        if radio.p2p_device {
            attributes.extend(attribute(SUPPORT_P2P_DEVICE, &[]));
        }
        if let Some(types) = radio.types {
            attributes.extend(attribute(IFTYPE_SUPPORT, &types.to_ne_bytes()));
        }
        if let Some(mac) = radio.mac {
            attributes.extend(attribute(PERM_ADDR, &mac));
        }
        let answer = self.ask(NEW_RADIO, &attributes, true)?;
        Ok(code(&answer).unsigned_abs())
    }

    /// Removes a radio, as pulling the stick or reloading its driver does.
    pub fn remove(&self, number: u32) -> io::Result<()> {
        self.ask(DEL_RADIO, &attribute(RADIO_ID, &number.to_ne_bytes()), true)?;
        Ok(())
    }

    fn ask(&self, command: u8, attributes: &[u8], acknowledge: bool) -> io::Result<Vec<u8>> {
        let flags: u16 = 1 | if acknowledge { 4 } else { 0 };
        let mut message = Vec::new();
        message.extend((20 + attributes.len() as u32).to_ne_bytes());
        message.extend(self.family.to_ne_bytes());
        message.extend(flags.to_ne_bytes());
        message.extend([0; 8]);
        message.extend([command, 1, 0, 0]);
        message.extend(attributes);
        rustix::net::send(&self.socket, &message, SendFlags::empty())?;
        let mut buffer = [0; 8192];
        let (len, _) = rustix::net::recv(&self.socket, &mut buffer[..], RecvFlags::empty())?;
        let answer = buffer[..len].to_vec();
        let is_error = answer.get(4..6) == Some(&2u16.to_ne_bytes()[..]);
        if is_error && code(&answer) < 0 {
            return Err(io::Error::from_raw_os_error(-code(&answer)));
        }
        Ok(answer)
    }
}

/// What an NLMSG_ERROR says: below zero an error, else the driver's number.
fn code(answer: &[u8]) -> i32 {
    answer
        .get(16..20)
        .and_then(|bytes| bytes.try_into().ok())
        .map_or(0, i32::from_ne_bytes)
}

fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let len = 4 + value.len();
    let mut bytes = Vec::with_capacity(len.next_multiple_of(4));
    bytes.extend((len as u16).to_ne_bytes());
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(value);
    bytes.resize(len.next_multiple_of(4), 0);
    bytes
}
