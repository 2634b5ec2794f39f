//! Pictures on the panel: scaled, moved, and dithered in an ordered 4×4 pattern.

use super::Canvas;
use super::scene::Shape;
use crate::app::model::Raster;
use crate::ui::color::Color;
use crate::ui::rect::Rect;
use std::sync::Arc;

/// Decoded pixels whose number fits their size.
#[derive(Clone, Debug)]
pub struct Picture(Arc<Raster>);

impl Picture {
    /// A picture of these pixels, or nothing if their number does not fit the size.
    pub fn new(raster: &Arc<Raster>) -> Option<Picture> {
        let (width, height) = (raster.width, raster.height);
        let len = u64::from(width)
            .checked_mul(u64::from(height))?
            .checked_mul(3)?;
        (len > 0
            && width <= i32::MAX as u32
            && height <= i32::MAX as u32
            && len == raster.rgb.len() as u64)
            .then(|| Picture(raster.clone()))
    }

    /// Width and height in pixels.
    pub fn size(&self) -> (u32, u32) {
        (self.0.width, self.0.height)
    }
}

/// Which part of a picture fills an area, and how large.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct View {
    /// Panel pixels per picture pixel.
    pub scale: f32,
    /// Picture position shown in the middle of the area, in picture pixels.
    pub center: (f32, f32),
}

impl View {
    /// The whole picture as large as fits.
    pub fn fit(width: u32, height: u32, area: Rect) -> View {
        let scale = (area.w as f32 / width as f32).min(area.h as f32 / height as f32);
        View {
            scale,
            center: (width as f32 / 2.0, height as f32 / 2.0),
        }
    }

    /// As large as needed to leave no part of the area empty.
    pub fn cover(width: u32, height: u32, area: Rect) -> View {
        let scale = (area.w as f32 / width as f32).max(area.h as f32 / height as f32);
        View {
            scale,
            center: (width as f32 / 2.0, height as f32 / 2.0),
        }
    }
}

/// Bayer's 4×4 pattern, thresholds 0 to 15.
const BAYER: [[i32; 4]; 4] = [[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]];

/// An 8-bit triple rounded to the panel, up or down by the pattern at `x`, `y`.
fn dither(rgb: [u8; 3], x: i32, y: i32) -> Color {
    // Between 1/32 and 31/32 of a step, so that a value that the panel has stays exactly itself.
    let threshold = 2 * BAYER[(y & 3) as usize][(x & 3) as usize] + 1;
    let quantise = |v: u8, levels: i32| {
        ((i32::from(v) * levels * 32 + threshold * 255) / (255 * 32)).min(levels)
    };
    let [r, g, b] = rgb;
    Color((quantise(r, 31) << 11 | quantise(g, 63) << 5 | quantise(b, 31)) as u16)
}

/// Where one panel column or row takes its colour from, along one axis of the picture.
#[derive(Clone, Copy)]
struct Tap {
    /// First picture pixel, and the one after the last.
    from: u32,
    to: u32,
    /// Between two pixels (enlarging): how far towards the second, of 256.
    toward: i32,
}

/// The taps of `count` panel pixels starting at `first` panel pixels from the start of the area, `None` beside the picture.
fn taps(first: i32, count: i32, area: i32, center: f32, step: f32, size: u32) -> Vec<Option<Tap>> {
    let tap = |pixel: i32| {
        let middle = center + (pixel as f32 + 0.5 - area as f32 / 2.0) * step;
        if middle < 0.0 || middle >= size as f32 {
            return None;
        }
        if step > 1.01 {
            let from = ((middle - step / 2.0).floor().max(0.0) as u32).min(size - 1);
            let to = ((middle + step / 2.0).floor() as u32).clamp(from + 1, size);
            return Some(Tap {
                from,
                to,
                toward: 0,
            });
        }
        let left = (middle - 0.5).max(0.0);
        let from = (left as u32).min(size - 1);
        let to = (from + 1).min(size - 1);
        Some(Tap {
            from,
            to,
            toward: ((left - from as f32) * 256.0) as i32,
        })
    };
    (first..first + count).map(tap).collect()
}

impl Canvas {
    /// Draws the part of a picture that `view` puts into `area`; where the picture ends, what was there stays.
    pub fn picture(&mut self, picture: &Picture, area: Rect, view: View) {
        if view.scale.is_nan() || view.scale <= 0.0 {
            return;
        }
        let raster = picture.0.clone();
        self.stroke(Shape::Picture { raster, view }, area, Color(0));
    }

    pub(super) fn paint_picture(&mut self, picture: &Raster, area: Rect, view: View) {
        let step = 1.0 / view.scale;
        let seen = area.intersect(&self.clip());
        let columns = taps(
            seen.x - area.x,
            seen.w,
            area.w,
            view.center.0,
            step,
            picture.width,
        );
        let rows = taps(
            seen.y - area.y,
            seen.h,
            area.h,
            view.center.1,
            step,
            picture.height,
        );
        for (y, row) in (seen.y..).zip(&rows) {
            let Some(row) = row else { continue };
            for (x, column) in (seen.x..).zip(&columns) {
                let Some(column) = column else { continue };
                let rgb = if step > 1.01 {
                    average(picture, column, row)
                } else {
                    smooth(picture, column, row)
                };
                self.put(x, y, dither(rgb, x, y));
            }
        }
    }
}

fn texel(p: &Raster, x: u32, y: u32) -> [i32; 3] {
    let i = (y as usize * p.width as usize + x as usize) * 3;
    [
        i32::from(p.rgb[i]),
        i32::from(p.rgb[i + 1]),
        i32::from(p.rgb[i + 2]),
    ]
}

/// Mean of the picture pixels under one panel pixel; of very many, every second or third.
fn average(p: &Raster, column: &Tap, row: &Tap) -> [u8; 3] {
    let stride = |tap: &Tap| ((tap.to - tap.from) / 8 + 1) as usize;
    let (mut sum, mut count) = ([0i32; 3], 0);
    for y in (row.from..row.to).step_by(stride(row)) {
        for x in (column.from..column.to).step_by(stride(column)) {
            let t = texel(p, x, y);
            sum[0] += t[0];
            sum[1] += t[1];
            sum[2] += t[2];
            count += 1;
        }
    }
    sum.map(|s| ((s + count / 2) / count.max(1)) as u8)
}

/// Bilinear between the four nearest picture pixels; exact at a scale of one.
fn smooth(p: &Raster, column: &Tap, row: &Tap) -> [u8; 3] {
    let (dx, dy) = (column.toward, row.toward);
    let a = texel(p, column.from, row.from);
    if dx == 0 && dy == 0 {
        return [a[0] as u8, a[1] as u8, a[2] as u8];
    }
    let b = texel(p, column.to, row.from);
    let (c, d) = (texel(p, column.from, row.to), texel(p, column.to, row.to));
    let mix = |i: usize| {
        let top = a[i] * (256 - dx) + b[i] * dx;
        let bottom = c[i] * (256 - dx) + d[i] * dx;
        ((top * (256 - dy) + bottom * dy + 0x8000) >> 16) as u8
    };
    [mix(0), mix(1), mix(2)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(width: u32, height: u32, rgb: Vec<u8>) -> Option<Picture> {
        Picture::new(&Arc::new(Raster { width, height, rgb }))
    }

    /// Draws one colour as a picture of a size.
    fn flat(c: &mut Canvas, width: u32, height: u32, rgb: [u8; 3], view: View) {
        let bytes = rgb.repeat((width * height) as usize);
        let area = c.area();
        c.picture(&of(width, height, bytes).unwrap(), area, view);
    }

    #[test]
    fn a_picture_whose_bytes_do_not_match_its_size_is_refused() {
        assert!(of(2, 2, vec![0; 11]).is_none());
        assert!(of(0, 2, vec![]).is_none());
        assert!(of(u32::MAX, u32::MAX, vec![0; 3]).is_none());
    }

    #[test]
    fn colours_that_the_panel_has_are_not_dithered() {
        for v in [0x0000u16, 0xffff, 0x8410, 0x52aa] {
            let rgb = Color(v).channels();
            for (x, y) in [(0, 0), (1, 2), (3, 3)] {
                let d = dither(rgb, x, y).channels();
                assert!((0..3).all(|i| d[i].abs_diff(rgb[i]) <= 8), "{v:#x}");
            }
        }
        assert_eq!(dither([255; 3], 0, 0), Color(0xffff));
        assert_eq!(dither([0; 3], 0, 3), Color(0));
    }

    #[test]
    fn dithering_keeps_the_mean() {
        let mut c = Canvas::new(64, 64);
        flat(
            &mut c,
            64,
            64,
            [100, 101, 102],
            View {
                scale: 1.0,
                center: (32.0, 32.0),
            },
        );
        let mean: f64 = c
            .pixels()
            .iter()
            .map(|&p| f64::from(Color(p).channels()[0]))
            .sum::<f64>()
            / 4096.0;
        assert!((mean - 100.0).abs() < 1.5, "{mean}");
    }

    #[test]
    fn fitting_leaves_the_rest_of_the_area_alone() {
        let mut c = Canvas::new(100, 100);
        let view = View::fit(10, 20, c.area());
        flat(&mut c, 10, 20, [255; 3], view);
        assert_eq!(c.pixel(50, 0), Some(Color(0xffff)));
        assert_eq!(c.pixel(10, 50), Some(Color(0)));
        assert_eq!(
            c.pixels().iter().filter(|&&p| p == 0xffff).count(),
            50 * 100
        );
    }

    #[test]
    fn at_full_size_every_pixel_is_the_pictures_own() {
        let rgb: Vec<u8> = (0..16 * 8u32)
            .flat_map(|i| Color((i * 509) as u16).channels())
            .collect();
        let mut c = Canvas::new(16, 8);
        let area = c.area();
        c.picture(&of(16, 8, rgb).unwrap(), area, View::fit(16, 8, area));
        for (i, &p) in c.pixels().iter().enumerate() {
            let (shown, own) = (
                Color(p).channels(),
                Color((i as u32 * 509) as u16).channels(),
            );
            assert!((0..3).all(|k| shown[k].abs_diff(own[k]) <= 8), "pixel {i}");
        }
    }

    #[test]
    fn every_zoom_and_place_stays_inside_the_picture() {
        let rgb = vec![9u8; 7 * 5 * 3];
        let picture = of(7, 5, rgb).unwrap();
        let mut c = Canvas::new(40, 30);
        for scale in [0.01, 0.3, 1.0, 3.7, 400.0] {
            for center in [(0.0, 0.0), (7.0, 5.0), (-50.0, 2.0), (3.5, 2.5)] {
                c.picture(&picture, Rect::new(-3, 4, 50, 20), View { scale, center });
            }
        }
    }

    #[test]
    fn a_nonsensical_scale_draws_nothing() {
        let mut c = Canvas::new(8, 8);
        for scale in [0.0, -1.0, f32::NAN] {
            flat(
                &mut c,
                2,
                2,
                [255; 3],
                View {
                    scale,
                    center: (1.0, 1.0),
                },
            );
        }
        assert!(c.pixels().iter().all(|&p| p == 0));
    }
}
