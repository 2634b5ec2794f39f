//! The language service against scripted servers: what they are asked, how often, and what is made of their answers.

mod embedding;
mod ollama;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::builtin::Partner;
use super::service::LanguageService;
use crate::ipc::{
    CancelToken, ChatMessage, Failure, FailureCode, FinishReason, Handler, Health, Role,
    ServiceEvent, ServiceRequest, TextKind, TextRequest, Usage,
};
use crate::service::config::ServicesConfig;
use crate::service::retry::Patience;
use crate::service::testing::{Reply, Seen, Step, Web, collect, text_of};

const QUICK: Patience = Patience {
    retries: 3,
    first: Duration::from_millis(2),
    longest: Duration::from_millis(20),
    deadline: Duration::from_secs(5),
    open_deadline: Duration::from_secs(5),
};

/// A service with one configured provider called `p`, and nothing found.
fn service(kind: &str, base: &str) -> LanguageService {
    service_of(&format!(
        "[[provider]]\nname = 'p'\nkind = '{kind}'\nbase_url = '{base}'\nkey_env = 'KEY'\n"
    ))
}

fn service_of(text: &str) -> LanguageService {
    let env = |name: &str| match name {
        "OFFICEOS_DISCOVERY" => Some("off".to_owned()),
        "KEY" => Some("sekrit-key".to_owned()),
        _ => None,
    };
    let config = ServicesConfig::parse(text, &env).unwrap();
    LanguageService::new(&config, Partner::new(Duration::ZERO)).with_patience(QUICK)
}

fn chat(model: &str, text: &str) -> ServiceRequest {
    ServiceRequest::Text(TextRequest {
        kind: TextKind::Chat,
        model: model.into(),
        messages: vec![
            ChatMessage {
                role: Role::User,
                text: "earlier".into(),
            },
            ChatMessage {
                role: Role::Assistant,
                text: "yes".into(),
            },
            ChatMessage {
                role: Role::User,
                text: text.into(),
            },
        ],
        max_tokens: 77,
        temperature_permille: Some(250),
    })
}

fn ask(service: &LanguageService, request: ServiceRequest) -> Vec<ServiceEvent> {
    collect(|sink| service.handle(request, sink, &CancelToken::new()))
}

fn failure(events: &[ServiceEvent]) -> &Failure {
    match events.last() {
        Some(ServiceEvent::Failed(failure)) => failure,
        other => panic!("expected a failure, got {other:?}"),
    }
}

fn usage(events: &[ServiceEvent]) -> Usage {
    events
        .iter()
        .find_map(|e| {
            if let ServiceEvent::Usage(u) = e {
                Some(*u)
            } else {
                None
            }
        })
        .unwrap()
}

const ONE: &str = r#"{"choices":[{"index":0,"delta":{"role":"assistant","content":null}}]}"#;
const HEL: &str = r#"{"choices":[{"index":0,"delta":{"content":"Hel"}}]}"#;
const LO: &str = r#"{"choices":[{"index":0,"delta":{"content":"lo"},"finish_reason":null}]}"#;
const STOP: &str = r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#;
const COST: &str =
    r#"{"choices":[],"usage":{"prompt_tokens":12,"completion_tokens":2,"total_tokens":14}}"#;

#[test]
fn a_chat_is_asked_once_in_the_right_shape_and_streams() {
    let web = Web::start(|_| Reply::sse(&[ONE, HEL, LO, STOP, COST, "[DONE]"]));
    let events = ask(
        &service("openai", &web.url("/v1")),
        chat("p/org/model:7b", "hi"),
    );
    assert_eq!(
        events,
        [
            ServiceEvent::Started {
                provider: "p".into(),
                model: "org/model:7b".into()
            },
            ServiceEvent::Text("Hel".into()),
            ServiceEvent::Text("lo".into()),
            ServiceEvent::Usage(Usage {
                prompt_tokens: 12,
                output_tokens: 2,
                ..Usage::default()
            }),
            ServiceEvent::Done(FinishReason::Complete),
        ]
    );
    let seen = web.requests();
    assert_eq!(seen.len(), 1);
    assert_eq!(
        (seen[0].method.as_str(), seen[0].target.as_str()),
        ("POST", "/v1/chat/completions")
    );
    assert_eq!(seen[0].header("authorization"), Some("Bearer sekrit-key"));
    assert_eq!(
        seen[0].json(),
        serde_json::json!({
            "model": "org/model:7b", "stream": true, "max_tokens": 77, "temperature": 0.25,
            "stream_options": { "include_usage": true },
            "messages": [
                { "role": "user", "content": "earlier" },
                { "role": "assistant", "content": "yes" },
                { "role": "user", "content": "hi" },
            ],
        })
    );
}

#[test]
fn a_llama_cpp_python_stream_with_pings_and_no_usage_is_understood() {
    let steps = [
        ": ping - 2026-01-01 00:00:00.000\r\n\r\n".to_owned(),
        format!("data: {ONE}\r\n\r\n"),
        format!("data: {HEL}\r\n\r\n: ping\r\n\r\ndata:"),
        format!(
            " {LO}\r\n\r\ndata: {}\r\n\r\n",
            STOP.replace("stop", "length")
        ),
        "data: [DONE]\r\n\r\n".to_owned(),
    ];
    let steps: Vec<Step> = steps
        .into_iter()
        .map(|s| Step::Send(s.into_bytes()))
        .collect();
    let web = Web::start(move |_| Reply::stream("text/event-stream; charset=utf-8", steps.clone()));
    let events = ask(
        &service("openai", &web.url("/v1")),
        chat("p//models/tiny.gguf", "hi"),
    );
    assert_eq!(text_of(&events), "Hello");
    assert_eq!(
        events.last(),
        Some(&ServiceEvent::Done(FinishReason::Length))
    );
    assert_eq!(
        usage(&events),
        Usage {
            prompt_tokens: 3,
            output_tokens: 2,
            estimated: true,
            ..Usage::default()
        }
    );
    assert_eq!(web.requests()[0].json()["model"], "/models/tiny.gguf");
}

#[test]
fn a_missing_done_is_forgiven_only_after_a_finish() {
    let good = Web::start(|_| Reply::sse(&[HEL, STOP]));
    let events = ask(&service("openai", &good.url("/v1")), chat("p/m", "hi"));
    assert_eq!(
        events.last(),
        Some(&ServiceEvent::Done(FinishReason::Complete))
    );
    let bad = Web::start(|_| Reply::sse(&[HEL]));
    let events = ask(&service("openai", &bad.url("/v1")), chat("p/m", "hi"));
    assert_eq!(failure(&events).code, FailureCode::ProviderBroke);
}

#[test]
fn a_server_that_dies_in_the_middle_is_named_and_its_text_stays() {
    let web = Web::start(|_| Reply::sse(&[HEL, LO]).then(Step::Die));
    let events = ask(&service("openai", &web.url("/v1")), chat("p/m", "hi"));
    assert_eq!(text_of(&events), "Hello");
    assert_eq!(
        (failure(&events).code, failure(&events).provider.as_str()),
        (FailureCode::ProviderBroke, "p")
    );
    assert_eq!(usage(&events).output_tokens, 2);
    assert_eq!(
        web.requests().len(),
        1,
        "what may have run is not run again"
    );
}

#[test]
fn a_server_that_dies_before_the_answer_is_not_asked_twice() {
    let web = Web::start(|_| Reply::sse(&[]).then(Step::Die));
    let events = ask(&service("openai", &web.url("/v1")), chat("p/m", "hi"));
    assert_eq!(failure(&events).code, FailureCode::ProviderFailed);
    assert_eq!(web.requests().len(), 1);
}

#[test]
fn a_cancel_reaches_the_server_within_a_moment() {
    for kind in ["openai", "ollama"] {
        let first = if kind == "openai" {
            format!("data: {HEL}\n\n")
        } else {
            "{\"message\":{\"content\":\"Hel\"},\"done\":false}\n".to_owned()
        };
        let steps = vec![Step::Send(first.into_bytes()), Step::AwaitHangup];
        let web = Web::start(move |_| Reply::stream("text/event-stream", steps.clone()));
        let service = service(kind, &web.url(""));
        let cancel = CancelToken::new();
        let began = std::sync::Mutex::new(Instant::now());
        let events = collect(|sink| {
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    web.await_request(if kind == "openai" {
                        "/chat/completions"
                    } else {
                        "/api/chat"
                    });
                    // Long enough for the answer's head to be read; the outcome does not depend on it.
                    std::thread::sleep(Duration::from_millis(50));
                    *began.lock().unwrap() = Instant::now();
                    cancel.cancel();
                });
                service.handle(chat("p/m", "hi"), sink, &cancel)
            })
        });
        assert_eq!(failure(&events).code, FailureCode::Cancelled);
        let took = web.await_hangup().duration_since(*began.lock().unwrap());
        assert!(
            took < Duration::from_millis(300),
            "{kind}: the server saw the hang-up after {took:?}"
        );
        assert_eq!(web.requests().len(), 1);
    }
}

#[test]
fn words_pass_through_as_they_come() {
    let steps = vec![
        Step::Send(format!("data: {HEL}\n\n").into_bytes()),
        Step::AwaitHangup,
    ];
    let web = Web::start(move |_| Reply::stream("text/event-stream", steps.clone()));
    let service = service("openai", &web.url("/v1"));
    let (mut sink, mut events) = crate::ipc::EventSink::pair();
    let cancel = CancelToken::new();
    std::thread::scope(|scope| {
        scope.spawn(|| service.handle(chat("p/m", "hi"), &mut sink, &cancel));
        let mut next =
            || crate::ipc::read_frame::<ServiceEvent>(&mut events, crate::ipc::EVENT_CAP).unwrap();
        assert!(matches!(next(), ServiceEvent::Started { .. }));
        // The server says nothing more, so this can only arrive if nothing on the way waits for more.
        assert_eq!(next(), ServiceEvent::Text("Hel".into()));
        cancel.cancel();
    });
}

#[test]
fn too_many_requests_and_not_ready_are_waited_out_and_run_once() {
    for status in [429, 503] {
        let count = AtomicUsize::new(0);
        let web = Web::start(move |_| match count.fetch_add(1, Ordering::SeqCst) {
            0 | 1 => Reply::status(status, r#"{"error":{"message":"Loading model"}}"#),
            _ => Reply::sse(&[HEL, STOP, "[DONE]"]),
        });
        let events = ask(&service("openai", &web.url("/v1")), chat("p/m", "hi"));
        assert_eq!(text_of(&events), "Hel");
        assert_eq!(web.requests().len(), 3);
        assert_eq!(
            events
                .iter()
                .filter(|e| matches!(e, ServiceEvent::Started { .. }))
                .count(),
            1
        );
    }
}

#[test]
fn a_wait_that_the_server_wants_beyond_the_deadline_is_told_instead() {
    let web = Web::start(|_| {
        Reply::status(429, r#"{"error":{"message":"quota"}}"#).with("retry-after", "3600")
    });
    let events = ask(&service("openai", &web.url("/v1")), chat("p/m", "hi"));
    assert_eq!(failure(&events).code, FailureCode::RateLimited);
    assert!(failure(&events).detail.contains("quota"));
    assert_eq!(web.requests().len(), 1);
}

#[test]
fn refusals_are_passed_on_by_name_and_never_repeated() {
    let cases: [(Reply, FailureCode, &str); 7] = [
        (
            Reply::status(500, r#"{"error":{"message":"out of memory"}}"#),
            FailureCode::ProviderFailed,
            "out of memory",
        ),
        (
            Reply::status(401, r#"{"error":{"message":"bad key sekrit-key"}}"#),
            FailureCode::KeyRefused,
            "bad key [key]",
        ),
        (
            Reply::status(404, r#"{"error":{"message":"model m not found"}}"#),
            FailureCode::ModelUnknown,
            "model m",
        ),
        (
            Reply::status(400, r#"{"error":{"message":"context is full"}}"#),
            FailureCode::BadRequest,
            "context is full",
        ),
        (
            Reply::html("<!DOCTYPE html><title>Router login</title>"),
            FailureCode::ProviderFailed,
            "web page",
        ),
        (
            Reply::json("{nonsense"),
            FailureCode::ProviderFailed,
            "not JSON",
        ),
        (Reply::json("{}"), FailureCode::ProviderFailed, "no message"),
    ];
    for (reply, code, said) in cases {
        let web = Web::start(move |_| reply.clone());
        let events = ask(&service("openai", &web.url("/v1")), chat("p/m", "hi"));
        let failure = failure(&events);
        assert_eq!(
            (failure.code, failure.provider.as_str()),
            (code, "p"),
            "{failure}"
        );
        assert!(failure.detail.contains(said), "{failure}");
        assert!(!failure.detail.contains("sekrit"));
        assert_eq!(web.requests().len(), 1);
    }
}

#[test]
fn garbage_error_objects_and_huge_lines_in_a_stream_are_named() {
    let huge = format!("{{\"x\":\"{}\"", "y".repeat(2 << 20));
    for (payload, said) in [
        (
            r#"{"error":{"message":"slot unavailable"}}"#,
            "slot unavailable",
        ),
        ("<html>proxy</html>", "not JSON: <html>proxy"),
        (&huge, "more than 1 MiB"),
    ] {
        let reply = Reply::sse(&[HEL, payload]);
        let web = Web::start(move |_| reply.clone());
        let events = ask(&service("openai", &web.url("/v1")), chat("p/m", "hi"));
        assert_eq!(text_of(&events), "Hel");
        assert_eq!(failure(&events).code, FailureCode::ProviderBroke);
        assert!(
            failure(&events).detail.contains(said),
            "{}",
            failure(&events)
        );
    }
}

#[test]
fn a_server_without_chat_is_asked_for_a_completion_and_one_without_streaming_still_answers() {
    let web = Web::start(|seen: &Seen| match seen.target.as_str() {
        "/v1/completions" => Reply::sse(&[
            r#"{"choices":[{"text":"Hi","finish_reason":"stop"}]}"#,
            "[DONE]",
        ]),
        _ => Reply::status(404, r#"{"detail":"Not Found"}"#),
    });
    let service_one = service("openai", &web.url("/v1"));
    assert_eq!(text_of(&ask(&service_one, chat("p/m", "hi"))), "Hi");
    let prompt = web.asked("POST", "/v1/completions")[0].json()["prompt"].clone();
    assert_eq!(
        prompt,
        "User: earlier\n\nAssistant: yes\n\nUser: hi\n\nAssistant:"
    );
    ask(&service_one, chat("p/m", "again"));
    assert_eq!(
        web.asked("POST", "/v1/chat/completions").len(),
        1,
        "the server's dialect is remembered"
    );

    let whole = Web::start(|_| {
        Reply::json(r#"{"choices":[{"message":{"content":"all"},"finish_reason":"stop"}]}"#)
    });
    let events = ask(&service("openai", &whole.url("/v1")), chat("p/m", "hi"));
    assert_eq!(text_of(&events), "all");
    assert_eq!(
        events.last(),
        Some(&ServiceEvent::Done(FinishReason::Complete))
    );
}

#[test]
fn a_server_that_dislikes_stream_options_is_asked_without_them() {
    let web = Web::start(|seen: &Seen| {
        if seen.json().get("stream_options").is_some() {
            Reply::status(422, r#"{"detail":"Unknown field stream_options"}"#)
        } else {
            Reply::sse(&[HEL, STOP, "[DONE]"])
        }
    });
    assert_eq!(
        text_of(&ask(&service("openai", &web.url("/v1")), chat("p/m", "hi"))),
        "Hel"
    );
    assert_eq!(web.requests().len(), 2);
}

#[test]
fn a_provider_that_ignores_max_tokens_is_hung_up_on() {
    let flood = format!(
        r#"{{"choices":[{{"delta":{{"content":"{}"}}}}]}}"#,
        "x".repeat(4000)
    );
    let steps: Vec<Step> = (0..4)
        .map(|_| Step::Send(format!("data: {flood}\n\n").into_bytes()))
        .collect();
    let steps: Vec<Step> = steps.into_iter().chain([Step::AwaitHangup]).collect();
    let web = Web::start(move |_| Reply::stream("text/event-stream", steps.clone()));
    let events = ask(&service("openai", &web.url("/v1")), chat("p/m", "hi"));
    assert_eq!(
        events.last(),
        Some(&ServiceEvent::Done(FinishReason::Length))
    );
    web.await_hangup();
}

#[test]
fn a_dead_provider_is_an_error_that_names_it_and_never_the_built_in_one() {
    let service = service("openai", "http://127.0.0.1:1/v1");
    for model in ["", "p/m"] {
        let events = ask(&service, chat(model, "hi"));
        let failure = failure(&events);
        assert_eq!(
            (failure.code, failure.provider.as_str()),
            (FailureCode::ProviderUnreachable, "p")
        );
        assert!(failure.detail.contains("127.0.0.1:1"), "{failure}");
        assert_eq!(text_of(&events), "");
    }
    let events = ask(&service, ServiceRequest::Health);
    let ServiceEvent::Health(list) = &events[0] else {
        panic!("{events:?}")
    };
    assert!(matches!(&list[0].health, Health::Unhealthy(_)), "{list:?}");
    assert_eq!(
        (list[1].provider.as_str(), &list[1].health),
        ("built-in", &Health::Healthy)
    );
}

#[test]
fn without_a_model_name_the_next_real_provider_answers_if_nothing_ran() {
    let web = Web::start(|seen: &Seen| match seen.method.as_str() {
        "GET" => Reply::json(r#"{"data":[{"id":"m"}]}"#),
        _ => Reply::sse(&[HEL, STOP, "[DONE]"]),
    });
    let service = service_of(&format!(
        "[[provider]]\nname = 'dead'\nkind = 'openai'\nbase_url = 'http://127.0.0.1:1/v1'\n\
         [[provider]]\nname = 'living'\nkind = 'openai'\nbase_url = '{}'\n",
        web.url("/v1")
    ));
    let events = ask(&service, chat("", "hi"));
    assert_eq!(
        events[0],
        ServiceEvent::Started {
            provider: "living".into(),
            model: "m".into()
        }
    );
    assert_eq!(text_of(&events), "Hel");
}

#[test]
fn alone_the_built_in_partner_answers_and_is_named() {
    let events = ask(&service_of(""), chat("", "what is 6 * 7?"));
    assert_eq!(
        events[0],
        ServiceEvent::Started {
            provider: "built-in".into(),
            model: "partner".into()
        }
    );
    assert_eq!(text_of(&events), "6 × 7 = **42**");
    assert_eq!(
        events.last(),
        Some(&ServiceEvent::Done(FinishReason::Complete))
    );
    assert_eq!(
        failure(&ask(&service_of(""), chat("nobody/x", "hi"))).code,
        FailureCode::ModelUnknown
    );
}
