//! New settings for a running daemon: what can apply at once does, what needs a start is named, and nothing applies of
//! files with a mistake in them. No session ends.

use super::children::Children;
use super::settled::Settled;
use super::start;
use crate::config::{self, Finding};
use crate::control::api::ReloadReport;
use crate::hub::{Hub, Services};
use crate::ipc::{ServiceClient, ServiceEvent, ServiceRequest};
use crate::paths::Paths;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Longest wait for a service that reads its settings again.
const PATIENCE: Duration = Duration::from_secs(5);

/// See the module.
pub(super) struct Reloader {
    pub(super) settled: Arc<Settled>,
    pub(super) hub: Arc<Hub>,
    pub(super) paths: Paths,
    pub(super) services: Services,
    /// The processes of `--standalone`; none where systemd has them.
    pub(super) children: Mutex<Option<Children>>,
}

impl Reloader {
    /// Reads the files again and goes by them.
    pub(super) fn reload(&self) -> ReloadReport {
        // One at a time: this is held to the end.
        let mut children = self.children.lock().unwrap_or_else(PoisonError::into_inner);
        let findings = config::check(&self.paths.config);
        let mut report = ReloadReport {
            findings: findings.iter().map(ToString::to_string).collect(),
            ..ReloadReport::default()
        };
        let new = match config::load(&self.paths.config) {
            Ok((new, _)) if !findings.iter().any(Finding::is_error) => new,
            _ => {
                log::error!("the settings have mistakes; those of before stay in force");
                for finding in &findings {
                    match finding.is_error() {
                        true => log::error!("{finding}"),
                        false => log::warn!("{finding}"),
                    }
                }
                return report;
            }
        };
        report.applied = true;
        let old = self.settled.now();
        for change in config::changes(&old, &new) {
            let list = match change.at_once {
                true => &mut report.changed,
                false => &mut report.at_next_start,
            };
            list.push(change.key.to_owned());
        }
        let new = config::in_force(&old, &new);
        self.hub.set_settings(start::settings(&new, &self.paths));
        let offered = start::offered(&new);
        self.settled.set(new.clone());
        if let Some(children) = children.as_mut()
            && let Err(error) = children.adjust(start::services(&new, &self.paths))
        {
            report.findings.push(format!("warning: {error}"));
        }
        for (name, client) in [
            ("language", &self.services.language),
            ("image", &self.services.image),
        ] {
            if offered.contains(&name)
                && let Err(words) = tell(client)
            {
                // One that was started just now has read the new settings by itself.
                if !report
                    .changed
                    .iter()
                    .any(|key| key.starts_with("services."))
                {
                    report
                        .findings
                        .push(format!("warning: the {name} service: {words}"));
                }
            }
        }
        self.hub.refresh_models();
        log::info!(
            "the settings were read again: {} changed, {} wait for the next start",
            report.changed.len(),
            report.at_next_start.len()
        );
        report
    }

    /// Ends the processes of `--standalone`.
    pub(super) fn end(&self) {
        *self.children.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// Has a service read its settings again.
fn tell(client: &ServiceClient) -> Result<(), String> {
    let events = client
        .call(&ServiceRequest::Reload)
        .map_err(|error| error.to_string())?;
    events
        .set_idle_timeout(Some(PATIENCE))
        .map_err(|error| error.to_string())?;
    match events.into_iter().last() {
        Some(ServiceEvent::Done(_)) => Ok(()),
        Some(ServiceEvent::Failed(failure)) => Err(failure.to_string()),
        _ => Err("it ended without an answer".to_owned()),
    }
}
