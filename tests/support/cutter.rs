//! A link that can be cut: a relay between handheld and laptop.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

#[derive(Default)]
struct Shared {
    open: Mutex<Vec<TcpStream>>,
    away: AtomicBool,
    /// Octets towards the handheld after which the link breaks; `u64::MAX` is never.
    budget: AtomicU64,
    cuts: AtomicUsize,
    passed: AtomicU64,
}

impl Shared {
    fn cut(&self) {
        for stream in self.open.lock().expect("the streams").drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

/// See the module.
pub struct Cutter {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl Cutter {
    /// Relays to `laptop`.
    pub fn new(laptop: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("its address");
        let shared = Arc::new(Shared {
            budget: AtomicU64::new(u64::MAX),
            ..Shared::default()
        });
        let relaying = Arc::clone(&shared);
        std::thread::spawn(move || {
            for handheld in listener.incoming().flatten() {
                if relaying.away.load(Ordering::SeqCst) {
                    continue;
                }
                let Ok(there) = TcpStream::connect(laptop) else {
                    continue;
                };
                for stream in [&handheld, &there] {
                    let _ = stream.set_nodelay(true);
                    relaying
                        .open
                        .lock()
                        .expect("the streams")
                        .extend(stream.try_clone());
                }
                for (from, to, counted) in [(&handheld, &there, false), (&there, &handheld, true)] {
                    let (Ok(from), Ok(to)) = (from.try_clone(), to.try_clone()) else {
                        continue;
                    };
                    let shared = Arc::clone(&relaying);
                    std::thread::spawn(move || relay(from, to, &shared, counted));
                }
            }
        });
        Self { address, shared }
    }

    /// Where the handheld finds the relay.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Cuts the link now; a new one may form at once.
    pub fn cut(&self) {
        self.shared.cuts.fetch_add(1, Ordering::SeqCst);
        self.shared.cut();
    }

    /// Cuts the link once so many more octets have passed towards the handheld.
    pub fn cut_after(&self, octets: u64) {
        self.shared.budget.store(octets, Ordering::SeqCst);
    }

    /// Takes the laptop out of range, or brings it back.
    pub fn set_away(&self, away: bool) {
        self.shared.away.store(away, Ordering::SeqCst);
        if away {
            self.shared.cut();
        }
    }

    /// How often it was cut.
    pub fn cuts(&self) -> usize {
        self.shared.cuts.load(Ordering::SeqCst)
    }

    /// Octets that have passed, both ways.
    pub fn passed(&self) -> u64 {
        self.shared.passed.load(Ordering::SeqCst)
    }
}

fn relay(mut from: TcpStream, mut to: TcpStream, shared: &Shared, counted: bool) {
    let mut piece = [0; 4096];
    while let Ok(len) = from.read(&mut piece) {
        if len == 0 {
            break;
        }
        let mut pass = len;
        if counted {
            let left = shared.budget.load(Ordering::SeqCst);
            if left != u64::MAX {
                pass = len.min(usize::try_from(left).unwrap_or(usize::MAX));
                let rest = left - pass as u64;
                shared
                    .budget
                    .store(if rest == 0 { u64::MAX } else { rest }, Ordering::SeqCst);
                if rest == 0 {
                    let _ = to.write_all(&piece[..pass]);
                    shared.cuts.fetch_add(1, Ordering::SeqCst);
                    shared.cut();
                    return;
                }
            }
        }
        shared.passed.fetch_add(pass as u64, Ordering::SeqCst);
        if to.write_all(&piece[..pass]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
    let _ = from.shutdown(Shutdown::Both);
}
