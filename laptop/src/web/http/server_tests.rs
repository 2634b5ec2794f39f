//! The server from outside: bounds, deadlines, and how clients come and go.

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
