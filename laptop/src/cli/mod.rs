//! `officectl`: what a person types to see and decide.
//!
//! Holds no authority of its own: everything goes through the control socket. Text that came from devices or providers
//! is escaped wherever it is printed.

mod caller;
mod device;
mod exit;
mod format;
mod ledger;
mod pair;
mod request;
mod system;

pub use exit::Exit;

use crate::control::Client;
use crate::paths::Paths;
use clap::{Parser, Subcommand};
use exit::CliError;
use serde::Serialize;
use std::path::PathBuf;

/// Arguments of officectl.
#[derive(Debug, Parser)]
#[command(
    name = "officectl",
    version,
    about = "Watches and decides what paired handhelds may do on this laptop",
    after_help = Exit::HELP
)]
pub struct Arguments {
    /// Home folder of the laptop-daemon to talk to; by default $OFFICEOS_HOME, the system's, or ~/.local/share/officeos
    #[arg(long, global = true, value_name = "DIR")]
    home: Option<PathBuf>,
    /// Print JSON instead of tables
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show how the daemon and its services are
    Status,
    /// Pair a handheld: opens the window for two minutes and asks for the digits it shows
    Pair(pair::Arguments),
    /// List paired handhelds
    Devices {
        /// Also list revoked ones
        #[arg(long)]
        all: bool,
    },
    /// Show one device: permissions, limits and use
    Show {
        /// Number or name
        device: String,
    },
    /// Give a device another name
    Rename {
        /// Number or name
        device: String,
        /// The new name
        name: String,
    },
    /// Set what a device may do: one operation at a time
    Permit {
        /// Number or name
        device: String,
        /// An operation such as chat, generate or put
        operation: String,
        /// deny, ask or allow
        #[arg(value_parser = ["deny", "ask", "allow"])]
        rule: String,
    },
    /// Set the limits of a device; those not named stay
    Limit(device::LimitArguments),
    /// End a pairing for good, at once
    Revoke {
        /// Number or name
        device: String,
    },
    /// Extend a pairing
    Renew {
        /// Number or name
        device: String,
        /// Days from now; by default as daemon.toml says
        #[arg(long)]
        days: Option<u32>,
    },
    /// Programs of this laptop that ask through the gateway: their keys, permissions and limits
    #[command(subcommand)]
    Callers(caller::Command),
    /// List requests that wait for an answer
    Pending,
    /// Let a waiting request run
    Approve {
        /// Its number
        id: u64,
    },
    /// Refuse a waiting request
    Deny {
        /// Its number
        id: u64,
    },
    /// Show what happens, as it happens
    Watch,
    /// List the models that devices are offered
    Models,
    /// The record of who asked for what, the verdict, the cost and the outcome
    #[command(subcommand)]
    Ledger(ledger::Command),
    /// Check the settings files
    Check,
}

/// Runs one command and says how it ended.
pub fn run(arguments: &Arguments) -> Exit {
    match carry_out(arguments) {
        Ok(()) => Exit::Done,
        Err(error) => {
            // Pipes that close early, as with `head`, are no failure worth words.
            if error.exit != Exit::Done {
                eprintln!("officectl: {}", error.message);
            }
            error.exit
        }
    }
}

fn carry_out(arguments: &Arguments) -> Result<(), CliError> {
    // A copy is read by whoever has it, with no daemon.
    if let Command::Ledger(ledger::Command::Verify(verify)) = &arguments.command
        && !verify.files.is_empty()
    {
        return ledger::verify_files(verify, arguments.json);
    }
    let paths = Paths::find(arguments.home.as_deref()).ok_or_else(|| {
        CliError::new(Exit::Usage, "no home folder is known; name one with --home")
    })?;
    let client = Client::connect(&paths.control())?;
    let mut talk = Talk {
        client,
        json: arguments.json,
    };
    match &arguments.command {
        Command::Status => system::status(&mut talk),
        Command::Pair(pair) => pair::run(&mut talk, pair),
        Command::Devices { all } => device::list(&mut talk, *all),
        Command::Show { device } => device::show(&mut talk, device),
        Command::Rename { device, name } => device::rename(&mut talk, device, name),
        Command::Permit {
            device,
            operation,
            rule,
        } => device::permit(&mut talk, device, operation, rule),
        Command::Limit(limit) => device::limit(&mut talk, limit),
        Command::Revoke { device } => device::revoke(&mut talk, device),
        Command::Renew { device, days } => device::renew(&mut talk, device, *days),
        Command::Callers(command) => caller::run(&mut talk, command),
        Command::Pending => request::pending(&mut talk),
        Command::Approve { id } => request::answer(&mut talk, *id, true, false),
        Command::Deny { id } => request::answer(&mut talk, *id, false, false),
        Command::Watch => request::watch(talk),
        Command::Models => system::models(&mut talk),
        Command::Ledger(command) => ledger::run(&mut talk, command),
        Command::Check => system::check(&mut talk),
    }
}

/// A connection and how to print.
struct Talk {
    client: Client,
    json: bool,
}

impl Talk {
    fn call<T: serde::de::DeserializeOwned>(
        &mut self,
        method: &str,
        params: impl Serialize,
    ) -> Result<T, CliError> {
        let params = serde_json::to_value(params).map_err(CliError::internal)?;
        let answer = self.client.call(method, params)?;
        serde_json::from_value(answer).map_err(CliError::internal)
    }

    /// Prints JSON where it was asked for; otherwise what `plain` makes.
    fn print<T: Serialize>(
        &self,
        answer: &T,
        plain: impl FnOnce(&T) -> String,
    ) -> Result<(), CliError> {
        let text = if self.json {
            serde_json::to_string_pretty(answer).map_err(CliError::internal)?
        } else {
            plain(answer)
        };
        format::line(text.trim_end_matches('\n'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_are_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn there_is_no_rule_and_no_operation_for_everything() {
        assert!(Arguments::try_parse_from(["officectl", "permit", "1", "chat", "allow"]).is_ok());
        assert!(Arguments::try_parse_from(["officectl", "permit", "1", "chat", "always"]).is_err());
        assert!(Arguments::try_parse_from(["officectl", "permit", "1", "allow"]).is_err());
    }

    #[test]
    fn a_missing_daemon_has_an_exit_code_of_its_own() {
        let temp = crate::store::testing::TempFolder::new("no-daemon");
        let home = temp.0.display().to_string();
        let arguments = Arguments::parse_from(["officectl", "--home", &home, "status"]);
        assert_eq!(run(&arguments), Exit::Unreachable);
    }
}
