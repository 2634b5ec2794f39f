//! A program of the laptop that speaks HTTP, and no more of it than a test has to see.

use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its head, as it came.
    pub head: String,
    /// Its body; null where it is no JSON.
    pub body: Value,
}

impl Answer {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (own, value) = line.split_once(':')?;
            own.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// Server-sent events, as they come.
pub struct Events {
    reader: BufReader<TcpStream>,
}

impl Events {
    /// The data of the next event; `None` at the end.
    pub fn data(&mut self) -> Option<String> {
        loop {
            let mut line = String::new();
            // Lengths of chunks stand between the lines of events.
            if self.reader.read_line(&mut line).unwrap_or(0) == 0 {
                return None;
            }
            if let Some(data) = line.strip_prefix("data: ") {
                return Some(data.trim_end().to_owned());
            }
        }
    }

    /// The next event as JSON.
    pub fn json(&mut self) -> Option<Value> {
        serde_json::from_str(&self.data()?).ok()
    }

    /// The text of the chunks from here to the end, and the last event.
    pub fn rest(mut self) -> (String, String) {
        let (mut text, mut last) = (String::new(), String::new());
        while let Some(data) = self.data() {
            if let Ok(chunk) = serde_json::from_str::<Value>(&data) {
                text.push_str(said(&chunk));
            }
            last = data;
        }
        (text, last)
    }
}

/// The text of a chunk.
pub fn said(chunk: &Value) -> &str {
    chunk["choices"][0]["delta"]["content"]
        .as_str()
        .unwrap_or_default()
}

/// A program with a key.
pub struct Program {
    /// Where the gateway listens.
    pub address: SocketAddr,
    /// The key that it shows.
    pub key: String,
}

impl Program {
    /// Asks with any method and further headers.
    pub fn ask(&self, method: &str, path: &str, headers: &str, body: &str) -> Answer {
        let mut reader = self.send(method, path, headers, body);
        let head = head(&mut reader);
        let mut body = Vec::new();
        reader.read_to_end(&mut body).expect("a body");
        Answer {
            status: head
                .split(' ')
                .nth(1)
                .and_then(|word| word.parse().ok())
                .expect("a status"),
            head,
            body: serde_json::from_slice(&body).unwrap_or_default(),
        }
    }

    /// Reads.
    pub fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, "", "")
    }

    /// Asks with a body.
    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.ask("POST", path, "", &body.to_string())
    }

    /// Asks for a stream.
    pub fn stream(&self, path: &str, body: &Value) -> Events {
        let mut reader = self.send("POST", path, "", &body.to_string());
        let head = head(&mut reader);
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        assert!(head.contains("text/event-stream"), "{head}");
        Events { reader }
    }

    fn send(&self, method: &str, path: &str, headers: &str, body: &str) -> BufReader<TcpStream> {
        let mut stream = TcpStream::connect(self.address).expect("the gateway listens");
        stream
            .set_read_timeout(Some(super::PATIENCE))
            .expect("a patience");
        let host = match headers.contains("Host:") {
            true => String::new(),
            false => format!("Host: {}\r\n", self.address),
        };
        let key = match self.key.is_empty() {
            true => String::new(),
            false => format!("Authorization: Bearer {}\r\n", self.key),
        };
        let request = format!(
            "{method} {path} HTTP/1.1\r\n{host}{key}{headers}Content-Type: application/json\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).expect("sent");
        BufReader::new(stream)
    }
}

fn head(reader: &mut BufReader<TcpStream>) -> String {
    let mut head = String::new();
    while reader.read_line(&mut head).expect("a head") > 2 {}
    head
}
