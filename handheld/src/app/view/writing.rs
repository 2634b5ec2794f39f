//! What is being written, and what for.

use crate::app::model::screen::Purpose;
use crate::app::model::{Model, Role, Wish};
use crate::app::words;

/// The title of the writing screen.
pub fn title(model: &Model, purpose: &Purpose) -> String {
    match purpose {
        Purpose::Message(chat) => super::chat::title(model, *chat),
        Purpose::FirstMessage(kind) => words::chat_kind(*kind).into(),
        Purpose::Title(_) => "Rename".into(),
        Purpose::System(_) => "System prompt".into(),
        Purpose::Prompt => "Prompt".into(),
        Purpose::Negative => "Leave out".into(),
        Purpose::Change(_) => "Change picture".into(),
        Purpose::Url => "Download".into(),
        Purpose::Address => "Laptop's address".into(),
        Purpose::Passphrase => "Passphrase".into(),
        Purpose::Requeue(_) => "Edit".into(),
    }
}

/// The line above the field: what is being answered, or what is asked for.
pub fn context(model: &Model, purpose: &Purpose) -> String {
    match purpose {
        Purpose::Message(id) => {
            let last = model.chats.find(*id).and_then(|c| {
                c.turns
                    .iter()
                    .rev()
                    .find(|t| t.role == Role::Answer && !t.text.is_empty())
            });
            last.map_or_else(
                || "Go on writing; the answer may still be on its way.".into(),
                |t| tail(&words::answer(&t.text)),
            )
        }
        Purpose::FirstMessage(kind) => words::chat_kind_question(*kind).into(),
        Purpose::Title(_) => "A name for this chat.".into(),
        Purpose::System(_) => {
            "What the model is told before every answer. Empty means nothing.".into()
        }
        Purpose::Prompt => "What shall the picture show?".into(),
        Purpose::Negative => "What shall the picture not show?".into(),
        Purpose::Change(id) => format!(
            "What shall change in “{}”?",
            super::picture::title(model, *id)
        ),
        Purpose::Url => "An address that the laptop shall download into its drop folder.".into(),
        Purpose::Address => {
            "Host and port as the laptop shows them, for example 192.168.49.1:8144.".into()
        }
        Purpose::Passphrase => words::radio::ask_passphrase(model),
        Purpose::Requeue(_) => "It has not gone out yet.".into(),
    }
}

/// The word on Start.
pub const fn send_label(model: &Model, purpose: &Purpose) -> &'static str {
    match purpose {
        Purpose::Message(_) | Purpose::FirstMessage(_) | Purpose::Change(_) | Purpose::Url => {
            if model.link.is_open() {
                "Send"
            } else {
                "Queue"
            }
        }
        Purpose::Address => "Call",
        Purpose::Passphrase => "Join",
        _ => "Keep",
    }
}

/// Text that a queued request holds and that can be written anew.
pub fn editable(wish: &Wish) -> Option<&str> {
    match wish {
        Wish::Say { text, .. } => Some(text),
        Wish::Download { url, .. } => Some(url),
        _ => None,
    }
}

/// The last words of a text, on one line.
fn tail(text: &str) -> String {
    const LEN: usize = 110;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let count = line.chars().count();
    if count <= LEN {
        return line;
    }
    let cut: String = line.chars().skip(count - LEN).collect();
    let from = cut.find(' ').map_or(0, |i| i + 1);
    format!("… {}", &cut[from..])
}
