//! Programs against scripted services behind real sockets.

use super::*;
use crate::ipc::{AllowedUrl, Screen, ServiceClient, scripted};
use crate::policy::{Counters, Demand, Profile, Rule, Verdict, evaluate};
use shared_proto::embedding::encode_texts;
use shared_proto::opcode::Operation;
use shared_proto::program::{
    Builder, Chat, Complete, Embed, Fetch, Generate, Get, Put, Write, decode, verify,
};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

#[derive(Default)]
struct Folder(Mutex<BTreeMap<String, Vec<u8>>>);

impl Files for Folder {
    fn list(&self, _: &str, _: u32, _: u16) -> Result<Listing, Fault> {
        let files = self.0.lock().unwrap();
        let entries = files.iter().map(|(name, bytes)| FileEntry {
            name: name.clone(),
            len: bytes.len() as u64,
            modified: 0,
            folder: false,
        });
        Ok(Listing {
            total: files.len() as u32,
            entries: entries.collect(),
            ..Listing::default()
        })
    }
    fn metadata(&self, path: &str) -> Result<(u64, u64, [u8; 32]), Fault> {
        Err(Fault::new(ErrorCode::NotFound, path))
    }
    fn open(&self, path: &str) -> Result<std::fs::File, Fault> {
        Err(Fault::new(ErrorCode::NotFound, path))
    }
    fn put(&self, path: &str, content: &Content, _: Write) -> Result<String, Fault> {
        self.0
            .lock()
            .unwrap()
            .insert(path.to_owned(), content.read()?);
        Ok(path.to_owned())
    }
    fn keep_picture(&self, prompt: &str, ending: &str, picture: &[u8]) -> Result<(), Fault> {
        self.0
            .lock()
            .unwrap()
            .insert(format!("{prompt}.{ending}"), picture.to_vec());
        Ok(())
    }
    fn delete(&self, path: &str) -> Result<(), Fault> {
        self.0
            .lock()
            .unwrap()
            .remove(path)
            .map(|_| ())
            .ok_or(Fault::new(ErrorCode::NotFound, path))
    }
}

struct Desk {
    client: ServiceClient,
    contexts: Contexts,
    folder: Folder,
    revoked: AtomicBool,
    asked: &'static AtomicUsize,
    path: PathBuf,
}

impl Desk {
    fn new(name: &str) -> Self {
        let (path, asked) = scripted::start(name);
        Self {
            client: ServiceClient::same_user(&path),
            contexts: Contexts::new(),
            folder: Folder::default(),
            revoked: AtomicBool::new(false),
            asked,
            path,
        }
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

impl World for Desk {
    fn relationship(&self) -> i64 {
        1
    }
    fn recheck(&self, _: &OpPermit) -> Result<(), Fault> {
        if self.revoked.load(Ordering::SeqCst) {
            Err(Fault::new(ErrorCode::Revoked, ""))
        } else {
            Ok(())
        }
    }
    fn turn(&self, _: &OpPermit) -> Result<Turn, Fault> {
        Ok(Turn::new(()))
    }
    fn language(&self) -> &ServiceClient {
        &self.client
    }
    fn image(&self) -> &ServiceClient {
        &self.client
    }
    fn downloads(&self) -> &ServiceClient {
        &self.client
    }
    fn allowed_urls(&self) -> Vec<AllowedUrl> {
        Vec::new()
    }
    fn screen(&self) -> Screen {
        Screen {
            width: 640,
            height: 480,
            accepts: Vec::new(),
        }
    }
    fn contexts(&self) -> &Contexts {
        &self.contexts
    }
    fn files(&self) -> &dyn Files {
        &self.folder
    }
    fn blob(&self, _: u8) -> Result<Content, Fault> {
        Err(Fault::new(ErrorCode::BlobMismatch, "no upload"))
    }
    fn scratch(&self) -> Result<std::fs::File, Fault> {
        let path = self.path.with_extension("scratch");
        let file = std::fs::File::create_new(&path).map_err(|error| Fault::disk(&error))?;
        std::fs::remove_file(&path).map_err(|error| Fault::disk(&error))?;
        Ok(file)
    }
    fn system(&self) -> SystemView {
        SystemView {
            name: "desk".into(),
            ..SystemView::default()
        }
    }
}

#[derive(Default)]
struct Paper {
    streams: Mutex<BTreeMap<u8, (Vec<u8>, bool)>>,
    first: Option<std::sync::mpsc::Sender<()>>,
    /// Cancelled as soon as anything has started.
    stop: Option<CancelToken>,
}

impl Output for Paper {
    fn started(&self, _: u8, model: &str) {
        assert_eq!(model, "scripted/one");
        self.stop.iter().for_each(CancelToken::cancel);
    }
    fn progress(&self, _: u8, _: u16, _: Option<u32>) {}
    fn append(&self, op: u8, bytes: &[u8]) -> Result<(), OutputClosed> {
        self.streams
            .lock()
            .unwrap()
            .entry(op)
            .or_default()
            .0
            .extend_from_slice(bytes);
        self.first.iter().for_each(|first| first.send(()).unwrap());
        Ok(())
    }
    fn end(&self, op: u8) -> Result<(), OutputClosed> {
        self.streams.lock().unwrap().entry(op).or_default().1 = true;
        Ok(())
    }
}

impl Paper {
    fn text(&self, op: u8) -> Option<(String, bool)> {
        let streams = self.streams.lock().unwrap();
        streams
            .get(&op)
            .map(|(bytes, ended)| (String::from_utf8(bytes.clone()).unwrap(), *ended))
    }
}

fn permit(program: &Verified<'_>) -> Permit {
    let mut profile = Profile::of_new_device();
    for operation in Operation::ALL {
        profile.set_rule(operation, Rule::Allow);
    }
    profile.urls = vec![crate::policy::UrlPattern::parse("https://example.org/").unwrap()];
    match evaluate(
        &Demand::of(1, 1, [0; 32], program),
        &profile,
        &Counters::default(),
        None,
        0,
    ) {
        Verdict::Allow(permit) => permit,
        other => panic!("{other:?}"),
    }
}

fn run_on(desk: &Desk, paper: &Paper, build: impl FnOnce(&mut Builder)) -> Outcome {
    let mut builder = Builder::new();
    build(&mut builder);
    let bytes = builder.finish().unwrap();
    let program = verify(decode(&bytes).unwrap()).unwrap();
    run(&program, permit(&program), desk, paper, &CancelToken::new())
}

fn ask(b: &mut Builder, text: &str) -> Ref {
    let model = b.name("");
    let input = b.text(text);
    b.op(&Op::Complete(Complete {
        model,
        input,
        max_tokens: 9,
        temperature: None,
    }))
}

fn chat(b: &mut Builder, text: &str, parent: [u8; 8]) -> Ref {
    let model = b.name("");
    let input = b.text(text);
    let chat = Chat {
        model,
        conversation: 7,
        parent,
        history: None,
        system: None,
        input,
        max_tokens: 9,
        temperature: None,
    };
    b.op(&Op::Chat(chat))
}

#[test]
fn an_answer_streams_and_ends() {
    let (desk, paper) = (Desk::new("answer"), Paper::default());
    let outcome = run_on(&desk, &paper, |b| {
        let answer = ask(b, "hello");
        b.emit(answer);
    });
    assert!(outcome.result.is_ok());
    assert_eq!(outcome.usage.tokens_out, 3);
    assert_eq!(paper.text(0), Some(("1 turns, echo hello".into(), true)));
}

#[test]
fn only_what_is_emitted_leaves_the_laptop() {
    let (desk, paper) = (Desk::new("emit"), Paper::default());
    let outcome = run_on(&desk, &paper, |b| {
        let first = ask(b, "secret");
        let mut parts = heapless_parts(&[first]);
        parts.push(b.int(5)).unwrap();
        let joined = b.op(&Op::Concat(parts));
        b.emit(joined);
    });
    assert!(outcome.result.is_ok());
    assert_eq!(paper.text(0), None);
    assert_eq!(paper.text(1), Some(("1 turns, echo secret5".into(), true)));
}

fn heapless_parts(refs: &[Ref]) -> shared_proto::program::Parts {
    refs.iter().copied().collect()
}

#[test]
fn a_second_choice_runs_only_where_the_first_failed() {
    for (question, expected_first, expected_second, calls) in [
        ("fail", None, Some("1 turns, echo plan b"), 2),
        ("fine", Some("1 turns, echo fine"), None, 1),
    ] {
        let (desk, paper) = (Desk::new(question), Paper::default());
        let outcome = run_on(&desk, &paper, |b| {
            let first = ask(b, question);
            let model = b.name("");
            let input = b.text("plan b");
            let second = b.op_if_failed(
                first,
                &Op::Complete(Complete {
                    model,
                    input,
                    max_tokens: 9,
                    temperature: None,
                }),
            );
            b.emit(first);
            b.emit(second);
        });
        assert!(outcome.result.is_ok(), "{:?}", outcome.result);
        assert_eq!(
            paper.text(0).map(|(text, _)| text).as_deref(),
            expected_first
        );
        assert_eq!(
            paper.text(1).map(|(text, _)| text).as_deref(),
            expected_second
        );
        assert_eq!(desk.asked.load(Ordering::SeqCst), calls);
    }
}

#[test]
fn a_failure_nobody_waits_for_ends_the_program_and_names_who_is_at_fault() {
    let (desk, paper) = (Desk::new("break"), Paper::default());
    let outcome = run_on(&desk, &paper, |b| {
        let first = ask(b, "break");
        let second = ask(b, "never");
        b.emit(first);
        b.emit(second);
    });
    let failure = outcome.result.unwrap_err();
    assert_eq!(
        (failure.op, failure.fault.code),
        (Some(0), ErrorCode::ProviderBroke)
    );
    assert!(
        failure.fault.detail.contains("scripted"),
        "{}",
        failure.fault.detail
    );
    assert_eq!(paper.text(0), Some(("half an ".into(), false)));
    assert_eq!(desk.asked.load(Ordering::SeqCst), 1);
}

#[test]
fn a_conversation_sends_only_what_is_new() {
    let desk = Desk::new("chat");
    let paper = Paper::default();
    let say = |text: &str, parent| {
        run_on(&desk, &paper, |b| {
            let answer = chat(b, text, parent);
            b.emit(answer);
        })
        .result
    };
    assert!(say("hello", EMPTY).is_ok());
    let head = desk.contexts.get(1, 7).unwrap().head();
    assert!(say("again", head).is_ok());
    assert!(paper.text(0).unwrap().0.ends_with("3 turns, echo again"));
    let failure = say("lost", [9; 8]).unwrap_err();
    assert_eq!(failure.fault.code, ErrorCode::ContextMissing);
    assert_eq!(desk.asked.load(Ordering::SeqCst), 2);
}

#[test]
fn a_missing_conversation_is_refused_before_anything_runs() {
    let contexts = Contexts::new();
    let mut builder = Builder::new();
    let answer = chat(&mut builder, "x", [1; 8]);
    builder.emit(answer);
    let bytes = builder.finish().unwrap();
    let program = verify(decode(&bytes).unwrap()).unwrap();
    assert_eq!(
        preflight(&program, 1, &contexts).unwrap_err().fault.code,
        ErrorCode::ContextMissing
    );
}

#[test]
fn a_cancel_ends_the_call_and_keeps_what_had_arrived() {
    let desk = Desk::new("cancel");
    let (first, arrived) = std::sync::mpsc::channel();
    let paper = Paper {
        first: Some(first),
        ..Paper::default()
    };
    let mut builder = Builder::new();
    let answer = ask(&mut builder, "wait");
    builder.emit(answer);
    let bytes = builder.finish().unwrap();
    let program = verify(decode(&bytes).unwrap()).unwrap();
    let cancel = CancelToken::new();
    let outcome = std::thread::scope(|scope| {
        let running = scope.spawn(|| run(&program, permit(&program), &desk, &paper, &cancel));
        arrived.recv().unwrap();
        cancel.cancel();
        running.join().unwrap()
    });
    assert_eq!(outcome.result.unwrap_err().fault.code, ErrorCode::Cancelled);
    assert_eq!(paper.text(0), Some(("begun".into(), false)));
    // "wait" and "begun", at four octets a token: what was broken off is not free.
    assert_eq!((outcome.usage.tokens_in, outcome.usage.tokens_out), (1, 2));
}

#[test]
fn a_painting_that_is_cancelled_counts_as_begun() {
    let desk = Desk::new("cancel-painting");
    let cancel = CancelToken::new();
    let paper = Paper {
        stop: Some(cancel.clone()),
        ..Paper::default()
    };
    let mut builder = Builder::new();
    let (model, prompt, style) = (builder.name(""), builder.text("a boat"), builder.name(""));
    let picture = builder.op(&Op::Generate(Generate {
        model,
        prompt,
        negative: None,
        style,
        width: 64,
        height: 64,
        steps: 4,
        seed: None,
    }));
    builder.emit(picture);
    let bytes = builder.finish().unwrap();
    let program = verify(decode(&bytes).unwrap()).unwrap();
    let outcome = run(&program, permit(&program), &desk, &paper, &cancel);
    assert_eq!(outcome.result.unwrap_err().fault.code, ErrorCode::Cancelled);
    assert_eq!(outcome.usage.pictures, 1);
}

#[test]
fn a_policy_that_changes_stops_the_next_operation() {
    let (desk, paper) = (Desk::new("revoked"), Paper::default());
    desk.revoked.store(true, Ordering::SeqCst);
    let outcome = run_on(&desk, &paper, |b| {
        let answer = ask(b, "hello");
        b.emit(answer);
    });
    assert_eq!(outcome.result.unwrap_err().fault.code, ErrorCode::Revoked);
    assert_eq!(desk.asked.load(Ordering::SeqCst), 0);
}

#[test]
fn a_download_goes_to_the_handheld_and_into_the_drop_folder() {
    let (desk, paper) = (Desk::new("fetch"), Paper::default());
    let outcome = run_on(&desk, &paper, |b| {
        let url = b.name("https://example.org/a.txt");
        let download = b.op(&Op::Fetch(Fetch { url, max_len: 1000 }));
        let path = b.name("a.txt");
        let put = b.op(&Op::Put(Put {
            path,
            data: download,
            write: Write::New,
        }));
        b.emit(download);
        b.emit(put);
    });
    assert!(outcome.result.is_ok(), "{:?}", outcome.result);
    assert_eq!(
        paper.text(0),
        Some(("https://example.org/a.txt".into(), true))
    );
    assert_eq!(outcome.usage.bytes, 2 * 25, "down, and into the folder");
    assert_eq!(paper.text(1), Some(("25".into(), true)));
    assert_eq!(
        desk.folder.0.lock().unwrap()["a.txt"],
        b"https://example.org/a.txt"
    );
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let (desk, paper) = (Desk::new("get"), Paper::default());
    let outcome = run_on(&desk, &paper, |b| {
        let path = b.name("gone.txt");
        let file = b.op(&Op::Get(Get { path, max_len: 9 }));
        b.emit(file);
    });
    let failure = outcome.result.unwrap_err();
    assert_eq!(
        (failure.fault.code, failure.fault.detail.as_str()),
        (ErrorCode::NotFound, "gone.txt")
    );
}

fn embed(b: &mut Builder, input: Ref, count: u16) -> Ref {
    let model = b.name("scripted/one");
    b.op(&Op::Embed(Embed {
        model,
        input,
        count,
        dimensions: None,
    }))
}

#[test]
fn texts_become_vectors_one_behind_the_other() {
    let desk = Desk::new("embed");
    let paper = Paper::default();
    let outcome = run_on(&desk, &paper, |b| {
        let list = b.bytes(&encode_texts(["four", "five!"]));
        let vectors = embed(b, list, 2);
        b.emit(vectors);
    });
    outcome.result.expect("made");
    assert_eq!((outcome.usage.tokens_in, outcome.usage.tokens_out), (4, 0));
    let streams = paper.streams.lock().unwrap();
    let wanted: Vec<u8> = [4.0f32, 4.0, 5.0, 5.0]
        .iter()
        .flat_map(|one| one.to_le_bytes())
        .collect();
    assert_eq!(streams[&0], (wanted, true));
}

#[test]
fn a_list_of_another_length_reaches_no_service_and_mixed_vectors_are_a_fault() {
    let desk = Desk::new("embed-faults");
    for (texts, count) in [(&["a", "b"][..], 1), (&["a"], 2), (&["a", ""], 2)] {
        let outcome = run_on(&desk, &Paper::default(), |b| {
            let list = b.bytes(&encode_texts(texts.iter().copied()));
            let vectors = embed(b, list, count);
            b.emit(vectors);
        });
        let failure = outcome.result.expect_err("refused");
        assert_eq!(failure.fault.code, ErrorCode::Malformed);
    }
    assert_eq!(desk.asked.load(Ordering::SeqCst), 0);
    let outcome = run_on(&desk, &Paper::default(), |b| {
        let list = b.bytes(&encode_texts(["even", "odd"]));
        let vectors = embed(b, list, 2);
        b.emit(vectors);
    });
    assert_eq!(
        outcome.result.expect_err("refused").fault.code,
        ErrorCode::Internal
    );
}
