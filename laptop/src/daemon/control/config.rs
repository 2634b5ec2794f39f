//! The settings files.

use super::{Control, Method, value};
use crate::config;

pub(super) const METHODS: &[Method] = &[Method::read("config.check", |control, _| {
    value(&control.check_config())
})];

impl Control {
    fn check_config(&self) -> Vec<String> {
        let findings = match config::load(&self.paths.config) {
            Ok((_, findings)) | Err(findings) => findings,
        };
        let mut lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
        match crate::service::config::ServicesConfig::load(Some(
            &self.paths.config.with_file_name("services.toml"),
        )) {
            Ok(services) => lines.extend(
                services
                    .warnings
                    .iter()
                    .map(|text| format!("services.toml: warning: {text}")),
            ),
            Err(text) => lines.push(format!("error: {text}")),
        }
        lines
    }
}
