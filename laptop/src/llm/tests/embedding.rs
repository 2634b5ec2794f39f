//! Vectors, and who makes none.

use super::*;
use crate::ipc::EmbedRequest;
use crate::llm::ollama::Ollama;
use crate::service::Provider;
use crate::service::config::{Kind, ProviderConfig};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};

fn embed(model: &str, texts: &[&str], dimensions: Option<u16>) -> ServiceRequest {
    ServiceRequest::Embed(EmbedRequest {
        model: model.into(),
        texts: texts.iter().map(|one| (*one).to_owned()).collect(),
        dimensions,
    })
}

/// A server that makes vectors of `len` numbers, the first of which is the length of the text, and tells them backwards.
fn server(len: usize) -> impl Fn(&Seen) -> Reply + Send + Sync + 'static {
    move |seen| {
        let body = seen.json();
        let texts = body["input"].as_array().cloned().unwrap_or_default();
        let vector = |text: &Value| {
            let mut numbers = vec![0.5; len];
            numbers[0] = text.as_str().unwrap_or_default().len() as f64;
            numbers
        };
        let data: Vec<Value> = texts
            .iter()
            .enumerate()
            .rev()
            .map(|(index, text)| json!({"index": index, "embedding": vector(text)}))
            .collect();
        let answer = json!({"data": data, "usage": {"prompt_tokens": 7, "total_tokens": 7}});
        Reply::json(&answer.to_string())
    }
}

fn vectors(events: &[ServiceEvent]) -> Vec<Vec<f32>> {
    events
        .iter()
        .filter_map(|event| match event {
            ServiceEvent::Vector(vector) => Some(vector.clone()),
            _ => None,
        })
        .collect()
}

#[test]
fn texts_are_asked_about_in_batches_and_their_vectors_come_in_order() {
    let web = Web::start(server(2));
    let service = service("openai", &web.url("/v1"));
    let texts: Vec<String> = (1..=70).map(|len| "x".repeat(len)).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let events = ask(&service, embed("p/m", &texts, None));
    let made = vectors(&events);
    assert_eq!(made.len(), 70);
    assert_eq!((&made[0], &made[69]), (&vec![1.0, 0.5], &vec![70.0, 0.5]));
    assert_eq!(
        usage(&events),
        Usage {
            prompt_tokens: 14,
            ..Usage::default()
        }
    );
    let asked = web.asked("POST", "/v1/embeddings");
    let sizes: Vec<usize> = asked
        .iter()
        .map(|one| one.json()["input"].as_array().map_or(0, Vec::len))
        .collect();
    assert_eq!(sizes, [64, 6]);
    assert_eq!(asked[0].json()["model"], "m");
}

#[test]
fn vectors_of_another_length_than_asked_for_are_no_answer() {
    let web = Web::start(server(3));
    let service = service("ollama", &web.url(""));
    let events = ask(&service, embed("p/m", &["a"], Some(3)));
    assert_eq!(vectors(&events), [vec![1.0, 0.5, 0.5]]);
    let events = ask(&service, embed("p/m", &["a"], Some(2)));
    let failed = failure(&events);
    assert_eq!(failed.code, FailureCode::Unsupported);
    assert!(failed.detail.contains("leave dimensions out"), "{failed}");
    assert_eq!(
        web.asked("POST", "/v1/embeddings")[1].json()["dimensions"],
        2
    );
}

#[test]
fn whoever_makes_no_vectors_is_named() {
    for (status, body) in [
        (
            501,
            r#"{"error":{"message":"This server does not support embeddings"}}"#,
        ),
        (404, "404 page not found"),
        (
            400,
            r#"{"error":{"message":"this model does not support embeddings"}}"#,
        ),
    ] {
        let web = Web::start(move |_| Reply::status(status, body));
        let events = ask(
            &service("openai", &web.url("/v1")),
            embed("p/m", &["a"], None),
        );
        let failed = failure(&events);
        assert_eq!(failed.code, FailureCode::Unsupported, "{status}");
        assert!(failed.detail.contains("p makes no embeddings"), "{failed}");
        assert!(vectors(&events).is_empty());
    }
    let missing = r#"{"error":{"message":"model \"m\" not found, try pulling it first"}}"#;
    let web = Web::start(move |_| Reply::status(404, missing));
    let events = ask(&service("ollama", &web.url("")), embed("p/m", &["a"], None));
    assert_eq!(failure(&events).code, FailureCode::ModelUnknown);
    // The built-in partner is a set of rules.
    let events = ask(&service_of(""), embed("built-in/partner", &["a"], None));
    assert_eq!(failure(&events).code, FailureCode::Unsupported);
}

#[test]
fn answers_that_are_none_and_requests_without_text_are_told_apart() {
    for body in [
        "{}",
        r#"{"data":[]}"#,
        r#"{"data":[{"embedding":[]}]}"#,
        "x",
    ] {
        let web = Web::start(move |_| Reply::json(body));
        let events = ask(
            &service("openai", &web.url("/v1")),
            embed("p/m", &["a"], None),
        );
        assert_eq!(failure(&events).code, FailureCode::ProviderFailed, "{body}");
    }
    let web = Web::start(server(1));
    let service = service("openai", &web.url("/v1"));
    let events = ask(&service, embed("p/m", &[""], None));
    assert_eq!(failure(&events).code, FailureCode::BadRequest);
    assert!(web.requests().is_empty(), "nobody is asked about nothing");
}

fn shelf(seen: &Seen) -> Reply {
    match seen.target.as_str() {
        "/api/tags" => Reply::json(
            r#"{"models":[{"name":"writer:1b","digest":"a1"},{"name":"finder:1b","digest":"b2"},{"name":"both:1b","digest":"c3"}]}"#,
        ),
        "/api/ps" => Reply::json(r#"{"models":[]}"#),
        "/api/show" => {
            let capabilities = match seen.json()["model"].as_str() {
                Some("finder:1b") => json!(["embedding"]),
                Some("both:1b") => json!(["completion", "embedding"]),
                _ => json!(["completion", "tools"]),
            };
            Reply::json(&json!({ "capabilities": capabilities }).to_string())
        }
        _ => server(2)(seen),
    }
}

#[test]
fn ollama_says_which_model_makes_vectors_and_the_others_are_not_asked() {
    let web = Web::start(shelf);
    let service = service("ollama", &web.url(""));
    let events = ask(&service, ServiceRequest::Models);
    let ServiceEvent::Models(models) = &events[0] else {
        panic!("{events:?}")
    };
    let told: Vec<_> = models
        .iter()
        .map(|one| (one.id.as_str(), one.embeds, one.default))
        .collect();
    assert_eq!(
        told,
        [
            ("p/writer:1b", Some(false), true),
            ("p/finder:1b", Some(true), false),
            ("p/both:1b", None, false),
            ("built-in/partner", Some(false), false),
        ]
    );
    let events = ask(&service, embed("p/finder:1b", &["abc"], None));
    assert_eq!(vectors(&events), [vec![3.0, 0.5]]);
    let events = ask(&service, embed("p/writer:1b", &["abc"], None));
    let failed = failure(&events);
    assert_eq!(failed.code, FailureCode::Unsupported);
    assert!(failed.detail.contains("writer:1b writes text"), "{failed}");
    assert_eq!(web.asked("POST", "/v1/embeddings").len(), 1);
}

#[test]
fn a_talent_that_could_not_be_told_once_is_asked_for_again() {
    let busy = AtomicUsize::new(0);
    let web = Web::start(move |seen| match seen.target.as_str() {
        "/api/show" if busy.fetch_add(1, Ordering::SeqCst) < 3 => Reply::status(503, "{}"),
        _ => shelf(seen),
    });
    let ollama = Ollama::new(ProviderConfig::new("p", Kind::Ollama, &web.url("")));
    let embeds = || {
        let listed = ollama.models(&CancelToken::new()).expect("a list");
        listed.iter().map(|one| one.embeds).collect::<Vec<_>>()
    };
    assert_eq!(embeds(), [None, None, None]);
    assert_eq!(embeds(), [Some(false), Some(true), None]);
    let asked = web.asked("POST", "/api/show").len();
    embeds();
    assert_eq!(web.asked("POST", "/api/show").len(), asked, "remembered");
}
