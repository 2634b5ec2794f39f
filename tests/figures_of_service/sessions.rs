//! The daemon under 1, 8 and 64 sessions that all stream at once, beside nginx with TLS before the same provider, and beside clients that ask the
//! provider themselves.

use super::{at, pair, processes, pss};
use crate::pocket::Card;
use crate::support::laptop::Laptop;
use crate::support::provider::{Answer, Provider};
use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Barrier, Mutex};
use std::time::{Duration, Instant};

use crate::plot::Lines;
use crate::support::process::{children, processor_ms};
use crate::support::{Folder, eventually};

/// Sessions that are linked at once.
const COUNTS: [usize; 3] = [1, 8, 64];
/// Words of each answer, and the pause before each: a fast local model.
const WORDS: usize = 200;
const PAUSE: Duration = Duration::from_millis(50);
/// Rounds of each, taking turns.
const ROUNDS: usize = 3;

/// When the provider sent each word.
type Sent = Arc<Mutex<HashMap<String, Instant>>>;

/// What one way of asking showed.
#[derive(Default)]
struct Seen {
    /// Milliseconds from the provider's socket, of all words.
    delays: Vec<f64>,
    /// Milliseconds of processor time for a thousand words, of each round.
    per_thousand: Vec<f64>,
    /// Frames that brought a thousand words.
    frames: Vec<f64>,
    /// Kilobytes of all its processes while it streams, of each round.
    memory: Vec<f64>,
    /// Likewise of its busiest process: laptop-daemon.
    daemon: Vec<f64>,
}

pub fn sessions() {
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
            let mut sent = stamps.lock().expect("stamps");
            sent.insert(piece.trim().to_owned(), Instant::now());
        },
    );
    let most = COUNTS[COUNTS.len() - 1];
    let mut laptop = Laptop::with("sessions", &provider.entry(), &[]);
    let file = laptop.home().join("config/daemon.toml");
    let text = fs::read_to_string(&file).expect("settings");
    let daemon = format!("[daemon]\nmax_paired_devices = {most}\n");
    let manners = format!("[manners]\ntexts_at_once = {most}\n");
    let text = text
        .replace("[daemon]\n", &daemon)
        .replace("[manners]\n", &manners);
    fs::write(&file, text).expect("settings");
    laptop.kill();
    laptop.restart();
    let cards = pair(&laptop, most);
    let nginx = Nginx::start(provider.address());

    let mut plot = Lines::new(
        "A word under streaming sessions: milliseconds from the provider's socket",
        "sessions",
        "milliseconds",
    );
    let mut lines: Vec<(&str, Vec<(f64, f64)>)> = Vec::new();
    println!(
        "\n## Sessions that stream at once: {WORDS} words each, one every {} ms, {ROUNDS} rounds in turn\n",
        PAUSE.as_millis()
    );
    println!(
        "| sessions | | median ms | 99 % ms | slowest ms | processor ms for 1,000 words | in so many frames | memory MB | of that laptop-daemon |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    let mut memory: Vec<(&str, usize, f64)> = Vec::new();
    for count in COUNTS {
        let (mut ours, mut relayed, mut plain) =
            (Seen::default(), Seen::default(), Seen::default());
        for round in 0..ROUNDS {
            through(&laptop, &cards[..count], &sent, round, &mut ours);
            if let Some(nginx) = &nginx {
                let url = format!("https://127.0.0.1:{}", nginx.port);
                read_all(&url, count, &sent, round, Some(nginx), &mut relayed);
            }
            let url = format!("http://{}", provider.address());
            read_all(&url, count, &sent, round, None, &mut plain);
            sent.lock().expect("stamps").clear();
        }
        let all = [
            ("OfficeOS, all five processes", ours),
            ("nginx with TLS, one worker", relayed),
            ("the provider itself", plain),
        ];
        for (name, mut seen) in all {
            if seen.delays.is_empty() {
                continue;
            }
            let (middle, high, worst) = (
                at(&mut seen.delays, 0.5),
                at(&mut seen.delays, 0.99),
                at(&mut seen.delays, 1.0),
            );
            let mut cells = [
                &mut seen.per_thousand,
                &mut seen.frames,
                &mut seen.memory,
                &mut seen.daemon,
            ]
            .map(|values| (!values.is_empty()).then(|| at(values, 0.5)));
            if let Some(kb) = cells[2] {
                memory.push((name, count, kb));
            }
            cells[2] = cells[2].map(|kb| kb / 1000.0);
            cells[3] = cells[3].map(|kb| kb / 1000.0);
            let cells = cells.map(|cell| cell.map_or(String::new(), |value| format!("{value:.1}")));
            println!(
                "| {count} | {name} | {middle:.2} | {high:.2} | {worst:.1} | {} |",
                cells.join(" | ")
            );
            let point = |lines: &mut Vec<(&'static str, Vec<(f64, f64)>)>, title, value| match lines
                .iter_mut()
                .find(|(known, _)| *known == title)
            {
                Some((_, points)) => points.push((count as f64, value)),
                None => lines.push((title, vec![(count as f64, value)])),
            };
            let (half, tail) = match name {
                "OfficeOS, all five processes" => ("OfficeOS, median", "99 %"),
                "the provider itself" => ("provider, median", "99 % "),
                _ => ("nginx, median", " 99 %"),
            };
            point(&mut lines, half, middle);
            point(&mut lines, tail, high);
        }
    }
    for (name, points) in lines {
        plot.add(name, points);
    }
    plot.write(&super::plots().join("sessions-delay.svg"));
    println!("\n| memory of a further session, kB | |\n|---|---|");
    for name in ["OfficeOS, all five processes", "nginx with TLS, one worker"] {
        let mut of = memory.iter().filter(|(known, ..)| *known == name);
        if let (Some((_, few, low)), Some((_, many, high))) = (of.next(), of.next_back()) {
            println!("| {name} | {:.0} |", (high - low) / (many - few) as f64);
        }
    }
}

/// All devices ask, each over a session of its own.
fn through(laptop: &Laptop, cards: &[Card], sent: &Sent, round: usize, seen: &mut Seen) {
    let address = laptop.address();
    let start = Arc::new(Barrier::new(cards.len() + 1));
    let threads: Vec<_> = cards
        .iter()
        .enumerate()
        .map(|(device, card)| {
            let (start, sent) = (Arc::clone(&start), Arc::clone(sent));
            // One after the other: the laptop turns away what comes in a crowd before it has shown who it is.
            let mut line = card.link(address).expect("linked");
            std::thread::spawn(move || {
                let id = line.greeting.as_ref().map_or(1, |greeting| greeting.floor);
                start.wait();
                line.submit(id, &super::chat(&format!("s{round}d{device}")));
                let (mut delays, mut read) = (Vec::new(), 0);
                loop {
                    line.step().expect("the session lives");
                    let now = Instant::now();
                    let Some(told) = line.told.get(&id) else {
                        continue;
                    };
                    let body = told.bodies.get(&0).map_or(&[][..], Vec::as_slice);
                    read += words(&body[read..], now, &sent, &mut delays);
                    if told.end.is_some() {
                        break;
                    }
                }
                assert_eq!(delays.len(), WORDS, "{:?}", line.told.get(&id));
                let pieces = line.told[&id].pieces;
                line.ack(id);
                // The others still stream, and what goes meanwhile would be taken for theirs.
                start.wait();
                (delays, pieces)
            })
        })
        .collect();
    let all = processes(laptop);
    let used = || all.iter().map(|(pid, _)| processor_ms(*pid)).sum::<f64>();
    start.wait();
    let before = used();
    // Memory is looked at halfway through the answers, whose pace is the provider's.
    std::thread::sleep(PAUSE * WORDS as u32 / 2);
    seen.memory
        .push(all.iter().map(|(pid, _)| pss(*pid) as f64).sum());
    seen.daemon.push(pss(laptop.pid()) as f64);
    start.wait();
    let used = used() - before;
    let (mut frames, asked) = (0, (WORDS * cards.len()) as f64);
    for one in threads {
        let (mut delays, pieces) = one.join().expect("no panic");
        seen.delays.append(&mut delays);
        frames += pieces;
    }
    seen.frames.push(frames as f64 * 1000.0 / asked);
    seen.per_thousand.push(used * 1000.0 / asked);
}

/// Takes the words that are whole and returns how many octets they were.
fn words(bytes: &[u8], now: Instant, sent: &Sent, delays: &mut Vec<f64>) -> usize {
    let Some(end) = bytes.iter().rposition(|octet| *octet == b' ') else {
        return 0;
    };
    let sent = sent.lock().expect("stamps");
    for word in String::from_utf8_lossy(&bytes[..end]).split(' ') {
        let at = sent.get(word).expect("it was sent");
        delays.push(now.saturating_duration_since(*at).as_secs_f64() * 1e3);
    }
    end + 1
}

/// So many HTTP clients read a stream each.
fn read_all(
    url: &str,
    count: usize,
    sent: &Sent,
    round: usize,
    nginx: Option<&Nginx>,
    seen: &mut Seen,
) {
    let start = Arc::new(Barrier::new(count + 1));
    let kind = if nginx.is_some() { 'n' } else { 'p' };
    let threads: Vec<_> = (0..count)
        .map(|device| {
            let (start, sent) = (Arc::clone(&start), Arc::clone(sent));
            let url = format!("{url}/v1/chat/completions");
            std::thread::spawn(move || {
                let prompt = format!("{kind}{round}d{device}");
                // The server's certificate is one of its own making, for this run alone.
                let tls = ureq::tls::TlsConfig::builder()
                    .disable_verification(true)
                    .build();
                let agent: ureq::Agent =
                    ureq::Agent::config_builder().tls_config(tls).build().into();
                start.wait();
                let body = serde_json::json!({"model": "parrot", "stream": true,
                    "messages": [{"role": "user", "content": prompt}]});
                let answer = agent.post(&url).send_json(body).expect("asked");
                let mut delays = Vec::new();
                for line in BufReader::new(answer.into_body().into_reader())
                    .lines()
                    .map_while(Result::ok)
                {
                    let now = Instant::now();
                    let Some(data) = line.strip_prefix("data: ") else {
                        continue;
                    };
                    let chunk: serde_json::Value = serde_json::from_str(data).unwrap_or_default();
                    if let Some(word) = chunk["choices"][0]["delta"]["content"].as_str() {
                        words(word.as_bytes(), now, &sent, &mut delays);
                    }
                }
                assert_eq!(delays.len(), WORDS);
                start.wait();
                delays
            })
        })
        .collect();
    let pids = nginx.map(Nginx::processes).unwrap_or_default();
    let used = || pids.iter().map(|pid| processor_ms(*pid)).sum::<f64>();
    start.wait();
    let before = used();
    // Memory is looked at halfway through the answers, whose pace is the provider's.
    std::thread::sleep(PAUSE * WORDS as u32 / 2);
    if nginx.is_some() {
        seen.memory
            .push(pids.iter().map(|pid| pss(*pid) as f64).sum());
    }
    start.wait();
    if nginx.is_some() {
        seen.per_thousand
            .push((used() - before) * 1000.0 / (WORDS * count) as f64);
    }
    for one in threads {
        seen.delays.append(&mut one.join().expect("no panic"));
    }
}

/// nginx before the provider, with the channel's cipher.
struct Nginx {
    child: Child,
    port: u16,
    _folder: Folder,
}

impl Nginx {
    /// None where there is no nginx or no openssl.
    fn start(provider: SocketAddr) -> Option<Self> {
        let program = ["/usr/sbin/nginx", "/usr/local/sbin/nginx"]
            .map(str::to_owned)
            .into_iter()
            .chain(std::env::var("OFFICEOS_NGINX"))
            .rfind(|path| Path::new(path).is_file());
        let Some(program) = program else {
            println!("\nNo nginx: it is left out.");
            return None;
        };
        let folder = Folder::new("nginx");
        let home = folder.path().display().to_string();
        let free = TcpListener::bind("127.0.0.1:0").ok()?;
        let port = free.local_addr().ok()?.port();
        drop(free);
        let made = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "ed25519", "-nodes"])
            .args(["-subj", "/CN=localhost", "-days", "2"])
            .args([
                "-keyout",
                &format!("{home}/key"),
                "-out",
                &format!("{home}/cert"),
            ])
            .stderr(Stdio::null())
            .status()
            .ok()?;
        assert!(made.success(), "openssl req");
        let settings = format!(
            "daemon off; pid {home}/pid; error_log {home}/log; worker_processes 1;\n\
             events {{ worker_connections 512; }}\n\
             http {{\n access_log off;\n client_body_temp_path {home}/a; proxy_temp_path {home}/b; fastcgi_temp_path {home}/c;\n\
             uwsgi_temp_path {home}/d; scgi_temp_path {home}/e;\n\
             server {{ listen 127.0.0.1:{port} ssl; ssl_certificate {home}/cert; ssl_certificate_key {home}/key;\n\
             ssl_protocols TLSv1.3; ssl_conf_command Ciphersuites TLS_CHACHA20_POLY1305_SHA256;\n\
             location / {{ proxy_pass http://{provider}; proxy_buffering off; proxy_http_version 1.1; }} }} }}\n"
        );
        fs::write(folder.path().join("conf"), settings).ok()?;
        let child = Command::new(program)
            .args(["-p", &home, "-c", "conf", "-e", "log"])
            .stdin(Stdio::null())
            .spawn()
            .expect("nginx starts");
        eventually("nginx to listen", || {
            TcpStream::connect(("127.0.0.1", port)).ok()
        });
        Some(Self {
            child,
            port,
            _folder: folder,
        })
    }

    fn processes(&self) -> Vec<u32> {
        let workers = children(self.child.id()).into_iter().map(|(pid, _)| pid);
        std::iter::once(self.child.id()).chain(workers).collect()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        crate::support::process::terminate(self.child.id());
        let _ = self.child.wait();
    }
}
