//! What one relationship may do.

use super::{ModelPattern, UrlPattern};
use shared_proto::opcode::{Operation, Service};

/// The rule for one operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// Refused at once.
    Deny,
    /// A person on the laptop is asked.
    Ask,
    /// Done without asking, within the budgets.
    Allow,
}

impl Rule {
    /// The word used in files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Deny => "deny",
            Self::Ask => "ask",
            Self::Allow => "allow",
        }
    }

    /// Reads the word back; `None` for any other word.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Deny, Self::Ask, Self::Allow]
            .into_iter()
            .find(|rule| rule.name() == name)
    }
}

/// Whether the relationship itself still holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Standing {
    /// In force.
    Active,
    /// Its time has run out; a person can renew it.
    Expired,
    /// Ended by a person; nothing but a new pairing helps.
    Revoked,
}

/// What one relationship may do. Budgets count local days; zero means none at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    pub(super) rules: [Rule; Operation::ALL.len()],
    /// Language models it may name.
    pub language_models: Vec<ModelPattern>,
    /// Image models it may name.
    pub image_models: Vec<ModelPattern>,
    /// Addresses `fetch` may download from; empty means none.
    pub urls: Vec<UrlPattern>,
    /// Programs per minute.
    pub requests_per_minute: u32,
    /// Language tokens per day.
    pub tokens_per_day: u64,
    /// Pictures per day.
    pub pictures_per_day: u64,
    /// Bytes of files and downloads per day.
    pub bytes_per_day: u64,
    /// Seconds of work on texts and pictures per day.
    pub seconds_per_day: u64,
    /// Whether the relationship holds.
    pub standing: Standing,
    /// Rises with every change, so that a running request notices.
    pub generation: u64,
}

impl Profile {
    /// The profile of a device that has just been paired: it asks for everything, and no address is on its list.
    pub fn of_new_device() -> Self {
        Self {
            rules: [Rule::Ask; Operation::ALL.len()],
            language_models: vec![ModelPattern::any()],
            image_models: vec![ModelPattern::any()],
            urls: Vec::new(),
            requests_per_minute: 60,
            tokens_per_day: 200_000,
            pictures_per_day: 20,
            bytes_per_day: 2 * 1024 * 1024 * 1024,
            seconds_per_day: 4 * 3600,
            standing: Standing::Active,
            generation: 0,
        }
    }

    /// The rule for `operation`.
    pub fn rule(&self, operation: Operation) -> Rule {
        self.rules[index(operation)]
    }

    /// Sets the rule for one operation. There is deliberately no way to set all of them to `Allow` at once.
    pub fn set_rule(&mut self, operation: Operation, rule: Rule) {
        self.rules[index(operation)] = rule;
    }

    /// True if `model` is on the list of `service`. The empty name stands for a default nobody has resolved yet, and
    /// only a list that takes every model takes it.
    pub fn permits_model(&self, service: Service, model: &str) -> bool {
        let list = match service {
            Service::Language => &self.language_models,
            Service::Image => &self.image_models,
            Service::Files | Service::System => return true,
        };
        list.iter().any(|pattern| pattern.matches(model))
    }

    /// True if `url` is on the list of addresses.
    pub fn permits_url(&self, url: &str) -> bool {
        self.urls.iter().any(|pattern| pattern.matches(url))
    }
}

fn index(operation: Operation) -> usize {
    Operation::ALL
        .iter()
        .position(|one| *one == operation)
        .expect("ALL holds every operation")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_device_asks_for_everything() {
        let profile = Profile::of_new_device();
        for operation in Operation::ALL {
            assert_eq!(profile.rule(operation), Rule::Ask, "{}", operation.name());
        }
        assert!(!profile.permits_url("https://example.org/"));
    }

    #[test]
    fn a_rule_changes_one_operation_only() {
        for changed in Operation::ALL {
            let mut profile = Profile::of_new_device();
            profile.set_rule(changed, Rule::Allow);
            for other in Operation::ALL {
                let expected = if other == changed {
                    Rule::Allow
                } else {
                    Rule::Ask
                };
                assert_eq!(profile.rule(other), expected);
            }
        }
    }

    #[test]
    fn an_unresolved_default_model_needs_an_open_list() {
        let mut profile = Profile::of_new_device();
        assert!(profile.permits_model(Service::Language, ""));
        profile.language_models = vec![ModelPattern::parse("ollama/*").expect("a valid pattern")];
        assert!(!profile.permits_model(Service::Language, ""));
        assert!(profile.permits_model(Service::Language, "ollama/llama3.1:8b"));
        assert!(!profile.permits_model(Service::Language, "openai/gpt-4o"));
        assert!(profile.permits_model(Service::Image, "built-in/painter"));
    }

    #[test]
    fn rule_words_round_trip() {
        for rule in [Rule::Deny, Rule::Ask, Rule::Allow] {
            assert_eq!(Rule::from_name(rule.name()), Some(rule));
        }
        assert_eq!(Rule::from_name("Allow"), None);
    }
}
