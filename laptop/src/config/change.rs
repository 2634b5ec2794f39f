//! What differs between two settings, and what of it can apply at once.

use super::Config;

/// A key whose value differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// `section.key`.
    pub key: &'static str,
    /// Whether it can apply without a start.
    pub at_once: bool,
}

/// What differs from `old` to `new`, in the order of the files.
pub fn changes(old: &Config, new: &Config) -> Vec<Change> {
    let (a, b) = (&old.daemon, &new.daemon);
    let (air, new_air) = (&a.wifi_direct, &b.wifi_direct);
    let (polite, new_polite) = (a.manners, b.manners);
    let (mine, yours) = (
        &old.permissions.new_device.clone(),
        &new.permissions.new_device.clone(),
    );
    let at_once = [
        ("daemon.device_name", a.device_name != b.device_name),
        (
            "daemon.max_paired_devices",
            a.max_paired_devices != b.max_paired_devices,
        ),
        (
            "daemon.relationship_days",
            a.relationship_days != b.relationship_days,
        ),
        ("daemon.ask_timeout_s", a.ask_timeout_s != b.ask_timeout_s),
        ("services.llm_enabled", a.llm_enabled != b.llm_enabled),
        (
            "services.image_generation_enabled",
            a.image_generation_enabled != b.image_generation_enabled,
        ),
        ("services.fetch_enabled", a.fetch_enabled != b.fetch_enabled),
        (
            "external_apis.rate_limit_requests_per_minute",
            a.requests_per_minute != b.requests_per_minute,
        ),
        ("files.quota_mb", a.quota != b.quota),
        ("results.keep_mb", a.keep_bytes != b.keep_bytes),
        ("results.keep_days", a.keep_s != b.keep_s),
        (
            "manners.texts_at_once",
            polite.texts_at_once != new_polite.texts_at_once,
        ),
        (
            "manners.pictures_at_once",
            polite.pictures_at_once != new_polite.pictures_at_once,
        ),
        (
            "manners.wait_when_busy",
            polite.policy.wait_when_busy != new_polite.policy.wait_when_busy,
        ),
        (
            "manners.busy_percent",
            polite.policy.busy_percent != new_polite.policy.busy_percent,
        ),
        (
            "manners.busy_wait_s",
            polite.busy_wait_s != new_polite.busy_wait_s,
        ),
        (
            "manners.spare_battery",
            polite.policy.spare_battery != new_polite.policy.spare_battery,
        ),
        (
            "manners.battery_stop_percent",
            polite.policy.battery_stop != new_polite.policy.battery_stop,
        ),
        (
            "manners.battery_small_percent",
            polite.policy.battery_small != new_polite.policy.battery_small,
        ),
        (
            "manners.spare_heat",
            polite.policy.spare_heat != new_polite.policy.spare_heat,
        ),
        ("permissions", mine != yours),
    ];
    // The carriers stand on these: to change one is to end the sessions over it.
    let later = [
        (
            "networking.wifi_direct_enabled",
            air.enabled != new_air.enabled,
        ),
        ("networking.interface", air.interface != new_air.interface),
        ("networking.frequency", air.frequency != new_air.frequency),
        ("networking.wifi_direct_port", air.port != new_air.port),
        ("networking.usb_link", a.usb.enabled != b.usb.enabled),
        (
            "networking.usb_interface",
            a.usb.interface != b.usb.interface,
        ),
        (
            "networking.supplicant",
            air.supplicant != new_air.supplicant,
        ),
        ("networking.bind_address", a.bind_address != b.bind_address),
        ("networking.bind_port", a.bind_port != b.bind_port),
        ("web.enabled", a.web.enabled != b.web.enabled),
        ("web.port", a.web.port != b.web.port),
        (
            "web.gateway_enabled",
            a.web.gateway_enabled != b.web.gateway_enabled,
        ),
        ("web.gateway_port", a.web.gateway_port != b.web.gateway_port),
        (
            "web.metrics_enabled",
            a.web.metrics_enabled != b.web.metrics_enabled,
        ),
    ];
    let of = |at_once| move |(key, differs): (_, bool)| differs.then_some(Change { key, at_once });
    let now = at_once.into_iter().filter_map(of(true));
    now.chain(later.into_iter().filter_map(of(false))).collect()
}

/// The settings that are in force once `new` was taken over where `old` was: what waits for a start is as it was.
pub fn in_force(old: &Config, new: &Config) -> Config {
    let mut config = new.clone();
    let (daemon, before) = (&mut config.daemon, &old.daemon);
    daemon.wifi_direct = before.wifi_direct.clone();
    daemon.usb = before.usb.clone();
    daemon.bind_address = before.bind_address;
    daemon.bind_port = before.bind_port;
    daemon.web = before.web.clone();
    config
}

#[cfg(test)]
mod tests {
    use super::super::template::Page;
    use super::super::{DAEMON_TEMPLATE, DaemonConfig, PERMISSIONS_TEMPLATE, PermissionsConfig};
    use super::*;

    fn config(daemon: &str, permissions: &str) -> Config {
        let mut findings = Vec::new();
        let config = Config {
            daemon: DaemonConfig::parse(daemon, "daemon.toml", &mut findings),
            permissions: PermissionsConfig::parse(permissions, "permissions.toml", &mut findings),
        };
        assert_eq!(findings, [], "{daemon}{permissions}");
        config
    }

    /// Another value that a key can have; `None` for those that take only one.
    fn other(key: &str, value: &str) -> Option<String> {
        let only = ["file_torrenting_enabled", "auto_accept_pairing", "version"];
        if only.contains(&key) || key.ends_with("_key") {
            return None;
        }
        Some(match (key, value) {
            (_, "true") => "false".into(),
            (_, "false") => "true".into(),
            ("bind_address", _) => "\"::\"".into(),
            ("supplicant", _) => "\"/run/wpa\"".into(),
            ("frequency", _) => "2412".into(),
            ("language_models" | "image_models", _) => "[]".into(),
            ("urls", _) => "[\"https://example.org/\"]".into(),
            (_, "\"ask\"") => "\"deny\"".into(),
            (_, text) if text.starts_with('"') => "\"x\"".into(),
            (_, number) => (number.parse::<u64>().expect("a number") + 1).to_string(),
        })
    }

    #[test]
    fn every_key_of_the_templates_is_told_of_and_applies_when_its_description_says() {
        let default = config("", "");
        for (template, whole) in [(DAEMON_TEMPLATE, false), (PERMISSIONS_TEMPLATE, true)] {
            let page = Page::parse(template);
            for (section, key) in page.keys() {
                let Some(value) = other(key.name, key.value) else {
                    continue;
                };
                let text = format!("[{section}]\n{} = {value}\n", key.name);
                let new = match whole {
                    true => config("", &text),
                    false => config(&text, ""),
                };
                let found = changes(&default, &new);
                let name = match whole {
                    true => "permissions".to_owned(),
                    false => format!("{section}.{}", key.name),
                };
                assert_eq!(found.len(), 1, "{text}");
                assert_eq!(found[0].key, name);
                let later = key.about.contains("Applies at the next start.");
                assert_eq!(found[0].at_once, !later, "{text}");
                // What waits for a start is told of until then.
                let now = in_force(&default, &new);
                let waits = if later { found } else { Vec::new() };
                assert_eq!(changes(&now, &new), waits, "{text}");
            }
        }
        assert_eq!(changes(&default, &default), []);
    }
}
