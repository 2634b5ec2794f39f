//! Mountains, woods, towns, ground and water.

use super::canvas::{Canvas, Color, Dice, Noise, mix, scale, smooth};
use super::sky::Light;
use super::words::{Ground, Scene, Time};

/// Ridges one before the other, paler with distance, snow on the highest.
pub fn mountains(canvas: &mut Canvas, light: &Light, scene: &Scene, seed: u64) {
    let aspect = canvas.aspect();
    for layer in 0..3u32 {
        let noise = Noise::new(seed, 30 + layer);
        let depth = 0.78 - layer as f32 * 0.27;
        let height = [0.34, 0.24, 0.13][layer as usize];
        let rough = [1.5, 2.1, 3.2][layer as usize];
        let ridge = |x: f32| {
            let wide = noise.cloud(x * rough, 3.0, 2);
            let sharp = 1.0 - (noise.cloud(x * rough * 2.3, 9.0, 5) * 2.0 - 1.0).abs();
            light.horizon + 0.01 - height * (wide * 0.75 + sharp * 0.45)
        };
        let mut points = vec![
            (aspect + 0.01, light.horizon + 0.02),
            (-0.01, light.horizon + 0.02),
        ];
        let steps = canvas.width / 2;
        points.extend((0..=steps).map(|n| {
            let x = n as f32 / steps as f32 * (aspect + 0.02) - 0.01;
            (x, ridge(x))
        }));
        let rock = light.lit([0.47, 0.47, 0.53], depth);
        let dark = light.lit([0.12, 0.16, 0.27], depth);
        let snow = light.snow(depth * 0.6);
        let lamp_side = if light.lamp.0 > aspect * 0.5 {
            1.0
        } else {
            -1.0
        };
        let snowy = scene.ground == Ground::Snow;
        canvas.poly_with(&points, |x, y| {
            let peak = ridge(x);
            let down = (y - peak) / height;
            // Folds run down the slope: the noise is stretched along it and sheared to the side.
            let fold = noise.cloud(x * rough * 6.0 + down * 1.6 * lamp_side, down * 2.0, 4);
            let face = smooth(0.38, 0.62, fold);
            let mut color = mix(dark, rock, face);
            let line =
                if snowy { 0.75 } else { 0.30 } - (peak - (light.horizon - height)) / height * 0.55;
            if layer < 2 {
                let frost = smooth(line + 0.10, line - 0.06, down + (fold - 0.5) * 0.5);
                color = mix(color, mix(scale(snow, 0.78), snow, face), frost);
            }
            mix(color, light.haze, smooth(0.35, 1.1, down) * 0.32)
        });
    }
}

/// Rows of conifers, the nearer the darker and larger.
pub fn forest(canvas: &mut Canvas, light: &Light, scene: &Scene, seed: u64) {
    let aspect = canvas.aspect();
    for row in 0..3usize {
        let mut dice = Dice::new(seed, 40 + row as u64);
        let base = light.horizon + [0.005, 0.025, 0.06][row];
        let size = [0.09, 0.14, 0.21][row];
        let depth = [0.55, 0.30, 0.08][row];
        let mut x = -0.05;
        while x < aspect + 0.05 {
            let height = size * dice.range(0.65, 1.15);
            let hue = mix([0.10, 0.27, 0.17], [0.16, 0.34, 0.16], dice.unit());
            // The nearest row opens in the middle, so that there is a view.
            let open = row == 2 && (x / aspect - 0.5).abs() < 0.28;
            if !open {
                conifer(
                    canvas,
                    light,
                    (x, base + dice.range(0.0, 0.012)),
                    height,
                    hue,
                    depth,
                    scene.ground == Ground::Snow,
                );
            }
            x += height * dice.range(0.22, 0.42);
        }
    }
}

fn conifer(
    canvas: &mut Canvas,
    light: &Light,
    foot: (f32, f32),
    height: f32,
    hue: Color,
    depth: f32,
    snowy: bool,
) {
    let (x, y) = foot;
    canvas.rect(
        x - height * 0.025,
        y - height * 0.12,
        height * 0.05,
        height * 0.13,
        light.lit([0.22, 0.15, 0.10], depth),
    );
    let lamp_right = light.lamp.0 > x;
    for tier in 0..5 {
        let t = tier as f32 / 5.0;
        let top = y - height * (1.0 - t * 0.78);
        let low = top + height * 0.30;
        let half = height * (0.07 + 0.155 * t);
        let dark = light.lit(scale(hue, 0.62), depth);
        let lit = light.lit(scale(hue, 1.25), depth);
        canvas.poly(
            &[
                (x, top),
                (x + half, low),
                (x, low - height * 0.04),
                (x - half, low),
            ],
            dark,
        );
        let side = if lamp_right { half } else { -half };
        canvas.poly(
            &[
                (x, top),
                (x + side, low),
                (x + side * 0.25, low - height * 0.05),
            ],
            lit,
        );
        if snowy {
            let white = light.snow(depth * 0.7);
            canvas.poly(
                &[
                    (x, top),
                    (x + half * 0.7, low - height * 0.05),
                    (x, top + height * 0.09),
                    (x - half * 0.7, low - height * 0.05),
                ],
                white,
            );
        }
    }
}

/// A skyline in two rows, windows lit when it is dark.
pub fn city(canvas: &mut Canvas, light: &Light, scene: &Scene, seed: u64) {
    let aspect = canvas.aspect();
    let harbour = scene.ground == Ground::Water;
    for row in 0..2usize {
        let mut dice = Dice::new(seed, 50 + row as u64);
        let depth = [0.62, 0.25][row];
        let tallest = if harbour {
            [0.22, 0.12][row]
        } else {
            [0.36, 0.25][row]
        };
        let base = light.horizon
            + if harbour {
                0.004
            } else {
                0.02 + row as f32 * 0.03
            };
        let mut x = -0.03;
        while x < aspect {
            let width = dice.range(0.045, 0.10);
            let height = tallest * dice.range(0.35, 1.0);
            let hue = [
                [0.55, 0.42, 0.38],
                [0.42, 0.45, 0.52],
                [0.64, 0.58, 0.48],
                [0.36, 0.34, 0.42],
            ][dice.below(4)];
            building(
                canvas,
                light,
                &mut dice,
                (x, base),
                (width, height),
                light.lit(hue, depth),
                harbour && row == 1,
            );
            x += width * dice.range(0.92, 1.25);
        }
    }
}

fn building(
    canvas: &mut Canvas,
    light: &Light,
    dice: &mut Dice,
    foot: (f32, f32),
    size: (f32, f32),
    wall: Color,
    gabled: bool,
) {
    let ((x, base), (width, height)) = (foot, size);
    let top = base - height;
    let lamp_right = light.lamp.0 > x;
    canvas.poly_with(
        &[(x, base), (x, top), (x + width, top), (x + width, base)],
        |px, _| {
            let t = (px - x) / width;
            scale(wall, 0.82 + 0.32 * if lamp_right { t } else { 1.0 - t })
        },
    );
    if gabled {
        let roof = light.lit([0.60, 0.26, 0.18], 0.15);
        canvas.poly(
            &[
                (x - 0.004, top),
                (x + width * 0.5, top - width * 0.55),
                (x + width + 0.004, top),
            ],
            roof,
        );
    } else if dice.unit() < 0.3 {
        canvas.rect(
            x + width * 0.45,
            top - 0.035,
            width * 0.06,
            0.036,
            scale(wall, 0.7),
        );
    }
    let (columns, rows) = ((width / 0.016) as usize, (height / 0.022) as usize);
    for column in 0..columns {
        for row in 0..rows {
            let (wx, wy) = (
                x + 0.006 + column as f32 * 0.016,
                top + 0.009 + row as f32 * 0.022,
            );
            let chance = dice.unit();
            let color = if light.lamps_on && chance < 0.42 {
                mix([1.0, 0.84, 0.48], [1.0, 0.95, 0.78], dice.unit())
            } else {
                scale(wall, if light.lamps_on { 0.55 } else { 0.70 })
            };
            if wx + 0.008 < x + width && wy + 0.010 < base {
                canvas.rect(wx, wy, 0.0075, 0.0105, color);
            }
        }
    }
}

/// The lower part, unless it is water.
pub fn ground(canvas: &mut Canvas, light: &Light, scene: &Scene, seed: u64) {
    let (noise, fine) = (Noise::new(seed, 13), Noise::new(seed, 14));
    let (start, aspect) = (light.horizon, canvas.aspect());
    match scene.ground {
        Ground::Water | Ground::Space => {}
        Ground::Meadow => {
            let (near, far) = (
                light.lit([0.19, 0.41, 0.13], 0.0),
                light.lit([0.48, 0.64, 0.26], 0.30),
            );
            hills(canvas, start, &noise, |x, y, t| {
                let patch = noise.cloud(x * 3.0, y * 9.0, 4);
                let blades = fine.at(x * 210.0, y * 60.0 / (0.25 + t));
                let base = mix(far, near, smooth(0.0, 1.0, t));
                scale(
                    mix(
                        base,
                        light.lit([0.70, 0.70, 0.28], 0.1),
                        smooth(0.45, 0.75, patch) * 0.5,
                    ),
                    0.84 + blades * 0.30,
                )
            });
        }
        Ground::Desert => {
            let (lit, dark) = (
                light.lit([0.95, 0.74, 0.45], 0.05),
                light.lit([0.66, 0.40, 0.24], 0.05),
            );
            hills(canvas, start, &noise, |x, y, t| {
                let fold = (y * 26.0 / (0.35 + t) + noise.cloud(x * 2.2, y * 5.0, 3) * 9.0).sin();
                let ripple = (fine.cloud(x * 30.0, y * 130.0, 2) - 0.5) * 0.10;
                scale(mix(dark, lit, smooth(-0.7, 0.8, fold)), 1.0 + ripple)
            });
        }
        Ground::Snow => {
            let (lit, blue) = (
                light.snow(0.0),
                mix(
                    light.lit([0.55, 0.68, 0.92], 0.0),
                    scale(light.snow(0.0), 0.72),
                    0.5,
                ),
            );
            hills(canvas, start, &noise, |x, y, t| {
                let drift = noise.cloud(x * 2.2, y * 8.0 / (0.4 + t), 4);
                let sparkle = if fine.at(x * 300.0, y * 300.0) > 0.93 {
                    1.08
                } else {
                    1.0
                };
                scale(mix(blue, lit, smooth(0.30, 0.66, drift)), sparkle)
            });
        }
        Ground::Street => {
            let (stone, dark) = (
                light.lit([0.46, 0.45, 0.47], 0.05),
                light.lit([0.24, 0.24, 0.28], 0.05),
            );
            let lamp = light.lamps_on;
            canvas.shade(start, 1.0, |x, y, _| {
                let t = (y - start) / (1.0 - start);
                let row = (t.max(0.002).ln() * 7.0).floor();
                let stretch = (x - aspect / 2.0) / (0.16 + t) * 13.0 + row * 0.5;
                let joint = smooth(
                    0.0,
                    0.10,
                    (stretch - stretch.floor()).min(1.0 - (stretch - stretch.floor())),
                );
                let hue = mix(dark, stone, noise.at(stretch.floor(), row) * 0.6 + 0.3);
                let mut color = scale(hue, 0.72 + 0.28 * joint);
                if lamp {
                    color = mix(
                        color,
                        [1.0, 0.78, 0.44],
                        0.22 * smooth(0.6, 0.0, t) * fine.cloud(x * 6.0, 1.0, 2),
                    );
                }
                color
            });
        }
    }
}

/// Ground whose far edge is gently uneven; `paint` gets x, y and nearness from 0 to 1.
fn hills(canvas: &mut Canvas, start: f32, noise: &Noise, paint: impl Fn(f32, f32, f32) -> Color) {
    let edge = |x: f32| start - 0.012 - noise.cloud(x * 1.4, 40.0, 3) * 0.045 + 0.03;
    let aspect = canvas.aspect();
    let mut points = vec![(aspect + 0.01, 1.01), (-0.01, 1.01)];
    points.extend((0..=80).map(|n| {
        let x = n as f32 / 80.0 * (aspect + 0.02) - 0.01;
        (x, edge(x))
    }));
    canvas.poly_with(&points, |x, y| {
        paint(x, y, ((y - start) / (1.0 - start)).clamp(0.0, 1.0))
    });
}

/// Water that mirrors what stands above it, broken by ripples, with the lamp's glitter.
pub fn water(canvas: &mut Canvas, light: &Light, scene: &Scene, seed: u64) {
    let (noise, start, aspect) = (Noise::new(seed, 15), light.horizon, canvas.aspect());
    let above = canvas.clone();
    let deep = mix(
        light.lit([0.05, 0.24, 0.36], 0.0),
        scale(light.top, 0.75),
        0.45,
    );
    let shine = scene.time == Time::Night && !scene.moon;
    canvas.shade(start, 1.0, |x, y, _| {
        let t = (y - start) / (1.0 - start);
        let calm = 0.10 + t;
        let wave = noise.cloud(x * 9.0 / calm, y * 95.0 / calm, 3) - 0.5;
        let swell = noise.cloud(x * 2.0, y * 22.0 / calm, 2) - 0.5;
        let mirrored_y = start - (y - start) * 0.92 + wave * 0.10 * calm;
        let mirrored_x = (x + wave * 0.05 * calm + swell * 0.02).clamp(0.0, aspect);
        let reflection = above.sample(mirrored_x, mirrored_y.clamp(0.0, start - 0.004));
        let mut color = mix(reflection, deep, 0.22 + t * 0.42);
        color = scale(color, 0.90 + wave * 0.45 + swell * 0.22);
        if !(shine || scene.rain || scene.fog) {
            let column = (x - light.lamp.0).abs() / (0.035 + t * 0.16);
            let glitter =
                smooth(0.10, 0.30, wave + 0.12 * (1.0 - t)) * (1.0 - column * column).max(0.0);
            color = mix(color, mix(light.beam, [1.0; 3], 0.35), glitter * 0.85);
        }
        mix(color, light.haze, smooth(0.05, 0.0, t) * 0.5)
    });
}

/// Rain, falling snow and fog over everything.
pub fn weather(canvas: &mut Canvas, light: &Light, scene: &Scene, seed: u64) {
    let (mut dice, aspect, noise) = (Dice::new(seed, 60), canvas.aspect(), Noise::new(seed, 16));
    if scene.fog {
        let pale = mix(light.haze, [0.86, 0.88, 0.90], 0.3);
        canvas.shade(0.0, 1.0, |x, y, below| {
            let veil = noise.cloud(x * 1.6, y * 4.5, 4);
            let low = smooth(0.15, 0.75, y) * smooth(1.25, 0.70, y);
            mix(
                below,
                pale,
                (0.25 + low * 0.55) * smooth(0.2, 0.75, veil + low * 0.25),
            )
        });
    }
    if scene.rain {
        let color = mix(light.haze, [0.9, 0.93, 1.0], 0.4);
        for _ in 0..(420.0 * aspect) as usize {
            let (x, y, length) = (
                dice.unit() * aspect,
                dice.range(-0.05, 1.0),
                dice.range(0.02, 0.055),
            );
            canvas.stroke(
                (x, y),
                (x - length * 0.22, y + length),
                0.0012,
                color,
                dice.range(0.12, 0.42),
            );
        }
    }
    if scene.snowfall {
        for _ in 0..(330.0 * aspect) as usize {
            let size = 0.0012 + dice.unit().powi(3) * 0.0055;
            canvas.ellipse(
                dice.unit() * aspect,
                dice.unit(),
                size,
                size,
                [0.97, 0.98, 1.0],
            );
        }
    }
}
