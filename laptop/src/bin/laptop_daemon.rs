//! laptop-daemon: does the work that paired handhelds ask for.

use clap::Parser;
use laptop::daemon::{Arguments, run};
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("info")).init();
    run(&arguments)
}
