//! Conversations: the list, reading, asking.

use crate::app::effect::{Effect, Effects};
use crate::app::hints::Act;
use crate::app::model::chat::ChatKind;
use crate::app::model::laptop::ServiceKind;
use crate::app::model::overlay::Action;
use crate::app::model::screen::{ChatScreen, Purpose};
use crate::app::model::{Chat, ChatId, Model, Origin, Role, Screen, Scroll, Turn, TurnState, Wish};
use crate::app::{view, words};

use super::menus::{item, item_if};

/// Longest transcript that is summarised or saved for a summary, in octets: the newest words count.
const MAX_TRANSCRIPT: usize = 40 * 1024;

/// Something was done in the list of conversations.
pub(super) fn list_act(model: &mut Model, act: Act, fx: &mut Effects) {
    let Screen::Chats(state) = model.screen() else {
        return;
    };
    let focused = model.chats.list.get(state.focus).map(|c| c.id);
    match act {
        Act::Confirm => {
            if let Some(id) = focused {
                open(model, id, fx);
            }
        }
        Act::Back => super::nav::back(model, fx),
        Act::More => {
            if let Some(id) = focused {
                more(model, id);
            }
        }
        Act::New => super::writing::open(model, Purpose::FirstMessage(ChatKind::Chat), fx),
        Act::Choose => {
            let kinds = [
                ChatKind::Chat,
                ChatKind::Complete,
                ChatKind::Code,
                ChatKind::Summarize,
            ];
            let items = kinds.map(|kind| item(words::chat_kind(kind), Action::NewChat(kind)));
            super::menus::show(model, "Start a new", items.into());
        }
        _ => {
            super::lists::moved(model, act);
        }
    }
}

/// Shows a conversation at its end.
pub(super) fn open(model: &mut Model, id: ChatId, fx: &mut Effects) {
    super::nav::push(
        model,
        Screen::Chat(ChatScreen {
            chat: id,
            scroll: Scroll::End,
            below: false,
        }),
        fx,
    );
}

/// Something was done in a conversation.
pub(super) fn act(model: &mut Model, act: Act, fx: &mut Effects) {
    let extent = model.extent;
    let Screen::Chat(screen) = model.screen_mut() else {
        return;
    };
    let id = screen.chat;
    match act {
        Act::Up | Act::Down | Act::PageUp | Act::PageDown => {
            super::lists::scrolled(&mut screen.scroll, extent, act);
            screen.below &= screen.scroll != Scroll::End;
        }
        Act::Write => super::writing::open(model, Purpose::Message(id), fx),
        Act::Back => super::nav::back(model, fx),
        Act::More => more(model, id),
        Act::Retry => super::retry::retry_chat(model, id, fx),
        Act::Stop => super::request::stop_turn(model, id, fx),
        Act::Choose => choose(model, id),
        Act::Previous => neighbour(model, id, false, fx),
        Act::Next => neighbour(model, id, true, fx),
        Act::New => super::writing::open(model, Purpose::FirstMessage(ChatKind::Chat), fx),
        _ => {}
    }
}

fn neighbour(model: &mut Model, id: ChatId, next: bool, fx: &mut Effects) {
    let Some(at) = model.chats.list.iter().position(|c| c.id == id) else {
        return;
    };
    let len = model.chats.list.len();
    let to = if next {
        (at + 1) % len
    } else {
        (at + len - 1) % len
    };
    let to = model.chats.list[to].id;
    super::nav::replace(
        model,
        Screen::Chat(ChatScreen {
            chat: to,
            scroll: Scroll::End,
            below: false,
        }),
        fx,
    );
}

/// What else can be done with a conversation.
fn more(model: &mut Model, id: ChatId) {
    let Some(chat) = model.chats.find(id) else {
        return;
    };
    let open = chat.turns.iter().any(|t| t.state == TurnState::Open);
    let asked = chat.turns.iter().any(|t| t.role == Role::Person);
    let answered = chat
        .turns
        .iter()
        .any(|t| t.role == Role::Answer && !t.text.is_empty());
    let mut items = vec![
        item_if(
            asked && !open,
            "Ask again",
            if open {
                "still answering"
            } else {
                "nothing asked"
            },
            Action::RetryChat(id),
        ),
        item_if(
            answered,
            "Copy answer",
            "no answer yet",
            Action::CopyAnswer(id),
        ),
        item_if(asked, "Save as file", "empty", Action::SaveChat(id)),
        item_if(
            answered,
            "Summarize",
            "no answer yet",
            Action::SummarizeChat(id),
        ),
        item("Rename", Action::Write(Purpose::Title(id))),
        item("Choose model", Action::ChooseChatModel(id)),
        item("System prompt", Action::Write(Purpose::System(id))),
        item("Delete", Action::AskDeleteChat(id)),
    ];
    items[5].note = words::model_name(&chat.model);
    let title = view::chat::title(model, id);
    super::menus::show(model, title, items);
}

/// Model and system prompt.
fn choose(model: &mut Model, id: ChatId) {
    let Some(chat) = model.chats.find(id) else {
        return;
    };
    let mut choose_model = item("Choose model", Action::ChooseChatModel(id));
    choose_model.note = words::model_name(&chat.model);
    let mut system = item("System prompt", Action::Write(Purpose::System(id)));
    system.note = if chat.system.is_empty() {
        "none".into()
    } else {
        words::short(&words::answer(&chat.system), 24)
    };
    super::menus::show(model, "Model and system prompt", vec![choose_model, system]);
}

/// The models that a conversation may use.
pub(super) fn choose_model(model: &mut Model, id: ChatId) {
    let Some(chat) = model.chats.find(id) else {
        return;
    };
    let known = model
        .laptop()
        .into_iter()
        .flat_map(|l| &l.models)
        .filter(|m| m.service == ServiceKind::Language)
        .map(|m| m.id.clone());
    let items = std::iter::once(String::new())
        .chain(known)
        .map(|name| {
            let mut entry = item(
                words::model_and_provider(&name),
                Action::SetChatModel(id, name.clone()),
            );
            entry.current = name == chat.model;
            entry
        })
        .collect();
    super::menus::show(model, "Model", items);
}

/// Uses a model from now on.
pub(super) fn set_model(model: &mut Model, id: ChatId, name: String, fx: &mut Effects) {
    if let Some(chat) = model.chats.find_mut(id) {
        chat.model = name;
        fx.push(Effect::SaveChat(Box::new(chat.clone())));
    }
}

/// A new conversation with its first question. Returns its number.
pub(super) fn start(
    model: &mut Model,
    kind: ChatKind,
    title: Option<String>,
    text: String,
    fx: &mut Effects,
) -> ChatId {
    let id = ChatId(model.chats.next);
    model.chats.next += 1;
    // The model that was used last is the likeliest wish.
    let last = model
        .chats
        .list
        .first()
        .map_or(String::new(), |c| c.model.clone());
    let chat = Chat {
        id,
        wire_id: super::request::random(model),
        kind,
        named: title.is_some(),
        title: title.unwrap_or_else(|| words::short(&text, view::chat::TITLE_LEN)),
        model: last,
        system: String::new(),
        turns: Vec::new(),
        context_from: 0,
        changed: model.wall(),
        unread: false,
    };
    model.chats.list.insert(0, chat);
    say(model, id, text, fx);
    id
}

/// Adds a question to a conversation and asks it.
pub(super) fn say(model: &mut Model, id: ChatId, text: String, fx: &mut Effects) {
    let at = model.wall();
    let Some(index) = model.chats.list.iter().position(|c| c.id == id) else {
        return;
    };
    let mut chat = model.chats.list.remove(index);
    push_question(&mut chat, text.clone(), at);
    chat.changed = at.max(chat.changed);
    let kind = chat.kind;
    fx.push(Effect::SaveChat(Box::new(chat.clone())));
    model.chats.list.insert(0, chat);
    super::request::ask(
        model,
        Origin::Chat(id),
        Wish::Say {
            kind,
            text,
            with_history: false,
        },
        fx,
    );
}

/// A question and the place of its answer.
pub(super) fn push_question(chat: &mut Chat, text: String, at: u64) {
    let turn = |role, text, state| Turn {
        role,
        text,
        model: String::new(),
        at,
        request: None,
        state,
    };
    chat.turns.push(turn(Role::Person, text, TurnState::Done));
    chat.turns
        .push(turn(Role::Answer, String::new(), TurnState::Open));
}

/// A conversation as text: who said what.
fn transcript(chat: &Chat) -> String {
    let mut out = String::new();
    for turn in chat.turns.iter().filter(|t| !t.text.is_empty()) {
        let who = match turn.role {
            Role::Person => "Me".to_string(),
            Role::Answer => words::model_name(if turn.model.is_empty() {
                &chat.model
            } else {
                &turn.model
            }),
        };
        out.push_str(&format!("## {who}\n\n{}\n\n", turn.text.trim_end()));
    }
    out
}

/// Copies the last answer.
pub(super) fn copy(model: &mut Model, id: ChatId) {
    let answer = model.chats.find(id).and_then(|c| {
        c.turns
            .iter()
            .rev()
            .find(|t| t.role == Role::Answer && !t.text.is_empty())
    });
    if let Some(text) = answer.map(|t| t.text.clone()) {
        model.keyboard.set_clipboard(&text);
        super::toast(model, format!("Copied {}", words::quantity::words(&text)));
    }
}

/// Saves a conversation among the files on the card.
pub(super) fn save(model: &mut Model, id: ChatId, fx: &mut Effects) {
    let Some(chat) = model.chats.find(id) else {
        return;
    };
    let title = view::chat::title(model, id);
    let name = format!("{}.md", file_name(&title));
    let text = format!("# {title}\n\n{}", transcript(chat));
    fx.push(Effect::WriteFile {
        name,
        bytes: text.into_bytes(),
    });
}

/// Has a conversation summarised, in a conversation of its own.
pub(super) fn summarize(model: &mut Model, id: ChatId, fx: &mut Effects) {
    let Some(chat) = model.chats.find(id) else {
        return;
    };
    let mut text = transcript(chat);
    if text.len() > MAX_TRANSCRIPT {
        let mut from = text.len() - MAX_TRANSCRIPT;
        while !text.is_char_boundary(from) {
            from += 1;
        }
        text.drain(..from);
    }
    let title = format!("Summary: {}", view::chat::title(model, id));
    let id = start(model, ChatKind::Summarize, Some(title), text, fx);
    open(model, id, fx);
}

/// Deletes a conversation, stopping what runs for it.
pub(super) fn delete(model: &mut Model, id: ChatId, fx: &mut Effects) {
    super::request::stop(model, &Origin::Chat(id), fx);
    model.chats.list.retain(|c| c.id != id);
    model.unsaved.retain(|c| *c != id);
    fx.push(Effect::DropChat(id));
}

/// A title as a name that FAT takes: letters, digits and spaces of any script, nothing that means something to a system.
pub(super) fn file_name(title: &str) -> String {
    let cleaned: String = title
        .chars()
        .map(|c| {
            if c.is_alphanumeric() || c == ' ' || c == '-' {
                c
            } else {
                ' '
            }
        })
        .collect();
    let name = words::short(&cleaned, 40).replace('…', "");
    if name.trim().is_empty() {
        "Untitled".into()
    } else {
        name.trim().into()
    }
}
