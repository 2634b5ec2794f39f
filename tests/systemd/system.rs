//! What the walk asks the system, and a model server that notes who calls it.

use super::support::eventually;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};

fn start(program: &str, arguments: &[&str]) -> Output {
    Command::new(program)
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error}"))
}

/// Runs a program that must succeed.
pub fn run(program: &str, arguments: &[&str]) {
    let output = start(program, arguments);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {said}");
}

/// Runs a program that must not.
pub fn fails(program: &str, arguments: &[&str]) {
    let output = start(program, arguments);
    assert!(!output.status.success(), "{program} {arguments:?} was let");
}

/// What a program says, whatever becomes of it.
pub fn says(program: &str, arguments: &[&str]) -> String {
    String::from_utf8_lossy(&start(program, arguments).stdout).into_owned()
}

/// officectl as the package has installed it, run by `user`.
pub fn ctl(user: &str, arguments: &[&str]) -> Output {
    let mut all = vec!["-u", user, "--", "/usr/bin/officectl"];
    all.extend(arguments);
    start("runuser", &all)
}

pub fn property(unit: &str, name: &str) -> String {
    let said = says("systemctl", &["show", "--value", "--property", name, unit]);
    said.trim().to_owned()
}

pub fn is_active(unit: &str) -> bool {
    says("systemctl", &["is-active", unit]).trim() == "active"
}

/// The daemon's process, once it has one.
pub fn daemon_pid() -> String {
    eventually("the daemon's process", || {
        let pid = property("officeos-daemon.service", "MainPID");
        (pid != "0").then_some(pid)
    })
}

/// Whether something speaks HTTP where the local page is.
pub fn page_answers() -> bool {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", 8145)) else {
        return false;
    };
    let asked =
        stream.write_all(b"GET / HTTP/1.1\r\nHost: 127.0.0.1:8145\r\nConnection: close\r\n\r\n");
    let mut answer = String::new();
    asked.is_ok() && stream.read_to_string(&mut answer).is_ok() && answer.starts_with("HTTP/1.1 ")
}

/// A line of a process' `status`.
pub fn status_line(pid: &str, name: &str) -> String {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("a process");
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.unwrap_or_default().trim().to_owned()
}

pub fn user_id(name: &str) -> u32 {
    let said = says("id", &["-u", name]);
    said.trim()
        .parse()
        .unwrap_or_else(|_| panic!("no user {name}"))
}

/// Who has asked the model server for a chat.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The user whose socket it was.
    pub uid: u32,
    /// What it showed to be let in.
    pub key: String,
}

/// An OpenAI-compatible chat server.
pub struct Model {
    address: SocketAddr,
    chats: Arc<Mutex<Vec<Caller>>>,
}

impl Model {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("its address");
        let chats: Arc<Mutex<Vec<Caller>>> = Arc::default();
        let noted = Arc::clone(&chats);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let noted = Arc::clone(&noted);
                std::thread::spawn(move || answer(stream, &noted));
            }
        });
        Self { address, chats }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn chats(&self) -> Vec<Caller> {
        self.chats.lock().expect("callers").clone()
    }
}

fn answer(mut stream: TcpStream, noted: &Mutex<Vec<Caller>>) {
    let caller = stream.peer_addr().map(|peer| owner(peer.port()));
    let mut reader = BufReader::new(stream.try_clone().expect("the stream again"));
    let (mut first, mut key, mut len) = (String::new(), String::new(), 0);
    let _ = reader.read_line(&mut first);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        let line = line.trim();
        if line.is_empty() {
            break;
        }
        let Some((name, value)) = line.split_once(": ") else {
            continue;
        };
        match name.to_ascii_lowercase().as_str() {
            "authorization" => key = value.to_owned(),
            "content-length" => len = value.parse().unwrap_or(0),
            _ => {}
        }
    }
    if reader.read_exact(&mut vec![0; len]).is_err() {
        return;
    }
    let (kind, body) = if first.starts_with("GET") {
        let models = r#"{"object":"list","data":[{"id":"parrot","object":"model"}]}"#;
        ("application/json", models.to_owned())
    } else {
        let uid = caller.ok().flatten().unwrap_or(u32::MAX);
        noted.lock().expect("callers").push(Caller { uid, key });
        let piece = |text: &str, end: Option<&str>| {
            let choice =
                serde_json::json!({"index": 0, "delta": {"content": text}, "finish_reason": end});
            format!("data: {}\n\n", serde_json::json!({"choices": [choice]}))
        };
        let text = piece("Parrots say ", None) + &piece("what they hear.", Some("stop"));
        ("text/event-stream", text + "data: [DONE]\n\n")
    };
    let _ = write!(
        stream,
        "HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
}

/// The user whose socket has this local port, as the kernel lists it.
fn owner(port: u16) -> Option<u32> {
    let table = fs::read_to_string("/proc/net/tcp").ok()?;
    let wanted = format!(":{port:04X}");
    table.lines().skip(1).find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        (fields.get(1)?.ends_with(&wanted)).then(|| fields.get(7)?.parse().ok())?
    })
}
