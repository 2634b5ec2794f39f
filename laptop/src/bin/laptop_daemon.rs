//! laptop-daemon: does the work that paired handhelds ask for.

use clap::Parser;
use laptop::daemon::{Arguments, run};
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match arguments.log_file() {
        Some(file) => laptop::journal::start_with(file),
        None => laptop::journal::start(),
    }
    run(&arguments)
}
