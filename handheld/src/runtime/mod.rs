//! Where the pure app meets the world: threads, channels and the folder on the card.
//!
//! ```text
//! buttons ─▶ stage (update, draw) ─▶ display          main thread: the window, or the script
//!              │  ▲        ▲                           stage thread: smol
//!      errands ▼  │ told   │ news
//!            keeper        link driver                 a thread each
//!              └── commands ─▲
//! ```
//!
//! All of this is the app's process. Before its first thread it has forked the [broker](crate::broker), which opens the link, and has given
//! up rights and disk; once the display is open it gives up sockets and programs as well ([`crate::platform::confine`]).
//!
//! Signals and faults end it in the same way: everything is saved, link and radio have a moment to put back what they changed.
//!
//! The stage never waits for card or link; whatever leaves for the laptop passes the keeper, behind the writes it rests on.

pub mod audit;
pub mod crash;
pub mod desk;
pub mod drawer;
pub mod facts;
pub mod fonts;
mod former;
pub mod keeper;
pub mod options;
pub mod parts;
pub mod proof;
pub mod raster;
pub mod script;
pub mod shelf;
pub mod stage;
mod trail;

use std::io::{BufReader, Write};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use smol::channel::{Receiver, Sender, bounded, unbounded};

use crate::app::Model;
use crate::app::model::{Carrier, Panel};
use crate::broker::{self, Broker};
use crate::link::Introduction;
use crate::link::carrier::{Dialer, NO_RADIO, TcpDialer, no_radio};
use crate::link::driver::Driver;
use crate::platform::confine::{self, Layers};
use crate::platform::rumble::Motor;
use crate::platform::{Platform, PlatformError, clock, drm, evdev, firmware, headless, signals};
use desk::Desk;
use keeper::Keeper;
use options::{Mode, Options, Presenter};
use proof::Prover;
use stage::{Outlets, Sources, Stage};

/// News that may wait for the app before the laptop is slowed down.
const NEWS_QUEUE: usize = 64;

/// A thread has fallen over.
const FAULT: &str = "the app stopped by a fault of its own; officeos.log on the card says where";

/// How long link and radio may take to say farewell when a signal ends the app.
const FAREWELL: Duration = Duration::from_millis(1200);

/// Runs the app until it quits.
///
/// # Errors
/// A sentence: what keeps the app from starting, and what to do about it.
pub fn run(options: &Options) -> Result<(), String> {
    let begun = Instant::now();
    confine::sockets::close_inherited();
    let broker = broker::split(&options.broker())?;
    crash::watch(&options.home);
    let result = confined(options, broker, begun);
    match result {
        Ok(()) if crash::fell() => Err(FAULT.into()),
        Err(error) => {
            if !crash::fell() {
                crash::failed(&options.home, &error);
            }
            Err(error)
        }
        Ok(()) => Ok(()),
    }
}

/// Runs the app in a process that has split at `begun`.
fn confined(options: &Options, broker: Broker, begun: Instant) -> Result<(), String> {
    // Every thread inherits it; the broker, which was forked before, does not.
    signals::hold().map_err(|e| e.to_string())?;
    fonts::open();
    // The rules of the disk are about folders that are there.
    crate::card::folder::make_folder(&options.home).map_err(|e| e.to_string())?;
    if let Err(error) = confine::disk::take(&options.home) {
        log::warn!("{} is somebody else's: {error}", options.home.display());
    }
    let control = options.control.as_deref().map(bind).transpose()?;
    let confined = Confined {
        layers: confine::early(&options.written()),
        broker,
        control,
    };
    log::debug!("split and confined after {:?}", begun.elapsed());
    match options.mode {
        Mode::Headless => run_headless(options, confined),
        Mode::Window => run_window(options, confined),
        Mode::Device => run_device(options, confined),
    }
}

/// What is left of a process that has split and given up what it could before its display opened.
struct Confined {
    layers: Layers,
    broker: Broker,
    /// Where scripts are taken.
    control: Option<UnixListener>,
}

impl Confined {
    /// Gives up the rest, once the display is open and before anything is read that others wrote.
    fn close(&mut self) {
        let (listens, begun) = (self.control.is_some(), Instant::now());
        self.layers = confine::late(self.layers.clone(), listens);
        log::debug!("closed after {:?}", begun.elapsed());
        if let Some(why) = self.layers.lack() {
            log::warn!("the air gap is not enforced as it should be: {why}");
        }
    }
}

fn run_headless(options: &Options, mut confined: Confined) -> Result<(), String> {
    let (remote, platform) = headless::open(options.size.0, options.size.1);
    let (orders, script) = unbounded();
    let pads = watch_buttons(options.buttons.as_deref(), &platform)?;
    confined.close();
    let control = confined.control.take();
    let stage = start(options, confined, platform, script, pads)?;
    match control {
        // The listener's thread ends with the process: it only ever waits for a script.
        Some(listener) => listen(listener, orders)?,
        None => {
            thread::Builder::new()
                .name("script".into())
                .spawn(move || {
                    script::serve(std::io::stdin().lock(), std::io::stdout(), &orders);
                    // A script that has ended closes the app.
                    let _ = smol::future::block_on(remote.close());
                })
                .map_err(|e| format!("no thread for the script: {e}"))?;
        }
    }
    stage.join().map_err(|_| FAULT.to_owned())
}

/// Reads the input devices in `folder`, if there is one to read; returns how to give them orders.
fn watch_buttons(
    folder: Option<&Path>,
    platform: &Platform,
) -> Result<Sender<evdev::Order>, String> {
    let (orders, obeyed) = unbounded();
    let Some(folder) = folder.map(Path::to_owned) else {
        return Ok(orders);
    };
    let sender = platform.sender.clone();
    let buttons = move || {
        let watching = evdev::watch(&folder, firmware::of_system(), obeyed, sender);
        if let Err(error) = smol::future::block_on(watching) {
            log::error!("{error}");
        }
    };
    thread::Builder::new()
        .name("buttons".into())
        .spawn(buttons)
        .map_err(|e| format!("no thread for the buttons: {e}"))?;
    Ok(orders)
}

/// The socket for scripts.
fn bind(path: &Path) -> Result<UnixListener, String> {
    let _ = std::fs::remove_file(path);
    UnixListener::bind(path).map_err(|e| format!("no socket at {}: {e}", path.display()))
}

/// Takes scripts from a socket, one after the other.
fn listen(listener: UnixListener, orders: Sender<script::Order>) -> Result<(), String> {
    let serve = move || {
        for stream in listener.incoming().flatten() {
            let Ok(output) = stream.try_clone() else {
                continue;
            };
            script::serve(BufReader::new(stream), output, &orders);
        }
    };
    thread::Builder::new()
        .name("script".into())
        .spawn(serve)
        .map_err(|e| format!("no thread for the script: {e}"))?;
    Ok(())
}

/// Shows the app in a window on a desktop.
#[cfg(feature = "device")]
fn run_window(options: &Options, confined: Confined) -> Result<(), String> {
    use crate::platform::sdl;
    let wanted = sdl::Options::desktop(options.size.0, options.size.1);
    let (window, platform) = sdl::open(&wanted).map_err(|e| e.to_string())?;
    let pads = watch_buttons(None, &platform)?;
    play(options, confined, platform, pads, || window.run())
}

#[cfg(not(feature = "device"))]
fn run_window(_options: &Options, _confined: Confined) -> Result<(), String> {
    Err("this build has no window; build it with --features device, or use --headless".into())
}

/// Shows the app on the device's own panel: through SDL where that is built in and finds it, else through the kernel.
fn run_device(options: &Options, confined: Confined) -> Result<(), String> {
    let input = Path::new(evdev::INPUT_FOLDER);
    let no_sdl = match options.display {
        Presenter::Drm => None,
        Presenter::Auto | Presenter::Sdl => match sdl_device() {
            Ok((window, platform)) => {
                let pads = watch_buttons(Some(input), &platform)?;
                return play(options, confined, platform, pads, window);
            }
            Err(error) if options.display == Presenter::Sdl => return Err(error),
            Err(error) => Some(error),
        },
    };
    match drm::open(Path::new(drm::FOLDER), options.turn) {
        Ok((window, platform)) => {
            let pads = watch_buttons(Some(input), &platform)?;
            play(options, confined, platform, pads, || window.run())
        }
        Err(error) => Err(match no_sdl {
            Some(sdl) => format!("{sdl}. Without SDL there is {error}"),
            None => error.to_string(),
        }),
    }
}

#[cfg(feature = "device")]
fn sdl_device() -> Result<(impl FnOnce() -> Result<(), PlatformError>, Platform), String> {
    use crate::platform::sdl;
    let (window, platform) = sdl::open(&sdl::Options::device()).map_err(|e| e.to_string())?;
    Ok((|| window.run(), platform))
}

/// Shows frames until the app ends.
#[cfg(not(feature = "device"))]
type Showing = fn() -> Result<(), PlatformError>;

#[cfg(not(feature = "device"))]
fn sdl_device() -> Result<(Showing, Platform), String> {
    Err("this build has no SDL".into())
}

/// Runs the app behind a panel whose frames `window` shows on this thread; SDL wants the main one.
fn play(
    options: &Options,
    mut confined: Confined,
    platform: Platform,
    pads: Sender<evdev::Order>,
    window: impl FnOnce() -> Result<(), PlatformError>,
) -> Result<(), String> {
    confined.close();
    let (orders, script) = unbounded();
    if let Some(listener) = confined.control.take() {
        listen(listener, orders)?;
    }
    let stage = start(options, confined, platform, script, pads)?;
    window().map_err(|e| e.to_string())?;
    stage.join().map_err(|_| FAULT.to_owned())
}

/// Starts card, link and stage, a thread each; the stage's ends when the app quits.
fn start(
    options: &Options,
    confined: Confined,
    platform: Platform,
    script: Receiver<script::Order>,
    pads: Sender<evdev::Order>,
) -> Result<JoinHandle<()>, String> {
    crash::tell(platform.sender.clone());
    let hurry = Arc::new(AtomicBool::new(false));
    let (sender, hurries) = (platform.sender.clone(), hurry.clone());
    thread::Builder::new()
        .name("signals".into())
        .spawn(move || signals::wait(&sender, &hurries))
        .map_err(|e| format!("no thread for the signals: {e}"))?;
    let now = || clock::now().0;
    let (width, height) = platform.display.size();
    let (told, card) = unbounded();
    let (errands, work) = unbounded();
    let (commands, wishes) = unbounded();
    let (news, link) = bounded(NEWS_QUEUE);
    let answers = told.downgrade();
    let keeper =
        Keeper::open(&options.home, told, commands.clone(), now).map_err(|e| e.to_string())?;
    let Confined { layers, broker, .. } = confined;
    let prover = Arc::new(Prover {
        layers,
        broker: broker.clone(),
        written: options.written(),
        folders: options.broker().folders,
    });
    let (dialer, air, radio): (Arc<dyn Dialer>, _, _) = match &options.radio {
        Some(settings) => {
            let (dialer, air, radio) = crate::link::air::open(settings.clone(), broker, now);
            (Arc::new(dialer), Some(air), radio)
        }
        None => (Arc::new(TcpDialer(broker)), None, no_radio(NO_RADIO)),
    };
    let driver = Driver {
        commands: wishes,
        events: news,
        dialer,
        radio,
        library: Arc::new(Desk(errands.clone())),
        introduction: Introduction {
            name: options.name.clone(),
            screen: (width as u16, height as u16),
        },
        clock: now,
        heard: Default::default(),
        others_first: Default::default(),
    };
    let mut model = Model::new(Panel { width, height }, seed());
    model.ways = options.laptop.iter().cloned().map(Carrier::Tcp).collect();
    let (display, power) = (platform.display, platform.power);
    let (pulses, shakes) = bounded(1);
    if options.mode == Mode::Device {
        thread::Builder::new()
            .name("motor".into())
            .spawn(move || smol::future::block_on(shake(shakes)))
            .map_err(|e| format!("no thread for the motor: {e}"))?;
    }
    let sources = Sources {
        platform: platform.events,
        card,
        link,
        script,
    };
    let spawn = |name: &str, work: Box<dyn FnOnce() + Send>| {
        thread::Builder::new()
            .name(name.into())
            .spawn(work)
            .map_err(|e| format!("no thread for the {name}: {e}"))
    };
    spawn("card", Box::new(move || keeper.run(&work)))?;
    let (running, gone) = bounded::<()>(1);
    let link = spawn(
        "link",
        Box::new(move || {
            // Dropped at the end, which is what the stage waits for.
            let _running = running;
            // The radio puts everything back once the driver is gone.
            let air = async {
                if let Some(air) = air {
                    air.run().await;
                }
            };
            smol::future::block_on(smol::future::zip(driver.run(), air));
        }),
    )?;
    spawn(
        "stage",
        Box::new(move || {
            // Made here, because what is laid out and rasterised stays in this thread.
            let outlets = Outlets {
                errands,
                commands,
                pulses,
                pads,
                prover: (prover, answers),
            };
            let stage = Stage::new(display, power, model, outlets);
            let commands = smol::future::block_on(stage.run(sources));
            // Closing the commands lets the driver say goodbye to the laptop.
            commands.close();
            if hurry.load(Ordering::SeqCst) {
                // Whoever sent the signal soon sends the one that nobody survives.
                smol::future::block_on(smol::future::or(
                    async {
                        // Closed, when the link has ended.
                        let _ = gone.recv().await;
                    },
                    async {
                        smol::Timer::after(FAREWELL).await;
                    },
                ));
            } else {
                let _ = link.join();
            }
            let _ = std::io::stdout().flush();
        }),
    )
}

/// Runs the motor, if the device has one; a pulse that comes while it runs is left out.
async fn shake(pulses: Receiver<u16>) {
    let mut motor = Motor::of_system();
    while let Ok(ms) = pulses.recv().await {
        let Some(running) = &mut motor else { continue };
        if let Err(error) = running.pulse(ms).await {
            log::info!("the motor is looked for anew: {error}");
            motor = Motor::of_system();
        }
    }
}

/// A start for conversation numbers and picture seeds.
fn seed() -> u64 {
    let mut bytes = [0; 8];
    // Nothing secret hangs on it; without randomness the clock spreads numbers well enough.
    match ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut bytes) {
        Ok(()) => u64::from_le_bytes(bytes),
        Err(_) => clock::now().0,
    }
}
