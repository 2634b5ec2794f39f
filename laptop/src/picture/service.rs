//! What image-service does with a request.

use std::sync::Arc;

use crate::ipc::{
    CancelToken, EventSink, Failure, FailureCode, FinishReason, Handler, Picture, PictureKind,
    PictureRequest, ServiceEvent, ServiceRequest, Usage,
};
use crate::service::config::{Kind, ProviderConfig, ServicesConfig};
use crate::service::registry::{Registry, Route};
use crate::service::retry::{self, Patience};
use crate::service::{Attempt, BUILT_IN};

use super::a1111::A1111;
use super::check::{decode, encode_png, sniff};
use super::fit::fit;
use super::openai::OpenAiImages;
use super::painter::Painter;
use super::stability::Stability;
use super::{Advance, PictureProvider};

/// Smallest and largest side a picture may be asked for.
const SIDES: std::ops::RangeInclusive<u16> = 16..=2048;
/// Most bytes of prompt, negative prompt and style each.
const MAX_WORDS: usize = 8 << 10;

/// The image service.
pub struct ImageService {
    registry: Registry<dyn PictureProvider>,
    patience: Patience,
}

fn provider(config: ProviderConfig) -> Arc<dyn PictureProvider> {
    match config.kind {
        Kind::A1111 => Arc::new(A1111::new(config)),
        Kind::Stability => Arc::new(Stability::new(config)),
        _ => Arc::new(OpenAiImages::new(config)),
    }
}

impl ImageService {
    /// A service with the providers that `config` names and finds, and the built-in `painter`.
    pub fn new(config: &ServicesConfig, painter: Painter) -> Self {
        Self {
            registry: Registry::of(config, true, provider, Arc::new(painter)),
            patience: Patience::default(),
        }
    }

    /// The same service with another patience.
    #[must_use]
    pub fn with_patience(self, patience: Patience) -> Self {
        Self { patience, ..self }
    }

    fn picture(
        &self,
        mut request: PictureRequest,
        off: &[String],
        events: &mut EventSink,
        cancel: &CancelToken,
    ) -> Result<(), Failure> {
        check(&request)?;
        if request.kind == PictureKind::Fit {
            events.send(&ServiceEvent::Started {
                provider: BUILT_IN.to_owned(),
                model: "fit".to_owned(),
            })?;
            let source = std::mem::take(&mut request.source);
            return finish(source, None, &request, 0, events);
        }
        if request.kind != PictureKind::Generate {
            // Providers get what was checked here, not what came over the air.
            request.source = encode_png(&decode(&request.source)?)?;
        }
        self.registry.ask(&request.model, off, cancel, |route| {
            self.ask(route, &request, events, cancel)
        })
    }

    fn ask(
        &self,
        route: &Route<dyn PictureProvider>,
        request: &PictureRequest,
        events: &mut EventSink,
        cancel: &CancelToken,
    ) -> Result<(), Attempt> {
        let Route { entry, model, .. } = route;
        let name = entry.provider.name();
        events.send(&ServiceEvent::Started {
            provider: name.to_owned(),
            model: model.clone(),
        })?;
        let mut reached = 0;
        let painted = retry::run(self.patience.of_route(route.open), cancel, || {
            entry.attempt(cancel, || {
                let mut advance = |Advance { permille, eta_s }| {
                    // Some servers count back when a second stage begins; a bar that goes back helps nobody.
                    reached = permille.min(1000).max(reached);
                    events.send(&ServiceEvent::Progress {
                        permille: reached,
                        eta_s,
                    })
                };
                entry.provider.paint(request, model, &mut advance, cancel)
            })
        })?;
        finish(painted.bytes, painted.seed, request, 1, events).map_err(|mut failure| {
            if failure.code == FailureCode::BadImage {
                failure.code = FailureCode::ProviderFailed;
                failure.detail = format!(
                    "{name} sent something that cannot be shown. {}",
                    failure.detail
                );
                failure.provider = name.to_owned();
            }
            failure.into()
        })
    }
}

/// Checks and fits what was made, and sends it.
fn finish(
    original: Vec<u8>,
    seed: Option<u64>,
    request: &PictureRequest,
    made: u32,
    events: &mut EventSink,
) -> Result<(), Failure> {
    let image = decode(&original)?;
    let format = sniff(&original)
        .ok_or_else(|| Failure::new(FailureCode::BadImage, "", "That is no picture."))?;
    let fitted = fit(&image, &request.screen)?;
    let side = |n: u32| u16::try_from(n).unwrap_or(u16::MAX);
    events.send(&ServiceEvent::Progress {
        permille: 1000,
        eta_s: Some(0),
    })?;
    events.send(&ServiceEvent::Picture(Picture {
        fitted: fitted.bytes,
        format: fitted.format,
        width: fitted.width,
        height: fitted.height,
        original,
        original_format: format,
        original_width: side(image.width()),
        original_height: side(image.height()),
        seed,
    }))?;
    events.send(&ServiceEvent::Usage(Usage {
        pictures: made,
        ..Usage::default()
    }))?;
    events.send(&ServiceEvent::Done(FinishReason::Complete))?;
    Ok(())
}

/// Refuses what no provider should be asked.
fn check(request: &PictureRequest) -> Result<(), Failure> {
    let bad = |text: String| Err(Failure::new(FailureCode::BadRequest, "", text));
    let needs_words = matches!(request.kind, PictureKind::Generate | PictureKind::Edit);
    if needs_words && request.prompt.trim().is_empty() {
        return bad("Say what the picture should show.".to_owned());
    }
    if [&request.prompt, &request.negative, &request.style]
        .iter()
        .any(|text| text.len() > MAX_WORDS)
    {
        return Err(Failure::new(
            FailureCode::TooLarge,
            "",
            format!("A prompt may have at most {MAX_WORDS} bytes."),
        ));
    }
    let sized = matches!(request.kind, PictureKind::Generate);
    if sized && !(SIDES.contains(&request.width) && SIDES.contains(&request.height)) {
        let (least, most) = (SIDES.start(), SIDES.end());
        return bad(format!(
            "{}×{}: sides from {least} to {most} pixels can be asked for.",
            request.width, request.height
        ));
    }
    if request.kind != PictureKind::Generate && request.source.is_empty() {
        return bad("This needs a picture to begin with.".to_owned());
    }
    if request.kind == PictureKind::Upscale && !(2..=4).contains(&request.scale) {
        return bad("A picture can be made 2 to 4 times as large.".to_owned());
    }
    if request.screen.width == 0 || request.screen.height == 0 {
        return bad("The screen must have a size.".to_owned());
    }
    Ok(())
}

impl Handler for ImageService {
    fn handle(
        &self,
        request: ServiceRequest,
        events: &mut EventSink,
        cancel: &CancelToken,
    ) -> Result<(), Failure> {
        let (off, request) = request.parted();
        match request {
            ServiceRequest::Picture(request) => self.picture(request, &off, events, cancel),
            other => {
                let refusal = "The image service only makes pictures.";
                self.registry.tell(&other, &off, refusal, events, cancel)
            }
        }
    }
}
