//! What holds of the air gap: tried by the process that asks, which is the app itself or one confined as it is.
//!
//! Every try is one that does no harm where it works (`platform::confine::attempt`); what the broker is asked for is refused by its
//! rules before anything is opened.

use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::app::model::proof::{Layer, Proof, Verdict};
use crate::broker::wire::{DoorSays, decode};
use crate::broker::{Broker, Line, PORT, Refusal, routers};
use crate::platform::confine::attempt::{self, Outcome};
use crate::platform::confine::rights::Status;
use crate::platform::confine::sockets;
use crate::platform::confine::{self, Layers};

/// Addresses for documentation (RFC 5737, RFC 3849): nobody has them, and they are on no link.
const WORLD: [&str; 2] = ["203.0.113.77:8144", "[2001:db8::77]:8144"];

/// Requests that a supplicant must never hear. One that heard them would only not know them.
const SUPPLICANT: [(&str, &str); 3] = [
    ("an unknown request", "OFFICEOS_PROBE 1"),
    ("to change its settings", "SET officeos_probe 1"),
    (
        "to join a network called Home",
        "SET_NETWORK 0 ssid 486f6d65",
    ),
];

/// How long the supplicant may take to be there.
const WAIT: Duration = Duration::from_secs(3);

/// Folders outside the home folder that a program would be planted in.
const OUTSIDE: [&str; 6] = ["/etc", "/usr/bin", "/root", "/var/tmp", "/tmp", "/"];

/// Makes proofs.
pub struct Prover {
    /// What the process gave up, as the kernel answered then.
    pub layers: Layers,
    /// The broker.
    pub broker: Broker,
    /// Folders that it may write to, and the home folder first, where it must work.
    pub written: Vec<PathBuf>,
    /// Where control sockets are.
    pub folders: Vec<PathBuf>,
}

impl Prover {
    /// Tries everything. Blocks for some milliseconds.
    #[must_use]
    pub fn prove(&self) -> Proof {
        let mut proof = Proof::default();
        self.rights(&mut proof);
        self.calls(&mut proof);
        self.sockets(&mut proof);
        self.disk(&mut proof);
        self.broker(&mut proof);
        device(&mut proof);
        program(&mut proof);
        proof
    }

    fn rights(&self, proof: &mut Proof) {
        let threads = Status::of_threads();
        let all = threads.len();
        let mut note = |holds, good: String, bad: &str| match holds {
            true => proof.note(Layer::Rights, Verdict::Holds, good),
            false => proof.note(Layer::Rights, Verdict::Broken, bad),
        };
        note(
            all > 0 && threads.iter().all(|one| one.capabilities == 0),
            format!("{}, even if it was started as root.", none_of(all)),
            "A thread has capabilities: it can change what an administrator can.",
        );
        note(
            all > 0 && threads.iter().all(|one| one.no_new_privs),
            "No program could give it new ones (no_new_privs).".into(),
            "A program could give it new capabilities: no_new_privs is not set.",
        );
        if threads.iter().any(|one| one.bounding != 0) {
            let words = "The bounding set is not empty, since only root may empty it. It matters to programs alone, and none can be run.";
            proof.note(Layer::Rights, Verdict::Said, words);
        }
    }

    fn calls(&self, proof: &mut Proof) {
        let threads = Status::of_threads();
        if let confine::Layer::Lacks(why) = &self.layers.calls {
            let words = format!("Sockets and programs are not refused by the kernel: {why}.");
            return proof.note(Layer::Calls, Verdict::Lacking, words);
        }
        match threads.iter().all(|one| one.seccomp == Some(2)) {
            true => proof.note(
                Layer::Calls,
                Verdict::Holds,
                match threads.len() {
                    1 => "A filter of system calls is on its one thread.".into(),
                    n => format!("A filter of system calls is on all {n} threads."),
                },
            ),
            false => proof.note(
                Layer::Calls,
                Verdict::Broken,
                "A thread has no filter of system calls.",
            ),
        }
        let mut refused = 0;
        for attempt in attempt::ALL {
            match attempt.make() {
                Outcome::Refused => refused += 1,
                Outcome::Open => proof.note(
                    Layer::Calls,
                    Verdict::Broken,
                    format!("Not refused: {}.", attempt.what),
                ),
            }
        }
        let words = format!(
            "{refused} of {} tries were refused, from opening sockets of all kinds to running programs, tracing, mounting and io_uring.",
            attempt::ALL.len()
        );
        proof.note(Layer::Calls, Verdict::Holds, words);
        for (what, denied) in attempt::earnest() {
            let (verdict, word) = match denied {
                true => (Verdict::Holds, "refused"),
                false => (Verdict::Broken, "not refused"),
            };
            let words = format!("{what} was tried in earnest and {word}.");
            proof.note(Layer::Calls, verdict, words);
        }
    }

    /// What is open already, and so needs no asking.
    fn sockets(&self, proof: &mut Proof) {
        let held = sockets::held();
        let (verdict, words) = match held.loose {
            0 => (
                Verdict::Holds,
                "No socket is open that could reach anybody else.".to_owned(),
            ),
            n => (
                Verdict::Broken,
                format!("{n} open sockets could reach others."),
            ),
        };
        proof.note(Layer::Calls, verdict, words);
        if !held.connected.is_empty() {
            let words = format!("Connected with {}.", held.connected.join(", "));
            proof.note(Layer::Calls, Verdict::Said, words);
        }
        let is_control = |name: &String| {
            let folder = Path::new(name).parent();
            self.folders.iter().any(|known| folder == Some(known))
        };
        let (mut hears, mut shows): (Vec<_>, Vec<_>) = held.local.into_iter().partition(is_control);
        hears.dedup();
        shows.dedup();
        if !hears.is_empty() {
            let names = hears.join(", ").escape_debug().to_string();
            let words = format!("Hears the supplicant at {names}, and can say nothing there.");
            proof.note(Layer::Calls, Verdict::Said, words);
        }
        if !shows.is_empty() {
            let names = shows.join(", ").escape_debug().to_string();
            let words = format!("Connected on this device with {names}, as the display needs.");
            proof.note(Layer::Calls, Verdict::Said, words);
        }
    }

    fn disk(&self, proof: &mut Proof) {
        let own = |folder: &Path| self.written.iter().any(|own| folder.starts_with(own));
        let outside = OUTSIDE.iter().map(Path::new).filter(|folder| !own(folder));
        let written = outside.into_iter().find(|folder| writes(folder));
        match (&self.layers.disk, written) {
            (confine::Layer::Holds | confine::Layer::Partly(_), None) => proof.note(
                Layer::Disk,
                Verdict::Holds,
                format!(
                    "Only its own folder can be written, not {} or others.",
                    OUTSIDE[..3].join(", ")
                ),
            ),
            (confine::Layer::Lacks(why), _) => proof.note(
                Layer::Disk,
                Verdict::Lacking,
                format!("Writing is not confined: {why}."),
            ),
            (confine::Layer::Fails(why), None) => {
                proof.note(Layer::Disk, Verdict::Broken, format!("It failed: {why}."));
            }
            (_, Some(folder)) => proof.note(
                Layer::Disk,
                Verdict::Broken,
                format!("A file could be made in {}.", folder.display()),
            ),
        }
        if let confine::Layer::Partly(why) = &self.layers.disk {
            proof.note(
                Layer::Disk,
                Verdict::Lacking,
                format!("Not every way to write is confined: {why}."),
            );
        }
        let Some(home) = self.written.first() else {
            return;
        };
        match writes(home) {
            true => proof.note(
                Layer::Disk,
                Verdict::Holds,
                "Its own folder can be written, as it should.",
            ),
            false => proof.note(
                Layer::Disk,
                Verdict::Said,
                format!("Its own folder can't be written: {}.", home.display()),
            ),
        }
    }

    fn broker(&self, proof: &mut Proof) {
        if let Err(gone) = self.broker.is_there() {
            return proof.note(
                Layer::Broker,
                Verdict::Said,
                format!("Nothing can be opened at all. {gone}"),
            );
        }
        let mut ask = |what: String, address: SocketAddr| match self.broker.dial(address) {
            Err(Refusal::Forbidden(_)) => proof.note(
                Layer::Broker,
                Verdict::Holds,
                format!("Asked for {what}: refused."),
            ),
            Err(Refusal::System(error)) => proof.note(
                Layer::Broker,
                Verdict::Broken,
                format!("Asked for {what}: not refused, it only failed ({error})."),
            ),
            Err(Refusal::Gone) => {}
            Ok(_) => proof.note(
                Layer::Broker,
                Verdict::Broken,
                format!("Asked for {what}: a connection came."),
            ),
        };
        for text in WORLD {
            if let Ok(address) = text.parse() {
                ask(format!("the internet ({address})"), address);
            }
        }
        for router in routers() {
            ask(
                format!("this network's router ({router}) as a name server"),
                SocketAddr::new(router, 53),
            );
            if matches!(router, IpAddr::V4(_)) {
                ask(
                    format!("this network's router ({router}) as a web page"),
                    SocketAddr::new(router, 80),
                );
            }
        }
        let names = self
            .folders
            .iter()
            .flat_map(|folder| fs::read_dir(folder).into_iter().flatten());
        let name = names
            .flatten()
            .find_map(|entry| entry.file_name().into_string().ok());
        let Some(name) = name else {
            let words = format!(
                "There is no supplicant here to be asked for what it must not hear; laptops are reached at port {PORT} and by typed address only."
            );
            return proof.note(Layer::Broker, Verdict::Said, words);
        };
        match self.door(&name) {
            Ok(line) => {
                for (what, text) in SUPPLICANT {
                    let said = line
                        .send(text.as_bytes(), None)
                        .and_then(|()| line.receive_within(WAIT));
                    let says = said.ok().flatten().and_then(|(bytes, _)| decode(&bytes));
                    match says {
                        Some(DoorSays::Refused(_)) => {
                            proof.note(
                                Layer::Broker,
                                Verdict::Holds,
                                format!("Asked the supplicant {what}: refused."),
                            );
                        }
                        _ => proof.note(
                            Layer::Broker,
                            Verdict::Broken,
                            format!("Asked the supplicant {what}: not refused."),
                        ),
                    }
                }
            }
            Err(why) => proof.note(
                Layer::Broker,
                Verdict::Said,
                format!("The supplicant could not be asked: {why}."),
            ),
        }
    }

    fn door(&self, name: &str) -> Result<Line, String> {
        let line = self.broker.door(name).map_err(|e| e.to_string())?;
        match line.receive_within(WAIT).map_err(|e| e.to_string())? {
            Some((says, _)) if decode(&says) == Some(DoorSays::Open) => Ok(line),
            _ => Err("nobody answers on its socket".into()),
        }
    }
}

fn none_of(threads: usize) -> String {
    match threads {
        1 => "Its one thread has no capability".into(),
        n => format!("None of its {n} threads has a capability"),
    }
}

/// Whether a file can be made in this folder; it is removed again.
fn writes(folder: &Path) -> bool {
    let file = folder.join(format!("officeos-proof-{}", std::process::id()));
    let made = fs::File::options()
        .write(true)
        .create_new(true)
        .open(&file)
        .is_ok();
    if made {
        let _ = fs::remove_file(&file);
    }
    made
}

/// What is around the app: it does not depend on it.
fn device(proof: &mut Proof) {
    let routers = routers();
    let words = match routers.first() {
        None => "The device has no route to anywhere beyond its links.".into(),
        Some(router) => {
            format!("The device itself has a router ({router}); the app has no way to use it.")
        }
    };
    proof.note(Layer::Device, Verdict::Said, words);
    let names = fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
    let words = match names
        .lines()
        .any(|line| line.trim_start().starts_with("nameserver"))
    {
        true => "The device knows a name server; the app has no code to ask one.",
        false => "The device knows no name server.",
    };
    proof.note(Layer::Device, Verdict::Said, words);
}

/// What was checked when the program was built.
fn program(proof: &mut Proof) {
    let words = "No code for HTTP, name lookup or certificate authorities is in it. Each build checks the list of its libraries and fails otherwise; at run time there is no list to check.";
    proof.note(Layer::Program, Verdict::Said, words);
}
