//! Real laptop processes and a pocket client over loopback: pair, ask, be asked, be denied, cut, resume, revoke, kill.

mod bare;

use bare::person::{allow, chat, code, paint, paired, put_and_get};
use bare::{Card, End, Laptop, Line};
use shared_proto::error::ErrorCode;
use std::sync::mpsc::channel;

#[test]
fn a_paired_device_chats_and_is_answered() {
    let (laptop, address, card) = paired("chat");
    allow(&laptop, &["chat"]);
    let mut line = card.link(address).expect("linked");
    let told = line.run(1, &chat("Hello, who are you?"));
    assert!(
        matches!(told.end, Some(End::Done(usage)) if usage.tokens_out > 0),
        "{told:?}\n{}",
        laptop.log()
    );
    assert!(told.accepted && !told.awaiting);
    assert!(told.text(0).len() > 5, "{told:?}");
    assert_eq!(told.started, ["built-in/partner"]);
    line.ack(1);
}

#[test]
fn a_new_device_asks_and_a_person_answers() {
    let (laptop, address, card) = paired("ask");
    let mut line = card.link(address).expect("linked");
    line.submit(1, &chat("May I?"));
    let number = std::thread::scope(|scope| {
        let asked = scope.spawn(|| laptop.await_question());
        line.until("a question", |line| {
            line.told.get(&1).is_some_and(|told| told.awaiting)
        })
        .expect("alive");
        asked.join().expect("no panic")
    });
    laptop.ask(&["approve", &number.to_string()]);
    let told = line.finish(1);
    assert!(matches!(told.end, Some(End::Done(_))), "{told:?}");

    line.submit(2, &chat("And now?"));
    line.until("a question", |line| {
        line.told.get(&2).is_some_and(|told| told.awaiting)
    })
    .expect("alive");
    let number = laptop.await_question();
    laptop.ask(&["deny", &number.to_string()]);
    assert_eq!(code(&line.finish(2)), Some(ErrorCode::AskRefused));
}

#[test]
fn what_is_denied_never_runs_and_a_changed_rule_holds_at_once() {
    let (laptop, address, card) = paired("deny");
    laptop.ask(&["permit", "pocket", "chat", "deny"]);
    let mut line = card.link(address).expect("linked");
    assert_eq!(code(&line.run(1, &chat("Please"))), Some(ErrorCode::Denied));
    allow(&laptop, &["chat"]);
    assert_eq!(code(&line.run(2, &chat("Please"))), None);
}

#[test]
fn a_picture_is_painted_with_progress_and_its_original_is_kept() {
    let (laptop, address, card) = paired("paint");
    allow(&laptop, &["generate"]);
    let mut line = card.link(address).expect("linked");
    let told = line.run(1, &paint("a red fox at dusk"));
    assert!(
        matches!(told.end, Some(End::Done(usage)) if usage.pictures == 1),
        "{told:?}\n{}",
        laptop.log()
    );
    assert!(told.bodies[&0].len() > 100 && !told.progress.is_empty());
    let kept: Vec<_> = std::fs::read_dir(laptop.files().join("pictures"))
        .expect("pictures")
        .collect();
    assert_eq!(kept.len(), 1, "{kept:?}");
}

#[test]
fn files_go_both_ways_and_no_path_leads_out() {
    let (laptop, address, card) = paired("files");
    allow(&laptop, &["put", "get"]);
    let mut line = card.link(address).expect("linked");
    let told = line.run(1, &put_and_get("notes/one.txt", "hello"));
    assert_eq!(told.text(1), "hello", "{told:?}");
    assert_eq!(
        std::fs::read(laptop.files().join("notes/one.txt")).expect("a file"),
        b"hello"
    );
    for (id, path) in [
        (2, "../one.txt"),
        (3, "/etc/passwd"),
        (4, "a/../../b"),
        (5, ".hidden"),
    ] {
        let told = line.run(id, &put_and_get(path, "x"));
        assert_eq!(
            code(&told),
            Some(ErrorCode::PathRefused),
            "{path}: {told:?}"
        );
    }
}

#[test]
fn a_cut_link_costs_nothing_and_the_answer_goes_on_where_it_stopped() {
    let (laptop, address, card) = paired("cut");
    allow(&laptop, &["chat"]);
    let program = chat("Tell me a long story about a lighthouse, please.");
    let mut first = card.link(address).expect("linked");
    first.submit(1, &program);
    first
        .until("some words", |line| {
            line.told
                .get(&1)
                .is_some_and(|told| told.bodies.values().any(|body| body.len() > 10))
        })
        .expect("alive");
    let so_far = first.told[&1].clone();
    drop(first);

    let mut second = card.link(address).expect("linked again");
    assert!(second.greeting.as_ref().expect("a greeting").floor > 1);
    second.resume(1, so_far.clone());
    let told = second.finish(1);
    assert!(matches!(told.end, Some(End::Done(_))), "{told:?}");
    assert!(told.text(0).starts_with(&so_far.text(0)) && told.text(0).len() > so_far.text(0).len());

    // The same number with the same program attaches and yields the same; with another program it is refused.
    let again = second.run(1, &program);
    assert_eq!(again.text(0), told.text(0));
    assert_eq!(
        code(&second.run(1, &chat("Something else"))),
        Some(ErrorCode::IdReused)
    );
}

#[test]
fn revoking_ends_the_session_at_once_and_for_good() {
    let (laptop, address, card) = paired("revoke");
    let mut line = card.link(address).expect("linked");
    laptop.ask(&["revoke", "pocket"]);
    let ended = (0..200).any(|_| line.step().is_err());
    assert!(ended, "the session lives on\n{}", laptop.log());
    assert!(card.link(address).is_err(), "a revoked device was let in");
    assert_eq!(
        laptop
            .officectl(&["permit", "pocket", "chat", "allow"])
            .status
            .code(),
        Some(5)
    );
}

#[test]
fn a_device_that_was_never_paired_gets_nothing() {
    let (_laptop, address, card) = paired("stranger");
    let mut stranger = card.clone();
    stranger.keys.token = shared_proto::crypto::TokenSecret::from_bytes([9; 32]);
    assert!(stranger.link(address).is_err(), "a wrong token was let in");
    let mut stranger = card.clone();
    stranger.keys.own = shared_proto::crypto::RelationshipKey::from_bytes([9; 32]);
    assert!(stranger.link(address).is_err(), "a wrong key was let in");
    card.link(address).expect("the paired one still gets in");
}

#[test]
fn wrong_digits_pair_nobody() {
    let laptop = Laptop::start("digits");
    let address = laptop.address();
    laptop.ask(&["pair", "--open"]);
    let (sender, digits) = channel();
    let pocket = std::thread::spawn(move || Card::pair(address, "pocket", &sender));
    let shown = digits.recv().expect("digits");
    let wrong = if shown == "000000" {
        "000001"
    } else {
        "000000"
    };
    let output = laptop.officectl(&["pair", "--digits", wrong]);
    assert_eq!(
        output.status.code(),
        Some(6),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(pocket.join().expect("no panic").is_err());
    assert_eq!(laptop.ask(&["devices"]).as_array().map(Vec::len), Some(0));
}

#[test]
fn a_killed_daemon_comes_back_and_says_what_was_interrupted() {
    let (mut laptop, address, card) = paired("kill");
    let mut line = card.link(address).expect("linked");
    // It waits for a person, so that it is surely unfinished.
    line.submit(1, &chat("Wait for me"));
    line.until("a question", |line| {
        line.told.get(&1).is_some_and(|told| told.awaiting)
    })
    .expect("alive");
    laptop.kill();
    laptop.launch();
    let mut line = card.link(laptop.address()).expect("linked to the new one");
    line.resume(1, bare::pocket::Told::default());
    assert_eq!(code(&line.finish(1)), Some(ErrorCode::Interrupted));
}

#[test]
fn services_that_die_are_started_again_and_all_end_with_the_daemon() {
    let mut laptop = Laptop::start("children");
    let children = |pid: u32| -> Vec<u32> {
        let all = bare::process::children(pid).into_iter();
        all.map(|(pid, _)| pid).collect()
    };
    let before = children(laptop.pid());
    assert_eq!(before.len(), 4);
    for child in &before {
        bare::process::crash(*child);
    }
    laptop.await_status("restarted services", |status| {
        status["carriers"][0]["address"].is_string()
            && status["services"]
                .as_object()
                .is_some_and(|all| all.values().all(|answers| answers == true))
    });
    let after = children(laptop.pid());
    assert!(after.len() == 4 && before.iter().all(|pid| !after.contains(pid)));
    laptop.kill();
    let deadline = std::time::Instant::now() + bare::laptop::PATIENCE;
    while after.iter().any(|pid| bare::laptop::is_alive(*pid)) {
        assert!(
            std::time::Instant::now() < deadline,
            "a service outlived its daemon"
        );
        std::thread::yield_now();
    }
}

#[test]
fn many_strangers_cannot_keep_a_paired_device_out() {
    let (_laptop, address, card) = paired("flood");
    let strangers: Vec<std::net::TcpStream> = (0..400)
        .map_while(|_| std::net::TcpStream::connect(address).ok())
        .collect();
    assert!(strangers.len() > 300);
    let line: Line = card.link(address).expect("linked all the same");
    assert!(line.greeting.is_some());
}

#[test]
fn keys_are_renewed_inside_a_session_and_the_old_ones_die_with_the_next() {
    let (laptop, address, card) = paired("renew");
    // Fresh keys of a pairing that has all its days: nothing is due.
    let mut line = card.link(address).expect("linked");
    line.renew();
    line.until("an answer", |line| line.renewed.is_some())
        .expect("alive");
    assert!(line.renewed.take().expect("an answer").is_none());

    // With few days left a person is asked; no leaves everything as it was.
    laptop.ask(&["renew", "pocket", "--days", "2"]);
    line.renew();
    line.step().expect("alive");
    let number = laptop.await_question();
    laptop.ask(&["deny", &number.to_string()]);
    line.until("an answer", |line| line.renewed.is_some())
        .expect("alive");
    assert!(line.renewed.take().expect("an answer").is_none());
    let days = |laptop: &Laptop| {
        laptop.ask(&["devices"])[0]["expires_in_s"]
            .as_i64()
            .expect("a time")
            / 86_400
    };
    assert!(days(&laptop) <= 2);

    // Yes extends it and renews the keys of both sides.
    line.renew();
    line.step().expect("alive");
    let number = laptop.await_question();
    laptop.ask(&["approve", &number.to_string()]);
    line.until("an answer", |line| line.renewed.is_some())
        .expect("alive");
    let next = line.renewed.take().expect("an answer").expect("new keys");
    assert!(days(&laptop) >= 29);
    drop(line);

    // Until a session stands on the new pair the old one works; afterwards it is a stranger's.
    card.link(address).expect("the old pair still works");
    let new_card = Card {
        keys: next,
        ..card.clone()
    };
    new_card.link(address).expect("the new pair works");
    assert!(card.link(address).is_err(), "the old pair was let in");
    new_card.link(address).expect("the new pair still works");
}
