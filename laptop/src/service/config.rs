//! `services.toml`: which providers there are, and where keys come from.
//!
//! Keys are never in the file: it names the environment variable that holds them.

use std::path::Path;
use std::time::Duration;

use serde::Deserialize;

use super::discover::Discovery;
use super::wording::one_line;

/// The template that a new installation gets: every key with its default.
pub const TEMPLATE: &str = r#"# OfficeOS: providers of text and pictures. Changes apply when the service restarts.

# Look for Ollama, LM Studio, llama.cpp, vLLM and AUTOMATIC1111 on this machine's usual ports when something is asked.
# The environment variable OFFICEOS_DISCOVERY overrides it: off, or a list such as ollama:11434,openai:8080,a1111:7860
discover = true

# One entry for each provider that is not found by itself. OPENAI_API_KEY and STABILITY_API_KEY in the environment add
# those two without an entry.
#
# [[provider]]
# name = "workstation"                      # in model ids: workstation/llama3.1:8b
# kind = "openai"                           # openai, ollama (text); openai-images, a1111, stability (pictures)
# base_url = "http://192.168.1.20:8000/v1"  # the default is the usual address of the kind
# key_env = "WORKSTATION_KEY"               # environment variable with the key; none by default
# default_model = ""                        # used when a request names no model; default: the first of the list
# models = []                               # offer these only; default: what the provider lists
# idle_timeout_s = 300                      # longest silence while it works
"#;

/// What API a provider speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
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
    /// Findings that do not stop a start, such as a key variable that is not set.
    pub warnings: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default = "yes")]
    discover: bool,
    #[serde(default)]
    provider: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    kind: Kind,
    base_url: Option<String>,
    key_env: Option<String>,
    #[serde(default)]
    default_model: String,
    #[serde(default)]
    models: Vec<String>,
    #[serde(default = "five_minutes")]
    idle_timeout_s: u32,
}

fn yes() -> bool {
    true
}

fn five_minutes() -> u32 {
    300
}

impl ServicesConfig {
    /// Reads `path` (a missing file is an empty one) and the environment.
    ///
    /// # Errors
    /// A sentence that names file, line and what is wrong.
    pub fn load(path: Option<&Path>) -> Result<Self, String> {
        let text = match path {
            None => String::new(),
            Some(path) => match std::fs::read_to_string(path) {
                Ok(text) => text,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
                Err(error) => return Err(format!("cannot read {}: {error}", path.display())),
            },
        };
        let env = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let shown = path.map_or_else(
            || "services.toml".to_owned(),
            |path| path.display().to_string(),
        );
        Self::parse(&text, &env).map_err(|why| format!("{shown}: {why}"))
    }

    /// Reads the text of a `services.toml` with `env` as the environment. Pure.
    ///
    /// # Errors
    /// A sentence that says what is wrong and where.
    pub fn parse(text: &str, env: &dyn Fn(&str) -> Option<String>) -> Result<Self, String> {
        let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
        let mut warnings = Vec::new();
        let mut providers: Vec<ProviderConfig> = Vec::new();
        for entry in file.provider {
            let name = entry.name;
            let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
            if name.is_empty()
                || name.len() > 32
                || !name.chars().all(fine)
                || name == super::BUILT_IN
            {
                return Err(format!(
                    "provider name “{}”: 1 to 32 letters, digits, - _ . are allowed, and not “built-in”",
                    one_line(&name)
                ));
            }
            if providers
                .iter()
                .any(|p| p.name == name && p.kind.paints() == entry.kind.paints())
            {
                return Err(format!("provider “{name}” is there twice"));
            }
            let url = entry
                .base_url
                .unwrap_or_else(|| entry.kind.usual_url().to_owned());
            let uri: Option<ureq::http::Uri> = url.parse().ok();
            if !uri.is_some_and(|u| {
                matches!(u.scheme_str(), Some("http" | "https")) && u.host().is_some()
            }) {
                return Err(format!(
                    "provider “{name}”: base_url “{}” is no http or https address",
                    one_line(&url)
                ));
            }
            let key = match &entry.key_env {
                None => usual_key(entry.kind, &url).and_then(env),
                Some(variable) => {
                    let key = env(variable);
                    if key.is_none() {
                        warnings.push(format!(
                            "provider “{name}”: the environment variable {variable} is not set"
                        ));
                    }
                    key
                }
            };
            let default_model = Some(entry.default_model).filter(|model| !model.is_empty());
            let idle = Duration::from_secs(u64::from(entry.idle_timeout_s.max(1)));
            let base = ProviderConfig::new(&name, entry.kind, &url);
            providers.push(ProviderConfig {
                key,
                default_model,
                models: entry.models,
                idle,
                ..base
            });
        }
        let discovery = match env("OFFICEOS_DISCOVERY") {
            Some(text) => text.parse()?,
            None if file.discover => Discovery::usual(),
            None => Discovery::off(),
        };
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
            warnings,
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

    fn parse(text: &str, env: &[(&str, &str)]) -> Result<ServicesConfig, String> {
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
    fn keys_come_from_the_environment_and_go_only_where_they_belong() {
        let text = "[[provider]]\nname = 'a'\nkind = 'openai'\nbase_url = 'http://10.0.0.1/v1/'\n\
                    [[provider]]\nname = 'b'\nkind = 'openai'\n[[provider]]\nname = 'c'\nkind = 'stability'\nkey_env = 'NOPE'";
        let config = parse(text, &[("OPENAI_API_KEY", "sk-1")]).unwrap();
        let keys: Vec<_> = config.providers.iter().map(|p| p.key.as_deref()).collect();
        assert_eq!(keys, [None, Some("sk-1"), None]);
        assert_eq!(config.providers[0].base_url, "http://10.0.0.1/v1");
        assert_eq!(
            config.warnings,
            ["provider “c”: the environment variable NOPE is not set"]
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
            ("discovery = true", "unknown field"),
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
            let error = parse(text, &[]).unwrap_err();
            assert!(error.contains(said), "{error}");
        }
        assert!(
            parse("", &[("OFFICEOS_DISCOVERY", "gopher:70")])
                .unwrap_err()
                .contains("gopher")
        );
    }
}
