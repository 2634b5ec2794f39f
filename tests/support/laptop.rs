//! The laptop's processes, started as `laptop-daemon --standalone` does.

use super::{Folder, Through, eventually};
use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// What surrounds a laptop.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// How its daemon is started.
    pub daemon: Through,
    /// How its control tool is started.
    pub ctl: Through,
    /// Port on which its models are served to other programs; none where they are not.
    pub gateway: Option<u16>,
    /// Further lines of the section `networking` in `daemon.toml`; without any, it has no radio.
    pub networking: String,
}

/// A port that is free: below those that the kernel gives to whoever asks for any (ip(7), `ip_local_port_range`), and no other
/// test of this process gets it. Test programs run one after the other.
fn free_port() -> u16 {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let first = std::process::id().wrapping_mul(64);
    loop {
        let number = first.wrapping_add(NUMBER.fetch_add(1, Ordering::Relaxed));
        let port = 20_000 + (number % 10_000) as u16;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// A running laptop.
pub struct Laptop {
    child: Option<Child>,
    home: PathBuf,
    environment: Vec<(String, String)>,
    port: u16,
    surroundings: Surroundings,
    _folder: Option<Folder>,
}

impl Laptop {
    /// One with the built-in providers only, on a free port of loopback.
    pub fn start(name: &str) -> Self {
        Self::with(name, "", &[])
    }

    /// One with providers, as `services.toml` names them, and further environment.
    pub fn with(name: &str, providers: &str, environment: &[(&str, &str)]) -> Self {
        let folder = Folder::new(name);
        let home = folder.path().join("laptop");
        let mut laptop = Self::at(&home, "Ada's ThinkPad", 0, providers, environment);
        laptop._folder = Some(folder);
        laptop
    }

    /// One with providers that serves its models to other programs.
    pub fn with_gateway(name: &str, providers: &str, environment: &[(&str, &str)]) -> Self {
        let folder = Folder::new(name);
        let home = folder.path().join("laptop");
        let port = free_port();
        let surroundings = Surroundings {
            networking: "wifi_direct_enabled = false\n".to_owned(),
            gateway: Some(port),
            ..Surroundings::default()
        };
        let ada = "Ada's ThinkPad";
        let mut laptop = Self::within(surroundings, &home, ada, 0, providers, environment);
        laptop._folder = Some(folder);
        laptop
    }

    /// Where it serves its models to other programs, once it does.
    pub fn gateway(&self) -> SocketAddr {
        let port = self.surroundings.gateway.expect("a gateway");
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        eventually("the gateway to listen", || TcpStream::connect(address).ok());
        address
    }

    /// One in a folder that stays.
    pub fn at(
        home: &Path,
        name: &str,
        port: u16,
        providers: &str,
        environment: &[(&str, &str)],
    ) -> Self {
        let surroundings = Surroundings {
            networking: "wifi_direct_enabled = false\n".to_owned(),
            ..Surroundings::default()
        };
        Self::within(surroundings, home, name, port, providers, environment)
    }

    /// One with other surroundings.
    pub fn within(
        surroundings: Surroundings,
        home: &Path,
        name: &str,
        port: u16,
        providers: &str,
        environment: &[(&str, &str)],
    ) -> Self {
        fs::create_dir_all(home.join("config")).expect("a config folder");
        let gateway = surroundings.gateway.map_or_else(String::new, |port| {
            format!("gateway_enabled = true\ngateway_port = {port}\n")
        });
        let daemon = format!(
            "[daemon]\ndevice_name = \"{name}\"\nask_timeout_s = 60\n[manners]\nwait_when_busy = false\n[web]\nenabled = false\n{gateway}[networking]\nbind_address = \"127.0.0.1\"\nbind_port = {port}\n{}",
            surroundings.networking
        );
        fs::write(home.join("config/daemon.toml"), daemon).expect("daemon.toml");
        fs::write(home.join("config/services.toml"), providers).expect("services.toml");
        let mut environment: Vec<_> = environment
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        if !environment
            .iter()
            .any(|(name, _)| name == "OFFICEOS_DISCOVERY")
        {
            environment.push(("OFFICEOS_DISCOVERY".to_owned(), "off".to_owned()));
        }
        let mut laptop = Self {
            child: None,
            home: home.to_owned(),
            environment,
            port,
            surroundings,
            _folder: None,
        };
        laptop.restart();
        laptop
    }

    /// Starts it again in the same folder, on the same port.
    pub fn restart(&mut self) {
        let log = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.home.join("log"))
            .expect("a log");
        let child = self
            .surroundings
            .daemon
            .command("laptop-daemon")
            .args(["--standalone", "--home"])
            .arg(&self.home)
            .env(
                "RUST_LOG",
                std::env::var("RUST_LOG").unwrap_or_else(|_| "info".to_owned()),
            )
            .envs(self.environment.iter().map(|(k, v)| (k, v)))
            .env_remove("OPENAI_API_KEY")
            .env_remove("STABILITY_API_KEY")
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("the log again"))
            .stderr(log)
            .spawn()
            .expect("laptop-daemon starts");
        self.child = Some(child);
        let link = self.wait();
        let port: u16 = link
            .rsplit(':')
            .next()
            .and_then(|port| port.parse().ok())
            .expect("a port in the address");
        if self.port == 0 {
            self.port = port;
            // From now on the same port, as a handheld expects of its laptop.
            let file = self.home.join("config/daemon.toml");
            let text = fs::read_to_string(&file).expect("daemon.toml");
            fs::write(
                &file,
                text.replace("bind_port = 0", &format!("bind_port = {port}")),
            )
            .expect("daemon.toml");
        }
    }

    /// Waits until all its services run and gives the address at which it listens.
    pub fn wait(&mut self) -> String {
        eventually("the laptop to listen", || {
            if let Some(status) = self
                .child
                .as_mut()
                .and_then(|child| child.try_wait().ok().flatten())
            {
                panic!("laptop-daemon ended with {status}:\n{}", self.log());
            }
            let status = self.ctl().try_json(&["status"])?;
            status["services"]
                .as_object()?
                .values()
                .all(|up| up == true)
                .then_some(())?;
            let carriers = status["carriers"].as_array()?.iter();
            let mut own = carriers.filter(|carrier| carrier["carrier"] != "wifi-direct");
            Some(own.next()?["address"].as_str()?.to_owned())
        })
    }

    /// Replaces its further environment from the next start on.
    pub fn set_environment(&mut self, environment: Vec<(String, String)>) {
        self.environment = environment;
        self.environment
            .push(("OFFICEOS_DISCOVERY".to_owned(), "off".to_owned()));
    }

    /// Where handhelds reach it.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }

    /// Its folder.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// Its control tool.
    pub fn ctl(&self) -> super::ctl::Ctl {
        super::ctl::Ctl::through(&self.home, self.surroundings.ctl.clone())
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.home.join("log")).unwrap_or_default()
    }

    /// Kills the daemon as a crash would; its children follow by themselves.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Ends it as a shutdown does.
    pub fn end(&mut self) {
        if let Some(mut child) = self.child.take() {
            // SIGTERM first, so that it ends its children in order.
            super::process::terminate(child.id());
            let ended = (0..100).any(|_| {
                std::thread::park_timeout(std::time::Duration::from_millis(50));
                matches!(child.try_wait(), Ok(Some(_)))
            });
            if !ended {
                let _ = child.kill();
            }
            let _ = child.wait();
        }
    }

    /// Process number of the daemon.
    pub fn pid(&self) -> u32 {
        self.child.as_ref().map_or(0, Child::id)
    }

    /// Process numbers of its children, by name of the program.
    pub fn children(&self, name: &str) -> Vec<u32> {
        // Without a daemon there are none; those of process zero are the kernel's.
        let daemon = self.child.as_ref().map(Child::id);
        let all = daemon.map(super::process::children).unwrap_or_default();
        all.into_iter()
            .filter(|(_, program)| program == name)
            .map(|(pid, _)| pid)
            .collect()
    }
}

impl Drop for Laptop {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("-- log of the laptop --\n{}", self.log());
        }
        self.end();
    }
}
