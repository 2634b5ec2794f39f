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
type Events = Arc<(Mutex<Vec<(Instant, String)>>, Condvar)>;

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
                    queue.push((Instant::now(), text));
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
        self.timed(name, patience).map(|(_, text)| text)
    }

    /// The same with the moment at which it was heard.
    pub fn timed(&self, name: &str, patience: Duration) -> Option<(Instant, String)> {
        let until = Instant::now() + patience;
        let mut queue = self
            .events
            .0
            .lock()
            .expect("no thread died with the events");
        loop {
            if let Some(at) = queue.iter().position(|(_, text)| text.contains(name)) {
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

    /// Forgets everything that was announced until now.
    pub fn forget(&self) {
        if let Ok(mut queue) = self.events.0.lock() {
            queue.clear();
        }
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

/// Connects a client of its own to the socket at `path`; `None` while nobody listens there.
pub fn connect(path: &Path) -> Option<(UnixDatagram, PathBuf)> {
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
