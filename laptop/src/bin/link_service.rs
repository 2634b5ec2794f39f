//! link-service: opens carriers and hands their listening sockets to laptop-daemon.

use clap::Parser;
use laptop::link::{Arguments, run};
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    laptop::journal::start();
    run(&arguments)
}
