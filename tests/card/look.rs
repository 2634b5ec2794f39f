//! Opens a card with the app's own code, reads what a person would find there, and writes on.

use std::path::Path;
use std::thread::JoinHandle;
use std::time::Duration;

use handheld::app::effect::Effect;
use handheld::app::model::overlay::Overlay;
use handheld::app::model::screen::Purpose;
use handheld::app::model::{Model, Origin, Panel, PictureState, Role, Wish};
use handheld::app::msg::{CardEvent, Msg};
use handheld::app::update;
use handheld::input::Button;
use handheld::link::Command;
use handheld::platform::clock;
use handheld::runtime::keeper::{Errand, Keeper};
use ring::digest::{SHA256, digest};
use smol::channel::{Receiver, Sender, unbounded};

use super::promises::Found;

/// Longest wait for the card's thread: a card that needs longer is taken for one that hangs.
const PATIENCE: Duration = Duration::from_secs(120);

/// The sequence that the histories lock the card with.
pub const SEQUENCE: [Button; 6] = [
    Button::Up,
    Button::Down,
    Button::Left,
    Button::Right,
    Button::X,
    Button::Y,
];

/// Model and card's thread of the app, without window and link.
pub struct App {
    /// What the screens would show.
    pub model: Model,
    /// The card was sealed, and the sequence has opened it.
    pub was_locked: bool,
    told: Receiver<Msg>,
    errands: Sender<Errand>,
    keeper: Option<JoinHandle<()>>,
    _link: Receiver<Command>,
}

impl App {
    /// Starts on a home folder, as the app does.
    ///
    /// # Errors
    /// A sentence: what keeps it from starting.
    pub fn open(home: &Path) -> Result<Self, String> {
        let (tell, told) = unbounded();
        let (errands, work) = unbounded();
        let (link, commands) = unbounded();
        let keeper =
            Keeper::open(home, tell, link, || clock::now().0).map_err(|e| e.to_string())?;
        let keeper = std::thread::spawn(move || keeper.run(&work));
        let mut app = Self {
            model: Model::new(Panel::VGA, 7),
            was_locked: false,
            told,
            errands,
            keeper: Some(keeper),
            _link: commands,
        };
        app.settle()?;
        if app.model.lock.is_some() {
            app.was_locked = true;
            app.send(Effect::Unlock(SEQUENCE.to_vec()));
            app.settle()?;
        }
        if app.model.loaded {
            Ok(app)
        } else {
            Err("the app does not come past its first screen".to_owned())
        }
    }

    /// Gives the card something to do.
    pub fn send(&self, effect: Effect) {
        let _ = self.errands.send_blocking(Errand::Effect(effect));
    }

    /// Waits until the card's thread has done everything, and takes in what it says.
    ///
    /// # Errors
    /// It hangs or has died.
    pub fn settle(&mut self) -> Result<Vec<CardEvent>, String> {
        let mut events = Vec::new();
        loop {
            let (done, answer) = smol::channel::bounded(1);
            let _ = self.errands.send_blocking(Errand::Flush(done));
            let answered = smol::block_on(smol::future::or(
                async {
                    answer
                        .recv()
                        .await
                        .map_err(|_| "the card's thread has died")
                },
                async {
                    smol::Timer::after(PATIENCE).await;
                    Err("the card's thread hangs")
                },
            ));
            answered?;
            let mut quiet = true;
            while let Ok(msg) = self.told.try_recv() {
                quiet = false;
                if let Msg::Card(event) = &msg {
                    events.push(event.clone());
                }
                for effect in update(&mut self.model, msg, clock::now()) {
                    if is_cards(&effect) {
                        self.send(effect);
                    }
                }
            }
            if quiet {
                return Ok(events);
            }
        }
    }

    /// What a person finds: subject and value, as the histories name them.
    ///
    /// # Errors
    /// The card's thread hangs or has died.
    pub fn found(&mut self, home: &Path) -> Result<Found, String> {
        let mut found = Found::new();
        let ready: Vec<_> = self.model.pictures.list.iter().map(|p| p.id).collect();
        for id in ready {
            let state = self.model.pictures.find(id).map(|p| p.state.clone());
            if state == Some(PictureState::Ready) {
                self.send(Effect::LoadPicture {
                    picture: id,
                    fit: None,
                });
            }
        }
        self.settle()?;
        let model = &self.model;
        let mut tell = |subject: String, value: String| found.insert(subject, value);
        let s = &model.settings;
        tell("theme".into(), format!("{:?}", s.theme));
        tell("text size".into(), format!("{:?}", s.text_size));
        tell("suggestions".into(), s.suggestions.to_string());
        tell(
            "lock".into(),
            if self.was_locked { "on" } else { "off" }.into(),
        );
        tell("laptops".into(), model.laptops.len().to_string());
        for chat in &model.chats.list {
            tell(format!("title:{}", chat.title), "there".into());
            for pair in chat.turns.windows(2) {
                if let [question, answer] = pair
                    && question.role == Role::Person
                    && answer.role == Role::Answer
                {
                    tell(format!("answer:{}", question.text), answer.text.clone());
                }
            }
            for turn in chat.turns.iter().filter(|t| t.role == Role::Person) {
                tell(format!("say:{}", turn.text), sum(turn.text.as_bytes()));
            }
        }
        for entry in &model.outbox.entries {
            let subject = match (&entry.origin, &entry.wish) {
                (_, Wish::Say { text, .. }) => format!("sent:{text}"),
                (Origin::Fetch(name) | Origin::Send(name), _) => format!("moves:{name}"),
                (Origin::Picture(id), _) => match model.pictures.find(*id) {
                    Some(picture) => format!("painted:{}", picture.recipe.prompt),
                    None => continue,
                },
                _ => continue,
            };
            tell(subject, "safe".into());
        }
        // What has been answered was sent.
        for chat in &model.chats.list {
            for pair in chat.turns.windows(2).filter(|p| !p[1].text.is_empty()) {
                tell(format!("sent:{}", pair[0].text), "safe".into());
            }
        }
        for picture in &model.pictures.list {
            let prompt = &picture.recipe.prompt;
            if let Some(raster) = &picture.raster {
                tell(format!("picture:{prompt}"), sum(&raster.rgb));
                tell(format!("painted:{prompt}"), "safe".into());
            } else if picture.state == PictureState::Ready {
                tell(format!("picture:{prompt}"), "unreadable".into());
            }
        }
        for file in &model.files.local {
            let bytes = std::fs::read(home.join("files").join(&file.name));
            let value = bytes.map_or_else(|e| format!("unreadable: {e}"), |b| sum(&b));
            tell(format!("file:{}", file.name), value);
        }
        let drafts = model.drafts.iter().filter(|(p, _)| *p != Purpose::Url);
        let drafts: Vec<_> = drafts.map(|(_, text)| text.as_str()).collect();
        tell("drafts".into(), drafts.join("|"));
        for line in model.keyboard.learned().export().lines() {
            if let Some((_, word)) = line.split_once(' ') {
                tell(format!("word:{word}"), "learned".into());
            }
        }
        Ok(found)
    }

    /// What the app complains of on its screen, if it does.
    pub fn complaint(&self) -> Option<String> {
        match &self.model.overlay {
            Some(Overlay::Dialog(dialog)) => {
                Some(format!("{}: {}", dialog.title, dialog.body.join(" ")))
            }
            _ => None,
        }
    }

    /// Writes a text and a file on, and waits until the person would be told.
    ///
    /// # Errors
    /// What was refused, in the app's words.
    pub fn write_on(&mut self) -> Result<(), String> {
        self.send(Effect::SaveDraft(Purpose::Url, AFTER.into()));
        self.send(Effect::WriteFile {
            name: "after.txt".into(),
            // Many clusters: whatever lies in one that counts as free is written over.
            bytes: AFTER.repeat(12_000).into_bytes(),
        });
        let events = self.settle()?;
        let saved = events.iter().any(|e| matches!(e, CardEvent::Saved { .. }));
        match self.complaint() {
            Some(complaint) => Err(complaint),
            None if saved => Ok(()),
            None => Err("nothing was told to be saved".to_owned()),
        }
    }

    /// Whether what [`App::write_on`] wrote is there.
    pub fn has_written_on(&self) -> bool {
        self.model.drafts.contains(&(Purpose::Url, AFTER.into()))
    }
}

/// What is written after a power cut.
const AFTER: &str = "written after the power came back";

impl Drop for App {
    fn drop(&mut self) {
        self.errands.close();
        if let Some(keeper) = self.keeper.take() {
            let _ = keeper.join();
        }
    }
}

/// First half of the SHA-256 of some octets, in hexadecimal.
pub fn sum(bytes: &[u8]) -> String {
    digest(&SHA256, bytes).as_ref()[..16]
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect()
}

/// Whether the card's thread takes this; the rest is for link and device.
fn is_cards(effect: &Effect) -> bool {
    !matches!(
        effect,
        Effect::Link(_)
            | Effect::Reconnect
            | Effect::Submit { .. }
            | Effect::Resume { .. }
            | Effect::Cancel(_)
            | Effect::Ack(_)
            | Effect::Renew
            | Effect::Pair(_)
            | Effect::Look(_)
            | Effect::WatchSignal(_)
            | Effect::Rest
            | Effect::PairConfirm
            | Effect::PairCancel
            | Effect::Forget(_)
            | Effect::SetTimer(_)
            | Effect::Rumble(_)
            | Effect::Quit
    )
}
