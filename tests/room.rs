//! A disk without room under a laptop that starts, and under one whose owner decides something.

mod support;

use support::ctl::Ctl;
use support::disk::Disk;
use support::laptop::Laptop;
use support::{Folder, eventually};

/// A laptop, the disk it is on, and where that is kept.
fn on_a_disk_of_its_own(name: &str) -> (Laptop, Disk, Folder) {
    let folder = Folder::new(&format!("{name}-disk"));
    let disk = Disk::new(folder.path(), 1);
    let environment = disk.environment();
    let environment: Vec<_> = environment
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let laptop = Laptop::with(name, "", &environment);
    (laptop, disk, folder)
}

#[test]
fn a_laptop_that_finds_its_disk_full_at_start_waits_and_goes_on_by_itself() {
    let (mut laptop, disk, _folder) = on_a_disk_of_its_own("full-start");
    let devices = laptop.ctl().json(&["devices"]);
    laptop.kill();
    disk.full_after(0);
    // The index of the database's log, which every start makes anew: on this disk there is no room for it any more.
    std::fs::remove_file(laptop.home().join("state/officeos.db-shm")).expect("an index");
    let log = laptop.home().join("log");
    std::thread::scope(|scope| {
        let starting = scope.spawn(|| laptop.restart());
        eventually("the laptop to wait for room", || {
            let log = std::fs::read_to_string(&log).unwrap_or_default();
            log.contains("the laptop waits for room on its disk")
                .then_some(())
        });
        disk.make_room();
        starting.join().expect("started");
    });
    assert!(disk.refused() > 0);
    assert_eq!(laptop.ctl().json(&["devices"]), devices);
}

#[test]
fn what_the_owner_decides_on_a_full_disk_is_written_down() {
    let (mut laptop, disk, _folder) = on_a_disk_of_its_own("full-decision");
    let ctl = laptop.ctl();
    for name in ["one", "two"] {
        ctl.json(&["callers", "add", name]);
    }
    let rules = |ctl: &Ctl| ctl.json(&["callers", "show", "two"])["rules"].clone();
    let reserve = laptop.home().join("state/reserve");
    let kept = || std::fs::metadata(&reserve).map_or(0, |file| file.len());
    let whole = kept();
    // What is freed is taken at once by others here, so that each decision needs a step of the room.
    let decide = |arguments: &[&str]| {
        disk.full_after(0);
        let before = kept();
        let output = ctl.run(arguments);
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.success(), kept() < before, words)
    };
    for rule in ["deny", "ask", "allow"] {
        let (done, used, words) = decide(&["callers", "permit", "two", "chat", rule]);
        assert!(done && used, "{rule}, {whole}: {words}");
    }
    // Once that is used up, a decision is refused by name and changes nothing; a revocation has a part of its own.
    let before = rules(&ctl);
    assert_eq!(before["chat"], "allow", "{before}");
    let (done, used, words) = decide(&["callers", "permit", "two", "chat", "deny"]);
    assert!(!done && !used && words.contains("is full"), "{words}");
    let (done, used, words) = decide(&["callers", "revoke", "one"]);
    assert!(done && used && kept() == 0, "{words}");
    // All of it holds beyond the battery.
    laptop.kill();
    disk.make_room();
    laptop.restart();
    let callers = laptop.ctl().json(&["callers", "list"]);
    assert_eq!(callers.as_array().map(Vec::len), Some(1), "{callers}");
    assert_eq!(rules(&laptop.ctl()), before);
    assert_eq!(kept(), whole, "room is kept again");
}
