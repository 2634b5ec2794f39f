//! Channels over loopback, as people meet them: beside a plain connection and beside commands such as OpenSSH's.

use crate::channel::{Keys, public};
use crate::measure::at;
use crate::plot::Bars;
use shared_proto::channel::{Acceptor, Channel, TlsChannel};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

/// Rounds in which all take turns.
const ROUNDS: usize = 7;
/// Connections of one round of greetings, where a connection is cheap.
const GREETINGS: usize = 50;
/// Octets that are written at once.
const PIECE: usize = 16 * 1024;

/// What takes a number of octets, or of connections, and says how many seconds it took.
type Runner<'a> = Box<dyn Fn() -> f64 + 'a>;

fn named<'a>(commands: &[&'a str]) -> Vec<(&'a str, &'a str)> {
    commands
        .iter()
        .map(|command| command.split_once('=').expect("NAME=COMMAND"))
        .collect()
}

/// Times that many megabytes from one side to the other. A command reads them from its standard input and ends once they are all there.
pub fn race(folder: &Path, megabytes: &str, commands: &[&str]) {
    let octets = megabytes.parse::<usize>().expect("a number") * 1_000_000;
    let mut runners: Vec<(&str, Runner<'_>)> = vec![
        (
            "OfficeOS, one thread a side",
            Box::new(move || ours(octets)),
        ),
        ("plain TCP", Box::new(move || plain(octets))),
    ];
    for (name, command) in named(commands) {
        runners.push((name, Box::new(move || piped(command, octets))));
    }
    println!("\n### {megabytes} MB over loopback, {ROUNDS} rounds in turn\n");
    println!("| | seconds, median | MB/s | times as long as ours | fastest and slowest round |");
    println!("|---|---|---|---|---|");
    let mut plot = Bars::new("Octets over loopback: time as a multiple of ours");
    for (name, mut times, mut ratios) in rounds(&runners) {
        let middle = at(&mut times, 0.5);
        let (low, high) = (at(&mut ratios, 0.0), at(&mut ratios, 1.0));
        println!(
            "| {name} | {middle:.3} | {:.0} | {:.2} | {low:.2} to {high:.2} |",
            octets as f64 / 1e6 / middle,
            at(&mut ratios, 0.5)
        );
        plot.add("bulk", name, at(&mut ratios, 0.5));
    }
    plot.write(&folder.join("channel-loopback.svg"));
}

/// Times connections that end once both sides know each other. A command makes one each time it runs, or says `N connections in`, as
/// openssl's s_time does.
pub fn greet(folder: &Path, commands: &[&str]) {
    let mut runners: Vec<(&str, Runner<'_>)> = vec![
        ("OfficeOS, one thread a side", Box::new(greetings)),
        ("plain TCP", Box::new(touches)),
    ];
    for (name, command) in named(commands) {
        runners.push((name, Box::new(move || told(command))));
    }
    println!(
        "\n### A connection over loopback until both sides know each other, {ROUNDS} rounds in turn\n"
    );
    println!("| | milliseconds, median | times as long as ours | fastest and slowest round |");
    println!("|---|---|---|---|");
    let mut plot = Bars::new("A connection over loopback: time as a multiple of ours");
    for (name, mut times, mut ratios) in rounds(&runners) {
        let (low, high) = (at(&mut ratios, 0.0), at(&mut ratios, 1.0));
        println!(
            "| {name} | {:.3} | {:.2} | {low:.2} to {high:.2} |",
            at(&mut times, 0.5) * 1e3,
            at(&mut ratios, 0.5)
        );
        plot.add("connection", name, at(&mut ratios, 0.5));
    }
    plot.write(&folder.join("channel-greeting.svg"));
}

/// Seconds and ratios to the first, of each round.
fn rounds<'a>(runners: &[(&'a str, Runner<'_>)]) -> Vec<(&'a str, Vec<f64>, Vec<f64>)> {
    let mut seen: Vec<(&str, Vec<f64>, Vec<f64>)> = runners
        .iter()
        .map(|(name, _)| (*name, Vec::new(), Vec::new()))
        .collect();
    for _ in 0..ROUNDS {
        let times: Vec<f64> = runners.iter().map(|(_, run)| run()).collect();
        for ((_, all, ratios), time) in seen.iter_mut().zip(&times) {
            all.push(*time);
            ratios.push(time / times[0]);
        }
    }
    seen
}

fn pair() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address");
    (listener, address)
}

/// A side of the channel on its connection.
struct Side {
    stream: TcpStream,
    channel: TlsChannel,
    wire: Vec<u8>,
    read: Vec<u8>,
    /// Octets of plaintext that have come: the first may come along with the end of the handshake.
    had: usize,
}

impl Side {
    fn new(stream: TcpStream, channel: TlsChannel) -> Self {
        let (wire, read) = (Vec::new(), vec![0; PIECE + 512]);
        let mut side = Self {
            stream,
            channel,
            wire,
            read,
            had: 0,
        };
        side.flush();
        side
    }

    fn connect(address: SocketAddr, keys: &Keys) -> Self {
        let stream = TcpStream::connect(address).expect("connected");
        stream.set_nodelay(true).expect("an option");
        let mut side = Self::new(stream, keys.connect());
        side.shake();
        side
    }

    fn accept(listener: &TcpListener, keys: &Keys) -> Self {
        let (mut stream, _) = listener.accept().expect("a connection");
        stream.set_nodelay(true).expect("an option");
        let mut acceptor = Acceptor::new();
        let mut bytes = [0; 2048];
        let hello = loop {
            let len = stream.read(&mut bytes).expect("a hello");
            if let Some(hello) = acceptor.receive(&bytes[..len]).expect("ours") {
                break hello;
            }
        };
        let channel = hello.accept(&keys.there, public(&keys.here));
        let mut side = Self::new(stream, channel.expect("accepted"));
        side.shake();
        side
    }

    fn shake(&mut self) {
        while self.channel.is_handshaking() {
            self.take();
            self.flush();
        }
    }

    fn flush(&mut self) {
        self.wire.clear();
        self.channel.transmit(&mut self.wire);
        self.stream.write_all(&self.wire).expect("sent");
    }

    /// Reads once from the connection.
    fn take(&mut self) {
        let len = self.stream.read(&mut self.read).expect("read");
        assert!(len > 0, "the other side has gone");
        let mut taken = 0;
        let mut out = [0; PIECE];
        while taken < len {
            taken += self
                .channel
                .receive(&self.read[taken..len])
                .expect("honest");
            while let len @ 1.. = self.channel.read(&mut out).expect("open") {
                self.had += len;
            }
        }
    }
}

fn ours(octets: usize) -> f64 {
    let (listener, address) = pair();
    std::thread::scope(|scope| {
        let reader = scope.spawn(move || {
            let mut side = Side::accept(&listener, &Keys::new());
            while side.had < octets {
                side.take();
            }
        });
        let mut side = Side::connect(address, &Keys::new());
        let bytes = vec![7; PIECE];
        let begun = Instant::now();
        let mut sent = 0;
        while sent < octets {
            sent += side
                .channel
                .write(&bytes[..PIECE.min(octets - sent)])
                .expect("open");
            side.flush();
        }
        reader.join().expect("no panic");
        begun.elapsed().as_secs_f64()
    })
}

fn plain(octets: usize) -> f64 {
    let (listener, address) = pair();
    std::thread::scope(|scope| {
        let reader = scope.spawn(move || {
            let (mut stream, _) = listener.accept().expect("a connection");
            let (mut had, mut bytes) = (0, vec![0; PIECE]);
            while had < octets {
                had += stream.read(&mut bytes).expect("read");
            }
        });
        let mut stream = TcpStream::connect(address).expect("connected");
        let bytes = vec![7; PIECE];
        let begun = Instant::now();
        let mut sent = 0;
        while sent < octets {
            let len = PIECE.min(octets - sent);
            stream.write_all(&bytes[..len]).expect("sent");
            sent += len;
        }
        reader.join().expect("no panic");
        begun.elapsed().as_secs_f64()
    })
}

fn piped(command: &str, octets: usize) -> f64 {
    let begun = Instant::now();
    let mut child = Command::new("sh")
        .args(["-c", command])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("a shell");
    let mut input = child.stdin.take().expect("its input");
    let bytes = vec![7; PIECE];
    let mut sent = 0;
    while sent < octets {
        let len = PIECE.min(octets - sent);
        input.write_all(&bytes[..len]).expect("read by the command");
        sent += len;
    }
    drop(input);
    let status = child.wait().expect("it ends");
    assert!(status.success(), "{command}: {status}");
    begun.elapsed().as_secs_f64()
}

/// A command that makes one connection, or as many as it says.
fn told(command: &str) -> f64 {
    let begun = Instant::now();
    let done = Command::new("sh")
        .args(["-c", command])
        .stdin(Stdio::null())
        .output()
        .expect("a shell");
    let took = begun.elapsed().as_secs_f64();
    assert!(done.status.success(), "{command}: {}", done.status);
    let words = String::from_utf8_lossy(&done.stdout);
    let count = words.lines().find_map(|line| {
        let (count, _) = line.split_once(" connections in ")?;
        count.trim().parse::<f64>().ok()
    });
    took / count.unwrap_or(1.0).max(1.0)
}

/// Connections one after the other, seconds for one.
fn greetings() -> f64 {
    let (listener, address) = pair();
    std::thread::scope(|scope| {
        let server = scope.spawn(move || {
            for _ in 0..GREETINGS {
                let mut side = Side::accept(&listener, &Keys::new());
                side.channel.write(b"!").expect("open");
                side.flush();
            }
        });
        let keys = Keys::new();
        let begun = Instant::now();
        for _ in 0..GREETINGS {
            let mut side = Side::connect(address, &keys);
            // The server's word says that it knows the client, too.
            while side.had == 0 {
                side.take();
            }
        }
        let took = begun.elapsed().as_secs_f64();
        server.join().expect("no panic");
        took / GREETINGS as f64
    })
}

fn touches() -> f64 {
    let (listener, address) = pair();
    std::thread::scope(|scope| {
        let server = scope.spawn(move || {
            for _ in 0..GREETINGS {
                let (mut stream, _) = listener.accept().expect("a connection");
                stream.read_exact(&mut [0]).expect("a word");
                stream.write_all(b"!").expect("sent");
            }
        });
        let begun = Instant::now();
        for _ in 0..GREETINGS {
            let mut stream = TcpStream::connect(address).expect("connected");
            stream.write_all(b"?").expect("sent");
            stream.read_exact(&mut [0]).expect("a word");
        }
        let took = begun.elapsed().as_secs_f64();
        server.join().expect("no panic");
        took / GREETINGS as f64
    })
}
