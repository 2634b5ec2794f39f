//! The shell around the radio's machine: it hands in what the system shows and what wpa_supplicant says, and carries out what the
//! machine wants. One task of the link's thread; it sleeps until something happens.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use smol::channel::{Receiver, Sender, bounded, unbounded};
use smol::future::or;
use smol::{Executor, Task, Timer};

use super::carrier::{Called, Calling, Connecting, Dialer, NO_USB, RadioNews, Way, tcp};
use super::ctrl::{Ctrl, run_folder};
use super::reach::{Learned, reach};
use super::sight::{self, Glance, Watch};
use super::tuning::Tuning;
use crate::app::model::laptop::Nearby;
use crate::app::model::{Call, Carrier, Network};
use crate::app::msg::RadioAbility;
use crate::app::words::radio::passphrase;
use crate::radio::held::{read, write};
use crate::radio::{Denial, Effect, Held, Input, Machine, Order, Place, Scene};

/// Where control sockets are: those of officeos-radio's supplicant, then the usual places.
pub const FOLDERS: [&str; 4] = [
    "/run/officeos-radio/control",
    "/run/wpa_supplicant",
    "/var/run/wpa_supplicant",
    "/tmp/wpa_supplicant",
];

/// How long putting everything back may take at the end.
const LEAVE_TIMEOUT: Duration = Duration::from_secs(3);

/// Said where no network is known.
const NO_NETWORK: &str = "This laptop has told of no network of its own. Link with it over another way once, or pair anew by radio.";

/// Where the radio is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Folders of control sockets; [`FOLDERS`] if there are none.
    pub folders: Vec<PathBuf>,
    /// The only interface to use.
    pub interface: Option<String>,
}

/// What the driver wants, and where the answer goes.
enum Wanted {
    Join(Network, Sender<Result<Place, String>>),
    Push(Nearby, Sender<Result<Place, String>>),
    Order(Order),
}

/// The driver's end.
pub struct AirDialer {
    wants: Sender<Wanted>,
    ability: Arc<Mutex<Option<RadioAbility>>>,
    learned: Learned,
}

/// The radio's end: to be [run](Air::run) beside the driver.
pub struct Air {
    settings: Settings,
    wants: Receiver<Wanted>,
    news: Sender<RadioNews>,
    ability: Arc<Mutex<Option<RadioAbility>>>,
    clock: fn() -> u64,
    run: PathBuf,
}

/// Makes both ends, and what the radio says.
pub fn open(settings: Settings, clock: fn() -> u64) -> (AirDialer, Air, Receiver<RadioNews>) {
    let (wants, wanted) = unbounded();
    let (news, heard) = unbounded();
    let ability = Arc::new(Mutex::new(None));
    let dialer = AirDialer {
        wants,
        ability: ability.clone(),
        learned: Learned::default(),
    };
    let air = Air {
        settings,
        wants: wanted,
        news,
        ability,
        clock,
        run: run_folder(),
    };
    (dialer, air, heard)
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl AirDialer {
    async fn wait(
        &self,
        wanted: Wanted,
        answer: Receiver<Result<Place, String>>,
    ) -> Result<Place, String> {
        let gone = || "The radio is not driven any more.".to_owned();
        self.wants.send(wanted).await.map_err(|_| gone())?;
        answer.recv().await.map_err(|_| gone())?
    }

    async fn join(&self, network: &Network) -> Result<Place, String> {
        let (tell, answer) = bounded(1);
        self.wait(Wanted::Join(network.clone(), tell), answer).await
    }

    fn order(&self, order: Order) {
        // Without anybody to take it there is no radio to be ordered.
        let _ = self.wants.try_send(Wanted::Order(order));
    }
}

impl Dialer for AirDialer {
    fn dial<'a>(&'a self, way: Way<'a>) -> Connecting<'a> {
        Box::pin(async move {
            match way.carrier {
                Carrier::Tcp(address) => tcp(address).await,
                Carrier::Usb => Err(NO_USB.into()),
                Carrier::WifiDirect | Carrier::Station => {
                    let network = way.network.ok_or(NO_NETWORK)?;
                    let place = self.join(network).await?;
                    reach(&place, &self.learned).await
                }
            }
        })
    }

    fn call<'a>(&'a self, call: &'a Call) -> Calling<'a> {
        Box::pin(async move {
            let (carrier, place) = match call {
                Call::Carrier(carrier) => {
                    let network = None;
                    let stream = self.dial(Way { carrier, network }).await?;
                    return Ok(Called {
                        stream,
                        carrier: carrier.clone(),
                        network: None,
                    });
                }
                Call::Push(nearby) => {
                    let (tell, answer) = bounded(1);
                    let wanted = Wanted::Push(nearby.clone(), tell);
                    (Carrier::WifiDirect, self.wait(wanted, answer).await?)
                }
                Call::Passphrase(nearby, typed) => {
                    let network = typed_network(nearby, typed)?;
                    let place = self.join(&network).await?;
                    let carrier = self.radio().unwrap_or(Carrier::Station);
                    (carrier, place)
                }
            };
            let stream = reach(&place, &self.learned).await?;
            let network = Some(Network {
                port: stream
                    .peer_addr()
                    .map_or(super::reach::PORT, |at| at.port()),
                ..place.network
            });
            Ok(Called {
                stream,
                carrier,
                network,
            })
        })
    }

    fn radio(&self) -> Option<Carrier> {
        let ability = locked(&self.ability).clone()?;
        match (ability.p2p, ability.station) {
            (true, _) => Some(Carrier::WifiDirect),
            (false, true) => Some(Carrier::Station),
            (false, false) => None,
        }
    }

    fn look(&self, on: bool) {
        self.order(Order::Look(on));
    }

    fn watch_signal(&self, on: bool) {
        self.order(Order::WatchSignal(on));
    }

    fn give_way(&self) {
        self.order(Order::GiveWay);
    }

    fn rest(&self) {
        self.order(Order::Rest);
    }

    fn call_off(&self) {
        self.order(Order::CallOff);
    }
}

/// A network as a person joins it: what was heard, with what was typed.
fn typed_network(nearby: &Nearby, typed: &str) -> Result<Network, String> {
    let passphrase = passphrase(typed).ok_or(
        "A passphrase has 8 to 63 letters, digits and signs. Look at the laptop's screen again.",
    )?;
    Ok(Network {
        ssid: nearby.ssid.clone(),
        passphrase,
        frequency: nearby.frequency,
        port: 0,
    })
}

/// What comes in from the tasks around the machine. Numbers tell what belongs to a socket that was closed since.
enum Told {
    Look(Glance),
    Opened(String, u64, Result<Ctrl, Denial>),
    Answer(u32, Option<String>),
    Event(String, u64, shared_proto::supplicant::Event),
}

/// An open socket, or one being opened.
struct Door {
    number: u64,
    ctrl: Option<Ctrl>,
    /// Opens it, then reads its events.
    _task: Task<()>,
}

impl Air {
    /// Runs until the driver's end is dropped; then puts everything back.
    pub async fn run(self) {
        let executor = Executor::new();
        let (tell, told) = unbounded();
        let mut work = Work::new(&self, &executor, tell);
        executor.run(work.run(told)).await;
    }

    fn folders(&self) -> Vec<PathBuf> {
        if !self.settings.folders.is_empty() {
            return self.settings.folders.clone();
        }
        FOLDERS.iter().map(PathBuf::from).collect()
    }

    /// Where is written what is to be put back: a file for each network namespace, where interfaces have their names.
    fn held_file(&self) -> PathBuf {
        let space = fs::metadata("/proc/self/ns/net").map_or(0, |facts| facts.ino());
        self.run.join(format!("radio-{space}"))
    }
}

struct Work<'a, 'e> {
    air: &'a Air,
    executor: &'a Executor<'e>,
    tell: Sender<Told>,
    machine: Machine,
    scene: Scene,
    /// How interfaces were found. Kept while one is prepared, and no request is made meanwhile.
    tuning: Arc<smol::lock::Mutex<Tuning>>,
    /// Interfaces that were prepared, and their numbers at that time.
    prepared: BTreeMap<String, u32>,
    paths: BTreeMap<String, PathBuf>,
    doors: BTreeMap<String, Door>,
    answers: BTreeMap<u32, Sender<Result<Place, String>>>,
    tickets: u32,
    numbers: u64,
    left: bool,
}

impl<'a, 'e> Work<'a, 'e> {
    fn new(air: &'a Air, executor: &'a Executor<'e>, tell: Sender<Told>) -> Self {
        let held = fs::read_to_string(air.held_file()).unwrap_or_default();
        let values = air.held_file().with_extension("values");
        Self {
            air,
            executor,
            tell,
            machine: Machine::new(air.settings.interface.clone(), read(&held)),
            scene: Scene::default(),
            tuning: Arc::new(smol::lock::Mutex::new(Tuning::open(values))),
            prepared: BTreeMap::new(),
            paths: BTreeMap::new(),
            doors: BTreeMap::new(),
            answers: BTreeMap::new(),
            tickets: 0,
            numbers: 0,
            left: false,
        }
    }

    async fn run(&mut self, told: Receiver<Told>) {
        let folders = self.air.folders();
        let _watch = self.watch(&folders);
        // What a crash left.
        self.restore();
        self.look(&folders);
        loop {
            enum Wake {
                Wanted(Option<Wanted>),
                Told(Option<Told>),
                Clock,
            }
            let wake = {
                let wanted = async { Wake::Wanted(self.air.wants.recv().await.ok()) };
                let told = async { Wake::Told(told.recv().await.ok()) };
                or(or(wanted, told), async {
                    self.due().await;
                    Wake::Clock
                })
                .await
            };
            match wake {
                Wake::Wanted(Some(wanted)) => self.want(wanted, &folders),
                // The driver is gone.
                Wake::Wanted(None) => break,
                Wake::Told(Some(told)) => self.told(told, &folders),
                // Never: an end of the channel is ours.
                Wake::Told(None) => break,
                Wake::Clock => self.tick(),
            }
        }
        let leave = async {
            self.feed(Input::Order(Order::Leave));
            while !self.left {
                let next = or(async { told.recv().await.ok() }, async {
                    self.due().await;
                    None
                });
                match next.await {
                    Some(told) => self.told(told, &folders),
                    None => self.tick(),
                }
            }
        };
        or(leave, async {
            Timer::after(LEAVE_TIMEOUT).await;
        })
        .await;
        let mut tuning = self.tuning.lock_arc().await;
        smol::unblock(move || tuning.restore(sight::index)).await;
    }

    /// Waits until the machine is to look at the clock.
    async fn due(&self) {
        match self.machine.deadline() {
            Some(at) => {
                let left = at.saturating_sub((self.air.clock)());
                Timer::after(Duration::from_millis(left)).await;
            }
            None => smol::future::pending().await,
        }
    }

    /// Tells when it is worth looking again.
    fn watch(&self, folders: &[PathBuf]) -> Option<Task<()>> {
        let tell = self.tell.clone();
        let mut watch = match Watch::open(folders) {
            Ok(watch) => watch,
            Err(error) => {
                log::warn!("changes of the radio are not noticed: {error}");
                return None;
            }
        };
        Some(self.executor.spawn(async move {
            loop {
                match watch.next().await {
                    Ok(glance) => drop(tell.send(Told::Look(glance)).await),
                    Err(error) => {
                        log::warn!("changes of the radio are not noticed any more: {error}");
                        return;
                    }
                }
            }
        }))
    }

    fn look(&mut self, folders: &[PathBuf]) {
        let (scene, paths) = sight::look(folders);
        self.paths = paths;
        self.scene = scene.clone();
        // A driver that was loaded anew has an interface of the same name without what it was prepared with, and a supplicant
        // that still knows the network joins without being asked.
        let anew: Vec<String> = self
            .prepared
            .iter()
            .filter(|(name, index)| sight::index(name).is_some_and(|now| now != **index))
            .map(|(name, _)| name.clone())
            .collect();
        for name in anew {
            self.prepare(&name);
        }
        self.feed(Input::Scene(scene));
    }

    fn want(&mut self, wanted: Wanted, folders: &[PathBuf]) {
        // Where a change was not told, this is the time to notice.
        let (scene, _) = sight::look(folders);
        if scene != self.scene {
            self.look(folders);
        }
        let mut ticket = |answer| {
            self.tickets = self.tickets.wrapping_add(1);
            // A new wish replaces the one before it, whose driver has gone on.
            self.answers.clear();
            self.answers.insert(self.tickets, answer);
            self.tickets
        };
        let order = match wanted {
            Wanted::Join(network, answer) => Order::Join {
                ticket: ticket(answer),
                network,
            },
            Wanted::Push(nearby, answer) => Order::Push {
                ticket: ticket(answer),
                nearby,
            },
            Wanted::Order(order) => {
                if matches!(order, Order::GiveWay) {
                    self.restore();
                }
                order
            }
        };
        self.feed(Input::Order(order));
    }

    fn told(&mut self, told: Told, folders: &[PathBuf]) {
        match told {
            Told::Look(glance) => {
                self.look(folders);
                if glance == Glance::Woke {
                    self.feed(Input::Woke);
                }
            }
            Told::Opened(name, number, opened) => {
                if self
                    .doors
                    .get(&name)
                    .is_none_or(|door| door.number != number)
                {
                    return;
                }
                match opened {
                    Ok(ctrl) => {
                        let task = self.listen(&name, number, &ctrl);
                        let ctrl = Some(ctrl);
                        self.doors.insert(
                            name.clone(),
                            Door {
                                number,
                                ctrl,
                                _task: task,
                            },
                        );
                        self.feed(Input::Opened(name));
                    }
                    Err(denial) => {
                        self.doors.remove(&name);
                        self.feed(Input::Closed(name, denial));
                    }
                }
            }
            Told::Answer(ticket, text) => self.feed(Input::Answer { ticket, text }),
            Told::Event(name, number, event) => {
                if self
                    .doors
                    .get(&name)
                    .is_some_and(|door| door.number == number)
                {
                    log::debug!("{name}: {event:?}");
                    self.feed(Input::Event { port: name, event });
                }
            }
        }
    }

    fn listen(&self, name: &str, number: u64, ctrl: &Ctrl) -> Task<()> {
        let (events, tell, name) = (ctrl.events(), self.tell.clone(), name.to_owned());
        self.executor.spawn(async move {
            while let Ok(event) = events.next().await {
                let _ = tell.send(Told::Event(name.clone(), number, event)).await;
            }
        })
    }

    fn feed(&mut self, input: Input) {
        let effects = self.machine.handle(input, (self.air.clock)());
        self.carry_out(effects);
    }

    fn tick(&mut self) {
        let effects = self.machine.tick((self.air.clock)());
        self.carry_out(effects);
    }

    fn carry_out(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Open(name) => self.open(name),
                Effect::Close(name) => drop(self.doors.remove(&name)),
                Effect::Ask {
                    port,
                    ticket,
                    command,
                } => {
                    log::debug!("{port}: {command:?}");
                    let ctrl = self.doors.get(&port).and_then(|door| door.ctrl.as_ref());
                    let answer = ctrl.map(|ctrl| ctrl.request(&command));
                    let (tell, tuning) = (self.tell.clone(), self.tuning.clone());
                    let ask = async move {
                        // Its interface is prepared first.
                        drop(tuning.lock().await);
                        let text = match answer {
                            Some(answer) => answer.await,
                            None => None,
                        };
                        let _ = tell.send(Told::Answer(ticket, text)).await;
                    };
                    self.executor.spawn(ask).detach();
                }
                Effect::Prepare(interface) => self.prepare(&interface),
                Effect::Joined { ticket, place } => self.answer(ticket, Ok(place)),
                Effect::NotJoined { ticket, why } => self.answer(ticket, Err(why)),
                Effect::News(news) => {
                    if let RadioNews::Ability(ability) = &news {
                        *locked(&self.air.ability) = Some(ability.clone());
                    }
                    let _ = self.air.news.try_send(news);
                }
                Effect::Remember(held) => self.remember(&held),
                Effect::Left => self.left = true,
            }
        }
    }

    fn open(&mut self, name: String) {
        self.numbers += 1;
        let number = self.numbers;
        let path = self.paths.get(&name).cloned();
        let folder = format!("radio-{}-{number}", std::process::id());
        let own = self.air.run.join(folder);
        let (tell, at) = (self.tell.clone(), name.clone());
        let task = self.executor.spawn(async move {
            let opened = match path {
                Some(path) => Ctrl::open(path, own).await,
                None => Err(Denial::Dead),
            };
            let _ = tell.send(Told::Opened(at, number, opened)).await;
        });
        self.doors.insert(
            name,
            Door {
                number,
                ctrl: None,
                _task: task,
            },
        );
    }

    fn prepare(&mut self, interface: &str) {
        let index = sight::index(interface).unwrap_or(0);
        self.prepared.insert(interface.to_owned(), index);
        let mut scene = self.scene.interfaces.iter();
        let down = scene.any(|one| one.name == interface && !one.up);
        let name = interface.to_owned();
        self.tune(move |tuning| tuning.prepare(&name, index, down));
    }

    /// Puts interfaces back as they were found.
    fn restore(&mut self) {
        self.prepared.clear();
        self.tune(|tuning| tuning.restore(sight::index));
    }

    /// Works on what interfaces are set to, away from this thread and in the order of the calls.
    fn tune(&self, work: impl FnOnce(&mut Tuning) + Send + 'static) {
        // Taken here where it is free, so that a request that follows waits for it.
        let (free, later) = (self.tuning.try_lock_arc(), self.tuning.clone());
        let task = async move {
            let mut tuning = match free {
                Some(tuning) => tuning,
                None => later.lock_arc().await,
            };
            smol::unblock(move || work(&mut tuning)).await;
        };
        self.executor.spawn(task).detach();
    }

    fn answer(&mut self, ticket: u32, result: Result<Place, String>) {
        if let Some(answer) = self.answers.remove(&ticket) {
            // Whoever asked may have gone on.
            let _ = answer.try_send(result);
        }
    }

    fn remember(&self, held: &[Held]) {
        let file = self.air.held_file();
        let text = write(held);
        let result = match text.is_empty() {
            true => fs::remove_file(&file).or_else(|error| match error.kind() {
                std::io::ErrorKind::NotFound => Ok(()),
                _ => Err(error),
            }),
            false => fs::write(&file, text),
        };
        if let Err(error) = result {
            log::warn!("what is to be put back after a crash is not written down: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(ssid: &str, passphrase: &str) -> Network {
        Network {
            ssid: ssid.into(),
            passphrase: passphrase.into(),
            ..Network::default()
        }
    }

    #[test]
    fn what_is_typed_is_checked_before_the_radio_hears_of_it() {
        let nearby = Nearby {
            name: "Ada".into(),
            ssid: b"DIRECT-ab-Ada".to_vec(),
            bssid: [2; 6],
            device: None,
            frequency: 2437,
            signal_dbm: -40,
            push: false,
        };
        assert_eq!(
            typed_network(&nearby, " Abcd 2345 efgh ").unwrap(),
            Network {
                frequency: 2437,
                ..network("DIRECT-ab-Ada", "abcd2345efgh")
            }
        );
        let other = typed_network(&nearby, "Somebody Else's").unwrap();
        assert_eq!(other.passphrase, "Somebody Else's");
        // Zero and one are in none of ours, so its capitals count; a key in place of a passphrase passes.
        for taken in ["Tr0ub4dor123".into(), "0a".repeat(32)] {
            assert_eq!(typed_network(&nearby, &taken).unwrap().passphrase, taken);
        }
        for bad in ["", "short", "käsekäse", &"x".repeat(64)] {
            assert!(typed_network(&nearby, bad).unwrap_err().contains("8 to 63"));
        }
    }

    #[test]
    fn a_device_without_a_radio_says_so_and_fails_with_that() {
        let settings = Settings {
            folders: vec!["/nowhere/at/all".into()],
            interface: Some("nowhere9".into()),
        };
        let clock = || 1;
        let (dialer, air, news) = open(settings, clock);
        smol::block_on(or(air.run(), async {
            let Ok(RadioNews::Ability(ability)) = news.recv().await else {
                panic!("the ability comes first")
            };
            assert!(!ability.station && ability.why.contains("nowhere9"));
            assert_eq!(dialer.radio(), None);
            let network = network("DIRECT-ab-Ada", "abcd2345efgh");
            let carrier = &Carrier::WifiDirect;
            let network = Some(&network);
            let why = dialer.dial(Way { carrier, network }).await.unwrap_err();
            assert!(why.contains("nowhere9"), "{why}");
            let network = None;
            let why = dialer.dial(Way { carrier, network }).await.unwrap_err();
            assert_eq!(why, NO_NETWORK);
        }));
    }
}
