//! Stability's REST API (v2beta).

use crate::ipc::{CancelToken, FailureCode, ModelInfo, PictureKind, PictureRequest};
use crate::service::config::ProviderConfig;
use crate::service::http::{Request, send};
use crate::service::{Again, Attempt, Provider};

use super::check::MAX_BYTES;
use super::multipart::Form;
use super::{AdvanceSink, Painted, PictureProvider};

/// Models it is asked for; the API has no list.
const MODELS: [&str; 4] = ["core", "ultra", "sd3.5-large", "sd3.5-medium"];

/// Stability.
pub struct Stability {
    config: ProviderConfig,
}

impl Stability {
    /// The service that `config` describes.
    pub fn new(config: ProviderConfig) -> Self {
        Self { config }
    }

    fn key(&self) -> Result<&str, Attempt> {
        self.config.key.as_deref().ok_or_else(|| {
            let detail = "Stability needs a key: set STABILITY_API_KEY for the image service.";
            Attempt::fatal(FailureCode::KeyRefused, &self.config.name, detail)
        })
    }
}

/// The aspect ratio of the API that is nearest to a size.
fn aspect(width: u16, height: u16) -> &'static str {
    const RATIOS: [(&str, f32); 9] = [
        ("1:1", 1.0),
        ("3:2", 1.5),
        ("2:3", 0.667),
        ("5:4", 1.25),
        ("4:5", 0.8),
        ("16:9", 1.778),
        ("9:16", 0.5625),
        ("21:9", 2.333),
        ("9:21", 0.4286),
    ];
    let wanted = (f32::from(width.max(1)) / f32::from(height.max(1))).ln();
    let far = |ratio: f32| (ratio.ln() - wanted).abs();
    RATIOS
        .iter()
        .min_by(|a, b| far(a.1).total_cmp(&far(b.1)))
        .map_or("1:1", |(name, _)| name)
}

impl Provider for Stability {
    fn name(&self) -> &str {
        &self.config.name
    }

    fn address(&self) -> &str {
        &self.config.base_url
    }

    fn models(&self, cancel: &CancelToken) -> Result<Vec<ModelInfo>, Attempt> {
        let (name, base) = (&self.config.name, &self.config.base_url);
        let key = self.key()?;
        let url = format!("{base}/v1/user/balance");
        let mut response = send(&Request::get(&url).bearer(Some(key)), cancel)
            .map_err(|t| t.attempt(name, base))?;
        if !response.is_success() {
            let mut attempt = response.refusal(name, Some(key));
            attempt.again = Again::Elsewhere;
            return Err(attempt);
        }
        let own: Vec<String> = MODELS.iter().map(|m| (*m).to_owned()).collect();
        let ids = if self.config.models.is_empty() {
            own
        } else {
            self.config.models.clone()
        };
        let of = |id: String| ModelInfo {
            loaded: None,
            default: self.config.default_model.as_deref() == Some(id.as_str()),
            note: String::new(),
            embeds: None,
            here: true,
            id,
        };
        Ok(ids.into_iter().map(of).collect())
    }
}

impl PictureProvider for Stability {
    fn paint(
        &self,
        request: &PictureRequest,
        model: &str,
        _: &mut AdvanceSink<'_>,
        cancel: &CancelToken,
    ) -> Result<Painted, Attempt> {
        let (name, base) = (&self.config.name, &self.config.base_url);
        let key = self.key()?;
        let mut form = Form::new().text("output_format", "png");
        if request.kind != PictureKind::Upscale {
            let styled = if request.style.is_empty() {
                String::new()
            } else {
                format!(", {} style", request.style)
            };
            let wish = if request.prompt.is_empty() {
                "another picture like this one"
            } else {
                &request.prompt
            };
            form = form.text("prompt", &format!("{wish}{styled}"));
            if !request.negative.is_empty() {
                form = form.text("negative_prompt", &request.negative);
            }
            if let Some(seed) = request.seed {
                form = form.text("seed", &(seed % 4_294_967_295).to_string());
            }
        }
        let path = match request.kind {
            PictureKind::Generate => {
                form = form.text("aspect_ratio", aspect(request.width, request.height));
                match model {
                    "core" | "ultra" => format!("generate/{model}"),
                    _ => {
                        form = form.text("model", model);
                        "generate/sd3".to_owned()
                    }
                }
            }
            PictureKind::Edit | PictureKind::Variation => {
                let usual = if request.kind == PictureKind::Edit {
                    650
                } else {
                    450
                };
                let strength = if request.strength_permille == 0 {
                    usual
                } else {
                    request.strength_permille.min(1000)
                };
                // Only the sd3 endpoint takes a picture to begin with.
                let model = if model.starts_with("sd3") {
                    model
                } else {
                    "sd3.5-large"
                };
                form = form
                    .text("mode", "image-to-image")
                    .text("model", model)
                    .text("strength", &format!("{:.3}", f64::from(strength) / 1000.0))
                    .png("image", &request.source);
                "generate/sd3".to_owned()
            }
            PictureKind::Upscale => {
                form = form.png("image", &request.source);
                "upscale/fast".to_owned()
            }
            PictureKind::Fit => {
                return Err(Attempt::fatal(
                    FailureCode::Unsupported,
                    name,
                    "Fitting needs no provider.",
                ));
            }
        };
        let url = format!("{base}/v2beta/stable-image/{path}");
        let mut post = Request {
            method: "POST",
            body: Some(form.finish()),
            idle: self.config.idle,
            ..Request::get(&url)
        };
        post.headers.push(("accept", "image/*".to_owned()));
        let mut response =
            send(&post.bearer(Some(key)), cancel).map_err(|t| t.attempt(name, base))?;
        if !response.is_success() {
            return Err(response.refusal(name, Some(key)));
        }
        if response.header("finish-reason") == Some("CONTENT_FILTERED") {
            let detail = format!(
                "{name} painted it but withholds the picture: its content filter objected."
            );
            return Err(Attempt::fatal(FailureCode::BadRequest, name, detail));
        }
        let seed = response.header("seed").and_then(|seed| seed.parse().ok());
        let bytes = response
            .read_all(MAX_BYTES)
            .map_err(|t| t.attempt(name, base))?;
        Ok(Painted { bytes, seed })
    }
}

#[cfg(test)]
mod tests {
    use super::aspect;

    #[test]
    fn the_nearest_shape_is_asked_for() {
        assert_eq!(aspect(640, 480), "5:4");
        assert_eq!(aspect(1280, 720), "16:9");
        assert_eq!(aspect(480, 800), "9:16");
        assert_eq!(aspect(0, 0), "1:1");
    }
}
