use super::*;
use shared_proto::report;

use crate::app::model::{LocalFile, Source};
use crate::app::view;

fn listing(names: &[&str]) -> Vec<u8> {
    let head = report::ListingHead {
        total: names.len() as u32,
        used: 31_000_000,
        quota: 512_000_000,
        count: names.len() as u16,
    };
    let mut bytes = postcard::to_allocvec(&head).unwrap();
    for (index, name) in names.iter().enumerate() {
        let entry = report::Entry {
            name,
            len: 1000,
            modified: NOON - 60 * index as u64,
            folder: false,
        };
        bytes.extend(postcard::to_allocvec(&entry).unwrap());
    }
    bytes
}

/// Opens the files screen and answers its question.
fn open(p: &mut Player, names: &[&str]) {
    play(p, "Down A");
    number(p);
    let id = last_submit(&p.effects);
    p.send(Msg::Link(LinkEvent::Data {
        id,
        slot: 0,
        offset: 0,
        bytes: listing(names),
        fin: true,
    }));
    p.send(Msg::Link(LinkEvent::Done(id)));
}

#[test]
fn the_drop_folder_is_listed_and_never_shows_in_the_outbox() {
    let mut p = linked();
    open(&mut p, &["report.pdf", "budget.csv"]);
    let list = view::list(&p.model).unwrap();
    assert_eq!(
        list.rows
            .iter()
            .map(|r| r.title.as_str())
            .collect::<Vec<_>>(),
        ["report.pdf", "budget.csv"]
    );
    assert_eq!(list.footer, "31 MB of 512 MB used");
    assert_eq!(view::outbox::listed(&p.model).count(), 0);
    assert_eq!(bar(&p), "A Fetch  B Back  X More  Y Select many");
}

#[test]
fn a_name_that_lies_about_itself_is_escaped() {
    let mut p = linked();
    open(&mut p, &["harmless\u{202E}fdp.exe"]);
    assert_eq!(
        view::list(&p.model).unwrap().rows[0].title,
        "harmless‹202E›fdp.exe"
    );
}

#[test]
fn a_file_is_fetched_part_by_part_and_acknowledged_when_it_is_safe() {
    let mut p = linked();
    open(&mut p, &["report.pdf"]);
    play(&mut p, "A");
    let fx = number(&mut p);
    let id = last_submit(&fx);
    p.send(Msg::Link(LinkEvent::Accepted(id)));
    let fx = p.send(Msg::Link(LinkEvent::Data {
        id,
        slot: 0,
        offset: 0,
        bytes: vec![1; 600],
        fin: false,
    }));
    assert!(
        matches!(
            &fx[..],
            [.., Effect::SavePart { offset: 0, .. }]
                | [Effect::SavePart { offset: 0, .. }, ..]
                | [_, Effect::SavePart { offset: 0, .. }, ..]
        ),
        "{fx:?}"
    );
    let row = view::list(&p.model).unwrap().rows[0].clone();
    assert_eq!(
        (row.meter, row.second.as_str()),
        (Some(600), "fetching, 60 %")
    );
    lose(&mut p);
    assert_eq!(
        view::list(&p.model).unwrap().rows[0].second,
        "link lost at 60 %, resumes by itself"
    );
    let fx = link(&mut p);
    assert!(fx.contains(&Effect::Resume {
        id,
        offsets: vec![(0, 600)],
        uploads: Vec::new()
    }));
    // The laptop begins a little earlier than asked: nothing is written twice.
    let fx = p.send(Msg::Link(LinkEvent::Data {
        id,
        slot: 0,
        offset: 500,
        bytes: vec![2; 500],
        fin: true,
    }));
    assert!(
        fx.iter().any(
            |e| matches!(e, Effect::SavePart { offset: 600, bytes, .. } if bytes.len() == 400)
        )
    );
    p.send(Msg::Link(LinkEvent::Done(id)));
    let fx = p.send(Msg::Card(CardEvent::Kept {
        laptop: ADA,
        id,
        len: 1000,
        size: None,
    }));
    assert!(fx.contains(&Effect::Ack(id)));
    p.send(Msg::Card(CardEvent::Files {
        files: vec![LocalFile {
            name: "report.pdf".into(),
            len: 1000,
            modified: 0,
        }],
        free: None,
    }));
    assert_eq!(view::list(&p.model).unwrap().rows[0].second, "on this card");
}

#[test]
fn a_gap_in_a_result_is_an_error_and_not_a_hole() {
    let mut p = linked();
    open(&mut p, &["report.pdf"]);
    play(&mut p, "A");
    let id = last_submit(&number(&mut p));
    p.send(Msg::Link(LinkEvent::Data {
        id,
        slot: 0,
        offset: 10,
        bytes: vec![1; 5],
        fin: false,
    }));
    assert!(matches!(state(&p, id), Some(EntryState::Failed(_))));
}

#[test]
fn a_file_is_sent_after_it_was_hashed() {
    let mut p = linked();
    open(&mut p, &[]);
    p.send(Msg::Card(CardEvent::Files {
        files: vec![LocalFile {
            name: "notes.txt".into(),
            len: 5,
            modified: 0,
        }],
        free: Some(2_000_000),
    }));
    let fx = play(&mut p, "R1 A");
    let source = Source::File("notes.txt".into());
    assert!(fx.contains(&Effect::Hash(source.clone())));
    p.send(Msg::Card(CardEvent::Hashed {
        source: source.clone(),
        facts: Some((5, [3; 32])),
    }));
    let fx = number(&mut p);
    let Some(Effect::Submit { id, uploads, .. }) =
        fx.iter().find(|e| matches!(e, Effect::Submit { .. }))
    else {
        panic!()
    };
    let id = *id;
    assert_eq!(uploads[0].source, source);
    p.send(Msg::Link(LinkEvent::Uploaded {
        id,
        sent: 3,
        len: 5,
    }));
    assert_eq!(
        view::list(&p.model).unwrap().rows[0].second,
        "sending, 60 %"
    );
    let fx = p.send(Msg::Link(LinkEvent::Done(id)));
    assert!(fx.contains(&Effect::Ack(id)));
    assert!(
        p.model
            .toasts
            .iter()
            .any(|t| t.text == "notes.txt is on the laptop")
    );
}

#[test]
fn many_are_ticked_and_fetched_together() {
    let mut p = linked();
    open(&mut p, &["a", "b", "c"]);
    play(&mut p, "Y A Down*2 A");
    assert_eq!(p.model.files.selected.len(), 2);
    assert_eq!(bar(&p), "A Tick  B Done  X With ticked");
    play(&mut p, "X A");
    let fx = number(&mut p);
    assert_eq!(submitted(&fx).len(), 2);
    assert!(!p.model.files.selecting);
}

#[test]
fn deleting_there_asks_first_and_a_url_is_downloaded_by_the_laptop() {
    let mut p = linked();
    open(&mut p, &["a"]);
    play(&mut p, "X Down A B");
    assert!(p.model.outbox.unnumbered.is_empty());
    play(&mut p, "X Down A A");
    let id = last_submit(&number(&mut p));
    p.send(Msg::Link(LinkEvent::Done(id)));
    assert!(p.model.files.remote.is_empty());
    // Without a file under the focus, the first thing that can be done is chosen.
    play(&mut p, "X A");
    assert!(
        matches!(p.model.screen(), Screen::Writing(_)),
        "{:?}",
        p.model.overlay
    );
    play(&mut p, "\"example.org/a.pdf\" Start");
    let fx = number(&mut p);
    let Some(Effect::Submit { program, .. }) =
        fx.iter().rev().find(|e| matches!(e, Effect::Submit { .. }))
    else {
        panic!("{fx:?}")
    };
    let decoded = shared_proto::program::decode(program).unwrap();
    let names: Vec<&str> = decoded.steps.iter().map(|s| s.op.opcode().name()).collect();
    assert_eq!(names, ["files.fetch", "files.put", "core.emit"]);
}

#[test]
fn away_the_list_is_as_of_then_and_fetching_queues() {
    let mut p = linked();
    open(&mut p, &["a"]);
    lose(&mut p);
    assert_eq!(
        view::list(&p.model).unwrap().footer,
        "As of 14:02. Fetch and Send queue."
    );
    play(&mut p, "A");
    let fx = number(&mut p);
    assert!(submitted(&fx).is_empty());
    assert_eq!(
        view::list(&p.model).unwrap().rows[0].second,
        "waits in the outbox"
    );
}

#[test]
fn a_list_that_does_not_decode_is_an_error_and_the_old_one_stays() {
    let mut p = linked();
    open(&mut p, &["a"]);
    play(&mut p, "X Up A");
    let id = last_submit(&number(&mut p));
    p.send(Msg::Link(LinkEvent::Data {
        id,
        slot: 0,
        offset: 0,
        bytes: vec![0xff; 30],
        fin: true,
    }));
    p.send(Msg::Link(LinkEvent::Done(id)));
    assert_eq!(p.model.files.remote.len(), 1);
    assert!(
        view::list(&p.model).unwrap().footer.contains("damaged"),
        "{}",
        view::list(&p.model).unwrap().footer
    );
}

#[test]
fn a_failure_stays_in_the_outbox_until_it_is_retried() {
    let mut p = linked();
    open(&mut p, &["a"]);
    play(&mut p, "A");
    let id = last_submit(&number(&mut p));
    p.send(failed(id, ErrorCode::StoreFailed, ""));
    assert_eq!(bar(&p), "A Retry  B Close");
    play(&mut p, "B B Down A");
    let row = view::list(&p.model).unwrap().rows[0].clone();
    assert_eq!(
        (row.mark, row.second.as_str()),
        (view::Mark::Failed, "Ada's ThinkPad could not use its disk")
    );
    play(&mut p, "Start A");
    let fx = number(&mut p);
    assert_eq!(submitted(&fx).len(), 1);
    assert!(p.model.outbox.entries.iter().all(|e| e.id != id));
}
