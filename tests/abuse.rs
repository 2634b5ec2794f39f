//! A paired device that uses what it may to do harm: what it gets is a refusal or an end, and the laptop goes on within bounds.

mod bare;

use bare::calm::{POISON, is_calm};
use bare::footprint::Footprint;
use bare::person::{allow, chat, code, model_named, paired, put_and_get};
use bare::{Card, End, Laptop};
use shared_proto::crypto::Crypto;
use shared_proto::crypto::ring::RingCrypto;
use shared_proto::error::ErrorCode;
use shared_proto::limits::{
    MAX_CHUNK_LEN, MAX_CONSTS, MAX_OPS, MAX_PATH_LEN, MAX_PROGRAM_LEN, MAX_TRANSMIT_LEN,
    MAX_URL_LEN,
};
use shared_proto::message::{
    Credit, Data, Message, Offset, Offsets, RequestId, Resume, UPLOAD_SLOT,
};
use shared_proto::program::{Blob, Builder, Fetch, Get, Op, Put, ValueType, Write as How};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Instant;

fn frame(message: &Message<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    message.encode(&mut out).expect("encoded");
    out
}

fn still_serves(card: &Card, address: SocketAddr, id: u64) {
    let mut line = card.link(address).expect("linked all the same");
    let told = line.run(id, &chat("Still there?"));
    assert!(matches!(told.end, Some(End::Done(_))), "{told:?}");
}

#[test]
fn credit_for_everything_and_for_ever_buys_no_memory() {
    let (laptop, address, card) = paired("credit");
    allow(&laptop, &["chat", "get"]);
    still_serves(&card, address, 1);
    // Far more than the laptop may hold of it, and of octets that no compression makes less.
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let body: Vec<u8> = std::iter::repeat_with(|| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random.to_le_bytes()
    })
    .take(8 << 20)
    .flatten()
    .collect();
    std::fs::create_dir_all(laptop.files()).expect("a folder");
    std::fs::write(laptop.files().join("large.bin"), &body).expect("written");
    let mut builder = Builder::new();
    let path = builder.name("large.bin");
    let read = builder.op(&Op::Get(Get {
        path,
        max_len: body.len() as u64,
    }));
    builder.emit(read);
    let program = builder.finish().expect("a program");

    let before = Footprint::of(laptop.pid());
    let mut line = card.link(address).expect("linked");
    let submit = line.signed_submit(2, &program);
    line.raw(&submit).expect("sent");
    let mut flood = Vec::new();
    for slot in 0..UPLOAD_SLOT {
        for limit in [u64::MAX, 0, 1] {
            flood.extend(frame(&Message::Credit(Credit {
                id: RequestId(2),
                slot,
                from: 0,
                limit,
            })));
        }
    }
    for _ in 0..200 {
        line.raw(&flood).expect("sent");
    }
    // All of it has been read, and as much was sent as goes into the sockets: nobody here takes it out.
    let deadline = Instant::now() + bare::laptop::PATIENCE;
    let mut last = None;
    loop {
        assert!(
            Instant::now() < deadline,
            "the flood stays unread: {last:?}"
        );
        let waits = queues(address);
        if last == Some(waits) && waits.1 == 0 && waits.0 > 0 {
            break;
        }
        last = Some(waits);
        std::thread::park_timeout(std::time::Duration::from_millis(100));
    }
    assert!(body.len() > 16 * MAX_TRANSMIT_LEN);
    before.stays_within(Footprint::of(laptop.pid()), 24);
    drop(line);
    still_serves(&card, address, 3);
}

/// Octets that the laptop's end of the only connection to `address` has not got rid of, and has not read.
fn queues(address: SocketAddr) -> (usize, usize) {
    let table = std::fs::read_to_string("/proc/net/tcp").expect("connections");
    let port = format!(":{:04X}", address.port());
    let queues = table.lines().find_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (local, state, queues) = (words.get(1)?, words.get(3)?, words.get(4)?);
        // Established (include/net/tcp_states.h).
        let ours = local.ends_with(&port) && *state == "01";
        let (sends, reads) = queues.split_once(':')?;
        let number = |text| usize::from_str_radix(text, 16).ok();
        ours.then_some((number(sends)?, number(reads)?))
    });
    queues.expect("the connection")
}

#[test]
fn resuming_what_never_was_or_beyond_its_end_yields_nothing_and_breaks_nothing() {
    let (laptop, address, card) = paired("resume");
    allow(&laptop, &["chat"]);
    still_serves(&card, address, 1);
    let resume = |id: u64, offset: u64| {
        let offsets: Offsets = (0..MAX_OPS as u8)
            .map(|slot| Offset { slot, offset })
            .collect();
        frame(&Message::Resume(Resume {
            id: RequestId(id),
            offsets,
        }))
    };
    for (id, offset) in [
        (0, 0),
        (7, 0),
        (u64::MAX, u64::MAX),
        (1, 1 << 40),
        (1, u64::MAX),
    ] {
        let mut line = card.link(address).expect("linked");
        line.raw(&resume(id, offset)).expect("sent");
        // Whatever the laptop says of a number that this side never named ends the session here.
        assert!(line.ends(), "{id} {offset}: nothing was said");
        let mut other = card.link(address).expect("linked afterwards");
        let told = other.run(100 + id % 50 + offset % 7, &chat("Beside"));
        assert!(
            matches!(told.end, Some(End::Done(_))),
            "{id} {offset}: {told:?}"
        );
    }
    let mut line = card.link(address).expect("linked");
    // The same number twice on one session is out of turn.
    line.raw(&[resume(1, 0), resume(1, 0)].concat())
        .expect("sent");
    assert!(line.ends(), "a number lives twice");
    still_serves(&card, address, 900);
}

#[test]
fn a_submit_of_another_session_is_not_signed_for_this_one() {
    let (laptop, address, card) = paired("again");
    allow(&laptop, &["put", "get"]);
    let first = card.link(address).expect("linked");
    let stolen = first.signed_submit(5, &put_and_get("stolen.txt", "x"));
    drop(first);
    let mut line = card.link(address).expect("linked");
    line.raw(&stolen).expect("sent");
    // What the laptop says of a number that this side never named ends the session here.
    assert!(line.ends(), "nothing was said");
    assert!(!laptop.files().join("stolen.txt").exists());
    // And the number is still free for whoever signs for it.
    let mut line = card.link(address).expect("linked");
    let told = line.run(5, &put_and_get("own.txt", "mine"));
    assert!(matches!(told.end, Some(End::Done(_))), "{told:?}");
}

#[test]
fn programs_at_every_limit_run_and_beyond_it_are_refused() {
    let (laptop, address, card) = paired("limits");
    allow(&laptop, &["chat", "put", "get"]);
    laptop.ask(&["limit", "pocket", "--requests-per-minute", "6000"]);
    let before = Footprint::of(laptop.pid());
    let mut line = card.link(address).expect("linked");

    // As many operations as there may be: half of them emits.
    let most = |count: usize, consts: usize| {
        let mut builder = Builder::new();
        let texts: Vec<_> = (0..consts).map(|n| builder.text(&format!("{n}"))).collect();
        for n in 0..count / 2 {
            let text = builder.op(&Op::Text(texts[n % texts.len()]));
            builder.emit(text);
        }
        builder.finish().ok()
    };
    let whole = most(MAX_OPS, MAX_CONSTS).expect("it is within the limits");
    let told = line.run(1, &whole);
    assert!(matches!(told.end, Some(End::Done(_))), "{told:?}");
    assert_eq!(told.bodies.len(), MAX_OPS / 2);
    // The builder makes none beyond them, so these are put together: with two more operations, and with one more constant.
    let bare = most(0, MAX_CONSTS).expect("within the limits");
    let count = bare.len() - 1;
    assert_eq!(
        (usize::from(whole[1]), whole[count]),
        (MAX_CONSTS, MAX_OPS as u8)
    );
    let mut operations = whole.clone();
    operations[count] += 2;
    operations.extend(&most(2, MAX_CONSTS).expect("within the limits")[count + 1..]);
    let mut constants = whole.clone();
    constants[1] += 1;
    let one = most(0, 1).expect("within the limits");
    constants.splice(2..2, one[2..one.len() - 1].to_vec());
    for (id, program) in [(2, operations), (3, constants)] {
        let told = line.run(id, &program);
        assert_eq!(code(&told), Some(ErrorCode::Malformed), "{told:?}");
        assert!(format!("{told:?}").contains("above its cap"), "{told:?}");
    }

    // A text that fills the program, and one octet more.
    let sized = |len: usize| {
        let mut builder = Builder::new();
        let text = builder.text(&"y".repeat(len));
        let same = builder.op(&Op::Text(text));
        builder.emit(same);
        builder.finish().ok()
    };
    let (mut low, mut high) = (1, MAX_PROGRAM_LEN);
    while low + 1 < high {
        let middle = (low + high) / 2;
        let fits = sized(middle).is_some_and(|program| program.len() <= MAX_PROGRAM_LEN);
        *(if fits { &mut low } else { &mut high }) = middle;
    }
    let told = line.run(4, &sized(low).expect("it fits"));
    assert_eq!(told.text(0).len(), low);
    let mut longer = sized(low).expect("it fits");
    longer.resize(MAX_PROGRAM_LEN + 1, 0);
    assert_eq!(code(&line.run(5, &longer)), Some(ErrorCode::Malformed));

    // A path and an address of the longest kind, and longer.
    let told = line.run(6, &put_and_get(&"n".repeat(MAX_PATH_LEN), "x"));
    assert!(matches!(told.end, Some(End::Done(_))), "{told:?}");
    let told = line.run(7, &put_and_get(&"n".repeat(MAX_PATH_LEN + 1), "x"));
    assert!(code(&told).is_some(), "{told:?}");
    let mut fetched = |id: u64, len: usize| {
        let mut builder = Builder::new();
        let url = builder.name(&format!("{:x<len$}", "http://127.0.0.1:9/"));
        let page = builder.op(&Op::Fetch(Fetch { url, max_len: 100 }));
        builder.emit(page);
        code(&line.run(id, &builder.finish().expect("a program")))
    };
    // The longest comes to the policy, which takes nothing of this machine; a longer one does not.
    assert_eq!(fetched(8, MAX_URL_LEN), Some(ErrorCode::UrlRefused));
    assert_eq!(fetched(10, MAX_URL_LEN + 1), Some(ErrorCode::LimitExceeded));
    before.stays_within(Footprint::of(laptop.pid()), 24);
    assert!(matches!(line.run(9, &chat("On")).end, Some(End::Done(_))));
}

/// A program that puts an upload of so many octets.
fn upload(len: u64) -> Vec<u8> {
    let mut builder = Builder::new();
    let blob = Blob {
        sha256: RingCrypto.sha256(&[b"never comes"]),
        len,
        ty: ValueType::Bytes,
    };
    let (path, data) = (builder.name("bomb.bin"), builder.blob(blob));
    let put = builder.op(&Op::Put(Put {
        path,
        data,
        write: How::New,
    }));
    builder.emit(put);
    builder.finish().expect("a program")
}

#[test]
fn a_piece_that_would_grow_without_end_ends_the_session_and_takes_no_memory() {
    let (laptop, address, card) = paired("bomb");
    allow(&laptop, &["chat", "put"]);
    still_serves(&card, address, 1);
    let before = Footprint::of(laptop.pid());
    // 64 MB of zeros in some kilobytes, and a frame that is none.
    let bomb = zstd::bulk::compress(&vec![0; 64 << 20], 19).expect("compressed");
    assert!(bomb.len() <= MAX_CHUNK_LEN);
    let lies: [(&[u8], u32); 4] = [
        (&bomb, MAX_CHUNK_LEN as u32),
        (&bomb, u32::MAX),
        (b"\x28\xb5\x2f\xfd no frame", 100),
        (
            b"\x28\xb5\x2f\xfd\xa0\xff\xff\xff\xff",
            MAX_CHUNK_LEN as u32,
        ),
    ];
    for (number, (bytes, raw_len)) in lies.into_iter().enumerate() {
        let mut line = card.link(address).expect("linked");
        let id = 10 + number as u64;
        line.submit(id, &upload(1 << 20));
        // The path is the first constant, the upload the second.
        let slot = UPLOAD_SLOT + 1;
        line.until("the upload to be asked for", |line| {
            line.positions.contains_key(&(id, slot))
        })
        .expect("alive");
        let piece = Data {
            id: RequestId(id),
            slot,
            offset: 0,
            raw_len,
            fin: false,
            bytes,
        };
        line.raw(&frame(&Message::Data(piece))).expect("sent");
        assert!(line.ends(), "{number}: such a piece was put up with");
    }
    before.stays_within(Footprint::of(laptop.pid()), 24);
    assert!(!laptop.files().join("bomb.bin").exists());
    still_serves(&card, address, 50);
}

#[test]
fn no_path_leads_out_of_the_drop_folder() {
    let (laptop, address, card) = paired("paths");
    allow(&laptop, &["chat", "put", "get"]);
    laptop.ask(&["limit", "pocket", "--requests-per-minute", "6000"]);
    let outside = laptop.home.join("outside");
    std::fs::create_dir_all(&outside).expect("a folder");
    std::fs::write(outside.join("secret.txt"), "the owner's").expect("written");
    let folder = laptop.files();
    // The laptop makes it with the first file.
    std::fs::create_dir_all(&folder).expect("a folder");
    std::os::unix::fs::symlink(&outside, folder.join("away")).expect("a link");
    std::os::unix::fs::symlink(outside.join("secret.txt"), folder.join("one.txt")).expect("a link");
    let absolute = outside.join("new.txt").display().to_string();
    let climbing = format!("{}etc/passwd", "../".repeat(12));
    let tricks = [
        "../new.txt",
        "a/../../new.txt",
        "./../new.txt",
        "..",
        ".",
        "",
        "/",
        "//new.txt",
        &absolute,
        &climbing,
        "away/new.txt",
        "away/secret.txt",
        "one.txt",
        "a\0b.txt",
        "..\\new.txt/../../x",
        "new.txt/",
        "a//b",
    ];
    let before = everything(&laptop.home, &folder);
    let mut line = card.link(address).expect("linked");
    for (id, trick) in tricks.iter().enumerate() {
        let told = line.run(id as u64 + 1, &put_and_get(trick, "poison"));
        if matches!(told.end, Some(End::Done(_))) {
            // Then it is a plain name inside, and what it gave is what it took.
            assert_eq!(told.text(1), "poison", "{trick:?}");
        }
        assert!(!told.text(1).contains("owner"), "{trick:?} read outside");
    }
    assert_eq!(
        everything(&laptop.home, &folder),
        before,
        "something lies outside"
    );
    let secret = std::fs::read_to_string(outside.join("secret.txt"));
    assert_eq!(secret.expect("still there"), "the owner's");
}

/// Files of the laptop that no request may touch: names below its home but for the drop folder, and folders called `state` or `run`.
fn everything(home: &Path, but: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    let mut to_visit = vec![home.to_owned()];
    while let Some(folder) = to_visit.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let own = path == but || path.ends_with("state") || path.ends_with("run");
            if own || path.is_symlink() {
                continue;
            }
            if path.is_dir() {
                to_visit.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

#[test]
fn no_name_moves_the_owners_cursor() {
    let laptop = Laptop::start("names");
    let address = laptop.address();
    laptop.ask(&["pair", "--open"]);
    let (sender, digits) = std::sync::mpsc::channel();
    let pocket = std::thread::spawn(move || Card::pair(address, POISON, &sender));
    let digits = digits.recv().expect("digits are shown");
    let typed = laptop.officectl(&["pair", "--digits", &digits]);
    let card = pocket.join().expect("no panic").expect("paired").card;
    let folder = laptop.files();
    let mut line = card.link(address).expect("linked");
    // A name as a path, as a model and as an address; each waits for the owner's word.
    line.submit(1, &put_and_get(POISON, POISON));
    line.submit(2, &model_named(POISON));
    line.step().expect("alive");
    let mut shown = String::from_utf8_lossy(&typed.stdout).into_owned();
    laptop.await_question();
    for words in [
        &["status"][..],
        &["devices"],
        &["pending"],
        &["ledger", "show"],
        &["files"],
        &["logs"],
    ] {
        let output = laptop.officectl(words);
        shown.push_str(&String::from_utf8_lossy(&output.stdout));
        shown.push_str(&String::from_utf8_lossy(&output.stderr));
    }
    assert!(shown.contains("evil"), "the name was nowhere: {shown}");
    for text in shown.lines() {
        assert!(is_calm(text), "{text:?}");
    }
    for text in laptop.log().lines() {
        assert!(is_calm(text), "in the log: {text:?}");
    }
    let name = folder.file_name().expect("a name").to_string_lossy();
    assert!(is_calm(&name) && !name.contains('/'), "{name:?}");
}
