//! Commands about paired devices.

use super::Talk;
use super::exit::CliError;
use super::format::{size, span, table};
use crate::control::api::{Device, DeviceDetail, DeviceName, Limit, Permit, Rename, Renew};
use crate::sanitize::visible;
use serde_json::Value;
use std::fmt::Write;

/// Arguments of `officectl limit`.
#[derive(Debug, clap::Args)]
pub(super) struct LimitArguments {
    /// Number or name
    device: String,
    /// Requests a minute
    #[arg(long, value_name = "N")]
    requests_per_minute: Option<u32>,
    /// Tokens a day
    #[arg(long, value_name = "N")]
    tokens: Option<u64>,
    /// Pictures a day
    #[arg(long, value_name = "N")]
    pictures: Option<u64>,
    /// Megabytes of files and downloads a day
    #[arg(long, value_name = "N")]
    megabytes: Option<u64>,
    /// Seconds of work on texts and pictures a day
    #[arg(long, value_name = "N")]
    seconds: Option<u64>,
    /// Language models it may name, such as 'ollama/*'; may be repeated, and replaces the list
    #[arg(long, value_name = "PATTERN")]
    language_model: Option<Vec<String>>,
    /// Picture models it may name; may be repeated, and replaces the list
    #[arg(long, value_name = "PATTERN")]
    image_model: Option<Vec<String>>,
    /// Addresses it may fetch, such as https://example.org/papers/; may be repeated, and replaces the list
    #[arg(long, value_name = "PATTERN")]
    url: Option<Vec<String>>,
}

impl LimitArguments {
    /// As the control socket takes them.
    pub(super) fn wanted(&self) -> Limit {
        Limit {
            device: self.device.clone(),
            requests_per_minute: self.requests_per_minute,
            tokens_per_day: self.tokens,
            pictures_per_day: self.pictures,
            bytes_per_day: self
                .megabytes
                .map(|megabytes| megabytes.saturating_mul(1 << 20)),
            seconds_per_day: self.seconds,
            language_models: self.language_model.clone(),
            image_models: self.image_model.clone(),
            urls: self.url.clone(),
        }
    }
}

/// Arguments of `officectl devices`.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Arguments {
    /// Also list revoked ones
    #[arg(long)]
    all: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// List paired handhelds
    List {
        /// Also list revoked ones
        #[arg(long)]
        all: bool,
    },
    /// Show one device: permissions, limits and use
    Show {
        /// Number or name
        device: String,
    },
    /// Give a device another name
    Rename {
        /// Number or name
        device: String,
        /// The new name
        name: String,
    },
    /// Set what a device may do: one operation at a time
    Permit {
        /// Number or name
        device: String,
        /// An operation such as chat, generate or put
        operation: String,
        /// deny, ask or allow
        #[arg(value_parser = ["deny", "ask", "allow"])]
        rule: String,
    },
    /// Set the limits of a device; those not named stay
    Limit(LimitArguments),
    /// End a pairing for good, at once
    Revoke {
        /// Number or name
        device: String,
    },
    /// Extend a pairing
    Renew {
        /// Number or name
        device: String,
        /// Days from now; by default as daemon.toml says
        #[arg(long)]
        days: Option<u32>,
    },
}

/// The commands of `devices` without that word; known from before, and so not shown twice.
#[derive(Debug)]
pub(super) struct Short(pub(super) Command);

impl clap::FromArgMatches for Short {
    fn from_arg_matches(matches: &clap::ArgMatches) -> Result<Self, clap::Error> {
        Command::from_arg_matches(matches).map(Self)
    }

    fn update_from_arg_matches(&mut self, matches: &clap::ArgMatches) -> Result<(), clap::Error> {
        self.0.update_from_arg_matches(matches)
    }
}

impl clap::Subcommand for Short {
    fn augment_subcommands(command: clap::Command) -> clap::Command {
        // `list` alone would not say of what.
        let own = Command::augment_subcommands(clap::Command::new("devices"));
        let short = own
            .get_subcommands()
            .filter(|one| one.get_name() != "list")
            .map(|one| one.clone().hide(true));
        command.subcommands(short.collect::<Vec<_>>())
    }

    fn augment_subcommands_for_update(command: clap::Command) -> clap::Command {
        Self::augment_subcommands(command)
    }

    fn has_subcommand(name: &str) -> bool {
        name != "list" && Command::has_subcommand(name)
    }
}

pub(super) fn run(talk: &mut Talk, arguments: &Arguments) -> Result<(), CliError> {
    match &arguments.command {
        None => list(talk, arguments.all),
        Some(command) => one(talk, command),
    }
}

/// Carries one command out; the short forms without `devices` end here too.
pub(super) fn one(talk: &mut Talk, command: &Command) -> Result<(), CliError> {
    match command {
        Command::List { all } => list(talk, *all),
        Command::Show { device } => show(talk, device),
        Command::Rename { device, name } => rename(talk, device, name),
        Command::Permit {
            device,
            operation,
            rule,
        } => permit(talk, device, operation, rule),
        Command::Limit(limits) => limit(talk, limits),
        Command::Revoke { device } => revoke(talk, device),
        Command::Renew { device, days } => renew(talk, device, *days),
    }
}

fn list(talk: &mut Talk, all: bool) -> Result<(), CliError> {
    let mut devices: Vec<Device> = talk.call("devices.list", Value::Null)?;
    devices.retain(|device| all || device.standing != "revoked");
    talk.print(&devices, |devices| {
        if devices.is_empty() {
            return "No handheld is paired. Pair one with: officectl pair".to_owned();
        }
        let rows: Vec<Vec<String>> = devices.iter().map(row).collect();
        table(
            &["ID", "NAME", "STANDING", "EXPIRES", "LAST HERE", "SCREEN"],
            &rows,
        )
    })
}

fn row(device: &Device) -> Vec<String> {
    vec![
        device.id.to_string(),
        device.name.clone(),
        device.standing.clone(),
        expiry(device),
        match (device.linked, device.seen_ago_s) {
            (true, _) => "linked now".to_owned(),
            (false, Some(ago)) => format!("{} ago", span(ago)),
            (false, None) => "never".to_owned(),
        },
        format!("{}×{}", device.screen.0, device.screen.1),
    ]
}

fn expiry(device: &Device) -> String {
    match (device.standing.as_str(), device.expires_in_s) {
        ("revoked", _) => "-".to_owned(),
        (_, left) if left > 0 => format!("in {}", span(left)),
        (_, left) => format!("{} ago", span(left)),
    }
}

fn show(talk: &mut Talk, device: &str) -> Result<(), CliError> {
    let detail: DeviceDetail = talk.call(
        "devices.show",
        DeviceName {
            device: device.to_owned(),
        },
    )?;
    talk.print(&detail, words)
}

fn words(detail: &DeviceDetail) -> String {
    let device = &detail.device;
    let mut text = format!(
        "{} (device {}), {}\n",
        visible(&device.name),
        device.id,
        device.standing
    );
    let used = |pair: (u64, u64)| format!("{} of {}", pair.0, pair.1);
    let join = |list: &[String]| {
        if list.is_empty() {
            "none".to_owned()
        } else {
            list.iter()
                .map(|one| visible(one))
                .collect::<Vec<_>>()
                .join(", ")
        }
    };
    let facts = [
        ("Expires", expiry(device)),
        ("Key", detail.key.clone()),
        ("Drop folder", visible(&device.folder)),
        ("Requests a minute", detail.requests_per_minute.to_string()),
        ("Tokens today", used(detail.tokens)),
        ("Pictures today", used(detail.pictures)),
        (
            "Moved today",
            format!("{} of {}", size(detail.bytes.0), size(detail.bytes.1)),
        ),
        (
            "Worked today",
            format!("{} of {} s", detail.seconds.0, detail.seconds.1),
        ),
        ("Language models", join(&detail.language_models)),
        ("Picture models", join(&detail.image_models)),
        ("May fetch", join(&detail.urls)),
    ];
    for (name, fact) in facts {
        // Writing into a string does not fail.
        let _ = writeln!(text, "  {name:<18} {fact}");
    }
    for rule in ["allow", "ask", "deny"] {
        let operations: Vec<&str> = detail
            .rules
            .iter()
            .filter(|(_, set)| *set == rule)
            .map(|(name, _)| name.as_str())
            .collect();
        if !operations.is_empty() {
            for (number, line) in lines(&operations).iter().enumerate() {
                let name = if number == 0 { rule } else { "" };
                let _ = writeln!(text, "  {name:<18} {line}");
            }
        }
    }
    text
}

/// Words in lines that fit beside their name into the eighty columns of a terminal.
fn lines(words: &[&str]) -> Vec<String> {
    const WIDTH: usize = 58;
    let mut lines: Vec<String> = Vec::new();
    for (number, word) in words.iter().enumerate() {
        let comma = if number + 1 < words.len() { "," } else { "" };
        match lines.last_mut() {
            Some(line) if line.len() + word.len() + 2 <= WIDTH => {
                line.push(' ');
                line.push_str(word);
                line.push_str(comma);
            }
            _ => lines.push(format!("{word}{comma}")),
        }
    }
    lines
}

fn rename(talk: &mut Talk, device: &str, name: &str) -> Result<(), CliError> {
    let renamed: Device = talk.call(
        "devices.rename",
        Rename {
            device: device.to_owned(),
            name: name.to_owned(),
        },
    )?;
    talk.print(&renamed, |device| {
        format!("Device {} is now {}.", device.id, visible(&device.name))
    })
}

fn permit(talk: &mut Talk, device: &str, operation: &str, rule: &str) -> Result<(), CliError> {
    let wanted = Permit {
        device: device.to_owned(),
        operation: operation.to_owned(),
        rule: rule.to_owned(),
    };
    let detail: DeviceDetail = talk.call("devices.permit", wanted)?;
    talk.print(&detail, |detail| {
        let name = visible(&detail.device.name);
        match rule {
            "allow" => format!("{name} may {operation} without asking, within its limits."),
            "ask" => format!("{name} may {operation} when somebody here says yes each time."),
            _ => format!("{name} may not {operation}."),
        }
    })
}

fn limit(talk: &mut Talk, arguments: &LimitArguments) -> Result<(), CliError> {
    let detail: DeviceDetail = talk.call("devices.limit", arguments.wanted())?;
    talk.print(&detail, words)
}

fn revoke(talk: &mut Talk, device: &str) -> Result<(), CliError> {
    let gone: Device = talk.call(
        "devices.revoke",
        DeviceName {
            device: device.to_owned(),
        },
    )?;
    talk.print(&gone, |device| {
        format!(
            "{} is no longer paired; its keys are erased and what ran for it has ended.",
            visible(&device.name)
        )
    })
}

fn renew(talk: &mut Talk, device: &str, days: Option<u32>) -> Result<(), CliError> {
    let renewed: Device = talk.call(
        "devices.renew",
        Renew {
            device: device.to_owned(),
            days,
        },
    )?;
    talk.print(&renewed, |device| {
        format!(
            "{} stays paired for {}.",
            visible(&device.name),
            span(device.expires_in_s)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device() -> Device {
        Device {
            id: 3,
            name: "a\x1b]0;x".into(),
            standing: "active".into(),
            expires_in_s: 30 * 86_400,
            seen_ago_s: Some(90),
            linked: false,
            screen: (640, 480),
            folder: "/home/ada/files/a".into(),
        }
    }

    #[test]
    fn operations_stand_in_lines_that_a_terminal_holds() {
        assert_eq!(lines(&["chat"]), ["chat"]);
        assert_eq!(
            lines(&[
                "capabilities",
                "code",
                "complete",
                "delete",
                "edit",
                "embed",
                "fetch",
                "fit",
                "generate"
            ]),
            [
                "capabilities, code, complete, delete, edit, embed, fetch,",
                "fit, generate"
            ]
        );
        assert!(lines(&[]).is_empty());
    }

    #[test]
    fn a_device_is_shown_in_words() {
        assert_eq!(
            row(&device())[2..],
            ["active", "in 30 days", "90 s ago", "640×480"]
        );
        assert_eq!(
            expiry(&Device {
                expires_in_s: -7_200,
                standing: "expired".into(),
                ..device()
            }),
            "2 h ago"
        );
    }

    #[test]
    fn details_escape_what_a_device_calls_itself() {
        let detail = DeviceDetail {
            device: device(),
            key: "6668 7aad".into(),
            rules: [
                ("chat".to_owned(), "allow".to_owned()),
                ("put".to_owned(), "ask".to_owned()),
            ]
            .into(),
            language_models: vec!["*".into()],
            image_models: Vec::new(),
            urls: Vec::new(),
            requests_per_minute: 60,
            tokens: (5, 200),
            pictures: (0, 20),
            bytes: (2048, 1 << 30),
            seconds: (7, 14_400),
        };
        let text = words(&detail);
        assert!(
            text.starts_with("a\\u{1b}]0;x (device 3), active\n"),
            "{text}"
        );
        assert!(!text.contains('\x1b'));
        assert!(
            text.contains("allow              chat\n")
                && text.contains("Moved today        2 KB of 1 GB\n"),
            "{text}"
        );
    }
}
