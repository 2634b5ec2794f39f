//! Cards that are full, become read-only, or are taken out and put back, while the app writes.

use std::fs;
use std::path::{Path, PathBuf};

use handheld::app::effect::{Effect, Target};
use handheld::app::model::chat::ChatKind;
use handheld::app::model::picture::{Made, Recipe};
use handheld::app::model::settings::Theme;
use handheld::app::model::{
    Chat, ChatId, Entry, EntryState, LaptopId, Origin, Picture, PictureId, PictureState, Raster,
    RequestId, Role, Settings, Turn, TurnState, Wish,
};
use handheld::app::msg::CardEvent;
use handheld::runtime::raster;

use super::disk::{Kind, Loop, run, unmount};
use super::look::{self, App};
use super::promises::{self, Promise};

/// Octets of the small card.
const CARD_LEN: u64 = 40 << 20;

/// Name of the device that can be taken out.
const MAPPED: &str = "taken";

/// Writes of every kind, and what they told.
struct Writer {
    promises: Vec<Promise>,
    round: u32,
    refused: Vec<String>,
}

impl Writer {
    fn new() -> Self {
        Self {
            promises: Vec::new(),
            round: 0,
            refused: Vec::new(),
        }
    }

    fn promise(&mut self, subject: String, value: String) {
        self.promises.push(Promise {
            subject,
            value,
            told: Some(0),
        });
    }

    /// Gives the card an errand; true if it was not refused.
    fn accepted(
        &mut self,
        app: &mut App,
        effects: Vec<Effect>,
        told: impl Fn(&CardEvent) -> bool,
    ) -> Result<bool, String> {
        app.model.overlay = None;
        for effect in effects {
            app.send(effect);
        }
        let events = app.settle()?;
        let troubled = events.iter().any(|e| {
            matches!(
                e,
                CardEvent::Trouble { .. }
                    | CardEvent::NotNumbered { .. }
                    | CardEvent::NotKept { .. }
            )
        });
        if troubled {
            match app.complaint() {
                Some(words) => self.refused.push(words),
                None => return Err("a refused write is not told in words".to_owned()),
            }
        }
        Ok(!troubled && events.iter().any(told))
    }

    /// One of everything.
    fn write(&mut self, app: &mut App) -> Result<(), String> {
        self.round += 1;
        let n = self.round;
        let text = format!("Message {n} {}", "about the weather ".repeat(20));
        let (chat, entry) = message(n, &text);
        let effects = vec![
            Effect::SaveChat(Box::new(chat)),
            Effect::NewRequest {
                ticket: 1000 + n,
                entry: Box::new(entry),
            },
        ];
        if self.accepted(app, effects, |e| matches!(e, CardEvent::Numbered { .. }))? {
            self.promise(format!("say:{text}"), look::sum(text.as_bytes()));
            self.promise(format!("sent:{text}"), "safe".into());
        }
        let bytes = format!("File {n}\n").repeat(9000).into_bytes();
        let file = Effect::WriteFile {
            name: format!("file {n}.txt"),
            bytes: bytes.clone(),
        };
        let name = format!("file:file {n}.txt");
        if self.accepted(app, vec![file], |e| matches!(e, CardEvent::Saved { .. }))? {
            self.promise(name, look::sum(&bytes));
        } else {
            // Half a file must not be there either.
            self.promise(name, String::new());
        }
        let settings = Settings {
            theme: if n % 2 == 1 {
                Theme::Light
            } else {
                Theme::Dark
            },
            ..Settings::default()
        };
        let value = format!("{:?}", settings.theme);
        let effects = vec![Effect::SaveSettings(Box::new(settings)), Effect::ListFiles];
        if self.accepted(app, effects, |e| matches!(e, CardEvent::Files { .. }))? {
            self.promise("theme".into(), value);
        }
        let word = format!(
            "word{}",
            ["one", "two", "three", "four", "five", "six"][n as usize % 6]
        );
        let effects = vec![Effect::SaveWords(format!("1 {word}\n")), Effect::ListFiles];
        self.accepted(app, effects, |e| matches!(e, CardEvent::Files { .. }))?;
        self.picture(app, n)
    }

    fn picture(&mut self, app: &mut App, n: u32) -> Result<(), String> {
        let shade = n as u8;
        let pixels = Raster {
            width: 320,
            height: 200,
            rgb: (0..320 * 200 * 3u32)
                .map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8 ^ shade)
                .collect(),
        };
        let mut bytes = vec![1];
        bytes.extend(raster::to_png(&pixels).ok_or("no picture could be made")?);
        let (id, prompt) = (PictureId(n), format!("Picture {n}"));
        let laptop = LaptopId(1);
        let picture = Picture {
            id,
            recipe: Recipe {
                prompt: prompt.clone(),
                ..Recipe::default()
            },
            made: Made::Painted,
            from: None,
            at: 0,
            request: None,
            state: PictureState::Open,
            size: None,
            thumb: None,
            raster: None,
        };
        let request = RequestId(5000 + u64::from(n));
        let mut effects = vec![Effect::SavePicture(Box::new(picture))];
        for (piece, at) in bytes.chunks(16 * 1024).zip((0..).step_by(16 * 1024)) {
            effects.push(Effect::SavePart {
                laptop,
                id: request,
                slot: 0,
                offset: at,
                bytes: piece.to_vec(),
            });
        }
        effects.push(Effect::Keep {
            laptop,
            id: request,
            slot: 0,
            target: Target::Picture(id),
        });
        if self.accepted(app, effects, |e| matches!(e, CardEvent::Kept { .. }))? {
            self.promise(format!("picture:{prompt}"), look::sum(&pixels.rgb));
        }
        Ok(())
    }

    /// What is wrong with a card that is opened now.
    fn faults(&self, home: &Path) -> Vec<String> {
        let mut app = match App::open(home) {
            Ok(app) => app,
            Err(error) => return vec![format!("the app does not start: {error}")],
        };
        let mut faults = Vec::new();
        faults.extend(app.complaint().map(|c| format!("the app complains: {c}")));
        match app.found(home) {
            Ok(found) => faults.extend(promises::broken(&self.promises, 0, &found)),
            Err(error) => faults.push(error),
        }
        faults
    }
}

fn message(n: u32, text: &str) -> (Chat, Entry) {
    let id = ChatId(n);
    let turn = |role, text: &str, state| Turn {
        role,
        text: text.to_owned(),
        model: String::new(),
        at: 0,
        request: None,
        state,
    };
    let chat = Chat {
        id,
        wire_id: u64::from(n),
        kind: ChatKind::Chat,
        title: format!("Chat {n}"),
        named: true,
        model: String::new(),
        system: String::new(),
        turns: vec![
            turn(Role::Person, text, TurnState::Done),
            turn(Role::Answer, "", TurnState::Open),
        ],
        context_from: 0,
        changed: u64::from(n),
        unread: false,
    };
    let entry = Entry {
        laptop: LaptopId(1),
        id: RequestId(0),
        origin: Origin::Chat(id),
        wish: Wish::Say {
            kind: ChatKind::Chat,
            text: text.to_owned(),
            with_history: false,
        },
        state: EntryState::Waiting,
        program: None,
        uploads: Vec::new(),
        at: 0,
        received: Vec::new(),
        whole: Vec::new(),
        buffer: Vec::new(),
        answerer: String::new(),
        stopping: false,
        permille: 0,
        eta_s: None,
    };
    (chat, entry)
}

/// All faults on cards of this kind; true if nothing was lost.
pub fn all(kind: Kind) -> bool {
    let disk = Loop::new(3, Path::new("/tmp/faulty"), CARD_LEN);
    let place = PathBuf::from("/tmp/faulty-card");
    fs::create_dir_all(&place).expect("a place to mount");
    let mut right = true;
    let mut say = |what: String, faults: Vec<String>| {
        println!(
            "{}: {what}: {}",
            kind.name(),
            if faults.is_empty() {
                "nothing lost"
            } else {
                "FAULT"
            }
        );
        faults
            .iter()
            .take(8)
            .for_each(|fault| println!("  {fault}"));
        right &= faults.is_empty();
    };
    for room in [
        0, 4, 40, 100, 200, 400, 700, 1500, 2100, 2600, 4200, 4700, 5200, 6000,
    ] {
        kind.make_small(&disk.device);
        kind.mount(&disk.device, &place).expect("it mounts");
        let (faults, refused) = full(&place, room * 1024);
        unmount(&place);
        say(
            format!("filled up to {room} KiB before writing ({refused} refused)"),
            faults,
        );
    }
    kind.make_small(&disk.device);
    kind.mount(&disk.device, &place).expect("it mounts");
    let faults = read_only(kind, &disk.device, &place);
    unmount(&place);
    say("made read-only and writable again".into(), faults);

    kind.make_small(&disk.device);
    let table = format!("0 {} linear {} 0", CARD_LEN / 512, disk.device);
    run(
        "dmsetup",
        &["create", "--noudevsync", MAPPED, "--table", &table],
    );
    run("dmsetup", &["mknodes", MAPPED]);
    let mapped = format!("/dev/mapper/{MAPPED}");
    kind.mount(&mapped, &place).expect("it mounts");
    let faults = taken_out(kind, &mapped, &table, &place);
    unmount(&place);
    run("dmsetup", &["remove", "--noudevsync", MAPPED]);
    say("taken out while writing and put back".into(), faults);
    right
}

/// Leaves so much room, writes until nothing fits, makes room, and writes again.
fn full(place: &Path, room: u64) -> (Vec<String>, usize) {
    let home = place.join(super::record::HOME);
    let mut writer = Writer::new();
    let filler = place.join("filler");
    let mut work = || -> Result<(), String> {
        fs::create_dir_all(&home).map_err(|e| e.to_string())?;
        if room > 0 {
            // One that has been used already, and fills up now.
            let mut app = App::open(&home)?;
            writer.write(&mut app)?;
        }
        fill(&filler, place, room).map_err(|e| format!("the card could not be filled: {e}"))?;
        let mut app = match App::open(&home) {
            Ok(app) => app,
            // A card that was full before the app first came may refuse it in words.
            Err(words) if room == 0 && words.contains("full") => return Ok(()),
            Err(words) => return Err(words),
        };
        for _ in 0..4 {
            writer.write(&mut app)?;
        }
        Ok(())
    };
    let worked = work();
    let refused = writer.refused.len();
    let mut faults: Vec<String> = worked.err().into_iter().collect();
    let wrong: Vec<_> = writer
        .refused
        .iter()
        .filter(|w| !w.contains("full"))
        .cloned()
        .collect();
    faults.extend(
        wrong
            .into_iter()
            .take(2)
            .map(|w| format!("a full card is called something else: {w}")),
    );
    if room > 0 {
        faults.extend(writer.faults(&home));
    }
    let _ = fs::remove_file(&filler);
    writer.refused.clear();
    match App::open(&home) {
        Ok(mut app) => faults.extend(writer.write(&mut app).err()),
        Err(error) => faults.push(error),
    }
    faults.extend(
        writer
            .refused
            .iter()
            .map(|w| format!("refused with room: {w}")),
    );
    faults.extend(writer.faults(&home));
    (faults, refused)
}

/// Fills the card until so many octets are free.
fn fill(file: &Path, place: &Path, room: u64) -> std::io::Result<()> {
    use std::io::Write;
    let free = || {
        nix::sys::statvfs::statvfs(place)
            .map(|s| s.blocks_available() as u64 * s.fragment_size() as u64)
            .unwrap_or(0)
    };
    let mut out = fs::File::create(file)?;
    let zeros = vec![0; 4096];
    while free() > room {
        let len = (free() - room).min(4096) as usize;
        match out.write_all(&zeros[..len]) {
            Err(e) if e.kind() == std::io::ErrorKind::StorageFull => break,
            other => other?,
        }
        // Where space is taken only when it is written out, it is not known to be taken before.
        if free() <= room {
            out.sync_all()?;
        }
    }
    out.sync_all()
}

fn read_only(kind: Kind, device: &str, place: &Path) -> Vec<String> {
    let home = place.join(super::record::HOME);
    fs::create_dir_all(&home).expect("the app's folder");
    let mut writer = Writer::new();
    let mut work = || -> Result<(), String> {
        let mut app = App::open(&home)?;
        writer.write(&mut app)?;
        remount(kind, device, place, "ro");
        writer.write(&mut app)?;
        if writer.refused.is_empty() {
            return Err("a read-only card refused nothing".into());
        }
        remount(kind, device, place, "rw");
        let before = writer.refused.len();
        writer.write(&mut app)?;
        if writer.refused.len() > before {
            return Err(format!(
                "refused when writable again: {:?}",
                writer.refused.last()
            ));
        }
        Ok(())
    };
    let mut faults: Vec<String> = work().err().into_iter().collect();
    faults.extend(writer.faults(&home));
    faults
}

fn remount(kind: Kind, device: &str, place: &Path, how: &str) {
    let options = format!("remount,{how},noatime");
    run(
        "mount",
        &[
            "-t",
            kind.name(),
            "-o",
            &options,
            device,
            &place.display().to_string(),
        ],
    );
}

fn taken_out(kind: Kind, device: &str, table: &str, place: &Path) -> Vec<String> {
    let home = place.join(super::record::HOME);
    fs::create_dir_all(&home).expect("the app's folder");
    let mut writer = Writer::new();
    let mut work = || -> Result<(), String> {
        let mut app = App::open(&home)?;
        writer.write(&mut app)?;
        replace(&format!("0 {} error", CARD_LEN / 512));
        writer.write(&mut app)?;
        if writer.refused.is_empty() {
            return Err("a card that is gone refused nothing".into());
        }
        // Put back: the firmware mounts it at the same place.
        run("umount", &["-l", &place.display().to_string()]);
        replace(table);
        kind.repair(device);
        kind.mount(device, place)?;
        let before = writer.refused.len();
        writer.write(&mut app)?;
        if writer.refused.len() > before {
            return Err(format!(
                "refused when put back: {:?}",
                writer.refused.last()
            ));
        }
        Ok(())
    };
    let mut faults: Vec<String> = work().err().into_iter().collect();
    faults.extend(writer.faults(&home));
    faults
}

fn replace(table: &str) {
    run(
        "dmsetup",
        &["suspend", "--noflush", "--nolockfs", "--noudevsync", MAPPED],
    );
    run("dmsetup", &["load", MAPPED, "--table", table]);
    run("dmsetup", &["resume", "--noudevsync", MAPPED]);
}
