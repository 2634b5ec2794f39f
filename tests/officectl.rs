//! officectl as a person types it, against real processes: its commands, formats and exit codes; new settings while an
//! answer streams.

mod bare;

use bare::person::{allow, chat, paired, put_and_get};
use bare::{End, Laptop};
use serde_json::Value;
use std::fs;

fn said(laptop: &Laptop, arguments: &[&str]) -> String {
    let output = laptop.officectl(arguments);
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("text")
}

fn code(laptop: &Laptop, arguments: &[&str]) -> i32 {
    laptop.officectl(arguments).status.code().expect("a code")
}

/// Writes `daemon.toml` anew; what applies at the next start is as it was.
fn set(laptop: &Laptop, lines: &str) {
    let text = format!(
        "version = 1\n{lines}\n[manners]\nwait_when_busy = false\n[web]\nenabled = false\n[networking]\nwifi_direct_enabled = false\nbind_port = 0\n"
    );
    fs::write(laptop.home.join("config/daemon.toml"), text).expect("written");
}

#[test]
fn an_answer_streams_on_across_new_settings_and_a_bad_file_changes_nothing() {
    let laptop = Laptop::slow("reload", 20);
    let address = laptop.address();
    let card = bare::person::pair(&laptop, address);
    allow(&laptop, &["chat"]);
    let mut line = card.link(address).expect("linked");
    line.submit(1, &chat("Tell me a long story about a lighthouse, please."));
    let has_words = |line: &bare::Line| {
        let told = line.told.get(&1);
        told.is_some_and(|told| told.bodies.values().any(|body| body.len() > 10))
    };
    line.until("some words", has_words).expect("alive");

    set(
        &laptop,
        "[daemon]\ndevice_name = 'Other'\nask_timeout_s = 7",
    );
    let report = laptop.ask(&["config", "reload"]);
    assert_eq!(report["applied"], true);
    assert_eq!(
        report["changed"],
        serde_json::json!(["daemon.device_name", "daemon.ask_timeout_s"])
    );
    assert_eq!(report["at_next_start"], serde_json::json!([]));

    // A mistake in any file leaves everything as it is, and says where it is.
    set(
        &laptop,
        "[daemon]\ndevice_name = 'Third'\nask_timeout_s = 'x'",
    );
    let output = laptop.officectl(&["config", "reload"]);
    assert_eq!(output.status.code(), Some(7));
    let words = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        words
            .contains("daemon.toml:4: error: daemon.ask_timeout_s must be a number from 5 to 3600"),
        "{words}"
    );
    assert_eq!(laptop.ask(&["status"])["name"], "Other");

    // A port is named as what waits for a start; the signal does the same as the command.
    set(&laptop, "[daemon]\ndevice_name = 'Fourth'");
    let file = laptop.home.join("config/daemon.toml");
    let text = fs::read_to_string(&file).expect("read");
    fs::write(&file, text.replace("bind_port = 0", "bind_port = 1")).expect("written");
    let daemon = nix::unistd::Pid::from_raw(laptop.pid().cast_signed());
    nix::sys::signal::kill(daemon, nix::sys::signal::Signal::SIGHUP).expect("sent");
    laptop.await_status("new name", |status| status["name"] == "Fourth");
    assert_eq!(
        laptop.ask(&["config", "show"])["pending"],
        serde_json::json!(["networking.bind_port"])
    );

    let told = line.finish(1);
    assert!(matches!(told.end, Some(End::Done(_))), "{told:?}");
    assert_eq!(laptop.ask(&["status"])["linked"], 1);
}

#[test]
fn a_model_goes_off_and_on_and_stays_so_over_a_start() {
    let mut laptop = Laptop::start("model-switch");
    let partner = "built-in/partner";
    let enabled = |laptop: &Laptop| {
        let models = laptop.ask(&["models"]);
        let mut all = models.as_array().expect("models").iter();
        all.find(|one| one["id"] == partner).expect("the partner")["enabled"].clone()
    };
    assert_eq!(enabled(&laptop), true);
    let told = said(&laptop, &["models", "disable", partner]);
    let line = told.lines().find(|line| line.contains(partner));
    assert!(line.is_some_and(|line| line.contains(" off ")), "{told}");
    said(&laptop, &["models", "disable", partner]);
    assert_eq!(code(&laptop, &["models", "disable", "built-in/none"]), 4);
    laptop.kill();
    laptop.launch();
    assert_eq!(enabled(&laptop), false);
    said(&laptop, &["models", "enable", partner]);
    assert_eq!(enabled(&laptop), true);
    let ledger = said(&laptop, &["ledger", "show"]);
    for words in [
        "model built-in/partner switched off",
        "model built-in/partner switched on",
    ] {
        assert_eq!(ledger.matches(words).count(), 1, "{ledger}");
    }
}

#[test]
fn tokens_stand_in_the_ledger_from_first_to_last() {
    let laptop = Laptop::start("token-ledger");
    let made = laptop.ask(&["tokens", "make", "grafana"]);
    said(&laptop, &["tokens", "revoke", "grafana"]);
    let ledger = said(&laptop, &["ledger", "show"]);
    for words in [
        "token grafana made: may read",
        "token grafana revoked: may read",
    ] {
        assert!(ledger.contains(words), "{words}: {ledger}");
    }
    let secret = made["secret"].as_str().expect("a secret");
    assert!(!said(&laptop, &["--json", "ledger", "show"]).contains(secret));
    said(&laptop, &["ledger", "verify"]);
}

#[test]
fn a_file_that_cannot_be_written_is_said_before_anything_is_begun() {
    let laptop = Laptop::start("unwritable");
    if nix::unistd::geteuid().is_root() {
        println!(
            "SKIPPED: root may write everywhere; tests/systemd shows it on an installed system"
        );
        return;
    }
    let folder = laptop.home.join("config");
    let mode = |mode| {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(&folder, fs::Permissions::from_mode(mode)).expect("set");
    };
    mode(0o500);
    for command in [&["config", "edit"][..], &["services", "disable", "image"]] {
        let output = laptop.officectl(command);
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            !output.status.success() && words.contains("cannot be written"),
            "{words}"
        );
    }
    mode(0o700);
}

#[test]
fn services_go_off_and_on_without_a_start() {
    let laptop = Laptop::start("switch");
    assert!(
        said(&laptop, &["services", "disable", "image"])
            .contains("services.image_generation_enabled")
    );
    let services = laptop.ask(&["services"]);
    assert_eq!(services[1]["enabled"], false);
    assert!(
        said(&laptop, &["services"]).contains("image     off\n"),
        "{}",
        said(&laptop, &["services"])
    );
    said(&laptop, &["-q", "services", "enable", "image"]);
    laptop.await_status("image service", |status| {
        status["services"]["image"] == true
    });
    assert_eq!(code(&laptop, &["services", "disable", "no-such"]), 4);
    assert!(said(&laptop, &["services", "test"]).starts_with("works  language  built-in"));
    assert!(said(&laptop, &["models"]).contains("built-in/partner"));
}

#[test]
fn devices_are_shown_in_every_format_and_hostile_names_say_nothing_to_a_terminal() {
    let (laptop, _, _card) = paired("formats");
    let table = said(&laptop, &["devices", "list"]);
    assert_eq!(
        table.lines().next(),
        Some("ID  NAME    STANDING  EXPIRES     LAST HERE  SCREEN")
    );
    assert!(table.contains("1   pocket  active    in "), "{table}");
    let yaml = said(&laptop, &["--format", "yaml", "devices"]);
    assert!(
        yaml.starts_with("- ") && yaml.contains("  name: pocket\n"),
        "{yaml}"
    );
    let json: Value = serde_json::from_str(&said(
        &laptop,
        &["--format", "json", "devices", "show", "1"],
    ))
    .expect("JSON");
    assert_eq!(json["rules"]["chat"], "ask");
    said(&laptop, &["devices", "permit", "1", "chat", "allow"]);
    said(&laptop, &["devices", "limit", "1", "--tokens", "5"]);
    // The short forms are the same commands.
    assert!(said(&laptop, &["show", "pocket"]).contains("Tokens today       0 of 5\n"));
    assert_eq!(code(&laptop, &["devices", "rename", "1", "a\u{1b}[2J"]), 2);
    assert!(said(&laptop, &["devices", "rename", "1", "Ada's"]).contains("is now Ada's"));
    said(&laptop, &["devices", "renew", "1", "--days", "3"]);
    assert_eq!(said(&laptop, &["-q", "status"]), "");
    said(&laptop, &["devices", "revoke", "1"]);
    assert_eq!(code(&laptop, &["devices", "show", "7"]), 4);
    assert!(said(&laptop, &["devices"]).starts_with("No handheld is paired"));
}

#[test]
fn files_go_in_and_out_of_a_drop_folder() {
    let (laptop, address, card) = paired("drawer");
    allow(&laptop, &["put", "get"]);
    let mut line = card.link(address).expect("linked");
    line.run(1, &put_and_get("notes/one.txt", "hello"));
    assert!(said(&laptop, &["files", "list", "1"]).contains("notes/"));
    assert!(said(&laptop, &["files", "list", "1", "notes"]).contains("one.txt  5 bytes"));
    assert_eq!(
        said(&laptop, &["files", "get", "1", "notes/one.txt", "-"]),
        "hello"
    );
    // Larger than a piece, and not a multiple of one.
    let large: Vec<u8> = (0..1_300_000u32).map(|n| (n % 251) as u8).collect();
    let (here, back) = (laptop.home.join("large"), laptop.home.join("back"));
    fs::write(&here, &large).expect("written");
    let (from, to) = (here.display().to_string(), back.display().to_string());
    said(&laptop, &["files", "put", "1", &from, "in/large.bin"]);
    assert_eq!(
        code(&laptop, &["files", "put", "1", &from, "in/large.bin"]),
        5
    );
    said(
        &laptop,
        &["files", "put", "--replace", "1", &from, "in/large.bin"],
    );
    said(&laptop, &["files", "get", "1", "in/large.bin", &to]);
    assert!(fs::read(&back).expect("read") == large);
    // Nothing here is overwritten, and no path leads out.
    assert_eq!(
        code(&laptop, &["files", "get", "1", "in/large.bin", &to]),
        1
    );
    assert_eq!(code(&laptop, &["files", "put", "1", &from, "../large"]), 2);
    said(&laptop, &["files", "remove", "1", "in/large.bin"]);
    assert_eq!(code(&laptop, &["files", "remove", "1", "in/large.bin"]), 4);
}

#[test]
fn always_permits_exactly_what_was_asked() {
    let (laptop, address, card) = paired("always");
    let mut line = card.link(address).expect("linked");
    line.submit(1, &chat("May I?"));
    line.until("a question", |line| {
        line.told.get(&1).is_some_and(|told| told.awaiting)
    })
    .expect("alive");
    let number = laptop.await_question().to_string();
    said(&laptop, &["approve", &number, "--always"]);
    assert!(matches!(line.finish(1).end, Some(End::Done(_))));
    let rules = &laptop.ask(&["devices", "show", "1"])["rules"];
    let allowed = rules.as_object().expect("rules").iter();
    let allowed: Vec<&String> = allowed
        .filter(|(_, rule)| *rule == "allow")
        .map(|(op, _)| op)
        .collect();
    assert_eq!(allowed, ["chat"]);
}

#[test]
fn what_needs_no_daemon_works_without_one() {
    let mut laptop = Laptop::start("stopped");
    let log = said(&laptop, &["logs", "-n", "500"]);
    assert!(log.contains("laptop-daemon is ready"), "{log}");
    let kept = laptop.home.join("config/daemon.toml.bak-1");
    assert!(
        fs::read_to_string(&kept)
            .expect("the old file")
            .starts_with("[manners]")
    );
    said(&laptop, &["doctor"]);
    laptop.kill();
    let output = laptop.officectl(&["doctor"]);
    assert_eq!(output.status.code(), Some(9));
    let words = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(words.contains("do: laptop-daemon --standalone"), "{words}");
    assert_eq!(code(&laptop, &["status"]), 3);
    let told = said(
        &laptop,
        &["setup", "--yes", "--name", "Ada's", "--new-text", "allow"],
    );
    assert!(told.contains("No daemon runs"), "{told}");
    let shown = laptop.ask(&["config", "show"]);
    let value = |key: &str| {
        let mut all = shown["settings"].as_array().expect("a list").iter();
        let one = all.find(|one| one["key"] == key).expect("the key");
        one["value"].as_str().expect("a value").to_owned()
    };
    assert_eq!(
        (value("device_name").as_str(), value("chat").as_str()),
        ("\"Ada's\"", "\"allow\"")
    );
    assert_eq!(
        said(&laptop, &["config", "check"]),
        "The settings are fine.\n"
    );
    fs::write(
        laptop.home.join("config/services.toml"),
        "version = 1\ndiscovr = true\n[[provider]]\n",
    )
    .expect("written");
    let output = laptop.officectl(&["config", "check"]);
    assert_eq!(output.status.code(), Some(7));
    let words = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(words.contains("did you mean discover?"), "{words}");
}
