//! Manners of painting, applied to a finished scene in passes, so that one can watch the picture come into being.

use super::canvas::{Canvas, Color, Dice, Noise, luma, mix, scale, smooth};
use super::words::Style;

/// A style at work: call [`Pass::step`] for each of its passes.
pub struct Pass {
    style: Style,
    seed: u64,
    scene: Canvas,
    /// The scene without its fine detail, for broad brushes: a star must not become a white beam.
    broad: Canvas,
}

impl Pass {
    /// Begins on a copy of `scene`; `canvas` becomes the ground that the passes work on.
    pub fn begin(style: Style, seed: u64, canvas: &mut Canvas) -> Self {
        let scene = canvas.clone();
        let broad = if style == Style::Oil {
            blur(&scene, (scene.height / 70).max(2))
        } else {
            Canvas::new(1, 1)
        };
        if style == Style::Oil {
            *canvas = broad.clone();
        }
        Self {
            style,
            seed,
            scene,
            broad,
        }
    }

    /// Pass `n` of `count` (from 0).
    pub fn step(&self, canvas: &mut Canvas, n: usize, count: usize) {
        match self.style {
            Style::Oil => self.strokes(canvas, n, count),
            Style::Clean => {}
            // These look at the whole picture at once, in the last pass.
            _ if n + 1 < count => {}
            Style::Watercolour => self.wash(canvas),
            Style::Pixel => self.blocks(canvas),
            Style::Ink => self.lines(canvas),
            Style::Neon => self.edges(canvas),
        }
    }

    /// Strokes along the forms (across the direction in which brightness changes), coarse first, fine where there is
    /// detail; at the end the contours are drawn together and the ridges of the paint catch the light.
    fn strokes(&self, canvas: &mut Canvas, n: usize, count: usize) {
        let t = n as f32 / count.max(2) as f32;
        let size = 0.034 * (1.0 - t) * (1.0 - t) + 0.0050;
        let (aspect, unit) = (canvas.aspect(), self.scene.height as f32);
        let mut dice = Dice::new(self.seed, 700 + n as u64);
        let strokes = (0.30 * aspect / (size * size * count as f32).max(1e-5) * 4.0) as usize;
        let drift = Noise::new(self.seed, 70);
        for _ in 0..strokes.min(5200) {
            let (x, y) = (dice.unit() * aspect, dice.unit());
            let d = (size * 0.7).max(1.5 / unit);
            let brightness = |dx: f32, dy: f32| luma(self.scene.sample(x + dx, y + dy));
            let gx = brightness(d, 0.0) - brightness(-d, 0.0);
            let gy = brightness(0.0, d) - brightness(0.0, -d);
            let slope = (gx * gx + gy * gy).sqrt();
            // A fine brush only where there is something fine; elsewhere the coarse strokes stay visible.
            if t > 0.5 && slope < 0.02 + dice.unit() * 0.06 {
                continue;
            }
            let angle = if slope > 0.02 {
                gy.atan2(gx) + std::f32::consts::FRAC_PI_2
            } else {
                (drift.at(x * 2.4, y * 3.4) - 0.5) * 1.8
            };
            let length = size * dice.range(1.5, 3.2) / (1.0 + slope * 7.0);
            let (dx, dy) = (angle.cos() * length / 2.0, angle.sin() * length / 2.0);
            let (soft, sharp) = (self.broad.sample(x, y), self.scene.sample(x, y));
            let tone = scale(
                mix(soft, sharp, smooth(0.020, 0.008, size)),
                dice.range(0.95, 1.05),
            );
            canvas.stroke(
                (x - dx, y - dy),
                (x + dx, y + dy),
                size * dice.range(0.34, 0.55),
                tone,
                0.72,
            );
        }
        if n + 1 == count {
            self.varnish(canvas);
        }
    }

    /// The last look at an oil painting.
    fn varnish(&self, canvas: &mut Canvas) {
        let (scene, seed) = (&self.scene, self.seed);
        let (bristle, lay) = (Noise::new(seed, 75), Noise::new(seed, 76));
        let d = 1.4 / canvas.height as f32;
        canvas.shade(0.0, 1.0, |x, y, painted| {
            let sharp = scene.sample(x, y);
            let edge = (luma(scene.sample(x + d, y)) - luma(scene.sample(x - d, y))).abs()
                + (luma(scene.sample(x, y + d)) - luma(scene.sample(x, y - d))).abs();
            // Paint lies in the direction of the hand, which wanders.
            let turn = (lay.at(x * 1.2, y * 1.2) - 0.5) * 0.7;
            let (c, s) = (turn.cos(), turn.sin());
            let (along, across) = (x * c + y * s, y * c - x * s);
            let relief = bristle.cloud(along * 26.0, across * 210.0, 2) - 0.5;
            let color = mix(painted, sharp, 0.34 + 0.52 * smooth(0.02, 0.16, edge));
            scale(color, 1.0 + relief * 0.11)
        });
    }

    fn wash(&self, canvas: &mut Canvas) {
        let soft = blur(&self.scene, (self.scene.height / 160).max(1));
        let (wobble, grain) = (Noise::new(self.seed, 71), Noise::new(self.seed, 72));
        let paper = [0.975, 0.960, 0.925];
        let aspect = canvas.aspect();
        canvas.shade(0.0, 1.0, |x, y, _| {
            let (dx, dy) = (
                wobble.cloud(x * 16.0, y * 16.0, 2) - 0.5,
                wobble.cloud(x * 16.0 + 50.0, y * 16.0, 2) - 0.5,
            );
            let (wx, wy) = (x + dx * 0.022, y + dy * 0.022);
            let color = soft.sample(wx, wy);
            let edge = (luma(soft.sample(wx + 0.006, wy)) - luma(soft.sample(wx - 0.006, wy)))
                .abs()
                + (luma(soft.sample(wx, wy + 0.006)) - luma(soft.sample(wx, wy - 0.006))).abs();
            let pool = wobble.cloud(x * 3.0, y * 3.0, 4);
            let thin = mix(color, paper, 0.22 + (pool - 0.5) * 0.42);
            let pigment = scale(thin, 1.0 - (edge * 0.8).min(0.28));
            let textured = scale(pigment, 0.955 + grain.cloud(x * 170.0, y * 170.0, 2) * 0.09);
            let border = x.min(aspect - x).min(y).min(1.0 - y) + (pool - 0.5) * 0.03;
            mix(paper, textured, smooth(0.012, 0.032, border))
        });
    }

    fn blocks(&self, canvas: &mut Canvas) {
        let rows = (canvas.height / 5).clamp(12, 96);
        let size = canvas.height as f32 / rows as f32;
        let soft = blur(&self.scene, (size / 3.0) as usize);
        const ORDER: [[f32; 4]; 4] = [
            [0.0, 8.0, 2.0, 10.0],
            [12.0, 4.0, 14.0, 6.0],
            [3.0, 11.0, 1.0, 9.0],
            [15.0, 7.0, 13.0, 5.0],
        ];
        canvas.shade(0.0, 1.0, |x, y, _| {
            let unit = rows as f32;
            let (column, row) = ((x * unit).floor(), (y * unit).floor());
            let color = soft.sample((column + 0.5) / unit, (row + 0.5) / unit);
            let threshold = (ORDER[row as usize % 4][column as usize % 4] / 15.0 - 0.5) * 0.065;
            color.map(|c| {
                let levels = 8.0;
                let rich = 0.5 + (c - 0.5) * 1.12;
                ((rich + threshold) * levels).round().clamp(0.0, levels) / levels
            })
        });
    }

    fn lines(&self, canvas: &mut Canvas) {
        let soft = blur(&self.scene, (self.scene.height / 240).max(1));
        let (grain, hand) = (Noise::new(self.seed, 73), Noise::new(self.seed, 74));
        let (paper, ink): (Color, Color) = ([0.965, 0.945, 0.895], [0.10, 0.10, 0.15]);
        let mean = self.scene.pixels.iter().map(|p| luma(*p)).sum::<f32>()
            / self.scene.pixels.len() as f32;
        // Night scenes are lifted, or they would be one black sheet.
        let lift = (0.56 / mean.max(0.05)).clamp(0.85, 2.6);
        let pixel = 1.0 / canvas.height as f32;
        canvas.shade(0.0, 1.0, |x, y, _| {
            let color = soft.sample(x, y);
            let tone = (luma(color) * lift).clamp(0.0, 1.0);
            let shake = (hand.at(x * 14.0, y * 14.0) - 0.5) * 0.010;
            let hatch = |along: f32, from: f32| {
                let phase = (along + shake) * 74.0;
                let line = (phase - phase.floor() - 0.5).abs() * 2.0;
                let weight = ((from - tone) * 1.7).clamp(0.0, 0.62);
                smooth(weight + 0.16, weight - 0.10, line) * smooth(0.0, 0.06, from - tone)
            };
            let shade = hatch(x + y, 0.60)
                .max(hatch(x - y, 0.40))
                .max(hatch(y, 0.24));
            let d = 1.3 * pixel;
            let edge = (luma(soft.sample(x + d, y)) - luma(soft.sample(x - d, y))).abs()
                + (luma(soft.sample(x, y + d)) - luma(soft.sample(x, y - d))).abs();
            let contour = smooth(0.06, 0.17, edge * lift);
            let sheet = scale(paper, 0.97 + grain.cloud(x * 120.0, y * 120.0, 2) * 0.05);
            let washed = mix(
                sheet,
                [
                    sheet[0] * color[0].max(0.3),
                    sheet[1] * color[1].max(0.3),
                    sheet[2] * color[2].max(0.3),
                ],
                0.16,
            );
            mix(washed, ink, shade.max(contour) * 0.92)
        });
    }

    fn edges(&self, canvas: &mut Canvas) {
        let pixel = 1.0 / canvas.height as f32;
        let scene = blur(&self.scene, 1);
        let mut glow = Canvas::new(canvas.width, canvas.height);
        glow.shade(0.0, 1.0, |x, y, _| {
            let d = 1.6 * pixel;
            let (right, left) = (scene.sample(x + d, y), scene.sample(x - d, y));
            let (low, high) = (scene.sample(x, y + d), scene.sample(x, y - d));
            let edge = (0..3)
                .map(|c| (right[c] - left[c]).abs() + (low[c] - high[c]).abs())
                .fold(0.0, f32::max);
            let hue = mix(
                [0.05, 0.85, 1.0],
                [1.0, 0.15, 0.75],
                smooth(0.25, 0.85, y + luma(scene.sample(x, y)) * 0.3 - 0.1),
            );
            scale(hue, smooth(0.05, 0.32, edge))
        });
        let halo = blur(&glow, (canvas.height / 55).max(2));
        let wide = blur(&halo, (canvas.height / 22).max(3));
        canvas.shade(0.0, 1.0, |x, y, _| {
            let base = scene.sample(x, y);
            let dark = mix(scale(base, 0.30), [0.07, 0.02, 0.16], 0.45);
            let (line, near, far) = (glow.sample(x, y), halo.sample(x, y), wide.sample(x, y));
            let mut color = dark;
            for c in 0..3 {
                let light = (line[c] * 0.95 + near[c] * 1.1 + far[c] * 0.9).clamp(0.0, 1.0);
                color[c] = 1.0 - (1.0 - color[c]) * (1.0 - light);
            }
            color
        });
    }
}

/// A copy blurred by two box passes of `radius` pixels.
pub fn blur(canvas: &Canvas, radius: usize) -> Canvas {
    let mut result = canvas.clone();
    if radius == 0 {
        return result;
    }
    for _ in 0..2 {
        let mut across = result.clone();
        for row in 0..canvas.height {
            let start = row * canvas.width;
            slide(
                &result.pixels[start..start + canvas.width],
                &mut across.pixels[start..start + canvas.width],
                radius,
            );
        }
        let mut column = vec![[0.0; 3]; canvas.height];
        let mut smoothed = column.clone();
        for x in 0..canvas.width {
            for (y, cell) in column.iter_mut().enumerate() {
                *cell = across.pixels[y * canvas.width + x];
            }
            slide(&column, &mut smoothed, radius);
            for (y, cell) in smoothed.iter().enumerate() {
                result.pixels[y * canvas.width + x] = *cell;
            }
        }
    }
    result
}

/// Running mean over one line, its ends repeated.
fn slide(from: &[Color], to: &mut [Color], radius: usize) {
    let last = from.len() - 1;
    let span = (2 * radius + 1) as f32;
    let at = |i: isize| from[i.clamp(0, last as isize) as usize];
    let mut sum = [0f32; 3];
    for i in -(radius as isize)..=radius as isize {
        let c = at(i);
        sum = [sum[0] + c[0], sum[1] + c[1], sum[2] + c[2]];
    }
    for (i, cell) in to.iter_mut().enumerate() {
        *cell = [sum[0] / span, sum[1] / span, sum[2] / span];
        let (new, old) = (
            at(i as isize + radius as isize + 1),
            at(i as isize - radius as isize),
        );
        for c in 0..3 {
            sum[c] += new[c] - old[c];
        }
    }
}
