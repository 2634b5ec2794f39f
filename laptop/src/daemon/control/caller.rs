//! Callers of the gateway: their keys, permissions and limits.

use super::device::{pick, standing};
use super::{Control, Method, read, value};
use crate::control::api::{AddedCaller, Caller, CallerDetail, DeviceName, NewCaller};
use crate::control::{ErrorKind, RpcError};
use crate::store::{self, NEVER, Relationship};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use shared_proto::crypto::Crypto;
use shared_proto::crypto::ring::RingCrypto;

/// Most callers at a time: more programs than anybody has that speak this API.
const MAX_CALLERS: usize = 64;
/// Most days that a key may hold; without a number it holds until it is revoked.
const MAX_DAYS: u32 = 3650;
/// Seconds in a day.
const DAY_S: i64 = 24 * 3600;
/// How a key begins: some programs take only what begins as the keys of OpenAI do, and people see what it is.
const KEY_START: &str = "sk-officeos-";

pub(super) const METHODS: &[Method] = &[
    Method::owner("callers.add", |control, params| {
        value(&control.add_caller(&read(params)?)?)
    }),
    Method::read("callers.list", |control, _| value(&control.callers()?)),
    Method::read("callers.show", |control, params| {
        let one = control.find_caller(&read::<DeviceName>(params)?.device)?;
        value(&control.caller_detail(&one)?)
    }),
    Method::owner("callers.permit", |control, params| {
        let wanted = read::<crate::control::api::Permit>(params)?;
        let one = control.find_caller(&wanted.device)?;
        control.set_rule(&one, &wanted)?;
        value(&control.caller_detail(&one)?)
    }),
    Method::owner("callers.limit", |control, params| {
        let wanted = read::<crate::control::api::Limit>(params)?;
        let one = control.find_caller(&wanted.device)?;
        control.set_limits(&one, &wanted)?;
        value(&control.caller_detail(&one)?)
    }),
    Method::owner("callers.revoke", |control, params| {
        let one = control.find_caller(&read::<DeviceName>(params)?.device)?;
        control.hub.revoke(one.id)?;
        log::info!("{}: revoked", crate::sanitize::visible(&one.name));
        value(&control.caller(&control.hub.store.relationship(one.id)?))
    }),
];

impl Control {
    fn add_caller(&self, wanted: &NewCaller) -> Result<AddedCaller, RpcError> {
        let name = wanted.name.trim();
        let chars = name.chars().count();
        if !(1..=64).contains(&chars) || name.chars().any(crate::sanitize::is_hostile) {
            return Err(RpcError::new(
                ErrorKind::Params,
                "a name has 1 to 64 visible characters",
            ));
        }
        let days = wanted.days;
        if days.is_some_and(|days| !(1..=MAX_DAYS).contains(&days)) {
            let words = format!(
                "a key holds for 1 to {MAX_DAYS} days, or without a number of days until it is revoked"
            );
            return Err(RpcError::new(ErrorKind::Params, words));
        }
        let callers = self.hub.store.callers()?;
        let mut held = callers.iter().filter(|one| one.is_held());
        if held.clone().count() >= MAX_CALLERS {
            let words = format!("there are {MAX_CALLERS} callers; revoke one first");
            return Err(RpcError::new(ErrorKind::Conflict, words));
        }
        if held.any(|one| one.name == name) {
            return Err(RpcError::new(
                ErrorKind::Conflict,
                "there is a caller of this name; revoke it first, or choose another name",
            ));
        }
        let mut secret = [0; 32];
        RingCrypto
            .random(&mut secret)
            .map_err(|error| RpcError::new(ErrorKind::Internal, error.to_string()))?;
        let key = format!("{KEY_START}{}", URL_SAFE_NO_PAD.encode(secret));
        let now = self.hub.wall();
        let new = store::NewCaller {
            name: name.to_owned(),
            key: RingCrypto.sha256(&[key.as_bytes()]),
            created_at: now,
            expires_at: days.map_or(NEVER, |days| now + i64::from(days) * DAY_S),
        };
        let mut profile = self.settled.now().permissions.new_device.clone();
        profile.requests_per_minute = self.settled.now().daemon.requests_per_minute;
        let added = self.hub.store.add_caller(&new, &profile)?;
        log::info!("{}: added as a caller", crate::sanitize::visible(name));
        Ok(AddedCaller {
            caller: self.caller(&added),
            key,
        })
    }

    fn callers(&self) -> Result<Vec<Caller>, RpcError> {
        let callers = self.hub.store.callers()?;
        Ok(callers.iter().map(|one| self.caller(one)).collect())
    }

    fn find_caller(&self, wanted: &str) -> Result<Relationship, RpcError> {
        let callers = self.hub.store.callers()?;
        pick(&callers, wanted, "caller", "officectl callers list")
    }

    fn caller(&self, one: &Relationship) -> Caller {
        let now = self.hub.wall();
        Caller {
            id: one.id,
            name: one.name.clone(),
            standing: standing(one.standing(now)).to_owned(),
            added_ago_s: (now - one.created_at).max(0),
            expires_in_s: (one.expires_at != NEVER).then(|| one.expires_at - now),
            seen_ago_s: one.last_seen_at.map(|seen| (now - seen).max(0)),
            running: self.hub.running(one.id),
        }
    }

    fn caller_detail(&self, one: &Relationship) -> Result<CallerDetail, RpcError> {
        let profile = self.hub.store.profile(one.id)?;
        Ok(CallerDetail {
            caller: self.caller(one),
            allowance: self.allowance(one.id, &profile)?,
        })
    }
}
