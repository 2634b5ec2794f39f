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
    let threads = std::fs::read_to_string("/proc/self/stat")
        .ok()
        .and_then(|stat| threads(&stat))
        .unwrap_or(1);
    if threads > 1 {
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

/// How many threads a process has, by its line in `/proc/PID/stat` (proc(5), field 20). A user emulator, whose own threads are not the
/// program's, says nought there, and what `/proc/self/task` counts would be its own.
fn threads(stat: &str) -> Option<usize> {
    // The second field is the program's name in brackets, and may hold anything.
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_ascii_whitespace().nth(17)?.parse().ok()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_are_counted_as_the_kernel_says() {
        let line = "812 (a) 7 (b) S 1 812 812 0 -1 4194304 99 0 0 0 1 2 3 4 20 0 3 0 12345 1 2";
        assert_eq!(threads(line), Some(3));
        assert_eq!(threads("26476 (t.arm) 0 26411 0 0"), None);
        assert_eq!(threads(""), None);
        let emulated = format!("26476 (t.arm) 0 26411{}", " 0".repeat(48));
        assert_eq!(threads(&emulated), Some(0));
    }

    #[test]
    fn a_process_with_two_threads_is_not_forked() {
        // The test's runner is one, this the other. An emulator does not tell.
        let told = std::fs::read_to_string("/proc/self/stat").unwrap();
        if threads(&told) == Some(0) {
            return;
        }
        let refused = fork().err().map(|error| error.to_string());
        assert!(refused.is_some_and(|why| why.contains("threads run already")));
    }
}
