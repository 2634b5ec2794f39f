//! A handheld without a panel, driven by buttons and read by what its screen's model holds.

use super::{PATIENCE, Through, laptop::Laptop};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

/// A running handheld.
pub struct Pocket {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    home: PathBuf,
}

impl Pocket {
    /// Starts one whose card is `home`; `laptop` is offered first in pairing.
    pub fn start(home: &Path, laptop: SocketAddr) -> Self {
        Self::sized(home, laptop, "640x480")
    }

    /// Starts one with another panel.
    pub fn sized(home: &Path, laptop: SocketAddr, size: &str) -> Self {
        Self::with(home, laptop, size, &[])
    }

    /// Starts one with further environment.
    pub fn with(
        home: &Path,
        laptop: SocketAddr,
        size: &str,
        environment: &[(String, String)],
    ) -> Self {
        let laptop = laptop.to_string();
        let arguments = ["--size", size, "--laptop", &laptop];
        Self::launch(&Through::default(), home, &arguments, environment)
    }

    /// Starts one by other programs, with further arguments.
    pub fn launch(
        through: &Through,
        home: &Path,
        arguments: &[&str],
        environment: &[(String, String)],
    ) -> Self {
        std::fs::create_dir_all(home).expect("a card");
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(home.with_extension("log"))
            .expect("a log");
        let mut child = through
            .command("officeos-handheld")
            .args(["--headless", "--name", "Pocket", "--home"])
            .arg(home)
            .args(arguments)
            .env(
                "RUST_LOG",
                std::env::var("RUST_LOG").unwrap_or_else(|_| "info".to_owned()),
            )
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("officeos-handheld starts");
        let input = child.stdin.take().expect("its input");
        let output = BufReader::new(child.stdout.take().expect("its output"));
        let mut pocket = Self {
            child,
            input,
            output,
            home: home.to_owned(),
        };
        pocket.wait("loaded=true");
        pocket
    }

    /// Says a line of script and returns the answer; see the handheld's `runtime::script`.
    pub fn try_say(&mut self, line: &str) -> Result<String, String> {
        writeln!(self.input, "{line}").map_err(|error| error.to_string())?;
        let mut answer = String::new();
        match self.output.read_line(&mut answer) {
            Ok(len) if len > 0 => Ok(answer.trim_end().to_owned()),
            _ => Err("the handheld has ended".to_owned()),
        }
    }

    /// Says a line that must be done.
    pub fn say(&mut self, line: &str) {
        let answer = self
            .try_say(line)
            .unwrap_or_else(|error| panic!("{line}: {error}"));
        assert_eq!(answer, "ok", "{line}; facts: {:#?}", self.facts());
    }

    /// Presses buttons, one after the other.
    pub fn press(&mut self, buttons: &str) {
        self.say(&format!("press {buttons}"));
    }

    /// Types a text with the keyboard that shows.
    pub fn type_text(&mut self, text: &str) {
        self.say(&format!("type {text}"));
    }

    /// Writes the panel as a picture.
    pub fn shot(&mut self, file: &Path) {
        // The app may write to its home folder alone.
        let own = self.home.join("shot.png");
        self.say(&format!("shot {}", own.display()));
        std::fs::copy(&own, file).expect("a picture");
        std::fs::remove_file(&own).expect("its own picture goes");
    }

    /// Waits until `condition` holds.
    pub fn wait(&mut self, condition: &str) {
        self.say(&format!("wait {condition} {}", PATIENCE.as_millis()));
    }

    /// What the screen's model holds.
    pub fn facts(&mut self) -> BTreeMap<String, String> {
        let line = self.try_say("model").expect("the model");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }

    /// One of the facts; empty where it is missing.
    pub fn fact(&mut self, name: &str) -> String {
        self.facts().remove(name).unwrap_or_default()
    }

    /// Goes back until the home screen shows.
    pub fn home(&mut self) {
        for _ in 0..12 {
            let facts = self.facts();
            if facts.get("screen").is_some_and(|screen| screen == "home")
                && facts.get("overlay").is_none_or(String::is_empty)
            {
                return;
            }
            self.press("B");
        }
        panic!("B does not lead home: {:#?}", self.facts());
    }

    /// Process number.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Folder of the card.
    pub fn card(&self) -> &Path {
        &self.home
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.home.with_extension("log")).unwrap_or_default()
    }

    /// Kills it as a pulled battery would.
    pub fn kill(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Ends it in order.
    pub fn quit(mut self) {
        let _ = self.try_say("quit");
        let _ = self.child.wait();
    }

    /// From the home screen to a picture's prompt, types it there and gives it back as it stands then: it goes on from the prompt
    /// before. Start sends it.
    pub fn write_prompt(&mut self, text: &str) -> String {
        self.press("Up Up Up Left Right A");
        super::eventually("the pictures", || {
            let screen = self.fact("screen");
            (screen == "gallery" || screen == "prompt").then_some(())
        });
        if self.fact("screen") == "gallery" {
            self.press("Start");
        }
        self.wait("screen=prompt");
        self.press("A");
        self.wait("screen=writing");
        self.type_text(text);
        let prompt = self.fact("keyboard.text");
        self.press("Start");
        self.wait("screen=prompt");
        prompt
    }

    /// Pairs with `laptop` by the real exchange: six digits that are read here and typed there.
    pub fn pair(&mut self, laptop: &Laptop) {
        laptop.ctl().json(&["pair", "--open"]);
        self.open_pairing();
        self.finish_pairing(laptop);
    }

    /// Leads from the home screen of an unpaired handheld to the digits; the laptop's window has to be open.
    pub fn open_pairing(&mut self) {
        self.home();
        self.press("Y");
        self.wait("screen=laptop");
        // "Pair a laptop", and of the ways the address that was given on the command line.
        self.press("A");
        self.wait("overlay=menu");
        self.press("A");
        self.wait("screen=pairing");
    }

    /// From the start of pairing to its end.
    pub fn finish_pairing(&mut self, laptop: &Laptop) {
        self.wait("pairing.digits!");
        let digits = self.fact("pairing.digits");
        let paired = std::thread::scope(|scope| {
            let typing = scope.spawn(|| laptop.ctl().run(&["pair", "--digits", &digits]));
            self.wait("pairing=confirm");
            self.press("A");
            typing.join().expect("officectl pair")
        });
        assert!(
            paired.status.success(),
            "{}",
            String::from_utf8_lossy(&paired.stderr)
        );
        self.wait("link=linked");
    }
}

impl Drop for Pocket {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("-- log of the handheld --\n{}", self.log());
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
