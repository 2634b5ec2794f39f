//! D-Bus messages as octets: as much of the protocol as notifications need. Pure.
//!
//! Source: D-Bus Specification 0.43, "Type System", "Message Protocol".

/// Longest message that is taken, in octets: what comes here has a few words in it.
pub(super) const MAX_MESSAGE_LEN: usize = 1 << 20;
/// Octets of a header's fixed part.
pub(super) const PREFIX_LEN: usize = 16;

/// What kind of message it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Call,
    Return,
    Error,
    Signal,
}

/// One argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    U32(u32),
    I32(i32),
    Text(String),
    Texts(Vec<String>),
    /// The hints of a notification: one octet each.
    Hints(Vec<(&'static str, u8)>),
}

/// A message that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) kind: Kind,
    pub(super) serial: u32,
    pub(super) reply_to: Option<u32>,
    pub(super) interface: String,
    pub(super) member: String,
    pub(super) sender: String,
    /// The arguments, up to the first of a type that is not known here.
    pub(super) body: Vec<Value>,
}

/// A method to call.
pub(super) struct Call<'c> {
    pub(super) destination: &'c str,
    pub(super) path: &'c str,
    pub(super) interface: &'c str,
    pub(super) member: &'c str,
    pub(super) body: &'c [Value],
}

/// Octets so far; every value stands at a multiple of its size.
#[derive(Default)]
struct Writer(Vec<u8>);

impl Writer {
    fn align(&mut self, to: usize) {
        while !self.0.len().is_multiple_of(to) {
            self.0.push(0);
        }
    }

    fn u32(&mut self, number: u32) {
        self.align(4);
        self.0.extend(number.to_le_bytes());
    }

    fn text(&mut self, text: &str) {
        // A NUL would end it early for some readers.
        let text = text.replace('\0', "");
        self.u32(text.len() as u32);
        self.0.extend(text.as_bytes());
        self.0.push(0);
    }

    fn signature(&mut self, signature: &str) {
        self.0.push(signature.len() as u8);
        self.0.extend(signature.as_bytes());
        self.0.push(0);
    }

    /// An array of elements that stand at multiples of `align`; its length does not count the gap before the first.
    fn array(&mut self, align: usize, write: impl FnOnce(&mut Self)) {
        self.u32(0);
        let length_at = self.0.len() - 4;
        self.align(align);
        let start = self.0.len();
        write(self);
        let len = (self.0.len() - start) as u32;
        self.0[length_at..length_at + 4].copy_from_slice(&len.to_le_bytes());
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::U32(number) => self.u32(*number),
            Value::I32(number) => self.u32(*number as u32),
            Value::Text(text) => self.text(text),
            Value::Texts(texts) => self.array(4, |out| texts.iter().for_each(|one| out.text(one))),
            Value::Hints(hints) => self.array(8, |out| {
                for (name, octet) in hints {
                    out.align(8);
                    out.text(name);
                    out.signature("y");
                    out.0.push(*octet);
                }
            }),
        }
    }
}

fn signature(body: &[Value]) -> String {
    let types = body.iter().map(|value| match value {
        Value::U32(_) => "u",
        Value::I32(_) => "i",
        Value::Text(_) => "s",
        Value::Texts(_) => "as",
        Value::Hints(_) => "a{sv}",
    });
    types.collect()
}

impl Call<'_> {
    /// The call as octets, with number `serial`, which is never zero.
    pub(super) fn encode(&self, serial: u32) -> Vec<u8> {
        let mut body = Writer::default();
        self.body.iter().for_each(|value| body.value(value));
        let mut out = Writer::default();
        // Little-endian, a method call, no flags, version 1.
        out.0.extend([b'l', 1, 0, 1]);
        out.u32(body.0.len() as u32);
        out.u32(serial);
        out.array(8, |out| {
            let mut field = |code: u8, kind: &str, text: &str| {
                out.align(8);
                out.0.push(code);
                out.signature(kind);
                match kind {
                    "g" => out.signature(text),
                    _ => out.text(text),
                }
            };
            field(1, "o", self.path);
            field(2, "s", self.interface);
            field(3, "s", self.member);
            field(6, "s", self.destination);
            if !self.body.is_empty() {
                field(8, "g", &signature(self.body));
            }
        });
        out.align(8);
        out.0.extend(body.0);
        out.0
    }
}

/// Reads values; `None` once something does not fit.
struct Reader<'r> {
    octets: &'r [u8],
    at: usize,
    little: bool,
}

impl<'r> Reader<'r> {
    fn take(&mut self, len: usize) -> Option<&'r [u8]> {
        let taken = self.octets.get(self.at..self.at.checked_add(len)?)?;
        self.at += len;
        Some(taken)
    }

    fn align(&mut self, to: usize) -> Option<()> {
        self.at = self.at.checked_next_multiple_of(to)?;
        (self.at <= self.octets.len()).then_some(())
    }

    fn octet(&mut self) -> Option<u8> {
        Some(self.take(1)?[0])
    }

    fn u32(&mut self) -> Option<u32> {
        self.align(4)?;
        let four = self.take(4)?.try_into().ok()?;
        Some(match self.little {
            true => u32::from_le_bytes(four),
            false => u32::from_be_bytes(four),
        })
    }

    fn text(&mut self) -> Option<String> {
        let len = self.u32()? as usize;
        let text = std::str::from_utf8(self.take(len)?).ok()?.to_owned();
        self.octet()?;
        Some(text)
    }

    fn signature(&mut self) -> Option<&'r str> {
        let len = self.octet()? as usize;
        let text = std::str::from_utf8(self.take(len)?).ok()?;
        self.octet()?;
        Some(text)
    }
}

/// How long the whole message is that begins with these [`PREFIX_LEN`] octets; `None` where they begin none, or one that
/// is longer than [`MAX_MESSAGE_LEN`].
pub(super) fn whole_len(prefix: &[u8; PREFIX_LEN]) -> Option<usize> {
    let mut reader = Reader {
        octets: prefix,
        at: 4,
        little: is_little(prefix[0])?,
    };
    let (body, _, fields) = (reader.u32()?, reader.u32()?, reader.u32()?);
    let head = (PREFIX_LEN + fields as usize).checked_next_multiple_of(8)?;
    let len = head.checked_add(body as usize)?;
    (len <= MAX_MESSAGE_LEN).then_some(len)
}

fn is_little(mark: u8) -> Option<bool> {
    match mark {
        b'l' => Some(true),
        b'B' => Some(false),
        _ => None,
    }
}

/// Reads a whole message; `None` where it is none.
pub(super) fn decode(octets: &[u8]) -> Option<Message> {
    let mut reader = Reader {
        octets,
        at: 1,
        little: is_little(*octets.first()?)?,
    };
    let kind = match reader.octet()? {
        1 => Kind::Call,
        2 => Kind::Return,
        3 => Kind::Error,
        4 => Kind::Signal,
        _ => return None,
    };
    reader.at = 8;
    let serial = reader.u32()?;
    let fields = reader.u32()? as usize;
    let end = reader.at.checked_add(fields)?;
    let mut message = Message {
        kind,
        serial,
        reply_to: None,
        interface: String::new(),
        member: String::new(),
        sender: String::new(),
        body: Vec::new(),
    };
    let mut types = "";
    while reader.at < end {
        reader.align(8)?;
        let code = reader.octet()?;
        match (code, reader.signature()?) {
            (2, "s") => message.interface = reader.text()?,
            (3, "s") => message.member = reader.text()?,
            (7, "s") => message.sender = reader.text()?,
            (8, "g") => types = reader.signature()?,
            (5, "u") => message.reply_to = Some(reader.u32()?),
            (_, "s" | "o") => drop(reader.text()?),
            (_, "g") => drop(reader.signature()?),
            (_, "u") => drop(reader.u32()?),
            _ => return None,
        }
    }
    reader.align(8)?;
    // The body counts its own octets.
    let mut reader = Reader {
        octets: octets.get(reader.at..)?,
        at: 0,
        little: reader.little,
    };
    while !types.is_empty() {
        let (value, rest) = match types {
            _ if types.starts_with("as") => {
                let len = reader.u32()? as usize;
                let end = reader.at.checked_add(len)?;
                let mut texts = Vec::new();
                while reader.at < end {
                    texts.push(reader.text()?);
                }
                (Value::Texts(texts), &types[2..])
            }
            _ if types.starts_with(['s', 'o']) => (Value::Text(reader.text()?), &types[1..]),
            _ if types.starts_with('u') => (Value::U32(reader.u32()?), &types[1..]),
            _ if types.starts_with('i') => (Value::I32(reader.u32()? as i32), &types[1..]),
            _ => break,
        };
        message.body.push(value);
        types = rest;
    }
    Some(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `dbus-send --print-reply` of a signal, as `dbus-monitor --binary` shows it: ActionInvoked(7, "once").
    fn signal() -> Vec<u8> {
        let mut out = Writer::default();
        out.0.extend([b'l', 4, 1, 1]);
        out.u32(13);
        out.u32(3);
        out.array(8, |out| {
            for (code, kind, text) in [
                (1, "o", "/org/freedesktop/Notifications"),
                (2, "s", "org.freedesktop.Notifications"),
                (3, "s", "ActionInvoked"),
                (7, "s", ":1.5"),
                (8, "g", "us"),
            ] {
                out.align(8);
                out.0.push(code);
                out.signature(kind);
                match kind {
                    "g" => out.signature(text),
                    _ => out.text(text),
                }
            }
        });
        out.align(8);
        out.0.extend([7, 0, 0, 0, 4, 0, 0, 0]);
        out.0.extend(b"once\0");
        out.0
    }

    #[test]
    fn a_signal_is_read() {
        let octets = signal();
        let prefix: [u8; PREFIX_LEN] = octets[..PREFIX_LEN].try_into().expect("a prefix");
        assert_eq!(whole_len(&prefix), Some(octets.len()));
        let message = decode(&octets).expect("a message");
        assert_eq!(message.kind, Kind::Signal);
        assert_eq!(message.member, "ActionInvoked");
        assert_eq!(message.sender, ":1.5");
        assert_eq!(
            message.body,
            [Value::U32(7), Value::Text("once".to_owned())]
        );
    }

    #[test]
    fn hello_is_the_specification_s() {
        let hello = Call {
            destination: "org.freedesktop.DBus",
            path: "/org/freedesktop/DBus",
            interface: "org.freedesktop.DBus",
            member: "Hello",
            body: &[],
        };
        let octets = hello.encode(1);
        assert_eq!(&octets[..12], b"l\x01\x00\x01\0\0\0\0\x01\0\0\0");
        assert!(octets.len().is_multiple_of(8));
        let message = decode(&octets).expect("a message");
        assert_eq!((message.member.as_str(), message.serial), ("Hello", 1));
    }

    #[test]
    fn what_is_cut_or_odd_is_no_message() {
        let whole = signal();
        for len in 0..whole.len() {
            let _ = decode(&whole[..len]);
        }
        for at in 0..whole.len() {
            let mut odd = whole.clone();
            odd[at] ^= 0xff;
            let _ = decode(&odd);
        }
        let mut long = [0u8; PREFIX_LEN];
        long[0] = b'l';
        long[4..8].fill(0xff);
        assert_eq!(whole_len(&long), None);
        assert_eq!(whole_len(&[0; PREFIX_LEN]), None);
    }
}
