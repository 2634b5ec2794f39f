//! Fills a card with conversations, as those of months would lie there: `history HOME CONVERSATIONS`. For `scripts/bench growth`.

use handheld::app::model::chat::{Chat, ChatId, ChatKind, Role, Turn, TurnState};
use handheld::card::folder::Folder;
use handheld::card::store::{Card, Opened};
use handheld::runtime::shelf::save_chat;
use std::path::Path;

/// Messages of a conversation.
const MESSAGES: usize = 20;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [home, count] = &arguments[..] else {
        eprintln!("history HOME CONVERSATIONS");
        std::process::exit(2);
    };
    let folder = Folder::open(&Path::new(home).join("card")).expect("a card");
    let Opened::Ready(mut card, _) = Card::open(folder, 0).expect("a card") else {
        panic!("the card is locked");
    };
    let count: u32 = count.parse().expect("a number");
    for id in 0..count {
        let chat = chat(id);
        let changes = save_chat(card.items(), &chat);
        card.change(changes).expect("kept");
        while card.tidy().expect("tidied") {}
    }
}

fn chat(id: u32) -> Chat {
    let turn = |n: usize| {
        let (role, text, model) = match n % 2 {
            0 => (
                Role::Person,
                "What became of the ships in the harbour?".to_owned(),
                "",
            ),
            _ => (
                Role::Answer,
                "The lighthouse keeper counted the ships and wrote them down. ".repeat(16),
                "desk/parrot",
            ),
        };
        Turn {
            role,
            text,
            model: model.to_owned(),
            at: 1_795_000_000 + u64::from(id),
            request: None,
            state: TurnState::Done,
        }
    };
    Chat {
        id: ChatId(id + 1),
        wire_id: u64::from(id) + 1,
        kind: ChatKind::Chat,
        title: format!("Ships and harbours {id}"),
        named: false,
        model: String::new(),
        system: String::new(),
        turns: (0..MESSAGES).map(turn).collect(),
        context_from: 0,
        changed: 1_795_000_000 + u64::from(id),
        unread: false,
    }
}
