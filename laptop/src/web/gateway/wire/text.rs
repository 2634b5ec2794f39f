//! `/v1/completions`.

use super::error::ApiError;
use super::fields::Fields;
use super::{Answer, Asked, Stamp, Told, finish_reason, usage};
use crate::control::api::{GatewayEvent, GatewayText, Secret};
use serde_json::{Value, json};

/// Parameters of the API that would change an answer and that no provider is asked for.
const UNSUPPORTED: [&str; 2] = ["seed", "suffix"];

pub(super) fn read(body: &[u8], key: &str, stamp: Stamp) -> Result<Asked, ApiError> {
    let mut fields = Fields::read(body)?;
    let model = fields.text("model")?;
    let prompt = match fields.take("prompt") {
        Some(Value::String(prompt)) => prompt,
        Some(Value::Array(list)) => match list.as_slice() {
            [Value::String(one)] => one.clone(),
            _ => {
                let words =
                    "prompt: one text is taken; several, and lists of tokens, are not supported";
                return Err(ApiError::request(Some("prompt"), words));
            }
        },
        _ => return Err(ApiError::request(Some("prompt"), "prompt has to be a text")),
    };
    let sampling = fields.sampling()?;
    let (stream, include_usage) = fields.streaming()?;
    fields.only("n", &[json!(1)])?;
    fields.only("best_of", &[json!(1)])?;
    fields.only("echo", &[json!(false)])?;
    fields.only("top_p", &[json!(1)])?;
    fields.only("presence_penalty", &[json!(0)])?;
    fields.only("frequency_penalty", &[json!(0)])?;
    fields.only("logprobs", &[])?;
    fields.only("logit_bias", &[json!({})])?;
    fields.finish(&UNSUPPORTED)?;
    let wanted = GatewayText {
        key: Secret(key.to_owned()),
        model: model.clone(),
        prompt,
        sampling,
    };
    Ok(Asked {
        method: "gateway.complete",
        params: serde_json::to_value(wanted).unwrap_or_default(),
        answer: Box::new(TextAnswer {
            stamp,
            model,
            stream,
            include_usage,
            text: String::new(),
        }),
    })
}

struct TextAnswer {
    stamp: Stamp,
    model: String,
    stream: bool,
    include_usage: bool,
    text: String,
}

impl TextAnswer {
    fn object(&self, choices: Value) -> Value {
        let mut object = json!({
            "id": format!("cmpl-{}", self.stamp.id),
            "object": "text_completion",
            "created": self.stamp.created,
            "model": self.model,
            "choices": choices,
        });
        if self.include_usage {
            object["usage"] = Value::Null;
        }
        object
    }

    fn choice(&self, text: &str, finish: Option<&str>) -> Value {
        self.object(json!([
            {"index": 0, "text": text, "logprobs": null, "finish_reason": finish}
        ]))
    }
}

impl Answer for TextAnswer {
    fn take(&mut self, event: GatewayEvent) -> Told {
        match event {
            GatewayEvent::Started { model } => {
                self.model = model;
                Told::Nothing
            }
            GatewayEvent::Delta { text } if self.stream => {
                Told::Chunks(vec![self.choice(&text, None)])
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
                let finish = Some(finish_reason(cut_short));
                let usage = usage(prompt_tokens, output_tokens);
                if !self.stream {
                    let mut whole = self.choice(&self.text, finish);
                    whole["usage"] = usage;
                    return Told::Whole(whole);
                }
                let mut chunks = vec![self.choice("", finish)];
                if self.include_usage {
                    let mut last = self.object(json!([]));
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
            created: 1,
        }
    }

    #[test]
    fn a_text_is_gone_on_with() {
        let body = br#"{"model":"m","prompt":["once"],"max_tokens":5,"echo":false,"suffix":null}"#;
        let mut asked = read(body, "k", stamp()).unwrap_or_else(|error| panic!("{error:?}"));
        assert_eq!(
            asked.params,
            json!({"key": "k", "model": "m", "prompt": "once", "max_tokens": 5})
        );
        let delta = GatewayEvent::Delta {
            text: " upon".into(),
        };
        assert_eq!(asked.answer.take(delta), Told::Nothing);
        let done = GatewayEvent::Done {
            prompt_tokens: 1,
            output_tokens: 1,
            cut_short: false,
        };
        let Told::Whole(whole) = asked.answer.take(done) else {
            panic!("whole");
        };
        assert_eq!(whole["choices"][0]["text"], " upon");
        assert_eq!(whole["choices"][0]["finish_reason"], "stop");
        assert_eq!(whole["usage"]["total_tokens"], 2);
    }

    #[test]
    fn what_it_cannot_do_is_refused() {
        for more in [
            r#""prompt":[1,2]"#,
            r#""prompt":"a","echo":true"#,
            r#""prompt":"a","suffix":"b""#,
            r#""prompt":"a","logprobs":2"#,
            r#""prompt":"a","best_of":3"#,
        ] {
            let body = format!(r#"{{"model":"m",{more}}}"#);
            assert!(read(body.as_bytes(), "k", stamp()).is_err(), "{body}");
        }
    }
}
