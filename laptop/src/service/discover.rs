//! Finding model servers on this machine's usual ports.
//!
//! Only 127.0.0.1 is looked at, only when something is asked of the service, and a port counts only if what answers there
//! speaks the expected API.

use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::str::FromStr;
use std::time::Duration;

use serde_json::Value;

use crate::ipc::CancelToken;

use super::config::{Kind, ProviderConfig};
use super::http::{DOCUMENT_CAP, Request, send};
use super::wording::one_line;

/// Longest wait for a loopback connection; a living server accepts in well under a millisecond.
const CONNECT: Duration = Duration::from_millis(200);
/// Longest wait for its model list; some servers are slow while they load a model.
const ANSWER: Duration = Duration::from_secs(2);

/// A port worth a look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// API to expect there.
    pub kind: Kind,
    /// Port on 127.0.0.1.
    pub port: u16,
    /// Name if the server does not tell its own.
    pub name: String,
}

/// Where to look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discovery {
    candidates: Vec<Candidate>,
}

impl Discovery {
    /// The usual ports.
    pub fn usual() -> Self {
        let of = |kind, port, name: &str| Candidate {
            kind,
            port,
            name: name.to_owned(),
        };
        Self {
            candidates: vec![
                of(Kind::Ollama, 11434, "ollama"),
                of(Kind::Openai, 1234, "lmstudio"),
                of(Kind::Openai, 8080, "local-8080"),
                of(Kind::Openai, 8000, "local-8000"),
                of(Kind::A1111, 7860, "a1111"),
            ],
        }
    }

    /// Nowhere.
    pub fn off() -> Self {
        Self {
            candidates: Vec::new(),
        }
    }

    /// Whether it looks nowhere.
    pub fn is_off(&self) -> bool {
        self.candidates.is_empty()
    }

    /// Looks at all ports of one service at once and gives what answers, in the order of the candidates.
    pub fn look(&self, paints: bool, cancel: &CancelToken) -> Vec<ProviderConfig> {
        let wanted: Vec<_> = self
            .candidates
            .iter()
            .filter(|c| c.kind.paints() == paints)
            .collect();
        let mut found: Vec<ProviderConfig> = std::thread::scope(|scope| {
            let threads: Vec<_> = wanted
                .iter()
                .map(|c| scope.spawn(|| probe(c, cancel)))
                .collect();
            threads
                .into_iter()
                .filter_map(|thread| thread.join().ok().flatten())
                .collect()
        });
        for i in 1..found.len() {
            if found[..i].iter().any(|p| p.name == found[i].name) {
                let port = found[i]
                    .base_url
                    .split(':')
                    .nth(2)
                    .and_then(|rest| rest.split('/').next())
                    .unwrap_or("2");
                found[i].name = format!("{}-{port}", found[i].name);
            }
        }
        found
    }
}

/// `off`, or a list of `kind:port` separated by commas.
impl FromStr for Discovery {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.trim().eq_ignore_ascii_case("off") {
            return Ok(Self::off());
        }
        let mut candidates = Vec::new();
        for item in text
            .split(',')
            .map(str::trim)
            .filter(|item| !item.is_empty())
        {
            let wrong = || {
                format!(
                    "OFFICEOS_DISCOVERY: “{}” is not off, ollama:PORT, openai:PORT or a1111:PORT",
                    one_line(item)
                )
            };
            let (kind, port) = item.split_once(':').ok_or_else(wrong)?;
            let port: u16 = port.parse().map_err(|_| wrong())?;
            let (kind, name) = match kind {
                "ollama" => (Kind::Ollama, "ollama".to_owned()),
                "openai" => (Kind::Openai, format!("local-{port}")),
                "a1111" => (Kind::A1111, "a1111".to_owned()),
                _ => return Err(wrong()),
            };
            candidates.push(Candidate { kind, port, name });
        }
        Ok(Self { candidates })
    }
}

fn probe(candidate: &Candidate, cancel: &CancelToken) -> Option<ProviderConfig> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, candidate.port));
    TcpStream::connect_timeout(&address, CONNECT).ok()?;
    let root = format!("http://127.0.0.1:{}", candidate.port);
    let (base, path) = match candidate.kind {
        Kind::Ollama => (root, "/api/tags"),
        Kind::A1111 => (root, "/sdapi/v1/sd-models"),
        _ => (format!("{root}/v1"), "/models"),
    };
    let url = format!("{base}{path}");
    let request = Request {
        idle: ANSWER,
        connect: CONNECT,
        ..Request::get(&url)
    };
    let mut response = send(&request, cancel).ok()?;
    // A llama.cpp server that still loads its model says 503 in JSON: it is there, it is just not ready.
    let loading = response.status == 503;
    if !response.is_success() && !loading {
        return None;
    }
    let list: Value = serde_json::from_slice(&response.read_all(DOCUMENT_CAP).ok()?).ok()?;
    let speaks = match candidate.kind {
        Kind::Ollama => list["models"].is_array(),
        Kind::A1111 => list.is_array(),
        _ => list["data"].is_array() || (loading && list["error"].is_object()),
    };
    let name = match list["data"][0]["owned_by"].as_str() {
        Some("llamacpp") => "llamacpp",
        Some("vllm") => "vllm",
        _ => &candidate.name,
    };
    speaks.then(|| ProviderConfig::new(name, candidate.kind, &base))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::testing::{Reply, Web};

    #[test]
    fn only_servers_that_speak_the_api_are_found() {
        let ollama = Web::start(|_| Reply::json(r#"{"models":[]}"#));
        let llama = Web::start(|_| Reply::json(r#"{"data":[{"id":"m","owned_by":"llamacpp"}]}"#));
        let page = Web::start(|_| Reply::html("<!doctype html><title>My site</title>"));
        let loading = Web::start(|_| {
            Reply::status(503, r#"{"error":{"message":"Loading model","code":503}}"#)
        });
        let text = format!(
            "ollama:{}, openai:{},openai:{},openai:{},openai:1",
            ollama.port(),
            llama.port(),
            page.port(),
            loading.port()
        );
        let discovery: Discovery = text.parse().unwrap();
        let names: Vec<_> = discovery
            .look(false, &CancelToken::new())
            .into_iter()
            .map(|p| p.name)
            .collect();
        assert_eq!(
            names,
            [
                "ollama".to_owned(),
                "llamacpp".to_owned(),
                format!("local-{}", loading.port())
            ]
        );
        assert_eq!(ollama.requests()[0].target, "/api/tags");
        assert_eq!(llama.requests()[0].target, "/v1/models");
        assert!(
            discovery.look(true, &CancelToken::new()).is_empty(),
            "no painter was named"
        );
    }

    #[test]
    fn two_servers_of_one_name_are_told_apart() {
        let reply = |_: &crate::service::testing::Seen| {
            Reply::json(r#"{"data":[{"id":"m","owned_by":"vllm"}]}"#)
        };
        let (one, two) = (Web::start(reply), Web::start(reply));
        let discovery: Discovery = format!("openai:{},openai:{}", one.port(), two.port())
            .parse()
            .unwrap();
        let names: Vec<_> = discovery
            .look(false, &CancelToken::new())
            .into_iter()
            .map(|p| p.name)
            .collect();
        assert_eq!(names, ["vllm".to_owned(), format!("vllm-{}", two.port())]);
    }

    #[test]
    fn off_looks_nowhere_and_wrong_lists_are_refused() {
        assert!("off".parse::<Discovery>().unwrap().is_off());
        assert!(!Discovery::usual().is_off());
        for wrong in ["ollama", "ollama:x", "ollama:70000", "ftp:21"] {
            assert!(wrong.parse::<Discovery>().is_err(), "{wrong}");
        }
    }
}
