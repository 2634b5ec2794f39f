//! Files on both sides.

use super::{ListView, Mark, Row};
use crate::app::model::screen::FilesScreen;
use crate::app::model::{
    Entry, EntryState, Failure, Link, LocalFile, Model, Origin, RemoteFile, Side,
};
use crate::app::words::failure::Scene;
use crate::app::words::{self, quantity};

/// What surrounds an error about a file.
pub fn scene(model: &Model) -> Scene<'_> {
    Scene {
        laptop: model.laptop_name(),
        what: "files",
        model: "",
        kept: "",
    }
}

/// The side that shows.
pub fn list(model: &Model, screen: &FilesScreen) -> ListView {
    let files = &model.files;
    let tabs = vec!["On the laptop".into(), "On this card".into()];
    match screen.side {
        Side::Laptop => {
            let mut rows: Vec<Row> = downloads(model).map(|e| transfer(model, e)).collect();
            rows.extend(files.remote.iter().map(|f| remote(model, f)));
            let empty = match (files.listed_at, &files.trouble) {
                (_, Some(failure)) => sentence(model, failure),
                (None, None) if !model.link.is_open() => {
                    "The laptop is away. Its files show once it is back.".into()
                }
                (None, None) => "Asking the laptop for its list.".into(),
                _ => {
                    "Nothing there. Files put into the drop folder on the laptop show here.".into()
                }
            };
            ListView {
                tabs,
                tab: 0,
                tall: true,
                empty,
                footer: remote_footer(model),
                ..ListView::default()
            }
            .with_rows(rows, screen.remote)
        }
        Side::Card => {
            let rows = files.local.iter().map(|f| local(model, f)).collect();
            let footer = files
                .card_free
                .map(|n| format!("{} free on this card", quantity::octets(n)))
                .unwrap_or_default();
            let empty = "No files on this card. A fetches some from the laptop.".into();
            ListView {
                tabs,
                tab: 1,
                tall: true,
                empty,
                footer,
                ..ListView::default()
            }
            .with_rows(rows, screen.local)
        }
    }
}

/// Downloads that the laptop is making: rows before the files.
pub fn downloads(model: &Model) -> impl Iterator<Item = &Entry> {
    all(model).filter(|e| matches!(e.origin, Origin::Download(_)))
}

fn all(model: &Model) -> impl Iterator<Item = &Entry> {
    model
        .outbox
        .entries
        .iter()
        .chain(model.outbox.unnumbered.iter().map(|(_, e)| e))
}

fn remote(model: &Model, file: &RemoteFile) -> Row {
    let here = model
        .files
        .local
        .iter()
        .any(|l| l.name == file.name && l.len == file.len);
    let mut row = Row::new(
        Mark::None,
        words::peer(&file.name, 60),
        quantity::time(model, file.modified),
    );
    if here {
        row.mark = Mark::Done;
        row.second = "on this card".into();
    } else if file.new {
        row.mark = Mark::New;
        row.second = join("new", &row.second);
    }
    row.right = quantity::octets(file.len);
    let moving = all(model)
        .find(|e| matches!(&e.origin, Origin::Fetch(n) | Origin::Remove(n) if *n == file.name));
    dress(model, row, moving, &file.name)
}

fn local(model: &Model, file: &LocalFile) -> Row {
    let there = model
        .files
        .remote
        .iter()
        .any(|r| r.name == file.name && r.len == file.len);
    let mut row = Row::new(
        Mark::None,
        words::peer(&file.name, 60),
        quantity::time(model, file.modified),
    );
    if there {
        row.mark = Mark::Done;
        row.second = "on the laptop".into();
    }
    row.right = quantity::octets(file.len);
    let moving = all(model).find(|e| matches!(&e.origin, Origin::Send(n) if *n == file.name));
    dress(model, row, moving, &file.name)
}

fn dress(model: &Model, mut row: Row, moving: Option<&Entry>, name: &str) -> Row {
    if let Some(entry) = moving {
        let moved = transfer(model, entry);
        row.mark = moved.mark;
        row.second = moved.second;
        row.meter = moved.meter;
    }
    if model.files.selecting {
        row.mark = if model.files.selected.contains(name) {
            Mark::Ticked
        } else {
            Mark::Unticked
        };
    }
    row
}

/// An entry that moves a file, as a row.
pub fn transfer(model: &Model, entry: &Entry) -> Row {
    let (name, doing) = match &entry.origin {
        Origin::Fetch(name) => (name.as_str(), "fetching"),
        Origin::Send(name) => (name.as_str(), "sending"),
        Origin::Remove(name) => (name.as_str(), "deleting"),
        Origin::Download(url) => (url.as_str(), "laptop downloads it"),
        _ => ("", ""),
    };
    let mut row = Row::new(Mark::Wait, words::peer(name, 60), String::new());
    let percent = entry.permille / 10;
    match &entry.state {
        EntryState::Failed(failure) => {
            let said = words::failure::failure(failure, scene(model));
            row.mark = said.mark;
            row.second = said.title;
        }
        EntryState::Asked { until } => {
            row.second = format!(
                "asking the owner, {} left",
                quantity::countdown(until.since(model.now))
            )
        }
        EntryState::Queued { ahead, busy } => row.second = quantity::turn(*ahead, *busy),
        EntryState::Running | EntryState::Accepted | EntryState::Keeping
            if model.link.is_open() =>
        {
            row.mark = Mark::Run;
            row.second = format!("{doing}, {percent} %");
            row.meter = Some(entry.permille);
        }
        EntryState::Running | EntryState::Accepted | EntryState::Keeping => {
            row.second = format!("link lost at {percent} %, resumes by itself")
        }
        EntryState::Draft => row.second = "held in the outbox".into(),
        EntryState::Sent | EntryState::Waiting => row.second = "waits in the outbox".into(),
    }
    row
}

fn remote_footer(model: &Model) -> String {
    let files = &model.files;
    if let Some(failure) = files.trouble.as_ref().filter(|_| !files.remote.is_empty()) {
        return sentence(model, failure);
    }
    match (&model.link, files.listed_at, files.quota) {
        (Link::Linked { .. }, _, Some((used, all))) => format!(
            "{} of {} used",
            quantity::octets(used),
            quantity::octets(all)
        ),
        (Link::Linked { .. }, _, None) | (_, None, _) => String::new(),
        (_, Some(at), _) => match quantity::time(model, at) {
            time if time.is_empty() => "As last listed. Fetch and Send queue.".into(),
            time => format!("As of {time}. Fetch and Send queue."),
        },
    }
}

fn sentence(model: &Model, failure: &Failure) -> String {
    let said = words::failure::failure(failure, scene(model));
    format!("{}. {}", said.title, said.body.join(" "))
}

fn join(a: &str, b: &str) -> String {
    if b.is_empty() {
        a.into()
    } else {
        format!("{a} · {b}")
    }
}
