//! NetworkManager, which removes every group that it did not make itself, unless the bus keeps their news from it.
//!
//! It wraps the interface that `GroupStarted` announces on the bus, finds that it did not ask for a group, and takes the
//! interface back from wpa_supplicant with the wrapper. No setting of its own prevents that.

use super::check::runs;
use super::{Finding, Verdict};
use std::path::Path;

/// The file that keeps the news from it; `laptop/dbus` has it.
const POLICY: &str = "dbus-1/system.d/officeos-wifi-direct.conf";

/// Whether it runs, and hears of groups.
pub(super) fn removes_groups(root: &Path) -> bool {
    // Where no systemd says what runs, its folder does.
    let running = if root.join("run/systemd/system").exists() {
        runs(root, "NetworkManager")
    } else {
        root.join("run/NetworkManager").exists()
    };
    let kept = ["etc", "usr/share"]
        .iter()
        .any(|base| root.join(base).join(POLICY).exists());
    running && !kept
}

/// The line about it.
pub(super) fn finding() -> Finding {
    Finding {
        what: "NetworkManager",
        verdict: Verdict::Fault,
        words: "it removes every Wi-Fi Direct group that it did not make itself".to_owned(),
        remedy: Some(format!(
            "sudo install -m 644 laptop/dbus/officeos-wifi-direct.conf /etc/{POLICY}"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn groups_last_only_where_their_news_are_kept_from_a_running_manager() {
        let base = std::env::temp_dir().join(format!("officeos-manager-{}", std::process::id()));
        let make = |path: &str, text: &str| {
            let file = base.join(path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        };
        let _ = fs::remove_dir_all(&base);
        assert!(!removes_groups(&base), "none is installed");
        make("run/NetworkManager/conf", "");
        assert!(removes_groups(&base), "it runs without systemd");
        make("run/systemd/system/x", "");
        assert!(!removes_groups(&base), "its unit has no process");
        let events = "sys/fs/cgroup/system.slice/NetworkManager.service/cgroup.events";
        make(events, "populated 1\nfrozen 0\n");
        assert!(removes_groups(&base), "its unit has one");
        for place in ["etc", "usr/share"] {
            make(&format!("{place}/{POLICY}"), "");
            assert!(!removes_groups(&base), "the file is in {place}");
            fs::remove_file(base.join(place).join(POLICY)).unwrap();
        }
        fs::remove_dir_all(&base).unwrap();
    }

    #[test]
    fn the_file_that_the_remedy_names_is_there() {
        let text = fs::read_to_string(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/dbus/officeos-wifi-direct.conf"
        ))
        .unwrap();
        assert!(text.contains("GroupStarted") && text.contains("mandatory"));
    }
}
