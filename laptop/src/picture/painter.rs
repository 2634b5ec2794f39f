//! The built-in painter: draws a scene from the words of the prompt. Rules and noise, not a model, and named "built-in".
//!
//! The same prompt, size and seed always give the same picture.

pub mod canvas;
pub mod land;
pub mod rework;
pub mod sky;
pub mod style;
pub mod things;
pub mod words;

use std::time::Duration;

use image::RgbImage;

use crate::ipc::{CancelToken, Failure, FailureCode, Gone, ModelInfo, PictureKind, PictureRequest};
use crate::service::{Attempt, BUILT_IN, Provider};

use super::check::{decode, encode_png};
use super::fit::resize;
use super::{Advance, AdvanceSink, Painted, PictureProvider};
use canvas::Canvas;
use words::{Ground, Scene};

/// Its only model.
pub const MODEL: &str = "painter";

/// Environment variable with the pause between steps in milliseconds.
pub const STEP_PAUSE: &str = "OFFICEOS_BUILTIN_STEP_MS";

/// Steps when a request names none.
const USUAL_STEPS: u16 = 16;
/// Most steps that are drawn apart; a request for more gets these.
const MOST_STEPS: u16 = 60;
/// Longest side it paints.
const LONGEST: u16 = 1536;

/// The built-in painter.
#[derive(Clone, Copy, Debug)]
pub struct Painter {
    pause: Duration,
}

impl Painter {
    /// A painter that waits `pause` after each step.
    pub fn new(pause: Duration) -> Self {
        Self { pause }
    }

    /// A painter with the pause that the environment says, else 60 ms: long enough to watch.
    ///
    /// # Errors
    /// When the variable is no number.
    pub fn from_env() -> Result<Self, String> {
        match std::env::var(STEP_PAUSE) {
            Err(_) => Ok(Self::new(Duration::from_millis(60))),
            Ok(text) => match text.trim().parse::<u16>() {
                Ok(ms) => Ok(Self::new(Duration::from_millis(u64::from(ms)))),
                Err(_) => Err(format!(
                    "{STEP_PAUSE} must be a number of milliseconds up to 65535"
                )),
            },
        }
    }
}

/// A picture in the making.
pub struct Work {
    scene: Scene,
    seed: u64,
    light: sky::Light,
    canvas: Canvas,
    pass: Option<style::Pass>,
    step: usize,
    steps: usize,
}

/// Layers of a scene, from back to front.
const LAYERS: usize = 6;

impl Work {
    /// Begins a picture of `width` by `height` in `steps` steps.
    pub fn new(scene: Scene, seed: u64, width: u16, height: u16, steps: u16) -> Self {
        let canvas = Canvas::new(usize::from(width), usize::from(height));
        let light = sky::Light::new(&scene, canvas.aspect(), seed);
        Self {
            scene,
            seed,
            light,
            canvas,
            pass: None,
            step: 0,
            steps: usize::from(steps.clamp(1, MOST_STEPS)),
        }
    }

    /// Does the next step; true while more remain.
    pub fn advance(&mut self) -> bool {
        // The first third of the steps (at least one) builds the scene, the rest is brushwork.
        let building = (self.steps / 3).max(1);
        if self.step < building {
            let (from, to) = (
                self.step * LAYERS / building,
                (self.step + 1) * LAYERS / building,
            );
            for layer in from..to {
                self.layer(layer);
            }
        }
        let passes = (self.steps - building).max(1);
        if self.step + 1 >= building {
            let pass = self.pass.get_or_insert_with(|| {
                style::Pass::begin(self.scene.style, self.seed, &mut self.canvas)
            });
            if let Some(n) = (self.step + passes).checked_sub(self.steps.max(building)) {
                pass.step(&mut self.canvas, n, passes);
            }
        }
        self.step += 1;
        self.step < self.steps
    }

    fn layer(&mut self, layer: usize) {
        let (canvas, light, scene, seed) = (&mut self.canvas, &self.light, &self.scene, self.seed);
        let space = scene.ground == Ground::Space;
        match layer {
            0 => sky::gradient(canvas, light, scene, seed),
            1 => {
                sky::bodies(canvas, light, scene, seed);
                if scene.clouds {
                    sky::clouds(canvas, light, scene, seed);
                }
            }
            2 if scene.mountains && !space => land::mountains(canvas, light, scene, seed),
            3 if !space => {
                if scene.city {
                    land::city(canvas, light, scene, seed);
                }
                land::ground(canvas, light, scene, seed);
                if scene.forest {
                    land::forest(canvas, light, scene, seed);
                }
            }
            4 => {
                if scene.ground == Ground::Water {
                    land::water(canvas, light, scene, seed);
                }
                things::draw(canvas, light, scene, seed);
            }
            5 => land::weather(canvas, light, scene, seed),
            _ => {}
        }
    }

    /// Thousandths done.
    pub fn permille(&self) -> u16 {
        u16::try_from(self.step * 1000 / self.steps)
            .unwrap_or(1000)
            .min(1000)
    }

    /// The picture as it is now.
    pub fn image(&self) -> RgbImage {
        self.canvas.to_image()
    }
}

/// A seed from the words, for requests that name none: the same words, the same picture.
pub fn seed_of(prompt: &str) -> u64 {
    prompt.bytes().fold(0xcbf2_9ce4_8422_2325u64, |h, b| {
        (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3)
    }) & 0xffff_ffff
}

impl Provider for Painter {
    fn name(&self) -> &str {
        BUILT_IN
    }

    fn address(&self) -> &str {
        ""
    }

    fn models(&self, _: &CancelToken) -> Result<Vec<ModelInfo>, Attempt> {
        let note = "built-in: draws by rules, no image model".to_owned();
        Ok(vec![ModelInfo {
            id: MODEL.to_owned(),
            loaded: Some(true),
            default: true,
            note,
            embeds: None,
            here: true,
        }])
    }
}

impl PictureProvider for Painter {
    fn paint(
        &self,
        request: &PictureRequest,
        model: &str,
        advance: &mut AdvanceSink<'_>,
        cancel: &CancelToken,
    ) -> Result<Painted, Attempt> {
        if model != MODEL {
            let detail = "The built-in provider of pictures has one model: built-in/painter.";
            return Err(Attempt::fatal(FailureCode::ModelUnknown, BUILT_IN, detail));
        }
        let seed = request.seed.unwrap_or_else(|| seed_of(&request.prompt));
        let steps = if request.steps == 0 {
            USUAL_STEPS
        } else {
            request.steps.min(MOST_STEPS)
        };
        let mut pace = |permille: u16, left: u32| {
            let eta = u32::try_from(self.pause.as_millis())
                .unwrap_or(0)
                .saturating_mul(left)
                .div_ceil(1000);
            advance(Advance {
                permille,
                eta_s: Some(eta),
            })?;
            if cancel.sleep(self.pause) {
                Ok(())
            } else {
                Err(Gone)
            }
        };
        let strength = f32::from(request.strength_permille.min(1000)) / 1000.0;
        let image = match request.kind {
            PictureKind::Generate => {
                let scene = words::read(&request.prompt, &request.style, &request.negative, seed);
                let (width, height) = (
                    request.width.clamp(16, LONGEST),
                    request.height.clamp(16, LONGEST),
                );
                let mut work = Work::new(scene, seed, width, height, steps);
                loop {
                    let more = work.advance();
                    let left = steps.saturating_sub(u16::try_from(work.step).unwrap_or(steps));
                    pace(work.permille(), u32::from(left))?;
                    if !more {
                        break work.image();
                    }
                }
            }
            PictureKind::Edit => {
                pace(100, 2)?;
                let source = decode(&request.source)?;
                let image = rework::edit(&source, &request.prompt, &request.style, seed, strength);
                pace(900, 1)?;
                image
            }
            PictureKind::Variation => {
                pace(100, 2)?;
                let image = rework::variation(&decode(&request.source)?, seed, strength);
                pace(900, 1)?;
                image
            }
            PictureKind::Upscale => {
                pace(100, 2)?;
                let source = decode(&request.source)?;
                let by = u32::from(request.scale.clamp(2, 4));
                let image = resize(&source, source.width() * by, source.height() * by)?;
                pace(900, 1)?;
                image
            }
            PictureKind::Fit => decode(&request.source)?,
        };
        if cancel.is_cancelled() {
            return Err(Failure::from(Gone).into());
        }
        Ok(Painted {
            bytes: encode_png(&image)?,
            seed: Some(seed),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(prompt: &str, seed: u64, steps: u16) -> RgbImage {
        let mut work = Work::new(words::read(prompt, "", "", seed), seed, 96, 64, steps);
        while work.advance() {}
        assert_eq!(work.permille(), 1000);
        work.image()
    }

    fn difference(a: &RgbImage, b: &RgbImage) -> f64 {
        let sum: u64 = a
            .iter()
            .zip(b.iter())
            .map(|(a, b)| u64::from(a.abs_diff(*b)))
            .sum();
        sum as f64 / a.len() as f64
    }

    #[test]
    fn the_same_words_and_seed_paint_the_same_picture_and_others_do_not() {
        let one = picture("a boat at sunset", 5, 12);
        assert_eq!(one, picture("a boat at sunset", 5, 12));
        assert!(difference(&one, &picture("a boat at sunset", 6, 12)) > 4.0);
        assert!(difference(&one, &picture("a forest at night", 5, 12)) > 20.0);
    }

    #[test]
    fn the_words_can_be_seen_in_the_picture() {
        let mean = |image: &RgbImage| {
            let sum = image.pixels().fold([0u64; 3], |s, p| {
                [
                    s[0] + u64::from(p[0]),
                    s[1] + u64::from(p[1]),
                    s[2] + u64::from(p[2]),
                ]
            });
            sum.map(|c| c as f64 / f64::from(image.width() * image.height()))
        };
        let (day, night) = (
            mean(&picture("a meadow at noon", 1, 9)),
            mean(&picture("a meadow at midnight", 1, 9)),
        );
        assert!(day.iter().sum::<f64>() > night.iter().sum::<f64>() * 2.0);
        let sunset = mean(&picture("the sea at sunset", 1, 9));
        assert!(sunset[0] > sunset[2] * 1.05, "a sunset is warm: {sunset:?}");
        assert!(day[1] > day[0], "grass is green: {day:?}");
    }

    #[test]
    fn every_number_of_steps_and_every_style_ends_in_a_picture() {
        for steps in [1, 2, 3, 5, 60, 900] {
            picture("mountains, a red house, a cat, rain, snow, fog", 2, steps);
        }
        for prompt in [
            "watercolour city",
            "pixel castle",
            "ink forest",
            "neon city",
            "photo of a desert",
            "robot in space",
        ] {
            let image = picture(prompt, 3, 6);
            let first = *image.get_pixel(0, 0);
            assert!(
                image
                    .pixels()
                    .any(|p| p.0.iter().zip(first.0).any(|(a, b)| a.abs_diff(b) > 40)),
                "{prompt} is one colour"
            );
        }
    }
}
