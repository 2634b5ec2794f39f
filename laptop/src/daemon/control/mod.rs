//! What the control socket can do: one file per family of methods, each with its table.

mod activity;
mod caller;
mod config;
mod device;
mod file;
mod gateway;
mod ledger;
mod log;
mod method;
mod metrics;
mod model;
mod page;
mod pairing;
mod provider;
mod request;
mod service;
mod status;
mod usage;
mod watch;

use super::carriers::Carriers;
use super::pairing::PairingDesk;
use super::reload::Reloader;
use super::settled::Settled;
use crate::control::api::Access;
use crate::control::{ErrorKind, Handler, Reply, RpcError};
use crate::hub::{Hub, Services};
use crate::paths::Paths;
use crate::policy::PatternError;
use crate::store::StoreError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// Every method, by family. A new family is a file with a table, and a line here.
const FAMILIES: &[&[Method]] = &[
    status::METHODS,
    pairing::METHODS,
    device::METHODS,
    caller::METHODS,
    gateway::METHODS,
    request::METHODS,
    watch::METHODS,
    model::METHODS,
    ledger::METHODS,
    config::METHODS,
    log::METHODS,
    activity::METHODS,
    usage::METHODS,
    provider::METHODS,
    metrics::METHODS,
    page::METHODS,
    method::METHODS,
    service::METHODS,
    file::METHODS,
];

/// Carries a method out.
type Call = fn(&Control, Value) -> Result<Reply, RpcError>;

/// One method of the control socket.
struct Method {
    name: &'static str,
    /// Whether a caller that may only look may call it.
    access: Access,
    /// Whether web-service may call it, for the page, for programs with a token and for callers.
    web: bool,
    call: Call,
}

impl Method {
    /// A method that changes nothing and tells no secret.
    const fn read(name: &'static str, call: Call) -> Self {
        Self {
            name,
            access: Access::Read,
            web: true,
            call,
        }
    }

    /// A method that changes something, or tells a secret.
    const fn full(name: &'static str, call: Call) -> Self {
        Self {
            name,
            access: Access::Full,
            web: true,
            call,
        }
    }

    /// One that is for the control socket alone: neither the page nor a token has a use for it.
    const fn owner(name: &'static str, call: Call) -> Self {
        Self {
            web: false,
            ..Self::full(name, call)
        }
    }
}

/// See the module.
pub(super) struct Control {
    hub: Arc<Hub>,
    pairing: Arc<PairingDesk>,
    settled: Arc<Settled>,
    reloader: Arc<Reloader>,
    paths: Paths,
    services: Services,
    carriers: Arc<Carriers>,
    times: activity::Times,
    codes: page::Codes,
    /// Held while the tokens are read and written again.
    token_turn: Mutex<()>,
    /// The user of web-service, where it has one of its own.
    web_user: Option<u32>,
    started: Instant,
}

impl Control {
    pub(super) fn new(
        hub: Arc<Hub>,
        pairing: Arc<PairingDesk>,
        reloader: Arc<Reloader>,
        carriers: Arc<Carriers>,
    ) -> Self {
        Self {
            times: activity::Times::follow(&hub),
            codes: page::Codes::default(),
            token_turn: Mutex::default(),
            web_user: reloader.paths.system.then(web_user).flatten(),
            hub,
            pairing,
            settled: Arc::clone(&reloader.settled),
            paths: reloader.paths.clone(),
            services: reloader.services.clone(),
            reloader,
            carriers,
            started: Instant::now(),
        }
    }
}

impl Handler for Control {
    fn call(&self, uid: u32, method: &str, params: Value) -> Result<Reply, RpcError> {
        let mut methods = FAMILIES.iter().copied().flatten();
        match methods.find(|one| one.name == method) {
            Some(one) => {
                may(one, uid, self.web_user)?;
                (one.call)(self, params)
            }
            None => {
                let words = format!("there is no method {}", crate::sanitize::visible(method));
                Err(RpcError::new(ErrorKind::Method, words))
            }
        }
    }
}

/// Refuses what is for the owner alone to the user of web-service, whatever asks through it.
fn may(method: &Method, uid: u32, web_user: Option<u32>) -> Result<(), RpcError> {
    match web_user == Some(uid) && !method.web {
        true => {
            let words = format!(
                "{} is for officectl and its owner, and not for web-service",
                method.name
            );
            Err(RpcError::new(ErrorKind::Forbidden, words))
        }
        false => Ok(()),
    }
}

fn web_user() -> Option<u32> {
    crate::service::process::user_id("officeos-web")
        .inspect_err(|words| ::log::warn!("{words}"))
        .ok()
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

/// An answer as the wire has it.
fn value(answer: &impl Serialize) -> Result<Reply, RpcError> {
    serde_json::to_value(answer)
        .map(Reply::Value)
        .map_err(|error| RpcError::new(ErrorKind::Internal, error.to_string()))
}

/// Parameters as a method takes them.
fn read<T: DeserializeOwned>(params: Value) -> Result<T, RpcError> {
    serde_json::from_value(params)
        .map_err(|error| RpcError::new(ErrorKind::Params, error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::api::PendingId;
    use std::collections::BTreeSet;

    #[test]
    fn parameters_that_do_not_fit_are_refused_as_such() {
        let error = read::<PendingId>(serde_json::json!({ "id": "x" })).expect_err("refused");
        assert_eq!(error.kind(), ErrorKind::Params);
    }

    #[test]
    fn web_service_may_call_what_the_page_and_the_gateway_need_and_nothing_else() {
        let find = |name: &str| {
            let mut methods = FAMILIES.iter().copied().flatten();
            methods.find(|one| one.name == name).expect(name)
        };
        let web = Some(990);
        for name in [
            "status",
            "approve",
            "gateway.chat",
            "tokens.check",
            "config.write",
        ] {
            assert_eq!(may(find(name), 990, web), Ok(()), "{name}");
        }
        for name in ["page.login", "callers.add", "files.read"] {
            let refused = may(find(name), 990, web).expect_err(name);
            assert_eq!(refused.kind(), ErrorKind::Forbidden);
            // The owner, and root, and anybody where web-service is the owner's own process.
            assert_eq!(may(find(name), 1000, web), Ok(()));
            assert_eq!(may(find(name), 990, None), Ok(()));
        }
    }

    #[test]
    fn no_name_is_taken_twice() {
        let names = FAMILIES.iter().copied().flatten().map(|one| one.name);
        let distinct: BTreeSet<&str> = names.clone().collect();
        assert_eq!(distinct.len(), names.count());
    }
}
