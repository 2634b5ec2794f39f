//! Menus, dialogs, toasts, the button map, the lock.

use super::{Book, NOW};
use handheld::app::model::Pad;
use handheld::app::model::overlay::Action;
use handheld::app::model::screen::{ChatScreen, HomeScreen, LockScreen, SetLockScreen};
use handheld::app::model::{
    ChatId, Dialog, ListState, Menu, MenuItem, Overlay, Screen, Scroll, Toast,
};
use handheld::input::button::Button;
use handheld::input::{Contact, Setup, Touch};
use handheld::time::Millis;

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
            warns: false,
            until: Some(NOW.plus(3000)),
        });
    });
    setup(book);
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

/// The set-up of buttons: at its begin, in the middle, while somebody holds on, at the trial; and the menu that leads there.
fn setup(book: &mut Book) {
    let home = || Screen::Home(HomeScreen::default());
    let answered = |count: u16| {
        let mut setup = Setup::new(false, Millis(NOW.0 - 3000));
        for n in 0..count {
            for pressed in [true, false] {
                let touch = Touch {
                    contact: Contact::Key(n),
                    button: None,
                    pressed,
                };
                setup.touch("pad", touch, Millis(NOW.0 - 3000));
            }
        }
        setup
    };
    book.add("setup-first", home(), |m| m.pads.setup = Some(answered(0)));
    book.add("setup-face", home(), |m| m.pads.setup = Some(answered(6)));
    book.add("setup-double", home(), |m| {
        let mut setup = answered(9);
        for pressed in [true, false] {
            let touch = Touch {
                contact: Contact::Key(2),
                button: None,
                pressed,
            };
            setup.touch("pad", touch, NOW);
        }
        m.pads.setup = Some(setup);
    });
    book.add("setup-leaving", home(), |m| {
        let mut setup = answered(10);
        let touch = Touch {
            contact: Contact::Key(30),
            button: None,
            pressed: true,
        };
        setup.touch("pad", touch, Millis(NOW.0 - 1500));
        setup.tick(NOW);
        m.pads.setup = Some(setup);
    });
    book.add("setup-trying", home(), |m| {
        m.pads.setup = Some(answered(15))
    });
    book.add(
        "menu-buttons",
        Screen::Settings(ListState { focus: 10, top: 5 }),
        |m| {
            m.pads.list = vec![Pad {
                name: "some board".into(),
                explained: false,
            }];
            m.overlay = Some(Overlay::Menu(Menu {
                title: "Buttons".into(),
                items: [
                    ("Set up again", "", true, Action::SetUpButtons),
                    ("Undo set-up", "nothing learned", false, Action::UndoButtons),
                    ("Show the keys", "", true, Action::ShowKeys),
                ]
                .map(|(label, note, enabled, action)| MenuItem {
                    label: label.into(),
                    note: note.into(),
                    enabled,
                    current: false,
                    action,
                })
                .into(),
                list: ListState::default(),
            }));
        },
    );
    book.add("battery-empty", home(), |m| {
        use handheld::app::words::battery as say;
        m.battery = Some(handheld::app::model::Battery {
            percent: 5,
            charging: false,
        });
        m.overlay = Some(Overlay::Dialog(Dialog {
            error: true,
            title: say::EMPTY.into(),
            body: vec![say::nearly_empty(5)],
            yes: None,
            no: "Close".into(),
        }));
    });
    book.add("battery-low", home(), |m| {
        m.battery = Some(handheld::app::model::Battery {
            percent: 15,
            charging: false,
        });
        m.toasts.push_back(Toast {
            text: handheld::app::words::battery::low(15),
            warns: true,
            until: Some(NOW.plus(3000)),
        });
    });
}
