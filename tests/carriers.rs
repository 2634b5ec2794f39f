//! Several carriers at once, the radio's network in every greeting, and a laptop without any radio.
//!
//! A link-service of the test's own stands in for the radio: it says what the real one says, over the same socket.

mod bare;

use bare::Laptop;
use bare::laptop::PATIENCE;
use bare::person::{meet, pair};
use rustix::net::{
    AddressFamily, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketAddrUnix,
    SocketFlags, SocketType, accept_with, bind, listen, recv, sendmsg, socket_with, sockopt,
};
use std::io::IoSlice;
use std::mem::MaybeUninit;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::process::Command;

const PASSPHRASE: &str = "kmnp4qrs7tuv";

/// link-service's end of one conversation with the daemon.
struct Service(OwnedFd);

impl Service {
    fn await_daemon(laptop: &Laptop) -> Self {
        let path = laptop.home.join("run/link.sock");
        // A daemon that has just been started may not have made it yet.
        std::fs::create_dir_all(laptop.home.join("run")).expect("a folder");
        let _ = std::fs::remove_file(&path);
        let socket = socket_with(
            AddressFamily::UNIX,
            SocketType::SEQPACKET,
            SocketFlags::CLOEXEC,
            None,
        )
        .expect("a socket");
        bind(&socket, &SocketAddrUnix::new(path).expect("a short path")).expect("bound");
        listen(&socket, 1).expect("listening");
        sockopt::set_socket_timeout(&socket, sockopt::Timeout::Recv, Some(PATIENCE))
            .expect("a timeout");
        let daemon = accept_with(&socket, SocketFlags::CLOEXEC).expect("the daemon comes");
        sockopt::set_socket_timeout(&daemon, sockopt::Timeout::Recv, Some(PATIENCE))
            .expect("a timeout");
        Self(daemon)
    }

    fn tell(&self, words: &str, socket: Option<&TcpListener>) {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        let sockets: Vec<_> = socket.iter().map(|socket| socket.as_fd()).collect();
        if !sockets.is_empty() {
            assert!(ancillary.push(SendAncillaryMessage::ScmRights(&sockets)));
        }
        let words = [IoSlice::new(words.as_bytes())];
        sendmsg(&self.0, &words, &mut ancillary, SendFlags::NOSIGNAL).expect("told");
    }

    fn offer(&self, id: u32, kind: &str, interface: &str) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let words = format!(
            r#"{{"listening":{{"id":{id},"kind":"{kind}","address":"{address}","interface":{interface}}}}}"#
        );
        self.tell(&words, Some(&listener));
        address
    }

    fn radio(&self, frequency: u16) {
        let ssid: Vec<String> = b"DIRECT-ab-Laptop".iter().map(u8::to_string).collect();
        let words = format!(
            r#"{{"radio":{{"ssid":[{}],"passphrase":"{PASSPHRASE}","frequency":{frequency},"port":8144}}}}"#,
            ssid.join(",")
        );
        self.tell(&words, None);
    }

    /// What the daemon says next; nothing where it has ended the conversation.
    fn hear(&self) -> String {
        let mut words = vec![0; 4096];
        let len = loop {
            match recv(&self.0, words.as_mut_slice(), RecvFlags::empty()) {
                Err(rustix::io::Errno::INTR) => {}
                heard => break heard.expect("heard").0,
            }
        };
        words.truncate(len);
        String::from_utf8(words).expect("text")
    }
}

#[test]
fn the_network_comes_with_every_pairing_and_greeting_whatever_the_carrier() {
    let laptop = Laptop::alone("two-carriers");
    let service = Service::await_daemon(&laptop);
    let cable = service.offer(1, "tcp", "null");
    let air = service.offer(2, "wifi-direct", r#""p2p-wlan0-0""#);
    service.radio(2437);
    let status = laptop.await_status("both carriers", |status| {
        status["carriers"][1]["network"].is_string()
    });
    assert_eq!(status["carriers"][0]["carrier"], "tcp");
    assert_eq!(status["carriers"][1]["interface"], "p2p-wlan0-0");
    assert_eq!(status["carriers"][1]["frequency"], 2437);

    let paired = meet(&laptop, cable);
    assert_eq!(paired.network.ssid.as_slice(), b"DIRECT-ab-Laptop");
    assert_eq!(paired.network.passphrase, PASSPHRASE);
    assert_eq!(
        (paired.network.frequency, paired.network.port),
        (2437, 8144)
    );
    assert_eq!(service.hear(), r#"{"window":{"seconds":120}}"#);
    assert_eq!(service.hear(), r#"{"window":{"seconds":0}}"#);

    for (address, carrier) in [(cable, "tcp"), (air, "wifi-direct")] {
        let line = paired.card.link(address).expect("linked");
        let greeting = line.greeting.expect("a greeting");
        assert_eq!(greeting.carrier, carrier);
        assert_eq!(greeting.ssid, b"DIRECT-ab-Laptop");
        assert_eq!(greeting.passphrase, PASSPHRASE);
        assert_eq!((greeting.frequency, greeting.port), (2437, 8144));
    }

    // The radio moves while a session stands: that one lives on, the next one knows.
    let mut old = paired.card.link(cable).expect("linked");
    service.radio(2462);
    laptop.await_status("the new frequency", |status| {
        status["carriers"][1]["frequency"] == 2462
    });
    let line = paired.card.link(air).expect("linked");
    assert_eq!(line.greeting.expect("a greeting").frequency, 2462);
    assert!(old.ends(), "a newer session takes the place of the older");

    // The group goes, the cable stays; nothing of the network is said any more.
    service.tell(r#"{"gone":{"id":2}}"#, None);
    service.tell(r#"{"radio":null}"#, None);
    laptop.await_status("one carrier", |status| {
        status["carriers"]
            .as_array()
            .is_some_and(|all| all.len() == 1)
    });
    assert!(TcpStream::connect(air).is_err(), "the daemon still listens");
    let line = paired.card.link(cable).expect("linked");
    let greeting = line.greeting.expect("a greeting");
    assert_eq!((greeting.ssid.len(), greeting.passphrase.len()), (0, 0));
    assert_eq!(greeting.port, cable.port());
    assert!(!laptop.log().contains(PASSPHRASE));
}

#[test]
fn what_systemd_is_told_of_carriers_stays_when_the_start_is_over() {
    let (laptop, told) = Laptop::notifying("notified");
    let service = Service::await_daemon(&laptop);
    let address = service.offer(1, "loopback", "null");

    // The carrier may come before the start is over or after it: nothing that the end of the start says takes its place.
    let (mut is_ready, mut statuses) = (false, Vec::new());
    while !is_ready || statuses.len() < 2 {
        let mut words = [0; 4096];
        let len = told.recv(&mut words).expect("systemd is told");
        for line in String::from_utf8_lossy(&words[..len]).lines() {
            is_ready |= line == "READY=1";
            statuses.extend(line.strip_prefix("STATUS=").map(str::to_owned));
        }
    }
    let reached = format!("Reached by handhelds over loopback {address}");
    assert_eq!(
        statuses,
        ["Waits for link-service to open a carrier", &reached]
    );
}

#[test]
fn whoever_pairs_sees_the_passphrase_and_nobody_else() {
    let laptop = Laptop::alone("passphrase");
    let service = Service::await_daemon(&laptop);
    service.offer(1, "wifi-direct", r#""p2p-wlan0-0""#);
    service.radio(2437);
    laptop.await_status("the radio", |status| {
        status["carriers"][0]["network"].is_string()
    });
    let said = |arguments: &[&str]| {
        let output = laptop.officectl(arguments);
        String::from_utf8(output.stdout).expect("text")
    };
    let closed = [
        said(&["status"]),
        said(&["--json", "status"]),
        said(&["pair", "--status"]),
        said(&["--json", "pair", "--status"]),
    ];
    for words in closed {
        assert!(!words.contains("kmnp"), "{words}");
    }
    let words = said(&["pair", "--open"]);
    assert!(words.contains("DIRECT-ab-Laptop"), "{words}");
    assert!(words.contains("kmnp 4qrs 7tuv"), "{words}");
    let report = laptop.ask(&["pair", "--status"]);
    assert_eq!(report["network"]["name"], "DIRECT-ab-Laptop");
    assert_eq!(report["network"]["passphrase"], PASSPHRASE);
    assert!(!said(&["--json", "status"]).contains(PASSPHRASE));
    assert!(!laptop.log().contains(PASSPHRASE));
    laptop.ask(&["pair", "--cancel"]);
    assert!(!said(&["--json", "pair", "--status"]).contains(PASSPHRASE));
}

#[test]
fn a_link_service_that_comes_back_hears_of_the_open_window() {
    let laptop = Laptop::alone("window");
    let service = Service::await_daemon(&laptop);
    service.offer(1, "loopback", "null");
    laptop.await_status("the carrier", |status| status["carriers"][0].is_object());
    laptop.ask(&["pair", "--open"]);
    assert_eq!(service.hear(), r#"{"window":{"seconds":120}}"#);
    drop(service);
    let service = Service::await_daemon(&laptop);
    let seconds: u32 = service
        .hear()
        .trim_matches(|letter: char| !letter.is_ascii_digit())
        .parse()
        .expect("a number");
    assert!((1..=120).contains(&seconds), "{seconds}");
    laptop.ask(&["pair", "--cancel"]);
    assert_eq!(service.hear(), r#"{"window":{"seconds":0}}"#);
}

#[test]
fn a_link_service_that_talks_nonsense_is_named_and_left_until_it_makes_sense() {
    let laptop = Laptop::alone("nonsense");
    for nonsense in ["{", r#"{"listening":{"id":1}}"#, r#"{"gone":{"id":-1}}"#] {
        let service = Service::await_daemon(&laptop);
        service.tell(nonsense, None);
        assert_eq!(service.hear(), "", "the daemon stays");
    }
    let service = Service::await_daemon(&laptop);
    let address = service.offer(1, "loopback", "null");
    pair(&laptop, address);
    let named = "link-service cannot be followed: it sent something that is no message";
    assert!(laptop.log().contains(named), "{}", laptop.log());
}

#[test]
fn a_laptop_without_a_radio_works_on_its_other_carrier_and_says_what_is_missing() {
    let folder =
        std::env::temp_dir().join(format!("officeos-no-supplicant-{}", std::process::id()));
    let settings = format!(
        "wifi_direct_enabled = true\nsupplicant = \"{}\"\n",
        folder.display()
    );
    let laptop = Laptop::start_with("no-radio", &settings);
    let status = laptop.await_status("a word on the radio", |status| {
        status["trouble"].is_string()
    });
    assert_eq!(status["carriers"].as_array().map(Vec::len), Some(1));
    assert_eq!(status["carriers"][0]["carrier"], "loopback");
    let words = laptop.officectl(&["status"]);
    assert!(String::from_utf8_lossy(&words.stdout).contains("\n  Radio     "));
    let report = laptop.ask(&["pair", "--open"]);
    assert!(report["trouble"].is_string(), "{report}");
    laptop.ask(&["pair", "--cancel"]);
    let card = pair(&laptop, laptop.address());
    card.link(laptop.address()).expect("linked");
}

#[test]
fn the_test_of_the_radio_says_what_is_missing_and_changes_nothing() {
    let home = std::env::temp_dir().join(format!("officeos-test-p2p-{}", std::process::id()));
    std::fs::create_dir_all(&home).expect("a folder");
    let file = home.join("daemon.toml");
    let supplicant = home.join("none");
    let text = format!("[networking]\nsupplicant = \"{}\"\n", supplicant.display());
    std::fs::write(&file, text).expect("settings");
    let output = Command::new(env!("CARGO_BIN_EXE_laptop-daemon"))
        .arg("--home")
        .arg(home.join("home"))
        .arg("--config")
        .arg(&file)
        .arg("--test-p2p")
        .output()
        .expect("it runs");
    let table = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{table}");
    assert!(table.contains("FAULT"), "{table}");
    assert!(!home.join("home").exists(), "a test left something behind");
    std::fs::remove_dir_all(&home).expect("removed");
}
