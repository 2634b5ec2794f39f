//! Commands about services, their providers and models.

use super::exit::{CliError, Exit};
use super::format::table;
use super::{Out, Talk, config};
use crate::config::{set_setting, set_setting_in_list};
use crate::control::api::{Model, ModelId, ProviderReport, ServiceReport};
use crate::paths::Paths;
use serde_json::Value;

/// The services, and what switches each in `daemon.toml`.
const SWITCHES: [(&str, &str); 3] = [
    ("language", "llm_enabled"),
    ("image", "image_generation_enabled"),
    ("fetch", "fetch_enabled"),
];

/// Arguments of `officectl services`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List services and providers, and how they are
    List,
    /// Ask every provider now; say what works and what to do about what does not
    Test,
    /// Switch a service on (language, image, fetch), or a provider that services.toml names
    Enable {
        /// language, image, fetch, or the name of a provider
        name: String,
    },
    /// Switch a service or a provider off, at once
    Disable {
        /// language, image, fetch, or the name of a provider
        name: String,
    },
}

impl Arguments {
    /// Whether it changes a file, which needs no daemon.
    pub(super) fn is_change(&self) -> bool {
        matches!(
            self.command,
            Some(Command::Enable { .. } | Command::Disable { .. })
        )
    }
}

/// Arguments of `officectl models`.
#[derive(Debug, clap::Args)]
pub(super) struct ModelArguments {
    #[command(subcommand)]
    command: Option<ModelCommand>,
}

#[derive(Debug, clap::Subcommand)]
enum ModelCommand {
    /// List the models that devices are offered
    List,
    /// Ask every provider for its models now; say what works
    Test,
    /// Let a model be asked again
    Enable {
        /// Its name as `officectl models` has it: provider/model
        model: String,
    },
    /// Let nobody ask a model, at once and for good; what it writes just now it writes to the end
    Disable {
        /// Its name as `officectl models` has it: provider/model
        model: String,
    },
}

pub(super) fn run(talk: &mut Talk, arguments: &Arguments) -> Result<(), CliError> {
    match arguments.command {
        Some(Command::Test) => test(talk),
        _ => list(talk),
    }
}

fn list(talk: &mut Talk) -> Result<(), CliError> {
    let services: Vec<ServiceReport> = talk.call("services.list", Value::Null)?;
    talk.print(&services, |services| {
        table(
            &[
                "SERVICE", "STATE", "PROVIDER", "HEALTH", "ADDRESS", "REASON",
            ],
            &rows(services),
        )
    })
}

fn rows(services: &[ServiceReport]) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for service in services {
        let state = match (service.enabled, service.answers) {
            (false, _) => "off",
            (true, true) => "answers",
            (true, false) => "does not answer",
        };
        let mut head = [service.name.clone(), state.to_owned()];
        if service.providers.is_empty() {
            rows.push(head.to_vec());
        }
        for one in &service.providers {
            let mut row = std::mem::take(&mut head).to_vec();
            row.extend([
                one.provider.clone(),
                one.health.clone(),
                one.address.clone(),
                one.reason.clone(),
            ]);
            rows.push(row);
        }
    }
    rows
}

fn test(talk: &mut Talk) -> Result<(), CliError> {
    let all: Vec<ProviderReport> = talk.call("services.test", Value::Null)?;
    talk.print(&all, |all| match all.is_empty() {
        true => "Language and image services are both off.".to_owned(),
        false => crate::daemon::provider_table(all),
    })?;
    match all.iter().all(|one| one.works) {
        true => Ok(()),
        false => Err(CliError::new(Exit::Faults, "not every provider works")),
    }
}

/// Switches a service or a provider in its file, and has a daemon that runs take it over.
pub(super) fn change(paths: &Paths, out: Out, arguments: &Arguments) -> Result<(), CliError> {
    let (name, on) = match &arguments.command {
        Some(Command::Enable { name }) => (name, true),
        Some(Command::Disable { name }) => (name, false),
        _ => return Ok(()),
    };
    let failed = |error: std::io::Error| {
        let file = paths.config.display();
        CliError::new(
            Exit::Failed,
            format!("{file} and what is beside it cannot be written: {error}"),
        )
    };
    let value = if on { "true" } else { "false" };
    let known = SWITCHES.into_iter().find(|(service, _)| service == name);
    let command = format!("services {} {name}", if on { "enable" } else { "disable" });
    let written = match known {
        Some(_) => "daemon.toml",
        None => "services.toml",
    };
    config::check_writable(paths, written, &crate::sanitize::visible(&command))?;
    match known {
        Some((_, key)) => set_setting(&paths.config, "services", key, value).map_err(failed)?,
        None => {
            let file = paths.config.with_file_name("services.toml");
            if !set_setting_in_list(&file, "provider", name, "enabled", value).map_err(failed)? {
                let shown = crate::sanitize::visible(name);
                let words = format!(
                    "there is no service and no entry in services.toml called {shown}; see officectl services"
                );
                return Err(CliError::new(Exit::NotFound, words));
            }
        }
    }
    config::reload_if_running(paths, out)
}

pub(super) fn models(talk: &mut Talk, arguments: &ModelArguments) -> Result<(), CliError> {
    let models: Vec<Model> = match &arguments.command {
        Some(ModelCommand::Test) => return test(talk),
        Some(ModelCommand::Enable { model }) => {
            let id = model.clone();
            talk.call("models.enable", ModelId { id })?
        }
        Some(ModelCommand::Disable { model }) => {
            let id = model.clone();
            talk.call("models.disable", ModelId { id })?
        }
        Some(ModelCommand::List) | None => talk.call("models", Value::Null)?,
    };
    talk.print(&models, |models| {
        if models.is_empty() {
            return "No service answers, so no model is offered.".to_owned();
        }
        let rows: Vec<Vec<String>> = models
            .iter()
            .map(|model| {
                let state = match (model.enabled, model.loaded) {
                    (false, _) => "off",
                    (true, Some(true)) => "loaded",
                    (true, Some(false)) => "on disk",
                    (true, None) => "",
                };
                let default = match (model.default, model.embeds) {
                    (true, _) => "default",
                    (false, Some(true)) => "embeddings",
                    (false, _) => "",
                };
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::api::ProviderState;

    #[test]
    fn a_service_is_named_once_and_each_provider_has_a_line() {
        let provider = |name: &str, health: &str, reason: &str| ProviderState {
            provider: name.into(),
            address: "http://desk".into(),
            health: health.into(),
            reason: reason.into(),
        };
        let services = [
            ServiceReport {
                name: "language".into(),
                enabled: true,
                answers: true,
                providers: vec![
                    provider("desk", "healthy", ""),
                    provider("\x1b[2J", "unhealthy", "gone"),
                ],
            },
            ServiceReport {
                name: "fetch".into(),
                enabled: false,
                answers: false,
                providers: Vec::new(),
            },
        ];
        assert_eq!(
            table(
                &[
                    "SERVICE", "STATE", "PROVIDER", "HEALTH", "ADDRESS", "REASON"
                ],
                &rows(&services)
            ),
            "SERVICE   STATE    PROVIDER   HEALTH     ADDRESS      REASON\n\
             language  answers  desk       healthy    http://desk\n\
             \x20                  \\u{1b}[2J  unhealthy  http://desk  gone\n\
             fetch     off\n"
        );
    }
}
