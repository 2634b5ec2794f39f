//! The control API over HTTP: what a token allows, and what goes on to the daemon.

use super::daemon::Daemon;
use crate::control::api::{Access, MethodInfo, PAGE_ALONE};
use crate::control::rpc::{self, Answer};
use crate::control::{ErrorKind, Reply, RpcError};
use serde_json::Value;

/// Answers `text`, a request or a batch of them, by `call`.
pub(super) fn answer(text: &[u8], call: impl Fn(&str, Value) -> Result<Value, RpcError>) -> Answer {
    rpc::answer(text, |method, params| {
        call(method, params).map(Reply::Value)
    })
}

/// Calls `method` for somebody who has `access`.
pub(super) fn call(
    daemon: &Daemon,
    access: Access,
    method: &str,
    params: Value,
) -> Result<Value, RpcError> {
    if method == "watch" {
        let words = "events come over WebSocket, at /events";
        return Err(RpcError::new(ErrorKind::Request, words));
    }
    if method.starts_with("gateway.") {
        let words = "this is the gateway's own; ask it on its port, with the key of a caller";
        return Err(RpcError::new(ErrorKind::Forbidden, words));
    }
    if PAGE_ALONE.contains(&method) {
        let words = format!("{method} is for the page and the control socket alone");
        return Err(RpcError::new(ErrorKind::Forbidden, words));
    }
    let methods: Vec<MethodInfo> = daemon.call("methods", Value::Null)?;
    // A method that is not there is refused by name, by the daemon.
    if let Some(known) = methods.iter().find(|one| one.name == method) {
        if known.access > access {
            let words =
                format!("{method} changes things or tells secrets, and this token is for reading");
            return Err(RpcError::new(ErrorKind::Forbidden, words));
        }
        if !known.web {
            let words =
                format!("{method} is for the control socket alone; officectl is what calls it");
            return Err(RpcError::new(ErrorKind::Forbidden, words));
        }
    }
    daemon.forward(method, params)
}
