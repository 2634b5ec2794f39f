//! Arguments, sockets, start and end of web-service.

use super::daemon::Daemon;
use super::http::{Server, Settings};
use super::site::Site;
use crate::config;
use crate::paths::Paths;
use crate::service::process::tie_to_parent;
use crate::systemd;
use clap::Parser;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

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
    let port = match (web.enabled, web.gateway_enabled) {
        (true, _) => web.port,
        (false, true) => web.gateway_port,
        (false, false) => {
            log::error!(
                "web-service: there is nothing to serve; write enabled = true in the section [web] of {}",
                paths.config.display()
            );
            return ExitCode::from(EXIT_SETTINGS);
        }
    };
    let gateway = match web.gateway_enabled {
        true => match bind(web.gateway_port, &paths) {
            Ok(listener) => Some(listener),
            Err(code) => return code,
        },
        false => None,
    };
    let page = match web.enabled {
        true => match bind(port, &paths) {
            Ok(listener) => Some(listener),
            Err(code) => return code,
        },
        false => None,
    };
    systemd::ready("serves this machine");
    let control = paths.control();
    let serving = match (page, gateway) {
        (Some(page), Some(gateway)) => {
            let socket = control.clone();
            let spawned = std::thread::Builder::new()
                .name("gateway".into())
                .spawn(move || {
                    let error = super::gateway::serve(&gateway, socket).err();
                    log::error!("web-service: the gateway failed: {error:?}");
                    // Half of it would look alive.
                    std::process::exit(i32::from(EXIT_SOCKET));
                });
            match spawned {
                Ok(_) => serve_page(&page, web.port, &control),
                Err(error) => Err(error),
            }
        }
        (Some(page), None) => serve_page(&page, web.port, &control),
        (None, Some(gateway)) => super::gateway::serve(&gateway, control),
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

fn serve_page(listener: &TcpListener, port: u16, control: &Path) -> io::Result<()> {
    let site = Site::new(Daemon::new(control), port);
    let settings = Settings {
        max_body_len: MAX_BODY_LEN,
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
