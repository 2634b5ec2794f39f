//! What the control socket can do.

use super::carriers::Carriers;
use super::ledger;
use super::news::{event, pending};
use super::pairing::PairingDesk;
use crate::config::{self, Config};
use crate::control::api::{
    Device, DeviceDetail, DeviceName, Digits, Event, Limit, Model, PairReport, PairStatus, Pending,
    PendingId, Permit, Rename, Renew, Status,
};
use crate::control::{ErrorKind, Handler, Reply, RpcError};
use crate::hub::{Hub, Services};
use crate::ipc::{ServiceClient, ServiceEvent, ServiceRequest};
use crate::paths::Paths;
use crate::policy::{ModelPattern, PatternError, Profile, Rule, Standing, UrlPattern};
use crate::store::{Relationship, StoreError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use shared_proto::crypto::Crypto;
use shared_proto::crypto::ring::RingCrypto;
use shared_proto::opcode::{Operation, Service};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

/// Events that a watcher may leave unread.
const MAX_UNREAD: usize = 1024;
/// Longest wait for a service that is asked whether it is there.
const SERVICE_TIMEOUT: Duration = Duration::from_secs(3);
/// Most days that a renewal gives.
const MAX_RENEWAL_DAYS: u32 = 365;
/// Seconds in a day.
const DAY_S: i64 = 24 * 3600;

/// See the module.
pub(super) struct Control {
    hub: Arc<Hub>,
    pairing: Arc<PairingDesk>,
    config: Config,
    paths: Paths,
    services: Services,
    carriers: Arc<Carriers>,
    started: Instant,
}

impl From<StoreError> for RpcError {
    fn from(error: StoreError) -> Self {
        let kind = match error {
            StoreError::Unknown => ErrorKind::NotFound,
            _ => ErrorKind::Internal,
        };
        Self::new(kind, error.to_string())
    }
}

impl From<PatternError> for RpcError {
    fn from(error: PatternError) -> Self {
        Self::new(ErrorKind::Params, error.to_string())
    }
}

impl Handler for Control {
    fn call(&self, method: &str, params: Value) -> Result<Reply, RpcError> {
        match method {
            "status" => value(&self.status()?),
            "pair.open" => value(&self.report(self.pairing.open()?)),
            "pair.type" => value(&self.pairing.typed(&read::<Digits>(params)?.digits)?),
            "pair.cancel" => value(&self.pairing.cancel()),
            "pair.status" => value(&self.report(self.pairing.status())),
            "devices.list" => value(&self.devices()?),
            "devices.show" => value(&self.show(&read::<DeviceName>(params)?.device)?),
            "devices.rename" => value(&self.rename(&read(params)?)?),
            "devices.permit" => value(&self.permit(&read(params)?)?),
            "devices.limit" => value(&self.limit(&read(params)?)?),
            "devices.revoke" => value(&self.revoke(&read::<DeviceName>(params)?.device)?),
            "devices.renew" => value(&self.renew(&read(params)?)?),
            "pending.list" => value(
                &self
                    .hub
                    .desk
                    .pending()
                    .iter()
                    .map(pending)
                    .collect::<Vec<_>>(),
            ),
            "approve" => value(&self.answer(read::<PendingId>(params)?.id, true)?),
            "deny" => value(&self.answer(read::<PendingId>(params)?.id, false)?),
            "watch" => self.watch(),
            "models" => value(&self.models()),
            "ledger.verify" => value(&ledger::verify(&self.hub)?),
            "ledger.read" => value(&ledger::part(&self.hub, &read(params)?)?),
            "config.check" => value(&self.check_config()),
            other => {
                let words = format!("there is no method {}", crate::sanitize::visible(other));
                Err(RpcError::new(ErrorKind::Method, words))
            }
        }
    }
}

fn value(answer: &impl Serialize) -> Result<Reply, RpcError> {
    serde_json::to_value(answer)
        .map(Reply::Value)
        .map_err(|error| RpcError::new(ErrorKind::Internal, error.to_string()))
}

fn read<T: DeserializeOwned>(params: Value) -> Result<T, RpcError> {
    serde_json::from_value(params)
        .map_err(|error| RpcError::new(ErrorKind::Params, error.to_string()))
}

impl Control {
    pub(super) fn new(
        hub: Arc<Hub>,
        pairing: Arc<PairingDesk>,
        config: Config,
        paths: Paths,
        services: Services,
        carriers: Arc<Carriers>,
    ) -> Self {
        Self {
            hub,
            pairing,
            config,
            paths,
            services,
            carriers,
            started: Instant::now(),
        }
    }

    fn status(&self) -> Result<Status, RpcError> {
        let devices = self.hub.store.relationships()?;
        let held: Vec<&Relationship> = devices
            .iter()
            .filter(|device| device.keys.is_some())
            .collect();
        let services = [
            (
                "language",
                self.config.daemon.llm_enabled,
                &self.services.language,
            ),
            (
                "image",
                self.config.daemon.image_generation_enabled,
                &self.services.image,
            ),
            (
                "fetch",
                self.config.daemon.fetch_enabled,
                &self.services.downloads,
            ),
        ];
        Ok(Status {
            name: self.config.daemon.device_name.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            uptime_s: self.started.elapsed().as_secs(),
            carriers: self.carriers.list(),
            trouble: self.carriers.trouble(),
            devices: held.len(),
            max_devices: self.config.daemon.max_paired_devices,
            linked: held
                .iter()
                .filter(|device| self.hub.is_linked(device.id))
                .count(),
            running: held.iter().map(|device| self.hub.running(device.id)).sum(),
            pending: self.hub.desk.pending().len(),
            services: services
                .into_iter()
                .filter(|(_, offered, _)| *offered)
                .map(|(name, _, client)| (name.to_owned(), answers(client)))
                .collect(),
        })
    }

    /// Only while a handheld may come has anybody to know the network's passphrase.
    fn report(&self, status: PairStatus) -> PairReport {
        let waits = matches!(status, PairStatus::Waiting { .. });
        PairReport {
            network: self.carriers.network().filter(|_| waits),
            trouble: self.carriers.trouble().filter(|_| waits),
            status,
        }
    }

    fn devices(&self) -> Result<Vec<Device>, RpcError> {
        Ok(self
            .hub
            .store
            .relationships()?
            .iter()
            .map(|one| self.device(one))
            .collect())
    }

    fn device(&self, one: &Relationship) -> Device {
        let now = self.hub.wall();
        Device {
            id: one.id,
            name: one.name.clone(),
            standing: match one.standing(now) {
                Standing::Active => "active",
                Standing::Expired => "expired",
                Standing::Revoked => "revoked",
            }
            .to_owned(),
            expires_in_s: one.expires_at - now,
            seen_ago_s: one.last_seen_at.map(|seen| (now - seen).max(0)),
            linked: self.hub.is_linked(one.id),
            screen: one.screen,
            folder: self
                .hub
                .settings()
                .files
                .join(&one.folder)
                .display()
                .to_string(),
        }
    }

    /// Finds a device by number or by name. A name that several have is refused, so that nobody changes another one.
    fn find(&self, wanted: &str) -> Result<Relationship, RpcError> {
        let devices = self.hub.store.relationships()?;
        if let Ok(id) = wanted.parse::<i64>()
            && let Some(device) = devices.iter().find(|device| device.id == id)
        {
            return Ok(device.clone());
        }
        let named: Vec<&Relationship> = devices
            .iter()
            .filter(|device| device.name == wanted)
            .collect();
        let held: Vec<&Relationship> = named
            .iter()
            .copied()
            .filter(|device| device.keys.is_some())
            .collect();
        // A revoked device does not stand in the way of its successor of the same name.
        match if held.is_empty() {
            named.as_slice()
        } else {
            held.as_slice()
        } {
            [one] => Ok((*one).clone()),
            [] => {
                let words = format!(
                    "there is no device {}; see officectl devices",
                    crate::sanitize::visible(wanted)
                );
                Err(RpcError::new(ErrorKind::NotFound, words))
            }
            _ => Err(RpcError::new(
                ErrorKind::Conflict,
                "several devices have this name; name it by its number",
            )),
        }
    }

    fn show(&self, wanted: &str) -> Result<DeviceDetail, RpcError> {
        let one = self.find(wanted)?;
        self.detail(&one, &self.hub.store.profile(one.id)?)
    }

    fn detail(&self, one: &Relationship, profile: &Profile) -> Result<DeviceDetail, RpcError> {
        let now = self.hub.wall();
        let used = self
            .hub
            .store
            .usage(one.id, self.hub.store.local_day(now)?)?;
        let rules = Operation::ALL
            .into_iter()
            .map(|op| (op.name().to_owned(), profile.rule(op).name().to_owned()));
        let models = |list: &[ModelPattern]| {
            list.iter()
                .map(|pattern| pattern.as_str().to_owned())
                .collect()
        };
        Ok(DeviceDetail {
            device: self.device(one),
            key: one
                .keys
                .as_ref()
                .map(|ring| fingerprint(&ring.current.peer.0))
                .unwrap_or_default(),
            rules: rules.collect::<BTreeMap<_, _>>(),
            language_models: models(&profile.language_models),
            image_models: models(&profile.image_models),
            urls: profile
                .urls
                .iter()
                .map(|pattern| pattern.as_str().to_owned())
                .collect(),
            requests_per_minute: profile.requests_per_minute,
            tokens: (used.tokens, profile.tokens_per_day),
            pictures: (used.pictures, profile.pictures_per_day),
            bytes: (used.bytes, profile.bytes_per_day),
        })
    }

    fn rename(&self, wanted: &Rename) -> Result<Device, RpcError> {
        let one = self.find(&wanted.device)?;
        if wanted.name.is_empty() || wanted.name.chars().any(crate::sanitize::is_hostile) {
            return Err(RpcError::new(
                ErrorKind::Params,
                "a name has 1 to 64 visible characters",
            ));
        }
        self.hub.store.rename(one.id, &wanted.name)?;
        Ok(self.device(&self.hub.store.relationship(one.id)?))
    }

    fn permit(&self, wanted: &Permit) -> Result<DeviceDetail, RpcError> {
        let one = self.find(&wanted.device)?;
        let operation = Operation::from_name(&wanted.operation).ok_or_else(|| {
            let names: Vec<&str> = Operation::ALL.into_iter().map(Operation::name).collect();
            let unknown = crate::sanitize::visible(&wanted.operation);
            RpcError::new(
                ErrorKind::Params,
                format!(
                    "there is no operation {unknown}; there are {}",
                    names.join(", ")
                ),
            )
        })?;
        let rule = Rule::from_name(&wanted.rule)
            .ok_or_else(|| RpcError::new(ErrorKind::Params, "a rule is deny, ask or allow"))?;
        self.change(&one, |profile| profile.set_rule(operation, rule))
    }

    fn limit(&self, wanted: &Limit) -> Result<DeviceDetail, RpcError> {
        let one = self.find(&wanted.device)?;
        let models = |list: &Option<Vec<String>>| {
            list.as_ref()
                .map(|list| {
                    list.iter()
                        .map(|text| ModelPattern::parse(text))
                        .collect::<Result<Vec<_>, _>>()
                })
                .transpose()
        };
        let (language, image) = (
            models(&wanted.language_models)?,
            models(&wanted.image_models)?,
        );
        let urls = wanted
            .urls
            .as_ref()
            .map(|list| {
                list.iter()
                    .map(|text| UrlPattern::parse(text))
                    .collect::<Result<Vec<_>, _>>()
            })
            .transpose()?;
        self.change(&one, |profile| {
            profile.requests_per_minute = wanted
                .requests_per_minute
                .unwrap_or(profile.requests_per_minute);
            profile.tokens_per_day = wanted.tokens_per_day.unwrap_or(profile.tokens_per_day);
            profile.pictures_per_day = wanted.pictures_per_day.unwrap_or(profile.pictures_per_day);
            profile.bytes_per_day = wanted.bytes_per_day.unwrap_or(profile.bytes_per_day);
            if let Some(list) = language {
                profile.language_models = list;
            }
            if let Some(list) = image {
                profile.image_models = list;
            }
            if let Some(list) = urls {
                profile.urls = list;
            }
        })
    }

    fn change(
        &self,
        one: &Relationship,
        change: impl FnOnce(&mut Profile),
    ) -> Result<DeviceDetail, RpcError> {
        if one.keys.is_none() {
            return Err(RpcError::new(
                ErrorKind::Conflict,
                "this device was revoked; pair it again first",
            ));
        }
        let profile = self.hub.store.change_profile(one.id, change)?;
        self.hub.changed(one.id);
        self.detail(one, &profile)
    }

    fn revoke(&self, wanted: &str) -> Result<Device, RpcError> {
        let one = self.find(wanted)?;
        self.hub.revoke(one.id)?;
        log::info!("{}: revoked", crate::sanitize::visible(&one.name));
        Ok(self.device(&self.hub.store.relationship(one.id)?))
    }

    fn renew(&self, wanted: &Renew) -> Result<Device, RpcError> {
        let one = self.find(&wanted.device)?;
        let days = wanted.days.unwrap_or(self.config.daemon.relationship_days);
        if !(1..=MAX_RENEWAL_DAYS).contains(&days) {
            let words = format!("a pairing is renewed for 1 to {MAX_RENEWAL_DAYS} days");
            return Err(RpcError::new(ErrorKind::Params, words));
        }
        if one.keys.is_none() {
            return Err(RpcError::new(
                ErrorKind::Conflict,
                "this device was revoked; pair it again",
            ));
        }
        self.hub
            .store
            .set_expiry(one.id, self.hub.wall() + i64::from(days) * DAY_S)?;
        self.hub.changed(one.id);
        Ok(self.device(&self.hub.store.relationship(one.id)?))
    }

    fn answer(&self, id: u64, yes: bool) -> Result<Pending, RpcError> {
        let nobody = || {
            RpcError::new(
                ErrorKind::NotFound,
                format!("no request {id} waits; see officectl pending"),
            )
        };
        let asked = self
            .hub
            .desk
            .pending()
            .into_iter()
            .find(|one| one.number == id)
            .ok_or_else(nobody)?;
        self.hub.desk.answer(id, yes).map_err(|_| nobody())?;
        Ok(pending(&asked))
    }

    fn models(&self) -> Vec<Model> {
        self.hub.ask_for_models();
        let models = self.hub.catalogue.models().into_iter();
        models
            .map(|(service, model)| Model {
                service: match service {
                    Service::Language => "language",
                    Service::Image => "image",
                    Service::Files => "files",
                    Service::System => "system",
                }
                .to_owned(),
                id: model.id,
                loaded: model.loaded,
                default: model.default,
                note: model.note,
            })
            .collect()
    }

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

    fn watch(&self) -> Result<Reply, RpcError> {
        let (sender, events) = sync_channel(MAX_UNREAD);
        let (activities, pairing) = (self.hub.desk.watch(), self.pairing.watch());
        let no_thread =
            |error: std::io::Error| RpcError::new(ErrorKind::Internal, error.to_string());
        forward("watch-pairing", pairing, sender.clone(), Some).map_err(no_thread)?;
        forward("watch", activities, sender, |activity| {
            Some(event(activity))
        })
        .map_err(no_thread)?;
        Ok(Reply::Events(events))
    }
}

/// Passes events on in a thread of its own until either end has gone.
fn forward<T: Send + 'static>(
    name: &str,
    from: Receiver<T>,
    to: SyncSender<Value>,
    make: impl Fn(T) -> Option<Event> + Send + 'static,
) -> std::io::Result<()> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || {
            for one in from {
                let Some(Ok(value)) = make(one).map(|event| serde_json::to_value(&event)) else {
                    continue;
                };
                if to.send(value).is_err() {
                    return;
                }
            }
        })?;
    Ok(())
}

fn answers(client: &ServiceClient) -> bool {
    let Ok(events) = client.call(&ServiceRequest::Health) else {
        return false;
    };
    if events.set_idle_timeout(Some(SERVICE_TIMEOUT)).is_err() {
        return false;
    }
    // Any answer of its own will do: also one that says it cannot tell.
    !matches!(
        events.into_iter().last(),
        None | Some(ServiceEvent::Failed(crate::ipc::Failure {
            code: crate::ipc::FailureCode::ServiceGone,
            ..
        }))
    )
}

/// The start of a key's SHA-256, in groups that people can compare.
fn fingerprint(key: &[u8; 32]) -> String {
    let digest = RingCrypto.sha256(&[key]);
    let groups: Vec<String> = digest[..16]
        .chunks(2)
        .map(|pair| format!("{:02x}{:02x}", pair[0], pair[1]))
        .collect();
    groups.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_eight_groups_of_four() {
        let shown = fingerprint(&[0; 32]);
        assert_eq!(shown, "6668 7aad f862 bd77 6c8f c18b 8e9f 8e20");
    }

    #[test]
    fn parameters_that_do_not_fit_are_refused_as_such() {
        let error = read::<PendingId>(serde_json::json!({ "id": "x" })).expect_err("refused");
        assert_eq!(error.kind(), ErrorKind::Params);
    }
}
