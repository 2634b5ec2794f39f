//! The fetch service process: downloads for the daemon, holds no keys.

use std::process::ExitCode;

use laptop::fetch::service::FetchService;
use laptop::service::process::{self, Settings};

fn main() -> ExitCode {
    process::run(
        "fetch-service",
        "Downloads for the OfficeOS daemon what its allow-list permits",
        Settings::None,
        |_| Ok(FetchService),
    )
}
