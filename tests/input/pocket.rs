//! The real program, without a panel, with the machine's input devices.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// However slow the machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// What says which firmware this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fake {
    Stock,
    MuOs,
    Release(&'static str),
}

impl Fake {
    /// Makes the machine look like it.
    fn lay(self) {
        let _ = fs::remove_dir_all("/opt/muos");
        let _ = fs::remove_dir_all("/mnt/vendor");
        let release = match self {
            Self::Stock => {
                fs::create_dir_all("/mnt/vendor/oem").unwrap();
                fs::write("/mnt/vendor/oem/board.ini", "RG35xxSP").unwrap();
                "NAME=\"Ubuntu\"\n".to_owned()
            }
            Self::MuOs => {
                fs::create_dir_all("/opt/muos").unwrap();
                "NAME=Buildroot\n".to_owned()
            }
            Self::Release(name) => format!("NAME=Buildroot\nOS_NAME=\"{name}\"\n"),
        };
        fs::write("/etc/os-release", release).unwrap();
    }
}

/// A running app.
pub struct Pocket {
    child: Child,
    lines: BufReader<UnixStream>,
    script: UnixStream,
    /// Its folder.
    pub home: PathBuf,
}

impl Pocket {
    /// Starts it in a folder that nothing was in before.
    pub fn fresh(fake: Fake) -> Self {
        let home = PathBuf::from("/tmp/pocket/officeos");
        let _ = fs::remove_dir_all("/tmp/pocket");
        fs::create_dir_all("/tmp/pocket").unwrap();
        Self::start(fake, &home)
    }

    /// Starts it in a folder.
    pub fn start(fake: Fake, home: &Path) -> Self {
        fake.lay();
        let socket = home.with_file_name("script");
        let _ = fs::remove_file(&socket);
        let child = Command::new("officeos-handheld")
            .args([
                "--headless",
                "--no-radio",
                "--buttons",
                "/dev/input",
                "--home",
            ])
            .arg(home)
            .arg("--control")
            .arg(&socket)
            // What the kernel of this machine cannot confine is another suite's.
            .env("RUST_LOG", "error")
            .spawn()
            .expect("the app starts");
        let until = Instant::now() + PATIENCE;
        let script = loop {
            match UnixStream::connect(&socket) {
                Ok(script) => break script,
                Err(error) => assert!(Instant::now() < until, "no script socket: {error}"),
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        let mut pocket = Self {
            child,
            lines: BufReader::new(script.try_clone().unwrap()),
            script,
            home: home.to_owned(),
        };
        pocket.wait("loaded=true");
        pocket
    }

    /// Says a line; returns the answer.
    pub fn say(&mut self, line: &str) -> String {
        writeln!(self.script, "{line}").unwrap();
        let mut answer = String::new();
        self.lines.read_line(&mut answer).unwrap();
        answer.trim_end().to_owned()
    }

    /// Waits until a fact is so.
    pub fn wait(&mut self, condition: &str) {
        let answer = self.say(&format!("wait {condition} {}", PATIENCE.as_millis()));
        assert_eq!(
            answer,
            "ok",
            "waiting for {condition}: {}",
            self.say("model")
        );
    }

    /// A fact.
    pub fn fact(&mut self, name: &str) -> String {
        let model = self.say("model");
        let key = format!("\"{name}\":\"");
        let Some(at) = model.find(&key) else {
            return String::new();
        };
        let rest = &model[at + key.len()..];
        rest[..rest.find('"').unwrap_or(0)].to_owned()
    }

    /// Everything that its buttons did lately: label, sign and milliseconds.
    pub fn trail(&mut self) -> Vec<(String, char, u64)> {
        let text = self.fact("trail");
        let step = |word: &str| {
            let at = word.find(['+', '-', '*', '_']).unwrap();
            (
                word[..at].to_owned(),
                word[at..].chars().next().unwrap(),
                word[at + 1..].parse().unwrap(),
            )
        };
        text.split_whitespace().map(step).collect()
    }

    /// Waits until the latest opening or closing is this one.
    pub fn last(&mut self, label: &str, sign: char) -> u64 {
        let until = Instant::now() + PATIENCE;
        loop {
            let trail = self.trail();
            let latest = trail.iter().rfind(|step| matches!(step.1, '+' | '-'));
            if let Some((seen, edge, at)) = latest
                && seen == label
                && *edge == sign
            {
                return *at;
            }
            assert!(
                Instant::now() < until,
                "{label}{sign} is not the latest of {trail:?}"
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Stops it where it is, or lets it go on.
    pub fn stop(&self, on: bool) {
        self.signal(if on { Signal::SIGSTOP } else { Signal::SIGCONT });
    }

    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id() as i32), signal).unwrap();
    }

    /// Waits for its end; how long that took.
    pub fn end(mut self) -> (ExitStatus, Duration) {
        let begun = Instant::now();
        (self.child.wait().unwrap(), begun.elapsed())
    }
}

impl Drop for Pocket {
    fn drop(&mut self) {
        // Ended already, if the scenario ended it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
