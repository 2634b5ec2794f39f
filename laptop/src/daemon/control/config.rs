//! The settings files.

use super::{Control, Method, read, value};
use crate::config::{self, Save, Unsaved};
use crate::control::api::{
    ConfigDraft, ConfigName, ConfigReport, ConfigText, ReloadReport, Setting,
};
use crate::control::{ErrorKind, RpcError};
use crate::sanitize::visible;

pub(super) const METHODS: &[Method] = &[
    Method::read("config.check", |control, _| value(&control.check_config())),
    Method::read("config.show", |control, _| value(&control.show_config())),
    Method::full("config.reload", |control, _| {
        value(&control.reloader.reload())
    }),
    // Full: an address in services.toml may have a name and a password in it.
    Method::full("config.read", |control, params| {
        value(&control.read_config(&read(params)?)?)
    }),
    Method::full("config.try", |control, params| {
        value(&control.try_config(&read(params)?)?)
    }),
    Method::full("config.write", |control, params| {
        value(&control.write_config(&read(params)?)?)
    }),
];

impl Control {
    fn check_config(&self) -> Vec<String> {
        let findings = config::check(&self.paths.config);
        findings.iter().map(ToString::to_string).collect()
    }

    fn read_config(&self, wanted: &ConfigName) -> Result<ConfigText, RpcError> {
        let name = known(&wanted.name)?;
        let text = config::text(&self.paths.config, name)
            .map_err(|error| RpcError::new(ErrorKind::Internal, format!("{name}: {error}")))?;
        Ok(ConfigText {
            name: name.to_owned(),
            path: config::path(&self.paths.config, name).display().to_string(),
            digest: config::digest(&text),
            writable: config::is_writable(&self.paths.config, name),
            text,
        })
    }

    fn try_config(&self, draft: &ConfigDraft) -> Result<Vec<String>, RpcError> {
        let name = known(&draft.name)?;
        let findings = config::check_instead(&self.paths.config, name, &draft.text);
        Ok(findings.iter().map(ToString::to_string).collect())
    }

    /// As `officectl config edit` does: checked, written whole, taken over.
    fn write_config(&self, draft: &ConfigDraft) -> Result<ReloadReport, RpcError> {
        let name = known(&draft.name)?;
        let path = config::path(&self.paths.config, name).display().to_string();
        if !config::is_writable(&self.paths.config, name) {
            let words = format!(
                "{path} is not the daemon's to write; type: sudo officectl config edit {}",
                name.trim_end_matches(".toml")
            );
            return Err(RpcError::new(ErrorKind::Conflict, words));
        }
        let wanted = Save {
            name,
            text: &draft.text,
            before: draft.before.as_deref(),
        };
        match config::save(&self.paths.config, wanted) {
            Ok(_) => {
                log::info!("{path} was written through the control socket");
                Ok(self.reloader.reload())
            }
            Err(Unsaved::Mistakes(findings)) => Ok(ReloadReport {
                findings: findings.iter().map(ToString::to_string).collect(),
                ..ReloadReport::default()
            }),
            Err(Unsaved::Changed) => {
                let words =
                    format!("somebody else has changed {path} meanwhile; load it again first");
                Err(RpcError::new(ErrorKind::Conflict, words))
            }
            Err(Unsaved::Disk(error)) => Err(RpcError::new(
                ErrorKind::Internal,
                format!("{path} cannot be written: {error}"),
            )),
        }
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

fn known(name: &str) -> Result<&'static str, RpcError> {
    let found = config::FILES.into_iter().find(|one| *one == name);
    found.ok_or_else(|| {
        let words = format!("there is no settings file {}", visible(name));
        RpcError::new(ErrorKind::NotFound, words)
    })
}
