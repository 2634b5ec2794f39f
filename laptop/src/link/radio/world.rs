//! What the laptop has: Wi-Fi interfaces, radio switches, control sockets. Read, never changed.

use super::trouble::Switch;
use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

/// Prefix of the control sockets of virtual P2P devices, which have no network interface.
pub const P2P_DEVICE: &str = "p2p-dev-";

/// A control socket of wpa_supplicant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Socket {
    /// Its name: that of the interface that it controls.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// Tells a socket from one that was made later under the same name: inode number and the nanosecond it was made.
    pub id: (u64, i64),
    /// Whether this user may write to it.
    pub open: bool,
}

impl Socket {
    /// Whether it is still there, and still the same one.
    pub fn is_there(&self) -> bool {
        fs::symlink_metadata(&self.path).is_ok_and(|about| id(&about) == self.id)
    }
}

fn id(about: &fs::Metadata) -> (u64, i64) {
    (about.ino(), about.ctime_nsec())
}

/// What there is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct World {
    /// Wi-Fi interfaces, in the order of their names.
    pub interfaces: Vec<String>,
    /// Control sockets, in the order of their folders and names.
    pub sockets: Vec<Socket>,
    /// A folder of control sockets that this user may not read.
    pub denied: Option<PathBuf>,
    /// Whether Wi-Fi is switched off, and by whom.
    pub blocked: Option<Switch>,
    /// Whether iwd is running.
    pub iwd: bool,
}

impl World {
    /// Looks, below `root` (which is `/` but in tests) for the system, and in `control` for sockets.
    pub fn read(root: &Path, control: &[PathBuf]) -> Self {
        let mut world = Self {
            interfaces: interfaces(root),
            blocked: blocked(root),
            iwd: super::check::runs(root, "iwd"),
            ..Self::default()
        };
        for folder in control {
            match sockets(folder) {
                Ok(found) => {
                    for socket in found {
                        // /run and /var/run are the same folder: the first that names an interface counts.
                        if world.socket(&socket.name).is_none() {
                            world.sockets.push(socket);
                        }
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                    world.denied.get_or_insert_with(|| folder.clone());
                }
                Err(_) => {}
            }
        }
        world
    }

    /// The control socket called `name`.
    pub fn socket(&self, name: &str) -> Option<&Socket> {
        self.sockets.iter().find(|socket| socket.name == name)
    }

    /// The socket that P2P commands for `interface` go to: its P2P device's where the driver has one.
    pub fn p2p_socket(&self, interface: &str) -> Option<&Socket> {
        // The kernel's names have at most 15 octets, so wpa_supplicant cuts a long one.
        let mut device = format!("{P2P_DEVICE}{interface}");
        device.truncate(15);
        self.socket(&device).or_else(|| self.socket(interface))
    }
}

fn interfaces(root: &Path) -> Vec<String> {
    let folder = root.join("sys/class/net");
    let mut names: Vec<_> = fs::read_dir(&folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| folder.join(name).join("phy80211").exists())
        .collect();
    names.sort();
    names
}

fn blocked(root: &Path) -> Option<Switch> {
    let folder = root.join("sys/class/rfkill");
    let mut all = Vec::new();
    for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
        let read = |name: &str| fs::read_to_string(entry.path().join(name)).unwrap_or_default();
        if read("type").trim() == "wlan" {
            all.push(match (read("hard").trim(), read("soft").trim()) {
                ("1", _) => Some(Switch::Hard),
                (_, "1") => Some(Switch::Soft),
                _ => None,
            });
        }
    }
    // One radio that is on is enough; a hard switch cannot be mended by a command, so a soft one is named first.
    if all.contains(&None) {
        return None;
    }
    all.iter()
        .copied()
        .flatten()
        .find(|switch| *switch == Switch::Soft)
        .or(all.into_iter().flatten().next())
}

fn sockets(folder: &Path) -> io::Result<Vec<Socket>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)?.flatten() {
        let (Ok(name), Ok(about)) = (entry.file_name().into_string(), entry.metadata()) else {
            continue;
        };
        if about.file_type().is_socket() {
            let path = entry.path();
            found.push(Socket {
                name,
                id: id(&about),
                open: nix::unistd::access(&path, nix::unistd::AccessFlags::W_OK).is_ok(),
                path,
            });
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use std::os::unix::net::UnixDatagram;

    /// A laptop's files in a folder of its own.
    pub(in crate::link) struct Laptop(pub PathBuf);

    impl Laptop {
        pub(in crate::link) fn new(name: &str) -> Self {
            let root =
                std::env::temp_dir().join(format!("officeos-world-{name}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&root);
            fs::create_dir_all(&root).expect("a folder");
            Self(root)
        }

        pub(in crate::link) fn file(&self, path: &str, text: &str) {
            let path = self.0.join(path);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(path, text).expect("a file");
        }

        pub(in crate::link) fn socket(&self, name: &str) -> UnixDatagram {
            fs::create_dir_all(self.control()).expect("a folder");
            let path = self.control().join(name);
            let _ = fs::remove_file(&path);
            UnixDatagram::bind(path).expect("a socket")
        }

        pub(in crate::link) fn control(&self) -> PathBuf {
            self.0.join("ctrl")
        }

        fn world(&self) -> World {
            World::read(
                &self.0,
                &[self.0.join("missing"), self.control(), self.control()],
            )
        }
    }

    impl Drop for Laptop {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn wifi_interfaces_are_those_with_a_phy() {
        let laptop = Laptop::new("interfaces");
        laptop.file("sys/class/net/wlp3s0/phy80211/index", "0");
        laptop.file("sys/class/net/lo/mtu", "65536");
        laptop.file("sys/class/net/wlan1/phy80211/index", "1");
        assert_eq!(laptop.world().interfaces, ["wlan1", "wlp3s0"]);
    }

    #[test]
    fn one_radio_that_is_on_is_enough() {
        let laptop = Laptop::new("rfkill");
        assert_eq!(laptop.world().blocked, None);
        laptop.file("sys/class/rfkill/rfkill0/type", "bluetooth\n");
        laptop.file("sys/class/rfkill/rfkill0/soft", "1\n");
        assert_eq!(laptop.world().blocked, None);
        laptop.file("sys/class/rfkill/rfkill1/type", "wlan\n");
        laptop.file("sys/class/rfkill/rfkill1/soft", "1\n");
        laptop.file("sys/class/rfkill/rfkill1/hard", "0\n");
        assert_eq!(laptop.world().blocked, Some(Switch::Soft));
        laptop.file("sys/class/rfkill/rfkill1/hard", "1\n");
        assert_eq!(laptop.world().blocked, Some(Switch::Hard));
        laptop.file("sys/class/rfkill/rfkill2/type", "wlan\n");
        laptop.file("sys/class/rfkill/rfkill2/soft", "0\n");
        assert_eq!(laptop.world().blocked, None);
    }

    #[test]
    fn the_p2p_device_goes_before_its_interface() {
        let laptop = Laptop::new("sockets");
        let _kept = ["wlan0", "wlp0s20f3", "p2p-dev-wlp0s20"].map(|name| laptop.socket(name));
        laptop.file("ctrl/note", "no socket");
        let world = laptop.world();
        assert_eq!(world.sockets.len(), 3);
        assert_eq!(
            world.p2p_socket("wlp0s20f3").expect("one").name,
            "p2p-dev-wlp0s20"
        );
        assert_eq!(world.p2p_socket("wlan0").expect("one").name, "wlan0");
        assert_eq!(world.p2p_socket("wlan1"), None);
    }

    #[test]
    fn a_socket_that_is_made_again_is_another_one() {
        let laptop = Laptop::new("again");
        let first = laptop.socket("wlan0");
        let before = laptop.world();
        let _second = laptop.socket("wlan0");
        drop(first);
        assert_ne!(laptop.world(), before);
    }
}
