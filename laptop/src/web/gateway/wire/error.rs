//! Error objects and their status.

use crate::control::api::GatewayFault;
use serde_json::{Value, json};

/// An error as a client gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    /// Status of the answer.
    pub status: u16,
    /// Seconds after which it may work, for `Retry-After`.
    pub retry_after_s: Option<u64>,
    /// Whether trying again at once or later today is of any use, where the status alone would mislead the official clients.
    pub should_retry: Option<bool>,
    kind: &'static str,
    code: Option<&'static str>,
    param: Option<String>,
    message: String,
}

/// Parameters that the daemon names at the beginning of its sentences.
const PARAMS: [&str; 10] = [
    "dimensions",
    "input",
    "messages",
    "model",
    "prompt",
    "n",
    "size",
    "stop",
    "temperature",
    "max_tokens",
];

impl ApiError {
    fn new(
        status: u16,
        kind: &'static str,
        code: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self {
            status,
            retry_after_s: None,
            should_retry: None,
            kind,
            code: Some(code),
            param: None,
            message: message.into(),
        }
    }

    /// The request is at fault; `param` says where.
    pub(super) fn request(param: Option<&str>, message: impl Into<String>) -> Self {
        Self {
            param: param.map(str::to_owned),
            ..Self::new(400, "invalid_request_error", "invalid_value", message)
        }
    }

    /// This gateway does not have the parameter.
    pub(super) fn unsupported(param: &str) -> Self {
        Self {
            param: Some(param.to_owned()),
            ..Self::new(
                400,
                "invalid_request_error",
                "unsupported_parameter",
                format!("this gateway does not support {param}; leave it out"),
            )
        }
    }

    /// A parameter that the API does not have.
    pub(super) fn unknown(param: &str) -> Self {
        Self {
            param: Some(param.to_owned()),
            ..Self::new(
                400,
                "invalid_request_error",
                "unknown_parameter",
                format!("there is no parameter {param}"),
            )
        }
    }

    /// No key was shown.
    pub fn no_key() -> Self {
        let words = "show a key as Authorization: Bearer KEY; on this laptop, officectl callers add NAME makes one";
        Self::new(401, "invalid_request_error", "invalid_api_key", words)
    }

    /// The request came from a web page, or for another host.
    pub fn foreign(message: &str) -> Self {
        Self::new(403, "invalid_request_error", "forbidden", message)
    }

    /// The daemon does not answer.
    pub fn no_daemon(message: impl Into<String>) -> Self {
        Self::of(GatewayFault::Unavailable, message.into(), Some(2))
    }

    /// Too many requests run at once.
    pub fn busy() -> Self {
        let words = "too many requests of this laptop's programs are running; try again";
        Self::of(GatewayFault::Rate, words.into(), Some(2))
    }

    /// The answers that are being put together take all the room that there is. This one had been made, and perhaps paid for: asking
    /// again at once would be paid for again.
    pub fn no_room() -> Self {
        let words = "answers to this laptop's programs take too much memory just now, and this one was dropped; ask for less at a time";
        Self {
            should_retry: Some(false),
            ..Self::of(GatewayFault::Rate, words.into(), None)
        }
    }

    pub(super) fn method(method: &str) -> Self {
        let words = format!(
            "{} is not what this address takes",
            crate::sanitize::visible(method)
        );
        Self::new(405, "invalid_request_error", "method_not_supported", words)
    }

    pub(super) fn no_path(path: &str) -> Self {
        let path = crate::sanitize::visible(path);
        Self::new(
            404,
            "invalid_request_error",
            "unknown_url",
            format!(
                "there is no /v1{path} here; there are models, chat/completions, completions, embeddings and images/generations"
            ),
        )
    }

    pub(super) fn no_model(model: &str) -> Self {
        let model = crate::sanitize::visible(model);
        Self::of(
            GatewayFault::Model,
            format!("there is no model {model} for this key; /v1/models lists those there are"),
            None,
        )
    }

    /// What the daemon said.
    pub(super) fn of(fault: GatewayFault, message: String, retry_after_s: Option<u64>) -> Self {
        let invalid = "invalid_request_error";
        let (status, kind, code) = match fault {
            GatewayFault::Key => (401, invalid, "invalid_api_key"),
            GatewayFault::Denied => (403, "permission_error", "permission_denied"),
            GatewayFault::Model => (404, invalid, "model_not_found"),
            GatewayFault::Rate => (429, "requests", "rate_limit_exceeded"),
            GatewayFault::Quota => (429, "insufficient_quota", "insufficient_quota"),
            GatewayFault::Request => (400, invalid, "invalid_value"),
            GatewayFault::TooLong => (400, invalid, "context_length_exceeded"),
            GatewayFault::Unavailable => (503, "server_error", "service_unavailable"),
            GatewayFault::Provider => (502, "server_error", "provider_failed"),
            GatewayFault::Internal => (500, "server_error", "internal_error"),
        };
        let param = match fault {
            GatewayFault::Model => Some("model".to_owned()),
            GatewayFault::TooLong => Some("messages".to_owned()),
            GatewayFault::Request => message
                .split_once(": ")
                .map(|(start, _)| start)
                .filter(|start| PARAMS.contains(start))
                .map(str::to_owned),
            _ => None,
        };
        Self {
            retry_after_s,
            param,
            should_retry: match fault {
                // Tomorrow is too late for a client that waits, and what a provider has begun may have been paid for.
                GatewayFault::Quota | GatewayFault::Provider | GatewayFault::Internal => {
                    Some(false)
                }
                _ => None,
            },
            ..Self::new(status, kind, code, message)
        }
    }

    /// The object.
    pub fn body(&self) -> Value {
        json!({ "error": {
            "message": self.message,
            "type": self.kind,
            "param": self.param,
            "code": self.code,
        }})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_the_object_that_clients_read() {
        let error = ApiError::of(
            GatewayFault::Request,
            "max_tokens: 1 to 16384 are possible".into(),
            None,
        );
        assert_eq!(error.status, 400);
        assert_eq!(
            error.body(),
            json!({"error": {
                "message": "max_tokens: 1 to 16384 are possible",
                "type": "invalid_request_error",
                "param": "max_tokens",
                "code": "invalid_value",
            }})
        );
    }

    #[test]
    fn each_fault_has_its_status() {
        let status = |fault| ApiError::of(fault, String::new(), None).status;
        for (fault, expected) in [
            (GatewayFault::Key, 401),
            (GatewayFault::Denied, 403),
            (GatewayFault::Model, 404),
            (GatewayFault::Rate, 429),
            (GatewayFault::Quota, 429),
            (GatewayFault::Request, 400),
            (GatewayFault::TooLong, 400),
            (GatewayFault::Unavailable, 503),
            (GatewayFault::Provider, 502),
            (GatewayFault::Internal, 500),
        ] {
            assert_eq!(status(fault), expected, "{fault:?}");
        }
    }
}
