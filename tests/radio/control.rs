//! A supplicant's control socket, with everything that passes it written down.

use super::place::Place;
use super::support::eventually;
use serde_json::json;
use std::fs::File;
use std::io::Write;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// Where a transcript goes: one JSON object a line, `ms` since its start.
#[derive(Clone)]
pub struct Recorder {
    file: Arc<Mutex<File>>,
    start: Instant,
}

impl Recorder {
    /// A new transcript.
    pub fn new(file: &Path) -> Self {
        Self {
            file: Arc::new(Mutex::new(File::create(file).expect("a transcript"))),
            start: Instant::now(),
        }
    }

    /// Writes one line. `kind` is `request`, `reply`, `event` or `note`.
    pub fn write(&self, who: &str, socket: &str, kind: &str, text: &str) {
        let ms = self.start.elapsed().as_millis() as u64;
        let line = json!({ "ms": ms, "who": who, "socket": socket, kind: text });
        if let Ok(mut file) = self.file.lock() {
            let _ = writeln!(file, "{line}");
        }
    }
}

/// Everything that was announced and nobody has waited for yet.
type Events = Arc<(Mutex<Vec<String>>, Condvar)>;

/// One control socket: requests on one client, events on another, as the supplicant's documentation asks for.
pub struct Control {
    who: String,
    name: String,
    requests: UnixDatagram,
    own: PathBuf,
    events: Events,
    recorder: Recorder,
}

impl Control {
    /// Waits for the socket and attaches to it.
    pub fn open(place: &Place, name: &str, recorder: &Recorder) -> Self {
        let path = place.folder().join("wpa").join(name);
        let (requests, own) = eventually(&format!("{}", path.display()), || connect(&path));
        let (listener, listening) = eventually(&format!("{}", path.display()), || connect(&path));
        let events = Events::default();
        let control = Self {
            who: place.name().to_owned(),
            name: name.to_owned(),
            requests,
            own,
            events: Arc::clone(&events),
            recorder: recorder.clone(),
        };
        let _ = control
            .requests
            .set_read_timeout(Some(Duration::from_secs(10)));
        listener
            .send(b"ATTACH")
            .expect("the socket takes a request");
        let (who, name, recorder) = (control.who.clone(), control.name.clone(), recorder.clone());
        std::thread::spawn(move || {
            let mut buffer = [0; 8192];
            while let Ok(len) = listener.recv(&mut buffer) {
                let text = String::from_utf8_lossy(&buffer[..len]).into_owned();
                if !text.starts_with('<') {
                    continue;
                }
                recorder.write(&who, &name, "event", &text);
                if let Ok(mut queue) = events.0.lock() {
                    queue.push(text);
                    events.1.notify_all();
                }
            }
            let _ = std::fs::remove_file(listening);
        });
        control
    }

    /// Asks and returns the answer; empty where none comes within ten seconds.
    pub fn ask(&self, request: &str) -> String {
        self.recorder
            .write(&self.who, &self.name, "request", request);
        if let Err(error) = self.requests.send(request.as_bytes()) {
            self.recorder.write(
                &self.who,
                &self.name,
                "note",
                &format!("no answer: {error}"),
            );
            return String::new();
        }
        let mut buffer = [0; 8192];
        let len = self.requests.recv(&mut buffer).unwrap_or(0);
        let reply = String::from_utf8_lossy(&buffer[..len]).into_owned();
        self.recorder.write(&self.who, &self.name, "reply", &reply);
        reply.trim_end().to_owned()
    }

    /// Asks for something that has to be granted.
    pub fn ok(&self, request: &str) {
        let answer = self.ask(request);
        assert_eq!(answer, "OK", "{} {}: {request}", self.who, self.name);
    }

    /// Waits for an event whose text contains `name`; it and those before it are then forgotten.
    pub fn event(&self, name: &str, patience: Duration) -> Option<String> {
        let until = Instant::now() + patience;
        let mut queue = self
            .events
            .0
            .lock()
            .expect("no thread died with the events");
        loop {
            if let Some(at) = queue.iter().position(|event| event.contains(name)) {
                return queue.drain(..=at).next_back();
            }
            let rest = until.checked_duration_since(Instant::now())?;
            queue = self
                .events
                .1
                .wait_timeout(queue, rest)
                .expect("no thread died with the events")
                .0;
        }
    }

    /// Waits for an event that has to come.
    pub fn must(&self, name: &str) -> String {
        self.event(name, Duration::from_secs(30))
            .unwrap_or_else(|| panic!("{} {}: no {name}", self.who, self.name))
    }

    /// Writes a remark into the transcript.
    pub fn note(&self, text: &str) {
        self.recorder.write(&self.who, &self.name, "note", text);
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.own);
    }
}

fn connect(path: &Path) -> Option<(UnixDatagram, PathBuf)> {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let own = PathBuf::from(format!("/run/air/client-{}-{number}", std::process::id()));
    let socket = UnixDatagram::bind(&own).ok()?;
    if socket.connect(path).is_err() {
        let _ = std::fs::remove_file(&own);
        return None;
    }
    Some((socket, own))
}

/// An unmodified wpa_supplicant in a place.
pub struct Supplicant {
    child: std::process::Child,
}

/// How a supplicant was started.
pub enum Manner {
    /// As Debian's service is by NetworkManager: no configuration file, interfaces added while it runs, sockets for the group `netdev`.
    Managed,
    /// As a handheld's firmware does it: a configuration file with these lines.
    Configured(&'static str),
}

impl Supplicant {
    /// Starts it and waits for its control socket.
    pub fn start(place: &Place, manner: &Manner) -> Self {
        let folder = place.folder();
        let sockets = folder.join("wpa");
        let log = File::options()
            .create(true)
            .append(true)
            .open(folder.join("supplicant.log"))
            .expect("a log");
        let mut command = place.command("wpa_supplicant");
        match manner {
            Manner::Managed => {
                command
                    .arg("-g")
                    .arg(folder.join("global"))
                    .arg("-O")
                    .arg(format!("DIR={} GROUP=netdev", sockets.display()));
            }
            Manner::Configured(lines) => {
                let file = folder.join("wpa_supplicant.conf");
                let text = format!("ctrl_interface={}\n{lines}", sockets.display());
                std::fs::write(&file, text).expect("a configuration");
                command
                    .args(["-Dnl80211", "-i", place.interface(), "-c"])
                    .arg(file);
            }
        }
        let child = command
            .stdout(log.try_clone().expect("the log again"))
            .stderr(log)
            .spawn()
            .expect("wpa_supplicant starts");
        let supplicant = Self { child };
        if matches!(manner, Manner::Managed) {
            let (global, own) = eventually("the global socket", || connect(&folder.join("global")));
            let request = format!(
                "INTERFACE_ADD {}\t\tnl80211\tDIR={} GROUP=netdev",
                place.interface(),
                sockets.display()
            );
            global.send(request.as_bytes()).expect("a request");
            let mut buffer = [0; 64];
            let len = global.recv(&mut buffer).unwrap_or(0);
            assert!(buffer[..len].starts_with(b"OK"), "{request}");
            let _ = std::fs::remove_file(own);
        }
        eventually("the supplicant's socket", || {
            let (_socket, own) = connect(&sockets.join(place.interface()))?;
            let _ = std::fs::remove_file(own);
            Some(())
        });
        supplicant
    }

    /// Process number; `ip netns exec` becomes the program, so it is the supplicant's own.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ends it in order, as a service manager does.
    pub fn terminate(mut self) {
        super::support::process::terminate(self.child.id());
        let _ = self.child.wait();
    }

    /// Kills it, as a crash does.
    pub fn kill(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Supplicant {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
