//! The one machine: ports, orders, what is told, and when to look again. Joining itself is in [`super::join`].

use std::collections::BTreeMap;

use shared_proto::supplicant::{
    Command, DriverFlags, Event, Outcome, Peer, SignalPoll, Status, networks, scan_results,
};

use super::held::Held;

use super::line::{Line, Step};
use super::look::{describe, heard, parent};
use super::probe::{self, Means};
use super::search::Search;
use super::stage::{Own, Stage, Wish};
use super::{Denial, Effect, Input, Order, RadioNews, Scene};
use crate::app::model::laptop::Signal;
use crate::app::msg::RadioAbility;

/// How long opening a control socket may take, in milliseconds.
const OPEN_MS: u64 = 2_000;

/// Searches refused in a row after which a driver has no Wi-Fi Direct, whatever it says. One refusal may be passing: a scan, or a
/// channel that is busy.
const FIND_MISSES: u32 = 3;

/// What is known of a control socket that was wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gate {
    /// Being opened, until then.
    Opening(u64),
    /// Open.
    Open,
    /// Not to be opened, until something changes there.
    Denied(Denial),
}

/// See the [module above](super).
#[derive(Clone, Debug, Default)]
pub struct Machine {
    /// The time of what is taken in.
    pub(super) now: u64,
    only: Option<String>,
    /// A first scene has come.
    seen: bool,
    pub(super) scene: Scene,
    pub(super) gates: BTreeMap<String, Gate>,
    /// Whether Wi-Fi Direct works, by interface.
    pub(super) p2p: BTreeMap<String, bool>,
    pub(super) line: Line,
    pub(super) wish: Option<Wish>,
    pub(super) stage: Stage,
    pub(super) own: Option<Own>,
    /// What is to be put back at the end.
    pub(super) held: Vec<Held>,
    /// What a crash left to be put back.
    pub(super) leftover: Vec<Held>,
    /// What is being put back: the requests are under way.
    pub(super) returning: Vec<Held>,
    pub(super) search: Search,
    /// Where a push was called off whose group may still start, and until when that is awaited.
    pub(super) unwanted: Option<(String, u64)>,
    /// Somebody looks for laptops; when to ask next.
    pub(super) looking: Option<u64>,
    /// How often was asked since looking began.
    pub(super) looks: u32,
    /// The socket on which Wi-Fi Direct looks for devices.
    pub(super) finding: Option<String>,
    /// Searches refused in a row.
    find_misses: u32,
    /// Somebody watches the signal; when to measure next.
    pub(super) watching: Option<u64>,
    told: Option<RadioAbility>,
    /// Joins that failed since the last that did not.
    pub(super) misses: u32,
    /// The candidate whose turn it is.
    pub(super) turn: usize,
    pub(super) resting: bool,
    pub(super) leaving: bool,
    pub(super) effects: Vec<Effect>,
}

impl Machine {
    /// A machine that has seen nothing yet. `only` confines it to one interface; `leftover` is what a run before this one wrote
    /// down and did not put back.
    pub fn new(only: Option<String>, leftover: Vec<Held>) -> Self {
        Self {
            only,
            leftover,
            ..Self::default()
        }
    }

    /// Takes something in; what is to be done comes out, in order.
    pub fn handle(&mut self, input: Input, now: u64) -> Vec<Effect> {
        self.now = now;
        match input {
            Input::Scene(scene) => self.see(scene),
            Input::Opened(port) => self.opened(&port),
            Input::Closed(port, denial) => self.denied(&port, denial),
            Input::Answer { ticket, text } => self.answer(ticket, text),
            Input::Event { port, event } => self.event(&port, &event),
            Input::Order(order) => self.order(order),
            Input::Woke => {
                if let Some(wish) = &mut self.wish {
                    wish.renew(now);
                    self.begin_anew();
                } else if !self.resting {
                    self.news(RadioNews::Back);
                }
            }
        }
        self.settle();
        std::mem::take(&mut self.effects)
    }

    /// Looks at the clock; to be called at [`Machine::deadline`].
    pub fn tick(&mut self, now: u64) -> Vec<Effect> {
        self.now = now;
        let overdue = self.line.overdue(now);
        let late = self.gates.iter().filter(|(_, gate)| match gate {
            Gate::Opening(until) => *until <= now,
            _ => false,
        });
        let late: Vec<String> = late.map(|(port, _)| port.clone()).collect();
        for port in overdue.into_iter().chain(late) {
            log::warn!("wpa_supplicant does not answer on {port}");
            self.effects.push(Effect::Close(port.clone()));
            self.denied(&port, Denial::Dead);
        }
        self.stage_due();
        self.wish_due();
        self.unwanted.take_if(|(_, until)| *until <= now);
        self.settle();
        std::mem::take(&mut self.effects)
    }

    /// When to look at the clock at the latest; `None` while there is nothing to wait for.
    pub fn deadline(&self) -> Option<u64> {
        let opening = self.gates.values().filter_map(|gate| match gate {
            Gate::Opening(until) => Some(*until),
            _ => None,
        });
        let looking = self.looking.filter(|_| self.can_look());
        let watching = self.watching.filter(|_| self.is_up());
        opening
            .chain(self.line.deadline())
            .chain(self.stage.until())
            .chain(self.wish.as_ref().map(Wish::until))
            .chain(self.unwanted.as_ref().map(|(_, until)| *until))
            .chain(looking)
            .chain(watching)
            .min()
    }

    /// Interfaces that may join, best first.
    pub(super) fn candidates(&self) -> Vec<String> {
        probe::candidates(&self.scene.interfaces, self.only.as_deref())
    }

    pub(super) fn has_port(&self, name: &str) -> bool {
        self.scene.ports.iter().any(|port| port.name == name)
    }

    pub(super) fn is_open(&self, port: &str) -> bool {
        self.gates.get(port) == Some(&Gate::Open)
    }

    fn means(&self, interface: &str) -> Means {
        let shown = self.scene.interfaces.iter().find(|i| i.name == interface);
        Means {
            port: self.has_port(interface),
            denied: match self.gates.get(interface) {
                Some(Gate::Denied(denial)) => Some(*denial),
                _ => None,
            },
            p2p: self.p2p.get(interface).copied(),
            blocked: shown.is_some_and(|interface| interface.blocked),
        }
    }

    /// Whether a join could be tried there, as far as is known.
    pub(super) fn is_usable(&self, interface: &str) -> bool {
        let means = self.means(interface);
        means.port && means.denied.is_none() && !means.blocked
    }

    fn ability(&self) -> RadioAbility {
        let candidates = self.candidates().into_iter();
        let means: Vec<(String, Means)> = candidates
            .map(|name| {
                let means = self.means(&name);
                (name, means)
            })
            .collect();
        probe::ability(&means, self.only.as_deref())
    }

    /// Why nothing can be joined, for the connection screen.
    pub(super) fn why_not(&self) -> String {
        let why = self.ability().why;
        match why.is_empty() {
            true => {
                "wpa_supplicant does not answer. Switch Wi-Fi off and on in the firmware.".into()
            }
            false => why,
        }
    }

    pub(super) fn news(&mut self, news: RadioNews) {
        self.effects.push(Effect::News(news));
    }

    /// Makes a request, where somebody is there to answer it.
    pub(super) fn ask(&mut self, port: &str, command: Command, step: Step) {
        if self.is_open(port) {
            self.line.push(port, command, step);
        }
    }

    // What the system shows.

    fn see(&mut self, scene: Scene) {
        self.seen = true;
        // What could be used before: a name that is new here is a reason to try again.
        let before = self.ready();
        let renewed: Vec<String> = self
            .scene
            .ports
            .iter()
            .filter(|port| !scene.ports.contains(port))
            .map(|port| port.name.clone())
            .collect();
        for port in &renewed {
            if self.gone(port, "wpa_supplicant was ended or started anew.", true) {
                self.effects.push(Effect::Close(port.clone()));
            }
        }
        self.scene = scene;
        // Rights and servers may have changed with what is shown.
        self.gates
            .retain(|_, gate| !matches!(gate, Gate::Denied(_)));
        // What a new supplicant refuses, the one before it does not decide.
        self.p2p.retain(|name, able| {
            let there = self.scene.ports.iter().any(|port| port.name == *name);
            there && (*able || !renewed.contains(name))
        });
        if let Stage::Up { place, .. } = &self.stage {
            let name = place.interface.clone();
            let shown = self.scene.interfaces.iter().find(|i| i.name == name);
            match shown {
                None => self.lost(
                    "The Wi-Fi interface is gone: its driver was unloaded or the adapter pulled.",
                ),
                Some(interface) if interface.blocked => self.lost("Wi-Fi was switched off."),
                Some(interface) if !interface.up => {
                    self.lost("The Wi-Fi interface was switched off.")
                }
                Some(_) => {}
            }
        }
        let came = self.ready().into_iter().any(|now| !before.contains(&now));
        if came && !self.resting && !self.is_up() {
            self.news(RadioNews::Back);
        }
    }

    /// What a join could use now: names, whether they are up, and the marks of their sockets.
    fn ready(&self) -> Vec<(String, bool, u64)> {
        let candidates = self.candidates();
        let interfaces = self
            .scene
            .interfaces
            .iter()
            .filter(|interface| candidates.contains(&interface.name) && !interface.blocked);
        interfaces
            .filter_map(|interface| {
                let port = self.scene.ports.iter().find(|p| p.name == interface.name)?;
                Some((interface.name.clone(), interface.up, port.mark))
            })
            .collect()
    }

    /// A socket does not serve, for now.
    fn denied(&mut self, port: &str, denial: Denial) {
        self.gone(port, "wpa_supplicant does not answer any more.", false);
        if self.has_port(port) {
            self.gates.insert(port.to_owned(), Gate::Denied(denial));
        }
    }

    /// A socket can't be used any more; what rested on it is over. `ended`: the supplicant behind it is no more, and what it held
    /// neither; one that only does not answer still has our network and is to be put back when it answers again. Tells whether
    /// the socket was open or being opened.
    fn gone(&mut self, port: &str, why: &str, ended: bool) -> bool {
        let was = self.gates.remove(port);
        self.line.forget_port(port);
        if self.finding.as_deref() == Some(port) {
            self.finding = None;
        }
        self.own.take_if(|own| own.port == port);
        self.unwanted.take_if(|(at, _)| at == port);
        let there = |held: &mut Held| held.interface == port;
        let returning = self.returning.extract_if(.., there);
        let held: Vec<Held> = self.held.extract_if(.., there).chain(returning).collect();
        if !held.is_empty() {
            // Networks that we added end with it; those of its configuration are enabled again by the next one.
            if !ended {
                self.leftover.extend(held);
            }
            self.remember();
        }
        if self.stage.rests_on(port) {
            match self.is_up() {
                true => self.lost(why),
                // A wish that is under way goes on when the socket is back, or fails in time.
                false => self.stage = Stage::Idle,
            }
        }
        matches!(was, Some(Gate::Open | Gate::Opening(_)))
    }

    fn opened(&mut self, port: &str) {
        if !self.gates.contains_key(port) {
            // It was closed meanwhile.
            return;
        }
        self.gates.insert(port.to_owned(), Gate::Open);
        if !self.candidates().iter().any(|name| name == port) {
            return;
        }
        if self.leftover.iter().any(|held| held.interface == port) {
            self.ask(port, Command::ListNetworks, Step::Repair);
        }
        if !self.p2p.contains_key(port) {
            self.ask(port, Command::Status, Step::Probe);
        }
    }

    // What wpa_supplicant says.

    fn answer(&mut self, ticket: u32, text: Option<String>) {
        let Some((port, step)) = self.line.answered(ticket) else {
            return;
        };
        let Some(text) = text else {
            self.effects.push(Effect::Close(port.clone()));
            self.denied(&port, Denial::Dead);
            return;
        };
        let outcome = Outcome::parse(&text);
        match step {
            Step::Probe => match Status::parse(&text).device {
                Some(_) => self.ask(&port, Command::DriverFlags, Step::Flags),
                None => drop(self.p2p.insert(port, false)),
            },
            Step::Flags => {
                // A supplicant that can't say leaves it to the first search.
                let able = !outcome.is_done() || DriverFlags::parse(&text).p2p;
                self.p2p.insert(port, able);
            }
            Step::Repair => self.repair(&port, &networks(&text)),
            Step::Find => self.find_answer(&port, &outcome),
            Step::Peer(device) => {
                if let Some(peer) = Peer::parse(&text) {
                    self.search
                        .described(device, |known| describe(known, &peer));
                    self.tell_nearby();
                }
            }
            Step::Results => {
                let found = scan_results(&text);
                self.search.heard(found.into_iter().map(heard), self.now);
                self.tell_nearby();
            }
            Step::Signal if self.is_up() => {
                let signal = SignalPoll::parse(&text).map(|signal| Signal {
                    dbm: signal.dbm,
                    rate_mbps: signal.rate_mbps,
                    frequency: signal.frequency,
                });
                self.news(RadioNews::Signal(signal));
            }
            Step::Signal | Step::Ignore => {}
            Step::Check
            | Step::Others
            | Step::Add
            | Step::Set
            | Step::Select
            | Step::Connect
            | Step::GroupStatus => self.join_answer(&port, &step, &text),
        }
    }

    /// Whether a search began. One that did not is tried again at the next look.
    fn find_answer(&mut self, port: &str, outcome: &Outcome) {
        match outcome {
            Outcome::Done => self.find_misses = 0,
            Outcome::Unknown => {
                self.finding = None;
                self.p2p.insert(parent(port), false);
            }
            Outcome::Busy => self.finding = None,
            Outcome::Failed => {
                self.finding = None;
                let interface = parent(port);
                if self.looking.is_some() && self.stage.is_still() {
                    self.find_misses += 1;
                    // Meanwhile the networks at least are found.
                    self.ask(&interface, Command::Scan(Vec::new()), Step::Ignore);
                }
                if self.find_misses >= FIND_MISSES {
                    self.p2p.insert(interface, false);
                }
            }
        }
    }

    fn event(&mut self, port: &str, event: &Event) {
        match event {
            Event::ScanResults if self.looking.is_some() => self.results(),
            Event::DeviceFound(found) => {
                if self.looking.is_some() {
                    self.found(port, found);
                }
                self.join_event(port, event);
            }
            Event::DeviceLost { device } => {
                self.search.lost(device.0);
                self.tell_nearby();
            }
            Event::FindStopped => self.finding = None,
            Event::Terminating => {
                if self.gone(port, "wpa_supplicant was ended.", true) {
                    self.effects.push(Effect::Close(port.to_owned()));
                }
                self.gates
                    .insert(port.to_owned(), Gate::Denied(Denial::Dead));
            }
            other => self.join_event(port, other),
        }
    }

    // What is wanted.

    fn order(&mut self, order: Order) {
        match order {
            Order::Join { ticket, network } => {
                self.resting = false;
                self.call_off();
                self.wish = Some(Wish::join(ticket, network, self.now));
                match self.is_wished() {
                    true => self.check(),
                    false => self.begin_anew(),
                }
            }
            Order::Push { ticket, nearby } => {
                self.resting = false;
                self.call_off();
                self.wish = Some(Wish::push(ticket, nearby, self.now));
                self.begin_anew();
            }
            Order::Look(true) => {
                self.search.clear();
                self.looks = 0;
                self.find_misses = 0;
                self.looking = Some(self.now);
            }
            Order::Look(false) => {
                self.looking = None;
                self.stop_finding();
            }
            Order::WatchSignal(on) => self.watching = on.then_some(self.now),
            Order::CallOff => {
                let under_way = self.wish.is_some() && !self.is_up();
                self.call_off();
                if let Some(own) = self.own.as_ref().filter(|_| under_way) {
                    // wpa_supplicant would go on looking for it.
                    let port = own.port.clone();
                    self.ask(&port, Command::Disconnect, Step::Ignore);
                }
            }
            Order::GiveWay => self.give_way(),
            Order::Rest => {
                self.resting = true;
                self.call_off();
                self.part();
            }
            Order::Leave => {
                self.leaving = true;
                self.unwanted = None;
                // Whoever did not answer is asked once more.
                self.gates
                    .retain(|_, gate| !matches!(gate, Gate::Denied(_)));
                self.looking = None;
                self.watching = None;
                self.call_off();
                self.stop_finding();
                self.part();
                self.own = None;
            }
        }
    }

    /// A wish starts from the beginning; sockets that were given up are tried once more.
    fn begin_anew(&mut self) {
        self.gates
            .retain(|_, gate| !matches!(gate, Gate::Denied(_)));
        match self.is_up() {
            true => self.begin(),
            false => self.open_first(),
        }
    }

    /// Waits for control sockets before a wish begins.
    pub(super) fn open_first(&mut self) {
        let until = self.now + 2 * OPEN_MS;
        self.stage = Stage::Opening { until };
    }

    // What follows from all that.

    /// Whether control sockets are needed at all: while nothing is wanted, their events must not wake the device.
    fn is_needed(&self) -> bool {
        let unknown = |name: &String| self.is_usable(name) && !self.p2p.contains_key(name);
        self.wish.is_some()
            || self.looking.is_some()
            || self.unwanted.is_some()
            || !self.line.is_empty()
            || !self.stage.is_idle()
            || self.leftover.iter().any(|held| self.is_mendable(held))
            || self.candidates().iter().any(unknown)
    }

    fn settle(&mut self) {
        let now = self.now;
        if !self.seen {
            return;
        }
        if self.leaving {
            self.settle_leaving();
            return;
        }
        let candidates = self.candidates();
        if self.is_needed() {
            let mut wanted = Vec::new();
            for name in candidates.iter().filter(|name| self.is_usable(name)) {
                wanted.push(name.clone());
                wanted.push(probe::p2p_device(name));
            }
            wanted.extend(self.stage.group().map(str::to_owned));
            for port in wanted {
                if self.has_port(&port) && !self.gates.contains_key(&port) {
                    self.open(port);
                }
            }
        }
        self.go_on();
        self.look();
        self.measure();
        self.tell_ability(&candidates);
        self.effects.extend(self.line.start(now));
        self.returned();
        if !self.is_needed() {
            let gates = std::mem::take(&mut self.gates);
            for (port, gate) in gates {
                match gate {
                    Gate::Denied(_) => drop(self.gates.insert(port, gate)),
                    Gate::Open | Gate::Opening(_) => self.effects.push(Effect::Close(port)),
                }
            }
        }
    }

    pub(super) fn open(&mut self, port: String) {
        self.effects.push(Effect::Open(port.clone()));
        self.gates.insert(port, Gate::Opening(self.now + OPEN_MS));
    }

    fn tell_ability(&mut self, candidates: &[String]) {
        let open = |name: &String| self.gates.get(name);
        let settled = candidates.iter().all(|name| match open(name) {
            Some(Gate::Opening(_)) => false,
            Some(Gate::Open) => self.p2p.contains_key(name),
            _ => true,
        });
        let ability = self.ability();
        if settled && self.told.as_ref() != Some(&ability) {
            self.told = Some(ability.clone());
            self.news(RadioNews::Ability(ability));
        }
    }
}
