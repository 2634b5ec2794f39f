//! What `scripts/demo` runs: a laptop and a handheld as real processes, paired by the real exchange.
//!
//! `--headless --out DIR` drives the handheld by button presses through everything that a newcomer should see, writes
//! a numbered picture of each step, and fails where the screen's model does not show the outcome. Without it, the
//! handheld comes up in a window, and closing the window ends everything.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use support::cutter::Cutter;
use support::laptop::Laptop;
use support::pocket::Pocket;
use support::{Folder, eventually, program};

/// Everything that a newcomer is let do at once; the owner is still asked for the rest.
const OPERATIONS: [&str; 14] = [
    "chat",
    "complete",
    "code",
    "summarize",
    "generate",
    "edit",
    "upscale",
    "variation",
    "fit",
    "list",
    "metadata",
    "get",
    "put",
    "status",
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let value = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1).cloned()
    };
    let home = value("--home").map(PathBuf::from);
    if arguments.iter().any(|argument| argument == "--headless") {
        let out = value("--out").unwrap_or_else(|| "target/demo".to_owned());
        headless(Path::new(&out));
        return ExitCode::SUCCESS;
    }
    window(home.as_deref())
}

/// The handheld in a window, until it is closed.
fn window(home: Option<&Path>) -> ExitCode {
    let folder = Folder::new("demo");
    let home = home.unwrap_or_else(|| folder.path());
    let discovery = std::env::var("OFFICEOS_DISCOVERY").unwrap_or_else(|_| String::new());
    let environment: &[(&str, &str)] = if discovery.is_empty() {
        &[(
            "OFFICEOS_DISCOVERY",
            "ollama:11434,openai:1234,openai:8080,openai:8000,a1111:7860",
        )]
    } else {
        &[("OFFICEOS_DISCOVERY", &discovery)]
    };
    let laptop = Laptop::at(&home.join("laptop"), "This laptop", 0, "", environment);
    let card = home.join("card");
    let mut pocket = Pocket::start(&card, laptop.address());
    if pocket.fact("laptops") == "0" {
        pocket.pair(&laptop);
        laptop.ctl().permit("Pocket", &OPERATIONS, "allow");
    }
    pocket.quit();
    println!(
        "Laptop and handheld are paired. Everything lies in {}.",
        home.display()
    );
    for model in laptop
        .ctl()
        .json(&["models"])
        .as_array()
        .into_iter()
        .flatten()
    {
        let default = if model["default"] == true {
            ", used unless another is chosen"
        } else {
            ""
        };
        println!(
            "  {} for {}{default}",
            model["id"].as_str().unwrap_or("?"),
            model["service"].as_str().unwrap_or("?")
        );
    }
    println!(
        "Keys: arrows move, X is A, Z is B, S is X, A is Y; hold Right Shift (Select) for the map. See the README."
    );
    println!(
        "In another terminal: {} --home {} watch",
        program("officectl").display(),
        laptop.home().display()
    );
    let status = Command::new(program("officeos-handheld"))
        .args([
            "--window",
            "--name",
            "Pocket",
            "--laptop",
            &laptop.address().to_string(),
            "--home",
        ])
        .arg(&card)
        .status();
    match status {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(status) => {
            eprintln!("The handheld ended with {status}.");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("The handheld did not start: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Writes the numbered pictures.
struct Album<'a> {
    folder: &'a Path,
    number: usize,
    last: PathBuf,
}

impl Album<'_> {
    fn add(&mut self, pocket: &mut Pocket, name: &str) {
        self.number += 1;
        let file = self.folder.join(format!("{:02}-{name}.png", self.number));
        pocket.shot(&file);
        println!("{:02} {name}", self.number);
        self.last = file;
    }

    fn last(&self) -> PathBuf {
        self.last.clone()
    }
}

/// The picture that the laptop keeps in the drop folder.
fn original(laptop: &Laptop) -> PathBuf {
    let folders = fs::read_dir(laptop.home().join("files")).expect("drop folders");
    let pictures = folders
        .flatten()
        .map(|folder| folder.path().join("pictures"));
    let mut files =
        pictures.flat_map(|folder| fs::read_dir(folder).into_iter().flatten().flatten());
    files.next().expect("the original is kept").path()
}

/// Fails where what the screen shows has other colours than the picture that was painted: compares the means of a grid.
fn resembles(shot: &Path, original: &Path) {
    let open = |path: &Path| image::open(path).expect("a picture").to_rgb8();
    let (shot, original) = (open(shot), open(original));
    let mean = |picture: &image::RgbImage, column: u32, row: u32| {
        let (wide, high) = (picture.width() / 8, picture.height() / 8);
        let mut sum = [0u32; 3];
        for y in row * high..(row + 1) * high {
            for x in column * wide..(column + 1) * wide {
                (0..3).for_each(|c| sum[c] += u32::from(picture.get_pixel(x, y)[c]));
            }
        }
        sum.map(|c| c / (wide * high))
    };
    // The rows between title and hints.
    for (row, column) in (2..6).flat_map(|row| (0..6).map(move |column| (row, column))) {
        let (seen, painted) = (mean(&shot, column, row), mean(&original, column, row));
        let off = (0..3).map(|c| seen[c].abs_diff(painted[c])).max();
        assert!(
            off < Some(24),
            "{seen:?} is shown where {painted:?} was painted"
        );
    }
}

fn words(text: &str) -> usize {
    text.split_whitespace().count()
}

/// Opens the newest chat from the home screen, or a new one, and sends `text`.
fn ask(pocket: &mut Pocket, text: &str) {
    pocket.home();
    pocket.press("Start");
    pocket.wait("screen=writing");
    pocket.type_text(text);
    pocket.press("Start");
    pocket.wait("screen=chat");
}

fn headless(out: &Path) {
    let _ = fs::remove_dir_all(out);
    fs::create_dir_all(out).expect("the folder for pictures");
    let out = fs::canonicalize(out).expect("the folder for pictures");
    // Slow enough that an answer can be stopped and a link can be cut in the middle.
    let mut laptop = Laptop::with(
        "demo",
        "",
        &[
            ("OFFICEOS_BUILTIN_WORD_MS", "40"),
            ("OFFICEOS_BUILTIN_STEP_MS", "60"),
        ],
    );
    let link = Cutter::new(laptop.address());
    let card = Folder::new("card");
    let mut pocket = Pocket::start(&card.path().join("card"), link.address());
    let mut album = Album {
        folder: &out,
        number: 0,
        last: PathBuf::new(),
    };
    album.add(&mut pocket, "first-start");

    // Pairing: six digits, read here, typed there, confirmed here.
    laptop.ctl().json(&["pair", "--open"]);
    pocket.open_pairing();
    pocket.wait("pairing.digits!");
    album.add(&mut pocket, "pairing-digits");
    pocket.finish_pairing(&laptop);
    pocket.home();
    album.add(&mut pocket, "paired");

    // A new device asks for everything: the owner says yes.
    ask(&mut pocket, "Hello there");
    pocket.wait("outbox.0=asked");
    album.add(&mut pocket, "being-asked");
    let asked = laptop.ctl().answer("approve");
    assert!(
        asked["wants"].to_string().contains("chat"),
        "the question names the chat: {asked}"
    );
    pocket.wait("answer.state=done");
    assert!(words(&pocket.fact("answer")) > 2, "an answer came");
    assert!(
        pocket.fact("answer.model").contains("built-in"),
        "the answer says who wrote it"
    );
    album.add(&mut pocket, "answered");

    // The owner says no.
    ask(&mut pocket, "May I ask again");
    laptop.ctl().answer("deny");
    pocket.wait("answer.failure=AskRefused");
    album.add(&mut pocket, "refused-by-the-owner");

    // The policy says no, without asking anybody.
    laptop.ctl().permit("Pocket", &["chat"], "deny");
    pocket.wait("may.chat=deny");
    ask(&mut pocket, "And now");
    pocket.wait("answer.failure=Denied");
    album.add(&mut pocket, "denied-by-the-policy");
    laptop.ctl().permit("Pocket", &OPERATIONS, "allow");
    pocket.wait("may.chat=allow");

    // An answer streams, and is stopped.
    ask(&mut pocket, "Tell me a long story");
    eventually("some words", || {
        (words(&pocket.fact("answer")) > 12).then_some(())
    });
    album.add(&mut pocket, "streaming");
    pocket.press("Y");
    pocket.wait("answer.state=stopped");
    let kept = words(&pocket.fact("answer"));
    assert!(kept > 12, "what had arrived is kept");
    album.add(&mut pocket, "stopped");

    // The link breaks in the middle of an answer, and the rest follows.
    ask(&mut pocket, "Tell me a long story");
    eventually("some words", || {
        (words(&pocket.fact("answer")) > 12).then_some(())
    });
    link.set_away(true);
    pocket.wait("link!linked");
    let before = pocket.fact("answer");
    album.add(&mut pocket, "link-lost");
    link.set_away(false);
    pocket.wait("link=linked");
    pocket.wait("answer.state=done");
    let whole = pocket.fact("answer");
    assert!(
        whole.starts_with(&before) && words(&whole) > 200,
        "the rest of the story follows what was there"
    );
    album.add(&mut pocket, "link-back");

    // A picture.
    pocket.home();
    pocket.write_prompt("A calm harbour at sunset");
    album.add(&mut pocket, "picture-prompt");
    pocket.press("Start");
    pocket.wait("screen=progress");
    eventually("progress", || {
        let permille: u32 = pocket.fact("outbox.0.permille").parse().unwrap_or(0);
        (permille > 200).then_some(())
    });
    album.add(&mut pocket, "painting");
    pocket.wait("picture.0=ready");
    if pocket.fact("screen") == "progress" {
        pocket.press("A");
    }
    pocket.wait("screen=viewer");
    pocket.wait("viewer=shown");
    album.add(&mut pocket, "picture");
    resembles(&album.last(), &original(&laptop));

    // The laptop is away: a message waits in the outbox and is delivered once.
    link.set_away(true);
    pocket.wait("link!linked");
    ask(&mut pocket, "Count to 5");
    pocket.wait("outbox.0=waiting");
    album.add(&mut pocket, "queued");
    // The laptop goes, and comes back.
    laptop.kill();
    laptop.restart();
    link.set_away(false);
    pocket.wait("answer.state=done");
    assert!(
        words(&pocket.fact("answer")) > 2,
        "the queued message was answered"
    );
    album.add(&mut pocket, "delivered");
    let turns = pocket.fact("chat.turns");
    assert_eq!(turns, "2", "one question, one answer");
    let log = laptop.log();
    let ids: Vec<&str> = log
        .lines()
        .filter(|line| line.contains("ended: done"))
        .collect();
    let mut unique = ids.clone();
    unique.dedup();
    assert_eq!(ids.len(), unique.len(), "no request ended twice");

    pocket.home();
    album.add(&mut pocket, "home");
    pocket.quit();
    println!(
        "All outcomes were seen on the screen's model. Pictures: {}",
        out.display()
    );
}
