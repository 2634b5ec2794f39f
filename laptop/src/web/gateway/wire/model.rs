//! `/v1/models`.

use super::error::ApiError;
use super::{Answer, Asked, Told};
use crate::control::api::{GatewayEvent, GatewayKey, Secret};
use serde_json::{Value, json};

pub(super) fn list(key: &str) -> Result<Asked, ApiError> {
    Ok(asked(key, None))
}

/// One model; `id` as it stands in the address, where clients write its slash as it is or as `%2F`.
pub(super) fn one(key: &str, id: &str) -> Result<Asked, ApiError> {
    let id = decoded(id).ok_or_else(|| ApiError::no_model(id))?;
    Ok(asked(key, Some(id)))
}

fn asked(key: &str, wanted: Option<String>) -> Asked {
    let key = GatewayKey {
        key: Secret(key.to_owned()),
    };
    Asked {
        method: "gateway.models",
        params: serde_json::to_value(key).unwrap_or_default(),
        answer: Box::new(ModelAnswer { wanted }),
    }
}

fn decoded(text: &str) -> Option<String> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(octet) = rest.next() {
        if octet != b'%' {
            octets.push(octet);
            continue;
        }
        let digit = |octet: u8| (octet as char).to_digit(16);
        let (high, low) = (digit(rest.next()?)?, digit(rest.next()?)?);
        octets.push(u8::try_from(high * 16 + low).ok()?);
    }
    String::from_utf8(octets).ok()
}

struct ModelAnswer {
    wanted: Option<String>,
}

/// Nobody tells when a model was made: zero stands for that.
fn object(id: &str) -> Value {
    let owner = id.split('/').next().unwrap_or_default();
    json!({"id": id, "object": "model", "created": 0, "owned_by": owner})
}

impl Answer for ModelAnswer {
    fn take(&mut self, event: GatewayEvent) -> Told {
        match (event, &self.wanted) {
            (GatewayEvent::Models { models }, None) => {
                let data: Vec<Value> = models.iter().map(|id| object(id)).collect();
                Told::Whole(json!({"object": "list", "data": data}))
            }
            (GatewayEvent::Models { models }, Some(id)) => match models.contains(id) {
                true => Told::Whole(object(id)),
                false => Told::Failed(ApiError::no_model(id)),
            },
            (
                GatewayEvent::Failed {
                    fault,
                    message,
                    retry_after_s,
                },
                _,
            ) => Told::Failed(ApiError::of(fault, message, retry_after_s)),
            _ => Told::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn models() -> GatewayEvent {
        GatewayEvent::Models {
            models: vec!["desk/a".into(), "desk/b".into()],
        }
    }

    #[test]
    fn models_are_listed_with_their_providers() {
        let mut asked = asked("k", None);
        assert_eq!(asked.params, json!({"key": "k"}));
        let Told::Whole(list) = asked.answer.take(models()) else {
            panic!("whole");
        };
        assert_eq!(list["object"], "list");
        assert_eq!(
            list["data"][1],
            json!({"id": "desk/b", "object": "model", "created": 0, "owned_by": "desk"})
        );
    }

    #[test]
    fn one_model_is_found_however_its_slash_is_written() {
        for id in ["desk/a", "desk%2Fa", "desk%2fa"] {
            let mut asked = one("k", id).unwrap_or_else(|error| panic!("{error:?}"));
            assert!(
                matches!(asked.answer.take(models()), Told::Whole(_)),
                "{id}"
            );
        }
        let mut asked = one("k", "desk/c").unwrap_or_else(|error| panic!("{error:?}"));
        assert!(matches!(asked.answer.take(models()), Told::Failed(_)));
        assert!(one("k", "%2").is_err() && one("k", "%FF").is_err());
    }
}
