//! Providers that answer with poison: the request ends with words that do nothing, and the service goes on within bounds.

mod bare;

use bare::calm::{POISON, is_calm};
use bare::footprint::Footprint;
use bare::person::{allow, chat, model_named, pair};
use bare::{End, Laptop};
use shared_proto::program::{Builder, Generate, Op};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A server that answers each question that is not a list of models with the next of its answers, as it stands.
struct Poisoner {
    address: SocketAddr,
    /// Answers that were given.
    given: Arc<AtomicUsize>,
}

impl Poisoner {
    /// `lingers`: it leaves the connection as it is after an answer for as long as it is listened to.
    fn start(answers: Vec<Vec<u8>>, lingers: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("its address");
        let (answers, given) = (Arc::new(answers), Arc::new(AtomicUsize::new(0)));
        let next = Arc::clone(&given);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answers, next) = (Arc::clone(&answers), Arc::clone(&next));
                std::thread::spawn(move || poison(stream, &answers, &next, lingers));
            }
        });
        Self { address, given }
    }
}

fn poison(mut stream: TcpStream, answers: &[Vec<u8>], next: &AtomicUsize, lingers: bool) {
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
        if lingers {
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
    // Each from a provider of its own: one that has failed three times is left alone for a while.
    let providers: Vec<Poisoner> = answers
        .into_iter()
        .map(|answer| {
            // Whoever says how long it is need not end the connection.
            let measured = answer.windows(16).any(|part| part == b"content-length: ");
            Poisoner::start(vec![answer], measured)
        })
        .collect();
    let settings: String = providers
        .iter()
        .enumerate()
        .map(|(number, provider)| {
            format!(
                "[[provider]]\nname = \"desk{number}\"\nkind = \"openai\"\nbase_url = \"http://{}/v1\"\n",
                provider.address
            )
        })
        .collect();
    let laptop = Laptop::served("poison", &settings);
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
        let number = id - 2;
        let told = line.run(id, &model_named(&format!("desk{number}/parrot")));
        assert_eq!(
            providers[number as usize].given.load(Ordering::Relaxed),
            1,
            "{number} was not asked, or again"
        );
        let body = told.bodies.values().next().map_or(0, Vec::len);
        // 64 tokens were asked for; the cap lies far above any real answer of that length.
        assert!(body < 64 * 1024, "{number}: {body} octets");
        match &told.end {
            Some(End::Failed(_, _, detail)) => assert!(is_calm(detail), "{number}: {detail:?}"),
            // Words are words: more of them than were asked for are cut off.
            end => assert!(number == 3, "{number}: {end:?}"),
        }
    }
    assert_eq!(service(&laptop, "llm-service"), pid, "the service fell");
    before.stays_within(Footprint::of(pid), 48);
    daemon.stays_within(Footprint::of(laptop.pid()), 24);
    for text in laptop.log().lines() {
        assert!(is_calm(text), "in the log: {text:?}");
    }
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
    let provider = Poisoner::start(answers, false);
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
    assert_eq!(provider.given.load(Ordering::Relaxed) as u64, count);
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
