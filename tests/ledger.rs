//! The ledger of real processes: what a person withdraws stops what runs, both are written down in their order, and nobody
//! changes it unseen.

mod bare;

use bare::person::{allow, chat, code, pair};
use bare::{Card, End, Laptop, Line};
use serde_json::Value;
use shared_proto::error::ErrorCode;
use std::net::SocketAddr;
use std::path::PathBuf;

const STORY: &str = "Tell me a long story about a lighthouse, please.";

/// A paired device that may chat, with a partner slow enough to be interrupted: a story lasts over a minute.
fn chatting(name: &str) -> (Laptop, SocketAddr, Card) {
    let laptop = Laptop::slow(name, 200);
    let address = laptop.address();
    let card = pair(&laptop, address);
    allow(&laptop, &["chat"]);
    (laptop, address, card)
}

/// A request whose answer is arriving.
fn streaming(line: &mut Line, id: u64) {
    line.submit(id, &chat(STORY));
    line.until("some words", |line| {
        line.told
            .get(&id)
            .is_some_and(|told| told.bodies.values().any(|body| body.len() > 10))
    })
    .expect("alive");
}

/// What the ledger tells of the only device, oldest first.
fn events(laptop: &Laptop) -> Vec<Value> {
    let shown = laptop.ask(&["ledger", "show", "--last", "1000"]);
    let entries = shown.as_array().expect("entries").clone();
    entries
        .into_iter()
        .map(|entry| entry["event"].clone())
        .collect()
}

fn place(events: &[Value], what: &str, wanted: impl Fn(&Value) -> bool) -> usize {
    events
        .iter()
        .rposition(|event| event["what"] == what && wanted(event))
        .unwrap_or_else(|| panic!("no {what} in {events:#?}"))
}

fn file(laptop: &Laptop) -> PathBuf {
    laptop
        .home
        .join("state/ledger")
        .join(format!("{:020}.jsonl", 1))
}

#[test]
fn a_permission_withdrawn_in_mid_answer_stops_it_and_the_ledger_has_both_in_order() {
    let (laptop, address, card) = chatting("ledger-permit");
    let mut line = card.link(address).expect("linked");
    streaming(&mut line, 1);
    laptop.ask(&["permit", "pocket", "chat", "deny"]);
    let told = line.finish(1);
    assert_eq!(code(&told), Some(ErrorCode::Denied), "{told:?}");
    let events = events(&laptop);
    let taken = place(&events, "taken", |event| event["request"] == 1);
    let denied = place(&events, "permitted", |event| {
        event["changes"][0]["of"] == "chat" && event["changes"][0]["after"] == "deny"
    });
    let ended = place(&events, "ended", |event| event["request"] == 1);
    assert!(taken < denied && denied < ended, "{events:#?}");
    assert_eq!(events[ended]["outcome"], ErrorCode::Denied.name());
    assert_eq!(events[taken]["wants"][0]["operation"], "chat");
    let written = std::fs::read_to_string(file(&laptop)).expect("the file");
    assert!(!written.contains("lighthouse"), "content is in the ledger");
}

#[test]
fn a_revoked_key_stops_an_answer_and_the_ledger_has_both_in_order() {
    let (laptop, address, card) = chatting("ledger-revoke");
    let mut line = card.link(address).expect("linked");
    streaming(&mut line, 1);
    laptop.ask(&["revoke", "pocket"]);
    assert!(
        (0..500).any(|_| line.step().is_err()),
        "the session lives on"
    );
    // The session ends first; what ran for it is then written down.
    let deadline = std::time::Instant::now() + bare::laptop::PATIENCE;
    let events = loop {
        let events = events(&laptop);
        if events.iter().any(|event| event["what"] == "ended") {
            break events;
        }
        assert!(std::time::Instant::now() < deadline, "no end: {events:#?}");
    };
    let revoked = place(&events, "revoked", |_| true);
    let ended = place(&events, "ended", |event| event["request"] == 1);
    assert!(revoked < ended, "{events:#?}");
    assert_eq!(events[ended]["outcome"], ErrorCode::Revoked.name());
}

#[test]
fn a_ledger_is_whole_after_a_kill_and_any_change_to_it_is_named() {
    let (mut laptop, address, card) = chatting("ledger-change");
    let mut line = card.link(address).expect("linked");
    assert!(matches!(
        line.run(1, &chat("Hello")).end,
        Some(End::Done(_))
    ));
    streaming(&mut line, 2);
    laptop.kill();
    laptop.launch();
    let report = laptop.ask(&["ledger", "verify"]);
    assert!(report["flaw"].is_null(), "{report}");
    assert_eq!(report["requests"], 2);
    let events = events(&laptop);
    let ended = place(&events, "ended", |event| event["request"] == 2);
    assert_eq!(events[ended]["outcome"], ErrorCode::Interrupted.name());

    // A copy is checked by whoever has it, against the key of the laptop.
    let copy = laptop.home.join("copy.jsonl");
    let copy = copy.to_str().expect("a path");
    assert!(
        laptop
            .officectl(&["ledger", "export", copy])
            .status
            .success()
    );
    let key = report["key"].as_str().expect("a key");
    let alone = |arguments: &[&str]| {
        let arguments = [&["ledger", "verify"], arguments].concat();
        laptop.officectl(&arguments).status.code()
    };
    assert_eq!(alone(&[copy, "--key", key]), Some(0));
    assert_eq!(alone(&[copy, "--key", &"0".repeat(64)]), Some(8));

    // One bit in the middle of the laptop's own.
    let path = file(&laptop);
    let whole = std::fs::read(&path).expect("the file");
    let middle = whole.len() / 2;
    let number = whole[..middle]
        .iter()
        .filter(|byte| **byte == b'\n')
        .count()
        + 1;
    let mut bent = whole.clone();
    bent[middle] ^= 1;
    std::fs::write(&path, &bent).expect("written");
    let output = laptop.officectl(&["ledger", "verify"]);
    assert_eq!(output.status.code(), Some(8));
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(words.contains(&format!("entry {number} in ")), "{words}");

    // Its end cut off at a line.
    let end = whole[..whole.len() - 1]
        .iter()
        .rposition(|byte| *byte == b'\n')
        .expect("lines");
    std::fs::write(&path, &whole[..=end]).expect("written");
    let output = laptop.officectl(&["ledger", "verify"]);
    assert_eq!(output.status.code(), Some(8));
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(words.contains("its end was cut off"), "{words}");
}

#[test]
fn a_laptop_that_was_put_back_is_found_by_what_its_device_saw() {
    let mut laptop = Laptop::start("ledger-back");
    let mut card = pair(&laptop, laptop.address());
    allow(&laptop, &["chat"]);
    laptop.kill();
    let (state, backup) = (laptop.home.join("state"), laptop.home.join("backup"));
    let copy = |from: &std::path::Path, to: &std::path::Path| {
        let done = std::process::Command::new("cp")
            .arg("-a")
            .args([from, to])
            .status()
            .expect("cp runs");
        assert!(done.success());
    };
    copy(&state, &backup);
    laptop.launch();
    let mut line = card.link(laptop.address()).expect("linked");
    for id in 1..=3 {
        line.run(id, &chat("Hello"));
        line.ack(id);
    }
    drop(line);
    let head = |line: &Line| line.greeting.as_ref().expect("a greeting").ledger;
    let seen = head(&card.link(laptop.address()).expect("linked"));
    assert!(seen.number > 0);
    card.ledger = seen;
    // Told what it still holds, the laptop has nothing to complain of.
    card.link(laptop.address()).expect("linked");
    assert!(laptop.officectl(&["ledger", "verify"]).status.success());

    laptop.kill();
    std::fs::remove_dir_all(&state).expect("gone");
    copy(&backup, &state);
    laptop.launch();
    let now = head(&card.link(laptop.address()).expect("linked"));
    assert!(!now.follows(&seen), "the device sees it: {now:?}");
    let said = laptop.officectl(&["ledger", "verify"]);
    assert!(!said.status.success());
    let words = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(words.contains("pocket has seen entry"), "{words}");
}
