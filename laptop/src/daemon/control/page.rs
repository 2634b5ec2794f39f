//! Who may use the local page and the control API on loopback: codes for one use, and named tokens.
//!
//! The daemon keeps digests only. Codes and secrets are 128 and 256 random bits, so that a digest needs no salt and
//! guessing no further answer than a bound on how often it is tried, which web-service sets.

use super::{Control, Method, read, value};
use crate::control::api::{
    Access, MadeToken, NewToken, PageCode, PageLogin, Token, TokenName, TokenSecret,
};
use crate::control::{ErrorKind, RpcError};
use crate::ledger::{Event, Hex};
use crate::store::{Purpose, Setting};
use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};
use shared_proto::crypto::Crypto;
use shared_proto::crypto::ring::RingCrypto;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use subtle::ConstantTimeEq;

/// How long a code for the page is good.
const CODE_LIFETIME: Duration = Duration::from_secs(300);
/// Most codes that wait to be used; the oldest goes.
const MAX_CODES: usize = 8;
/// Most tokens.
const MAX_TOKENS: usize = 32;
/// Longest name of a token, in characters.
const MAX_NAME_CHARS: usize = 64;
/// What every secret begins with, so that one that lies around is known for what it is.
const SECRET_START: &str = "officeos-";

pub(super) const METHODS: &[Method] = &[
    Method::owner("page.login", |control, _| value(&control.page_login()?)),
    Method::full("page.redeem", |control, params| {
        value(&control.page_redeem(&read::<PageCode>(params)?)?)
    }),
    // Full: who else has a token is nothing for whoever may only look.
    Method::full("tokens.list", |control, _| {
        let kept = control.tokens()?;
        value(&kept.into_iter().map(|one| one.token).collect::<Vec<_>>())
    }),
    Method::full("tokens.make", |control, params| {
        value(&control.make_token(read(params)?)?)
    }),
    Method::full("tokens.revoke", |control, params| {
        value(&control.revoke_token(&read(params)?)?)
    }),
    Method::full("tokens.check", |control, params| {
        value(&control.check_token(&read::<TokenSecret>(params)?)?)
    }),
];

/// Codes that were given out and not used yet.
#[derive(Default)]
pub(super) struct Codes(Mutex<Vec<(Digest, Instant)>>);

type Digest = [u8; 32];

impl Codes {
    fn add(&self, code: &str, now: Instant) {
        let mut codes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        codes.retain(|(_, until)| *until > now);
        if codes.len() == MAX_CODES {
            codes.remove(0);
        }
        codes.push((digest(code), now + CODE_LIFETIME));
    }

    /// Whether `code` was given out; it is worth nothing from then on.
    fn take(&self, code: &str, now: Instant) -> bool {
        let mut codes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        codes.retain(|(_, until)| *until > now);
        let wanted = digest(code);
        let before = codes.len();
        codes.retain(|(own, _)| !same(own, &wanted));
        codes.len() < before
    }
}

/// A token as it is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Kept {
    #[serde(flatten)]
    token: Token,
    digest: Hex<32>,
}

/// What becomes of a token.
#[derive(Clone, Copy)]
enum Change {
    Made,
    Revoked,
}

impl Control {
    fn page_login(&self) -> Result<PageLogin, RpcError> {
        let web = self.settled.now().daemon.web.clone();
        if !web.enabled {
            return Err(RpcError::new(
                ErrorKind::Conflict,
                "the page is off; write enabled = true in the section [web] of daemon.toml, and start laptop-daemon again",
            ));
        }
        let code = Hex(random::<16>()?).to_string();
        self.codes.add(&code, Instant::now());
        Ok(PageLogin {
            url: format!("http://127.0.0.1:{}/login#{code}", web.port),
            code,
            expires_in_s: CODE_LIFETIME.as_secs(),
        })
    }

    fn page_redeem(&self, code: &PageCode) -> Result<serde_json::Value, RpcError> {
        if !self.codes.take(code.code.trim(), Instant::now()) {
            let words = "this code was used, has run out, or was never given out; ask for another with officectl page";
            return Err(RpcError::new(ErrorKind::NotFound, words));
        }
        Ok(serde_json::json!({}))
    }

    fn tokens(&self) -> Result<Vec<Kept>, RpcError> {
        let Some(bytes) = self.hub.store.setting(Setting::Tokens)? else {
            return Ok(Vec::new());
        };
        serde_json::from_slice(&bytes).map_err(|error| {
            let words = format!(
                "the tokens cannot be read ({error}); none is good until they are made anew"
            );
            RpcError::new(ErrorKind::Internal, words)
        })
    }

    /// Keeps `tokens`, of which `one` was made or revoked.
    fn keep_tokens(&self, tokens: &[Kept], one: &Kept, change: Change) -> Result<(), RpcError> {
        let bytes = serde_json::to_vec(tokens)
            .map_err(|error| RpcError::new(ErrorKind::Internal, error.to_string()))?;
        let event = Event::Token {
            name: one.token.name.clone(),
            change: match change {
                Change::Made => "made",
                Change::Revoked => "revoked",
            }
            .to_owned(),
            access: match one.token.access {
                Access::Read => "read",
                Access::Full => "full",
            }
            .to_owned(),
            key: one.digest,
        };
        let purpose = match change {
            Change::Made => Purpose::Decision,
            Change::Revoked => Purpose::Revocation,
        };
        let store = &self.hub.store;
        Ok(store.set_noted(Setting::Tokens, &bytes, event, purpose)?)
    }

    fn make_token(&self, wanted: NewToken) -> Result<MadeToken, RpcError> {
        let chars = wanted.name.chars().count();
        if !(1..=MAX_NAME_CHARS).contains(&chars)
            || wanted.name.chars().any(crate::sanitize::is_hostile)
        {
            let words = format!("a name has 1 to {MAX_NAME_CHARS} visible characters");
            return Err(RpcError::new(ErrorKind::Params, words));
        }
        let _one = self
            .token_turn
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let mut tokens = self.tokens()?;
        if tokens.iter().any(|one| one.token.name == wanted.name) {
            let words = "there is a token of this name; revoke it first, or take another name";
            return Err(RpcError::new(ErrorKind::Conflict, words));
        }
        if tokens.len() == MAX_TOKENS {
            let words = format!("there are {MAX_TOKENS} tokens; revoke one first");
            return Err(RpcError::new(ErrorKind::Conflict, words));
        }
        let secret = format!("{SECRET_START}{}", Hex(random::<32>()?));
        let now = self.hub.wall();
        let token = Token {
            name: wanted.name,
            access: wanted.access,
            made: self.hub.store.local_time(now)?.replace('.', ":"),
        };
        let made = Kept {
            token: token.clone(),
            digest: Hex(digest(&secret)),
        };
        tokens.push(made.clone());
        self.keep_tokens(&tokens, &made, Change::Made)?;
        log::info!("token {} made", crate::sanitize::visible(&token.name));
        Ok(MadeToken { token, secret })
    }

    fn revoke_token(&self, wanted: &TokenName) -> Result<Token, RpcError> {
        let _one = self
            .token_turn
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let mut tokens = self.tokens()?;
        let at = tokens
            .iter()
            .position(|one| one.token.name == wanted.name)
            .ok_or_else(|| {
                let words = format!(
                    "there is no token {}; see officectl tokens",
                    crate::sanitize::visible(&wanted.name)
                );
                RpcError::new(ErrorKind::NotFound, words)
            })?;
        let gone = tokens.remove(at);
        self.keep_tokens(&tokens, &gone, Change::Revoked)?;
        log::info!(
            "token {} revoked",
            crate::sanitize::visible(&gone.token.name)
        );
        Ok(gone.token)
    }

    fn check_token(&self, wanted: &TokenSecret) -> Result<Token, RpcError> {
        let wanted = digest(wanted.secret.trim());
        let mut found = None;
        for one in self.tokens()? {
            if same(&one.digest.0, &wanted) {
                found = Some(one.token);
            }
        }
        found.ok_or_else(|| {
            let words = "this token was revoked, or was never made; see officectl tokens";
            RpcError::new(ErrorKind::NotFound, words)
        })
    }
}

fn digest(secret: &str) -> Digest {
    RingCrypto.sha256(&[secret.as_bytes()])
}

/// Takes as long whatever the octets are.
fn same(one: &Digest, other: &Digest) -> bool {
    one.ct_eq(other).into()
}

fn random<const N: usize>() -> Result<[u8; N], RpcError> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| {
        RpcError::new(
            ErrorKind::Internal,
            "the system gave no random octets; try again",
        )
    })?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_good_once_and_for_a_while() {
        let codes = Codes::default();
        let now = Instant::now();
        codes.add("abc", now);
        assert!(!codes.take("abd", now));
        assert!(codes.take("abc", now));
        assert!(!codes.take("abc", now));
        codes.add("abc", now);
        assert!(!codes.take("abc", now + CODE_LIFETIME));
    }

    #[test]
    fn codes_that_nobody_uses_do_not_gather() {
        let codes = Codes::default();
        let now = Instant::now();
        for number in 0..=MAX_CODES {
            codes.add(&number.to_string(), now);
        }
        assert!(!codes.take("0", now));
        assert!(codes.take("1", now));
    }

    #[test]
    fn no_secret_reaches_a_log() {
        let code = PageCode {
            code: "secret".into(),
        };
        let made = MadeToken {
            token: Token {
                name: "grafana".into(),
                access: Access::Read,
                made: String::new(),
            },
            secret: "secret".into(),
        };
        assert!(!format!("{code:?}{made:?}").contains("secret"));
    }
}
