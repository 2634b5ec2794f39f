//! Port 8145: who calls, what is asked for, and who answers it.

use super::access::{self, Attempts, COOKIE, Origin, Sessions};
use super::daemon::Daemon;
use super::http::{Found, Gone, Handler, Reply, Request, Response, form};
use super::{events, page, rpc};
use crate::control::api::{Access, PageCode, Token, TokenSecret};
use crate::control::rpc::Answer;
use crate::control::{ErrorKind, RpcError};
use serde_json::Value;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// See the module.
pub struct Site {
    daemon: Daemon,
    port: u16,
    /// Whether counts are served to whoever asks.
    metrics: bool,
    sessions: Mutex<Sessions>,
    attempts: Mutex<Attempts>,
}

/// Somebody who was let in.
enum Caller {
    /// A browser, with the token of its forms.
    Browser { cookie: String, form_token: String },
    /// A program with a token.
    Program { secret: String, access: Access },
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Handler for Site {
    fn answer(&self, request: &Request, reply: Reply<'_>) -> Result<(), Gone> {
        if !access::is_own_host(request, self.port) {
            let words = format!(
                "this is served to this machine alone, as http://127.0.0.1:{}/",
                self.port
            );
            return reply.send(Response::text(403, words));
        }
        let from = access::origin(request);
        let reads = matches!(request.method.as_str(), "GET" | "HEAD");
        let calls = matches!(request.path(), "/rpc" | "/events" | "/metrics");
        if from == Origin::Foreign && (calls || !reads) {
            let words = "another site asked for this in your name, and got nothing";
            return reply.send(Response::text(403, words));
        }
        if let Some(response) = page::asset(request) {
            return reply.send(response);
        }
        match (request.method.as_str(), request.path()) {
            ("GET" | "HEAD", "/login") => return reply.send(page::login(None)),
            ("POST", "/login") => return reply.send(self.log_in(request)),
            _ => {}
        }
        if request.path() == "/metrics" {
            return reply.send(self.metrics(reads));
        }
        let caller = match self.identify(request) {
            Ok(caller) => caller,
            Err(response) if calls => return reply.send(response),
            Err(response) if response.status() != 401 => return reply.send(response),
            Err(_) => return reply.send(Response::new(303).header("Location", "/login")),
        };
        // A cookie comes along with whatever a page makes a browser send, so that its requests have to say whence.
        let browser = matches!(caller, Caller::Browser { .. });
        if browser && (calls || !reads) && from != Origin::Own {
            let words = "a browser that does not say where a request comes from is not believed";
            return reply.send(Response::text(403, words));
        }
        match request.path() {
            "/rpc" => reply.send(self.call(request, &caller)),
            "/events" => events::serve(
                request,
                reply,
                &self.daemon,
                || self.is_still(&caller),
                |method, params| rpc::call(&self.daemon, self.access(&caller), method, params),
            ),
            _ => reply.send(self.page(request, &caller)),
        }
    }
}

impl Site {
    /// The page for the daemon, on `port`; with the counts where `metrics`.
    pub fn new(daemon: Daemon, port: u16, metrics: bool) -> Self {
        Self {
            daemon,
            port,
            metrics,
            sessions: Mutex::default(),
            attempts: Mutex::default(),
        }
    }

    /// Counts, where the owner has said that whoever is on this machine may read them.
    fn metrics(&self, reads: bool) -> Response {
        if !self.metrics {
            let words = "no counts are served here; metrics_enabled = true in the section [web] of daemon.toml has them served, \
                         and the method metrics tells them to whoever has a token";
            return Response::text(404, words);
        }
        if !reads {
            return Response::text(405, "counts are read").header("Allow", "GET, HEAD");
        }
        match self.daemon.call::<String>("metrics", Value::Null) {
            Ok(text) => Response::new(200)
                .header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
                .header("Cache-Control", "no-store")
                .body(text),
            Err(error) => Response::text(503, error.message),
        }
    }

    fn identify(&self, request: &Request) -> Result<Caller, Response> {
        let now = Instant::now();
        if let Some(secret) = request.bearer() {
            return self.program(secret, now);
        }
        let cookie = request.headers.cookie(COOKIE);
        let known = cookie.and_then(|cookie| {
            let form_token = lock(&self.sessions).form_token(cookie, now)?;
            Some(Caller::Browser {
                cookie: cookie.to_owned(),
                form_token,
            })
        });
        known.ok_or_else(|| {
            let words =
                "a token is needed: Authorization: Bearer and what officectl tokens make says";
            Response::text(401, words).header("WWW-Authenticate", "Bearer")
        })
    }

    fn program(&self, secret: &str, now: Instant) -> Result<Caller, Response> {
        if !lock(&self.attempts).may(now) {
            return Err(too_often());
        }
        match self.check(secret) {
            Ok(token) => Ok(Caller::Program {
                secret: secret.to_owned(),
                access: token.access,
            }),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                lock(&self.attempts).wrong(now);
                Err(Response::text(401, error.message).header("WWW-Authenticate", "Bearer"))
            }
            Err(error) => Err(Response::text(503, error.message)),
        }
    }

    fn check(&self, secret: &str) -> Result<Token, RpcError> {
        let secret = TokenSecret {
            secret: secret.to_owned(),
        };
        self.daemon.call("tokens.check", secret)
    }

    /// Whether whoever opened a connection would still be let in.
    fn is_still(&self, caller: &Caller) -> bool {
        match caller {
            Caller::Browser { cookie, .. } => lock(&self.sessions)
                .form_token(cookie, Instant::now())
                .is_some(),
            Caller::Program { secret, .. } => self.check(secret).is_ok(),
        }
    }

    fn access(&self, caller: &Caller) -> Access {
        match caller {
            Caller::Browser { .. } => Access::Full,
            Caller::Program { access, .. } => *access,
        }
    }

    fn call(&self, request: &Request, caller: &Caller) -> Response {
        if request.method != "POST" {
            return Response::text(405, "a call is a POST").header("Allow", "POST");
        }
        let json = request.headers.only("content-type").is_some_and(|kind| {
            let kind = kind.split(';').next().unwrap_or_default().trim();
            kind.eq_ignore_ascii_case("application/json")
        });
        if !json {
            return Response::text(415, "a call is application/json");
        }
        let answer = rpc::answer(&request.body, |method, params| {
            rpc::call(&self.daemon, self.access(caller), method, params)
        });
        match answer {
            Answer::Value(value) => Response::json(200, &value).header("Cache-Control", "no-store"),
            Answer::Nothing | Answer::Events(..) | Answer::Talk(..) => Response::new(204),
        }
    }

    fn log_in(&self, request: &Request) -> Response {
        let now = Instant::now();
        if access::origin(request) != Origin::Own {
            return Response::text(403, "log in on the page itself");
        }
        if !lock(&self.attempts).may(now) {
            return too_often();
        }
        let code = form::pairs(&request.body)
            .into_iter()
            .find_map(|(name, value)| (name == "code").then_some(value))
            .unwrap_or_default();
        match self.daemon.call::<Value>("page.redeem", PageCode { code }) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {
                lock(&self.attempts).wrong(now);
                return page::login(Some(&error.message));
            }
            Err(error) => return page::login(Some(&error.message)),
        }
        let Some(cookie) = lock(&self.sessions).begin(now) else {
            return page::login(Some("the system gave no random octets; try again"));
        };
        Response::new(303)
            .header("Location", "/")
            .header(
                "Set-Cookie",
                format!("{COOKIE}={cookie}; Path=/; HttpOnly; SameSite=Strict"),
            )
            .header("Cache-Control", "no-store")
    }

    fn page(&self, request: &Request, caller: &Caller) -> Response {
        let Caller::Browser { form_token, cookie } = caller else {
            return Response::text(
                403,
                "a token is for /rpc and /events; log in with a browser",
            );
        };
        let (act, pieces) = match page::ROUTES.find(&request.method, request.path()) {
            Found::Route(act, pieces) => (act, pieces),
            Found::Method(methods) => {
                return Response::text(405, "this is not asked for like that")
                    .header("Allow", methods.join(", "));
            }
            Found::Nothing => return page::missing(&self.daemon, form_token),
        };
        let fields = form::pairs(&request.body);
        if request.method == "POST" {
            let shown = fields.iter().find(|(name, _)| name == "token");
            if !shown.is_some_and(|(_, value)| access::same(value, form_token)) {
                return Response::text(
                    403,
                    "this form is not of your session; load the page again",
                );
            }
            if request.path() == "/logout" {
                lock(&self.sessions).end(cookie);
                return Response::new(303)
                    .header("Location", "/login")
                    .header("Set-Cookie", format!("{COOKIE}=; Path=/; Max-Age=0"));
            }
        }
        act(&page::View {
            daemon: &self.daemon,
            form_token,
            pieces: &pieces,
            fields: &fields,
            request,
        })
    }
}

fn too_often() -> Response {
    Response::text(429, "too many wrong codes and tokens; wait a minute")
        .header("Retry-After", "60")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn counts_are_served_only_where_the_owner_wants_that() {
        let status = |wanted, reads| {
            let nowhere = Daemon::new(Path::new("/nonexistent/control.sock"));
            Site::new(nowhere, 8145, wanted).metrics(reads).status()
        };
        assert_eq!(status(false, true), 404);
        assert_eq!(status(true, false), 405);
        assert_eq!(status(true, true), 503, "the daemon is not there");
    }
}
