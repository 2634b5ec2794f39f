//! The session bus, as far as notifications need it.
//!
//! Source: D-Bus Specification 0.43, "Authentication Protocol" and "Server Addresses"; Desktop Notifications
//! Specification 1.2.

use super::core::{Input, Note};
use super::wire::{Call, Kind, Message, PREFIX_LEN, Value, decode, whole_len};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixStream};
use std::time::Duration;

/// Longest wait for an answer of the bus or of the server.
const PATIENCE: Duration = Duration::from_secs(20);
/// Longest line of the authentication, in octets.
const MAX_LINE_LEN: u64 = 4096;

/// The server of notifications.
const SERVER: &str = "org.freedesktop.Notifications";
/// Its object.
const OBJECT: &str = "/org/freedesktop/Notifications";
/// The bus itself.
const BUS: &str = "org.freedesktop.DBus";

/// What came: an answer to call `reply_to`, or something for the agent.
pub(super) enum News {
    /// A notification has this number.
    Number(u32, u32),
    /// The call failed, in these words.
    Failed(u32, String),
    /// For the agent.
    Input(Input),
    /// Nothing that matters here.
    Nothing,
}

/// The writing end.
pub(super) struct Bus {
    stream: UnixStream,
    serial: u32,
}

/// The reading end, for a thread of its own.
pub(super) struct Ear(BufReader<UnixStream>);

impl Bus {
    /// Connects, and asks who serves notifications; whether its texts are markup.
    ///
    /// # Errors
    /// No bus, or no server; the next try may find them.
    pub(super) fn connect() -> io::Result<(Self, Ear, bool)> {
        let stream = dial(&address()?)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let mut ear = Ear(BufReader::new(stream.try_clone()?));
        let mut bus = Self { stream, serial: 0 };
        bus.authenticate(&mut ear)?;
        bus.ask(&mut ear, BUS, "/org/freedesktop/DBus", BUS, "Hello", &[])?;
        let signals = format!("type='signal',interface='{SERVER}',path='{OBJECT}'");
        // A server that ends takes its notifications along, and its name.
        let owner =
            format!("type='signal',interface='{BUS}',member='NameOwnerChanged',arg0='{SERVER}'");
        for rule in [signals, owner] {
            let body = [Value::Text(rule)];
            bus.ask(
                &mut ear,
                BUS,
                "/org/freedesktop/DBus",
                BUS,
                "AddMatch",
                &body,
            )?;
        }
        let able = bus.ask(&mut ear, SERVER, OBJECT, SERVER, "GetCapabilities", &[])?;
        let markup = matches!(able.first(), Some(Value::Texts(all)) if all.iter().any(|one| one == "body-markup"));
        // From here on the ear waits as long as nothing comes.
        bus.stream.set_read_timeout(None)?;
        Ok((bus, ear, markup))
    }

    /// One that ends the ear of this connection.
    pub(super) fn close(&self) {
        let _ = self.stream.shutdown(std::net::Shutdown::Both);
    }

    fn authenticate(&mut self, ear: &mut Ear) -> io::Result<()> {
        let uid = nix::unistd::geteuid().as_raw().to_string();
        let hex: String = uid.bytes().map(|octet| format!("{octet:02x}")).collect();
        self.stream
            .write_all(format!("\0AUTH EXTERNAL {hex}\r\n").as_bytes())?;
        let mut line = String::new();
        (&mut ear.0).take(MAX_LINE_LEN).read_line(&mut line)?;
        if !line.starts_with("OK ") {
            return Err(io::Error::other("the session bus does not know this user"));
        }
        self.stream.write_all(b"BEGIN\r\n")
    }

    fn call(&mut self, call: &Call<'_>) -> io::Result<u32> {
        self.serial = self.serial.checked_add(1).unwrap_or(1);
        self.stream.write_all(&call.encode(self.serial))?;
        Ok(self.serial)
    }

    /// Calls and waits; only before the ear is somebody else's.
    fn ask(
        &mut self,
        ear: &mut Ear,
        destination: &str,
        path: &str,
        interface: &str,
        member: &str,
        body: &[Value],
    ) -> io::Result<Vec<Value>> {
        let serial = self.call(&Call {
            destination,
            path,
            interface,
            member,
            body,
        })?;
        loop {
            let message = ear.message()?;
            match message.kind {
                Kind::Return if message.reply_to == Some(serial) => return Ok(message.body),
                Kind::Error if message.reply_to == Some(serial) => {
                    return Err(io::Error::other(words(&message)));
                }
                _ => {}
            }
        }
    }

    /// Has a notification shown; the number of the call.
    pub(super) fn show(&mut self, note: &Note) -> io::Result<u32> {
        let actions = note.actions.iter();
        let actions = actions.flat_map(|(key, label)| [(*key).to_owned(), (*label).to_owned()]);
        let lasts = i32::try_from(note.lasts_ms).unwrap_or(0);
        let body = [
            Value::Text("OfficeOS".to_owned()),
            Value::U32(0),
            Value::Text("dialog-question".to_owned()),
            Value::Text(note.summary.clone()),
            Value::Text(note.body.clone()),
            Value::Texts(actions.collect()),
            // Critical: it stays until somebody answers or the time is up.
            Value::Hints(vec![("urgency", 2)]),
            Value::I32(lasts),
        ];
        self.server("Notify", &body)
    }

    /// Has a notification taken back.
    pub(super) fn take_back(&mut self, number: u32) -> io::Result<u32> {
        self.server("CloseNotification", &[Value::U32(number)])
    }

    fn server(&mut self, member: &str, body: &[Value]) -> io::Result<u32> {
        self.call(&Call {
            destination: SERVER,
            path: OBJECT,
            interface: SERVER,
            member,
            body,
        })
    }
}

impl Ear {
    fn message(&mut self) -> io::Result<Message> {
        let odd = || {
            io::Error::new(
                io::ErrorKind::InvalidData,
                "the session bus sent no message",
            )
        };
        let mut prefix = [0; PREFIX_LEN];
        self.0.read_exact(&mut prefix)?;
        let len = whole_len(&prefix).ok_or_else(odd)?;
        let mut octets = vec![0; len];
        octets[..PREFIX_LEN].copy_from_slice(&prefix);
        self.0.read_exact(&mut octets[PREFIX_LEN..])?;
        decode(&octets).ok_or_else(odd)
    }

    /// Waits for what comes next.
    ///
    /// # Errors
    /// The bus has gone, or its server of notifications.
    pub(super) fn news(&mut self) -> io::Result<News> {
        let message = self.message()?;
        let reply = message.reply_to;
        Ok(match (message.kind, message.member.as_str()) {
            (Kind::Return, _) => match (reply, message.body.first()) {
                (Some(call), Some(Value::U32(number))) => News::Number(call, *number),
                _ => News::Nothing,
            },
            (Kind::Error, _) => News::Failed(reply.unwrap_or(0), words(&message)),
            (Kind::Signal, "NameOwnerChanged") => {
                return Err(io::Error::other("the server of notifications has gone"));
            }
            (Kind::Signal, "ActionInvoked") => match message.body.as_slice() {
                [Value::U32(number), Value::Text(action)] => News::Input(Input::Pressed {
                    number: *number,
                    action: action.clone(),
                }),
                _ => News::Nothing,
            },
            (Kind::Signal, "NotificationClosed") => match message.body.first() {
                Some(Value::U32(number)) => News::Input(Input::Closed { number: *number }),
                _ => News::Nothing,
            },
            _ => News::Nothing,
        })
    }
}

fn words(message: &Message) -> String {
    match message.body.first() {
        Some(Value::Text(words)) => crate::sanitize::visible(words),
        _ => "it was refused".to_owned(),
    }
}

/// Where the session bus is.
fn address() -> io::Result<String> {
    let named = std::env::var("DBUS_SESSION_BUS_ADDRESS");
    if let Some(named) = named.ok().filter(|value| !value.is_empty()) {
        return Ok(named);
    }
    match std::env::var("XDG_RUNTIME_DIR") {
        Ok(folder) => Ok(format!("unix:path={folder}/bus")),
        Err(_) => Err(io::Error::new(
            io::ErrorKind::NotFound,
            "no session bus: neither DBUS_SESSION_BUS_ADDRESS nor XDG_RUNTIME_DIR is set",
        )),
    }
}

/// Connects to the first address of a list that is a socket of this machine.
fn dial(addresses: &str) -> io::Result<UnixStream> {
    for one in addresses.split(';') {
        let pairs = one.strip_prefix("unix:").unwrap_or_default().split(',');
        for (key, value) in pairs.filter_map(|pair| pair.split_once('=')) {
            match key {
                "path" => return UnixStream::connect(unescaped(value)?),
                "abstract" => {
                    let address = SocketAddr::from_abstract_name(unescaped(value)?)?;
                    return UnixStream::connect_addr(&address);
                }
                _ => {}
            }
        }
    }
    Err(io::Error::new(
        io::ErrorKind::Unsupported,
        "the session bus has no address that is a socket of this machine",
    ))
}

/// A value of an address: `%` and two digits are an octet.
fn unescaped(value: &str) -> io::Result<String> {
    let odd = || {
        io::Error::new(
            io::ErrorKind::InvalidInput,
            "an odd address of the session bus",
        )
    };
    let mut octets = Vec::new();
    let mut rest = value.bytes();
    while let Some(octet) = rest.next() {
        if octet != b'%' {
            octets.push(octet);
            continue;
        }
        let digits = [rest.next().ok_or_else(odd)?, rest.next().ok_or_else(odd)?];
        let digits = std::str::from_utf8(&digits).map_err(|_| odd())?;
        octets.push(u8::from_str_radix(digits, 16).map_err(|_| odd())?);
    }
    String::from_utf8(octets).map_err(|_| odd())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_the_specification_says() {
        assert_eq!(unescaped("/tmp/a%20b").expect("fine"), "/tmp/a b");
        assert!(unescaped("/tmp/a%2").is_err() && unescaped("%zz").is_err());
        let error = dial("tcp:host=localhost,port=1").expect_err("refused");
        assert_eq!(error.kind(), io::ErrorKind::Unsupported);
    }
}
