//! The settings files on the disk: templates, and an older format brought up to date without losing anything.

use super::{DAEMON_TEMPLATE, PERMISSIONS_TEMPLATE};
use super::{FILES, edit, migrate, text_of};
use nix::unistd::{AccessFlags, access};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// Most old files kept beside a settings file.
const MAX_BACKUPS: u32 = 1000;

/// What became of one file.
#[derive(Debug)]
pub struct Upgrade {
    /// The file.
    pub file: PathBuf,
    /// The format that it had.
    pub from: u64,
    /// Where the old one is kept now; or why it stays as it is. It is read as today's in either case.
    pub kept: io::Result<PathBuf>,
}

/// Brings the files beside `daemon_file` to today's format where they have an older one. Each is replaced at once, behind
/// a copy of the old one that is on the disk by then, so that a crash leaves one or the other.
pub fn upgrade(daemon_file: &Path) -> Vec<Upgrade> {
    let files = FILES.map(|name| match name {
        "daemon.toml" => daemon_file.to_owned(),
        other => daemon_file.with_file_name(other),
    });
    let old = files.into_iter().filter_map(|file| {
        let migrated = migrate(&text_of(&file).ok()?)?;
        Some(Upgrade {
            kept: replace(&file, &migrated.text),
            from: migrated.from,
            file,
        })
    });
    old.collect()
}

/// Sets `key` in the settings file `file`, in `section`, to `value` (written as TOML). The old file is kept beside it.
///
/// # Errors
/// What the disk said.
pub(crate) fn set(file: &Path, section: &str, key: &str, value: &str) -> io::Result<()> {
    let text = text_of(file)?;
    let new = edit::set(&text, section, key, value);
    if new == text { Ok(()) } else { put(file, &new) }
}

/// Sets `key` of the section of `[[list]]` that is called `name`; false where there is none.
///
/// # Errors
/// What the disk said.
pub(crate) fn set_in_list(
    file: &Path,
    list: &str,
    name: &str,
    key: &str,
    value: &str,
) -> io::Result<bool> {
    let text = text_of(file)?;
    match edit::set_in_list(&text, list, name, key, value) {
        Some(new) if new == text => Ok(true),
        Some(new) => put(file, &new).map(|()| true),
        None => Ok(false),
    }
}

/// The template of one of [`FILES`].
pub(super) fn template(name: &str) -> &'static str {
    match name {
        "daemon.toml" => DAEMON_TEMPLATE,
        "permissions.toml" => PERMISSIONS_TEMPLATE,
        _ => crate::service::config::TEMPLATE,
    }
}

/// Writes the templates into `folder` where a file is missing, so that there is something to read and change.
///
/// # Errors
/// What the disk said.
pub fn write_templates(folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    for name in FILES {
        let (text, file) = (template(name), folder.join(name));
        // Through a name of its own: a half template would count as the owner's wish.
        if !file.try_exists()? {
            put(&file, text)?;
        }
    }
    Ok(())
}

/// Keeps the old text beside `file`, then replaces it.
fn replace(file: &Path, text: &str) -> io::Result<PathBuf> {
    // A link stays a link.
    let file = std::fs::canonicalize(file)?;
    let kept = keep(&file)?;
    put(&file, text)?;
    Ok(kept)
}

/// Copies `file` to the first free `.bak-N`, durably.
fn keep(file: &Path) -> io::Result<PathBuf> {
    let old = std::fs::read(file)?;
    let mode = std::fs::metadata(file)?.permissions().mode() & 0o777;
    for number in 1..=MAX_BACKUPS {
        let mut name = file.as_os_str().to_owned();
        name.push(format!(".bak-{number}"));
        let backup = PathBuf::from(name);
        let opened = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&backup);
        match opened {
            Ok(mut new) => {
                new.write_all(&old)?;
                new.sync_all()?;
                return Ok(backup);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other("there are too many old files beside it"))
}

/// Whether this process may replace `file`.
pub(super) fn is_replaceable(file: &Path) -> bool {
    let file = std::fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
    file.parent()
        .is_some_and(|folder| access(folder, AccessFlags::W_OK).is_ok())
}

/// Makes `file` hold `text`: all of it or, after a crash, what it held before.
///
/// # Errors
/// What the disk said.
pub(crate) fn put(file: &Path, text: &str) -> io::Result<()> {
    let file = match std::fs::canonicalize(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => file.to_owned(),
        other => other?,
    };
    let folder = file
        .parent()
        .ok_or_else(|| io::Error::other("it is in no folder"))?;
    let mut name = file.as_os_str().to_owned();
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    name.push(format!(".new-{}-{number}", std::process::id()));
    let new = PathBuf::from(name);
    let mode = std::fs::metadata(&file).map_or(0o644, |old| old.permissions().mode() & 0o777);
    let written = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(mode)
        .open(&new)
        .and_then(|mut opened| {
            opened.write_all(text.as_bytes())?;
            // Whatever the mask of whoever writes is, root included: those who could read it still can.
            opened.set_permissions(std::fs::Permissions::from_mode(mode))?;
            if let Ok(old) = std::fs::metadata(&file) {
                keep_owner(&opened, &old)?;
            }
            opened.sync_all()
        })
        .and_then(|()| std::fs::rename(&new, &file));
    if written.is_err() {
        let _ = std::fs::remove_file(&new);
    }
    written?;
    File::open(folder)?.sync_all()
}

/// Gives a file to whom the one before it belonged. Without the right to, it stays with whoever writes.
fn keep_owner(new: &File, old: &std::fs::Metadata) -> io::Result<()> {
    let own = new.metadata()?;
    if (own.uid(), own.gid()) == (old.uid(), old.gid()) {
        return Ok(());
    }
    match std::os::unix::fs::fchown(new, Some(old.uid()), Some(old.gid())) {
        Err(error) if error.kind() != io::ErrorKind::PermissionDenied => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::load;
    use crate::store::testing::TempFolder;

    #[test]
    fn an_older_file_is_replaced_and_kept_and_means_the_same() {
        let temp = TempFolder::new("upgrade");
        let file = temp.0.join("daemon.toml");
        let old = "# My laptop.\n[daemon]\nmax_paired_devices = 2 # enough\n";
        std::fs::write(&file, old).expect("written");
        std::fs::write(temp.0.join("daemon.toml.bak-1"), "older still").expect("written");
        let before = load(&file).expect("read").0;
        let done = upgrade(&file);
        assert_eq!(done.len(), 1);
        let kept = done[0].kept.as_ref().expect("replaced");
        assert_eq!(
            kept.file_name().and_then(|name| name.to_str()),
            Some("daemon.toml.bak-2")
        );
        assert_eq!(std::fs::read_to_string(kept).expect("kept"), old);
        let new = std::fs::read_to_string(&file).expect("read");
        assert_eq!(
            new,
            "# My laptop.\nversion = 1\n[daemon]\nmax_paired_devices = 2 # enough\n"
        );
        assert_eq!(load(&file).expect("read").0, before);
        assert!(upgrade(&file).is_empty());
        let left: Vec<_> = std::fs::read_dir(&temp.0).expect("a folder").collect();
        assert_eq!(left.len(), 3, "{left:?}");
    }

    #[test]
    fn what_cannot_be_replaced_is_still_read_as_today_s() {
        let temp = TempFolder::new("read-only");
        let file = temp.0.join("daemon.toml");
        std::fs::write(&file, "[daemon]\nmax_paired_devices = 'x'\n").expect("written");
        let findings = load(&file).expect_err("a mistake");
        assert_eq!(findings[0].line, 2, "the line of the file as it is");
    }

    #[test]
    fn single_values_are_set_in_place() {
        let temp = TempFolder::new("set");
        let file = temp.0.join("daemon.toml");
        write_templates(&temp.0).expect("written");
        set(&file, "services", "llm_enabled", "false").expect("set");
        set(&file, "daemon", "device_name", "\"Ada\"").expect("set");
        let (config, findings) = load(&file).expect("read");
        assert_eq!(findings, []);
        assert!(!config.daemon.llm_enabled && config.daemon.image_generation_enabled);
        assert_eq!(config.daemon.device_name, "Ada");
        let text = std::fs::read_to_string(&file).expect("read");
        assert_eq!(text.lines().count(), DAEMON_TEMPLATE.lines().count());
    }
}
