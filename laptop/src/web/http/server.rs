//! The shell: connections, threads, deadlines.

use super::reader::{Reader, Step};
use super::reject::Reject;
use super::reply::{Gone, Outcome, Reply, write};
use super::request::Request;
use super::response::Response;
use std::io::{self, Read};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Most octets of a refused request that are read over, so that its sender gets to see why.
const MAX_LINGER_LEN: usize = 256 * 1024;
/// Longest time for that.
const LINGER: Duration = Duration::from_secs(1);
/// Pause before another attempt to accept while descriptors or memory are short.
const SHORTAGE_PAUSE: Duration = Duration::from_millis(100);

/// Answers requests.
pub trait Handler: Send + Sync + 'static {
    /// Answers `request` through `reply`. A reply that is dropped unused becomes an error 500.
    ///
    /// # Errors
    /// [`Gone`] when nobody is there to answer any more; nothing is owed then.
    fn answer(&self, request: &Request, reply: Reply<'_>) -> Result<(), Gone>;
}

/// Bounds of a [`Server`].
#[derive(Debug, Clone)]
pub struct Settings {
    /// Longest body, in octets.
    pub max_body_len: usize,
    /// Most connections at a time; one more is answered 503.
    pub max_connections: usize,
    /// From the first octet of a head to its last.
    pub head_timeout: Duration,
    /// From the end of the head to the last octet of the body.
    pub body_timeout: Duration,
    /// Silence between two requests of one connection.
    pub idle_timeout: Duration,
    /// Longest time that a client takes to read one piece of an answer.
    pub write_timeout: Duration,
    /// Stack of a connection's thread, in octets.
    pub stack_len: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_body_len: 1024 * 1024,
            max_connections: 64,
            head_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(30),
            write_timeout: Duration::from_secs(10),
            stack_len: 256 * 1024,
        }
    }
}

/// Serves a handler on a listening socket, one thread a connection.
pub struct Server<H> {
    handler: Arc<H>,
    settings: Arc<Settings>,
    open: Arc<AtomicUsize>,
}

impl<H: Handler> Server<H> {
    /// A server of `handler` within `settings`.
    pub fn new(handler: H, settings: Settings) -> Self {
        Self {
            handler: Arc::new(handler),
            settings: Arc::new(settings),
            open: Arc::default(),
        }
    }

    /// Accepts for ever.
    ///
    /// # Errors
    /// When the listening socket itself fails; trouble with one connection only ends that one.
    pub fn run(&self, listener: &TcpListener) -> io::Result<()> {
        loop {
            match listener.accept() {
                Ok((stream, _)) => self.admit(stream),
                Err(error) if crate::ipc::passes(&error) => {
                    log::warn!("cannot accept now: {error}");
                    std::thread::sleep(SHORTAGE_PAUSE);
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn admit(&self, stream: TcpStream) {
        let slot = Slot::take(&self.open);
        if slot.number > self.settings.max_connections {
            // Into the socket's buffer: whoever accepts waits for nobody.
            let full = Response::text(503, "there are too many connections; try again");
            let _ = stream.set_nonblocking(true);
            let _ = io::Write::write(&mut &stream, &closing(&full));
            return;
        }
        let (handler, settings) = (Arc::clone(&self.handler), Arc::clone(&self.settings));
        let spawned = std::thread::Builder::new()
            .name("http".into())
            .stack_size(self.settings.stack_len)
            .spawn(move || {
                let _slot = slot;
                if let Err(error) = converse(&stream, handler.as_ref(), &settings) {
                    log::debug!("http: {error}");
                }
            });
        if let Err(error) = spawned {
            log::error!("no thread for a connection: {error}");
        }
    }
}

fn converse(stream: &TcpStream, handler: &impl Handler, settings: &Settings) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = Reader::new(settings.max_body_len);
    let mut patience = settings.head_timeout;
    loop {
        match next(stream, &mut reader, settings, patience) {
            Ok(Some(request)) => {
                if answer(stream, &mut reader, &request, handler, settings) != Outcome::Keep {
                    break;
                }
            }
            Ok(None) => break,
            Err(Wrong::Io(error)) => return Err(error),
            Err(Wrong::Request(reject)) => {
                refuse(stream, reject, settings);
                break;
            }
        }
        patience = settings.idle_timeout;
    }
    let _ = stream.shutdown(Shutdown::Both);
    Ok(())
}

enum Wrong {
    Io(io::Error),
    Request(Reject),
}

impl From<io::Error> for Wrong {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Reads until a request is whole; `None` where none comes. `silence` is how long nothing at all may come.
fn next(
    mut stream: &TcpStream,
    reader: &mut Reader,
    settings: &Settings,
    silence: Duration,
) -> Result<Option<Request>, Wrong> {
    let begun = Instant::now();
    let (mut head, mut body) = (None, None);
    loop {
        let step = reader.step().map_err(Wrong::Request)?;
        let deadline = match step {
            Step::Request(request) => return Ok(Some(*request)),
            Step::Silent => begun + silence,
            Step::Head => *head.get_or_insert_with(|| Instant::now() + settings.head_timeout),
            Step::Body { proceed } => {
                if proceed
                    && write(
                        stream,
                        &Response::new(100).head(&[]),
                        settings.write_timeout,
                    )
                    .is_err()
                {
                    return Ok(None);
                }
                *body.get_or_insert_with(|| Instant::now() + settings.body_timeout)
            }
        };
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return match step {
                Step::Silent => Ok(None),
                _ => Err(Wrong::Request(Reject::Timeout)),
            };
        }
        stream.set_read_timeout(Some(left))?;
        let mut piece = [0; 8 * 1024];
        match stream.read(&mut piece) {
            Ok(0) => return Ok(None),
            Ok(len) => reader.push(&piece[..len]),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::Interrupted
                        | io::ErrorKind::WouldBlock
                        | io::ErrorKind::TimedOut
                ) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

fn answer(
    stream: &TcpStream,
    reader: &mut Reader,
    request: &Request,
    handler: &impl Handler,
    settings: &Settings,
) -> Outcome {
    let mut outcome = Outcome::Unanswered;
    let handed = Reply {
        stream,
        reader,
        outcome: &mut outcome,
        write_timeout: settings.write_timeout,
        bare: request.method == "HEAD",
        keep: request.keeps_alive(),
        watch: None,
    };
    // A panic in a handler is a defect, yet it must cost its own request only, and the client must hear of it.
    let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        handler.answer(request, handed)
    }));
    match ended {
        Ok(Ok(())) if outcome != Outcome::Unanswered => return outcome,
        Ok(Err(Gone)) => return Outcome::Close,
        Ok(Ok(())) => log::error!("a request was left without an answer"),
        Err(_) => log::error!("a handler failed; its words stand above"),
    }
    if outcome == Outcome::Unanswered {
        let words = "web-service failed inside; its log says where";
        let _ = write(
            stream,
            &closing(&Response::text(500, words)),
            settings.write_timeout,
        );
    }
    Outcome::Close
}

/// A whole answer after which the connection ends.
fn closing(response: &Response) -> Vec<u8> {
    let length = response.body.len().to_string();
    let mut bytes = response.head(&[("Content-Length", &length), ("Connection", "close")]);
    bytes.extend_from_slice(&response.body);
    bytes
}

/// Says why, then reads on for a moment: closing with octets unread would make the kernel throw the answer away.
fn refuse(mut stream: &TcpStream, reject: Reject, settings: &Settings) {
    let response = Response::text(reject.status(), reject.to_string());
    if write(stream, &closing(&response), settings.write_timeout).is_err() {
        return;
    }
    let _ = stream.shutdown(Shutdown::Write);
    let deadline = Instant::now() + LINGER;
    let mut read = 0;
    let mut piece = [0; 8 * 1024];
    while read < MAX_LINGER_LEN {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() || stream.set_read_timeout(Some(left)).is_err() {
            return;
        }
        match stream.read(&mut piece) {
            Ok(0) | Err(_) => return,
            Ok(len) => read += len,
        }
    }
}

/// One of the connections that are open; freed when dropped.
struct Slot {
    open: Arc<AtomicUsize>,
    number: usize,
}

impl Slot {
    fn take(open: &Arc<AtomicUsize>) -> Self {
        let number = open.fetch_add(1, Ordering::SeqCst) + 1;
        Self {
            open: Arc::clone(open),
            number,
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.open.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ipc::CancelToken;
    use std::io::Write;
    use std::net::SocketAddr;
    use std::sync::mpsc::{Receiver, Sender, channel};

    /// Says who left, to the test that waits for it.
    struct Site(Sender<CancelToken>);

    impl Handler for Site {
        fn answer(&self, request: &Request, mut reply: Reply<'_>) -> Result<(), Gone> {
            match request.path() {
                "/echo" => reply.send(Response::new(200).body(request.body.clone())),
                "/large" => reply.send(Response::new(200).body(vec![b'x'; 64 << 20])),
                "/none" => Ok(()),
                "/panic" => panic!("on purpose"),
                "/count" => {
                    let mut stream = reply.stream(Response::events())?;
                    stream.event("one\r\ntwo\nthree")?;
                    stream.event("four")?;
                    stream.end()
                }
                "/broken" => {
                    let mut stream = reply.stream(Response::events())?;
                    stream.event("one")
                }
                "/wait" => {
                    let gone = reply.gone();
                    self.0.send(gone.clone()).expect("the test waits");
                    gone.sleep(Duration::from_secs(3600));
                    self.0.send(gone).expect("the test waits");
                    Err(Gone)
                }
                "/take" => {
                    let (mut stream, rest) = reply.upgrade(&Response::new(101))?;
                    stream.write_all(&rest).map_err(|_| Gone)
                }
                _ => reply.send(Response::text(404, "nothing")),
            }
        }
    }

    fn start(settings: Settings) -> (SocketAddr, Receiver<CancelToken>) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
        let address = listener.local_addr().expect("an address");
        let (sender, receiver) = channel();
        std::thread::spawn(move || Server::new(Site(sender), settings).run(&listener));
        (address, receiver)
    }

    fn usual() -> (SocketAddr, Receiver<CancelToken>) {
        start(Settings::default())
    }

    fn connect(address: SocketAddr) -> TcpStream {
        let stream = TcpStream::connect(address).expect("connected");
        stream
            .set_read_timeout(Some(Duration::from_secs(30)))
            .expect("set");
        stream
    }

    fn talk(address: SocketAddr, text: &str) -> String {
        let mut stream = connect(address);
        stream.write_all(text.as_bytes()).expect("written");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("read");
        answer
    }

    fn get(path: &str) -> String {
        format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    }

    #[test]
    fn requests_follow_each_other_on_one_connection() {
        let (address, _) = usual();
        let post = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";
        let answer = talk(address, &format!("{post}{post}{}", get("/echo")));
        assert_eq!(
            answer,
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc\
             HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
    }

    #[test]
    fn a_head_request_gets_the_head() {
        let (address, _) = usual();
        let text = "HEAD /nowhere HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
        let answer = talk(address, text);
        assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
        assert!(
            answer.ends_with("Content-Length: 8\r\nConnection: close\r\n\r\n"),
            "{answer}"
        );
    }

    #[test]
    fn an_abuse_is_answered_by_its_name_and_ends_the_connection() {
        let (address, _) = usual();
        for (text, status, words) in [
            (
                "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000000\r\n\r\n".to_owned(),
                413,
                "too long",
            ),
            (
                "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n\
                 0\r\n\r\nGET /echo HTTP/1.1\r\nHost: a\r\n\r\n"
                    .to_owned(),
                400,
                "never both",
            ),
            (
                format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "x".repeat(1 << 20)),
                431,
                "too long",
            ),
            (
                "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n".to_owned(),
                501,
                "chunked",
            ),
            ("GET / HTTP/1.0\r\nHost: a\r\n\r\n".to_owned(), 505, "HTTP/1.1"),
            ("GET / HTTP/1.1\r\n\r\n".to_owned(), 400, "Host"),
        ] {
            let mut stream = connect(address);
            // The server may stop reading in the middle.
            let _ = stream.write_all(text.as_bytes());
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer);
            let answer = String::from_utf8_lossy(&answer);
            assert!(
                answer.starts_with(&format!("HTTP/1.1 {status} ")),
                "{answer}"
            );
            assert!(answer.contains(words), "{answer}");
            assert_eq!(answer.matches("HTTP/1.1 ").count() - answer.matches("only HTTP/1.1 ").count(), 1);
        }
    }

    #[test]
    fn a_slow_head_is_cut_off_however_busy_it_looks() {
        let (address, _) = start(Settings {
            head_timeout: Duration::from_millis(300),
            ..Settings::default()
        });
        let mut stream = connect(address);
        stream
            .set_read_timeout(Some(Duration::from_millis(20)))
            .expect("set");
        stream
            .write_all(b"GET / HTTP/1.1\r\nHost: a\r\nX: ")
            .expect("written");
        // One more octet every 20 ms: a timeout on each read alone would wait for ever.
        let mut answer = [0; 64];
        let len = loop {
            let _ = stream.write_all(b"x");
            match stream.read(&mut answer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                other => break other.expect("an answer"),
            }
        };
        assert!(answer[..len].starts_with(b"HTTP/1.1 408 "));
    }

    #[test]
    fn a_slow_body_is_cut_off() {
        let (address, _) = start(Settings {
            body_timeout: Duration::from_millis(200),
            ..Settings::default()
        });
        let text = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc";
        assert!(talk(address, text).starts_with("HTTP/1.1 408 "));
    }

    #[test]
    fn a_silent_client_is_let_go_without_a_word() {
        let (address, _) = start(Settings {
            head_timeout: Duration::from_millis(100),
            idle_timeout: Duration::from_millis(100),
            ..Settings::default()
        });
        assert_eq!(talk(address, ""), "");
        let text = "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n";
        assert_eq!(
            talk(address, text),
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
        );
    }

    #[test]
    fn a_client_that_does_not_read_is_let_go() {
        let (address, seen) = start(Settings {
            write_timeout: Duration::from_millis(200),
            max_connections: 1,
            ..Settings::default()
        });
        let mut lazy = connect(address);
        lazy.write_all(get("/large").as_bytes()).expect("written");
        // Its place is free again once it has been given up: until then others are turned away.
        let free = std::iter::repeat_with(|| {
            let mut stream = connect(address);
            let _ = stream.write_all(get("/echo").as_bytes());
            let mut answer = String::new();
            let _ = stream.read_to_string(&mut answer);
            answer
        })
        .find(|answer| answer.starts_with("HTTP/1.1 200 "));
        assert!(free.is_some());
        drop((lazy, seen));
    }

    #[test]
    fn more_connections_than_fit_are_turned_away() {
        let (address, seen) = start(Settings {
            max_connections: 1,
            ..Settings::default()
        });
        let mut first = connect(address);
        first.write_all(get("/wait").as_bytes()).expect("written");
        seen.recv().expect("it waits");
        let mut second = connect(address);
        let mut answer = Vec::new();
        let _ = second.read_to_end(&mut answer);
        assert!(
            answer.starts_with(b"HTTP/1.1 503 "),
            "{}",
            String::from_utf8_lossy(&answer)
        );
        drop(first);
        assert!(seen.recv().expect("it left").is_cancelled());
    }

    #[test]
    fn a_client_that_leaves_is_noticed() {
        let (address, seen) = usual();
        let mut stream = connect(address);
        stream.write_all(get("/wait").as_bytes()).expect("written");
        assert!(!seen.recv().expect("it waits").is_cancelled());
        drop(stream);
        assert!(seen.recv().expect("it was noticed").is_cancelled());
    }

    #[test]
    fn a_stream_comes_in_chunks_and_an_event_in_lines() {
        let (address, _) = usual();
        let answer = talk(address, &get("/count"));
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        assert_eq!(
            head,
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\n\
             Transfer-Encoding: chunked\r\nConnection: close"
        );
        assert_eq!(
            body,
            "28\r\ndata: one\ndata: \ndata: two\ndata: three\n\n\r\nc\r\ndata: four\n\n\r\n0\r\n\r\n"
        );
    }

    #[test]
    fn a_stream_that_breaks_off_has_no_end() {
        let (address, _) = usual();
        let answer = talk(address, &get("/broken"));
        assert!(answer.ends_with("data: one\n\n\r\n"), "{answer}");
    }

    #[test]
    fn a_handler_that_fails_costs_its_own_request() {
        let (address, _) = usual();
        for path in ["/none", "/panic"] {
            assert!(talk(address, &get(path)).starts_with("HTTP/1.1 500 "));
        }
        assert!(talk(address, &get("/echo")).starts_with("HTTP/1.1 200 "));
    }

    #[test]
    fn a_connection_is_handed_over_with_what_came_behind_the_request() {
        let (address, _) = usual();
        let text = "GET /take HTTP/1.1\r\nHost: a\r\n\r\nframe";
        assert_eq!(
            talk(address, text),
            "HTTP/1.1 101 Switching Protocols\r\n\r\nframe"
        );
    }
}
