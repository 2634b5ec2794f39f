//! Commands about the settings files.

use super::exit::{CliError, Exit};
use super::format::{line, table};
use super::{Format, Out, Talk};
use crate::config::{self, Finding, Save, Severity, Unsaved};
use crate::control::api::{ConfigReport, ReloadReport, Setting};
use crate::paths::Paths;
use crate::sanitize::visible_within;
use serde_json::{Value, json};
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

/// Longest finding that is shown, in characters.
const MAX_WORDS_CHARS: usize = 600;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Check all three files: every mistake with file, line and what to write
    Check {
        /// daemon.toml somewhere else; the other two are looked for beside it
        file: Option<PathBuf>,
    },
    /// Show every key with its value, and whether it is the default
    Show,
    /// Open a file in $VISUAL or $EDITOR, check it, and take it over
    Edit {
        /// Which file
        #[arg(value_parser = ["daemon", "permissions", "services"], default_value = "daemon")]
        file: String,
    },
    /// Have the daemon read the files again; no session ends
    Reload,
    /// Bring older files to today's format; the old ones are kept beside them
    Upgrade,
}

pub(super) fn run(paths: &Paths, out: Out, command: &Command) -> Result<(), CliError> {
    match command {
        Command::Check { file } => check(paths, out, file.as_deref()),
        Command::Show => show(paths, out),
        Command::Edit { file } => edit(paths, out, file),
        Command::Reload => reload(&mut Talk::connect(paths, out)?),
        Command::Upgrade => upgrade(paths, out),
    }
}

fn mistakes() -> CliError {
    CliError::new(Exit::Settings, "the settings have mistakes")
}

pub(super) fn check(paths: &Paths, out: Out, file: Option<&Path>) -> Result<(), CliError> {
    let findings = config::check(file.unwrap_or(&paths.config));
    let shown: Vec<Value> = findings
        .iter()
        .map(|one| {
            let severity = match one.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            };
            json!({ "file": one.file, "line": one.line, "severity": severity, "message": one.message })
        })
        .collect();
    out.print(&shown, |_| words(&findings))?;
    match findings.iter().any(Finding::is_error) {
        true => Err(mistakes()),
        false => Ok(()),
    }
}

fn words(findings: &[Finding]) -> String {
    if findings.is_empty() {
        return "The settings are fine.".to_owned();
    }
    let lines = findings
        .iter()
        .map(|finding| visible_within(&finding.to_string(), MAX_WORDS_CHARS));
    lines.collect::<Vec<_>>().join("\n")
}

fn show(paths: &Paths, out: Out) -> Result<(), CliError> {
    let report = match Talk::connect(paths, out) {
        Ok(mut talk) => talk.call("config.show", Value::Null)?,
        // Without a daemon the files are all there is.
        Err(_) => ConfigReport {
            file: paths.config.display().to_string(),
            settings: config::show(&paths.config)
                .into_iter()
                .map(|one| Setting {
                    file: one.file.to_owned(),
                    section: one.section.to_owned(),
                    key: one.key.to_owned(),
                    value: one.value,
                    default: one.default,
                })
                .collect(),
            pending: Vec::new(),
        },
    };
    out.print(&report, |report| {
        let rows: Vec<Vec<String>> = report
            .settings
            .iter()
            .map(|one| {
                let key = match one.section.as_str() {
                    "" => one.key.clone(),
                    section => format!("{section}.{}", one.key),
                };
                let state = match (report.pending.contains(&key), one.default) {
                    (true, _) => "not in force yet",
                    (false, true) => "default",
                    (false, false) => "",
                };
                vec![one.file.clone(), key, one.value.clone(), state.to_owned()]
            })
            .collect();
        table(&["FILE", "KEY", "VALUE", ""], &rows)
    })
}

pub(super) fn reload(talk: &mut Talk) -> Result<(), CliError> {
    let report: ReloadReport = talk.call("config.reload", Value::Null)?;
    talk.print(&report, told)?;
    match report.applied {
        true => Ok(()),
        false => Err(CliError::new(
            Exit::Settings,
            "the settings have mistakes; those of before stay in force",
        )),
    }
}

/// Has a daemon that runs take the files over; where none does, they count from its start.
pub(super) fn reload_if_running(paths: &Paths, out: Out) -> Result<(), CliError> {
    if super::nobody_runs(paths) {
        return out.print(&json!({ "applied": false }), |_| {
            "Written. No daemon runs; it counts from its start.".to_owned()
        });
    }
    let mut talk = Talk::connect(paths, out).map_err(|error| {
        let words = format!(
            "written, and not in force: {}; then run: officectl config reload",
            error.message
        );
        CliError::new(error.exit, words)
    })?;
    reload(&mut talk)
}

fn told(report: &ReloadReport) -> String {
    let mut lines: Vec<String> = report
        .findings
        .iter()
        .map(|finding| visible_within(finding, MAX_WORDS_CHARS))
        .collect();
    if !report.applied {
        return lines.join("\n");
    }
    let of = |keys: &[String]| keys.join(", ");
    if report.changed.is_empty() && report.at_next_start.is_empty() {
        lines.push(
            "The files were read again; daemon.toml and permissions.toml say what they said."
                .to_owned(),
        );
    }
    if !report.changed.is_empty() {
        lines.push(format!("In force now: {}", of(&report.changed)));
    }
    if !report.at_next_start.is_empty() {
        lines.push(format!("At the next start: {}", of(&report.at_next_start)));
    }
    lines.join("\n")
}

fn upgrade(paths: &Paths, out: Out) -> Result<(), CliError> {
    let done = config::upgrade(&paths.config);
    let mut failed = false;
    let shown: Vec<Value> = done
        .iter()
        .map(|one| {
            let kept = one.kept.as_ref().ok();
            failed |= kept.is_none();
            json!({
                "file": one.file.display().to_string(),
                "from": one.from,
                "kept": kept.map(|kept| kept.display().to_string()),
                "reason": one.kept.as_ref().err().map(ToString::to_string),
            })
        })
        .collect();
    out.print(&shown, |_| {
        if done.is_empty() {
            return "The files have today's format.".to_owned();
        }
        let lines = done.iter().map(|one| match &one.kept {
            Ok(kept) => format!(
                "{}: from format {}; the old one is {}",
                one.file.display(),
                one.from,
                kept.display()
            ),
            Err(error) => format!("{}: cannot be rewritten: {error}", one.file.display()),
        });
        lines.collect::<Vec<_>>().join("\n")
    })?;
    match failed {
        true => Err(CliError::new(
            Exit::Failed,
            "not every file could be rewritten",
        )),
        false => Ok(()),
    }
}

/// The editor works on a copy: what has mistakes reaches the file only if its owner insists.
fn edit(paths: &Paths, out: Out, which: &str) -> Result<(), CliError> {
    let name = format!("{which}.toml");
    check_writable(paths, &name, &format!("config edit {which}"))?;
    let file = config::path(&paths.config, &name);
    let at = |error: io::Error| CliError::new(Exit::Failed, format!("{}: {error}", file.display()));
    let folder = std::env::temp_dir().join(format!("officeos-edit-{}", std::process::id()));
    std::os::unix::fs::DirBuilderExt::mode(&mut std::fs::DirBuilder::new(), 0o700)
        .create(&folder)
        .map_err(at)?;
    let edited = match edit_in(&folder, paths, &file, &name) {
        // What was written is somebody's work.
        Err(Unedited::Unsaved(error)) => {
            let words = format!(
                "{error}; what you wrote is in {}",
                folder.join(&name).display()
            );
            return Err(CliError::new(Exit::Failed, words));
        }
        Err(Unedited::Other(error)) => Err(error),
        Ok(changed) => Ok(changed),
    };
    let _ = std::fs::remove_dir_all(&folder);
    match edited? {
        false => out.print(&json!({ "changed": false }), |_| {
            "Nothing was changed.".to_owned()
        }),
        true => reload_if_running(paths, out),
    }
}

/// Why a file was not edited.
enum Unedited {
    /// What was written could not be saved.
    Unsaved(String),
    Other(CliError),
}

impl From<CliError> for Unedited {
    fn from(error: CliError) -> Self {
        Self::Other(error)
    }
}

fn edit_in(folder: &Path, paths: &Paths, file: &Path, name: &str) -> Result<bool, Unedited> {
    let at = |error: io::Error| CliError::new(Exit::Failed, format!("{}: {error}", file.display()));
    let copy = folder.join(name);
    let before = config::text(&paths.config, name).map_err(at)?;
    std::fs::write(&copy, &before).map_err(at)?;
    let editor = ["VISUAL", "EDITOR"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
        .unwrap_or_else(|| "editor".to_owned());
    let mark = config::digest(&before);
    loop {
        // As git does: the variable may have arguments in it.
        let status = std::process::Command::new("sh")
            .arg("-c")
            .arg(format!("{editor} \"$@\""))
            .arg(&editor)
            .arg(&copy)
            .status()
            .map_err(at)?;
        if !status.success() {
            let words = format!("{editor} ended with {status}; the file is as it was");
            return Err(CliError::new(Exit::Failed, words).into());
        }
        let text = std::fs::read_to_string(&copy).map_err(at)?;
        if text == before {
            return Ok(false);
        }
        let wanted = Save {
            name,
            text: &text,
            before: Some(&mark),
        };
        let findings = match config::save(&paths.config, wanted) {
            Ok(_) => return Ok(true),
            Err(Unsaved::Mistakes(findings)) => findings,
            Err(Unsaved::Changed) => {
                return Err(Unedited::Unsaved(format!(
                    "somebody else has changed {} meanwhile; it is as they left it",
                    file.display()
                )));
            }
            Err(Unsaved::Disk(error)) => {
                let words = format!("{}: {error}", file.display());
                return Err(Unedited::Unsaved(words));
            }
        };
        line(&words(&findings))?;
        if !again()? {
            let words = "the file is as it was, because of these mistakes";
            return Err(CliError::new(Exit::Settings, words).into());
        }
    }
}

/// Says before anything is begun that a file cannot be written, and what to type instead; `command` is what was typed.
pub(super) fn check_writable(paths: &Paths, name: &str, command: &str) -> Result<(), CliError> {
    if config::is_writable(&paths.config, name) {
        return Ok(());
    }
    let file = config::path(&paths.config, name);
    let file = file.display();
    let words = match paths.system {
        true => format!("{file} belongs to root; type: sudo officectl {command}"),
        false => format!("{file} cannot be written by you; its owner can: officectl {command}"),
    };
    Err(CliError::new(Exit::Failed, words))
}

/// Whether the person wants to mend it; nobody is asked where there is no terminal.
fn again() -> Result<bool, CliError> {
    if !io::stdin().is_terminal() {
        return Ok(false);
    }
    print!("Edit again? [Y/n] ");
    let mut answer = String::new();
    io::stdout()
        .flush()
        .and_then(|()| io::stdin().read_line(&mut answer))
        .map_err(|error| CliError::new(Exit::Failed, error.to_string()))?;
    Ok(!answer.is_empty() && !answer.trim().eq_ignore_ascii_case("n"))
}

impl Out {
    /// Whether a person reads along.
    pub(super) fn is_for_people(self) -> bool {
        self.format == Format::Table && !self.quiet
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reload_says_what_is_in_force_and_what_waits() {
        let mut report = ReloadReport {
            applied: true,
            changed: vec!["daemon.ask_timeout_s".into(), "files.quota_mb".into()],
            at_next_start: vec!["networking.bind_port".into()],
            findings: Vec::new(),
        };
        assert_eq!(
            told(&report),
            "In force now: daemon.ask_timeout_s, files.quota_mb\nAt the next start: networking.bind_port"
        );
        report.applied = false;
        report.findings = vec!["daemon.toml:3: error: no\x1b".into()];
        assert_eq!(told(&report), "daemon.toml:3: error: no\\u{1b}");
    }
}
