//! officeos-agent: asks on the desktop what paired handhelds may do.

use clap::Parser;
use laptop::agent::{Arguments, run};
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    laptop::journal::start();
    run(&arguments)
}
