//! The caller's end.

use super::message::{MAX_ANSWER_LEN, Notification, Response, RpcError};
use super::peer::GROUP;
use serde_json::{Value, json};
use std::fmt;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A connection to the daemon.
#[derive(Debug)]
pub struct Client {
    reader: BufReader<UnixStream>,
    next_id: u64,
}

/// Why a call was not answered.
#[derive(Debug)]
pub enum ClientError {
    /// No daemon listens there.
    Unreachable(PathBuf, io::Error),
    /// The daemon ended the connection: it stopped, or does not take calls from this user.
    Ended,
    /// The daemon has the connection and says nothing.
    Silent,
    /// The daemon said no.
    Refused(RpcError),
    /// What came is no answer.
    Malformed(String),
    /// The connection failed.
    Io(io::Error),
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(path, error) if error.kind() == io::ErrorKind::PermissionDenied => write!(
                f,
                "you may not talk to the laptop-daemon at {}: it answers root and members of the group {GROUP}; \
                 join with sudo adduser $USER {GROUP}, then log in again",
                path.display()
            ),
            Self::Unreachable(path, error) => {
                write!(f, "no laptop-daemon answers at {}: {error}; start it, or name its folder with --home", path.display())
            }
            Self::Ended => f.write_str(
                "laptop-daemon ended the connection: it has stopped, or it belongs to another user than you",
            ),
            Self::Silent => f.write_str(
                "laptop-daemon does not answer: it is starting, or waits for room on its disk; its log says which",
            ),
            Self::Refused(error) => write!(f, "{error}"),
            Self::Malformed(what) => write!(f, "laptop-daemon answered something else than was asked: {what}"),
            Self::Io(error) => write!(f, "the connection to laptop-daemon failed: {error}"),
        }
    }
}

impl std::error::Error for ClientError {}

impl From<io::Error> for ClientError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => Self::Ended,
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Self::Silent,
            _ => Self::Io(error),
        }
    }
}

impl Client {
    /// Connects to the control socket at `path`.
    ///
    /// # Errors
    /// [`ClientError::Unreachable`].
    pub fn connect(path: &Path) -> Result<Self, ClientError> {
        let stream = UnixStream::connect(path)
            .map_err(|error| ClientError::Unreachable(path.to_owned(), error))?;
        Ok(Self {
            reader: BufReader::new(stream),
            next_id: 1,
        })
    }

    /// As [`Client::call`], for what is answered at once by a daemon that serves.
    ///
    /// # Errors
    /// [`ClientError::Silent`] after `patience`; the connection is of no further use then.
    pub fn call_within(
        &mut self,
        patience: Duration,
        method: &str,
        params: Value,
    ) -> Result<Value, ClientError> {
        self.reader.get_ref().set_read_timeout(Some(patience))?;
        let answer = self.call(method, params);
        self.reader.get_ref().set_read_timeout(None)?;
        answer
    }

    /// Calls `method` and waits for its answer.
    ///
    /// # Errors
    /// A [`ClientError`].
    pub fn call(&mut self, method: &str, params: Value) -> Result<Value, ClientError> {
        let id = self.next_id;
        self.next_id += 1;
        let mut line = serde_json::to_vec(
            &json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }),
        )
        .map_err(io::Error::from)?;
        line.push(b'\n');
        self.reader.get_mut().write_all(&line)?;
        let answer = self.line()?.ok_or(ClientError::Ended)?;
        let response: Response = serde_json::from_slice(&answer)
            .map_err(|error| ClientError::Malformed(error.to_string()))?;
        match (response.result, response.error) {
            (_, Some(error)) => Err(ClientError::Refused(error)),
            (Some(value), None) if response.id == json!(id) => Ok(value),
            (None, None) if response.id == json!(id) => Ok(Value::Null),
            _ => Err(ClientError::Malformed("an answer to another call".into())),
        }
    }

    /// Hands every event to `visit` until it returns false or the daemon ends.
    ///
    /// # Errors
    /// A [`ClientError`]. The end of the daemon is no error.
    pub fn watch(self, visit: impl FnMut(&Value) -> bool) -> Result<(), ClientError> {
        self.follow("watch", Value::Null, visit)
    }

    /// Same, and calls `begun` once the watch stands: what it asks for then, over another connection, together with the
    /// events leaves nothing out.
    ///
    /// # Errors
    /// A [`ClientError`]. The end of the daemon is no error.
    pub fn watch_from(
        mut self,
        begun: impl FnOnce(),
        visit: impl FnMut(&Value) -> bool,
    ) -> Result<(), ClientError> {
        self.call("watch", Value::Null)?;
        begun();
        self.events(visit)
    }

    /// Calls `method`, which answers by events, and hands every event to `visit` until it returns false or the daemon ends
    /// them.
    ///
    /// # Errors
    /// A [`ClientError`].
    pub fn follow(
        mut self,
        method: &str,
        params: Value,
        visit: impl FnMut(&Value) -> bool,
    ) -> Result<(), ClientError> {
        self.call(method, params)?;
        self.events(visit)
    }

    /// Hands every event of a call that was made before to `visit` until it returns false or the daemon ends them.
    ///
    /// # Errors
    /// A [`ClientError`]. The end of the daemon is no error.
    pub fn events(mut self, mut visit: impl FnMut(&Value) -> bool) -> Result<(), ClientError> {
        while let Some(line) = self.line()? {
            let event: Notification = serde_json::from_slice(&line)
                .map_err(|error| ClientError::Malformed(error.to_string()))?;
            if event.method == "event" && !visit(&event.params) {
                break;
            }
        }
        Ok(())
    }

    /// A second handle on the connection, for a thread that has to break a call off.
    ///
    /// # Errors
    /// No descriptor was left.
    pub fn handle(&self) -> io::Result<UnixStream> {
        self.reader.get_ref().try_clone()
    }

    fn line(&mut self) -> Result<Option<Vec<u8>>, ClientError> {
        let mut line = Vec::new();
        self.reader
            .by_ref()
            .take(MAX_ANSWER_LEN as u64 + 1)
            .read_until(b'\n', &mut line)?;
        match line.last() {
            None => Ok(None),
            Some(b'\n') => Ok(Some(line)),
            Some(_) => Err(ClientError::Malformed("a line without an end".into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::TempFolder;
    use std::os::unix::net::UnixListener;

    #[test]
    fn a_daemon_that_holds_the_socket_and_answers_nobody_is_waited_for_so_long_and_no_longer() {
        let folder = TempFolder::new("silent");
        let path = folder.0.join("control.sock");
        let _listener = UnixListener::bind(&path).expect("a socket");
        let mut client = Client::connect(&path).expect("connected");
        let answer = client.call_within(Duration::from_millis(1), "methods", Value::Null);
        assert!(matches!(answer, Err(ClientError::Silent)));
    }
}
