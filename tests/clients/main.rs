//! OpenAI's own clients against the gateway. Run it with `scripts/test clients`, which fetches them and names their folder in
//! `CLIENTS`.

// Helpers of tests are tests; the lint knows only functions that are marked so.
#![allow(clippy::unwrap_used)]

#[allow(dead_code)] // The suite of llama.cpp looks at more of it.
#[path = "../llama/server.rs"]
mod server;
#[path = "../support/mod.rs"]
mod support;

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;
use support::laptop::Laptop;
use support::provider::{Answer, Provider};

/// A server in Python beside this, which tells its port and ends with this process.
struct Server {
    child: Child,
    _end: ChildStdin,
    port: u16,
    said: Receiver<String>,
}

impl Server {
    fn start(name: &str) -> Self {
        let script = top().join("tests/providers").join(name);
        let mut child = Command::new("python3")
            .arg("-B")
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 starts");
        let end = child.stdin.take().expect("its input");
        let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let (sender, said) = channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let first = said.recv_timeout(support::PATIENCE).expect("its port");
        let port = first
            .strip_prefix("PORT ")
            .and_then(|port| port.parse().ok())
            .expect("a port");
        Self {
            child,
            _end: end,
            port,
            said,
        }
    }

    fn entry(&self, name: &str, kind: &str) -> String {
        format!(
            "[[provider]]\nname = \"{name}\"\nkind = \"{kind}\"\nbase_url = \"http://127.0.0.1:{}\"\n",
            self.port
        )
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the workspace")
        .to_owned()
}

fn clients() -> PathBuf {
    let folder = std::env::var_os("CLIENTS")
        .expect("CLIENTS is not set: run this through scripts/test clients");
    PathBuf::from(folder)
}

/// A laptop with every kind of provider, and three programs with keys.
struct House {
    laptop: Laptop,
    ollama: Server,
    _painter: Server,
    _parrot: Provider,
    gateway: SocketAddr,
    keys: Vec<(&'static str, String)>,
}

impl House {
    fn new(name: &str) -> Self {
        Self::with(name, "")
    }

    /// One with further providers.
    fn with(name: &str, further: &str) -> Self {
        let parrot = Provider::start(|prompt| Answer {
            pieces: prompt.split_inclusive(' ').map(str::to_owned).collect(),
            pause: Duration::ZERO,
            die_after: None,
        });
        let (ollama, painter) = (Server::start("ollama.py"), Server::start("a1111.py"));
        let providers = [
            parrot.entry(),
            ollama.entry("attic", "ollama"),
            painter.entry("easel", "a1111"),
            further.to_owned(),
        ];
        let laptop = Laptop::with_gateway(
            name,
            &providers.concat(),
            &[("OFFICEOS_BUILTIN_STEP_MS", "0")],
        );
        let gateway = laptop.gateway();
        let ctl = laptop.ctl();
        let key = |name: &str| {
            let added = ctl.json(&["callers", "add", name]);
            added["key"].as_str().expect("a key").to_owned()
        };
        let keys = vec![
            ("KEY_ALLOWED", key("allowed")),
            ("KEY_DENIED", key("denied")),
            ("KEY_POOR", key("poor")),
        ];
        for caller in ["allowed", "poor"] {
            for operation in ["chat", "complete", "embed", "generate"] {
                ctl.json(&["callers", "permit", caller, operation, "allow"]);
            }
        }
        for operation in ["chat", "embed"] {
            ctl.json(&["callers", "permit", "denied", operation, "deny"]);
        }
        ctl.json(&["callers", "limit", "poor", "--tokens", "10"]);
        Self {
            laptop,
            ollama,
            _painter: painter,
            _parrot: parrot,
            gateway,
            keys,
        }
    }

    /// Runs a client to its end.
    fn run(&self, program: &Path, script: &Path) {
        let status = Command::new(program)
            .arg(script)
            .env("GATEWAY", format!("http://{}/v1", self.gateway))
            .env_remove("OPENAI_API_KEY")
            .env_remove("OPENAI_BASE_URL")
            .envs(self.keys.iter().map(|(name, key)| (name, key)))
            .stdin(Stdio::null())
            .status()
            .expect("the client starts");
        assert!(status.success(), "{} failed", script.display());
    }

    /// Of the answer that a client has left in the middle the provider was told, and the ledger has each end.
    fn check_end(&self) {
        let left = self.ollama.said.recv_timeout(support::PATIENCE);
        assert_eq!(left.as_deref(), Ok("LEFT"), "the provider was told to stop");
        let ledger = support::eventually("the cancelled answer's end", || {
            let ledger = self
                .laptop
                .ctl()
                .json(&["ledger", "show", "--last", "1000"]);
            let entries = ledger.as_array()?.clone();
            let cancelled = entries
                .iter()
                .any(|entry| entry["event"]["outcome"] == "Cancelled");
            cancelled.then_some(entries)
        });
        let count = |what: &str| {
            ledger
                .iter()
                .filter(|entry| entry["event"]["what"] == what)
                .count()
        };
        assert_eq!(count("called"), count("ended"), "each request has its end");
        assert!(count("called") >= 8 && count("refused") > 0);
        let report = self.laptop.ctl().json(&["ledger", "verify"]);
        assert!(report["flaw"].is_null(), "{report}");
    }
}

#[test]
fn the_python_client_works() {
    let house = House::new("clients-python");
    house.run(
        &clients().join("venv/bin/python"),
        &top().join("tests/clients/client.py"),
    );
    house.check_end();
}

#[test]
fn the_javascript_client_works() {
    let house = House::new("clients-javascript");
    house.run(Path::new("node"), &clients().join("js/client.mjs"));
    house.check_end();
}

#[test]
fn the_python_client_is_answered_by_a_real_llama_server() {
    if std::env::var_os("LLAMA_SERVER").is_none() {
        println!("SKIPPED: there is no llama.cpp server yet; scripts/test llama builds one");
        return;
    }
    let llama = server::Llama::start();
    let entry = format!(
        "[[provider]]\nname = \"stove\"\nkind = \"openai\"\nbase_url = \"{}\"\n",
        llama.url("/v1")
    );
    let house = House::with("clients-llama", &entry);
    house.run(
        &clients().join("venv/bin/python"),
        &top().join("tests/clients/llama.py"),
    );
}
