//! The settings files.

use super::{Control, Method, value};
use crate::config;
use crate::control::api::{ConfigReport, Setting};

pub(super) const METHODS: &[Method] = &[
    Method::read("config.check", |control, _| value(&control.check_config())),
    Method::read("config.show", |control, _| value(&control.show_config())),
    Method::full("config.reload", |control, _| {
        value(&control.reloader.reload())
    }),
];

impl Control {
    fn check_config(&self) -> Vec<String> {
        let findings = config::check(&self.paths.config);
        findings.iter().map(ToString::to_string).collect()
    }

    fn show_config(&self) -> ConfigReport {
        let settings = config::show(&self.paths.config).into_iter();
        let pending = match config::load(&self.paths.config) {
            Ok((new, _)) => config::changes(&self.settled.now(), &new),
            Err(_) => Vec::new(),
        };
        ConfigReport {
            file: self.paths.config.display().to_string(),
            settings: settings
                .map(|one| Setting {
                    file: one.file.to_owned(),
                    section: one.section.to_owned(),
                    key: one.key.to_owned(),
                    value: one.value,
                    default: one.default,
                })
                .collect(),
            pending: pending.iter().map(|change| change.key.to_owned()).collect(),
        }
    }
}
