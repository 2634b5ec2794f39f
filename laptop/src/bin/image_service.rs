//! The image service process: holds keys, speaks HTTP to painters, answers the daemon only.

use std::process::ExitCode;

use laptop::picture::painter::Painter;
use laptop::picture::service::ImageService;
use laptop::service::process::{self, Settings};

fn main() -> ExitCode {
    process::run(process::IMAGE, Settings::Providers, |config| {
        Ok(ImageService::new(config, Painter::from_env()?))
    })
}
