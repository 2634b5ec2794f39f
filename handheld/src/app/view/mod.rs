//! What the screens say, ready to be drawn: rows, marks and sentences made from the model alone.

pub mod chat;
pub mod files;
pub mod home;
pub mod laptop;
pub mod nearby;
pub mod outbox;
pub mod picture;
pub mod services;
pub mod settings;
pub mod writing;

use super::model::{Link, ListState, Model, Screen};
use super::words;

/// A mark beside a state; each has a shape and a word, never colour alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mark {
    /// None.
    #[default]
    None,
    /// ✓
    Done,
    /// ◷
    Wait,
    /// ▶
    Run,
    /// !
    Failed,
    /// ✕
    Refused,
    /// ● something new
    New,
    /// Ticked.
    Ticked,
    /// Could be ticked.
    Unticked,
    /// A signal: 1 weak, 2 good, 3 strong.
    Signal(u8),
    /// ☾ asleep
    Asleep,
}

/// One row of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// Mark on the left.
    pub mark: Mark,
    /// First line.
    pub title: String,
    /// On the right of the first line, muted.
    pub right: String,
    /// Second line, muted; empty in rows of one line.
    pub second: String,
    /// A meter of 0 to 1000 on the second line.
    pub meter: Option<u16>,
    /// A value that ← and → change: drawn `◂ value ▸` on the right.
    pub value: Option<String>,
    /// A heading or fact: never focused.
    pub fixed: bool,
    /// A line above the row separates it from the one before.
    pub rule: bool,
    /// Shown muted, because it cannot be opened.
    pub disabled: bool,
}

/// A screen that is a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListView {
    /// Header title.
    pub title: String,
    /// Tabs with their buttons' sides (L1 left, R1 right), and which is shown; empty if there are none.
    pub tabs: Vec<String>,
    /// Index of the shown tab.
    pub tab: usize,
    /// A sentence above the rows, muted.
    pub lead: String,
    /// Rows.
    pub rows: Vec<Row>,
    /// Index of the focused row in `rows`, `None` if nothing can be focused.
    pub focus: Option<usize>,
    /// Index of the first row that shows.
    pub top: usize,
    /// All rows have two lines (8u) rather than one (6u).
    pub tall: bool,
    /// A sentence in place of the rows when there are none.
    pub empty: String,
    /// A sentence in the room that the rows leave.
    pub below: String,
    /// A sentence below the rows, muted.
    pub footer: String,
}

impl Row {
    /// A row of two lines.
    pub fn new(mark: Mark, title: impl Into<String>, second: impl Into<String>) -> Self {
        Self {
            mark,
            title: title.into(),
            second: second.into(),
            ..Self::default()
        }
    }

    /// A row that is only read.
    pub fn fact(title: impl Into<String>, right: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            right: right.into(),
            fixed: true,
            ..Self::default()
        }
    }
}

impl ListView {
    /// Fills rows, focus and top in, so that the focus is on a row that can have it.
    fn with_rows(mut self, rows: Vec<Row>, state: ListState) -> Self {
        self.focus = focusable(&rows, state.focus);
        self.top = state.top.min(rows.len().saturating_sub(1));
        self.rows = rows;
        self
    }
}

/// The row that has the focus if `wanted` cannot: the next one that can, else the one before.
pub fn focusable(rows: &[Row], wanted: usize) -> Option<usize> {
    let free = |i: &usize| !rows[*i].fixed;
    (wanted..rows.len())
        .find(free)
        .or_else(|| (0..wanted.min(rows.len())).rev().find(free))
}

/// The header of a screen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// Title.
    pub title: String,
    /// The link in words.
    pub link: String,
    /// How the link is.
    pub mark: Mark,
    /// `78%`; empty if there is no battery.
    pub battery: String,
    /// `14:02`; empty if no laptop has told the time yet.
    pub clock: String,
}

/// The header of the top screen.
pub fn header(model: &Model) -> Header {
    let home = matches!(model.screen(), Screen::Home(_));
    let pairing = matches!(model.screen(), Screen::Pairing(_));
    Header {
        title: title(model),
        link: match model.link {
            _ if pairing && !model.link.is_open() => "Not linked".into(),
            _ if home => words::link_long(model),
            _ => words::link(model),
        },
        mark: match model.link {
            Link::Linked { .. } => Mark::Done,
            Link::Asleep { .. } => Mark::Asleep,
            _ if words::ended(model).is_some() => Mark::Refused,
            Link::Unpaired | Link::Away(_) | Link::Connecting { .. } => Mark::Wait,
        },
        battery: model
            .battery
            .map_or_else(String::new, |b| format!("{}%", b.percent)),
        clock: words::quantity::time(model, model.wall()),
    }
}

/// The title of the top screen.
pub fn title(model: &Model) -> String {
    match model.screen() {
        Screen::Home(_) => "OfficeOS".into(),
        Screen::Chat(screen) => chat::title(model, screen.chat),
        Screen::Writing(writing) => writing::title(model, &writing.purpose),
        Screen::Prompt(_) => "New picture".into(),
        Screen::Progress(id) => picture::title(model, *id),
        Screen::Viewer(screen) => picture::title(model, screen.picture),
        Screen::Nearby(_) => "Laptops nearby".into(),
        Screen::Pairing(_) => "Pair a laptop".into(),
        Screen::Page(page) => page.title.clone(),
        Screen::SetLock(_) => "Lock".into(),
        Screen::Gallery(_) => picture::gallery_title(model),
        Screen::Chats(_) => "Chats".into(),
        Screen::Files(_) => "Files".into(),
        Screen::Outbox(_) => outbox::title(model),
        Screen::Laptop(_) => model.laptop().map_or("Laptop".into(), |l| {
            words::peer(&l.name, words::PEER_NAME_LEN)
        }),
        Screen::Services(screen) => services::title(screen.tab).into(),
        Screen::Settings(_) => "Settings".into(),
        Screen::Help(_) => "Help".into(),
    }
}

/// The top screen as a list, if it is one.
pub fn list(model: &Model) -> Option<ListView> {
    let view = match model.screen() {
        Screen::Chats(state) => chat::list(model, *state),
        Screen::Files(screen) => files::list(model, screen),
        Screen::Outbox(state) => outbox::list(model, *state),
        Screen::Laptop(state) => laptop::list(model, *state),
        Screen::Nearby(state) => nearby::list(model, *state),
        Screen::Services(screen) => services::list(model, screen),
        Screen::Settings(state) => settings::list(model, *state),
        Screen::Help(state) => settings::help(*state),
        Screen::Prompt(screen) => picture::prompt(model, *screen),
        _ => return None,
    };
    Some(ListView {
        title: title(model),
        ..view
    })
}

/// A card that stands where an answer will be, or would have been.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Card {
    /// Mark.
    pub mark: Mark,
    /// One word beside the mark: "waiting", "refused".
    pub state: String,
    /// Paragraphs; the first is what happened.
    pub lines: Vec<String>,
    /// A countdown, if a person is being asked.
    pub left: String,
}

impl From<words::failure::Explained> for Card {
    fn from(said: words::failure::Explained) -> Self {
        let state = if said.mark == Mark::Refused {
            "refused"
        } else {
            "failed"
        };
        let lines = std::iter::once(format!("{}.", said.title))
            .chain(said.body)
            .collect();
        Self {
            mark: said.mark,
            state: state.into(),
            lines,
            left: String::new(),
        }
    }
}
