//! The service's end: accept, check the caller, run one request per connection, notice when the caller leaves.

use std::io::{self, Read};
use std::net::Shutdown;
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};

use super::cancel::CancelToken;
use super::frame::{EVENT_CAP, FrameError, REQUEST_CAP, read_frame, write_frame};
use super::message::{Failure, FailureCode, ServiceEvent, ServiceRequest};

/// What a service does with a request.
pub trait Handler: Send + Sync + 'static {
    /// Answers `request` through `events`. An `Ok` must have sent `Done` itself; an `Err` is sent as `Failed`.
    /// `cancel` fires when the caller leaves; nothing sent after that arrives.
    fn handle(
        &self,
        request: ServiceRequest,
        events: &mut EventSink,
        cancel: &CancelToken,
    ) -> Result<(), Failure>;
}

/// The caller has left; stop working.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone;

impl From<Gone> for Failure {
    fn from(_: Gone) -> Self {
        Failure::new(FailureCode::Cancelled, "", "The request was cancelled.")
    }
}

/// Where a handler puts its events.
#[derive(Debug)]
pub struct EventSink {
    stream: UnixStream,
}

impl EventSink {
    /// A sink and the other end of its socket, for tests of handlers.
    #[cfg(test)]
    pub(crate) fn pair() -> (Self, UnixStream) {
        let (stream, other) = UnixStream::pair().expect("a socket pair needs two descriptors only");
        (Self { stream }, other)
    }

    /// Sends one event, waiting for a caller that reads slowly.
    ///
    /// # Errors
    /// [`Gone`] when the caller has left.
    pub fn send(&mut self, event: &ServiceEvent) -> Result<(), Gone> {
        match write_frame(&mut self.stream, event, EVENT_CAP) {
            Ok(()) => Ok(()),
            Err(FrameError::TooLong { length, .. }) => {
                let failure = Failure::new(
                    FailureCode::TooLarge,
                    "",
                    format!("The result of {length} bytes is too large."),
                );
                let _ = write_frame(&mut self.stream, &ServiceEvent::Failed(failure), EVENT_CAP);
                let _ = self.stream.shutdown(Shutdown::Both);
                Err(Gone)
            }
            Err(_) => Err(Gone),
        }
    }
}

/// Limits of a [`Server`].
#[derive(Clone, Debug)]
pub struct ServeOptions {
    /// User ids that may ask.
    pub allowed_uids: Vec<u32>,
    /// Most connections at once; one more is told `Busy`.
    pub max_connections: usize,
    /// Longest time a caller may take to send its request.
    pub request_timeout: Duration,
    /// What the accepting loop does while it lives, and how often.
    pub beat: Option<(Duration, fn())>,
    /// Time without any connection after which the loop ends; without one it never does.
    pub idle_exit: Option<Duration>,
}

impl ServeOptions {
    /// Usual limits for callers running as `uid`.
    pub fn for_uid(uid: u32) -> Self {
        Self {
            allowed_uids: vec![uid],
            max_connections: 64,
            request_timeout: Duration::from_secs(10),
            beat: None,
            idle_exit: None,
        }
    }
}

/// Makes the listening socket at `path`, replacing a dead one but never one that still answers and never another file.
/// Only this user may connect if `shared` is false; otherwise anyone may, and the user id check decides.
///
/// # Errors
/// When something lives at `path`, or from the file system.
pub fn bind(path: &Path, shared: bool) -> io::Result<UnixListener> {
    make_room(path, |path| UnixStream::connect(path).is_ok())?;
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(
        path,
        std::fs::Permissions::from_mode(if shared { 0o666 } else { 0o600 }),
    )?;
    Ok(listener)
}

/// Removes a socket at `path` where `answers` says that nobody listens at it any more.
///
/// # Errors
/// When something lives at `path`, or from the file system.
pub(crate) fn make_room(path: &Path, answers: impl Fn(&Path) -> bool) -> io::Result<()> {
    match std::fs::symlink_metadata(path) {
        Ok(meta) if meta.file_type().is_socket() => {
            if answers(path) {
                let text = format!("another process already listens at {}", path.display());
                return Err(io::Error::new(io::ErrorKind::AddrInUse, text));
            }
            std::fs::remove_file(path)
        }
        Ok(_) => {
            let text = format!("{} exists and is no socket", path.display());
            Err(io::Error::new(io::ErrorKind::AlreadyExists, text))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Takes the listening socket that the parent (or systemd's `StandardInput=socket`) put on standard input.
///
/// # Errors
/// When standard input is no listening Unix socket.
pub fn listener_from_stdin() -> io::Result<UnixListener> {
    let fd = io::stdin().as_fd().try_clone_to_owned()?;
    let listening = getsockopt(&fd, nix::sys::socket::sockopt::AcceptConn).unwrap_or(false);
    if !listening {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "standard input is not a listening socket",
        ));
    }
    let listener = UnixListener::from(fd);
    listener.local_addr()?;
    Ok(listener)
}

/// The next connection.
///
/// # Errors
/// When the listening socket itself fails; a shortage is waited out.
pub fn accept(listener: &UnixListener) -> io::Result<UnixStream> {
    loop {
        match listener.accept() {
            Ok((stream, _)) => return Ok(stream),
            Err(error) if passes(&error) => {
                log::warn!("cannot accept now: {error}");
                std::thread::sleep(Duration::from_millis(100));
            }
            Err(error) => return Err(error),
        }
    }
}

/// Waits for a connection, at most `patience`. Whether one is there.
fn wait(listener: &UnixListener, patience: Option<Duration>) -> io::Result<bool> {
    let Some(patience) = patience else {
        return Ok(true);
    };
    // Rounded up: waking before its end would only wait again.
    let patience = patience + Duration::from_millis(1);
    let patience = PollTimeout::try_from(patience).unwrap_or(PollTimeout::MAX);
    let mut fds = [PollFd::new(listener.as_fd(), PollFlags::POLLIN)];
    match poll(&mut fds, patience) {
        Ok(ready) => Ok(ready > 0),
        Err(Errno::EINTR) => Ok(false),
        Err(errno) => Err(errno.into()),
    }
}

/// Whether an `accept` may work again soon: nothing is wrong with the listener, or descriptors and memory are short and
/// others may finish, so that giving up would make it worse.
pub(crate) fn passes(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::Interrupted | io::ErrorKind::ConnectionAborted
    ) || matches!(error.raw_os_error(), Some(12 | 23 | 24 | 105))
}

/// Serves a handler on a listening socket, one thread per connection.
pub struct Server<H> {
    handler: Arc<H>,
    options: ServeOptions,
    open: Arc<AtomicUsize>,
}

impl<H: Handler> Server<H> {
    /// A server of `handler` within `options`.
    pub fn new(handler: H, options: ServeOptions) -> Self {
        Self {
            handler: Arc::new(handler),
            options,
            open: Arc::new(AtomicUsize::new(0)),
        }
    }

    /// Accepts until nobody has been here for as long as the options say, if they do.
    ///
    /// # Errors
    /// When the listening socket itself fails; trouble with one connection only ends that one.
    pub fn run(&self, listener: &UnixListener) -> io::Result<()> {
        let mut idle_since = Instant::now();
        loop {
            if let Some((_, beat)) = self.options.beat {
                beat();
            }
            if self.open.load(Ordering::SeqCst) > 0 {
                idle_since = Instant::now();
            }
            let left = self
                .options
                .idle_exit
                .map(|limit| limit.saturating_sub(idle_since.elapsed()));
            if left == Some(Duration::ZERO) {
                return Ok(());
            }
            let beat = self.options.beat.map(|(every, _)| every);
            if wait(listener, beat.into_iter().chain(left).min())? {
                self.admit(accept(listener)?);
                idle_since = Instant::now();
            }
        }
    }

    fn admit(&self, stream: UnixStream) {
        match getsockopt(&stream, PeerCredentials) {
            Ok(peer) if self.options.allowed_uids.contains(&peer.uid()) => {}
            Ok(peer) => {
                log::warn!(
                    "refused a connection of user {} (process {})",
                    peer.uid(),
                    peer.pid()
                );
                return;
            }
            Err(error) => {
                log::warn!("refused a connection of unknown origin: {error}");
                return;
            }
        }
        let slot = Slot::take(&self.open);
        if slot.number > self.options.max_connections {
            let text = format!(
                "More than {} requests at once.",
                self.options.max_connections
            );
            // Closing with the request unread would make the kernel throw the answer away.
            let _ = stream.set_read_timeout(Some(Duration::from_millis(200)));
            let _ = read_frame::<ServiceRequest>(&mut &stream, REQUEST_CAP);
            let event = ServiceEvent::Failed(Failure::new(FailureCode::Busy, "", text));
            let _ = write_frame(&mut &stream, &event, EVENT_CAP);
            return;
        }
        let (handler, patience) = (Arc::clone(&self.handler), self.options.request_timeout);
        let spawned = std::thread::Builder::new()
            .name("request".into())
            .spawn(move || {
                let _slot = slot;
                if let Err(error) = converse(&*handler, stream, patience) {
                    log::warn!("a caller's connection ended: {error}");
                }
            });
        if let Err(error) = spawned {
            log::error!("cannot start a thread for a request: {error}");
        }
    }
}

fn converse<H: Handler>(
    handler: &H,
    mut stream: UnixStream,
    patience: Duration,
) -> Result<(), FrameError> {
    stream
        .set_read_timeout(Some(patience))
        .map_err(FrameError::Io)?;
    let request = match read_frame(&mut stream, REQUEST_CAP) {
        Ok(request) => request,
        Err(FrameError::Closed) => return Ok(()),
        Err(error) => {
            let failure = Failure::new(
                FailureCode::BadRequest,
                "",
                format!("The request is unreadable: {error}."),
            );
            let _ = write_frame(&mut stream, &ServiceEvent::Failed(failure), EVENT_CAP);
            return Err(error);
        }
    };
    stream.set_read_timeout(None).map_err(FrameError::Io)?;
    let cancel = CancelToken::new();
    let watcher = watch(&stream, &cancel).map_err(FrameError::Io)?;
    let mut events = EventSink { stream };
    // A panic in a handler is a defect, yet it must cost its own request only, and the caller must hear of it.
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        handler.handle(request, &mut events, &cancel)
    }));
    let failure = match outcome {
        Ok(Ok(())) => None,
        Ok(Err(failure)) => Some(failure),
        Err(_) => Some(Failure::new(
            FailureCode::ProviderFailed,
            "",
            "The service failed inside; its log says where.",
        )),
    };
    if let Some(failure) = failure {
        if !cancel.is_cancelled() {
            log::info!("request failed: {:?} {failure}", failure.code);
        }
        let _ = events.send(&ServiceEvent::Failed(failure));
    }
    let _ = events.stream.shutdown(Shutdown::Both);
    let _ = watcher.join();
    Ok(())
}

/// Waits in a thread for the caller to leave. A caller says nothing after its request, so anything readable is the end.
fn watch(stream: &UnixStream, cancel: &CancelToken) -> io::Result<std::thread::JoinHandle<()>> {
    let (mut stream, cancel) = (stream.try_clone()?, cancel.clone());
    std::thread::Builder::new()
        .name("watch".into())
        .stack_size(128 << 10)
        .spawn(move || {
            loop {
                match stream.read(&mut [0u8; 1]) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    _ => break,
                }
            }
            cancel.cancel();
        })
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
mod accept_tests {
    use super::*;
    use std::sync::atomic::AtomicU32;

    struct Nobody;

    impl Handler for Nobody {
        fn handle(
            &self,
            _request: ServiceRequest,
            _events: &mut EventSink,
            _cancel: &CancelToken,
        ) -> Result<(), Failure> {
            Err(Gone.into())
        }
    }

    #[test]
    fn a_service_that_nobody_asks_beats_and_ends() {
        static BEATS: AtomicU32 = AtomicU32::new(0);
        fn beat() {
            BEATS.fetch_add(1, Ordering::SeqCst);
        }
        let folder = crate::store::testing::TempFolder::new("idle");
        let listener = bind(&folder.0.join("s.sock"), false).expect("bound");
        let mut options = ServeOptions::for_uid(nix::unistd::geteuid().as_raw());
        options.beat = Some((Duration::from_millis(5), beat));
        options.idle_exit = Some(Duration::from_millis(60));
        let since = Instant::now();
        Server::new(Nobody, options).run(&listener).expect("ended");
        assert!(since.elapsed() >= Duration::from_millis(60));
        assert!(BEATS.load(Ordering::SeqCst) >= 2);
    }

    #[test]
    fn a_shortage_passes_and_a_broken_listener_does_not() {
        for number in [12, 23, 24, 105] {
            assert!(passes(&io::Error::from_raw_os_error(number)), "{number}");
        }
        assert!(passes(&io::ErrorKind::ConnectionAborted.into()));
        for number in [9, 22, 88] {
            assert!(!passes(&io::Error::from_raw_os_error(number)), "{number}");
        }
    }
}
