//! The handheld's radio machine beside a world that does anything: octets are what happens, one after the other. Shared by the fuzz target
//! and by the test that replays the corpus on a stable compiler.

use std::collections::BTreeMap;

use handheld::app::model::laptop::{Nearby, Network};
use handheld::radio::{Denial, Effect, Input, Interface, Machine, Order, Port, Scene};
use shared_proto::supplicant::parse;

const NAMES: [&str; 5] = ["wlan0", "wlan1", "p2p0", "p2p-dev-wlan0", "p2p-wlan0-0"];
const SSID: &[u8] = b"DIRECT-k3-Ada's ThinkPad";
const REPLIES: [Option<&str>; 8] = [
    None,
    Some("OK\n"),
    Some("FAIL\n"),
    Some("FAIL-BUSY\n"),
    Some("UNKNOWN COMMAND\n"),
    Some("0\n"),
    Some("network id / ssid / bssid / flags\n0\thome\tany\t[CURRENT]\n1\tcafe\tany\t\n"),
    Some("bssid=06:00:00:00:0a:00\nwpa_state=COMPLETED\np2p_device_address=02:00:00:00:0b:00\n"),
];

/// What is left of the octets.
struct Octets<'a>(&'a [u8]);

impl<'a> Octets<'a> {
    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    /// Up to the end of a line, as wpa_supplicant's messages are kept apart here.
    fn line(&mut self) -> &'a [u8] {
        let end = self.0.iter().position(|octet| *octet == b'\n');
        let (line, rest) = self.0.split_at(end.unwrap_or(self.0.len()));
        self.0 = rest.get(1..).unwrap_or_default();
        line
    }
}

/// The world: what is open, what was asked, and how late it is.
#[derive(Default)]
struct World {
    machine: Machine,
    now: u64,
    scene: Scene,
    opening: Vec<String>,
    open: Vec<String>,
    asked: Option<(u32, String)>,
    /// Orders by their number, and whether they may still be answered.
    waiting: BTreeMap<u32, bool>,
    tickets: u32,
    left: bool,
}

/// Lets everything happen that the octets say, then ends it in order.
pub fn drive(bytes: &[u8]) {
    let mut octets = Octets(bytes);
    let mut world = World {
        now: 1_000,
        ..World::default()
    };
    // The shell looks before anything else.
    world.show(0, 0, 0);
    while let Some(what) = octets.next() {
        world.happen(what, &mut octets);
    }
    world.feed(Input::Order(Order::Leave));
    // Nobody answers any more, and still it comes to its end.
    for _ in 0..200 {
        if world.left {
            return;
        }
        let Some(at) = world.machine.deadline() else {
            break;
        };
        world.now = world.now.max(at);
        let effects = world.machine.tick(world.now);
        world.take(effects);
    }
    assert!(
        world.left,
        "it does not come to its end: {:?}",
        world.machine
    );
}

impl World {
    fn happen(&mut self, what: u8, octets: &mut Octets<'_>) {
        match what % 12 {
            0 => {
                let (shown, sockets, mark) = (octets.next(), octets.next(), octets.next());
                self.show(shown.unwrap_or(0), sockets.unwrap_or(0), mark.unwrap_or(0));
            }
            1 if !self.opening.is_empty() => {
                let at = usize::from(octets.next().unwrap_or(0)) % self.opening.len();
                let port = self.opening.remove(at);
                self.open.push(port.clone());
                self.feed(Input::Opened(port));
            }
            2 => {
                let at = octets.next().unwrap_or(0);
                let denial = match at & 0x80 {
                    0 => Denial::Dead,
                    _ => Denial::Permission,
                };
                let count = self.opening.len() + self.open.len();
                let Some(at) = usize::from(at & 0x7f).checked_rem(count) else {
                    return;
                };
                let port = self.opening.iter().chain(&self.open).nth(at).cloned();
                if let Some(port) = port {
                    self.close(&port);
                    self.feed(Input::Closed(port, denial));
                }
            }
            3 => {
                let reply = REPLIES[usize::from(octets.next().unwrap_or(0)) % REPLIES.len()];
                self.reply(reply.map(str::to_owned));
            }
            4 => {
                // Its own line breaks are written as octet 1.
                let text = String::from_utf8_lossy(octets.line()).replace('\u{1}', "\n");
                self.reply(Some(text));
            }
            5 | 6 if !self.open.is_empty() => {
                let at = usize::from(octets.next().unwrap_or(0)) % self.open.len();
                let port = self.open[at].clone();
                let event = parse(octets.line()).event;
                self.feed(Input::Event { port, event });
            }
            7 => {
                let ms = u64::from(octets.next().unwrap_or(0)) * 100;
                self.now += ms;
                let effects = self.machine.tick(self.now);
                self.take(effects);
            }
            8 => {
                let frequency = [0, 2412, 2437][usize::from(octets.next().unwrap_or(0)) % 3];
                let network = Network {
                    ssid: SSID.to_vec(),
                    passphrase: "m4xq-7tkp-w9hd".to_owned(),
                    frequency,
                    port: 8144,
                };
                let ticket = self.ticket();
                self.feed(Input::Order(Order::Join { ticket, network }));
            }
            9 => {
                let nearby = Nearby {
                    name: "A".to_owned(),
                    ssid: SSID.to_vec(),
                    bssid: [6, 0, 0, 0, 0x0a, 0],
                    device: octets.next().map(|last| [2, 0, 0, 0, last, 0]),
                    frequency: 2412,
                    signal_dbm: -30,
                    push: true,
                };
                let ticket = self.ticket();
                self.feed(Input::Order(Order::Push { ticket, nearby }));
            }
            10 => {
                let order = match octets.next().unwrap_or(0) % 7 {
                    0 => Order::Look(true),
                    1 => Order::Look(false),
                    2 => Order::WatchSignal(true),
                    3 => Order::WatchSignal(false),
                    4 => Order::CallOff,
                    5 => Order::GiveWay,
                    _ => Order::Rest,
                };
                if matches!(order, Order::CallOff | Order::Rest) {
                    self.waiting.clear();
                }
                self.feed(Input::Order(order));
            }
            11 => self.feed(Input::Woke),
            _ => {}
        }
    }

    fn show(&mut self, shown: u8, sockets: u8, mark: u8) {
        let has = |bits: u8, n: usize| bits & (1 << n) != 0;
        let interfaces = NAMES.iter().enumerate().filter(|(n, _)| has(shown, *n));
        let ports = NAMES.iter().enumerate().filter(|(n, _)| has(sockets, *n));
        self.scene = Scene {
            interfaces: interfaces
                .map(|(n, name)| Interface {
                    name: (*name).to_owned(),
                    address: [2, 0, 0, 0, 0, n as u8],
                    up: !has(shown, 6),
                    blocked: has(shown, 7),
                })
                .collect(),
            ports: ports
                .map(|(_, name)| Port {
                    name: (*name).to_owned(),
                    mark: mark.into(),
                })
                .collect(),
        };
        self.scene.ports.sort();
        self.feed(Input::Scene(self.scene.clone()));
    }

    fn ticket(&mut self) -> u32 {
        self.tickets += 1;
        // A new order replaces the one before it.
        self.waiting.clear();
        self.waiting.insert(self.tickets, true);
        self.tickets
    }

    fn reply(&mut self, text: Option<String>) {
        if let Some((ticket, _)) = self.asked.take() {
            self.feed(Input::Answer { ticket, text });
        }
    }

    fn close(&mut self, port: &str) {
        self.open.retain(|one| one != port);
        self.opening.retain(|one| one != port);
        self.asked.take_if(|(_, at)| at == port);
    }

    fn feed(&mut self, input: Input) {
        let effects = self.machine.handle(input, self.now);
        self.take(effects);
    }

    fn take(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Open(port) => self.opening.push(port),
                Effect::Close(port) => self.close(&port),
                Effect::Ask { port, ticket, .. } => {
                    assert!(self.asked.is_none(), "two requests at a time");
                    assert!(self.open.contains(&port), "{port} is not open");
                    self.asked = Some((ticket, port));
                }
                Effect::Joined { ticket, .. } | Effect::NotJoined { ticket, .. } => {
                    assert!(
                        self.waiting.remove(&ticket).is_some(),
                        "order {ticket} was answered twice, or never made"
                    );
                }
                Effect::Left => self.left = true,
                Effect::Prepare(_) | Effect::News(_) | Effect::Remember(_) => {}
            }
        }
        assert!(
            self.asked.is_none() || self.machine.deadline().is_some(),
            "a request waits without a limit"
        );
    }
}
