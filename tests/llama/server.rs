//! A real llama.cpp server, and what it says about its own work.

use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::support::eventually;

/// What the script must tell.
fn told(variable: &str) -> PathBuf {
    let value = std::env::var_os(variable)
        .unwrap_or_else(|| panic!("{variable} is not set: run this through scripts/test llama"));
    PathBuf::from(value)
}

/// A running llama.cpp server.
pub struct Llama {
    child: Child,
    /// Its port on 127.0.0.1.
    pub port: u16,
}

impl Llama {
    /// On a free port.
    pub fn start() -> Self {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        Self::start_at(port)
    }

    /// On the port of one that has gone.
    pub fn start_at(port: u16) -> Self {
        let child = Command::new(told("LLAMA_SERVER"))
            .arg("--model")
            .arg(told("LLAMA_MODEL"))
            .args(["--alias", "tiny", "--host", "127.0.0.1", "--port"])
            .arg(port.to_string())
            .args(["--ctx-size", "131072", "--parallel", "1", "--threads", "1"])
            .args(["--slots", "--metrics", "--offline"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the llama.cpp server starts");
        let mut server = Self { child, port };
        eventually("the llama.cpp server to load its model", || {
            let ended = server.child.try_wait().unwrap();
            assert_eq!(ended, None, "the llama.cpp server ended at its start");
            ureq::get(server.url("/health")).call().ok()
        });
        server
    }

    /// Address of `path` there.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    fn get(&self, path: &str) -> String {
        let mut response = ureq::get(self.url(path)).call().unwrap();
        response.body_mut().read_to_string().unwrap()
    }

    /// The server's one place of work.
    fn slot(&self) -> Value {
        let slots: Value = serde_json::from_str(&self.get("/slots")).unwrap();
        slots[0].clone()
    }

    /// Whether it works on an answer.
    pub fn is_generating(&self) -> bool {
        self.slot()["is_processing"].as_bool().unwrap()
    }

    /// Tokens that the server has made since its start; it adds those of an answer when the answer ends.
    pub fn tokens_made(&self) -> u64 {
        let metrics = self.get("/metrics");
        let line = metrics
            .lines()
            .find_map(|line| line.strip_prefix("llamacpp:tokens_predicted_total "));
        line.unwrap().trim().parse::<f64>().unwrap() as u64
    }

    /// Processor time that the server has used, in clock ticks (100 a second).
    pub fn ticks(&self) -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        // Fields are counted after the program's name, which may hold blanks: utime and stime are the 12th and 13th.
        let (_, fields) = stat.rsplit_once(')').unwrap();
        let fields: Vec<&str> = fields.split_whitespace().collect();
        fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
    }

    /// Ends it as a crash does.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Llama {
    fn drop(&mut self) {
        // It may have been killed by the test already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
