//! OpenAI's image API and compatible servers.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::ipc::{CancelToken, FailureCode, ModelInfo, PictureKind, PictureRequest};
use crate::service::config::ProviderConfig;
use crate::service::http::{DOCUMENT_CAP, Request, send};
use crate::service::{Again, Attempt, Provider};

use super::multipart::Form;
use super::{ANSWER_CAP, AdvanceSink, Painted, PictureProvider};

/// An OpenAI-compatible image server.
pub struct OpenAiImages {
    config: ProviderConfig,
}

impl OpenAiImages {
    /// The server that `config` describes.
    pub fn new(config: ProviderConfig) -> Self {
        Self { config }
    }

    fn fail(&self, code: FailureCode, detail: String) -> Attempt {
        Attempt::fatal(code, &self.config.name, detail)
    }

    /// The picture in an answer.
    ///
    /// # Errors
    /// There is none.
    pub fn painted(&self, answer: &[u8]) -> Result<Painted, Attempt> {
        let name = &self.config.name;
        let value: Value = serde_json::from_slice(answer).map_err(|_| {
            self.fail(
                FailureCode::ProviderFailed,
                format!("{name} answered with something that is not JSON."),
            )
        })?;
        let bytes = value["data"][0]["b64_json"]
            .as_str()
            .and_then(|b| STANDARD.decode(b).ok())
            .unwrap_or_default();
        if bytes.is_empty() {
            // A URL is not followed: this process holds keys and goes only where the settings say.
            let detail = format!("{name} answered without the picture itself (b64_json).");
            return Err(self.fail(FailureCode::ProviderFailed, detail));
        }
        Ok(Painted { bytes, seed: None })
    }
}

/// The size to ask `model` for: the nearest shape it offers.
fn size(model: &str, width: u16, height: u16) -> String {
    let (width, height) = (width.max(1), height.max(1));
    let ratio = f32::from(width) / f32::from(height);
    let (square, wide, tall) = if model.contains("gpt-image") {
        ("1024x1024", "1536x1024", "1024x1536")
    } else if model.contains("dall-e-3") {
        ("1024x1024", "1792x1024", "1024x1792")
    } else if model.contains("dall-e-2") {
        let side = width.max(height);
        let square = if side <= 256 {
            "256x256"
        } else if side <= 512 {
            "512x512"
        } else {
            "1024x1024"
        };
        (square, square, square)
    } else {
        return format!("{width}x{height}");
    };
    let shape = if ratio > 1.2 {
        wide
    } else if ratio < 0.83 {
        tall
    } else {
        square
    };
    shape.to_owned()
}

impl Provider for OpenAiImages {
    fn name(&self) -> &str {
        &self.config.name
    }

    fn address(&self) -> &str {
        &self.config.base_url
    }

    fn models(&self, cancel: &CancelToken) -> Result<Vec<ModelInfo>, Attempt> {
        let (name, base, key) = (
            &self.config.name,
            &self.config.base_url,
            self.config.key.as_deref(),
        );
        let url = format!("{base}/models");
        let mut response =
            send(&Request::get(&url).bearer(key), cancel).map_err(|t| t.attempt(name, base))?;
        let listless = matches!(response.status, 404 | 405) && !self.config.models.is_empty();
        if !response.is_success() && !listless {
            let mut attempt = response.refusal(name, key);
            if attempt.failure.code == FailureCode::ModelUnknown {
                attempt.failure.code = FailureCode::ProviderFailed;
            }
            attempt.again = Again::Elsewhere;
            return Err(attempt);
        }
        let mut ids = self.config.models.clone();
        if ids.is_empty() {
            let body = response
                .read_all(DOCUMENT_CAP)
                .map_err(|t| t.attempt(name, base))?;
            let list: Value = serde_json::from_slice(&body).unwrap_or_default();
            let all = list["data"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|m| m["id"].as_str());
            let all: Vec<String> = all
                .filter(|id| !id.is_empty() && id.len() <= 200)
                .map(str::to_owned)
                .collect();
            let paints = |id: &&String| id.contains("image") || id.contains("dall-e");
            ids = all.iter().filter(paints).cloned().collect();
            if ids.is_empty() && !base.contains("api.openai.com") {
                ids = all;
            }
        }
        let of = |id: String| ModelInfo {
            loaded: None,
            default: self.config.default_model.as_deref() == Some(id.as_str()),
            note: String::new(),
            embeds: None,
            here: true,
            id,
        };
        Ok(ids.into_iter().take(1000).map(of).collect())
    }
}

impl PictureProvider for OpenAiImages {
    fn paint(
        &self,
        request: &PictureRequest,
        model: &str,
        _: &mut AdvanceSink<'_>,
        cancel: &CancelToken,
    ) -> Result<Painted, Attempt> {
        let (name, base, key) = (
            &self.config.name,
            &self.config.base_url,
            self.config.key.as_deref(),
        );
        let mut prompt = request.prompt.clone();
        if !request.style.is_empty() {
            prompt.push_str(&format!(". Style: {}.", request.style));
        }
        if !request.negative.is_empty() {
            prompt.push_str(&format!(" Without: {}.", request.negative));
        }
        let size = size(model, request.width, request.height);
        // The newer models always answer in base64 and refuse to be told so.
        let tell_format = !model.contains("gpt-image");
        let (path, body) = match request.kind {
            PictureKind::Generate => {
                let mut body = json!({ "model": model, "prompt": prompt, "n": 1, "size": size });
                if tell_format {
                    body["response_format"] = "b64_json".into();
                }
                (
                    "images/generations",
                    ("application/json".to_owned(), body.to_string().into_bytes()),
                )
            }
            PictureKind::Edit | PictureKind::Variation => {
                let varies = request.kind == PictureKind::Variation && model.contains("dall-e-2");
                let mut form = Form::new()
                    .png("image", &request.source)
                    .text("model", model)
                    .text("n", "1")
                    .text("size", &size);
                if !varies {
                    let wish = if prompt.is_empty() {
                        "Another picture like this one."
                    } else {
                        &prompt
                    };
                    form = form.text("prompt", wish);
                }
                if tell_format {
                    form = form.text("response_format", "b64_json");
                }
                (
                    if varies {
                        "images/variations"
                    } else {
                        "images/edits"
                    },
                    form.finish(),
                )
            }
            PictureKind::Upscale | PictureKind::Fit => {
                let detail = format!("{name} cannot enlarge pictures; built-in/painter can.");
                return Err(self.fail(FailureCode::Unsupported, detail));
            }
        };
        let url = format!("{base}/{path}");
        let post = Request {
            method: "POST",
            body: Some(body),
            idle: self.config.idle,
            ..Request::get(&url)
        };
        let mut response = send(&post.bearer(key), cancel).map_err(|t| t.attempt(name, base))?;
        if !response.is_success() {
            return Err(response.refusal(name, key));
        }
        let bytes = response
            .read_all(ANSWER_CAP)
            .map_err(|t| t.attempt(name, base))?;
        self.painted(&bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes_are_the_nearest_that_the_model_offers() {
        assert_eq!(size("gpt-image-1", 640, 480), "1536x1024");
        assert_eq!(size("gpt-image-1", 480, 640), "1024x1536");
        assert_eq!(size("dall-e-3", 500, 500), "1024x1024");
        assert_eq!(size("dall-e-2", 480, 320), "512x512");
        assert_eq!(size("flux", 640, 480), "640x480");
    }
}
