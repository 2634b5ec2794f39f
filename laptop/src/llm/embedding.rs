//! Embeddings as OpenAI's API has them; Ollama and the other servers took it over.
//!
//! Source: OpenAI's API reference, "Create embeddings"; docs/openai.md of Ollama; the server's README of llama.cpp.

use serde::Deserialize;
use serde_json::json;

use crate::ipc::{CancelToken, EmbedRequest, Failure, FailureCode};
use crate::service::config::ProviderConfig;
use crate::service::http::{Request, send};
use crate::service::wording::one_line;
use crate::service::{Again, Attempt};
use shared_proto::limits::{MAX_DIMENSIONS, MAX_EMBED_TEXTS};

/// Texts that a provider is asked about at a time.
pub const BATCH: usize = 64;

/// Longest answer about a batch: its numbers in full length, 24 characters each.
const ANSWER_CAP: usize = BATCH * MAX_DIMENSIONS as usize * 24 + (1 << 20);

/// Most octets of all texts of a request.
const MAX_TEXT: usize = 2 << 20;

/// What a provider made of a batch.
#[derive(Clone, Debug, PartialEq)]
pub struct Vectors {
    /// One for each text, in their order; all of one length.
    pub vectors: Vec<Vec<f32>>,
    /// Tokens that were read, if told.
    pub tokens: Option<u32>,
}

#[derive(Deserialize)]
struct Answer {
    data: Vec<Entry>,
    #[serde(default)]
    usage: Option<Used>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    index: Option<usize>,
    embedding: Vec<f32>,
}

#[derive(Deserialize)]
struct Used {
    prompt_tokens: Option<u32>,
}

/// Checks a request before anybody is asked.
///
/// # Errors
/// `BadRequest` or `TooLarge` with what is wrong.
pub fn check(request: &EmbedRequest) -> Result<(), Failure> {
    let bytes: usize = request.texts.iter().map(String::len).sum();
    if request.texts.len() > usize::from(MAX_EMBED_TEXTS) || bytes > MAX_TEXT {
        let words = format!(
            "There are {} texts of {bytes} bytes; {MAX_EMBED_TEXTS} and {MAX_TEXT} are allowed.",
            request.texts.len()
        );
        return Err(Failure::new(FailureCode::TooLarge, "", words));
    }
    if request.texts.is_empty() || request.texts.iter().any(String::is_empty) {
        let words = "There is no text to make a vector of, or an empty one.";
        return Err(Failure::new(FailureCode::BadRequest, "", words));
    }
    Ok(())
}

/// That `name` makes no embeddings, as `why` says.
pub fn unsupported(name: &str, why: &str) -> Attempt {
    Attempt::fatal(
        FailureCode::Unsupported,
        name,
        format!("{name} makes no embeddings: {why}"),
    )
}

/// Asks the server that `config` describes, whose API lies at `base`, about one batch.
///
/// # Errors
/// An [`Attempt`] that names the provider; `Unsupported` where the server or the model makes none.
pub fn ask(
    config: &ProviderConfig,
    base: &str,
    texts: &[String],
    model: &str,
    dimensions: Option<u16>,
    cancel: &CancelToken,
) -> Result<Vectors, Attempt> {
    let (name, key) = (&config.name, config.key.as_deref());
    let mut body = json!({ "model": model, "input": texts });
    if let Some(dimensions) = dimensions {
        body["dimensions"] = dimensions.into();
    }
    let url = format!("{base}/embeddings");
    let post = Request {
        idle: config.idle,
        ..Request::post(&url, &body)
    };
    let mut response = send(&post.bearer(key), cancel).map_err(|t| t.attempt(name, base))?;
    if !response.is_success() {
        let status = response.status;
        let refused = response.refusal(name, key);
        let said = refused.failure.detail.to_ascii_lowercase();
        let names_model = said.contains("model") && !said.contains("not support");
        let none = match status {
            405 | 501 => true,
            404 => !names_model,
            400 | 422 | 500 => said.contains("embed") && said.contains("not support"),
            _ => false,
        };
        return Err(match none {
            true => {
                let said = &refused.failure.detail;
                let own = format!("{name} refused the request: ");
                unsupported(name, said.strip_prefix(&own).unwrap_or(said))
            }
            false => refused,
        });
    }
    let body = response
        .read_all(ANSWER_CAP)
        .map_err(|t| t.attempt(name, base))?;
    let wrong = |why: &str| {
        Attempt::fatal(
            FailureCode::ProviderFailed,
            name,
            format!("{name} at {base} gave no embeddings: {why}."),
        )
    };
    let answer: Answer = serde_json::from_slice(&body)
        .map_err(|error| wrong(&format!("its answer does not read ({error})")))?;
    let tokens = answer.usage.and_then(|used| used.prompt_tokens);
    let vectors = in_order(answer.data, texts.len()).map_err(|why| wrong(&why))?;
    match (dimensions, vectors.first().map(Vec::len)) {
        (Some(wanted), Some(len)) if usize::from(wanted) != len => Err(Attempt {
            failure: Failure::new(
                FailureCode::Unsupported,
                name,
                format!(
                    "{} makes vectors of {len} numbers and cannot make them {wanted} long; leave dimensions out.",
                    one_line(model)
                ),
            ),
            again: Again::Never,
        }),
        _ => Ok(Vectors { vectors, tokens }),
    }
}

/// The vectors in the order of their texts.
fn in_order(entries: Vec<Entry>, wanted: usize) -> Result<Vec<Vec<f32>>, String> {
    if entries.len() != wanted {
        return Err(format!(
            "it sent {} vectors for {wanted} texts",
            entries.len()
        ));
    }
    let mut placed: Vec<Option<Vec<f32>>> = vec![None; wanted];
    for (place, entry) in entries.into_iter().enumerate() {
        let slot = placed.get_mut(entry.index.unwrap_or(place));
        match slot {
            Some(slot) if slot.is_none() => *slot = Some(entry.embedding),
            _ => return Err("it numbered its vectors twice or beyond the texts".to_owned()),
        }
    }
    let vectors: Vec<Vec<f32>> = placed.into_iter().flatten().collect();
    let len = vectors.first().map_or(0, Vec::len);
    if !(1..=usize::from(MAX_DIMENSIONS)).contains(&len) {
        return Err(format!(
            "a vector has {len} numbers; 1 to {MAX_DIMENSIONS} are taken"
        ));
    }
    if vectors.iter().any(|one| one.len() != len) {
        return Err("its vectors are of different lengths".to_owned());
    }
    if vectors.iter().flatten().any(|number| !number.is_finite()) {
        return Err("a number of it is none".to_owned());
    }
    Ok(vectors)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(index: Option<usize>, embedding: &[f32]) -> Entry {
        Entry {
            index,
            embedding: embedding.to_vec(),
        }
    }

    #[test]
    fn vectors_come_in_the_order_of_their_texts() {
        let of = |entries, wanted| in_order(entries, wanted);
        let mixed = vec![entry(Some(1), &[2.0]), entry(Some(0), &[1.0])];
        assert_eq!(of(mixed, 2), Ok(vec![vec![1.0], vec![2.0]]));
        let plain = vec![entry(None, &[1.0]), entry(None, &[2.0])];
        assert_eq!(of(plain, 2), Ok(vec![vec![1.0], vec![2.0]]));
        for bad in [
            vec![entry(None, &[1.0])],
            vec![entry(Some(0), &[1.0]), entry(Some(0), &[2.0])],
            vec![entry(Some(0), &[1.0]), entry(Some(2), &[2.0])],
            vec![entry(None, &[1.0]), entry(None, &[1.0, 2.0])],
            vec![entry(None, &[]), entry(None, &[])],
            vec![entry(None, &[f32::NAN]), entry(None, &[1.0])],
        ] {
            assert!(of(bad, 2).is_err());
        }
    }

    #[test]
    fn a_request_without_text_reaches_nobody() {
        let request = |texts: &[&str]| EmbedRequest {
            model: "p/m".into(),
            texts: texts.iter().map(|one| (*one).to_owned()).collect(),
            dimensions: None,
        };
        assert!(check(&request(&["a", "b"])).is_ok());
        assert!(check(&request(&[])).is_err());
        assert!(check(&request(&["a", ""])).is_err());
        assert!(check(&request(&["a"; 513])).is_err());
    }
}
