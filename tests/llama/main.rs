//! A real llama.cpp server with a model made on the spot. Run it with `scripts/test llama`.
//!
//! The script names the server's program in `LLAMA_SERVER` and the model file in `LLAMA_MODEL`. The model says words of a
//! list at random and never ends by itself, so each answer lasts until its `max_tokens`.

// Helpers of tests are tests; the lint knows only functions that are marked so.
#![allow(clippy::unwrap_used)]

mod server;
mod service;
#[path = "../support/mod.rs"]
mod support;
mod whole;

use std::time::{Duration, Instant};

use laptop::ipc::{FailureCode, FinishReason, ServiceEvent, ServiceRequest};
use serde_json::{Value, json};
use server::Llama;
use service::{Answer, Service};
use support::eventually;

/// More tokens than any of these tests waits for: minutes of work for the server.
const ENDLESS: u32 = 100_000;

#[test]
fn the_server_s_models_are_listed_under_its_name() {
    let server = Llama::start();
    let service = Service::of(&server);
    let mut events = service.client().call(&ServiceRequest::Models).unwrap();
    let Some(ServiceEvent::Models(models)) = events.next() else {
        panic!("a list of models");
    };
    assert!(
        models.iter().any(|model| model.id == "attic/tiny"),
        "{models:?}"
    );
}

#[test]
fn an_answer_streams_while_the_server_still_makes_it_and_is_the_one_it_gives_whole() {
    let server = Llama::start();
    let service = Service::of(&server);
    let mut stream = service.ask("attic/tiny", "What is a river?", 500);
    let mut answer = Answer::start_of(&mut stream);
    assert!(
        server.is_generating(),
        "words are here before the answer is finished"
    );
    answer.take(&mut stream, |_| false);

    assert_eq!(
        (answer.provider.as_str(), answer.model.as_str()),
        ("attic", "tiny")
    );
    assert_eq!(answer.end, Some(Ok(FinishReason::Length)));
    let usage = answer.usage.unwrap();
    assert_eq!((usage.output_tokens, usage.estimated), (500, false));
    assert!(usage.prompt_tokens > 0);
    assert_eq!(server.tokens_made(), 500);
    assert!(
        answer.chunks > 250,
        "{} pieces for 500 tokens is no streaming",
        answer.chunks
    );

    let asked = json!({
        "model": "tiny",
        "messages": [{ "role": "user", "content": "What is a river?" }],
        "max_tokens": 500,
        "temperature": 0.0,
    });
    let reply: Value = ureq::post(server.url("/v1/chat/completions"))
        .send_json(asked)
        .unwrap()
        .body_mut()
        .read_json()
        .unwrap();
    let whole = reply["choices"][0]["message"]["content"].as_str().unwrap();
    assert_eq!(answer.text, whole, "nothing lost, doubled or reordered");
}

#[test]
fn a_cancelled_request_stops_the_work_of_the_server() {
    let server = Llama::start();
    let service = Service::of(&server);
    let mut stream = service.ask("attic/tiny", "Tell me everything.", ENDLESS);
    let answer = Answer::start_of(&mut stream);
    assert!(
        server.is_generating(),
        "it would go on: this is what the cancel has to end"
    );

    drop(stream);
    eventually("an idle server", || (!server.is_generating()).then_some(()));
    let made = server.tokens_made();
    assert!(
        made >= answer.chunks as u64 / 2 && made < u64::from(ENDLESS) / 2,
        "{made} tokens were made of {ENDLESS}"
    );
    // Idle means idle: over a second it uses next to no processor time, and makes nothing.
    let before = server.ticks();
    std::thread::sleep(Duration::from_secs(1));
    let used = server.ticks() - before;
    assert!(
        used <= 10,
        "{used} hundredths of a second of work after the cancel"
    );
    assert_eq!(server.tokens_made(), made);

    let next = Answer::whole(service.ask("attic/tiny", "Still there?", 5));
    assert_eq!(next.end, Some(Ok(FinishReason::Length)));
    assert_eq!(server.tokens_made(), made + 5);
}

#[test]
fn without_a_cancel_the_server_keeps_working() {
    let server = Llama::start();
    let service = Service::of(&server);
    let mut stream = service.ask("attic/tiny", "Tell me everything.", ENDLESS);
    Answer::start_of(&mut stream);
    // The other side of the test above: the same measure over the same time sees work.
    let before = server.ticks();
    let mut more = Answer::default();
    let until = Instant::now() + Duration::from_secs(1);
    more.take(&mut stream, |_| Instant::now() >= until);
    assert_eq!(more.end, None);
    let used = server.ticks() - before;
    assert!(
        used > 10,
        "only {used} hundredths of a second of work while it answers"
    );
    assert!(server.is_generating());
}

#[test]
fn a_server_killed_in_the_middle_is_named_and_what_had_arrived_stays() {
    let mut server = Llama::start();
    let service = Service::of(&server);
    let mut stream = service.ask("attic/tiny", "Tell me everything.", ENDLESS);
    let mut answer = Answer::start_of(&mut stream);
    let had = answer.text.clone();
    server.kill();
    answer.take(&mut stream, |_| false);

    let failure = answer.failure();
    assert_eq!(
        (failure.code, failure.provider.as_str()),
        (FailureCode::ProviderBroke, "attic")
    );
    assert!(
        failure
            .detail
            .starts_with("attic stopped in the middle of its answer"),
        "{}",
        failure.detail
    );
    assert!(!had.is_empty() && answer.text.starts_with(&had));
    let usage = answer.usage.unwrap();
    assert!(
        usage.estimated && usage.output_tokens as usize >= answer.chunks,
        "what it cost is told all the same: {usage:?}"
    );

    let gone = Answer::whole(service.ask("attic/tiny", "Still there?", 5));
    let failure = gone.failure();
    assert_eq!(
        (failure.code, failure.provider.as_str()),
        (FailureCode::ProviderUnreachable, "attic")
    );
    assert_eq!(gone.text, "", "nobody else answered in its place");

    let server = Llama::start_at(server.port);
    let back = eventually("an answer of the new server", || {
        let answer = Answer::whole(service.ask("attic/tiny", "And now?", 5));
        matches!(answer.end, Some(Ok(_))).then_some(answer)
    });
    assert_eq!(back.usage.unwrap().output_tokens, 5);
    assert_eq!(server.tokens_made(), 5);
}

#[test]
fn a_server_that_nobody_configured_is_found_under_its_own_name() {
    let server = Llama::start();
    let service = Service::start("", &format!("openai:{}", server.port));
    let answer = Answer::whole(service.ask("", "Who are you?", 5));
    assert_eq!(
        (answer.provider.as_str(), answer.model.as_str()),
        ("llamacpp", "tiny")
    );
    assert_eq!(answer.end, Some(Ok(FinishReason::Length)));
}
