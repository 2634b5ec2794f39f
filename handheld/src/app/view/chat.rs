//! Conversations: the list, and turns with their captions and cards.

use super::{Card, ListView, Mark, Row};
use crate::app::model::chat::ChatKind;
use crate::app::model::{
    Chat, ChatId, Entry, EntryState, ListState, Model, Origin, Role, Screen, Turn, TurnState,
};
use crate::app::words::failure::Scene;
use crate::app::words::{self, quantity};

/// Longest title in characters.
pub const TITLE_LEN: usize = 40;

/// The title of a conversation.
pub fn title(model: &Model, id: ChatId) -> String {
    match model.chats.find(id) {
        Some(chat) if !chat.title.is_empty() => words::short(&chat.title, TITLE_LEN),
        Some(chat) => words::chat_kind(chat.kind).into(),
        None => "Chat".into(),
    }
}

/// The list of conversations.
pub fn list(model: &Model, state: ListState) -> ListView {
    let rows = model
        .chats
        .list
        .iter()
        .map(|chat| row(model, chat))
        .collect();
    ListView {
        tall: true,
        empty: "No chats yet. Start writes the first one.".into(),
        ..ListView::default()
    }
    .with_rows(rows, state)
}

fn row(model: &Model, chat: &Chat) -> Row {
    let last = chat.turns.last();
    let mark = match last.map(|t| &t.state) {
        Some(TurnState::Open) => {
            match entry(model, chat.id, last.and_then(|t| t.request)).map(|e| &e.state) {
                Some(EntryState::Running) => Mark::Run,
                _ => Mark::Wait,
            }
        }
        Some(TurnState::Broken(failure)) => {
            words::failure::failure(failure, scene(model, chat, "")).mark
        }
        _ if chat.unread => Mark::New,
        _ => Mark::None,
    };
    let second = chat
        .turns
        .iter()
        .rev()
        .find(|t| !t.text.trim().is_empty())
        .map_or(String::new(), |t| words::short(&words::answer(&t.text), 60));
    let mut row = Row::new(mark, title(model, chat.id), second);
    row.right = quantity::time(model, chat.changed);
    row
}

/// The outbox entry of a turn.
pub fn entry(
    model: &Model,
    chat: ChatId,
    request: Option<crate::app::model::RequestKey>,
) -> Option<&Entry> {
    match request {
        Some(key) => model
            .outbox
            .entries
            .iter()
            .find(|e| e.key() == key && e.origin == Origin::Chat(chat)),
        None => model
            .outbox
            .unnumbered
            .iter()
            .map(|(_, e)| e)
            .find(|e| e.origin == Origin::Chat(chat)),
    }
}

/// Which turn Y stops: the first that is open.
pub fn open_turn(chat: &Chat) -> Option<&Turn> {
    chat.turns
        .iter()
        .find(|t| t.state == TurnState::Open && t.role == Role::Answer)
}

/// What surrounds an error in this conversation.
pub fn scene<'a>(model: &'a Model, chat: &'a Chat, kept: &'a str) -> Scene<'a> {
    let what = match chat.kind {
        ChatKind::Chat => "chat",
        ChatKind::Complete => "completing texts",
        ChatKind::Code => "writing code",
        ChatKind::Summarize => "summaries",
    };
    Scene {
        laptop: model.laptop_name(),
        what,
        model: &chat.model,
        kept,
    }
}

/// One turn, ready to be drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TurnView {
    /// Who speaks: a person's turn has a bar on its left, an answer is Markdown.
    pub role: Role,
    /// Mark in the caption.
    pub mark: Mark,
    /// Above an answer: `llama3.1 · writing · 38 words`. Empty for a person.
    pub caption: String,
    /// A caret stands behind the text, because more is coming.
    pub caret: bool,
    /// A card behind the text: waiting, asked, failed, refused.
    pub card: Option<Card>,
}

/// The turns of the conversation on the top screen, oldest first.
pub fn turns(model: &Model) -> Vec<TurnView> {
    let Screen::Chat(screen) = model.screen() else {
        return Vec::new();
    };
    let Some(chat) = model.chats.find(screen.chat) else {
        return Vec::new();
    };
    chat.turns
        .iter()
        .map(|turn| turn_view(model, chat, turn))
        .collect()
}

/// One turn.
pub fn turn_view(model: &Model, chat: &Chat, turn: &Turn) -> TurnView {
    let mut view = TurnView {
        role: turn.role,
        mark: Mark::None,
        caption: String::new(),
        caret: false,
        card: None,
    };
    if turn.role == Role::Person {
        return view;
    }
    let name = words::model_name(if turn.model.is_empty() {
        &chat.model
    } else {
        &turn.model
    });
    let count = || quantity::words(&turn.text);
    match &turn.state {
        TurnState::Done => view.caption = join(&[&name, &quantity::time(model, turn.at)]),
        TurnState::Stopped => {
            view.mark = Mark::Refused;
            view.caption = join(&[&name, &format!("stopped after {}", count())]);
        }
        TurnState::Broken(failure) => {
            let said = words::failure::failure(failure, scene(model, chat, &turn.text));
            view.mark = said.mark;
            view.caption = if turn.text.is_empty() {
                name
            } else {
                join(&[&name, &count()])
            };
            view.card = Some(said.into());
        }
        TurnState::Open => open(model, chat, turn, &name, &mut view),
    }
    view
}

fn open(model: &Model, chat: &Chat, turn: &Turn, name: &str, view: &mut TurnView) {
    let entry = entry(model, chat.id, turn.request);
    let linked = model.link.is_open() && entry.is_none_or(|e| Some(e.laptop) == model.chosen);
    view.mark = Mark::Wait;
    let laptop = words::peer(model.laptop_name(), words::PEER_NAME_LEN);
    let state = entry.map_or(&EntryState::Waiting, |e| &e.state);
    if !turn.text.is_empty() {
        view.caret = true;
        let count = quantity::words(&turn.text);
        view.caption = if linked {
            view.mark = Mark::Run;
            join(&[name, "writing", &count])
        } else {
            join(&[name, &format!("link lost at {count}, resumes by itself")])
        };
        return;
    }
    let (word, line) = match state {
        EntryState::Asked { until } => {
            let left = quantity::countdown(until.since(model.now));
            let line = if linked {
                format!(
                    "{laptop} is asking its owner to allow {}.",
                    scene(model, chat, "").what
                )
            } else {
                format!("{laptop} was asking its owner when the link broke. It goes on by itself.")
            };
            view.caption = name.into();
            view.card = Some(Card {
                mark: Mark::Wait,
                state: "waiting".into(),
                lines: vec![line],
                left: if linked { left } else { String::new() },
            });
            return;
        }
        EntryState::Queued { ahead, busy } if linked => (
            "waiting",
            format!("{laptop}: {}.", quantity::turn(*ahead, *busy)),
        ),
        EntryState::Running | EntryState::Accepted if linked => {
            view.mark = Mark::Run;
            ("running", format!("{name} is thinking."))
        }
        EntryState::Sent
        | EntryState::Queued { .. }
        | EntryState::Running
        | EntryState::Accepted
            if !linked =>
        {
            (
                "waiting",
                "The link broke. The answer comes when it is back.".into(),
            )
        }
        EntryState::Sent => ("sent", format!("{laptop} has not answered yet.")),
        EntryState::Draft => (
            "held",
            "Held back in the outbox until you let it go.".into(),
        ),
        _ if linked => (
            "waiting",
            "It goes out after what was sent before it.".into(),
        ),
        _ => ("waiting", away(model)),
    };
    view.caption = name.into();
    view.card = Some(Card {
        mark: view.mark,
        state: word.into(),
        lines: vec![line],
        left: String::new(),
    });
}

/// Why a message waits.
pub fn away(model: &Model) -> String {
    match &model.link {
        _ if words::ended(model).is_some() => {
            "The pairing with the laptop has ended. Your message is kept here; pair again, then ask again.".into()
        }
        crate::app::model::Link::Away(away) if away.since > 0 => {
            format!(
                "Laptop away since {}. Your message waits here and goes out by itself.",
                quantity::time(model, away.since)
            )
        }
        crate::app::model::Link::Unpaired => {
            "No laptop is paired. Your message waits here until one is.".into()
        }
        _ => "The laptop is away. Your message waits here and goes out by itself.".into(),
    }
}

fn join(parts: &[&str]) -> String {
    parts
        .iter()
        .filter(|p| !p.is_empty())
        .copied()
        .collect::<Vec<_>>()
        .join(" · ")
}
