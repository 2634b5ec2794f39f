//! `/v1/chat/completions`.

use super::error::ApiError;
use super::fields::Fields;
use super::{Answer, Asked, Stamp, Told, finish_reason, usage};
use crate::control::api::{GatewayChat, GatewayEvent, GatewayMessage, Secret, Speaker};
use serde_json::{Value, json};

/// Parameters of the API that would change an answer and that no provider is asked for.
const UNSUPPORTED: [&str; 10] = [
    "audio",
    "function_call",
    "functions",
    "prediction",
    "reasoning_effort",
    "seed",
    "tools",
    "tool_choice",
    "verbosity",
    "web_search_options",
];

pub(super) fn read(body: &[u8], key: &str, stamp: Stamp) -> Result<Asked, ApiError> {
    let mut fields = Fields::read(body)?;
    let model = fields.text("model")?;
    let messages = match fields.take("messages") {
        Some(Value::Array(list)) if !list.is_empty() => list
            .into_iter()
            .enumerate()
            .map(|(at, one)| message(at, one))
            .collect::<Result<_, _>>()?,
        _ => {
            return Err(ApiError::request(
                Some("messages"),
                "messages has to be a list with at least one message",
            ));
        }
    };
    let sampling = fields.sampling()?;
    let (stream, include_usage) = fields.streaming()?;
    fields.only("n", &[json!(1)])?;
    fields.only("top_p", &[json!(1)])?;
    fields.only("presence_penalty", &[json!(0)])?;
    fields.only("frequency_penalty", &[json!(0)])?;
    fields.only("logprobs", &[json!(false)])?;
    fields.only("top_logprobs", &[json!(0)])?;
    fields.only("logit_bias", &[json!({})])?;
    fields.only("modalities", &[json!(["text"])])?;
    fields.only("response_format", &[json!({"type": "text"})])?;
    fields.only("tools", &[json!([])])?;
    fields.only("tool_choice", &[json!("none"), json!("auto")])?;
    fields.finish(&UNSUPPORTED)?;
    let wanted = GatewayChat {
        key: Secret(key.to_owned()),
        model: model.clone(),
        messages,
        sampling,
    };
    Ok(Asked {
        method: "gateway.chat",
        params: serde_json::to_value(wanted).unwrap_or_default(),
        answer: Box::new(ChatAnswer {
            stamp,
            model,
            stream,
            include_usage,
            begun: false,
            text: String::new(),
        }),
    })
}

fn message(at: usize, value: Value) -> Result<GatewayMessage, ApiError> {
    let place = format!("messages[{at}]");
    let bad = |what: String| ApiError::request(Some("messages"), format!("{place}: {what}"));
    let Value::Object(fields) = value else {
        return Err(bad("a message is an object".into()));
    };
    let mut fields = Fields::of(fields);
    let role = match fields.text("role")?.as_str() {
        "system" | "developer" => Speaker::System,
        "user" => Speaker::User,
        "assistant" => Speaker::Assistant,
        "tool" | "function" => return Err(ApiError::unsupported("tools")),
        other => {
            let other = crate::sanitize::visible(other);
            return Err(bad(format!("there is no role {other}")));
        }
    };
    let text = match fields.take("content") {
        Some(Value::String(text)) => text,
        Some(Value::Array(parts)) => parts
            .into_iter()
            .map(
                |part| match (part["type"].as_str(), part["text"].as_str()) {
                    (Some("text"), Some(text)) => Ok(text.to_owned()),
                    (Some(kind), _) if kind != "text" => {
                        let kind = crate::sanitize::visible(kind);
                        Err(bad(format!("parts of the type {kind} are not supported")))
                    }
                    _ => Err(bad("a part of a text has type and text".into())),
                },
            )
            .collect::<Result<Vec<_>, _>>()?
            .concat(),
        None if role == Speaker::Assistant => String::new(),
        _ => return Err(bad("content is a text or a list of parts".into())),
    };
    fields.only("tool_calls", &[json!([])])?;
    fields.only("annotations", &[json!([])])?;
    fields
        .finish(&["name", "refusal", "audio", "function_call"])
        .map(|()| GatewayMessage { role, text })
}

struct ChatAnswer {
    stamp: Stamp,
    model: String,
    stream: bool,
    include_usage: bool,
    begun: bool,
    text: String,
}

impl ChatAnswer {
    fn chunk(&self, choices: Value) -> Value {
        let mut chunk = json!({
            "id": format!("chatcmpl-{}", self.stamp.id),
            "object": "chat.completion.chunk",
            "created": self.stamp.created,
            "model": self.model,
            "choices": choices,
        });
        // As the API does: every chunk has the field where the usage was asked for, and only the last one a value.
        if self.include_usage {
            chunk["usage"] = Value::Null;
        }
        chunk
    }

    fn delta(&self, delta: Value, finish: Option<&str>) -> Value {
        self.chunk(json!([
            {"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish}
        ]))
    }

    /// The chunk that says who speaks, before the first of all others.
    fn begin(&mut self) -> Vec<Value> {
        match std::mem::replace(&mut self.begun, true) {
            true => Vec::new(),
            false => vec![self.delta(json!({"role": "assistant", "content": ""}), None)],
        }
    }

    fn whole(&self, finish: &str, usage: Value) -> Value {
        json!({
            "id": format!("chatcmpl-{}", self.stamp.id),
            "object": "chat.completion",
            "created": self.stamp.created,
            "model": self.model,
            "choices": [{
                "index": 0,
                "message": {"role": "assistant", "content": self.text, "refusal": null},
                "logprobs": null,
                "finish_reason": finish,
            }],
            "usage": usage,
        })
    }
}

impl Answer for ChatAnswer {
    fn take(&mut self, event: GatewayEvent) -> Told {
        match event {
            GatewayEvent::Started { model } => {
                self.model = model;
                Told::Nothing
            }
            GatewayEvent::Delta { text } if self.stream => {
                let mut chunks = self.begin();
                chunks.push(self.delta(json!({"content": text}), None));
                Told::Chunks(chunks)
            }
            GatewayEvent::Delta { text } => {
                self.text.push_str(&text);
                Told::Nothing
            }
            GatewayEvent::Done {
                prompt_tokens,
                output_tokens,
                cut_short,
            } => {
                let finish = finish_reason(cut_short);
                let usage = usage(prompt_tokens, output_tokens);
                if !self.stream {
                    return Told::Whole(self.whole(finish, usage));
                }
                let mut chunks = self.begin();
                chunks.push(self.delta(json!({}), Some(finish)));
                if self.include_usage {
                    let mut last = self.chunk(json!([]));
                    last["usage"] = usage;
                    chunks.push(last);
                }
                Told::End(chunks)
            }
            GatewayEvent::Failed {
                fault,
                message,
                retry_after_s,
            } => Told::Failed(ApiError::of(fault, message, retry_after_s)),
            GatewayEvent::Asking { .. }
            | GatewayEvent::Models { .. }
            | GatewayEvent::Picture { .. }
            | GatewayEvent::Vector { .. } => Told::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp() -> Stamp {
        Stamp {
            id: "7".into(),
            created: 1_700_000_000,
        }
    }

    fn asked(body: &str) -> Asked {
        read(body.as_bytes(), "k", stamp()).unwrap_or_else(|error| panic!("{error:?}"))
    }

    fn refused(body: &str) -> Value {
        match read(body.as_bytes(), "k", stamp()) {
            Ok(_) => panic!("{body} was taken"),
            Err(error) => error.body()["error"].clone(),
        }
    }

    #[test]
    fn a_request_of_the_official_client_becomes_a_call() {
        let asked = asked(
            r#"{"messages":[{"role":"developer","content":"be brief"},
                {"role":"user","content":[{"type":"text","text":"hel"},{"type":"text","text":"lo"}]},
                {"role":"assistant","content":"hi","refusal":null,"tool_calls":null},
                {"role":"user","content":"more"}],
                "model":"ollama/llama3.1:8b","temperature":0.7,"max_completion_tokens":50,"stop":"\n",
                "user":"ada","n":1,"top_p":1.0,"response_format":{"type":"text"},"metadata":{"a":"b"}}"#,
        );
        assert_eq!(asked.method, "gateway.chat");
        assert_eq!(
            asked.params,
            json!({
                "key": "k",
                "model": "ollama/llama3.1:8b",
                "messages": [
                    {"role": "system", "text": "be brief"},
                    {"role": "user", "text": "hello"},
                    {"role": "assistant", "text": "hi"},
                    {"role": "user", "text": "more"},
                ],
                "max_tokens": 50,
                "temperature": 70,
                "stop": ["\n"],
            })
        );
    }

    #[test]
    fn what_would_change_the_answer_is_refused_by_name() {
        for (more, param) in [
            (r#""tools":[{"type":"function"}]"#, "tools"),
            (r#""n":2"#, "n"),
            (r#""logprobs":true"#, "logprobs"),
            (
                r#""response_format":{"type":"json_object"}"#,
                "response_format",
            ),
            (r#""top_p":0.5"#, "top_p"),
            (r#""seed":1"#, "seed"),
            (r#""logit_bias":{"5":1}"#, "logit_bias"),
            (r#""presence_penalty":1"#, "presence_penalty"),
            (r#""tool_choice":"required""#, "tool_choice"),
        ] {
            let body =
                format!(r#"{{"model":"m","messages":[{{"role":"user","content":"x"}}],{more}}}"#);
            let error = refused(&body);
            assert_eq!(error["param"], param, "{error}");
            assert_eq!(error["code"], "unsupported_parameter", "{error}");
        }
        let body = r#"{"model":"m","messages":[{"role":"user","content":"x"}],"tempreature":1}"#;
        assert_eq!(refused(body)["code"], "unknown_parameter");
    }

    #[test]
    fn messages_that_cannot_be_said_are_refused() {
        for messages in [
            "[]",
            "{}",
            r#"[{"role":"tool","content":"x"}]"#,
            r#"[{"role":"user","content":[{"type":"image_url","image_url":{"url":"x"}}]}]"#,
            r#"[{"role":"user"}]"#,
            r#"[{"role":"user","content":"x","name":"ada"}]"#,
            r#"[{"role":"king","content":"x"}]"#,
        ] {
            let error = refused(&format!(r#"{{"model":"m","messages":{messages}}}"#));
            assert_eq!(error["type"], "invalid_request_error", "{error}");
        }
        assert_eq!(refused("[1]")["message"], "the body is no JSON object");
    }

    fn events() -> [GatewayEvent; 4] {
        [
            GatewayEvent::Started {
                model: "desk/parrot".into(),
            },
            GatewayEvent::Delta { text: "hel".into() },
            GatewayEvent::Delta { text: "lo".into() },
            GatewayEvent::Done {
                prompt_tokens: 3,
                output_tokens: 2,
                cut_short: true,
            },
        ]
    }

    #[test]
    fn an_answer_is_whole_where_no_stream_was_asked_for() {
        let mut asked = asked(r#"{"model":"m","messages":[{"role":"user","content":"x"}]}"#);
        let [first, second, third, last] = events();
        for event in [first, second, third] {
            assert_eq!(asked.answer.take(event), Told::Nothing);
        }
        assert_eq!(
            asked.answer.take(last),
            Told::Whole(json!({
                "id": "chatcmpl-7",
                "object": "chat.completion",
                "created": 1_700_000_000,
                "model": "desk/parrot",
                "choices": [{
                    "index": 0,
                    "message": {"role": "assistant", "content": "hello", "refusal": null},
                    "logprobs": null,
                    "finish_reason": "length",
                }],
                "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
            }))
        );
    }

    #[test]
    fn a_stream_begins_with_the_speaker_and_ends_with_the_usage() {
        let mut asked = asked(
            r#"{"model":"m","messages":[{"role":"user","content":"x"}],"stream":true,
                "stream_options":{"include_usage":true}}"#,
        );
        let mut chunks = Vec::new();
        for event in events() {
            match asked.answer.take(event) {
                Told::Chunks(more) | Told::End(more) => chunks.extend(more),
                Told::Nothing => {}
                other => panic!("{other:?}"),
            }
        }
        let deltas: Vec<&Value> = chunks
            .iter()
            .map(|one| &one["choices"][0]["delta"])
            .collect();
        assert_eq!(
            deltas[..4],
            [
                &json!({"role": "assistant", "content": ""}),
                &json!({"content": "hel"}),
                &json!({"content": "lo"}),
                &json!({}),
            ]
        );
        assert_eq!(chunks[3]["choices"][0]["finish_reason"], "length");
        assert_eq!(chunks[4]["choices"], json!([]));
        assert_eq!(chunks[4]["usage"]["total_tokens"], 5);
        assert!(chunks[..4].iter().all(|one| one["usage"].is_null()));
    }
}
