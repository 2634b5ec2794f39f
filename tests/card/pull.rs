//! Pulls the power: brings a card into states that its log allows, opens each with the app's code, and compares with what the
//! person was told.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::cuts::{self, Cut, Dice};
use super::disk::{Image, Kind, Loop, run, unmount};
use super::log::{self, Entry, SECTOR};
use super::look::App;
use super::promises::{self, Promise};
use super::record::HOME;
use super::support::program;

/// A log and what was promised while it was written.
pub struct Recorded {
    kind: Kind,
    base: Image,
    entries: Vec<Entry>,
    promises: Vec<Promise>,
}

impl Recorded {
    /// Reads what `record` left in a folder.
    pub fn read(kind: Kind, folder: &Path) -> Self {
        let bytes = fs::read(folder.join("log")).expect("a log");
        let entries = log::parse(&bytes).unwrap_or_else(|error| panic!("{error}"));
        let place = |mark: &str| {
            let found = entries.iter().position(|e| e.mark.as_deref() == Some(mark));
            assert!(
                found.is_some() || mark.is_empty(),
                "no mark {mark} in the log"
            );
            found
        };
        let text = fs::read_to_string(folder.join("promises")).expect("promises");
        Self {
            kind,
            base: Image::kept(&folder.join("base")),
            promises: promises::read(&text, place),
            entries,
        }
    }
}

/// What a run has seen.
#[derive(Default)]
pub struct Figures {
    states: usize,
    faults: usize,
    times: BTreeMap<&'static str, Duration>,
}

/// Where the power is pulled: half of the instants are anywhere, half soon after the person was told something.
fn instants(recorded: &Recorded, count: usize, dice: &mut Dice) -> Vec<Cut> {
    let told: Vec<usize> = recorded.promises.iter().filter_map(|p| p.told).collect();
    let mut cuts: Vec<Cut> = (0..count)
        .map(|n| {
            let at = if n % 2 == 0 || told.is_empty() {
                dice.below(recorded.entries.len() + 1)
            } else {
                told[dice.below(told.len())] + 1 + dice.below(12)
            };
            let kind = [cuts::Kind::Prefix, cuts::Kind::Subset, cuts::Kind::Torn][dice.below(3)];
            cuts::draw(&recorded.entries, at, kind, dice)
        })
        .collect();
    cuts.sort_by_key(|cut| cut.durable);
    cuts
}

/// Looks at `count` states; true if nothing was wrong with any.
pub fn run_all(recorded: &Recorded, count: usize, seed: u64) -> bool {
    let kind = recorded.kind;
    let mut dice = Dice(seed);
    let cuts = instants(recorded, count, &mut dice);
    let disk = Loop::new(2, Path::new("/tmp/state"), kind.device_len());
    let place = PathBuf::from("/tmp/pulled");
    fs::create_dir_all(&place).expect("a place to mount");
    let told = recorded
        .promises
        .iter()
        .filter(|p| p.told.is_some())
        .count();
    println!(
        "{}: {} entries in the log, {told} promises; {count} states, OFFICEOS_SEED={seed}",
        kind.name(),
        recorded.entries.len()
    );
    let mut figures = Figures::default();
    let mut image = recorded.base.clone();
    let mut applied = 0;
    for (n, cut) in cuts.iter().enumerate() {
        for entry in &recorded.entries[applied..cut.durable] {
            image.write(entry.sector * SECTOR as u64, &entry.data);
        }
        applied = applied.max(cut.durable);
        let over = image.changed(cut.loose.iter().map(|(entry, sector)| {
            let entry = &recorded.entries[*entry];
            let bytes = &entry.data[sector * SECTOR..(sector + 1) * SECTOR];
            (entry.sector + *sector as u64, bytes)
        }));
        let started = Instant::now();
        image.store(&disk.file, kind.device_len(), &over);
        figures.add("making the state", started);
        let repaired = n % 3 == 2;
        if repaired {
            let started = Instant::now();
            kind.repair(&disk.device);
            figures.add("repairing", started);
        }
        let mut faults = look(recorded, cut, &disk.device, &place, &mut figures);
        if n % 20 == 19 && faults.is_empty() {
            faults.extend(start_whole(recorded.kind, &disk.device, &place));
        }
        figures.states += 1;
        if !faults.is_empty() {
            figures.faults += 1;
            println!(
                "FAULT in state {n}: {:?}, at {} of {}, durable {}, {} sectors loose{}",
                cut.kind,
                cut.at,
                recorded.entries.len(),
                cut.durable,
                cut.loose.len(),
                if repaired { ", repaired" } else { "" }
            );
            for fault in faults.iter().take(8) {
                println!("  {fault}");
            }
        }
    }
    let times: Vec<String> = figures
        .times
        .iter()
        .map(|(what, time)| {
            format!(
                "{what} {} ms",
                time.as_millis() / figures.states.max(1) as u128
            )
        })
        .collect();
    println!(
        "{}: {} states, {} with faults; for each {}",
        kind.name(),
        figures.states,
        figures.faults,
        times.join(", ")
    );
    figures.faults == 0
}

impl Figures {
    fn add(&mut self, what: &'static str, since: Instant) {
        *self.times.entry(what).or_default() += since.elapsed();
    }
}

/// Everything that is wrong with the state on the device.
fn look(
    recorded: &Recorded,
    cut: &Cut,
    device: &str,
    place: &Path,
    figures: &mut Figures,
) -> Vec<String> {
    let started = Instant::now();
    if let Err(error) = recorded.kind.mount(device, place) {
        return vec![format!("it does not mount: {error}")];
    }
    figures.add("mounting", started);
    let started = Instant::now();
    let home = place.join(HOME);
    let mut faults = Vec::new();
    match App::open(&home) {
        Err(error) => faults.push(format!("the app does not start: {error}")),
        Ok(mut app) => {
            figures.add("opening", started);
            if let Some(complaint) = app.complaint() {
                faults.push(format!("the app complains: {complaint}"));
            }
            let started = Instant::now();
            match app.found(&home) {
                Ok(found) => faults.extend(promises::broken(&recorded.promises, cut.at, &found)),
                Err(error) => faults.push(error),
            }
            figures.add("reading", started);
            let started = Instant::now();
            if let Err(error) = app.write_on() {
                faults.push(format!("it cannot be written on: {error}"));
            }
            let again = !app.was_locked;
            drop(app);
            figures.add("writing on", started);
            // What was written on may lie in clusters that something else claims too: only a look past every cache tells.
            // Stretching the sequence a second time costs seconds and shows nothing new.
            if again && faults.is_empty() {
                let started = Instant::now();
                faults.extend(look_again(recorded, cut, device, place).err());
                figures.add("looking again", started);
            }
        }
    }
    let started = Instant::now();
    unmount(place);
    figures.add("unmounting", started);
    faults
}

/// Mounts anew, and everything must be there still, with what was written on.
fn look_again(recorded: &Recorded, cut: &Cut, device: &str, place: &Path) -> Result<(), String> {
    unmount(place);
    recorded.kind.mount(device, place)?;
    let home = place.join(HOME);
    let mut app = App::open(&home).map_err(|e| format!("the app does not start again: {e}"))?;
    if let Some(complaint) = app.complaint() {
        return Err(format!("the app complains after writing on: {complaint}"));
    }
    if !app.has_written_on() {
        return Err("what was written on is not there".to_owned());
    }
    let faults = promises::broken(&recorded.promises, cut.at, &app.found(&home)?);
    match faults.first() {
        Some(fault) => Err(format!("after writing on: {fault}")),
        None => Ok(()),
    }
}

/// Starts the program itself on the state, to see it come up.
fn start_whole(kind: Kind, device: &str, place: &Path) -> Option<String> {
    if let Err(error) = kind.mount(device, place) {
        return Some(format!("it does not mount again: {error}"));
    }
    let script = "wait loaded=true 20000\nmodel\nquit\n";
    let child = Command::new(program("officeos-handheld"))
        .args(["--headless", "--home"])
        .arg(place.join(HOME))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let output = child.and_then(|mut child| {
        std::io::Write::write_all(
            &mut child.stdin.take().expect("its input"),
            script.as_bytes(),
        )?;
        child.wait_with_output()
    });
    unmount(place);
    match output {
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            let up = said.starts_with("ok") || said.contains("\"locked\":\"true\"");
            (!up).then(|| format!("the program does not come up: {said:.200}"))
        }
        Err(error) => Some(format!("the program does not start: {error}")),
    }
}

/// Marks all of this machine's modules as wanted.
pub fn load() {
    for module in [
        "loop",
        "dm_mod",
        "dm_log_writes",
        "vfat",
        "nls_cp437",
        "nls_iso8859_1",
        "nls_utf8",
        "nls_ascii",
        "exfat",
        "ext4",
    ] {
        run("modprobe", &[module]);
    }
}
