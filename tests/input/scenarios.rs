//! The scenarios.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::device::{Made, Pad};
use crate::pocket::{Fake, PATIENCE, Pocket};
use crate::rows::{Finger, ROWS};

/// All of them, in this order.
pub const ALL: &[(&str, fn())] = &[
    ("rows", rows),
    ("hotplug", hotplug),
    ("two-pads", two_pads),
    ("grab", grab),
    ("repeat", repeat),
    ("stamps", stamps),
    ("dropped", dropped),
    ("power", power),
    ("lid", lid),
    ("setup", setup),
    ("end", end),
    ("fall", fall),
];

/// The row that is no pad.
const KEYBOARD: &str = "USB Keyboard";
const OWN: Fake = Fake::Release("OfficeOS");
const GAMEPAD: &str = "gpio-keys-gamepad";
const GAMEPAD_KEYS: &[u16] = &[
    304, 305, 307, 308, 310, 311, 314, 315, 316, 544, 545, 546, 547,
];
const A: u16 = 305;
const B: u16 = 304;
const DOWN: u16 = 545;
const START: u16 = 315;

fn gamepad(pocket: &mut Pocket) -> Pad {
    let pad = Pad::keys(GAMEPAD, GAMEPAD_KEYS);
    pocket.wait(&format!("pads~{GAMEPAD}"));
    pad
}

/// Every printed button of every row comes out as itself, on press and on release; what is no button does not come out.
fn rows() {
    let mut pocket: Option<(Fake, Pocket)> = None;
    for row in ROWS {
        if pocket.as_ref().is_none_or(|(fake, _)| *fake != row.fake) {
            drop(pocket.take());
            pocket = Some((row.fake, Pocket::fresh(row.fake)));
        }
        let Some((_, pocket)) = &mut pocket else {
            unreachable!("just started")
        };
        let mut pad = Pad::make(&row.made);
        if row.made.name == KEYBOARD {
            // A keyboard is no pad, and so told of nowhere: its first press is tried until it is heard.
            let heard =
                |pocket: &mut Pocket| pocket.trail().last().is_some_and(|step| step.0 == "Down");
            while !heard(pocket) {
                pad.click(108);
                std::thread::sleep(Duration::from_millis(100));
            }
            pocket.last("Down", '-');
        } else {
            pocket.wait(&format!("pads={}", row.made.name));
        }
        for &(label, finger) in row.buttons {
            let mut touch = |down: bool| match finger {
                Finger::Key(code) => {
                    pad.key(code, down);
                    if code == 312 && row.made.keys.contains(&354) {
                        pad.key(354, down);
                    }
                }
                Finger::Axis(code, far, rest) => pad.axis(code, if down { far } else { rest }),
            };
            touch(true);
            pocket.last(label, '+');
            touch(false);
            pocket.last(label, '-');
        }
        // Volume is nobody's button.
        for code in [114, 115]
            .into_iter()
            .filter(|code| row.made.keys.contains(code))
        {
            let before = pocket.trail().len();
            pad.click(code);
            assert_eq!(pocket.trail().len(), before, "{code}");
        }
        println!(
            "        {:?} {}: {} buttons",
            row.fake,
            row.made.name,
            row.buttons.len()
        );
        drop(pad);
        pocket.wait("pads=");
    }
}

/// A pad that goes away with a button held lets go of it; it comes back and is read.
fn hotplug() {
    let mut pocket = Pocket::fresh(OWN);
    for _ in 0..5 {
        let mut pad = gamepad(&mut pocket);
        pad.key(A, true);
        pocket.last("A", '+');
        drop(pad);
        pocket.last("A", '-');
        pocket.wait("pads=");
    }
}

/// Two pads: a button is down as long as one of them holds it.
fn two_pads() {
    let mut pocket = Pocket::fresh(OWN);
    let mut first = gamepad(&mut pocket);
    let mut second = Pad::keys("gpio-keys-control", GAMEPAD_KEYS);
    pocket.wait("pads~gpio-keys-control");
    first.key(B, true);
    pocket.last("B", '+');
    second.key(B, true);
    first.key(B, false);
    first.click(DOWN);
    pocket.last("Down", '-');
    let releases = pocket
        .trail()
        .iter()
        .filter(|step| step.0 == "B" && step.1 == '-')
        .count();
    assert_eq!(releases, 0, "the second still holds it");
    second.key(B, false);
    pocket.last("B", '-');
}

/// Waits until another reader of this pad sees its presses, or sees none although the app does.
fn shared(pocket: &mut Pocket, pad: &mut Pad, expected: bool) {
    let mut other = pad.other();
    let until = Instant::now() + PATIENCE;
    loop {
        other.seen();
        pad.click(DOWN);
        pocket.last("Down", '-');
        let seen = !other.seen().is_empty();
        if seen == expected {
            return;
        }
        assert!(
            Instant::now() < until,
            "another reader sees presses: {seen}"
        );
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// On our own image a pad is ours alone while the app shows, and not while it sleeps or after it is gone. Volume is always everybody's,
/// and on the vendor's firmware so is the pad.
fn grab() {
    let mut pocket = Pocket::fresh(OWN);
    let mut pad = gamepad(&mut pocket);
    let mut volume = Pad::keys("gpio-keys-volume", &[114, 115]);
    let mut loud = volume.other();
    shared(&mut pocket, &mut pad, false);
    volume.click(115);
    volume.click(114);
    assert_eq!(loud.seen(), [(115, 1), (115, 0), (114, 1), (114, 0)]);
    // A pad that has the volume keys itself is never kept from others.
    let mut both = Pad::keys("gpio-keys-control", &[GAMEPAD_KEYS, &[114, 115]].concat());
    pocket.wait("pads~gpio-keys-control");
    shared(&mut pocket, &mut both, true);
    drop(both);
    let mut key = Pad::keys("axp2202-pek", &[116]);
    std::thread::sleep(Duration::from_millis(300));
    tap(&mut pocket, &mut key);
    let mut other = pad.other();
    let until = Instant::now() + PATIENCE;
    while other.seen().is_empty() {
        // The kernel's word for it: while the app sleeps somebody else may take it.
        assert!(Instant::now() < until, "the pad is not given up for sleep");
        pad.click(DOWN);
        std::thread::sleep(Duration::from_millis(50));
        if pocket.fact("dark") == "false" {
            // That press woke it; asleep again for another look.
            std::thread::sleep(Duration::from_millis(2100));
            tap(&mut pocket, &mut key);
        }
    }
    pad.click(DOWN);
    pocket.wait("dark=false");
    shared(&mut pocket, &mut pad, false);
    // A crash leaves no device mute: the kernel ends the grab.
    pocket.signal(Signal::SIGKILL);
    drop(pocket);
    let mut other = pad.other();
    pad.click(DOWN);
    assert!(!other.seen().is_empty());
    drop(pad);

    let mut pocket = Pocket::fresh(Fake::Stock);
    let mut pad = Pad::keys("ANBERNIC-keys", &[304, 305, 311, 114, 115, 545]);
    pocket.wait("pads~ANBERNIC-keys");
    shared(&mut pocket, &mut pad, true);
}

/// A held direction repeats from 400 ms on, twelve times a second, counted from the kernel's stamp of the press.
fn repeat() {
    let mut pocket = Pocket::fresh(OWN);
    let mut pad = gamepad(&mut pocket);
    pad.key(DOWN, true);
    let pressed = pocket.last("Down", '+');
    let until = Instant::now() + PATIENCE;
    let repeats = loop {
        let trail = pocket.trail();
        let repeats: Vec<u64> = trail
            .iter()
            .filter(|step| step.1 == '*')
            .map(|step| step.2 - pressed)
            .collect();
        if repeats.len() >= 12 {
            break repeats;
        }
        assert!(Instant::now() < until, "{trail:?}");
        std::thread::sleep(Duration::from_millis(50));
    };
    pad.key(DOWN, false);
    pocket.last("Down", '-');
    println!("        repeats after ms: {repeats:?}");
    for (n, at) in repeats.iter().enumerate() {
        // Never early; a slow machine may be late.
        assert!(*at >= 400 + n as u64 * 1000 / 12, "{repeats:?}");
    }
    std::thread::sleep(Duration::from_millis(600));
    let after = pocket.trail();
    assert_eq!(
        after.last().map(|step| step.1),
        Some('-'),
        "nothing repeats after the release: {after:?}"
    );
}

/// A short press stays short however late the app gets to read it.
fn stamps() {
    let mut pocket = Pocket::fresh(OWN);
    let mut pad = gamepad(&mut pocket);
    for _ in 0..20 {
        pocket.stop(true);
        let begun = Instant::now();
        pad.key(B, true);
        let closed = Instant::now();
        std::thread::sleep(Duration::from_millis(120));
        let open = Instant::now();
        pad.key(B, false);
        let (least, most) = (open - closed, begun.elapsed());
        std::thread::sleep(Duration::from_millis(900));
        pocket.stop(false);
        if most > Duration::from_millis(350) {
            // This machine was too slow to press briefly.
            continue;
        }
        let up = pocket.last("B", '-');
        let trail = pocket.trail();
        let down = trail
            .iter()
            .rfind(|step| step.0 == "B" && step.1 == '+')
            .unwrap()
            .2;
        let held = up - down;
        println!("        pressed for {most:?}, seen as {held} ms after a pause of 900 ms");
        assert!(
            u128::from(held) + 3 >= least.as_millis() && u128::from(held) <= most.as_millis() + 3,
            "{held} {trail:?}"
        );
        assert!(
            trail.iter().all(|step| !matches!(step.1, '*' | '_')),
            "neither long nor repeated: {trail:?}"
        );
        return;
    }
    panic!("no press was brief");
}

/// The kernel's queue overflows: what is down afterwards is known all the same.
fn dropped() {
    let mut pocket = Pocket::fresh(OWN);
    let mut pad = Pad::make(&Made {
        name: GAMEPAD,
        keys: GAMEPAD_KEYS,
        axes: &[(9, -100_000, 100_000)],
        lid: false,
    });
    pocket.wait(&format!("pads~{GAMEPAD}"));
    let flood = |pad: &mut Pad| {
        for value in 1..3000 {
            pad.axis(9, value * (value % 2 * 2 - 1));
        }
    };
    pocket.stop(true);
    flood(&mut pad);
    pad.key(A, true);
    flood(&mut pad);
    pocket.stop(false);
    pocket.last("A", '+');
    pocket.stop(true);
    flood(&mut pad);
    pad.key(A, false);
    flood(&mut pad);
    pocket.stop(false);
    pocket.last("A", '-');
    pad.click(B);
    pocket.last("B", '-');
}

/// Taps the power key until the app sleeps.
fn tap(pocket: &mut Pocket, key: &mut Pad) {
    darken(pocket, |_| key.click(116));
}

/// Does what should make the app sleep until it does, since no fact tells that it has opened the device; `act` hears whether it
/// was done before.
fn darken(pocket: &mut Pocket, mut act: impl FnMut(bool)) {
    for round in 0..10 {
        act(round > 0);
        if pocket.say("wait dark=true 5000") == "ok" {
            return;
        }
    }
    panic!("it is not heard");
}

/// The power key: what is written is safe, nothing is drawn, another tap or any button brings everything back.
fn power() {
    let mut pocket = Pocket::fresh(Fake::Stock);
    let mut pad = Pad::keys(
        "ANBERNIC-keys",
        &[304, 305, 306, 307, 308, 309, 310, 311, 312, 545, 114, 115],
    );
    pocket.wait("pads~ANBERNIC-keys");
    let mut key = Pad::keys("axp2202-pek", &[110, 111, 116]);
    let mut other = key.other();
    std::thread::sleep(Duration::from_millis(300));
    pad.click(311);
    pocket.wait("screen=writing");
    assert_eq!(pocket.say("type hello"), "ok");
    let text = pocket.fact("keyboard.text");
    assert!(text.contains("ello"), "{text}");
    tap(&mut pocket, &mut key);
    assert!(!other.seen().is_empty(), "the firmware sees its power key");
    // The press that wakes types nothing.
    pad.click(304);
    pocket.wait("dark=false");
    pocket.last("A", '-');
    assert_eq!(pocket.fact("keyboard.text"), text);
    assert_eq!(pocket.fact("screen"), "writing");
    std::thread::sleep(Duration::from_millis(2100));
    tap(&mut pocket, &mut key);
    key.click(116);
    pocket.wait("dark=false");
    // A press of the power key that shuts down is no tap.
    std::thread::sleep(Duration::from_millis(2100));
    key.key(116, true);
    std::thread::sleep(Duration::from_millis(1200));
    key.key(116, false);
    pad.click(545);
    pocket.last("Down", '-');
    assert_eq!(pocket.fact("dark"), "false");
    // Asleep again, and the battery is pulled: what was written is there.
    tap(&mut pocket, &mut key);
    let home = pocket.home.clone();
    pocket.signal(Signal::SIGKILL);
    drop(pocket);
    let mut pocket = Pocket::start(Fake::Stock, &home);
    pocket.wait("pads~ANBERNIC-keys");
    pad.click(311);
    pocket.wait("screen=writing");
    assert_eq!(pocket.fact("keyboard.text"), text);
}

/// The lid, as a switch and as the vendor's keys.
fn lid() {
    let mut pocket = Pocket::fresh(OWN);
    let mut lid = Pad::make(&Made {
        name: "gpio-keys-lid",
        keys: &[],
        axes: &[],
        lid: true,
    });
    darken(&mut pocket, |again| {
        if again {
            lid.lid(false);
        }
        lid.lid(true);
    });
    lid.lid(false);
    pocket.wait("dark=false");
    for _ in 0..2 {
        lid.lid(true);
        pocket.wait("dark=true");
        lid.lid(false);
        pocket.wait("dark=false");
    }
    let mut vendor = Pad::keys("axp2202-pek", &[110, 111, 116]);
    darken(&mut pocket, |_| vendor.click(110));
    vendor.click(111);
    pocket.wait("dark=false");
}

/// A pad that no table knows is asked for by itself, tried, kept, and known at the next start.
fn setup() {
    const BOARD: &str = "Mystery Board";
    let keys: Vec<u16> = (288..303).collect();
    let labels = [
        "Up", "Down", "Left", "Right", "A", "B", "X", "Y", "L1", "R1", "L2", "R2", "Start",
        "Select", "Menu",
    ];
    let mut pocket = Pocket::fresh(Fake::Release("Debian"));
    let mut board = Pad::keys(BOARD, &keys);
    pocket.wait(&format!("pads={BOARD}?"));
    for (code, label) in keys.iter().zip(labels) {
        pocket.wait(&format!("setup={label}"));
        board.click(*code);
    }
    pocket.wait("setup=trying");
    // Keys in the order of the labels: the fifth is A.
    board.click(keys[4]);
    pocket.wait("setup=");
    pocket.wait(&format!("taught={BOARD}"));
    let mut press_all = |pocket: &mut Pocket| {
        for (code, label) in keys.iter().zip(labels) {
            board.key(*code, true);
            pocket.last(label, '+');
            board.key(*code, false);
            pocket.last(label, '-');
        }
    };
    press_all(&mut pocket);
    let home = pocket.home.clone();
    assert_eq!(pocket.say("quit"), "ok");
    assert!(pocket.end().0.success());
    let mut pocket = Pocket::start(Fake::Release("Debian"), &home);
    pocket.wait(&format!("pads={BOARD}?"));
    press_all(&mut pocket);
    // Another one, and nobody answers: any press asks again, holding leaves.
    drop(board);
    let mut other = Pad::keys("Another Board", &keys);
    pocket.wait("setup=Up");
    other.key(288, true);
    pocket.wait("setup=");
    other.key(288, false);
    assert_eq!(pocket.fact("overlay.title"), "Not enough buttons");
    other.click(290);
    pocket.wait("setup=Up");
}

/// SIGTERM and SIGHUP save and end.
fn end() {
    for signal in [Signal::SIGTERM, Signal::SIGHUP] {
        let mut pocket = Pocket::fresh(OWN);
        let mut pad = gamepad(&mut pocket);
        pad.click(START);
        pocket.wait("screen=writing");
        assert_eq!(pocket.say("type hello"), "ok");
        let text = pocket.fact("keyboard.text");
        let home = pocket.home.clone();
        pocket.signal(signal);
        let (status, took) = pocket.end();
        println!("        {signal}: {status} after {took:?}");
        assert!(status.success());
        let mut pocket = Pocket::start(OWN, &home);
        pocket.wait(&format!("pads~{GAMEPAD}"));
        pad.click(START);
        pocket.wait("screen=writing");
        assert_eq!(pocket.fact("keyboard.text"), text);
    }
}

/// A fault ends the process with a code that is no success, and a record beside the app.
fn fall() {
    let folder = "/tmp/fall/officeos";
    let _ = fs::remove_dir_all("/tmp/fall");
    fs::create_dir_all(folder).unwrap();
    let me = std::env::current_exe().unwrap();
    let status = Command::new(me).args(["fall", folder]).status().unwrap();
    assert_eq!(status.code(), Some(70));
    let log = fs::read_to_string("/tmp/fall/officeos.log").unwrap();
    let first = log.lines().next().unwrap();
    println!("        {first}");
    assert!(
        first.contains("stage fell over at") && first.ends_with("a line\\u{a}and a "),
        "{first}"
    );
    assert!(!log.contains("secret"));
}
