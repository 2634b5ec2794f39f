//! Whether the providers of the services work, and what to do where one does not.
//!
//! The daemon has no network: the service processes ask, with the code and the keys that they answer requests with.

use super::children::{Children, Spec};
use super::start;
use crate::config::Config;
use crate::control::api::ProviderReport;
use crate::ipc::{
    Failure, FailureCode, ProviderCheck, ServiceClient, ServiceEvent, ServiceRequest, Source,
};
use crate::paths::Paths;
use crate::sanitize::visible_within;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::time::{Duration, Instant};

/// Longest wait for all providers of a service.
const PATIENCE: Duration = Duration::from_secs(60);
/// Longest wait for a service process to be there.
const START_PATIENCE: Duration = Duration::from_secs(10);
/// Longest reason in the table, in characters.
const MAX_WORDS_CHARS: usize = 400;

/// Has the service called `name` ask all its providers.
pub(super) fn check(name: &str, client: &ServiceClient) -> Vec<ProviderReport> {
    match ask(client) {
        Ok(checks) => checks.iter().map(|one| report(name, one)).collect(),
        Err(failure) => vec![ProviderReport {
            service: name.to_owned(),
            provider: String::new(),
            address: String::new(),
            source: "service".to_owned(),
            works: false,
            models: 0,
            answered_ms: 0,
            advice: "look at its log: officectl logs".to_owned(),
            reason: failure.to_string(),
        }],
    }
}

fn ask(client: &ServiceClient) -> Result<Vec<ProviderCheck>, Failure> {
    let gone = |error: io::Error| Failure::new(FailureCode::ServiceGone, "", error.to_string());
    let events = client.call(&ServiceRequest::Check)?;
    events.set_idle_timeout(Some(PATIENCE)).map_err(gone)?;
    for event in events {
        match event {
            ServiceEvent::Checks(checks) => return Ok(checks),
            ServiceEvent::Failed(failure) => return Err(failure),
            _ => {}
        }
    }
    Ok(Vec::new())
}

fn report(service: &str, check: &ProviderCheck) -> ProviderReport {
    ProviderReport {
        service: service.to_owned(),
        provider: check.provider.clone(),
        address: check.address.clone(),
        source: match check.source {
            Source::File => "file",
            Source::Found => "found",
            Source::Key => "key",
            Source::BuiltIn => "built-in",
        }
        .to_owned(),
        works: check.trouble.is_none() && check.models > 0,
        models: check.models,
        answered_ms: check.answered_ms,
        reason: match &check.trouble {
            Some(failure) => failure.detail.clone(),
            None if check.models == 0 => "it answers and has no model".to_owned(),
            None => String::new(),
        },
        advice: advice(check),
    }
}

/// What a person can do about a provider that does not work; empty for one that does.
fn advice(check: &ProviderCheck) -> String {
    let where_from = match check.source {
        Source::File => "its entry in services.toml",
        Source::Key => "the environment variable with its key",
        Source::Found | Source::BuiltIn => "whether it still runs",
    };
    match check.trouble.as_ref().map(|failure| failure.code) {
        None if check.models == 0 => "load or install a model there".to_owned(),
        None => String::new(),
        Some(FailureCode::ProviderUnreachable) => {
            format!("start it, or mend its base_url; look at {where_from}")
        }
        Some(FailureCode::KeyRefused) => {
            "set the environment variable with its key to one that it takes, and restart the service"
                .to_owned()
        }
        Some(FailureCode::RateLimited) => {
            "wait; its account may have run out of requests or money".to_owned()
        }
        Some(FailureCode::NotFound | FailureCode::ProviderFailed | FailureCode::Unsupported) => {
            format!("see whether kind and base_url are right; look at {where_from}")
        }
        Some(_) => format!("look at {where_from}"),
    }
}

/// `--test-external-apis`: starts the service processes for themselves alone, has each ask its providers, and prints what
/// works, what does not, and what to do. False where one that somebody set up does not work.
///
/// # Errors
/// The folder for their sockets cannot be made, or a process not be started.
pub(super) fn test(config: &Config, paths: &Paths, binaries: &Path) -> io::Result<bool> {
    let run = std::env::temp_dir().join(format!("officeos-test-apis-{}", std::process::id()));
    std::fs::DirBuilder::new().mode(0o700).create(&run)?;
    let own = Paths {
        run: run.clone(),
        ..paths.clone()
    };
    let specs: Vec<Spec> = start::services(config, &own)
        .into_iter()
        .filter(|spec| spec.name != "fetch-service")
        .collect();
    let names: Vec<(&str, &str)> = specs
        .iter()
        .map(|spec| match spec.name {
            "llm-service" => ("language", "llm.sock"),
            _ => ("image", "image.sock"),
        })
        .collect();
    let children = Children::start(binaries, specs);
    let mut all = Vec::new();
    if children.is_ok() {
        for (name, socket) in &names {
            let socket = run.join(socket);
            let until = Instant::now() + START_PATIENCE;
            while !socket.exists() && Instant::now() < until {
                std::thread::sleep(Duration::from_millis(20));
            }
            all.extend(check(name, &ServiceClient::same_user(socket)));
        }
    }
    let ended = children.map(drop);
    if let Err(error) = std::fs::remove_dir_all(&run) {
        log::warn!("{} stays behind: {error}", run.display());
    }
    ended?;
    print!("{}", table(&all));
    if names.is_empty() {
        println!("llm_enabled and image_generation_enabled are both false in daemon.toml");
    }
    Ok(all.iter().all(|one| one.works))
}

/// A line for each provider, and one for what to do.
pub(crate) fn table(all: &[ProviderReport]) -> String {
    let shown = |text: &str| visible_within(text, MAX_WORDS_CHARS);
    let name = |one: &ProviderReport| match one.provider.as_str() {
        "" => format!("{} service", one.service),
        provider => shown(provider),
    };
    let width = |of: &dyn Fn(&ProviderReport) -> usize| all.iter().map(of).max().unwrap_or(0);
    let names = width(&|one| name(one).chars().count());
    let addresses = width(&|one| shown(&one.address).chars().count());
    let mut text = String::new();
    for one in all {
        let verdict = if one.works { "works" } else { "FAULT" };
        let words = match one.works {
            true => {
                let s = if one.models == 1 { "" } else { "s" };
                format!(
                    "{} model{s}, answered in {} ms",
                    one.models, one.answered_ms
                )
            }
            false => shown(&one.reason),
        };
        text.push_str(&format!(
            "{verdict}  {:8}  {:names$}  {:addresses$}  {words}\n",
            one.service,
            name(one),
            shown(&one.address)
        ));
        if !one.advice.is_empty() {
            text.push_str(&format!("       do: {}\n", shown(&one.advice)));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(models: u32, trouble: Option<Failure>) -> ProviderCheck {
        ProviderCheck {
            provider: "desk".into(),
            address: "http://desk/v1".into(),
            source: Source::File,
            models,
            answered_ms: 12,
            trouble,
        }
    }

    #[test]
    fn what_works_and_what_to_do_about_what_does_not() {
        let refused = Failure::new(
            FailureCode::KeyRefused,
            "desk",
            "desk said: no such key\x1b",
        );
        let all = [
            report("language", &checked(2, None)),
            report("image", &checked(0, None)),
            report("language", &checked(0, Some(refused))),
        ];
        assert_eq!(
            table(&all),
            "works  language  desk  http://desk/v1  2 models, answered in 12 ms\n\
             FAULT  image     desk  http://desk/v1  it answers and has no model\n\
             \x20      do: load or install a model there\n\
             FAULT  language  desk  http://desk/v1  desk said: no such key\\u{1b}\n\
             \x20      do: set the environment variable with its key to one that it takes, and restart the service\n"
        );
    }
}
