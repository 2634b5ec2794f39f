//! What runs inside the machine of the input tests; `tests/input/run` boots it. Each scenario makes devices up through uinput, with the
//! names and codes of real ones, and asks the real program what it saw.
//!
//! - `pads [SCENARIO...]`: everything, or some of it; `pads list`;
//! - `pads fall FOLDER`: falls over, as a defect would.

// A test says what it expected and ends.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod device;
mod pocket;
mod rows;
mod scenarios;

use std::process::ExitCode;
use std::time::Instant;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let ["fall", folder] = arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        return fall(folder);
    }
    if arguments.first().is_some_and(|word| word == "list") {
        for (name, _) in scenarios::ALL {
            println!("{name}");
        }
        return ExitCode::SUCCESS;
    }
    let mut failed = 0;
    for (name, play) in scenarios::ALL {
        if !arguments.is_empty() && !arguments.iter().any(|wanted| wanted == name) {
            continue;
        }
        let begun = Instant::now();
        // In a thread of its own, so that one that fails does not end the others.
        let played = std::thread::Builder::new()
            .name((*name).into())
            .spawn(play)
            .unwrap()
            .join();
        let ms = begun.elapsed().as_millis();
        match played {
            Ok(()) => println!("ok      {name}  {ms} ms"),
            Err(_) => {
                println!("FAILED  {name}  {ms} ms");
                failed += 1;
            }
        }
    }
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// A thread falls over under the app's own watch, and nothing ends this process but that.
fn fall(folder: &str) -> ExitCode {
    handheld::runtime::crash::watch(std::path::Path::new(folder));
    let thread = std::thread::Builder::new().name("stage".into());
    let _ = thread
        .spawn(|| panic!("{}", "a line\nand a 'secret'"))
        .unwrap()
        .join();
    std::thread::sleep(std::time::Duration::from_secs(60));
    ExitCode::SUCCESS
}
