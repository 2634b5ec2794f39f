//! What bad input gets: a clean end, no effect, bounded memory, and a laptop that goes on serving.

mod bare;

use bare::meddler::{Direction, Fault, meddle};
use bare::person::{allow, chat, code, paired, put_and_get};
use bare::{Card, End, Laptop};
use shared_proto::channel::Channel;
use shared_proto::crypto::RelationshipKey;
use shared_proto::crypto::ring::RingCrypto;
use shared_proto::error::ErrorCode;
use shared_proto::limits::MAX_LIVE_REQUESTS;
use shared_proto::message::{Credit, Data, Message, RequestId};
use shared_proto::token::{TokenNonce, mint};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }
}

/// Open files and threads of the daemon, and its memory in kilobytes.
fn footprint(laptop: &Laptop) -> (usize, usize, usize) {
    let proc = format!("/proc/{}", laptop.pid());
    let fds = std::fs::read_dir(format!("{proc}/fd"))
        .expect("its files")
        .count();
    let status = std::fs::read_to_string(format!("{proc}/status")).expect("its status");
    let field = |name: &str| -> usize {
        let line = status
            .lines()
            .find(|line| line.starts_with(name))
            .expect("a field");
        line.split_whitespace()
            .nth(1)
            .expect("a number")
            .parse()
            .expect("a number")
    };
    (fds, field("Threads:"), field("VmRSS:"))
}

/// The first flight of a paired device.
fn hello_of(card: &Card) -> Vec<u8> {
    let name = mint(
        &RingCrypto,
        &card.keys.token,
        TokenNonce::generate(&RingCrypto).expect("a nonce"),
    );
    let mut channel =
        shared_proto::channel::connect(&card.keys.own, card.keys.peer, &name).expect("a channel");
    let mut hello = Vec::new();
    channel.transmit(&mut hello);
    hello
}

/// How long the laptop keeps a connection that says `bytes`, then nothing.
fn lifetime(address: SocketAddr, bytes: &[u8]) -> Duration {
    let start = Instant::now();
    let mut stream = TcpStream::connect(address).expect("connected");
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .expect("set");
    // It may be ended while we still write.
    let _ = stream.write_all(bytes);
    let mut sink = Vec::new();
    let _ = stream.read_to_end(&mut sink);
    start.elapsed()
}

fn still_serves(card: &Card, address: SocketAddr, id: u64) {
    let mut line = card.link(address).expect("linked all the same");
    let told = line.run(id, &chat("Still there?"));
    assert!(matches!(told.end, Some(End::Done(_))), "{told:?}");
}

#[test]
fn whoever_says_nothing_or_says_it_slowly_is_hung_up_on_after_five_seconds() {
    let (_laptop, address, card) = paired("slow");
    let hello = hello_of(&card);
    let silent = std::thread::spawn(move || lifetime(address, b""));
    let half = std::thread::spawn({
        let hello = hello.clone();
        move || lifetime(address, &hello[..hello.len() / 2])
    });
    let stalled = std::thread::spawn({
        let hello = hello.clone();
        move || lifetime(address, &hello)
    });
    // One octet at a time must not stretch the deadline.
    let mut stream = TcpStream::connect(address).expect("connected");
    let start = Instant::now();
    let mut taken = 0;
    for byte in &hello {
        if start.elapsed() > Duration::from_secs(20) || stream.write_all(&[*byte]).is_err() {
            break;
        }
        taken += 1;
        std::thread::sleep(Duration::from_millis(25));
    }
    assert!(
        taken < hello.len(),
        "a hello of one octet at a time was taken whole"
    );
    for (who, spent) in [("silent", silent), ("half", half), ("stalled", stalled)] {
        let spent = spent.join().expect("no panic");
        assert!(
            spent >= Duration::from_secs(4) && spent < Duration::from_secs(20),
            "{who}: {spent:?}"
        );
    }
}

#[test]
fn a_flood_of_half_open_connections_costs_a_bounded_amount() {
    let (laptop, address, card) = paired("half-open");
    allow(&laptop, &["chat"]);
    still_serves(&card, address, 1);
    let (_, _, memory_before) = footprint(&laptop);
    let hello = hello_of(&card);
    let mut strangers = Vec::new();
    for _ in 0..900 {
        if let Ok(mut stream) = TcpStream::connect(address) {
            let _ = stream.write_all(&hello[..hello.len() - 1]);
            strangers.push(stream);
        }
    }
    assert!(
        strangers.len() > 600,
        "the flood did not come about: {}",
        strangers.len()
    );
    still_serves(&card, address, 2);
    let (fds, threads, memory) = footprint(&laptop);
    assert!(fds < 256 + 80, "{fds} open files");
    assert!(threads < 60, "{threads} threads");
    assert!(
        memory < memory_before + 24 * 1024,
        "{memory} KB after {memory_before} KB"
    );
    drop(strangers);
}

#[test]
fn bytes_that_are_no_hello_end_the_connection_at_once() {
    let (_laptop, address, card) = paired("garbage");
    let mut dice = Dice(7);
    let noise: Vec<u8> = (0..4000).map(|_| dice.next() as u8).collect();
    let mut huge_record = vec![22, 3, 1, 0xff, 0xff];
    huge_record.extend(vec![1; 3000]);
    let mut huge_message = vec![22, 3, 1, 0x40, 0x00, 1, 0xff, 0xff, 0xff];
    huge_message.extend(vec![0; 3000]);
    let http = b"GET / HTTP/1.1\r\nHost: laptop\r\n\r\n".to_vec();
    for (what, bytes) in [
        ("noise", noise),
        ("record", huge_record),
        ("message", huge_message),
        ("http", http),
    ] {
        let spent = lifetime(address, &bytes);
        assert!(spent < Duration::from_secs(4), "{what}: {spent:?}");
    }
    card.link(address).expect("linked all the same");
}

#[test]
fn a_recorded_session_played_back_has_no_effect() {
    let (laptop, address, card) = paired("replay");
    allow(&laptop, &["put", "get"]);
    let mut line = card.link(address).expect("linked");
    line.run(1, &put_and_get("once.txt", "once"));
    let recording = line.recording();
    drop(line);
    std::fs::remove_file(laptop.files().join("once.txt")).expect("removed");
    for _ in 0..3 {
        assert!(
            lifetime(address, &recording) < Duration::from_secs(4),
            "the recording was listened to"
        );
    }
    assert!(
        !laptop.files().join("once.txt").exists(),
        "a recording had an effect"
    );
}

#[test]
fn changed_cut_doubled_and_swapped_traffic_ends_cleanly_with_all_or_nothing() {
    let (laptop, address, card) = paired("meddle");
    allow(&laptop, &["put", "get"]);
    // How long an undisturbed exchange is, so that the faults fall inside it.
    let mut line = card.link(address).expect("linked");
    line.run(1, &put_and_get("whole.txt", &"x".repeat(3000)));
    let (up, down) = (line.recording().len(), 9_000);
    drop(line);
    let mut dice = Dice(0x0ff1ce);
    let (mut spoiled, mut id) = (0, 1);
    for round in 0..64 {
        let direction = if round % 2 == 0 {
            Direction::ToLaptop
        } else {
            Direction::ToHandheld
        };
        let place = dice.below(if round % 2 == 0 { up } else { down });
        let fault = match round / 2 % 4 {
            0 => Fault::Flip(place, dice.next() as u8),
            1 => Fault::Cut(place),
            2 => Fault::Twice(place),
            _ => Fault::Swap(place),
        };
        id += 1;
        let name = format!("file-{round}.txt");
        let program = put_and_get(&name, &format!("{round} ").repeat(900));
        let outcome = card
            .link(meddle(address, direction, fault))
            .and_then(|mut line| {
                line.submit(id, &program);
                line.until("an end", |line| {
                    line.told.get(&id).is_some_and(|told| told.end.is_some())
                })?;
                Ok(line.told.remove(&id).expect("told"))
            });
        match outcome {
            // The fault fell behind the end, or on a piece that never came.
            Ok(told) => assert_eq!(
                told.text(1),
                format!("{round} ").repeat(900),
                "{direction:?} {fault:?}"
            ),
            Err(_) => spoiled += 1,
        }
        // All or nothing: a file that is there is whole.
        if let Ok(body) = std::fs::read_to_string(laptop.files().join(&name)) {
            assert_eq!(
                body,
                format!("{round} ").repeat(900),
                "{direction:?} {fault:?}"
            );
        }
    }
    assert!(spoiled >= 20, "only {spoiled} of 64 faults hit anything");
    allow(&laptop, &["chat"]);
    still_serves(&card, address, id + 1);
}

#[test]
fn damaged_programs_are_refused_with_a_number_and_the_session_lives() {
    let (laptop, address, card) = paired("programs");
    allow(&laptop, &["chat"]);
    // Fewer refusals than requests: the rate must not be what refuses.
    laptop.ask(&["limit", "pocket", "--requests-per-minute", "6000"]);
    let mut line = card.link(address).expect("linked");
    let good = chat("Hello");
    let mut dice = Dice(42);
    for id in 1..=150 {
        let mut program = good.clone();
        match id % 3 {
            0 => program.truncate(dice.below(program.len())),
            1 => {
                let place = dice.below(program.len());
                program[place] ^= 1 << dice.below(8);
            }
            _ => program = (0..dice.below(200)).map(|_| dice.next() as u8).collect(),
        }
        let told = line.run(id, &program);
        assert!(told.end.is_some());
    }
    assert_eq!(code(&line.run(1000, &[])), Some(ErrorCode::Malformed));
    assert!(matches!(line.run(1001, &good).end, Some(End::Done(_))));
}

#[test]
fn a_wrong_signature_runs_nothing() {
    let (laptop, address, card) = paired("signature");
    allow(&laptop, &["put", "get"]);
    let mut line = card.link(address).expect("linked");
    line.submit_signed(1, &put_and_get("forged.txt", "x"), &[7; 64]);
    assert_eq!(code(&line.finish(1)), Some(ErrorCode::BadSignature));
    assert!(!laptop.files().join("forged.txt").exists());
}

#[test]
fn illegal_messages_end_the_session_and_only_that() {
    let (laptop, address, card) = paired("illegal");
    allow(&laptop, &["chat"]);
    let encode = |message: Message<'_>| {
        let mut out = Vec::new();
        message.encode(&mut out).expect("encoded");
        out
    };
    let id = RequestId(1);
    let upload = Data {
        id,
        slot: 0x40,
        offset: 0,
        raw_len: 0,
        fin: false,
        bytes: b"unasked",
    };
    let mine = Data { slot: 0, ..upload };
    let second_hello = shared_proto::message::Hello {
        version: 1,
        name: "again",
        app: "",
        screen: shared_proto::message::Screen {
            width: 1,
            height: 1,
        },
        formats: 0,
        last_id: 0,
        ledger: shared_proto::message::LedgerHead::default(),
    };
    let cases = [
        ("an unknown frame", vec![0x7f, 0]),
        (
            "a frame of four megabytes",
            vec![0x02, 0xff, 0xff, 0xff, 0x01],
        ),
        ("a second greeting", encode(Message::Hello(second_hello))),
        ("data for a result", encode(Message::Data(mine))),
        (
            "credit for an upload",
            encode(Message::Credit(Credit {
                id,
                slot: 0x40,
                from: 0,
                limit: 9,
            })),
        ),
        (
            "a laptop's message",
            encode(Message::Pong(shared_proto::message::Echo { nonce: 1 })),
        ),
        (
            "a payload that does not decode",
            vec![0x04, 3, 0xff, 0xff, 0xff],
        ),
    ];
    for (what, bytes) in cases {
        let mut line = card.link(address).expect("linked");
        line.raw(&bytes).expect("sent");
        assert!(line.ends(), "{what} was put up with");
    }
    // Unasked data for a request that does not exist is dropped, as pieces of one that has just failed are.
    let mut line = card.link(address).expect("linked");
    line.raw(&encode(Message::Data(upload))).expect("sent");
    line.raw(&encode(Message::Credit(Credit {
        id,
        slot: 0,
        from: 0,
        limit: u64::MAX,
    })))
    .expect("sent");
    assert!(matches!(
        line.run(5, &chat("Still?")).end,
        Some(End::Done(_))
    ));
}

#[test]
fn more_requests_than_may_live_are_turned_away_before_anybody_is_asked() {
    let (laptop, address, card) = paired("busy");
    let mut line = card.link(address).expect("linked");
    let most = MAX_LIVE_REQUESTS as u64;
    // Each waits for a person, so that none ends by itself.
    for id in 1..=most {
        line.submit(id, &chat("Wait"));
    }
    line.until("all questions", |line| {
        line.told.values().filter(|told| told.awaiting).count() == most as usize
    })
    .expect("alive");
    // The client's own machine would refuse to send more, and to hear of them.
    for id in most + 1..=most + 4 {
        let frame = line.signed_submit(id, &chat("One more"));
        line.raw(&frame).expect("sent");
    }
    assert!(line.ends(), "nothing was said of the requests too many");
    drop(line);
    let requests: Vec<u64> = laptop
        .ask(&["pending"])
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| one["id"].as_u64().expect("a number"))
        .collect();
    assert_eq!(requests.len() as u64, most);
    card.link(address).expect("linked all the same");
}

/// Changes the laptop's memory behind its back, as only the clock could.
fn database(laptop: &Laptop, sql: &str) {
    let connection =
        rusqlite::Connection::open(laptop.home.join("state/officeos.db")).expect("the database");
    connection
        .busy_timeout(Duration::from_secs(5))
        .expect("set");
    connection.execute_batch(sql).expect("changed");
}

#[test]
fn an_expired_device_gets_nothing_until_a_person_renews_it() {
    let (laptop, address, card) = paired("expired");
    allow(&laptop, &["chat"]);
    let mut line = card.link(address).expect("linked");
    assert!(matches!(
        line.run(1, &chat("Hello")).end,
        Some(End::Done(_))
    ));
    database(&laptop, "UPDATE relationships SET expires_at = 1000");
    assert_eq!(code(&line.run(2, &chat("Hello"))), Some(ErrorCode::Expired));
    drop(line);
    let mut line = card.link(address).expect("linked, to be told");
    let greeting = line.greeting.clone().expect("a greeting");
    assert_eq!((greeting.expires_in_s, greeting.models.len()), (0, 0));
    assert_eq!(code(&line.run(3, &chat("Hello"))), Some(ErrorCode::Expired));
    laptop.ask(&["renew", "pocket"]);
    assert!(matches!(
        line.run(4, &chat("Hello")).end,
        Some(End::Done(_))
    ));
}

#[test]
fn a_clock_set_back_revives_nothing() {
    let (mut laptop, address, card) = paired("clock");
    allow(&laptop, &["chat"]);
    card.link(address).expect("linked");
    laptop.kill();
    // The laptop has once seen a day two months from now; its clock says otherwise again.
    let later = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("a time")
        .as_secs() as i64
        + 60 * 24 * 3600;
    let hex: String = later
        .to_le_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    database(
        &laptop,
        &format!("INSERT OR REPLACE INTO settings VALUES ('clock.high-water', x'{hex}')"),
    );
    laptop.launch();
    let mut line = card.link(laptop.address()).expect("linked, to be told");
    assert_eq!(code(&line.run(1, &chat("Hello"))), Some(ErrorCode::Expired));
}

#[test]
fn revoking_in_the_middle_of_a_request_ends_it_and_sends_nothing_more() {
    let (laptop, address, card) = paired("revoke-middle");
    allow(&laptop, &["chat"]);
    let mut line = card.link(address).expect("linked");
    line.submit(
        1,
        &chat("Tell me a very long story about the sea, the ships and the lighthouse."),
    );
    line.until("some words", |line| {
        line.told
            .get(&1)
            .is_some_and(|told| !told.bodies.is_empty())
    })
    .expect("alive");
    laptop.ask(&["revoke", "pocket"]);
    assert!(line.ends(), "the session lives on");
    let ended = line.told.get(&1).and_then(|told| told.end.clone());
    assert!(!matches!(ended, Some(End::Done(_))), "{ended:?}");
    assert!(card.link(address).is_err());
    laptop.await_status("nothing running", |status| status["running"] == 0);
}

#[test]
fn a_pairing_knock_without_an_open_window_is_turned_away() {
    let laptop = Laptop::start("closed");
    let (sender, _digits) = std::sync::mpsc::channel();
    assert!(Card::pair(laptop.address(), "stranger", &sender).is_err());
    let own = RelationshipKey::generate(&RingCrypto).expect("a key");
    let mut knock = Vec::new();
    shared_proto::channel::connect_pairing(&own)
        .expect("a channel")
        .transmit(&mut knock);
    assert!(lifetime(laptop.address(), &knock) < Duration::from_secs(4));
    assert_eq!(laptop.ask(&["devices"]).as_array().map(Vec::len), Some(0));
}

#[test]
fn two_devices_in_one_window_both_end_and_neither_is_paired() {
    let laptop = Laptop::start("crowded");
    let address = laptop.address();
    laptop.ask(&["pair", "--open"]);
    let (sender, digits) = std::sync::mpsc::channel();
    let first = std::thread::spawn(move || Card::pair(address, "first", &sender));
    let shown = digits.recv().expect("the first shows digits");
    let (sender, _none) = std::sync::mpsc::channel();
    assert!(Card::pair(address, "second", &sender).is_err());
    assert!(first.join().expect("no panic").is_err());
    assert_ne!(laptop.officectl(&["pair", "--status"]).stdout.len(), 0);
    // Whose words ended it was told them first.
    let status = loop {
        let status = laptop.ask(&["pair", "--status"]);
        if !matches!(status["state"].as_str(), Some("waiting" | "digits")) {
            break status;
        }
    };
    assert_eq!(status["state"], "failed", "{status}");
    assert!(
        status["reason"]
            .as_str()
            .is_some_and(|reason| reason.contains("two devices")),
        "{status} {shown}"
    );
    assert_eq!(laptop.ask(&["devices"]).as_array().map(Vec::len), Some(0));
}
