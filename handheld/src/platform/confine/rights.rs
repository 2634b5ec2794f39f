//! Capabilities (capabilities(7)) and no_new_privs (prctl(2)).

use std::fs;

use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, capability_is_in_bounding_set,
    clear_ambient_capability_set, remove_capability_from_bounding_set, set_capabilities,
    set_no_new_privs,
};

/// Drops every capability of this thread but these, from all five sets, and any way to new ones. Those to keep that it does not
/// have stay missing.
///
/// # Errors
/// What the kernel refused, in words.
pub fn drop_all_but(kept: CapabilitySet) -> Result<(), String> {
    let failed = |what: &str, error: rustix::io::Errno| format!("{what}: {error}");
    set_no_new_privs(true).map_err(|e| failed("new privileges can't be ruled out", e))?;
    for number in 0..64 {
        let one = CapabilitySet::from_bits_retain(1 << number);
        match capability_is_in_bounding_set(one) {
            // Behind the last one that this kernel knows.
            Err(_) => break,
            Ok(false) => {}
            Ok(true) if kept.contains(one) => {}
            // Without the right to do so it stays, and means nothing: the set only matters to a program that is run.
            Ok(true) => drop(remove_capability_from_bounding_set(one)),
        }
    }
    // Kernels before 4.3 have no such set.
    let _ = clear_ambient_capability_set();
    let had = capabilities(None).map_err(|e| failed("capabilities can't be read", e))?;
    let sets = CapabilitySets {
        effective: had.effective & kept,
        permitted: had.permitted & kept,
        inheritable: CapabilitySet::empty(),
    };
    set_capabilities(None, sets).map_err(|e| failed("capabilities can't be dropped", e))
}

/// Lets no process of the same user look into this one or trace it (PR_SET_DUMPABLE).
///
/// # Errors
/// What the kernel refused, in words.
pub fn hide() -> Result<(), String> {
    nix::sys::prctl::set_dumpable(false).map_err(|e| format!("memory can't be hidden: {e}"))
}

/// What the kernel says of a thread (`/proc/PID/task/TID/status`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// `NoNewPrivs`.
    pub no_new_privs: bool,
    /// `Seccomp`: 2 with a filter; `None` where the kernel knows no such line.
    pub seccomp: Option<u8>,
    /// `CapInh`, `CapPrm`, `CapEff`, `CapAmb`, or'ed.
    pub capabilities: u64,
    /// `CapBnd`.
    pub bounding: u64,
}

impl Status {
    /// Reads the lines of such a file.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let mut status = Self::default();
        for line in text.lines() {
            let Some((name, value)) = line.split_once(':') else {
                continue;
            };
            let value = value.trim();
            // What can't be read counts as held.
            let bits = || u64::from_str_radix(value, 16).unwrap_or(u64::MAX);
            match name {
                "NoNewPrivs" => status.no_new_privs = value == "1",
                "Seccomp" => status.seccomp = value.parse().ok(),
                "CapInh" | "CapPrm" | "CapEff" | "CapAmb" => status.capabilities |= bits(),
                "CapBnd" => status.bounding = bits(),
                _ => {}
            }
        }
        status
    }

    /// Every thread of this process.
    #[must_use]
    pub fn of_threads() -> Vec<Self> {
        let tasks = fs::read_dir("/proc/self/task").into_iter().flatten();
        let texts = tasks
            .flatten()
            .filter_map(|task| fs::read_to_string(task.path().join("status")).ok());
        texts.map(|text| Self::read(&text)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_read_and_what_is_no_number_counts_as_held() {
        let text = "Name:\tx\nCapInh:\t0000000000000000\nCapPrm:\t0000000000003000\nCapEff:\t0\nCapBnd:\t1ff\nCapAmb:\t0\nNoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t3\n";
        let status = Status {
            no_new_privs: true,
            seccomp: Some(2),
            capabilities: 0x3000,
            bounding: 0x1ff,
        };
        assert_eq!(Status::read(text), status);
        assert_eq!(Status::read("CapEff:\tx").capabilities, u64::MAX);
        assert_eq!(Status::read("").seccomp, None);
        assert!(!Status::of_threads().is_empty());
    }
}
