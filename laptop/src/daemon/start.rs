//! Start, wiring and orderly end of the daemon.

use super::carriers::Carriers;
use super::children::{Children, Spec};
use super::control::Control;
use super::link;
use super::lobby::Rooms;
use super::pairing::PairingDesk;
use super::providers;
use super::pulse::{self, Pulse};
use super::reload::Reloader;
use super::settled::Settled;
use crate::config::{self, Config, Finding};
use crate::control::peer::{Allowed, GROUP};
use crate::hub::{Hub, Services, Settings, Sharing};
use crate::ipc::ServiceClient;
use crate::paths::{Paths, room_at};
use crate::store::{Retention, Store, StoreError};
use crate::systemd;
use clap::Parser;
use nix::sys::signal::{SigSet, Signal};
use std::fmt;
use std::io::{self, IsTerminal};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Exit code for a daemon that cannot do its work; starting again may help.
const EXIT_FAILED: u8 = 1;
/// Exit code for wrong arguments or settings; starting again would not help.
const EXIT_SETTINGS: u8 = 78;
/// How often a disk that was full at start is looked at again.
const ROOM_INTERVAL: Duration = Duration::from_secs(5);
/// Octets without which no database can be opened: its index of the log alone takes half of that.
const LEAST_ROOM: u64 = 64 * 1024;
/// How often expiry and retention are looked at.
const TIDY_INTERVAL: Duration = Duration::from_secs(60);

/// Arguments of laptop-daemon.
#[derive(Debug, Parser)]
#[command(
    name = "laptop-daemon",
    version,
    about = "Does the work that paired handhelds ask for"
)]
pub struct Arguments {
    /// Start link-service and the services as child processes, from the folder of this program
    #[arg(long)]
    standalone: bool,
    /// Folder for settings, state, sockets and drop folders; by default $OFFICEOS_HOME, the system's places where they are
    /// there, or ~/.local/share/officeos
    #[arg(long, value_name = "DIR")]
    home: Option<PathBuf>,
    /// Settings file; by default config/daemon.toml in the home folder
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Check the settings, say what was found, and end
    #[arg(long)]
    test: bool,
    /// Look at everything that Wi-Fi Direct needs, print what was found and what mends it, and end
    #[arg(long)]
    test_p2p: bool,
    /// Ask every provider that is set up or found, print what works, what does not and what to do, and end
    #[arg(long)]
    test_external_apis: bool,
}

impl Arguments {
    /// The file that a daemon which was started by hand logs into, beside standard error.
    pub fn log_file(&self) -> Option<PathBuf> {
        let runs = self.standalone && !self.test && !self.test_p2p && !self.test_external_apis;
        let home = self.home.clone().or_else(Paths::usual_home)?;
        runs.then(|| Paths::below(&home).log())
    }
}

#[derive(Debug)]
enum StartError {
    Home,
    Config(Vec<Finding>),
    Folder(PathBuf, io::Error),
    Store(StoreError),
    Children(io::Error),
    Control(PathBuf, io::Error),
    Thread(io::Error),
    Signals(nix::errno::Errno),
    Radio,
    Providers,
    Binaries(io::Error),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Home => f.write_str("no home folder is known; name one with --home"),
            Self::Config(findings) => write!(f, "the settings have {} mistakes", findings.len()),
            Self::Folder(path, error) => {
                write!(f, "{}: a folder could not be made: {error}", path.display())
            }
            Self::Store(error) => write!(f, "{error}"),
            Self::Children(error) => write!(f, "{error}"),
            Self::Control(path, error) => write!(f, "cannot listen at {}: {error}", path.display()),
            Self::Thread(error) => write!(f, "no thread could be started: {error}"),
            Self::Signals(errno) => write!(f, "signals cannot be waited for: {errno}"),
            Self::Providers => f.write_str("not every provider works; see each FAULT of the table"),
            Self::Binaries(error) => write!(f, "the services cannot be started: {error}"),
            Self::Radio => {
                f.write_str("Wi-Fi Direct does not work like this; mend each FAULT of the table")
            }
        }
    }
}

impl StartError {
    fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Home | Self::Config(_) => EXIT_SETTINGS,
            _ => EXIT_FAILED,
        })
    }
}

/// Runs the daemon until it is told to end.
pub fn run(arguments: &Arguments) -> ExitCode {
    match start(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if let StartError::Config(findings) = &error {
                findings.iter().for_each(|finding| log::error!("{finding}"));
            }
            log::error!("laptop-daemon: {error}");
            error.exit_code()
        }
    }
}

fn start(arguments: &Arguments) -> Result<(), StartError> {
    let home = match arguments.standalone {
        // Whoever starts everything themselves means a home of their own, whatever else is installed.
        true => arguments.home.clone().or_else(Paths::usual_home),
        false => arguments.home.clone(),
    };
    let mut paths = Paths::find(home.as_deref()).ok_or(StartError::Home)?;
    if let Some(config) = &arguments.config {
        paths.config.clone_from(config);
    }
    if arguments.test {
        return test_settings(&paths.config);
    }
    let (config, findings) = config::load(&paths.config).map_err(StartError::Config)?;
    findings.iter().for_each(|finding| log::warn!("{finding}"));
    if arguments.test_p2p {
        return match link::test_radio(&config, &paths) {
            Ok(true) => Ok(()),
            Ok(false) => Err(StartError::Radio),
            Err(error) => Err(StartError::Folder(std::env::temp_dir(), error)),
        };
    }
    if arguments.test_external_apis {
        let findings = config::check(&paths.config);
        if findings.iter().any(Finding::is_error) {
            return Err(StartError::Config(findings));
        }
        let binaries = binaries().map_err(StartError::Binaries)?;
        return match providers::test(&config, &paths, &binaries) {
            Ok(true) => Ok(()),
            Ok(false) => Err(StartError::Providers),
            Err(error) => Err(StartError::Binaries(error)),
        };
    }
    // Those of the system come with its package, each with the user that may write there.
    for folder in [&paths.home, &paths.run, &paths.files]
        .into_iter()
        .filter(|_| !paths.system)
    {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(|error| StartError::Folder(folder.clone(), error))?;
    }
    let (store, has_waited) = open_store(&paths.state)?;
    let store = Arc::new(store);
    let config = match has_waited {
        true => changed_meanwhile(&paths.config, config),
        false => config,
    };
    // Blocked in this thread before any other exists, so that all inherit it and only the wait below hears of them.
    let mut ends = SigSet::empty();
    [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP]
        .into_iter()
        .for_each(|signal| ends.add(signal));
    ends.thread_block().map_err(StartError::Signals)?;

    let kept = Arc::clone(&store);
    thread("ledger", move || kept.keep_ledger())?;
    upgrade(&paths.config);
    if let Some(folder) = paths.config.parent()
        && !paths.system
        && let Err(error) = config::write_templates(folder)
    {
        log::warn!("the templates of the settings could not be written: {error}");
    }
    let services = Services {
        language: client(&paths, "llm"),
        image: client(&paths, "image"),
        downloads: client(&paths, "fetch"),
    };
    let hub = Hub::new(
        Arc::clone(&store),
        settings(&config, &paths),
        services.clone(),
    )
    .map_err(StartError::Store)?;
    let children = match arguments.standalone {
        true => Some(start_children(&config, &paths)?),
        false => None,
    };
    let settled = Arc::new(Settled::new(config));
    let carriers = Arc::new(Carriers::default());
    let pairing = Arc::new(PairingDesk::new(
        Arc::clone(&hub),
        Arc::clone(&settled),
        Arc::clone(&carriers),
    ));
    let reloader = Arc::new(Reloader {
        settled,
        hub: Arc::clone(&hub),
        paths: paths.clone(),
        services,
        children: Mutex::new(children),
    });
    let control = Arc::new(Control::new(
        Arc::clone(&hub),
        Arc::clone(&pairing),
        Arc::clone(&reloader),
        Arc::clone(&carriers),
    ));
    serve_control(&paths, control)?;
    let pulse = Arc::new(Pulse::new().map_err(StartError::Thread)?);
    let rooms = Rooms::new(Arc::clone(&hub), pairing, carriers, Arc::clone(&pulse));
    let socket = paths.run.join("link.sock");
    rooms.carriers.show();
    thread("link", move || link::follow(&socket, &rooms))?;
    let tidied = Arc::clone(&hub);
    thread("tidy", move || tidy(&tidied))?;
    hub.refresh_models();
    if let Some(interval) = systemd::beat_interval() {
        let watched = Arc::clone(&hub);
        thread("watchdog", move || pulse::keep(interval, &pulse, &watched))?;
    }
    log::info!("laptop-daemon is ready in {}", paths.home.display());
    systemd::ready();
    let signal = await_end(&ends, &reloader)?;
    log::info!("laptop-daemon ends: {signal}");
    systemd::stopping();
    reloader.end();
    if let Err(error) = hub.tidy() {
        log::error!("tidying up failed: {error}");
    }
    store.end_ledger().map_err(StartError::Store)
}

/// The settings as they are after a wait in which nobody was there to be told of a change; those of before where they have
/// mistakes by now.
fn changed_meanwhile(file: &Path, before: Config) -> Config {
    let (config, findings) = match config::load(file) {
        Ok((now, findings)) => (now, findings),
        Err(findings) => {
            log::error!("the settings have mistakes by now; those of before are in force");
            (before, findings)
        }
    };
    findings.iter().for_each(|finding| log::warn!("{finding}"));
    config
}

/// Opens the store, and says whether that took a wait. A full disk is waited out, since nobody would start the laptop again
/// once there is room; signals must not be blocked yet.
fn open_store(folder: &Path) -> Result<(Store, bool), StartError> {
    let mut has_waited = false;
    loop {
        match Store::open(folder) {
            Err(error) if is_short(&error, folder) => {
                if !has_waited {
                    log::error!("{error}; the laptop waits for room on its disk");
                    has_waited = true;
                }
                systemd::waiting("Waits for room on its disk", ROOM_INTERVAL * 3);
                // The kernel tells nobody of room that was made; somebody has to look.
                std::thread::sleep(ROOM_INTERVAL);
            }
            Err(error) => return Err(StartError::Store(error)),
            Ok(store) => return Ok((store, has_waited)),
        }
    }
}

/// Whether room is what is missing: also where SQLite calls it something else.
fn is_short(error: &StoreError, folder: &Path) -> bool {
    let of_the_disk = matches!(error, StoreError::Database(_) | StoreError::File(..));
    let short = room_at(folder).is_some_and(|free| free < LEAST_ROOM);
    error.is_full() || (of_the_disk && short)
}

/// Says what there is to say about the three files.
fn test_settings(file: &Path) -> Result<(), StartError> {
    let findings = config::check(file);
    if findings.iter().any(Finding::is_error) {
        return Err(StartError::Config(findings));
    }
    findings.iter().for_each(|finding| log::warn!("{finding}"));
    println!(
        "{} and the two beside it: the settings are fine, {} warnings",
        file.display(),
        findings.len()
    );
    Ok(())
}

/// Brings older files to today's format, and says what became of each.
fn upgrade(file: &Path) {
    for one in config::upgrade(file) {
        let (shown, from) = (one.file.display(), one.from);
        match one.kept {
            Ok(kept) => log::info!(
                "{shown} was in format {from} and is in today's now; the old one is {}",
                kept.display()
            ),
            Err(error) => log::warn!(
                "{shown} is in format {from} and cannot be rewritten: {error}; it is read as it means today; \
                 whoever owns it can run: officectl config upgrade"
            ),
        }
    }
}

/// A client of the service `name`. In the system's installation each has a user of its own, and systemd, user 0, makes
/// its socket.
fn client(paths: &Paths, name: &str) -> ServiceClient {
    let socket = paths.run.join(format!("{name}.sock"));
    if !paths.system {
        return ServiceClient::same_user(socket);
    }
    let client = ServiceClient::new(socket, 0);
    let user = format!("officeos-{name}");
    match crate::service::process::user_id(&user) {
        Ok(uid) => client.or_user(uid),
        Err(words) => {
            log::warn!("{words}");
            client
        }
    }
}

pub(super) fn settings(config: &Config, paths: &Paths) -> Settings {
    Settings {
        name: config.daemon.device_name.clone(),
        files: paths.files.clone(),
        scratch: paths.state.clone(),
        quota: config.daemon.quota,
        ask_timeout: Duration::from_secs(u64::from(config.daemon.ask_timeout_s)),
        retention: Retention {
            max_bytes: config.daemon.keep_bytes,
            max_age_s: config.daemon.keep_s,
        },
        language: config.daemon.llm_enabled,
        image: config.daemon.image_generation_enabled,
        renewal_s: i64::from(config.daemon.relationship_days) * 24 * 3600,
        sharing: Sharing {
            language_at_once: config.daemon.manners.texts_at_once,
            pictures_at_once: config.daemon.manners.pictures_at_once,
            manners: config.daemon.manners.policy,
            longest_wait: Duration::from_secs(config.daemon.manners.busy_wait_s.into()),
            ..Sharing::default()
        },
    }
}

/// Where the programs are: beside this one.
fn binaries() -> io::Result<PathBuf> {
    let own = std::env::current_exe()?;
    Ok(own.parent().unwrap_or(Path::new("/")).to_owned())
}

fn start_children(config: &Config, paths: &Paths) -> Result<Children, StartError> {
    let binaries = binaries().map_err(StartError::Children)?;
    let mut specs = vec![Spec {
        name: "link-service",
        arguments: link::arguments(config, paths),
    }];
    specs.extend(services(config, paths));
    let web = &config.daemon.web;
    if web.enabled || web.gateway_enabled {
        specs.push(Spec {
            name: "web-service",
            arguments: vec![
                "--home".into(),
                paths.home.clone().into(),
                "--config".into(),
                paths.config.clone().into(),
                "--child".into(),
            ],
        });
    }
    Children::start(&binaries, specs).map_err(StartError::Children)
}

/// Names of the services that are offered, as `status` has them.
pub(super) fn offered(config: &Config) -> Vec<&'static str> {
    [
        ("language", config.daemon.llm_enabled),
        ("image", config.daemon.image_generation_enabled),
        ("fetch", config.daemon.fetch_enabled),
    ]
    .into_iter()
    .filter_map(|(name, offered)| offered.then_some(name))
    .collect()
}

/// The processes of the services that are offered.
pub(super) fn services(config: &Config, paths: &Paths) -> Vec<Spec> {
    let services_file = paths.config.with_file_name("services.toml");
    let service = |name, socket: &str| Spec {
        name,
        arguments: vec![
            "--socket".into(),
            paths.run.join(socket).into(),
            "--config".into(),
            services_file.clone().into(),
            "--child".into(),
        ],
    };
    let specs = offered(config).into_iter().map(|name| match name {
        "language" => service("llm-service", "llm.sock"),
        "image" => service("image-service", "image.sock"),
        _ => service("fetch-service", "fetch.sock"),
    });
    specs.collect()
}

/// Waits for the signal to end; one that says that the settings changed has them read again.
fn await_end(ends: &SigSet, reloader: &Reloader) -> Result<Signal, StartError> {
    let on_terminal = io::stdin().is_terminal();
    loop {
        match ends.wait().map_err(StartError::Signals)? {
            // A terminal that was closed sends this too, and takes what was started on it along.
            Signal::SIGHUP if !on_terminal || io::stdin().is_terminal() => {
                reloader.reload();
            }
            signal => return Ok(signal),
        }
    }
}

fn serve_control(paths: &Paths, control: Arc<Control>) -> Result<(), StartError> {
    let path = paths.control();
    let listener = match systemd::unix_listener() {
        Ok(Some(passed)) => Ok(passed),
        Ok(None) => crate::ipc::bind(&path, false),
        Err(error) => Err(error),
    };
    let listener = listener.map_err(|error| StartError::Control(path, error))?;
    let mut allowed = Allowed::users(&[nix::unistd::geteuid().as_raw(), 0]);
    if paths.system {
        allowed = allowed.and_group(GROUP);
    }
    thread("control", move || {
        if let Err(error) = crate::control::serve(&listener, &control, &allowed) {
            log::error!("the control socket failed: {error}");
        }
    })
}

fn thread(name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), StartError> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(work)
        .map(drop)
        .map_err(StartError::Thread)
}

fn tidy(hub: &Hub) {
    loop {
        std::thread::sleep(TIDY_INTERVAL);
        hub.expire();
        for kept in [hub.tidy(), hub.store.forget_overdue(hub.wall())] {
            if let Err(error) = kept {
                log::error!("tidying up failed: {error}");
            }
        }
    }
}
