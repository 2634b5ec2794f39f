use super::*;
use crate::app::model::{Overlay, Scroll, TurnState};
use crate::app::view;

#[test]
fn a_question_is_written_numbered_submitted_and_streams_in() {
    let mut p = linked();
    let id = ask(&mut p, "hello there");
    assert_eq!(state(&p, id), Some(EntryState::Sent));
    assert_eq!(submitted(&p.effects), [id]);
    assert_eq!(chat(&p).turns[0].text, "hello there");
    assert_eq!(chat(&p).title, "hello there");
    p.send(Msg::Link(LinkEvent::Accepted(id)));
    p.send(Msg::Link(LinkEvent::Started {
        id,
        model: "ollama/llama3.1:8b".into(),
    }));
    p.send(data(id, 0, 0, "Good ", false));
    p.send(data(id, 0, 5, "morning", false));
    let turn = &view::chat::turns(&p.model)[1];
    assert!(turn.caret);
    assert_eq!(chat(&p).turns[1].text, "Good morning");
    assert_eq!(turn.caption, "llama3.1:8b · writing · 2 words");
    assert_eq!(bar(&p), "Y Stop  A Write  B Leave, it goes on");
    p.send(data(id, 0, 12, "", true));
    let fx = p.send(Msg::Link(LinkEvent::Done(id)));
    assert_eq!(chat(&p).turns[1].state, TurnState::Done);
    assert_eq!(
        view::chat::turns(&p.model)[1].caption,
        "llama3.1:8b · 14:02"
    );
    // Safe on the card before the laptop may drop it.
    let saved = fx
        .iter()
        .position(|e| matches!(e, Effect::SaveChat(_)))
        .unwrap();
    let acked = fx.iter().position(|e| *e == Effect::Ack(id)).unwrap();
    assert!(saved < acked);
    assert!(p.model.outbox.entries.is_empty());
}

#[test]
fn a_typical_question_is_a_small_program() {
    let mut p = linked();
    ask(&mut p, "what would that cost");
    let Some(Effect::Submit {
        program, uploads, ..
    }) = p
        .effects
        .iter()
        .rev()
        .find(|e| matches!(e, Effect::Submit { .. }))
    else {
        panic!()
    };
    assert!(
        (50..500).contains(&program.len()) || program.len() < 50,
        "{}",
        program.len()
    );
    assert!(uploads.is_empty());
}

#[test]
fn the_request_is_on_the_card_before_it_is_submitted() {
    let mut p = linked();
    let fx = play(&mut p, "Start \"hi\" Start");
    assert!(submitted(&fx).is_empty());
    assert!(fx.iter().any(|e| matches!(e, Effect::NewRequest { .. })));
    let fx = number(&mut p);
    let saved = fx
        .iter()
        .position(|e| matches!(e, Effect::SaveEntry(entry) if entry.program.is_some()))
        .unwrap();
    let sent = fx
        .iter()
        .position(|e| matches!(e, Effect::Submit { .. }))
        .unwrap();
    assert!(saved < sent);
}

#[test]
fn a_character_cut_in_two_waits_for_its_other_half() {
    let mut p = linked();
    let id = ask(&mut p, "hi");
    let bytes = "né".as_bytes();
    p.send(Msg::Link(LinkEvent::Data {
        id,
        slot: 0,
        offset: 0,
        bytes: bytes[..2].to_vec(),
        fin: false,
    }));
    assert_eq!(chat(&p).turns[1].text, "n");
    // The laptop repeats the half after a lost link; it counts once.
    p.send(Msg::Link(LinkEvent::Data {
        id,
        slot: 0,
        offset: 1,
        bytes: bytes[1..].to_vec(),
        fin: true,
    }));
    assert_eq!(chat(&p).turns[1].text, "né");
}

#[test]
fn octets_that_are_no_text_are_shown_as_replacements_and_lose_nothing_around_them() {
    let mut p = linked();
    let id = ask(&mut p, "hi");
    p.send(Msg::Link(LinkEvent::Data {
        id,
        slot: 0,
        offset: 0,
        bytes: b"a\xffb\xe2\x82".to_vec(),
        fin: true,
    }));
    assert_eq!(chat(&p).turns[1].text, "a\u{FFFD}b\u{FFFD}");
}

#[test]
fn a_broken_link_keeps_the_words_and_resumes_at_the_octet() {
    let mut p = linked();
    let id = ask(&mut p, "hi");
    p.send(Msg::Link(LinkEvent::Accepted(id)));
    p.send(data(id, 0, 0, "one two", false));
    let fx = lose(&mut p);
    assert!(fx.iter().any(|e| matches!(e, Effect::SaveChat(_))));
    let turn = &view::chat::turns(&p.model)[1];
    assert!(
        turn.caption
            .ends_with("link lost at 2 words, resumes by itself"),
        "{}",
        turn.caption
    );
    let fx = link(&mut p);
    assert!(fx.contains(&Effect::Resume {
        id,
        offsets: vec![(0, 7)],
        uploads: Vec::new()
    }));
    assert!(submitted(&fx).is_empty());
    p.send(data(id, 0, 7, " three", true));
    p.send(Msg::Link(LinkEvent::Done(id)));
    assert_eq!(chat(&p).turns[1].text, "one two three");
}

#[test]
fn what_was_sent_and_not_acknowledged_is_submitted_again_with_the_same_program() {
    let mut p = linked();
    let id = ask(&mut p, "hi");
    let first = p
        .effects
        .iter()
        .find(|e| matches!(e, Effect::Submit { .. }))
        .cloned()
        .unwrap();
    lose(&mut p);
    let fx = link(&mut p);
    assert!(fx.contains(&first));
    assert_eq!(submitted(&fx), [id]);
}

#[test]
fn stopping_cancels_upstream_and_keeps_what_had_arrived() {
    let mut p = linked();
    let id = ask(&mut p, "hi");
    p.send(data(id, 0, 0, "one two", false));
    let fx = play(&mut p, "Y");
    assert!(fx.contains(&Effect::Cancel(id)));
    assert_eq!(chat(&p).turns[1].state, TurnState::Stopped);
    p.send(data(id, 0, 7, " three", false));
    let fx = p.send(failed(id, ErrorCode::Cancelled, ""));
    assert!(fx.contains(&Effect::Ack(id)));
    assert_eq!(chat(&p).turns[1].text, "one two");
    assert!(p.model.outbox.entries.is_empty() && p.model.overlay.is_none());
    assert!(bar(&p).starts_with("X Ask again"), "{}", bar(&p));
}

#[test]
fn a_stop_while_the_link_is_down_is_told_once_it_is_back() {
    let mut p = linked();
    let id = ask(&mut p, "hi");
    p.send(Msg::Link(LinkEvent::Accepted(id)));
    lose(&mut p);
    let fx = play(&mut p, "Y");
    assert!(!fx.contains(&Effect::Cancel(id)));
    let fx = link(&mut p);
    assert!(fx.contains(&Effect::Cancel(id)) && fx.contains(&Effect::Ack(id)));
    assert!(
        !fx.iter()
            .any(|e| matches!(e, Effect::Resume { .. } | Effect::Submit { .. }))
    );
}

#[test]
fn a_missing_context_is_sent_again_by_itself_under_a_new_number() {
    let mut p = linked();
    let first = ask(&mut p, "hi");
    p.send(data(first, 0, 0, "hello", true));
    p.send(Msg::Link(LinkEvent::Done(first)));
    play(&mut p, "A \"more\" Start");
    number(&mut p);
    let second = last_submit(&p.effects);
    p.send(failed(second, ErrorCode::ContextMissing, ""));
    let fx = number(&mut p);
    let third = last_submit(&fx);
    assert!(third > second);
    assert_eq!(chat(&p).turns.len(), 4);
    assert_eq!(chat(&p).turns[3].state, TurnState::Open);
    assert_eq!(chat(&p).turns[3].request, Some(key(third)));
    let program = |id| p.model.outbox.find(ADA, id).and_then(|e| e.program.clone());
    let bytes = program(third).unwrap();
    let decoded = shared_proto::program::decode(&bytes).unwrap();
    assert!(shared_proto::program::verify(decoded).is_ok());
    // The whole of what was said travels along.
    assert!(bytes.windows(5).any(|w| w == b"hello"));
    // A second time it is an error, not a loop.
    p.send(failed(third, ErrorCode::ContextMissing, ""));
    assert!(matches!(chat(&p).turns[3].state, TurnState::Broken(_)));
    assert!(p.model.outbox.unnumbered.is_empty());
}

#[test]
fn the_head_follows_what_both_sides_hold() {
    use shared_proto::context::{EMPTY, Role as Who, Turn as Said, advance};
    let sha = |parts: &[&[u8]]| {
        let mut out = [0; 32];
        out.copy_from_slice(ring::digest::digest(&ring::digest::SHA256, &parts.concat()).as_ref());
        out
    };
    let expected = advance(
        advance(
            EMPTY,
            Said {
                role: Who::User,
                text: "hi",
            },
            sha,
        ),
        Said {
            role: Who::Assistant,
            text: "hello",
        },
        sha,
    );
    let mut p = linked();
    let first = ask(&mut p, "hi");
    p.send(data(first, 0, 0, "hello", true));
    p.send(Msg::Link(LinkEvent::Done(first)));
    play(&mut p, "A \"more\" Start");
    let fx = number(&mut p);
    let Some(Effect::Submit { program, .. }) =
        fx.iter().rev().find(|e| matches!(e, Effect::Submit { .. }))
    else {
        panic!()
    };
    let decoded = shared_proto::program::decode(program).unwrap();
    let parents: Vec<[u8; 8]> = decoded
        .steps
        .iter()
        .filter_map(|s| {
            if let shared_proto::program::Op::Chat(chat) = s.op {
                Some(chat.parent)
            } else {
                None
            }
        })
        .collect();
    assert_eq!(parents, [expected]);
}

#[test]
fn a_second_question_waits_for_the_first_answer() {
    let mut p = linked();
    let first = ask(&mut p, "one");
    play(&mut p, "A \"two\" Start");
    let fx = number(&mut p);
    assert!(submitted(&fx).is_empty());
    let fx = p.send(Msg::Link(LinkEvent::Done(first)));
    assert_eq!(submitted(&fx).len(), 1);
}

#[test]
fn being_asked_counts_down_and_a_no_keeps_the_text() {
    let mut p = linked();
    let id = ask(&mut p, "hi");
    p.send(Msg::Link(LinkEvent::Awaiting {
        id,
        expires_in_s: 54,
    }));
    let card = view::chat::turns(&p.model)[1].card.clone().unwrap();
    assert_eq!(
        (card.state.as_str(), card.left.as_str()),
        ("waiting", "0:54")
    );
    assert_eq!(
        card.lines,
        ["Ada's ThinkPad is asking its owner to allow chat."]
    );
    assert!(bar(&p).starts_with("Y Withdraw"), "{}", bar(&p));
    p.wait(4000);
    assert_eq!(
        view::chat::turns(&p.model)[1].card.clone().unwrap().left,
        "0:50"
    );
    p.send(failed(id, ErrorCode::AskRefused, ""));
    let card = view::chat::turns(&p.model)[1].card.clone().unwrap();
    assert_eq!(
        card.lines[0],
        "The owner of Ada's ThinkPad said no to chat."
    );
    assert_eq!(chat(&p).turns[0].text, "hi");
    assert!(
        p.model.overlay.is_none(),
        "a refusal stands in its place and interrupts nobody"
    );
    play(&mut p, "X");
    let fx = number(&mut p);
    assert_eq!(submitted(&fx).len(), 1);
    assert_eq!(chat(&p).turns.len(), 2);
}

#[test]
fn a_dead_server_is_named_and_the_words_stay_when_asked_again() {
    let mut p = linked();
    let id = ask(&mut p, "hi");
    p.send(data(id, 0, 0, "one two", false));
    p.send(failed(id, ErrorCode::ProviderBroke, "ollama"));
    let Some(Overlay::Dialog(dialog)) = &p.model.overlay else {
        panic!("an error is shown where the person looks")
    };
    assert_eq!(dialog.title, "Ollama stopped answering");
    assert!(dialog.error && dialog.body[0].contains("2 words"));
    assert_eq!(bar(&p), "A Retry  B Close");
    play(&mut p, "A");
    let fx = number(&mut p);
    assert_eq!(submitted(&fx).len(), 1);
    assert_eq!(chat(&p).turns.len(), 3);
    assert_eq!(chat(&p).turns[1].text, "one two");
    assert_eq!(chat(&p).turns[2].state, TurnState::Open);
}

#[test]
fn errors_are_never_toasts() {
    let mut p = linked();
    let id = ask(&mut p, "hi");
    play(&mut p, "B");
    p.send(failed(id, ErrorCode::ProviderUnreachable, "ollama"));
    assert!(p.model.toasts.is_empty());
    assert_eq!(
        view::home::tile(&p.model, crate::app::model::screen::Tile::Chat).1,
        "1 not answered"
    );
}

#[test]
fn an_answer_elsewhere_is_told_and_marked() {
    let mut p = linked();
    let id = ask(&mut p, "hi");
    play(&mut p, "B");
    p.send(data(id, 0, 0, "x", true));
    p.send(Msg::Link(LinkEvent::Done(id)));
    assert_eq!(p.model.toasts[0].text, "hi is answered");
    assert!(p.model.chats.list[0].unread);
    p.wait(3100);
    assert!(p.model.toasts.is_empty());
    play(&mut p, "A A");
    assert!(!p.model.chats.list[0].unread);
}

#[test]
fn text_is_followed_only_from_the_end() {
    let mut p = linked();
    let id = ask(&mut p, "hi");
    p.send(Msg::Extent(crate::app::model::Extent {
        content: 40,
        page: 12,
    }));
    p.send(data(id, 0, 0, "one", false));
    let scroll = |p: &Player| {
        if let Screen::Chat(s) = p.model.screen() {
            (s.scroll, s.below)
        } else {
            panic!()
        }
    };
    assert_eq!(scroll(&p), (Scroll::End, false));
    play(&mut p, "Up");
    assert_eq!(scroll(&p), (Scroll::Top(27), false));
    p.send(data(id, 0, 3, " two", false));
    assert_eq!(scroll(&p), (Scroll::Top(27), true));
    play(&mut p, "Down");
    assert_eq!(scroll(&p), (Scroll::End, false));
    play(&mut p, "L2 L2 L2 L2 L2");
    assert_eq!(scroll(&p).0, Scroll::Top(0));
    assert!(
        !crate::app::hints::table(&p.model)
            .iter()
            .any(|h| h.button == crate::input::button::Button::Up)
    );
}

#[test]
fn model_title_and_system_prompt_are_chosen_with_y_and_x() {
    let mut p = linked();
    let id = ask(&mut p, "hi");
    p.send(Msg::Link(LinkEvent::Done(id)));
    play(&mut p, "Y A Down A");
    assert_eq!(chat(&p).model, "ollama/llama3.1:8b");
    play(&mut p, "Y Down A \"be brief\" Start");
    assert_eq!(chat(&p).system, "be brief");
    play(&mut p, "X Down*4 A");
    assert!(matches!(p.model.screen(), Screen::Writing(_)));
    play(&mut p, "\" you\" Start");
    assert!(
        chat(&p).named && chat(&p).title.starts_with("hi"),
        "{}",
        chat(&p).title
    );
}

#[test]
fn a_chat_is_copied_saved_summarised_and_deleted() {
    let mut p = linked();
    let id = ask(&mut p, "hi");
    p.send(data(id, 0, 0, "hello you", true));
    p.send(Msg::Link(LinkEvent::Done(id)));
    play(&mut p, "X Down A");
    assert!(p.model.toasts.iter().any(|t| t.text == "Copied 2 words"));
    let fx = play(&mut p, "X Down*2 A");
    let Some(Effect::WriteFile { name, bytes }) = fx.first() else {
        panic!("{fx:?}")
    };
    assert_eq!(name, "hi.md");
    assert!(String::from_utf8_lossy(bytes).contains("hello you"));
    play(&mut p, "X Down*3 A");
    assert_eq!(chat(&p).title, "Summary: hi");
    play(&mut p, "X Up*3 A");
    assert!(matches!(&p.model.overlay, Some(Overlay::Dialog(d)) if !d.error));
    play(&mut p, "B");
    assert_eq!(p.model.chats.list.len(), 2, "no is no");
    let fx = play(&mut p, "X Up*3 A A");
    assert!(fx.iter().any(|e| matches!(e, Effect::DropChat(_))));
    assert_eq!(p.model.chats.list.len(), 1);
}

#[test]
fn one_off_kinds_are_asked_with_their_own_operation() {
    use shared_proto::program::Op;
    for (downs, expected) in [
        (1, "language.complete"),
        (2, "language.code"),
        (3, "language.summarize"),
    ] {
        let mut p = linked();
        play(&mut p, &format!("A Y Down*{downs} A \"text\" Start"));
        let fx = number(&mut p);
        let Some(Effect::Submit { program, .. }) =
            fx.iter().find(|e| matches!(e, Effect::Submit { .. }))
        else {
            panic!()
        };
        let decoded = shared_proto::program::decode(program).unwrap();
        let names: Vec<&str> = decoded
            .steps
            .iter()
            .filter(|s| !matches!(s.op, Op::Emit(_)))
            .map(|s| s.op.opcode().name())
            .collect();
        assert_eq!(names, [expected]);
    }
}

#[test]
fn an_unfinished_text_is_kept_as_a_draft() {
    let mut p = linked();
    play(&mut p, "Start \"not yet\"");
    let fx = play(&mut p, "Start+Select");
    assert!(
        fx.iter()
            .any(|e| matches!(e, Effect::SaveDraft(_, text) if text == "not yet"))
    );
    assert_eq!(fx.last(), Some(&Effect::Quit));
    assert!(
        p.model.outbox.unnumbered.is_empty(),
        "quitting sends nothing"
    );
}

#[test]
fn an_answer_without_end_is_stopped_and_what_fits_stays() {
    let mut p = linked();
    let id = ask(&mut p, "hi");
    let most = shared_proto::limits::MAX_TEXT_LEN;
    let half = "x".repeat(most as usize / 2);
    p.send(data(id, 0, 0, &half, false));
    let fx = p.send(data(id, 0, most / 2, &half, false));
    assert!(!fx.contains(&Effect::Cancel(id)));
    let fx = p.send(data(id, 0, most, "x", false));
    assert!(fx.contains(&Effect::Cancel(id)) && fx.contains(&Effect::Ack(id)));
    let turn = &p.model.chats.list[0].turns[1];
    assert_eq!(turn.text.len() as u64, most);
    assert!(matches!(turn.state, TurnState::Broken(_)));
}
