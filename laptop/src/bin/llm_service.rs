//! The language service process: holds keys, speaks HTTP to model servers, answers the daemon only.

use std::process::ExitCode;

use laptop::llm::builtin::Partner;
use laptop::llm::service::LanguageService;
use laptop::service::process::{self, Settings};

fn main() -> ExitCode {
    process::run(process::LANGUAGE, Settings::Providers, |config| {
        Ok(LanguageService::new(config, Partner::from_env()?))
    })
}
