//! Reads a JSON object parameter by parameter; what nobody has asked for is refused in the end.

use super::error::ApiError;
use crate::control::api::Sampling;
use serde_json::{Map, Value};

/// Parameters that change nothing of an answer: who asks, how it is filed, what it may cost at OpenAI.
const HARMLESS: [&str; 8] = [
    "user",
    "metadata",
    "store",
    "service_tier",
    "safety_identifier",
    "prompt_cache_key",
    "prompt_cache_retention",
    "parallel_tool_calls",
];

pub(super) struct Fields(Map<String, Value>);

impl Fields {
    pub(super) fn read(body: &[u8]) -> Result<Self, ApiError> {
        match serde_json::from_slice(body) {
            Ok(Value::Object(fields)) => Ok(Self(fields)),
            Ok(_) => Err(ApiError::request(None, "the body is no JSON object")),
            Err(error) => Err(ApiError::request(
                None,
                format!("the body is no JSON: {error}"),
            )),
        }
    }

    pub(super) fn of(fields: Map<String, Value>) -> Self {
        Self(fields)
    }

    /// Takes a parameter out; null is none.
    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name).filter(|value| !value.is_null())
    }

    /// A text that has to be there.
    pub(super) fn text(&mut self, name: &str) -> Result<String, ApiError> {
        match self.take(name) {
            Some(Value::String(text)) => Ok(text),
            Some(_) => Err(ApiError::request(
                Some(name),
                format!("{name} has to be a text"),
            )),
            None => Err(ApiError::request(Some(name), format!("{name} is missing"))),
        }
    }

    /// Whether something is wanted.
    pub(super) fn flag(&mut self, name: &str) -> Result<bool, ApiError> {
        match self.take(name) {
            None => Ok(false),
            Some(Value::Bool(value)) => Ok(value),
            Some(_) => Err(ApiError::request(
                Some(name),
                format!("{name} has to be true or false"),
            )),
        }
    }

    /// A whole number from 1.
    pub(super) fn count(&mut self, name: &str) -> Result<Option<u32>, ApiError> {
        let Some(value) = self.take(name) else {
            return Ok(None);
        };
        match value.as_u64().and_then(|value| u32::try_from(value).ok()) {
            Some(count) if count > 0 => Ok(Some(count)),
            _ => Err(ApiError::request(
                Some(name),
                format!("{name} has to be a whole number from 1"),
            )),
        }
    }

    /// Refuses a parameter that is not supported, unless it is one of the values that ask for what happens anyway.
    pub(super) fn only(&mut self, name: &str, neutral: &[Value]) -> Result<(), ApiError> {
        let same = |one: &Value, other: &Value| {
            one == other || (one.is_number() && one.as_f64() == other.as_f64())
        };
        match self.take(name) {
            Some(value) if !neutral.iter().any(|one| same(one, &value)) => {
                Err(ApiError::unsupported(name))
            }
            _ => Ok(()),
        }
    }

    /// What a text is to be like.
    pub(super) fn sampling(&mut self) -> Result<Sampling, ApiError> {
        let (old, new) = (
            self.count("max_tokens")?,
            self.count("max_completion_tokens")?,
        );
        if let (Some(old), Some(new)) = (old, new)
            && old != new
        {
            return Err(ApiError::request(
                Some("max_tokens"),
                "max_tokens and max_completion_tokens say different things",
            ));
        }
        let temperature = match self.take("temperature") {
            None => None,
            Some(value) => match value.as_f64() {
                Some(value) if (0.0..=2.0).contains(&value) => Some((value * 100.0).round() as u8),
                _ => {
                    return Err(ApiError::request(
                        Some("temperature"),
                        "temperature has to be a number from 0 to 2",
                    ));
                }
            },
        };
        let stop = match self.take("stop") {
            None => Vec::new(),
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(list)) if list.iter().all(Value::is_string) => list
                .into_iter()
                .filter_map(|one| one.as_str().map(str::to_owned))
                .collect(),
            Some(_) => {
                return Err(ApiError::request(
                    Some("stop"),
                    "stop has to be a text or a list of texts",
                ));
            }
        };
        Ok(Sampling {
            max_tokens: old.or(new),
            temperature,
            stop,
        })
    }

    /// Whether a stream is wanted, and the usage at its end.
    pub(super) fn streaming(&mut self) -> Result<(bool, bool), ApiError> {
        let stream = self.flag("stream")?;
        let Some(options) = self.take("stream_options") else {
            return Ok((stream, false));
        };
        let Value::Object(options) = options else {
            return Err(ApiError::request(
                Some("stream_options"),
                "stream_options has to be an object",
            ));
        };
        let mut options = Self(options);
        let usage = options.flag("include_usage")?;
        // It asks for padding against listeners; nobody listens on loopback.
        options.flag("include_obfuscation")?;
        options.finish(&[])?;
        Ok((stream, usage && stream))
    }

    /// Refuses what is left: `known` parameters of the API as not supported, others as unknown.
    pub(super) fn finish(mut self, known: &[&str]) -> Result<(), ApiError> {
        self.0
            .retain(|name, value| !value.is_null() && !HARMLESS.contains(&name.as_str()));
        match self.0.keys().next() {
            None => Ok(()),
            Some(name) if known.contains(&name.as_str()) => Err(ApiError::unsupported(name)),
            Some(name) => Err(ApiError::unknown(&crate::sanitize::visible(name))),
        }
    }
}
