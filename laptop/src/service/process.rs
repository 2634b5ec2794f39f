//! The shell of a service process: arguments, log, listening socket, exit code.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use nix::sys::signal::{SigSet, Signal};

use crate::ipc::{Handler, ServeOptions, Server, bind, listener_from_stdin};
use crate::systemd;

use super::config::ServicesConfig;
use super::reload::Reloading;

/// Exit code for wrong arguments or settings; starting again would not help.
const EXIT_SETTINGS: u8 = 78;
/// Exit code for a socket that cannot be made.
const EXIT_SOCKET: u8 = 71;

/// Arguments that all services share.
#[derive(Debug, Parser)]
#[command(version, about, long_about = None)]
pub struct Arguments {
    /// Where to listen; without it, systemd has passed a listening socket, or standard input is one
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
    /// Settings file; a missing one means the defaults
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// User id that may ask beside this process' own; may be repeated
    #[arg(long, value_name = "UID")]
    allow_uid: Vec<u32>,
    /// User that may ask, by name; may be repeated
    #[arg(long, value_name = "USER", value_parser = user_id)]
    allow_user: Vec<u32>,
    /// End after so many seconds in which nobody asked anything: systemd starts it again for the next who does
    #[arg(long, value_name = "SECONDS")]
    idle_exit: Option<u32>,
    /// End when the parent process ends
    #[arg(long)]
    child: bool,
    /// Read the settings, say what was found, and end
    #[arg(long)]
    test: bool,
}

/// A service's program: what it is called and what `--help` and its manual say it does.
#[derive(Clone, Copy, Debug)]
pub struct Program {
    /// Its name.
    pub name: &'static str,
    /// What it does, in one line.
    pub about: &'static str,
}

/// llm-service.
pub const LANGUAGE: Program = Program {
    name: "llm-service",
    about: "Answers the OfficeOS daemon with text from language models",
};
/// image-service.
pub const IMAGE: Program = Program {
    name: "image-service",
    about: "Answers the OfficeOS daemon with pictures from image models",
};
/// fetch-service.
pub const FETCH: Program = Program {
    name: "fetch-service",
    about: "Downloads for the OfficeOS daemon what its allow-list permits",
};

impl Program {
    /// Its command line.
    pub fn command(self) -> clap::Command {
        use clap::CommandFactory;
        Arguments::command().name(self.name).about(self.about)
    }
}

/// Whether a service has providers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settings {
    /// It reads the settings file, and keys from the environment.
    Providers,
    /// It has no providers: it looks at neither, so that it never holds a key.
    None,
}

/// Runs a service until its socket fails; `build` makes the handler.
pub fn run<H: Handler>(
    program: Program,
    settings: Settings,
    build: impl Fn(&ServicesConfig) -> Result<H, String> + Send + Sync + 'static,
) -> ExitCode {
    use clap::FromArgMatches;
    let name = program.name;
    let matches = program.command().get_matches();
    let arguments = match Arguments::from_arg_matches(&matches) {
        Ok(arguments) => arguments,
        Err(error) => error.exit(),
    };
    crate::journal::start();
    if arguments.child && !tie_to_parent() {
        return ExitCode::SUCCESS;
    }
    let file = arguments.config.clone();
    let read = move || match settings {
        Settings::Providers => ServicesConfig::load(file.as_deref()),
        Settings::None => ServicesConfig::parse("", &|_| None),
    };
    let config = match read() {
        Ok(config) => config,
        Err(findings) => {
            findings
                .iter()
                .for_each(|finding| log::error!("{name}: {finding}"));
            return ExitCode::from(EXIT_SETTINGS);
        }
    };
    let handler = Reloading::new(move || {
        let config = read().map_err(|findings| {
            let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
            lines.join("; ")
        })?;
        for warning in &config.warnings {
            log::warn!("{name}: {warning}");
        }
        build(&config)
    });
    let handler = match handler {
        Ok(handler) => handler,
        Err(why) => {
            log::error!("{name}: {why}");
            return ExitCode::from(EXIT_SETTINGS);
        }
    };
    if arguments.test {
        for provider in &config.providers {
            println!(
                "{} ({:?}) at {}",
                provider.name, provider.kind, provider.base_url
            );
        }
        println!(
            "{name}: the settings are fine, {} warnings",
            config.warnings.len()
        );
        return ExitCode::SUCCESS;
    }
    let own = nix::unistd::geteuid().as_raw();
    let mut options = ServeOptions::for_uid(own);
    options.allowed_uids.extend(&arguments.allow_uid);
    options.allowed_uids.extend(&arguments.allow_user);
    let shared = options.allowed_uids.iter().any(|uid| *uid != own);
    let listener = match &arguments.socket {
        Some(path) => bind(path, shared),
        None => systemd::unix_listener().and_then(|passed| match passed {
            Some(listener) => Ok(listener),
            None => listener_from_stdin(),
        }),
    };
    let listener = match listener {
        Ok(listener) => listener,
        Err(error) => {
            log::error!("{name}: cannot listen: {error}");
            return ExitCode::from(EXIT_SOCKET);
        }
    };
    let beat = systemd::beat_interval();
    options.beat = beat.map(|interval| (interval, systemd::beat as fn()));
    options.idle_exit = arguments
        .idle_exit
        .map(|seconds| Duration::from_secs(u64::from(seconds)));
    if let Err(error) = end_on_signal(name) {
        log::error!("{name}: signals cannot be waited for: {error}");
        return ExitCode::from(EXIT_SOCKET);
    }
    log::info!("{name} is ready");
    systemd::status("Waits for requests");
    systemd::ready();
    match Server::new(handler, options).run(&listener) {
        Ok(()) => {
            log::info!("{name} ends: nobody has asked anything for a while");
            systemd::stopping();
            ExitCode::SUCCESS
        }
        Err(error) => {
            log::error!("{name}: the socket failed: {error}");
            ExitCode::from(EXIT_SOCKET)
        }
    }
}

/// Ends the process in order when it is asked to. Before any other thread exists, so that only this one hears of it.
pub(crate) fn end_on_signal(name: &'static str) -> std::io::Result<()> {
    let mut signals = SigSet::empty();
    [Signal::SIGTERM, Signal::SIGINT]
        .into_iter()
        .for_each(|signal| signals.add(signal));
    signals.thread_block()?;
    std::thread::Builder::new()
        .name("signals".into())
        .stack_size(128 << 10)
        .spawn(move || match signals.wait() {
            Ok(signal) => {
                log::info!("{name} ends: {signal}");
                systemd::stopping();
                // Requests end with their connections; nothing of this process has to be kept.
                std::process::exit(0);
            }
            Err(errno) => log::error!("{name}: signals cannot be waited for: {errno}"),
        })
        .map(drop)
}

/// The number of a user of this system.
pub(crate) fn user_id(name: &str) -> Result<u32, String> {
    match nix::unistd::User::from_name(name) {
        Ok(Some(user)) => Ok(user.uid.as_raw()),
        Ok(None) => Err(format!("this system has no user {name}")),
        Err(errno) => Err(format!("the users of this system cannot be read: {errno}")),
    }
}

/// Asks the kernel to end this process with its parent. False if the parent has gone already.
pub(crate) fn tie_to_parent() -> bool {
    // A parent that waits for its signals has blocked them, and a mask is inherited: without this, nothing but SIGKILL
    // would end this process.
    if let Err(error) = nix::sys::signal::SigSet::all().thread_unblock() {
        log::warn!("signals cannot be unblocked: {error}");
    }
    let parent = nix::unistd::getppid();
    if let Err(error) = nix::sys::prctl::set_pdeathsig(Signal::SIGTERM) {
        log::warn!("cannot be tied to the parent process: {error}");
    }
    // The parent may have died just before the call; then init (or a subreaper) is the parent by now.
    nix::unistd::getppid() == parent && parent.as_raw() != 1
}
