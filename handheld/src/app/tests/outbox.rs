use super::*;
use crate::app::model::{Overlay, TurnState};
use crate::app::view;
use crate::app::view::settings::Item;

#[test]
fn what_is_written_while_away_waits_and_goes_out_once_in_order() {
    let mut p = away();
    let a = ask(&mut p, "one");
    play(&mut p, "B");
    let b = ask(&mut p, "two");
    assert!(submitted(&p.effects).is_empty());
    assert_eq!(state(&p, a), Some(EntryState::Waiting));
    play(&mut p, "B");
    let fx = link(&mut p);
    assert_eq!(submitted(&fx), [a, b]);
    let fx = p.send(Msg::Tick);
    assert!(submitted(&fx).is_empty());
}

#[test]
fn the_keyboard_says_queue_while_the_laptop_is_away() {
    let mut p = away();
    play(&mut p, "Start");
    assert!(bar(&p).contains("Start Queue"), "{}", bar(&p));
    link(&mut p);
    assert!(bar(&p).contains("Start Send"), "{}", bar(&p));
}

#[test]
fn entries_change_places_are_held_edited_and_deleted() {
    let mut p = away();
    let a = ask(&mut p, "one");
    play(&mut p, "B");
    let b = ask(&mut p, "two");
    play(&mut p, "B Down*2 A");
    let list = view::list(&p.model).unwrap();
    assert_eq!(list.title, "Outbox · 2");
    assert_eq!(list.rows[0].second, "one");
    assert_eq!(bar(&p), "A Open  B Back  X Delete  Y Edit  Start More");
    // The second becomes the first; the numbers stay in order.
    play(&mut p, "Down Start A");
    let texts: Vec<String> = view::list(&p.model)
        .unwrap()
        .rows
        .iter()
        .map(|r| r.second.clone())
        .collect();
    assert_eq!(texts, ["two", "one"]);
    assert_eq!(
        p.model
            .outbox
            .entries
            .iter()
            .map(|e| e.id)
            .collect::<Vec<_>>(),
        [a, b]
    );
    let two = p
        .model
        .chats
        .list
        .iter()
        .find(|c| c.title == "two")
        .unwrap();
    assert_eq!(two.turns[1].request, Some(key(a)));
    // Held back, it stays when the rest goes.
    play(&mut p, "Start Down A");
    let held = p
        .model
        .outbox
        .entries
        .iter()
        .find(|e| e.state == EntryState::Draft)
        .map(|e| e.id)
        .expect("one is held back");
    let fx = link(&mut p);
    assert_eq!(submitted(&fx).len(), 1);
    assert!(!submitted(&fx).contains(&held));
    lose(&mut p);
    // Edited.
    let Screen::Outbox(list) = p.model.screen_mut() else {
        panic!()
    };
    list.focus = 0;
    play(&mut p, "Y \" more\" Start");
    let entry = p.model.outbox.find(ADA, held).unwrap();
    assert!(
        matches!(&entry.wish, crate::app::model::Wish::Say { text, .. } if text.ends_with("more")),
        "{:?}",
        entry.wish
    );
    // Deleted after a question.
    play(&mut p, "X");
    assert!(matches!(p.model.overlay, Some(Overlay::Dialog(_))));
    let fx = play(&mut p, "A");
    assert!(fx.contains(&Effect::DropEntry(ADA, held)));
}

#[test]
fn a_request_that_was_withdrawn_before_it_had_a_number_is_never_submitted() {
    let mut p = linked();
    play(&mut p, "Start \"hi\" Start Y");
    let (ticket, _) = p.model.outbox.unnumbered[0].clone();
    let fx = p.send(Msg::Card(CardEvent::Numbered {
        ticket,
        id: RequestId(5),
    }));
    assert!(submitted(&fx).is_empty());
    assert!(fx.contains(&Effect::DropEntry(ADA, RequestId(5))));
}

#[test]
fn after_a_pulled_battery_entries_and_turns_find_each_other_again() {
    let mut before = linked();
    let id = ask(&mut before, "hi");
    before.send(Msg::Link(LinkEvent::Accepted(id)));
    before.send(data(id, 0, 0, "one two", false));
    let mut stored = Stored {
        laptops: before.model.laptops.clone(),
        chats: before.model.chats.list.clone(),
        entries: before.model.outbox.entries.clone(),
        ..Stored::default()
    };
    // The card had one second less of the text than the screen.
    stored.chats[0].turns[1].text = "one".into();
    let mut p = Player::new(Model::new(Panel::VGA, 1));
    p.send(Msg::Card(CardEvent::Loaded(Box::new(stored.clone()))));
    let fx = link(&mut p);
    assert!(
        fx.contains(&Effect::Resume {
            id,
            offsets: vec![(0, 3)],
            uploads: Vec::new()
        }),
        "{fx:?}"
    );
    p.send(data(id, 0, 3, " two three", true));
    p.send(Msg::Link(LinkEvent::Done(id)));
    assert_eq!(p.model.chats.list[0].turns[1].text, "one two three");

    // The entry was written, the turn was not yet told its number.
    stored.chats[0].turns.clear();
    stored.entries[0].state = EntryState::Waiting;
    let mut p = Player::new(Model::new(Panel::VGA, 1));
    p.send(Msg::Card(CardEvent::Loaded(Box::new(stored.clone()))));
    assert_eq!(p.model.chats.list[0].turns[0].text, "hi");
    assert_eq!(p.model.chats.list[0].turns[1].request, Some(key(id)));

    // The turn was written, the entry was not: it has never had a number, so it is asked now.
    stored.chats = before.model.chats.list.clone();
    stored.chats[0].turns[1].request = None;
    stored.chats[0].turns[0].request = None;
    stored.chats[0].turns[1].text.clear();
    stored.entries.clear();
    let mut p = Player::new(Model::new(Panel::VGA, 1));
    let fx = p.send(Msg::Card(CardEvent::Loaded(Box::new(stored))));
    assert_eq!(
        fx.iter()
            .filter(|e| matches!(e, Effect::NewRequest { .. }))
            .count(),
        1
    );
}

#[test]
fn a_request_that_had_failed_when_the_battery_went_goes_on_with_its_answer() {
    let mut before = linked();
    let id = ask(&mut before, "hi");
    let entries = before.model.outbox.entries.clone();
    before.send(failed(id, ErrorCode::StoreFull, ""));
    // The turn was written, and its entry not dropped yet.
    let stored = Stored {
        laptops: before.model.laptops.clone(),
        chats: before.model.chats.list.clone(),
        entries,
        ..Stored::default()
    };
    let broken = |turn: &TurnState| matches!(turn, TurnState::Broken(_));
    assert!(broken(&stored.chats[0].turns[1].state));
    let mut p = Player::new(Model::new(Panel::VGA, 1));
    p.send(Msg::Card(CardEvent::Loaded(Box::new(stored.clone()))));
    // The laptop has never taken it in, and is asked once more, with more luck.
    assert_eq!(submitted(&link(&mut p)), [id]);
    p.send(data(id, 0, 0, "hello", true));
    p.send(Msg::Link(LinkEvent::Done(id)));
    let turn = &p.model.chats.list[0].turns[1];
    assert_eq!(
        (turn.text.as_str(), &turn.state),
        ("hello", &TurnState::Done)
    );
    // So is one that the card has as never sent: what sent it could not be written.
    let mut unsent = stored.clone();
    unsent.entries[0].state = EntryState::Waiting;
    let mut p = Player::new(Model::new(Panel::VGA, 1));
    p.send(Msg::Card(CardEvent::Loaded(Box::new(unsent))));
    assert_eq!(submitted(&link(&mut p)), [id]);
    p.send(data(id, 0, 0, "hello", true));
    assert_eq!(p.model.chats.list[0].turns[1].text, "hello");
    // Or the laptop says again that it failed.
    let mut p = Player::new(Model::new(Panel::VGA, 1));
    p.send(Msg::Card(CardEvent::Loaded(Box::new(stored))));
    link(&mut p);
    p.send(failed(id, ErrorCode::StoreFull, ""));
    assert!(broken(&p.model.chats.list[0].turns[1].state));
    assert!(p.model.outbox.entries.is_empty());
}

#[test]
fn a_request_that_ended_while_the_app_was_off_does_not_wait_for_ever() {
    let mut before = linked();
    ask(&mut before, "hi");
    let stored = Stored {
        laptops: before.model.laptops.clone(),
        chats: before.model.chats.list.clone(),
        ..Stored::default()
    };
    let mut p = Player::new(Model::new(Panel::VGA, 1));
    p.send(Msg::Card(CardEvent::Loaded(Box::new(stored))));
    assert_eq!(p.model.chats.list[0].turns[1].state, TurnState::Stopped);
}

#[test]
fn interrupted_work_is_told_and_never_run_again_by_itself() {
    let mut p = linked();
    let id = ask(&mut p, "hi");
    p.send(data(id, 0, 0, "half", false));
    p.send(failed(id, ErrorCode::Interrupted, ""));
    play(&mut p, "B");
    assert_eq!(chat(&p).turns[1].text, "half");
    lose(&mut p);
    let fx = link(&mut p);
    assert!(
        submitted(&fx).is_empty()
            && !fx
                .iter()
                .any(|e| matches!(e, Effect::Resume { .. } | Effect::NewRequest { .. }))
    );
}

#[test]
fn a_number_that_was_spent_elsewhere_is_replaced_before_it_goes_out() {
    let mut p = away();
    let id = ask(&mut p, "hi");
    let mut w = welcome(p.now);
    w.floor = RequestId(id.0 + 50);
    let fx = p.send(Msg::Link(LinkEvent::Welcome(Box::new(w))));
    assert!(submitted(&fx).is_empty());
    let written = fx
        .iter()
        .position(|e| matches!(e, Effect::NewRequest { .. }))
        .unwrap();
    let dropped = fx
        .iter()
        .position(|e| *e == Effect::DropEntry(ADA, id))
        .unwrap();
    assert!(written < dropped);
    let fresh = RequestId(id.0 + 60);
    let (ticket, _) = p.model.outbox.unnumbered[0].clone();
    let fx = p.send(Msg::Card(CardEvent::Numbered { ticket, id: fresh }));
    assert_eq!(submitted(&fx), [fresh]);
    assert_eq!(p.model.chats.list[0].turns[1].request, Some(key(fresh)));
}

#[test]
fn the_last_words_of_another_link_change_nothing() {
    let mut p = linked();
    let id = ask(&mut p, "hi");
    p.send(Msg::Link(LinkEvent::Accepted(id)));
    lose(&mut p);
    p.send(data(id, 0, 0, "of another laptop", true));
    p.send(Msg::Link(LinkEvent::Done(id)));
    assert_eq!(chat(&p).turns[1].text, "");
    assert_eq!(state(&p, id), Some(EntryState::Accepted));
}

#[test]
fn choosing_a_laptop_asks_nothing_twice() {
    let mut p = linked();
    p.model.laptops.push(Laptop {
        id: LaptopId(2),
        ..Laptop::default()
    });
    // Sent, and the card has not yet given it a number.
    play(&mut p, "Start \"hi\" Start B Y A");
    assert_eq!(p.model.chosen, Some(LaptopId(2)));
    assert_eq!(p.model.outbox.unnumbered.len(), 1);
}

#[test]
fn words_that_were_written_are_learned_and_come_back() {
    let mut p = linked();
    let fx = play(&mut p, "Start \"the zyzzogeton sings\" Start");
    let Some(Effect::SaveWords(words)) = fx.iter().find(|e| matches!(e, Effect::SaveWords(_)))
    else {
        panic!()
    };
    assert!(words.contains("zyzzogeton"));
    let mut q = Player::new(Model::new(Panel::VGA, 1));
    q.send(Msg::Card(CardEvent::Loaded(Box::new(Stored {
        words: words.clone(),
        ..Stored::default()
    }))));
    assert!(!q.model.keyboard.learned().is_empty());
}

#[test]
fn what_was_learned_is_forgotten_on_demand_and_not_learned_where_suggestions_are_off() {
    let mut p = linked();
    play(&mut p, "Start \"the zyzzogeton sings\" Start");
    p.model.screens.truncate(1);
    let row = Item::ALL
        .iter()
        .position(|item| *item == Item::LearnedWords);
    let at = |row: Option<usize>| {
        Screen::Settings(crate::app::model::ListState {
            focus: row.unwrap(),
            ..Default::default()
        })
    };
    p.model.screens.push(at(row));
    // The dialog's first answer keeps them.
    let fx = play(&mut p, "A B");
    assert!(!fx.iter().any(|e| matches!(e, Effect::SaveWords(_))));
    assert!(!p.model.keyboard.learned().is_empty());
    let fx = play(&mut p, "A A");
    assert!(fx.contains(&Effect::SaveWords(String::new())));
    assert!(p.model.keyboard.learned().is_empty());
    p.model.settings.suggestions = false;
    p.model.screens.truncate(1);
    let fx = play(&mut p, "Start \"the zyzzogeton sings\" Start");
    assert!(!fx.iter().any(|e| matches!(e, Effect::SaveWords(_))));
    assert!(p.model.keyboard.learned().is_empty());
}

#[test]
fn a_request_that_cannot_be_built_fails_in_its_place_and_holds_up_no_other() {
    let mut p = away();
    let long = ask(&mut p, "one");
    play(&mut p, "B");
    let next = ask(&mut p, "two");
    let entry = p.model.outbox.find_mut(ADA, long).unwrap();
    let crate::app::model::Wish::Say { text, .. } = &mut entry.wish else {
        panic!()
    };
    *text = "x".repeat(50_000);
    let fx = link(&mut p);
    assert_eq!(submitted(&fx), [next]);
    assert!(fx.contains(&Effect::DropEntry(ADA, long)));
    let broken =
        |c: &Chat| matches!(&c.turns[1].state, TurnState::Broken(f) if f.code == Failure::TOO_LONG);
    assert!(p.model.chats.list.iter().any(broken));
}

#[test]
fn a_question_that_the_card_had_no_room_for_can_be_asked_again() {
    let mut p = linked();
    play(&mut p, "Start \"hi\" Start");
    let (ticket, _) = p.model.outbox.unnumbered[0].clone();
    p.send(Msg::Card(CardEvent::NotNumbered {
        ticket,
        failure: Failure::own(Failure::CARD_FULL, ""),
    }));
    assert!(p.model.outbox.unnumbered.is_empty());
    assert!(
        matches!(&chat(&p).turns[1].state, TurnState::Broken(f) if f.code == Failure::CARD_FULL)
    );
    assert!(bar(&p).contains("Retry"), "{}", bar(&p));
    let fx = play(&mut p, "X");
    assert!(fx.iter().any(|e| matches!(e, Effect::NewRequest { .. })));
}

#[test]
fn an_answer_goes_to_the_last_turn_of_its_number_because_each_laptop_counts_from_one() {
    let mut p = linked();
    let id = ask(&mut p, "hi");
    p.send(data(id, 0, 0, "first", true));
    p.send(Msg::Link(LinkEvent::Done(id)));
    // The same conversation goes on with another laptop, which has used none of these numbers.
    play(&mut p, "A \"again\" Start");
    let (ticket, _) = p.model.outbox.unnumbered[0].clone();
    p.send(Msg::Card(CardEvent::Numbered { ticket, id }));
    p.send(Msg::Link(LinkEvent::Started {
        id,
        model: "other".into(),
    }));
    p.send(data(id, 0, 0, "second", true));
    p.send(Msg::Link(LinkEvent::Done(id)));
    let turns = &chat(&p).turns;
    let said: Vec<_> = turns.iter().map(|t| (t.text.as_str(), &t.state)).collect();
    assert_eq!(said[1], ("first", &TurnState::Done));
    assert_eq!(said[3], ("second", &TurnState::Done));
    assert_ne!(turns[1].model, "other");
    assert_eq!(turns[3].model, "other");
}

#[test]
fn the_same_number_at_two_laptops_in_one_conversation_is_two_answers() {
    let mut p = linked();
    let id = ask(&mut p, "one");
    p.send(Msg::Link(LinkEvent::Accepted(id)));
    let bob = LaptopId(2);
    p.model.laptops.push(Laptop {
        id: bob,
        name: "Bob's".into(),
        ..Laptop::default()
    });
    play(&mut p, "B Y A B A A A \"two\" Start");
    assert_eq!(p.model.chosen, Some(bob));
    let (ticket, _) = p.model.outbox.unnumbered[0].clone();
    link(&mut p);
    p.send(Msg::Card(CardEvent::Numbered { ticket, id }));
    p.send(data(id, 0, 0, "of Bob's", true));
    p.send(Msg::Link(LinkEvent::Done(id)));
    let texts = |p: &Player| {
        let turns = &chat(p).turns;
        [turns[1].text.clone(), turns[3].text.clone()]
    };
    assert_eq!(texts(&p), ["", "of Bob's"]);
    assert_eq!(chat(&p).turns[1].state, TurnState::Open);
    assert_eq!(chat(&p).turns[3].state, TurnState::Done);
    // The first laptop still owes its answer, and it goes where it belongs.
    play(&mut p, "Menu Y A B A A");
    assert_eq!(p.model.chosen, Some(ADA));
    link(&mut p);
    p.send(data(id, 0, 0, "of Ada's", true));
    p.send(Msg::Link(LinkEvent::Done(id)));
    assert_eq!(texts(&p), ["of Ada's", "of Bob's"]);
    assert_eq!(chat(&p).turns[1].state, TurnState::Done);
}

#[test]
fn taking_a_request_back_leaves_the_one_of_the_same_number_at_another_laptop() {
    let mut p = away();
    let id = ask(&mut p, "one");
    let bob = LaptopId(2);
    p.model.laptops.push(Laptop {
        id: bob,
        name: "Bob's".into(),
        ..Laptop::default()
    });
    play(&mut p, "B Y A B Start \"two\" Start");
    let (ticket, _) = p.model.outbox.unnumbered[0].clone();
    p.send(Msg::Card(CardEvent::Numbered { ticket, id }));
    play(&mut p, "Menu Down*2 A");
    assert!(matches!(p.model.screen(), Screen::Outbox(_)));
    // The first in the list is the first laptop's, and the other laptop is chosen.
    let fx = play(&mut p, "X A");
    assert!(fx.contains(&Effect::DropEntry(ADA, id)), "{fx:?}");
    let left: Vec<_> = p.model.outbox.entries.iter().map(|e| e.laptop).collect();
    assert_eq!(left, [bob]);
}
