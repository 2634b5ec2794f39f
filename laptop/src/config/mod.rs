//! `daemon.toml`, `permissions.toml` and `services.toml`: what the owner of the laptop decides in files.
//!
//! Pure but for [`load`], [`check`] and `file`: text in, settings and findings out. Every mistake is reported with file
//! and line, all of them at once; an unknown key is reported with the known one that is nearest, and ignored. The
//! templates in laptop/config are the one place where a key is described: the man pages are made from them, and tests
//! hold templates and settings together. `services.toml` is read by the service processes; here it is only checked.

mod change;
mod daemon;
mod edit;
mod file;
pub mod man;
pub mod manners;
mod nearest;
mod permissions;
mod reader;
mod save;
mod template;
pub(crate) mod version;

pub use change::{Change, changes, in_force};
pub use daemon::{DAEMON_TEMPLATE, DaemonConfig, UsbConfig, WebConfig, WifiDirectConfig};
pub use file::{Upgrade, upgrade, write_templates};
pub(crate) use file::{set as set_setting, set_in_list as set_setting_in_list};
pub use manners::MannersConfig;
pub(crate) use nearest::nearest;
pub use permissions::{PERMISSIONS_TEMPLATE, PermissionsConfig};
pub(crate) use reader::{File, Section};
pub use reader::{Finding, Severity};
pub use save::{Save, Unsaved, check_instead, digest, is_writable, path, save, text};
pub(crate) use version::migrate;

use std::io;
use std::path::Path;

/// Everything that the daemon reads when it starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// From `daemon.toml`.
    pub daemon: DaemonConfig,
    /// From `permissions.toml`.
    pub permissions: PermissionsConfig,
}

/// Names of the three files; they lie side by side.
pub const FILES: [&str; 3] = ["daemon.toml", "permissions.toml", "services.toml"];

/// Reads `daemon.toml` at `daemon_file` and `permissions.toml` beside it; a missing file is one full of defaults, one of
/// an older format is read as what it means today.
///
/// # Errors
/// Findings of which at least one is an error. Mere warnings come with the settings.
pub fn load(daemon_file: &Path) -> Result<(Config, Vec<Finding>), Vec<Finding>> {
    let mut findings = Vec::new();
    let daemon = read(daemon_file, &mut findings, DaemonConfig::parse);
    let permissions_file = daemon_file.with_file_name("permissions.toml");
    let permissions = read(&permissions_file, &mut findings, PermissionsConfig::parse);
    if findings.iter().any(Finding::is_error) {
        return Err(findings);
    }
    let config = Config {
        daemon,
        permissions,
    };
    Ok((config, findings))
}

/// What is to be said about all three files, errors and warnings.
pub fn check(daemon_file: &Path) -> Vec<Finding> {
    let mut findings = match load(daemon_file) {
        Ok((_, findings)) | Err(findings) => findings,
    };
    let services = daemon_file.with_file_name("services.toml");
    match text_of(&services) {
        Ok(text) => findings.extend(crate::service::config::ServicesConfig::check(
            &text,
            &services.display().to_string(),
        )),
        Err(error) => findings.push(unreadable(&services, &error)),
    }
    findings
}

/// One key as the files have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Name of its file.
    pub file: &'static str,
    /// Its section; empty before the first.
    pub section: &'static str,
    /// Its name.
    pub key: &'static str,
    /// Its value, as TOML.
    pub value: String,
    /// Whether the file does not name it, so that this is the default.
    pub default: bool,
}

/// Every key of all three files with its value, in the order of the templates; providers as they stand in the file.
pub fn show(daemon_file: &Path) -> Vec<Shown> {
    let mut all = Vec::new();
    for name in FILES {
        let file = match name {
            "daemon.toml" => daemon_file.to_owned(),
            other => daemon_file.with_file_name(other),
        };
        let text = text_of(&file).unwrap_or_default();
        let page = template::Page::parse(file::template(name));
        for part in page.parts.iter().filter(|part| !part.name.starts_with('[')) {
            for key in part.keys.iter().filter(|key| key.name != "version") {
                let written = edit::value(&text, part.name, key.name);
                all.push(Shown {
                    file: name,
                    section: part.name,
                    key: key.name,
                    default: written.is_none(),
                    value: written.unwrap_or_else(|| key.value.to_owned()),
                });
            }
        }
    }
    all
}

fn read<T>(
    file: &Path,
    findings: &mut Vec<Finding>,
    parse: impl FnOnce(&str, &str, &mut Vec<Finding>) -> T,
) -> T {
    let text = text_of(file).unwrap_or_else(|error| {
        findings.push(unreadable(file, &error));
        String::new()
    });
    read_text(&text, file, findings, parse)
}

/// Reads `text` as what `file` says.
fn read_text<T>(
    text: &str,
    file: &Path,
    findings: &mut Vec<Finding>,
    parse: impl FnOnce(&str, &str, &mut Vec<Finding>) -> T,
) -> T {
    let migrated = migrate(text);
    let today = migrated.as_ref().map_or(text, |new| &new.text);
    let first = findings.len();
    let read = parse(today, &file.display().to_string(), findings);
    if let Some(migrated) = &migrated {
        for finding in &mut findings[first..] {
            finding.line = migrated.original_line(finding.line);
        }
    }
    read
}

/// The text of a file; a missing one is empty.
fn text_of(file: &Path) -> io::Result<String> {
    match std::fs::read_to_string(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        other => other,
    }
}

fn unreadable(file: &Path, error: &io::Error) -> Finding {
    Finding::error(
        &file.display().to_string(),
        format!("cannot be read: {error}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::TempFolder;

    #[test]
    fn missing_files_are_full_of_defaults_and_templates_say_the_same() {
        let temp = TempFolder::new("config");
        let file = temp.0.join("daemon.toml");
        let (from_nothing, findings) = load(&file).expect("defaults");
        assert!(findings.is_empty());
        write_templates(&temp.0).expect("written");
        let (from_templates, findings) = load(&file).expect("templates");
        assert!(findings.is_empty(), "{findings:?}");
        assert_eq!(from_nothing, from_templates);
    }

    #[test]
    fn templates_never_overwrite_what_is_there() {
        let temp = TempFolder::new("templates");
        std::fs::write(
            temp.0.join("daemon.toml"),
            "[daemon]\nmax_paired_devices = 2\n",
        )
        .expect("written");
        write_templates(&temp.0).expect("written");
        let (config, _) = load(&temp.0.join("daemon.toml")).expect("read");
        assert_eq!(config.daemon.max_paired_devices, 2);
    }

    #[test]
    fn mistakes_in_both_files_are_reported_at_once() {
        let temp = TempFolder::new("mistakes");
        std::fs::write(
            temp.0.join("daemon.toml"),
            "[daemon]\nmax_paired_devices = 'x'\n",
        )
        .expect("written");
        std::fs::write(
            temp.0.join("permissions.toml"),
            "[new_device]\n\nchat = 'maybe'\n",
        )
        .expect("written");
        let findings = load(&temp.0.join("daemon.toml")).expect_err("mistakes");
        let places: Vec<_> = findings
            .iter()
            .map(|finding| {
                (
                    finding
                        .file
                        .rsplit('/')
                        .next()
                        .unwrap_or_default()
                        .to_owned(),
                    finding.line,
                )
            })
            .collect();
        assert_eq!(
            places,
            [("daemon.toml".into(), 2), ("permissions.toml".into(), 3)]
        );
    }
}
