//! Where a process may write: Landlock (landlock(7)), as much of it as the kernel has.

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, lchown};
use std::path::{Path, PathBuf};

use landlock::{
    ABI, AccessFs, RestrictionStatus, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetError,
    RulesetStatus, path_beneath_rules,
};

use super::Layer;

/// Rights that are handled: all ways to write up to truncating (Linux 6.2). Reading stays free.
const LEVEL: ABI = ABI::V3;

/// Folders of devices in which nodes come and go.
const FOLDERS: [&str; 6] = [
    "/dev/input",
    "/dev/dri",
    "/dev/dma_heap",
    "/dev/shm",
    "/dev/pts",
    "/dev/snd",
];

/// Terminals and their contents: many, and only the first few are ever on a panel.
const TERMINALS: [&str; 2] = ["vcs", "ttyS"];

/// Devices that are memory, the kernel's log or other processes: never needed.
const NEVER: [&str; 8] = [
    "mem",
    "kmem",
    "port",
    "kmsg",
    "fuse",
    "uinput",
    "uhid",
    "vhost-net",
];

/// Where power supplies are, whose motor switch some firmware has.
const SUPPLIES: &str = "/sys/class/power_supply";

/// The devices that display, buttons and motor may need to write to: character devices and no disks.
#[must_use]
pub fn devices() -> Vec<PathBuf> {
    let nodes = fs::read_dir("/dev").into_iter().flatten().flatten();
    let characters = nodes.filter(|node| {
        let name = node.file_name();
        let name = name.to_string_lossy();
        let console = name.strip_prefix("tty").and_then(|rest| rest.parse().ok());
        let terminal = TERMINALS.iter().any(|kind| name.starts_with(kind))
            || console.is_some_and(|number: u32| number > 7);
        let never = terminal || NEVER.iter().any(|never| name == *never);
        let kind = node.file_type();
        !never && kind.is_ok_and(|kind| kind.is_char_device())
    });
    let mut found: Vec<PathBuf> = characters.map(|node| node.path()).collect();
    found.extend(FOLDERS.map(PathBuf::from));
    let supplies = fs::read_dir(SUPPLIES).into_iter().flatten().flatten();
    found.extend(supplies.map(|supply| supply.path().join("moto")));
    found.retain(|path| path.exists());
    found
}

/// Makes everything in a folder this user's, where root finds it to be somebody else's: as copied to the card on a laptop. Root without
/// capabilities may write no more than its own.
///
/// # Errors
/// What the system said; a file system without owners says nothing else.
pub fn take(folder: &Path) -> io::Result<()> {
    let user = nix::unistd::geteuid();
    if !user.is_root() || fs::symlink_metadata(folder)?.uid() == user.as_raw() {
        return Ok(());
    }
    let mut left = vec![folder.to_owned()];
    while let Some(path) = left.pop() {
        lchown(&path, Some(user.as_raw()), None)?;
        if fs::symlink_metadata(&path)?.is_dir() {
            let entries = fs::read_dir(&path)?;
            left.extend(entries.flatten().map(|entry| entry.path()));
        }
    }
    Ok(())
}

/// Lets this thread, and those that it starts, write nowhere but below these folders and to these devices.
#[must_use]
pub fn write_only_to(folders: &[PathBuf], devices: &[PathBuf]) -> Layer {
    match restrict(folders, devices) {
        Ok(status) => match status.ruleset {
            RulesetStatus::FullyEnforced => Layer::Holds,
            RulesetStatus::PartiallyEnforced => {
                Layer::Partly("this kernel's Landlock knows only some ways to write".into())
            }
            RulesetStatus::NotEnforced => Layer::Lacks(
                "this kernel has no Landlock: what this user may write, the app may write".into(),
            ),
        },
        Err(error) => Layer::Fails(format!("writing is not confined: {error}")),
    }
}

fn restrict(folders: &[PathBuf], devices: &[PathBuf]) -> Result<RestrictionStatus, RulesetError> {
    let write = AccessFs::from_write(LEVEL);
    let all = folders.iter().chain(devices).map(PathBuf::as_path);
    let there: Vec<&Path> = all.filter(|path| path.exists()).collect();
    Ruleset::default()
        .handle_access(write)?
        .create()?
        .add_rules(path_beneath_rules(there, write))?
        .restrict_self()
}
