//! What sails and flies.

use super::super::canvas::{Canvas, Color, mix, scale};
use super::super::sky::Light;

pub(super) fn boat(canvas: &mut Canvas, light: &Light, foot: (f32, f32), size: f32, hue: Color) {
    let (x, y) = foot;
    let (hull, trim) = (light.lit(hue, 0.05), light.lit([0.95, 0.93, 0.88], 0.05));
    // Sails catch more light than anything else; otherwise they are lost before a bright sky.
    let sail = mix(light.lit([0.98, 0.95, 0.87], 0.0), [0.98, 0.96, 0.90], 0.55);
    // Its mirror image first, darker and broken by the water's own lines.
    for n in 0..12 {
        let t = n as f32 / 12.0;
        let (dy, half) = (t * size * 0.75, size * (0.36 - t * 0.28));
        let tone = if t < 0.18 {
            scale(hull, 0.6)
        } else {
            mix(scale(sail, 0.75), light.middle, 0.35)
        };
        canvas.stroke(
            (x - half * 0.8, y + 0.012 + dy),
            (x + half * 0.9, y + 0.012 + dy),
            size * 0.028,
            tone,
            0.34 * (1.0 - t),
        );
    }
    canvas.stroke(
        (x, y),
        (x, y - size),
        size * 0.022,
        light.lit([0.35, 0.24, 0.15], 0.0),
        1.0,
    );
    canvas.poly_with(
        &[
            (x + size * 0.03, y - size * 0.97),
            (x + size * 0.44, y - size * 0.14),
            (x + size * 0.03, y - size * 0.12),
        ],
        |px, _| scale(sail, 1.0 - (px - x) / size * 0.45),
    );
    canvas.poly_with(
        &[
            (x - size * 0.03, y - size * 0.85),
            (x - size * 0.34, y - size * 0.15),
            (x - size * 0.03, y - size * 0.12),
        ],
        |px, _| scale(sail, 0.80 + (px - x) / size * 0.3),
    );
    let outline = [
        (x - size * 0.42, y - size * 0.10),
        (x + size * 0.50, y - size * 0.12),
        (x + size * 0.36, y + size * 0.06),
        (x + size * 0.24, y + size * 0.09),
        (x - size * 0.26, y + size * 0.09),
        (x - size * 0.36, y + size * 0.03),
    ];
    canvas.poly_with(&outline, |_, py| scale(hull, 1.12 - (py - y) / size * 2.2));
    canvas.stroke(
        (x - size * 0.41, y - size * 0.09),
        (x + size * 0.48, y - size * 0.11),
        size * 0.022,
        trim,
        1.0,
    );
    canvas.stroke(
        (x - size * 0.36, y + size * 0.09),
        (x + size * 0.34, y + size * 0.09),
        size * 0.018,
        mix(trim, light.haze, 0.5),
        0.7,
    );
}

pub(super) fn balloon(
    canvas: &mut Canvas,
    light: &Light,
    centre: (f32, f32),
    size: f32,
    hue: Color,
) {
    let (x, y) = centre;
    let (main, pale) = (light.lit(hue, 0.1), light.lit([0.98, 0.92, 0.78], 0.1));
    let rope = light.lit([0.3, 0.25, 0.2], 0.1);
    for dx in [-0.5, 0.5] {
        canvas.stroke(
            (x + dx * size, y + size * 0.8),
            (x + dx * size * 0.4, y + size * 1.62),
            size * 0.03,
            rope,
            1.0,
        );
    }
    canvas.poly(
        &[
            (x - size * 0.62, y + size * 0.72),
            (x + size * 0.62, y + size * 0.72),
            (x + size * 0.2, y + size * 1.25),
            (x - size * 0.2, y + size * 1.25),
        ],
        scale(main, 0.85),
    );
    canvas.ellipse_with(x, y, size, size * 1.06, |u, v| {
        let wide = (1.0 - v * v).max(0.01).sqrt();
        let stripe =
            ((u / wide).clamp(-1.0, 1.0).asin() * 4.0 / std::f32::consts::PI + 2.0) as i32 % 2 == 0;
        let z = (1.0 - u * u - v * v).max(0.0).sqrt();
        let lit = 0.68 + 0.30 * z - 0.12 * v + 0.16 * u * (light.lamp.0 - x).signum();
        scale(if stripe { main } else { pale }, lit)
    });
    canvas.rect(
        x - size * 0.22,
        y + size * 1.60,
        size * 0.44,
        size * 0.28,
        light.lit([0.48, 0.31, 0.17], 0.05),
    );
}

pub(super) fn rocket(
    canvas: &mut Canvas,
    light: &Light,
    centre: (f32, f32),
    size: f32,
    hue: Color,
) {
    let (x, y) = centre;
    let body = mix(scale(hue, 0.9), light.middle, 0.08);
    let fin = [0.78, 0.20, 0.18];
    canvas.glow(x, y + size * 0.42, size * 0.55, [1.0, 0.62, 0.22], 0.9);
    for (width, length, color) in [
        (0.20, 0.60, [1.0, 0.45, 0.12]),
        (0.13, 0.46, [1.0, 0.75, 0.25]),
        (0.06, 0.30, [1.0, 0.97, 0.85]),
    ] {
        canvas.poly(
            &[
                (x - size * width / 2.0, y + size * 0.28),
                (x + size * width / 2.0, y + size * 0.28),
                (x, y + size * (0.28 + length)),
            ],
            color,
        );
    }
    for side in [-1.0, 1.0] {
        canvas.poly(
            &[
                (x + side * size * 0.10, y + size * 0.05),
                (x + side * size * 0.24, y + size * 0.34),
                (x + side * size * 0.08, y + size * 0.26),
            ],
            fin,
        );
    }
    let mut outline = vec![];
    for n in 0..=20 {
        let t = n as f32 / 20.0;
        outline.push((
            x - size * 0.125 * (t * 1.9).min(1.0).powf(0.55) * (1.0 - (t - 0.7).max(0.0) * 0.6),
            y - size * 0.55 + t * size * 0.84,
        ));
    }
    for n in (0..=20).rev() {
        let t = n as f32 / 20.0;
        outline.push((
            x + size * 0.125 * (t * 1.9).min(1.0).powf(0.55) * (1.0 - (t - 0.7).max(0.0) * 0.6),
            y - size * 0.55 + t * size * 0.84,
        ));
    }
    canvas.poly_with(&outline, |px, py| {
        let side = (px - x) / (size * 0.125);
        let base = if py < y - size * 0.36 { fin } else { body };
        scale(base, 0.95 - side * 0.30)
    });
    canvas.ellipse(
        x,
        y - size * 0.14,
        size * 0.062,
        size * 0.062,
        [0.30, 0.33, 0.38],
    );
    canvas.ellipse_with(x, y - size * 0.14, size * 0.047, size * 0.047, |u, v| {
        mix([0.30, 0.62, 0.85], [0.85, 0.95, 1.0], (-u - v) * 0.4 + 0.3)
    });
}
