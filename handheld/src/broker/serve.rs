//! The broker's loop: one request after the other, each answered at once. What takes time has a thread and a line of its own.

use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::line::{Line, MAX_LEN};
use super::rules::supplicant::Enabled;
use super::rules::{dial, is_name};
use super::tuning::Tuning;
use super::wire::{Answer, Request, Tune, decode, encode};
use super::{Settings, door, mend, net, remains, seek};
use crate::radio::held;

/// Threads at most: a door for each interface of a few radios, and what was left behind while it waited.
const MAX_THREADS: usize = 24;

/// What the threads share.
pub(super) struct Shop {
    settings: Settings,
    /// In memory: sockets of ours, and what is to be put back after a crash.
    run: PathBuf,
    enabled: Mutex<Enabled>,
    tuning: Mutex<Tuning>,
    threads: AtomicUsize,
}

/// Folders named so far: after process and number, so that brokers which share a process share the count.
static FOLDERS: AtomicUsize = AtomicUsize::new(0);

impl Shop {
    pub(super) fn open(settings: Settings) -> Arc<Self> {
        Self::at(run_folder(), settings)
    }

    fn at(run: PathBuf, settings: Settings) -> Arc<Self> {
        if !settings.folders.is_empty() {
            remains::sweep(&run, std::path::Path::new("/proc"));
        }
        let file = held_file(&run);
        let left = held::read(&fs::read_to_string(&file).unwrap_or_default());
        let others = left.into_iter().flat_map(|held| {
            let name = held.interface;
            held.others
                .into_iter()
                .map(move |known| (name.clone(), known.id, known.ssid))
        });
        Arc::new(Self {
            settings,
            enabled: Mutex::new(others.collect()),
            tuning: Mutex::new(Tuning::open(file.with_extension("values"))),
            threads: AtomicUsize::new(0),
            run,
        })
    }

    /// Where this process has to write.
    pub(super) fn run(&self) -> &std::path::Path {
        &self.run
    }

    /// Serves until the other end is gone, then puts the radio back.
    pub(super) fn serve(self: &Arc<Self>, line: &Line) {
        loop {
            let (bytes, passed) = match line.receive() {
                Ok(Some(came)) => came,
                Ok(None) => break,
                Err(error) => {
                    log::error!("the app says what can't be taken: {error}");
                    break;
                }
            };
            // The app hands nothing over.
            drop(passed);
            let (answer, descriptor) = match decode(&bytes) {
                Some(request) => self.answer(request),
                None => (Answer::Refused("that is no request".into()), None),
            };
            let descriptor = descriptor.as_ref().map(AsFd::as_fd);
            if line.send(&encode(&answer), descriptor).is_err() {
                break;
            }
        }
        if self.settings.folders.is_empty() {
            return;
        }
        mend::mend(&held_file(&self.run), &self.settings.folders, &self.run);
        locked(&self.tuning).restore(net::index);
    }

    fn answer(self: &Arc<Self>, request: Request) -> (Answer, Option<OwnedFd>) {
        let result = match request {
            Request::Ping => return (Answer::Done, None),
            Request::Dial(far) => match dial::judge(&far, &net::machine(), &self.settings) {
                Ok(way) => net::dial(&way),
                Err(why) => return (Answer::Refused(why), None),
            },
            Request::Changes(groups) => net::changes(groups),
            Request::Raise(name) => match self.raise(&name) {
                Ok(()) => return (Answer::Done, None),
                Err(error) => Err(error),
            },
            Request::Recall => {
                let text = fs::read_to_string(held_file(&self.run)).unwrap_or_default();
                let fits = text.len() < MAX_LEN / 2;
                return (Answer::Text(if fits { text } else { String::new() }), None);
            }
            Request::Remember(text) => match self.remember(&text) {
                Ok(()) => return (Answer::Done, None),
                Err(error) => Err(error),
            },
            Request::Door(name) => self.door(name),
            Request::Seek { interface, port } => match is_name(&interface) {
                true => self.beside(move |line, _| {
                    if let Err(error) = seek::serve(line, &interface, port) {
                        log::info!("{interface}: nobody can be asked for: {error}");
                    }
                }),
                false => Err(io::ErrorKind::InvalidInput.into()),
            },
            Request::Tuner => self.beside(|line, shop| shop.tune(line)),
        };
        match result {
            Ok(descriptor) => (Answer::Here, Some(descriptor)),
            Err(error) => {
                let number = error.raw_os_error();
                (Answer::Failed(number.unwrap_or(nix::libc::EINVAL)), None)
            }
        }
    }

    /// Switches the USB gadget on; it stays so, since nothing goes out there by itself.
    fn raise(&self, name: &str) -> io::Result<()> {
        let named = self.settings.usb.as_deref() == Some(name);
        let folder = std::path::Path::new(net::NET).join(name);
        match is_name(name) && (named || net::is_gadget(&folder, name)) {
            true => net::switch(name, true),
            false => Err(io::ErrorKind::PermissionDenied.into()),
        }
    }

    fn door(self: &Arc<Self>, name: String) -> io::Result<OwnedFd> {
        if !is_name(&name) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let folders = self.settings.folders.iter();
        let found = folders
            .map(|folder| folder.join(&name))
            .find(|path| path.exists());
        let path = found.ok_or(io::Error::from_raw_os_error(nix::libc::ENOENT))?;
        self.beside(move |line, shop| {
            let number = FOLDERS.fetch_add(1, Relaxed);
            let own = shop
                .run
                .join(format!("radio-{}-{number}", std::process::id()));
            door::serve(line, &name, &path, own, &shop.enabled);
        })
    }

    /// Does something on a thread of its own, at the other end of a new line.
    fn beside(
        self: &Arc<Self>,
        work: impl FnOnce(&Line, &Arc<Self>) + Send + 'static,
    ) -> io::Result<OwnedFd> {
        if self.threads.fetch_add(1, Relaxed) >= MAX_THREADS {
            self.threads.fetch_sub(1, Relaxed);
            return Err(io::Error::from_raw_os_error(nix::libc::EAGAIN));
        }
        let (near, far) = Line::pair()?;
        let shop = self.clone();
        let run = move || {
            work(&near, &shop);
            shop.threads.fetch_sub(1, Relaxed);
        };
        // Small: nothing here is deep, and each thread is locked memory on a device with little.
        thread::Builder::new().stack_size(256 * 1024).spawn(run)?;
        Ok(far.into())
    }

    fn tune(&self, line: &Line) {
        while let Ok(Some((bytes, None))) = line.receive() {
            match decode(&bytes) {
                Some(Tune::Prepare { interface, raise }) => {
                    // Only a radio's: the firmware's cable is none of ours.
                    let index = net::index(&interface).filter(|_| is_radio(&interface));
                    if let Some(index) = index {
                        locked(&self.tuning).prepare(&interface, index, raise);
                    }
                }
                Some(Tune::Restore) => locked(&self.tuning).restore(net::index),
                None => return,
            }
            if line.send(&encode(&Answer::Done), None).is_err() {
                return;
            }
        }
    }

    /// Writes down what is to be put back: only what can be, and of others' networks only those that were on.
    fn remember(&self, text: &str) -> io::Result<()> {
        let mut kept = held::read(text);
        let enabled = locked(&self.enabled);
        for held in &mut kept {
            let name = held.interface.clone();
            held.others
                .retain(|known| enabled.contains(&(name.clone(), known.id, known.ssid.clone())));
        }
        drop(enabled);
        kept.retain(|held| !held.is_empty());
        let (file, text) = (held_file(&self.run), held::write(&kept));
        match text.is_empty() {
            true => fs::remove_file(&file).or_else(|error| match error.kind() {
                io::ErrorKind::NotFound => Ok(()),
                _ => Err(error),
            }),
            false => fs::write(&file, text),
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn is_radio(interface: &str) -> bool {
    let folder = std::path::Path::new("/sys/class/net").join(interface);
    folder.join("phy80211").exists() || folder.join("wireless").exists()
}

/// Where is written what is to be put back: a file for each network namespace, where interfaces have their names.
fn held_file(run: &std::path::Path) -> PathBuf {
    let space = fs::metadata("/proc/self/ns/net").map_or(0, |facts| facts.ino());
    run.join(format!("radio-{space}"))
}

/// A folder in memory for sockets and for what is to be put back: never on the card, which may be FAT and knows no sockets.
fn run_folder() -> PathBuf {
    let own = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let places = [own, Some("/run".into()), Some("/tmp".into())];
    let usable = places.into_iter().flatten().find_map(|place| {
        let folder = place.join("officeos");
        fs::create_dir_all(&folder).ok()?;
        // Whether one may write there only writing tells.
        let number = FOLDERS.fetch_add(1, Relaxed);
        let probe = folder.join(format!("probe-{}-{number}", std::process::id()));
        fs::create_dir(&probe).ok()?;
        fs::remove_dir(&probe).ok()?;
        Some(folder)
    });
    usable.unwrap_or_else(|| PathBuf::from("/tmp"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::{Broker, Refusal};
    use proptest::prelude::*;

    fn shop(name: &str) -> (PathBuf, Line) {
        let run = std::env::temp_dir().join(format!("officeos-shop-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&run);
        fs::create_dir_all(&run).unwrap();
        let (near, far) = Line::pair().unwrap();
        let at = run.clone();
        thread::spawn(move || Shop::at(at, Settings::default()).serve(&far));
        (run, near)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn whatever_is_said_the_next_request_is_answered(junk in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..200), 1..9)) {
            let (run, line) = shop("junk");
            for bytes in junk {
                // Requests that are some are not meant here: they may find a way.
                if decode::<Request>(&bytes).is_none() {
                    line.send(&bytes, None).unwrap();
                    let (answer, _) = line.receive().unwrap().unwrap();
                    prop_assert!(matches!(decode(&answer), Some(Answer::Refused(_))));
                }
            }
            line.send(&encode(&Request::Ping), Some(line.as_fd())).unwrap();
            let (answer, none) = line.receive().unwrap().unwrap();
            prop_assert_eq!((decode(&answer), none.is_none()), (Some(Answer::Done), true));
            fs::remove_dir_all(run).unwrap();
        }
    }

    #[test]
    fn only_what_was_seen_is_remembered_to_be_put_back() {
        let (run, line) = shop("memory");
        let broker = Broker::new(line);
        let own = "own wlan9 2 4449524543542d6162\n";
        broker
            .remember(format!("{own}was wlan9 0 486f6d65\nnonsense\n"))
            .unwrap();
        assert_eq!(broker.recall(), own, "nobody has seen Home switched on");
        broker.remember(String::new()).unwrap();
        assert_eq!(
            (
                broker.recall().as_str(),
                fs::read_dir(&run).unwrap().count()
            ),
            ("", 0)
        );
        fs::remove_dir_all(run).unwrap();
    }

    #[test]
    fn strangers_interfaces_and_names_with_paths_get_nothing() {
        let (run, line) = shop("strangers");
        let broker = Broker::new(line);
        let world = ([203, 0, 113, 9], 8144).into();
        assert!(matches!(broker.dial(world), Err(Refusal::Forbidden(_))));
        assert!(
            broker
                .dial_link("nowhere9", "fe80::1".parse().unwrap(), 8144)
                .is_err()
        );
        for name in ["lo", "nowhere9", "../lo"] {
            assert!(broker.raise(name).is_err(), "{name} is no gadget");
            assert!(broker.door(name).is_err(), "{name} is no control socket");
        }
        assert!(broker.seek("../lo", 8144).is_err());
        // Groups that no app needs are not listened to, and what comes is no more than that.
        assert!(broker.changes(u32::MAX).is_ok());
        broker.is_there().unwrap();
        fs::remove_dir_all(run).unwrap();
    }
}
