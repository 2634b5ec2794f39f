//! JSON-RPC 2.0 objects.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use std::fmt;

/// Longest line that the server reads, in octets: the longest conversation that the gateway takes, with its quotes escaped.
pub(super) const MAX_LINE_LEN: usize = 2 * 1024 * 1024;
/// Longest line that a client reads, in octets: the daemon is trusted, and a part of the ledger is long.
pub(super) const MAX_ANSWER_LEN: usize = 8 * 1024 * 1024;

/// A request or, without `id`, a notification.
#[derive(Debug, Deserialize)]
pub(super) struct Request {
    pub(super) jsonrpc: String,
    #[serde(default, deserialize_with = "present")]
    pub(super) id: Option<Value>,
    pub(super) method: String,
    #[serde(default)]
    pub(super) params: Value,
}

/// Tells an id of null from none.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// An answer, as the server writes it and the client reads it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Response {
    pub(super) jsonrpc: String,
    pub(super) id: Value,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) result: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) error: Option<RpcError>,
}

impl Response {
    pub(super) fn new(id: Value, outcome: Result<Value, RpcError>) -> Self {
        let (result, error) = match outcome {
            Ok(value) => (Some(value), None),
            Err(error) => (None, Some(error)),
        };
        Self {
            jsonrpc: "2.0".into(),
            id,
            result,
            error,
        }
    }
}

/// What kind of error it is; decides the exit code of `officectl`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The line is no JSON.
    Parse,
    /// The JSON is no request.
    Request,
    /// There is no such method.
    Method,
    /// The parameters do not fit the method.
    Params,
    /// The daemon failed.
    Internal,
    /// There is no such device or request.
    NotFound,
    /// It cannot be done as things stand.
    Conflict,
    /// Nothing answered in time.
    Unavailable,
    /// The caller's token does not allow it.
    Forbidden,
}

impl ErrorKind {
    const ALL: [Self; 9] = [
        Self::Parse,
        Self::Request,
        Self::Method,
        Self::Params,
        Self::Internal,
        Self::NotFound,
        Self::Conflict,
        Self::Unavailable,
        Self::Forbidden,
    ];

    /// The number on the wire: the standard's for its own kinds, small positive ones for ours.
    pub fn code(self) -> i64 {
        match self {
            Self::Parse => -32700,
            Self::Request => -32600,
            Self::Method => -32601,
            Self::Params => -32602,
            Self::Internal => -32603,
            Self::NotFound => 1,
            Self::Conflict => 2,
            Self::Unavailable => 3,
            Self::Forbidden => 4,
        }
    }
}

/// An error as it travels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RpcError {
    /// See [`ErrorKind::code`].
    pub code: i64,
    /// A sentence for a person.
    pub message: String,
}

impl RpcError {
    /// An error of `kind` that says `message`.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            code: kind.code(),
            message: message.into(),
        }
    }

    /// What kind it is; an unknown number counts as internal.
    pub fn kind(&self) -> ErrorKind {
        ErrorKind::ALL
            .into_iter()
            .find(|kind| kind.code() == self.code)
            .unwrap_or(ErrorKind::Internal)
    }
}

impl fmt::Display for RpcError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for RpcError {}

/// What the server sends without being asked, after `watch`.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Notification {
    pub(super) jsonrpc: String,
    pub(super) method: String,
    pub(super) params: Value,
}
