//! A paired device that uses what it may to do harm, and providers that answer with poison: what they get is a refusal or an end, and the
//! laptop goes on within bounds.

mod bare;

use bare::person::{allow, chat, code, pair, paired, put_and_get};
use bare::{Card, End, Laptop};
use shared_proto::crypto::Crypto;
use shared_proto::crypto::ring::RingCrypto;
use shared_proto::error::ErrorCode;
use shared_proto::limits::{
    MAX_CHUNK_LEN, MAX_CONSTS, MAX_OPS, MAX_PATH_LEN, MAX_PROGRAM_LEN, MAX_URL_LEN,
};
use shared_proto::message::{
    Credit, Data, Message, Offset, Offsets, RequestId, Resume, UPLOAD_SLOT,
};
use shared_proto::program::{Blob, Builder, Chat, Generate, Op, Put, ValueType, Write as How};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What a process holds: open files, threads, memory in kilobytes.
#[derive(Clone, Copy, Debug)]
struct Footprint {
    files: usize,
    threads: usize,
    memory: usize,
}

impl Footprint {
    fn of(pid: u32) -> Self {
        let proc = format!("/proc/{pid}");
        let status = std::fs::read_to_string(format!("{proc}/status")).expect("its status");
        let field = |name: &str| -> usize {
            let line = status.lines().find(|line| line.starts_with(name));
            let number = line.and_then(|line| line.split_whitespace().nth(1));
            number.and_then(|number| number.parse().ok()).expect(name)
        };
        Self {
            files: std::fs::read_dir(format!("{proc}/fd"))
                .expect("its files")
                .count(),
            threads: field("Threads:"),
            memory: field("VmRSS:"),
        }
    }

    /// Grown by no more than so many megabytes, and by few files and threads.
    fn stays_within(self, now: Self, megabytes: usize) {
        assert!(
            now.memory < self.memory + megabytes * 1024
                && now.files < self.files + 24
                && now.threads < self.threads + 16,
            "{self:?} became {now:?}"
        );
    }
}

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
    allow(&laptop, &["chat", "put", "get"]);
    still_serves(&card, address, 1);
    let before = Footprint::of(laptop.pid());
    let mut line = card.link(address).expect("linked");
    // A body that fills many windows, asked for with endless credit and not read.
    let submit = line.signed_submit(2, &put_and_get("large.txt", &"x".repeat(15_000)));
    line.raw(&submit).expect("sent");
    let mut flood = Vec::new();
    for slot in 0..UPLOAD_SLOT {
        for limit in [u64::MAX, 0, 1] {
            flood.extend(frame(&Message::Credit(Credit {
                id: RequestId(2),
                slot,
                from: u64::MAX,
                limit,
            })));
        }
    }
    for _ in 0..200 {
        line.raw(&flood).expect("sent");
    }
    before.stays_within(Footprint::of(laptop.pid()), 24);
    drop(line);
    still_serves(&card, address, 3);
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
        // The laptop refuses the number, or ends the session over it; a request of another session is none of its business.
        let mut other = card.link(address).expect("linked beside it");
        drop(line);
        let told = other.run(100 + id % 50 + offset % 7, &chat("Beside"));
        assert!(told.end.is_some(), "{id} {offset}: {told:?}");
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
    for (id, program) in [(2, most(MAX_OPS + 2, 4)), (3, most(4, MAX_CONSTS + 1))] {
        if let Some(program) = program {
            assert!(code(&line.run(id, &program)).is_some(), "{id} ran");
        }
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

    // Names and paths of the longest kind, and longer.
    for (id, len) in [
        (6, MAX_PATH_LEN),
        (7, MAX_PATH_LEN + 1),
        (8, MAX_URL_LEN + 1),
    ] {
        let told = line.run(id, &put_and_get(&"n".repeat(len), "x"));
        assert_eq!(
            matches!(told.end, Some(End::Done(_))),
            len <= MAX_PATH_LEN,
            "{len}: {told:?}"
        );
    }
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

/// Files of the laptop that no request may touch: names below its home but for the drop folder, its state and its log.
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

/// Whether a text moves a cursor, hides or turns words around.
fn is_calm(text: &str) -> bool {
    !text.contains(|c: char| {
        (c.is_control() && c != '\n')
            || ('\u{202a}'..='\u{202e}').contains(&c)
            || ('\u{2066}'..='\u{2069}').contains(&c)
            || c == '\u{200b}'
    })
}

const POISON: &str = "evil\u{1b}[2J\u{1b}]0;x\u{7}\u{202e}gpj\r<b>&amp;";

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

fn model_named(name: &str) -> Vec<u8> {
    let mut builder = Builder::new();
    let (model, input) = (builder.name(name), builder.text("Hello"));
    let answer = builder.op(&Op::Chat(Chat {
        model,
        conversation: 1,
        parent: [0; 8],
        history: None,
        system: None,
        input,
        max_tokens: 64,
        temperature: None,
    }));
    builder.emit(answer);
    builder.finish().expect("a program")
}

/// A server that answers each question that is not a list of models with the next of its answers, as it stands.
struct Poisoner {
    address: SocketAddr,
}

impl Poisoner {
    fn start(answers: Vec<Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("its address");
        let (answers, next) = (Arc::new(answers), Arc::new(AtomicUsize::new(0)));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answers, next) = (Arc::clone(&answers), Arc::clone(&next));
                std::thread::spawn(move || poison(stream, &answers, &next));
            }
        });
        Self { address }
    }
}

fn poison(mut stream: TcpStream, answers: &[Vec<u8>], next: &AtomicUsize) {
    let mut reader = BufReader::new(stream.try_clone().expect("the stream again"));
    let (mut first, mut len) = (String::new(), 0);
    if reader.read_line(&mut first).unwrap_or(0) == 0 {
        return;
    }
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        if line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            len = value.trim().parse().unwrap_or(0);
        }
    }
    let _ = reader.read_exact(&mut vec![0; len]);
    if first.contains("/models") {
        // A name with escapes among the models: it is listed or left out, and harmless.
        let list = serde_json::json!({"data": [{"id": "parrot"}, {"id": POISON}]}).to_string();
        let _ = stream.write_all(&whole("application/json", list.as_bytes()));
        return;
    }
    let number = next.fetch_add(1, Ordering::Relaxed);
    if let Some(answer) = answers.get(number) {
        let _ = stream.write_all(answer);
        // Half of those that say how long they are leave the connection as it is for as long as they are listened to.
        let measured = answer.windows(16).any(|part| part == b"content-length: ");
        if measured && number % 2 == 1 {
            let _ = stream.read(&mut [0]);
        }
    }
}

fn whole(kind: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

fn stream(body: &[u8]) -> Vec<u8> {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
    [head.as_bytes(), body].concat()
}

/// The process of a service of this laptop.
fn service(laptop: &Laptop, name: &str) -> u32 {
    let children = std::fs::read_dir("/proc").expect("processes");
    for entry in children.flatten() {
        let Ok(pid) = entry.file_name().to_string_lossy().parse::<u32>() else {
            continue;
        };
        let read = |file: &str| {
            let path = entry.path().join(file);
            String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).into_owned()
        };
        let stat = read("stat");
        let parent = stat
            .rsplit(')')
            .next()
            .and_then(|rest| rest.split_whitespace().nth(1)?.parse::<u32>().ok());
        if parent == Some(laptop.pid()) && read("cmdline").contains(name) {
            return pid;
        }
    }
    panic!("there is no {name}");
}

#[test]
fn a_text_provider_that_answers_with_poison_ends_its_request_and_no_more() {
    let events = |count: usize, text: &str| {
        let event = serde_json::json!({"choices": [{"delta": {"content": text}}]});
        format!("data: {event}\n\n").repeat(count).into_bytes()
    };
    let error = serde_json::json!({"error": {"message": POISON}}).to_string();
    let mut deep = vec![b'['; 200_000];
    deep.extend(b"]");
    let answers = vec![
        // Lines and documents without end.
        stream(&[b"data: ".to_vec(), vec![b'x'; 8 << 20]].concat()),
        stream(&vec![b'\n'; 4 << 20]),
        whole(
            "application/json",
            &[b"{\"choices\":[".to_vec(), vec![b' '; 6 << 20]].concat(),
        ),
        // Far more words than were asked for.
        stream(&events(60_000, "word after word ")),
        // What is no answer at all.
        stream(b"data: {\"choices\": 7}\n\ndata: nonsense\n\n"),
        stream(format!("data: {error}\n\n").as_bytes()),
        whole("application/json", &deep),
        whole("text/html", b"<script>alert(1)</script>"),
        b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999\r\n\r\n".to_vec(),
        b"\x16\x03\x01\x02\x00\x01\x00".to_vec(),
        [b"HTTP/1.1 200 OK\r\n".to_vec(), b"x: y\r\n".repeat(40_000)].concat(),
        format!("HTTP/1.1 500 {POISON}\r\ncontent-length: 3\r\n\r\nbad").into_bytes(),
    ];
    let count = answers.len() as u64;
    let provider = Poisoner::start(answers);
    let laptop = Laptop::served(
        "poison",
        &format!(
            "[[provider]]\nname = \"desk\"\nkind = \"openai\"\nbase_url = \"http://{}/v1\"\n",
            provider.address
        ),
    );
    let address = laptop.address();
    let card = pair(&laptop, address);
    allow(&laptop, &["chat"]);
    laptop.ask(&["limit", "pocket", "--requests-per-minute", "6000"]);
    let mut line = card.link(address).expect("linked");
    assert!(matches!(
        line.run(1, &chat("Hello")).end,
        Some(End::Done(_))
    ));
    let pid = service(&laptop, "llm-service");
    let (before, daemon) = (Footprint::of(pid), Footprint::of(laptop.pid()));
    for id in 2..2 + count {
        let told = line.run(id, &model_named("desk/parrot"));
        let body = told.bodies.values().next().map_or(0, Vec::len);
        // 64 tokens were asked for; the cap lies far above any real answer of that length.
        assert!(body < 64 * 1024, "{id}: {body} octets");
        if let Some(End::Failed(_, _, detail)) = &told.end {
            assert!(is_calm(detail), "{id}: {detail:?}");
        }
    }
    assert_eq!(service(&laptop, "llm-service"), pid, "the service fell");
    before.stays_within(Footprint::of(pid), 48);
    daemon.stays_within(Footprint::of(laptop.pid()), 24);
    for text in laptop.log().lines() {
        assert!(is_calm(text), "in the log: {text:?}");
    }
    // Its breaker may rest the provider; the other one answers.
    assert!(matches!(
        line.run(900, &chat("Still?")).end,
        Some(End::Done(_))
    ));
}

/// A PNG that says it is as large as this, and holds next to nothing.
fn png_of(width: u32, height: u32) -> Vec<u8> {
    let chunk = |kind: &[u8; 4], body: &[u8]| {
        let typed = [&kind[..], body].concat();
        let mut crc = !0u32;
        for byte in &typed {
            crc ^= u32::from(*byte);
            for _ in 0..8 {
                crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
            }
        }
        let len = (body.len() as u32).to_be_bytes();
        [&len[..], &typed, &(!crc).to_be_bytes()].concat()
    };
    let sizes = [width.to_be_bytes(), height.to_be_bytes()].concat();
    let header = [&sizes[..], &[8, 2, 0, 0, 0]].concat();
    // A stream of zlib that ends at once.
    let nothing = [0x78, 0x9c, 0x03, 0x00, 0x00, 0x00, 0x00, 0x01];
    [
        b"\x89PNG\r\n\x1a\n".to_vec(),
        chunk(b"IHDR", &header),
        chunk(b"IDAT", &nothing),
        chunk(b"IEND", b""),
    ]
    .concat()
}

#[test]
fn a_painter_that_answers_with_poison_ends_its_request_and_no_more() {
    use base64::Engine;
    let picture = |bytes: &[u8]| {
        let data = base64::engine::general_purpose::STANDARD.encode(bytes);
        let answer = serde_json::json!({"data": [{"b64_json": data}]}).to_string();
        whole("application/json", answer.as_bytes())
    };
    let mut jpeg = b"\xff\xd8\xff\xc0\x00\x11\x08\xff\xff\xff\xff\x03".to_vec();
    jpeg.extend([0; 64]);
    let mut webp = b"RIFF\xff\xff\xff\x7fWEBPVP8L\xff\xff\xff\x7f\x2f\xff\xff\xff\xff".to_vec();
    webp.extend([0xff; 256]);
    let answers = vec![
        picture(&png_of(100_000, 100_000)),
        picture(&png_of(4096, 4096)),
        picture(&png_of(0, 0)),
        picture(&jpeg),
        picture(&webp),
        picture(b"GIF89a\xff\xff\xff\xff"),
        picture(b"<svg onload=alert(1)>"),
        whole(
            "application/json",
            b"{\"data\":[{\"url\":\"http://127.0.0.1:1/x.png\"}]}",
        ),
        whole("application/json", &vec![b'['; 100_000]),
        whole("image/png", &png_of(64, 64)),
    ];
    let count = answers.len() as u64;
    let provider = Poisoner::start(answers);
    let laptop = Laptop::served(
        "easel",
        &format!(
            "[[provider]]\nname = \"easel\"\nkind = \"openai-images\"\nbase_url = \"http://{}/v1\"\nmodels = [\"brush\"]\n",
            provider.address
        ),
    );
    let address = laptop.address();
    let card = pair(&laptop, address);
    allow(&laptop, &["generate"]);
    laptop.ask(&["limit", "pocket", "--requests-per-minute", "6000"]);
    let mut line = card.link(address).expect("linked");
    let told = line.run(1, &bare::person::paint("a tree"));
    assert!(matches!(told.end, Some(End::Done(_))), "{:?}", told.end);
    let pid = service(&laptop, "image-service");
    let before = Footprint::of(pid);
    for id in 2..2 + count {
        let told = line.run(id, &painted_by("easel/brush"));
        let Some(End::Failed(_, _, detail)) = &told.end else {
            panic!("{id}: {:?}", told.end);
        };
        assert!(is_calm(detail), "{id}: {detail:?}");
    }
    assert_eq!(service(&laptop, "image-service"), pid, "the service fell");
    // One of them says sixteen million pixels, which is allowed, and holds none: the memory for them was taken for a moment.
    before.stays_within(Footprint::of(pid), 96);
    let told = line.run(900, &bare::person::paint("a house"));
    assert!(matches!(told.end, Some(End::Done(_))), "{:?}", told.end);
}

fn painted_by(model: &str) -> Vec<u8> {
    let mut builder = Builder::new();
    let (model, style) = (builder.name(model), builder.name(""));
    let prompt = builder.text("a tree");
    let picture = builder.op(&Op::Generate(Generate {
        model,
        prompt,
        negative: None,
        style,
        width: 256,
        height: 256,
        steps: 4,
        seed: Some(7),
    }));
    builder.emit(picture);
    builder.finish().expect("a program")
}
