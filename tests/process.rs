//! Other processes: who is whose child, and signals. From `/proc` and system calls, so that no tool has to be there.

#![allow(dead_code)] // Each run uses its own part.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs;

/// Children of `parent`, with the names of their programs as the kernel keeps them (15 characters).
pub fn children(parent: u32) -> Vec<(u32, String)> {
    let all = fs::read_dir("/proc").expect("/proc").flatten();
    let pids = all.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter_map(|pid| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // "pid (name) state ppid ...": the name may hold anything, so the last bracket counts.
        let (head, tail) = stat.rsplit_once(')')?;
        let mut fields = tail.split_whitespace();
        let (state, ppid) = (fields.next()?, fields.next()?);
        let name = head.split_once('(')?.1.to_owned();
        (ppid == parent.to_string() && state != "Z").then_some((pid, name))
    })
    .collect()
}

/// Ends a process as a crash would. One that is gone already is just what was wanted.
pub fn crash(pid: u32) {
    tell(pid, Signal::SIGKILL);
}

/// Asks a process to end.
pub fn terminate(pid: u32) {
    tell(pid, Signal::SIGTERM);
}

fn tell(pid: u32, signal: Signal) {
    // Zero is no process, but all of this group.
    if pid != 0 {
        let _ = kill(Pid::from_raw(pid as i32), signal);
    }
}

/// Stops a process where it is, as suspending its machine does, or lets it go on.
pub fn freeze(pid: u32, frozen: bool) {
    let signal = if frozen {
        Signal::SIGSTOP
    } else {
        Signal::SIGCONT
    };
    tell(pid, signal);
}

/// Milliseconds of processor time that a process has had, in steps of ten.
pub fn processor_ms(pid: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let (_, rest) = stat.rsplit_once(')').unwrap_or_default();
    let ticks = rest.split_whitespace().skip(11).take(2);
    ticks.filter_map(|n| n.parse::<f64>().ok()).sum::<f64>() * 10.0
}
