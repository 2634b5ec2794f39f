//! What the system shows of radios: wireless interfaces and control sockets; and when it is worth looking again.
//!
//! Nothing is polled, and no socket is opened here: that of rtnetlink comes from the broker. The kernel tells of interfaces (rtnetlink), of sockets (inotify), of radio switches (rfkill), and of waking from
//! suspend: a timer on the wall clock that is cancelled when that clock is set, which the end of a suspend does (timerfd_create(2),
//! TFD_TIMER_CANCEL_ON_SET).

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use nix::sys::socket::{MsgFlags, recv};
use nix::sys::time::{TimeSpec, TimeValLike};
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use nix::time::{ClockId as Clock, clock_gettime};
use smol::Async;
use smol::future::or;

use crate::broker::Broker;
use crate::radio::{Interface, Port, Scene};

/// Where the kernel shows interfaces.
const NET: &str = "/sys/class/net";

/// Where the kernel tells of radio switches.
const RFKILL: &str = "/dev/rfkill";

/// IFF_UP of `/sys/class/net/IF/flags`.
const UP: u32 = 1;

/// rtnetlink(7): changes of interfaces.
pub const LINKS: u32 = 0x1;

/// rtnetlink(7): changes of IPv6 addresses.
pub const ADDRESSES: u32 = 0x100;

/// Where a clock is set far enough in the future that only setting the clock ends the wait: ten years.
const FAR_S: i64 = 10 * 365 * 86_400;

/// So much more time passed by the clock that counts suspend than by the one that does not: the device slept.
const SLEPT_MS: i64 = 500;

/// Interfaces and sockets as they are now. Of sockets of the same name that in the first folder counts, as it does for the broker.
pub fn look(folders: &[PathBuf]) -> Scene {
    let mut scene = Scene {
        interfaces: interfaces(Path::new(NET)),
        ports: Vec::new(),
    };
    for folder in folders {
        // A folder that is not there has no sockets.
        let Ok(entries) = std::fs::read_dir(folder) else {
            continue;
        };
        for entry in entries.flatten() {
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            let Ok(facts) = entry.path().metadata() else {
                continue;
            };
            let known = scene.ports.iter().any(|port| port.name == name);
            if facts.file_type().is_socket() && !known {
                let mark = facts.ino();
                scene.ports.push(Port { name, mark });
            }
        }
    }
    scene.ports.sort();
    scene
}

fn interfaces(net: &Path) -> Vec<Interface> {
    let Ok(entries) = std::fs::read_dir(net) else {
        return Vec::new();
    };
    let mut found: Vec<Interface> = entries
        .flatten()
        .filter_map(|entry| interface(&entry.path(), entry.file_name().to_str()?))
        .collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

fn interface(folder: &Path, name: &str) -> Option<Interface> {
    // phy80211 is there for every nl80211 driver; old vendor kernels know `wireless` alone.
    let phy = folder.join("phy80211");
    if !phy.exists() && !folder.join("wireless").exists() {
        return None;
    }
    let text = |file: &str| std::fs::read_to_string(folder.join(file)).unwrap_or_default();
    let flags = text("flags");
    let flags = u32::from_str_radix(flags.trim().trim_start_matches("0x"), 16).unwrap_or(UP);
    let address = shared_proto::supplicant::Mac::parse(text("address").trim());
    Some(Interface {
        name: name.to_owned(),
        address: address.map(|mac| mac.0).unwrap_or_default(),
        up: flags & UP != 0,
        blocked: is_blocked(&phy),
    })
}

/// Whether a switch of this radio is off (`/sys/class/ieee80211/PHY/rfkillN/{soft,hard}`).
fn is_blocked(phy: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(phy) else {
        return false;
    };
    let switches = entries.flatten().filter(|entry| {
        let name = entry.file_name();
        name.to_str().is_some_and(|name| name.starts_with("rfkill"))
    });
    let off = |file: PathBuf| std::fs::read_to_string(file).is_ok_and(|text| text.trim() == "1");
    switches
        .into_iter()
        .any(|switch| off(switch.path().join("soft")) || off(switch.path().join("hard")))
}

/// A socket on which the kernel tells of changes.
pub struct Netlink(Async<OwnedFd>);

impl Netlink {
    /// Listens to these groups.
    ///
    /// # Errors
    /// The kernel has none, or nobody opens it.
    pub fn open(broker: &Broker, groups: u32) -> io::Result<Self> {
        Async::new(broker.changes(groups)?).map(Self)
    }

    /// Waits until something changed. What it was is for the caller to look up: messages may be lost, files are not.
    ///
    /// # Errors
    /// The socket does not serve any more.
    pub async fn changed(&self) -> io::Result<()> {
        self.0.readable().await?;
        let mut buffer = [0; 8192];
        loop {
            match recv(
                self.0.as_fd().as_raw_fd(),
                &mut buffer,
                MsgFlags::MSG_DONTWAIT,
            ) {
                // More than was kept for us, which is a change all the more.
                Ok(_) | Err(nix::Error::ENOBUFS | nix::Error::EINTR) => {}
                Err(nix::Error::EAGAIN) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// Why to look again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Glance {
    /// Something may be different.
    Changed,
    /// The device slept.
    Woke,
}

/// Waits for reasons to look again.
pub struct Watch {
    links: Netlink,
    sockets: Async<Inotify>,
    folders: Vec<PathBuf>,
    clock: Option<Async<TimerFd>>,
    /// Radio switches, where this user may read of them.
    switches: Option<Async<File>>,
    /// By how much the clock that counts suspend was ahead.
    slept_ms: i64,
}

impl Watch {
    /// Watches interfaces and these folders, which need not be there yet.
    ///
    /// # Errors
    /// The kernel lacks something that every kernel since 2.6.27 has.
    pub fn open(broker: &Broker, folders: &[PathBuf]) -> io::Result<Self> {
        let inotify = Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC)?;
        let clock = TimerFd::new(
            ClockId::CLOCK_REALTIME,
            TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC,
        );
        let watch = Self {
            links: Netlink::open(broker, LINKS)?,
            sockets: Async::new(inotify)?,
            folders: folders.to_vec(),
            clock: clock.ok().and_then(|clock| Async::new(clock).ok()),
            switches: switches().ok(),
            slept_ms: slept_ms(),
        };
        watch.arm();
        watch.follow();
        Ok(watch)
    }

    /// Waits for the next reason.
    ///
    /// # Errors
    /// One of the kernel's ways to tell does not serve any more.
    pub async fn next(&mut self) -> io::Result<Glance> {
        let clock = async {
            let Some(clock) = &self.clock else {
                return smol::future::pending().await;
            };
            clock.readable().await
        };
        let sockets = async {
            self.sockets.readable().await?;
            match self.sockets.as_ref().read_events() {
                Ok(_) | Err(nix::Error::EAGAIN) => Ok(()),
                Err(error) => Err(io::Error::from(error)),
            }
        };
        let switches = async {
            let Some(switches) = &self.switches else {
                return smol::future::pending().await;
            };
            switches.readable().await?;
            let mut events = [0; 256];
            // Each read gives one event at most; what they say stands in sysfs.
            while switches
                .get_ref()
                .read(&mut events)
                .is_ok_and(|len| len > 0)
            {}
            Ok(())
        };
        or(or(clock, switches), or(sockets, self.links.changed())).await?;
        // A folder may have come or gone; its watch goes with it.
        self.follow();
        self.arm();
        let slept = slept_ms();
        let woke = slept - self.slept_ms > SLEPT_MS;
        self.slept_ms = slept;
        Ok(match woke {
            true => Glance::Woke,
            false => Glance::Changed,
        })
    }

    /// Watches what is there: the folders, and their parents for those that are not.
    fn follow(&self) {
        let what = AddWatchFlags::IN_CREATE
            | AddWatchFlags::IN_DELETE
            | AddWatchFlags::IN_ATTRIB
            | AddWatchFlags::IN_MOVED_TO
            | AddWatchFlags::IN_ONLYDIR;
        for folder in &self.folders {
            // A second watch of the same folder is the first one.
            let there = self.sockets.as_ref().add_watch(folder, what).is_ok();
            if let (false, Some(parent)) = (there, folder.parent()) {
                let _ = self.sockets.as_ref().add_watch(parent, what);
            }
        }
    }

    /// Sets the timer that setting the clock cancels.
    fn arm(&self) {
        let Some(clock) = &self.clock else { return };
        let Ok(now) = clock_gettime(Clock::CLOCK_REALTIME) else {
            return;
        };
        let far = Expiration::OneShot(TimeSpec::seconds(now.tv_sec() + FAR_S));
        let how = TimerSetTimeFlags::TFD_TIMER_ABSTIME | TimerSetTimeFlags::TFD_TIMER_CANCEL_ON_SET;
        let _ = clock.as_ref().set(far, how);
    }
}

fn switches() -> io::Result<Async<File>> {
    let mut options = File::options();
    options
        .read(true)
        .custom_flags(nix::fcntl::OFlag::O_NONBLOCK.bits());
    Async::new(options.open(RFKILL)?)
}

/// How long the device has slept since it started, in milliseconds.
fn slept_ms() -> i64 {
    let at = |clock| clock_gettime(clock).map_or(0, |time| time.num_milliseconds());
    at(Clock::CLOCK_BOOTTIME) - at(Clock::CLOCK_MONOTONIC)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::net::UnixListener;

    #[test]
    fn wireless_interfaces_are_told_from_others_with_their_switches() {
        let net = std::env::temp_dir().join(format!("officeos-net-{}", std::process::id()));
        let file = |path: &str, text: &str| {
            let path = net.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        file("eth0/address", "02:00:00:00:00:01\n");
        file("wlan0/address", "02:00:00:00:00:02\n");
        file("wlan0/flags", "0x1003\n");
        file("wlan0/phy80211/rfkill0/soft", "0\n");
        file("wlan0/phy80211/rfkill0/hard", "0\n");
        file("wlan1/address", "nonsense");
        file("wlan1/flags", "0x1002\n");
        file("wlan1/phy80211/rfkill1/soft", "1\n");
        file("p2p0/wireless/status", "");
        let found = interfaces(&net);
        fs::remove_dir_all(&net).unwrap();
        let names: Vec<(&str, bool, bool)> = found
            .iter()
            .map(|i| (i.name.as_str(), i.up, i.blocked))
            .collect();
        assert_eq!(
            names,
            [
                ("p2p0", true, false),
                ("wlan0", true, false),
                ("wlan1", false, true)
            ]
        );
        assert_eq!(found[1].address, [2, 0, 0, 0, 0, 2]);
        assert!(interfaces(Path::new("/nowhere")).is_empty());
    }

    #[test]
    fn sockets_are_seen_when_they_come_even_with_their_folder_and_when_they_are_made_anew() {
        let home = std::env::temp_dir().join(format!("officeos-sight-{}", std::process::id()));
        fs::create_dir_all(&home).unwrap();
        let folder = home.join("control");
        let folders = [folder.clone()];
        smol::block_on(async {
            let broker = crate::broker::in_thread(crate::broker::Settings::default());
            let mut watch = Watch::open(&broker, &folders).unwrap();
            assert!(look(&folders).ports.is_empty());
            let mut seen = |wanted: bool, not: u64| {
                let mut waited = smol::block_on(watch.next());
                loop {
                    waited.unwrap();
                    let scene = look(&folders);
                    let port = scene.ports.first();
                    if port.is_some_and(|port| port.mark != not) == wanted {
                        return port.map_or(0, |port| port.mark);
                    }
                    waited = smol::block_on(watch.next());
                }
            };
            fs::create_dir(&folder).unwrap();
            let first = UnixListener::bind(folder.join("wlan0")).unwrap();
            let mark = seen(true, 0);
            fs::remove_file(folder.join("wlan0")).unwrap();
            fs::write(folder.join("keeps-the-number-busy"), "").unwrap();
            let second = UnixListener::bind(folder.join("wlan0")).unwrap();
            assert_ne!(seen(true, mark), mark);
            fs::remove_dir_all(&folder).unwrap();
            seen(false, 0);
            drop((first, second));
        });
        fs::remove_dir_all(&home).unwrap();
    }
}
