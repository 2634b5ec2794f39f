//! A disk and a clock of running processes that fail when they are told to; see `disk.c` beside this, which those processes
//! are started with.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Octets of the page that both sides map.
const PAGE_LEN: u64 = 4096;
/// Numbers of the page, by their place in `struct page`.
const ROOM: u64 = 0;
const SLOW: u64 = 1;
const FAILING: u64 = 2;
const JUMP: u64 = 3;
const DICE: u64 = 4;
const IN_VAIN: u64 = 5;
const WAITED: u64 = 6;
const REFUSED: u64 = 7;
const FAILED: u64 = 8;
const READ_ONLY: u64 = 9;

/// What fails of one or more processes.
pub struct Disk {
    page: File,
    library: PathBuf,
    path: PathBuf,
}

impl Disk {
    /// One that works, with its files in `folder`; `seed` is of its delays and failures.
    pub fn new(folder: &Path, seed: u64) -> Self {
        std::fs::create_dir_all(folder).expect("a folder for the disk");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/support/disk.c");
        let library = folder.join("disk.so");
        let compiled = Command::new(std::env::var_os("CC").unwrap_or_else(|| "cc".into()))
            .args(["-O2", "-shared", "-fPIC", "-o"])
            .args([&library, &source])
            .status()
            .expect("a C compiler, as some crates need it, too");
        assert!(compiled.success(), "{} does not build", source.display());
        let path = folder.join("disk.page");
        let page = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(&path)
            .expect("a page");
        page.set_len(PAGE_LEN).expect("a whole page");
        let disk = Self {
            page,
            library,
            path,
        };
        disk.set(DICE, seed);
        disk.mend();
        disk
    }

    /// The page of the process that this is, which was started with [`Disk::environment`]; `None` where it was not.
    pub fn of_this_process() -> Option<Self> {
        let path = PathBuf::from(std::env::var_os("OFFICEOS_DISK")?);
        let page = OpenOptions::new().read(true).write(true).open(&path).ok()?;
        Some(Self {
            page,
            library: PathBuf::new(),
            path,
        })
    }

    /// What a process is started with so that this is its disk.
    pub fn environment(&self) -> Vec<(String, String)> {
        [("LD_PRELOAD", &self.library), ("OFFICEOS_DISK", &self.path)]
            .map(|(name, path)| (name.to_owned(), path.display().to_string()))
            .to_vec()
    }

    /// From now on its files may grow by so many octets, and what is deleted or cut off, and no further.
    pub fn full_after(&self, octets: u64) {
        self.set(ROOM, octets);
    }

    /// There is room again.
    pub fn make_room(&self) {
        self.set(ROOM, u64::MAX);
    }

    /// What is forced to it takes up to so long, other writes up to an eighth of that.
    pub fn slow(&self, most: Duration) {
        self.set(SLOW, u64::try_from(most.as_micros()).unwrap_or(u64::MAX));
    }

    /// Of a thousand forced writes so many fail.
    pub fn fail(&self, of_thousand: u64) {
        self.set(FAILING, of_thousand);
    }

    /// Nothing can be written to it from now on, or it can again.
    pub fn read_only(&self, is: bool) {
        self.set(READ_ONLY, u64::from(is));
    }

    /// All of it works again, but the clock.
    pub fn mend(&self) {
        self.read_only(false);
        self.make_room();
        self.slow(Duration::ZERO);
        self.fail(0);
    }

    /// Sets the time of day so many seconds off.
    pub fn jump(&self, seconds: i64) {
        self.set(JUMP, seconds as u64);
    }

    /// Goes on with the delays of another seed, adding them up instead of waiting.
    pub fn in_virtual_time(&self, seed: u64) {
        self.set(DICE, seed);
        self.set(IN_VAIN, 1);
    }

    /// How long calls were delayed in all.
    pub fn waited(&self) -> Duration {
        Duration::from_micros(self.get(WAITED))
    }

    /// Calls that found no room, or nothing that can be written.
    pub fn refused(&self) -> u64 {
        self.get(REFUSED)
    }

    /// Forced writes that failed.
    pub fn failed(&self) -> u64 {
        self.get(FAILED)
    }

    fn set(&self, place: u64, number: u64) {
        let octets = number.to_ne_bytes();
        self.page
            .write_all_at(&octets, place * 8)
            .expect("the page is written");
    }

    fn get(&self, place: u64) -> u64 {
        let mut octets = [0; 8];
        self.page
            .read_exact_at(&mut octets, place * 8)
            .expect("the page is read");
        u64::from_ne_bytes(octets)
    }
}
