//! A picture in floating point, and the few ways of putting paint on it. Lengths are in picture heights, so that a scene
//! looks the same at every size: x runs from 0 to [`Canvas::aspect`], y from 0 (top) to 1.

use image::RgbImage;

/// Red, green, blue, each 0 to 1.
pub type Color = [f32; 3];

/// `a` and `b` mixed: 0 gives `a`, 1 gives `b`.
pub fn mix(a: Color, b: Color, t: f32) -> Color {
    let t = t.clamp(0.0, 1.0);
    [
        a[0] + (b[0] - a[0]) * t,
        a[1] + (b[1] - a[1]) * t,
        a[2] + (b[2] - a[2]) * t,
    ]
}

/// `c` made lighter (above 1) or darker (below 1).
pub fn scale(c: Color, by: f32) -> Color {
    [c[0] * by, c[1] * by, c[2] * by]
}

/// Brightness as an eye sees it.
pub fn luma(c: Color) -> f32 {
    c[0] * 0.299 + c[1] * 0.587 + c[2] * 0.114
}

/// 0 below `a`, 1 above `b`, smooth between; also for `a` above `b`.
pub fn smooth(a: f32, b: f32, x: f32) -> f32 {
    let t = ((x - a) / (b - a)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// A deterministic source of numbers.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// Dice for a seed and a purpose, so that one part's throws do not shift another's.
    pub fn new(seed: u64, purpose: u64) -> Self {
        let mut dice = Self(seed ^ purpose.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        dice.next();
        dice
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 up to 1.
    pub fn unit(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1u32 << 24) as f32
    }

    /// A number from `a` up to `b`.
    pub fn range(&mut self, a: f32, b: f32) -> f32 {
        a + (b - a) * self.unit()
    }

    /// A number below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }
}

/// Smooth noise from 0 to 1.
#[derive(Clone, Copy, Debug)]
pub struct Noise(u32);

impl Noise {
    /// Noise of a seed and a purpose.
    pub fn new(seed: u64, purpose: u32) -> Self {
        Self((seed as u32) ^ ((seed >> 32) as u32) ^ purpose.wrapping_mul(0x9e37_79b9))
    }

    fn corner(self, x: i32, y: i32) -> f32 {
        let mut h =
            self.0 ^ (x as u32).wrapping_mul(0x85eb_ca6b) ^ (y as u32).wrapping_mul(0xc2b2_ae35);
        h = (h ^ (h >> 15)).wrapping_mul(0x2c1b_3c6d);
        h = (h ^ (h >> 12)).wrapping_mul(0x297a_2d39);
        ((h ^ (h >> 15)) >> 8) as f32 / (1u32 << 24) as f32
    }

    /// One octave.
    pub fn at(self, x: f32, y: f32) -> f32 {
        let (fx, fy) = (x.floor(), y.floor());
        let (ix, iy) = (fx as i32, fy as i32);
        let (u, v) = (x - fx, y - fy);
        let (u, v) = (u * u * (3.0 - 2.0 * u), v * v * (3.0 - 2.0 * v));
        let (jx, jy) = (ix.wrapping_add(1), iy.wrapping_add(1));
        let top = self.corner(ix, iy) * (1.0 - u) + self.corner(jx, iy) * u;
        let low = self.corner(ix, jy) * (1.0 - u) + self.corner(jx, jy) * u;
        top * (1.0 - v) + low * v
    }

    /// Several octaves, each half as strong and twice as fine.
    pub fn cloud(self, x: f32, y: f32, octaves: u32) -> f32 {
        let (mut sum, mut weight, mut total, mut scale) = (0.0, 1.0, 0.0, 1.0);
        for octave in 0..octaves {
            // The shift keeps the octaves' grids from lining up.
            let shift = octave as f32 * 17.3;
            sum += self.at(x * scale + shift, y * scale - shift) * weight;
            total += weight;
            weight *= 0.5;
            scale *= 2.03;
        }
        sum / total
    }
}

/// The picture being painted.
#[derive(Clone, Debug)]
pub struct Canvas {
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// Pixels, row by row.
    pub pixels: Vec<Color>,
}

impl Canvas {
    /// A black canvas.
    pub fn new(width: usize, height: usize) -> Self {
        Self {
            width,
            height,
            pixels: vec![[0.0; 3]; width * height],
        }
    }

    /// A canvas that shows `image`.
    pub fn from_image(image: &RgbImage) -> Self {
        let pixels = image
            .pixels()
            .map(|p| p.0.map(|c| f32::from(c) / 255.0))
            .collect();
        Self {
            width: image.width() as usize,
            height: image.height() as usize,
            pixels,
        }
    }

    /// The picture in bytes, with a trace of dither against banding.
    pub fn to_image(&self) -> RgbImage {
        let mut dice = Dice::new(7, 7);
        let mut bytes = Vec::with_capacity(self.pixels.len() * 3);
        for pixel in &self.pixels {
            let dither = dice.unit() - 0.5;
            bytes.extend(
                pixel.map(|c| {
                    (c.clamp(0.0, 1.0) * 255.0 + 0.5 + dither * 0.8).clamp(0.0, 255.0) as u8
                }),
            );
        }
        RgbImage::from_raw(self.width as u32, self.height as u32, bytes)
            .expect("three bytes for each pixel")
    }

    /// Width in heights.
    pub fn aspect(&self) -> f32 {
        self.width as f32 / self.height as f32
    }

    fn unit(&self) -> f32 {
        self.height as f32
    }

    /// The pixel nearest to a place, clamped to the edge.
    pub fn sample(&self, x: f32, y: f32) -> Color {
        let column = ((x * self.unit()).max(0.0) as usize).min(self.width - 1);
        let row = ((y * self.unit()).max(0.0) as usize).min(self.height - 1);
        self.pixels[row * self.width + column]
    }

    /// Repaints every pixel of the rows from `top` to `bottom`: `paint` gets x, y and what is there.
    pub fn shade(
        &mut self,
        top: f32,
        bottom: f32,
        mut paint: impl FnMut(f32, f32, Color) -> Color,
    ) {
        let unit = self.unit();
        let first = (top * unit).max(0.0) as usize;
        let last = ((bottom * unit).ceil().max(0.0) as usize).min(self.height);
        for row in first..last {
            let y = (row as f32 + 0.5) / unit;
            for column in 0..self.width {
                let pixel = &mut self.pixels[row * self.width + column];
                *pixel = paint((column as f32 + 0.5) / unit, y, *pixel);
            }
        }
    }

    /// Lays `color` over one pixel.
    fn blend(&mut self, column: i32, row: i32, color: Color, cover: f32) {
        if column >= 0 && row >= 0 && (column as usize) < self.width && (row as usize) < self.height
        {
            let pixel = &mut self.pixels[row as usize * self.width + column as usize];
            *pixel = mix(*pixel, color, cover);
        }
    }

    /// Fills a polygon with one colour.
    pub fn poly(&mut self, points: &[(f32, f32)], color: Color) {
        self.poly_with(points, |_, _| color);
    }

    /// Fills a polygon (even-odd rule) with smooth edges; `paint` gives the colour of each place.
    pub fn poly_with(&mut self, points: &[(f32, f32)], paint: impl Fn(f32, f32) -> Color) {
        const LINES: i32 = 4;
        let unit = self.unit();
        let points: Vec<(f32, f32)> = points.iter().map(|(x, y)| (x * unit, y * unit)).collect();
        let low = points
            .iter()
            .map(|p| p.1)
            .fold(f32::MAX, f32::min)
            .floor()
            .max(0.0) as i32;
        let high = points
            .iter()
            .map(|p| p.1)
            .fold(f32::MIN, f32::max)
            .ceil()
            .min(unit) as i32;
        let mut cover = vec![0f32; self.width];
        let mut crossings = Vec::new();
        for row in low..high {
            let (mut first, mut last) = (self.width, 0);
            for line in 0..LINES {
                let y = row as f32 + (line as f32 + 0.5) / LINES as f32;
                crossings.clear();
                for (i, a) in points.iter().enumerate() {
                    let b = points[(i + 1) % points.len()];
                    if (a.1 <= y) != (b.1 <= y) {
                        crossings.push(a.0 + (y - a.1) / (b.1 - a.1) * (b.0 - a.0));
                    }
                }
                crossings.sort_by(f32::total_cmp);
                for pair in crossings.chunks_exact(2) {
                    let (from, to) = (pair[0].max(0.0), pair[1].min(self.width as f32));
                    if from >= to {
                        continue;
                    }
                    let (start, end) = (from as usize, (to.ceil() as usize).min(self.width));
                    for (column, cell) in cover.iter_mut().enumerate().take(end).skip(start) {
                        let part = (to.min(column as f32 + 1.0) - from.max(column as f32)).max(0.0);
                        *cell += part / LINES as f32;
                    }
                    first = first.min(start);
                    last = last.max(end);
                }
            }
            for (column, cell) in cover.iter_mut().enumerate().take(last).skip(first) {
                let amount = std::mem::take(cell);
                if amount > 0.0 {
                    let color = paint((column as f32 + 0.5) / unit, (row as f32 + 0.5) / unit);
                    self.blend(column as i32, row, color, amount);
                }
            }
        }
    }

    /// A rectangle.
    pub fn rect(&mut self, x: f32, y: f32, width: f32, height: f32, color: Color) {
        self.poly(
            &[
                (x, y),
                (x + width, y),
                (x + width, y + height),
                (x, y + height),
            ],
            color,
        );
    }

    /// An ellipse with smooth edge; `paint` gets the place relative to the centre, in radii.
    pub fn ellipse_with(
        &mut self,
        x: f32,
        y: f32,
        rx: f32,
        ry: f32,
        paint: impl Fn(f32, f32) -> Color,
    ) {
        let unit = self.unit();
        let pixel = 1.0 / (unit * rx.min(ry)).max(0.01);
        let (left, right) = (((x - rx) * unit) as i32 - 1, ((x + rx) * unit) as i32 + 2);
        let (top, bottom) = (((y - ry) * unit) as i32 - 1, ((y + ry) * unit) as i32 + 2);
        for row in top.max(0)..bottom.min(self.height as i32) {
            for column in left.max(0)..right.min(self.width as i32) {
                let u = ((column as f32 + 0.5) / unit - x) / rx;
                let v = ((row as f32 + 0.5) / unit - y) / ry;
                let cover = smooth(1.0 + pixel * 0.7, 1.0 - pixel * 0.7, (u * u + v * v).sqrt());
                if cover > 0.0 {
                    self.blend(column, row, paint(u, v), cover);
                }
            }
        }
    }

    /// An ellipse of one colour.
    pub fn ellipse(&mut self, x: f32, y: f32, rx: f32, ry: f32, color: Color) {
        self.ellipse_with(x, y, rx, ry, |_, _| color);
    }

    /// A soft light that fades over `radius`; it adds to what is there.
    pub fn glow(&mut self, x: f32, y: f32, radius: f32, color: Color, strength: f32) {
        let unit = self.unit();
        let top = ((y - radius) * unit).max(0.0) as usize;
        let bottom = (((y + radius) * unit).max(0.0) as usize + 1).min(self.height);
        let left = ((x - radius) * unit).max(0.0) as usize;
        let right = (((x + radius) * unit).max(0.0) as usize + 1).min(self.width);
        for row in top..bottom {
            for column in left..right {
                let (dx, dy) = (
                    (column as f32 + 0.5) / unit - x,
                    (row as f32 + 0.5) / unit - y,
                );
                let far = (dx * dx + dy * dy).sqrt() / radius;
                if far < 1.0 {
                    let amount = (1.0 - far) * (1.0 - far) * strength;
                    let pixel = &mut self.pixels[row * self.width + column];
                    // Screen rather than plain addition keeps colours from burning out.
                    for (channel, light) in pixel.iter_mut().zip(color) {
                        *channel =
                            1.0 - (1.0 - *channel) * (1.0 - (light * amount).clamp(0.0, 1.0));
                    }
                }
            }
        }
    }

    /// A line with round ends, `width` wide, laid on with `cover`.
    pub fn stroke(
        &mut self,
        from: (f32, f32),
        to: (f32, f32),
        width: f32,
        color: Color,
        cover: f32,
    ) {
        let unit = self.unit();
        let (ax, ay, bx, by) = (from.0 * unit, from.1 * unit, to.0 * unit, to.1 * unit);
        let radius = (width * unit / 2.0).max(0.35);
        let (dx, dy) = (bx - ax, by - ay);
        let length = (dx * dx + dy * dy).max(1e-6);
        let reach = radius + 1.0;
        let (left, right) = (
            (ax.min(bx) - reach).max(0.0) as i32,
            (ax.max(bx) + reach).ceil() as i32,
        );
        let (top, bottom) = (
            (ay.min(by) - reach).max(0.0) as i32,
            (ay.max(by) + reach).ceil() as i32,
        );
        for row in top..bottom.min(self.height as i32) {
            for column in left..right.min(self.width as i32) {
                let (px, py) = (column as f32 + 0.5 - ax, row as f32 + 0.5 - ay);
                let t = ((px * dx + py * dy) / length).clamp(0.0, 1.0);
                let (ex, ey) = (px - dx * t, py - dy * t);
                let inside = (radius + 0.5 - (ex * ex + ey * ey).sqrt()).clamp(0.0, 1.0);
                if inside > 0.0 {
                    self.blend(column, row, color, inside * cover);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_polygon_covers_its_area_with_smooth_edges() {
        let mut canvas = Canvas::new(100, 100);
        canvas.rect(0.2, 0.2, 0.505, 0.5, [1.0; 3]);
        let sum: f32 = canvas.pixels.iter().map(|p| p[0]).sum();
        assert!((sum - 50.5 * 50.0).abs() < 1.0, "{sum}");
        assert!((canvas.pixels[30 * 100 + 70][0] - 0.5).abs() < 0.01);
    }

    #[test]
    fn paint_outside_the_canvas_is_harmless() {
        let mut canvas = Canvas::new(16, 9);
        canvas.poly(&[(-5.0, -5.0), (9.0, 0.5), (-5.0, 7.0)], [1.0; 3]);
        canvas.ellipse(-1.0, 3.0, 0.5, 9.0, [1.0; 3]);
        canvas.glow(9.0, 9.0, 2.0, [1.0; 3], 1.0);
        canvas.stroke((-3.0, -3.0), (8.0, 8.0), 0.1, [1.0; 3], 1.0);
        assert_eq!(canvas.to_image().dimensions(), (16, 9));
    }

    #[test]
    fn dice_and_noise_repeat_and_stay_in_range() {
        let (mut a, mut b) = (Dice::new(5, 1), Dice::new(5, 1));
        let noise = Noise::new(5, 1);
        for n in 0..1000 {
            let x = a.unit();
            assert!((0.0..1.0).contains(&x) && x == b.unit());
            let y = noise.cloud(n as f32 * 0.37, -(n as f32) * 1.1, 4);
            assert!((0.0..=1.0).contains(&y));
        }
    }
}
