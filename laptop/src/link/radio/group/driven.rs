//! The machine beside a laptop that does anything: octets are what happens, one after the other. For the fuzz target `group`
//! (`fuzz/`), and for the test that plays its corpus on any compiler.

use super::{Effect, Group, Wanted};
use crate::link::radio::identity::Identity;
use crate::link::radio::trouble::Trouble;
use crate::link::radio::world::{Socket, World};
use shared_proto::supplicant::parse;
use std::path::PathBuf;

const SOCKETS: [&str; 5] = [
    "p2p-dev-wlan0",
    "wlan0",
    "p2p-wlan0-0",
    "wlan1",
    "p2p-wlan1-1",
];
const REPLIES: [Option<&str>; 9] = [
    None,
    Some("OK\n"),
    Some("FAIL\n"),
    Some("UNKNOWN COMMAND\n"),
    Some("0\n"),
    Some("network id / ssid / bssid / flags\n0\tDIRECT-k3-Ada\tany\t[DISABLED]\n"),
    Some(
        "wpa_state=COMPLETED\nmode=P2P GO\nfreq=2412\nssid=DIRECT-k3-Ada\np2p_device_address=02:00:00:00:0a:00\n",
    ),
    Some(
        "wpa_state=COMPLETED\nmode=station\nfreq=5180\nssid=home\np2p_device_address=02:00:00:00:0a:00\n",
    ),
    Some("AP\nP2P_CONCURRENT\nP2P_CAPABLE\n"),
];

/// What is left of the octets.
struct Octets<'a>(&'a [u8]);

impl<'a> Octets<'a> {
    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn number(&mut self) -> usize {
        self.next().unwrap_or(0).into()
    }

    /// Up to the end of a line.
    fn line(&mut self) -> &'a [u8] {
        let end = self.0.iter().position(|octet| *octet == b'\n');
        let (line, rest) = self.0.split_at(end.unwrap_or(self.0.len()));
        self.0 = rest.get(1..).unwrap_or_default();
        line
    }
}

/// What the machine has done.
#[derive(Default)]
struct Seen {
    open: bool,
    done: bool,
}

impl Seen {
    /// Takes what is to be done. True: a question waits for its answer.
    fn take(&mut self, group: &mut Group) -> bool {
        while let Some(effect) = group.poll() {
            assert!(!self.done, "{effect:?} after the end");
            match effect {
                Effect::Ask(_, command) => {
                    let text = command.text();
                    assert!(
                        !(self.open && text.starts_with("P2P_GROUP_ADD")),
                        "a second group: {text}"
                    );
                    return true;
                }
                Effect::Open(..) => self.open = true,
                Effect::Close => {
                    assert!(self.open, "closed twice");
                    self.open = false;
                }
                Effect::Moved(_) => assert!(self.open, "moved while closed"),
                Effect::Done => self.done = true,
                _ => {}
            }
        }
        false
    }
}

/// Lets everything happen that the octets say, then stops the machine, which has to come to its end though nobody answers.
///
/// # Panics
/// The machine did what it never may.
pub fn drive(bytes: &[u8]) {
    let mut octets = Octets(bytes);
    let wanted = Wanted {
        interface: None,
        name: "Ada".to_owned(),
        frequency: None,
    };
    let identity = Identity {
        ssid: "DIRECT-k3-Ada".to_owned(),
        passphrase: "m4xq-7tkp-w9hd".to_owned(),
        frequency: None,
    };
    let mut group = Group::new(wanted, identity, None);
    let (mut seen, mut now) = (Seen::default(), 0);
    while let Some(what) = octets.next() {
        let waits = seen.take(&mut group);
        assert!(
            waits || seen.done || group.deadline().is_some(),
            "wedged: {group:?}"
        );
        let socket = |octets: &mut Octets<'_>| SOCKETS[octets.number() % SOCKETS.len()];
        match what % 9 {
            0 | 1 if waits => group.reply(REPLIES[octets.number() % REPLIES.len()], now),
            // Its own line breaks are written as octet 1.
            2 if waits => {
                let text = String::from_utf8_lossy(octets.line()).replace('\u{1}', "\n");
                group.reply(Some(&text), now);
            }
            // A question is answered before anything else.
            _ if waits => group.reply(None, now),
            3 => {
                let name = socket(&mut octets);
                group.line(name, &parse(octets.line()), now);
            }
            4 => {
                now += octets.number() as u64 * 250;
                group.tick(now);
            }
            5 => {
                let world = world(octets.number(), octets.number(), octets.number());
                group.world(world, now);
            }
            6 => {
                let span = octets.number() as u64;
                group.window((span > 0).then_some(now + span * 1000), now);
            }
            7 => match octets.number() % 3 {
                0 => group.unopened(Trouble::NoIpv6),
                _ => group.deaf(socket(&mut octets), now),
            },
            8 if octets.number() == 255 => group.stop(now),
            _ => {}
        }
    }
    while seen.take(&mut group) {
        group.reply(None, now);
    }
    group.stop(now);
    for _ in 0..1000 {
        while seen.take(&mut group) {
            now += 3_000;
            group.reply(None, now);
        }
        if seen.done {
            return;
        }
        now = group.deadline().unwrap_or(now).max(now);
        group.tick(now);
    }
    panic!("it does not come to its end: {group:?}");
}

fn world(interfaces: usize, sockets: usize, generation: usize) -> World {
    let names = ["wlan0", "wlan1"];
    World {
        interfaces: names
            .iter()
            .enumerate()
            .filter(|(n, _)| interfaces & (1 << n) != 0)
            .map(|(_, name)| (*name).to_owned())
            .collect(),
        sockets: SOCKETS
            .iter()
            .enumerate()
            .filter(|(n, _)| sockets & (1 << n) != 0)
            .map(|(_, name)| Socket {
                name: (*name).to_owned(),
                path: PathBuf::from("/run/wpa_supplicant").join(name),
                id: (generation as u64, 0),
                open: sockets & 0x80 == 0,
            })
            .collect(),
        iwd: interfaces & 0x10 != 0,
        ..World::default()
    }
}
