use super::*;

fn turn(text: &str) -> Turn {
    Turn {
        role: Role::Answer,
        text: text.into(),
        model: "built-in/partner".into(),
        at: 5,
        request: Some(RequestKey {
            laptop: LaptopId(2),
            id: RequestId(3),
        }),
        state: TurnState::Open,
    }
}

fn sample() -> Chat {
    Chat {
        id: ChatId(7),
        wire_id: 99,
        kind: ChatKind::Chat,
        title: "Fence".into(),
        named: false,
        model: String::new(),
        system: "Be short.".into(),
        turns: vec![turn("one"), turn("")],
        context_from: 0,
        changed: 12,
        unread: true,
    }
}

fn apply(items: &mut Items, changes: Vec<Change>) {
    for change in changes {
        assert!(items.apply(change));
    }
}

#[test]
fn a_streaming_answer_costs_its_new_text_and_nothing_else() {
    let mut items = Items::default();
    let mut chat = sample();
    let changes = save_chat(&items, &chat);
    apply(&mut items, changes);
    assert_eq!(save_chat(&items, &chat), []);
    chat.turns[1].text.push_str("Dear neighbour");
    let expected = Change::Append(Table::TurnText, Key(7, 1), 0, b"Dear neighbour".to_vec());
    assert_eq!(save_chat(&items, &chat), std::slice::from_ref(&expected));
    apply(&mut items, vec![expected]);
    chat.turns[1].text.push_str(", é");
    let more = Change::Append(Table::TurnText, Key(7, 1), 14, ", é".as_bytes().to_vec());
    assert_eq!(save_chat(&items, &chat), [more]);
}

#[test]
fn a_conversation_comes_back_as_it_was_also_when_shortened_and_rewritten() {
    let mut items = Items::default();
    let mut chat = sample();
    let changes = save_chat(&items, &chat);
    apply(&mut items, changes);
    assert_eq!(load(&items, None, &mut vec![]).chats, [chat.clone()]);
    chat.turns = vec![turn("another")];
    let changes = save_chat(&items, &chat);
    apply(&mut items, changes);
    assert_eq!(load(&items, None, &mut vec![]).chats, [chat.clone()]);
    apply(&mut items, drop_chat(chat.id));
    assert_eq!(items, Items::default());
}

#[test]
fn a_value_of_another_version_is_named_and_the_rest_is_read() {
    let mut items = Items::default();
    let changes = save_chat(&items, &sample());
    apply(&mut items, changes);
    let newer = Change::Put(Table::Conversation, Key(8, 0), vec![2, 0, 0]);
    let torn = Change::Put(Table::Laptop, Key(1, 0), vec![VERSION]);
    apply(&mut items, vec![newer, torn]);
    let mut skipped = Vec::new();
    let stored = load(&items, Some(&[9]), &mut skipped);
    assert_eq!(stored.chats.len(), 1);
    let named: Vec<_> = skipped.iter().map(|s| s.what.as_str()).collect();
    assert_eq!(
        named,
        [
            "the settings: defaults are used",
            "laptop 1",
            "conversation 8"
        ]
    );
}

#[test]
fn what_the_first_version_wrote_is_read() {
    use crate::app::model::laptop::{Carrier, Ended};
    use crate::app::model::outbox::Wish;
    let mut items = Items::default();
    // Turns of one conversation: an answer that is over, and one that laptop 2 owes.
    let mut chat = sample();
    chat.turns[0].state = TurnState::Done;
    let changes = save_chat(&items, &chat);
    apply(&mut items, changes);
    for (n, (state, id)) in [(TurnState::Done, 9), (TurnState::Open, 3)]
        .iter()
        .enumerate()
    {
        let former = (
            Role::Answer,
            "built-in/partner",
            5u64,
            Some(RequestId(*id)),
            state,
        );
        items.apply(Change::Put(Table::Turn, Key(7, n as u32), encode(&former)));
    }
    let wish = Wish::Paint;
    let mut entry = Entry::new(LaptopId(2), Origin::Chat(ChatId(7)), wish, 0);
    entry.id = RequestId(3);
    items.apply(save_entry(&entry));
    let none: (Vec<u8>, Vec<u8>) = Default::default();
    let carriers = vec![Carrier::Tcp("127.0.0.1:8144".into())];
    let former = (2u32, "Ada", &carriers, 77u64, true, &none.0, &none.1, 66u64);
    items.apply(Change::Put(Table::Laptop, Key(2, 0), encode(&former)));
    let settings = (
        crate::app::model::settings::Theme::Light,
        crate::app::model::settings::TextSize::Large,
        crate::app::model::settings::KeyboardKind::Arc,
        (true, false, true, false, false),
        Some(LaptopId(2)),
        true,
    );
    // The purposes `Requeue` and `Title` by their numbers.
    let drafts = [(9u32, 3u32, "queued"), (2, 7, "a title")];
    items.apply(Change::Put(
        Table::Misc,
        Misc::Drafts.key(),
        encode(&drafts.to_vec()),
    ));
    let mut skipped = Vec::new();
    let stored = load(&items, Some(&encode(&settings)), &mut skipped);
    let title = (Purpose::Title(ChatId(7)), "a title".to_owned());
    assert_eq!(stored.drafts, [title]);
    assert_eq!(skipped.len(), 0, "{:?}", skipped[0].what);
    let keys: Vec<_> = stored.chats[0].turns.iter().map(|t| t.request).collect();
    let key = |laptop, id| {
        Some(RequestKey {
            laptop: LaptopId(laptop),
            id: RequestId(id),
        })
    };
    assert_eq!(keys, [key(0, 9), key(2, 3)]);
    let laptop = &stored.laptops[0];
    assert_eq!(
        (laptop.name.as_str(), laptop.ended),
        ("Ada", Some(Ended::Expired))
    );
    assert_eq!((laptop.seen_at, &laptop.carriers), (66, &carriers));
    let read = &stored.settings;
    assert!(read.swap_ab && !read.suggestions && read.motion && read.arc_offered);
    assert_eq!(read.laptop, Some(LaptopId(2)));
    // Written again it is of the second version, and the same.
    let settings = encode_settings(read);
    items.apply(save_laptop(laptop));
    let again = load(&items, Some(&settings), &mut skipped);
    assert_eq!((&again.laptops, &again.settings), (&stored.laptops, read));
}

#[test]
fn drafts_are_replaced_dropped_and_bounded() {
    let mut items = Items::default();
    for n in 0..MAX_DRAFTS as u32 + 3 {
        let change = save_draft(&items, &Purpose::Message(ChatId(n)), "text");
        items.apply(change);
    }
    assert_eq!(load(&items, None, &mut vec![]).drafts.len(), MAX_DRAFTS);
    let change = save_draft(&items, &Purpose::Message(ChatId(40)), "");
    items.apply(change);
    let left = load(&items, None, &mut vec![]).drafts;
    assert_eq!(left.len(), MAX_DRAFTS - 1);
    assert!(left.iter().all(|(p, _)| *p != Purpose::Message(ChatId(40))));
}

#[test]
fn settings_of_each_version_are_read_and_written_as_the_newest() {
    use crate::app::model::radio::Sleep;
    let settings = Settings {
        rumble: true,
        sleep: Sleep::OneMinute,
        ..Settings::default()
    };
    let bytes = encode_settings(&settings);
    assert_eq!(bytes[0], 3);
    assert_eq!(decode_settings(&bytes), Some(settings.clone()));
    // An empty list of taught devices is the one octet that was added last; sleep is the one before.
    let body = &bytes[1..bytes.len() - 1];
    assert_eq!(
        decode_settings(&[&[2], body].concat()),
        Some(settings.clone())
    );
    let first = [&[1], &body[..body.len() - 1]].concat();
    let awake = Settings {
        sleep: Sleep::Never,
        ..settings
    };
    assert_eq!(decode_settings(&first), Some(awake));
    assert_eq!(decode_settings(&[4, 0, 0]), None);
}
