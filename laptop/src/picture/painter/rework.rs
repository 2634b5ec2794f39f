//! Changing a picture that is there: what the words ask for, as far as rules can do it.

use image::RgbImage;
use image::imageops;

use super::canvas::{Canvas, Color, Dice, luma, mix, scale, smooth};
use super::sky::Light;
use super::style::{Pass, blur};
use super::words::{Ground, Scene, read, style};
use super::{things, words};

/// The source changed by `prompt`: style, colour, light, framing, and things put into it.
pub fn edit(
    source: &RgbImage,
    prompt: &str,
    style_word: &str,
    seed: u64,
    strength: f32,
) -> RgbImage {
    let text = prompt.to_lowercase();
    let has = |list: &[&str]| list.iter().any(|w| text.contains(w));
    let mut image = source.clone();
    if has(&["mirror", "flip horizontally"]) {
        image = imageops::flip_horizontal(&image);
    }
    if has(&["upside down", "flip vertically"]) {
        image = imageops::flip_vertical(&image);
    }
    let mut canvas = Canvas::from_image(&image);
    let scene = read(prompt, style_word, "", seed);
    if has(&["night", "darker", "dark"]) {
        each(&mut canvas, |c| {
            mix(scale(c, 0.42), [0.05, 0.08, 0.22], 0.30)
        });
    } else if has(&["sunset", "warmer", "warm", "golden"]) {
        each(&mut canvas, |c| {
            mix(
                [c[0] * 1.10, c[1] * 0.92, c[2] * 0.72],
                [0.95, 0.55, 0.25],
                0.12,
            )
        });
    } else if has(&["cooler", "cold", "winter"]) {
        each(&mut canvas, |c| {
            mix(
                [c[0] * 0.84, c[1] * 0.97, c[2] * 1.12],
                [0.75, 0.85, 0.98],
                0.14,
            )
        });
    } else if has(&["brighter", "bright", "lighter"]) {
        each(&mut canvas, |c| c.map(|v| v.max(0.0).powf(0.72)));
    }
    if has(&[
        "black and white",
        "monochrome",
        "grayscale",
        "greyscale",
        "black-and-white",
    ]) {
        each(&mut canvas, |c| [luma(c); 3]);
    } else if has(&["sepia", "old photo", "vintage"]) {
        each(&mut canvas, |c| {
            let l = luma(c);
            [(l * 1.08 + 0.05).min(1.0), l * 0.92 + 0.02, l * 0.70]
        });
    } else if let Some(tint) = scene.tint {
        each(&mut canvas, |c| {
            mix(c, scale(tint, 0.35 + luma(c) * 1.1), 0.25 + strength * 0.35)
        });
    }
    if has(&["contrast", "dramatic"]) {
        each(&mut canvas, |c| c.map(|v| smooth(0.05, 0.95, v)));
    }
    if has(&["blur", "dreamy", "soft"]) {
        let soft = blur(&canvas, (canvas.height / 60).max(1));
        for (pixel, soft) in canvas.pixels.iter_mut().zip(soft.pixels) {
            *pixel = mix(*pixel, soft, 0.75);
        }
    }
    let put = Scene {
        ground: Ground::Meadow,
        ..scene.clone()
    };
    let mut light = Light::new(&put, canvas.aspect(), seed);
    light.horizon = 0.70;
    things::draw(&mut canvas, &light, &put, seed);
    super::land::weather(&mut canvas, &light, &scene, seed);
    if let Some(style) = style(&style_word.to_lowercase()).or_else(|| words::style(&text)) {
        restyle(&mut canvas, style, seed);
    }
    canvas.to_image()
}

/// The source painted anew: other strokes, slightly other colours, perhaps mirrored.
pub fn variation(source: &RgbImage, seed: u64, strength: f32) -> RgbImage {
    let mut dice = Dice::new(seed, 90);
    let image = if dice.unit() < 0.5 {
        imageops::flip_horizontal(source)
    } else {
        source.clone()
    };
    let mut canvas = Canvas::from_image(&image);
    let shift: Color = [
        dice.range(-0.12, 0.12),
        dice.range(-0.12, 0.12),
        dice.range(-0.12, 0.12),
    ];
    let amount = 0.4 + strength;
    each(&mut canvas, |c| {
        [
            c[0] * (1.0 + shift[0] * amount),
            c[1] * (1.0 + shift[1] * amount),
            c[2] * (1.0 + shift[2] * amount),
        ]
    });
    restyle(&mut canvas, words::Style::Oil, seed);
    canvas.to_image()
}

fn restyle(canvas: &mut Canvas, style: words::Style, seed: u64) {
    let pass = Pass::begin(style, seed, canvas);
    let count = 12;
    for n in 0..count {
        pass.step(canvas, n, count);
    }
}

fn each(canvas: &mut Canvas, change: impl Fn(Color) -> Color) {
    for pixel in &mut canvas.pixels {
        *pixel = change(*pixel);
    }
}
