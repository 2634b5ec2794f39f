//! `daemon.toml` and `permissions.toml`: what the owner of the laptop decides in files.
//!
//! Pure but for [`load`]: text in, settings and findings out. Every mistake is reported with file and line, all of them
//! at once; an unknown key is reported and ignored. `services.toml` belongs to the service processes.

mod daemon;
mod permissions;
mod reader;

pub use daemon::{DAEMON_TEMPLATE, DaemonConfig, UsbConfig, WifiDirectConfig};
pub use permissions::{PERMISSIONS_TEMPLATE, PermissionsConfig};
pub use reader::{Finding, Severity};

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

/// Reads `daemon.toml` at `daemon_file` and `permissions.toml` beside it; a missing file is one full of defaults.
///
/// # Errors
/// Findings of which at least one is an error. Mere warnings come with the settings.
pub fn load(daemon_file: &Path) -> Result<(Config, Vec<Finding>), Vec<Finding>> {
    let permissions_file = daemon_file.with_file_name("permissions.toml");
    let mut findings = Vec::new();
    let daemon_text = read(daemon_file, &mut findings);
    let permissions_text = read(&permissions_file, &mut findings);
    let daemon = DaemonConfig::parse(
        &daemon_text,
        &daemon_file.display().to_string(),
        &mut findings,
    );
    let permissions = PermissionsConfig::parse(
        &permissions_text,
        &permissions_file.display().to_string(),
        &mut findings,
    );
    if findings
        .iter()
        .any(|finding| finding.severity == Severity::Error)
    {
        return Err(findings);
    }
    Ok((
        Config {
            daemon,
            permissions,
        },
        findings,
    ))
}

/// Writes the templates into `folder` where a file is missing, so that there is something to read and change.
///
/// # Errors
/// What the disk said.
pub fn write_templates(folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let templates = [
        ("daemon.toml", DAEMON_TEMPLATE),
        ("permissions.toml", PERMISSIONS_TEMPLATE),
        ("services.toml", crate::service::config::TEMPLATE),
    ];
    for (name, text) in templates {
        match std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(folder.join(name))
        {
            Ok(mut file) => io::Write::write_all(&mut file, text.as_bytes())?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn read(file: &Path, findings: &mut Vec<Finding>) -> String {
    match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => {
            findings.push(Finding {
                severity: Severity::Error,
                file: file.display().to_string(),
                line: 0,
                message: format!("cannot be read: {error}"),
            });
            String::new()
        }
    }
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
