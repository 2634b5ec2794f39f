//! Joining a laptop's network, losing it, and joining it again.
//!
//! A station join: our own network block beside those of the firmware, with the key and the frequency that the laptop has told; where
//! nothing is found there, every channel is searched, but not each time: a handheld whose laptop is away must not scan for ever.

use shared_proto::supplicant::{Command, Event, Mac, Outcome, State, Status, words};

use super::line::Step;
use super::machine::{Gate, Machine};
use super::probe::p2p_device;
use super::stage::{Stage, Wish};
use super::{Effect, Place, RadioNews};

/// How long a join on the known frequency may take. A wrong key shows itself after three seconds.
const QUICK_MS: u64 = 5_000;

/// How long a join may take that looks on all channels.
const FULL_MS: u64 = 12_000;

/// Every so many times that a join is asked for while it holds, it is made anew.
const ANEW_EVERY: u32 = 3;

/// After so many failures in a row wpa_supplicant may not look by itself any more, between our tries: the laptop is away, and every
/// scan costs power and wakes us. That is after about a minute.
const AWAY: u32 = 5;

impl Machine {
    pub(super) const fn is_up(&self) -> bool {
        matches!(self.stage, Stage::Up { .. })
    }

    /// A wish that another one replaces, or that nobody has any more.
    pub(super) fn call_off(&mut self) {
        self.wish = None;
        self.forget_join();
        self.cancel_push();
        self.leave_group();
        if !self.is_up() {
            self.stage = match &self.own {
                Some(own) => Stage::Down {
                    port: own.port.clone(),
                },
                None => Stage::Idle,
            };
        }
    }

    fn forget_join(&mut self) {
        // A number that is under way is awaited all the same: the block would be left behind.
        self.line.forget(|step| {
            matches!(
                step,
                Step::Check
                    | Step::Others
                    | Step::Set
                    | Step::Select
                    | Step::Connect
                    | Step::GroupStatus
            )
        });
    }

    /// Leaves whatever is joined; our network stays laid out.
    pub(super) fn part(&mut self) {
        self.leave_group();
        if let Stage::Up {
            group: Some(group), ..
        } = &self.stage
        {
            let group = group.clone();
            self.remove_group(&group);
        }
        if let Some(own) = &self.own {
            let port = own.port.clone();
            self.ask(&port, Command::Disconnect, Step::Ignore);
        }
        self.stage = Stage::Idle;
    }

    /// Whether what is wished for is joined.
    pub(super) fn is_wished(&self) -> bool {
        match (&self.wish, &self.stage) {
            (Some(Wish::Join { network, .. }), Stage::Up { place, group, .. }) => {
                // A group has its key in another form than the laptop tells it.
                let key = group.is_some() || place.network.passphrase == network.passphrase;
                place.network.ssid == network.ssid && key
            }
            _ => false,
        }
    }

    /// Asks whether what we believe to be joined is: a supplicant that was killed says nothing. One that is asked for again and again
    /// is joined anew.
    pub(super) fn check(&mut self) {
        let Stage::Up { port, handed, .. } = &mut self.stage else {
            return;
        };
        *handed += 1;
        match *handed % ANEW_EVERY {
            0 => self.begin(),
            _ => {
                let port = port.clone();
                self.ask(&port, Command::Status, Step::Check);
            }
        }
    }

    fn checked(&mut self, text: &str) {
        let Stage::Up { place, .. } = &mut self.stage else {
            return;
        };
        if let Some(Wish::Join { network, .. }) = &self.wish {
            // What is known of it may be newer. The key is that which let us in.
            if network.port != 0 {
                place.network.port = network.port;
            }
            if network.frequency != 0 {
                place.network.frequency = network.frequency;
            }
        }
        let status = Status::parse(text);
        if status.state != State::Completed || status.bssid != Some(Mac(place.bssid)) {
            return self.begin();
        }
        let place = place.clone();
        if let Some(wish) = self.wish.take() {
            let ticket = wish.ticket();
            self.effects.push(Effect::Joined { ticket, place });
        }
    }

    /// Goes on where a control socket was awaited, or where what was joined was lost meanwhile.
    pub(super) fn go_on(&mut self) {
        if self.wish.is_some() && matches!(self.stage, Stage::Idle | Stage::Down { .. }) {
            self.open_first();
        }
        match &self.stage {
            Stage::Opening { .. } if self.wish.is_some() => {
                let usable: Vec<String> = self
                    .candidates()
                    .into_iter()
                    .filter(|name| self.is_usable(name))
                    .collect();
                let opening = |name: &str| matches!(self.gates.get(name), Some(Gate::Opening(_)));
                let pending = |name: &String| {
                    !self.is_open(name)
                        || self.line.has_on(name, &Step::Repair)
                        || self.wants_push()
                            && (!self.p2p.contains_key(name) || opening(&p2p_device(name)))
                };
                if usable.is_empty() {
                    let why = self.why_not();
                    self.fail(&why);
                } else if !usable.iter().any(pending) {
                    self.begin();
                }
            }
            Stage::Opening { .. } => self.stage = Stage::Idle,
            Stage::Grouped {
                group,
                asked: false,
                ..
            } if self.is_open(group) => {
                let group = group.clone();
                self.ask(&group, Command::Status, Step::GroupStatus);
                if let Stage::Grouped { asked, .. } = &mut self.stage {
                    *asked = true;
                }
            }
            _ => {}
        }
    }

    const fn wants_push(&self) -> bool {
        matches!(self.wish, Some(Wish::Push { .. }))
    }

    /// Begins what is wished for, now that control sockets are open.
    pub(super) fn begin(&mut self) {
        let usable: Vec<String> = self
            .candidates()
            .into_iter()
            .filter(|name| self.is_usable(name) && self.is_open(name))
            // What is to be put back first is not counted as the firmware's.
            .filter(|name| !self.line.has_on(name, &Step::Repair))
            .collect();
        match self.wish.clone() {
            Some(Wish::Join { network, .. }) => {
                let Some(port) = usable.get(self.turn % usable.len().max(1)) else {
                    let why = self.why_not();
                    return self.fail(&why);
                };
                let port = port.clone();
                self.lay(&port, network);
            }
            Some(Wish::Push { nearby, .. }) => {
                let able = usable
                    .iter()
                    .find(|name| self.p2p.get(*name) == Some(&true));
                match (able.cloned(), nearby.device) {
                    (Some(name), Some(device)) => self.push(&name, Mac(device), &nearby),
                    _ => self.fail(
                        "This radio has no Wi-Fi Direct. Choose the laptop again and type its passphrase.",
                    ),
                }
            }
            None => {}
        }
    }

    /// An answer that concerns a join.
    pub(super) fn join_answer(&mut self, port: &str, step: &Step, text: &str) {
        let outcome = Outcome::parse(text);
        match step {
            Step::Check => self.checked(text),
            Step::Others => self.note_others(port, text),
            Step::Add => match text.trim().parse() {
                Ok(id) => self.added(port, id),
                Err(_) => self.refused(port),
            },
            Step::Set if !outcome.is_done() => self.fail(
                "The key of the laptop's network is none that wpa_supplicant takes. Pair anew.",
            ),
            Step::Select if !outcome.is_done() => self.refused(port),
            Step::Select => {
                if let Stage::Laying { full, .. } = self.stage {
                    let until = self.now + if full { FULL_MS } else { QUICK_MS };
                    let port = port.to_owned();
                    self.stage = Stage::Seeking { port, full, until };
                }
            }
            Step::Connect => match outcome {
                Outcome::Unknown => self.fail("This device's wpa_supplicant has no Wi-Fi Direct. Choose the laptop again and type its passphrase."),
                // Unknown to it as yet, or busy.
                Outcome::Failed | Outcome::Busy => self.push_again(),
                Outcome::Done => {}
            },
            Step::GroupStatus => self.grouped(port, text),
            _ => {}
        }
    }

    fn refused(&mut self, port: &str) {
        let why = format!(
            "wpa_supplicant takes no network for {port}. Switch Wi-Fi off and on in the firmware."
        );
        self.fail(&why);
    }

    /// Answers the wish: it came to nothing.
    pub(super) fn fail(&mut self, why: &str) {
        self.forget_join();
        self.cancel_push();
        self.leave_group();
        // Another interface may do better.
        self.turn = self.turn.wrapping_add(1);
        self.stage = match &self.own {
            None => Stage::Idle,
            Some(own) => {
                let (port, id, frequency) = (own.port.clone(), own.id, own.network.frequency);
                let confine = frequency != 0 && own.scanned != frequency;
                if frequency == 0 || self.misses >= AWAY {
                    // wpa_supplicant would go on scanning.
                    self.ask(&port, Command::Disconnect, Step::Ignore);
                }
                if confine {
                    self.confine(&port, id, frequency);
                }
                Stage::Down { port }
            }
        };
        if let Some(wish) = self.wish.take() {
            let (ticket, why) = (wish.ticket(), why.to_owned());
            self.effects.push(Effect::NotJoined { ticket, why });
        }
    }

    /// Joined.
    pub(super) fn up(&mut self, port: &str, group: Option<String>, place: Place) {
        self.misses = 0;
        self.stage = Stage::Up {
            port: port.to_owned(),
            place: place.clone(),
            group,
            handed: 0,
        };
        self.forget_join();
        match self.wish.take() {
            Some(wish) => {
                let ticket = wish.ticket();
                self.effects.push(Effect::Joined { ticket, place });
            }
            None => self.news(RadioNews::Back),
        }
        self.poll_signal();
    }

    /// The network that was joined is not there any more.
    pub(super) fn lost(&mut self, why: &str) {
        let Stage::Up { group, .. } = &self.stage else {
            return;
        };
        if let Some(group) = group.clone() {
            self.remove_group(&group);
        }
        self.stage = match &self.own {
            Some(own) => {
                let (port, id, frequency) = (own.port.clone(), own.id, own.network.frequency);
                if frequency != 0 && own.scanned != frequency {
                    self.confine(&port, id, frequency);
                }
                Stage::Down { port }
            }
            None => Stage::Idle,
        };
        self.news(RadioNews::Signal(None));
        self.news(RadioNews::Lost(why.to_owned()));
    }

    // Time and events.

    /// The stage has taken as long as it may.
    pub(super) fn stage_due(&mut self) {
        if self.stage.until().is_none_or(|at| at > self.now) {
            return;
        }
        match self.stage.clone() {
            Stage::Opening { .. } => match self.wish.is_some() {
                true => {
                    let why = self.why_not();
                    self.fail(&why);
                }
                false => self.stage = Stage::Idle,
            },
            Stage::Seeking { .. } => {
                self.missed("The laptop's network did not let us in in time.");
            }
            Stage::Laying { port, .. } => self.refused(&port),
            Stage::Pushing { until, .. } if until <= self.now => {
                self.fail("Nobody pressed the button on the laptop in time. Open pairing there, then try again.");
            }
            Stage::Pushing { .. } => self.begin(),
            Stage::Grouped { .. } => {
                self.fail("The laptop let us in, but its network did not come up.")
            }
            Stage::Idle | Stage::Up { .. } | Stage::Down { .. } => {}
        }
    }

    /// The wish has taken as long as it may: a supplicant that ends again and again must not keep it for ever.
    pub(super) fn wish_due(&mut self) {
        if self
            .wish
            .as_ref()
            .is_some_and(|wish| wish.until() <= self.now)
        {
            self.fail("The laptop's network could not be joined in time. wpa_supplicant may have been started anew again and again.");
        }
    }

    /// An event that may concern a join.
    pub(super) fn join_event(&mut self, port: &str, event: &Event) {
        match event {
            Event::Connected { bssid, network } => {
                if let Stage::Grouped { group, asked, .. } = &mut self.stage
                    && group == port
                {
                    *asked = false;
                }
                self.connected(port, *bssid, *network);
            }
            Event::Disconnected { reason, local, .. } => {
                if matches!(&self.stage, Stage::Up { port: at, .. } if at == port) {
                    self.lost(&why_lost(*reason, *local));
                }
            }
            Event::NetworkNotFound if self.seeks_on(port) => {
                self.missed("The laptop's network is not in range, or the laptop is off.");
            }
            Event::TempDisabled { reason, .. } if self.seeks_on(port) => {
                if reason == "WRONG_KEY" {
                    self.fail(
                        "The laptop's network refuses the passphrase. Type it again, or pair anew.",
                    );
                } else {
                    self.missed("The laptop's network turned us away.");
                }
            }
            Event::AssocReject { status, .. } | Event::AuthReject { status, .. }
                if self.seeks_on(port) =>
            {
                log::info!("{port}: refused: {}", words::status(*status));
            }
            Event::GroupStarted(group) => self.group_started(port, group),
            Event::GroupRemoved { interface, .. } => {
                self.forget_group(interface);
                let ours = self.stage.group() == Some(interface.as_str());
                if ours && self.is_up() {
                    self.lost("The laptop closed its network.");
                } else if ours && self.wish.is_some() {
                    self.fail("The laptop closed its network at once.");
                }
            }
            Event::GroupFormationFailed => self.push_again(),
            Event::WpsOverlap if matches!(self.stage, Stage::Pushing { .. }) => {
                self.fail("Two laptops have their button pressed. Close pairing on the other one, then try again.");
            }
            Event::DeviceFound(found) => {
                let wanted = matches!(&self.wish, Some(Wish::Push { nearby, .. }) if nearby.device == Some(found.device.0));
                let now = self.now;
                if wanted
                    && let Stage::Pushing {
                        again: again @ Some(_),
                        ..
                    } = &mut self.stage
                {
                    *again = Some(now);
                }
            }
            _ => {}
        }
    }

    fn seeks_on(&self, port: &str) -> bool {
        matches!(&self.stage, Stage::Seeking { port: at, .. } if at == port)
    }

    fn connected(&mut self, port: &str, bssid: Mac, id: Option<u32>) {
        let Some(own) = &self.own else { return };
        let ours = own.port == port && id.is_none_or(|id| id == own.id);
        // Its answer to SELECT_NETWORK may come behind this.
        let awaited = match &self.stage {
            Stage::Laying { port: at, .. }
            | Stage::Seeking { port: at, .. }
            | Stage::Down { port: at } => at == port,
            _ => false,
        };
        if ours && awaited {
            let place = Place {
                interface: port.to_owned(),
                bssid: bssid.0,
                network: own.network.clone(),
            };
            self.up(port, None, place);
        }
    }
}

/// Why a network was lost, for the connection screen.
fn why_lost(reason: u16, local: bool) -> String {
    match (reason, local) {
        (4, _) => "The laptop is out of range, or it is off.".into(),
        (3, true) => "Wi-Fi was switched off or taken by something else on this device.".into(),
        (3, false) => "The laptop closed its network.".into(),
        (code, _) => format!("The laptop's network was lost: {}.", words::reason(code)),
    }
}
