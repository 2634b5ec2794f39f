//! Questions on a real desktop: an unmodified server of notifications (dunst) on a session bus of its own.
//! `tests/agent/run` makes the desktop.

#[path = "../bare/mod.rs"]
mod bare;

use bare::laptop::PATIENCE;
use bare::person::{chat, code, paired};
use bare::{End, Laptop, Line};
use serde_json::Value;
use shared_proto::error::ErrorCode;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

/// The agent of one laptop.
struct Agent(Child);

impl Agent {
    fn start(laptop: &Laptop) -> Self {
        let child = Command::new(env!("CARGO_BIN_EXE_officeos-agent"))
            .arg("--home")
            .arg(&laptop.home)
            .stdin(Stdio::null())
            .spawn();
        Self(child.expect("the agent starts"))
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn dunstctl(arguments: &[&str]) -> String {
    let output = Command::new("dunstctl").args(arguments).output();
    String::from_utf8_lossy(&output.expect("dunstctl runs").stdout).into_owned()
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "no {what} in time");
        std::thread::park_timeout(std::time::Duration::from_millis(20));
    }
}

fn displayed() -> usize {
    dunstctl(&["count", "displayed"])
        .trim()
        .parse()
        .unwrap_or(0)
}

fn asks(line: &mut Line, id: u64) {
    line.submit(id, &chat("May I <b>&amp;?"));
    line.until("a question", |line| {
        line.told.get(&id).is_some_and(|told| told.awaiting)
    })
    .expect("alive");
    until("notification", || displayed() == 1);
}

/// What the server itself keeps of the last one: its texts as it understood them.
fn last() -> Value {
    dunstctl(&["close-all"]);
    let history: Value = serde_json::from_str(&dunstctl(&["history"])).expect("JSON");
    history["data"][0][0].clone()
}

/// One test, as there is one desktop.
#[test]
fn a_person_answers_on_the_desktop() {
    let (laptop, address, card) = paired("desktop");
    let agent = Agent::start(&laptop);
    let mut line = card.link(address).expect("linked");

    asks(&mut line, 1);
    press("once");
    assert!(
        matches!(line.finish(1).end, Some(End::Done(_))),
        "{}",
        laptop.log()
    );
    until("closed notification", || displayed() == 0);
    assert_eq!(
        laptop.ask(&["devices", "show", "1"])["rules"]["chat"],
        "ask"
    );

    // Wiped away is no answer; then answered elsewhere.
    asks(&mut line, 2);
    let shown = last();
    let body = shown["body"]["data"].as_str().expect("a body").to_owned();
    assert!(
        body.contains("chat with built-in/partner") && body.contains("at most"),
        "{shown}"
    );
    assert_eq!(shown["summary"]["data"], "pocket would like to");
    assert_eq!(laptop.ask(&["pending"]).as_array().map(Vec::len), Some(1));
    let number = laptop.await_question().to_string();
    laptop.ask(&["deny", &number]);
    assert_eq!(code(&line.finish(2)), Some(ErrorCode::AskRefused));

    // Answered elsewhere closes it here.
    asks(&mut line, 3);
    let number = laptop.await_question().to_string();
    laptop.ask(&["approve", &number]);
    until("closed notification", || displayed() == 0);
    assert!(matches!(line.finish(3).end, Some(End::Done(_))));

    // Denied is refused.
    asks(&mut line, 4);
    press("deny");
    assert_eq!(code(&line.finish(4)), Some(ErrorCode::AskRefused));
    until("closed notification", || displayed() == 0);

    // Nobody answers: it is refused and goes.
    let file = laptop.home.join("config/daemon.toml");
    let before = std::fs::read_to_string(&file).expect("settings");
    let text = format!("version = 1\n[daemon]\nask_timeout_s = 10\n{before}");
    std::fs::write(&file, text).expect("written");
    laptop.ask(&["config", "reload"]);
    asks(&mut line, 5);
    assert_eq!(code(&line.finish(5)), Some(ErrorCode::AskExpired));
    until("closed notification", || displayed() == 0);

    std::fs::write(&file, before).expect("written");
    laptop.ask(&["config", "reload"]);

    // Always is remembered, for exactly this.
    asks(&mut line, 6);
    press("always");
    assert!(matches!(line.finish(6).end, Some(End::Done(_))));
    let rules = laptop.ask(&["devices", "show", "1"])["rules"].clone();
    let allowed = rules.as_object().expect("rules").values();
    assert_eq!(allowed.filter(|rule| **rule == "allow").count(), 1);
    assert_eq!(rules["chat"], "allow");
    let told = line.run(7, &chat("And now?"));
    assert!(matches!(told.end, Some(End::Done(_))) && !told.awaiting);
    drop(agent);
}

/// Presses a button by what it is called on the wire: dunst's own menu is one that a person chooses from, and
/// `tests/agent/menu` chooses what stands in a file.
fn press(action: &str) {
    let wanted = std::env::var("OFFICEOS_MENU").expect("tests/agent/run says where");
    std::fs::write(wanted, action).expect("written");
    dunstctl(&["context"]);
}
