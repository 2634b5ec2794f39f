//! `permissions.toml`: what a newly paired device may do. What each device may do later is changed by `officectl permit`.

use super::reader::File;
use super::{Finding, version};
use crate::policy::{ModelPattern, PatternError, Profile, Rule, UrlPattern};
use shared_proto::opcode::Operation;

/// The template that a new installation gets: every key with its default. Its man page is made from it.
pub const PERMISSIONS_TEMPLATE: &str = include_str!("../../config/permissions.toml");

/// What `permissions.toml` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PermissionsConfig {
    /// What a newly paired device starts with.
    pub new_device: Profile,
}

impl PermissionsConfig {
    /// Reads the text of a file called `name`; what is wrong with it goes to `findings`, and its default stands in for it.
    pub fn parse(text: &str, name: &str, findings: &mut Vec<Finding>) -> Self {
        let mut file = File::parse(text, name, findings);
        let mut profile = Profile::of_new_device();
        version::check(&mut file);
        file.section("new_device", |section| {
            for operation in Operation::ALL {
                let key = operation.name();
                match Rule::from_name(&section.text(key, "ask")) {
                    Some(rule) => profile.set_rule(operation, rule),
                    None => section.error(
                        key,
                        format!("new_device.{key} must be \"deny\", \"ask\" or \"allow\""),
                    ),
                }
            }
        });
        file.section("limits", |section| {
            let mut models = |key| read_list(&section.texts(key, &["*"]), ModelPattern::parse);
            let (language, image) = (models("language_models"), models("image_models"));
            let urls = read_list(&section.texts("urls", &[]), UrlPattern::parse);
            match language {
                Ok(list) => profile.language_models = list,
                Err(message) => section.error("language_models", message),
            }
            match image {
                Ok(list) => profile.image_models = list,
                Err(message) => section.error("image_models", message),
            }
            match urls {
                Ok(list) => profile.urls = list,
                Err(message) => section.error("urls", message),
            }
            profile.tokens_per_day = section.number("tokens_per_day", 200_000, 0..=u64::MAX >> 1);
            profile.pictures_per_day = section.number("pictures_per_day", 20, 0..=1_000_000);
            profile.bytes_per_day = section.number("megabytes_per_day", 2048, 0..=1 << 30) << 20;
            profile.seconds_per_day = section.number("seconds_per_day", 14_400, 0..=86_400);
        });
        file.finish();
        Self {
            new_device: profile,
        }
    }
}

fn read_list<T>(
    texts: &[String],
    parse: impl Fn(&str) -> Result<T, PatternError>,
) -> Result<Vec<T>, String> {
    texts
        .iter()
        .map(|text| {
            parse(text).map_err(|error| format!("{}: {error}", crate::sanitize::visible(text)))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> (Profile, Vec<Finding>) {
        let mut findings = Vec::new();
        let config = PermissionsConfig::parse(text, "permissions.toml", &mut findings);
        (config.new_device, findings)
    }

    #[test]
    fn the_template_names_every_operation_and_asks_for_each() {
        let (shown, findings) = parse(PERMISSIONS_TEMPLATE);
        assert_eq!(findings, []);
        assert_eq!(shown, Profile::of_new_device());
        assert_eq!(shown, parse("").0);
        for operation in Operation::ALL {
            assert!(PERMISSIONS_TEMPLATE.contains(&format!("\n{} = \"ask\" ", operation.name())));
        }
    }

    #[test]
    fn rules_and_limits_are_read() {
        let (profile, findings) = parse(
            "[new_device]\nchat = 'allow'\ndelete = 'deny'\n[limits]\nlanguage_models = ['ollama/*']\n\
             urls = ['https://example.org/']\npictures_per_day = 0\n",
        );
        assert_eq!(findings, []);
        assert_eq!(
            (
                profile.rule(Operation::Chat),
                profile.rule(Operation::Delete)
            ),
            (Rule::Allow, Rule::Deny)
        );
        assert!(profile.permits_url("https://example.org/x"));
        assert_eq!(profile.pictures_per_day, 0);
    }

    #[test]
    fn there_is_no_word_for_everything() {
        let (profile, findings) = parse("[new_device]\nall = 'allow'\n'*' = 'allow'\n");
        assert_eq!(profile, Profile::of_new_device());
        assert_eq!(findings.len(), 2);
    }

    #[test]
    fn bad_words_and_bad_patterns_are_reported_with_their_line() {
        let (_, findings) = parse("[new_device]\nchat = 'yes'\n[limits]\nurls = ['https://*/']\n");
        let shown: Vec<_> = findings.iter().map(ToString::to_string).collect();
        assert_eq!(
            shown,
            [
                "permissions.toml:2: error: new_device.chat must be \"deny\", \"ask\" or \"allow\"",
                "permissions.toml:4: error: https://*/: a * in a host may only stand in front, as in https://*.example.org/",
            ]
        );
    }
}
