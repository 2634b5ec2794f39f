//! A history of real use: the app, driven by buttons, on a card whose writes are logged.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::disk::{Image, Kind, Loop, run, unmount};
use super::look::{self, App, SEQUENCE};
use super::promises;
use super::support::eventually;
use super::support::laptop::Laptop;
use super::support::pocket::Pocket;

/// What a newcomer is let do.
const OPERATIONS: [&str; 7] = ["chat", "generate", "fit", "list", "metadata", "get", "put"];

/// Where the app lies on a card: below a folder that the firmware has made long ago.
pub const HOME: &str = "ports/officeos";

/// Name of the logging device.
const MAPPED: &str = "pulled";

/// A card that is logged from now on.
pub struct Logged {
    /// The card and the log; none in a rehearsal.
    devices: Option<(Loop, Loop)>,
    place: PathBuf,
    /// Where what is left behind goes.
    out: PathBuf,
    marks: usize,
}

impl Logged {
    /// Makes the file system, with nothing on it but the app's own folder, and starts the log.
    pub fn new(kind: Kind, out: &Path) -> Self {
        fs::create_dir_all(out).expect("a folder for the log");
        let disk = Loop::new(0, Path::new("/tmp/disk"), kind.device_len());
        let log = Loop::new(1, Path::new("/tmp/log"), 1 << 30);
        let place = PathBuf::from("/tmp/card");
        fs::create_dir_all(&place).expect("a place to mount");
        kind.make(&disk.device);
        kind.mount(&disk.device, &place).expect("it mounts");
        // The app comes onto a card long before it is started.
        fs::create_dir_all(place.join(HOME)).expect("the app's folder");
        unmount(&place);
        Image::read(&disk.file).keep(&out.join("base"));
        let table = format!(
            "0 {} log-writes {} {}",
            kind.device_len() / 512,
            disk.device,
            log.device
        );
        run(
            "dmsetup",
            &["create", "--noudevsync", MAPPED, "--table", &table],
        );
        // There is no udev that would make its node.
        run("dmsetup", &["mknodes", MAPPED]);
        kind.mount(&format!("/dev/mapper/{MAPPED}"), &place)
            .expect("it mounts");
        let _ = fs::remove_file(out.join("promises"));
        Self {
            devices: Some((disk, log)),
            place,
            out: out.to_owned(),
            marks: 0,
        }
    }

    /// An ordinary folder: the same history without a log, to see that it runs.
    pub fn rehearsal(out: &Path) -> Self {
        let place = out.join("place");
        let _ = fs::remove_dir_all(&place);
        fs::create_dir_all(place.join(HOME)).expect("the app's folder");
        let _ = fs::remove_file(out.join("promises"));
        Self {
            devices: None,
            place,
            out: out.to_owned(),
            marks: 0,
        }
    }

    /// The app's folder.
    pub fn home(&self) -> PathBuf {
        self.place.join(HOME)
    }

    /// The person was told that these are saved.
    pub fn told(&mut self, values: &[(String, String)]) {
        self.marks += 1;
        let mark = format!("told-{}", self.marks);
        if self.devices.is_some() {
            run("dmsetup", &["message", MAPPED, "0", "mark", &mark]);
        }
        self.note(values, &mark);
    }

    /// These came to be, and nobody was told that they are saved.
    pub fn note(&mut self, values: &[(String, String)], mark: &str) {
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.out.join("promises"))
            .expect("the promises");
        for (subject, value) in values {
            file.write_all(promises::line(subject, value, mark).as_bytes())
                .expect("the promises");
        }
    }

    /// Ends the log and leaves it in the folder; pictures are promised with the pixels that the end shows.
    pub fn finish(self) {
        let home = self.home();
        let mut app = App::open(&home).expect("the app opens at the end of the history");
        let found = app.found(&home).expect("what is there at the end");
        drop(app);
        let file = self.out.join("promises");
        let text = fs::read_to_string(&file).expect("the promises");
        let lines = text.lines().map(|line| {
            let (subject, rest) = line.split_once('\t').expect("a subject");
            match (subject.starts_with("picture:"), rest.split_once('\t')) {
                (true, Some((_, mark))) => {
                    let value = found.get(subject).expect("the picture is there at the end");
                    format!("{subject}\t{value}\t{mark}\n")
                }
                _ => format!("{line}\n"),
            }
        });
        fs::write(&file, lines.collect::<String>()).expect("the promises");
        let text = fs::read_to_string(&file).expect("the promises");
        let promises = promises::read(&text, |mark| mark.strip_prefix("told-")?.parse().ok());
        let faults = promises::broken(&promises, usize::MAX, &found);
        assert!(faults.is_empty(), "with no power cut: {faults:#?}");
        if let Some((_disk, log)) = self.devices {
            unmount(&self.place);
            run("dmsetup", &["remove", "--noudevsync", MAPPED]);
            let log = Image::read(&log.file).bytes();
            fs::write(self.out.join("log"), log).expect("the log");
        }
    }
}

fn pair(subject: impl Into<String>, value: impl Into<String>) -> (String, String) {
    (subject.into(), value.into())
}

/// The history: everything that the app tells to be saved, at least once.
pub fn history(card: &mut Logged) {
    let home = card.home();
    let mut laptop = Laptop::with(
        "pulled",
        "",
        &[
            ("OFFICEOS_BUILTIN_WORD_MS", "2"),
            ("OFFICEOS_BUILTIN_STEP_MS", "20"),
        ],
    );
    let mut app = Pocket::start(&home, laptop.address());

    // As the app comes.
    card.note(
        &[
            pair("laptops", "0"),
            pair("theme", "Dark"),
            pair("text size", "Normal"),
            pair("lock", "off"),
        ],
        "",
    );
    app.pair(&laptop);
    card.told(&[pair("laptops", "1")]);
    laptop.ctl().permit("Pocket", &OPERATIONS, "allow");
    laptop
        .ctl()
        .json(&["limit", "Pocket", "--requests-per-minute", "6000"]);
    app.wait("may.chat=allow");

    // An answer, and the conversation saved as a file: behind that word stands everything before it.
    write(&mut app, "Where is the harbour");
    app.wait("answer.state=done");
    let mut said = turns(&app.facts());
    save_chat(&mut app, card, &mut said);

    // Settings: what shows is told with the next word.
    settings(&mut app);
    app.press("Right");
    card.note(&[pair("theme", "Light")], "");
    app.press("Down Right");
    card.note(&[pair("text size", "Large")], "");
    write(&mut app, "Tell me about lighthouses");
    app.wait("answer.state=done");
    said = turns(&app.facts());
    said.extend([
        pair("theme", "Light"),
        pair("text size", "Large"),
        pair("word:lighthouses", "learned"),
    ]);
    save_chat(&mut app, card, &mut said);

    // A picture arrives.
    paint(&mut app, "A calm harbour at sunset");
    card.told(&[pair("picture:A calm harbour at sunset", "")]);

    // A large file arrives.
    let folder = eventually("the drop folder", || {
        let mut folders = fs::read_dir(laptop.home().join("files")).ok()?.flatten();
        Some(folders.next()?.path())
    });
    let atlas: Vec<u8> = (0..900_000u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    fs::write(folder.join("atlas.bin"), &atlas).expect("a file in the drop folder");
    app.home();
    app.press("Up Up Up Left Down A");
    app.wait("screen=files");
    app.wait("files.laptop~atlas.bin");
    while !app.fact("focus").contains("atlas.bin") {
        app.press("Down");
    }
    app.press("A");
    app.wait("toast~on this card");
    card.told(&[pair("file:atlas.bin", look::sum(&atlas))]);

    // The laptop goes: messages and a picture wait on the card.
    laptop.kill();
    app.wait("link!linked");
    for (n, text) in [
        "Count to five",
        "Name three ships",
        "What is a fathom",
        "Who made the compass",
    ]
    .iter()
    .enumerate()
    {
        write(&mut app, text);
        app.wait(&format!("outbox={}", n + 1));
        app.wait(&format!("outbox.{n}=waiting"));
        card.told(&[
            pair(format!("say:{text}"), look::sum(text.as_bytes())),
            pair(format!("sent:{text}"), "safe"),
        ]);
    }
    ask_for_picture(&mut app, " with two gulls");
    app.wait("outbox=5");
    app.wait("outbox.4=waiting");
    card.told(&[pair(
        "painted:A calm harbour at sunset with two gulls",
        "safe",
    )]);
    // Back in the dark, and a text left half written.
    settings(&mut app);
    app.press("Right");
    card.note(&[pair("theme", "Dark")], "");

    // It comes back: everything goes out and the answers arrive.
    laptop.restart();
    app.wait("link=linked");
    app.wait("outbox=0");
    app.wait("picture.0=ready");
    card.told(&[pair("picture:A calm harbour at sunset with two gulls", "")]);
    app.home();
    app.press("Up Up Up Left A");
    eventually("the chat", || {
        let screen = app.fact("screen");
        if screen == "chats" {
            app.press("A");
        }
        (screen == "chat").then_some(())
    });
    app.wait("answer.state=done");
    said = turns(&app.facts());
    said.push(pair("theme", "Dark"));
    save_chat(&mut app, card, &mut said);

    // A file goes, and its going is told by what is told after it.
    app.home();
    app.press("Up Up Up Left Down A");
    app.wait("screen=files");
    app.press("R1");
    while !app.fact("focus").contains("atlas.bin") {
        app.press("Down");
    }
    app.press("X");
    app.wait("overlay=menu");
    choose(&mut app, "Delete here");
    app.wait("overlay=question");
    app.press("A");
    eventually("the file to go", || {
        (!app.fact("files.card").contains("atlas.bin")).then_some(())
    });
    card.note(&[pair("file:atlas.bin", "")], "");
    write(&mut app, "Is the file gone");
    app.wait("answer.state=done");
    said = turns(&app.facts());
    said.push(pair("file:atlas.bin", ""));
    save_chat(&mut app, card, &mut said);

    // The app is left with a text half written, and started again.
    app.home();
    app.press("Start");
    app.wait("screen=writing");
    app.type_text("half a thought");
    app.quit();
    card.told(&[pair("drafts", "half a thought")]);
    let mut app = Pocket::start(&home, laptop.address());
    app.wait("link=linked");
    app.home();
    app.press("Start");
    app.wait("screen=writing");
    app.wait("keyboard.text=half a thought");
    app.type_text(" and its end");
    card.note(&[pair("drafts", "")], "");
    app.press("Start");
    app.wait("screen=chat");
    app.wait("answer.state=done");
    said = turns(&app.facts());
    said.push(pair("drafts", ""));
    save_chat(&mut app, card, &mut said);

    // The card is locked.
    settings(&mut app);
    while app.fact("focus") != "Lock" {
        app.press("Down");
    }
    app.press("A");
    app.wait("screen=set-lock");
    let sequence = SEQUENCE.map(|b| b.label()).join(" ");
    for _ in 0..2 {
        app.press(&sequence);
        app.press("Start");
    }
    card.note(&[pair("lock", "on")], "");
    app.wait("toast~Locked from the next start");
    card.told(&[pair("lock", "on")]);
    write(&mut app, "Is it locked now");
    app.wait("answer.state=done");
    said = turns(&app.facts());
    save_chat(&mut app, card, &mut said);
    laptop.kill();
    app.wait("link!linked");
    write(&mut app, "This one waits behind the lock");
    app.wait("outbox=1");
    app.wait("outbox.0=waiting");
    card.told(&[pair("sent:This one waits behind the lock", "safe")]);
    app.kill();
}

/// Every question and answer of the conversation that shows.
fn turns(facts: &std::collections::BTreeMap<String, String>) -> Vec<(String, String)> {
    let count: usize = facts
        .get("chat.turns")
        .and_then(|n| n.parse().ok())
        .unwrap_or(0);
    let mut out = Vec::new();
    let mut question = String::new();
    for n in 0..count {
        let Some(turn) = facts.get(&format!("chat.{n}")) else {
            continue;
        };
        if let Some(text) = turn.strip_prefix("person: ") {
            question = text.to_owned();
            out.push(pair(format!("say:{text}"), look::sum(text.as_bytes())));
        } else if let Some(text) = turn.strip_prefix("answer: ") {
            out.push(pair(format!("answer:{question}"), text));
        }
    }
    out
}

/// Saves the conversation that shows as a file; all that `said` holds is told by that.
fn save_chat(app: &mut Pocket, card: &mut Logged, said: &mut Vec<(String, String)>) {
    // What comes before the word is noted first: it may be there early.
    card.note(said, "");
    let before = files(card);
    app.press("X");
    app.wait("overlay=menu");
    choose(app, "Save as file");
    app.wait("toast~Saved as");
    let name = app.fact("toast");
    let name = name.trim_start_matches("Saved as ");
    let path = card.home().join("files").join(name);
    assert!(
        !before.contains(&name.to_owned()),
        "{name} was there already"
    );
    let bytes = fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    said.push(pair(format!("file:{name}"), look::sum(&bytes)));
    card.told(said);
    // The next one must not be taken for this.
    eventually("the word to go", || {
        (!app.fact("toast").contains(name)).then_some(())
    });
}

fn files(card: &Logged) -> Vec<String> {
    let entries = fs::read_dir(card.home().join("files"))
        .into_iter()
        .flatten()
        .flatten();
    entries
        .filter_map(|e| e.file_name().into_string().ok())
        .collect()
}

fn write(app: &mut Pocket, text: &str) {
    app.home();
    app.press("Start");
    app.wait("screen=writing");
    app.type_text(text);
    app.press("Start");
    app.wait("screen=chat");
}

fn settings(app: &mut Pocket) {
    app.home();
    app.press("Up Up Up Left Down Down Down A");
    app.wait("screen=settings");
}

fn paint(app: &mut Pocket, prompt: &str) {
    ask_for_picture(app, prompt);
    app.wait("picture.0=ready");
}

fn ask_for_picture(app: &mut Pocket, prompt: &str) {
    app.home();
    app.write_prompt(prompt);
    app.press("Start");
}

fn choose(app: &mut Pocket, label: &str) {
    for _ in 0..14 {
        if app.fact("overlay.focus") == label {
            return app.press("A");
        }
        app.press("Down");
    }
    panic!("no {label} in the menu: {:#?}", app.facts());
}
