//! The image service process: holds keys, speaks HTTP to painters, answers the daemon only.

use std::process::ExitCode;

use laptop::picture::painter::Painter;
use laptop::picture::service::ImageService;
use laptop::service::process::{self, Settings};

fn main() -> ExitCode {
    process::run(
        "image-service",
        "Answers the OfficeOS daemon with pictures from image models",
        Settings::Providers,
        |config| Ok(ImageService::new(config, Painter::from_env()?)),
    )
}
