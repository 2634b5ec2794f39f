//! Commands about the daemon itself.

use super::Talk;
use super::exit::{CliError, Exit};
use super::format::{span, table};
use crate::control::api::{Model, Status};
use crate::sanitize::visible;
use serde_json::Value;

pub(super) fn status(talk: &mut Talk) -> Result<(), CliError> {
    let status: Status = talk.call("status", Value::Null)?;
    talk.print(&status, |status| {
        let link = if status.link.is_empty() { "no carrier; link-service is not there" } else { &status.link };
        let services: Vec<String> = status
            .services
            .iter()
            .map(|(name, answers)| format!("{name} {}", if *answers { "answers" } else { "does not answer" }))
            .collect();
        format!(
            "{}, laptop-daemon {}, running for {}\n  Link      {link}\n  Devices   {} of {} paired, {} linked\n  \
             Requests  {} running, {} waiting for an answer\n  Services  {}",
            visible(&status.name),
            status.version,
            span(status.uptime_s as i64),
            status.devices,
            status.max_devices,
            status.linked,
            status.running,
            status.pending,
            services.join(", ")
        )
    })
}

pub(super) fn models(talk: &mut Talk) -> Result<(), CliError> {
    let models: Vec<Model> = talk.call("models", Value::Null)?;
    talk.print(&models, |models| {
        if models.is_empty() {
            return "No service answers, so no model is offered.".to_owned();
        }
        let rows: Vec<Vec<String>> = models
            .iter()
            .map(|model| {
                let state = match model.loaded {
                    Some(true) => "loaded",
                    Some(false) => "on disk",
                    None => "",
                };
                let default = if model.default { "default" } else { "" };
                vec![
                    model.service.clone(),
                    model.id.clone(),
                    state.into(),
                    default.into(),
                    model.note.clone(),
                ]
            })
            .collect();
        table(&["SERVICE", "MODEL", "STATE", "", "NOTE"], &rows)
    })
}

pub(super) fn check(talk: &mut Talk) -> Result<(), CliError> {
    let findings: Vec<String> = talk.call("config.check", Value::Null)?;
    talk.print(&findings, |findings| {
        if findings.is_empty() {
            return "The settings are fine.".to_owned();
        }
        findings
            .iter()
            .map(|finding| visible(finding))
            .collect::<Vec<_>>()
            .join("\n")
    })?;
    if findings.iter().any(|finding| finding.contains("error: ")) {
        return Err(CliError::new(Exit::Settings, "the settings have mistakes"));
    }
    Ok(())
}
