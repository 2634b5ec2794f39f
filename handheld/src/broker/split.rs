//! The split: one process before, two after.

use std::io;
use std::os::fd::AsFd;
use std::process::exit;
use std::thread;

use nix::sys::signal::{SigSet, Signal};
use nix::unistd::ForkResult;

use super::Settings;
use super::client::Broker;
use super::line::Line;
use super::serve::Shop;
use crate::platform::confine;

/// Forks the broker. The process that was started stays the app, so that whoever waits for it and whoever signals it finds the app.
///
/// # Errors
/// A sentence: what keeps it from starting.
pub fn split(settings: &Settings) -> Result<Broker, String> {
    let failed = |error: io::Error| format!("the link's own process cannot be started: {error}");
    let (near, far) = Line::pair().map_err(failed)?;
    match fork().map_err(failed)? {
        ForkResult::Parent { .. } => {
            drop(far);
            Ok(Broker::new(near))
        }
        ForkResult::Child => {
            drop(near);
            serve(&far, settings);
            exit(0)
        }
    }
}

/// Forks this process, which must have one thread.
///
/// # Errors
/// It has more, or the system has no room for another process.
pub fn fork() -> io::Result<ForkResult> {
    let threads = std::fs::read_dir("/proc/self/task").map_or(1, Iterator::count);
    if threads != 1 {
        return Err(io::Error::other(format!("{threads} threads run already")));
    }
    // SAFETY: fork(2) leaves a lock that another thread holds locked for ever in the child. There is no other thread: they were
    // counted above, and only a thread of this process could start one since. No crate offers this without `unsafe`; running the
    // program again instead would load it and SDL's libraries twice.
    #[expect(
        unsafe_code,
        reason = "the broker has to be a process, and this one has one thread"
    )]
    let forked = unsafe { nix::unistd::fork() };
    Ok(forked?)
}

/// The broker's life.
fn serve(line: &Line, settings: &Settings) {
    // What ends the app must leave time to put the radio back; the end of the line ends this process then. It holds no pipe
    // whose reader would wait for it.
    let mut ends = SigSet::empty();
    for signal in [
        Signal::SIGINT,
        Signal::SIGTERM,
        Signal::SIGHUP,
        Signal::SIGQUIT,
    ] {
        ends.add(signal);
    }
    if let Err(error) = ends.thread_block() {
        log::debug!("signals end the broker: {error}");
    }
    if let Ok(nowhere) = std::fs::File::options()
        .read(true)
        .write(true)
        .open("/dev/null")
    {
        let _ = nix::unistd::dup2_stdin(nowhere.as_fd());
        let _ = nix::unistd::dup2_stdout(nowhere.as_fd());
    }
    if let Err(error) = nix::sys::prctl::set_name(c"officeos-broker") {
        log::debug!("the broker has the app's name: {error}");
    }
    let shop = Shop::open(settings.clone());
    let layers = confine::broker(shop.run());
    if let Some(why) = layers.lack() {
        log::warn!("the broker is not confined as it should be: {why}");
    }
    shop.serve(line);
}

/// A broker in a thread of this process, without a confinement: for tests of what asks it.
///
/// # Panics
/// The system has no descriptors left.
#[must_use]
pub fn in_thread(settings: Settings) -> Broker {
    #[expect(clippy::expect_used, reason = "tests end here")]
    let (near, far) = Line::pair().expect("descriptors");
    thread::spawn(move || Shop::open(settings).serve(&far));
    Broker::new(near)
}
