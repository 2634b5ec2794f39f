//! The daemon's end: accept, check the caller, answer line by line.

use super::message::{ErrorKind, MAX_LINE_LEN, Notification, Response, RpcError};
use super::peer::{self, Allowed};
use super::rpc::{self, Answer};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use serde_json::Value;
use std::fmt;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

/// Most callers at a time.
const MAX_CALLERS: usize = 64;
/// Longest time that a caller may take to read an answer.
const WRITE_TIMEOUT: Duration = Duration::from_secs(5);
/// How often a watcher that hears nothing is checked for being there.
const WATCH_CHECK: Duration = Duration::from_secs(1);

/// What a method answers.
#[derive(Debug)]
pub enum Reply {
    /// One value.
    Value(Value),
    /// An empty value, then events until either side goes away. The connection is for nothing else from then on.
    Events(Receiver<Value>),
    /// An empty value, then what the method says, from the thread of this connection, until it is done. The connection is
    /// for nothing else from then on.
    Talk(Talk),
}

/// What a method says by and by.
pub struct Talk(Box<dyn FnOnce(&Line<'_>) + Send>);

impl Talk {
    /// Says what `talk` says.
    pub fn new(talk: impl FnOnce(&Line<'_>) + Send + 'static) -> Self {
        Self(Box::new(talk))
    }
}

impl fmt::Debug for Talk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Talk")
    }
}

/// The connection of a method that talks.
pub struct Line<'s>(&'s UnixStream);

impl Line<'_> {
    /// Says one event.
    ///
    /// # Errors
    /// The caller has left, or does not read.
    pub fn say(&self, params: Value) -> io::Result<()> {
        write(self.0, &notification(params))
    }

    /// Waits until something lies in `wake`, which is emptied, or the caller leaves. Returns whether the caller is there.
    ///
    /// # Errors
    /// What the kernel said; the caller counts as gone.
    pub fn wait(&self, wake: &UnixStream) -> io::Result<bool> {
        let mut both = [
            // A caller that has closed its end shows without being asked for.
            PollFd::new(self.0.as_fd(), PollFlags::empty()),
            PollFd::new(wake.as_fd(), PollFlags::POLLIN),
        ];
        while let Err(errno) = poll(&mut both, PollTimeout::NONE) {
            if errno != Errno::EINTR {
                return Err(errno.into());
            }
        }
        if both[0].any().unwrap_or(true) {
            return Ok(false);
        }
        let mut bytes = [0; 64];
        // Never more than a few: whoever wakes does not wait for room.
        let _ = (&mut &*wake).read(&mut bytes)?;
        Ok(true)
    }
}

/// Carries methods out.
pub trait Handler: Send + Sync + 'static {
    /// Answers `method` for the user `uid`.
    ///
    /// # Errors
    /// An [`RpcError`] for the caller.
    fn call(&self, uid: u32, method: &str, params: Value) -> Result<Reply, RpcError>;
}

/// Answers those callers of `listener` who are `allowed`, one thread each, until the listener fails.
///
/// # Errors
/// What the listener said.
pub fn serve<H: Handler>(
    listener: &UnixListener,
    handler: &Arc<H>,
    allowed: &Allowed,
) -> io::Result<()> {
    let callers = Arc::new(AtomicUsize::new(0));
    loop {
        let stream = crate::ipc::accept(listener)?;
        let uid = match peer::check(&stream, allowed) {
            Ok(uid) => uid,
            Err(error) => {
                log::warn!("control socket: {error}");
                continue;
            }
        };
        if callers.fetch_add(1, Ordering::SeqCst) >= MAX_CALLERS {
            callers.fetch_sub(1, Ordering::SeqCst);
            log::warn!("control socket: more than {MAX_CALLERS} callers; one was turned away");
            continue;
        }
        let (handler, counted) = (Arc::clone(handler), Arc::clone(&callers));
        let spawned = std::thread::Builder::new()
            .name("control".into())
            .spawn(move || {
                if let Err(error) = converse(&stream, handler.as_ref(), uid) {
                    log::debug!("control socket: {error}");
                }
                counted.fetch_sub(1, Ordering::SeqCst);
            });
        if let Err(error) = spawned {
            callers.fetch_sub(1, Ordering::SeqCst);
            log::error!("control socket: no thread for a caller: {error}");
        }
    }
}

fn converse(stream: &UnixStream, handler: &impl Handler, uid: u32) -> io::Result<()> {
    stream.set_write_timeout(Some(WRITE_TIMEOUT))?;
    let mut reader = BufReader::new(stream);
    let mut line = Vec::new();
    loop {
        line.clear();
        reader
            .by_ref()
            .take(MAX_LINE_LEN as u64 + 1)
            .read_until(b'\n', &mut line)?;
        if line.is_empty() {
            return Ok(());
        }
        if line.last() != Some(&b'\n') {
            let words = format!("a line is longer than {MAX_LINE_LEN} bytes, or ends too early");
            return write(
                stream,
                &Response::new(Value::Null, Err(RpcError::new(ErrorKind::Request, words))),
            );
        }
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        match rpc::answer(&line, |method, params| handler.call(uid, method, params)) {
            Answer::Nothing => {}
            Answer::Value(value) => write(stream, &value)?,
            Answer::Events(value, events) => {
                write(stream, &value)?;
                return watch(stream, &events);
            }
            Answer::Talk(value, Talk(talk)) => {
                write(stream, &value)?;
                talk(&Line(stream));
                return Ok(());
            }
        }
    }
}

fn watch(stream: &UnixStream, events: &Receiver<Value>) -> io::Result<()> {
    loop {
        match events.recv_timeout(WATCH_CHECK) {
            Ok(params) => write(stream, &notification(params))?,
            Err(RecvTimeoutError::Timeout) if has_left(stream)? => return Ok(()),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        }
    }
}

fn notification(params: Value) -> Notification {
    Notification {
        jsonrpc: "2.0".into(),
        method: "event".into(),
        params,
    }
}

/// Whether the caller has closed its end. What it says meanwhile is not taken: a watcher only listens.
fn has_left(stream: &UnixStream) -> io::Result<bool> {
    use nix::sys::socket::{MsgFlags, recv};
    use std::os::fd::AsRawFd;
    let look = MsgFlags::MSG_PEEK | MsgFlags::MSG_DONTWAIT;
    match recv(stream.as_raw_fd(), &mut [0], look) {
        Ok(len) => Ok(len == 0),
        Err(Errno::EAGAIN | Errno::EINTR) => Ok(false),
        Err(errno) => Err(errno.into()),
    }
}

fn write(mut stream: &UnixStream, message: &impl serde::Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    stream.write_all(&line)
}

#[cfg(test)]
mod tests {
    use super::super::{Client, ClientError};
    use super::*;
    use crate::store::testing::TempFolder;
    use serde_json::json;
    use std::path::PathBuf;
    use std::sync::mpsc::sync_channel;

    struct Echo;

    impl Handler for Echo {
        fn call(&self, _: u32, method: &str, params: Value) -> Result<Reply, RpcError> {
            match method {
                "echo" => Ok(Reply::Value(params)),
                "watch" => {
                    let (sender, receiver) = sync_channel(8);
                    for number in 0..3 {
                        sender.send(json!({ "number": number })).expect("room");
                    }
                    Ok(Reply::Events(receiver))
                }
                _ => Err(RpcError::new(ErrorKind::Method, format!("no {method}"))),
            }
        }
    }

    fn start(name: &str, allowed: &[u32]) -> (TempFolder, PathBuf) {
        let temp = TempFolder::new(name);
        let path = temp.0.join("control.sock");
        let listener = crate::ipc::bind(&path, false).expect("bound");
        let allowed = Allowed::users(allowed);
        std::thread::spawn(move || serve(&listener, &Arc::new(Echo), &allowed));
        (temp, path)
    }

    fn own() -> u32 {
        nix::unistd::geteuid().as_raw()
    }

    fn raw(path: &PathBuf, bytes: &[u8]) -> String {
        let mut stream = UnixStream::connect(path).expect("connected");
        stream.write_all(bytes).expect("written");
        stream.shutdown(std::net::Shutdown::Write).expect("shut");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("read");
        answer
    }

    #[test]
    fn a_method_is_answered_and_an_unknown_one_refused_by_name() {
        let (_temp, path) = start("rpc", &[own()]);
        let mut client = Client::connect(&path).expect("connected");
        assert_eq!(
            client.call("echo", json!({ "a": 1 })).expect("answered"),
            json!({ "a": 1 })
        );
        match client.call("sing", Value::Null) {
            Err(ClientError::Refused(error)) => {
                assert_eq!(
                    (error.kind(), error.message.as_str()),
                    (ErrorKind::Method, "no sing")
                );
            }
            other => panic!("expected a refusal, got {other:?}"),
        }
        assert_eq!(
            client.call("echo", json!([2])).expect("still there"),
            json!([2])
        );
    }

    #[test]
    fn a_stranger_is_turned_away_before_a_byte_is_read() {
        let (_temp, path) = start("stranger", &[own() + 1]);
        let mut client = Client::connect(&path).expect("connected");
        assert!(matches!(
            client.call("echo", Value::Null),
            Err(ClientError::Ended)
        ));
    }

    #[test]
    fn events_follow_a_watch() {
        let (_temp, path) = start("watch", &[own()]);
        let mut seen = Vec::new();
        Client::connect(&path)
            .expect("connected")
            .watch(|event| {
                seen.push(event["number"].as_u64().expect("a number"));
                true
            })
            .expect("watched");
        assert_eq!(seen, [0, 1, 2]);
    }

    #[test]
    fn damaged_lines_get_numbered_errors_and_the_connection_lives() {
        let (_temp, path) = start("damaged", &[own()]);
        let answer = raw(&path, b"{nonsense\n[]\n{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"echo\"}\n\n\
            {\"jsonrpc\":\"2.0\",\"method\":\"echo\"}\n{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"echo\",\"params\":3}\n");
        let codes: Vec<i64> = answer
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).expect("JSON"))
            .map(|value| value["error"]["code"].as_i64().unwrap_or(0))
            .collect();
        assert_eq!(codes, [-32700, -32600, -32600, 0]);
        assert!(
            answer.ends_with("{\"id\":7,\"jsonrpc\":\"2.0\",\"result\":3}\n"),
            "{answer}"
        );
    }

    #[test]
    fn a_batch_is_answered_in_one_line() {
        let (_temp, path) = start("batch", &[own()]);
        let answer = raw(
            &path,
            b"[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\",\"params\":[1]},\
               {\"jsonrpc\":\"2.0\",\"method\":\"echo\"}]\n",
        );
        assert_eq!(answer, "[{\"id\":1,\"jsonrpc\":\"2.0\",\"result\":[1]}]\n");
    }

    #[test]
    fn an_endless_line_is_cut_off() {
        let (_temp, path) = start("endless", &[own()]);
        let answer = raw(&path, &vec![b'x'; MAX_LINE_LEN + 1]);
        assert!(answer.contains("-32600"), "{answer}");
    }
}
