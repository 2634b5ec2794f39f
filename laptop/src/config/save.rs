//! One file changed as a whole, by an editor or on the page: checked together with the other two before it is written.

use super::file::{is_replaceable, put, template};
use super::{DaemonConfig, FILES, Finding, PermissionsConfig, read_text, text_of, unreadable};
use crate::service::config::ServicesConfig;
use shared_proto::crypto::Crypto;
use shared_proto::crypto::ring::RingCrypto;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// A file that is to be changed.
#[derive(Debug, Clone, Copy)]
pub struct Save<'a> {
    /// One of [`FILES`].
    pub name: &'a str,
    /// What it is to say.
    pub text: &'a str,
    /// [`digest`] of what it said when its change was begun; `None` where that does not matter.
    pub before: Option<&'a str>,
}

/// Why a file stays as it was.
#[derive(Debug)]
pub enum Unsaved {
    /// These, of which at least one is an error.
    Mistakes(Vec<Finding>),
    /// Somebody else has changed it meanwhile.
    Changed,
    /// What the disk said.
    Disk(io::Error),
}

/// Where the file called `name` is; the other two lie beside `daemon_file`.
pub fn path(daemon_file: &Path, name: &str) -> PathBuf {
    match name {
        "daemon.toml" => daemon_file.to_owned(),
        other => daemon_file.with_file_name(other),
    }
}

/// The text of the file called `name`; of one that is missing its template, which means the same.
///
/// # Errors
/// What the disk said.
pub fn text(daemon_file: &Path, name: &str) -> io::Result<String> {
    match text_of(&path(daemon_file, name))? {
        text if text.is_empty() => Ok(template(name).to_owned()),
        text => Ok(text),
    }
}

/// SHA-256 of a text, in hexadecimal digits.
pub fn digest(text: &str) -> String {
    crate::ledger::Hex(RingCrypto.sha256(&[text.as_bytes()])).to_string()
}

/// Whether this process may replace the file called `name`.
pub fn is_writable(daemon_file: &Path, name: &str) -> bool {
    is_replaceable(&path(daemon_file, name))
}

/// What is to be said about all three files if the one called `name` said `text`.
pub fn check_instead(daemon_file: &Path, name: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for known in FILES {
        let file = path(daemon_file, known);
        let text = match known == name {
            true => text.to_owned(),
            false => text_of(&file).unwrap_or_else(|error| {
                findings.push(unreadable(&file, &error));
                String::new()
            }),
        };
        let shown = file.display().to_string();
        match known {
            "daemon.toml" => drop(read_text(&text, &file, &mut findings, DaemonConfig::parse)),
            "permissions.toml" => {
                drop(read_text(
                    &text,
                    &file,
                    &mut findings,
                    PermissionsConfig::parse,
                ));
            }
            _ => findings.extend(ServicesConfig::check(&text, &shown)),
        }
    }
    findings
}

/// Has a file say something else, unless that has a mistake in it.
///
/// # Errors
/// [`Unsaved`]; the file is as it was.
pub fn save(daemon_file: &Path, wanted: Save<'_>) -> Result<Vec<Finding>, Unsaved> {
    // Threads of one process that save at once take turns from the look at the file to its replacement.
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let now = text(daemon_file, wanted.name).map_err(Unsaved::Disk)?;
    // Whoever presses Save twice has saved it.
    if now == wanted.text {
        return Ok(check_instead(daemon_file, wanted.name, wanted.text));
    }
    if wanted.before.is_some_and(|before| before != digest(&now)) {
        return Err(Unsaved::Changed);
    }
    let findings = check_instead(daemon_file, wanted.name, wanted.text);
    if findings.iter().any(Finding::is_error) {
        return Err(Unsaved::Mistakes(findings));
    }
    put(&path(daemon_file, wanted.name), wanted.text).map_err(Unsaved::Disk)?;
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::super::{load, write_templates};
    use super::*;
    use crate::store::testing::TempFolder;

    #[test]
    fn a_file_is_written_only_without_a_mistake_and_as_it_was_read() {
        let temp = TempFolder::new("save");
        let file = temp.0.join("daemon.toml");
        write_templates(&temp.0).expect("written");
        let before = text(&file, "daemon.toml").expect("read");
        let mark = digest(&before);
        let wanted = |text, before| Save {
            name: "daemon.toml",
            text,
            before,
        };
        let wrong = save(&file, wanted("[daemon]\nask_timeout_s = 1\n", Some(&mark)));
        let Err(Unsaved::Mistakes(findings)) = wrong else {
            panic!("{wrong:?}");
        };
        assert_eq!(findings[0].line, 2);
        assert_eq!(text(&file, "daemon.toml").expect("read"), before);

        let right = "version = 1\n[daemon]\nask_timeout_s = 90\n";
        assert!(
            save(&file, wanted(right, Some(&mark)))
                .expect("saved")
                .is_empty()
        );
        assert_eq!(load(&file).expect("read").0.daemon.ask_timeout_s, 90);
        // Saved twice is saved.
        assert!(save(&file, wanted(right, Some(&mark))).is_ok());
        let late = save(&file, wanted(&before, Some(&mark)));
        assert!(matches!(late, Err(Unsaved::Changed)), "{late:?}");
        assert!(save(&file, wanted(&before, None)).is_ok());
        assert!(is_writable(&file, "services.toml"));
        assert!(!is_writable(
            &temp.0.join("none/daemon.toml"),
            "daemon.toml"
        ));
    }

    #[test]
    fn a_mistake_of_another_file_counts_too() {
        let temp = TempFolder::new("save-other");
        let file = temp.0.join("daemon.toml");
        write_templates(&temp.0).expect("written");
        std::fs::write(temp.0.join("services.toml"), "routing = 'x'\n").expect("written");
        let findings = check_instead(&file, "daemon.toml", "version = 1\n");
        assert!(findings.iter().any(Finding::is_error), "{findings:?}");
        let mended = check_instead(&file, "services.toml", "version = 1\n");
        assert!(!mended.iter().any(Finding::is_error), "{mended:?}");
    }
}
