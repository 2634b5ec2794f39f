//! A laptop with a supplicant that does as wpa_supplicant 2.10 does (`tests/radio/NOTES.md`), and the machine on it.

use crate::link::radio::group::{Effect, Group, Wanted};
use crate::link::radio::identity::Identity;
use crate::link::radio::trouble::Trouble;
use crate::link::radio::world::{Socket, World};
use shared_proto::supplicant::parse;
use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;

pub(in crate::link::radio) const SSID: &str = "DIRECT-k3-Ada's ThinkPad";
pub(super) const PASSPHRASE: &str = "m4xq-7tkp-w9hd";
pub(super) const POCKET: &str = "02:00:00:00:0b:00";

pub(super) fn identity() -> Identity {
    Identity {
        ssid: SSID.to_owned(),
        passphrase: PASSPHRASE.to_owned(),
        frequency: None,
    }
}

pub(super) fn wanted() -> Wanted {
    Wanted {
        interface: None,
        name: "Ada's ThinkPad".to_owned(),
        frequency: None,
    }
}

/// A laptop with a supplicant that does as wpa_supplicant 2.10 does (`tests/radio/NOTES.md`), and the machine on it.
pub(in crate::link::radio) struct Laptop {
    pub(super) group: Group,
    pub(super) now: u64,
    pub(super) generation: u64,
    pub(super) sockets: Vec<String>,
    pub(super) settings: BTreeMap<String, String>,
    pub(super) blocks: BTreeMap<u32, (String, String)>,
    pub(super) running: Option<(String, u16)>,
    pub(super) station: Option<u16>,
    pub(super) allowed: Vec<u16>,
    pub(super) flags: &'static str,
    pub(super) p2p: bool,
    /// Answers `P2P_GROUP_ADD` with `OK` and then nothing.
    pub(super) stalls: bool,
    pub(super) counter: u32,
    pub(super) events: VecDeque<(String, String)>,
    /// What was asked, and what was done.
    pub(super) asked: Vec<String>,
    pub(super) done: Vec<Effect>,
}

impl Laptop {
    pub(super) fn new() -> Self {
        Self {
            group: Group::new(wanted(), identity(), None),
            now: 1000,
            generation: 1,
            sockets: vec!["p2p-dev-wlan0".to_owned(), "wlan0".to_owned()],
            settings: BTreeMap::from([("p2p_intra_bss".to_owned(), "1".to_owned())]),
            blocks: BTreeMap::new(),
            running: None,
            station: None,
            allowed: vec![2412, 2437, 2462],
            flags: "AP\nP2P_CONCURRENT\nP2P_CAPABLE\n",
            p2p: true,
            stalls: false,
            counter: 0,
            events: VecDeque::new(),
            asked: Vec::new(),
            done: Vec::new(),
        }
    }

    /// One on which groups come up only when they are said to.
    pub(in crate::link::radio) fn stalling() -> Self {
        Self {
            stalls: true,
            ..Self::new()
        }
    }

    pub(super) fn world(&self) -> World {
        let names = self
            .sockets
            .iter()
            .cloned()
            .chain(self.running.iter().map(|(name, _)| name.clone()));
        World {
            interfaces: vec!["wlan0".to_owned()],
            sockets: names
                .map(|name| Socket {
                    path: PathBuf::from("/run/wpa_supplicant").join(&name),
                    name,
                    id: (self.generation, 0),
                    open: true,
                })
                .collect(),
            ..World::default()
        }
    }

    /// Shows the machine the laptop as it is, and lets both do what they have to.
    pub(super) fn run(&mut self) {
        let world = self.world();
        self.group.world(world, self.now);
        self.settle();
    }

    pub(super) fn settle(&mut self) {
        loop {
            while let Some(effect) = self.group.poll() {
                if let Effect::Ask(socket, command) = &effect {
                    self.asked.push(command.text());
                    let reply = self.answer(socket, &command.text());
                    self.group.reply(reply.as_deref(), self.now);
                } else {
                    self.done.push(effect);
                }
            }
            let Some((socket, event)) = self.events.pop_front() else {
                return;
            };
            self.group.line(&socket, &parse(event.as_bytes()), self.now);
        }
    }

    /// Lets time pass up to the machine's next deadline.
    pub(super) fn wait(&mut self) {
        self.now = self.group.deadline().expect("a deadline").max(self.now);
        self.run();
    }

    pub(super) fn say(&mut self, socket: &str, event: &str) {
        self.events.push_back((socket.to_owned(), event.to_owned()));
    }

    pub(in crate::link::radio) fn answer(&mut self, socket: &str, request: &str) -> Option<String> {
        if !self
            .world()
            .sockets
            .iter()
            .any(|known| known.name == socket)
        {
            return None;
        }
        let (word, rest) = request.split_once(' ').unwrap_or((request, ""));
        let ok = || Some("OK\n".to_owned());
        let fail = || Some("FAIL\n".to_owned());
        match word {
            "STATUS" => Some(self.status(socket)),
            "P2P_PEER" => fail(),
            "DRIVER_FLAGS" => Some(format!("E4000D31FB5BFBE0:\n{}", self.flags)),
            "GET_CAPABILITY" => {
                let rows = self.allowed.iter().map(|mhz| format!(" 1 = {mhz} MHz\n"));
                Some(format!("Mode[G] Channels:\n{} 13 = 2472 MHz (NO_IR)\n", rows.collect::<String>()))
            }
            "GET" => self.settings.get(rest).cloned().or_else(fail),
            "SET" => {
                let (name, value) = rest.split_once(' ')?;
                self.settings.insert(name.to_owned(), value.to_owned());
                ok()
            }
            "LIST_NETWORKS" => {
                let row = |(id, (ssid, _)): (&u32, &(String, String))| format!("{id}\t{ssid}\tany\t[DISABLED][P2P-PERSISTENT]\n");
                Some(format!("network id / ssid / bssid / flags\n{}", self.blocks.iter().map(row).collect::<String>()))
            }
            "ADD_NETWORK" => {
                let id = self.blocks.keys().max().map_or(0, |id| id + 1);
                self.blocks.insert(id, Default::default());
                Some(format!("{id}\n"))
            }
            "SET_NETWORK" => {
                let mut words = rest.splitn(3, ' ');
                let block = self.blocks.get_mut(&words.next()?.parse().ok()?)?;
                match (words.next()?, words.next()?) {
                    ("ssid", hex) => {
                        let octets = (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex"));
                        block.0 = String::from_utf8(octets.collect()).expect("text");
                    }
                    ("psk", quoted) => block.1 = quoted.trim_matches('"').to_owned(),
                    _ => {}
                }
                ok()
            }
            "REMOVE_NETWORK" => self.blocks.remove(&rest.parse().ok()?).map_or_else(fail, |_| ok()),
            "SCAN_RESULTS" => Some(
                "bssid / frequency / signal level / flags / ssid\n02:00:00:00:0c:00\t2412\t-40\t[ESS]\tx\n02:00:00:00:0d:00\t2437\t-80\t[ESS]\ty\n"
                    .to_owned(),
            ),
            "P2P_GROUP_ADD" => {
                let mut words = rest.split(' ').map(|word| word.split_once('=').expect("a value").1.parse::<u32>().expect("a number"));
                let (id, mhz) = (words.next()?, words.next()? as u16);
                let block = self.blocks.get(&id)?.clone();
                if !self.allowed.contains(&mhz) || self.station.is_some_and(|station| station != mhz) {
                    return fail();
                }
                if !self.stalls {
                    let name = format!("p2p-wlan0-{}", self.counter);
                    self.counter += 1;
                    self.say(
                        "p2p-dev-wlan0",
                        &format!("<3>P2P-GROUP-STARTED {name} GO ssid=\"{}\" freq={mhz} passphrase=\"{}\" go_dev_addr=02:00:00:00:0a:00 [PERSISTENT]", block.0, block.1),
                    );
                    self.running = Some((name, mhz));
                }
                ok()
            }
            "P2P_GROUP_REMOVE" => {
                let Some((name, _)) = self.running.take_if(|(name, _)| name == rest) else {
                    return fail();
                };
                self.say("p2p-dev-wlan0", &format!("<3>P2P-GROUP-REMOVED {name} GO reason=REQUESTED"));
                ok()
            }
            "P2P_GET_PASSPHRASE" => Some(PASSPHRASE.to_owned()),
            "WPS_PBC" | "WPS_CANCEL" | "P2P_SET" => ok(),
            _ => Some("UNKNOWN COMMAND\n".to_owned()),
        }
    }

    pub(super) fn status(&self, socket: &str) -> String {
        let device = if self.p2p {
            "p2p_device_address=02:00:00:00:0a:00\n"
        } else {
            ""
        };
        match (&self.running, self.station) {
            (Some((name, mhz)), _) if name == socket => format!(
                "bssid=06:00:00:00:0a:00\nfreq={mhz}\nssid={SSID}\nid=0\nmode=P2P GO\nwpa_state=COMPLETED\n{device}address=06:00:00:00:0a:00\n"
            ),
            (_, Some(mhz)) if socket == "wlan0" => {
                format!(
                    "bssid=02:00:00:00:0c:00\nfreq={mhz}\nssid=home\nid=0\nmode=station\nwpa_state=COMPLETED\n{device}"
                )
            }
            _ => format!("wpa_state=DISCONNECTED\n{device}address=02:00:00:00:0a:00\n"),
        }
    }

    pub(super) fn restart_supplicant(&mut self) {
        self.generation += 1;
        self.settings = BTreeMap::from([("p2p_intra_bss".to_owned(), "1".to_owned())]);
        self.blocks.clear();
        self.running = None;
    }

    pub(super) fn take(&mut self) -> Vec<Effect> {
        self.asked.clear();
        std::mem::take(&mut self.done)
    }

    pub(super) fn told(&self) -> Option<&Trouble> {
        self.done.iter().rev().find_map(|effect| match effect {
            Effect::Tell(trouble) => Some(trouble.as_ref()),
            _ => None,
        })?
    }
}
