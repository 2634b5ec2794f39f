//! The shell of link-service: arguments, sockets, signals.

use super::cable::{self, Cable};
use super::exchange::Exchange;
use super::packet::{PacketListener, PacketSocket};
use super::radio::Settings;
use super::wireless::Wireless;
use super::{Carrier, CarrierError, USUAL_CONTROL};
use crate::config;
use crate::control::peer::{self, Allowed};
use crate::systemd;
use clap::Parser;
use nix::sys::signal::{SigSet, Signal};
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};

/// Exit code for wrong arguments or settings; starting again would not help.
const EXIT_SETTINGS: u8 = 78;
/// Exit code for a socket that cannot be made now; starting again may help.
const EXIT_SOCKET: u8 = 71;

/// Arguments of link-service.
#[derive(Debug, Clone, Parser)]
#[command(
    name = "link-service",
    version,
    about = "Opens carriers for OfficeOS and hands them to laptop-daemon"
)]
pub struct Arguments {
    /// Where laptop-daemon asks for listening sockets; not made where systemd has passed it
    #[arg(long, value_name = "PATH")]
    socket: PathBuf,
    /// Take carriers, names, ports and interfaces from this daemon.toml instead of from arguments
    #[arg(long, value_name = "FILE", requires = "state", conflicts_with_all = ["carrier", "bind_address", "bind_port",
        "wifi_direct", "name", "wifi_direct_port", "interface", "frequency", "supplicant", "usb", "usb_interface"])]
    config: Option<PathBuf>,
    /// Folder in which wpa_supplicant answers; by default that of the socket
    #[arg(long, value_name = "DIR")]
    run: Option<PathBuf>,
    /// Carrier: loopback or tcp; by default the one that fits the address
    #[arg(long, value_name = "NAME")]
    carrier: Option<String>,
    /// Address to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    bind_address: IpAddr,
    /// Port to listen on; 0 lets the system choose
    #[arg(long, value_name = "PORT", default_value_t = 8080)]
    bind_port: u16,
    /// Own a Wi-Fi Direct group too, through the system's wpa_supplicant
    #[arg(long, requires = "state")]
    wifi_direct: bool,
    /// Name that handhelds show for this laptop
    #[arg(long, value_name = "NAME", default_value = "Laptop")]
    name: String,
    /// Folder in which the group's name and passphrase are kept
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// Port to listen on in the group, and on cables
    #[arg(long, value_name = "PORT", default_value_t = 8144)]
    wifi_direct_port: u16,
    /// Wi-Fi interface of the group; by default the first that can host one
    #[arg(long, value_name = "NAME")]
    interface: Option<String>,
    /// Frequency of the group in MHz where the laptop is on no other network; by default a quiet one
    #[arg(long, value_name = "MHZ")]
    frequency: Option<u16>,
    /// Folder of wpa_supplicant's control sockets; may be repeated; by default the usual ones
    #[arg(long, value_name = "DIR")]
    supplicant: Vec<PathBuf>,
    /// Listen on USB cables with a handheld at their other end too
    #[arg(long)]
    usb: bool,
    /// The only network interface to take for such a cable, whatever it looks like
    #[arg(long, value_name = "NAME", requires = "usb")]
    usb_interface: Option<String>,
    /// User id that may ask beside this process' own; may be repeated
    #[arg(long, value_name = "UID")]
    allow_uid: Vec<u32>,
    /// User that may ask, by name; may be repeated
    #[arg(long, value_name = "USER", value_parser = crate::service::process::user_id)]
    allow_user: Vec<u32>,
    /// End when the parent process ends
    #[arg(long)]
    child: bool,
}

impl Arguments {
    /// These arguments, with those that a settings file stands for.
    ///
    /// # Errors
    /// The file has mistakes; they are logged.
    fn with_config(&self) -> Result<Self, ()> {
        let Some(file) = &self.config else {
            return Ok(self.clone());
        };
        let (config, findings) = config::load(file).map_err(|findings| {
            let mistakes = findings.iter();
            mistakes.for_each(|finding| log::error!("link-service: {finding}"));
        })?;
        // laptop-daemon reads the same file and says the same; it is the one that is looked at.
        let minor = findings.iter();
        minor.for_each(|finding| log::debug!("link-service: {finding}"));
        let daemon = config.daemon;
        let radio = daemon.wifi_direct;
        Ok(Self {
            carrier: None,
            bind_address: daemon.bind_address,
            bind_port: daemon.bind_port,
            wifi_direct: radio.enabled,
            name: daemon.device_name,
            wifi_direct_port: radio.port,
            interface: radio.interface,
            frequency: radio.frequency,
            supplicant: radio.supplicant.into_iter().collect(),
            usb: daemon.usb.enabled,
            usb_interface: daemon.usb.interface,
            ..self.clone()
        })
    }

    /// What is wanted of cables; `None` where they are left alone.
    fn cable(&self) -> Option<cable::Settings> {
        self.usb.then(|| cable::Settings {
            port: self.wifi_direct_port,
            interface: self.usb_interface.clone(),
        })
    }

    /// What the radio is to do; `None` where it stays off.
    fn radio(&self) -> Option<Settings> {
        let state = self.state.clone().filter(|_| self.wifi_direct)?;
        let beside = self.run.as_deref().or_else(|| self.socket.parent());
        let beside = beside.unwrap_or(Path::new("."));
        Some(Settings {
            interface: self.interface.clone(),
            control: match self.supplicant.is_empty() {
                true => USUAL_CONTROL.map(PathBuf::from).to_vec(),
                false => self.supplicant.clone(),
            },
            run: beside.to_owned(),
            state,
            name: self.name.clone(),
            port: self.wifi_direct_port,
            frequency: self.frequency,
        })
    }
}

/// What belongs to carriers that come and go.
struct Beside {
    cable: Option<Cable>,
    wireless: Option<Wireless>,
}

impl Beside {
    fn start(arguments: &Arguments, exchange: &Arc<Exchange>) -> io::Result<Self> {
        let cable = arguments.cable().and_then(|settings| {
            Cable::start(settings, exchange)
                .inspect_err(|error| log::warn!("link-service: no carrier usb: {error}"))
                .ok()
        });
        let start = |settings| Wireless::start(settings, exchange);
        let wireless = arguments.radio().map(start).transpose()?;
        Ok(Self { cable, wireless })
    }

    fn stop(self) {
        if let Some(cable) = self.cable {
            cable.stop();
        }
        if let Some(wireless) = self.wireless {
            wireless.stop();
        }
    }
}

/// Why the service ends.
enum End {
    Asked(Signal),
    Socket(io::Error),
}

/// Opens the carriers and hands them to whoever may have them, until it is told to end or its socket fails.
pub fn run(arguments: &Arguments) -> ExitCode {
    if arguments.child && !crate::service::process::tie_to_parent() {
        return ExitCode::SUCCESS;
    }
    // Blocked before any other thread exists, so that all inherit it and only the wait below hears of them.
    let mut signals = SigSet::empty();
    [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP]
        .into_iter()
        .for_each(|signal| signals.add(signal));
    if let Err(errno) = signals.thread_block() {
        log::error!("link-service: signals cannot be waited for: {errno}");
        return ExitCode::from(EXIT_SOCKET);
    }
    let Ok(arguments) = &arguments.with_config() else {
        return ExitCode::from(EXIT_SETTINGS);
    };
    let exchange = Arc::new(Exchange::default());
    match Carrier::open(
        arguments.carrier.as_deref(),
        arguments.bind_address,
        arguments.bind_port,
    ) {
        Ok(carrier) => {
            let (kind, address) = (carrier.kind.name(), carrier.address);
            log::info!("link-service: carrier {kind} on {address}");
            exchange.offer(carrier);
        }
        Err(error) => {
            log::error!("link-service: {error}");
            return ExitCode::from(exit_code(&error));
        }
    }
    let (listener, made) = match listen(arguments) {
        Ok(listener) => listener,
        Err(error) => {
            let path = arguments.socket.display();
            log::error!("link-service: cannot listen at {path}: {error}");
            return ExitCode::from(EXIT_SOCKET);
        }
    };
    let (sender, ends) = channel();
    let started = serve_daemons(listener, arguments, &exchange, sender.clone())
        .and_then(|()| await_signals(signals, sender))
        .and_then(|()| Beside::start(arguments, &exchange));
    let beside = match started {
        Ok(beside) => beside,
        Err(error) => {
            log::error!("link-service: cannot start: {error}");
            return ExitCode::from(EXIT_SOCKET);
        }
    };
    systemd::status("Keeps the carriers");
    systemd::ready();
    let code = match follow(&ends, &exchange) {
        Ok(End::Socket(error)) => {
            log::error!("link-service: the socket failed: {error}");
            ExitCode::from(EXIT_SOCKET)
        }
        Ok(End::Asked(signal)) => {
            log::info!("link-service ends: {signal}");
            ExitCode::SUCCESS
        }
        Err(_) => ExitCode::SUCCESS,
    };
    systemd::stopping();
    // Sockets first: whatever starts in this one's place finds address and path free.
    exchange.close();
    if made {
        forget(&arguments.socket);
    }
    beside.stop();
    code
}

/// Only settings that stay wrong keep the service from being started again.
fn exit_code(error: &CarrierError) -> u8 {
    match error {
        // Whoever holds the address may be this service's predecessor, on its way out.
        CarrierError::Bind(_, error) if error.kind() == io::ErrorKind::AddrInUse => EXIT_SOCKET,
        CarrierError::Unknown(_) | CarrierError::Bind(..) => EXIT_SETTINGS,
    }
}

fn allowed(arguments: &Arguments) -> Vec<u32> {
    let mut allowed = vec![nix::unistd::geteuid().as_raw()];
    allowed.extend(&arguments.allow_uid);
    allowed.extend(&arguments.allow_user);
    allowed
}

/// The socket for daemons, and whether it is one that this process has made and removes.
fn listen(arguments: &Arguments) -> io::Result<(PacketListener, bool)> {
    if let Some(passed) = systemd::packet_listener()? {
        return Ok((PacketListener::from(passed), false));
    }
    let own = nix::unistd::geteuid().as_raw();
    let shared = allowed(arguments).iter().any(|uid| *uid != own);
    Ok((PacketListener::bind(&arguments.socket, shared)?, true))
}

/// Waits for the end, and says meanwhile that the service lives: what every thread of it goes through is free.
fn follow(ends: &Receiver<End>, exchange: &Exchange) -> Result<End, RecvTimeoutError> {
    let Some(interval) = systemd::beat_interval() else {
        return ends.recv().map_err(|_| RecvTimeoutError::Disconnected);
    };
    loop {
        exchange.pass();
        systemd::beat();
        match ends.recv_timeout(interval) {
            Err(RecvTimeoutError::Timeout) => {}
            end => return end,
        }
    }
}

fn forget(socket: &Path) {
    if let Err(error) = std::fs::remove_file(socket)
        && error.kind() != io::ErrorKind::NotFound
    {
        log::warn!("link-service: {} stays behind: {error}", socket.display());
    }
}

fn serve_daemons(
    listener: PacketListener,
    arguments: &Arguments,
    exchange: &Arc<Exchange>,
    ends: Sender<End>,
) -> io::Result<()> {
    let allowed = Allowed::users(&allowed(arguments));
    let exchange = Arc::clone(exchange);
    thread("accept", move || {
        loop {
            let daemon = match listener.accept() {
                Ok(daemon) => daemon,
                Err(error) => {
                    // Nobody waits any more only when the service ends anyway.
                    let _ = ends.send(End::Socket(error));
                    return;
                }
            };
            if let Err(error) = peer::check(&daemon, &allowed) {
                log::warn!("link-service: {error}");
                continue;
            }
            if let Err(error) = serve(daemon, &exchange) {
                log::error!("link-service: no thread for laptop-daemon: {error}");
            }
        }
    })
}

fn serve(daemon: PacketSocket, exchange: &Arc<Exchange>) -> io::Result<()> {
    let exchange = Arc::clone(exchange);
    thread("daemon", move || {
        if let Err(error) = exchange.serve(daemon) {
            log::warn!("link-service: the conversation with laptop-daemon ended: {error}");
        }
    })
}

fn await_signals(signals: SigSet, ends: Sender<End>) -> io::Result<()> {
    thread("signals", move || {
        let end = signals
            .wait()
            .map_or_else(|errno| End::Socket(errno.into()), End::Asked);
        // As above.
        let _ = ends.send(end);
    })
}

fn thread(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(work)
        .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn parse(more: &[&str]) -> Result<Arguments, clap::Error> {
        let mut all = vec!["link-service", "--socket", "/run/officeos/link.sock"];
        all.extend(more);
        Arguments::try_parse_from(all)
    }

    #[test]
    fn the_arguments_are_consistent() {
        Arguments::command().debug_assert();
        assert!(
            parse(&["--wifi-direct"]).is_err(),
            "a group without a folder"
        );
    }

    #[test]
    fn the_radio_stays_off_unless_it_is_asked_for() {
        let off = parse(&["--state", "/var/lib/officeos"]).expect("arguments");
        assert!(off.radio().is_none());
        let on = parse(&["--state", "/var/lib/officeos", "--wifi-direct"]).expect("arguments");
        let settings = on.radio().expect("settings");
        assert_eq!(settings.run, Path::new("/run/officeos"));
        assert_eq!(settings.control.len(), USUAL_CONTROL.len());
        assert_eq!((settings.port, settings.interface), (8144, None));
    }

    #[test]
    fn cables_are_left_alone_unless_they_are_asked_for() {
        assert_eq!(parse(&[]).expect("arguments").cable(), None);
        assert!(parse(&["--usb-interface=usb0"]).is_err(), "without --usb");
        let on = parse(&["--usb", "--usb-interface=usb0", "--wifi-direct-port=9000"]);
        let settings = on.expect("arguments").cable().expect("settings");
        assert_eq!(
            (settings.port, settings.interface.as_deref()),
            (9000, Some("usb0"))
        );
    }

    #[test]
    fn a_taken_address_is_tried_again_and_a_wrong_one_is_not() {
        let any = "127.0.0.1:1".parse().expect("an address");
        let code = |kind: io::ErrorKind| exit_code(&CarrierError::Bind(any, kind.into()));
        assert_eq!(code(io::ErrorKind::AddrInUse), EXIT_SOCKET);
        assert_eq!(code(io::ErrorKind::AddrNotAvailable), EXIT_SETTINGS);
        assert_eq!(exit_code(&CarrierError::Unknown("x".into())), EXIT_SETTINGS);
    }
}
