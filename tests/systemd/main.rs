//! The package on a real system: installed, paired, asked, attacked by kills, upgraded, removed and purged, under systemd
//! as the first process. `tests/systemd/run` boots the machine; this walks inside it, as root.

#[path = "../support/mod.rs"]
mod support;

mod disk;
mod system;

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Instant;
use support::pocket::Pocket;
use support::{Folder, eventually};
use system::{Model, ctl, daemon_pid, fails, is_active, property, run, says, status_line};

/// Most that `systemd-analyze security` may say of each service, in tenths.
const BOUNDS: [(&str, u32); 6] = [
    ("officeos-daemon.service", 10),
    ("officeos-link.service", 20),
    ("officeos-llm.service", 20),
    ("officeos-image.service", 20),
    ("officeos-fetch.service", 20),
    ("officeos-web.service", 20),
];
const SOCKETS: [&str; 5] = [
    "officeos-control.socket",
    "officeos-link.socket",
    "officeos-llm.socket",
    "officeos-image.socket",
    "officeos-fetch.socket",
];
const DAEMON: &str = "/etc/officeos/daemon.toml";
/// Where handhelds reach the laptop, as the settings that come with the package say.
const ADDRESS: ([u8; 4], u16) = ([127, 0, 0, 1], 8080);

fn main() {
    let since = Instant::now();
    let step = |name: &str| println!("[{:6.1} s] {name}", since.elapsed().as_secs_f32());
    let deb = |revision: &str| format!("/host/out/officeos-laptop-{revision}.deb");

    step("a system that is up");
    eventually("systemd", || {
        let state = says("systemctl", &["is-system-running"]);
        (!state.contains("starting") && !state.contains("initializing")).then_some(())
    });

    // Where there is a radio, its switch is there at start.
    says("modprobe", &["rfkill"]);

    step("install");
    run("dpkg", &["--install", &deb("1")]);
    everything_runs();
    assert!(
        !is_active("officeos-fetch.service"),
        "nobody has asked it for anything"
    );
    is_confined();

    step("the owner's group, and a stranger");
    run("usermod", &["--append", "--groups", "officeos", "ada"]);
    assert!(ctl("ada", &["status"]).status.success());
    assert!(ctl("root", &["status"]).status.success());
    let refused = ctl("eve", &["status"]);
    let words = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success(), "a stranger got an answer");
    assert!(words.contains("members of the group officeos"), "{words}");
    fails(
        "runuser",
        &["-u", "eve", "--", "ls", "/var/lib/officeos/files"],
    );
    fails(
        "runuser",
        &["-u", "ada", "--", "ls", "/var/lib/officeos/state"],
    );

    // This system may be an emulated one, whose processors are busy.
    let settings = fs::read_to_string(DAEMON).expect("read");
    let patient = settings.replace("\nwait_when_busy = true\n", "\nwait_when_busy = false\n");
    assert_ne!(patient, settings);
    fs::write(DAEMON, patient).expect("written");
    ctl_done(&["config", "reload"]);

    step("settings belong to root, and what the daemon keeps itself does not");
    let words = |output: std::process::Output| String::from_utf8_lossy(&output.stderr).into_owned();
    let refused = ctl("ada", &["services", "disable", "image"]);
    assert!(!refused.status.success());
    assert!(words(refused).contains("sudo officectl services disable image"));
    assert!(words(ctl("ada", &["config", "edit"])).contains("sudo officectl config edit daemon"));
    let image = |on: bool| {
        let status: serde_json::Value =
            serde_json::from_str(&ctl_done(&["--json", "services"])).expect("JSON");
        assert_eq!(status[1]["enabled"], on, "{status}");
    };
    // Whatever mask root has: the daemon still reads its settings.
    run(
        "sh",
        &["-c", "umask 077 && officectl services disable image"],
    );
    image(false);
    run("officectl", &["services", "enable", "image"]);
    image(true);
    ctl_done(&["models", "disable", "built-in/partner"]);
    ctl_done(&["models", "enable", "built-in/partner"]);

    step("web-service may call what the page needs, and ends well where there is nothing to serve");
    assert!(ctl("officeos-web", &["status"]).status.success());
    let refused = ctl("officeos-web", &["callers", "add", "x"]);
    assert!(!refused.status.success());
    assert!(words(refused).contains("not for web-service"));
    assert_eq!(property("officeos-web.service", "WatchdogUSec"), "30s");
    let before = fs::read_to_string(DAEMON).expect("read");
    fs::write(
        DAEMON,
        before.replacen("\nenabled = true\n", "\nenabled = false\n", 1),
    )
    .expect("written");
    assert_ne!(fs::read_to_string(DAEMON).expect("read"), before);
    run("systemctl", &["restart", "officeos-web.service"]);
    eventually("its end", || {
        (property("officeos-web.service", "ActiveState") == "inactive").then_some(())
    });
    assert_eq!(property("officeos-web.service", "Result"), "success");
    fs::write(DAEMON, before).expect("written");
    run("systemctl", &["start", "officeos-web.service"]);
    everything_runs();

    step("pair");
    let card = Folder::new("card");
    let mut pocket = Pocket::start(&card.path().join("card"), SocketAddr::from(ADDRESS));
    pair(&mut pocket);
    for operation in ["chat", "put", "list"] {
        ctl_done(&["permit", "Pocket", operation, "allow"]);
    }

    step("ask the built-in partner");
    pocket.wait("may.chat=allow");
    ask(&mut pocket, "Hello there");
    assert!(pocket.fact("answer.model").contains("built-in"));
    assert!(is_active("officeos-llm.service"), "started by the request");

    step("ask a model server, with a key that only llm-service is shown");
    let model = Model::start();
    let key = "/etc/officeos/keys/DESK_KEY";
    fs::write(key, "sk-walk\n").expect("a key");
    run("chmod", &["600", key]);
    let services = "/etc/officeos/services.toml";
    let template = fs::read_to_string(services).expect("the template");
    let entry = format!(
        "\n[[provider]]\nname = \"desk\"\nkind = \"openai\"\nbase_url = \"http://{}/v1\"\nkey_env = \"DESK_KEY\"\n",
        model.address()
    );
    fs::write(services, template + &entry).expect("the settings");
    run("systemctl", &["restart", "officeos-llm.service"]);
    // The daemon's list of models is as old as its start.
    run("systemctl", &["restart", "officeos-daemon.service"]);
    pocket.wait("link=linked");
    eventually("the new model", || {
        let models = ctl("ada", &["--json", "models"]).stdout;
        String::from_utf8_lossy(&models)
            .contains("desk/parrot")
            .then_some(())
    });
    ask(&mut pocket, "Say something");
    assert_eq!(pocket.fact("answer"), "Parrots say what they hear.");
    let callers = model.chats();
    assert!(!callers.is_empty(), "the model server was not asked");
    let of_service = system::user_id("officeos-llm");
    for caller in callers {
        assert_eq!(caller.uid, of_service, "another process called out");
        assert_eq!(caller.key, "Bearer sk-walk");
    }
    let daemon = daemon_pid();
    let key_in_daemon = fs::read(format!("/proc/{daemon}/environ")).expect("its environment");
    assert!(!String::from_utf8_lossy(&key_in_daemon).contains("sk-walk"));
    fails("runuser", &["-u", "officeos", "--", "cat", key]);

    step("the scores, with every service running");
    everything_is_within_bounds();

    step("a killed service comes back");
    for unit in ["officeos-daemon.service", "officeos-link.service"] {
        let before = property(unit, "MainPID");
        run("kill", &["-KILL", &before]);
        eventually("it to come back", || {
            let now = property(unit, "MainPID");
            (now != before && now != "0" && is_active(unit)).then_some(())
        });
    }
    let before = property("officeos-llm.service", "MainPID");
    run("kill", &["-KILL", &before]);
    pocket.wait("link=linked");
    ask(&mut pocket, "Are you there");

    step("the watchdog, on a daemon that stands still");
    let before = daemon_pid();
    run("kill", &["-STOP", &before]);
    eventually("the watchdog", || {
        let now = daemon_pid();
        (now != before && now != "0").then_some(())
    });
    assert!(journal("officeos-daemon.service").contains("Watchdog timeout"));
    pocket.wait("link=linked");

    step("the disk is full, and has room again");
    let mut pocket = disk::fills_up(pocket);

    step("upgrade");
    let devices = ctl_done(&["--json", "devices"]);
    let before = daemon_pid();
    run("dpkg", &["--install", "--force-confold", &deb("2")]);
    assert_ne!(daemon_pid(), before, "the old program still runs");
    everything_runs();
    pocket.wait("link=linked");
    let names = |text: &str| {
        let list: serde_json::Value = serde_json::from_str(text).expect("JSON");
        let list = list.as_array().expect("devices").clone();
        let named = list.iter().map(|one| one["name"].to_string());
        named.collect::<Vec<_>>()
    };
    assert_eq!(names(&devices), names(&ctl_done(&["--json", "devices"])));
    assert!(fs::read_to_string(services).expect("kept").contains("desk"));
    ask(&mut pocket, "And after the upgrade");

    step("remove keeps the state");
    run("dpkg", &["--remove", "officeos-laptop"]);
    pocket.wait("link!linked");
    assert!(!Path::new("/usr/bin/officectl").exists());
    assert!(!is_active("officeos-daemon.service"));
    assert!(Path::new("/var/lib/officeos/state/officeos.db").exists());
    assert!(Path::new(services).exists() && Path::new(key).exists());
    run("dpkg", &["--install", &deb("2")]);
    everything_runs();
    pocket.wait("link=linked");
    ask(&mut pocket, "And back again");
    let ledger = ctl("ada", &["ledger", "verify"]);
    assert!(
        ledger.status.success(),
        "the ledger holds through all of it"
    );

    step("purge leaves nothing");
    pocket.quit();
    run("dpkg", &["--purge", "officeos-laptop"]);
    nothing_is_left();
    step("done");
}

/// All that should run does.
fn everything_runs() {
    for unit in [
        "officeos.target",
        "officeos-daemon.service",
        "officeos-link.service",
        "officeos-web.service",
    ]
    .iter()
    .chain(&SOCKETS)
    {
        eventually(unit, || is_active(unit).then_some(()));
        assert_eq!(
            says("systemctl", &["is-enabled", unit]).trim(),
            "enabled",
            "{unit}"
        );
    }
    eventually("a carrier", || {
        property("officeos-daemon.service", "StatusText")
            .contains("127.0.0.1:8080")
            .then_some(())
    });
    eventually("the page", || system::page_answers().then_some(()));
    // A line of ours has the priority of its level. What was written is there once journald has taken it.
    run("journalctl", &["--sync"]);
    let lines = says(
        "journalctl",
        &["-u", "officeos-daemon", "-p", "6..6", "-o", "cat"],
    );
    assert!(lines.contains("laptop-daemon is ready"), "{lines}");
}

/// The processes are what the units say.
fn is_confined() {
    for (unit, user) in [
        ("officeos-daemon.service", "officeos"),
        ("officeos-link.service", "officeos-link"),
        ("officeos-web.service", "officeos-web"),
    ] {
        let pid = property(unit, "MainPID");
        let uid = system::user_id(user).to_string();
        let line = |name: &str| status_line(&pid, name);
        assert_eq!(
            line("Uid").split_whitespace().next(),
            Some(uid.as_str()),
            "{unit}"
        );
        assert_eq!(line("NoNewPrivs"), "1", "{unit}");
        assert_eq!(line("Seccomp"), "2", "{unit}");
        assert_eq!(line("CapBnd").trim_start_matches('0'), "", "{unit}");
    }
    // The machine has the radio's switch; a container has not.
    let link = property("officeos-link.service", "MainPID");
    for device in ["rfkill", "null", "vda", "mem"] {
        let shown = Path::new(&format!("/proc/{link}/root/dev/{device}")).exists();
        let there = Path::new("/dev").join(device).exists();
        let wanted = there && matches!(device, "rfkill" | "null");
        assert_eq!(shown, wanted, "/dev/{device}");
    }
    let daemon = daemon_pid();
    let own = fs::read_link("/proc/self/ns/net").expect("a namespace");
    let its = fs::read_link(format!("/proc/{daemon}/ns/net")).expect("a namespace");
    assert_ne!(own, its, "the daemon has the system's network");
    let interfaces = fs::read_to_string(format!("/proc/{daemon}/net/dev")).expect("interfaces");
    let names = interfaces
        .lines()
        .skip(2)
        .filter_map(|line| line.split(':').next());
    assert_eq!(names.map(str::trim).collect::<Vec<_>>(), ["lo"]);
}

/// What systemd itself says of the services, all of them running.
fn everything_is_within_bounds() {
    // Nobody downloads here; a connection is enough to start it.
    drop(std::os::unix::net::UnixStream::connect(
        "/run/officeos/fetch.sock",
    ));
    drop(std::os::unix::net::UnixStream::connect(
        "/run/officeos/image.sock",
    ));
    for (unit, bound) in BOUNDS {
        eventually(unit, || is_active(unit).then_some(()));
        let said = says("systemd-analyze", &["security", "--no-pager", unit]);
        let line = said.lines().last().unwrap_or_default();
        println!("           {}", line.trim_start_matches('→').trim());
        let tenths = line.split_once(": ").and_then(|(_, rest)| {
            rest.split_whitespace()
                .next()?
                .replace('.', "")
                .parse()
                .ok()
        });
        assert!(tenths.is_some_and(|tenths: u32| tenths <= bound), "{said}");
    }
}

fn journal(unit: &str) -> String {
    run("journalctl", &["--sync"]);
    says("journalctl", &["-u", unit, "-o", "cat"])
}

fn ctl_done(arguments: &[&str]) -> String {
    let output = ctl("ada", arguments);
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "officectl {arguments:?}: {words}");
    String::from_utf8(output.stdout).expect("text")
}

/// Six digits that are read here and typed there, by a member of the group.
fn pair(pocket: &mut Pocket) {
    ctl_done(&["--json", "pair", "--open"]);
    pocket.open_pairing();
    pocket.wait("pairing.digits!");
    let digits = pocket.fact("pairing.digits");
    std::thread::scope(|scope| {
        let typing = scope.spawn(|| ctl_done(&["pair", "--digits", &digits]));
        pocket.wait("pairing=confirm");
        pocket.press("A");
        typing.join().expect("officectl pair")
    });
    pocket.wait("link=linked");
}

/// As [`send`], and waits for the whole answer.
fn ask(pocket: &mut Pocket, text: &str) {
    send(pocket, text);
    pocket.wait("answer.state=done");
}

/// Begins a chat from the home screen and sends `text`.
fn send(pocket: &mut Pocket, text: &str) {
    pocket.home();
    pocket.press("Start");
    pocket.wait("screen=writing");
    pocket.type_text(text);
    pocket.press("Start");
    pocket.wait("screen=chat");
    let asked = format!("person: {text}");
    eventually("the new chat", || {
        (pocket.fact("chat.0") == asked).then_some(())
    });
}

fn nothing_is_left() {
    for place in [
        "/etc/officeos",
        "/var/lib/officeos",
        "/run/officeos",
        "/usr/lib/officeos",
        "/usr/bin/officectl",
        "/usr/share/doc/officeos-laptop",
    ] {
        assert!(!Path::new(place).exists(), "{place} is left");
    }
    let found = says(
        "find",
        &["/etc", "/usr", "/var/lib", "-iname", "*officeos*"],
    );
    // The package's own list of what it has removed goes with it; nothing else has the name.
    assert_eq!(found.trim(), "");
    let users = fs::read_to_string("/etc/passwd").expect("users");
    let groups = fs::read_to_string("/etc/group").expect("groups");
    assert!(!users.contains("officeos") && !groups.contains("officeos"));
    let units = says(
        "systemctl",
        &["list-units", "--all", "--plain", "--no-legend", "officeos*"],
    );
    assert_eq!(units.trim(), "");
}
