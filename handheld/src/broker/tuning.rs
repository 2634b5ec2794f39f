//! How an interface is set for a quick join, and how it was found: addresses without delay, nobody's routers, switched on.
//!
//! What was found is written down before it is changed, so that a crash can be mended at the next start. Values belong to the
//! interface of that number: one that its driver has made anew has its own again.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use super::net::switch;

/// Where the kernel keeps what is set for each interface (ip-sysctl, "/proc/sys/net/ipv6/conf").
const CONF: &str = "/proc/sys/net/ipv6/conf";

/// What is set, in this order; it is put back in the opposite one.
const VALUES: [(&str, &str); 7] = [
    ("accept_ra", "0"),
    ("router_solicitations", "0"),
    // Even without detection the kernel waits a random part of this before it calls an address its own.
    ("router_solicitation_delay", "0"),
    ("accept_dad", "0"),
    ("dad_transmits", "0"),
    ("addr_gen_mode", "0"),
    ("disable_ipv6", "0"),
];

/// Stands among the values for an interface that was switched off.
const OFF: &str = "off";

/// A value as it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Found {
    interface: String,
    index: u32,
    name: String,
    value: String,
}

/// What was changed about interfaces. All of it blocks.
#[derive(Debug)]
pub struct Tuning {
    file: PathBuf,
    conf: PathBuf,
    found: Vec<Found>,
}

impl Tuning {
    /// Takes up what a run before this one wrote to `file` and did not put back.
    pub fn open(file: PathBuf) -> Self {
        Self::with(file, CONF.into())
    }

    fn with(file: PathBuf, conf: PathBuf) -> Self {
        let found = read(&fs::read_to_string(&file).unwrap_or_default());
        Self { file, conf, found }
    }

    /// Lets an interface have its link-local address without delay, and listen to nobody's router; switches it on if it is not.
    /// What can't be written stays.
    pub fn prepare(&mut self, interface: &str, index: u32, raise: bool) {
        let folder = self.conf.join(interface);
        // Numbers are not given twice, so those of an interface that is gone are of no use.
        self.found
            .retain(|one| one.interface != interface || one.index == index);
        for (name, value) in VALUES {
            let file = folder.join(name);
            // Writing what is there already would make the kernel make its addresses anew.
            let Ok(is) = fs::read_to_string(&file) else {
                continue;
            };
            if is.trim() == value {
                continue;
            }
            self.note(interface, index, name, is.trim());
            if let Err(error) = fs::write(&file, value) {
                log::debug!("{} stays as it is: {error}", file.display());
            }
        }
        if raise {
            self.note(interface, index, OFF, "1");
            if let Err(error) = switch(interface, true) {
                log::info!("{interface} is not switched on: {error}");
            }
        }
    }

    /// Puts everything back as it was found, and forgets it.
    pub fn restore(&mut self, index: impl Fn(&str) -> Option<u32>) {
        for one in std::mem::take(&mut self.found).into_iter().rev() {
            if index(&one.interface) != Some(one.index) {
                continue;
            }
            let result = match one.name.as_str() {
                OFF => switch(&one.interface, false),
                name => put_back(&self.conf.join(&one.interface).join(name), &one.value),
            };
            if let Err(error) = result {
                let (interface, name) = (&one.interface, &one.name);
                log::debug!("{name} of {interface} is not put back: {error}");
            }
        }
        self.save();
    }

    /// Notes a value before it is changed; the first one counts.
    fn note(&mut self, interface: &str, index: u32, name: &str, value: &str) {
        let known = |one: &Found| one.interface == interface && one.name == name;
        if self.found.iter().any(known) {
            return;
        }
        self.found.push(Found {
            interface: interface.to_owned(),
            index,
            name: name.to_owned(),
            value: value.to_owned(),
        });
        self.save();
    }

    fn save(&self) {
        let result = match self.found.is_empty() {
            true => fs::remove_file(&self.file),
            false => fs::write(&self.file, write(&self.found)),
        };
        match result {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                log::warn!("what is to be put back after a crash is not written down: {error}");
            }
            _ => {}
        }
    }
}

fn put_back(file: &Path, value: &str) -> std::io::Result<()> {
    match fs::read_to_string(file)?.trim() == value {
        true => Ok(()),
        false => fs::write(file, value),
    }
}

/// As lines of text: `wlan0 3 accept_ra 1`.
fn write(found: &[Found]) -> String {
    let mut text = String::new();
    for one in found {
        let _ = writeln!(
            text,
            "{} {} {} {}",
            one.interface, one.index, one.name, one.value
        );
    }
    text
}

/// Reads such lines; what makes no sense or names anything else is left out.
fn read(text: &str) -> Vec<Found> {
    let line = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        let [interface, index, name, value] = words[..] else {
            return None;
        };
        let known = name == OFF || VALUES.iter().any(|(known, _)| *known == name);
        let plain = !interface.contains('/') && !matches!(interface, "" | "." | "..");
        (known && plain && value.parse::<i64>().is_ok()).then_some(Found {
            interface: interface.to_owned(),
            index: index.parse().ok()?,
            name: name.to_owned(),
            value: value.to_owned(),
        })
    };
    text.lines().filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_changed_is_put_back_once_also_by_the_run_after_a_crash() {
        let home = std::env::temp_dir().join(format!("officeos-tuning-{}", std::process::id()));
        let conf = home.join("conf");
        fs::create_dir_all(conf.join("wlan0")).unwrap();
        let file = |name: &str| conf.join("wlan0").join(name);
        let set = |name: &str, value: &str| fs::write(file(name), value).unwrap();
        let is = |name: &str| fs::read_to_string(file(name)).unwrap();
        let now = |_: &str| Some(3);
        let notes = home.join("radio-1-values");
        let open = || Tuning::with(notes.clone(), conf.clone());
        set("accept_ra", "1\n");
        set("dad_transmits", "0\n");
        let mut tuning = open();
        tuning.prepare("wlan0", 3, false);
        assert_eq!(is("accept_ra"), "0");
        assert_eq!(
            is("dad_transmits"),
            "0\n",
            "what fits already is not written"
        );
        // What was found first counts.
        set("accept_ra", "2\n");
        tuning.prepare("wlan0", 3, false);
        // It ends without a word; the next run knows.
        drop(tuning);
        open().restore(now);
        assert_eq!(is("accept_ra"), "1");
        assert!(!notes.exists());
        // The same name, another interface.
        let mut tuning = open();
        tuning.prepare("wlan0", 3, false);
        set("accept_ra", "0\n");
        tuning.restore(|_| Some(4));
        assert_eq!(is("accept_ra"), "0\n");
        fs::remove_dir_all(home).unwrap();
    }

    #[test]
    fn notes_that_name_anything_else_are_left_out() {
        let good = "wlan0 3 accept_ra 1\nwlan0 3 off 1\n";
        assert_eq!(write(&read(good)), good);
        for bad in [
            "",
            "wlan0 3 accept_ra",
            "wlan0 x accept_ra 1",
            "wlan0 3 forwarding 1",
            "wlan0 3 accept_ra one",
            "../all 3 accept_ra 1",
            ".. 3 accept_ra 1",
            "wlan0 3 ../x 1",
        ] {
            assert_eq!(read(bad), [], "{bad}");
        }
    }
}
