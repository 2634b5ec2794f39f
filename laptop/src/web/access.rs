//! Who is let in: addresses, origins, sessions of browsers, and how often somebody may be wrong. Pure: `now` comes in.
//!
//! A page of another site can make a browser of this machine send requests here, and can give its own name this
//! machine's address (DNS rebinding). The first is known by `Origin`, the second by `Host`; neither is the page's to set.

use super::http::Request;
use ring::rand::{SecureRandom, SystemRandom};
use shared_proto::crypto::Crypto;
use shared_proto::crypto::ring::RingCrypto;
use std::collections::VecDeque;
use std::time::{Duration, Instant};
use subtle::ConstantTimeEq;

/// The cookie of a browser that is let in.
pub const COOKIE: &str = "officeos";
/// A session ends after so long without a request.
const IDLE_LIFETIME: Duration = Duration::from_secs(12 * 3600);
/// A session ends after so long in any case.
const LIFETIME: Duration = Duration::from_secs(7 * 24 * 3600);
/// Most sessions; the one that was idle longest goes.
const MAX_SESSIONS: usize = 16;
/// Wrong codes and tokens that are taken in a minute.
const MAX_WRONG: usize = 10;
/// The minute.
const WRONG_SPAN: Duration = Duration::from_secs(60);

/// Whether `request` names this machine, at `port`.
pub fn is_own_host(request: &Request, port: u16) -> bool {
    let names = ["127.0.0.1", "localhost", "[::1]"];
    names.iter().any(|name| {
        request
            .host()
            .eq_ignore_ascii_case(&format!("{name}:{port}"))
    })
}

/// Where a request comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// From the page that was served under the same name.
    Own,
    /// It does not say: a program, or a link that was followed.
    Unsaid,
    /// From somewhere else.
    Foreign,
}

/// Where `request` comes from, as the browser says.
pub fn origin(request: &Request) -> Origin {
    let own = format!("http://{}", request.host());
    let fetched = request.headers.all("sec-fetch-site");
    if fetched
        .into_iter()
        .any(|site| !matches!(site, "same-origin" | "none"))
    {
        return Origin::Foreign;
    }
    let mut named = request.headers.all("origin");
    match (named.next(), named.next()) {
        (None, _) => Origin::Unsaid,
        (Some(origin), None) if origin.eq_ignore_ascii_case(&own) => Origin::Own,
        _ => Origin::Foreign,
    }
}

type Digest = [u8; 32];

/// A browser that was let in.
#[derive(Debug, Clone)]
struct Session {
    digest: Digest,
    form_token: String,
    begun: Instant,
    used: Instant,
}

/// Browsers that were let in.
#[derive(Debug, Default)]
pub struct Sessions(Vec<Session>);

impl Sessions {
    /// Lets a browser in: the value of its cookie. `None` where the system has no random octets.
    pub fn begin(&mut self, now: Instant) -> Option<String> {
        self.forget(now);
        if self.0.len() == MAX_SESSIONS {
            let idle = (0..self.0.len()).min_by_key(|at| self.0[*at].used)?;
            self.0.remove(idle);
        }
        let (cookie, form_token) = (random()?, random()?);
        self.0.push(Session {
            digest: digest(&cookie),
            form_token,
            begun: now,
            used: now,
        });
        Some(cookie)
    }

    /// The token that forms of this browser carry; `None` where the cookie is nobody's.
    pub fn form_token(&mut self, cookie: &str, now: Instant) -> Option<String> {
        self.forget(now);
        let wanted = digest(cookie);
        let mut found = None;
        for session in &mut self.0 {
            if session.digest.ct_eq(&wanted).into() {
                session.used = now;
                found = Some(session.form_token.clone());
            }
        }
        found
    }

    /// Ends a browser's session.
    pub fn end(&mut self, cookie: &str) {
        let wanted = digest(cookie);
        self.0
            .retain(|session| !bool::from(session.digest.ct_eq(&wanted)));
    }

    fn forget(&mut self, now: Instant) {
        self.0.retain(|session| {
            now.saturating_duration_since(session.used) < IDLE_LIFETIME
                && now.saturating_duration_since(session.begun) < LIFETIME
        });
    }
}

/// Whether two secrets are the same; takes as long whatever they are.
pub fn same(one: &str, other: &str) -> bool {
    digest(one).ct_eq(&digest(other)).into()
}

/// Wrong codes and tokens of late.
#[derive(Debug, Default)]
pub struct Attempts(VecDeque<Instant>);

impl Attempts {
    /// Whether another may be tried.
    pub fn may(&mut self, now: Instant) -> bool {
        while let Some(first) = self.0.front()
            && now.saturating_duration_since(*first) >= WRONG_SPAN
        {
            self.0.pop_front();
        }
        self.0.len() < MAX_WRONG
    }

    /// One was wrong.
    pub fn wrong(&mut self, now: Instant) {
        if self.0.len() < MAX_WRONG {
            self.0.push_back(now);
        }
    }
}

fn digest(secret: &str) -> Digest {
    RingCrypto.sha256(&[secret.as_bytes()])
}

fn random() -> Option<String> {
    let mut bytes = [0; 32];
    SystemRandom::new().fill(&mut bytes).ok()?;
    Some(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::super::http::reader::{Reader, Step};
    use super::*;

    fn request(headers: &str) -> Request {
        let mut reader = Reader::new(0);
        reader.push(format!("POST / HTTP/1.1\r\n{headers}\r\n").as_bytes());
        match reader.step() {
            Ok(Step::Request(request)) => *request,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn only_this_machine_s_names_are_own() {
        for (host, own) in [
            ("127.0.0.1:8145", true),
            ("localhost:8145", true),
            ("LOCALHOST:8145", true),
            ("[::1]:8145", true),
            ("127.0.0.1", false),
            ("127.0.0.1:80", false),
            ("evil.example:8145", false),
            ("127.0.0.1.evil.example:8145", false),
            ("localhost.:8145", false),
        ] {
            let asked = request(&format!("Host: {host}\r\n"));
            assert_eq!(is_own_host(&asked, 8145), own, "{host}");
        }
    }

    #[test]
    fn an_origin_is_own_only_with_host_and_port() {
        for (headers, wanted) in [
            ("", Origin::Unsaid),
            ("Origin: http://127.0.0.1:8145\r\n", Origin::Own),
            ("Origin: http://127.0.0.1:9000\r\n", Origin::Foreign),
            ("Origin: http://localhost:8145\r\n", Origin::Foreign),
            ("Origin: https://127.0.0.1:8145\r\n", Origin::Foreign),
            ("Origin: null\r\n", Origin::Foreign),
            ("Origin: https://evil.example\r\n", Origin::Foreign),
            (
                "Origin: http://127.0.0.1:8145\r\nOrigin: http://127.0.0.1:8145\r\n",
                Origin::Foreign,
            ),
            ("Sec-Fetch-Site: cross-site\r\n", Origin::Foreign),
            ("Sec-Fetch-Site: same-site\r\n", Origin::Foreign),
            ("Sec-Fetch-Site: none\r\n", Origin::Unsaid),
        ] {
            let asked = request(&format!("Host: 127.0.0.1:8145\r\n{headers}"));
            assert_eq!(origin(&asked), wanted, "{headers}");
        }
    }

    #[test]
    fn a_session_ends_by_being_idle_by_age_and_by_hand() {
        let mut sessions = Sessions::default();
        let start = Instant::now();
        let cookie = sessions.begin(start).expect("random");
        let token = sessions.form_token(&cookie, start).expect("let in");
        assert!(sessions.form_token("other", start).is_none());
        assert!(
            sessions
                .form_token(&cookie, start + IDLE_LIFETIME)
                .is_none()
        );
        let cookie = sessions.begin(start).expect("random");
        assert_ne!(sessions.form_token(&cookie, start), Some(token));
        let mut now = start;
        while now < start + LIFETIME - IDLE_LIFETIME / 2 {
            now += IDLE_LIFETIME / 2;
            assert!(sessions.form_token(&cookie, now).is_some() || now >= start + LIFETIME);
        }
        assert!(sessions.form_token(&cookie, start + LIFETIME).is_none());
        let cookie = sessions.begin(start).expect("random");
        sessions.end(&cookie);
        assert!(sessions.form_token(&cookie, start).is_none());
    }

    #[test]
    fn sessions_are_bounded() {
        let mut sessions = Sessions::default();
        let start = Instant::now();
        let first = sessions.begin(start).expect("random");
        for second in 1..=MAX_SESSIONS as u64 {
            sessions.begin(start + Duration::from_secs(second));
        }
        assert_eq!(sessions.0.len(), MAX_SESSIONS);
        assert!(sessions.form_token(&first, start).is_none());
    }

    #[test]
    fn whoever_is_wrong_too_often_waits() {
        let mut attempts = Attempts::default();
        let start = Instant::now();
        for _ in 0..MAX_WRONG {
            assert!(attempts.may(start));
            attempts.wrong(start);
        }
        assert!(!attempts.may(start + WRONG_SPAN / 2));
        assert!(attempts.may(start + WRONG_SPAN));
    }
}
