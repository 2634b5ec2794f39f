//! `/v1/images/generations`.

use super::error::ApiError;
use super::fields::Fields;
use super::{Answer, Asked, Stamp, Told};
use crate::control::api::{GatewayEvent, GatewayImage, Secret};
use serde_json::{Value, json};

/// Pixels of a side where the caller names no size.
const USUAL_SIDE: u16 = 1024;
/// Parameters of the API that would change an answer and that no painter is asked for.
const UNSUPPORTED: [&str; 2] = ["style", "partial_images"];

pub(super) fn read(body: &[u8], key: &str, stamp: Stamp) -> Result<Asked, ApiError> {
    let mut fields = Fields::read(body)?;
    let model = fields.text("model")?;
    let prompt = fields.text("prompt")?;
    let count = u8::try_from(fields.count("n")?.unwrap_or(1)).unwrap_or(u8::MAX);
    let (width, height) = size(&mut fields)?;
    if fields
        .take("response_format")
        .is_some_and(|format| format != "b64_json")
    {
        return Err(ApiError::request(
            Some("response_format"),
            "response_format: pictures come as b64_json only; nothing here has an address",
        ));
    }
    fields.only("stream", &[json!(false)])?;
    fields.only("quality", &[json!("auto"), json!("standard")])?;
    fields.only("background", &[json!("auto")])?;
    fields.only("moderation", &[json!("auto")])?;
    fields.only("output_format", &[json!("png")])?;
    fields.only("output_compression", &[json!(100)])?;
    fields.only("partial_images", &[json!(0)])?;
    fields.finish(&UNSUPPORTED)?;
    let wanted = GatewayImage {
        key: Secret(key.to_owned()),
        model,
        prompt,
        width,
        height,
        count,
    };
    Ok(Asked {
        method: "gateway.image",
        params: serde_json::to_value(wanted).unwrap_or_default(),
        answer: Box::new(ImageAnswer {
            stamp,
            pictures: Vec::new(),
        }),
    })
}

fn size(fields: &mut Fields) -> Result<(u16, u16), ApiError> {
    let bad = || {
        ApiError::request(
            Some("size"),
            "size has to be WIDTHxHEIGHT in pixels, such as 512x512, or auto",
        )
    };
    match fields.take("size") {
        None => Ok((USUAL_SIDE, USUAL_SIDE)),
        Some(Value::String(text)) if text == "auto" => Ok((USUAL_SIDE, USUAL_SIDE)),
        Some(Value::String(text)) => {
            let (width, height) = text.split_once('x').ok_or_else(bad)?;
            let side = |text: &str| text.parse::<u16>().map_err(|_| bad());
            Ok((side(width)?, side(height)?))
        }
        Some(_) => Err(bad()),
    }
}

struct ImageAnswer {
    stamp: Stamp,
    pictures: Vec<String>,
}

impl Answer for ImageAnswer {
    fn take(&mut self, event: GatewayEvent) -> Told {
        match event {
            GatewayEvent::Picture { index, data, .. } => {
                let index = usize::from(index);
                if self.pictures.len() <= index {
                    self.pictures.resize(index + 1, String::new());
                }
                self.pictures[index].push_str(&data);
                Told::Nothing
            }
            GatewayEvent::Done { .. } => {
                let data: Vec<Value> = std::mem::take(&mut self.pictures)
                    .into_iter()
                    .map(|picture| json!({ "b64_json": picture }))
                    .collect();
                Told::Whole(json!({ "created": self.stamp.created, "data": data }))
            }
            GatewayEvent::Failed {
                fault,
                message,
                retry_after_s,
            } => Told::Failed(ApiError::of(fault, message, retry_after_s)),
            GatewayEvent::Asking { .. }
            | GatewayEvent::Started { .. }
            | GatewayEvent::Delta { .. }
            | GatewayEvent::Vector { .. }
            | GatewayEvent::Models { .. } => Told::Nothing,
        }
    }

    fn held(&self) -> usize {
        self.pictures.iter().map(String::capacity).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp() -> Stamp {
        Stamp {
            id: "7".into(),
            created: 9,
        }
    }

    #[test]
    fn pieces_become_pictures() {
        let body = br#"{"model":"p","prompt":"a boat","size":"512x256","n":2,"response_format":"b64_json"}"#;
        let mut asked = read(body, "k", stamp()).unwrap_or_else(|error| panic!("{error:?}"));
        assert_eq!(
            asked.params,
            json!({"key": "k", "model": "p", "prompt": "a boat", "width": 512, "height": 256, "count": 2})
        );
        for (index, data) in [(0, "AAAA"), (0, "BBBB"), (1, "CCCC")] {
            let event = GatewayEvent::Picture {
                index,
                data: data.into(),
                last: true,
            };
            assert_eq!(asked.answer.take(event), Told::Nothing);
        }
        let done = GatewayEvent::Done {
            prompt_tokens: 0,
            output_tokens: 0,
            cut_short: false,
        };
        assert_eq!(
            asked.answer.take(done),
            Told::Whole(json!({
                "created": 9,
                "data": [{"b64_json": "AAAABBBB"}, {"b64_json": "CCCC"}],
            }))
        );
    }

    #[test]
    fn what_it_cannot_do_is_refused() {
        for more in [
            r#""response_format":"url""#,
            r#""size":"big""#,
            r#""size":"-1x5""#,
            r#""stream":true"#,
            r#""quality":"hd""#,
            r#""background":"transparent""#,
            r#""style":"vivid""#,
            r#""n":0"#,
        ] {
            let body = format!(r#"{{"model":"p","prompt":"a",{more}}}"#);
            assert!(read(body.as_bytes(), "k", stamp()).is_err(), "{body}");
        }
    }
}
