//! Ollama's own API.

use super::*;

fn ollama(seen: &Seen) -> Reply {
    match seen.target.as_str() {
        "/api/tags" => Reply::json(
            r#"{"models":[{"name":"nomic-embed-text:latest","details":{}},
                {"name":"llama3.1:8b","details":{"parameter_size":"8.0B","quantization_level":"Q4_0"}},
                {"name":"qwen3:4b","details":{"parameter_size":"4.0B"}}]}"#,
        ),
        "/api/ps" => Reply::json(r#"{"models":[{"name":"qwen3:4b"}]}"#),
        "/api/chat" => {
            let lines = [
                r#"{"message":{"role":"assistant","content":"","thinking":"hm"},"done":false}"#,
                r#"{"message":{"role":"assistant","content":"Gu"},"done":false}"#,
                r#"{"message":{"role":"assistant","content":"ten Tag"},"done":false}"#,
                r#"{"message":{"content":""},"done":true,"done_reason":"stop","prompt_eval_count":9,"eval_count":4}"#,
            ];
            Reply::stream(
                "application/x-ndjson",
                lines
                    .iter()
                    .map(|l| Step::Send(format!("{l}\n").into_bytes()))
                    .collect(),
            )
        }
        _ => Reply::status(404, "404 page not found"),
    }
}

#[test]
fn ollama_is_asked_in_its_own_api_and_tells_sizes_and_load_state() {
    let web = Web::start(ollama);
    let service = service("ollama", &web.url(""));
    let events = ask(&service, ServiceRequest::Models);
    let ServiceEvent::Models(models) = &events[0] else {
        panic!("{events:?}")
    };
    let shown: Vec<_> = models
        .iter()
        .map(|m| (m.id.as_str(), m.loaded, m.default, m.note.as_str()))
        .collect();
    assert_eq!(
        shown,
        [
            ("p/nomic-embed-text:latest", Some(false), false, ""),
            ("p/llama3.1:8b", Some(false), false, "8.0B Q4_0"),
            ("p/qwen3:4b", Some(true), true, "4.0B"),
            (
                "built-in/partner",
                Some(true),
                false,
                "built-in: simple rules, no language model"
            ),
        ]
    );
    let events = ask(&service, chat("", "hi"));
    assert_eq!(
        events[0],
        ServiceEvent::Started {
            provider: "p".into(),
            model: "qwen3:4b".into()
        }
    );
    assert_eq!(text_of(&events), "Guten Tag");
    assert_eq!(
        usage(&events),
        Usage {
            prompt_tokens: 9,
            output_tokens: 4,
            ..Usage::default()
        }
    );
    let asked = web.asked("POST", "/api/chat");
    assert_eq!(asked.len(), 1);
    assert_eq!(
        asked[0].json()["options"],
        serde_json::json!({ "num_predict": 77, "temperature": 0.25 })
    );
    assert_eq!(
        web.asked("GET", "/api/tags").len(),
        1,
        "a fresh list is not asked for again"
    );
}

#[test]
fn ollama_errors_and_deaths_are_named() {
    for (last, code) in [
        (
            r#"{"error":"llama runner process has terminated"}"#,
            FailureCode::ProviderBroke,
        ),
        ("not json", FailureCode::ProviderBroke),
        ("", FailureCode::ProviderBroke),
    ] {
        let steps = vec![
            Step::Send(b"{\"message\":{\"content\":\"a\"},\"done\":false}\n".to_vec()),
            Step::Send(format!("{last}\n").into_bytes()),
        ];
        let web = Web::start(move |_| Reply::stream("application/x-ndjson", steps.clone()));
        let events = ask(&service("ollama", &web.url("")), chat("p/m", "hi"));
        assert_eq!(
            (text_of(&events).as_str(), failure(&events).code),
            ("a", code),
            "{last}"
        );
    }
    let web = Web::start(|_| Reply::status(404, r#"{"error":"model 'm' not found"}"#));
    let events = ask(&service("ollama", &web.url("")), chat("p/m", "hi"));
    assert_eq!(failure(&events).code, FailureCode::ModelUnknown);
}
