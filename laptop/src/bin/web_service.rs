//! web-service: the page and the control API, on loopback. Holds no keys.

use clap::Parser;
use laptop::web::{Arguments, run};
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    laptop::journal::start();
    run(&arguments)
}
