//! A scripted HTTP server for tests: says what it was asked, answers well, slowly, badly or by dying.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use crate::ipc::{EventSink, Failure, ServiceEvent};

/// One request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, v)| v.as_str())
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// One step of an answer's body.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// Send these bytes (as a chunk if the reply is chunked).
    Send(Vec<u8>),
    /// Keep silent until the client hangs up, at most a minute.
    AwaitHangup,
    /// Close the connection right here, whatever was promised.
    Die,
}

/// A scripted answer.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    steps: Vec<Step>,
    chunked: bool,
}

impl Reply {
    pub(crate) fn status(status: u16, body: &str) -> Self {
        Self {
            status,
            headers: vec![("content-type".into(), "application/json".into())],
            steps: vec![Step::Send(body.as_bytes().to_vec())],
            chunked: false,
        }
    }

    pub(crate) fn json(body: &str) -> Self {
        Self::status(200, body)
    }

    pub(crate) fn html(body: &str) -> Self {
        Self::status(200, body).with("content-type", "text/html")
    }

    pub(crate) fn bytes(kind: &str, body: Vec<u8>) -> Self {
        Self {
            steps: vec![Step::Send(body)],
            ..Self::status(200, "").with("content-type", kind)
        }
    }

    /// A chunked stream of the given steps.
    pub(crate) fn stream(kind: &str, steps: Vec<Step>) -> Self {
        Self {
            steps,
            chunked: true,
            ..Self::status(200, "").with("content-type", kind)
        }
    }

    /// A server-sent event stream of the given `data:` payloads.
    pub(crate) fn sse(payloads: &[&str]) -> Self {
        let steps = payloads
            .iter()
            .map(|p| Step::Send(format!("data: {p}\n\n").into_bytes()))
            .collect();
        Self::stream("text/event-stream", steps)
    }

    pub(crate) fn then(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(n, _)| n != name);
        self.headers.push((name.into(), value.into()));
        self
    }
}

#[derive(Default)]
struct Record {
    requests: Vec<Seen>,
    hangups: Vec<Instant>,
}

/// A server on a port of its own, serving until the end of the process.
pub(crate) struct Web {
    port: u16,
    record: Arc<(Mutex<Record>, Condvar)>,
}

impl Web {
    pub(crate) fn start(script: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let record: Arc<(Mutex<Record>, Condvar)> = Arc::default();
        let (shared, script) = (Arc::clone(&record), Arc::new(script));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (shared, script) = (Arc::clone(&shared), Arc::clone(&script));
                std::thread::spawn(move || serve(stream, &shared, &*script));
            }
        });
        Self { port, record }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub(crate) fn requests(&self) -> Vec<Seen> {
        self.record.0.lock().unwrap().requests.clone()
    }

    /// The requests of one method and path.
    pub(crate) fn asked(&self, method: &str, target: &str) -> Vec<Seen> {
        self.requests()
            .into_iter()
            .filter(|r| r.method == method && r.target == target)
            .collect()
    }

    /// Waits for a request of that path.
    pub(crate) fn await_request(&self, target: &str) {
        let record = self.record.0.lock().unwrap();
        let missing = |r: &mut Record| !r.requests.iter().any(|r| r.target == target);
        let (_record, wait) = self
            .record
            .1
            .wait_timeout_while(record, Duration::from_secs(20), missing)
            .unwrap();
        assert!(!wait.timed_out(), "no request for {target} came");
    }

    /// Waits until a client hung up during [`Step::AwaitHangup`] and says when that was seen.
    pub(crate) fn await_hangup(&self) -> Instant {
        let record = self.record.0.lock().unwrap();
        let none = |r: &mut Record| r.hangups.is_empty();
        let (record, wait) = self
            .record
            .1
            .wait_timeout_while(record, Duration::from_secs(20), none)
            .unwrap();
        assert!(!wait.timed_out(), "the client never hung up");
        record.hangups[0]
    }
}

fn serve(stream: TcpStream, shared: &(Mutex<Record>, Condvar), script: &dyn Fn(&Seen) -> Reply) {
    let Some(seen) = read_request(&stream) else {
        return;
    };
    shared.0.lock().unwrap().requests.push(seen.clone());
    shared.1.notify_all();
    let reply = script(&seen);
    let _ = stream.set_nodelay(true);
    let mut out = &stream;
    let mut head = format!(
        "HTTP/1.1 {} Scripted\r\nconnection: close\r\n",
        reply.status
    );
    for (name, value) in &reply.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if reply.chunked {
        head.push_str("transfer-encoding: chunked\r\n");
    } else {
        let length: usize = reply
            .steps
            .iter()
            .map(|s| if let Step::Send(b) = s { b.len() } else { 0 })
            .sum();
        if !reply.headers.iter().any(|(n, _)| n == "content-length") {
            head.push_str(&format!("content-length: {length}\r\n"));
        }
    }
    head.push_str("\r\n");
    if out.write_all(head.as_bytes()).is_err() {
        return;
    }
    for step in &reply.steps {
        let sent = match step {
            Step::Send(bytes) if reply.chunked => {
                let mut chunk = format!("{:x}\r\n", bytes.len()).into_bytes();
                chunk.extend_from_slice(bytes);
                chunk.extend_from_slice(b"\r\n");
                out.write_all(&chunk)
            }
            Step::Send(bytes) => out.write_all(bytes),
            Step::AwaitHangup => {
                let _ = stream.set_read_timeout(Some(Duration::from_secs(60)));
                let _ = out.read(&mut [0u8; 1]);
                shared.0.lock().unwrap().hangups.push(Instant::now());
                shared.1.notify_all();
                return;
            }
            Step::Die => {
                let _ = stream.shutdown(Shutdown::Both);
                return;
            }
        };
        if sent.is_err() {
            return;
        }
    }
    if reply.chunked {
        let _ = out.write_all(b"0\r\n\r\n");
    }
    let _ = stream.shutdown(Shutdown::Write);
    let _ = std::io::copy(&mut out, &mut std::io::sink());
}

fn read_request(stream: &TcpStream) -> Option<Seen> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
    let mut seen = Seen {
        method,
        target,
        headers,
        body: Vec::new(),
    };
    let length: usize = seen
        .header("content-length")
        .and_then(|v| v.parse().ok())
        .unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    seen.body = body;
    Some(seen)
}

/// Collects what `work` sends, as a daemon would see it; a failure it returns is the last event.
pub(crate) fn collect(
    work: impl FnOnce(&mut EventSink) -> Result<(), Failure> + Send,
) -> Vec<ServiceEvent> {
    let (mut sink, mut events) = EventSink::pair();
    std::thread::scope(|scope| {
        let reader = scope.spawn(move || {
            let mut list = Vec::new();
            while let Ok(event) = crate::ipc::read_frame(&mut events, crate::ipc::EVENT_CAP) {
                list.push(event);
            }
            list
        });
        let outcome = work(&mut sink);
        if let Err(failure) = outcome {
            let _ = sink.send(&ServiceEvent::Failed(failure));
        }
        drop(sink);
        reader.join().unwrap()
    })
}

/// The text of all `Text` events.
pub(crate) fn text_of(events: &[ServiceEvent]) -> String {
    events
        .iter()
        .filter_map(|e| {
            if let ServiceEvent::Text(t) = e {
                Some(t.as_str())
            } else {
                None
            }
        })
        .collect()
}
