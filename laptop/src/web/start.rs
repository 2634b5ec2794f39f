//! Arguments, sockets, start and end of web-service.

use super::daemon::Daemon;
use super::http::{Server, Settings, Turned};
use super::site::Site;
use crate::config;
use crate::config::WebConfig;
use crate::paths::Paths;
use crate::service::process::{end_on_signal, tie_to_parent};
use crate::systemd;
use clap::Parser;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

/// Exit code for wrong arguments or settings; starting again would not help.
const EXIT_SETTINGS: u8 = 78;
/// Exit code for a socket that failed; starting again may help.
const EXIT_SOCKET: u8 = 71;
/// Longest body of a request to the page or the control API, in octets.
const MAX_BODY_LEN: usize = 256 * 1024;

/// Arguments of web-service.
#[derive(Debug, Clone, Parser)]
#[command(
    name = "web-service",
    version,
    about = "Serves the OfficeOS page and control API to this machine alone"
)]
pub struct Arguments {
    /// Home folder of the laptop-daemon to talk to; by default as officectl finds it
    #[arg(long, value_name = "DIR")]
    home: Option<PathBuf>,
    /// Settings file; by default the daemon.toml of that daemon
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// End when the parent process ends
    #[arg(long)]
    child: bool,
}

/// Runs until a socket fails.
pub fn run(arguments: &Arguments) -> ExitCode {
    if arguments.child && !tie_to_parent() {
        return ExitCode::SUCCESS;
    }
    let Some(mut paths) = Paths::find(arguments.home.as_deref()) else {
        log::error!("web-service: no home folder is known; name one with --home");
        return ExitCode::from(EXIT_SETTINGS);
    };
    if let Some(config) = &arguments.config {
        paths.config.clone_from(config);
    }
    let web = match config::load(&paths.config) {
        Ok((config, _)) => config.daemon.web,
        Err(findings) => {
            let mistakes = findings.iter();
            mistakes.for_each(|finding| log::error!("web-service: {finding}"));
            return ExitCode::from(EXIT_SETTINGS);
        }
    };
    if !web.enabled && !web.gateway_enabled {
        log::info!(
            "web-service: page and gateway are both off in the section [web] of {}; nothing is served",
            paths.config.display()
        );
        // What its owner wants is no failure: to systemd it has started, and ended well.
        systemd::status("Page and gateway are off in daemon.toml");
        systemd::ready();
        systemd::stopping();
        return ExitCode::SUCCESS;
    }
    let gateway = match web.gateway_enabled {
        true => match bind(web.gateway_port, &paths) {
            Ok(listener) => Some(listener),
            Err(code) => return code,
        },
        false => None,
    };
    let page = match web.enabled {
        true => match bind(web.port, &paths) {
            Ok(listener) => Some(listener),
            Err(code) => return code,
        },
        false => None,
    };
    if let Err(error) = end_on_signal("web-service") {
        log::error!("web-service: signals cannot be waited for: {error}");
        return ExitCode::from(EXIT_SOCKET);
    }
    let pulse = Pulse::of(page.is_some(), gateway.is_some());
    systemd::status("Serves this machine");
    systemd::ready();
    let control = paths.control();
    let serving = match (page, gateway) {
        (Some(page), Some(gateway)) => {
            let (socket, beat) = (control.clone(), pulse.beat(GATEWAY));
            let spawned = std::thread::Builder::new()
                .name("gateway".into())
                .spawn(move || {
                    let error = super::gateway::serve(&gateway, socket, beat).err();
                    log::error!("web-service: the gateway failed: {error:?}");
                    // Half of it would look alive.
                    std::process::exit(i32::from(EXIT_SOCKET));
                });
            match spawned {
                Ok(_) => serve_page(&page, &web, &control, pulse.beat(PAGE)),
                Err(error) => Err(error),
            }
        }
        (Some(page), None) => serve_page(&page, &web, &control, pulse.beat(PAGE)),
        (None, Some(gateway)) => super::gateway::serve(&gateway, control, pulse.beat(GATEWAY)),
        (None, None) => Ok(()),
    };
    match serving {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log::error!("web-service: a socket failed: {error}");
            ExitCode::from(EXIT_SOCKET)
        }
    }
}

/// Bits of the loops that accept.
const PAGE: u8 = 1;
/// See [`PAGE`].
const GATEWAY: u8 = 2;

/// Tells the watchdog that every loop has turned since it was last told: one that stands still is missed.
struct Pulse {
    wanted: u8,
    every: Option<Duration>,
    seen: Arc<AtomicU8>,
}

impl Pulse {
    fn of(page: bool, gateway: bool) -> Self {
        Self {
            wanted: if page { PAGE } else { 0 } | if gateway { GATEWAY } else { 0 },
            every: systemd::beat_interval(),
            seen: Arc::default(),
        }
    }

    /// What the loop of `bit` has to call, where somebody watches.
    fn beat(&self, bit: u8) -> Option<(Duration, Turned)> {
        let (wanted, seen) = (self.wanted, Arc::clone(&self.seen));
        let turned = move || {
            if turn(&seen, bit, wanted) {
                systemd::beat();
            }
        };
        Some((self.every?, Turned(Arc::new(turned))))
    }
}

/// Notes that the loop of `bit` has turned; whether that was the last of those `wanted`, which begin anew then.
fn turn(seen: &AtomicU8, bit: u8, wanted: u8) -> bool {
    let all = seen.fetch_or(bit, Ordering::SeqCst) | bit == wanted;
    if all {
        seen.store(0, Ordering::SeqCst);
    }
    all
}

fn serve_page(
    listener: &TcpListener,
    web: &WebConfig,
    control: &Path,
    beat: Option<(Duration, Turned)>,
) -> io::Result<()> {
    let site = Site::new(Daemon::new(control), web.port, web.metrics_enabled);
    let settings = Settings {
        max_body_len: MAX_BODY_LEN,
        beat,
        ..Settings::default()
    };
    Server::new(site, settings).run(listener)
}

/// Listens on `port` of loopback, and nowhere else.
fn bind(port: u16, paths: &Paths) -> Result<TcpListener, ExitCode> {
    let listener = match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
        Ok(listener) => listener,
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            log::error!(
                "web-service: another program listens on port {}; end it, or write another port in the section [web] of {}",
                port,
                paths.config.display()
            );
            return Err(ExitCode::from(EXIT_SETTINGS));
        }
        Err(error) => {
            log::error!("web-service: cannot listen on port {port}: {error}");
            return Err(ExitCode::from(EXIT_SOCKET));
        }
    };
    log::info!("web-service is ready on http://127.0.0.1:{port}/");
    Ok(listener)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_watchdog_hears_of_it_only_when_every_loop_has_turned() {
        let seen = AtomicU8::new(0);
        let both = PAGE | GATEWAY;
        assert!(!turn(&seen, PAGE, both) && !turn(&seen, PAGE, both));
        assert!(turn(&seen, GATEWAY, both));
        assert!(!turn(&seen, GATEWAY, both), "each has to turn again");
        let seen = AtomicU8::new(0);
        assert!(turn(&seen, PAGE, PAGE) && turn(&seen, PAGE, PAGE));
    }
}
