//! How a paired device fares while strangers pour in.

use super::{at, met, pair, pss};
use crate::pocket::{Card, Line};
use crate::support::laptop::Laptop;
use shared_proto::channel::Channel;
use shared_proto::crypto::TokenSecret;
use shared_proto::crypto::ring::{RingCrypto, RingSigner};
use shared_proto::token::{TokenNonce, mint};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Hellos of strangers in a second.
const HELLOS: u64 = 10_000;
/// How long a flood lasts.
const FLOOD: Duration = Duration::from_secs(20);

/// The first flight of a device that was never paired here.
fn stranger() -> Vec<u8> {
    let (own, _) = RingSigner::generate().expect("a key");
    let (_, far) = RingSigner::generate().expect("a key");
    let secret = TokenSecret::generate(&RingCrypto).expect("a secret");
    let nonce = TokenNonce::generate(&RingCrypto).expect("a nonce");
    let name = mint(&RingCrypto, &secret, nonce);
    let mut channel =
        shared_proto::channel::connect(&own, shared_proto::crypto::Signer::public_key(&far), &name)
            .expect("a channel");
    let mut hello = Vec::new();
    channel.transmit(&mut hello);
    hello
}

/// How a paired device fares, connecting again and again until the flag falls: milliseconds from the first octet to the
/// laptop's welcome.
fn visits(card: &Card, address: SocketAddr, until: Instant) -> (Vec<f64>, usize) {
    let (mut times, mut failed) = (Vec::new(), 0);
    while Instant::now() < until {
        let begun = Instant::now();
        match Card::link(card, address) {
            Ok(line) => {
                times.push(begun.elapsed().as_secs_f64() * 1e3);
                drop::<Line>(line);
            }
            Err(_) => failed += 1,
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    (times, failed)
}

pub fn flood() {
    let laptop = Laptop::start("flood");
    let card = pair(&laptop, 1).remove(0);
    let address = laptop.address();
    println!(
        "\n## A paired device connects again and again, milliseconds to the laptop's welcome\n"
    );
    println!(
        "| meanwhile | a second | connected | failed | median | 99 % | slowest | memory of laptop-daemon, MB |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    let mut good = true;
    let mut row = |name: &str, rate: f64, (mut times, failed): (Vec<f64>, usize)| {
        let memory = pss(laptop.pid()) as f64 / 1000.0;
        let (middle, high, worst) = (
            at(&mut times, 0.5),
            at(&mut times, 0.99),
            at(&mut times, 1.0),
        );
        println!(
            "| {name} | {rate:.0} | {} | {failed} | {middle:.1} | {high:.1} | {worst:.1} | {memory:.1} |",
            times.len()
        );
        good &= high < 1000.0 && failed == 0 && memory < 25.0;
    };
    row(
        "nothing",
        0.0,
        visits(&card, address, Instant::now() + Duration::from_secs(5)),
    );
    let hello = Arc::new(stranger());
    let (rate, seen) = pour(address, &card, HELLOS, move |mut stream: TcpStream| {
        let _ = stream.write_all(&hello);
        // The laptop's answer, or its end.
        let _ = stream.read(&mut [0; 64]);
        None
    });
    row("10,000 hellos a second of strangers are tried", rate, seen);
    let (rate, seen) = pour(address, &card, 2_000, Some);
    row("2,000 silent connections a second are tried", rate, seen);
    let half: Arc<Vec<u8>> = Arc::new(stranger()[..700].to_vec());
    let (rate, seen) = pour(address, &card, 2_000, move |mut stream: TcpStream| {
        let _ = stream.write_all(&half);
        Some(stream)
    });
    row("2,000 halves of hellos a second are tried", rate, seen);
    std::thread::sleep(Duration::from_secs(6));
    row(
        "nothing, afterwards",
        0.0,
        visits(&card, address, Instant::now() + Duration::from_secs(5)),
    );
    println!(
        "\nGoal: 99 % below a second, none fails, memory bounded: {}",
        met(good)
    );
}

/// Connects `rate` times a second for as long as a flood lasts and does `what` with each connection; one that it gives
/// back is held open for a second. Gives the rate that was reached, and how the paired device fared.
fn pour(
    address: SocketAddr,
    card: &Card,
    rate: u64,
    what: impl Fn(TcpStream) -> Option<TcpStream> + Clone + Send + 'static,
) -> (f64, (Vec<f64>, usize)) {
    const THREADS: u64 = 8;
    let (count, begun) = (Arc::new(AtomicU64::new(0)), Instant::now());
    let until = begun + FLOOD;
    let strangers: Vec<_> = (0..THREADS)
        .map(|_| {
            let (what, count) = (what.clone(), Arc::clone(&count));
            std::thread::spawn(move || {
                let mut held = std::collections::VecDeque::new();
                let mut due = begun;
                while Instant::now() < until {
                    due += Duration::from_secs(1) * THREADS as u32 / rate as u32;
                    std::thread::sleep(due.saturating_duration_since(Instant::now()));
                    let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_secs(1))
                    else {
                        continue;
                    };
                    let _ = stream.set_read_timeout(Some(Duration::from_millis(500)));
                    let _ = stream.set_nodelay(true);
                    // Gone without a trace when dropped, so that ports do not run out.
                    let linger = nix::libc::linger {
                        l_onoff: 1,
                        l_linger: 0,
                    };
                    let _ = nix::sys::socket::setsockopt(
                        &stream,
                        nix::sys::socket::sockopt::Linger,
                        &linger,
                    );
                    count.fetch_add(1, Ordering::Relaxed);
                    if let Some(stream) = what(stream) {
                        held.push_back((Instant::now(), stream));
                    }
                    while held
                        .front()
                        .is_some_and(|(since, _): &(Instant, TcpStream)| {
                            since.elapsed() > Duration::from_secs(1)
                        })
                    {
                        held.pop_front();
                    }
                }
            })
        })
        .collect();
    // The flood has to be in full flow.
    std::thread::sleep(Duration::from_secs(1));
    let seen = visits(card, address, until);
    strangers
        .into_iter()
        .for_each(|one| one.join().expect("no panic"));
    let reached = count.load(Ordering::Relaxed) as f64 / begun.elapsed().as_secs_f64();
    (reached, seen)
}
