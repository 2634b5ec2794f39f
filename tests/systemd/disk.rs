//! A disk without room, as the kernel says it: the state of the installed laptop on a small file system of its own.

use super::support::eventually;
use super::support::pocket::Pocket;
use super::system::{ctl, daemon_pid, is_active, property, run, says};
use super::{ADDRESS, ask, journal, send};
use std::fs;
use std::net::SocketAddr;
use std::path::Path;

const STATE: &str = "/var/lib/officeos/state";
/// Where the state is put while the file system changes under it.
const ASIDE: &str = "/var/tmp/officeos-walk";
const FILLER: &str = "/var/lib/officeos/state/filler";
const UNIT: &str = "officeos-daemon.service";

/// Fills the disk under a laptop that is linked and in use, and makes room again.
pub fn fills_up(mut pocket: Pocket) -> Pocket {
    around(|| run("mount", &["-t", "tmpfs", "-o", "size=16m", "tmpfs", STATE]));
    pocket.wait("link=linked");
    ask(&mut pocket, "Before it is full");

    fill();
    eventually("a refusal", || {
        send(&mut pocket, "And now");
        pocket.wait("answer.state!open");
        // Room inside the database's files is used up first.
        (pocket.fact("answer.state") == "broken").then_some(())
    });
    assert_eq!(pocket.fact("answer.failure"), "StoreFull");
    assert!(journal(UNIT).contains("is full"), "the log does not say it");
    assert!(ctl("ada", &["status"]).status.success());
    let words = ctl("ada", &["doctor"]).stdout;
    let words = String::from_utf8_lossy(&words).into_owned();
    let line = words.lines().find(|line| line.contains("disk"));
    assert!(line.is_some_and(|line| !line.contains("fine")), "{words}");

    // What the owner decides is written down all the same, in the room that is kept aside for it.
    let kept = || fs::metadata(format!("{STATE}/reserve")).map_or(0, |file| file.len());
    let before = kept();
    fill();
    for rule in ["deny", "allow"] {
        let done = ctl("ada", &["permit", "Pocket", "chat", rule]);
        let words = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "chat {rule}: {words}");
        pocket.wait(&format!("may.chat={rule}"));
    }
    assert!(kept() < before, "there was room all the same");
    fill();

    // A link that forms now forms all the same, and what is there can be had.
    let card = pocket.card().to_owned();
    pocket.quit();
    let mut pocket = Pocket::start(&card, SocketAddr::from(ADDRESS));
    pocket.wait("link=linked");

    // A start that finds no room waits for it, and officectl says so instead of waiting as well.
    run("kill", &["-KILL", &daemon_pid()]);
    eventually("a start that waits", || {
        let words = property(UNIT, "StatusText");
        (words == "Waits for room on its disk").then_some(())
    });
    let (doctor, devices) = std::thread::scope(|scope| {
        let devices = scope.spawn(|| ctl("ada", &["devices"]));
        (ctl("ada", &["doctor"]), devices.join().expect("it ends"))
    });
    let words = String::from_utf8_lossy(&devices.stderr);
    assert!(words.contains("waits for room on its disk"), "{words}");
    let words = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(words.contains("laptop-daemon does not answer"), "{words}");
    assert!(!doctor.status.success());
    assert!(!is_active(UNIT), "it serves without a store");
    run("rm", &[FILLER]);
    eventually("the laptop", || is_active(UNIT).then_some(()));
    pocket.wait("link=linked");
    ask(&mut pocket, "With room again");
    let ledger = ctl("ada", &["ledger", "verify"]);
    assert!(ledger.status.success(), "the ledger lost something");

    around(|| run("umount", &[STATE]));
    pocket.wait("link=linked");
    pocket
}

/// As far as it goes; what dd says of that is the point.
fn fill() {
    let to = format!("of={FILLER}");
    let more = ["if=/dev/zero", &to, "bs=4k", "oflag=append", "conv=notrunc"];
    says("dd", &more);
}

/// Carries the state over to what is mounted or laid bare meanwhile.
fn around(change: impl FnOnce()) {
    run("systemctl", &["stop", UNIT]);
    let (from, to) = (format!("{STATE}/."), format!("{ASIDE}/."));
    run("cp", &["--archive", STATE, ASIDE]);
    change();
    for name in ["lock", "spool", "ledger"] {
        says("rm", &["-rf", &format!("{STATE}/{name}")]);
    }
    says("sh", &["-c", &format!("rm -f {STATE}/officeos.db*")]);
    run("cp", &["--archive", &to, &from]);
    run("rm", &["-rf", ASIDE]);
    assert!(Path::new(STATE).join("officeos.db").exists());
    run("systemctl", &["start", UNIT]);
}
