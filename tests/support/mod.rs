//! Real processes for end-to-end runs: a laptop in a folder of its own, handhelds that are driven by buttons,
//! providers that count what they are asked, and a link that can be cut.

#![allow(dead_code)] // Each run uses its own part.

pub mod ctl;
pub mod cutter;
pub mod disk;
pub mod laptop;
pub mod pocket;
// Runs use the two together and apart.
#[allow(clippy::duplicate_mod)]
#[path = "../process.rs"]
pub mod process;
pub mod provider;
pub mod web;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Longest wait for anything: a machine that is busy with other tests is slow, not broken.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A program of this workspace, built beside this one.
pub fn program(name: &str) -> PathBuf {
    let own = std::env::current_exe().expect("this program has a path");
    let found = own
        .ancestors()
        .map(|folder| folder.join(name))
        .find(|path| path.is_file());
    found.unwrap_or_else(|| panic!("{name} is not built; run: cargo build --workspace --bins"))
}

/// How programs are started: as they are, or by others such as `ip netns exec NAME`.
#[derive(Clone, Debug, Default)]
pub struct Through(pub Vec<String>);

impl Through {
    /// The program of this workspace, started this way.
    pub fn command(&self, name: &str) -> std::process::Command {
        let program = program(name);
        match self.0.split_first() {
            None => std::process::Command::new(program),
            Some((first, rest)) => {
                let mut command = std::process::Command::new(first);
                command.args(rest).arg(program);
                command
            }
        }
    }
}

/// A folder that goes away with its owner.
pub struct Folder(PathBuf);

impl Folder {
    /// A fresh one.
    pub fn new(name: &str) -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        // Sockets lie below it, and their paths may have 107 octets only.
        let path = std::env::temp_dir().join(format!("oos-{}-{number}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).expect("a folder for the run");
        Self(path)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if std::env::var_os("OFFICEOS_KEEP").is_none() {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}

/// Looks again and again until `look` finds something. For states of other processes that announce nothing.
pub fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < until, "waited in vain for {what}");
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

/// Pseudo-random numbers of a seed that a failing run prints (xorshift64*).
pub struct Random(u64);

impl Random {
    /// The seed of `OFFICEOS_SEED`, or a fixed one.
    pub fn new() -> Self {
        let seed = std::env::var("OFFICEOS_SEED")
            .ok()
            .and_then(|text| text.parse().ok())
            .unwrap_or(0x0ff1_ce05);
        println!("OFFICEOS_SEED={seed}");
        Self::of(seed)
    }

    /// Those of `seed`.
    pub fn of(seed: u64) -> Self {
        // Zero would stay zero.
        Self(seed.wrapping_mul(2) | 1)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % bound.max(1)
    }
}
