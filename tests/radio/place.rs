//! A machine in the air: a network namespace with one radio, and what a person or the world does to it.

use super::hwsim::{Hwsim, Radio};
use super::support::eventually;
use std::fs;
use std::net::Ipv6Addr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A network namespace with a radio in it.
pub struct Place {
    name: String,
    interface: String,
    p2p_device: bool,
    channels: u32,
    types: Option<u32>,
    number: Option<u32>,
    mac: Option<[u8; 6]>,
}

impl Place {
    /// Makes both. The interface is called `interface` there.
    pub fn new(hwsim: &Hwsim, interface: &str, radio: &Radio<'_>) -> Self {
        let mut place = Self {
            name: radio.name.to_owned(),
            interface: interface.to_owned(),
            p2p_device: radio.p2p_device,
            channels: radio.channels,
            types: radio.types,
            number: None,
            mac: radio.mac,
        };
        must("ip", &["netns", "add", &place.name]);
        place.run("ip", &["link", "set", "lo", "up"]);
        fs::create_dir_all(place.folder()).expect("a folder in /run");
        place.plug(hwsim);
        place
    }

    /// Name of the namespace and of the phy.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Name of the radio's interface.
    pub fn interface(&self) -> &str {
        &self.interface
    }

    /// What belongs to this place: control sockets, logs.
    pub fn folder(&self) -> PathBuf {
        Path::new("/run/air").join(&self.name)
    }

    /// The radio appears, as a loaded driver makes it.
    pub fn plug(&mut self, hwsim: &Hwsim) {
        let radio = Radio {
            name: &self.name,
            p2p_device: self.p2p_device,
            channels: self.channels,
            types: self.types,
            mac: self.mac,
        };
        self.number = Some(hwsim.add(&radio).expect("a radio"));
        let folder = format!("/sys/class/ieee80211/{}/device/net", self.name);
        let made = eventually("the radio's interface", || {
            let entry = fs::read_dir(&folder).ok()?.next()?.ok()?;
            entry.file_name().into_string().ok()
        });
        // Under another name first: the machine around may have an interface of the wanted name.
        must(
            "iw",
            &["phy", &self.name, "set", "netns", "name", &self.name],
        );
        if made != self.interface {
            self.must("ip", &["link", "set", &made, "name", &self.interface]);
        }
    }

    /// The radio is gone, as an unloaded driver or a pulled stick leaves it.
    pub fn unplug(&mut self) {
        if let Some(number) = self.number.take() {
            // The driver lets a radio be removed from its own namespace only.
            let own = std::env::current_exe().expect("this program has a path");
            let own = own.to_string_lossy();
            self.must(&own, &["radio", "remove", &number.to_string()]);
        }
    }

    /// Moves the radio: radios hear each other where their groups share a bit.
    pub fn range(&self, group: u32) {
        let file = format!("/sys/kernel/debug/ieee80211/{}/hwsim/group", self.name);
        fs::write(&file, group.to_string()).unwrap_or_else(|error| panic!("{file}: {error}"));
    }

    /// The switch of airplane mode.
    pub fn airplane(&self, off: bool) {
        // A radio's switch is seen from its own namespace only.
        let switch = format!(
            "for soft in /sys/class/ieee80211/{}/rfkill*/soft; do echo {} > $soft; done",
            self.name,
            u8::from(off)
        );
        self.must("sh", &["-c", &switch]);
        if !off {
            // As whatever moved the switch does: a supplicant sees only the first radio's, and the others' stay down.
            self.must("ip", &["link", "set", &self.interface, "up"]);
        }
    }

    /// Addresses that its radio has, by all its interfaces.
    pub fn macs(&self) -> Vec<[u8; 6]> {
        let text = self.must("iw", &["dev"]);
        let lines = text
            .lines()
            .filter_map(|line| line.trim().strip_prefix("addr "));
        let octets = lines.map(|line| {
            let octets = line
                .split(':')
                .map(|part| u8::from_str_radix(part, 16).ok());
            octets.collect::<Option<Vec<u8>>>()
        });
        octets
            .filter_map(|octets| octets?.try_into().ok())
            .collect()
    }

    /// IPv6 addresses of all its interfaces but loopback.
    pub fn addresses(&self) -> Vec<Ipv6Addr> {
        let text = self.must("ip", &["-6", "-o", "addr", "show"]);
        let words = text.split_whitespace();
        words
            .filter_map(|word| word.split_once('/')?.0.parse().ok())
            .filter(|address: &Ipv6Addr| !address.is_loopback())
            .collect()
    }

    /// Names of its network interfaces.
    pub fn interfaces(&self) -> Vec<String> {
        let text = self.must("ls", &["/sys/class/net"]);
        text.split_whitespace().map(str::to_owned).collect()
    }

    /// A program in this place.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name]).arg(program);
        command.stdin(Stdio::null());
        command
    }

    /// Runs a program here to its end.
    pub fn run(&self, program: &str, arguments: &[&str]) -> Output {
        self.command(program)
            .args(arguments)
            .output()
            .unwrap_or_else(|error| panic!("{program}: {error}"))
    }

    /// Runs a program here that must succeed, and returns what it printed.
    pub fn must(&self, program: &str, arguments: &[&str]) -> String {
        said(program, arguments, &self.run(program, arguments))
    }
}

/// Runs a program that must succeed, in the machine around all places.
pub fn must(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error}"));
    said(program, arguments, &output)
}

fn said(program: &str, arguments: &[&str], output: &Output) -> String {
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {} {words}",
        output.status
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Ends everything that a run has made: programs in the places, the places, their radios.
pub fn sweep() {
    for name in must("ip", &["netns", "list"]).lines() {
        let Some(name) = name.split_whitespace().next() else {
            continue;
        };
        let pids = must("ip", &["netns", "pids", name]);
        for pid in pids.lines().filter_map(|pid| pid.parse().ok()) {
            super::support::process::crash(pid);
        }
        must("ip", &["netns", "del", name]);
    }
    // A radio returns to the machine around when its place is gone, and goes with the driver.
    must("modprobe", &["-r", "mac80211_hwsim"]);
    must("modprobe", &["mac80211_hwsim", "radios=0"]);
    let _ = fs::remove_dir_all("/run/air");
    fs::create_dir_all("/run/air").expect("a folder in /run");
}
