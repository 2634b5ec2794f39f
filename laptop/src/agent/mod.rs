//! `officeos-agent`: asks the person at the desktop what a device may do, by notifications with buttons.
//!
//! A client of the control socket and of the session bus; it holds no authority of its own. Whoever answers first, here
//! or elsewhere, answers for all. Either end may come and go; both are reached again.

mod bus;
mod core;
mod wire;

use self::core::{Core, Effect, Input};
use crate::control::api::{Event, Pending, PendingId};
use crate::control::{Client, ClientError};
use crate::paths::Paths;
use bus::{Bus, Ear, News};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

/// Exit code for a home folder that nobody knows.
const EXIT_SETTINGS: u8 = 78;
/// Pause before the daemon or the bus is tried again; it doubles up to [`MAX_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// Longest such pause.
const MAX_PAUSE: Duration = Duration::from_secs(15);

/// Arguments of officeos-agent.
#[derive(Debug, clap::Parser)]
#[command(
    name = "officeos-agent",
    version,
    about = "Asks on the desktop what paired handhelds may do"
)]
pub struct Arguments {
    /// Home folder of the laptop-daemon to listen to; by default $OFFICEOS_HOME, the system's, or ~/.local/share/officeos
    #[arg(long, value_name = "DIR")]
    home: Option<PathBuf>,
}

/// What the threads tell.
enum Told {
    /// For the core.
    Input(Input),
    /// A bus is there.
    Bus(Bus, bool),
    /// A notification has a number.
    Number(u32, u32),
    /// A call of the bus failed.
    Failed(u32, String),
}

/// Runs until it is ended.
pub fn run(arguments: &Arguments) -> ExitCode {
    let Some(paths) = Paths::find(arguments.home.as_deref()) else {
        log::error!("no home folder is known; name one with --home");
        return ExitCode::from(EXIT_SETTINGS);
    };
    let (sender, told) = channel();
    let (control, watching) = (paths.control(), sender.clone());
    let started = std::thread::Builder::new()
        .name("daemon".into())
        .spawn(move || follow_daemon(&control, &watching))
        .and_then(|_| {
            let listening = std::thread::Builder::new().name("bus".into());
            listening.spawn(move || follow_bus(&sender))
        });
    if let Err(error) = started {
        log::error!("no thread could be started: {error}");
        return ExitCode::FAILURE;
    }
    serve(&paths.control(), &told);
    ExitCode::SUCCESS
}

fn serve(control: &Path, told: &Receiver<Told>) {
    let mut core = Core::default();
    let mut bus: Option<Bus> = None;
    // Calls that have no answer yet, and the questions that they are about.
    let mut showing: BTreeMap<u32, u64> = BTreeMap::new();
    for one in told {
        let input = match one {
            Told::Bus(new, markup) => {
                bus = Some(new);
                showing.clear();
                Input::BusHere { markup }
            }
            Told::Number(call, number) => match showing.remove(&call) {
                Some(question) => Input::Shown { question, number },
                None => continue,
            },
            Told::Failed(call, words) => {
                if showing.remove(&call).is_some() {
                    log::warn!("a notification was not shown: {words}");
                }
                continue;
            }
            Told::Input(input) => input,
        };
        if input == Input::BusGone {
            bus = None;
        }
        for effect in core.take(input) {
            carry_out(effect, control, &mut bus, &mut showing);
        }
    }
}

fn carry_out(
    effect: Effect,
    control: &Path,
    bus: &mut Option<Bus>,
    showing: &mut BTreeMap<u32, u64>,
) {
    let answered = match effect {
        Effect::Show(note) => bus.as_mut().map(|open| {
            let call = open.show(&note)?;
            showing.insert(call, note.question);
            Ok(())
        }),
        Effect::Close(number) => bus.as_mut().map(|open| open.take_back(number).map(drop)),
        Effect::Approve { question, always } => {
            return answer(control, "approve", question, always);
        }
        Effect::Deny(question) => return answer(control, "deny", question, false),
    };
    if let Some(Err(error)) = answered {
        let error: std::io::Error = error;
        log::warn!("the session bus: {error}");
        // Its ear hears the end, and the bus is reached again.
        if let Some(bus) = bus {
            bus.close();
        }
    }
}

fn answer(control: &Path, method: &str, id: u64, always: bool) {
    let params = serde_json::to_value(PendingId { id, always }).unwrap_or_default();
    let told = Client::connect(control).and_then(|mut client| client.call(method, params));
    match told {
        Ok(_) => log::info!("{method} {id}{}", if always { ", for good" } else { "" }),
        Err(error) => log::warn!("{method} {id}: {error}"),
    }
}

/// Hears what the daemon says, again whenever it was gone.
fn follow_daemon(control: &Path, to: &Sender<Told>) {
    let mut pause = FIRST_PAUSE;
    loop {
        if let Err(error) = hear_daemon(control, to, &mut pause) {
            log::debug!("{error}");
        }
        if to.send(Told::Input(Input::DaemonGone)).is_err() {
            return;
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(MAX_PAUSE);
    }
}

fn hear_daemon(control: &Path, to: &Sender<Told>, pause: &mut Duration) -> Result<(), ClientError> {
    let watching = Client::connect(control)?;
    // What waits already is asked for once the watch stands, so that nothing falls between the two; what comes twice is
    // known by its number.
    let mut first = true;
    let mut lister = Client::connect(control)?;
    watching.watch_from(
        || {
            let Ok(waiting) = lister.call("pending.list", Value::Null) else {
                return;
            };
            if let Ok(waiting) = serde_json::from_value::<Vec<Pending>>(waiting) {
                let _ = to.send(Told::Input(Input::Waiting(waiting)));
            }
        },
        |event| {
            if std::mem::take(&mut first) {
                *pause = FIRST_PAUSE;
            }
            match serde_json::from_value::<Event>(event.clone()) {
                Ok(event) => to.send(Told::Input(Input::Event(event))).is_ok(),
                // An event of a newer daemon is none of ours.
                Err(_) => true,
            }
        },
    )
}

/// Hears what the session bus says, again whenever it or its server was gone.
fn follow_bus(to: &Sender<Told>) {
    let mut pause = FIRST_PAUSE;
    let mut said = String::new();
    loop {
        match Bus::connect() {
            Ok((bus, mut ear, markup)) => {
                pause = FIRST_PAUSE;
                said.clear();
                if to.send(Told::Bus(bus, markup)).is_err() {
                    return;
                }
                log::info!("notifications are shown");
                let error = hear_bus(&mut ear, to);
                log::warn!("the session bus: {error}");
                if to.send(Told::Input(Input::BusGone)).is_err() {
                    return;
                }
            }
            Err(error) if error.to_string() != said => {
                said = error.to_string();
                log::warn!("no notifications: {said}; it is tried again");
            }
            Err(_) => {}
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(MAX_PAUSE);
    }
}

fn hear_bus(ear: &mut Ear, to: &Sender<Told>) -> std::io::Error {
    loop {
        let told = match ear.news() {
            Ok(News::Number(call, number)) => Told::Number(call, number),
            Ok(News::Failed(call, words)) => Told::Failed(call, words),
            Ok(News::Input(input)) => Told::Input(input),
            Ok(News::Nothing) => continue,
            Err(error) => return error,
        };
        if to.send(told).is_err() {
            return std::io::Error::other("the agent ends");
        }
    }
}
