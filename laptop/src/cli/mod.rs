//! `officectl`: what a person types to see and decide.
//!
//! Holds no authority of its own: everything that a daemon does goes through the control socket, and settings are files
//! that their owner may write. Text that came from devices or providers
//! is escaped wherever it is printed.

mod caller;
mod config;
mod device;
mod doctor;
mod exit;
mod file;
mod format;
mod ledger;
mod logs;
mod page;
mod pair;
mod request;
mod service;
mod setup;
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
    /// How to print: for people, or for programs
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "FORMAT",
        default_value = "table"
    )]
    format: Format,
    /// The same as --format json
    #[arg(long, global = true, conflicts_with = "format")]
    json: bool,
    /// Print no words: the exit code says how it ended
    #[arg(short, long, global = true)]
    quiet: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Set the laptop up: questions on a terminal, or flags
    Setup(setup::Arguments),
    /// Look at everything in one go, and say what mends what is wrong
    Doctor,
    /// Show how the daemon and its services are
    Status,
    /// Pair a handheld: opens the window for two minutes and asks for the digits it shows
    Pair(pair::Arguments),
    /// Paired handhelds, what they may do and what they did
    Devices(device::Arguments),
    /// The short forms of `devices show` and so on
    #[command(flatten)]
    Device(device::Short),
    /// Programs of this laptop that ask through the gateway: their keys, permissions and limits
    #[command(subcommand)]
    Callers(caller::Command),
    /// List requests that wait for an answer
    Pending,
    /// Let a waiting request run
    Approve {
        /// Its number
        id: u64,
        /// And let the device do these operations without asking from now on
        #[arg(long)]
        always: bool,
    },
    /// Refuse a waiting request
    Deny {
        /// Its number
        id: u64,
    },
    /// Show what happens, as it happens
    Watch,
    /// Services and their providers
    Services(service::Arguments),
    /// Models that devices are offered
    Models(service::ModelArguments),
    /// Files in a device's drop folder
    #[command(subcommand)]
    Files(file::Command),
    /// Open the local page in the browser, or print its address
    Page(page::Arguments),
    /// Tokens for programs that use the control API on loopback
    #[command(subcommand)]
    Tokens(page::Tokens),
    /// The record of who asked for what, the verdict, the cost and the outcome
    #[command(subcommand)]
    Ledger(ledger::Command),
    /// What the daemon and its services have logged
    Logs(logs::Arguments),
    /// The settings files
    #[command(subcommand)]
    Config(config::Command),
    /// Print counts in Prometheus' text format, for its text file collector
    Metrics,
    /// Check the settings files
    #[command(hide = true)]
    Check,
}

impl Arguments {
    fn out(&self) -> Out {
        Out {
            format: if self.json { Format::Json } else { self.format },
            quiet: self.quiet,
        }
    }
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
    let out = arguments.out();
    // A copy is read by whoever has it, with no daemon.
    if let Command::Ledger(ledger::Command::Verify(verify)) = &arguments.command
        && !verify.files.is_empty()
    {
        return ledger::verify_files(verify, out.format != Format::Table);
    }
    let paths = Paths::find(arguments.home.as_deref()).ok_or_else(|| {
        CliError::new(Exit::Usage, "no home folder is known; name one with --home")
    })?;
    // These do what they can where no daemon runs.
    match &arguments.command {
        Command::Setup(setup) => return setup::run(&paths, out, setup),
        Command::Doctor => return doctor::run(&paths, out),
        Command::Logs(logs) => return logs::run(&paths, logs),
        Command::Config(command) => return config::run(&paths, out, command),
        Command::Check => return config::check(&paths, out, None),
        Command::Services(services) if services.is_change() => {
            return service::change(&paths, out, services);
        }
        _ => {}
    }
    let mut talk = Talk::connect(&paths, out)?;
    match &arguments.command {
        Command::Status => system::status(&mut talk),
        Command::Pair(pair) => pair::run(&mut talk, pair),
        Command::Devices(devices) => device::run(&mut talk, devices),
        Command::Device(device::Short(command)) => device::one(&mut talk, command),
        Command::Callers(command) => caller::run(&mut talk, command),
        Command::Pending => request::pending(&mut talk),
        Command::Approve { id, always } => request::answer(&mut talk, *id, true, *always),
        Command::Deny { id } => request::answer(&mut talk, *id, false, false),
        Command::Watch => request::watch(talk),
        Command::Services(services) => service::run(&mut talk, services),
        Command::Models(models) => service::models(&mut talk, models),
        Command::Files(command) => file::run(&mut talk, command),
        Command::Page(arguments) => page::open(&mut talk, arguments),
        Command::Tokens(command) => page::tokens(&mut talk, command),
        Command::Metrics => system::metrics(&mut talk),
        Command::Ledger(command) => ledger::run(&mut talk, command),
        Command::Setup(_)
        | Command::Doctor
        | Command::Logs(_)
        | Command::Config(_)
        | Command::Check => Ok(()),
    }
}

/// How answers are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people
    Table,
    /// For programs
    Json,
    /// For both
    Yaml,
}

/// Where answers go.
#[derive(Debug, Clone, Copy)]
struct Out {
    format: Format,
    quiet: bool,
}

impl Out {
    /// Prints what was asked for; in words, what `plain` makes.
    fn print<T: Serialize>(
        self,
        answer: &T,
        plain: impl FnOnce(&T) -> String,
    ) -> Result<(), CliError> {
        let text = match self.format {
            Format::Table if self.quiet => return Ok(()),
            Format::Table => plain(answer),
            Format::Json => serde_json::to_string_pretty(answer).map_err(CliError::internal)?,
            Format::Yaml => {
                format::yaml(&serde_json::to_value(answer).map_err(CliError::internal)?)
            }
        };
        format::line(text.trim_end_matches('\n'))
    }
}

/// How long a daemon that serves may take to say anything: other programs may keep the processors busy.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(20);

/// A connection and how to print.
struct Talk {
    client: Client,
    out: Out,
    /// Whether the answer is for programs, so that nothing else may be printed.
    json: bool,
}

/// Whether no daemon runs. One that answers nobody yet does.
fn nobody_runs(paths: &Paths) -> bool {
    use std::io::ErrorKind::{ConnectionRefused, NotFound};
    let tried = std::os::unix::net::UnixStream::connect(paths.control());
    tried.is_err_and(|error| matches!(error.kind(), NotFound | ConnectionRefused))
}

impl Talk {
    fn connect(paths: &Paths, out: Out) -> Result<Self, CliError> {
        let mut client = Client::connect(&paths.control())?;
        // One that is starting, or waits for room on its disk, has the socket already and answers nobody yet. What is asked
        // later may take its time.
        client.call_within(PATIENCE, "methods", serde_json::Value::Null)?;
        Ok(Self {
            client,
            out,
            json: out.format != Format::Table || out.quiet,
        })
    }

    fn call<T: serde::de::DeserializeOwned>(
        &mut self,
        method: &str,
        params: impl Serialize,
    ) -> Result<T, CliError> {
        let params = serde_json::to_value(params).map_err(CliError::internal)?;
        let answer = self.client.call(method, params)?;
        serde_json::from_value(answer).map_err(CliError::internal)
    }

    /// How things stand. Looked up in the store, which a disk that hangs may hold up.
    fn status(&mut self) -> Result<crate::control::api::Status, CliError> {
        let answer = self
            .client
            .call_within(PATIENCE, "status", serde_json::Value::Null)?;
        serde_json::from_value(answer).map_err(CliError::internal)
    }

    /// See [`Out::print`].
    fn print<T: Serialize>(
        &self,
        answer: &T,
        plain: impl FnOnce(&T) -> String,
    ) -> Result<(), CliError> {
        self.out.print(answer, plain)
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
