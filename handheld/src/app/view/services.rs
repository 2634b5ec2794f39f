//! Health, models, jobs.

use super::{ListView, Mark, Row};
use crate::app::model::Model;
use crate::app::model::screen::{ServicesScreen, ServicesTab};
use crate::app::model::services::Health;
use crate::app::words::failure::Scene;
use crate::app::words::{self, quantity};

/// What the jobs tab says: this version has none, and says so by name.
pub const NO_JOBS: &str = "This version of OfficeOS has no jobs: the laptop refuses jobs.run, jobs.status, jobs.result and jobs.cancel by name. Chat, pictures and files work.";

/// The title of a tab.
pub const fn title(tab: ServicesTab) -> &'static str {
    match tab {
        ServicesTab::Health => "Services",
        ServicesTab::Models => "Models",
        ServicesTab::Jobs => "Jobs",
    }
}

/// The services screen.
pub fn list(model: &Model, screen: &ServicesScreen) -> ListView {
    let tabs = vec!["Health".into(), "Models".into(), "Jobs".into()];
    let (tab, rows, empty) = match screen.tab {
        ServicesTab::Health => (0, health(model), health_empty(model)),
        ServicesTab::Models => (
            1,
            models(model),
            "The laptop has told of no models yet.".into(),
        ),
        ServicesTab::Jobs => (2, Vec::new(), NO_JOBS.into()),
    };
    let footer = match (screen.tab, model.services.told_at) {
        (ServicesTab::Health, Some(at)) => {
            let trouble = model
                .services
                .trouble
                .as_ref()
                .map(|f| format!("{}. ", words::failure::failure(f, scene(model)).title))
                .unwrap_or_default();
            format!("{trouble}{}", told(model, at))
        }
        (ServicesTab::Models, _) => model
            .laptop()
            .map(|l| told(model, l.seen_at))
            .unwrap_or_default(),
        _ => String::new(),
    };
    ListView {
        tabs,
        tab,
        tall: screen.tab == ServicesTab::Health,
        empty,
        footer,
        ..ListView::default()
    }
    .with_rows(rows, screen.list)
}

fn told(model: &Model, at: u64) -> String {
    match quantity::time(model, at) {
        time if time.is_empty() => String::new(),
        time if model.link.is_open() => format!("As of {time}"),
        time => format!("Last seen {time}"),
    }
}

/// What surrounds an error about services.
pub fn scene(model: &Model) -> Scene<'_> {
    Scene {
        laptop: model.laptop_name(),
        what: "system questions",
        model: "",
        kept: "",
    }
}

fn health_empty(model: &Model) -> String {
    match &model.services.trouble {
        Some(failure) => {
            let said = words::failure::failure(failure, scene(model));
            format!("{}. {}", said.title, said.body.join(" "))
        }
        None if model.link.is_open() => "Asking the laptop.".into(),
        None => "The laptop is away. Health is asked for once it is back.".into(),
    }
}

fn health(model: &Model) -> Vec<Row> {
    let mut rows: Vec<Row> = model
        .services
        .providers
        .iter()
        .map(|p| {
            let (mark, word) = match p.health {
                Health::Healthy => (Mark::Done, "healthy"),
                Health::Degraded => (Mark::Wait, "degraded"),
                Health::Unhealthy => (Mark::Failed, "not working"),
                Health::Unknown => (Mark::None, "not asked yet"),
            };
            let note = words::peer(&p.note, 60);
            let second = if note.is_empty() {
                word.to_string()
            } else {
                format!("{word}: {note}")
            };
            let mut row = Row::new(mark, words::peer(&p.name, words::PEER_NAME_LEN), second);
            row.right = words::service(p.service).into();
            row
        })
        .collect();
    for (index, (label, value)) in model.services.facts.iter().enumerate() {
        let mut row = Row::new(
            Mark::None,
            words::peer(label, words::PEER_NAME_LEN),
            words::peer(value, 60),
        );
        row.rule = index == 0 && !rows.is_empty();
        rows.push(row);
    }
    rows
}

fn models(model: &Model) -> Vec<Row> {
    let laptop = model.laptop();
    laptop
        .into_iter()
        .flat_map(|l| &l.models)
        .map(|m| {
            let label = if m.label.is_empty() { &m.id } else { &m.label };
            let mut row = Row::new(Mark::None, words::peer(label, 44), "");
            row.right = words::service(m.service).into();
            row
        })
        .collect()
}
