//! What goes wrong, in words for whoever wrote the calling program.

use crate::control::api::{GatewayEvent, GatewayFault};
use crate::executor::Fault;
use crate::hub::Hub;
use crate::policy::Profile;
use crate::sanitize::visible;
use crate::store::Relationship;
use shared_proto::error::ErrorCode;

/// Why a request came to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failed {
    fault: GatewayFault,
    message: String,
    retry_after_s: Option<u64>,
}

/// Seconds after which a laptop that has too much to do may be asked again.
const BUSY_RETRY_S: u64 = 2;

impl Failed {
    pub(super) fn new(fault: GatewayFault, message: impl Into<String>) -> Self {
        Self {
            fault,
            message: message.into(),
            retry_after_s: None,
        }
    }

    /// The request itself is at fault.
    pub(super) fn request(message: impl Into<String>) -> Self {
        Self::new(GatewayFault::Request, message)
    }

    /// No model of this name is there for this caller.
    pub(super) fn no_model(model: &str) -> Self {
        let model = visible(model);
        Self::new(
            GatewayFault::Model,
            format!("there is no model {model} for this key; /v1/models lists those there are"),
        )
    }

    /// What the hub or the executor said; `caller` where it is known.
    pub(super) fn of(hub: &Hub, caller: Option<(&Relationship, &Profile)>, fault: Fault) -> Self {
        let wait = caller
            .filter(|_| fault.code == ErrorCode::RateLimited)
            .and_then(|(caller, profile)| hub.rate_wait_ms(caller.id, profile))
            .map(|ms| ms.div_ceil(1000).max(1));
        let name = caller.map(|(caller, _)| caller.name.as_str());
        Self::said(name, &fault, wait)
    }

    fn said(caller: Option<&str>, fault: &Fault, wait_s: Option<u64>) -> Self {
        use ErrorCode as Code;
        let kind = kind(fault.code);
        let name = visible(caller.unwrap_or("NAME"));
        let message = match fault.code {
            Code::Revoked => "nobody on this laptop has this key".to_owned(),
            Code::Expired => "this key has run out; officectl callers add makes another".to_owned(),
            Code::Denied => format!(
                "this key may not do that; on the laptop, officectl callers permit {name} … allow changes it"
            ),
            Code::AskRefused => "the owner of this laptop was asked and said no".to_owned(),
            Code::AskExpired => format!(
                "the owner of this laptop was asked and did not answer; officectl callers permit {name} … allow \
                 lets it pass without asking"
            ),
            _ => visible(&fault.to_string()),
        };
        Self {
            fault: kind,
            message,
            retry_after_s: match kind {
                GatewayFault::Rate => wait_s.or(Some(BUSY_RETRY_S)),
                GatewayFault::Unavailable => Some(BUSY_RETRY_S),
                _ => None,
            },
        }
    }

    /// As the gateway is told.
    pub(super) fn event(self) -> GatewayEvent {
        GatewayEvent::Failed {
            fault: self.fault,
            message: self.message,
            retry_after_s: self.retry_after_s,
        }
    }
}

fn kind(code: ErrorCode) -> GatewayFault {
    use ErrorCode as Code;
    match code {
        Code::Revoked | Code::Expired => GatewayFault::Key,
        Code::Denied | Code::AskRefused | Code::AskExpired | Code::UrlRefused => {
            GatewayFault::Denied
        }
        Code::ModelDenied | Code::ModelUnknown => GatewayFault::Model,
        Code::RateLimited | Code::Busy => GatewayFault::Rate,
        Code::QuotaExceeded => GatewayFault::Quota,
        Code::TooLarge => GatewayFault::TooLong,
        Code::LimitExceeded | Code::Malformed | Code::TypeMismatch | Code::Unsupported => {
            GatewayFault::Request
        }
        Code::ServiceDown | Code::ProviderUnreachable => GatewayFault::Unavailable,
        Code::ProviderFailed
        | Code::ProviderBroke
        | Code::TimedOut
        | Code::BadImage
        | Code::Interrupted => GatewayFault::Provider,
        _ => GatewayFault::Internal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_says_what_to_do_about_it() {
        let said = |code, detail: &str| {
            Failed::said(Some("editor"), &Fault::new(code, detail), None).event()
        };
        let GatewayEvent::Failed { fault, message, .. } = said(ErrorCode::Denied, "x") else {
            panic!("an end");
        };
        assert_eq!(fault, GatewayFault::Denied);
        assert!(message.contains("callers permit editor"), "{message}");
        let GatewayEvent::Failed {
            fault,
            retry_after_s,
            ..
        } = said(ErrorCode::Busy, "")
        else {
            panic!("an end");
        };
        assert_eq!((fault, retry_after_s), (GatewayFault::Rate, Some(2)));
    }

    #[test]
    fn what_a_provider_says_is_escaped() {
        let fault = Fault::new(ErrorCode::ProviderFailed, "desk: a\x1b[31mb");
        let failed = Failed::said(None, &fault, None);
        assert!(!failed.message.contains('\x1b'), "{}", failed.message);
    }
}
