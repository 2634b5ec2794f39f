//! Paired devices, their permissions and limits.

use super::{Control, Method, read, value};
use crate::control::api::{
    Allowance, Device, DeviceDetail, DeviceName, Limit, Permit, Rename, Renew,
};
use crate::control::{ErrorKind, RpcError};
use crate::policy::{ModelPattern, Profile, Rule, Standing, UrlPattern};
use crate::store::{Kind, Relationship, RelationshipId};
use shared_proto::crypto::Crypto;
use shared_proto::crypto::ring::RingCrypto;
use shared_proto::opcode::Operation;
use std::collections::BTreeMap;

/// Most days that a renewal gives.
const MAX_RENEWAL_DAYS: u32 = 365;
/// Seconds in a day.
const DAY_S: i64 = 24 * 3600;

pub(super) const METHODS: &[Method] = &[
    Method::read("devices.list", |control, _| value(&control.devices()?)),
    Method::read("devices.show", |control, params| {
        value(&control.show(&read::<DeviceName>(params)?.device)?)
    }),
    Method::full("devices.rename", |control, params| {
        value(&control.rename(&read(params)?)?)
    }),
    Method::full("devices.permit", |control, params| {
        value(&control.permit(&read(params)?)?)
    }),
    Method::full("devices.limit", |control, params| {
        value(&control.limit(&read(params)?)?)
    }),
    Method::full("devices.revoke", |control, params| {
        value(&control.revoke(&read::<DeviceName>(params)?.device)?)
    }),
    Method::full("devices.renew", |control, params| {
        value(&control.renew(&read(params)?)?)
    }),
];

impl Control {
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
            standing: standing(one.standing(now)).to_owned(),
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

    /// Finds a device by number or by name.
    pub(super) fn find(&self, wanted: &str) -> Result<Relationship, RpcError> {
        pick(
            &self.hub.store.relationships()?,
            wanted,
            "device",
            "officectl devices",
        )
    }

    fn show(&self, wanted: &str) -> Result<DeviceDetail, RpcError> {
        let one = self.find(wanted)?;
        self.detail(&one, &self.hub.store.profile(one.id)?)
    }

    fn detail(&self, one: &Relationship, profile: &Profile) -> Result<DeviceDetail, RpcError> {
        let Allowance {
            rules,
            language_models,
            image_models,
            urls,
            requests_per_minute,
            tokens,
            pictures,
            bytes,
            seconds,
        } = self.allowance(one.id, profile)?;
        Ok(DeviceDetail {
            device: self.device(one),
            key: one
                .keys
                .as_ref()
                .map(|ring| fingerprint(&ring.current.peer.0))
                .unwrap_or_default(),
            rules,
            language_models,
            image_models,
            urls,
            requests_per_minute,
            tokens,
            pictures,
            bytes,
            seconds,
        })
    }

    /// What a device or caller may do, and has used today.
    pub(super) fn allowance(
        &self,
        id: RelationshipId,
        profile: &Profile,
    ) -> Result<Allowance, RpcError> {
        let day = self.hub.store.local_day(self.hub.wall())?;
        let used = self.hub.store.usage(id, day)?;
        let rules = Operation::ALL
            .into_iter()
            .map(|op| (op.name().to_owned(), profile.rule(op).name().to_owned()));
        let models = |list: &[ModelPattern]| {
            list.iter()
                .map(|pattern| pattern.as_str().to_owned())
                .collect()
        };
        Ok(Allowance {
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
            seconds: (used.seconds, profile.seconds_per_day),
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
        self.set_rule(&one, wanted)?;
        self.detail(&one, &self.hub.store.profile(one.id)?)
    }

    /// Sets one rule of a device or caller.
    pub(super) fn set_rule(&self, one: &Relationship, wanted: &Permit) -> Result<(), RpcError> {
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
        self.change(one, |profile| profile.set_rule(operation, rule))
    }

    fn limit(&self, wanted: &Limit) -> Result<DeviceDetail, RpcError> {
        let one = self.find(&wanted.device)?;
        self.set_limits(&one, wanted)?;
        self.detail(&one, &self.hub.store.profile(one.id)?)
    }

    /// Sets limits of a device or caller.
    pub(super) fn set_limits(&self, one: &Relationship, wanted: &Limit) -> Result<(), RpcError> {
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
        self.change(one, |profile| {
            profile.requests_per_minute = wanted
                .requests_per_minute
                .unwrap_or(profile.requests_per_minute);
            profile.tokens_per_day = wanted.tokens_per_day.unwrap_or(profile.tokens_per_day);
            profile.pictures_per_day = wanted.pictures_per_day.unwrap_or(profile.pictures_per_day);
            profile.bytes_per_day = wanted.bytes_per_day.unwrap_or(profile.bytes_per_day);
            profile.seconds_per_day = wanted.seconds_per_day.unwrap_or(profile.seconds_per_day);
            if let Some(list) = &language {
                profile.language_models.clone_from(list);
            }
            if let Some(list) = &image {
                profile.image_models.clone_from(list);
            }
            if let Some(list) = &urls {
                profile.urls.clone_from(list);
            }
        })
    }

    fn change(&self, one: &Relationship, change: impl Fn(&mut Profile)) -> Result<(), RpcError> {
        if !one.is_held() {
            let words = match one.kind {
                Kind::Device => "this device was revoked; pair it again first",
                Kind::Caller => "this caller was revoked; add it again first",
            };
            return Err(RpcError::new(ErrorKind::Conflict, words));
        }
        self.hub.store.change_profile(one.id, change)?;
        self.hub.changed(one.id);
        Ok(())
    }

    fn revoke(&self, wanted: &str) -> Result<Device, RpcError> {
        let one = self.find(wanted)?;
        self.hub.revoke(one.id)?;
        log::info!("{}: revoked", crate::sanitize::visible(&one.name));
        Ok(self.device(&self.hub.store.relationship(one.id)?))
    }

    fn renew(&self, wanted: &Renew) -> Result<Device, RpcError> {
        let one = self.find(&wanted.device)?;
        let days = wanted
            .days
            .unwrap_or(self.settled.now().daemon.relationship_days);
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
}

/// Finds one by number or by name. A name that several have is refused, so that nobody changes another one.
pub(super) fn pick(
    all: &[Relationship],
    wanted: &str,
    what: &str,
    list: &str,
) -> Result<Relationship, RpcError> {
    if let Ok(id) = wanted.parse::<i64>()
        && let Some(one) = all.iter().find(|one| one.id == id)
    {
        return Ok(one.clone());
    }
    let named: Vec<&Relationship> = all.iter().filter(|one| one.name == wanted).collect();
    let held: Vec<&Relationship> = named.iter().copied().filter(|one| one.is_held()).collect();
    // A revoked one does not stand in the way of its successor of the same name.
    match if held.is_empty() {
        named.as_slice()
    } else {
        held.as_slice()
    } {
        [one] => Ok((*one).clone()),
        [] => {
            let wanted = crate::sanitize::visible(wanted);
            let words = format!("there is no {what} {wanted}; see {list}");
            Err(RpcError::new(ErrorKind::NotFound, words))
        }
        _ => Err(RpcError::new(
            ErrorKind::Conflict,
            format!("several have this name; name the {what} by its number"),
        )),
    }
}

/// The word for how one stands.
pub(super) fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Active => "active",
        Standing::Expired => "expired",
        Standing::Revoked => "revoked",
    }
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
}
