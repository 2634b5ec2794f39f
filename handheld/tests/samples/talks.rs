//! Conversations and writing.

use super::answers::{LETTER, SHOWCASE, STREAMING};
use super::{Book, NOON, NOW, away, entry, failure};
use handheld::app::Model;
use handheld::app::model::chat::ChatKind;
use handheld::app::model::screen::ChatScreen;
use handheld::app::model::{
    Chat, ChatId, EntryState, Failure, LaptopId, ListState, Origin, PictureId, RequestId,
    RequestKey, Role, Screen, Scroll, Turn, TurnState, Wish,
};
use shared_proto::error::ErrorCode;

fn turn(role: Role, text: &str, state: TurnState, request: Option<u64>) -> Turn {
    Turn {
        role,
        text: text.into(),
        model: if role == Role::Answer {
            "ollama/llama3.1".into()
        } else {
            String::new()
        },
        at: NOON - 60,
        request: request.map(|id| RequestKey {
            laptop: LaptopId(1),
            id: RequestId(id),
        }),
        state,
    }
}

fn chat(id: u32, title: &str, turns: Vec<Turn>) -> Chat {
    Chat {
        id: ChatId(id),
        wire_id: u64::from(id),
        kind: ChatKind::Chat,
        title: title.into(),
        named: true,
        model: "ollama/llama3.1".into(),
        system: String::new(),
        turns,
        context_from: 0,
        changed: NOON - 60,
        unread: id == 3,
    }
}

fn asked(text: &str) -> Turn {
    turn(Role::Person, text, TurnState::Done, None)
}

fn answer(text: &str) -> Turn {
    turn(Role::Answer, text, TurnState::Done, None)
}

/// Puts conversations into the base.
pub fn fill(model: &mut Model) {
    model.chats.list = vec![
        chat(
            1,
            "Letter to Ada",
            vec![
                asked("Write a short letter to my neighbour about the fence."),
                answer(LETTER),
            ],
        ),
        chat(
            2,
            "A calm harbour at dusk, oil on canvas, which painter was that again",
            vec![
                asked("Which painter does that remind you of?"),
                answer("Of Turner, in his later years."),
            ],
        ),
        chat(
            3,
            "Rust borrow checker",
            vec![
                asked("Why?"),
                answer("Because two writers at once would race."),
            ],
        ),
        chat(
            4,
            "漢字の読み方",
            vec![asked("読み方は？"), answer("「かんじ」です。")],
        ),
    ];
    model.chats.next = 5;
}

/// Three requests that wait.
pub fn queue(model: &mut Model) {
    let say = Wish::Say {
        kind: ChatKind::Chat,
        text: "Could you make it warmer and add the time of day?".into(),
        with_history: false,
    };
    let put = Wish::Put {
        name: "notes.txt".into(),
        len: 2300,
        sha256: [0; 32],
    };
    let full = Failure::own(Failure::CARD_FULL, "");
    model.outbox.entries = vec![
        entry(
            11,
            Origin::Chat(ChatId(1)),
            say,
            EntryState::Waiting,
            0,
            None,
        ),
        entry(
            12,
            Origin::Picture(PictureId(1)),
            Wish::Paint,
            EntryState::Waiting,
            0,
            None,
        ),
        entry(
            13,
            Origin::Send("notes.txt".into()),
            put,
            EntryState::Failed(full),
            0,
            None,
        ),
    ];
}

/// The first conversation goes on with a question and an open answer in `state`.
fn open(model: &mut Model, text: &str, state: EntryState) {
    let say = Wish::Say {
        kind: ChatKind::Chat,
        text: String::new(),
        with_history: false,
    };
    model.outbox.entries = vec![entry(21, Origin::Chat(ChatId(1)), say, state, 0, None)];
    let turns = &mut model.chats.list[0].turns;
    turns.push(asked("Could you make it warmer?"));
    turns.push(turn(Role::Answer, text, TurnState::Open, Some(21)));
}

fn broken(model: &mut Model, text: &str, failure: Failure) {
    let turns = &mut model.chats.list[0].turns;
    turns.push(asked("What would that cost?"));
    turns.push(turn(Role::Answer, text, TurnState::Broken(failure), None));
}

fn at(scroll: Scroll) -> Screen {
    Screen::Chat(ChatScreen {
        chat: ChatId(1),
        scroll,
        below: false,
    })
}

/// Samples of conversations.
pub fn samples(book: &mut Book) {
    let list = |focus| Screen::Chats(ListState { focus, top: 0 });
    book.add("chats", list(0), |_| {});
    book.add("chats-empty", list(0), |m| m.chats.list.clear());
    book.add("chat", at(Scroll::Top(0)), |_| {});
    book.add("chat-markdown", at(Scroll::Top(0)), |m| {
        m.chats.list[0].turns = vec![asked("How do I repair it?"), answer(SHOWCASE)]
    });
    book.add("chat-markdown-middle", at(Scroll::Top(14)), |m| {
        m.chats.list[0].turns = vec![asked("How do I repair it?"), answer(SHOWCASE)]
    });
    book.add("chat-markdown-end", at(Scroll::End), |m| {
        m.chats.list[0].turns = vec![asked("How do I repair it?"), answer(SHOWCASE)]
    });
    book.add("chat-streaming", at(Scroll::End), |m| {
        open(m, STREAMING, EntryState::Running)
    });
    book.add(
        "chat-new-text",
        Screen::Chat(ChatScreen {
            chat: ChatId(1),
            scroll: Scroll::Top(0),
            below: true,
        }),
        |m| {
            open(m, STREAMING, EntryState::Running);
        },
    );
    book.add("chat-link-lost", at(Scroll::End), |m| {
        open(m, STREAMING, EntryState::Running);
        away(m);
    });
    book.add("chat-asked", at(Scroll::End), |m| {
        open(
            m,
            "",
            EntryState::Asked {
                until: NOW.plus(54_000),
            },
        )
    });
    book.add("chat-queued", at(Scroll::End), |m| {
        open(m, "", EntryState::Waiting);
        away(m);
    });
    book.add("chat-refused", at(Scroll::End), |m| {
        broken(m, "", failure(ErrorCode::AskRefused, ""))
    });
    book.add("chat-broken", at(Scroll::End), |m| {
        broken(m, STREAMING, failure(ErrorCode::ProviderBroke, "ollama"))
    });
}
