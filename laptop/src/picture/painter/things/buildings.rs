//! Buildings and what they stand on.

use super::super::canvas::{Canvas, Color, mix, scale};
use super::super::sky::Light;
use super::super::words::{Ground, Scene};

/// Something to stand on: a rise in the ground, or a rock in the water.
pub(super) fn mound(
    canvas: &mut Canvas,
    light: &Light,
    scene: &Scene,
    foot: (f32, f32),
    width: f32,
    rock: bool,
) {
    if scene.ground == Ground::Space {
        return;
    }
    let (x, y) = foot;
    let hue = match scene.ground {
        _ if rock => light.lit([0.30, 0.29, 0.27], 0.12),
        Ground::Snow => scale(light.snow(0.05), 0.92),
        Ground::Desert => light.lit([0.80, 0.58, 0.36], 0.05),
        _ => light.lit([0.27, 0.45, 0.18], 0.08),
    };
    let mut points = vec![];
    for n in 0..=24 {
        let t = n as f32 / 24.0;
        let bump =
            (t * std::f32::consts::PI).sin().max(0.0).powf(0.6) * if rock { 0.045 } else { 0.02 };
        let rough = if rock {
            ((n * 37) % 11) as f32 * 0.0011
        } else {
            0.0
        };
        points.push((x - width + t * width * 2.0, y + 0.022 - bump + rough));
    }
    canvas.poly_with(&points, |px, py| {
        scale(hue, 1.12 - (py - y + 0.02) * 7.0 + (px - x) * 0.4)
    });
}

pub(super) fn house(canvas: &mut Canvas, light: &Light, foot: (f32, f32), size: f32, hue: Color) {
    let (x, y) = foot;
    let wall = light.lit(hue, 0.05);
    let (w, h) = (size * 1.25, size * 0.80);
    let roof = light.lit([0.52, 0.22, 0.16], 0.05);
    let lamp_right = light.lamp.0 > x;
    canvas.rect(
        x + w * 0.22,
        y - h - size * 0.50,
        size * 0.13,
        size * 0.30,
        scale(roof, 0.75),
    );
    for puff in 0..5 {
        let t = puff as f32;
        let (px, py) = (
            x + w * 0.27 + t * size * 0.07,
            y - h - size * 0.58 - t * size * 0.11,
        );
        let under = canvas.sample(px.clamp(0.0, canvas.aspect()), py.max(0.0));
        canvas.ellipse(
            px,
            py,
            size * (0.055 + t * 0.018),
            size * (0.045 + t * 0.014),
            mix(under, [0.88; 3], 0.42 - t * 0.07),
        );
    }
    canvas.poly_with(
        &[
            (x - w / 2.0, y),
            (x - w / 2.0, y - h),
            (x + w / 2.0, y - h),
            (x + w / 2.0, y),
        ],
        |px, _| {
            let t = (px - x) / w + 0.5;
            scale(wall, 0.80 + 0.26 * if lamp_right { t } else { 1.0 - t })
        },
    );
    let eave = [
        (x - w * 0.58, y - h),
        (x - w * 0.30, y - h - size * 0.46),
        (x + w * 0.30, y - h - size * 0.46),
        (x + w * 0.58, y - h),
    ];
    canvas.poly_with(&eave, |_, py| {
        scale(roof, 1.15 + (py - (y - h)) / size * 0.7)
    });
    for line in 1..4 {
        let t = line as f32 / 4.0;
        let (ry, half) = (y - h - size * 0.46 * t, w * (0.58 - 0.28 * t));
        canvas.stroke(
            (x - half, ry),
            (x + half, ry),
            size * 0.012,
            scale(roof, 0.7),
            0.6,
        );
    }
    let glass = if light.lamps_on {
        [1.0, 0.83, 0.46]
    } else {
        light.lit([0.36, 0.52, 0.66], 0.0)
    };
    let frame = light.lit([0.96, 0.95, 0.92], 0.0);
    for side in [-0.30, 0.30] {
        let (wx, wy, ww) = (x + w * side - size * 0.11, y - h * 0.72, size * 0.22);
        if light.lamps_on {
            canvas.glow(
                wx + ww / 2.0,
                wy + ww / 2.0,
                size * 0.42,
                [1.0, 0.75, 0.36],
                0.5,
            );
        }
        canvas.rect(
            wx - size * 0.02,
            wy - size * 0.02,
            ww + size * 0.04,
            ww + size * 0.04,
            frame,
        );
        canvas.rect(wx, wy, ww, ww, glass);
        canvas.rect(wx + ww / 2.0 - size * 0.009, wy, size * 0.018, ww, frame);
        canvas.rect(wx, wy + ww / 2.0 - size * 0.009, ww, size * 0.018, frame);
    }
    let door = light.lit([0.34, 0.20, 0.13], 0.0);
    canvas.rect(x - size * 0.10, y - h * 0.56, size * 0.20, h * 0.56, door);
    canvas.ellipse(
        x + size * 0.06,
        y - h * 0.27,
        size * 0.014,
        size * 0.014,
        light.lit([0.9, 0.75, 0.35], 0.0),
    );
}

pub(super) fn lighthouse(
    canvas: &mut Canvas,
    light: &Light,
    foot: (f32, f32),
    size: f32,
    hue: Color,
) {
    let (x, y) = foot;
    let (low, high) = (size * 0.105, size * 0.065);
    let top = y - size * 0.80;
    let lamp_right = light.lamp.0 > x;
    let (band, white) = (light.lit(hue, 0.05), light.lit([0.97, 0.96, 0.93], 0.05));
    canvas.poly_with(
        &[(x - low, y), (x - high, top), (x + high, top), (x + low, y)],
        |px, py| {
            let stripe = (((py - top) / (size * 0.80)) * 5.0) as i32 % 2 == 0;
            let side = (px - x) / low;
            scale(
                if stripe { band } else { white },
                0.86 + if lamp_right { side } else { -side } * 0.24,
            )
        },
    );
    let dark = light.lit([0.16, 0.16, 0.19], 0.0);
    let lamp_y = top - size * 0.055;
    if light.lamps_on {
        for (reach, cover) in [(0.055, 0.10), (0.035, 0.16), (0.018, 0.24)] {
            canvas.stroke(
                (x, lamp_y),
                (x + size * 1.6, lamp_y - size * 0.30),
                size * reach * 2.0,
                [1.0, 0.94, 0.72],
                cover,
            );
            canvas.stroke(
                (x, lamp_y),
                (x - size * 1.6, lamp_y + size * 0.20),
                size * reach * 2.0,
                [1.0, 0.94, 0.72],
                cover,
            );
        }
        canvas.glow(x, lamp_y, size * 0.42, [1.0, 0.90, 0.60], 0.9);
    }
    canvas.rect(
        x - high * 1.5,
        top - size * 0.012,
        high * 3.0,
        size * 0.03,
        dark,
    );
    canvas.rect(
        x - high * 0.75,
        top - size * 0.10,
        high * 1.5,
        size * 0.10,
        if light.lamps_on {
            [1.0, 0.95, 0.75]
        } else {
            scale(white, 0.8)
        },
    );
    canvas.stroke((x, top - size * 0.10), (x, top), size * 0.010, dark, 1.0);
    canvas.poly(
        &[
            (x - high, top - size * 0.095),
            (x, top - size * 0.19),
            (x + high, top - size * 0.095),
        ],
        band,
    );
    canvas.rect(
        x - size * 0.018,
        y - size * 0.42,
        size * 0.036,
        size * 0.06,
        dark,
    );
    canvas.rect(
        x - size * 0.024,
        y - size * 0.11,
        size * 0.048,
        size * 0.11,
        dark,
    );
}

pub(super) fn castle(canvas: &mut Canvas, light: &Light, foot: (f32, f32), size: f32, hue: Color) {
    let (x, y) = foot;
    let (stone, roof) = (light.lit(hue, 0.15), light.lit([0.26, 0.30, 0.46], 0.1));
    let glass = if light.lamps_on {
        [1.0, 0.82, 0.45]
    } else {
        scale(stone, 0.45)
    };
    let mut tower = |dx: f32, width: f32, height: f32, pointed: bool| {
        let (cx, half, top) = (x + size * dx, size * width / 2.0, y - size * height);
        canvas.poly_with(
            &[
                (cx - half, y + 0.02),
                (cx - half, top),
                (cx + half, top),
                (cx + half, y + 0.02),
            ],
            |px, _| {
                scale(
                    stone,
                    0.92 + (px - cx) / half * if light.lamp.0 > cx { 0.2 } else { -0.2 },
                )
            },
        );
        if pointed {
            canvas.poly(
                &[
                    (cx - half * 1.35, top),
                    (cx, top - size * width * 1.5),
                    (cx + half * 1.35, top),
                ],
                roof,
            );
            canvas.stroke(
                (cx, top - size * width * 1.5),
                (cx, top - size * width * 1.9),
                size * 0.010,
                roof,
                1.0,
            );
        } else {
            let teeth = (width / 0.055) as usize;
            for n in (0..teeth).step_by(2) {
                canvas.rect(
                    cx - half + n as f32 * 2.0 * half / teeth as f32,
                    top - size * 0.045,
                    2.0 * half / teeth as f32,
                    size * 0.05,
                    stone,
                );
            }
        }
        for row in 0..((height / 0.22) as usize) {
            canvas.rect(
                cx - size * 0.012,
                top + size * (0.07 + row as f32 * 0.17),
                size * 0.024,
                size * 0.055,
                glass,
            );
        }
    };
    tower(0.0, 0.95, 0.42, false);
    tower(0.0, 0.20, 0.86, true);
    tower(-0.44, 0.17, 0.62, true);
    tower(0.44, 0.17, 0.68, true);
    tower(-0.22, 0.13, 0.52, false);
    tower(0.24, 0.13, 0.55, false);
    canvas.ellipse(
        x,
        y - size * 0.10,
        size * 0.075,
        size * 0.13,
        scale(stone, 0.3),
    );
    canvas.rect(
        x - size * 0.075,
        y - size * 0.10,
        size * 0.15,
        size * 0.13,
        scale(stone, 0.3),
    );
}
