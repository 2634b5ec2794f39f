//! The shell of link-service: arguments, sockets, one daemon at a time per connection.

use super::{Carrier, send};
use crate::control::peer;
use clap::Parser;
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;

/// Exit code for wrong arguments or settings; starting again would not help.
const EXIT_SETTINGS: u8 = 78;
/// Exit code for a socket that cannot be made.
const EXIT_SOCKET: u8 = 71;

/// Arguments of link-service.
#[derive(Debug, Parser)]
#[command(
    name = "link-service",
    version,
    about = "Opens carriers for OfficeOS and hands them to laptop-daemon"
)]
pub struct Arguments {
    /// Where laptop-daemon asks for the listening socket
    #[arg(long, value_name = "PATH")]
    socket: PathBuf,
    /// Carrier: loopback or tcp; by default the one that fits the address
    #[arg(long, value_name = "NAME")]
    carrier: Option<String>,
    /// Address to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    bind_address: IpAddr,
    /// Port to listen on; 0 lets the system choose
    #[arg(long, value_name = "PORT", default_value_t = 8080)]
    bind_port: u16,
    /// User id that may ask beside this process' own; may be repeated
    #[arg(long, value_name = "UID")]
    allow_uid: Vec<u32>,
    /// End when the parent process ends
    #[arg(long)]
    child: bool,
}

/// Opens the carrier and hands it to whoever may have it, until the socket fails.
pub fn run(arguments: &Arguments) -> ExitCode {
    if arguments.child && !crate::service::process::tie_to_parent() {
        return ExitCode::SUCCESS;
    }
    let carrier = match Carrier::open(
        arguments.carrier.as_deref(),
        arguments.bind_address,
        arguments.bind_port,
    ) {
        Ok(carrier) => carrier,
        Err(error) => {
            log::error!("link-service: {error}");
            return ExitCode::from(EXIT_SETTINGS);
        }
    };
    let own = nix::unistd::geteuid().as_raw();
    let mut allowed = vec![own];
    allowed.extend(&arguments.allow_uid);
    let listener = match crate::ipc::bind(&arguments.socket, allowed.iter().any(|uid| *uid != own))
    {
        Ok(listener) => listener,
        Err(error) => {
            log::error!(
                "link-service: cannot listen at {}: {error}",
                arguments.socket.display()
            );
            return ExitCode::from(EXIT_SOCKET);
        }
    };
    log::info!(
        "link-service: carrier {} on {}",
        carrier.kind.name(),
        carrier.address
    );
    let mut holders = Vec::new();
    for stream in listener.incoming() {
        let stream = match stream {
            Ok(stream) => stream,
            Err(error) => {
                log::error!("link-service: the socket failed: {error}");
                return ExitCode::from(EXIT_SOCKET);
            }
        };
        if let Err(error) = peer::check(&stream, &allowed) {
            log::warn!("link-service: {error}");
            continue;
        }
        match send(&stream, &carrier) {
            // Kept open: the daemon learns from its end that this process has gone. One daemon, and one that replaces it.
            Ok(()) => {
                holders.push(stream);
                if holders.len() > 2 {
                    holders.remove(0);
                }
            }
            Err(error) => log::warn!("link-service: the socket could not be handed over: {error}"),
        }
    }
    ExitCode::SUCCESS
}
