//! Outlines turned into coverage masks, kept in a bounded cache.

use super::font::Face;
use foldhash::HashMap;
use skrifa::GlyphId;
use skrifa::instance::{LocationRef, Size};
use skrifa::outline::{DrawSettings, OutlinePen};
use std::rc::Rc;
use zeno::{Command, Mask as Raster, Origin, PathBuilder, PathData, Style};

/// Steps of horizontal sub-pixel placement: letters sit within an eighth of a pixel of where they belong.
pub const SUBPIXELS: u8 = 4;

/// An 8-bit coverage mask placed relative to the pen position on the baseline.
#[derive(Debug, Default)]
pub struct Mask {
    /// Columns from the pen to the left edge.
    pub left: i32,
    /// Rows from the baseline to the top edge, negative above it.
    pub top: i32,
    /// Width in pixels.
    pub w: i32,
    /// Height in pixels.
    pub h: i32,
    /// Row by row, `w * h` bytes.
    pub coverage: Box<[u8]>,
}

impl Mask {
    /// Rasterises a path; y grows downwards, the origin is the pen position.
    pub fn of_path<'a>(path: impl PathData, style: impl Into<Style<'a>>) -> Mask {
        let (mut coverage, at) = Raster::new(path)
            .style(style)
            .origin(Origin::TopLeft)
            .render();
        // Sixteen steps are as many as the panel can show between two colours, and screenshots compress better.
        coverage
            .iter_mut()
            .for_each(|a| *a = (*a / 17 + u8::from(*a % 17 > 8)) * 17);
        Mask {
            left: at.left,
            top: at.top,
            w: at.width as i32,
            h: at.height as i32,
            coverage: coverage.into(),
        }
    }
}

/// What a mask is the picture of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Key {
    /// A letter: face, glyph, size in pixels, sub-pixel step.
    Glyph(Face, u32, u16, u8),
    /// One of the interface's own shapes: its number and size in pixels.
    Icon(u16, u16),
}

/// Bounded store of masks in two generations: when the young one is full it becomes the old one, and what the old one
/// held and nobody asked for again is gone.
pub struct GlyphCache {
    young: HashMap<Key, Rc<Mask>>,
    old: HashMap<Key, Rc<Mask>>,
    young_bytes: usize,
    limit: usize,
}

/// Room for about six thousand glyphs of body size, half of it per generation.
const CACHE_BYTES: usize = 3 << 20;
/// Book-keeping beside the coverage bytes, so that empty masks count too.
const ENTRY_BYTES: usize = 96;

impl Default for GlyphCache {
    fn default() -> Self {
        GlyphCache::with_limit(CACHE_BYTES)
    }
}

impl GlyphCache {
    /// A cache that holds at most about `bytes`.
    pub fn with_limit(bytes: usize) -> GlyphCache {
        GlyphCache {
            young: HashMap::default(),
            old: HashMap::default(),
            young_bytes: 0,
            limit: bytes / 2,
        }
    }

    /// The mask for `key`, made by `make` if it is not there.
    pub fn get(&mut self, key: Key, make: impl FnOnce() -> Mask) -> Rc<Mask> {
        if let Some(mask) = self.young.get(&key) {
            return mask.clone();
        }
        let mask = self.old.remove(&key).unwrap_or_else(|| Rc::new(make()));
        self.young_bytes += mask.coverage.len() + ENTRY_BYTES;
        self.young.insert(key, mask.clone());
        if self.young_bytes > self.limit {
            self.old = std::mem::take(&mut self.young);
            self.young_bytes = 0;
        }
        mask
    }

    /// Masks held at the moment.
    pub fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }

    /// True before the first mask.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Collects an outline as drawing commands, flipped so that y grows downwards and shifted by the sub-pixel step.
struct Pen {
    path: Vec<Command>,
    dx: f32,
}

impl OutlinePen for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        self.path.move_to([x + self.dx, -y]);
    }
    fn line_to(&mut self, x: f32, y: f32) {
        self.path.line_to([x + self.dx, -y]);
    }
    fn quad_to(&mut self, cx: f32, cy: f32, x: f32, y: f32) {
        self.path.quad_to([cx + self.dx, -cy], [x + self.dx, -y]);
    }
    fn curve_to(&mut self, ax: f32, ay: f32, bx: f32, by: f32, x: f32, y: f32) {
        self.path
            .curve_to([ax + self.dx, -ay], [bx + self.dx, -by], [x + self.dx, -y]);
    }
    fn close(&mut self) {
        self.path.close();
    }
}

/// Draws one glyph of a face at a size, moved right by `step` / [`SUBPIXELS`] of a pixel.
pub fn rasterise(face: Face, glyph: u32, size: u16, step: u8) -> Mask {
    let mut pen = Pen {
        path: Vec::new(),
        dx: f32::from(step) / f32::from(SUBPIXELS),
    };
    let settings = DrawSettings::unhinted(Size::new(f32::from(size)), LocationRef::default());
    let drawn = face
        .font()
        .outlines
        .get(GlyphId::new(glyph))
        .map(|o| o.draw(settings, &mut pen));
    // A glyph that cannot be drawn is empty; the fonts are ours, so that only happens for blank ones.
    if !matches!(drawn, Some(Ok(_))) || pen.path.is_empty() {
        return Mask::default();
    }
    Mask::of_path(&pen.path, zeno::Fill::NonZero)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_capital_stands_on_the_baseline_with_the_fonts_cap_height() {
        let glyph = Face::Sans.lookup('H').unwrap().to_u32();
        let mask = rasterise(Face::Sans, glyph, 100, 0);
        assert_eq!((mask.top, mask.h), (-70, 70));
        assert!(mask.coverage.contains(&255));
    }

    #[test]
    fn a_space_is_an_empty_mask() {
        let glyph = Face::Sans.lookup(' ').unwrap().to_u32();
        assert_eq!(rasterise(Face::Sans, glyph, 24, 0).w, 0);
    }

    #[test]
    fn the_cache_stays_within_its_bound_and_keeps_what_is_used() {
        let mut cache = GlyphCache::with_limit(20_000);
        let hot = Key::Icon(0, 1);
        cache.get(hot, Mask::default);
        for i in 0..10_000u16 {
            cache.get(Key::Icon(1, i), || Mask {
                coverage: vec![0; 100].into(),
                ..Mask::default()
            });
            cache.get(hot, || panic!("the mask in constant use was dropped"));
        }
        assert!(cache.len() * (100 + ENTRY_BYTES) <= 20_000 + 1000);
    }
}
