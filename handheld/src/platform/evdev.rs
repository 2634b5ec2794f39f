//! The input devices of a handheld: every node whose name or capabilities carry buttons, a power key or a lid, with hotplug. It waits
//! for readiness of descriptors only; an untouched device wakes nobody.
//!
//! A grab (EVIOCGRAB) hides a device from all other readers. The kernel ends it with the descriptor, so that a crash cannot leave a
//! device mute; it is given up while the app sleeps and taken again when it wakes.

mod device;
mod reader;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use smol::channel::{Receiver, Sender};
use smol::{Async, Executor};

use super::resume::Resume;
use super::{Pad, PlatformError, PlatformEvent};
use crate::input::doze::Sign;
use crate::input::holders::Holders;
use crate::input::{Firmware, Taught};
use device::{Node, Source};
use reader::Reader;

/// Where Linux keeps input devices.
pub const INPUT_FOLDER: &str = "/dev/input";

/// What the app wants of the devices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// These contacts have these buttons; they outrank the tables.
    Teach(Taught),
    /// Report contacts and no buttons, for the set-up; or buttons again.
    Listen(bool),
    /// The app sleeps: grabs are given up; or it is in use again.
    Rest(bool),
}

/// What all readers share.
struct Shared {
    wanted: Mutex<Wanted>,
    events: Sender<PlatformEvent>,
    firmware: Firmware,
}

/// The orders so far, and what is open.
#[derive(Default)]
struct Wanted {
    taught: Taught,
    listening: bool,
    resting: bool,
    holders: Holders,
    /// Open devices, each with a way to tell it that the orders have changed.
    open: BTreeMap<PathBuf, (Option<Pad>, Sender<()>)>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Wanted> {
        // Everything in it is whole at any time.
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells which pads there are.
    async fn tell_pads(&self) {
        let pads = self
            .lock()
            .open
            .values()
            .filter_map(|(pad, _)| pad.clone())
            .collect();
        // A runtime that has ended needs no pads; its closed channel ends the watch.
        let _ = self.events.send(PlatformEvent::Pads(pads)).await;
    }

    fn obey(&self, order: Order) {
        let mut wanted = self.lock();
        match order {
            Order::Teach(taught) => wanted.taught = taught,
            Order::Listen(on) => wanted.listening = on,
            Order::Rest(on) => wanted.resting = on,
        }
        for (_, changed) in wanted.open.values() {
            // One note is enough for any number of orders.
            let _ = changed.try_send(());
        }
    }
}

/// Reads all devices under `folder` into `events` until the receiver is gone, and obeys `orders` meanwhile.
///
/// # Errors
/// The folder cannot be watched. A single device that fails is only left out, and its contacts are opened.
pub async fn watch(
    folder: &Path,
    firmware: Firmware,
    orders: Receiver<Order>,
    events: Sender<PlatformEvent>,
) -> Result<(), PlatformError> {
    watch_sources::<Node>(folder, firmware, orders, events).await
}

async fn watch_sources<S: Source>(
    folder: &Path,
    firmware: Firmware,
    orders: Receiver<Order>,
    events: Sender<PlatformEvent>,
) -> Result<(), PlatformError> {
    // The watch comes before the first look, so that nothing appears unseen in between. Permissions are often set
    // after the node was made, hence attributes.
    let inotify = Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC)
        .map_err(|error| PlatformError::Input(error.into()))?;
    inotify
        .add_watch(folder, AddWatchFlags::IN_CREATE | AddWatchFlags::IN_ATTRIB)
        .map_err(|error| PlatformError::Input(error.into()))?;
    let inotify = Async::new(inotify).map_err(PlatformError::Input)?;
    let shared = Arc::new(Shared {
        wanted: Mutex::default(),
        events: events.clone(),
        firmware,
    });
    let executor = Executor::new();
    let present = std::fs::read_dir(folder).map_err(PlatformError::Input)?;
    let present: BTreeSet<PathBuf> = present
        .flatten()
        .filter(|entry| is_event_node(&entry.file_name()))
        .map(|entry| entry.path())
        .collect();
    for path in present {
        start::<S>(&executor, &shared, path);
    }
    shared.tell_pads().await;
    let changes = async {
        loop {
            let news = inotify
                .read_with(|inotify| inotify.read_events().map_err(io::Error::from))
                .await
                .map_err(PlatformError::Input)?;
            let mut opened = false;
            for name in news.into_iter().filter_map(|event| event.name) {
                if is_event_node(&name) {
                    opened |= start::<S>(&executor, &shared, folder.join(name));
                }
            }
            if opened {
                shared.tell_pads().await;
            }
        }
    };
    let obeying = async {
        while let Ok(order) = orders.recv().await {
            shared.obey(order);
        }
        // Nobody gives orders; the buttons go on.
        smol::future::pending().await
    };
    let ended = async {
        events.closed().await;
        Ok(())
    };
    let all = smol::future::or(
        smol::future::or(ended, changes),
        smol::future::or(obeying, resumes(&events)),
    );
    executor.run(all).await
}

/// Tells when the device may have slept.
async fn resumes(events: &Sender<PlatformEvent>) -> Result<(), PlatformError> {
    let resume = match Resume::new() {
        Ok(resume) => resume,
        Err(error) => {
            // The clocks are still read with every event; only a waking that comes with none is seen late.
            log::warn!("no timer tells of waking: {error}");
            return smol::future::pending().await;
        }
    };
    while resume.next().await.is_ok() {
        let sign = Sign::Slept(super::resume::slept());
        if events.send(PlatformEvent::Sign(sign)).await.is_err() {
            break;
        }
    }
    smol::future::pending().await
}

/// Opens a device that is not open; true if it is one for us.
fn start<S: Source>(executor: &Executor<'_>, shared: &Arc<Shared>, path: PathBuf) -> bool {
    if shared.lock().open.contains_key(&path) {
        return false;
    }
    let Some((reader, pad)) = Reader::<S>::open(&path, shared.clone()) else {
        return false;
    };
    let (changed, notes) = smol::channel::bounded(1);
    shared.lock().open.insert(path.clone(), (pad, changed));
    let shared = shared.clone();
    executor
        .spawn(async move {
            reader.run(notes).await;
            shared.lock().open.remove(&path);
            shared.tell_pads().await;
        })
        .detach();
    true
}

fn is_event_node(name: &OsStr) -> bool {
    name.to_str()
        .and_then(|name| name.strip_prefix("event"))
        .is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}
