//! Pictures: prompt rows, progress, gallery cells.

use super::{Card, ListView, Mark, Row};
use crate::app::model::laptop::ServiceKind;
use crate::app::model::picture::Size;
use crate::app::model::screen::{PromptRow, PromptScreen};
use crate::app::model::{
    Entry, EntryState, ListState, Model, Origin, Panel, Picture, PictureId, PictureState,
};
use crate::app::words::failure::Scene;
use crate::app::words::{self, quantity};

/// Pictures in a row of the gallery.
pub const COLUMNS: usize = 3;

/// Width and height in pixels.
pub const fn pixels(size: Size, panel: Panel) -> (u16, u16) {
    match size {
        Size::Screen => (panel.width as u16, panel.height as u16),
        Size::Square => (512, 512),
        Size::Portrait => (512, 768),
        Size::Landscape => (768, 512),
        Size::Large => (1024, 1024),
    }
}

/// The title of a picture: the first words of its prompt.
pub fn title(model: &Model, id: PictureId) -> String {
    model
        .pictures
        .find(id)
        .map_or("Picture".into(), |p| words::short(&p.recipe.prompt, 40))
}

/// The title of the gallery.
pub fn gallery_title(model: &Model) -> String {
    match model.pictures.list.len() {
        0 => "Pictures".into(),
        n => format!("Pictures · {n}"),
    }
}

/// The outbox entry of a picture.
pub fn entry<'a>(model: &'a Model, picture: &Picture) -> Option<&'a Entry> {
    let origin = Origin::Picture(picture.id);
    let numbered = model.outbox.entries.iter().find(|e| e.origin == origin);
    numbered.or_else(|| {
        model
            .outbox
            .unnumbered
            .iter()
            .map(|(_, e)| e)
            .find(|e| e.origin == origin)
    })
}

/// What surrounds an error of this picture.
pub fn scene<'a>(model: &'a Model, picture: &'a Picture) -> Scene<'a> {
    Scene {
        laptop: model.laptop_name(),
        what: "pictures",
        model: &picture.recipe.model,
        kept: "",
    }
}

/// The rows of the prompt screen.
pub fn prompt(model: &Model, screen: PromptScreen) -> ListView {
    let recipe = &model.pictures.recipe;
    let rows = PromptRow::ALL.map(|row| {
        let text = |text: &str, empty: &str| {
            if text.is_empty() {
                empty.to_string()
            } else {
                text.to_string()
            }
        };
        match row {
            PromptRow::Prompt => Row::new(
                Mark::None,
                "Prompt",
                text(&recipe.prompt, "What shall it show?"),
            ),
            PromptRow::Style => value("Style", words::style(recipe.style)),
            PromptRow::Size => value("Size", words::size(recipe.size, model.panel)),
            PromptRow::Steps => value("Steps", recipe.steps.to_string()),
            PromptRow::Model => value("Model", words::model_and_provider(&recipe.model)),
            PromptRow::Negative => {
                Row::new(Mark::None, "Leave out", text(&recipe.negative, "nothing"))
            }
        }
    });
    let focus = PromptRow::ALL
        .iter()
        .position(|r| *r == screen.row)
        .unwrap_or(0);
    ListView {
        footer: footer(model),
        ..ListView::default()
    }
    .with_rows(rows.into(), ListState { focus, top: 0 })
}

fn value(title: &str, value: impl Into<String>) -> Row {
    Row {
        title: title.into(),
        value: Some(value.into()),
        ..Row::default()
    }
}

/// What is left today, and what happens while the laptop is away.
fn footer(model: &Model) -> String {
    let left = model
        .laptop()
        .and_then(|l| l.permissions.iter().find(|p| p.operation == "generate"))
        .and_then(|p| p.left_today);
    let left = left.map(|n| format!("{n} left today.")).unwrap_or_default();
    if model.link.is_open() {
        left
    } else {
        format!("The laptop is away: the picture is queued. {left}")
            .trim()
            .into()
    }
}

/// Models that paint, the laptop's own choice first.
pub fn models(model: &Model) -> Vec<String> {
    let known = model
        .laptop()
        .into_iter()
        .flat_map(|l| &l.models)
        .filter(|m| m.service == ServiceKind::Image)
        .map(|m| m.id.clone());
    std::iter::once(String::new()).chain(known).collect()
}

/// A picture in the making.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProgressView {
    /// 0 to 1000 once it runs.
    pub meter: Option<u16>,
    /// `Step 8 of 20, about 24 s`.
    pub line: String,
    /// A sentence below.
    pub note: String,
    /// Asked, failed or refused.
    pub card: Option<Card>,
}

/// What the progress screen says.
pub fn progress(model: &Model, id: PictureId) -> ProgressView {
    let Some(picture) = model.pictures.find(id) else {
        return ProgressView::default();
    };
    let mut view = ProgressView::default();
    match &picture.state {
        PictureState::Ready => view.line = "Opening the picture.".into(),
        PictureState::Stopped => view.line = "Stopped. Nothing more comes.".into(),
        PictureState::Broken(failure) => {
            view.card = Some(words::failure::failure(failure, scene(model, picture)).into())
        }
        PictureState::Open => open(model, picture, &mut view),
    }
    view
}

fn open(model: &Model, picture: &Picture, view: &mut ProgressView) {
    let entry = entry(model, picture);
    let laptop = words::peer(model.laptop_name(), words::PEER_NAME_LEN);
    let linked = model.link.is_open();
    view.note = "You can leave; see Gallery.".into();
    match entry.map(|e| &e.state) {
        Some(EntryState::Asked { until }) => {
            view.card = Some(Card {
                mark: Mark::Wait,
                state: "waiting".into(),
                lines: vec![format!("{laptop} is asking its owner to allow pictures.")],
                left: quantity::countdown(until.since(model.now)),
            });
        }
        Some(EntryState::Queued { ahead, busy }) => {
            view.line = format!("{laptop}: {}.", quantity::turn(*ahead, *busy));
        }
        Some(EntryState::Running | EntryState::Accepted | EntryState::Keeping) => {
            let permille = entry.map_or(0, |e| e.permille);
            view.meter = Some(permille);
            view.line = step_line(picture, permille, entry.and_then(|e| e.eta_s));
            if !linked {
                view.line = format!("Last seen: {}", view.line);
                view.note =
                    "The link broke. The laptop goes on painting; the rest follows by itself."
                        .into();
            }
        }
        Some(EntryState::Sent) if linked => view.line = "Sent.".into(),
        Some(EntryState::Draft) => view.line = "Held back in the outbox.".into(),
        _ if linked => view.line = "Waiting for its turn.".into(),
        _ => {
            view.line = "Waiting in the outbox.".into();
            view.note = "The laptop is away. It goes out by itself.".into();
        }
    }
}

/// `Step 8 of 20, about 24 s`.
fn step_line(picture: &Picture, permille: u16, eta_s: Option<u32>) -> String {
    let steps = u32::from(picture.recipe.steps.max(1));
    let eta = eta_s
        .map(|s| format!(", about {}", quantity::span(u64::from(s))))
        .unwrap_or_default();
    if permille == 0 {
        return format!("Beginning{eta}");
    }
    let step = (u32::from(permille) * steps / 1000).max(1);
    format!("Step {step} of {steps}{eta}")
}

/// One picture in the gallery; its pixels are in the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// Which.
    pub picture: PictureId,
    /// Mark of one that is not ready.
    pub mark: Mark,
    /// Words in place of the pixels.
    pub label: String,
    /// A meter below them.
    pub meter: Option<u16>,
}

/// All cells of the gallery.
pub fn gallery(model: &Model) -> Vec<Cell> {
    model.pictures.list.iter().map(|p| cell(model, p)).collect()
}

fn cell(model: &Model, picture: &Picture) -> Cell {
    let (mark, label, meter) = match &picture.state {
        PictureState::Ready => (Mark::None, String::new(), None),
        PictureState::Stopped => (Mark::Refused, "stopped".into(), None),
        PictureState::Broken(failure) => {
            let said = words::failure::failure(failure, scene(model, picture));
            (
                said.mark,
                if said.mark == Mark::Refused {
                    "refused".into()
                } else {
                    "not made".into()
                },
                None,
            )
        }
        PictureState::Open => match entry(model, picture) {
            Some(e)
                if matches!(
                    e.state,
                    EntryState::Running | EntryState::Accepted | EntryState::Keeping
                ) =>
            {
                (
                    Mark::Run,
                    step_line(picture, e.permille, None).to_lowercase(),
                    Some(e.permille),
                )
            }
            Some(e) if matches!(e.state, EntryState::Asked { .. }) => {
                (Mark::Wait, "being asked".into(), None)
            }
            Some(e) if matches!(e.state, EntryState::Queued { .. }) => {
                (Mark::Wait, "waits its turn".into(), None)
            }
            _ => (Mark::Wait, "waiting in outbox".into(), None),
        },
    };
    Cell {
        picture: picture.id,
        mark,
        label,
        meter,
    }
}

/// The line below the gallery: prompt and age of the focused picture.
pub fn gallery_caption(model: &Model, state: ListState) -> String {
    match model.pictures.list.get(state.focus) {
        Some(p) => {
            let ago = quantity::ago(model, p.at);
            let prompt = words::short(&p.recipe.prompt, 48);
            if ago.is_empty() {
                prompt
            } else {
                format!("{prompt} · {ago}")
            }
        }
        None => "No pictures yet. Start paints the first one.".into(),
    }
}
