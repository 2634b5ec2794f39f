//! The air gap in real processes: what the confined app may and may not, and what becomes of one half without the other.

#![allow(clippy::unwrap_used)] // A test that cannot start its processes has failed.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

const PROGRAM: &str = env!("CARGO_BIN_EXE_officeos-handheld");

/// How long anything may take on a machine that is out of breath.
const PATIENCE: Duration = Duration::from_secs(60);

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("officeos-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A handheld without a panel.
struct Pocket {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Pocket {
    fn start(folder: &Path, arguments: &[&str]) -> Self {
        let mut child = Command::new(PROGRAM)
            .args(["--headless", "--home"])
            .arg(folder.join("home"))
            .args(arguments)
            .env("XDG_RUNTIME_DIR", folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let mut pocket = Self {
            child,
            input,
            output,
        };
        pocket.say("wait loaded=true 60000");
        pocket
    }

    fn ask(&mut self, line: &str) -> String {
        writeln!(self.input, "{line}").unwrap();
        let mut answer = String::new();
        self.output.read_line(&mut answer).unwrap();
        answer
    }

    fn say(&mut self, line: &str) {
        assert_eq!(self.ask(line), "ok\n", "{line}");
    }

    /// The broker: the app's one child.
    fn broker(&self) -> u32 {
        let app = self.child.id();
        let children = fs::read_to_string(format!("/proc/{app}/task/{app}/children")).unwrap();
        children.trim().parse().unwrap()
    }
}

impl Drop for Pocket {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < end, "never: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn is_running(process: u32) -> bool {
    // One that has ended and that nobody has waited for has no command line.
    fs::read(format!("/proc/{process}/cmdline")).is_ok_and(|line| !line.is_empty())
}

/// Lines of every thread's status.
fn statuses(process: u32) -> Vec<String> {
    let tasks = fs::read_dir(format!("/proc/{process}/task")).unwrap();
    let texts = tasks
        .flatten()
        .filter_map(|task| fs::read_to_string(task.path().join("status")).ok());
    texts.collect()
}

/// Whether the kernel filters system calls: not so on old ones, and under emulation.
fn kernel_filters() -> bool {
    let folder = Folder::new("filters");
    !audit(&folder.0).1.contains("Kernel       lacking")
}

/// Whether the audit ended well, and what it said.
fn audit(folder: &Path) -> (bool, String) {
    let output = Command::new(PROGRAM)
        .args(["--audit-airgap", "--home"])
        .arg(folder.join("home"))
        .env("XDG_RUNTIME_DIR", folder)
        .output()
        .unwrap();
    (
        output.status.success(),
        String::from_utf8(output.stdout).unwrap(),
    )
}

#[test]
fn the_audit_tries_everything_and_says_what_held() {
    let folder = Folder::new("audit");
    let (well, text) = audit(&folder.0);
    assert!(well, "{text}");
    assert!(!text.contains("BROKEN"), "{text}");
    for line in [
        "Rights       holds    Its one thread has no capability",
        "Rights       holds    No program could give it new ones",
        "Broker       holds    Asked for the internet (203.0.113.77:8144): refused.",
        "Broker       holds    Asked the supplicant to change its settings: refused.",
        "Broker       holds    Asked the supplicant to join a network called Home: refused.",
        "Card         holds    Its own folder can be written",
        "This device  note",
        "Program      note",
    ] {
        assert!(text.contains(line), "{line} is missing in:\n{text}");
    }
    if !text.contains("Kernel       lacking") {
        for line in [
            "Kernel       holds    A filter of system calls is on its one thread.",
            "Kernel       holds    A connection was tried in earnest and refused.",
            "Kernel       holds    A program was tried in earnest and refused.",
        ] {
            assert!(text.contains(line), "{line} is missing in:\n{text}");
        }
    }
}

#[test]
fn every_thread_of_both_processes_is_confined_and_the_card_works() {
    let folder = Folder::new("confined");
    let mut pocket = Pocket::start(&folder.0, &[]);
    let filters = kernel_filters();
    let (app, broker) = (pocket.child.id(), pocket.broker());
    for (process, threads) in [(app, 3), (broker, 1)] {
        let all = statuses(process);
        assert!(all.len() >= threads);
        for status in all {
            let has = |line: &str| status.lines().any(|is| is == line);
            assert!(has("NoNewPrivs:\t1"), "{status}");
            assert!(has("Seccomp:\t2") || !filters, "{status}");
            if process == app {
                for set in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
                    assert!(has(&format!("{set}:\t0000000000000000")), "{status}");
                }
            } else {
                assert!(has("Name:\tofficeos-broker"), "{status}");
            }
        }
    }
    // Settings are written to the card: the theme changes and is still there at the next start.
    pocket.say("press Down Down Down A");
    pocket.say("wait screen=settings 60000");
    pocket.say("press A");
    let shot = folder.0.join("home/shot.png");
    pocket.say(&format!("shot {}", shot.display()));
    let outside = folder.0.join("outside.png");
    let answer = pocket.ask(&format!("shot {}", outside.display()));
    let landlock =
        fs::read_to_string("/sys/kernel/security/lsm").is_ok_and(|lsm| lsm.contains("landlock"));
    if landlock {
        assert!(answer.starts_with("error"), "{answer}");
        assert!(!outside.exists());
    }
    pocket.say("quit");
    until("the app ends", || {
        pocket.child.try_wait().unwrap().is_some()
    });
    assert!(pocket.child.wait().unwrap().success());
    until("the broker ends with it", || !is_running(broker));
}

#[test]
fn the_screen_shows_what_the_running_app_has_tried() {
    let folder = Folder::new("shown");
    let mut pocket = Pocket::start(&folder.0, &[]);
    pocket.say("press Down Down Down A");
    pocket.say("wait screen=settings 60000");
    pocket.say("press Up Up A");
    pocket.say("wait screen=page 60000");
    until("the proof is there", || {
        pocket.ask("model").contains("tries were refused")
    });
    let model = pocket.ask("model");
    assert!(
        model.contains("Everything that was tried failed") || model.contains("All holds"),
        "{model}"
    );
}

#[test]
fn an_app_without_its_broker_says_so_and_goes_on() {
    let folder = Folder::new("brokerless");
    let mut pocket = Pocket::start(&folder.0, &["--laptop", "127.0.0.1:1", "--no-radio"]);
    let broker = pocket.broker();
    kill(broker);
    pocket.say("press Y");
    pocket.say("wait screen=laptop 60000");
    pocket.say("press A");
    pocket.say("wait overlay=menu 60000");
    pocket.say("press A");
    pocket.say("wait pairing.fault! 60000");
    let model = pocket.ask("model");
    assert!(
        model.contains("has ended. Quit and start the app again."),
        "{model}"
    );
    pocket.say("press B");
    let shot = folder.0.join("home/shot.png");
    pocket.say(&format!("shot {}", shot.display()));
    assert!(shot.exists());
    pocket.say("quit");
}

#[test]
fn a_broker_without_its_app_puts_the_radio_back_and_ends() {
    let folder = Folder::new("appless");
    let sockets = folder.0.join("sockets");
    fs::create_dir_all(&sockets).unwrap();
    let supplicant = UnixDatagram::bind(sockets.join("wlan7")).unwrap();
    supplicant.set_read_timeout(Some(PATIENCE)).unwrap();
    let space = fs::metadata("/proc/self/ns/net").unwrap().ino();
    let held = folder.0.join("officeos").join(format!("radio-{space}"));
    fs::create_dir_all(held.parent().unwrap()).unwrap();
    // Our network 2, and the firmware's 0, which was on. Number 1 is another network now than it was.
    fs::write(
        &held,
        "own wlan7 2 4449524543542d6162\nwas wlan7 0 486f6d65\nwas wlan7 1 4f6c64\n",
    )
    .unwrap();
    let mut pocket = Pocket::start(&folder.0, &["--supplicant", sockets.to_str().unwrap()]);
    let broker = pocket.broker();
    pocket.child.kill().unwrap();
    pocket.child.wait().unwrap();
    let list = "network id / ssid / bssid / flags\n0\tHome\tany\t[DISABLED]\n1\tNew\tany\t[DISABLED]\n2\tDIRECT-ab\tany\t[CURRENT]\n";
    let mut asked = Vec::new();
    let mut buffer = [0; 4096];
    while asked.last().is_none_or(|last| last != "RECONNECT") {
        let (len, from) = supplicant.recv_from(&mut buffer).unwrap();
        let text = String::from_utf8(buffer[..len].to_vec()).unwrap();
        let answer = if text == "LIST_NETWORKS" {
            list
        } else {
            "OK\n"
        };
        supplicant
            .send_to(answer.as_bytes(), from.as_pathname().unwrap())
            .unwrap();
        asked.push(text);
    }
    assert_eq!(
        asked,
        [
            "LIST_NETWORKS",
            "REMOVE_NETWORK 2",
            "ENABLE_NETWORK 0",
            "RECONNECT"
        ]
    );
    until("the broker ends", || !is_running(broker));
    assert!(!held.exists());
}

fn kill(process: u32) {
    let process_id = nix::unistd::Pid::from_raw(process.try_into().unwrap());
    nix::sys::signal::kill(process_id, nix::sys::signal::Signal::SIGKILL).unwrap();
    until("it is gone", || !is_running(process));
}
