//! `/v1/embeddings`.

use super::error::ApiError;
use super::fields::Fields;
use super::{Answer, Asked, Told};
use crate::control::api::{GatewayEmbed, GatewayEvent, Secret};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::fmt::Write as _;

pub(super) fn read(body: &[u8], key: &str) -> Result<Asked, ApiError> {
    let mut fields = Fields::read(body)?;
    let model = fields.text("model")?;
    let input = input(&mut fields)?;
    let base64 = match fields.take("encoding_format") {
        None => false,
        Some(format) if format == "float" => false,
        Some(format) if format == "base64" => true,
        Some(_) => {
            return Err(ApiError::request(
                Some("encoding_format"),
                "encoding_format has to be float or base64",
            ));
        }
    };
    let dimensions = fields
        .count("dimensions")?
        .map(|count| u16::try_from(count).unwrap_or(u16::MAX));
    fields.finish(&[])?;
    let wanted = GatewayEmbed {
        key: Secret(key.to_owned()),
        model: model.clone(),
        input,
        dimensions,
    };
    Ok(Asked {
        method: "gateway.embed",
        params: serde_json::to_value(wanted).unwrap_or_default(),
        answer: Box::new(EmbeddingAnswer {
            model,
            base64,
            body: String::from(HEAD),
        }),
    })
}

fn input(fields: &mut Fields) -> Result<Vec<String>, ApiError> {
    let bad = |words: &str| Err(ApiError::request(Some("input"), words));
    match fields.take("input") {
        Some(Value::String(one)) => Ok(vec![one]),
        Some(Value::Array(list)) if list.is_empty() => bad("input: the list is empty"),
        Some(Value::Array(list)) if list.iter().all(Value::is_string) => Ok(list
            .into_iter()
            .filter_map(|one| match one {
                Value::String(text) => Some(text),
                _ => None,
            })
            .collect()),
        Some(Value::Array(list)) if list.iter().all(|one| one.is_number() || one.is_array()) => {
            bad(
                "input: lists of tokens are not supported, because each model has its own; send the text",
            )
        }
        _ => bad("input has to be a text or a list of texts"),
    }
}

struct EmbeddingAnswer {
    model: String,
    base64: bool,
    /// The answer so far, objects as they will stand in the list: as values they would weigh ten times as much, and a copy of
    /// them at the end would weigh as much again.
    body: String,
}

/// How the answer begins.
const HEAD: &str = r#"{"object":"list","data":["#;

impl EmbeddingAnswer {
    /// Writes one object down; false where the daemon's numbers do not read.
    fn push(&mut self, index: u16, numbers: &str) -> bool {
        if self.body.len() > HEAD.len() {
            self.body.push(',');
        }
        let written = write!(
            self.body,
            r#"{{"object":"embedding","index":{index},"embedding":"#
        );
        let pushed = match self.base64 {
            true => {
                self.body.push('"');
                self.body.push_str(numbers);
                self.body.push('"');
                true
            }
            false => self.floats(numbers),
        };
        self.body.push('}');
        written.is_ok() && pushed
    }

    fn floats(&mut self, numbers: &str) -> bool {
        let Ok(octets) = STANDARD.decode(numbers) else {
            return false;
        };
        let (whole, rest) = octets.as_chunks::<4>();
        for (place, one) in whole.iter().enumerate() {
            self.body.push(if place == 0 { '[' } else { ',' });
            let number = f32::from_le_bytes(*one);
            // The shortest digits that read back as the same number; JSON has no word for those that are none.
            if !number.is_finite() || write!(self.body, "{number:?}").is_err() {
                return false;
            }
        }
        self.body.push(']');
        rest.is_empty() && !whole.is_empty()
    }
}

impl Answer for EmbeddingAnswer {
    fn take(&mut self, event: GatewayEvent) -> Told {
        match event {
            GatewayEvent::Started { model } => {
                self.model = model;
                Told::Nothing
            }
            GatewayEvent::Vector { index, data } => match self.push(index, &data) {
                true => Told::Nothing,
                false => Told::Failed(ApiError::no_daemon("the daemon's numbers do not read")),
            },
            GatewayEvent::Done { prompt_tokens, .. } => {
                let mut body = std::mem::take(&mut self.body);
                let tail = write!(
                    body,
                    r#"],"model":{},"usage":{}}}"#,
                    Value::from(self.model.as_str()),
                    json!({"prompt_tokens": prompt_tokens, "total_tokens": prompt_tokens}),
                );
                match tail {
                    Ok(()) => Told::Written(body),
                    Err(_) => Told::Failed(ApiError::no_daemon("the answer can't be written")),
                }
            }
            GatewayEvent::Failed {
                fault,
                message,
                retry_after_s,
            } => Told::Failed(ApiError::of(fault, message, retry_after_s)),
            GatewayEvent::Asking { .. }
            | GatewayEvent::Models { .. }
            | GatewayEvent::Delta { .. }
            | GatewayEvent::Picture { .. } => Told::Nothing,
        }
    }

    fn held(&self) -> usize {
        self.body.capacity()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vectors(body: &[u8]) -> Value {
        let mut asked = read(body, "k").unwrap_or_else(|error| panic!("{error:?}"));
        assert_eq!(asked.method, "gateway.embed");
        let of = |numbers: [f32; 2]| {
            let octets: Vec<u8> = numbers.iter().flat_map(|one| one.to_le_bytes()).collect();
            STANDARD.encode(octets)
        };
        for (index, numbers) in [(0, [0.1, -2.0]), (1, [1e-20, 3.5])] {
            let data = of(numbers);
            let event = GatewayEvent::Vector { index, data };
            let before = asked.answer.held();
            assert_eq!(asked.answer.take(event), Told::Nothing);
            assert!(asked.answer.held() >= before + 4, "what is kept is counted");
        }
        let done = GatewayEvent::Done {
            prompt_tokens: 4,
            output_tokens: 0,
            cut_short: false,
        };
        let Told::Written(text) = asked.answer.take(done) else {
            panic!("written");
        };
        serde_json::from_str(&text).expect("JSON")
    }

    #[test]
    fn vectors_come_as_numbers_or_in_base64() {
        let floats = vectors(br#"{"model":"m \"x\"","input":["a","b"],"encoding_format":"float"}"#);
        assert_eq!(
            floats,
            json!({
                "object": "list",
                "data": [
                    {"object": "embedding", "index": 0, "embedding": [0.1, -2.0]},
                    {"object": "embedding", "index": 1, "embedding": [1e-20, 3.5]},
                ],
                "model": "m \"x\"",
                "usage": {"prompt_tokens": 4, "total_tokens": 4},
            })
        );
        let coded = vectors(br#"{"model":"m","input":["a","b"],"encoding_format":"base64"}"#);
        assert_eq!(coded["data"][0]["embedding"], "zczMPQAAAMA=");
    }

    #[test]
    fn texts_are_asked_for_as_they_are() {
        let asked = read(
            br#"{"model":"m","input":"a","dimensions":256,"user":"u"}"#,
            "k",
        )
        .unwrap_or_else(|error| panic!("{error:?}"));
        assert_eq!(
            asked.params,
            json!({"key": "k", "model": "m", "input": ["a"], "dimensions": 256})
        );
    }

    #[test]
    fn what_it_cannot_do_is_refused() {
        for more in [
            r#""input":[1,2]"#,
            r#""input":[[1,2],[3]]"#,
            r#""input":["a",1]"#,
            r#""input":[]"#,
            r#""input":{}"#,
            r#""input":"a","encoding_format":"hex""#,
            r#""input":"a","dimensions":0"#,
            r#""input":"a","input_type":"query""#,
        ] {
            let body = format!(r#"{{"model":"m",{more}}}"#);
            assert!(read(body.as_bytes(), "k").is_err(), "{body}");
        }
    }
}
