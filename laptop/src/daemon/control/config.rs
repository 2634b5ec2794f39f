//! The settings files.

use super::{Control, Method, value};
use crate::config;

pub(super) const METHODS: &[Method] = &[Method::read("config.check", |control, _| {
    value(&control.check_config())
})];

impl Control {
    fn check_config(&self) -> Vec<String> {
        let findings = config::check(&self.paths.config);
        findings.iter().map(ToString::to_string).collect()
    }
}
