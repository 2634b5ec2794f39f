//! The shell: connections, threads, deadlines.

use super::reader::{Reader, Step};
use super::reject::Reject;
use super::reply::{Gone, Outcome, Reply, write};
use super::request::Request;
use super::response::Response;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::fmt;
use std::io::{self, Read};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::fd::AsFd;
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
    /// Calls this at least so often, from the loop that accepts: it shows that the loop turns.
    pub beat: Option<(Duration, Turned)>,
}

/// Something to call whenever the loop that accepts has turned.
#[derive(Clone)]
pub struct Turned(pub Arc<dyn Fn() + Send + Sync>);

impl fmt::Debug for Turned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Turned")
    }
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
            beat: None,
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
        if self.settings.beat.is_some() {
            // Between looking and accepting a client may go, and nothing may hold the beat up.
            listener.set_nonblocking(true)?;
        }
        loop {
            if let Some((every, Turned(turned))) = &self.settings.beat {
                turned();
                wait(listener, *every)?;
            }
            match listener.accept() {
                Ok((stream, _)) => self.admit(stream),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
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

/// Waits until somebody knocks, but no longer than `most`.
fn wait(listener: &TcpListener, most: Duration) -> io::Result<()> {
    let most = PollTimeout::try_from(most).unwrap_or(PollTimeout::MAX);
    let mut one = [PollFd::new(listener.as_fd(), PollFlags::POLLIN)];
    match poll(&mut one, most) {
        Ok(_) | Err(Errno::EINTR) => Ok(()),
        Err(errno) => Err(errno.into()),
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
#[path = "server_tests.rs"]
mod tests;
