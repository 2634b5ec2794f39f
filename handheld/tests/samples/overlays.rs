//! Menus, dialogs, toasts, the button map, the lock.

use super::{Book, NOW};
use handheld::app::model::overlay::Action;
use handheld::app::model::screen::{ChatScreen, HomeScreen, LockScreen, SetLockScreen};
use handheld::app::model::{
    ChatId, Dialog, ListState, Menu, MenuItem, Overlay, Screen, Scroll, Toast,
};
use handheld::input::button::Button;

/// Samples of what lies above a screen.
pub fn samples(book: &mut Book) {
    let chat = || {
        Screen::Chat(ChatScreen {
            chat: ChatId(1),
            scroll: Scroll::Top(0),
            below: false,
        })
    };
    book.add("button-map", chat(), |m| {
        m.overlay = Some(Overlay::ButtonMap)
    });
    book.add("dialog-error", chat(), |m| {
        m.overlay = Some(Overlay::Dialog(Dialog {
            error: true,
            title: "Ollama stopped answering".into(),
            body: vec![
                "The laptop is fine; the model server on it closed after 212 words. They are kept."
                    .into(),
                "Start Ollama there, then retry.".into(),
            ],
            yes: Some(("Retry".into(), Action::RetryChat(ChatId(1)))),
            no: "Close".into(),
        }));
    });
    book.add("dialog-question", chat(), |m| {
        m.overlay = Some(Overlay::Dialog(Dialog {
            error: false,
            title: "Delete this chat?".into(),
            body: vec![
                "“Letter to Ada” and its 2 turns go from this card. Nothing on the laptop changes."
                    .into(),
            ],
            yes: Some(("Delete".into(), Action::DeleteChat(ChatId(1)))),
            no: "Keep".into(),
        }));
    });
    book.add("menu", chat(), |m| {
        let item = |label: &str, note: &str, enabled, action| MenuItem {
            label: label.into(),
            note: note.into(),
            enabled,
            current: false,
            action,
        };
        m.overlay = Some(Overlay::Menu(Menu {
            title: "Letter to Ada".into(),
            items: vec![
                item("Copy answer", "", true, Action::CopyAnswer(ChatId(1))),
                item(
                    "Save as file",
                    "to this card",
                    true,
                    Action::SaveChat(ChatId(1)),
                ),
                item(
                    "Summarize",
                    "not allowed there",
                    false,
                    Action::SummarizeChat(ChatId(1)),
                ),
                item("Rename", "", true, Action::Close),
                item("Delete", "", true, Action::AskDeleteChat(ChatId(1))),
            ],
            list: ListState { focus: 1, top: 0 },
        }));
    });
    book.add("menu-models", chat(), |m| {
        let item = |label: &str, note: &str, current| MenuItem {
            label: label.into(),
            note: note.into(),
            enabled: true,
            current,
            action: Action::Close,
        };
        m.overlay = Some(Overlay::Menu(Menu {
            title: "Model".into(),
            items: vec![
                item("laptop's choice", "", false),
                item("llama3.1:8b", "ollama", true),
                item("mistral-small:24b-instruct-2501-q4_K_M", "ollama", false),
                item("partner", "built-in", false),
            ],
            list: ListState { focus: 2, top: 0 },
        }));
    });
    book.add("toast", Screen::Home(HomeScreen::default()), |m| {
        m.toasts.push_back(Toast {
            text: "Saved to Files".into(),
            until: Some(NOW.plus(3000)),
        });
    });
    book.add("lock", Screen::Home(HomeScreen::default()), |m| {
        m.lock = Some(LockScreen {
            entered: vec![Button::A, Button::B, Button::X],
            ..LockScreen::default()
        });
    });
    book.add("lock-wrong", Screen::Home(HomeScreen::default()), |m| {
        m.lock = Some(LockScreen {
            wrong: 3,
            wait_until: Some(NOW.plus(30_000)),
            ..LockScreen::default()
        });
    });
    book.add(
        "set-lock",
        Screen::SetLock(SetLockScreen {
            entered: vec![Button::Up; 5],
            ..SetLockScreen::default()
        }),
        |_| {},
    );
}
