//! Measures what BENCHMARKS.md reports of the whole path: how late a streamed word is on the handheld's model, its first words and its whole
//! answer, a picture and a file of 100 MB, each beside a plain client in the same run; what the durable write before dispatch costs; what typical
//! requests weigh.

mod support;

use shared_proto::limits::MAX_FRAME_HEADER_LEN;
use shared_proto::message::{Message, RequestId, Submit};
use shared_proto::program::{Blob, Builder, Chat, Generate, Get, List, Op, Put, ValueType, Write};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use support::Folder;
use support::laptop::Laptop;
use support::pocket::Pocket;
use support::process::processor_ms;
use support::provider::{Answer, Provider};

/// Words of the answer that is timed.
const WORDS: usize = 200;
/// Pause between words: a fast local model.
const PAUSE: Duration = Duration::from_millis(25);
/// Runs of each side, taking turns.
const RUNS: usize = 5;

/// Pictures and files of each side, taking turns.
const ROUNDS: usize = 5;
/// Octets of the file.
const FILE_LEN: usize = 100_000_000;

fn main() {
    weigh();
    delay();
}

fn median(values: &mut [f64]) -> (f64, f64) {
    values.sort_by(f64::total_cmp);
    let at = |share: f64| values[((values.len() - 1) as f64 * share) as usize];
    (at(0.5), at(0.95))
}

/// Octets of a request on the wire: frame, and the record around it (22 octets in TLS 1.3 with ChaCha20-Poly1305).
fn weigh() {
    println!("\n## Octets of a request on the wire\n\n| request | octets |\n|---|---|");
    let mut rows: Vec<(&str, Vec<u8>)> = Vec::new();
    let mut add = |name, build: &dyn Fn(&mut Builder)| {
        let mut builder = Builder::new();
        build(&mut builder);
        let program = builder.finish().expect("a program");
        let submit = Submit {
            id: RequestId(1234),
            program: &program,
            signature: &[7; 64],
        };
        let mut frame = Vec::new();
        Message::Submit(submit).encode(&mut frame).expect("a frame");
        assert!(frame.len() > MAX_FRAME_HEADER_LEN);
        rows.push((name, frame));
    };
    let chat = |b: &mut Builder, text: &str| {
        let (model, input) = (b.name("ollama/llama3.1:8b"), b.text(text));
        let answer = b.op(&Op::Chat(Chat {
            model,
            conversation: 0x1234_5678_9abc_def0,
            parent: [9; 8],
            history: None,
            system: None,
            input,
            max_tokens: 1024,
            temperature: None,
        }));
        b.emit(answer);
    };
    add("chat, a short question", &|b| {
        chat(b, "What would that cost?")
    });
    add("chat, three sentences", &|b| {
        chat(
            b,
            "Write a short letter to my neighbour about the fence. It lost two boards in the storm. I would like to repair it on Saturday and would be glad of a hand.",
        );
    });
    add("picture, 640×480, 20 steps", &|b| {
        let model = b.name("easel/sdxl");
        let prompt = b.text("A calm harbour at dusk, oil on canvas, boats in the foreground");
        let style = b.name("oil painting");
        let picture = b.op(&Op::Generate(Generate {
            model,
            prompt,
            negative: None,
            style,
            width: 640,
            height: 480,
            steps: 20,
            seed: None,
        }));
        b.emit(picture);
    });
    add("list of files", &|b| {
        let path = b.name("");
        let list = b.op(&Op::List(List {
            path,
            skip: 0,
            limit: 200,
        }));
        b.emit(list);
    });
    add("fetch a file", &|b| {
        let path = b.name("report.pdf");
        let get = b.op(&Op::Get(Get {
            path,
            max_len: 1_400_000,
        }));
        b.emit(get);
    });
    add("send a file (its octets follow)", &|b| {
        let path = b.name("notes.txt");
        let data = b.blob(Blob {
            sha256: [5; 32],
            len: 12_000,
            ty: ValueType::Bytes,
        });
        let put = b.op(&Op::Put(Put {
            path,
            data,
            write: Write::Rename,
        }));
        b.emit(put);
    });
    for (name, frame) in rows {
        let octets = frame.len() + 22;
        println!("| {name} | {octets} |");
        assert!((50..=500).contains(&octets), "{name} weighs {octets}");
    }
}

type Sent = Arc<Mutex<BTreeMap<String, Instant>>>;

fn delay() {
    let sent: Sent = Arc::default();
    let stamps = Arc::clone(&sent);
    let provider = Provider::stamped(
        |prompt| Answer {
            pieces: (0..WORDS)
                .map(|n| format!("{}w{n} ", prompt.split(' ').next().unwrap_or("")))
                .collect(),
            pause: PAUSE,
            die_after: None,
        },
        move |piece| {
            stamps
                .lock()
                .expect("stamps")
                .insert(piece.trim().to_owned(), Instant::now());
        },
    );
    let entries = provider.entry() + &provider.painter_entry();
    let laptop = Laptop::with("bench", &entries, &[]);
    let card = Folder::new("bench-card");
    let mut pocket = Pocket::start(&card.path().join("card"), laptop.address());
    pocket.pair(&laptop);
    let operations = ["chat", "generate", "fit", "list", "get"];
    laptop.ctl().permit("Pocket", &operations, "allow");
    for operation in operations {
        pocket.wait(&format!("may.{operation}=allow"));
    }

    let (mut ours, mut plain, mut ratios, mut before_first) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut answers = Vec::new();
    for run in 0..RUNS {
        let (mut direct, plainly) = direct(&provider, &sent, run);
        let (mut through, whole) = through(&mut pocket, &provider, &sent, run, &mut before_first);
        ratios.push(median(&mut through).0 / median(&mut direct).0);
        plain.append(&mut direct);
        ours.append(&mut through);
        answers.push((whole, plainly));
    }
    let (ours, ours95) = median(&mut ours);
    let (plain, plain95) = median(&mut plain);
    let (ratio, _) = median(&mut ratios);
    let (first, first95) = median(&mut before_first);
    let (durable, durable95) = median(&mut durable_writes());
    println!("\n## From the provider's socket to the handheld's model\n");
    println!(
        "{RUNS} answers of {WORDS} words each way, one every {} ms; milliseconds.\n",
        PAUSE.as_millis()
    );
    println!("| | median | 95 % |\n|---|---|---|");
    println!(
        "| a word on the handheld's model (and told to this program over a pipe) | {ours:.2} | {ours95:.2} |"
    );
    println!("| the same word at a plain HTTP client | {plain:.2} | {plain95:.2} |");
    println!("| median of the runs' ratios | {ratio:.1} | |");
    println!("| Send pressed → provider asked | {first:.1} | {first95:.1} |");
    println!("| of that, the durable write before dispatch | {durable:.1} | {durable95:.1} |");
    println!(
        "\nTarget: a word within 5 ms (median): {}",
        if ours <= 5.0 { "met" } else { "MISSED" }
    );
    println!("\n## Whole answers, pictures and files, milliseconds\n");
    println!(
        "| | the handheld | a plain client | more by | times as long |\n|---|---|---|---|---|"
    );
    let of = |part: fn(&Spans) -> f64| {
        let pairs = answers.iter().map(|(a, b)| (part(a), part(b)));
        pairs.collect::<Vec<_>>()
    };
    beside("Send pressed → first word", of(|spans| spans.first));
    beside("Send pressed → whole answer", of(|spans| spans.whole));
    beside(
        "Start pressed → picture of 640×480 (noise, 1 MB) can be shown",
        pictures(&mut pocket, &provider),
    );
    files(&mut pocket, &laptop);
    pocket.quit();
}

/// Prints medians of both and of what lies between them.
fn beside(what: &str, pairs: Vec<(f64, f64)>) {
    let column = |of: fn(&(f64, f64)) -> f64| median(&mut pairs.iter().map(of).collect::<Vec<_>>());
    println!(
        "| {what} | {:.1} | {:.1} | {:.1} | {:.3} |",
        column(|pair| pair.0).0,
        column(|pair| pair.1).0,
        column(|pair| pair.0 - pair.1).0,
        column(|pair| pair.0 / pair.1).0
    );
}

/// Milliseconds from asking.
struct Spans {
    first: f64,
    whole: f64,
}

fn ms(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
}

/// A picture on the handheld, and the same from the painter itself.
fn pictures(pocket: &mut Pocket, provider: &Provider) -> Vec<(f64, f64)> {
    let rounds = (0..ROUNDS).map(|round| {
        let prompt = format!("A calm harbour {round}");
        pocket.home();
        pocket.write_prompt(&prompt);
        let begun = Instant::now();
        pocket.press("Start");
        pocket.wait(&format!("pictures={}", round + 1));
        pocket.wait("picture.0=ready");
        let ours = ms(begun);
        let body = format!(r#"{{"prompt":"{prompt}","width":640,"height":480,"steps":20}}"#);
        let begun = Instant::now();
        let mut stream = post(provider, "/sdapi/v1/txt2img", &body);
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("an answer");
        let head = answer.windows(4).position(|end| end == b"\r\n\r\n");
        let body = &answer[head.expect("a head") + 4..];
        let json: serde_json::Value = serde_json::from_slice(body).expect("JSON");
        let picture = json["images"][0].as_str().expect("a picture");
        let picture = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, picture);
        image::load_from_memory(&picture.expect("base64")).expect("a PNG");
        (ours, ms(begun))
    });
    rounds.collect()
}

/// A large file on the card, the same over plain TCP to another file, and by scp where OFFICEOS_SCP says how.
fn files(pocket: &mut Pocket, laptop: &Laptop) {
    let mut folders = std::fs::read_dir(laptop.home().join("files")).expect("drop folders");
    let folder = folders.next().expect("one").expect("readable").path();
    // Like most large files it cannot be made smaller.
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let octets: Vec<u8> = (0..FILE_LEN / 8)
        .flat_map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()
        })
        .collect();
    let copies = Folder::new("bench-copies");
    let scp = std::env::var("OFFICEOS_SCP").ok();
    let (mut plain, mut secure) = (Vec::new(), Vec::new());
    let mut worked = [(); 2].map(|()| Vec::new());
    for round in 0..ROUNDS {
        let name = format!("large-{round}.bin");
        let (source, copy) = (folder.join(&name), copies.path().join(&name));
        std::fs::write(&source, &octets).expect("a file in the drop folder");
        pocket.home();
        pocket.press("Up Up Up Left Down A");
        pocket.wait("screen=files");
        pocket.wait(&format!("files.laptop~{name}"));
        while !pocket.fact("focus").contains(&name) {
            pocket.press("Down");
        }
        let pids = [pocket.pid(), laptop.pid()];
        let before = pids.map(processor_ms);
        let begun = Instant::now();
        pocket.press("A");
        pocket.wait(&format!("files.card~{name}"));
        let ours = ms(begun);
        for (side, pid) in pids.into_iter().enumerate() {
            worked[side].push(processor_ms(pid) - before[side]);
        }
        let begun = Instant::now();
        copied(&source, &copy);
        plain.push((ours, ms(begun)));
        if let Some(scp) = &scp {
            std::fs::remove_file(&copy).expect("the copy goes");
            let command = format!("{scp}:{} {}", source.display(), copy.display());
            let begun = Instant::now();
            let mut shell = std::process::Command::new("sh");
            let status = shell.args(["-c", &command]).status().expect("a shell");
            assert!(status.success(), "{command}");
            forced(&copy);
            secure.push((ours, ms(begun)));
        }
        for file in [&source, &copy] {
            std::fs::remove_file(file).expect("it goes");
        }
    }
    beside("a file of 100 MB on the card, beside plain TCP", plain);
    if !secure.is_empty() {
        beside("the same beside scp", secure);
    }
    let [handheld, daemon] = worked.map(|mut times| median(&mut times).0);
    println!(
        "\nProcessor time for the file: the handheld {handheld:.0}, laptop-daemon {daemon:.0}."
    );
}

/// What stands in a file is on the disk: the handheld's is, when it says so.
fn forced(path: &Path) {
    let file = std::fs::File::open(path).expect("the copy");
    file.sync_all().expect("on the disk");
}

/// A file over plain TCP to another file.
fn copied(source: &Path, copy: &Path) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut stream = TcpStream::connect(address).expect("connected");
            let mut file = std::fs::File::open(source).expect("the source");
            let mut piece = vec![0; 16 * 1024];
            while let len @ 1.. = file.read(&mut piece).expect("read") {
                stream.write_all(&piece[..len]).expect("sent");
            }
        });
        let (mut stream, _) = listener.accept().expect("a connection");
        let mut file = std::fs::File::create(copy).expect("the copy");
        let mut piece = vec![0; 16 * 1024];
        while let len @ 1.. = stream.read(&mut piece).expect("read") {
            file.write_all(&piece[..len]).expect("written");
        }
        file.sync_all().expect("on the disk");
    });
}

/// A plain client that reads the provider's stream itself.
fn direct(provider: &Provider, sent: &Sent, run: usize) -> (Vec<f64>, Spans) {
    let prompt = format!("d{run}");
    let body = format!(
        r#"{{"model":"parrot","stream":true,"messages":[{{"role":"user","content":"{prompt}"}}]}}"#
    );
    let pressed = Instant::now();
    let stream = post(provider, "/v1/chat/completions", &body);
    let mut first = None;
    let mut delays = Vec::new();
    for line in BufReader::new(stream).lines().map_while(Result::ok) {
        let now = Instant::now();
        let Some(data) = line.strip_prefix("data: ") else {
            continue;
        };
        let chunk: serde_json::Value = serde_json::from_str(data).unwrap_or_default();
        let Some(word) = chunk["choices"][0]["delta"]["content"].as_str() else {
            continue;
        };
        if let Some(at) = sent.lock().expect("stamps").get(word.trim()) {
            delays.push(now.duration_since(*at).as_secs_f64() * 1e3);
            first.get_or_insert(now.duration_since(pressed).as_secs_f64() * 1e3);
        }
    }
    let (first, whole) = (first.expect("a word"), ms(pressed));
    (delays, Spans { first, whole })
}

/// Asks the provider as a plain client does.
fn post(provider: &Provider, path: &str, body: &str) -> TcpStream {
    let mut stream = TcpStream::connect(provider.address()).expect("the provider");
    stream.set_nodelay(true).expect("an option");
    write!(
        stream,
        "POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .expect("sent");
    stream
}

/// The handheld's model, asked for each word.
fn through(
    pocket: &mut Pocket,
    provider: &Provider,
    sent: &Sent,
    run: usize,
    before_first: &mut Vec<f64>,
) -> (Vec<f64>, Spans) {
    let prompt = format!("Q{run}");
    pocket.home();
    pocket.press("Start");
    pocket.wait("screen=writing");
    pocket.type_text(&prompt);
    let asked = provider.prompts().len();
    let pressed = Instant::now();
    pocket.press("Start");
    let (mut delays, mut first) = (Vec::new(), None);
    for word in 0..WORDS {
        let marker = format!("{prompt}w{word}");
        pocket.wait(&format!("answer~{marker}"));
        let now = Instant::now();
        let at = *sent
            .lock()
            .expect("stamps")
            .get(&marker)
            .expect("it was sent");
        delays.push(now.saturating_duration_since(at).as_secs_f64() * 1e3);
        first.get_or_insert(now.duration_since(pressed).as_secs_f64() * 1e3);
    }
    if let Some(at) = provider.asked_at(asked) {
        before_first.push(at.saturating_duration_since(pressed).as_secs_f64() * 1e3);
    }
    pocket.wait("answer.state=done");
    let (first, whole) = (first.expect("a word"), ms(pressed));
    (delays, Spans { first, whole })
}

/// The one durable write that every request waits for, alone.
fn durable_writes() -> Vec<f64> {
    use laptop::policy::{Profile, Usage};
    use laptop::store::{Author, Claim, NewRelationship, NewRequest, Store};
    use shared_proto::crypto::ring::{RingCrypto, RingSigner};
    use shared_proto::crypto::{Signature, Signer, TokenSecret};
    use shared_proto::renewal::Credentials;
    let folder = Folder::new("bench-store");
    let store = Store::open(folder.path()).expect("a store");
    let (own, _) = RingSigner::generate().expect("a key");
    let (_, peer) = RingSigner::generate().expect("a key");
    let token = TokenSecret::generate(&RingCrypto).expect("a secret");
    let new = NewRelationship {
        name: "bench".into(),
        keys: Credentials {
            own,
            peer: peer.public_key(),
            token,
        },
        screen: (640, 480),
        created_at: 0,
        expires_at: i64::MAX / 2,
        provisional_until: i64::MAX / 2,
    };
    let relationship = store
        .add_relationship(&new, &Profile::of_new_device())
        .expect("a relationship")
        .id;
    (1..=200)
        .map(|id| {
            let request = NewRequest {
                relationship,
                id,
                digest: [1; 32],
                author: Author::Device {
                    key: peer.public_key(),
                    signature: Signature([2; 64]),
                    exporter: [3; 32],
                },
                claim: Claim {
                    wants: Vec::new(),
                    asks: false,
                },
                reserved: Usage::default(),
                now: 0,
                day: 0,
            };
            let started = Instant::now();
            store.admit(&request).expect("written");
            started.elapsed().as_secs_f64() * 1e3
        })
        .collect()
}
