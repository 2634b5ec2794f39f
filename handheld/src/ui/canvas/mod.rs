//! The framebuffer: RGB565 pixels, one clip, text, and what changed since the last frame.

pub mod damage;
pub mod icon;
pub mod picture;
pub mod png;
mod scene;
mod scroll;
pub mod shape;
pub mod write;

use super::color::Color;
use super::rect::Rect;
use super::text::{Mask, Typesetter};
use embedded_graphics::Pixel;
use embedded_graphics::draw_target::DrawTarget;
use embedded_graphics::geometry::{OriginDimensions, Size};
use embedded_graphics::pixelcolor::{IntoStorage, Rgb565};
use embedded_graphics::primitives::Rectangle;
use scene::Shape;
use std::rc::Rc;

pub use icon::Icon;
pub use picture::{Picture, View};
pub use write::{Align, TextBox};

/// Largest panel side. A bound on memory, twice what any handheld has.
pub const MAX_SIDE: i32 = 4096;

/// The picture that the panel is to show.
pub struct Canvas {
    width: i32,
    height: i32,
    pixels: Vec<u16>,
    /// The frame before, for [`Canvas::damage`].
    shown: Vec<u16>,
    clip: Rect,
    scene: scene::Scene,
    /// Painted since the last [`Canvas::damage`], as far as scenes did it.
    painted: Vec<Rect>,
    /// Moved since then.
    moved: Vec<Rect>,
    /// Painted elsewhere too.
    loose: bool,
    /// Measures text and holds glyph masks.
    pub text: Typesetter,
    /// What is answered, above a field.
    pub quoted: super::text::Ending,
    /// Laid-out documents.
    pub documents: super::markdown::Cache,
    corners: shape::Corners,
    blends: Blends,
    boxes: Option<Vec<TextBox>>,
}

/// What a colour and the ground below it make of each step of coverage. Letters stand on one ground almost everywhere, and a text has
/// one colour: each blend is worked out once for many of them.
#[derive(Default)]
struct Blends {
    color: Color,
    under: u16,
    /// By coverage: masks have sixteen steps of it, multiples of seventeen.
    known: [u16; 16],
    /// A bit for each that has been worked out.
    have: u16,
}

impl Blends {
    fn ink(&mut self, color: Color) {
        if self.color != color {
            self.color = color;
            self.have = 0;
        }
    }

    #[inline]
    fn over(&mut self, under: u16, alpha: u8) -> u16 {
        if under != self.under {
            self.under = under;
            self.have = 0;
        }
        debug_assert_eq!(alpha % 17, 0, "a mask has sixteen steps");
        let step = usize::from(alpha >> 4);
        if self.have & 1 << step == 0 {
            self.have |= 1 << step;
            self.known[step] = self.color.over(Color(under), alpha).0;
        }
        self.known[step]
    }
}

impl Canvas {
    /// A black canvas of a panel's size, at least 1 and at most [`MAX_SIDE`] pixels on a side.
    pub fn new(width: i32, height: i32) -> Canvas {
        let (width, height) = (width.clamp(1, MAX_SIDE), height.clamp(1, MAX_SIDE));
        Canvas {
            width,
            height,
            pixels: vec![0; (width * height) as usize],
            shown: Vec::new(),
            clip: Rect::new(0, 0, width, height),
            scene: Default::default(),
            painted: Vec::new(),
            moved: Vec::new(),
            loose: true,
            text: Typesetter::default(),
            quoted: Default::default(),
            documents: Default::default(),
            corners: Default::default(),
            blends: Default::default(),
            boxes: None,
        }
    }

    /// The whole panel.
    pub fn area(&self) -> Rect {
        Rect::new(0, 0, self.width, self.height)
    }

    /// Row by row, `width * height` RGB565 values.
    pub fn pixels(&self) -> &[u16] {
        &self.pixels
    }

    /// The pixel at a place inside the panel.
    pub fn pixel(&self, x: i32, y: i32) -> Option<Color> {
        let inside = x >= 0 && y >= 0 && x < self.width && y < self.height;
        inside.then(|| Color(self.pixels[(y * self.width + x) as usize]))
    }

    /// Runs `draw` with everything outside `area` left untouched.
    pub fn clipped<R>(&mut self, area: Rect, draw: impl FnOnce(&mut Canvas) -> R) -> R {
        let before = self.clip;
        self.clip = before.intersect(&area);
        let result = draw(self);
        self.clip = before;
        result
    }

    /// What drawing is limited to at the moment.
    pub fn clip(&self) -> Rect {
        self.clip
    }

    /// Fills a rectangle.
    pub fn fill(&mut self, area: Rect, color: Color) {
        self.stroke(Shape::Fill, area, color);
    }

    fn paint_fill(&mut self, area: Rect, color: Color) {
        let r = area.intersect(&self.clip);
        if r.is_empty() {
            return;
        }
        for y in r.y..r.bottom() {
            let start = (y * self.width + r.x) as usize;
            self.pixels[start..start + r.w as usize].fill(color.0);
        }
    }

    /// One pixel with a coverage of `alpha` / 255 over what is there.
    fn blend(&mut self, x: i32, y: i32, color: Color, alpha: u8) {
        let c = self.clip;
        if alpha == 0 || x < c.x || y < c.y || x >= c.right() || y >= c.bottom() {
            return;
        }
        let p = &mut self.pixels[(y * self.width + x) as usize];
        *p = color.over(Color(*p), alpha).0;
    }

    /// A coverage mask with its pen position at `x`, `y`.
    fn mask(&mut self, mask: Rc<Mask>, x: i32, y: i32, color: Color) {
        let area = Rect::new(x + mask.left, y + mask.top, mask.w, mask.h);
        self.stroke(Shape::Mask { mask, x, y }, area, color);
    }

    fn paint_mask(&mut self, mask: &Mask, x: i32, y: i32, color: Color) {
        let area = Rect::new(x + mask.left, y + mask.top, mask.w, mask.h);
        let r = area.intersect(&self.clip);
        if r.is_empty() {
            return;
        }
        let blends = &mut self.blends;
        blends.ink(color);
        for row in r.y..r.bottom() {
            let from = ((row - area.y) * mask.w + r.x - area.x) as usize;
            let to = (row * self.width + r.x) as usize;
            let coverage = &mask.coverage[from..from + r.w as usize];
            let pixels = &mut self.pixels[to..to + r.w as usize];
            for (pixel, &alpha) in pixels.iter_mut().zip(coverage) {
                if alpha != 0 {
                    *pixel = blends.over(*pixel, alpha);
                }
            }
        }
    }

    /// Replaces one pixel inside the clip.
    fn put(&mut self, x: i32, y: i32, color: Color) {
        let c = self.clip;
        if x >= c.x && y >= c.y && x < c.right() && y < c.bottom() {
            self.pixels[(y * self.width + x) as usize] = color.0;
        }
    }

    /// Starts collecting the places of all texts drawn, for tests.
    pub fn record_text(&mut self) {
        self.boxes = Some(Vec::new());
    }

    /// The texts drawn since [`Canvas::record_text`].
    pub fn recorded(&self) -> &[TextBox] {
        self.boxes.as_deref().unwrap_or_default()
    }

    pub(super) fn note(&mut self, make: impl FnOnce(Rect) -> TextBox) {
        let clip = self.clip;
        if let Some(boxes) = &mut self.boxes {
            boxes.push(make(clip));
        }
    }

    /// Runs `draw` without recording: the same text once more, in other colours.
    pub fn unrecorded(&mut self, draw: impl FnOnce(&mut Canvas)) {
        let boxes = self.boxes.take();
        draw(self);
        self.boxes = boxes;
    }

    /// Says that what follows covers `area`: texts recorded there are no longer seen.
    pub fn cover(&mut self, area: Rect) {
        if let Some(boxes) = &mut self.boxes {
            boxes.retain(|noted| noted.area.intersect(&area).is_empty());
        }
    }
}

impl OriginDimensions for Canvas {
    fn size(&self) -> Size {
        Size::new(self.width as u32, self.height as u32)
    }
}

impl DrawTarget for Canvas {
    type Color = Rgb565;
    type Error = std::convert::Infallible;

    fn draw_iter<I: IntoIterator<Item = Pixel<Rgb565>>>(
        &mut self,
        pixels: I,
    ) -> Result<(), Self::Error> {
        for Pixel(at, color) in pixels {
            self.fill(Rect::new(at.x, at.y, 1, 1), Color(color.into_storage()));
        }
        Ok(())
    }

    fn fill_contiguous<I: IntoIterator<Item = Rgb565>>(
        &mut self,
        area: &Rectangle,
        colors: I,
    ) -> Result<(), Self::Error> {
        let r = Rect::from(*area);
        let mut colors = colors.into_iter();
        for y in r.y..r.bottom() {
            for x in r.x..r.right() {
                let Some(color) = colors.next() else {
                    return Ok(());
                };
                self.fill(Rect::new(x, y, 1, 1), Color(color.into_storage()));
            }
        }
        Ok(())
    }

    fn fill_solid(&mut self, area: &Rectangle, color: Rgb565) -> Result<(), Self::Error> {
        self.fill(Rect::from(*area), Color(color.into_storage()));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use embedded_graphics::pixelcolor::RgbColor;
    use embedded_graphics::prelude::{Drawable, Point, Primitive};
    use embedded_graphics::primitives::{Line, PrimitiveStyle};

    #[test]
    fn a_clip_keeps_everything_outside_untouched() {
        let mut c = Canvas::new(20, 20);
        c.clipped(Rect::new(5, 5, 5, 5), |c| {
            c.fill(Rect::new(-10, -10, 100, 100), Color(0xffff))
        });
        assert_eq!(c.pixels().iter().filter(|&&p| p != 0).count(), 25);
        assert_eq!(c.pixel(5, 5), Some(Color(0xffff)));
        assert_eq!(c.pixel(4, 5), Some(Color(0)));
        c.clipped(Rect::new(0, 0, 2, 2), |c| {
            c.clipped(Rect::new(10, 10, 5, 5), |c| c.fill(c.area(), Color(1)))
        });
        assert!(!c.pixels().contains(&1));
    }

    #[test]
    fn drawing_outside_the_panel_is_harmless() {
        let mut c = Canvas::new(8, 8);
        c.fill(Rect::new(-5, -5, 3, 3), Color(1));
        c.blend(100, 3, Color(1), 9);
        c.put(-1, 0, Color(1));
        c.put(0, 8, Color(1));
        assert!(c.pixels().iter().all(|&p| p == 0));
    }

    #[test]
    fn embedded_graphics_shapes_land_on_the_pixels() {
        let mut c = Canvas::new(10, 4);
        Line::new(Point::new(0, 1), Point::new(9, 1))
            .into_styled(PrimitiveStyle::with_stroke(Rgb565::WHITE, 1))
            .draw(&mut c)
            .unwrap();
        assert!(c.pixels()[10..20].iter().all(|&p| p == 0xffff));
        c.fill_contiguous(
            &Rectangle::new(Point::new(8, 0), Size::new(4, 1)),
            [Rgb565::RED; 4],
        )
        .unwrap();
        assert_eq!(c.pixel(9, 0), Some(Color(0xf800)));
        assert_eq!(c.pixel(0, 0), Some(Color(0)));
    }
}
