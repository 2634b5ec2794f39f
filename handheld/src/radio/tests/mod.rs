//! The machine against a supplicant that is played by the test.

mod first;
mod joins;
mod losses;
mod random;
mod replay;

use std::collections::BTreeMap;

use shared_proto::supplicant::{Command, Event, Mac, Setting, parse};

use super::*;

pub(super) const SSID: &[u8] = b"DIRECT-k3-Ada's ThinkPad";
pub(super) const BSSID: [u8; 6] = [6, 0, 0, 0, 0x0a, 0];
pub(super) const KEY: &str = "426e9b61c870387a10df9704ef65cfc5e2cf96aae088cb3bd2d78bf6bc67f542";

pub(super) fn network(frequency: u16) -> Network {
    Network {
        ssid: SSID.to_vec(),
        passphrase: KEY.into(),
        frequency,
        port: 8144,
    }
}

pub(super) fn interface(name: &str) -> Interface {
    Interface {
        name: name.into(),
        address: [
            2,
            0,
            0,
            0,
            0x0b,
            name.len() as u8 + name.bytes().last().unwrap(),
        ],
        up: true,
        blocked: false,
    }
}

/// What one interface's supplicant holds: network blocks by number, and whether they are enabled.
#[derive(Clone, Debug, Default)]
pub(super) struct Blocks {
    pub(super) rows: BTreeMap<u32, (Vec<u8>, bool)>,
    pub(super) current: Option<u32>,
}

/// A machine, the system that it sees, and a supplicant that answers at once.
pub(super) struct Bench {
    pub(super) machine: Machine,
    pub(super) now: u64,
    pub(super) scene: Scene,
    pub(super) open: Vec<String>,
    pub(super) blocks: BTreeMap<String, Blocks>,
    /// All that was asked since the last look, as text.
    pub(super) asked: Vec<String>,
    /// All else that came out since the last look.
    pub(super) said: Vec<Effect>,
    /// What is answered to a request that begins so, instead of the usual.
    pub(super) answers: Vec<(String, Option<&'static str>)>,
    pub(super) p2p: bool,
    /// It does not answer, as a stopped process.
    pub(super) frozen: bool,
    /// The answer to the first request that begins so comes later.
    pub(super) held_back: Option<&'static str>,
    late: Option<(String, u32, Command)>,
    /// How far answers have led to requests.
    depth: usize,
}

impl Bench {
    /// One interface with a supplicant; the probe is over.
    pub(super) fn new() -> Self {
        Self::on(&["wlan0"], true)
    }

    pub(super) fn on(names: &[&str], p2p: bool) -> Self {
        let mut bench = Self::bare(Vec::new(), p2p);
        bench.scene = Scene {
            interfaces: names.iter().map(|name| interface(name)).collect(),
            ports: names.iter().map(|name| port(name, 1)).collect(),
        };
        bench.show();
        bench
    }

    pub(super) fn bare(leftover: Vec<Held>, p2p: bool) -> Self {
        Self {
            machine: Machine::new(None, leftover),
            now: 1_000,
            scene: Scene::default(),
            open: Vec::new(),
            blocks: BTreeMap::new(),
            asked: Vec::new(),
            said: Vec::new(),
            answers: Vec::new(),
            p2p,
            frozen: false,
            held_back: None,
            late: None,
            depth: 0,
        }
    }

    pub(super) fn show(&mut self) {
        let scene = self.scene.clone();
        self.feed(Input::Scene(scene));
    }

    pub(super) fn order(&mut self, order: Order) {
        self.feed(Input::Order(order));
    }

    pub(super) fn join(&mut self, ticket: u32, frequency: u16) {
        let network = network(frequency);
        self.order(Order::Join { ticket, network });
    }

    pub(super) fn event(&mut self, port: &str, line: &str) {
        let event = parse(line.as_bytes()).event;
        assert!(!matches!(event, Event::Other(_)), "{line}");
        let port = port.to_owned();
        self.feed(Input::Event { port, event });
    }

    pub(super) fn connected(&mut self, id: u32) {
        let line = format!(
            "<3>CTRL-EVENT-CONNECTED - Connection to {} completed [id={id} id_str=]",
            Mac(BSSID)
        );
        self.event("wlan0", &line);
    }

    /// The answer that was held back comes.
    pub(super) fn answer_held_back(&mut self) {
        let (port, ticket, command) = self.late.take().expect("it was asked");
        let text = self.reply(&port, &command, &command.text());
        self.feed(Input::Answer { ticket, text });
    }

    /// Lets time pass, with all that is due on the way.
    pub(super) fn wait(&mut self, ms: u64) {
        let end = self.now + ms;
        let mut steps = 0;
        while let Some(due) = self.machine.deadline().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            let effects = self.machine.tick(self.now);
            self.carry_out(effects);
            steps += 1;
            assert!(steps < 1000, "it spins: {:?}", self.machine);
        }
        self.now = end;
    }

    pub(super) fn feed(&mut self, input: Input) {
        self.depth += 1;
        assert!(
            self.depth < 100,
            "one thing leads to another without end: {:?}",
            &self.asked[self.asked.len().saturating_sub(12)..]
        );
        let effects = self.machine.handle(input, self.now);
        self.carry_out(effects);
        self.depth -= 1;
    }

    fn carry_out(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Open(port) => {
                    self.said.push(Effect::Open(port.clone()));
                    if self.frozen {
                        continue;
                    }
                    let there = self.scene.ports.iter().any(|p| p.name == port);
                    match there {
                        true => {
                            self.open.push(port.clone());
                            self.feed(Input::Opened(port));
                        }
                        false => self.feed(Input::Closed(port, Denial::Dead)),
                    }
                }
                Effect::Close(port) => {
                    self.open.retain(|open| *open != port);
                    self.said.push(Effect::Close(port));
                }
                Effect::Ask {
                    port,
                    ticket,
                    command,
                } => {
                    assert!(
                        self.open.contains(&port),
                        "{command:?} on a socket that is closed: {port}"
                    );
                    let text = command.text();
                    self.asked.push(format!("{port} {text}"));
                    if self.frozen {
                        continue;
                    }
                    if self
                        .held_back
                        .take_if(|start| text.starts_with(*start))
                        .is_some()
                    {
                        self.late = Some((port, ticket, command));
                        continue;
                    }
                    self.now += 5;
                    let text = self.reply(&port, &command, &text);
                    self.feed(Input::Answer { ticket, text });
                }
                other => self.said.push(other),
            }
        }
    }

    fn reply(&mut self, port: &str, command: &Command, text: &str) -> Option<String> {
        if let Some(at) = self
            .answers
            .iter()
            .position(|(start, _)| text.starts_with(start.as_str()))
        {
            return self.answers[at].1.map(str::to_owned);
        }
        let blocks = self.blocks.entry(port.to_owned()).or_default();
        let ok = "OK\n".to_owned();
        let row = |id: &u32| blocks.rows.contains_key(id);
        Some(match command {
            Command::Status if port.starts_with("p2p-") => {
                format!("bssid={}\nwpa_state=COMPLETED\n", Mac(BSSID))
            }
            Command::Status => {
                let device = if self.p2p {
                    "p2p_device_address=02:00:00:00:0b:00\n"
                } else {
                    ""
                };
                let joined = match blocks.current {
                    Some(_) => format!("bssid={}\nwpa_state=COMPLETED\n", Mac(BSSID)),
                    None => "wpa_state=DISCONNECTED\n".into(),
                };
                format!("{joined}{device}address=02:00:00:00:0b:00\n")
            }
            Command::DriverFlags => "E4000D31DB5BFBE0:\nAP\nP2P_CAPABLE\n".into(),
            Command::ListNetworks => {
                let mut text = String::from("network id / ssid / bssid / flags\n");
                for (id, (ssid, enabled)) in &blocks.rows {
                    let ssid = String::from_utf8_lossy(ssid);
                    let flags = if *enabled { "" } else { "[DISABLED]" };
                    text.push_str(&format!("{id}\t{ssid}\tany\t{flags}\n"));
                }
                text
            }
            Command::AddNetwork => {
                let id = (0..).find(|id| !row(id)).unwrap();
                blocks.rows.insert(id, (Vec::new(), false));
                format!("{id}\n")
            }
            Command::SetNetwork(id, setting) => {
                let Some((ssid, _)) = blocks.rows.get_mut(id) else {
                    return Some("FAIL\n".into());
                };
                if let Setting::Ssid(name) = setting {
                    ssid.clone_from(name);
                }
                ok
            }
            Command::SelectNetwork(id)
            | Command::RemoveNetwork(id)
            | Command::EnableNetwork(id)
                if !row(id) =>
            {
                panic!("{text} on {port}, where there is no such network")
            }
            Command::SelectNetwork(wanted) => {
                for (id, (_, enabled)) in &mut blocks.rows {
                    *enabled = id == wanted;
                }
                blocks.current = Some(*wanted);
                ok
            }
            Command::EnableNetwork(id) => {
                if let Some(row) = blocks.rows.get_mut(id) {
                    row.1 = true;
                }
                ok
            }
            Command::RemoveNetwork(id) => {
                blocks.rows.remove(id);
                blocks.current.take_if(|current| current == id);
                ok
            }
            Command::Disconnect => {
                blocks.current = None;
                ok
            }
            Command::SignalPoll => "RSSI=-40\nLINKSPEED=65\nFREQUENCY=2412\n".into(),
            Command::ScanResults => "bssid / frequency / signal level / flags / ssid\n".into(),
            _ => ok,
        })
    }

    /// What was asked since the last look.
    pub(super) fn asked(&mut self) -> Vec<String> {
        std::mem::take(&mut self.asked)
    }

    pub(super) fn said(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.said)
    }

    pub(super) fn forget(&mut self) {
        self.asked.clear();
        self.said.clear();
    }

    /// News since the last look.
    pub(super) fn news(&mut self) -> Vec<RadioNews> {
        let news = self.said().into_iter().filter_map(|effect| match effect {
            Effect::News(news) => Some(news),
            _ => None,
        });
        news.collect()
    }

    /// How the order was answered: the interface, or why not.
    pub(super) fn outcome(&mut self) -> Option<(u32, Result<Place, String>)> {
        let found = self.said.iter().find_map(|effect| match effect {
            Effect::Joined { ticket, place } => Some((*ticket, Ok(place.clone()))),
            Effect::NotJoined { ticket, why } => Some((*ticket, Err(why.clone()))),
            _ => None,
        });
        self.said
            .retain(|effect| !matches!(effect, Effect::Joined { .. } | Effect::NotJoined { .. }));
        found
    }
}

pub(super) fn port(name: &str, mark: u64) -> Port {
    Port {
        name: name.into(),
        mark,
    }
}
