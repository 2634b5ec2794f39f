//! `officectl`, as a person types it.

use super::Through;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The tool for one laptop.
pub struct Ctl {
    home: PathBuf,
    through: Through,
}

impl Ctl {
    /// For the laptop in `home`.
    pub fn new(home: &Path) -> Self {
        Self::through(home, Through::default())
    }

    /// The same, started by other programs.
    pub fn through(home: &Path, through: Through) -> Self {
        Self {
            home: home.to_owned(),
            through,
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.through.command("officectl");
        command
            .arg("--home")
            .arg(&self.home)
            .args(arguments)
            .stdin(Stdio::null());
        command
    }

    /// Runs it and returns everything it said.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("officectl runs")
    }

    /// Runs it with `--json`; `None` where it fails.
    pub fn try_json(&self, arguments: &[&str]) -> Option<Value> {
        let output = self
            .command(&["--json"])
            .args(arguments)
            .output()
            .expect("officectl runs");
        output
            .status
            .success()
            .then(|| serde_json::from_slice(&output.stdout).ok())
            .flatten()
    }

    /// Runs it with `--json`.
    pub fn json(&self, arguments: &[&str]) -> Value {
        let output = self
            .command(&["--json"])
            .args(arguments)
            .output()
            .expect("officectl runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "officectl {arguments:?}: {said}");
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("officectl {arguments:?}: {error}"))
    }

    /// Sets the rule for each operation named.
    pub fn permit(&self, device: &str, operations: &[&str], rule: &str) {
        for operation in operations {
            self.json(&["permit", device, operation, rule]);
        }
    }

    /// Waits for a question and answers it.
    pub fn answer(&self, answer: &str) -> Value {
        let pending = super::eventually("a question to the owner", || {
            self.json(&["pending"])
                .as_array()
                .and_then(|list| list.first().cloned())
        });
        let number = pending["id"].to_string();
        self.json(&[answer, &number]);
        pending
    }
}
