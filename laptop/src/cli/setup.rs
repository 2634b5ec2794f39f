//! `officectl setup`: the first settings, by questions on a terminal or by flags.

use super::exit::{CliError, Exit};
use super::format::{Tint, line, table, tinted};
use super::{Out, Talk, config, pair};
use crate::config::{Config, set_setting};
use crate::control::api::ProviderReport;
use crate::link::radio::Verdict;
use crate::paths::Paths;
use crate::sanitize::{is_hostile, visible, visible_within};
use serde_json::{Value, json};
use shared_proto::opcode::Operation;
use std::io::{self, IsTerminal, Write};

/// Longest words about the radio, in characters.
const MAX_WORDS_CHARS: usize = 400;

/// Arguments of `officectl setup`. What no flag says is asked on a terminal, and stays as it is without one.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Ask nothing: what no flag says stays as it is
    #[arg(short, long)]
    yes: bool,
    /// Name that handhelds show for this laptop
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Offer chat, completion, code and summaries
    #[arg(long, value_name = "BOOL")]
    language: Option<bool>,
    /// Offer pictures
    #[arg(long, value_name = "BOOL")]
    images: Option<bool>,
    /// Offer downloads of addresses that a device's list allows
    #[arg(long, value_name = "BOOL")]
    downloads: Option<bool>,
    /// Own a Wi-Fi Direct group
    #[arg(long, value_name = "BOOL")]
    wifi_direct: Option<bool>,
    /// What a new device may do with text
    #[arg(long, value_name = "RULE", value_parser = RULES)]
    new_text: Option<String>,
    /// What a new device may do with pictures
    #[arg(long, value_name = "RULE", value_parser = RULES)]
    new_pictures: Option<String>,
    /// What a new device may do in its own drop folder
    #[arg(long, value_name = "RULE", value_parser = RULES)]
    new_files: Option<String>,
    /// Pair a handheld at the end
    #[arg(long)]
    pair: bool,
}

/// The rules; there is none for everything at once.
const RULES: [&str; 3] = ["deny", "ask", "allow"];

/// The families of operations that are asked about together.
const FAMILIES: [(&str, &[Operation]); 3] = [
    (
        "text (chat, complete, code, summarize, embed)",
        &[
            Operation::Chat,
            Operation::Complete,
            Operation::Code,
            Operation::Summarize,
            Operation::Embed,
        ],
    ),
    (
        "pictures (generate, edit, upscale, variation, fit)",
        &[
            Operation::Generate,
            Operation::Edit,
            Operation::Upscale,
            Operation::Variation,
            Operation::Fit,
        ],
    ),
    (
        "its own files (list, metadata, get, put)",
        &[
            Operation::List,
            Operation::Metadata,
            Operation::Get,
            Operation::Put,
        ],
    ),
];

/// One value to write.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Wish {
    file: &'static str,
    section: &'static str,
    key: &'static str,
    value: String,
}

pub(super) fn run(paths: &Paths, out: Out, arguments: &Arguments) -> Result<(), CliError> {
    let (now, _) = crate::config::load(&paths.config).map_err(|findings| {
        let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
        CliError::new(
            Exit::Settings,
            format!("mend the settings first:\n{}", lines.join("\n")),
        )
    })?;
    let mut person = Person {
        listens: !arguments.yes && out.is_for_people() && io::stdin().is_terminal(),
    };
    let wishes = wishes(&now, arguments, &mut person)?;
    if !wishes.is_empty() {
        write(paths, &wishes)?;
        config::reload_if_running(paths, out)?;
    }
    if out.is_for_people() {
        providers(paths, out)?;
        radio(paths)?;
    }
    let pair_now =
        arguments.pair || (person.listens && person.yes("Pair a handheld now?", true)?);
    if pair_now {
        let mut talk = Talk::connect(paths, out)?;
        return pair::run(&mut talk, &pair::Arguments::default());
    }
    out.print(&json!({ "written": wishes.len() }), |_| {
        format!(
            "{} See what there is with: officectl doctor. Pair with: officectl pair",
            match wishes.len() {
                0 => "Nothing was changed.".to_owned(),
                count => format!("{count} settings are written."),
            }
        )
    })
}

/// What differs from the settings of now, by flag or by answer.
fn wishes(now: &Config, given: &Arguments, person: &mut Person) -> Result<Vec<Wish>, CliError> {
    let mut all = Vec::new();
    let name = match &given.name {
        Some(name) => name.clone(),
        None => person.text("Name of this laptop on handhelds", &now.daemon.device_name)?,
    };
    if name.is_empty() || name.len() > 64 || name.chars().any(is_hostile) {
        return Err(CliError::new(
            Exit::Usage,
            "a name has 1 to 64 bytes of visible characters",
        ));
    }
    if name != now.daemon.device_name {
        // A text of JSON is one of TOML: both escape alike.
        all.push(Wish {
            file: "daemon.toml",
            section: "daemon",
            key: "device_name",
            value: Value::String(name).to_string(),
        });
    }
    let mut flag = |section, key, flag: Option<bool>, now: bool, question: &str| {
        let wanted = match flag {
            Some(wanted) => wanted,
            None => person.yes(question, now)?,
        };
        if wanted != now {
            all.push(Wish {
                file: "daemon.toml",
                section,
                key,
                value: wanted.to_string(),
            });
        }
        Ok::<(), CliError>(())
    };
    let daemon = &now.daemon;
    flag(
        "services",
        "llm_enabled",
        given.language,
        daemon.llm_enabled,
        "Offer chat, completion, code and summaries?",
    )?;
    flag(
        "services",
        "image_generation_enabled",
        given.images,
        daemon.image_generation_enabled,
        "Offer pictures?",
    )?;
    flag(
        "services",
        "fetch_enabled",
        given.downloads,
        daemon.fetch_enabled,
        "Offer downloads of addresses that you allow?",
    )?;
    flag(
        "networking",
        "wifi_direct_enabled",
        given.wifi_direct,
        daemon.wifi_direct.enabled,
        "Link handhelds by Wi-Fi Direct?",
    )?;
    let rules = [&given.new_text, &given.new_pictures, &given.new_files];
    for ((what, operations), rule) in FAMILIES.into_iter().zip(rules) {
        let profile = &now.permissions.new_device;
        let first = profile.rule(operations[0]).name();
        let wanted = match rule {
            Some(rule) => rule.clone(),
            None => person.rule(what, first)?,
        };
        // An answer that only confirms what the first shows leaves the others as they are.
        let all_alike = rule.is_none() && wanted == first;
        for operation in operations.iter().filter(|_| !all_alike) {
            if profile.rule(*operation).name() != wanted {
                all.push(Wish {
                    file: "permissions.toml",
                    section: "new_device",
                    key: operation.name(),
                    value: format!("\"{wanted}\""),
                });
            }
        }
    }
    Ok(all)
}

fn write(paths: &Paths, wishes: &[Wish]) -> Result<(), CliError> {
    let failed = |error: io::Error| {
        CliError::new(
            Exit::Failed,
            format!(
                "{} and what is beside it cannot be written: {error}",
                paths.config.display()
            ),
        )
    };
    if let Some(folder) = paths.config.parent() {
        crate::config::write_templates(folder).map_err(failed)?;
    }
    for wish in wishes {
        let file = match wish.file {
            "daemon.toml" => paths.config.clone(),
            other => paths.config.with_file_name(other),
        };
        set_setting(&file, wish.section, wish.key, &wish.value).map_err(failed)?;
    }
    Ok(())
}

/// The providers that there are, where a daemon can tell.
fn providers(paths: &Paths, out: Out) -> Result<(), CliError> {
    if super::nobody_runs(paths) {
        let start = match paths.system {
            true => "sudo systemctl start officeos-daemon",
            false => "laptop-daemon --standalone",
        };
        return line(&format!("No daemon runs yet; start it with: {start}"));
    }
    let mut talk = match Talk::connect(paths, out) {
        Ok(talk) => talk,
        Err(error) => return line(&error.message),
    };
    let all: Vec<ProviderReport> = talk.call("services.test", Value::Null)?;
    line(&tinted("Providers", Tint::Bold))?;
    line(crate::daemon::provider_table(&all).trim_end())?;
    if all.iter().all(|one| one.source == "built-in") {
        line(
            "Only the built-in ones are there. Start Ollama, LM Studio or llama.cpp, or name a provider with: officectl config edit services",
        )?;
    }
    Ok(())
}

/// What Wi-Fi Direct lacks, where it is wanted.
fn radio(paths: &Paths) -> Result<(), CliError> {
    let Ok((now, _)) = crate::config::load(&paths.config) else {
        return Ok(());
    };
    if !now.daemon.wifi_direct.enabled {
        return Ok(());
    }
    let Ok(findings) = crate::daemon::radio_findings(&now, paths) else {
        return Ok(());
    };
    line(&tinted("Radio", Tint::Bold))?;
    let faults: Vec<Vec<String>> = findings
        .into_iter()
        .filter(|one| one.verdict == Verdict::Fault)
        .map(|one| {
            let words = visible_within(&one.words, MAX_WORDS_CHARS);
            vec![one.what.to_owned(), words, one.remedy.unwrap_or_default()]
        })
        .collect();
    match faults.is_empty() {
        true => line("Wi-Fi Direct has what it needs."),
        false => {
            line(table(&["WHAT", "FOUND", "DO"], &faults).trim_end())?;
            line("Other carriers work all the same: USB cable, network.")
        }
    }
}

/// Who answers; nobody where there is no terminal, and then what is stays.
struct Person {
    listens: bool,
}

impl Person {
    fn text(&mut self, question: &str, now: &str) -> Result<String, CliError> {
        if !self.listens {
            return Ok(now.to_owned());
        }
        print!("{question} [{}]: ", visible(now));
        let mut answer = String::new();
        let read = io::stdout()
            .flush()
            .and_then(|()| io::stdin().read_line(&mut answer));
        match read {
            Ok(0) => Err(CliError::new(
                Exit::Failed,
                "nothing was written: the answers ended",
            )),
            Ok(_) => Ok(match answer.trim() {
                "" => now.to_owned(),
                text => text.to_owned(),
            }),
            Err(error) => Err(CliError::new(
                Exit::Failed,
                format!("no answer can be read: {error}"),
            )),
        }
    }

    fn yes(&mut self, question: &str, now: bool) -> Result<bool, CliError> {
        loop {
            let answer = self.text(question, if now { "yes" } else { "no" })?;
            match answer.to_ascii_lowercase().as_str() {
                "y" | "yes" => return Ok(true),
                "n" | "no" => return Ok(false),
                _ => line("Please answer yes or no.")?,
            }
        }
    }

    fn rule(&mut self, what: &str, now: &str) -> Result<String, CliError> {
        loop {
            let question = format!("A new device and {what}: deny, ask or allow?");
            let answer = self.text(&question, now)?;
            match RULES.contains(&answer.as_str()) {
                true => return Ok(answer),
                false => line("Please answer deny, ask or allow.")?,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Whole {
        #[command(flatten)]
        setup: Arguments,
    }

    fn wished(arguments: &[&str]) -> Vec<(String, String)> {
        let all = ["setup"].iter().chain(arguments);
        let given = Whole::try_parse_from(all).expect("arguments").setup;
        let temp = crate::store::testing::TempFolder::new("setup");
        let (now, _) = crate::config::load(&temp.0.join("daemon.toml")).expect("defaults");
        let mut nobody = Person { listens: false };
        let wishes = wishes(&now, &given, &mut nobody).expect("wishes");
        wishes
            .into_iter()
            .map(|wish| (format!("{}.{}", wish.section, wish.key), wish.value))
            .collect()
    }

    #[test]
    fn what_no_flag_says_stays() {
        assert_eq!(wished(&["--yes"]), []);
        assert_eq!(wished(&["--name", "Laptop Daemon", "--images", "true"]), []);
    }

    #[test]
    fn flags_become_values_of_the_files() {
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(
            wished(&[
                "--name",
                "Ada's \"box\"",
                "--images",
                "false",
                "--new-text",
                "allow"
            ]),
            [
                pair("daemon.device_name", "\"Ada's \\\"box\\\"\""),
                pair("services.image_generation_enabled", "false"),
                pair("new_device.chat", "\"allow\""),
                pair("new_device.complete", "\"allow\""),
                pair("new_device.code", "\"allow\""),
                pair("new_device.summarize", "\"allow\""),
                pair("new_device.embed", "\"allow\""),
            ]
        );
        assert!(Whole::try_parse_from(["setup", "--new-text", "always"]).is_err());
    }
}
