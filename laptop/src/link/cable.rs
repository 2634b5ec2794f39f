//! The USB cable: a handheld that is plugged in shows itself as a network interface, and this listens on each such one.
//!
//! Read from sysfs and from what the kernel tells of interfaces and addresses (rtnetlink(7)); nothing is polled and
//! nothing is changed. The socket is bound to the interface and reached by link-local addresses, so that a router that
//! the interface may have is of no concern.

use super::exchange::Exchange;
use super::responder::Responder;
use super::{Carrier, Kind, radio};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, recv, socket,
};
use std::fs;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

/// Drivers of the host side of a USB network gadget (drivers/net/usb of the kernel): NCM, ECM, EEM, RNDIS.
const DRIVERS: [&str; 4] = ["cdc_ncm", "cdc_ether", "cdc_eem", "rndis_host"];
/// rtnetlink(7): changes of interfaces, and of IPv6 addresses.
const GROUPS: u32 = 0x1 | 0x100;
/// Bit of the first octet of a hardware address that nobody's maker gave out (IEEE 802, 8.4): gadgets make up theirs.
const LOCAL: u8 = 0x02;
/// An address that is not yet, or never will be, of use (linux/if_addr.h): tentative, and found taken.
const UNUSABLE: u32 = 0x40 | 0x08;
/// Pause before a socket that could not be opened is tried again.
const OPEN_PAUSE: Duration = Duration::from_secs(5);

/// What is wanted of the cable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Settings {
    /// Port to listen on.
    pub port: u16,
    /// The only interface to listen on, whatever it looks like; without it, each that looks like a handheld's.
    pub interface: Option<String>,
}

/// Listens until it is stopped.
pub(super) struct Cable {
    /// Its other end is polled: dropping this one ends the thread.
    end: UnixStream,
    thread: JoinHandle<()>,
}

impl Cable {
    /// Begins to look for cables, in a thread of its own.
    ///
    /// # Errors
    /// The kernel tells nothing of interfaces, or no thread can be started.
    pub(super) fn start(settings: Settings, exchange: &Arc<Exchange>) -> io::Result<Self> {
        let netlink = listen_to_kernel()?;
        let (end, ended) = UnixStream::pair()?;
        let exchange = Arc::clone(exchange);
        let thread = std::thread::Builder::new()
            .name("cable".to_owned())
            .spawn(move || {
                let mut desk = Desk::new(PathBuf::from("/"), settings);
                if let Err(error) = run(&mut desk, &netlink, &ended, &exchange) {
                    log::error!("link-service: cables are no longer noticed: {error}");
                }
                desk.close(&exchange);
            })?;
        Ok(Self { end, thread })
    }

    /// Closes what listens.
    pub(super) fn stop(self) {
        drop(self.end);
        if self.thread.join().is_err() {
            log::error!("link-service: the thread that looks for cables has panicked");
        }
    }
}

fn listen_to_kernel() -> io::Result<OwnedFd> {
    let netlink = socket(
        AddressFamily::Netlink,
        SockType::Raw,
        SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK,
        SockProtocol::NetlinkRoute,
    )?;
    bind(netlink.as_raw_fd(), &NetlinkAddr::new(0, GROUPS))?;
    Ok(netlink)
}

fn run(
    desk: &mut Desk,
    netlink: &OwnedFd,
    ended: &UnixStream,
    exchange: &Exchange,
) -> io::Result<()> {
    loop {
        let all_open = desk.look(exchange);
        let timeout = match all_open {
            true => PollTimeout::NONE,
            false => PollTimeout::try_from(OPEN_PAUSE).unwrap_or(PollTimeout::MAX),
        };
        let mut fds = [
            PollFd::new(ended.as_fd(), PollFlags::POLLIN),
            PollFd::new(netlink.as_fd(), PollFlags::POLLIN),
        ];
        match poll(&mut fds, timeout) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        if fds[0].any() == Some(true) {
            return Ok(());
        }
        drain(netlink)?;
    }
}

/// Takes what the kernel has told. What it was is looked up: messages may be lost, files are not.
fn drain(netlink: &OwnedFd) -> io::Result<()> {
    let mut buffer = [0; 8192];
    loop {
        match recv(netlink.as_raw_fd(), &mut buffer, MsgFlags::MSG_DONTWAIT) {
            // More than was kept for us, which is a change all the more.
            Ok(_) | Err(Errno::ENOBUFS | Errno::EINTR) => {}
            Err(Errno::EAGAIN) => return Ok(()),
            Err(errno) => return Err(errno.into()),
        }
    }
}

/// An interface behind which a handheld may be.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Plugged {
    name: String,
    /// Its number: another one once the cable was pulled and plugged.
    index: u32,
    /// Switched on, connected, and with a link-local address.
    ready: bool,
}

/// A cable that is listened on.
struct Open {
    plugged: Plugged,
    id: u32,
    _responder: Option<Responder>,
}

/// The interfaces, and the sockets on them.
struct Desk {
    root: PathBuf,
    settings: Settings,
    open: Vec<Open>,
    /// What was found before, and whether it was named to the owner as not ready.
    seen: Vec<Plugged>,
}

impl Desk {
    fn new(root: PathBuf, settings: Settings) -> Self {
        Self {
            root,
            settings,
            open: Vec::new(),
            seen: Vec::new(),
        }
    }

    /// Opens and closes what has to be. False: something could not be opened.
    fn look(&mut self, exchange: &Exchange) -> bool {
        let found = plugged(&self.root, self.settings.interface.as_deref());
        for gone in self
            .open
            .extract_if(.., |open| !found.contains(&open.plugged))
        {
            log::info!(
                "link-service: carrier usb on {} has gone",
                gone.plugged.name
            );
            exchange.withdraw(gone.id);
        }
        let mut all_open = true;
        for plugged in &found {
            if !plugged.ready {
                if !self.seen.contains(plugged) {
                    log::info!(
                        "link-service: {0} looks like a handheld's cable, and has no link-local address yet. Where it gets \
                         none: sudo ip link set {0} up, or with NetworkManager: nmcli connection add type ethernet \
                         ifname {0} ipv4.method disabled ipv6.method link-local",
                        plugged.name
                    );
                }
                continue;
            }
            if self.open.iter().any(|open| open.plugged == *plugged) {
                continue;
            }
            match self.listen(plugged.clone(), exchange) {
                Ok(open) => self.open.push(open),
                Err(words) => {
                    all_open = false;
                    if !self.seen.contains(plugged) {
                        log::warn!("link-service: no carrier usb on {}: {words}", plugged.name);
                    }
                }
            }
        }
        self.seen = found;
        all_open
    }

    fn listen(&self, plugged: Plugged, exchange: &Exchange) -> Result<Open, String> {
        let listener = radio::listen(&self.root, &plugged.name, self.settings.port)?;
        let address = listener.local_addr().map_err(|error| error.to_string())?;
        // A handheld finds the laptop by its question alone: over a cable no address follows from anything.
        let responder = Responder::start(&plugged.name, address.port())
            .inspect_err(|error| {
                log::warn!(
                    "link-service: the beacon on {} stays unanswered: {error}",
                    plugged.name
                );
            })
            .ok();
        log::info!("link-service: carrier usb on {address}, {}", plugged.name);
        let id = exchange.offer(Carrier {
            kind: Kind::Usb,
            address,
            interface: Some(plugged.name.clone()),
            listener,
        });
        Ok(Open {
            plugged,
            id,
            _responder: responder,
        })
    }

    fn close(&mut self, exchange: &Exchange) {
        for open in self.open.drain(..) {
            exchange.withdraw(open.id);
        }
    }
}

/// Interfaces that are a handheld's cable, in the order of their names: those of USB network functions whose hardware address
/// was made up. An adapter for a wired network has its maker's address, and behind it are others.
fn plugged(root: &Path, only: Option<&str>) -> Vec<Plugged> {
    let net = root.join("sys/class/net");
    let addressed = fs::read_to_string(root.join("proc/net/if_inet6")).unwrap_or_default();
    let mut found: Vec<_> = fs::read_dir(&net)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| match only {
            Some(only) => name == only,
            None => is_cable(&net.join(name)),
        })
        .filter_map(|name| {
            let read = |file: &str| fs::read_to_string(net.join(&name).join(file)).ok();
            let index = read("ifindex")?.trim().parse().ok()?;
            // An interface that is switched off has no carrier to be read.
            let carrier = read("carrier").is_some_and(|text| text.trim() == "1");
            Some(Plugged {
                ready: carrier && has_address(&addressed, &name),
                name,
                index,
            })
        })
        .collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

fn is_cable(folder: &Path) -> bool {
    let driver = fs::read_link(folder.join("device/driver")).unwrap_or_default();
    let usb = driver
        .file_name()
        .and_then(|name| name.to_str())
        .is_some_and(|name| DRIVERS.contains(&name));
    let address = fs::read_to_string(folder.join("address")).unwrap_or_default();
    let first = address
        .get(..2)
        .and_then(|octet| u8::from_str_radix(octet, 16).ok());
    usb && first.is_some_and(|octet| octet & LOCAL != 0)
}

/// Whether a line of `/proc/net/if_inet6` gives this interface a link-local address that is of use.
fn has_address(list: &str, name: &str) -> bool {
    list.lines().any(|line| {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        let [address, _, _, _, flags, interface] = words[..] else {
            return false;
        };
        let flags = u32::from_str_radix(flags, 16).unwrap_or(UNUSABLE);
        interface == name && address.starts_with("fe80") && flags & UNUSABLE == 0
    })
}

#[cfg(test)]
mod tests {
    use super::super::handover::{News, hear};
    use super::super::packet::PacketSocket;
    use super::*;
    use crate::link::radio::testing::Laptop;
    use std::os::unix::fs::symlink;

    fn interface(laptop: &Laptop, name: &str, driver: &str, address: &str, index: u32) {
        laptop.file(&format!("sys/class/net/{name}/address"), address);
        laptop.file(&format!("sys/class/net/{name}/carrier"), "1\n");
        laptop.file(&format!("sys/class/net/{name}/ifindex"), &index.to_string());
        let device = laptop.0.join(format!("sys/class/net/{name}/device"));
        fs::create_dir_all(&device).expect("a folder");
        symlink(
            format!("/sys/bus/usb/drivers/{driver}"),
            device.join("driver"),
        )
        .expect("a link");
    }

    fn address(name: &str, flags: &str) -> String {
        format!("fe800000000000000000fffffe000b00 0b 40 20 {flags} {name:>8}\n")
    }

    #[test]
    fn a_gadget_s_cable_is_told_from_adapters_modems_and_everything_else() {
        let laptop = Laptop::new("cables");
        interface(&laptop, "usb0", "cdc_ncm", "c2:11:22:33:44:55\n", 7);
        interface(&laptop, "enx1", "rndis_host", "02:00:00:00:00:01\n", 8);
        interface(&laptop, "dongle", "cdc_ether", "00:e0:4c:11:22:33\n", 9);
        interface(&laptop, "modem", "cdc_mbim", "02:00:00:00:00:02\n", 10);
        interface(&laptop, "eth0", "e1000e", "02:00:00:00:00:03\n", 11);
        laptop.file("sys/class/net/lo/address", "00:00:00:00:00:00\n");
        laptop.file("sys/class/net/lo/ifindex", "1");
        let list = address("usb0", "80") + &address("enx1", "c0") + &address("lo", "80");
        laptop.file("proc/net/if_inet6", &list);
        let all = |only| {
            let found = plugged(&laptop.0, only).into_iter();
            found
                .map(|one| (one.name, one.index, one.ready))
                .collect::<Vec<_>>()
        };
        let (tentative, ready) = (("enx1".to_owned(), 8, false), ("usb0".to_owned(), 7, true));
        assert_eq!(all(None), [tentative, ready.clone()]);
        // One that the owner names is taken for what it is.
        assert_eq!(all(Some("dongle")), [("dongle".to_owned(), 9, false)]);
        assert_eq!(all(Some("usb0")), [ready]);
        assert_eq!(all(Some("nowhere")), []);
        laptop.file("sys/class/net/usb0/carrier", "0\n");
        assert_eq!(all(Some("usb0")), [("usb0".to_owned(), 7, false)]);
    }

    #[test]
    fn a_cable_that_comes_is_offered_and_one_that_goes_or_is_another_is_withdrawn() {
        let laptop = Laptop::new("plugged");
        let exchange = Arc::new(Exchange::default());
        let (theirs, daemon) = PacketSocket::pair();
        let serving = Arc::clone(&exchange);
        std::thread::spawn(move || serving.serve(theirs));
        assert!(matches!(hear(&daemon), Ok(News::Radio(None))));
        assert!(matches!(hear(&daemon), Ok(News::Trouble(None))));
        let settings = Settings {
            port: 0,
            interface: None,
        };
        let mut desk = Desk::new(laptop.0.clone(), settings);
        assert!(desk.look(&exchange), "no cable is no failure");
        // The only interface that every machine has stands for it.
        interface(&laptop, "lo", "cdc_ncm", "02:00:00:00:00:01\n", 1);
        laptop.file("proc/net/if_inet6", &address("lo", "80"));
        if !desk.look(&exchange) {
            eprintln!(
                "skipped: this machine has no IPv6, or interfaces are not for this user to bind to"
            );
            return;
        }
        assert!(desk.look(&exchange), "a second look opens nothing more");
        let offered = |daemon: &PacketSocket| match hear(daemon).expect("heard") {
            News::Listening { id, carrier } => {
                assert_eq!(carrier.kind.name(), "usb");
                assert_eq!(carrier.interface.as_deref(), Some("lo"));
                id
            }
            other => panic!("no carrier: {other:?}"),
        };
        let first = offered(&daemon);
        laptop.file("sys/class/net/lo/ifindex", "2");
        assert!(desk.look(&exchange));
        assert!(matches!(hear(&daemon), Ok(News::Gone { id }) if id == first));
        let second = offered(&daemon);
        laptop.file("sys/class/net/lo/carrier", "0");
        assert!(desk.look(&exchange));
        assert!(matches!(hear(&daemon), Ok(News::Gone { id }) if id == second));
        laptop.file("sys/class/net/lo/carrier", "1");
        assert!(desk.look(&exchange));
        let third = offered(&daemon);
        desk.close(&exchange);
        assert!(matches!(hear(&daemon), Ok(News::Gone { id }) if id == third));
    }

    #[test]
    fn it_ends_when_it_is_told() {
        let exchange = Arc::new(Exchange::default());
        let settings = Settings {
            port: 0,
            interface: Some("nowhere9".to_owned()),
        };
        Cable::start(settings, &exchange).expect("started").stop();
    }
}
