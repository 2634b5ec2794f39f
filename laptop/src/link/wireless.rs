//! Keeps the radio, and gives the exchange what it has.

use super::exchange::Exchange;
use super::network::Network;
use super::radio::{self, Facts, Radio, Settings, Update};
use super::responder::Responder;
use super::{Carrier, Kind};
use crate::sanitize::visible_within;
use std::fs::{File, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Beside the radio's state: whoever drives the radio holds its lock.
const LOCK_NAME: &str = "radio.lock";
/// Pause between two looks at a lock that another process holds.
const LOCK_PAUSE: Duration = Duration::from_millis(250);
/// First pause before a radio that ended by itself is started again; doubles up to [`MAX_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// Longest pause before the radio is started again.
const MAX_PAUSE: Duration = Duration::from_secs(60);
/// A radio that ran this long starts with the first pause again.
const STEADY: Duration = Duration::from_secs(60);
/// Longest words of a trouble that are logged, in characters.
const MAX_WORDS_CHARS: usize = 400;

/// See the module.
pub(super) struct Wireless {
    radio: Kept,
    /// Dropped to say that the radio is not to be started again.
    wanted: Sender<()>,
    thread: JoinHandle<()>,
}

impl Wireless {
    /// Brings the radio up and follows it, in a thread of its own.
    ///
    /// # Errors
    /// No thread can be started. All else is a trouble that the exchange is told.
    pub(super) fn start(settings: Settings, exchange: &Arc<Exchange>) -> io::Result<Self> {
        let radio = Kept::default();
        let (wanted, stop) = channel();
        let (kept, exchange) = (Arc::clone(&radio), Arc::clone(exchange));
        let thread = std::thread::Builder::new()
            .name("wireless".to_owned())
            .spawn(move || {
                if let Err(error) = keep(&settings, &kept, &stop, &exchange) {
                    // The owner mends what is wrong and starts the service again; other carriers need not wait for that.
                    tell_trouble(&exchange, format!("the radio cannot be used: {error}"));
                }
            })?;
        Ok(Self {
            radio,
            wanted,
            thread,
        })
    }

    /// Puts back what the radio had changed, and returns when that is done.
    pub(super) fn stop(self) {
        drop(self.wanted);
        let radio = {
            let mut kept = lock(&self.radio);
            kept.stopped = true;
            kept.radio.take()
        };
        if let Some(radio) = radio {
            radio.stop();
        }
        // Before that the lock is not free for the next.
        if self.thread.join().is_err() {
            log::error!("link-service: the thread that keeps the radio has panicked");
        }
    }
}

/// The radio that runs. Whoever starts one looks under the same lock whether it is still wanted.
#[derive(Default)]
struct Shade {
    radio: Option<Radio>,
    stopped: bool,
}

type Kept = Arc<Mutex<Shade>>;

fn lock(kept: &Kept) -> MutexGuard<'_, Shade> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts the radio, and again whenever it has ended by itself, until `stop` has lost its other end.
fn keep(
    settings: &Settings,
    kept: &Kept,
    stop: &Receiver<()>,
    exchange: &Exchange,
) -> io::Result<()> {
    // One process at a time: a link-service that takes another's place waits until that has put everything back.
    std::fs::create_dir_all(&settings.state)?;
    let Some(_turn) = take_turn(&settings.state.join(LOCK_NAME), stop, exchange)? else {
        return Ok(());
    };
    let shaded = Arc::clone(kept);
    exchange.follow_window(Box::new(move |open_for| {
        if let Some(radio) = lock(&shaded).radio.as_ref() {
            radio.window(open_for);
        }
    }));
    let mut pause = FIRST_PAUSE;
    loop {
        let started = Instant::now();
        let (sender, updates) = channel();
        {
            let mut kept = lock(kept);
            if kept.stopped {
                return Ok(());
            }
            kept.radio = Some(radio::start(settings.clone(), sender)?);
        }
        exchange.repeat_window();
        follow(&updates, exchange);
        if started.elapsed() >= STEADY {
            pause = FIRST_PAUSE;
        }
        match stop.recv_timeout(pause) {
            Err(RecvTimeoutError::Timeout) => {}
            Ok(()) | Err(RecvTimeoutError::Disconnected) => return Ok(()),
        }
        log::error!("link-service: the radio's thread ended by itself; it is started again");
        pause = (pause * 2).min(MAX_PAUSE);
    }
}

/// Waits until no other process drives the radio, and says who does. `None`: `stop` has lost its other end.
fn take_turn(path: &Path, stop: &Receiver<()>, exchange: &Exchange) -> io::Result<Option<File>> {
    let mut turn = File::options()
        .create(true)
        .read(true)
        .append(true)
        .mode(0o600)
        .open(path)?;
    let mut told = false;
    loop {
        match turn.try_lock() {
            Ok(()) => break,
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) => {}
        }
        if !told {
            let holder = std::fs::read_to_string(path).unwrap_or_default();
            let words = match holder.trim().parse::<u32>() {
                Ok(process) => format!("process {process} drives the radio already; end it first"),
                Err(_) => "another process drives the radio already; end it first".to_owned(),
            };
            tell_trouble(exchange, words);
            told = true;
        }
        // A predecessor on its way out is soon gone.
        match stop.recv_timeout(LOCK_PAUSE) {
            Err(RecvTimeoutError::Timeout) => {}
            Ok(()) | Err(RecvTimeoutError::Disconnected) => return Ok(None),
        }
    }
    turn.set_len(0)?;
    writeln!(turn, "{}", std::process::id())?;
    if told {
        exchange.set_trouble(None);
    }
    Ok(Some(turn))
}

/// Passes on what the radio says, until it says nothing any more.
fn follow(updates: &Receiver<Update>, exchange: &Exchange) {
    let mut listening: Option<(u32, Option<Responder>)> = None;
    for update in updates {
        match update {
            Update::Up {
                interface,
                address,
                listener,
                facts,
            } => {
                if let Some((id, _)) = listening.take() {
                    exchange.withdraw(id);
                }
                // A handheld that knows the address needs none.
                let responder = Responder::start(&interface, facts.port)
                    .inspect_err(|error| {
                        log::warn!(
                            "link-service: the beacon on {interface} stays unanswered: {error}"
                        );
                    })
                    .ok();
                log::info!("link-service: carrier wifi-direct on {address}, {interface}");
                exchange.set_network(Some(network(facts)));
                let id = exchange.offer(Carrier {
                    kind: Kind::WifiDirect,
                    address,
                    interface: Some(interface),
                    listener,
                });
                listening = Some((id, responder));
            }
            Update::Facts(facts) => exchange.set_network(Some(network(facts))),
            Update::Down => down(&mut listening, exchange),
            Update::Trouble(Some(words)) => tell_trouble(exchange, words),
            Update::Trouble(None) => exchange.set_trouble(None),
        }
    }
    down(&mut listening, exchange);
}

fn tell_trouble(exchange: &Exchange, words: String) {
    let shown = visible_within(&words, MAX_WORDS_CHARS);
    log::warn!("link-service: no Wi-Fi Direct: {shown}");
    exchange.set_trouble(Some(words));
}

fn down(listening: &mut Option<(u32, Option<Responder>)>, exchange: &Exchange) {
    exchange.set_network(None);
    if let Some((id, _)) = listening.take() {
        log::info!("link-service: carrier wifi-direct has gone");
        exchange.withdraw(id);
    }
}

fn network(facts: Facts) -> Network {
    Network {
        ssid: facts.ssid,
        passphrase: facts.passphrase,
        frequency: facts.frequency,
        port: facts.port,
    }
}

#[cfg(test)]
mod tests {
    use super::super::handover::{News, hear};
    use super::super::packet::PacketSocket;
    use super::*;
    use crate::store::testing::TempFolder;
    use std::net::{IpAddr, TcpListener, TcpStream};

    fn facts(frequency: u16) -> Facts {
        Facts {
            ssid: b"DIRECT-ab-Laptop".to_vec(),
            passphrase: "kmnp4qrs7tuv".into(),
            frequency,
            port: 8144,
        }
    }

    fn up() -> Update {
        let listener = TcpListener::bind((IpAddr::from([127, 0, 0, 1]), 0)).expect("bound");
        Update::Up {
            interface: "p2p-wlan0-0".into(),
            address: listener.local_addr().expect("an address"),
            listener,
            facts: facts(2437),
        }
    }

    fn heard(daemon: &PacketSocket) -> String {
        match hear(daemon).expect("heard") {
            News::Listening { id, carrier } => {
                let on = carrier.interface.as_deref().unwrap_or_default();
                format!("{} {id} on {on}", carrier.kind.name())
            }
            News::Gone { id } => format!("gone {id}"),
            News::Radio(network) => format!("{:?}", network.map(|network| network.frequency)),
            News::Trouble(words) => format!("trouble {}", words.unwrap_or_default()),
        }
    }

    #[test]
    fn a_radio_that_another_process_drives_is_named_and_waited_for_no_longer_than_wanted() {
        let folder = TempFolder::new("turn");
        let path = folder.0.join(LOCK_NAME);
        let exchange = Exchange::default();
        let (wanted, stop) = channel();
        let first = take_turn(&path, &stop, &exchange).expect("a file");
        let own = format!("{}\n", std::process::id());
        assert_eq!(std::fs::read_to_string(&path).expect("a number"), own);
        drop(wanted);
        let second = take_turn(&path, &stop, &exchange).expect("a file");
        assert!(second.is_none());
        drop(first);
        assert!(
            take_turn(&path, &stop, &exchange)
                .expect("a file")
                .is_some()
        );
    }

    #[test]
    fn a_radio_that_is_stopped_before_it_was_started_is_never_started() {
        let folder = TempFolder::new("stopped");
        let settings = Settings {
            interface: None,
            control: Vec::new(),
            run: folder.0.join("run"),
            state: folder.0.clone(),
            name: "x".to_owned(),
            port: 0,
            frequency: None,
        };
        let (_wanted, stop) = channel();
        let kept = Kept::default();
        lock(&kept).stopped = true;
        keep(&settings, &kept, &stop, &Exchange::default()).expect("ended");
        assert!(lock(&kept).radio.is_none() && !settings.run.exists());
    }

    #[test]
    fn a_group_that_comes_moves_and_goes_is_told_to_the_daemon() {
        let exchange = Arc::new(Exchange::default());
        let (theirs, daemon) = PacketSocket::pair();
        let serving = Arc::clone(&exchange);
        std::thread::spawn(move || serving.serve(theirs));
        assert_eq!(heard(&daemon), "None");
        assert_eq!(heard(&daemon), "trouble ");

        let (sender, updates) = channel();
        let first = up();
        let Update::Up { address, .. } = &first else {
            unreachable!()
        };
        let address = *address;
        for update in [
            Update::Trouble(Some("no radio".into())),
            Update::Trouble(None),
            first,
            Update::Facts(facts(2412)),
            up(),
            Update::Down,
            Update::Down,
        ] {
            sender.send(update).expect("followed");
        }
        drop(sender);
        follow(&updates, &exchange);
        for words in [
            "trouble no radio",
            "trouble ",
            "Some(2437)",
            "wifi-direct 2 on p2p-wlan0-0",
            "Some(2412)",
            // A group made again without having been said to be down.
            "gone 2",
            "Some(2437)",
            "wifi-direct 3 on p2p-wlan0-0",
            "None",
            "gone 3",
            "None",
            // The radio's thread has ended.
            "None",
        ] {
            assert_eq!(heard(&daemon), words);
        }
        assert!(
            TcpStream::connect(address).is_err(),
            "the old socket still listens"
        );
    }
}
