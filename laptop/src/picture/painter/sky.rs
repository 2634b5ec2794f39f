//! Sky, light and what hangs in it.

use super::canvas::{Canvas, Color, Dice, Noise, luma, mix, scale, smooth};
use super::words::{Ground, Scene, Time};

/// The light of a scene, from which every layer takes its colours.
#[derive(Clone, Debug)]
pub struct Light {
    /// Sky at the top.
    pub top: Color,
    /// Sky half way down.
    pub middle: Color,
    /// Sky at the horizon; also what distance fades into.
    pub haze: Color,
    /// Colour of sunlight or moonlight.
    pub beam: Color,
    /// Brightness of lit surfaces, 0 to 1.
    pub strength: f32,
    /// Where sun or moon stands.
    pub lamp: (f32, f32),
    /// Height of the horizon.
    pub horizon: f32,
    /// Whether windows are lit.
    pub lamps_on: bool,
}

impl Light {
    /// The light of `scene` on a picture of that aspect.
    pub fn new(scene: &Scene, aspect: f32, seed: u64) -> Self {
        let mut dice = Dice::new(seed, 1);
        let (top, middle, haze, beam, strength) = match scene.time {
            Time::Day => (
                [0.20, 0.45, 0.83],
                [0.48, 0.71, 0.93],
                [0.83, 0.91, 0.95],
                [1.0, 0.97, 0.86],
                1.0,
            ),
            Time::Sunset => (
                [0.17, 0.19, 0.42],
                [0.74, 0.36, 0.42],
                [1.0, 0.70, 0.36],
                [1.0, 0.72, 0.36],
                0.62,
            ),
            Time::Dawn => (
                [0.38, 0.50, 0.76],
                [0.90, 0.70, 0.74],
                [0.99, 0.88, 0.76],
                [1.0, 0.93, 0.83],
                0.86,
            ),
            Time::Night => (
                [0.015, 0.025, 0.09],
                [0.05, 0.08, 0.21],
                [0.15, 0.20, 0.36],
                [0.86, 0.90, 1.0],
                0.36,
            ),
        };
        let space = scene.ground == Ground::Space;
        let horizon = match scene.ground {
            Ground::Water => dice.range(0.56, 0.64),
            Ground::Space => 2.0,
            _ => dice.range(0.60, 0.68),
        };
        let low = matches!(scene.time, Time::Sunset | Time::Dawn);
        let lamp_y = if low {
            horizon - dice.range(0.05, 0.12)
        } else {
            dice.range(0.14, 0.24)
        };
        let side = if dice.unit() < 0.5 {
            dice.range(0.20, 0.38)
        } else {
            dice.range(0.62, 0.80)
        };
        let mut light = Self {
            top,
            middle,
            haze,
            beam,
            strength,
            lamp: (side * aspect, lamp_y),
            horizon,
            lamps_on: scene.time != Time::Day,
        };
        if space {
            (light.top, light.middle, light.haze) =
                ([0.01, 0.01, 0.03], [0.03, 0.02, 0.08], [0.05, 0.03, 0.10]);
        }
        if scene.rain || scene.fog {
            let grey = |c: Color| mix(c, [luma(c) * 0.95; 3], 0.6);
            (light.top, light.middle, light.haze) =
                (grey(light.top), grey(light.middle), grey(light.haze));
        }
        if let Some(tint) = scene.tint {
            let lean = |c: Color, t| mix(c, scale(tint, 0.35 + luma(c) * 0.9), t);
            (light.top, light.middle, light.haze) = (
                lean(light.top, 0.6),
                lean(light.middle, 0.55),
                lean(light.haze, 0.35),
            );
        }
        light
    }

    /// `color` as it looks in this light at `depth` (0 near, 1 at the horizon).
    pub fn lit(&self, color: Color, depth: f32) -> Color {
        let warm = [
            color[0] * self.beam[0],
            color[1] * self.beam[1],
            color[2] * self.beam[2],
        ];
        // The sky's own colour fills the shadows, so that night is blue rather than black.
        let filled = mix(scale(warm, self.strength), self.middle, 0.10);
        mix(filled, self.haze, depth * 0.68)
    }
}

impl Light {
    /// Snow in this light at `depth`: it takes on less of the light's colour than anything else, or nobody would take it
    /// for snow.
    pub fn snow(&self, depth: f32) -> Color {
        mix(
            self.lit([0.97, 0.98, 1.0], depth),
            scale([0.93, 0.95, 1.0], 0.35 + self.strength * 0.65),
            0.55,
        )
    }
}

/// Gradient, and at night the milky way.
pub fn gradient(canvas: &mut Canvas, light: &Light, scene: &Scene, seed: u64) {
    let (noise, end, aspect) = (
        Noise::new(seed, 11),
        light.horizon.min(1.0),
        canvas.aspect(),
    );
    let low_sun = matches!(scene.time, Time::Sunset | Time::Dawn);
    canvas.shade(0.0, 1.0, |x, y, _| {
        let t = (y / end).min(1.0);
        let mut color = if t < 0.55 {
            mix(light.top, light.middle, smooth(0.0, 0.55, t))
        } else {
            mix(light.middle, light.haze, smooth(0.55, 1.0, t))
        };
        if low_sun {
            let side = 1.0 - ((x - light.lamp.0).abs() / aspect).min(1.0);
            color = mix(color, light.beam, side * side * t * 0.30);
        }
        if scene.stars {
            let band = 1.0 - ((x / aspect - 0.15 - t * 0.6).abs() * 3.2).min(1.0);
            let dust = noise.cloud(x * 5.0, y * 5.0, 5);
            let glow = band * band * smooth(0.35, 0.8, dust);
            let hue = if scene.ground == Ground::Space {
                mix(
                    [0.50, 0.16, 0.50],
                    [0.12, 0.36, 0.62],
                    smooth(0.35, 0.65, noise.cloud(x * 2.0 + 9.0, y * 2.0, 3)),
                )
            } else {
                [0.28, 0.30, 0.46]
            };
            color = mix(
                color,
                hue,
                glow * (1.0 - t * 0.7)
                    * if scene.ground == Ground::Space {
                        0.9
                    } else {
                        0.45
                    },
            );
        }
        color
    });
}

/// Stars, sun, moon; in space a planet.
pub fn bodies(canvas: &mut Canvas, light: &Light, scene: &Scene, seed: u64) {
    let (mut dice, aspect) = (Dice::new(seed, 2), canvas.aspect());
    if scene.stars {
        let bottom = light.horizon.min(1.0) - 0.06;
        for n in 0..(190.0 * aspect) as usize {
            let (x, y) = (dice.unit() * aspect, dice.unit() * bottom);
            let bright = dice.unit().powi(3) * (1.0 - y / bottom * 0.6);
            let hue = mix([0.75, 0.85, 1.0], [1.0, 0.88, 0.72], dice.unit());
            let size = 0.0008 + bright * 0.0020;
            let color = mix(canvas.sample(x, y), hue, 0.35 + bright * 0.65);
            canvas.ellipse(x, y, size, size, color);
            if n % 9 == 0 {
                canvas.glow(x, y, 0.010 + bright * 0.012, hue, 0.35 + bright * 0.5);
            }
        }
    }
    let (x, y) = light.lamp;
    if scene.ground == Ground::Space {
        let radius = dice.range(0.20, 0.27);
        let (hue, noise) = (
            scene.tint.unwrap_or([0.78, 0.52, 0.34]),
            Noise::new(seed, 21),
        );
        let (px, py) = (aspect * 0.62, 0.60);
        canvas.glow(px, py, radius * 1.5, hue, 0.28);
        canvas.ellipse_with(px, py, radius, radius, |u, v| {
            let bands = noise.cloud(u * 1.2 + 5.0, v * 7.0 + noise.at(u * 3.0, v * 3.0), 4);
            let face = mix(scale(hue, 0.55), mix(hue, [1.0; 3], 0.35), bands);
            let z = (1.0 - u * u - v * v).max(0.0).sqrt();
            let sun = (-0.62 * u - 0.45 * v + 0.62 * z).max(0.0);
            scale(face, 0.05 + sun * 1.1)
        });
        ring(canvas, (px, py), radius, mix(hue, [0.95, 0.9, 0.8], 0.5));
        return;
    }
    if scene.time == Time::Night {
        if scene.moon {
            let noise = Noise::new(seed, 22);
            canvas.glow(x, y, 0.42, [0.45, 0.52, 0.72], 0.42);
            canvas.glow(x, y, 0.13, [0.80, 0.84, 0.95], 0.55);
            canvas.ellipse_with(x, y, 0.052, 0.052, |u, v| {
                let spots = smooth(0.45, 0.70, noise.cloud(u * 2.0 + 7.0, v * 2.0, 3));
                scale(
                    mix([0.97, 0.96, 0.90], [0.72, 0.73, 0.76], spots),
                    1.0 - 0.12 * (u * u + v * v),
                )
            });
        }
        return;
    }
    if scene.rain || scene.fog {
        canvas.glow(x, y, 0.5, light.beam, 0.25);
        return;
    }
    let low = scene.time != Time::Day;
    canvas.glow(
        x,
        y,
        if low { 0.85 } else { 0.55 },
        light.beam,
        if low { 0.55 } else { 0.45 },
    );
    canvas.glow(x, y, 0.20, [1.0, 0.93, 0.72], 0.75);
    let radius = if low { 0.062 } else { 0.044 };
    canvas.ellipse(
        x,
        y,
        radius,
        radius,
        if low {
            [1.0, 0.93, 0.70]
        } else {
            [1.0, 0.99, 0.90]
        },
    );
}

fn ring(canvas: &mut Canvas, centre: (f32, f32), radius: f32, color: Color) {
    for (width, cover) in [(1.45, 0.30), (1.55, 0.5), (1.68, 0.38), (1.82, 0.2)] {
        let place = |angle: f32| {
            let (u, v) = (
                angle.cos() * radius * width,
                angle.sin() * radius * width * 0.26,
            );
            (
                centre.0 + u * 0.96 + v * 0.28,
                centre.1 - u * 0.28 + v * 0.96,
            )
        };
        let steps = 90;
        for n in 0..steps {
            let at = |n: usize| n as f32 / steps as f32 * std::f32::consts::TAU;
            // The half of the ring behind the planet is hidden by it.
            let behind = at(n).sin() < 0.0;
            let (a, b) = (place(at(n)), place(at(n + 1)));
            let (dx, dy) = (a.0 - centre.0, a.1 - centre.1);
            if !(behind && (dx * dx + dy * dy).sqrt() < radius) {
                canvas.stroke(a, b, radius * 0.05, color, cover);
            }
        }
    }
}

/// Clouds with lit tops, smaller towards the horizon.
pub fn clouds(canvas: &mut Canvas, light: &Light, scene: &Scene, seed: u64) {
    let (noise, heavy) = (Noise::new(seed, 12), scene.rain);
    let bottom = light.horizon.min(1.0);
    let shade_color = mix(light.middle, scale(light.top, 0.8), 0.35);
    let bright = if scene.time == Time::Night {
        mix(light.haze, [0.5, 0.55, 0.7], 0.3)
    } else {
        mix(light.beam, [1.0; 3], 0.45)
    };
    canvas.shade(0.0, bottom, |x, y, sky| {
        let near = 1.0 - y / bottom;
        let size = 2.0 + (1.0 - near) * 2.6;
        let density = noise.cloud(x * size * 0.75, y * size * 2.2, 5);
        let edge = if heavy { 0.36 } else { 0.53 };
        let cover = smooth(edge, edge + 0.20, density) * smooth(0.0, 0.14, 1.0 - y / bottom);
        if cover <= 0.0 {
            return sky;
        }
        // Comparing with the density a little towards the lamp shows which side is lit.
        let toward = (((light.lamp.0 - x) * 5.0).clamp(-1.0, 1.0) * 0.04, -0.05);
        let beyond = noise.cloud((x + toward.0) * size * 0.75, (y + toward.1) * size * 2.2, 4);
        let lit = smooth(-0.10, 0.14, density - beyond);
        let color = mix(
            shade_color,
            if heavy { scale(bright, 0.72) } else { bright },
            lit,
        );
        mix(sky, color, cover * if heavy { 0.95 } else { 0.85 })
    });
}
