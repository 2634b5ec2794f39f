//! The work of one run: the machine, the sockets that it has open, and the tasks around it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use smol::channel::{Receiver, Sender};
use smol::future::or;
use smol::{Executor, Task, Timer};

use super::{Air, Wanted, locked};
use crate::apart::apart;
use crate::broker::{Tuner, index};
use crate::link::cable;
use crate::link::carrier::RadioNews;
use crate::link::ctrl::Ctrl;
use crate::link::sight::{self, Glance, Watch};
use crate::radio::held::{read, write};
use crate::radio::{Denial, Effect, Held, Input, Machine, Order, Place, Scene};

/// How long putting everything back may take at the end.
const LEAVE_TIMEOUT: Duration = Duration::from_secs(3);

/// What comes in from the tasks around the machine. Numbers tell what belongs to a socket that was closed since.
pub(super) enum Told {
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

pub(super) struct Work<'a, 'e> {
    air: &'a Air,
    executor: &'a Executor<'e>,
    tell: Sender<Told>,
    machine: Machine,
    scene: Scene,
    /// A laptop is at the USB cable, as was said last.
    plugged: bool,
    /// How interfaces were found. Kept while one is prepared, and no request is made meanwhile.
    tuning: Arc<smol::lock::Mutex<Option<Tuner>>>,
    /// Interfaces that were prepared, and their numbers at that time.
    prepared: BTreeMap<String, u32>,
    doors: BTreeMap<String, Door>,
    answers: BTreeMap<u32, Sender<Result<Place, String>>>,
    tickets: u32,
    numbers: u64,
    left: bool,
}

impl<'a, 'e> Work<'a, 'e> {
    pub(super) fn new(air: &'a Air, executor: &'a Executor<'e>, tell: Sender<Told>) -> Self {
        let held = air.broker.recall();
        let tuner = air.broker.tuner();
        if let Err(error) = &tuner {
            log::warn!("interfaces stay as they are: {error}");
        }
        Self {
            air,
            executor,
            tell,
            machine: Machine::new(air.settings.interface.clone(), read(&held)),
            scene: Scene::default(),
            plugged: false,
            tuning: Arc::new(smol::lock::Mutex::new(tuner.ok())),
            prepared: BTreeMap::new(),
            doors: BTreeMap::new(),
            answers: BTreeMap::new(),
            tickets: 0,
            numbers: 0,
            left: false,
        }
    }

    pub(super) async fn run(&mut self, told: Receiver<Told>) {
        let folders = self.air.settings.folders();
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
        apart("tuning", move || {
            tuning.as_mut().map(|tuner| tuner.restore())
        })
        .await;
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
        let mut watch = match Watch::open(&self.air.broker, folders) {
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
        let plugged = cable::is_plugged(self.air.settings.usb.as_deref());
        if plugged != self.plugged {
            self.plugged = plugged;
            log::info!(
                "the USB cable was {}",
                if plugged { "plugged in" } else { "pulled" }
            );
            let _ = self.air.news.try_send(RadioNews::Cable(plugged));
        }
        let scene = sight::look(folders);
        self.scene = scene.clone();
        // A driver that was loaded anew has an interface of the same name without what it was prepared with, and a supplicant
        // that still knows the network joins without being asked.
        let anew: Vec<String> = self
            .prepared
            .iter()
            .filter(|(name, before)| index(name).is_some_and(|now| now != **before))
            .map(|(name, _)| name.clone())
            .collect();
        for name in anew {
            self.prepare(&name);
        }
        self.feed(Input::Scene(scene));
    }

    fn want(&mut self, wanted: Wanted, folders: &[PathBuf]) {
        // Where a change was not told, this is the time to notice.
        let scene = sight::look(folders);
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
        let (tell, at, broker) = (self.tell.clone(), name.clone(), self.air.broker.clone());
        let task = self.executor.spawn(async move {
            let opened = Ctrl::open(&broker, &at).await;
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
        let index = index(interface).unwrap_or(0);
        self.prepared.insert(interface.to_owned(), index);
        let mut scene = self.scene.interfaces.iter();
        let down = scene.any(|one| one.name == interface && !one.up);
        let name = interface.to_owned();
        self.tune(move |tuner| tuner.prepare(&name, down));
    }

    /// Puts interfaces back as they were found.
    fn restore(&mut self) {
        self.prepared.clear();
        self.tune(|tuner| tuner.restore());
    }

    /// Works on what interfaces are set to, away from this thread and in the order of the calls.
    fn tune(&self, work: impl FnOnce(&mut Tuner) + Send + 'static) {
        // Taken here where it is free, so that a request that follows waits for it.
        let (free, later) = (self.tuning.try_lock_arc(), self.tuning.clone());
        let task = async move {
            let mut tuning = match free {
                Some(tuning) => tuning,
                None => later.lock_arc().await,
            };
            apart("tuning", move || tuning.as_mut().map(work)).await;
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
        if let Err(error) = self.air.broker.remember(write(held)) {
            log::warn!("what is to be put back after a crash is not written down: {error}");
        }
    }
}
