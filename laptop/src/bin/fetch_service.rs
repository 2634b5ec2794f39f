//! The fetch service process: downloads for the daemon, holds no keys.

use std::process::ExitCode;

use laptop::fetch::service::FetchService;
use laptop::service::process::{self, Settings};

fn main() -> ExitCode {
    process::run(process::FETCH, Settings::None, |_| Ok(FetchService))
}
