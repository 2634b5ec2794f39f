//! The buttons of a real device: every input node whose name or capabilities carry buttons, with hotplug. It waits
//! for readiness of descriptors only; an untouched device wakes nobody.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use evdev::{AbsoluteAxisCode, Device, EventType, KeyCode};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use smol::channel::Sender;
use smol::{Async, Executor};

use super::{PlatformError, PlatformEvent};
use crate::input::keymap::{Capabilities, Raw, Translator, keymap_for};
use crate::input::{Button, ButtonSet};

/// Where Linux keeps input devices.
pub const INPUT_FOLDER: &str = "/dev/input";

/// A device that reports raw events: evdev, or a stand-in for tests.
trait Source: AsFd + Send + Sized + 'static {
    /// Opens the node; `None` if it cannot be read (yet) or is no such device.
    fn open(path: &Path) -> io::Result<Self>;
    /// Its name.
    fn name(&self) -> String;
    /// What it can report.
    fn capabilities(&self) -> Capabilities;
    /// Takes what is ready without waiting. `WouldBlock` when nothing is.
    fn read(&mut self, events: &mut Vec<Raw>) -> io::Result<()>;
}

impl Source for Device {
    fn open(path: &Path) -> io::Result<Self> {
        let device = Self::open(path)?;
        device.set_nonblocking(true)?;
        Ok(device)
    }

    fn name(&self) -> String {
        self.name().unwrap_or_default().to_owned()
    }

    fn capabilities(&self) -> Capabilities {
        let keys = self
            .supported_keys()
            .map(|keys| keys.iter().map(KeyCode::code).collect())
            .unwrap_or_default();
        let axes = self
            .get_absinfo()
            .map(|axes| {
                axes.map(|(AbsoluteAxisCode(code), info)| (code, info.minimum(), info.maximum()))
                    .collect()
            })
            .unwrap_or_default();
        Capabilities { keys, axes }
    }

    fn read(&mut self, events: &mut Vec<Raw>) -> io::Result<()> {
        events.extend(self.fetch_events()?.filter_map(|event| {
            match (event.event_type(), event.value()) {
                (EventType::KEY, value @ (0 | 1)) => Some(Raw::Key(event.code(), value == 1)),
                (EventType::ABSOLUTE, value) => Some(Raw::Axis(event.code(), value)),
                _ => None,
            }
        }));
        Ok(())
    }
}

/// Reads all buttons under `folder` into `events` until the receiver is gone. `learned` codes outrank the tables.
///
/// # Errors
/// The folder cannot be watched. A single device that fails is only left out, and its contacts are opened.
pub async fn watch(
    folder: &Path,
    learned: Vec<(u16, Button)>,
    events: Sender<PlatformEvent>,
) -> Result<(), PlatformError> {
    watch_sources::<Device>(folder, learned, events).await
}

async fn watch_sources<S: Source>(
    folder: &Path,
    learned: Vec<(u16, Button)>,
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

    let executor = Executor::new();
    let open = Arc::new(Mutex::new(BTreeSet::new()));
    let start = |path: PathBuf| {
        let mut paths = open.lock().unwrap_or_else(PoisonError::into_inner);
        if paths.contains(&path) {
            return;
        }
        if let Some(reader) = Reader::<S>::open(&path, &learned) {
            paths.insert(path.clone());
            let (open, events) = (open.clone(), events.clone());
            executor
                .spawn(async move {
                    reader.run(events).await;
                    open.lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .remove(&path);
                })
                .detach();
        }
    };
    let present = std::fs::read_dir(folder).map_err(PlatformError::Input)?;
    for entry in present
        .flatten()
        .filter(|entry| is_event_node(&entry.file_name()))
    {
        start(entry.path());
    }
    let changes = async {
        loop {
            let news = inotify
                .read_with(|inotify| inotify.read_events().map_err(io::Error::from))
                .await;
            for name in news
                .map_err(PlatformError::Input)?
                .into_iter()
                .filter_map(|event| event.name)
            {
                if is_event_node(&name) {
                    start(folder.join(name));
                }
            }
        }
    };
    let ended = async {
        events.closed().await;
        Ok(())
    };
    executor.run(smol::future::or(ended, changes)).await
}

fn is_event_node(name: &OsStr) -> bool {
    name.to_str()
        .and_then(|name| name.strip_prefix("event"))
        .is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}

/// One open device.
struct Reader<S> {
    source: S,
    ready: Async<OwnedFd>,
    translator: Translator,
}

impl<S: Source> Reader<S> {
    fn open(path: &Path, learned: &[(u16, Button)]) -> Option<Self> {
        let source = match S::open(path) {
            Ok(source) => source,
            Err(error) => {
                log::debug!("{}: {error}", path.display());
                return None;
            }
        };
        let capabilities = source.capabilities();
        let name = source.name();
        let Some(keymap) = keymap_for(&name, &capabilities) else {
            log::debug!("{}: {name:?} has no buttons", path.display());
            return None;
        };
        let copy: io::Result<OwnedFd> = BorrowedFd::try_clone_to_owned(&source.as_fd());
        let ready = copy
            .and_then(Async::new)
            .inspect_err(|error| log::warn!("{}: {error}", path.display()))
            .ok()?;
        log::info!("{}: {name:?} as {}", path.display(), keymap.name);
        Some(Self {
            source,
            ready,
            translator: Translator::new(keymap, &capabilities, learned.to_vec()),
        })
    }

    /// Passes buttons on until the device or the receiver is gone, then opens what it still holds.
    async fn run(mut self, events: Sender<PlatformEvent>) {
        let mut held = ButtonSet::EMPTY;
        let mut raws = Vec::new();
        'device: while self.ready.readable().await.is_ok() {
            match self.source.read(&mut raws) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                Err(_) => break,
            }
            for raw in raws.drain(..) {
                for (button, pressed) in self.translator.buttons(raw) {
                    held = if pressed {
                        held.with(button)
                    } else {
                        held.without(button)
                    };
                    if events
                        .send(PlatformEvent::Button { button, pressed })
                        .await
                        .is_err()
                    {
                        break 'device;
                    }
                }
            }
        }
        for button in held.iter() {
            if events
                .send(PlatformEvent::Button {
                    button,
                    pressed: false,
                })
                .await
                .is_err()
            {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::io::Read;
    use std::os::unix::net::{UnixListener, UnixStream};

    /// A pad whose raw events come over a local socket: code (little-endian), then 1 or 0.
    struct Wire(UnixStream);

    impl AsFd for Wire {
        fn as_fd(&self) -> BorrowedFd<'_> {
            self.0.as_fd()
        }
    }

    impl Source for Wire {
        fn open(path: &Path) -> io::Result<Self> {
            let stream = UnixStream::connect(path)?;
            stream.set_nonblocking(true)?;
            Ok(Self(stream))
        }

        fn name(&self) -> String {
            "ANBERNIC-keys".into()
        }

        fn capabilities(&self) -> Capabilities {
            Capabilities::default()
        }

        fn read(&mut self, events: &mut Vec<Raw>) -> io::Result<()> {
            let mut record = [0; 3];
            self.0.read_exact(&mut record)?;
            events.push(Raw::Key(
                u16::from_le_bytes([record[0], record[1]]),
                record[2] == 1,
            ));
            Ok(())
        }
    }

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let folder =
                std::env::temp_dir().join(format!("officeos-evdev-{name}-{}", std::process::id()));
            fs::create_dir_all(&folder).unwrap();
            Self(folder)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            drop(fs::remove_dir_all(&self.0));
        }
    }

    async fn accept(listener: UnixListener) -> UnixStream {
        let listener = Async::<UnixListener>::try_from(listener).unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        let stream = stream.into_inner().unwrap();
        stream.set_nonblocking(false).unwrap();
        stream
    }

    fn write(mut pad: &UnixStream, code: u16, pressed: bool) {
        use std::io::Write;
        let [low, high] = code.to_le_bytes();
        pad.write_all(&[low, high, pressed.into()]).unwrap();
    }

    const fn event(button: Button, pressed: bool) -> PlatformEvent {
        PlatformEvent::Button { button, pressed }
    }

    #[test]
    fn a_pad_that_is_there_and_one_that_comes_later_are_both_read() {
        let folder = Folder::new("hotplug");
        fs::write(folder.0.join("mouse0"), "").unwrap();
        fs::write(folder.0.join("event9"), "no device").unwrap();
        let first = UnixListener::bind(folder.0.join("event0")).unwrap();
        let (sender, events) = smol::channel::bounded(8);
        let watching = watch_sources::<Wire>(&folder.0, Vec::new(), sender);
        let script = async {
            let first = accept(first).await;
            write(&first, 304, true);
            assert_eq!(events.recv().await, Ok(event(Button::A, true)));
            let second = UnixListener::bind(folder.0.join("event1")).unwrap();
            let second = accept(second).await;
            write(&second, 305, true);
            assert_eq!(events.recv().await, Ok(event(Button::B, true)));
            // The first goes away with A held: A opens by itself, B stays.
            drop(first);
            assert_eq!(events.recv().await, Ok(event(Button::A, false)));
            write(&second, 305, false);
            assert_eq!(events.recv().await, Ok(event(Button::B, false)));
            assert!(events.close());
        };
        smol::block_on(async {
            let (result, ()) = smol::future::zip(watching, script).await;
            result.unwrap();
        });
    }

    #[test]
    fn learned_codes_are_used() {
        let folder = Folder::new("learned");
        let listener = UnixListener::bind(folder.0.join("event3")).unwrap();
        let (sender, events) = smol::channel::bounded(8);
        let watching = watch_sources::<Wire>(&folder.0, vec![(304, Button::Menu)], sender);
        let script = async {
            let pad = accept(listener).await;
            write(&pad, 304, true);
            assert_eq!(events.recv().await, Ok(event(Button::Menu, true)));
            events.close();
        };
        smol::block_on(async { smol::future::zip(watching, script).await.0 }).unwrap();
    }

    #[test]
    fn a_folder_that_cannot_be_watched_is_an_error_with_advice() {
        let (sender, _events) = smol::channel::bounded(1);
        let error =
            smol::block_on(watch(Path::new("/nonexistent"), Vec::new(), sender)).unwrap_err();
        assert!(error.to_string().contains("/dev/input"), "{error}");
    }

    #[test]
    fn only_event_nodes_are_opened() {
        for (name, is) in [
            ("event0", true),
            ("event12", true),
            ("event", false),
            ("eventx", false),
            ("js0", false),
        ] {
            assert_eq!(is_event_node(OsStr::new(name)), is, "{name}");
        }
    }
}
