//! The shell of a service process: arguments, log, listening socket, exit code.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use nix::sys::signal::Signal;

use crate::ipc::{Handler, ServeOptions, Server, bind, listener_from_stdin};

use super::config::ServicesConfig;

/// Exit code for wrong arguments or settings; starting again would not help.
const EXIT_SETTINGS: u8 = 78;
/// Exit code for a socket that cannot be made.
const EXIT_SOCKET: u8 = 71;

/// Arguments that all services share.
#[derive(Debug, Parser)]
#[command(version, about, long_about = None)]
pub struct Arguments {
    /// Where to listen; without it, standard input must be a listening socket
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
    /// Settings file; a missing one means the defaults
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// User id that may ask beside this process' own; may be repeated
    #[arg(long, value_name = "UID")]
    allow_uid: Vec<u32>,
    /// End when the parent process ends
    #[arg(long)]
    child: bool,
    /// Read the settings, say what was found, and end
    #[arg(long)]
    test: bool,
}

/// Whether a service has providers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settings {
    /// It reads the settings file, and keys from the environment.
    Providers,
    /// It has no providers: it looks at neither, so that it never holds a key.
    None,
}

/// Runs a service until its socket fails. `name` and `about` are what `--help` shows; `build` makes the handler.
pub fn run<H: Handler>(
    name: &'static str,
    about: &'static str,
    settings: Settings,
    build: impl FnOnce(&ServicesConfig) -> Result<H, String>,
) -> ExitCode {
    use clap::{CommandFactory, FromArgMatches};
    let matches = Arguments::command().name(name).about(about).get_matches();
    let arguments = match Arguments::from_arg_matches(&matches) {
        Ok(arguments) => arguments,
        Err(error) => error.exit(),
    };
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("info")).init();
    if arguments.child && !tie_to_parent() {
        return ExitCode::SUCCESS;
    }
    let config = match settings {
        Settings::Providers => ServicesConfig::load(arguments.config.as_deref()),
        Settings::None => ServicesConfig::parse("", &|_| None),
    };
    let config = match config {
        Ok(config) => config,
        Err(findings) => {
            findings
                .iter()
                .for_each(|finding| log::error!("{name}: {finding}"));
            return ExitCode::from(EXIT_SETTINGS);
        }
    };
    for warning in &config.warnings {
        log::warn!("{name}: {warning}");
    }
    let handler = match build(&config) {
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
    let shared = arguments.allow_uid.iter().any(|uid| *uid != own);
    let listener = match &arguments.socket {
        Some(path) => bind(path, shared),
        None => listener_from_stdin(),
    };
    let listener = match listener {
        Ok(listener) => listener,
        Err(error) => {
            log::error!("{name}: cannot listen: {error}");
            return ExitCode::from(EXIT_SOCKET);
        }
    };
    let mut options = ServeOptions::for_uid(own);
    options.allowed_uids.extend(&arguments.allow_uid);
    log::info!("{name} is ready");
    match Server::new(handler, options).run(&listener) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log::error!("{name}: the socket failed: {error}");
            ExitCode::from(EXIT_SOCKET)
        }
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
