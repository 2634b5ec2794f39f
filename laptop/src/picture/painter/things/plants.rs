//! Trees and flowers.

use super::super::canvas::{Canvas, Color, Dice, mix, scale};
use super::super::sky::Light;

pub(super) fn tree(
    canvas: &mut Canvas,
    light: &Light,
    foot: (f32, f32),
    size: f32,
    hue: Color,
    dice: &mut Dice,
) {
    let (x, y) = foot;
    let bark = light.lit([0.32, 0.21, 0.13], 0.0);
    canvas.poly(
        &[
            (x - size * 0.055, y),
            (x - size * 0.03, y - size * 0.5),
            (x + size * 0.03, y - size * 0.5),
            (x + size * 0.065, y),
        ],
        bark,
    );
    for (dx, dy) in [(-0.20, -0.62), (0.21, -0.66), (0.05, -0.75)] {
        canvas.stroke(
            (x, y - size * 0.40),
            (x + size * dx, y + size * dy),
            size * 0.030,
            bark,
            1.0,
        );
    }
    for layer in 0..3 {
        for _ in 0..26 {
            let (angle, far) = (dice.range(0.0, std::f32::consts::TAU), dice.unit().sqrt());
            let (u, v) = (angle.cos() * far, angle.sin() * far);
            let side = (light.lamp.0 - x).signum();
            let tone = 0.62 + 0.26 * layer as f32 - v * 0.22 + u * side * 0.16;
            let (lx, ly) = (
                x + u * size * 0.33,
                y - size * 0.70 + v * size * 0.27 - layer as f32 * size * 0.015,
            );
            let r = size * dice.range(0.035, 0.085) * (1.15 - layer as f32 * 0.25);
            canvas.ellipse(lx, ly, r, r * 0.85, light.lit(scale(hue, tone), 0.0));
        }
    }
}

pub(super) fn flowers(
    canvas: &mut Canvas,
    light: &Light,
    color: Option<Color>,
    usual: &[Color],
    dice: &mut Dice,
    shrink: f32,
) {
    let aspect = canvas.aspect();
    let count = (46.0 * aspect * shrink) as usize;
    let mut list: Vec<(f32, f32, usize)> = (0..count)
        .map(|_| {
            (
                dice.unit() * aspect,
                dice.unit().powf(0.8),
                dice.below(usual.len()),
            )
        })
        .collect();
    list.sort_by(|a, b| a.1.total_cmp(&b.1));
    for (x, near, which) in list {
        let foot = 0.74 + near * 0.30;
        let size = 0.012 + near * near * 0.050;
        let height = size * dice.range(2.4, 3.4);
        let (hx, hy) = (x + dice.range(-0.3, 0.3) * size, foot - height);
        let stem = light.lit([0.20, 0.42, 0.15], 0.0);
        canvas.stroke((x, foot), (hx, hy), size * 0.14, stem, 1.0);
        canvas.stroke(
            (x, foot - height * 0.4),
            (x + size * 0.7, foot - height * 0.62),
            size * 0.22,
            scale(stem, 1.15),
            1.0,
        );
        let hue = color.map_or(usual[which], |c| mix(c, usual[which], 0.10));
        let petals = 7;
        for n in 0..petals {
            let angle = n as f32 / petals as f32 * std::f32::consts::TAU + near * 3.0;
            let (px, py) = (
                hx + angle.cos() * size * 0.55,
                hy + angle.sin() * size * 0.45,
            );
            canvas.ellipse(
                px,
                py,
                size * 0.42,
                size * 0.36,
                light.lit(scale(hue, 0.86 + 0.22 * -angle.sin()), 0.0),
            );
        }
        let heart = if hue[0] > 0.9 && hue[1] > 0.7 {
            [0.45, 0.28, 0.12]
        } else {
            [0.98, 0.82, 0.28]
        };
        canvas.ellipse(hx, hy, size * 0.32, size * 0.28, light.lit(heart, 0.0));
    }
}
