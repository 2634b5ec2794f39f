//! `officectl doctor`: everything in one look, each line with what mends it.

use super::exit::{CliError, Exit};
use super::format::{Tint, size, tinted};
use super::{Out, Talk};
use crate::config;
use crate::control::api::ServiceReport;
use crate::link::radio::Verdict;
use crate::paths::{Paths, room_at};
use crate::sanitize::visible_within;
use serde::Serialize;
use serde_json::Value;
use std::os::unix::fs::MetadataExt;
use std::time::{SystemTime, UNIX_EPOCH};

/// Longest words of a finding, in characters.
const MAX_WORDS_CHARS: usize = 400;
/// Free disk below which results and files may not fit, in octets.
const LITTLE_DISK: u64 = 1 << 30;
/// Free disk below which nothing works, in octets.
const NO_DISK: u64 = 64 << 20;
/// No clock that is right shows a time before this program was written: 2026-01-01, in seconds since 1970.
const WRITTEN_AT: u64 = 1_767_225_600;

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Line {
    what: String,
    /// `fine`, `warn` or `FAULT`.
    verdict: &'static str,
    words: String,
    /// What mends it; empty where nothing has to.
    remedy: String,
}

impl Line {
    fn new(what: &str, verdict: &'static str, words: impl Into<String>, remedy: &str) -> Self {
        Self {
            what: what.to_owned(),
            verdict,
            words: words.into(),
            remedy: remedy.to_owned(),
        }
    }

    fn fine(what: &str, words: impl Into<String>) -> Self {
        Self::new(what, "fine", words, "")
    }
}

pub(super) fn run(paths: &Paths, out: Out) -> Result<(), CliError> {
    let mut lines = Vec::new();
    settings(paths, &mut lines);
    let talk = Talk::connect(paths, out);
    folders(paths, talk.is_ok(), &mut lines);
    disk(paths, &mut lines);
    lines.push(clock(
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |t| t.as_secs()),
    ));
    match talk.and_then(|mut talk| daemon(&mut talk, &mut lines)) {
        Ok(()) => {}
        Err(error) => lines.push(Line::new(
            "daemon",
            "FAULT",
            error.message,
            match paths.system {
                true => {
                    "systemctl status officeos-daemon; sudo systemctl start officeos-daemon; your user has to be in the group officeos"
                }
                false => "laptop-daemon --standalone",
            },
        )),
    }
    radio(paths, &mut lines);
    out.print(&lines, |lines| table(lines))?;
    match lines.iter().any(|line| line.verdict == "FAULT") {
        true => Err(CliError::new(
            Exit::Faults,
            "something needs mending; see each FAULT",
        )),
        false => Ok(()),
    }
}

fn table(lines: &[Line]) -> String {
    let width = lines.iter().map(|line| line.what.chars().count()).max();
    let width = width.unwrap_or(0);
    let mut text = String::new();
    for line in lines {
        let tint = match line.verdict {
            "fine" => Tint::Good,
            "warn" => Tint::Warn,
            _ => Tint::Bad,
        };
        let verdict = tinted(&format!("{:5}", line.verdict), tint);
        let words = visible_within(&line.words, MAX_WORDS_CHARS);
        text.push_str(&format!("{verdict}  {:width$}  {words}\n", line.what));
        if !line.remedy.is_empty() {
            let remedy = visible_within(&line.remedy, MAX_WORDS_CHARS);
            text.push_str(&format!("       {:width$}  do: {remedy}\n", ""));
        }
    }
    text
}

fn settings(paths: &Paths, lines: &mut Vec<Line>) {
    let findings = config::check(&paths.config);
    for finding in &findings {
        let (verdict, remedy) = match finding.is_error() {
            true => ("FAULT", "officectl config edit"),
            false => ("warn", ""),
        };
        lines.push(Line::new("settings", verdict, finding.to_string(), remedy));
    }
    if findings.is_empty() {
        lines.push(Line::fine("settings", paths.config.display().to_string()));
    }
}

/// What only the daemon may read has to be closed to others, and be there where a daemon runs.
fn folders(paths: &Paths, runs: bool, lines: &mut Vec<Line>) {
    for (what, folder) in [
        ("state", &paths.state),
        ("drop folders", &paths.files),
        ("sockets", &paths.run),
    ] {
        let shown = folder.display().to_string();
        match std::fs::metadata(folder) {
            Ok(found) if !paths.system && found.mode() & 0o077 != 0 => {
                let others = what != "drop folders" || found.mode() & 0o007 != 0;
                lines.push(Line::new(
                    what,
                    if others { "FAULT" } else { "warn" },
                    format!(
                        "{shown} is open to others (mode {:03o})",
                        found.mode() & 0o777
                    ),
                    &format!("chmod 700 '{shown}'"),
                ));
            }
            Ok(_) => lines.push(Line::fine(what, shown)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !runs => {
                lines.push(Line::fine(
                    what,
                    format!("{shown} is made at the first start"),
                ));
            }
            // In the system's installation these are closed to everybody, this user too.
            Err(error) if paths.system && error.kind() == std::io::ErrorKind::PermissionDenied => {
                lines.push(Line::fine(what, format!("{shown}, closed to others")));
            }
            Err(error) => lines.push(Line::new(
                what,
                "FAULT",
                format!("{shown}: {error}"),
                "start laptop-daemon again",
            )),
        }
    }
}

fn disk(paths: &Paths, lines: &mut Vec<Line>) {
    // Each may be on a disk of its own; what is asked of it needs no right to look inside.
    let places = [&paths.home, &paths.state, &paths.files];
    let free = places.into_iter().filter_map(|place| room_at(place)).min();
    lines.extend(free.map(room));
}

fn room(free: u64) -> Line {
    let words = format!("{} free", size(free));
    let remedy = "delete something; results.keep_mb and files.quota_mb in daemon.toml bound what is kept here";
    match free {
        ..NO_DISK => Line::new("disk", "FAULT", words, remedy),
        NO_DISK..LITTLE_DISK => Line::new("disk", "warn", words, remedy),
        _ => Line::fine("disk", words),
    }
}

fn clock(now: u64) -> Line {
    match now < WRITTEN_AT {
        true => Line::new(
            "clock",
            "FAULT",
            "it shows a time before this program was written; pairings end by it",
            "sudo timedatectl set-ntp true",
        ),
        false => Line::fine("clock", "plausible"),
    }
}

fn daemon(talk: &mut Talk, lines: &mut Vec<Line>) -> Result<(), CliError> {
    let status = talk.status()?;
    let own = env!("CARGO_PKG_VERSION");
    lines.push(match status.version == own {
        true => Line::fine("daemon", format!("laptop-daemon {own} answers")),
        false => Line::new(
            "daemon",
            "warn",
            format!("laptop-daemon {} answers officectl {own}", status.version),
            "restart the daemon, so that both are of one version",
        ),
    });
    lines.push(match status.carriers.is_empty() {
        true => Line::new(
            "carriers",
            "FAULT",
            "link-service is not there, so no handheld can come",
            "officectl logs",
        ),
        false => {
            let all: Vec<&str> = status
                .carriers
                .iter()
                .map(|one| one.carrier.as_str())
                .collect();
            Line::fine("carriers", all.join(", "))
        }
    });
    lines.push(match status.devices {
        0 => Line::new("devices", "warn", "no handheld is paired", "officectl pair"),
        paired => Line::fine(
            "devices",
            format!("{paired} paired, {} linked", status.linked),
        ),
    });
    let services: Vec<ServiceReport> = talk.call("services.list", Value::Null)?;
    for service in services.iter().filter(|service| service.enabled) {
        if !service.answers {
            let what = format!("{} service", service.name);
            lines.push(Line::new(
                &what,
                "FAULT",
                "does not answer",
                "officectl logs",
            ));
        }
        for one in &service.providers {
            let what = format!("{} service", service.name);
            let words = format!("{} at {}", one.provider, one.address);
            lines.push(match one.health.as_str() {
                "healthy" if one.address.is_empty() => Line::fine(&what, one.provider.clone()),
                "healthy" => Line::fine(&what, words),
                "degraded" => Line::new(
                    &what,
                    "warn",
                    format!("{words}: {}", one.reason),
                    "officectl services test",
                ),
                _ => Line::new(
                    &what,
                    "FAULT",
                    format!("{words}: {}", one.reason),
                    "officectl services test",
                ),
            });
        }
        if service.answers && service.providers.is_empty() {
            lines.push(Line::fine(&format!("{} service", service.name), "answers"));
        }
    }
    Ok(())
}

/// The radio, and the firewall in front of it; not being there is no fault, as there are other carriers.
fn radio(paths: &Paths, lines: &mut Vec<Line>) {
    let Ok((settings, _)) = config::load(&paths.config) else {
        return;
    };
    if !settings.daemon.wifi_direct.enabled {
        lines.push(Line::fine(
            "radio",
            "Wi-Fi Direct is switched off in daemon.toml",
        ));
        return;
    }
    match crate::daemon::radio_findings(&settings, paths) {
        Ok(findings) => lines.extend(findings.into_iter().map(|one| {
            let verdict = match one.verdict {
                Verdict::Fine => "fine",
                Verdict::Warn | Verdict::Fault => "warn",
            };
            let remedy = one.remedy.unwrap_or_default();
            Line::new(one.what, verdict, one.words, &remedy)
        })),
        Err(error) => lines.push(Line::new("radio", "warn", error.to_string(), "")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn little_room_warns_and_none_is_a_fault() {
        assert_eq!(room(5 << 30), Line::fine("disk", "5 GB free"));
        assert_eq!(room(500 << 20).verdict, "warn");
        assert_eq!(room(5 << 20).verdict, "FAULT");
    }

    #[test]
    fn a_clock_from_before_is_a_fault() {
        assert_eq!(clock(0).verdict, "FAULT");
        assert_eq!(clock(WRITTEN_AT + 1).verdict, "fine");
    }

    #[test]
    fn each_fault_stands_above_what_mends_it() {
        let lines = [
            Line::fine("disk", "5 GB free"),
            Line::new(
                "daemon",
                "FAULT",
                "gone\x1b[2J",
                "laptop-daemon --standalone",
            ),
        ];
        assert_eq!(
            table(&lines),
            "fine   disk    5 GB free\n\
             FAULT  daemon  gone\\u{1b}[2J\n\
             \x20              do: laptop-daemon --standalone\n"
        );
    }
}
