//! HTTP towards providers: one connection per request, bounded reads, and a cancel that shuts the socket.

use std::io::{self, Read};
use std::time::Duration;

use ureq::unversioned::resolver::{DefaultResolver, Resolver};
use ureq::unversioned::transport::DefaultConnector;
use ureq::{Agent, Proxy, Timeout, http};

use crate::ipc::{CancelGuard, CancelToken, Failure, FailureCode, Gone};

use super::wording::{explain, one_line};
use super::{Again, Attempt};

/// Most bytes of an answer that is read whole (model lists, error pages); pictures have a cap of their own.
pub const DOCUMENT_CAP: usize = 4 << 20;

/// A request about to be sent.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// Whole URL.
    pub url: &'a str,
    /// Headers beside those that follow from the body.
    pub headers: Vec<(&'static str, String)>,
    /// Body and its content type.
    pub body: Option<(String, Vec<u8>)>,
    /// Longest wait for the connection.
    pub connect: Duration,
    /// Longest silence of the server.
    pub idle: Duration,
}

impl<'a> Request<'a> {
    /// A `GET` with the usual waits.
    pub fn get(url: &'a str) -> Self {
        Self {
            method: "GET",
            url,
            headers: Vec::new(),
            body: None,
            connect: Duration::from_secs(5),
            idle: Duration::from_secs(20),
        }
    }

    /// A `POST` of JSON with the usual waits.
    pub fn post(url: &'a str, json: &serde_json::Value) -> Self {
        let body = Some(("application/json".to_owned(), json.to_string().into_bytes()));
        Self {
            method: "POST",
            body,
            idle: Duration::from_secs(300),
            ..Self::get(url)
        }
    }

    /// Adds `Authorization: Bearer` if there is a key.
    #[must_use]
    pub fn bearer(mut self, key: Option<&str>) -> Self {
        if let Some(key) = key {
            self.headers
                .push(("authorization", format!("Bearer {key}")));
        }
        self
    }
}

/// Why there is no (whole) answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// No connection was made; nothing was sent.
    Unreachable(String),
    /// The request may have been received; then the exchange broke.
    Broke(String),
    /// More than the cap.
    TooLarge(usize),
    /// Refused by the resolver given to [`send_with`].
    Refused(String),
    /// The caller left.
    Cancelled,
}

impl Trouble {
    /// As the failed attempt at `provider` before anything of its answer was used.
    pub fn attempt(self, provider: &str, address: &str) -> Attempt {
        let (code, again, detail) = match self {
            Self::Unreachable(why) => (
                FailureCode::ProviderUnreachable,
                Again::Elsewhere,
                format!("Cannot reach {provider} at {address}: {why}. Is it running?"),
            ),
            Self::Broke(why) => (
                FailureCode::ProviderFailed,
                Again::Never,
                format!("{provider} took the request but did not answer it: {why}."),
            ),
            Self::TooLarge(cap) => (
                FailureCode::ProviderFailed,
                Again::Never,
                format!("{provider} answered with more than {cap} bytes, which is not believed."),
            ),
            Self::Refused(why) => (FailureCode::UrlRefused, Again::Never, why),
            Self::Cancelled => return Failure::from(Gone).into(),
        };
        Attempt {
            failure: Failure::new(code, provider, detail),
            again,
        }
    }
}

/// An answer whose body is still to be read.
pub struct Response {
    /// HTTP status.
    pub status: u16,
    headers: http::HeaderMap,
    body: ureq::BodyReader<'static>,
    cancel: CancelToken,
    _guard: CancelGuard,
}

impl Response {
    /// An answer that is here whole, of this status and content type: for what holds a provider's words against the
    /// reading of them, without a connection.
    pub fn whole(status: u16, kind: &str, body: Vec<u8>) -> Self {
        let mut headers = http::HeaderMap::new();
        if let Ok(kind) = http::HeaderValue::from_str(kind) {
            headers.insert(http::header::CONTENT_TYPE, kind);
        }
        let cancel = CancelToken::new();
        let body = ureq::Body::builder().data(body);
        Self {
            status,
            headers,
            body: body.into_with_config().limit(u64::MAX).reader(),
            _guard: cancel.on_cancel(|| {}),
            cancel,
        }
    }

    /// A header's value, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Whether the status is 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Reads what has arrived, waiting for something; 0 at the end.
    ///
    /// # Errors
    /// [`Trouble::Broke`] (also after the longest silence) and [`Trouble::Cancelled`].
    pub fn read(&mut self, into: &mut [u8]) -> Result<usize, Trouble> {
        loop {
            match self.body.read(into) {
                // A cancelled socket reads as its end: the flag decides.
                _ if self.cancel.is_cancelled() => return Err(Trouble::Cancelled),
                Ok(n) => return Ok(n),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Trouble::Broke(sentence(&ureq::Error::from(error)))),
            }
        }
    }

    /// Reads the rest, up to `cap` bytes.
    ///
    /// # Errors
    /// As [`Response::read`], and [`Trouble::TooLarge`].
    pub fn read_all(&mut self, cap: usize) -> Result<Vec<u8>, Trouble> {
        let mut all = Vec::new();
        let mut chunk = [0u8; 16 << 10];
        loop {
            match self.read(&mut chunk)? {
                0 => return Ok(all),
                n if all.len() + n > cap => return Err(Trouble::TooLarge(cap)),
                n => all.extend_from_slice(&chunk[..n]),
            }
        }
    }

    /// The failed attempt that this unsuccessful answer of `provider` is. `secret` never appears in its text.
    pub fn refusal(&mut self, provider: &str, secret: Option<&str>) -> Attempt {
        let body = match self.read_all(64 << 10) {
            Ok(body) => body,
            Err(Trouble::Cancelled) => return Failure::from(Gone).into(),
            Err(_) => Vec::new(),
        };
        let mut said = explain(self.status, &body);
        if let Some(secret) = secret.filter(|s| s.len() >= 4) {
            said = said.replace(secret, "[key]");
        }
        let later = Again::Later(
            self.header("retry-after")
                .and_then(|v| v.trim().parse().ok())
                .map(Duration::from_secs),
        );
        let (code, again) = match self.status {
            401 | 403 => (FailureCode::KeyRefused, Again::Never),
            404 => (FailureCode::ModelUnknown, Again::Never),
            413 => (FailureCode::TooLarge, Again::Never),
            429 => (FailureCode::RateLimited, later),
            503 => (FailureCode::ProviderFailed, later),
            400..=499 => (FailureCode::BadRequest, Again::Never),
            _ => (FailureCode::ProviderFailed, Again::Never),
        };
        Attempt {
            failure: Failure::new(
                code,
                provider,
                format!("{provider} refused the request: {said}."),
            ),
            again,
        }
    }
}

/// Sends `request` and waits for the head of the answer. A cancel shuts the socket at once, now and while the body is read.
///
/// # Errors
/// [`Trouble`]; `Unreachable` only if nothing can have been received.
pub fn send(request: &Request<'_>, cancel: &CancelToken) -> Result<Response, Trouble> {
    send_with(request, cancel, DefaultResolver::default(), true)
}

/// [`send`] with a resolver that may refuse addresses, and with or without the proxy of the environment. A proxy is never
/// used towards this machine itself.
///
/// # Errors
/// As [`send`], and [`Trouble::Refused`] with what the resolver said (as an [`io::ErrorKind::PermissionDenied`]).
pub fn send_with(
    request: &Request<'_>,
    cancel: &CancelToken,
    resolver: impl Resolver,
    may_proxy: bool,
) -> Result<Response, Trouble> {
    let proxy = if may_proxy && !is_local(request.url) {
        Proxy::try_from_env()
    } else {
        None
    };
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .proxy(proxy)
        .timeout_resolve(Some(request.connect))
        .timeout_connect(Some(request.connect))
        .timeout_per_read(Some(request.idle))
        .timeout_per_write(Some(Duration::from_secs(30)))
        .max_response_header_size(64 << 10)
        .user_agent(concat!("officeos/", env!("CARGO_PKG_VERSION")))
        .build();
    // An agent of its own for each request: shutting it down then concerns this request only.
    let agent = Agent::with_parts(config, DefaultConnector::default(), resolver);
    let guard = cancel.on_cancel({
        let agent = agent.clone();
        move || agent.shutdown()
    });
    if cancel.is_cancelled() {
        return Err(Trouble::Cancelled);
    }
    let mut head = http::Request::builder()
        .method(request.method)
        .uri(request.url);
    for (name, value) in &request.headers {
        head = head.header(*name, value);
    }
    let unsendable = |error: http::Error| Trouble::Unreachable(one_line(&error.to_string()));
    let result = match &request.body {
        None => agent.run(head.body(()).map_err(unsendable)?),
        Some((kind, bytes)) => agent.run(
            head.header("content-type", kind)
                .body(&bytes[..])
                .map_err(unsendable)?,
        ),
    };
    let (parts, body) = match result {
        _ if cancel.is_cancelled() => return Err(Trouble::Cancelled),
        Ok(response) => response.into_parts(),
        Err(ureq::Error::Io(error)) if error.kind() == io::ErrorKind::PermissionDenied => {
            return Err(Trouble::Refused(error.to_string()));
        }
        Err(error) if never_connected(&error) => {
            return Err(Trouble::Unreachable(sentence(&error)));
        }
        Err(error) => return Err(Trouble::Broke(sentence(&error))),
    };
    let reader = body.into_with_config().limit(u64::MAX).reader();
    Ok(Response {
        status: parts.status.as_u16(),
        headers: parts.headers,
        body: reader,
        cancel: cancel.clone(),
        _guard: guard,
    })
}

/// Whether the error can only come from before the connection stood.
fn never_connected(error: &ureq::Error) -> bool {
    match error {
        ureq::Error::Timeout(Timeout::Resolve | Timeout::Connect)
        | ureq::Error::HostNotFound
        | ureq::Error::BadUri(_)
        | ureq::Error::ConnectionFailed
        | ureq::Error::ConnectProxyFailed(_)
        | ureq::Error::Tls(_)
        | ureq::Error::Rustls(_) => true,
        ureq::Error::Io(error) => {
            matches!(
                error.kind(),
                io::ErrorKind::ConnectionRefused
                    | io::ErrorKind::HostUnreachable
                    | io::ErrorKind::NetworkUnreachable
                    | io::ErrorKind::AddrNotAvailable
            ) || error.to_string().contains("failed to lookup address")
        }
        _ => false,
    }
}

/// The error in plain words.
fn sentence(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Timeout(Timeout::PerRead) => "it stayed silent for too long".to_owned(),
        ureq::Error::Timeout(Timeout::PerWrite) => "it stopped reading the request".to_owned(),
        ureq::Error::Timeout(Timeout::Connect) => {
            "the connection was not accepted in time".to_owned()
        }
        ureq::Error::Timeout(Timeout::Resolve) => "its name was not resolved in time".to_owned(),
        ureq::Error::HostNotFound => "its name is unknown".to_owned(),
        ureq::Error::Io(error) => match error.kind() {
            io::ErrorKind::ConnectionRefused => "the connection was refused".to_owned(),
            io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
                "the connection was reset".to_owned()
            }
            io::ErrorKind::UnexpectedEof => "the connection was closed in the middle".to_owned(),
            _ => one_line(&error.to_string()),
        },
        other => one_line(&other.to_string()),
    }
}

/// Whether a URL names this machine itself.
pub fn is_local(url: &str) -> bool {
    let Ok(uri) = url.parse::<http::Uri>() else {
        return false;
    };
    match uri.host() {
        Some("localhost" | "[::1]" | "::1") => true,
        Some(host) => host
            .parse::<std::net::Ipv4Addr>()
            .is_ok_and(|ip| ip.is_loopback()),
        None => false,
    }
}
