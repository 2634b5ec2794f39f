//! The daemon's end of a service connection.

use std::io::ErrorKind;
use std::net::Shutdown;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};

use super::frame::{EVENT_CAP, FrameError, REQUEST_CAP, read_frame, write_frame};
use super::message::{Failure, FailureCode, ServiceEvent, ServiceRequest};

/// Longest wait for a service to take in a part of a request: one that reads at all takes far less.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

/// Why a call could not be placed; nothing has run.
#[derive(Debug)]
pub enum CallError {
    /// No service listens there.
    Unreachable(PathBuf, std::io::Error),
    /// The process behind the socket runs as another user than expected.
    WrongUser {
        /// User id of the process that answers.
        found: u32,
        /// User id that was expected.
        expected: u32,
    },
    /// The service does not read.
    Stalled(PathBuf, Duration),
    /// The request could not be written.
    Frame(FrameError),
}

impl std::fmt::Display for CallError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unreachable(path, error) => {
                write!(f, "no service answers at {}: {error}", path.display())
            }
            Self::WrongUser { found, expected } => {
                write!(
                    f,
                    "the process behind the service socket runs as user {found}, not {expected}"
                )
            }
            Self::Stalled(path, limit) => {
                let (path, seconds) = (path.display(), limit.as_secs_f32());
                write!(
                    f,
                    "the service at {path} took nothing in for {seconds} s; restart it"
                )
            }
            Self::Frame(error) => write!(f, "the request could not be sent: {error}"),
        }
    }
}

impl std::error::Error for CallError {}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        let code = match error {
            CallError::Frame(FrameError::TooLong { .. }) => FailureCode::TooLarge,
            _ => FailureCode::ServiceUnreachable,
        };
        Failure::new(code, "", error.to_string())
    }
}

/// Where a service is and who must be behind it.
#[derive(Clone, Debug)]
pub struct ServiceClient {
    path: PathBuf,
    uid: u32,
    others: Vec<u32>,
    write_timeout: Duration,
}

impl ServiceClient {
    /// A client of the service at `path`, which must run as user `uid`.
    pub fn new(path: impl AsRef<Path>, uid: u32) -> Self {
        Self {
            path: path.as_ref().to_owned(),
            uid,
            others: Vec::new(),
            write_timeout: WRITE_TIMEOUT,
        }
    }

    /// The same client of a service that may run as user `uid` as well. A socket that systemd has made is user 0's.
    #[must_use]
    pub fn or_user(mut self, uid: u32) -> Self {
        self.others.push(uid);
        self
    }

    /// The same client with another patience while it writes a request.
    #[must_use]
    pub fn with_write_timeout(self, write_timeout: Duration) -> Self {
        Self {
            write_timeout,
            ..self
        }
    }

    /// A client of the service at `path`, which must run as this process' own user.
    pub fn same_user(path: impl AsRef<Path>) -> Self {
        Self::new(path, nix::unistd::geteuid().as_raw())
    }

    /// Connects, checks who is there, sends `request` and gives the stream of its events.
    ///
    /// # Errors
    /// [`CallError`]; in each case nothing has run.
    pub fn call(&self, request: &ServiceRequest) -> Result<EventStream, CallError> {
        let stream = UnixStream::connect(&self.path)
            .map_err(|error| CallError::Unreachable(self.path.clone(), error))?;
        let found = getsockopt(&stream, PeerCredentials)
            .map_err(|error| CallError::Unreachable(self.path.clone(), error.into()))?
            .uid();
        if found != self.uid && !self.others.contains(&found) {
            return Err(CallError::WrongUser {
                found,
                expected: self.uid,
            });
        }
        stream
            .set_write_timeout(Some(self.write_timeout))
            .map_err(|error| CallError::Unreachable(self.path.clone(), error))?;
        write_frame(&mut &stream, request, REQUEST_CAP).map_err(|error| match error {
            FrameError::Io(error) if error.kind() == ErrorKind::WouldBlock => {
                CallError::Stalled(self.path.clone(), self.write_timeout)
            }
            error => CallError::Frame(error),
        })?;
        Ok(EventStream {
            stream: Arc::new(stream),
            ended: false,
        })
    }
}

/// Stops a call from another thread.
#[derive(Clone, Debug)]
pub struct CancelHandle(Arc<UnixStream>);

impl CancelHandle {
    /// Cancels the call: the service drops its upstream work, the [`EventStream`] ends with
    /// [`FailureCode::ServiceGone`] unless its end had arrived already.
    pub fn cancel(&self) {
        // An error means that the connection is gone already: just what was wanted.
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

/// The events of one call, blocking. Ends after `Done` or `Failed`; a lost connection is itself told as `Failed`.
/// Dropping it cancels the call.
#[derive(Debug)]
pub struct EventStream {
    stream: Arc<UnixStream>,
    ended: bool,
}

impl EventStream {
    /// A handle that cancels this call from elsewhere.
    pub fn cancel_handle(&self) -> CancelHandle {
        CancelHandle(Arc::clone(&self.stream))
    }

    /// Longest silence of the service that is waited for; `None` (the start) waits for ever, as services have limits of
    /// their own.
    ///
    /// # Errors
    /// From the socket.
    pub fn set_idle_timeout(&self, limit: Option<Duration>) -> std::io::Result<()> {
        self.stream.set_read_timeout(limit)
    }
}

impl Iterator for EventStream {
    type Item = ServiceEvent;

    fn next(&mut self) -> Option<ServiceEvent> {
        if self.ended {
            return None;
        }
        let event = read_frame(&mut &*self.stream, EVENT_CAP).unwrap_or_else(|error| {
            ServiceEvent::Failed(Failure::new(
                FailureCode::ServiceGone,
                "",
                format!("the service process ended in the middle of the request: {error}"),
            ))
        });
        self.ended = matches!(event, ServiceEvent::Done(_) | ServiceEvent::Failed(_));
        Some(event)
    }
}

/// The socket, for a caller that polls; readable means that an event begins, not that it is complete.
impl AsFd for EventStream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

impl Drop for EventStream {
    fn drop(&mut self) {
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}
