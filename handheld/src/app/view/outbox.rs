//! Requests on their way.

use super::{ListView, Mark, Row};
use crate::app::model::{Entry, EntryState, ListState, Model, Origin, Wish};
use crate::app::words::failure::Scene;
use crate::app::words::{self, quantity};

/// `Outbox · 3`.
pub fn title(model: &Model) -> String {
    match listed(model).count() {
        0 => "Outbox".into(),
        n => format!("Outbox · {n}"),
    }
}

/// Entries that have a row, in the order in which they go out.
pub fn listed(model: &Model) -> impl Iterator<Item = &Entry> {
    model.outbox.entries.iter().filter(|e| e.is_listed())
}

/// The outbox.
pub fn list(model: &Model, state: ListState) -> ListView {
    let rows: Vec<Row> = listed(model).map(|e| row(model, e)).collect();
    let lead = if rows.is_empty() {
        String::new()
    } else {
        "Goes out by itself, in this order.".into()
    };
    ListView {
        lead,
        tall: true,
        empty: "Nothing waits. What you send while the laptop is away waits here.".into(),
        ..ListView::default()
    }
    .with_rows(rows, state)
}

/// One entry.
pub fn row(model: &Model, entry: &Entry) -> Row {
    let (kind, text) = source(model, entry);
    let mut row = Row::new(Mark::Wait, kind, words::short(&words::answer(&text), 60));
    if Some(entry.laptop) != model.chosen
        && let Some(laptop) = model.laptops.iter().find(|l| l.id == entry.laptop)
    {
        row.right = format!("for {}", words::peer(&laptop.name, 20));
    }
    match &entry.state {
        EntryState::Draft => row.right = "held".into(),
        EntryState::Waiting => {}
        EntryState::Sent => row.right = "sent".into(),
        EntryState::Asked { until } => {
            row.right = format!("asked, {}", quantity::countdown(until.since(model.now)))
        }
        EntryState::Queued { ahead, busy } => row.right = quantity::turn(*ahead, *busy),
        EntryState::Accepted | EntryState::Running | EntryState::Keeping => {
            row.mark = Mark::Run;
            row.right = "running".into();
            row.meter = (entry.permille > 0).then_some(entry.permille);
        }
        EntryState::Failed(failure) => {
            let said = words::failure::failure(failure, scene(model, entry));
            row.mark = said.mark;
            row.second = said.title;
        }
    }
    row
}

/// What surrounds an error of this entry.
pub fn scene<'a>(model: &'a Model, entry: &Entry) -> Scene<'a> {
    let laptop = model
        .laptops
        .iter()
        .find(|l| l.id == entry.laptop)
        .map_or("The laptop", |l| l.name.as_str());
    let what = match entry.origin {
        Origin::Chat(_) => "chat",
        Origin::Picture(_) => "pictures",
        Origin::Services => "system questions",
        _ => "files",
    };
    let wanted = match entry.origin {
        Origin::Chat(id) => model.chats.find(id).map_or("", |c| c.model.as_str()),
        Origin::Picture(id) => model
            .pictures
            .find(id)
            .map_or("", |p| p.recipe.model.as_str()),
        _ => "",
    };
    Scene {
        laptop,
        what,
        model: wanted,
        kept: "",
    }
}

/// Kind with its source, and the content.
fn source(model: &Model, entry: &Entry) -> (String, String) {
    match (&entry.origin, &entry.wish) {
        (Origin::Chat(id), Wish::Say { text, .. }) => (
            format!("Chat · {}", super::chat::title(model, *id)),
            text.clone(),
        ),
        (Origin::Picture(id), _) => {
            let picture = model.pictures.find(*id);
            let size = picture.map(|p| super::picture::pixels(p.recipe.size, model.panel));
            let kind = picture.map_or("Picture", |p| words::made(p.made));
            let size = size.map(|(w, h)| format!(" · {w}×{h}")).unwrap_or_default();
            (
                format!("{kind}{size}"),
                picture.map_or(String::new(), |p| p.recipe.prompt.clone()),
            )
        }
        (Origin::Fetch(name), _) => (
            format!("Fetch · {}", words::peer(name, 40)),
            "from the laptop".into(),
        ),
        (Origin::Send(name), _) => (
            format!("Send · {}", words::peer(name, 40)),
            "to the laptop".into(),
        ),
        (Origin::Remove(name), _) => (
            format!("Delete · {}", words::peer(name, 40)),
            "on the laptop".into(),
        ),
        (Origin::Download(url), _) => ("Download".into(), words::peer(url, 60)),
        (Origin::Listing, _) => ("List of files".into(), String::new()),
        (Origin::Services, _) => ("Services".into(), String::new()),
        (Origin::Chat(id), _) => (
            format!("Chat · {}", super::chat::title(model, *id)),
            String::new(),
        ),
    }
}
