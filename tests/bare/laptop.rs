//! The laptop's processes in a folder of their own, ended with the test.

use serde_json::Value;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Longest wait for anything that a loaded machine may delay.
pub const PATIENCE: Duration = Duration::from_secs(60);

pub struct Laptop {
    pub home: PathBuf,
    daemon: Option<Child>,
    standalone: bool,
    environment: Vec<(&'static str, OsString)>,
}

impl Laptop {
    /// Starts a laptop of the built-in providers on a free port.
    pub fn start(name: &str) -> Self {
        Self::start_with(name, "")
    }

    /// Same, with more lines of the section `networking` of `daemon.toml`, and of sections behind it. The radio is left
    /// alone unless they name it.
    pub fn start_with(name: &str, settings: &str) -> Self {
        let mut laptop = Self::installed(name, settings, true);
        laptop.launch();
        laptop
    }

    /// One whose built-in partner takes its time over each word.
    pub fn slow(name: &str, word_ms: u32) -> Self {
        let mut laptop = Self::installed(name, "", true);
        let pause = word_ms.to_string().into();
        laptop.environment.push(("OFFICEOS_BUILTIN_WORD_MS", pause));
        laptop.launch();
        laptop
    }

    /// One with providers, as `services.toml` names them.
    pub fn served(name: &str, providers: &str) -> Self {
        let mut laptop = Self::installed(name, "", true);
        std::fs::write(laptop.home.join("config/services.toml"), providers).expect("providers");
        laptop.launch();
        laptop
    }

    /// The daemon alone: whoever tests is its services.
    pub fn alone(name: &str) -> Self {
        let mut laptop = Self::installed(name, "", false);
        laptop.spawn();
        laptop.await_status("answer", |status| status["name"].is_string());
        laptop
    }

    /// The daemon alone, just started, and the socket at which it tells systemd how things stand.
    pub fn notifying(name: &str) -> (Self, UnixDatagram) {
        let mut laptop = Self::installed(name, "", false);
        let path = laptop.home.join("notify");
        let told = UnixDatagram::bind(&path).expect("a socket");
        told.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        laptop.environment.push(("NOTIFY_SOCKET", path.into()));
        laptop.spawn();
        (laptop, told)
    }

    fn installed(name: &str, settings: &str, standalone: bool) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let home = std::env::temp_dir().join(format!(
            "officeos-e2e-{name}-{}-{number}",
            std::process::id()
        ));
        let _ = std::fs::remove_dir_all(&home);
        std::fs::create_dir_all(home.join("config")).expect("a home");
        let radio = match settings.contains("wifi_direct_enabled") {
            true => "",
            false => "wifi_direct_enabled = false\n",
        };
        // Other tests keep the processors busy, and the page's port belongs to one laptop alone.
        let text = format!(
            "[manners]\nwait_when_busy = false\n[web]\nenabled = false\n[networking]\n{radio}bind_port = 0\n{settings}"
        );
        std::fs::write(home.join("config/daemon.toml"), text).expect("settings");
        Self {
            home,
            daemon: None,
            standalone,
            environment: Vec::new(),
        }
    }

    /// Starts the daemon (again) and waits until it and its services answer.
    pub fn launch(&mut self) {
        self.spawn();
        self.await_status("link and services", |status| {
            let services = status["services"].as_object();
            status["carriers"][0]["address"].is_string()
                && services.is_some_and(|all| all.values().all(|answers| answers == true))
        });
    }

    fn spawn(&mut self) {
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.home.join("log"))
            .expect("a log");
        let daemon = Command::new(env!("CARGO_BIN_EXE_laptop-daemon"))
            .args(self.standalone.then_some("--standalone"))
            .arg("--home")
            .arg(&self.home)
            .env("OFFICEOS_DISCOVERY", "off")
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("the daemon starts");
        self.daemon = Some(daemon);
    }

    /// `kill -9` on the daemon; its children end with it.
    pub fn kill(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            daemon.kill().expect("killed");
            daemon.wait().expect("gone");
        }
    }

    /// Process number of the daemon.
    pub fn pid(&self) -> u32 {
        self.daemon.as_ref().expect("a running daemon").id()
    }

    /// Runs officectl.
    pub fn officectl(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_officectl"))
            .arg("--home")
            .arg(&self.home)
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .expect("officectl runs")
    }

    /// Runs officectl and reads its JSON; the command must succeed.
    pub fn ask(&self, arguments: &[&str]) -> Value {
        let mut all = vec!["--json"];
        all.extend(arguments);
        let output = self.officectl(&all);
        assert!(
            output.status.success(),
            "officectl {arguments:?}: {}\n{}",
            String::from_utf8_lossy(&output.stderr),
            self.log()
        );
        serde_json::from_slice(&output.stdout).expect("JSON")
    }

    /// Where handhelds connect.
    pub fn address(&self) -> SocketAddr {
        let status = self.ask(&["status"]);
        status["carriers"][0]["address"]
            .as_str()
            .expect("a carrier")
            .parse()
            .expect("an address")
    }

    /// Waits until the status satisfies `wanted`.
    pub fn await_status(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let output = self.officectl(&["--json", "status"]);
            if let Ok(status) = serde_json::from_slice::<Value>(&output.stdout)
                && wanted(&status)
            {
                return status;
            }
            assert!(
                Instant::now() < deadline,
                "no {what} in time\n{}",
                self.log()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits for a question to a person and returns its number.
    pub fn await_question(&self) -> u64 {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(id) = self.ask(&["pending"])[0]["id"].as_u64() {
                return id;
            }
            assert!(
                Instant::now() < deadline,
                "nobody was asked\n{}",
                self.log()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The drop folder of the only device.
    pub fn files(&self) -> PathBuf {
        PathBuf::from(
            self.ask(&["devices"])[0]["folder"]
                .as_str()
                .expect("a folder"),
        )
    }

    /// What the processes have said so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.home.join("log")).unwrap_or_default()
    }
}

impl Drop for Laptop {
    fn drop(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
        if !std::thread::panicking() {
            let _ = std::fs::remove_dir_all(&self.home);
        }
    }
}

/// Whether a process of this number is alive (and no zombie).
pub fn is_alive(pid: u32) -> bool {
    let stat = std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("stat"))
        .unwrap_or_default();
    stat.rsplit(')')
        .next()
        .is_some_and(|rest| !rest.is_empty() && !rest.trim_start().starts_with('Z'))
}
