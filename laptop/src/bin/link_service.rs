//! link-service: opens carriers and hands their listening sockets to laptop-daemon.

use clap::Parser;
use laptop::link::{Arguments, run};
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("info")).init();
    run(&arguments)
}
