//! The cat and the robot.

use super::super::canvas::{Canvas, Color, mix, scale};
use super::super::sky::Light;

pub(super) fn cat(canvas: &mut Canvas, light: &Light, foot: (f32, f32), size: f32, hue: Color) {
    let (x, y) = foot;
    // The nearest things get a little extra light, or a black cat at night would be a hole.
    let fur = mix(light.lit(hue, 0.0), hue, 0.40);
    let (dark, pale) = (scale(fur, 0.70), mix(fur, [1.0, 0.97, 0.92], 0.55));
    let at = |dx: f32, dy: f32| (x + dx * size, y + dy * size);
    canvas.ellipse(
        x,
        y - size * 0.01,
        size * 0.40,
        size * 0.045,
        mix(canvas.sample(x, y.min(0.99)), [0.02, 0.02, 0.04], 0.45),
    );
    let mut last = at(0.20, -0.06);
    for n in 1..=22 {
        let t = n as f32 / 22.0;
        let next = at(
            0.20 + 0.26 * (t * 2.6).sin().max(-0.2) + t * 0.06,
            -0.06 - t * 0.40 + (t * 3.1).sin() * 0.04,
        );
        canvas.stroke(
            last,
            next,
            size * (0.085 - t * 0.022),
            if n > 18 { dark } else { fur },
            1.0,
        );
        last = next;
    }
    let (cx, cy) = at(0.0, -0.26);
    let lamp_side = (light.lamp.0 - x).signum();
    canvas.ellipse_with(cx, cy, size * 0.235, size * 0.29, |u, v| {
        scale(fur, 1.0 + u * lamp_side * 0.18 - v * 0.14)
    });
    canvas.ellipse_with(x, y - size * 0.13, size * 0.27, size * 0.155, |u, v| {
        scale(fur, 0.96 + u * lamp_side * 0.16 - v * 0.2)
    });
    canvas.ellipse(x, y - size * 0.27, size * 0.105, size * 0.20, pale);
    for side in [-1.0, 1.0] {
        canvas.stroke(
            at(side * 0.085, -0.24),
            at(side * 0.085, -0.035),
            size * 0.095,
            scale(fur, 1.04),
            1.0,
        );
        canvas.ellipse(
            x + side * size * 0.092,
            y - size * 0.03,
            size * 0.072,
            size * 0.042,
            pale,
        );
    }
    for side in [-1.0, 1.0] {
        canvas.poly(
            &[
                at(side * 0.205, -0.62),
                at(side * 0.215, -0.90),
                at(side * 0.035, -0.745),
            ],
            fur,
        );
        canvas.poly(
            &[
                at(side * 0.180, -0.66),
                at(side * 0.192, -0.83),
                at(side * 0.085, -0.745),
            ],
            [0.88, 0.58, 0.56],
        );
    }
    canvas.ellipse_with(x, y - size * 0.60, size * 0.225, size * 0.185, |u, v| {
        scale(fur, 1.06 + u * lamp_side * 0.14 - v * 0.12)
    });
    for n in -1..=1 {
        canvas.stroke(
            at(n as f32 * 0.05, -0.775),
            at(n as f32 * 0.04, -0.70),
            size * 0.020,
            dark,
            0.8,
        );
    }
    for side in [-1.0, 1.0] {
        for stripe in 0..3 {
            let sy = -0.40 + stripe as f32 * 0.09;
            canvas.stroke(
                at(side * 0.22, sy),
                at(side * 0.13, sy + 0.02),
                size * 0.022,
                dark,
                0.6,
            );
        }
        canvas.ellipse(
            x + side * size * 0.062,
            y - size * 0.525,
            size * 0.072,
            size * 0.055,
            pale,
        );
    }
    for side in [-1.0, 1.0] {
        let (ex, ey) = at(side * 0.098, -0.615);
        canvas.ellipse(ex, ey, size * 0.056, size * 0.050, scale(dark, 0.5));
        canvas.ellipse_with(ex, ey, size * 0.049, size * 0.044, |u, v| {
            mix([0.80, 0.88, 0.30], [0.42, 0.64, 0.22], u * u + v * v)
        });
        canvas.ellipse(ex, ey, size * 0.016, size * 0.040, [0.03, 0.03, 0.04]);
        canvas.ellipse(
            ex - size * 0.014,
            ey - size * 0.017,
            size * 0.010,
            size * 0.010,
            [1.0; 3],
        );
        for whisker in 0..3 {
            let dy = -0.54 + whisker as f32 * 0.022;
            canvas.stroke(
                at(side * 0.10, dy),
                at(side * 0.33, dy - 0.035 + whisker as f32 * 0.03),
                size * 0.006,
                [0.95, 0.95, 0.92],
                0.8,
            );
        }
    }
    canvas.poly(
        &[at(-0.027, -0.560), at(0.027, -0.560), at(0.0, -0.530)],
        [0.84, 0.47, 0.47],
    );
    for side in [-1.0, 1.0] {
        let corner = at(side * 0.040, -0.500);
        canvas.stroke(
            at(0.0, -0.530),
            at(0.0, -0.512),
            size * 0.010,
            scale(dark, 0.6),
            1.0,
        );
        canvas.stroke(at(0.0, -0.512), corner, size * 0.010, scale(dark, 0.6), 1.0);
        canvas.stroke(
            corner,
            at(side * 0.072, -0.516),
            size * 0.010,
            scale(dark, 0.6),
            1.0,
        );
    }
}

pub(super) fn robot(canvas: &mut Canvas, light: &Light, foot: (f32, f32), size: f32, hue: Color) {
    let (x, y) = foot;
    let metal = mix(light.lit(hue, 0.0), hue, 0.35);
    let (dark, eye) = (scale(metal, 0.45), [0.35, 0.95, 1.0]);
    let lamp_side = (light.lamp.0 - x).signum();
    canvas.ellipse(
        x,
        y,
        size * 0.34,
        size * 0.04,
        mix(canvas.sample(x, y.min(0.99)), [0.02, 0.02, 0.04], 0.5),
    );
    let mut plate = |dx: f32, dy: f32, w: f32, h: f32, color: Color| {
        let (left, top, cut) = (
            x + (dx - w / 2.0) * size,
            y + dy * size,
            size * w.min(h) * 0.16,
        );
        let (right, low) = (left + w * size, top + h * size);
        let outline = [
            (left + cut, top),
            (right - cut, top),
            (right, top + cut),
            (right, low - cut),
            (right - cut, low),
            (left + cut, low),
            (left, low - cut),
            (left, top + cut),
        ];
        canvas.poly_with(&outline, |px, py| {
            let (u, v) = (
                (px - left) / (right - left) - 0.5,
                (py - top) / (low - top) - 0.5,
            );
            scale(color, 1.0 + u * lamp_side * 0.42 - v * 0.26)
        });
    };
    for side in [-1.0, 1.0] {
        plate(side * 0.115, -0.24, 0.10, 0.19, dark);
        plate(side * 0.125, -0.07, 0.17, 0.07, metal);
        plate(side * 0.285, -0.55, 0.085, 0.26, dark);
        plate(side * 0.285, -0.31, 0.11, 0.085, metal);
        plate(side * 0.270, -0.60, 0.12, 0.10, metal);
    }
    plate(0.0, -0.60, 0.44, 0.39, metal);
    plate(0.0, -0.54, 0.30, 0.20, scale(metal, 0.72));
    plate(0.0, -0.665, 0.12, 0.08, dark);
    plate(0.0, -0.93, 0.40, 0.28, metal);
    plate(0.0, -0.885, 0.32, 0.165, [0.07, 0.09, 0.12]);
    plate(0.225, -0.85, 0.05, 0.11, dark);
    plate(-0.225, -0.85, 0.05, 0.11, dark);
    let at = |dx: f32, dy: f32| (x + dx * size, y + dy * size);
    canvas.stroke(at(0.0, -0.93), at(0.0, -1.03), size * 0.016, dark, 1.0);
    canvas.glow(x, y - size * 1.04, size * 0.12, [1.0, 0.45, 0.35], 0.8);
    canvas.ellipse(
        x,
        y - size * 1.04,
        size * 0.026,
        size * 0.026,
        [1.0, 0.38, 0.30],
    );
    for side in [-1.0, 1.0] {
        let (ex, ey) = at(side * 0.082, -0.815);
        canvas.glow(ex, ey, size * 0.13, eye, 0.75);
        canvas.ellipse(ex, ey, size * 0.042, size * 0.046, eye);
        canvas.ellipse(
            ex - size * 0.012,
            ey - size * 0.014,
            size * 0.013,
            size * 0.013,
            [1.0; 3],
        );
    }
    canvas.stroke(at(-0.05, -0.750), at(0.05, -0.750), size * 0.012, eye, 0.9);
    for (n, color) in [[0.95, 0.35, 0.30], [0.98, 0.80, 0.30], [0.40, 0.85, 0.45]]
        .into_iter()
        .enumerate()
    {
        canvas.ellipse(
            x + size * (n as f32 - 1.0) * 0.075,
            y - size * 0.48,
            size * 0.023,
            size * 0.023,
            color,
        );
    }
    for n in 0..4 {
        canvas.stroke(
            at(-0.11 + n as f32 * 0.073, -0.42),
            at(-0.11 + n as f32 * 0.073, -0.375),
            size * 0.018,
            dark,
            1.0,
        );
    }
}
