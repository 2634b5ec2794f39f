//! SIGTERM, SIGHUP and SIGINT: whoever sends them wants the app to end. It saves, says farewell and ends, as when the person quits.

use std::sync::atomic::{AtomicBool, Ordering};

use nix::sys::signal::{SigSet, Signal};
use smol::channel::Sender;

use super::{PlatformError, PlatformEvent};

/// The signals that ask for the end.
fn wanted() -> SigSet {
    [Signal::SIGTERM, Signal::SIGHUP, Signal::SIGINT]
        .into_iter()
        .collect()
}

/// Keeps them for [`wait`]. Call it before any other thread is begun: each inherits it.
///
/// # Errors
/// The kernel refuses, which it never does with these.
pub fn hold() -> Result<(), PlatformError> {
    wanted()
        .thread_block()
        .map_err(|error| PlatformError::Input(error.into()))
}

/// Waits for one of them and asks the runtime to end, in a hurry; a second one ends the process at once.
pub fn wait(events: &Sender<PlatformEvent>, hurry: &AtomicBool) {
    let wanted = wanted();
    if let Ok(signal) = wanted.wait() {
        log::info!("ending by {signal}");
        hurry.store(true, Ordering::SeqCst);
        // A runtime that has ended already needs no asking.
        let _ = events.send_blocking(PlatformEvent::Close);
    }
    if let Ok(signal) = wanted.wait() {
        std::process::exit(128 + signal as i32);
    }
}
