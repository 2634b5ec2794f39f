//! Block devices, file systems and the device mapper of the machine that this runs in, through its own tools.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::log::SECTOR;

/// Octets of a piece of an image that is kept at all.
const PAGE: usize = 4096;

/// A file system as cards have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// FAT32 with clusters of 32 KiB.
    Vfat,
    /// exFAT with clusters of 32 KiB.
    Exfat,
    /// ext4 with a journal.
    Ext4,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Vfat, Self::Exfat, Self::Ext4];

    /// Its name, as `mount -t` takes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Vfat => "vfat",
            Self::Exfat => "exfat",
            Self::Ext4 => "ext4",
        }
    }

    /// The one of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Octets of the device: FAT32 wants 65525 clusters. Only what is written takes memory.
    pub const fn device_len(self) -> u64 {
        match self {
            Self::Vfat | Self::Exfat => 4 << 30,
            Self::Ext4 => 256 << 20,
        }
    }

    /// What it is mounted with: neither `sync` nor `flush`, as muOS, Knulli, ROCKNIX and our own image have it; what follows an error is left to the kernel.
    pub const OPTIONS: &'static str = "rw,noatime";

    /// Makes the file system on a device.
    pub fn make(self, device: &str) {
        match self {
            Self::Vfat => run("mkfs.vfat", &["-F", "32", "-s", "64", device]),
            Self::Exfat => run("mkfs.exfat", &["-c", "32K", device]),
            Self::Ext4 => run(
                "mkfs.ext4",
                &[
                    "-q",
                    "-F",
                    "-J",
                    "size=4",
                    "-E",
                    "nodiscard,lazy_itable_init=0",
                    device,
                ],
            ),
        }
    }

    /// Makes it on a device of a few megabytes: clusters of 4 KiB.
    pub fn make_small(self, device: &str) {
        match self {
            Self::Vfat => run("mkfs.vfat", &["-F", "16", "-s", "8", device]),
            Self::Exfat => run("mkfs.exfat", &["-c", "4K", device]),
            Self::Ext4 => run(
                "mkfs.ext4",
                &[
                    "-q",
                    "-F",
                    "-m",
                    "0",
                    "-J",
                    "size=4",
                    "-E",
                    "nodiscard,lazy_itable_init=0",
                    device,
                ],
            ),
        }
    }

    /// Repairs it without questions, as some firmware does before it mounts a card. What it found is its business.
    pub fn repair(self, device: &str) {
        let (program, options) = match self {
            Self::Vfat => ("fsck.vfat", "-a"),
            Self::Exfat => ("fsck.exfat", "-y"),
            Self::Ext4 => ("e2fsck", "-p"),
        };
        let _ = Command::new(program)
            .args([options, device])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
    }

    /// Mounts it; the error is what `mount` said.
    ///
    /// # Errors
    /// The kernel refuses it.
    pub fn mount(self, device: &str, place: &Path) -> Result<(), String> {
        try_run(
            "mount",
            &[
                "-t",
                self.name(),
                "-o",
                Self::OPTIONS,
                device,
                &place.display().to_string(),
            ],
        )
    }
}

/// Takes a file system off, if one is there.
pub fn unmount(place: &Path) {
    let mounts = fs::read_to_string("/proc/mounts").expect("the mounts");
    let place = place.display().to_string();
    if mounts
        .lines()
        .any(|line| line.split(' ').nth(1) == Some(&place))
    {
        run("umount", &[&place]);
    }
}

/// Runs a tool that must succeed.
pub fn run(program: &str, arguments: &[&str]) {
    try_run(program, arguments).unwrap_or_else(|error| panic!("{error}"));
}

/// Runs a tool.
///
/// # Errors
/// What it said.
pub fn try_run(program: &str, arguments: &[&str]) -> Result<(), String> {
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .map_err(|e| format!("{program}: {e}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!(
        "{program} {}: {} {}",
        arguments.join(" "),
        output.status,
        String::from_utf8_lossy(&output.stderr).trim()
    ))
}

/// A block device on a sparse file in memory.
pub struct Loop {
    /// Its name in /dev.
    pub device: String,
    /// The file.
    pub file: PathBuf,
}

impl Loop {
    /// Makes the file and the device.
    pub fn new(number: u32, file: &Path, len: u64) -> Self {
        File::create(file)
            .and_then(|f| f.set_len(len))
            .expect("a file in memory");
        let device = format!("/dev/loop{number}");
        run("losetup", &[&device, &file.display().to_string()]);
        Self {
            device,
            file: file.to_owned(),
        }
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        let _ = try_run("losetup", &["-d", &self.device]);
        let _ = fs::remove_file(&self.file);
    }
}

/// Content of a device: the pages that are not all zeros.
#[derive(Clone, Default)]
pub struct Image(BTreeMap<u64, Box<[u8; PAGE]>>);

impl Image {
    /// Reads a sparse file.
    pub fn read(file: &Path) -> Self {
        let mut file = File::open(file).expect("an image");
        let mut image = Self::default();
        let mut at = 0;
        while let Ok(start) = seek(&file, at, true) {
            let end = seek(&file, start, false).unwrap_or(start);
            file.seek(SeekFrom::Start(start)).expect("seek");
            let mut bytes = vec![0; (end - start) as usize];
            file.read_exact(&mut bytes).expect("read");
            image.write(start, &bytes);
            at = end;
        }
        image
    }

    /// Reads what [`Image::keep`] wrote.
    pub fn kept(file: &Path) -> Self {
        let bytes = fs::read(file).expect("an image");
        let mut image = Self::default();
        for piece in bytes.chunks_exact(8 + PAGE) {
            let (page, content) = piece.split_at(8);
            let page = u64::from_le_bytes(page.try_into().expect("8 octets"));
            image.write(page * PAGE as u64, content);
        }
        image
    }

    /// Writes it where holes are not known: each page behind its number.
    pub fn keep(&self, file: &Path) {
        let pages = self.0.iter();
        let bytes: Vec<u8> = pages
            .flat_map(|(page, content)| page.to_le_bytes().into_iter().chain(**content))
            .collect();
        fs::write(file, bytes).expect("the image is kept");
    }

    /// Everything up to the last page, in one piece.
    pub fn bytes(&self) -> Vec<u8> {
        let last = self.0.keys().next_back().map_or(0, |page| page + 1);
        let mut bytes = vec![0; last as usize * PAGE];
        for (page, content) in &self.0 {
            let at = *page as usize * PAGE;
            bytes[at..at + PAGE].copy_from_slice(&content[..]);
        }
        bytes
    }

    /// Changes some octets of whole sectors.
    pub fn write(&mut self, at: u64, bytes: &[u8]) {
        let mut done = 0;
        while done < bytes.len() {
            let at = at + done as u64;
            let (page, from) = (at / PAGE as u64, (at % PAGE as u64) as usize);
            let len = (PAGE - from).min(bytes.len() - done);
            let piece = &bytes[done..done + len];
            if self.0.contains_key(&page) || piece.iter().any(|b| *b != 0) {
                let page = self.0.entry(page).or_insert_with(|| Box::new([0; PAGE]));
                page[from..from + len].copy_from_slice(piece);
            }
            done += len;
        }
    }

    /// Changes one sector.
    pub fn write_sector(&mut self, sector: u64, bytes: &[u8]) {
        self.write(sector * SECTOR as u64, bytes);
    }

    /// Makes the file's content this one, with `over` above it.
    pub fn store(&self, file: &Path, len: u64, over: &Image) {
        let file = File::options().write(true).open(file).expect("an image");
        // Everything becomes a hole first; the device on the file keeps its length.
        file.set_len(0)
            .and_then(|()| file.set_len(len))
            .expect("an image of holes");
        for (page, bytes) in &self.0 {
            let bytes = over.0.get(page).unwrap_or(bytes);
            file.write_all_at(&bytes[..], page * PAGE as u64)
                .expect("written");
        }
        for (page, bytes) in over.0.iter().filter(|(page, _)| !self.0.contains_key(page)) {
            file.write_all_at(&bytes[..], page * PAGE as u64)
                .expect("written");
        }
    }

    /// An image for [`Image::store`] with these sectors changed.
    pub fn changed<'a>(&self, sectors: impl Iterator<Item = (u64, &'a [u8])>) -> Image {
        let mut over = Image::default();
        for (sector, bytes) in sectors {
            let page = sector * SECTOR as u64 / PAGE as u64;
            over.0.entry(page).or_insert_with(|| {
                self.0
                    .get(&page)
                    .cloned()
                    .unwrap_or_else(|| Box::new([0; PAGE]))
            });
            over.write_sector(sector, bytes);
        }
        over
    }
}

/// The next data (or hole) of a sparse file.
fn seek(file: &File, from: u64, data: bool) -> nix::Result<u64> {
    let whence = if data {
        nix::unistd::Whence::SeekData
    } else {
        nix::unistd::Whence::SeekHole
    };
    nix::unistd::lseek(file, from as i64, whence).map(|at| at as u64)
}
