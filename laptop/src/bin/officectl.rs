//! officectl: watches and decides what paired handhelds may do.

use clap::Parser;
use laptop::cli::{Arguments, Exit, run};

fn main() -> Exit {
    run(&Arguments::parse())
}
