//! The loop: a stimulus comes in, `update` changes the model, effects go out, a frame is drawn if something changed.
//!
//! Between stimuli nothing runs. While text streams in, the first piece is drawn at once and then one frame in 50 ms.

use std::sync::Arc;
use std::time::Duration;

use smol::Timer;
use smol::channel::{Receiver, Sender, WeakSender};
use smol::future::or;

use super::keeper::{Errand, Reach};
use super::proof::Prover;
use super::script::{self, Ask, Order};
use super::trail::Trail;
use crate::app::effect::{Effect, Effects};
use crate::app::model::{Battery, Model, Pad, Panel};
use crate::app::msg::{LinkEvent, Msg};
use crate::app::update;
use crate::input::doze::{Doze, Sign, Turn};
use crate::input::{Button, Press, Tracker};
use crate::link::Command;
use crate::platform::evdev;
use crate::platform::{Area, Display, PlatformEvent, Power, clock, resume};
use crate::time::Millis;
use crate::ui::{self, Canvas, Motion};

/// Frames of a stream are at least so far apart.
const STREAM_FRAME_MS: u64 = 50;

/// The battery is read this often, together with the clock in the header.
const BATTERY_MS: u64 = 60_000;

/// Stimuli taken in before a frame is drawn; more wait for the next round.
const MAX_BURST: usize = 64;

/// Where stimuli come from.
pub struct Sources {
    /// Buttons and the window.
    pub platform: Receiver<PlatformEvent>,
    /// Answers of the card.
    pub card: Receiver<Msg>,
    /// News from the link.
    pub link: Receiver<LinkEvent>,
    /// Lines of a script; a channel without senders where there is none.
    pub script: Receiver<Order>,
}

/// Where what the app wants done goes.
pub struct Outlets {
    /// To the card.
    pub errands: Sender<Errand>,
    /// To the link; passes the card first where it has to be behind a write.
    pub commands: Sender<Command>,
    /// Milliseconds for the motor; nobody listens where there is none.
    pub pulses: Sender<u16>,
    /// Wishes to the input devices; nobody listens where there are none.
    pub pads: Sender<evdev::Order>,
    /// Who shows what holds of the air gap, and where the answer comes in.
    pub prover: (Arc<Prover>, WeakSender<Msg>),
}

/// The running app.
pub struct Stage {
    model: Model,
    canvas: Canvas,
    motion: Motion,
    tracker: Tracker,
    /// Whether the device sleeps.
    doze: Doze,
    /// The latest presses, for scripts.
    trail: Trail,
    display: Box<dyn Display>,
    power: Box<dyn Power>,
    outlets: Outlets,
    /// The panel shows something else than the last frame: the next is shown whole.
    whole: bool,
    /// Wake-up that the app asked for.
    timer: Option<Millis>,
    battery_at: Millis,
    /// When the next frame may be drawn, if one is wanted.
    frame_at: Option<Millis>,
    drawn_at: Millis,
    /// Contacts that a script opens or closes later.
    fingers: Vec<(Millis, Button, bool)>,
    /// Questions of a script that wait.
    asks: Vec<Ask>,
    ended: bool,
    /// What was told of the start: the first frame, and the first with what is on the card.
    told: (bool, bool),
}

enum Wake {
    Platform(PlatformEvent),
    Card(Msg),
    Link(LinkEvent),
    Script(Order),
    Clock,
    Over,
}

impl Stage {
    /// Sets the stage; nothing is shown before the first stimulus.
    pub fn new(
        display: Box<dyn Display>,
        power: Box<dyn Power>,
        model: Model,
        outlets: Outlets,
    ) -> Self {
        let (width, height) = display.size();
        Self {
            model,
            canvas: Canvas::new(width as i32, height as i32),
            motion: Motion::default(),
            tracker: Tracker::new(),
            doze: Doze::default(),
            trail: Trail::default(),
            display,
            power,
            outlets,
            whole: false,
            timer: None,
            battery_at: Millis(0),
            frame_at: Some(Millis(0)),
            drawn_at: Millis(0),
            fingers: Vec::new(),
            asks: Vec::new(),
            ended: false,
            told: (false, false),
        }
    }

    /// Plays until the app quits; hands the link's commands back, to be closed.
    pub async fn run(mut self, sources: Sources) -> Sender<Command> {
        let panel = Panel {
            width: self.canvas.area().w as u32,
            height: self.canvas.area().h as u32,
        };
        self.take(Msg::Panel(panel), clock::now());
        // What is on the card has been read by now: the link is looked for while the first frame is drawn, which shows it.
        while let Ok(told) = sources.card.try_recv() {
            self.take(told, clock::now());
        }
        while !self.ended {
            self.clockwork(clock::now());
            let wake = self.wait(&sources).await;
            self.handle(wake);
            for _ in 0..MAX_BURST {
                let Some(wake) = ready(&sources) else { break };
                self.handle(wake);
            }
            self.answer(clock::now());
        }
        self.finish().await
    }

    async fn wait(&self, sources: &Sources) -> Wake {
        let over = |_| Wake::Over;
        let platform = async {
            sources
                .platform
                .recv()
                .await
                .map_or_else(over, Wake::Platform)
        };
        let card = async { sources.card.recv().await.map_or_else(over, Wake::Card) };
        let link = async { sources.link.recv().await.map_or_else(over, Wake::Link) };
        let script = async {
            match sources.script.recv().await {
                Ok(order) => Wake::Script(order),
                // A script that has ended leaves the app to its other sources.
                Err(_) => smol::future::pending().await,
            }
        };
        let left = self.deadline().map(|at| at.since(clock::now()));
        let clock = async {
            match left {
                Some(left) => Timer::after(Duration::from_millis(left)).await,
                None => smol::future::pending().await,
            };
            Wake::Clock
        };
        or(or(platform, script), or(card, or(link, clock))).await
    }

    fn deadline(&self) -> Option<Millis> {
        let fingers = self.fingers.iter().map(|(at, _, _)| *at);
        let asks = self.asks.iter().map(|ask| ask.until);
        let own = [
            self.timer,
            self.frame_at,
            self.tracker.next_wake(),
            (!self.model.dark).then_some(self.battery_at),
        ];
        own.into_iter().flatten().chain(fingers).chain(asks).min()
    }

    /// Whatever is due.
    fn clockwork(&mut self, now: Millis) {
        self.fingers.sort_by_key(|(at, _, _)| *at);
        while let Some((_, button, pressed)) = self
            .fingers
            .first()
            .copied()
            .filter(|(at, _, _)| *at <= now)
        {
            self.fingers.remove(0);
            self.contact(button, pressed, now);
        }
        self.sign(Sign::Slept(resume::slept()), now);
        self.repeat(now);
        if self.timer.is_some_and(|at| at <= now) {
            self.timer = None;
            self.take(Msg::Tick, now);
        }
        if self.battery_at <= now && !self.model.dark {
            self.battery_at = now.plus(BATTERY_MS);
            let charge = self.power.charge();
            let battery = charge.map(|c| Battery {
                percent: c.percent,
                charging: c.charging,
            });
            if battery != self.model.battery {
                self.take(Msg::Battery(battery), now);
            } else {
                self.want_frame(now);
            }
        }
        if self.frame_at.is_some_and(|at| at <= now) {
            self.draw(now);
        }
        self.answer(now);
    }

    fn handle(&mut self, wake: Wake) {
        let now = clock::now();
        match wake {
            Wake::Platform(PlatformEvent::Button {
                button,
                pressed,
                at,
            }) => self.contact(button, pressed, at.min(now)),
            Wake::Platform(PlatformEvent::Touch { device, touch, at }) => {
                let at = at.min(now);
                self.take(Msg::Touch { device, touch, at }, at);
            }
            Wake::Platform(PlatformEvent::Pads(pads)) => {
                let pads = pads.into_iter().map(|pad| Pad {
                    name: pad.name,
                    explained: pad.explained,
                });
                self.take(Msg::Pads(pads.collect()), now);
            }
            Wake::Platform(PlatformEvent::Lost(device)) => self.take(Msg::PadLost(device), now),
            Wake::Platform(PlatformEvent::Sign(sign)) => self.sign(sign, now),
            Wake::Platform(PlatformEvent::Several(events)) => {
                for event in events {
                    self.handle(Wake::Platform(event));
                }
            }
            Wake::Platform(PlatformEvent::Close) => self.take(Msg::Terminate, now),
            Wake::Card(msg) => self.take(msg, now),
            Wake::Link(event) => self.hear(event, now),
            Wake::Script(order) => self.obey(order, now),
            Wake::Clock => {}
            Wake::Over => self.ended = true,
        }
    }

    /// A button closed or opened at `at`, which may lie a little back: what was due before that comes first, what is due only
    /// since then does not come any more.
    fn contact(&mut self, button: Button, pressed: bool, at: Millis) {
        self.repeat(at);
        if let Some(press) = self.tracker.set(button, pressed, at) {
            self.press(press, at);
        }
    }

    /// Long presses and repeats that are due.
    fn repeat(&mut self, now: Millis) {
        while let Some(press) = self.tracker.due(now) {
            self.press(press, now);
        }
    }

    fn press(&mut self, press: Press, at: Millis) {
        self.trail.note(press);
        let dark = self.model.dark;
        self.take(Msg::Button(press), at);
        if dark && !self.model.dark {
            self.doze.woken(at);
        }
    }

    /// Power key, lid or clock.
    fn sign(&mut self, sign: Sign, now: Millis) {
        match self.doze.take(sign, now) {
            Some(Turn::Asleep) => self.take(Msg::Asleep, now),
            Some(Turn::Awake) => {
                // What was due meanwhile, and the charge, are old.
                self.battery_at = now;
                self.take(Msg::Awake, now);
            }
            None => {}
        }
    }

    /// News from the link. What goes to memory only is put away as soon as the app has it; what goes to the card
    /// gives the laptop new room once it is there.
    fn hear(&mut self, event: LinkEvent, now: Millis) {
        let streams = matches!(
            event,
            LinkEvent::Data { .. } | LinkEvent::Progress { .. } | LinkEvent::Uploaded { .. }
        );
        let put_away = match &event {
            LinkEvent::Data {
                id,
                slot,
                offset,
                bytes,
                ..
            } => Some((*id, *slot, offset + bytes.len() as u64)),
            _ => None,
        };
        let effects = update(&mut self.model, Msg::Link(event), now);
        if let Some((id, slot, offset)) = put_away {
            let to_card = effects.iter().any(
                |e| matches!(e, Effect::SavePart { id: i, slot: s, .. } if *i == id && *s == slot),
            );
            if !to_card {
                self.tell_link(Command::Stored { id, slot, offset });
            }
        }
        self.carry_out(effects);
        match streams && !self.model.dark {
            true => {
                self.frame_at = Some(self.frame_at.unwrap_or(self.drawn_at.plus(STREAM_FRAME_MS)))
            }
            false => self.want_frame(now),
        }
    }

    fn take(&mut self, msg: Msg, now: Millis) {
        let effects = update(&mut self.model, msg, now);
        self.carry_out(effects);
        self.want_frame(now);
    }

    fn want_frame(&mut self, now: Millis) {
        if !self.model.dark {
            self.frame_at = Some(now);
        }
    }

    /// Shows nothing until the device wakes, or shows everything again.
    fn panel(&mut self, on: bool) {
        let area = self.canvas.area();
        self.whole = true;
        let _ = self.outlets.pads.try_send(evdev::Order::Rest(!on));
        if on {
            self.battery_at = clock::now();
            return;
        }
        self.frame_at = None;
        let black = vec![0; area.w as usize * area.h as usize];
        if let Err(error) = self
            .display
            .present(&black, &[Area::whole(area.w as u32, area.h as u32)])
        {
            log::warn!("the panel stays as it is: {error}");
        }
    }

    fn draw(&mut self, now: Millis) {
        self.frame_at = None;
        self.drawn_at = now;
        // The content is measured while it is drawn; where that moves the view, it is drawn once more.
        for _ in 0..2 {
            let theme = ui::theme(&self.model);
            let extent = ui::draw(&self.model, &theme, &mut self.canvas);
            if extent == self.model.extent {
                break;
            }
            let effects = update(&mut self.model, Msg::Extent(extent), now);
            self.carry_out(effects);
        }
        let theme = ui::theme(&self.model);
        let frame = self
            .motion
            .frame(&self.model, &theme.m, &mut self.canvas, now);
        let (width, height) = self.display.size();
        let whole = std::mem::take(&mut self.whole).then(|| Area::whole(width, height));
        let dirty: Vec<Area> = frame
            .dirty
            .into_iter()
            .map(|r| Area {
                x: r.x as u32,
                y: r.y as u32,
                width: r.w as u32,
                height: r.h as u32,
            })
            .collect();
        let dirty = whole.map_or(dirty, |whole| vec![whole]);
        if !dirty.is_empty() {
            if let Err(error) = self.display.present(frame.pixels, &dirty) {
                log::warn!("nothing can be shown: {error}");
                self.ended = true;
            }
            // Seen from outside, a start is over when these are said.
            if !core::mem::replace(&mut self.told.0, true) {
                log::info!("the first frame shows");
            }
        }
        if self.model.loaded && !core::mem::replace(&mut self.told.1, true) {
            log::info!("what is on the card shows");
        }
        // An effect may have asked for a frame meanwhile; the sooner of both.
        self.frame_at = match (self.frame_at, frame.next) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
    }

    fn carry_out(&mut self, effects: Effects) {
        for effect in effects {
            let errand = match effect {
                Effect::Link(laptop) => {
                    let known = |id| self.model.laptops.iter().find(|l| l.id == id);
                    Errand::Link(laptop.map(|id| Reach {
                        laptop: id,
                        carriers: known(id).map_or_else(Vec::new, |l| l.carriers.clone()),
                        network: known(id).and_then(|l| l.network.clone()),
                    }))
                }
                Effect::Reconnect => Errand::Pass(Command::Reconnect),
                Effect::Submit {
                    id,
                    program,
                    uploads,
                } => Errand::Pass(Command::Submit {
                    id,
                    program,
                    uploads,
                }),
                Effect::Resume {
                    id,
                    offsets,
                    uploads,
                } => Errand::Pass(Command::Resume {
                    id,
                    offsets,
                    uploads,
                }),
                Effect::Cancel(id) => Errand::Pass(Command::Cancel(id)),
                Effect::Ack(id) => Errand::Pass(Command::Ack(id)),
                Effect::Renew => Errand::Pass(Command::Renew),
                Effect::Pair(call) => Errand::Pass(Command::Pair(call)),
                Effect::Look(on) => Errand::Pass(Command::Look(on)),
                Effect::WatchSignal(on) => Errand::Pass(Command::WatchSignal(on)),
                Effect::Rest => Errand::Pass(Command::Rest),
                Effect::PairConfirm => Errand::Pass(Command::PairConfirm),
                Effect::PairCancel => Errand::Pass(Command::PairCancel),
                Effect::Forget(laptop) => Errand::Forget(laptop),
                Effect::SetTimer(at) => {
                    self.timer = at;
                    continue;
                }
                Effect::Teach(taught) => {
                    // A watch that has ended, or that a desktop does not have, needs no orders.
                    let _ = self.outlets.pads.try_send(evdev::Order::Teach(taught));
                    continue;
                }
                Effect::Listen(on) => {
                    let _ = self.outlets.pads.try_send(evdev::Order::Listen(on));
                    continue;
                }
                Effect::Panel(on) => {
                    self.panel(on);
                    continue;
                }
                Effect::Rumble(ms) => {
                    let _ = self.outlets.pulses.try_send(ms);
                    continue;
                }
                Effect::ProveAirGap => {
                    let (prover, answers) = self.outlets.prover.clone();
                    let prove = move || {
                        let proof = Box::new(prover.prove());
                        // Nobody is there to read it once the app ends.
                        if let Some(tell) = answers.upgrade() {
                            let _ = tell.send_blocking(Msg::Proof(proof));
                        }
                    };
                    crate::apart::go("proof", prove);
                    continue;
                }
                Effect::Quit => {
                    self.ended = true;
                    continue;
                }
                other => Errand::Effect(other),
            };
            // The card's thread ends after this one.
            let _ = self.outlets.errands.send_blocking(errand);
        }
    }

    fn tell_link(&self, command: Command) {
        // A link that is gone has nothing left to give room to.
        let _ = self.outlets.commands.send_blocking(command);
    }

    fn obey(&mut self, order: Order, now: Millis) {
        match order {
            Order::Fingers(steps, done) => {
                let mut at = self
                    .fingers
                    .iter()
                    .map(|(at, _, _)| *at)
                    .max()
                    .unwrap_or(now)
                    .max(now);
                for step in steps {
                    match step {
                        script::Finger::Set(button, pressed) => {
                            self.fingers.push((at, button, pressed))
                        }
                        script::Finger::Wait(ms) => at = at.plus(ms),
                    }
                }
                self.clockwork(clock::now());
                self.asks.push(Ask::fingers(at, done));
            }
            Order::Type(text, done) => match script::typing(&self.model.keyboard, &text) {
                Some(steps) => self.obey(Order::Fingers(steps, done), now),
                None => script::reply(&done, "error: this text cannot be typed here"),
            },
            Order::Shot(path, done) => {
                self.draw(now);
                let said = match std::fs::write(&path, self.canvas.png()) {
                    Ok(()) => "ok".to_owned(),
                    Err(error) => format!("error: {error}"),
                };
                script::reply(&done, &said);
            }
            Order::Facts(done) => script::reply(&done, &super::facts::json(&self.facts())),
            Order::Ask(condition, ms, done) => {
                self.asks
                    .push(Ask::condition(condition, now.plus(ms), done))
            }
            Order::Quit(done) => {
                self.take(Msg::Terminate, now);
                script::reply(&done, "ok");
            }
        }
    }

    /// Answers the questions of a script whose time has come.
    fn answer(&mut self, now: Millis) {
        if self.asks.is_empty() {
            return;
        }
        let facts = self.facts();
        let fingers_left = !self.fingers.is_empty();
        self.asks
            .retain(|ask| !ask.settle(&facts, fingers_left, now));
    }

    fn facts(&self) -> super::facts::Facts {
        let mut facts = super::facts::facts(&self.model);
        facts.insert("trail".into(), self.trail.text());
        facts
    }

    /// Lets the card finish what it was given.
    async fn finish(self) -> Sender<Command> {
        let (done, finished) = smol::channel::bounded(1);
        if self.outlets.errands.send(Errand::Flush(done)).await.is_ok() {
            let _ = finished.recv().await;
        }
        self.outlets.commands
    }
}

fn ready(sources: &Sources) -> Option<Wake> {
    if let Ok(event) = sources.platform.try_recv() {
        return Some(Wake::Platform(event));
    }
    if let Ok(msg) = sources.card.try_recv() {
        return Some(Wake::Card(msg));
    }
    if let Ok(event) = sources.link.try_recv() {
        return Some(Wake::Link(event));
    }
    sources.script.try_recv().ok().map(Wake::Script)
}
