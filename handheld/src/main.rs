//! The handheld app.

use std::process::ExitCode;

use handheld::runtime::options::{Parsed, parse};
use handheld::runtime::{audit, run};

fn main() -> ExitCode {
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("warn"))
        .format_timestamp_millis()
        .init();
    let failed = match parse(std::env::args_os().skip(1)) {
        Ok(Parsed::Print(text)) => {
            print!("{text}");
            return ExitCode::SUCCESS;
        }
        Ok(Parsed::Run(options)) => match run(&options) {
            Ok(()) => return ExitCode::SUCCESS,
            Err(error) => error,
        },
        Ok(Parsed::Audit(options)) => match audit::run(&options) {
            Ok(true) => return ExitCode::SUCCESS,
            Ok(false) => return ExitCode::FAILURE,
            Err(error) => error,
        },
        Err(error) => error,
    };
    eprintln!("officeos-handheld: {failed}");
    ExitCode::FAILURE
}
