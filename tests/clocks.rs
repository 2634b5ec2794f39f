//! Clocks years apart change nothing but what the laptop's own expiry says.

mod support;

use std::path::Path;
use support::laptop::Laptop;
use support::pocket::Pocket;
use support::{Folder, eventually};

/// Environment under which a process sees another date (libfaketime). Its monotonic clock stays as it is.
fn clock(offset: &str) -> Vec<(String, String)> {
    let library = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu"]
        .iter()
        .map(|folder| Path::new(folder).join("faketime/libfaketimeMT.so.1"))
        .find(|path| path.exists())
        .expect("the package faketime is installed; scripts/test e2e does that");
    [
        ("LD_PRELOAD", library.display().to_string()),
        ("FAKETIME", offset.to_owned()),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .to_vec()
}

fn ask(pocket: &mut Pocket, text: &str) {
    pocket.home();
    pocket.press("Start");
    pocket.wait("screen=writing");
    pocket.type_text(text);
    pocket.press("Start");
    pocket.wait("screen=chat");
}

/// Seconds until the relationship expires, as its owner is told.
fn left(laptop: &Laptop) -> i64 {
    laptop.ctl().json(&["devices"])[0]["expires_in_s"]
        .as_i64()
        .expect("a number")
}

/// Thirty days, as pairing and renewal give.
const WHOLE: i64 = 30 * 86_400;

#[test]
fn only_the_laptop_decides_when_a_relationship_expires() {
    let mut laptop = Laptop::start("clocks");
    let card = Folder::new("clock-card");
    let home = card.path().join("card");

    // The handheld lives ten years in the past while it pairs, and ten years in the future afterwards.
    let mut pocket = Pocket::with(&home, laptop.address(), "640x480", &clock("-10y"));
    pocket.pair(&laptop);
    laptop.ctl().permit("Pocket", &["chat"], "allow");
    pocket.wait("may.chat=allow");
    ask(&mut pocket, "Count to 3");
    pocket.wait("answer.state=done");
    pocket.quit();
    let mut pocket = Pocket::with(&home, laptop.address(), "640x480", &clock("+10y"));
    pocket.wait("link=linked");
    ask(&mut pocket, "Count to 4");
    pocket.wait("answer.state=done");
    let before = left(&laptop);
    assert!(before <= WHOLE && before > WHOLE - 600, "{before}");

    // The laptop's clock is set back three years: it goes on from the latest time it has seen.
    laptop.kill();
    laptop.set_environment(clock("-3y"));
    laptop.restart();
    pocket.wait("link=linked");
    ask(&mut pocket, "Count to 5");
    pocket.wait("answer.state=done");
    // The latest time is stored once a minute.
    assert!(
        left(&laptop) <= before + 60,
        "a clock that is set back adds nothing"
    );

    // Thirty-one days pass: the relationship is suspended and its keys are kept.
    laptop.kill();
    laptop.set_environment(clock("+31d"));
    laptop.restart();
    pocket.wait("link=linked");
    ask(&mut pocket, "Count to 6");
    pocket.wait("answer.failure=Expired");

    // Setting the clock back revives nothing.
    laptop.kill();
    laptop.set_environment(Vec::new());
    laptop.restart();
    pocket.wait("link=linked");
    ask(&mut pocket, "Count to 7");
    pocket.wait("answer.failure=Expired");

    // A person does.
    laptop.ctl().json(&["renew", "Pocket"]);
    eventually("the renewed relationship", || {
        (left(&laptop) > WHOLE - 600).then_some(())
    });
    pocket.wait("may.chat=allow");
    ask(&mut pocket, "Count to 8");
    pocket.wait("answer.state=done");
    pocket.quit();
}
