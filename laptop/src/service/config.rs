//! `services.toml`: which providers there are, and where keys come from.
//!
//! Keys are never in the file: it names the environment variable that holds them.

use std::path::Path;
use std::time::Duration;

use crate::config::{File, Finding, Section, migrate, nearest, version};

use super::discover::Discovery;
use super::route::{Mode, Routing};
use super::wording::one_line;

/// The template that a new installation gets: every key with its default. Its man page is made from it.
pub const TEMPLATE: &str = include_str!("../../config/services.toml");

/// The variable that says where to look, whatever the file says.
const DISCOVERY: &str = "OFFICEOS_DISCOVERY";

/// What API a provider speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// OpenAI-compatible chat: llama.cpp, LM Studio, vLLM, OpenAI itself.
    Openai,
    /// Ollama's own API.
    Ollama,
    /// OpenAI images.
    OpenaiImages,
    /// AUTOMATIC1111 and compatible.
    A1111,
    /// Stability's REST API.
    Stability,
}

impl Kind {
    const ALL: [Self; 5] = [
        Self::Openai,
        Self::Ollama,
        Self::OpenaiImages,
        Self::A1111,
        Self::Stability,
    ];

    /// Its word in `services.toml`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Openai => "openai",
            Self::Ollama => "ollama",
            Self::OpenaiImages => "openai-images",
            Self::A1111 => "a1111",
            Self::Stability => "stability",
        }
    }

    /// Whether it makes pictures rather than text.
    pub fn paints(self) -> bool {
        matches!(self, Self::OpenaiImages | Self::A1111 | Self::Stability)
    }

    fn usual_url(self) -> &'static str {
        match self {
            Self::Openai | Self::OpenaiImages => "https://api.openai.com/v1",
            Self::Ollama => "http://127.0.0.1:11434",
            Self::A1111 => "http://127.0.0.1:7860",
            Self::Stability => "https://api.stability.ai",
        }
    }
}

/// One provider, ready to be asked.
#[derive(Clone, PartialEq, Eq)]
pub struct ProviderConfig {
    /// Name in model ids.
    pub name: String,
    /// Its API.
    pub kind: Kind,
    /// Address without trailing slash.
    pub base_url: String,
    /// The key, if any.
    pub key: Option<String>,
    /// Model for requests that name none.
    pub default_model: Option<String>,
    /// Models to offer; empty for what it lists.
    pub models: Vec<String>,
    /// Longest silence while it works.
    pub idle: Duration,
}

impl std::fmt::Debug for ProviderConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProviderConfig")
            .field("name", &self.name)
            .field("kind", &self.kind)
            .field("base_url", &self.base_url)
            .field("key", &self.key.as_ref().map(|_| "[hidden]"))
            .finish_non_exhaustive()
    }
}

impl ProviderConfig {
    /// A provider with the usual settings of its kind and no key.
    pub fn new(name: &str, kind: Kind, base_url: &str) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            base_url: base_url.trim_end_matches('/').to_owned(),
            key: None,
            default_model: None,
            models: Vec::new(),
            idle: Duration::from_secs(300),
        }
    }
}

/// Everything the services read at their start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServicesConfig {
    /// Providers of the file, in its order.
    pub providers: Vec<ProviderConfig>,
    /// Providers that only a key in the environment implies; asked last.
    pub implied: Vec<ProviderConfig>,
    /// Where to look for others.
    pub discovery: Discovery,
    /// Who gets a request that names no provider.
    pub routing: Routing,
    /// Findings that do not stop a start, such as a key variable that is not set.
    pub warnings: Vec<Finding>,
}

/// One `[[provider]]`, read; `None` where it is left out or wrong.
fn entry(
    section: &mut Section<'_, '_>,
    have: &[ProviderConfig],
    env: &dyn Fn(&str) -> Option<String>,
) -> Option<ProviderConfig> {
    let name = section.text("name", "");
    let kind = section.text("kind", "openai");
    let enabled = section.flag("enabled", true);
    let url = section.optional("base_url");
    let key_env = section.optional("key_env");
    let default_model = Some(section.text("default_model", "")).filter(|model| !model.is_empty());
    let models = section.texts("models", &[]);
    let idle = Duration::from_secs(section.number("idle_timeout_s", 300, 1..=86_400));
    let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let shown = one_line(&name);
    if name.is_empty() || name.len() > 32 || !name.chars().all(fine) || name == super::BUILT_IN {
        section.error(
            "name",
            format!(
                "provider name “{shown}”: write 1 to 32 letters, digits, - _ . and not “built-in”"
            ),
        );
        return None;
    }
    let Some(kind) = Kind::ALL.into_iter().find(|one| one.name() == kind) else {
        let mut words = format!(
            "provider “{name}”: kind “{}” is none of openai, ollama (text), openai-images, a1111, stability (pictures)",
            one_line(&kind)
        );
        if let Some(near) = nearest(&kind, Kind::ALL.into_iter().map(Kind::name)) {
            words.push_str(&format!("; did you mean {near}?"));
        }
        section.error("kind", words);
        return None;
    };
    if have
        .iter()
        .any(|p| p.name == name && p.kind.paints() == kind.paints())
    {
        section.error(
            "name",
            format!("provider “{name}” is there twice; give one of them another name"),
        );
        return None;
    }
    let url = url.unwrap_or_else(|| kind.usual_url().to_owned());
    let uri: Option<ureq::http::Uri> = url.parse().ok();
    if !uri.is_some_and(|u| matches!(u.scheme_str(), Some("http" | "https")) && u.host().is_some())
    {
        section.error(
            "base_url",
            format!(
                "provider “{name}”: base_url “{}” is no http or https address; write one such as \"{}\"",
                one_line(&url),
                kind.usual_url()
            ),
        );
        return None;
    }
    if !enabled {
        return None;
    }
    let key = match &key_env {
        None => usual_key(kind, &url).and_then(env),
        Some(variable) => {
            let key = env(variable);
            if key.is_none() {
                section.warn(
                    "key_env",
                    format!(
                        "provider “{name}”: the environment variable {} is not set",
                        one_line(variable)
                    ),
                );
            }
            key
        }
    };
    Some(ProviderConfig {
        key,
        default_model,
        models,
        idle,
        ..ProviderConfig::new(&name, kind, &url)
    })
}

fn read_routing(root: &mut Section<'_, '_>) -> Routing {
    let name = root.text("routing", Mode::default().name());
    let order = root.texts("order", &[]);
    let Some(mode) = Mode::ALL.into_iter().find(|one| one.name() == name) else {
        let names: Vec<&str> = Mode::ALL.into_iter().map(Mode::name).collect();
        root.error(
            "routing",
            format!(
                "routing “{}” is none of {}",
                one_line(&name),
                names.join(", ")
            ),
        );
        return Routing::default();
    };
    match (mode, order.is_empty()) {
        (Mode::Named, true) => root.error(
            "routing",
            "routing = \"named\" needs the names: order = [\"ollama\"]",
        ),
        (Mode::Named, false) | (_, true) => {}
        (_, false) => root.warn("order", "order is only used with routing = \"named\""),
    }
    Routing { mode, order }
}

impl ServicesConfig {
    /// Reads `path` (a missing file is an empty one) and the environment, and what systemd has passed as credentials
    /// under the names of variables that are not set.
    ///
    /// # Errors
    /// Findings, of which at least one is an error.
    pub fn load(path: Option<&Path>) -> Result<Self, Vec<Finding>> {
        let shown = path.map_or_else(
            || "services.toml".to_owned(),
            |path| path.display().to_string(),
        );
        let text = match path {
            None => String::new(),
            Some(path) => match std::fs::read_to_string(path) {
                Ok(text) => text,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
                Err(error) => {
                    return Err(vec![Finding::error(
                        &shown,
                        format!("cannot be read: {error}"),
                    )]);
                }
            },
        };
        let env = |name: &str| {
            let set = std::env::var(name).ok().filter(|value| !value.is_empty());
            set.or_else(|| crate::systemd::credential(name))
        };
        Self::parse_named(&text, &shown, &env)
    }

    /// Findings about the text of a file called `name`, whatever the environment; for a process that holds no keys.
    pub fn check(text: &str, name: &str) -> Vec<Finding> {
        let env = |variable: &str| (variable != DISCOVERY).then(|| "set elsewhere".to_owned());
        match Self::parse_named(text, name, &env) {
            Ok(config) => config.warnings,
            Err(findings) => findings,
        }
    }

    /// Reads the text of a `services.toml` with `env` as the environment. Pure.
    ///
    /// # Errors
    /// Findings, of which at least one is an error.
    pub fn parse(text: &str, env: &dyn Fn(&str) -> Option<String>) -> Result<Self, Vec<Finding>> {
        Self::parse_named(text, "services.toml", env)
    }

    fn parse_named(
        text: &str,
        name: &str,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, Vec<Finding>> {
        let migrated = migrate(text);
        let text = migrated.as_ref().map_or(text, |new| new.text.as_str());
        let mut findings = Vec::new();
        let mut file = File::parse(text, name, &mut findings);
        version::check(&mut file);
        let mut discover = true;
        let mut routing = Routing::default();
        file.root(|root| {
            discover = root.flag("discover", true);
            routing = read_routing(root);
        });
        let mut providers: Vec<ProviderConfig> = Vec::new();
        file.list("provider", |section| {
            if let Some(one) = entry(section, &providers, env) {
                providers.push(one);
            }
        });
        file.finish();
        let discovery = match env(DISCOVERY).map(|text| text.parse::<Discovery>()) {
            Some(Ok(discovery)) => discovery,
            Some(Err(why)) => {
                findings.push(Finding::error("environment", why));
                Discovery::off()
            }
            None if discover => Discovery::usual(),
            None => Discovery::off(),
        };
        if let Some(migrated) = &migrated {
            for finding in &mut findings {
                finding.line = migrated.original_line(finding.line);
            }
        }
        if findings.iter().any(Finding::is_error) {
            return Err(findings);
        }
        // "off" is for people who want nothing that they did not name, so keys alone imply nothing then.
        let implied = if discovery.is_off() {
            Vec::new()
        } else {
            implied(&providers, env)
        };
        Ok(Self {
            providers,
            implied,
            discovery,
            routing,
            warnings: findings,
        })
    }

    /// The providers that paint, or those that write.
    pub fn of_service(&self, paints: bool) -> (Vec<ProviderConfig>, Vec<ProviderConfig>) {
        let pick = |list: &[ProviderConfig]| {
            list.iter()
                .filter(|p| p.kind.paints() == paints)
                .cloned()
                .collect()
        };
        (pick(&self.providers), pick(&self.implied))
    }
}

/// The key variable that goes with a provider's own address, so that no key is sent to another host unasked.
fn usual_key(kind: Kind, url: &str) -> Option<&'static str> {
    match kind {
        Kind::Openai | Kind::OpenaiImages if url.starts_with("https://api.openai.com/") => {
            Some("OPENAI_API_KEY")
        }
        Kind::Stability if url.starts_with("https://api.stability.ai") => Some("STABILITY_API_KEY"),
        _ => None,
    }
}

fn implied(have: &[ProviderConfig], env: &dyn Fn(&str) -> Option<String>) -> Vec<ProviderConfig> {
    let candidates = [
        ("openai", Kind::Openai, "OPENAI_API_KEY", "OPENAI_BASE_URL"),
        (
            "openai",
            Kind::OpenaiImages,
            "OPENAI_API_KEY",
            "OPENAI_BASE_URL",
        ),
        (
            "stability",
            Kind::Stability,
            "STABILITY_API_KEY",
            "STABILITY_BASE_URL",
        ),
    ];
    let mut list = Vec::new();
    for (name, kind, key_name, url_name) in candidates {
        let taken = have
            .iter()
            .any(|p| p.kind == kind || (p.name == name && p.kind.paints() == kind.paints()));
        if let Some(key) = env(key_name).filter(|_| !taken) {
            let url = env(url_name).unwrap_or_else(|| kind.usual_url().to_owned());
            list.push(ProviderConfig {
                key: Some(key),
                ..ProviderConfig::new(name, kind, &url)
            });
        }
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str, env: &[(&str, &str)]) -> Result<ServicesConfig, Vec<Finding>> {
        ServicesConfig::parse(text, &|name| {
            env.iter()
                .find(|(n, _)| *n == name)
                .map(|(_, v)| (*v).to_owned())
        })
    }

    #[test]
    fn the_template_is_valid_and_means_the_defaults() {
        assert_eq!(parse(TEMPLATE, &[]), parse("", &[]));
        let shown: String = TEMPLATE
            .lines()
            .filter_map(|line| {
                line.strip_prefix("# ")
                    .filter(|l| l.starts_with("[[") || l.contains(" = "))
            })
            .map(|line| format!("{line}\n"))
            .collect();
        let config = parse(&shown, &[("WORKSTATION_KEY", "k")]).unwrap();
        assert_eq!(config.providers[0].base_url, "http://192.168.1.20:8000/v1");
        assert_eq!(config.providers[0].key.as_deref(), Some("k"));
    }

    #[test]
    fn three_lines_make_a_provider() {
        let text = "[[provider]]\nname = 'desk'\nbase_url = 'http://10.0.0.9:5000/v1'";
        let one = ProviderConfig::new("desk", Kind::Openai, "http://10.0.0.9:5000/v1");
        assert_eq!(parse(text, &[]).unwrap().providers, [one]);
    }

    #[test]
    fn routing_is_read_and_a_list_that_nothing_uses_is_told() {
        assert_eq!(parse("", &[]).unwrap().routing, Routing::default());
        let named = parse("routing = 'named'\norder = ['a', 'b']", &[]).unwrap();
        assert_eq!(named.routing.mode, Mode::Named);
        assert_eq!(named.routing.order, ["a", "b"]);
        assert!(named.warnings.is_empty());
        let idle = parse("routing = 'balance'\norder = ['a']", &[]).unwrap();
        assert_eq!(idle.warnings.len(), 1);
    }

    #[test]
    fn keys_come_from_the_environment_and_go_only_where_they_belong() {
        let text = "[[provider]]\nname = 'a'\nkind = 'openai'\nbase_url = 'http://10.0.0.1/v1/'\n\
                    [[provider]]\nname = 'b'\nkind = 'openai'\n[[provider]]\nname = 'c'\nkind = 'stability'\nkey_env = 'NOPE'";
        let config = parse(text, &[("OPENAI_API_KEY", "sk-1")]).unwrap();
        let keys: Vec<_> = config.providers.iter().map(|p| p.key.as_deref()).collect();
        assert_eq!(keys, [None, Some("sk-1"), None]);
        assert_eq!(config.providers[0].base_url, "http://10.0.0.1/v1");
        assert_eq!(
            config.warnings[0].to_string(),
            "services.toml:11: warning: provider “c”: the environment variable NOPE is not set"
        );
        assert!(
            !format!("{config:?}").contains("sk-1"),
            "a key must not reach a log"
        );
    }

    #[test]
    fn a_key_alone_implies_a_provider_unless_discovery_is_off() {
        let config = parse("", &[("OPENAI_API_KEY", "sk-1")]).unwrap();
        let kinds: Vec<_> = config.implied.iter().map(|p| p.kind).collect();
        assert_eq!(kinds, [Kind::Openai, Kind::OpenaiImages]);
        let off = parse(
            "",
            &[("OPENAI_API_KEY", "sk-1"), ("OFFICEOS_DISCOVERY", "off")],
        )
        .unwrap();
        assert!(off.implied.is_empty() && off.discovery.is_off());
    }

    #[test]
    fn mistakes_are_named() {
        for (text, said) in [
            ("routing = 'random'", "prefer-local"),
            ("routing = 'named'", "order"),
            (
                "[[provider]]\nname = 'x/y'\nkind = 'ollama'",
                "provider name “x/y”",
            ),
            (
                "[[provider]]\nname = 'built-in'\nkind = 'ollama'",
                "built-in",
            ),
            ("[[provider]]\nname = 'x'\nkind = 'gopher'", "gopher"),
            (
                "[[provider]]\nname = 'x'\nkind = 'ollama'\nbase_url = 'ftp://x'",
                "ftp://x",
            ),
            (
                "[[provider]]\nname = 'x'\nkind = 'ollama'\n[[provider]]\nname = 'x'\nkind = 'openai'",
                "twice",
            ),
        ] {
            let errors = parse(text, &[]).unwrap_err();
            assert_eq!(errors.len(), 1, "{errors:?}");
            assert!(errors[0].message.contains(said), "{}", errors[0]);
        }
        let errors = parse("", &[("OFFICEOS_DISCOVERY", "gopher:70")]).unwrap_err();
        assert!(errors[0].to_string().contains("gopher"));
    }

    #[test]
    fn every_mistake_is_told_at_once_with_its_line_and_what_to_write() {
        let text = "# Mine.\ndiscovery = true\n[[provider]]\nname = 'x/y'\nkind = 'ollama'\n[[provider]]\nname = 'b'\n\
                    kind = 'olama'\n[[provider]]\nname = 'c'\nkind = 'ollama'\nbase_ur = 'x'\nidle_timeout_s = 0\n";
        let shown: Vec<String> = parse(text, &[])
            .unwrap_err()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            shown,
            [
                "services.toml:4: error: provider name “x/y”: write 1 to 32 letters, digits, - _ . and not “built-in”",
                "services.toml:8: error: provider “b”: kind “olama” is none of openai, ollama (text), openai-images, a1111, stability (pictures); did you mean ollama?",
                "services.toml:13: error: provider.idle_timeout_s must be a number from 1 to 86400",
                "services.toml:12: warning: unknown key base_ur in [provider]; it is ignored; did you mean base_url?",
                "services.toml:2: warning: unknown key discovery before the first section; it is ignored; did you mean discover?",
            ]
        );
    }

    #[test]
    fn a_provider_that_is_switched_off_stays_in_the_file_only() {
        let text = "[[provider]]\nname = 'x'\nkind = 'ollama'\nenabled = false\n";
        assert!(parse(text, &[]).unwrap().providers.is_empty());
    }

    #[test]
    fn a_process_without_keys_checks_the_file_alone() {
        let text = "[[provider]]\nname = 'x'\nkind = 'ollama'\nkey_env = 'NOPE'\n";
        assert_eq!(ServicesConfig::check(text, "services.toml"), []);
        assert_eq!(ServicesConfig::check("discover = 3", "s").len(), 1);
    }
}
