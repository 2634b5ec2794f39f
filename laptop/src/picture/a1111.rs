//! AUTOMATIC1111 and servers compatible with its API.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::ipc::{CancelToken, Failure, FailureCode, Gone, ModelInfo, PictureKind, PictureRequest};
use crate::service::config::ProviderConfig;
use crate::service::http::{DOCUMENT_CAP, Request, Trouble, send};
use crate::service::{Again, Attempt, Provider};

use super::{ANSWER_CAP, Advance, AdvanceSink, Painted, PictureProvider};

/// How often the server is asked how far it is, while it works for us.
const POLL: Duration = Duration::from_millis(400);

/// An AUTOMATIC1111-compatible server.
pub struct A1111 {
    config: ProviderConfig,
}

impl A1111 {
    /// The server that `config` describes.
    pub fn new(config: ProviderConfig) -> Self {
        Self { config }
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
        let encoded = value["images"][0]
            .as_str()
            .or_else(|| value["image"].as_str())
            .unwrap_or_default();
        // Some servers put the picture into a data URL.
        let encoded = encoded
            .split_once("base64,")
            .map_or(encoded, |(_, data)| data);
        let bytes = STANDARD.decode(encoded).unwrap_or_default();
        if bytes.is_empty() {
            return Err(self.fail(
                FailureCode::ProviderFailed,
                format!("{name} answered without a picture."),
            ));
        }
        let info: Value = value["info"]
            .as_str()
            .and_then(|info| serde_json::from_str(info).ok())
            .unwrap_or_default();
        Ok(Painted {
            bytes,
            seed: info["seed"].as_u64(),
        })
    }

    fn fail(&self, code: FailureCode, detail: String) -> Attempt {
        Attempt::fatal(code, &self.config.name, detail)
    }

    fn get(&self, path: &str, cancel: &CancelToken) -> Result<Value, Attempt> {
        let (name, base) = (&self.config.name, &self.config.base_url);
        let url = format!("{base}{path}");
        let request = Request::get(&url).bearer(self.config.key.as_deref());
        let mut response = send(&request, cancel).map_err(|t| t.attempt(name, base))?;
        if !response.is_success() {
            let mut attempt = response.refusal(name, self.config.key.as_deref());
            attempt.failure.code = FailureCode::ProviderFailed;
            attempt.again = Again::Elsewhere;
            return Err(attempt);
        }
        let body = response
            .read_all(DOCUMENT_CAP)
            .map_err(|t| t.attempt(name, base))?;
        serde_json::from_slice(&body).map_err(|_| {
            let detail = format!(
                "{name} at {base} does not answer as AUTOMATIC1111 does. Was it started with --api?"
            );
            self.fail(FailureCode::ProviderFailed, detail)
        })
    }

    /// The path and body of a request.
    fn order(
        &self,
        request: &PictureRequest,
        model: &str,
        cancel: &CancelToken,
    ) -> Result<(&'static str, Value), Attempt> {
        let source = STANDARD.encode(&request.source);
        if request.kind == PictureKind::Upscale {
            let list = self.get("/sdapi/v1/upscalers", cancel).unwrap_or_default();
            let names: Vec<&str> = list
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|u| u["name"].as_str())
                .collect();
            let best = names
                .iter()
                .find(|n| n.contains("ESRGAN"))
                .or_else(|| names.iter().find(|n| **n == "Lanczos"));
            let upscaler = best.copied().unwrap_or("Lanczos");
            let body = json!({ "image": source, "upscaling_resize": request.scale.clamp(2, 4), "upscaler_1": upscaler });
            return Ok(("/sdapi/v1/extra-single-image", body));
        }
        let prompt = match request.style.as_str() {
            "" => request.prompt.clone(),
            style => format!("{}, {style} style", request.prompt),
        };
        // Latents are an eighth of the size; other sizes are refused or garbled.
        let eights = |n: u16| (n.clamp(64, 2048) + 4) / 8 * 8;
        let mut body = json!({
            "prompt": prompt,
            "negative_prompt": request.negative,
            "width": eights(request.width),
            "height": eights(request.height),
            "steps": if request.steps == 0 { 20 } else { request.steps.min(150) },
            "seed": request.seed.map_or(json!(-1), |seed| json!(seed & 0xffff_ffff)),
            "batch_size": 1,
            "n_iter": 1,
            "send_images": true,
            "save_images": false,
            "override_settings": { "sd_model_checkpoint": model },
            "override_settings_restore_afterwards": false,
        });
        if request.kind == PictureKind::Generate {
            return Ok(("/sdapi/v1/txt2img", body));
        }
        let usual = if request.kind == PictureKind::Edit {
            600
        } else {
            450
        };
        let strength = if request.strength_permille == 0 {
            usual
        } else {
            request.strength_permille.min(1000)
        };
        body["init_images"] = json!([source]);
        body["denoising_strength"] = (f64::from(strength) / 1000.0).into();
        Ok(("/sdapi/v1/img2img", body))
    }

    /// Reports progress until `done`; a server that does not tell costs nothing but the reports.
    fn watch(&self, advance: &mut AdvanceSink<'_>, done: &CancelToken) {
        while done.sleep(POLL) {
            let Ok(value) = self.get("/sdapi/v1/progress?skip_current_image=true", done) else {
                continue;
            };
            let permille =
                (value["progress"].as_f64().unwrap_or(0.0).clamp(0.0, 1.0) * 1000.0) as u16;
            let eta = value["eta_relative"]
                .as_f64()
                .filter(|s| *s > 0.0 && *s < 86_400.0)
                .map(|s| s.ceil() as u32);
            if permille > 0
                && advance(Advance {
                    permille,
                    eta_s: eta,
                })
                .is_err()
            {
                return;
            }
        }
    }

    /// Tells the server to stop what it is doing: hanging up alone does not reach it.
    fn interrupt(&self) {
        let url = format!("{}/sdapi/v1/interrupt", self.config.base_url);
        let request = Request {
            connect: Duration::from_secs(1),
            idle: Duration::from_secs(2),
            ..Request::post(&url, &json!({}))
        };
        if let Err(trouble) = send(
            &request.bearer(self.config.key.as_deref()),
            &CancelToken::new(),
        ) {
            log::warn!(
                "{} could not be told to stop: {trouble:?}",
                self.config.name
            );
        }
    }
}

impl Provider for A1111 {
    fn name(&self) -> &str {
        &self.config.name
    }

    fn address(&self) -> &str {
        &self.config.base_url
    }

    fn models(&self, cancel: &CancelToken) -> Result<Vec<ModelInfo>, Attempt> {
        let list = self.get("/sdapi/v1/sd-models", cancel)?;
        let current = self.get("/sdapi/v1/options", cancel).unwrap_or_default();
        let current = current["sd_model_checkpoint"].as_str().unwrap_or_default();
        let Some(list) = list.as_array() else {
            let detail = format!(
                "{} does not list models as AUTOMATIC1111 does.",
                self.config.name
            );
            return Err(self.fail(FailureCode::ProviderFailed, detail));
        };
        let models = list.iter().filter_map(|model| {
            let id = model["model_name"]
                .as_str()
                .or_else(|| model["title"].as_str())?;
            let is_current = model["title"].as_str() == Some(current) || id == current;
            let offered =
                self.config.models.is_empty() || self.config.models.iter().any(|m| m == id);
            (offered && !id.is_empty() && id.len() <= 200).then(|| ModelInfo {
                id: id.to_owned(),
                loaded: Some(is_current),
                default: self.config.default_model.as_deref() == Some(id),
                note: String::new(),
                embeds: None,
                here: true,
            })
        });
        Ok(models.take(1000).collect())
    }
}

impl PictureProvider for A1111 {
    fn paint(
        &self,
        request: &PictureRequest,
        model: &str,
        advance: &mut AdvanceSink<'_>,
        cancel: &CancelToken,
    ) -> Result<Painted, Attempt> {
        let (name, base) = (&self.config.name, &self.config.base_url);
        let (path, body) = self.order(request, model, cancel)?;
        let url = format!("{base}{path}");
        let post = Request {
            idle: self.config.idle.max(Duration::from_secs(600)),
            ..Request::post(&url, &body)
        };
        let post = post.bearer(self.config.key.as_deref());
        let done = CancelToken::new();
        let answer = std::thread::scope(|scope| {
            scope.spawn(|| self.watch(advance, &done));
            let answer = send(&post, cancel).and_then(|mut response| match response.is_success() {
                true => response.read_all(ANSWER_CAP).map(Ok),
                false => Ok(Err(response.refusal(name, self.config.key.as_deref()))),
            });
            done.cancel();
            answer
        });
        let bytes = match answer {
            Ok(refused) => refused?,
            Err(Trouble::Cancelled) => {
                self.interrupt();
                return Err(Failure::from(Gone).into());
            }
            Err(trouble) => return Err(trouble.attempt(name, base)),
        };
        self.painted(&bytes)
    }
}
